"""What was written and did not stay whole: a field of forty letters, prices to the cent, numbers without a country.

The same is not written again, for it would come to the same: it stays a finding, until the value is another one. A name
kept as one text may say what we wrote already, and only be cut otherwise.
"""

from __future__ import annotations

import json

import sqlalchemy as sa

from omnihub.fields.worn import worn
from omnihub.flow.holding import Cell
from omnihub.model import ENTITIES, Entity, Kind
from omnihub.sdk import FullName, Stream
from omnihub.store import schema


def held_short(c: sa.Connection) -> set[Cell]:
    """(ref, field) of the differences where a system was given our value, and holds what is left of it."""
    d, s, t = schema.differences, schema.sent, schema.refined
    told = sa.select(d.c.ref, d.c.field, d.c.golden_id, d.c.theirs, d.c.ours, t.c.problems)
    query = told.join(s, sa.and_(s.c.ref == d.c.ref, s.c.field == d.c.field)).join(t, t.c.ref == d.c.ref)
    found = c.execute(query.where(s.c.value == d.c.ours))
    return {
        (row.ref, row.field)
        for row in found
        if worn(_kind(row.golden_id, row.field), row.ours, row.theirs or _unclean(row.problems, row.field))
    }


def cut_otherwise(c: sa.Connection, system: str, stream: Stream, until: int) -> set[str]:
    """Refs of the differences in names kept as one text which we have written, and whose record did not change by that
    (its latest version is no later than the raw seq `until`): what it says may be just what we wrote."""
    halves = [name for name, where in stream.fields.items() if isinstance(where, FullName)]
    if not halves:
        return set()
    d, s, r, raw = schema.differences, schema.sent, schema.records, schema.raw
    told = sa.select(d.c.ref).join(s, sa.and_(s.c.ref == d.c.ref, s.c.field == d.c.field))
    told = told.join(r, r.c.ref == d.c.ref).join(raw, raw.c.seq == r.c.seq)
    told = told.where(s.c.value == d.c.ours, s.c.at >= raw.c.landed_at, r.c.seq <= until)
    return set(c.execute(told.where(d.c.system == system, d.c.stream == stream.name, d.c.field.in_(halves))).scalars())


def _kind(golden_id: str, field: str) -> Kind:
    return ENTITIES[Entity(golden_id.partition("_")[0])][field].kind


def _unclean(problems: str, field: str) -> str:
    """What stands there that can't be cleaned: of that, too, something may be left."""
    _, text = json.loads(problems).get(field, ("", ""))
    return text or ""

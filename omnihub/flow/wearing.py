"""What was written and did not stay whole: a field of forty letters, prices to the cent, numbers without a country.

The same is not written again, for it would come to the same: it stays a finding, until the value is another one.
"""

from __future__ import annotations

import json

import sqlalchemy as sa

from omnihub.fields.worn import worn
from omnihub.flow.holding import Cell
from omnihub.model import ENTITIES, Entity, Kind
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


def _kind(golden_id: str, field: str) -> Kind:
    return ENTITIES[Entity(golden_id.partition("_")[0])][field].kind


def _unclean(problems: str, field: str) -> str:
    """What stands there that can't be cleaned: of that, too, something may be left."""
    _, text = json.loads(problems).get(field, ("", ""))
    return text or ""

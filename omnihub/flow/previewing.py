"""Preview: what would flip in the golden records if the rules were others, before anything is saved.

    golden records as they stand ─┐
    their members ─▶ survive by the other rules ─┴─▶ cells that differ: old → new, and why the old value loses

It reads what merging reads and asks the same `survive`, so the next run says the same; nothing is written. That a run
merges everything again once the rules have changed is `heed_rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from omnihub.engine import connection
from omnihub.flow.hub import Hub
from omnihub.merge import LINKS, MEMBERS, PINS, Rules, survive
from omnihub.model import GOLDEN, Entity, Kind, fields_of
from omnihub.store import bulk, schema
from omnihub.store.open import advance, now_iso, watermark

SLICE = 20_000  # golden records looked at at once

FLIPS = pa.schema(
    [(name, pa.string()) for name in ("golden_id", "field", "old", "new")]
    + [(name, pa.string()) for name in ("old_ref", "new_ref", "old_rule", "new_rule", "why")]
)
"""One row a golden cell that would say something else. why: one of `merge.WHY`; None where the old value's record says
nothing any more, or a group of fields is now taken from a record without this one, or from one that has it."""

_GOLDENS = pa.schema([(name, pa.string()) for name in ("golden_id", "fields", "lineage")])


@dataclass(frozen=True)
class Preview:
    """What other rules would do to one entity. flips: field → how many cells. examples: the first of each field.

    waiting: records that have changed since the last merge; the next run brings their news as well.
    """

    entity: Entity
    looked_at: int = 0
    goldens: int = 0
    waiting: int = 0
    flips: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[dict[str, str | None]]] = field(default_factory=dict)


def preview(hub: Hub, rules: Rules, most: int | None = 5) -> list[Preview]:
    """What each entity's golden records would say by these rules. most: examples of each field, None for all."""
    return [_preview(hub, entity, rules, most) for entity in GOLDEN]


def _preview(hub: Hub, entity: Entity, rules: Rules, most: int | None) -> Preview:
    waiting = _waiting(hub, entity)
    if merged_by(hub, entity) == rules.fingerprint(entity):
        return Preview(entity, waiting=waiting)
    looked_at, goldens = 0, 0
    counts: Counter[str] = Counter()
    examples: dict[str, list[dict[str, str | None]]] = {}
    for seen, found in flips(hub, entity, rules):
        looked_at, goldens = seen, goldens + pc.count_distinct(found.column("golden_id")).as_py()
        for name, count in _by_field(found).items():
            counts[name] += count
            shown = examples.setdefault(name, [])
            here = found.filter(pc.equal(found.column("field"), name))
            shown += here.slice(0, None if most is None else max(0, most - len(shown))).to_pylist()
    return Preview(entity, looked_at, goldens, waiting, dict(counts), examples)


def _by_field(found: pa.Table) -> dict[str, int]:
    return {one["values"]: one["counts"] for one in pc.value_counts(found.column("field")).to_pylist()}


def flips(hub: Hub, entity: Entity, rules: Rules) -> Iterator[tuple[int, pa.Table]]:
    """Slice by slice: how many golden records have been looked at, and the cells that flip, as `FLIPS` has them."""
    g = schema.goldens
    with hub.store.read() as c:
        alive = sa.select(g.c.id).where(g.c.entity == entity.value, g.c.members > 0)
        ids = list(c.execute(alive.order_by(g.c.id)).scalars())
        links = _links(c, entity)
    for done, some in enumerate(bulk.chunks(ids, SLICE)):
        hub.progress(f"preview {entity}", done * SLICE, len(ids))
        with hub.store.read() as c:
            before = bulk.table_in(c, sa.select(g.c.id.label("golden_id"), g.c.fields, g.c.lineage), g.c.id, some)
            members, pins = _members(c, some), _pins(c, some)
        after = survive(entity, members, links, pins, rules)
        yield done * SLICE + len(some), _compared(before.cast(_GOLDENS), after)
    hub.progress(f"preview {entity}", len(ids), len(ids))


# -- reading what merging reads --------------------------------------------------------------------------------------


def _members(c: sa.Connection, golden_ids: Sequence[str]) -> pa.Table:
    x, t = schema.crosswalk, schema.refined
    query = sa.select(x.c.golden_id, t.c.ref, t.c.system, t.c.raw_seq, t.c.fields, t.c.times, t.c.echoes, t.c.edits)
    query = query.join(t, t.c.ref == x.c.ref).where(~t.c.deleted)
    return bulk.table_in(c, query, x.c.golden_id, golden_ids).cast(MEMBERS)


def _links(c: sa.Connection, entity: Entity) -> pa.Table:
    """The golden id behind each record, where this entity's fields name any."""
    if not any(f.kind is Kind.LINK for f in fields_of(entity).values()):
        return LINKS.empty_table()
    return bulk.table(c, sa.select(schema.crosswalk.c.ref, schema.crosswalk.c.golden_id)).cast(LINKS)


def _pins(c: sa.Connection, golden_ids: Sequence[str]) -> pa.Table:
    p = schema.pins
    query = sa.select(p.c.golden_id, p.c.field, p.c.value)
    query = query.where(sa.or_(p.c.expires_at.is_(None), p.c.expires_at > now_iso()))
    return bulk.table_in(c, query, p.c.golden_id, golden_ids).cast(PINS)


def _waiting(hub: Hub, entity: Entity) -> int:
    t = schema.refined
    with hub.store.read() as c:
        mark = watermark(c, "merge", entity.value)
        counted = sa.select(sa.func.count()).where(t.c.entity == entity.value, t.c.seq > mark)
        return int(c.execute(counted).scalar_one()) if mark else 0


# -- old beside new --------------------------------------------------------------------------------------------------


def _compared(before: pa.Table, after: pa.Table) -> pa.Table:
    con = connection()
    try:
        con.register("before", before)
        con.register("after", after)
        return con.sql(_FLIPS).to_arrow_table().cast(FLIPS)
    finally:
        con.close()


# Only golden records that differ at all are taken apart into their cells.
_FLIPS = """
WITH differ AS (
    SELECT golden_id, b.fields::JSON AS old_fields, b.lineage::JSON AS old_lineage, a.fields::JSON AS new_fields,
           a.lineage::JSON AS new_lineage
    FROM before AS b JOIN after AS a USING (golden_id) WHERE b.fields <> a.fields),
cells AS (
    SELECT *, unnest(list_distinct(list_concat(json_keys(old_fields), json_keys(new_fields)))) AS field FROM differ),
told AS (
    SELECT golden_id, field, json_extract_string(old_fields, path) AS old, json_extract_string(new_fields, path) AS new,
           json_extract_string(old_lineage, path || '.ref') AS old_ref,
           json_extract_string(new_lineage, path || '.ref') AS new_ref,
           json_extract_string(old_lineage, path || '.rule') AS old_rule,
           json_extract_string(new_lineage, path || '.rule') AS new_rule,
           from_json(json_extract(new_lineage, path || '.losers'), '[{"ref": "VARCHAR", "why": "VARCHAR"}]') AS losers
    FROM (SELECT *, '$."' || field || '"' AS path FROM cells))
SELECT golden_id, field, old, new, old_ref, new_ref, old_rule, new_rule,
       list_filter(losers, lambda one: one.ref = old_ref)[1].why AS why
FROM told WHERE old IS DISTINCT FROM new ORDER BY golden_id, field
"""


# -- noticing other rules --------------------------------------------------------------------------------------------


def merged_by(hub: Hub, entity: Entity) -> str | None:
    """The fingerprint of the rules by which the golden records of this entity were merged."""
    facts = schema.facts
    with hub.store.read() as c:
        return c.execute(sa.select(facts.c.value).where(facts.c.key == _fact(entity))).scalar()


def heed_rules(hub: Hub, entity: Entity) -> bool:
    """Before merging: where the hub's rules are not those of last time, everything is to be merged again.

    The new fingerprint and the watermark at nought are one commit: a run that dies after it leaves it to the next.
    """
    fingerprint = hub.rules.fingerprint(entity)
    if merged_by(hub, entity) == fingerprint:
        return False
    with hub.store.write() as c:
        bulk.upsert(c, schema.facts, ("key", "value"), [(_fact(entity), fingerprint)])
        advance(c, "merge", 0, entity.value)
    return True


def _fact(entity: Entity) -> str:
    return f"rules:{entity}"

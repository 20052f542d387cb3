"""Merge the golden records whose members, values, links or pins have changed."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import sqlalchemy as sa

from omnihub.compare import named
from omnihub.flow import deciding
from omnihub.flow.hub import Hub
from omnihub.flow.touching import note
from omnihub.flow.unmerging import asked_about, note_waiting, own_words, waiting, with_own_words
from omnihub.merge import LINKS, MEMBERS, recut, survive
from omnihub.model import GOLDEN, Entity, Kind, fields_of
from omnihub.sdk import FullName
from omnihub.store import bulk, schema
from omnihub.store.open import advance, latest, now_iso, take, watermark

SLICE = 20_000  # golden records merged at once

_GOLDENS = ("id", "entity", "seq", "born", "founder", "fields", "lineage", "members")
_HISTORY = ("id", "seq", "at", "fields", "lineage")


def merge_entity(hub: Hub, entity: Entity) -> dict[str, int]:
    """Bring the golden records of one entity up to date. Returns looked_at, changed, same."""
    now = now_iso()
    with hub.store.read() as c:
        mark, until = watermark(c, "merge", entity.value), latest(c)
        touched = _touched(c, entity, mark, now)
    changed = 0
    for done, some in enumerate(bulk.chunks(touched, SLICE)):
        hub.progress(f"merge {entity}", done * SLICE, len(touched))
        changed += _merge(hub, entity, some, now)
    with hub.store.write() as c:
        if c.execute(sa.select(schema.pins.c.field).where(schema.pins.c.expires_at <= now).limit(1)).first():
            deciding.end_pins(c, entity, now)
        advance(c, "merge", until, entity.value)
    hub.progress(f"merge {entity}", len(touched), len(touched))
    return {"looked_at": len(touched), "changed": changed, "same": len(touched) - changed}


def _touched(c: sa.Connection, entity: Entity, mark: int, now: str) -> list[str]:
    """Golden ids with a member that came, went or changed, a pin, a link whose target is another golden one now, or a
    question that waits."""
    x, t = schema.crosswalk, schema.refined
    found = set(c.execute(sa.select(x.c.golden_id).where(x.c.entity == entity.value, x.c.seq > mark)).scalars())
    changed = sa.select(x.c.golden_id).join(t, t.c.ref == x.c.ref).where(t.c.entity == entity.value, t.c.seq > mark)
    found |= set(c.execute(changed).scalars())
    found |= deciding.pins_awakened(c, entity, mark, now)
    found |= {gid for gid in waiting(c) if gid.startswith(f"{entity.value}_")}
    if mark:  # else everything is found already
        found |= _linked_elsewhere(c, entity, mark)
    return sorted(found)


def _linked_elsewhere(c: sa.Connection, entity: Entity, mark: int) -> set[str]:
    """Golden ids with a member that links to a record, or a pin on a golden record, that is another golden one now."""
    x, g, p, links = schema.crosswalk, schema.goldens, schema.pins, schema.links
    names = _link_names(entity)
    if not names:
        return set()
    moved = sa.select(x.c.ref).where(x.c.entity.in_([e.value for e in GOLDEN]), x.c.seq > mark)
    linked = sa.select(links.c.ref).where(links.c.field.in_(names))
    refs = {r.ref for r in bulk.where_in(c, linked, links.c.target, c.execute(moved).scalars())}
    # Which entity is asked afterwards: in the same breath SQLite would go through all of it instead of these refs.
    home = bulk.where_in(c, sa.select(x.c.golden_id, x.c.entity), x.c.ref, refs)
    pinned = sa.select(p.c.golden_id).join(g, g.c.id == p.c.value).where(p.c.field.in_(names), g.c.seq > mark)
    on = {deciding.living_id(c, gid) for gid in set(c.execute(pinned).scalars())}
    return {r.golden_id for r in home if r.entity == entity} | {gid for gid in on if gid}


def _link_names(entity: Entity) -> list[str]:
    return [f.name for f in fields_of(entity).values() if f.kind is Kind.LINK]


def _merge(hub: Hub, entity: Entity, golden_ids: Sequence[str], now: str) -> int:
    with hub.store.read() as c:
        members = with_own_words(_members(c, golden_ids), own_words(c, golden_ids))
        wait, waited = asked_about(c, golden_ids), waiting(c) & set(golden_ids)
    members = recut(members, _guessed(hub, entity))
    if _link_names(entity):
        note(hub, _spoken(entity, members), members.column("ref").to_pylist())
    with hub.store.read() as c:
        links, pins = _links(c, entity, members), deciding.pins_on(c, golden_ids, now)
        merged = survive(entity, members, links, pins, hub.rules).to_pylist()
        g = schema.goldens
        query = sa.select(g.c.id, g.c.fields, g.c.lineage, g.c.members, g.c.born, g.c.founder)
        before = {r[0]: r for r in bulk.where_in(c, query, g.c.id, golden_ids)}
    said = {m["golden_id"]: m for m in merged}
    fresh = []
    for gid in golden_ids:
        new, old = said.get(gid), before[gid]
        fields, lineage, count = (new["fields"], new["lineage"], new["members"]) if new else (old[1], old[2], 0)
        if (fields, lineage, count) != (old[1], old[2], old[3]):
            fresh.append((gid, fields, lineage, count, old[4], old[5]))
    if wait != waited:
        with hub.store.write() as c:
            note_waiting(c, golden_ids, wait)
    if not fresh:
        return 0
    with hub.store.write() as c:
        first = take(c, len(fresh))
        rows = [
            (gid, entity.value, seq, born, founder, f, lin, n)
            for seq, (gid, f, lin, n, born, founder) in enumerate(fresh, first)
        ]
        bulk.upsert(c, schema.goldens, _GOLDENS, rows)
        bulk.append(
            c, schema.golden_history, _HISTORY, [(gid, seq, now, f, lin) for gid, _, seq, _, _, f, lin, _ in rows]
        )
    return len(fresh)


def _guessed(hub: Hub, entity: Entity) -> set[str]:
    """system/stream of those that keep the name as one text."""
    return {
        f"{name}/{stream.name}"
        for name, connector in hub.connectors.items()
        for stream in connector.streams
        if stream.entity is entity and any(isinstance(where, FullName) for where in stream.fields.values())
    }


def _members(c: sa.Connection, golden_ids: Sequence[str]) -> pa.Table:
    x, t = schema.crosswalk, schema.refined
    query = sa.select(x.c.golden_id, t.c.ref, t.c.system, t.c.raw_seq, t.c.fields, t.c.times, t.c.echoes, t.c.edits)
    query = query.join(t, t.c.ref == x.c.ref).where(~t.c.deleted)
    return bulk.table_in(c, query, x.c.golden_id, golden_ids).cast(MEMBERS)


def _links(c: sa.Connection, entity: Entity, members: pa.Table) -> pa.Table:
    """The golden id behind each ref a member links to."""
    names = _link_names(entity)
    if not names:
        return LINKS.empty_table()
    x = schema.crosswalk
    refs = named(_spoken(entity, members), (entity,), names)
    return bulk.table_in(c, sa.select(x.c.ref, x.c.golden_id), x.c.ref, refs).cast(LINKS)


def _spoken(entity: Entity, members: pa.Table) -> pa.Table:
    told = members.select(["ref", "fields"])
    return told.add_column(1, "entity", pa.array([entity.value] * len(told), pa.string()))

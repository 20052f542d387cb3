"""Merge the golden records whose members, values, links or pins have changed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import sqlalchemy as sa

from omnihub.flow.hub import Hub
from omnihub.merge import LINKS, MEMBERS, PINS, survive
from omnihub.model import Entity, Kind, fields_of
from omnihub.store import bulk, schema
from omnihub.store.open import advance, latest, now_iso, take, watermark

SLICE = 20_000  # golden records merged at once

_GOLDENS = ("id", "entity", "seq", "born", "founder", "fields", "lineage", "members")
_HISTORY = ("id", "seq", "at", "fields", "lineage")


def merge_entity(hub: Hub, entity: Entity) -> dict[str, int]:
    """Bring the golden records of one entity up to date. Returns looked_at, changed, same."""
    with hub.store.read() as c:
        mark, until = watermark(c, "merge", entity.value), latest(c)
        touched = _touched(c, entity, mark)
    changed = 0
    for done, some in enumerate(bulk.chunks(touched, SLICE)):
        hub.progress(f"merge {entity}", done * SLICE, len(touched))
        changed += _merge(hub, entity, some)
    with hub.store.write() as c:
        advance(c, "merge", until, entity.value)
    hub.progress(f"merge {entity}", len(touched), len(touched))
    return {"looked_at": len(touched), "changed": changed, "same": len(touched) - changed}


def _touched(c: sa.Connection, entity: Entity, mark: int) -> list[str]:
    """Golden ids with a member that came, went or changed, a pin, or a link whose target is another golden one now."""
    x, t, p, k = schema.crosswalk, schema.refined, schema.pins, schema.keys
    found = set(c.execute(sa.select(x.c.golden_id).where(x.c.entity == entity.value, x.c.seq > mark)).scalars())
    changed = sa.select(x.c.golden_id).join(t, t.c.ref == x.c.ref).where(t.c.entity == entity.value, t.c.seq > mark)
    found |= set(c.execute(changed).scalars())
    pinned = sa.select(p.c.golden_id).join(schema.goldens, schema.goldens.c.id == p.c.golden_id)
    found |= set(c.execute(pinned.where(p.c.seq > mark, schema.goldens.c.entity == entity.value)).scalars())
    if mark and entity is Entity.CONTACT:
        moved = c.execute(sa.select(x.c.ref).where(x.c.entity == Entity.ACCOUNT.value, x.c.seq > mark)).scalars()
        query = sa.select(x.c.golden_id).join(k, k.c.ref == x.c.ref).where(k.c.entity == entity.value)
        found |= {r[0] for r in bulk.where_in(c, query, k.c.key, [f"r:{ref}" for ref in moved])}
    return sorted(found)


def _merge(hub: Hub, entity: Entity, golden_ids: Sequence[str]) -> int:
    with hub.store.read() as c:
        members = _members(c, golden_ids)
        merged = survive(entity, members, _links(c, entity, members), _pins(c, golden_ids), hub.rules).to_pylist()
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
    if not fresh:
        return 0
    at = now_iso()
    with hub.store.write() as c:
        first = take(c, len(fresh))
        rows = [
            (gid, entity.value, seq, born, founder, f, lin, n)
            for seq, (gid, f, lin, n, born, founder) in enumerate(fresh, first)
        ]
        bulk.upsert(c, schema.goldens, _GOLDENS, rows)
        bulk.append(
            c, schema.golden_history, _HISTORY, [(gid, seq, at, f, lin) for gid, _, seq, _, _, f, lin, _ in rows]
        )
    return len(fresh)


def _members(c: sa.Connection, golden_ids: Sequence[str]) -> pa.Table:
    x, t = schema.crosswalk, schema.refined
    query = sa.select(x.c.golden_id, t.c.ref, t.c.system, t.c.raw_seq, t.c.fields, t.c.times, t.c.echoes, t.c.edits)
    query = query.join(t, t.c.ref == x.c.ref).where(~t.c.deleted)
    return bulk.table_in(c, query, x.c.golden_id, golden_ids).cast(MEMBERS)


def _links(c: sa.Connection, entity: Entity, members: pa.Table) -> pa.Table:
    """The golden id behind each ref a member links to."""
    names = [f.name for f in fields_of(entity).values() if f.kind is Kind.LINK]
    if not names:
        return LINKS.empty_table()
    refs = {json.loads(f).get(n) for f in members.column("fields").to_pylist() for n in names} - {None}
    x = schema.crosswalk
    return bulk.table_in(c, sa.select(x.c.ref, x.c.golden_id), x.c.ref, sorted(refs)).cast(LINKS)


def _pins(c: sa.Connection, golden_ids: Sequence[str]) -> pa.Table:
    p = schema.pins
    query = sa.select(p.c.golden_id, p.c.field, p.c.value).where(
        sa.or_(p.c.expires_at.is_(None), p.c.expires_at > now_iso())
    )
    return bulk.table_in(c, query, p.c.golden_id, golden_ids).cast(PINS)

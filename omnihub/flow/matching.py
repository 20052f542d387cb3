"""Match what has changed: only candidates of changed records are scored, only the clusters they touch are rebuilt.

changed records ─▶ who shares a key with them ─▶ weights ─▶ touched components ─▶ clusters ─▶ ids
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from omnihub.flow.hub import Hub
from omnihub.match import (
    Assigned,
    Golden,
    Judged,
    assign,
    clusters,
    default_model,
    features,
    score_all_within,
    score_candidates,
)
from omnihub.match.clusters import components
from omnihub.match.features import ACCOUNTS, ROWS
from omnihub.model import Entity
from omnihub.store import bulk, schema
from omnihub.store.open import advance, latest, now_iso, take, watermark

ALL = 0.3  # from this share of changed records on, everything is read once instead of looked up


@dataclass
class _Slice:
    """What one matching run is about. `everything`: the whole entity is in memory."""

    entity: Entity
    until: int
    active: set[str] = field(default_factory=set)
    everything: bool = False
    features: pa.Table | None = None
    keys: pa.Table | None = None


def match_entity(hub: Hub, entity: Entity) -> dict[str, int]:
    """Bring pairs, crosswalk and golden ids of one entity up to date.

    Returns changed, pairs, unsure, born, merged, split.
    """
    with hub.store.read() as c:
        part = _changed(c, entity)
        if not part.active:
            return _advance_only(hub, part)
        hub.progress(f"match {entity}", 0, len(part.active))
        _load_candidates(c, part)
        scored = _scored(hub, part)
        judged = _judged(c)
    counts = _keep_pairs(hub, part, scored)
    with hub.store.read() as c:
        touched = _touched(c, part, scored)
        members, edges = _closure(c, part, touched, judged)
        groups = components(members, edges)
        found = _clusters(c, hub, part, groups, judged)
        crosswalk, goldens = _present(c, members)
    assigned = assign(entity, found, crosswalk, goldens, born=part.until)
    counts |= _keep_ids(hub, part, assigned, crosswalk)
    hub.progress(f"match {entity}", len(part.active), len(part.active))
    return {"changed": len(part.active)} | counts


# -- what has changed ----------------------------------------------------------------------------------------------


def _changed(c: sa.Connection, entity: Entity) -> _Slice:
    mark, part = watermark(c, "match", entity.value), _Slice(entity, latest(c))
    t, j = schema.refined, schema.judgements
    part.active = set(c.execute(sa.select(t.c.ref).where(t.c.entity == entity.value, t.c.seq > mark)).scalars())
    for a, b in c.execute(sa.select(j.c.a, j.c.b).where(j.c.seq > mark)):
        part.active |= set(
            c.execute(sa.select(t.c.ref).where(t.c.entity == entity.value, t.c.ref.in_((a, b)))).scalars()
        )
    if entity is Entity.CONTACT and mark:
        part.active |= _contacts_of_changed_accounts(c, mark)
    if part.active:
        total = c.execute(sa.select(sa.func.count()).select_from(t).where(t.c.entity == entity.value)).scalar_one()
        part.everything = len(part.active) > ALL * total
    if part.everything:  # then every pair is made anew, those of unchanged records too
        part.active = set(c.execute(sa.select(t.c.ref).where(t.c.entity == entity.value)).scalars())
    return part


def _contacts_of_changed_accounts(c: sa.Connection, mark: int) -> set[str]:
    """Contacts whose account is now another golden record, or one with another name."""
    x, g, k = schema.crosswalk, schema.goldens, schema.keys
    moved = set(c.execute(sa.select(x.c.ref).where(x.c.entity == Entity.ACCOUNT.value, x.c.seq > mark)).scalars())
    changed = c.execute(sa.select(g.c.id, g.c.fields).where(g.c.entity == Entity.ACCOUNT.value, g.c.seq > mark)).all()
    before = _names_before(c, [row.id for row in changed], mark)
    renamed = [row.id for row in changed if json.loads(row.fields).get("name") != before.get(row.id)]
    moved |= {r[0] for r in bulk.where_in(c, sa.select(x.c.ref), x.c.golden_id, renamed)}
    wanted = [f"r:{ref}" for ref in sorted(moved)]
    query = sa.select(k.c.ref).where(k.c.entity == Entity.CONTACT.value)
    return {r[0] for r in bulk.where_in(c, query, k.c.key, wanted)}


def _names_before(c: sa.Connection, golden_ids: Sequence[str], mark: int) -> dict[str, str | None]:
    """The names golden accounts had at the watermark."""
    h = schema.golden_history
    query = sa.select(h.c.id, h.c.seq, h.c.fields).where(h.c.seq <= mark)
    rows = sorted(bulk.where_in(c, query, h.c.id, golden_ids), key=lambda row: row.seq)
    return {row.id: json.loads(row.fields).get("name") for row in rows}


# -- candidates ----------------------------------------------------------------------------------------------------


def _load_candidates(c: sa.Connection, part: _Slice) -> None:
    """Features and keys of the changed records and of all that share a key with them."""
    if part.everything:
        part.features, part.keys = _features(c, part, None)
        return
    keys = _features(c, part, part.active)[1]
    lines = [k for k in keys.column("key").to_pylist() if k.startswith("p:")]
    lines += _keys_of(c, part, part.active, prefix="p:")  # a number given up leaves its sharers less shared
    part.active |= _refs_with(c, part, lines)
    keys = _features(c, part, part.active)[1]
    wanted = {k for k in keys.column("key").to_pylist() if not k.startswith("r:")}
    part.features, part.keys = _features(c, part, part.active | _refs_with(c, part, wanted))


def _keys_of(c: sa.Connection, part: _Slice, refs: Iterable[str], prefix: str) -> list[str]:
    k = schema.keys
    query = sa.select(k.c.key).where(k.c.entity == part.entity.value, k.c.key.startswith(prefix, autoescape=True))
    return [r[0] for r in bulk.where_in(c, query, k.c.ref, refs)]


def _refs_with(c: sa.Connection, part: _Slice, keys: Iterable[str]) -> set[str]:
    k = schema.keys
    return {r[0] for r in bulk.where_in(c, sa.select(k.c.ref).where(k.c.entity == part.entity.value), k.c.key, keys)}


def _features(c: sa.Connection, part: _Slice, refs: Iterable[str] | None) -> tuple[pa.Table, pa.Table]:
    """Features and keys of the living among `refs` (None: all)."""
    t = schema.refined
    query = sa.select(t.c.ref, t.c.system, t.c.fields, t.c.own).where(t.c.entity == part.entity.value, ~t.c.deleted)
    rows = bulk.table(c, query) if refs is None else bulk.table_in(c, query, t.c.ref, sorted(refs))
    return features(
        part.entity, rows.cast(ROWS), _accounts(c, rows, refs is None) if part.entity is Entity.CONTACT else None
    )


def _accounts(c: sa.Connection, contacts: pa.Table, everything: bool) -> pa.Table:
    """The golden account, and its name, behind each account the contacts link to."""
    x, g = schema.crosswalk, schema.goldens
    query = sa.select(x.c.ref, x.c.golden_id, g.c.fields.label("name")).join(g, g.c.id == x.c.golden_id)
    query = query.where(x.c.entity == Entity.ACCOUNT.value)
    if everything:
        found = bulk.table(c, query)
    else:
        linked = {json.loads(f).get("account") for f in contacts.column("fields").to_pylist()} - {None}
        found = bulk.table_in(c, query, x.c.ref, sorted(linked))
    names = [json.loads(f).get("name") for f in found.column("name").to_pylist()]
    return found.set_column(2, "name", pa.array(names, pa.string())).cast(ACCOUNTS)


def _scored(hub: Hub, part: _Slice) -> pa.Table:
    assert part.features is not None
    assert part.keys is not None
    return score_candidates(default_model(part.entity), part.features, part.keys, part.active)


_PAIRS = ("a", "b", "entity", "weight", "state", "why")
_KEYS = ("entity", "key", "ref")


def _keep_pairs(hub: Hub, part: _Slice, scored: pa.Table) -> dict[str, int]:
    """Replace the pairs and keys of the changed records. Pairs that are surely different are not kept."""
    assert part.keys is not None
    limits = hub.thresholds[part.entity]
    rows = []
    for p in scored.to_pylist():
        if p["weight"] >= limits.unsure and not p["forbidden"]:
            state = "same" if p["weight"] >= limits.same else "unsure"
            rows.append((p["a"], p["b"], part.entity.value, p["weight"], state, p["why"]))
    keys = [
        (part.entity.value, key, ref)
        for key, ref in zip(*(part.keys.column(n).to_pylist() for n in ("key", "ref")), strict=True)
        if ref in part.active
    ]
    with hub.store.write() as c:
        if part.everything:
            c.execute(sa.delete(schema.pairs).where(schema.pairs.c.entity == part.entity.value))
            c.execute(sa.delete(schema.keys).where(schema.keys.c.entity == part.entity.value))
            keys = [
                (part.entity.value, k, r)
                for k, r in zip(*(part.keys.column(n).to_pylist() for n in ("key", "ref")), strict=True)
            ]
        else:
            for column in (schema.pairs.c.a, schema.pairs.c.b, schema.keys.c.ref):
                bulk.delete(c, column, sorted(part.active))
        bulk.append(c, schema.keys, _KEYS, keys)
        bulk.append(c, schema.pairs, _PAIRS, rows)
    return {"pairs": len(rows), "unsure": sum(1 for r in rows if r[4] == "unsure")}


# -- clusters ------------------------------------------------------------------------------------------------------


def _judged(c: sa.Connection) -> list[Judged]:
    j = schema.judgements
    query = sa.select(j.c.a, j.c.b, j.c.verdict).where(sa.or_(j.c.expires_at.is_(None), j.c.expires_at > now_iso()))
    return [Judged(*row) for row in c.execute(query)]


def _touched(c: sa.Connection, part: _Slice, scored: pa.Table) -> set[str]:
    return part.active | set(scored.column("a").to_pylist()) | set(scored.column("b").to_pylist())


def _closure(
    c: sa.Connection, part: _Slice, touched: set[str], judged: Sequence[Judged]
) -> tuple[set[str], list[tuple[str, str]]]:
    """All living records that may end up with a touched one, and the edges among them."""
    p, t, x = schema.pairs, schema.refined, schema.crosswalk
    same = sa.select(p.c.a, p.c.b).where(p.c.entity == part.entity.value, p.c.state == "same")
    alive = _identifiable(sa.select(t.c.ref).where(t.c.entity == part.entity.value, ~t.c.deleted), part.entity)
    word = {frozenset((j.a, j.b)): j.verdict for j in judged}
    said = [(j.a, j.b) for j in judged if j.verdict == "same"]
    if part.everything:
        edges = [(a, b) for a, b in c.execute(same)]
        members = set(c.execute(alive).scalars())
    else:
        found: set[tuple[str, str]] = set()
        members, frontier = set(touched), set(touched)
        while frontier:
            near = {(a, b) for column in (p.c.a, p.c.b) for a, b in bulk.where_in(c, same, column, sorted(frontier))}
            near |= {(a, b) for a, b in said if a in frontier or b in frontier}
            found |= near
            reached = {ref for pair in near for ref in pair}
            ids = {r[0] for r in bulk.where_in(c, sa.select(x.c.golden_id), x.c.ref, sorted(frontier))}
            reached |= {r[0] for r in bulk.where_in(c, sa.select(x.c.ref), x.c.golden_id, sorted(ids))}
            frontier = reached - members
            members |= frontier
        edges = sorted(found)
        members = {r[0] for r in bulk.where_in(c, alive, t.c.ref, sorted(members))}
    edges = [(a, b) for a, b in edges if word.get(frozenset((a, b))) != "different"]
    return members, edges + [pair for pair in said if set(pair) <= members]


def _identifiable(query: sa.Select[Any], entity: Entity) -> sa.Select[Any]:
    """A product without SKU and GTIN (a shop's frame around its variants) is no product of its own."""
    fields = schema.refined.c.fields
    return query.where(fields.contains('"sku":') | fields.contains('"gtin":')) if entity is Entity.PRODUCT else query


def _clusters(
    c: sa.Connection, hub: Hub, part: _Slice, groups: Sequence[Sequence[str]], judged: Sequence[Judged]
) -> list[list[str]]:
    """Split components where their members speak against each other."""
    large = [g for g in groups if len(g) > 2]
    if not large:
        return [list(g) for g in groups]
    inside = pa.table(
        {
            "component": pa.array([n for n, g in enumerate(large) for _ in g], pa.int64()),
            "ref": pa.array([ref for g in large for ref in g], pa.string()),
        }
    )
    home = {ref: n for n, g in enumerate(large) for ref in g}
    weights: list[dict[tuple[str, str], float]] = [{} for _ in large]
    for row in score_all_within(
        default_model(part.entity), _features_within(c, part, sorted(home)), inside
    ).to_pylist():
        weights[home[row["a"]]][row["a"], row["b"]] = float("-inf") if row["forbidden"] else row["weight"]
    about: list[list[Judged]] = [[] for _ in large]
    for j in judged:
        if j.a in home and home.get(j.b) == home[j.a]:
            about[home[j.a]].append(j)
    limits = hub.thresholds[part.entity]
    found = [list(g) for g in groups if len(g) <= 2]
    for group, weighed, word in zip(large, weights, about, strict=True):
        found += clusters(group, weighed, word, limits)
    return sorted(found)


def _features_within(c: sa.Connection, part: _Slice, refs: Sequence[str]) -> pa.Table:
    """Features of these records and of those that share a phone with them, which decides what a phone is worth."""
    if part.everything:
        assert part.features is not None
        return part.features
    sharers = _refs_with(c, part, _keys_of(c, part, refs, prefix="p:"))
    return _features(c, part, sharers | set(refs))[0]


# -- ids -----------------------------------------------------------------------------------------------------------


def _present(c: sa.Connection, members: set[str]) -> tuple[dict[str, str], dict[str, Golden]]:
    """The golden ids the members have now, and every id that is theirs to claim or taken by their names."""
    x, g = schema.crosswalk, schema.goldens
    refs = sorted(members)
    crosswalk = {r[0]: r[1] for r in bulk.where_in(c, sa.select(x.c.ref, x.c.golden_id), x.c.ref, refs)}
    query = sa.select(g.c.id, g.c.born, g.c.founder, g.c.merged_into)
    rows = bulk.where_in(c, query, g.c.id, crosswalk.values()) + bulk.where_in(c, query, g.c.founder, refs)
    return crosswalk, {r[0]: Golden(*r) for r in rows}


_CROSSWALK = ("ref", "golden_id", "entity", "seq")
_EVENTS = ("seq", "entity", "golden_id", "kind", "other_id", "at")


def _keep_ids(hub: Hub, part: _Slice, found: Assigned, before: dict[str, str]) -> dict[str, int]:
    """Keep who is who, and how it came about. Golden ids that lost or gained a member are marked for the merge."""
    moved = {ref: gid for ref, gid in found.crosswalk.items() if before.get(ref) != gid}
    lost = sorted({before[ref] for ref in moved if ref in before})
    g, x, entity = schema.goldens, schema.crosswalk, part.entity.value
    events = [("born", n.id, None) for n in found.born] + [("merged", loser, winner) for loser, winner in found.merged]
    events += [("split", old, new) for old, new in found.split] + [("revived", gid, None) for gid in found.revived]
    with hub.store.write() as c:
        first = take(c, 1 + len(events))
        left = bulk.where_in(c, sa.select(x.c.ref, x.c.golden_id), x.c.golden_id, lost)
        gone = [ref for ref in sorted(part.active) if ref not in found.crosswalk]
        left += bulk.where_in(c, sa.select(x.c.ref, x.c.golden_id), x.c.ref, gone)
        rows = {r[0]: r[1] for r in left} | moved
        bulk.upsert(c, x, _CROSSWALK, [(ref, gid, entity, first) for ref, gid in rows.items()])
        bulk.append(
            c, g, ("id", "entity", "seq", "born", "founder", "fields", "lineage", "members"),
            [(n.id, entity, first, n.born, n.founder, "{}", "{}", 0) for n in found.born],
        )  # fmt: skip
        for loser, winner in found.merged:
            c.execute(sa.update(g).where(g.c.id == loser).values(merged_into=winner, seq=first, members=0))
        for gid in found.revived:
            c.execute(sa.update(g).where(g.c.id == gid).values(merged_into=None, seq=first))
        at = now_iso()
        bulk.append(
            c,
            schema.events,
            _EVENTS,
            [(first + 1 + n, entity, gid, kind, other, at) for n, (kind, gid, other) in enumerate(events)],
        )
        advance(c, "match", part.until, entity)
    return {"born": len(found.born), "merged": len(found.merged), "split": len(found.split)}


def _advance_only(hub: Hub, part: _Slice) -> dict[str, int]:
    with hub.store.write() as c:
        advance(c, "match", part.until, part.entity.value)
    return {"changed": 0, "pairs": 0, "unsure": 0, "born": 0, "merged": 0, "split": 0}

"""Match what has changed: only candidates of changed records are scored, only the clusters they touch are rebuilt.

changed records ─▶ who shares a key with them ─▶ weights ─▶ touched components ─▶ clusters ─▶ ids

A pair's weight depends on more than its two records where a value is shared: a key that too many records have finds
nobody any more, and an identifier that too many holders share says little (in `keys` such a one has a row with MARK and
no ref). When a change lets a key or an identifier cross such a line, all who have it are looked at again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from omnihub.flow import creating, deciding, unnumbered
from omnihub.flow.hub import Hub
from omnihub.flow.modelling import model_in_force, remember
from omnihub.flow.unmerging import note_partings
from omnihub.match import (
    Assigned,
    Identified,
    Judged,
    Model,
    assign,
    clustered,
    default_model,
    features,
    score_candidates,
    shared_values,
    with_frequencies,
)
from omnihub.match.clusters import Queued
from omnihub.match.features import ACCOUNTS, MAX_BLOCK, ROWS, SHARED, SPECS
from omnihub.match.pairs import PAIRS
from omnihub.match.spark import score_candidates_on_spark, session
from omnihub.model import Entity
from omnihub.store import bulk, schema
from omnihub.store.open import advance, latest, now_iso, take, watermark

ALL = 0.3  # from this share of changed records on, everything is read once instead of looked up
FEW = 1_000  # so many changed records are looked up whatever their share
MARK = "!"
VALUES = pa.schema([("value", pa.string())])


@dataclass
class _Slice:
    """What one matching run is about.

    changed: the records whose own keys are written anew. active: those whose pairs are. everything: the whole entity is
    in memory. features, keys: of all records needed; keys only those whose every holder is there. shared: the
    identifiers that say little. marks: (gained, lost) of those. derived: features and keys of the records looked at so
    far (`seen`), as they were made. left_out: those looked at that nothing identifies.
    """

    entity: Entity
    until: int
    model: Model
    everything: bool = False
    changed: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    features: pa.Table | None = None
    keys: pa.Table | None = None
    own_keys: list[tuple[str, str]] = field(default_factory=list)
    shared: pa.Table = field(default_factory=VALUES.empty_table)
    marks: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    seen: set[str] = field(default_factory=set)
    derived: list[tuple[pa.Table, pa.Table]] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)


def match_entity(hub: Hub, entity: Entity) -> dict[str, int]:
    """Bring pairs, crosswalk, golden ids and the steward queue of one entity up to date.

    Returns changed, pairs, unsure, born, merged, split.
    """
    now = now_iso()
    with hub.store.read() as c:
        part = _changed(c, hub, entity, now)
        if not part.changed:
            return _advance_only(hub, part)
        hub.progress(f"match {entity}", 0, len(part.changed))
        if part.everything:
            _load_everything(c, part)
        else:
            _load_candidates(c, part)
    scored = _scored(hub, part)
    counts = _keep_pairs(hub, part, scored)
    with hub.store.read() as c:
        judged = [*deciding.judged(c, entity, now), *creating.ties(c, entity)]
        found = _identified_anew(part, scored, judged) if part.everything else _identified(c, part, scored, judged)
        members = {ref for cluster in found.partition for ref in cluster}
        crosswalk, goldens, former = deciding.present(c, members)
    assigned = assign(entity, found.partition, crosswalk, goldens, part.until, former)
    counts |= _keep_ids(hub, part, assigned, crosswalk, found, judged, now)
    hub.progress(f"match {entity}", len(part.changed), len(part.changed))
    return {"changed": len(part.changed)} | counts


def _scored(hub: Hub, part: _Slice) -> pa.Table:
    """Everything anew may be weighed on Spark; a few changed records are not worth the way there."""
    assert part.features is not None
    assert part.keys is not None
    if part.everything and hub.spark is not None:
        return score_candidates_on_spark(
            session(), part.model, part.features, part.keys, part.shared, folder=hub.spark, why=False
        )
    active = None if part.everything else part.active
    return score_candidates(part.model, part.features, part.keys, active, part.shared, why=False)


# -- what has changed ----------------------------------------------------------------------------------------------


def _changed(c: sa.Connection, hub: Hub, entity: Entity, now: str) -> _Slice:
    mark = watermark(c, "match", entity.value)
    model, other = model_in_force(c, entity, hub.thresholds[entity])
    part, t = _Slice(entity, latest(c), model), schema.refined
    part.changed = set(c.execute(sa.select(t.c.ref).where(t.c.entity == entity.value, t.c.seq > mark)).scalars())
    part.changed |= deciding.awakened(c, entity, mark, now) | creating.awakened(c, entity, mark)
    if entity is Entity.CONTACT and mark:
        part.changed |= _contacts_of_changed_accounts(c, mark)
    part.everything = other or not mark or _most(c, entity, len(part.changed))
    if part.everything and (other or part.changed):
        part.changed = set(c.execute(sa.select(t.c.ref).where(t.c.entity == entity.value)).scalars())
    return part


def _most(c: sa.Connection, entity: Entity, changed: int) -> bool:
    """Whether so many changed that it is cheaper to read everything once. Counts no further than it has to."""
    if changed <= FEW:
        return False
    some = sa.select(schema.refined.c.ref).where(schema.refined.c.entity == entity.value).limit(int(changed / ALL) + 1)
    return int(c.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one()) < changed / ALL


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


def _load_everything(c: sa.Connection, part: _Slice) -> None:
    part.active = part.changed
    part.features, part.keys = _features(c, part, None)
    part.model = with_frequencies(part.model, part.features)
    part.shared = shared_values(part.entity, part.features, part.keys)
    part.marks = (set(part.shared.column("value").to_pylist()), set())
    part.own_keys = _listed(part.keys)


def _load_candidates(c: sa.Connection, part: _Slice) -> None:
    """The changed records, those who are looked at again because of them, and all that share a key with either."""
    before = {(row.key, row.ref) for row in _keys_of(c, part, part.changed)}
    part.own_keys = _listed(_looked_at(c, part, part.changed)[1])
    after = set(part.own_keys)
    touched = {key for key, _ in before ^ after if _pairs(key)}
    sizes = _sizes(c, part, {key for key, _ in before | after if _pairs(key)})
    grown = sizes.copy()
    grown.update(key for key, _ in after - before)
    grown.subtract(key for key, _ in before - after)
    part.active = part.changed | _refs_with(
        c, part, {key for key in touched if (sizes[key] > MAX_BLOCK) != (grown[key] > MAX_BLOCK)}
    )
    part.marks = _crossings(c, part, touched, grown, after)
    part.active |= _refs_with(c, part, part.marks[0] | part.marks[1])
    wanted = {key for key, _ in after if _pairs(key)}
    others = part.active - part.changed
    if others:
        theirs = {row.key for row in _keys_of(c, part, others) if _pairs(row.key)}
        grown.update(_sizes(c, part, theirs - grown.keys()))
        wanted |= theirs
    wanted = {key for key in wanted if grown[key] <= MAX_BLOCK}
    part.features, keys = _looked_at(c, part, part.active | _refs_with(c, part, wanted))
    part.keys = keys.filter(pc.is_in(keys["key"], value_set=pa.array(sorted(wanted), pa.string())))
    part.shared = _shared_among(c, part, keys)


def _pairs(key: str) -> bool:
    """Whether a key brings records together; the others only find them."""
    return not key.startswith("r:")


def _listed(keys: pa.Table) -> list[tuple[str, str]]:
    return list(zip(keys.column("key").to_pylist(), keys.column("ref").to_pylist(), strict=True))


def _keys_of(c: sa.Connection, part: _Slice, refs: Iterable[str]) -> list[Any]:
    k = schema.keys
    return bulk.where_in(c, sa.select(k.c.key, k.c.ref).where(k.c.entity == part.entity.value), k.c.ref, sorted(refs))


def _sizes(c: sa.Connection, part: _Slice, keys: Iterable[str]) -> Counter[str]:
    """How many records have each key, as it is stored."""
    k = schema.keys
    query = sa.select(k.c.key, sa.func.count()).where(k.c.entity == part.entity.value).group_by(k.c.key)
    return Counter({row[0]: row[1] for row in bulk.where_in(c, query, k.c.key, sorted(keys))})


def _refs_with(c: sa.Connection, part: _Slice, keys: Iterable[str]) -> set[str]:
    k = schema.keys
    query = sa.select(k.c.ref).where(k.c.entity == part.entity.value)
    return {r[0] for r in bulk.where_in(c, query, k.c.key, sorted(keys))}


def _marked(c: sa.Connection, part: _Slice, values: Iterable[str]) -> set[str]:
    """Those of the identifiers that were found to be shared by too many."""
    k = schema.keys
    query = sa.select(k.c.key).where(k.c.entity == part.entity.value)
    found = bulk.where_in(c, query, k.c.key, [MARK + value for value in sorted(values)])
    return {row[0][len(MARK) :] for row in found}


def _crossings(
    c: sa.Connection, part: _Slice, touched: set[str], sizes: Counter[str], after: set[tuple[str, str]]
) -> tuple[set[str], set[str]]:
    """Of the identifiers touched: those that are shared by too many from now on, and those that no longer are."""
    touched = {key for key in touched if key.startswith(SPECS[part.entity].identifiers)}
    marked = _marked(c, part, touched)
    many = {key for key in touched if sizes[key] > MAX_BLOCK}
    some = {key for key in touched if SHARED <= sizes[key] <= MAX_BLOCK}
    if some:
        holders = _refs_with(c, part, some) | {ref for key, ref in after if key in some}
        many |= set(shared_values(part.entity, *_looked_at(c, part, holders)).column("value").to_pylist()) & some
    return many - marked, marked - many


def _shared_among(c: sa.Connection, part: _Slice, keys: pa.Table) -> pa.Table:
    identifiers = {key for key in keys.column("key").to_pylist() if key.startswith(SPECS[part.entity].identifiers)}
    gained, lost = part.marks
    return pa.table({"value": pa.array(sorted((_marked(c, part, identifiers) | gained) - lost), pa.string())})


def _looked_at(c: sa.Connection, part: _Slice, refs: set[str]) -> tuple[pa.Table, pa.Table]:
    """Features and keys of the living among `refs`; of those looked at before, as they were made then."""
    if fresh := refs - part.seen:
        part.derived.append(_features(c, part, fresh))
        part.seen |= fresh
    made, keys = (pa.concat_tables(tables) for tables in zip(*part.derived, strict=True))
    if refs == part.seen:
        return made, keys
    wanted = pa.array(list(refs), pa.string())
    return tuple(table.filter(pc.is_in(table["ref"], value_set=wanted)) for table in (made, keys))


def _features(c: sa.Connection, part: _Slice, refs: Iterable[str] | None) -> tuple[pa.Table, pa.Table]:
    """Features and keys of the living among `refs` (None: all)."""
    t = schema.refined
    query = sa.select(t.c.ref, t.c.system, t.c.fields, t.c.own).where(t.c.entity == part.entity.value, ~t.c.deleted)
    rows = bulk.table(c, query) if refs is None else bulk.table_in(c, query, t.c.ref, sorted(refs))
    return features(
        part.entity, rows.cast(ROWS), _accounts(c, rows, refs is None) if part.entity is Entity.CONTACT else None
    )


def records_beside(c: sa.Connection, entity: Entity, refs: Iterable[str]) -> tuple[pa.Table, pa.Table]:
    """The features of these records, and which of their identifiers say little, as matching sees them."""
    part = _Slice(entity, 0, default_model(entity))
    made, keys = _features(c, part, refs)
    return made, _shared_among(c, part, keys)


def all_records(c: sa.Connection, entity: Entity) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Features and keys of all living records, and which of their identifiers say little."""
    made, keys = _features(c, _Slice(entity, 0, default_model(entity)), None)
    return made, keys, shared_values(entity, made, keys)


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


_PAIRS = ("a", "b", "entity", "weight", "state", "why")
_KEYS = ("entity", "key", "ref")


def _keep_pairs(hub: Hub, part: _Slice, scored: pa.Table) -> dict[str, int]:
    """Replace the pairs of the active and the keys of the changed records. What is surely different is not kept."""
    limits, entity = part.model.limits, part.entity.value
    kept = scored.filter(pc.and_(pc.greater_equal(scored["weight"], limits.unsure), pc.invert(scored["forbidden"])))
    rows = [
        (a, b, entity, weight, "same" if weight >= limits.same else "unsure", why or "{}")
        for a, b, weight, why in zip(*(kept.column(n).to_pylist() for n in ("a", "b", "weight", "why")), strict=True)
    ]
    gained, lost = part.marks
    keys = [(entity, key, ref) for key, ref in part.own_keys] + [(entity, MARK + value, "") for value in sorted(gained)]
    k, p = schema.keys, schema.pairs
    with hub.store.write() as c:
        if part.everything:
            c.execute(sa.delete(p).where(p.c.entity == entity))
            c.execute(sa.delete(k).where(k.c.entity == entity))
            remember(c, part.model)
        else:
            for column in (p.c.a, p.c.b):
                bulk.delete(c, column, sorted(part.active))
            bulk.delete(c, k.c.ref, sorted(part.changed))
            for some in bulk.chunks([MARK + value for value in sorted(lost)], bulk.LIST):
                c.execute(sa.delete(k).where(k.c.entity == entity, k.c.key.in_(some)))
        bulk.append(c, k, _KEYS, keys)
        bulk.append(c, p, _PAIRS, rows)
    return {"pairs": len(rows), "unsure": sum(1 for r in rows if r[4] == "unsure")}


# -- clusters ------------------------------------------------------------------------------------------------------


def _identified_anew(part: _Slice, scored: pa.Table, judged: Sequence[Judged]) -> Identified:
    assert part.features is not None
    return clustered(part.model, _identifiable(part.features, part, judged), scored, part.shared, judged=judged)


def _identified(c: sa.Connection, part: _Slice, scored: pa.Table, judged: Sequence[Judged]) -> Identified:
    """The clusters of all living records that may end up with a touched one."""
    touched = part.active | set(scored.column("a").to_pylist()) | set(scored.column("b").to_pylist())
    members, sure = _closure(c, part, touched, judged)
    made, keys = _looked_at(c, part, members)
    return clustered(part.model, _identifiable(made, part, judged), sure, _shared_among(c, part, keys), judged=judged)


def _closure(c: sa.Connection, part: _Slice, touched: set[str], judged: Sequence[Judged]) -> tuple[set[str], pa.Table]:
    """All records that may end up with a touched one, and the sure pairs among them."""
    p, x = schema.pairs, schema.crosswalk
    same = sa.select(p.c.a, p.c.b, p.c.weight).where(p.c.entity == part.entity.value, p.c.state == "same")
    said: dict[str, set[str]] = {}
    for j in judged:
        if j.verdict == "same":
            said.setdefault(j.a, set()).add(j.b)
            said.setdefault(j.b, set()).add(j.a)
    found: dict[tuple[str, str], float] = {}
    members, frontier = set(touched), set(touched)
    while frontier:
        near = {(a, b): w for column in (p.c.a, p.c.b) for a, b, w in bulk.where_in(c, same, column, sorted(frontier))}
        found |= near
        reached = {ref for pair in near for ref in pair}
        reached |= {other for ref in frontier for other in said.get(ref, ())}
        ids = {r[0] for r in bulk.where_in(c, sa.select(x.c.golden_id), x.c.ref, sorted(frontier))}
        reached |= {r[0] for r in bulk.where_in(c, sa.select(x.c.ref), x.c.golden_id, sorted(ids))}
        frontier = reached - members
        members |= frontier
    pairs = [{"a": a, "b": b, "weight": w, "forbidden": False, "why": None} for (a, b), w in sorted(found.items())]
    return members, pa.Table.from_pylist(pairs, schema=PAIRS)


def _identifiable(made: pa.Table, part: _Slice, judged: Sequence[Judged]) -> pa.Table:
    """Those that are somebody or something of their own: of products not all are."""
    if part.entity is not Entity.PRODUCT:
        return made
    found = unnumbered.told_apart(made, judged)
    part.left_out = set(made["ref"].to_pylist()) - set(found["ref"].to_pylist())
    return found


# -- ids -----------------------------------------------------------------------------------------------------------


_CROSSWALK = ("ref", "golden_id", "entity", "seq")
_EVENTS = ("seq", "entity", "golden_id", "kind", "other_id", "at")


def _keep_ids(
    hub: Hub,
    part: _Slice,
    found: Assigned,
    before: dict[str, str],
    identified: Identified,
    judged: Sequence[Judged],
    now: str,
) -> dict[str, int]:
    """Keep who is who, how it came about, and what a person has to decide, with the watermark.

    Golden ids that lost or gained a member are marked for the merge.
    """
    moved = {ref: gid for ref, gid in found.crosswalk.items() if before.get(ref) != gid}
    lost = sorted({before[ref] for ref in moved if ref in before})
    g, x, entity = schema.goldens, schema.crosswalk, part.entity.value
    events = [("born", n.id, None) for n in found.born] + [("merged", loser, winner) for loser, winner in found.merged]
    events += [("split", old, new) for old, new in found.split] + [("revived", gid, None) for gid in found.revived]
    events += [("moved", old, new) for old, new in found.moved]
    looked_at = None if part.everything else part.active | found.crosswalk.keys()
    with hub.store.write() as c:
        first = take(c, 1 + len(events))
        left = unnumbered.leave(c, part.left_out)
        left += bulk.where_in(c, sa.select(x.c.ref, x.c.golden_id), x.c.golden_id, lost)
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
        deciding.keep_former(c, found.former)
        note_partings(c, before, moved, {loser for loser, _ in found.merged})
        bulk.append(
            c,
            schema.events,
            _EVENTS,
            [(first + 1 + n, entity, gid, kind, other, now) for n, (kind, gid, other) in enumerate(events)],
        )
        _keep_questions(c, part, identified.queued, judged, looked_at)
        deciding.settle(c, part.entity, looked_at, now)
        advance(c, "match", part.until, entity)
    return {"born": len(found.born), "merged": len(found.merged), "split": len(found.split)}


def _keep_questions(
    c: sa.Connection, part: _Slice, guarded: Sequence[Queued], judged: Sequence[Judged], looked_at: set[str] | None
) -> None:
    """What a person is asked: what guards stopped, and which product those without a number are."""
    if part.entity is Entity.PRODUCT:
        about, questions = unnumbered.asked(c, judged)
        guarded, looked_at = [*guarded, *questions], None if looked_at is None else looked_at | about
    deciding.keep_queue(c, part.entity, looked_at, guarded)


def _advance_only(hub: Hub, part: _Slice) -> dict[str, int]:
    with hub.store.write() as c:
        advance(c, "match", part.until, part.entity.value)
    return {"changed": 0, "pairs": 0, "unsure": 0, "born": 0, "merged": 0, "split": 0}

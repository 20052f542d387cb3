"""Unmerging: what a record was given by somebody who turned out to be another one is not its own, and is given back.

    two were one ─▶ a value of the one is written to the records of the other ─▶ they part
                 ─▶ the value still stands there, but its source is another customer's now ─▶ foreign
                    ─▶ merge hears the record's own last word instead; with none, compare plans to empty the field

Only golden records whose members have parted are looked at; matching notes which these are. As long as it is a
question whether the two are one, nothing is taken back: such cells wait, and merging asks again in every run.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from omnihub.flow.deciding import judged_different, living_id
from omnihub.store import bulk, schema

PARTED = "parted:"
"""With a golden id, the fact that one of its members came from another golden record, or went to one, that lives."""

WAITING = "waiting:"
"""With a golden id, the fact that it may hold what is another's, and that a person has to say whether it is."""

UNMERGED = "unmerged"
"""The rule of a difference that gives back that there was nothing."""

Cell = tuple[str, str]
"""(ref, field)"""


@dataclass(frozen=True)
class Own:
    """What a record itself said last, None for nothing, and since when, where that is known."""

    value: str | None
    time: str = ""


def note_partings(c: sa.Connection, before: Mapping[str, str], now: Mapping[str, str], gone: Collection[str]) -> None:
    """Note whose members have parted. before, now: ref → golden id. gone: the ids that were merged away, whose members
    have not parted but come together."""
    parted = {gid for ref, gid in now.items() if before.get(ref, gid) != gid and before[ref] not in gone}
    parted |= {before[ref] for ref, gid in now.items() if before.get(ref, gid) != gid and before[ref] not in gone}
    bulk.upsert(c, schema.facts, ("key", "value"), [(f"{PARTED}{gid}", "yes") for gid in sorted(parted)])


def own_words(c: sa.Connection, golden_ids: Iterable[str]) -> dict[Cell, Own]:
    """The cells of these golden records' members that are to be heard with their own word: what stands there came from
    somebody who is another one now, or is their own word that we have given back."""
    found, members = {}, _echoing(c, _noted(c, PARTED, golden_ids))
    borrowed = list(_borrowed(c, members))
    asked = _asked(c, borrowed)
    for one, field, others in borrowed:
        own = one.own.get(field)
        if (own is not None and own == one.fields[field]) or (others and not asked & _couples(one, others)):
            found[one.ref, field] = own
    return _timed(c, found, {one.golden_id for one in members} | _held_by(c, found)) if found else {}


def waiting(c: sa.Connection) -> set[str]:
    """The golden ids that `note_waiting` has noted."""
    f = schema.facts
    noted = c.execute(sa.select(f.c.key).where(f.c.key.like(f"{WAITING}%"))).scalars()
    return {key.removeprefix(WAITING) for key in noted}


def asked_about(c: sa.Connection, golden_ids: Collection[str]) -> set[str]:
    """Which of these hold what may be another's, and wait for a person to say whether it is."""
    borrowed = list(_borrowed(c, _echoing(c, _noted(c, PARTED, golden_ids))))
    asked = _asked(c, borrowed)
    return {one.golden_id for one, _, others in borrowed if asked & _couples(one, others)}


def note_waiting(c: sa.Connection, golden_ids: Collection[str], wait: Collection[str]) -> None:
    """Note that of these golden records those in `wait` do, and the others no longer."""
    f = schema.facts
    over = [f"{WAITING}{gid}" for gid in sorted(_noted(c, WAITING, golden_ids) - set(wait))]
    if over:
        c.execute(sa.delete(f).where(f.c.key.in_(over)))
    bulk.upsert(c, f, ("key", "value"), [(f"{WAITING}{gid}", "yes") for gid in sorted(wait)])


@dataclass(frozen=True)
class _Member:
    ref: str
    golden_id: str
    fields: dict[str, str]
    echoes: list[str]
    own: dict[str, str]


def _noted(c: sa.Connection, what: str, golden_ids: Iterable[str]) -> set[str]:
    f = schema.facts
    noted = c.execute(sa.select(f.c.key).where(f.c.key.like(f"{what}%"))).scalars()
    return {key.removeprefix(what) for key in noted} & set(golden_ids)


def _borrowed(c: sa.Connection, members: Sequence[_Member]) -> Iterator[tuple[_Member, str, set[str]]]:
    """Each cell we have written, with the other golden records that now hold who said it."""
    sources = _sources(c, members)
    homes = _homes(c, {ref for refs in sources.values() for ref in refs if "/" in ref})
    for one in members:
        for field in one.echoes:
            came_from = {homes.get(s) if "/" in s else living_id(c, s) for s in sources.get((one.ref, field), ())}
            yield one, field, {gid for gid in came_from if gid is not None} - {one.golden_id}


def _couples(one: _Member, others: Collection[str]) -> set[frozenset[str]]:
    return {frozenset((one.golden_id, other)) for other in others}


def _asked(c: sa.Connection, borrowed: Iterable[tuple[_Member, str, set[str]]]) -> set[frozenset[str]]:
    """The golden records, two by two, of which it is a question still whether they are one."""
    wanted = {couple for one, _, others in borrowed for couple in _couples(one, others)}
    if not wanted:
        return set()
    x, p = schema.crosswalk, schema.pairs
    query = sa.select(x.c.ref, x.c.golden_id)
    home = {r.ref: r.golden_id for r in bulk.where_in(c, query, x.c.golden_id, sorted(set().union(*wanted)))}
    unsure = bulk.where_in(c, sa.select(p.c.a, p.c.b).where(p.c.state == "unsure"), p.c.a, sorted(home))
    told, asked = judged_different(c, home), {(r.a, r.b) for r in unsure}

    def couples(pairs: Iterable[tuple[str, str]]) -> set[frozenset[str]]:
        return {frozenset((home[a], home[b])) for a, b in pairs if a in home and b in home}

    return (couples(asked) - couples(told)) & wanted


def _echoing(c: sa.Connection, golden_ids: Collection[str]) -> list[_Member]:
    """The members that hold something we have written."""
    x, t = schema.crosswalk, schema.refined
    query = sa.select(t.c.ref, x.c.golden_id, t.c.fields, t.c.echoes, t.c.own).join(t, t.c.ref == x.c.ref)
    rows = bulk.where_in(c, query.where(~t.c.deleted, t.c.echoes != "[]"), x.c.golden_id, golden_ids)
    return [_Member(r[0], r[1], *(json.loads(told) for told in r[2:])) for r in rows]


def _sources(c: sa.Connection, members: Sequence[_Member]) -> dict[Cell, set[str]]:
    """(ref, field) → the refs whose value was written there; of a pinned one, the golden id it was pinned on."""
    s, t = schema.sent, schema.changes
    refs = [one.ref for one in members]
    by = {
        (r.ref, r.field): r.plan_id for r in bulk.where_in(c, sa.select(s.c.ref, s.c.field, s.c.plan_id), s.c.ref, refs)
    }
    planned = sa.select(t.c.plan_id, t.c.ref, t.c.field, t.c.golden_id)
    of = {(r.plan_id, r.ref, r.field): r.golden_id for r in bulk.where_in(c, planned, t.c.ref, refs)}
    wrote = {cell: (plan, of[plan, *cell]) for cell, plan in by.items() if (plan, *cell) in of}
    known = _as_of(c, {plan for plan, _ in wrote.values()})
    told = _lineages(c, {gid for _, gid in wrote.values()})
    found: dict[Cell, set[str]] = {}
    for cell, (plan, gid) in wrote.items():
        at = known.get(plan, -1)
        lineage = next((lineage for seq, lineage in told.get(gid, ()) if seq <= at), {})
        if cell[1] in lineage:
            found[cell] = _spoke(lineage[cell[1]], gid)
    return found


def _spoke(story: Mapping[str, Any], golden_id: str) -> set[str]:
    joined = {loser["ref"] for loser in story["losers"] if loser["why"] == "joined"}
    return {story["ref"] or golden_id} | joined


def _as_of(c: sa.Connection, plans: Collection[str]) -> dict[str, int]:
    """Plan → up to where it knew the hub; an undo only gives back, and says nothing of where a value is from."""
    p = schema.plans
    rows = bulk.where_in(c, sa.select(p.c.id, p.c.counts), p.c.id, plans)
    return {r.id: told["as_of"] for r in rows if "as_of" in (told := json.loads(r.counts))}


def _lineages(c: sa.Connection, golden_ids: Collection[str]) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """golden id → (seq, lineage), the latest first."""
    h = schema.golden_history
    found: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for row in bulk.where_in(c, sa.select(h.c.id, h.c.seq, h.c.lineage), h.c.id, golden_ids):
        found[row.id].append((row.seq, json.loads(row.lineage)))
    return {gid: sorted(some, key=lambda one: -one[0]) for gid, some in found.items()}


def _homes(c: sa.Connection, refs: Collection[str]) -> dict[str, str]:
    x = schema.crosswalk
    return {r.ref: r.golden_id for r in bulk.where_in(c, sa.select(x.c.ref, x.c.golden_id), x.c.ref, refs)}


def _held_by(c: sa.Connection, cells: Collection[Cell]) -> set[str]:
    """The golden records these were written for: their history has what stood there before."""
    t = schema.changes
    query = sa.select(t.c.golden_id, t.c.ref)
    return {r.golden_id for r in bulk.where_in(c, query, t.c.ref, {ref for ref, _ in cells})}


def _timed(c: sa.Connection, cells: Mapping[Cell, str | None], golden_ids: Collection[str]) -> dict[Cell, Own]:
    """Since when each word of a record's own has been its own: by the latest history of a golden record that tells."""
    found: dict[Cell, Own] = {cell: Own(value) for cell, value in cells.items()}
    if not any(value is not None for value in cells.values()):
        return found
    h = schema.golden_history
    rows = bulk.where_in(c, sa.select(h.c.id, h.c.seq, h.c.fields, h.c.lineage), h.c.id, golden_ids)
    for row in sorted(rows, key=lambda r: r.seq):
        said = json.loads(row.fields)
        for field, story in json.loads(row.lineage).items():
            voices = [(story["ref"], said.get(field), story.get("time"))]
            voices += [(loser["ref"], loser["value"], loser["time"]) for loser in story["losers"]]
            for ref, value, time in voices:
                if time and value is not None and cells.get((ref, field)) == value and not found[ref, field].time:
                    found[ref, field] = replace(found[ref, field], time=time)
    return found


def with_own_words(members: pa.Table, words: Mapping[Cell, Own]) -> pa.Table:
    """The members, as merging takes them, each heard with its own word."""
    if not words:
        return members
    about = {ref for ref, _ in words}
    rows = members.to_pylist()
    for row in rows:
        if row["ref"] in about:
            _rehear(row, {field: own for (ref, field), own in words.items() if ref == row["ref"]})
    return pa.Table.from_pylist(rows, members.schema)


def _rehear(row: dict[str, Any], words: Mapping[str, Own]) -> None:
    fields, times, echoes = (json.loads(row[name]) for name in ("fields", "times", "echoes"))
    for field, own in words.items():
        fields.pop(field, None)
        times.pop(field, None)
        if own.value is not None:
            fields[field], times[field] = own.value, own.time
    told = {"fields": fields, "times": times, "echoes": [field for field in echoes if field not in words]}
    row |= {name: json.dumps(value, ensure_ascii=False) for name, value in told.items()}

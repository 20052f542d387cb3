"""Decide: what people said about who is who and what is true, kept for life; and what waits for their word.

    a person ─▶ judgement (two records: same, different, unsure) ─▶ matching obeys it, whatever the weights say
             ─▶ pin (a golden record, a field, a value)          ─▶ merging obeys it, whoever else says what

Both are filed under refs and ids, so rebuilds and other models change nothing about them. Each making, changing,
undoing, ending and reopening is a row of `decisions`, which is only ever added to (and a row of the audit, which shows
that it was); what is undone leaves nothing else.

`different` holds until a person takes it back. Once what was known of the two when it was judged is no longer what is
known, it still holds, but is shown again with a note of what changed. What has an end ends by itself.
"""

from __future__ import annotations

import difflib
import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
import xxhash

from omnihub import fields
from omnihub.errors import OmniHubError
from omnihub.flow.auditing import audited, fingerprints
from omnihub.match import Golden, Judged
from omnihub.match.clusters import Queued
from omnihub.merge import PINS
from omnihub.model import GOLDEN, Entity, Kind, fields_of
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso, take

VERDICTS = ("same", "different", "unsure")
WHOLE = 400  # pairs one judgement on two golden records may stand for; more of them is a mistake
NEAR = 2_000  # refs looked through for the one that was meant

NO_EVIDENCE = frozenset(
    {"job_title", "industry", "status", "customer_group", "description", "unit", "category", "consent_at"}
)
"""Fields that change without anybody becoming somebody else; so do all figures, consents and languages."""

_NO_EVIDENCE_KINDS = frozenset(
    {Kind.MONEY, Kind.QUANTITY, Kind.PERCENT, Kind.CURRENCY, Kind.LANGUAGE, Kind.TIME, Kind.BOOLEAN, Kind.CONSENT}
    | {Kind.WEIGHT, Kind.FILE, Kind.SEVERAL}
)

_J, _P, _D, _T = schema.judgements, schema.pins, schema.decisions, schema.refined
_X, _G = schema.crosswalk, schema.goldens

_JUDGED, _UNJUDGED, _EXPIRED, _REOPENED, _SETTLED = "judged", "unjudged", "expired", "reopened", "settled"
_PINNED, _UNPINNED, _OUTLIVED = "pinned", "unpinned", "outlived"

Row = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What a person says of two records. a, b: refs, or golden ids where all their records are meant. until: UTC."""

    a: str
    b: str
    verdict: str
    reason: str
    author: str
    until: str | None = None


@dataclass(frozen=True)
class Pinned:
    """What a person says a field of a golden record is. golden: its id or a ref of it. value: as typed; "" for none."""

    golden: str
    field: str
    value: str
    reason: str
    author: str
    until: str | None = None


@dataclass(frozen=True)
class Waiting:
    """Something only a person can settle. kind: unsure, guard, contradiction, reopened. settle: commands that do."""

    kind: str
    entity: str
    members: tuple[str, ...]
    reason: str
    settle: tuple[str, ...]
    weight: float | None = None
    since: str | None = None


# -- for matching ----------------------------------------------------------------------------------------------------


def judged(c: sa.Connection, entity: Entity, now: str) -> list[Judged]:
    """The judgements on records of this entity that hold at `now`."""
    query = sa.select(_J.c.a, _J.c.b, _J.c.verdict).where(_holds(_J, now)).order_by(_J.c.a, _J.c.b)
    return [Judged(*row) for row in _of_entity(c, entity, c.execute(query))]  # a join goes through the whole entity


def judged_different(c: sa.Connection, refs: Iterable[str]) -> set[tuple[str, str]]:
    """The pairs a person has said are two, of which the first is among these."""
    query = sa.select(_J.c.a, _J.c.b).where(_J.c.verdict == "different", _holds(_J, now_iso()))
    return {(row.a, row.b) for row in bulk.where_in(c, query, _J.c.a, sorted(refs))}


def awakened(c: sa.Connection, entity: Entity, mark: int, now: str) -> set[str]:
    """The records about which something was said, or taken back, since `mark`, or whose judgement has just ended, and
    all that are tied to them by judgements: who contradicts whom may have changed for each of these."""
    pairs = {(row.a, row.b) for row in c.execute(sa.select(_J.c.a, _J.c.b).where(_J.c.seq > mark))}
    pairs |= {(row.a, row.b) for row in c.execute(sa.select(_J.c.a, _J.c.b).where(~_holds(_J, now)))}
    for row in c.execute(sa.select(_D).where(_D.c.seq > mark, _D.c.what.in_((_JUDGED, _UNJUDGED)))):
        told = json.loads(row.after or row.before)
        pairs.add((told["a"], told["b"]))
    if not pairs:
        return set()
    tied = _ties((row.a, row.b) for row in c.execute(sa.select(_J.c.a, _J.c.b).where(_J.c.verdict == "same")))
    refs = {ref for pair in pairs for ref in pair}
    refs |= {other for ref in refs for other in _reach(tied, ref)}
    query = sa.select(_T.c.ref).where(_T.c.entity == entity.value)
    return {row[0] for row in bulk.where_in(c, query, _T.c.ref, sorted(refs))}


def settle(c: sa.Connection, entity: Entity, refs: Iterable[str] | None, now: str) -> int:
    """End the judgements whose time is over, and reopen those of these records (None: all) whose evidence changed.

    For the transaction in which matching keeps its outcome; `now` as given to `judged`. Returns how many were touched.
    """
    over = _of_entity(c, entity, c.execute(sa.select(_J).where(~_holds(_J, now))))
    for row in over:
        _note(c, _EXPIRED, "", _story(row), None, now)
        c.execute(sa.delete(_J).where(_J.c.a == row.a, _J.c.b == row.b))
    query = sa.select(_J).where(_J.c.verdict == "different", _holds(_J, now))
    if refs is None:
        rows = _of_entity(c, entity, c.execute(query))
    else:
        wanted = sorted(refs)
        found = [*bulk.where_in(c, query, _J.c.a, wanted), *bulk.where_in(c, query, _J.c.b, wanted)]
        rows = _of_entity(c, entity, {(row.a, row.b): row for row in found}.values())
    return len(over) + _review(c, entity, rows, now)


def _of_entity(c: sa.Connection, entity: Entity, rows: Iterable[Any]) -> list[Any]:
    """Those of the judgements that are about records of this entity."""
    these = list(rows)
    query = sa.select(_T.c.ref).where(_T.c.entity == entity.value)
    known = {row.ref for row in bulk.where_in(c, query, _T.c.ref, sorted({row.a for row in these}))}
    return [row for row in these if row.a in known]


def _review(c: sa.Connection, entity: Entity, rows: Sequence[Any], now: str) -> int:
    """Whether these judgements still rest on what they were made on."""
    known = evidence(c, {ref for row in rows for ref in (row.a, row.b)})
    touched = 0
    for row in rows:
        if row.a not in known or row.b not in known:  # one of them is gone: nothing new is known of it
            continue
        if row.evidence is None:  # from before evidence was kept
            now_known = _packed({ref: known[ref] for ref in (row.a, row.b)})
            c.execute(sa.update(_J).where(_J.c.a == row.a, _J.c.b == row.b).values(evidence=now_known))
            continue
        note = _what_changed(entity, json.loads(row.evidence), known)
        if note == row.note:
            continue
        values = {"note": note, "reopened_at": (row.reopened_at or now) if note else None}
        c.execute(sa.update(_J).where(_J.c.a == row.a, _J.c.b == row.b).values(**values))
        _note(c, _REOPENED if note else _SETTLED, "", _story(row), _story(row) | values, now)
        touched += 1
    return touched


def evidence(c: sa.Connection, refs: Iterable[str]) -> dict[str, dict[str, str]]:
    """What is known of each living record that tells who it is. What we wrote there ourselves is no evidence."""
    query = sa.select(_T.c.ref, _T.c.entity, _T.c.fields, _T.c.own).where(~_T.c.deleted)
    found = {}
    for row in bulk.where_in(c, query, _T.c.ref, sorted(refs)):
        told = json.loads(row.fields) | json.loads(row.own or "{}")
        kinds = {name: field.kind for name, field in fields_of(Entity(row.entity)).items()}
        found[row.ref] = {
            name: value
            for name, value in sorted(told.items())
            if value and name in kinds and name not in NO_EVIDENCE and kinds[name] not in _NO_EVIDENCE_KINDS
        }
    return found


def _what_changed(
    entity: Entity, before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> str | None:
    """In words and without values; None where each still says the same, in whatever spelling."""
    kinds = {name: field.kind for name, field in fields_of(entity).items()}

    def told(name: str, value: str | None) -> str | None:
        return value and (fields.key(kinds[name], value) or value)

    changes = []
    for ref in sorted(before):
        was, is_ = before[ref], now[ref]
        for name in sorted((was.keys() | is_.keys()) & kinds.keys()):
            if told(name, was.get(name)) != told(name, is_.get(name)):
                how = "came" if name not in was else "went" if name not in is_ else "changed"
                changes.append(f"{name} of {ref} {how}")
    return f"since it was judged, {', '.join(changes)}" if changes else None


def keep_queue(c: sa.Connection, entity: Entity, refs: Iterable[str] | None, rows: Iterable[Queued]) -> int:
    """Keep what guards stopped: `rows` take the place of all earlier ones about any of `refs` (None: of the entity).

    What was stopped before, and still is, keeps the time since when it waits. Returns how many came or went.
    """
    q = schema.queue
    touched = None if refs is None else set(refs)
    there = {
        row.id: row
        for row in c.execute(sa.select(q).where(q.c.entity == entity.value))
        if touched is None or touched & set(json.loads(row.members))
    }
    wanted = {_queue_id(entity, one): one for one in rows}
    same = {i for i, one in wanted.items() if i in there and _told(one) == (there[i].reason, there[i].weight)}
    bulk.delete(c, q.c.id, [i for i in there if i not in same])
    fresh = [(i, one) for i, one in wanted.items() if i not in same]
    if fresh:
        first, at = take(c, len(fresh)), now_iso()
        bulk.upsert(
            c,
            q,
            ("id", "entity", "members", "reason", "weight", "why", "since", "seq"),
            [
                (
                    i, entity.value, json.dumps(sorted(one.members)), one.reason, one.weight,
                    json.dumps({"link": one.link}), there[i].since if i in there else at, first + n,
                )
                for n, (i, one) in enumerate(fresh)
            ],
        )  # fmt: skip
    return len(fresh) + len(there.keys() - wanted.keys())


def _queue_id(entity: Entity, one: Queued) -> str:
    return xxhash.xxh3_64_hexdigest("\n".join([entity.value, *sorted(one.members), *(one.link or ())]).encode())


def _told(one: Queued) -> tuple[str, float | None]:
    return one.reason, one.weight


def present(
    c: sa.Connection, refs: Iterable[str]
) -> tuple[dict[str, str], dict[str, Golden], dict[str, tuple[str, ...]]]:
    """(crosswalk, goldens, former) of these records, as `omnihub.match.assign` wants them."""
    with bulk.undisturbed:  # a rebuild asks for a million
        return _present(c, sorted(refs))


def _present(
    c: sa.Connection, wanted: Sequence[str]
) -> tuple[dict[str, str], dict[str, Golden], dict[str, tuple[str, ...]]]:
    rows = bulk.where_in(c, sa.select(_X.c.ref, _X.c.golden_id, _X.c.former), _X.c.ref, wanted)
    crosswalk = {row.ref: row.golden_id for row in rows}
    former = {row.ref: tuple(json.loads(row.former)) for row in rows if row.former}
    query = sa.select(_G.c.id, _G.c.born, _G.c.founder, _G.c.merged_into)
    goldens = {row[0]: Golden(*row) for row in bulk.where_in(c, query, _G.c.founder, wanted)}
    ids = {*crosswalk.values(), *(gid for had in former.values() for gid in had if gid)}
    ids |= {g.merged_into for g in goldens.values() if g.merged_into}
    sought: set[str] = set()
    while ids := ids - goldens.keys() - sought:
        sought |= ids
        goldens |= {row[0]: Golden(*row) for row in bulk.where_in(c, query, _G.c.id, sorted(ids))}
        ids = {g.merged_into for g in goldens.values() if g.merged_into}
    return crosswalk, goldens, former


def keep_former(c: sa.Connection, former: Mapping[str, Sequence[str]]) -> None:
    """Remember which ids these records had that were merged away. After the crosswalk of the same outcome is kept."""
    if former:
        statement = sa.update(_X).where(_X.c.ref == sa.bindparam("this")).values(former=sa.bindparam("had"))
        told = {ref: json.dumps(list(had)) if had else None for ref, had in sorted(former.items())}
        c.execute(statement, [{"this": ref, "had": had} for ref, had in told.items()])


# -- for merging -----------------------------------------------------------------------------------------------------


def pins_on(c: sa.Connection, golden_ids: Iterable[str], now: str) -> pa.Table:
    """PINS that hold at `now` on these living golden records, those on ids that were merged into them included. Where
    two speak of one field, that on the living id counts, then the latest."""
    wanted = sorted(golden_ids)
    stands_for = {gid: gid for gid in wanted}
    frontier = wanted
    while frontier:
        query = sa.select(_G.c.id, _G.c.merged_into)
        found = {row.id: stands_for[row.merged_into] for row in bulk.where_in(c, query, _G.c.merged_into, frontier)}
        frontier = sorted(found.keys() - stands_for.keys())
        stands_for = found | stands_for
    rows = bulk.where_in(c, sa.select(_P).where(_holds(_P, now)), _P.c.golden_id, sorted(stands_for))
    entities = dict(_all_of(c, sa.select(_G.c.id, _G.c.entity), _G.c.id, wanted)) if rows else {}
    best: dict[tuple[str, str], Any] = {}
    for row in sorted(rows, key=lambda r: (stands_for[r.golden_id] == r.golden_id, r.seq)):
        best[stands_for[row.golden_id], row.field] = row
    values = [(gid, name, _pin_now(c, entities[gid], row)) for (gid, name), row in sorted(best.items())]
    return pa.Table.from_pylist([dict(zip(PINS.names, v, strict=True)) for v in values], schema=PINS)


def pins_awakened(c: sa.Connection, entity: Entity, mark: int, now: str) -> set[str]:
    """The golden records on which a pin was set or taken away since `mark`, or has just ended."""
    ids = {row.golden_id for row in c.execute(sa.select(_P.c.golden_id).where(_P.c.seq > mark))}
    ids |= {row.golden_id for row in c.execute(sa.select(_P.c.golden_id).where(~_holds(_P, now)))}
    for row in c.execute(sa.select(_D).where(_D.c.seq > mark, _D.c.what.in_((_PINNED, _UNPINNED)))):
        ids.add(json.loads(row.after or row.before)["golden_id"])
    living = {living_id(c, gid) for gid in ids}
    query = sa.select(_G.c.id).where(_G.c.entity == entity.value)
    return {row.id for row in bulk.where_in(c, query, _G.c.id, sorted(gid for gid in living if gid))}


def end_pins(c: sa.Connection, entity: Entity, now: str) -> int:
    """End the pins whose time is over. For the transaction in which merging keeps its outcome. Returns how many."""
    query = sa.select(_P).join(_G, _G.c.id == _P.c.golden_id).where(_G.c.entity == entity.value, ~_holds(_P, now))
    rows = list(c.execute(query))
    for row in rows:
        _note(c, _OUTLIVED, "", dict(row._mapping), None, now)
        c.execute(sa.delete(_P).where(_P.c.golden_id == row.golden_id, _P.c.field == row.field))
    return len(rows)


def _pin_now(c: sa.Connection, entity: str, row: Any) -> str | None:
    """The value; of a link the golden record that is meant today."""
    if row.value is None or fields_of(Entity(entity))[row.field].kind is not Kind.LINK:
        return row.value  # type: ignore[no-any-return]
    return living_id(c, row.value) or str(row.value)


# -- what a person says of two records -------------------------------------------------------------------------------


def judge(store: Store, said: Sequence[Said]) -> list[Row]:
    """Keep these judgements, all or none. Returns those that are new or say something new, one per pair of records.

    OmniHubError names what is not known, or cannot be meant; of several the row, counted from 1.
    """
    kept: list[Row] = []
    with store.write() as c:
        at = now_iso()
        for n, one in enumerate(said, 1):
            try:
                kept += _judge(c, one, at)
            except OmniHubError as error:
                raise OmniHubError(f"row {n}: {error}" if len(said) > 1 else str(error)) from None
    return kept


def _judge(c: sa.Connection, said: Said, at: str) -> list[Row]:
    if said.verdict not in VERDICTS:
        raise OmniHubError(f"{said.verdict!r} is no verdict; {_nearest(said.verdict, VERDICTS)}")
    _because(said.reason)
    if said.until and said.until <= at:
        raise OmniHubError(f"until {said.until} is over already; say a later day")
    pairs = _meant(c, said)
    entities = {row.entity for row in bulk.where_in(c, sa.select(_T.c.entity), _T.c.ref, {r for p in pairs for r in p})}
    if strange := entities - {entity.value for entity in GOLDEN}:
        raise OmniHubError(f"{said.a} is about an {strange.pop()}; judged are only {', '.join(GOLDEN)}")
    if len(entities) > 1:
        raise OmniHubError(f"{said.a} and {said.b} are not about the same thing: {' and '.join(sorted(entities))}")
    known, kept, number = evidence(c, {ref for pair in pairs for ref in pair}), [], None
    for a, b in pairs:
        before = c.execute(sa.select(_J).where(_J.c.a == a, _J.c.b == b)).one_or_none()
        values = {"verdict": said.verdict, "author": said.author, "reason": said.reason, "expires_at": said.until}
        if before is not None and not before.note and all(before._mapping[n] == v for n, v in values.items()):
            continue  # said before, word for word
        packed = _packed({ref: known[ref] for ref in (a, b) if ref in known}) if {a, b} <= known.keys() else None
        after: Row = {"a": a, "b": b, **values, "at": at, "asked": [said.a, said.b]}
        seq = _note(c, _JUDGED, said.author, _story(before) if before else None, after, at)
        number = number or seq
        row = {"a": a, "b": b, **values, "at": at, "seq": seq, "id": number, "evidence": packed}
        row |= {"note": None, "reopened_at": None}
        bulk.upsert(c, _J, tuple(row), [tuple(row.values())])
        kept.append(after)
    return kept


def _meant(c: sa.Connection, said: Said) -> list[tuple[str, str]]:
    """The pairs of records a judgement is about. Of golden records all of them: should one record be deleted, the word
    still holds for the others."""
    left, right = _sides(c, said.a, said.b)
    if len(left) * len(right) > WHOLE:
        raise OmniHubError(
            f"{said.a} and {said.b} have {len(left)} and {len(right)} records: judge records, by their refs"
        )
    return sorted({(min(a, b), max(a, b)) for a, b in product(left, right)})


def _sides(c: sa.Connection, a: str, b: str) -> tuple[list[str], list[str]]:
    """The records behind two names, the founder's first. Of an id and one that was merged into it: those it had then,
    and the others."""
    left, right = _records(c, a), _records(c, b)
    both = set(left) & set(right)
    if both and len(left) != len(right):
        small, large = (left, right) if len(left) < len(right) else (right, left)
        rest = [ref for ref in large if ref not in both]
        left, right = (small, rest) if small is left else (rest, small)
    if a == b or not left or not right or set(left) & set(right):
        raise OmniHubError(
            f"{a} and {b} are one golden record, so it is not clear which records are meant: name two of its records"
        )
    return left, right


def _records(c: sa.Connection, what: str) -> list[str]:
    """The refs behind a ref or a golden id; of one that was merged away, those it had."""
    if c.execute(sa.select(_T.c.ref).where(_T.c.ref == what)).first():
        return [what]
    golden = c.execute(sa.select(_G).where(_G.c.id == what)).one_or_none()
    if golden is None:
        raise OmniHubError(_unknown(c, what))
    if golden.merged_into:
        refs = _once_of(c, golden)
    else:
        refs = list(c.execute(sa.select(_X.c.ref).where(_X.c.golden_id == what)).scalars())
    alive = {row.ref for row in bulk.where_in(c, sa.select(_T.c.ref).where(~_T.c.deleted), _T.c.ref, refs)}
    if not alive:
        raise OmniHubError(f"{what} has no records any more")
    return sorted(alive, key=lambda ref: (ref != golden.founder, ref))


def _once_of(c: sa.Connection, golden: Any) -> list[str]:
    """The records an id had when it was merged away, as they themselves remember; else its founder."""
    into = living_id(c, golden.id)
    rows = c.execute(sa.select(_X.c.ref, _X.c.former).where(_X.c.golden_id == into))
    refs = [row.ref for row in rows if row.former and golden.id in json.loads(row.former)]
    return refs or [golden.founder]


def unjudge(store: Store, a: str, b: str, author: str) -> list[Row]:
    """Take back what was said of these two: as if it had never been said. Returns what was taken back.

    OmniHubError where nothing was.
    """
    with store.write() as c:
        rows = _about(c, a, b)
        if not rows:
            raise OmniHubError(f"nobody judged {a} and {b}; `omnihub judgements list` shows what was said")
        at = now_iso()
        for row in rows:
            _note(c, _UNJUDGED, author, _story(row), None, at)
            c.execute(sa.delete(_J).where(_J.c.a == row.a, _J.c.b == row.b))
        return [_story(row) for row in rows]


def _about(c: sa.Connection, a: str, b: str) -> list[Any]:
    """The judgements on these two: said of exactly these names, or of records behind them."""
    pair = (min(a, b), max(a, b))
    found = list(c.execute(sa.select(_J).where(_J.c.a == pair[0], _J.c.b == pair[1])))
    if found:
        return found
    asked = sa.select(_J, _D.c.after).join(_D, _D.c.seq == _J.c.id)
    found = [row for row in c.execute(asked) if {*json.loads(row.after).get("asked", ())} == {a, b}]
    if found:
        return found
    left, right = _sides(c, a, b)
    rows = bulk.where_in(c, sa.select(_J), _J.c.a, left + right)
    return [row for row in rows if {row.a, row.b} & set(left) and {row.a, row.b} & set(right)]


def judgements(c: sa.Connection, now: str) -> list[Row]:
    """All that hold at `now`, the latest first."""
    query = sa.select(_J).where(_holds(_J, now)).order_by(_J.c.seq.desc())
    return [_story(row) | {"at": row.at, "note": row.note, "reopened_at": row.reopened_at} for row in c.execute(query)]


# -- what a person says is true --------------------------------------------------------------------------------------


def pin(store: Store, said: Sequence[Pinned], country: str | None) -> list[Row]:
    """Keep these pins, all or none. country: where local numbers are at home, if the golden record doesn't say.

    Returns those that are new or say something new. OmniHubError as with `judge`; a value's says why it is no value.
    """
    kept: list[Row] = []
    with store.write() as c:
        at = now_iso()
        for n, one in enumerate(said, 1):
            try:
                kept += _pin(c, one, country, at)
            except OmniHubError as error:
                raise OmniHubError(f"row {n}: {error}" if len(said) > 1 else str(error)) from None
    return kept


def _pin(c: sa.Connection, said: Pinned, country: str | None, at: str) -> list[Row]:
    _because(said.reason)
    if said.until and said.until <= at:
        raise OmniHubError(f"until {said.until} is over already; say a later day")
    golden = _golden(c, said.golden)
    value = _clean(c, golden, said, country)
    values = {"value": value, "author": said.author, "reason": said.reason, "expires_at": said.until}
    where = (_P.c.golden_id == golden.id, _P.c.field == said.field)
    before = c.execute(sa.select(_P).where(*where)).one_or_none()
    if before is not None and all(before._mapping[n] == v for n, v in values.items()):
        return []
    after = {"golden_id": golden.id, "field": said.field, **values, "at": at}
    seq = _note(c, _PINNED, said.author, dict(before._mapping) if before else None, after, at)
    bulk.upsert(c, _P, (*after, "seq"), [(*after.values(), seq)])
    return [after]


def _clean(c: sa.Connection, golden: Any, said: Pinned, country: str | None) -> str | None:
    """The canonical value; None for an empty one."""
    known = fields_of(Entity(golden.entity))
    if said.field not in known:
        raise OmniHubError(f"{golden.entity} has no field {said.field}; {_nearest(said.field, known)}")
    if not said.value:
        return None
    kind = known[said.field].kind
    if kind is Kind.LINK:
        return _linked(c, said)
    home = json.loads(golden.fields).get("country") or country
    try:
        value = fields.clean(kind, said.value, country=home)
    except fields.Unclean as why:
        raise OmniHubError(f"{said.field} of {golden.id} can't be that: {why}") from None
    if value is None:
        raise OmniHubError(
            f'{said.field} of {golden.id}: this says that there is no value; write "" to pin it as empty'
        )
    return value


_LINKED = {"account": Entity.ACCOUNT, "parent": Entity.ACCOUNT, "contact": Entity.CONTACT}


def _linked(c: sa.Connection, said: Pinned) -> str:
    other = _golden(c, said.value)
    wanted = _LINKED.get(said.field)
    if wanted and other.entity != wanted.value:
        raise OmniHubError(f"{said.field} leads to an {wanted.value}, and {said.value} is a {other.entity}")
    return str(other.id)


def unpin(store: Store, golden: str, field: str, author: str) -> Row:
    """Take a pin away: as if it had never been set. OmniHubError where there is none."""
    with store.write() as c:
        ids = _chain(c, golden)
        rows = list(c.execute(sa.select(_P).where(_P.c.golden_id.in_(ids), _P.c.field == field)))
        rows += _inherited(c, ids[-1], field) if not rows else []
        if not rows:
            pinned = c.execute(sa.select(_P.c.field).where(_P.c.golden_id.in_(ids))).scalars().all()
            there = f"; pinned are {', '.join(sorted(pinned))}" if pinned else ""
            raise OmniHubError(f"nobody pinned {field} of {golden}{there}; `omnihub pins list` shows all pins")
        row = rows[0]
        _note(c, _UNPINNED, author, dict(row._mapping), None, now_iso())
        c.execute(sa.delete(_P).where(_P.c.golden_id == row.golden_id, _P.c.field == row.field))
        return dict(row._mapping)


def _inherited(c: sa.Connection, living: str, field: str) -> list[Any]:
    """Pins on ids that were merged into this one, the latest first."""
    rows = c.execute(sa.select(_P).where(_P.c.field == field).order_by(_P.c.seq.desc()))
    return [row for row in rows if living_id(c, row.golden_id) == living]


def pins(c: sa.Connection, now: str) -> list[Row]:
    """All that hold at `now`, the latest first. `on`: the golden record it speaks of today."""
    query = sa.select(_P).where(_holds(_P, now)).order_by(_P.c.seq.desc())
    return [dict(row._mapping) | {"on": living_id(c, row.golden_id)} for row in c.execute(query)]


# -- what waits for a person -----------------------------------------------------------------------------------------


def waiting(c: sa.Connection, entity: Entity | None, now: str) -> list[Waiting]:
    """Everything only a person can settle: contradictions first, then what was reopened, what a guard stopped, and the
    pairs between the thresholds, the likeliest first."""
    torn = _contradictions(c, now)
    listed = {frozenset(one.members) for one in torn}
    guarded = [one for one in _guarded(c) if frozenset(one.members) not in listed]
    found = [*torn, *_reopened(c, now), *guarded, *_unsure(c, now)]
    return [one for one in found if entity is None or one.entity == entity.value]


def contradicted(c: sa.Connection, refs: Iterable[str], now: str) -> list[Waiting]:
    """The contradictions any of these records is part of."""
    wanted = set(refs)
    return [one for one in _contradictions(c, now) if wanted & set(one.members)]


def _contradictions(c: sa.Connection, now: str) -> list[Waiting]:
    """a is b, b is c, and yet a is not c."""
    rows = list(c.execute(sa.select(_J).where(_holds(_J, now)).order_by(_J.c.a, _J.c.b)))
    if not rows:
        return []
    tied = _ties((row.a, row.b) for row in rows if row.verdict == "same")
    said = {(row.a, row.b): row for row in rows}
    entities = dict(_all_of(c, sa.select(_T.c.ref, _T.c.entity), _T.c.ref, {row.a for row in rows}))
    found = []
    for row in rows:
        path = _path(tied, row.a, row.b) if row.verdict == "different" else []
        if not path:
            continue
        steps = [said[min(x, y), max(x, y)] for x, y in pairwise(path)]
        sames = " and ".join(f"{s.a} = {s.b} ({s.author}: {s.reason})" for s in steps)
        reason = (
            f"{row.a} and {row.b} are judged different ({row.author}: {row.reason}), and yet the same by way of "
            f"{sames}. What is said apart stays apart until one of these is taken back."
        )
        undo = tuple(f"omnihub judge --undo {_shell(s.a)} {_shell(s.b)}" for s in (row, *steps))
        members = tuple(sorted(_reach(tied, row.a)))
        found.append(
            Waiting("contradiction", entities[row.a], members, reason, undo, None, max(s.at for s in (row, *steps)))
        )
    return found


def _reopened(c: sa.Connection, now: str) -> list[Waiting]:
    query = sa.select(_J, _T.c.entity).join(_T, _T.c.ref == _J.c.a).where(_J.c.note.is_not(None), _holds(_J, now))
    return [
        Waiting(
            "reopened",
            row.entity,
            (row.a, row.b),
            f"judged {row.verdict} by {row.author} ({row.reason}) and kept so; {row.note}.",
            _ask(row.a, row.b),
            None,
            row.reopened_at,
        )
        for row in c.execute(query.order_by(_J.c.reopened_at, _J.c.a, _J.c.b))
    ]


def _guarded(c: sa.Connection) -> list[Waiting]:
    """What a guard stopped, and nobody has settled since."""
    q = schema.queue
    found = []
    for row in c.execute(sa.select(q).order_by(q.c.weight.desc().nulls_last(), q.c.id)):
        members, link = tuple(json.loads(row.members)), json.loads(row.why).get("link")
        pair = link or (members[:2] if len(members) == 2 else None)
        settle_by = _ask(*pair) if pair else ("omnihub judge A B same|different --because …",)
        found.append(Waiting("guard", row.entity, members, row.reason, settle_by, row.weight, row.since))
    answered = _answered(c)
    return [one for one in found if len(one.members) != 2 or frozenset(one.members) not in answered]


def _answered(c: sa.Connection) -> set[frozenset[str]]:
    return {frozenset((r.a, r.b)) for r in c.execute(sa.select(_J.c.a, _J.c.b).where(_J.c.verdict != "unsure"))}


def _unsure(c: sa.Connection, now: str) -> list[Waiting]:
    """Pairs between the thresholds: both alive, not one already by other evidence, and nobody decided them."""
    p, x, y = schema.pairs, _X.alias(), _X.alias()
    t, u, j = _T.alias(), _T.alias(), _J.alias()
    said = sa.and_(j.c.a == p.c.a, j.c.b == p.c.b, _holds(j, now))
    query = (
        sa.select(p, j.c.author, j.c.reason)
        .join(x, x.c.ref == p.c.a)
        .join(y, y.c.ref == p.c.b)
        .join(t, t.c.ref == p.c.a)
        .join(u, u.c.ref == p.c.b)
        .outerjoin(j, said)
        .where(p.c.state == "unsure", x.c.golden_id != y.c.golden_id, ~t.c.deleted, ~u.c.deleted)
        .where(sa.or_(j.c.verdict.is_(None), j.c.verdict == "unsure"))
        .order_by(p.c.weight.desc(), p.c.a, p.c.b)
    )
    return [
        Waiting("unsure", row.entity, (row.a, row.b), _doubt(row), _ask(row.a, row.b), round(row.weight, 2))
        for row in c.execute(query)
    ]


def _doubt(row: Any) -> str:
    """Why a pair is neither surely one nor surely two."""
    bits = sorted(json.loads(row.why).items(), key=lambda item: -abs(item[1] or 0))
    speaks = {word: [f"{name} ({weight:+.1f})" for name, weight in bits if sign * (weight or 0) >= 1][:4]
              for word, sign in (("for it", 1), ("against it", -1))}  # fmt: skip
    told = "; ".join(f"{word}: {', '.join(names)}" for word, names in speaks.items() if names)
    doubt = (
        f"perhaps the same, not sure enough to say so by itself ({row.weight:.1f} bits{'; ' + told if told else ''})"
    )
    return f"{doubt}; {row.author} was unsure: {row.reason}" if row.author else doubt


def _ask(a: str, b: str) -> tuple[str, ...]:
    return (f"omnihub judge {_shell(a)} {_shell(b)} same|different --because …",)


def _shell(ref: str) -> str:
    return ref if all(ch.isalnum() or ch in "/_-.:@" for ch in ref) else "'" + ref.replace("'", "'\\''") + "'"


# -- what downstream must follow -------------------------------------------------------------------------------------


def events(c: sa.Connection, since: int, entity: Entity | None = None, limit: int | None = None) -> list[Row]:
    """What happened to golden ids after `since`, in order: born; merged (into other_id); split (other_id is the new
    one); moved (members went on to other_id); revived (a merge into other_id was undone)."""
    e = schema.events
    query = sa.select(e).where(e.c.seq > since).order_by(e.c.seq)
    rows = c.execute((query.where(e.c.entity == entity.value) if entity else query).limit(limit))
    found = [dict(row._mapping) for row in rows]
    revived = {row["golden_id"] for row in found if row["kind"] == "revived"}
    into: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in bulk.where_in(c, sa.select(e).where(e.c.kind == "merged"), e.c.golden_id, sorted(revived)):
        into[row.golden_id].append((row.seq, row.other_id))
    for one in found:
        if one["kind"] == "revived" and not one["other_id"]:
            earlier = [other for seq, other in sorted(into[one["golden_id"]]) if seq < one["seq"]]
            one["other_id"] = earlier[-1] if earlier else None
    return found


# -- finding what is meant -------------------------------------------------------------------------------------------


def living_id(c: sa.Connection, golden_id: str) -> str | None:
    """The id that lives on for this one; None where nobody knows it."""
    chain = _walk(c, golden_id)
    return chain[-1] if chain else None


def _walk(c: sa.Connection, golden_id: str) -> list[str]:
    chain: list[str] = []
    at: str | None = golden_id
    while at and at not in chain:
        row = c.execute(sa.select(_G.c.merged_into).where(_G.c.id == at)).one_or_none()
        if row is None:
            break
        chain.append(at)
        at = row.merged_into
    return chain


def _chain(c: sa.Connection, what: str) -> list[str]:
    """A golden id, or that of a ref, and what it was merged into, the living one last."""
    chain = _walk(c, c.execute(sa.select(_X.c.golden_id).where(_X.c.ref == what)).scalar() or what)
    if not chain:
        raise OmniHubError(_unknown(c, what))
    return chain


def _golden(c: sa.Connection, what: str) -> Any:
    """The living golden record behind an id or a ref."""
    return c.execute(sa.select(_G).where(_G.c.id == _chain(c, what)[-1])).one()


def _unknown(c: sa.Connection, what: str) -> str:
    system, _, rest = what.partition("/")
    stream, _, key = rest.partition("/")
    if not key:
        ids = c.execute(sa.select(_G.c.id).where(_G.c.id.startswith(what[:-4] or what, autoescape=True)).limit(NEAR))
        return f"nobody knows {what}; {_nearest(what, ids.scalars().all(), 'write system/stream/id, or a golden id')}"
    streams = [f"{row[0]}/{row[1]}" for row in c.execute(sa.select(schema.streams.c.system, schema.streams.c.stream))]
    if streams and f"{system}/{stream}" not in streams:
        return f"nobody knows {what}: there is no {system}/{stream}; {_nearest(f'{system}/{stream}', streams)}"
    query = sa.select(_T.c.ref).order_by(_T.c.ref).limit(NEAR)
    for beginning in (f"{system}/{stream}/{key[: max(1, len(key) - 2)]}", f"{system}/{stream}/"):
        refs = c.execute(query.where(_T.c.ref.startswith(beginning, autoescape=True))).scalars().all()
        if refs:
            return f"nobody knows {what}; {_nearest(what, refs, 'is the record read already?')}"
    return f"nobody knows {what}; is it read already? `omnihub sync {system}` reads what is new"


def _nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return otherwise or f"there are: {', '.join(names[:30]) or 'none'}"


def _because(reason: str) -> None:
    if not reason.strip():
        raise OmniHubError("say why, so that whoever reads it in a year knows: --because …")


# -- small print -----------------------------------------------------------------------------------------------------


def _holds(table: sa.FromClause, now: str) -> sa.ColumnElement[bool]:
    return sa.or_(table.c.expires_at.is_(None), table.c.expires_at > now)


def _note(c: sa.Connection, what: str, author: str, before: Row | None, after: Row | None, at: str) -> int:
    """Write a decision down for good; returns its number. An ending nobody decided has no author."""
    seq = take(c, 1)
    told = {
        name: json.dumps(value, sort_keys=True) if value else None
        for name, value in (("before", before), ("after", after))
    }
    c.execute(sa.insert(_D).values(seq=seq, at=at, author=author, what=what, **told))
    about = {name: value for name, value in (after or before or {}).items() if name in _AUDITED}
    [prints] = fingerprints(c, [told])  # of what was said, and why: that stands in `decisions` alone
    audited(c, author, what, about | {"decision": seq, "fingerprint": prints}, at)
    return seq


_AUDITED = ("a", "b", "verdict", "golden_id", "field", "expires_at")


def _story(row: Any) -> Row:
    return {name: row._mapping[name] for name in ("a", "b", "verdict", "author", "reason", "at", "expires_at")}


def _packed(known: Mapping[str, Mapping[str, str]]) -> str:
    return json.dumps(known, ensure_ascii=False, sort_keys=True)


def _all_of(c: sa.Connection, query: sa.Select[Any], column: Any, values: Iterable[str]) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in bulk.where_in(c, query, column, sorted(values))]


def _ties(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    tied: dict[str, set[str]] = defaultdict(set)
    for a, b in pairs:
        tied[a].add(b)
        tied[b].add(a)
    return {ref: sorted(others) for ref, others in tied.items()}


def _reach(tied: Mapping[str, Sequence[str]], start: str) -> set[str]:
    """Everything tied to this record, itself included."""
    return set(_back(tied, start))


def _path(tied: Mapping[str, Sequence[str]], start: str, end: str) -> list[str]:
    """The shortest way from one record to another; nothing where there is none."""
    came = _back(tied, start)
    if end not in came:
        return []
    path = [end]
    while path[-1] != start:
        path.append(came[path[-1]])
    return path[::-1]


def _back(tied: Mapping[str, Sequence[str]], start: str) -> dict[str, str]:
    came, frontier = {start: start}, deque([start])
    while frontier:
        at = frontier.popleft()
        for other in tied.get(at, ()):
            if other not in came:
                came[other] = at
                frontier.append(other)
    return came

"""Forget: erase a person in every system by its own means, and in the hub itself; nothing brings them back.

`plan_forgetting` shows who and where ─▶ kept, by its hash ─▶ `forget`:
    tombstones ─▶ each system, with a receipt for each record ─▶ the hub (`wiping`) ─▶ files and free pages

The tombstones come first, so that no pull that runs meanwhile, or after a process has died, brings anybody back. Each
later part does nothing twice: whoever is stopped anywhere runs the same again and ends the same. What a system would
not do, or somebody has to do by hand there, is named until it is done; the rest does not wait for it.

What stays: how many records of which system were erased, by whom and why; the tombstones; and an event that downstream
reads, with a golden id that leads nowhere. What others hold as well (a switchboard's number) stays with them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from omnihub.errors import OmniHubError, RejectedRecord, UnsafePlan
from omnihub.flow.auditing import FORGOTTEN, audited
from omnihub.flow.comparing import compare_all
from omnihub.flow.deciding import living_id
from omnihub.flow.hub import Hub
from omnihub.flow.matching import match_entity
from omnihub.flow.merging import merge_entity
from omnihub.flow.planning import OPEN
from omnihub.flow.refining import refine_system
from omnihub.flow.wiping import Person, blotted, let_go, wipe, wipe_files
from omnihub.model import GOLDEN, Entity, Op, Outcome, Ref
from omnihub.sdk import REQUESTED, Answer, Connector, Row, Stream, open_client
from omnihub.store import Store, bulk, forgotten, schema
from omnihub.store.open import now_iso, take
from omnihub.store.sweeping import sweep

ERASE, BY_HAND = "erase", "by hand"  # means
WAITING, ERASED, ASKED, REFUSED, NOT_REACHED, DONE_BY_HAND = (
    "waiting", "erased", "requested", "refused", "not reached", "done by hand",
)  # fmt: skip
SETTLED = (ERASED, DONE_BY_HAND)  # what became of a record there is nothing left to do about
NO_WAY = "nothing here can erase it: whoever looks after that system has to"
OTHER_SYSTEM = "that system takes no part any more: whoever looks after it has to"
_F = schema.forgettings


@dataclass(frozen=True)
class Theirs:
    """One record of the person, where it is. means: erase, by hand. words: who has to do it; what the system said."""

    ref: str
    means: str
    words: str = ""
    outcome: str = WAITING
    code: str = ""
    at: str = ""


@dataclass(frozen=True)
class Forgetting:
    """Somebody to be forgotten, or forgotten. state: planned, erasing, forgotten, outdated, lifted.

    records: of the person, until there is nothing left to do about them. about, mentions, others: what is found beside
    them, see `wiping.Person`; none of them once the hub has forgotten. by_system: system → outcome → records.
    """

    id: str
    state: str
    hash: str
    author: str
    reason: str
    at: str
    ended_at: str | None
    records: tuple[Theirs, ...] = ()
    golden_ids: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    by_system: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)  # of the hub's tables
    files: int = 0
    hub_done: bool = False
    swept: bool = False

    @property
    def left(self) -> tuple[Theirs, ...]:
        """What is still to be done in the systems: asked again by every pull where the hub can, else by people."""
        return tuple(one for one in self.records if one.outcome not in SETTLED)


# -- who -----------------------------------------------------------------------------------------------------------


def plan_forgetting(hub: Hub, what: str, author: str, reason: str) -> Forgetting:
    """Find all that is theirs, and keep the plan to erase it. Calls no system, changes nothing.

    what: a ref of theirs, or a golden contact. OmniHubError where nobody knows it, where it is no person, and where
    there is no reason.
    """
    if not reason.strip():
        raise OmniHubError("forget: say why, so that it can be answered for in a year: --because …")
    with hub.store.read() as c:
        refs, golden_ids = whose(c, what)
        person = Person.of(c, hub, refs, golden_ids)
    records = tuple(_theirs(hub, ref) for ref in person.refs)
    number = _hash(person.refs)
    now = datetime.now(UTC)
    id_ = f"forget-{now:%Y%m%d-%H%M%S}{now.microsecond // 1000:03}-{secrets.token_hex(3)}"
    found = Forgetting(
        id_, "planned", number, author, blotted(reason.strip(), person.anywhere), now_iso(), None, records,
        person.golden_ids, person.about, person.mentions, person.others, _by_system(records),
    )  # fmt: skip
    with hub.store.write() as c:
        for row in c.execute(sa.select(_F.c.id, _F.c.hash).where(_F.c.state == "planned")).all():
            if row.hash == number:
                c.execute(sa.delete(_F).where(_F.c.id == row.id))
        _keep(c, found)
        facts = {"forgetting": id_, "because": found.reason, "by_system": found.by_system}
        audited(c, author, "forget planned", facts)
    return found


def whose(c: sa.Connection, what: str) -> tuple[set[str], set[str]]:
    """The refs and golden ids of the person behind a ref or an id, those once merged into it included."""
    x, t, g = schema.crosswalk, schema.refined, schema.goldens
    row = c.execute(sa.select(t.c.entity).where(t.c.ref == what)).one_or_none()
    golden = living_id(c, c.execute(sa.select(x.c.golden_id).where(x.c.ref == what)).scalar() or what)
    entity = row.entity if row else c.execute(sa.select(g.c.entity).where(g.c.id == golden)).scalar()
    if entity is None:
        raise OmniHubError(f"forget: nobody knows {what}; name a record (system/stream/id) or a golden contact")
    if entity != Entity.CONTACT:
        raise OmniHubError(f"forget: {what} is about an {entity}, and not a person; name a contact")
    ids: set[str] = set()
    frontier = {golden} if golden else set()
    while frontier:
        ids |= frontier
        into = sa.select(g.c.id)
        frontier = {r.id for r in bulk.where_in(c, into, g.c.merged_into, sorted(frontier))} - ids
    refs = {r.ref for r in bulk.where_in(c, sa.select(x.c.ref), x.c.golden_id, sorted(ids))}
    return refs | ({what} if row else set()), ids


def _theirs(hub: Hub, ref: str) -> Theirs:
    where = Ref.parse(ref)
    connector = hub.connectors.get(where.system)
    stream = next((s for s in connector.streams if s.name == where.stream), None) if connector else None
    if stream is None:
        return Theirs(ref, BY_HAND, OTHER_SYSTEM)
    push = stream.push
    if push is None or push.erase is None:
        return Theirs(ref, BY_HAND, (push.erase_by_hand if push else "") or NO_WAY)
    return Theirs(ref, ERASE, push.erase_by_hand)


def _hash(refs: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(refs)).encode()).hexdigest()


def _by_system(records: Iterable[Theirs]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in records:
        found[Ref.parse(one.ref).system][_label(one)] += 1
    return {system: dict(counts) for system, counts in sorted(found.items())}


def _label(one: Theirs) -> str:
    return one.means if one.outcome == WAITING else one.outcome


# -- forget --------------------------------------------------------------------------------------------------------


def forget(hub: Hub, id_: str, home: Path | None = None) -> Forgetting:
    """Carry out a forgetting that was planned, or go on with one that was stopped or could not end.

    home: the folder with the reports and logs. UnsafePlan: other records are theirs now than when it was planned, or a
    plan is being written at this moment. Systems that can't be reached stay named in what is returned.
    """
    found = load(hub.store, id_)
    if found.state in ("outdated", "lifted"):
        raise UnsafePlan(f"forget: {id_} is {found.state}; plan it anew with `omnihub forget REF --because …`")
    if found.state == "planned":
        found = _begin(hub, found)
    found = _erase_everywhere(hub, found)
    if not found.hub_done:
        found = _erase_here(hub, found, home)
    if not found.swept:
        found = replace(found, swept=sweep(hub.store))
    return _settle(hub.store, found)


def _begin(hub: Hub, found: Forgetting) -> Forgetting:
    """Tombstones, and no plan that knows them goes on."""
    p = schema.plans
    with hub.store.write() as c:
        take(c, 0)  # from here on nobody lands: what comes after this asks the tombstones
        refs, golden_ids = whose(c, found.records[0].ref)
        if _hash(refs) != found.hash:
            c.execute(sa.update(_F).where(_F.c.id == found.id).values(state="outdated"))
            outdated = True
        else:
            outdated = False
            if busy := c.execute(sa.select(p.c.id).where(p.c.state == "applying")).scalars().all():
                raise UnsafePlan(
                    f"forget: {busy[0]} is being written, and may hold them; once it has ended (`omnihub apply "
                    f"{busy[0]}` goes on with it, `omnihub sync` with what came of it), run this again"
                )
            person = Person.of(c, hub, refs, golden_ids)
            c.execute(sa.update(p).where(p.c.state.in_(OPEN)).values(state="outdated"))
            found = replace(found, state="erasing", about=person.about, mentions=person.mentions, others=person.others)
            _bury(c, found, person)
            _keep(c, found)
    if outdated:
        raise UnsafePlan(f"forget: other records are theirs now than when {found.id} was planned; look again, anew")
    return found


def _bury(c: sa.Connection, found: Forgetting, person: Person) -> None:
    whats: dict[str, tuple[str, str, str]] = dict.fromkeys(person.known_by, (forgotten.PERSON, "", ""))
    for kind, refs in ((forgotten.RECORD, person.all_refs), (forgotten.MENTION, person.mentions)):
        for ref in refs:
            where = Ref.parse(ref)
            whats[ref] = (kind, where.system, where.stream)
    forgotten.bury(c, found.id, whats)


# -- in the systems ------------------------------------------------------------------------------------------------


def ask_again(hub: Hub, system: str) -> None:
    """What this system was asked for and had not done, or could not be asked for. Called with every pull."""
    with hub.store.read() as c:
        open_ = list(c.execute(sa.select(_F.c.id).where(_F.c.state == "erasing").order_by(_F.c.at)).scalars())
    for id_ in open_:
        found = load(hub.store, id_)
        if found.hub_done and any(Ref.parse(one.ref).system == system and one.means == ERASE for one in found.left):
            _settle(hub.store, _erase_everywhere(hub, found, [system]))


def _erase_everywhere(hub: Hub, found: Forgetting, systems: Sequence[str] = ()) -> Forgetting:
    """Each system by its own means; what each answered is kept before the next is asked."""
    wanted: dict[tuple[str, str], list[Theirs]] = defaultdict(list)
    for one in found.left:
        where = Ref.parse(one.ref)
        if one.means == ERASE and where.system in hub.connectors and (not systems or where.system in systems):
            wanted[where.system, where.stream].append(one)
    for (system, stream), records in sorted(wanted.items()):
        connector, done = hub.connectors[system], 0
        for some in _answered(hub, connector, connector.stream(stream), records):
            done += len(some)
            hub.progress(f"erase {system}/{stream}", done, len(records))
            found = _note(hub.store, found.id, some)
    return found


def _note(store: Store, id_: str, told: Iterable[Theirs]) -> Forgetting:
    """Keep what became of some records, beside what others keep at the same time."""
    now = {one.ref: one for one in told}
    with store.write() as c:
        take(c, 0)
        found = _loaded(c, id_)
        counts = {system: Counter(some) for system, some in found.by_system.items()}
        for one in (one for one in found.records if one.ref in now):
            mine = counts.setdefault(Ref.parse(one.ref).system, Counter())
            mine[_label(one)] -= 1
            mine[_label(now[one.ref])] += 1
        by_system = {system: dict(+some) for system, some in counts.items()}
        found = replace(found, records=tuple(now.get(one.ref, one) for one in found.records), by_system=by_system)
        _keep(c, found)
    return found


def _answered(hub: Hub, connector: Connector, stream: Stream, records: Sequence[Theirs]) -> Iterator[list[Theirs]]:
    assert stream.push is not None
    try:
        client = open_client(connector, hub.settings(connector), ledger=hub.store.ledger)
    except OmniHubError as error:
        yield [_not_reached(one, error) for one in records]
        return
    for some in bulk.chunks(records, stream.push.batch):
        yield _batch(client, stream, some)


def _batch(client: Any, stream: Stream, records: Sequence[Theirs]) -> list[Theirs]:
    assert stream.push is not None
    assert stream.push.erase is not None
    rows = [Row(n, Op.DELETE, Ref.parse(one.ref).id, {}, {}, {}, "") for n, one in enumerate(records)]
    answers: dict[int, Answer] = {}
    trouble: OmniHubError = OmniHubError(f"{stream.name}: the system did not mention this record")
    try:
        for answer in stream.push.erase(client, rows):
            answers[answer.n] = answer
    except RejectedRecord as error:
        if len(records) > 1:
            return [one for record in records for one in _batch(client, stream, [record])]
        answers[0] = Answer(0, Outcome.REFUSED, None, error.code or str(error.status), str(error))
    except OmniHubError as error:
        trouble = error
    return [_became(one, answers[n]) if n in answers else _not_reached(one, trouble) for n, one in enumerate(records)]


def _became(one: Theirs, answer: Answer) -> Theirs:
    if answer.code == REQUESTED and answer.outcome is Outcome.DEFERRED:
        outcome = ASKED
    else:
        outcome = {Outcome.WRITTEN: ERASED, Outcome.REFUSED: REFUSED}.get(answer.outcome, NOT_REACHED)
    words = answer.message or one.words
    return replace(one, outcome=outcome, code=answer.code, words=words, at=now_iso())


def _not_reached(one: Theirs, error: OmniHubError) -> Theirs:
    return replace(one, outcome=NOT_REACHED, words=str(error), at=now_iso())


# -- in the hub ----------------------------------------------------------------------------------------------------


def _erase_here(hub: Hub, found: Forgetting, home: Path | None) -> Forgetting:
    """The steps hear that they are gone, and bring everybody else up to date; then the rows and files go."""
    refs = [one.ref for one in found.records]
    with hub.store.write() as c:
        take(c, 0)
        person = _person(c, hub, found, refs)
        let_go(c, hub, person)
    for system in hub.connectors:
        refine_system(hub, system)
    for entity in GOLDEN:
        match_entity(hub, entity)
        merge_entity(hub, entity)
    compare_all(hub)
    touched = set(wipe_files(home, person)) if home else set()
    with hub.store.write() as c:
        take(c, 0)
        person = _person(c, hub, found, refs)
        rows, blotted_rows = wipe(c, person)
        found = replace(found, records=tuple(replace(o, words=blotted(o.words, person.strong)) for o in found.records))
        done = replace(found, hub_done=True, rows=rows, about=(), mentions=(), others=(), golden_ids=())
        done = replace(done, files=len(touched))
        _keep(c, done)
        _tell_downstream(c, person)
        facts = {"forgetting": found.id, "because": found.reason, "by_system": done.by_system, "rows": rows}
        audited(c, found.author, FORGOTTEN, {**facts, "blotted": blotted_rows})
    if home:
        wipe_files(home, person)  # what was written while we were at it
    return done


def _person(c: sa.Connection, hub: Hub, found: Forgetting, refs: Sequence[str]) -> Person:
    """As it stands. A golden id somebody else's record has meanwhile joined is not theirs any more; what was found
    when it began stays found."""
    x = schema.crosswalk
    homes = bulk.where_in(c, sa.select(x.c.ref, x.c.golden_id), x.c.golden_id, found.golden_ids)
    shared = {row.golden_id for row in homes if row.ref not in refs}
    person = Person.of(c, hub, refs, set(found.golden_ids) - shared)
    about = {*person.about, *found.about}
    return replace(
        person, about=tuple(sorted(about)), mentions=tuple(sorted({*person.mentions, *found.mentions} - about))
    )


def _tell_downstream(c: sa.Connection, person: Person) -> None:
    first, at = take(c, max(1, len(person.golden_ids))), now_iso()
    names = ("seq", "entity", "golden_id", "kind", "other_id", "at")
    rows = [(first + n, Entity.CONTACT.value, id_, FORGOTTEN, None, at) for n, id_ in enumerate(person.golden_ids)]
    bulk.append(c, schema.events, names, rows)


def _settle(store: Store, found: Forgetting) -> Forgetting:
    """Of what there is nothing left to do about, no ref is kept; where nothing is left at all, it has ended."""
    with store.write() as c:
        take(c, 0)
        now = replace(_loaded(c, found.id), swept=found.swept)
        if not now.left and now.swept and now.state == "erasing":
            now = replace(now, state="forgotten", hash="", ended_at=now_iso())
            audited(c, now.author, "forgetting ended", {"forgetting": now.id, "by_system": now.by_system})
        _keep(c, replace(now, records=now.left))
    return replace(now, records=found.records)


def done_by_hand(store: Store, id_: str, author: str, systems: Sequence[str] = ()) -> Forgetting:
    """Somebody has erased what was left to people, in these systems or all."""
    found = load(store, id_)
    mine = [one for one in found.left if not systems or Ref.parse(one.ref).system in systems]
    if not mine or not found.hub_done:
        raise OmniHubError(f"forget: nothing of {id_} is left to be done by hand" + (" there" if systems else ""))
    found = _note(store, id_, [replace(one, outcome=DONE_BY_HAND, at=now_iso()) for one in mine])
    with store.write() as c:
        audited(c, author, "forgotten by hand", {"forgetting": id_, "by_system": found.by_system})
    return replace(_settle(store, found), records=())


# -- and back ------------------------------------------------------------------------------------------------------


def lift(hub: Hub, what: str, author: str, reason: str) -> Forgetting:
    """They come back on their own: what the systems say of them is heard again, from the next complete read on.

    what: the forgetting, a ref, or an e-mail address of theirs; the last two are only compared by their hash.
    """
    if not reason.strip():
        raise OmniHubError("forget: say why they are to be known again: --because …")
    t, s = schema.tombstones, schema.streams
    with hub.store.write() as c:
        take(c, 0)
        known = c.execute(sa.select(_F.c.id).where(_F.c.id == what)).scalar()
        asked = what if "/" in what else f"email:{what.strip().lower()}"
        id_ = known or (forgotten.who(c, asked) if forgotten.anybody(c) else None)
        if id_ is None:
            raise OmniHubError("forget: nobody was forgotten by that name; `omnihub forget --list` shows what there is")
        found = _loaded(c, id_)
        if found.state != "forgotten":
            raise OmniHubError(f"forget: {id_} is {found.state}; only what is forgotten can be lifted")
        where = c.execute(sa.select(t.c.system, t.c.stream).where(t.c.forgetting == id_).distinct()).all()
        c.execute(sa.delete(t).where(t.c.forgetting == id_))
        for system, stream in where:
            c.execute(sa.update(s).where(s.c.system == system, s.c.stream == stream).values(cursor=None))
        found = replace(found, state="lifted")
        _keep(c, found)
        audited(c, author, "forgetting lifted", {"forgetting": id_, "because": reason.strip()})
    return found


# -- looking -------------------------------------------------------------------------------------------------------


def load(store: Store, id_: str) -> Forgetting:
    """OmniHubError where there is none of this id."""
    with store.read() as c:
        return _loaded(c, id_)


def _loaded(c: sa.Connection, id_: str) -> Forgetting:
    row = c.execute(sa.select(_F).where(_F.c.id == id_)).one_or_none()
    if row is None:
        raise OmniHubError(f"forget: there is no {id_}; `omnihub forget --list` shows what there is")
    return _read(row)


def _read(row: Any) -> Forgetting:
    told = json.loads(row.told)
    records = tuple(Theirs(**one) for one in told.pop("records"))
    told |= {name: tuple(told[name]) for name in ("golden_ids", "about", "mentions", "others")}
    return Forgetting(row.id, row.state, row.hash, row.author, row.reason, row.at, row.ended_at, records, **told)


def forgettings(store: Store) -> list[Forgetting]:
    """All there are, the last one first."""
    with store.read() as c:
        return [_read(row) for row in c.execute(sa.select(_F).order_by(_F.c.at.desc(), _F.c.id.desc()))]


def still_sent(c: sa.Connection) -> dict[str, int]:
    """System → how many records of forgotten people it has sent again, by the last pulls."""
    t, s = schema.tombstones, schema.streams
    query = sa.select(t.c.system, t.c.sent_at, s.c.full_at).where(t.c.sent_at.is_not(None))
    joined = query.outerjoin(s, sa.and_(s.c.system == t.c.system, s.c.stream == t.c.stream))
    second = len(now_iso()) - 1
    return dict(Counter(r.system for r in c.execute(joined) if r.sent_at[:second] >= (r.full_at or "")[:second]))


_COLUMNS = ("id", "state", "hash", "author", "reason", "at", "ended_at", "told")
_TOLD = ("golden_ids", "about", "mentions", "others", "by_system", "rows", "files", "hub_done", "swept")


def _keep(c: sa.Connection, found: Forgetting) -> None:
    told = {name: getattr(found, name) for name in _TOLD} | {"records": [asdict(one) for one in found.records]}
    row = (*(getattr(found, name) for name in _COLUMNS[:-1]), json.dumps(told, ensure_ascii=False))
    bulk.upsert(c, _F, _COLUMNS, [row])


def has_run(store: Store) -> bool:
    """Whether there is a run a report could be about."""
    with store.read() as c:
        return c.execute(sa.select(schema.runs.c.id).limit(1)).first() is not None

"""Deliver: each department finds its findings in its own system, once, and what it does with them there counts.

    read back    a notice somebody has closed there is a decision: what it said is ignored until it changes
    choose       groups of findings for people ─▶ a notice each, the most severe first, as many as the limit allows
    clear        what no longer stands, there and here
    put          what is new, what has changed, and what was closed and has come back; the rest is left alone

A notice is begun before it is sent: whoever is stopped in between finds it again by its key, there or not, and makes
no second one. A system that refuses a notice, or can't be reached, stops nothing; the next run tries again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from omnihub import report as words
from omnihub.errors import OmniHubError
from omnihub.flow.auditing import audited
from omnihub.flow.awaiting import Turn
from omnihub.flow.findings import CHANGED
from omnihub.flow.gating import gates_of, said_by
from omnihub.flow.grouping import RANK, Grouping, Only, groups
from omnihub.flow.hub import Hub
from omnihub.flow.notices import (
    BEGUN,
    CLOSED,
    OPEN,
    REFUSED,
    Delivery,
    Stood,
    Was,
    answers,
    begin,
    deliveries,
    digest,
    drop,
    keep,
    refusal,
    settle,
    withdraw,
)
from omnihub.model import ALIVE, ENTITIES, STANDING, Change, Entity, FindingState, Outcome, Ref
from omnihub.push.gates import Facts, let_through
from omnihub.report.facts import Item
from omnihub.report.grouping import Group, title, touched
from omnihub.report.wording import in_words
from omnihub.report.wording import title as heading
from omnihub.sdk import Answer, Connector, open_client
from omnihub.sdk.reporting import Notice, Place, Seen, Standing
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso, take

LINES = 20  # findings told in one notice; it says how many more there are
REMEMBERED = 1_000  # findings of one notice whose evidence is kept beside it
KEPT_BACK = "(not shown here: {why})"
CLOSING = "If it is to stay as it is, close this: nobody is asked again until something about it changes."

_D, _F = schema.deliveries, schema.findings

Counts = dict[str, Any]


def deliver(hub: Hub, run_id: str, system: str) -> Counts:
    """Bring the notices in one system up to date. Nothing where it takes none, or is not to be told.

    Returns wanted (groups of findings for people), put, same, refused, deferred, left (beyond the limit; the report has
    them), cleared, closed (read back as decisions), error. wanted = put + same + refused + deferred + left.
    """
    connector = hub.connectors[system]
    if connector.place is None or system not in hub.told:
        return {}
    try:
        client = open_client(connector, hub.settings(connector), ledger=hub.store.ledger)
    except OmniHubError as error:
        return _unreached(hub, system, error)
    return _Delivering(hub, run_id, connector, connector.place, client).carried_out()


def _unreached(hub: Hub, system: str, error: OmniHubError) -> Counts:
    with hub.store.read() as c:
        total, chosen = choose(c, hub, system)
    return _told(total, len(chosen), Counter(deferred=len(chosen)), str(error))


def _told(total: int, chosen: int, done: Mapping[str, int], error: str = "") -> Counts:
    names = ("put", "same", "refused", "deferred", "cleared", "closed")
    return {"wanted": total, **{n: done.get(n, 0) for n in names}, "left": total - chosen, "error": error}


class _Delivering:
    """One system's turn."""

    def __init__(self, hub: Hub, run_id: str, connector: Connector, place: Place, client: Any) -> None:
        self.hub, self.run_id, self.connector, self.place, self.client = hub, run_id, connector, place, client
        self.system = connector.name
        self.done: Counter[str] = Counter()
        self.errors: list[str] = []

    def carried_out(self) -> Counts:
        self._read_back()
        with self.hub.store.read() as c:
            known = deliveries(c, self.system)
            grouping = Grouping(c, Turn.now(c, self.hub.connectors))
            total, chosen = choose(c, self.hub, self.system, grouping)
            notices = _worded(c, self.hub, self.connector, grouping, chosen)
            alive = _alive(c, [d for d in known.values() if d.state == CLOSED])
        keys = {notice.key for notice in notices.values()}
        self._clear([d for d in known.values() if d.key not in keys and d.key not in alive])
        self._put(notices, known, grouping)
        return _told(total, len(chosen), self.done, "; ".join(dict.fromkeys(self.errors)))

    # -- what people did with them

    def _read_back(self) -> None:
        if self.place.read is None:
            return
        with self.hub.store.read() as c:
            there = [d for d in deliveries(c, self.system).values() if d.state == OPEN]
        for some in bulk.chunks(there, self.place.batch):
            try:
                seen = {s.key: s for s in self.place.read(self.client, [(d.key, d.place_id) for d in some])}
            except OmniHubError as error:
                self.errors.append(str(error))
                return
            for one in some:
                self._heed(one, seen.get(one.key))

    def _heed(self, one: Delivery, seen: Seen | None) -> None:
        """Closed is a decision. Gone is none: nobody said that it is dealt with, so it is put there again."""
        state = seen.state if seen else Standing.GONE
        if state is Standing.OPEN:
            return
        with self.hub.store.write() as c:
            if seen and state is Standing.CLOSED:
                self.done["closed"] += 1
                who = f"{seen.by or 'somebody'} in {self.connector.title}"
                _ignore(c, self.system, one, who, f"closed there{f' at {seen.at}' if seen.at else ''}")
                keep(c, self.system, self.run_id, replace(one, state=CLOSED))
            else:
                drop(c, self.system, one.key)

    # -- what is no longer so

    def _clear(self, gone: Sequence[Delivery]) -> None:
        for some in bulk.chunks(gone, self.place.batch):
            with self.hub.store.write() as c:
                told = [(one.key, one.about) for one in some]
                stood = begin(c, self.system, self.run_id, told, {one.key: one for one in some})
            asked = [(d.key, d.place_id) for d in some]
            answered = answers(self.system, partial(self.place.clear, self.client, asked), len(some))
            with self.hub.store.write() as c:
                for one, answer in zip(some, answered, strict=True):
                    if answer.outcome in (Outcome.WRITTEN, Outcome.DRIFTED):  # drifted: it is gone by itself
                        self.done["cleared"] += one.state != REFUSED
                        was = stood[one.key]
                        cleared = Stood(Was.CLEARED, was.notice, was.told)
                        settle(c, self.system, self.run_id, one.key, cleared, one.place_id)
                        drop(c, self.system, one.key)
                        continue
                    self._note(answer)
                    if answer.outcome is Outcome.REFUSED:
                        withdraw(c, self.system, self.run_id, one.key)

    # -- what is to be there

    def _put(self, notices: Mapping[str, Notice], known: Mapping[str, Delivery], grouping: Grouping) -> None:
        wanted = []
        for about, notice in notices.items():
            before = known.get(notice.key)
            if before and before.state == OPEN and before.hash == digest(notice):
                self.done["same"] += 1
            else:
                wanted.append((about, notice, before.place_id if before else None))
        for some in bulk.chunks(wanted, self.place.batch):
            self._send(some, known, grouping)

    def _send(
        self, some: Sequence[tuple[str, Notice, str | None]], known: Mapping[str, Delivery], grouping: Grouping
    ) -> None:
        with self.hub.store.write() as c:
            told = _evidence(c, self.system, grouping, [about for about, _, _ in some])
            begin(c, self.system, self.run_id, [(notice.key, about) for about, notice, _ in some], known)
            begun = [
                Delivery(notice.key, about, json.dumps(told.get(about, {})), id_, "", BEGUN, now_iso())
                for about, notice, id_ in some
            ]
            for one in begun:
                keep(c, self.system, self.run_id, one)
        asked = [(notice, id_) for _, notice, id_ in some]
        answered = answers(self.system, partial(self.place.put, self.client, asked), len(some))
        with self.hub.store.write() as c:
            for one, (_, notice, _), answer in zip(begun, some, answered, strict=True):
                self._settle(c, one, notice, answer)

    def _settle(self, c: sa.Connection, one: Delivery, notice: Notice, answer: Answer) -> None:
        """Keep what became of one."""
        if answer.outcome is Outcome.WRITTEN:
            self.done["put"] += 1
            one = replace(one, place_id=answer.id or one.place_id, hash=digest(notice), state=OPEN)
            keep(c, self.system, self.run_id, one)
            settle(c, self.system, self.run_id, one.key, Stood(Was.OPEN, notice, one.told), one.place_id)
            return
        self._note(answer)
        if answer.outcome is Outcome.REFUSED:
            self.done["refused"] += 1
            keep(c, self.system, self.run_id, replace(one, state=REFUSED), answer)
            withdraw(c, self.system, self.run_id, one.key)
        else:  # begun: whether it is there is seen next time
            self.done["deferred"] += 1

    def _note(self, answer: Answer) -> None:
        if len(self.errors) < LINES:
            self.errors.append(refusal(self.system, answer))


# -- what was decided -----------------------------------------------------------------------------------------------


def _alive(c: sa.Connection, closed: Sequence[Delivery]) -> set[str]:
    """Keys of those notices of whose findings one is still so, whatever was decided about it. However these are grouped
    by now: the decision was about what the notice said."""
    told = {d.key: set(json.loads(d.told)) for d in closed}
    query = sa.select(_F.c.id).where(_F.c.state.in_(ALIVE))
    alive = {row.id for row in bulk.where_in(c, query, _F.c.id, {id_ for ids in told.values() for id_ in ids})}
    return {key for key, ids in told.items() if ids & alive}


def _ignore(c: sa.Connection, system: str, told: Delivery, who: str, because: str) -> None:
    """What the notice said is left alone until it changes. What came or changed after it was told, nobody has seen; and
    what it said is left alone also where that is told in another group by now."""
    theirs = sa.select(_F.c.id, _F.c.evidence, _F.c.last_seen)
    theirs = theirs.where(_F.c.system == system, _F.c.state.in_(STANDING))
    evidence = json.loads(told.told)
    rows = bulk.where_in(c, theirs, _F.c.id, evidence)
    ids = [r.id for r in rows if evidence[r.id] == r.evidence]
    if len(evidence) == REMEMBERED:  # of the rest only their time is known
        rest = theirs.where(sa.or_(_F.c.group_id == told.about, _F.c.ref == told.about), _F.c.last_seen < told.at)
        ids += [r.id for r in c.execute(rest) if r.id not in evidence]
    if ids:
        at = now_iso()
        decision = {"because": because, "until": CHANGED, "decided_by": who, "decided_at": at, "changed_at": at}
        seq = take(c, 1)
        for some in bulk.chunks(ids, bulk.LIST):
            ignored = sa.update(_F).where(_F.c.id.in_(some))
            c.execute(
                ignored.values(state=FindingState.IGNORED.value, assigned_to=None, note=None, seq=seq, **decision)
            )
        audited(c, who, "findings ignored", {"what": told.about, "count": len(ids), "until": CHANGED})


def _evidence(c: sa.Connection, system: str, grouping: Grouping, abouts: Sequence[str]) -> dict[str, dict[str, str]]:
    """about → finding → its evidence, as it is told now; of very many only that they were there when it was told."""
    query = sa.select(grouping.what.label("about"), _F.c.id, _F.c.evidence).select_from(grouping.joined)
    query = query.where(Only(system, for_people=True).where(grouping)).order_by(_F.c.id)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in bulk.where_in(c, query, grouping.what, abouts):
        if len(found[row.about]) < REMEMBERED:
            found[row.about][row.id] = row.evidence
    return found


# -- what is for people ------------------------------------------------------------------------------------------------


def choose(c: sa.Connection, hub: Hub, system: str, grouping: Grouping | None = None) -> tuple[int, list[Group]]:
    """How many groups people there have to see to, and those that are told them: as many as the limit allows. Of two
    that are as severe, the one that is there stays."""
    there = c.execute(sa.select(_D.c.about).where(_D.c.system == system, _D.c.state == OPEN)).scalars().all()
    grouping = grouping or Grouping(c, Turn.now(c, hub.connectors))
    return groups(c, Only(system, for_people=True), hub.findings.limit, grouping, there)


# -- in words ----------------------------------------------------------------------------------------------------------


def _worded(
    c: sa.Connection, hub: Hub, connector: Connector, grouping: Grouping, chosen: Sequence[Group]
) -> dict[str, Notice]:
    """The group's name → its notice."""
    rows = _first_of(c, connector.name, grouping, [group.what for group in chosen])
    if not rows:
        return {}
    hidden = _hidden(c, hub, connector, rows)
    titles = pa.Table.from_pylist(
        [{"system": name, "title": x.title} for name, x in sorted(hub.connectors.items())], schema=words.SYSTEMS
    )
    found = pa.Table.from_pylist([_as_found(row, hidden) for row in rows], schema=words.FINDINGS)
    of = {row.ref: parent for row in rows if (parent := _parent(row))}
    t = schema.refined
    parents = bulk.table_in(c, sa.select(t.c.ref, t.c.fields), t.c.ref, sorted({*of.values()})).cast(words.PARENTS)
    with words.Digest(titles) as digest_:
        items = digest_.add(found, parents)
    told: dict[str, list[Item]] = defaultdict(list)
    for row, item in zip(rows, items, strict=True):
        told[row.about].append(item)
    found_at = {g.what: g.ref or told[g.what][0].ref for g in chosen if told[g.what]}
    return {
        g.what: _notice(connector, g, Ref.parse(of.get(at, at)), told[g.what])
        for g in chosen
        if (at := found_at.get(g.what))
    }


def _parent(row: Any) -> str | None:
    """The order or deal a line belongs to: nobody looks at a line by itself."""
    if row.entity != Entity.LINE.value or not row.fields:
        return None
    parent = json.loads(row.fields).get("of")
    return str(parent) if parent and parent.startswith(f"{row.system}/") else None


def _first_of(c: sa.Connection, system: str, grouping: Grouping, whats: Sequence[str]) -> list[Any]:
    """The first findings of each group, with the record each is about."""
    what, d = grouping.what, schema.dead_letters
    place = sa.func.row_number().over(partition_by=what, order_by=(RANK, _F.c.kind, _F.c.ref, _F.c.field))
    names = ("id", "kind", "severity", "entity", "system", "ref", "field", "golden_id", "owner", "detail", "first_seen")
    cut = [sa.func.substr(_F.c[n], 1, words.MAX_TEXT, type_=sa.Text).label(n) for n in ("theirs", "expected")]
    status = grouping.turn.status().label("status")
    columns = [*(_F.c[n] for n in names), *cut, what.label("about"), status, d.c.code, place.label("place")]
    these = bulk.among(c, what, whats)
    if these is None:
        return []
    told = sa.select(*columns).select_from(grouping.joined)
    of = told.where(Only(system, for_people=True).where(grouping), these).subquery()
    t = schema.refined
    query = sa.select(of, t.c.fields).outerjoin(t, t.c.ref == of.c.ref)
    return list(c.execute(query.where(of.c.place <= LINES).order_by(of.c.about, of.c.place)))


def _as_found(row: Any, hidden: Mapping[str, str]) -> dict[str, Any]:
    """As the report takes findings. What the system refused is named by its code: its words may be sealed."""
    told = {name: getattr(row, name, None) for name in words.FINDINGS.names}
    expected = KEPT_BACK.format(why=hidden[row.id]) if row.id in hidden else row.expected
    lengths = {"theirs_length": len(row.theirs or ""), "expected_length": len(expected or "")}
    return told | lengths | {"stream": row.ref.split("/", 2)[1], "expected": expected, "refusal": row.code}


def _hidden(c: sa.Connection, hub: Hub, connector: Connector, rows: Sequence[Any]) -> dict[str, str]:
    """id of a finding → why what it should say may not be told there: it would leave its region, or reach a person for
    something they said no to."""
    there = {(connector.name, s.name): frozenset(s.fields) for s in connector.streams}
    gates = replace(gates_of(hub), writable=there, masters=frozenset())
    about: dict[int, str] = {}
    changes = []
    for row in rows:
        if row.expected is not None and row.field in ENTITIES[Entity(row.entity)]:
            known_as = row.golden_id or f"{row.entity}_"
            change = Change(Ref.parse(row.ref), row.field, row.theirs, row.expected, "", known_as)
            changes.append(change)
            about[id(change)] = row.id
    reached = {change.golden_id for change in changes if gates.purposes_of(change)}
    _, kept = let_through(changes, gates, Facts(said_by(c, hub, reached)))
    return {about[id(one.change)]: one.why for one in kept}


def _notice(connector: Connector, group: Group, ref: Ref, items: Sequence[Item]) -> Notice:
    """ref: where it is shown, if it is about one record."""
    kinds = list(dict.fromkeys(item.kind for item in items))
    lines = [_line(item, with_record=group.records > 1) for item in items]
    more = group.findings - len(items)
    rest = [f"… and {more} more, in the consistency report."] if more > 0 else []
    named = [] if group.records > 1 else [f"{items[0].record}:"]
    stake = _stake(group)
    return Notice(
        key=key_of(connector.name, group.what),
        ref_id=ref.id if group.records == 1 and ref.system == connector.name else None,
        stream=ref.stream,
        title=title(group, connector.title),
        text="\n".join([*([stake] if stake else []), *named, *lines, *rest, "", CLOSING]),
        severity=group.severity,
        fields={
            "kind": kinds[0] if len(kinds) == 1 else "several",
            "kinds": ", ".join(kinds),
            "findings": str(group.findings),
            "records": str(group.records),
            "since": group.since,
            "owner": items[0].owner or "",
            "expected": (items[0].should_say or "") if group.findings == 1 else "",
            "at_stake": _money(group),
            "customers": str(group.customers or ""),
        },
    )


def _stake(group: Group) -> str:
    """What it is worth to see to it."""
    money = f"At stake: {_money(group)}." if group.at_stake else ""
    people = f"It touches {touched(group.customers, group.findings)}." if group.customers else ""
    return " ".join(part for part in (money, people) if part)


def _money(group: Group) -> str:
    return " and ".join(f"{words.money(cents):,} {currency}".strip() for currency, cents in group.at_stake)


def _line(item: Item, with_record: bool) -> str:
    what = f"{item.record}, {item.field or in_words(item.kind)}" if with_record else item.field or heading(item.kind)
    says = f"says {item.says!r}" if item.says is not None else ""
    should = f"should say {item.should_say!r}" if item.should_say is not None else ""
    told = ", ".join(part for part in (says, should) if part)
    return " ".join(part for part in (f"- {what}: {told}." if told else f"- {what}.", item.why, item.next_step) if part)


def key_of(system: str, about: str) -> str:
    """What a notice is known by, there and here, for good."""
    return "omnihub-" + hashlib.blake2b(f"{system}|{about}".encode(), digest_size=12).hexdigest()

"""Deliver: each department finds its findings in its own system, once, and what it does with them there counts.

    read back    a notice somebody has closed there is a decision: what it said is ignored until it changes
    choose       findings for people ─▶ one notice for each group, the most severe first, as many as the limit allows
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
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from omnihub import report as words
from omnihub.errors import OmniHubError
from omnihub.flow.auditing import audited
from omnihub.flow.findings import CHANGED
from omnihub.flow.gating import gates_of, said_by
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
from omnihub.report.wording import in_words, listed
from omnihub.report.wording import title as heading
from omnihub.sdk import Answer, Connector, open_client
from omnihub.sdk.reporting import Notice, Place, Seen, Standing
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso, take

LINES = 20  # findings told in one notice; it says how many more there are
REMEMBERED = 1_000  # findings of one notice whose evidence is kept beside it
NAMED = 3  # fields named in a title
RANK = {"high": 0, "medium": 1, "low": 2}
KEPT_BACK = "(not shown here: {why})"
CLOSING = "If it is to stay as it is, close this: nobody is asked again until something about it changes."

_D, _F = schema.deliveries, schema.findings

Counts = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """Findings that are told together: their worst severity, how many, of how many records, and one of these."""

    about: str
    severity: str
    findings: int
    records: int
    ref: str


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
        total, chosen = _chosen(c, system, hub.findings.limit)
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
            total, groups = _chosen(c, self.system, self.hub.findings.limit)
            notices = _worded(c, self.hub, self.connector, groups)
            alive = _alive(c, self.system, [d.about for d in known.values() if d.state == CLOSED])
        keys = {notice.key for notice in notices.values()}
        self._clear([d for d in known.values() if d.key not in keys and not (d.state == CLOSED and d.about in alive)])
        self._put(notices, known)
        return _told(total, len(groups), self.done, "; ".join(dict.fromkeys(self.errors)))

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

    def _put(self, notices: Mapping[str, Notice], known: Mapping[str, Delivery]) -> None:
        wanted = []
        for about, notice in notices.items():
            before = known.get(notice.key)
            if before and before.state == OPEN and before.hash == digest(notice):
                self.done["same"] += 1
            else:
                wanted.append((about, notice, before.place_id if before else None))
        for some in bulk.chunks(wanted, self.place.batch):
            self._send(some, known)

    def _send(self, some: Sequence[tuple[str, Notice, str | None]], known: Mapping[str, Delivery]) -> None:
        with self.hub.store.write() as c:
            told = _evidence(c, self.system, [about for about, _, _ in some])
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


def _alive(c: sa.Connection, system: str, abouts: Sequence[str]) -> set[str]:
    """Those of these groups of which something is still so, whatever was decided about it."""
    query = sa.select(_about().label("about")).where(_F.c.system == system, _F.c.state.in_(ALIVE)).distinct()
    return {row.about for row in bulk.where_in(c, query, _about(), abouts)}


def _ignore(c: sa.Connection, system: str, told: Delivery, who: str, because: str) -> None:
    """What the notice said is left alone until it changes. What came or changed after it was told, nobody has seen."""
    theirs = sa.select(_F.c.id, _F.c.evidence, _F.c.last_seen)
    theirs = theirs.where(_F.c.system == system, _about() == told.about, _F.c.state.in_(STANDING))
    evidence = json.loads(told.told)
    more = len(evidence) == REMEMBERED  # of the rest only their time is known
    rows = c.execute(theirs).all()
    ids = [r.id for r in rows if evidence.get(r.id) == r.evidence or (more and r.last_seen < told.at)]
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


def _evidence(c: sa.Connection, system: str, abouts: Sequence[str]) -> dict[str, dict[str, str]]:
    """about → finding → its evidence, as it is told now; of very many only that they were there when it was told."""
    query = sa.select(_about().label("about"), _F.c.id, _F.c.evidence)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in bulk.where_in(c, query.where(_F.c.system == system, _F.c.state.in_(STANDING)), _about(), abouts):
        if len(found[row.about]) < REMEMBERED:
            found[row.about][row.id] = row.evidence
    return found


# -- what is for people ------------------------------------------------------------------------------------------------


def _about() -> sa.ColumnElement[str]:
    """What a finding is told with: those of the same cause; without one, those of its record."""
    return sa.case((_F.c.cause != sa.literal_column("''"), _F.c.group_id), else_=_F.c.ref)


def _for_people(c: sa.Connection, system: str) -> sa.ColumnElement[bool]:
    """Whether somebody there has to see to it: it stands, and the latest plan does not put it right by itself."""
    p, t = schema.plans, schema.changes
    plan = c.execute(sa.select(p.c.id).order_by(p.c.created_at.desc(), p.c.id.desc()).limit(1)).scalar()
    ours = sa.select(t.c.n).where(t.c.plan_id == (plan or ""), t.c.ref == _F.c.ref, t.c.field == _F.c.field)
    seen_to = ours.where(sa.or_(t.c.outcome.is_(None), t.c.outcome != Outcome.REFUSED.value)).exists()
    return sa.and_(_F.c.system == system, _F.c.state.in_(STANDING), ~seen_to)


def _rank() -> sa.ColumnElement[int]:
    return sa.case(*((_F.c.severity == severity, rank) for severity, rank in RANK.items()), else_=len(RANK))


def _chosen(c: sa.Connection, system: str, most: int) -> tuple[int, list[Group]]:
    """How many groups there are, and the first of them. Of two that matter the same the one that is there stays."""
    there = sa.select(_D.c.about).where(_D.c.system == system, _D.c.state == OPEN).subquery()
    query = (
        sa.select(
            _about().label("about"),
            sa.func.min(_rank()).label("rank"),
            sa.func.count().label("findings"),
            sa.func.count(_F.c.ref.distinct()).label("records"),
            sa.func.min(_F.c.ref).label("ref"),
            sa.func.count().over().label("total"),
        )
        .outerjoin(there, there.c.about == _about())
        .where(_for_people(c, system))
        .group_by(_about(), there.c.about)
    )
    first = (sa.text("rank"), there.c.about.is_(None), sa.func.sum(_F.c.at_stake_cents).desc(), sa.text("about"))
    rows = c.execute(query.order_by(*first).limit(most)).all()
    severities = {rank: severity for severity, rank in RANK.items()}
    found = [Group(r.about, severities.get(r.rank, "low"), r.findings, r.records, r.ref) for r in rows]
    return (rows[0].total if rows else 0), found


# -- in words ----------------------------------------------------------------------------------------------------------


def _worded(c: sa.Connection, hub: Hub, connector: Connector, groups: Sequence[Group]) -> dict[str, Notice]:
    """about → its notice."""
    rows = _first_of(c, connector.name, [group.about for group in groups])
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
    at = {group.about: Ref.parse(of.get(group.ref, group.ref)) for group in groups}
    return {g.about: _notice(connector, g, at[g.about], told[g.about]) for g in groups if told[g.about]}


def _parent(row: Any) -> str | None:
    """The order or deal a line belongs to: nobody looks at a line by itself."""
    if row.entity != Entity.LINE.value or not row.fields:
        return None
    parent = json.loads(row.fields).get("of")
    return str(parent) if parent and parent.startswith(f"{row.system}/") else None


def _first_of(c: sa.Connection, system: str, abouts: Sequence[str]) -> list[Any]:
    """The first findings of each group, with the record each is about."""
    place = sa.func.row_number().over(partition_by=_about(), order_by=(_rank(), _F.c.kind, _F.c.ref, _F.c.field))
    names = ("id", "kind", "severity", "entity", "system", "ref", "field", "golden_id", "owner", "detail", "first_seen")
    cut = [sa.func.substr(_F.c[n], 1, words.MAX_TEXT, type_=sa.Text).label(n) for n in ("theirs", "expected")]
    columns = [*(_F.c[n] for n in names), *cut, _about().label("about"), place.label("place")]
    these = bulk.among(c, _about(), abouts)
    if these is None:
        return []
    of = sa.select(*columns).where(_for_people(c, system), these).subquery()
    t, s = schema.refined, schema.dead_letters
    refused = sa.and_(s.c.ref == of.c.ref, s.c.field == of.c.field)
    query = sa.select(of, t.c.fields, s.c.code).outerjoin(t, t.c.ref == of.c.ref).outerjoin(s, refused)
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
    since = min(item.since for item in items)
    kinds = list(dict.fromkeys(item.kind for item in items))
    lines = [_line(item, with_record=group.records > 1) for item in items]
    more = group.findings - len(items)
    rest = [f"… and {more} more, in the consistency report."] if more > 0 else []
    named = [] if group.records > 1 else [f"{items[0].record}:"]
    return Notice(
        key=key_of(connector.name, group.about),
        ref_id=ref.id if group.records == 1 and ref.system == connector.name else None,
        stream=ref.stream,
        title=_title(group, items, kinds),
        text="\n".join([*named, *lines, *rest, "", CLOSING]),
        severity=group.severity,
        fields={
            "kind": kinds[0] if len(kinds) == 1 else "several",
            "kinds": ", ".join(kinds),
            "findings": str(group.findings),
            "records": str(group.records),
            "since": since,
            "owner": items[0].owner or "",
            "expected": (items[0].should_say or "") if group.findings == 1 else "",
        },
    )


def _title(group: Group, items: Sequence[Item], kinds: Sequence[str]) -> str:
    """Without a value: titles stand in lists, and go out in mails."""
    if group.records > 1:
        what = heading(kinds[0]) if len(kinds) == 1 else "To put right"
        return f"{what}: {group.records} records"
    fields = list(dict.fromkeys(item.field or in_words(item.kind) for item in items))
    if group.findings == 1:
        return f"{heading(kinds[0])}: {items[0].field}" if items[0].field else heading(kinds[0])
    some = fields if len(fields) <= NAMED else [*fields[:NAMED], f"{len(fields) - NAMED} more"]
    return f"{group.findings} things to put right: {listed(some)}"


def _line(item: Item, with_record: bool) -> str:
    what = f"{item.record}, {item.field or in_words(item.kind)}" if with_record else item.field or heading(item.kind)
    says = f"says {item.says!r}" if item.says is not None else ""
    should = f"should say {item.should_say!r}" if item.should_say is not None else ""
    told = ", ".join(part for part in (says, should) if part)
    return " ".join(part for part in (f"- {what}: {told}." if told else f"- {what}.", item.why, item.next_step) if part)


def key_of(system: str, about: str) -> str:
    """What a notice is known by, there and here, for good."""
    return "omnihub-" + hashlib.blake2b(f"{system}|{about}".encode(), digest_size=12).hexdigest()

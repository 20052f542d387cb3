"""Findings: their life from the first time they are seen until their cause is gone, and what people decide about them.

                    ┌──────────── reopen, its time is over, its evidence changed ───────────┐
    found ─▶ open ──┼─ assign ─▶ assigned ──┐                                               │
               ▲    └─ ignore ─▶ ignored ───┼───────────────────────────────────────────────┘
               └───── found again ◀── resolved ◀── its cause is gone, whatever was decided

One is about a kind, a record and a field, and keeps its id whatever becomes of it. Those with one cause are one group.
Only the findings of the records that were compared are read and written, and of these only what has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from omnihub.compare.severity import Weights, evidence, group_of, severity, stake, worse
from omnihub.config import Findings
from omnihub.errors import OmniHubError
from omnihub.flow.auditing import audited
from omnihub.flow.grouping import RANK, details_of
from omnihub.flow.hub import Hub
from omnihub.model import ALIVE, Entity, FindingState, Severity
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso, take

CHANGED = "changed"  # ignored until its evidence has
FEW = 20  # findings named in the audit; of more, how many there are
SHORTEST = 6  # so much of an id will do, where no other begins so
EMPTY = "{}"
OWNERS = "findings:owners"  # among the store's facts: whom the masters named last

OPEN, ASSIGNED, IGNORED, RESOLVED = (state.value for state in FindingState)

Row = dict[str, Any]
_F = schema.findings


# -- keeping ---------------------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """What is wrong, by the latest comparison."""

    kind: str
    severity: str
    entity: str
    system: str
    ref: str
    field: str
    golden_id: str | None
    owner: str
    theirs: str | None
    expected: str | None
    detail: str
    group_id: str
    cause: str
    evidence: str
    at_stake_cents: int
    currency: str
    customers: int


class Life(NamedTuple):
    """What became of it."""

    state: str
    first_seen: str
    last_seen: str
    changed_at: str | None
    assigned_to: str | None = None
    because: str | None = None
    until: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    note: str | None = None


_COLUMNS = ("id", *Told._fields, *Life._fields, "seq")


@dataclass(frozen=True)
class Handling:
    """How much findings matter, and who sees to them.

    owners: system, kind, or system.kind → who, by the settings. masters: system → who, by the master's own table of its
    channels; it comes first.
    """

    weights: Weights = field(default_factory=Weights)
    owners: Mapping[str, str] = field(default_factory=dict)
    masters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Findings, masters: Mapping[str, str]) -> Handling:
        """As the settings have it."""
        weights = Weights(
            {key: Severity(word) for key, word in told.severity.items()},
            told.high_money, told.low_money, told.high_customers, told.worth,
        )  # fmt: skip
        return cls(weights, told.owners, masters)

    def owner(self, system: str, kind: str) -> str:
        """Who sees to it: the system's own people, where nobody is named."""
        named = (self.masters.get(system), *(self.owners.get(key) for key in (f"{system}.{kind}", kind, system)))
        return next((one for one in named if one), system)

    def told(self, row: Mapping[str, Any]) -> Told:
        """A finding as the comparison has it, with all that follows from it."""
        kind, system, about, theirs = row["kind"], row["system"], row["field"], row["theirs"]
        written = row["detail"] or EMPTY
        detail = details_of(written)
        cause, at = str(detail.get("cause") or ""), stake(detail)
        return Told(
            kind, severity(kind, system, about, theirs, at, self.weights).value, row["entity"], system, row["ref"],
            about, row["golden_id"], self.owner(system, kind), theirs, row["expected"], written,
            group_of(system, kind, row["entity"], about, cause), cause, evidence(theirs, row["expected"], detail),
            at.cents, at.currency, at.customers,
        )  # fmt: skip


def finding_id(kind: str, ref: str, field: str) -> str:
    """The same for the same cause on every run."""
    return hashlib.blake2b(f"{kind}|{ref}|{field}".encode(), digest_size=10).hexdigest()


def keep(
    c: sa.Connection, found: Iterable[Mapping[str, Any]], kinds: Sequence[str], refs: Sequence[str], handling: Handling
) -> dict[str, int]:
    """Open what is new, resolve what is gone: of these kinds, and of these refs. Returns opened, resolved, reopened.

    found: kind, entity, system, ref, field, golden_id, theirs, expected, detail of each. A ref among `refs` has no
    other findings of these kinds than those found.
    """
    query = sa.select(*(_F.c[name] for name in _COLUMNS)).where(_F.c.kind.in_(kinds))
    before = {r[0]: (Told(*r[1:18]), Life(*r[18:28])) for r in bulk.where_in(c, query, _F.c.ref, refs)}
    now = {finding_id(r["kind"], r["ref"], r["field"]): r for r in found}
    at, opened, reopened = now_iso(), 0, []
    rows = []
    for id_, row in now.items():
        told, old = handling.told(row), before.get(id_)
        life = _gone_on(*old, told, at) if old else Life(OPEN, at, at, at)
        if (told, life) != old:  # what stands as it stood is not written again
            rows.append((id_, *told, *life))
            opened += old is None or old[1].state == RESOLVED
            if old and old[1].state == IGNORED != life.state:
                reopened.append(id_)
    resolved = [id_ for id_, (_, life) in before.items() if id_ not in now and life.state != RESOLVED]
    if rows or resolved:
        seq = take(c, 1)
        bulk.upsert(c, _F, _COLUMNS, [(*row, seq) for row in rows])
        gone = {"state": RESOLVED, "last_seen": at, "changed_at": at, "seq": seq}
        for some in bulk.chunks(resolved, bulk.LIST):
            c.execute(sa.update(_F).where(_F.c.id.in_(some)).values(**gone))
    if reopened:
        audited(c, "", "findings reopened", _named(reopened) | {"why": "their evidence changed"}, at)
    return {"opened": opened, "resolved": len(resolved), "reopened": len(reopened)}


def _gone_on(was: Told, life: Life, now: Told, at: str) -> Life:
    """The life of a finding that is seen again."""
    if life.state == RESOLVED:
        return Life(OPEN, at, at, at, note=f"back: it was resolved on {(life.changed_at or life.last_seen)[:10]}")
    if was == now:
        return life
    changed = was.evidence != now.evidence
    if life.state == IGNORED and life.until == CHANGED and (changed or worse(now.severity, was.severity)):
        what = "it is another now" if changed else "it matters more now"
        note = f"ignored by {life.decided_by} until it changes: {what}"
        return Life(OPEN, life.first_seen, at, at, note=note)
    if life.state == ASSIGNED and changed:
        return life._replace(last_seen=at, note="it has changed since it was assigned")
    return life._replace(last_seen=at)


# -- what happens by itself ------------------------------------------------------------------------------------------


def wake(c: sa.Connection) -> int:
    """Open again what was ignored until a moment that has passed. Returns how many."""
    at = now_iso()
    over = sa.and_(_F.c.state == IGNORED, _F.c.until != CHANGED, _F.c.until <= at)
    ids = c.execute(sa.select(_F.c.id).where(over).order_by(_F.c.id)).scalars().all()
    if ids:
        note = "ignored by " + sa.func.coalesce(_F.c.decided_by, "somebody") + ": the time for that is over"
        _move(c, over, at, state=OPEN, note=note, because=None, until=None, decided_by=None, decided_at=None)
        audited(c, "", "findings reopened", _named(ids) | {"why": "their time is over"}, at)
    return len(ids)


def owners_named(c: sa.Connection, hub: Hub) -> dict[str, str]:
    """System → who sees to its findings, by the masters' tables of their channels. A channel names its system as the
    hub does, or as people do. Of two that name the same the first by ref counts."""
    t = schema.refined
    channels = sa.select(t.c.fields).where(t.c.entity == Entity.CHANNEL.value, ~t.c.deleted)
    known = {word.casefold(): name for name, x in hub.connectors.items() for word in (x.title, name)}
    found: dict[str, str] = {}
    for written in c.execute(channels.where(t.c.system.in_(sorted(hub.rules.masters))).order_by(t.c.ref)).scalars():
        told = json.loads(written)
        system = known.get((told.get("system") or told.get("name") or "").casefold())
        if system and told.get("owner"):
            found.setdefault(system, told["owner"])
    return found


def hand_over(c: sa.Connection, handling: Handling) -> None:
    """Where the masters name other owners than last time, findings that stand change hands; nothing is compared."""
    facts = schema.facts
    last = c.execute(sa.select(facts.c.value).where(facts.c.key == OWNERS)).scalar()
    before, now = json.loads(last) if last else {}, dict(handling.masters)
    if before == now:
        return
    at = now_iso()
    for system in sorted(name for name in {*before, *now} if before.get(name) != now.get(name)):
        theirs = sa.and_(_F.c.system == system, _F.c.state.in_(ALIVE))
        for kind in c.execute(sa.select(_F.c.kind).where(theirs).distinct()).scalars().all():
            owner = handling.owner(system, kind)
            _move(c, sa.and_(theirs, _F.c.kind == kind, _F.c.owner != owner), at, changed=False, owner=owner)
    bulk.upsert(c, facts, ("key", "value"), [(OWNERS, json.dumps(now, sort_keys=True))])


# -- what people decide ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decided:
    """What somebody decided: about how many findings, and what these are called together."""

    what: str
    state: str
    count: int
    until: str | None = None
    to: str | None = None


def ignore(store: Store, what: str, author: str, because: str, until: str = CHANGED) -> Decided:
    """Show it to nobody until a moment (ISO, UTC), or until its evidence has `changed`.

    what: a finding's id, a group's, or a record's ref. OmniHubError where nothing of it stands, or no reason is given.
    What it is about is still compared and corrected where the hub may; its score does not improve either.
    """
    if not because.strip():
        raise OmniHubError("findings: say why, so that whoever reads it in a year knows: --because …")
    with store.write() as c:
        decision = {"state": IGNORED, "because": because.strip(), "until": until, "assigned_to": None}
        return _decide(c, what, author, "findings ignored", decision, {"until": until, "because": because.strip()})


def assign(store: Store, what: str, to: str, author: str, because: str = "") -> Decided:
    """Give it to somebody, who sees to it: a name, a team, an address. See `ignore` for what."""
    if not to.strip():
        raise OmniHubError("findings: say to whom")
    with store.write() as c:
        why = because.strip() or None
        decision = {"state": ASSIGNED, "assigned_to": to.strip(), "because": why, "until": None}
        return _decide(c, what, author, "findings assigned", decision, {"to": to.strip(), "because": why})


def reopen(store: Store, what: str, author: str, because: str = "") -> Decided:
    """Take back that it is ignored or assigned. See `ignore` for what."""
    with store.write() as c:
        why = because.strip() or None
        decision = {"state": OPEN, "assigned_to": None, "because": why, "until": None}
        return _decide(c, what, author, "findings reopened", decision, {"because": why})


def _decide(
    c: sa.Connection, what: str, author: str, word: str, decision: Mapping[str, Any], facts: Mapping[str, Any]
) -> Decided:
    """The same said twice is said once. What is meant has to stand, whatever was decided about it before."""
    column, meant = _meant(c, what)
    at = now_iso()
    these = sa.and_(column == meant, _F.c.state.in_(ALIVE))
    other = sa.or_(*(_F.c[name].is_distinct_from(value) for name, value in decision.items() if name != "because"))
    if decision["state"] == OPEN:
        other = _F.c.state != OPEN
    ids = c.execute(sa.select(_F.c.id).where(these, other).order_by(_F.c.id)).scalars().all()
    if ids:
        _move(c, sa.and_(these, other), at, **decision, decided_by=author, decided_at=at, note=None)
        audited(c, author, word, {"what": meant, **_named(ids), **facts}, at)
    return Decided(meant, decision["state"], len(ids), decision["until"], decision["assigned_to"])


def _move(c: sa.Connection, these: sa.ColumnElement[bool], at: str, changed: bool = True, **values: Any) -> None:
    told = values | ({"changed_at": at} if changed else {})
    c.execute(sa.update(_F).where(these).values(**told, seq=take(c, 1)))


def _meant(c: sa.Connection, what: str) -> tuple[sa.Column[Any], str]:
    """The column in which this word stands, and the whole of the word."""
    for column in (_F.c.id, _F.c.group_id, _F.c.ref) if what else ():
        if c.execute(sa.select(_F.c.id).where(column == what, _F.c.state.in_(ALIVE)).limit(1)).first():
            return column, what
    begun = (what,) if "/" not in what and len(what) >= SHORTEST else ()
    for word, column in ((w, col) for w in begun for col in (_F.c.id, _F.c.group_id)):
        beginning = sa.and_(column >= word, column < word + "g", _F.c.state.in_(ALIVE))  # ids are hexadecimal
        near = c.execute(sa.select(column).where(beginning).distinct().limit(2)).scalars().all()
        if len(near) == 1:
            return column, near[0]
        if near:
            raise OmniHubError(f"findings: more than one begins with {what}; write more of it")
    gone = c.execute(sa.select(_F.c.id).where(sa.or_(_F.c.id == what, _F.c.ref == what)).limit(1)).first()
    why = "is resolved: its cause is gone" if gone else "is none there"
    raise OmniHubError(f"findings: {what or 'that'} {why}; `omnihub findings` shows what stands")


def _named(ids: Sequence[str]) -> Row:
    """What the audit says of them. Of many their number: it names the group, and the rows say since when."""
    return {"count": len(ids)} | ({"findings": list(ids)} if len(ids) <= FEW else {})


# -- looking ---------------------------------------------------------------------------------------------------------


def of(c: sa.Connection, what: str, limit: int | None = None) -> tuple[int, list[Row]]:
    """What stands of a finding, a group or a record, whatever was decided: how many, and the first of them."""
    column, meant = _meant(c, what)
    query = sa.select(_F).where(column == meant, _F.c.state.in_(ALIVE))
    rows = c.execute(query.order_by(RANK, _F.c.kind, _F.c.ref, _F.c.field).limit(limit)).all()
    total = c.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
    return int(total), [dict(row._mapping) | {"detail": details_of(row.detail)} for row in rows]

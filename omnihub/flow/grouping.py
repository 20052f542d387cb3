"""Group: which findings are one matter, wherever people meet them: `omnihub findings`, what to fix today, notices.

    one cause in a system                        the cause         price list EUR-B missing in Shopify: 412 products
    no cause: one kind about one field there,    the kind          value invalid in Salesforce: phone of 37 contacts
      where there are many
    else                                         the record        Anna Berg in Salesforce: value differs (phone)

What a finding belongs to depends on what is so, and on whose turn it is: what is left to people is not many because the
hub puts many of the same kind right by itself. It does not depend on what is asked for, nor on what people decided.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from omnihub.compare.severity import STEPS
from omnihub.flow.awaiting import Turn
from omnihub.model import ALIVE, STANDING
from omnihub.report.grouping import SEVERAL, Group, order
from omnihub.report.wording import label
from omnihub.store import bulk, schema

MANY = 10  # of a kind about one field in a system: from so many on they are one group, fewer are told by their record
NOBODY = Turn()  # nothing is planned, written or refused: whatever stands is for people

_F = schema.findings
RANK = sa.case((_F.c.severity == "high", 0), (_F.c.severity == "medium", 1), else_=2)


class Grouping:
    """What findings belong to, in SQL over `joined`: `what` names the group, a group's id or a record's ref."""

    def __init__(self, c: sa.Connection, turn: Turn = NOBODY) -> None:
        self.turn = turn
        self.joined = turn.joined()
        self.for_people = turn.for_people()
        told_by_cause = _F.c.cause != sa.literal_column("''")
        people, hub = self._many(c, told_by_cause)
        together = sa.or_(
            told_by_cause,
            sa.and_(self.for_people, _F.c.group_id.in_(people)),
            sa.and_(~self.for_people, _F.c.group_id.in_(hub)),
        )
        self.what: sa.ColumnElement[str] = sa.case((together, _F.c.group_id), else_=_F.c.ref)

    def _many(self, c: sa.Connection, told_by_cause: sa.ColumnElement[bool]) -> tuple[list[str], list[str]]:
        """Groups of many: of what is for people, and of what the hub goes on with."""
        theirs = sa.case((self.for_people, 1), else_=0).label("theirs")
        query = sa.select(_F.c.group_id, theirs).select_from(self.joined)
        query = query.where(_F.c.state.in_(ALIVE), ~told_by_cause).group_by(_F.c.group_id, theirs)
        found = c.execute(query.having(sa.func.count() >= MANY).order_by(_F.c.group_id)).all()
        return [r.group_id for r in found if r.theirs], [r.group_id for r in found if not r.theirs]


@dataclass(frozen=True)
class Only:
    """Which findings are asked for."""

    system: str = ""
    kind: str = ""
    owner: str = ""  # whoever they are assigned to counts as well
    states: Sequence[str] = STANDING
    for_people: bool = False  # without what the hub goes on with
    since: str = ""  # first seen then or later

    def where(self, grouping: Grouping) -> sa.ColumnElement[bool]:
        """In SQL, over what the grouping has joined."""
        asked: list[sa.ColumnElement[bool]] = [_F.c.state.in_(self.states)]
        asked += [_F.c[name] == value for name, value in (("system", self.system), ("kind", self.kind)) if value]
        if self.owner:
            asked.append(sa.func.coalesce(_F.c.assigned_to, _F.c.owner) == self.owner)
        if self.for_people:
            asked.append(grouping.for_people)
        if self.since:
            asked.append(_F.c.first_seen >= self.since)
        return sa.and_(*asked)


def groups(
    c: sa.Connection, only: Only, limit: int | None = None, grouping: Grouping | None = None, first: Sequence[str] = ()
) -> tuple[int, list[Group]]:
    """How many groups there are, and the first of them: what is severe, what costs and touches most.

    first: groups that come before others as severe as they are, where not all have room.
    """
    grouping = grouping or Grouping(c)
    parts: dict[str, list[Any]] = {}
    for row in c.execute(_parts(grouping, only)):
        parts.setdefault(row.what, []).append(row)
    before = frozenset(first)
    found = sorted(map(_folded, parts.values()), key=lambda g: (order(g)[0], g.what not in before, order(g)))[:limit]
    return len(parts), _told(c, grouping, only, sorted(found, key=order), parts)


def _parts(grouping: Grouping, only: Only) -> sa.Select[Any]:
    """What each group has of each kind, field, currency and state."""
    by = (grouping.what.label("what"), *(_F.c[n] for n in ("system", "kind", "entity", "field", "currency", "state")))
    owner = sa.func.coalesce(_F.c.assigned_to, _F.c.owner)
    return (
        sa.select(
            *by,
            sa.func.max(_F.c.cause).label("cause"),
            sa.func.min(RANK).label("rank"),
            sa.func.min(owner).label("owner"),
            sa.func.max(owner).label("last_owner"),
            sa.func.count().label("findings"),
            sa.func.max(_F.c.customers).label("customers"),
            sa.func.sum(_F.c.at_stake_cents).label("cents"),
            sa.func.min(_F.c.first_seen).label("since"),
            sa.func.min(_F.c.id).label("example"),
            sa.func.min(_F.c.ref).label("first_ref"),
            sa.func.max(_F.c.ref).label("last_ref"),
        )
        .select_from(grouping.joined)
        .where(only.where(grouping))
        .group_by(*by)
    )


def _folded(parts: Sequence[Any]) -> Group:
    """All parts of a group together; what it takes another look to know is left out."""
    first = parts[0]
    owners = {name for p in parts for name in (p.owner, p.last_owner)}
    states = {p.state for p in parts}
    refs = {ref for p in parts for ref in (p.first_ref, p.last_ref)}
    return Group(
        what=first.what,
        system=first.system,
        kinds=tuple(sorted({p.kind for p in parts})),
        entities=tuple(sorted({p.entity for p in parts})),
        fields=tuple(sorted({p.field for p in parts})),
        cause=max(p.cause for p in parts),
        severity=STEPS[2 - min(p.rank for p in parts)].value,
        owner=owners.pop() if len(owners) == 1 else SEVERAL,
        state=states.pop() if len(states) == 1 else SEVERAL,
        findings=sum(p.findings for p in parts),
        records=len(refs),
        customers=max(p.customers for p in parts),
        at_stake=_money(parts),
        since=min(p.since for p in parts),
        ref=refs.pop() if len(refs) == 1 else "",
    )


def _money(parts: Sequence[Any]) -> tuple[tuple[str, int], ...]:
    sums: dict[str, int] = {}
    for part in parts:
        sums[part.currency] = sums.get(part.currency, 0) + int(part.cents)
    return tuple(sorted(((name, n) for name, n in sums.items() if n), key=lambda one: (-one[1], one[0])))


def _told(
    c: sa.Connection, grouping: Grouping, only: Only, found: Sequence[Group], parts: Mapping[str, Sequence[Any]]
) -> list[Group]:
    """The same with how many records they have, what these are called, and what the comparison says of one finding."""
    t = schema.refined
    examples = {g.what: min(p.example for p in parts[g.what]) for g in found}
    details = bulk.where_in(c, sa.select(_F.c.id, _F.c.detail), _F.c.id, examples.values())
    detail = {r.id: r.detail for r in details}
    named = bulk.where_in(c, sa.select(t.c.ref, t.c.fields), t.c.ref, {g.ref for g in found if g.ref})
    labels = {r.ref: label(json.loads(r.fields)) for r in named}
    counted = sa.select(_F.c.group_id, sa.func.count(_F.c.ref.distinct()).label("n")).select_from(grouping.joined)
    counted = counted.where(only.where(grouping), grouping.what == _F.c.group_id).group_by(_F.c.group_id)
    several = bulk.where_in(c, counted, _F.c.group_id, [g.what for g in found if not g.ref])
    records = {r.group_id: r.n for r in several}
    return [
        replace(
            g,
            records=1 if g.ref else records[g.what],
            record=labels.get(g.ref, ""),
            detail=details_of(detail.get(examples[g.what]) or "{}"),
        )
        for g in found
    ]


def details_of(written: str) -> Mapping[str, Any]:
    """What the comparison says of a finding."""
    found = {} if written == "{}" else msgspec.json.decode(written)
    return found if isinstance(found, dict) else {}

"""Whose turn it is: what a finding waits for, a person, the hub's plan, or the next read of its system.

One definition for all who ask: the report says it of each, notices and lists of what to fix are made of what is left to
people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from omnihub.model import Outcome
from omnihub.report.wording import FOR_PEOPLE
from omnihub.sdk import Connector
from omnihub.store import schema

SECONDS = 19  # characters of an ISO time: a system may tell no parts of them

_F, _P, _D, _S = schema.findings, schema.changes, schema.dead_letters, schema.sent


@dataclass(frozen=True)
class Turn:
    """What the hub is about to do: a plan, and when it last read each stream."""

    plan_id: str = ""
    plan_state: str = ""
    read: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def now(cls, c: sa.Connection, connectors: Mapping[str, Connector], plan: Any = None) -> Turn:
        """As it stands. plan: its row; the latest there is where none is named."""
        p = schema.plans
        latest = sa.select(p.c.id, p.c.state).order_by(p.c.created_at.desc(), p.c.id.desc()).limit(1)
        row = plan or c.execute(latest).one_or_none()
        return cls(row.id if row else "", row.state if row else "", read_times(c, connectors))

    def joined(self) -> sa.FromClause:
        """Findings, each with its change in the plan, what the system refused, and what was last sent."""
        planned = sa.and_(_P.c.ref == _F.c.ref, _P.c.field == _F.c.field, _P.c.plan_id == self.plan_id)
        refused = sa.and_(_D.c.ref == _F.c.ref, _D.c.field == _F.c.field)
        sent = sa.and_(_S.c.ref == _F.c.ref, _S.c.field == _F.c.field)
        return _F.outerjoin(_P, planned).outerjoin(_D, refused).outerjoin(_S, sent)

    def status(self) -> sa.ColumnElement[str]:
        """One of `report.wording.STATUSES`, over `joined`."""
        tried_again = _P.c.outcome.in_((Outcome.DEFERRED.value, Outcome.DRIFTED.value))
        cases: list[tuple[sa.ColumnElement[bool], Any]] = [
            (self._corrected(), "corrected"),
            (_D.c.ref.is_not(None), "refused"),
            (tried_again, _P.c.outcome),
        ]
        not_yet = sa.and_(_P.c.ref.is_not(None), _P.c.outcome.is_(None))
        if self.plan_state == "blocked":
            cases.append((not_yet, "needs_approval"))
        if self.plan_state in ("ready", "approved", "applying"):
            cases.append((not_yet, "planned"))
        return sa.case(*cases, else_="to_fix")

    def for_people(self) -> sa.ColumnElement[bool]:
        """Whether somebody has to see to it, over `joined`."""
        return self.status().in_(FOR_PEOPLE)

    def _corrected(self) -> sa.ColumnElement[bool]:
        """What it should say was written after its stream was read: then the record has not spoken for itself since."""
        since: list[tuple[sa.ColumnElement[bool], str]] = []
        for (system, stream), at in sorted(self.read.items()):
            prefix = f"{system}/{stream}/"
            here = sa.and_(_F.c.system == system, sa.func.substr(_F.c.ref, 1, len(prefix)) == prefix)
            since.append((here, at[:SECONDS]))
        if not since:
            return sa.false()
        as_it_should = sa.or_(_S.c.value == _F.c.expected, _F.c.expected.is_(None))
        written = sa.func.substr(_S.c.at, 1, SECONDS, type_=sa.Text)
        return sa.and_(_S.c.ref.is_not(None), as_it_should, written >= sa.case(*since, else_=None))


def read_times(c: sa.Connection, connectors: Mapping[str, Connector]) -> dict[tuple[str, str], str]:
    """When each stream was last read; a nested stream is read with its parents."""
    t = schema.streams
    read = {(r.system, r.stream): r.read_at for r in c.execute(sa.select(t.c.system, t.c.stream, t.c.read_at))}
    nested = [(name, s.name, s.nested.of) for name, x in connectors.items() for s in x.streams if s.nested]
    read |= {(name, stream): read.get((name, of)) for name, stream, of in nested}
    return {key: at for key, at in read.items() if at}

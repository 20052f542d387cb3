"""Checks: whether what a step left behind is as it should be, in words a person can act on.

Each verdict is a plain function of numbers; the readers at the end fetch these numbers from the store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import sqlalchemy as sa

from omnihub.model import Entity, Outcome
from omnihub.store import Store, schema

RUNS = 5  # earlier runs a stream is held against
FAR_FEWER, FEWER = 0.5, 0.8  # of what there usually is: below the first something broke, below the second look at it
FEW = 10  # so many can come and go on any day
EXAMPLES = 3


@dataclass(frozen=True)
class Verdict:
    """passed, and why. severe: the numbers can't be trusted, as opposed to: have a look."""

    passed: bool
    says: str
    severe: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)


# -- verdicts --------------------------------------------------------------------------------------------------------


def pull_balances(counts: Mapping[str, Any]) -> Verdict:
    """read = new + changed + same + rejected + forgotten; the last is named only where there is any."""
    parts = ("new", "changed", "same", "rejected", *(("forgotten",) if counts.get("forgotten") else ()))
    return _equation("read", counts, parts)


def push_balances(counts: Mapping[str, int]) -> Verdict:
    """planned = written + refused + deferred + drifted."""
    return _equation("planned", counts, tuple(o.value for o in Outcome))


def _equation(whole: str, counts: Mapping[str, Any], parts: Sequence[str]) -> Verdict:
    found = {name: int(counts.get(name, 0)) for name in (whole, *parts)}
    right = " + ".join(f"{found[p]} {p}" for p in parts)
    missing = found[whole] - sum(found[p] for p in parts)
    if not missing:
        return Verdict(True, f"{found[whole]} {whole} = {right}", facts=found)
    return Verdict(False, f"{found[whole]} {whole} ≠ {right}: {missing:+d} unaccounted for", facts=found)


def complete(living: int, before: Sequence[int]) -> Verdict:
    """Whether a stream still has about as many living records as after the runs before."""
    usual = int(median(before)) if before else 0
    facts = {"living": living, "usual": usual}
    share = living / usual if usual else 1.0
    if (usual and not living) or (usual - living > FEW and share < FEWER):
        severe = share < FAR_FEWER
        then = "look at the system before this becomes deletions elsewhere" if severe else "was that meant?"
        return Verdict(False, f"{living} living records, usually {usual}: {then}", severe, facts)
    return Verdict(
        True,
        f"{living} living records" + (f", usually {usual}" if before else ", seen for the first time"),
        facts=facts,
    )


def no_orphans(orphans: Sequence[str], entity: Entity) -> Verdict:
    """Whether every ref that was recognised as somebody is a record we hold."""
    shown = ", ".join(orphans[:EXAMPLES])
    if orphans:
        says = f"{len(orphans)} {entity} refs in the crosswalk lead nowhere (for example {shown}): a fault of the hub"
        return Verdict(False, says, facts={"orphans": len(orphans)})
    return Verdict(True, "every ref in the crosswalk leads to a record and a golden record", facts={"orphans": 0})


def within_guard(plan: Mapping[str, Any]) -> Verdict:
    """Whether the plan may be carried out without anybody's approval."""
    if plan["state"] == "blocked":
        return Verdict(False, "; ".join(plan["broken"]) + f"; let it pass with `omnihub approve {plan['id']}`")
    if plan["state"] == "approved":
        return Verdict(True, f"{plan['counts']['planned']} planned changes, let pass by a person")
    return Verdict(True, f"{plan['counts']['planned']} planned changes, no limit passed")


def looked_everywhere(looked: Mapping[str, str]) -> Verdict:
    """Whether every system that may be written was seen as it is now."""
    blind = sorted(system for system, how in looked.items() if how == "could not look")
    if blind:
        return Verdict(False, f"could not look at {', '.join(blind)}: nothing is planned there", severe=False)
    return Verdict(True, "every writable system was looked at")


# -- the numbers -----------------------------------------------------------------------------------------------------


def living(store: Store, system: str) -> dict[str, int]:
    """stream → how many of its records are alive."""
    t = schema.records
    alive = sa.select(t.c.stream, sa.func.count().label("n")).where(t.c.system == system, ~t.c.deleted)
    with store.read() as c:
        return {row.stream: row.n for row in c.execute(alive.group_by(t.c.stream))}


def living_before(store: Store, run_id: str, system: str) -> dict[str, list[int]]:
    """stream → how many were alive after each of the last runs that read it to its end."""
    t = schema.runs
    query = sa.select(t.c.counts).where(t.c.id != run_id).order_by(t.c.started_at.desc(), t.c.id.desc()).limit(RUNS)
    found: dict[str, list[int]] = {}
    with store.read() as c:
        for told in c.execute(query).scalars():
            for stream in json.loads(told).get(f"pull:{system}", ()):
                if not stream["error"] and "living" in stream:
                    found.setdefault(stream["stream"], []).append(stream["living"])
    return found


def orphans(store: Store, entity: Entity) -> list[str]:
    """Refs in the crosswalk without a record, or with a golden id that does not exist."""
    x, t, g, made = schema.crosswalk, schema.refined, schema.goldens, schema.created
    just_made = sa.exists().where(made.c.ref == x.c.ref, t.c.ref.is_(None))  # no pull has shown it yet
    query = (
        sa.select(x.c.ref)
        .outerjoin(t, t.c.ref == x.c.ref)
        .outerjoin(g, g.c.id == x.c.golden_id)
        .where(x.c.entity == entity.value, sa.or_(t.c.ref.is_(None), g.c.id.is_(None)), ~just_made)
        .order_by(x.c.ref)
    )
    with store.read() as c:
        return list(c.execute(query).scalars())


def golden_records(store: Store, entity: Entity) -> int:
    """How many golden records have members."""
    g = schema.goldens
    with store.read() as c:
        return int(
            c.execute(sa.select(sa.func.count()).where(g.c.entity == entity.value, g.c.members > 0)).scalar_one()
        )


def scorecard(store: Store, run_id: str) -> dict[str, float]:
    """The scores kept of a run as numbers of their own, to be seen over time: consistency/<system>, coverage/<system>,
    consistency/<phase of the journey>, at_risk/<currency>. What could not be compared has none."""
    s, m = schema.scores, schema.stakes
    sums = [sa.func.sum(s.c[name]) for name in ("golden", "comparable", "equal")]
    found: dict[str, float] = {}
    with store.read() as c:
        for name in (s.c.system, s.c.phase):
            query = sa.select(name, *sums).where(s.c.run_id == run_id).group_by(name).order_by(name)
            for what, golden, comparable, equal in c.execute(query):
                if comparable:
                    found[f"consistency/{what}"] = float(equal / comparable)
                if golden and name is s.c.system:
                    found[f"coverage/{what}"] = float(comparable / golden)
        money = sa.select(m.c.currency, sa.func.sum(m.c.cents)).where(m.c.run_id == run_id).group_by(m.c.currency)
        found |= {f"at_risk/{currency}": float(cents / 100) for currency, cents in c.execute(money)}
    return found


def outcomes(store: Store, plan_id: str, system: str) -> dict[str, dict[str, int]]:
    """stream → planned, written, refused, deferred, drifted, left: what became of a plan's changes in one system."""
    t = schema.changes
    query = sa.select(t.c.stream, t.c.outcome, sa.func.count()).where(t.c.plan_id == plan_id, t.c.system == system)
    found: dict[str, dict[str, int]] = {}
    with store.read() as c:
        for stream, outcome, n in c.execute(query.group_by(t.c.stream, t.c.outcome)):
            counts = found.setdefault(stream, dict.fromkeys(("planned", *(o.value for o in Outcome), "left"), 0))
            counts["planned"] += n
            counts[outcome or "left"] += n
    return found

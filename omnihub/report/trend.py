"""How the scorecard went from run to run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from omnihub.report.facts import FieldScore, Point, Stake
from omnihub.report.phases import PHASES
from omnihub.report.score import by_phase


@dataclass(frozen=True)
class Scored:
    """What was counted for one run."""

    run: str
    at: str
    fields: Sequence[FieldScore]
    stakes: Sequence[Stake] = ()


def trend(runs: Iterable[Scored], masters: Collection[str]) -> tuple[Point, ...]:
    """A point for each run, in the order given. masters: are in no sum."""
    return tuple(_point(run, masters) for run in runs)


def _point(run: Scored, masters: Collection[str]) -> Point:
    mine = [f for f in run.fields if f.system not in masters]
    golden, comparable, equal = (sum(getattr(f, n) for f in mine) for n in ("golden", "comparable", "equal"))
    systems = {name: [f for f in mine if f.system == name] for name in sorted({f.system for f in mine})}
    phases = {p.phase: p.consistency for p in by_phase(mine, masters) if not p.system}
    risk: dict[str, int] = {}
    for stake in run.stakes:
        risk[stake.currency] = risk.get(stake.currency, 0) + stake.cents
    return Point(
        run=run.run,
        at=run.at,
        comparable=comparable,
        equal=equal,
        consistency=equal / comparable if comparable else None,
        coverage=comparable / golden if golden else None,
        systems=tuple((name, _consistency(some)) for name, some in systems.items()),
        phases=tuple((phase, phases[phase]) for phase in PHASES if phase in phases),
        at_risk=tuple(sorted(risk.items(), key=lambda one: (-one[1], one[0]))),
    )


def _consistency(fields: Sequence[FieldScore]) -> float | None:
    comparable = sum(f.comparable for f in fields)
    return sum(f.equal for f in fields) / comparable if comparable else None

"""Plan: the smallest correct change for every system, as a value a person can read and a hash can name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType
from typing import Any

from omnihub.model import ENTITIES, Change, Entity, Op, Ref
from omnihub.push.missing import Missing, NotMade, made_of, whole
from omnihub.push.policy import Policies, policy_for
from omnihub.sdk import Push, Upsert1

NO_POLICIES: Policies = MappingProxyType({})


@dataclass(frozen=True)
class Difference:
    """One row of what compare found: a field where a system does not hold the golden value."""

    ref: str
    field: str
    golden_id: str
    theirs: str | None
    ours: str | None
    winner: str
    rule: str


@dataclass(frozen=True)
class Plan:
    """All wished edits of one run. `hash` names exactly these; `looked` says for each system whether its present
    state was known: looked, could not look, not supported. not_made: what is missing there, and stays so."""

    changes: tuple[Change, ...]
    looked: Mapping[str, str] = field(default_factory=dict)
    not_made: NotMade = field(default_factory=Counter)

    @property
    def hash(self) -> str:
        """Names exactly these changes, whatever their order."""
        return hash_of((str(c.ref), c.field, c.old, c.new, c.op, c.exact) for c in self.changes)

    def counts(self) -> dict[str, Any]:
        """Changes and records per system, and altogether."""
        changes = Counter(c.ref.system for c in self.changes)
        records = Counter(r.system for r in {c.ref for c in self.changes})
        return {
            "planned": len(self.changes),
            "records": sum(records.values()),
            "by_system": {s: {"changes": n, "records": records[s]} for s, n in sorted(changes.items())},
        }


_line = json.JSONEncoder(ensure_ascii=False).encode


def hash_of(changes: Iterable[tuple[str, str, str | None, str | None, str, str | None]]) -> str:
    """Names exactly these changes, each as (ref, field, old, new, op, exact). Most have no exact form."""
    told = (change if change[5] is not None else change[:5] for change in changes)
    return hashlib.sha256("\n".join(sorted(map(_line, told))).encode()).hexdigest()


def make_plan(
    differences: Iterable[Difference],
    push: Mapping[tuple[str, str], Push],
    held_back: Mapping[tuple[str, str], tuple[str | None, str | None]],
    looked: Mapping[str, str],
    policies: Policies = NO_POLICIES,
    missing: Iterable[Missing] = (),
) -> Plan:
    """From differences, and from what is missing, to changes: by policy first, then what the target can take.

    push: (system, stream) → what may be written there. held_back: (ref, field) → (old, new) the system has refused
    before; the same is not tried again until one of the two has changed. looked: see `Plan`; nothing is planned for a
    system that could not be looked at. Fields of one group (an address) are written together or not at all.
    missing: golden records that may be made in a stream, by its policy.
    """
    changes: list[Change] = []
    torn: set[tuple[Ref, str]] = set()
    for d in differences:
        ref = Ref.parse(d.ref)
        may = push.get((ref.system, ref.stream))
        if may is None or d.field not in may.fields or looked.get(ref.system) != "looked":
            continue
        unit = unit_of(d.golden_id, d.field)
        wanted = _wanted(d, policy_for(policies, ref.system, d.golden_id).of(unit)) if policies else True
        if not wanted or held_back.get((d.ref, d.field)) == (d.theirs, d.ours) or _too_long(d, may):
            torn.add((ref, unit))
            continue
        back = d.ours is None
        changes.append(Change(ref, d.field, d.theirs, d.ours, _why(d), d.golden_id, Op.UPDATE, restores=back))
    kept = [c for c in changes if (c.ref, unit_of(c.golden_id, c.field)) not in torn]
    made, not_made = made_of((m for m in missing if looked.get(m.system) == "looked"), push, held_back)
    found, torn_off = whole(made, push)
    kept += found
    return Plan(tuple(sorted(kept, key=lambda c: (c.ref, c.field))), dict(looked), not_made + torn_off)


def _wanted(d: Difference, update: str) -> bool:
    """Whether the policy lets this be written at all. Of a group, one part that holds something stops all of it."""
    return update in ("always", "approve") or (update == "if_empty" and d.theirs is None)


def _too_long(d: Difference, may: Push) -> bool:
    """The target can't hold it: compare reports it, nobody plays ping-pong."""
    return d.ours is not None and len(d.ours) > may.max_length.get(d.field, len(d.ours))


def unit_of(golden_id: str, field: str) -> str:
    """What is written together: the group a field belongs to, or the field alone."""
    return ENTITIES[Entity(golden_id.partition("_")[0])][field].group or field


def _why(d: Difference) -> str:
    if d.rule == "pin":
        return "pinned by a steward"
    if d.ours is None:
        return "takes back what came from somebody who turned out to be another one; there was nothing before"
    if d.winner == d.ref and d.rule != "union":  # what it holds is somebody else's: see `flow.unmerging`
        return "gives back what it said itself, before it was taken for another one"
    source = Ref.parse(d.winner).system if d.winner else "?"
    said = "adds" if d.theirs is None else "replaces"
    return f"{said} by rule {d.rule}: the value of {source} ({d.winner})"


CALL_S = 0.3  # what a call takes, by and large, where the system does not make us wait


@dataclass(frozen=True)
class Costs:
    """calls: how many applying a plan takes in one system. turns: how many of them one after the other, at least."""

    calls: int
    turns: float


def costs_of(plan: Plan, push: Mapping[tuple[str, str], Push]) -> dict[str, Costs]:
    """What applying it takes, per system. A change is a look and a write a batch; a record made is looked for by its
    key first, and looked at afterwards; what is deleted goes one by one."""
    records = Counter((ref.system, ref.stream, op) for ref, op in {(c.ref, c.op) for c in plan.changes})
    found: dict[str, Costs] = {}
    for (system, stream, op), n in records.items():
        may = push[system, stream]
        batches = ceil(n / may.batch)
        calls = {Op.UPDATE: 2 * batches, Op.CREATE: 2 * batches + _writes(may, n), Op.DELETE: batches + n}.get(op, 0)
        before = found.get(system, Costs(0, 0))
        found[system] = Costs(before.calls + calls, before.turns + calls / may.parallel)
    return found


def _writes(may: Push, records: int) -> int:
    return records if isinstance(may.create, Upsert1) else ceil(records / may.batch)


def calls(plan: Plan, push: Mapping[tuple[str, str], Push]) -> dict[str, int]:
    """How many calls applying it will take, per system."""
    return {system: costs.calls for system, costs in costs_of(plan, push).items()}


def minutes(costs: Costs, pace: float | None) -> float:
    """How long that takes. pace: how many calls a second the system allows, where it says so.

    >>> minutes(Costs(600, 150), pace=None), minutes(Costs(600, 150), pace=1.0)
    (0.8, 10.0)
    """
    held_up_s = costs.calls / pace if pace else 0.0
    return round(max(costs.turns * CALL_S, held_up_s) / 60, 1)

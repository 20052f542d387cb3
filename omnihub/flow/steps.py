"""The steps of a run as an orchestrator calls them: each does its part and notes in the run what it did.

    pull ─▶ refine ─▶ match, merge (per entity) ─▶ compare ─▶ plan ─▶ push, deliver (per system), report

What a step notes is what `runs.balance` adds up and what the report shows; the names of the notes stand only here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from omnihub.flow.checking import living, outcomes
from omnihub.flow.comparing import compare_all
from omnihub.flow.delivering import deliver as deliver_in
from omnihub.flow.hub import Hub
from omnihub.flow.matching import match_entity
from omnihub.flow.merging import merge_entity
from omnihub.flow.planning import make_and_store_plan, open_plan
from omnihub.flow.previewing import heed_rules
from omnihub.flow.pulling import pull_system
from omnihub.flow.pushing import apply_plan
from omnihub.flow.refining import refine_system
from omnihub.flow.reporting import report as write_report
from omnihub.flow.runs import Run
from omnihub.model import Entity

UNDELIVERED = "undelivered"  # system → why its people were not told of some
SUMMED = ("read", "new", "changed", "same", "rejected", "forgotten", "gone", "pages")
Counts = dict[str, Any]


def pull(
    hub: Hub, run: Run, system: str, streams: Sequence[str], full: bool = False, again: bool = False
) -> list[Counts]:
    """Read these streams of one system. Returns for each what landing it did, and how many `living` records it has.

    again: an earlier try within this run read some of them; those that went well are not read again, and the numbers
    of the others add up.
    """
    step = f"pull:{system}"
    before = {s["stream"]: s for s in run.told().get(step, ())}
    wanted = tuple(s for s in streams if not (again and s in before and not before[s]["error"]))
    if wanted:  # none would mean all
        landed = pull_system(replace(hub, streams=lambda _: wanted), system, run.id, full)
        alive = living(hub.store, system)
        for one in landed:
            counts = one.counts() | {"living": alive.get(one.stream, 0)}
            before[one.stream] = _added(before.get(one.stream, {}), counts)
        run.note(step, list(before.values()))
    return [before[s] for s in streams if s in before]


def _added(earlier: Counts, now: Counts) -> Counts:
    return now | {name: now.get(name, 0) + earlier.get(name, 0) for name in SUMMED}


def refine(hub: Hub, run: Run, systems: Iterable[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Refine what has landed. Returns system → stream → read, changed, same, problems."""
    started = time.monotonic()
    done = {system: refine_system(hub, system) for system in systems}
    streams = {f"{system}/{stream}": counts for system, found in done.items() for stream, counts in found.items()}
    sums = {name: sum(counts[name] for counts in streams.values()) for name in ("read", "changed", "same", "problems")}
    run.note("refine", sums | {"seconds": _since(started), "streams": streams})
    return done


def match(hub: Hub, run: Run, entity: Entity) -> Counts:
    """Recognise who is who. Returns the counts of `match_entity`."""
    return _noted(run, f"match:{entity}", lambda: match_entity(hub, entity))


def merge(hub: Hub, run: Run, entity: Entity) -> Counts:
    """Bring the golden records up to date; all of them, where the rules are new. Returns `merge_entity`'s counts."""
    heed_rules(hub, entity)
    return _noted(run, f"merge:{entity}", lambda: merge_entity(hub, entity))


def compare(hub: Hub, run: Run) -> Counts:
    """Hold every system against the golden records and the masters. Returns the counts of `compare_all`."""
    return _noted(run, "compare", lambda: compare_all(hub))


def plan(hub: Hub, run: Run, dry: bool = False) -> Counts:
    """Plan what to write where. Returns id, state, counts, broken (limits passed), looked, kept.

    dry: the plan is not kept, so nothing can carry it out.
    """
    names = ("id", "state", "counts", "broken", "looked")

    def make() -> Counts:
        made = asdict(make_and_store_plan(hub, run.id, keep=not dry))
        return {name: made[name] for name in names} | {"kept": not dry}

    return _noted(run, "plan", make)


def push(hub: Hub, run: Run, system: str) -> dict[str, dict[str, int]]:
    """Carry out this run's plan (or, where it has none, the latest open plan) in one system.

    Returns stream → planned, written, refused, deferred, drifted, left; nothing where nothing is planned there.
    UnsafePlan: a guard stopped the plan and nobody approved it.
    """
    plan_id = _plan_to_carry_out(hub, run, system)
    if plan_id is None:
        return {}
    earlier = run.told().get("push", {}).get("seconds", 0)  # of the systems before
    _noted(run, "push", lambda: apply_plan(hub, plan_id, [system]), earlier)
    return outcomes(hub.store, plan_id, system)


def _plan_to_carry_out(hub: Hub, run: Run, system: str) -> str | None:
    """Its id, where it holds something for this system."""
    planned = run.told().get("plan")
    if planned is None:
        stored = open_plan(hub.store)
        planned = asdict(stored) | {"kept": True} if stored else None
    if planned is None or not planned["kept"]:
        return None
    return str(planned["id"]) if system in planned["counts"]["by_system"] else None


def deliver(hub: Hub, run: Run, system: str) -> Counts:
    """Show the people of one system, inside it, what they should put right. Returns the counts of `delivering.deliver`;
    nothing where they are not to be told. Trouble with it is told, and stops nothing."""
    counts = deliver_in(hub, run.id, system)
    if counts:
        numbers = {name: count for name, count in counts.items() if name != "error"}
        run.note("deliver", run.told().get("deliver", {}) | {system: numbers})
        others = {name: why for name, why in run.told().get(UNDELIVERED, {}).items() if name != system}
        run.note(UNDELIVERED, others | ({system: counts["error"]} if counts["error"] else {}))
    return counts


def report(hub: Hub, run: Run, folder: Path) -> Counts:
    """End the run, and write the report on it into `folder`. Returns what `flow.reporting.report` says."""
    run.end()
    return _noted(run, "report", lambda: write_report(hub, folder, run.id))


def _noted(run: Run, step: str, do: Callable[[], Mapping[str, Any]], earlier_s: float = 0) -> Counts:
    """Do it, and note what it did and in how many seconds."""
    started = time.monotonic()
    counts = dict(do())
    run.note(step, counts | {"seconds": round(earlier_s + _since(started), 2)})
    return counts


def _since(started: float) -> float:
    return round(time.monotonic() - started, 2)

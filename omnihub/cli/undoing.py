"""Undo: take back what was written, as a plan that is looked at first; and let go of what is held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape

from omnihub.cli import EXIT, OK, RED
from omnihub.cli.installation import here
from omnihub.cli.planning import draw_stopped, login, said_of, said_of_notices
from omnihub.cli.screen import BAD, DOUBTFUL, GOOD, heading, number, progress, put, table, tell
from omnihub.cli.standins import standins
from omnihub.errors import ConfigError
from omnihub.flow import Run, apply_plan
from omnihub.flow.undoing import Undoing, lift, plan_undo, undoable
from omnihub.report import TOLD_AGAIN

SHOWN = 20  # fields that are left, on the screen; JSON has all
BACK = {"removed": "notices to take away", "restored": "notices to put as they stood", "done": "notices back already"}
TITLES = {"undo": "Undo of", "redo": "Undo of the undo"}


def undo(
    what: str,
    systems: Sequence[str],
    names: Sequence[str],
    because: str,
    by: str,
    go: bool,
    as_json: bool,
) -> int:
    """Plan it, and write it where that is asked for (`go`). Returns the exit code."""
    if not what:
        raise ConfigError("undo: say what: a run, a plan, or last; `omnihub status` shows the runs")
    reason = because.strip() or f"omnihub undo {what}"
    installation = here()
    with installation.store() as store, store.read() as c:
        undoable(c, what)  # what nobody knows need not call anybody
    with standins(installation), progress() as told, installation.hub(told) as hub:
        run = Run.start(hub.store)
        found = plan_undo(hub, what, by or login(), reason, run.id, systems, names)
        state = found.plan.state if found.plan else "nothing to do"
        run.note("plan", {"id": found.plan.id, "state": state} if found.plan else {"state": state})
        pushed: Mapping[str, int] | None = None
        if go and found.plan and state == "ready":
            pushed = apply_plan(hub, found.plan.id)
            run.note("push", pushed)
        ended = run.end()["state"]
    facts = _facts(found, state, run.id, ended, pushed)
    tell(facts, as_json, lambda console: _draw(console, facts))
    return RED if state == "blocked" else EXIT[ended] if pushed is not None else OK


def _facts(found: Undoing, state: str, run_id: str, ended: str, pushed: Mapping[str, int] | None) -> dict[str, Any]:
    counts = found.plan.counts if found.plan else {"planned": 0, "records": 0, "by_system": {}, "calls": {}}
    return {
        "run": run_id,
        "plan": found.plan.id if found.plan else None,
        "kind": found.kind,
        "of": list(found.of),
        "state": ended if pushed is not None else state,
        "planned": counts["planned"],
        "records": counts["records"],
        "by_system": counts["by_system"],
        "calls": counts["calls"],
        "back_already": found.done,
        "notices": found.notices,
        "left": [asdict(one) for one in found.left],
        "stopped_by": list(found.plan.broken) if found.plan else [],
        "written": pushed,
    }


def _draw(console: Console, facts: Mapping[str, Any]) -> None:
    heading(console, f"{TITLES[facts['kind']]} {', '.join(facts['of'])}", facts["state"])
    if facts["planned"]:
        drawn = table("system", "records", "fields", "calls", right=("records", "fields", "calls"))
        for system, counts in facts["by_system"].items():
            drawn.add_row(system, *map(number, (counts["records"], counts["changes"], facts["calls"].get(system))))
        put(console, drawn)
    if facts["back_already"]:
        put(console, f"{GOOD} back already: {facts['back_already']:,}")
    _draw_notices(console, facts)
    if not facts["plan"] and not facts["left"]:
        put(console, f"{GOOD} nothing to take back")
    _draw_left(console, facts["left"])
    draw_stopped(console, facts)
    if facts["written"] is not None:
        mark = GOOD if facts["state"] == "ok" else DOUBTFUL
        put(console, f"{mark} planned {facts['planned']:,} = {said_of(facts['written'])}")
        if notices := said_of_notices(facts["written"]):
            put(console, f"{mark} {notices}")
        put(console, "[dim]what is back is not written again while nothing about it changes; else:[/] "
                     "[bold]omnihub undo --lift[/]")  # fmt: skip
    elif facts["plan"]:
        put(console, f"[dim]each change:[/] [bold]omnihub plan show {facts['plan']}[/]")
        if facts["state"] == "ready":
            put(console, f"[dim]write them:[/]  [bold]omnihub apply {facts['plan']}[/]")
    console.print()


def _draw_notices(console: Console, facts: Mapping[str, Any]) -> None:
    """What people were told and goes back, a line a system."""
    for system, counts in facts["notices"].items():
        for name, words in BACK.items():
            if counts[name]:
                put(console, f"{GOOD} {system}: {number(counts[name])} {words}")
    if any(counts["removed"] or counts["restored"] for counts in facts["notices"].values()):
        put(console, f"[dim]{TOLD_AGAIN} To tell nothing there:[/] [bold]report: false[/] [dim]below the system[/]")


def _draw_left(console: Console, left: Sequence[Mapping[str, Any]]) -> None:
    for one in left[:SHOWN]:
        now = "no value" if one["now"] is None else one["now"]
        put(
            console,
            f"{DOUBTFUL} {escape(one['ref'])} {one['field']} is left: {escape(one['why'])} "
            f"[dim](now {escape(now)}, before {escape(one['before'] or 'no value')})[/]",
        )
    if len(left) > SHOWN:
        reasons = Counter(one["why"] for one in left)
        put(console, f"{DOUBTFUL} and {len(left) - SHOWN:,} more; of all that is left:")
        for why, count in reasons.most_common():
            put(console, f"  {number(count)} {escape(why)}")


# -- letting go ------------------------------------------------------------------------------------------------------


def let_go(what: str, systems: Sequence[str], names: Sequence[str], by: str, as_json: bool) -> None:
    """Let the hub write again what was undone."""
    with here().store() as store:
        gone = lift(store, by or login(), what, systems, names)

    def draw(console: Console) -> None:
        for one in gone[:SHOWN]:
            console.print(f"{escape(one['ref'])} {one['field']}: written again when the next plan finds it differs")
        if len(gone) > SHOWN:
            console.print(f"… and {len(gone) - SHOWN:,} more")
        if not gone:
            console.print(f"{BAD} nothing like that is held; `omnihub status` says how much is")

    tell({"lifted": gone}, as_json, draw)

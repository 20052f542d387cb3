"""Sync: the whole loop through Dagster's two jobs; and the demo, which is a sync of an invented world, scored."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from omnihub.cli import EXIT, RED
from omnihub.cli.installation import Installation, here
from omnihub.cli.sandboxing import draw_score, empty_hub, held_against_truth, only_invented
from omnihub.cli.screen import BAD, DOUBTFUL, GOOD, Telling, heading, number, progress, put, seconds, table, tell
from omnihub.cli.standins import standins
from omnihub.errors import ConfigError
from omnihub.sandbox.reset import reset

PULLED = ("read", "new", "changed", "same", "rejected", "gone")
PUSHED = ("planned", "written", "refused", "deferred", "drifted")


def sync(systems: Sequence[str], *, full: bool, dry_run: bool, as_json: bool) -> int:
    """Run the loop and say what it did. Returns the exit code."""
    installation = here()
    names = installation.named(systems)
    with standins(installation, _load_dagster):
        told = run(installation, names, full=full, dry_run=dry_run)
    tell(told, as_json, lambda console: _draw(console, told, dry_run))
    return EXIT.get(told["state"], RED)


def _load_dagster() -> None:
    """It takes seconds, in which the stand-ins can start."""
    import omnihub.definitions  # noqa: F401


def run(
    installation: Installation, systems: Sequence[str] = (), *, full: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """One run of the loop. Returns its numbers, as `sync --json` prints them."""
    from omnihub.definitions import run_sync

    started = time.monotonic()
    with progress() as shown:
        watch = _Watch(shown)
        said = run_sync(installation.config, list(systems) or None, full=full, dry_run=dry_run, progress=watch)
    seconds_ = round(time.monotonic() - started, 1)
    return _flat(said) | {"seconds": seconds_, "pulled_in_seconds": watch.pulls}


class _Watch:
    """How long each system was read: they are read one after the other, so from the last page of one to the next's."""

    def __init__(self, shown: Telling) -> None:
        self.shown, self.at, self.pulls = shown, time.monotonic(), dict[str, float]()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        now, (system, of, _) = time.monotonic(), what.partition("/")
        if of and " " not in what:  # system/stream; other work has its verb before it
            self.pulls[system] = round(self.pulls.get(system, 0.0) + now - self.at, 1)
        self.at = now
        self.shown(what, done, total)


def _flat(said: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a run in one document. `planned` also counts what a dry run or a guard kept from being written."""
    steps = said["steps"]
    plan = steps.get("plan", {})
    pushed = {name: said["push"][name] for name in PUSHED}
    return {
        "run": said["run"],
        "state": said["state"],
        **said["pull"],
        **pushed,
        "planned": max(pushed["planned"], plan.get("counts", {}).get("planned", 0)),
        "applied": "push" in steps,
        "balanced": said["balanced"],
        "blocked": said["blocked"],
        "failed": said["failed"],
        "waiting": said["waiting"],
        "stopped": said.get("stopped", {}),
        "delivered": said["deliver"],
        "undelivered": said["undelivered"],
        "plan": said["plan"],
        "report": said.get("report"),
        "dagster": said.get("dagster"),
        "steps": steps,
    }


# -- drawn -----------------------------------------------------------------------------------------------------------


def _draw(console: Console, told: Mapping[str, Any], dry_run: bool) -> None:
    heading(console, f"{'Dry run' if dry_run else 'Sync'} {told['run']}", seconds(told["seconds"]))
    draw_steps(console, told)
    draw_balance(console, told)
    plan = told.get("plan")
    if told["blocked"] and plan:
        for reason in told["steps"]["plan"]["broken"]:
            put(console, f"{BAD} {escape(reason)}")
        put(console, f"{BAD} stopped by a guard: look with [bold]omnihub plan show {plan}[/], let it pass with")
        put(console, f"  [bold]omnihub approve {plan} --because …[/], then [bold]omnihub apply[/]")
    elif dry_run:
        put(console, f"{told['planned']:,} changes would be written; none was")
    elif not told["planned"] and told["state"] == "ok":
        put(console, f"{GOOD} nothing to write: what the hub may correct agrees")
    if told["planned"] and (page := (told.get("report") or {}).get("plan")):
        put(console, f"[dim]customer by customer:[/] {page}")
    if left := (told.get("report") or {}).get("for_people"):
        put(
            console,
            f"{DOUBTFUL} {left:,} left for people: [bold]omnihub findings --to-fix[/], or {told['report']['html']}",
        )
    console.print()


ORDER = ("pull", "refine", "match", "merge", "compare", "plan", "push", "deliver", "report")


def _place(step: str) -> tuple[int, str]:
    """In the order of the flow, whatever the order in which they were carried out."""
    word = step.partition(":")[0]
    return (ORDER.index(word) if word in ORDER else len(ORDER), step)


def draw_steps(console: Console, told: Mapping[str, Any]) -> None:
    """A line a step: what it did, in how long."""
    drawn = table("step", "what it did", "seconds", right=("seconds",), fold=("what it did",))
    for name in sorted(told["steps"].keys() - {"stopped", "undelivered"}, key=_place):
        counts = told["steps"][name]
        took = _seconds(told, name)
        drawn.add_row(name.replace(":", " "), _did(counts), f"{took:.1f}" if isinstance(took, (int, float)) else "")
    put(console, drawn)


def _seconds(told: Mapping[str, Any], step: str) -> float | None:
    counts = told["steps"][step]
    found: float | None
    if isinstance(counts, Mapping):
        found = counts.get("seconds")
    else:
        found = told["pulled_in_seconds"].get(step.partition(":")[2])
    return found


def _did(counts: Any) -> str:
    """The numbers of a step that are not nought, in words; of several streams, their sum."""
    if isinstance(counts, list):
        sums = {name: sum(one.get(name, 0) for one in counts) for name in PULLED}
        failed = [one["stream"] for one in counts if one.get("error")]
        return _did({"streams": len(counts), **sums}) + (f" · [red]failed: {', '.join(failed)}[/]" if failed else "")
    if not isinstance(counts, Mapping):
        return str(counts)
    if counts and all(isinstance(value, Mapping) for value in counts.values()):
        names = dict.fromkeys(name for one in counts.values() for name in one)
        return _did({name: sum(one.get(name, 0) for one in counts.values()) for name in names if name != "seconds"})
    counts = {**counts.get("counts", {}), **counts}  # a plan has its numbers within, and how far it had read
    shown = [
        f"{value:,} {name.replace('_', ' ')}"
        for name, value in counts.items()
        if name not in ("seconds", "as_of") and isinstance(value, int) and not isinstance(value, bool) and value
    ]
    return " · ".join(shown) or "[dim]nothing to do[/]"


def draw_balance(console: Console, told: Mapping[str, Any]) -> None:
    """The two equations of a run."""
    mark = GOOD if told["balanced"] else BAD
    put(console, f"{mark} read {told['read']:,} = " + " + ".join(f"{told[name]:,} {name}" for name in PULLED[1:5]))
    if told["applied"] or not told["planned"]:
        put(
            console,
            f"{mark} planned {told['planned']:,} = " + " + ".join(f"{told[name]:,} {name}" for name in PUSHED[1:]),
        )
    alike: dict[str, list[str]] = {}
    for where, _, error in (failure.partition(": ") for failure in (*told["failed"], *told["waiting"])):
        alike.setdefault(error, []).append(where)
    for error, streams in alike.items():
        put(console, f"{DOUBTFUL} {', '.join(streams)}: {escape(error)}")
    for system, why in told["undelivered"].items():
        put(console, f"{DOUBTFUL} {system}: its people were not told of everything: {escape(why)}")
    broke_off: dict[str, list[str]] = {}
    for step, why in told["stopped"].items():
        broke_off.setdefault(why, []).append(step)
    for why, steps in broke_off.items():
        put(console, f"{BAD} {', '.join(steps)} broke off: {escape(why)}")


# -- demo ------------------------------------------------------------------------------------------------------------


def demo(customers: int, seed: int) -> int:
    """A new world, the whole loop, the score. Returns the exit code."""
    installation = here()
    config = installation.config
    if not config.sandbox:
        raise ConfigError(
            "demo: these settings name real systems, and the demo must not meet them; run it in an empty folder, "
            "or with OMNIHUB_CONFIG naming a file without urls"
        )
    console = Console(highlight=False)
    heading(console, "OmniHub demo", f"{customers:,} customers, seed {seed}")
    with installation.store() as store:
        only_invented(store)
        put(console, f"empties the sandbox in {config.home} and the hub's store {config.store_shown}")
        empty_hub(store)
    started = time.monotonic()
    with progress() as shown:
        card = reset(config.home, installation.standins(), customers, seed, datetime.now(UTC), shown)
    _draw_world(console, card, time.monotonic() - started)
    with standins(installation, _load_dagster):
        told = run(installation)
    heading(console, "The loop", seconds(told["seconds"]))
    draw_steps(console, told)
    draw_balance(console, told)
    with installation.store() as store:
        found = held_against_truth(store, config.home)
    heading(console, "What the hub believes, held against the truth")
    draw_score(console, found)
    _draw_report(console, told)
    _draw_next(console)
    return EXIT.get(told["state"], RED)


def _draw_world(console: Console, card: Mapping[str, Any], took_s: float) -> None:
    records = card["records"]
    heading(console, "The world", f"{sum(records.values()):,} records in {len(records)} systems · {seconds(took_s)}")
    drawn = table("system", "records", right=("records",))
    for system, count in records.items():
        drawn.add_row(system, number(count))
    put(console, drawn)


def _draw_report(console: Console, told: Mapping[str, Any]) -> None:
    found = told.get("report") or told["steps"].get("report") or {}
    path = found.get("html") or found.get("folder") if isinstance(found, Mapping) else found
    if path:
        heading(console, "The report")
        put(console, str(path))


def _draw_next(console: Console) -> None:
    heading(console, "What next")
    me = _how_to_call_me()
    for command, why in (
        ("sync", "again: nothing left to say"),
        ("sandbox mutate", "people edit records; sync again writes what follows"),
        ("up", "stand-ins, Dagster and the report in a browser"),
    ):
        put(console, f"[bold]{f'{me} {command}':<{len(me) + 16}}[/] [dim]{why}[/]")
    console.print()


def _how_to_call_me() -> str:
    """The command as it can be typed here: after `make demo` nobody has put .venv/bin on the path yet."""
    if shutil.which("omnihub"):
        return "omnihub"
    mine = Path(sys.executable).parent / "omnihub"
    return str(mine.relative_to(Path.cwd()) if mine.is_relative_to(Path.cwd()) else mine)

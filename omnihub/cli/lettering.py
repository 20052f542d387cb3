"""Dead letters: what systems refused, why, and the way out; try them again, or give them up."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from omnihub.cli import EXIT, OK, RED
from omnihub.cli.installation import here
from omnihub.cli.screen import BAD, DOUBTFUL, GOOD, heading, progress, put, table, tell
from omnihub.cli.standins import standins
from omnihub.errors import OmniHubError
from omnihub.flow import Hub, Run, apply_plan, letters, make_and_store_plan
from omnihub.flow.letters import Letter, Refused
from omnihub.flow.planning import Replay

SHOWN = 50  # at most; JSON has all
OUTCOMES = ("planned", "written", "refused", "deferred", "drifted")

Facts = dict[str, Any]


# -- look ------------------------------------------------------------------------------------------------------------


def show_all(system: str, as_json: bool) -> None:
    """Every dead letter, the latest first."""
    with here().store() as store, store.read() as c:
        found = letters.letters(c, system)
    tell([asdict(one) for one in found], as_json, lambda console: _draw_all(console, found))


def _draw_all(console: Console, found: Sequence[Letter]) -> None:
    if not found:
        put(console, f"{GOOD} no dead letters: every system took what it was sent")
        return
    drawn = table(
        "letter", "record", "fields", "why", "tries", "since", "", right=("tries",), fold=("record", "fields")
    )
    for one in found[:SHOWN]:
        fields = ", ".join(cell.field for cell in one.fields)
        state = "[dim]given up[/]" if one.state == "given up" else ""
        drawn.add_row(one.id, escape(one.ref), fields, one.cause, str(one.attempts), one.first_at[:10], state)
    put(console, drawn)
    if len(found) > SHOWN:
        put(console, f"[dim]… and {len(found) - SHOWN:,} more: --system, or --json for all[/]")
    for code in sorted({one.cause for one in found}):
        cause = letters.BY_CODE[code]
        put(console, f"[bold]{code}[/]: {cause.means}")
        put(console, f"[dim]→ {cause.way_out}[/]")
    put(console, "[dim]one of them whole:[/] [bold]omnihub letters show LETTER[/]")


def show(name: str, as_json: bool) -> None:
    """One letter, whole."""
    with here().store() as store, store.read() as c:
        one = letters.letter(c, name)
    tell(asdict(one), as_json, lambda console: _draw(console, one))


def _draw(console: Console, one: Letter) -> None:
    heading(console, f"{one.id}   {one.ref}", one.state)
    tries = "once" if one.attempts == 1 else f"{one.attempts} times"
    put(console, f"[dim]golden record {one.golden_id or '?'} · tried {tries}, first {one.first_at}, last {one.at}[/]")
    by_answer = sorted(one.fields, key=_answered)
    for _, cells in groupby(by_answer, key=_answered):
        _draw_refused(console, list(cells))
    put(console, f"[dim]try it again:[/] [bold]omnihub letters replay {one.id}[/]")
    if one.state != "given up":
        put(console, f"[dim]or never:[/]     [bold]omnihub letters give-up {one.id} --because …[/]")
    console.print()


def _answered(cell: Refused) -> tuple[str, str, str]:
    """What refused this field: those with the same were refused together."""
    return cell.code, cell.message, cell.given_up_at or ""


def _draw_refused(console: Console, cells: Sequence[Refused]) -> None:
    """Fields old → new, and the one answer to all of them."""
    for cell in cells:
        put(console, f"[bold]{cell.field}[/]  [dim]{escape(cell.why or '')} · {cell.plan}[/]")
        console.print(Padding(_values(cell.old, cell.new), (0, 0, 0, 4)))
    first = cells[0]
    cause = letters.BY_CODE[first.cause]
    answer = f"{first.code}: {first.message}" if first.code and first.message else first.message or first.code
    put(console, f"{BAD} {escape(answer)}")
    put(console, f"[bold]{cause.code}[/]: {cause.means}")
    put(console, f"[dim]→ {cause.way_out}[/]")
    if first.given_up_at:
        by, because = escape(first.given_up_by or "?"), escape(first.because or "")
        put(console, f"given up by {by}, {first.given_up_at}: {because}")


def _values(old: str | None, new: str | None) -> Table:
    drawn = Table.grid(padding=(0, 2, 0, 0))
    told = (escape(value) if value is not None else "–" for value in (old, new))
    drawn.add_row(*(part for part in (next(told), "[dim]→[/]", next(told))))
    return drawn


# -- replay ----------------------------------------------------------------------------------------------------------


def replay(name: str, every: bool, system: str, plan_only: bool, by: str, as_json: bool) -> int:
    """Plan what these letters are about anew, and carry that out. Returns the exit code."""
    installation = here()
    with standins(installation), progress() as told, installation.hub(told) as hub:
        chosen = _chosen(hub, name, system) if not every else _all_waiting(hub, system)
        facts = _replayed(hub, chosen, plan_only, by or _me())
    tell(facts, as_json, lambda console: _draw_replayed(console, facts))
    return RED if facts["state"] == "blocked" else EXIT.get(facts["state"], OK)


def _chosen(hub: Hub, name: str, system: str) -> list[Letter]:
    with hub.store.read() as c:
        one = letters.letter(c, name)
    if system and one.system != system:
        raise OmniHubError(f"letters: {one.id} is about {one.ref}, not about {system}")
    return [one]


def _all_waiting(hub: Hub, system: str) -> list[Letter]:
    """What was given up is tried again only by its name."""
    with hub.store.read() as c:
        return [one for one in letters.letters(c, system) if one.state == "waiting"]


def _replayed(hub: Hub, chosen: Sequence[Letter], plan_only: bool, author: str) -> Facts:
    run = Run.start(hub.store)
    wanted = Replay(tuple(one.id for one in chosen), letters.units(chosen), author)
    plan = make_and_store_plan(hub, run.id, replay=wanted)
    run.note(
        "plan", {name: asdict(plan)[name] for name in ("id", "state", "counts", "broken", "looked")} | {"kept": True}
    )
    planned = plan.counts["planned"]
    counts: Mapping[str, int] = {"planned": planned}
    if planned and not plan_only and plan.state != "blocked":
        counts = apply_plan(hub, plan.id)
        run.note("push", counts)
    ended = run.end()["state"]
    blind = sorted({one.system for one in chosen if plan.looked.get(one.system) == "could not look"})
    nothing = "partial" if blind else "nothing to do"
    state = nothing if not planned else plan.state if plan_only or plan.state == "blocked" else ended
    return {
        "run": run.id,
        "plan": plan.id if planned else None,
        "state": state,
        "letters": len(chosen),
        **{outcome: counts.get(outcome, 0) for outcome in OUTCOMES},
        "stopped_by": list(plan.broken),
        "blind": blind,
        "still_dead": _left(hub, chosen),
    }


def _left(hub: Hub, chosen: Sequence[Letter]) -> list[str]:
    with hub.store.read() as c:
        there = {one.id for one in letters.letters(c)}
    return [one.id for one in chosen if one.id in there]


def _draw_replayed(console: Console, facts: Mapping[str, Any]) -> None:
    heading(console, f"Replay {facts['plan'] or ''}", facts["state"])
    if not facts["letters"]:
        put(console, f"{GOOD} no dead letter is waiting")
    elif not facts["planned"] and not facts["still_dead"]:
        put(console, f"{GOOD} there was nothing to write for these letters any more: they are closed")
    elif not facts["planned"] and not facts["blind"]:
        put(
            console,
            f"{DOUBTFUL} no golden record wishes this now; what an undo could not restore is tried again by the undo",
        )
        put(console, "[dim]that is:[/] [bold]omnihub undo PLAN[/]")
    for system in facts["blind"]:
        put(console, f"{DOUBTFUL} {system}: could not look, so nothing is planned there; `omnihub status` says why")
    for reason in facts["stopped_by"]:
        put(console, f"{BAD} {escape(reason)}")
    if facts["state"] == "blocked":
        put(console, f"[dim]let it pass:[/] [bold]omnihub approve {facts['plan']} --because …[/]")
    if facts["state"] in ("blocked", "ready"):
        put(console, f"[dim]look at it:[/]  [bold]omnihub plan show {facts['plan']}[/]")
        put(console, f"[dim]write it:[/]    [bold]omnihub apply {facts['plan']}[/]")
    elif facts["planned"]:
        said = " + ".join(f"{facts[name]:,} {name}" for name in OUTCOMES[1:])
        put(console, f"{DOUBTFUL if facts['still_dead'] else GOOD} planned {facts['planned']:,} = {said}")
    for letter in facts["still_dead"][:SHOWN]:
        put(console, f"[dim]still dead:[/] [bold]omnihub letters show {letter}[/]")
    console.print()


# -- give up ---------------------------------------------------------------------------------------------------------


def give_up(name: str, because: str, by: str, as_json: bool) -> None:
    """Never try it again."""
    with here().store() as store:
        one = letters.give_up(store, name, by or _me(), because)
    tell(
        asdict(one),
        as_json,
        lambda console: put(console, f"{GOOD} {one.id} is given up: {escape(one.ref)} keeps what it has"),
    )


def new_key() -> None:
    """Print a key."""
    typer.echo(letters.new_key())


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without names
        return "unknown"

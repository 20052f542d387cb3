"""Plan, show, approve, apply: the writing half of the loop, one step at a time."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from omnihub.cli import EXIT, OK, RED
from omnihub.cli.installation import here
from omnihub.cli.screen import BAD, DOUBTFUL, GOOD, heading, number, progress, put, table, tell
from omnihub.cli.standins import standins
from omnihub.errors import ConfigError
from omnihub.flow import Hub, Run, apply_plan, open_plan, steps
from omnihub.flow import approve as let_pass
from omnihub.model import GOLDEN
from omnihub.store import Store, schema

OUTCOMES = ("planned", "written", "refused", "deferred", "drifted", "left")
REF_AT_END = re.compile(r" \([^()]*\)$")
_COLUMNS = ("n", "system", "ref", "field", "old", "new", "why", "op", "golden_id", "outcome")


# -- plan ------------------------------------------------------------------------------------------------------------


def plan(as_json: bool) -> int:
    """Bring everything up to what is landed, and plan. Calls no system. Returns the exit code."""
    with progress() as told, here().hub(told) as hub:
        run = Run.start(hub.store)
        made = _reconcile(hub, run)
        run.end()
        kept = open_plan(hub.store)
    facts = _facts(made, kept is not None and kept.id == made["id"])
    tell(facts, as_json, lambda console: _draw_plan(console, facts))
    return RED if made["state"] == "blocked" else OK


def _reconcile(hub: Hub, run: Run) -> dict[str, Any]:
    steps.refine(hub, run, hub.connectors)
    for entity in GOLDEN:
        steps.match(hub, run, entity)
        steps.merge(hub, run, entity)
    steps.compare(hub, run)
    return steps.plan(hub, run)


def _facts(plan: Mapping[str, Any], kept: bool = True) -> dict[str, Any]:
    """A plan in a document; one with nothing in it was not kept and has no id."""
    counts = plan["counts"]
    return {
        "plan": plan["id"] if kept else None,
        "state": plan["state"] if kept else "nothing to do",
        "planned": counts["planned"],
        "records": counts["records"],
        "by_system": counts["by_system"],
        "calls": counts.get("calls", {}),
        "stopped_by": list(plan["broken"]),
        "looked": dict(plan["looked"]),
    }


def _draw_plan(console: Console, facts: Mapping[str, Any]) -> None:
    heading(console, f"Plan {facts['plan'] or ''}", facts["state"])
    blind = [system for system, word in facts["looked"].items() if word == "could not look"]
    if facts["planned"]:
        drawn = table("system", "records", "changes", "calls", right=("records", "changes", "calls"))
        for system, counts in facts["by_system"].items():
            drawn.add_row(system, *map(number, (counts["records"], counts["changes"], facts["calls"].get(system))))
        put(console, drawn)
    elif not blind:
        put(console, f"{GOOD} every system agrees: nothing to write")
    for system in blind:
        put(console, f"{DOUBTFUL} {system}: could not look, so nothing is planned there; `omnihub status` says why")
    draw_stopped(console, facts)
    if facts["plan"]:
        put(console, f"[dim]each change:[/] [bold]omnihub plan show {facts['plan']}[/]")
        if not facts["stopped_by"]:
            put(console, "[dim]write them:[/]  [bold]omnihub apply[/]")
    console.print()


def draw_stopped(console: Console, facts: Mapping[str, Any]) -> None:
    """The limits it passed, and how to let it pass."""
    for reason in facts["stopped_by"]:
        put(console, f"{BAD} {escape(reason)}")
    if facts["stopped_by"] and facts["state"] == "blocked":
        put(console, f"[dim]let it pass:[/] [bold]omnihub approve {facts['plan']} --because …[/]")


# -- show ------------------------------------------------------------------------------------------------------------


def show(plan_id: str | None, limit: int, as_json: bool) -> None:
    """A stored plan, change by change."""
    with here().store() as store:
        stored = open_plan(store, plan_id or _latest(store))
        if stored is None:
            raise ConfigError(f"there is no plan {plan_id or 'yet'}; `omnihub plan` makes one")
        changes = _changes(store, stored.id, None if as_json else limit)
    facts = _facts(asdict(stored)) | {"kind": stored.kind, "about": stored.about}
    tell(
        facts | {"hash": stored.hash, "changes": changes},
        as_json,
        lambda console: _draw_changes(console, facts, changes),
    )


def _latest(store: Store) -> str | None:
    p = schema.plans
    with store.read() as c:
        return c.execute(sa.select(p.c.id).order_by(p.c.created_at.desc(), p.c.id.desc()).limit(1)).scalar()


def _changes(store: Store, plan_id: str, limit: int | None) -> list[dict[str, Any]]:
    t = schema.changes
    query = sa.select(*(t.c[name] for name in _COLUMNS)).where(t.c.plan_id == plan_id).order_by(t.c.n).limit(limit)
    with store.read() as c:
        return [dict(row._mapping) for row in c.execute(query)]


def _draw_changes(console: Console, facts: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> None:
    beside = f"{facts['state']} · {facts['planned']:,} changes of {facts['records']:,} records"
    heading(console, f"Plan {facts['plan']}", beside)
    _draw_about(console, facts["kind"], facts["about"])
    for ref, of_record in groupby(changes, key=lambda change: change["ref"]):
        put(console, f"[bold]{ref}[/]")
        console.print(Padding(_fields(of_record), (0, 0, 0, 4)))
    if facts["planned"] > len(changes):
        put(console, f"[dim]… and {facts['planned'] - len(changes):,} more: --limit, or --json for all[/]")
    draw_stopped(console, facts)
    console.print()


TAKES_BACK = {"undo": "an undo of", "redo": "takes back the undo"}


def _draw_about(console: Console, kind: str, about: Mapping[str, Any] | None) -> None:
    """Of an undo: what it takes back, who asked for it and why, and how much it leaves; of a replay, which letters."""
    if about is None:
        return
    if kind == "replay":
        put(console, f"[bold]tries again {', '.join(about['letters'][:3])}[/], by {escape(about['author'])}")
        return
    of = escape(", ".join(about["undoes"]))
    put(console, f"[bold]{TAKES_BACK[kind]} {of}[/], by {escape(about['author'])}: {escape(about['reason'])}")
    if about["left"]:
        fields = ", ".join(f"{one['ref']} {one['field']} ({one['why']})" for one in about["left"][:3])
        put(console, f"{DOUBTFUL} {len(about['left']):,} left as they are: {escape(fields)} …")


def _fields(changes: Iterable[Mapping[str, Any]]) -> Table:
    """field, old → new, why; as wide as the screen, so that all records stand in line."""
    drawn = Table.grid(padding=(0, 2, 0, 0), expand=True)
    drawn.add_column(width=18)
    for share in (3, None, 3, 4):
        drawn.add_column(ratio=share, overflow="fold")
    for change in changes:
        old, new = (escape(change[of]) if change[of] is not None else "–" for of in ("old", "new"))
        why = REF_AT_END.sub("", change["why"])  # the whole of it is in the JSON, and in `explain`
        drawn.add_row(change["field"], f"[dim]{old}[/]", "[dim]→[/]", new, f"[dim]{escape(why)}[/]")
    return drawn


# -- approve ---------------------------------------------------------------------------------------------------------


def approve(plan_id: str, because: str, by: str, as_json: bool) -> None:
    """Let exactly this plan pass."""
    reason = because.strip()
    if not reason:
        raise ConfigError('approve: say why, in words somebody can read next year: --because "…"')
    author = by or login()
    with here().store() as store:
        stored = let_pass(store, plan_id, author, reason)
    facts = {"plan": stored.id, "state": stored.state, "by": author, "because": reason, "hash": stored.hash}
    tell(
        facts,
        as_json,
        lambda console: put(console, f"{GOOD} {stored.id} may pass; write it with [bold]omnihub apply[/]"),
    )


def login() -> str:
    """Who types."""
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    raise ConfigError("approve: this process has no login name; say who approves with --by")


# -- apply -----------------------------------------------------------------------------------------------------------


def apply(plan_id: str | None, as_json: bool) -> int:
    """Write a stored plan. Returns the exit code."""
    installation = here()
    with installation.store() as store:
        stored = open_plan(store, plan_id)
    if stored is None and plan_id is None:
        facts: dict[str, Any] = {"plan": None, "state": "nothing to do"} | dict.fromkeys(OUTCOMES, 0)
        tell(facts, as_json, lambda console: put(console, f"{GOOD} no plan is waiting: nothing to write"))
        return OK
    wanted = stored.id if stored else str(plan_id)
    with standins(installation), progress() as told, installation.hub(told) as hub:
        counts = apply_plan(hub, wanted)
        run = Run.start(hub.store)
        run.note("push", counts)
        run.note("applied", {"plan": wanted})  # by which `undo` finds it, though another run has made it
        ended = run.end()
    state = "partial" if counts["left"] else ended["state"]  # what is left goes on with the next `apply`
    facts = {"plan": wanted, "run": run.id, "state": state, **counts}
    tell(facts, as_json, lambda console: _draw_applied(console, facts))
    return EXIT[state]


def _draw_applied(console: Console, facts: Mapping[str, Any]) -> None:
    heading(console, f"Applied {facts['plan']}", facts["state"])
    mark = GOOD if facts["state"] == "ok" else DOUBTFUL
    put(console, f"{mark} planned {facts['planned']:,} = {said_of(facts)}")
    console.print()


def said_of(counts: Mapping[str, Any]) -> str:
    """The outcomes of a plan, added up."""
    return " + ".join(f"{counts[name]:,} {name}" for name in OUTCOMES[1:] if counts[name] or name != "left")

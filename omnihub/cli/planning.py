"""Plan, show, approve, apply: the writing half of the loop, one step at a time."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from omnihub import report
from omnihub.cli import EXIT, OK, RED
from omnihub.cli.installation import here
from omnihub.cli.screen import BAD, DOUBTFUL, GOOD, heading, number, progress, put, table, tell
from omnihub.cli.standins import standins
from omnihub.errors import ConfigError
from omnihub.flow import Hub, Run, apply_plan, open_plan, showing, steps
from omnihub.flow import approve as let_pass
from omnihub.flow.planning import Stored
from omnihub.model import GOLDEN
from omnihub.store import schema

OUTCOMES = ("planned", "written", "refused", "deferred", "drifted", "left")
NOTICES = "notices_"  # what the counts of an undo's notices begin with
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
        "minutes": counts.get("minutes", {}),
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
        put(console, f"{GOOD} nothing to write: what the hub may correct agrees")
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


def show(
    plan_id: str | None,
    limit: int,
    as_json: bool,
    system: str = "",
    customer: str = "",
    html: Path | None = None,
    markdown_: Path | None = None,
) -> None:
    """A stored plan, or a part of it, told customer by customer: on the screen, or into files."""
    installation = here()
    titles = {name: connector.title for name, connector in installation.connectors.items()}
    with installation.store() as store, store.read() as c:
        wanted = plan_id or showing.latest_plan(c)
        choice = showing.chosen(c, titles, wanted, system, customer)
        story = showing.stored_story(c, titles, wanted, choice)
        changes = _changes(c, story) if as_json else []
    written = {}
    for name, file, made in (("html", html, report.render_plan), ("markdown", markdown_, report.markdown)):
        if file is not None:
            file.write_text(made(story), encoding="utf-8", errors="replace")
            written[name] = str(file)
    head = story.head
    facts = _facts({**vars(head), "broken": story.stops}) | {
        "kind": head.kind,
        "about": head.about,
        "hash": head.hash,
        "approval": head.approval,
        "changes": changes,
        **report.plain_story(story),
        "files": written,
    }
    tell(
        facts,
        as_json,
        lambda console: _draw_written(console, written) if written else _draw_story(console, story, limit),
    )


def _changes(c: sa.Connection, story: report.Story) -> list[dict[str, Any]]:
    """As they are stored; of a part of the plan, that part."""
    t = schema.changes
    query = sa.select(*(t.c[name] for name in _COLUMNS)).where(t.c.plan_id == story.head.id).order_by(t.c.n)
    told = {e.n for customer in story.customers for r in customer.records for e in r.edits}
    return [dict(row._mapping) for row in c.execute(query) if row.n in told]


def _draw_written(console: Console, written: Mapping[str, str]) -> None:
    for file in written.values():
        put(console, f"{GOOD} {escape(file)}")


def _draw_story(console: Console, story: report.Story, limit: int) -> None:
    head = story.head
    heading(console, f"Plan {head.id}", head.state)
    put(
        console,
        f"[bold]{escape(report.headline(story))}[/]" + (f" [dim]· only {escape(story.only)}[/]" if story.only else ""),
    )
    _draw_about(console, head.kind, head.about)
    if found := report.unusual(story):
        put(console, f"{DOUBTFUL} look at these first: {', '.join(found)}")
    for line in story.kept_back:
        put(console, f"{DOUBTFUL} kept back: {escape(line)}")
    for system in story.blind:
        put(console, f"{DOUBTFUL} {escape(system)}: could not look, so nothing is planned there")
    left = limit
    for customer in story.customers:
        if left > 0:
            left -= _draw_customer(console, customer, left)
    if story.changes > limit:
        put(
            console,
            f"[dim]… and {story.changes - limit:,} more: --limit, --system, --golden, or --html FILE and --json[/]",
        )
    draw_stopped(console, {"stopped_by": story.stops, "state": head.state, "plan": head.id})
    console.print()


def _draw_customer(console: Console, customer: report.Customer, most: int) -> int:
    """Its first edits, so many at most. Returns how many."""
    known = f" · known in {', '.join(customer.known_in)}" if customer.known_in else ""
    put(console, f"[bold]{escape(customer.name)}[/] [dim]{customer.golden_id}{escape(known)}[/]")
    drawn = Table.grid(padding=(0, 2, 0, 0), expand=True)
    drawn.add_column(width=24)
    for share in (3, None, 3, 5):
        drawn.add_column(ratio=share, overflow="fold")
    edits = [(r, e) for r in customer.records for e in r.edits][:most]
    for record, e in edits:
        old, new = (escape(value) if value is not None else "–" for value in (e.old, e.new))
        op = "" if record.op == "update" else f" ({report.RECORD_OPS.get(record.op, record.op)})"
        why = "; ".join(part for part in (e.because, report.agreeing(e), e.outcome or "") if part)
        drawn.add_row(f"{record.title}{op}, {e.field}", f"[dim]{old}[/]", "[dim]→[/]", new, f"[dim]{escape(why)}[/]")
    console.print(Padding(drawn, (0, 0, 0, 4)))
    return len(edits)


TAKES_BACK = {"undo": "an undo of", "redo": "takes back the undo"}


def _draw_about(console: Console, kind: str, about: Mapping[str, Any] | None) -> None:
    """Of an undo: what it takes back, who asked for it and why, and how much it leaves; of a replay, which letters."""
    if about is None:
        return
    if kind == "replay":
        put(console, f"[bold]tries again {', '.join(about['letters'][:3])}[/], by {escape(about['author'])}")
    elif kind in TAKES_BACK:
        of = escape(", ".join(about["undoes"]))
        put(console, f"[bold]{TAKES_BACK[kind]} {of}[/], by {escape(about['author'])}: {escape(about['reason'])}")
    for line in report.notices_of(about):
        put(console, escape(line))
    if left := about.get("left"):
        fields = ", ".join(f"{one['ref']} {one['field']} ({one['why']})" for one in left[:3])
        put(console, f"{DOUBTFUL} {len(left):,} left as they are: {escape(fields)} …")


# -- approve ---------------------------------------------------------------------------------------------------------


def approve(plan_id: str, because: str, by: str, lasts: str, as_json: bool) -> None:
    """Let exactly this plan pass, for so long."""
    reason = because.strip()
    if not reason:
        raise ConfigError('approve: say why, in words somebody can read next year: --because "…"')
    author, until = by or login(), _lasting(lasts)
    with here().store() as store:
        stored = let_pass(store, plan_id, author, reason, until)
    facts = {"plan": stored.id, "state": stored.state, "by": author, "because": reason, "hash": stored.hash}
    limits = [asdict(one) for one in stored.limits]
    told = {**facts, "until": stored.approved_until, "limits": limits}
    tell(told, as_json, lambda console: _draw_approved(console, stored))


def _draw_approved(console: Console, plan: Stored) -> None:
    for one in plan.limits:
        put(console, f"[dim]let pass:[/] {escape(one.words())}")
    if plan.state == "approved":
        put(console, f"{GOOD} {plan.id} may pass until {plan.approved_until[:16]} UTC; write it with")
        put(console, "  [bold]omnihub apply[/]")
    else:
        put(console, f"{GOOD} there is nothing to write; what the source holds is fine from now on")


LASTING = re.compile(r"(\d{1,6})\s*([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _lasting(told: str) -> timedelta:
    found = LASTING.fullmatch(told.strip())
    if not found or not int(found[1]):
        raise ConfigError(f"approve: --for {told}: write minutes, hours or days, as in 30m, 24h, 7d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


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
    if notices := said_of_notices(facts):
        put(console, f"{mark} {notices}")
    console.print()


def said_of(counts: Mapping[str, Any]) -> str:
    """The outcomes of a plan, added up."""
    return " + ".join(f"{counts[name]:,} {name}" for name in OUTCOMES[1:] if counts[name] or name != "left")


def said_of_notices(counts: Mapping[str, Any]) -> str:
    """What became of the notices an undo takes back; nothing where there were none."""
    told = [f"{count:,} {name.removeprefix(NOTICES)}" for name, count in counts.items() if name.startswith(NOTICES)]
    return f"notices: {' + '.join(told)}" if told else ""

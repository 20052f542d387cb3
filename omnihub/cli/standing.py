"""How things stand: streams, runs, the open plan, open findings; and the report, which has them for everybody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape

from omnihub.cli.installation import here
from omnihub.cli.screen import BAD, DOUBTFUL, GOOD, heading, number, progress, put, table, tell
from omnihub.flow import forgetting, open_plan, reporting
from omnihub.flow.drifting import drifts
from omnihub.flow.planning import OPEN
from omnihub.flow.runs import balance
from omnihub.model import FINDING_KINDS, STANDING
from omnihub.sdk import Connector
from omnihub.store import Store, schema

LAST_RUNS = 5
_MARKS = {"ok": GOOD, "failed": BAD, "waiting": DOUBTFUL, "red": BAD, "partial": DOUBTFUL}
_MARKS |= {"new": "[dim]·[/]", "running": "[dim]…[/]"}


# -- status ----------------------------------------------------------------------------------------------------------


def status(as_json: bool) -> None:
    """Everything at a glance. Calls no system."""
    installation = here()
    enabled = installation.config.enabled(installation.connectors)
    with installation.store() as store:
        facts = standing(store, enabled, datetime.now(UTC))
    tell(facts, as_json, lambda console: _draw(console, facts))


def standing(store: Store, connectors: Mapping[str, Connector], now: datetime) -> dict[str, Any]:
    """Per stream how far it is read, the last runs, the open plan, what was undone and stays so, open findings, what
    systems refuse and why, and whether the audit chain is whole."""
    plan = open_plan(store)
    with store.read() as c:
        return {
            "streams": _streams(c, connectors, now),
            "runs": _runs(c),
            "plan": plan and {"plan": plan.id, "state": plan.state, **plan.counts, "stopped_by": list(plan.broken)},
            "undone": c.execute(sa.select(sa.func.count()).select_from(schema.holds)).scalar_one(),
            "undoing": _undos(c),
            "still_sent": forgetting.still_sent(c),
            "findings": _findings(c),
            "letters": [asdict(cause) for cause in reporting.causes(c)],
            "audit": asdict(reporting.audit(c)),
        }


def _streams(c: sa.Connection, connectors: Mapping[str, Connector], now: datetime) -> list[dict[str, Any]]:
    s, t = schema.streams, schema.refined
    known = {(row.system, row.stream): row for row in c.execute(sa.select(s))}
    living = sa.select(t.c.system, t.c.stream, sa.func.count()).where(~t.c.deleted).group_by(t.c.system, t.c.stream)
    records = {(row[0], row[1]): row[2] for row in c.execute(living)}
    changed = {(system, stream): [says for says, _ in drift.words()] for system, stream, drift in drifts(c)}
    found = []
    for name, connector in connectors.items():
        for stream in connector.streams:
            row = known.get((name, stream.nested.of if stream.nested else stream.name))
            found.append(
                {
                    "system": name,
                    "stream": stream.name,
                    "state": row.state if row else "new",
                    "records": records.get((name, stream.name), 0),
                    "read_at": row.read_at if row else None,
                    "age_s": _age_s(row.read_at if row else None, now),
                    "full_at": row.full_at if row else None,
                    "cursor": row.cursor if row else None,
                    "error": row.error if row else None,
                    "drift": changed.get((name, stream.name)),
                }
            )
    return found


def _age_s(at: str | None, now: datetime) -> int | None:
    return max(0, int((now - datetime.fromisoformat(at)).total_seconds())) if at else None


def _runs(c: sa.Connection) -> list[dict[str, Any]]:
    r = schema.runs
    rows = c.execute(sa.select(r).order_by(r.c.started_at.desc(), r.c.id.desc()).limit(LAST_RUNS)).all()
    return [
        {"run": row.id, "state": row.state, "started_at": row.started_at, "ended_at": row.ended_at, **_sums(row.counts)}
        for row in rows
    ]


def _sums(counts: str) -> dict[str, Any]:
    sums = balance(json.loads(counts))
    return {**sums["pull"], **sums["push"], "failed": sums["failed"], "waiting": sums["waiting"]}


def _undos(c: sa.Connection) -> list[dict[str, Any]]:
    """Undos that wait to be written, or to be gone on with."""
    p = schema.plans
    query = sa.select(p.c.id, p.c.state, p.c.counts).where(p.c.kind != "sync", p.c.state.in_(OPEN))
    return [
        {"plan": row.id, "state": row.state, "planned": json.loads(row.counts)["planned"]}
        for row in c.execute(query.order_by(p.c.created_at))
    ]


def _findings(c: sa.Connection) -> dict[str, int]:
    f = schema.findings
    query = sa.select(f.c.kind, sa.func.count()).where(f.c.state.in_(STANDING)).group_by(f.c.kind)
    return dict(sorted((row[0], row[1]) for row in c.execute(query)))


# -- drawn -----------------------------------------------------------------------------------------------------------


def _draw(console: Console, facts: Mapping[str, Any]) -> None:
    _draw_streams(console, facts["streams"])
    heading(console, "Last runs")
    drawn = table(
        "",
        "run",
        "started",
        "read",
        "new",
        "changed",
        "written",
        "refused",
        right=("read", "new", "changed", "written", "refused"),
    )
    for run in facts["runs"]:
        numbers = (number(run[name]) for name in ("read", "new", "changed", "written", "refused"))
        drawn.add_row(_MARKS.get(run["state"], run["state"]), run["run"], f"[dim]{run['started_at']}[/]", *numbers)
    put(console, drawn if facts["runs"] else "[dim]none yet:[/] [bold]omnihub sync[/]")
    if facts["plan"]:
        heading(
            console,
            f"Open plan {facts['plan']['plan']}",
            f"{facts['plan']['state']} · {facts['plan']['planned']:,} changes",
        )
        for reason in facts["plan"]["stopped_by"]:
            put(console, f"{DOUBTFUL} {escape(reason)}")
    _draw_undone(console, facts)
    _draw_still_sent(console, facts)
    heading(console, "Open findings", f"{sum(facts['findings'].values()):,}")
    drawn = table("kind", "count", "meaning", right=("count",), fold=("meaning",))
    for kind, count in facts["findings"].items():
        means = FINDING_KINDS[kind].means if kind in FINDING_KINDS else ""
        drawn.add_row(kind, number(count), f"[dim]{means}[/]")
    put(console, drawn if facts["findings"] else "[dim]none[/]")
    _draw_letters(console, facts["letters"])
    _draw_audit(console, facts["audit"])
    console.print()


def _draw_letters(console: Console, causes: Sequence[Mapping[str, Any]]) -> None:
    """What systems refuse, by why."""
    if not causes:
        return
    waiting, given_up = (sum(one[name] for one in causes) for name in ("count", "given_up"))
    beside = f"{waiting - given_up:,} waiting" + (f", {given_up:,} given up" if given_up else "")
    heading(console, "Refused by systems", f"{beside} · omnihub letters")
    drawn = table("why", "changes", "where", "way out", right=("changes",), fold=("where", "way out"))
    for one in causes:
        drawn.add_row(one["code"], number(one["count"]), ", ".join(one["systems"]), f"[dim]{escape(one['way_out'])}[/]")
    put(console, drawn)


def _draw_audit(console: Console, audit: Mapping[str, Any]) -> None:
    heading(console, "Audit", f"{audit['rows']:,} entries")
    if audit["broken"]:
        put(console, f"{BAD} {escape(audit['broken'])}; [bold]omnihub audit verify[/] says where")
    else:
        put(
            console,
            f"{GOOD} the chain is whole" + (f" [dim]· last hash {audit['head'][:16]}…[/]" if audit["head"] else ""),
        )


def _draw_still_sent(console: Console, facts: Mapping[str, Any]) -> None:
    for system, count in facts["still_sent"].items():
        put(console, f"{DOUBTFUL} {count:,} of the records of forgotten people {system} still sends; they are not kept")


def _draw_undone(console: Console, facts: Mapping[str, Any]) -> None:
    if not facts["undone"] and not facts["undoing"]:
        return
    heading(console, "Undone")
    for one in facts["undoing"]:
        put(console, f"{DOUBTFUL} {one['plan']} waits, {one['state']}: {one['planned']:,} fields to take back")
    if facts["undone"]:
        put(
            console,
            f"{facts['undone']:,} fields somebody has undone are not written again while nothing about them changes; "
            "else [bold]omnihub undo --lift[/]",
        )


def _draw_streams(console: Console, streams: Iterable[Mapping[str, Any]]) -> None:
    heading(console, "Streams")
    drawn = table("", "stream", "records", "last read", "last whole", right=("records", "last read", "last whole"))
    failed = []
    for one in streams:
        whole = _age_s(one["full_at"], datetime.now(UTC))
        name = f"{one['system']}/{one['stream']}"
        drawn.add_row(
            _MARKS.get(one["state"], one["state"]), name, number(one["records"]), _ago(one["age_s"]), _ago(whole)
        )
        if one["error"]:
            failed.append((_MARKS.get(one["state"], BAD), name, one["error"]))
    put(console, drawn)
    for mark, name, error in failed:
        put(console, f"{mark} {name}: {escape(error)}")
    for one in streams:
        for says in one["drift"] or ():
            put(console, f"{DOUBTFUL} {one['system']}/{one['stream']}: {escape(says)}")


def _ago(age_s: int | None) -> str:
    if age_s is None:
        return "[dim]never[/]"
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if age_s >= size:
            return f"{age_s // size} {unit}"
    return f"{age_s} s"


# -- report ----------------------------------------------------------------------------------------------------------


def report(run_id: str | None, system: str, since: str, to: Path | None, as_json: bool) -> None:
    """Write it, or a part of it, and say where it is."""
    installation = here()
    folder = installation.config.home / "reports"
    with progress() as told, installation.hub(told) as hub:
        facts = reporting.report(hub, folder, run_id, system=system, since=since, to=to)
    tell(facts, as_json, lambda console: draw_report(console, facts))


def draw_report(console: Console, facts: Mapping[str, Any]) -> None:
    """Where the files are."""
    heading(console, "The report")
    for name, value in facts.items():
        if isinstance(value, (str, Path)) and value:
            put(console, f"[dim]{name:<10}[/] {value}")
    console.print()

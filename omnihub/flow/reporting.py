"""Report on a run: read what the store knows, have it put into words, and leave the files where people find them.

    <folder>/latest/     index.html  report.xlsx  findings.csv  findings.parquet  scores.parquet  report.json
                         systems/<system>.csv  plan.html  plan.md
    <folder>/<run>/      the same, one folder for each of the last runs
    <folder>/selected/   the same of one system, or of what is new since a run

The same state of the store gives the same files, but for the line that says when the report was made. The findings pass
by in slices: a million of them cost no more memory than a few thousand.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from omnihub import report as words
from omnihub.errors import ConfigError
from omnihub.flow import auditing, scoring, showing
from omnihub.flow.awaiting import Turn
from omnihub.flow.drifting import drifts
from omnihub.flow.grouping import Grouping, Only, groups
from omnihub.flow.hub import Hub
from omnihub.flow.letters import BY_CODE, cause_of, letter_id, readable
from omnihub.flow.notices import told_in
from omnihub.flow.runs import balance
from omnihub.model import STANDING, Entity, FindingState, Outcome
from omnihub.report import Facts, Item
from omnihub.report.grouping import Group
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso

KEEP = 20  # runs whose reports are kept
SLICE = 20_000  # findings or records at once
LATEST = "latest"
SELECTED = "selected"
DATED = re.compile(r"\d{8}T\d{6}Z_.*")  # the folders this module makes, and may take away
QUESTIONS = 5  # shown of the steward's queue
REFUSALS = 25  # shown of the dead letters


@dataclass(frozen=True)
class Asked:
    """A part of the report: one system's, or what is new since a run (its id, and when it started)."""

    system: str = ""
    since: str = ""
    since_at: str = ""

    def __bool__(self) -> bool:
        return bool(self.system or self.since)


def report(
    hub: Hub, folder: Path, run_id: str | None = None, *, system: str = "", since: str = "", to: Path | None = None
) -> dict[str, Any]:
    """Write the report of a run, of the latest by default, and keep its scores.

    system: only what is about it. since: only what is new since that run. to: where the files go; such a report, and
    one of a part, is not kept among those of the runs.

    Returns folder, html, csv, json, xlsx, parquet, plan (paths of the latest report), kept (this run's own folder),
    run, and the counts findings, for_people, urgent, waiting, corrected, consistency, coverage, expected, at_risk,
    phases, systems. ConfigError when there is no such run or system.
    """
    with hub.store.read() as c:
        asked = _asked(c, hub, system, since)
    apart = to or (folder / SELECTED if asked else None)
    home = apart or folder
    home.mkdir(parents=True, exist_ok=True)
    beside = home / ".making"
    shutil.rmtree(beside, ignore_errors=True)
    (beside / "systems").mkdir(parents=True)
    with hub.store.read() as c:
        facts, fields, latest_run = _write(c, hub, beside, run_id, asked)
    if apart:
        _move(beside, apart)
        return _told(facts, apart, None)
    if facts.run and latest_run:  # of an earlier run nobody knows any more what was so then
        with hub.store.write() as c:
            scoring.keep(c, facts.run.id, fields, facts.stakes)
    kept = None
    if facts.run:
        kept = folder / _dated(facts.run.started_at, facts.run.id)
        _replace(kept, beside, keep=True)
        _prune(folder)
    latest = folder / LATEST
    _replace(latest, beside)
    return _told(facts, latest, kept)


def _asked(c: sa.Connection, hub: Hub, system: str, since: str) -> Asked:
    known = _all_systems(c, hub)
    if system and system not in known:
        raise ConfigError(f"report: there is no system {system}; there are {', '.join(known)}")
    return Asked(system, since, _run_row(c, since).started_at if since else "")


def _move(made: Path, target: Path) -> None:
    """Put finished files into a folder that may hold others; each is replaced whole."""
    for path in sorted(made.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(made)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    shutil.rmtree(made, ignore_errors=True)


def _told(facts: Facts, latest: Path, kept: Path | None) -> dict[str, Any]:
    totals = words.plain(facts)["totals"]
    by_system = {
        s.name: {"for_people": s.for_people, "urgent": s.urgent, "findings": s.findings} for s in facts.systems
    }
    return {
        "folder": str(latest),
        "html": str(latest / "index.html"),
        "csv": str(latest / "findings.csv"),
        "json": str(latest / "report.json"),
        "xlsx": str(latest / "report.xlsx"),
        "parquet": str(latest / "findings.parquet"),
        "plan": str(latest / facts.plan_page) if facts.plan_page else None,
        "kept": str(kept) if kept else None,
        "run": facts.run.id if facts.run else None,
        **totals,
        "at_risk": {currency: f"{words.money(cents)}" for currency, cents in facts.at_risk},
        "phases": {p.phase: p.consistency for p in facts.phases if p.system == facts.only},
        "systems": by_system,
    }


# -- folders -------------------------------------------------------------------------------------------------------


def _dated(started_at: str, run_id: str) -> str:
    """A folder name that sorts by time and holds nothing a file system minds."""
    return f"{re.sub(r'[:-]', '', started_at)}_{re.sub(r'[^A-Za-z0-9_-]', '_', run_id)}"


def _replace(target: Path, made: Path, keep: bool = False) -> None:
    """Put a finished folder in place of the one before: readers see the whole of either."""
    fresh = target.with_name(f".{target.name}.new")
    gone = target.with_name(f".{target.name}.old")
    for left_over in (fresh, gone):
        shutil.rmtree(left_over, ignore_errors=True)
    if keep:
        shutil.copytree(made, fresh)
    else:
        made.replace(fresh)
    if target.exists():
        target.replace(gone)
    fresh.replace(target)
    shutil.rmtree(gone, ignore_errors=True)


def _prune(folder: Path) -> None:
    dated = sorted(path for path in folder.iterdir() if path.is_dir() and DATED.fullmatch(path.name))
    for path in dated[:-KEEP]:
        shutil.rmtree(path, ignore_errors=True)


# -- everything ----------------------------------------------------------------------------------------------------


def _write(
    c: sa.Connection, hub: Hub, folder: Path, run_id: str | None, asked: Asked
) -> tuple[Facts, tuple[words.FieldScore, ...], bool]:
    """Write the files. Returns the facts, the scores of all systems, and whether the run is the latest there is."""
    row = _run_row(c, run_id)
    run = _run(row) if row else None
    plan_row = _plan_row(c, run.id if run else None)
    grouping = Grouping(c, Turn.now(c, hub.connectors, plan_row))
    titles = _titles(hub)
    with ExitStack() as open_:
        digest = open_.enter_context(words.Digest(titles))
        book = open_.enter_context(words.Workbook(folder / "report.xlsx", _named(titles)))
        parts = open_.enter_context((folder / "findings.jsonl").open("w", encoding="utf-8", errors="replace"))
        today = words.Today(_named(titles))
        _write_findings(c, hub, folder, digest, grouping, asked, _Takers(parts, book, today))
        served = open_.enter_context(words.Served())
        fields = scoring.field_scores(c, hub, now_iso()[:10], served)
        facts = replace(_facts(c, hub, digest, run, row, plan_row, fields), service=served.scores())
        if asked:
            facts = _part(c, facts, asked)
        tasks = today.tasks(_to_fix(c, grouping, asked), told_in(c, hub.connectors))
        facts = replace(facts, today=words.first(tasks), tasks=len(tasks), trend=_trend(c, hub, row, facts, asked))
        book.finish(facts, tasks)
    if story := _story(c, hub, row, plan_row, asked):
        showing.keep_pages(story, folder)
        facts = replace(facts, plan_page=showing.HTML, plan_says=words.headline(story))
    pq.write_table(words.score_table(facts.fields), folder / "scores.parquet")
    (folder / "index.html").write_text(words.render(facts), encoding="utf-8", errors="replace")
    _write_json(folder, facts)
    return facts, fields, bool(row) and row.id == _run_row(c, None).id


def _to_fix(c: sa.Connection, grouping: Grouping, asked: Asked) -> list[Group]:
    return groups(c, Only(asked.system, for_people=True, since=asked.since_at), grouping=grouping)[1]


def _part(c: sa.Connection, facts: Facts, asked: Asked) -> Facts:
    """The facts as far as they were asked for."""
    f = schema.findings
    if asked.system:
        facts = replace(words.narrowed(facts, asked.system), ignored=_ignored(c, asked.system))
    if asked.since:
        gone = sa.select(sa.func.count()).where(f.c.state == "resolved", f.c.last_seen >= asked.since_at)
        closed = c.execute(gone.where(f.c.system == asked.system) if asked.system else gone).scalar_one()
        facts = replace(facts, since=asked.since, closed=closed)
    return facts


def _ignored(c: sa.Connection, system: str = "") -> int:
    """What is so, and left alone by somebody's decision: silence is not agreement."""
    f = schema.findings
    left = sa.select(sa.func.count()).where(f.c.state == FindingState.IGNORED.value)
    return int(c.execute(left.where(f.c.system == system) if system else left).scalar_one())


def _trend(c: sa.Connection, hub: Hub, row: Any, facts: Facts, asked: Asked) -> tuple[words.Point, ...]:
    """The runs before this one, and this one as it stands."""
    if row is None:
        return ()
    masters = {name for name, connector in hub.connectors.items() if connector.master} - {asked.system}
    runs = [
        *scoring.past(c, row.started_at, asked.since_at, asked.system),
        words.Scored(row.id, row.started_at, facts.fields, facts.stakes),
    ]
    return words.trend(runs, masters)


def _story(c: sa.Connection, hub: Hub, row: Any, plan_row: Any, asked: Asked) -> words.Story | None:
    """The plan of this run, told; of a dry run, which keeps none, the one it would make; else the latest there is."""
    noted = json.loads(row.counts).get("plan", {}) if row else {}
    if asked.system:  # the part of a stored plan that is its own
        choice = showing.Choice(asked.system, words=showing.titles_of(hub).get(asked.system, asked.system))
        return showing.stored_story(c, showing.titles_of(hub), plan_row.id, choice) if plan_row else None
    if noted.get("kept") is False:
        return showing.dry_story(hub, row.id)
    if noted.get("counts", {}).get("planned") == 0:
        return showing.empty_story(c, showing.titles_of(hub), row.id, row.started_at, noted)
    return showing.stored_story(c, showing.titles_of(hub), plan_row.id) if plan_row else None


def _titles(hub: Hub) -> pa.Table:
    rows = [{"system": name, "title": connector.title} for name, connector in sorted(hub.connectors.items())]
    return pa.Table.from_pylist(rows, schema=words.SYSTEMS)


def _named(titles: pa.Table) -> dict[str, str]:
    return {row["system"]: row["title"] for row in titles.to_pylist()}


def _facts(
    c: sa.Connection,
    hub: Hub,
    digest: words.Digest,
    run: words.RunFacts | None,
    row: Any,
    plan_row: Any,
    fields: tuple[words.FieldScore, ...],
) -> Facts:
    known = scoring.known(c)
    stakes = scoring.stakes(c)
    refusals = _refusals(c)
    masters = {name for name, connector in hub.connectors.items() if connector.master}
    return Facts(
        made_at=now_iso(),
        run=run,
        systems=_systems(c, hub, digest, row),
        scores=words.scorecard(fields, known),
        fields=fields,
        kinds=digest.kinds(),
        plan=_plan(c, plan_row, run),
        refusals=refusals,
        refusal_count=int(c.execute(sa.select(sa.func.count()).select_from(schema.dead_letters)).scalar_one()),
        queue=_queue(c),
        questions=_questions(c),
        troubles=(*_troubles(c), *_changed_shapes(c)),
        drifts=tuple(_drifts(c)),
        records=int(c.execute(sa.select(sa.func.count()).where(~schema.refined.c.deleted)).scalar_one()),
        goldens=sum({r["entity"]: r["total"] for r in known.to_pylist()}.values()),
        ignored=_ignored(c),
        undone=int(c.execute(sa.select(sa.func.count()).select_from(schema.holds)).scalar_one()),
        causes=causes(c),
        audit=audit(c),
        phases=words.by_phase(fields, masters),
        stakes=stakes,
    )


def _write_json(folder: Path, facts: Facts) -> None:
    """The facts, and every open finding on a line of its own."""
    parts = folder / "findings.jsonl"
    told = words.plain(facts)
    made_at = told.pop("made_at")
    report_json = (folder / "report.json").open("w", encoding="utf-8", errors="replace")
    with report_json as file, parts.open(encoding="utf-8") as lines:
        file.write(f'{{\n"made_at": {json.dumps(made_at)},\n')
        file.writelines(
            f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)},\n" for name, value in told.items()
        )
        file.write('"all_findings": [')
        for n, line in enumerate(lines):
            file.write(("," if n else "") + "\n" + line.rstrip("\n"))
        file.write("\n]\n}\n")
    parts.unlink()


# -- findings ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Takers:
    """Who takes findings as they pass by."""

    lines: TextIO
    book: words.Workbook
    today: words.Today


def _write_findings(
    c: sa.Connection, hub: Hub, folder: Path, digest: words.Digest, grouping: Grouping, asked: Asked, takers: _Takers
) -> None:
    with ExitStack() as open_:
        everything = open_.enter_context(_sheet(folder / "findings.csv"))
        columns = open_.enter_context(pq.ParquetWriter(folder / "findings.parquet", words.TABLE))
        names = [asked.system] if asked.system else _all_systems(c, hub)
        by_system = {name: open_.enter_context(_sheet(folder / "systems" / f"{name}.csv")) for name in names}
        sheets = {name: _writer(file) for name, file in by_system.items()}
        main = _writer(everything)
        for items in _items(c, digest, grouping, asked):
            for item, row in zip(items, words.rows(items), strict=True):
                main.writerow(row)
                sheets[item.system].writerow(row)
            takers.lines.writelines(json.dumps(vars(item), ensure_ascii=False) + "\n" for item in items)
            takers.book.add(items)
            takers.today.add(items)
            columns.write_table(words.table(items))


def _all_systems(c: sa.Connection, hub: Hub) -> list[str]:
    """Those of the hub, and those that are no longer in it but have findings."""
    f = schema.findings
    return sorted(
        {*hub.connectors, *c.execute(sa.select(f.c.system).where(f.c.state.in_(STANDING)).distinct()).scalars()}
    )


def _sheet(path: Path) -> TextIO:
    # With the mark that tells a spreadsheet it is UTF-8.
    return path.open("w", encoding="utf-8-sig", newline="", errors="replace")


def _writer(file: TextIO) -> Any:
    writer = csv.writer(file)
    writer.writerow(words.COLUMNS)
    return writer


def _items(c: sa.Connection, digest: words.Digest, grouping: Grouping, asked: Asked) -> Iterator[list[Item]]:
    f = schema.findings
    query = _findings(grouping)
    if asked.system:
        query = query.where(f.c.system == asked.system)
    if asked.since_at:
        query = query.where(f.c.first_seen >= asked.since_at)
    for batch in bulk.batches(c, query, SLICE):
        streams = [ref.split("/", 2)[1] for ref in batch.column("ref").to_pylist()]
        told = {"stream": streams, "plan_id": [grouping.turn.plan_id or None] * batch.num_rows}
        parents = _parents(c, batch)
        if batch.column("refusal").null_count < batch.num_rows:  # the words of a dead letter may be sealed
            opened = [readable(refusal) for refusal in batch.column("refusal").to_pylist()]
            column = batch.schema.get_field_index("refusal")
            batch = batch.set_column(column, "refusal", pa.array(opened, pa.string()))
        for name, values in told.items():
            batch = batch.append_column(name, pa.array(values, pa.string()))
        yield digest.add(batch.select(words.FINDINGS.names).cast(words.FINDINGS), parents)


def _findings(grouping: Grouping) -> sa.Select[Any]:
    """Open findings, with whose turn it is, and the group each belongs to."""
    f, t = schema.findings, schema.refined
    rank = sa.case((f.c.severity == "high", 0), (f.c.severity == "medium", 1), (f.c.severity == "low", 2), else_=3)
    return (
        sa.select(
            *(f.c[n] for n in ("id", "kind", "severity", "entity", "system", "ref", "field", "golden_id", "owner")),
            *(f.c[n] for n in ("cause", "at_stake_cents", "currency", "customers")),
            *_cut(f.c.theirs, "theirs"),
            *_cut(f.c.expected, "expected"),
            f.c.detail,
            f.c.first_seen,
            t.c.fields,
            schema.dead_letters.c.message.label("refusal"),
            grouping.turn.status().label("status"),
            grouping.what.label("about"),
        )
        .select_from(grouping.joined.outerjoin(t, t.c.ref == f.c.ref))
        .where(f.c.state.in_(STANDING))
        .order_by(f.c.system, rank, f.c.kind, f.c.ref, f.c.field, f.c.id)
    )


def _cut(column: sa.ColumnElement[Any], name: str) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """A value as far as a report shows it, and how long it is: a field of 5 MB stays in the database."""
    part = sa.func.substr(column, 1, words.MAX_TEXT, type_=sa.Text)
    return part.label(name), sa.func.length(column, type_=sa.Integer).label(f"{name}_length")


def _parents(c: sa.Connection, batch: pa.Table) -> pa.Table:
    """The orders and deals that lines among these findings belong to."""
    t = schema.refined
    rows = zip(batch.column("entity").to_pylist(), batch.column("fields").to_pylist(), strict=True)
    refs = {json.loads(fields).get("of") for entity, fields in rows if entity == Entity.LINE.value and fields}
    query = sa.select(t.c.ref, t.c.fields)
    return bulk.table_in(c, query, t.c.ref, sorted(ref for ref in refs if ref)).cast(words.PARENTS)


# -- the run and its plan ------------------------------------------------------------------------------------------


def _run_row(c: sa.Connection, run_id: str | None) -> Any:
    r = schema.runs
    query = sa.select(r).order_by(r.c.started_at.desc(), r.c.id.desc()).limit(1)
    row = c.execute(query.where(r.c.id == run_id) if run_id else query).one_or_none()
    if row is None and run_id:
        raise ConfigError(
            f"there is no run {run_id}; `omnihub status` names the latest, `omnihub report` takes it by itself"
        )
    return row


def _run(row: Any) -> words.RunFacts:
    told = json.loads(row.counts)
    summary = balance(told)
    pulls = {step.removeprefix("pull:"): streams for step, streams in told.items() if step.startswith("pull:")}
    failed = {system for system, streams in pulls.items() if any(s["error"] for s in streams)}
    compared = told.get("compare", {})
    return words.RunFacts(
        id=row.id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        state=summary["state"],
        balanced=summary["balanced"],
        blocked=summary["blocked"],
        **summary["pull"],
        systems_read=tuple(sorted(pulls.keys() - failed)),
        systems_failed=tuple(sorted(failed)),
        stopped=tuple(sorted(summary["stopped"].items())),
        opened=compared.get("opened"),
        resolved=compared.get("resolved"),
        **summary["push"],
        would_write=plan["counts"]["planned"] if (plan := told.get("plan", {})).get("kept") is False else None,
    )


def _plan_row(c: sa.Connection, run_id: str | None) -> Any:
    """This run's plan, or the latest there is."""
    p = schema.plans
    query = sa.select(p).order_by(p.c.created_at.desc(), p.c.id.desc()).limit(1)
    mine = c.execute(query.where(p.c.run_id == run_id)).one_or_none() if run_id else None
    return mine or c.execute(query).one_or_none()


def _plan(c: sa.Connection, row: Any, run: words.RunFacts | None) -> words.PlanOutcome | None:
    if row is None:
        return None
    t = schema.changes
    query = (
        sa.select(t.c.system, t.c.outcome, sa.func.count())
        .where(t.c.plan_id == row.id)
        .group_by(t.c.system, t.c.outcome)
    )
    counts: dict[str, dict[str, int]] = {}
    for system, outcome, n in c.execute(query):
        mine = counts.setdefault(system, dict.fromkeys(("planned", *(o.value for o in Outcome), "left"), 0))
        mine["planned"] += n
        mine[outcome or "left"] += n
    about = json.loads(row.about) if row.about else {}
    return words.PlanOutcome(
        id=row.id,
        state=row.state,
        of_run=bool(run and row.run_id == run.id),
        created_at=row.created_at,
        applied_at=row.applied_at,
        guard=tuple(json.loads(row.guard)),
        systems=tuple(words.Written(system, **counts[system]) for system in sorted(counts)),
        undoes=tuple(about.get("undoes", ())),
        by=about.get("author", ""),
        because=about.get("reason", ""),
        left=len(about.get("left", ())),
    )


def _refusals(c: sa.Connection) -> tuple[words.Refusal, ...]:
    d, t = schema.dead_letters, schema.refined
    columns = (d.c.ref, d.c.field, d.c.old, d.c.new, d.c.code, d.c.message, d.c.at, d.c.given_up_by, t.c.fields)
    query = sa.select(*columns).outerjoin(t, t.c.ref == d.c.ref)
    rows = c.execute(query.order_by(d.c.at.desc(), d.c.ref, d.c.field).limit(REFUSALS)).all()
    return tuple(
        words.Refusal(
            system=r.ref.split("/")[0],
            ref=r.ref,
            record=_label(r.fields, r.ref),
            field=r.field,
            old=_legible(r.old),
            new=_legible(r.new),
            code=r.code,
            message=(message := readable(r.message) or ""),
            at=r.at,
            letter=letter_id(r.ref),
            way_out=cause_of(r.code, message).way_out,
            given_up=r.given_up_by or "",
        )
        for r in rows
    )


def causes(c: sa.Connection) -> tuple[words.Cause, ...]:
    """Why systems refuse what they refuse, what most changes wait for first."""
    d = schema.dead_letters
    found: dict[str, list[Any]] = {}
    for row in c.execute(sa.select(d.c.ref, d.c.code, d.c.message, d.c.given_up_at)):
        found.setdefault(cause_of(row.code, readable(row.message) or "").code, []).append(row)
    told = (
        words.Cause(
            code=code,
            means=BY_CODE[code].means,
            way_out=BY_CODE[code].way_out,
            count=len(rows),
            given_up=sum(row.given_up_at is not None for row in rows),
            systems=tuple(sorted({row.ref.partition("/")[0] for row in rows})),
        )
        for code, rows in found.items()
    )
    return tuple(sorted(told, key=lambda cause: (cause.given_up - cause.count, cause.code)))


def audit(c: sa.Connection) -> words.AuditFacts:
    """Whether the chain is whole."""
    found = auditing.verify(c)
    return words.AuditFacts(found.rows, found.head, found.broken.words if found.broken else "")


def _legible(value: str | None) -> str | None:
    """A value of a dead letter, which may be sealed, as far as a report shows it."""
    told = readable(value)
    return told[: words.MAX_TEXT] if told else told


def _label(fields: str | None, ref: str) -> str:
    return words.label(json.loads(fields) if fields else {}) or ref


# -- the systems ---------------------------------------------------------------------------------------------------


def _systems(c: sa.Connection, hub: Hub, digest: words.Digest, row: Any) -> tuple[words.SystemFacts, ...]:
    """Those of the hub, and those that are no longer in it but have findings."""
    t = schema.streams
    states: dict[str, list[str]] = {}
    for system, state, read_at in c.execute(sa.select(t.c.system, t.c.state, t.c.read_at)):
        states.setdefault(system, []).append("failed" if state == "failed" else "read" if read_at else "never")
    delivered = json.loads(row.counts).get("deliver", {}) if row else {}
    found = []
    for name in _all_systems(c, hub):
        told = delivered.get(name, {})
        connector = hub.connectors.get(name)
        title, role = (connector.title, connector.role) if connector else (name, "no longer connected")
        master = bool(connector and connector.master)
        found.append(
            words.SystemFacts(
                name,
                title,
                role,
                master,
                _read(states.get(name, [])),
                **digest.counts(name),
                fix=digest.fix(name),
                told=told.get("put", 0) + told.get("same", 0),
                left=told.get("left", 0),
                place=connector.place.titles if connector and connector.place else "",
            )
        )
    return tuple(found)


def _read(states: list[str]) -> str:
    if not states or set(states) == {"never"}:
        return "never"
    if "failed" not in states:
        return "read"
    return "failed" if set(states) == {"failed"} else "partly"


def _troubles(c: sa.Connection) -> Iterator[words.Trouble]:
    t, r = schema.streams, schema.rejects
    for row in c.execute(sa.select(t).where(t.c.state.in_(("failed", "waiting"))).order_by(t.c.system, t.c.stream)):
        yield words.Trouble(row.system, row.stream, row.error or "could not be read", row.read_at)
    keyless = sa.select(r.c.system, r.c.stream, sa.func.count(), sa.func.min(r.c.landed_at)).group_by(
        r.c.system, r.c.stream
    )
    for system, stream, n, since in c.execute(keyless.order_by(r.c.system, r.c.stream)):
        yield words.Trouble(
            system, stream, f"{words.count(n, 'record')} without a key: kept as they came, and in nothing else", since
        )


def _changed_shapes(c: sa.Connection) -> Iterator[words.Trouble]:
    for system, stream, drift in drifts(c):
        for says, since in drift.words():
            yield words.Trouble(system, stream, says, since)


def _drifts(c: sa.Connection) -> Iterator[words.Drift]:
    f = schema.facts
    for key, value in c.execute(sa.select(f.c.key, f.c.value).where(f.c.key.like("unmapped:%")).order_by(f.c.key)):
        system, _, stream = key.removeprefix("unmapped:").partition("/")
        paths = tuple(sorted(json.loads(value).items(), key=lambda p: (-p[1], p[0])))
        if paths:
            yield words.Drift(system, stream, paths)


# -- the steward's queue -------------------------------------------------------------------------------------------


def _unsure() -> sa.Subquery:
    """Pairs only a person can decide: not yet judged, both alive, and not one customer already by other evidence."""
    p, j = schema.pairs, schema.judgements
    x, y, t, u = (table.alias() for table in (schema.crosswalk, schema.crosswalk, schema.refined, schema.refined))
    judged = sa.exists().where(j.c.a == p.c.a, j.c.b == p.c.b, j.c.verdict.in_(("same", "different")))
    return (
        sa.select(p.c.entity, p.c.a, p.c.b, p.c.weight, t.c.fields.label("a_fields"), u.c.fields.label("b_fields"))
        .join(x, x.c.ref == p.c.a)
        .join(y, y.c.ref == p.c.b)
        .join(t, t.c.ref == p.c.a)
        .join(u, u.c.ref == p.c.b)
        .where(p.c.state == "unsure", x.c.golden_id != y.c.golden_id, ~t.c.deleted, ~u.c.deleted, ~judged)
        .subquery()
    )


def _queue(c: sa.Connection) -> dict[str, int]:
    q = _unsure()
    found = c.execute(sa.select(q.c.entity, sa.func.count()).group_by(q.c.entity).order_by(q.c.entity))
    return dict(found.all())


def _questions(c: sa.Connection) -> tuple[words.Question, ...]:
    q = _unsure()
    rows = c.execute(sa.select(q).order_by(q.c.weight.desc(), q.c.a, q.c.b).limit(QUESTIONS))
    return tuple(
        words.Question(r.entity, r.a, _label(r.a_fields, r.a), r.b, _label(r.b_fields, r.b), round(r.weight, 2))
        for r in rows
    )

"""Judge: what a person decides about records and values, what waits for them, and what came of it."""

from __future__ import annotations

import csv
import getpass
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from omnihub.cli.installation import here
from omnihub.cli.screen import heading, number, put, table, tell
from omnihub.errors import OmniHubError
from omnihub.flow import deciding
from omnihub.flow.deciding import Pinned, Said, Waiting
from omnihub.model import GOLDEN, Entity
from omnihub.report.sheets import FORMULA
from omnihub.store import Store
from omnihub.store.open import now_iso

SHOWN = 50  # of each kind at most; JSON has all
JUDGEMENTS = ("a", "b", "verdict", "because", "by", "until")
PINS = ("golden", "field", "value", "because", "by", "until")

_KINDS = {
    "contradiction": "Judgements that contradict each other",
    "reopened": "Judged different, and something has changed since",
    "guard": "Stopped by a guard",
    "unsure": "Perhaps the same",
}

Row = dict[str, Any]


# -- judgements ------------------------------------------------------------------------------------------------------


def judge(a: str, b: str, verdict: str, because: str, until: str, by: str, as_json: bool) -> None:
    """Keep a judgement, and say at once if it contradicts others."""
    said = Said(a, b, verdict, because, by or _me(), ends(until))
    with here().store() as store:
        kept = deciding.judge(store, [said])
        torn = _torn(store, kept)
    tell(
        {"judged": kept, "contradictions": [asdict(one) for one in torn]}, as_json, lambda c: _draw_kept(c, kept, torn)
    )


def unjudge(a: str, b: str, by: str, as_json: bool) -> None:
    """Take a judgement back."""
    with here().store() as store:
        gone = deciding.unjudge(store, a, b, by or _me())

    def draw(console: Console) -> None:
        for one in gone:
            console.print(f"taken back: {escape(one['a'])} and {escape(one['b'])} {one['verdict']}")
        _next(console)

    tell({"taken_back": gone}, as_json, draw)


def _torn(store: Store, kept: Iterable[Mapping[str, Any]]) -> list[Waiting]:
    with store.read() as c:
        return deciding.contradicted(c, [ref for one in kept for ref in (one["a"], one["b"])], now_iso())


def _draw_kept(console: Console, kept: Sequence[Mapping[str, Any]], torn: Sequence[Waiting]) -> None:
    for one in kept:
        console.print(
            f"{escape(one['a'])} and {escape(one['b'])}: [bold]{one['verdict']}[/]{_until(one['expires_at'])}"
        )
    if not kept:
        console.print("That was said before; nothing is new.")
        return
    for trouble in torn:
        console.print(f"[yellow]![/] {escape(trouble.reason)}")
    _next(console)


def _next(console: Console) -> None:
    console.print("[dim]It takes effect with the next `omnihub sync`.[/]")


def list_judgements(as_json: bool) -> None:
    """All that hold."""
    with here().store() as store, store.read() as c:
        rows = deciding.judgements(c, now_iso())

    def draw(console: Console) -> None:
        drawn = table("a", "b", "verdict", "by", "because", "at", "until", fold=("a", "b", "because"))
        for one in rows:
            because = escape(one["reason"]) + (f"\n[yellow]{escape(one['note'])}[/]" if one["note"] else "")
            cells = (one["verdict"], escape(one["author"]), because, one["at"][:10], (one["expires_at"] or "")[:10])
            drawn.add_row(escape(one["a"]), escape(one["b"]), *cells)
        _put_or_say(console, drawn, rows, "Nobody has judged anything yet: `omnihub queue` shows what waits.")

    tell(rows, as_json, draw)


def import_judgements(file: Path, by: str, as_json: bool) -> None:
    """Keep what a file says, all or nothing."""
    said = [
        Said(row["a"], row["b"], row["verdict"], row["because"], row["by"] or by or _me(), _ends_in(file, n, row))
        for n, row in enumerate(_read(file, JUDGEMENTS), 1)
    ]
    with here().store() as store:
        kept = _naming(file, lambda: deciding.judge(store, said))
        torn = _torn(store, kept)
    facts = {"rows": len(said), "kept": len(kept), "contradictions": [asdict(one) for one in torn]}

    def draw(console: Console) -> None:
        console.print(f"{len(said)} rows, {len(kept)} judgements new or changed")
        for trouble in torn:
            console.print(f"[yellow]![/] {escape(trouble.reason)}")

    tell(facts, as_json, draw)


def export_judgements(file: Path, as_json: bool) -> None:
    """Write all that hold."""
    with here().store() as store, store.read() as c:
        rows = deciding.judgements(c, now_iso())
    order = sorted(rows, key=lambda one: (one["a"], one["b"]))
    cells = [(r["a"], r["b"], r["verdict"], r["reason"], r["author"], r["expires_at"] or "") for r in order]
    _write(file, JUDGEMENTS, cells, as_json)


# -- pins ------------------------------------------------------------------------------------------------------------


def pin(golden: str, field: str, value: str, because: str, until: str, by: str, as_json: bool) -> None:
    """Keep a person's value."""
    installation = here()
    with installation.store() as store:
        said = Pinned(golden, field, value, because, by or _me(), ends(until))
        kept = deciding.pin(store, [said], installation.config.default_country)

    def draw(console: Console) -> None:
        for one in kept:
            shown = "no value" if one["value"] is None else one["value"]
            console.print(f"{one['golden_id']} {one['field']}: [bold]{escape(shown)}[/]{_until(one['expires_at'])}")
            _next(console)
        if not kept:
            console.print("That was pinned before; nothing is new.")

    tell({"pinned": kept}, as_json, draw)


def unpin(golden: str, field: str, by: str, as_json: bool) -> None:
    """Take a pin away."""
    with here().store() as store:
        gone = deciding.unpin(store, golden, field, by or _me())

    def draw(console: Console) -> None:
        console.print(f"taken away: {gone['golden_id']} {gone['field']}")
        _next(console)

    tell({"taken_away": gone}, as_json, draw)


def list_pins(as_json: bool) -> None:
    """All that hold."""
    with here().store() as store, store.read() as c:
        rows = deciding.pins(c, now_iso())

    def draw(console: Console) -> None:
        drawn = table("golden", "field", "value", "by", "because", "until", fold=("golden", "value", "because"))
        for one in rows:
            moved = f"\n[dim]now {one['on']}[/]" if one["on"] != one["golden_id"] else ""
            value = "[dim]no value[/]" if one["value"] is None else escape(one["value"])
            cells = (value, escape(one["author"]), escape(one["reason"]), (one["expires_at"] or "")[:10])
            drawn.add_row(one["golden_id"] + moved, one["field"], *cells)
        _put_or_say(console, drawn, rows, "Nothing is pinned.")

    tell(rows, as_json, draw)


def import_pins(file: Path, by: str, as_json: bool) -> None:
    """Keep what a file says, all or nothing."""
    said = [
        Pinned(
            row["golden"], row["field"], row["value"], row["because"], row["by"] or by or _me(), _ends_in(file, n, row)
        )
        for n, row in enumerate(_read(file, PINS), 1)
    ]
    installation = here()
    with installation.store() as store:
        kept = _naming(file, lambda: deciding.pin(store, said, installation.config.default_country))
    facts = {"rows": len(said), "kept": len(kept)}
    tell(facts, as_json, lambda console: console.print(f"{len(said)} rows, {len(kept)} pins new or changed"))


def export_pins(file: Path, as_json: bool) -> None:
    """Write all that hold."""
    with here().store() as store, store.read() as c:
        rows = deciding.pins(c, now_iso())
    order = sorted(rows, key=lambda one: (one["golden_id"], one["field"]))
    cells = [
        (r["golden_id"], r["field"], r["value"] or "", r["reason"], r["author"], r["expires_at"] or "") for r in order
    ]
    _write(file, PINS, cells, as_json)


# -- what waits, what happened ---------------------------------------------------------------------------------------


def queue(entity: str, as_json: bool) -> None:
    """What waits for a person, why, and what settles it."""
    with here().store() as store, store.read() as c:
        rows = deciding.waiting(c, _entity(entity), now_iso())
    tell([asdict(one) for one in rows], as_json, lambda console: _draw_queue(console, rows))


def _draw_queue(console: Console, rows: Sequence[Waiting]) -> None:
    if not rows:
        console.print("Nothing waits for a person.")
        return
    for kind, title in _KINDS.items():
        these = [one for one in rows if one.kind == kind]
        if not these:
            continue
        more = f", the first {SHOWN} of" if len(these) > SHOWN else ""
        heading(console, title, f"{more} {number(len(these))}".strip(", "))
        drawn = table("entity", "why", "settled by", fold=("why", "settled by"))
        for one in these[:SHOWN]:
            drawn.add_row(one.entity, escape(one.reason), escape("\n".join(one.settle)))
        put(console, drawn)
    console.print()


def events(since: int, entity: str, limit: int | None, as_json: bool) -> None:
    """What happened to golden ids, in order, for whoever keeps a copy."""
    with here().store() as store, store.read() as c:
        rows = deciding.events(c, since, _entity(entity), limit)

    def draw(console: Console) -> None:
        drawn = table("seq", "at", "what", "golden id", "with", right=("seq",))
        for one in rows[:SHOWN]:
            drawn.add_row(str(one["seq"]), one["at"], one["kind"], one["golden_id"], one["other_id"] or "")
        _put_or_say(console, drawn, rows, "Nothing has happened since.")
        if len(rows) > SHOWN:
            console.print(
                f"[dim]{number(len(rows) - SHOWN)} more: --since {rows[SHOWN - 1]['seq']}, or --json for all[/]"
            )

    tell(rows, as_json, draw)


# -- reading and writing files ---------------------------------------------------------------------------------------


def _read(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file, by the names in its first line; `by` and `until` may be missing."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        sample = text.readline()
        text.seek(0)
        rows = csv.DictReader(text, delimiter=";" if sample.count(";") > sample.count(",") else ",")
        missing = [name for name in columns if name not in (rows.fieldnames or ()) and name not in ("by", "until")]
        if missing:
            raise OmniHubError(
                f"{file}: no column {', '.join(missing)}; the first line has to name {', '.join(columns)}"
            )
        return [{name: _plain(row.get(name) or "") for name in columns} for row in rows]


def _write(file: Path, columns: Sequence[str], rows: Sequence[Sequence[str]], as_json: bool) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        out = csv.writer(text)
        out.writerow(columns)
        out.writerows([_safe(cell) for cell in row] for row in rows)
    facts = {"file": str(file), "rows": len(rows)}
    tell(facts, as_json, lambda console: console.print(f"{len(rows)} rows in {escape(str(file))}"))


def _safe(cell: str) -> str:
    """As a spreadsheet may hold it: what it could take for a formula, or for our mark of one, begins with '."""
    return f"'{cell}" if cell.startswith((*FORMULA, "'")) else cell


def _plain(cell: str) -> str:
    """The value behind such a cell. What people type themselves stays as it is."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*FORMULA, "'")) else cell


def _naming(file: Path, do: Callable[[], list[Row]]) -> list[Row]:
    try:
        return do()
    except OmniHubError as error:
        raise OmniHubError(f"{file}: {error}; nothing of it is kept") from None


def _ends_in(file: Path, n: int, row: Mapping[str, str]) -> str | None:
    try:
        return ends(row["until"])
    except typer.BadParameter as error:
        raise OmniHubError(f"{file}: row {n}: {error.message}; nothing of it is kept") from None


# -- small print -----------------------------------------------------------------------------------------------------


def ends(until: str) -> str | None:
    """When something ends that holds until this day, the day included; or until this moment, where one is said.

    >>> ends("2027-01-31"), ends("2027-01-31T12:00:00+01:00"), ends("")
    ('2027-02-01T00:00:00Z', '2027-01-31T11:00:00Z', None)
    """
    if not until:
        return None
    try:
        if len(until) == len("2027-01-31"):
            day = date.fromisoformat(until) + timedelta(days=1)
            return f"{day.isoformat()}T00:00:00Z"
        moment = datetime.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter(f"{until!r} is no day; write it as 2027-01-31") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{until!r} does not say in which time zone; write a day, as 2027-01-31")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _until(expires_at: str | None) -> str:
    return f", until {expires_at}" if expires_at else ""


def _entity(name: str) -> Entity | None:
    if not name:
        return None
    if name not in GOLDEN:
        raise typer.BadParameter(f"{name} has no golden records; there are: {', '.join(GOLDEN)}")
    return Entity(name)


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without names
        return "unknown"


def _put_or_say(console: Console, drawn: Any, rows: Sequence[Any], otherwise: str) -> None:
    if rows:
        put(console, drawn)
    else:
        console.print(otherwise)

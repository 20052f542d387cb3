"""Forget and export: what the law owes a person. Who is forgotten is shown first; nothing is erased before --yes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from omnihub.cli import OK, PARTIAL
from omnihub.cli.installation import Installation, here
from omnihub.cli.planning import login
from omnihub.cli.screen import BAD, DOUBTFUL, GOOD, heading, number, progress, put, table, tell
from omnihub.cli.standins import standins
from omnihub.errors import ConfigError
from omnihub.flow import forgetting
from omnihub.flow import report as write_report
from omnihub.flow.exporting import as_text, export
from omnihub.flow.forgetting import ERASE, Forgetting

SHOWN = 10  # records found beside theirs, on the screen; JSON has all
PLANNED = "forget-"  # how the id of a forgetting begins


def forget(what: str, because: str, by: str, go: bool, as_json: bool) -> int:
    """Show what would be erased where; erase it where that is asked for (`go`). Returns the exit code."""
    if not what:
        raise ConfigError("forget: say whom: a record (system/stream/id) or a golden contact; --list shows who was")
    installation = here()
    if not go:
        with installation.hub() as hub:
            planned = what.startswith(PLANNED)
            found = forgetting.load(hub.store, what) if planned else _plan(hub, what, because, by)
        return _say(found, as_json)
    with standins(installation), progress() as told, installation.hub(told) as hub:
        id_ = what if what.startswith(PLANNED) else _plan(hub, what, because, by).id
        found = forgetting.forget(hub, id_, installation.config.home)
        _report_anew(installation, hub, found)
    return _say(found, as_json)


def _plan(hub: Any, what: str, because: str, by: str) -> Forgetting:
    return forgetting.plan_forgetting(hub, what, by or login(), because)


def _report_anew(installation: Installation, hub: Any, found: Forgetting) -> None:
    """Reports that named them are gone; there is one without them in their place."""
    if found.files and forgetting.has_run(hub.store):
        write_report(hub, installation.config.home / "reports")


def _say(found: Forgetting, as_json: bool) -> int:
    facts = asdict(found)
    tell(facts, as_json, lambda console: _draw(console, found))
    return PARTIAL if found.state == "erasing" else OK


def _draw(console: Console, found: Forgetting) -> None:
    heading(console, f"Forget {found.id}", f"{found.state} · {found.author}: {found.reason}")
    if found.records:
        drawn = table("record", "by", "what became of it", fold=("what became of it",))
        for one in found.records:
            means = "the system itself" if one.means == ERASE else "a person"
            drawn.add_row(escape(one.ref), means, escape(f"{one.outcome}: {one.words}" if one.words else one.outcome))
        put(console, drawn)
    _draw_beside(console, "about nobody else, and go with them", found.about)
    _draw_beside(console, "mention them, and stay without them", found.mentions)
    _draw_beside(console, "are of others, hold the same values, and stay: are they really others?", found.others)
    if found.rows:
        put(console, f"{GOOD} the hub itself: {number(sum(found.rows.values()))} rows, {found.files} reports and files")
    if found.state == "planned":
        put(console, f"[dim]this can't be undone; erase it all:[/] [bold]omnihub forget {found.id} --yes[/]")
    elif found.state == "forgotten":
        put(console, f"{GOOD} nothing is left to do; tombstones keep them out")
    elif found.state == "erasing":
        _draw_left(console, found)
    console.print()


def _draw_beside(console: Console, words: str, refs: Sequence[str]) -> None:
    if refs:
        shown = ", ".join(refs[:SHOWN]) + (f" and {len(refs) - SHOWN:,} more" if len(refs) > SHOWN else "")
        put(console, f"{DOUBTFUL} {len(refs):,} {words}: {escape(shown)}")


def _draw_left(console: Console, found: Forgetting) -> None:
    if not found.hub_done or not found.swept:
        put(console, f"{BAD} it was stopped on its way; go on: [bold]omnihub forget {found.id} --yes[/]")
    for one in found.left:
        put(console, f"{DOUBTFUL} {escape(one.ref)} is {one.outcome}: {escape(one.words)}")
    put(console, "[dim]what a system does later is asked for again by every sync; what people have erased by hand:[/] "
                 f"[bold]omnihub forget {found.id} --done[/]")  # fmt: skip


def done(what: str, systems: Sequence[str], by: str, as_json: bool) -> int:
    """Somebody has erased by hand what no system would."""
    with here().store() as store:
        return _say(forgetting.done_by_hand(store, what, by or login(), systems), as_json)


def lift(what: str, because: str, by: str, as_json: bool) -> int:
    """They are known again, from what the systems say from now on."""
    with here().hub() as hub:
        return _say(forgetting.lift(hub, what, by or login(), because), as_json)


def listed(as_json: bool) -> None:
    """Who was forgotten, as far as that is still known; and which systems still send them."""
    with here().store() as store:
        found = forgetting.forgettings(store)
        with store.read() as c:
            sent = forgetting.still_sent(c)
    facts = {"forgettings": [asdict(one) for one in found], "still_sent": sent}
    tell(facts, as_json, lambda console: _draw_list(console, found, sent))


def _draw_list(console: Console, found: Sequence[Forgetting], sent: Mapping[str, int]) -> None:
    if not found:
        console.print("Nobody was forgotten.")
        return
    drawn = table("id", "state", "who", "because", "records", "ended", right=("records",), fold=("because",))
    for one in found:
        records = sum(n for counts in one.by_system.values() for n in counts.values())
        drawn.add_row(one.id, one.state, escape(one.author), escape(one.reason), number(records), one.ended_at or "")
    put(console, drawn)
    for system, n in sent.items():
        noun = "record" if n == 1 else "records"
        put(console, f"{DOUBTFUL} {n:,} {noun} of forgotten people {'is' if n == 1 else 'are'} still sent by {system}")


def give(what: str, file: Path | None, as_json: bool) -> None:
    """Everything the hub holds on somebody. To a file: JSON, or Markdown where it ends with .md."""
    with here().hub() as hub:
        facts = export(hub, what)
    if file is not None:
        text = as_text(facts) if file.suffix == ".md" else json.dumps(facts, ensure_ascii=False, indent=2, default=str)
        file.write_text(text, encoding="utf-8")
        facts = {"to": str(file), "records": len(facts["records"]), "about_them": len(facts["about_them"])}
        tell(facts, as_json, lambda console: put(console, f"{GOOD} {facts['records']} records: {escape(str(file))}"))
    else:
        tell(facts, as_json, lambda console: console.print(as_text(facts), markup=False))

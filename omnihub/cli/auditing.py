"""Audit: whether the chain of what was decided, planned and written is whole, and what is in it."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape

from omnihub.cli import ERROR, OK
from omnihub.cli.installation import here
from omnihub.cli.screen import BAD, GOOD, put, table, tell
from omnihub.flow import auditing
from omnihub.flow.auditing import Verified

SHORT = 90  # of a row's facts on the screen; JSON has all


def verify(head: str, as_json: bool) -> int:
    """Walk the chain. Returns the exit code."""
    with here().store() as store, store.read() as c:
        found = auditing.verify(c, head.strip())
    broken = {"seq": found.broken.seq, "how": found.broken.how, "words": found.broken.words} if found.broken else None
    facts = {"whole": broken is None, "rows": found.rows, "head": found.head, "broken": broken}
    tell(facts, as_json, lambda console: _draw_verified(console, found))
    return ERROR if broken else OK


def _draw_verified(console: Console, found: Verified) -> None:
    if found.broken:
        put(console, f"{BAD} {found.broken.how}: {escape(found.broken.words)}")
        put(console, f"[dim]rows as they were written, before that: {found.rows:,}[/]")
        return
    put(console, f"{GOOD} every row is as it was written: {found.rows:,}")
    if found.head:
        put(console, "[dim]keep this elsewhere; should somebody write all of it anew, it will be missed:[/]")
        put(console, f"[bold]omnihub audit verify --head {found.head}[/]")


def entries(since: str, what: str, limit: int, as_json: bool) -> None:
    """What was decided, planned, written."""
    with here().store() as store, store.read() as c:
        rows = auditing.entries(c, since, what, None if as_json else limit)

    def draw(console: Console) -> None:
        if not rows:
            console.print("Nothing of that kind has happened.")
            return
        drawn = table("seq", "at", "who", "what", "about", right=("seq",), fold=("about",))
        for row in rows:
            drawn.add_row(str(row["seq"]), row["at"], escape(row["author"] or "the hub"), row["what"], _short(row))
        put(console, drawn)

    tell(rows, as_json, draw)


def _short(row: dict[str, Any]) -> str:
    facts = dict(row["facts"])
    if "records" in facts:
        facts["records"] = len(facts["records"])
    told = " ".join(f"{name}={_cell(value)}" for name, value in facts.items() if name not in ("fingerprint", "hash"))
    return escape(told if len(told) <= SHORT else f"{told[: SHORT - 1]}…")


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

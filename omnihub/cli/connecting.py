"""Connect a system: what the connectors can do, a first draft of a new one, and what a real system said, kept."""

from __future__ import annotations

import importlib.util
import keyword
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

import connectors
from omnihub.cli.drafting import Draft, draft, skeleton
from omnihub.cli.installation import here
from omnihub.cli.openapi import read
from omnihub.cli.screen import DOUBTFUL, GOOD, heading, out, put, table, tell
from omnihub.errors import ConfigError
from omnihub.sandbox.derived import Derived
from omnihub.sdk import (
    Bucket,
    Concurrency,
    Connector,
    Export,
    GraphPages,
    Keyset,
    Limit,
    Pages,
    Penalty,
    Quota,
    Rule,
    Stream,
)
from omnihub.sdk.checked import NAME, troubles
from omnihub.sdk.recording import Kept, record

# -- what there is ---------------------------------------------------------------------------------------------------


def show(names: Iterable[str], as_json: bool) -> None:
    """What each connector can read, write and see."""
    installation = here()
    built_in, known = connectors.find(), installation.connectors
    chosen = list(names) or list(known)
    for name in chosen:
        if name not in known:
            raise typer.BadParameter(f"there is no connector {name}; there are: {', '.join(known)}")
    standins = connectors.standins()
    kinds = {name: "derived" if issubclass(kind, Derived) else "hand-written" for name, kind in standins.items()}
    facts = [
        {
            **_facts(known[name]),
            "stand_in": kinds.get(name, "none"),
            "from": "built in" if name in built_in else "omnihub.yaml",
        }
        for name in chosen
    ]
    tell(facts, as_json, lambda console: _draw(console, facts))


def _facts(connector: Connector) -> dict[str, Any]:
    return {
        "name": connector.name,
        "title": connector.title,
        "role": connector.role,
        "master": connector.master,
        "settings": [setting.name for setting in connector.settings],
        "limits": [in_words(rule) for rule in connector.limits],
        "streams": [_stream(stream) for stream in connector.streams],
    }


def _stream(stream: Stream) -> dict[str, Any]:
    push = stream.push
    return {
        "name": stream.name,
        "entity": str(stream.entity),
        "reads": list(stream.map),
        "cursor": cursor_of(stream),
        "deleted": deletions_of(stream),
        "blind": stream.blind,
        "full_every_hours": stream.full_every / timedelta(hours=1) if stream.full_every else None,
        "writes": list(push.fields) if push else [],
        "batch": push.batch if push else None,
        "creates": bool(push and push.create),
        "deletes": bool(push and push.delete),
    }


def cursor_of(stream: Stream) -> str:
    """What a pull goes on from."""
    pull = stream.pull
    if stream.nested:
        return f"comes with {stream.nested.of}"
    if isinstance(pull, Pages) and pull.keep:
        return "the system's own"
    if isinstance(pull, Pages) and (pull.since or isinstance(pull.next, Keyset)):
        return str(pull.updated)
    if isinstance(pull, GraphPages | Export) and pull.since:
        return str(pull.updated)
    if isinstance(pull, Pages | GraphPages | Export):
        return "none: read whole"
    return f"{stream.updated}, by a function of its own" if stream.updated else "by a function of its own"


def deletions_of(stream: Stream) -> str:
    """How it is known that a record is gone."""
    pull = stream.pull
    mark = pull.deleted if isinstance(pull, Pages | GraphPages | Export) else None
    if mark:
        return f"by {mark}"
    if stream.full_every:
        return f"by a complete pass every {stream.full_every / timedelta(hours=1):g} h"
    if cursor_of(stream) == "none: read whole":
        return "by each pass"
    if stream.nested:
        return f"with {stream.nested.of}"
    return "not by what is declared" if isinstance(pull, Pages | GraphPages | Export) else "as its function says"


def in_words(rule: Rule) -> str:
    """A limit as a person says it.

    >>> in_words(Limit(10, per_s=1)), in_words(Quota(650_000, zone="Europe/Berlin"))
    ('10 calls per 1 s', '650,000 calls a day (Europe/Berlin)')
    """
    where = f" at {rule.method}{rule.path}" if rule.path or rule.method else ""
    match rule:
        case Limit():
            return f"{rule.calls:,} calls per {rule.per_s:g} s{where}"
        case Concurrency():
            return f"{rule.calls:,} calls at once{where}"
        case Quota():
            return f"{rule.calls:,} calls a day ({rule.zone}){where}"
        case Bucket():
            return f"{rule.points:g} points, {rule.restores_per_s:g} back a second{where}"
        case Penalty():
            return f"{rule.wait_s:g} s of silence after a refusal{where}"


def _draw(console: Console, facts: list[dict[str, Any]]) -> None:
    for one in facts:
        master = " · master, never written" if one["master"] else ""
        heading(console, one["name"], f"{one['title']} · {one['from']} · stand-in: {one['stand_in']}{master}")
        columns = ("stream", "about", "reads", "from", "gone", "writes")
        drawn = table(*columns, fold=("from", "gone", "writes"))
        for stream in one["streams"]:
            more = [word for word in ("creates", "deletes") if stream[word]]
            writes = ", ".join([*stream["writes"], *(f"[dim]{word}[/]" for word in more)]) or "[dim]·[/]"
            about, reads = stream["entity"], f"{len(stream['reads'])} fields"
            drawn.add_row(stream["name"], about, reads, escape(stream["cursor"]), escape(stream["deleted"]), writes)
        put(console, drawn)
        for stream in one["streams"]:
            if stream["blind"]:
                put(console, f"{DOUBTFUL} {stream['name']} does not see: {escape(stream['blind'])}")
        put(console, f"[dim]limits:[/] {escape(' · '.join(one['limits'])) or 'none'}")
    console.print()


# -- a new one -------------------------------------------------------------------------------------------------------


def new(name: str, openapi: str, folder: Path | None) -> None:
    """Draft connectors/NAME.py. Nothing that is there is overwritten."""
    where = folder or Path(connectors.__path__[0])
    file = where / f"{name}.py"
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise typer.BadParameter("name it with small letters, digits and _ only: settings are found by that name")
    for there in (file, where / name):
        if there.exists():
            raise ConfigError(f"{there}: is there already; choose another name, or move it away first")
    made = draft(name, read(openapi)) if openapi else skeleton(name)
    where.mkdir(parents=True, exist_ok=True)
    file.write_text(made.text, encoding="utf-8")
    _tell_draft(name, file, made)


def _tell_draft(name: str, file: Path, made: Draft) -> None:
    console = out()
    heading(console, str(file), f"{len(made.text.splitlines())} lines")
    put(console, f"{GOOD} streams: {', '.join(made.streams)}")
    put(console, f"{DOUBTFUL} {made.guesses} guesses and {made.todos} things to do are marked in it: read each of them")
    if made.left:
        put(console, f"[dim]lists nothing was made of: {escape(', '.join(made.left))}[/]")
    for wrong in troubles(_loaded(file)):
        put(console, f"{DOUBTFUL} {escape(str(wrong))}")
    put(console, f"then: omnihub test-connector {name}    omnihub sandbox serve {name}")
    console.print()


def _loaded(file: Path) -> Connector:
    spec = importlib.util.spec_from_file_location(f"drafted_{file.stem}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.connector
    assert isinstance(found, Connector)
    return found


# -- what a real system said -----------------------------------------------------------------------------------------


def keep(name: str, pages: int, streams: Iterable[str], folder: Path) -> None:
    """Read a few pages of each stream, and keep what was said without anybody's data."""
    installation = here()
    known: Mapping[str, Connector] = installation.connectors
    if name not in known:
        raise typer.BadParameter(f"there is no connector {name}; there are: {', '.join(known)}")
    connector = known[name]
    offered = [s.name for s in connector.streams if s.pull]
    for stream in streams:
        if stream not in offered:
            raise typer.BadParameter(f"{name} reads no stream {stream}; there are: {', '.join(offered)}")
    settings = installation.config.settings_for(connector)
    console = out()
    heading(console, f"{name}, as it answers", f"at most {pages} pages of each stream; nothing is written there")
    for kept in record(connector, settings, folder, pages, list(streams) or offered):
        _tell_kept(console, kept)
    put(console, "[dim]Read them before you commit them: what no rule knows to be somebody's is still there.[/]")
    console.print()


def _tell_kept(console: Console, kept: Kept) -> None:
    put(
        console,
        f"{GOOD} {kept.file}: {kept.exchanges} exchanges, {kept.records} records, {kept.replaced} values replaced",
    )
    for remark in islice(kept.remarks, 5):
        put(console, f"{DOUBTFUL} {escape(remark)}")

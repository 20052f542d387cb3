"""Test a connector: every rule tried on it; and the broken connectors that show what the rules are worth."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

import connectors
from omnihub.cli import ERROR, OK
from omnihub.cli.installation import here
from omnihub.cli.screen import BAD, GOOD, heading, out, put, seconds, table, tell
from omnihub.conformance import RULES, Verdict, check
from omnihub.conformance.live import check_live
from omnihub.conformance.mutants import try_mutants
from omnihub.errors import ConfigError
from omnihub.sandbox.kit import Standin
from omnihub.sdk import Connector

SIGN = {"kept": GOOD, "broken": BAD, "not for this": "[dim]–[/]"}
Told = Callable[[Verdict], None]


def test(names: list[str], every: bool, live: bool, mutants: bool, rules: list[str], as_json: bool) -> int:
    """Try these connectors (all that have a stand-in), or the mutants. Returns the exit code."""
    _known_rules(rules)
    logging.getLogger().addHandler(logging.NullHandler())  # what fails here fails on purpose
    if mutants:
        return _mutants(as_json)
    found = here().connectors if live else connectors.find()
    chosen = sorted(found) if every else names
    if not chosen:
        raise typer.BadParameter("name a connector, or say --all or --mutants")
    facts: dict[str, list[dict[str, Any]]] = {}
    for name in chosen:
        if name not in found:
            raise typer.BadParameter(f"there is no connector {name}; there are: {', '.join(sorted(found))}")
        shown = _shown(out(), name, found[name].title, quiet=as_json)
        verdicts = _live(found[name], shown) if live else _sandboxed(found[name], rules, shown)
        facts[name] = [asdict(v) for v in verdicts]
    tell(facts, as_json, lambda console: _draw_sum(console, facts))
    return ERROR if any(v["state"] == "broken" for some in facts.values() for v in some) else OK


def _known_rules(rules: Iterable[str]) -> None:
    unknown = [name for name in rules if name not in RULES]
    if unknown:
        raise typer.BadParameter(f"there is no rule {unknown[0]!r}; there are: {', '.join(RULES)}")


def _sandboxed(connector: Connector, rules: list[str], told: Told) -> list[Verdict]:
    kind: type[Standin] | None = connectors.standins().get(connector.name)
    if kind is None:
        raise ConfigError(
            f"{connector.name}: has no stand-in to be tried on; declare its streams with the values of omnihub.sdk, "
            f"or put one into connectors/{connector.name}/sandbox.py"
        )
    return check(connector, kind, rules, told)


def _live(connector: Connector, told: Told) -> list[Verdict]:
    return check_live(connector, here().config.settings_for(connector), told)


def _shown(console: Console, name: str, title: str, quiet: bool) -> Told:
    """Each verdict as soon as it is there."""
    if quiet:
        return lambda verdict: None
    heading(console, name, title)

    def told(verdict: Verdict) -> None:
        says = RULES[verdict.rule].says if verdict.rule in RULES else verdict.rule
        why = f"  [dim]{escape(verdict.why)}[/]" if verdict.state == "not for this" else ""
        put(console, f"{SIGN[verdict.state]} {says}{why}")
        if verdict.state == "broken":
            put(console, f"    [red]{escape(verdict.why)}[/]")

    return told


def _draw_sum(console: Console, facts: dict[str, list[dict[str, Any]]]) -> None:
    heading(console, "Together")
    drawn = table(
        "connector", "kept", "broken", "not for this", "took", right=("kept", "broken", "not for this", "took")
    )
    for name, verdicts in facts.items():
        counts = [sum(v["state"] == state for v in verdicts) for state in SIGN]
        drawn.add_row(name, *(str(n) for n in counts), seconds(sum(v["took_s"] for v in verdicts)))
    put(console, drawn)
    console.print()


# -- mutants ---------------------------------------------------------------------------------------------------------


def _mutants(as_json: bool) -> int:
    """The table rule × broken connector."""
    facts, started = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="omnihub-") as folder:
        for caught in try_mutants(Path(folder)):
            facts.append({"rule": caught.rule, "mistake": caught.mistake, "caught_by": caught.by, "ok": caught.ok})
            if not as_json:
                typer.echo(f"  {'ok ' if caught.ok else 'NOT'} {caught.rule}", err=True)
    tell(facts, as_json, lambda console: _draw_mutants(console, facts, time.monotonic() - started))
    return OK if all(one["ok"] for one in facts) else ERROR


def _draw_mutants(console: Console, facts: list[dict[str, Any]], took_s: float) -> None:
    heading(console, f"{len(facts)} rules, each with a connector that breaks it", seconds(took_s))
    drawn = table("rule", "the broken connector …", "caught by", fold=("rule", "the broken connector …", "caught by"))
    for one in facts:
        sign = GOOD if one["ok"] else BAD
        drawn.add_row(one["rule"], one["mistake"], f"{sign} {escape(', '.join(one['caught_by']) or 'nothing')}")
    put(console, drawn)
    console.print()

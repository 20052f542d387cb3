"""Rules: which member's value wins, and what would flip if it were decided otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from omnihub.cli.installation import here
from omnihub.cli.screen import heading, number, progress, put, table, tell
from omnihub.config import proposed
from omnihub.flow.hub import Hub, rules_of
from omnihub.flow.previewing import Preview, merged_by, preview
from omnihub.merge import WHY, Rules
from omnihub.model import GOLDEN, Entity, fields_of

FEW = 4  # fields named one by one
_CELL = ("rule", "order", "half_life_days", "trust")


# -- the table in force ----------------------------------------------------------------------------------------------


def show(as_json: bool) -> None:
    """The rule of every field and group of fields, and how far each system is believed in it."""
    with here().hub() as hub:
        facts = {"rules": list(_told(hub.rules)), "waits": _waits(hub)}
    tell(facts, as_json, lambda console: _draw(console, facts))


def _told(rules: Rules) -> Iterator[dict[str, Any]]:
    """One row a field, or a group of fields."""
    for entity in GOLDEN:
        decided, groups = rules.table(entity), _groups(entity)
        for unit, names in groups.items():
            told = decided[names[0]]
            chosen = any((entity, name) in rules.fields for name in names)
            yield {"entity": entity.value, "field": unit, "fields": names, **told, "default": not chosen}


def _groups(entity: Entity) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for field in fields_of(entity).values():
        groups.setdefault(field.group or field.name, []).append(field.name)
    return groups


def _waits(hub: Hub) -> list[str]:
    """The entities whose golden records were merged by other rules; the next run merges them again."""
    known = {entity: merged_by(hub, entity) for entity in GOLDEN}
    return [e.value for e, by in known.items() if by is not None and by != hub.rules.fingerprint(e)]


def _draw(console: Console, facts: Mapping[str, Any]) -> None:
    heading(console, "Which value wins", "survivorship in omnihub.yaml")
    drawn = table("", "field", "rule", "counts half after", "trust, where it is not 1", fold=("field", "rule"))
    for row in facts["rules"]:
        grouped = f"  [dim]{', '.join(row['fields'])}[/]" if row["fields"] != [row["field"]] else ""
        rule = f"[dim]{row['rule']}[/]" if row["default"] else f"[bold]{_rule(row)}[/]"
        days = f"{row['half_life_days']:g} days" if row["rule"] == "trusted" else "[dim]·[/]"
        drawn.add_row(row["entity"], row["field"] + grouped, rule, days, _trust(row["trust"]))
    put(console, drawn)
    if facts["waits"]:
        console.print(f"\n  The next run merges again by these rules: {', '.join(facts['waits'])}")
    console.print()


def _rule(cell: Mapping[str, Any]) -> str:
    return f"{cell['rule']}: {', '.join(cell['order'])}" if cell["order"] else str(cell["rule"])


def _trust(trust: Mapping[str, float]) -> str:
    return ", ".join(f"{system} {value:g}" for system, value in trust.items())


# -- what would flip -------------------------------------------------------------------------------------------------


def try_out(words: Sequence[str], file: Path | None, most: int, as_json: bool) -> None:
    """What the golden records would say by other rules. Nothing is written."""
    installation = here()
    told = proposed(installation.config.survivorship, file, words, installation.connectors)
    with progress() as bar, installation.hub(bar) as hub:
        rules = rules_of(told, hub.rules.masters)
        found = preview(hub, rules, most or None)
        facts = _facts(hub, rules, found)
    tell(facts, as_json, lambda console: _draw_preview(console, facts))


def _facts(hub: Hub, rules: Rules, found: Sequence[Preview]) -> dict[str, Any]:
    return {
        "rules": list(_changed(hub.rules, rules)),
        "entities": {
            one.entity.value: {
                "looked_at": one.looked_at,
                "goldens": one.goldens,
                "cells": sum(one.flips.values()),
                "waiting": one.waiting,
            }
            for one in found
        },
        "fields": [
            {
                "entity": one.entity.value,
                "field": name,
                "flips": count,
                "examples": [_example(row) for row in one.examples[name]],
            }
            for one in found
            for name, count in sorted(one.flips.items(), key=lambda item: (-item[1], item[0]))
        ],
        "waits": _waits(hub),
    }


def _changed(before: Rules, after: Rules) -> Iterator[dict[str, Any]]:
    """The rows of the table that would be others."""
    for old, new in zip(_told(before), _told(after), strict=True):
        if any(old[of] != new[of] for of in _CELL):
            row = {"entity": new["entity"], "field": new["field"]}
            yield row | {"old": {of: old[of] for of in _CELL}, "new": {of: new[of] for of in _CELL}}


def _example(row: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "golden": row["golden_id"],
        "old": row["old"],
        "new": row["new"],
        "from": row["old_ref"] or None,
        "to": row["new_ref"] or None,
        "rule": row["new_rule"],
        "why": _why(row),
    }


def _why(row: Mapping[str, str | None]) -> str:
    """In words, about the record whose value is the golden one today."""
    if row["why"]:
        return f"{row['old_ref']} {WHY[row['why']]}"
    if row["new"] is None:
        return "the record its group is taken from has no such value"
    return f"taken with its group from {row['new_ref']}" if row["old"] is None else f"now by the rule {row['new_rule']}"


def _draw_preview(console: Console, facts: Mapping[str, Any]) -> None:
    heading(console, "What would flip", "nothing is saved")
    for remark in (*_other_rules(facts["rules"]), *_other_trust(facts["rules"])):
        console.print(f"  {remark}")
    if facts["fields"]:
        drawn = table("field", "values", "golden", "old", "new", "why", right=("values",), fold=("old", "new", "why"))
        for one in facts["fields"]:
            _draw_field(drawn, one)
        put(console, drawn)
    else:
        console.print("  No golden value would be another one.")
    if waiting := sum(one["waiting"] for one in facts["entities"].values()):
        console.print(
            f"\n  {number(waiting)} records have news that is not merged yet; the next run brings that as well."
        )
    console.print()


def _other_rules(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        old, new = (f"{_rule(row[of])}, {row[of]['half_life_days']:g} days" for of in ("old", "new"))
        if old != new:
            yield f"{row['entity']}.{row['field']}: {old} → [bold]{new}[/]"


def _other_trust(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One line a system and figure, however many fields it is for."""
    changed: dict[tuple[str, float, float], list[str]] = {}
    for row in rows:
        old, new = row["old"]["trust"], row["new"]["trust"]
        for system in sorted(old.keys() | new.keys()):
            before, after = old.get(system, 1.0), new.get(system, 1.0)
            if before != after:
                changed.setdefault((system, before, after), []).append(f"{row['entity']}.{row['field']}")
    for (system, before, after), fields in changed.items():
        about = ", ".join(fields) if len(fields) <= FEW else f"{len(fields)} fields"
        yield f"trust in {system}: {before:g} → [bold]{after:g}[/] for {about}"


def _draw_field(drawn: Table, one: Mapping[str, Any]) -> None:
    label, count = f"{one['entity']}.{one['field']}", number(one["flips"])
    for example in one["examples"]:
        old, new = (escape(example[of]) if example[of] is not None else "[dim]nothing[/]" for of in ("old", "new"))
        drawn.add_row(label, count, example["golden"], old, new, f"[dim]{escape(_shorter(example['why']))}[/]")
        label, count = "", ""


def _shorter(why: str) -> str:
    """A ref by its system alone; the document has it whole."""
    return " ".join(word.partition("/")[0] if word.count("/") >= 2 else word for word in why.split(" "))

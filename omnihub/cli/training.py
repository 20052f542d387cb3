"""`omnihub match train`, `models`, `use`: the models that weigh pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from omnihub.cli.installation import here
from omnihub.cli.screen import heading, progress, put, table, tell
from omnihub.errors import OmniHubError
from omnihub.flow import modelling
from omnihub.flow.training import Trained, train_entity
from omnihub.model import GOLDEN, Entity

DEFAULT = "default"  # what comes with the hub


def train(entity: str, keep: bool, as_json: bool) -> None:
    """Measure on the hub's own records how much each comparison says."""
    with progress() as bar, here().hub(bar) as hub:
        trained = train_entity(hub, Entity(entity), keep=keep)
    facts = {
        "entity": entity,
        "version": trained.model.version if keep else None,
        "records": trained.records,
        "trained_on": trained.model.trained_on,
        "limits": vars(trained.model.limits),
        "learnt": [vars(one) for one in trained.learnt],
    }
    tell(facts, as_json, lambda console: _draw_trained(console, trained, keep))


def models(as_json: bool) -> None:
    """Every model there is."""
    with here().store() as store, store.read() as c:
        found = [one for entity in GOLDEN for one in modelling.versions(c, entity)]
    tell({"models": found}, as_json, lambda console: _draw_models(console, found))


def use(entity: str, version: str, as_json: bool) -> None:
    """Put a model in force again."""
    if version != DEFAULT and not version.isdecimal():
        raise OmniHubError(f"match: {version} is no model; write a number of `omnihub match models`, or {DEFAULT}")
    number = None if version == DEFAULT else int(version)
    with here().store() as store, store.write() as c:
        modelling.use(c, Entity(entity), number)
    name = "What comes with the hub" if number is None else f"Model {number}"
    facts = {"entity": entity, "version": number}
    tell(facts, as_json, lambda console: console.print(f"{name} weighs {entity}s from the next run on."))


def _draw_trained(console: Console, trained: Trained, keep: bool) -> None:
    name = trained.model.entity.value
    heading(console, f"Trained on {trained.records:,} {name}s", "in bits: one more is twice as likely")
    drawn = table("comparison", "where", "as it comes", "learnt", fold=("where",))
    for one in trained.learnt:
        drawn.add_row(one.comparison, f"[dim]{escape(one.when)}[/]", f"{one.before:+.1f}", f"{one.after:+.1f}")
    put(console, drawn)
    limits = trained.model.limits
    console.print(f"  same from {limits.same:+.1f}, a person is asked from {limits.unsure:+.1f}")
    kept = f"It is model {trained.model.version}; the next run weighs everything with it." if keep else "Not kept."
    console.print(f"  {kept}\n")


def _draw_models(console: Console, found: Sequence[dict[str, Any]]) -> None:
    if found:
        _draw_kept(console, found)
    in_force = {one["entity"] for one in found if one["active"]}
    others = [f"{entity.value}s" for entity in GOLDEN if entity.value not in in_force]
    if others:
        console.print(f"  {', '.join(others)}: [green]in force[/] is what comes with the hub.")


def _draw_kept(console: Console, found: Sequence[dict[str, Any]]) -> None:
    drawn = table("", "version", "made", "trained on", "")
    for one in found:
        trained = one["trained_on"] or "comes with the hub"
        drawn.add_row(
            one["entity"], str(one["version"]), one["at"][:10], trained, "[green]in force[/]" if one["active"] else ""
        )
    put(console, drawn)

"""The hub in one value: its store, its systems and its rules. Everything a step may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from omnihub.match import THRESHOLDS, Thresholds
from omnihub.merge import Rules
from omnihub.model import Entity
from omnihub.push import Limits
from omnihub.sdk import Connector
from omnihub.store import Store

Progress = Callable[[str, int, int | None], None]
"""(what, done, of how many if that is known): called while a step works."""


def silent(what: str, done: int, total: int | None) -> None:
    """No progress shown."""


@dataclass(frozen=True)
class Hub:
    """settings: a system's settings, secrets included, asked for only when it is called. country: where local phone
    numbers and the like are at home."""

    store: Store
    connectors: Mapping[str, Connector]
    settings: Callable[[Connector], Mapping[str, str]]
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    thresholds: Mapping[Entity, Thresholds] = field(default_factory=lambda: THRESHOLDS)
    country: str | None = "DE"
    streams: Callable[[Connector], tuple[str, ...]] = lambda c: tuple(s.name for s in c.streams)
    progress: Progress = silent

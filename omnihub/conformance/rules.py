"""A rule is a sentence and a function that breaks with the reason where a connector does not keep it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omnihub.conformance.trial import Trial


class Broken(Exception):
    """The connector does not keep the rule. Says what was seen, and where to look."""


class NotForThis(Exception):
    """The rule has nothing to say about this connector. Says why."""


@dataclass(frozen=True)
class Rule:
    """name: short, for tables and tests. says: the whole sentence. try_: raises Broken or NotForThis, or returns."""

    name: str
    says: str
    about: str
    try_: Callable[[Trial], None]


@dataclass(frozen=True)
class Verdict:
    """How one connector stands to one rule: kept, broken, not for this. `why` is for a person."""

    rule: str
    state: str
    why: str = ""
    took_s: float = 0.0


RULES: dict[str, Rule] = {}
"""Every rule by name, in the order they are tried."""


def rule(about: str, name: str, says: str) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Make a function a rule."""

    def keep(try_: Callable[[Trial], None]) -> Callable[[Trial], None]:
        RULES[name] = Rule(name, says, about, try_)
        return try_

    return keep


def expect(kept: bool, otherwise: str) -> None:
    """Broken, with this reason, unless `kept`."""
    if not kept:
        raise Broken(otherwise)

"""The wire between the hub and a stand-in: every call is seen, and can be bent by the rule that is being tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from omnihub.sandbox.kit import Call, Reply, Standin

Carry = Callable[[], Reply]
Bend = Callable[[Call, Carry], Reply]
"""(call, how the system would answer it) → what the hub gets to see. May carry the call twice, or not at all."""


@dataclass
class Seen:
    """One call and its answer."""

    call: Call
    reply: Reply


@dataclass
class Wire:
    """`seen`: what went over it since `clear`."""

    seen: list[Seen] = field(default_factory=list)
    _bend: Bend | None = None

    def clear(self) -> None:
        """Forget what was seen."""
        self.seen = []

    def carry(self, call: Call, answer: Carry) -> Reply:
        """One call on its way."""
        reply = self._bend(call, answer) if self._bend else answer()
        self.seen.append(Seen(call, reply))
        return reply

    @contextmanager
    def bent(self, bend: Bend) -> Iterator[None]:
        """Bend every call until the block ends."""
        self._bend = bend
        try:
            yield
        finally:
            self._bend = None


def wired(kind: type[Standin], wire: Wire) -> type[Standin]:
    """The stand-in with a wire before it. Logins go past it: a rule is about records."""

    def _answer(self: Any, handler: Any, open_: bool, call: Call, path: str) -> Reply:
        def answer() -> Reply:
            return kind._answer(self, handler, open_, call, path)

        return answer() if open_ else wire.carry(call, answer)

    return type(kind.__name__, (kind,), {"_answer": _answer})


def rows(reply: Reply) -> list[list[Any]]:
    """The lists of records in an answer, to be changed in place: the outermost lists of objects."""
    if isinstance(reply.body, bytes | str):
        return []
    return list(_lists(reply.body))


def _lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        if value and all(isinstance(one, dict) for one in value):
            yield value
    elif isinstance(value, dict):
        for below in value.values():
            yield from _lists(below)

"""Faults by name: what a stand-in does wrong on purpose, each call with a chance of its own.

    switch_on(folder, "429 storm", rate=0.2, systems=["hubspot"])     also while it is served by another process
    standin.faults.switch_on("half a batch lost", rate=0.2)           in this process only

    a call ─▶ INSTEAD an answer ─▶ WITHIN: the system is not itself while it works ─▶ REPLY changed ─▶ LINE fails

What is on is kept in `faults.json` beside the stand-ins' state; they look at it on every call. Which calls are hit is
thrown with seeded dice, for each system and fault alone, and only for calls it could do something to: the n-th of them
is hit or is not, whatever else goes on.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omnihub.sandbox.kit import Call, Reply, Standin
    from omnihub.sandbox.state import Obj, State

EVERYONE = "*"  # in the file: all systems
RATE = 0.2
WAIT_S = 1.0  # what a 429 asks for


class Stage(Enum):
    """Where in a call a fault strikes."""

    INSTEAD = "instead"
    WITHIN = "within"
    REPLY = "reply"
    LINE = "line"


class Of(Enum):
    """The calls a fault can do something to."""

    ANY = "any"
    READS = "reads"
    WRITES = "writes"
    SIGNED = "signed"  # all but logins


@dataclass(frozen=True)
class Fault:
    """A fault. `act` is what the stage asks for (None: the line's faults are the server's); `seconds` is how long or
    how far, where that means anything."""

    name: str
    stage: Stage
    of: Of
    says: str
    act: Any = None
    seconds: float = 0.0


@dataclass(frozen=True)
class On:
    """How a fault is switched on."""

    rate: float = RATE
    seconds: float = 0.0
    seed: int = 1


BLOCK = 10  # calls


class Dice:
    """Which calls are hit: of each ten the rate's share, and nobody knows which, so that few calls get theirs too."""

    def __init__(self, on: On, whose: str) -> None:
        self.rate, self.random = on.rate, random.Random(f"{on.seed} {whose}")
        self._block: list[bool] = []

    def strike(self) -> bool:
        """Whether the next call is hit."""
        if not self._block:
            hits = int(self.rate * BLOCK + self.random.random())
            self._block = [n < hits for n in range(BLOCK)]
            self.random.shuffle(self._block)
        return self._block.pop()


@dataclass(frozen=True)
class Hit:
    """A fault that befalls a call."""

    fault: Fault
    on: On
    dice: random.Random

    def chance(self) -> bool:
        """Heads or tails."""
        return self.dice.random() < 0.5


class RowRefused(Exception):
    """A row refused for no good reason, where the vendor has no words of its own for that."""


# -- instead of an answer --------------------------------------------------------------------------------------------


def _storm(standin: Standin, call: Call, hit: Hit) -> Reply:
    return standin.error(429, wait_s=hit.on.seconds)


def _revoke(standin: Standin, call: Call, hit: Hit) -> Reply:
    token = standin.token_of(call)
    if not _is_fixed(token, standin.credentials.values()):
        standin.faults.revoked.add(token)  # what was handed out stays worthless; a new one is to be had
    return standin.error(401)


def _is_fixed(token: str, credentials: Iterable[str]) -> bool:
    """Whether the token is one of the settings themselves: nobody could get another."""
    try:
        plain = base64.b64decode(token.removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, ValueError):
        plain = ""
    return any(secret and (secret in token or secret in plain) for secret in credentials)


# -- the system is not itself ----------------------------------------------------------------------------------------


@contextmanager
def _skewed(standin: Standin, call: Call, hit: Hit) -> Iterator[None]:
    off = timedelta(seconds=hit.on.seconds if hit.chance() else -hit.on.seconds)
    standin.state.skew = off
    try:
        yield
    finally:
        standin.state.skew = timedelta(0)


@contextmanager
def _writing(state: State, before: Callable[[Obj], bool]) -> Iterator[None]:
    state.before_write = before
    try:
        yield
    finally:
        state.before_write = None


def _losing(standin: Standin, call: Call, hit: Hit) -> AbstractContextManager[None]:
    return _writing(standin.state, lambda obj: hit.chance())


@contextmanager
def _refusing(standin: Standin, call: Call, hit: Hit) -> Iterator[None]:
    """Vendors that judge their rows are asked there; with the others the first write of a batch fails, or each may."""

    def before(obj: Obj) -> bool:
        if standin.rows_judged != "alone" and not (wrote and standin.rows_judged == "whole") and hit.chance():
            raise standin.row_refusal()
        wrote.append(obj.id)
        return True

    wrote: list[str] = []
    standin.whim = hit.chance
    try:
        with _writing(standin.state, before):
            yield
    finally:
        standin.whim = None


def _stale(standin: Standin, call: Call, hit: Hit) -> AbstractContextManager[None]:
    return standin.state.as_of(hit.on.seconds, by_id=False) if standin.reads(call) else nullcontext()


def _late(standin: Standin, call: Call, hit: Hit) -> AbstractContextManager[None]:
    return standin.state.as_of(hit.on.seconds, by_id=True) if standin.reads(call) else nullcontext()


# -- another reply ---------------------------------------------------------------------------------------------------


def _forget_to_say(standin: Standin, call: Call, hit: Hit, reply: Reply, wrote: int) -> Reply:
    return standin.error(500) if wrote and reply.status < 400 else reply


def _repeat(standin: Standin, call: Call, hit: Hit, reply: Reply, wrote: int) -> Reply:
    def again(rows: list[Any]) -> list[Any]:
        earlier = standin.faults.earlier.get(standin.page_kind(call, rows)) or rows
        return rows + earlier[: len(rows)]

    return with_rows(standin, call, reply, again)


def _shuffle(standin: Standin, call: Call, hit: Hit, reply: Reply, wrote: int) -> Reply:
    return with_rows(standin, call, reply, lambda rows: hit.dice.sample(rows, len(rows)))


KEPT_NAMES = ("id", "cursor", "updat", "modif", "version", "etag", "delet", "archiv", "creat", "type", "attributes")
"""Without these a record is none, or is another: that is no renamed field any more."""


def _rename(standin: Standin, call: Call, hit: Hit, reply: Reply, wrote: int) -> Reply:
    def renamed(rows: list[Any]) -> list[Any]:
        names = sorted({n for row in rows if isinstance(row, dict) for n in _leaves(row)})
        if not names:
            return rows
        path = hit.dice.choice(names)
        return [_with_name(row, path, path[-1] + "_v2") if isinstance(row, dict) else row for row in rows]

    return with_rows(standin, call, reply, renamed)


def _leaves(row: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in row.items():
        if any(kept in name.lower() for kept in KEPT_NAMES):
            continue
        if isinstance(value, dict):
            yield from _leaves(value, (*above, name))
        elif not isinstance(value, list):
            yield (*above, name)


def _with_name(row: Mapping[str, Any], path: Sequence[str], name: str) -> dict[str, Any]:
    head, *rest = path
    if rest:
        inner = row.get(head)
        return {**row, head: _with_name(inner, rest, name)} if isinstance(inner, dict) else dict(row)
    return {name if key == head else key: value for key, value in row.items()}


# -- where the rows of an answer are ---------------------------------------------------------------------------------


def found_rows(body: Any) -> list[Any] | None:
    """The first list of objects in an answer, looked for level by level."""
    level = [body]
    while level:
        for value in level:
            if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
                return value
        level = [
            inner for value in level if isinstance(value, dict) for name, inner in value.items() if name != "errors"
        ]
    return None


def with_rows(standin: Standin, call: Call, reply: Reply, change: Callable[[list[Any]], list[Any]]) -> Reply:
    """The reply with other rows, where it is a list and nothing was written: JSON, lines of JSON, or CSV."""
    if reply.status != 200 or not standin.reads(call):
        return reply
    if isinstance(reply.body, str | bytes):
        return _with_lines(reply, change)
    rows = standin.rows(call, reply)
    if rows:
        changed = change(list(rows))
        rows[:] = changed
    return reply


def _with_lines(reply: Reply, change: Callable[[list[Any]], list[Any]]) -> Reply:
    text = reply.body.decode() if isinstance(reply.body, bytes) else reply.body
    lines = text.splitlines(keepends=True)
    head = 1 if "csv" in reply.content_type else 0
    try:
        rows = lines[head:] if head else [json.loads(line) for line in lines]
    except ValueError:
        return reply  # a page for people, or a document over several lines
    changed = change(rows) if rows else rows
    reply.body = "".join(lines[:head] + (changed if head else [json.dumps(row) + "\n" for row in changed]))
    return reply


# -- the table -------------------------------------------------------------------------------------------------------

SLOW, HANG, RESET, TRUNCATED = "slow", "hang", "connection reset", "truncated body"

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            "429 storm", Stage.INSTEAD, Of.ANY, "The call is refused: too many, come back in a second.", _storm, WAIT_S
        ),
        Fault(
            "500 after commit",
            Stage.REPLY,
            Of.WRITES,
            "What was asked is written, and the answer is an error.",
            _forget_to_say,
        ),
        Fault(SLOW, Stage.LINE, Of.ANY, "The answer takes its time.", seconds=2.0),
        Fault(HANG, Stage.LINE, Of.ANY, "No answer comes until the caller gives up; done, or not done.", seconds=90.0),
        Fault(RESET, Stage.LINE, Of.ANY, "The connection breaks off without an answer; done, or not done."),
        Fault("duplicate page", Stage.REPLY, Of.READS, "Rows of an earlier page come again.", _repeat),
        Fault("shuffled page", Stage.REPLY, Of.READS, "The rows of a page come in another order.", _shuffle),
        Fault(TRUNCATED, Stage.LINE, Of.ANY, "The answer ends in the middle, as cut off or as if that were all of it."),
        Fault("token revoked", Stage.INSTEAD, Of.SIGNED, "The token is worthless from this call on.", _revoke),
        Fault(
            "clock skew", Stage.WITHIN, Of.ANY, "The system's clock is off, fast or slow, for one call.", _skewed, 300.0
        ),
        Fault(
            "partial batch", Stage.WITHIN, Of.WRITES, "Some rows of a batch are refused for no good reason.", _refusing
        ),
        Fault(
            "half a batch lost", Stage.WITHIN, Of.WRITES, "All is answered as written, and half of it was not.", _losing
        ),
        Fault(
            "stale search index", Stage.WITHIN, Of.READS, "Lists and searches don't show the last seconds.", _stale, 5.0
        ),
        Fault("late write visible", Stage.WITHIN, Of.READS, "Reads show how it was some seconds ago.", _late, 5.0),
        Fault("field renamed", Stage.REPLY, Of.READS, "A field of the rows is called otherwise.", _rename),
    )
}
REMEMBERING = ("stale search index", "late write visible")


# -- what is on ------------------------------------------------------------------------------------------------------


def switched_on(folder: Path) -> dict[str, dict[str, On]]:
    """system (or `*`) → fault → how it is on, by the file in this folder."""
    try:
        told = json.loads(_file(folder).read_text())
        return {s: {n: On(**on) for n, on in faults.items() if n in FAULTS} for s, faults in told.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def switch_on(
    folder: Path,
    name: str,
    rate: float = RATE,
    systems: Iterable[str] = (),
    seconds: float | None = None,
    seed: int = 1,
) -> None:
    """Switch a fault on, for some systems or all. It works from the next call on."""
    on = On(rate, FAULTS[name].seconds if seconds is None else seconds, seed)
    present = switched_on(folder)
    for system in tuple(systems) or (EVERYONE,):
        present.setdefault(system, {})[name] = on
    _keep(folder, present)


def switch_off(folder: Path, name: str | None = None, systems: Iterable[str] = ()) -> None:
    """Switch a fault off, or all; for some systems, or everywhere."""
    only = frozenset(systems)
    present = {
        system: {n: on for n, on in faults.items() if (only and system not in only) or (name and n != name)}
        for system, faults in switched_on(folder).items()
    }
    _keep(folder, {system: faults for system, faults in present.items() if faults})


def _file(folder: Path) -> Path:
    return folder / "faults.json"


def _keep(folder: Path, on: Mapping[str, Mapping[str, On]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    beside = _file(folder).with_suffix(f".{os.getpid()}")
    plain = {system: {name: asdict(how) for name, how in faults.items()} for system, faults in on.items()}
    beside.write_text(json.dumps(plain, indent=1))
    beside.replace(_file(folder))  # readers see the whole file or the one before


@dataclass
class Faults:
    """The faults of one stand-in. `folder`: where the file is looked for, None for one kept in memory."""

    system: str
    folder: Path | None
    state: State
    own: dict[str, On] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    earlier: dict[str, list[Any]] = field(default_factory=dict)  # kind of page → rows of the last one
    struck: dict[str, int] = field(default_factory=dict)  # fault → calls hit so far
    _dice: dict[tuple[str, On], Dice] = field(default_factory=dict)
    _told: dict[str, On] = field(default_factory=dict)
    _stamp: tuple[int, int] = (0, 0)

    def switch_on(self, name: str, rate: float = RATE, seconds: float | None = None, seed: int = 1) -> None:
        """Switch a fault on in this stand-in alone."""
        self.own[name] = On(rate, FAULTS[name].seconds if seconds is None else seconds, seed)
        self._prepare()

    def switch_off(self) -> None:
        """Switch off what `switch_on` switched on."""
        self.own.clear()
        self._prepare()

    def hits(self, *, reads: Callable[[], bool], logging_in: bool) -> list[Hit]:
        """What befalls this call. `reads`: whether it only reads, asked only where that matters."""
        self._look()
        on = {**self._told, **self.own}
        if not on:
            return []
        kinds = {Of.ANY} if logging_in else {Of.ANY, Of.SIGNED, Of.READS if reads() else Of.WRITES}
        hits = [hit for name, how in on.items() if FAULTS[name].of in kinds and (hit := self._throw(name, how))]
        for hit in hits:
            self.struck[hit.fault.name] = self.struck.get(hit.fault.name, 0) + 1
        return hits

    def _throw(self, name: str, on: On) -> Hit | None:
        dice = self._dice.setdefault((name, on), Dice(on, f"{self.system} {name}"))
        return Hit(FAULTS[name], on, random.Random(dice.random.random())) if dice.strike() else None

    def _look(self) -> None:
        """Read the file again, where it is another than last time."""
        if self.folder is None:
            return
        try:
            found = _file(self.folder).stat()
            stamp = (found.st_mtime_ns, found.st_ino)
        except OSError:
            stamp = (0, 0)
        if stamp != self._stamp:
            told = switched_on(self.folder)
            self._told, self._stamp = {**told.get(EVERYONE, {}), **told.get(self.system, {})}, stamp
            self._prepare()

    def _prepare(self) -> None:
        """Showing how it was needs to know how it was."""
        on = {**self._told, **self.own}
        self.state.remember_s = max((on[name].seconds for name in REMEMBERING if name in on), default=0.0)

    @property
    def keeps_pages(self) -> bool:
        """Whether the rows of a page may be asked for again."""
        return "duplicate page" in self.own or "duplicate page" in self._told

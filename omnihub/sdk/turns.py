"""Turns: each call waits until every rule that applies to it has room, and is counted where all processes look.

    book a place with each rule ─▶ wait until all are free ─▶ room among those under way? ─▶ call ─▶ settle
    (one look into the ledger)     (nobody is held up)         (only where a rule asks)              (one more look)

The system counts a call when it arrives, which is some time between our sending it and its answer. A call therefore
counts from its answer on: however slowly one travels and however fast the next, the system never sees one too many.
Places are booked ahead, so whoever came first goes first, and a wait costs no further looks. What a process that dies
had booked becomes free again after `LEASE_S`.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import requests

from omnihub.errors import QuotaSpent
from omnihub.sdk.limits import Bucket, Concurrency, Left, Level, Limit, Penalty, Quota, Rule, price, utc
from omnihub.sdk.memory import Memory

LEASE_S = 300.0  # longer than any call may take; then whoever booked is taken for dead
LOOK_AGAIN_S = 0.005, 0.02  # when to look again where everything is under way: nobody can say how long that takes
EARLY_S = 0.05
SPARE_S = 0.001  # waited on top: clocks are read in steps
SETTLES_S = 60.0  # a "used up" this soon after the day began is about the day before: clocks differ
SHUT = "shut"


class Books(Protocol):
    """One look into the ledger of one key; nobody else changes anything until it is over."""

    now: float

    def read(self, name: str) -> dict[str, Any]:
        """What is written under a name; empty where nothing is."""

    def write(self, name: str, state: dict[str, Any]) -> None:
        """Remember it."""

    def seat(self, name: str, seats: int, until: float) -> tuple[int, float] | None:
        """The one of so many seats that is free earliest, and when that is; it is taken now, at most until `until`.
        None where all are taken."""

    def leave(self, name: str, seat: int, free_at: float) -> None:
        """The seat is taken no more, and free from then on."""

    def withhold(self, name: str, left: int, since: float, until: float) -> None:
        """Of the seats that have been free since `since`, only `left` stay so; the others are free from `until` on."""


class Ledger(Protocol):
    """Where calls are counted."""

    def open(self, key: str) -> AbstractContextManager[Books]:
        """Look into the books of one key."""


class _Part(Protocol):
    """One rule's part in a turn."""

    def book(self, books: Books) -> float | None:
        """Seconds until there is room; None where nobody can say yet."""

    def undo(self, books: Books) -> None:
        """The call is not made."""

    def hear(self, response: requests.Response) -> None:
        """The answer is there."""

    def settle(self, books: Books, sent_at: float) -> None:
        """The call is over."""


@dataclass
class _Seat:
    """A window: as many seats as calls are allowed in it. Also, with a window of nothing, calls at once."""

    rule: Limit | Concurrency
    per_s: float = 0.0
    seat: int = -1
    free_at: float = 0.0
    left: int | None = None
    resets_s: float = 0.0

    def book(self, books: Books) -> float | None:
        found = books.seat(self.rule.name, self.rule.calls, books.now + self.per_s + LEASE_S)
        if found is None:
            return None
        self.seat, self.free_at = found
        return min(self.free_at - books.now, self.per_s)  # never longer, should the clock have been put back

    def undo(self, books: Books) -> None:
        if self.seat >= 0:
            books.leave(self.rule.name, self.seat, self.free_at)
            self.seat = -1

    def hear(self, response: requests.Response) -> None:
        if isinstance(self.rule, Limit) and self.rule.left:
            self.left = _left(self.rule.left, response)
            self.resets_s = _number(response.headers.get(self.rule.resets)) or self.per_s

    def settle(self, books: Books, sent_at: float) -> None:
        books.leave(self.rule.name, self.seat, books.now + self.per_s)
        if self.left is not None and self.left * 2 < self.rule.calls:  # with more than half left there is no hurry
            until = books.now + min(self.resets_s, self.per_s)
            books.withhold(self.rule.name, self.left, since=sent_at, until=until)


@dataclass
class _Day:
    """A quota: a number per day. since, ends: this day. used. until: nobody calls before that."""

    rule: Quota
    system: str
    ends: float = 0.0
    left: int | None = None
    spent: bool = False

    def book(self, books: Books) -> float | None:
        day = self._today(books)
        if day["until"] and day["until"] <= books.now:  # a rolling day: ask again, with a single call
            day |= {"until": 0.0, "used": min(day["used"], self.rule.calls - 1)}
        if day["used"] >= self.rule.calls and not day["until"]:
            day["until"] = min(day["ends"], books.now + self.rule.again_s) if self.rule.again_s else day["ends"]
            books.write(self.rule.name, day)
        if day["until"]:
            until = day["until"]
            words = f"{self.system}: {self.rule.words(until)}"
            raise QuotaSpent(words, utc(until), until - books.now)
        self.ends = day["ends"]
        day["used"] += 1
        books.write(self.rule.name, day)
        return 0.0

    def _today(self, books: Books) -> dict[str, float]:
        day: dict[str, float] = books.read(self.rule.name)
        if not day or books.now >= day["ends"]:
            day = {"since": day.get("ends", 0.0), "ends": self.rule.ends(books.now), "used": 0, "until": 0.0}
        return day

    def undo(self, books: Books) -> None:
        day = self._today(books)
        if self.ends == day["ends"]:
            day["used"] -= 1
            books.write(self.rule.name, day)
        self.ends = 0.0

    def hear(self, response: requests.Response) -> None:
        self.left = _left(self.rule.left, response)
        self.spent = self.rule.spent(response)

    def settle(self, books: Books, sent_at: float) -> None:
        day = self._today(books)
        before = dict(day)
        if day["ends"] != self.ends:  # sent yesterday, and perhaps counted today
            day["used"] += 1
        if self.left is not None:
            theirs = self.rule.calls - self.left
            day["used"] = theirs if self.rule.again_s else max(day["used"], theirs)
        if self.spent and books.now < day["since"] + SETTLES_S:
            day["until"] = day["since"] + SETTLES_S
        elif self.spent:
            day["used"] = max(day["used"], self.rule.calls)
        if day != before or day["ends"] != self.ends:
            books.write(self.rule.name, day)


@dataclass
class _Points:
    """A bucket. level: its points, as if no call under way had arrived yet, so that it never flows over unnoticed.

    under way: call → (cost, until when it is believed to live). paid: all that was ever paid.
    """

    rule: Bucket
    cost: float
    id: str = ""
    paid: float = 0.0
    told: Level | None = None

    def book(self, books: Books) -> float | None:
        full = self._filled(books)
        out = sum(cost for cost, _ in full["under_way"].values())
        missing = self.cost + out - full["level"]
        if self.cost + out > full["holds"]:
            if out:
                return None
            missing = full["holds"] - full["level"]  # dearer than the bucket: the system may say so itself
        self.paid = full["paid"]
        self.id = str(full["calls"])
        full["calls"] += 1
        full["under_way"][self.id] = [self.cost, books.now + LEASE_S]
        books.write(self.rule.name, full)
        wait_s: float = max(0.0, missing) / full["restores_per_s"]
        return wait_s

    def _filled(self, books: Books) -> dict[str, Any]:
        full = books.read(self.rule.name) or {
            "level": self.rule.points, "holds": self.rule.points, "restores_per_s": self.rule.restores_per_s,
            "at": books.now, "under_way": {}, "paid": 0.0, "calls": 0,
        }  # fmt: skip
        came = max(0.0, books.now - full["at"]) * full["restores_per_s"]
        full |= {"level": min(full["holds"], full["level"] + came), "at": books.now}
        for id_, (cost, until) in list(full["under_way"].items()):
            if until < books.now:
                del full["under_way"][id_]
                full["level"] -= cost
        return full

    def undo(self, books: Books) -> None:
        if self.id:
            full = self._filled(books)
            full["under_way"].pop(self.id, None)
            books.write(self.rule.name, full)
            self.id = ""

    def hear(self, response: requests.Response) -> None:
        self.told = self.rule.told(response)

    def settle(self, books: Books, sent_at: float) -> None:
        full = self._filled(books)
        if full["under_way"].pop(self.id, None):
            cost = self.told.cost if self.told and self.told.cost is not None else self.cost
            full["level"] -= cost
        if self.told:
            self._believe(full, self.told, books.now - sent_at)
        full["paid"] += self.cost
        books.write(self.rule.name, full)

    def _believe(self, full: dict[str, Any], told: Level, took_s: float) -> None:
        """What the answer says was so at some moment since the call was sent."""
        full |= {"holds": told.holds, "restores_per_s": told.restores_per_s or self.rule.restores_per_s}
        out = sum(cost for cost, _ in full["under_way"].values())
        if told.left + 1 + took_s * full["restores_per_s"] < full["level"] - out:  # somebody else draws from it
            full["level"] = told.left
        # those answered meanwhile may have been paid after this was said
        full["level"] = max(full["level"], told.left - (full["paid"] - self.paid))


def _left(said: Left, response: requests.Response) -> int | None:
    if not said:
        return None
    found = said(response) if callable(said) else _number(response.headers.get(said))
    return None if found is None else int(found)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


@dataclass
class _Turn:
    """One call's places: those it waits for, and those among the calls under way."""

    parts: list[_Part]
    gates: list[_Part]
    sent_at: float = 0.0
    booked: list[_Part] = field(default_factory=list)

    def book(self, books: Books, wanted: Sequence[_Part]) -> float | None:
        """Seconds to wait; None, with nothing booked, where one has no room and can't say when."""
        waits, mine = [0.0], list[_Part]()
        try:
            for part in wanted:
                wait_s = part.book(books)
                if wait_s is None:
                    break
                mine.append(part)
                waits.append(wait_s)
            else:
                self.booked += mine
                mine = []
                return max(waits)
        finally:
            for part in mine:
                part.undo(books)
        return None


class Turns:
    """A budget (see `omnihub.sdk.http`) over a ledger. Threads may share it; so may processes, by sharing the ledger.

    key: whose calls are counted together: those with the same credentials.
    """

    KINDS: ClassVar[dict[type[Rule], Callable[[Any, str], _Part]]] = {
        Limit: lambda rule, _: _Seat(rule, rule.per_s),
        Concurrency: lambda rule, _: _Seat(rule),
        Quota: _Day,
        Bucket: lambda rule, _: _Points(rule, price()),
    }

    def __init__(
        self,
        system: str,
        rules: Sequence[Rule],
        ledger: Ledger,
        key: str,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.system, self.key, self.ledger = system, key, ledger
        once = {r.name: r for r in rules}.values()  # the same rule said twice would take two seats for a call
        self._rules = [(re.compile(r.path), r) for r in once]
        self._penalty_s = max((r.wait_s for r in rules if isinstance(r, Penalty)), default=0.0)
        self._wait = wait
        self._here = threading.local()

    def take(self, method: str, path: str) -> Callable[[], None]:
        """Return when this call may be made, with what to call once it has been answered. QuotaSpent: not today."""
        turn = self._turn(method, path)
        try:
            self._sit_out(turn)
        except BaseException:
            if turn.booked:
                with self.ledger.open(self.key) as books:
                    for part in turn.booked:
                        part.undo(books)
            raise
        self._here.turn = turn
        return lambda: self._answered(turn)

    def _turn(self, method: str, path: str) -> _Turn:
        turn = _Turn([], [])
        for pattern, rule in self._rules:
            if type(rule) in self.KINDS and pattern.search(path) and rule.method in ("", method):
                part = self.KINDS[type(rule)](rule, self.system)
                (turn.gates if isinstance(rule, Concurrency) else turn.parts).append(part)
        return turn

    def _sit_out(self, turn: _Turn) -> None:
        """Book, wait, and go through the gates last: who waits for something else keeps nobody from calling.

        The last look is taken `EARLY_S` before the call is due, so that it costs none of the time that is allowed.
        """
        due: float | None = None
        while True:
            with self.ledger.open(self.key) as books:
                if due is None and (booked_s := turn.book(books, turn.parts)) is not None:
                    due = books.now + booked_s
                at = max(due or 0.0, books.read(SHUT).get("until", 0.0))
                wait_s = max(0.0, at - books.now)
                soon = due is not None and wait_s <= EARLY_S
                ready = soon and turn.book(books, turn.gates) is not None
                turn.sent_at = books.now + wait_s
            if due is None or (soon and not ready):
                self._wait(random.uniform(*LOOK_AGAIN_S))
            elif not ready:
                self._wait(wait_s - EARLY_S + SPARE_S)
            else:
                if wait_s > 0:
                    self._wait(wait_s + SPARE_S)
                return

    def heard(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """An answer, as `requests` hands it to its hooks: what it says about the limits is remembered."""
        turn: _Turn | None = getattr(self._here, "turn", None)
        for part in turn.parts if turn else ():
            part.hear(response)

    def _answered(self, turn: _Turn) -> None:
        self._here.turn = None
        if turn.booked:
            with self.ledger.open(self.key) as books:  # its clock, read after the answer: never a moment too early
                for part in turn.booked:
                    part.settle(books, turn.sent_at)

    def told(self, wait_s: float) -> None:
        """Nobody calls before `wait_s` seconds have passed, or the penalty where that is longer."""
        with self.ledger.open(self.key) as books:
            until = books.now + max(wait_s, self._penalty_s)
            books.write(SHUT, {"until": max(until, books.read(SHUT).get("until", 0.0))})


def Windows(
    limits: Sequence[Rule], clock: Callable[[], float] = time.time, wait: Callable[[float], None] = time.sleep
) -> Turns:
    """The budget of this process alone, where there is no store to share one through."""
    return Turns("", limits, Memory(clock), "", wait)

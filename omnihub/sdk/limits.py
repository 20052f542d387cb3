"""Limits as budgets: calls are spaced before the system has to refuse any.

Limit(190, per_s=10)                                      190 calls in any 10 seconds
Limit(5, per_s=1, path="/search$")                        a rule of its own for some paths
Concurrency(25)                                           at most 25 calls under way
Quota(650_000, zone="Europe/Berlin")                      so many a day, counted anew at midnight there
Bucket(2000, restores_per_s=100, told=level)              calls have prices; points flow back (see `spending`)
Penalty(30)                                               one refusal, and nobody calls for half a minute

Each is a value; how calls wait for their turn is in `omnihub.sdk.turns`. A system that says in its answers how much is
left is believed where that is less than we think: somebody else uses the same credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import requests

Left = str | Callable[[requests.Response], int | None]
"""How many calls an answer says are left: the name of its header, or how to find out."""


def never(_: requests.Response) -> bool:
    """No answer says so."""
    return False


@dataclass(frozen=True)
class Limit:
    """At most `calls` in any `per_s` seconds, for calls whose path matches `path` (a regular expression).

    method: only calls made with it. left: see `Left`. resets: the header that says in how many seconds there will be
    more.
    """

    calls: int
    per_s: float
    path: str = ""
    method: str = ""
    left: Left = ""
    resets: str = ""

    @property
    def name(self) -> str:
        """Under what the calls are counted: one name for the same rule in every process."""
        return f"{self.calls} per {self.per_s} s {self.method}{self.path}"


@dataclass(frozen=True)
class Concurrency:
    """At most `calls` under way at the same time."""

    calls: int
    path: str = ""
    method: str = ""

    @property
    def name(self) -> str:
        """Under what the calls are counted."""
        return f"{self.calls} at once {self.method}{self.path}"


@dataclass(frozen=True)
class Quota:
    """At most `calls` a day, counted anew at `at` o'clock in `zone` (`{setting}` stands for a setting's value).

    When they are used up, calls end with `QuotaSpent` and are made no more. spent: whether an answer says that they
    are. again_s: for systems whose day rolls, so that calls come back bit by bit: what they say is left counts, be it
    more or less than we think, and when nothing is left, they are asked again after so long.
    """

    calls: int
    zone: str = "UTC"
    at: time = time(0)
    path: str = ""
    method: str = ""
    left: Left = ""
    spent: Callable[[requests.Response], bool] = never
    again_s: float = 0.0

    @property
    def name(self) -> str:
        """Under what the calls are counted."""
        return f"{self.calls} a day {self.method}{self.path}"

    def ends(self, now: float) -> float:
        """When the day that `now` is in ends.

        >>> day = Quota(1000, zone="Europe/Berlin")
        >>> noon = datetime(2026, 3, 28, 12, tzinfo=UTC).timestamp()
        >>> datetime.fromtimestamp(day.ends(noon), UTC).isoformat()
        '2026-03-28T23:00:00+00:00'
        >>> datetime.fromtimestamp(day.ends(noon + 86_400), UTC).isoformat()  # summer time began
        '2026-03-29T22:00:00+00:00'
        """
        here = datetime.fromtimestamp(now, ZoneInfo(self.zone))
        end = datetime.combine(here.date(), self.at, here.tzinfo)
        if end.timestamp() <= now:
            end = datetime.combine(here.date() + timedelta(days=1), self.at, here.tzinfo)
        return end.timestamp()

    def words(self, until: float) -> str:
        """What to tell people.

        >>> Quota(650_000, zone="Europe/Berlin").words(datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp())
        "today's 650,000 calls are used up; it goes on at 00:00 (Europe/Berlin)"
        """
        when = datetime.fromtimestamp(until, ZoneInfo(self.zone))
        return f"today's {self.calls:,} calls are used up; it goes on at {when:%H:%M} ({self.zone})"


@dataclass(frozen=True)
class Level:
    """What an answer says about a bucket: the points in it, how many it holds and gets back a second, and what the call
    cost in the end (nothing where it was refused; None where that is not said)."""

    left: float
    holds: float
    restores_per_s: float
    cost: float | None = None


@dataclass(frozen=True)
class Bucket:
    """Calls have prices; the bucket holds `points`, and `restores_per_s` flow back.

    told: what an answer says about it, which is then believed; so the numbers here are those of the smallest plan.
    """

    points: float
    restores_per_s: float
    told: Callable[[requests.Response], Level | None] = lambda _: None
    path: str = ""
    method: str = ""

    @property
    def name(self) -> str:
        """Under what the points are counted."""
        return f"points {self.method}{self.path}"


@dataclass(frozen=True)
class Penalty:
    """After a refusal nobody calls for `wait_s` seconds, whatever the refusal itself says."""

    wait_s: float
    path: str = ""
    method: str = ""

    @property
    def name(self) -> str:
        """It counts nothing."""
        return "penalty"


Rule = Limit | Concurrency | Quota | Bucket | Penalty

_price: ContextVar[float] = ContextVar("price", default=1.0)


@contextmanager
def spending(points: float) -> Iterator[None]:
    """The calls made within cost so many points each, at most."""
    before = _price.set(points)
    try:
        yield
    finally:
        _price.reset(before)


def price() -> float:
    """What the call about to be made costs."""
    return _price.get()


def utc(at: float) -> datetime:
    """A moment of the ledger's clock."""
    return datetime.fromtimestamp(at, UTC)

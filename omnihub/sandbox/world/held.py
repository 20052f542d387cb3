"""A copy in the making: what one system holds of one thing, and which of it is wrong."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from omnihub.sandbox.copies import HELD, Copy
from omnihub.sandbox.world.dice import Dice

HOUR = 3600
DAY = 24 * HOUR
HOME = ZoneInfo("Europe/Berlin")  # where the company is
OLDEST = 3 * 365 * DAY  # nothing was changed longer ago


class Clock:
    """Times as seconds before `now`, so that a world is the same whatever the time is."""

    def __init__(self, now: datetime) -> None:
        self.now = now.replace(tzinfo=None, microsecond=0)

    def stamp(self, ago_s: int, micros: int = 0) -> str:
        """A system's own clock: microseconds, so that text order is time order."""
        at = self.now - timedelta(seconds=ago_s, microseconds=-micros)
        return at.isoformat(timespec="microseconds") + "Z"

    def time(self, ago_s: int) -> str:
        """A canonical time."""
        return (self.now - timedelta(seconds=ago_s)).isoformat(timespec="seconds") + "Z"

    def ago_s(self, time: str) -> int:
        """How long ago a canonical time is."""
        return int((self.now - datetime.fromisoformat(time).replace(tzinfo=None)).total_seconds())

    def day(self, ago_s: int) -> str:
        """A canonical date."""
        return (self.now - timedelta(seconds=ago_s)).date().isoformat()

    def home_year(self, ago_s: int) -> int:
        """The year it was where the company is, whose price lists end at its own midnight."""
        return (self.now - timedelta(seconds=ago_s)).replace(tzinfo=UTC).astimezone(HOME).year

    def turn_of_year_ago_s(self) -> int:
        """How long ago this year began there."""
        began = datetime(self.home_year(0), 1, 1, tzinfo=HOME)
        return int((self.now.replace(tzinfo=UTC) - began).total_seconds())


class Wrong(NamedTuple):
    """A planted error. Findings about the same `cause` are one; "" where the record and the field are the cause."""

    field: str
    kind: str
    detail: str
    cause: str = ""


@dataclass(slots=True)
class Held:
    """A copy in the making. `keeper`: the one copy of its thing that is right in everything it holds."""

    role: str
    stream: str
    n: int
    fields: dict[str, Any]
    updated_ago_s: int
    keeper: bool = False
    wrong: list[Wrong] = field(default_factory=list)
    deleted: bool = False
    merged_into: int | None = None
    spare: bool = False  # the second one inside one system
    trap: str = ""  # the name of the trap, where it is hard to see that the keeper is about the same

    def put(self, name: str, value: Any, detail: str, kind: str = "value_differs") -> None:
        """Hold a wrong value; nothing is wrong where it happens to be the one held."""
        if self.fields.get(name) == value:
            return
        self.fields[name] = value
        self.wrong = [w for w in self.wrong if w.field != name]
        self.wrong.append(Wrong(name, kind, detail))

    def right(self, name: str) -> bool:
        """Whether it holds the field, and rightly."""
        return name in self.fields and all(w.field != name for w in self.wrong)

    def copy(self, clock: Clock, dice: Dice) -> Copy:
        """The finished copy."""
        micros = dice.below(1_000_000)
        return Copy(
            self.role,
            self.stream,
            self.n,
            self.fields,
            clock.stamp(self.updated_ago_s + HOUR + dice.skewed(2 * 365 * DAY)),
            clock.stamp(self.updated_ago_s, micros),
            self.deleted,
            self.merged_into,
        )


def held(role: str, stream: str, right: Mapping[str, Any]) -> dict[str, Any]:
    """What a stream holds of the right values, in the order of the contract."""
    return {name: right[name] for name in HELD[role, stream] if right.get(name) is not None}


def place(roles: tuple[str, ...], role: str) -> int:
    """Which of the roles this is; a guest comes after all of them."""
    return roles.index(role) if role in roles else len(roles)


class Numbers:
    """The n of every copy of one kind of thing, in each role: first copies in order of the things, then second ones,
    then those that are gone. One small integer per thing and role is all the memory a world needs.

    `sketch(i)` says where thing i is: bit r for a first copy in role r, bits 5+r second, 10+r gone.
    """

    def __init__(self, roles: tuple[str, ...], count: int, sketch: Callable[[int], int]) -> None:
        self.roles = roles
        self.sketches = array("I", (sketch(i) for i in range(count)))
        self.first = {role: array("I", bytes(4 * count)) for role in roles}
        self.second: dict[str, dict[int, int]] = {role: {} for role in roles}
        self.gone: dict[str, dict[int, int]] = {role: {} for role in roles}
        for r, role in enumerate(roles):
            self._number(r, role)

    def _number(self, r: int, role: str) -> None:
        first, n = self.first[role], 0
        again, gone = [], []
        for i, sketch in enumerate(self.sketches):
            if sketch >> r & 1:
                n += 1
                first[i] = n
                if sketch >> (5 + r) & 1:
                    again.append(i)
                if sketch >> (10 + r) & 1:
                    gone.append(i)
        self.second[role] = {i: n + k for k, i in enumerate(again, 1)}
        self.gone[role] = {i: n + len(again) + k for k, i in enumerate(gone, 1)}

    def at(self, role: str, i: int) -> int | None:
        """The n of the first copy of thing i there, None where it has none."""
        return self.first[role][i] or None


# -- the same value, written another way: no error, cleaning brings them together --------------------------------------


def dialled(number: str, dial: str, dice: Dice, *, at_home: bool) -> str:
    """A phone number as people write it. `at_home`: the record says the country, so the prefix may be left out."""
    way = dice.below(100)
    rest = number[1 + len(dial) :]
    if way < 50:
        return number
    if way < 75:
        return f"+{dial} {rest[:3]} {rest[3:6]} {rest[6:]}"
    if way < 82 and dial != "1":
        return f"00{dial}{rest}"
    if at_home:
        return _national(rest, dial)
    return f"+{dial} {rest}"


_NO_TRUNK = {"39", "34", "48"}


def _national(rest: str, dial: str) -> str:
    if dial == "1":
        return f"({rest[:3]}) {rest[3:6]}-{rest[6:]}"
    return rest if dial in _NO_TRUNK else f"0{rest[:2]} {rest[2:5]} {rest[5:]}"

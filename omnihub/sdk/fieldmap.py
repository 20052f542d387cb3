"""Field maps: for a stream, which path in the raw record is which canonical field, both ways.

    map={
        "name": "Name",                                          text, both ways
        "email": "properties.email",                             nested
        "status": Codes("Status", {"Customer": "active"}),       native code ↔ canonical code
        "account": Link("AccountId", "accounts"),                an id ↔ a ref
        "satisfaction": OneWay("satisfaction_rating.score"),     read only, and says so
        "opened_at": EpochMs("createdTime"),                     milliseconds ↔ UTC time
        "answered_at": After("reply.minutes", "created_at"),     so many minutes after another time; read only
        "first_name": FullName("name", "first"),                 one part of a name kept as one text
        "unit_price": Less("price", percent="discount"),         a price, less so many percent of it; read only
        "discount": Share("percentage"),                         a share of one ↔ percent
        "skus": Each("items.*.sku"),                             all there are, each item of a list; read only
        "tax_rate": Only("taxLines.0.rate"),                     of a list's first, where there is no second; read only
        "currency": Const("EUR"),                                not in the record at all
    }

Reading is compiled to SQL by `omnihub.refine`, so a map names paths and tables, not Python code. Paths are dotted;
a number is a place in an array (`addresses.0.city`), and in `Each` a * is every place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Path:
    """Text at `path`, the same both ways. `number=True` writes a JSON number, `boolean=True` true/false."""

    path: str
    number: bool = field(default=False, kw_only=True)
    boolean: bool = field(default=False, kw_only=True)

    @property
    def writable(self) -> bool:
        """Whether this map has a way back."""
        return True

    @property
    def paths(self) -> tuple[str, ...]:
        """All places in the record it is read from."""
        return (self.path,)

    def native(self, value: str | None) -> Any:
        """What the system wants to be sent for a canonical value."""
        if value is None:
            return None
        if self.boolean:
            return value in ("true", "yes")
        if self.number:
            return float(value) if "." in value else int(value)
        return value


@dataclass(frozen=True)
class OneWay(Path):
    """Read, never written: the system computes it or forbids it."""

    @property
    def writable(self) -> bool:
        return False


@dataclass(frozen=True)
class Joined(OneWay):
    """Several texts read as one, with a comma between them: an address whose parts the canonical field has not."""

    more: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, *self.more)


@dataclass(frozen=True)
class Each(OneWay):
    """All the texts at a path in which * stands for every item of a list, and at `more` such paths: `items.*.sku`.

    codes: native code → canonical code, of each. stream: where the records live, if these are ids of others.
    """

    more: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    stream: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, *self.more)


@dataclass(frozen=True)
class Only(OneWay):
    """What the one object of a list says, the list's first at `path`. Where there are several, which of them counts is
    not told: then nothing is."""

    @property
    def second(self) -> str:
        """Where the next of the list would stand."""
        before, _, after = self.path.rpartition(".0.")
        return f"{before}.1" if before and after else ""

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, f"{self.second}.{self.path.rpartition('.0.')[2]}")


@dataclass(frozen=True)
class Codes(Path):
    """Native code → canonical code. An unlisted code reads as `otherwise`, or, where that is None, as it stands.

    With `boolean=True` the native codes "true" and "false" are JSON booleans on the wire. `closed`: the system has
    these codes and no other, so what none of them means is not written.
    """

    codes: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    closed: bool = False

    def says(self, value: str | None) -> bool:
        """Whether the system has a word for a canonical value."""
        return not self.closed or value is None or value in self.codes.values()

    def native(self, value: str | None) -> Any:
        """The first native code that reads as `value`."""
        found = next((native for native, canonical in self.codes.items() if canonical == value), value)
        return found == "true" if self.boolean and found in ("true", "false") else found


@dataclass(frozen=True)
class Link(Path):
    """The id of another record of this system; canonical is its ref. `stream` is where that record lives.

    `nobody` is the id that stands for "no link", where the system has one: it reads as no value.
    """

    stream: str = ""
    nobody: str = ""

    def native(self, value: str | None) -> Any:
        return self.nobody or None if value is None else value.split("/", 2)[2]


@dataclass(frozen=True)
class FullName(Path):
    """One `part` ("first" or "last") of a name the system keeps as one text; both parts are written together."""

    part: str = "first"


@dataclass(frozen=True)
class Share(Path):
    """A share of one ↔ percent: 0.125 ↔ 12.5."""

    part: str = field(default="share", init=False)

    def native(self, value: str | None) -> Any:
        return None if value is None else float(Decimal(value) / 100)


@dataclass(frozen=True)
class EpochMs(Path):
    """Milliseconds since 1970 ↔ UTC time."""

    def native(self, value: str | None) -> Any:
        return None if value is None else int(datetime.fromisoformat(value).astimezone(UTC).timestamp() * 1000)


@dataclass(frozen=True)
class After(OneWay):
    """A time the system says as minutes since another one of the record, as when a ticket was first answered.

    path: where the minutes stand. since: the path of the time they count from.
    """

    since: str = ""


@dataclass(frozen=True)
class Less(OneWay):
    """A price less the discount that stands beside it, in percent; where none does, the price as it stands."""

    percent: str = field(default="", kw_only=True)

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, self.percent)


@dataclass(frozen=True)
class Const(Path):
    """A value the system never says because it is always the same, as a shop's currency. One way."""

    path: str = field(default="", init=False)
    value: str = ""

    @property
    def writable(self) -> bool:
        return False


class FieldMap(dict[str, Path]):
    """canonical field → where and how it stands in the raw record."""

    @classmethod
    def of(cls, declared: Mapping[str, str | Path]) -> FieldMap:
        """From a declaration, where a bare string is `Path(string)`."""
        return cls({name: Path(where) if isinstance(where, str) else where for name, where in declared.items()})

    def body(self, fields: Mapping[str, str | None]) -> dict[str, Any]:
        """The native, nested payload for some canonical fields.

        >>> FieldMap.of({"email": "properties.email", "city": "addresses.0.city"}).body({"city": "Bonn", "email": None})
        {'addresses': [{'city': 'Bonn'}], 'properties': {'email': None}}
        """
        payload: dict[str, Any] = {}
        whole: dict[str, dict[str, str]] = {}
        for name, value in fields.items():
            where = self[name]
            if isinstance(where, FullName):
                whole.setdefault(where.path, {})[where.part] = value or ""
            else:
                put(payload, where.path, where.native(value))
        for path, parts in whole.items():
            put(payload, path, " ".join(filter(None, (parts.get("first"), parts.get("last")))))
        return payload


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, making the objects and arrays on the way."""
    parts = path.split(".")
    here: Any = document
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        fresh: Any = value if following is None else [] if following.isdigit() else {}
        if isinstance(here, list):
            index = int(part)
            here.extend({} for _ in range(index + 1 - len(here)))
            if following is None or not here[index]:
                here[index] = fresh
            here = here[index]
        else:
            if following is None or part not in here:
                here[part] = fresh
            here = here[part]

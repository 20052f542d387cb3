"""The shape of a stream's records, read out of its declaration: what they look like, and what may be put into them.

The field map is taken the other way round: canonical fields become the JSON the map would read them from, one-way
fields too, because a stand-in may hold what the hub may not write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from omnihub.model import Entity, Kind, fields_of
from omnihub.sandbox.state import Obj, iso
from omnihub.sdk import (
    After,
    Codes,
    Connector,
    Const,
    EpochMs,
    FieldMap,
    FullName,
    Link,
    OneWay,
    Path,
    Sends,
    Share,
    Stream,
)
from omnihub.sdk.page import names_on

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
MISSING = object()

Alive = Callable[[str, str], bool]  # (stream, id) → whether there is such a record


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field of what was sent."""

    field: str
    message: str


@dataclass(frozen=True)
class Shape:
    """A stream as its records show it. The marks are dotted paths, "" where the declaration has none.

    deleted: a flag or time, or `"path=value"`. version: what an If-Match or an item's version must repeat.
    external: where the caller's own key is kept. nested: the shapes of the lists inside.
    """

    stream: Stream
    key: str = "id"
    updated: str = ""
    deleted: str = ""
    merged_into: str = ""
    version: str = ""
    external: str = ""
    nested: tuple[Shape, ...] = ()
    extra: frozenset[str] = frozenset()  # more paths the declaration names: read, never written
    map: FieldMap = field(default_factory=FieldMap)

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.stream.name

    @property
    def entity(self) -> Entity:
        """What its records are about."""
        return self.stream.entity

    @property
    def own(self) -> dict[str, Path]:
        """The fields that stand in the record itself: none that is always the same, none of the parent's."""
        return {n: w for n, w in self.map.items() if not isinstance(w, Const) and not w.path.startswith("^")}

    @property
    def links(self) -> dict[str, str]:
        """Link field → the stream its records are in."""
        return {n: w.stream for n, w in self.map.items() if isinstance(w, Link)}

    @property
    def holder(self) -> str:
        """Of a nested stream: the field that links to the parent, "" where none says so."""
        of = self.stream.nested.of if self.stream.nested else ""
        found = (n for n, w in self.map.items() if isinstance(w, Link) and w.path.startswith("^") and w.stream == of)
        return next(found, "")

    # -- canonical → the system's own ---------------------------------------------------------------------------------

    def native(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Canonical fields as the system holds them. Links are ids by now; what the map does not say is left out."""
        body: dict[str, Any] = {}
        names: dict[str, dict[str, str]] = {}
        for name, where in self.own.items():
            if name not in fields:
                continue
            if isinstance(where, FullName):
                names.setdefault(where.path, {})[where.part] = fields[name] or ""
            elif isinstance(where, After):
                put(body, where.path, self._minutes(where, fields, fields[name]))
            else:
                put(body, where.path, self._value(where, fields[name]))
        for path, parts in names.items():
            put(body, path, " ".join(filter(None, (parts.get("first"), parts.get("last")))))
        return body

    def _minutes(self, where: After, fields: Mapping[str, Any], later: Any) -> int | None:
        """A time as the minutes since another one; nothing where that is not told."""
        since = next((fields.get(name) for name, other in self.own.items() if other.path == where.since), None)
        if not since or not later:
            return None
        return int((datetime.fromisoformat(str(later)) - datetime.fromisoformat(str(since))).total_seconds() // 60)

    @staticmethod
    def _value(where: Path, value: Any) -> Any:
        if isinstance(where, Link):
            return where.nobody or None if value is None else value
        return where.native(value)

    def says(self, name: str) -> frozenset[str] | None:
        """The canonical values a field can have here, None where it can have any."""
        where = self.map[name]
        if isinstance(where, Const):
            return frozenset({where.value})
        if isinstance(where, Codes) and where.codes:
            return frozenset(where.codes.values())
        return None

    # -- shown --------------------------------------------------------------------------------------------------------

    def shown(self, obj: Obj) -> dict[str, Any]:
        """The record as it stands in an answer: every field of the map, then its stamps."""
        record = deepcopy(obj.body)
        for where in self.own.values():
            if not _has_index(where.path) and dig(record, where.path) is MISSING:
                put(record, where.path, None)
        for path, value in self._stamps(obj).items():
            put(record, path, value)
        return record

    def _stamps(self, obj: Obj) -> dict[str, Any]:
        stamps: dict[str, Any] = {self.key: obj.id}
        if self.updated:
            stamps[self.updated] = self._time(obj.updated_at)
        if self.deleted:
            path, told, value = self.deleted.partition("=")
            if not told:
                at = path.endswith(("_at", "At", "date", "Date", "time", "Time"))
                stamps[path] = (self._time(obj.updated_at) if at else True) if obj.deleted else None if at else False
            elif obj.deleted:
                stamps[path] = {"true": True, "false": False}.get(value.lower(), value)
            elif dig(obj.body, path) is MISSING:
                stamps[path] = None
        if self.merged_into:
            stamps[self.merged_into] = obj.merged_into
        if self.version:
            stamps[self.version] = str(obj.version)
        return stamps

    def _time(self, at: str) -> Any:
        """The system's clock as this stream writes it: a number where the map reads that path as one."""
        numbers = any(isinstance(w, EpochMs) and w.path == self.updated for w in self.map.values())
        return int(datetime.fromisoformat(at).timestamp() * 1000) if numbers else at

    # -- what was sent ------------------------------------------------------------------------------------------------

    def faults(
        self, body: Any, present: Mapping[str, Any] | None, alive: Alive, longest: Mapping[str, int]
    ) -> list[Fault]:
        """Why this system would not take a record, or a change to the `present` one."""
        if not isinstance(body, dict):
            return [Fault("", "must be a JSON object")]
        places = {where.path: (name, where) for name, where in self.own.items()}
        stamped = {
            self.key,
            self.updated,
            self.deleted.partition("=")[0],
            self.merged_into,
            self.version,
            self.external,
        }
        found = []
        for path, value in leaves(body, set(places)):
            if path in stamped or path in self.extra or self._inside(path):
                continue
            before = MISSING if present is None else dig(present, path)
            if before is not MISSING and before == value:
                continue  # who sends the whole record sends what may not be changed along
            if path not in places:
                known = value in (None, [], {}) and any(p.startswith(path + ".") for p in places)
                found += [] if known else [Fault(path, "is unknown here")]
                continue
            name, where = places[path]
            if isinstance(where, OneWay) and present is not None:
                found.append(Fault(path, "cannot be changed"))
            elif why := _fault(where, fields_of(self.entity)[name].kind, value, alive, longest.get(name)):
                found.append(Fault(path, why))
        return found

    def _inside(self, path: str) -> bool:
        """Whether this is part of a nested list, which is judged by its own stream."""
        inner = [shape.stream.nested.path for shape in self.nested if shape.stream.nested]
        return any(path == p or path.startswith(p + ".") for p in inner)


def _fault(where: Path, kind: Kind, value: Any, alive: Alive, longest: int | None) -> str:
    if value is None:
        return ""
    if isinstance(where, Link):
        return "" if value == where.nobody or alive(where.stream, str(value)) else "there is no such record"
    if isinstance(where, Codes) and where.codes:
        said = str(value).lower() if where.boolean else value
        return "" if said in where.codes else f"must be one of {', '.join(where.codes)}"
    if where.boolean:
        return "" if isinstance(value, bool) else "must be true or false"
    if where.number or isinstance(where, EpochMs | Share):
        return "" if isinstance(value, int | float) and not isinstance(value, bool) else "must be a number"
    if not isinstance(value, str):
        return "must be text"
    if kind is Kind.EMAIL and value and not EMAIL.fullmatch(value):
        return "must be an e-mail address"
    if longest is not None and len(value) > longest and not isinstance(where, FullName):
        return f"must have at most {longest} characters"
    return ""


# -- documents and dotted paths ----------------------------------------------------------------------------------------


def _has_index(path: str) -> bool:
    return any(part.isdigit() for part in names_on(path))


def dig(document: Any, path: str) -> Any:
    """The value at a dotted path, MISSING where there is none.

    >>> dig({"a": [{"b": 1}]}, "a.0.b")
    1
    """
    for part in names_on(path):
        if isinstance(document, Mapping) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return MISSING
    return document


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, making the objects and arrays on the way, also where null stands."""
    parts = names_on(path)
    here: Any = document
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        fresh: Any = value if following is None else [] if following.isdigit() else {}
        if isinstance(here, list):
            here.extend({} for _ in range(int(part) + 1 - len(here)))
        at: Any = int(part) if isinstance(here, list) else part
        present = here[at] if isinstance(here, list) else here.get(part)
        if following is None or not isinstance(present, list if following.isdigit() else dict):
            here[at] = fresh
        here = here[at]


def leaves(document: Any, whole: set[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, value) of what stands at the ends of a document; paths in `whole` are not looked into.

    >>> list(leaves({"a": {"b": 1, "c": []}, "d": [{"e": 2}]}, set()))
    [('a.b', 1), ('a.c', []), ('d.0.e', 2)]
    """
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(document, dict):
        inner = document.items()
    elif isinstance(document, list):
        inner = enumerate(document)
    inner = list(inner)
    if prefix and (prefix in whole or not inner):
        yield prefix, document
        return
    for name, value in inner:
        name = str(name).replace(".", "\\.")
        yield from leaves(value, whole, f"{prefix}.{name}" if prefix else name)


def moment(text: str) -> str:
    """A time as it was sent, in the form the state keeps: ISO text, a day, or milliseconds since 1970. ValueError."""
    if text.lstrip("-").isdigit():
        return iso(datetime.fromtimestamp(int(text) / 1000, UTC))
    at = datetime.fromisoformat(text)
    return iso(at if at.tzinfo else at.replace(tzinfo=UTC))


# -- out of the declaration --------------------------------------------------------------------------------------------


def shapes(connector: Connector) -> dict[str, Shape]:
    """Every stream's shape, by its name."""
    found: dict[str, Shape] = {}
    for stream in sorted(connector.streams, key=lambda s: s.nested is None):  # the inner ones first
        inner = tuple(s for s in found.values() if s.stream.nested and s.stream.nested.of == stream.name)
        found[stream.name] = _shape(stream, inner)
    return {stream.name: found[stream.name] for stream in connector.streams}


def parts(*values: Any) -> list[Any]:
    """The values, with those that are made of others opened up."""
    found = [(*v.links, *parts(v.rest)) if isinstance(v, Sends) else (v,) for v in values if v is not None]
    return [value for several in found for value in several]


def _shape(stream: Stream, inner: tuple[Shape, ...]) -> Shape:
    push = stream.push
    declared = (push.look, push.update, push.find, push.create, push.delete, push.erase) if push else ()
    values = [stream.pull, *parts(*declared)]

    def told(*names: str) -> str:
        found = (getattr(value, name, "") for name in names for value in values)
        return next((text for text in found if isinstance(text, str) and text), "")

    return Shape(
        stream,
        key=stream.key if stream.nested else told("key") or stream.key,
        updated=told("updated") or ("" if stream.updated.startswith("^") else stream.updated),
        deleted=told("deleted"),
        merged_into=told("merged_into"),
        version=told("etag", "version"),
        external=told("external"),
        nested=inner,
        extra=frozenset({stream.updated}) - {""},
        map=stream.fields,
    )

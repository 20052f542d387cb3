"""Systems declared in omnihub.yaml alone: a template of a connector, and the words its streams are declared in.

    systems:
      partners:                                       the system's name, as in partners/customers/17
        connector: files                              the template
        url: ./exports
        streams:
          customers: {files: "customers*.csv", entity: account, key: Id, map: {name: Company, status: {path: State, …}}}
                      the template's own words         these are the same for every template: `DeclaredStream`

A template takes such a part and makes a `Connector` of it, like any other. What is wrong is raised as `Misdeclared`,
each trouble with its place, so that the settings can say the line and the nearest valid word.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path as Folder
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from omnihub.errors import ConfigError
from omnihub.model import Entity, fields_of
from omnihub.sdk.connector import Connector
from omnihub.sdk.fieldmap import Codes, Const, EpochMs, FullName, Link, OneWay, Path

Place = tuple[str | int, ...]
"""Keys from the system's own part of the file down to what is wrong."""


class Misdeclared(ConfigError):
    """What a declaration has wrong: (place, words) for each trouble."""

    def __init__(self, troubles: Iterable[tuple[Place, str]]) -> None:
        self.troubles = tuple(troubles)
        super().__init__("; ".join(f"{'.'.join(map(str, place))}: {says}" for place, says in self.troubles))


@dataclass(frozen=True)
class Declared:
    """A system as the file has it. folder: what relative paths are taken from. streams: name → its declaration."""

    name: str
    folder: Folder
    streams: Mapping[str, Any]
    title: str = ""
    role: str = ""
    master: bool = False


@dataclass(frozen=True)
class Template:
    """A kind of system that is declared without code. `make` raises `Misdeclared`."""

    name: str
    title: str
    make: Callable[[Declared], Connector]
    example: str = field(default="", repr=False)  # a system of this kind, as in omnihub.yaml


# -- the words of a stream -------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """YAML's plain words as text; what YAML reads as true or false may have been meant as a word."""
    if isinstance(value, bool):
        raise ValueError("YAML reads no, yes, on and off as true or false: put it in quotes")
    return str(value) if isinstance(value, (int, float)) else value


Word = Annotated[str, BeforeValidator(_plain), Field(min_length=1)]


class Words(BaseModel):
    """A part of a declaration: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Where(Words):
    """How one canonical field stands in the record, where its path alone does not say it."""

    path: Word = ""
    codes: dict[Word, Word] | None = None
    otherwise: Annotated[str, BeforeValidator(_plain)] | None = None
    link: Word | None = None
    nobody: Word | None = None
    part: Literal["first", "last"] | None = None
    epoch: Literal["ms"] | None = None
    const: Word | None = None
    one_way: bool = False
    kind: Literal["text", "number", "boolean"] = Field(default="text", alias="as")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        said = [name for name in _KINDS if getattr(self, name)]
        if len(said) > 1:
            raise ValueError(f"says {' and '.join(said)}; a field is one of them")
        if bool(self.path) == bool(self.const):
            raise ValueError("write the path it is read from" if not self.path else "a const has no path")
        if self.otherwise is not None and not self.codes:
            raise ValueError("otherwise goes with codes")
        if self.nobody is not None and not self.link:
            raise ValueError("nobody goes with link")
        return self

    def made(self) -> Path:
        """As the field maps of the connectors have it."""
        typed = {"number": self.kind == "number", "boolean": self.kind == "boolean"}
        if self.const:
            return Const(value=self.const)
        if self.codes:
            return Codes(self.path, codes=self.codes, otherwise=self.otherwise, **typed)
        if self.link:
            return Link(self.path, stream=self.link, nobody=self.nobody or "")
        if self.part:
            return FullName(self.path, part=self.part)
        if self.epoch:
            return EpochMs(self.path)
        return OneWay(self.path, **typed) if self.one_way else Path(self.path, **typed)


_KINDS = ("codes", "link", "part", "epoch", "const", "one_way")


def _as_place(value: Any) -> Any:
    value = _plain(value)
    return {"path": value} if isinstance(value, str) else value


class DeclaredPush(Words):
    """What may be written to a stream; templates add their own words.

    erase: whether records of persons who are to be forgotten may be deleted.
    """

    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    max_length: dict[str, Annotated[int, Field(ge=1)]] = {}
    erase: bool = False


NOT_ALLOWED = "nobody allowed the hub to delete here: say erase: true in the push, or delete the record there by hand"
"""What a stream that may be written, but not erased from, says about it."""


def listed(value: Any) -> Any:
    """`push: [phone]` is short for `push: {fields: [phone]}`."""
    return {"fields": value} if isinstance(value, list) else value


class DeclaredStream(Words):
    """What every stream says. key: the columns that name a record. updated: the column with its time of change."""

    entity: Entity
    key: Annotated[tuple[Word, ...], BeforeValidator(lambda v: v if isinstance(v, list) else [v]), Field(min_length=1)]
    map: Annotated[dict[str, Annotated[Where, BeforeValidator(_as_place)]], Field(min_length=1)]
    updated: Word = ""
    full_every_hours: float | None = Field(default=None, gt=0)

    @property
    def paths(self) -> dict[str, Path]:
        """The field map."""
        return {name: place.made() for name, place in self.map.items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """The paths that have to be there: of the key, of the fields, of the time of change."""
        found = [*self.key, *(p.path for p in self.map.values() if p.path), self.updated]
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def full_every(self) -> timedelta | None:
        """How often to read everything, where the declaration says so."""
        return timedelta(hours=self.full_every_hours) if self.full_every_hours else None


S = TypeVar("S", bound=DeclaredStream)


def streams_of(kind: type[S], declared: Declared) -> dict[str, S]:
    """The streams of a declaration, checked. Misdeclared lists all that is wrong."""
    found: dict[str, S] = {}
    troubles: list[tuple[Place, str]] = []
    if not declared.streams:
        troubles.append((("streams",), "declare at least one, as name: {…}"))
    for name, given in declared.streams.items():
        try:
            if not name.isidentifier():
                raise Misdeclared([(("streams", name), "name it with letters, digits and _ only")])
            found[name] = kind.model_validate(given)
        except Misdeclared as error:
            troubles += error.troubles
        except ValidationError as error:
            troubles += [(("streams", name, *place), says) for place, says in _in_words(kind, error)]
    for name, stream in found.items():
        troubles += [(("streams", name, *place), says) for place, says in _wrong(stream, declared.streams)]
    if troubles:
        raise Misdeclared(troubles)
    return found


def _wrong(stream: DeclaredStream, streams: Iterable[str]) -> Iterator[tuple[Place, str]]:
    known = fields_of(stream.entity)
    for name, place in stream.map.items():
        if name not in known:
            yield ("map", name), f"{stream.entity} has no such field; {meant(name, known)}"
        if place.link and place.link not in streams:
            yield ("map", name, "link"), f"there is no stream {place.link}; {meant(place.link, streams)}"
    push = getattr(stream, "push", None)
    if not isinstance(push, DeclaredPush):
        return
    paths = stream.paths
    for n, name in enumerate(push.fields):
        if name not in paths:
            yield ("push", "fields", n), f"{name} is not in the map; {meant(name, paths)}"
        elif not paths[name].writable:
            yield ("push", "fields", n), f"{name} is read only: it is one_way or const in the map"
        elif paths[name].path in stream.key:
            yield ("push", "fields", n), f"{name} is the key of the record, which is never written"
    for name in push.max_length:
        if name not in push.fields:
            yield ("push", "max_length", name), f"is not among the fields; {meant(name, push.fields)}"


def _in_words(kind: type[BaseModel], error: ValidationError) -> Iterator[tuple[Place, str]]:
    for one in error.errors(include_url=False):
        place = tuple(part for part in one["loc"] if part != "[key]")
        says = one["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("Assertion failed, ")
        if one["type"] == "extra_forbidden":
            says = f"there is no such key; {meant(str(place[-1]), _known(kind, place[:-1]))}"
        elif one["type"] == "missing":
            says = f"{place[-1]} is missing"
            place = place[:-1]
        elif one["type"] in ("enum", "literal_error") and isinstance(one["input"], str):
            says = f"{one['input']} is not one of them; {meant(one['input'], _expected(one))}"
        yield place, says


def _expected(error: Any) -> list[str]:
    return [word.strip("'") for word in str(error["ctx"]["expected"]).replace(" or ", ", ").split(", ")]


def _known(kind: Any, place: Place) -> list[str]:
    """The keys a part of the declaration may have: of the stream, of a field of its map, or of its push."""
    if place and place[0] == "map":
        kind = Where
    elif place:
        for inner in kind.model_fields[str(place[0])].annotation.__args__:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                kind = inner
    return [one.alias or name for name, one in kind.model_fields.items()]


def meant(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them.

    >>> meant("phoen", ["phone", "city"]), meant("zzz", ["phone", "city"])
    ('did you mean phone?', 'there are: phone, city')
    """
    known = list(known)
    folded = {one.lower(): one for one in known}
    nearest = difflib.get_close_matches(word.lower(), folded, n=1)
    return f"did you mean {folded[nearest[0]]}?" if nearest else f"there are: {', '.join(known) or 'none'}"

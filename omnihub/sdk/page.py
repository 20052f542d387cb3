"""What a pull brings: pages of raw records, each with the exchange it came from and how far the stream is now read.

A record is kept as the slice of bytes the system sent; only its id, its time and its marks of deletion are
parsed (`msgspec.Raw`), because parsing everything costs many times more than keeping it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from omnihub.errors import BrokenAnswer

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what msgspec raises for no sound JSON


@dataclass(frozen=True, slots=True)
class Exchange:
    """The call a record came from. `url` has no secret and no personal data: query values are masked."""

    method: str
    url: str
    status: int
    at: datetime


class Record(msgspec.Struct, frozen=True, gc=False):
    """One thing as the system sent it: `raw` byte for byte, found at `pointer` of the exchange's body.

    `id` is None where the record has no key; it is kept all the same and reported.
    """

    id: str | None
    raw: bytes
    pointer: str
    updated: str | None = None
    deleted: bool = False
    merged_into: str | None = None
    parent: str | None = None  # of a nested record looked at by itself: the id of the record it is nested in


@dataclass(frozen=True, slots=True)
class Want:
    """What the hub asks of a stream.

    `since` is the stream's own cursor as it last gave it, None from the beginning. `complete` asks for every
    living record whatever the cursor says. `now` is the hub's clock.
    """

    since: str | None
    complete: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and what is true once they are landed.

    `cursor`: how far the stream has then been read (None: no news). `complete`: this page ends a pass that has
    shown every living record, so what was not seen is gone. `gone`: ids the system says are deleted, each with
    the id it was merged into or None. `total`: how many records the system says there are, for progress.
    """

    exchange: Exchange
    records: Sequence[Record]
    cursor: str | None = None
    complete: bool = False
    gone: Sequence[tuple[str, str | None]] = field(default=())
    total: int | None = None


@functools.cache
def names_on(path: str) -> list[str]:
    r"""The names on a dotted path; a dot within a name has a backslash before it.

    >>> names_on(r"data.@odata\.nextLink")
    ['data', '@odata.nextLink']
    """
    return [name.replace("\\.", ".") for name in re.split(r"(?<!\\)\.", path)] if path else []


def dig(document: Any, path: str) -> Any:
    """The value at a dotted path of a parsed document, None where there is none; a number is a place in a list.

    >>> dig({"errors": [{"code": "x"}]}, "errors.0.code")
    'x'
    """
    for name in names_on(path):
        if isinstance(document, list):
            document = document[int(name)] if name.isdigit() and int(name) < len(document) else None
        else:
            document = document.get(name) if isinstance(document, dict) else None
    return document


@functools.cache
def _nested(path: str, leaf: Any) -> msgspec.json.Decoder[Any]:
    """A decoder that looks at nothing but the value at a dotted path."""
    kind: Any = leaf
    for name in reversed(names_on(path)):
        kind = msgspec.defstruct("At", [("value", kind, msgspec.field(name=name, default=None))]) | None
    return msgspec.json.Decoder(kind)


def _at(path: str, value: Any) -> Any:
    for _ in names_on(path):
        if value is None:
            return None
        value = value.value
    return value


def value_at(body: bytes, path: str, kind: Any = Any) -> Any:
    """The value at a dotted path of a JSON document, None where there is none; the rest is not parsed.

    kind: what it must be; `msgspec.Raw` brings its bytes, also where they say null.

    >>> value_at(b'{"paging": {"next": {"after": "7"}}}', "paging.next.after")
    '7'
    """
    try:
        return _at(path, _nested(path, kind if kind is msgspec.Raw else kind | None).decode(body))
    except UNREADABLE as error:
        raise BrokenAnswer(
            f"the answer is not the JSON its contract promises at {path or 'its top'}: {error}"
        ) from error


def slices(body: bytes, path: str) -> list[msgspec.Raw]:
    """The records of a page as slices of its bytes. `path` is the dotted path of the array, "" for a bare one."""
    found = value_at(body, path, list[msgspec.Raw])
    if found is None:
        raise BrokenAnswer(f"the answer has no list at {path!r}")
    return list(found)


@functools.cache
def _envelope(paths: tuple[tuple[str, str], ...]) -> msgspec.json.Decoder[Any]:
    """A decoder for several dotted paths of one record at once; branches of the same parent are merged."""

    def struct(name: str, wanted: dict[str, str]) -> Any:
        leaves = {p: alias for alias, p in wanted.items() if "." not in p}
        branches: dict[str, dict[str, str]] = {}
        for alias, p in wanted.items():
            if "." in p:
                head, rest = p.split(".", 1)
                branches.setdefault(head, {})[alias] = rest
        fields: list[Any] = [(f"leaf_{i}", Any, msgspec.field(name=p, default=None)) for i, p in enumerate(leaves)] + [
            (f"branch_{i}", struct(head, below) | None, msgspec.field(name=head, default=None))
            for i, (head, below) in enumerate(branches.items())
        ]
        return msgspec.defstruct(f"Envelope_{name}", fields)

    return msgspec.json.Decoder(struct("top", dict(paths)))


@functools.cache
def _getters(paths: tuple[tuple[str, str], ...]) -> dict[str, Callable[[Any], Any]]:
    """For each alias, how to get its value out of the struct `_envelope` decodes to."""

    def build(wanted: dict[str, str], prefix: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        leaves = list(dict.fromkeys(p for p in wanted.values() if "." not in p))
        branches: dict[str, dict[str, str]] = {}
        found: dict[str, tuple[str, ...]] = {}
        for alias, p in wanted.items():
            if "." in p:
                head, rest = p.split(".", 1)
                branches.setdefault(head, {})[alias] = rest
            else:
                found[alias] = (*prefix, f"leaf_{leaves.index(p)}")
        for i, below in enumerate(branches.values()):
            found |= build(below, (*prefix, f"branch_{i}"))
        return found

    def getter(steps: tuple[str, ...]) -> Callable[[Any], Any]:
        def get(value: Any) -> Any:
            for step in steps:
                if value is None:
                    return None
                value = getattr(value, step)
            return value

        return get

    return {alias: getter(steps) for alias, steps in build(dict(paths), ()).items()}


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else value if isinstance(value, str) else str(value)


def records(
    body: bytes,
    items: str = "",
    *,
    key: str = "id",
    updated: str | None = None,
    deleted: str | Callable[[Any], bool] | None = None,
    merged_into: str | None = None,
) -> list[Record]:
    """Cut a page into records.

    `items`, `key`, `updated`, `deleted`, `merged_into` are dotted paths; `deleted` counts when true, or is
    `"path=value"`, as in `"status=deleted"`.

    >>> [r] = records(b'{"results": [{"id": 7, "at": {"u": "2026"}, "x": 1.50}]}', "results", updated="at.u")
    >>> r.id, r.updated, r.pointer, r.raw
    ('7', '2026', '/results/0', b'{"id": 7, "at": {"u": "2026"}, "x": 1.50}')
    """
    wanted = {"key": key}
    if updated:
        wanted["updated"] = updated
    gone_path, _, gone_value = deleted.partition("=") if isinstance(deleted, str) else ("", "", "")
    if gone_path:
        wanted["deleted"] = gone_path
    if merged_into:
        wanted["merged_into"] = merged_into
    paths = tuple(sorted(wanted.items()))
    decode, get = _envelope(paths).decode, _getters(paths)
    prefix = "".join(f"/{part}" for part in items.split(".")) if items else ""
    found: list[Record] = []
    for n, raw in enumerate(slices(body, items)):
        try:
            envelope = decode(raw)
        except UNREADABLE as error:
            raise BrokenAnswer(f"record {prefix}/{n} is not what its contract promises: {error}") from error
        mark = get["deleted"](envelope) if gone_path else None
        found.append(
            Record(
                id=_text(get["key"](envelope)),
                raw=bytes(raw),
                pointer=f"{prefix}/{n}",
                updated=_text(get["updated"](envelope)) if updated else None,
                deleted=(str(mark).lower() == gone_value.lower())
                if gone_value
                else mark not in (None, False, "", "false"),
                merged_into=_text(get["merged_into"](envelope)) if merged_into else None,
            )
        )
    return found

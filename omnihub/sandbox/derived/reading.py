"""Reading: lists, one record, several by their ids: the operations behind `pull`, `look` and `find`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from omnihub.sandbox.derived.lists import (
    PAGE,
    Cut,
    Told,
    count,
    cut,
    position,
    since_of,
    size_of,
    token,
    whole,
)
from omnihub.sandbox.derived.operations import Operation, Refusal, living, meant
from omnihub.sandbox.derived.shape import Shape
from omnihub.sandbox.kit import Call, Reply
from omnihub.sdk import ByIdBatch, ByIds, Cursor, Number, Offset, Pages
from omnihub.sdk.fieldmap import put


@dataclass(frozen=True)
class List:
    """A declared list, and the size its pages have."""

    shape: Shape
    pages: Pages
    param: str  # the parameter that asks for a size, "" where none does
    most: int | None  # None: everything at once

    def size(self, call: Call) -> int | None:
        """How many records this call wants; never more than was declared, as with a system that says its most."""
        if self.most is None or not self.param:
            return self.most
        return min(self.most, whole(call, self.param, self.most, least=1))


Turn = Callable[[Any, List, Call, str], tuple[Cut, dict[str, Any], dict[str, str]]]
"""(stand-in, list, call, since) → the page, what stands beside its records, and headers."""


def _all(standin: Any, this: List, call: Call, since: str) -> tuple[Cut, dict[str, Any], dict[str, str]]:
    return cut(standin.state, this.shape, since=since), {}, {}


def _by_cursor(standin: Any, this: List, call: Call, since: str) -> tuple[Cut, dict[str, Any], dict[str, str]]:
    following: Any = this.pages.next
    after = position(call.param(following.param))
    since = max(since, after[0]) if after and this.shape.updated else since
    page = cut(standin.state, this.shape, since=since, after=after, size=this.size(call))
    always = following.more or this.pages.keep == following.path  # a cursor that stays good after the last page
    values: dict[str, Any] = {following.path: token(page.after) if page.more or always else None}
    if following.more:
        values[following.more] = page.more
    return page, values, {}


def _by_offset(standin: Any, this: List, call: Call, since: str) -> tuple[Cut, dict[str, Any], dict[str, str]]:
    following: Any = this.pages.next
    offset = whole(call, following.param, 0)
    return cut(standin.state, this.shape, since=since, offset=offset, size=this.size(call)), {}, {}


def _by_number(standin: Any, this: List, call: Call, since: str) -> tuple[Cut, dict[str, Any], dict[str, str]]:
    following: Any = this.pages.next
    size = this.size(call) or PAGE
    number = whole(call, following.param, following.first, least=following.first)
    page = cut(standin.state, this.shape, since=since, offset=(number - following.first) * size, size=size)
    return page, {following.more: page.more}, {}


TURNS: Mapping[type, Turn] = {type(None): _all, Cursor: _by_cursor, Offset: _by_offset, Number: _by_number}


def pages(shape: Shape, value: Pages, notes: list[str]) -> Iterator[Operation]:
    """A list endpoint."""
    turn = TURNS.get(type(value.next))
    if turn is None:
        notes.append(f"{shape.name}: paging by {type(value.next).__name__} is not served, everything is one page")
        turn = _all
    this = _list(shape, value, notes)

    def serve(standin: Any, call: Call) -> Reply:
        since = since_of(value.since, call)
        page, beside, headers = turn(standin, this, call, since)
        if value.keep and value.keep not in beside:
            beside[value.keep] = token(page.after)
        if value.total:
            beside[value.total] = count(standin.state, shape, since)
        return Told(value.items, [shape.shown(obj) for obj in page.found], beside, headers).reply()

    yield Operation("GET", value.path, serve, meant(value.params, path=value.path))


def _list(shape: Shape, value: Pages, notes: list[str]) -> List:
    named = size_of(value.params)
    if value.since:
        what = ", ".join(value.since)
        place = shape.updated or "the time of change"
        notes.append(f"{shape.name}: {what} leaves out what has an older {place}")
        if not shape.updated:
            notes.append(f"{shape.name}: no `updated` is declared, so the filter compares with a time nobody sees")
    if named:
        notes.append(f"{shape.name}: {named[0]} is the size of a page, {named[1]} at most")
    known = {named[0] if named else "", *value.since, getattr(value.next, "param", "")}
    for name in value.params:
        if name not in known:
            notes.append(f"{shape.name}: {name} means nothing to this stand-in")
    declared = getattr(value.next, "size", None)
    if value.next is None:
        return List(shape, value, named[0] if named else "", named[1] if named else None)
    if not named and declared is None:
        notes.append(f"{shape.name}: a page has {PAGE} records")
    return List(shape, value, named[0] if named else "", named[1] if named else declared or PAGE)


def by_ids(shape: Shape, value: ByIds, notes: list[str]) -> Iterator[Operation]:
    """One record."""

    def serve(standin: Any, call: Call) -> Reply:
        obj = living(standin.state.get(shape.name, call.path["id"]), f"{shape.name} {call.path['id']}")
        return wrapped(shape.shown(obj), value.item, obj.version if shape.version else None)

    yield Operation("GET", value.path, serve, meant({}, path=value.path))


def by_id_batch(shape: Shape, value: ByIdBatch, notes: list[str]) -> Iterator[Operation]:
    """Several records by their ids."""

    def serve(standin: Any, call: Call) -> Reply:
        ids = call.param(value.param).split(",")
        if len(ids) > value.size:
            raise Refusal(400, f"{value.param} takes {value.size} ids at most")
        found = [obj for id_ in ids if (obj := standin.state.get(shape.name, id_)) and not obj.deleted]
        return Told(value.items, [shape.shown(obj) for obj in found]).reply()

    yield Operation("GET", value.path, serve, meant({}, [value.param], value.path))


def wrapped(record: dict[str, Any], item: str, version: int | None = None, status: int = 200) -> Reply:
    """One record in an answer, inside the object at `item`."""
    body: dict[str, Any] = {}
    if item:
        put(body, item, record)
    return Reply(status, body if item else record, {"ETag": f'"{version}"'} if version is not None else {})

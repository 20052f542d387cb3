"""Reading: lists, one record, several by their ids or keys: the operations behind `pull`, `look` and `find`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from omnihub.sandbox.derived.lists import PAGE, Cut, Told, count, cut, position, since_of, size_of, token, whole
from omnihub.sandbox.derived.operations import Operation, Refusal, living, meant, with_body
from omnihub.sandbox.derived.shape import Shape, dig, moment, put
from omnihub.sandbox.kit import Call, Reply
from omnihub.sandbox.state import Obj
from omnihub.sdk import (
    ByIdBatch,
    ByIds,
    ByKeys,
    Cursor,
    Keyset,
    LinkHeader,
    NextUrl,
    Number,
    Offset,
    Pages,
)

HERE = "position"  # the parameter of a next address, which nobody but this system reads


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


@dataclass
class Turned:
    """A page, what stands beside its records, and the headers of the answer."""

    cut: Cut
    beside: dict[str, Any]
    headers: dict[str, str]


Turn = Callable[[Any, List, Call, str], Turned]
"""(stand-in, list, call, since) → the page asked for."""


def _all(standin: Any, this: List, call: Call, since: str) -> Turned:
    return Turned(cut(standin.state, this.shape, since=since), {}, {})


def _after(standin: Any, this: List, call: Call, since: str, param: str) -> Cut:
    after = position(call.param(param))
    since = max(since, after[0]) if after and this.shape.updated else since
    return cut(standin.state, this.shape, since=since, after=after, size=this.size(call))


def _by_cursor(standin: Any, this: List, call: Call, since: str) -> Turned:
    following: Any = this.pages.next
    page = _after(standin, this, call, since, following.param)
    stays = following.more or this.pages.keep == following.path  # a cursor that is good after the last page too
    beside: dict[str, Any] = {following.path: token(page.after) if page.more or stays else None}
    if following.more:
        beside[following.more] = page.more
    return Turned(page, beside, {})


def _by_link(standin: Any, this: List, call: Call, since: str) -> Turned:
    following: Any = this.pages.next
    page = _after(standin, this, call, since, HERE)
    return Turned(page, {}, {"Link": f'<{_address(call, page)}>; rel="{following.rel}"'} if page.more else {})


def _by_url(standin: Any, this: List, call: Call, since: str) -> Turned:
    following: Any = this.pages.next
    page = _after(standin, this, call, since, HERE)
    return Turned(page, {following.path: _address(call, page) if page.more else None}, {})


def _address(call: Call, page: Cut) -> str:
    """Where the list goes on: the same address with a position in it."""
    url = urlsplit(call.url)
    rest = [pair for pair in parse_qsl(url.query, keep_blank_values=True) if pair[0] != HERE]
    return urlunsplit(url._replace(query=urlencode([*rest, (HERE, token(page.after) or "")])))


def _by_offset(standin: Any, this: List, call: Call, since: str) -> Turned:
    following: Any = this.pages.next
    page = cut(
        standin.state, this.shape, since=since, offset=whole(call, following.param, 0), size=this.size(call) or PAGE
    )
    return Turned(page, {following.total: count(standin.state, this.shape, since)} if following.total else {}, {})


def _by_number(standin: Any, this: List, call: Call, since: str) -> Turned:
    following: Any = this.pages.next
    size = this.size(call) or PAGE
    number = whole(call, following.param, following.first, least=following.first)
    page = cut(standin.state, this.shape, since=since, offset=(number - following.first) * size, size=size)
    beside: dict[str, Any] = {following.more: page.more} if following.more else {}
    if following.pages:
        beside[following.pages] = math.ceil(count(standin.state, this.shape, since) / size)
    return Turned(page, beside, {})


def _by_keyset(standin: Any, this: List, call: Call, since: str) -> Turned:
    following: Any = this.pages.next
    try:
        start = moment(call.param(following.updated)) if call.param(following.updated) else since
    except (ValueError, OverflowError):
        raise Refusal(400, f"{following.updated} must be a time") from None
    told = bool(following.id) and bool(call.param(following.updated))
    offset = whole(call, following.offset, 0) if following.offset else 0
    after = (start, call.param(following.id)) if told else None
    return Turned(cut(standin.state, this.shape, since=start, after=after, offset=offset, size=this.size(call)), {}, {})


TURNS: Mapping[type, Turn] = {
    type(None): _all,
    Cursor: _by_cursor,
    LinkHeader: _by_link,
    NextUrl: _by_url,
    Offset: _by_offset,
    Number: _by_number,
    Keyset: _by_keyset,
}


def pages(shape: Shape, value: Pages, notes: list[str]) -> Iterator[Operation]:
    """A list endpoint."""
    turn = TURNS.get(type(value.next))
    if turn is None:
        notes.append(f"{shape.name}: how the list goes on is a Python function, so all of it is one page")
        value, turn = replace(value, next=None, params={}), _all
    this = _list(shape, value, notes)
    onward = getattr(value.next, "param", "")  # a cursor that stays good is its own filter
    filters = {name: template for name, template in value.since.items() if name != onward}

    def serve(standin: Any, call: Call) -> Reply:
        call = call if value.method == "GET" else with_body(call)
        since = since_of(filters, call)
        turned = turn(standin, this, call, since)
        if value.keep and value.keep not in turned.beside:
            turned.beside[value.keep] = token(turned.cut.after)
        if value.total:
            turned.beside[value.total] = count(standin.state, shape, since)
        shown = [shape.shown(obj) for obj in turned.cut.found]
        return Told(value.items, shown, turned.beside, turned.headers).reply()

    yield Operation(value.method, value.path, serve, meant(value.params, path=value.path), reads=True)


def _list(shape: Shape, value: Pages, notes: list[str]) -> List:
    limit, declared = getattr(value.next, "limit", ""), getattr(value.next, "size", 0)
    named = (str(limit), int(declared)) if limit else size_of(value.params)
    onward = getattr(value.next, "param", "")
    filters = [name for name in value.since if name != onward]
    if isinstance(value.next, Keyset):
        filters = filters or [value.next.updated]
    if filters:
        notes.append(f"{shape.name}: {', '.join(filters)} leaves out what changed before that time")
        if not shape.updated:
            notes.append(f"{shape.name}: no `updated` is declared, so the filter compares with a time nobody sees")
    if shape.updated:
        notes.append(f"{shape.name}: lists come in the order of {shape.updated}")
    if named and not limit:
        notes.append(f"{shape.name}: {named[0]} is the size of a page, {named[1]} at most")
    if not named and not declared and value.next is not None:
        notes.append(f"{shape.name}: a page has {PAGE} records")
    known = {named[0] if named else "", *value.since, onward, HERE}
    for name in value.params:
        if name not in known:
            notes.append(f"{shape.name}: {name} means nothing here")
    most = named[1] if named else declared or (None if value.next is None else PAGE)
    return List(shape, value, named[0] if named else "", most)


def by_ids(shape: Shape, value: ByIds, notes: list[str]) -> Iterator[Operation]:
    """One record."""

    def serve(standin: Any, call: Call) -> Reply:
        id_ = call.path.get("id", call.path.get("key", ""))
        return shown(shape, living(standin.state.get(shape.name, id_), f"{shape.name} {id_}"), value.item)

    yield Operation("GET", value.path, serve, meant({}, path=value.path), reads=True)


def by_id_batch(shape: Shape, value: ByIdBatch, notes: list[str]) -> Iterator[Operation]:
    """Several records by their ids."""
    asks = [value.param] if value.method == "GET" else []

    def serve(standin: Any, call: Call) -> Reply:
        if value.method == "GET":
            sent = call.params(value.param)
            ids: Any = sent[0].split(value.joined) if value.joined else sent
        else:
            ids = dig(call.json(), value.param)
        if not isinstance(ids, list) or len(ids) > value.size:
            raise Refusal(400, f"{value.param} takes up to {value.size} ids")
        found = [obj for id_ in ids if (obj := standin.state.get(shape.name, str(id_))) and not obj.deleted]
        return Told(value.items, [shape.shown(obj) for obj in found]).reply()

    yield Operation(value.method, value.path, serve, meant({}, asks, value.path), reads=True)


def by_keys(shape: Shape, value: ByKeys, notes: list[str]) -> Iterator[Operation]:
    """Records by the caller's own key."""

    def serve(standin: Any, call: Call) -> Reply:
        key = call.param(value.param) if value.param else call.path["key"]
        found = keyed(standin, shape, key)
        if value.param:
            return Told(value.items, [shape.shown(obj) for obj in found]).reply()
        return shown(shape, living(found[0] if found else None, f"{shape.name} with this key"), value.item)

    yield Operation("GET", value.path, serve, meant({}, [value.param] if value.param else [], value.path), reads=True)


def keyed(standin: Any, shape: Shape, key: str) -> list[Obj]:
    """The living records with this external id."""
    if shape.external:
        found: list[Obj] = standin.state.find(shape.name, f"$.{shape.external}", key)
        return found
    id_ = standin.state.note(f"key:{shape.name}:{key}")
    obj = standin.state.get(shape.name, id_) if id_ else None
    return [obj] if obj and not obj.deleted else []


def shown(shape: Shape, obj: Obj, item: str = "", status: int = 200) -> Reply:
    """One record in an answer, inside the object at `item`, with its version beside it."""
    record = shape.shown(obj)
    body: dict[str, Any] = {}
    if item:
        put(body, item, record)
    return Reply(status, body if item else record, {"ETag": f'"{obj.version}"'})

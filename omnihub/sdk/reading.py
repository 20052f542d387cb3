"""Plain REST, read: lists page by page, and records by their ids, as values that can be called.

    Pages("/accounts", items="items", next=Cursor("next_cursor", "cursor"), since={"updated_since": "{since}"})
    ByIds("/accounts/{id}")                             reads one record at a time
    ByIdBatch("/accounts", items="items")               reads many with one call: /accounts?ids=1,2,3
    ByKeys("/accounts", items="items", param="hub_id")  reads by the external id, for `Push.find`

The cursor a stream keeps is the greatest `updated` it has landed, re-read from `>=`, unless the system hands out
a cursor of its own that stays good after the last page (`keep=`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import requests

from omnihub.errors import BrokenAnswer
from omnihub.sdk.cursors import earlier, in_order, newest, not_past
from omnihub.sdk.fieldmap import put
from omnihub.sdk.http import Http, exchange
from omnihub.sdk.page import Page, Record, Want, records, value_at
from omnihub.sdk.paging import Keyset, Next, Number, Offset, Place, Turned, begun, followed

MAX_PAGES = 1_000_000  # a stream longer than this is a loop
MAX_BACK = 100  # a list that moves so often while it is read is not read soundly
RECENT = 3  # pages whose records are remembered, to see whether a list has moved
MAX_ALIKE = 3  # the same records under new cursors, so often in a row, are a loop as well


@dataclass(frozen=True)
class Pages:
    """A list endpoint. See the module's docstring.

    params: sent with each call. since: parameters added when there is a cursor, `{since}` standing for it.
    overlap: how far before the cursor reading begins again, where a system shows changes late or out of turn.
    ordered: the list comes in the order of `updated`, so that each page may carry the cursor and a long pull that was
    cut off goes on from there. method: "POST" sends the parameters as a JSON body (dotted names are objects in it).
    key, updated, deleted, merged_into: dotted paths in a record (see `omnihub.sdk.page.records`).
    keep: dotted path of the system's own cursor, kept instead of the greatest `updated`.
    total: dotted path of how many records there are.
    Without `since` (or a `Keyset`) every pass is complete.
    """

    path: str
    items: str = ""
    next: Next | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    since: Mapping[str, str] = field(default_factory=dict)
    key: str = "id"
    updated: str | None = None
    deleted: str | None = None
    merged_into: str | None = None
    keep: str = ""
    total: str = ""
    overlap: timedelta = timedelta(0)
    ordered: bool = False
    method: str = "GET"

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """Read the list from the cursor, or whole."""
        since = None if want.complete or not self._from_then_on else want.since
        reading = Pass(f"{http.system}: {self.path}", want, since, self.ordered or isinstance(self.next, Keyset))
        place: Place | None = self._begin(since)
        while place:
            reading.enters(place, self.next)
            answer = self._ask(http, place)
            page = Turned(place, answer, self._cut(answer), reading.seen)
            try:
                following = followed(self.next, page)
            except BrokenAnswer as broken:
                raise BrokenAnswer(f"{http.system}: {broken}") from None
            yield reading.page(
                answer,
                page.records,
                last=following is None,
                total=value_at(answer.content, self.total) if self.total else None,
                kept=value_at(answer.content, self.keep) if self.keep else None,
                keeps=bool(self.keep),
            )
            place = following

    @property
    def _from_then_on(self) -> bool:
        return bool(self.since) or isinstance(self.next, Keyset)

    def _begin(self, since: str | None) -> Place:
        place = begun(self.next, Place(self.path, dict(self.params)))
        if not since:
            return place
        start = earlier(since, self.overlap)
        if isinstance(self.next, Keyset) and not self.since:
            return place.plus(**self.next.since(start))
        return place.plus(**{name: template.format(since=start) for name, template in self.since.items()})

    def _ask(self, http: Http, place: Place) -> requests.Response:
        if self.method == "GET":
            return http.get_ok(place.path, params=place.params)
        body: dict[str, Any] = {}
        for name, value in place.params.items():
            put(body, name, value)
        return http.refuse(http.request(self.method, place.path, json=body, safe=True))

    def _cut(self, answer: requests.Response) -> list[Record]:
        return records(
            answer.content,
            self.items,
            key=self.key,
            updated=self.updated,
            deleted=self.deleted,
            merged_into=self.merged_into,
        )


class Pass:
    """One pass over a stream: sees to it that it ends, and that its cursor passes over nothing.

    where: what messages begin with. since: the cursor it began at, None from the beginning.
    ordered: records come in the order of change. The cursor then moves with each page, for as long as that is so.
    """

    def __init__(self, where: str, want: Want, since: str | None, ordered: bool = False) -> None:
        self.where, self.now, self.since, self.ordered = where, want.now, since, ordered
        self.newest = since
        self._places: set[int] = set()
        self._before: Sequence[Record] = ()  # the page before
        self._alike = 0
        self._counts = self._laps = False
        self._recent: deque[frozenset[bytes]] = deque(maxlen=RECENT)
        self._tail: Record | None = None
        self._back = 0
        self._most = 0
        self._slipped = False

    def enters(self, place: Place, way: object = None) -> None:
        """Before a page is asked for. BrokenAnswer where it was asked for already in this pass."""
        self._counts, self._laps = isinstance(way, Offset | Number), isinstance(way, Offset) and way.lap > 0
        if place.back:
            self._goes_back()
        mark = hash((place.path, str(sorted((name, str(value)) for name, value in place.params.items()))))
        if mark in self._places:
            raise BrokenAnswer(f"{self.where}: a page points to itself or back; the stream stops and keeps its cursor")
        if len(self._places) >= MAX_PAGES:
            raise BrokenAnswer(f"{self.where} never ends: that was page {MAX_PAGES}; the stream keeps its cursor")
        self._places.add(mark)

    def page(
        self,
        answer: requests.Response,
        found: Sequence[Record],
        *,
        last: bool,
        total: int | None = None,
        kept: Any = None,
        keeps: bool = False,
    ) -> Page:
        """The page as the hub wants it. `kept`: the system's own cursor, where it `keeps` one."""
        self._check_alike(found)
        self._watch(total)
        found = self._without_lap(found)
        times = [r.updated for r in found if r.updated]
        before = [self.newest] if self.newest and len(self._places) > 1 else []  # the first may lie before (`overlap`)
        self.ordered = self.ordered and in_order([*before, *times])
        self.newest = newest([self.newest, *times])
        own = not_past(self.newest, self.now) if (last or self.ordered) and not self._slipped else None
        return Page(
            exchange=exchange(answer),
            records=found,
            cursor=(None if kept in (None, "") else str(kept)) if keeps else own,
            complete=last and self.since is None and not self._slipped,
            total=total,
        )

    def seen(self, record: Record) -> bool:
        """Whether one of the last pages showed this record, just as it is."""
        return any(record.raw in page for page in self._recent)

    def _goes_back(self) -> None:
        """The list has moved: the places behind us may be asked for again, though not for ever."""
        self._back += 1
        if self._back > MAX_BACK:
            raise BrokenAnswer(
                f"{self.where}: the list moves faster than it can be read; ask for larger pages, or for an order that "
                "never changes. The stream keeps its cursor"
            )
        self._places.clear()
        self._before, self._alike = (), 0

    def _without_lap(self, found: Sequence[Record]) -> Sequence[Record]:
        """The page without the record that the one before ended with, where it is still the same."""
        if not self._laps:
            return found
        tail, self._tail = self._tail, found[-1] if found else None
        self._recent.append(frozenset(r.raw for r in found))
        return found[1:] if tail and found and (found[0].id, found[0].raw) == (tail.id, tail.raw) else found

    def _check_alike(self, found: Sequence[Record]) -> None:
        """A system that does not understand the parameter of its pages shows the first one for ever."""
        if not found:
            return
        same = len(found) == len(self._before) and all(a.raw == b.raw for a, b in zip(found, self._before, strict=True))
        self._alike = self._alike + 1 if same else 1
        self._before = found
        if self._alike >= (2 if self._counts else MAX_ALIKE):
            raise BrokenAnswer(
                f"{self.where}: a page shows the same records as the one before; is its paging parameter right? "
                "The stream stops and keeps its cursor"
            )

    def _watch(self, total: int | None) -> None:
        """A record deleted while a list is counted through moves the following ones up, and one slips through between
        two pages. The number of all records tells: if it fell, this pass proves nothing, and the next reads again."""
        if not self._counts or self._laps or not isinstance(total, int):
            return
        self._slipped = self._slipped or total < self._most
        self._most = max(self._most, total)


@dataclass(frozen=True)
class ByIds:
    """Reads records one by one. A 404 means gone."""

    path: str
    key: str = "id"
    updated: str | None = None
    item: str = ""  # dotted path of the record in the answer
    deleted: str | None = None

    def __call__(self, http: Http, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records; what is missing from the pages is gone."""
        for id_ in ids:
            answer = http.get(self.path.format(id=quote(id_, safe=""), key=quote(id_, safe="")))
            if answer.status_code in (404, 410):
                continue
            http.refuse(answer, record=id_)
            found = records(_one(answer, self.item), key=self.key, updated=self.updated, deleted=self.deleted)
            yield Page(exchange(answer), [r for r in found if not r.deleted])


@dataclass(frozen=True)
class ByIdBatch:
    """Reads up to `size` records a call, their ids joined by commas in the parameter `param`.

    joined: what stands between the ids; "" repeats the parameter instead. method: "POST" sends the ids as a list in a
    JSON body, under `param`. key, updated, deleted: as in `Pages`. Records the system still shows though they are
    deleted count as gone.
    """

    path: str
    items: str = ""
    param: str = "ids"
    size: int = 100
    key: str = "id"
    updated: str | None = None
    deleted: str | None = None
    joined: str = ","
    method: str = "GET"

    def __call__(self, http: Http, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records; what is missing from the pages is gone."""
        for start in range(0, len(ids), self.size):
            answer = self._ask(http, list(ids[start : start + self.size]))
            found = records(answer.content, self.items, key=self.key, updated=self.updated, deleted=self.deleted)
            yield Page(exchange=exchange(answer), records=[r for r in found if not r.deleted])

    def _ask(self, http: Http, ids: list[str]) -> requests.Response:
        if self.method == "GET":
            return http.get_ok(self.path, params={self.param: self.joined.join(ids) if self.joined else ids})
        body: dict[str, Any] = {}
        put(body, self.param, ids)
        return http.refuse(http.request(self.method, self.path, json=body, safe=True))


@dataclass(frozen=True)
class ByKeys:
    """Reads records by the external id the hub gave them, for `Push.find`: one call a key.

    Either the key is a part of the path, `/accounts/external/{key}`, which answers with the record (at `item`) or 404;
    or it is the parameter `param` of a list, at `items`. external: dotted path of the external id in a record; what a
    forgiving search finds besides is left out. A key that is there twice brings both.
    """

    path: str
    items: str = ""
    param: str = ""
    external: str = ""
    item: str = ""
    key: str = "id"
    updated: str | None = None
    deleted: str | None = None

    def __call__(self, http: Http, keys: Sequence[str]) -> Iterator[Page]:
        """The present state of the records with these keys."""
        for key in keys:
            params = {self.param: key} if self.param else {}
            answer = http.get(self.path.format(key=quote(key, safe="")), params=params)
            if not self.param and answer.status_code in (404, 410):
                continue
            http.refuse(answer)
            body = answer.content if self.param else _one(answer, self.item)
            items = self.items if self.param else ""
            found = records(body, items, key=self.key, updated=self.updated, deleted=self.deleted)
            yield Page(exchange(answer), [r for r in found if not r.deleted and self._is(r, key)])

    def _is(self, record: Record, key: str) -> bool:
        return not self.external or str(value_at(record.raw, self.external)) == key


def _one(answer: requests.Response, item: str) -> bytes:
    """An answer that is one record, as a list of it."""
    if not item:
        return b"[" + answer.content + b"]"
    found = bytes(value_at(answer.content, item, msgspec.Raw) or b"null")
    if found == b"null":
        where = urlsplit(answer.request.url or "").path.rsplit("/", 1)[0]
        raise BrokenAnswer(f"the answer of {where} has no record at {item!r}")
    return b"[" + found + b"]"

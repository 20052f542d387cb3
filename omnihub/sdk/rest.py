"""Plain REST, declared: paging, reading by id and writing one record at a time as values that can be called.

    Pages("/accounts", items="items", next=Cursor("next_cursor", "cursor"), since={"updated_since": "{since}"})
    ByIds("/accounts/{id}")                         reads one record at a time
    ByIdBatch("/accounts", items="items")           reads many with one call: /accounts?ids=1,2,3
    Send1("PATCH", "/accounts/{id}", etag="etag")   writes one record at a time
    SendBatch("POST", "/accounts/batch")            writes many with one call, with a result for each

The cursor a stream keeps is the greatest `updated` it has landed, re-read from `>=`, unless the system hands out
a cursor of its own that stays good after the last page (`keep=`).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import requests

from omnihub.errors import BrokenAnswer, RejectedRecord, RetryableError
from omnihub.model import Outcome
from omnihub.sdk.connector import Answer, Row
from omnihub.sdk.http import Http, exchange
from omnihub.sdk.page import Exchange, Page, Want, records, value_at

MAX_PAGES = 1_000_000  # a stream longer than this is a loop


@dataclass(frozen=True)
class Cursor:
    """The next page is named by a token in the answer at `path`, sent as the parameter `param`."""

    path: str
    param: str
    more: str = ""  # dotted path of a flag; false ends the stream whatever the token says

    def follow(self, answer: requests.Response, sent: dict[str, Any], count: int) -> dict[str, Any] | None:
        """The parameters of the next page, None after the last."""
        if self.more and not value_at(answer.content, self.more):
            return None
        token = value_at(answer.content, self.path)
        return {**sent, self.param: str(token)} if token not in (None, "") else None


@dataclass(frozen=True)
class Offset:
    """The next page starts where this one ended; a page shorter than `size` is the last."""

    param: str
    size: int

    def follow(self, answer: requests.Response, sent: dict[str, Any], count: int) -> dict[str, Any] | None:
        """The parameters of the next page, None after the last."""
        return {**sent, self.param: int(sent.get(self.param, 0)) + count} if count >= self.size else None


@dataclass(frozen=True)
class Number:
    """Pages have numbers from `first`; `more` is the dotted path of a flag that says whether another follows."""

    param: str
    more: str
    first: int = 0

    def follow(self, answer: requests.Response, sent: dict[str, Any], count: int) -> dict[str, Any] | None:
        """The parameters of the next page, None after the last."""
        if not value_at(answer.content, self.more):
            return None
        return {**sent, self.param: int(sent.get(self.param, self.first)) + 1}


Next = Cursor | Offset | Number


@dataclass(frozen=True)
class Pages:
    """A list endpoint. See the module's docstring.

    params: sent with each call. since: parameters added when there is a cursor, `{since}` standing for it.
    key, updated, deleted, merged_into: dotted paths in a record (see `omnihub.sdk.page.records`).
    keep: dotted path of the system's own cursor, kept instead of the greatest `updated`.
    Without `since` every pass is complete.
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

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """Read the list from the cursor, or whole."""
        since = None if want.complete or not self.since else want.since
        params = dict(self.params)
        if since:
            params |= {name: template.format(since=since) for name, template in self.since.items()}
        newest = since
        for _ in range(MAX_PAGES):
            answer = http.get_ok(self.path, params=params)
            found = records(
                answer.content,
                self.items,
                key=self.key,
                updated=self.updated,
                deleted=self.deleted,
                merged_into=self.merged_into,
            )
            newest = max([t for t in (newest, *(r.updated for r in found)) if t], default=None)
            following = self.next.follow(answer, params, len(found)) if self.next else None
            if following == params:
                raise BrokenAnswer(
                    f"{http.system}: page after {self.path} points to itself; the stream stops and keeps its cursor"
                )
            yield Page(
                exchange=exchange(answer),
                records=found,
                cursor=value_at(answer.content, self.keep) if self.keep else (newest if following is None else None),
                complete=following is None and since is None,
                total=value_at(answer.content, self.total) if self.total else None,
            )
            if following is None:
                return
            params = following
        raise BrokenAnswer(f"{http.system}: {self.path} never ends")


@dataclass(frozen=True)
class ByIds:
    """Reads records one by one. A 404 means gone."""

    path: str
    key: str = "id"
    updated: str | None = None
    item: str = ""  # dotted path of the record in the answer

    def __call__(self, http: Http, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records; what is missing from the pages is gone."""
        for id_ in ids:
            answer = http.get(self.path.format(id=id_))
            if answer.status_code in (404, 410):
                continue
            http.refuse(answer, record=id_)
            one = (
                b"["
                + (answer.content if not self.item else bytes(value_at(answer.content, self.item, msgspec.Raw)))
                + b"]"
            )
            yield Page(exchange=exchange(answer), records=records(one, key=self.key, updated=self.updated))


@dataclass(frozen=True)
class ByIdBatch:
    """Reads up to `size` records a call, their ids joined by commas in the parameter `param`.

    key, updated, deleted: as in `Pages`. Records the system still shows though they are deleted count as gone.
    """

    path: str
    items: str = ""
    param: str = "ids"
    size: int = 100
    key: str = "id"
    updated: str | None = None
    deleted: str | None = None

    def __call__(self, http: Http, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records; what is missing from the pages is gone."""
        for start in range(0, len(ids), self.size):
            answer = http.get_ok(self.path, params={self.param: ",".join(ids[start : start + self.size])})
            found = records(answer.content, self.items, key=self.key, updated=self.updated, deleted=self.deleted)
            yield Page(exchange=exchange(answer), records=[r for r in found if not r.deleted])


@dataclass(frozen=True)
class Send1:
    """Writes one record a call. `wrap`: the object the payload goes into. `etag`: dotted path of the version in the
    record as just read, sent as If-Match: a 412 then means somebody was faster (drifted)."""

    method: str
    path: str
    wrap: str = ""
    etag: str = ""
    drifted: tuple[int, ...] = (409, 412)

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row."""
        for row in rows:
            yield self._one(http, row)

    def _one(self, http: Http, row: Row) -> Answer:
        headers = {"If-Match": str(_dig(row.raw, self.etag))} if self.etag else {}
        answer = http.request(
            self.method,
            self.path.format(id=row.id, key=row.key, parent=row.parent),
            json={self.wrap: row.body} if self.wrap else row.body,
            headers=headers,
            safe=True,  # the same values again do no harm
        )
        if answer.status_code in self.drifted:
            return Answer(
                row.n,
                Outcome.DRIFTED,
                row.id,
                str(answer.status_code),
                "changed there in the meantime",
                exchange(answer),
            )
        try:
            http.refuse(answer, record=str(row.id))
        except RejectedRecord as no:
            return Answer(row.n, Outcome.REFUSED, row.id, str(no.status), words(no.body), exchange(answer))
        return Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(answer))


@dataclass(frozen=True)
class SendBatch:
    """Writes many records a call, and reads one result per record out of the answer.

    What is sent is `{wrap: [{id, version, set: {…}}, …]}`; what comes back is the list at `results`, in the same order.
    body: the object in an item the payload goes into, "" for beside the id. version: the name of the version, in the
    record as just read and in the item sent. status, code, message: dotted paths in a result. once: the header of an
    idempotency key, which is what makes it safe to send a batch again when it is not known whether it arrived.
    """

    method: str
    path: str
    wrap: str = "items"
    body: str = ""
    version: str = ""
    results: str = "items"
    status: str = "status"
    code: str = "code"
    message: str = "message"
    once: str = ""
    drifted: tuple[int, ...] = (409, 412)

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row. RejectedRecord: the system did not look at any of them."""
        answer = http.request(
            self.method,
            self.path,
            json={self.wrap: [self._item(row) for row in rows]},
            headers={self.once: str(uuid.uuid4())} if self.once else {},
            safe=bool(self.once),
        )
        if answer.status_code == 409:
            raise RetryableError(f"{http.system}: {self.path} is still busy with this batch; run again later")
        http.refuse(answer, record=f"a batch of {len(rows)}")
        results = value_at(answer.content, self.results, list[Any]) or []
        if len(results) != len(rows):
            raise RetryableError(
                f"{http.system}: {self.path} gave {len(results)} results for {len(rows)} records; the hub looks at them"
            )
        return [self._answer(row, result, exchange(answer)) for row, result in zip(rows, results, strict=True)]

    def _item(self, row: Row) -> dict[str, Any]:
        version = {self.version: _dig(row.raw, self.version)} if self.version else {}
        return {"id": row.id, **version, **({self.body: row.body} if self.body else row.body)}

    def _answer(self, row: Row, result: Any, seen: Exchange) -> Answer:
        status = int(_dig(result, self.status) or 0)
        outcome = self._outcome(status)
        if outcome is Outcome.WRITTEN:
            return Answer(row.n, outcome, row.id, exchange=seen)
        code, message = str(_dig(result, self.code) or status), str(_dig(result, self.message) or "")
        return Answer(row.n, outcome, row.id, code, message[:500], seen)

    def _outcome(self, status: int) -> Outcome:
        if 200 <= status < 300:
            return Outcome.WRITTEN
        if status in self.drifted:
            return Outcome.DRIFTED
        return Outcome.DEFERRED if status == 429 or status >= 500 or not status else Outcome.REFUSED


def words(body: bytes) -> str:
    """The part of an error body a person wants to read."""
    try:
        found = json.loads(body)
    except ValueError:
        return body[:200].decode("utf-8", "replace")
    for name in ("detail", "message", "description", "title", "error"):
        if isinstance(found, dict) and isinstance(found.get(name), str):
            return str(found[name])[:500]
    return json.dumps(found)[:500]


def _dig(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document

"""Plain REST, written: one record a call or many, as values that can be called.

    Send1("PATCH", "/accounts/{id}", etag="etag")     changes one record a call
    SendBatch("POST", "/accounts/batch")              changes many with one call, with a result for each
    Upsert1("PUT", "/accounts/external/{key}")        makes a record, or finds it made: safe to repeat
    UpsertBatch("POST", "/accounts/upsert")           the same for many
    Link1("/contacts/{id}/companies/{other}")         joins two records
    Sends(links=(Link1(…),), rest=Send1(…))           several ways, each for its own fields
    Delete1("/accounts/{id}")                         takes one record away
    Erase1("/contacts/{id}/erase", "POST")            forgets a person for good

How a system says what became of each row is data (`Results`), not code. Nothing is sent twice unless that does no harm.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import requests

from omnihub.errors import BrokenAnswer, RejectedRecord, RetryableError
from omnihub.model import Outcome
from omnihub.sdk.connector import REQUESTED, Answer, Row, Send
from omnihub.sdk.fieldmap import put
from omnihub.sdk.http import Http, exchange
from omnihub.sdk.page import Exchange, dig, names_on, value_at

GONE = (404, 410)
LONGEST = 500  # characters of a system's words that a receipt keeps


@dataclass(frozen=True)
class Send1:
    """Changes one record a call. `path` is a template over `{id}`, `{key}`, `{parent}`. No body in the answer is fine.

    wrap: the object the payload goes into.
    whole: for targets that replace the whole record: what is sent is the present record with the changes laid over it,
    less the `read_only` paths.
    What keeps us from writing over somebody else's edit, where the system has it:
    etag: dotted path of the version in the record as just read, sent as If-Match. tagged: the version is in the ETag
    header instead; the record (at `item`) is read once more for it, and must be what was looked at. version: dotted
    path of a version that is sent in the body. An answer with a status in `drifted` means somebody was faster.
    errors: dotted path of the errors in an answer that says 200 all the same; code, message: where an error says why.
    repeatable: False where the same call sent twice does harm.
    """

    method: str
    path: str
    wrap: str = ""
    etag: str = ""
    drifted: tuple[int, ...] = (409, 412)
    whole: bool = False
    read_only: tuple[str, ...] = ()
    tagged: bool = False
    item: str = ""
    version: str = ""
    errors: str = ""
    code: str = ""
    message: str = ""
    repeatable: bool = True

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row."""
        for row in rows:
            yield self._one(http, row)

    def _one(self, http: Http, row: Row) -> Answer:
        path = filled(self.path, row)
        tag: str | Answer = self._tag(http, row, path)
        if isinstance(tag, Answer):
            return tag
        answer = http.request(
            self.method,
            path,
            json=wrapped(self.wrap, self._body(row)),
            headers={"If-Match": tag} if tag else {},
            # the same values again do no harm, but after a lost answer our own version is no longer the present one
            safe=self.repeatable and not (tag or self.version),
        )
        return answered(http, row, answer, self)

    def _body(self, row: Row) -> dict[str, Any]:
        body = laid_over(row.raw, row.body) if self.whole else dict(row.body)
        for path in self.read_only if self.whole else ():
            taken_out(body, path)
        if self.version:
            put(body, self.version, dig(row.raw, self.version))
        return body

    def _tag(self, http: Http, row: Row, path: str) -> str | Answer:
        """The version to write over, or the answer where there is nothing to be written over."""
        if self.tagged:
            seen = http.get(path)
            if seen.status_code in GONE:
                return _drifted(row, seen, "no longer there")
            http.refuse(seen, record=str(row.id))
            if dig(seen.json(), self.item) != row.raw:
                return _drifted(row, seen, "changed there in the meantime")
            return seen.headers.get("ETag") or _blind(row, "the ETag header", exchange(seen))
        if not self.etag:
            return _blind(row, self.version) if self.version and dig(row.raw, self.version) is None else ""
        found = dig(row.raw, self.etag)
        return _blind(row, self.etag) if found is None else str(found)


@dataclass(frozen=True, kw_only=True)
class Results:
    """How an answer says what became of each row.

    results: dotted path of the results: a list in the order of the rows, or an object with the ids as its names.
    by: dotted path of a record's id (of the key, on create) in a result, where the order means nothing. at: dotted path
    of the row's place in the batch, counted from 0. failed_only: a row that is not mentioned was written.
    status: dotted path of an HTTP status in a result. ok: dotted path of a yes or no, where there is no status.
    code, message: why not. id: dotted path of the record's id, for records just made.
    drifted: the statuses, drifted_codes: the codes that mean somebody was faster. later: codes that mean try again.
    """

    results: str = "items"
    by: str = ""
    at: str = ""
    failed_only: bool = False
    status: str = "status"
    ok: str = ""
    code: str = "code"
    message: str = "message"
    id: str = "id"
    drifted: tuple[int, ...] = (409, 412)
    drifted_codes: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    def answers(self, where: str, rows: Sequence[Row], body: bytes, seen: Exchange) -> list[Answer]:
        """One answer per row the results speak of; the hub looks at the others."""
        found = value_at(body, self.results)
        told = self._told(where, rows, found)
        answers = [self._answer(row, told[row.n], seen) for row in rows if row.n in told]
        if self.failed_only and isinstance(found, list | dict):
            answers += [Answer(row.n, Outcome.WRITTEN, row.id, exchange=seen) for row in rows if row.n not in told]
        return answers

    def _told(self, where: str, rows: Sequence[Row], found: Any) -> dict[int, Any]:
        """Row number → its result."""
        if isinstance(found, dict):
            return {row.n: found[_name(row)] for row in rows if _name(row) in found}
        listed = found if isinstance(found, list) else []
        if self.by:
            by = {str(dig(result, self.by)): result for result in listed}
            return {row.n: by[_name(row)] for row in rows if _name(row) in by}
        if self.at:
            places = {str(dig(result, self.at)): result for result in listed}
            return {row.n: places[str(n)] for n, row in enumerate(rows) if str(n) in places}
        if len(listed) != len(rows):
            raise RetryableError(f"{where} gave {len(listed)} results for {len(rows)} records; the hub looks at them")
        return {row.n: result for row, result in zip(rows, listed, strict=True)}

    def _answer(self, row: Row, result: Any, seen: Exchange) -> Answer:
        code, message = str(dig(result, self.code) or ""), str(dig(result, self.message) or "")[:LONGEST]
        status = _number(dig(result, self.status))
        outcome = self._outcome(result, status, code)
        made = dig(result, self.id) if row.id is None else row.id
        id_ = None if made is None else str(made)
        if outcome is Outcome.WRITTEN:
            return Answer(row.n, outcome, id_, exchange=seen)
        return Answer(row.n, outcome, row.id, code or str(status), message, seen)

    def _outcome(self, result: Any, status: int, code: str) -> Outcome:
        if code in self.drifted_codes:
            return Outcome.DRIFTED
        if code in self.later:
            return Outcome.DEFERRED
        if self.ok:
            return Outcome.WRITTEN if yes(dig(result, self.ok)) else Outcome.REFUSED
        if 200 <= status < 300:
            return Outcome.WRITTEN
        if status in self.drifted:
            return Outcome.DRIFTED
        if self.failed_only and not status:
            return Outcome.REFUSED
        return Outcome.DEFERRED if status == 429 or status >= 500 or not status else Outcome.REFUSED


@dataclass(frozen=True)
class SendBatch(Results):
    """Changes many records a call, and reads one result per record out of the answer (see `Results`).

    What is sent is `{wrap: [{id, version, body: {…}}, …]}`, a bare list where `wrap` is "".
    item_id: the name of the id in an item. body: the object in an item the payload goes into, "" for beside the id.
    version: the name of the version, in the record as just read and in the item sent. once: the header of an
    idempotency key, which is what makes it safe to send a batch again when it is not known whether it arrived.
    """

    method: str
    path: str
    wrap: str = "items"
    body: str = ""
    version: str = ""
    once: str = ""
    item_id: str = "id"

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row. RejectedRecord: the system did not look at any of them."""
        answer = self._send(http, rows, repeatable=False)
        return self.answers(f"{http.system}: {self.path}", rows, answer.content, exchange(answer))

    def _send(self, http: Http, rows: Sequence[Row], *, repeatable: bool) -> requests.Response:
        answer = http.request(
            self.method,
            self.path,
            json=wrapped(self.wrap, [self._item(row) for row in rows]),
            headers={self.once: str(uuid.uuid4())} if self.once else {},
            safe=repeatable or bool(self.once),
        )
        if answer.status_code == 409:
            raise RetryableError(f"{http.system}: {self.path} is still busy with this batch; run again later")
        return http.refuse(answer, record=f"a batch of {len(rows)}")

    def _item(self, row: Row) -> dict[str, Any]:
        version = {self.version: dig(row.raw, self.version)} if self.version else {}
        return {self.item_id: row.id, **version, **({self.body: row.body} if self.body else row.body)}


@dataclass(frozen=True)
class Upsert1:
    """Makes one record a call, or changes the one that has the external id `Row.key` already: sent twice, it makes one.

    path: a template over `{key}`. external: dotted path the key is written to in the payload, where the path does not
    say it all. id: dotted path of the record's id in the answer. wrap, errors, code, message: as in `Send1`.
    """

    method: str
    path: str
    external: str = ""
    wrap: str = ""
    id: str = "id"
    drifted: tuple[int, ...] = (409, 412)
    errors: str = ""
    code: str = ""
    message: str = ""

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row; a record made brings its id."""
        for row in rows:
            body = keyed(row, self.external)
            answer = http.request(self.method, filled(self.path, row), json=wrapped(self.wrap, body), safe=True)
            yield answered(http, row, answer, self, made=self.id)


@dataclass(frozen=True)
class UpsertBatch(SendBatch):
    """Makes or changes many records a call by the external id `Row.key`, which each item carries at `external`.

    As the key keeps a record from being made twice, a batch of which it is not known whether it arrived is sent again.
    """

    external: str = "external_id"

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row; a record made brings its id."""
        answer = self._send(http, rows, repeatable=True)
        return self.answers(f"{http.system}: {self.path}", rows, answer.content, exchange(answer))

    def _item(self, row: Row) -> dict[str, Any]:
        body = {self.body: dict(row.body)} if self.body else dict(row.body)
        put(body, self.external, row.key)
        return body


@dataclass(frozen=True)
class Link1:
    """Joins a record with another by a call of its own: association, membership.

    link: the canonical field that holds the link. path: a template over `{id}` and `{other}`, the other record's id.
    native: dotted path of the link in the payload, where `Sends` must leave it out of what the others send.
    remove: the method that takes the link to the record before away, "" where joining replaces it.
    """

    path: str
    link: str
    method: str = "PUT"
    native: str = ""
    remove: str = ""
    drifted: tuple[int, ...] = (409, 412)
    errors: str = ""
    code: str = ""
    message: str = ""

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row. The new link is made before the old one goes, so that no record is ever without."""
        for row in rows:
            yield self._one(http, row)

    def _one(self, http: Http, row: Row) -> Answer:
        new, old = _id_of(row.fields.get(self.link)), _id_of(row.before.get(self.link))
        done = Answer(row.n, Outcome.WRITTEN, row.id)
        if new:
            answer = http.request(self.method, filled(self.path, row, other=new), safe=True)
            done = answered(http, row, answer, self)
        if old and old != new and self.remove and done.outcome is Outcome.WRITTEN:
            answer = http.request(self.remove, filled(self.path, row, other=old), safe=True)
            return done if answer.status_code in GONE else answered(http, row, answer, self)
        if not new and not self.remove:
            return Answer(row.n, Outcome.REFUSED, row.id, "no_unlink", "this link can be replaced, not taken away")
        return done


@dataclass(frozen=True)
class Sends:
    """Several ways to write a record: its links each by a call of their own, the `rest` of its fields together.

    A row is written where every part of it was; the first part that was not is its answer.
    """

    links: tuple[Link1, ...]
    rest: Send

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row the rest has an answer for."""
        plain = [self._without_links(row) for row in rows]
        answers = {a.n: a for a in self.rest(http, [row for row in plain if row.body])}
        for row, less in zip(rows, plain, strict=True):
            first = answers.get(row.n) if less.body else Answer(row.n, Outcome.WRITTEN, row.id)
            if first:
                yield self._linked(http, row, first)

    def _linked(self, http: Http, row: Row, answer: Answer) -> Answer:
        for link in self.links:
            if answer.outcome is Outcome.WRITTEN and link.link in row.fields:
                [answer] = link(http, [row])
        return answer

    def _without_links(self, row: Row) -> Row:
        body = copy.deepcopy(row.body)
        for link in self.links:
            taken_out(body, link.native or link.link)
        return replace(row, body=body)


@dataclass(frozen=True)
class Delete1:
    """Takes one record a call away; one that is gone already is as good. etag: as in `Send1`."""

    path: str
    method: str = "DELETE"
    etag: str = ""
    drifted: tuple[int, ...] = (409, 412)
    errors: str = ""
    code: str = ""
    message: str = ""

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row."""
        for row in rows:
            found = dig(row.raw, self.etag) if self.etag else ""
            if found is None:
                yield _blind(row, self.etag)
                continue
            headers = {"If-Match": str(found)} if found else {}
            answer = http.request(self.method, filled(self.path, row), headers=headers, safe=True)
            gone = answer.status_code in GONE
            yield (
                Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(answer))
                if gone
                else answered(http, row, answer, self)
            )


@dataclass(frozen=True)
class Erase1:
    """Forgets one person a call, for good; one who is gone already is as good, so that asking again does no harm.

    path: a template over `{id}`. requested: the statuses that mean that the system took the request and does it later
    by itself. errors, code, message: as in `Send1`.
    """

    path: str
    method: str = "DELETE"
    requested: tuple[int, ...] = (202,)
    errors: str = ""
    code: str = ""
    message: str = ""
    drifted: tuple[int, ...] = ()  # a person is forgotten in whatever version their record is

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterator[Answer]:
        """One answer per row."""
        return each_erased(rows, lambda row: self._one(http, row))

    def _one(self, http: Http, row: Row) -> Answer:
        answer = http.request(self.method, filled(self.path, row), safe=True)
        if answer.status_code in GONE:
            return Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(answer))
        if answer.status_code in self.requested:
            said = "the system took the request, and erases later by itself"
            return Answer(row.n, Outcome.DEFERRED, row.id, REQUESTED, said, exchange(answer))
        return answered(http, row, answer, self)


LATER = "LATER"


def each_erased(rows: Sequence[Row], one: Callable[[Row], Answer]) -> Iterator[Answer]:
    """One answer per row, whatever happens. After a call without an answer the rows that are left wait for the next
    time: a system that is down, or has had enough calls, is not asked for each of them."""
    trouble = ""
    for row in rows:
        if trouble:
            yield Answer(row.n, Outcome.DEFERRED, row.id, LATER, trouble)
            continue
        try:
            answer = one(row)
        except RejectedRecord as no:
            answer = Answer(row.n, Outcome.REFUSED, row.id, no.code or str(no.status), words(no.body))
        except (RetryableError, BrokenAnswer) as error:
            trouble = str(error)
            answer = Answer(row.n, Outcome.DEFERRED, row.id, LATER, trouble)
        yield answer


# -- what is sent ----------------------------------------------------------------------------------------------------


def filled(path: str, row: Row, **more: str) -> str:
    """The path for a row. An id may hold anything: a slash in it must not become one of the path."""
    names = {"id": row.id or "", "key": row.key, "parent": row.parent or "", **more}
    return path.format_map({name: quote(value, safe="") for name, value in names.items()})


def wrapped(name: str, payload: Any) -> Any:
    """`{name: payload}`, or the bare payload where there is no name."""
    return {name: payload} if name else payload


def keyed(row: Row, external: str) -> dict[str, Any]:
    """The payload of a row with its external id."""
    body = copy.deepcopy(row.body)
    if external:
        put(body, external, row.key)
    return body


def laid_over(present: Any, changes: Any) -> Any:
    """The present value with the changes in it; whatever they do not mention stays. Lists go place by place.

    >>> laid_over({"a": 1, "b": [{"c": 2, "d": 3}, 4]}, {"b": [{"c": 5}], "e": 6})
    {'a': 1, 'b': [{'c': 5, 'd': 3}, 4], 'e': 6}
    """
    if isinstance(changes, Mapping):
        under = present if isinstance(present, Mapping) else {}
        if not changes:  # what a path to a later place leaves in the places before it
            return copy.deepcopy(present)
        return {**copy.deepcopy(dict(under)), **{name: laid_over(under.get(name), v) for name, v in changes.items()}}
    if isinstance(changes, list) and isinstance(present, list):
        merged = [laid_over(old, new) for old, new in zip(present, changes, strict=False)]
        return merged + copy.deepcopy(present[len(merged) :]) + changes[len(present) :]
    return changes


def taken_out(document: Any, path: str) -> None:
    """Take the value at a dotted path out of a document, where it is in there; an object left empty goes with it."""
    head, *rest = names_on(path)
    if not isinstance(document, dict) or head not in document:
        return
    if rest:
        taken_out(document[head], ".".join(name.replace(".", "\\.") for name in rest))
    if not rest or document[head] == {}:
        del document[head]


# -- what is answered ------------------------------------------------------------------------------------------------


def answered(
    http: Http, row: Row, answer: requests.Response, way: Send1 | Upsert1 | Link1 | Delete1 | Erase1, made: str = ""
) -> Answer:
    """What an answer to a single row means. `made`: dotted path of the id, for records just made."""
    seen = exchange(answer)
    if answer.status_code in way.drifted:
        return _drifted(row, answer, "changed there in the meantime")
    if answer.status_code in GONE and row.id is not None:
        return _drifted(row, answer, "no longer there")
    try:
        http.refuse(answer, record=str(row.id or row.key))
    except RejectedRecord as no:
        code = _said(no.body, way.code) or str(no.status)
        return Answer(row.n, Outcome.REFUSED, row.id, code, _said(no.body, way.message) or words(no.body), seen)
    if way.errors and (errors := _parsed(answer.content, way.errors)):
        first = errors[0] if isinstance(errors, list) else errors
        code, message = str(dig(first, way.code or "code") or "error"), str(dig(first, way.message or "message") or "")
        return Answer(row.n, Outcome.REFUSED, row.id, code, message[:LONGEST], seen)
    id_ = row.id or (_said(answer.content, made) if made else None) or None
    return Answer(row.n, Outcome.WRITTEN, id_, exchange=seen)


def words(body: bytes) -> str:
    """The part of an error body a person wants to read."""
    try:
        found = json.loads(body)
    except ValueError:
        return body[:200].decode("utf-8", "replace")
    for name in ("detail", "message", "description", "title", "error"):
        if isinstance(found, dict) and isinstance(found.get(name), str):
            return str(found[name])[:LONGEST]
    return json.dumps(found)[:LONGEST]


def yes(value: Any) -> bool:
    """Whether a system says yes: true, "true", "success", "ok" …"""
    return value is True or str(value).lower() in ("true", "yes", "ok", "success", "succeeded", "1")


def _parsed(body: bytes, path: str) -> Any:
    try:
        return dig(json.loads(body), path)
    except ValueError:
        return None


def _said(body: bytes, path: str) -> str:
    found = _parsed(body, path) if path else None
    return "" if found is None else str(found)[:LONGEST]


def _drifted(row: Row, answer: requests.Response, message: str) -> Answer:
    return Answer(row.n, Outcome.DRIFTED, row.id, str(answer.status_code), message, exchange(answer))


def _blind(row: Row, where: str, seen: Exchange | None = None) -> Answer:
    """Nothing is written over a version nobody knows."""
    return Answer(row.n, Outcome.REFUSED, row.id, "no_version", f"the record shows no version at {where}", seen)


def _name(row: Row) -> str:
    return row.id if row.id is not None else row.key


def _id_of(ref: str | None) -> str:
    return ref.split("/", 2)[2] if ref else ""


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0

"""GraphQL, declared: lists as connections, records by their ids, and mutations, as values that can be called.

    GraphPages("/graphql", CUSTOMERS, items="data.customers", since={"query": "updated_at:>='{since}'"})
    GraphByIds("/graphql", BY_IDS, items="data.nodes")
    GraphSend("/graphql", UPDATE, result="data.customerUpdate", variables={"input": {"id": "{id}", "*": "{body}"}})

A GraphQL server says 200 and means no. Its errors are raised in our own words: by their code (`ERRORS`), never by their
sentences, which may hold somebody's data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import requests

from omnihub.errors import BrokenAnswer, ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Outcome
from omnihub.sdk.connector import Answer, Row
from omnihub.sdk.cursors import earlier
from omnihub.sdk.http import Http, exchange
from omnihub.sdk.page import Page, Record, Want, dig, records, value_at
from omnihub.sdk.paging import Place
from omnihub.sdk.reading import Pass
from omnihub.sdk.writing import LONGEST

MAX_TRIES = 6
FIRST_WAIT_S, MOST_WAIT_S = 1.0, 30.0

ERRORS: Mapping[str, type[Exception]] = {
    "THROTTLED": RateLimited,
    "RATE_LIMITED": RateLimited,
    "RATELIMITED": RateLimited,
    "TOO_MANY_REQUESTS": RateLimited,
    "UNAUTHENTICATED": ConfigError,
    "UNAUTHORIZED": ConfigError,
    "FORBIDDEN": ConfigError,
    "ACCESS_DENIED": ConfigError,
    "GRAPHQL_PARSE_FAILED": ConfigError,
    "GRAPHQL_VALIDATION_FAILED": ConfigError,
    "INTERNAL_SERVER_ERROR": RetryableError,
    "INTERNAL_ERROR": RetryableError,
    "SERVICE_UNAVAILABLE": RetryableError,
    "TIMEOUT": RetryableError,
}
"""An error's code → what to do next. Any other code: what was asked is refused, and will be again."""


@dataclass(frozen=True)
class GraphPages:
    """A list: the connection at `items`, with `nodes` or `edges` and a `pageInfo`; or a plain list, which is one page.

    query: the document; it takes the variables `first` (page size) and `after` (the token of the page before), or
    whatever the attributes of these names say. variables: sent with each call. since: variables added when there is a
    cursor, `{since}` standing for it. overlap, ordered, key, updated, deleted, merged_into: as in `Pages`.
    """

    path: str
    query: str
    items: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    since: Mapping[str, str] = field(default_factory=dict)
    first: str = "first"
    after: str = "after"
    size: int = 100
    key: str = "id"
    updated: str | None = None
    deleted: str | None = None
    merged_into: str | None = None
    overlap: timedelta = timedelta(0)
    ordered: bool = False

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """Read the list from the cursor, or whole."""
        since = None if want.complete or not self.since else want.since
        reading = Pass(f"{http.system}: {self.items}", want, since, self.ordered)
        variables = {**self.variables, **({self.first: self.size} if self.first else {}), **self._from(since)}
        while True:
            reading.enters(Place(self.path, {name: str(value) for name, value in variables.items()}))
            answer = ask(http, self.path, self.query, variables)
            found, token = self._cut(answer)
            yield reading.page(answer, found, last=token is None)
            if token is None:
                return
            variables = {**variables, self.after: token}

    def _from(self, since: str | None) -> dict[str, str]:
        if not since:
            return {}
        return {name: template.format(since=earlier(since, self.overlap)) for name, template in self.since.items()}

    def _cut(self, answer: requests.Response) -> tuple[list[Record], str | None]:
        """The records of a page, and the token of the next."""
        marks = {"updated": self.updated, "deleted": self.deleted, "merged_into": self.merged_into}
        connection = value_at(answer.content, self.items, msgspec.Raw)
        if bytes(connection or b"").lstrip()[:1] == b"[":
            return records(answer.content, self.items, key=self.key, **marks), None
        found, info = _connection(answer, self.items, key=self.key, **marks)
        if not info.get("hasNextPage"):
            return found, None
        if not info.get("endCursor"):
            raise BrokenAnswer(f"{self.items} says that a page follows, and not where: ask for pageInfo.endCursor")
        return found, str(info["endCursor"])


@dataclass(frozen=True)
class GraphByIds:
    """Records by their ids, `size` of them a query. What the answer has null for is gone.

    query: the document; it takes the ids as a list in the variable `ids`. items: dotted path of the list of records.
    """

    path: str
    query: str
    items: str = "data.nodes"
    ids: str = "ids"
    size: int = 100
    key: str = "id"
    updated: str | None = None
    deleted: str | None = None

    def __call__(self, http: Http, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records; what is missing from the pages is gone."""
        for start in range(0, len(ids), self.size):
            answer = ask(http, self.path, self.query, {self.ids: list(ids[start : start + self.size])})
            found = _there(answer, self.items, key=self.key, updated=self.updated, deleted=self.deleted)
            yield Page(exchange(answer), [r for r in found if not r.deleted])


Variables = Mapping[str, Any] | Callable[[Row], Mapping[str, Any]]


@dataclass(frozen=True)
class GraphSend:
    """Writes one record a call by a mutation, and reads its errors out of the answer.

    variables: a template over the row: "{id}", "{key}" and "{parent}" are its texts, "{body}" its whole payload; the
    name "*" lays the object it stands for into the one around it. Or a function of the row.
    result: dotted path of the mutation's answer; in it errors (a list; empty is success), each with `field`, `message`
    and, where there is one, `code`; id: dotted path of the record's id, for records just made.
    drifted: codes that mean somebody was faster. repeatable: False where the same mutation sent twice does harm.
    """

    path: str
    mutation: str
    result: str
    variables: Variables = field(default_factory=lambda: {"id": "{id}", "input": "{body}"})
    errors: str = "userErrors"
    field: str = "field"
    message: str = "message"
    code: str = "code"
    id: str = ""
    drifted: tuple[str, ...] = ()
    repeatable: bool = True

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row."""
        for row in rows:
            yield self._one(http, row)

    def _one(self, http: Http, row: Row) -> Answer:
        variables = self.variables(row) if callable(self.variables) else templated(self.variables, row)
        try:
            answer = ask(http, self.path, self.mutation, variables, repeatable=self.repeatable)
        except RejectedRecord as no:
            return Answer(row.n, Outcome.REFUSED, row.id, no.code or str(no.status), _sentence(no.body))
        seen, told = exchange(answer), dig(answer.json(), self.result)
        if told is None:
            raise RetryableError(f"{http.system}: the mutation answered nothing at {self.result!r}; the hub looks")
        errors = dig(told, self.errors) or []
        if not errors:
            made = dig(told, self.id) if self.id else None
            return Answer(row.n, Outcome.WRITTEN, row.id or (str(made) if made is not None else None), exchange=seen)
        code = str(dig(errors[0], self.code) or _place(dig(errors[0], self.field)))
        message = "; ".join(str(dig(error, self.message) or "") for error in errors)[:LONGEST]
        outcome = Outcome.DRIFTED if code in self.drifted else Outcome.REFUSED
        return Answer(row.n, outcome, row.id, code, message, seen)


def ask(
    http: Http, path: str, document: str, variables: Mapping[str, Any], *, repeatable: bool = True
) -> requests.Response:
    """One GraphQL call. Throttled ones are made again, as told; other errors are raised."""
    pause_s = FIRST_WAIT_S
    for tried in range(1, MAX_TRIES + 1):
        answer = http.request("POST", path, json={"query": document, "variables": dict(variables)}, safe=repeatable)
        try:
            return refused(http, answer)
        except RateLimited as limited:
            if tried == MAX_TRIES or answer.status_code != 200 or http.limited:  # `Http` has had its patience then
                raise
            pause_s = limited.wait_s or pause_s
        http.wait(pause_s)
        pause_s = min(MOST_WAIT_S, pause_s * 2)
    raise AssertionError("unreachable")


def refused(http: Http, answer: requests.Response) -> requests.Response:
    """Raise what an answer's errors mean; hand back an answer that has none."""
    http.refuse(answer)
    errors = value_at(answer.content, "errors")
    if not errors:
        return answer
    codes = [_code(error) for error in (errors if isinstance(errors, list) else [errors])]
    code = next((c for c in codes if c in ERRORS), codes[0])
    kind = ERRORS.get(code, RejectedRecord)
    what = f"{http.system}: GraphQL answered {code or 'an error without a code'}"
    if kind is RateLimited:
        raise RateLimited(f"{what}; it goes on by itself on the next run", _wait_s(answer))
    if kind is ConfigError:
        raise ConfigError(f"{what}; check the token of this system, its rights, and the query")
    if kind is RetryableError:
        raise RetryableError(f"{what}; run again later")
    raise RejectedRecord(what, status=answer.status_code, code=code, body=answer.content)


def throttled(answer: requests.Response) -> bool:
    """Whether a 200 means "too many calls": for `Connector.limited`, so that all who share the budget wait."""
    if answer.status_code != 200 or b'"errors"' not in answer.content:
        return False
    errors = dig(answer.json(), "errors")
    return any(ERRORS.get(_code(error)) is RateLimited for error in errors or ())


def templated(template: Any, row: Row) -> Any:
    """A template of variables, filled in from a row (see `GraphSend`)."""
    if isinstance(template, Mapping):
        filled: dict[str, Any] = {}
        for name, value in template.items():
            made = templated(value, row)
            filled |= made if name == "*" else {name: made}
        return filled
    if isinstance(template, list | tuple):
        return [templated(value, row) for value in template]
    if template == "{body}":
        return row.body
    if isinstance(template, str):
        return template.replace("{id}", row.id or "").replace("{key}", row.key).replace("{parent}", row.parent or "")
    return template


def _connection(answer: requests.Response, items: str, **marks: Any) -> tuple[list[Record], dict[str, Any]]:
    info = value_at(answer.content, f"{items}.pageInfo", dict[str, Any]) or {}
    if value_at(answer.content, f"{items}.nodes", msgspec.Raw) is not None:
        return _there(answer, f"{items}.nodes", **marks), info
    return _there(answer, f"{items}.edges", inside="node", **marks), info


def _there(answer: requests.Response, items: str, inside: str = "", **marks: Any) -> list[Record]:
    """The records of a list that may have null in it."""
    raws = value_at(answer.content, items, list[msgspec.Raw])
    if raws is None:
        raise BrokenAnswer(f"the answer has no list at {items!r}")
    prefix = "/" + items.replace(".", "/")
    placed = [(n, bytes(value_at(bytes(r), inside, msgspec.Raw) or b"null") if inside else bytes(r)) for n, r in
              enumerate(raws)]  # fmt: skip
    there = [(n, raw) for n, raw in placed if raw not in (b"null", b"{}")]
    found = records(b"[" + b",".join(raw for _, raw in there) + b"]", **marks)
    end = f"/{inside}" if inside else ""
    return [
        msgspec.structs.replace(record, pointer=f"{prefix}/{n}{end}")
        for record, (n, _) in zip(found, there, strict=True)
    ]


def _code(error: Any) -> str:
    return str(dig(error, "extensions.code") or dig(error, "extensions.type") or dig(error, "code") or "").upper()


def _wait_s(answer: requests.Response) -> float | None:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.replace(".", "", 1).isdigit() else None


def _sentence(body: bytes) -> str:
    """What the system says to a person, for the receipt."""
    errors = value_at(body, "errors") or [{}]
    return str(dig(errors[0] if isinstance(errors, list) else errors, "message") or "")[:LONGEST]


def _place(path: Any) -> str:
    return "USER_ERROR:" + ".".join(str(part) for part in path) if isinstance(path, list) else str(path or "USER_ERROR")

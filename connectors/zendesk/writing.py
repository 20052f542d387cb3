"""Writing to Zendesk: a record a call, or a hundred with a background job whose rows succeed or fail one by one.

    update   PUT  /users/{id}                       a few rows
    many     PUT  /users/update_many          job   from MANY rows on
    create   POST /users/create_or_update_many job  where the account may import; else POST /users/create_or_update
             POST /organizations/create_or_update   there is no job for organizations

A job that is "completed" says nothing about its rows: each has a result of its own, and may lack one.
Users are made without a mail to them, and found by their e-mail address too, not only by the external id: who is there
already is changed and not made a second time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from omnihub.errors import RejectedRecord
from omnihub.sdk import Answer, ByIdBatch, Erase, Exchange, Http, Many, Outcome, Poll, Push, Row, dig, exchange, words

MAX_BATCH = 100  # records in a job, and in a look
MANY = 20  # rows from which on a job pays: it takes three calls or more, and waits in a queue
JOBS = 4  # under way at once; the account may have 30, and people's own imports are among them
TRIES = 3
ONE = {"organizations": "organization", "users": "user", "tickets": "ticket"}
COLLISION = "DatabaseConflict"  # somebody wrote the same record at that moment: it goes next time
ENDS = {COLLISION: Outcome.DEFERRED, "RecordNotFound": Outcome.DRIFTED, "UpdateConflict": Outcome.DRIFTED}
JOB = Poll(
    "/api/v2/job_statuses/{job}.json",
    status="job_status.status",
    done=("completed",),
    failed=("failed", "killed"),
    error="",
    first_s=0.1,
    most_s=5.0,
    patience_s=600.0,
)


def writing(
    stream: str,
    *fields: str,
    deleted: str,
    given: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    erase: Erase | None = None,
    erase_by_hand: str = "",
    **longest: int,
) -> Push:
    """How a stream is written. There is no locking: the hub's own look just before is all there is."""
    path = f"/api/v2/{stream}/show_many.json"
    return Push(
        fields,
        update=One(stream),
        create=CreateUsers() if stream == "users" else CreateOne(stream),
        look=ByIdBatch(path, stream, size=MAX_BATCH, updated="updated_at", deleted=deleted),
        find=ByIdBatch(path, stream, "external_ids", size=MAX_BATCH, updated="updated_at", deleted=deleted),
        many=Many(above=MANY, batch=MAX_BATCH, send=Job(stream), parallel=JOBS),
        max_length=longest,
        erase=erase,
        erase_by_hand=erase_by_hand,
        given=given,
        required=required,
        known_by="external_id",
    )


# -- one record a call -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class One:
    """Changes one record a call."""

    stream: str

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterator[Answer]:
        """One answer per row."""
        for row in rows:
            body = {ONE[self.stream]: changes(row)}
            yield answer_to(http, row, sent(http, "PUT", f"/api/v2/{self.stream}/{row.id}.json", body))


@dataclass(frozen=True)
class CreateOne:
    """Makes one record a call, or changes the one that has the external id `Row.key` already."""

    stream: str

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterator[Answer]:
        """One answer per row; a record made brings its id."""
        one = ONE[self.stream]
        for row in rows:
            answer = sent(http, "POST", f"/api/v2/{self.stream}/create_or_update.json", {one: new(self.stream, row)})
            yield answer_to(http, row, answer, made=f"{one}.id")


def changes(row: Row) -> dict[str, Any]:
    """What is sent to change a record. The list of domains is written whole: the first is ours, the others stay."""
    changed = dict(row.body)
    if "domain_names" in changed:
        first = [name for name in changed["domain_names"] if name is not None]
        present = (row.raw or {}).get("domain_names") or []
        changed["domain_names"] = first + [name for name in present if name not in first][1:]
    return changed


def new(stream: str, row: Row) -> dict[str, Any]:
    """What is sent to make a record. An organization the hub knows no more of than a domain is called by it."""
    body = {**row.body, "external_id": row.key}
    if "domain_names" in body:
        body["domain_names"] = [name for name in body["domain_names"] if name is not None]
    if stream == "organizations" and not body.get("name") and body.get("domain_names"):
        body["name"] = body["domain_names"][0]
    return {**body, "skip_verify_email": True} if stream == "users" else body


def sent(http: Http, method: str, path: str, body: Any, **headers: str) -> requests.Response:
    """A call that may be repeated, and is where two writes met."""
    for tried in range(1, TRIES + 1):
        answer = http.request(method, path, json=body, headers=headers, safe=True)
        if answer.status_code != 409 or _error(answer) != COLLISION or tried == TRIES:
            return answer
        http.wait(0.5 * tried)
    raise AssertionError("unreachable")


def answer_to(http: Http, row: Row, answer: requests.Response, made: str = "") -> Answer:
    """What an answer to a single row means. `made`: dotted path of the id, for records just made."""
    seen = exchange(answer)
    if (ends := ENDS.get(_error(answer))) and answer.status_code in (404, 409):
        return Answer(row.n, ends, row.id, _error(answer), words(answer.content), seen)
    try:
        http.refuse(answer, record=row.id or row.key)
    except RejectedRecord as no:
        code, message = _fault(_parsed(no.body))
        return Answer(row.n, Outcome.REFUSED, row.id, code or str(no.status), message or words(no.body), seen)
    id_ = row.id or (str(dig(_parsed(answer.content), made) or "") if made else "")
    return Answer(row.n, Outcome.WRITTEN, id_ or None, exchange=seen)


def _error(answer: requests.Response) -> str:
    found = dig(_parsed(answer.content), "error") if answer.status_code >= 400 else ""
    return found if isinstance(found, str) else ""


def _fault(body: Any) -> tuple[str, str]:
    """(code, words) of the first field at fault, which say more than "RecordInvalid" does."""
    details = dig(body, "details")
    faults = [f for listed in details.values() for f in listed] if isinstance(details, dict) else []
    told = "; ".join(str(f.get("description", "")) for f in faults)[:500]
    return (str(faults[0].get("error") or ""), told) if faults else (str(dig(body, "error") or ""), "")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # a page of HTML
        return None


# -- jobs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """Updates up to 100 records as one background job, and waits for its end."""

    stream: str

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """An answer per row the job has a result for; the hub looks at the others."""
        body = {self.stream: [{"id": int(row.id or 0), **changes(row)} for row in rows]}
        started = http.put(f"/api/v2/{self.stream}/update_many.json", json=body)
        return _ended(http, http.refuse(started, record=f"a job of {len(rows)} {self.stream}"), rows)


@dataclass(frozen=True)
class CreateUsers:
    """Makes users, or changes those that have the external id `Row.key` already, up to 100 as one background job.

    Imports must be switched on for the account by Zendesk's support; where they are not, one user a call is made.
    """

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """An answer per row the job has a result for; a user made brings its id."""
        for start in range(0, len(rows), MAX_BATCH):
            yield from self._some(http, rows[start : start + MAX_BATCH])

    def _some(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        body = {"users": [new("users", row) for row in rows]}
        started = http.request("POST", "/api/v2/users/create_or_update_many.json", json=body, safe=True)
        if started.status_code == 403:
            return CreateOne("users")(http, rows)
        return _ended(http, http.refuse(started, record=f"a job of {len(rows)} new users"), rows)


def _ended(http: Http, started: requests.Response, rows: Sequence[Row]) -> list[Answer]:
    """Wait for the job, then read its results. RetryableError where it is not known what it wrote."""
    ended = JOB(http, str(dig(_parsed(started.content), "job_status.id")))
    told = dig(_parsed(ended.content), "job_status.results")
    results = placed(told if isinstance(told, list) else [], rows)
    return [_result(row, results[n], exchange(ended)) for n, row in enumerate(rows) if n in results]


def placed(results: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> dict[int, Mapping[str, Any]]:
    """Row's place → its result: by the index in it, else the record's id or external id, else by its own place, where
    there are as many results as rows and none is known to be out of order."""
    names = {str(row.id): n for n, row in enumerate(rows) if row.id is not None}
    keys = {row.key.lower(): n for n, row in enumerate(rows) if row.id is None}
    in_order = len(results) == len(rows) and all(r.get("index", n) == n for n, r in enumerate(results))
    found: dict[int, Mapping[str, Any]] = {}
    for n, result in enumerate(results):
        place = result.get("index")
        for known in (names.get(str(result.get("id"))), keys.get(str(result.get("external_id")).lower())):
            place = known if place is None else place
        place = n if place is None and in_order else place
        if isinstance(place, int) and 0 <= place < len(rows):
            found[place] = result
    return found


def _result(row: Row, result: Mapping[str, Any], seen: Exchange) -> Answer:
    code = str(result.get("error") or "")
    told = str(result.get("details") or result.get("errors") or "")
    if code or told or result.get("success") is False:
        return Answer(row.n, ENDS.get(code, Outcome.REFUSED), row.id, code or "failed", told[:500], seen)
    made = result.get("id")
    return Answer(row.n, Outcome.WRITTEN, row.id or (None if made is None else str(made)), exchange=seen)

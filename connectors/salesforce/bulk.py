"""Bulk 2.0: very many records as one job that the org works through while we wait, instead of many calls.

    read     create a job ─▶ wait ─▶ its results, page by page ─▶ the JSON the REST API would have shown
    write    create a job ─▶ upload a CSV ─▶ close ─▶ wait ─▶ written, failed and unprocessed rows, joined by their id

The SDK has a client for this, too. It drops characters of what it reads, does not see that an answer is cut short, and
holds a whole answer three times; so the jobs are called through the SDK's general call, `Org.call`.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.salesforce.org import VERSION, Org
from omnihub.errors import BrokenAnswer, OmniHubError, RejectedRecord, RetryableError
from omnihub.sdk import Answer, Outcome, Row, exchange

RESULT_ROWS = 10_000  # records of a page of results: some 10 MB in memory at a time
MAX_FILE = 100 * 1024 * 1024  # bytes of a CSV: Salesforce takes 150 MB, of the file in base64
MAX_POLL_S = 30.0  # between two looks at a job
MAX_JOB_S = 2 * 3600.0  # a job that takes longer is given up
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
CLEARED = "#N/A"  # a cell that empties a field; a blank one leaves it alone

csv.field_size_limit(16 * 1024 * 1024)  # of a cell: Python's own limit is less than a rich text may hold


# -- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Results:
    """A page of a query's results: a JSON array of records, and whether it is the last."""

    body: bytes
    last: bool


def query(org: Org, name: str, soql: str, columns: Sequence[str]) -> Iterator[Results]:
    """The records a query finds, deleted ones included, in no order. One page at least.

    columns: what the query selects, in its order; `org.kinds` has their types.
    """
    order = {"operation": "queryAll", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA"}
    job = _create(org, "query", {**order, "lineEnding": "LF"})
    told = _wait(org, f"jobs/query/{job}")
    if told["state"] != "JobComplete":
        raise RetryableError(
            f"salesforce: the org ended the bulk query of {name} ({told['state']}, {_code(told)}); "
            "the stream keeps its cursor, and the next run asks anew"
        )
    as_json = Rows(name, org.kinds[name], columns)
    locator = ""
    while True:
        body, following = _results(org, name, job, locator)
        yield Results(as_json.array(body, org.http.last().headers.get("Sforce-NumberOfRecords")), not following)
        if not following:
            return
        if following == locator:
            raise BrokenAnswer(f"salesforce: the results of {name} point to themselves; the stream keeps its cursor")
        locator = following


def _results(org: Org, name: str, job: str, locator: str) -> tuple[bytes, str]:
    """A page of results and the locator of the next, empty after the last."""
    params: dict[str, Any] = {"maxRecords": RESULT_ROWS} | ({"locator": locator} if locator else {})
    try:
        body = org.call("GET", f"jobs/query/{job}/results", params=params, headers={"Accept": "text/csv"})
    except RejectedRecord as no:
        raise RetryableError(
            f"salesforce: the results of {name} are no longer there ({no.status}); the next run asks anew"
        ) from None
    following = org.http.last().headers.get("Sforce-Locator", "")
    return body, "" if following == "null" else following  # the word, not nothing


class Rows:
    """Rows of a CSV as the records the REST API would have shown: same fields, order, types and ways to write them."""

    def __init__(self, name: str, kinds: Mapping[str, str], columns: Sequence[str]) -> None:
        self.name, self.columns = name, list(columns)
        self.url = f"/services/data/v{VERSION}/sobjects/{name}/"
        self.at = self.columns.index("Id")
        self.read = [_READ.get(kinds.get(column, "")) for column in columns]

    def array(self, body: bytes, count: str | None) -> bytes:
        """A page of results as a JSON array. `count`: how many records the org says these are."""
        try:
            rows = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error):
            raise self._broken("is no CSV") from None
        if rows and rows[0] != self.columns:
            raise self._broken("does not have the columns that were asked for")
        if any(len(row) != len(self.columns) for row in rows) or count not in (None, str(max(0, len(rows) - 1))):
            raise self._broken("is cut short")
        return msgspec.json.encode([self._record(row) for row in rows[1:]])

    def _record(self, row: Sequence[str]) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": {"type": self.name, "url": self.url + row[self.at]}}
        for column, read, value in zip(self.columns, self.read, row, strict=True):
            record[column] = None if value == "" else value if read is None else read(value)
        return record

    def _broken(self, how: str) -> BrokenAnswer:
        return BrokenAnswer(f"salesforce: a page of results of {self.name} {how}; the stream keeps its cursor")


_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


def _number(text: str) -> Any:
    """As it stands: a float in between would change its digits."""
    return msgspec.Raw(text.encode()) if _NUMBER.fullmatch(text) else text


def _decimal(text: str) -> Any:
    """REST writes a whole amount as 1000.0."""
    return _number(f"{text}.0" if text.lstrip("-").isdigit() else text)


def _stamp(text: str) -> str:
    """REST writes the zone as +0000."""
    return f"{text[:-1]}+0000" if text.endswith("Z") else text


_READ: Mapping[str, Callable[[str], Any]] = {
    "boolean": lambda text: text == "true",
    "int": _number,
    "long": _number,
    "double": _decimal,
    "currency": _decimal,
    "percent": _decimal,
    "datetime": _stamp,
}


# -- writing ---------------------------------------------------------------------------------------------------------


def update(org: Org, name: str, rows: Sequence[Row], ends: Mapping[str, Outcome]) -> Iterator[Answer]:
    """Update records by their id. Each row a job told of is answered; a row no result names is not.

    ends: how a row ends whose error does not simply mean refused. No two rows may have the same id, and none may hold
    a text a CSV can't say (see `sayable`).
    """
    for some, file in _files(rows):
        yield from _worked_through(org, name, "update", some, file, ends)


def hard_delete(org: Org, name: str, rows: Sequence[Row], ends: Mapping[str, Outcome]) -> Iterator[Answer]:
    """Delete records for good, past the recycle bin or out of it. Answers as `update` does."""
    for some, file in _files(rows):
        yield from _worked_through(org, name, "hardDelete", some, file, ends)


def sayable(row: Row) -> bool:
    """Whether a CSV can say what this row holds: a text that happens to be the sign for nothing, it can't."""
    return CLEARED not in row.body.values()


def _worked_through(
    org: Org, name: str, operation: str, rows: Sequence[Row], file: bytes, ends: Mapping[str, Outcome]
) -> Iterator[Answer]:
    order = {"object": name, "operation": operation, "contentType": "CSV", "columnDelimiter": "COMMA"}
    job = f"jobs/ingest/{_create(org, 'ingest', {**order, 'lineEnding': 'LF'})}"
    try:
        _hand_in(org, job, file)
    except OmniHubError:
        _abort(org, job)  # an open job has done nothing yet, and now it never will
        raise
    told = _wait(org, job)
    if told["state"] == "Open":
        _abort(org, job)
        raise RetryableError(f"salesforce: a job for {name} could not be closed; nothing was written, run again later")
    waiting = {str(row.id)[:15]: row for row in rows}
    processed, failed = int(told.get("numberRecordsProcessed", 0)), int(told.get("numberRecordsFailed", 0))
    if processed > failed:
        for row, _ in _told_of(org, f"{job}/successfulResults", waiting):
            yield Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(org.http.last()))
    if failed:
        for row, result in _told_of(org, f"{job}/failedResults", waiting):
            yield _refusal(row, result.get("sf__Error", ""), ends, org)
    if processed < len(rows):
        outcome, code = _left(told)
        for row, _ in _told_of(org, f"{job}/unprocessedrecords", waiting):
            message = f"the job ended ({told['state']}) before it came to this row"
            yield Answer(row.n, outcome, row.id, code, message, exchange(org.http.last()))


def _hand_in(org: Org, job: str, file: bytes) -> None:
    """Upload and close. Both are refused when they are made a second time because the first answer was lost; what
    then counts is the state the job is in."""
    for method, path, sent in (
        ("PUT", f"{job}/batches", {"data": file, "headers": {"Content-Type": "text/csv"}}),
        ("PATCH", job, {"json": {"state": "UploadComplete"}, "safe": True}),
    ):
        try:
            org.call(method, path, **sent)
        except RejectedRecord:
            continue


def _told_of(org: Org, path: str, waiting: dict[str, Row]) -> Iterator[tuple[Row, dict[str, str]]]:
    """The rows a list of results names, in whatever order it does. Each row is named once."""
    body = org.call("GET", path, headers={"Accept": "text/csv"})
    for result in csv.DictReader(io.StringIO(body.decode("utf-8", "replace"), newline="")):
        row = waiting.pop((result.get("Id") or result.get("sf__Id") or "")[:15], None)
        if row:
            yield row, result


_SF_ERROR = re.compile(r"(?P<code>[A-Z][A-Z_]+):(?P<message>.*?)(?::[\w ,.]*--)?\s*", re.DOTALL)


def _refusal(row: Row, error: str, ends: Mapping[str, Outcome], org: Org) -> Answer:
    match = _SF_ERROR.fullmatch(error)
    code, message = (match["code"], match["message"]) if match else ("", error)
    return Answer(row.n, ends.get(code, Outcome.REFUSED), row.id, code, message, exchange(org.http.last()))


def _left(told: Mapping[str, Any]) -> tuple[Outcome, str]:
    """What became of rows the job did not come to. A file the org could not read, it will never read."""
    code = _code(told)
    return (Outcome.REFUSED if code == "InvalidBatch" else Outcome.DEFERRED), code


def _files(rows: Sequence[Row]) -> Iterator[tuple[list[Row], bytes]]:
    """The rows as CSV files, none of them too large."""
    names = sorted({name for row in rows for name in row.body})
    head = _line(["Id", *names])
    some: list[Row] = []
    lines: list[bytes] = []
    size = len(head)
    for row in rows:
        line = _line([str(row.id), *(_cell(row.body[name]) if name in row.body else "" for name in names)])
        if some and size + len(line) > MAX_FILE:
            yield some, head + b"".join(lines)
            some, lines, size = [], [], len(head)
        some.append(row)
        lines.append(line)
        size += len(line)
    if some:
        yield some, head + b"".join(lines)


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None or value == "":
        return CLEARED
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- jobs ------------------------------------------------------------------------------------------------------------


def _create(org: Org, kind: str, order: Mapping[str, str]) -> str:
    body = org.call("POST", f"jobs/{kind}", json=dict(order), safe=True)  # a job nobody knows of does nothing
    return str(_told(body)["id"])


def _wait(org: Org, job: str) -> dict[str, Any]:
    """What the org says of a job once it has ended, or was never closed. Looks less and less often."""
    wait_s, waited_s = org.poll_s, 0.0
    while waited_s < MAX_JOB_S:
        org.http.wait(wait_s)
        waited_s += wait_s
        told = _told(org.call("GET", job))
        if told["state"] in ENDED or told["state"] == "Open":
            return told
        wait_s = min(wait_s * 1.5, MAX_POLL_S)
    _abort(org, job)
    raise RetryableError(f"salesforce: a job took more than {MAX_JOB_S:.0f} s and was given up; run again later")


def _abort(org: Org, job: str) -> None:
    with contextlib.suppress(OmniHubError):  # else it ends by itself after a week
        org.call("PATCH", job, json={"state": "Aborted"}, safe=True)


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
        if {"id", "state"} <= told.keys():
            return told
    except msgspec.DecodeError:
        pass
    raise BrokenAnswer("salesforce: the answer about a job does not say which or in what state; run again later")


def _code(told: Mapping[str, Any]) -> str:
    """The first word of a job's error: the rest quotes what it was about."""
    found = re.match(r"\w+", str(told.get("errorMessage") or ""))
    return found[0] if found else "no reason given"

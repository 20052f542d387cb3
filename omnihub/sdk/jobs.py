"""Work a system does while we wait: started by one call, asked about until it ends, then its results fetched.

start ─▶ {job} ─▶ poll … poll ─▶ done   ─▶ results, in pieces
                                 failed ─▶ an error; the cursor stays, and the hub looks at what was to be written

Export(Ask("POST", "/exports"), Poll("/exports/{job}"), result="/exports/{job}/result")    reads
SendJob("POST", "/jobs", poll=Poll("/jobs/{job}"))                                         writes
"""

from __future__ import annotations

import codecs
import csv
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, Literal
from urllib.parse import quote, urljoin, urlsplit

import msgspec
import requests

from omnihub.errors import BrokenAnswer, RetryableError
from omnihub.sdk.connector import Answer, Row
from omnihub.sdk.cursors import earlier
from omnihub.sdk.fieldmap import put
from omnihub.sdk.http import Http, exchange
from omnihub.sdk.page import Page, Record, Want, dig, records, value_at
from omnihub.sdk.reading import Pass
from omnihub.sdk.writing import Results, wrapped

log = logging.getLogger("omnihub.jobs")

PIECE = 1 << 16  # bytes of a result held at a time
LONGEST_CELL = 1 << 24  # characters; Python's own bound is one that long text fields of some systems just reach
csv.field_size_limit(LONGEST_CELL)


@dataclass(frozen=True)
class Ask:
    """The call that starts a job. `json` is its body, `params` go into the address."""

    method: str
    path: str
    json: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Poll:
    """How a job is asked about. `path` is a template over `{job}`.

    status: dotted path of its state; done: the states that mean its results are there; failed: those that mean there
    will be none. Any other state means wait. error: dotted path of why it failed. total: dotted path of how many
    records the results have: fewer mean that they were cut short.
    first_s, most_s: the wait doubles from the first to the most. patience_s: after that long we stop waiting.
    """

    path: str
    status: str = "status"
    done: tuple[str, ...] = ("completed", "complete", "done", "finished", "succeeded", "success")
    failed: tuple[str, ...] = ("failed", "error", "expired", "aborted", "canceled", "cancelled", "killed")
    error: str = "error"
    total: str = ""
    first_s: float = 0.5
    most_s: float = 30.0
    patience_s: float = 3600.0

    def __call__(self, http: Http, job: str) -> requests.Response:
        """The job's last state, once it is done. RetryableError where it failed, or did not end in time."""
        waited_s, pause_s = 0.0, self.first_s
        while True:
            answer = http.get_ok(self.path.format(job=quote(job, safe="")))
            state = str(value_at(answer.content, self.status)).lower()
            if state in self.done:
                return answer
            if state in self.failed:
                raise RetryableError(f"{http.system}: job {job} {state}{self._why(answer)}; run again to start another")
            if waited_s >= self.patience_s:
                raise RetryableError(
                    f"{http.system}: job {job} is still {state} after {self.patience_s:.0f} s; the next run starts one"
                )
            log.info("%s: job %s is %s, asking again in %.1f s", http.system, job, state, pause_s)
            http.wait(pause_s)
            waited_s, pause_s = waited_s + pause_s, min(self.most_s, pause_s * 2)

    def _why(self, answer: requests.Response) -> str:
        """A code, where the system gives one; sentences may hold somebody's data."""
        why = dig(answer.json(), self.error) if self.error else None
        return f" ({why})" if isinstance(why, str | int) and len(str(why)) <= 60 and " " not in str(why) else ""


Kind = Literal["text", "int", "float", "bool", "json"]


@dataclass(frozen=True)
class Export:
    """A stream read by a job of the system: start, poll, then the result in pieces, never whole in memory.

    job: dotted path of the job's id in the answer to `start`. result: a path over `{job}`, or the dotted path, in the
    job's last state, of the address (or a list of them; none means no records). elsewhere: that address may be on
    another host; it is then called without our token.
    format: "jsonl", or "csv" with a header line, each row of which becomes a JSON object with the header's names: text,
    or what `types` says of a column; an empty cell is null. delimiter: what stands between its columns.
    since: more of the start's body (dotted names) when there is a cursor, `{since}` standing for it; without, every
    pass is complete. size: records a page. key, updated, deleted, merged_into, overlap: as in `Pages`.
    """

    start: Ask
    poll: Poll
    result: str
    job: str = "id"
    format: Literal["jsonl", "csv"] = "jsonl"
    types: Mapping[str, Kind] = field(default_factory=dict)
    delimiter: str = ","
    elsewhere: bool = False
    since: Mapping[str, str] = field(default_factory=dict)
    overlap: timedelta = timedelta(0)
    size: int = 1000
    key: str = "id"
    updated: str | None = None
    deleted: str | None = None
    merged_into: str | None = None

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """Read what changed since the cursor, or everything. The cursor moves with the last page only."""
        since = None if want.complete or not self.since else want.since
        where = f"{http.system}: {self.start.path}"
        job = self._started(http, since)
        ended = self.poll(http, job)
        total = value_at(ended.content, self.poll.total) if self.poll.total else None
        reading, shown, held = Pass(where, want, since), 0, None
        for answer, found in self._found(http, job, ended):
            if held:
                yield reading.page(*held, last=False, total=total)
            held, shown = (answer, found), shown + len(found)
        if isinstance(total, int) and shown < total:
            raise BrokenAnswer(f"{where}: the result of job {job} has {shown} of {total} records; the cursor stays")
        yield reading.page(*(held or (ended, [])), last=True, total=total)

    def _started(self, http: Http, since: str | None) -> str:
        body: dict[str, Any] = dict(self.start.json)
        for name, template in self.since.items() if since else ():
            put(body, name, template.format(since=earlier(since or "", self.overlap)))
        answer = http.refuse(
            http.request(self.start.method, self.start.path, params=dict(self.start.params), json=body or None)
        )
        found = value_at(answer.content, self.job)
        if found in (None, ""):
            raise BrokenAnswer(f"{http.system}: {self.start.path} started a job without an id at {self.job!r}")
        return str(found)

    def _found(
        self, http: Http, job: str, ended: requests.Response
    ) -> Iterator[tuple[requests.Response, list[Record]]]:
        for address in self._addresses(job, ended):
            answer = self._fetch(http, address, job)
            n = 0
            try:
                for lines in _pieces(self._objects(answer, job), self.size):
                    found = self._cut(lines)
                    yield answer, [msgspec.structs.replace(r, pointer=f"/{n + i}") for i, r in enumerate(found)]
                    n += len(lines)
            except (requests.RequestException, csv.Error, UnicodeDecodeError) as cut:
                raise RetryableError(
                    f"{http.system}: the result of job {job} broke off after {n} records ({type(cut).__name__}); "
                    "run again, the cursor stays"
                ) from None
            finally:
                answer.close()

    def _addresses(self, job: str, ended: requests.Response) -> list[str]:
        if self.result.startswith("/"):
            return [self.result.format(job=quote(job, safe=""))]
        found = value_at(ended.content, self.result)
        return [] if found in (None, "") else [str(a) for a in (found if isinstance(found, list) else [found])]

    def _fetch(self, http: Http, address: str, job: str) -> requests.Response:
        whole = urljoin(http.base_url + "/", address) if not address.startswith("/") else http.base_url + address
        if urlsplit(whole).netloc == urlsplit(http.base_url).netloc:
            return http.refuse(http.get(whole, stream=True))
        if not self.elsewhere:
            raise BrokenAnswer(
                f"{http.system}: the result of job {job} is at {urlsplit(whole).hostname}, which is not this system's "
                "host; if it is right, say `elsewhere=True`"
            )
        stranger = Http(http.system, whole, wait=http.wait, timeout_s=http.timeout_s)
        return stranger.refuse(stranger.get(whole, stream=True))

    def _objects(self, answer: requests.Response, job: str) -> Iterator[bytes]:
        if self.format == "jsonl":
            return (line for line in _lines(answer) if line.strip())
        return self._rows(answer, job)

    def _rows(self, answer: requests.Response, job: str) -> Iterator[bytes]:
        text = codecs.iterdecode(_lines(answer, ends=True), "utf-8-sig")
        rows = csv.reader(text, delimiter=self.delimiter, strict=True)
        header = next(rows, [])
        if len(set(header)) < len(header):
            raise BrokenAnswer(f"two columns of the result of job {job} have the same name; the cursor stays")
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise BrokenAnswer(
                    f"line {rows.line_num} of the result of job {job} has {len(row)} values for {len(header)} "
                    "columns; the cursor stays"
                )
            yield msgspec.json.encode({n: _typed(v, self.types.get(n), n) for n, v in zip(header, row, strict=True)})

    def _cut(self, lines: Sequence[bytes]) -> list[Record]:
        return records(
            b"[" + b",".join(lines) + b"]",
            key=self.key,
            updated=self.updated,
            deleted=self.deleted,
            merged_into=self.merged_into,
        )


@dataclass(frozen=True)
class SendJob(Results):
    """Writes many records by a job: one call hands them in, then the job is asked about until it has ended.

    What is sent is `{wrap: [{id, body: {…}}, …]}`. job: dotted path of the job's id in the answer. result: a path over
    `{job}` that shows the results, where the job's last state does not (then `results` is looked up there).
    external: dotted path of `Row.key` in an item, for records to be made. once: as in `SendBatch`.
    """

    method: str
    path: str
    poll: Poll
    job: str = "id"
    wrap: str = "items"
    body: str = ""
    item_id: str = "id"
    external: str = ""
    result: str = ""
    once: str = ""

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row. RetryableError where it is not known what the job wrote: the hub looks."""
        headers = {self.once: str(uuid.uuid4())} if self.once else {}
        payload = wrapped(self.wrap, [self._item(row) for row in rows])
        safe = bool(self.once or self.external)
        started = http.request(self.method, self.path, json=payload, headers=headers, safe=safe)
        http.refuse(started, record=f"a job of {len(rows)}")
        job = str(value_at(started.content, self.job))
        ended = self.poll(http, job)
        if self.result:
            ended = http.get_ok(self.result.format(job=quote(job, safe="")))
        return self.answers(f"{http.system}: job {job}", rows, ended.content, exchange(ended))

    def _item(self, row: Row) -> dict[str, Any]:
        item: dict[str, Any] = {} if row.id is None else {self.item_id: row.id}
        item |= {self.body: dict(row.body)} if self.body else row.body
        if self.external:
            put(item, self.external, row.key)
        return item


def _pieces(lines: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while piece := list(islice(lines, size)):
        yield piece


def _lines(answer: requests.Response, *, ends: bool = False) -> Iterator[bytes]:
    """The lines of an answer as they arrive, with or without their ends. Only a line feed ends one: others are text."""
    rest = b""
    for piece in answer.iter_content(PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n" if ends else line
    if rest:
        yield rest


_TYPED: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "int": int,
    "float": float,
    "bool": lambda text: text.strip().lower() in ("true", "1", "yes", "t", "y"),
    "json": lambda text: msgspec.json.decode(text.encode()),
}


def _typed(text: str, kind: str | None, column: str) -> Any:
    if not text:
        return None
    try:
        return _TYPED[kind or "text"](text)
    except (ValueError, msgspec.DecodeError):
        raise BrokenAnswer(
            f"a value in column {column!r} is not of its declared type {kind}; the cursor stays"
        ) from None

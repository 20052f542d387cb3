"""Jobs, declared: a system that exports and imports while it is asked about, and breaks off in every way it can."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from omnihub.errors import BrokenAnswer, OmniHubError, RejectedRecord, RetryableError
from omnihub.model import Op, Outcome
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import Ask, Bearer, Export, Http, Page, Poll, Row, SendJob, Want

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ALL = Want(None, True, NOW)
CSV = '\ufeffId,Name,Paid,Since,Note\r\n1,Anna,12,true,\r\n2,"Müller, ""B""",0,false,"two\nlines\u2028here"\r\n'


class Works(Standin):
    """Exports and imports. `states`: what a job says of itself, one after the other; the last one stays."""

    system, role = "works", "portal"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.begin()

    def begin(self) -> None:
        self.started: list[Any] = []
        self.states = ["queued", "working", "Completed"]
        self.more: dict[str, Any] = {}
        self.body: bytes = b""
        self.headers: dict[str, str] = {}
        self.called: list[Call] = []
        self.results: list[dict[str, Any]] = []

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        self.called.append(call)
        return True

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"message": message})

    @route("POST", "/exports", "/imports")
    def start(self, call: Call) -> Reply:
        self.started.append(call.json())
        return Reply(202, {"job": {"id": len(self.started)}})

    @route("GET", "/jobs/{id}")
    def job(self, call: Call) -> Reply:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return Reply(200, {"state": state, "results": self.results, **self.more})

    @route("GET", "/jobs/{id}/result", "/files/{name}")
    def result(self, call: Call) -> Reply:
        return Reply(200, self.body, self.headers, "text/plain")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    class Store(Works):
        system = "store"

    with Running([Works(), Store()]) as run:
        yield run


@pytest.fixture
def works(running: Running) -> Works:
    for standin in running.standins.values():
        assert isinstance(standin, Works)
        standin.begin()
    return running.standins["works"]  # type: ignore[return-value]


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def http(running: Running, waits: list[float]) -> Http:
    return Http("works", running.urls["works"], token=Bearer("t").token({"t": "s3cret"}), wait=waits.append)


POLL = Poll("/jobs/{job}", status="state", error="why", total="count")
EXPORT = Export(Ask("POST", "/exports", json={"what": "orders"}), POLL, "/jobs/{job}/result", job="job.id", size=2,
                updated="at", since={"filter.from": "{since}"}, overlap=timedelta(hours=1))  # fmt: skip


def lines(count: int) -> bytes:
    return b"".join(b'{"id": %d, "at": "2026-01-01T00:00:%02dZ"}\n' % (n, n % 60) for n in range(count))


# -- reading ---------------------------------------------------------------------------------------------------------


def test_a_result_comes_in_pages_and_moves_the_cursor_at_its_end(works: Works, http: Http, waits: list[float]) -> None:
    works.body, works.more = lines(5), {"count": 5}
    pages = list(EXPORT(http, ALL))
    assert [[r.id for r in page.records] for page in pages] == [["0", "1"], ["2", "3"], ["4"]]
    assert [page.cursor for page in pages] == [None, None, "2026-01-01T00:00:04Z"]
    assert [(page.complete, page.total) for page in pages] == [(False, 5), (False, 5), (True, 5)]
    assert pages[1].records[1].raw == b'{"id": 3, "at": "2026-01-01T00:00:03Z"}'
    assert pages[1].records[1].pointer == "/3"
    assert works.started == [{"what": "orders"}]
    assert waits == [0.5, 1.0]


def test_only_what_changed_is_asked_for_from_a_little_before_the_cursor(works: Works, http: Http) -> None:
    works.body = lines(1)
    [page] = EXPORT(http, Want("2026-02-01T12:00:00Z", False, NOW))
    assert works.started == [{"what": "orders", "filter": {"from": "2026-02-01T11:00:00Z"}}]
    assert (page.complete, page.cursor) == (False, "2026-02-01T12:00:00Z")
    list(EXPORT(http, ALL))
    assert works.started[1] == {"what": "orders"}, "the declaration itself was not written to"


def test_no_records_are_one_empty_page(works: Works, http: Http) -> None:
    [page] = EXPORT(http, ALL)
    assert (list(page.records), page.complete) == ([], True)


def csv(**types: Any) -> Export:
    return Export(EXPORT.start, POLL, EXPORT.result, job="job.id", format="csv", key="Id", types=types)


def test_rows_of_a_table_become_objects_with_the_names_of_its_header(works: Works, http: Http) -> None:
    works.body = CSV.encode()
    [page] = csv(Paid="int", Since="bool")(http, ALL)
    assert [json.loads(r.raw) for r in page.records] == [
        {"Id": "1", "Name": "Anna", "Paid": 12, "Since": True, "Note": None},
        {"Id": "2", "Name": 'Müller, "B"', "Paid": 0, "Since": False, "Note": "two\nlines\u2028here"},
    ]
    assert [r.id for r in page.records] == ["1", "2"]


@pytest.mark.parametrize(
    ("body", "kind", "match"),
    [
        (b"Id,Name\n1,Anna\n2\n", BrokenAnswer, "line 3 of the result of job 1 has 1 values for 2 columns"),
        (b"Id,Id\n1,2\n", BrokenAnswer, "two columns"),
        (b'Id,Name\n1,"Anna', RetryableError, "broke off after 0 records"),
        (b"Id,Paid\n1,a lot\n", BrokenAnswer, "'Paid' is not of its declared type int"),
        (b"Id,Name\n1,\xff\xfe\n", RetryableError, "broke off"),
    ],
)
def test_a_table_that_is_not_sound_stops_the_stream(
    works: Works, http: Http, body: bytes, kind: type[OmniHubError], match: str
) -> None:
    works.body = body
    with pytest.raises(kind, match=match):
        list(csv(Paid="int")(http, ALL))


def test_a_result_cut_short_is_noticed_however_it_was_cut(works: Works, http: Http) -> None:
    works.body = lines(5)[:-10]
    with pytest.raises(BrokenAnswer):
        list(EXPORT(http, ALL))
    works.body, works.more = lines(4), {"count": 5}
    shown: list[Page] = []
    with pytest.raises(BrokenAnswer, match="4 of 5 records"):
        shown.extend(EXPORT(http, ALL))
    assert all(page.cursor is None and not page.complete for page in shown)


@pytest.mark.parametrize("state", ["failed", "Expired", "aborted"])
def test_a_job_that_fails_says_which_and_the_code_but_no_sentence(works: Works, http: Http, state: str) -> None:
    works.states, works.more = [state], {"why": "QUERY_TIMEOUT"}
    with pytest.raises(RetryableError, match=rf"works: job 1 {state.lower()} \(QUERY_TIMEOUT\); run again"):
        list(EXPORT(http, ALL))
    works.more = {"why": "anna@example.com is not a number"}
    with pytest.raises(RetryableError) as raised:
        list(EXPORT(http, ALL))
    assert "anna" not in str(raised.value)


def test_patience_with_a_job_grows_and_ends(works: Works, http: Http, waits: list[float]) -> None:
    works.states = ["working"]
    with pytest.raises(RetryableError, match="job 1 is still working after 3600 s"):
        list(EXPORT(http, ALL))
    assert waits[:8] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert 3600 <= sum(waits) < 3700


def elsewhere(**more: Any) -> Export:
    return Export(EXPORT.start, POLL, "files", job="job.id", size=2, **more)


def test_a_result_may_be_several_files_and_none(works: Works, http: Http, running: Running) -> None:
    works.body, works.more = lines(3), {"files": ["/files/a", f"{running.urls['works']}/files/b"]}
    assert sum(len(page.records) for page in elsewhere()(http, ALL)) == 6
    works.states, works.more = ["done"], {"files": None}
    assert [len(page.records) for page in elsewhere()(http, ALL)] == [0]


def test_a_file_on_another_host_is_fetched_where_declared_and_never_with_our_token(
    works: Works, http: Http, running: Running
) -> None:
    store = running.standins["store"]
    assert isinstance(store, Works)
    store.body, works.more = lines(2), {"files": f"{running.urls['store']}/files/a?signature=x"}
    with pytest.raises(BrokenAnswer, match="`elsewhere=True`"):
        list(elsewhere()(http, ALL))
    assert store.called == []
    [page] = elsewhere(elsewhere=True)(http, ALL)
    assert len(page.records) == 2
    assert [call.headers.get("authorization") for call in store.called] == [None]
    assert "signature=…" in page.exchange.url


class Flood(BaseHTTPRequestHandler):
    """A job done at once, whose result is made while it is sent: this process never holds it either."""

    def do_POST(self) -> None:
        self._say(b'{"job": {"id": 1}}')

    def do_GET(self) -> None:
        self._say(b"" if self.path.endswith("/result") else b'{"state": "done"}')
        for n in range(20_000 if self.path.endswith("/result") else 0):
            self.wfile.write(b'{"id": %d, "text": "%s"}\n' % (n, b"x" * 1000))

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.mark.long
def test_a_result_is_never_whole_in_memory() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Flood)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    export = Export(EXPORT.start, POLL, EXPORT.result, job="job.id", size=100)
    tracemalloc.start()
    try:
        count = sum(len(page.records) for page in export(Http("works", f"http://127.0.0.1:{server.server_port}"), ALL))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        server.shutdown()
        server.server_close()
        thread.join()
    assert count == 20_000
    assert peak < 5_000_000, "of 20 million bytes"


# -- writing ---------------------------------------------------------------------------------------------------------

SEND = SendJob("POST", "/imports", poll=POLL, job="job.id", by="id", results="results", body="set", code="why")


def rows(count: int) -> list[Row]:
    return [Row(n, Op.UPDATE, f"r{n}", {"name": "new"}, {}, {}, f"g{n}") for n in range(count)]


def test_a_job_is_asked_about_until_it_ends_and_its_rows_succeed_or_fail_one_by_one(works: Works, http: Http) -> None:
    works.results = [{"id": "r2", "status": 422, "why": "bad"}, {"id": "r0", "status": 200}]
    answers = list(SEND(http, rows(3)))
    assert works.started == [{"items": [{"id": f"r{n}", "set": {"name": "new"}} for n in range(3)]}]
    assert [(a.n, a.outcome, a.code) for a in answers] == [(0, Outcome.WRITTEN, ""), (2, Outcome.REFUSED, "bad")]


def test_a_job_that_failed_leaves_it_open_what_was_written(works: Works, http: Http) -> None:
    works.states = ["queued", "failed"]
    with pytest.raises(RetryableError, match="works: job 1 failed"):
        list(SEND(http, rows(2)))


def test_results_may_have_a_path_of_their_own(works: Works, http: Http) -> None:
    works.body = b'{"failed": [{"id": "r1", "why": "bad"}]}'
    send = SendJob("POST", "/imports", poll=POLL, job="job.id", by="id", results="failed", failed_only=True,
                   result="/jobs/{job}/result", code="why")  # fmt: skip
    assert {a.n: a.outcome for a in send(http, rows(3))} == {
        0: Outcome.WRITTEN, 1: Outcome.REFUSED, 2: Outcome.WRITTEN,
    }  # fmt: skip


def test_a_job_nobody_accepts_is_for_the_hub_to_split(works: Works, http: Http) -> None:
    with pytest.raises(RejectedRecord):
        list(SendJob("POST", "/no-such", poll=POLL)(http, rows(2)))

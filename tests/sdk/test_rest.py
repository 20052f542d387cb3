"""Plain REST, declared: what the values of `omnihub.sdk` send, and what they make of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from omnihub.errors import BrokenAnswer, RejectedRecord, RetryableError
from omnihub.model import Op, Outcome
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import ByIdBatch, ByIds, Cursor, Http, Pages, Row, Send1, SendBatch, Want

WANT = Want(None, False, datetime(2026, 11, 21, tzinfo=UTC))
SEND = SendBatch("POST", "/things/batch", body="set", version="v", once="Once", code="why.code", message="why.text")


class Things(Standin):
    """Answers with what the test put into `next`, and remembers what it was asked."""

    system, role = "things", "portal"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.asked: list[Call] = []
        self.next: list[Callable[[Call], Reply]] = []

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        return True

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"message": message})

    @route("GET", "/things", "/things/{id}")
    def get(self, call: Call) -> Reply:
        return self._say(call)

    @route("POST", "/things/batch")
    def batch(self, call: Call) -> Reply:
        return self._say(call)

    @route("PATCH", "/things/{id}")
    def patch(self, call: Call) -> Reply:
        return self._say(call)

    def _say(self, call: Call) -> Reply:
        self.asked.append(call)
        return self.next.pop(0)(call)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running([Things()]) as run:
        yield run


@pytest.fixture
def things(running: Running) -> Things:
    found = running.standins["things"]
    assert isinstance(found, Things)
    found.asked, found.next = [], []
    return found


@pytest.fixture
def http(running: Running) -> Http:
    return Http("things", running.urls["things"], wait=lambda _: None)


def says(status: int, body: Any) -> Callable[[Call], Reply]:
    return lambda _: Reply(status, body)


def row(n: int) -> Row:
    return Row(n, Op.UPDATE, str(n), {"name": f"new {n}"}, {}, {}, "g", {"id": str(n), "v": n * 10})


def test_a_batch_sends_each_record_with_its_version_and_reads_its_result_in_order(things: Things, http: Http) -> None:
    statuses = (200, 412, 422, 503)
    why = {"code": "c", "text": "t"}
    things.next = [says(207, {"items": [{"status": status, "why": why} for status in statuses]})]

    answers = list(SEND(http, [row(n) for n in range(4)]))

    assert [(a.n, a.outcome, a.code, a.message) for a in answers] == [
        (0, Outcome.WRITTEN, "", ""),
        (1, Outcome.DRIFTED, "c", "t"),
        (2, Outcome.REFUSED, "c", "t"),
        (3, Outcome.DEFERRED, "c", "t"),
    ]
    assert things.asked[0].json()["items"][1] == {"id": "1", "v": 10, "set": {"name": "new 1"}}


def test_a_batch_whose_answer_was_lost_is_sent_again_under_the_same_key(things: Things, http: Http) -> None:
    things.next = [says(500, {}), says(207, {"items": [{"status": 200}]})]

    [answer] = SEND(http, [row(1)])

    assert answer.outcome is Outcome.WRITTEN
    assert len({call.headers["Once"] for call in things.asked}) == 1
    assert len(things.asked) == 2


def test_a_batch_without_a_key_is_not_sent_again(things: Things, http: Http) -> None:
    things.next = [says(500, {})]
    with pytest.raises(RetryableError):
        list(SendBatch("POST", "/things/batch")(http, [row(1)]))
    assert len(things.asked) == 1


def test_a_batch_refused_as_a_whole_is_for_the_hub_to_split(things: Things, http: Http) -> None:
    things.next = [says(400, {"detail": "no"})]
    with pytest.raises(RejectedRecord):
        list(SEND(http, [row(1), row(2)]))


@pytest.mark.parametrize(
    ("status", "body"), [(409, {}), (207, {"items": [{"status": 200}]}), (207, {"items": None}), (207, {})]
)
def test_a_batch_of_which_it_is_not_known_what_was_written_is_looked_at(
    things: Things, http: Http, status: int, body: Any
) -> None:
    things.next = [says(status, body)]
    with pytest.raises(RetryableError):
        list(SEND(http, [row(1), row(2)]))


def test_many_records_are_read_by_id_in_few_calls_and_deleted_ones_are_gone(things: Things, http: Http) -> None:
    def shown(call: Call) -> Reply:
        return Reply(200, {"items": [{"id": n, "dead": n == "2"} for n in call.param("only").split(",") if n != "4"]})

    things.next = [shown, shown, shown]
    look = ByIdBatch("/things", "items", param="only", size=2, deleted="dead")

    pages = list(look(http, ["1", "2", "3", "4", "5"]))

    assert [call.param("only") for call in things.asked] == ["1,2", "3,4", "5"]
    assert [record.id for page in pages for record in page.records] == ["1", "3", "5"]


def test_reading_no_ids_calls_nobody(things: Things, http: Http) -> None:
    assert list(ByIdBatch("/things", "items")(http, [])) == []
    assert things.asked == []


def test_reading_one_by_one_passes_over_what_is_gone(things: Things, http: Http) -> None:
    things.next = [says(200, {"id": 1}), says(404, {}), says(410, {}), says(200, {"id": 4})]

    pages = list(ByIds("/things/{id}")(http, ["1", "2", "3", "4"]))

    assert [record.id for page in pages for record in page.records] == ["1", "4"]


def test_one_record_is_written_with_the_version_it_was_read_in(things: Things, http: Http) -> None:
    things.next = [says(200, {}), says(412, {}), says(422, {"message": "too long"})]

    answers = list(Send1("PATCH", "/things/{id}", etag="v")(http, [row(1), row(2), row(3)]))

    assert [a.outcome for a in answers] == [Outcome.WRITTEN, Outcome.DRIFTED, Outcome.REFUSED]
    assert answers[2].message == "too long"
    assert [call.headers["If-Match"] for call in things.asked] == ["10", "20", "30"]


def test_a_page_that_points_to_itself_ends_the_stream_with_an_error(things: Things, http: Http) -> None:
    same = says(200, {"items": [{"id": 1}], "next": "x"})
    things.next = [same, same]
    with pytest.raises(BrokenAnswer, match="points to itself"):
        list(Pages("/things", "items", Cursor("next", "cursor"))(http, WANT))


def test_the_cursor_kept_is_the_newest_time_and_moves_on_the_last_page_only(things: Things, http: Http) -> None:
    things.next = [
        says(200, {"items": [{"id": 1, "at": "2026-02"}], "next": "x"}),
        says(200, {"items": [{"id": 2, "at": "2026-01"}], "next": None}),
    ]

    pages = list(
        Pages("/things", "items", Cursor("next", "cursor"), since={"since": "{since}"}, updated="at")(http, WANT)
    )

    assert [(page.cursor, page.complete) for page in pages] == [(None, False), ("2026-02", True)]


def test_a_record_inside_its_answer_is_cut_out_of_it(things: Things, http: Http) -> None:
    things.next = [says(200, {"data": {"id": 1}}), says(200, {"data": None}), says(200, {})]
    look = ByIds("/things/{id}", item="data")
    assert [record.raw for page in look(http, ["1"]) for record in page.records] == [b'{"id":1}']
    for id_ in ("2", "3"):
        with pytest.raises(BrokenAnswer, match="no record at 'data'"):
            list(look(http, [id_]))


def test_ids_may_go_in_a_body_or_each_as_a_parameter_of_its_own(things: Things, http: Http) -> None:
    things.next = [says(200, {"items": []})] * 2
    list(ByIdBatch("/things/batch", "items", param="filter.ids", method="POST")(http, ["1", "2"]))
    list(ByIdBatch("/things", "items", joined="")(http, ["1", "2"]))
    assert things.asked[0].json() == {"filter": {"ids": ["1", "2"]}}
    assert things.asked[1].params("ids") == ["1", "2"]


def test_a_search_sent_as_post_pages_and_filters_in_its_body(things: Things, http: Http) -> None:
    things.next = [says(200, {"items": [{"id": 1}], "next": "x"}), says(200, {"items": [], "next": None})]
    search = Pages(
        "/things/batch", "items", Cursor("next", "page.after"), {"page.size": 2},
        since={"filter.from": "{since}"}, method="POST",
    )  # fmt: skip
    list(search(http, Want("2026-01-01", False, WANT.now)))
    size, since = {"size": 2}, {"from": "2026-01-01"}
    assert [call.json() for call in things.asked] == [
        {"page": size, "filter": since}, {"page": {**size, "after": "x"}, "filter": since}
    ]  # fmt: skip

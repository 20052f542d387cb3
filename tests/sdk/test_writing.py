"""Writing, declared: to a system that keeps what it is sent, guards its versions and says what became of each row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from omnihub.errors import RetryableError
from omnihub.model import Op, Outcome
from omnihub.sandbox.kit import Call, Reply, Running, Standin, merge, route
from omnihub.sdk import (
    LATER,
    REQUESTED,
    Answer,
    ByKeys,
    Delete1,
    Erase1,
    Http,
    Link1,
    Row,
    Send1,
    SendBatch,
    Sends,
    Upsert1,
    UpsertBatch,
)

WRITTEN, REFUSED, DRIFTED, DEFERRED = Outcome.WRITTEN, Outcome.REFUSED, Outcome.DRIFTED, Outcome.DEFERRED


class Desk(Standin):
    """Records with a version. `fails`: so many of the next calls are carried out, and answered with 500."""

    system, role = "desk", "portal"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.begin()

    def begin(self) -> None:
        self.held: dict[str, dict[str, Any]] = {
            f"a/{n}": {
                "id": f"a/{n}",
                "v": n,
                "name": f"old {n}",
                "made": "2020",
                "tags": ["x", "y"],
                "address": {"city": "Bonn", "zip": "53111", "geo": {"lat": 1.5}},
            }
            for n in range(1, 5)
        }
        self.held["c1"] = {"id": "c1", "v": 1, "name": "old"}
        self.links = ["old"]  # the companies c1 belongs to
        self.asked: list[Call] = []
        self.fails = 0
        self.says: Callable[[list[dict[str, Any]]], Reply] | None = None

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        self.asked.append(call)
        return True

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"fault": {"code": code or f"E{status}"}, "message": message or "no"})

    def after(self, call: Call, reply: Reply) -> Reply:
        if self.fails and reply.status < 400:
            self.fails -= 1
            return self.error(500)
        return reply

    def tag(self, record: Mapping[str, Any]) -> str:
        return '"' + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:12] + '"'

    def _wrong(self, sent: Mapping[str, Any]) -> Reply | None:
        return self.error(422, "too_long", "the name is too long") if len(sent.get("name", "")) > 20 else None

    def _changed(self, record: dict[str, Any], sent: Mapping[str, Any]) -> None:
        merge(record, sent)
        record["v"] = record.get("v", 0) + 1

    @route("GET", "/r/{id:path}")
    def one(self, call: Call) -> Reply:
        record = self.held.get(call.path["id"])
        return Reply(200, {"data": record}, {"ETag": self.tag(record)}) if record else self.error(404)

    @route("PATCH", "/r/{id:path}")
    def patch(self, call: Call) -> Reply:
        record, sent = self.held.get(call.path["id"]), call.json()
        if record is None:
            return self.error(404)
        if call.headers.get("if-match", self.tag(record)) not in (self.tag(record), str(record["v"])):
            return self.error(412)
        if sent.pop("v", record["v"]) != record["v"]:
            return self.error(409)
        if no := self._wrong(sent):
            return no
        self._changed(record, sent)
        return Reply(204)

    @route("POST", "/erasure/{id:path}")
    def erase(self, call: Call) -> Reply:
        record = self.held.get(call.path["id"])
        if record is None:
            return self.error(404)
        if status := record.get("answers"):
            return self.error(status, "held", "their lawyer says no")
        del self.held[call.path["id"]]
        return Reply(204)

    @route("PUT", "/r/{id:path}")
    def put(self, call: Call) -> Reply:
        sent, old = call.json(), self.held.get(call.path["id"])
        if old is None or "made" in sent:
            return self.error(404) if old is None else self.error(422, "read_only", "made is ours")
        self.held[call.path["id"]] = {"made": old["made"], **sent, "v": old["v"] + 1}
        return Reply(204)

    @route("POST", "/soft/{id:path}")
    def soft(self, call: Call) -> Reply:
        no = self._wrong(call.json())
        return Reply(200, {"problems": [no.body["fault"] | {"why": no.body["message"]}] if no else []})

    @route("DELETE", "/r/{id:path}")
    def delete(self, call: Call) -> Reply:
        return Reply(204) if self.held.pop(call.path["id"], None) else self.error(404)

    @route("PUT", "/keyed/{key:path}")
    def upsert(self, call: Call) -> Reply:
        return self._wrong(call.json()) or Reply(201, {"result": {"id": self._keyed(call.path["key"], call.json())}})

    @route("GET", "/keyed/{key:path}")
    def find(self, call: Call) -> Reply:
        found = next((r for r in self.held.values() if r.get("ext") == call.path["key"]), None)
        return Reply(200, found) if found else self.error(404)

    @route("GET", "/search")
    def search(self, call: Call) -> Reply:
        asked = call.param("ext").lower()  # a search as many have it: by prefix, and whatever the case
        return Reply(200, {"items": [r for r in self.held.values() if str(r.get("ext")).lower().startswith(asked)]})

    def _keyed(self, key: str, sent: Mapping[str, Any]) -> str:
        id_ = next((i for i, r in self.held.items() if r.get("ext") == key), f"new{len(self.held)}")
        self._changed(self.held.setdefault(id_, {"id": id_, "ext": key}), sent)
        return id_

    @route("POST", "/upserts")
    def upserts(self, call: Call) -> Reply:
        results = []
        for item in call.json()["items"]:
            wrong = self._wrong(item["set"])
            id_ = None if wrong else self._keyed(item["ref"]["hub"], item["set"])
            results.append({"hub": item["ref"]["hub"], "status": wrong.status if wrong else 200, "made": id_})
        return Reply(200, {"items": results[::-1]})

    @route("POST", "/batch")
    def batch(self, call: Call) -> Reply:
        assert self.says
        return self.says(call.json())

    @route("PUT", "/links/{id}/{other}")
    def link(self, call: Call) -> Reply:
        if call.path["other"] == "nobody":
            return self.error(422, "no_such", "there is no such company")
        self.links.append(call.path["other"])
        return Reply(204)

    @route("DELETE", "/links/{id}/{other}")
    def unlink(self, call: Call) -> Reply:
        if call.path["other"] not in self.links:
            return self.error(404)
        self.links.remove(call.path["other"])
        return Reply(204)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running([Desk()]) as run:
        yield run


@pytest.fixture
def desk(running: Running) -> Desk:
    found = running.standins["desk"]
    assert isinstance(found, Desk)
    found.begin()
    return found


@pytest.fixture
def http(running: Running) -> Http:
    return Http("desk", running.urls["desk"], wait=lambda _: None)


def row(desk: Desk, n: int, **changes: Any) -> Row:
    """A row for the record as it is now."""
    raw = json.loads(json.dumps(desk.held[f"a/{n}"]))
    return Row(n, Op.UPDATE, f"a/{n}", changes or {"name": f"new {n}"}, {}, {}, f"golden/{n}", raw)


def new(n: int, name: str = "Anna") -> Row:
    """A row for a record to be made."""
    return Row(n, Op.CREATE, None, {"name": name}, {}, {}, f"golden/{n}")


def told(answers: Any) -> list[tuple[int, Outcome, str]]:
    return [(a.n, a.outcome, a.code) for a in answers]


# -- one record ------------------------------------------------------------------------------------------------------


def test_an_answer_without_a_body_is_a_success_and_an_id_with_a_slash_stays_one_id(desk: Desk, http: Http) -> None:
    assert told(Send1("PATCH", "/r/{id}")(http, [row(desk, 1)])) == [(1, WRITTEN, "")]
    assert desk.held["a/1"]["name"] == "new 1"


def test_a_target_that_replaces_the_whole_record_gets_the_present_one_with_the_changes_over_it(
    desk: Desk, http: Http
) -> None:
    send = Send1("PUT", "/r/{id}", whole=True, read_only=("made", "address.geo.lat"))
    asked = row(desk, 2, address={"city": "Köln"}, tags=[{}, "z"])
    assert told(send(http, [asked])) == [(2, WRITTEN, "")]
    assert desk.held["a/2"] == {
        "made": "2020",
        "id": "a/2",
        "v": 3,
        "name": "old 2",
        "tags": ["x", "z"],
        "address": {"city": "Köln", "zip": "53111"},
    }
    assert asked.raw["address"]["city"] == "Bonn", "what was looked at is not touched"


@pytest.mark.parametrize(
    "send",
    [
        Send1("PATCH", "/r/{id}", etag="v"),
        Send1("PATCH", "/r/{id}", version="v"),
        Send1("PATCH", "/r/{id}", tagged=True, item="data"),
    ],
    ids=["version as If-Match", "version in the body", "ETag header"],
)
def test_nobodys_edit_is_written_over(desk: Desk, http: Http, send: Send1) -> None:
    rows = [row(desk, 1), row(desk, 2), row(desk, 3)]
    desk._changed(desk.held["a/2"], {"name": "somebody's"})
    del desk.held["a/3"]
    assert [a.outcome for a in send(http, rows)] == [WRITTEN, DRIFTED, DRIFTED]
    assert (desk.held["a/1"]["name"], desk.held["a/2"]["name"]) == ("new 1", "somebody's")


@pytest.mark.parametrize("how", [{"etag": "v"}, {"version": "v"}])
def test_a_record_that_shows_no_version_is_not_written_blindly(desk: Desk, http: Http, how: dict[str, str]) -> None:
    del desk.held["a/1"]["v"]
    assert told(Send1("PATCH", "/r/{id}", **how)(http, [row(desk, 1)])) == [(1, REFUSED, "no_version")]
    assert desk.asked == []


def test_a_write_over_a_version_is_not_sent_again_when_its_answer_is_lost(desk: Desk, http: Http) -> None:
    desk.fails = 1
    with pytest.raises(RetryableError):  # the hub looks, and finds it written; a second try would call it drifted
        list(Send1("PATCH", "/r/{id}", etag="v")(http, [row(desk, 1)]))
    assert (len(desk.asked), desk.held["a/1"]["name"]) == (1, "new 1")


def test_a_write_without_a_version_is_sent_again_when_its_answer_is_lost(desk: Desk, http: Http) -> None:
    desk.fails = 1
    assert told(Send1("PATCH", "/r/{id}")(http, [row(desk, 1)])) == [(1, WRITTEN, "")]
    desk.fails = 1
    with pytest.raises(RetryableError):
        list(Send1("PATCH", "/r/{id}", repeatable=False)(http, [row(desk, 1)]))


def test_a_refusal_says_why_from_the_places_declared(desk: Desk, http: Http) -> None:
    send = Send1("PATCH", "/r/{id}", code="fault.code", message="message")
    [answer] = send(http, [row(desk, 1, name="x" * 30)])
    assert (answer.outcome, answer.code, answer.message) == (REFUSED, "too_long", "the name is too long")


def test_an_error_in_an_answer_that_says_200_is_a_refusal(desk: Desk, http: Http) -> None:
    send = Send1("POST", "/soft/{id}", errors="problems", message="why")
    good, bad = send(http, [row(desk, 1), row(desk, 2, name="x" * 30)])
    assert (good.outcome, bad.outcome) == (WRITTEN, REFUSED)
    assert (bad.code, bad.message) == ("too_long", "the name is too long")


def test_what_is_gone_already_counts_as_deleted(desk: Desk, http: Http) -> None:
    rows = [row(desk, 1), row(desk, 2)]
    del desk.held["a/2"]
    assert told(Delete1("/r/{id}")(http, rows)) == [(1, WRITTEN, ""), (2, WRITTEN, "")]
    assert sorted(desk.held) == ["a/3", "a/4", "c1"]


ERASE = Erase1("/erasure/{id}", "POST", code="fault.code", message="message")


def test_who_is_gone_already_counts_as_erased_also_by_our_own_call_whose_answer_was_lost(
    desk: Desk, http: Http
) -> None:
    rows = [row(desk, 1), row(desk, 2)]
    del desk.held["a/2"]
    desk.fails = 1
    assert told(ERASE(http, rows)) == [(1, WRITTEN, ""), (2, WRITTEN, "")]
    assert sorted(desk.held) == ["a/3", "a/4", "c1"]


def test_who_can_not_be_erased_is_refused_with_the_reason_and_the_others_go(desk: Desk, http: Http) -> None:
    desk.held["a/1"]["answers"], desk.held["a/2"]["answers"] = 409, 422
    answers = list(ERASE(http, [row(desk, n) for n in (1, 2, 3)]))
    assert told(answers) == [(1, REFUSED, "held"), (2, REFUSED, "held"), (3, WRITTEN, "")]
    assert answers[0].message == "their lawyer says no"


def test_a_request_that_was_taken_is_not_called_done(desk: Desk, http: Http) -> None:
    desk.held["a/1"]["answers"] = 202
    assert told(ERASE(http, [row(desk, 1)])) == [(1, DEFERRED, REQUESTED)]
    desk.held.clear()
    assert told(ERASE(http, [Row(1, Op.UPDATE, "a/1", {}, {}, {}, "g")])) == [(1, WRITTEN, "")]


def test_after_a_call_without_an_answer_the_rest_waits_for_the_next_time(desk: Desk, http: Http) -> None:
    rows = [row(desk, n) for n in (1, 2, 3)]
    desk.held["a/2"]["answers"] = 503
    assert told(ERASE(http, rows)) == [(1, WRITTEN, ""), (2, DEFERRED, LATER), (3, DEFERRED, LATER)]
    assert not any("a%2F3" in call.url and "erasure" in call.url for call in desk.asked)
    del desk.held["a/2"]["answers"]
    assert told(ERASE(http, rows)) == [(n, WRITTEN, "") for n in (1, 2, 3)]


# -- many records ----------------------------------------------------------------------------------------------------

SHAPES: dict[str, tuple[SendBatch, Callable[[list[dict[str, Any]]], Any]]] = {
    "in order, by status": (
        SendBatch("POST", "/batch", wrap="", results="", status="s", code="c"),
        lambda items: [{"s": 200}, {"s": 422, "c": "bad"}, {"s": 412}, {"s": 503}],
    ),
    "in any order, by id": (
        SendBatch("POST", "/batch", wrap="", by="ref.id", ok="success", code="errors.0.code",
                  drifted_codes=("STALE",), later=("LOCKED",)),
        lambda items: {"items": [
            {"ref": {"id": "a/4"}, "success": False, "errors": [{"code": "LOCKED"}]},
            {"ref": {"id": "a/2"}, "success": False, "errors": [{"code": "bad"}]},
            {"ref": {"id": "a/1"}, "success": True, "errors": []},
            {"ref": {"id": "a/3"}, "success": False, "errors": [{"code": "STALE"}]},
        ]},
    ),
    "an object of ids": (
        SendBatch("POST", "/batch", wrap="", results="done"),
        lambda items: {"done": {"a/1": {"status": 204}, "a/2": {"status": 400, "code": "bad"},
                                "a/3": {"status": 409}, "a/4": {"status": 429}}},
    ),
    "failures alone, by id": (
        SendBatch("POST", "/batch", wrap="", results="failed", failed_only=True, by="id",
                  drifted_codes=("STALE",), later=("LOCKED",)),
        lambda items: {"failed": [{"id": "a/3", "code": "STALE"}, {"id": "a/2", "code": "bad"},
                                  {"id": "a/4", "code": "LOCKED"}]},
    ),
    "failures alone, by place": (
        SendBatch("POST", "/batch", wrap="", results="failed", failed_only=True, at="index",
                  drifted_codes=("STALE",), later=("LOCKED",)),
        lambda items: {"failed": [{"index": 3, "code": "LOCKED"}, {"index": 1, "code": "bad"},
                                  {"index": 2, "code": "STALE"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("send", "says"), SHAPES.values(), ids=SHAPES)
def test_what_became_of_each_row_is_read_from_the_shape_declared(
    desk: Desk, http: Http, send: SendBatch, says: Callable[[Any], Any]
) -> None:
    desk.says = lambda items: Reply(207, says(items))
    answers = sorted(send(http, [row(desk, n) for n in (1, 2, 3, 4)]), key=lambda a: a.n)
    assert [a.outcome for a in answers] == [WRITTEN, REFUSED, DRIFTED, DEFERRED]
    assert answers[1].code == "bad"


def test_rows_the_answer_says_nothing_of_are_left_for_the_hub_to_look_at(desk: Desk, http: Http) -> None:
    desk.says = lambda items: Reply(200, {"items": [{"id": "a/2", "status": 200}]})
    send = SendBatch("POST", "/batch", wrap="", by="id")
    assert told(send(http, [row(desk, n) for n in (1, 2, 3)])) == [(2, WRITTEN, "")]


def test_a_list_of_failures_that_is_not_there_at_all_does_not_mean_all_is_well(desk: Desk, http: Http) -> None:
    send = SendBatch("POST", "/batch", wrap="", results="failed", failed_only=True, by="id")
    desk.says = lambda items: Reply(200, {"something": "else"})
    assert list(send(http, [row(desk, 1)])) == []
    desk.says = lambda items: Reply(200, {"failed": []})
    assert told(send(http, [row(desk, 1)])) == [(1, WRITTEN, "")]


# -- making records --------------------------------------------------------------------------------------------------

ONE = Upsert1("PUT", "/keyed/{key}", external="ext", id="result.id", code="fault.code")
BATCH = UpsertBatch("POST", "/upserts", body="set", external="ref.hub", by="hub", id="made")


@pytest.mark.parametrize("create", [ONE, BATCH], ids=["one", "batch"])
def test_a_record_made_twice_is_made_once(desk: Desk, http: Http, create: Upsert1 | UpsertBatch) -> None:
    before, rows = len(desk.held), [new(1), new(2, "x" * 30), new(3)]
    first, second = list(create(http, rows)), list(create(http, rows))
    assert [(a.n, a.outcome, a.id) for a in first] == [(a.n, a.outcome, a.id) for a in second]
    assert [a.outcome for a in first] == [WRITTEN, REFUSED, WRITTEN]
    assert len(desk.held) == before + 2
    assert {desk.held[a.id or ""]["ext"] for a in first if a.outcome is WRITTEN} == {"golden/1", "golden/3"}


@pytest.mark.parametrize("create", [ONE, BATCH], ids=["one", "batch"])
def test_a_record_made_while_the_answer_was_lost_is_made_once(
    desk: Desk, http: Http, create: Upsert1 | UpsertBatch
) -> None:
    desk.fails, before = 2, len(desk.held)
    [answer] = create(http, [new(1)])
    assert (answer.outcome, len(desk.held)) == (WRITTEN, before + 1)


@pytest.mark.parametrize(
    "find",
    [ByKeys("/keyed/{key}"), ByKeys("/search", items="items", param="ext", external="ext")],
    ids=["path", "search"],
)
def test_a_record_is_found_by_the_key_it_was_made_with_and_by_no_other(desk: Desk, http: Http, find: ByKeys) -> None:
    made = {a.n: a.id for a in ONE(http, [new(1), new(11), new(2)])}
    assert [r.id for page in find(http, ["golden/1", "golden/7", "golden/2"]) for r in page.records] == [
        made[1],
        made[2],
    ]


# -- links -----------------------------------------------------------------------------------------------------------


JOIN = Link1("/links/{id}/{other}", "account", native="company.id", remove="DELETE", code="fault.code")
BOTH = Sends(links=(JOIN,), rest=Send1("PATCH", "/r/{id}", code="fault.code"))


def linking(other: str | None, before: str | None, **body: Any) -> Row:
    ref = {"account": f"desk/companies/{other}" if other else None}
    was = {"account": f"desk/companies/{before}" if before else None}
    return Row(1, Op.LINK, "c1", {"company": {"id": other}, **body}, ref, was, "g", {"id": "c1"})


def test_a_new_link_is_made_before_the_old_one_goes(desk: Desk, http: Http) -> None:
    assert told(JOIN(http, [linking("new", "old")])) == [(1, WRITTEN, "")]
    assert [call.method for call in desk.asked] == ["PUT", "DELETE"]
    assert desk.links == ["new"]


def test_a_link_is_taken_away_and_gone_already_is_as_good(desk: Desk, http: Http) -> None:
    for _ in range(2):
        assert told(JOIN(http, [linking(None, "old")])) == [(1, WRITTEN, "")]
    assert desk.links == []


def test_the_old_link_stays_where_the_new_one_is_refused(desk: Desk, http: Http) -> None:
    assert told(JOIN(http, [linking("nobody", "old")])) == [(1, REFUSED, "no_such")]
    assert desk.links == ["old"]


def test_a_link_that_can_only_be_replaced_is_not_taken_away(desk: Desk, http: Http) -> None:
    assert told(Link1("/links/{id}/{other}", "account")(http, [linking(None, "old")])) == [(1, REFUSED, "no_unlink")]
    assert desk.asked == []


def test_links_and_fields_of_a_record_are_written_each_in_their_own_way(desk: Desk, http: Http) -> None:
    assert told(BOTH(http, [linking("new", "old", name="Anna")])) == [(1, WRITTEN, "")]
    assert (desk.links, desk.held["c1"]) == (["new"], {"id": "c1", "v": 2, "name": "Anna"})
    assert told(BOTH(http, [linking("other", "new")])) == [(1, WRITTEN, "")]
    assert (desk.links, desk.held["c1"]["v"]) == (["other"], 2), "a link alone does not touch the record"


def test_a_row_is_written_only_where_its_fields_and_its_links_were(desk: Desk, http: Http) -> None:
    assert told(BOTH(http, [linking("new", "old", name="x" * 30)])) == [(1, REFUSED, "too_long")]
    assert desk.links == ["old"]
    assert told(BOTH(http, [linking("nobody", "old", name="Anna")])) == [(1, REFUSED, "no_such")]


def test_answers_carry_the_call_they_came_from(desk: Desk, http: Http) -> None:
    answers: list[Answer] = [
        *Send1("PATCH", "/r/{id}")(http, [row(desk, 1)]),
        *ONE(http, [new(1)]),
        *BATCH(http, [new(2)]),
    ]
    assert [a.exchange.status for a in answers if a.exchange] == [204, 201, 200]

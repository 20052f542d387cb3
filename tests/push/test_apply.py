"""Applying: look, write, receipt. Whatever the system answers, every change ends in exactly one outcome."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.model import Change, Entity, Outcome, Ref
from omnihub.push import Present, Receipt, Task, apply_stream
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import Answer, ByIdBatch, FullName, Http, Many, Page, Push, Row, Send1, SendBatch, Stream

MAP = {"phone": "phone", "city": "city", "street": "street"}


class Vault(Standin):
    """People by id, read and written in batches. `manners` says what each of the next batches gets, `moods` what each
    record gets; without either they are written."""

    system, role = "vault", "crm"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.reset({})

    def reset(
        self,
        people: Mapping[str, Mapping[str, str]],
        manners: Sequence[str] = (),
        moods: Mapping[str, str] | None = None,
        looks: Sequence[str] = (),
    ) -> None:
        self.people = {id_: {"id": id_, **body} for id_, body in people.items()}
        self.manners, self.moods, self.looks = list(manners), dict(moods or {}), list(looks)
        self.batches: list[list[str]] = []
        self.looked: list[list[str]] = []

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        return True

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"message": message}, {"Retry-After": "1000"} if status == 429 else {})

    def _manner(self, manner: str) -> Reply | None:
        """The answer to a whole call that goes wrong."""
        if manner == "html":
            return Reply(200, "<html>hello</html>", content_type="text/html")
        if manner == "cut":
            return Reply(200, '{"items": [')
        return self.error(int(manner)) if manner.isdigit() else None

    @route("GET", "/people")
    def look(self, call: Call) -> Reply:
        ids = call.param("ids").split(",")
        self.looked.append(ids)
        wrong = self._manner(self.looks.pop(0)) if self.looks else None
        return wrong or Reply(200, {"items": [self.people[i] for i in ids if i in self.people]})

    @route("POST", "/people")
    def write(self, call: Call) -> Reply:
        items = call.json()["items"]
        self.batches.append([i["id"] for i in items])
        manner = self.manners.pop(0) if self.manners else ""
        if manner.isdigit():
            return self.error(int(manner))
        if any(self.moods.get(i["id"]) == "poison" for i in items):
            return self.error(400)
        results = [self._one(i) for i in items]
        if manner.startswith("written, but "):  # and the answer is lost
            return self._manner(manner.removeprefix("written, but ")) or Reply(500)
        return Reply(207, {"items": results[:-1] if manner == "short" else results})

    def _one(self, item: dict[str, Any]) -> dict[str, Any]:
        mood = self.moods.get(item["id"], "")
        if mood.isdigit():
            return {"status": int(mood), "message": "no"}
        if mood == "no words" and item["set"].get("phone", "+").strip("+0123456789"):
            return {"status": 422, "message": "that is no number"}
        if item["id"] not in self.people:
            return {"status": 404}
        self.people[item["id"]].update(item["set"])
        return {"status": 200}

    @route("PATCH", "/people/{id}")
    def patch(self, call: Call) -> Reply:
        self.batches.append([call.path["id"]])
        manner = self.manners.pop(0) if self.manners else ""
        if manner.isdigit():
            return self.error(int(manner))
        self.people[call.path["id"]].update(call.json())
        return Reply(200, {})


LOOK = ByIdBatch("/people", "items")
SEND = SendBatch("POST", "/people", body="set")


def people(
    batch: int = 100, parallel: int = 1, update: Any = SEND, look: Any = LOOK, map_: Mapping[str, Any] = MAP
) -> Stream:
    push = Push(tuple(map_), update=update, look=look, batch=batch, parallel=parallel)
    return Stream("people", Entity.CONTACT, map_, push=push)


def read(pages: Iterable[Page]) -> dict[str, Present]:
    """The stand-in speaks canonical words, so reading is plain."""
    found = [json.loads(record.raw) for page in pages for record in page.records]
    return {str(p["id"]): Present({k: v for k, v in p.items() if k != "id"}, p) for p in found}


def tasks(count: int, **wanted: tuple[str | None, str]) -> list[Task]:
    """Tasks 0…count-1, each with these changes: field → (old, new)."""
    wanted = wanted or {"phone": ("+1", "+2")}
    found = []
    for n in range(count):
        ref = Ref("vault", "people", str(n))
        changes = [Change(ref, f, old, new, "why", "contact_a") for f, (old, new) in wanted.items()]
        found.append(
            Task(str(ref), ref.id, "contact_a", tuple((n * len(wanted) + i, c) for i, c in enumerate(changes)))
        )
    return found


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running([Vault()]) as run:
        yield run


@pytest.fixture
def vault(running: Running) -> Vault:
    found = running.standins["vault"]
    assert isinstance(found, Vault)
    found.reset({str(n): {"phone": "+1", "city": "Bonn", "street": "Gasse 1"} for n in range(300)})
    return found


@pytest.fixture
def http(running: Running) -> Http:
    return Http("vault", running.urls["vault"], wait=lambda _: None)


def applied(http: Http, stream: Stream, todo: Sequence[Task]) -> list[Receipt]:
    receipts: list[Receipt] = []
    apply_stream(http, stream, todo, read, receipts.extend)
    return receipts


def outcomes(receipts: Iterable[Receipt]) -> dict[int, str]:
    """number → outcome and code; fails where a change ended twice."""
    found: dict[int, str] = {}
    for r in receipts:
        for n in r.numbers:
            assert n not in found, f"change {n} ended twice"
            found[n] = f"{r.outcome} {r.code}".strip()
    return found


# -- the good way ----------------------------------------------------------------------------------------------------


def test_changes_are_written_in_batches_and_each_has_its_receipt(vault: Vault, http: Http) -> None:
    receipts = applied(http, people(batch=10), tasks(25))
    assert outcomes(receipts) == dict.fromkeys(range(25), "written")
    assert [len(b) for b in vault.batches] == [10, 10, 5]
    assert {p["phone"] for p in list(vault.people.values())[:25]} == {"+2"}
    assert (receipts[0].before, receipts[0].sent) == ({"phone": "+1"}, {"phone": "+2"})
    assert receipts[0].exchange is not None
    assert receipts[0].exchange.status == 207


def test_very_many_rows_go_out_as_jobs_where_the_system_has_them(vault: Vault, http: Http) -> None:
    few = people(batch=10)
    assert few.push is not None
    stream = replace(few, push=replace(few.push, many=Many(above=20, batch=100, send=SEND)))
    assert outcomes(applied(http, stream, tasks(20))) == dict.fromkeys(range(20), "written")
    assert outcomes(applied(http, stream, tasks(250))) == {
        n: "written already" if n < 20 else "written" for n in range(250)
    }
    assert [len(b) for b in vault.batches] == [10, 10, 80, 100, 50]


def test_all_changes_of_a_record_go_out_together(vault: Vault, http: Http) -> None:
    receipts = applied(http, people(), tasks(1, phone=("+1", "+2"), city=("Bonn", "Köln")))
    assert vault.batches == [["0"]]
    assert outcomes(receipts) == {0: "written", 1: "written"}


def test_receipts_are_kept_before_the_next_records_are_touched(vault: Vault, http: Http) -> None:
    written_when_kept: list[int] = []
    kept: list[Receipt] = []

    def receive(some: Sequence[Receipt]) -> None:
        kept.extend(some)
        written_when_kept.append(len(vault.batches))

    apply_stream(http, people(batch=10), tasks(30), read, receive)
    assert written_when_kept == [1, 2, 3]


def test_records_written_one_by_one_are_looked_at_together(vault: Vault, http: Http) -> None:
    applied(http, people(update=Send1("PATCH", "/people/{id}"), batch=1, parallel=4), tasks(50))
    assert [len(ids) for ids in vault.looked] == [20, 20, 10]
    assert len(vault.batches) == 50


def test_when_receipts_can_not_be_kept_nothing_more_is_written(vault: Vault, http: Http) -> None:
    def full(some: Sequence[Receipt]) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        apply_stream(http, people(batch=10), tasks(100), read, full)
    assert len(vault.batches) == 1


def test_nothing_to_do_calls_nobody(vault: Vault, http: Http) -> None:
    assert applied(http, people(), []) == []
    assert vault.looked == []


def test_the_next_records_are_looked_at_while_these_are_being_written(vault: Vault, http: Http) -> None:
    further = threading.Event()

    def look(client: Http, ids: Sequence[str]) -> Iterator[Page]:
        if "20" in ids:
            further.set()
        return LOOK(client, ids)

    def update(client: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        assert further.wait(10), "nobody looked any further"
        return SEND(client, rows)

    receipts = applied(http, people(batch=10, parallel=2, look=look, update=update), tasks(40))
    assert outcomes(receipts) == dict.fromkeys(range(40), "written")


def test_nobody_looks_further_ahead_than_is_soon_written(vault: Vault, http: Http) -> None:
    """What was looked at long before it is written may have changed since."""
    far, over, looked, lock = threading.Event(), threading.Event(), [0], threading.Lock()

    def look(client: Http, ids: Sequence[str]) -> Iterator[Page]:
        with lock:
            looked[0] += len(ids)
            if (
                looked[0] > 20 + 2 * 20 + 20 and not over.is_set()
            ):  # under way, two waves ahead, and what a look brings at once
                far.set()
        return LOOK(client, ids)

    def update(client: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        if rows[0].n < 20:  # the first that go out
            too_far = far.wait(0.2)
            over.set()
            assert not too_far
        return SEND(client, rows)

    receipts = applied(http, people(batch=10, parallel=2, look=look, update=update), tasks(300))
    assert outcomes(receipts) == dict.fromkeys(range(300), "written")


def test_batches_go_out_while_receipts_are_being_kept_though_not_many(vault: Vault, http: Http) -> None:
    """What a crash leaves to be looked at is less than twice what may be under way."""
    begun, lock = [0], threading.Lock()
    as_many_as_may, more = threading.Event(), threading.Event()
    kept: list[Receipt] = []

    def update(client: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        with lock:
            begun[0] += 1
            if begun[0] == 7:
                as_many_as_may.set()
            elif begun[0] > 7:
                more.set()
        return SEND(client, rows)

    def receive(some: Sequence[Receipt]) -> None:
        if not kept:
            assert as_many_as_may.wait(10), "batches wait for receipts of others"
            assert not more.wait(0.2)
        kept.extend(some)

    apply_stream(http, people(batch=10, parallel=4, update=update), tasks(300), read, receive)
    assert outcomes(kept) == dict.fromkeys(range(300), "written")


def test_receipts_of_several_batches_are_kept_together(vault: Vault, http: Http) -> None:
    kept: list[int] = []
    stream = people(batch=10, parallel=10)
    apply_stream(http, stream, tasks(300), read, lambda some: kept.append(len(some)))
    assert sum(kept) == 300
    assert len(kept) <= 10, "30 batches, with a commit for every five"


def test_a_system_that_takes_one_call_at_a_time_gets_one(vault: Vault, http: Http) -> None:
    under_way, most, lock = [0], [0], threading.Lock()

    @contextmanager
    def call() -> Iterator[None]:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        yield
        with lock:
            under_way[0] -= 1

    def look(client: Http, ids: Sequence[str]) -> Iterator[Page]:
        with call():
            yield from LOOK(client, ids)

    def update(client: Http, rows: Sequence[Row]) -> Iterator[Answer]:
        with call():
            yield from SEND(client, rows)

    applied(http, people(batch=10, parallel=1, look=look, update=update), tasks(100))
    assert most == [1]


def test_batches_are_filled_up_from_the_looks_that_follow(vault: Vault, http: Http) -> None:
    for n in range(0, 200, 2):
        vault.people[str(n)]["phone"] = "+2"  # every other one holds it already
    begun = threading.Event()

    def look(client: Http, ids: Sequence[str]) -> Iterator[Page]:
        assert "100" not in ids or begun.wait(10)
        return LOOK(client, ids)

    def update(client: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        begun.set()
        return SEND(client, rows)

    applied(http, people(batch=40, parallel=3, look=look, update=update), tasks(200))
    assert sorted(len(b) for b in vault.batches) == [20, 40, 40]


def test_records_are_announced_before_they_are_looked_at(vault: Vault, http: Http) -> None:
    announced: set[str] = set()

    def look(client: Http, ids: Sequence[str]) -> Iterator[Page]:
        assert announced >= set(ids)
        return LOOK(client, ids)

    receipts: list[Receipt] = []
    stream = people(batch=10, parallel=4, look=look)
    apply_stream(http, stream, tasks(100), read, receipts.extend, lambda some: announced.update(t.id for t in some))
    assert outcomes(receipts) == dict.fromkeys(range(100), "written")
    assert len(announced) == 100


def test_several_batches_are_in_flight_at_once_and_none_is_lost(vault: Vault, http: Http) -> None:
    receipts = applied(http, people(batch=5, parallel=4), tasks(100))
    assert outcomes(receipts) == dict.fromkeys(range(100), "written")


# -- the present -----------------------------------------------------------------------------------------------------


def test_what_somebody_changed_in_the_meantime_is_left_to_them(vault: Vault, http: Http) -> None:
    vault.people["0"]["phone"] = "+9"
    assert outcomes(applied(http, people(), tasks(2))) == {0: "drifted changed", 1: "written"}
    assert vault.people["0"]["phone"] == "+9"


def test_a_value_written_otherwise_is_no_drift(vault: Vault, http: Http) -> None:
    vault.people["0"]["city"] = "BONN"
    assert outcomes(applied(http, people(), tasks(1, city=("Bonn", "Köln")))) == {0: "written"}


def test_what_holds_the_value_already_is_not_written_again(vault: Vault, http: Http) -> None:
    vault.people["0"]["phone"] = "+2"
    assert outcomes(applied(http, people(), tasks(1))) == {0: "written already"}
    assert vault.batches == []


def test_a_record_that_is_gone_is_drifted(vault: Vault, http: Http) -> None:
    del vault.people["0"]
    assert outcomes(applied(http, people(), tasks(2))) == {0: "drifted gone", 1: "written"}


def test_one_field_may_drift_while_another_is_written(vault: Vault, http: Http) -> None:
    vault.people["0"]["phone"] = "+9"
    receipts = applied(http, people(), tasks(1, phone=("+1", "+2"), city=("Bonn", "Köln")))
    assert outcomes(receipts) == {0: "drifted changed", 1: "written"}
    assert (vault.people["0"]["phone"], vault.people["0"]["city"]) == ("+9", "Köln")


def test_an_address_somebody_changed_a_part_of_is_left_whole(vault: Vault, http: Http) -> None:
    """Else our street would stand beside their city: an address never mixes sources."""
    vault.people["0"]["city"] = "Ulm"
    todo = tasks(1, street=("Gasse 1", "Weg 2"), city=("Bonn", "Köln"), phone=("+1", "+2"))
    assert outcomes(applied(http, people(), todo)) == {0: "drifted changed", 1: "drifted changed", 2: "written"}
    assert vault.people["0"]["street"] == "Gasse 1"


def test_an_address_of_which_a_part_is_already_so_is_completed(vault: Vault, http: Http) -> None:
    vault.people["0"]["city"] = "Köln"
    todo = tasks(1, street=("Gasse 1", "Weg 2"), city=("Bonn", "Köln"))
    assert outcomes(applied(http, people(), todo)) == {0: "written", 1: "written already"}


def test_a_name_kept_as_one_text_is_written_whole(vault: Vault, http: Http) -> None:
    vault.reset({"0": {"first_name": "Ana", "last_name": "van Dyk"}})
    named = people(map_={"first_name": FullName("full", part="first"), "last_name": FullName("full", part="last")})
    applied(http, named, tasks(1, first_name=("Ana", "Anna")))
    assert vault.people["0"]["full"] == "Anna van Dyk"


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_refused_record_is_refused_alone_with_the_systems_words(vault: Vault, http: Http) -> None:
    vault.moods = {"3": "422"}
    receipts = applied(http, people(), tasks(10))
    assert Counter(outcomes(receipts).values()) == {"written": 9, "refused 422": 1}
    [refused] = [r for r in receipts if r.outcome is Outcome.REFUSED]
    assert (refused.ref, refused.message) == ("vault/people/3", "no")


def test_a_value_nobody_can_read_put_back_and_refused_takes_no_other_field_along(vault: Vault, http: Http) -> None:
    vault.moods = {"0": "no words", "1": "no words"}
    ref = Ref("vault", "people", "0")
    back = Change(ref, "phone", "+1", None, "undo", "contact_a", exact='"call Ute"')
    city = Change(ref, "city", "Bonn", "Köln", "undo", "contact_a", exact='"KÖLN"')
    [_, other] = tasks(2, phone=("+1", "+2"), city=("Bonn", "Köln"))
    receipts = applied(http, people(), [Task(str(ref), "0", "contact_a", ((0, back), (1, city))), other])
    assert outcomes(receipts) == {0: "refused 422", 1: "written", 2: "written", 3: "written"}
    [refused] = [r for r in receipts if r.outcome is Outcome.REFUSED]
    assert (refused.sent, refused.before, refused.message) == ({"phone": None}, {"phone": "+1"}, "that is no number")
    assert (vault.people["0"]["phone"], vault.people["0"]["city"]) == ("+1", "KÖLN")


@pytest.mark.parametrize(("bad", "calls"), [(0, 1 + 2 * 6), (31, 9), (63, 1 + 6 + 1)])
def test_splitting_isolates_one_bad_row_with_few_extra_calls(vault: Vault, http: Http, bad: int, calls: int) -> None:
    """64 halved six times; what must hold the bad row is not sent whole once more."""
    vault.moods = {str(bad): "poison"}
    receipts = applied(http, people(), tasks(64))
    assert outcomes(receipts)[bad].startswith("refused")
    assert Counter(o.split()[0] for o in outcomes(receipts).values()) == {"written": 63, "refused": 1}
    assert len(vault.batches) == calls


def test_a_row_the_system_says_is_newer_there_is_drifted(vault: Vault, http: Http) -> None:
    vault.moods = {"0": "412"}
    assert outcomes(applied(http, people(), tasks(2))) == {0: "drifted 412", 1: "written"}


# -- no answer -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["written, but 500", "written, but html", "written, but cut", "short"])
def test_a_write_whose_answer_was_lost_is_looked_at_and_found_written(vault: Vault, http: Http, lost: str) -> None:
    vault.manners = [lost]
    receipts = applied(http, people(), tasks(3))
    assert set(outcomes(receipts).values()) == {"written unanswered"}
    assert len(vault.batches) == 1, "nothing is written twice"


@pytest.mark.parametrize("status", ["500", "503"])
def test_a_write_without_answer_that_was_not_carried_out_is_deferred(vault: Vault, http: Http, status: str) -> None:
    vault.manners = [status]
    receipts = applied(http, people(batch=2), tasks(4))
    assert outcomes(receipts) == {0: "deferred unanswered", 1: "deferred unanswered", 2: "written", 3: "written"}
    assert vault.people["0"]["phone"] == "+1"


def test_rows_the_answer_does_not_mention_are_looked_at(vault: Vault, http: Http) -> None:
    def mentions_one(client: Http, rows: Sequence[Row]) -> Iterator[Answer]:
        yield next(iter(SEND(client, rows)))

    receipts = applied(http, people(update=mentions_one), tasks(3))
    assert outcomes(receipts) == {0: "written", 1: "written unanswered", 2: "written unanswered"}


def test_what_was_answered_before_a_call_failed_stands(vault: Vault, http: Http) -> None:
    """A vendor that takes one record a call may fail in the middle of a batch."""
    vault.manners = ["", "", "429"]
    one_by_one = people(update=Send1("PATCH", "/people/{id}"), batch=5)
    receipts = applied(http, one_by_one, tasks(5))
    assert list(outcomes(receipts).values()) == ["written", "written"] + ["deferred rate_limited"] * 3
    assert len(vault.batches) == 3


def test_when_the_present_can_not_be_seen_after_a_lost_answer_the_change_is_deferred(vault: Vault, http: Http) -> None:
    vault.manners, vault.looks = ["written, but 500"], ["", "400"]
    assert outcomes(applied(http, people(), tasks(1))) == {0: "deferred unanswered"}
    assert outcomes(applied(http, people(), tasks(1))) == {0: "written already"}, "the next run finds out"


# -- cannot now ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["400", "401", "403", "429", "html", "cut"])
def test_records_that_can_not_be_looked_at_are_deferred_and_the_others_go_on(
    vault: Vault, http: Http, answer: str
) -> None:
    vault.looks = [answer]
    receipts = applied(http, people(batch=20), tasks(40))
    assert list(outcomes(receipts).values()) == ["deferred could_not_look"] * 20 + ["written"] * 20
    assert vault.batches == [[str(n) for n in range(20, 40)]]


def test_a_look_nobody_can_read_spoils_nothing_but_itself(vault: Vault, http: Http) -> None:
    """Though several that come while one is being read are then read together."""
    several = threading.Event()

    def look(client: Http, ids: Sequence[str]) -> list[Page]:
        found = list(LOOK(client, ids))
        if len(vault.looked) == 3:
            several.set()
        return found

    def stumbles(pages: Iterable[Page]) -> Mapping[str, Present]:
        assert several.wait(10)
        found = read(pages)
        if "250" in found:
            raise ValueError("Anna Schmidt")
        return found

    receipts: list[Receipt] = []
    apply_stream(http, people(batch=20, parallel=20, look=look), tasks(300), stumbles, receipts.extend)
    ended = outcomes(receipts)
    assert Counter(ended.values()) == {"written": 200, "deferred could_not_look": 100}
    assert {n for n, what in ended.items() if what != "written"} == set(range(200, 300))
    assert "Anna" not in str([r.message for r in receipts])


def test_a_rate_limit_defers_the_batch_and_writes_nothing_twice(vault: Vault, http: Http) -> None:
    vault.manners = ["429"]
    receipts = applied(http, people(batch=2), tasks(4))
    assert list(outcomes(receipts).values()) == ["deferred rate_limited"] * 2 + ["written"] * 2


def test_a_write_the_token_may_not_do_is_deferred_and_says_so(vault: Vault, http: Http) -> None:
    vault.manners = ["403"]
    receipts = applied(http, people(), tasks(2))
    assert set(outcomes(receipts).values()) == {"deferred forbidden"}
    assert "rights" in receipts[0].message


@pytest.mark.parametrize("where", ["look", "update"])
def test_a_mistake_in_a_connector_defers_its_records_and_stops_nothing_else(
    vault: Vault, http: Http, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    somebody = "Anna Schmidt"

    def mistaken(client: Http, rows: Sequence[Any]) -> Iterator[Any]:
        raise KeyError(somebody)

    stream = people(look=mistaken) if where == "look" else people(update=mistaken)
    receipts = applied(http, stream, tasks(2))
    assert {r.outcome for r in receipts} == {Outcome.DEFERRED}
    assert outcomes(receipts).keys() == {0, 1}
    assert "KeyError" in receipts[0].message
    assert "in mistaken" in caplog.text, "the log says where"
    assert somebody not in caplog.text + receipts[0].message


def test_applying_the_same_plan_again_writes_nothing(vault: Vault, http: Http) -> None:
    applied(http, people(), tasks(5))
    vault.batches = []
    assert set(outcomes(applied(http, people(), tasks(5))).values()) == {"written already"}
    assert vault.batches == []


# -- whatever happens ------------------------------------------------------------------------------------------------

manners = st.sampled_from(
    [
        "",
        "",
        "400",
        "401",
        "403",
        "408",
        "429",
        "500",
        "503",
        "short",
        "written, but 500",
        "written, but html",
        "written, but cut",
    ]
)
moods = st.sampled_from(["", "", "", "poison", "404", "409", "412", "422", "429", "500"])
looks = st.sampled_from(["", "", "", "400", "401", "404", "429", "500", "html", "cut"])
presents = st.sampled_from(["+1", "+1", "+1", "+2", "+9", "gone"])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(presents, moods), min_size=1, max_size=12),
    st.lists(manners, max_size=6),
    st.lists(looks, max_size=4),
    st.sampled_from([1, 3, 100]),
    st.sampled_from([1, 3]),
)
def test_every_change_ends_in_exactly_one_outcome_and_it_is_true(
    records: list[tuple[str, str]], wrong: list[str], blind: list[str], batch: int, parallel: int
) -> None:
    with vault_for_all_examples() as (vault, http):
        start = {str(n): {"phone": p, "city": "Bonn"} for n, (p, _) in enumerate(records) if p != "gone"}
        vault.reset(start, wrong, {str(n): mood for n, (_, mood) in enumerate(records)}, blind)
        todo = tasks(len(records), phone=("+1", "+2"), city=("Bonn", "Köln"))

        receipts = applied(http, people(batch, parallel), todo)

        found = outcomes(receipts)
        assert found.keys() == set(range(2 * len(records)))
        for r in receipts:
            for field, value in r.sent.items():
                now = vault.people.get(r.ref.rpartition("/")[2], {}).get(field)
                if r.outcome is Outcome.WRITTEN:
                    assert now == value, "a receipt that says written is true"
                elif r.outcome is not Outcome.DEFERRED:
                    assert now != value, "what was refused or drifted was not written"
        for id_, person in vault.people.items():
            assert person["phone"] in ("+2", start[id_]["phone"]), "only planned values are written"
            assert start[id_]["phone"] != "+9" or person["phone"] == "+9", "somebody's edit is never overwritten"

        vault.manners, vault.looks, vault.moods = [], [], {}
        again = outcomes(applied(http, people(batch, parallel), todo))
        assert {o.split()[0] for o in again.values()} <= {"written", "drifted"}, "the next run brings it to its end"


_shared: list[Running] = []


@contextmanager
def vault_for_all_examples() -> Iterator[tuple[Vault, Http]]:
    """A fixture would be one for each test, which hypothesis minds."""
    if not _shared:
        _shared.append(Running([Vault()]).start())
    standin = _shared[0].standins["vault"]
    assert isinstance(standin, Vault)
    with Http("vault", _shared[0].urls["vault"], wait=lambda _: None) as http:
        yield standin, http

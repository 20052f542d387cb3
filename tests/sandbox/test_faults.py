"""Faults by name: each does what its name says to one stand-in, and is gone when it is switched off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from omnihub.sandbox import faults
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.faults import FAULTS, RowRefused
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sandbox.state import iso

SIZE = 5
PEOPLE = 12


class Acme(Standin):
    """A vendor made up for these tests: pages, a search, batches with a result for each row, CSV, tokens to be got."""

    system, role = "acme", "crm"
    rows_judged = "alone"

    def native_id(self, stream: str, n: int) -> str:
        return f"c-{n:03}"

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        return call.headers.get("authorization", "").removeprefix("Bearer ") in self.state.note("tokens", [])

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"problem": message}, {"Retry-After": f"{wait_s:.0f}"} if wait_s else {})

    @route("POST", "/login", open_=True)
    def login(self, call: Call) -> Reply:
        tokens = [*self.state.note("tokens", []), f"t-{len(self.state.note('tokens', []))}"]
        self.state.keep("tokens", tokens)
        return Reply(200, {"token": tokens[-1]})

    def shown(self, obj: Any) -> dict[str, Any]:
        return {"id": obj.id, **obj.body, "updated_at": obj.updated_at}

    @route("GET", "/people")
    def people(self, call: Call) -> Reply:
        start = int(call.param("offset", "0"))
        found = self.state.by_order("contacts", limit=SIZE, offset=start)
        return Reply(200, {"total": self.state.count("contacts"), "items": [self.shown(o) for o in found]})

    @route("GET", "/people.csv")
    def table(self, call: Call) -> Reply:
        rows = "".join(f"{o.id},{o.body['last_name']}\n" for o in self.state.by_order("contacts", limit=SIZE))
        return Reply(200, "id,last_name\n" + rows, content_type="text/csv")

    @route("GET", "/people.jsonl")
    def lines(self, call: Call) -> Reply:
        rows = "".join(json.dumps(self.shown(o)) + "\n" for o in self.state.by_order("contacts", limit=SIZE))
        return Reply(200, rows, content_type="application/jsonl")

    @route("GET", "/people/{id}")
    def one(self, call: Call) -> Reply:
        obj = self.state.get("contacts", call.path["id"])
        return Reply(200, self.shown(obj)) if obj else self.error(404)

    @route("PATCH", "/people")
    def batch(self, call: Call) -> Reply:
        return Reply(207, [self._written(row) for row in call.json()])

    def _written(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            self.judge_row()
        except RowRefused as no:
            return {"id": row["id"], "problem": str(no)}
        obj = self.state.get("contacts", row["id"])
        assert obj
        obj.body.update(row)
        self.state.save(obj)
        return {"id": obj.id, "problem": None}


class Office:
    """A served Acme, and somebody who calls it."""

    def __init__(self, standin: Acme, url: str) -> None:
        self.standin, self.url = standin, url
        self.renew()

    def renew(self) -> None:
        self.key = {"Authorization": f"Bearer {requests.post(f'{self.url}/login').json()['token']}"}

    def get(self, path: str = "/people", **more: Any) -> requests.Response:
        return requests.get(self.url + path, headers=self.key, timeout=more.pop("timeout", 5), **more)

    def write(self, *numbers: int, name: str = "Neu") -> requests.Response:
        rows = [{"id": f"c-{n:03}", "last_name": name} for n in numbers]
        return requests.patch(f"{self.url}/people", json=rows, headers=self.key, timeout=5)

    def held(self) -> list[str]:
        """The name of each person, as the system really holds it."""
        return [o.body["last_name"] for o in self.standin.state.by_order("contacts", limit=100)]

    def ids(self, **more: Any) -> list[str]:
        return [row["id"] for row in self.get(**more).json()["items"]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    standin = Acme(tmp_path / "acme.db", quotas=())
    long_ago = iso(datetime.now(UTC) - timedelta(days=1))
    standin.seed(
        Copy("crm", "contacts", n, {"last_name": f"Name {n}", "city": "Ulm"}, long_ago, long_ago)
        for n in range(1, PEOPLE + 1)
    )
    with Running([standin]) as running:
        yield Office(standin, running.urls["acme"])
    standin.state.close()


On = Callable[..., None]


@pytest.fixture
def on(office: Office) -> On:
    """Switch a fault on, for each call unless told otherwise."""

    def switch(name: str, rate: float = 1.0, **more: Any) -> None:
        office.standin.faults.switch_on(name, rate, **more)

    return switch


def test_there_are_fifteen_and_each_says_what_it_does() -> None:
    assert len(FAULTS) == 15
    assert all(name == fault.name and fault.says.endswith(".") for name, fault in FAULTS.items())


# -- instead of an answer --------------------------------------------------------------------------------------------


def test_429_storm_refuses_and_says_how_long_to_wait(office: Office, on: On) -> None:
    on("429 storm")
    answer = office.write(1)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "Neu" not in office.held()


def test_token_revoked_makes_the_token_worthless_and_a_new_one_works(office: Office, on: On) -> None:
    on("token revoked")
    assert office.get().status_code == 401
    office.standin.faults.switch_off()
    assert office.get().status_code == 401, "revoked is revoked"
    office.renew()
    assert office.get().status_code == 200


def test_token_revoked_leaves_a_token_that_is_a_setting_good_for_the_next_call(office: Office, on: On) -> None:
    class Fixed(Acme):
        credentials = {"token": "pat-1"}  # noqa: RUF012

        def authorized(self, call: Call) -> bool:
            return call.headers.get("authorization") == "Bearer pat-1"

    key = {"Authorization": "Bearer pat-1"}
    standin = Fixed(quotas=())
    with Running([standin]) as running:
        standin.faults.switch_on("token revoked", 1.0)
        assert requests.get(running.urls["acme"] + "/people", headers=key).status_code == 401
        standin.faults.switch_off()
        assert requests.get(running.urls["acme"] + "/people", headers=key).status_code == 200


# -- the line --------------------------------------------------------------------------------------------------------


def test_slow_answers_late_and_rightly(office: Office, on: On) -> None:
    on("slow", seconds=0.2)
    answer = office.get()
    assert answer.elapsed.total_seconds() >= 0.2
    assert len(answer.json()["items"]) == SIZE


def test_hang_never_answers_and_may_have_done_it_or_not(office: Office, on: On) -> None:
    on("hang", seconds=30)
    for n in range(1, 9):
        with pytest.raises(requests.Timeout):
            requests.patch(
                f"{office.url}/people", json=[{"id": f"c-{n:03}", "last_name": "Neu"}], headers=office.key, timeout=0.05
            )
    done = office.held().count("Neu")
    assert 0 < done < 8


def test_connection_reset_breaks_off_and_may_have_done_it_or_not(office: Office, on: On) -> None:
    on("connection reset")
    for n in range(1, 9):
        with pytest.raises(requests.ConnectionError, match="reset"):
            office.write(n)
    assert 0 < office.held().count("Neu") < 8


def test_truncated_body_is_cut_off_or_looks_as_if_that_were_all(office: Office, on: On) -> None:
    on("truncated body")
    ended: set[str] = set()
    for _ in range(8):
        try:
            office.get().json()
        except requests.exceptions.ChunkedEncodingError:
            ended.add("cut off")
        except requests.exceptions.JSONDecodeError:
            ended.add("half of it")
    assert ended == {"cut off", "half of it"}


# -- what is written -------------------------------------------------------------------------------------------------


def test_500_after_commit_is_written_all_the_same_and_spares_reads(office: Office, on: On) -> None:
    on("500 after commit")
    assert office.get().status_code == 200
    assert office.write(1, 2).status_code == 500
    assert office.held()[:3] == ["Neu", "Neu", "Name 3"]


def test_partial_batch_refuses_some_rows_and_says_which(office: Office, on: On) -> None:
    on("partial batch")
    told = [row["problem"] is None for row in office.write(*range(1, PEOPLE + 1)).json()]
    assert 0 < sum(told) < PEOPLE
    assert told == [name == "Neu" for name in office.held()]


def test_half_a_batch_lost_is_answered_as_written(office: Office, on: On) -> None:
    on("half a batch lost")
    told = [row["problem"] is None for row in office.write(*range(1, PEOPLE + 1)).json()]
    assert all(told)
    assert 0 < office.held().count("Neu") < PEOPLE


def test_clock_skew_shows_in_the_date_and_in_the_times_written_and_moves_no_other_call(office: Office, on: On) -> None:
    now = datetime.now(UTC)
    on("clock skew", seconds=300)
    off = {}
    for n in range(1, 9):
        date = parsedate_to_datetime(office.write(n).headers["Date"])
        wrote = office.standin.state.get("contacts", f"c-{n:03}")
        assert wrote
        off[n] = (datetime.fromisoformat(wrote.updated_at) - now).total_seconds()
        assert abs((date - now).total_seconds() - off[n]) < 5
    assert {round(s / 300) for s in off.values()} == {1, -1}
    office.standin.faults.switch_off()
    office.write(9)
    right = office.standin.state.get("contacts", "c-009")
    assert right
    assert abs((datetime.fromisoformat(right.updated_at) - now).total_seconds()) < 10


# -- what is seen ----------------------------------------------------------------------------------------------------


def test_stale_search_index_hides_the_last_seconds_from_lists_and_not_from_a_look(office: Office, on: On) -> None:
    on("stale search index", seconds=60)
    office.write(1)
    office.write(1, name="Neuer")
    office.standin.state.create("contacts", "c-099", {"last_name": "Frisch", "city": "Ulm"})
    listed = office.get().json()
    assert (listed["items"][0]["last_name"], listed["total"]) == ("Name 1", PEOPLE)
    assert office.get("/people/c-001").json()["last_name"] == "Neuer"
    office.standin.faults.switch_off()
    listed = office.get().json()
    assert (listed["items"][0]["last_name"], listed["total"]) == ("Neuer", PEOPLE + 1)


def test_stale_search_index_shows_what_is_older_than_its_lag(office: Office, on: On) -> None:
    on("stale search index", seconds=0.0001)
    office.write(1)
    assert office.get().json()["items"][0]["last_name"] == "Neu"


def test_late_write_visible_hides_it_from_a_look_too_and_writes_go_on(office: Office, on: On) -> None:
    on("late write visible", seconds=60)
    office.write(1)
    assert office.get("/people/c-001").json()["last_name"] == "Name 1"
    office.write(1, name="Neuer")
    assert office.get().json()["items"][0]["last_name"] == "Name 1"
    office.standin.faults.switch_off()
    assert office.get("/people/c-001").json()["last_name"] == "Neuer"


def test_duplicate_page_brings_rows_of_an_earlier_page_again(office: Office, on: On) -> None:
    on("duplicate page")
    office.get()
    second = office.ids(path="/people?offset=5")
    assert set(second) == {f"c-{n:03}" for n in range(1, 11)}
    assert set(office.ids(path="/people?offset=10")) == {f"c-{n:03}" for n in (11, 12, 6, 7)}


def test_shuffled_page_has_the_same_rows_in_another_order(office: Office, on: On) -> None:
    right = office.ids()
    on("shuffled page")
    shuffled = [office.ids() for _ in range(5)]
    assert all(sorted(ids) == right for ids in shuffled)
    assert any(ids != right for ids in shuffled)


def test_field_renamed_calls_one_field_otherwise_in_all_rows_and_never_the_key(office: Office, on: On) -> None:
    on("field renamed")
    for _ in range(6):
        rows = office.get().json()["items"]
        names = {frozenset(row) for row in rows}
        assert names in (
            {frozenset({"id", "updated_at", "last_name_v2", "city"})},
            {frozenset({"id", "updated_at", "last_name", "city_v2"})},
        )
    assert office.get("/people/c-001").json()["id"] == "c-001"


@pytest.mark.parametrize("path", ["/people.csv", "/people.jsonl"])
def test_results_of_jobs_are_shuffled_and_doubled_line_by_line(office: Office, on: On, path: str) -> None:
    right = office.get(path).text.splitlines()
    on("duplicate page")
    doubled = office.get(path).text.splitlines()
    rows = right[1:] if path.endswith("csv") else right
    assert [x.replace(" ", "") for x in doubled] == [x.replace(" ", "") for x in right + rows]


# -- chance, and switching -------------------------------------------------------------------------------------------


def test_a_rate_hits_that_share_of_the_calls_and_the_same_ones_each_time(tmp_path: Path) -> None:
    def hit() -> list[int]:
        acme = Acme(quotas=())
        acme.faults.switch_on("slow", 0.2, seed=7)
        return [n for n in range(1000) if acme.faults.hits(reads=lambda: True, logging_in=False)]

    assert hit() == hit()
    assert len(hit()) == 200
    assert len({n % 10 for n in hit()}) == 10, "which of ten is chance"


def test_a_fault_is_hit_by_its_own_dice_whatever_else_is_on() -> None:
    def hit(*others: str) -> list[int]:
        acme = Acme(quotas=())
        for name in ("slow", *others):
            acme.faults.switch_on(name, 0.3)
        hits = [acme.faults.hits(reads=lambda: True, logging_in=False) for _ in range(200)]
        return [n for n, found in enumerate(hits) if "slow" in {hit.fault.name for hit in found}]

    assert hit() == hit("hang", "429 storm")


def test_a_fault_switched_on_in_the_folder_reaches_a_served_stand_in_and_ends_with_the_file(
    office: Office, tmp_path: Path
) -> None:
    faults.switch_on(tmp_path, "429 storm", rate=1.0, systems=["acme"])
    assert office.get().status_code == 429
    faults.switch_off(tmp_path, "slow")
    assert office.get().status_code == 429
    faults.switch_off(tmp_path)
    assert office.get().status_code == 200
    faults.switch_on(tmp_path, "429 storm", rate=1.0, systems=["other"])
    assert office.get().status_code == 200
    faults.switch_on(tmp_path, "429 storm", rate=1.0)
    assert office.get().status_code == 429


def test_switching_off_one_system_leaves_the_others_on(tmp_path: Path) -> None:
    faults.switch_on(tmp_path, "slow", systems=["a", "b"])
    faults.switch_on(tmp_path, "hang", systems=["a"])
    faults.switch_off(tmp_path, "slow", ["a"])
    assert {s: set(on) for s, on in faults.switched_on(tmp_path).items()} == {"a": {"hang"}, "b": {"slow"}}
    faults.switch_off(tmp_path, systems=["a"])
    assert set(faults.switched_on(tmp_path)) == {"b"}

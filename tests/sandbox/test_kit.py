"""The kit stand-ins are made of, and what they remember: tokens, limits, edits, restarts, pages in order of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Call, Quota, Reply, Running, Standin, merge, route
from omnihub.sandbox.state import Obj, State, iso

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = {"Authorization": "Bearer acme"}


class Acme(Standin):
    """A vendor made up for these tests."""

    system, role = "acme", "crm"

    def native_id(self, stream: str, n: int) -> str:
        return f"{stream[0]}-{n}"

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"attributes": dict(fields)}

    def authorized(self, call: Call) -> bool:
        return call.headers.get("authorization") == "Bearer acme"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"problem": message}, {"Retry-After": f"{wait_s:.3f}"} if wait_s else {})

    def after(self, call: Call, reply: Reply) -> Reply:
        if self.quotas:
            reply.headers["X-Left"] = str(self.quotas[0].remaining())
        return reply

    @route("GET", "/things/{id}")
    def one(self, call: Call) -> Reply:
        found = self.state.get("accounts", call.path["id"])
        return Reply(200, found.body) if found and not found.deleted else self.error(404)

    @route("GET", "/things")
    def many(self, call: Call) -> Reply:
        return Reply(200, {"wanted": call.params("q"), "first": call.param("q", "none")})

    @route("POST", "/login", open_=True)
    def login(self, call: Call) -> Reply:
        return Reply(200, {"user": call.form()["user"]})


def account(n: int, name: str = "Weber GmbH", **more: Any) -> Copy:
    return Copy("crm", "accounts", n, {"name": name}, iso(NOON), iso(NOON), **more)


@pytest.fixture
def acme() -> Iterator[tuple[Acme, str]]:
    standin = Acme(quotas=())
    with Running([standin]) as run:
        yield standin, run.urls["acme"]


def test_a_call_without_the_token_is_refused_and_logins_are_not(acme: tuple[Acme, str]) -> None:
    _, url = acme
    assert requests.get(f"{url}/things").status_code == 401
    assert requests.get(f"{url}/things", headers=KEY).status_code == 200
    assert requests.post(f"{url}/login", data={"user": "anna"}).json() == {"user": "anna"}


def test_unknown_paths_and_methods_are_refused_in_the_vendors_own_words(acme: tuple[Acme, str]) -> None:
    _, url = acme
    missing = requests.get(f"{url}/nowhere", headers=KEY)
    assert (missing.status_code, missing.json()) == (404, {"problem": "no such path: GET /nowhere"})
    assert requests.delete(f"{url}/things", headers=KEY).json() == {"problem": "no such path: DELETE /things"}


def test_a_parameter_given_twice_arrives_twice(acme: tuple[Acme, str]) -> None:
    answer = requests.get(f"{acme[1]}/things?q=a&q=&q=b", headers=KEY).json()
    assert answer == {"wanted": ["a", "", "b"], "first": "a"}


def test_seeded_copies_are_served_in_the_vendors_shape(acme: tuple[Acme, str]) -> None:
    standin, url = acme
    copies = [account(1), Copy("crm", "contacts", 7, {"last_name": "Weber", "account": 1}, iso(NOON), iso(NOON))]
    assert standin.seed(copies) == 2
    assert requests.get(f"{url}/things/a-1", headers=KEY).json() == {"attributes": {"name": "Weber GmbH"}}
    contact = standin.state.get("contacts", "c-7")
    assert contact is not None
    assert contact.body["attributes"]["account"] == "a-1", "links become ids of the vendor's shape"


def test_a_deleted_copy_is_remembered_but_is_no_part_of_the_dump(acme: tuple[Acme, str]) -> None:
    standin, url = acme
    standin.seed([account(1), account(2, deleted=True, merged_into=1)])
    gone = standin.state.get("accounts", "a-2")
    assert gone is not None
    assert (gone.deleted, gone.merged_into) == (True, "a-1")
    assert requests.get(f"{url}/things/a-2", headers=KEY).status_code == 404
    assert standin.dump() == {"accounts": {"a-1": {"attributes": {"name": "Weber GmbH"}}}}


def test_an_edit_changes_its_fields_and_nothing_else(acme: tuple[Acme, str]) -> None:
    standin, url = acme
    standin.seed([account(1)])
    standin.edit("accounts", "a-1", {"phone": "+497111234567"})
    assert requests.get(f"{url}/things/a-1", headers=KEY).json()["attributes"] == {
        "name": "Weber GmbH",
        "phone": "+497111234567",
    }
    found = standin.state.get("accounts", "a-1")
    assert found is not None
    assert found.version == 2
    assert found.updated_at > iso(NOON)


def test_an_edit_of_nothing_says_which_record_is_missing(acme: tuple[Acme, str]) -> None:
    with pytest.raises(KeyError, match="acme/accounts/a-9"):
        acme[0].edit("accounts", "a-9", {"name": "x"})


def test_calls_are_noted_with_their_status(acme: tuple[Acme, str]) -> None:
    standin, url = acme
    requests.get(f"{url}/things", headers=KEY)
    requests.get(f"{url}/things/a-1", headers=KEY)
    assert list(standin.calls) == [("GET", "/things", 200), ("GET", "/things/a-1", 404)]


def test_patches_go_deep_and_replace_what_is_no_object() -> None:
    into = {"a": {"b": 1, "c": [1, 2]}, "d": "text"}
    merge(into, {"a": {"c": [3]}, "d": {"e": None}})
    assert into == {"a": {"b": 1, "c": [3]}, "d": {"e": None}}


# -- limits -----------------------------------------------------------------------------------------------------------


def test_a_call_too_many_is_refused_with_the_time_to_wait() -> None:
    with Running([Acme(quotas=[Quota(2, per_s=60)])]) as run:
        url = run.urls["acme"]
        answers = [requests.get(f"{url}/things", headers=KEY) for _ in range(3)]
    assert [x.status_code for x in answers] == [200, 200, 429]
    assert [x.headers["X-Left"] for x in answers] == ["1", "0", "0"]
    assert 50 < float(answers[2].headers["Retry-After"]) <= 60


def test_a_window_opens_again_when_its_oldest_call_is_old_enough() -> None:
    quota = Quota(2, per_s=10)
    assert [quota.refusal_s(t, "/x") for t in (0.0, 4.0)] == [None, None]
    assert quota.refusal_s(6.0, "/x") == 4.0
    assert quota.refusal_s(10.0, "/x") is None
    assert quota.refusal_s(11.0, "/x") == 3.0


def test_a_penalty_shuts_everyone_out_until_it_is_over() -> None:
    quota = Quota(1, per_s=1, penalty_s=30)
    assert quota.refusal_s(0.0, "/x") is None
    assert quota.refusal_s(0.5, "/x") == 30
    assert quota.refusal_s(10.5, "/x") == 20.0
    assert quota.refusal_s(31.0, "/x") is None


def test_a_limit_counts_only_the_paths_it_is_for() -> None:
    quota = Quota(1, per_s=60, matches="/search")
    assert quota.refusal_s(0.0, "/search/contacts") is None
    assert [quota.refusal_s(1.0, "/contacts") for _ in range(5)] == [None] * 5
    assert quota.refusal_s(2.0, "/search/deals") is not None


# -- what is remembered -----------------------------------------------------------------------------------------------


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    first = Acme(tmp_path / "acme.db", now=lambda: NOON, quotas=())
    first.seed([account(1), account(2, deleted=True)])
    first.state.create("accounts", "a-3", {"attributes": {"name": "Neu AG"}})
    first.edit("accounts", "a-1", {"name": "Weber AG"})
    first.state.keep("jobs", {"7": "done"})
    before = list(first.state.all())
    first.state.close()

    second = Acme(tmp_path / "acme.db", now=lambda: NOON, quotas=())
    assert list(second.state.all()) == before
    assert second.state.note("jobs") == {"7": "done"}
    assert second.state.next_n("accounts") == 4


def test_the_clock_never_says_the_same_twice() -> None:
    stopped = State(now=lambda: NOON)
    ticks = [stopped.tick() for _ in range(1000)]
    assert len(set(ticks)) == 1000
    assert ticks == sorted(ticks)
    hours = iter([NOON, NOON - timedelta(hours=1), NOON + timedelta(hours=1)])
    wandering = State(now=lambda: next(hours))
    ticks = [wandering.tick() for _ in range(3)]
    assert ticks == sorted(set(ticks)), "also when the clock is set back"


def test_a_broken_load_leaves_nothing_behind() -> None:
    state = State()

    def half() -> Iterator[Obj]:
        yield Obj("accounts", "a-1", 1, {}, iso(NOON), iso(NOON))
        raise ValueError("cut short")

    with pytest.raises(ValueError, match="cut short"):
        state.load(half())
    assert state.count("accounts", deleted=None) == 0
    state.create("accounts", "a-1", {})  # and the store can be written to again


@given(
    times=st.lists(st.integers(0, 4), max_size=40),
    dead=st.sets(st.integers(0, 39)),
    limit=st.integers(1, 7),
    since=st.integers(0, 4),
)
def test_pages_by_time_miss_nothing_and_repeat_nothing(
    times: list[int], dead: set[int], limit: int, since: int
) -> None:
    state = State()
    at = [iso(NOON + timedelta(seconds=t)) for t in times]  # few moments, so most share theirs with others
    state.load(Obj("contacts", f"{n * 37 % 101}", n, {}, at[n], at[n], deleted=n in dead) for n in range(len(times)))
    start = iso(NOON + timedelta(seconds=since))
    read: list[tuple[str, str]] = []
    while True:
        page = state.by_time("contacts", since=start, after=read[-1] if read else None, limit=limit)
        read += [(x.updated_at, x.id) for x in page]
        if len(page) < limit:
            break
    living = [(at[n], f"{n * 37 % 101}") for n in range(len(times)) if n not in dead and at[n] >= start]
    assert read == sorted(living)
    state.close()


def test_pages_by_order_follow_creation_and_skip_the_dead() -> None:
    state = State(now=lambda: NOON)
    for n in range(1, 8):
        state.create("contacts", f"c-{9 - n}", {"n": n})
    dead = state.get("contacts", "c-6")
    assert dead is not None
    dead.deleted = True
    state.save(dead)
    first = state.by_order("contacts", limit=3)
    rest = state.by_order("contacts", after=first[-1].n, limit=10)
    assert [x.n for x in first + rest] == [1, 2, 4, 5, 6, 7]
    assert state.count("contacts") == 6
    assert state.count("contacts", deleted=True) == 1


def test_objects_are_found_by_a_value_inside_them() -> None:
    state = State()
    state.create("contacts", "c-1", {"person": {"email": "Anna@Weber.de"}})
    state.create("contacts", "c-2", {"person": {"email": "tom@weber.de"}})
    assert [x.id for x in state.find("contacts", "$.person.email", "tom@weber.de")] == ["c-2"]
    assert state.find("contacts", "$.person.email", "anna@weber.de") == []
    assert [x.id for x in state.find("contacts", "$.person.email", "anna@weber.de", nocase=True)] == ["c-1"]


def test_forgetting_everything_forgets_notes_too() -> None:
    state = State()
    state.create("contacts", "c-1", {})
    state.keep("token", "x")
    state.clear()
    assert (list(state.all()), state.note("token", "none")) == ([], "none")

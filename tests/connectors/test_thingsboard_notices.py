"""ThingsBoard: the hub's findings as alarms, raised once, cleared, and read back when somebody clears one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.thingsboard import connector
from connectors.thingsboard.notices import SETTLED
from connectors.thingsboard.sandbox import TENANT, ThingsBoardStandin
from omnihub.model import Outcome
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Running
from omnihub.sdk import Http, Want, open_client
from omnihub.sdk.reporting import Notice, Standing

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BORN = "2026-01-01T00:00:00+00:00"
PETRA = "Petra Vogt"
place = connector.place
assert place
assert place.read


class Tenant:
    """A tenant with a customer and two devices, one of which has raised an alarm."""

    def __init__(self, run: Running) -> None:
        standin = run.standins["thingsboard"]
        assert isinstance(standin, ThingsBoardStandin)
        self.standin = standin
        standin.state.clear()
        standin.now = lambda: NOW
        standin.seed(
            [
                Copy("iot", "customers", 1, {"name": "Müller GmbH", "email": "info@mueller.example"}, BORN, BORN),
                *(Copy("iot", "devices", n, {"serial": f"SN-{n}", "account": 1}, BORN, BORN) for n in (1, 2)),
                Copy("iot", "alarms", 1, {"kind": "Leak", "at": BORN, "device": 2, "detail": "wet"}, BORN, BORN),
            ]
        )
        self.http: Http = open_client(connector, {"url": run.urls["thingsboard"], **standin.credentials})
        self.http.budget = None

    def notice(self, title: str, stream: str = "devices", n: int | None = 1, key: str = "omnihub-1") -> Notice:
        ref_id = self.standin.native_id(stream, n) if n else None
        return Notice(key, ref_id, stream, title, f"- {title}", "high", {"kind": "value_differs"})

    def put(self, *notices: Notice, id_: str | None = None) -> list[str]:
        assert place
        answers = list(place.put(self.http, [(notice, id_) for notice in notices]))
        assert {answer.outcome for answer in answers} == {Outcome.WRITTEN}
        return [str(answer.id) for answer in answers]

    def seen(self, id_: str | None = None, key: str = "omnihub-1") -> list[tuple[Standing, str]]:
        assert place
        assert place.read
        return [(one.state, one.by) for one in place.read(self.http, [(key, id_)])]

    def clear(self, id_: str | None = None) -> list[Outcome]:
        assert place
        return [answer.outcome for answer in place.clear(self.http, [("omnihub-1", id_)])]

    def alarms(self, *, active: bool = False) -> list[dict[str, Any]]:
        shown = self.http.get_ok("/api/v2/alarms", params={"pageSize": 100, "page": 0}).json()["data"]
        return [a for a in shown if a["type"].startswith("CONSISTENCY") and not (active and a["cleared"])]


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with Running([ThingsBoardStandin(quotas=())]) as run:
        yield run


@pytest.fixture
def tenant(served: Running) -> Tenant:
    return Tenant(served)


def test_a_finding_is_one_alarm_of_its_device_changed_in_place(tenant: Tenant) -> None:
    [first] = tenant.put(tenant.notice("Erst"))
    assert tenant.put(tenant.notice("Dann"), id_=first) == [first]
    assert tenant.put(tenant.notice("Zuletzt")) == [first]  # the hub may have lost the id
    [alarm] = tenant.alarms()
    assert alarm["originator"] == {"entityType": "DEVICE", "id": tenant.standin.native_id("devices", 1)}
    assert (alarm["type"], alarm["severity"]) == ("CONSISTENCY omnihub-1", "MAJOR")
    assert (alarm["details"]["title"], alarm["details"]["message"]) == ("Zuletzt", "- Zuletzt")


def test_several_findings_about_one_thing_do_not_replace_each_other(tenant: Tenant) -> None:
    ids = tenant.put(*(tenant.notice("Name", key=f"omnihub-{n}") for n in (1, 2)))
    assert len(set(ids)) == 2
    assert len(tenant.alarms()) == 2


def test_what_is_about_a_customer_an_alarm_or_nothing_in_particular_is_shown_where_that_is(tenant: Tenant) -> None:
    about = (("customers", 1), ("alarms", 1), ("devices", None))
    tenant.put(*(tenant.notice("x", stream, n, f"omnihub-{stream}") for stream, n in about))
    where = {alarm["type"].split("-")[-1]: alarm["originator"] for alarm in tenant.alarms()}
    assert where == {
        "customers": {"entityType": "CUSTOMER", "id": tenant.standin.native_id("customers", 1)},
        "alarms": {"entityType": "DEVICE", "id": tenant.standin.native_id("devices", 2)},
        "devices": {"entityType": "TENANT", "id": TENANT},
    }


def test_what_came_to_be_about_several_records_leaves_the_first(tenant: Tenant) -> None:
    tenant.put(tenant.notice("one"))
    tenant.put(tenant.notice("many", n=None))
    [alarm] = tenant.alarms()
    assert alarm["originator"]["entityType"] == "TENANT"


def test_the_hubs_alarms_are_not_read_as_alarms_of_devices(tenant: Tenant) -> None:
    tenant.put(tenant.notice("x"))
    pull = connector.stream("alarms").pull
    assert pull
    for since in (None, "1600000000000"):
        [page] = pull(tenant.http, Want(since, since is None, NOW))
        assert [json.loads(record.raw)["type"] for record in page.records] == ["Leak"]


def test_what_is_put_right_is_cleared_once_and_says_nothing_any_more(tenant: Tenant) -> None:
    [id_] = tenant.put(tenant.notice("x"))
    assert tenant.clear() == [Outcome.WRITTEN]
    dump = tenant.standin.dump()
    assert tenant.clear(id_) == [Outcome.WRITTEN]
    assert tenant.standin.dump() == dump
    [alarm] = tenant.alarms()
    assert (alarm["cleared"], alarm["details"]) == (True, {"message": SETTLED})


def test_acknowledged_is_still_open_and_cleared_is_a_decision_with_a_name(tenant: Tenant) -> None:
    [id_] = tenant.put(tenant.notice("x"))
    tenant.standin.edit_as(PETRA, "alarms", id_, {"acknowledged": True})
    assert tenant.seen(id_) == [(Standing.OPEN, "")]
    tenant.put(tenant.notice("y"))
    assert tenant.alarms()[0]["acknowledged"]
    tenant.standin.edit_as(PETRA, "alarms", id_, {"cleared": True})
    assert tenant.seen() == [(Standing.CLOSED, PETRA)]


def test_what_comes_back_after_it_was_cleared_is_raised_again(tenant: Tenant) -> None:
    [id_] = tenant.put(tenant.notice("x"))
    tenant.standin.edit_as(PETRA, "alarms", id_, {"cleared": True})
    [again] = tenant.put(tenant.notice("x"), id_=id_)
    assert again != id_
    assert tenant.put(tenant.notice("y")) == [again]
    assert len(tenant.alarms(active=True)) == 1
    assert tenant.seen(again) == [(Standing.OPEN, "")]


def test_one_that_somebody_deleted_is_gone_and_made_anew(tenant: Tenant) -> None:
    [id_] = tenant.put(tenant.notice("x"))
    tenant.http.delete(f"/api/alarm/{id_}")
    assert tenant.seen(id_) == []
    assert tenant.clear(id_) == [Outcome.WRITTEN]
    tenant.put(tenant.notice("x"), id_=id_)
    assert len(tenant.alarms()) == 1


def test_one_about_a_device_that_is_gone_is_refused_and_the_others_are_raised(tenant: Tenant) -> None:
    tenant.http.delete(f"/api/device/{tenant.standin.native_id('devices', 1)}")
    notices = [tenant.notice("x"), tenant.notice("y", "devices", 2, "omnihub-2")]
    assert place
    answers = list(place.put(tenant.http, [(notice, None) for notice in notices]))
    assert [answer.outcome for answer in answers] == [Outcome.REFUSED, Outcome.WRITTEN]


def test_taken_away_nothing_of_it_is_left(tenant: Tenant) -> None:
    before = tenant.standin.dump()
    [id_] = tenant.put(tenant.notice("x"))
    tenant.standin.edit_as(PETRA, "alarms", id_, {"cleared": True})
    tenant.put(tenant.notice("x"), tenant.notice("many", n=None, key="omnihub-2"))
    assert place
    told = [("omnihub-1", None), ("omnihub-2", None)]
    for _ in range(2):
        assert [answer.outcome for answer in place.remove(tenant.http, told)] == [Outcome.WRITTEN] * 2
    assert tenant.standin.dump() == before

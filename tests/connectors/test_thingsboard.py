"""ThingsBoard: what is read and written, and that its stand-in keeps to the official contract."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from typing import Any

import pytest
import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.validation.response.exceptions import InvalidData

from connectors.thingsboard import NOBODY, connector
from connectors.thingsboard.attributes import HUB_ID, Attributes, Telemetry, read_attributes, write_attributes
from connectors.thingsboard.sandbox import TENANT, ThingsBoardStandin
from connectors.thingsboard.saving import raise_alarms
from omnihub.errors import ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Op, Outcome
from omnihub.sandbox.copies import HELD, Copy
from omnihub.sandbox.kit import Call, Quota, Reply, Running
from omnihub.sdk import Answer, Http, Link, LoginToken, Page, Row, Want, open_client, value_at
from omnihub.sdk.reporting import Notice

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CUSTOMER = {
    "name": "Müller GmbH",
    "email": "info@mueller.example",
    "phone": "+49 30 1234567",
    "street": "Hauptstraße 1",
    "postal_code": "10115",
    "city": "Berlin",
    "region": "Berlin",
    "country": "DE",
}


def born(n: int) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n)).isoformat()


def customer(n: int, *, deleted: bool = False, merged_into: int | None = None, **fields: Any) -> Copy:
    return Copy(
        "iot", "customers", n, CUSTOMER | {"name": f"Customer {n}"} | fields, born(n), born(n), deleted, merged_into
    )


def device(n: int, **fields: Any) -> Copy:
    usual = {"serial": f"SN-{n:05}", "sku": "PU-0001", "name": f"Pump {n}", "account": 1, "status": "active"}
    return Copy("iot", "devices", n, usual | {"installed_on": "2025-05-01"} | fields, born(n), born(n))


def alarm(n: int, **fields: Any) -> Copy:
    usual = {"kind": "High temperature", "at": born(n), "device": 1, "detail": "81 °C"}
    return Copy("iot", "alarms", n, usual | fields, born(n), born(n))


class Tenant:
    """A tenant being served, and the connector's client for it."""

    def __init__(self, run: Running, standin: ThingsBoardStandin) -> None:
        self.standin, self.url = standin, run.urls["thingsboard"]
        self.settings = {"url": self.url, **standin.credentials}
        self.http = self.client()

    def client(self, **settings: str) -> Http:
        http: Http = open_client(connector, self.settings | settings)
        http.budget = None  # the stand-in has no limits here either
        return http

    def pull(self, stream: str, since: str | None = None, complete: bool = False) -> list[Page]:
        return list(self.pages(stream, since, complete))

    def pages(self, stream: str, since: str | None = None, complete: bool = False) -> Iterator[Page]:
        pull = connector.stream(stream).pull
        assert pull
        return pull(self.http, Want(since, complete, NOW))

    def look(self, *ids: str, stream: str = "customers") -> list[Any]:
        push = connector.stream(stream).push
        assert push
        return [json.loads(r.raw) for page in push.look(self.http, ids) for r in page.records]

    def row(self, n: int, fields: Mapping[str, str | None], stream: str = "customers") -> Row:
        """A change of the n-th record, as the hub makes it after looking."""
        id_ = self.standin.native_id(stream, n)
        [raw] = self.look(id_, stream=stream)
        body = connector.stream(stream).fields.body(fields)
        return Row(n, Op.UPDATE, id_, body, fields, {}, "golden", raw)

    def write(self, *rows: Row, stream: str = "customers") -> list[Answer]:
        push = connector.stream(stream).push
        assert push
        return list(push.update(self.http, rows))

    def create(self, *rows: Row, stream: str = "customers") -> list[Answer]:
        push = connector.stream(stream).push
        assert push
        assert push.create
        return list(push.create(self.http, rows))

    def forget(self, *ids: str) -> list[Answer]:
        push = connector.stream("customers").push
        assert push
        assert push.erase
        return list(push.erase(self.http, [Row(n, Op.UPDATE, id_, {}, {}, {}, "g") for n, id_ in enumerate(ids)]))

    def find(self, *keys: str, stream: str = "customers") -> list[str | None]:
        push = connector.stream(stream).push
        assert push
        assert push.find
        return ids(list(push.find(self.http, keys)))


def ids(pages: list[Page]) -> list[str | None]:
    return [r.id for page in pages for r in page.records]


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    """One server for all of these tests: starting and stopping it takes longer than most of them."""
    with Running([ThingsBoardStandin(quotas=())]) as run:
        yield run


@pytest.fixture
def tenant(request: pytest.FixtureRequest, served: Running) -> Tenant:
    standin = served.standins["thingsboard"]
    assert isinstance(standin, ThingsBoardStandin)
    standin.state.clear()
    standin.calls.clear()
    standin.quotas, standin.options, standin.now = [], getattr(request, "param", {}), lambda: NOW
    return Tenant(served, standin)


def paths(tenant: Tenant) -> list[str]:
    return [path for _, path, _ in tenant.standin.calls]


# -- pull --------------------------------------------------------------------------------------------------------


def test_a_complete_pull_shows_every_living_customer_page_by_page(tenant: Tenant) -> None:
    tenant.standin.seed([customer(n) for n in range(1, 2501)])
    pages = tenant.pull("customers")
    assert [len(p.records) for p in pages] == [1000, 1000, 500]
    assert ids(pages) == [tenant.standin.native_id("customers", n) for n in range(1, 2501)]
    assert [p.complete for p in pages] == [False, False, True]
    assert {p.total for p in pages} == {2500}


def test_an_empty_stream_is_one_empty_and_complete_page(tenant: Tenant) -> None:
    for stream in ("customers", "devices", "alarms"):
        [page] = tenant.pull(stream)
        assert (list(page.records), page.complete, page.cursor) == ([], True, None)


def test_customers_and_devices_are_always_read_whole(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), device(1)])
    for stream in ("customers", "devices"):
        [page] = tenant.pull(stream, since="whatever")
        assert (len(page.records), page.complete) == (1, True)


def test_records_are_the_bytes_that_came_over_the_wire(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2)])
    [page] = tenant.pull("customers")
    assert [r.pointer for r in page.records] == ["/data/0", "/data/1"]
    assert all(r.raw in tenant.http.last().content for r in page.records)
    assert "Hauptstraße".encode() in page.records[0].raw


def test_deleted_and_merged_customers_are_gone(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2, deleted=True), customer(3, merged_into=1)])
    pages = tenant.pull("customers")
    assert ids(pages) == [tenant.standin.native_id("customers", 1)]
    assert pages[-1].complete


def test_a_pass_during_which_a_record_was_deleted_proves_nothing(tenant: Tenant) -> None:
    tenant.standin.seed([customer(n) for n in range(1, 1501)])
    pages = tenant.pages("customers")
    first = next(pages)
    tenant.http.delete(f"/api/customer/{tenant.standin.native_id('customers', 1)}")
    shown = [first, *pages]
    assert tenant.standin.native_id("customers", 1001) not in ids(shown)  # moved up into the page already read
    assert not shown[-1].complete
    assert tenant.pull("customers")[-1].complete


def test_alarms_raised_since_the_cursor_are_read_and_no_others(tenant: Tenant) -> None:
    tenant.standin.seed([device(1), *(alarm(n) for n in range(1, 1201))])
    pages = tenant.pull("alarms")
    assert [len(p.records) for p in pages] == [1000, 200]
    cursor = pages[-1].cursor
    assert cursor == str(int(datetime.fromisoformat(born(1200)).timestamp() * 1000))
    tenant.standin.seed([alarm(1201)])
    again = tenant.pull("alarms", since=cursor)
    assert ids(again) == [tenant.standin.native_id("alarms", n) for n in (1200, 1201)]
    assert not again[-1].complete


def test_a_cursor_is_not_moved_by_a_pass_in_which_an_alarm_was_deleted(tenant: Tenant) -> None:
    tenant.standin.seed([device(1), *(alarm(n) for n in range(1, 1101))])
    pages = tenant.pages("alarms")
    next(pages)
    tenant.http.delete(f"/api/alarm/{tenant.standin.native_id('alarms', 1)}")
    assert list(pages)[-1].cursor is None


def test_what_becomes_of_an_alarm_is_the_blind_spot(tenant: Tenant) -> None:
    tenant.standin.seed([device(1), alarm(1), alarm(2)])
    tenant.http.post(f"/api/alarm/{tenant.standin.native_id('alarms', 1)}/clear")
    assert tenant.standin.native_id("alarms", 1) not in ids(tenant.pull("alarms", since=str(_ms(born(2)))))
    [page] = tenant.pull("alarms", complete=True)
    assert json.loads(page.records[0].raw)["status"] == "CLEARED_UNACK"
    assert "cleared" in connector.stream("alarms").blind
    assert connector.stream("alarms").full_every


def _ms(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1000)


# -- logging in, and refusals --------------------------------------------------------------------------------------


def test_one_login_serves_many_calls(tenant: Tenant) -> None:
    tenant.pull("customers")
    tenant.pull("devices")
    assert paths(tenant).count("/api/auth/login") == 1


def test_an_expired_token_is_replaced(tenant: Tenant) -> None:
    tenant.pull("customers")
    tenant.standin.now = lambda: NOW + timedelta(hours=3)
    assert tenant.pull("customers")[-1].complete
    assert [p for p in paths(tenant) if "auth" in p] == ["/api/auth/login", "/api/auth/token"]


def test_when_the_refresh_token_has_run_out_too_the_password_is_sent_again(tenant: Tenant) -> None:
    tenant.pull("customers")
    tenant.standin.now = lambda: NOW + timedelta(days=8)
    assert tenant.pull("customers")[-1].complete
    assert paths(tenant).count("/api/auth/login") == 2


@pytest.mark.parametrize("tenant", [{"token_lasts_s": 60}], indirect=True)
def test_a_token_lasts_as_long_as_it_says_itself(tenant: Tenant) -> None:
    clock = [1000.0]
    auth = connector.auth
    assert isinstance(auth, LoginToken)
    tenant.http.token = replace(auth, clock=lambda: clock[0]).token(tenant.settings)
    tenant.pull("customers")
    clock[0] += 90
    tenant.pull("customers")
    assert [p for p in paths(tenant) if "auth" in p] == ["/api/auth/login", "/api/auth/token"]


def test_an_expired_token_has_a_code_of_its_own(tenant: Tenant) -> None:
    token = requests.post(f"{tenant.url}/api/auth/login", json=dict(tenant.standin.credentials), timeout=5).json()

    def asked(access: str) -> Any:
        headers = {"X-Authorization": f"Bearer {access}"}
        answer = requests.get(f"{tenant.url}/api/auth/user", headers=headers, timeout=5)
        return answer.status_code, answer.json().get("errorCode")

    assert asked(token["token"]) == (200, None)
    assert asked("made.up.token") == (401, 10)
    tenant.standin.now = lambda: NOW + timedelta(hours=3)
    assert asked(token["token"]) == (401, 11)
    renewed = requests.post(f"{tenant.url}/api/auth/token", json={"refreshToken": token["refreshToken"]}, timeout=5)
    assert asked(renewed.json()["token"]) == (200, None)


def test_a_wrong_password_is_a_matter_of_settings(tenant: Tenant) -> None:
    tenant.http = tenant.client(password="not this one")
    with pytest.raises(ConfigError, match="the setting password"):
        tenant.pull("customers")


def test_a_rate_limit_is_waited_for(tenant: Tenant) -> None:
    tenant.standin.seed([customer(n) for n in range(1, 1501)])
    quota = Quota(2, per_s=1)
    tenant.standin.quotas = [quota]
    waits: list[float] = []

    def a_moment_passes(wait_s: float) -> None:
        waits.append(wait_s)
        quota.made.clear()

    tenant.http.wait = a_moment_passes
    assert len(ids(tenant.pull("customers"))) == 1500
    assert len(waits) == 1


def test_a_tenants_limit_that_lasts_is_rate_limited() -> None:
    standin = ThingsBoardStandin(quotas=(), tenant_limit="1:60")
    with Running([standin]) as run:
        tenant = Tenant(run, standin)
        tenant.http.wait = lambda wait_s: None
        with pytest.raises(RateLimited):
            tenant.pull("customers")
        assert tenant.http.last().json()["errorCode"] == 33


def test_the_limits_are_kept_below_the_vendors() -> None:
    for ours, theirs in zip(connector.limits, ThingsBoardStandin.default_quotas(), strict=True):
        assert (ours.per_s, ours.calls < theirs.calls) == (theirs.per_s, True)


# -- map ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["customers", "devices", "alarms"])
def test_every_field_this_system_holds_is_mapped(stream: str) -> None:
    assert set(connector.stream(stream).map) >= set(HELD["iot", stream])


def test_what_was_seeded_is_found_at_the_paths_of_the_map(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), device(1), alarm(1)])

    def read(stream: str) -> dict[str, Any]:
        [page] = tenant.pull(stream)
        return {name: value_at(page.records[0].raw, p.path) for name, p in connector.stream(stream).fields.items()}

    assert read("customers") == CUSTOMER | {"name": "Customer 1"}
    assert read("devices") == {
        "serial": "SN-00001",
        "sku": "PU-0001",
        "name": "Pump 1",
        "account": tenant.standin.native_id("customers", 1),
        "installed_on": "2025-05-01",
        "status": "ACTIVE",
    }
    assert read("alarms") == {
        "kind": "High temperature",
        "at": _ms(born(1)),
        "device": tenant.standin.native_id("devices", 1),
        "detail": "81 °C",
    }


def test_a_device_without_a_customer_names_nobody_and_the_map_knows(tenant: Tenant) -> None:
    tenant.standin.seed([device(1, account=None)])
    [page] = tenant.pull("devices")
    assert value_at(page.records[0].raw, "customerId.id") == NOBODY
    owner = connector.stream("devices").fields["account"]
    assert isinstance(owner, Link)
    assert owner.nobody == NOBODY


def test_junk_is_held_as_it_was_typed(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1, phone="n/a", name="x" * 300, country="Deutschland")])
    [raw] = tenant.look(tenant.standin.native_id("customers", 1))
    assert (raw["phone"], len(raw["title"]), raw["country"]) == ("n/a", 300, "Deutschland")


# -- push --------------------------------------------------------------------------------------------------------

NEW = {
    "email": "hello@mueller.example",
    "phone": "+49301234567",
    "street": "Neue Straße 2",
    "postal_code": "20095",
    "city": "Hamburg",
    "region": "Hamburg",
    "country": "AT",
}


def test_every_writable_field_is_written_and_read_back(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1)])
    push = connector.stream("customers").push
    assert push
    assert set(push.fields) == set(NEW)
    [answer] = tenant.write(tenant.row(1, NEW))
    assert answer.outcome is Outcome.WRITTEN
    [page] = tenant.pull("customers")
    map_ = connector.stream("customers").fields
    assert {name: value_at(page.records[0].raw, map_[name].path) for name in NEW} == NEW
    assert value_at(page.records[0].raw, "title") == "Customer 1"


def test_only_what_changes_is_changed(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1)])
    before = tenant.look(tenant.standin.native_id("customers", 1))[0]
    tenant.write(tenant.row(1, {"city": "Hamburg"}))
    after = tenant.look(tenant.standin.native_id("customers", 1))[0]
    assert {k: v for k, v in after.items() if before.get(k) != v} == {"city": "Hamburg", "version": 2}


def test_a_write_and_its_undo_leave_the_system_as_it_was(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1, region=None, email=None)])
    before = tenant.standin.dump()
    tenant.write(tenant.row(1, {"region": "Berlin", "email": "a@b.example"}))
    assert tenant.standin.dump() != before
    tenant.write(tenant.row(1, {"region": None, "email": None}))
    assert tenant.standin.dump() == before


def test_somebody_elses_edit_is_not_overwritten(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2)])
    rows = [tenant.row(1, {"city": "Hamburg"}), tenant.row(2, {"city": "Hamburg"})]
    tenant.standin.edit("customers", tenant.standin.native_id("customers", 1), {"phone": "+49 40 999"})
    drifted, written = tenant.write(*rows)
    assert (drifted.outcome, drifted.code) == (Outcome.DRIFTED, "35")
    assert written.outcome is Outcome.WRITTEN
    [now] = tenant.look(tenant.standin.native_id("customers", 1))
    assert (now["city"], now["phone"]) == ("Berlin", "+49 40 999")


@pytest.mark.parametrize("tenant", [{"conflict": 400}], indirect=True)
def test_a_version_conflict_is_known_by_its_code_whatever_its_status(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1)])
    row = tenant.row(1, {"city": "Hamburg"})
    tenant.standin.edit("customers", tenant.standin.native_id("customers", 1), {"phone": "+49 40 999"})
    assert [a.outcome for a in tenant.write(row)] == [Outcome.DRIFTED]


def test_a_customer_deleted_in_the_meantime_has_drifted_and_is_not_made_again(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1)])
    row = tenant.row(1, {"city": "Hamburg"})
    tenant.http.delete(f"/api/customer/{row.id}")
    assert [a.outcome for a in tenant.write(row)] == [Outcome.DRIFTED]
    assert tenant.look(str(row.id)) == []


def test_a_bad_row_is_refused_alone_and_says_why(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2), customer(3)])
    bad, good, long = tenant.write(
        tenant.row(1, {"email": "not an address"}),
        tenant.row(2, {"email": "a@b.example"}),
        tenant.row(3, {"city": "x" * 256}),
    )
    assert (bad.outcome, bad.code, bad.message) == (Outcome.REFUSED, "31", "Invalid email address format!")
    assert good.outcome is Outcome.WRITTEN
    assert (long.outcome, "length" in long.message) == (Outcome.REFUSED, True)
    assert tenant.look(tenant.standin.native_id("customers", 1))[0]["email"] == CUSTOMER["email"]


def test_a_title_is_unique_but_twins_that_are_there_can_still_be_written(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1, name="Twin"), customer(2, name="Twin")])
    assert [a.outcome for a in tenant.write(tenant.row(1, {"city": "Hamburg"}))] == [Outcome.WRITTEN]
    again = tenant.http.post("/api/customer", json={"title": "Twin", "email": ""})
    assert (again.status_code, again.json()["errorCode"]) == (400, 31)


def test_looking_reads_many_with_one_call_and_leaves_out_what_is_gone(tenant: Tenant) -> None:
    tenant.standin.seed([customer(n, deleted=n == 2) for n in range(1, 4)])
    tenant.standin.calls.clear()
    found = tenant.look(*(tenant.standin.native_id("customers", n) for n in range(1, 4)))
    assert [raw["title"] for raw in found] == ["Customer 1", "Customer 3"]
    assert paths(tenant).count("/api/customers") == 1


@pytest.mark.parametrize("tenant", [{"nulls": True}, {"nulls": False}], indirect=True)
def test_empty_fields_come_as_null_or_not_at_all_and_both_are_read_and_written(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1, region=None, phone=None)])
    [raw] = tenant.look(tenant.standin.native_id("customers", 1))
    assert ("state" in raw) is tenant.standin.options["nulls"]
    tenant.write(tenant.row(1, {"phone": "+49301234567"}))
    [raw] = tenant.look(tenant.standin.native_id("customers", 1))
    assert (raw["phone"], raw.get("state")) == ("+49301234567", None)


def test_without_a_version_the_last_write_wins_which_is_why_it_is_always_sent(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1)])
    row = tenant.row(1, {"city": "Hamburg"})
    tenant.standin.edit("customers", str(row.id), {"phone": "+49 40 999"})
    blind = replace(row, raw={k: v for k, v in row.raw.items() if k != "version"})
    assert [a.outcome for a in tenant.write(row, blind)] == [Outcome.DRIFTED, Outcome.WRITTEN]


# -- devices -----------------------------------------------------------------------------------------------------------

MOVED = {"sku": "PU-0002", "name": "Pump, moved", "installed_on": "2025-06-01", "status": "inactive"}


def test_a_device_is_written_whole_and_keeps_what_nobody_here_knows(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2), device(1)])
    id_ = tenant.standin.native_id("devices", 1)
    [raw] = tenant.look(id_, stream="devices")
    raw["additionalInfo"] |= {"gateway": True, "overwriteActivityTime": False}
    tenant.http.post("/api/device", json=raw)
    wished = {**MOVED, "account": f"thingsboard/customers/{tenant.standin.native_id('customers', 2)}"}
    push = connector.stream("devices").push
    assert push
    assert set(push.fields) == set(wished)
    [answer] = tenant.write(tenant.row(1, wished, "devices"), stream="devices")
    assert (answer.outcome, answer.id) == (Outcome.WRITTEN, id_)
    [now] = tenant.look(id_, stream="devices")
    assert (now["label"], now["customerId"]["id"]) == ("Pump, moved", tenant.standin.native_id("customers", 2))
    assert now["additionalInfo"] == {
        "sku": "PU-0002", "installedOn": "2025-06-01", "status": "INACTIVE",
        "gateway": True, "overwriteActivityTime": False,
    }  # fmt: skip
    assert now["name"] == "SN-00001"


@pytest.mark.parametrize("tenant", [{"conflict": 409}, {"conflict": 400}], indirect=True)
def test_a_device_somebody_changed_meanwhile_has_drifted(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), device(1)])
    row = tenant.row(1, {"name": "mine", "account": None}, "devices")
    tenant.standin.edit("devices", str(row.id), {"name": "theirs"})
    [answer] = tenant.write(row, stream="devices")
    assert (answer.outcome, answer.code) == (Outcome.DRIFTED, "35")
    [now] = tenant.look(str(row.id), stream="devices")
    assert (now["label"], now["customerId"]["id"]) == ("theirs", tenant.standin.native_id("customers", 1))


def test_a_device_of_nobody_is_unassigned_and_a_customer_who_is_not_there_refuses_the_whole_row(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), device(1)])
    stranger = f"thingsboard/customers/{tenant.standin.native_id('customers', 99)}"
    [refused] = tenant.write(tenant.row(1, {"name": "new", "account": stranger}, "devices"), stream="devices")
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "no_such_customer")
    [now] = tenant.look(str(refused.id), stream="devices")
    assert now["label"] == "Pump 1"
    [written] = tenant.write(tenant.row(1, {"account": None}, "devices"), stream="devices")
    assert written.outcome is Outcome.WRITTEN
    [now] = tenant.look(str(refused.id), stream="devices")
    assert now["customerId"]["id"] == NOBODY


def test_a_device_whose_saving_was_not_answered_still_gets_its_customer(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2), device(1)])
    owner = tenant.standin.native_id("customers", 2)
    row = tenant.row(1, {"name": "new", "account": f"thingsboard/customers/{owner}"}, "devices")
    tenant.http.wait = lambda wait_s: tenant.standin.faults.switch_off()
    tenant.standin.faults.switch_on("500 after commit", rate=1.0)
    try:
        [answer] = tenant.write(row, stream="devices")
    finally:
        tenant.standin.faults.switch_off()
    assert answer.outcome is Outcome.WRITTEN
    [now] = tenant.look(str(row.id), stream="devices")
    assert (now["label"], now["customerId"]["id"]) == ("new", owner)


def test_who_has_no_name_is_called_by_their_key(tenant: Tenant) -> None:
    [made] = tenant.create(new("golden-1", {"city": "Bonn"}))
    assert tenant.look(str(made.id))[0]["title"] == "golden-1"
    assert tenant.create(new("golden-1", {"city": "Bonn"}))[0].id == made.id


# -- forgetting --------------------------------------------------------------------------------------------------------


def test_who_is_forgotten_is_gone_with_their_attributes_and_their_devices_are_nobodys(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2), device(1)])
    id_ = tenant.standin.native_id("customers", 1)
    write_attributes(tenant.http, "CUSTOMER", id_, {HUB_ID: "g", "spouse": "Erika"})

    [answer] = tenant.forget(id_)

    assert (answer.outcome, answer.id) == (Outcome.WRITTEN, id_)
    assert ids(tenant.pull("customers", complete=True)) == [tenant.standin.native_id("customers", 2)]
    assert tenant.look(id_) == []
    assert tenant.find("g") == []
    [left] = tenant.look(tenant.standin.native_id("devices", 1), stream="devices")
    assert left["customerId"]["id"] == NOBODY
    kept = json.dumps([obj.body for obj in tenant.standin.state.all()])
    assert "Erika" not in kept
    assert "Customer 1" not in kept


def test_who_is_forgotten_twice_or_never_was_there_is_gone_and_a_made_up_id_is_refused(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2)])
    id_ = tenant.standin.native_id("customers", 1)
    tenant.forget(id_)
    writes = tenant.standin.state.writes

    *gone, odd = tenant.forget(id_, tenant.standin.native_id("customers", 99), "no id")

    assert [answer.outcome for answer in gone] == [Outcome.WRITTEN] * 2
    assert odd.outcome is Outcome.REFUSED
    assert "Invalid UUID" in odd.message
    assert tenant.standin.state.writes == writes
    assert len(tenant.look(tenant.standin.native_id("customers", 2))) == 1


def test_an_answer_lost_after_a_customer_was_forgotten_does_no_harm(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1)])
    tenant.http.wait = lambda wait_s: tenant.standin.faults.switch_off()
    tenant.standin.faults.switch_on("500 after commit", rate=1.0)
    try:
        [answer] = tenant.forget(tenant.standin.native_id("customers", 1))
    finally:
        tenant.standin.faults.switch_off()
    assert answer.outcome is Outcome.WRITTEN
    assert [status for method, _, status in tenant.standin.calls if method == "DELETE"] == [500, 404]


def test_more_calls_than_a_tenant_may_make_leave_the_rest_for_the_next_time(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), customer(2)])
    gone = [tenant.standin.native_id("customers", n) for n in (1, 2)]
    tenant.pull("customers")  # and so is logged in
    tenant.http.wait = lambda wait_s: None
    tenant.standin.faults.switch_on("429 storm", rate=1.0)
    try:
        answers = tenant.forget(*gone)
    finally:
        tenant.standin.faults.switch_off()
    assert [(answer.outcome, answer.code) for answer in answers] == [(Outcome.DEFERRED, "LATER")] * 2
    assert [answer.outcome for answer in tenant.forget(*gone)] == [Outcome.WRITTEN] * 2


# -- making and finding ------------------------------------------------------------------------------------------------


def new(key: str, fields: Mapping[str, str | None], stream: str = "customers") -> Row:
    return Row(0, Op.CREATE, None, connector.stream(stream).fields.body(fields), fields, {}, key)


NEWCOMER = {"name": "Neu AG", "city": "Bonn"}
NEW_DEVICE = {"serial": "SN-77777", "name": "Pump 77", "sku": "PU-0007"}


@pytest.mark.parametrize(("stream", "fields"), [("customers", NEWCOMER), ("devices", NEW_DEVICE)])
def test_what_is_made_twice_is_made_once_and_found_by_its_key(
    tenant: Tenant, stream: str, fields: dict[str, str | None]
) -> None:
    [made], [again] = (tenant.create(new("golden-1", fields, stream), stream=stream) for _ in range(2))
    assert (made.outcome, again.outcome) == (Outcome.WRITTEN, Outcome.WRITTEN)
    assert made.id == again.id
    assert len(tenant.standin.dump()[stream]) == 1
    tenant.create(new("golden-2", {**fields, next(iter(fields)): "Other"}, stream), stream=stream)
    assert tenant.find("golden-1", "golden-3", stream=stream) == [made.id]
    assert len(tenant.find("golden-1", "golden-2", stream=stream)) == 2


@pytest.mark.parametrize(("stream", "fields"), [("customers", NEWCOMER), ("devices", NEW_DEVICE)])
def test_a_name_that_is_somebody_elses_is_refused(tenant: Tenant, stream: str, fields: dict[str, str | None]) -> None:
    tenant.create(new("golden-1", fields, stream), stream=stream)
    [taken] = tenant.create(new("golden-2", fields, stream), stream=stream)
    assert (taken.outcome, taken.code) == (Outcome.REFUSED, "name_taken")
    assert tenant.find("golden-2", stream=stream) == []


def test_a_record_of_this_name_that_says_something_else_is_not_taken_for_ours(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1, name="Neu AG", city="Kiel")])
    [taken] = tenant.create(new("golden-1", NEWCOMER))
    assert (taken.outcome, taken.code) == (Outcome.REFUSED, "name_taken")


def test_a_new_device_is_given_to_its_customer(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1)])
    owner = tenant.standin.native_id("customers", 1)
    fields = {**NEW_DEVICE, "account": f"thingsboard/customers/{owner}"}
    [made] = tenant.create(new("golden-1", fields, "devices"), stream="devices")
    assert tenant.look(str(made.id), stream="devices")[0]["customerId"]["id"] == owner


class Forgetful(ThingsBoardStandin):
    """Writes, and then answers 500, once, to what its path ends with."""

    forgets = ""

    def after(self, call: Call, reply: Reply) -> Reply:
        if self.forgets and call.method == "POST" and call.url.partition("?")[0].endswith(self.forgets):
            self.forgets = ""
            return self.error(500)
        return super().after(call, reply)


@pytest.mark.parametrize("lost", ["/api/device", "/attributes/SERVER_SCOPE"])
def test_a_device_whose_answer_was_lost_is_one_device(lost: str) -> None:
    standin = Forgetful(quotas=(), now=lambda: NOW)
    with Running([standin]) as run:
        tenant = Tenant(run, standin)
        tenant.http.wait = lambda wait_s: None
        standin.forgets = lost
        row = new("golden-1", NEW_DEVICE, "devices")
        try:
            first = tenant.create(row, stream="devices")
        except RetryableError:
            first = tenant.create(row, stream="devices")  # as the hub does when it is not known whether it was made
        assert [a.outcome for a in first] == [Outcome.WRITTEN]
        assert len(standin.dump()["devices"]) == 1
        assert tenant.find("golden-1", stream="devices") == [first[0].id]


# -- alarms ------------------------------------------------------------------------------------------------------------


def test_an_alarm_is_raised_once_changed_and_cleared(tenant: Tenant) -> None:
    tenant.standin.seed([device(1)])
    about = {"device": f"thingsboard/devices/{tenant.standin.native_id('devices', 1)}", "kind": "CONSISTENCY"}
    raised = [a for d in ("a", "b") for a in raise_alarms(tenant.http, [new("f1", {**about, "detail": d}, "alarms")])]
    assert raised[0].id == raised[1].id
    [page] = tenant.pull("alarms")
    assert value_at(page.records[0].raw, "details.message") == "b"
    push = connector.stream("alarms").push
    assert push
    [raw] = tenant.look(str(raised[0].id), stream="alarms")
    body = {"details": {"message": "c"}}
    row = Row(0, Op.UPDATE, raised[0].id, body, {}, {}, "f1", raw)
    assert [a.outcome for a in push.update(tenant.http, [row])] == [Outcome.WRITTEN]
    cleared = replace(row, body={"cleared": True})
    assert [a.outcome for a in push.update(tenant.http, [cleared, cleared])] == [Outcome.WRITTEN] * 2
    [now] = tenant.look(str(raised[0].id), stream="alarms")
    assert (now["details"], now["cleared"]) == ({"message": "c"}, True)
    [fresh] = raise_alarms(tenant.http, [new("f1", {**about, "detail": "d"}, "alarms")])
    assert fresh.id != raised[0].id


# -- attributes and telemetry ------------------------------------------------------------------------------------------


def test_attributes_of_many_devices_are_read_with_one_query_a_hundred_and_written_key_by_key(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), *(device(n) for n in range(1, 151))])
    all_ids = [tenant.standin.native_id("devices", n) for n in range(1, 151)]
    write_attributes(tenant.http, "DEVICE", all_ids[0], {HUB_ID: "g1", "warranty": 2027, "old": "x"})
    write_attributes(tenant.http, "DEVICE", all_ids[0], {"warranty": 2028, "old": None})
    calls = len(tenant.standin.calls)
    found = read_attributes(tenant.http, "DEVICE", all_ids, [HUB_ID, "warranty", "old"])
    assert len(tenant.standin.calls) == calls + 2
    assert len(found) == 150
    assert found[all_ids[0]] == {HUB_ID: "g1", "warranty": "2028"}
    assert found[all_ids[1]] == {}


def test_attributes_can_be_a_stream_of_their_own_read_and_written(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), *(device(n) for n in range(1, 151))])
    warranty = Attributes("DEVICE", ("warranty",))
    id_ = tenant.standin.native_id("devices", 7)
    body = {"latest": {"SERVER_ATTRIBUTE": {"warranty": {"value": "2027"}}}}
    row = Row(3, Op.UPDATE, id_, body, {}, {}, "golden")
    gone = replace(row, n=4, id=tenant.standin.native_id("devices", 999))
    assert [(a.n, a.outcome) for a in warranty.save(tenant.http, [row, gone])] == [
        (3, Outcome.WRITTEN),
        (4, Outcome.REFUSED),
    ]
    pages = list(warranty(tenant.http, Want(None, True, NOW)))
    assert [(len(p.records), p.complete) for p in pages] == [(100, False), (50, True)]
    [record] = [r for p in warranty.look(tenant.http, [id_]) for r in p.records]
    assert value_at(record.raw, "latest.SERVER_ATTRIBUTE.warranty.value") == "2027"


def test_telemetry_is_read_page_by_page_with_numbers_as_numbers_and_no_point_twice(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), device(1)])
    id_ = tenant.standin.native_id("devices", 1)
    points = [{"ts": 1_000 + n, "values": {"temp": n + 0.5}} for n in range(250)]
    points += [{"ts": 1_100, "values": {"on": True}}]
    tenant.http.post(f"/api/plugins/telemetry/DEVICE/{id_}/timeseries/ANY", json=points)
    pages = list(Telemetry(("temp", "on", "nothing"), size=100).points(tenant.http, id_, 0, 5_000))
    assert [len(p.records) for p in pages] == [100, 100, 50, 1]
    seen = [r for p in pages for r in p.records]
    assert len({r.id for r in seen}) == 251
    assert json.loads(seen[0].raw) == {"ts": 1000, "value": 0.5}
    assert json.loads(seen[-1].raw)["value"] is True


def test_telemetry_of_all_devices_goes_on_from_its_cursor_with_time_for_what_comes_late(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), device(1), device(2)])
    now = int(NOW.timestamp() * 1000)
    for n, ts in ((1, now - 10_000_000), (2, now - 1_000)):
        place = f"/api/plugins/telemetry/DEVICE/{tenant.standin.native_id('devices', n)}/timeseries/ANY"
        tenant.http.post(place, json=[{"ts": ts, "values": {"temp": n}}])
    telemetry = Telemetry(("temp",))
    pages = list(telemetry(tenant.http, Want(None, False, NOW)))
    assert [len(p.records) for p in pages] == [1, 1, 0]
    assert pages[-1].cursor == str(now - 3_600_000)
    again = list(telemetry(tenant.http, Want(pages[-1].cursor, False, NOW)))
    assert [json.loads(r.raw)["value"] for p in again for r in p.records] == [2]


# -- the rest of the stand-in: where the hub leaves its report -------------------------------------------------------


def test_an_alarm_of_the_same_type_is_the_same_alarm_until_it_is_cleared(tenant: Tenant) -> None:
    tenant.standin.seed([device(1)])
    origin = {"entityType": "DEVICE", "id": tenant.standin.native_id("devices", 1)}
    report = {"type": "CONSISTENCY", "originator": origin, "severity": "WARNING", "details": {"message": "wrong owner"}}
    first = tenant.http.post("/api/alarm", json=report).json()
    second = tenant.http.post("/api/alarm", json=report | {"severity": "MAJOR"}).json()
    assert (second["id"], second["severity"]) == (first["id"], "MAJOR")
    cleared = tenant.http.post(f"/api/alarm/{first['id']['id']}/clear").json()
    assert (cleared["cleared"], cleared["status"]) == (True, "CLEARED_UNACK")
    assert tenant.http.post("/api/alarm", json=report).json()["id"] != first["id"]
    about = tenant.http.get_ok(f"/api/alarm/DEVICE/{origin['id']}", params={"pageSize": 10, "page": 0}).json()
    assert about["totalElements"] == 2


def test_an_alarm_about_nothing_is_refused(tenant: Tenant) -> None:
    origin = {"entityType": "DEVICE", "id": tenant.standin.native_id("devices", 99)}
    with pytest.raises(RejectedRecord):
        tenant.http.refuse(
            tenant.http.post("/api/alarm", json={"type": "X", "originator": origin, "severity": "MAJOR"})
        )


def test_attributes_are_merged_key_by_key(tenant: Tenant) -> None:
    tenant.standin.seed([device(1)])
    about = f"/api/plugins/telemetry/DEVICE/{tenant.standin.native_id('devices', 1)}"
    tenant.http.post(f"{about}/attributes/SERVER_SCOPE", json={"hubId": "g1", "owner": "Müller"})
    tenant.http.post(f"{about}/attributes/SERVER_SCOPE", json={"owner": "Meier"})
    found = tenant.http.get(f"{about}/values/attributes/SERVER_SCOPE").json()
    assert {a["key"]: a["value"] for a in found} == {"hubId": "g1", "owner": "Meier"}
    one = tenant.http.get(f"{about}/values/attributes/SERVER_SCOPE", params={"keys": "owner"}).json()
    assert [a["key"] for a in one] == ["owner"]


def test_telemetry_is_text_and_a_hundred_points_unless_asked_otherwise(tenant: Tenant) -> None:
    tenant.standin.seed([device(1)])
    about = f"/api/plugins/telemetry/DEVICE/{tenant.standin.native_id('devices', 1)}"
    points = [{"ts": 1_000 + n, "values": {"temp": n + 0.5}} for n in range(150)]
    tenant.http.post(f"{about}/timeseries/ANY", json=points)
    span: dict[str, Any] = {"keys": "temp", "startTs": 0, "endTs": 10_000, "orderBy": "ASC"}
    some = tenant.http.get(f"{about}/values/timeseries", params=span).json()["temp"]
    assert (len(some), some[0]) == (100, {"ts": 1000, "value": "0.5"})
    everything = span | {"limit": 1000, "useStrictDataTypes": "true"}
    every = tenant.http.get(f"{about}/values/timeseries", params=everything).json()["temp"]
    assert (len(every), every[-1]) == (150, {"ts": 1149, "value": 149.5})
    latest = tenant.http.get(f"{about}/values/timeseries", params={"keys": "temp"}).json()["temp"]
    assert latest == [{"ts": 1149, "value": "149.5"}]


def test_devices_are_found_by_name_saved_assigned_and_deleted(tenant: Tenant) -> None:
    tenant.standin.seed([customer(1), device(1, account=None)])
    found = tenant.http.get_ok("/api/tenant/devices", params={"deviceName": "SN-00001"}).json()
    saved = tenant.http.post("/api/device", json=found | {"label": "new"}).json()
    assert (saved["label"], saved["version"]) == ("new", found["version"] + 1)
    assert tenant.http.post("/api/device", json=found).json()["errorCode"] == 35
    owner = tenant.standin.native_id("customers", 1)
    assigned = tenant.http.post(f"/api/customer/{owner}/device/{found['id']['id']}").json()
    assert assigned["customerId"]["id"] == owner
    tenant.http.delete(f"/api/customer/{owner}")
    assert tenant.http.get(f"/api/device/{found['id']['id']}").json()["customerId"]["id"] == NOBODY
    duplicate = tenant.http.post("/api/device", json={"name": "SN-00001"})
    assert (duplicate.status_code, duplicate.json()["errorCode"]) == (400, 31)
    tenant.http.delete(f"/api/device/{found['id']['id']}")
    assert tenant.http.get(f"/api/device/{found['id']['id']}").json()["errorCode"] == 32


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/customer/not-a-uuid", 400, 30),
        (f"/api/customer/{TENANT}", 404, 32),
        ("/api/customers?pageSize=0&page=0", 400, 31),
        ("/api/customers?page=0", 400, 31),
        ("/api/nothing/here", 404, 32),
    ],
)
def test_errors_have_a_status_and_a_code(tenant: Tenant, path: str, status: int, code: int) -> None:
    answer = tenant.http.get(path)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


# -- the official contract ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contract(served: Running) -> OpenAPI:
    root = FilePath(__file__).parents[2]
    folder = FilePath(os.environ.get("OMNIHUB_CONTRACTS", root / "../shared/contracts"))
    found = folder / "thingsboard" / "thingsboard-4.3-subset.strict.json"
    if not found.exists():
        pytest.skip("contracts not found")
    spec: dict[str, Any] = json.loads(found.read_text())
    # two calls share this path, and the generator made each one's parameters required for both
    for parameter in spec["paths"]["/api/customers"]["get"]["parameters"]:
        parameter["required"] = False
    # one of several that only a word tells apart, or one thing and a page of it, is good as several at once here
    one_of = [spec["paths"][p]["get"]["responses"] for p in ("/api/tenant/customers", "/api/tenant/devices")]
    one_of += [spec["components"]["schemas"][s] for s in ("EntityDataQuery", "KeyFilter", "ComplexFilterPredicate")]
    for part in one_of:
        _any_for_one(part)
    # it says of attributes and telemetry that the whole body is one text, and shows objects in its examples
    for path, verbs in spec["paths"].items():
        if "/plugins/telemetry/" in path:
            for verb in (v for name, v in verbs.items() if name in ("post", "delete")):
                for media in verb.get("requestBody", {}).get("content", {}).values():
                    media["schema"] = {}
                verb["responses"]["200"].pop("content", None)
    # that the contract itself is sound was seen when it was made; looking again costs seconds
    config = Config(spec_validator_cls=None)
    return OpenAPI.from_dict(spec | {"servers": [{"url": served.urls["thingsboard"]}]}, config=config)


def _any_for_one(part: Any) -> None:
    for inside in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _any_for_one(inside)
    if isinstance(part, dict) and "oneOf" in part:
        part["anyOf"] = part.pop("oneOf")


def test_every_call_and_answer_keeps_to_the_contract(tenant: Tenant, contract: OpenAPI) -> None:
    checked: list[str] = []

    def check(response: requests.Response, **_: Any) -> None:
        request = RequestsOpenAPIRequest(response.request)
        contract.validate_request(request)
        if response.ok:  # of refusals it names but a few
            contract.validate_response(request, RequestsOpenAPIResponse(response))
        checked.append(f"{response.request.method} {response.request.path_url.partition('?')[0]}")

    tenant.http.hooks["response"].append(check)
    tenant.standin.seed(
        [customer(1), customer(2, email=None, region=None), device(1), device(2, account=None), alarm(1)]
    )
    for stream in connector.streams:
        tenant.pull(stream.name)
    tenant.pull("alarms", since="1600000000000")
    tenant.write(tenant.row(1, NEW))
    id_ = tenant.standin.native_id("devices", 1)
    alarm_ = {"type": "CONSISTENCY", "originator": {"entityType": "DEVICE", "id": id_}, "severity": "WARNING"}
    needed = {"acknowledged": False, "cleared": False, "name": "CONSISTENCY", "status": "ACTIVE_UNACK"}  # it says
    made = tenant.http.post("/api/alarm", json=alarm_ | needed).json()
    tenant.http.post(f"/api/alarm/{made['id']['id']}/clear")
    tenant.http.get(f"/api/customer/{tenant.standin.native_id('customers', 2)}")
    tenant.http.get(f"/api/device/{id_}")
    owner = f"thingsboard/customers/{tenant.standin.native_id('customers', 2)}"
    tenant.write(tenant.row(1, {**MOVED, "account": owner}, "devices"), stream="devices")
    for stream, fields in (("customers", NEWCOMER), ("devices", {**NEW_DEVICE, "account": owner})):
        for _ in range(2):
            tenant.create(new(f"golden-{stream}", fields, stream), stream=stream)
        tenant.find(f"golden-{stream}", "golden-9", stream=stream)
    about = {"device": f"thingsboard/devices/{id_}", "kind": "X", "detail": "d"}
    [raised] = raise_alarms(tenant.http, [new("f", about, "alarms")])
    [raw] = tenant.look(str(raised.id), stream="alarms")
    changed = Row(0, Op.UPDATE, raised.id, {"details": {"message": "e"}, "cleared": True}, {}, {}, "f", raw)
    tenant.write(changed, stream="alarms")
    list(Telemetry(("temp",)).points(tenant.http, id_, 0, 10))
    assert connector.place
    assert connector.place.read
    for n in (1, None):
        list(connector.place.put(tenant.http, [(Notice("omnihub-1", n and id_, "devices", "T", "t", "low"), None)]))
    list(connector.place.clear(tenant.http, [("omnihub-1", None)]))
    list(connector.place.read(tenant.http, [("omnihub-1", None)]))
    tenant.standin.now = lambda: NOW + timedelta(hours=3)
    tenant.pull("customers")
    assert {"POST /api/entitiesQuery/find", "POST /api/device", "POST /api/auth/token", "GET /api/devices"} <= set(
        checked
    )
    assert any(path.startswith("GET /api/alarm/") and path.endswith("/comment") for path in checked)
    assert {"POST /api/auth/login", "GET /api/customers", "POST /api/customer", "GET /api/v2/alarms"} <= set(checked)
    assert len(checked) >= 11


def test_the_contract_would_notice_a_wrong_answer(tenant: Tenant, contract: OpenAPI) -> None:
    tenant.standin.seed([customer(1)])
    answer = tenant.http.get("/api/customers", params={"pageSize": 1, "page": 0})
    wrong = json.loads(answer.content)
    wrong["data"][0]["createdTime"] = "yesterday"
    answer._content = json.dumps(wrong).encode()
    with pytest.raises(InvalidData):
        contract.validate_response(RequestsOpenAPIRequest(answer.request), RequestsOpenAPIResponse(answer))

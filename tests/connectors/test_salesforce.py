"""Salesforce over real HTTP: the connector against its stand-in, and the vendor's own SDK against the same."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import requests
import yaml
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_soql

from connectors.salesforce import CONTACT, EXTERNAL_ID, MAX_SELECT, VOLATILE, Org, bulk, connector, soql
from connectors.salesforce.objects import OBJECTS, Column, id_of
from connectors.salesforce.sandbox import STREAMS, SalesforceStandin
from omnihub.errors import BrokenAnswer, ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import ENTITIES
from omnihub.refine import PRIOR, SENT, VERSIONS, refine
from omnihub.sandbox.copies import HELD, Copy
from omnihub.sandbox.kit import Call, Quota, Reply, Running
from omnihub.sdk import Answer, Link, Op, Outcome, Page, Record, Row, Want, Windows, open_client, value_at
from omnihub.sdk import Quota as DailyCalls
from omnihub.sdk.reporting import Notice, Standing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
T = "2026-11-{:02}T08:00:00.000000Z"


class Clock:
    """The vendor's clock, set by hand."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)


def copy(stream: str, n: int, day: int = 1, **fields: Any) -> Copy:
    """One copy of the CRM's, last changed on a day of November."""
    marks = {name: fields.pop(name) for name in ("deleted", "merged_into") if name in fields}
    return Copy("crm", stream, n, fields, T.format(1), T.format(day), **marks)


def accounts(count: int) -> list[Copy]:
    return [copy("accounts", n, 1 + n % 20, name=f"Company {n}", phone=f"+49 30 {n}") for n in range(1, count + 1)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def running() -> Iterator[list[Running]]:
    """Every stand-in of this file, stopped together: one by one, they would take longer to stop than to test."""
    started: list[Running] = []
    yield started
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(Running.stop, started))


@pytest.fixture
def serve(clock: Clock, running: list[Running]) -> Callable[..., tuple[SalesforceStandin, Org]]:
    """Start a stand-in with these copies and options; get it and a client that is set up for it."""

    def start(
        copies: Sequence[Copy] = (),
        quotas: Sequence[Quota] = (),
        kind: type[SalesforceStandin] = SalesforceStandin,
        **options: Any,
    ) -> tuple[SalesforceStandin, Org]:
        standin = kind(now=clock, quotas=quotas, **options)
        standin.seed(copies)
        running.append(Running([standin]).start())
        return standin, client(running[-1].urls["salesforce"])

    return start


def client(url: str, **settings: str) -> Org:
    """A client whose waits cost no time, though they are counted."""
    fake = Clock()
    windows = Windows((), clock=lambda: fake.at.timestamp(), wait=lambda s: fake.later(seconds=s))
    org = open_client(connector, {"url": url, **SalesforceStandin.credentials, **settings}, windows)
    assert isinstance(org, Org)
    org.http.wait = lambda s: None
    return org


def reading(org: Org, stream: str, since: str | None = None, complete: bool = False) -> Iterator[Page]:
    read = connector.stream(stream).pull
    assert read
    return read(org, Want(since, complete, NOW))


def pull(org: Org, stream: str, since: str | None = None, complete: bool = False) -> list[Page]:
    return list(reading(org, stream, since, complete))


def seen(pages: Sequence[Page]) -> dict[str, Record]:
    return {r.id: r for page in pages for r in page.records if r.id}


def look(org: Org, stream: str, *ids: str) -> dict[str, dict[str, Any]]:
    push = connector.stream(stream).push
    assert push
    return {id_: json.loads(r.raw) for id_, r in seen(list(push.look(org, ids))).items()}


def write(org: Org, stream: str, *wished: tuple[str, Mapping[str, str | None]]) -> list[Answer]:
    """Push canonical values, as the hub would."""
    found = connector.stream(stream)
    assert found.push
    rows = [Row(n, Op.UPDATE, id_, found.fields.body(f), f, {}, "g") for n, (id_, f) in enumerate(wished)]
    return list(found.push.update(org, rows))


def write_many(org: Org, stream: str, *wished: tuple[str, Mapping[str, Any]]) -> list[Answer]:
    """The same by jobs, with the system's own field names."""
    push = connector.stream(stream).push
    assert push
    assert push.many
    return list(
        push.many.send(org, [Row(n, Op.UPDATE, id_, dict(f), {}, {}, "g") for n, (id_, f) in enumerate(wished)])
    )


def create(org: Org, stream: str, *wished: tuple[str, Mapping[str, str | None]]) -> list[Answer]:
    """Make records by their golden ids, as the hub would."""
    found = connector.stream(stream)
    assert found.push
    assert found.push.create
    rows = [Row(n, Op.CREATE, None, found.fields.body(f), f, {}, key) for n, (key, f) in enumerate(wished)]
    return list(found.push.create(org, rows))


def find(org: Org, stream: str, *keys: str) -> dict[str, dict[str, Any]]:
    push = connector.stream(stream).push
    assert push
    assert push.find
    return {id_: json.loads(r.raw) for id_, r in seen(list(push.find(org, keys))).items()}


def first(stream: str, n: int = 1) -> str:
    return id_of(STREAMS[stream].prefix, n)


# -- pulling ---------------------------------------------------------------------------------------------------------


def test_a_complete_pull_brings_every_record_over_several_pages(serve: Any) -> None:
    standin, org = serve(accounts(25), page_size=10)
    pages = pull(org, "accounts")
    assert [len(p.records) for p in pages] == [10, 10, 5]
    assert [p.complete for p in pages] == [False, False, True]
    assert {p.total for p in pages} == {25}
    assert set(seen(pages)) == {standin.native_id("accounts", n) for n in range(1, 26)}


def test_records_are_the_bytes_that_were_on_the_wire(serve: Any) -> None:
    _, org = serve([copy("accounts", n, name=f'Ärger & "Söhne" {n}') for n in range(1, 4)])
    wire: list[bytes] = []
    org.http.hooks["response"].append(lambda response, **_: wire.append(response.content))
    for record in pull(org, "accounts")[0].records:
        assert record.raw in wire[-1]
        assert json.loads(record.raw) == json.loads(wire[-1])["records"][int(record.pointer.rpartition("/")[2])]
        assert b"\n" not in record.raw


def test_the_exchange_kept_has_no_query_values(serve: Any) -> None:
    _, org = serve(accounts(1))
    [page] = pull(org, "accounts")
    assert page.exchange.url.endswith("/services/data/v64.0/queryAll/?q=…")
    assert (page.exchange.method, page.exchange.status) == ("GET", 200)


def test_an_empty_object_yields_one_page_and_ends_complete(serve: Any) -> None:
    _, org = serve()
    [page] = pull(org, "contacts")
    assert (list(page.records), page.cursor, page.complete) == ([], None, True)


def test_an_incremental_pull_sees_an_edit_and_only_it(serve: Any, clock: Clock) -> None:
    standin, org = serve(accounts(10))
    cursor = pull(org, "accounts")[-1].cursor
    clock.later(hours=1)
    standin.edit("accounts", first("accounts", 3), {"phone": "+49 30 999"})
    standin.edit("accounts", first("accounts", 4), {"phone": "+49 30 998"})
    pages = pull(org, "accounts", since=cursor)
    newest_before = first("accounts", 10)  # the last of the old ones lies on the cursor itself
    assert set(seen(pages)) == {first("accounts", 3), first("accounts", 4), newest_before}
    assert not pages[-1].complete
    assert pages[-1].cursor == "2026-11-21T13:00:00.000+0000"


def test_what_commits_late_is_seen_though_the_cursor_has_passed_it(serve: Any) -> None:
    standin, org = serve([copy("accounts", 1, 20, name="Early")])
    cursor = pull(org, "accounts")[-1].cursor
    late = replace(copy("accounts", 2, name="Late"), updated_at="2026-11-20T07:57:00.000000Z")
    standin.seed([late])
    assert first("accounts", 2) in seen(pull(org, "accounts", since=cursor))


def test_a_complete_pull_is_asked_for_whatever_the_cursor_says(serve: Any) -> None:
    _, org = serve(accounts(5))
    pages = pull(org, "accounts", since="2026-11-20T08:00:00.000+0000", complete=True)
    assert len(seen(pages)) == 5
    assert pages[-1].complete
    assert pages[-1].cursor == "2026-11-20T08:00:00.000+0000", "the cursor does not go back"


def test_an_edit_in_the_middle_of_a_pull_is_not_lost(serve: Any, clock: Clock) -> None:
    """Its late stamp shows on an early page, and must not take the cursor past records not yet read."""
    standin, org = serve([copy("accounts", n, n, name=f"Company {n}") for n in range(1, 10)], page_size=3)
    reader = reading(org, "accounts")
    pages = [next(reader)]
    clock.later(hours=1)
    for n in (1, 4, 5, 6, 9):
        standin.edit("accounts", first("accounts", n), {"name": f"Edited {n}"})
    clock.later(hours=1)
    pages += reader
    assert [p.cursor for p in pages] == [
        "2026-11-03T08:00:00.000+0000",
        "2026-11-03T08:00:00.000+0000",
        "2026-11-09T08:00:00.000+0000",
    ]
    assert len(seen(pages)) == 9, "the edited ones keep their place in the query's pages"
    again = seen(pull(org, "accounts", since=pages[-1].cursor))
    assert {first("accounts", n) for n in (1, 4, 5, 6, 9)} <= set(again)


def test_each_page_carries_how_far_the_stream_has_been_read(serve: Any) -> None:
    _, org = serve([copy("accounts", n, n, name="Company") for n in range(1, 8)], page_size=3)
    pages = pull(org, "accounts")
    assert [p.cursor for p in pages] == [f"2026-11-{d:02}T08:00:00.000+0000" for d in (3, 6, 7)]


def test_stamps_of_the_same_second_are_read_again_not_skipped(serve: Any) -> None:
    _, org = serve([copy("accounts", n, 5, name="Bulk load") for n in range(1, 8)], page_size=3)
    pages = pull(org, "accounts")
    assert [p.cursor for p in pages[:2]] == [None, None], "all lie on the newest stamp: no cursor before the end"
    assert len(seen(pull(org, "accounts", since=pages[-1].cursor))) == 7


def test_deleted_records_say_so_and_merged_ones_point_to_the_winner(serve: Any) -> None:
    _, org = serve(
        [
            copy("contacts", 1, last_name="Kept"),
            copy("contacts", 2, last_name="Merged", deleted=True, merged_into=1),
            copy("contacts", 3, last_name="Deleted", deleted=True),
            copy("opportunities", 1, name="Gone", deleted=True),
        ]
    )
    found = seen(pull(org, "contacts"))
    assert [(r.deleted, r.merged_into) for r in found.values()] == [
        (False, None),
        (True, first("contacts", 1)),
        (True, None),
    ]
    assert seen(pull(org, "opportunities"))[first("opportunities")].deleted


LINE = {"of": 1, "sku": "OM-1", "name": "Pump", "quantity": "2", "unit_price": "99.50", "currency": "EUR"}


def refined(org: Org, stream: str) -> list[dict[str, str]]:
    """The fields of a stream's living records as they are refined, in the order of their ids."""
    at = NOW.isoformat()
    versions = [
        {"ref": f"salesforce/{stream}/{id_}", "seq": n, "body": r.raw.decode(), "deleted": r.deleted, "landed_at": at}
        for n, (id_, r) in enumerate(sorted(seen(pull(org, stream)).items()))
        if not r.deleted
    ]
    table = pa.Table.from_pylist(versions, schema=VERSIONS)
    rows = refine("salesforce", connector.stream(stream), table, PRIOR.empty_table(), SENT.empty_table()).to_pylist()
    assert {row["problems"] for row in rows} <= {"{}"}
    return [json.loads(row["fields"]) for row in sorted(rows, key=lambda row: str(row["ref"]))]


def test_a_deals_lines_say_whose_they_are_and_what_a_piece_costs_after_the_discount(serve: Any) -> None:
    standin, org = serve(
        [copy("opportunities", 1, name="Deal"), *(copy("opportunity_lines", n, **LINE) for n in (1, 2))]
    )
    standin.edit_as("Ann", "opportunity_lines", first("opportunity_lines", 2), {"Discount": 12.5, "Quantity": 2.5})
    one = {**LINE, "of": f"salesforce/opportunities/{first('opportunities')}"}
    assert refined(org, "opportunity_lines") == [one, one | {"quantity": "2.5", "unit_price": "87.0625"}]


def test_a_line_that_changes_or_is_taken_off_its_deal_is_read_by_itself(serve: Any, clock: Clock) -> None:
    standin, org = serve([copy("opportunity_lines", n, **LINE) for n in (1, 2, 3)])
    cursor = pull(org, "opportunity_lines")[-1].cursor
    clock.later(minutes=10)
    standin.edit("opportunity_lines", first("opportunity_lines", 1), {"unit_price": "98.00"})
    org.call("DELETE", f"sobjects/OpportunityLineItem/{first('opportunity_lines', 2)}")
    found = seen(pull(org, "opportunity_lines", since=cursor))
    told = {n: found[first("opportunity_lines", n)] for n in (1, 2)}
    assert [(r.deleted, value_at(r.raw, "UnitPrice")) for r in told.values()] == [(False, 98.0), (True, 99.5)]
    assert [f["unit_price"] for f in refined(org, "opportunity_lines")] == ["98.00", "99.50"]


@pytest.mark.parametrize("stream", ["opportunities", "opportunity_lines", "orders"])
def test_an_org_of_one_currency_is_read_too(serve: Any, monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    name = STREAMS[stream].name
    fewer = {n: c for n, c in OBJECTS[name].columns.items() if n not in ("CurrencyIsoCode", "Discount")}
    monkeypatch.setitem(OBJECTS, name, replace(OBJECTS[name], columns=fewer))
    _, org = serve([copy(stream, 1, **(LINE if stream == "opportunity_lines" else {"account": 1, "currency": "EUR"}))])
    [found] = refined(org, stream)
    assert "currency" not in found
    assert found.get("unit_price") == {"opportunity_lines": "99.50"}.get(stream)


def test_a_merge_on_the_screen_is_seen_by_the_next_pull(serve: Any, clock: Clock) -> None:
    standin, org = serve([*accounts(2), copy("contacts", 1, last_name="Child", account=2)])
    cursors = {s: pull(org, s)[-1].cursor for s in ("accounts", "contacts")}
    clock.later(minutes=1)
    standin.merge_records("accounts", winner=first("accounts", 1), loser=first("accounts", 2))
    found = seen(pull(org, "accounts", since=cursors["accounts"]))
    assert found[first("accounts", 2)].merged_into == first("accounts", 1)
    assert not found[first("accounts", 1)].deleted
    child = seen(pull(org, "contacts", since=cursors["contacts"]))[first("contacts", 1)]
    assert json.loads(child.raw)["AccountId"] == first("accounts", 1)


def test_what_left_the_recycle_bin_is_simply_not_there(serve: Any) -> None:
    copies = [copy("accounts", 1, 1, name="Old", deleted=True), copy("accounts", 2, 20, name="New", deleted=True)]
    _, org = serve(copies, recycle_days=15)
    assert set(seen(pull(org, "accounts"))) == {first("accounts", 2)}
    _, keeps = serve(copies)
    assert len(seen(pull(keeps, "accounts"))) == 2


def test_a_query_whose_pages_expired_goes_on_from_the_last_landed_page(serve: Any, clock: Clock) -> None:
    _, org = serve([copy("accounts", n, n, name="Company") for n in range(1, 8)], page_size=3)
    reader = reading(org, "accounts")
    landed = next(reader)
    clock.later(days=3)
    with pytest.raises(RetryableError, match="goes on from the last one landed"):
        next(reader)
    rest = seen(pull(org, "accounts", since=landed.cursor))
    assert {first("accounts", n) for n in range(4, 8)} <= set(rest)


def test_the_eleventh_open_query_ends_the_first(serve: Any) -> None:
    _, org = serve(accounts(5), page_size=3, open_cursors=10)
    reader = reading(org, "accounts")
    next(reader)
    for _ in range(10):
        next(iter(org.ask("SELECT Id FROM Account")))
    with pytest.raises(RetryableError):
        next(reader)


def test_every_field_that_may_be_read_is_asked_for_but_those_that_change_by_looking(serve: Any) -> None:
    _, org = serve([copy("contacts", 1, last_name="Doe")])
    fields = set(json.loads(seen(pull(org, "contacts"))[first("contacts")].raw))
    readable = {c.name for c in OBJECTS["Contact"].columns.values() if c.type != "address"}
    assert fields == (readable - VOLATILE) | {"attributes"}


def test_an_org_with_very_many_fields_is_asked_for_the_mapped_ones(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = OBJECTS["Contact"]
    many = {f"Field_{n}__c": Column(f"Field_{n}__c") for n in range(MAX_SELECT // 10)}
    monkeypatch.setitem(OBJECTS, "Contact", replace(contact, columns={**contact.columns, **many}))
    _, org = serve([copy("contacts", 1, last_name="Doe")])
    raw = json.loads(seen(pull(org, "contacts"))[first("contacts")].raw)
    assert raw["LastName"] == "Doe"
    assert "Field_1__c" not in raw


def test_a_field_the_user_may_not_read_is_named(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = OBJECTS["Account"]
    fewer = {n: c for n, c in account.columns.items() if n != "VAT_Number__c"}
    monkeypatch.setitem(OBJECTS, "Account", replace(account, columns=fewer))
    _, org = serve()
    with pytest.raises(ConfigError, match=r"Account has no VAT_Number__c .* right to read it"):
        pull(org, "accounts")


def test_an_object_the_user_may_not_see_is_named(serve: Any) -> None:
    _, org = serve()
    with pytest.raises(ConfigError, match="no Invoice"):
        list(replace(CONTACT, name="Invoice")._columns(org))


def test_every_mapped_field_is_a_field_of_its_entity_and_all_the_crm_holds_is_mapped() -> None:
    for stream in connector.streams:
        assert set(stream.map) <= set(ENTITIES[stream.entity])
        assert set(HELD["crm", stream.name]) <= set(stream.map)


# -- logging in, limits, trouble -------------------------------------------------------------------------------------


def test_a_wrong_secret_is_a_setting_to_correct(serve: Any) -> None:
    _, org = serve()
    with pytest.raises(ConfigError, match="client id and secret") as no:
        pull(client(org.http.base_url, client_secret="wrong"), "accounts")
    assert "wrong" not in str(no.value)


def test_an_ended_session_is_renewed_once_and_nothing_is_lost(serve: Any, clock: Clock) -> None:
    standin, org = serve(accounts(5), page_size=3, session_lasts_s=600)
    reader = reading(org, "accounts")
    pages = [next(reader)]
    standin.end_sessions()
    pages += reader
    assert len(seen(pages)) == 5
    clock.later(minutes=11)
    assert write(org, "accounts", (first("accounts"), {"name": "Renewed"}))[0].outcome is Outcome.WRITTEN
    statuses = [status for _, _, status in standin.calls]
    assert statuses.count(401) == 2
    assert [path for _, path, _ in standin.calls].count("/services/oauth2/token") == 3


def test_an_org_that_refuses_every_token_is_asked_for_twice_not_for_ever(serve: Any) -> None:
    standin, org = serve(session_lasts_s=-1)
    with pytest.raises(ConfigError, match="credentials were refused"):
        pull(org, "accounts")
    assert [status for _, path, status in standin.calls if "oauth2" not in path] == [401, 401]


def test_one_call_too_many_waits_and_goes_on(serve: Any) -> None:
    standin, org = serve(accounts(2), quotas=[Quota(2, per_s=3600, matches="/services/data/")])
    org.http.wait = lambda s: standin.quotas[0].made.clear()  # the vendor's window passes while we wait
    assert len(seen(pull(org, "accounts"))) == 2
    assert org.http.counts.refusals == 1
    assert [status for _, _, status in standin.calls].count(403) == 1


def test_a_spent_day_is_a_rate_limit_not_a_missing_right(serve: Any) -> None:
    _, org = serve(quotas=[Quota(0, per_s=1, penalty_s=1, matches="/services/data/")])
    with pytest.raises(RateLimited):
        pull(org, "accounts")


def test_the_connector_stays_below_what_the_org_allows() -> None:
    [vendor] = SalesforceStandin.default_quotas()
    [ours] = connector.limits
    assert ours.calls < vendor.calls
    assert vendor.per_s == 86_400
    assert isinstance(ours, DailyCalls)


def test_the_answers_say_how_much_of_the_day_is_used(serve: Any) -> None:
    _, org = serve(accounts(1), quotas=[Quota(1000, per_s=86_400, matches="/services/data/")])
    pull(org, "accounts")
    assert org.http.last().headers["Sforce-Limit-Info"] == "api-usage=3/1000"
    assert org.api_usage["api-usage"].used == 3
    assert json.loads(org.limits())["DailyApiRequests"] == {"Max": 1000, "Remaining": 996}


def test_errors_name_no_customer(serve: Any) -> None:
    _, org = serve()
    with pytest.raises(RejectedRecord) as no:
        list(org.ask("SELECT Id FROM Contact WHERE Email = 'anna@example.com' AND Nonsense = 1"))
    assert "anna" not in str(no.value)
    assert no.value.__context__ is None, "the SDK's error would be logged with it"
    assert b"INVALID_FIELD" in no.value.body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"done": false, "records": []}', "does not say where"),
        (b'{"done": false, "nextRecordsUrl": "/services/data/v64.0/query/x", "records": []}', "points to itself"),
        (b"<html>maintenance</html>", "not the JSON"),
    ],
)
def test_a_broken_page_stops_the_stream(serve: Any, body: bytes, says: str) -> None:
    class Broken(SalesforceStandin):
        def after(self, call: Call, reply: Reply) -> Reply:
            return Reply(200, body) if "/query" in call.url else super().after(call, reply)

    _, org = serve(kind=Broken)
    with pytest.raises(BrokenAnswer, match=says):
        pull(org, "accounts")


class OddDescribe(SalesforceStandin):
    """What an object is made of comes in another shape."""

    def after(self, call: Call, reply: Reply) -> Reply:
        if "/describe" in call.url:
            reply.body = {"names": []}
        return super().after(call, reply)


def test_a_description_in_another_shape_stops_the_stream_in_words(serve: Any) -> None:
    _, org = serve(accounts(1), kind=OddDescribe)
    with pytest.raises(BrokenAnswer, match="Account is made of"):
        pull(org, "accounts")


def test_threads_that_share_a_client_do_not_mix_their_pages(serve: Any) -> None:
    contacts = [copy("contacts", n, last_name=f"Doe {n}") for n in range(1, 41)]
    _, org = serve([*accounts(40), *contacts], page_size=5)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda stream: pull(org, stream), ["accounts", "contacts"] * 3))
    assert [{id_[:3] for id_ in seen(pages)} for pages in found] == [{"001"}, {"003"}] * 3
    assert [len(seen(pages)) for pages in found] == [40] * 6


# -- pushing ---------------------------------------------------------------------------------------------------------

CANONICAL = {
    "accounts": {
        "name": "Müller & Söhne GmbH",
        "vat_id": "DE123456789",
        "domain": "mueller.example",
        "phone": "+493012345",
        "street": "Hauptstraße 1",
        "postal_code": "10115",
        "city": "Berlin",
        "region": "Berlin",
        "country": "DE",
    },
    "contacts": {
        "first_name": "Zoë",
        "last_name": "O'Neill",
        "email": "zoe@mueller.example",
        "phone": "+493012346",
        "mobile": "+4917012346",
        "job_title": "Head of Purchasing",
        "language": "de",
    },
}


@pytest.mark.parametrize("stream", ["accounts", "contacts"])
def test_every_writable_field_survives_the_way_there_and_back(serve: Any, stream: str) -> None:
    standin, org = serve([copy(stream, 1, name="Old", last_name="Old")])
    found = connector.stream(stream)
    assert found.push
    assert set(found.push.fields) == set(CANONICAL[stream])
    [answer] = write(org, stream, (first(stream), CANONICAL[stream]))
    assert (answer.outcome, answer.code) == (Outcome.WRITTEN, "")
    raw = json.loads(seen(pull(org, stream))[first(stream)].raw)
    assert {name: raw[found.fields[name].path] for name in CANONICAL[stream]} == CANONICAL[stream]
    standin.edit(stream, first(stream), dict.fromkeys(CANONICAL[stream]))
    standin.edit(stream, first(stream), CANONICAL[stream])
    edited = look(org, stream, first(stream))[first(stream)]
    assert {name: edited[found.fields[name].path] for name in CANONICAL[stream]} == CANONICAL[stream]


@pytest.mark.parametrize(
    ("stream", "fields"),
    [
        ("accounts", {"name": "A", "parent": 2, "customer_group": "key", "status": "active", "industry": "Steel"}),
        ("contacts", {"last_name": "B", "account": 1, "marketing_consent": "no", "country": "DE"}),
        ("contacts", {"last_name": "B", "marketing_consent": "yes", "consent_at": "2026-01-02T03:04:05Z"}),
        ("opportunities", {"name": "C", "account": 1, "contact": 1, "amount": "1234.50", "stage": "quoted"}),
        ("opportunities", {"name": "D", "currency": "EUR", "stage": "won", "closes_on": "2026-12-01"}),
    ],
)
def test_what_people_enter_is_read_as_what_they_meant(serve: Any, stream: str, fields: Mapping[str, Any]) -> None:
    standin, org = serve([copy(stream, 1, **fields)])
    raw = json.loads(seen(pull(org, stream))[first(stream)].raw)
    for name, where in connector.stream(stream).fields.items():
        wanted = fields.get(name)
        native = raw[where.path]
        if isinstance(where, Link) and wanted:
            assert native == standin.native_id(where.stream, wanted)
        elif name == "amount" and wanted:
            assert native == float(wanted)
        elif name == "consent_at" and wanted:
            assert datetime.fromisoformat(native) == datetime.fromisoformat(wanted)
        else:
            assert getattr(where, "codes", {}).get(native, native) == wanted


def test_a_contact_who_was_never_asked_has_no_consent_either_way(serve: Any) -> None:
    _, org = serve([copy("contacts", 1, last_name="Doe", marketing_consent=None)])
    assert look(org, "contacts", first("contacts"))[first("contacts")]["Marketing_Consent__c"] is None


def test_junk_is_seeded_as_it_is(serve: Any) -> None:
    _, org = serve([copy("contacts", 1, phone="n/a", last_name="x" * 300), copy("opportunities", 1, amount="n/a")])
    raw = look(org, "contacts", first("contacts"))[first("contacts")]
    assert (raw["Phone"], len(raw["LastName"])) == ("n/a", 300)
    assert json.loads(seen(pull(org, "opportunities"))[first("opportunities")].raw)["Amount"] is None


def test_a_bad_row_does_not_stop_the_others(serve: Any) -> None:
    _, org = serve(accounts(4))
    ids = [first("accounts", n) for n in range(1, 5)]
    answers = write(
        org,
        "accounts",
        (ids[0], {"city": "Bonn"}),
        (ids[1], {"name": "x" * 256}),
        (ids[2], {"name": None}),
        (ids[3], {"city": "Köln"}),
    )
    assert [(a.n, a.outcome, a.code) for a in answers] == [
        (0, Outcome.WRITTEN, ""),
        (1, Outcome.REFUSED, "STRING_TOO_LONG"),
        (2, Outcome.REFUSED, "REQUIRED_FIELD_MISSING"),
        (3, Outcome.WRITTEN, ""),
    ]
    now = look(org, "accounts", *ids)
    assert [now[i]["BillingCity"] for i in ids] == ["Bonn", None, None, "Köln"]
    assert now[ids[2]]["Name"] == "Company 3"


def test_only_the_fields_sent_are_changed(serve: Any) -> None:
    standin, org = serve([copy("contacts", 1, first_name="Ann", last_name="Doe", marketing_consent="no")])
    before = standin.dump()["contacts"][first("contacts")]
    write(org, "contacts", (first("contacts"), {"first_name": "Anna"}))
    assert standin.dump()["contacts"][first("contacts")] == {**before, "FirstName": "Anna"}


@pytest.mark.parametrize(
    ("email", "code"),
    [("not an address", "INVALID_EMAIL_ADDRESS"), ("taken@example.com", "DUPLICATES_DETECTED")],
)
def test_an_email_salesforce_will_not_take_is_refused(serve: Any, email: str, code: str) -> None:
    _, org = serve(
        [copy("contacts", 1, last_name="A", email="Taken@example.com"), copy("contacts", 2, last_name="B")],
        duplicate_rules=True,
    )
    [answer] = write(org, "contacts", (first("contacts", 2), {"email": email}))
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, code)


def test_a_record_deleted_meanwhile_is_drift_and_a_locked_one_is_put_off(serve: Any) -> None:
    locked = {first("accounts", 2)}
    standin, org = serve(accounts(3), locked=locked)
    org.http.delete(f"/services/data/v64.0/sobjects/Account/{first('accounts', 1)}")
    answers = write(org, "accounts", *[(first("accounts", n), {"city": "Bonn"}) for n in (1, 2, 3)])
    assert [a.outcome for a in answers] == [Outcome.DRIFTED, Outcome.DEFERRED, Outcome.WRITTEN]
    locked.clear()
    assert write(org, "accounts", (first("accounts", 2), {"city": "Bonn"}))[0].outcome is Outcome.WRITTEN
    assert standin.state.get("accounts", first("accounts", 1)).body.get("BillingCity") is None


def test_a_look_shows_deleted_records_as_deleted_and_lost_ones_not_at_all(serve: Any) -> None:
    _, org = serve([*accounts(2), copy("accounts", 3, name="Gone", deleted=True)])
    push = connector.stream("accounts").push
    assert push
    ids = [first("accounts", n) for n in (1, 3, 99)]
    found = seen(list(push.look(org, ids)))
    assert {id_: r.deleted for id_, r in found.items()} == {ids[0]: False, ids[1]: True}


def test_a_look_brings_the_same_bytes_as_a_pull(serve: Any) -> None:
    _, org = serve(accounts(3))
    push = connector.stream("accounts").push
    assert push
    looked = seen(list(push.look(org, [first("accounts", 2)])))[first("accounts", 2)]
    assert looked.raw == seen(pull(org, "accounts"))[first("accounts", 2)].raw


def test_more_ids_than_fit_into_a_url_are_looked_at_in_several_calls(serve: Any) -> None:
    standin, org = serve(accounts(450))
    assert len(look(org, "accounts", *[first("accounts", n) for n in range(1, 451)])) == 450
    assert [p for _, p, _ in standin.calls].count("/services/data/v64.0/queryAll/") == 3


@pytest.mark.parametrize("whole", [False, True])
def test_a_field_the_org_has_lost_refuses_its_row_or_the_whole_batch(serve: Any, whole: bool) -> None:
    """The documents do not say which: the first is answered, the second raised, for the hub to split."""
    _, org = serve(accounts(2), unknown_field_refuses_all=whole)
    push = connector.stream("accounts").push
    assert push
    bodies: list[dict[str, Any]] = [{"Lost__c": "x"}, {"BillingCity": "Bonn"}]
    rows = [Row(n, Op.UPDATE, first("accounts", n + 1), body, {}, {}, "g") for n, body in enumerate(bodies)]
    if whole:
        with pytest.raises(RejectedRecord):
            push.update(org, rows)
        assert look(org, "accounts", first("accounts", 2))[first("accounts", 2)]["BillingCity"] is None
    else:
        assert [a.outcome for a in push.update(org, rows)] == [Outcome.REFUSED, Outcome.WRITTEN]


def test_a_value_of_the_wrong_kind_refuses_the_whole_batch(serve: Any) -> None:
    _, org = serve([copy("contacts", 1, last_name="A"), copy("contacts", 2, last_name="B")])
    push = connector.stream("contacts").push
    assert push
    bodies: list[dict[str, Any]] = [{"HasOptedOutOfEmail": "perhaps"}, {"FirstName": "Bo"}]
    rows = [Row(n, Op.UPDATE, first("contacts", n + 1), body, {}, {}, "g") for n, body in enumerate(bodies)]
    with pytest.raises(RejectedRecord) as no:
        push.update(org, rows)
    assert b"JSON_PARSER_ERROR" in no.value.body
    assert look(org, "contacts", first("contacts", 2))[first("contacts", 2)]["FirstName"] is None


def test_a_batch_is_as_large_as_a_collection_may_be_and_no_larger(serve: Any) -> None:
    _, org = serve(accounts(201))
    push = connector.stream("accounts").push
    assert push
    wished = [(first("accounts", n), {"city": "Bonn"}) for n in range(1, 202)]
    assert {a.outcome for a in write(org, "accounts", *wished[: push.batch])} == {Outcome.WRITTEN}
    with pytest.raises(RejectedRecord):
        write(org, "accounts", *wished)


def test_an_answer_that_leaves_rows_out_means_nobody_knows_what_was_written(serve: Any) -> None:
    class Forgetful(SalesforceStandin):
        def after(self, call: Call, reply: Reply) -> Reply:
            return Reply(200, reply.body[1:]) if call.method == "PATCH" else super().after(call, reply)

    _, org = serve(accounts(2), kind=Forgetful)
    with pytest.raises(RetryableError, match="1 results for 2 rows"):
        write(org, "accounts", *[(first("accounts", n), {"city": "Bonn"}) for n in (1, 2)])


def test_what_the_target_can_hold_is_what_the_org_says() -> None:
    for stream, name in (("accounts", "Account"), ("contacts", "Contact")):
        found = connector.stream(stream)
        assert found.push
        lengths = {field: OBJECTS[name].columns[found.fields[field].path].length for field in found.push.fields}
        assert dict(found.push.max_length) == lengths


def test_a_write_comes_back_on_the_next_pull(serve: Any, clock: Clock) -> None:
    _, org = serve(accounts(3))
    cursor = pull(org, "accounts")[-1].cursor
    clock.later(hours=1)
    write(org, "accounts", (first("accounts", 1), {"city": "  Bonn "}))
    found = seen(pull(org, "accounts", since=cursor))[first("accounts", 1)]
    assert json.loads(found.raw)["BillingCity"] == "Bonn", "Salesforce takes blanks off"


# -- the vendor's SDK against the stand-in ---------------------------------------------------------------------------


@pytest.fixture
def sdk(serve: Any) -> tuple[SalesforceStandin, Any]:
    """simple-salesforce as its README has it, but for the way to a plain address."""
    standin, org = serve([*accounts(5), copy("contacts", 1, last_name="Doe", account=1)], page_size=2)
    session = org.http
    session.token = None
    return standin, Salesforce(
        instance_url=session.base_url, session_id=log_in(session.base_url), session=session, version="64.0"
    )


def log_in(url: str) -> str:
    credentials = SalesforceStandin.credentials
    pair = (credentials["client_id"], credentials["client_secret"])
    answer = requests.post(f"{url}/services/oauth2/token", {"grant_type": "client_credentials"}, auth=pair, timeout=5)
    assert answer.json()["instance_url"] == url
    return str(answer.json()["access_token"])


def test_the_sdk_reads_all_pages_of_a_query(sdk: tuple[SalesforceStandin, Any]) -> None:
    _, sf = sdk
    found = sf.query_all("SELECT Id, Name, BillingAddress FROM Account ORDER BY Name DESC")
    assert [r["Name"] for r in found["records"]] == [f"Company {n}" for n in (5, 4, 3, 2, 1)]
    assert found["records"][0]["attributes"] == {
        "type": "Account",
        "url": f"/services/data/v64.0/sobjects/Account/{first('accounts', 5)}",
    }
    assert sf.query("SELECT COUNT() FROM Account WHERE Phone = '+49 30 3'")["totalSize"] == 1


def test_the_sdk_creates_reads_updates_and_deletes(sdk: tuple[SalesforceStandin, Any]) -> None:
    _, sf = sdk
    made = sf.Contact.create({"LastName": "New", "AccountId": first("accounts", 1)[:15]})
    assert made["success"]
    assert made["id"] == id_of("003", 2)
    assert sf.Contact.get(made["id"])["AccountId"] == first("accounts", 1)
    assert sf.Contact.update(made["id"], {"FirstName": "Very"}) == 204
    assert sf.Contact.get(made["id"][:15])["Name"] == "Very New"
    assert sf.Contact.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
        sf.Contact.get(made["id"])
    assert sf.query("SELECT Id FROM Contact")["totalSize"] == 1
    assert sf.query("SELECT Id FROM Contact", include_deleted=True)["totalSize"] == 2


def test_the_sdk_upserts_by_external_id(sdk: tuple[SalesforceStandin, Any]) -> None:
    standin, sf = sdk
    made = sf.Account.upsert("Hub_Id__c/g-1", {"Name": "Golden"}, raw_response=True)
    assert (made.status_code, made.json()["created"]) == (201, True)
    again = sf.Account.upsert("Hub_Id__c/g-1", {"Name": "Golden 2"}, raw_response=True)
    assert (again.status_code, again.json()) == (200, {**made.json(), "created": False})
    assert sf.Account.get_by_custom_id("Hub_Id__c", "g-1")["Name"] == "Golden 2"
    with pytest.raises(SalesforceMalformedRequest, match="DUPLICATE_VALUE"):
        sf.Account.update(first("accounts", 1), {"Hub_Id__c": "g-1"})
    twin = standin.state.get("accounts", first("accounts", 2))
    assert twin
    twin.body["Hub_Id__c"] = "g-1"
    standin.state.save(twin)
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Account.upsert("Hub_Id__c/g-1", {"Name": "Which?"})


def test_the_sdk_files_a_task_and_finds_it(sdk: tuple[SalesforceStandin, Any]) -> None:
    _, sf = sdk
    made = sf.Task.create({"Subject": "Check the VAT id", "Description": "x" * 32_000, "WhatId": first("accounts", 1)})
    found = sf.query(f"SELECT Subject, Status FROM Task WHERE WhatId = '{first('accounts', 1)}' AND Status != 'Done'")
    assert [(r["Subject"], r["Status"]) for r in found["records"]] == [("Check the VAT id", "Not Started")]
    assert made["id"].startswith("00T")
    with pytest.raises(SalesforceMalformedRequest, match="STRING_TOO_LONG"):
        sf.Task.create({"Description": "x" * 32_001})
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_CROSS_REFERENCE_KEY"):
        sf.Task.create({"WhatId": first("contacts", 1)})


def test_a_write_that_names_its_base_is_refused_once_somebody_was_faster(
    sdk: tuple[SalesforceStandin, Any], clock: Clock
) -> None:
    standin, sf = sdk
    fresh = {"If-Unmodified-Since": "Sat, 21 Nov 2026 12:00:00 GMT"}
    assert sf.Account.update(first("accounts", 1), {"Name": "Mine"}, headers=fresh) == 204
    clock.later(minutes=1)
    standin.edit("accounts", first("accounts", 1), {"name": "Theirs"})
    with pytest.raises(SalesforceGeneralError) as no:
        sf.Account.update(first("accounts", 1), {"Name": "Mine"}, headers=fresh)
    assert no.value.status == 412
    with pytest.raises(SalesforceMalformedRequest):
        sf.Account.update(first("accounts", 1), {"Name": "Mine"}, headers={"If-Unmodified-Since": "yesterday"})
    assert sf.Account.get(first("accounts", 1))["Name"] == "Theirs"


def test_collections_create_upsert_retrieve_and_delete(sdk: tuple[SalesforceStandin, Any]) -> None:
    _, sf = sdk
    row = {"attributes": {"type": "Account"}}
    made = sf.restful("composite/sobjects", method="POST", json={"records": [{**row, "Name": "A"}, dict(row)]})
    assert [r["success"] for r in made] == [True, False]
    assert made[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    keyed = [{**row, "Hub_Id__c": key, "Name": key} for key in ("g-1", "g-2", "g-1")]
    upserted = sf.restful("composite/sobjects/Account/Hub_Id__c", method="PATCH", json={"records": keyed})
    assert [r.get("created", r.get("errors")) for r in upserted[:2]] == [True, True]
    assert upserted[2]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    ids = [r["id"] for r in upserted[:2]]
    params = {"ids": ",".join([*ids, id_of("001", 99)]), "fields": "Id,Name"}
    assert [r and r["Name"] for r in sf.restful("composite/sobjects/Account", params=params)] == ["g-1", "g-2", None]
    gone = sf.restful("composite/sobjects", {"ids": ",".join(ids), "allOrNone": "false"}, method="DELETE")
    assert [r["success"] for r in gone] == [True, True]


def test_all_or_none_is_none_once_one_row_is_bad(sdk: tuple[SalesforceStandin, Any]) -> None:
    standin, sf = sdk
    before = standin.dump()
    rows = [
        {"attributes": {"type": "Account"}, "id": first("accounts", n), "Name": name} for n, name in ((1, "A"), (2, ""))
    ]
    result = sf.restful("composite/sobjects", method="PATCH", json={"allOrNone": True, "records": rows})
    codes = [r["errors"][0]["statusCode"] for r in result]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert standin.dump() == before


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name LIKE 'A%'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account GROUP BY Id", "MALFORMED_QUERY"),
        ("SELECT * FROM Account", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Nonsense FROM Account", "INVALID_FIELD"),
        ("SELECT Id, Id FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE SystemModstamp >= '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE Id IN ('junk')", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)
def test_a_query_salesforce_would_not_understand_is_refused(
    sdk: tuple[SalesforceStandin, Any], soql: str, code: str
) -> None:
    _, sf = sdk
    with pytest.raises(SalesforceMalformedRequest, match=code):
        sf.query(soql)


@pytest.mark.parametrize(
    ("soql", "names"),
    [
        ("SELECT Name FROM Account WHERE Name = 'company 2'", ["Company 2"]),
        ("SELECT Name FROM Account WHERE Name IN ('Company 1', 'Company 3') AND Phone != '+49 30 1'", ["Company 3"]),
        ("SELECT Name FROM Account WHERE SystemModstamp > 2026-11-05T08:00:00Z", ["Company 5"]),
        ("SELECT Name FROM Account WHERE SystemModstamp <= 2026-11-02T09:00:00+01:00", ["Company 1"]),
        ("SELECT Name FROM Account WHERE Industry = null ORDER BY SystemModstamp DESC LIMIT 1", ["Company 5"]),
        ("select Name from account order by Name limit 1 offset 2", ["Company 3"]),
        ("SELECT FIELDS(ALL) FROM Account LIMIT 1", ["Company 1"]),
        ("SELECT Name FROM Account WHERE IsDeleted = true", []),
    ],
)
def test_a_query_finds_what_it_says(sdk: tuple[SalesforceStandin, Any], soql: str, names: list[str]) -> None:
    _, sf = sdk
    assert [r["Name"] for r in sf.query(soql)["records"]] == names


@given(st.text())
def test_any_text_the_sdk_quotes_is_read_as_it_was(text: str) -> None:
    assert soql.parse(format_soql("SELECT Id FROM Account WHERE Name = {}", text)).values == [text]


def test_a_token_that_was_never_given_is_refused(sdk: tuple[SalesforceStandin, Any]) -> None:
    _, sf = sdk
    stranger = Salesforce(instance_url=sf.session.base_url, session_id="nobody", session=sf.session)
    with pytest.raises(SalesforceExpiredSession, match="INVALID_SESSION_ID"):
        stranger.query("SELECT Id FROM Account")


def test_ids_are_the_same_on_every_call_and_tell_upper_from_lower_case() -> None:
    ids = [SalesforceStandin().native_id("accounts", n) for n in (1, 61, 4000)]
    assert ids == ["001RM0000000001YAA", "001RM000000000zYAA", "001RM000000012WYAQ"]
    ids = [first("accounts", n) for n in range(1, 4000)]
    assert len(set(ids)) == len({i.lower() for i in ids}) == 3999, "18 characters are unique without their case"
    assert len({i[:15].lower() for i in ids}) < 3999, "15 are not"


# -- very many records: jobs -------------------------------------------------------------------------------------------


@pytest.fixture
def few_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a job is asked for when there are more than ten records; 2,001 take a while to seed."""
    monkeypatch.setattr("connectors.salesforce.BULK_ABOVE", 10)


AWKWARD = [
    copy("accounts", 11, name='"Quoted", with a comma', street="Line one\r\nline two", city="Köln\u2028x", phone=None),
    copy("accounts", 12, name="'=cmd|x' #N/A;", domain="a\\b", region=" "),
    copy("accounts", 13, name="Dead", deleted=True),
    copy("accounts", 14, name="Loser", merged_into=11),
    *(copy("contacts", n, last_name=f"L{n}", marketing_consent="no", consent_at="2026-01-02T03:04:05Z")
      for n in (1, 2)),
    *(copy("opportunities", n, name="D", account=11, amount=a, stage="won", closes_on="2026-02-01", currency="EUR")
      for n, a in enumerate(("1000", "0.1", "12345678.9", "-3"), 1)),
    *(copy("opportunity_lines", n, of=1, sku="OM-1", name="Pump, large", quantity=q, unit_price=p, currency="EUR")
      for n, (q, p) in enumerate((("2", "1000"), ("0.5", "0.1"), ("12", None)), 1)),
    copy("opportunity_lines", 4, of=1, sku="OM-2", name="Seal", quantity="1", unit_price="2", deleted=True),
]  # fmt: skip


@pytest.mark.parametrize(
    "options", [{}, {"plain_decimals": True, "csv_stamps": "+0000", "results_in_order": True, "result_rows": 3}]
)
@pytest.mark.parametrize("stream", ["accounts", "contacts", "opportunities", "opportunity_lines"])
def test_a_record_read_by_a_job_is_the_same_bytes_as_by_a_query(
    serve: Any, monkeypatch: pytest.MonkeyPatch, stream: str, options: dict[str, Any]
) -> None:
    _, org = serve([*accounts(10), *AWKWARD], **options)
    queried = seen(pull(org, stream))
    monkeypatch.setattr("connectors.salesforce.BULK_ABOVE", 0)
    by_job = seen(pull(org, stream))
    assert {i: (r.raw, r.updated, r.deleted, r.merged_into) for i, r in by_job.items()} == {
        i: (r.raw, r.updated, r.deleted, r.merged_into) for i, r in queried.items()
    }
    assert len(by_job) == {"accounts": 14, "contacts": 2, "opportunities": 4, "opportunity_lines": 4}[stream]


def test_more_than_two_thousand_records_are_asked_for_with_a_job_and_fewer_are_not(serve: Any) -> None:
    standin, org = serve(accounts(2000))
    assert len(seen(pull(org, "accounts"))) == 2000
    assert not any("/jobs/" in path for _, path, _ in standin.calls)
    standin.seed([copy("accounts", 2001, name="One more")])
    pages = pull(org, "accounts")
    assert len(seen(pages)) == 2001
    assert pages[-1].exchange.url.partition("?")[0].endswith("/results")


def test_the_results_of_a_job_come_in_pages_and_only_the_last_moves_the_cursor(
    serve: Any, clock: Clock, few_is_many: None
) -> None:
    standin, org = serve(accounts(25), result_rows=10)
    pages = pull(org, "accounts")
    assert [len(p.records) for p in pages] == [10, 10, 5]
    assert [bool(p.cursor) for p in pages] == [False, False, True]
    assert [p.complete for p in pages] == [False, False, True]
    assert {p.total for p in pages} == {25}
    cursor = pages[-1].cursor
    clock.later(hours=1)
    for n in range(1, 16):
        standin.edit("accounts", first("accounts", n), {"phone": "+49 30 777"})
    changed = pull(org, "accounts", cursor)
    assert {first("accounts", n) for n in range(1, 16)} <= set(seen(changed))
    assert not any(p.complete for p in changed), "what changed is not all there is"
    assert (changed[-1].cursor or "") > (cursor or "")


def test_an_edit_while_a_job_is_read_is_seen_by_the_next_pull(serve: Any, clock: Clock, few_is_many: None) -> None:
    standin, org = serve(accounts(25), result_rows=10)
    pages = reading(org, "accounts")
    landed = [next(pages)]
    clock.later(hours=1)
    standin.edit("accounts", first("accounts", 1), {"phone": "+49 30 1000"})
    landed += pages
    again = seen(pull(org, "accounts", landed[-1].cursor))
    assert json.loads(again[first("accounts", 1)].raw)["Phone"] == "+49 30 1000"


@pytest.mark.parametrize("ends", ["Failed", "Aborted"])
def test_a_job_that_does_not_finish_leaves_the_cursor_and_can_be_tried_again(
    serve: Any, ends: str, few_is_many: None
) -> None:
    standin, org = serve(accounts(25), job_ends=ends)
    with pytest.raises(RetryableError, match=f"bulk query of Account .{ends}"):
        pull(org, "accounts")
    standin.options["job_ends"] = "JobComplete"
    assert len(seen(pull(org, "accounts"))) == 25


def test_results_that_are_no_longer_kept_are_asked_for_anew(serve: Any, clock: Clock, few_is_many: None) -> None:
    _, org = serve(accounts(25), result_rows=10, session_lasts_s=9e9)
    pages = reading(org, "accounts")
    next(pages)
    clock.later(days=8)
    with pytest.raises(RetryableError, match="asks anew"):
        next(pages)
    assert len(seen(pull(org, "accounts"))) == 25


def test_a_job_that_takes_long_is_looked_at_less_and_less_often_and_given_up_in_the_end(
    serve: Any, few_is_many: None
) -> None:
    standin, org = serve(accounts(25), job_looks=4)
    waits: list[float] = []
    org.http.wait = waits.append
    pull(org, "accounts")
    assert waits == pytest.approx([0.2, 0.3, 0.45, 0.675])
    standin.options["job_looks"] = 10**9
    waits.clear()
    with pytest.raises(RetryableError, match="given up"):
        pull(org, "accounts")
    assert max(waits) == bulk.MAX_POLL_S
    assert sum(waits) >= bulk.MAX_JOB_S
    jobs = standin.state.note("jobs")
    assert list(jobs.values())[-1]["state"] == "Aborted"


def test_how_soon_a_job_is_looked_at_is_a_setting(serve: Any, few_is_many: None) -> None:
    _, org = serve(accounts(25))
    patient = client(org.http.base_url, poll_s="7")
    waits: list[float] = []
    patient.http.wait = waits.append
    pull(patient, "accounts")
    assert waits == [7.0]
    with pytest.raises(ConfigError, match="poll_s"):
        client(org.http.base_url, poll_s="soon")


class CutsResults(SalesforceStandin):
    """Its results lose their end on the way, though the answer looks whole; or are no results at all."""

    def after(self, call: Call, reply: Reply) -> Reply:
        if call.url.partition("?")[0].endswith("/results"):
            lines = str(reply.body).splitlines(keepends=True)
            reply.body = {"end": "".join(lines[:-1]), "cell": str(reply.body)[:-9], "html": "<html>\nnot now"}[
                self.options["cut"]
            ]
        return super().after(call, reply)


@pytest.mark.parametrize("cut", ["end", "cell", "html"])
def test_results_cut_short_are_not_taken_for_all_there_is(serve: Any, cut: str, few_is_many: None) -> None:
    _, org = serve(accounts(25), kind=CutsResults, cut=cut)
    with pytest.raises(BrokenAnswer, match="Account"):
        pull(org, "accounts")


def test_a_job_writes_the_good_rows_and_names_the_bad_ones_whatever_order_they_come_back_in(serve: Any) -> None:
    standin, org = serve(accounts(6))
    ids = [first("accounts", n) for n in range(1, 7)]
    standin.options["locked"] = (ids[2],)
    standin.state.save(replace(standin.state.get("accounts", ids[3]), deleted=True))
    answers = {
        a.n: a
        for a in write_many(
            org,
            "accounts",
            (ids[0], {"Phone": "+49 1", "BillingCity": 'a "b", c'}),
            (ids[1], {"Name": None}),
            (ids[2], {"Phone": "+49 3"}),
            (ids[3], {"Phone": "+49 4"}),
            (ids[4], {"BillingStreet": "one\ntwo"}),
        )
    }
    assert [(answers[n].outcome, answers[n].code) for n in range(5)] == [
        (Outcome.WRITTEN, ""),
        (Outcome.REFUSED, "REQUIRED_FIELD_MISSING"),
        (Outcome.DEFERRED, "UNABLE_TO_LOCK_ROW"),
        (Outcome.DRIFTED, "ENTITY_IS_DELETED"),
        (Outcome.WRITTEN, ""),
    ]
    assert [answers[n].id for n in range(5)] == ids[:5]
    now = look(org, "accounts", *ids)
    assert (now[ids[0]]["Phone"], now[ids[0]]["BillingCity"]) == ("+49 1", 'a "b", c')
    assert (now[ids[4]]["Phone"], now[ids[4]]["BillingStreet"]) == ("+49 30 5", "one\ntwo"), (
        "a blank cell wipes nothing"
    )
    assert now[ids[1]]["Name"] == "Company 2"
    assert answers[1].message == "Required fields are missing: [Name]"


def test_a_job_empties_a_field_only_where_it_is_told_to(serve: Any) -> None:
    _, org = serve(accounts(3))
    ids = [first("accounts", n) for n in range(1, 4)]
    answers = write_many(org, "accounts", (ids[0], {"Phone": None}), (ids[1], {"Website": "x.example"}))
    assert {a.outcome for a in answers} == {Outcome.WRITTEN}
    now = look(org, "accounts", *ids)
    assert [now[i]["Phone"] for i in ids] == [None, "+49 30 2", "+49 30 3"]


def test_a_text_that_looks_like_the_sign_for_nothing_is_still_a_text(serve: Any) -> None:
    _, org = serve(accounts(2))
    [answer] = write_many(org, "accounts", (first("accounts"), {"BillingCity": "#N/A"}))
    assert answer.outcome is Outcome.WRITTEN
    assert look(org, "accounts", first("accounts"))[first("accounts")]["BillingCity"] == "#N/A"


@pytest.mark.parametrize("ends", ["Failed", "Aborted"])
def test_rows_a_job_did_not_come_to_are_put_off(serve: Any, ends: str) -> None:
    _, org = serve(accounts(5), job_ends=ends, job_ends_after=3)
    rows = [(first("accounts", n), {"Phone": f"+49 40 {n}"}) for n in range(1, 6)]
    answers = {a.n: a.outcome for a in write_many(org, "accounts", *rows)}
    assert [answers[n] for n in range(5)] == [*[Outcome.WRITTEN] * 3, *[Outcome.DEFERRED] * 2]
    now = look(org, "accounts", *(id_ for id_, _ in rows))
    assert [now[id_]["Phone"].startswith("+49 40") for id_, _ in rows] == [True] * 3 + [False] * 2


def test_a_file_the_org_can_not_read_is_refused_not_tried_for_ever(serve: Any) -> None:
    _, org = serve(accounts(2))
    [answer] = write_many(org, "accounts", (first("accounts"), {"Nothing__c": "x"}))
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "InvalidBatch")


def test_a_file_is_never_larger_than_salesforce_takes(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    standin, org = serve(accounts(20))
    monkeypatch.setattr(bulk, "MAX_FILE", 200)
    rows = [(first("accounts", n), {"BillingStreet": f"Straße {n}"}) for n in range(1, 21)]
    assert [a.n for a in sorted(write_many(org, "accounts", *rows), key=lambda a: a.n)] == list(range(20))
    files = [standin.state.note(f"job/{id_}/file") for id_ in standin.state.note("jobs")]
    assert len(files) > 3
    assert all(len(file.encode()) <= 200 for file in files)


class LosesAnswers(SalesforceStandin):
    """Does what it is told, and the answer is an error: once for each path that ends like this."""

    def after(self, call: Call, reply: Reply) -> Reply:
        reply = super().after(call, reply)
        path = call.url.partition("?")[0]
        lost = self.options["lost"]
        if any(path.endswith(end) for end in lost) and call.method in ("PUT", "PATCH", "POST"):
            lost.clear()
            return self.error(500)
        return reply


@pytest.mark.parametrize("lost", [["/batches"], ["/jobs/ingest"], ["A"]])
def test_an_answer_lost_on_the_way_to_a_job_makes_no_harm(serve: Any, lost: list[str]) -> None:
    _, org = serve(accounts(3), kind=LosesAnswers, lost=lost)
    answers = write_many(org, "accounts", *((first("accounts", n), {"Phone": "+49 5"}) for n in (1, 2, 3)))
    assert [a.outcome for a in answers] == [Outcome.WRITTEN] * 3
    assert {r["Phone"] for r in look(org, "accounts", *(first("accounts", n) for n in (1, 2, 3))).values()} == {"+49 5"}
    assert lost == []


@pytest.mark.long
def test_twenty_thousand_rows_are_written_with_a_few_calls(serve: Any) -> None:
    standin, org = serve(accounts(20_000))
    standin.calls.clear()
    push = connector.stream("accounts").push
    assert push
    assert push.many
    rows = [Row(n, Op.UPDATE, first("accounts", n), {"Phone": f"+49 89 {n}"}, {}, {}, "g") for n in range(1, 20_001)]
    answers = [
        a
        for start in range(0, len(rows), push.many.batch)
        for a in push.many.send(org, rows[start : start + push.many.batch])
    ]
    assert {a.n for a in answers} == {r.n for r in rows}
    assert {a.outcome for a in answers} == {Outcome.WRITTEN}
    assert len(standin.calls) < 20
    phones = {json.loads(r.raw)["Phone"] for r in seen(pull(org, "accounts")).values()}
    assert phones == {f"+49 89 {n}" for n in range(1, 20_001)}


# -- making records, and finding them again ----------------------------------------------------------------------------


def test_creating_the_same_twice_makes_one_record(serve: Any) -> None:
    standin, org = serve(accounts(1))
    once = create(org, "accounts", ("golden-1", {"name": "Neu GmbH", "city": "Ulm"}), ("golden-2", {"name": "Zwei"}))
    again = create(org, "accounts", ("golden-1", {"name": "Neu GmbH", "city": "Ulm"}), ("golden-2", {"name": "Zwei"}))
    assert [a.outcome for a in once + again] == [Outcome.WRITTEN] * 4
    assert [a.id for a in once] == [a.id for a in again]
    assert len(standin.dump()["accounts"]) == 3
    found = find(org, "accounts", "golden-1", "golden-9")
    assert [(r["Name"], r[EXTERNAL_ID]) for r in found.values()] == [("Neu GmbH", "golden-1")]
    assert set(found) == {once[0].id}
    standin.state.save(replace(standin.state.get("accounts", once[0].id), deleted=True))
    assert find(org, "accounts", "golden-1") == {}, "what was deleted is not there"


def test_the_same_key_twice_in_one_batch_makes_one_record_with_the_later_values(serve: Any) -> None:
    standin, org = serve()
    answers = create(org, "accounts", ("k", {"name": "First"}), ("l", {"name": "Other"}), ("k", {"name": "Second"}))
    assert {a.n: a.outcome for a in answers} == dict.fromkeys(range(3), Outcome.WRITTEN)
    assert sorted(o["Name"] for o in standin.dump()["accounts"].values()) == ["Other", "Second"]


def test_a_record_created_though_the_answer_was_lost_is_not_created_again(serve: Any) -> None:
    standin, org = serve(kind=LosesAnswers, lost=[EXTERNAL_ID])
    [answer] = create(org, "contacts", ("golden-7", {"last_name": "Weber"}))
    assert answer.outcome is Outcome.WRITTEN
    assert [o["LastName"] for o in standin.dump()["contacts"].values()] == ["Weber"]
    assert set(find(org, "contacts", "golden-7")) == {answer.id}


def test_two_records_with_one_external_id_are_a_clear_answer(serve: Any) -> None:
    standin, org = serve(accounts(2))
    for n in (1, 2):  # a field that was not made unique
        obj = standin.state.get("accounts", first("accounts", n))
        standin.state.save(replace(obj, body=obj.body | {EXTERNAL_ID: "golden-1"}))
    [answer] = create(org, "accounts", ("golden-1", {"name": "X"}))
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "DUPLICATE_EXTERNAL_ID")
    assert "merge them" in answer.message
    assert len(find(org, "accounts", "golden-1")) == 2


def test_a_duplicate_rule_and_a_lock_say_what_to_do(serve: Any) -> None:
    copies = [copy("contacts", 1, last_name="A", email="a@example.com"), copy("contacts", 2, last_name="B")]
    _, org = serve(copies, duplicate_rules=True, locked=(first("contacts", 2),))
    [no] = create(org, "contacts", ("golden-1", {"last_name": "A", "email": "A@example.com"}))
    assert (no.outcome, no.code) == (Outcome.REFUSED, "DUPLICATES_DETECTED")
    assert "duplicate rule" in no.message
    [busy] = write(org, "contacts", (first("contacts", 2), {"phone": "+49 1"}))
    assert (busy.outcome, busy.code) == (Outcome.DEFERRED, "UNABLE_TO_LOCK_ROW")
    assert "next run" in busy.message


def test_an_object_without_the_external_id_is_named_with_the_way_out(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, org = serve(accounts(1))
    columns = {n: c for n, c in OBJECTS["Account"].columns.items() if n != EXTERNAL_ID}
    monkeypatch.setitem(OBJECTS, "Account", replace(OBJECTS["Account"], columns=columns))
    for asked in (lambda: create(org, "accounts", ("k", {"name": "X"})), lambda: find(org, "accounts", "k")):
        with pytest.raises(ConfigError, match="Account has no Hub_Id__c"):
            asked()
    assert pull(org, "accounts")[-1].complete, "it is only needed to create"


def write_one(org: Org, stream: str, id_: str, raw: Mapping[str, Any], **fields: str | None) -> Answer:
    found = connector.stream(stream)
    assert found.push
    [answer] = found.push.update(org, [Row(0, Op.UPDATE, id_, found.fields.body(fields), fields, {}, "g", dict(raw))])
    return answer


def test_a_row_by_itself_is_only_written_over_what_was_looked_at(serve: Any, clock: Clock) -> None:
    standin, org = serve(accounts(1))
    id_ = first("accounts")
    seen_then = look(org, "accounts", id_)[id_]
    clock.later(minutes=1)
    standin.edit("accounts", id_, {"city": "Ulm"})
    late = write_one(org, "accounts", id_, seen_then, phone="+49 9")
    assert (late.outcome, late.code) == (Outcome.DRIFTED, "PRECONDITION_FAILED")
    assert look(org, "accounts", id_)[id_]["Phone"] == "+49 30 1"
    assert write_one(org, "accounts", id_, look(org, "accounts", id_)[id_], phone="+49 9").outcome is Outcome.WRITTEN
    assert look(org, "accounts", id_)[id_]["Phone"] == "+49 9"
    refused = write_one(org, "accounts", id_, look(org, "accounts", id_)[id_], name=None)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "REQUIRED_FIELD_MISSING")


def test_a_row_by_itself_whose_answer_was_lost_is_not_taken_for_somebody_elses_change(serve: Any, clock: Clock) -> None:
    _, org = serve(accounts(1), kind=LosesAnswers, lost=[first("accounts")])
    id_ = first("accounts")
    present = look(org, "accounts", id_)[id_]
    clock.later(minutes=1)
    with pytest.raises(RetryableError):  # the hub looks, and finds it written
        write_one(org, "accounts", id_, present, phone="+49 9")
    assert look(org, "accounts", id_)[id_]["Phone"] == "+49 9"


# -- the contract ----------------------------------------------------------------------------------------------------

CONTRACT = "salesforce/platform-rest-v64-subset.yaml"
NOT_LISTED = {("GET", "/services/data/v64.0/query/{locator}")}  # described in words, under queryAll


def contract() -> set[tuple[str, str]]:
    folder = Path(os.environ.get("OMNIHUB_CONTRACTS") or Path(__file__).parents[3] / "shared" / "contracts")
    file = folder / CONTRACT
    if not file.exists():
        pytest.skip("contracts not found")
    paths = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))["paths"]
    prefix = "/services"
    return {
        (verb.upper(), path if path.startswith(prefix) else prefix + path)
        for path, verbs in paths.items()
        for verb in verbs
        if verb in ("get", "post", "patch", "put", "delete")
    }


def test_every_call_is_one_the_contract_knows(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = contract()
    standin, org = serve(accounts(5), page_size=3, job_ends="Failed", job_ends_after=2)
    write_many(org, "accounts", *((first("accounts", n), {"Name": n % 2 or None}) for n in range(1, 5)))
    standin.options["job_ends"] = "JobComplete"
    create(org, "accounts", ("k", {"name": "X"}))
    find(org, "accounts", "k")
    write_one(
        org, "accounts", first("accounts"), look(org, "accounts", first("accounts"))[first("accounts")], phone="1"
    )
    for stream in connector.streams:
        pull(org, stream.name)
    look(org, "accounts", first("accounts"))
    write(org, "accounts", (first("accounts"), {"city": "Bonn"}))
    monkeypatch.setattr("connectors.salesforce.BULK_ABOVE", 2)
    pull(org, "accounts")
    made = {(method, path.rstrip("/")) for method, path, _ in standin.calls}
    patterns = [(verb, re.compile(re.sub(r"\{\w+\}", "[^/]+", path))) for verb, path in known | NOT_LISTED]
    strangers = [c for c in made if not any(v == c[0] and p.fullmatch(c[1]) for v, p in patterns)]
    assert strangers == []
    assert len({re.sub(r"[0-9A-Za-z]{18}", "", path) for _, path in made}) > 14


# -- forgetting --------------------------------------------------------------------------------------------------------


def persons(count: int) -> list[Copy]:
    return [copy("contacts", n, last_name=f"Nachname{n}", email=f"n{n}@example.com") for n in range(1, count + 1)]


def forget(org: Org, *ids: str) -> list[Answer]:
    push = connector.stream("contacts").push
    assert push
    assert push.erase
    return sorted(
        push.erase(org, [Row(n, Op.UPDATE, id_, {}, {}, {}, "g") for n, id_ in enumerate(ids)]), key=lambda a: a.n
    )


def shown(org: Org) -> str:
    """Everything a complete pass over contacts shows, those in the recycle bin among it."""
    return b"".join(r.raw for page in reading(org, "contacts", complete=True) for r in page.records).decode()


def test_who_is_forgotten_is_in_no_query_and_not_in_the_bin_and_the_deal_stays(serve: Any, clock: Clock) -> None:
    standin, org = serve([*persons(3), copy("opportunities", 1, name="A deal", contact=1, stage="open")])
    since = [page.cursor for page in reading(org, "contacts")][-1]
    clock.later(minutes=1)

    [answer] = forget(org, first("contacts", 1))

    assert (answer.outcome, answer.id) == (Outcome.WRITTEN, first("contacts", 1))
    assert "n1@example.com" not in shown(org)
    assert "n2@example.com" in shown(org)
    assert first("contacts", 1) not in {r.id for page in reading(org, "contacts", since) for r in page.records}
    assert look(org, "contacts", first("contacts", 1)) == {}
    assert "n1@example.com" not in json.dumps([obj.body for obj in standin.state.all()])
    [deal] = [r for page in reading(org, "opportunities") for r in page.records]
    assert json.loads(deal.raw)["ContactId"] is None


def test_who_lies_in_the_bin_is_only_hidden_and_is_forgotten_as_well(serve: Any) -> None:
    _, org = serve(persons(2))
    org.call("DELETE", f"sobjects/Contact/{first('contacts', 1)}")
    assert "n1@example.com" in shown(org)

    assert [a.outcome for a in forget(org, first("contacts", 1), first("contacts", 2))] == [Outcome.WRITTEN] * 2
    assert shown(org) == ""


@pytest.mark.parametrize("takes_bin", [True, False])
def test_who_was_merged_into_somebody_is_forgotten_with_them(serve: Any, takes_bin: bool) -> None:
    standin, org = serve(persons(3), hard_delete_takes_bin=takes_bin)
    standin.merge_records("contacts", first("contacts", 1), first("contacts", 2))
    assert "n2@example.com" in shown(org)

    [answer] = forget(org, first("contacts", 1))

    assert answer.id == first("contacts", 1)
    assert (answer.outcome, answer.code) == ((Outcome.WRITTEN, "") if takes_bin else (Outcome.DEFERRED, "REQUESTED"))
    assert "n1@example.com" not in shown(org)
    assert ("n2@example.com" in shown(org)) is not takes_bin
    assert "n3@example.com" in shown(org)


def test_where_a_job_can_not_empty_the_bin_the_org_does_so_later_by_itself(serve: Any, clock: Clock) -> None:
    _, org = serve(persons(2), hard_delete_takes_bin=False, recycle_days=15)
    org.call("DELETE", f"sobjects/Contact/{first('contacts', 1)}")

    hidden, gone = forget(org, first("contacts", 1), first("contacts", 2))
    assert (hidden.outcome, hidden.code, gone.outcome) == (Outcome.DEFERRED, "REQUESTED", Outcome.WRITTEN)
    assert "fifteen days" in hidden.message

    clock.later(days=16)
    assert [a.outcome for a in forget(org, first("contacts", 1))] == [Outcome.WRITTEN]


def test_whom_a_case_needs_is_refused_with_the_reason_and_the_others_go(serve: Any) -> None:
    _, org = serve(persons(2), has_cases=(first("contacts", 1),))

    kept, gone = forget(org, first("contacts", 1), first("contacts", 2))

    assert (kept.outcome, kept.code, gone.outcome) == (Outcome.REFUSED, "DELETE_FAILED", Outcome.WRITTEN)
    assert "associated with cases" in kept.message
    assert "ask again" in kept.message
    assert "n1@example.com" in shown(org)


def test_a_user_who_may_not_delete_for_good_deletes_nothing_and_is_told_the_permission(serve: Any) -> None:
    _, org = serve(persons(1), may_hard_delete=False)
    [answer] = forget(org, first("contacts", 1))
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "FEATURENOTENABLED")
    assert "Bulk API Hard Delete" in answer.message
    assert "n1@example.com" in shown(org)


def test_who_is_forgotten_twice_or_never_was_there_is_gone_without_a_job(serve: Any) -> None:
    standin, org = serve(persons(2))
    forget(org, first("contacts", 1))
    standin.calls.clear()

    answers = forget(org, first("contacts", 1), first("contacts", 99), "no id at all", first("contacts", 1)[:15])

    assert [a.outcome for a in answers] == [Outcome.WRITTEN] * 4
    assert not any("/jobs/" in path for _, path, _ in standin.calls)
    assert "n2@example.com" in shown(org)


def test_the_id_of_who_was_forgotten_is_given_to_nobody_else(serve: Any) -> None:
    _, org = serve(persons(2))
    forget(org, first("contacts", 2))
    made = [json.loads(org.call("POST", "sobjects/Contact", json={"LastName": name}))["id"] for name in ("A", "B")]
    assert made == [first("contacts", 3), first("contacts", 4)]


@pytest.mark.parametrize("lost", [["/batches"], ["/jobs/ingest"], ["A"]])
def test_an_answer_lost_on_the_way_to_forgetting_does_no_harm(serve: Any, lost: list[str]) -> None:
    _, org = serve(persons(2), kind=LosesAnswers, lost=lost)
    assert [a.outcome for a in forget(org, first("contacts", 1))] == [Outcome.WRITTEN]
    assert lost == []
    assert "n1@example.com" not in shown(org)


def test_an_org_that_allows_no_more_calls_is_asked_again_the_next_time(serve: Any) -> None:
    standin, org = serve(persons(2))
    shown(org)  # and so is logged in
    standin.faults.switch_on("429 storm", rate=1.0)
    answers = forget(org, first("contacts", 1), first("contacts", 2))
    standin.faults.switch_off()

    assert [(a.outcome, a.code) for a in answers] == [(Outcome.DEFERRED, "LATER")] * 2
    assert [a.outcome for a in forget(org, first("contacts", 1))] == [Outcome.WRITTEN]


# -- findings shown at their records ----------------------------------------------------------------------------------


def finding(title: str, about: str = "contacts", n: int = 1) -> Notice:
    id_ = id_of({"contacts": "003", "accounts": "001"}[about], n)
    return Notice(f"omnihub-{about}-{n}", id_, about, title, f"- {title}", "high")


@pytest.mark.parametrize("has_findings", [True, False])
def test_a_finding_is_one_record_at_what_it_is_about_and_says_who_closed_it(serve: Any, has_findings: bool) -> None:
    people = [*accounts(2), copy("contacts", 1, last_name="Doe", account=1)]
    standin, org = serve(people, has_findings=has_findings)
    place, notices = connector.place, [finding("Phone"), finding("Name", "accounts", 2)]
    assert place
    assert place.read
    made = list(place.put(org, [(notice, None) for notice in notices]))
    again = list(place.put(org, [(replace(notice, title="Other"), None) for notice in notices]))
    assert [a.id for a in again] == [a.id for a in made]
    name, at, title, status = (
        ("Consistency_Finding__c", ("Contact__c", "Account__c"), "Title__c", "Status__c")
        if has_findings
        else ("Task", ("WhoId", "WhatId"), "Subject", "Status")
    )
    [pages] = [json.loads(body) for body in org.ask(f"SELECT Id, {', '.join(at)}, {title} FROM {name} ORDER BY Id")]
    shown = {row["Id"]: (row[at[0]], row[at[1]], row[title]) for row in pages["records"]}
    told = [(notices[0].ref_id, None, "Other"), (None, notices[1].ref_id, "Other")]
    assert shown == dict(zip((a.id for a in made), told, strict=True))

    stream, done = ("consistency_findings", "Closed") if has_findings else ("tasks", "Completed")
    standin.edit_as("Petra Vogt", stream, str(made[0].id), {status: done})
    known = [(notice.key, a.id) for notice, a in zip(notices, made, strict=True)]
    seen = {one.key: one for one in place.read(org, known)}
    assert [seen[key].state for key, _ in known] == [Standing.CLOSED, Standing.OPEN]
    assert seen[known[0][0]].by == "Petra Vogt"
    assert {a.outcome for a in place.clear(org, [*known, ("omnihub-never-told", None)])} == {Outcome.WRITTEN}
    assert {one.state for one in place.read(org, known)} == {Standing.CLOSED}


def test_an_org_whose_tasks_have_no_key_says_what_to_add(serve: Any) -> None:
    _, org = serve([*accounts(1)], task_key=False)
    assert connector.place
    with pytest.raises(ConfigError, match="activities have no Hub_Id__c"):
        list(connector.place.put(org, [(finding("Name", "accounts"), None)]))

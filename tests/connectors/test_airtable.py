"""Airtable: what is read from it, and that its stand-in behaves as the vendor's own SDK expects."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from typing import Any

import pyairtable
import pytest
import requests
import yaml
from jsonschema import Draft202012Validator
from pyairtable.api.types import UpdateRecordDict
from pyairtable.formulas import AND, EQ, IS_AFTER, LOWER, NOT, OR, Field, match
from pyairtable.models.schema import BaseSchema

from connectors.airtable import Client, connector, newer_than, table
from connectors.airtable.formula import InvalidFormula, Row, modified_from, parse, value
from connectors.airtable.sandbox import BASE, TABLES, TOKEN, AirtableStandin, vendor_id
from connectors.airtable.writing import Keyed
from omnihub.errors import BrokenAnswer, ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Op, Outcome
from omnihub.sandbox.copies import HELD, ROLES, Copy
from omnihub.sandbox.kit import Quota, Running
from omnihub.sandbox.world import World
from omnihub.sdk import Answer, Page, Want, open_client, value_at
from omnihub.sdk import Row as Wanted

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
COMPLETE = Want(since=None, complete=True, now=NOW)


def product(n: int, at: str = "2026-11-01T10:00:00.000000Z", **more: Any) -> Copy:
    fields = {"sku": f"PU-{n:04}", "name": f"Pump {n}", "unit": "pcs", "status": "active", "gtin": f"{n:014}"}
    return Copy("master", "products", n, fields | more.pop("fields", {}), "2026-10-01T08:00:00Z", at, **more)


def price(n: int, **fields: Any) -> Copy:
    usual = {
        "sku": "PU-0001",
        "price_list": "EU-2026",
        "customer_group": "key",
        "currency": "EUR",
        "amount": "12.50",
        "unit": "pcs",
        "min_quantity": "10",
        "tax_included": "false",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
    }
    return Copy("master", "prices", n, usual | fields, "2026-10-01T08:00:00Z", "2026-11-01T10:00:00Z")


class Base:
    """A base being served, and the connector's client for it."""

    def __init__(self, run: Running, standin: AirtableStandin) -> None:
        self.standin, self.url = standin, run.urls["airtable"]
        self.settings = {"url": self.url, **standin.credentials}
        self.client: Client = open_client(connector, self.settings)
        self.client.http.budget = None  # the stand-in has no limits here either
        self.sdk = pyairtable.Api(TOKEN, endpoint_url=self.url)

    def table(self, name: str) -> pyairtable.Table:
        return self.sdk.table(BASE, name)

    def pull(self, stream: str, since: str | None = None, complete: bool = False, now: datetime = NOW) -> list[Page]:
        pull = connector.stream(stream).pull
        assert pull
        return list(pull(self.client, Want(since, complete, now)))


def ids(pages: list[Page]) -> list[str | None]:
    return [r.id for page in pages for r in page.records]


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    """One server for all of these tests: starting and stopping it takes longer than most of them."""
    with Running([AirtableStandin(quotas=(), now=lambda: NOW)]) as run:
        yield run


@pytest.fixture
def base(request: pytest.FixtureRequest, served: Running) -> Base:
    standin = served.standins["airtable"]
    assert isinstance(standin, AirtableStandin)
    standin.state.clear()
    standin.calls.clear()
    standin.quotas, standin.options, standin.now = [], getattr(request, "param", {}), lambda: NOW
    return Base(served, standin)


# -- pull --------------------------------------------------------------------------------------------------------


def test_a_complete_pull_shows_every_living_record_page_by_page(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 251)])
    pages = base.pull("products")
    assert [len(p.records) for p in pages] == [100, 100, 50]
    assert len(set(ids(pages))) == 250
    assert [p.complete for p in pages] == [False, False, True]
    assert [p.cursor for p in pages] == [None, None, "2026-11-01T10:00:00.000Z"]


def test_an_empty_table_is_one_empty_and_complete_page(base: Base) -> None:
    [page] = base.pull("promotions")
    assert (list(page.records), page.complete, page.cursor) == ([], True, None)


def test_a_full_last_page_is_not_followed_by_an_empty_one(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 101)])
    assert [len(p.records) for p in base.pull("products")] == [100]


def test_channels_and_standards_are_read_in_the_masters_own_words(base: Base) -> None:
    base.standin.seed(x for x in World(30, 7, datetime(2026, 11, 21, tzinfo=UTC)).copies("master"))
    channels, standards = (
        [json.loads(r.raw)["fields"] for page in base.pull(stream) for r in page.records]
        for stream in ("channels", "standards")
    )
    assert {"Name": "Web shop", "System": "Shopify", "Owner": "E-commerce"}.items() <= channels[2].items()
    assert standards[0]["Channel"] == "E-mail"
    assert (standards[0]["First answer in hours"], standards[0]["Solution in hours"]) == (24, 120)


def test_records_are_the_bytes_that_came_over_the_wire(base: Base) -> None:
    base.standin.seed([product(1, fields={"name": "Pümpe ☃", "description": 'a "quoted" one'})])
    [page] = base.pull("products")
    answer = requests.get(f"{base.url}/v0/{BASE}/Products", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5)
    assert page.records[0].raw in answer.content
    assert page.records[0].pointer == "/records/0"
    assert "☃".encode() in page.records[0].raw


def test_an_incremental_pull_sees_the_edited_record_and_only_it(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 6)])
    base.standin.edit("products", base.standin.native_id("products", 3), {"name": "Pump, renamed"})
    pages = base.pull("products", since="2026-11-15T00:00:00.000Z")
    assert ids(pages) == [base.standin.native_id("products", 3)]
    assert not pages[-1].complete


def test_the_second_of_the_cursor_is_read_again(base: Base) -> None:
    base.standin.seed([product(1, "2026-11-01T10:00:00.900000Z"), product(2, "2026-11-01T09:59:59.900000Z")])
    assert ids(base.pull("products", since="2026-11-01T10:00:00.000Z")) == [base.standin.native_id("products", 1)]


def test_an_incremental_pull_pages_too(base: Base) -> None:
    base.standin.seed([product(n, f"2026-11-01T10:{n // 60:02}:{n % 60:02}Z") for n in range(1, 251)])
    pages = base.pull("products", since="2026-11-01T10:00:51.000Z")
    assert [len(p.records) for p in pages] == [100, 100]
    assert len(set(ids(pages))) == 200
    assert pages[-1].cursor == "2026-11-01T10:04:10.000Z"


def test_the_cursor_stays_before_the_pass_so_that_an_edit_made_while_reading_is_not_lost(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 201)])
    pull = connector.stream("products").pull
    assert pull
    pages = pull(base.client, COMPLETE)
    next(pages)
    base.standin.edit("products", base.standin.native_id("products", 1), {"name": "edited behind the reader"})
    base.standin.edit("products", base.standin.native_id("products", 200), {"name": "edited before the reader"})
    cursor = list(pages)[-1].cursor
    assert cursor == "2026-11-21T11:59:00.000Z"
    assert base.standin.native_id("products", 1) in ids(base.pull("products", since=cursor))


def test_a_cursor_never_goes_back(base: Base) -> None:
    since = "2026-11-21T11:59:30.000Z"
    assert base.pull("products", since=since)[-1].cursor == since


def test_deleted_and_merged_records_are_gone_from_a_complete_pass(base: Base) -> None:
    base.standin.seed([product(1), product(2, deleted=True), product(3, merged_into=1)])
    pages = base.pull("products", since="2026-11-20T00:00:00.000Z", complete=True)
    assert ids(pages) == [base.standin.native_id("products", 1)]
    assert pages[-1].complete


def test_deletes_are_named_as_the_blind_spot() -> None:
    assert all("deleted" in s.blind and s.full_every for s in connector.streams)


@pytest.mark.parametrize("base", [{"iterator_lasts_s": 60}], indirect=True)
def test_a_list_that_expires_while_it_is_read_is_read_again_from_the_start(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 151)])
    pull = connector.stream("products").pull
    assert pull
    pages = pull(base.client, COMPLETE)
    first = next(pages)
    base.standin.now = lambda: NOW + timedelta(minutes=2)
    rest = list(pages)
    assert [len(p.records) for p in (first, *rest)] == [100, 100, 50]
    assert rest[-1].complete


@pytest.mark.parametrize("base", [{"iterator_lasts_s": -1}], indirect=True)
def test_a_list_that_always_expires_is_left_for_the_next_run(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 151)])
    with pytest.raises(RetryableError, match=r"airtable/Products: the list expired 3 times"):
        base.pull("products")


def test_a_list_that_is_no_json_is_a_broken_answer(base: Base) -> None:
    base.standin.seed([product(1)])
    base.client.http.wait = lambda wait_s: None
    base.standin.faults.switch_on("truncated body", rate=1.0, seed=2)
    try:
        with pytest.raises((BrokenAnswer, RetryableError)):
            base.pull("products")
    finally:
        base.standin.faults.switch_off()


# -- refusals ----------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_a_matter_of_settings(base: Base) -> None:
    base.client = open_client(connector, base.settings | {"token": "patWrong"})
    with pytest.raises(ConfigError, match="credentials were refused"):
        base.pull("products")


def test_a_wrong_base_is_a_matter_of_settings(base: Base) -> None:
    base.client = open_client(connector, base.settings | {"base": "appNotMine0000000"})
    with pytest.raises(ConfigError, match="forbidden"):
        base.pull("products")


@pytest.mark.parametrize("base", [{"limit_as_list": True}, {"limit_as_list": False}], indirect=True)
def test_after_a_call_too_many_the_lock_out_is_waited_for(base: Base) -> None:
    quota = Quota(1, per_s=1, penalty_s=30)
    base.standin.quotas = [quota]
    base.standin.seed([product(n) for n in range(1, 151)])
    waits: list[float] = []

    def half_a_minute_passes(wait_s: float) -> None:
        waits.append(wait_s)
        quota.shut_until = 0.0
        quota.made.clear()

    base.client.http.wait = half_a_minute_passes
    assert len(ids(base.pull("products"))) == 150
    assert set(waits) == {30.0}


def test_a_lock_out_that_does_not_end_is_rate_limited(base: Base) -> None:
    base.standin.quotas = [Quota(0, per_s=1, penalty_s=30)]
    base.client.http.wait = lambda wait_s: None
    with pytest.raises(RateLimited) as limited:
        base.pull("products")
    assert limited.value.wait_s == 30


def test_the_limits_are_kept_below_the_vendors() -> None:
    [ours], [theirs] = connector.limits, AirtableStandin.default_quotas()
    assert ours.calls / ours.per_s < theirs.calls / theirs.per_s


# -- map ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ROLES["master"])
def test_every_field_the_master_holds_is_mapped(stream: str) -> None:
    assert set(connector.stream(stream).map) >= set(HELD["master", stream])


def test_what_the_map_writes_is_what_it_reads(base: Base) -> None:
    base.standin.seed([price(1)])
    map_ = connector.stream("prices").fields
    wished = {"amount": "99.95", "min_quantity": "5", "customer_group": "dealer", "tax_included": "true"}
    base.table("Prices").update(base.standin.native_id("prices", 1), map_.body(wished)["fields"])
    [record] = base.table("Prices").all()
    assert record["fields"]["Amount"] == 99.95
    assert record["fields"]["Min quantity"] == 5
    assert record["fields"]["Customer group"] == "Dealer"
    assert record["fields"]["Tax included"] is True


def test_numbers_are_json_numbers_and_empty_cells_and_unticked_boxes_are_left_out(base: Base) -> None:
    base.standin.seed([price(1, valid_to=None)])
    [record] = base.table("Prices").all()
    assert record["fields"]["Amount"] == 12.5
    assert record["fields"]["Min quantity"] == 10
    assert "Valid to" not in record["fields"]
    assert "Tax included" not in record["fields"]


def test_junk_is_held_as_it_was_typed(base: Base) -> None:
    base.standin.seed([price(1, amount="on request", unit="piece(s)"), product(2, fields={"name": "x" * 300})])
    assert base.table("Prices").all()[0]["fields"]["Amount"] == "on request"
    assert len(base.table("Products").all()[0]["fields"]["Name"]) == 300


def test_the_master_is_never_written() -> None:
    assert connector.master
    assert all(s.push is None for s in connector.streams)


# -- renamed columns ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [{"renamed": {"Amount": "Amount EUR"}}], indirect=True)
def test_a_renamed_column_stops_the_stream_before_its_cells_read_as_empty(base: Base) -> None:
    base.standin.seed([price(1)])
    with pytest.raises(ConfigError, match=r"airtable/Prices: there is not a column 'Amount' any more"):
        base.pull("prices")
    assert len(ids(base.pull("products"))) == 0  # other tables go on


@pytest.mark.parametrize("base", [{"renamed": {"Last modified": "Changed"}}], indirect=True)
def test_a_renamed_clock_is_noticed_too(base: Base) -> None:
    with pytest.raises(ConfigError, match="Last modified"):
        base.pull("prices", since="2026-11-20T00:00:00.000Z")


@pytest.mark.parametrize("base", [{"renamed": {"Amount": "Amount EUR", "Last modified": "Changed"}}], indirect=True)
def test_a_table_read_by_the_ids_of_its_columns_does_not_notice(base: Base) -> None:
    base.standin.seed([price(1)])
    prices = next(t for t in TABLES if t.name == "Prices")
    amount, modified = prices.column_id("Amount"), prices.column_id("Last modified")
    pull = table(prices.id, [amount], modified, by_id=True)
    [page] = pull(base.client, COMPLETE)
    assert value_at(page.records[0].raw, f"fields.{amount}") == 12.5
    assert page.cursor == "2026-11-01T10:00:00.000Z"
    [page] = pull(base.client, Want("2026-11-01T10:00:00.000Z", False, NOW))
    assert len(page.records) == 1


# -- writing a base that is not the master -----------------------------------------------------------------------------

GOODS = Keyed("Products", key="SKU")


def wanted(n: int, fields: dict[str, Any], id_: str | None = None, key: str = "") -> Wanted:
    return Wanted(n, Op.UPDATE if id_ else Op.CREATE, id_, {"fields": fields}, {}, {}, key)


def made(answers: Any) -> list[Answer]:
    found = list(answers)
    assert [a.outcome for a in found] == [Outcome.WRITTEN] * len(found)
    return found


def test_ten_records_are_changed_with_one_call_and_only_the_cells_that_are_sent(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 11)])
    rows = [wanted(n, {"Name": f"new {n}"}, base.standin.native_id("products", n)) for n in range(1, 11)]
    base.standin.calls.clear()
    assert [a.id for a in made(GOODS.update(base.client, rows))] == [r.id for r in rows]
    assert len(base.standin.calls) == 1
    seen = {r.id: r for page in GOODS.look(base.client, [str(r.id) for r in rows]) for r in page.records}
    assert value_at(seen[rows[6].id].raw, "fields.Name") == "new 7"
    assert value_at(seen[rows[6].id].raw, "fields.Unit") == "pcs"


def test_a_cell_is_emptied_by_a_null_and_then_left_out(base: Base) -> None:
    base.standin.seed([product(1)])
    id_ = base.standin.native_id("products", 1)
    made(GOODS.update(base.client, [wanted(0, {"GTIN": None}, id_)]))
    [page] = GOODS.look(base.client, [id_])
    assert value_at(page.records[0].raw, "fields.GTIN") is None
    assert value_at(page.records[0].raw, "fields.SKU") == "PU-0001"


def test_a_bad_row_refuses_all_of_its_request_and_the_hub_splits_it(base: Base) -> None:
    base.standin.seed([product(1), product(2)])
    good = wanted(0, {"Name": "new"}, base.standin.native_id("products", 1))
    bad = wanted(1, {"Unit": "barrel"}, base.standin.native_id("products", 2))
    with pytest.raises(RejectedRecord) as refused:
        list(GOODS.update(base.client, [good, bad]))
    assert (refused.value.status, refused.value.code) == (422, "INVALID_MULTIPLE_CHOICE_OPTIONS")
    assert "barrel" not in str(refused.value)
    assert base.standin.dump()["products"][str(good.id)]["Name"] == "Pump 1"
    made(GOODS.update(base.client, [good]))
    with pytest.raises(RejectedRecord):
        list(GOODS.update(base.client, [bad]))
    assert base.standin.dump()["products"][str(good.id)]["Name"] == "new"


def test_what_is_made_twice_is_one_record_and_found_by_its_key(base: Base) -> None:
    rows = [wanted(n, {"Name": f"Pump {n}"}, key=f"K-{n}") for n in range(10)]
    first, again = made(GOODS.create(base.client, rows)), made(GOODS.create(base.client, rows))
    assert [a.id for a in first] == [a.id for a in again]
    assert len(base.standin.dump()["products"]) == 10
    found = [r.id for page in GOODS.find(base.client, ["K-3", "K-7", "K-77"]) for r in page.records]
    assert set(found) == {first[3].id, first[7].id}


def test_a_key_that_stands_in_two_records_is_refused_and_changes_neither(base: Base) -> None:
    base.standin.seed([product(1), product(2, fields={"sku": "PU-0001"})])
    with pytest.raises(RejectedRecord):
        list(GOODS.create(base.client, [wanted(0, {"Name": "which?"}, key="PU-0001")]))
    assert {r["Name"] for r in base.standin.dump()["products"].values()} == {"Pump 1", "Pump 2"}


@pytest.mark.parametrize("fault", ["500 after commit", "connection reset", "truncated body", "429 storm"])
def test_a_record_whose_answer_was_lost_is_one_record(base: Base, fault: str) -> None:
    rows = [wanted(n, {"Name": f"Pump {n}"}, key=f"K-{n}") for n in range(3)]
    base.client.http.wait = lambda wait_s: None
    base.standin.faults.switch_on(fault, rate=1.0)
    try:
        with pytest.raises(RetryableError):
            list(GOODS.create(base.client, rows))
    finally:
        base.standin.faults.switch_off()
    made(GOODS.create(base.client, rows))  # as the hub does when it is not known whether they were made
    assert sorted(r["SKU"] for r in base.standin.dump()["products"].values()) == ["K-0", "K-1", "K-2"]


def test_no_creating_post_is_ever_sent(base: Base) -> None:
    base.standin.calls.clear()
    made(GOODS.create(base.client, [wanted(0, {"Name": "Pump"}, key="K-1")]))
    assert {method for method, _, _ in base.standin.calls} == {"PATCH"}


@pytest.mark.parametrize("base", [{"renamed": {"Name": "Title"}}], indirect=True)
def test_a_table_written_by_the_ids_of_its_columns_stands_a_renaming(base: Base) -> None:
    goods = next(t for t in TABLES if t.name == "Products")
    sku, name = goods.column_id("SKU"), goods.column_id("Name")
    by_id = Keyed(goods.id, key=sku, modified=goods.column_id("Last modified"), by_id=True)
    [answer] = made(by_id.create(base.client, [wanted(0, {name: "Pump"}, key="K-1")]))
    made(by_id.update(base.client, [wanted(0, {name: "Pump, new"}, answer.id)]))
    [page] = by_id.look(base.client, [str(answer.id)])
    assert value_at(page.records[0].raw, f"fields.{name}") == "Pump, new"
    with pytest.raises(RejectedRecord) as refused:
        list(GOODS.update(base.client, [wanted(0, {"Name": "by name"}, answer.id)]))
    assert refused.value.code == "UNKNOWN_FIELD_NAME"


def test_a_look_at_more_than_a_page_leaves_out_what_is_gone(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 151)])
    base.table("Products").delete(base.standin.native_id("products", 9))
    wished = [base.standin.native_id("products", n) for n in range(1, 151)]
    assert len([r for page in GOODS.look(base.client, wished) for r in page.records]) == 149


def test_a_keyed_table_is_pushed_ten_at_a_time_and_never_deletes() -> None:
    push = GOODS.push(("name",))
    assert (push.batch, push.delete, push.update == GOODS.update, push.find == GOODS.find) == (10, None, True, True)


# -- the vendor's SDK against the stand-in -------------------------------------------------------------------------


def test_an_upsert_updates_what_matches_and_creates_the_rest(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 4)])
    rows = [{"fields": {"SKU": f"PU-{n:04}", "Name": f"new name {n}"}} for n in range(2, 26)]
    result = base.table("Products").batch_upsert(rows, key_fields=["SKU"])
    assert (len(result["updatedRecords"]), len(result["createdRecords"])) == (2, 22)
    assert base.table("Products").get(base.standin.native_id("products", 2))["fields"]["Unit"] == "pcs"
    again = base.table("Products").batch_upsert(rows, key_fields=["SKU"])
    assert (len(again["updatedRecords"]), len(again["createdRecords"])) == (24, 0)


def test_an_upsert_that_matches_two_records_is_refused_whole(base: Base) -> None:
    base.standin.seed([product(1), product(2, fields={"sku": "PU-0001"})])
    rows = [{"fields": {"SKU": "PU-0009", "Name": "new"}}, {"fields": {"SKU": "PU-0001", "Name": "which?"}}]
    with pytest.raises(requests.HTTPError, match="422"):
        base.table("Products").batch_upsert(rows, key_fields=["SKU"])
    assert {r["fields"]["Name"] for r in base.table("Products").all()} == {"Pump 1", "Pump 2"}


def test_an_upsert_can_match_on_two_fields(base: Base) -> None:
    base.standin.seed([price(1, price_list="EU"), price(2, price_list="US")])
    rows = [{"fields": {"SKU": "PU-0001", "Price list": "US", "Amount": 1}}]
    result = base.table("Prices").batch_upsert(rows, key_fields=["SKU", "Price list"])
    assert result["updatedRecords"] == [base.standin.native_id("prices", 2)]


def test_replacing_clears_what_is_not_sent_and_updating_does_not(base: Base) -> None:
    base.standin.seed([product(1)])
    id_ = base.standin.native_id("products", 1)
    assert base.table("Products").update(id_, {"Name": "A"})["fields"]["SKU"] == "PU-0001"
    assert "SKU" not in base.table("Products").update(id_, {"Name": "A"}, replace=True)["fields"]


def test_a_write_that_changes_nothing_leaves_the_time_alone(base: Base) -> None:
    base.standin.seed([product(1)])
    base.table("Products").update(base.standin.native_id("products", 1), {"Name": "Pump 1"})
    assert base.table("Products").all()[0]["fields"]["Last modified"] == "2026-11-01T10:00:00.000Z"


def test_records_are_made_and_deleted(base: Base) -> None:
    made = base.table("Products").batch_create([{"SKU": f"N-{n}"} for n in range(12)])
    base.table("Products").delete(made[0]["id"])
    base.table("Products").batch_delete([r["id"] for r in made[1:]])
    assert base.table("Products").all() == []
    with pytest.raises(requests.HTTPError, match="404"):
        base.table("Products").get(made[0]["id"])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Nmae": "x"}, "UNKNOWN_FIELD_NAME"),
        ({"Name": 7}, "INVALID_VALUE_FOR_COLUMN"),
        ({"Last modified": "2026-01-01"}, "INVALID_VALUE_FOR_COLUMN"),
        ({"Unit": "barrel"}, "INVALID_MULTIPLE_CHOICE_OPTIONS"),
    ],
)
def test_bad_values_are_refused(base: Base, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(requests.HTTPError, match=code):
        base.table("Products").create(fields)


def test_typecast_makes_new_choices_and_reads_numbers_from_text(base: Base) -> None:
    made = base.table("Prices").create({"Unit": "barrel", "Amount": "7.5"}, typecast=True)
    assert (made["fields"]["Unit"], made["fields"]["Amount"]) == ("barrel", 7.5)


def test_a_row_that_does_not_exist_is_refused_and_the_others_with_it(base: Base) -> None:
    base.standin.seed([product(1)])
    rows: list[UpdateRecordDict] = [
        {"id": base.standin.native_id("products", 1), "fields": {"Name": "new"}},
        {"id": "recDoesNotExist00", "fields": {"Name": "new"}},
    ]
    with pytest.raises(requests.HTTPError, match="ROW_DOES_NOT_EXIST"):
        base.table("Products").batch_update(rows)
    assert base.table("Products").all()[0]["fields"]["Name"] == "Pump 1"


def test_more_than_ten_records_a_call_are_refused(base: Base) -> None:
    body = {"records": [{"fields": {"SKU": str(n)}} for n in range(11)]}
    answer = base.client.http.post(f"/v0/{BASE}/Products", json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_RECORDS")


def test_formulas_filter_fields_select_and_sorts_sort(base: Base) -> None:
    base.standin.seed([product(n, fields={"unit": "kg" if n % 2 else "m"}) for n in range(1, 131)])
    table = base.table("Products")
    assert [r["fields"]["Name"] for r in table.all(formula=match({"SKU": "PU-0007"}))] == ["Pump 7"]
    heavy = table.all(formula=AND(EQ(Field("Unit"), "kg"), NOT(EQ(Field("SKU"), "PU-0001"))), fields=["SKU"])
    assert len(heavy) == 64
    assert set(heavy[0]["fields"]) == {"SKU"}
    assert len(table.all(formula=OR(match({"SKU": "PU-0002"}), EQ(LOWER(Field("Name")), "pump 3")))) == 2
    newest = table.all(sort=["-SKU"], page_size=40)
    assert [r["fields"]["SKU"] for r in newest] == [f"PU-{n:04}" for n in range(130, 0, -1)]
    assert [r["fields"]["SKU"] for r in table.all(max_records=105, sort=["SKU"])][-1] == "PU-0105"
    assert len(table.all(max_records=105)) == 105


def test_a_formula_too_long_for_an_url_is_sent_as_a_post(base: Base) -> None:
    base.standin.seed([product(n) for n in range(1, 4)])
    many = OR(*(EQ(Field("SKU"), f"PU-{n:04}") for n in range(3, 900)))
    assert [r["fields"]["Name"] for r in base.table("Products").all(formula=many)] == ["Pump 3"]
    assert any(path.endswith("/listRecords") for _, path, _ in base.standin.calls)


@pytest.mark.parametrize("formula", ["REGEX_MATCH({SKU}, 'x')", "{SKU}=", "AND({SKU}", "{Nmae}='x'", "'open"])
def test_formulas_it_does_not_know_are_refused(base: Base, formula: str) -> None:
    with pytest.raises(requests.HTTPError, match="INVALID_FILTER_BY_FORMULA"):
        base.table("Products").all(formula=formula)


def test_unknown_fields_and_too_large_pages_are_refused(base: Base) -> None:
    with pytest.raises(requests.HTTPError, match="UNKNOWN_FIELD_NAME"):
        base.table("Products").all(fields=["Nmae"])
    with pytest.raises(requests.HTTPError, match="422"):
        base.table("Products").all(page_size=101)


def test_tables_and_fields_have_ids_too(base: Base) -> None:
    base.standin.seed([product(1)])
    [found] = [b for b in base.sdk.bases() if b.id == BASE]
    table = found.table("Products", validate=True)
    [record] = table.all(use_field_ids=True)
    assert record["fields"][table.schema().field("SKU").id] == "PU-0001"
    assert len(base.sdk.table(BASE, table.schema().id).all()) == 1
    assert "data.records:read" in base.sdk.whoami()["scopes"]


def test_a_comment_stays_with_its_record(base: Base) -> None:
    base.standin.seed([product(1)])
    id_ = base.standin.native_id("products", 1)
    base.table("Products").add_comment(id_, "The shop sells this for less.")
    assert [c.text for c in base.table("Products").comments(id_)] == ["The shop sells this for less."]


def test_findings_are_upserted_on_their_key(base: Base) -> None:
    row = {"fields": {"Key": "price_differs/1", "Kind": "price_differs", "Severity": "high"}}
    findings = base.table("Consistency Findings")
    findings.batch_upsert([row], key_fields=["Key"])
    findings.batch_upsert([row], key_fields=["Key"])
    assert len(findings.all()) == 1


@pytest.mark.parametrize("base", [{"missing_as_text": True}, {"missing_as_text": False}], indirect=True)
def test_a_missing_record_is_told_in_text_or_in_an_object(base: Base) -> None:
    found = base.client.http.get(f"/v0/{BASE}/Products/recNotThere000000")
    error = found.json()["error"]
    assert (found.status_code, error if base.standin.options["missing_as_text"] else error["type"]) == (
        404,
        "NOT_FOUND",
    )


def test_ids_have_the_vendors_shape_and_are_the_same_in_every_process() -> None:
    assert vendor_id("rec", "products/1") == "recWc5FL5Oxkp2omR"
    assert AirtableStandin(quotas=()).native_id("products", 1) == "recWc5FL5Oxkp2omR"


# -- formulas ------------------------------------------------------------------------------------------------------


def test_a_formula_about_time_is_answered_from_the_index() -> None:
    since = modified_from(parse(str(newer_than("2026-11-21T10:00:00.000Z"))), "Last modified")
    assert since == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    both = AND(IS_AFTER(Field("Last modified"), "2026-11-21T10:00:00Z"), EQ(Field("SKU"), "x"))
    assert modified_from(parse(str(both)), "Last modified") == datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("formula", "keeps"),
    [
        ("{Name}='O\\'Neill'", True),
        ("{Amount}>=12.5", True),
        ("{Amount}<-1", False),
        ("{Nothing}=BLANK()", True),
        ("{Nothing}!=''", False),
        ("IS_SAME({At}, '2026-11-21', 'day')", True),
        ("IS_BEFORE({At}, '2026-11-21T12:00:00Z')", False),
        ("OR(FALSE(), RECORD_ID()='rec1')", True),
        ("FIND('Neill', Name & '!')", 3),
        ("IS_AFTER({Name}, '2026-01-01')", None),
    ],
)
def test_a_formula_says_what_airtable_would_say(formula: str, keeps: Any) -> None:
    row = Row("rec1", NOW, NOW, {"Name": "O'Neill", "Amount": 12.5, "At": "2026-11-21T12:00:00Z"})
    assert value(parse(formula), row) == keeps


def test_what_is_no_formula_is_refused() -> None:
    for text in ("", "{a}}", "1 2", "NOPE()", "AND(,)"):
        with pytest.raises(InvalidFormula):
            parse(text)


# -- the shapes in the contract --------------------------------------------------------------------------------------


def contract(name: str) -> FilePath:
    root = FilePath(__file__).parents[2]
    found = FilePath(os.environ.get("OMNIHUB_CONTRACTS", root / "../shared/contracts")) / "airtable" / name
    if not found.exists():
        pytest.skip("contracts not found")
    return found


def upserted(spec: Any) -> dict[str, Any]:
    """An upsert answers with the records, as a list does, and says which of them are new."""
    named = {"type": "array", "items": {"type": "string"}}
    return {
        "$ref": "#/components/schemas/RecordList",
        "properties": {"createdRecords": named, "updatedRecords": named},
        "required": ["createdRecords", "updatedRecords"],
        "components": spec["components"],
    }


def test_answers_have_the_shapes_of_the_contract(base: Base) -> None:
    spec = yaml.safe_load(contract("airtable-api.yml").read_text())
    http = base.client.http

    def has_shape(name: str, status: int, answer: requests.Response) -> None:
        assert answer.status_code == status
        schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
        Draft202012Validator(schema).validate(answer.json())

    base.standin.seed([product(n) for n in range(1, 103)])
    records, one = f"/v0/{BASE}/Products", f"/v0/{BASE}/Products/{base.standin.native_id('products', 1)}"
    has_shape("RecordList", 200, http.get(records))
    made(GOODS.create(base.client, [wanted(0, {"Name": "Pump"}, key="K-1")]))
    Draft202012Validator(upserted(spec)).validate(http.last().json())
    has_shape("Record", 200, http.get(one))
    has_shape("Record", 200, http.patch(one, json={"fields": {"Name": "x"}}))
    has_shape("Comment", 200, http.post(f"{one}/comments", json={"text": "x"}))
    has_shape("RecordDeleted", 200, http.delete(one))
    has_shape("Error", 422, http.get(records, params={"filterByFormula": "NOPE()"}))
    has_shape("Error", 401, requests.get(base.url + records, timeout=5))


def test_the_schema_reads_as_the_vendors_sample_does(base: Base) -> None:
    sample = BaseSchema.model_validate_json(contract("pyairtable-samples/BaseSchema.json").read_text())
    ours = BaseSchema.model_validate(base.client.http.get(f"/v0/meta/bases/{BASE}/tables").json())
    told = {"Products", "Prices", "Promotions", "Channels", "Service Standards", "Consistency Findings"}
    assert told <= {t.name for t in ours.tables}
    assert set(ours.tables[0].model_dump()) == set(sample.tables[0].model_dump())

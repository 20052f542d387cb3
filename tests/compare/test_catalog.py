"""Products beside the master, and the context in which prices are said: whose, how many, when, in what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from omnihub.compare import context
from tests.compare.trading import TODAY, findings, offered, said


def kinds(prices: list[dict[str, Any]], *lines: dict[str, Any], **beside: Any) -> list[tuple[str, str | None]]:
    """(kind, expected) of each finding."""
    return [(f["kind"], f["expected"]) for f in findings(prices, *lines, **beside)]


# -- products --------------------------------------------------------------------------------------------------------


def test_a_number_the_master_does_not_know_is_unknown() -> None:
    assert kinds([], offered(sku="p9")) == [("sku_unknown", None)]
    assert kinds([], said("100", sku="p9")) == [("sku_unknown", None)]


def test_a_discontinued_product_still_on_sale_is_found_and_its_old_orders_are_not() -> None:
    assert kinds([], offered(), status="discontinued") == [("sku_discontinued", "discontinued")]
    assert kinds([], said(None), status="discontinued") == []


def test_a_product_taken_off_sale_is_no_finding() -> None:
    assert kinds([], offered() | {"status": "archived"}, status="discontinued") == []


def test_a_product_on_sale_before_its_release_is_found() -> None:
    assert kinds([], offered(), status="draft") == [("sku_unreleased", "draft")]
    assert kinds([], offered() | {"status": "draft"}, status="draft") == []


def test_the_same_number_twice_in_one_place_of_a_channel_is_told_of_both() -> None:
    both = [offered(), offered() | {"ref": "shop/products/2"}]
    assert kinds([], *both) == [("sku_duplicate", None), ("sku_duplicate", None)]
    assert kinds([], both[0], both[1] | {"ref": "shop/variants/2"}) == []
    assert kinds([], both[0], both[1] | {"system": "crm", "ref": "crm/products/2"}) == []
    assert kinds([], both[0], both[1] | {"status": "discontinued"}) == [], "one of them is not on sale"


# -- the context -----------------------------------------------------------------------------------------------------


def fact(ref: str, entity: str, fields: Mapping[str, str]) -> dict[str, str]:
    system, stream, _ = ref.split("/", 2)
    return {
        "ref": ref,
        "entity": entity,
        "system": system,
        "stream": stream,
        "fields": json.dumps(fields),
        "problems": "{}",
    }


MASTER = [
    fact("pim/products/1", "product", {"sku": "P-1", "name": "Pump", "status": "active"}),
    fact(
        "pim/prices/1",
        "price",
        {"sku": "P-1", "customer_group": "standard", "currency": "EUR", "amount": "100", "min_quantity": "1"},
    ),
    fact(
        "pim/prices/2",
        "price",
        {"sku": "P-1", "customer_group": "dealer", "currency": "EUR", "amount": "70", "min_quantity": "1"},
    ),
    fact(
        "pim/prices/3",
        "price",
        {"sku": "P-1", "customer_group": "standard", "currency": "EUR", "amount": "119", "tax_included": "true"},
    ),
]


def known(
    *rows: dict[str, str], zone: str = "UTC"
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    believed = [
        {"ref": "shop/firms/1", "entity": "account", "golden_id": "account_x", "fields": "{}"},
        {
            "ref": "shop/people/1",
            "entity": "contact",
            "golden_id": "contact_y",
            "fields": json.dumps({"account": "account_x"}),
        },
        {"ref": "shop/people/2", "entity": "contact", "golden_id": "contact_z", "fields": "{}"},
    ]
    accounts = [{"id": "account_x", "fields": json.dumps({"customer_group": "dealer"})}]
    text = pa.string()
    products, prices, lines, _ = context(
        pa.Table.from_pylist([*MASTER, *rows]),
        pa.Table.from_pylist(believed, schema=pa.schema([(n, text) for n in ("ref", "entity", "golden_id", "fields")])),
        pa.Table.from_pylist(accounts, schema=pa.schema([("id", text), ("fields", text)])),
        ["pim"],
        TODAY,
        zone,
    )
    return products.to_pylist(), prices.to_pylist(), lines.to_pylist()


def line_of(order: Mapping[str, str], **line: str) -> dict[str, Any]:
    """What is known about one line of an order with these fields."""
    told = {"sku": "p1", "quantity": "2", "unit_price": "70", "currency": "EUR", "of": "shop/orders/1"} | line
    [found] = known(fact("shop/orders/1", "order", order), fact("shop/lines/1", "line", told))[2]
    return found


def test_the_master_lists_are_those_of_the_master_without_tax() -> None:
    shops = fact("shop/products/1", "product", {"sku": "X-9", "name": "Other"})
    products, prices, _ = known(shops)
    assert [p["name"] for p in products] == ["Pump"]
    assert sorted(p["amount"] for p in prices if p["tax_included"] != "true") == ["100", "70"]


def test_a_line_is_judged_by_its_orders_customer_and_day() -> None:
    line = line_of({"account": "shop/firms/1", "ordered_at": "2026-03-04T23:30:00Z"})
    assert (line["customer_group"], line["day"], line["quantity"]) == ("dealer", "2026-03-04", "2")


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        ("2026-12-31T22:59:59Z", "Europe/Berlin", "2026-12-31"),
        ("2026-12-31T23:00:00Z", "Europe/Berlin", "2027-01-01"),
        ("2026-12-31T23:00:00Z", "UTC", "2026-12-31"),
        ("2026-06-30T22:00:00Z", "Europe/Berlin", "2026-07-01"),
        ("2027-01-01T04:59:59Z", "America/New_York", "2026-12-31"),
    ],
)
def test_a_day_ends_at_midnight_where_the_master_is(at: str, zone: str, day: str) -> None:
    order = fact("shop/orders/1", "order", {"ordered_at": at})
    line = fact("shop/lines/1", "line", {"sku": "P-1", "of": "shop/orders/1", "unit_price": "1"})
    assert [found["day"] for found in known(order, line, zone=zone)[2]] == [day]


def test_a_line_is_with_tax_where_its_order_is() -> None:
    assert line_of({"tax_included": "true"})["tax_included"] == "true"
    assert line_of({"tax_included": "true"}, tax_included="false")["tax_included"] == "false"
    assert line_of({})["tax_included"] is None


def test_a_contacts_order_is_its_companys() -> None:
    assert line_of({"contact": "shop/people/1"})["customer_group"] == "dealer"


@pytest.mark.parametrize("order", [{}, {"contact": "shop/people/2"}, {"contact": "shop/people/404"}])
def test_without_a_known_customer_everyones_price_counts(order: Mapping[str, str]) -> None:
    line = line_of(order)
    assert line["customer_group"] in (None, "")
    assert line["day"] == TODAY


def test_a_line_of_no_order_we_know_is_still_judged() -> None:
    assert line_of({}, of="shop/orders/404")["day"] == TODAY


def test_spellings_of_one_number_meet_at_its_key() -> None:
    keys = {line_of({}, sku=text)["sku"] for text in ("P-1", "p1", "P 1")}
    assert keys == {known()[0][0]["sku"]}


# -- what a ticket promises -----------------------------------------------------------------------------------------

PROMISE = {"sku": "p 1", "quantity": "2", "promised_price": "70", "currency": "EUR"}


def promised(zone: str = "UTC", **more: str | None) -> list[dict[str, Any]]:
    """What is judged of a ticket with these fields; None takes one away."""
    told = {name: value for name, value in (PROMISE | more).items() if value is not None}
    return known(fact("desk/tickets/1", "ticket", told), zone=zone)[2]


def test_a_promise_in_a_ticket_is_judged_by_who_was_promised_how_many() -> None:
    [line] = promised(contact="shop/people/1", opened_at="2026-03-04T10:00:00Z")
    assert (line["entity"], line["field"], line["price"], line["quantity"]) == ("ticket", "promised_price", "70", "2")
    assert (line["customer_group"], line["customer"], line["day"]) == ("dealer", "account_x", "2026-03-04")


def test_a_ticket_is_of_the_firm_it_is_filed_under_where_nobody_knows_its_contacts() -> None:
    for contact in (None, "shop/people/2"):
        [line] = promised(account="shop/firms/1", contact=contact)
        assert (line["customer_group"], line["customer"]) == ("dealer", "account_x")


def test_a_promise_counts_on_the_day_of_the_first_answer_where_the_master_is() -> None:
    told = {"opened_at": "2026-12-29T09:00:00Z", "answered_at": "2026-12-31T23:00:00Z", "solved_at": "2027-02-01"}
    assert [line["day"] for line in promised("Europe/Berlin", **told)] == ["2027-01-01"]
    assert [line["day"] for line in promised("UTC", **told)] == ["2026-12-31"]
    assert [line["day"] for line in promised(opened_at="2026-12-29T09:00:00Z")] == ["2026-12-29"]
    assert [line["day"] for line in promised()] == [TODAY]


def test_a_ticket_that_promises_no_price_says_nothing_about_a_product() -> None:
    assert promised(promised_price=None) == promised(sku=None) == []


def test_a_promise_without_a_currency_is_no_price() -> None:
    assert [line["price"] for line in promised(currency=None)] == [None]


def test_a_master_promises_nothing() -> None:
    assert known(fact("pim/tickets/1", "ticket", PROMISE))[2] == []


def test_a_deal_counts_on_the_day_it_is_to_close() -> None:
    deal = fact("crm/deals/1", "deal", {"closes_on": "2027-01-31"})
    line = fact("crm/items/1", "line", {"sku": "P-1", "of": "crm/deals/1", "unit_price": "1"})
    assert [found["day"] for found in known(deal, line)[2]] == ["2027-01-31"]


CART_LINE = fact("shop/items/1", "line", {"sku": "P-1", "of": "shop/carts/1", "unit_price": "1"})


def test_what_lies_in_a_cart_counts_on_the_day_it_was_last_changed_where_the_master_is() -> None:
    cart = fact("shop/carts/1", "cart", {"contact": "shop/people/1", "changed_at": "2026-12-31T23:30:00Z"})
    for zone, day in (("Europe/Berlin", "2027-01-01"), ("UTC", "2026-12-31")):
        [line] = known(cart, CART_LINE, zone=zone)[2]
        assert (line["day"], line["customer_group"], line["customer"]) == (day, "dealer", "account_x")


def test_a_cart_that_became_an_order_is_judged_as_that_order_alone() -> None:
    told = {"changed_at": "2026-03-04T10:00:00Z", "ordered_at": "2026-03-05T10:00:00Z"}
    assert known(fact("shop/carts/1", "cart", told), CART_LINE)[2] == []
    assert known(
        fact("shop/orders/1", "order", told), CART_LINE | {"fields": CART_LINE["fields"].replace("carts", "orders")}
    )[2]


def test_a_lines_own_tax_counts_before_that_of_what_it_is_in() -> None:
    cart = fact("shop/carts/1", "cart", {"tax_included": "true", "tax_rate": "19"})
    own = fact("shop/items/2", "line", {"sku": "P-1", "of": "shop/carts/1", "unit_price": "1", "tax_rate": "7"})
    assert {(x["tax_rate"], x["tax_included"]) for x in known(cart, CART_LINE, own)[2]} == {
        ("19", "true"),
        ("7", "true"),
    }


def test_what_a_shop_offers_is_for_everyone_one_piece_today() -> None:
    shops = fact("shop/products/1", "product", {"sku": "P-1", "price": "100", "currency": "EUR", "status": "active"})
    [line] = known(shops)[2]
    assert (line["customer_group"], line["quantity"], line["day"], line["field"]) == ("", "1", TODAY, "price")


def listed_there(**row: str) -> list[dict[str, Any]]:
    """What a row of a channel's own list says."""
    told = {"sku": "P-1", "currency": "EUR", "amount": "70", "customer_group": "dealer"}
    return known(fact("crm/prices/1", "price", told | row))[2]


def test_a_channels_own_list_says_a_price_to_its_group_from_its_quantity_on_today() -> None:
    [row] = listed_there(min_quantity="10", unit="set", tax_included="true", tax_rate="19")
    assert (row["entity"], row["field"], row["price"], row["currency"]) == ("price", "amount", "70", "EUR")
    assert (row["customer_group"], row["quantity"], row["day"]) == ("dealer", "10", TODAY)
    assert (row["unit"], row["tax_included"], row["tax_rate"]) == ("set", "true", "19")
    assert [row["quantity"] for row in listed_there()] == ["1"]


def test_a_row_that_is_over_says_nothing_and_one_to_come_is_of_its_first_day() -> None:
    days = [[row["day"] for row in listed_there(**told)] for told in (
        {"valid_to": "2026-11-20"}, {"valid_to": TODAY}, {"valid_from": "2026-01-01"}, {"valid_from": "2027-01-01"},
    )]  # fmt: skip
    assert days == [[], [TODAY], [TODAY], ["2027-01-01"]]


def test_a_masters_list_is_what_others_are_held_against() -> None:
    _, prices, lines = known(fact("pim/prices/4", "price", {"sku": "P-1", "currency": "USD", "amount": "80"}))
    assert ({price["ref"] for price in prices} >= {"pim/prices/4"}, lines) == (True, [])

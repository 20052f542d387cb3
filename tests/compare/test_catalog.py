"""Prices and products beside the master, in the context in which they were said: whose, how many, when, in what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.compare import LINES, PRICES, PRODUCTS, catalog, context

TODAY = "2026-11-21"


def price(amount: str, **other: str | None) -> dict[str, Any]:
    """A row of the master's list: for everyone, in euros, from one piece on, always, unless said otherwise."""
    row = {
        "sku": "p1",
        "customer_group": "standard",
        "currency": "EUR",
        "min_quantity": "1",
        "valid_from": None,
        "valid_to": None,
    }
    return row | {"amount": amount} | other


def said(amount: str | None, **other: str | None) -> dict[str, Any]:
    """An order line: one piece for everyone, in euros, today, unless said otherwise."""
    about = {"ref": "shop/lines/1", "entity": "line", "system": "shop", "sku": "p1", "sku_text": "P-1"}
    row = {
        "price": amount,
        "field": "unit_price",
        "currency": "EUR",
        "quantity": "1",
        "customer_group": "",
        "day": TODAY,
    }
    return {"name": None, "status": None, **about, **row, **other}


def offered(amount: str | None = None, **other: str | None) -> dict[str, Any]:
    """A product a channel offers."""
    return said(amount, entity="product", ref="shop/products/1", field="price", status="active", **other)


def findings(
    prices: list[dict[str, Any]], *lines: dict[str, Any], status: str = "active", products: list[str] | None = None
) -> list[tuple[str, str | None]]:
    """(kind, expected) of each finding."""
    known = [{"sku": s, "name": "Pump", "status": status} for s in (["p1"] if products is None else products)]
    tables = ((known, PRODUCTS), (prices, PRICES), (list(lines), LINES))
    found = catalog(*(pa.Table.from_pylist(rows, schema=schema) for rows, schema in tables))
    return [(f["kind"], f["expected"]) for f in found.to_pylist()]


def verdict(prices: list[dict[str, Any]], line: dict[str, Any]) -> str:
    found = findings(prices, line)
    assert len(found) <= 1
    return found[0][0] if found else "right"


# -- prices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [("100", "right"), ("100.00", "right"), ("100.004", "right"), ("100.01", "price_differs"), ("0", "price_differs")],
)
def test_a_price_is_right_to_the_cent(amount: str, outcome: str) -> None:
    assert verdict([price("100")], said(amount)) == outcome


def test_a_wrong_price_says_what_is_expected() -> None:
    [(kind, expected)] = findings([price("100.5")], said("99"))
    assert kind == "price_differs"
    assert expected is not None
    assert float(expected) == 100.5


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("1", "100"),
        ("9", "100"),
        ("10", "90"),
        ("99", "90"),
        ("100", "80"),
        ("1000", "80"),
        ("9.9", "100"),
        (None, "100"),
    ],
)
def test_the_greatest_quantity_break_that_is_reached_counts(quantity: str | None, amount: str) -> None:
    breaks = [price("90", min_quantity="10"), price("80", min_quantity="100"), price("100")]
    for told in ("100", "90", "80"):
        assert verdict(breaks, said(told, quantity=quantity)) == ("right" if told == amount else "price_differs")


@pytest.mark.parametrize(
    ("day", "amount"),
    [("2026-01-01", "100"), ("2026-06-30", "100"), ("2026-07-01", "110"), ("2026-12-31", "110")],
)
def test_a_price_holds_from_its_first_day_to_its_last(day: str, amount: str) -> None:
    halves = [
        price("100", valid_from="2026-01-01", valid_to="2026-06-30"),
        price("110", valid_from="2026-07-01", valid_to="2026-12-31"),
    ]
    assert verdict(halves, said(amount, day=day)) == "right"
    assert verdict(halves, said("105", day=day)) == "price_differs"


def test_an_open_end_is_open() -> None:
    assert verdict([price("100", valid_from="2026-01-01")], said("100", day="2099-01-01")) == "right"
    assert verdict([price("100", valid_to="2026-01-01")], said("100", day="1999-01-01")) == "right"


def test_of_two_lists_that_overlap_the_later_one_counts() -> None:
    lists = [price("100", valid_from="2026-01-01"), price("120", valid_from="2026-10-01")]
    assert verdict(lists, said("120")) == "right"
    assert verdict(lists, said("120", day="2026-09-30")) == "price_differs"


def test_the_price_of_a_list_that_has_ended_is_expired_and_any_other_is_different() -> None:
    lists = [price("90", valid_to="2026-06-30"), price("100", valid_from="2026-07-01")]
    assert verdict(lists, said("90")) == "price_expired"
    assert verdict(lists, said("95")) == "price_differs"
    assert verdict(lists, said("100")) == "right"
    assert verdict(lists, said("90", day="2026-06-30")) == "right"


def test_an_old_price_that_holds_again_is_not_expired() -> None:
    assert verdict([price("90", valid_to="2026-06-30"), price("90", valid_from="2026-07-01")], said("90")) == "right"


def test_a_price_of_a_list_to_come_is_different() -> None:
    assert (
        verdict([price("100", valid_to="2026-12-31"), price("110", valid_from="2027-01-01")], said("110"))
        == "price_differs"
    )


def test_each_customer_group_has_its_own_prices_and_a_shop_shows_everyones() -> None:
    lists = [price("100"), price("70", customer_group="dealer")]
    assert verdict(lists, said("70", customer_group="dealer")) == "right"
    assert verdict(lists, said("100", customer_group="dealer")) == "price_differs"
    assert verdict(lists, offered("100")) == "right"
    assert verdict(lists, offered("70")) == "price_differs"
    assert verdict(lists, said("100", customer_group=None)) == "right"


def test_prices_in_other_money_are_not_compared() -> None:
    lists = [price("100"), price("110", currency="USD")]
    assert verdict(lists, said("110", currency="USD")) == "right"
    assert verdict(lists, said("100", currency="USD")) == "price_differs"
    assert verdict(lists, said("1", currency="CHF")) == "right", "the master knows no price in it"


@pytest.mark.parametrize("line", [said(None), said("12 apples"), said("1", sku="p9"), said("100", quantity="many")])
def test_what_can_not_be_judged_is_not_called_a_wrong_price(line: dict[str, Any]) -> None:
    assert [kind for kind, _ in findings([price("100")], line, products=["p1", "p9"])] == []


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 100), st.integers(1, 60)), min_size=1, max_size=12))
def test_the_expected_price_is_that_of_a_plain_reading_of_the_list(drawn: list[tuple[int, int, int]]) -> None:
    """(quantity break, amount, quantity asked) — all asked at once, beside the same in plain Python."""
    breaks = {least: amount for least, amount, _ in drawn} | {1: 1000}
    lists = [price(str(amount), min_quantity=str(least)) for least, amount in breaks.items()]
    lines = [said("0.01", ref=f"shop/lines/{n:03}", quantity=str(asked)) for n, (_, _, asked) in enumerate(drawn)]
    wanted = [breaks[max(b for b in breaks if b <= asked)] for _, _, asked in drawn]
    assert [float(e or 0) for _, e in findings(lists, *lines)] == wanted


# -- products --------------------------------------------------------------------------------------------------------


def test_a_number_the_master_does_not_know_is_unknown() -> None:
    assert findings([], offered(sku="p9")) == [("sku_unknown", None)]
    assert findings([], said("100", sku="p9")) == [("sku_unknown", None)]


def test_a_discontinued_product_still_on_sale_is_found_and_its_old_orders_are_not() -> None:
    assert findings([], offered(), status="discontinued") == [("sku_discontinued", "discontinued")]
    assert findings([], said(None), status="discontinued") == []


def test_a_product_taken_off_sale_is_no_finding() -> None:
    assert findings([], offered() | {"status": "archived"}, status="discontinued") == []


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


def known(*rows: dict[str, str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
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
    products, prices, lines = context(
        pa.Table.from_pylist([*MASTER, *rows]),
        pa.Table.from_pylist(believed, schema=pa.schema([(n, text) for n in ("ref", "entity", "golden_id", "fields")])),
        pa.Table.from_pylist(accounts, schema=pa.schema([("id", text), ("fields", text)])),
        ["pim"],
        TODAY,
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
    assert sorted(p["amount"] for p in prices) == ["100", "70"]


def test_a_line_is_judged_by_its_orders_customer_and_day() -> None:
    line = line_of({"account": "shop/firms/1", "ordered_at": "2026-03-04T23:30:00Z"})
    assert (line["customer_group"], line["day"], line["quantity"]) == ("dealer", "2026-03-04", "2")


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


def test_a_deal_counts_on_the_day_it_is_to_close() -> None:
    deal = fact("crm/deals/1", "deal", {"closes_on": "2027-01-31"})
    line = fact("crm/items/1", "line", {"sku": "P-1", "of": "crm/deals/1", "unit_price": "1"})
    assert [found["day"] for found in known(deal, line)[2]] == ["2027-01-31"]


def test_what_a_shop_offers_is_for_everyone_one_piece_today() -> None:
    shops = fact("shop/products/1", "product", {"sku": "P-1", "price": "100", "currency": "EUR", "status": "active"})
    [line] = known(shops)[2]
    assert (line["customer_group"], line["quantity"], line["day"], line["field"]) == ("", "1", TODAY, "price")

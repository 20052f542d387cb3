"""The right price for a channel's own context, and the row of the master that says so."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from omnihub.compare.corrections import JUDGED, LISTED, right_prices

DAY = "2026-05-31"
ROW = {"amount": "100.00", "currency": "EUR", "customer_group": "standard", "min_quantity": "1"}


def right(rows: list[dict[str, str]], expected: str = "100", **said: str) -> Any:
    """What a channel that asks 90 EUR is given: (price, row), or None."""
    fields = {"price": "90.00", "currency": "EUR"} | said
    judged = [{"ref": "shop/v/1", "golden_id": "product_a", "sku": "a", "fields": json.dumps(fields)}]
    product = {"ref": "master/a", "entity": "product", "sku": "a", "fields": json.dumps({"unit": "pcs"})}
    told = [{"ref": f"master/p/{n}", "fields": json.dumps(ROW | row)} for n, row in enumerate(rows)]
    listed = [product, *(one | {"entity": "price", "sku": "a"} for one in told)]
    judged[0]["expected"] = expected
    found = right_prices(pa.Table.from_pylist(judged, JUDGED), pa.Table.from_pylist(listed, LISTED), DAY).to_pylist()
    return (found[0]["ours"], found[0]["winner"]) if found else None


@pytest.mark.parametrize(
    "other",
    [
        {"customer_group": "dealer", "amount": "80.00"},
        {"currency": "CHF", "amount": "95.00"},
        {"min_quantity": "10", "amount": "70.00"},
        {"valid_to": "2026-05-30", "amount": "60.00"},
        {"valid_from": "2026-06-01", "amount": "110.00"},
        {"tax_included": "true", "amount": "119.00"},
        {"tax_included": "true", "amount": "119.00", "tax_rate": "19"},  # could be worked out, but need not be
        {"unit": "set", "amount": "400.00"},
        {"valid_from": "2020-01-01", "amount": "50.00"},  # overlaps; the later beginning holds
    ],
)
def test_a_row_for_another_context_is_passed_over(other: dict[str, str]) -> None:
    assert right([other, {"valid_from": "2026-01-01", "valid_to": DAY}]) == ("100.00", "master/p/1")


def test_a_channel_that_shows_gross_prices_gets_the_gross_one_in_its_currency() -> None:
    rows = [{}, {"tax_included": "true", "amount": "119.00"}, {"tax_included": "true", "currency": "CHF"}]
    assert right(rows, "119.00", tax_included="true") == ("119.00", "master/p/1")
    assert right(rows, "100.00", tax_included="true", currency="CHF") == ("100.00", "master/p/2")


def test_where_only_net_is_listed_gross_is_worked_out_to_the_cent_and_the_reverse() -> None:
    assert right([{"tax_rate": "19", "amount": "10.25"}], "12.20", tax_included="true") == ("12.20", "master/p/0")
    assert right([{"tax_included": "true", "amount": "119.00"}], "100.00", tax_rate="19") == ("100.00", "master/p/0")
    assert right([{}], "119.00", tax_included="true") is None, "nobody says how much tax there is"


def test_where_rows_contradict_each_other_or_the_judgement_a_person_is_left_to_say_it() -> None:
    assert right([{}, {"amount": "101.00"}]) is None
    assert right([{}, {}]) == ("100.00", "master/p/0")
    assert right([{}], expected="101.00") is None
    assert right([{"amount": "0.00"}], expected="0.00") is None

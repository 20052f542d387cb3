"""What the master says a system sells, beside what that system offers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from omnihub.compare import OFFERED, SELLERS, missing

PUMP = {"sku": "P-1", "gtin": "4006381333931", "name": "Pump", "status": "active", "sold_in": "Portal;Web shop"}
SHOP = ("web shop", "shopify")


def product(system: str, fields: Mapping[str, str]) -> dict[str, str]:
    return {"ref": f"{system}/products/1", "entity": "product", "system": system, "fields": json.dumps(fields)}


def found(
    *offered: tuple[str, Mapping[str, str]], sellers: tuple[tuple[str, str], ...] = (SHOP,), **other: str
) -> list[Any]:
    """(system, expected) where the pump is missing. offered: (system, fields)."""
    rows = missing(
        pa.Table.from_pylist([product("pim", PUMP | other)], schema=OFFERED),
        pa.Table.from_pylist([product(*one) for one in offered], schema=OFFERED),
        pa.Table.from_pylist([{"word": w, "system": s} for w, s in sellers], schema=SELLERS),
    ).to_pylist()
    assert {(f["kind"], f["ref"]) for f in rows} <= {("product_missing", "pim/products/1")}
    return [(f["system"], f["expected"]) for f in rows]


def test_what_the_master_says_a_system_sells_and_it_does_not_is_missing_there() -> None:
    assert found() == [("shopify", "P-1")]
    assert found(("hubspot", {"sku": "P-1"})) == [("shopify", "P-1")], "another system has it"


@pytest.mark.parametrize("known_by", [{"sku": "p 1"}, {"gtin": "4006381333931"}, {"sku": "P-9", "name": "PUMP"}])
def test_it_is_there_under_its_number_its_gtin_or_its_name(known_by: dict[str, str]) -> None:
    assert found(("shopify", known_by)) == []
    assert found(("shopify", {name: f"{value}9" for name, value in known_by.items()})) == [("shopify", "P-1")]


def test_it_may_be_missing_in_two_systems_and_each_is_told() -> None:
    both = (SHOP, ("portal", "portal"))
    assert found(sellers=both) == [("portal", "P-1"), ("shopify", "P-1")]
    assert found(("portal", {"sku": "P-1"}), sellers=both) == [("shopify", "P-1")]


def test_two_words_for_one_system_are_one_finding() -> None:
    assert found(sellers=(SHOP, ("portal", "shopify"))) == [("shopify", "P-1")]


@pytest.mark.parametrize("other", [{"status": "draft"}, {"status": "discontinued"}, {"sold_in": "Field sales"}])
def test_what_is_not_to_be_sold_there_is_not_missing(other: dict[str, str]) -> None:
    assert found(**other) == []


def test_a_system_nobody_has_seen_whole_misses_nothing() -> None:
    assert found(sellers=()) == []

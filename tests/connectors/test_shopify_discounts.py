"""Shopify's discounts, of every kind and for whatever they are: read over HTTP from the stand-in, and refined."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from connectors.shopify import connector
from connectors.shopify.discounts import (
    DISCOUNTS,
    INSIDE,
    PRODUCTS_OF_COLLECTION,
    VARIANTS_OF_PRODUCT,
    Completing,
    Inner,
)
from connectors.shopify.graph import requested_cost, understood
from connectors.shopify.sandbox import SCHEMA, Shopify
from connectors.shopify.shop import SINGLE_QUERY_POINTS, Shop
from omnihub.refine import PRIOR, SENT, VERSIONS, refine
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Running
from omnihub.sdk import Page, Want, open_client

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BY_COLLECTION, BY_VARIANT, BY_PRODUCT = 4, 1, 2  # numbers of discounts, which the stand-in fills in turns
GIDS = "gid://shopify/{}/700000000000{}"


def copy(stream: str, n: int, fields: dict[str, Any]) -> Copy:
    at = f"2026-11-0{min(n, 9)}T00:00:00Z"
    return Copy("shop", stream, n, fields, at, at)


def goods(count: int) -> list[Copy]:
    """So many products with a variant each: SKU-1 …"""
    products = [copy("products", n, {"name": f"Pump {n}"}) for n in range(1, count + 1)]
    return products + [copy("variants", n, {"of": n, "sku": f"SKU-{n}"}) for n in range(1, count + 1)]


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Running, Shopify]]:
    standin = Shopify(quotas=(), now=lambda: NOW)
    with Running([standin]) as run:
        yield run, standin


@pytest.fixture
def standin(running: tuple[Running, Shopify]) -> Shopify:
    running[1].state.clear()
    running[1].calls.clear()
    return running[1]


@pytest.fixture
def shop(running: tuple[Running, Shopify], standin: Shopify) -> Shop:
    opened: Shop = open_client(connector, {"url": running[0].urls["shopify"], **Shopify.credentials})
    return opened


def pulled(shop: Shop, since: str | None = None, complete: bool = False, size: int = 25) -> list[Page]:
    return list(replace(DISCOUNTS, size=size)(shop, Want(since, complete, NOW)))


def read(pages: list[Page]) -> dict[int, dict[str, str]]:
    """The canonical fields of each discount, by its number."""
    stream = connector.stream("discounts")
    records = [r for page in pages for r in page.records]
    versions = [
        {"ref": f"shopify/discounts/{r.id}", "seq": n, "body": r.raw.decode(), "updated": r.updated, "deleted": False,
         "landed_at": "2026-11-21T12:00:00Z"}
        for n, r in enumerate(records)
    ]  # fmt: skip
    rows = refine(
        "shopify", stream, pa.Table.from_pylist(versions, schema=VERSIONS), PRIOR.empty_table(), SENT.empty_table()
    )
    assert all(row["problems"] == "{}" for row in rows.to_pylist())
    return {int(row["ref"][-3:]): json.loads(row["fields"]) for row in rows.to_pylist()}


def asked_for(standin: Shopify) -> int:
    """How many queries were sent so far."""
    return sum(path.endswith("/graphql.json") for _, path, _ in standin.calls)


def fields_of(standin: Shopify, shop: Shop, n: int, said: dict[str, Any]) -> dict[str, str]:
    """What is read of a discount that says this."""
    standin.seed([copy("discounts", n, {"name": "An offer", **said})])
    return read(pulled(shop))[n]


@pytest.mark.parametrize("how", [BY_VARIANT, BY_PRODUCT, BY_COLLECTION])
@pytest.mark.parametrize("many", [2, 23])
def test_the_products_of_a_discount_are_known_however_they_were_chosen(
    standin: Shopify, shop: Shop, how: int, many: int
) -> None:
    standin.seed(goods(many))
    skus = sorted(f"SKU-{n}" for n in range(1, many + 1))
    said = {"code": "MAY", "skus": ", ".join(skus), "discount": "12.5", "ends_at": "2026-11-30T22:59:59Z"}
    found = fields_of(standin, shop, how, said)
    assert found["skus"] == ", ".join(skus)
    assert {"code": "MAY", "name": "An offer", "gives": "discount", "discount": "12.5"}.items() <= found.items()
    assert found["ends_at"] == said["ends_at"]


def test_a_collection_larger_than_a_page_is_read_to_its_end_and_no_call_costs_more_than_one_may(
    standin: Shopify, shop: Shop
) -> None:
    many = PRODUCTS_OF_COLLECTION.size * 2 + 30
    standin.seed(goods(many))
    skus = ", ".join(f"SKU-{n}" for n in range(1, many + 1))
    found = fields_of(standin, shop, BY_COLLECTION, {"skus": skus})
    assert set(found["skus"].split(", ")) == set(skus.split(", "))
    assert asked_for(standin) == 5, "a page of discounts, and two of each of the two collections"


def test_all_variants_of_a_product_are_in_a_discount_on_it(standin: Shopify, shop: Shop) -> None:
    sizes = [copy("variants", n, {"of": 1, "sku": f"SIZE-{n:02}"}) for n in range(2, 30)]
    standin.seed([*goods(1), *sizes])
    for how in (BY_PRODUCT, BY_COLLECTION):
        found = fields_of(standin, shop, how, {"skus": "SKU-1"})
        assert len(found["skus"].split(", ")) == 29


def test_what_is_whole_in_its_page_is_kept_as_the_shop_sent_it(standin: Shopify, shop: Shop) -> None:
    standin.seed([*goods(2), copy("discounts", BY_PRODUCT, {"name": "x", "skus": "SKU-1, SKU-2"})])
    [page] = pulled(shop)
    assert page.records[0].raw in shop.http.last().content
    assert [r.updated for r in page.records] == ["2026-11-02T00:00:00Z"]


def test_a_product_that_comes_into_a_collection_is_seen_by_a_complete_pass_and_the_stream_says_so(
    standin: Shopify, shop: Shop
) -> None:
    standin.seed([*goods(3), copy("discounts", 1, {"name": "y"})])
    assert fields_of(standin, shop, BY_COLLECTION, {"skus": "SKU-1, SKU-2"})["skus"] == "SKU-1, SKU-2"
    cursor = "2026-11-20T00:00:00Z"
    held = standin.state.get("discounts", standin.native_id("discounts", BY_COLLECTION))
    assert held
    held.body["variants"] = ["SKU-3"]
    standin.state.save(held, at=held.updated_at)  # the discount itself is as it was
    assert read(pulled(shop, since=cursor)) == {}
    assert read(pulled(shop, since=cursor, complete=True))[BY_COLLECTION]["skus"] == "SKU-3"
    stream = connector.stream("discounts")
    assert "collection" in stream.blind
    assert stream.full_every


def test_a_collection_that_two_discounts_share_is_read_once(standin: Shopify, shop: Shop) -> None:
    standin.seed([*goods(2), copy("discounts", BY_COLLECTION, {"name": "x", "skus": "SKU-1"})])
    whole = pulled(shop)[0].records[0]
    id_ = standin.native_id("discounts", BY_COLLECTION).replace("/DiscountNode/", "/Collection/") + "-0"
    before = asked_for(standin)
    completing = Completing(shop)
    nodes = [completing.collection(f'{{"id":"{id_}"}}'.encode()) for _ in range(2)]
    assert nodes[0] == nodes[1]
    assert nodes[0] in whole.raw
    assert asked_for(standin) - before == 1


@pytest.mark.parametrize(("on", "each"), [("piece", True), ("order", False)])
def test_an_amount_off_is_read_with_its_currency_and_what_it_goes_off(
    standin: Shopify, shop: Shop, on: str, each: bool
) -> None:
    said = {"discount_amount": "10.00", "discount_on": on, "currency": "USD", "all_products": "true"}
    found = fields_of(standin, shop, 1, said)
    assert said.items() <= found.items()
    assert "discount" not in found
    assert f'"appliesOnEachItem":{str(each).lower()}'.encode() in shop.http.last().content


@pytest.mark.parametrize("code", ["CODE", None])
@pytest.mark.parametrize("gives", ["goods", "shipping", "app"])
def test_what_is_neither_a_percentage_nor_an_amount_says_all_it_can_but_no_discount(
    standin: Shopify, shop: Shop, gives: str, code: str | None
) -> None:
    standin.seed(goods(1))
    said = {
        "gives": gives,
        "code": code,
        "skus": "SKU-1",
        "customer_groups": "dealer",
        "ends_at": "2026-11-30T22:59:59Z",
    }
    found = fields_of(standin, shop, 1, said)
    expected = {k: v for k, v in said.items() if v and (k != "skus" or gives == "goods")}
    assert expected.items() <= found.items()
    assert {"discount", "discount_amount", "all_products"}.isdisjoint(found)
    assert ("skus" in found) == (gives == "goods")


def test_every_segment_and_every_customer_is_known_that_a_discount_is_for(standin: Shopify, shop: Shop) -> None:
    standin.seed([copy("customers", n, {"last_name": f"Li{n}", "email": f"li{n}@li.example"}) for n in (1, 2)])
    found = fields_of(standin, shop, 1, {"customer_groups": "dealer;key;Club"})
    assert found["customer_groups"] == "Club;dealer;key"
    found = fields_of(standin, shop, 1, {"contacts": [1, 2]})
    assert found["contacts"] == ";".join("shopify/customers/" + GIDS.format("Customer", n) for n in (1, 2))
    assert {"all_customers", "customer_groups"}.isdisjoint(found)
    found = fields_of(standin, shop, 1, {"all_customers": "true", "all_products": "true"})
    assert (found["all_customers"], found["all_products"]) == ("true", "true")


def test_an_incremental_pull_of_discounts_sees_what_was_changed(standin: Shopify, shop: Shop) -> None:
    standin.seed([copy("discounts", n, {"name": "x", "all_products": "true", "discount": "5"}) for n in (1, 2)])
    cursor = pulled(shop)[-1].cursor
    standin.edit("discounts", standin.native_id("discounts", 1), {"discount": "15"})
    assert read(pulled(shop, since=cursor))[1]["discount"] == "15"


def test_no_discount_is_asked_for_in_bulk(standin: Shopify, shop: Shop) -> None:
    standin.seed([copy("discounts", n, {"name": "x", "all_products": "true"}) for n in range(1, 4)])
    assert len(read(pulled(shop, size=1))) == 3
    assert standin.state.note("bulk", {}) == {}


@pytest.mark.parametrize("inner", [*INSIDE.values(), PRODUCTS_OF_COLLECTION, VARIANTS_OF_PRODUCT])
def test_a_page_of_a_list_inside_costs_what_we_say(inner: Inner) -> None:
    parsed, wrong = understood(SCHEMA, inner.document)
    assert parsed
    assert not wrong
    assert requested_cost(SCHEMA, parsed, {"id": "x"}) == inner.cost <= SINGLE_QUERY_POINTS

"""Shopify's connector against its stand-in, and both against the vendor's own schema."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    parse,
    validate,
)

from connectors.shopify import bulk, connector, erasing, stock, writing
from connectors.shopify.discounts import DISCOUNTS, INSIDE, PRODUCTS_OF_COLLECTION, VARIANTS_OF_PRODUCT
from connectors.shopify.graph import requested_cost, understood
from connectors.shopify.reading import CARTS, CUSTOMERS, ORDERS, PRODUCTS, ROW_KEY, VARIANTS, Custom, Listing
from connectors.shopify.sandbox import SCHEMA, Bucket, Shopify
from connectors.shopify.shop import PATH, SINGLE_QUERY_POINTS, Points, Shop
from connectors.shopify.writing import (
    create_customers,
    document,
    find_customers,
    merge_customers,
    update_customers,
    update_customers_in_bulk,
    update_products,
    update_products_in_bulk,
    update_variants,
    update_variants_in_bulk,
    variables,
)
from omnihub import fields
from omnihub.errors import BrokenAnswer, ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Kind, Op, Outcome
from omnihub.sandbox.copies import HELD, Copy
from omnihub.sandbox.kit import Call, Reply, Running
from omnihub.sdk import Answer, Page, Record, Row, Want, open_client, value_at
from omnihub.sdk.http import nothing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-01T{:02d}:00:00Z"
CUSTOMER = "gid://shopify/Customer/700000000000{}"
LIGHT = {"weight": "0.25", "taxable": "false"}
PRODUCT = "gid://shopify/Product/700000000000{}"
VARIANT = "gid://shopify/ProductVariant/700000000000{}"
ORDER = "gid://shopify/Order/700000000000{}"

PERSON = {
    "first_name": "Anna",
    "last_name": "Schäfer",
    "email": "anna@beispiel.example",
    "phone": "+4930123456",
    "company": "Beispiel GmbH",
    "street": "Weg 1",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "language": "de",
    "marketing_consent": "yes",
    "consent_at": "2026-01-02T03:04:05Z",
}


def copy(stream: str, n: int, fields: Mapping[str, Any], **more: Any) -> Copy:
    return Copy("shop", stream, n, fields, DAY.format(n), DAY.format(n), **more)


def world() -> list[Copy]:
    return [
        copy("customers", 1, PERSON),
        copy(
            "customers", 2, {"first_name": "Bo", "last_name": "Ek", "email": "bo@ek.example", "marketing_consent": None}
        ),
        copy("customers", 3, {"first_name": "Cy", "email": "cy@old.example", "phone": "n/a"}),
        copy("customers", 4, {"first_name": "Anne"}, merged_into=1),
        copy("customers", 5, {"first_name": "Gone"}, deleted=True),
        copy(
            "products",
            1,
            {
                "name": "Pump P1",
                "description": "Lifts <3 m & more",
                "category": "Pumps",
                "status": "active",
                "image": "p1.jpg",
            },
        ),
        copy("products", 2, {"name": "Seal S2", "status": "discontinued"}),
        copy("variants", 1, {"of": 1, "sku": "P1-A", "gtin": "4006381333931", "name": "A", "price": "12.5", **LIGHT}),
        copy("variants", 2, {"of": 1, "sku": "P1-B", "name": "B", "price": "14.00", "weight": "12.5"}),
        copy("variants", 3, {"of": 2, "sku": "S2", "price": "3.10"}),
        copy(
            "orders",
            1,
            {
                "number": "#1001",
                "contact": 4,
                "ordered_at": "2026-10-01T08:00:00Z",
                "status": "delivered",
                "currency": "EUR",
                "total": "26.50",
                "stock_point": "Werk Ulm",
                "delivery_point": "Bonn",
                "transport_mode": "parcel",
                "tracking": "JD01",
                "delivered_at": "2026-10-03T08:00:00Z",
            },
        ),
        copy(
            "orders",
            2,
            {
                "number": "#1002",
                "contact": 2,
                "status": "cancelled",
                "currency": "EUR",
                "total": "0",
                "tax_included": "true",
            },
        ),
        copy("discounts", 1, {"code": "MAY", "name": "Offer of May", "skus": "P1-A, P1-B", "discount": "12.5"}),
        copy(
            "order_lines",
            1,
            {"of": 1, "sku": "P1-A", "name": "Pump", "quantity": "2", "unit_price": "12.50", "tax_rate": "8.1"},
        ),
        copy("order_lines", 2, {"of": 1, "sku": "S2", "name": "Seal", "quantity": "1", "unit_price": "1.50"}),
    ]


def started(**options: Any) -> tuple[Running, Shopify]:
    options.setdefault("quotas", ())
    options.setdefault("now", lambda: NOW)
    standin = Shopify(**options)
    standin.seed(world())
    return Running([standin]), standin


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Running, Shopify]]:
    run, standin = started()
    with run:
        yield run, standin


@pytest.fixture
def standin(running: tuple[Running, Shopify]) -> Shopify:
    found = running[1]
    found.state.clear()
    found.calls.clear()
    found.seed(world())
    return found


@pytest.fixture
def shop(running: tuple[Running, Shopify], standin: Shopify) -> Shop:
    return client(running[0])


def client(run: Running, **settings: str) -> Shop:
    found: Shop = open_client(connector, {"url": run.urls["shopify"], **Shopify.credentials, **settings})
    found.http.wait = lambda wait_s: None
    return found


def pulled(listing: Listing, shop: Shop, since: str | None = None, complete: bool = False) -> list[Page]:
    return list(listing(shop, Want(since, complete, NOW)))


def records_of(pages: Sequence[Page]) -> dict[str | None, Record]:
    return {record.id: record for page in pages for record in page.records}


def row(n: int, id_: str, body: dict[str, Any], raw: Any = None, parent: str | None = None) -> Row:
    return Row(n, Op.UPDATE, id_, body, {}, {}, "golden", raw, parent)


def looked_at(look: Any, shop: Shop, *ids: str) -> dict[str | None, Any]:
    return {id_: json.loads(r.raw) for id_, r in records_of(list(look(shop, ids))).items()}


def outcomes(answers: Any) -> dict[int, Outcome]:
    return {a.n: a.outcome for a in answers}


# -- pulling -----------------------------------------------------------------------------------------------------------


def test_a_complete_pull_brings_every_living_customer_and_says_so(shop: Shop) -> None:
    pages = pulled(CUSTOMERS, shop)
    assert set(records_of(pages)) == {CUSTOMER.format(n) for n in (1, 2, 3)}
    assert [p.complete for p in pages] == [True]
    assert pages[-1].cursor == DAY.format(3)


def test_an_empty_list_is_still_a_complete_page() -> None:
    with Running([Shopify(quotas=())]) as run:
        [page] = pulled(PRODUCTS, client(run))
        assert (list(page.records), page.complete) == ([], True)


def test_records_are_the_bytes_that_were_on_the_wire(shop: Shop) -> None:
    [page] = pulled(CUSTOMERS, shop)
    body = shop.http.last().content
    for record in page.records:
        assert record.raw in body
        place = int(record.pointer.rpartition("/")[2])
        assert record.pointer == f"/data/customers/nodes/{place}"
        assert json.loads(body)["data"]["customers"]["nodes"][place] == json.loads(record.raw)
    assert page.exchange.url.endswith(PATH)


def test_paging_shows_each_record_once_and_only_the_last_page_is_complete(shop: Shop) -> None:
    pages = pulled(replace(CUSTOMERS, size=1), shop)
    assert [len(p.records) for p in pages] == [1, 1, 1]
    assert [p.complete for p in pages] == [False, False, True]
    assert [p.cursor for p in pages] == [DAY.format(n) for n in (1, 2, 3)]


def test_an_incremental_pull_sees_an_edit_and_what_changed_shortly_before_the_cursor(
    standin: Shopify, shop: Shop
) -> None:
    cursor = pulled(CUSTOMERS, shop)[-1].cursor
    standin.edit("customers", CUSTOMER.format(1), {"city": "Bonn"})
    pages = pulled(CUSTOMERS, shop, since=cursor)
    found = records_of(pages)
    assert set(found) == {CUSTOMER.format(1), CUSTOMER.format(3)}  # the third is the cursor's own
    assert value_at(found[CUSTOMER.format(1)].raw, "defaultAddress.city") == "Bonn"
    assert not pages[-1].complete
    assert pages[-1].cursor == "2026-11-21T12:00:00Z"


def test_an_incremental_pull_without_news_keeps_the_cursor(shop: Shop) -> None:
    pages = pulled(CUSTOMERS, shop, since="2026-11-20T00:00:00Z")
    assert [(list(p.records), p.cursor, p.complete) for p in pages] == [([], "2026-11-20T00:00:00Z", False)]


def test_a_complete_pull_ignores_the_cursor(shop: Shop) -> None:
    assert len(records_of(pulled(CUSTOMERS, shop, since="2026-11-20T00:00:00Z", complete=True))) == 3


def test_the_overlap_finds_what_the_index_showed_late() -> None:
    clock = [NOW]
    run, standin = started(now=lambda: clock[0], index_lag_s=60.0)
    with run:
        shop = client(run)
        standin.edit("customers", CUSTOMER.format(1), {"city": "Bonn"})
        clock[0] += timedelta(seconds=50)
        standin.edit("customers", CUSTOMER.format(2), {"city": "Ulm"})
        cursor = pulled(CUSTOMERS, shop)[-1].cursor  # a list without a search is not behind
        assert CUSTOMER.format(1) not in records_of(pulled(CUSTOMERS, shop, since=cursor))
        clock[0] += timedelta(seconds=61)
        assert set(records_of(pulled(CUSTOMERS, shop, since=cursor))) == {CUSTOMER.format(1), CUSTOMER.format(2)}


def test_a_list_deeper_than_the_shop_pages_is_read_in_several_searches() -> None:
    run, _ = started(deepest=2)
    with run:
        shop = client(run)
        pages = pulled(replace(CUSTOMERS, size=1, deepest=2), shop)
        assert set(records_of(pages)) == {CUSTOMER.format(n) for n in (1, 2, 3)}
        assert [p.complete for p in pages][-1:] == [True]
        with pytest.raises(BrokenAnswer, match="BAD_REQUEST"):
            pulled(replace(CUSTOMERS, size=1), shop)


def test_more_changes_in_one_second_than_can_be_paged_stop_the_stream_and_do_not_loop() -> None:
    standin = Shopify(quotas=(), deepest=2)
    standin.seed(Copy("shop", "customers", n, {"first_name": "A"}, DAY.format(1), DAY.format(1)) for n in range(1, 9))
    with Running([standin]) as run, pytest.raises(BrokenAnswer, match="in one second"):
        pulled(replace(CUSTOMERS, size=1, deepest=2), client(run))


def test_a_product_that_has_more_variants_than_a_page_shows_is_read_again_whole(standin: Shopify, shop: Shop) -> None:
    standin.seed(copy("variants", n, {"of": 1, "sku": f"P1-{n}"}) for n in range(4, 9))
    pages = pulled(PRODUCTS, shop)
    found = records_of(pages)
    assert [len(p.records) for p in pages] == [1, 1]
    assert [p.cursor for p in pages] == [None, DAY.format(2)]
    assert [p.complete for p in pages] == [False, True]
    assert len(value_at(found[PRODUCT.format(1)].raw, "variants.nodes")) == 7
    assert found[PRODUCT.format(1)].raw in shop.http.last().content
    assert found[PRODUCT.format(1)].pointer == "/data/nodes/0"


def test_an_order_with_many_lines_is_read_again_whole(standin: Shopify, shop: Shop) -> None:
    standin.seed(
        Copy("shop", "order_lines", n, {"of": 2, "sku": "S2"}, DAY.format(1), DAY.format(1)) for n in range(10, 30)
    )
    found = records_of(pulled(ORDERS, shop))
    assert len(value_at(found[ORDER.format(2)].raw, "lineItems.nodes")) == 20
    assert len(value_at(found[ORDER.format(1)].raw, "lineItems.nodes")) == 2


def shelf(n: int, place: str, quantity: str = "5", sku: str = "P1-A") -> Copy:
    return copy("inventory_levels", n, {"sku": sku, "stock_point": place, "quantity": quantity})


def test_what_is_in_stock_is_read_place_by_place_and_then_what_changed_of_it(standin: Shopify, shop: Shop) -> None:
    standin.seed([shelf(n, "Ulm", str(n)) for n in range(1, 4)] + [shelf(9, "Lyon", sku="S2")])
    pages = list(stock.levels(shop, Want(None, False, NOW)))
    fields = connector.stream("inventory_levels").fields
    told = {
        tuple(found_at(json.loads(r.raw), where.path) for where in fields.values()) for r in records_of(pages).values()
    }
    assert told == {("P1-A", "Ulm", 1), ("P1-A", "Ulm", 2), ("P1-A", "Ulm", 3), ("S2", "Lyon", 5)}
    assert [(p.cursor, p.complete) for p in pages if p.cursor or p.complete] == [(DAY.format(9), True)]
    [only] = records_of(list(stock.levels(shop, Want(DAY.format(9), False, NOW)))).values()
    assert only.id == standin.native_id("inventory_levels", 9)
    standin.edit("inventory_levels", standin.native_id("inventory_levels", 2), {"quantity": "0"})
    changed = records_of(list(stock.levels(shop, Want(DAY.format(9), False, NOW))))
    assert set(changed) == {standin.native_id("inventory_levels", n) for n in (2, 9)}


def test_a_place_with_more_on_its_shelves_than_a_page_shows_is_read_to_the_end(standin: Shopify, shop: Shop) -> None:
    first = shelf(1, "Ulm")
    standin.seed(replace(first, n=n) for n in range(1, stock.SIZE + 20))
    pages = list(stock.levels(shop, Want(None, True, NOW)))
    assert [len(p.records) for p in pages] == [stock.SIZE, 19, 0]
    assert [p.complete for p in pages] == [False, False, True]


def test_a_shop_without_stock_says_so(shop: Shop) -> None:
    assert [(p.records, p.cursor, p.complete) for p in stock.levels(shop, Want(None, True, NOW))] == [([], None, True)]


def test_a_product_with_more_variants_than_can_be_asked_for_is_named(standin: Shopify, shop: Shop) -> None:
    standin.seed(
        Copy("shop", "variants", n, {"of": 2, "sku": f"V{n}"}, DAY.format(1), DAY.format(1)) for n in range(10, 270)
    )
    with pytest.raises(BrokenAnswer, match=PRODUCT.format(2)):
        pulled(PRODUCTS, shop)


def test_an_edit_of_a_variant_shows_as_a_change_of_its_product(standin: Shopify, shop: Shop) -> None:
    cursor = pulled(PRODUCTS, shop)[-1].cursor
    standin.edit("variants", VARIANT.format(2), {"price": "15"})
    found = records_of(pulled(PRODUCTS, shop, since=cursor))
    assert value_at(found[PRODUCT.format(1)].raw, "variants.nodes")[1]["price"] == "15.00"


def test_deleted_and_merged_customers_are_just_missing_from_a_complete_pull(standin: Shopify, shop: Shop) -> None:
    merged = shop.ask(MERGE, {"one": CUSTOMER.format(2), "two": CUSTOMER.format(3)}, cost=10)
    assert value_at(merged.response.content, "data.customerMerge.resultingCustomerId") == CUSTOMER.format(2)
    assert set(records_of(pulled(CUSTOMERS, shop))) == {CUSTOMER.format(1), CUSTOMER.format(2)}
    assert all(s.blind and s.full_every for s in connector.streams if s.pull)


def test_an_order_of_a_merged_customer_points_to_the_one_that_stayed(shop: Shop) -> None:
    assert value_at(records_of(pulled(ORDERS, shop))[ORDER.format(1)].raw, "customer.id") == CUSTOMER.format(1)


# -- what the paths find -----------------------------------------------------------------------------------------------


def found_at(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document[int(part)] if isinstance(document, list) else (document or {}).get(part)
    return document


def test_an_order_says_whether_tax_is_in_its_prices(shop: Shop) -> None:
    raws = records_of(pulled(ORDERS, shop))
    path = connector.stream("orders").fields["tax_included"].path
    told = [found_at(json.loads(raws[ORDER.format(n)].raw), path) for n in (1, 2)]
    assert told == [False, True]


@pytest.mark.parametrize(
    ("stream", "n", "field", "text"),
    [
        *(("customers", 1, f, v) for f, v in PERSON.items() if f not in ("marketing_consent", "language")),
        ("customers", 1, "marketing_consent", "SUBSCRIBED"),
        ("customers", 2, "marketing_consent", "NOT_SUBSCRIBED"),
        ("customers", 3, "phone", "n/a"),
        ("products", 1, "name", "Pump P1"),
        ("products", 1, "description", "Lifts <3 m & more"),
        ("products", 1, "category", "Pumps"),
        ("products", 2, "status", "ARCHIVED"),
        ("orders", 1, "number", "#1001"),
        ("orders", 1, "ordered_at", "2026-10-01T08:00:00Z"),
        ("orders", 1, "status", "FULFILLED"),
        ("orders", 2, "status", "RESTOCKED"),
        ("orders", 1, "total", "26.50"),
        ("orders", 1, "stock_point", "Werk Ulm"),
        ("orders", 1, "delivery_point", "Bonn"),
        ("orders", 1, "transport_mode", "parcel"),
        ("orders", 1, "tracking", "JD01"),
        ("orders", 1, "delivered_at", "2026-10-03T08:00:00Z"),
        ("orders", 2, "contact", CUSTOMER.format(2)),
    ],
)
def test_a_field_is_where_the_map_says(shop: Shop, stream: str, n: int, field: str, text: Any) -> None:
    listing = {"customers": CUSTOMERS, "products": PRODUCTS, "orders": ORDERS}[stream]
    raw = json.loads(records_of(pulled(listing, shop))[Shopify(quotas=()).native_id(stream, n)].raw)
    assert found_at(raw, connector.stream(stream).fields[field].paths[-1]) == text


def test_a_weight_comes_with_its_unit_and_a_picture_with_its_address(shop: Shop) -> None:
    raw = records_of(pulled(PRODUCTS, shop))[PRODUCT.format(1)].raw
    first, second = (json.dumps(v["inventoryItem"]["measurement"]["weight"]) for v in value_at(raw, "variants.nodes"))
    assert ("GRAMS" in first, "POUNDS" in second) == (True, True)
    assert [fields.clean(Kind.WEIGHT, told) for told in (first, second)] == ["0.25", "12.500008"]
    assert fields.same(Kind.WEIGHT, "12.500008", "12.5")
    assert fields.clean(Kind.FILE, value_at(raw, "featuredMedia.preview.image.url")) == "p1.jpg"
    assert [v["taxable"] for v in value_at(raw, "variants.nodes")] == [False, True]


def test_nested_records_are_found_in_their_parent_and_look_up_to_it(shop: Shop) -> None:
    for name, listing, id_ in (("variants", PRODUCTS, PRODUCT.format(1)), ("order_lines", ORDERS, ORDER.format(1))):
        stream = connector.stream(name)
        assert stream.nested
        parent = json.loads(records_of(pulled(listing, shop))[id_].raw)
        children = found_at(parent, stream.nested.path)
        assert len(children) == 2
        seen = {
            f: found_at(parent if w.path.startswith("^") else children[0], w.path.removeprefix("^"))
            for f, w in stream.fields.items()
            if w.path
        }
        assert all(value is not None for value in seen.values()), seen


def test_every_field_the_shop_holds_is_mapped() -> None:
    # A customer's locale is the shop's unless they chose one.
    left_out = {"variants": {"of"}, "customers": {"language"}}
    for stream in connector.streams:
        held = set(HELD["shop", stream.name]) - left_out.get(stream.name, set())
        assert held <= set(stream.map)


def test_consent_that_was_never_given_or_refused_reads_as_nothing() -> None:
    from omnihub.sdk import Codes

    consent = connector.stream("customers").fields["marketing_consent"]
    assert isinstance(consent, Codes)
    assert [
        consent.codes.get(s, consent.otherwise) for s in ("SUBSCRIBED", "UNSUBSCRIBED", "PENDING", "NOT_SUBSCRIBED")
    ] == [
        "yes",
        "no",
        "",
        "",
    ]


# -- pushing -----------------------------------------------------------------------------------------------------------


WRITABLE = [
    ("customers", 1, "first_name", "Änne"),
    ("customers", 1, "last_name", "O'Hara <x>"),
    ("customers", 1, "street", "Neue Str. 2"),
    ("customers", 1, "postal_code", "50667"),
    ("customers", 1, "city", "Köln"),
    ("customers", 1, "country", "FR"),
    ("customers", 2, "city", "Lund"),  # had no address
    ("products", 1, "name", "Pump P1 plus"),
    ("products", 1, "description", "2 < 3 & 4 > 3"),
    ("products", 1, "status", "discontinued"),
    ("variants", 2, "price", "99.95"),
]


@pytest.mark.parametrize(("stream", "n", "field", "value"), WRITABLE)
def test_a_written_value_is_read_back_at_its_path(
    standin: Shopify, shop: Shop, stream: str, n: int, field: str, value: str
) -> None:
    declared = connector.stream(stream)
    assert declared.push
    assert field in declared.push.fields
    id_ = standin.native_id(stream, n)
    before = looked_at(declared.push.look, shop, id_)[id_]
    body = declared.fields.body({field: value})
    [answer] = declared.push.update(shop, [row(7, id_, body, before)])
    assert (answer.n, answer.outcome, answer.id) == (7, Outcome.WRITTEN, id_)
    after = looked_at(declared.push.look, shop, id_)[id_]
    path = declared.fields[field].path
    assert found_at(after, path) == declared.fields[field].native(value)
    changed = {k for k in flat(after) if flat(after)[k] != flat(before).get(k)} - {"updatedAt"}
    assert changed <= {path, "defaultAddress.id", "handle", "defaultAddress"}


def flat(document: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(document, dict):
        return {prefix: document}
    return {k: v for name, part in document.items() for k, v in flat(part, f"{prefix}.{name}".strip(".")).items()}


def test_every_writable_field_is_tried() -> None:
    pushed = {(s.name, f) for s in connector.streams if s.push for f in s.push.fields}
    assert pushed == {(stream, field) for stream, _, field, _ in WRITABLE}


def test_one_request_writes_many_customers_and_a_bad_row_does_not_stop_the_others(standin: Shopify, shop: Shop) -> None:
    calls = len(standin.calls)
    answers = list(
        update_customers(
            shop,
            [
                row(0, CUSTOMER.format(1), {"firstName": "Ann"}),
                row(1, CUSTOMER.format(2), {"firstName": "x" * 300}),
                row(2, CUSTOMER.format(3), {"locale": "nonsense!"}),
                row(3, CUSTOMER.format(9), {"firstName": "Nobody"}),
                row(4, CUSTOMER.format(3), {"lastName": "Young"}),
            ],
        )
    )
    assert [a.outcome.value for a in answers] == ["written", "refused", "refused", "refused", "written"]
    assert answers[1].message == "First name is too long (maximum is 255 characters)"
    assert [a.code for a in answers[1:4]] == ["USER_ERROR:firstName", "USER_ERROR:locale", "USER_ERROR:id"]
    assert len(standin.calls) == calls + 2  # the login, and one request
    assert looked_at(CUSTOMERS.look, shop, CUSTOMER.format(3))[CUSTOMER.format(3)]["lastName"] == "Young"


def test_an_address_is_changed_without_touching_the_other_addresses(shop: Shop) -> None:
    add = {"id": CUSTOMER.format(1), "address": {"city": "Hamburg", "countryCode": "DE"}}
    shop.ask(ADD_ADDRESS, add, cost=10)
    before = looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]
    update_customers(
        shop, [row(0, CUSTOMER.format(1), {"defaultAddress": {"city": "Köln", "countryCodeV2": "AT"}}, before)]
    )
    answer = shop.ask(ADDRESSES, {"id": CUSTOMER.format(1)}, cost=20)
    nodes = value_at(answer.response.content, "data.customer.addressesV2.nodes")
    assert [(a["address1"], a["city"], a["countryCodeV2"]) for a in nodes] == [
        ("Weg 1", "Köln", "AT"),
        (None, "Hamburg", "DE"),
    ]


def test_a_value_of_the_wrong_kind_refuses_the_whole_request_for_the_hub_to_split(shop: Shop) -> None:
    before = looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]
    rows = [
        row(0, CUSTOMER.format(1), {"defaultAddress": {"countryCodeV2": "Germany"}}, before),
        row(1, CUSTOMER.format(2), {"firstName": "Bob"}),
    ]
    with pytest.raises(RejectedRecord, match="INVALID_VARIABLE") as refused:
        update_customers(shop, rows)
    assert "Germany" not in str(refused.value)
    assert outcomes(update_customers(shop, rows[1:])) == {1: Outcome.WRITTEN}


def test_prices_go_product_by_product_and_the_error_finds_its_row(standin: Shopify, shop: Shop) -> None:
    answers = update_variants(
        shop,
        [
            row(0, VARIANT.format(1), {"price": "20.00"}, parent=PRODUCT.format(1)),
            row(1, VARIANT.format(3), {"price": "4.00"}, parent=PRODUCT.format(2)),
            row(2, VARIANT.format(2), {"price": "-1"}, parent=PRODUCT.format(1)),
            row(3, VARIANT.format(3), {"price": "5.00"}, parent=PRODUCT.format(1)),
        ],
    )
    told = {a.n: (a.outcome.value, a.code) for a in answers}
    assert told == {
        0: ("written", ""),
        1: ("written", ""),
        2: ("refused", "GREATER_THAN_OR_EQUAL_TO"),
        3: ("refused", "PRODUCT_VARIANT_DOES_NOT_EXIST"),
    }
    prices = {n: standin.state.get("variants", VARIANT.format(n)) for n in (1, 2, 3)}
    assert {n: o.body["price"] for n, o in prices.items() if o} == {1: "20.00", 2: "14.00", 3: "4.00"}


def test_a_variant_whose_product_nobody_names_is_refused(shop: Shop) -> None:
    with pytest.raises(RejectedRecord, match="through its product"):
        update_variants(shop, [row(0, VARIANT.format(1), {"price": "20.00"})])


def test_a_blank_title_is_refused(shop: Shop) -> None:
    [answer] = update_products(shop, [row(0, PRODUCT.format(1), {"title": " "})])
    assert (answer.outcome, answer.message) == (Outcome.REFUSED, "Title can't be blank")


def test_a_null_reaches_the_shop_only_where_the_body_has_one(shop: Shop) -> None:
    before = looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]
    update_customers(shop, [row(0, CUSTOMER.format(1), {"lastName": None, "defaultAddress": {"zip": None}}, before)])
    after = looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]
    assert (after["firstName"], after["lastName"], after["defaultAddress"]["zip"]) == ("Anna", None, None)
    assert after["defaultAddress"]["city"] == "Berlin"


def test_what_is_gone_is_missing_from_a_look(shop: Shop) -> None:
    ids = [CUSTOMER.format(n) for n in (1, 4, 5, 9)]
    assert set(looked_at(CUSTOMERS.look, shop, *ids)) == {CUSTOMER.format(1)}


def test_a_look_reads_large_products_whole(standin: Shopify, shop: Shop) -> None:
    standin.seed(copy("variants", n, {"of": 1, "sku": f"P1-{n}"}) for n in range(4, 9))
    seen = looked_at(PRODUCTS.look, shop, PRODUCT.format(1), PRODUCT.format(2))
    assert [len(p["variants"]["nodes"]) for p in seen.values()] == [1, 7]


def test_a_look_at_variants_says_which_product_they_are_of(shop: Shop) -> None:
    [variant] = looked_at(VARIANTS, shop, VARIANT.format(2)).values()
    assert variant["product"] == {"id": PRODUCT.format(1)}
    answers = update_variants(shop, [row(0, VARIANT.format(2), {"price": "20.00"}, variant)])
    assert outcomes(answers) == {0: Outcome.WRITTEN}


def test_a_mutation_that_broke_down_is_neither_written_nor_refused(standin: Shopify, shop: Shop) -> None:
    standin.state.ask("UPDATE objects SET body = '[]' WHERE id = ?", [CUSTOMER.format(3)])  # the shop stumbles over it
    rows = [row(n, CUSTOMER.format(n), {"firstName": "A"}) for n in (1, 3)]
    with pytest.raises(RetryableError, match="INTERNAL_SERVER_ERROR"):
        update_customers(shop, rows)


# -- bulk operations ---------------------------------------------------------------------------------------------------


ALWAYS = {"bulk_above": 0, "size": 1}  # in bulk, as soon as there is more than a page


def by_bulk(listing: Listing) -> Listing:
    return replace(listing, **ALWAYS)  # type: ignore[arg-type]


def many_inside(standin: Shopify) -> None:
    standin.seed(copy("carts", n, {"name": f"#{n}", "contact": 1, "tax_rate": "19"}) for n in (1, 2))
    standin.seed(Copy("shop", "cart_lines", n, {"of": 2, "sku": "S2"}, DAY.format(1), DAY.format(1)) for n in range(30))
    standin.seed(copy("variants", n, {"of": 1, "sku": f"P1-{n}"}) for n in range(4, 9))
    standin.seed(
        Copy("shop", "order_lines", n, {"of": 2, "sku": "S2"}, DAY.format(1), DAY.format(1)) for n in range(10, 30)
    )


@pytest.mark.parametrize("children", ["last", "grouped"])
@pytest.mark.parametrize("listing", [CUSTOMERS, PRODUCTS, ORDERS, CARTS], ids=lambda listing: listing.name)
def test_a_record_has_the_same_bytes_whether_it_came_in_a_page_or_in_lines(listing: Listing, children: str) -> None:
    run, standin = started(bulk_children=children)
    many_inside(standin)
    with run:
        shop = client(run)
        paged, lined = pulled(listing, shop), pulled(by_bulk(listing), shop)
        assert any("/files/" in p.exchange.url for p in lined)
        assert {i: r.raw for i, r in records_of(paged).items()} == {i: r.raw for i, r in records_of(lined).items()}
        assert {i: r.updated for i, r in records_of(paged).items()} == {
            i: r.updated for i, r in records_of(lined).items()
        }
        assert [(p.cursor, p.complete) for p in (paged[-1], lined[-1])] == [(paged[-1].cursor, True)] * 2
        assert [p.cursor for p in lined[:-1]] == [None] * (len(lined) - 1)


def test_what_is_inside_more_than_can_be_asked_for_by_id_comes_whole_in_lines(standin: Shopify, shop: Shop) -> None:
    standin.seed(
        Copy("shop", "variants", n, {"of": 2, "sku": f"V{n}"}, DAY.format(1), DAY.format(1)) for n in range(10, 270)
    )
    found = records_of(pulled(by_bulk(PRODUCTS), shop))
    assert len(value_at(found[PRODUCT.format(2)].raw, "variants.nodes")) == 261


def test_a_short_list_is_paged_through_and_a_long_one_is_not(shop: Shop, standin: Shopify) -> None:
    pulled(replace(CUSTOMERS, size=1, bulk_above=3), shop)
    assert not any(path.startswith("/files") for _, path, _ in standin.calls)
    pulled(replace(CUSTOMERS, size=1, bulk_above=2), shop)
    assert any(path.startswith("/files") for _, path, _ in standin.calls)
    assert CUSTOMERS.bulk_above is None  # then the points a list costs decide


def test_an_incremental_read_in_bulk_asks_for_what_changed_with_the_overlap(standin: Shopify, shop: Shop) -> None:
    for n in (1, 2):
        standin.edit("customers", CUSTOMER.format(n), {"city": "Bonn"})
    pages = pulled(by_bulk(CUSTOMERS), shop, since="2026-11-21T00:00:00Z")
    assert set(records_of(pages)) == {CUSTOMER.format(1), CUSTOMER.format(2)}
    assert (pages[-1].complete, pages[-1].cursor) == (False, "2026-11-21T12:00:00Z")


@pytest.mark.parametrize("ends", ["FAILED", "EXPIRED", "CANCELED"])
def test_an_operation_that_comes_to_nothing_is_paged_through_after_all_and_its_parts_prove_nothing(ends: str) -> None:
    run, _ = started(bulk_ends=ends)
    with run:
        pages = pulled(by_bulk(PRODUCTS), client(run))
        assert [p.complete for p in pages] == [False, True]
        assert len(records_of(pages)) == 2
        assert not any("/files/" in p.exchange.url for p in pages)


def test_an_operation_the_app_has_no_right_to_is_a_matter_of_configuration() -> None:
    run, _ = started(bulk_ends="FAILED", bulk_error="ACCESS_DENIED")
    with run, pytest.raises(ConfigError, match="access scope"):
        pulled(by_bulk(CUSTOMERS), client(run))


@pytest.mark.parametrize("null", [True, False])
def test_an_operation_that_finds_nothing_has_no_file_or_an_empty_one(null: bool) -> None:
    run, _ = started(bulk_null_url=null)
    with run:
        shop = client(run)
        done = bulk.run_query(shop, CUSTOMERS.in_lines("updated_at:>='2030-01-01T00:00:00Z'"))
        assert (done.url is None) is null
        assert [r for _, some in bulk.objects(shop, done, {}) for r in some] == []


def waiting(**options: Any) -> tuple[Running, Shopify, Shop, list[datetime]]:
    """A shop whose clock only our waiting moves."""
    clock = [NOW]
    run, standin = started(now=lambda: clock[0], **options)
    shop = client(run)

    def wait(wait_s: float) -> None:
        clock[0] += timedelta(seconds=wait_s)

    shop.http.wait = wait
    return run, standin, shop, clock


def test_all_places_taken_means_waiting_for_one() -> None:
    run, _, shop, clock = waiting(bulk_places=1, bulk_s=5.0)
    with run:
        shop.ask(bulk.START_QUERY, {"query": CUSTOMERS.in_lines(None)}, cost=10)  # somebody else's
        assert bulk.run_query(shop, CUSTOMERS.in_lines(None)).status == "COMPLETED"
        assert clock[0] - NOW >= timedelta(seconds=10)


@pytest.mark.long
def test_an_operation_that_never_ends_is_cancelled_and_the_list_paged_through() -> None:
    run, standin, shop, _ = waiting(bulk_s=1e6)
    with run:
        pages = pulled(by_bulk(CUSTOMERS), shop)
        assert len(records_of(pages)) == 3
        assert {o["ends"] for o in standin.state.note("bulk").values()} == {"CANCELED"}


def test_what_changes_while_an_operation_runs_is_read_again() -> None:
    run, standin, shop, clock = waiting(bulk_s=600.0)
    with run:
        wait = shop.http.wait

        def edited_meanwhile(wait_s: float) -> None:
            wait(wait_s)
            standin.edit("customers", CUSTOMER.format(1), {"city": "Bonn"})

        shop.http.wait = edited_meanwhile
        cursor = pulled(by_bulk(CUSTOMERS), shop)[-1].cursor
        assert clock[0] > NOW + timedelta(minutes=10)
        assert cursor
        assert cursor <= "2026-11-21T12:00:00Z"
        assert CUSTOMER.format(1) in records_of(pulled(CUSTOMERS, shop, since=cursor))


@pytest.mark.parametrize("left", [0, 100])
def test_a_file_that_is_cut_short_or_gone_proves_nothing(left: int) -> None:
    run, standin, shop, _ = waiting(bulk_s=1.0)
    with run:
        wait = shop.http.wait

        def cut(wait_s: float) -> None:
            wait(wait_s)
            standin.files.held = {n: body[:left] for n, body in standin.files.held.items() if left}

        shop.http.wait = cut
        pages = pulled(by_bulk(PRODUCTS), shop)
        assert len(records_of(pages)) == 2
        assert [p.complete for p in pages] == [False, True]
        assert "graphql" in pages[-1].exchange.url


def test_a_file_is_fetched_in_pieces_and_without_our_token(standin: Shopify, shop: Shop) -> None:
    many_inside(standin)
    done = bulk.run_query(shop, ORDERS.in_lines(None))
    assert done.url
    assert "signature=…" in next(bulk.pieces(shop, done.url))[0].url
    calls = len(standin.calls)
    by_pieces = [line for _, lines in bulk.pieces(shop, done.url, piece=100) for line in lines]
    assert len(standin.calls) - calls > 10
    assert by_pieces == [line for _, lines in bulk.pieces(shop, done.url) for line in lines]
    assert len(by_pieces) == 2 + 22 + 1
    assert "X-Shopify-Access-Token" not in shop.files.last().request.headers


def test_lines_are_joined_a_part_at_a_time(standin: Shopify, shop: Shop) -> None:
    many_inside(standin)
    done = bulk.run_query(shop, ORDERS.in_lines(None))
    inside = {"LineItem": "lineItems", "FulfillmentOrder": "fulfillmentOrders"}
    inside = {kind: inside[kind] for kind in ("FulfillmentOrder", "LineItem")}
    parts = [some for _, some in bulk.objects(shop, done, inside, part=500)]
    assert len(parts) > 3
    whole = {r.id: r.raw for _, some in bulk.objects(shop, done, inside) for r in some}
    assert {r.id: r.raw for some in parts for r in some} == whole


@pytest.mark.long
def test_a_large_shop_is_read_by_bulk_operations_and_refines_as_it_does_paged() -> None:
    run, standin = started()
    standin.seed(
        Copy("shop", "orders", n, {"number": f"#{n}", "contact": 1, "currency": "EUR"}, DAY.format(1), DAY.format(1))
        for n in range(10, 1500)
    )
    standin.seed(
        Copy("shop", "order_lines", n, {"of": 10 + n % 1490, "sku": "S2"}, DAY.format(1), DAY.format(1))
        for n in range(10, 6000)
    )
    with run:
        shop = client(run)
        lined, paged = pulled(ORDERS, shop), pulled(replace(ORDERS, bulk_above=10**9), shop)
        assert "/files/" in lined[0].exchange.url
        assert len(records_of(lined)) == 1492
        assert {i: r.raw for i, r in records_of(lined).items()} == {i: r.raw for i, r in records_of(paged).items()}


# -- writing by bulk operations ----------------------------------------------------------------------------------------


def test_a_bulk_operation_answers_each_row_as_a_request_would(standin: Shopify, shop: Shop) -> None:
    before = looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]
    rows = [
        row(0, CUSTOMER.format(1), {"firstName": "Ann", "defaultAddress": {"city": "Bonn"}}, before),
        row(1, CUSTOMER.format(2), {"firstName": "x" * 300}),
        row(2, CUSTOMER.format(9), {"firstName": "Nobody"}),
        row(3, CUSTOMER.format(3), {"lastName": "Young"}),
    ]
    answers = list(update_customers_in_bulk(shop, rows))
    assert [a.outcome.value for a in answers] == ["written", "refused", "refused", "written"]
    assert [a.code for a in answers[1:3]] == ["USER_ERROR:firstName", "USER_ERROR:id"]
    assert all(a.exchange and "/files/" in a.exchange.url for a in answers)
    after = looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]
    assert (after["firstName"], after["defaultAddress"]["city"]) == ("Ann", "Bonn")
    assert sum(path == "/files" for _, path, _ in standin.calls) == 2  # one file for each kind of mutation


def test_products_and_prices_go_in_bulk_too(standin: Shopify, shop: Shop) -> None:
    answers = update_variants_in_bulk(
        shop,
        [
            row(0, VARIANT.format(1), {"price": "20.00"}, parent=PRODUCT.format(1)),
            row(1, VARIANT.format(2), {"price": "-1"}, parent=PRODUCT.format(1)),
            row(2, VARIANT.format(3), {"price": "4.00"}, parent=PRODUCT.format(2)),
        ],
    )
    assert [a.outcome.value for a in answers] == ["written", "refused", "written"]
    assert outcomes(update_products_in_bulk(shop, [row(0, PRODUCT.format(1), {"title": "T"})])) == {0: Outcome.WRITTEN}


def test_a_value_of_the_wrong_kind_spoils_its_own_line_only(shop: Shop) -> None:
    before = looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]
    rows = [
        row(0, CUSTOMER.format(1), {"defaultAddress": {"countryCodeV2": "Germany"}}, before),
        row(1, CUSTOMER.format(1), {"defaultAddress": {"countryCodeV2": "AT"}}, before),
    ]
    answers = {a.n: a.outcome for a in update_customers_in_bulk(shop, rows)}
    assert answers == {1: Outcome.WRITTEN}  # the hub looks at the other, and writes it again another way


def test_what_an_operation_that_failed_got_done_is_known_and_the_rest_is_left_for_the_hub_to_look_at() -> None:
    run, standin = started(bulk_ends="FAILED")
    with run:
        shop = client(run)
        rows = [row(n, CUSTOMER.format(n), {"firstName": "A"}) for n in (1, 2)]
        assert outcomes(update_customers_in_bulk(shop, rows)) == {1: Outcome.WRITTEN}
        assert [standin.dump()["customers"][CUSTOMER.format(n)]["firstName"] for n in (1, 2)] == ["A", "Bo"]


def test_streams_of_many_rows_are_written_by_jobs() -> None:
    jobs = {s.name: s.push.many for s in connector.streams if s.push}
    assert all(job and job.above >= 1000 and job.parallel < 5 for job in jobs.values())


@pytest.mark.long
def test_twelve_hundred_customers_are_one_operation() -> None:
    run, standin = started()
    standin.seed(
        Copy("shop", "customers", n, {"first_name": f"N{n}"}, DAY.format(1), DAY.format(1)) for n in range(10, 1210)
    )
    with run:
        shop = client(run)
        rows = [row(n, standin.native_id("customers", n), {"firstName": f"M{n}"}) for n in range(10, 1210)]
        assert set(outcomes(update_customers_in_bulk(shop, rows)).values()) == {Outcome.WRITTEN}
        assert standin.dump()["customers"][standin.native_id("customers", 1209)]["firstName"] == "M1209"
        assert sum(path == PATH for _, path, _ in standin.calls) < 6


# -- consent, added fields, lists --------------------------------------------------------------------------------------


def consent(n: int, customer: int, state: str, at: str) -> Row:
    body = {"defaultEmailAddress": {"marketingState": state, "marketingUpdatedAt": at}}
    return row(n, CUSTOMER.format(customer), body)


@pytest.mark.parametrize("ignored", [True, False])
def test_a_consent_is_written_by_its_own_mutation_and_an_older_one_changes_nothing(ignored: bool) -> None:
    run, standin = started(older_consent_ignored=ignored)
    with run:
        shop = client(run)
        answers = list(
            update_customers(
                shop,
                [
                    consent(0, 1, "UNSUBSCRIBED", "2026-05-01T00:00:00Z"),
                    consent(1, 2, "SUBSCRIBED", "2026-05-01T00:00:00Z"),
                ],
            )
        )
        assert [a.outcome for a in answers] == [Outcome.WRITTEN] * 2
        email = standin.dump()["customers"][CUSTOMER.format(1)]["defaultEmailAddress"]
        assert (email["marketingState"], email["marketingUpdatedAt"]) == ("UNSUBSCRIBED", "2026-05-01T00:00:00Z")
        [late] = update_customers(shop, [consent(0, 1, "SUBSCRIBED", "2026-04-01T00:00:00Z")])
        assert late.outcome is (Outcome.DRIFTED if ignored else Outcome.WRITTEN)
        state = standin.dump()["customers"][CUSTOMER.format(1)]["defaultEmailAddress"]["marketingState"]
        assert state == ("UNSUBSCRIBED" if ignored else "SUBSCRIBED")


def test_a_consent_the_shop_does_not_take_is_refused(standin: Shopify, shop: Shop) -> None:
    standin.seed([copy("customers", 6, {"first_name": "No mail"})])
    nobody, unknown = update_customers(
        shop,
        [
            consent(0, 6, "SUBSCRIBED", "2026-05-01T00:00:00Z"),
            consent(1, 1, "NOT_SUBSCRIBED", "2026-05-01T00:00:00Z"),
        ],
    )
    assert (nobody.outcome, "email address" in nobody.message) == (Outcome.REFUSED, True)
    assert (unknown.outcome, unknown.code) == (Outcome.REFUSED, "INCLUSION")


def test_tags_are_sent_with_those_that_are_there(shop: Shop) -> None:
    asked(shop, TAGS, id=CUSTOMER.format(1))
    before = looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]
    update_customers(shop, [row(0, CUSTOMER.format(1), {"tags": ["vip"]}, before)])
    assert looked_at(CUSTOMERS.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]["tags"] == ["omnihub", "vip"]


def test_an_added_field_is_read_written_and_guarded_by_its_digest(shop: Shop) -> None:
    def held() -> Any:
        return looked_at(WITH_TITLE.look, shop, CUSTOMER.format(1))[CUSTOMER.format(1)]

    empty = held()
    assert empty["jobTitle"] is None
    rows = [row(0, CUSTOMER.format(1), {"jobTitle": {"value": "CTO"}, "firstName": "Ann"}, empty)]
    assert outcomes(update_with_title(shop, rows)) == {0: Outcome.WRITTEN}
    first = held()
    assert (first["jobTitle"]["value"], first["firstName"]) == ("CTO", "Ann")
    [drifted] = update_with_title(shop, [row(0, CUSTOMER.format(1), {"jobTitle": {"value": "CEO"}}, empty)])
    assert (drifted.outcome, drifted.code) == (Outcome.DRIFTED, "STALE_OBJECT")
    assert held()["jobTitle"]["value"] == "CTO"
    update_with_title(shop, [row(0, CUSTOMER.format(1), {"jobTitle": {"value": "CEO"}}, first)])
    assert held()["jobTitle"]["value"] == "CEO"
    update_with_title(shop, [row(0, CUSTOMER.format(1), EMPTYING, held())])
    assert held()["jobTitle"] is None


# -- creating, finding, merging ----------------------------------------------------------------------------------------


def new(n: int, key: str, **body: Any) -> Row:
    return Row(n, Op.CREATE, None, body, {}, {}, key)


NEWCOMER = {
    "firstName": "Neu",
    "lastName": "Gast",
    "defaultEmailAddress": {"emailAddress": "neu@gast.example"},
    "defaultAddress": {"city": "Köln", "countryCodeV2": "DE"},
}


def test_a_customer_made_twice_is_one_customer_and_found_by_its_key(standin: Shopify, shop: Shop) -> None:
    [made] = create_customers(shop, [new(4, "golden-1", **NEWCOMER)])
    assert (made.n, made.outcome) == (4, Outcome.WRITTEN)
    [again] = create_customers(shop, [new(4, "golden-1", **NEWCOMER)])
    assert (again.outcome, again.id) == (Outcome.WRITTEN, made.id)
    assert len(standin.dump()["customers"]) == 4
    [page] = find_customers(shop, ["golden-1", "golden-2"])
    assert [r.id for r in page.records] == [made.id]
    raw = json.loads(page.records[0].raw)
    assert (raw["firstName"], raw["defaultAddress"]["city"]) == ("Neu", "Köln")
    assert raw["defaultEmailAddress"]["emailAddress"] == "neu@gast.example"
    assert standin.state.note("definitions") == [[ROW_KEY["namespace"], ROW_KEY["key"]]]


def test_a_customer_who_is_there_already_loses_no_address_and_no_tag_when_made_again(shop: Shop) -> None:
    [made] = create_customers(shop, [new(0, "golden-1", **NEWCOMER)])
    assert made.id
    shop.ask(ADD_ADDRESS, {"id": made.id, "address": {"city": "Hamburg", "countryCode": "DE"}}, cost=10)
    asked(shop, TAGS, id=made.id)
    create_customers(shop, [new(0, "golden-1", **{**NEWCOMER, "defaultAddress": {"city": "Ulm"}, "tags": ["b"]})])
    nodes = asked(shop, ADDRESSES, id=made.id)["customer"]["addressesV2"]["nodes"]
    assert [a["city"] for a in nodes] == ["Ulm", "Hamburg"]
    assert looked_at(CUSTOMERS.look, shop, made.id)[made.id]["tags"] == ["omnihub", "b"]


def test_a_newcomer_with_somebody_elses_address_is_refused_alone(standin: Shopify, shop: Shop) -> None:
    taken = {**NEWCOMER, "defaultEmailAddress": {"emailAddress": "anna@beispiel.example"}}
    refused, made = create_customers(shop, [new(0, "golden-1", **taken), new(1, "golden-2", **NEWCOMER)])
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "TAKEN")
    assert made.outcome is Outcome.WRITTEN
    assert len(standin.dump()["customers"]) == 4


class Forgetful(Shopify):
    """Writes, and then answers 500, as long as it is told to."""

    forgets = 0

    def after(self, call: Call, reply: Reply) -> Reply:
        if self.forgets and b"customerSet" in call.body:
            self.forgets -= 1
            return Reply(500, {"errors": "Internal Server Error"})
        return super().after(call, reply)


# -- forgetting --------------------------------------------------------------------------------------------------------

CANCEL = """mutation cancel($id: ID!) {
  customerCancelDataErasure(customerId: $id) { customerId userErrors { code field message } }
}"""


class Ahead:
    """The shop's clock, set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def forget(shop: Shop, *ids: str) -> list[tuple[Outcome, str]]:
    push = connector.stream("customers").push
    assert push
    assert push.erase
    return [(a.outcome, a.code) for a in push.erase(shop, [row(n, id_, {}) for n, id_ in enumerate(ids)])]


REQUESTED, ERASED = (Outcome.DEFERRED, "REQUESTED"), (Outcome.WRITTEN, "")


@pytest.mark.parametrize(("customer", "ordered", "days"), [(1, None, 10), (2, "2026-11-01T00:00:00Z", 160)])
def test_a_customer_is_erased_when_the_shop_comes_to_it_and_known_until_then(
    customer: int, ordered: str | None, days: int
) -> None:
    clock, id_ = Ahead(), CUSTOMER.format(customer)
    run, standin = started(now=clock)
    with run:
        shop = client(run)
        if ordered:
            standin.edit("orders", ORDER.format(2), {"ordered_at": ordered, "delivery_point": "Hameln"})
        address = looked_at(CUSTOMERS.look, shop, id_)[id_]["defaultEmailAddress"]["emailAddress"]

        assert forget(shop, id_) == [REQUESTED]
        clock.at += timedelta(days=days - 1)
        assert forget(shop, id_) == [REQUESTED]  # the first request stands
        assert looked_at(CUSTOMERS.look, shop, id_)[id_]["defaultEmailAddress"]["emailAddress"] == address
        clock.at += timedelta(days=1, seconds=1)
        assert forget(shop, id_) == [ERASED]

        left = looked_at(CUSTOMERS.look, shop, id_)[id_]
        assert not any(left[name] for name in ("firstName", "lastName", "defaultEmailAddress", "defaultAddress"))
        shown = b"".join(r.raw for page in pulled(CUSTOMERS, shop, complete=True) for r in page.records)
        assert address.encode() not in shown
        assert b"cy@old.example" in shown
        assert b"Hameln" not in b"".join(r.raw for page in pulled(ORDERS, shop) for r in page.records)


def test_an_erasure_that_was_called_off_is_asked_for_again(standin: Shopify, shop: Shop) -> None:
    assert forget(shop, CUSTOMER.format(3)) == [REQUESTED]
    asked(shop, CANCEL, id=CUSTOMER.format(3))
    standin.later()
    assert forget(shop, CUSTOMER.format(3)) == [REQUESTED]
    standin.later()
    assert forget(shop, CUSTOMER.format(3)) == [ERASED]


def test_who_is_erased_twice_was_deleted_or_never_was_a_customer_is_gone(standin: Shopify, shop: Shop) -> None:
    forget(shop, CUSTOMER.format(3))
    standin.later()
    writes = standin.state.writes
    gone = [CUSTOMER.format(3), CUSTOMER.format(5), CUSTOMER.format(9), PRODUCT.format(1), "no id at all"]
    assert forget(shop, *gone) == [ERASED] * 5
    assert standin.state.writes == writes
    assert standin.state.note("erasures") == {}


def test_an_erasure_the_shop_refuses_is_said_and_the_others_go(standin: Shopify, shop: Shop) -> None:
    standin.options["keeps"] = [CUSTOMER.format(1)]
    try:
        assert forget(shop, CUSTOMER.format(1), CUSTOMER.format(3)) == [
            (Outcome.REFUSED, "FAILED_TO_REQUEST"),
            REQUESTED,
        ]
    finally:
        del standin.options["keeps"]


def test_a_request_whose_answer_was_lost_is_one_request(standin: Shopify, shop: Shop) -> None:
    shop.http.wait = lambda wait_s: standin.faults.switch_off()
    standin.faults.switch_on("connection reset", rate=1.0)
    try:
        assert forget(shop, CUSTOMER.format(3)) == [REQUESTED]
    finally:
        standin.faults.switch_off()
    assert list(standin.state.note("erasures")) == [CUSTOMER.format(3)]


def test_a_shop_that_throttles_on_and_on_is_asked_again_the_next_time(standin: Shopify, shop: Shop) -> None:
    assert forget(shop, CUSTOMER.format(9)) == [ERASED]  # and so is logged in
    shop.http.budget = None  # which would really wait
    standin.faults.switch_on("429 storm", rate=1.0)
    try:
        assert forget(shop, CUSTOMER.format(1), CUSTOMER.format(3)) == [(Outcome.DEFERRED, "LATER")] * 2
    finally:
        standin.faults.switch_off()
    assert forget(shop, CUSTOMER.format(1), CUSTOMER.format(3)) == [REQUESTED] * 2


@pytest.mark.parametrize("times", [1, 9])
def test_a_newcomer_whose_answer_was_lost_is_one_customer(times: int) -> None:
    standin = Forgetful(quotas=(), now=lambda: NOW)
    with Running([standin]) as run:
        shop = client(run)
        shop.http.wait = lambda wait_s: None
        standin.forgets = times
        try:
            outcome = next(iter(create_customers(shop, [new(0, "golden-1", **NEWCOMER)]))).outcome
        except RetryableError:
            outcome = Outcome.DEFERRED
        assert outcome is (Outcome.WRITTEN if times == 1 else Outcome.DEFERRED)
        standin.forgets = 0
        assert next(iter(create_customers(shop, [new(0, "golden-1", **NEWCOMER)]))).outcome is Outcome.WRITTEN
        assert len(standin.dump()["customers"]) == 1


def test_two_customers_are_made_one_and_the_shop_says_who_stayed(standin: Shopify, shop: Shop) -> None:
    assert merge_customers(shop, CUSTOMER.format(3), CUSTOMER.format(2)) == (CUSTOMER.format(2), CUSTOMER.format(3))
    assert CUSTOMER.format(3) not in standin.dump()["customers"]
    with pytest.raises(RejectedRecord, match="can't be merged"):
        merge_customers(shop, CUSTOMER.format(2), CUSTOMER.format(3))


@pytest.mark.parametrize(("ends", "error"), [("FAILED", RejectedRecord), ("IN_PROGRESS", RetryableError)])
def test_a_merge_that_fails_or_takes_too_long_says_so(ends: str, error: type[Exception]) -> None:
    run, _ = started(merge_ends=ends)
    with run:
        shop = client(run)
        shop.http.wait = lambda wait_s: None
        with pytest.raises(error):
            merge_customers(shop, CUSTOMER.format(1), CUSTOMER.format(2))


def test_the_shops_own_price_is_what_is_set_aside_for_the_next_query() -> None:
    run, _ = started(price=1.2)
    with run:
        shop = client(run)
        assert shop.points.price(CUSTOMERS.document, 802) == 802
        pulled(CUSTOMERS, shop)
        assert round(shop.points.price(CUSTOMERS.document, 802)) == 962


# -- refusals and patience ---------------------------------------------------------------------------------------------


def test_wrong_credentials_are_a_matter_of_configuration() -> None:
    run, _ = started()
    with run, pytest.raises(ConfigError, match="client id and secret"):
        pulled(CUSTOMERS, client(run, client_secret="wrong"))


def test_a_missing_secret_is_named_with_its_variable() -> None:
    with pytest.raises(ConfigError, match="OMNIHUB_SHOPIFY_CLIENT_SECRET"):
        open_client(connector, {"url": "http://127.0.0.1:1", "client_id": "x"})


def test_a_token_that_ran_out_is_renewed_once() -> None:
    clock = [NOW]
    run, standin = started(now=lambda: clock[0])
    with run:
        shop = client(run)
        pulled(CUSTOMERS, shop)
        clock[0] += timedelta(days=2)
        assert len(records_of(pulled(CUSTOMERS, shop))) == 3
        logins = [c for c in standin.calls if c[1].endswith("access_token")]
        assert len(logins) == 2


class FakeTime:
    """A clock that only waiting moves: the stand-in's bucket and the client share it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class NoBudget:
    """A ledger of calls without limits, which remembers what it was told."""

    def __init__(self) -> None:
        self.told_s: list[float] = []

    def take(self, method: str, path: str) -> Callable[[], None]:
        return nothing

    def told(self, wait_s: float) -> None:
        self.told_s.append(wait_s)


def throttled(points: int, per_s: float, **options: Any) -> tuple[Running, Shopify, Shop, FakeTime, NoBudget]:
    time, budget = FakeTime(), NoBudget()
    run, standin = started(quotas=(Bucket(points, per_s, clock=lambda: time.now),), **options)
    settings = {"url": run.urls["shopify"], **Shopify.credentials}
    shop: Shop = open_client(connector, settings, budget)
    shop.http.wait = time.wait
    shop.points = Points(clock=lambda: time.now)
    return run, standin, shop, time, budget


def test_a_throttled_query_waits_as_long_as_the_bucket_needs_and_succeeds() -> None:
    run, standin, shop, time, budget = throttled(1000, 10.0)  # 100 points a second
    with run:
        assert standin.bucket
        standin.bucket.take(900)  # somebody else's
        assert len(records_of(pulled(CUSTOMERS, shop))) == 3
        assert time.waits == [pytest.approx(7.0, abs=0.2)]  # 802 wanted, 100 there
        assert budget.told_s == time.waits
        assert shop.http.counts.refusals == 1


def test_a_call_that_the_bucket_can_not_pay_is_not_made_in_the_first_place() -> None:
    run, standin, shop, time, _ = throttled(1000, 10.0)
    with run:
        assert standin.bucket
        standin.bucket.take(1000)  # somebody else's
        shop.ask("{ shop { id } }", {}, cost=1)  # finds the bucket empty
        refused = shop.http.counts.refusals
        assert len(records_of(pulled(CUSTOMERS, shop))) == 3
        assert shop.http.counts.refusals == refused == 1
        assert time.waits[-1] == pytest.approx(8.0, abs=0.2)  # until 802 are there again


def test_a_429_is_waited_for_as_well() -> None:
    run, standin, shop, time, _ = throttled(1000, 10.0, throttled_status=429)
    with run:
        assert standin.bucket
        standin.bucket.take(500)
        assert len(records_of(pulled(CUSTOMERS, shop))) == 3
        assert time.waits


def test_a_shop_that_never_has_points_left_ends_as_rate_limited() -> None:
    run, _, shop, time, _ = throttled(100, 10.0)  # a page costs more than the bucket holds
    with run, pytest.raises(RateLimited):
        pulled(CUSTOMERS, shop)
    assert len(time.waits) > 3


def test_threads_share_one_view_of_the_bucket() -> None:
    run, standin, shop, _, _ = throttled(2000, 20.0)
    with run:
        pulled(CUSTOMERS, shop)
        threads = [threading.Thread(target=pulled, args=(CUSTOMERS, shop)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
        assert shop.http.counts.refusals == 0
        assert sum(status == 200 for _, path, status in standin.calls if path == PATH) == 5


def test_unused_points_are_given_back(standin: Shopify) -> None:
    run, _, shop, _, _ = throttled(1000, 1e9)
    with run:
        pulled(CUSTOMERS, shop)
        cost = value_at(shop.http.last().content, "extensions.cost")
        assert (cost["requestedQueryCost"], cost["throttleStatus"]["maximumAvailable"]) == (802, 1000)
        assert 3 < cost["actualQueryCost"] < 20
        assert cost["throttleStatus"]["currentlyAvailable"] == 1000 - cost["actualQueryCost"]


def test_a_query_the_schema_does_not_know_is_a_broken_answer(shop: Shop) -> None:
    with pytest.raises(BrokenAnswer, match="undefinedField"):
        shop.ask("{ customers(first: 1) { nodes { shoeSize } } }", {}, cost=3)


def test_a_query_dearer_than_the_limit_is_refused_before_it_runs(shop: Shop) -> None:
    with pytest.raises(BrokenAnswer, match="MAX_COST_EXCEEDED"):
        pulled(replace(CUSTOMERS, size=250), shop)


def test_a_wrong_address_is_a_matter_of_configuration_and_refuses_no_record(shop: Shop) -> None:
    pulled(CUSTOMERS, shop)
    shop.http.base_url += "/nowhere"
    with pytest.raises(ConfigError, match="url of this system"):
        update_customers(shop, [row(0, CUSTOMER.format(1), {"firstName": "A"})])


# -- prices and the vendor's own schema --------------------------------------------------------------------------------

ADD_ADDRESS = """mutation a($id: ID!, $address: MailingAddressInput!) {
    customerAddressCreate(customerId: $id, address: $address) { address { id } userErrors { message } } }"""
ADDRESSES = (
    "query a($id: ID!) { customer(id: $id) { addressesV2(first: 9) { nodes { address1 city countryCodeV2 } } } }"
)
MERGE = """mutation m($one: ID!, $two: ID!) {
    customerMerge(customerOneId: $one, customerTwoId: $two) {
      resultingCustomerId job { id done } userErrors { code field message } } }"""
TAGS = """mutation t($id: ID!) {
    tagsAdd(id: $id, tags: ["omnihub"]) { node { id ... on Customer { tags } } userErrors { message } } }"""
DELETE = "mutation d($id: ID!) { customerDelete(input: {id: $id}) { deletedCustomerId userErrors { field message } } }"
SET = """mutation s($by: CustomerSetIdentifiers, $input: CustomerSetInput!) {
    customerSet(identifier: $by, input: $input) { customer { id tags } userErrors { code field message } } }"""
METAFIELDS = """mutation m($all: [MetafieldsSetInput!]!) {
    metafieldsSet(metafields: $all) { metafields { id compareDigest } userErrors { code elementIndex message } } }"""
METAFIELD = """query m($id: ID!) { customer(id: $id) {
    metafield(namespace: "hub", key: "consistency") { value jsonValue compareDigest }
    metafields(first: 5, namespace: "hub") { nodes { key } } } }"""

MANY = [
    row(0, CUSTOMER.format(1), {"firstName": "A", "defaultAddress": {"city": "B"}}, {"defaultAddress": {"id": "x"}}),
    row(1, CUSTOMER.format(2), {"defaultAddress": {"countryCodeV2": "DE"}}, {"defaultAddress": None}),
]


class Recorder:
    """Stands where the shop is, to see what would be asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any], bool]] = []

    def ask(self, text: str, given: Mapping[str, Any], *, cost: float, safe: bool = True, partial: bool = False) -> Any:
        self.asked.append((text, given, safe))
        raise RetryableError("only looking")


def written_documents() -> list[tuple[str, Mapping[str, Any], bool]]:
    recorder: Any = Recorder()
    for update, rows in (
        (update_customers, MANY),
        (update_customers, [row(0, CUSTOMER.format(1), {"locale": "de"})]),
        (update_products, [row(0, PRODUCT.format(1), {"title": "T", "status": "DRAFT", "description": "d"})]),
        (update_variants, [row(0, VARIANT.format(1), {"price": "1.00"}, parent=PRODUCT.format(1))]),
        (update_customers, [row(0, CUSTOMER.format(1), CONSENTING)]),
        (update_with_title, [row(0, CUSTOMER.format(1), {"jobTitle": {"value": "CTO"}}), row(1, "x", EMPTYING)]),
    ):
        with pytest.raises(RetryableError):
            update(recorder, rows)
    asked: list[tuple[str, Mapping[str, Any], bool]] = recorder.asked
    return asked


CONSENTING = {"defaultEmailAddress": {"marketingState": "SUBSCRIBED", "marketingUpdatedAt": "2026-05-01T00:00:00Z"}}
EMPTYING: dict[str, Any] = {"jobTitle": {"value": None}}
TITLE = Custom("jobTitle", "job_title")
WITH_TITLE = replace(CUSTOMERS, custom=(TITLE,), points=5, size=150)
title_steps = writing.with_custom(writing._customers, (TITLE,))
update_with_title = writing.by_request(title_steps)
READS = [listing.document for listing in (CUSTOMERS, PRODUCTS, ORDERS, CARTS, DISCOUNTS)]
READS += [n.document for o in (CUSTOMERS, PRODUCTS, ORDERS, CARTS, DISCOUNTS) for n in (o.by_ids, o.whole)] + [
    VARIANTS.document
]
READS += [inner.document for inner in (*INSIDE.values(), PRODUCTS_OF_COLLECTION, VARIANTS_OF_PRODUCT)]
IN_BULK = (CUSTOMERS, PRODUCTS, ORDERS, CARTS)
READS += [listing.counted for listing in IN_BULK]
READS += [o.in_lines(search) for o in IN_BULK for search in (None, "updated_at:>='2026-01-01'")]
READS += [WITH_TITLE.document, writing.find_document(2), stock.LOCATIONS, stock.LEVELS]
WRITES = [bulk.START_QUERY, bulk.START_MUTATION, bulk.POLL, bulk.CANCEL, bulk.STAGE]
WRITES += [writing.DEFINE, writing.MERGE, writing.MERGED, writing.PREVIEW]


def test_a_request_that_adds_an_address_is_not_repeated_blindly() -> None:
    assert [safe for _, _, safe in written_documents()] == [False, True, True, True, True, True]


@pytest.mark.parametrize("listing", [CUSTOMERS, PRODUCTS, ORDERS, CARTS, DISCOUNTS], ids=lambda listing: listing.name)
def test_the_page_size_is_the_largest_the_shop_sells_for_one_query(listing: Listing) -> None:
    parsed, wrong = understood(SCHEMA, listing.document)
    assert parsed
    assert not wrong
    price = requested_cost(SCHEMA, parsed, {"first": listing.size})
    assert price == listing.size * listing.points + 2 <= SINGLE_QUERY_POINTS
    if listing.nested:
        whole, _ = understood(SCHEMA, listing.whole.document)
        assert whole
        ids = ["gid"] * listing.whole.size
        assert requested_cost(SCHEMA, whole, {"ids": ids}) == len(ids) * listing.whole_points <= SINGLE_QUERY_POINTS


def test_the_price_follows_the_published_rule() -> None:
    prices = {
        "{ shop { id name } }": 1,
        "{ discountNodes(first: 1) { nodes { discount { ... on DiscountCodeBasic { context { ... on"
        " DiscountCustomers { customers { id } } } } ... on DiscountAutomaticBasic { context { ... on"
        " DiscountBuyerSelectionAll { all } } } } } } }": 6,  # the dearest of them
        "{ customers(first: 10) { nodes { id } pageInfo { hasNextPage } } }": 12,
        "{ customers(first: 10) { edges { cursor node { id defaultAddress { city } } } } }": 22,
        "{ products(first: 2) { nodes { id variants(first: 3) { nodes { id } } } } }": 14,
        'mutation { a: tagsAdd(id: "1", tags: []) { node { id } } b: tagsAdd(id: "2", tags: []) { node { id } } }': 20,
        '{ nodes(ids: ["1", "2"]) { id ... on Customer { defaultAddress { id } } ... on Order { id } } }': 4,
    }
    for text, price in prices.items():
        parsed, wrong = understood(SCHEMA, text)
        assert parsed
        assert not wrong
        assert requested_cost(SCHEMA, parsed, {}) == price, text


@pytest.fixture(scope="module")
def official() -> GraphQLSchema:
    folder = Path(os.environ.get("OMNIHUB_CONTRACTS", Path(__file__).parents[3] / "shared" / "contracts"))
    file = folder / "shopify" / "admin_2026-07.json.gz"
    if not file.exists():
        pytest.skip("contracts not found")
    found = json.loads(gzip.decompress(file.read_bytes()))
    return build_client_schema(found.get("data", found), assume_valid=True)


def test_every_query_and_mutation_is_valid_in_the_vendors_schema(official: GraphQLSchema) -> None:
    texts = READS + WRITES + [text for text, _, _ in written_documents()]
    made = [writing._made(row(0, "", {"firstName": "A", "defaultAddress": {"city": "B"}}))]
    texts += [document(made), writing._single(made[0])]
    texts += [writing._single(step) for step in title_steps([row(0, "x", {**EMPTYING, **CONSENTING}), *MANY])]
    texts += [
        erasing.PERSON,
        erasing.FORGET,
        CANCEL,
        ADD_ADDRESS,
        ADDRESSES,
        MERGE,
        TAGS,
        DELETE,
        SET,
        METAFIELDS,
        METAFIELD,
    ]
    assert [wrong.message for text in texts for wrong in validate(official, parse(text))] == []


def test_a_query_with_a_made_up_field_would_be_caught(official: GraphQLSchema) -> None:
    assert validate(official, parse("{ customers(first: 1) { nodes { shoeSize } } }"))


def test_the_stand_ins_schema_is_part_of_the_vendors(official: GraphQLSchema) -> None:
    assert [
        wrong for name in SCHEMA.type_map if not name.startswith("__") for wrong in differences(official, name)
    ] == []


def differences(official: GraphQLSchema, name: str) -> Iterator[str]:
    """Where a type of the stand-in's is not what it is there."""
    ours: Any = SCHEMA.type_map[name]
    theirs: Any = official.type_map.get(name)
    if type(ours) is not type(theirs):
        yield name
        return
    if isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
        yield from (
            f"{name} is no {i.name}" for i in ours.interfaces if i.name not in {j.name for j in theirs.interfaces}
        )
    if isinstance(ours, GraphQLEnumType):
        yield from (f"{name}.{value}" for value in ours.values if value not in theirs.values)
    for field, here in getattr(ours, "fields", {}).items():
        there = theirs.fields.get(field)
        if there is None or str(there.type) != str(here.type):
            yield f"{name}.{field}"
            continue
        for argument, given in getattr(here, "args", {}).items():
            wanted = there.args.get(argument)
            if wanted is None or (str(wanted.type), wanted.default_value) != (str(given.type), given.default_value):
                yield f"{name}.{field}({argument})"


# -- the stand-in by itself --------------------------------------------------------------------------------------------


def asked(shop: Shop, text: str, **given: Any) -> Any:
    return json.loads(shop.ask(text, given, cost=10).response.content)["data"]


def test_customer_set_finds_by_email_replaces_lists_and_refuses_what_is_taken(shop: Shop) -> None:
    asked(shop, TAGS, id=CUSTOMER.format(2))
    [customer] = {
        "x": asked(shop, SET, by={"email": "BO@ek.example"}, input={"tags": ["new"]})["customerSet"]["customer"]
    }.values()
    assert customer == {"id": CUSTOMER.format(2), "tags": ["new"]}
    taken = asked(shop, SET, by={"id": CUSTOMER.format(2)}, input={"email": "anna@beispiel.example"})["customerSet"]
    assert taken == {
        "customer": None,
        "userErrors": [{"code": "TAKEN", "field": ["input", "email"], "message": "Email has already been taken"}],
    }
    made = asked(shop, SET, by={"email": "new@new.example"}, input={"firstName": "Neu"})["customerSet"]["customer"]
    assert made["id"] == CUSTOMER.format(6)


def test_a_customer_with_orders_can_not_be_deleted(shop: Shop) -> None:
    [told] = asked(shop, DELETE, id=CUSTOMER.format(2))["customerDelete"]["userErrors"]
    assert "associated orders" in told["message"]
    assert asked(shop, DELETE, id=CUSTOMER.format(3))["customerDelete"]["deletedCustomerId"] == CUSTOMER.format(3)
    assert CUSTOMER.format(3) not in records_of(pulled(CUSTOMERS, shop))


def test_a_metafield_is_kept_and_its_digest_guards_it(shop: Shop) -> None:
    one = {
        "ownerId": CUSTOMER.format(1),
        "namespace": "hub",
        "key": "consistency",
        "type": "json",
        "value": '{"open":2}',
    }
    [made] = asked(shop, METAFIELDS, all=[one])["metafieldsSet"]["metafields"]
    seen = asked(shop, METAFIELD, id=CUSTOMER.format(1))["customer"]
    assert (seen["metafield"]["jsonValue"], seen["metafields"]["nodes"]) == ({"open": 2}, [{"key": "consistency"}])
    changed = {**one, "value": "{}", "compareDigest": made["compareDigest"]}
    assert asked(shop, METAFIELDS, all=[changed])["metafieldsSet"]["userErrors"] == []
    [stale] = asked(shop, METAFIELDS, all=[changed])["metafieldsSet"]["userErrors"]
    assert (stale["code"], stale["elementIndex"]) == ("STALE_OBJECT", 0)


def test_metafields_are_set_all_or_none_and_no_more_than_25(shop: Shop) -> None:
    good = {"ownerId": CUSTOMER.format(1), "namespace": "hub", "key": "a", "type": "json", "value": "1"}
    answer = asked(shop, METAFIELDS, all=[good, {**good, "ownerId": CUSTOMER.format(9)}])["metafieldsSet"]
    assert (answer["metafields"], [e["elementIndex"] for e in answer["userErrors"]]) == (None, [1])
    assert asked(shop, METAFIELD, id=CUSTOMER.format(1))["customer"]["metafields"]["nodes"] == []
    [told] = asked(shop, METAFIELDS, all=[good] * 26)["metafieldsSet"]["userErrors"]
    assert told["code"] == "LESS_THAN_OR_EQUAL_TO"


@pytest.mark.parametrize("touches", [True, False])
def test_whether_a_metafield_counts_as_a_change_of_its_owner_can_be_tried_both_ways(touches: bool) -> None:
    run, _ = started(metafields_touch=touches)
    with run:
        shop = client(run)
        one = {"ownerId": CUSTOMER.format(1), "namespace": "hub", "key": "a", "type": "json", "value": "1"}
        asked(shop, METAFIELDS, all=[one])
        assert (CUSTOMER.format(1) in records_of(pulled(CUSTOMERS, shop, since="2026-11-10T00:00:00Z"))) is touches


def test_tags_are_added_once(shop: Shop) -> None:
    for _ in range(2):
        assert asked(shop, TAGS, id=CUSTOMER.format(1))["tagsAdd"]["node"]["tags"] == ["omnihub"]


def test_every_answer_says_which_version_it_is_of_and_a_bad_token_is_told_in_one_sentence() -> None:
    run, _ = started()
    with run:
        answer = requests.post(run.urls["shopify"] + PATH, json={"query": "{ shop { id } }"}, timeout=5)
        assert answer.status_code == 401
        assert answer.json()["errors"].startswith("[API] Invalid API key or access token")
        shop = client(run)
        shop.ask("{ shop { id } }", {}, cost=1)
        assert shop.http.last().headers["X-Shopify-API-Version"] == "2026-07"


def test_any_subset_of_the_fields_can_be_seeded_and_read(shop: Shop, standin: Shopify) -> None:
    junk = {
        "first_name": "x" * 300,
        "phone": "n/a",
        "country": "Deutschland",
        "email": None,
        "price": "free",
        "quantity": "many",
    }
    streams = ("customers", "products", "variants", "orders", "order_lines", "carts", "cart_lines")
    copies = [
        copy(stream, n, {f: junk.get(f, "?") for f in fields if f not in ("of", "contact")} | {"of": 1})
        for stream in streams
        for n, fields in enumerate([(), HELD["shop", stream]], 8)
    ]
    standin.seed(copies)
    assert {n for n in (8, 9) if standin.native_id("customers", n) in records_of(pulled(CUSTOMERS, shop))} == {8, 9}
    assert {n for n in (8, 9) if standin.native_id("orders", n) in records_of(pulled(ORDERS, shop))} == {8, 9}
    assert {n for n in (8, 9) if standin.native_id("carts", n) in records_of(pulled(CARTS, shop))} == {8, 9}
    assert {n for n in (8, 9) if standin.native_id("products", n) in records_of(pulled(PRODUCTS, shop))} == {8, 9}


def test_the_same_seed_gives_the_same_state() -> None:
    one, two = Shopify(quotas=()), Shopify(quotas=())
    one.seed(world())
    two.seed(world())
    assert one.dump() == two.dump()
    assert set(one.dump()) == {"customers", "products", "variants", "orders", "order_lines", "discounts"}


def test_answers_know_the_row_the_exchange_and_the_record(shop: Shop) -> None:
    [answer] = update_customers(shop, [row(3, CUSTOMER.format(1), {"firstName": "Ann"})])
    assert isinstance(answer, Answer)
    assert answer.exchange
    assert answer.exchange.status == 200
    assert (answer.n, answer.id) == (3, CUSTOMER.format(1))


def test_documents_and_variables_of_a_request_fit_each_other() -> None:
    for text, given, _ in written_documents():
        assert understood(SCHEMA, text)[1] == ()
        assert all(f"${name}" in text for name in given)
    assert document([])
    assert variables([]) == {}

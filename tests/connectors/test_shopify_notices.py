"""Shopify: the hub's findings in a metafield of what they are about, with a tag; there once, and gone in the end."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from graphql import build_client_schema, parse, validate

from connectors.shopify import connector, notices
from connectors.shopify.mutations import SHOP
from connectors.shopify.reading import CUSTOMERS
from connectors.shopify.sandbox import Shopify
from connectors.shopify.shop import PATH, Shop
from omnihub.model import Outcome
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Running
from omnihub.sdk import Answer, Want, open_client, value_at
from omnihub.sdk.reporting import Notice, Standing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = "2026-11-01T08:00:00Z"
KEY, OTHER = "omnihub-1", "omnihub-2"
CUSTOMER, PRODUCT, VARIANT, ORDER = (
    f"gid://shopify/{kind}/7000000000001" for kind in ("Customer", "Product", "ProductVariant", "Order")
)
assert connector.place
assert connector.place.read
put, clear, remove, read = connector.place.put, connector.place.clear, connector.place.remove, connector.place.read


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with Running([Shopify(quotas=(), now=lambda: NOW)]) as run:
        yield run


@pytest.fixture
def standin(served: Running) -> Shopify:
    found = served.standins["shopify"]
    assert isinstance(found, Shopify)
    found.state.clear()
    found.calls.clear()
    found.seed(
        [
            Copy("shop", "customers", 1, {"first_name": "Anna", "email": "anna@beispiel.example"}, AT, AT),
            Copy("shop", "customers", 2, {"first_name": "Bo", "email": "bo@ek.example"}, AT, AT),
            Copy("shop", "products", 1, {"name": "Pump P1"}, AT, AT),
            Copy("shop", "variants", 1, {"of": 1, "sku": "P1-A", "price": "12.5"}, AT, AT),
            Copy("shop", "orders", 1, {"number": "#1001", "contact": 1, "total": "26.50"}, AT, AT),
        ]
    )
    found.edit_as("Bo", "customers", CUSTOMER, {"tags": ["newsletter"]})
    return found


@pytest.fixture
def shop(served: Running, standin: Shopify) -> Shop:
    client: Shop = open_client(connector, {"url": served.urls["shopify"], **standin.credentials})
    return client


def notice(title: str, ref_id: str | None = CUSTOMER, key: str = KEY) -> Notice:
    return Notice(key, ref_id, "customers", title, f"- {title}", "high", {"kind": "value_differs"})


def told(shop: Shop, *some: Notice, id_: str | None = None) -> list[str | None]:
    answers = list(put(shop, [(one, id_) for one in some]))
    assert [(a.outcome, a.message) for a in answers] == [(Outcome.WRITTEN, "")] * len(some)
    return [answer.id for answer in answers]


def said(standin: Shopify, owner: str = CUSTOMER) -> dict[str, Any]:
    """What stands at a record: key of the notice → its title."""
    held = [o.body for o in standin.state.find("metafields", "$.owner", owner) if not o.deleted]
    return {key: one["title"] for body in held for key, one in json.loads(body["value"])["notices"].items()}


def tags(standin: Shopify, owner: str = CUSTOMER) -> list[str]:
    obj = standin.by_gid(owner)
    assert obj
    return list(obj.body.get("tags") or [])


def states(shop: Shop, *some: tuple[str, str | None]) -> dict[str, Standing]:
    return {seen.key: seen.state for seen in read(shop, some)}


def outcomes(answers: Iterator[Answer]) -> list[Outcome]:
    return [answer.outcome for answer in answers]


def test_a_finding_stands_at_its_record_once_with_a_tag_beside_those_there_are(shop: Shop, standin: Shopify) -> None:
    assert told(shop, notice("Erst")) == [CUSTOMER]
    before = standin.dump()
    assert told(shop, notice("Erst"), id_=CUSTOMER) == [CUSTOMER]
    assert standin.dump() == before
    assert told(shop, notice("Dann")) == [CUSTOMER]  # the hub may have lost the id
    assert said(standin) == {KEY: "Dann"}
    assert tags(standin) == ["newsletter", "consistency"]
    assert states(shop, (KEY, None)) == states(shop, (KEY, CUSTOMER)) == {KEY: Standing.OPEN}


def test_what_is_said_of_one_record_stands_together_and_goes_one_by_one(shop: Shop, standin: Shopify) -> None:
    told(shop, notice("Name"), notice("Phone", key=OTHER))
    assert said(standin) == {KEY: "Name", OTHER: "Phone"}
    assert outcomes(iter(clear(shop, [(KEY, CUSTOMER)]))) == [Outcome.WRITTEN]
    assert (said(standin), tags(standin)) == ({OTHER: "Phone"}, ["newsletter", "consistency"])
    clear(shop, [(OTHER, None)])
    assert outcomes(iter(clear(shop, [(OTHER, None)]))) == [Outcome.WRITTEN]
    assert (said(standin), tags(standin)) == ({}, ["newsletter"])


def test_variants_are_shown_at_their_product_and_what_is_about_no_record_at_the_shop(
    shop: Shop, standin: Shopify
) -> None:
    some = (notice("Price", VARIANT), notice("Order", ORDER, OTHER), notice("Prices", None, "omnihub-3"))
    assert told(shop, *some, notice("All", None, "omnihub-4")) == [PRODUCT, ORDER, SHOP["id"], SHOP["id"]]
    assert (said(standin, PRODUCT), said(standin, ORDER)) == ({KEY: "Price"}, {OTHER: "Order"})
    assert said(standin, SHOP["id"]) == {"omnihub-3": "Prices", "omnihub-4": "All"}
    assert (tags(standin, PRODUCT), tags(standin, ORDER)) == (["consistency"], ["consistency"])
    assert states(shop, *((f"omnihub-{n}", None) for n in (1, 2, 3, 4))) == {
        f"omnihub-{n}": Standing.OPEN for n in (1, 2, 3, 4)
    }


def test_what_is_said_of_a_cart_is_shown_at_its_customer_or_at_the_shop_where_it_has_none(
    shop: Shop, standin: Shopify
) -> None:
    standin.seed([Copy("shop", "carts", n, {"name": f"#{n}", "contact": c}, AT, AT) for n, c in ((1, 2), (2, None))])
    carts = [standin.native_id("carts", n) for n in (1, 2, 3)]
    some = [notice("Price", cart, f"omnihub-{n}") for n, cart in enumerate(carts)]
    customer = standin.native_id("customers", 2)
    assert told(shop, *some) == [customer, SHOP["id"], SHOP["id"]]
    assert (said(standin, customer), tags(standin, customer)) == ({"omnihub-0": "Price"}, ["consistency"])


def test_what_came_to_be_about_several_records_leaves_the_first(shop: Shop, standin: Shopify) -> None:
    told(shop, notice("one"))
    assert told(shop, notice("many", None), id_=CUSTOMER) == [SHOP["id"]]
    assert (said(standin), tags(standin), said(standin, SHOP["id"])) == ({}, ["newsletter"], {KEY: "many"})


def test_a_record_tagged_to_be_left_as_it_is_closes_what_is_said_of_it(shop: Shop, standin: Shopify) -> None:
    told(shop, notice("Name"), notice("Phone", key=OTHER))
    standin.edit_as("Petra", "customers", CUSTOMER, {"tags": [*tags(standin), "consistency-ignore"]})
    both = ((KEY, CUSTOMER), (OTHER, CUSTOMER))
    assert states(shop, *both) == {KEY: Standing.CLOSED, OTHER: Standing.CLOSED}
    told(shop, notice("Name, again"), id_=CUSTOMER)  # it has changed; the other has not
    assert tags(standin) == ["newsletter", "consistency"]
    assert states(shop, *both) == {KEY: Standing.OPEN, OTHER: Standing.CLOSED}


def test_one_whose_record_is_gone_is_refused_and_the_others_are_told(shop: Shop, standin: Shopify) -> None:
    obj = standin.living("customers", CUSTOMER)
    assert obj
    obj.deleted = True
    standin.state.save(obj)
    some = [notice("x"), notice("y", CUSTOMER.replace("0001", "0002"), OTHER)]
    assert outcomes(iter(put(shop, [(one, None) for one in some]))) == [Outcome.REFUSED, Outcome.WRITTEN]
    assert outcomes(iter(clear(shop, [(KEY, CUSTOMER)]))) == [Outcome.WRITTEN]


def test_what_somebody_wrote_there_at_the_same_time_is_not_lost(shop: Shop, standin: Shopify) -> None:
    told(shop, notice("Name"))
    [slot] = notices._all_slots(shop, [(KEY, CUSTOMER)])
    told(shop, notice("Phone", key=OTHER))
    slot.say(notice("Name, late"))
    problems, _ = notices._written(shop, [slot])
    [(outcome, code, _)] = problems.values()
    assert (outcome, code) == (Outcome.DEFERRED, "STALE_OBJECT")
    assert said(standin) == {KEY: "Name", OTHER: "Phone"}


def test_a_metafield_somebody_emptied_is_gone_and_told_anew(shop: Shop, standin: Shopify) -> None:
    told(shop, notice("Name"))
    [held] = standin.state.find("metafields", "$.owner", CUSTOMER)
    held.body["value"] = "[]"
    standin.state.save(held)
    assert states(shop, (KEY, CUSTOMER)) == {}
    held.deleted = True
    standin.state.save(held)
    assert states(shop, (KEY, CUSTOMER)) == {}
    told(shop, notice("Name"), id_=CUSTOMER)
    assert said(standin) == {KEY: "Name"}


def test_many_are_told_in_few_calls(shop: Shop, standin: Shopify) -> None:
    standin.seed([Copy("shop", "customers", n, {"first_name": "C"}, AT, AT) for n in range(100, 125)])
    ids = [standin.native_id("customers", n) for n in range(100, 125)]
    calls = len(standin.calls)
    told(shop, *(notice("x", id_, f"omnihub-{n}") for n, id_ in enumerate(ids)))
    assert len(standin.calls) - calls <= 4
    clear(shop, [(f"omnihub-{n}", id_) for n, id_ in enumerate(ids)])


def test_taken_away_the_shop_is_as_it_was_and_no_customer_reads_as_edited(shop: Shop, standin: Shopify) -> None:
    def seen() -> list[Any]:
        pages = CUSTOMERS(shop, Want(None, True, NOW))
        return [{f: value_at(r.raw, c.path) for f, c in fields.items()} for page in pages for r in page.records]

    fields = connector.stream("customers").fields
    before, people = standin.dump(), seen()
    told(shop, notice("Name"), notice("x", VARIANT, OTHER), notice("y", None, "omnihub-3"))
    standin.edit_as("Petra", "products", PRODUCT, {"tags": ["consistency", "consistency-ignore"]})
    assert seen() == people
    for _ in range(2):
        answers = remove(shop, [(KEY, CUSTOMER), (OTHER, None), ("omnihub-3", None)])
        assert outcomes(iter(answers)) == [Outcome.WRITTEN] * 3
    assert standin.dump() == before


@pytest.mark.long
def test_what_is_asked_is_valid_in_the_vendors_schema(shop: Shop) -> None:
    folder = Path(os.environ.get("OMNIHUB_CONTRACTS", Path(__file__).parents[3] / "shared" / "contracts"))
    file = folder / "shopify" / "admin_2026-07.json.gz"
    if not file.exists():
        pytest.skip("contracts not found")
    asked: set[str] = set()

    def note(answer: requests.Response, **_: Any) -> None:
        if answer.request.path_url == PATH:  # not the login
            asked.add(json.loads(answer.request.body or b"")["query"])

    shop.http.hooks["response"].append(note)
    told(shop, notice("Name"), notice("x", VARIANT, OTHER), notice("y", None, "omnihub-3"))
    states(shop, (KEY, None))
    clear(shop, [(KEY, CUSTOMER), (OTHER, None), ("omnihub-3", None)])
    found = json.loads(gzip.decompress(file.read_bytes()))
    official = build_client_schema(found.get("data", found), assume_valid=True)
    assert len(asked) >= 9
    assert [wrong.message for text in asked for wrong in validate(official, parse(text))] == []

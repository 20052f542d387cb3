"""What is found of a person, and what is left of a text, a model or a record without them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
import xlsxwriter

from omnihub.flow.modelling import store_model
from omnihub.flow.wiping import BLOT, Pattern, Person, blotted, wipe, wipe_files
from omnihub.match import default_model, model_from
from omnihub.model import Entity
from omnihub.sdk import persons
from omnihub.store import Store, schema
from tests.flow import loop

ANNA = Person(
    ("crm/people/1",),
    golden_ids=("contact_a",),
    needles={
        ("email", "anna@weber.example"): frozenset({"anna@weber.example"}),
        ("word", "weber"): frozenset({"Weber"}),
    },
)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    found = Store.open(store_url)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("write to ANNA@weber.example", True),
        ("johanna@weber.example", True),  # by the name alone
        ("joanna@webers.example", False),
        ("the Weberei", False),
        ('{"ref": "crm/people/1"}', True),
        ("crm/people/12", False),
        ("crm/people/1-2", False),
    ],
)
def test_they_are_found_as_whole_words_and_whole_refs(said: str, found: bool) -> None:
    assert ANNA.anywhere.found(said) is found
    assert ANNA.anywhere.among(pa.chunked_array([[None, said]])).to_pylist() == ([1] if found else [])


def test_nobody_is_found_by_nothing() -> None:
    assert not Pattern.of(()).found("anything at all")


def test_a_document_loses_what_is_filed_under_them_and_the_entries_they_stand_in() -> None:
    told = {"plan": "p", "records": {"crm/people/1": {"email": "f1"}, "crm/people/2": {}}, "because": "Weber, asked"}
    told |= {"left": [{"ref": "crm/people/1"}, {"ref": "crm/people/2"}]}
    left = json.loads(blotted(json.dumps(told), ANNA.anywhere))
    assert left == {
        "plan": "p", "records": {"crm/people/2": {}}, "because": f"{BLOT}, asked", "left": [{"ref": "crm/people/2"}],
    }  # fmt: skip
    assert blotted("[no JSON: Weber", ANNA.anywhere) == f"[no JSON: {BLOT}"


def test_a_rare_name_is_taken_out_of_how_common_names_are(store: Store) -> None:
    listed = pa.table({"value": ["jones", "weber"], "share": [0.5, 0.001]})
    model = replace(default_model(Entity.CONTACT), version=1, frequencies={"last_name": listed})
    with store.write() as c:
        store_model(c, model)
        counts, _ = wipe(c, ANNA)
    assert counts == {"models": 1}
    [row] = loop.rows(store, sa.select(schema.models.c.model, schema.models.c.frequencies))
    left = model_from(row.model, bytes(row.frequencies)).frequencies
    assert left is not None
    assert left["last_name"].column("value").to_pylist() == ["jones"]


def test_rows_about_them_go_and_those_of_others_stay(store: Store) -> None:
    d, p = schema.dead_letters, schema.plans
    with store.write() as c:
        for ref, new in (("crm/people/1", "x"), ("crm/people/2", "Weber"), ("crm/people/3", "Jones")):
            c.execute(sa.insert(d).values(ref=ref, field="f", new=new, plan_id="p", code="c", message="m", at="2026"))
        told = {"counts": "{}", "guard": json.dumps(["5 changes, as crm/people/1"]), "looked": "{}"}
        c.execute(sa.insert(p).values(id="p", run_id="r", hash="h", state="applied", created_at="2026", **told))
        counts, _ = wipe(c, ANNA)
    assert counts == {"dead_letters": 2, "plans": 1}
    assert [row.ref for row in loop.rows(store, sa.select(d.c.ref))] == ["crm/people/3"]
    assert loop.rows(store, sa.select(p.c.guard))[0].guard == "[]"


def test_what_a_person_is_known_by_does_not_depend_on_how_a_system_writes_it() -> None:
    here = persons.known_by(loop.CONNECTORS["zendesk"].stream("users"), {
        "name": "Anna Weber", "email": "Anna@Weber.example", "phone": "0151 2345 6789",
    })  # fmt: skip
    there = persons.known_by(loop.CONNECTORS["portal"].stream("users"), {
        "first_name": "ANNA", "last_name": "Weber", "email": "anna@weber.example", "mobile": "+49 151 23456789",
    })  # fmt: skip
    assert here == there
    assert "phone:23456789:anna weber" in here


def test_an_order_keeps_what_is_sold_and_loses_who_to() -> None:
    shop = loop.CONNECTORS["shopify"]
    order = {
        "id": "gid://shopify/Order/1", "name": "#1001", "updatedAt": "2026-11-01T00:00:00Z", "email": "a@weber.example",
        "customer": {"id": "gid://shopify/Customer/7", "firstName": "Anna"}, "shippingAddress": {"city": "Bonn"},
        "currencyCode": "EUR",
        "lineItems": {"nodes": [{"id": "gid://shopify/LineItem/1", "sku": "A-1", "quantity": 2, "note": "for Anna"}]},
    }  # fmt: skip
    left = json.loads(persons.without_person(shop, shop.stream("orders"), order))
    assert left == {
        "id": "gid://shopify/Order/1", "name": "#1001", "updatedAt": "2026-11-01T00:00:00Z", "currencyCode": "EUR",
        "lineItems": {"nodes": [{"id": "gid://shopify/LineItem/1", "sku": "A-1", "quantity": 2}]},
    }  # fmt: skip


def test_an_offer_made_to_some_people_keeps_what_it_gives_and_loses_who_they_are() -> None:
    shop = loop.CONNECTORS["shopify"]
    stream = shop.stream("discounts")
    goods = {"products": {"nodes": [{"id": "gid://shopify/Product/1", "variants": {"nodes": [{"sku": "A-1"}]}}]}}
    offer = {
        "id": "gid://shopify/DiscountNode/1",
        "discount": {
            "__typename": "DiscountCodeBasic", "codes": {"nodes": [{"code": "ANNA"}]},
            "context": {"customers": [{"id": "gid://shopify/Customer/7"}, {"id": "gid://shopify/Customer/8"}]},
            "customerGets": {"value": {"percentage": 0.1}, "items": {"collections": {"nodes": [goods]}}},
        },
    }  # fmt: skip
    assert persons.linked("shopify", stream, offer) == [
        "shopify/customers/gid://shopify/Customer/7",
        "shopify/customers/gid://shopify/Customer/8",
    ]
    left = json.loads(persons.without_person(shop, stream, offer))
    assert persons.linked("shopify", stream, left) == []
    sold = {"products": {"nodes": [{"variants": {"nodes": [{"sku": "A-1"}]}}]}}
    assert left == {
        "id": "gid://shopify/DiscountNode/1",
        "discount": {
            "__typename": "DiscountCodeBasic", "codes": {"nodes": [{"code": "ANNA"}]},
            "customerGets": {"value": {"percentage": 0.1}, "items": {"collections": {"nodes": [sold]}}},
        },
    }  # fmt: skip


def test_of_several_taxes_none_becomes_the_only_one() -> None:
    shop = loop.CONNECTORS["shopify"]
    rates = ({"ratePercentage": 9.0, "title": "CGST"}, {"ratePercentage": 9.5, "title": "SGST"})
    lines = [{"id": f"gid://shopify/LineItem/{n}", "taxLines": list(rates[:n])} for n in (1, 2)]
    left = persons.without_person(
        shop, shop.stream("orders"), {"id": "gid://shopify/Order/1", "lineItems": {"nodes": lines}}
    )
    assert [line["taxLines"] for line in json.loads(left)["lineItems"]["nodes"]] == [
        [{"ratePercentage": 9.0}], [{"ratePercentage": 9.0}, {"ratePercentage": 9.5}],
    ]  # fmt: skip


def test_a_workbook_or_table_that_speaks_of_them_goes_though_it_is_packed(tmp_path: Path) -> None:
    for name, record in (("theirs", "Anna Weber <anna@weber.example>"), ("others", "Ben <ben@x.example>")):
        with xlsxwriter.Workbook(tmp_path / f"{name}.xlsx", {"constant_memory": True}) as book:
            book.add_worksheet().write_string(0, 0, record)
        pq.write_table(pa.table({"record": [record]}), tmp_path / f"{name}.parquet")
    assert wipe_files(tmp_path, ANNA) == ["theirs.parquet", "theirs.xlsx"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["others.parquet", "others.xlsx"]

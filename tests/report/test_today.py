"""What to fix today: a group is one task, told as people say it, and what costs most comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omnihub.report import Item, Task, Today, first
from omnihub.report.grouping import Group, order, sentence, title
from tests.report.test_page import ITEM

TITLES = {"crm": "Our CRM", "shop": "The shop"}
PRICE = replace(
    ITEM, kind="price_differs", system="shop", entity="product", field="price", currency="EUR", cause="list:EUR-B",
    about="g1", ref="shop/goods/1",
)  # fmt: skip


def group_of(item: Item, **more: Any) -> Group:
    """The group this finding makes by itself."""
    at_stake = ((item.currency, item.at_stake_cents),) if item.at_stake_cents else ()
    ref = item.ref if "/" in item.about else ""
    made = Group(
        item.about, item.system, (item.kind,), (item.entity,), (item.field,), item.cause, item.severity, item.owner,
        "open", 1, 1, item.customers, at_stake, item.since, ref, item.record,
    )  # fmt: skip
    return replace(made, **more)


def tasks(*items: Item, groups: list[Group] | None = None) -> tuple[Task, ...]:
    today = Today(TITLES)
    for item in items:
        today.add([item])
    return today.tasks(groups or sorted((group_of(item) for item in items), key=order))


def test_a_group_is_told_with_the_one_of_it_that_matters_most() -> None:
    some = (
        replace(PRICE, at_stake_cents=100, customers=2, record="Pump"),
        replace(PRICE, ref="shop/goods/2", at_stake_cents=900, customers=1, record="Valve"),
        replace(PRICE, ref="shop/goods/3", at_stake_cents=50, currency="CHF"),
    )
    group = group_of(PRICE, findings=3, records=3, customers=2, at_stake=(("EUR", 1000), ("CHF", 50)))
    [task] = tasks(*some, groups=[group])
    assert (task.count, task.customers, task.at_stake) == (3, 2, (("EUR", 1000), ("CHF", 50)))
    assert task.example.record == "Valve"  # the one with most at stake
    assert task.says == "Price list EUR-B not followed in The shop: 3 products"
    assert task.name == "g1"


def said(**more: Any) -> str:
    where = TITLES["shop"]
    return sentence(group_of(PRICE, **more), where)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"kinds": ("promotion_group",), "entities": ("promotion",), "cause": "promotion:SPRING"},
            "Offer SPRING made to others than it is meant for in The shop: 1 promotion",
        ),
        (
            {"kinds": ("order_stock",), "entities": ("order",), "cause": "stock:KP-1 in Ulm"},
            "Too few of KP-1 in Ulm, where The shop ships from: 1 order",
        ),
        (
            {"kinds": ("answer_late",), "entities": ("ticket",), "cause": "standard:email", "records": 2},
            "First answers later than promised by e-mail in The shop: 2 tickets",
        ),
        (
            {"kinds": ("value_invalid",), "entities": ("contact",), "cause": "", "fields": ("phone",), "records": 37},
            "Value invalid in The shop: phone of 37 contacts",
        ),
        (
            {
                "kinds": ("value_differs",),
                "cause": "",
                "fields": ("a", "b", "c", "d", "e"),
                "ref": "x",
                "record": "Ana",
            },
            "Ana in The shop: value differs (a, b, c and 2 more)",
        ),
        (
            {"kinds": ("order_state_differs",), "entities": ("order",), "cause": "", "ref": "x", "record": "#1011"},
            "Order #1011 in The shop: order state differs (price)",
        ),
        ({"kinds": ("duplicate",), "cause": "", "fields": ("",), "ref": "x"}, "Anna Meyer in The shop: duplicate"),
    ],
)
def test_a_group_is_told_as_people_say_it(more: dict[str, Any], words: str) -> None:
    assert said(**more) == words


def test_a_title_tells_a_cause_and_never_what_a_person_is_called() -> None:
    person = group_of(ITEM, fields=("email",), kinds=("value_differs",))
    assert "Anna Meyer" in sentence(person, "Our CRM")
    assert title(person, "Our CRM") == "Value differs (e-mail)"
    cause = group_of(PRICE, detail={"list": "EUR-B", "since": "2026-05-03"}, records=412, kinds=("price_expired",))
    assert title(cause, "Shopify") == "Price list EUR-B of 3 May 2026 missing in Shopify: 412 products"
    unknown = group_of(ITEM, cause="person:Anna Meyer", kinds=("value_differs",), records=2)
    assert "Anna Meyer" not in title(unknown, "Our CRM")


def test_what_is_severe_comes_first_and_then_what_costs_most() -> None:
    low = replace(ITEM, severity="low", at_stake_cents=10_000_000, currency="EUR", kind="value_invalid")
    cheap = replace(PRICE, at_stake_cents=100)
    dear = replace(PRICE, at_stake_cents=500, cause="list:EUR-C", about="g2")
    assert [t.cause or t.kind for t in tasks(low, cheap, dear)] == ["list:EUR-C", "list:EUR-B", "value_invalid"]


def test_what_the_hub_goes_on_with_is_nobodys_task() -> None:
    assert tasks(replace(PRICE, status="planned"), replace(PRICE, status="corrected")) == ()


def test_every_system_finds_its_own_first_task_among_those_shown() -> None:
    many = tuple(replace(PRICE, cause=f"list:{n:02}", at_stake_cents=1000 - n, about=f"g{n}") for n in range(30))
    found = tasks(*many, replace(ITEM, severity="low"))
    shown = first(found, 5)
    assert len(found) == 31
    assert [t.system for t in shown] == ["shop"] * 4 + ["crm"]
    assert [t.cause for t in shown[:4]] == [f"list:{n:02}" for n in range(4)]

"""What to fix today: one cause is one task, and what costs most comes first."""

from __future__ import annotations

from dataclasses import replace

from omnihub.report import Item, Task, Today, first
from tests.report.test_page import ITEM

TITLES = {"crm": "Our CRM", "shop": "The shop"}
PRICE = replace(
    ITEM, kind="price_differs", system="shop", entity="product", field="price", currency="EUR", cause="list:EUR-B"
)


def tasks(*items: Item) -> tuple[Task, ...]:
    today = Today(TITLES)
    for item in items:
        today.add([item])
    return today.tasks()


def test_findings_with_one_cause_are_one_task_with_their_money_and_customers_summed() -> None:
    found = tasks(
        replace(PRICE, ref="shop/goods/1", at_stake_cents=100, customers=2, record="Pump"),
        replace(PRICE, ref="shop/goods/2", at_stake_cents=900, customers=1, record="Valve"),
        replace(PRICE, ref="shop/goods/3", at_stake_cents=50, currency="CHF"),
    )
    [task] = found
    assert (task.count, task.customers, task.at_stake) == (3, 3, (("EUR", 1000), ("CHF", 50)))
    assert task.example.record == "Valve"  # the one with most at stake
    assert task.says == "Price list EUR-B not followed in The shop: 3 products"


def test_offers_and_stock_are_told_as_people_say_it() -> None:
    offer = replace(
        ITEM, kind="promotion_group", system="shop", entity="promotion", cause="promotion:SPRING", currency="EUR"
    )
    stock = replace(
        ITEM, kind="order_stock", system="shop", entity="order", cause="stock:KP-1 in Ulm", at_stake_cents=9
    )
    assert [t.says for t in tasks(stock, offer)] == [
        "Too few of KP-1 in Ulm, where The shop ships from: 1 order",
        "Offer SPRING made to others than it is meant for in The shop: 1 promotion",
    ]


def test_what_is_severe_comes_first_and_then_what_costs_most() -> None:
    low = replace(ITEM, severity="low", at_stake_cents=10_000_000, currency="EUR", kind="value_invalid")
    cheap = replace(PRICE, at_stake_cents=100)
    dear = replace(PRICE, at_stake_cents=500, cause="list:EUR-C")
    assert [t.cause or t.kind for t in tasks(low, cheap, dear)] == ["list:EUR-C", "list:EUR-B", "value_invalid"]


def test_what_the_hub_goes_on_with_is_nobodys_task() -> None:
    assert tasks(replace(PRICE, status="planned"), replace(PRICE, status="corrected")) == ()


def test_every_system_finds_its_own_first_task_among_those_shown() -> None:
    many = tuple(replace(PRICE, cause=f"list:{n:02}", at_stake_cents=1000 - n) for n in range(30))
    found = tasks(*many, replace(ITEM, severity="low"))
    shown = first(found, 5)
    assert len(found) == 31
    assert [t.system for t in shown] == ["shop"] * 4 + ["crm"]
    assert [t.cause for t in shown[:4]] == [f"list:{n:02}" for n in range(4)]


def test_a_record_with_two_findings_is_counted_once() -> None:
    [task] = tasks(
        replace(ITEM, severity="medium", field="e-mail"), replace(ITEM, severity="medium", field="phone", id="f2")
    )
    assert task.count == 2
    assert task.says == "Value differs in Our CRM: 1 contact"


def test_tickets_of_one_channel_that_are_late_are_one_task() -> None:
    late = replace(ITEM, kind="answer_late", entity="ticket", field="first answer", cause="standard:email")
    [task] = tasks(replace(late, ref="crm/tickets/1"), replace(late, ref="crm/tickets/2"))
    assert task.says == "First answers later than promised by e-mail in Our CRM: 2 tickets"

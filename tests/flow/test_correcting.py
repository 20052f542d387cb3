"""What the master is right about, written to the channels that may be written, and never to the master."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.errors import UnsafePlan
from omnihub.flow import apply_plan, approve, make_and_store_plan
from omnihub.flow.previewing import heed_rules
from omnihub.flow.undoing import plan_undo
from omnihub.merge import Rules
from omnihub.model import Entity
from omnihub.push.policy import Policy
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start
from tests.flow.test_undoing import said

MASTER = "airtable"
RULES = Rules(masters=frozenset({MASTER}))


def sync(here: Loop, **more: Any) -> loop.Told:
    """With the master as the master."""
    heed_rules(here.hub(rules=RULES), Entity.PRODUCT)
    return here.sync(rules=RULES, **more)


def planned(here: Loop, plan_id: str) -> list[Any]:
    """What a plan holds about products."""
    t = schema.changes
    return list(loop.rows(here.store, sa.select(t).where(t.c.plan_id == plan_id, t.c.entity == "product")))


def prices(here: Loop) -> dict[str, dict[str, str]]:
    """ref → what the master asks everybody for one piece in euros today."""
    t = schema.refined
    rows = loop.rows(here.store, sa.select(t.c.ref, t.c.fields).where(t.c.system == MASTER, t.c.stream == "prices"))
    year = str(max(json.loads(r.fields)["valid_from"] for r in rows))[:4]
    listed = {r.ref: json.loads(r.fields) for r in rows}
    this = next(y for y in (year, str(int(year) - 1)) if sum(f["valid_from"][:4] == y for f in listed.values()) > 100)
    return {
        ref: f
        for ref, f in listed.items()
        if (f["customer_group"], f["currency"], f["min_quantity"], f["valid_from"][:4])
        == ("standard", "EUR", "1", this)
        and f.get("tax_included") != "true"
    }


def raised(here: Loop, by: str) -> None:
    """The master asks so many times as much for everything."""
    for ref, fields in prices(here).items():
        here.edit(ref, amount=str((Decimal(fields["amount"]) * Decimal(by)).quantize(Decimal("0.01"))))


def on_sale(here: Loop) -> dict[str, str]:
    """ref → price, as the shop and marketing themselves have it."""
    shop, library = here.standin("shopify"), here.standin("hubspot")
    variants = {f"shopify/variants/{v.id}": v.body["price"] for v in shop.state.all() if v.stream == "variants"}
    products = (p for p in library.state.all() if p.stream == "products")
    return variants | {f"hubspot/products/{p.id}": p.body["properties"]["hs_price_eur"] for p in products}


@pytest.mark.long
def test_shop_and_marketing_are_given_what_the_master_says_and_the_second_sync_has_nothing_to_say(begin: Start) -> None:
    here = begin("compared")
    master, before = here.dump()[MASTER], on_sale(here)
    told = sync(here)
    found = planned(here, told.plan.id)
    for system in ("shopify", "hubspot"):
        assert {c.field for c in found if c.system == system} == {"price", "name", "description", "status"}, system
    assert {(c.system, c.outcome) for c in found} == {("shopify", "written"), ("hubspot", "written")}
    rows, after = prices(here), on_sale(here)
    moved = {c.ref: c for c in found if c.field == "price"}
    assert {ref for ref, price in after.items() if price != before[ref]} == set(moved) != set()
    for ref, change in moved.items():
        row = change.why.partition("(")[2].rstrip(")")
        assert "by rule master" in change.why
        assert rows[row]["sku"] == here.fields(ref)["sku"]
        assert Decimal(rows[row]["amount"]) == Decimal(change.new) == Decimal(after[ref])
    assert here.dump()[MASTER] == master
    assert sync(here).planned == 0
    assert here.dump()[MASTER] == master


@pytest.mark.long
def test_prices_thirty_percent_up_are_stopped_and_one_approval_passes_exactly_this_plan(begin: Start) -> None:
    here = begin("compared")
    told = sync(here)
    assert {(c.system, c.field, c.outcome) for c in planned(here, told.plan.id)} >= {("shopify", "price", "written")}
    raised(here, "1.3")
    master, before = here.dump()[MASTER], on_sale(here)
    told = sync(here)
    assert told.plan.state == "blocked"
    assert {one.limit for one in told.plan.limits} >= {"max_price_change"}
    assert on_sale(here) == before
    with pytest.raises(UnsafePlan):
        apply_plan(here.hub(rules=RULES), told.plan.id)
    approve(here.store, told.plan.hash, "anna", "new list")
    assert here.dump()[MASTER] == master
    here.edit(next(iter(prices(here))), amount="1.00")  # another plan than the one she has seen
    other = sync(here)
    assert (other.plan.state, other.plan.hash != told.plan.hash, on_sale(here) == before) == ("blocked", True, True)
    approve(here.store, other.plan.id, "anna", "seen as well")
    apply_plan(here.hub(rules=RULES), other.plan.id)
    up = [Decimal(price) / Decimal(before[ref]) for ref, price in on_sale(here).items() if price != before[ref]]
    changed = [c for c in planned(here, other.plan.id) if c.field == "price"]
    assert len(up) == len(changed) > 20
    assert sum(abs(ratio - Decimal("1.3")) < Decimal("0.01") for ratio in up) >= len(changed) - 1  # and the other one


@pytest.mark.long
def test_what_was_corrected_is_taken_back_to_the_letter_and_not_corrected_again(begin: Start) -> None:
    here = begin("compared")
    before = here.dump()
    told = sync(here)
    found = plan_undo(here.hub(rules=RULES), told.plan.id, "anna", "a mistake", "run-undo")
    assert found.plan
    apply_plan(here.hub(rules=RULES), found.plan.id)
    assert {c.system for c in planned(here, told.plan.id)} == {"shopify", "hubspot"}
    for system in ("shopify", "hubspot"):
        assert said(here.dump()[system]) == said(before[system])
    assert sync(here).planned == 0
    assert sync(here).planned == 0
    row = next(ref for ref, f in prices(here).items() if any(c.new == f["amount"] for c in planned(here, told.plan.id)))
    here.edit(row, amount="999.00")  # what she took back was another price
    again = make_after_look(here)
    assert {c.new for c in planned(here, again.id)} == {"999.00"}


def make_after_look(here: Loop) -> Any:
    """The next plan, not carried out."""
    hub = here.hub(rules=RULES)
    run = loop.Run.start(here.store)
    loop.look(hub, run)
    return make_and_store_plan(hub, run.id)


@pytest.mark.long
def test_what_may_not_be_written_is_ignored_or_is_said_of_one_variant_of_several_is_not_corrected(begin: Start) -> None:
    here = begin("compared")
    hub = here.hub(rules=RULES)
    heed_rules(hub, Entity.PRODUCT)
    loop.look(hub, loop.Run.start(here.store))
    policies = {(system, Entity.PRODUCT): Policy(update="never") for system in ("shopify", "hubspot")}
    plan = make_and_store_plan(here.hub(rules=RULES, policies=policies), "run-never")
    assert planned(here, plan.id) == []
    wrong = [c for c in planned(here, make_and_store_plan(hub, "run-all").id) if c.field == "price"]
    f = schema.findings
    with here.store.write() as c:
        of_first = sa.and_(f.c.ref == wrong[0].ref, f.c.kind.startswith("price_"))
        c.execute(sa.update(f).where(of_first).values(state="ignored"))
    left = [c for c in planned(here, make_and_store_plan(hub, "run-ignored").id) if c.field == "price"]
    assert {c.ref for c in wrong} - {c.ref for c in left} == {wrong[0].ref}
    found = planned(here, make_and_store_plan(hub, "run-names").id)
    names = [c for c in found if (c.system, c.field) == ("shopify", "name")]
    t = schema.refined
    with here.store.write() as c:  # another variant moves to the page of one whose name is wrong
        other = sa.select(t.c.ref).where(t.c.stream == "variants", t.c.parent != names[0].ref).limit(1)
        c.execute(sa.update(t).where(t.c.ref == c.execute(other).scalar_one()).values(parent=names[0].ref))
    left = [c for c in planned(here, make_and_store_plan(hub, "run-shared").id) if c.field == "name"]
    assert {c.ref for c in names} - {c.ref for c in left} == {names[0].ref}


@pytest.mark.long
def test_a_system_is_not_told_what_it_has_no_word_for(begin: Start) -> None:
    here = begin("compared")
    sync(here)
    t = schema.refined
    query = sa.select(t.c.ref, t.c.fields).where(t.c.entity == "product", ~t.c.deleted).order_by(t.c.ref)
    on_sale: dict[str, dict[str, str]] = {}
    for ref, told in ((r.ref, json.loads(r.fields)) for r in loop.rows(here.store, query)):
        if "sku" in told and told.get("status") == "active":
            on_sale.setdefault(told["sku"], {})[ref.partition("/")[0]] = ref
    everywhere = next(refs for refs in on_sale.values() if {MASTER, "shopify", "hubspot"} <= refs.keys())
    here.edit(everywhere[MASTER], status="draft")
    again = sync(here)
    assert [(c.system, c.field, c.new) for c in planned(here, again.plan.id)] == [("shopify", "status", "draft")]
    f = schema.findings
    found = sa.select(f.c.kind).where(f.c.ref == everywhere["hubspot"], f.c.state == "open")
    assert [r.kind for r in loop.rows(here.store, found)] == ["sku_unreleased"], "a person has to take it out"
    assert sync(here).planned == 0


@pytest.mark.long
def test_a_price_that_only_another_channel_says_corrects_nobody(begin: Start) -> None:
    here = begin("compared")
    hub, t, x, d = here.hub(rules=RULES), schema.refined, schema.crosswalk, schema.differences
    query = sa.select(t.c.ref, t.c.stream, t.c.system, t.c.entity, x.c.golden_id).join(x, x.c.ref == t.c.ref)
    [row] = loop.rows(here.store, query.where(t.c.stream == "variants").limit(1))
    told = dict(row._mapping) | {"field": "price", "theirs": "1.00", "ours": "2.00", "rule": "master"}
    for winner, wanted in (("othershop/products/7", []), (f"{MASTER}/products/7", ["2.00"])):
        with here.store.write() as c:
            c.execute(sa.delete(d).where(d.c.ref == row.ref))
            c.execute(sa.insert(d).values(told | {"winner": winner}))
        plan = make_and_store_plan(hub, "run-hearsay")
        assert [c.new for c in planned(here, plan.id) if (c.ref, c.field) == (row.ref, "price")] == wanted

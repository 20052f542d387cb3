"""Carts over the real stand-ins: what lies in one at a wrong price is found as it is, until the cart is an order."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from omnihub.compare.catalog import KINDS
from omnihub.flow import Run, compare_all, make_and_store_plan, pull_system, refine_system
from omnihub.merge import Rules
from omnihub.sandbox.reset import truth_file
from omnihub.sandbox.truth import Truth
from omnihub.store import schema
from tests.flow.conftest import Loop, Start, looked_at
from tests.flow.loop import rows

RULES = Rules(masters=frozenset({"airtable"}))
IN_CARTS = "shopify/cart_lines/"


def wrong_in_carts(here: Loop) -> set[tuple[str, str]]:
    f = schema.findings
    query = sa.select(f.c.kind, f.c.ref).where(f.c.ref.startswith(IN_CARTS), f.c.state == "open")
    return {(row.kind, row.ref) for row in rows(here.store, query)}


@pytest.mark.long
def test_a_wrong_price_in_a_cart_is_told_nothing_is_planned_of_it_and_it_is_over_when_the_cart_is_bought(
    begin: Start,
) -> None:
    here = begin("compared")
    compare_all(here.hub(rules=RULES))
    found = wrong_in_carts(here)
    assert {kind for kind, _ in found} <= {*KINDS}
    plan = make_and_store_plan(here.hub(rules=RULES), "run")
    c = schema.changes
    assert not {r.ref for r in rows(here.store, sa.select(c.c.ref).where(c.c.plan_id == plan.id))} & {
        r for _, r in found
    }
    ref = min(ref for _, ref in found)
    cart = here.fields(ref)["of"]
    here.edit(cart, ordered_at=here.fields(cart)["changed_at"])
    hub = here.hub(rules=RULES)
    pull_system(hub, "shopify", Run.start(here.store).id)
    refine_system(hub, "shopify")
    compare_all(hub)
    t = schema.refined
    inside = {row.ref for row in rows(here.store, sa.select(t.c.ref).where(t.c.parent == cart))}
    assert ref in inside
    assert wrong_in_carts(here) == {one for one in found if one[1] not in inside}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_is_wrong_in_carts_is_found_over_the_wire_and_nothing_else(tmp_path: Path) -> None:
    with looked_at(tmp_path, 300, 22) as known:
        compare_all(known.here.hub(rules=RULES))
        counted = known.score()["findings"]["by_kind"]
        with closing(Truth(truth_file(tmp_path))) as truth:
            planted = {(e.kind, e.ref) for e in truth.errors() if e.ref.startswith(IN_CARTS)}
        assert wrong_in_carts(known.here) == planted
    assert len({kind for kind, _ in planted}) > 4
    prices = {kind: one for kind, one in counted.items() if kind.startswith("price_")}
    assert {kind: one for kind, one in prices.items() if min(one["precision"], one["recall"]) < 0.99} == {}, json.dumps(
        prices
    )

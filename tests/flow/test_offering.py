"""Offers over the real stand-ins: what the shop and the portal offer wrongly is found as it is, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from omnihub.compare.promotions import KINDS
from omnihub.flow import compare_all, make_and_store_plan
from omnihub.merge import Rules
from omnihub.store import schema
from tests.flow.conftest import Start, looked_at
from tests.flow.loop import rows

RULES = Rules(masters=frozenset({"airtable"}))


def test_what_is_wrong_with_offers_is_found_where_they_are_made_and_nothing_is_planned_of_it(begin: Start) -> None:
    here = begin("compared")
    compare_all(here.hub(rules=RULES))
    f, d = schema.findings, schema.changes
    found = rows(here.store, sa.select(f.c.kind, f.c.ref, f.c.system).where(f.c.kind.in_(KINDS)))
    assert {r.kind for r in found if r.system == "shopify"} == set(KINDS)
    assert {"/".join(r.ref.split("/")[:2]) for r in found} == {
        "shopify/discounts",
        "portal/offers",
        "hubspot/campaign_offers",
    }
    plan = make_and_store_plan(here.hub(rules=RULES), "run")
    planned = {r.ref for r in rows(here.store, sa.select(d.c.ref).where(d.c.plan_id == plan.id))}
    assert planned
    assert not planned & {r.ref for r in found}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_channels_offer_wrongly_is_found_over_the_wire(tmp_path: Path) -> None:
    with looked_at(tmp_path, 200, 23) as known:
        compare_all(known.here.hub(rules=RULES))
        counted = known.score()["findings"]["by_kind"]
    told = {kind: counted[kind] for kind in KINDS}
    assert all(one["planted"] > 0 for one in told.values())
    assert {kind: one for kind, one in told.items() if (one["precision"], one["recall"]) != (1.0, 1.0)} == {}
    assert (counted["price_differs"]["precision"], counted["price_differs"]["recall"]) == (1.0, 1.0)

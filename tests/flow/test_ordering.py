"""Orders on their way, from the systems' own APIs to the findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from omnihub.compare.orders import KINDS
from omnihub.store import schema
from tests.flow.conftest import Start, looked_at
from tests.flow.loop import rows

F = schema.findings


@pytest.mark.long
def test_an_order_shipped_in_the_shop_and_open_in_the_crm_is_told_until_the_crm_says_so_too(begin: Start) -> None:
    here = begin("compared")
    t = schema.refined
    query = sa.select(t.c.ref, t.c.system, t.c.fields).where(t.c.entity == "order", ~t.c.deleted).order_by(t.c.ref)
    shop = {json.loads(r.fields)["number"]: r.ref for r in rows(here.store, query) if r.system == "shopify"}
    told_by = {r.ref: json.loads(r.fields)["number"] for r in rows(here.store, query) if r.system == "salesforce"}
    crm = {"#" + number.strip("#"): ref for ref, number in told_by.items()}
    number = next(n for n in crm if n in shop and here.fields(shop[n])["status"] == "shipped")

    def told() -> set[tuple[str, str]]:
        found = sa.select(F.c.kind, F.c.field).where(F.c.ref == crm[number], F.c.state == "open")
        return {(r.kind, r.field) for r in rows(here.store, found)}

    here.edit(crm[number], status="cancelled")
    here.sync()
    assert ("order_state_differs", "status") in told()
    assert "delivered_at" in here.fields(shop[number])  # the shop has no other word for it
    here.edit(crm[number], status="delivered")
    here.sync()
    assert ("order_state_differs", "status") not in told()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_was_planted_of_orders_is_found_through_the_systems_and_nothing_else(tmp_path: Path) -> None:
    with looked_at(tmp_path, 600, 41) as known:
        by_kind = known.score()["findings"]["by_kind"]
        for kind in KINDS:
            assert by_kind[kind]["planted"] > 5
            assert by_kind[kind]["recall"] >= 0.99, by_kind[kind]
            assert by_kind[kind]["precision"] >= 0.99, by_kind[kind]

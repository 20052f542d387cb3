"""The scorecard over the real stand-ins, next to the same sums done record by record."""

from __future__ import annotations

import json
from decimal import Decimal

import sqlalchemy as sa

from omnihub import fields
from omnihub.flow import Run, compare_all, pull_system, refine_system
from omnihub.flow.scoring import field_scores
from omnihub.merge import Rules
from omnihub.model import Kind
from omnihub.report import FieldScore, PhaseScore, by_phase
from omnihub.store import schema
from omnihub.store.open import now_iso
from tests.flow import loop
from tests.flow.conftest import Loop, Start

MASTER = "airtable"
RULES = Rules(masters=frozenset({MASTER}))
PRICED = {"product": "price", "line": "unit_price"}


def scored(here: Loop) -> tuple[FieldScore, ...]:
    with here.store.read() as c:
        return field_scores(c, here.hub(rules=RULES), now_iso()[:10])


def phases(found: tuple[FieldScore, ...]) -> dict[tuple[str, str], PhaseScore]:
    return {(p.system, p.phase): p for p in by_phase(found, {MASTER})}


def purchase_by_hand(here: Loop, system: str) -> tuple[int, int]:
    """Comparable and equal cells of a system's purchase, one record after the other."""
    t, f = schema.refined, schema.findings
    rows = loop.rows(here.store, sa.select(t.c.ref, t.c.entity, t.c.system, t.c.fields).where(~t.c.deleted))
    said = {r.ref: (r.entity, r.system, json.loads(r.fields)) for r in rows}
    wrong = {(r.ref, r.field) for r in loop.rows(here.store, sa.select(f.c.ref, f.c.field).where(f.c.state == "open"))}
    lists = [v for entity, of, v in said.values() if entity == "price" and of == MASTER]
    comparable = equal = 0
    for ref, (entity, of, told) in said.items():
        if of != system or entity not in PRICED or "sku" not in told:
            continue
        kind, _, occasion = said.get(told.get("of", ""), ("", "", {}))
        if kind in ("deal", "cart"):
            continue
        day = occasion.get("ordered_at", now_iso())[:10]
        cells = [PRICED[entity]] if listed(lists, told, day) or (ref, PRICED[entity]) in wrong else []
        cells += ["sku"] if entity == "line" else []
        comparable += len([name for name in cells if name in told])
        equal += len([name for name in cells if name in told and (ref, name) not in wrong])
    return comparable, equal


def listed(lists: list[dict[str, str]], told: dict[str, str], day: str) -> bool:
    sku = fields.key(Kind.SKU, told["sku"])
    return any(
        fields.key(Kind.SKU, one["sku"]) == sku
        and one["currency"] == told.get("currency")
        and one.get("valid_from", "") <= day <= one.get("valid_to", "9")
        for one in lists
    )


def test_breaking_one_price_in_one_channel_moves_only_its_purchase_score_by_one_cell(begin: Start) -> None:
    here = begin("compared")
    compare_all(here.hub(rules=RULES))
    before = scored(here)
    marketing = phases(before)["hubspot", "purchase"]
    assert (marketing.comparable, marketing.equal) == purchase_by_hand(here, "hubspot")
    comparable, equal = purchase_by_hand(here, "shopify")
    shop = phases(before)["shopify", "purchase"]
    assert (shop.comparable, shop.equal) == (comparable, equal)
    assert comparable > 20

    t, f = schema.refined, schema.findings
    wrong = {r.ref for r in loop.rows(here.store, sa.select(f.c.ref).where(f.c.state == "open"))}
    variants = sa.select(t.c.ref, t.c.fields).where(t.c.system == "shopify", t.c.stream == "variants", ~t.c.deleted)
    ref, told = next(
        (r.ref, json.loads(r.fields))
        for r in loop.rows(here.store, variants.order_by(t.c.ref))
        if r.ref not in wrong and "price" in r.fields
    )
    here.edit(ref, price=str(Decimal(told["price"]) + Decimal("13.37")))
    hub = here.hub(rules=RULES)
    pull_system(hub, "shopify", Run.start(here.store).id)
    refine_system(hub, "shopify")
    compare_all(hub)

    after = scored(here)
    broken = phases(after)["shopify", "purchase"]
    assert (broken.comparable, broken.equal) == (comparable, equal - 1)
    assert broken.consistency == (equal - 1) / comparable
    assert {(x.system, x.entity, x.field) for x in {*before} ^ {*after}} == {("shopify", "product", "price")}
    moved = {key for key, score in phases(after).items() if score != phases(before)[key]}
    assert moved == {("shopify", "purchase"), ("", "purchase")}

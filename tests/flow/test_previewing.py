"""Preview: what other rules would change is what they change; and changed rules are noticed by the next run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import Hub, Run, steps
from omnihub.flow.previewing import heed_rules, merged_by, preview
from omnihub.merge import WHY, Rules
from omnihub.model import GOLDEN, Entity
from omnihub.store import schema
from omnihub.store.open import take
from tests.flow import loop
from tests.flow.conftest import Loop, Start

LONG = pytest.mark.long
CONTACT, ACCOUNT = Entity.CONTACT, Entity.ACCOUNT
ADDRESS = ("street", "postal_code", "city", "region", "country")
Golden = dict[tuple[str, str], tuple[str, str]]

TABLES = {
    "recent": Rules(
        {(CONTACT, n): "recent" for n in (*ADDRESS, "job_title", "first_name", "last_name")}
        | {(CONTACT, "email"): "complete", (ACCOUNT, "name"): "complete", (ACCOUNT, "industry"): "union"}
    ),
    "order": Rules(
        {(e, n): "order" for e in (CONTACT, ACCOUNT) for n in ADDRESS} | {(CONTACT, "job_title"): "complete"},
        orders={(e, n): ("shopify", "zendesk") for e in (CONTACT, ACCOUNT) for n in ADDRESS},
    ),
    "trust": Rules(trust={"salesforce": 0.1, "hubspot.phone": 0.05, "zendesk.contact.name": 1.0}, half_life_days=20),
}


def goldens(here: Loop) -> Golden:
    """(golden id, field) → value, and the lineage of the cell."""
    g = schema.goldens
    found = loop.rows(here.store, sa.select(g.c.id, g.c.fields, g.c.lineage).where(g.c.members > 0))
    return {
        (row.id, name): (value, json.dumps(json.loads(row.lineage)[name]))
        for row in found
        for name, value in json.loads(row.fields).items()
    }


def flipped(hub: Hub, rules: Rules) -> dict[tuple[str, str], Any]:
    return {
        (row["golden_id"], name): row
        for one in preview(hub, rules, None)
        for name, rows in one.examples.items()
        for row in rows
    }


def merge_all(hub: Hub) -> dict[str, int]:
    run = Run.start(hub.store)
    return {entity.value: steps.merge(hub, run, entity)["looked_at"] for entity in GOLDEN}


def everything(here: Loop) -> dict[str, list[Any]]:
    return {name: sorted(map(repr, loop.rows(here.store, sa.select(t)))) for name, t in schema.metadata.tables.items()}


@pytest.mark.parametrize("table", [pytest.param("recent", marks=LONG), pytest.param("order", marks=LONG), "trust"])
def test_what_the_preview_says_is_what_the_next_run_does_to_every_cell(begin: Start, table: str) -> None:
    here, rules = begin("compared"), TABLES[table]
    before = goldens(here)
    told = flipped(here.hub(), rules)
    assert len(told) > 3
    merge_all(here.hub(rules=rules))
    after = goldens(here)
    expected = {cell: value for cell, (value, _) in before.items()} | {cell: row["new"] for cell, row in told.items()}
    assert {cell: value for cell, (value, _) in after.items()} == {c: v for c, v in expected.items() if v is not None}
    assert all(before.get(cell, (None,))[0] == row["old"] for cell, row in told.items())


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=LONG)])
def test_a_preview_writes_nothing(start_on: Callable[[str, str], Loop], kind: str) -> None:
    here = start_on(kind, "compared")
    before = everything(here)
    assert flipped(here.hub(), TABLES["trust"])
    assert everything(here) == before


def test_a_preview_counts_each_field_shows_a_few_and_says_why_the_old_value_loses(begin: Start) -> None:
    here = begin("compared")
    shown = {one.entity: one for one in preview(here.hub(), TABLES["recent"], 2)}
    whole = {one.entity: one for one in preview(here.hub(), TABLES["recent"], None)}
    contacts = shown[CONTACT]
    assert contacts.flips == whole[CONTACT].flips == {n: len(rows) for n, rows in whole[CONTACT].examples.items()}
    assert set(contacts.flips) <= {*ADDRESS, "job_title", "first_name", "last_name", "email"}
    assert contacts.flips["street"] > 2 == len(contacts.examples["street"])
    assert contacts.looked_at > contacts.goldens > 0
    every = [row for rows in whole[CONTACT].examples.values() for row in rows]
    moved = {(r["new_rule"], r["why"]) for r in every if r["old"] is not None and r["new"] is not None}
    assert moved, "some value gives way to another one"
    assert moved <= {("recent", "older"), ("complete", "less complete")}
    assert {row["why"] for row in every if row["old"] is None or row["new"] is None} <= {None}
    assert {row["why"] for row in every} <= {*WHY, None}


def test_the_rules_in_force_flip_nothing(begin: Start) -> None:
    here = begin("compared")
    assert [one.flips for one in preview(here.hub(), Rules(masters=here.hub().rules.masters))] == [{}, {}, {}]


@LONG
def test_a_preview_says_how_many_records_have_news_that_is_not_merged_yet(begin: Start) -> None:
    here = begin("compared")
    assert [one.waiting for one in preview(here.hub(), TABLES["trust"])] == [0, 0, 0]
    t = schema.refined
    with here.store.write() as c:
        refs = c.execute(sa.select(t.c.ref).where(t.c.entity == "contact").limit(3)).scalars().all()
        c.execute(sa.update(t).where(t.c.ref.in_(refs)).values(seq=take(c, 1)))
    assert [one.waiting for one in preview(here.hub(), TABLES["trust"])] == [0, 3, 0]


# -- noticing --------------------------------------------------------------------------------------------------------


def test_changed_rules_merge_everything_again_once_and_the_same_rules_nothing(begin: Start) -> None:
    here = begin("compared")
    merge_all(here.hub())
    whole = dict(loop.rows(here.store, _counted()))
    assert merge_all(here.hub()) == dict.fromkeys(whole, 0)
    rules = replace(Rules(), fields={(CONTACT, "street"): "recent"})
    assert merge_all(here.hub(rules=rules)) == {"account": 0, "contact": whole["contact"], "product": 0}
    assert merge_all(here.hub(rules=rules)) == dict.fromkeys(whole, 0)


def _counted() -> sa.Select[Any]:
    g = schema.goldens
    return sa.select(g.c.entity, sa.func.count()).where(g.c.members > 0).group_by(g.c.entity)


@LONG
def test_rules_changed_and_changed_back_give_the_golden_records_of_before(begin: Start) -> None:
    here = begin("compared")
    before = goldens(here)
    merge_all(here.hub(rules=TABLES["order"]))
    assert goldens(here) != before
    merge_all(here.hub())
    assert goldens(here) == before


def test_a_run_that_dies_after_it_noticed_leaves_the_merging_to_the_next(begin: Start) -> None:
    here = begin("compared")
    hub = here.hub(rules=TABLES["recent"])
    assert heed_rules(hub, CONTACT)
    assert merged_by(hub, CONTACT) == hub.rules.fingerprint(CONTACT)
    assert merge_all(hub)["contact"] > 0
    assert all(
        json.loads(story)["rule"] == "recent"
        for (gid, n), (_, story) in goldens(here).items()
        if n == "street" and gid.startswith("contact")
    )

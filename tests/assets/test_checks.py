"""The checks: each fails on the numbers it is there for, and says so in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from assets import checks
from omnihub.flow import Hub
from omnihub.flow.checking import (
    Verdict,
    complete,
    living_before,
    looked_everywhere,
    no_orphans,
    orphans,
    pull_balances,
    push_balances,
    scorecard,
    within_guard,
)
from omnihub.flow.runs import Run
from omnihub.model import FINDING_KINDS, Entity
from omnihub.store import Store, schema

GOOD_PULL = {"read": 10, "new": 3, "changed": 2, "same": 4, "rejected": 1}
GOOD_PUSH = {"planned": 9, "written": 5, "refused": 2, "deferred": 1, "drifted": 1}


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with closing(Store.open(store_url)) as store:
        yield store


def plan(state: str, *broken: str) -> dict[str, Any]:
    return {"id": "plan-1", "state": state, "counts": {"planned": 4}, "broken": broken}


def test_a_pull_that_lost_a_record_does_not_balance() -> None:
    assert pull_balances(GOOD_PULL).passed
    verdict = pull_balances(GOOD_PULL | {"read": 11})
    assert not verdict.passed
    assert "+1 unaccounted for" in verdict.says


def test_a_push_with_changes_left_over_does_not_balance() -> None:
    assert push_balances(GOOD_PUSH).passed
    assert not push_balances(GOOD_PUSH | {"written": 4, "left": 1}).passed


@pytest.mark.parametrize(
    ("living", "before", "passed", "severe"),
    [
        (1000, [], True, True),
        (990, [1000, 1000, 1000], True, True),
        (700, [1000, 1000, 1000], False, False),
        (300, [1000, 1000, 1000], False, True),
        (0, [3], False, True),
        (1, [9], True, True),
        (1000, [1000, 1000, 20], True, True),
        (5000, [1000], True, True),
    ],
    ids=[
        "the first time there is nothing to hold it against", "a few go on any day", "a fifth gone: have a look",
        "most are gone", "all are gone", "of a handful, most may go", "one bad run before does not count",
        "more is fine",
    ],
)  # fmt: skip
def test_far_fewer_records_than_usual_are_noticed(living: int, before: list[int], passed: bool, severe: bool) -> None:
    verdict = complete(living, before)
    assert (verdict.passed, verdict.passed or verdict.severe) == (passed, passed or severe)


def test_what_is_usual_comes_from_the_last_runs_that_read_the_stream_to_its_end(store: Store) -> None:
    def told(living: int, error: str = "") -> list[dict[str, Any]]:
        return [{"stream": "users", "living": living, "error": error}]

    for number, living in enumerate((100, 110, 120)):
        Run.start(store, f"run-{number}").note("pull:portal", told(living))
    Run.start(store, "run-3").note("pull:portal", told(7, "no answer"))
    Run.start(store, "run-now").note("pull:portal", told(1))
    assert sorted(living_before(store, "run-now", "portal")["users"]) == [100, 110, 120]
    assert living_before(store, "run-now", "zendesk") == {}


def test_a_ref_that_leads_nowhere_is_found(store: Store) -> None:
    assert orphans(store, Entity.CONTACT) == []
    row = {"golden_id": "contact_1", "entity": "contact", "seq": 1}
    with store.write() as c:
        c.execute(sa.insert(schema.crosswalk), [row | {"ref": "portal/users/1"}, row | {"ref": "portal/users/2"}])
    verdict = no_orphans(orphans(store, Entity.CONTACT), Entity.CONTACT)
    assert not verdict.passed
    assert "2 contact refs" in verdict.says
    assert orphans(store, Entity.ACCOUNT) == []


def test_a_plan_beyond_the_limits_names_the_limit_and_the_approval() -> None:
    assert within_guard(plan("ready")).passed
    verdict = within_guard(plan("blocked", "hubspot/contacts: 90 records would change, guard.share allows 30"))
    assert not verdict.passed
    assert "guard.share allows 30" in verdict.says
    assert "omnihub approve plan-1" in verdict.says


def test_not_having_looked_is_no_failure_but_is_said() -> None:
    assert looked_everywhere({"hubspot": "looked", "airtable": "not supported"}).passed
    verdict = looked_everywhere({"hubspot": "could not look", "portal": "looked"})
    assert (verdict.passed, verdict.severe) == (False, False)
    assert "hubspot" in verdict.says


def test_dagster_shows_what_can_not_be_trusted_as_an_error_and_the_rest_as_a_warning() -> None:
    key = dg.AssetKey("plan")
    assert checks.result(checks.GUARD, key, Verdict(False, "no")).severity is dg.AssetCheckSeverity.ERROR
    assert checks.result(checks.GUARD, key, Verdict(False, "hm", severe=False)).severity is dg.AssetCheckSeverity.WARN
    assert checks.result(checks.GUARD, key, Verdict(True, "yes", facts={"n": 1})).passed


def test_each_kind_of_finding_is_a_check_whose_number_is_seen_and_money_at_stake_is_an_error(store: Store) -> None:
    key = dg.AssetKey("compare")
    standing = {"price_differs": 3, "duplicate": 5, "orphan_link": 101}
    made = checks.kind_results(Hub(store, {}, lambda connector: {}), key, standing)
    found = {one.check_name: one for one in made}
    assert set(found) == set(FINDING_KINDS) == {one.name for one in checks.kind_specs(key)}
    assert {name for name, one in found.items() if not one.passed} == {"price_differs", "orphan_link"}
    assert found["price_differs"].severity is dg.AssetCheckSeverity.ERROR
    assert found["orphan_link"].severity is dg.AssetCheckSeverity.WARN
    assert found["duplicate"].metadata["standing"] == dg.MetadataValue.int(5)
    assert found["price_expired"].metadata["standing"] == dg.MetadataValue.int(0)


def test_the_scorecard_of_a_run_is_numbers_that_can_be_computed_by_hand(store: Store) -> None:
    def cell(run: str, system: str, phase: str, golden: int, comparable: int, equal: int) -> dict[str, Any]:
        told = {"run_id": run, "system": system, "entity": "line", "field": "unit_price", "phase": phase}
        return told | {"golden": golden, "comparable": comparable, "equal": equal, "corrected": 0, "filled": 0}

    rows = [cell("run-1", "shop", "purchase", 10, 8, 6), cell("run-1", "shop", "delivery", 10, 2, 2)]
    rows += [cell("run-1", "desk", "purchase", 4, 0, 0), cell("run-0", "shop", "purchase", 1, 1, 0)]
    with store.write() as c:
        c.execute(sa.insert(schema.scores), rows)
        stake = {"run_id": "run-1", "system": "shop", "entity": "line", "currency": "EUR", "findings": 2, "cents": 1234}
        c.execute(sa.insert(schema.stakes), [stake, stake | {"entity": "product", "cents": 66}])
    assert scorecard(store, "run-1") == {
        "consistency/shop": 0.8,
        "coverage/shop": 0.5,
        "coverage/desk": 0.0,
        "consistency/purchase": 0.75,
        "consistency/delivery": 1.0,
        "at_risk/EUR": 13.0,
    }

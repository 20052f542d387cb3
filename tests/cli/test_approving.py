"""Letting a stopped plan pass, as a person says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from omnihub.cli.installation import here
from omnihub.flow.guarding import Judged
from omnihub.flow.planning import Stored, keep_plan, plan_id_of
from omnihub.model import Change, Ref
from omnihub.push import Limits, Plan, guard
from tests.cli.conftest import omnihub


@pytest.fixture
def stopped(folder: Path) -> Stored:
    """A plan the guard has stopped: it would empty three fields."""
    refs = [Ref("crm", "people", f"{n}") for n in range(3)]
    plan = Plan(tuple(Change(ref, "phone", "+1", None, "why", "contact_a") for ref in refs))
    judged = Judged(tuple(guard(plan, {}, frozenset(), Limits())))
    stored = Stored(plan_id_of(plan), plan.hash, "blocked", plan.counts(), judged.words, {}, limits=judged.broken)
    with here().store() as store:
        return keep_plan(store, stored, plan, judged, "run")


def test_a_plan_is_approved_by_its_hash_for_as_long_as_one_says(stopped: Stored) -> None:
    words = ("--because", "asked sales", "--by", "anna", "--for", "2h", "--json")
    told = omnihub("approve", stopped.hash, *words).facts
    assert (told["plan"], told["state"], told["by"], told["because"]) == (stopped.id, "approved", "anna", "asked sales")
    left = datetime.fromisoformat(told["until"]) - datetime.now(UTC)
    assert timedelta(minutes=110) < left <= timedelta(hours=2)
    [limit] = told["limits"]
    assert (limit["limit"], limit["system"], limit["field"], limit["count"]) == ("max_emptied", "crm", "phone", 3)


def test_it_says_what_it_lets_pass_and_until_when(stopped: Stored) -> None:
    said = omnihub("approve", stopped.id, "--because", "asked sales", "--by", "anna")
    assert "phone would be emptied in 3 of 3 records" in " ".join(said.out.split())
    assert (datetime.now(UTC) + timedelta(days=1)).date().isoformat() in said.out, "a day, where nothing else is said"


@pytest.mark.parametrize("lasts", ["", "0h", "soon", "-1h", "24", "1w"])
def test_how_long_must_be_understood(stopped: Stored, lasts: str) -> None:
    said = omnihub("approve", stopped.id, "--because", "x", "--by", "anna", "--for", lasts)
    assert said.code == 1
    assert "30m, 24h, 7d" in said.err


def test_a_plan_nobody_knows_is_not_approved(stopped: Stored) -> None:
    said = omnihub("approve", "plan-of-old", "--because", "x", "--by", "anna")
    assert said.code == 1
    assert "there is no plan plan-of-old" in said.err

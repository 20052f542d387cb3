"""A plan on the command line: told customer by customer, a part of it, as files; beside the report of a sync."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from omnihub.cli.installation import here
from omnihub.cli.standins import standins
from tests.cli.conftest import omnihub


@pytest.fixture
def first(synced: Path) -> Any:
    """What the first sync said."""
    return json.loads((synced / "first.json").read_text())


@pytest.fixture
def shown(first: Any) -> Any:
    """Its plan."""
    return omnihub("plan", "show", first["plan"], "--json").facts


def test_every_change_is_told_under_its_customer(shown: Any) -> None:
    told = [e["n"] for customer in shown["customers"] for r in customer["records"] for e in r["edits"]]
    assert sorted(told) == [change["n"] for change in shown["changes"]]
    assert len(told) == shown["planned"] > 50
    assert all(customer["name"] and customer["known_in"] for customer in shown["customers"])


def test_every_change_says_why_in_words_without_refs(shown: Any) -> None:
    edits = [e for customer in shown["customers"] for r in customer["records"] for e in r["edits"]]
    assert not [e["because"] for e in edits if not e["because"] or "by rule" in e["because"] or "/" in e["because"]]
    assert {e["outcome"] for e in edits} == {"written"}


def test_one_system_or_one_customer_can_be_asked_for(first: Any, shown: Any) -> None:
    plan = first["plan"]
    facts = omnihub("plan", "show", plan, "--system", "zendesk", "--json").facts
    assert {change["system"] for change in facts["changes"]} == {"zendesk"}
    assert len(facts["changes"]) == shown["by_system"]["zendesk"]["changes"]
    some = shown["customers"][0]
    by_ref = omnihub("plan", "show", plan, "--ref", some["records"][0]["ref"], "--json").facts
    by_id = omnihub("plan", "show", plan, "--golden", some["golden_id"], "--json").facts
    assert by_ref["customers"] == by_id["customers"] == [some]
    said = omnihub("plan", "show", plan, "--golden", some["golden_id"]).out
    assert some["golden_id"] in said
    assert shown["customers"][1]["golden_id"] not in said


def test_a_customer_with_nothing_planned_is_another_thing_than_one_nobody_knows(first: Any, shown: Any) -> None:
    planned = {customer["golden_id"] for customer in shown["customers"]}
    events = omnihub("events", "--json").facts
    rows = events if isinstance(events, list) else next(v for v in events.values() if isinstance(v, list))
    quiet = next(row["golden_id"] for row in rows if row["golden_id"] not in planned)
    said = omnihub("plan", "show", first["plan"], "--golden", quiet)
    assert (said.code, "Nothing is planned here" in said.out) == (0, True)
    said = omnihub("plan", "show", first["plan"], "--ref", "zendesk/users/nobody")
    assert (said.code, "nobody knows zendesk/users/nobody" in said.err) == (1, True)


def test_an_unknown_plan_or_system_is_one_clear_line(first: Any, tmp_path: Path) -> None:
    said = omnihub("plan", "show", "plan-0")
    assert (said.code, said.err) == (1, "error: there is no plan plan-0; `omnihub plan` makes one\n")
    said = omnihub("plan", "show", "--system", "zendesc")
    assert said.code == 1
    assert "there is no system zendesc; there are airtable, hubspot" in said.err
    nowhere = tmp_path / "no" / "plan.html"
    said = omnihub("plan", "show", first["plan"], "--html", str(nowhere))
    assert (said.code, str(nowhere) in said.err) == (1, True)


def test_the_page_and_the_markdown_are_written_where_they_are_asked_for(first: Any, shown: Any, tmp_path: Path) -> None:
    html, text = tmp_path / "plan.html", tmp_path / "plan.md"
    said = omnihub("plan", "show", first["plan"], "--html", str(html), "--markdown", str(text), "--json")
    assert said.facts["files"] == {"html": str(html), "markdown": str(text)}
    for customer in shown["customers"]:
        assert f'id="{customer["golden_id"]}"' in html.read_text()
    assert f"`{first['plan']}`" in text.read_text()


def test_a_sync_leaves_the_plan_beside_the_report(first: Any) -> None:
    [folder] = Path(first["report"]["folder"]).parent.glob(f"*_{first['run']}")  # the latest may be another's by now
    page = (folder / "plan.html").read_text()
    assert first["plan"] in page
    assert "✓ carried out" in page
    assert 'href="plan.html"' in (folder / "index.html").read_text()


def test_status_says_whether_the_audit_chain_is_whole(first: Any) -> None:
    audit = omnihub("status", "--json").facts["audit"]
    assert audit["rows"] > 0
    assert audit["broken"] == ""
    assert "the chain is whole" in omnihub("status").out


@pytest.mark.long
def test_a_dry_run_leaves_the_page_of_the_plan_nobody_keeps(world: Path) -> None:
    with standins(here()):
        dry = omnihub("sync", "portal", "zendesk", "--dry-run", "--json").facts
        page = Path(dry["report"]["plan"]).read_text()
        assert "dry run: nothing is written" in page
        assert f"{dry['planned']:,} changes for" in page
        assert "it would write" in Path(dry["report"]["html"]).read_text()
        assert omnihub("plan", "show").code == 1  # it was not kept

"""omnihub rules: the table in force, and what another one would change before it is saved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.cli.installation import here
from omnihub.cli.standins import standins
from omnihub.store import schema
from tests.cli.conftest import omnihub

SETS = ("contact.address={order: [shopify, zendesk]}", "contact.job_title=complete", "trust.salesforce=0.2")
TABLE = """\
survivorship:
  rules: {contact.address: {order: [shopify, zendesk]}, contact.job_title: complete}
  trust: {salesforce: 0.2}
"""


@pytest.fixture
def apart(synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The synced folder's store in a folder of one's own, whose rules may be changed."""
    shutil.copytree(synced / ".omnihub", tmp_path / ".omnihub", ignore=shutil.ignore_patterns("reports", "*.log"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def goldens() -> dict[tuple[str, str], str]:
    g = schema.goldens
    with here().store() as store, store.read() as c:
        found = c.execute(sa.select(g.c.id, g.c.fields).where(g.c.members > 0)).all()
    return {(row.id, name): value for row in found for name, value in json.loads(row.fields).items()}


def after(facts: Any, before: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """What the golden cells are to say by a preview."""
    told = {(one["golden"], f["field"]): one["new"] for f in facts["fields"] for one in f["examples"]}
    assert len(told) == sum(f["flips"] for f in facts["fields"]) > 5
    return {cell: value for cell, value in (before | told).items() if value is not None}


def previewed(*words: str) -> Any:
    said = omnihub("rules", "preview", *words, "--examples", "0", "--json")
    assert said.code == 0
    return said.facts


def test_the_table_has_a_row_for_each_field_and_group_with_what_the_file_says(apart: Path) -> None:
    (apart / "omnihub.yaml").write_text(TABLE)
    rows = {(row["entity"], row["field"]): row for row in omnihub("rules", "--json").facts["rules"]}
    address = rows["contact", "address"]
    assert (address["rule"], address["order"], address["default"]) == ("order", ["shopify", "zendesk"], False)
    assert address["fields"] == ["street", "postal_code", "city", "region", "country"]
    assert rows["contact", "consent"]["rule"] == "strictest"
    assert rows["product", "name"]["rule"] == "master"
    assert rows["account", "phone"]["trust"] == {"salesforce": 0.2}
    drawn = omnihub("rules")
    assert "order: shopify, zendesk" in drawn.out
    assert "The next run merges again by these rules: account, contact, product" in drawn.out


def test_the_next_run_does_to_every_cell_what_the_preview_said_and_nothing_is_written_before(apart: Path) -> None:
    before = goldens()
    facts = previewed(*(word for one in SETS for word in ("--set", one)))
    assert goldens() == before
    assert not (apart / "omnihub.yaml").exists()
    (apart / "omnihub.yaml").write_text(TABLE)
    assert omnihub("plan").code == 0
    assert goldens() == after(facts, before)
    assert previewed("--rules", "omnihub.yaml")["fields"] == []


@pytest.mark.long
def test_a_table_in_a_file_says_the_same_as_its_words(apart: Path) -> None:
    (apart / "rules.yaml").write_text(TABLE)
    (apart / "bare.yaml").write_text("\n".join(line[2:] for line in TABLE.splitlines()[1:]))
    whole = previewed(*(word for one in SETS for word in ("--set", one)))
    assert previewed("--rules", "rules.yaml") == previewed("--rules", "bare.yaml") == whole
    assert {(row["entity"], row["field"]) for row in whole["rules"]} >= {("contact", "address"), ("account", "phone")}


def test_a_preview_is_drawn_with_old_new_and_why(apart: Path) -> None:
    drawn = omnihub("rules", "preview", "--set", SETS[0], "--examples", "1").out
    assert "contact.address: trusted, 365 days → order: shopify, zendesk, 365 days" in drawn
    assert "contact.city" in drawn
    assert "No golden value" in omnihub("rules", "preview", "--set", "contact.birth_place=recent").out


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("contact.fone=recent", "contact.fone is no field; did you mean contact.phone?"),
        ("contact.city=recent", "contact.city is never taken alone; write contact.address"),
        ("contact.phone=recnt", "there is no rule recnt; did you mean recent?"),
        ("trust.hubspt=0.3", "there is no system of this name; did you mean hubspot?"),
        ("contact.phone={order: [shopfy]}", "there is no system shopfy; did you mean shopify?"),
        ("trust.hubspot=3", "should be less than or equal to 1 (is 3)"),
        ("half_life_days=0", "half_life_days: should be greater than 0"),
        ("contact.phone", "write entity.field=rule, trust.system=0.5 or half_life_days=90"),
        ("contact.phone={order", "is no value; put it in quotes"),
    ],
)
def test_a_word_that_can_not_be_meant_is_refused_with_the_way_out(folder: Path, word: str, says: str) -> None:
    said = omnihub("rules", "preview", "--set", word)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: --set")
    assert says in " ".join(said.err.split())


@pytest.mark.long
@pytest.mark.timeout(400)  # three runs of the whole loop
def test_a_sync_by_the_new_table_says_in_every_cell_what_the_preview_said(world: Path) -> None:
    with standins(here()):
        for _ in range(2):
            assert omnihub("sync").code == 0
        before = goldens()
        facts = previewed(*(word for one in SETS for word in ("--set", one)))
        (world / "omnihub.yaml").write_text(TABLE)
        assert omnihub("sync", "--json").facts["planned"] > 0
        assert goldens() == after(facts, before)

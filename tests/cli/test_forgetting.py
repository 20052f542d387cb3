"""Forget and export from the command line: shown first, erased when asked, listed, and lifted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from omnihub.cli.installation import here
from omnihub.cli.standins import standins
from omnihub.store import schema
from tests.cli.conftest import omnihub


def somebody() -> tuple[str, str]:
    """A ref in the portal, and the e-mail address of whoever it is."""
    t = schema.refined
    query = sa.select(t.c.ref, t.c.fields).where(t.c.system == "portal", t.c.entity == "contact").order_by(t.c.ref)
    with here().store() as store, store.read() as c:
        row = c.execute(query).first()
    assert row
    return row.ref, json.loads(row.fields)["email"]


def test_who_is_meant_and_why_has_to_be_said(synced: Path) -> None:
    assert "say whom" in omnihub("forget").err
    assert "say why" in omnihub("forget", somebody()[0]).err
    assert "nobody knows" in omnihub("forget", "portal/users/nobody", "--because", "asked").err
    assert "there is no forget-1" in omnihub("forget", "forget-1", "--yes").err
    assert "not a person" in omnihub("forget", "portal/accounts/acc_00000001", "--because", "asked").err


def test_what_would_be_erased_is_shown_and_nothing_is(synced: Path) -> None:
    ref, _ = somebody()
    before = omnihub("sandbox", "dump").out
    facts = omnihub("forget", ref, "--because", "asked", "--by", "anna", "--json").facts
    assert (facts["state"], facts["author"], facts["reason"]) == ("planned", "anna", "asked")
    assert ref in [one["ref"] for one in facts["records"]]
    shown = omnihub("forget", facts["id"])
    assert f"omnihub forget {facts['id']} --yes" in shown.out
    assert omnihub("sandbox", "dump").out == before
    assert facts["id"] in omnihub("forget", "--list").out


def test_a_person_is_given_everything_held_on_them(synced: Path) -> None:
    ref, email = somebody()
    facts = omnihub("export", ref, "--json").facts
    assert facts["believed"]["email"]["value"] == email
    assert facts["believed"]["email"]["origin"]["ref"] in [one["ref"] for one in facts["records"]]
    assert ref in [one["ref"] for one in facts["records"]]
    assert all(one["versions"][0]["body"] and one["versions"][0]["call"] for one in facts["records"])
    assert omnihub("export", ref, "--to", "theirs.json").code == 0
    assert json.loads(Path("theirs.json").read_text())["believed"] == facts["believed"]
    assert omnihub("export", ref, "--to", "theirs.md").code == 0
    assert f"| email | {email} |" in Path("theirs.md").read_text()
    assert "nobody knows" in omnihub("export", "portal/users/nobody").err


@pytest.mark.long
def test_somebody_is_forgotten_everywhere_and_known_again_when_they_come_back(world: Path) -> None:
    with standins(here()):
        omnihub("sync", "--json")
        ref, email = somebody()
        done = omnihub("forget", ref, "--because", "asked", "--yes", "--json").facts
        assert done["hub_done"]
        assert "nobody knows" in omnihub("explain", ref).err or omnihub("explain", ref).code == 1
        pages = [path for path in (world / ".omnihub" / "reports").rglob("*") if path.is_file()]
        assert pages
        assert not [path for path in pages if email in path.read_text(errors="replace")]
        said = omnihub("sync", "--full", "--json")
        assert said.code == 0, said.out
        assert omnihub("audit", "verify").code == 0
        if done["state"] == "erasing":
            assert omnihub("forget", done["id"], "--done").code == 0
        assert omnihub("forget", email, "--lift", "--because", "a customer again").code == 0
        assert omnihub("forget", "--list", "--json").facts["forgettings"][0]["state"] == "lifted"

"""`omnihub test-connector`: what it says, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import connectors
from omnihub.sandbox.kit import Running
from tests.cli.conftest import omnihub


def test_a_connector_is_tried_and_every_verdict_told() -> None:
    said = omnihub("test-connector", "portal", "--rule", "nothing there", "--rule", "gone is gone", "--json")
    assert said.code == 0
    assert [(v["rule"], v["state"]) for v in said.facts["portal"]] == [
        ("gone is gone", "kept"),
        ("nothing there", "kept"),
    ]


def test_people_read_sentences_and_a_sum() -> None:
    said = omnihub("test-connector", "airtable", "--rule", "once", "--rule", "nothing there")
    assert "The second time there is nothing to write" in said.out
    assert "nothing of it is ever written" in said.out
    assert "Together" in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nobody"], "there is no connector nobody"),
        (["portal", "--rule", "luck"], "there is no rule 'luck'"),
        ([], "--all or --mutants"),
    ],
)
def test_what_cannot_be_tried_is_said_in_one_sentence(words: list[str], told: str) -> None:
    said = omnihub("test-connector", *words)
    assert said.code in (1, 2)
    assert told in " ".join((said.err + said.out).replace("│", " ").split())


@contextmanager
def portal(records: int) -> Iterator[dict[str, str]]:
    """A portal that answers somewhere, for what is tried on the real system."""
    standin = connectors.standins()["portal"](quotas=())
    for n in range(1, records + 1):
        body = {"name": f"Anlagen {n} GmbH", "phone": f"+4930200{n:04}", "address": {"city": "Ulm"}}
        standin.state.create("accounts", standin.native_id("accounts", n), body)
    with Running([standin]) as running:
        yield {"OMNIHUB_PORTAL_URL": running.urls["portal"], "OMNIHUB_PORTAL_CLIENT_SECRET": "portal-sandbox-secret"}
    standin.state.close()


def test_on_the_real_system_it_only_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "omnihub.yaml").write_text("systems: {portal: {client_id: omnihub}}\n")
    with portal(9) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        said = omnihub("test-connector", "portal", "--live", "--json")
    states = {v["rule"]: v["state"] for v in said.facts["portal"]}
    assert states == {
        "all of it": "kept",
        "every record has a key": "kept",
        "every field": "broken",  # its accounts here have but three fields, and it says which are missing
        "looked at as listed": "kept",
    }
    assert said.code == 1
    why = next(v["why"] for v in said.facts["portal"] if v["rule"] == "every field")
    assert "none has" in why
    assert "vat_id" in why


def test_on_the_real_system_a_wrong_token_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "omnihub.yaml").write_text("systems: {portal: {client_id: omnihub}}\n")
    with portal(1) as variables:
        for name, value in (variables | {"OMNIHUB_PORTAL_CLIENT_SECRET": "wrong"}).items():
            monkeypatch.setenv(name, value)
        said = omnihub("test-connector", "portal", "--live", "--json")
    assert said.code == 1
    assert "the login was refused" in said.facts["portal"][0]["why"]

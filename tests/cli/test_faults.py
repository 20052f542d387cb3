"""`omnihub sandbox fault`: switched on and off by one process, felt in the stand-ins of another."""

from __future__ import annotations

from pathlib import Path

import requests

from omnihub.cli.installation import here
from omnihub.sandbox import serving
from tests.cli.conftest import omnihub


def _on(*words: str) -> dict[str, dict[str, float]]:
    said = omnihub("sandbox", "fault", *words, "--json")
    assert said.code == 0, said.err
    return {one["fault"]: one["on"] for one in said.facts["faults"] if one["on"]}


def test_a_fault_reaches_stand_ins_that_are_served_already_and_goes_again(folder: Path) -> None:
    installation = here()
    with serving.serving(installation.config.home, installation.standins()) as running:
        portal = f"{running.urls['portal']}/v1/users"
        assert requests.get(portal).status_code == 401
        assert _on("429", "storm", "--rate", "1", "--system", "portal") == {"429 storm": {"portal": 1.0}}
        login = f"{running.urls['portal']}/oauth/token"
        assert requests.post(login, data={}).status_code == 429
        assert _on("--clear") == {}
        assert requests.post(login, data={}).status_code == 400


def test_faults_are_named_in_words_or_with_hyphens_and_cleared_one_by_one(folder: Path) -> None:
    _on("half-a-batch-lost", "--rate", "0.5")
    assert _on("slow", "--system", "portal", "--system", "zendesk") == {
        "half a batch lost": {"*": 0.5},
        "slow": {"portal": 0.2, "zendesk": 0.2},
    }
    assert _on("slow", "--clear", "--system", "zendesk") == {"half a batch lost": {"*": 0.5}, "slow": {"portal": 0.2}}
    assert _on("half-a-batch-lost", "--clear") == {"slow": {"portal": 0.2}}
    assert _on("list") == {"slow": {"portal": 0.2}}


def test_a_fault_or_a_system_nobody_knows_is_said_with_the_nearest_one(folder: Path) -> None:
    unknown = omnihub("sandbox", "fault", "truncated", "bdy")
    assert unknown.code == 2
    assert "truncated body" in unknown.err
    assert omnihub("sandbox", "fault", "slow", "--system", "hubspt").code == 2
    assert _on() == {}

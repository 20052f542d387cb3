"""The conformance suite: green for a sound connector, and red, for the right reason, for every broken one."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import connectors
from omnihub.conformance import RULES, Verdict, check
from omnihub.conformance.mutants import ACME, PULL, mutants, try_mutants
from omnihub.conformance.suite import try_all
from omnihub.conformance.trial import Workshop, workshop
from omnihub.sandbox.derived import derive

EVERYDAY = ("all of it", "a page for people", "one bad row", "forgotten")  # a mutant of each kind of rule


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with tempfile.TemporaryDirectory() as folder, workshop(ACME, derive(ACME), Path(folder)) as found:
        yield found


def told(verdicts: list[Verdict]) -> str:
    return "\n".join(f"{v.rule}: {v.why}" for v in verdicts)


def test_a_sound_connector_keeps_every_rule(shop: Workshop) -> None:
    verdicts = list(try_all(shop, ACME))
    assert [v.rule for v in verdicts] == list(RULES)
    assert all(v.state == "kept" for v in verdicts), told([v for v in verdicts if v.state != "kept"])


def test_every_rule_has_a_broken_connector_and_there_are_many() -> None:
    assert list(mutants()) == list(RULES)
    assert len(RULES) >= 20
    assert len({rule.says for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("rule", EVERYDAY)
def test_a_broken_connector_is_caught_by_its_rule(shop: Workshop, rule: str) -> None:
    _, broken = mutants()[rule]
    [verdict] = try_all(shop, broken, [rule])
    assert verdict.state == "broken"
    assert verdict.why


def test_a_rule_that_does_not_fit_says_why(shop: Workshop) -> None:
    dealers, buyers = ACME.streams
    only_read = replace(ACME, streams=tuple(replace(s, push=None) for s in (dealers, buyers)))
    [verdict] = try_all(shop, only_read, ["once"])
    assert (verdict.state, verdict.why) == ("not for this", "nothing of it is ever written")


def test_a_connector_that_stops_with_an_error_is_a_finding_not_the_end(shop: Workshop) -> None:
    def never(client: object, want: object) -> Iterator[object]:
        raise ZeroDivisionError
        yield

    dealers, buyers = ACME.streams
    verdicts = list(try_all(shop, replace(ACME, streams=(replace(dealers, pull=never), buyers)), ["all of it", "once"]))
    assert [v.state for v in verdicts] == ["broken", "broken"]


def test_the_field_map_is_held_against_what_the_system_has() -> None:
    wrong = replace(PULL, path="/v1/dealer")
    dealers, buyers = ACME.streams
    lost = replace(ACME, streams=(replace(dealers, pull=wrong), buyers))
    with tempfile.TemporaryDirectory() as folder, workshop(ACME, derive(ACME), Path(folder)) as shop:
        [verdict] = try_all(shop, lost, ["all of it"])
    assert "could not be read" in verdict.why
    assert "/v1/dealer" in verdict.why


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rule", list(RULES))
def test_each_mutant_is_caught_by_its_own_rule_and_by_no_other(rule: str, tmp_path: Path) -> None:
    [caught] = try_mutants(tmp_path, [rule])
    assert caught.by == (rule,), caught.why


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", sorted(connectors.standins()))
def test_every_connector_there_is_keeps_every_rule(name: str) -> None:
    verdicts = check(connectors.find()[name], connectors.standins()[name])
    broken = [v for v in verdicts if v.state == "broken"]
    assert not broken, told(broken)
    assert sum(v.state == "kept" for v in verdicts) >= 15, json.dumps([v.state for v in verdicts])


@pytest.mark.long
def test_what_a_connector_logs_is_heard_however_little_the_process_keeps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "omnihub")
    [caught] = try_mutants(tmp_path, ["nothing told"])
    assert caught.by == ("nothing told",), caught.why

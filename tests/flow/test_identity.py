"""The same customer everywhere, measured: a world full of traps behind the real stand-ins, held against its truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import connectors
from omnihub.cli.sandboxing import held_against_truth
from omnihub.flow import Run
from omnihub.sandbox.kit import Running
from omnihub.sandbox.reset import reset
from omnihub.sandbox.serving import folder
from omnihub.store import Store
from tests.flow import loop
from tests.flow.conftest import Loop, close

pytestmark = pytest.mark.long

CUSTOMERS, SEED = 1_500, 104
F1 = 0.985
MERGE_PRECISION = {
    "contacts": 0.999,
    "accounts": 0.998,
}  # an organisation with a name and a domain alone may be a branch
RIGHT_OR_QUEUED, SILENTLY_WRONG = 0.95, 0.005  # of the pairs that are easily got wrong


@dataclass
class Known:
    """A hub that has looked at everything and written nothing, and where the truth is."""

    here: Loop
    home: Path

    def score(self) -> dict[str, Any]:
        return held_against_truth(self.here.store, self.home)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    home = tmp_path_factory.mktemp("identity")
    found = {name: kind(folder(home) / f"{name}.db", quotas=()) for name, kind in connectors.standins().items()}
    reset(home, found, CUSTOMERS, SEED, datetime.now(UTC), lambda what, done, of: None)
    with ExitStack() as stack:
        stack.callback(close, list(found.values()))
        running = stack.enter_context(Running(list(found.values())))
        store = Store.open(f"sqlite:///{home / 'hub.db'}")
        stack.callback(store.close)
        settings = {s.system: {"url": running.urls[s.system], **s.credentials} for s in found.values()}
        here = Loop(running, str(store.engine.url), store, settings)
        loop.look(here.hub(), Run.start(store))
        yield Known(here, home)


@pytest.fixture(scope="module")
def facts(known: Known) -> dict[str, Any]:
    return known.score()


@pytest.mark.parametrize("of", ["contacts", "accounts"])
def test_customers_are_recognised_and_hardly_ever_merged_by_accident(facts: dict[str, Any], of: str) -> None:
    assert facts[of]["f1"] >= F1
    assert facts[of]["merge_precision"] >= MERGE_PRECISION[of]


def test_traps_are_seen_through_or_a_person_is_asked(facts: dict[str, Any]) -> None:
    every = facts["all_traps"]
    assert every["pairs"] > 300
    assert every["right_or_queued_share"] >= RIGHT_OR_QUEUED
    assert every["wrong_share"] <= SILENTLY_WRONG, {k: n for k, n in facts["traps"].items() if n["wrong"]}


def test_among_so_many_traps_a_second_sync_still_plans_nothing(known: Known, facts: dict[str, Any]) -> None:
    first = known.here.sync()
    assert first.planned == first.pushed["written"] > 100
    assert known.here.sync().planned == 0

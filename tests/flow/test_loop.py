"""The whole loop, over the real stand-ins: what one system learns reaches the others, once, and then all is quiet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import pull_system
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start


def test_the_first_sync_writes_and_the_second_finds_nothing_left_to_say(start: Start) -> None:
    here = start("compared")
    before = here.dump()
    first = here.sync()
    assert first.planned > 20
    assert first.pushed == {"planned": first.planned, "written": first.planned, "refused": 0, "deferred": 0, "drifted": 0, "left": 0}
    assert (first.summary["state"], first.summary["balanced"]) == ("ok", True)
    after = here.dump()
    assert after != before
    assert after["airtable"] == before["airtable"]  # the master is never written

    second = here.sync()
    assert (second.planned, second.summary["state"], second.summary["failed"]) == (0, "ok", [])
    third = here.sync()
    assert (third.planned, third.summary["pull"]["changed"], third.summary["pull"]["new"]) == (0, 0, 0)
    assert here.dump() == after


def test_a_full_pass_after_a_sync_finds_nothing_either(start: Start) -> None:
    here = start("synced")
    before, counted = loop.believed(here.store), loop.counted(here.store)
    told = loop.sync(here.hub(), full=True)
    assert (told.planned, told.summary["pull"]["changed"], told.summary["pull"]["gone"]) == (0, 0, 0)
    assert told.summary["pull"]["read"] > 1_000
    assert loop.believed(here.store) == before
    assert loop.counted(here.store) == counted


def test_both_stores_hold_the_same_golden_records(start_on: Callable[[str, str], Loop]) -> None:
    one, other = (start_on(kind, "synced") for kind in ("sqlite", "postgresql"))
    assert len(loop.believed(one.store)) > 50
    assert loop.believed(one.store) == loop.believed(other.store)
    assert loop.counted(one.store) == loop.counted(other.store)
    assert one.dump() == other.dump()

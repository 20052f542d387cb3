"""Undo from the command line: looked at first, written when asked, undone again, and let go of."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from omnihub.cli.installation import here
from omnihub.cli.standins import standins
from tests.cli.conftest import omnihub

KEY = re.compile("omnihub-[0-9a-f]{24}")  # in all that is a notice
NOTICES = ("tasks", "tickets", "alarms", "findings", "consistency-reports", "metafields")  # where notices are records


def nothing_is_nothing(value: Any) -> Any:
    """No vendor tells a field that is empty from one that is not there."""
    if isinstance(value, dict):
        return {name: nothing_is_nothing(inner) for name, inner in value.items() if inner is not None}
    return [nothing_is_nothing(inner) for inner in value] if isinstance(value, list) else value


def but_for_ids_of_notices(dump: Any, of: Any = None) -> Any:
    """A notice that was taken away and is told again is another one, with the same key: how often each is there, of
    those that are in the other dump. What was told meanwhile, and is closed with its cause, may stay as closed, with
    the comment that says so."""
    found: dict[str, Any] = {}
    for system, streams in dump.items():
        for stream, things in streams.items():
            if stream == "alarm_comments":
                continue
            ours = {id_: KEY.findall(json.dumps(body)) for id_, body in things.items()} if stream in NOTICES else {}
            rest = {id_: body for id_, body in things.items() if not ours.get(id_)}
            keys = Counter(key for told in ours.values() for key in set(told))
            if of is not None:
                wanted = set(KEY.findall(json.dumps(of[system][stream])))
                keys = Counter({key: n for key, n in keys.items() if key in wanted})
            found[f"{system}/{stream}"] = (rest, keys)
    return found


def dumped() -> Any:
    return nothing_is_nothing(omnihub("sandbox", "dump").facts)


def test_there_is_nothing_to_take_back_before_anything_was_written(world: Path) -> None:
    said = omnihub("undo", "last")
    assert (said.code, "nothing has been written yet" in said.err) == (1, True)
    said = omnihub("undo")
    assert (said.code, "say what: a run, a plan, or last" in said.err) == (1, True)


def test_an_undo_is_shown_first_and_writes_nothing_by_itself(synced: Path) -> None:
    before = dumped()
    facts = omnihub("undo", "last", "--system", "hubspot", "--because", "wrong trust", "--by", "anna", "--json").facts
    assert (facts["kind"], facts["state"], facts["written"]) == ("undo", "ready", None)
    assert set(facts["by_system"]) == {"hubspot"}
    assert dumped() == before
    shown = omnihub("plan", "show", facts["plan"]).out
    assert f"an undo of {facts['of'][0]}, by anna: wrong trust" in shown
    assert facts["notices"]["hubspot"]["removed"] > 0
    assert f"{facts['notices']['hubspot']['removed']} in HubSpot. What is still so, the next sync tells again" in shown
    kept = omnihub("plan", "show", facts["plan"], "--json").facts
    assert (kept["kind"], kept["about"]["undoes"], kept["about"]["systems"]) == ("undo", facts["of"], ["hubspot"])
    assert len(kept["changes"]) == kept["planned"] == facts["planned"]


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_run_is_taken_back_held_and_let_go_of(world: Path) -> None:
    before = dumped()
    with standins(here()):
        run = omnihub("sync", "--json").facts
        after = dumped()
        assert after != before
        said = omnihub("undo", run["run"], "--yes", "--because", "a mistake", "--json")
        assert (said.code, said.facts["left"], said.facts["written"]["written"]) == (0, [], run["written"])
        assert said.facts["written"]["notices_removed"] == run["delivered"]["put"] > 0
        assert dumped() == before
        held = omnihub("status", "--json").facts["undone"]
        assert held == said.facts["planned"]
        assert f"{held:,} fields" in omnihub("status").out
        one = omnihub("plan", "show", said.facts["plan"], "--json").facts["changes"][0]
        told = omnihub("explain", one["ref"], "--json").facts["undone"]
        assert (one["field"], "a mistake") in {(each["field"], each["reason"]) for each in told}
        assert "Undone by a person" in omnihub("explain", one["ref"]).out
        assert omnihub("sync", "--json").facts["planned"] == 0
        lifted = omnihub("undo", "--lift", said.facts["plan"], "--json").facts["lifted"]
        assert len(lifted) == held
        again = omnihub("sync", "--json").facts
        assert (again["written"], again["delivered"]["wanted"]) == (run["written"], run["delivered"]["wanted"])
        assert but_for_ids_of_notices(dumped(), after) == but_for_ids_of_notices(after)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_an_undo_that_was_planned_is_applied_and_its_run_is_undone(world: Path) -> None:
    with standins(here()):
        omnihub("sync", "--json")
        after = dumped()
        plan = omnihub("undo", "last", "--json").facts["plan"]
        done = omnihub("apply", plan, "--json").facts
        assert done["written"] == done["planned"] > 0
        said = omnihub("undo", done["run"], "--yes")
        assert said.code == 0
        assert f"Undo of the undo {plan}" in said.out
        assert but_for_ids_of_notices(dumped()) == but_for_ids_of_notices(after)
        assert omnihub("audit", "verify").code == 0

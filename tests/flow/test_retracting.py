"""An undo takes back what a run has told people in their systems, and leaves what they made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.errors import OmniHubError
from omnihub.flow import apply_plan
from omnihub.flow.delivering import deliver
from omnihub.flow.undoing import Undoing, plan_undo
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start
from tests.flow.test_delivering import JUNK, PETRA, WORSE, junk, look, office, tasks
from tests.flow.test_undoing import Killed, said

__all__ = ["office"]

D, N = schema.deliveries, schema.notices
SYSTEMS = ("salesforce", "hubspot", "zendesk")
OVER = {
    "salesforce": ("tasks", {"Status": "Completed"}),
    "hubspot": ("tasks", {"hs_task_status": "COMPLETED"}),
    "zendesk": ("tickets", {"status": "solved"}),
}


def told(here: Loop, run_id: str, *systems: str) -> dict[str, dict[str, Any]]:
    """What a run tells in these systems, one after the other."""
    hub = here.hub(told=frozenset(SYSTEMS))
    counts = {system: deliver(hub, run_id, system) for system in systems or SYSTEMS}
    assert not [one["error"] for one in counts.values() if one["error"]]
    return counts


def undo(here: Loop, what: str, **more: Any) -> tuple[Undoing, dict[str, int]]:
    found = plan_undo(here.hub(), what, "anna", "a mistake", "run-undo", **more)
    return found, apply_plan(here.hub(), found.plan.id) if found.plan else {}


def known(here: Loop) -> list[Any]:
    """What the hub takes to be there, but for its times."""
    columns = [c for c in D.c if c.name not in ("at", "run_id")]
    return [tuple(row) for row in loop.rows(here.store, sa.select(*columns).order_by(D.c.system, D.c.key))]


def seen(here: Loop, system: str) -> list[str]:
    """What people see of the notices in a system; an id is another one where a notice was made again."""
    return shown(here.dump(), system)


def shown(dump: Any, system: str) -> list[str]:
    words = {"salesforce": ("Subject", "Description", "Status", "WhoId", "WhatId"), "zendesk": ("subject", "status")}
    bodies = dump[system][OVER[system][0]].values()
    if system == "hubspot":
        return sorted(said([b["properties"]["hs_task_subject"], b["properties"]["hs_task_body"]]) for b in bodies)
    return sorted(said([body.get(name) for name in words[system]]) for body in bodies)


def close_as(here: Loop, who: str, system: str, id_: str) -> None:
    stand_in: Any = here.standin(system)
    stand_in.edit_as(who, OVER[system][0], id_, OVER[system][1])


def test_what_a_run_told_is_gone_after_its_undo_and_the_next_run_tells_what_is_still_so(office: Loop) -> None:
    before = office.dump()
    first = told(office, "run-1", "salesforce", "hubspot")
    assert office.dump() != before
    found, done = undo(office, "run-1")
    for system, counts in first.items():
        assert found.notices[system] == {"removed": counts["put"], "restored": 0, "left": 0, "done": 0}
    assert (found.of, found.left) == (("run-1",), ())
    assert done["notices_removed"] == sum(counts["put"] for counts in first.values())
    assert said(office.dump()) == said(before)
    assert known(office) == []

    twice, _ = undo(office, "run-1")
    assert (twice.plan, twice.left) == (None, ())
    again = told(office, "run-2", "salesforce", "hubspot")
    assert {s: c["put"] for s, c in again.items()} == {s: c["put"] for s, c in first.items()}
    assert len(tasks(office)) == first["salesforce"]["put"]


@pytest.mark.long
def test_what_a_run_changed_and_cleared_stands_as_before_and_what_somebody_closed_since_is_left(office: Loop) -> None:
    told(office, "run-1", "salesforce")
    mended, changed, closed, _ = junk(office)
    before, there = office.dump(), known(office)
    office.edit(mended, phone="+49 30 901820")
    for ref in (changed, closed):
        office.edit(ref, phone=WORSE)
    edited = {ref: office.standin("salesforce").state.get("contacts", ref.split("/")[2]) for ref in (mended, changed)}
    look(office)
    after = told(office, "run-2", "salesforce")["salesforce"]
    assert (after["cleared"], after["put"]) == (1, 2)
    task = tasks(office)[closed.split("/")[2]]
    close_as(office, PETRA, "salesforce", task["Id"])

    found, done = undo(office, "run-2")
    assert found.notices["salesforce"] == {"removed": 0, "restored": 2, "left": 1, "done": 0}
    assert (done["notices_restored"], done["notices_left"], done["notices_waiting"]) == (2, 1, 0)
    [left] = found.left
    assert (left.ref, left.field) == (closed, "notice")
    assert left.why == f"{PETRA} has closed it in Salesforce since"
    assert all(edited.values())
    now = office.dump()["salesforce"]["tasks"]
    for id_, body in before["salesforce"]["tasks"].items():
        if id_ != task["Id"]:
            assert said(now[id_]) == said(body)
    ours = {row[1]: row for row in known(office)}
    assert [row for row in there if ours[row[1]] != row and row[1] != task["Hub_Id__c"]] == []


@pytest.mark.long
def test_after_everything_is_undone_no_system_differs_by_a_byte_and_so_it_is_after_undoing_that_twice(
    office: Loop,
) -> None:
    before = office.dump()
    first = office.sync()
    put = {system: counts["put"] for system, counts in told(office, first.run.id).items() if counts["put"]}
    after = office.dump()
    found, done = undo(office, first.run.id)
    assert {system: counts["removed"] for system, counts in found.notices.items()} == put
    assert (done["written"], found.left) == (first.pushed["written"], ())
    for system, state in before.items():
        assert said(office.dump()[system]) == said(state), system
    assert undo(office, "last")[0].kind == "redo"
    for system in put:
        assert seen(office, system) == shown(after, system)
    undo(office, "last")
    assert said(office.dump()) == said(before)


@pytest.mark.long
def test_an_undo_of_an_undo_tells_it_all_again_as_it_was(office: Loop) -> None:
    told(office, "run-1")
    office.edit(junk(office)[0], phone="+49 30 901820")
    look(office)
    told(office, "run-2")
    after, there = office.dump(), known(office)
    first, _ = undo(office, "run-2", systems=["salesforce", "hubspot"])
    assert first.plan
    again, _ = undo(office, "last")
    assert (again.kind, again.of, again.left) == ("redo", (first.plan.id,), ())
    assert said(office.dump()) == said(after)
    assert [row[:7] for row in known(office)] == [row[:7] for row in there]
    assert {c["put"] for c in told(office, "run-3").values()} == {0}


@pytest.mark.long
@pytest.mark.parametrize("system", SYSTEMS)
def test_an_undo_that_died_is_gone_on_with_and_does_nothing_twice(begin: Start, system: str) -> None:
    here = begin("compared")
    before = here.dump()
    put = told(here, "run-1", system)[system]["put"]
    found = plan_undo(here.hub(), "run-1", "anna", "a mistake", "run-undo")
    assert found.plan

    def dies(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE notices"):  # the system has answered, and nothing of it is kept yet
            raise Killed

    sa.event.listen(here.store.engine, "before_cursor_execute", dies)
    with pytest.raises(Killed):
        apply_plan(here.hub(), found.plan.id)
    sa.event.remove(here.store.engine, "before_cursor_execute", dies)
    assert loop.rows(here.store, sa.select(N).where(N.c.doer == found.plan.id, N.c.state == "done")) == []
    done = apply_plan(here.hub(), found.plan.id)
    assert (done["notices_removed"], done["notices_left"]) == (put, 0)
    assert said(here.dump()[system]) == said(before[system])
    assert known(here) == []
    assert apply_plan(here.hub(), found.plan.id)["notices_removed"] == 0


@pytest.mark.long
def test_a_system_out_of_reach_is_named_and_one_that_falls_silent_waits_for_the_undo_to_go_on(office: Loop) -> None:
    before = office.dump()
    put = told(office, "run-1", "salesforce", "hubspot")
    office.unreachable("hubspot")
    found, done = undo(office, "run-1")
    assert {(left.ref.split("/")[0], left.why.split(":")[0]) for left in found.left} == {("hubspot", "could not look")}
    assert done["notices_removed"] == put["salesforce"]["put"]
    office.reachable("hubspot")

    found = plan_undo(office.hub(), "run-1", "anna", "a mistake", "run-undo")
    assert found.plan
    office.unreachable("hubspot")
    waits = apply_plan(office.hub(), found.plan.id)
    assert (waits["notices_removed"], waits["notices_waiting"]) == (0, put["hubspot"]["put"])
    states = sa.select(schema.plans.c.state).where(schema.plans.c.id == found.plan.id)
    assert loop.rows(office.store, states) == [("applying",)]
    office.reachable("hubspot")
    assert apply_plan(office.hub(), found.plan.id)["notices_removed"] == put["hubspot"]["put"]
    assert loop.rows(office.store, states) == [("applied",)]
    assert said(office.dump()) == said(before)


@pytest.mark.long
def test_what_a_later_run_told_anew_names_that_run_and_what_somebody_deleted_stays_deleted(office: Loop) -> None:
    told(office, "run-1", "salesforce")
    changed, gone, *_ = junk(office)
    office.edit(changed, phone=WORSE)
    look(office)
    told(office, "run-2", "salesforce")
    state = office.standin("salesforce").state
    task = state.get("tasks", tasks(office)[gone.split("/")[2]]["Id"])
    assert task
    task.deleted = True
    state.save(task)
    found, done = undo(office, "run-1")
    assert [(left.ref, left.why) for left in found.left] == [(changed, "told anew since, by run-2")]
    assert done["notices_left"] == 1
    assert [one["WhoId"] for one in tasks(office).values()] == [changed.split("/")[2]]


@pytest.mark.long
def test_what_somebody_had_closed_before_is_named_and_not_opened_or_closed_in_their_name(office: Loop) -> None:
    told(office, "run-1", "salesforce")
    ref = junk(office)[0]
    close_as(office, PETRA, "salesforce", tasks(office)[ref.split("/")[2]]["Id"])
    told(office, "run-2", "salesforce")
    office.edit(ref, phone=WORSE)
    look(office)
    told(office, "run-3", "salesforce")
    found, _ = undo(office, "run-3")
    assert [(left.ref, left.why.partition(":")[0]) for left in found.left] == [
        (ref, "somebody had closed it before it was told again")
    ]
    assert found.plan is None


@pytest.mark.long
def test_what_was_cleared_and_came_back_is_cleared_again_as_it_was(office: Loop) -> None:
    told(office, "run-1", "salesforce")
    ref = junk(office)[0]
    office.edit(ref, phone="+49 30 901820")
    look(office)
    told(office, "run-2", "salesforce")
    before = office.dump()["salesforce"]["tasks"]
    office.edit(ref, phone=JUNK)
    look(office)
    assert told(office, "run-3", "salesforce")["salesforce"]["put"] == 1
    found, _ = undo(office, "run-3")
    assert found.notices["salesforce"]["restored"] == 1
    assert said(office.dump()["salesforce"]["tasks"]) == said(before)
    assert told(office, "run-4", "salesforce")["salesforce"]["put"] == 1


@pytest.mark.long
def test_an_undo_of_fields_leaves_what_people_were_told_and_one_of_a_system_takes_back_only_there(begin: Start) -> None:
    here = begin("compared")
    first = here.sync()
    put = told(here, first.run.id)
    fields = plan_undo(here.hub(), first.run.id, "anna", "a mistake", "run-undo", names=["phone"])
    assert fields.notices == {}
    found, done = undo(here, first.run.id, systems=["zendesk"])
    assert found.notices.keys() == {"zendesk"}
    assert done["notices_removed"] == put["zendesk"]["put"]
    assert len(tasks(here)) == put["salesforce"]["put"]


@pytest.mark.long
def test_a_run_that_told_nothing_and_wrote_nothing_is_not_known(begin: Start) -> None:
    here = begin("compared")
    told(here, "run-1", "salesforce")
    with pytest.raises(OmniHubError, match="nobody knows run-2"):
        plan_undo(here.hub(), "run-2", "anna", "a mistake", "run-undo")
    assert plan_undo(here.hub(), "last", "anna", "a mistake", "run-undo").of == ("run-1",)


@pytest.mark.long
def test_it_is_taken_back_on_postgresql_too(start_on: Callable[[str, str], Loop]) -> None:
    here = start_on("postgresql", "compared")
    before = here.dump()
    put = told(here, "run-1")
    _, done = undo(here, "run-1")
    assert done["notices_removed"] == sum(counts["put"] for counts in put.values())
    assert said(here.dump()) == said(before)

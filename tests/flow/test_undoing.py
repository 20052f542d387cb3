"""Taking back what was written: the systems are as they were before, but for what somebody changed since."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.errors import ConfigError, OmniHubError
from omnihub.flow import Run, apply_plan, approve, make_and_store_plan, open_plan, report
from omnihub.flow.holding import held
from omnihub.flow.undoing import Undoing, lift, plan_undo
from omnihub.push import Limits
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start


def undo(here: Loop, what: str = "last", **more: Any) -> Undoing:
    """Plan it and write it."""
    found = plan_undo(here.hub(), what, "anna", "a mistake", "run-undo", **more)
    if found.plan:
        assert found.plan.state == "ready"
        done = apply_plan(here.hub(), found.plan.id)
        assert done["written"] == done["planned"] == found.plan.counts["planned"]
    return found


def said(dump: Any) -> str:
    """A system's state as it shows it, to the byte: none tells a field that is empty from one that is not there."""
    return json.dumps(_without_nothing(dump), sort_keys=True, ensure_ascii=False)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nothing(inner) for name, inner in value.items() if inner is not None}
    return [_without_nothing(inner) for inner in value] if isinstance(value, list) else value


def holding(here: Loop) -> set[tuple[str, str]]:
    with here.store.read() as c:
        return {(one["ref"], one["field"]) for one in held(c)}


def written(here: Loop, plan_id: str, *names: str) -> list[Any]:
    """The changes of a plan that were written, of these fields."""
    t = schema.changes
    query = sa.select(t).where(t.c.plan_id == plan_id, t.c.outcome == "written").order_by(t.c.n)
    return [row for row in loop.rows(here.store, query) if not names or row.field in names]


# -- all of it -------------------------------------------------------------------------------------------------------


def test_after_an_undo_every_system_is_as_before_to_the_byte_but_for_what_somebody_changed_since(begin: Start) -> None:
    here = begin("compared")
    before = here.dump()
    told = here.sync()
    assert {name for name, state in here.dump().items() if said(state) != said(before[name])} == {
        "salesforce", "hubspot", "shopify", "zendesk", "thingsboard", "portal",
    }  # fmt: skip
    change = written(here, told.plan.id, "job_title")[0]
    here.edit(change.ref, job_title="Head of Pumps")
    found = undo(here, told.plan.id)
    [left] = found.left
    assert (left.ref, left.field, left.now, left.before) == (change.ref, "job_title", "Head of Pumps", change.old)
    assert left.why == "somebody changed it since"
    assert found.plan
    assert (found.kind, found.done, found.plan.counts["planned"]) == ("undo", 0, told.pushed["written"] - 1)
    here.edit(change.ref, job_title=change.old)
    assert said(here.dump()) == said(before)


@pytest.mark.long
def test_after_an_undo_nothing_is_left_where_nobody_changed_anything(begin: Start) -> None:
    here = begin("compared")
    before = here.dump()
    told = here.sync()
    found = undo(here, told.plan.id)
    assert found.plan
    assert (found.left, found.done, found.plan.counts["planned"]) == ((), 0, told.pushed["written"])
    after = here.dump()
    for system, state in before.items():
        assert said(after[system]) == said(state), system


@pytest.mark.long
def test_what_was_undone_is_not_written_again_by_the_next_sync(start: Start) -> None:
    here = start("compared")
    before = here.dump()
    told = here.sync()
    undo(here, told.run.id)
    assert here.sync().planned == 0
    assert here.sync().planned == 0
    assert said(here.dump()) == said(before)


@pytest.mark.long
def test_an_undo_is_undone_and_that_again(begin: Start) -> None:
    here = begin("synced")
    after = here.dump()
    plan_id = loop.rows(here.store, sa.select(schema.plans.c.id))[0].id
    first = undo(here, plan_id)
    assert first.plan
    undone = here.dump()
    again = undo(here, "last")
    assert (again.kind, again.of, again.left) == ("redo", (first.plan.id,), ())
    assert said(here.dump()) == said(after)
    assert holding(here) == set()
    assert here.sync().planned == 0
    third = undo(here, "last")
    assert (third.kind, third.left) == ("undo", ())
    assert said(here.dump()) == said(undone)
    assert here.sync().planned == 0


@pytest.mark.long
def test_an_undo_carried_out_twice_finds_everything_back_already(begin: Start) -> None:
    here = begin("compared")
    told = here.sync()
    first = undo(here, told.plan.id)
    assert first.plan
    second = undo(here, told.plan.id)
    assert (second.plan, second.left, second.done) == (None, (), first.plan.counts["planned"])


# -- somebody was there ----------------------------------------------------------------------------------------------


@pytest.mark.long
def test_what_somebody_changed_is_left_also_once_it_was_read(begin: Start) -> None:
    here = begin("compared")
    before = here.dump()
    told = here.sync()
    change = written(here, told.plan.id, "job_title")[0]
    here.edit(change.ref, job_title="Head of Pumps")
    loop.look(here.hub(), Run.start(here.store))
    found = undo(here, told.plan.id)
    [left] = found.left
    assert (left.ref, left.field, left.now, left.before) == (change.ref, "job_title", "Head of Pumps", change.old)
    assert left.why == "somebody changed it since"
    assert found.plan
    assert found.plan.counts["planned"] == told.pushed["written"] - 1
    here.edit(change.ref, job_title=change.old)
    assert said(here.dump()) == said(before)


@pytest.mark.long
def test_an_address_somebody_changed_a_part_of_is_left_whole(begin: Start) -> None:
    here = begin("compared")
    told = here.sync()
    parts = Counter(c.ref for c in written(here, told.plan.id, "street", "city", "postal_code"))
    ref = next(ref for ref, n in parts.items() if n > 1)
    here.edit(ref, city="Elsewhere")
    address = [left for left in undo(here, told.plan.id).left if left.ref == ref]
    reasons = {left.field: left.why for left in address}
    assert reasons.pop("city") in ("somebody changed it since", "its address is left as a whole")
    assert reasons
    assert set(reasons.values()) == {"its address is left as a whole"}


@pytest.mark.long
def test_a_record_that_is_gone_is_named(begin: Start) -> None:
    here = begin("compared")
    told = here.sync()
    change = next(c for c in written(here, told.plan.id) if c.system == "portal")
    state = here.standin("portal").state
    gone = state.get(change.stream, change.ref.split("/", 2)[2])
    assert gone
    gone.deleted = True
    state.save(gone)
    found = undo(here, told.plan.id, systems=["portal"])
    assert {(left.ref, left.why) for left in found.left} == {(change.ref, "the record is no longer there")}


@pytest.mark.long
def test_a_system_that_cannot_be_looked_at_is_named_and_the_others_go_back(begin: Start) -> None:
    here = begin("compared")
    before = here.dump()
    told = here.sync()
    here.unreachable("hubspot")
    found = undo(here, told.plan.id)
    assert {left.ref.split("/")[0] for left in found.left} == {"hubspot"}
    assert all(left.why.startswith("could not look: hubspot") for left in found.left)
    assert found.plan
    assert (found.plan.looked["hubspot"], found.plan.looked["portal"]) == ("could not look", "looked")
    here.reachable("hubspot")
    assert undo(here, told.plan.id).left == ()
    assert said(here.dump()) == said(before)


@pytest.mark.long
def test_what_a_later_sync_has_written_again_names_the_plan_to_undo_first(begin: Start) -> None:
    here = begin("synced")
    first = loop.rows(here.store, sa.select(schema.plans.c.id))[0].id
    known = here.somebody("contact", "job_title", "salesforce", "hubspot")
    change = next(c for c in written(here, first, "job_title") if c.ref not in known.values())
    golden = loop.rows(here.store, sa.select(schema.crosswalk.c.golden_id).where(schema.crosswalk.c.ref == change.ref))[
        0
    ].golden_id
    x = schema.crosswalk
    other = next(
        r.ref
        for r in loop.rows(here.store, sa.select(x.c.ref).where(x.c.golden_id == golden).order_by(x.c.ref))
        if r.ref != change.ref and not r.ref.startswith(("zendesk", "shopify", "thingsboard"))
    )
    here.edit(other, job_title="Head of Pumps")
    second = here.sync()
    assert (change.ref, "job_title") in {(c.ref, c.field) for c in written(here, second.plan.id)}
    [left] = [one for one in undo(here, first).left if (one.ref, one.field) == (change.ref, "job_title")]
    assert left.why == f"written again since, by {second.plan.id}"


# -- a process that died ---------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


def written_without_receipts(here: Loop) -> str:
    """A plan whose first batches are written while the process dies before their receipts are kept."""
    plan = make_and_store_plan(here.hub(), "run")

    def lost(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
        if "UPDATE changes" in statement:
            raise Killed

    sa.event.listen(here.store.engine, "before_cursor_execute", lost)
    with pytest.raises(Killed):
        apply_plan(here.hub(), plan.id, ["portal"])
    sa.event.remove(here.store.engine, "before_cursor_execute", lost)
    assert loop.rows(here.store, sa.select(schema.receipts)) == []
    return plan.id


@pytest.mark.long
def test_what_was_written_when_a_process_died_is_taken_back_once_it_was_gone_on_with(begin: Start) -> None:
    here = begin("compared")
    before = here.dump()
    plan_id = written_without_receipts(here)
    assert said(here.dump()) != said(before)
    apply_plan(here.hub(), plan_id)
    assert "already" in {r.code for r in loop.rows(here.store, sa.select(schema.receipts.c.code))}
    assert undo(here, plan_id).left == ()
    assert said(here.dump()) == said(before)


@pytest.mark.long
def test_what_was_written_when_a_process_died_is_taken_back_also_where_nobody_went_on(begin: Start) -> None:
    here = begin("compared")
    before = here.dump()
    plan_id = written_without_receipts(here)
    there = said(here.dump()["portal"])
    later = here.sync()  # gives up what was left of that plan, and plans the rest anew
    undo(here, later.plan.id)
    assert said(here.dump()["portal"]) == there
    assert undo(here, plan_id).left == ()
    assert said(here.dump()) == said(before)


@pytest.mark.long
@pytest.mark.parametrize("batches", [0, 2])
def test_an_undo_that_died_is_gone_on_with(begin: Start, batches: int) -> None:
    here = begin("compared")
    before = here.dump()
    told = here.sync()
    left = [batches]

    def progress(what: str, done: int, total: int | None) -> None:
        left[0] -= what.startswith("push ")
        if left[0] < 0:
            raise Killed

    found = plan_undo(here.hub(), told.plan.id, "anna", "a mistake", "run-undo")
    assert found.plan
    with pytest.raises(Killed):
        apply_plan(here.hub(progress=progress), found.plan.id)
    assert here.sync().planned == 0  # what is back already stays so, what is not is as the hub would have it
    done = apply_plan(here.hub(), found.plan.id)
    assert (done["written"], done["left"]) == (done["planned"], 0)
    assert said(here.dump()) == said(before)


# -- some of it ------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_only_the_systems_and_fields_asked_for_go_back(begin: Start) -> None:
    here = begin("compared")
    before = here.dump()
    told = here.sync()
    after = here.dump()
    found = undo(here, told.plan.id, systems=["hubspot"], names=["phone"])
    assert found.plan
    changes = written(here, found.plan.id)
    assert {(c.system, c.field) for c in changes} == {("hubspot", "phone")}
    assert {name for name, state in here.dump().items() if said(state) != said(after[name])} == {"hubspot"}
    undo(here, told.plan.id, systems=["hubspot"])
    assert said(here.dump()["hubspot"]) == said(before["hubspot"])


@pytest.mark.long
def test_with_a_part_of_an_address_goes_the_whole_of_it(begin: Start) -> None:
    here = begin("compared")
    told = here.sync()
    found = undo(here, told.plan.id, names=["city"])
    assert found.plan
    ours = {(c.ref, c.field) for c in written(here, told.plan.id, "street", "city", "postal_code", "region", "country")}
    assert {(c.ref, c.field) for c in written(here, found.plan.id)} == ours


@pytest.mark.long
def test_names_nobody_knows_are_told(begin: Start) -> None:
    here = begin("compared")
    with pytest.raises(OmniHubError, match="nothing has been written yet"):
        undo(here)
    with pytest.raises(OmniHubError, match="nobody knows run-7"):
        undo(here, "run-7")
    with pytest.raises(ConfigError, match="there is no system hubspotty"):
        undo(here, "last", systems=["hubspotty"])


# -- to the letter ---------------------------------------------------------------------------------------------------


def with_a_phone_nobody_can_read(here: Loop, system: str) -> str:
    """A record whose phone number is replaced by the next sync."""
    loop.look(here.hub(), Run.start(here.store))
    ref = here.somebody("contact", "phone", "salesforce", "portal")[system]
    here.edit(ref, phone="call Ute")
    return ref


@pytest.mark.long
def test_a_value_nobody_could_read_comes_back_as_it_was(begin: Start) -> None:
    here = begin("fresh")
    ref = with_a_phone_nobody_can_read(here, "salesforce")
    before = here.dump()
    told = here.sync()
    [change] = [c for c in written(here, told.plan.id, "phone") if c.ref == ref]
    assert change.old is None
    undo(here, told.plan.id)
    assert "call Ute" in said(here.dump()["salesforce"])
    assert said(here.dump()) == said(before)
    assert here.sync().planned == 0


@pytest.mark.long
def test_what_a_system_does_not_take_back_is_refused_and_all_else_is_as_before(begin: Start) -> None:
    here = begin("fresh")
    ref = with_a_phone_nobody_can_read(here, "portal")  # which checks what it is sent
    told = here.sync()
    found = plan_undo(here.hub(), told.plan.id, "anna", "a mistake", "run-undo", systems=["portal"])
    assert found.plan
    done = apply_plan(here.hub(), found.plan.id)
    assert (done["refused"], done["written"]) == (1, done["planned"] - 1)
    assert [letter.ref for letter in loop.rows(here.store, sa.select(schema.dead_letters))] == [ref]


# -- remembered ------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_what_was_undone_is_written_once_its_evidence_changes(begin: Start) -> None:
    here = begin("synced")
    known = here.somebody("contact", "job_title", "salesforce", "hubspot", "portal")
    here.edit(known["hubspot"], job_title="Head of Pumps")
    told = here.sync()
    assert told.pushed["written"] >= 2
    undo(here, told.plan.id, systems=["salesforce"])
    assert holding(here) == {(known["salesforce"], "job_title")}
    assert here.sync().planned == 0
    here.edit(known["hubspot"], job_title="Head of Valves")
    again = here.sync()
    assert known["salesforce"] in {c.ref for c in written(here, again.plan.id, "job_title")}
    assert holding(here) == set()
    assert here.sync().planned == 0


@pytest.mark.long
def test_a_person_lets_the_hub_write_again(begin: Start) -> None:
    here = begin("compared")
    told = here.sync()
    after = here.dump()
    undo(here, told.plan.id)
    assert here.sync().planned == 0
    some = lift(here.store, "anna", told.plan.id, systems=["hubspot"])
    again = here.sync()
    assert {(c.ref, c.field) for c in written(here, again.plan.id)} == {(one["ref"], one["field"]) for one in some}
    lift(here.store, "anna")
    here.sync()
    assert said(here.dump()) == said(after)


# -- a plan like any other -------------------------------------------------------------------------------------------


@pytest.mark.long
def test_an_undo_is_guarded_as_what_it_takes_back_was(begin: Start) -> None:
    here = begin("compared")
    told = here.sync()
    after = here.dump()
    strict = here.hub(limits=Limits(records=0))
    found = plan_undo(strict, told.plan.id, "anna", "a mistake", "run-undo")
    assert found.plan
    assert found.plan.state == "blocked"
    assert said(here.dump()) == said(after)
    assert found.plan.about
    assert (found.plan.about["undoes"], found.plan.about["author"]) == ([told.plan.id], "anna")
    here.sync()  # an undo that waits for somebody is not outdated by the next plan
    approve(here.store, found.plan.id, "bert", "seen it")
    assert apply_plan(strict, found.plan.id)["written"] == told.pushed["written"]


@pytest.mark.long
def test_a_waiting_undo_is_never_carried_out_by_the_way(begin: Start) -> None:
    here = begin("compared")
    told = here.sync()
    after = here.dump()
    found = plan_undo(here.hub(), told.plan.id, "anna", "a mistake", "run-undo")
    assert open_plan(here.store) is None
    assert here.sync().planned == 0
    assert said(here.dump()) == said(after)
    assert found.plan
    waiting = open_plan(here.store, found.plan.id)
    assert waiting
    assert waiting.state == "ready"


@pytest.mark.long
def test_the_report_says_what_was_taken_back_and_what_stays_so(begin: Start, tmp_path: Path) -> None:
    here = begin("compared")
    told = here.sync()
    run = Run.start(here.store)
    found = plan_undo(here.hub(), told.plan.id, "anna", "wrong <trust>", run.id)
    assert found.plan
    apply_plan(here.hub(), found.plan.id)
    run.end()
    report(here.hub(), tmp_path, run.id)
    text = next(tmp_path.rglob("index.html")).read_text()
    assert f"takes back what <code>{told.plan.id}</code> has written, as anna asked: wrong &lt;trust&gt;" in text
    assert "somebody has undone: not written again" in text

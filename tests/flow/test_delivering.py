"""Reports inside the systems: there once, brought up to date in place, cleared when resolved; closing one decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from simple_salesforce.api import Salesforce

from omnihub.config import Findings, Gates
from omnihub.flow import Run, findings, grouping
from omnihub.flow.delivering import deliver
from omnihub.flow.forgetting import forget, plan_forgetting
from omnihub.model import Ref
from omnihub.sdk import open_client
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start

F, D = schema.findings, schema.deliveries
JUNK, WORSE = "unbekannt", "keine"
PETRA = "Petra Vogt"
MANY = 4


def told(here: Loop, system: str = "salesforce", **more: Any) -> dict[str, Any]:
    counts = deliver(here.hub(told=frozenset({system}), **more), "run-1", system)
    assert counts["wanted"] == sum(counts[n] for n in ("put", "same", "refused", "deferred", "left")), counts
    return counts


def look(here: Loop) -> None:
    loop.look(here.hub(), Run.start(here.store))


def found(here: Loop, ref: str) -> Any:
    [row] = loop.rows(here.store, sa.select(F).where(F.c.ref == ref, F.c.kind == "value_invalid"))
    return row


def tasks(here: Loop) -> dict[str, dict[str, Any]]:
    """Id of the record → its task, as the vendor's own SDK shows it."""
    org: Salesforce = open_client(here.hub().connectors["salesforce"], here.settings["salesforce"])
    fields = "Id, Subject, Description, Status, Priority, WhoId, WhatId, Hub_Id__c"
    shown = msgspec.json.decode(org.query(f"SELECT {fields} FROM Task"))["records"]
    assert len({task["Hub_Id__c"] for task in shown}) == len(shown)
    return {task["WhoId"] or task["WhatId"] or task["Hub_Id__c"]: task for task in shown}


@pytest.fixture
def office(begin: Start) -> Loop:
    """Some contacts of the CRM have numbers nobody can call."""
    here = begin("compared")
    for one in here.everybody("contact", "phone", "salesforce", "hubspot")[:MANY]:
        here.edit(one["salesforce"], phone=JUNK)
    look(here)
    return here


def junk(here: Loop) -> list[str]:
    """Refs of those whose number is junk."""
    query = sa.select(F.c.ref).where(F.c.system == "salesforce", F.c.kind == "value_invalid", F.c.theirs == JUNK)
    return [r.ref for r in loop.rows(here.store, query.order_by(F.c.ref))]


def test_what_people_are_to_fix_is_in_their_own_system_once_and_goes_with_its_cause(office: Loop) -> None:
    untold = office.dump()
    assert deliver(office.hub(), "run-1", "salesforce") == {}  # nobody has asked for it
    assert office.dump() == untold
    first = told(office)
    refs = junk(office)
    assert first["wanted"] == first["put"] >= MANY == len(refs)
    there = tasks(office)
    assert len(there) == first["put"]
    for ref in refs:
        task = there[Ref.parse(ref).id]
        assert JUNK in task["Description"]
        assert JUNK not in task["Subject"]
        assert (task["Status"], task["Priority"]) == ("Not Started", "Low")
    dump = office.dump()
    assert told(office) == first | {"put": 0, "same": first["put"]}
    assert office.dump() == dump

    mended, changed = refs[:2]
    office.edit(mended, phone="+49 30 901820")
    office.edit(changed, phone=WORSE)
    look(office)
    after = told(office)
    assert (after["cleared"], after["put"]) == (1, 1)
    there = tasks(office)
    assert there[Ref.parse(mended).id]["Status"] == "Completed"
    assert JUNK not in there[Ref.parse(mended).id]["Description"]
    assert WORSE in there[Ref.parse(changed).id]["Description"]
    assert len(there) == first["put"]


def test_a_closed_task_is_ignored_with_the_name_of_who_closed_it_until_its_evidence_changes(office: Loop) -> None:
    told(office)
    ref = junk(office)[0]
    task = tasks(office)[Ref.parse(ref).id]
    office.standin("salesforce").edit_as(PETRA, "tasks", task["Id"], {"Status": "Completed"})  # type: ignore[attr-defined]

    assert told(office)["closed"] == 1
    row = found(office, ref)
    assert (row.state, row.decided_by, row.until) == ("ignored", f"{PETRA} in Salesforce", "changed")
    look(office)
    again = told(office)
    assert (again["closed"], again["put"], again["cleared"]) == (0, 0, 0)
    assert found(office, ref).state == "ignored"
    assert tasks(office)[Ref.parse(ref).id]["Status"] == "Completed"

    office.edit(ref, phone=WORSE)
    look(office)
    assert found(office, ref).state == "open"
    assert told(office)["put"] == 1
    back = tasks(office)[Ref.parse(ref).id]
    assert (back["Id"], back["Status"]) == (task["Id"], "Not Started")
    assert WORSE in back["Description"]

    office.standin("salesforce").edit_as(PETRA, "tasks", task["Id"], {"Status": "Completed"})  # type: ignore[attr-defined]
    told(office)
    findings.reopen(office.store, ref, "steward", "it matters after all")
    assert told(office)["put"] == 1
    assert tasks(office)[Ref.parse(ref).id]["Status"] == "Not Started"


@pytest.mark.long
def test_what_came_after_it_was_told_is_not_ignored_with_it(office: Loop) -> None:
    told(office)
    ref = junk(office)[0]
    task = tasks(office)[Ref.parse(ref).id]
    office.edit(ref, phone=WORSE)
    look(office)
    office.standin("salesforce").edit_as(PETRA, "tasks", task["Id"], {"Status": "Completed"})  # type: ignore[attr-defined]

    counts = told(office)
    assert (counts["closed"], counts["put"]) == (1, 1)
    assert found(office, ref).state == "open"
    assert tasks(office)[Ref.parse(ref).id]["Status"] == "Not Started"


@pytest.mark.long
def test_a_notice_whose_answer_was_lost_or_whose_process_died_is_there_once(office: Loop) -> None:
    faults = office.standin("salesforce").faults
    faults.switch_on("500 after commit", rate=1.0)
    lost = told(office)
    assert (lost["put"], lost["deferred"]) == (0, lost["wanted"])
    assert lost["error"]
    faults.switch_off()
    assert told(office)["put"] == lost["wanted"]
    assert len(tasks(office)) == lost["wanted"]

    with office.store.write() as c:  # as a process leaves it that dies before it keeps the answers
        c.execute(sa.update(D).values(state="begun", place_id=None, hash=""))
    assert told(office)["put"] == lost["wanted"]
    assert len(tasks(office)) == lost["wanted"]

    with office.store.write() as c:
        c.execute(sa.update(D).values(state="begun", place_id=None, hash=""))
    for ref in junk(office):
        office.edit(ref, phone="+49 30 901820")
    look(office)
    assert told(office)["cleared"] == MANY
    assert {tasks(office)[Ref.parse(ref).id]["Status"] for ref in junk(office)} <= {"Completed"}


@pytest.mark.long
def test_a_system_that_refuses_one_takes_the_others_and_one_out_of_reach_stops_nothing(office: Loop) -> None:
    office.unreachable("salesforce")
    away = told(office)
    assert away["deferred"] == away["wanted"] > 0
    assert away["error"]
    office.reachable("salesforce")
    gone = junk(office)[0]
    state = office.standin("salesforce").state
    person = state.get("contacts", Ref.parse(gone).id)
    assert person
    person.deleted = True  # between our reading it and telling of it
    state.save(person)
    counts = told(office)
    assert (counts["refused"], counts["put"]) == (1, counts["wanted"] - 1)
    assert "INVALID_CROSS_REFERENCE_KEY" in counts["error"]


@pytest.mark.long
def test_only_so_many_are_told_the_most_severe_first(office: Loop) -> None:
    total = told(office, findings=Findings(limit=2))
    assert (total["put"], total["left"]) == (2, total["wanted"] - 2)
    assert told(office, findings=Findings(limit=2))["same"] == 2
    ranks = {"High": 0, "Normal": 1, "Low": 2}
    first = sorted(ranks[task["Priority"]] for task in tasks(office).values())
    told(office)  # all of them
    everything = sorted(ranks[task["Priority"]] for task in tasks(office).values())
    assert (len(everything), len({*everything})) == (total["wanted"], len(ranks))
    assert first == everything[:2]


@pytest.mark.long
def test_what_may_not_be_there_is_not_told_there(office: Loop) -> None:
    query = sa.select(F).where(F.c.system == "salesforce", F.c.kind == "value_differs", F.c.expected.is_not(None))
    [one, *_] = loop.rows(office.store, query.where(F.c.state == "open").order_by(F.c.id))
    id_ = Ref.parse(one.ref).id
    kept_in = {f"{one.entity}.{one.field}": ("CH",)}
    told(office, gates=Gates(stays_in=kept_in), regions={"salesforce": "EU"})
    assert one.expected not in tasks(office)[id_]["Description"]
    assert "stays in CH" in tasks(office)[id_]["Description"]
    told(office)
    assert one.expected in tasks(office)[id_]["Description"]


@pytest.mark.long
@pytest.mark.parametrize("system", ["hubspot", "zendesk"])
def test_other_systems_have_it_once_say_who_closed_it_and_reopen_it(begin: Start, system: str) -> None:
    here = begin("compared")
    others = {r.ref for r in loop.rows(here.store, sa.select(F.c.ref))}
    known = [one[system] for one in here.everybody("contact", "phone", system, "salesforce")]
    refs = [ref for ref in known if ref not in others][:MANY]
    right = here.fields(refs[1])["phone"]
    for ref in refs:
        here.edit(ref, phone=JUNK)
    look(here)
    first = told(here, system)
    assert first["put"] == first["wanted"] >= MANY
    assert first["error"] == ""
    dump = here.dump()
    assert told(here, system) == first | {"put": 0, "same": first["put"]}
    assert here.dump() == dump
    with here.store.write() as c:  # as a process leaves it that dies before it keeps the answers
        c.execute(sa.update(D).values(state="begun", place_id=None, hash=""))
    assert told(here, system)["put"] == first["put"]
    there = notices(here, system)
    assert len(there) == first["put"]

    closed, mended = refs[:2]
    stand_in: Any = here.standin(system)
    stream, done = {
        "hubspot": ("tasks", {"hs_task_status": "COMPLETED"}),
        "zendesk": ("tickets", {"status": "solved"}),
    }[system]
    stand_in.edit_as(PETRA, stream, there[closed], done)
    here.edit(mended, phone=right)
    look(here)
    after = told(here, system)
    assert (after["closed"], after["cleared"], after["put"]) == (1, 1, 0)
    row = found(here, closed)
    assert (row.state, row.decided_by) == ("ignored", f"{PETRA} in {here.hub().connectors[system].title}")

    here.edit(closed, phone=WORSE)
    look(here)
    assert told(here, system)["put"] == 1
    body = here.standin(system).state.get(stream, there[closed])
    assert body
    assert "COMPLETED" not in str(body.body)
    assert "'solved'" not in str(body.body)
    assert len(notices(here, system)) == first["put"] - 1  # what was cleared is known no longer


def notices(here: Loop, system: str) -> dict[str, str]:
    """Record → the id of its notice, as the system itself has it; none is there twice."""
    rows = loop.rows(here.store, sa.select(D.c.about, D.c.key).where(D.c.system == system))
    kept = here.dump()[system]
    if system == "hubspot":
        by_key = [(body["properties"]["hub_ext_id"], id_) for id_, body in kept["tasks"].items()]
    else:
        by_key = [(body["external_id"], id_) for id_, body in kept["tickets"].items() if body.get("external_id")]
    assert len({key for key, _ in by_key}) == len(by_key)
    of = dict(by_key)
    return {row.about: of[row.key] for row in rows if row.key in of}


@pytest.mark.long
def test_it_is_told_and_heeded_on_postgresql_too(start_on: Callable[[str, str], Loop]) -> None:
    here = start_on("postgresql", "compared")
    first = told(here, "hubspot", findings=Findings(limit=5))
    assert (first["put"], first["left"]) == (5, first["wanted"] - 5)
    assert told(here, "hubspot", findings=Findings(limit=5))["same"] == 5
    about, id_ = loop.rows(here.store, sa.select(D.c.about, D.c.place_id).order_by(D.c.key))[0]
    stand_in: Any = here.standin("hubspot")
    stand_in.edit_as(PETRA, "tasks", id_, {"hs_task_status": "COMPLETED"})
    assert told(here, "hubspot")["closed"] == 1
    assert {r.state for r in loop.rows(here.store, sa.select(F.c.state).where(F.c.ref == about))} <= {"ignored"}


@pytest.mark.long
def test_nothing_of_somebody_forgotten_stays_in_what_was_told_of_them(office: Loop) -> None:
    told(office)
    closed, open_ = junk(office)[:2]
    there = tasks(office)
    done = {"Status": "Completed"}
    office.standin("salesforce").edit_as(PETRA, "tasks", there[Ref.parse(closed).id]["Id"], done)  # type: ignore[attr-defined]
    told(office)
    for ref in (closed, open_):
        forgetting = plan_forgetting(office.hub(), ref, "dpo", "asked for it")
        forget(office.hub(), forgetting.id)
    with office.store.read() as c:
        kept = [*c.execute(sa.select(D.c.about, D.c.told)), *c.execute(sa.select(schema.notices))]
        assert len(kept) > 2 * MANY
    assert not [row for row in kept if closed in str(row) or open_ in str(row)]
    assert told(office)["cleared"] >= 2
    by_id = {task["Id"]: task for task in tasks(office).values()}
    for ref in (closed, open_):
        assert JUNK not in by_id[there[Ref.parse(ref).id]["Id"]]["Description"]


@pytest.mark.long
def test_what_is_wrong_in_a_line_is_shown_at_its_deal(begin: Start) -> None:
    here = begin("compared")
    found = sa.select(F.c.id).where(F.c.system == "hubspot", F.c.entity == "line").order_by(F.c.id)
    with here.store.write() as c:  # the first few of many
        many = c.execute(found).scalars().all()
        c.execute(sa.update(F).where(F.c.id.in_(many[3:])).values(state="resolved"))
    told(here, "hubspot")
    query = sa.select(D.c.place_id, schema.refined.c.fields).join(schema.refined, schema.refined.c.ref == D.c.about)
    lines = loop.rows(here.store, query.where(D.c.about.like("hubspot/line_items/%")))
    assert len(lines) == 3
    for line in lines:
        task = here.standin("hubspot").state.get("tasks", line.place_id)
        assert task
        deal = Ref.parse(msgspec.json.decode(line.fields)["of"]).id
        assert task.body["associations"] == {"deals": [deal]}


def groups_of(here: Loop) -> dict[str, tuple[str, int]]:
    """What the CRM was told about: how that stands there, and how many findings it has."""
    rows = loop.rows(here.store, sa.select(D.c.about, D.c.told, D.c.state).where(D.c.system == "salesforce"))
    return {row.about: (row.state, len(msgspec.json.decode(row.told))) for row in rows}


@pytest.mark.long
def test_what_grows_to_many_is_one_notice_and_what_was_decided_of_the_few_stays(office: Loop) -> None:
    told(office)
    refs = junk(office)
    closed, mended, *_ = refs
    there = tasks(office)
    office.standin("salesforce").edit_as(  # type: ignore[attr-defined]
        PETRA, "tasks", there[Ref.parse(closed).id]["Id"], {"Status": "Completed"}
    )
    more = [one["salesforce"] for one in office.everybody("contact", "phone", "salesforce", "hubspot")]
    right = office.fields(more[MANY])["phone"]
    for ref in more[MANY : grouping.MANY + 2]:
        office.edit(ref, phone=JUNK)
    look(office)

    after = told(office)
    assert after["closed"] == 1
    row = found(office, closed)
    assert (row.state, row.decided_by) == ("ignored", f"{PETRA} in Salesforce")
    about = groups_of(office)
    left = sa.select(F.c.ref).where(F.c.group_id == row.group_id, F.c.state == "open")
    many = len(loop.rows(office.store, left))
    assert many >= grouping.MANY
    assert about[row.group_id] == ("open", many)
    assert about[closed][0] == "closed"
    assert not {*refs[1:]} & {*about}  # each was told by itself, and is cleared
    there = tasks(office)
    assert there[Ref.parse(mended).id]["Status"] == "Completed"
    [one] = [task for task in there.values() if "phone of" in task["Subject"]]
    assert one["Subject"] == f"Value invalid in Salesforce: phone of {many} contacts"
    assert told(office)["put"] == 0

    for ref in more[MANY : grouping.MANY + 2]:  # few again: each is told at its own record
        office.edit(ref, phone=right)
    look(office)
    told(office)
    about = groups_of(office)
    assert row.group_id not in about
    assert {*refs[1:]} <= {*about}
    assert found(office, closed).state == "ignored"
    there = tasks(office)
    assert there[Ref.parse(mended).id]["Status"] == "Not Started"
    assert there[Ref.parse(closed).id]["Status"] == "Completed"

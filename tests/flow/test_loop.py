"""The whole loop, over the real stand-ins: what one system learns reaches the others, once, and then all is quiet."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from omnihub.flow import apply_plan, make_and_store_plan, pull_system, refine_system
from omnihub.flow.runs import balance
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start


def test_the_first_sync_writes_and_the_second_finds_nothing_left_to_say(start: Start) -> None:
    here = start("compared")
    before = here.dump()
    first = here.sync()
    assert first.planned > 20
    assert first.pushed == {
        "planned": first.planned,
        "written": first.planned,
        "refused": 0,
        "deferred": 0,
        "drifted": 0,
        "left": 0,
    }
    assert (first.summary["state"], first.summary["balanced"]) == ("ok", True)
    after = here.dump()
    assert after != before
    assert after["airtable"] == before["airtable"]  # the master is never written

    second = here.sync()
    assert (second.planned, second.summary["state"], second.summary["failed"]) == (0, "ok", [])
    third = here.sync()
    assert (third.planned, third.summary["pull"]["changed"], third.summary["pull"]["new"]) == (0, 0, 0)
    assert here.dump() == after


@pytest.mark.long
def test_a_full_pass_after_a_sync_finds_nothing_either(begin: Start) -> None:
    here = begin("synced")
    before, counted = loop.believed(here.store), loop.counted(here.store)
    told = loop.sync(here.hub(), full=True)
    assert (told.planned, told.summary["pull"]["changed"], told.summary["pull"]["gone"]) == (0, 0, 0)
    assert told.summary["pull"]["read"] > 1_000
    assert loop.believed(here.store) == before
    assert loop.counted(here.store) == counted


@pytest.mark.long
def test_both_stores_hold_the_same_golden_records(start_on: Callable[[str, str], Loop]) -> None:
    one, other = (start_on(kind, "synced") for kind in ("sqlite", "postgresql"))
    assert len(loop.believed(one.store)) > 50
    assert loop.believed(one.store) == loop.believed(other.store)
    assert loop.counted(one.store) == loop.counted(other.store)
    assert one.dump() == other.dump()


# -- people change things --------------------------------------------------------------------------------------------


def changes(here: Loop, told: loop.Told) -> dict[tuple[str, str], str]:
    """(ref, field) → new, of a sync's plan."""
    t = schema.changes
    return {(r.ref, r.field): r.new for r in loop.rows(here.store, sa.select(t).where(t.c.plan_id == told.plan.id))}


def test_what_a_person_changes_in_one_system_reaches_the_others_and_nothing_else_is_written(begin: Start) -> None:
    here = begin("synced")
    known = here.somebody("contact", "job_title", "salesforce", "hubspot")
    here.edit(known["hubspot"], job_title="Chief of Everything 👩‍🚀")
    before = here.dump()
    told = here.sync()
    reached = {(ref, "job_title"): "Chief of Everything 👩‍🚀" for system, ref in known.items() if system != "hubspot"}
    assert changes(here, told) == reached
    assert told.pushed["written"] == len(reached)
    touched = {s for s, state in here.dump().items() if state != before[s]}
    assert touched == set(known) - {"hubspot"}
    assert here.sync().planned == 0
    assert {here.fields(ref)["job_title"] for ref in known.values()} == {"Chief of Everything 👩‍🚀"}


@pytest.mark.long
def test_two_people_who_change_different_fields_both_get_their_way(begin: Start) -> None:
    here = begin("synced")
    known = here.somebody("contact", "job_title", "salesforce", "hubspot")
    here.edit(known["salesforce"], job_title="Head of Pumps")
    here.edit(known["hubspot"], last_name="Oberhuber-Łukasz")
    here.sync()
    assert here.sync().planned == 0
    for system in ("salesforce", "hubspot"):
        held = here.fields(known[system])
        assert (held["job_title"], held["last_name"]) == ("Head of Pumps", "Oberhuber-Łukasz")


@pytest.mark.long
def test_a_name_of_several_words_survives_a_system_that_keeps_it_as_one_text(begin: Start) -> None:
    here, last_name = begin("synced"), "García Márquez"
    known = here.somebody("contact", "last_name", "salesforce", "zendesk")
    first = here.fields(known["salesforce"])["first_name"]
    here.edit(known["salesforce"], first_name=first, last_name=last_name)
    assert here.sync().planned > 0
    assert here.sync().planned == 0
    held = {(here.fields(ref)["first_name"], here.fields(ref)["last_name"]) for ref in known.values()}
    assert held == {(first, last_name)}
    here.edit(known["zendesk"], first_name=f"{first} Gabriel", last_name=last_name)
    here.sync()
    assert here.sync().planned == 0
    assert {here.fields(ref)["first_name"] for ref in known.values()} == {f"{first} Gabriel"}


@pytest.mark.long
def test_a_name_of_one_text_is_cut_as_another_system_holds_it(begin: Start) -> None:
    """Capitals are taken for a surname, and where two given names end nobody can say: neither spreads a wrong guess."""
    before, here = begin("compared"), begin("fresh")
    loud, long = before.everybody("contact", "first_name", "hubspot", "zendesk")[:2]
    first, last = (before.fields(loud["hubspot"])[name] for name in ("first_name", "last_name"))
    here.edit(loud["zendesk"], first_name=first.upper(), last_name=last)
    here.edit(long["hubspot"], first_name="Ana", last_name="Maria López")
    here.edit(long["zendesk"], first_name="Ana Maria", last_name="López")
    here.sync()
    assert here.sync().planned == 0
    held = [
        (here.fields(one["hubspot"])["first_name"], here.fields(one["hubspot"])["last_name"]) for one in (loud, long)
    ]
    assert held == [(first, last), ("Ana", "Maria López")]


def test_the_same_change_made_by_hand_everywhere_is_nobodys_business(begin: Start) -> None:
    here = begin("synced")
    known = here.somebody("contact", "job_title", "salesforce", "hubspot")
    for ref in known.values():
        here.edit(ref, job_title="Head of Pumps")
    told = here.sync()
    assert (told.planned, told.summary["pull"]["changed"]) == (0, len(known))


def test_a_changed_field_map_is_refined_anew_without_a_pull(begin: Start) -> None:
    here = begin("synced")
    known = here.somebody("contact", "job_title", "hubspot", "salesforce")
    asked = [len(s.calls) for s in here.running.standins.values()]
    hubspot = loop.CONNECTORS["hubspot"]
    less = tuple(
        replace(s, map={n: w for n, w in s.map.items() if n != "job_title"}) if s.name == "contacts" else s
        for s in hubspot.streams
    )
    counts = refine_system(replace(here.hub(), connectors={"hubspot": replace(hubspot, streams=less)}), "hubspot")
    assert counts["contacts"]["changed"] > 10
    assert counts["companies"]["read"] == 0
    assert "job_title" not in here.fields(known["hubspot"])
    again = refine_system(here.hub(), "hubspot")
    assert again["contacts"]["changed"] == counts["contacts"]["changed"]
    assert "job_title" in here.fields(known["hubspot"])
    assert asked == [len(s.calls) for s in here.running.standins.values()]
    assert here.sync().planned == 0


def test_a_record_deleted_in_one_system_is_not_made_again_nor_missed_elsewhere(begin: Start) -> None:
    here = begin("synced")
    known = here.somebody("contact", "last_name", "salesforce", "portal", "hubspot")
    portal = here.standin("portal").state
    gone = portal.get("users", known["portal"].rpartition("/")[2])
    assert gone
    gone.deleted = True
    portal.save(gone)
    before = here.dump()
    told = loop.sync(here.hub(), full=True)
    assert (told.summary["pull"]["gone"], told.planned) == (1, 0)
    assert here.dump() == before
    members = [m for _, _, m in loop.believed(here.store).values() if known["salesforce"] in m]
    assert len(members) == 1
    assert known["portal"] not in members[0]


# -- systems that fail -----------------------------------------------------------------------------------------------


def test_while_a_system_is_down_the_others_go_on_and_it_catches_up(begin: Start) -> None:
    here = begin("synced")
    known = here.somebody("contact", "job_title", "salesforce", "hubspot", "portal")
    here.edit(known["hubspot"], job_title="Head of Pumps")
    here.unreachable("salesforce")
    down = here.sync()
    assert down.plan.looked["salesforce"] == "could not look"
    assert {s for s, how in down.plan.looked.items() if how == "looked"} == set(loop.SYSTEMS) - {
        "salesforce",
        "airtable",
    }
    assert down.summary["state"] == "partial"
    assert all("salesforce" in f for f in map(str, down.summary["failed"]))
    assert {ref for ref, _ in changes(here, down)} == {
        r for s, r in known.items() if s not in ("hubspot", "salesforce")
    }
    here.reachable("salesforce")
    back = here.sync()
    assert changes(here, back) == {(known["salesforce"], "job_title"): "Head of Pumps"}
    assert back.summary["state"] == "ok"
    assert here.sync().planned == 0


@pytest.mark.long
def test_a_system_that_goes_down_before_the_push_is_deferred_and_written_next_time(begin: Start) -> None:
    here = begin("compared")
    hub = here.hub()
    plan = make_and_store_plan(hub, "run")
    here.unreachable("portal")
    done = apply_plan(hub, plan.id)
    assert done["deferred"] == plan.counts["by_system"]["portal"]["changes"]
    assert done["written"] == done["planned"] - done["deferred"]
    here.reachable("portal")
    caught_up = here.sync()
    assert {ref.split("/")[0] for ref, _ in changes(here, caught_up)} == {"portal"}
    assert caught_up.pushed["written"] == done["deferred"]
    assert here.sync().planned == 0


@pytest.mark.parametrize("system", loop.SYSTEMS)
def test_a_wrong_credential_is_a_setting_to_change(begin: Start, system: str) -> None:
    here = begin("fresh")
    secrets = [s.name for s in loop.CONNECTORS[system].settings if s.secret]
    for name in secrets:
        here.settings[system][name] = "wr0ng-and-secret"
    found = pull_system(here.hub(), system, "run")
    assert found
    for landed in found:
        assert landed.error.startswith(f"{system}")
        assert "refused" in landed.error or "check" in landed.error
        assert "wr0ng" not in landed.error
        assert landed.way_out == "change the setting, then run `omnihub sync` again"
        assert landed.read == 0
    assert secrets


def test_a_setting_that_is_missing_is_named(begin: Start) -> None:
    here = begin("fresh")
    del here.settings["hubspot"]["token"]
    assert {x.error.split(" (")[0] for x in pull_system(here.hub(), "hubspot", "run")} == {
        "hubspot: set OMNIHUB_HUBSPOT_TOKEN"
    }


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_a_run_balances_and_one_that_does_not_is_red() -> None:
    stream = {
        "read": 5,
        "new": 1,
        "changed": 1,
        "same": 2,
        "rejected": 1,
        "gone": 3,
        "error": "",
        "system": "a",
        "stream": "b",
    }
    push = {"planned": 4, "written": 1, "refused": 1, "deferred": 0, "drifted": 2, "left": 0}
    assert balance({"pull:a": [stream], "push": push})["state"] == "ok"
    assert balance({"pull:a": [stream | {"read": 6}], "push": push})["state"] == "red"
    assert balance({"pull:a": [stream], "push": push | {"planned": 5}})["state"] == "red"
    assert balance({"pull:a": [stream | {"error": "down"}], "push": push})["state"] == "partial"
    assert balance({"pull:a": [stream], "push": push | {"written": 0, "deferred": 1}})["state"] == "partial"
    assert balance({"pull:a": [stream], "plan": {"state": "blocked"}})["state"] == "red"


# -- strange things people type --------------------------------------------------------------------------------------

STRANGE: dict[str, dict[str, str]] = {
    "emoji": {"first_name": "👩‍🚀", "last_name": 'Zoë-名前 O\'Łukasz \\ "x" %s'},
    "huge": {"last_name": "ü" * 5_000_000},
    "control": {"first_name": "Anna\x00\x07", "last_name": "Berg\x00", "job_title": "\x00", "street": "a\x1fb"},
    "junk": {"first_name": "null", "last_name": "{}", "phone": "9" * 300, "email": "@" * 400 + ".de"},
    "year 9999": {"consent_at": "9999-12-31T23:59:59Z", "marketing_consent": "yes"},
}
NEVER_RIGHT = ("huge", "control", "junk")
LONG = " ".join(f"{random.Random(n).getrandbits(64):x}" for n in range(500))  # 8,000 letters that no index compresses


@pytest.mark.long
def test_strange_values_go_through_and_nothing_stumbles(start_on: Callable[[str, str], Loop]) -> None:
    here = start_on("postgresql", "synced")  # the stricter one
    whose = dict(zip(STRANGE, here.everybody("contact", "last_name", "hubspot", "salesforce"), strict=False))
    for strange, known in whose.items():
        here.edit(known["hubspot"], **STRANGE[strange])
    told = here.sync()
    assert told.summary["failed"] == []
    assert told.summary["pull"]["changed"] == len(STRANGE)
    assert told.summary["balanced"]
    assert told.pushed["refused"] == 0
    assert here.sync().planned == 0
    f = schema.findings
    for strange in NEVER_RIGHT:  # reported, and it spreads nowhere
        known = whose[strange]
        assert ("value_invalid",) in loop.rows(here.store, sa.select(f.c.kind).where(f.c.ref == known["hubspot"]))
        assert {ref for ref, _ in changes(here, told) if ref in known.values()} <= {known["hubspot"]}
    assert here.fields(whose["emoji"]["salesforce"])["last_name"] == STRANGE["emoji"]["last_name"]


@pytest.mark.long
def test_a_value_longer_than_an_index_takes_goes_through(start_on: Callable[[str, str], Loop]) -> None:
    here = start_on("postgresql", "synced")  # SQLite's takes any
    known = here.somebody("contact", "last_name", "hubspot", "salesforce")
    here.edit(known["hubspot"], first_name="Anna", last_name=LONG, street=LONG, job_title=LONG)
    told = here.sync()
    assert (told.summary["pull"]["changed"], told.summary["balanced"]) == (1, True)
    assert here.sync().planned == 0

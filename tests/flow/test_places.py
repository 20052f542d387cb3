"""Every system shows its people the findings it has, once; a second sync changes nothing, and all can be taken away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pyairtable
import pytest
import sqlalchemy as sa

from omnihub.config import Findings, Gates
from omnihub.flow import Run, apply_plan
from omnihub.flow.delivering import deliver
from omnihub.flow.undoing import Undoing, plan_undo
from omnihub.model import Ref
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start

F, D = schema.findings, schema.deliveries
PETRA = "Petra Vogt"
ALL = 1_000
JUNK, WORSE = "unbekannt", "keine"
SYSTEMS = ("salesforce", "hubspot", "zendesk", "thingsboard", "portal", "shopify", "airtable")

CLOSING: dict[str, tuple[str, dict[str, Any]]] = {
    "thingsboard": ("alarms", {"cleared": True}),
    "portal": ("consistency-reports", {"state": "closed"}),
    "shopify": ("customers", {"tags": ["consistency", "consistency-ignore"]}),
}
"""System → where somebody closes one there, and how."""


def told(here: Loop, system: str, **more: Any) -> dict[str, Any]:
    hub = here.hub(told=frozenset({system}), findings=Findings(limit=ALL), **more)
    counts = deliver(hub, "run-1", system)
    assert counts["wanted"] == sum(counts[n] for n in ("put", "same", "refused", "deferred", "left")), counts
    return counts


def look(here: Loop) -> None:
    loop.look(here.hub(), Run.start(here.store))


def keys_in(here: Loop, system: str) -> list[str]:
    """The keys of all that is said in a system, as it has it itself; once more for each time it is said."""
    kept = here.dump()[system]
    found: Iterable[Any]
    if system == "salesforce":
        found = [body.get("Hub_Id__c") for body in kept.get("tasks", {}).values()]
    elif system == "hubspot":
        found = [body["properties"].get("hub_ext_id") for body in kept.get("tasks", {}).values()]
    elif system == "zendesk":
        found = [body.get("external_id") for body in kept.get("tickets", {}).values()]
    elif system == "thingsboard":
        found = [body["type"].removeprefix("CONSISTENCY ") for body in kept.get("alarms", {}).values()]
    elif system == "portal":
        found = [body["key"] for body in kept.get("consistency-reports", {}).values()]
    elif system == "shopify":
        held = [body for body in kept.get("metafields", {}).values() if body["key"].startswith("consistency")]
        found = [key for body in held for key in json.loads(body["value"])["notices"]]
    else:
        settings = here.settings[system]
        table = pyairtable.Api(settings["token"], endpoint_url=settings["url"]).table(
            settings["base"], settings["findings_table"]
        )
        found = [row["fields"]["Key"] for row in table.all()]
    return sorted(key for key in found if str(key).startswith("omnihub-"))


def known(here: Loop, system: str) -> Sequence[Any]:
    query = sa.select(D.c.key, D.c.about, D.c.place_id, D.c.state).where(D.c.system == system)
    return loop.rows(here.store, query.order_by(D.c.key))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_each_system_has_its_own_findings_once_and_an_undo_takes_them_all_away(begin: Start) -> None:
    here = begin("synced")
    before = here.dump()
    counts = {system: told(here, system) for system in SYSTEMS}
    for system, done in counts.items():
        assert (done["error"], done["refused"], done["deferred"]) == ("", 0, 0), system
        assert done["put"] == done["wanted"] - done["left"], system
        theirs = [row.key for row in known(here, system)]
        assert keys_in(here, system) == theirs, system
        refs = loop.rows(here.store, sa.select(F.c.ref).where(F.c.system == system))
        assert all(Ref.parse(row.ref).system == system for row in refs)
    assert sum(done["put"] > 0 for done in counts.values()) >= 5, counts

    shown = here.dump()
    again = here.sync()
    assert again.planned == 0
    for system, done in counts.items():
        assert told(here, system) == done | {"put": 0, "same": done["put"]}, system
    assert here.dump() == shown

    undone = undo(here, "run-1")
    assert undone.left == ()
    assert {system: one["removed"] for system, one in undone.notices.items()} == {
        system: done["put"] for system, done in counts.items() if done["put"]
    }
    for system in SYSTEMS:
        assert keys_in(here, system) == [], system
        assert here.dump()[system] == before[system], system

    undo(here, "last")  # as it was told, once more
    for system in SYSTEMS:
        assert keys_in(here, system) == [row.key for row in known(here, system)], system
        assert len(keys_in(here, system)) == counts[system]["put"], system


def undo(here: Loop, what: str) -> Undoing:
    found = plan_undo(here.hub(), what, "anna", "a mistake", "run-undo")
    assert found.plan
    apply_plan(here.hub(), found.plan.id)
    return found


def junk_in(here: Loop, system: str) -> tuple[str, str]:
    """Somebody in this system gets a number nobody can call: the record, and what it said before."""
    entity, field = ("account", "phone") if system == "thingsboard" else ("contact", "phone")
    other = "hubspot" if system != "hubspot" else "salesforce"
    taken = {r.ref for r in loop.rows(here.store, sa.select(F.c.ref))}
    ref = next(one[system] for one in here.everybody(entity, field, system, other) if one[system] not in taken)
    was = here.fields(ref)[field]
    here.edit(ref, phone=JUNK)
    look(here)
    return ref, was


def found(here: Loop, ref: str) -> Any:
    [row] = loop.rows(here.store, sa.select(F).where(F.c.ref == ref, F.c.kind == "value_invalid"))
    return row


@pytest.mark.long
@pytest.mark.parametrize("system", list(CLOSING))
def test_closing_one_there_is_a_decision_until_it_changes_and_mending_it_clears_it(begin: Start, system: str) -> None:
    here = begin("compared")
    ref, right = junk_in(here, system)
    assert told(here, system)["error"] == ""
    [one] = [row for row in known(here, system) if row.about == ref]
    with here.store.write() as c:  # as a process leaves it that dies before it keeps the answers
        c.execute(sa.update(D).values(state="begun", place_id=None, hash=""))
    told(here, system)
    assert keys_in(here, system) == [row.key for row in known(here, system)]

    stream, done = CLOSING[system]
    standin: Any = here.standin(system)
    standin.edit_as(PETRA, stream, one.place_id, done)
    assert told(here, system)["closed"] >= 1
    row = found(here, ref)
    who = "somebody" if system == "shopify" else PETRA
    title = here.hub().connectors[system].title
    assert (row.state, row.decided_by) == ("ignored", f"{who} in {title}")
    assert told(here, system)["put"] == 0

    here.edit(ref, phone=WORSE)
    look(here)
    assert found(here, ref).state == "open"
    assert told(here, system)["put"] == 1
    assert [(r.key, r.state) for r in known(here, system) if r.about == ref] == [(one.key, "open")]

    here.edit(ref, phone=right)
    look(here)
    assert told(here, system)["cleared"] >= 1
    assert [r for r in known(here, system) if r.about == ref] == []


@pytest.mark.long
@pytest.mark.parametrize("system", ["shopify", "portal"])
def test_what_may_not_be_there_is_not_told_there(begin: Start, system: str) -> None:
    here = begin("compared")
    query = sa.select(F).where(F.c.system == system, F.c.kind == "value_differs", F.c.expected.is_not(None))
    one = next(iter(loop.rows(here.store, query.where(F.c.state == "open").order_by(F.c.id))))
    kept_in = {f"{one.entity}.{one.field}": ("CH",)}
    told(here, system, gates=Gates(stays_in=kept_in), regions={system: "EU"})
    [key] = [row.key for row in known(here, system) if row.about == one.ref]
    assert f"should say {one.expected!r}" not in text_of(here, system, key)
    assert "stays in CH" in text_of(here, system, key)
    told(here, system)
    assert f"should say {one.expected!r}" in text_of(here, system, key)


def text_of(here: Loop, system: str, key: str) -> str:
    kept = here.dump()[system]
    if system == "portal":
        [text] = [body["text"] for body in kept["consistency-reports"].values() if body["key"] == key]
    else:
        held = [body for body in kept["metafields"].values() if body["key"].startswith("consistency")]
        [text] = [told["text"] for body in held for k, told in json.loads(body["value"])["notices"].items() if k == key]
    return str(text)

"""Gates over the whole loop: whoever said no is reached by nothing that is written, however late they said so."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.config import Gates
from omnihub.flow import Run, apply_plan, make_and_store_plan
from omnihub.flow.gating import kept_back_of, said_by, sieved
from omnihub.flow.planning import Stored
from omnihub.flow.undoing import plan_undo
from omnihub.model import Change, Ref
from omnihub.store import bulk, schema
from omnihub.store.open import take
from tests.flow import loop
from tests.flow.conftest import Loop, Start

REACHES = ("email", "phone", "mobile")
SAYS = ("salesforce/contacts", "portal/users", "zendesk/users", "hubspot/contacts")


def records(here: Loop) -> dict[str, dict[str, dict[str, str]]]:
    """golden id → ref → what the record says, of all people."""
    x, t = schema.crosswalk, schema.refined
    query = sa.select(x.c.golden_id, t.c.ref, t.c.fields).join(t, t.c.ref == x.c.ref)
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in loop.rows(here.store, query.where(t.c.entity == "contact", ~t.c.deleted).order_by(t.c.ref)):
        found.setdefault(row.golden_id, {})[row.ref] = json.loads(row.fields)
    return found


def of_plan(here: Loop, plan: Stored, system: str = "hubspot") -> list[Any]:
    t = schema.changes
    query = sa.select(t).where(t.c.plan_id == plan.id, t.c.system == system, t.c.entity == "contact")
    return list(loop.rows(here.store, query.order_by(t.c.n)))


def planned(here: Loop, **more: Any) -> Stored:
    return make_and_store_plan(here.hub(**more), Run.start(here.store).id)


def no_to(here: Loop, plan: Stored, *streams: str) -> tuple[Any, str]:
    """A change that would reach somebody, and a record of theirs in one of these streams, which says yes or nothing."""
    people = records(here)
    for change in of_plan(here, plan):
        if change.field in REACHES:
            for ref in people[change.golden_id]:
                if ref.startswith(streams):
                    return change, ref
    raise AssertionError("nobody would be reached")


def outcome(here: Loop, plan_id: str, change: Any) -> tuple[str, str]:
    """(outcome, message) of what became of a change."""
    t, r = schema.changes, schema.receipts
    [row] = loop.rows(here.store, sa.select(t.c.outcome).where(t.c.plan_id == plan_id, t.c.n == change.n))
    told = sa.select(r.c.message, r.c.sent).where(r.c.plan_id == plan_id, r.c.ref == change.ref)
    said = [m for m, sent in loop.rows(here.store, told) if change.field in json.loads(sent)]
    return str(row.outcome), said[0]


def test_whoever_said_no_anywhere_is_given_no_number_where_they_would_be_written_to(begin: Start) -> None:
    here = begin("compared")
    plan = planned(here)
    said_no = {gid for gid, of in records(here).items() if any(f.get("marketing_consent") == "no" for f in of.values())}
    assert not {(c.ref, c.field) for c in of_plan(here, plan) if c.golden_id in said_no and c.field in REACHES}
    elsewhere = [c for c in (*of_plan(here, plan, "salesforce"), *of_plan(here, plan, "zendesk")) if c.field in REACHES]
    assert {c.golden_id for c in elsewhere} & said_no  # what does not write to people by itself may know how to
    [phones] = [one for one in plan.counts["kept_back"] if one["field"] == "phone"]
    assert phones["words"].endswith("kept back: no consent for marketing")
    d = schema.differences
    differing = sa.select(d.c.ref).where(d.c.system == "hubspot", d.c.field == "phone", d.c.golden_id.in_(said_no))
    assert phones["count"] == len(loop.rows(here.store, differing)) > 0


def test_what_is_kept_back_of_somebody_is_told_with_its_reason(begin: Start) -> None:
    here = begin("compared")
    plan = planned(here)
    [phones] = [one for one in plan.counts["kept_back"] if one["field"] == "phone"]
    ref = phones["examples"][0]
    home = next(gid for gid, of in records(here).items() if ref in of)
    with here.store.read() as c:
        told = kept_back_of(c, here.hub(), home)
    assert {"ref": ref, "field": "phone", "gate": "consent", "why": "no consent for marketing"} in told


def test_where_the_master_speaks_of_a_product_nothing_else_is_written(begin: Start) -> None:
    here = begin("compared")
    x, t = schema.crosswalk, schema.refined
    query = sa.select(x.c.golden_id, t.c.ref, t.c.fields).join(t, t.c.ref == x.c.ref).where(t.c.entity == "product")
    rows = loop.rows(here.store, query.where(~t.c.deleted).order_by(t.c.ref))
    master = next(r for r in rows if r.ref.startswith("airtable/"))
    right, wrong = (
        Change(Ref("shopify", "products", id_), "name", "Old", name, "why", master.golden_id)
        for id_, name in (("1", json.loads(master.fields)["name"]), ("2", "Another pump"))
    )
    with here.store.read() as c:
        through, kept = sieved(c, here.hub(), [right, wrong])
        back, _ = sieved(c, here.hub(), [wrong], restoring=True)
    assert through == [right]
    assert [(one.change, one.gate) for one in kept] == [(wrong, "master")]
    assert back == [wrong]  # it stood there before we wrote


def test_a_no_to_a_newsletter_alone_is_a_no_to_marketing_until_it_is_a_yes(begin: Start) -> None:
    here = begin("compared")
    gid, of = next(
        (gid, of)
        for gid, of in records(here).items()
        if "no" not in {f.get("marketing_consent") for f in of.values()} and any(r.startswith(SAYS[3]) for r in of)
    )
    contact = next(ref for ref in of if ref.startswith(SAYS[3]))
    says = [("1", "Newsletter", "yes", "2024"), ("2", "Newsletter", "no", "2025"), ("3", "Service", "yes", "2025")]
    for n, purpose, state, at in says:
        consent(here, f"hubspot/consents/{n}", contact=contact, purpose=purpose, state=state, at=at)
    assert said(here, gid) == {"marketing": "no", "service": "yes"}
    consent(here, "hubspot/consents/4", contact=contact, purpose="Newsletter", state="yes", at="2026")
    assert said(here, gid)["marketing"] == "yes"


def consent(here: Loop, ref: str, **fields: str) -> None:
    """A consent the hub has read."""
    with here.store.write() as c:
        row = {
            "ref": ref, "entity": "consent", "system": "hubspot", "stream": "consents", "seq": take(c, 1), "raw_seq": 1,
            "pointer": "", "deleted": False, "fields": json.dumps(fields), "times": "{}", "echoes": "[]",
            "problems": "{}",
        }  # fmt: skip
        bulk.upsert(c, schema.refined, tuple(row), [tuple(row.values())])


def said(here: Loop, golden_id: str) -> dict[str, str]:
    with here.store.read() as c:
        return said_by(c, here.hub(), [golden_id])[golden_id]


def test_a_no_said_elsewhere_while_the_plan_waits_is_read_before_it_is_written(begin: Start) -> None:
    here = begin("compared")
    plan = planned(here)
    change, ref = no_to(here, plan, "salesforce/contacts", "portal/users", "zendesk/users")
    here.edit(ref, marketing_consent="no")
    told = apply_plan(here.hub(gates=Gates(fresh_minutes=0)), plan.id)
    assert outcome(here, plan.id, change) == ("deferred", "kept back: no consent for marketing")
    assert told["deferred"] >= 1
    assert told["left"] == 0
    assert here.fields(change.ref).get(change.field) == change.old


def test_a_no_said_in_the_very_record_is_seen_when_it_is_looked_at(begin: Start) -> None:
    here = begin("compared")
    plan = planned(here)
    change, _ = no_to(here, plan, "hubspot/contacts")
    here.edit(change.ref, marketing_consent="no")
    apply_plan(here.hub(), plan.id, ["hubspot"])
    assert outcome(here, plan.id, change) == ("drifted", "kept back: no consent for marketing")


@pytest.mark.long
def test_an_undo_gives_no_number_back_to_whoever_has_said_no_since(begin: Start) -> None:
    here = begin("compared")
    told = here.sync()
    people = records(here)
    change = next(c for c in of_plan(here, told.plan) if c.field in REACHES and c.old and c.outcome == "written")
    ref = next(r for r in people[change.golden_id] if r.startswith(SAYS))
    here.edit(ref, marketing_consent="no")
    loop.look(here.hub(), Run.start(here.store))
    undoing = plan_undo(here.hub(), told.plan.id, "eva", "a mistake", Run.start(here.store).id, ["hubspot"])
    [left] = [one for one in undoing.left if (one.ref, one.field) == (change.ref, change.field)]
    assert left.why == "no consent for marketing"
    assert undoing.plan
    assert (change.ref, change.field) not in {(c.ref, c.field) for c in of_plan(here, undoing.plan)}


@pytest.mark.long
def test_what_stays_in_a_region_is_written_to_systems_there_alone(begin: Start) -> None:
    here = begin("compared")
    inside = {"salesforce": "EU", "hubspot": "US"}
    plan = planned(here, gates=Gates(stays_in={"contact.phone": ("EU",), "account.address": ("EU",)}), regions=inside)
    t = schema.changes
    rows = loop.rows(here.store, sa.select(t.c.system, t.c.entity, t.c.field).where(t.c.plan_id == plan.id))
    assert {r.system for r in rows if (r.entity, r.field) == ("contact", "phone")} == {"salesforce"}
    assert {r.system for r in rows if r.entity == "account" and r.field in ("street", "city")} <= {"salesforce"}
    assert {r.system for r in rows} > {"salesforce"}
    gates = {(one["system"], one["gate"]) for one in plan.counts["kept_back"]}
    assert {("hubspot", "region"), ("zendesk", "region")} <= gates
    assert {"phone", "city"} <= {one["field"] for one in plan.counts["kept_back"] if one["gate"] == "region"}


@pytest.mark.long
def test_no_plan_reaches_anybody_who_said_no_whoever_says_what_where(begin: Start) -> None:
    here = begin("compared")
    people = records(here)
    able = sorted(ref for of in people.values() for ref in of if ref.startswith(SAYS))
    some = st.dictionaries(st.sampled_from(able), st.sampled_from(["yes", "no"]), min_size=5, max_size=40)

    @settings(max_examples=5, deadline=None)
    @given(some, st.sampled_from([(), ("marketing",)]))
    def holds(words: dict[str, str], unknown_is_no: tuple[str, ...]) -> None:
        for ref, word in words.items():
            here.edit(ref, marketing_consent=word)
        loop.look(here.hub(), Run.start(here.store))
        plan = planned(here, gates=Gates(unknown_is_no=unknown_is_no))
        now = records(here)
        for change in of_plan(here, plan):
            if change.field in REACHES and change.new is not None:
                said = [f.get("marketing_consent") for f in now[change.golden_id].values()]
                assert "no" not in said
                assert "yes" in said or not unknown_is_no

    holds()

"""What is stopped before anything is written, who may let it pass, and for how long; over real HTTP."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

import connectors
from omnihub.errors import ConfigError, UnsafePlan
from omnihub.flow import Hub, apply_plan, approve, guarding, make_and_store_plan, open_plan
from omnihub.merge import Rules
from omnihub.model import Entity
from omnihub.push import Limits
from omnihub.push.policy import Policy
from omnihub.sandbox.kit import merge
from omnihub.sdk import Connector
from omnihub.sdk.declared import Declared
from omnihub.store import Store, schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start

SMALL = Limits(drop_floor=5)  # the world of these tests is one


def objects(here: Loop, system: str, stream: str) -> list[Any]:
    return [one for one in here.standin(system).state.all() if one.stream == stream and not one.deleted]


def put(here: Loop, system: str, stream: str, values: dict[str, dict[str, Any]]) -> None:
    """The system itself changes records: id → field → value, which may be none at all."""
    standin = here.standin(system)
    for id_, fields in values.items():
        obj = standin.state.get(stream, id_)
        assert obj is not None
        merge(obj.body, standin.native(stream, fields))
        standin.state.save(obj)


def nulled(here: Loop, system: str, stream: str, field: str) -> dict[str, dict[str, Any]]:
    """An upstream starts to send nothing for a field. Returns what would make it right again."""
    had = {one.id: {field: one.body.get(field)} for one in objects(here, system, stream) if one.body.get(field)}
    put(here, system, stream, {id_: {field: None} for id_ in had})
    return had


def halved(here: Loop, system: str, stream: str) -> list[Any]:
    gone = objects(here, system, stream)[::2]
    for one in gone:
        one.deleted = True
        here.standin(system).state.save(one)
    return gone


def held(store: Store) -> dict[tuple[str, str, str], int]:
    s = schema.sources
    return {(r.system, r.stream, r.field): r.now for r in loop.rows(store, sa.select(s)) if r.now}


def fine(store: Store, system: str) -> dict[tuple[str, str], int]:
    s = schema.sources
    rows = loop.rows(store, sa.select(s).where(s.c.system == system, s.c.fine.is_not(None)))
    return {(r.stream, r.field): r.fine for r in rows}


def recounted(store: Store) -> Counter[tuple[str, str, str]]:
    t = schema.refined
    found: Counter[tuple[str, str, str]] = Counter()
    for row in loop.rows(store, sa.select(t.c.system, t.c.stream, t.c.fields).where(~t.c.deleted)):
        found[row.system, row.stream, ""] += 1
        found.update((row.system, row.stream, name) for name, v in json.loads(row.fields).items() if v is not None)
    return found


# -- sources ---------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_an_upstream_that_starts_to_send_no_emails_stops_all_writing_until_it_is_right_again(begin: Start) -> None:
    here = begin("synced")
    right = nulled(here, "portal", "users", "email")
    somebody = here.somebody("contact", "job_title", "salesforce", "hubspot")
    here.edit(somebody["salesforce"], job_title="Head of Pumps")
    before = here.dump()
    told = here.sync(limits=SMALL)
    assert (told.plan.state, told.summary["state"]) == ("blocked", "red")
    [limit] = [one for one in told.plan.limits if one.op == "source"]
    assert (limit.system, limit.stream, limit.entity, limit.field) == ("portal", "users", "contact", "email")
    assert (limit.limit, limit.count, limit.of) == ("source_field_drop", len(right), len(right))
    assert len(limit.examples) == 3
    assert set(limit.examples) <= {f"portal/users/{id_}" for id_ in right}
    assert f"{len(right)} of {len(right)} records no longer have email" in told.plan.broken[0]
    with pytest.raises(UnsafePlan, match=f"omnihub approve {told.plan.id}"):
        apply_plan(here.hub(limits=SMALL), told.plan.id)
    assert here.dump() == before, "not one write, in any system"
    put(here, "portal", "users", right)
    again = here.sync(limits=SMALL)
    assert (again.plan.state, again.summary["state"]) == ("ready", "ok")
    assert here.fields(somebody["hubspot"])["job_title"] != "Head of Pumps"
    assert again.pushed["written"] > 0, "what waited meanwhile is written now"
    assert here.sync(limits=SMALL).planned == 0


@pytest.mark.long
def test_a_source_that_shows_only_half_of_its_records_stops_all_writing(begin: Start) -> None:
    here = begin("synced")
    gone = halved(here, "hubspot", "contacts")
    before = here.dump()
    told = loop.sync(here.hub(limits=SMALL), full=True)
    assert (told.plan.state, told.summary["state"]) == ("blocked", "red")
    limits = {(one.system, one.stream, one.limit): one for one in told.plan.limits if one.op == "source"}
    assert set(limits) == {("hubspot", "contacts", "source_drop")}, "their values went with them: said once"
    assert limits["hubspot", "contacts", "source_drop"].count == len(gone)
    assert here.dump() == before
    for one in gone:
        one.deleted = False
        here.standin("hubspot").state.save(one)
    assert loop.sync(here.hub(limits=SMALL), full=True).summary["state"] == "ok"


@pytest.mark.long
def test_what_is_gone_for_good_is_approved_once(begin: Start) -> None:
    here = begin("synced")
    halved(here, "shopify", "customers")
    told = loop.sync(here.hub(limits=SMALL), full=True)
    assert {one.limit for one in told.plan.limits} == {"source_drop"}
    approve(here.store, told.plan.id, "anna", "guests are purged")
    if told.planned:
        apply_plan(here.hub(limits=SMALL), told.plan.id)
    assert loop.sync(here.hub(limits=SMALL), full=True).plan.state == "ready"


def test_an_empty_plan_is_stopped_as_well_and_its_approval_is_all_there_is_to_do(begin: Start) -> None:
    here = begin("synced")
    prices = objects(here, "airtable", "prices")
    for one in prices:
        one.body.pop("Price list")  # nothing that is written comes from it
        here.standin("airtable").state.save(one)
    told = here.sync(limits=SMALL)
    assert (told.planned, told.plan.state, told.summary["state"]) == (0, "blocked", "red")
    assert [(one.field, one.count) for one in told.plan.limits] == [("price_list", len(prices))]
    assert approve(here.store, told.plan.id, "anna", "there is only one list now").state == "applied"
    assert here.sync(limits=SMALL).summary["state"] == "ok"


def test_a_system_that_can_not_be_reached_has_lost_nothing_and_nothing_of_it_is_taken_for_fine(begin: Start) -> None:
    here = begin("synced")
    before = fine(here.store, "portal")
    with here.store.write() as c:  # an age ago: were it looked at, it would be fine anew
        c.execute(sa.update(schema.sources).values(fine_at="2020-01-01T00:00:00+00:00"))
    here.unreachable("portal")
    told = here.sync(limits=SMALL)
    assert (told.plan.state, told.summary["state"]) == ("ready", "partial")
    s = schema.sources
    ages = loop.rows(here.store, sa.select(s.c.system, sa.func.max(s.c.fine_at).label("at")).group_by(s.c.system))
    assert {row.system: row.at[:4] == "2020" for row in ages if row.at}["portal"]
    assert not {row.system: row.at[:4] == "2020" for row in ages if row.at}["hubspot"]
    assert fine(here.store, "portal") == before


@pytest.mark.long
def test_what_an_undo_empties_is_no_loss_of_the_source(begin: Start) -> None:
    from omnihub.flow.undoing import plan_undo

    here = begin("compared")
    told = here.sync()
    here.sync()
    taken_back = plan_undo(here.hub(), told.plan.id, "anna", "a try", "run-undo")
    assert taken_back.plan
    apply_plan(here.hub(), taken_back.plan.id)
    nothing = Limits(drop=0.001, drop_floor=0)
    after = here.sync(limits=nothing)
    assert [one.words() for one in after.plan.limits if one.op == "source"] == []


# -- counted ---------------------------------------------------------------------------------------------------------


def test_what_is_counted_on_the_way_is_what_is_there(begin: Start) -> None:
    here = begin("synced")
    assert held(here.store) == dict(recounted(here.store))


@pytest.mark.long
def test_what_is_counted_on_the_way_is_what_is_there_on_either_store(start: Start) -> None:
    here = start("synced")
    assert held(here.store) == dict(recounted(here.store))


def _table(*rows: tuple[str, bool, dict[str, Any]]) -> pa.Table:
    names = ("ref", "deleted", "fields")
    types = (pa.string(), pa.bool_(), pa.string())
    told = [(ref, deleted, json.dumps(fields)) for ref, deleted, fields in rows]
    columns = [pa.array([row[n] for row in told], kind) for n, kind in enumerate(types)]
    return pa.table(dict(zip(names, columns, strict=True)))


def test_counts_move_with_the_records(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    steps = [
        ([], [("a", False, {"email": "x"}), ("b", False, {"email": None, "phone": "1"})]),
        ([("a", False, {"email": "x"}), ("b", False, {"phone": "1"})], [("a", False, {"phone": "2"})]),
        ([("b", False, {"phone": "1"})], [("b", True, {"phone": "1"})]),
    ]
    for before, after in steps:
        with store.write() as c:
            guarding.note_held(c, "crm", "people", _table(*before), _table(*after))
    assert held(store) == {("crm", "people", ""): 1, ("crm", "people", "phone"): 1}
    store.close()


def test_a_slow_decline_becomes_fine_day_by_day_and_one_within_a_day_does_not(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    now = datetime.now(UTC)

    def settled(count: int, hours: float, accepted: bool = False) -> int:
        with store.write() as c:
            guarding.settle(c, [("crm", "people", "", count)], accepted, now + timedelta(hours=hours))
        return fine(store, "crm")["people", ""]

    assert settled(100, 0) == 100
    assert [settled(95, 1), settled(90, 2), settled(85, 19)] == [100, 100, 100], "within a day it is sudden"
    assert settled(85, 21) == 85
    assert settled(90, 22) == 90, "more is fine at once"
    assert settled(10, 23, accepted=True) == 10
    store.close()


# -- prices ----------------------------------------------------------------------------------------------------------


def price_list(folder: Path, prices: dict[str, str]) -> None:
    lines = ["sku,price,currency", *(f"{sku},{price},EUR" for sku, price in sorted(prices.items()))]
    (folder / "prices.csv").write_text("\n".join(lines) + "\n")


def master(folder: Path) -> Connector:
    """A price list in a folder, declared as the master: what the shop has to ask."""
    columns = {"sku": "sku", "price": "price", "currency": "currency"}
    told = {"prices": {"files": "*.csv", "entity": "product", "key": "sku", "map": columns}}
    return connectors.templates()["files"].make(Declared("pricelist", folder, told, "Price list", "prices", True))


@pytest.mark.long
def test_prices_a_third_higher_in_the_master_are_stopped_and_one_approval_passes_exactly_this_plan(
    begin: Start, tmp_path: Path
) -> None:
    here = begin("synced")
    t = schema.refined
    rows = loop.rows(here.store, sa.select(t.c.fields).where(t.c.stream == "variants", ~t.c.deleted))
    shop = {f["sku"]: f["price"] for f in map(json.loads, [r.fields for r in rows]) if "sku" in f and "price" in f}
    price_list(tmp_path, shop)
    found = {**loop.CONNECTORS, "pricelist": master(tmp_path)}
    here.settings["pricelist"] = {"url": str(tmp_path)}
    rules = Rules(masters=frozenset({"airtable", "pricelist"}))

    def hub() -> Hub:
        left_alone = {("hubspot", Entity.PRODUCT): Policy(update="never")}  # marketing has never had the shop's prices
        return loop.hub_over(here.store, here.settings, found, rules=rules, policies=left_alone)

    loop.sync(hub())
    assert loop.sync(hub()).planned == 0, "the shop and its price list agree"

    dearer = {sku: f"{float(price) * 1.3:.2f}" for sku, price in shop.items()}
    price_list(tmp_path, dearer)
    before = here.dump()
    told = loop.sync(hub())
    assert (told.plan.state, told.summary["state"]) == ("blocked", "red")
    limit = next(one for one in told.plan.limits if one.limit == "max_price_change")
    assert (limit.system, limit.stream, limit.field) == ("shopify", "variants", "price")
    assert here.dump() == before
    approve(here.store, told.plan.id, "anna", "the new list of the year")
    assert apply_plan(hub(), told.plan.id)["written"] == told.planned
    assert loop.sync(hub()).planned == 0


# -- consents, fields ------------------------------------------------------------------------------------------------


def _may_write(system: str, stream: str, *fields: str) -> dict[str, Connector]:
    """The connectors, of which one may write more fields than it is given to."""
    connector = loop.CONNECTORS[system]
    one = connector.stream(stream)
    assert one.push
    more = replace(one, push=replace(one.push, fields=(*one.push.fields, *fields)))
    streams = tuple(more if s.name == stream else s for s in connector.streams)
    return {**loop.CONNECTORS, system: replace(connector, streams=streams)}


def test_a_consent_is_not_loosened_without_anybody_having_seen_it(begin: Start) -> None:
    here = begin("compared")
    hub = loop.hub_over(here.store, here.settings, _may_write("portal", "users", "marketing_consent"))
    known = here.everybody("contact", "marketing_consent", "portal", "salesforce")
    ref = next(one["portal"] for one in known if here.fields(one["portal"])["marketing_consent"] == "yes")
    d, x = schema.differences, schema.crosswalk
    told = {"entity": "contact", "system": "portal", "stream": "users", "winner": ref, "rule": "recent"}
    with here.store.write() as c:  # as compare would have it, were the latest word believed
        golden_id = c.execute(sa.select(x.c.golden_id).where(x.c.ref == ref)).scalar_one()
        cell = {"ref": ref, "field": "marketing_consent", "golden_id": golden_id, "theirs": None, "ours": "yes"}
        c.execute(sa.insert(d).values(**cell, **told))
    plan = make_and_store_plan(hub, "run")
    [limit] = plan.limits
    assert (plan.state, limit.limit, limit.field) == ("blocked", "max_loosened", "marketing_consent")
    assert (limit.count, limit.examples) == (1, (ref,))


@pytest.mark.long
def test_the_first_run_and_single_fields_have_limits_of_their_own(begin: Start) -> None:
    here = begin("compared")
    first = Limits(first_share=0.0, floor=1)
    assert {one.limit for one in make_and_store_plan(here.hub(limits=first), "run").limits} == {"first_run_share"}
    few = Limits(own={"hubspot.contact.job_title": {"records": 0}})
    [limit] = make_and_store_plan(here.hub(limits=few), "run").limits
    assert (limit.limit, limit.system, limit.field, limit.allowed) == ("max_records", "hubspot", "job_title", 0)
    assert make_and_store_plan(here.hub(), "run").state == "ready"


# -- approved --------------------------------------------------------------------------------------------------------

STRICT = Limits(share=0.0, first_share=0.0, floor=1)


def blocked(here: Loop) -> str:
    told = make_and_store_plan(here.hub(limits=STRICT), "run")
    assert told.state == "blocked"
    return told.id


def states(store: Store, ids: Iterable[str]) -> list[str]:
    return [plan.state for one in ids if (plan := open_plan(store, one))]


def test_an_approval_is_by_hash_by_somebody_because_of_something_and_ends(begin: Start) -> None:
    here = begin("compared")
    plan = open_plan(here.store, blocked(here))
    assert plan
    approve(here.store, plan.hash[:12], "anna", "seen it", timedelta(hours=2))
    [row] = loop.rows(here.store, sa.select(schema.approvals))
    assert (row.plan_id, row.hash, row.author, row.reason) == (plan.id, plan.hash, "anna", "seen it")
    left = datetime.fromisoformat(row.expires_at) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=50) < left <= timedelta(hours=2)

    with here.store.write() as c:
        c.execute(sa.update(schema.approvals).values(expires_at="2026-01-01T00:00:00+00:00"))
    before = here.dump()
    with pytest.raises(UnsafePlan, match="approval by anna ended"):
        apply_plan(here.hub(limits=STRICT), plan.id)
    assert here.dump() == before
    assert make_and_store_plan(here.hub(limits=STRICT), "run").state == "blocked", "nor does it hold for the next"
    with pytest.raises(ConfigError, match="--for"):
        approve(here.store, plan.id, "anna", "seen it", timedelta())


def test_the_same_plan_made_anew_keeps_its_approval_and_another_one_asks_again(begin: Start) -> None:
    here = begin("compared")
    first = blocked(here)
    approve(here.store, first, "anna", "seen it")
    same = make_and_store_plan(here.hub(limits=STRICT), "run-2")
    assert (same.state, states(here.store, [first, same.id])) == ("approved", ["outdated", "approved"])
    row = loop.rows(here.store, sa.select(schema.approvals).where(schema.approvals.c.plan_id == same.id))[0]
    assert (row.author, row.reason) == ("anna", "seen it")
    with here.store.write() as c:
        c.execute(sa.delete(schema.differences).where(schema.differences.c.system == "zendesk"))
    assert make_and_store_plan(here.hub(limits=STRICT), "run-3").state == "blocked", "fewer changes are others"


def test_what_was_tampered_with_can_not_be_approved(begin: Start) -> None:
    here = begin("compared")
    plan = blocked(here)
    with here.store.write() as c:
        c.execute(sa.update(schema.changes).where(schema.changes.c.n == 0).values(new="Mallory"))
    with pytest.raises(UnsafePlan, match="not those that were planned"):
        approve(here.store, plan, "anna", "seen it")
    assert states(here.store, [plan]) == ["blocked"]


def test_an_approval_of_other_changes_is_none(begin: Start) -> None:
    here = begin("compared")
    plan = blocked(here)
    approve(here.store, plan, "anna", "seen it")
    with here.store.write() as c:
        c.execute(sa.update(schema.approvals).values(hash="0" * 64))
    with pytest.raises(UnsafePlan, match="not what was approved"):
        apply_plan(here.hub(limits=STRICT), plan)

"""The life of a finding: opened, decided about, reopened and resolved; in groups with one cause."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from omnihub.config import Findings
from omnihub.errors import OmniHubError
from omnihub.flow import auditing, findings, report
from omnihub.flow.findings import Handling, finding_id, hand_over, keep, wake
from omnihub.flow.grouping import MANY, Only, groups
from omnihub.report.grouping import sentence
from omnihub.store import Store, bulk, schema
from omnihub.store.open import take
from tests.flow.conftest import Start
from tests.flow.loop import rows
from tests.flow.test_incremental import COLUMNS, World
from tests.flow.test_incremental import sold as sell

PLAIN = Handling()
KINDS = ("price_differs", "price_expired", "value_invalid", "value_differs", "consent_conflict")
PAST = "2020-01-01T00:00:00Z"
F = schema.findings


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store of each kind for all of these tests."""
    url = f"sqlite:///{tmp_path_factory.mktemp('findings')}/hub.db"
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_url")
        with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE findings_{os.getpid()} TEMPLATE template0")
        url = f"{server.rpartition('/')[0]}/findings_{os.getpid()}"
    found = Store.open(url)
    yield found
    found.close()
    if request.param == "postgresql":
        with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE findings_{os.getpid()} WITH (FORCE)")


@pytest.fixture
def store(opened: Store) -> Store:
    """With no findings yet, and nothing decided."""
    with opened.write() as c:
        for table in (schema.findings, schema.facts, schema.audit):
            c.execute(sa.delete(table))
    return opened


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path}/hub.db")
    yield made
    made.store.close()


def found(n: int = 1, kind: str = "price_differs", said: str = "9.00", **more: Any) -> dict[str, Any]:
    """A finding as comparing has it. What is not a column of it is its detail."""
    names = ("field", "expected", "system", "entity")
    row = {"field": "price", "expected": "10.00", "system": "shop", "entity": "product"}
    row |= {name: more.pop(name) for name in names if name in more}
    ref = f"{row['system']}/items/{n}"
    return row | {"kind": kind, "ref": ref, "golden_id": None, "theirs": said, "detail": json.dumps(more)}


def see(store: Store, *now: dict[str, Any], refs: int = 30, handling: Handling = PLAIN) -> dict[str, int]:
    """Compare the first records of the shop anew: this is what is wrong."""
    everywhere = [f"{system}/items/{n}" for system in ("shop", "crm") for n in range(refs)]
    with store.write() as c:
        return keep(c, now, KINDS, everywhere, handling)


def the(store: Store, n: int = 1, kind: str = "price_differs", field: str = "price") -> Any:
    [row] = rows(store, sa.select(F).where(F.c.id == finding_id(kind, f"shop/items/{n}", field)))
    return row


def grouped(store: Store, **only: Any) -> list[Any]:
    with store.read() as c:
        return groups(c, Only(**only))[1]


def audited(store: Store, what: str) -> list[dict[str, Any]]:
    with store.read() as c:
        assert auditing.verify(c).broken is None
        return [row["facts"] | {"author": row["author"]} for row in auditing.entries(c, what=what)]


# -- by itself -------------------------------------------------------------------------------------------------------


def test_a_finding_keeps_its_id_and_its_age_and_a_second_look_writes_nothing(store: Store) -> None:
    assert see(store, found(), found(2)) == {"opened": 2, "resolved": 0, "reopened": 0}
    before = rows(store, sa.select(F).order_by(F.c.id))
    assert see(store, found(), found(2)) == {"opened": 0, "resolved": 0, "reopened": 0}
    assert rows(store, sa.select(F).order_by(F.c.id)) == before
    see(store, found(), found(2, said="8.00"))
    assert the(store, 2).theirs == "8.00"
    assert the(store, 2).first_seen == before[0].first_seen
    assert the(store, 2).seq > the(store, 1).seq, "only what has changed is written"


@pytest.mark.parametrize("decided", ["open", "assigned", "ignored"])
def test_it_is_resolved_when_its_cause_is_gone_whatever_was_decided(store: Store, decided: str) -> None:
    see(store, found())
    if decided == "assigned":
        findings.assign(store, "shop/items/1", "bob", "eva")
    if decided == "ignored":
        findings.ignore(store, "shop/items/1", "eva", "a display item")
    assert see(store)["resolved"] == 1
    assert the(store).state == "resolved"
    assert see(store, found())["opened"] == 1
    assert (the(store).state, the(store).decided_by, the(store).until) == ("open", None, None)
    assert "it was resolved on" in the(store).note


def test_the_severity_follows_what_is_at_stake(store: Store) -> None:
    see(store, found(1, "value_invalid", at_stake="1000.00", currency="EUR"), found(2, "value_invalid"))
    assert (the(store, 1, "value_invalid").severity, the(store, 2, "value_invalid").severity) == ("high", "low")
    assert (the(store, 1, "value_invalid").at_stake_cents, the(store, 1, "value_invalid").currency) == (100_000, "EUR")
    see(store, found(1, "value_invalid", at_stake="999.99", currency="EUR"))
    assert the(store, 1, "value_invalid").severity == "low"


def test_findings_that_stand_change_hands_when_the_master_names_another_owner(store: Store) -> None:
    told = {"shop": "web shop", "price_differs": "sales", "crm.price_differs": "key accounts"}
    before = Handling(owners=told)
    see(store, found(1), found(2, "value_invalid"), found(3, system="crm"), handling=before)
    owners = sa.select(F.c.system, F.c.kind, F.c.owner)
    assert set(rows(store, owners)) == {
        ("shop", "price_differs", "sales"), ("shop", "value_invalid", "web shop"),
        ("crm", "price_differs", "key accounts"),
    }  # fmt: skip
    with store.write() as c:
        hand_over(c, Handling(owners=told, masters={"shop": "Ms Berg"}))
    assert {r.owner for r in rows(store, owners.where(F.c.system == "shop"))} == {"Ms Berg"}
    with store.write() as c:
        hand_over(c, before)
    assert the(store, 1).owner == "sales", "whom the master no longer names no longer owns"
    assert [g.what for g in grouped(store, owner="key accounts")] == ["crm/items/3"]


# -- decided ---------------------------------------------------------------------------------------------------------


def test_what_is_ignored_until_it_changes_stays_so_and_comes_back_when_it_does(store: Store) -> None:
    see(store, found(customers=3))
    decided = findings.ignore(store, "shop/items/1", "eva", "a display item")
    assert (decided.count, the(store).state, the(store).because) == (1, "ignored", "a display item")
    assert grouped(store) == []
    assert [g.what for g in grouped(store, states=("ignored",))] == ["shop/items/1"]
    assert see(store, found(customers=4)) == {"opened": 0, "resolved": 0, "reopened": 0}
    assert (the(store).state, the(store).customers) == ("ignored", 4), "how many it touches is no other evidence"
    assert see(store, found(said="8.00", customers=4))["reopened"] == 1
    assert (the(store).state, the(store).decided_by) == ("open", None)
    assert the(store).note == "ignored by eva until it changes: it is another now"
    [ignored] = audited(store, "findings ignored")
    assert (ignored["author"], ignored["until"], ignored["findings"]) == ("eva", "changed", [the(store).id])
    assert [one["author"] for one in audited(store, "findings reopened")] == [""]


def test_what_is_ignored_comes_back_when_it_matters_more(store: Store) -> None:
    see(store, found(kind="value_invalid", at_stake="5", currency="EUR"))
    findings.ignore(store, "shop/items/1", "eva", "small change")
    assert see(store, found(kind="value_invalid", at_stake="50000", currency="EUR"))["reopened"] == 1
    assert the(store, 1, "value_invalid").note.endswith("it matters more now")


def test_what_is_ignored_until_a_day_sleeps_through_changes_until_then(store: Store) -> None:
    see(store, found(1), found(2))
    findings.ignore(store, the(store, 1).id, "eva", "the new list is being entered", "2999-01-01T00:00:00Z")
    findings.ignore(store, the(store, 2).id, "eva", "until yesterday", PAST)
    see(store, found(1, said="7.00"), found(2))
    with store.write() as c:
        assert wake(c) == 1
        assert wake(c) == 0
    assert (the(store, 1).state, the(store, 2).state) == ("ignored", "open")
    assert the(store, 2).note == "ignored by eva: the time for that is over"


def test_what_is_assigned_stays_assigned_and_says_that_it_has_changed(store: Store) -> None:
    see(store, found())
    findings.assign(store, "shop/items/1", "bob", "eva", "his list")
    see(store, found(said="8.00"))
    assert (the(store).state, the(store).assigned_to) == ("assigned", "bob")
    assert the(store).note == "it has changed since it was assigned"
    assert [g.owner for g in grouped(store)] == ["bob"], "it stands, and is his"
    assert findings.reopen(store, "shop/items/1", "eva").count == 1
    assert (the(store).state, the(store).assigned_to) == ("open", None)


def test_the_same_decision_twice_is_one(store: Store) -> None:
    see(store, found())
    assert [findings.ignore(store, "shop/items/1", "eva", "x").count for _ in range(2)] == [1, 0]
    assert [findings.assign(store, "shop/items/1", "bob", "eva").count for _ in range(2)] == [1, 0]
    assert [findings.reopen(store, "shop/items/1", "eva").count for _ in range(2)] == [1, 0]
    assert len(audited(store, "findings ignored")) == 1


def test_a_decision_needs_a_reason_and_something_that_stands(store: Store) -> None:
    see(store, found(1), found(2))
    see(store, found(2))
    for what, told in (("shop/items/1", "its cause is gone"), ("nothing", "is none there"), ("", "is none there")):
        with pytest.raises(OmniHubError, match=told):
            findings.ignore(store, what, "eva", "x")
    with pytest.raises(OmniHubError, match="say why"):
        findings.ignore(store, "shop/items/2", "eva", " ")
    with pytest.raises(OmniHubError, match="say to whom"):
        findings.assign(store, "shop/items/2", "", "eva")
    assert findings.ignore(store, the(store, 2).id[:8], "eva", "the beginning of an id will do").count == 1


# -- groups ----------------------------------------------------------------------------------------------------------


def expired(n: int, cause: str = "list:EUR-B", **more: Any) -> dict[str, Any]:
    told = {"at_stake": "1.50", "currency": "EUR", "customers": n, "list": "EUR-B", "since": "2026-05-03"}
    return found(n, "price_expired", cause=cause, **told | more)


def test_findings_with_one_cause_are_one_group_counted_and_summed(store: Store) -> None:
    see(store, *(expired(n) for n in range(12)), expired(12, at_stake="2", currency="USD"), expired(13, "list:EUR-C"))
    first, other = grouped(store)
    assert sentence(first, "Shopify") == "Price list EUR-B of 3 May 2026 missing in Shopify: 13 products"
    assert (first.findings, first.records, first.customers) == (13, 13, 12)
    assert first.at_stake == (("EUR", 1800), ("USD", 200)), "currencies are never added up"
    assert (other.findings, other.ref) == (1, "shop/items/13")
    findings.ignore(store, first.what, "eva", "the list is being entered")
    assert [g.what for g in grouped(store)] == [other.what]
    [told] = audited(store, "findings ignored")
    assert (told["what"], told["count"]) == (first.what, 13)


def test_without_a_cause_few_are_told_by_record_and_many_by_kind_and_field(store: Store) -> None:
    phones = [found(n, "value_invalid", field="phone", entity="contact") for n in range(MANY)]
    names = [found(n, "value_differs", field="name", entity="contact") for n in (1, 2)]
    see(store, *phones, *names, found(1, "value_differs", field="city", entity="contact"))
    told = {sentence(g, "the shop"): g.findings for g in grouped(store)}
    assert told == {
        f"Value invalid in the shop: phone of {MANY} contacts": MANY,
        "Shop/items/1 in the shop: value differs (city and name)": 2,
        "Shop/items/2 in the shop: value differs (name)": 1,
    }
    assert [g.what for g in grouped(store, kind="value_differs")] == ["shop/items/1", "shop/items/2"]


def test_what_costs_most_comes_first_and_the_rest_is_counted(store: Store) -> None:
    money = {"currency": "EUR", "kind": "value_invalid"}
    see(store, found(1, at_stake="20", **money), found(2, at_stake="2000", **money), found(3, at_stake="30", **money))
    with store.read() as c:
        total, first = groups(c, Only(), 2)
    assert (total, [g.ref for g in first]) == (3, ["shop/items/2", "shop/items/3"])


# -- with the loop ---------------------------------------------------------------------------------------------------


def judged(world: World) -> set[Any]:
    names = ("id", "severity", "owner", "group_id", "cause", "evidence", "at_stake_cents", "currency", "customers")
    return set(rows(world.store, sa.select(*(F.c[n] for n in names)).where(F.c.state == "open")))


STEPS = (("price", "12.00"), ("paid", "2000.00"), ("day", ""), ("price", "10.00"))


def incremental_is_full(world: World, steps: Sequence[tuple[str, str]]) -> None:
    sell(world)
    for what, amount in steps:
        if what == "day":
            world.day = "2026-01-06" if world.day == "2026-01-05" else "2026-01-05"
        else:
            sell(world, **{"amount" if what == "price" else "paid": amount})
        world.bring_up_to_date()
    before = judged(world)
    world.forget()
    world.bring_up_to_date()
    assert judged(world) == before


def test_after_each_change_or_once_from_nothing_severity_owner_and_group_are_the_same(world: World) -> None:
    incremental_is_full(world, STEPS)


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=15, deadline=None, phases=(Phase.generate,))
@given(
    st.lists(
        st.tuples(st.sampled_from(["price", "paid", "day"]), st.sampled_from(["10.00", "12.00", "2000.00"])),
        min_size=1,
        max_size=6,
    )
)
def test_the_same_whatever_changes(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]) -> None:
    world = World(f"sqlite:///{tmp_path_factory.mktemp('findings')}/hub.db")
    incremental_is_full(world, steps)
    world.store.close()


def test_other_settings_are_another_severity_and_owner_for_what_was_there(world: World) -> None:
    sell(world, amount="12.00")
    world.bring_up_to_date()
    [before] = judged(world)
    told = Findings(severity={"price_differs": "low"}, owners={"hubspot": "marketing"}, high_money="9999")
    object.__setattr__(world.hub, "findings", told)
    world.bring_up_to_date()
    [after] = judged(world)
    assert (after.id, after.group_id) == (before.id, before.group_id)
    assert (before.severity, before.owner, after.severity, after.owner) == ("high", "hubspot", "low", "marketing")


def test_who_is_believed_about_orders_is_a_setting_and_judges_what_was_there_anew(world: World) -> None:
    world.put("shopify/orders/1", at="2026-01-01T08:00:00Z", number="#1001", status="open")
    world.put("shopify/order_lines/1", of="shopify/orders/1", sku="P-1", quantity="3")
    world.put("salesforce/orders/1", at="2026-01-01T09:00:00Z", number="1001", status="cancelled")
    world.bring_up_to_date()
    wrong = sa.select(F.c.ref).where(F.c.kind == "order_state_differs", F.c.state == "open")
    assert rows(world.store, wrong) == [("salesforce/orders/1",)]
    object.__setattr__(world.hub, "findings", Findings(orders_from=("salesforce",)))
    world.bring_up_to_date()
    assert rows(world.store, wrong) == [("shopify/orders/1",)]


def test_the_masters_table_of_channels_says_who_sees_to_what(world: World) -> None:
    sell(world, amount="12.00")
    world.bring_up_to_date()
    channel(world, "1", system="HubSpot", owner="Ms Berg")
    channel(world, "2", system="somewhere", owner="nobody")
    world.bring_up_to_date()
    [named] = judged(world)
    assert named.owner == "Ms Berg"
    world.forget()
    world.bring_up_to_date()
    assert judged(world) == {named}, "the same from nothing"
    channel(world, "1")
    world.bring_up_to_date()
    assert [one.owner for one in judged(world)] == ["hubspot"]


def channel(world: World, n: str, **fields: str) -> None:
    """A row of the master's table of its channels."""
    with world.store.write() as c:
        seq = take(c, 1)
        row = (f"airtable/channels/{n}", "channel", "airtable", "channels", seq, seq, "", not fields, None,
               json.dumps(fields), "{}", "[]", "{}")  # fmt: skip
        bulk.upsert(c, schema.refined, COLUMNS, [row])


def test_what_is_ignored_is_not_lost_on_what_touches_it(world: World) -> None:
    world.put("hubspot/companies/2", who=2, name="Other")
    world.put("hubspot/deals/1", account="hubspot/companies/1")
    world.bring_up_to_date()
    findings.ignore(world.store, "hubspot/deals/1", "eva", "the company comes on Monday")
    world.put("hubspot/companies/1", name="Acme")
    world.bring_up_to_date()
    assert rows(world.store, sa.select(F.c.state).where(F.c.kind == "orphan_link")) == [("resolved",)]


@pytest.mark.long
def test_a_decision_lasts_over_syncs_until_somebody_changes_the_record(begin: Start, tmp_path: Path) -> None:
    here = begin("synced")
    unknown = sa.select(F).where(F.c.kind == "sku_unknown", F.c.entity == "line", F.c.state == "open")
    one = rows(here.store, unknown.where(F.c.system == "hubspot").order_by(F.c.ref))[0]
    findings.ignore(here.store, one.id, "eva", "made to order")
    here.sync()
    assert state(here.store, one.id) == ("ignored", "eva")
    report(here.hub(), tmp_path)
    assert one.id not in (tmp_path / "latest" / "findings.csv").read_text(encoding="utf-8")
    here.edit(one.ref, sku="OM-0000")
    here.sync()
    assert state(here.store, one.id) == ("open", None)
    report(here.hub(), tmp_path)
    assert one.id in (tmp_path / "latest" / "findings.csv").read_text(encoding="utf-8")


def state(store: Store, id_: str) -> tuple[str, str | None]:
    [row] = rows(store, sa.select(F.c.state, F.c.decided_by).where(F.c.id == id_))
    return row.state, row.decided_by

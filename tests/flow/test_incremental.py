"""Work follows change: merged and compared after every change, or once from nothing, it comes to the same."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import connectors
from omnihub.flow import Hub, compare_all, merge_entity
from omnihub.merge import Rules
from omnihub.model import GOLDEN, Entity, Ref
from omnihub.sdk import Stream
from omnihub.store import Store, bulk, schema
from omnihub.store.open import take
from tests.flow.loop import rows

LISTS = Stream("lists", Entity.PRICE, {})  # a channel that keeps price lists of its own
CONNECTORS = connectors.find()
CONNECTORS["portal"] = replace(CONNECTORS["portal"], streams=(*CONNECTORS["portal"].streams, LISTS))
ENTITY = {(name, s.name): s.entity for name, c in CONNECTORS.items() for s in c.streams}
COLUMNS = ("ref", "entity", "system", "stream", "seq", "raw_seq", "pointer", "deleted", "updated", "fields", "times",
           "echoes", "problems")  # fmt: skip
DAY = "2026-01-05"


class World:
    """A hub into which records are put as refining and matching would put them."""

    def __init__(self, url: str) -> None:
        self.store = Store.open(url)
        masters = frozenset(name for name, c in CONNECTORS.items() if c.master)
        self.hub = Hub(self.store, CONNECTORS, lambda _: {}, rules=Rules(masters=masters))
        self.day = DAY

    def put(self, ref: str, who: int = 0, at: str | None = None, **fields: str | None) -> None:
        """A record as it is now, and which customer or product it is of. at: when it came to say so."""
        self._keep(ref, {k: v for k, v in fields.items() if v is not None}, False, at)
        if ENTITY[Ref.parse(ref).system, Ref.parse(ref).stream] in GOLDEN:
            self.belongs(ref, who)

    def delete(self, ref: str) -> None:
        if rows(self.store, sa.select(schema.refined.c.ref).where(schema.refined.c.ref == ref)):
            self._keep(ref, {}, True)

    def belongs(self, ref: str, who: int) -> None:
        """A record is of another customer now."""
        x, g = schema.crosswalk, schema.goldens
        entity = ENTITY[Ref.parse(ref).system, Ref.parse(ref).stream]
        gid = f"{entity.value}_{who}"
        if not rows(self.store, sa.select(schema.refined.c.ref).where(schema.refined.c.ref == ref)):
            return
        with self.store.write() as c:
            seq = take(c, 1)
            left = c.execute(sa.select(x.c.golden_id).where(x.c.ref == ref)).scalar()
            if not c.execute(sa.select(g.c.id).where(g.c.id == gid)).first():
                names = ("id", "entity", "seq", "born", "founder", "fields", "lineage", "members")
                bulk.append(c, g, names, [(gid, entity.value, seq, seq, ref, "{}", "{}", 0)])
            if left == gid:
                return
            # As matching does it: all that were together with one who leaves are marked, and who has none left ends.
            c.execute(sa.update(x).where(x.c.golden_id == left).values(seq=seq))
            bulk.upsert(c, x, ("ref", "golden_id", "entity", "seq"), [(ref, gid, entity.value, seq)])
            c.execute(sa.update(g).where(g.c.id == gid).values(merged_into=None, seq=seq))
            if not c.execute(sa.select(x.c.ref).where(x.c.golden_id == left)).first():
                c.execute(sa.update(g).where(g.c.id == left).values(merged_into=gid, members=0, seq=seq))

    def pin(self, contact: int, account: int) -> None:
        names = ("golden_id", "field", "value", "author", "reason", "at", "seq")
        with self.store.write() as c:
            pinned = (f"contact_{contact}", "account", f"account_{account}", "me", "said so", "2026-01-01T00:00:00Z")
            bulk.upsert(c, schema.pins, names, [(*pinned, take(c, 1))])

    def _keep(self, ref: str, fields: Mapping[str, str], deleted: bool, at: str | None = None) -> None:
        where = Ref.parse(ref)
        said = json.dumps(fields, separators=(",", ":"))
        with self.store.write() as c:
            seq = take(c, 1)
            entity = ENTITY[where.system, where.stream].value
            times = json.dumps(dict.fromkeys(fields, at) if at else {})
            row = (ref, entity, where.system, where.stream, seq, seq, "", deleted, at, said, times, "[]", "{}")
            bulk.upsert(c, schema.refined, COLUMNS, [row])

    def read_whole(self, system: str, stream: str) -> None:
        """As landing notes it at the end of a complete pass."""
        row = (system, stream, "2026-01-01T00:00:00Z", "ok")
        with self.store.write() as c:
            bulk.upsert(c, schema.streams, ("system", "stream", "full_at", "state"), [row])

    def bring_up_to_date(self) -> None:
        for entity in GOLDEN:
            merge_entity(self.hub, entity)
        compare_all(self.hub, today=self.day, now=f"{self.day}T12:00:00Z")

    def forget(self) -> None:
        """What merging and comparing have made."""
        with self.store.write() as c:
            for table in (schema.differences, schema.findings, schema.links, schema.watermarks, schema.facts):
                c.execute(sa.delete(table))
            c.execute(sa.update(schema.goldens).values(fields="{}", lineage="{}", members=0))

    def believed(self) -> dict[str, tuple[Any, ...]]:
        g = schema.goldens
        found = rows(self.store, sa.select(g.c.id, g.c.fields, g.c.lineage, g.c.members).where(g.c.members > 0))
        return {r.id: tuple(r) for r in found}

    def found(self) -> set[tuple[Any, ...]]:
        f, d = schema.findings, schema.differences
        about = sa.select(f.c.kind, f.c.ref, f.c.field, f.c.golden_id, f.c.theirs, f.c.expected, f.c.detail)
        differing = sa.select(d.c.ref, d.c.field, d.c.golden_id, d.c.theirs, d.c.ours, d.c.winner, d.c.rule)
        return {*map(tuple, rows(self.store, about.where(f.c.state == "open")))} | {
            tuple(r) for r in rows(self.store, differing)
        }

    def kinds(self) -> set[tuple[str, str]]:
        f = schema.findings
        return {(r.kind, r.ref) for r in rows(self.store, sa.select(f.c.kind, f.c.ref).where(f.c.state == "open"))}

    def links(self) -> set[tuple[str, ...]]:
        """What is noted of records; of golden ones, more may be left than is needed."""
        return {tuple(r) for r in rows(self.store, sa.select(schema.links)) if "/" in r.ref}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(f"sqlite:///{tmp_path}/hub.db")
    yield found
    found.store.close()


# -- one change at a time ----------------------------------------------------------------------------------------------


def sold(world: World, amount: str = "10.00", group: str = "standard", paid: str = "10.00") -> None:
    """A customer of a group, the master's price for it, and a deal with a line."""
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    world.put("airtable/prices/1", sku="P-1", customer_group=group, currency="EUR", amount=amount)
    world.put("hubspot/companies/1", name="Acme", customer_group=group)
    world.put("hubspot/deals/1", account="hubspot/companies/1", closes_on=DAY)
    world.put("hubspot/line_items/1", of="hubspot/deals/1", sku="p 1", quantity="1", unit_price=paid, currency="EUR")


def test_a_changed_price_is_held_against_the_lines_that_were_there(store_url: str) -> None:
    world = World(store_url)
    sold(world)
    world.bring_up_to_date()
    assert world.kinds() == set()
    world.put("airtable/prices/1", sku="P-1", customer_group="standard", currency="EUR", amount="12.00")
    world.bring_up_to_date()
    assert world.kinds() == {("price_differs", "hubspot/line_items/1")}
    world.store.close()


def test_a_sku_the_master_gives_up_or_takes_back_is_told_of_its_lines(world: World) -> None:
    sold(world)
    world.bring_up_to_date()
    world.put("airtable/products/1", sku="P-2", name="Pump", status="active")
    world.bring_up_to_date()
    assert world.kinds() == {("sku_unknown", "hubspot/line_items/1")}
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    world.bring_up_to_date()
    assert world.kinds() == set()


def test_an_account_in_another_group_has_its_lines_judged_by_that_groups_price(world: World) -> None:
    sold(world)
    world.put("airtable/prices/2", sku="P-1", customer_group="key", currency="EUR", amount="8.00")
    world.bring_up_to_date()
    world.put("hubspot/companies/1", name="Acme", customer_group="key")
    world.bring_up_to_date()
    assert world.kinds() == {("price_group", "hubspot/line_items/1")}


def test_a_buyer_whose_account_is_another_customer_now_pays_that_ones_price(world: World) -> None:
    sold(world, group="key")
    world.put("airtable/prices/2", sku="P-1", customer_group="standard", currency="EUR", amount="9.00")
    world.put("salesforce/accounts/2", who=2, name="Other", customer_group="standard")
    world.put("salesforce/contacts/1", who=1, last_name="Ek", account="salesforce/accounts/1")
    world.put("salesforce/accounts/1", who=0, name="Acme")
    world.put("hubspot/deals/1", contact="hubspot/contacts/1", closes_on=DAY)
    world.put("hubspot/contacts/1", who=1, last_name="Ek")
    world.bring_up_to_date()
    assert ("price_differs", "hubspot/line_items/1") not in world.kinds()
    world.belongs("salesforce/accounts/1", 2)
    world.bring_up_to_date()
    assert ("price_group", "hubspot/line_items/1") in world.kinds()


def test_a_price_for_one_of_the_groups_a_customer_is_said_to_be_of_is_no_mistake_of_the_price(world: World) -> None:
    sold(world)
    world.put("airtable/prices/2", sku="P-1", customer_group="key", currency="EUR", amount="8.00")
    world.put("hubspot/line_items/1", of="hubspot/deals/1", sku="p 1", quantity="1", unit_price="8.00", currency="EUR")
    wrong, apart = ("price_group", "hubspot/line_items/1"), ("value_differs", "salesforce/accounts/1")
    world.bring_up_to_date()
    assert world.kinds() == {wrong}
    world.put("salesforce/accounts/1", who=0, at="2020-01-01T08:00:00Z", name="Acme", customer_group="key")
    world.bring_up_to_date()
    assert wrong not in world.kinds()
    assert apart in world.kinds() or ("value_differs", "hubspot/companies/1") in world.kinds()
    world.delete("salesforce/accounts/1")
    world.bring_up_to_date()
    assert world.kinds() == {wrong}


def test_a_buyer_of_no_account_pays_as_the_firm_at_the_domain_of_their_mailbox(world: World) -> None:
    sold(world, group="key")
    world.put("airtable/prices/2", sku="P-1", customer_group="standard", currency="EUR", amount="9.00")
    world.put("hubspot/contacts/1", who=1, last_name="Ek", email="e@acme.fi")
    world.put("hubspot/deals/1", contact="hubspot/contacts/1", closes_on=DAY)
    steps: list[tuple[dict[str, str | None], str, set[tuple[str, str]]]] = [
        ({}, "10.00", set()),  # nobody knows the group: it may be any
        ({"domain": "acme.fi"}, "10.00", set()),
        ({"domain": "acme.fi"}, "9.00", {("price_group", "hubspot/line_items/1")}),
        ({"domain": "acme.fi", "customer_group": "standard"}, "9.00", set()),
        ({"domain": "other.fi", "customer_group": "key"}, "9.00", set()),
        ({"domain": "acme.fi", "customer_group": "key"}, "9.00", {("price_group", "hubspot/line_items/1")}),
    ]
    for company, paid, expected in steps:
        world.put("hubspot/companies/1", **{"name": "Acme", "customer_group": "key"} | company)
        line = {"of": "hubspot/deals/1", "sku": "p 1", "quantity": "1", "unit_price": paid, "currency": "EUR"}
        world.put("hubspot/line_items/1", **line)
        world.bring_up_to_date()
        assert world.kinds() == expected, (company, paid)
    world.belongs("hubspot/companies/1", 2)
    world.delete("hubspot/companies/1")
    world.bring_up_to_date()
    assert world.kinds() == set(), "nobody is left at that domain"


def test_a_price_that_ends_is_noticed_on_the_day_though_nothing_changed(world: World) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    world.put("shopify/variants/1", sku="P-1", name="Pump", status="active", price="10.00", currency="EUR")
    until = {"valid_to": DAY}
    listed = {"sku": "P-1", "customer_group": "standard", "currency": "EUR"}
    world.put("airtable/prices/1", amount="10.00", **listed, **until)
    world.put("airtable/prices/2", amount="11.00", valid_from="2026-01-06", **listed)
    world.bring_up_to_date()
    assert world.kinds() == set()
    world.day = "2026-01-06"
    world.bring_up_to_date()
    assert world.kinds() == {("price_expired", "shopify/variants/1")}


def test_the_library_of_marketing_and_its_offers_follow_what_the_master_asks_for_and_has_on(world: World) -> None:
    goods = {"sku": "P-1", "name": "Pump", "status": "active"}
    listed = {"sku": "P-1", "customer_group": "dealer", "currency": "EUR"}
    may = {"code": "MAY", "sku": "P-1", "customer_group": "dealer", "discount": "10"}
    world.put("airtable/products/1", **goods)
    world.put("airtable/prices/1", amount="10.00", **listed | {"customer_group": "standard"})
    world.put("airtable/prices/2", amount="8.00", **listed)
    world.put("airtable/promotions/1", **may)
    world.put("hubspot/products/1", price="10.00", currency="EUR", **goods)
    world.put("hubspot/campaign_offers/1", price="7.20", currency="EUR", valid_to="2026-01-31", **may)
    library, offer = "hubspot/products/1", "hubspot/campaign_offers/1"
    valve = {"who": 2, "sku": "P-2", "name": "Valve", "status": "active"}
    world.put("airtable/products/2", **valve)
    world.read_whole("hubspot", "products")
    world.bring_up_to_date()
    assert world.kinds() == set(), "nobody says that marketing has to have all"
    world.put("airtable/prices/1", amount="11.00", **listed | {"customer_group": "standard"})
    world.put("airtable/prices/2", amount="9.00", **listed)
    world.put("airtable/products/2", **valve | {"sold_in": "HubSpot"})
    world.bring_up_to_date()
    missing = ("product_missing", "airtable/products/2")
    assert world.kinds() == {("price_differs", library), ("price_differs", offer), missing}
    world.put("airtable/promotions/1", **may | {"discount": "20"})
    world.bring_up_to_date()
    assert world.kinds() == {("price_differs", library), ("promotion_differs", offer), missing}, "one cause, told once"


def test_a_link_breaks_and_heals_with_what_it_points_to(world: World) -> None:
    sold(world)
    world.put("hubspot/companies/2", who=2, name="Other")
    world.bring_up_to_date()
    world.delete("hubspot/companies/1")
    world.bring_up_to_date()
    assert world.kinds() == {("orphan_link", "hubspot/deals/1")}
    world.put("hubspot/companies/1", name="Acme", customer_group="standard")
    world.bring_up_to_date()
    assert world.kinds() == set()


def test_links_into_a_stream_are_judged_from_the_first_time_it_is_read(world: World) -> None:
    world.put("hubspot/deals/1", account="hubspot/companies/1", closes_on=DAY)
    world.bring_up_to_date()
    assert world.kinds() == set()
    world.put("hubspot/companies/2", who=2, name="Other")
    world.bring_up_to_date()
    assert world.kinds() == {("orphan_link", "hubspot/deals/1")}
    world.delete("hubspot/companies/2")
    world.bring_up_to_date()
    assert world.kinds() == set()


def test_a_golden_record_follows_its_parent_when_that_is_another_customer_now(world: World) -> None:
    world.put("salesforce/accounts/1", who=1, name="Group")
    world.put("salesforce/accounts/2", who=2, name="Branch", parent="salesforce/accounts/1")
    world.put("salesforce/accounts/3", who=3, name="Group GmbH")
    world.bring_up_to_date()
    world.belongs("salesforce/accounts/1", 3)
    world.bring_up_to_date()
    assert json.loads(world.believed()["account_2"][1])["parent"] == "account_3"


def test_other_masters_are_other_findings_everywhere(world: World) -> None:
    sold(world, paid="11.00")
    world.bring_up_to_date()
    assert world.kinds() == {("price_differs", "hubspot/line_items/1")}
    world.hub = Hub(world.store, CONNECTORS, lambda _: {}, rules=Rules(masters=frozenset({"nobody"})))
    world.bring_up_to_date()
    assert ("price_differs", "hubspot/line_items/1") not in world.kinds()


def test_what_is_left_of_a_compare_that_died_is_taken_up_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(world)
    world.bring_up_to_date()
    world.put("airtable/products/1", sku="P-2", name="Pump", status="active")

    def die(what: str, done: int, total: int) -> None:
        if what == "compare links, prices and service":
            raise KeyboardInterrupt

    world.hub = Hub(world.store, CONNECTORS, lambda _: {}, rules=world.hub.rules, progress=die)
    with pytest.raises(KeyboardInterrupt):
        world.bring_up_to_date()
    assert world.kinds() == set()
    world.hub = Hub(world.store, CONNECTORS, lambda _: {}, rules=world.hub.rules)
    world.bring_up_to_date()
    assert world.kinds() == {("sku_unknown", "hubspot/line_items/1")}


def test_two_of_one_sku_are_told_of_when_the_second_comes_and_no_more_when_it_goes(world: World) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    one = {"sku": "P-1", "name": "Pump", "status": "active"}
    world.put("shopify/variants/1", **one)
    world.bring_up_to_date()
    assert world.kinds() == set()
    world.put("shopify/variants/2", **one | {"sku": "p 1"})
    world.bring_up_to_date()
    assert world.kinds() == {("sku_duplicate", "shopify/variants/1"), ("sku_duplicate", "shopify/variants/2")}
    world.put("shopify/variants/2", **one | {"sku": "P-2"})
    world.put("airtable/products/2", who=1, sku="P-2", name="Pump", status="active")
    world.bring_up_to_date()
    assert {kind for kind, _ in world.kinds()} & {"sku_duplicate", "sku_unknown"} == set()


def test_a_second_list_of_the_master_contradicts_the_first_until_one_ends(world: World) -> None:
    sold(world)
    row = {"sku": "P-1", "customer_group": "standard", "currency": "EUR"}
    year = {"valid_from": "2026-01-01", "valid_to": "2026-12-31"}
    world.put("airtable/prices/1", amount="10.00", **row, **year)
    world.bring_up_to_date()
    assert world.kinds() == set()
    world.put("airtable/prices/2", amount="11.00", **row, **year)
    world.bring_up_to_date()
    assert world.kinds() == {("price_overlap", "airtable/prices/2")}
    world.put("airtable/prices/1", amount="10.00", **row, valid_from="2025-01-01", valid_to="2025-12-31")
    world.bring_up_to_date()
    assert world.kinds() == {("price_expired", "hubspot/line_items/1")}


def test_a_promotion_begins_and_ends_though_nothing_changed(world: World) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    world.put("airtable/prices/1", sku="P-1", customer_group="standard", currency="EUR", amount="10.00")
    about = {"sku": "P-1", "discount": "20", "valid_from": "2026-01-06", "valid_to": "2026-01-06"}
    world.put("airtable/promotions/1", **about)
    world.put("shopify/variants/1", sku="P-1", name="Pump", status="active", price="8.00", currency="EUR")
    seen = []
    for world.day in ("2026-01-05", "2026-01-06", "2026-01-07"):
        world.bring_up_to_date()
        seen.append(("price_differs", "shopify/variants/1") in world.kinds())
    assert seen == [True, False, True]


MISSING = ("product_missing", "airtable/products/1")


@pytest.mark.long
def test_what_is_to_be_sold_is_missing_once_all_that_is_sold_was_seen_and_until_it_is_offered(world: World) -> None:
    pump = {"sku": "P-1", "gtin": "4006381333931", "name": "Pump", "status": "active"}
    world.put("airtable/products/1", **pump, sold_in="E-Commerce;Field sales")
    world.put("shopify/variants/9", who=9, sku="P-9", name="Valve", status="active")
    world.bring_up_to_date()
    assert MISSING not in world.kinds(), "nobody has seen all that is sold"
    world.read_whole("shopify", "products")
    world.bring_up_to_date()
    assert MISSING in world.kinds()
    for known_by in ({"sku": "p 1"}, {"gtin": pump["gtin"]}, {"sku": "P-X", "name": "pump"}):
        world.put("shopify/variants/1", **{"name": "Other", "status": "active"} | known_by)
        world.bring_up_to_date()
        assert MISSING not in world.kinds()
        world.put("shopify/variants/1", sku="P-2", name="Other", status="active")
        world.bring_up_to_date()
        assert MISSING in world.kinds()
    world.put("airtable/products/1", **pump | {"status": "discontinued"}, sold_in="E-Commerce")
    world.bring_up_to_date()
    assert MISSING not in world.kinds()


def test_a_channel_is_the_system_the_masters_table_of_channels_says(world: World) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active", sold_in="Web shop")
    world.read_whole("shopify", "products")
    world.bring_up_to_date()
    assert MISSING not in world.kinds()
    world.put("airtable/channels/1", name="Web shop", system="Shopify")
    world.bring_up_to_date()
    assert MISSING in world.kinds()


def promised(world: World, hours: str, **more: str) -> None:
    world.put("airtable/standards/1", channel="email", first_answer_hours=hours, solution_hours="60", **more)


def asked(world: World, at: str, **more: str) -> None:
    world.put("zendesk/tickets/1", channel="email", status="open", opened_at=at, **more)


PROMISED = {"sku": "p 1", "quantity": "5", "promised_price": "10.00", "currency": "EUR"}


def test_a_promise_in_a_ticket_is_judged_again_when_the_list_or_the_customers_group_changes(world: World) -> None:
    listed = {"sku": "P-1", "currency": "EUR"}
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    world.put("airtable/prices/1", customer_group="standard", amount="10.00", **listed)
    world.put("zendesk/organizations/1", name="Acme", customer_group="standard")
    world.put("zendesk/tickets/1", account="zendesk/organizations/1", opened_at="2026-01-05T11:00:00Z", **PROMISED)
    world.put("zendesk/tickets/2", account="zendesk/organizations/1", opened_at="2026-01-05T11:00:00Z", sku="P-9")
    seen = []
    for amount, group in (("10.00", "standard"), ("12.00", "standard"), ("10.00", "standard"), ("10.00", "key")):
        world.put("airtable/prices/1", customer_group="standard", amount=amount, **listed)
        world.put("airtable/prices/2", customer_group="key", amount="8.00", **listed)
        world.put("zendesk/organizations/1", name="Acme", customer_group=group)
        world.bring_up_to_date()
        seen.append(world.kinds())
    about = "zendesk/tickets/1"
    assert seen == [set(), {("price_differs", about)}, set(), {("price_group", about)}]
    world.put("airtable/products/1", sku="P-2", name="Pump", status="active")
    world.bring_up_to_date()
    assert ("sku_unknown", about) in world.kinds()
    world.put(about, account="zendesk/organizations/1", opened_at="2026-01-05T11:00:00Z")
    world.bring_up_to_date()
    assert world.kinds() == set()


def test_a_ticket_becomes_late_though_nothing_changed(store_url: str) -> None:
    world = World(store_url)
    promised(world, "24")
    asked(world, "2026-01-05T11:00:00Z")
    seen = []
    for world.day in ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-05"):
        world.bring_up_to_date()
        seen.append({kind for kind, _ in world.kinds()})
    late = {"answer_late", "solution_late"}
    assert seen == [set(), {"answer_late"}, {"answer_late"}, late, set()], "and with a clock put back it is not"
    world.store.close()


def test_an_answer_in_time_takes_a_ticket_out_of_those_that_wait(world: World) -> None:
    promised(world, "24")
    asked(world, "2026-01-05T11:00:00Z")
    world.bring_up_to_date()
    asked(world, "2026-01-05T11:00:00Z", answered_at="2026-01-05T14:00:00Z", solved_at="2026-01-06T10:00:00Z")
    for world.day in ("2026-01-06", "2026-01-09"):
        world.bring_up_to_date()
        assert world.kinds() == set()
    assert not [link for link in world.links() if link[0].startswith("zendesk/tickets/")]


def test_another_standard_is_held_against_the_tickets_that_were_there(world: World) -> None:
    asked(world, "2026-01-05T02:00:00Z", answered_at="2026-01-05T10:00:00Z")
    seen = []
    for hours, more in (("24", {}), ("4", {}), ("4", {"valid_from": "2026-01-06"})):
        promised(world, hours, **more)
        world.bring_up_to_date()
        seen.append(world.kinds())
    world.delete("airtable/standards/1")
    world.bring_up_to_date()
    assert [*seen, world.kinds()] == [set(), {("answer_late", "zendesk/tickets/1")}, set(), set()]


OFFER = {"code": "may", "discount": "20", "skus": "P-1", "customer_group": "key", "valid_from": "2026-01-04",
         "valid_to": "2026-01-08"}  # fmt: skip


def test_an_offer_is_judged_again_when_its_promotion_comes_changes_and_goes(world: World) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    world.put("airtable/products/2", who=1, sku="P-2", name="Valve", status="active")
    world.put("airtable/promotions/2", code="OTHER")
    world.put("shopify/discounts/1", **OFFER)
    promotion = {"code": "MAY", "sku": "P-1", "customer_group": "key", "discount": "20", "valid_to": "2026-01-08"}
    seen = []
    for now in (
        None,
        promotion,
        promotion | {"sku": "P-2"},
        promotion | {"discount": "25"},
        promotion,
        {"code": "JUNE"},
    ):
        if now:
            world.put("airtable/promotions/1", **now)
        world.bring_up_to_date()
        seen.append({kind.removeprefix("promotion_") for kind, ref in world.kinds() if ref == "shopify/discounts/1"})
    assert seen == [{"unknown"}, set(), {"product"}, {"differs"}, set(), {"unknown"}]


def test_no_offer_is_unknown_to_a_master_that_says_nothing_of_promotions(world: World) -> None:
    world.put("shopify/discounts/1", code="MAY")
    seen = []
    for code in (None, "JUNE", None):
        if code:
            world.put("airtable/promotions/1", code=code)
        else:
            world.delete("airtable/promotions/1")
        world.bring_up_to_date()
        seen.append(world.kinds())
    assert seen == [set(), {("promotion_unknown", "shopify/discounts/1")}, set()]


def test_an_offer_to_a_customer_is_judged_again_when_that_one_is_in_another_group_or_its_list_changes(
    world: World,
) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    listed = {"sku": "P-1", "customer_group": "key", "currency": "EUR"}
    world.put("airtable/prices/1", amount="10.00", **listed)
    world.put("airtable/promotions/1", code="MAY", sku="P-1", customer_group="key", discount="20")
    world.put("portal/accounts/1", name="Acme", customer_group="key")
    about = {"account": "portal/accounts/1", "price": "8.00", "currency": "EUR"}
    world.put("portal/offers/1", code="MAY", sku="P-1", discount="20", **about)
    world.bring_up_to_date()
    assert world.kinds() == set()
    world.put("airtable/prices/1", amount="11.00", **listed)
    world.bring_up_to_date()
    assert world.kinds() == {("price_differs", "portal/offers/1")}
    world.put("portal/accounts/1", name="Acme", customer_group="dealer")
    world.bring_up_to_date()
    assert world.kinds() == {("promotion_group", "portal/offers/1")}


def test_an_amount_is_judged_again_when_the_price_it_is_a_share_of_changes(world: World) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    world.put("airtable/promotions/1", code="MAY", sku="P-1", customer_group="key", discount="20")
    said = {"code": "MAY", "skus": "P-1", "customer_groups": "key"}
    world.put("shopify/discounts/1", discount_amount="2.00", currency="EUR", **said)
    seen = []
    for amount in ("10.00", "11.00", None, "10.00"):
        if amount:
            world.put("airtable/prices/1", sku="P-1", customer_group="key", currency="EUR", amount=amount)
        else:
            world.delete("airtable/prices/1")
        world.bring_up_to_date()
        seen.append(world.kinds())
    assert seen == [set(), {("promotion_differs", "shopify/discounts/1")}, set(), set()]


def test_an_offer_to_some_people_is_judged_again_when_one_of_them_is_of_another_company(world: World) -> None:
    world.put("airtable/promotions/1", code="MAY", customer_group="key")
    for n, group in enumerate(("key", "dealer")):
        world.put(f"salesforce/accounts/{n}", who=n, name=f"Firm {n}", customer_group=group)
    for n in (1, 2):
        world.put(f"shopify/customers/{n}", who=n, last_name="Ek")
    world.put("shopify/discounts/1", code="MAY", contacts="shopify/customers/1;shopify/customers/2")
    seen = []
    for firm in ("0", "1", "0"):
        world.put("salesforce/contacts/2", who=2, last_name="Ek", account=f"salesforce/accounts/{firm}")
        world.bring_up_to_date()
        seen.append(("promotion_group", "shopify/discounts/1") in world.kinds())
    world.put("salesforce/accounts/0", who=0, name="Firm 0", customer_group="standard")
    world.bring_up_to_date()
    assert [*seen, ("promotion_group", "shopify/discounts/1") in world.kinds()] == [False, True, False, True]


def test_an_offer_is_judged_by_the_day_when_its_promotion_or_itself_is_over(world: World) -> None:
    world.put("airtable/promotions/1", code="MAY", valid_to="2026-01-06")
    world.put("shopify/discounts/1", code="MAY")  # without days
    world.put("shopify/discounts/2", code="MAY", ends_at="2026-01-07T22:59:59Z")
    seen = []
    for world.day in ("2026-01-06", "2026-01-07", "2026-01-08"):
        world.bring_up_to_date()
        seen.append({ref[-1] for kind, ref in world.kinds() if kind == "promotion_expired"})
    assert seen == [{"2"}, {"1", "2"}, {"1"}]


@pytest.mark.parametrize(
    ("system", "quotes", "lines"),
    [("portal", "quotes", "quote_lines"), ("salesforce", "opportunities", "opportunity_lines")],
)
def test_a_quotes_line_is_judged_again_when_its_customer_its_day_or_its_list_changes(
    world: World, system: str, quotes: str, lines: str
) -> None:
    account, deal, one = f"{system}/accounts/1", f"{system}/{quotes}/1", f"{system}/{lines}/1"
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    for n, (group, amount, last) in enumerate((("key", "8.00", "2026-06-30"), ("key", "9.00", None),
                                               ("standard", "10.00", None)), 1):  # fmt: skip
        first = "2026-07-01" if amount == "9.00" else None
        listed = {"sku": "P-1", "customer_group": group, "currency": "EUR", "amount": amount}
        world.put(f"airtable/prices/{n}", valid_from=first, valid_to=last, **listed)
    world.put(account, name="Acme", customer_group="key")
    quote = {"account": account, "stage": "quoted"}
    line = {"of": deal, "sku": "p 1", "quantity": "1", "currency": "EUR"}
    world.put(deal, closes_on="2026-06-30", **quote)
    world.put(one, unit_price="8.00", **line)
    seen = []
    for what, told in (
        (account, {"name": "Acme", "customer_group": "key"}),
        (account, {"name": "Acme", "customer_group": "standard"}),
        (account, {"name": "Acme", "customer_group": "key"}),
        (deal, {**quote, "closes_on": "2026-07-01"}),
        ("airtable/prices/2", {"sku": "P-1", "customer_group": "key", "currency": "EUR", "amount": "8.00"}),
        (one, {**line, "unit_price": "7.00"}),
    ):
        world.put(what, **told)
        world.bring_up_to_date()
        seen.append({kind for kind, ref in world.kinds() if ref == one})
    assert seen == [set(), {"price_group"}, set(), {"price_expired"}, set(), {"price_differs"}]


def test_what_lies_in_a_cart_is_judged_again_when_it_is_changed_taxed_bought_or_its_customer_is_another(
    world: World,
) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    for n, (group, amount, last) in enumerate((("key", "8.00", "2026-06-30"), ("key", "9.00", None),
                                               ("standard", "10.00", None)), 1):  # fmt: skip
        first = "2026-07-01" if amount == "9.00" else None
        listed = {"sku": "P-1", "customer_group": group, "currency": "EUR", "amount": amount}
        world.put(f"airtable/prices/{n}", valid_from=first, valid_to=last, **listed)
    world.put("salesforce/accounts/1", name="Acme", customer_group="key")
    cart = {"account": "salesforce/accounts/1", "changed_at": "2026-06-30T10:00:00Z"}
    world.put("shopify/carts/1", **cart)
    world.put("shopify/cart_lines/1", of="shopify/carts/1", sku="p 1", quantity="1", currency="EUR", unit_price="8.00")
    seen = []
    for what, told in (
        ("shopify/carts/1", cart),
        ("salesforce/accounts/1", {"name": "Acme", "customer_group": "standard"}),
        ("salesforce/accounts/1", {"name": "Acme", "customer_group": "key"}),
        ("shopify/carts/1", cart | {"changed_at": "2026-07-01T10:00:00Z"}),
        ("shopify/carts/1", cart | {"tax_included": "true", "tax_rate": "25"}),
        ("shopify/carts/1", cart | {"tax_included": "true", "tax_rate": "25", "ordered_at": "2026-07-02T10:00:00Z"}),
    ):
        world.put(what, **told)
        world.bring_up_to_date()
        seen.append({kind for kind, ref in world.kinds() if ref == "shopify/cart_lines/1"})
    assert seen == [set(), {"price_group"}, set(), {"price_expired"}, {"price_tax"}, set()]


def test_a_channels_own_list_is_judged_again_when_the_masters_or_the_day_is_another(world: World) -> None:
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    listed = {"sku": "P-1", "customer_group": "key", "currency": "EUR"}
    world.put("airtable/prices/1", amount="8.00", valid_to="2026-01-06", **listed)
    world.put("airtable/prices/2", amount="9.00", valid_from="2026-01-07", **listed)
    world.put("portal/lists/1", amount="8.00", **listed)
    world.put("portal/lists/2", amount="9.00", valid_from="2026-01-07", **listed)
    world.put("portal/lists/3", amount="7.00", valid_to="2026-01-06", **listed)
    seen = []
    for world.day in ("2026-01-06", "2026-01-07"):
        world.bring_up_to_date()
        seen.append(world.kinds())
    assert seen == [{("price_differs", "portal/lists/3")}, {("price_expired", "portal/lists/1")}]
    world.put("airtable/prices/2", amount="8.00", valid_from="2026-01-07", **listed)
    world.bring_up_to_date()
    assert world.kinds() == {("price_differs", "portal/lists/2")}
    world.delete("airtable/products/1")
    world.bring_up_to_date()
    unknown = {("sku_unknown", f"portal/lists/{n}") for n in (1, 2)}
    assert world.kinds() == unknown | {("price_differs", "portal/lists/2")}


def ordered(world: World) -> None:
    """An order of the shop with a line, on a shelf that has enough, as the CRM and a ticket tell of it."""
    ours = {"status": "open", "stock_point": "Ulm", "transport_mode": "air"}
    world.put("airtable/products/1", sku="P-1", name="Pump", status="active")
    world.put("shopify/orders/1", at="2026-01-01T08:00:00Z", number="#1001", **ours)
    world.put("shopify/order_lines/1", of="shopify/orders/1", sku="P-1", quantity="3")
    world.put("shopify/inventory_levels/1", sku="p 1", stock_point="Ulm", quantity="3")
    world.put("salesforce/orders/1", at="2026-01-01T09:00:00Z", number="1001", **ours)
    world.put("zendesk/tickets/1", at="2026-01-01T09:00:00Z", order="1001", order_status="open")


def test_a_change_of_one_copy_of_an_order_judges_the_others_again(world: World) -> None:
    ordered(world)
    world.bring_up_to_date()
    assert world.kinds() == set()
    world.put("shopify/orders/1", at="2026-01-01T08:00:00Z", number="#1001", status="cancelled")
    world.put("zendesk/tickets/1", at="2026-01-03T09:00:00Z", order="1001", order_status="open")
    world.bring_up_to_date()
    told = {("order_state_differs", ref) for ref in ("salesforce/orders/1", "zendesk/tickets/1")}
    assert world.kinds() == told
    world.put("salesforce/orders/1", at="2026-01-01T09:00:00Z", number="1002", status="open")
    world.delete("zendesk/tickets/1")
    world.bring_up_to_date()
    assert world.kinds() == set()


def test_a_shelf_or_a_line_that_changes_judges_the_order(world: World) -> None:
    ordered(world)
    world.bring_up_to_date()
    short = {("order_stock", "shopify/orders/1")}
    seen = []
    for what, told in (
        ("shopify/inventory_levels/1", {"sku": "P-1", "stock_point": "Ulm", "quantity": "2"}),
        ("shopify/order_lines/1", {"of": "shopify/orders/1", "sku": "P-1", "quantity": "2"}),
        ("shopify/order_lines/2", {"of": "shopify/orders/1", "sku": "P-1", "quantity": "1"}),
        ("shopify/inventory_levels/1", {"sku": "P-2", "stock_point": "Ulm", "quantity": "2"}),
    ):
        world.put(what, **told)
        world.bring_up_to_date()
        seen.append(world.kinds())
    assert seen == [short, set(), short, set()]


def test_a_line_makes_another_copy_the_one_that_is_believed(world: World) -> None:
    ordered(world)
    world.put("salesforce/orders/1", at="2026-01-01T09:00:00Z", number="1001", status="open", transport_mode="sea")
    world.bring_up_to_date()
    assert world.kinds() == {("order_delivery_differs", "salesforce/orders/1")}
    world.delete("shopify/order_lines/1")
    world.put("shopify/order_lines/2", of="salesforce/orders/1", sku="P-1", quantity="1")
    world.bring_up_to_date()
    assert world.kinds() - {("orphan_link", "shopify/order_lines/2")} == {
        ("order_delivery_differs", "shopify/orders/1")
    }


def test_what_was_late_is_wrong_when_the_day_has_passed_though_nothing_changed(world: World) -> None:
    ordered(world)
    world.put("shopify/orders/1", at="2026-01-05T08:00:00Z", number="#1001", status="shipped")
    seen = []
    for world.day in ("2026-01-05", "2026-01-06", "2026-01-07"):
        world.bring_up_to_date()
        seen.append(("order_state_differs", "salesforce/orders/1") in world.kinds())
    assert seen == [False, False, True]


# -- any history -------------------------------------------------------------------------------------------------------

few = st.integers(0, 2)
skus = st.sampled_from(["P-1", "p 1", "P-2", None])
days = st.sampled_from([None, "2026-01-03", "2026-01-06", "2026-01-09"])
groups = st.sampled_from([None, "standard", "key"])
codes = st.sampled_from([None, "MAY", "may ", "JUNE"])
moments = days.map(lambda day: day and f"{day}T22:00:00Z")
domains = st.sampled_from(["acme.fi", "ek.fi", "gmail.com", None])
mailboxes = domains.map(lambda domain: domain and f"a@{domain}")
money = st.sampled_from(["8.00", "10.00", None])
numbers = st.sampled_from(["#1001", "1001", "1002", None])
states = st.sampled_from(["open", "shipped", "delivered", "cancelled", None])
places = st.sampled_from(["Ulm", "ULM", "Lyon", None])
stamps = st.sampled_from(["2026-01-02T08:00:00Z", "2026-01-04T08:00:00Z", "2026-01-08T08:00:00Z", None])


def link(to: str) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.integers(0, 3).map(lambda n: f"{to}/{n}"))


def record(stream: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just("put"), few.map(lambda n: f"{stream}/{n}"), st.fixed_dictionaries({"who": few, **fields}))


CURRENCY = st.just("EUR")
amounts = st.sampled_from([None, "2.00", "3.00"])
several = st.sampled_from([None, "standard", "key", "key;standard"])
people = st.lists(st.integers(0, 3), max_size=2).map(
    lambda some: ";".join(f"shopify/customers/{n}" for n in some) or None
)
stamps = st.sampled_from(["2026-01-02T10:00:00Z", "2026-01-04T23:30:00Z", "2026-01-06T10:00:00Z", None])
RECORDS = (
    record("airtable/products", sku=skus, name=st.just("Pump"), status=st.sampled_from(["active", "draft"]),
           sold_in=st.sampled_from([None, "Shopify"])),
    record("airtable/standards", channel=st.sampled_from(["email", "web"]), valid_from=days,
           first_answer_hours=st.sampled_from(["8", "50"]), solution_hours=st.sampled_from(["48", None])),
    record("zendesk/tickets", channel=st.sampled_from(["email", "web"]), status=st.sampled_from(["open", "closed"]),
           opened_at=moments, answered_at=moments, solved_at=st.sampled_from([None, None, "2026-01-06T12:00:00Z"])),
    record("airtable/products", sku=skus, name=st.just("Pump"), status=st.sampled_from(["active", "draft"])),
    record("airtable/prices", sku=skus, customer_group=groups, currency=CURRENCY, amount=money, valid_from=days,
           valid_to=days, min_quantity=st.sampled_from(["1", "5"]), tax_included=st.sampled_from([None, None, "true"])),
    record("airtable/promotions", sku=skus, customer_group=groups, discount=st.sampled_from([None, "20"]),
           discount_amount=amounts, currency=CURRENCY, valid_from=days, valid_to=days, code=codes, name=codes),
    record("shopify/discounts", code=codes, name=codes, skus=skus, customer_groups=several, ends_at=moments,
           starts_at=moments, discount=st.sampled_from([None, "20", "25"])),
    record("shopify/discounts", code=codes, skus=skus, contacts=people, discount_amount=amounts, currency=CURRENCY,
           gives=st.sampled_from(["discount", "app", "goods"])),
    record("portal/offers", code=codes, sku=skus, customer_group=groups, account=link("portal/accounts"), price=money,
           currency=CURRENCY, discount=st.sampled_from([None, "20"]), valid_from=days, valid_to=days),
    record("portal/accounts", name=st.sampled_from(["Acme", "Ek"]), customer_group=groups),
    record("shopify/variants", sku=skus, name=st.sampled_from(["Pump", "Valve"]), status=st.just("active"), price=money,
           currency=CURRENCY),
    record("hubspot/products", sku=skus, name=st.sampled_from(["Pump", "Valve"]), price=money, currency=CURRENCY,
           status=st.sampled_from(["active", "discontinued"])),
    record("hubspot/campaign_offers", code=codes, sku=skus, customer_group=groups, price=money, currency=CURRENCY,
           discount=st.sampled_from([None, "20"]), valid_to=days),
    record("salesforce/accounts", name=st.sampled_from(["Acme", "Ek"]), customer_group=groups,
           parent=link("salesforce/accounts")),
    record("hubspot/companies", name=st.sampled_from(["Acme", "Ek"]), customer_group=groups, domain=domains),
    record("salesforce/contacts", last_name=st.sampled_from(["Ek", "Oy"]), account=link("salesforce/accounts")),
    record("shopify/customers", last_name=st.sampled_from(["Ek", "Oy"]), email=mailboxes),
    record("shopify/orders", contact=link("shopify/customers"), ordered_at=days, number=numbers, at=stamps,
           status=states, stock_point=places, delivered_at=stamps),
    record("shopify/order_lines", of=link("shopify/orders"), sku=skus, unit_price=money, currency=CURRENCY,
           quantity=st.sampled_from(["1", "5"])),
    record("shopify/inventory_levels", sku=skus, stock_point=places, quantity=st.sampled_from(["0", "3", "9"])),
    record("salesforce/orders", number=numbers, at=stamps, status=states, stock_point=places),
    record("zendesk/tickets", order=numbers, at=stamps, order_status=states),
    record("zendesk/tickets", sku=skus, quantity=st.sampled_from(["1", "5"]), promised_price=money, currency=CURRENCY,
           contact=link("hubspot/contacts"), account=link("salesforce/accounts"), opened_at=moments,
           answered_at=moments),
    record("hubspot/deals", account=link("hubspot/companies"), contact=link("hubspot/contacts"), closes_on=days),
    record("hubspot/line_items", of=link("hubspot/deals"), sku=skus, unit_price=money, quantity=st.just("5"),
           currency=CURRENCY),
    record("shopify/carts", contact=link("shopify/customers"), changed_at=moments,
           ordered_at=st.sampled_from([None, None, "2026-01-06T12:00:00Z"]),
           tax_included=st.sampled_from([None, "true"]),
           tax_rate=st.sampled_from([None, "25"])),
    record("shopify/cart_lines", of=link("shopify/carts"), sku=skus, unit_price=money, currency=CURRENCY,
           quantity=st.sampled_from(["1", "5"])),
    record("portal/quotes", account=link("portal/accounts"), contact=link("portal/users"), closes_on=days),
    record("portal/quote_lines", of=link("portal/quotes"), sku=skus, unit_price=money, quantity=st.just("5"),
           currency=CURRENCY),
    record("portal/lists", sku=skus, customer_group=groups, currency=CURRENCY, amount=money, valid_from=days,
           valid_to=days, min_quantity=st.sampled_from([None, "5"])),
    record("salesforce/opportunities", account=link("salesforce/accounts"), contact=link("salesforce/contacts"),
           closes_on=days),
    record("salesforce/opportunity_lines", of=link("salesforce/opportunities"), sku=skus, unit_price=money,
           quantity=st.just("5"), currency=CURRENCY),
)  # fmt: skip
REFS = [f"{system}/{stream}/{n}" for system, stream in ENTITY for n in range(3)]
GOLDEN_REFS = [r for r in REFS if ENTITY[Ref.parse(r).system, Ref.parse(r).stream] in GOLDEN]
OTHERWISE = (
    st.tuples(st.just("delete"), st.sampled_from(REFS)),
    st.tuples(st.just("belongs"), st.sampled_from(GOLDEN_REFS), few),
    st.tuples(st.just("pin"), few, few),
    st.tuples(st.just("day"), days.filter(bool)),
    st.tuples(st.just("read_whole"), st.just("shopify"), st.just("products")),
)
STEP = st.lists(st.one_of(*RECORDS, *RECORDS, *OTHERWISE), min_size=1, max_size=12)
HISTORY = st.lists(STEP, min_size=2, max_size=5)


def live(world: World, history: list[list[Any]]) -> None:
    for step in history:
        for what, *told in step:
            if what == "put":
                world.put(told[0], **told[1])
            elif what == "day":
                world.day = told[0]
            else:
                getattr(world, what)(*told)
        world.bring_up_to_date()


def holds(url: str, history: list[list[Any]]) -> None:
    world = World(url)
    try:
        live(world, history)
        followed = world.believed(), world.found(), world.links()
        world.forget()
        world.bring_up_to_date()
        assert followed == (world.believed(), world.found(), world.links())
    finally:
        world.store.close()


_numbers = itertools.count()
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # each history takes a second: that would be many minutes


@settings(max_examples=3, phases=NO_SHRINKING)
@given(history=HISTORY)
def test_following_every_change_comes_to_the_same_as_looking_once(
    tmp_path_factory: pytest.TempPathFactory, history: list[list[Any]]
) -> None:
    holds(f"sqlite:///{tmp_path_factory.getbasetemp()}/history_{next(_numbers)}.db", history)


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=60, phases=NO_SHRINKING)
@given(history=HISTORY)
def test_following_every_change_of_many_histories_comes_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, history: list[list[Any]]
) -> None:
    holds(f"sqlite:///{tmp_path_factory.getbasetemp()}/long_history_{next(_numbers)}.db", history)

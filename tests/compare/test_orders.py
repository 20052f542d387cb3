"""One order in several systems: which of them is believed, what contradicts it, and what is merely late."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from omnihub.compare.orders import BESIDE, COPIES, orders
from omnihub.sandbox.copies import LINKS, ROLES, Copy
from omnihub.sandbox.world import Error, World

TODAY = "2026-11-21"
LONG_AGO = "2026-10-01T12:00:00Z"


def told(ref: str, at: str = LONG_AGO, times: Mapping[str, str] | None = None, **fields: str) -> dict[str, Any]:
    """A record as it was told at a time; some of its values may have been told at others."""
    system, stream, _ = ref.split("/")
    since = dict.fromkeys(fields, at) | dict(times or {})
    entity = "ticket" if stream == "tickets" else "order"
    row = {"ref": ref, "system": system, "entity": entity}
    return row | {"fields": json.dumps(fields), "times": json.dumps(since)}


def shop(at: str = LONG_AGO, **fields: str) -> dict[str, Any]:
    """The shop's order, which has a line."""
    return told("shop/orders/1", at, **{"number": "#1001", "status": "shipped"} | fields)


def crm(at: str = LONG_AGO, **fields: str) -> dict[str, Any]:
    """The CRM's copy."""
    return told("crm/orders/1", at, **{"number": "1001"} | fields)


def ticket(at: str, state: str) -> dict[str, Any]:
    """What a customer was told when the ticket was last changed."""
    return told("desk/tickets/1", at, order="1001", order_status=state)


def line(quantity: str = "3", of: str = "shop/orders/1", sku: str = "P-1") -> dict[str, Any]:
    return {
        "ref": f"{of}-{sku}-{quantity}",
        "system": "shop",
        "fields": json.dumps({"of": of, "sku": sku, "quantity": quantity}),
    }


def shelf(place: str, quantity: str, sku: str = "p 1", system: str = "shop") -> dict[str, Any]:
    about = {"sku": sku, "stock_point": place, "quantity": quantity}
    return {"ref": f"{system}/levels/{place}-{sku}", "system": system, "fields": json.dumps(about)}


def findings(
    *copies: dict[str, Any], lines: Any = None, stock: Any = (), today: str = TODAY, believed: Sequence[str] = ()
) -> list[dict[str, Any]]:
    beside = [line()] if lines is None else lines
    tables = ((copies, COPIES), (beside, BESIDE), (stock, BESIDE))
    copies_, lines_, stock_ = (pa.Table.from_pylist(list(rows), schema=schema) for rows, schema in tables)
    return orders(copies_, lines_, stock_, today, believed).to_pylist()


def kinds(*copies: dict[str, Any], **beside: Any) -> set[tuple[str, str, str]]:
    return {(f["kind"], f["ref"], f["field"]) for f in findings(*copies, **beside)}


STATE = {("order_state_differs", "crm/orders/1", "status")}
TOLD = {("order_state_differs", "desk/tickets/1", "order_status")}


# -- state -------------------------------------------------------------------------------------------------------------


def test_a_copy_in_another_state_is_found_with_who_says_otherwise_since_when() -> None:
    [found] = findings(shop(), crm(status="open"))
    assert (found["kind"], found["ref"], found["theirs"], found["expected"]) == (
        "order_state_differs", "crm/orders/1", "open", "shipped",
    )  # fmt: skip
    detail = json.loads(found["detail"])
    assert (detail["winner"], detail["number"], detail["since"]) == ("shop", "#1001", "2026-10-01")


def test_the_same_state_and_silence_are_no_contradiction() -> None:
    assert kinds(shop(), crm(status="shipped")) == set()
    assert kinds(shop(), crm()) == set()
    assert kinds(shop(), crm(status="in limbo")) == set()


def test_a_time_of_delivery_says_delivered_where_the_system_has_no_word_for_it() -> None:
    delivered = shop(delivered_at="2026-09-30T08:00:00Z")
    assert kinds(delivered, crm(status="delivered")) == set()
    assert kinds(delivered, crm(status="shipped")) == STATE


@pytest.mark.parametrize(
    ("moved", "touched", "late"),
    [
        ("2026-11-21T08:00:00Z", "2026-11-15T08:00:00Z", True),  # moved on today, not heard of it yet
        ("2026-11-20T00:00:00Z", "2026-11-15T08:00:00Z", True),  # yesterday
        ("2026-11-19T23:59:59Z", "2026-11-15T08:00:00Z", False),  # a whole day has passed
        ("2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z", False),  # touched since, and still wrong
    ],
)
def test_a_copy_that_was_not_touched_since_has_until_the_end_of_the_next_day(
    moved: str, touched: str, late: bool
) -> None:
    assert kinds(shop(moved), crm(touched, status="open")) == (set() if late else STATE)


def test_it_counts_when_the_state_came_and_not_what_else_was_changed_since() -> None:
    since_long = told("shop/orders/1", "2026-11-21T08:00:00Z", {"status": LONG_AGO}, number="#1001", status="shipped")
    assert kinds(since_long, crm("2026-11-15T08:00:00Z", status="open")) == STATE


def test_the_first_to_know_of_a_delivery_may_be_another_for_a_day() -> None:
    assert kinds(shop(), crm("2026-11-21T08:00:00Z", status="delivered")) == set()
    assert kinds(shop(), crm("2026-11-18T08:00:00Z", status="delivered")) == STATE


@pytest.mark.parametrize(("ours", "theirs"), [("cancelled", "shipped"), ("shipped", "cancelled")])
def test_what_never_was_is_wrong_at_once(ours: str, theirs: str) -> None:
    now = "2026-11-21T08:00:00Z"
    assert kinds(shop(now, status=ours), crm("2026-11-20T08:00:00Z", status=theirs)) == STATE


@pytest.mark.parametrize(
    ("told_at", "state", "wrong"),
    [
        ("2026-09-20T08:00:00Z", "open", False),  # it was so then
        ("2026-09-20T08:00:00Z", "delivered", True),  # told too soon
        ("2026-09-29T20:00:00Z", "delivered", False),  # hours too soon
        ("2026-10-01T07:00:00Z", "shipped", False),  # hours too late
        ("2026-10-02T08:00:00Z", "shipped", True),
        ("2026-09-20T08:00:00Z", "cancelled", True),  # never was
        ("2026-10-20T08:00:00Z", "delivered", False),
    ],
)
def test_a_ticket_is_wrong_about_what_was_so_when_it_was_last_changed(told_at: str, state: str, wrong: bool) -> None:
    delivered = shop(delivered_at="2026-09-30T08:00:00Z")
    assert kinds(delivered, ticket(told_at, state)) == (TOLD if wrong else set())


# -- who is believed ---------------------------------------------------------------------------------------------------


def test_the_copy_with_the_lines_is_believed() -> None:
    full = crm(status="open", stock_point="Ulm", transport_mode="air", tracking="T1", delivery_point="Bonn")
    assert {f[1] for f in kinds(shop(), full)} == {"crm/orders/1"}
    assert {f[1] for f in kinds(shop(), full, lines=[line(of="crm/orders/1")])} == {"shop/orders/1"}


def test_without_lines_the_copy_that_tells_most_is_believed() -> None:
    full = crm(status="open", stock_point="Ulm", transport_mode="air")
    assert {f[1] for f in kinds(shop(), full, lines=[])} == {"shop/orders/1"}


def test_who_the_settings_name_first_is_believed_where_it_has_the_number() -> None:
    copies = (shop(), crm(status="cancelled"))
    assert {f[1] for f in kinds(*copies)} == {"crm/orders/1"}
    assert {f[1] for f in kinds(*copies, believed=["erp", "crm"])} == {"shop/orders/1"}
    assert {f[1] for f in kinds(*copies, believed=["shop", "crm"])} == {"crm/orders/1"}
    assert {f[1] for f in kinds(*copies, believed=["erp"])} == {"crm/orders/1"}, "who has no order tells nothing of it"


def test_a_number_its_system_has_twice_is_not_judged() -> None:
    twice = told("shop/orders/2", number="1001", status="open")
    assert kinds(shop(), twice, crm(status="open")) == set()


def test_numbers_meet_however_they_are_written_and_others_do_not() -> None:
    assert kinds(shop(number=" #so-17 "), crm(number="SO 17", status="open")) == STATE
    assert kinds(shop(number="#1001"), crm(number="10010", status="open")) == set()
    assert kinds(shop(number="#"), crm(number="-", status="open")) == set()


# -- delivery ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "same"),
    [
        ("delivery_point", "Hauptstr. 5 A, 10115 Berlin", "10115 BERLIN; Hauptstraße 5a", True),
        ("delivery_point", "Hauptstr. 5, 10115 Berlin", "Berlin", True),  # says less
        ("delivery_point", "Hauptstr. 5, 10115 Berlin", "Hauptstr. 6, 10115 Berlin", False),
        ("delivery_point", "Hauptstr. 5, 10115 Berlin", "Bonn", False),
        ("stock_point", "Poznań", "POZNAN", True),
        ("stock_point", "Ulm", "Lyon", False),
        ("transport_mode", "air", "Air", True),
        ("transport_mode", "air", "sea", False),
        ("tracking", "TRK00012345", "trk 0001-2345", True),
        ("tracking", "TRK00012345", "TRK00012354", False),
        ("delivered_at", "2026-09-30T08:00:00Z", "2026-09-30T22:00:00Z", True),
        ("delivered_at", "2026-09-30T08:00:00Z", "2026-09-27T08:00:00Z", False),
    ],
)
def test_from_where_to_where_and_how(field: str, ours: str, theirs: str, same: bool) -> None:
    expected = set() if same else {("order_delivery_differs", "crm/orders/1", field)}
    assert kinds(shop(status="delivered", **{field: ours}), crm(status="delivered", **{field: theirs})) == expected


def test_nobody_minds_where_a_cancelled_order_was_to_go() -> None:
    assert kinds(shop(status="cancelled", tracking="A1"), crm(status="cancelled", tracking="B1")) == set()


def test_another_way_that_was_chosen_today_is_late_elsewhere() -> None:
    now = "2026-11-21T08:00:00Z"
    assert kinds(shop(now, transport_mode="air"), crm(status="shipped", transport_mode="sea")) == set()
    later = kinds(shop(now, transport_mode="air"), crm(status="shipped", transport_mode="sea"), today="2026-11-23")
    assert later == {("order_delivery_differs", "crm/orders/1", "transport_mode")}


# -- stock -------------------------------------------------------------------------------------------------------------

SHORT = {("order_stock", "shop/orders/1", "stock_point")}
ENOUGH, FEW, ELSEWHERE = shelf("ULM", "3"), shelf("Ulm", "2"), shelf("Lyon", "9")


@pytest.mark.parametrize(
    ("status", "stock", "short"),
    [
        ("open", [ENOUGH], False),
        ("open", [FEW], True),
        ("open", [ELSEWHERE], True),
        ("open", [], False),  # nobody counts it
        ("shipped", [FEW], False),  # it is gone since
        ("shipped", [ELSEWHERE], True),
        ("delivered", [ELSEWHERE], True),
        ("cancelled", [ELSEWHERE], False),
    ],
)
def test_an_order_ships_from_where_there_is_enough(status: str, stock: list[dict[str, Any]], short: bool) -> None:
    assert kinds(shop(status=status, stock_point="Ulm"), stock=stock) == (SHORT if short else set())


def test_two_lines_of_one_product_ask_for_both_together() -> None:
    assert kinds(shop(status="open", stock_point="Ulm"), lines=[line("2"), line("1")], stock=[FEW]) == SHORT


def test_a_shortage_says_who_has_enough_and_is_one_with_others_of_the_same_shelf() -> None:
    [found] = findings(shop(status="open", stock_point="Ulm", total="80.00", currency="EUR"), stock=[FEW, ELSEWHERE])
    assert (found["theirs"], found["expected"]) == ("Ulm", "Lyon")
    detail = json.loads(found["detail"])
    assert (detail["cause"], detail["at_stake"], detail["sku"]) == ("stock:P-1 in Ulm", "80.00", "P-1")


def test_a_systems_own_shelves_count_before_those_of_others() -> None:
    assert kinds(shop(status="open", stock_point="Ulm"), stock=[FEW, shelf("Ulm", "50", system="wms")]) == SHORT
    assert kinds(shop(status="open", stock_point="Ulm"), stock=[shelf("Ulm", "50", system="wms")]) == set()


# -- the sandbox's world -----------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def held(copies: list[Copy], schema: pa.Schema) -> pa.Table:
    """Copies as refining would leave them."""
    rows = []
    for x in copies:
        links = LINKS.get((x.role, x.stream), {})
        fields = {
            name: f"{x.role}/{links[name]}/{value}" if name in links else value
            for name, value in x.fields.items()
            if value is not None
        }
        row = told(f"{x.role}/{x.stream}/{x.n}", x.updated_at, **fields)
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=schema)


def measured(customers: int, seed: int) -> tuple[set[Any], set[Any]]:
    """(what is found in a world, what was planted in it)."""
    world = World(customers, seed, NOW)
    by_stream = {(role, stream): [] for role, streams in ROLES.items() for stream in streams}
    for role in ("crm", "shop", "ticketing", "portal"):
        for x in world.copies(role):
            if not x.deleted:
                by_stream[role, x.stream].append(x)
    speaking = (("shop", "orders"), ("crm", "orders"), ("portal", "orders"), ("ticketing", "tickets"))
    copies = held([x for key in speaking for x in by_stream[key]], COPIES)
    beside = (held(by_stream["shop", stream], BESIDE) for stream in ("order_lines", "inventory_levels"))
    found = orders(copies, *beside, NOW.date().isoformat()).to_pylist()
    planted = {
        (e.kind, f"{e.at.role}/{e.at.stream}/{e.at.n}", e.field)
        for e in world.truths()
        if isinstance(e, Error) and e.kind.startswith("order_")
    }
    return {(f["kind"], f["ref"], f["field"]) for f in found}, planted


def judged(customers: int, seed: int) -> None:
    found, planted = measured(customers, seed)
    for kind in ("order_state_differs", "order_delivery_differs", "order_stock"):
        said, so = ({one for one in some if one[0] == kind} for some in (found, planted))
        assert len(so) > customers / 200
        assert len(said & so) / len(so) >= 0.99
        assert len(said & so) / len(said) >= 0.99


def test_what_was_planted_of_orders_is_found_and_nothing_else() -> None:
    judged(300, 3)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [101, 102, 103])
def test_what_was_planted_among_many_orders_is_found_and_nothing_else(seed: int) -> None:
    judged(20_000, seed)

"""What channels say of prices, orders and promotions, counted by hand next to what the scorecard counts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa

from omnihub.model import Entity
from omnihub.report import DIFFERING, HELD, by_phase
from omnihub.report.checked import CELLS, SAID, Checked
from omnihub.report.facts import FieldScore, PhaseScore
from omnihub.report.service import MEASURED

TODAY = "2026-05-10"
STREAMS = {
    "cart": "carts",
    "product": "goods",
    "line": "lines",
    "order": "orders",
    "deal": "deals",
    "promotion": "offers",
    "price": "prices",
}

MASTER = (
    ("erp/goods/1", "product", {"sku": "OM-1", "name": "Pump"}),
    ("erp/goods/2", "product", {"sku": "OM-2", "name": "Valve"}),
    ("erp/prices/1", "price", {"sku": "OM-1", "currency": "EUR", "amount": "10.00", "valid_from": "2026-01-01"}),
    (
        "erp/prices/2",
        "price",
        {"sku": "OM-2", "currency": "EUR", "valid_from": "2026-01-01", "valid_to": "2026-04-30"},
    ),
)
# Two goods and three lines: one of the lines was sold on a deal, one of the goods has a price no list knows any more.
SHOP = (
    ("shop/goods/1", "product", {"sku": "om 1", "price": "10.00", "currency": "EUR"}),
    ("shop/goods/2", "product", {"sku": "OM-2", "price": "7.00", "currency": "EUR"}),
    ("shop/orders/1", "order", {"number": "#1001", "ordered_at": "2026-04-30T22:00:00Z", "status": "shipped"}),
    ("shop/lines/1", "line", {"of": "shop/orders/1", "sku": "OM-1", "unit_price": "10.00", "currency": "EUR"}),
    ("shop/lines/2", "line", {"of": "shop/orders/1", "sku": "OM-2", "unit_price": "7.00", "currency": "EUR"}),
)
CRM = (
    ("crm/deals/1", "deal", {"closes_on": "2026-06-01"}),
    ("crm/lines/1", "line", {"of": "crm/deals/1", "sku": "OM-1", "unit_price": "10.00", "currency": "EUR"}),
)

Row = tuple[str, str, dict[str, str]]


def counted(rows: Sequence[Row], *found: tuple[str, str], masters: Sequence[str] = ("erp",)) -> tuple[FieldScore, ...]:
    """found: ref and field of each open finding."""
    said = [
        {
            "ref": ref,
            "entity": entity,
            "system": ref.split("/")[0],
            "stream": ref.split("/")[1],
            "fields": json.dumps(f),
        }
        for ref, entity, f in rows
    ]
    held = [
        {"system": system, "stream": STREAMS[entity.value], "field": field}
        for system in ("shop", "crm", "portal", "erp")
        for entity, field in CELLS
        if entity is not Entity.TICKET
    ]
    differing = [{"ref": ref, "field": field, "held": True, "sent_at": None, "read_at": None} for ref, field in found]
    with Checked(
        pa.Table.from_pylist(differing, schema=DIFFERING), pa.Table.from_pylist(held, schema=HELD), masters, TODAY
    ) as checked:
        for row in said:  # a slice each: what belongs together need not come together
            checked.add(pa.Table.from_pylist([row], schema=SAID))
        return checked.fields()


def of(fields: Sequence[FieldScore], system: str, entity: str, field: str) -> tuple[int, int, int]:
    """golden, comparable and equal cells."""
    [one] = [f for f in fields if (f.system, f.entity, f.field) == (system, entity, field)]
    return one.golden, one.comparable, one.equal


def phase(fields: Sequence[FieldScore], system: str, name: str) -> PhaseScore:
    [one] = [p for p in by_phase(fields, ("erp",)) if (p.system, p.phase) == (system, name)]
    return one


def test_a_channels_own_list_is_held_against_the_masters_until_it_is_over() -> None:
    rows: list[Row] = [
        (f"crm/prices/{n}", "price", {"sku": sku, "currency": "EUR", "amount": "10.00"} | days)
        for n, (sku, days) in enumerate(
            (
                ("OM-1", {}),
                ("OM-1", {"valid_from": "2027-01-01"}),
                ("OM-1", {"valid_to": "2026-05-09"}),  # over
                ("OM-2", {}),  # no list of the master knows a price of it any more
                ("OM-9", {}),
            )
        )
    ]
    seen = counted([*MASTER, *rows], ("crm/prices/1", "amount"), ("crm/prices/4", "sku"))
    assert of(seen, "crm", "price", "amount") == (5, 2, 1)
    assert of(seen, "crm", "price", "sku") == (5, 5, 4)
    assert {f.phase for f in seen if (f.entity, f.field) == ("price", "amount")} == {"purchase"}
    assert not [f for f in seen if f.system == "erp"]


def test_a_price_is_compared_where_a_list_of_that_day_speaks_of_it() -> None:
    fields = counted((*MASTER, *SHOP, *CRM))
    assert of(fields, "shop", "product", "price") == (2, 1, 1)  # no list has a price for OM-2 today
    assert of(fields, "shop", "line", "unit_price") == (2, 2, 2)  # it had one on the last day of April
    assert of(fields, "crm", "line", "unit_price") == (1, 1, 1)


def test_one_broken_price_moves_only_the_purchase_score_of_its_own_channel() -> None:
    before = counted((*MASTER, *SHOP, *CRM))
    after = counted((*MASTER, *SHOP, *CRM), ("shop/goods/1", "price"))
    # The shop's purchase: the price of one of its goods, and of two lines the SKU and the price.
    assert phase(before, "shop", "purchase").consistency == 5 / 5
    assert phase(after, "shop", "purchase").consistency == 4 / 5
    moved = {(f.system, f.entity, f.field, f.phase) for f in {*before} ^ {*after}}
    assert moved == {("shop", "product", "price", "purchase")}
    # Over all channels: the deal's line of the CRM is an offer, and in no purchase.
    assert phase(after, "", "purchase").consistency == 4 / 5
    assert phase(after, "", "pre-purchase").consistency == phase(before, "", "pre-purchase").consistency == 1


def test_what_lies_in_a_cart_is_an_offer_until_it_is_an_order() -> None:
    line = {"sku": "OM-2", "unit_price": "7.00", "currency": "EUR"}
    cart: Row = ("shop/carts/1", "cart", {"changed_at": "2026-04-30T22:00:00Z"})
    lying: Row = ("shop/lines/9", "line", line | {"of": "shop/carts/1"})
    before, after = counted((*MASTER, *SHOP)), counted((*MASTER, *SHOP, cart, lying), ("shop/lines/9", "unit_price"))
    assert phase(after, "shop", "purchase") == phase(before, "shop", "purchase")
    [offered] = [f for f in after if (f.entity, f.field, f.phase) == ("line", "unit_price", "pre-purchase")]
    assert (offered.golden, offered.comparable, offered.equal) == (1, 1, 0)
    bought: Row = (*cart[:2], cart[2] | {"ordered_at": "2026-05-01T08:00:00Z"})
    assert counted((*MASTER, *SHOP, bought, lying)) == before


def test_what_has_a_finding_was_compared_even_where_no_list_speaks_of_it() -> None:
    fields = counted((*MASTER, *SHOP), ("shop/goods/2", "price"))
    assert of(fields, "shop", "product", "price") == (2, 2, 1)


def test_without_a_master_nothing_is_called_right() -> None:
    fields = counted(SHOP, masters=())
    assert {f.comparable for f in fields} == {0}
    assert phase(fields, "shop", "purchase").consistency is None


def test_an_order_only_one_system_knows_agrees_with_nobody() -> None:
    portal = ("portal/orders/9", "order", {"number": "1001", "status": "shipped"})
    alone = counted(SHOP)
    both = counted((*SHOP, portal))
    assert of(alone, "shop", "order", "status") == (1, 0, 0)
    assert of(both, "shop", "order", "status") == of(both, "portal", "order", "status") == (1, 1, 1)
    assert of(counted((*SHOP, portal), ("shop/orders/1", "status")), "shop", "order", "status") == (1, 1, 0)
    assert of(both, "portal", "order", "tracking") == (1, 0, 0)  # silence


def test_what_a_ticket_tells_of_an_order_is_held_against_whoever_knows_the_order_and_belongs_to_its_delivery() -> None:
    told = ("crm/tickets/1", "ticket", {"order": "1001", "order_status": "open"})
    unknown = ("crm/tickets/2", "ticket", {"order": "77", "order_status": "open"})
    held = {"system": "crm", "stream": "tickets", "field": "order_status"}
    said = {"system": "shop", "stream": "orders", "field": "status"}
    with Checked(DIFFERING.empty_table(), pa.Table.from_pylist([held, said], schema=HELD), ("erp",), TODAY) as checked:
        for ref, entity, fields in (*SHOP, told, unknown):
            system, stream, _ = ref.split("/")
            row = {"ref": ref, "entity": entity, "system": system, "stream": stream, "fields": json.dumps(fields)}
            checked.add(pa.Table.from_pylist([row], schema=SAID))
        counts = checked.fields()
    assert of(counts, "crm", "ticket", "order_status") == (2, 1, 1)
    assert {f.phase for f in counts if f.field in ("order_status", "status")} == {"delivery"}


def test_a_promised_price_is_held_against_the_list_of_the_day_of_the_answer_and_belongs_to_the_purchase() -> None:
    told = {"sku": "OM-2", "promised_price": "7.00", "currency": "EUR", "opened_at": "2026-04-30T09:00:00Z"}
    late = told | {"answered_at": "2026-05-01T09:00:00Z"}
    bare = {"sku": "OM-2"}  # nothing is promised for it
    rows = [(f"crm/tickets/{n}", "ticket", fields) for n, fields in enumerate((told, late, bare, {}))]
    held = [{"system": "crm", "stream": "tickets", "field": name} for name in ("sku", "promised_price")]
    wrong = [{"ref": "crm/tickets/0", "field": "promised_price", "held": True}]
    counts = {}
    for found in ([], wrong):
        differing, listed = (pa.Table.from_pylist(x, schema=s) for x, s in ((found, DIFFERING), (held, HELD)))
        with Checked(differing, listed, ("erp",), TODAY) as checked:
            for ref, entity, fields in (*MASTER, *rows):
                system, stream, _ = ref.split("/")
                row = {"ref": ref, "entity": entity, "system": system, "stream": stream, "fields": json.dumps(fields)}
                checked.add(pa.Table.from_pylist([row], schema=SAID))
            counts[len(found)] = checked.fields()
    assert [of(counts[n], "crm", "ticket", "promised_price") for n in (0, 1)] == [(4, 1, 1), (4, 1, 0)]
    assert of(counts[1], "crm", "ticket", "sku") == (4, 2, 2)
    assert {f.phase for f in counts[0] if f.entity == "ticket"} == {"purchase"}


def test_a_promotion_is_held_against_the_masters_of_the_same_code() -> None:
    ours = ("erp/offers/1", "promotion", {"code": "MAY", "valid_to": "2026-05-31"})
    theirs = ("shop/offers/1", "promotion", {"code": "may", "valid_to": "2026-05-31", "discount": "10"})
    erp = {"system": "erp", "stream": "offers", "field": "valid_to"}
    with Checked(
        DIFFERING.empty_table(),
        pa.Table.from_pylist(
            [erp, erp | {"system": "shop"}, erp | {"system": "shop", "field": "discount"}], schema=HELD
        ),
        ["erp"],
        TODAY,
    ) as checked:
        for ref, entity, told in (ours, theirs):
            row = {"ref": ref, "entity": entity, "system": ref.split("/")[0], "stream": "offers"}
            checked.add(pa.Table.from_pylist([row | {"fields": json.dumps(told)}], schema=SAID))
        fields = checked.fields()
    assert of(fields, "shop", "promotion", "valid_to") == (1, 1, 1)
    assert of(fields, "shop", "promotion", "discount") == (1, 0, 0)
    assert not [f for f in fields if f.system == "erp"]


def test_an_offers_code_days_and_products_are_held_against_what_the_master_calls_otherwise() -> None:
    ours = {"code": "MAY", "sku": "OM-1", "valid_to": "2026-05-31"}
    told = {"code": "may", "skus": "OM-1", "ends_at": "2026-05-31T21:59:59Z", "starts_at": "2026-05-01T00:00:00Z"}
    rows = (
        *MASTER,
        ("erp/offers/1", "promotion", ours),
        ("shop/offers/1", "promotion", told | {"price": "9.00", "currency": "EUR", "sku": "OM-1"}),
        ("shop/offers/2", "promotion", {"code": "JUNE"}),
    )
    fields = counted(rows, ("shop/offers/2", "code"))
    assert of(fields, "shop", "promotion", "code") == (2, 2, 1)
    for name in ("skus", "ends_at", "price"):
        assert of(fields, "shop", "promotion", name) == (2, 1, 1), "an offer that is silent lowers coverage"
    assert of(fields, "shop", "promotion", "starts_at") == (2, 0, 0), "the master gives no first day"


def test_a_ticket_is_held_against_a_standard_only_where_there_is_one_and_once_it_is_done_or_due() -> None:
    held = [{"system": "desk", "stream": "tickets", "field": name} for name in ("answered_at", "solved_at")]
    rows = [
        dict(zip(SAID.names, (f"desk/tickets/{n}", "ticket", "desk", "tickets", json.dumps(told)), strict=True))
        for n, told in enumerate(({"answered_at": "2026-05-01T08:00:00Z", "solved_at": "2026-05-02T08:00:00Z"}, {}, {}))
    ]
    measured = [  # two hours where four are promised; nothing promised; late and not done; not due yet
        {"ref": "desk/tickets/0", "field": "answered_at", "standard": "4", "took_s": 7200, "late": False},
        {"ref": "desk/tickets/0", "field": "solved_at", "standard": None, "took_s": 7200, "late": None},
        {"ref": "desk/tickets/1", "field": "answered_at", "standard": "4", "took_s": None, "late": True},
        {"ref": "desk/tickets/2", "field": "answered_at", "standard": "4", "took_s": None, "late": False},
    ]
    late = {"ref": "desk/tickets/1", "field": "answered_at", "held": True}
    with Checked(
        pa.Table.from_pylist([late], schema=DIFFERING), pa.Table.from_pylist(held, schema=HELD), [], TODAY
    ) as checked:
        checked.add(pa.Table.from_pylist(rows, schema=SAID), pa.Table.from_pylist(measured, schema=MEASURED))
        fields = checked.fields()
    assert of(fields, "desk", "ticket", "answered_at") == (3, 2, 1)
    assert of(fields, "desk", "ticket", "solved_at") == (3, 0, 0)
    assert {f.phase for f in fields} == {"maintenance"}

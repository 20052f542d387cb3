"""A price and the context it was said in: whose, how many, in what money and unit, with tax or without, and when."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.compare import catalog, context, promotions
from omnihub.compare.catalog import KINDS
from omnihub.model import Entity
from omnihub.sandbox.copies import LINKS, ROLES, Copy
from omnihub.sandbox.world import Error, Place, Who, World
from tests.compare.trading import TODAY, findings, offered, price, said


def verdict(prices: list[dict[str, Any]], line: dict[str, Any], **beside: Any) -> str:
    """The kind of finding on this line, or `right`."""
    found = [f for f in findings(prices, line, **beside) if f["ref"] == line["ref"]]
    assert len(found) <= 1
    return str(found[0]["kind"]) if found else "right"


def verdicts(prices: list[dict[str, Any]], *lines: dict[str, Any], **beside: Any) -> list[str]:
    """Of many lines, judged at once: the kind of finding on each, or `right`."""
    numbered = [line | {"ref": f"shop/lines/{n}"} for n, line in enumerate(lines)]
    kinds = {f["ref"]: str(f["kind"]) for f in findings(prices, *numbered, **beside)}
    return [kinds.get(line["ref"], "right") for line in numbered]


def told(prices: list[dict[str, Any]], line: dict[str, Any], **beside: Any) -> dict[str, Any]:
    """What the finding on this line says of itself."""
    [found] = [f for f in findings(prices, line, **beside) if f["ref"] == line["ref"]]
    return dict(json.loads(found["detail"]))


def test_a_price_is_right_to_the_cent() -> None:
    said_and_so = {
        "100": "right",
        "100.00": "right",
        "100.004": "right",
        "100.01": "price_differs",
        "0": "price_differs",
    }
    assert verdicts([price("100")], *(said(amount) for amount in said_and_so)) == list(said_and_so.values())


def test_a_wrong_price_says_what_is_expected() -> None:
    [found] = findings([price("100.5")], said("99"))
    assert (found["kind"], found["expected"]) == ("price_differs", "100.50")
    assert findings([price("0.0125")], said("1"))[0]["expected"] == "0.0125"


def test_the_greatest_quantity_break_that_is_reached_counts() -> None:
    breaks = [price("90", min_quantity="10"), price("80", min_quantity="100"), price("100")]
    right = {"1": "100", "9": "100", "9.9": "100", "10": "90", "99": "90", "100": "80", "1000": "80", None: "100"}
    asked = [(quantity, figure) for quantity in right for figure in ("100", "90", "80")]
    assert verdicts(breaks, *(said(figure, quantity=quantity) for quantity, figure in asked)) == [
        "right" if right[quantity] == figure else "price_break" for quantity, figure in asked
    ]


def test_a_price_holds_from_its_first_day_to_its_last() -> None:
    halves = [
        price("100", valid_from="2026-01-01", valid_to="2026-06-30"),
        price("110", valid_from="2026-07-01", valid_to="2026-12-31"),
    ]
    right = {"2026-01-01": "100", "2026-06-30": "100", "2026-07-01": "110", "2026-12-31": "110"}
    assert verdicts(halves, *(said(amount, day=day) for day, amount in right.items())) == ["right"] * 4
    assert verdicts(halves, *(said("105", day=day) for day in right)) == ["price_differs"] * 4
    assert verdicts(halves, said("110", day="2026-06-30"), said("100", day="2026-07-01")) == [
        "price_early",
        "price_expired",
    ]


def test_an_open_end_is_open() -> None:
    assert verdict([price("100", valid_from="2026-01-01")], said("100", day="2099-01-01")) == "right"
    assert verdict([price("100", valid_to="2026-01-01")], said("100", day="1999-01-01")) == "right"


def test_of_two_lists_that_overlap_the_later_one_counts() -> None:
    lists = [price("100", valid_from="2026-01-01"), price("120", valid_from="2026-10-01")]
    assert verdict(lists, said("120")) == "right"
    assert verdict(lists, said("120", day="2026-09-30")) == "price_early"
    assert verdict(lists, said("100")) == "price_expired", "an open end gives way to what begins later"


def test_the_price_of_a_list_that_has_ended_is_expired_and_any_other_is_different() -> None:
    lists = [price("90", valid_to="2026-06-30"), price("100", valid_from="2026-07-01")]
    assert verdict(lists, said("90")) == "price_expired"
    assert verdict(lists, said("95")) == "price_differs"
    assert verdict(lists, said("100")) == "right"
    assert verdict(lists, said("90", day="2026-06-30")) == "right"


def test_an_old_price_that_holds_again_is_not_expired() -> None:
    assert verdict([price("90", valid_to="2026-06-30"), price("90", valid_from="2026-07-01")], said("90")) == "right"


def test_a_price_of_a_list_to_come_is_early() -> None:
    assert (
        verdict([price("100", valid_to="2026-12-31"), price("110", valid_from="2027-01-01")], said("110"))
        == "price_early"
    )


def test_each_customer_group_has_its_own_prices_and_a_shop_shows_everyones() -> None:
    lists = [price("100"), price("70", customer_group="dealer")]
    assert verdict(lists, said("70", customer_group="dealer")) == "right"
    assert verdict(lists, said("100", customer_group="dealer")) == "price_group"
    assert verdict(lists, offered("100")) == "right"
    assert verdict(lists, offered("70")) == "price_group"
    assert verdict(lists, said("100", customer_group=None)) == "right"


def test_where_nobody_is_sure_of_the_group_what_is_right_for_one_of_them_is_right() -> None:
    lists = [price("100"), price("70", customer_group="dealer"), price("60", customer_group="key", min_quantity="5")]
    torn = {"customer_group": "standard", "groups": ["dealer", "standard"]}
    assert verdict(lists, said("70", **torn)) == "right"
    assert verdict(lists, said("60", quantity="5", **torn)) == "price_group", "nobody says that they are a key account"
    assert verdict(lists, said("60", quantity="5", any_group=True)) == "right"
    assert verdict(lists, said("60", quantity="1", any_group=True)) != "right", "a key account gets it from five on"
    assert verdict(lists, said("55", any_group=True)) == "price_differs"
    offer = {"sku": "p1", "customer_group": "dealer", "discount": "10"}
    assert verdict(lists, said("63", **torn), promotions=[offer]) == "right"


def test_each_currency_has_its_own_prices_and_the_figure_of_another_is_told_apart() -> None:
    lists = [price("100"), price("110", currency="USD")]
    assert verdict(lists, said("110", currency="USD")) == "right"
    assert verdict(lists, said("100", currency="USD")) == "price_currency"
    assert verdict(lists, said("105", currency="USD")) == "price_differs"
    assert verdict(lists, said("100", currency="CHF")) == "price_currency", "that is what it costs in euros"
    assert verdict(lists, said("1", currency="CHF")) == "right", "the master knows no price in it"


@pytest.mark.parametrize("line", [said(None), said("12 apples"), said("1", sku="p9"), said("100", quantity="many")])
def test_what_can_not_be_judged_is_not_called_a_wrong_price(line: dict[str, Any]) -> None:
    assert findings([price("100")], line, products=["p1", "p9"]) == []


@settings(max_examples=8)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 100), st.integers(1, 60)), min_size=1, max_size=12))
def test_the_expected_price_is_that_of_a_plain_reading_of_the_list(drawn: list[tuple[int, int, int]]) -> None:
    """(quantity break, amount, quantity asked) — all asked at once, beside the same in plain Python."""
    breaks = {least: amount for least, amount, _ in drawn} | {1: 1000}
    lists = [price(str(amount), min_quantity=str(least)) for least, amount in breaks.items()]
    lines = [said("0.01", ref=f"shop/lines/{n:03}", quantity=str(asked)) for n, (_, _, asked) in enumerate(drawn)]
    wanted = [breaks[max(b for b in breaks if b <= asked)] for _, _, asked in drawn]
    found = {f["ref"]: float(f["expected"]) for f in findings(lists, *lines)}
    assert [found[line["ref"]] for line in lines] == wanted


# -- units, tax, rounding -----------------------------------------------------------------------------------------


def test_the_price_of_a_set_is_not_that_of_a_piece() -> None:
    units = [price("100", unit="set"), price("26", unit="pcs")]
    assert verdict(units, said("100"), unit="set") == "right"
    assert verdict(units, said("26"), unit="set") == "price_unit"
    assert verdict(units, said("26", unit="pcs"), unit="set") == "right"
    assert verdict(units, said("100", unit="pcs"), unit="set") == "price_unit"


def test_a_price_with_tax_where_none_is_meant_and_the_reverse() -> None:
    listed = [price("100"), price("119", tax_included="true")]
    assert verdict(listed, said("119")) == "price_tax"
    assert verdict(listed, said("119", tax_included="true")) == "right"
    assert verdict(listed, said("100", tax_included="true")) == "price_tax"


def test_a_rate_makes_one_of_the_other() -> None:
    net = [price("99.99", tax_rate="19")]
    assert verdict(net, said("118.99", tax_included="true")) == "right"
    assert verdict(net, said("99.99", tax_included="true")) == "price_tax"
    assert verdict(net, said("118.99")) == "price_tax"
    assert verdict(net, said("107.99", tax_included="true", tax_rate="8")) == "right", "the line's own rate counts"
    assert verdict([price("99.99")], said("118.99", tax_included="true")) == "right", (
        "nobody knows the rate: not judged"
    )


def test_tax_is_put_on_by_what_is_paid_there_and_taken_off_by_what_is_in_the_list() -> None:
    net = [price("100", tax_rate="19")]
    abroad = {"tax_rate": "25.5"}
    assert verdict(net, said("125.50", tax_included="true", **abroad)) == "right"
    assert verdict(net, said("119.00", tax_included="true", **abroad)) == "price_differs"
    gross = [price("119", tax_included="true", tax_rate="19")]
    for line in (said("100", tax_rate="0"), said("100", **abroad), said("100")):
        assert verdict(gross, line) == "right", "the list's own tax is in it, whatever is paid"
    assert verdict(gross, said("119", tax_rate="0")) == "price_tax", "who pays none was charged it"


def test_where_no_tax_is_paid_a_net_price_is_right_and_a_gross_one_is_told_as_tax() -> None:
    net = [price("100", tax_rate="19")]
    assert verdict(net, said("100", tax_rate="0")) == "right"
    assert verdict(net, said("100", tax_rate="0", tax_included="true")) == "right"
    assert verdict(net, said("119", tax_rate="0", tax_included="true")) == "price_tax"
    assert verdict(net, said("119", tax_rate="0")) == "price_tax"


def test_a_price_told_with_tax_is_explained_by_the_rows_that_have_none_in_them() -> None:
    lists = [
        price("80", valid_from="2025-01-01", valid_to="2025-12-31", price_list="old", tax_rate="19"),
        price("100", valid_from="2026-01-01", price_list="new", tax_rate="19"),
        price("70", customer_group="dealer", tax_rate="19"),
        price("90", min_quantity="10", valid_from="2026-01-01", tax_rate="19"),
    ]
    taxed = {"tax_included": "true", "tax_rate": "20"}
    seen = verdicts(lists, *(said(amount, **taxed) for amount in ("120", "96", "84", "108", "100", "77")))
    assert seen == ["right", "price_expired", "price_group", "price_break", "price_tax", "price_differs"]
    assert told(lists, said("96", **taxed))["used"] == "old"


def test_a_list_says_how_far_from_it_and_to_what_step_a_price_may_be() -> None:
    assert verdict([price("100", tolerance="0.50")], said("100.50")) == "right"
    assert verdict([price("100", tolerance="0.50")], said("100.51")) == "price_differs"
    francs = [price("10.02", rounding="0.05")]
    assert [verdict(francs, said(amount)) for amount in ("10.00", "10.02", "10.05")] == [
        "right",
        "right",
        "price_differs",
    ]


# -- which row it came from ---------------------------------------------------------------------------------------


def test_a_mistake_is_called_by_the_row_that_explains_it_alone() -> None:
    """Last year's price of another group is explained by two mistakes at once: no row of these does."""
    lists = [price("100", valid_from="2026-01-01"), price("60", customer_group="key", valid_to="2025-12-31")]
    assert verdict(lists, said("60")) == "price_differs"


def test_a_finding_says_which_list_was_missed_since_when_for_whom_and_what_it_costs() -> None:
    old = price("90", price_list="EUR-2025", valid_from="2025-01-01", valid_to="2025-12-31")
    new = price("100", price_list="EUR-2026", valid_from="2026-01-01", valid_to="2026-12-31")
    detail = told([old, new], said("90", quantity="3", customer="account_x"))
    assert detail | {"list": "EUR-2026", "since": "2026-01-01", "customers": 1, "at_stake": "-30.00"} == detail
    assert detail | {"currency": "EUR", "cause": "list:EUR-2026", "used": "EUR-2025", "customer": "account_x"} == detail


def test_what_a_shop_shows_wrongly_and_somebody_puts_into_the_cart_has_one_cause() -> None:
    old = price("90", price_list="EUR-2025", valid_from="2025-01-01", valid_to="2025-12-31")
    new = price("100", price_list="EUR-2026", valid_from="2026-01-01", valid_to="2026-12-31")
    shown, carried = findings([old, new], offered("90"), said("90"))
    assert (shown["kind"], json.loads(shown["detail"])["cause"]) == ("price_expired", "list:EUR-2026")
    assert (carried["kind"], json.loads(carried["detail"])["cause"]) == ("price_expired", "list:EUR-2026")
    assert {shown["entity"], carried["entity"]} == {"product", "line"}


def test_without_a_beginning_a_price_is_stale_since_the_one_it_kept_ended() -> None:
    assert told([price("90", valid_to="2026-06-30"), price("100")], said("90"))["since"] == "2026-06-30"


# -- the master with itself ---------------------------------------------------------------------------------------

FIRST = price("100", valid_from="2026-01-01", valid_to="2026-12-31", ref="pim/prices/a", price_list="year")
SECOND = price("120", valid_from="2026-11-01", valid_to="2026-11-30", ref="pim/prices/b", price_list="autumn")


def test_two_lists_that_hold_at_once_are_the_masters_contradiction_and_a_channel_is_right_with_either() -> None:
    found = findings([FIRST, SECOND], said("100"), said("120", ref="shop/lines/2"), said("110", ref="shop/lines/3"))
    assert {(f["kind"], f["ref"], f["system"]) for f in found} == {
        ("price_overlap", "pim/prices/b", "pim"),
        ("price_differs", "shop/lines/3", "shop"),
    }


def test_lists_that_follow_each_other_do_not_contradict() -> None:
    assert findings([FIRST | {"valid_to": "2026-10-31"}, SECOND]) == []
    assert findings([FIRST | {"valid_to": None}, SECOND]) == [], "an open end gives way"
    assert findings([FIRST, SECOND | {"amount": "100.00"}]) == []
    for other in ({"customer_group": "key"}, {"currency": "USD"}, {"min_quantity": "10"}, {"tax_included": "true"}):
        assert findings([FIRST, SECOND | other]) == []


# -- promotions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "outcome"),
    [({}, "right"), ({"valid_to": "2026-11-20"}, "price_differs"), ({"customer_group": "key"}, "price_differs"),
     ({"customer_group": None}, "right"), ({"discount": "20"}, "price_differs")],
)  # fmt: skip
def test_a_promotion_makes_its_price_right_in_its_window_for_its_group(offer: dict[str, Any], outcome: str) -> None:
    whole = {"sku": "p1", "customer_group": "standard", "discount": "10", "valid_from": TODAY, "valid_to": TODAY}
    assert verdict([price("100")], said("90"), promotions=[whole | offer]) == outcome
    assert verdict([price("100")], said("100"), promotions=[whole | offer]) == "right", "nobody has to use it"


@pytest.mark.parametrize(
    ("offer", "outcome"),
    [({}, "right"), ({"currency": "USD"}, "price_differs"), ({"discount_on": "piece"}, "right"),
     ({"discount_on": "order"}, "price_differs"), ({"customer_group": "key"}, "price_differs"),
     ({"discount_amount": "12.00"}, "price_differs")],
)  # fmt: skip
def test_an_amount_off_each_piece_makes_its_price_right_too(offer: dict[str, Any], outcome: str) -> None:
    whole = {"sku": "p1", "customer_group": "standard", "discount_amount": "10.00", "currency": "EUR"}
    assert verdict([price("100")], said("90"), promotions=[whole | offer]) == outcome


def test_an_amount_off_is_one_without_tax() -> None:
    off = {"sku": "p1", "discount_amount": "10.00", "currency": "EUR"}
    taxed = {"tax_included": "true", "tax_rate": "20"}
    for paid, outcome in (("108.00", "right"), ("110.00", "price_differs")):
        assert verdict([price("100", tax_rate="20")], said(paid, **taxed), promotions=[off]) == outcome


# -- a whole world -----------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
TRADED = {
    Entity.PRODUCT,
    Entity.PRICE,
    Entity.PROMOTION,
    Entity.LINE,
    Entity.ORDER,
    Entity.DEAL,
    Entity.CART,
    Entity.TICKET,
}


def of_world(world: World) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """(planted, found, false) by kind, of products and prices, where each customer is known for who it is."""
    rows, group = [], {}
    pages = {x.n: x.fields["status"] for x in world.copies("shop") if x.stream == "products"}

    def own(role: str, copy: Copy) -> dict[str, str]:
        """What a record says by where it is."""
        if copy.stream == "variants":
            return {"currency": "EUR", "status": pages[copy.fields["of"]]}
        return {"currency": "EUR"} if (role, copy.stream) == ("marketing", "products") else {}

    for role, streams in ROLES.items():
        for copy in world.copies(role):
            if streams[copy.stream] in TRADED and not copy.deleted:
                page = own(role, copy)
                rows.append(_row(role, streams[copy.stream], copy, page))
    believed = []
    for one in (x for x in world.truths() if isinstance(x, Who)):
        if one.entity == "contact":
            company = world.people.company_of(int(one.key.partition("-")[2]))
            account = {"account": f"account-{company}"}
            group[f"account-{company}"] = world.companies.group(company)
            believed.append(
                {"ref": _ref(one.at), "entity": "contact", "golden_id": one.key, "fields": json.dumps(account)}
            )
        elif one.entity == "account":
            believed.append({"ref": _ref(one.at), "entity": "account", "golden_id": one.key, "fields": "{}"})
            group[one.key] = world.companies.group(int(one.key.partition("-")[2]))
    accounts = [{"id": key, "fields": json.dumps({"customer_group": g})} for key, g in group.items()]
    tables = (pa.Table.from_pylist(some) for some in (rows, believed, accounts))
    told, day, zone = (*tables, ["master"]), NOW.date().isoformat(), "Europe/Berlin"
    promoted = promotions.promotions(*promotions.offers(*told, zone), day).to_pylist()
    judged = promotions.apart(promoted, catalog(*context(*told, day, zone)).to_pylist())
    found = {(f["kind"], f["ref"]) for f in judged if f["kind"] in KINDS}
    errors = (
        x
        for x in world.truths()
        if isinstance(x, Error) and x.kind in KINDS and (x.at.role, x.at.stream) != ("shop", "products")
    )
    planted = {(x.kind, _ref(x.at)) for x in errors}
    return tuple(Counter(kind for kind, _ in some) for some in (planted, planted & found, found - planted))


def _ref(at: Place) -> str:
    return f"{at.role}/{at.stream}/{at.n}"


def _row(role: str, entity: Entity, copy: Copy, page: Mapping[str, str]) -> dict[str, str]:
    links = {
        name: f"{role}/{stream}/{copy.fields[name]}"
        for name, stream in LINKS.get((role, copy.stream), {}).items()
        if copy.fields.get(name) is not None
    }
    fields = {k: v for k, v in copy.fields.items() if v is not None} | links | page
    return {
        "ref": f"{role}/{copy.stream}/{copy.n}", "entity": entity.value, "system": role, "stream": copy.stream,
        "fields": json.dumps(fields), "problems": "{}",
    }  # fmt: skip


def shares(seen: tuple[Counter[str], Counter[str], Counter[str]]) -> dict[str, tuple[float, float]]:
    """(recall, precision) by kind."""
    planted, found, false = seen
    kinds = {*planted, *false}
    return {k: (found[k] / max(planted[k], 1), found[k] / max(found[k] + false[k], 1)) for k in kinds}


def test_what_is_wrong_in_a_world_is_found_as_what_it_is_and_nothing_else() -> None:
    seen = of_world(World(400, 11, NOW))
    assert set(shares(seen)) == set(KINDS), "each kind of mistake is made"
    assert shares(seen) == dict.fromkeys(KINDS, (1.0, 1.0))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [21, 22, 23])
def test_in_the_size_of_a_firm_too(seed: int) -> None:
    seen = of_world(World(20_000, seed, NOW))
    assert set(seen[0]) == set(KINDS)
    assert {kind: told for kind, told in shares(seen).items() if min(told) < 0.99} == {}

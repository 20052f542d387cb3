"""Offers of channels beside the master's promotions: which one, of what, for whom, when, and how much off."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from omnihub.compare import catalog, context, promotions
from omnihub.compare.customers import BELIEVED
from omnihub.sandbox.copies import LINKS, ROLES
from omnihub.sandbox.world import World
from omnihub.sandbox.world.held import Held

TODAY = "2026-11-21"
ZONE = "Europe/Berlin"
ROWS = pa.schema([(n, pa.string()) for n in ("ref", "entity", "system", "stream", "fields", "problems")])
ACCOUNTS = pa.schema([("id", pa.string()), ("fields", pa.string())])

SPRING = {
    "code": "SPRING", "name": "Spring offer", "sku": "P-1", "customer_group": "dealer", "discount": "10",
    "valid_from": "2026-11-01", "valid_to": "2026-11-30",
}  # fmt: skip
OFFER = {**SPRING, "code": "spring "}


def row(ref: str, fields: Mapping[str, Any], entity: str = "promotion") -> dict[str, Any]:
    system, stream, _ = ref.split("/")
    said = json.dumps({name: value for name, value in fields.items() if value is not None})
    return {"ref": ref, "entity": entity, "system": system, "stream": stream, "fields": said, "problems": "{}"}


def tables(
    rows: list[dict[str, Any]], groups: Mapping[str, str] | None = None, people: Mapping[str, str | None] | None = None
) -> tuple[pa.Table, pa.Table, pa.Table, list[str]]:
    """rows beside two products of the master; groups: the customer group behind each ref of an account; people: the
    account of each ref of a contact."""
    goods = [row(f"pim/products/{n}", {"sku": f"P-{n}", "name": "Pump", "status": "active"}, "product") for n in (1, 2)]
    groups = groups or {}
    known = [{"ref": ref, "entity": "account", "golden_id": ref[-1], "fields": "{}"} for ref in groups]
    known += [
        {"ref": ref, "entity": "contact", "golden_id": ref, "fields": json.dumps({"account": of} if of else {})}
        for ref, of in (people or {}).items()
    ]
    accounts = [{"id": ref[-1], "fields": json.dumps({"customer_group": group})} for ref, group in groups.items()]
    return (
        pa.Table.from_pylist([*goods, *rows], schema=ROWS),
        pa.Table.from_pylist(known, schema=BELIEVED),
        pa.Table.from_pylist(accounts, schema=ACCOUNTS),
        ["pim"],
    )


def findings(
    *offers: Mapping[str, Any], masters: list[Mapping[str, Any]] | None = None, **behind: Any
) -> list[dict[str, Any]]:
    """What is wrong with these offers of a shop, beside the master's promotions (the one of spring, if not told)."""
    rows = [row(f"pim/promotions/{n}", m) for n, m in enumerate([SPRING] if masters is None else masters)]
    rows += [row(f"shop/offers/{n}", offer) for n, offer in enumerate(offers)]
    found: list[dict[str, Any]] = promotions.promotions(
        *promotions.offers(*tables(rows, **behind), ZONE), TODAY
    ).to_pylist()
    return found


def verdict(offer: Mapping[str, Any], **beside: Any) -> str:
    """The kind of finding and its field, or `right`."""
    found = findings(offer, **beside)
    assert len(found) <= 1, found
    return f"{found[0]['kind'].removeprefix('promotion_')} {found[0]['field']}" if found else "right"


def test_an_offer_as_the_master_has_it_is_right_however_its_code_is_written() -> None:
    assert verdict(OFFER) == "right"


def test_an_offer_of_a_code_the_master_does_not_have_is_unknown() -> None:
    assert verdict(OFFER | {"code": "SUMMER"}) == "unknown code"


def test_an_offer_without_a_code_is_known_by_its_name() -> None:
    assert verdict(OFFER | {"code": None}) == "right"
    assert verdict(OFFER | {"code": None, "name": "Black week"}) == "unknown name"
    assert verdict(OFFER | {"code": None, "discount": "15"}) == "differs discount"


def test_an_offer_that_names_no_promotion_is_not_judged_as_one() -> None:
    assert verdict(OFFER | {"code": None, "name": None, "discount": "50"}) == "right"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"discount": "12"}, "differs discount"),
        ({"discount": "10.00"}, "right"),
        ({"discount": None}, "right"),
        ({"sku": "p 1"}, "right"),
        ({"sku": "P-2"}, "product sku"),
        ({"sku": None}, "right"),
        ({"sku": "P-9"}, "right"),  # that the master has no such product is said of it elsewhere
        ({"sku": None, "skus": "P-1"}, "right"),
        ({"sku": None, "skus": "P-1, P-2"}, "product skus"),
        ({"sku": None, "all_products": "true"}, "product skus"),
        ({"sku": None, "all_products": "false"}, "right"),
        ({"customer_group": "key"}, "group customer_group"),
        ({"customer_group": None, "all_customers": "true"}, "group customer_group"),
        ({"customer_group": None}, "right"),
    ],
)
def test_what_an_offer_says_is_the_masters_and_what_it_does_not_say_is_not_judged(
    said: dict[str, str | None], outcome: str
) -> None:
    assert verdict(OFFER | said) == outcome


@pytest.mark.parametrize(
    ("begins", "ends", "outcome"),
    [
        ("2026-11-01", "2026-11-30", "right"),
        ("2026-11-05", "2026-11-25", "right"),  # less than the master gives
        ("2026-10-31", "2026-11-30", "expired valid_from"),
        ("2026-11-01", "2026-12-01", "expired valid_to"),
        ("2026-10-31", "2026-12-01", "expired valid_to"),
        ("2026-11-01", None, "expired valid_to"),  # without an end
        (None, "2026-11-30", "right"),
        (None, None, "right"),
        ("2026-10-01", "2026-11-20", "right"),  # over since yesterday
        ("2026-11-01", "2026-11-21", "right"),  # on its last day
    ],
)
def test_an_offer_is_on_within_the_days_of_the_master_the_last_one_too(
    begins: str | None, ends: str | None, outcome: str
) -> None:
    assert verdict(OFFER | {"valid_from": begins, "valid_to": ends}) == outcome


@pytest.mark.parametrize(
    ("begins", "ends", "outcome"),
    [
        ("2026-10-31T23:00:00Z", "2026-11-30T22:59:59Z", "right"),  # midnight to midnight, where the master is
        ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", "right"),  # ends as the next day begins
        ("2026-10-31T22:59:59Z", "2026-11-30T23:00:00Z", "expired starts_at"),
        ("2026-10-31T23:00:00Z", "2026-11-30T23:00:01Z", "expired ends_at"),  # a second too long
        ("2026-10-31T23:00:00Z", "2026-12-01T00:00:00Z", "expired ends_at"),  # midnight, but elsewhere
        ("2026-10-31T23:00:00Z", None, "expired ends_at"),
    ],
)
def test_moments_are_of_the_day_it_is_where_the_master_is(begins: str, ends: str | None, outcome: str) -> None:
    days = {"valid_from": None, "valid_to": None, "starts_at": begins, "ends_at": ends}
    assert verdict(OFFER | days) == outcome


@pytest.mark.parametrize(
    ("theirs", "outcome"),
    [
        ({"valid_to": "2026-11-20"}, "right"),  # over here as well
        ({"valid_to": "2026-12-31"}, "expired valid_to"),
        ({"valid_from": None, "valid_to": None}, "expired valid_to"),  # still there, whatever it says
    ],
)
def test_a_promotion_that_is_over_in_the_master_is_to_be_over_everywhere(
    theirs: dict[str, str | None], outcome: str
) -> None:
    over = SPRING | {"valid_to": "2026-11-15"}
    assert verdict(OFFER | theirs, masters=[over]) == outcome


def test_a_promotion_of_the_master_for_everybody_and_everything_may_be_offered_to_anyone_for_anything() -> None:
    free = SPRING | {"customer_group": None, "sku": None, "valid_to": None}
    for said in ({"all_customers": "true"}, {"customer_group": "key"}, {"sku": "P-2"}, {"all_products": "true"},
                 {"valid_to": "2027-12-31"}, {"valid_to": None}):  # fmt: skip
        assert verdict(OFFER | said, masters=[free]) == "right", said


def test_of_several_rows_of_a_code_the_one_that_has_most_in_common_counts() -> None:
    masters: list[Mapping[str, Any]] = [
        SPRING,
        SPRING | {"sku": "P-2"},
        SPRING | {"customer_group": "key", "discount": "15"},
        SPRING | {"valid_from": "2027-11-01", "valid_to": "2027-11-30"},
    ]
    for right in ({"sku": "P-2"}, {"customer_group": "key", "discount": "15"}, {"skus": "P-1, P-2", "sku": None},
                  {"valid_from": "2027-11-02", "valid_to": "2027-11-30"}):  # fmt: skip
        assert verdict(OFFER | right, masters=masters) == "right", right
    assert verdict(OFFER | {"customer_group": "key"}, masters=masters) == "differs discount"


def test_two_things_that_are_wrong_are_two_findings() -> None:
    kinds = [f["kind"] for f in findings(OFFER | {"discount": "20", "sku": "P-2"})]
    assert kinds == ["promotion_differs", "promotion_product"]


def test_an_offer_to_one_customer_is_for_that_ones_group() -> None:
    groups = {"shop/accounts/1": "dealer", "shop/accounts/2": "key"}
    offer = OFFER | {"customer_group": None}
    assert verdict(offer | {"account": "shop/accounts/1"}, groups=groups) == "right"
    assert verdict(offer | {"account": "shop/accounts/2"}, groups=groups) == "group account"


def test_a_finding_says_what_is_right_and_names_its_cause() -> None:
    [found] = findings(OFFER | {"valid_to": "2026-12-24"})
    assert (found["theirs"], found["expected"]) == ("2026-12-24", "2026-11-30")
    detail = json.loads(found["detail"])
    assert (detail["cause"], detail["since"]) == ("promotion:SPRING", "2026-11-30")
    [found] = findings(OFFER | {"skus": "P-1, P-2", "sku": None})
    assert json.loads(found["detail"])["products"] == ["p2"]


# -- discounts of other kinds ------------------------------------------------------------------------------------------

EUROS = {**SPRING, "discount": None, "discount_amount": "10.00", "currency": "EUR", "discount_on": "piece"}
LIST = [
    {"sku": "P-1", "customer_group": "dealer", "currency": "EUR", "amount": "80.00"},
    {"sku": "P-1", "customer_group": "key", "currency": "EUR", "amount": "50.00"},
    {"sku": "P-1", "customer_group": "dealer", "currency": "EUR", "amount": "40.00", "min_quantity": "10"},
    {"sku": "P-1", "customer_group": "dealer", "currency": "EUR", "amount": "20.00", "valid_to": "2026-10-31"},
    {"sku": "P-1", "customer_group": "dealer", "currency": "EUR", "amount": "95.20", "tax_included": "true"},
    {"sku": "P-1", "customer_group": "dealer", "currency": "EUR", "amount": "30.00", "unit": "pcs"},
]


def valued(said: Mapping[str, Any], master: Mapping[str, Any], listed: list[dict[str, Any]] | None = None) -> str:
    """The verdict on an offer beside the master's promotion and prices, with what should stand there."""
    rows = [row(f"pim/prices/{n}", one, "price") for n, one in enumerate(LIST if listed is None else listed)]
    rows += [row("pim/products/1", {"sku": "P-1", "name": "Pump", "status": "active", "unit": "set"}, "product")]
    rows += [row("pim/promotions/1", master), row("shop/offers/1", {**SPRING, "discount": None, **said})]
    found = promotions.promotions(*promotions.offers(*tables(rows), ZONE), TODAY).to_pylist()
    assert len(found) <= 1, found
    return f"{found[0]['field']} {found[0]['theirs']} {found[0]['expected']}" if found else "right"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"discount_amount": "10.00", "currency": "EUR"}, "right"),
        ({"discount_amount": "10.00", "currency": "EUR", "discount_on": "piece"}, "right"),
        ({"discount_amount": "10"}, "right"),  # in which currency is not said
        ({"discount_amount": "12.00", "currency": "EUR"}, "discount_amount 12.00 10.00"),
        ({"discount_amount": "12.00", "currency": "USD"}, "right"),  # who knows what that comes to
        ({"discount_amount": "10.00", "currency": "EUR", "discount_on": "order"}, "discount_on order piece"),
        ({"discount": "12.5"}, "right"),  # of 80.00
        ({"discount": "12.49"}, "right"),
        ({"discount": "10"}, "discount 10 12.50"),
        ({"discount": "10", "gives": "goods"}, "right"),
        ({}, "right"),
    ],
)
def test_what_an_offer_takes_off_is_the_masters_amount(said: dict[str, str], outcome: str) -> None:
    assert valued(said, EUROS) == outcome


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"discount_amount": "8.00", "currency": "EUR"}, "right"),  # ten percent of 80.00
        ({"discount_amount": "8.01", "currency": "EUR"}, "right"),
        ({"discount_amount": "10.00", "currency": "EUR"}, "discount_amount 10.00 8.00"),
        ({"discount_amount": "10.00", "currency": "USD"}, "right"),  # there is no list
        ({"discount_amount": "10.00", "currency": "EUR", "discount_on": "order"}, "right"),  # off how many pieces?
        ({"discount_amount": "10.00", "currency": "EUR", "sku": None}, "right"),  # of which price?
        ({"discount_amount": "5.00", "currency": "EUR", "customer_group": None}, "discount_amount 5.00 8.00"),
    ],
)
def test_an_amount_is_held_against_a_percentage_by_the_price_where_there_is_one(
    said: dict[str, str | None], outcome: str
) -> None:
    assert valued(said, SPRING) == outcome


def test_an_amount_beside_a_percentage_of_no_known_price_is_not_judged() -> None:
    assert valued({"discount_amount": "10.00", "currency": "EUR"}, SPRING, listed=[]) == "right"


def test_with_two_lists_at_once_an_amount_may_be_the_share_of_either() -> None:
    both = [LIST[0], LIST[0] | {"amount": "120.00"}]
    for amount, outcome in (("8.00", "right"), ("12.00", "right"), ("10.00", "discount_amount 10.00 12.00")):
        assert valued({"discount_amount": amount, "currency": "EUR"}, SPRING, both) == outcome


def test_each_product_of_an_offer_has_its_own_discount() -> None:
    masters = [SPRING, SPRING | {"sku": "P-2", "discount": "15"}]
    both = OFFER | {"sku": None, "skus": "P-1, P-2"}
    assert [f["expected"] for f in findings(both, masters=masters)] == ["15"]
    assert findings(both, masters=[SPRING, SPRING | {"sku": "P-2"}]) == []


def test_what_gives_no_discount_is_judged_by_all_but_that() -> None:
    outcomes: list[tuple[dict[str, str], set[str]]] = [
        ({}, set()),
        ({"code": "SUMMER"}, {"unknown code"}),
        ({"customer_group": "key"}, {"group customer_group"}),
        ({"sku": "P-2"}, {"product sku"}),
        ({"valid_to": "2026-12-24"}, {"expired valid_to"}),
    ]
    cases = [(gives, said, kinds) for gives in ("goods", "shipping", "app") for said, kinds in outcomes]
    found = findings(*(OFFER | {"gives": gives, "discount": "100", **said} for gives, said, _ in cases))
    for n, (gives, said, kinds) in enumerate(cases):
        told = {f"{f['kind'][10:]} {f['field']}" for f in found if f["ref"] == f"shop/offers/{n}"}
        unclear = {"unclear gives"} if gives == "app" and "code" not in said else set()
        assert told == kinds | unclear, (gives, said)


def test_what_only_an_app_can_work_out_is_told_once() -> None:
    [found] = findings(OFFER | {"gives": "app", "discount": None, "skus": "P-1", "sku": None})
    assert (found["kind"], found["theirs"]) == ("promotion_unclear", "app")


def test_an_offer_to_several_groups_is_right_if_it_is_meant_for_each_of_them() -> None:
    several = OFFER | {"customer_group": None, "customer_groups": "dealer;key"}
    [found] = findings(several)
    assert (found["kind"], found["field"]) == ("promotion_group", "customer_groups")
    assert (found["theirs"], found["expected"]) == ("key", "dealer")
    assert findings(several, masters=[SPRING, SPRING | {"customer_group": "key"}]) == []
    assert findings(several, masters=[SPRING | {"customer_group": None, "customer_groups": "dealer;key"}]) == []
    assert findings(several, masters=[SPRING | {"customer_group": None}]) == []


def test_a_group_that_another_product_of_the_promotion_is_for_does_not_get_this_one() -> None:
    masters = [SPRING, SPRING | {"sku": "P-2", "customer_group": "key"}]
    assert verdict(OFFER | {"customer_group": "key"}, masters=masters) == "group customer_group"
    assert verdict(OFFER | {"sku": "P-2", "customer_group": "key"}, masters=masters) == "right"


def test_an_offer_to_some_people_is_for_the_groups_of_their_companies() -> None:
    groups = {"shop/accounts/1": "dealer", "shop/accounts/2": "key"}
    people = {f"shop/customers/{n}": of for n, of in enumerate("112")} | {"shop/customers/9": None}
    offer = OFFER | {"customer_group": None}
    outcomes = (
        ("shop/customers/0;shop/customers/1", "right"),
        ("shop/customers/0;shop/customers/2", "group contacts"),
        ("shop/customers/9", "right"),  # nobody knows of which company
        ("shop/customers/0;shop/customers/8", "right"),  # nobody
    )
    for contacts, outcome in outcomes:
        assert verdict(offer | {"contacts": contacts}, groups=groups, people=people) == outcome
    [found] = findings(offer | {"contacts": "shop/customers/0;shop/customers/2"}, groups=groups, people=people)
    assert json.loads(found["detail"])["customers"] == 2


# -- prices that offers say ------------------------------------------------------------------------------------------


def priced(offer: Mapping[str, Any], **said: Any) -> list[str]:
    """The kinds of all findings on an offer with a price, beside a list of 100 for dealers and 120 for all."""
    amounts = {"dealer": "100", "standard": "120"}
    lists = [{"sku": "P-1", "currency": "EUR", "customer_group": g, "amount": a} for g, a in amounts.items()]
    rows = [row(f"pim/prices/{n}", one, "price") for n, one in enumerate(lists)]
    rows += [row("pim/promotions/1", SPRING), row("shop/offers/1", {**offer, "currency": "EUR", **said})]
    told = tables(rows, {"shop/accounts/1": "dealer"})
    promoted = promotions.promotions(*promotions.offers(*told, ZONE), TODAY).to_pylist()
    found = promotions.apart(promoted, catalog(*context(*told, TODAY, ZONE)).to_pylist())
    return [f["kind"] for f in found]


def test_the_price_of_an_offer_is_the_masters_less_its_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPRING, "discount", None)
    for name in ("discount_amount", "currency"):
        monkeypatch.setitem(SPRING, name, EUROS[name])
    offer = {k: v for k, v in EUROS.items() if k != "discount_on"}
    assert priced(offer, price="90.00") == []
    assert priced(offer, price="85.00") == ["price_differs"]
    assert priced(offer | {"discount_amount": "15.00"}, price="85.00") == ["promotion_differs"]


def test_the_price_of_an_offer_is_the_masters_for_its_group_less_the_discount() -> None:
    assert priced(OFFER, price="90.00") == []
    assert priced(OFFER, price="100.00") == []
    assert priced(OFFER, price="95.00") == ["price_differs"]
    assert priced(OFFER, price="120.00") == ["price_group"]


def test_an_offer_to_a_customer_has_that_ones_price() -> None:
    assert priced(OFFER | {"customer_group": None, "account": "shop/accounts/1"}, price="90.00") == []


def test_an_offer_that_is_wrong_itself_is_not_told_of_its_price_as_well() -> None:
    assert priced(OFFER | {"discount": "20"}, price="80.00") == ["promotion_differs"]
    assert priced(OFFER | {"customer_group": "standard"}, price="108.00") == ["promotion_group"]
    assert priced(OFFER | {"code": "SUMMER"}, price="70.00") == ["promotion_unknown"]


def test_a_price_of_an_offer_that_names_no_promotion_is_judged_like_any_other() -> None:
    nameless = OFFER | {"code": None, "name": None}
    assert priced(nameless | {"discount": "50"}, price="50.00") == ["price_differs"]
    assert priced(nameless, price="90.00") == []


def test_the_price_of_an_offer_to_come_is_one_of_its_first_day_and_of_one_that_is_over_none() -> None:
    assert priced(OFFER | {"valid_from": "2026-11-25", "valid_to": "2026-11-28"}, price="90.00") == []
    nameless = OFFER | {"code": None, "name": None}
    assert priced(nameless | {"valid_from": "2026-12-01", "valid_to": "2026-12-05"}, price="90.00") == ["price_differs"]
    assert priced(nameless | {"valid_to": "2026-11-20"}, price="1.00") == []


def test_an_offered_product_the_master_does_not_have_is_unknown_once() -> None:
    assert priced(OFFER | {"sku": "P-9"}, price="90.00") == ["sku_unknown"]


# -- a whole world -----------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def of_world(world: World) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """(planted, found, false) by kind, of offers and their prices, where each customer is known for who it is."""
    offered = [*world.campaigns.discounts(), *world.campaigns.offers()]
    rows = []
    for x in (*world.catalog.master(), *offered):
        rows.append(row(ref(x), {k: as_ref(x, k, v) for k, v in x.fields.items()}, ROLES[x.role][x.stream].value))
    known = {f"portal/accounts/{n}": str(c) for c, n in enumerate(world.companies.numbers.first["portal"]) if n}
    believed = [{"ref": r, "entity": "account", "golden_id": c, "fields": "{}"} for r, c in known.items()]
    people = {f"shop/customers/{n}": p for p, n in enumerate(world.people.numbers.first["shop"]) if n}
    for r, p in people.items():
        known[r] = str(world.people.company_of(p))
        of = json.dumps({"account": known[r]})
        believed.append({"ref": r, "entity": "contact", "golden_id": f"person {p}", "fields": of})
    groups = {c: json.dumps({"customer_group": world.companies.group(int(c))}) for c in known.values()}
    told = (
        pa.Table.from_pylist(rows, schema=ROWS),
        pa.Table.from_pylist(believed, schema=BELIEVED),
        pa.Table.from_pylist([{"id": c, "fields": group} for c, group in groups.items()], schema=ACCOUNTS),
        ["master"],
    )
    day = NOW.date().isoformat()
    promoted = promotions.promotions(*promotions.offers(*told, ZONE), day).to_pylist()
    judged = promotions.apart(promoted, catalog(*context(*told, day, ZONE)).to_pylist())
    ours = {ref(x) for x in offered}
    found = {(f["kind"], f["ref"]) for f in judged if f["ref"] in ours}
    planted = {(wrong.kind, ref(x)) for x in offered for wrong in x.wrong}
    return tuple(Counter(kind for kind, _ in some) for some in (planted, planted & found, found - planted))  # type: ignore[return-value]


def as_ref(x: Held, name: str, value: Any) -> Any:
    """A value as it is refined: a link as the ref of what it leads to, of several all of them."""
    stream = LINKS.get((x.role, x.stream), {}).get(name)
    if stream is None:
        return value
    refs = [f"{x.role}/{stream}/{n}" for n in (value if isinstance(value, list) else [value])]
    return ";".join(sorted(refs))


def ref(x: Held) -> str:
    return f"{x.role}/{x.stream}/{x.n}"


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_what_is_wrong_with_the_offers_of_a_world_is_found_as_what_it_is_and_nothing_else(seed: int) -> None:
    planted, found, false = of_world(World(400, seed, NOW))
    assert set(planted) == {*promotions.KINDS, "price_differs"}, "each kind of mistake is made"
    assert (found, false) == (planted, Counter())


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [21, 22, 23])
def test_in_the_size_of_a_firm_too(seed: int) -> None:
    planted, found, false = of_world(World(20_000, seed, NOW))
    assert planted.total() > 100
    assert {kind: n for kind, n in planted.items() if found[kind] < 0.99 * n} == {}
    assert {kind: n for kind, n in false.items() if n > 0.01 * planted[kind]} == {}

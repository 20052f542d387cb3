"""What no plan passes by itself, and what a source may not lose without anybody having looked."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.model import Change, Op, Ref
from omnihub.push import Limits, Plan, guard
from omnihub.push.guard import Held

LIMITS = Limits(share=0.3, first_share=0.6, floor=5, records=50)
WRITTEN = frozenset({"crm"})


def edits(count: int, system: str = "crm", new: str | None = "+2", field: str = "phone", **more: object) -> Plan:
    change = Change(Ref(system, "people", ""), field, "+1", new, "why", "contact_a")
    made = (dataclasses.replace(change, ref=Ref(system, "people", f"{n:04}"), **more) for n in range(count))
    return Plan(tuple(made))


def broken(
    plan: Plan, limits: Limits = LIMITS, total: int = 100, before: frozenset[str] = WRITTEN, restoring: bool = False
) -> list[tuple[str, int, int]]:
    found = guard(plan, {("crm", "people"): total}, before, limits, restoring)
    return [(b.limit, b.count, b.allowed) for b in found]


# -- how many --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "total", "allowed"), [(30, 100, True), (31, 100, False), (5, 10, True), (6, 10, False), (5, 0, True)]
)
def test_a_plan_may_touch_a_share_of_the_records_but_a_few_always(count: int, total: int, allowed: bool) -> None:
    assert (broken(edits(count), total=total) == []) is allowed


def test_the_first_plan_ever_has_limits_of_its_own() -> None:
    nobody: frozenset[str] = frozenset()
    assert broken(edits(45), total=75, before=nobody) == []
    assert broken(edits(46), total=75, before=nobody) == [("first_run_share", 46, 45)]
    assert broken(edits(45), total=75, before=frozenset({"shop"})) == [], "another system's writing does not count"
    assert broken(edits(45), total=75) == [("max_share", 45, 22)]
    few = dataclasses.replace(LIMITS, first_records=10)
    assert broken(edits(11), few, before=nobody) == [("first_run_records", 11, 10)]
    assert broken(edits(11), few) == []


def test_so_many_records_are_too_many_whatever_their_share() -> None:
    assert broken(edits(51), total=10_000) == [("max_records", 51, 50)]
    assert broken(edits(50), total=10_000) == []
    assert broken(edits(51), total=10_000, before=frozenset()) == [("max_records", 51, 50)]


def test_records_count_once_however_many_of_their_fields_change() -> None:
    assert broken(Plan(edits(5).changes + edits(5, field="city", new="Bonn").changes), total=10) == []


def test_each_system_and_each_kind_of_edit_is_judged_by_itself() -> None:
    plan = Plan(edits(31).changes + edits(5, "shop").changes)
    found = guard(plan, {("crm", "people"): 100, ("shop", "people"): 100}, frozenset({"crm", "shop"}), LIMITS)
    assert [(b.system, b.limit) for b in found] == [("crm", "max_share")]
    both = Plan(edits(30).changes + edits(31, op=Op.CREATE).changes)
    assert [(b.op, b.count) for b in guard(both, {("crm", "people"): 100}, WRITTEN, LIMITS)] == [("create", 31)]


def test_a_broken_limit_tells_a_person_where_how_many_of_how_many_and_for_example() -> None:
    [one] = guard(edits(31), {("crm", "people"): 100}, WRITTEN, LIMITS)
    assert one.words() == (
        "crm/people: 31 of 100 records would change, guard.max_share allows 30 "
        "(for example crm/people/0000, crm/people/0001, crm/people/0002)"
    )
    assert (one.system, one.stream, one.entity, one.op, one.field) == ("crm", "people", "contact", "update", "")


# -- whose limits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["crm", "contact", "crm.contact"])
def test_a_system_or_an_entity_may_have_limits_of_its_own(key: str) -> None:
    limits = dataclasses.replace(LIMITS, own={key: {"share": 0.1}, "shop": {"share": 1.0}})
    assert broken(edits(11), limits) == [("max_share", 11, 10)]


def test_a_field_may_have_limits_of_its_own_and_others_are_not_held_to_them() -> None:
    limits = dataclasses.replace(LIMITS, own={"contact.phone": {"share": 0.1}})
    [one] = guard(edits(11), {("crm", "people"): 100}, WRITTEN, limits)
    assert (one.limit, one.field, one.count, one.allowed) == ("max_share", "phone", 11, 10)
    assert "would change in phone" in one.words()
    assert broken(edits(11, field="job_title"), limits) == []


def test_of_several_limits_the_nearest_holds() -> None:
    own = {"contact": {"share": 0.1}, "crm": {"share": 0.2}, "crm.contact": {"share": 0.25}}
    limits = dataclasses.replace(LIMITS, own=own)
    assert broken(edits(25), limits) == []
    assert broken(edits(26), limits) == [("max_share", 26, 25)]
    nearer = dataclasses.replace(LIMITS, own={"contact.phone": {"emptied": 9}, "crm.contact.phone": {"emptied": 2}})
    assert broken(edits(3, new=None), nearer) == [("max_emptied", 3, 2)]


# -- never -----------------------------------------------------------------------------------------------------------


def test_emptying_a_field_always_needs_a_person() -> None:
    assert broken(edits(1, new=None), total=10_000) == [("max_emptied", 1, 0)]
    assert broken(edits(1, new=None), restoring=True) == []


def test_deleting_a_record_always_needs_a_person() -> None:
    assert broken(edits(1, op=Op.DELETE), total=10_000) == [("max_deleted", 1, 0)]


@pytest.mark.parametrize(
    ("old", "new", "loosened"), [("no", "yes", True), (None, "yes", True), ("yes", "no", False), ("yes", "yes", False)]
)
def test_loosening_a_consent_always_needs_a_person(old: str | None, new: str, loosened: bool) -> None:
    plan = edits(1, field="marketing_consent", old=old, new=new)
    assert broken(plan) == ([("max_loosened", 1, 0)] if loosened else [])
    assert broken(plan, restoring=True) == broken(plan), "nor is it done by taking something back"


def prices(count: int, new: str, old: str | None = "100.00") -> Plan:
    return edits(count, field="price", old=old, new=new, golden_id="product_a")


@pytest.mark.parametrize(
    ("old", "new", "far"),
    [
        ("100.00", "120.00", False),
        ("100.00", "120.01", True),
        ("100.00", "79.99", True),
        ("100.00", "80.00", False),
        ("0", "0.01", True),
        ("0.00", "0", False),
        (None, "120.01", False),
        ("100.00", "NaN", True),
        ("100.00", "call us", True),
    ],
)
def test_prices_may_move_by_a_share_of_what_they_were(old: str | None, new: str, far: bool) -> None:
    assert broken(prices(11, new, old)) == ([("max_price_change", 11, 10)] if far else [])
    assert broken(prices(10, new, old)) == [], "a few may, in a small shop too"


def test_in_a_large_shop_a_few_of_a_hundred_prices_may_be_put_right_at_once() -> None:
    assert broken(prices(21, "150.00"), total=400) == [("max_price_change", 21, 20)]
    assert broken(prices(20, "150.00"), total=400) == []


# -- sources ---------------------------------------------------------------------------------------------------------


def source(before: int, now: int, field: str = "", stream: str = "people") -> Held:
    return Held("crm", stream, "contact", field, before, now)


def lost(*held: Held, **limits: float) -> list[tuple[str, str, int, int]]:
    found = guard(Plan(()), {}, WRITTEN, Limits(**limits), sources=held)  # type: ignore[arg-type]
    return [(b.limit, b.field, b.count, b.of) for b in found]


def test_a_source_that_loses_too_many_records_at_once_is_not_trusted() -> None:
    assert lost(source(100, 70)) == []
    assert lost(source(100, 69)) == [("source_drop", "", 31, 100)]
    assert lost(source(20, 10)) == [], "ten may go on any day"
    assert lost(source(100, 200)) == []


def test_a_source_is_never_to_lose_all_it_had_but_two() -> None:
    assert lost(source(8, 0)) == [("source_drop", "", 8, 8)]
    assert lost(source(8, 1)) == []
    assert lost(source(2, 0)) == []


def test_a_field_that_loses_its_values_is_not_trusted() -> None:
    assert lost(source(100, 100), source(90, 0, "email")) == [("source_field_drop", "email", 90, 90)]
    assert lost(source(100, 100), source(90, 70, "email")) == []


def test_values_that_went_with_their_records_are_no_loss_of_their_own() -> None:
    assert lost(source(100, 50), source(90, 45, "email")) == [("source_drop", "", 50, 100)]
    assert lost(source(100, 75), source(80, 10, "email")) == [("source_field_drop", "email", 50, 60)]


def test_what_a_source_may_lose_can_be_set_for_a_field_and_switched_off() -> None:
    own = {"contact.email": {"drop": 0.05, "drop_floor": 0}}
    held = source(100, 90, "email")
    assert lost(held) == []
    assert lost(held, own=own) == [("source_field_drop", "email", 10, 100)]  # type: ignore[arg-type]
    assert lost(source(100, 0), drop=1.0) == []


# -- always ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 200), st.integers(0, 1000), st.booleans())
def test_a_plan_never_gets_worse_by_changing_less(count: int, total: int, first: bool) -> None:
    before = frozenset() if first else WRITTEN
    if broken(edits(count), LIMITS, total, before) == []:
        assert broken(edits(count // 2), LIMITS, total, before) == []


_changes = st.builds(
    Change,
    st.builds(Ref, st.sampled_from(["crm", "shop"]), st.just("people"), st.integers(0, 30).map(str)),
    st.sampled_from(["phone", "marketing_consent", "email"]),
    st.sampled_from([None, "no", "yes", "a"]),
    st.sampled_from([None, "no", "yes", "b"]),
    st.just("why"),
    st.just("contact_a"),
    st.sampled_from([Op.UPDATE, Op.CREATE, Op.DELETE]),
)
_limits = st.builds(
    Limits,
    share=st.floats(0, 1),
    first_share=st.floats(0, 1),
    floor=st.integers(0, 10),
    records=st.integers(0, 20),
    emptied=st.integers(0, 3),
    deleted=st.integers(0, 3),
    loosened=st.integers(0, 3),
    own=st.dictionaries(
        st.sampled_from(["crm", "contact", "contact.phone", "crm.contact.phone"]),
        st.fixed_dictionaries({"records": st.integers(0, 10)}),
        max_size=2,
    ),
)


@given(st.lists(_changes, max_size=60), _limits, st.integers(0, 40), st.sets(st.sampled_from(["crm", "shop"])))
def test_never_more_than_the_limits_passes(
    changes: list[Change], limits: Limits, total: int, before: frozenset[str]
) -> None:
    totals = {("crm", "people"): total, ("shop", "people"): total}
    if guard(Plan(tuple(changes)), totals, frozenset(before), limits):
        return
    for system in ("crm", "shop"):
        at = limits.at(system, "contact")
        mine = [c for c in changes if c.ref.system == system]
        share = at.share if system in before else at.first_share
        for op in {c.op for c in mine}:
            touched = {c.ref for c in mine if c.op is op}
            assert len(touched) <= min(at.records, max(at.floor, share * total))
        assert len({c.ref for c in mine if c.op is Op.DELETE}) <= at.deleted
        emptied = Counter(c.field for c in set(mine) if c.op is Op.UPDATE and c.new is None)
        loosened = {(c.ref, c.op) for c in mine if c.field == "marketing_consent" and c.new == "yes" and c.old != "yes"}
        assert max(Counter(op for _, op in loosened).values(), default=0) <= at.loosened
        assert all(
            len({c.ref for c in mine if c.field == f and c.op is Op.UPDATE and c.new is None}) <= at.emptied
            for f in emptied
        )
        phones = limits.at(system, "contact", "phone").records
        assert all(len({c.ref for c in mine if c.op is op and c.field == "phone"}) <= phones for op in Op)

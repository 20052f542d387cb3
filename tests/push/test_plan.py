"""The plan: only what may be written, only what was looked at, and a hash that names exactly these changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.model import Change, Op, Ref
from omnihub.push import Plan, make_plan
from omnihub.push.plan import Difference, calls
from omnihub.sdk import Answer, Page, Push, Row


def nobody_sends(client: Any, rows: Sequence[Row]) -> Iterable[Answer]:
    raise AssertionError("a plan sends nothing")


def nobody_looks(client: Any, ids: Sequence[str]) -> Iterator[Page]:
    raise AssertionError("a plan looks at nothing")


def may(*fields: str, batch: int = 10, **longest: int) -> Push:
    return Push(fields, update=nobody_sends, look=nobody_looks, batch=batch, max_length=longest)


CRM = {("crm", "people"): may("phone", "city", "street", "first_name", "last_name", street=10)}
LOOKED = {"crm": "looked"}


def differs(
    field: str = "phone", theirs: str | None = "+1", ours: str = "+2", ref: str = "crm/people/1", rule: str = "trusted"
) -> Difference:
    return Difference(ref, field, "contact_a", theirs, ours, "shop/customers/9" if rule != "pin" else "", rule)


def planned(
    *differences: Difference, held_back: Any = None, looked: Any = None
) -> list[tuple[str, str, str | None, str | None]]:
    plan = make_plan(differences, CRM, held_back or {}, LOOKED if looked is None else looked)
    return [(str(c.ref), c.field, c.old, c.new) for c in plan.changes]


def test_a_difference_becomes_a_change_with_its_before_image_and_its_reason() -> None:
    [change] = make_plan([differs()], CRM, {}, LOOKED).changes
    assert (change.ref, change.field, change.old, change.new) == (Ref("crm", "people", "1"), "phone", "+1", "+2")
    assert change.why == "replaces by rule trusted: the value of shop (shop/customers/9)"


@pytest.mark.parametrize(
    ("difference", "why"),
    [
        (differs(theirs=None), "adds by rule trusted: the value of shop (shop/customers/9)"),
        (differs(rule="pin"), "pinned by a steward"),
    ],
)
def test_the_reason_says_whether_a_value_is_added_and_who_wanted_it(difference: Difference, why: str) -> None:
    assert make_plan([difference], CRM, {}, LOOKED).changes[0].why == why


@pytest.mark.parametrize(
    "difference",
    [
        differs("email"),
        differs(ref="crm/firms/1"),
        differs(ref="shop/customers/1"),
    ],
)
def test_what_is_not_on_the_white_list_is_not_planned(difference: Difference) -> None:
    assert planned(difference) == []


@pytest.mark.parametrize("looked", ["could not look", "not supported"])
def test_nothing_is_planned_for_a_system_nobody_could_look_at(looked: str) -> None:
    plan = make_plan([differs()], CRM, {}, {"crm": looked})
    assert plan.changes == ()
    assert plan.looked == {"crm": looked}, "nothing to do and could not look are different words"
    assert planned(differs(), looked={}) == []


def test_what_was_refused_before_is_held_back_until_either_side_changes() -> None:
    held = {("crm/people/1", "phone"): ("+1", "+2")}
    assert planned(differs(), held_back=held) == []
    assert planned(differs(theirs="+9"), held_back=held) != []
    assert planned(differs(ours="+9"), held_back=held) != []
    assert planned(differs(ref="crm/people/2"), held_back=held) != []


def test_a_value_the_target_can_not_hold_is_not_sent() -> None:
    assert planned(differs("street", ours="x" * 11)) == []
    assert planned(differs("street", ours="ü" * 10)) != [], "characters count, not bytes"


def test_an_address_of_which_a_part_can_not_be_written_is_left_whole() -> None:
    """Half of the new address beside half of the old one is nobody's address."""
    new_home = [differs("street", ours="x" * 11), differs("city", theirs="Bonn", ours="Köln"), differs("phone")]
    assert [field for _, field, _, _ in planned(*new_home)] == ["phone"]
    held = {("crm/people/1", "city"): ("Bonn", "Köln")}
    assert [f for _, f, _, _ in planned(*new_home[1:], differs("street", ours="Gasse 1"), held_back=held)] == ["phone"]


def test_another_records_address_is_not_left_with_it() -> None:
    found = planned(differs("street", ours="x" * 11), differs("city", ours="Köln", ref="crm/people/2"))
    assert [ref for ref, *_ in found] == ["crm/people/2"]


# -- the hash --------------------------------------------------------------------------------------------------------

texts = st.none() | st.text(max_size=6)
changes = st.builds(
    Change,
    st.builds(Ref, st.sampled_from(["crm", "shop"]), st.just("people"), st.sampled_from("123")),
    st.sampled_from(["phone", "city"]),
    texts,
    texts,
    st.just("why"),
    st.just("contact_a"),
    st.sampled_from(list(Op)),
)


@given(st.lists(changes, max_size=6), st.randoms())
def test_the_hash_does_not_depend_on_the_order(some: list[Change], random: Any) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert Plan(tuple(some)).hash == Plan(tuple(shuffled)).hash


@given(st.lists(changes, max_size=4), st.lists(changes, max_size=4))
def test_plans_with_other_changes_have_other_hashes(some: list[Change], others: list[Change]) -> None:
    def named(plan: list[Change]) -> list[Any]:
        return sorted(repr((c.ref, c.field, c.old, c.new, c.op)) for c in plan)

    assert (Plan(tuple(some)).hash == Plan(tuple(others)).hash) == (named(some) == named(others))


CHANGE = Change(Ref("crm", "people", "1"), "phone", "+1", "+2", "why", "contact_a")


@pytest.mark.parametrize(
    "other",
    [
        replace(CHANGE, ref=Ref("crm", "people", "2")),
        replace(CHANGE, field="city"),
        replace(CHANGE, old=None),
        replace(CHANGE, new="+3"),
        replace(CHANGE, op=Op.CREATE),
    ],
)
def test_any_part_of_a_change_counts_for_the_hash(other: Change) -> None:
    assert Plan((CHANGE,)).hash != Plan((other,)).hash


def test_a_plan_counts_its_changes_and_its_records() -> None:
    plan = make_plan([differs(), differs("city"), differs(ref="crm/people/2")], CRM, {}, LOOKED)
    assert plan.counts() == {"planned": 3, "records": 2, "by_system": {"crm": {"changes": 3, "records": 2}}}


def test_a_plan_says_how_many_calls_it_takes() -> None:
    push = {("crm", "people"): may("phone", batch=10)}
    plan = make_plan([differs(ref=f"crm/people/{n}") for n in range(21)], push, {}, LOOKED)
    assert calls(plan, push) == {"crm": 6}, "three batches, each looked at and written"

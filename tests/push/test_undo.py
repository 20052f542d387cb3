"""Undo: what was written against what is there now: a change back, back already, or left with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.errors import OmniHubError, RetryableError
from omnihub.model import Change, Entity, Ref
from omnihub.push import Hold, Inverse, Limits, Plan, Present, Written, apart_from, guard, invert
from omnihub.push.plan import Difference
from omnihub.push.undo import chained, chosen
from omnihub.sdk import Answer, FullName, Page, Path, Push, Row, Stream

REF = "crm/people/1"


def nobody_sends(client: Any, rows: Sequence[Row]) -> Iterable[Answer]:
    raise AssertionError("an inverse sends nothing")


def nobody_looks(client: Any, ids: Sequence[str]) -> Iterator[Page]:
    raise AssertionError("an inverse looks at nothing")


PUSH = Push(("phone", "job_title", "street", "city", "first_name", "last_name"), update=nobody_sends, look=nobody_looks)
MAP: dict[str, str | Path] = {
    "phone": "tel", "job_title": "job", "street": "where.street", "city": "where.city",
    "first_name": FullName("name", "first"), "last_name": FullName("name", "last"),
}  # fmt: skip
PEOPLE = Stream("people", Entity.CONTACT, MAP, push=PUSH)
TARGETS = {("crm", "people"): PEOPLE}


def wrote(field: str = "job_title", before: str | None = "Clerk", sent: str | None = "Head", **more: Any) -> Written:
    return Written(REF, field, "contact_a", before, sent, "plan-1", **{"native": (before, sent), **more})


def now(raw: Mapping[str, Any], **fields: str) -> dict[str, Present | OmniHubError]:
    return {REF: Present(fields, raw)}


def only(found: Inverse) -> Change:
    [change] = found.changes
    assert (found.left, found.done) == ((), 0)
    return change


def left(found: Inverse) -> str:
    [one] = found.left
    assert (found.changes, found.done) == ((), 0)
    return one.why


# -- three ways it can stand -----------------------------------------------------------------------------------------


def test_what_still_holds_what_was_sent_goes_back_to_the_letter() -> None:
    one = wrote("phone", "+491721234567", "+4930901820", native=("0172/1234567", "+4930901820"))
    change = only(invert([one], now({"tel": "+4930901820"}, phone="+4930901820"), TARGETS))
    assert (change.ref, change.field, change.old, change.new) == (
        Ref("crm", "people", "1"), "phone", "+4930901820", "+491721234567",
    )  # fmt: skip
    assert change.exact == '"0172/1234567"'
    assert change.why == "restores what plan-1 has written over"


@pytest.mark.parametrize("raw", ["HEAD", " head "])
def test_what_the_system_writes_its_own_way_is_still_ours(raw: str) -> None:
    assert only(invert([wrote()], now({"job": raw}, job_title=raw.strip()), TARGETS)).new == "Clerk"


def test_what_holds_the_very_text_that_was_sent_is_ours_however_it_is_read() -> None:
    one = wrote(native=("Clerk", "Head|of|X"))
    assert only(invert([one], now({"job": "Head|of|X"}, job_title="Head of X"), TARGETS)).new == "Clerk"


def test_what_is_there_as_before_is_back_already() -> None:
    found = invert([wrote()], now({"job": "Clerk"}, job_title="Clerk"), TARGETS)
    assert (found.changes, found.left, found.done) == ((), (), 1)


def test_what_somebody_changed_is_left_and_named_with_what_it_is_now() -> None:
    [one] = invert([wrote()], now({"job": "Boss"}, job_title="Boss"), TARGETS).left
    assert (one.ref, one.field, one.now, one.before, one.why) == (
        REF, "job_title", "Boss", "Clerk", "somebody changed it since",
    )  # fmt: skip


def test_what_somebody_emptied_is_left() -> None:
    assert left(invert([wrote()], now({"job": None}), TARGETS)) == "somebody changed it since"


def test_what_another_plan_wrote_again_is_left_and_that_plan_named() -> None:
    found = invert([wrote(later="plan-2")], now({"job": "Boss"}, job_title="Boss"), TARGETS)
    assert left(found) == "written again since, by plan-2"


# -- nothing was there -----------------------------------------------------------------------------------------------


def test_what_was_filled_is_emptied() -> None:
    change = only(invert([wrote(before=None)], now({"job": "Head"}, job_title="Head"), TARGETS))
    assert (change.new, change.exact, change.why) == (None, "null", "empties what plan-1 has written over")


def test_what_nobody_could_read_before_is_not_taken_for_nothing() -> None:
    one = wrote("phone", None, "+4930901820", native=("call Ute", "+4930901820"))
    change = only(invert([one], now({"tel": "+4930901820"}, phone="+4930901820"), TARGETS))
    assert (change.new, json.loads(str(change.exact))) == (None, "call Ute")
    assert invert([one], now({"tel": "call Ute"}), TARGETS).done == 1
    assert left(invert([one], now({"tel": "call Eva"}), TARGETS)) == "somebody changed it since"


def test_what_was_empty_is_not_what_nobody_could_read() -> None:
    one = wrote(before=None, native=("", "Head"))
    assert invert([one], now({"job": None}), TARGETS).done == 1


def test_whether_something_was_there_must_be_known_before_it_is_emptied() -> None:
    found = invert([wrote(before=None, native=None)], now({"job": "Head"}, job_title="Head"), TARGETS)
    assert "not known" in left(found)


# -- a group, a name -------------------------------------------------------------------------------------------------

ADDRESS = [wrote("street", "Weg 1", "Allee 2"), wrote("city", "Ulm", "Bonn")]


def test_an_address_of_which_somebody_changed_a_part_is_left_whole() -> None:
    raw = {"where": {"street": "Allee 2", "city": "Kiel"}}
    found = invert(ADDRESS, now(raw, street="Allee 2", city="Kiel"), TARGETS)
    assert found.changes == ()
    assert {one.field: one.why for one in found.left} == {
        "city": "somebody changed it since",
        "street": "its address is left as a whole",
    }


def test_an_address_half_back_already_goes_back_whole() -> None:
    raw = {"where": {"street": "Allee 2", "city": "Ulm"}}
    found = invert(ADDRESS, now(raw, street="Allee 2", city="Ulm"), TARGETS)
    assert ([c.field for c in found.changes], found.done, found.left) == (["street"], 1, ())


def test_a_name_in_one_text_goes_back_to_the_letter_only_while_the_whole_is_ours() -> None:
    one = wrote("last_name", "Dyk", "van Dyk", native=("Ana DYK", "Ana van Dyk"))
    ours = now({"name": "Ana van Dyk"}, first_name="Ana", last_name="van Dyk")
    assert only(invert([one], ours, TARGETS)).exact == '"Ana DYK"'
    edited = now({"name": "Anna van Dyk"}, first_name="Anna", last_name="van Dyk")
    assert only(invert([one], edited, TARGETS)).exact is None


# -- what can't be done ----------------------------------------------------------------------------------------------


def test_a_record_that_is_gone_and_one_that_cannot_be_looked_at_are_named() -> None:
    assert left(invert([wrote()], {}, TARGETS)) == "the record is no longer there"
    assert left(invert([wrote()], {REF: RetryableError("crm: down")}, TARGETS)) == "could not look: crm: down"


def test_what_may_not_be_written_any_more_is_left() -> None:
    held = now({"job": "Head"}, job_title="Head")
    less = replace(PEOPLE, push=replace(PUSH, fields=("phone",)))
    assert left(invert([wrote()], held, {("crm", "people"): less})) == "this field may not be written any more"
    assert left(invert([wrote()], held, {})) == "this field may not be written any more"


def test_what_was_handed_over_and_does_not_show_is_no_undo_done() -> None:
    slow = replace(PEOPLE, push=replace(PUSH, delayed=True))
    found = invert([wrote()], now({"job": "Clerk"}, job_title="Clerk"), {("crm", "people"): slow})
    assert "handed over" in left(found)


def test_a_write_without_a_receipt_counts_only_where_it_shows() -> None:
    lost = wrote(sure=False, native=None)
    assert only(invert([lost], now({"job": "Head"}, job_title="Head"), TARGETS)).new == "Clerk"
    for present in (now({"job": "Boss"}, job_title="Boss"), {}):
        assert invert([lost], present, TARGETS) == Inverse((), 0, ())


# -- always ----------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["Clerk", "Head", "Boss", None])


@given(before=WORDS, sent=st.sampled_from(["Clerk", "Head"]), there=WORDS)
def test_every_field_is_changed_back_or_back_or_left_and_nothing_else_is_touched(
    before: str | None, sent: str, there: str | None
) -> None:
    if before == sent:
        return
    fields = {"job_title": there} if there else {}
    found = invert([wrote(before=before, sent=sent)], now({"job": there}, **fields), TARGETS)
    assert len(found.changes) + found.done + len(found.left) == 1
    assert bool(found.changes) == (there == sent)
    assert found.done == (there == before)
    for change in found.changes:
        assert (change.old, change.new) == (sent, before)


def test_what_was_written_twice_goes_back_to_what_was_there_first() -> None:
    both = chained(wrote(), wrote(before="Head", sent="Boss"))
    assert (both.before, both.sent, both.native) == ("Clerk", "Boss", ("Clerk", "Boss"))


def test_chosen_are_the_systems_and_fields_named_and_the_whole_of_an_address() -> None:
    some = [*ADDRESS, wrote(), replace(wrote("phone"), ref="shop/customers/1")]
    assert chosen(some, [], []) == some
    assert chosen(some, ["shop"], []) == some[3:]
    assert chosen(some, [], ["city"]) == ADDRESS
    assert chosen(some, ["crm"], ["phone"]) == []


def test_an_undo_may_empty_what_was_filled_and_no_other_plan_may() -> None:
    plan = Plan((only(invert([wrote(before=None)], now({"job": "Head"}, job_title="Head"), TARGETS)),))
    assert [b.limit for b in guard(plan, {}, frozenset(), Limits())] == ["max_emptied"]
    assert guard(plan, {}, frozenset(), Limits(), restoring=True) == []


def test_the_exact_form_is_part_of_what_a_hash_names() -> None:
    change = only(invert([wrote()], now({"job": "Head"}, job_title="Head"), TARGETS))
    assert len({Plan((replace(change, exact=exact),)).hash for exact in (None, '"Clerk"', '"clerk"')}) == 3


# -- held ------------------------------------------------------------------------------------------------------------


def differs(field: str, theirs: str | None, ours: str, golden_id: str = "contact_a") -> Difference:
    return Difference(REF, field, golden_id, theirs, ours, "shop/customers/9", "trusted")


def planned(holds: Mapping[str, Hold], *differences: Difference) -> list[str]:
    held = {(REF, field): hold for field, hold in holds.items()}
    return sorted(d.field for d in apart_from(differences, held))


HELD = {"job_title": Hold("Clerk", "Head")}


def test_what_was_undone_is_not_planned_while_both_sides_say_what_they_said() -> None:
    assert planned(HELD, differs("job_title", "Clerk", "Head"), differs("phone", None, "+1")) == ["phone"]
    assert planned(HELD, differs("job_title", "CLERK", "Head")) == []
    assert planned(HELD, differs("job_title", "Clerk", "Boss")) == ["job_title"]
    assert planned(HELD, differs("job_title", "Aide", "Head")) == ["job_title"]
    assert planned({}, differs("job_title", "Clerk", "Head")) == ["job_title"]


def test_an_address_is_held_whole_or_not_at_all() -> None:
    held = {"street": Hold("Weg 1", "Allee 2"), "city": Hold("Ulm", "Bonn")}
    street = differs("street", "Weg 1", "Allee 2")
    assert planned(held, street, differs("city", "Ulm", "Bonn")) == []
    assert planned(held, street, differs("city", "Ulm", "Kiel")) == ["city", "street"]

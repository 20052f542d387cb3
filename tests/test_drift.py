"""Drift: a field that is renamed, added or retyped is noticed the same day; one that is rarely filled is not missed."""

from __future__ import annotations

import json
from typing import Any

from omnihub.drift import Drift, compared, learned, shape

MONDAY, TUESDAY = "2026-11-16T08:00:00Z", "2026-11-17T08:00:00Z"


def bodies(count: int, **fields: Any) -> list[str]:
    return [json.dumps({"id": n, **fields}) for n in range(count)]


def seen(known: list[str], new: list[str], before: Drift | None = None, at: str = TUESDAY) -> Drift:
    then, _ = shape(known)
    here, count = shape(new)
    return compared(then, here, count, before or Drift(), at)


def test_the_first_records_of_a_stream_are_no_news() -> None:
    assert not seen([], bodies(9, name="Anna"))


def test_a_field_that_no_new_record_has_is_missing_since_then() -> None:
    drift = seen(bodies(9, name="Anna", address={"city": "Ulm"}), bodies(9, full_name="Anna", address={"town": "Ulm"}))
    assert drift.missing == {"name": TUESDAY, "address.city": TUESDAY}
    assert drift.added == {"full_name": TUESDAY, "address.town": TUESDAY}


def test_a_field_only_some_records_have_is_not_missed_in_a_few() -> None:
    known = [*bodies(8), *bodies(2, note="x")]
    assert not seen(known, bodies(6))
    assert seen(known, bodies(40)).missing == {"note": TUESDAY}


def test_what_is_missing_stays_missing_until_it_is_back() -> None:
    known, _ = shape(bodies(9, name="Anna"))
    here, count = shape(bodies(9))
    first = compared(known, here, count, Drift(), MONDAY)
    known = learned(known, here, Drift(), first)
    again = compared(known, *shape(bodies(1)), first, TUESDAY)
    assert first.missing == again.missing == {"name": MONDAY}
    back = compared(known, *shape(bodies(1, name="Anna")), again, TUESDAY)
    assert not back


def test_a_field_that_came_and_went_again_is_no_news() -> None:
    known, _ = shape(bodies(9))
    here, count = shape(bodies(9, fax="1"))
    first = compared(known, here, count, Drift(), MONDAY)
    assert first.added == {"fax": MONDAY}
    known = learned(known, here, Drift(), first)
    again = compared(known, *shape(bodies(9)), first, TUESDAY)
    assert not again
    assert learned(known, *shape(bodies(9))[:1], first, again).keys() == {"id"}


def test_a_value_of_another_type_is_told_with_both_types_and_null_is_no_type() -> None:
    assert seen(bodies(3, price="1.50"), bodies(3, price=1.5)).retyped == {"price": ("text", "number", TUESDAY)}
    assert seen(bodies(9, name="Anna"), bodies(9, name={"first": "Anna"})).retyped == {
        "name": ("text", "object", TUESDAY)
    }
    assert not seen(bodies(3, price="1.50"), bodies(3, price=None))
    assert not seen(bodies(3, price=None), bodies(3, price=1.5))


def test_an_object_that_is_null_takes_none_of_its_fields_away() -> None:
    assert not seen(bodies(9, address={"city": "Ulm"}), bodies(9, address=None))
    assert not seen(bodies(9, address=None), bodies(9, address={"city": "Ulm"}))


def test_what_is_no_json_says_nothing_of_the_shape() -> None:
    assert shape(["{", "[1]", "7"]) == ({}, 0)


def test_people_read_what_has_changed_and_what_to_do() -> None:
    drift = Drift({"name": MONDAY}, {"full_name": TUESDAY}, {"price": ("text", "number", MONDAY)})
    says = dict(drift.words())
    assert list(says.values()) == [MONDAY, MONDAY, TUESDAY]
    assert [words.split(":")[0] for words in says] == ["name in no new record any more", "of another type", "new there"]

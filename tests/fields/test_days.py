"""Days: the forms they come in, the slips that make one of another, and those that say nothing."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub import fields
from omnihub.fields import times
from omnihub.model import Kind


@pytest.mark.parametrize(
    "raw",
    [
        "1984-05-02", "1984-5-2", "1984/05/02", "19840502", "02.05.1984", "2.5.1984", "02. 05. 1984", "2.5.84",
        "2. Mai 1984", "2 mai 1984", "2 de mayo de 1984", "2 maggio 1984", "2. toukokuuta 1984", "2 maja 1984",
        "2 maj 1984", "2 mei 1984", "May 2, 1984", "May 2nd, 1984", "2nd of May 1984", "02-May-1984", "02-MAY-84",
        "Wed, 2 May 1984", "Mittwoch, 2. Mai 1984", "1984-May-02",
    ],
)  # fmt: skip
def test_a_day_is_read_in_the_forms_of_many_lands(raw: str) -> None:
    assert fields.clean(Kind.DATE, raw) == "1984-05-02"


@pytest.mark.parametrize("raw", ["2.5.26", "02-MAY-35", "12/31/05"])
def test_a_year_of_two_figures_that_may_be_of_two_centuries_is_not_guessed(raw: str) -> None:
    with pytest.raises(fields.Unclean, match="a year of two figures"):
        fields.clean(Kind.DATE, raw)


@pytest.mark.parametrize(
    ("a", "b", "slip"),
    [
        ("1984-05-02", "1984-02-05", "day and month swapped"),
        ("1984-05-02", "1984-05-03", "one figure"),
        ("1984-05-02", "1948-05-02", "two figures swapped"),
        ("1984-05-12", "1984-05-21", "two figures swapped"),
        ("1926-05-02", "2026-05-02", "another century"),
        ("1984-05-02", "1984-05-02", None),
        ("1984-05-02", "1985-06-02", None),
        ("1984-05-02", "1991-11-23", None),
    ],
)
def test_the_slip_between_two_days_is_named(a: str, b: str, slip: str | None) -> None:
    assert times.near(a, b) == slip
    assert times.near(b, a) == slip


DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat)


@settings(max_examples=200, database=None, derandomize=True)
@given(DAYS)
def test_swapping_day_and_month_twice_gives_the_day_again(day: str) -> None:
    other = times.swapped(day)
    if other is not None:
        assert date.fromisoformat(other)
        assert times.swapped(other) == day
        assert times.near(day, other) is not None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1970-01-01", "a default date"),
        ("1900-01-01", "a default date"),
        ("1984-01-01", "the first of January"),
        ("1984-01-02", None),
    ],
)
def test_a_day_that_forms_fill_in_is_no_evidence(value: str, reason: str | None) -> None:
    assert fields.weak(Kind.DATE, value) == reason


@pytest.mark.parametrize(
    ("raw", "likely"),
    [
        ("3/4/2026", "2026-04-03"),
        ("3/4/26", "2026-04-03"),
        ("12.03.35", "1935-03-12"),
        ("19401331", "1940-13-31"),
        ("1940-02-31", "1940-02-31"),
        ("n/a", None),
        ("soon", None),
        ("00000000", None),
    ],
)
def test_a_day_that_cannot_be_right_can_still_be_compared(raw: str, likely: str | None) -> None:
    with pytest.raises(fields.Unclean):
        fields.clean(Kind.DATE, raw)
    assert fields.likely(Kind.DATE, raw) == likely

"""No cell of a sheet is taken for a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.report import COLUMNS, Item, cell, rows
from omnihub.report.sheets import FORMULA, cut


def item(**told: str) -> Item:
    plain = {
        "id": "f1",
        "severity": "low",
        "kind": "value_differs",
        "system": "crm",
        "entity": "contact",
        "stream": "people",
        "record": "Anna",
        "ref": "crm/people/1",
        "field": "phone",
        "says": "1",
        "says_length": 1,
        "should_say": "2",
        "should_say_length": 1,
        "why": "w",
        "since": "2026-02-01T00:00:00Z",
        "status": "to_fix",
        "next_step": "n",
        "owner": "crm",
        "golden_id": None,
    }
    return Item(**(plain | told))  # type: ignore[arg-type]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_a_value_that_could_be_a_formula_begins_with_an_apostrophe(start: str) -> None:
    assert cell(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


def test_other_values_stay_as_they_are() -> None:
    assert [cell(v) for v in ("Anna", "1-2", "a=b", " =1", "", None)] == ["Anna", "1-2", "a=b", " =1", "", ""]


def test_every_column_is_made_safe() -> None:
    names = [n for n in COLUMNS if n not in ("golden_id", "at_stake", "customers")]
    (row,) = rows([item(**dict.fromkeys(names, "=1+1"))])
    assert {row[COLUMNS.index(n)] for n in names} == {"'=1+1"}


@given(st.text())
def test_no_text_gets_through_as_a_formula_and_all_survive_the_file(text: str) -> None:
    (row,) = rows([item(says=text, record=text)])
    file = io.StringIO(newline="")
    csv.writer(file).writerow(row)
    (read,) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    said = read[COLUMNS.index("record")]
    assert not said.startswith(FORMULA)
    assert said in (text, f"'{text}")


def test_a_cut_value_says_how_long_it_was() -> None:
    assert cut("abc", 5_000_000) == "abc… (cut: 5,000,000 characters in all)"
    assert cut("abc", 3) == "abc"
    assert cut(None, 0) is None

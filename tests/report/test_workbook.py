"""The workbook, opened again: filters, types, and no cell that is a formula."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnihub.report import Facts, Item, ServiceScore, Today, Workbook
from tests.report.test_page import FULL, ITEM
from tests.report.test_today import group_of

TITLES = {"crm": "Our CRM", "shop": "The shop"}
EVIL = '=HYPERLINK("http://evil.example","click")'


def written(path: Path, *items: Item, facts: Facts = FULL, **more: int) -> openpyxl.Workbook:
    today = Today(TITLES)
    with Workbook(path, TITLES, **more) as book:
        book.add(items)
        today.add(items)
        book.finish(facts, today.tasks([group_of(item) for item in items[:1]]))
    return openpyxl.load_workbook(path)


def heads(sheet: object) -> dict[str, int]:
    return {c.value: n for n, c in enumerate(next(sheet.iter_rows(max_row=1)))}  # type: ignore[attr-defined]


def test_each_table_has_filters_and_a_header_that_stays(tmp_path: Path) -> None:
    book = written(tmp_path / "r.xlsx", ITEM)
    assert book.sheetnames == [
        "Fix today", "Findings", "Scorecard", "Fields", "Phases", "Service standards", "Trend", "How it is counted",
    ]  # fmt: skip
    for name in ("Fix today", "Findings", "Scorecard", "Fields"):
        assert book[name].freeze_panes == "A2", name
        assert book[name].auto_filter.ref.startswith("A1:"), name
    assert book["Findings"].auto_filter.ref.endswith("2")


def test_numbers_and_times_are_numbers_and_times(tmp_path: Path) -> None:
    sheet = written(tmp_path / "r.xlsx", replace(ITEM, at_stake_cents=123450, currency="EUR", customers=3))["Findings"]
    at, row = heads(sheet), next(sheet.iter_rows(min_row=2, values_only=True))
    assert (row[at["At stake"]], row[at["Currency"]], row[at["Customers"]]) == (1234.5, "EUR", 3)
    assert row[at["Since"]] == datetime(2026, 2, 1)  # noqa: DTZ001 - a workbook knows no zones


@pytest.mark.parametrize("text", [EVIL, "+1+1", "-1", "@SUM(A1)", "\t=1", "{=1}"])
def test_no_text_is_a_formula_or_a_link(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.xlsx"
    book = written(path, replace(ITEM, record=text, says=text, why=text, cause=text))
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert not [c for c in cells if c.data_type == "f" or c.hyperlink]
    assert sum(c.value == text for c in cells) >= 4  # as it is, nothing put before it
    with zipfile.ZipFile(path) as parts:
        sheets = [parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/worksheets/sheet")]
    assert not [s for s in sheets if re.search(r"<f[ >]", s)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_any_text_can_be_written_and_the_file_opened_again(tmp_path: Path, text: str) -> None:
    sheet = written(tmp_path / "r.xlsx", replace(ITEM, record=text or "x"))["Findings"]
    assert sheet.max_row == 2


def test_what_does_not_fit_is_counted_and_its_place_named(tmp_path: Path) -> None:
    sheet = written(tmp_path / "r.xlsx", *(replace(ITEM, id=f"f{n}") for n in range(5)), most=2)["Findings"]
    told = [row[0] for row in sheet.iter_rows(min_row=2, values_only=True) if row[0]]
    assert told[-1] == "3 more findings are in findings.csv and findings.parquet."
    assert sheet.auto_filter.ref.endswith("3")


def test_a_share_is_cut_and_never_rounded_up(tmp_path: Path) -> None:
    almost = replace(FULL.scores[0], comparable=100_000, equal=99_999)
    sheet = written(tmp_path / "r.xlsx", facts=replace(FULL, scores=(almost,)))["Scorecard"]
    row = next(sheet.iter_rows(min_row=2, values_only=True))
    assert row[heads(sheet)["Consistency"]] == 0.999


def test_service_standards_are_a_sheet_with_hours_and_shares(tmp_path: Path) -> None:
    kept = ServiceScore("crm", "email", "answered_at", "8", 4, 3, 9000)
    none = ServiceScore("crm", "chat", "solved_at", None, 2, None, None)
    sheet = written(tmp_path / "r.xlsx", facts=replace(FULL, service=(kept, none)))["Service standards"]
    assert [*sheet.iter_rows(min_row=2, values_only=True)] == [
        ("Our CRM", "e-mail", "First answer", 8, 4, 3, 0.75, 2.5),
        ("Our CRM", "chat", "Solution", None, 2, None, None, None),
    ]


def test_a_wrapped_text_has_a_row_high_enough_for_all_its_lines(tmp_path: Path) -> None:
    long = replace(ITEM, next_step="Correct it, " * 20)
    book = written(tmp_path / "r.xlsx", long)
    assert book["Fix today"].row_dimensions[2].height > 4 * 14
    words = book["How it is counted"]
    assert max(d.height or 0 for d in words.row_dimensions.values()) > 28


def test_how_many_tasks_did_not_fit_is_told(tmp_path: Path) -> None:
    some = [replace(ITEM, about=f"g{n}") for n in range(5)]
    today = Today(TITLES)
    today.add(some)
    with Workbook(tmp_path / "r.xlsx", TITLES, most=2) as book:
        book.finish(FULL, today.tasks([group_of(item) for item in some]))
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["Fix today"]
    assert "3 more tasks" in [row[0] for row in sheet.iter_rows(min_row=2, values_only=True) if row[0]][-1]

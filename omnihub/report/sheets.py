"""Findings as CSV: for people with a spreadsheet, so no cell may be taken for a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omnihub.report.facts import Item

COLUMNS = (
    "severity", "status", "system", "kind", "entity", "record", "field", "says", "should_say", "why", "next_step",
    "since", "owner", "ref", "golden_id", "id",
)  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Spreadsheets run what begins with one of these; the wide ones are taken for their narrow twins."""


def cell(value: str | None) -> str:
    """The value as a spreadsheet may hold it: text that could be a formula begins with an apostrophe."""
    if not value:
        return ""
    return f"'{value}" if value.startswith(FORMULA) else value


def rows(items: Iterable[Item]) -> Iterator[list[str]]:
    """One row per finding, in the order of COLUMNS."""
    for item in items:
        told = {"says": cut(item.says, item.says_length), "should_say": cut(item.should_say, item.should_say_length)}
        yield [cell(told.get(name, getattr(item, name))) for name in COLUMNS]


def cut(value: str | None, length: int, most: int | None = None) -> str | None:
    """A value that is too long ends with a note of its length."""
    if value is None:
        return None
    shown = value if most is None else value[:most]
    return shown if len(shown) >= length else f"{shown}… (cut: {length:,} characters in all)"

"""Findings as tables for people and programs: CSV that no spreadsheet takes for a formula, Parquet with types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from omnihub.report.facts import FieldScore, Item

COLUMNS = (
    "severity", "status", "system", "kind", "entity", "record", "field", "says", "should_say", "at_stake", "currency",
    "customers", "why", "next_step", "since", "owner", "cause", "ref", "golden_id", "id",
)  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Spreadsheets run what begins with one of these; the wide ones are taken for their narrow twins."""

_TYPES = {
    "at_stake": pa.decimal128(18, 2),
    "customers": pa.int64(),
    "since": pa.timestamp("s", "UTC"),
}
TABLE = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])
"""Findings as Parquet holds them: values as they are, nothing put before them."""

SCORES = pa.schema(
    [(name, pa.string()) for name in ("system", "entity", "field", "phase")]
    + [(name, pa.int64()) for name in ("cells", "comparable", "equal", "corrected", "filled")]
    + [(name, pa.float64()) for name in ("consistency", "coverage")]
)


def cell(value: str | None) -> str:
    """The value as a spreadsheet may hold it: text that could be a formula begins with an apostrophe."""
    if not value:
        return ""
    return f"'{value}" if value.startswith(FORMULA) else value


def rows(items: Iterable[Item]) -> Iterator[list[str]]:
    """One row per finding, in the order of COLUMNS."""
    for item in items:
        told = _values(item)
        numbers = {"at_stake": str(told["at_stake"] or ""), "customers": str(told["customers"] or "")}
        yield [numbers[name] if name in numbers else cell(told[name]) for name in COLUMNS]


def table(items: Sequence[Item]) -> pa.Table:
    """The same with types."""
    told = [_values(item) | {"since": moment(item.since)} for item in items]
    return pa.table({f.name: pa.array([row[f.name] for row in told], f.type) for f in TABLE}, schema=TABLE)


def scores(fields: Iterable[FieldScore]) -> pa.Table:
    """The counts behind the scorecard, and their shares."""
    names = ("system", "entity", "field", "phase", "comparable", "equal", "corrected", "filled")
    told = [
        {name: getattr(f, name) for name in names}
        | {"cells": f.golden, "consistency": f.consistency, "coverage": f.coverage}
        for f in fields
    ]
    return pa.Table.from_pylist(told, schema=SCORES)


def _values(item: Item) -> dict[str, Any]:
    told: dict[str, Any] = {
        "says": cut(item.says, item.says_length),
        "should_say": cut(item.should_say, item.should_say_length),
        "at_stake": money(item.at_stake_cents) if item.currency else None,
    }
    return {name: told[name] if name in told else getattr(item, name) for name in COLUMNS}


def money(cents: int) -> Decimal:
    """1234.50"""
    return Decimal(cents).scaleb(-2)


def moment(iso: str) -> datetime | None:
    """The time, aware; None where it is none."""
    try:
        found = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC, microsecond=0)


def cut(value: str | None, length: int, most: int | None = None) -> str | None:
    """A value that is too long ends with a note of its length."""
    if value is None:
        return None
    shown = value if most is None else value[:most]
    return shown if len(shown) >= length else f"{shown}… (cut: {length:,} characters in all)"

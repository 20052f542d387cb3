"""The report as a workbook: filters, a header that stays, numbers that are numbers, and no cell that is a formula.

    Fix today · Findings · Scorecard · Fields · Phases · Service standards · Trend · How it is counted

Every text is written as text, whatever it begins with, so a spreadsheet shows it and runs nothing. What does not fit
stands in the CSV and the Parquet file beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from omnihub.report.facts import Facts, Item, Task
from omnihub.report.phases import PHASES
from omnihub.report.score import DEFINITION
from omnihub.report.sheets import COLUMNS, cut, moment, money
from omnihub.report.wording import PROMISES, STATUSES, in_words

MAX_ROWS = 20_000  # findings in the workbook: two seconds to write, and nobody filters more by hand
LINE, MOST_LINES = 14.5, 8  # points; a longer value is cut where it is shown, and whole in its cell
MAX_CELL = 32_000  # characters; a spreadsheet takes 32,767

_SEVERITIES = {"high": "1 urgent", "medium": "2 medium", "low": "3 low"}
"""As words that sort."""

_WIDTHS = {
    "severity": 11, "status": 12, "system": 14, "kind": 18, "entity": 10, "record": 34, "field": 16, "says": 28,
    "should_say": 28, "at_stake": 12, "currency": 9, "customers": 10, "why": 44, "next_step": 52, "since": 17,
    "owner": 14, "cause": 24, "ref": 34, "golden_id": 22, "id": 22,
}  # fmt: skip

_TODAY = (
    ("Severity", 11), ("System", 16), ("What", 56), ("How many", 10), ("Customers, at least", 18), ("At stake", 14),
    ("Currency", 9), ("What to do", 56), ("For example", 38), ("Field", 16), ("It says", 24), ("It should say", 24),
    ("To decide: omnihub findings ignore …", 34), ("Told there", 30), ("Cause", 26),
)  # fmt: skip
_SCORES = ("System", "About", "Records", "Known here", "Of", "Cells", "Comparable", "Equal", "Consistency", "Coverage")
_FIELDS = ("System", "About", "Field", "Phase", "Cells", "Comparable", "Equal", "Corrected", "Filled", "Consistency")
_SERVICE = ("System", "Channel", "What", "Standard, hours", "Tickets", "Within", "Share within", "Median, hours")
_WIDE = ("Field", "Phase", "What")
PRINTED = 9  # columns of what to fix today that reach paper, and are wrapped: what is to be done, and an example
_PHASES = ("System", "Phase", "Cells", "Comparable", "Equal", "Consistency", "Coverage")


class Workbook:
    """Findings come in slices; the rest of the report once, at the end. Used as `with`: leaving it writes the file."""

    def __init__(self, path: Path, titles: Mapping[str, str], most: int = MAX_ROWS) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent), "remove_timezone": True}
        self._book = xlsxwriter.Workbook(str(path), options | {"strings_to_urls": False, "strings_to_formulas": False})
        self._titles, self._most = titles, most
        self._head = self._book.add_format({"bold": True, "bg_color": "#E4EFFA", "bottom": 1, "valign": "top"})
        self._plain = self._book.add_format({"valign": "top"})
        self._wrapped = self._book.add_format({"valign": "top", "text_wrap": True})
        self._number = self._book.add_format({"valign": "top", "num_format": "#,##0"})
        self._money = self._book.add_format({"valign": "top", "num_format": "#,##0.00"})
        self._share = self._book.add_format({"valign": "top", "num_format": "0.0 %"})
        self._time = self._book.add_format({"valign": "top", "num_format": "yyyy-mm-dd hh:mm"})
        top = {"valign": "top"}
        self._tones = {
            "high": self._book.add_format({**top, "bg_color": "#FDECEB", "font_color": "#98170F", "bold": True}),
            "medium": self._book.add_format({**top, "bg_color": "#FDF2DC", "font_color": "#6F4300"}),
            "low": self._book.add_format({**top, "bg_color": "#EDF0F4"}),
        }
        self._today = self._sheet("Fix today", _TODAY)
        self._findings = self._sheet("Findings", [(in_words(name), _WIDTHS[name]) for name in COLUMNS])
        self._rows = 0
        self._left = 0

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def add(self, items: Iterable[Item]) -> None:
        """These findings, in the order given."""
        for item in items:
            if self._rows >= self._most:
                self._left += 1
                continue
            self._rows += 1
            self._line(self._findings, self._rows, self._finding(item), self._tones.get(item.severity))

    def _finding(self, item: Item) -> list[Any]:
        told: dict[str, Any] = {
            "severity": _SEVERITIES.get(item.severity, item.severity),
            "status": STATUSES[item.status][0] if item.status in STATUSES else item.status,
            "system": self._titles.get(item.system, item.system),
            "kind": in_words(item.kind),
            "says": cut(item.says, item.says_length),
            "should_say": cut(item.should_say, item.should_say_length),
            "at_stake": money(item.at_stake_cents) if item.currency else None,
            "customers": item.customers or None,
            "since": moment(item.since) or item.since,
        }
        return [told[name] if name in told else getattr(item, name) for name in COLUMNS]

    def finish(self, facts: Facts, tasks: Sequence[Task]) -> None:
        """Everything but the findings."""
        self._book.set_properties({"title": "OmniHub consistency report", "created": _made(facts)})
        for n, task in enumerate(tasks[: self._most], 1):
            told = self._task(task)
            self._today.set_row(n, _height(told[:PRINTED], [width for _, width in _TODAY[:PRINTED]]))
            self._line(self._today, n, told, self._tones.get(task.severity), self._wrapped)
        self._today.print_area(0, 0, min(len(tasks), self._most), PRINTED - 1)
        if len(tasks) > self._most:
            more = f"{len(tasks) - self._most:,} more tasks: `omnihub findings --to-fix --json` has all of them."
            self._today.write_string(self._most + 2, 0, more)
        if self._left:
            more = f"{self._left:,} more findings are in findings.csv and findings.parquet."
            self._findings.write_string(self._rows + 2, 0, more)
        _filtered(self._today, min(len(tasks), self._most), len(_TODAY))
        _filtered(self._findings, self._rows, len(COLUMNS))
        self._scores(facts)
        self._service(facts)
        self._trend(facts)
        self._definition()

    def _task(self, task: Task) -> list[Any]:
        item = task.example
        currency, cents = task.at_stake[0] if task.at_stake else ("", 0)
        return [
            _SEVERITIES.get(task.severity, task.severity),
            self._titles.get(task.system, task.system),
            task.says,
            task.count,
            task.customers or None,
            money(cents) if currency else None,
            currency,
            item.next_step,
            item.record,
            item.field,
            cut(item.says, item.says_length),
            cut(item.should_say, item.should_say_length),
            task.name,
            task.notice,
            task.cause,
        ]

    def _scores(self, facts: Facts) -> None:
        self._table(
            "Scorecard",
            _SCORES,
            [
                (self._name(s.system), s.entity, s.records, s.known or None, s.total or None, s.golden, s.comparable)
                + (s.equal, s.consistency, s.coverage)
                for s in facts.scores
            ],
        )
        self._table(
            "Fields",
            _FIELDS,
            [
                (self._name(f.system), f.entity, in_words(f.field), PHASES[f.phase], f.golden, f.comparable, f.equal)
                + (f.corrected, f.filled, f.consistency)
                for f in facts.fields
            ],
        )
        self._table(
            "Phases",
            _PHASES,
            [
                (self._name(p.system) or "all", PHASES[p.phase], p.golden, p.comparable, p.equal)
                + (p.consistency, p.coverage)
                for p in facts.phases
            ],
        )

    def _service(self, facts: Facts) -> None:
        self._table(
            "Service standards",
            _SERVICE,
            [
                (self._name(s.system), in_words(s.channel) or "not told", PROMISES[s.field])
                + (s.standard and Decimal(s.standard), s.tickets, s.within, s.share)
                + (None if s.median_s is None else Decimal(s.median_s) / 3600,)
                for s in facts.service
            ],
        )

    def _trend(self, facts: Facts) -> None:
        """Each run a row, and a picture of them."""
        points = facts.trend
        currencies = [currency for currency, _ in facts.at_risk]
        systems = list(dict.fromkeys(name for p in points for name, _ in p.systems))
        heads = ("Run", "At (UTC)", "Consistency", "Coverage", *map(self._name, systems))
        heads += tuple(f"At risk, {currency}" for currency in currencies)
        told = []
        for p in points:
            shares, risk = dict(p.systems), dict(p.at_risk)
            told.append(
                (p.run, moment(p.at) or p.at, p.consistency, p.coverage, *(shares.get(name) for name in systems))
                + tuple(money(risk[currency]) if currency in risk else None for currency in currencies)
            )
        sheet = self._table("Trend", heads, told)
        if len(points) > 1:
            sheet.insert_chart(len(points) + 3, 0, self._chart(len(points)))

    def _chart(self, last: int) -> Any:
        chart = self._book.add_chart({"type": "line"})
        for column, name in ((2, "Consistency"), (3, "Coverage")):
            at = {"categories": ["Trend", 1, 1, last, 1], "values": ["Trend", 1, column, last, column]}
            chart.add_series({"name": name, **at})
        chart.set_title({"name": "Consistency and coverage, run by run"})
        chart.set_x_axis({"text_axis": True, "num_format": "yyyy-mm-dd hh:mm"})
        chart.set_y_axis({"num_format": "0.0 %"})
        chart.set_size({"width": 760, "height": 320})
        return chart

    def _definition(self) -> None:
        sheet = self._sheet("How it is counted", (("Word", 20), ("Means", 110)))
        for n, (word, means) in enumerate(DEFINITION.items(), 1):
            sheet.set_row(n, _height((word, means), (20, 110)))
            sheet.write_string(n, 0, word, self._plain)
            sheet.write_string(n, 1, means, self._wrapped)

    # -- cells -------------------------------------------------------------------------------------------------------

    def _name(self, system: str) -> str:
        return self._titles.get(system, system)

    def _table(self, name: str, heads: Sequence[str], told: Sequence[Sequence[Any]]) -> Worksheet:
        sheet = self._sheet(name, [(head, 24 if n < 2 or head in _WIDE else 14) for n, head in enumerate(heads)])
        for n, row in enumerate(told, 1):
            self._line(sheet, n, row)
        _filtered(sheet, len(told), len(heads))
        return sheet

    def _sheet(self, name: str, columns: Sequence[tuple[str, int]]) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        for n, (_, width) in enumerate(columns):
            sheet.set_column(n, n, width)
        for n, (head, _) in enumerate(columns):
            sheet.write_string(0, n, head[:1].upper() + head[1:], self._head)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        return sheet

    def _line(
        self,
        sheet: Worksheet,
        at: int,
        values: Sequence[Any],
        first: Format | None = None,
        texts: Format | None = None,
    ) -> None:
        for n, value in enumerate(values):
            tone = first if first is not None and n == 0 else None
            if value is None or value == "":
                continue
            if isinstance(value, datetime):
                sheet.write_datetime(at, n, value, self._time)
            elif isinstance(value, Decimal):
                sheet.write_number(at, n, float(value), self._money)
            elif isinstance(value, float):
                sheet.write_number(at, n, _cut_share(value), self._share)
            elif isinstance(value, int):
                sheet.write_number(at, n, value, self._number)
            else:
                sheet.write_string(at, n, _text(value), tone or (texts if n < PRINTED else None) or self._plain)


def _filtered(sheet: Worksheet, rows: int, columns: int) -> None:
    if rows:
        sheet.autofilter(0, 0, rows, columns - 1)


def _height(values: Sequence[Any], widths: Sequence[int]) -> float:
    """Of a row whose texts are wrapped: not every program finds it out by itself."""
    lengths = [(len(value), width) for value, width in zip(values, widths, strict=True) if isinstance(value, str)]
    return LINE * min(MOST_LINES, max((-(-length // (width - 1)) for length, width in lengths), default=1) or 1)


def _cut_share(share: float) -> float:
    """To a digit after the point of a percentage, so that 100 % is said only of what is whole."""
    return int(share * 1000 + 1e-9) / 1000


def _text(value: Any) -> str:
    """As a workbook can hold it."""
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}… (cut: {len(text):,} characters in all)"


def _made(facts: Facts) -> datetime:
    """The run's own time: the same state gives the same file."""
    found = moment(facts.run.started_at) if facts.run else None
    return (found or datetime(2000, 1, 1)).replace(tzinfo=None)  # noqa: DTZ001 - a workbook knows no zones

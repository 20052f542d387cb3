"""Report: say honestly how consistent the systems are, what was done about it, and what people should fix today.

    members, differences ─▶ score ──────┐
    open findings ────────▶ wording ────┼─▶ facts ─▶ page     one HTML file, nothing outside it
    run, plan, streams ─────────────────┘        ─▶ sheets   CSV that no spreadsheet takes for a formula, Parquet
    products, prices, orders ▶ checked ─▶ score              ─▶ workbook   XLSX: filters, types, no formulas
    scores of earlier runs ─▶ trend ─▶ charts (phases: which part of the customer's journey a cell is of)
    findings ─▶ today: what to fix first
    tickets, measured ─▶ service: how many kept what is promised, by channel

    changes of a plan, golden records ─▶ planned (told customer by customer) ─▶ planpage   HTML, Markdown

Data in, text out: Arrow tables of what is held and found come in; who stores them, and where the files lie, is the
flow's business.
"""

from omnihub.report.facts import (
    AuditFacts,
    Cause,
    Drift,
    Facts,
    FieldScore,
    Item,
    KindCount,
    PhaseScore,
    PlanOutcome,
    Point,
    Question,
    Refusal,
    RunFacts,
    Score,
    ServiceScore,
    Stake,
    SystemFacts,
    Task,
    Trouble,
    Written,
    narrowed,
    plain,
)
from omnihub.report.page import render
from omnihub.report.planned import Around, Customer, Golden, Head, Pin, Story, Wish, plain_story, tell
from omnihub.report.planpage import (
    RECORD_OPS,
    TOLD_AGAIN,
    about,
    agreeing,
    headline,
    markdown,
    notices_of,
    render_plan,
    sentence,
    unusual,
)
from omnihub.report.score import DIFFERING, HELD, KNOWN, MEMBERS, Tally, by_phase, scorecard, scored_fields
from omnihub.report.service import Served
from omnihub.report.sheets import COLUMNS, TABLE, cell, money, rows, table
from omnihub.report.sheets import scores as score_table
from omnihub.report.today import Today, first
from omnihub.report.trend import Scored, trend
from omnihub.report.wording import FINDINGS, LABELLED_BY, MAX_TEXT, PARENTS, SYSTEMS, Digest, count, label
from omnihub.report.workbook import Workbook

__all__ = [
    "COLUMNS",
    "DIFFERING",
    "FINDINGS",
    "HELD",
    "KNOWN",
    "LABELLED_BY",
    "MAX_TEXT",
    "MEMBERS",
    "PARENTS",
    "RECORD_OPS",
    "SYSTEMS",
    "TABLE",
    "TOLD_AGAIN",
    "Around",
    "AuditFacts",
    "Cause",
    "Customer",
    "Digest",
    "Drift",
    "Facts",
    "FieldScore",
    "Golden",
    "Head",
    "Item",
    "KindCount",
    "PhaseScore",
    "Pin",
    "PlanOutcome",
    "Point",
    "Question",
    "Refusal",
    "RunFacts",
    "Score",
    "Scored",
    "Served",
    "ServiceScore",
    "Stake",
    "Story",
    "SystemFacts",
    "Tally",
    "Task",
    "Today",
    "Trouble",
    "Wish",
    "Workbook",
    "Written",
    "about",
    "agreeing",
    "by_phase",
    "cell",
    "count",
    "first",
    "headline",
    "label",
    "markdown",
    "money",
    "narrowed",
    "notices_of",
    "plain",
    "plain_story",
    "render",
    "render_plan",
    "rows",
    "score_table",
    "scorecard",
    "scored_fields",
    "sentence",
    "table",
    "tell",
    "trend",
    "unusual",
]

"""Report: say honestly how consistent the systems are, what was done about it, and what people should fix today.

    members, differences ─▶ score ──────┐
    open findings ────────▶ wording ────┼─▶ facts ─▶ page     one HTML file, nothing outside it
    run, plan, streams ─────────────────┘        ─▶ sheets   CSV that no spreadsheet takes for a formula

Data in, text out: Arrow tables of what is held and found come in; who stores them, and where the files lie, is the
flow's business.
"""

from omnihub.report.facts import (
    Drift,
    Facts,
    FieldScore,
    Item,
    KindCount,
    PlanOutcome,
    Question,
    Refusal,
    RunFacts,
    Score,
    SystemFacts,
    Trouble,
    Written,
    plain,
)
from omnihub.report.page import count, render
from omnihub.report.score import DIFFERING, HELD, KNOWN, MEMBERS, Tally, scorecard, scored_fields
from omnihub.report.sheets import COLUMNS, cell, rows
from omnihub.report.wording import FINDINGS, MAX_TEXT, PARENTS, SYSTEMS, Digest, label

__all__ = [
    "COLUMNS",
    "DIFFERING",
    "FINDINGS",
    "HELD",
    "KNOWN",
    "MAX_TEXT",
    "MEMBERS",
    "PARENTS",
    "SYSTEMS",
    "Digest",
    "Drift",
    "Facts",
    "FieldScore",
    "Item",
    "KindCount",
    "PlanOutcome",
    "Question",
    "Refusal",
    "RunFacts",
    "Score",
    "SystemFacts",
    "Tally",
    "Trouble",
    "Written",
    "cell",
    "count",
    "label",
    "plain",
    "render",
    "rows",
    "scorecard",
    "scored_fields",
]

"""The flow: each step wired to the store.

    pulling     land the streams of one system
    refining    raw → refined, per stream
    matching    refined → pairs, crosswalk, golden ids, per entity
    merging     crosswalk → golden records, per entity
    comparing   golden → differences and findings (findings: their groups, their life, what people decide of them)
                (unmerging: what a record was given by somebody who is another one now)
    planning    differences → plan → gates → guard → stored (gating, guarding: what these need to know; correcting:
                what the masters are right about)
    creating    who is missing where, and whose the records are that were made (settling: what a dead process began)
    approving   a person lets a stopped plan pass
    pushing     stored plan → apply → receipts (closing: gates that have closed since)
    undoing     receipts and the present state → the plan that takes them back (holding: what was undone stays so;
                unmaking: records that were made)
    forgetting  a person, erased everywhere (wiping: in the hub itself); exporting: everything held on them
    delivering  findings → notices inside each system, and what people there say of them (notices: how these stand;
                retracting: an undo takes them back)
    reporting   everything → page, workbook, CSV, Parquet, JSON (scoring: cells counted, and kept of each run)
    runs        what a run did, and whether its numbers balance
    checking    whether what a step left behind is as it should be
    alerting    who is told when that changes, once
    steps       all of these as an orchestrator calls them, each noting in the run what it did

Every step reads what changed since its watermark, asks the step's own module (which knows no store) what follows, and
commits the outcome together with the watermark. "Everything changed" is the same code with the watermark at nought.
The command line and Dagster both call these functions, and hold no logic of their own.
"""

from omnihub.flow.approving import approve
from omnihub.flow.comparing import compare_all
from omnihub.flow.hub import Hub
from omnihub.flow.matching import match_entity
from omnihub.flow.merging import merge_entity
from omnihub.flow.planning import make_and_store_plan, open_plan
from omnihub.flow.pulling import pull_system
from omnihub.flow.pushing import apply_plan
from omnihub.flow.refining import refine_system
from omnihub.flow.reporting import report
from omnihub.flow.runs import Run

__all__ = [
    "Hub",
    "Run",
    "apply_plan",
    "approve",
    "compare_all",
    "make_and_store_plan",
    "match_entity",
    "merge_entity",
    "open_plan",
    "pull_system",
    "refine_system",
    "report",
]

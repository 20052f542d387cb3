"""Verdicts as Dagster shows them, and counts as the tables people read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from omnihub.flow import Hub
from omnihub.flow.alerting import within_limit
from omnihub.flow.checking import Verdict
from omnihub.model import FINDING_KINDS

if TYPE_CHECKING:
    Made = dg.MaterializeResult[Any]
else:  # Dagster reads the annotations of the bodies, and knows only this
    Made = dg.MaterializeResult

BALANCE, COMPLETE, NO_ORPHANS, GUARD, LOOKED = "balance", "complete", "no_orphans", "within_guard", "looked_everywhere"

MEANING = {
    BALANCE: "The numbers add up: nothing was lost or counted twice on the way.",
    COMPLETE: "About as many records are there as after the last runs; after a sudden drop, look at the system.",
    NO_ORPHANS: "Everybody who was recognised leads to a record we hold and to a golden record.",
    GUARD: "The plan stays within the limits; beyond them a person has to approve it.",
    LOOKED: "Every system that may be written was seen as it is now.",
    **{kind.name: kind.means for kind in FINDING_KINDS.values()},
}


def spec(name: str, asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """A check of an asset, with what it means in plain words."""
    return dg.AssetCheckSpec(name, asset=asset, description=MEANING[name])


def result(name: str, asset: dg.AssetKey, verdict: Verdict) -> dg.AssetCheckResult:
    """A verdict as Dagster shows it."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.ERROR if verdict.severe else dg.AssetCheckSeverity.WARN,
        description=verdict.says,
        metadata=dict(verdict.facts),
    )


def kind_specs(asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """A check for each kind of finding."""
    return [spec(kind, asset) for kind in FINDING_KINDS]


def kind_results(hub: Hub, asset: dg.AssetKey, standing: Mapping[str, int]) -> list[dg.AssetCheckResult]:
    """Whether of each kind of finding no more stand than may; the numbers are plotted over the runs."""
    return [result(kind, asset, within_limit(hub, kind, standing.get(kind, 0))) for kind in FINDING_KINDS]


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> dg.MarkdownMetadataValue:
    """A small table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines))


def tally(counts: Mapping[str, Any]) -> dg.MarkdownMetadataValue:
    """One row of counts."""
    return table(list(counts), [list(counts.values())])

"""Compare, plan and report: where systems disagree, what to write where, and what everybody may read."""

from collections.abc import Mapping

import dagster as dg

from assets import checks, naming
from assets.checks import Made
from assets.hub import DRY, HubResource, asked
from omnihub.config import Config
from omnihub.flow import steps
from omnihub.flow.checking import looked_everywhere, within_guard
from omnihub.sdk import Connector


def comparing(config: Config, connectors: Mapping[str, Connector]) -> dg.AssetsDefinition:
    """Where the systems disagree."""
    key = naming.COMPARED
    unmatched = [
        naming.refined(n) for n, c in connectors.items() if not any(s.entity in naming.ENTITIES for s in c.streams)
    ]

    # Not on the raw or refined records of systems that are matched: it would start before golden has caught up, and
    # take somebody's fresh edit for a mistake.
    @dg.asset(
        key=key,
        deps=[*(naming.golden(e) for e in naming.ENTITIES), *unmatched],
        description="Every place where a system does not hold the golden value, and every finding worth a person's "
        "time: wrong prices, unknown products, links to nowhere, contradicting consents.",
        group_name=naming.PLAN,
        kinds={"duckdb", naming.store_kind(config)},
        owners=[naming.STEWARDS],
        check_specs=checks.kind_specs(key),
        pool="hub",
    )
    def compare(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Made:
        with hub.step(context) as run:
            counts = steps.compare(hub.open(), run)
        standing = counts.pop("by_kind")
        kinds = checks.table(("finding", "open"), sorted(standing.items()))
        return Made(
            metadata={"dagster/row_count": counts["differences"], "open_findings": kinds, **counts},
            check_results=checks.kind_results(hub.open(), key, standing),
        )

    return compare


def planning(config: Config) -> dg.AssetsDefinition:
    """What to write where."""
    key = naming.PLANNED

    @dg.asset(
        key=key,
        deps=[naming.COMPARED],
        description="The smallest correct change for every system, each with its old value, its new value and why. "
        "Nothing is written yet: a plan beyond the limits waits for somebody's approval.",
        group_name=naming.PLAN,
        kinds={naming.store_kind(config)},
        owners=[naming.STEWARDS],
        check_specs=[checks.spec(checks.GUARD, key), checks.spec(checks.LOOKED, key)],
        pool="hub",
    )
    def plan(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Made:
        with hub.step(context) as run:
            made = steps.plan(hub.open(), run, dry=asked(context, DRY))
        systems = [
            (s, n["records"], n["changes"], made["looked"].get(s, "")) for s, n in made["counts"]["by_system"].items()
        ]
        told = {"dagster/row_count": made["counts"]["planned"], "plan": made["id"], "state": made["state"]}
        return Made(
            metadata=told | {"systems": checks.table(("system", "records", "changes", "seen"), systems)},
            check_results=[
                checks.result(checks.GUARD, key, within_guard(made)),
                checks.result(checks.LOOKED, key, looked_everywhere(made["looked"])),
            ],
        )

    return plan

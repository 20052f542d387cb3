"""Refine, match and merge: from what the systems said to one golden record per customer and product."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from assets import checks, naming
from assets.checks import Made
from assets.hub import HubResource
from omnihub.config import Config
from omnihub.flow import steps
from omnihub.flow.checking import golden_records, no_orphans, orphans
from omnihub.model import ENTITIES, Entity
from omnihub.sdk import Connector

LEANS_ON: Mapping[Entity, tuple[Entity, ...]] = {Entity.CONTACT: (Entity.ACCOUNT,)}
"""A contact is recognised by its company too, so companies come first."""


def refining(config: Config, connectors: Mapping[str, Connector]) -> dg.AssetsDefinition:
    """Every system's records in the hub's own words."""

    @dg.multi_asset(
        name="refine", specs=[_refined_spec(config, c) for c in connectors.values()], can_subset=True, pool="hub"
    )
    def refine(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Iterator[Any]:
        wanted = [system for system in connectors if naming.refined(system) in context.selected_asset_keys]
        with hub.step(context) as run:
            done = steps.refine(hub.open(), run, wanted)
        for system, streams in done.items():
            rows = [(stream, *(n[k] for k in ("read", "changed", "same", "problems"))) for stream, n in streams.items()]
            told = checks.table(("stream", "read", "changed", "same", "with problems"), rows)
            changed = sum(n["changed"] for n in streams.values())
            yield Made(asset_key=naming.refined(system), metadata={"streams": told, "changed": changed})

    return refine


def _refined_spec(config: Config, connector: Connector) -> dg.AssetSpec:
    return dg.AssetSpec(
        naming.refined(connector.name),
        deps=[naming.landed(connector.name, s.name) for s in naming.pulled_streams(config, connector)],
        description=f"What {connector.title} says, in the hub's words: names, phones, addresses, money and times in "
        "one form. What can't be cleaned keeps its raw value and is reported.",
        group_name="refine",
        kinds={"duckdb", naming.store_kind(config)},
        owners=[naming.STEWARDS],
    )


def matching(config: Config, connectors: Mapping[str, Connector], entity: Entity) -> dg.AssetsDefinition:
    """Who is who, for one entity."""
    key = naming.matched(entity)
    holders = [naming.refined(n) for n, c in connectors.items() if any(s.entity is entity for s in c.streams)]

    @dg.asset(
        key=key,
        deps=[*holders, *(naming.golden(e) for e in LEANS_ON.get(entity, ()))],
        description=f"Which records of the systems are the same {entity}. Surely the same: one golden id. "
        "In between: a steward is asked. A golden id stays the same from run to run.",
        group_name="match",
        kinds={"duckdb", naming.store_kind(config)},
        owners=[naming.STEWARDS],
        check_specs=[checks.spec(checks.NO_ORPHANS, key)],
        pool="hub",
    )
    def match(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Made:
        with hub.step(context) as run:
            counts = steps.match(hub.open(), run, entity)
            verdict = no_orphans(orphans(hub.open().store, entity), entity)
        return Made(
            metadata={"counts": checks.tally(counts), **counts},
            check_results=[checks.result(checks.NO_ORPHANS, key, verdict)],
        )

    return match


def merging(config: Config, entity: Entity) -> dg.AssetsDefinition:
    """The golden records of one entity."""
    fields = [dg.TableColumn(f.name, f.kind.value) for f in ENTITIES[entity].values()]

    @dg.asset(
        key=naming.golden(entity),
        deps=[naming.matched(entity)],
        description=f"Each {entity} once, as the hub believes it to be: for every field the best value any system has, "
        "and for every value the record and rule it came from.",
        group_name="golden",
        kinds={"duckdb", naming.store_kind(config)},
        owners=[naming.STEWARDS],
        metadata={"dagster/column_schema": dg.TableSchema(fields)},
        pool="hub",
    )
    def merge(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Made:
        with hub.step(context) as run:
            counts = steps.merge(hub.open(), run, entity)
            rows = golden_records(hub.open().store, entity)
        return Made(metadata={"dagster/row_count": rows, "counts": checks.tally(counts), **counts})

    return merge

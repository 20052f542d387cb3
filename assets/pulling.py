"""Pull: what is read from a system, stream by stream, kept byte for byte."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets import checks, naming
from assets.checks import Made
from assets.hub import FULL, HubResource, asked
from omnihub.config import Config
from omnihub.flow import steps
from omnihub.flow.checking import complete, living_before, pull_balances
from omnihub.sdk import Connector, Stream

RETRY = dg.RetryPolicy(
    max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL
)  # each call was tried for a minute before


def source(connector: Connector) -> dg.AssetSpec:
    """The outside system, as what is read."""
    return dg.AssetSpec(
        naming.source(connector.name),
        description=f"{connector.title} ({connector.role}), as it is outside the hub. OmniHub reads it here.",
        group_name=naming.inbound(connector.name),
        kinds=naming.kinds(connector),
        owners=[naming.owner(connector)],
    )


def pulling(config: Config, connector: Connector, patient: bool) -> dg.AssetsDefinition:
    """What is read from one system: one step, one asset per stream, any of which can be read alone."""
    streams = [s.name for s in naming.pulled_streams(config, connector)]
    keys = {s: naming.landed(connector.name, s) for s in streams}

    @dg.multi_asset(
        name=f"pull_{connector.name}",
        specs=[_spec(config, connector, connector.stream(s)) for s in streams],
        check_specs=[checks.spec(c, key) for key in keys.values() for c in (checks.BALANCE, checks.COMPLETE)],
        can_subset=True,
        retry_policy=RETRY if patient else None,
        pool=connector.name,
    )
    def pull(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Iterator[Any]:
        wanted = [s for s in streams if keys[s] in context.selected_asset_keys]
        with hub.step(context) as run:
            landed = steps.pull(hub.open(), run, connector.name, wanted, asked(context, FULL), context.retry_number > 0)
            before = living_before(hub.open().store, run.id, connector.name)
        context.log_event(_observed(connector, landed))
        for counts in landed:
            if not counts["error"]:
                yield _materialized(keys[counts["stream"]], counts, before.get(counts["stream"], []))
        _raise_for([counts for counts in landed if counts["error"]], connector, len(wanted))

    return pull


def _spec(config: Config, connector: Connector, stream: Stream) -> dg.AssetSpec:
    blind = f"\n\nWhat only a complete pass shows: {stream.blind}." if stream.blind else ""
    return dg.AssetSpec(
        naming.landed(connector.name, stream.name),
        deps=[naming.source(connector.name)],
        description=f"The {stream.name.replace('_', ' ')} of {connector.title}, byte for byte as it sent them. "
        f"What has not changed is not stored again.{blind}",
        group_name=naming.inbound(connector.name),
        kinds={connector.name, naming.store_kind(config)},
        owners=[naming.owner(connector)],
        tags={"omnihub/entity": stream.entity.value},
    )


def _observed(connector: Connector, landed: list[dict[str, Any]]) -> dg.AssetObservation:
    failed = sum(1 for counts in landed if counts["error"])
    read = sum(counts["read"] for counts in landed)
    metadata = {"read": read, "streams": len(landed), "failed_streams": failed}
    return dg.AssetObservation(naming.source(connector.name), metadata=metadata)


def _materialized(key: dg.AssetKey, counts: dict[str, Any], before: list[int]) -> Made:
    shown = {n: counts[n] for n in ("read", "new", "changed", "same", "rejected", "gone")}
    if counts.get("forgotten"):
        shown["forgotten"] = counts["forgotten"]
    return Made(
        asset_key=key,
        metadata={
            "dagster/row_count": counts["living"],
            "balance": checks.tally(shown),
            "complete_pass": counts["complete"],
            **shown,
        },
        check_results=[
            checks.result(checks.BALANCE, key, pull_balances(counts)),
            checks.result(checks.COMPLETE, key, complete(counts["living"], before)),
        ],
    )


def _raise_for(failed: list[dict[str, Any]], connector: Connector, wanted: int) -> None:
    """Show the streams that could not be read as failed, once those that could are safe."""
    if failed:
        reasons = "\n".join(f"{f['stream']}: {f['error']}; {f['way_out']}" for f in failed)
        raise dg.Failure(
            f"{connector.title}: {len(failed)} of {wanted} streams could not be read\n{reasons}",
            metadata={f["stream"]: f["error"] for f in failed},
            allow_retries=any(f["retryable"] for f in failed),
        )

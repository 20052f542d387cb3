"""Push: what is written to a system, and the system itself as the end of the lineage."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets import checks, naming
from assets.checks import Made
from assets.hub import HubResource
from omnihub.flow import steps
from omnihub.flow.checking import push_balances
from omnihub.model import Outcome
from omnihub.sdk import Connector, Stream

RETRY = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL)  # goes on with what has no outcome yet
NOTHING = dict.fromkeys(("planned", *(o.value for o in Outcome), "left"), 0)


def pushing(connector: Connector, patient: bool) -> dg.AssetsDefinition:
    """What is written to one system: one step, one asset per stream."""
    streams = naming.written_streams(connector)

    @dg.multi_asset(
        name=f"push_{connector.name}",
        specs=[_spec(connector, s) for s in streams],
        check_specs=[checks.spec(checks.BALANCE, naming.pushed(connector.name, s.name)) for s in streams],
        retry_policy=RETRY if patient else None,
        pool=connector.name,
    )
    def push(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Iterator[Any]:
        with hub.step(context) as run:
            found = steps.push(hub.open(), run, connector.name)
        written = sum(counts["written"] for counts in found.values())
        context.log_event(dg.AssetObservation(naming.target(connector.name), metadata={"written": written}))
        for stream in streams:
            key, counts = naming.pushed(connector.name, stream.name), found.get(stream.name, NOTHING)
            yield Made(
                asset_key=key,
                metadata={"dagster/row_count": counts["written"], "balance": checks.tally(counts), **counts},
                check_results=[checks.result(checks.BALANCE, key, push_balances(counts))],
            )

    return push


def _spec(connector: Connector, stream: Stream) -> dg.AssetSpec:
    assert stream.push
    fields = ", ".join(f.replace("_", " ") for f in stream.push.fields)
    return dg.AssetSpec(
        naming.pushed(connector.name, stream.name),
        deps=[naming.PLANNED],
        description=f"What OmniHub wrote to the {stream.name.replace('_', ' ')} of {connector.title}: the planned "
        f"changes, each checked just before and with a receipt. Only these fields are ever written: {fields}.",
        group_name=naming.outbound(connector.name),
        kinds=naming.kinds(connector),
        owners=[naming.owner(connector)],
        tags={"omnihub/entity": stream.entity.value},
    )


def target(connector: Connector) -> dg.AssetSpec:
    """The outside system, as what is written."""
    return dg.AssetSpec(
        naming.target(connector.name),
        deps=[naming.pushed(connector.name, s.name) for s in naming.written_streams(connector)],
        description=f"{connector.title} ({connector.role}), as it is outside the hub, with what OmniHub wrote to it.",
        group_name=naming.outbound(connector.name),
        kinds=naming.kinds(connector),
        owners=[naming.owner(connector)],
    )

"""Deliver: what people should put right, shown to them inside their own system."""

import dagster as dg

from assets import checks, naming
from assets.checks import Made
from assets.hub import HubResource
from omnihub.flow import steps
from omnihub.sdk import Connector

AFTER_PUSHES = {"dagster/priority": "-1"}  # what the hub puts right by itself is nothing for people


# Not on the pushes: people are to be told also when a guard stops them.
def delivering(connector: Connector) -> dg.AssetsDefinition:
    """The report inside one system."""
    assert connector.place

    @dg.asset(
        key=naming.delivered(connector.name),
        deps=[naming.PLANNED],
        description=f"What people should put right in {connector.title}, where they already look: "
        f"{connector.place.titles}. There once, brought up to date in place, and gone with its cause; what somebody "
        "closes there is left alone until it changes.",
        group_name=naming.outbound(connector.name),
        kinds=naming.kinds(connector),
        owners=[naming.owner(connector)],
        op_tags=AFTER_PUSHES,
        pool=connector.name,
    )
    def deliver(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Made:
        with hub.step(context) as run:
            counts = steps.deliver(hub.open(), run, connector.name)
        told = {name: count for name, count in counts.items() if isinstance(count, int)}
        trouble = {"trouble": counts["error"]} if counts.get("error") else {}
        return Made(metadata={"notices": checks.tally(told or {"told": 0}), **told, **trouble})

    return deliver

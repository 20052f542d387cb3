"""Report: what the run found and did, for everybody."""

import dagster as dg

from assets import checks, naming
from assets.checks import Made
from assets.hub import HubResource
from omnihub.flow import steps
from omnihub.flow.checking import scorecard

LAST = {"dagster/priority": "-2"}  # pushes and deliveries come first, so that the report tells how they went


# Not on the pushes: it is to appear also when a guard stops them.
@dg.asset(
    key=naming.REPORTED,
    deps=[naming.PLANNED],
    group_name=naming.REPORT,
    kinds={"html"},
    owners=[naming.STEWARDS],
    op_tags=LAST,
    pool="hub",
)
def report(context: dg.AssetExecutionContext, hub: dg.ResourceParam[HubResource]) -> Made:
    """The consistency report: what was read, found, changed and left open, with numbers that add up. To be read by
    everybody, as a page, as tables and as data."""
    with hub.step(context) as run:
        made = steps.report(hub.open(), run, hub.reports)
        card = scorecard(hub.open().store, run.id)
    shown = {name: value for name, value in made.items() if isinstance(value, int | float)}
    systems = checks.table(
        ("system", "findings", "for people"), [(s, n["findings"], n["for_people"]) for s, n in made["systems"].items()]
    )
    return Made(metadata={"page": dg.MetadataValue.path(made["html"]), "systems": systems, **shown, **card})

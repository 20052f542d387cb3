"""The code location: all definitions, made from the settings and the connectors there are."""

from collections.abc import Mapping

import dagster as dg

from assets import delivering, golden, naming, planning, pulling, pushing
from assets.alerting import ALERTS
from assets.hub import HubResource
from assets.jobs import jobs
from assets.reporting import report
from omnihub.config import Config
from omnihub.sdk import Connector


def definitions(
    config: Config, connectors: Mapping[str, Connector], hub: HubResource | None = None, patient: bool = True
) -> dg.Definitions:
    """The code location. connectors: all there are; the settings say which take part.

    patient: a step that failed is tried again after minutes, as suits a run nobody waits for.
    """
    taking_part = config.enabled(connectors)
    pulled = {n: c for n, c in taking_part.items() if naming.pulled_streams(config, c)}
    written = {n: c for n, c in taking_part.items() if naming.written_streams(c)}
    pulls = [pulling.pulling(config, c, patient) for c in pulled.values()]
    believing = [golden.refining(config, taking_part)] if taking_part else []
    for entity in naming.ENTITIES:
        believing += [golden.matching(config, taking_part, entity), golden.merging(config, entity)]
    settling = [planning.comparing(config, taking_part), planning.planning(config), report]
    pushes = [pushing.pushing(c, patient) for c in written.values()]
    deliveries = [delivering.delivering(c) for c in taking_part.values() if c.place]
    following = [*believing, *settling, *pushes, *deliveries]
    sources = [pulling.source(c) for c in pulled.values()]
    targets = [pushing.target(c) for c in written.values()]
    return dg.Definitions.merge(
        dg.Definitions(
            assets=[*sources, *pulls, *following, *targets],
            sensors=ALERTS,
            resources={"hub": hub or HubResource(config, connectors)},
            executor=dg.in_process_executor,
        ),
        jobs(pulls, following, config.schedule),
    )

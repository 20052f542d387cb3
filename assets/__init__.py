"""When it runs: Dagster only. Bodies of about ten lines that call one function of omnihub.

    pulling     the systems as sources, and what is read from them
    golden      refine, match, merge
    planning    compare, plan
    pushing     what is written to the systems, and they as targets
    delivering  what people are shown of it inside their systems
    reporting   the report
    alerting    who is told what changed, once all of that has ended

    hub        what the bodies reach the hub through
    checks     how what they did is judged
    naming     keys, groups and owners, in one place
    jobs       pull, reconcile, and when they run
    location   all of it, as one code location

The assets are made from the connectors there are: a new connector brings its own. Each system stands twice in the
lineage, as source and as target; one node for both would close a circle that no automation can walk.
"""

from assets.hub import HubResource
from assets.location import definitions

__all__ = ["HubResource", "definitions"]

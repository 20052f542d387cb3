"""Two jobs, and when they run: pull reads every system, reconcile does the rest.

They are two because in one a system that can't be read would skip the golden records, and every push. Reconcile
follows each scheduled pull, however that went; a system that could not be read is then left as it is.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets.hub import RUN, run_id

PULL, RECONCILE = "pull", "reconcile"
THEN = "omnihub/then"  # tag of a pull that reconcile is to follow
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)


def jobs(pulls: Sequence[dg.AssetsDefinition], following: Sequence[dg.AssetsDefinition], cron: str) -> dg.Definitions:
    """Both jobs of these assets, the schedule of the first, and the sensor that has the second follow."""
    return dg.Definitions(
        jobs=[
            dg.define_asset_job(
                PULL,
                _all(pulls),
                description="Read what is new in every system. One that fails does not stop the others; the run then "
                "shows as failed.",
                executor_def=dg.in_process_executor,
            ),
            dg.define_asset_job(
                RECONCILE,
                _all(following),
                description="Recognise who is who, bring the golden records up to date, compare every system with "
                "them, plan and write the differences, and report.",
                executor_def=dg.in_process_executor,
            ),
        ],
        schedules=[
            dg.ScheduleDefinition(
                name="sync",
                job_name=PULL,
                cron_schedule=cron,
                execution_timezone="UTC",
                tags={THEN: RECONCILE},
                description="Pull every system, then reconcile. `schedule` in omnihub.yaml says when.",
            )
        ],
        sensors=[reconcile_after_pull],
    )


def _all(assets: Sequence[dg.AssetsDefinition]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(key for one in assets for key in one.keys))


@dg.sensor(
    job_name=RECONCILE,
    name="reconcile_after_pull",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts reconcile once a scheduled pull has ended, well or not. Pulls started by hand are left alone.",
)
def reconcile_after_pull(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Only the latest counts: reconcile takes everything that has landed. The run key makes it follow once."""
    pulls = dg.RunsFilter(job_name=PULL, statuses=list(ENDED), tags={THEN: RECONCILE})
    runs = context.instance.get_runs(pulls, limit=1)
    if not runs:
        yield dg.SkipReason("no scheduled pull has ended yet")
    for run in runs:
        yield dg.RunRequest(run_key=run.run_id, tags={RUN: run_id(run)})

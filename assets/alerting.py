"""Alerts: once a scheduled reconcile has ended, well or not, whoever wants to know is told what has changed.

A sync of the command line tells by itself; only where its process was killed does a sensor do it instead.
"""

import dagster as dg

from assets.hub import HubResource, run_id
from assets.jobs import RECONCILE
from omnihub.flow import Run
from omnihub.flow.alerting import alert

PROCESS = "omnihub/process"  # tag of a run of the command line: host and process id


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    name="alert_after_success",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells, once, what is wrong since a reconcile and what is well again. `alerts` in omnihub.yaml says "
    "whom.",
)
def alert_after_success(context: dg.RunStatusSensorContext, hub: dg.ResourceParam[HubResource]) -> None:
    """What is wrong, and what is well again."""
    if PROCESS not in context.dagster_run.tags:
        tell(hub, context.dagster_run)


@dg.run_failure_sensor(
    name="alert_after_failure",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells, once, that a reconcile broke off.",
)
def alert_after_failure(context: dg.RunFailureSensorContext, hub: dg.ResourceParam[HubResource]) -> None:
    """That it broke off."""
    tell(hub, context.dagster_run, broke_off=True)


def tell(hub: HubResource, ended: dg.DagsterRun, broke_off: bool = False) -> None:
    """Of the run of the hub that this run was a part of."""
    if ended.job_name == RECONCILE:
        alert(hub.open(), Run.start(hub.open().store, run_id(ended)), broke_off)


ALERTS = [alert_after_success, alert_after_failure]

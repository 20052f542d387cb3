"""What Dagster loads, and one call that runs the whole loop in this process, where the UI shows it all the same.

Importing this opens no store, calls no system and writes no file.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import dagster as dg

import connectors
from assets import HubResource, definitions
from assets.alerting import PROCESS
from assets.hub import DRY, FULL, RUN
from assets.jobs import PULL, RECONCILE
from assets.naming import PLANNED, REPORTED, landed, pulled_streams
from omnihub.config import Config, load
from omnihub.errors import ConfigError
from omnihub.flow import Run
from omnihub.flow.alerting import alert
from omnihub.flow.hub import Progress, silent
from omnihub.sdk import Connector

LOCATION = {".dagster/repository": "__repository__@omnihub"}  # so that the UI files the run under its job
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the UI keeps every line


@dg.definitions
def defs() -> dg.Definitions:
    """The code location, as the settings in this folder describe it."""
    found = connectors.find()
    return definitions(load(connectors=found, templates=connectors.templates()), found)


def run_sync(
    config: Config,
    systems: Sequence[str] | None = None,
    full: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
    instance: dg.DagsterInstance | None = None,
) -> dict[str, Any]:
    """Run pull (of these systems, or all), then reconcile, in this process. A system's trouble is told, not raised.

    Returns the numbers of `Run.end` and: run (its id), steps (what each told), plan (its id, where it holds changes),
    report, dagster (job → id of its Dagster run). dry_run: the plan is not kept, only reported. ConfigError: no such
    system takes part, or the store can't be opened.
    """
    found = connectors.find()
    chosen = _chosen(systems, config.enabled(found))
    hub = HubResource(config, found, progress)
    made = definitions(config, found, hub, patient=False)
    with ExitStack() as open_:
        open_.callback(hub.close)
        run = Run.start(hub.open().store)
        dagster = instance or open_.enter_context(dg.DagsterInstance.get())
        bury_the_dead(dagster)
        asked = {tag: "true" for tag, wanted in ((FULL, full), (DRY, dry_run)) if wanted}
        tags = {RUN: run.id, PROCESS: _process(), **asked, **LOCATION}
        keys = [landed(c.name, s.name) for c in chosen for s in pulled_streams(config, c)]
        runs = {PULL: _execute(made, PULL, keys, tags, dagster)}
        runs[RECONCILE] = _execute(made, RECONCILE, _but_pushes(made) if dry_run else [], tags, dagster)
        told = _told(run, runs)
        if not dry_run:
            alert(hub.open(), run, broke_off=RECONCILE in told["stopped"])
        return told


def _chosen(systems: Iterable[str] | None, enabled: dict[str, Connector]) -> list[Connector]:
    if not enabled:
        raise ConfigError("no system takes part; give one a url in omnihub.yaml, or say `sandbox: true` there")
    unknown = sorted(set(systems or ()) - set(enabled))
    if unknown:
        raise ConfigError(f"no system {', '.join(unknown)} takes part; there are: {', '.join(enabled)}")
    return [connector for name, connector in enabled.items() if not systems or name in systems]


def _but_pushes(made: dg.Definitions) -> list[dg.AssetKey]:
    """Up to the plan, and the report, which shows it."""
    graph = made.resolve_asset_graph()
    before_plan = dg.AssetSelection.assets(PLANNED).upstream().resolve(graph)
    wanted = {*before_plan, REPORTED}
    return sorted(wanted & set(made.resolve_job_def(RECONCILE).asset_layer.executable_asset_keys))


def _execute(
    made: dg.Definitions, job: str, keys: Collection[dg.AssetKey], tags: dict[str, str], instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    return made.resolve_job_def(job).execute_in_process(
        instance=instance, asset_selection=list(keys), tags=tags, run_config=QUIET, raise_on_error=False
    )


def _told(run: Run, runs: dict[str, dg.ExecuteInProcessResult]) -> dict[str, Any]:
    summary, steps = run.end(), run.told()
    if not runs[RECONCILE].success and summary["state"] != "red":  # broke off outside our steps
        summary |= {"state": "red", "stopped": {RECONCILE: "its Dagster run failed"}}
    plan = steps.get("plan", {})
    return summary | {
        "run": run.id,
        "steps": steps,
        "plan": plan.get("id") if plan.get("kept") and plan["counts"]["planned"] else None,
        "report": steps.get("report"),
        "dagster": {job: result.run_id for job, result in runs.items()},
    }


# -- runs whose process was killed -----------------------------------------------------------------------------------


def _process() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def bury_the_dead(instance: dg.DagsterInstance) -> None:
    """Show runs of the command line as failed whose process was killed; they would stay "in progress" for ever."""
    running = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    for run in instance.get_runs(running):
        host, _, pid = run.tags.get(PROCESS, "").rpartition("/")
        if host == socket.gethostname() and not _lives(int(pid)):
            instance.report_run_failed(run, "its process was killed; nothing is lost, the next run goes on from there")


def _lives(pid: int) -> bool:
    with suppress(PermissionError):  # somebody else's: alive
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True

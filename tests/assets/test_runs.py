"""Runs: both jobs for real, over HTTP against stand-ins, seen as Dagster's UI sees them."""

from __future__ import annotations

import os
import socket
from typing import Any

import dagster as dg
import pytest

from assets import definitions
from assets.alerting import PROCESS, alert_after_failure, alert_after_success
from assets.hub import RUN, HubResource
from assets.jobs import PULL, RECONCILE, THEN, reconcile_after_pull
from connectors import find
from omnihub.definitions import bury_the_dead
from omnihub.errors import ConfigError
from omnihub.flow import steps
from omnihub.flow.hub import open_hub
from omnihub.flow.runs import Run
from omnihub.model import FINDING_KINDS
from tests.assets.office import CUSTOMERS, NOWHERE, Office

READ = {
    *(f"portal/{stream}" for stream in ("accounts", "users", "logins", "orders", "offers", "quotes", "quote_lines")),
    *(f"zendesk/{stream}" for stream in ("organizations", "users", "tickets")),
}


def status(office: Office, told: dict[str, Any], job: str) -> dg.DagsterRunStatus:
    run = office.instance.get_run_by_id(told["dagster"][job])
    assert run is not None
    return run.status


def test_the_whole_loop_is_run_and_the_second_time_there_is_nothing_to_say(office: Office) -> None:
    seen: list[str] = []
    first = office.sync(progress=lambda what, done, total: seen.append(what))
    assert (first["state"], first["balanced"], first["stopped"]) == ("ok", True, {})
    assert first["pull"]["new"] == first["pull"]["read"] == 4 * CUSTOMERS + 1
    assert first["push"]["written"] == first["push"]["planned"] == CUSTOMERS, "each phone of the older system"
    assert first["plan"]
    assert first["steps"]["merge:contact"]["changed"] == CUSTOMERS
    assert "zendesk/users" in seen

    assert office.materialized(first, PULL) == READ
    made = office.materialized(first, RECONCILE)
    assert {"golden/account", "golden/contact", "compare", "plan", "push/zendesk/users", "report"} <= made
    tags = [run.tags[RUN] for run in office.instance.get_runs()]
    assert tags == [first["run"]] * 2, "one run of the hub is two of Dagster"
    assert (office.home / "reports" / "latest" / "index.html").exists()

    assert_every_check_is_judged_where_it_belongs(judged(office, first))

    second = office.sync()
    assert (second["state"], second["push"]["planned"], second["plan"]) == ("ok", 0, None)


def judged(office: Office, told: dict[str, Any]) -> dict[tuple[str, str], bool]:
    found = {}
    for job in (PULL, RECONCILE):
        for log in office.instance.all_logs(told["dagster"][job], of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
            event = log.get_dagster_event().asset_check_evaluation_data
            found[event.asset_key.to_user_string(), event.check_name] = event.passed
    return found


def assert_every_check_is_judged_where_it_belongs(found: dict[tuple[str, str], bool]) -> None:
    assert set(found) == (
        {(key, name) for key in READ for name in ("balance", "complete")}
        | {(f"match/{entity}", "no_orphans") for entity in ("account", "contact", "product")}
        | {("plan", "within_guard"), ("plan", "looked_everywhere")}
        | {("compare", kind) for kind in FINDING_KINDS}
        | {
            (f"push/{s}", "balance")
            for s in ("portal/accounts", "portal/users", "zendesk/organizations", "zendesk/users")
        }
    )
    assert all(found.values())


def test_a_dead_system_fails_the_pull_and_nothing_else(office: Office) -> None:
    office.elsewhere["portal"] = NOWHERE
    told = office.sync()
    assert status(office, told, PULL) is dg.DagsterRunStatus.FAILURE
    assert status(office, told, RECONCILE) is dg.DagsterRunStatus.SUCCESS
    assert office.materialized(told, PULL) == {key for key in READ if key.startswith("zendesk/")}
    assert told["state"] == "partial"
    assert {failure.split(":")[0] for failure in told["failed"]} == {key for key in READ if key.startswith("portal/")}
    assert told["steps"]["plan"]["looked"] == {"portal": "could not look", "zendesk": "looked"}
    assert told["steps"]["merge:contact"]["changed"] == CUSTOMERS


@pytest.mark.long
def test_a_sync_tells_what_changed_and_after_a_scheduled_run_a_sensor_does(office: Office) -> None:
    yaml = "alerts: {channels: {team: {tells: [systems]}}}"  # and no address: trying to tell is what is seen
    office.elsewhere["portal"] = NOWHERE
    first = office.sync(yaml=yaml)
    hub = HubResource(office.config(yaml), find())
    assert Run(hub.open().store, first["run"]).told()["alert"] == {"changed": 2, "told": [], "failed": ["team"]}
    job = definitions(office.config(yaml), find(), hub, patient=False).resolve_job_def(RECONCILE)
    for tags, sensor, tells in (
        ({PROCESS: "here/1"}, alert_after_success, False),
        ({}, alert_after_success, True),
        ({PROCESS: "here/1"}, alert_after_failure, True),
    ):
        done = job.execute_in_process(instance=office.instance, tags={RUN: f"run-{sensor.name}-{tells}", **tags})
        event = done.get_run_success_event() if sensor is alert_after_success else done.all_events[-1]
        context = dg.build_run_status_sensor_context(sensor.name, event, office.instance, done.dagster_run)
        context = context if sensor is alert_after_success else context.for_run_failure()
        sensor(context, hub=hub)
        told = Run(hub.open().store, f"run-{sensor.name}-{tells}").told()
        assert ("alert" in told) == tells
    hub.close()


def test_a_stream_that_fails_is_shown_as_failed_and_its_neighbours_as_read(office: Office) -> None:
    office.portal.closed = {"/v1/logins"}
    pull = definitions(office.config(), find(), patient=False).resolve_job_def(PULL)
    run = pull.execute_in_process(instance=office.instance, raise_on_error=False)
    assert not run.success
    assert office.materialized({"dagster": {PULL: run.run_id}}, PULL) == READ - {"portal/logins"}
    failures = office.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    told = failures[0].get_dagster_event().step_failure_data.user_failure_data
    said = str(told and told.description)
    assert f"1 of {len(find()['portal'].streams)} streams could not be read" in said
    assert "logins:" in said
    assert "403" in said


def test_a_second_try_reads_only_what_failed_and_the_numbers_add_up(office: Office) -> None:
    hub = open_hub(office.config(), find())
    run = Run.start(hub.store)
    office.portal.closed = {"/v1/users"}
    first = steps.pull(hub, run, "portal", ["accounts", "users"])
    assert [(s["stream"], bool(s["error"])) for s in first] == [("accounts", False), ("users", True)]

    office.portal.closed, office.portal.calls = set(), type(office.portal.calls)()
    second = steps.pull(hub, run, "portal", ["accounts", "users"], again=True)
    assert [(s["stream"], s["new"], s["living"], s["error"]) for s in second] == [
        ("accounts", CUSTOMERS, CUSTOMERS, ""), ("users", CUSTOMERS, CUSTOMERS, ""),
    ]  # fmt: skip
    assert "/v1/accounts" not in {path for _, path, _ in office.portal.calls}
    assert run.end()["pull"]["new"] == 2 * CUSTOMERS
    hub.store.close()


def test_a_dry_run_plans_and_leaves_everything_as_it_is(office: Office) -> None:
    before = {system: standin.dump() for system, standin in office.running.standins.items()}
    told = office.sync(dry_run=True)
    assert told["steps"]["plan"]["counts"]["planned"] == CUSTOMERS
    assert told["plan"] is None, "there is nothing that could be applied"
    assert {system: standin.dump() for system, standin in office.running.standins.items()} == before
    made = office.materialized(told, RECONCILE)
    assert "plan" in made
    assert not [key for key in made if key.startswith("push/")]


def test_a_plan_stopped_by_the_guard_makes_the_run_red_and_the_report_still_appears(office: Office) -> None:
    told = office.sync(yaml="guard: {first_run_share: 0.01, floor: 0}\n")
    assert (told["state"], told["blocked"]) == ("red", True)
    assert told["plan"]
    assert status(office, told, RECONCILE) is dg.DagsterRunStatus.FAILURE
    assert "report" in office.materialized(told, RECONCILE)
    assert list(told["stopped"]) == ["push_zendesk"]
    assert "omnihub approve" in told["stopped"]["push_zendesk"]


def test_a_system_nobody_knows_is_refused_before_anything_runs(office: Office) -> None:
    with pytest.raises(ConfigError, match="hubspott"):
        office.sync("hubspott")
    assert office.instance.get_runs() == []


def test_reconcile_follows_a_scheduled_pull_once_even_if_that_failed(office: Office) -> None:
    made = definitions(office.config(), find(), patient=False)

    def tick() -> list[Any]:
        asked: Any = reconcile_after_pull(dg.build_sensor_context(office.instance))
        return list(asked)

    office.portal.closed = {"/v1/"}
    pull = made.resolve_job_def(PULL)
    pull.execute_in_process(instance=office.instance, raise_on_error=False)
    assert isinstance(tick()[0], dg.SkipReason), "a pull started by hand is left alone"

    run = pull.execute_in_process(instance=office.instance, raise_on_error=False, tags={THEN: RECONCILE})
    assert not run.success
    (request,) = tick()
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == run.run_id, "Dagster starts one run for a key, however often it is asked"
    assert request.tags[RUN] == f"run-{run.run_id[:8]}", "the hub goes on with the same run"


def test_a_run_whose_process_was_killed_is_not_in_progress_for_ever(office: Office) -> None:
    job = definitions(office.config(), find()).resolve_job_def(PULL)

    def started(pid: int) -> str:
        tags = {PROCESS: f"{socket.gethostname()}/{pid}"}
        return office.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED).run_id

    dead, alive = started(2**22 + 1), started(os.getpid())  # Linux gives out no pid above 2**22
    bury_the_dead(office.instance)
    states = {run.run_id: run.status.value for run in office.instance.get_runs()}
    assert states == {dead: "FAILURE", alive: "STARTED"}

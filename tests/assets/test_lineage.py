"""The lineage: made from the connectors there are, in the order of the loop, each system at both ends."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

import connectors
from assets import definitions, naming
from assets.jobs import PULL, RECONCILE
from omnihub.config import load
from omnihub.definitions import defs
from omnihub.model import Entity

FOUND = connectors.find()
MASTERS = {name for name, connector in FOUND.items() if connector.master}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    home = tmp_path_factory.mktemp("home")
    file = home / "omnihub.yaml"
    file.write_text("sandbox: true\n")
    return definitions(load(file, environ={}), FOUND)


def keys(definitions: dg.Definitions, job: str) -> set[dg.AssetKey]:
    return set(definitions.resolve_job_def(job).asset_layer.executable_asset_keys)


def upstream(definitions: dg.Definitions, key: dg.AssetKey) -> set[dg.AssetKey]:
    """All it is made from, outside systems included."""
    graph, found, waiting = definitions.resolve_asset_graph(), set[dg.AssetKey](), [key]
    while waiting:
        parents = graph.get(waiting.pop()).parent_keys - found
        found |= parents
        waiting += parents
    return found


def test_every_stream_that_is_pulled_is_an_asset(everything: dg.Definitions) -> None:
    pulled = {naming.landed(n, s.name) for n, c in FOUND.items() for s in c.streams if s.pull}
    assert len(pulled) > 15
    assert keys(everything, PULL) == pulled


def test_a_system_is_read_and_written_at_two_different_ends(everything: dg.Definitions) -> None:
    graph = everything.resolve_asset_graph()
    assert graph.external_asset_keys == {naming.source(n) for n in FOUND} | {
        naming.target(n) for n in FOUND if n not in MASTERS
    }
    for system in set(FOUND) - MASTERS:
        assert naming.source(system) in upstream(everything, naming.target(system))
        assert upstream(everything, naming.source(system)) == set()


def test_a_master_is_never_written(everything: dg.Definitions) -> None:
    assert MASTERS
    written = {key.path[1] for key in keys(everything, RECONCILE) if key.path[0] == "push"}
    assert written
    assert written.isdisjoint(MASTERS)


def test_the_graph_goes_the_way_of_the_loop(everything: dg.Definitions) -> None:
    stream = next(s.name for s in FOUND["salesforce"].streams if s.push)
    way = [
        naming.source("salesforce"), naming.landed("salesforce", stream), naming.refined("salesforce"),
        naming.matched(Entity.ACCOUNT), naming.golden(Entity.ACCOUNT), naming.matched(Entity.CONTACT),
        naming.golden(Entity.CONTACT), naming.COMPARED, naming.PLANNED, naming.pushed("salesforce", stream),
        naming.target("salesforce"),
    ]  # fmt: skip
    for earlier, later in pairwise(way):
        assert earlier in upstream(everything, later), (earlier, later)
    assert naming.golden(Entity.PRODUCT) in upstream(everything, naming.COMPARED)


def test_the_report_does_not_wait_for_a_push(everything: dg.Definitions) -> None:
    assert {key.path[0] for key in upstream(everything, naming.REPORTED)}.isdisjoint({"push", "target"})
    assert naming.PLANNED in upstream(everything, naming.REPORTED)


def test_compare_starts_only_once_the_golden_records_have_caught_up(everything: dg.Definitions) -> None:
    """Straight from raw, it would take a fresh edit for a mistake and revert it."""
    graph = everything.resolve_asset_graph()
    assert graph.get(naming.COMPARED).parent_keys == {naming.golden(e) for e in naming.ENTITIES}


def test_every_asset_tells_a_business_user_what_it_is(everything: dg.Definitions) -> None:
    for spec in everything.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert len(spec.description) > 40, spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key


def test_each_job_can_be_run_as_it_stands(everything: dg.Definitions) -> None:
    for job in (PULL, RECONCILE):
        assert everything.resolve_job_def(job).executor_def.name == "in_process"
    assert keys(everything, PULL).isdisjoint(keys(everything, RECONCILE))


def test_a_system_the_settings_leave_out_is_not_in_the_lineage(tmp_path: Path) -> None:
    file = tmp_path / "omnihub.yaml"
    file.write_text("sandbox: true\nsystems:\n  zendesk: {enabled: false}\n  portal: {streams: [users]}\n")
    made = definitions(load(file, environ={}), FOUND)
    assert naming.source("zendesk") not in made.resolve_asset_graph().external_asset_keys
    assert {key for key in keys(made, PULL) if key.path[0] == "portal"} == {naming.landed("portal", "users")}


def test_settings_without_any_system_still_load(tmp_path: Path) -> None:
    file = tmp_path / "omnihub.yaml"
    file.write_text("sandbox: false\n")
    dg.Definitions.validate_loadable(definitions(load(file, environ={}), FOUND))


def test_loading_the_code_location_opens_no_store_and_writes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = defs()
    assert isinstance(loaded, dg.Definitions)
    dg.Definitions.validate_loadable(loaded)
    assert list(tmp_path.iterdir()) == []


def test_the_schedule_runs_when_the_settings_say(tmp_path: Path) -> None:
    file = tmp_path / "omnihub.yaml"
    file.write_text("sandbox: true\nschedule: 15 4 * * *\n")
    schedule = definitions(load(file, environ={}), FOUND).resolve_schedule_def("sync")
    assert (schedule.cron_schedule, schedule.job_name) == ("15 4 * * *", PULL)
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED, "nobody is written to before a person says so"

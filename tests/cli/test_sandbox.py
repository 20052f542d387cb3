"""The sandbox from the command line: filled, served, edited and dumped, by several processes at once."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from omnihub.cli.installation import here
from omnihub.cli.standins import fill_if_empty, standins
from omnihub.sandbox.serving import addresses, serving
from omnihub.store import Store, schema
from tests.cli.conftest import omnihub, start

SYSTEMS = {"airtable", "hubspot", "portal", "salesforce", "shopify", "thingsboard", "zendesk"}
PATIENCE_S = 30.0


def _until(what: object) -> bool:
    """Whether it became true before patience ran out."""
    assert callable(what)
    ends = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


# -- reset, dump, truth ----------------------------------------------------------------------------------------------


def test_reset_fills_every_system_and_says_so_in_one_document(folder: Path) -> None:
    said = omnihub("sandbox", "reset", "--customers", "30", "--seed", "5", "--json")
    dumped = omnihub("sandbox", "dump").facts
    assert (said.facts["customers"], said.facts["seed"]) == (30, 5)
    assert set(said.facts["records"]) == set(dumped) == SYSTEMS
    assert all(dumped[system] for system in SYSTEMS)


def test_the_same_seed_gives_the_same_people_and_another_seed_others(folder: Path) -> None:
    names = []
    for seed in ("5", "5", "6"):
        omnihub("sandbox", "reset", "--customers", "30", "--seed", seed)
        users = omnihub("sandbox", "dump", "zendesk").facts["zendesk"]["users"]
        names.append([user["name"] for user in users.values()])
    assert names[0] == names[1] != names[2]


def test_reset_forgets_what_the_hub_believed_of_the_world_before(folder: Path) -> None:
    with closing(Store.open(f"sqlite:///{folder / '.omnihub' / 'hub.db'}")) as store, store.write() as c:
        c.execute(sa.insert(schema.facts).values(key="old", value="belief"))
    omnihub("sandbox", "reset", "--customers", "10")
    facts = omnihub("status", "--json").facts
    with closing(Store.open(f"sqlite:///{folder / '.omnihub' / 'hub.db'}")) as store, store.read() as c:
        assert c.execute(sa.select(schema.facts)).all() == []
        assert c.execute(sa.select(schema.counter.c.value)).scalar_one() == 0
    assert facts["runs"] == []


def test_a_store_with_real_records_is_never_emptied(folder: Path) -> None:
    with closing(Store.open(f"sqlite:///{folder / '.omnihub' / 'hub.db'}")) as store, store.write() as c:
        call = {"run_id": "r", "system": "zendesk", "stream": "users", "method": "GET", "status": 200, "at": "2026"}
        c.execute(sa.insert(schema.exchanges).values(url="https://acme.zendesk.com/api/v2/users", **call))
    for words in (["sandbox", "reset"], ["demo"]):
        said = omnihub(*words, "--customers", "10")
        assert said.code == 1
        assert "real zendesk" in said.err
    with closing(Store.open(f"sqlite:///{folder / '.omnihub' / 'hub.db'}")) as store, store.read() as c:
        assert len(c.execute(sa.select(schema.exchanges)).all()) == 1


def test_the_demo_keeps_away_from_real_systems(folder: Path) -> None:
    (folder / "omnihub.yaml").write_text("systems: {zendesk: {url: 'https://acme.zendesk.invalid'}}\n")
    said = omnihub("demo", "--customers", "10")
    assert said.code == 1
    assert "real systems" in said.err


def test_the_truth_is_told_in_counts_only(world: Path) -> None:
    facts = omnihub("sandbox", "truth", "--json").facts
    assert facts["things"]["contact"]["things"] == 60
    assert facts["things"]["contact"]["records"] > 60
    assert facts["planted"]["value_differs"] > 0


def test_asking_for_a_truth_without_a_world_names_the_way_out(folder: Path) -> None:
    for words in (["sandbox", "truth"], ["sandbox", "score"], ["sandbox", "mutate"], ["sandbox", "dump"]):
        said = omnihub(*words)
        assert said.code == 1
        assert "omnihub sandbox reset" in said.err


# -- mutate ----------------------------------------------------------------------------------------------------------


def test_edits_touch_just_the_records_they_name(world: Path) -> None:
    before = omnihub("sandbox", "dump").facts
    edits = omnihub("sandbox", "mutate", "--changes", "12", "--seed", "2", "--json").facts
    after = omnihub("sandbox", "dump").facts
    differ = {
        f"{system}/{stream}/{id_}"
        for system in SYSTEMS
        for stream in before[system]
        for id_ in before[system][stream].keys() | after[system][stream].keys()
        if before[system][stream].get(id_) != after[system][stream].get(id_)
    }
    assert edits["changes"] == 12
    assert differ
    assert differ <= {edit["ref"] for edit in edits["done"]}


def test_served_stand_ins_show_the_edits_of_another_command_at_once(world: Path) -> None:
    installation = here()
    served = installation.standins()
    with serving(installation.config.home, served):
        before = {name: standin.dump() for name, standin in served.items()}
        edits = omnihub("sandbox", "mutate", "--changes", "12", "--seed", "2", "--json").facts
        after = {name: standin.dump() for name, standin in served.items()}
    for edit in edits["done"]:
        system, stream, id_ = edit["ref"].split("/", 2)
        assert before[system][stream].get(id_) != after[system][stream].get(id_), edit


# -- stand-ins that come and go --------------------------------------------------------------------------------------


def test_a_second_command_joins_the_stand_ins_and_keeps_them_when_the_first_is_done(world: Path) -> None:
    home = here().config.home
    first, second = standins(here()), standins(here())
    first.__enter__()
    found = addresses(home)
    second.__enter__()
    first.__exit__(None, None, None)
    assert addresses(home) == found
    assert requests.get(f"{found['portal']['url']}/nowhere", timeout=5).status_code == 404
    second.__exit__(None, None, None)
    assert _until(lambda: not (home / "sandbox" / "addresses.json").exists())


def test_serving_twice_is_refused(folder: Path) -> None:
    installation = here()
    with serving(installation.config.home, installation.standins()):
        said = omnihub("sandbox", "serve")
    assert said.code == 1
    assert "served already" in said.err


def test_a_server_in_the_foreground_ends_on_ctrl_c(world: Path) -> None:
    home = here().config.home
    process = start("sandbox", "serve")
    assert _until(lambda: addresses(home))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "salesforce" in out
    assert not addresses(home)


def test_a_command_that_finds_no_world_makes_one_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill_if_empty(here())
    assert "filling it with 2,000 customers" in capsys.readouterr().err
    assert omnihub("sandbox", "truth", "--json").facts["customers"] == 2000
    fill_if_empty(here())
    assert capsys.readouterr().err == ""

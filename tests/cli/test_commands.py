"""What every command owes: quick help, one message for what is wrong, an exit code that means something."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnihub.cli.installation import here
from omnihub.config import load
from omnihub.sandbox.serving import serving
from tests.cli.conftest import ROOT, omnihub


def test_help_loads_neither_dagster_nor_the_store_nor_a_connector() -> None:
    heavy = {"dagster", "sqlalchemy", "connectors", "pydantic", "requests", "duckdb"}
    code = f"import sys, omnihub.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_says_what_the_exit_codes_mean() -> None:
    said = " ".join(omnihub("--help").out.split())
    for meaning in ("0 all is well", "1 an error", "2 not a command", "3 partial", "4 red"):
        assert meaning in said


def test_every_command_has_help() -> None:
    for words in (
        ["sync"],
        ["plan"],
        ["plan", "show"],
        ["explain"],
        ["up"],
        ["demo"],
        ["sandbox"],
        ["sandbox", "dump"],
    ):
        said = omnihub(*words, "--help")
        assert (said.code, "Usage" in said.out) == (0, True), words


def test_the_version_is_said() -> None:
    assert omnihub("--version").out.startswith("omnihub")


def test_an_unknown_command_is_a_matter_of_usage() -> None:
    assert omnihub("sink").code == 2


def test_an_unknown_system_names_the_one_that_was_meant(folder: Path) -> None:
    said = omnihub("sync", "hubspto")
    assert said.code == 2
    assert "did you mean hubspot?" in said.err


def test_a_wrong_setting_is_one_message_without_traceback(folder: Path) -> None:
    (folder / "omnihub.yaml").write_text("shedule: 0 * * * *\n")
    said = omnihub("status", "--json")
    assert (said.code, said.out) == (1, "")
    assert "did you mean schedule?" in said.err
    assert "Traceback" not in said.err


def test_the_debug_variable_shows_where_an_error_comes_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIHUB_DEBUG", "1")
    (folder / "omnihub.yaml").write_text("shedule: 0 * * * *\n")
    with pytest.raises(Exception, match="schedule"):
        omnihub("status")


def test_a_store_that_cannot_be_opened_is_one_message(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIHUB_STORE", "postgresql+psycopg://nobody:geheim@127.0.0.1:1/none")
    said = omnihub("status")
    assert said.code == 1
    assert said.err.startswith("error: store:")
    assert "geheim" not in said.err


# -- init, Dagster's home --------------------------------------------------------------------------------------------


def test_init_writes_settings_that_are_valid_and_name_every_system(folder: Path) -> None:
    assert omnihub("init").code == 0
    assert load().sandbox
    text = (folder / "omnihub.yaml").read_text()
    assert "OMNIHUB_HUBSPOT_TOKEN" in text
    assert "salesforce" in text


def test_init_leaves_a_file_that_is_there_as_it_is(folder: Path) -> None:
    (folder / "omnihub.yaml").write_text("default_country: AT\n")
    said = omnihub("init")
    assert said.code == 1
    assert "is there already" in said.err
    assert (folder / "omnihub.yaml").read_text() == "default_country: AT\n"


def test_dagster_remembers_in_the_home_unless_the_folder_says_otherwise(folder: Path) -> None:
    ours, theirs = folder / ".omnihub" / "dagster" / "dagster.yaml", folder / "dagster.yaml"
    omnihub("status")
    assert "telemetry" in ours.read_text()
    ours.unlink()
    theirs.write_text("telemetry: {enabled: false}\n")
    facts = omnihub("doctor", "--json").facts
    assert not ours.exists()
    assert str(theirs) in str(facts["checks"])


# -- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_says_what_to_do_in_an_empty_folder(folder: Path) -> None:
    said = omnihub("doctor", "--json")
    sandbox = next(check for check in said.facts["checks"] if check["what"] == "sandbox")
    assert (said.code, sandbox["state"]) == (0, "doubtful")
    assert "omnihub demo" in sandbox["fix"]
    assert not list((folder / ".omnihub").glob("sandbox/*.db"))


def test_doctor_says_which_alerts_would_reach_nobody_and_sends_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "omnihub.yaml").write_text("sandbox: true\nalerts: {channels: {team: {}, shop: {}, board: {}}}\n")
    monkeypatch.setenv("OMNIHUB_ALERT_TEAM", "json://127.0.0.1:1/hook-secret")
    monkeypatch.setenv("OMNIHUB_ALERT_SHOP", "no-such-service://secret")
    said = omnihub("doctor", "--json")
    states = {check["what"]: check for check in said.facts["checks"] if check["part"] == "alerts"}
    assert {name: check["state"] for name, check in states.items()} == {"team": "ok", "shop": "bad", "board": "bad"}
    assert "OMNIHUB_ALERT_BOARD" in states["board"]["fix"]
    assert "secret" not in json.dumps(said.facts)
    assert said.code == 1


@pytest.fixture
def served(world: Path) -> Iterator[Path]:
    """A folder with a small world that is being served, and we are in it."""
    installation = here()
    with serving(installation.config.home, installation.standins()):
        yield world


def test_doctor_logs_in_to_every_system(served: Path) -> None:
    said = omnihub("doctor", "--json")
    systems = {check["what"]: check for check in said.facts["checks"] if check["part"] == "systems"}
    assert (said.code, said.facts["healthy"]) == (0, True)
    assert len(systems) == 7
    assert all("login ok" in check["says"] for check in systems.values())


def test_doctor_names_an_address_where_nobody_answers_and_goes_on_with_the_others(
    served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIHUB_CONFIG", str(served / "other.yaml"))
    (served / "other.yaml").write_text("sandbox: true\nsystems: {portal: {url: 'http://127.0.0.1:1'}}\n")
    monkeypatch.setenv("OMNIHUB_PORTAL_CLIENT_ID", "x")
    monkeypatch.setenv("OMNIHUB_PORTAL_CLIENT_SECRET", "x")
    monkeypatch.setenv("OMNIHUB_PORTAL_TOKEN", "x")
    said = omnihub("doctor", "--json")
    states = {check["what"]: check for check in said.facts["checks"]}
    assert said.code == 1
    assert "127.0.0.1:1" in states["portal"]["says"]
    assert states["portal"]["fix"]
    assert states["zendesk"]["state"] == "ok"

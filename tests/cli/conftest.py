"""The command line as a person uses it: in a folder of its own, with real stand-ins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from omnihub.cli import app
from omnihub.cli.installation import here
from omnihub.cli.standins import standins

ROOT = Path(__file__).resolve().parents[2]

# Dagster's event log on disk would take longer than all the rest; which runs there were is kept
FORGETFUL = """\
event_log_storage: {module: dagster._core.storage.event_log, class: InMemoryEventLogStorage}
telemetry: {enabled: false}
"""


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> Any:
        """Its JSON document: all of stdout, nothing beside it."""
        return json.loads(self.out)


Omnihub = Callable[..., Said]


def omnihub(*words: str) -> Said:
    """Run a command in this process, which keeps nothing of its environment."""
    before = dict(os.environ)
    try:
        done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    finally:
        for name in os.environ.keys() - before:
            del os.environ[name]
    return Said(done.exit_code, done.stdout, done.stderr)


def start(*words: str) -> subprocess.Popen[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "omnihub", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _enter(patch: pytest.MonkeyPatch, folder: Path) -> Path:
    patch.chdir(folder)
    patch.setenv("PYTHONPATH", str(ROOT))
    for name in [name for name in os.environ if name.startswith("OMNIHUB_") or name == "DAGSTER_HOME"]:
        patch.delenv(name)
    return folder


@pytest.fixture(scope="session")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for Dagster that keeps runs, but not every line of them."""
    home = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text(FORGETFUL)
    return home


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and we are in it."""
    return _enter(monkeypatch, tmp_path)


@pytest.fixture
def world(folder: Path, forgetful: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small world, not yet read."""
    monkeypatch.setenv("DAGSTER_HOME", str(forgetful))
    assert omnihub("sandbox", "reset", "--customers", "60", "--seed", "3").code == 0
    return folder


@pytest.fixture(scope="package")
def lived_in(tmp_path_factory: pytest.TempPathFactory, forgetful: Path) -> Iterator[Path]:
    """A folder with a small world that has been synced once, its stand-ins being served."""
    with pytest.MonkeyPatch.context() as patch:
        folder = _enter(patch, tmp_path_factory.mktemp("hub"))
        patch.setenv("DAGSTER_HOME", str(forgetful))
        assert omnihub("sandbox", "reset", "--customers", "60", "--seed", "3").code == 0
        with standins(here()):
            first = omnihub("sync", "--json")
            (folder / "first.json").write_text(first.out)
            assert first.code == 0, first.facts["stopped"]
            yield folder


@pytest.fixture
def synced(lived_in: Path, forgetful: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, and we are in it."""
    _enter(monkeypatch, lived_in)
    monkeypatch.setenv("DAGSTER_HOME", str(forgetful))
    return lived_in

"""What this command works with: the settings, the systems there are, the store, and Dagster's home."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

import typer

import connectors
from omnihub.cli.screen import Telling
from omnihub.config import Config, load
from omnihub.flow.hub import Hub, open_hub, silent
from omnihub.sandbox.kit import Standin
from omnihub.sandbox.serving import make
from omnihub.sdk import Connector
from omnihub.store import Store

LOG_BYTES = 2_000_000  # then a new file is begun

_DAGSTER = """\
# How Dagster remembers its runs; written by OmniHub because no DAGSTER_HOME was set. Yours to change.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    granularity: run
    default_limit: 1
"""


@dataclass(frozen=True)
class Installation:
    """One hub on this machine."""

    config: Config
    connectors: Mapping[str, Connector]

    @property
    def sandboxed(self) -> list[str]:
        """The systems whose stand-in is meant."""
        return [name for name in self.config.enabled(self.connectors) if self.config.in_sandbox(name)]

    def standins(self) -> dict[str, Standin]:
        """Every stand-in there is, over its kept state."""
        return make(self.config.home, connectors.standins())

    def named(self, systems: Iterable[str]) -> list[str]:
        """These systems, once it is sure that they take part."""
        enabled = self.config.enabled(self.connectors)
        return [_known(name, enabled) for name in systems]

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The hub's memory."""
        with closing(Store.open(self.config.store)) as store:
            yield store

    @contextmanager
    def hub(self, progress: Telling = silent) -> Iterator[Hub]:
        """The hub, ready to work."""
        hub = open_hub(self.config, self.connectors, progress)
        with closing(hub.store):
            yield hub


def here() -> Installation:
    """The installation the settings in this folder describe."""
    found = connectors.find()
    config = load(connectors=found, templates=connectors.templates())
    if not os.environ.get("DAGSTER_HOME"):
        os.environ["DAGSTER_HOME"] = str(_dagster_home(config))
    _log_into(config.home / "omnihub.log")
    return Installation(config, config.known(found))


def _log_into(file: Path) -> None:
    """What commands don't say on the screen (where a mistake in the code is, waits, retries) is kept here."""
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = RotatingFileHandler(file, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8", delay=True)
    kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("omnihub", "connectors"):
        log = logging.getLogger(name)
        for before in [one for one in log.handlers if isinstance(one, RotatingFileHandler)]:
            log.removeHandler(before)
            before.close()
        log.addHandler(kept)
        log.setLevel(logging.INFO)


def _dagster_home(config: Config) -> Path:
    """This folder where it has a dagster.yaml, so that everybody here sees the same runs; else one of the hub's own."""
    if Path("dagster.yaml").is_file():
        return Path.cwd()
    home = config.home / "dagster"
    if not (home / "dagster.yaml").is_file():
        home.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text(_DAGSTER)
    return home


def _known(name: str, systems: Iterable[str]) -> str:
    systems = list(systems)
    if name in systems:
        return name
    nearest = difflib.get_close_matches(name, systems, n=1)
    meant = f"did you mean {nearest[0]}?" if nearest else f"there are: {', '.join(systems) or 'none'}"
    raise typer.BadParameter(f"no system {name} takes part; {meant}")

"""The hub as the assets reach it: opened when the first step asks, and the run that a step belongs to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from omnihub.config import Config
from omnihub.errors import OmniHubError, RetryableError
from omnihub.flow import Hub, Run
from omnihub.flow.hub import Progress, open_hub, silent
from omnihub.sdk import Connector

RUN = "omnihub/run"  # tag: the hub's run that a Dagster run is part of; pull and reconcile share one
FULL = "omnihub/full"  # tag: "true" reads everything, whatever the cursors say
DRY = "omnihub/dry-run"  # tag: "true" plans without keeping the plan


class HubResource:
    """One open hub per process. Nothing is opened, read or called before a step asks for it."""

    def __init__(self, config: Config, connectors: Mapping[str, Connector], progress: Progress = silent) -> None:
        self.config = config
        self.connectors = connectors
        self.progress = progress
        self._hub: Hub | None = None

    def open(self) -> Hub:
        """The hub. ConfigError when its store can't be opened."""
        if self._hub is None:
            self._hub = open_hub(self.config, self.connectors, self.progress)
        return self._hub

    @property
    def reports(self) -> Path:
        """Where the reports are left."""
        return self.config.home / "reports"

    def close(self) -> None:
        """Let go of the store."""
        if self._hub is not None:
            self._hub.store.close()
            self._hub = None

    @contextmanager
    def step(self, context: dg.AssetExecutionContext) -> Iterator[Run]:
        """The run this step belongs to. A step that breaks off is noted there, and makes the run red."""
        run = Run.start(self.open().store, run_id(context.run))
        step = context.op_execution_context.op.name
        _note_stopped(run, step, None)
        try:
            yield run
        except OmniHubError as error:
            _note_stopped(run, step, str(error))
            raise dg.Failure(str(error), allow_retries=isinstance(error, RetryableError)) from error
        except Exception as error:
            _note_stopped(run, step, f"{type(error).__name__}; its Dagster run has the details")
            raise


def run_id(run: dg.DagsterRun) -> str:
    """The hub's run: the one its tag names, else one of its own."""
    return run.tags.get(RUN) or f"run-{run.run_id[:8]}"


def asked(context: dg.AssetExecutionContext, tag: str) -> bool:
    """Whether the run was started with this tag."""
    return context.run.tags.get(tag) == "true"


def _note_stopped(run: Run, step: str, why: str | None) -> None:
    """None: it is being tried again."""
    stopped = run.told().get("stopped", {})
    if why or step in stopped:
        others = {name: said for name, said in stopped.items() if name != step}
        run.note("stopped", others | ({step: why} if why else {}))
    if why:
        run.end()

"""The whole loop over the generated world, step by step, with the stand-ins in another process and their limits off."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.measure import Measured, ask, child, measured, tell


def run(folder: Path, customers: int, seed: int) -> list[Measured]:
    """Every step, from pull to report, in the order of the flow."""
    home = folder / f"loop-{customers}"
    home.mkdir(parents=True)
    with child("serve-world", home, customers, seed):
        return ask("loop", home, customers)


def serve(home: Path, customers: int, seed: int) -> None:
    """In a child: make a world and serve it, without the vendors' limits, until told to end."""
    import connectors
    from omnihub.sandbox.reset import reset
    from omnihub.sandbox.serving import make, serving

    _say(f"making a world of {customers} customers")
    standins = make(home, connectors.standins(), quotas=())
    card = reset(home, standins, customers, seed, datetime.now(UTC), lambda what, done, total: None)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with serving(home, standins):
        tell(card["records"])
        ended.wait()


def steps(home: Path, customers: int) -> None:
    """In a child: the loop, as `omnihub sync` goes through it."""
    import connectors
    from omnihub.config import load
    from omnihub.flow import Run, steps
    from omnihub.flow.hub import open_hub
    from omnihub.model import GOLDEN

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    config = load(environ={"OMNIHUB_HOME": str(home), "OMNIHUB_STORE": f"sqlite:///{home / 'hub.db'}"})
    unlimited = {name: replace(c, limits=()) for name, c in connectors.find().items()}
    hub = open_hub(config, unlimited)
    run = Run.start(hub.store)
    found: list[Measured] = []

    def step(name: str, do: Callable[[], int]) -> None:
        _say(name)
        found.append(measured(name, do))

    step("pull", lambda: sum(_pulled(steps.pull(hub, run, name, hub.streams(c))) for name, c in hub.connectors.items()))
    step("refine", lambda: _refined(steps.refine(hub, run, hub.connectors)))
    for entity in GOLDEN:
        step(f"match {entity}s", partial(_counted, steps.match, hub, run, entity, "changed"))
        step(f"merge {entity}s", partial(_counted, steps.merge, hub, run, entity, "looked_at"))
    step("compare", lambda: steps.compare(hub, run)["compared"])
    step("plan", lambda: steps.plan(hub, run)["counts"]["planned"])
    step("push", lambda: sum(_pushed(steps.push(hub, run, name)) for name in hub.connectors))
    step("report", lambda: steps.report(hub, run, home / "reports")["findings"])
    _say(json.dumps(run.end()))
    tell(found)


def _counted(step: Callable[..., Mapping[str, Any]], hub: Any, run: Any, entity: Any, name: str) -> int:
    return int(step(hub, run, entity)[name])


def _pulled(streams: list[dict[str, Any]]) -> int:
    for stream in streams:
        if stream["error"]:
            _say(stream["error"])
    return sum(s["read"] for s in streams)


def _refined(systems: Mapping[str, Mapping[str, Mapping[str, int]]]) -> int:
    return sum(counts["changed"] + counts["same"] for streams in systems.values() for counts in streams.values())


def _pushed(streams: Mapping[str, Mapping[str, int]]) -> int:
    return sum(counts["planned"] - counts["left"] for counts in streams.values())


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)  # noqa: T201

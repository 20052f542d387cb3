"""kill -9 in the middle of a sync, again and again, then a sync: everything is as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop

# How many things there are to do in each step on the way to the first plan: moments to die at are drawn from these.
MOMENTS = (
    ("pull", 150), ("pull", 350), ("refine", 120), ("match", 40), ("merge", 12), ("compare", 30),
    ("plan", 8), ("apply", 20), ("apply", 60),
)  # fmt: skip


@pytest.fixture(scope="module")
def nursery() -> Any:
    """Processes that have everything loaded before they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.flow.loop"])
    return context


def die(nursery: Any, here: Loop, step: str, n: int) -> None:
    process = nursery.Process(target=loop.sync_and_die, args=(here.url, here.settings, step, n))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"it did not die in {step}"


def everything(here: Loop) -> dict[str, Any]:
    """What the hub holds, but for the names it gave."""
    t = schema.refined
    refined = {r.ref: (r.deleted, r.fields) for r in loop.rows(here.store, sa.select(t.c.ref, t.c.deleted, t.c.fields))}
    return {"records": refined, "counts": loop.counted(here.store), "golden": people(here)}


def people(here: Loop) -> Counter[tuple[str, ...]]:
    """Who is who."""
    return Counter(members for _, _, members in loop.believed(here.store).values())


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("kind", "seed", "moments"),
    [("sqlite", 1, MOMENTS), pytest.param("postgresql", 2, MOMENTS[2::3], marks=pytest.mark.long)],
)
def test_a_sync_after_many_kills_ends_where_an_undisturbed_one_does(
    start_on: Callable[[str, str], Loop], nursery: Any, kind: str, seed: int, moments: Sequence[tuple[str, int]]
) -> None:
    undisturbed, here = start_on(kind, "synced"), start_on(kind, "fresh")
    rng = random.Random(seed)
    for step, most in moments:
        die(nursery, here, step, rng.randrange(1, most))
    told = here.sync()
    assert told.summary["state"] == "ok", told.summary
    for _ in range(2):
        quiet = here.sync()
    assert quiet.planned == 0
    assert here.dump() == undisturbed.dump()
    assert everything(here) == everything(undisturbed)
    outcomes = loop.rows(here.store, sa.select(schema.receipts.c.ref, schema.receipts.c.sent, schema.receipts.c.code))
    sent = Counter((r.ref, r.sent) for r in outcomes if r.code != "already")
    assert max(sent.values()) == 1

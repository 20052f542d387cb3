"""kill -9 in the middle of a sync, then a sync: everything is as if nothing had happened.

many kills in a row     of the first sync there ever is
two hundred kills       of a sync with something to write, while a fifth of all calls goes wrong
"""

from __future__ import annotations

import json
import multiprocessing
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import apply_plan, open_plan
from omnihub.flow.auditing import verify
from omnihub.push import Limits
from omnihub.sandbox.faults import FAULTS
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Shelf, Stages
from tests.flow.test_faults import apart

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


@pytest.mark.long
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


# -- two hundred kills, while a fifth of all calls goes wrong ---------------------------------------------------------

KILLS, PARTS = 208, 8
ON_POSTGRESQL = (3, 7)  # parts of the rounds
RATE = 0.2
HANGS_S = 0.3  # so long a hub waits for an answer, while none comes
SECONDS = {"slow": 0.02, "429 storm": 0.0}
UNLIMITED = Limits(share=1.0, first_share=1.0, drop=1.0)  # what was written in halves might be stopped
# A field called otherwise for a while looks emptied and filled again: whose value wins by its age may be another
# one after that (each system by itself ends as it should: see test_faults).
SURVIVED = [name for name in FAULTS if name != "field renamed"]
AFTERWARDS = 3  # syncs, at most, until nothing is left to say


@dataclass(frozen=True)
class Moment:
    """When a process dies: at the n-th of some things it does (in a step, or all in all), or, where n is nought, after
    so much of the time that a sync takes."""

    step: str = ""
    n: int = 0
    things: tuple[str, ...] = loop.THINGS
    share: float = 0.0


class Trial:
    """A hub that has read everything and written nothing, what people did since, and how it all ends undisturbed."""

    def __init__(self, stages: Stages, nursery: Any) -> None:
        self.stages, self.nursery = stages, nursery
        with self.begin("undisturbed") as here:
            fuse, started = loop.Fuse(), time.monotonic()
            fuse.watch(here.store)
            found = {name: fuse.lay(c) for name, c in loop.CONNECTORS.items()}
            assert (
                loop.sync(loop.hub_over(here.store, here.settings, found, limits=UNLIMITED), at=fuse.enter).planned > 50
            )
            self.takes_s, self.tally = time.monotonic() - started, Counter(fuse.tally)
            assert until_quiet(here) == 0
            self.right = ending(here)

    @contextmanager
    def begin(self, name: str) -> Iterator[Loop]:
        with self.stages.open("compared", name) as here:
            edit_once(here)
            yield here
        self.stages.shelf.drop(self.stages.kind, name)

    def moment(self, rng: random.Random) -> Moment:
        """Any moment, and more often than it would be: just after a system has done what was asked of it."""
        if rng.random() < 0.4:
            return Moment(share=rng.random())
        step = rng.choice(("", "apply", "apply"))
        things = rng.choice((("call",), ("answer",), ("answer",), ("commit",), ("statement",)))
        most = sum(n for (where, thing), n in self.tally.items() if thing in things and step in ("", where))
        return Moment(step, rng.randint(1, most), things)

    def die(self, here: Loop, moment: Moment) -> None:
        hears, tells = self.nursery.Pipe(duplex=False)
        told = (here.url, here.settings, moment.step, moment.n, moment.things, HANGS_S, tells)
        process = self.nursery.Process(target=loop.sync_until_killed, args=told)
        process.start()
        hears.recv_bytes()
        if not moment.n:
            process.join(moment.share * self.takes_s)
            process.kill()
        process.join(300)
        assert process.exitcode == -signal.SIGKILL, moment


def edit_once(here: Loop) -> None:
    """In each system with contacts somebody changes one of them, each another person: who was last is no question."""
    x, edited = schema.crosswalk, set[str]()
    belongs = {row.ref: row.golden_id for row in loop.rows(here.store, sa.select(x.c.ref, x.c.golden_id))}
    for n, system in enumerate(sorted(set(loop.SYSTEMS) - {"airtable", "thingsboard"})):
        refs = (known[system] for known in here.everybody("contact", "phone", system))
        ref = next(ref for ref in refs if belongs[ref] not in edited)
        edited.add(belongs[ref])
        here.edit(ref, phone=f"+4973112345{n}7")


def until_quiet(here: Loop) -> int:
    """Sync until nothing is left to say. Returns what the last one had to say."""
    planned = -1
    for _ in range(AFTERWARDS):
        told = here.sync(limits=UNLIMITED)
        assert told.summary["balanced"], told.summary
        if (planned := told.planned) == 0:
            break
    return planned


def ending(here: Loop) -> dict[str, Any]:
    """How everything stands: what the systems hold, what the hub believes and by which ids, and how much it holds."""
    # A change may come in two versions; what was read wrongly may have parted a customer for a while.
    counted = {name: n for name, n in loop.counted(here.store).items() if name not in ("raw", "goldens")}
    return {"systems": here.dump(), "golden": loop.believed(here.store), "counts": counted}


def outcomes_wrong(here: Loop) -> list[str]:
    """Of every plan that was begun: changes without an outcome, and such with another than their receipt says."""
    t, rc = schema.changes, schema.receipts
    receipts: dict[tuple[str, str, str], list[str]] = {}
    for row in loop.rows(here.store, sa.select(rc.c.plan_id, rc.c.ref, rc.c.sent, rc.c.outcome)):
        for field in json.loads(row.sent):
            receipts.setdefault((row.plan_id, row.ref, field), []).append(row.outcome)
    changes = loop.rows(here.store, sa.select(t))
    begun = {c.plan_id for c in changes if c.outcome}
    # What a process that died left undone is deferred by the next plan, and has no receipt.
    right = {c: ([c.outcome], []) if c.outcome == "deferred" else ([c.outcome],) for c in changes}
    return [
        f"{c.plan_id} {c.ref} {c.field}: {c.outcome}, with receipts {told}"
        for c in changes
        if c.plan_id in begun
        and (c.outcome is None or (told := receipts.get((c.plan_id, c.ref, c.field), [])) not in right[c])
    ]


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(PARTS))
def test_after_a_kill_under_faults_a_sync_ends_where_an_undisturbed_one_does(
    all_stages: dict[str, Stages], shelf: Shelf, request: pytest.FixtureRequest, nursery: Any, part: int
) -> None:
    if part in ON_POSTGRESQL:
        shelf.server = request.getfixturevalue("postgres_url")
    trial = Trial(all_stages["postgresql" if part in ON_POSTGRESQL else "sqlite"], nursery)
    for seed in range(part, KILLS, PARTS):
        rng = random.Random(seed)
        moment, faults = trial.moment(rng), {system: rng.choice(SURVIVED) for system in loop.SYSTEMS}
        with trial.begin(f"round_{seed}") as here:
            for system, fault in faults.items():
                here.standin(system).faults.switch_on(fault, RATE, SECONDS.get(fault), seed)
            trial.die(here, moment)
            for system in faults:
                here.standin(system).faults.switch_off()
            begun = open_plan(here.store)
            if begun and begun.state == "applying" and rng.random() < 0.5:
                apply_plan(here.hub(limits=UNLIMITED), begun.id)  # what is left of it, by `omnihub apply`
            left = until_quiet(here)
            wrong = [f"{left} changes planned in the end"] if left else []
            wrong += [*apart(ending(here), trial.right), *outcomes_wrong(here)]
            wrong += [f"dead letter {r.ref}" for r in loop.rows(here.store, sa.select(schema.dead_letters.c.ref))]
            with here.store.read() as c:
                wrong += [broken.words for broken in [verify(c).broken] if broken]
        assert not wrong, "\n".join([f"round {seed}: {moment}, {faults}", *wrong])

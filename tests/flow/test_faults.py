"""Every fault, at every system: when it is over, all is as if it had never been.

While a fault lasts a sync may be partial; the syncs after it bring everything to the state a run without faults ends
in: no record lost, none twice, no duplicate in any system, and the numbers of every run balance.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from omnihub.flow import Run
from omnihub.sandbox.faults import FAULTS, Dice, Of, On
from omnihub.sandbox.world import World
from tests.flow import loop
from tests.flow.conftest import Loop, Shelf, Stages, close, standins
from tests.flow.loop import hasty

CUSTOMERS, SEED = 20, 5
RATE = 0.2
AFTERWARDS = 3  # syncs, at most, until nothing is left to say
GIVES_UP_S = 0.4  # so long a hub waits for an answer, while none comes
SECONDS = {"slow": 0.05}  # where it is not the fault's own


def seed_for(fault: str, system: str) -> int:
    """Dice whose first throw strikes: some systems are called only a few times."""
    return next(n for n in itertools.count() if Dice(On(RATE, seed=n), f"{system} {fault}").strike())


@dataclass(frozen=True)
class End:
    """How everything stands when nothing is left to say."""

    systems: dict[str, Any]
    believed: dict[str, Any]  # by its members
    counted: dict[str, int]


def end(here: Loop) -> End:
    """Golden ids may differ, for who is met first may; raw versions may be more, and ids that resolve to others."""
    believed = {" ".join(members): json.loads(fields) for _, fields, members in loop.believed(here.store).values()}
    counted = {name: n for name, n in loop.counted(here.store).items() if name not in ("raw", "goldens")}
    return End(here.dump(), believed, counted)


def apart(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Where two states differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys(), key=str):
            yield from apart(one.get(key), other.get(key), f"{at}/{key}")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for n, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from apart(mine, theirs, f"{at}/{n}")
    elif one != other:
        yield f"{at}: {one!r} instead of {other!r}"


class Few(Stages):
    """The stages of a hub that knows a few of the systems: the one with the fault, one to talk with, the master."""

    def __init__(self, shelf: Shelf, system: str) -> None:
        super().__init__(shelf, "sqlite")
        self.system = system
        names = {system, "salesforce", "airtable"} | ({"hubspot"} if system in ("salesforce", "airtable") else set())
        self.connectors = {name: c for name, c in loop.CONNECTORS.items() if name in names}
        self.right: End | None = None

    def reach(self, stage: str) -> str:
        name = f"compared_{self.system}"
        if stage == "compared" and stage not in self.made:
            with self.open("fresh", name) as found:
                loop.look(loop.hub_over(found.store, found.settings, self.connectors), Run.start(found.store))
            self.made.add(stage)
        return "fresh" if stage == "fresh" else name

    def sync(self, here: Loop, full: bool = False, answer_within_s: float = 60.0) -> loop.Told:
        found = {name: hasty(c, answer_within_s) for name, c in self.connectors.items()}
        told = loop.sync(loop.hub_over(here.store, here.settings, found), full)
        assert told.summary["balanced"], told.summary
        return told

    def until_quiet(self, here: Loop, full: bool = False) -> End:
        """Sync until nothing is left to say. full: all of every stream is read again first."""
        planned: list[int] = []
        while not planned or (planned[-1] and len(planned) < AFTERWARDS):
            planned.append(self.sync(here, full and not planned).planned)
        assert planned[-1] == 0, planned
        return end(here)

    def without_faults(self) -> End:
        """The end without faults."""
        if self.right is None:
            with self.open("compared", f"right_{self.system}") as here:
                edits(here, self.connectors)
                assert self.sync(here, full=True).planned > 0
                self.right = self.until_quiet(here)
        return self.right


def edits(here: Loop, systems: Iterable[str]) -> None:
    """What people did since: in each system with contacts one of them got another telephone, each another person."""
    for n, system in enumerate(sorted(set(systems) - {"airtable", "thingsboard"})):
        here.edit(here.everybody("contact", "phone", system)[n][system], phone=f"+4973112345{n}7")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Few]:
    """system → the stages of a small world around it."""
    shelf = Shelf(tmp_path_factory.mktemp("faults"))
    world = World(CUSTOMERS, SEED, datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    seeding = standins(shelf.folder / "fresh")
    for standin in seeding:
        standin.seed(world.copies(standin.role))
    close(seeding)
    return {system: Few(shelf, system) for system in loop.SYSTEMS}


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("system", loop.SYSTEMS)
def test_after_a_fault_all_is_as_if_it_had_never_been(stages: dict[str, Few], system: str, fault: str) -> None:
    few = stages[system]
    right = few.without_faults()
    with few.open("compared", f"{fault} {system}".replace(" ", "_")) as here:
        edits(here, few.connectors)
        faults = here.standin(system).faults
        faults.switch_on(fault, RATE, SECONDS.get(fault), seed_for(fault, system))
        within_s = GIVES_UP_S if fault == "hang" else 60.0
        few.sync(here, full=True, answer_within_s=within_s)
        few.sync(here, answer_within_s=within_s)
        faults.switch_off()
        if FAULTS[fault].of is Of.WRITES and few.connectors[system].master:
            assert fault not in faults.struck, "a master is never written"
        else:
            assert faults.struck.get(fault), "the fault never struck: this proves nothing"
        # What came under another name was read, and nobody says that it changed again: the next full pass brings it.
        ended = few.until_quiet(here, full=fault == "field renamed")
    assert list(apart(ended.systems, right.systems)) == []
    assert list(apart(ended.believed, right.believed)) == []
    assert ended.counted == right.counted

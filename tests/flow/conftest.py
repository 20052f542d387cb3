"""A small world behind the real stand-ins, made once; each test gets its own copy, at the stage it asks for.

fresh      seeded; the hub has never looked
compared   everything read, recognised and compared; nothing written yet
synced     written as well, and read again
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

import connectors
from omnihub.cli.sandboxing import held_against_truth
from omnihub.flow import Hub, Run
from omnihub.model import Ref
from omnihub.sandbox.kit import Running, Standin
from omnihub.sandbox.reset import reset
from omnihub.sandbox.serving import folder as serving_folder
from omnihub.sandbox.world import World
from omnihub.store import Store, schema
from tests.flow import loop

CUSTOMERS, SEED = 60, 11
STAGES = ("fresh", "compared", "synced")

_numbers = itertools.count(1)


@dataclass
class Loop:
    """The stand-ins being served, and a hub over them."""

    running: Running
    url: str
    store: Store
    settings: dict[str, dict[str, str]] = field(default_factory=dict)

    def hub(self, **more: Any) -> Hub:
        return loop.hub_over(self.store, self.settings, **more)

    def sync(self, **more: Any) -> loop.Told:
        return loop.sync(self.hub(**more))

    def standin(self, system: str) -> Standin:
        return self.running.standins[system]

    def dump(self) -> dict[str, Any]:
        return {name: standin.dump() for name, standin in self.running.standins.items()}

    def edit(self, ref: str, **fields: str) -> None:
        """A person changes a record in a system's own screens."""
        where = Ref.parse(ref)
        self.standin(where.system).edit(where.stream, where.id, fields)

    def fields(self, ref: str) -> dict[str, str]:
        """What the hub knows of a record."""
        [row] = loop.rows(self.store, sa.select(schema.refined.c.fields).where(schema.refined.c.ref == ref))
        return dict(json.loads(row.fields))

    def somebody(self, entity: str, field: str, *systems: str) -> dict[str, str]:
        """The first of `everybody`."""
        return self.everybody(entity, field, *systems)[0]

    def everybody(self, entity: str, field: str, *systems: str) -> list[dict[str, str]]:
        """Golden records with a record in each of these systems that all hold this field and all say the same: for each
        of them, system → ref."""
        x, t = schema.crosswalk, schema.refined
        query = sa.select(x.c.golden_id, t.c.system, t.c.ref, t.c.fields).join(t, t.c.ref == x.c.ref)
        found: dict[str, dict[str, tuple[str, str]]] = {}
        for gid, system, ref, fields in loop.rows(
            self.store, query.where(t.c.entity == entity, ~t.c.deleted).order_by(t.c.ref)
        ):
            if field in (known := json.loads(fields)):
                found.setdefault(gid, {})[system] = (ref, known[field])
        return [
            {system: ref for system, (ref, _) in held.items()}
            for held in found.values()
            if set(systems) <= set(held) and len({value for _, value in held.values()}) == 1
        ]

    def unreachable(self, system: str) -> None:
        self.settings[system]["url"] = "http://127.0.0.1:1"

    def reachable(self, system: str) -> None:
        self.settings[system]["url"] = self.running.urls[system]


def standins(folder: Path) -> list[Standin]:
    return [kind(folder / f"{name}.db", quotas=()) for name, kind in connectors.standins().items()]


def close(serving: list[Standin]) -> None:
    for standin in serving:
        standin.state.close()


@dataclass
class Shelf:
    """Copies of databases, by kind and stage."""

    folder: Path
    server: str = ""

    def store_url(self, kind: str, name: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{self.folder / name / 'hub.db'}"
        return f"{self.server.rpartition('/')[0]}/flow_{name}_{os.getpid()}"

    def admin(self, command: str) -> None:
        with psycopg.connect(self.server.replace("+psycopg", ""), autocommit=True) as c:
            c.execute(command)  # type: ignore[arg-type]

    def copy(self, kind: str, old: str, new: str) -> str:
        """Stand-ins and hub of one stage, under a new name. Returns the hub's address."""
        shutil.copytree(self.folder / old, self.folder / new, dirs_exist_ok=True)
        url = self.store_url(kind, new)
        if kind == "postgresql":
            template = "template0" if old == "fresh" else self.store_url(kind, old).rpartition("/")[2]
            self.admin(f"CREATE DATABASE {url.rpartition('/')[2]} TEMPLATE {template}")
        return url

    def drop(self, kind: str, name: str) -> None:
        shutil.rmtree(self.folder / name)
        if kind == "postgresql":
            self.admin(f"DROP DATABASE {self.store_url(kind, name).rpartition('/')[2]} WITH (FORCE)")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The seeded world."""
    found = Shelf(tmp_path_factory.mktemp("flow"))
    world = World(CUSTOMERS, SEED, datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    seeded = standins(found.folder / "fresh")
    for standin in seeded:
        standin.seed(world.copies(standin.role))
    close(seeded)
    return found


class Stages:
    """Each stage is reached once per kind of store, and kept."""

    def __init__(self, shelf: Shelf, kind: str) -> None:
        self.shelf, self.kind, self.made = shelf, kind, {"fresh"}

    def reach(self, stage: str) -> str:
        if stage not in self.made:
            before = STAGES[STAGES.index(stage) - 1]
            name = f"{stage}_{self.kind}"
            with self.open(before, name) as found:
                if stage == "compared":
                    loop.look(found.hub(), Run.start(found.store))
                else:
                    assert found.sync().planned > 0
                    found.sync()
            self.made.add(stage)
        return "fresh" if stage == "fresh" else f"{stage}_{self.kind}"

    def open(self, stage: str, name: str) -> _Opened:
        return _Opened(self, stage, name)


class _Opened:
    def __init__(self, stages: Stages, stage: str, name: str) -> None:
        self.stages, self.stage, self.name = stages, stage, name
        self.stack = ExitStack()

    def __enter__(self) -> Loop:
        shelf = self.stages.shelf
        url = shelf.copy(self.stages.kind, self.stages.reach(self.stage), self.name)
        serving = standins(shelf.folder / self.name)
        self.stack.callback(close, serving)
        running = self.stack.enter_context(Running(serving))
        store = Store.open(url)
        self.stack.callback(store.close)
        settings = {s.system: {"url": running.urls[s.system], **s.credentials} for s in serving}
        return Loop(running, url, store, settings)

    def __exit__(self, *_: object) -> None:
        self.stack.close()


@dataclass
class Known:
    """A hub that has looked at everything and written nothing, and where the truth is."""

    here: Loop
    home: Path

    def score(self) -> dict[str, Any]:
        return held_against_truth(self.here.store, self.home)


@contextmanager
def looked_at(home: Path, customers: int, seed: int) -> Iterator[Known]:
    """A world of any size of one's own, with its truth, and a hub that has looked at it."""
    found = {name: kind(serving_folder(home) / f"{name}.db", quotas=()) for name, kind in connectors.standins().items()}
    reset(home, found, customers, seed, datetime.now(UTC), lambda what, done, of: None)
    with ExitStack() as stack:
        stack.callback(close, list(found.values()))
        running = stack.enter_context(Running(list(found.values())))
        store = Store.open(f"sqlite:///{home / 'hub.db'}")
        stack.callback(store.close)
        settings = {s.system: {"url": running.urls[s.system], **s.credentials} for s in found.values()}
        here = Loop(running, str(store.engine.url), store, settings)
        loop.look(here.hub(), Run.start(store))
        yield Known(here, home)


@pytest.fixture(scope="session")
def all_stages(shelf: Shelf) -> dict[str, Stages]:
    return {kind: Stages(shelf, kind) for kind in ("sqlite", "postgresql")}


Start = Callable[..., Loop]


@pytest.fixture
def start_on(
    all_stages: dict[str, Stages], shelf: Shelf, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, str], Loop]]:
    """(kind of store, stage) → a loop of one's own at that stage."""
    stack = ExitStack()

    def go(kind: str, stage: str) -> Loop:
        if kind == "postgresql":
            shelf.server = request.getfixturevalue("postgres_url")
        name = f"copy_{next(_numbers)}"
        return stack.enter_context(all_stages[kind].open(stage, name))

    with stack:
        yield go


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def start(start_on: Callable[[str, str], Loop], request: pytest.FixtureRequest) -> Start:
    """stage → a loop at that stage, once on each kind of store."""
    return lambda stage: start_on(request.param, stage)


@pytest.fixture
def begin(start_on: Callable[[str, str], Loop]) -> Start:
    """stage → a loop at that stage, on SQLite: where the store makes no difference."""
    return lambda stage: start_on("sqlite", stage)

"""The loop as a test runs it: the real stand-ins, a hub, and one word, `sync`, for everything from pull to push."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

import requests
import sqlalchemy as sa

import connectors
from omnihub.flow import (
    Hub,
    Run,
    apply_plan,
    compare_all,
    make_and_store_plan,
    match_entity,
    merge_entity,
    pull_system,
    refine_system,
)
from omnihub.flow.planning import Stored
from omnihub.model import GOLDEN
from omnihub.sdk import Connector, Http
from omnihub.sdk.http import nothing
from omnihub.store import Store, schema

Settings = Mapping[str, Mapping[str, str]]

CONNECTORS = {name: replace(c, limits=()) for name, c in connectors.find().items()}  # nobody here counts calls
STEPS = ("pull", "refine", "match", "merge", "compare", "plan", "apply")
SYSTEMS = tuple(CONNECTORS)
THINGS = ("call", "answer", "statement", "commit")  # what a process does, and may die at


@dataclass
class Told:
    """What one sync said."""

    run: Run
    plan: Stored
    pushed: dict[str, int]
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def planned(self) -> int:
        return int(self.plan.counts["planned"])


def hub_over(store: Store, settings: Settings, found: Mapping[str, Connector] = CONNECTORS, **more: Any) -> Hub:
    return Hub(store, found, lambda connector: settings[connector.name], **more)


def look(hub: Hub, run: Run, full: bool = False, at: Callable[[str], None] = lambda step: None) -> None:
    """From the systems to the findings."""
    at("pull")
    for system in hub.connectors:
        run.note(f"pull:{system}", [x.counts() for x in pull_system(hub, system, run.id, full)])
    at("refine")
    for system in hub.connectors:
        refine_system(hub, system)
    for entity in GOLDEN:
        at("match")
        match_entity(hub, entity)
        at("merge")
        merge_entity(hub, entity)
    at("compare")
    compare_all(hub)


def sync(hub: Hub, full: bool = False, at: Callable[[str], None] = lambda step: None) -> Told:
    """From the systems back to the systems."""
    run = Run.start(hub.store)
    look(hub, run, full, at)
    at("plan")
    plan = make_and_store_plan(hub, run.id)
    run.note("plan", {"state": plan.state})
    at("apply")
    pushed = apply_plan(hub, plan.id) if plan.counts["planned"] and plan.state == "ready" else {}
    run.note("push", pushed)
    at("end")
    return Told(run, plan, pushed, run.end())


# -- a process that dies ---------------------------------------------------------------------------------------------


class Fuse:
    """Kills this process at the n-th thing it does: a call, an answer, a statement, a commit.

    step: where that counts; anywhere, if not told. A step with less to do than that is killed at its end.
    things: what counts; none counts nothing but keeps the tally.
    """

    def __init__(self, step: str = "", n: int = 0, things: Sequence[str] = THINGS) -> None:
        self.step, self.left, self.things, self.now = step, n, things, ""
        self.tally: Counter[tuple[str, str]] = Counter()  # (step, thing) → how many there were
        self.lock = threading.Lock()

    def enter(self, step: str) -> None:
        if self.left and (step == "end" if not self.step else self.now == self.step != step):
            self.blow()
        self.now = step

    def tick(self, thing: str) -> None:
        with self.lock:
            self.tally[self.now, thing] += 1
            if thing in self.things and self.step in ("", self.now) and self.left:
                self.left -= 1
                if not self.left:
                    self.blow()

    def blow(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def take(self, method: str, path: str) -> Callable[[], None]:
        """As a budget: asked before each call."""
        self.tick("call")
        return nothing

    def told(self, wait_s: float) -> None:
        """As a budget: the system asked for patience."""

    def lay(self, connector: Connector) -> Connector:
        """Into every call of a connector."""

        def connect(settings: Mapping[str, str], http: Http) -> Any:
            http.budget = self
            http.hooks["response"].append(self._answered)
            return connector.connect(settings, http)

        return replace(connector, connect=connect)

    def _answered(self, answer: requests.Response, *_: object, **__: object) -> None:
        """Between a system's commit and our receipt, where it was a write."""
        self.tick("answer")

    def watch(self, store: Store) -> None:
        """Every statement and commit of a store."""
        sa.event.listen(store.engine, "before_cursor_execute", lambda *_: self.tick("statement"))
        sa.event.listen(store.engine, "commit", lambda *_: self.tick("commit"))


def sync_and_die(url: str, settings: Settings, step: str, n: int) -> None:
    """For a process of its own."""
    _sync_with(Fuse(step, n), url, settings)


def sync_until_killed(
    url: str, settings: Settings, step: str, n: int, things: Sequence[str], answer_within_s: float, begun: Connection
) -> None:
    """For a process of its own, in a world where things go wrong: it says when it begins, and dies by its own hand (see
    `Fuse`) or, with n = 0, goes on and on until somebody kills it."""
    begun.send_bytes(b"begun")
    while True:
        _sync_with(Fuse(step, n, things), url, settings, answer_within_s)


def _sync_with(fuse: Fuse, url: str, settings: Settings, answer_within_s: float = 60.0) -> None:
    with closing(Store.open(url)) as store:
        fuse.watch(store)
        found = {name: hasty(fuse.lay(c), answer_within_s) for name, c in CONNECTORS.items()}
        sync(hub_over(store, settings, found), at=fuse.enter)


def hasty(connector: Connector, answer_within_s: float) -> Connector:
    """The connector over a session that loses no time between its tries."""

    def connect(settings: Mapping[str, str], http: Http) -> Any:
        http.wait, http.timeout_s, http.budget = lambda s: None, (5.0, answer_within_s), None
        return connector.connect(settings, http)

    return replace(connector, connect=connect)


# -- what there is ---------------------------------------------------------------------------------------------------


def rows(store: Store, query: sa.Select[Any]) -> Sequence[Any]:
    with store.read() as c:
        return c.execute(query).all()


def believed(store: Store) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """golden id → its fields, where they come from, and its members."""
    g, x, t = schema.goldens, schema.crosswalk, schema.refined
    members: dict[str, list[str]] = {}
    for ref, gid in rows(store, sa.select(x.c.ref, x.c.golden_id).join(t, t.c.ref == x.c.ref).where(~t.c.deleted)):
        members.setdefault(gid, []).append(ref)
    found = rows(store, sa.select(g.c.id, g.c.fields).where(g.c.members > 0))
    return {r.id: (r.id.split("_")[0], r.fields, tuple(sorted(members.get(r.id, ())))) for r in found}


COUNTED = ("records", "raw", "rejects", "refined", "crosswalk", "goldens", "differences")


def counted(store: Store) -> dict[str, int]:
    """How much the hub holds."""
    tables = schema.metadata.tables
    return {n: rows(store, sa.select(sa.func.count()).select_from(tables[n]))[0][0] for n in COUNTED}

"""Golden ids are for life: the same records in another order, read and matched anew, or weighed by the same model under
another number, change not one of them, and nobody downstream hears of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import Run, match_entity
from omnihub.flow.modelling import model_in_force, next_version, store_model
from omnihub.model import GOLDEN, Entity
from omnihub.store import Store, bulk, schema
from omnihub.store.open import take
from tests.flow import loop
from tests.flow.conftest import Loop, Start, looked_at


def known(store: Store) -> dict[str, Any]:
    """Who is who, which golden records there are and were, what became of them, and what a person is asked."""
    x, g, e, q = schema.crosswalk, schema.goldens, schema.events, schema.queue
    return {
        "ids": dict(map(tuple, loop.rows(store, sa.select(x.c.ref, x.c.golden_id)))),
        "goldens": set(map(tuple, loop.rows(store, sa.select(g.c.id, g.c.merged_into, g.c.born, g.c.founder)))),
        "events": loop.rows(store, sa.select(sa.func.count(), sa.func.max(e.c.seq))),
        "asked": set(map(tuple, loop.rows(store, sa.select(q.c.members, q.c.reason)))),
    }


def match_everything(here: Loop, entities: Sequence[Entity]) -> None:
    with here.store.write() as c:
        c.execute(sa.delete(schema.watermarks).where(schema.watermarks.c.step == "match"))
    for entity in entities:
        assert match_entity(here.hub(), entity)["changed"] > 0


def shuffle(store: Store, chance: random.Random) -> None:
    """All refined records are written anew, in another order."""
    t = schema.refined
    names = [column.name for column in t.c]
    rows = [list(row) for row in loop.rows(store, sa.select(t))]
    chance.shuffle(rows)
    with store.write() as c:
        c.execute(sa.delete(t))
        first = take(c, len(rows))
        for n, row in enumerate(rows):
            row[names.index("seq")] = first + n
        bulk.append(c, t, names, [tuple(row) for row in rows])


def store_again(here: Loop, entity: Entity) -> None:
    """The model in force, under the next number, as if it had been trained to the same."""
    with here.store.write() as c:
        model, _ = model_in_force(c, entity, here.hub().thresholds[entity])
        store_model(c, replace(model, version=next_version(c, entity), trained_on="the same"))


def live_through(here: Loop, rounds: int, entities: Sequence[Entity] = GOLDEN) -> None:
    before = known(here.store)
    assert len(before["ids"]) > 100
    for seed in range(rounds):
        shuffle(here.store, random.Random(seed))
        match_everything(here, entities)
        assert known(here.store) == before, f"in another order ({seed})"
    for entity in entities:
        store_again(here, entity)
        assert match_entity(here.hub(), entity)["changed"] == 0, "what weighs alike weighs nothing anew"
    assert known(here.store) == before, "the same model under another number"


def test_no_order_no_rebuild_and_no_new_number_of_the_model_changes_an_id(begin: Start) -> None:
    live_through(begin("compared"), 1, [Entity.CONTACT])


@pytest.mark.long
@pytest.mark.timeout(900)
def test_nor_does_reading_everything_anew_in_a_world_with_thousands_of_records(tmp_path: Path) -> None:
    with looked_at(tmp_path, 700, 37) as found:
        live_through(found.here, 3)
        before = known(found.here.store)
        loop.look(found.here.hub(), Run.start(found.here.store), full=True)
        assert known(found.here.store) == before


@pytest.mark.long
@pytest.mark.timeout(900)
def test_nor_does_a_full_sync_after_all_systems_were_written(begin: Start) -> None:
    here = begin("synced")
    before = known(here.store)
    loop.sync(here.hub(), full=True)
    assert known(here.store) == before

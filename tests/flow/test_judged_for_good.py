"""What a person said of two customers holds whatever comes after it, and taken back it leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import Run, deciding, match_entity
from omnihub.flow.hub import Hub
from omnihub.flow.modelling import model_in_force, next_version, store_model, use
from omnihub.flow.training import train_entity
from omnihub.flow.weighing import Weighed, weighed
from omnihub.model import Entity
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso, take
from tests.flow import loop
from tests.flow.conftest import Loop, Start, looked_at

Pair = tuple[str, str]


@dataclass
class Judged:
    """A hub in which a person has judged two pairs of contacts against the evidence, and how all was before."""

    here: Loop
    apart: Pair
    together: Pair
    before: dict[str, Any]

    def holds(self) -> None:
        ids = believes(self.here.store)["ids"]
        assert ids[self.apart[0]] != ids[self.apart[1]], "judged different"
        assert ids[self.together[0]] == ids[self.together[1]], "judged same"

    def undo(self) -> None:
        for pair in (self.apart, self.together):
            deciding.unjudge(self.here.store, *pair, "eva")


def believes(store: Store) -> dict[str, Any]:
    """Who is who, and the pairs it rests on; of what is deleted, nothing."""
    x, p, t = schema.crosswalk, schema.pairs, schema.refined
    with store.read() as c:
        living = set(c.execute(sa.select(t.c.ref).where(~t.c.deleted)).scalars())
        ids = {ref: gid for ref, gid in c.execute(sa.select(x.c.ref, x.c.golden_id)) if ref in living}
        pairs = {(row.a, row.b, row.weight, row.state) for row in c.execute(sa.select(p))}
    return {"ids": ids, "pairs": pairs}


def evidence(here: Loop, pair: Pair) -> Weighed:
    return weighed(here.store, here.hub().thresholds, *pair, now_iso())


def judged(here: Loop) -> Judged:
    """One pair the evidence is surest of is said to be two, one it speaks against to be one."""
    p, x = schema.pairs, schema.crosswalk
    before = believes(here.store)
    sure = sa.select(p.c.a, p.c.b).where(p.c.entity == "contact", p.c.state == "same").order_by(p.c.weight.desc())
    apart = next((a, b) for a, b in loop.rows(here.store, sure) if before["ids"][a] == before["ids"][b])
    contacts = loop.rows(here.store, sa.select(x.c.ref).where(x.c.entity == "contact").order_by(x.c.ref))
    others = [row.ref for row in contacts if before["ids"].get(row.ref, apart[0]) != before["ids"][apart[0]]]
    together = (others[0], next(ref for ref in others if before["ids"][ref] != before["ids"][others[0]]))
    surely, hardly = evidence(here, apart), evidence(here, together)
    assert surely.weight > surely.limits.same + 5
    assert hardly.weight < hardly.limits.unsure - 5
    deciding.judge(
        here.store,
        [
            deciding.Said(*apart, "different", "two people at one desk", "eva"),
            deciding.Said(*together, "same", "she told me so", "eva"),
        ],
    )
    return Judged(here, apart, together, before)


def look(hub: Hub, full: bool = False) -> None:
    loop.look(hub, Run.start(hub.store), full)


def another_model(hub: Hub) -> None:
    """A model to which everybody is rather the same."""
    with hub.store.write() as c:
        model, _ = model_in_force(c, Entity.CONTACT, hub.thresholds[Entity.CONTACT])
        limits = replace(model.limits, same=model.limits.same - 2)
        trained = replace(model, version=next_version(c, Entity.CONTACT), trained_on="something else", limits=limits)
        store_model(c, trained)


def trained_model(hub: Hub) -> None:
    train_entity(hub, Entity.CONTACT)


def many_more(here: Loop, pair: Pair, count: int) -> None:
    """So many more records, a few of which are as like both as they are like each other."""
    about = {**here.fields(pair[0]), **here.fields(pair[1])}
    columns = ("ref", "entity", "system", "stream", "seq", "raw_seq", "pointer", "deleted", "fields", "times", "echoes",
               "problems")  # fmt: skip
    with here.store.write() as c:
        first = take(c, count)
        rows = []
        for n in range(count):
            said = dict(about) if n < 5 else about | {"email": f"somebody{n}@firm{n % 97}.de", "phone": f"+4930{n:07}"}
            said = said if n % 3 else said | {"first_name": f"{about.get('first_name', 'Jo')[:3]}{n}"}
            said_json, ref = json.dumps(said), ("portal", "users", f"more{n}")
            rows.append(("/".join(ref), "contact", *ref[:2], first + n, 1, "", False, said_json, "{}", "{}", "{}"))
        bulk.upsert(c, schema.refined, columns, rows)


def no_more(here: Loop) -> None:
    """They are gone again."""
    t = schema.refined
    with here.store.write() as c:
        refs = list(c.execute(sa.select(t.c.ref).where(t.c.ref.startswith("portal/users/more"))).scalars())
        first = take(c, len(refs))
        for n, ref in enumerate(refs):
            c.execute(sa.update(t).where(t.c.ref == ref).values(deleted=True, fields="{}", seq=first + n))


def match(hub: Hub) -> None:
    match_entity(hub, Entity.CONTACT)


def live_through(found: Judged, other: Callable[[Hub], None], count: int, again: Callable[[Hub], None] = look) -> None:
    here = found.here
    look(here.hub())
    found.holds()
    look(here.hub(), full=True)
    found.holds()
    other(here.hub())
    again(here.hub())
    found.holds()
    many_more(here, found.apart, count)
    again(here.hub())
    found.holds()
    no_more(here)
    with here.store.write() as c:
        use(c, Entity.CONTACT, None)
    again(here.hub())
    found.holds()


def test_a_word_against_the_evidence_holds_through_syncs_models_and_more_records_and_undone_leaves_nothing(
    begin: Start,
) -> None:
    found = judged(begin("compared"))
    live_through(found, another_model, 60, match)
    found.undo()
    match(found.here.hub())
    assert believes(found.here.store) == found.before


@pytest.mark.long
@pytest.mark.timeout(900)
def test_it_holds_against_a_model_trained_on_all_records_and_ten_thousand_more(tmp_path: Path) -> None:
    with ExitStack() as stack:
        here = stack.enter_context(looked_at(tmp_path, 400, 31)).here
        found = judged(here)
        live_through(found, trained_model, 10_000)
        found.undo()
        look(here.hub())
        after = believes(here.store)
        assert after["ids"] == found.before["ids"]
        assert {pair[:2] for pair in after["pairs"]} == {pair[:2] for pair in found.before["pairs"]}
        found = judged(here)
        assert here.sync().planned > 0, "what follows from it is written, too"
        assert here.sync().planned == 0
        found.holds()

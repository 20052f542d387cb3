"""Matching what has changed gives what matching everything gives, whatever happened in whatever order."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnihub.flow import Hub, match_entity, matching
from omnihub.model import Entity
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso, take

# Few names, few numbers and small blocks, so that lines are crossed all the time.
FIRST = ("Anna", "Karl", "Eva")
LAST = ("Weber", "Beck", "Maier", "Kurz", "Lang")
EMAILS = ("anna.weber@firma.de", "info@firma.de", "karl@beck.de", "eva@maier.de", "k.lang@firma.de")
PHONES = ("+493012345678", "+4940123456", "+498912345")
REFS = tuple(f"{system}/c/{n}" for system in ("crm", "shop") for n in range(7))

people = st.fixed_dictionaries(
    {"last_name": st.sampled_from(LAST)},
    optional={
        "first_name": st.sampled_from(FIRST),
        "email": st.sampled_from(EMAILS),
        "phone": st.sampled_from(PHONES),
        "company": st.sampled_from(("Firma GmbH", "Beck AG")),
    },
)
step = st.one_of(
    st.tuples(st.just("says"), st.sampled_from(REFS), people),
    st.tuples(st.just("goes"), st.sampled_from(REFS), st.none()),
    st.tuples(
        st.just("judged"),
        st.tuples(st.sampled_from(REFS), st.sampled_from(REFS)).filter(lambda pair: pair[0] < pair[1]),
        st.sampled_from(("same", "different")),
    ),
)
histories = st.lists(st.lists(step, min_size=1, max_size=4), min_size=1, max_size=6)


@pytest.fixture
def small_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("omnihub.match.features", "omnihub.match.pairs", "omnihub.flow.matching"):
        monkeypatch.setattr(importlib.import_module(name), "MAX_BLOCK", 4)
    for name in ("omnihub.match.features", "omnihub.flow.matching"):
        monkeypatch.setattr(importlib.import_module(name), "SHARED", 3)
    monkeypatch.setattr(matching, "FEW", 1_000_000)  # nothing is read once and for all, but at the very first time


@pytest.fixture
def stores(tmp_path: Path) -> list[Path]:
    return [tmp_path / "changing", tmp_path / "fresh"]


@given(history=histories)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_matching_change_by_change_gives_what_matching_all_at_once_gives(
    small_lines: None, stores: list[Path], history: Sequence[Sequence[Any]]
) -> None:
    step_by_step, at_once = (Store.open(f"sqlite:///{path}-{abs(hash(str(history)))}.db") for path in stores)
    try:
        for steps in history:
            _happen(step_by_step, steps)
            match_entity(_hub(step_by_step), Entity.CONTACT)
            _happen(at_once, steps)
        match_entity(_hub(at_once), Entity.CONTACT)
        assert _believed(step_by_step) == _believed(at_once)
    finally:
        step_by_step.close()
        at_once.close()


def _hub(store: Store) -> Hub:
    return Hub(store=store, connectors={}, settings=lambda _: {})


def _happen(store: Store, steps: Sequence[Any]) -> None:
    with store.write() as c:
        for what, who, more in steps:
            if what == "judged":
                _judge(c, who, more)
            else:
                _refined(c, who, more)


def _judge(c: sa.Connection, pair: tuple[str, str], verdict: str) -> None:
    a, b = pair
    j = schema.judgements
    c.execute(sa.delete(j).where(j.c.a == a, j.c.b == b))
    seq = take(c, 1)
    told = {"a": a, "b": b, "verdict": verdict, "author": "eva", "reason": "asked", "at": now_iso(), "seq": seq}
    c.execute(sa.insert(j).values(**told, **({"id": seq} if "id" in j.c else {})))


def _refined(c: sa.Connection, ref: str, fields: dict[str, str] | None) -> None:
    t = schema.refined
    known = c.execute(sa.select(t.c.fields).where(t.c.ref == ref)).scalar()
    if fields is None and known is None:
        return
    system, stream, _ = ref.split("/")
    row = {
        "ref": ref, "entity": "contact", "system": system, "stream": stream, "seq": take(c, 1), "raw_seq": 1,
        "pointer": "", "echoes": "[]",
        "fields": json.dumps(fields) if fields else known, "times": "{}", "problems": "{}", "deleted": fields is None,
    }  # fmt: skip
    bulk.upsert(c, t, tuple(row), [tuple(row.values())])


def _believed(store: Store) -> dict[str, Any]:
    """Who is who, and what it rests on."""
    x, p, k, t = schema.crosswalk, schema.pairs, schema.keys, schema.refined
    with store.read() as c:
        alive = set(c.execute(sa.select(t.c.ref).where(~t.c.deleted)).scalars())
        homes: dict[str, list[str]] = {}
        for ref, gid in c.execute(sa.select(x.c.ref, x.c.golden_id).order_by(x.c.ref)):
            if ref in alive:
                homes.setdefault(gid, []).append(ref)
        return {
            "partition": sorted(homes.values()),
            "pairs": sorted(tuple(row) for row in c.execute(sa.select(p.c.a, p.c.b, p.c.weight, p.c.state, p.c.why))),
            "keys": sorted(tuple(row) for row in c.execute(sa.select(k.c.key, k.c.ref))),
        }

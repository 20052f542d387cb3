"""Products without SKU and GTIN: a person is asked, and what is said is done; words alone join nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnihub.flow import Hub, deciding, match_entity, matching
from omnihub.model import Entity
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso, take
from tests.flow.loop import rows

DRILL = {"name": "Hammer drill 2-26 DRE, 800 W", "manufacturer": "Bohrwerk GmbH", "mpn": "0611-253703"}
SAW = {"name": "Jigsaw 90 BE orbital, 650 W", "manufacturer": "Bohrwerk GmbH", "mpn": "0601-58F001"}
NUMBERED, OTHER, WORDY = "master/products/1", "master/products/2", "feed/goods/7"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.open(f"sqlite:///{tmp_path}/hub.db")
    yield found
    found.close()


def says(store: Store, ref: str, fields: dict[str, str] | None, parent: str | None = None) -> None:
    """A record as refining puts it; None: deleted."""
    t = schema.refined
    system, stream, _ = ref.split("/")
    with store.write() as c:
        known = c.execute(sa.select(t.c.fields).where(t.c.ref == ref)).scalar()
        if fields is None and known is None:
            return
        row = {
            "ref": ref, "entity": "product", "system": system, "stream": stream, "seq": take(c, 1), "raw_seq": 1,
            "pointer": "", "parent": parent, "echoes": "[]", "fields": json.dumps(fields) if fields else known,
            "times": "{}", "problems": "{}", "deleted": fields is None,
        }  # fmt: skip
        bulk.upsert(c, t, tuple(row), [tuple(row.values())])


def match(store: Store) -> None:
    match_entity(Hub(store=store, connectors={}, settings=lambda _: {}), Entity.PRODUCT)


def judge(store: Store, a: str, b: str, verdict: str) -> None:
    deciding.judge(store, [deciding.Said(a, b, verdict, "looked at it", "eva")])


def questions(store: Store) -> list[tuple[str, ...]]:
    with store.read() as c:
        return [one.members for one in deciding.waiting(c, Entity.PRODUCT, now_iso())]


def partition(store: Store) -> list[list[str]]:
    x, t = schema.crosswalk, schema.refined
    homes: dict[str, list[str]] = {}
    query = sa.select(x.c.ref, x.c.golden_id).join(t, t.c.ref == x.c.ref).where(~t.c.deleted).order_by(x.c.ref)
    for ref, gid in rows(store, query):
        homes.setdefault(gid, []).append(ref)
    return sorted(homes.values())


def test_a_product_without_a_number_joins_nothing_and_a_person_is_asked(store: Store) -> None:
    says(store, NUMBERED, DRILL | {"sku": "A-1"})
    says(store, WORDY, DRILL)
    match(store)
    assert partition(store) == [[NUMBERED]]
    assert questions(store) == [(WORDY, NUMBERED)]


def test_it_is_asked_about_the_one_it_sounds_most_like_and_then_about_the_next(store: Store) -> None:
    says(store, NUMBERED, DRILL | {"sku": "A-1"})
    says(
        store, OTHER, {"sku": "A-2", "mpn": DRILL["mpn"], "name": "Drill, hammer 2-26 DRE", "manufacturer": "Bohrwerk"}
    )
    says(store, WORDY, {"name": DRILL["name"], "mpn": DRILL["mpn"]})
    match(store)
    (first,) = questions(store)
    judge(store, *first, "different")
    match(store)
    (second,) = questions(store)
    assert {first[1], second[1]} == {NUMBERED, OTHER}
    judge(store, *second, "different")
    match(store)
    assert questions(store) == []
    assert partition(store) == [[NUMBERED], [OTHER]]


def test_same_lets_it_in_and_taking_that_back_puts_it_out_again(store: Store) -> None:
    says(store, NUMBERED, DRILL | {"sku": "A-1"})
    says(store, WORDY, DRILL)
    match(store)
    judge(store, NUMBERED, WORDY, "same")
    match(store)
    assert partition(store) == [[WORDY, NUMBERED]]
    assert questions(store) == []
    deciding.unjudge(store, NUMBERED, WORDY, "eva")
    match(store)
    assert partition(store) == [[NUMBERED]]
    assert questions(store) == [(WORDY, NUMBERED)]


def test_a_shops_page_around_variants_with_numbers_is_not_asked_about(store: Store) -> None:
    says(store, NUMBERED, DRILL | {"sku": "A-1"})
    says(store, "shop/products/1", DRILL)
    says(store, "shop/variants/1", DRILL | {"sku": "A-1"}, parent="shop/products/1")
    match(store)
    assert questions(store) == []
    says(store, "shop/variants/1", None, parent="shop/products/1")
    match(store)
    assert questions(store) == [(NUMBERED, "shop/products/1")]


def test_a_question_goes_with_what_it_is_about(store: Store) -> None:
    says(store, NUMBERED, DRILL | {"sku": "A-1"})
    says(store, WORDY, DRILL)
    match(store)
    says(store, NUMBERED, SAW | {"sku": "A-1"})
    match(store)
    assert questions(store) == []
    says(store, NUMBERED, DRILL | {"sku": "A-1"})
    match(store)
    says(store, WORDY, DRILL | {"sku": "A-9"})
    match(store)
    assert questions(store) == []
    assert partition(store) == [[WORDY], [NUMBERED]]


REFS = (NUMBERED, OTHER, WORDY, "feed/goods/8", "feed/goods/9")
goods = st.one_of(st.just(DRILL), st.just(SAW), st.just({"name": DRILL["name"]}))
step = st.one_of(
    st.tuples(st.sampled_from(REFS[:2]), goods, st.sampled_from(["A-1", "A-2"])),
    st.tuples(st.sampled_from(REFS[2:]), goods, st.none()),
    st.tuples(st.sampled_from(REFS), st.none(), st.none()),
    st.tuples(st.permutations(REFS), st.just("judged"), st.sampled_from(["same", "different", "forget"])),
)


@given(history=st.lists(st.lists(step, min_size=1, max_size=4), min_size=1, max_size=5))
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_step_by_step_is_as_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, history: Sequence[Sequence[Any]]
) -> None:
    monkeypatch.setattr(matching, "FEW", 1_000_000)
    name = abs(hash(str(history)))
    stepwise, at_once = (Store.open(f"sqlite:///{tmp_path}/{name}-{which}.db") for which in ("steps", "once"))
    try:
        for some in history:
            for each in (stepwise, at_once):
                for one in some:
                    happen(each, *one)
            match(stepwise)
        match(at_once)
        assert (partition(stepwise), sorted(questions(stepwise))) == (partition(at_once), sorted(questions(at_once)))
    finally:
        stepwise.close()
        at_once.close()


def happen(store: Store, what: Any, fields: Any, more: str | None) -> None:
    if fields != "judged":
        says(store, what, fields and fields | ({"sku": more} if more else {}))
        return
    a, b = sorted(what[:2])
    j, t = schema.judgements, schema.refined
    if more == "forget":
        if rows(store, sa.select(j.c.a).where(j.c.a == a, j.c.b == b)):
            deciding.unjudge(store, a, b, "eva")
    elif len(rows(store, sa.select(t.c.ref).where(t.c.ref.in_([a, b])))) == 2:
        judge(store, a, b, str(more))

"""People change things in their systems, and the truth stays true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors import standins
from omnihub.model import Ref
from omnihub.sandbox.kit import Standin
from omnihub.sandbox.mutate import mutate
from omnihub.sandbox.truth import Truth
from omnihub.sandbox.world import World

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
Sandbox = tuple[dict[str, Standin], Truth]


def made(truth_path: Path | None = None) -> Sandbox:
    world = World(150, 7, NOW)
    systems: dict[str, Standin] = {kind.role: kind(now=lambda: NOW, quotas=()) for kind in standins().values()}
    for role, standin in systems.items():
        standin.seed(world.copies(role))

    def ref(role: str, stream: str, n: int) -> str:
        return str(Ref(systems[role].system, stream, systems[role].native_id(stream, n)))

    truth = Truth(truth_path)
    truth.write(world.truths(), ref)
    return systems, truth


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    systems, truth = made()
    yield systems, truth
    truth.close()
    for standin in systems.values():
        standin.state.close()


def dumps(systems: dict[str, Standin]) -> dict[str, str]:
    return {role: json.dumps(x.dump(), sort_keys=True) for role, x in systems.items()}


def test_the_truth_is_about_records_that_live(sandbox: Sandbox) -> None:
    systems, truth = sandbox
    by_system = {x.system: x for x in systems.values()}
    for text in [*truth.who("account"), *truth.who("contact")]:
        ref = Ref.parse(text)
        found = by_system[ref.system].state.get(ref.stream, ref.id)
        assert found is not None, text
        assert not found.deleted


def test_as_many_changes_are_made_as_asked_for_and_only_where_it_says(sandbox: Sandbox) -> None:
    systems, truth = sandbox
    before = {role: {o.id: o.version for o in x.state.all()} for role, x in systems.items()}
    done = mutate(systems, truth, 40, seed=1)
    changed = {
        str(Ref(x.system, o.stream, o.id))
        for role, x in systems.items()
        for o in x.state.all()
        if before[role].get(o.id) != o.version
    }
    assert len(done) == 40
    assert {x["ref"] for x in done} == changed
    assert {x["what"] for x in done} == {"edit", "create", "delete"}
    assert len({x["system"] for x in done}) > 3


def test_the_same_seed_makes_the_same_changes() -> None:
    (a, truth_a), (b, truth_b) = made(), made()
    assert mutate(a, truth_a, 20, seed=5) == mutate(b, truth_b, 20, seed=5)
    assert dumps(a) == dumps(b)
    assert list(truth_a.errors()) == list(truth_b.errors())


def test_what_was_changed_names_fields_and_never_values(sandbox: Sandbox) -> None:
    for one in mutate(*sandbox, 30, seed=2):
        assert set(one) == {"what", "system", "stream", "ref", "fields"}
        assert all(name.isidentifier() for name in one["fields"])


def test_news_is_right_and_whoever_says_otherwise_is_wrong(sandbox: Sandbox) -> None:
    systems, truth = sandbox
    before = {key: truth.right(key) for entity in ("account", "contact") for key in truth.who(entity).values()}
    owners = truth.who("contact") | truth.who("account")
    done = mutate(systems, truth, 60, seed=3)
    news = [x for x in done if x["fields"] == ["phone"] and x["what"] == "edit"]
    assert news
    for one in news:
        key = owners[one["ref"]]
        right = truth.right(key)["phone"]
        assert right != before[key]["phone"]
        standin = next(x for x in systems.values() if x.system == one["system"])
        found = standin.state.get(one["stream"], Ref.parse(one["ref"]).id)
        assert found is not None
        assert right in json.dumps(found.body)
        assert not [e for e in truth.errors_at(one["ref"]) if e.field == "phone"]
        for other, holds in truth.refs(key).items():
            if other != one["ref"] and "phone" in holds:
                assert [e.kind for e in truth.errors_at(other) if e.field == "phone"]


def test_a_deleted_double_is_no_longer_in_the_truth(sandbox: Sandbox) -> None:
    systems, truth = sandbox
    doubles = {e.cause for e in truth.errors() if e.kind == "duplicate"}
    gone = [x["ref"] for x in mutate(systems, truth, 80, seed=4) if x["what"] == "delete"]
    assert gone
    assert not set(gone) & set(truth.who("contact") | truth.who("account"))
    left = {e.cause for e in truth.errors() if e.kind == "duplicate"}
    assert len(doubles - left) == len(gone)


def test_a_new_record_is_somebody_the_truth_knows(sandbox: Sandbox) -> None:
    systems, truth = sandbox
    new = [x["ref"] for x in mutate(systems, truth, 80, seed=6) if x["what"] == "create"]
    assert new
    for ref in new:
        key = truth.who("contact")[ref]
        assert len(truth.refs(key)) > 1


def test_a_new_price_makes_the_shops_price_wrong_and_the_one_marketing_says(sandbox: Sandbox) -> None:
    systems, truth = sandbox
    planted = {e.ref for e in truth.errors() if e.kind == "price_differs"}
    repriced = [x for x in mutate(systems, truth, 100, seed=8) if x["fields"] == ["amount"]]
    assert repriced
    wrong = {e.ref for e in truth.errors() if e.kind == "price_differs"} - planted
    assert {"/".join(ref.split("/")[:2]) for ref in wrong} == {"shopify/variants", "hubspot/products"}


def test_systems_that_are_missing_are_left_alone(sandbox: Sandbox) -> None:
    systems, truth = sandbox
    some = {role: systems[role] for role in ("crm", "portal")}
    done = mutate(some, truth, 15, seed=9)
    assert len(done) == 15
    assert {x["system"] for x in done} <= {x.system for x in some.values()}


def test_the_truth_outlives_its_process(tmp_path: Path) -> None:
    _, truth = made(tmp_path / "truth.db")
    told = truth.who("contact"), list(truth.errors()), truth.traps()
    truth.close()
    again = Truth(tmp_path / "truth.db")
    assert (again.who("contact"), list(again.errors()), again.traps()) == told
    again.close()

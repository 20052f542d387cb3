"""Why two are one and why two are not, asked as a person asks: by refs or golden ids, in words or as one document."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import Hub, deciding, match_entity
from omnihub.model import Entity
from omnihub.store import Store, schema
from omnihub.store.open import engine_for
from tests.cli.conftest import omnihub
from tests.flow.test_deciding import record

ANNA = {"first_name": "Anna", "last_name": "Weber", "email": "anna@weber.de", "phone": "+4915112345678"}
PEOPLE = {
    "crm/people/1": ANNA,
    "shop/customers/1": ANNA,
    # a chain: the ends have nothing but the middle in common
    "crm/people/2": {"first_name": "Otto", "last_name": "Kurz", "email": "otto@kurz.ch"},
    "shop/customers/2": {"first_name": "Otto", "last_name": "Kurz", "email": "otto@kurz.ch", "phone": "+41791234567"},
    "desk/users/2": {"last_name": "Kurz", "phone": "+41791234567"},
    # father and son
    "crm/people/3": {"first_name": "Karl", "last_name": "Lang sen.", "phone": "+436641234567", "city": "Graz"},
    "shop/customers/3": {"first_name": "Karl", "last_name": "Lang jun.", "phone": "+436641234567", "city": "Graz"},
    "crm/people/4": {"first_name": "Eva", "last_name": "Maier", "email": "eva@maier.de"},
}
FIRMS = {
    "crm/firms/1": {"name": "Nordlicht GmbH", "domain": "nordlicht.de", "vat_id": "DE129273398"},
    "shop/firms/1": {"name": "Nordlicht GmbH", "domain": "nordlicht.de", "vat_id": "DE136695976"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("made") / "hub.db"
    with closing(Store.open(f"sqlite:///{file}")) as store:
        for ref, known in PEOPLE.items():
            record(store, ref, **known)
        for ref, known in FIRMS.items():
            record(store, ref, "account", **known)
        match(store)
    return file


def match(store: Store, *entities: Entity) -> None:
    for entity in entities or (Entity.ACCOUNT, Entity.CONTACT):
        match_entity(Hub(store, {}, lambda _: {}), entity)


@pytest.fixture
def store(made: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that has matched a few people, which the commands use, too."""
    shutil.copy(made, folder / "hub.db")
    monkeypatch.setenv("OMNIHUB_STORE", f"sqlite:///{folder / 'hub.db'}")
    with closing(Store(engine_for(f"sqlite:///{folder / 'hub.db'}"))) as store:
        yield store


def why(a: str, b: str) -> Any:
    said = omnihub("explain", a, b, "--json")
    assert said.code == 0, said.err
    return said.facts


def words(a: str, b: str) -> str:
    return " ".join(omnihub("explain", a, b).out.split())


def judge(store: Store, a: str, b: str, verdict: str) -> None:
    deciding.judge(store, [deciding.Said(a, b, verdict, "rang them up", "eva")])
    match(store, Entity.CONTACT)


def test_one_by_their_own_evidence(store: Store) -> None:
    facts = why("crm/people/1", "shop/customers/1")
    assert (facts["one"], facts["verdict"], facts["path"]) == (True, "same", [])
    assert facts["golden"][0] == facts["golden"][1]
    assert facts["decided"] == ["the evidence of the two alone"]
    assert facts["evidence"][0] | {"bits": None} == {
        "comparison": "email", "bits": None, "left": "anna@weber.de", "right": "anna@weber.de",
    }  # fmt: skip
    said = words("crm/people/1", "shop/customers/1")
    assert "one customer" in said
    assert f"{facts['weight']:+.1f}" in said


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("crm/people/1", "shop/customers/1"), pytest.param("crm/people/2", "desk/users/2", marks=pytest.mark.long),
        pytest.param("crm/people/3", "shop/customers/3", marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_the_bits_of_the_evidence_sum_to_the_weight_and_both_ways_round_say_the_same(
    store: Store, a: str, b: str
) -> None:
    there, back = why(a, b), why(b, a)
    bits = [one["bits"] for one in there["evidence"]]
    assert sum(bits) == pytest.approx(there["weight"], abs=0.01 * (len(bits) + 1))
    assert back["weight"] == there["weight"]
    assert [(e["left"], e["right"]) for e in back["evidence"]] == [(e["right"], e["left"]) for e in there["evidence"]]
    limits = there["limits"]
    if there["verdict"] != "never":
        assert there["verdict"] == (
            "same" if there["weight"] >= limits["same"]
            else "unsure" if there["weight"] >= limits["unsure"] else "different"
        )  # fmt: skip


def test_one_by_way_of_others_names_the_way(store: Store) -> None:
    judge(store, "shop/customers/2", "desk/users/2", "same")
    facts = why("crm/people/2", "desk/users/2")
    assert facts["one"] is True
    assert facts["verdict"] != "same", "their own evidence would not do"
    ways = [(a, b) for a, b, _ in facts["path"]]
    assert ways == [("crm/people/2", "shop/customers/2"), ("shop/customers/2", "desk/users/2")]
    assert "tie them together" in facts["decided"][0]


@pytest.mark.long
def test_two_because_the_evidence_speaks_against_it(store: Store) -> None:
    facts = why("crm/people/1", "crm/people/4")
    assert (facts["one"], facts["verdict"]) == (False, "different")
    assert facts["decided"] == ["the evidence speaks against it"]
    assert facts["evidence"][0]["bits"] < 0


def test_two_because_they_contradict_each_other(store: Store) -> None:
    facts = why("crm/firms/1", "shop/firms/1")
    assert (facts["one"], facts["verdict"]) == (False, "never")
    assert "contradict" in facts["decided"][0]
    assert {e["left"] for e in facts["evidence"]} >= {"DE129273398"}, "what contradicts is shown"
    assert "never" in words("crm/firms/1", "shop/firms/1")


@pytest.mark.long
def test_two_because_a_person_said_so_and_one_because_another_did(store: Store) -> None:
    judge(store, "crm/people/1", "shop/customers/1", "different")
    facts = why("crm/people/1", "shop/customers/1")
    assert (facts["one"], facts["verdict"]) == (False, "same")
    assert facts["decided"][0].startswith("eva judged them different on ")
    assert facts["decided"][0].endswith("rang them up")
    judge(store, "crm/people/1", "crm/people/4", "same")
    facts = why("crm/people/1", "crm/people/4")
    assert (facts["one"], facts["verdict"]) == (True, "different")
    assert "judged them same" in facts["decided"][0]


@pytest.mark.long
def test_golden_records_are_weighed_by_their_strongest_pair_and_a_former_id_still_leads_there(store: Store) -> None:
    by_ref = why("crm/people/1", "crm/people/4")
    by_id = why(*(before := by_ref["golden"]))
    assert by_id["golden"] == before
    assert by_id["weight"] >= by_ref["weight"]
    judge(store, "crm/people/1", "crm/people/4", "same")
    after = why(*before)
    assert after["one"] is True
    assert after["golden"][0] == after["golden"][1] in before


@pytest.mark.long
def test_a_guard_that_stopped_it_is_named(store: Store) -> None:
    record(store, "desk/orgs/1", "account", name="Nordlicht GmbH", domain="nordlicht.de", phone="+4930123456")
    match(store)
    asked = [one for one in _waiting(store) if one.kind == "guard"]
    assert {ref for one in asked for ref in one.members} == {"crm/firms/1", "desk/orgs/1", "shop/firms/1"}
    apart = next(ref for ref in FIRMS if not why(ref, "desk/orgs/1")["one"])
    facts = why(apart, "desk/orgs/1")
    assert set(facts["decided"]) == {f"a guard: {one.reason}" for one in asked if apart in one.members}


def _waiting(store: Store) -> list[deciding.Waiting]:
    with store.read() as c:
        return deciding.waiting(c, None, "2026-01-02T08:00:00Z")


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ("crm/people/1", "crm/people/99", "nobody knows crm/people/99"),
        ("crm/people/99", "crm/people/1", "nobody knows crm/people/99"),
        ("crm/people/1", "crm/firms/1", "not about the same thing: account and contact"),
        ("crm/people/1", "crm/people/1", "are the same record"),
        ("contact_nobody", "crm/people/1", "nobody knows contact_nobody"),
    ],
)
def test_what_can_not_be_compared_is_said_with_the_way_out(store: Store, a: str, b: str, told: str) -> None:
    said = omnihub("explain", a, b)
    assert said.code != 0
    assert told in " ".join(said.err.split())


@pytest.mark.long
def test_a_golden_record_and_itself_are_its_strongest_pair_and_one_alone_is_the_same_record(store: Store) -> None:
    with store.read() as c:
        golden = dict(c.execute(sa.select(schema.crosswalk.c.ref, schema.crosswalk.c.golden_id)).all())
    anna, eva = golden["crm/people/1"], golden["crm/people/4"]
    assert why(anna, anna)["one"] is True
    assert "are the same record" in " ".join(omnihub("explain", eva, eva).err.split())

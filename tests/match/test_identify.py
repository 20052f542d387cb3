"""Identify: the whole of matching on records in memory."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.match import Judged, default_model, features, identify, model_from
from omnihub.match.features import ROWS
from omnihub.match.identify import ENOUGH, with_frequencies
from omnihub.model import Entity

CONTACT = Entity.CONTACT


def rows(records: Mapping[str, Mapping[str, str]]) -> pa.Table:
    told = [
        {"ref": ref, "system": ref.split("/")[0], "fields": json.dumps(values), "own": None}
        for ref, values in records.items()
    ]
    return pa.Table.from_pylist(told, schema=ROWS)


def person(first: str, last: str, email: str, **more: str) -> dict[str, str]:
    return {"first_name": first, "last_name": last, "email": email} | more


PEOPLE = {
    "crm/c/1": person("Anna", "Weber", "anna.weber@firma.de"),
    "shop/c/1": person("Anna", "Weber", "anna.weber@firma.de", phone="+493012345678"),
    "desk/u/1": person("A.", "Weber", "anna.weber@firma.de", phone="+493012345678"),
    "crm/c/2": person("Karl", "Beck", "karl.beck@firma.de"),
    "shop/c/2": person("Karl", "Beck", "karl.beck@firma.de"),
    "crm/c/3": person("Eva", "Maier", "eva@maier.de"),
}


def together(partition: Sequence[Sequence[str]], a: str, b: str) -> bool:
    return any(a in cluster and b in cluster for cluster in partition)


def test_the_records_of_one_person_end_up_together_and_others_apart() -> None:
    found = identify(CONTACT, rows(PEOPLE))
    assert found.partition == [
        ["crm/c/1", "desk/u/1", "shop/c/1"],
        ["crm/c/2", "shop/c/2"],
        ["crm/c/3"],
    ]


def test_a_person_s_word_outweighs_the_evidence_either_way() -> None:
    judged = [Judged("crm/c/2", "shop/c/2", "different"), Judged("crm/c/1", "crm/c/3", "same")]
    found = identify(CONTACT, rows(PEOPLE), judged=judged).partition
    assert not together(found, "crm/c/2", "shop/c/2")
    assert together(found, "crm/c/1", "crm/c/3")


def test_two_records_of_a_system_without_doubles_stay_apart() -> None:
    doubled = PEOPLE | {"crm/c/9": PEOPLE["crm/c/2"]}
    assert together(identify(CONTACT, rows(doubled)).partition, "crm/c/2", "crm/c/9")
    assert not together(identify(CONTACT, rows(doubled), one_to_one=["crm"]).partition, "crm/c/2", "crm/c/9")


@given(st.randoms(use_true_random=False))
@settings(max_examples=4, deadline=None)
def test_the_order_of_the_records_makes_no_difference(chance: random.Random) -> None:
    shuffled = list(PEOPLE.items())
    chance.shuffle(shuffled)
    assert identify(CONTACT, rows(dict(shuffled))).partition == identify(CONTACT, rows(PEOPLE)).partition


def test_a_model_is_the_same_after_it_was_written_down() -> None:
    model = default_model(CONTACT)
    again = model_from(model.to_json(), model.packed_frequencies())
    assert again == model
    assert identify(CONTACT, rows(PEOPLE), model=again).pairs.equals(identify(CONTACT, rows(PEOPLE), model=model).pairs)


def test_frequencies_are_counted_once_there_are_enough_records() -> None:
    model = default_model(CONTACT)
    few, enough = (features(CONTACT, rows(many(n)))[0] for n in (ENOUGH - 1, ENOUGH))
    assert with_frequencies(model, few).frequencies is None
    counted = with_frequencies(model, enough)
    assert counted.frequencies is not None
    assert with_frequencies(counted, few) == counted
    assert model_from(counted.to_json(), counted.packed_frequencies()) == counted


def many(count: int) -> dict[str, dict[str, str]]:
    return {f"crm/c/{n}": person("Anna", f"Weber{n // 2}", f"anna{n}@firma.de") for n in range(count)}

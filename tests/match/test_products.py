"""Products: a number decides alone; words decide only where neither side has one, and a variant is another product."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.match import (
    default_model,
    features,
    frequencies,
    identify,
    score_all_within,
    score_candidates,
    shared_values,
)
from omnihub.match.features import ROWS
from omnihub.match.model import Model, model_from
from omnihub.match.titles import PARTS, codes, read
from omnihub.model import Entity

PRODUCT = Entity.PRODUCT
Values = Mapping[str, str]


def rows(*records: Values, system: str = "shop") -> pa.Table:
    found = [
        {"ref": f"{system}/p/{n:03}", "system": system, "fields": json.dumps(values)}
        for n, values in enumerate(records)
    ]
    return pa.Table.from_pylist(found, schema=ROWS)


def pairs(*two: tuple[Values, Values], model: Model | None = None) -> list[dict[str, Any]]:
    """Each two beside each other."""
    made, keys = features(PRODUCT, rows(*(values for both in two for values in both)))
    case = pa.array([n // 2 for n in range(2 * len(two))], pa.int64())
    together = pa.table({"component": case, "ref": made["ref"].combine_chunks()})
    shared = shared_values(PRODUCT, made, keys)
    return list(score_all_within(model or default_model(PRODUCT), made, together, shared, why=True).to_pylist())


def pair(one: Values, other: Values, model: Model | None = None) -> dict[str, Any]:
    return pairs((one, other), model=model)[0]


def verdicts(*two: tuple[Values, Values]) -> list[str]:
    limits = default_model(PRODUCT).limits
    return [
        "never"
        if p["forbidden"]
        else "same"
        if p["weight"] >= limits.same
        else "unsure"
        if p["weight"] >= limits.unsure
        else "different"
        for p in pairs(*two)
    ]


def found_together(one: Values, other: Values) -> bool:
    made, keys = features(PRODUCT, rows(one, other))
    return score_candidates(default_model(PRODUCT), made, keys, None).num_rows == 1


def told(title: str) -> dict[str, str]:
    said = read(title)
    return dict(zip(PARTS, said.split("|"), strict=True)) if said else {}


# -- numbers before words --------------------------------------------------------------------------------------------

DRILL = {"name": "Hammer drill 2-26 DRE, 800 W", "manufacturer": "Bohrwerk GmbH", "mpn": "0611-253703", "price": "149"}


DECIDED: list[tuple[Values, Values, str]] = [
    (DRILL | {"sku": "A-1"}, {"sku": "a 1", "name": "Something else"}, "same"),
    (DRILL | {"sku": "A-1"}, DRILL | {"sku": "A-2"}, "never"),
    (DRILL | {"sku": "A-1", "gtin": "4006381333931"}, DRILL | {"sku": "A-2", "gtin": "4006381333931"}, "never"),
    (DRILL | {"sku": "A-1", "gtin": "4006381333931"}, {"gtin": "4006381333931"}, "same"),
    (DRILL | {"sku": "A-1"}, DRILL, "unsure"),
    (DRILL | {"gtin": "4006381333931"}, DRILL, "unsure"),
    (DRILL | {"sku": "A-1"}, DRILL | {"gtin": "4006381333931"}, "unsure"),
    (DRILL | {"gtin": "4006381333931"}, DRILL | {"gtin": "4012345678901"}, "different"),
    ({"sku": "A-1", "mpn": "0611-253703"}, {"mpn": "0611 253 703"}, "unsure"),
    ({"sku": "A-1", "mpn": "0611-253703"}, {"name": "Spare drill for 0611253703"}, "different"),
    (DRILL | {"sku": "A-1"}, {"name": "Hammer drill 2-28 DRE, 900 W", "manufacturer": "Bohrwerk"}, "different"),
    (DRILL, DRILL, "same"),
    (DRILL, DRILL | {"mpn": "0611-267500"}, "different"),
]


def test_a_number_decides_alone_and_words_only_between_those_without() -> None:
    outcomes = [outcome for *_, outcome in DECIDED]
    assert verdicts(*((one, other) for one, other, _ in DECIDED)) == outcomes
    assert verdicts(*((other, one) for one, other, _ in DECIDED)) == outcomes


SAID: dict[str, tuple[str | None, ...]] = {
    "name": (None, "PhotoStory 7 Deluxe", "photo story v7.0 dlx", "PX-350H drill"),
    "manufacturer": (None, "Northsoft Inc."),
    "mpn": (None, "PX-350H", "PX-351H"),
    "price": (None, "19.90", "99"),
}
NUMBERS: tuple[dict[str, str], ...] = (
    {"sku": "A-1"},
    {"gtin": "4006381333931"},
    {"sku": "B-2", "gtin": "4012345678901"},
)
ALL = [{k: v for k, v in zip(SAID, said, strict=True) if v} for said in itertools.product(*SAID.values())]


def every_pair(table: pa.Table) -> list[dict[str, Any]]:
    made, keys = features(PRODUCT, table)
    refs = made["ref"].combine_chunks()
    together = pa.table({"component": pa.array([1] * len(refs), pa.int64()), "ref": refs})
    shared = shared_values(PRODUCT, made, keys)
    return list(score_all_within(default_model(PRODUCT), made, together, shared, why=False).to_pylist())


def test_no_words_join_a_product_that_has_a_number() -> None:
    numbered = [values | number for values in ALL for number in NUMBERS]
    pairs = every_pair(pa.concat_tables([rows(*ALL, system="words"), rows(*numbered, system="numbers")]))
    mixed = [p for p in pairs if p["a"].startswith("numbers") and p["b"].startswith("words")]
    assert len(mixed) == len(ALL) * len(numbered)
    assert max(p["weight"] for p in mixed) < default_model(PRODUCT).limits.same


# -- what words say --------------------------------------------------------------------------------------------------


ALIKE = [
    ("Apple-Tree nano player 8GB black", "Apple-Tree 8 GB Black Nano Player"),
    ("Hansa Olive Oil Extra Virgin 500 ml", "hansa extra virgin olive oil 0.5 l"),
    ("Northsoft PhotoStory 7.0 Professional (5-user)", "northsoft photostory v. 7 pro - 5 users"),
    ("Ulmer PS-LX350H Turntable", "Turntable, Ulmer - PSLX350H"),
    ('Ulmer 46" LCD TV LN46A550 Black', "Ulmer LN46A550 - 46 inch Widescreen LCD"),
]


def test_two_ways_to_write_one_title_are_the_same() -> None:
    named = [({"name": one}, {"name": other}) for one, other in ALIKE]
    assert verdicts(*named) == ["same"] * len(ALIKE)
    assert all(found_together(*two) for two in named)


VARIANTS = [
    ("PhotoStory Deluxe 7 for Windows", "PhotoStory Deluxe 7 for Mac", "platform"),
    ("PhotoStory Deluxe 7", "PhotoStory Deluxe 7 Upgrade", "upgrade"),
    ("PhotoStory Deluxe 7", "PhotoStory Deluxe 8", "numbers"),
    ("PhotoStory Deluxe 7", "PhotoStory Basic 7", "grade"),
    ("PhotoStory Deluxe 7", "PhotoStory Deluxe 7 Student Version", "academic"),
    ("PhotoStory Deluxe 7", "PhotoStory Deluxe 7 OEM", "condition"),
    ("Apple-Tree nano player 8GB black", "Apple-Tree nano player 8GB silver", "color"),
    ("Apple-Tree nano player 8GB black", "Apple-Tree nano player 4GB black", "numbers"),
    ("Quick steps to spoken Italian", "Quick steps to spoken Spanish", "language"),
    ("Ulmer PS-LX350H Turntable", "Ulmer PS-LX250H Turntable", "codes"),
]


def test_another_variant_is_another_product_and_what_differs_says_so() -> None:
    found = pairs(*(({"name": one}, {"name": other}) for one, other, _ in VARIANTS))
    alone = pairs(*(({"name": one}, {"name": one}) for one, *_ in VARIANTS))
    for (one, other, said_by), two, itself in zip(VARIANTS, found, alone, strict=True):
        assert json.loads(two["why"])[said_by] < 0, (one, other)
        assert two["weight"] < default_model(PRODUCT).limits.same, (one, other)
        assert two["weight"] < itself["weight"] - 2, (one, other)


def test_the_makers_name_may_stand_in_the_title() -> None:
    apart = {"name": "PhotoStory 7", "manufacturer": "Northsoft Ltd."}, {"name": "Northsoft PhotoStory 7"}
    without = {"name": "PhotoStory 7"}, {"name": "Northsoft PhotoStory 7"}
    assert pair(*apart)["weight"] > pair(*without)["weight"]


def test_what_is_written_together_meets_what_is_not() -> None:
    one, other = {"name": "Video Studio Deluxe 11"}, {"name": "VideoStudio Deluxe 11"}
    assert json.loads(pair(one, other)["why"])["spelling"] > 0
    assert found_together(one, other)


def test_a_price_near_the_other_speaks_for_one_and_a_far_one_against() -> None:
    title = {"name": "PhotoStory Deluxe 7"}
    others = [{"price": "99"}, {"price": "160"}, {"price": "900"}, {"price": "0"}, {"price": "900", "currency": "HUF"}]
    here = title | {"price": "100", "currency": "USD"}
    *weights, unknown, foreign = (p["weight"] for p in pairs(*((here, title | other) for other in others)))
    assert weights[0] > unknown > weights[1] > weights[2]
    assert foreign == unknown


def test_a_code_in_the_description_is_evidence() -> None:
    one = {"name": "Ulmer LX-350H Turntable"}
    described = {"name": "Ulmer Turntable", "description": "The new LX350H plays records"}
    assert json.loads(pair(one, described)["why"])["codes"] > 0


def test_a_rare_word_says_more_than_one_that_everybody_says() -> None:
    crowd = [{"name": f"Software thing{n % 7} number{n}"} for n in range(70)]
    made, _ = features(PRODUCT, rows(*crowd, {"name": "Quixel"}, {"name": "Quixel"}))
    told_apart = replace(default_model(PRODUCT), frequencies=frequencies(PRODUCT, made))
    rare = pair({"name": "Quixel painter"}, {"name": "Quixel canvas"}, told_apart)
    common = pair({"name": "Software painter"}, {"name": "Software canvas"}, told_apart)
    assert rare["weight"] > common["weight"] + 2


def test_how_rare_words_are_is_frozen_with_the_model() -> None:
    made, _ = features(PRODUCT, rows({"name": "Quixel painter"}, {"name": "Quixel brush"}, {"name": "Saw"}))
    model = replace(default_model(PRODUCT), frequencies=frequencies(PRODUCT, made))
    assert model.frequencies is not None
    assert model.frequencies["words"].to_pylist() == [{"value": "quixel", "share": pytest.approx(2 / 3)}]
    again = model_from(model.to_json(), model.packed_frequencies())
    one, other = {"name": "Quixel painter 7"}, {"name": "Quixel canvas 7"}
    assert pair(one, other, again) == pair(one, other, model)


# -- two catalogues --------------------------------------------------------------------------------------------------

_FIRST = "amber birch cedar delta ember fjord grove heron indigo jasper kelp lotus maple nectar onyx".split()
_SECOND = "writer painter planner tutor garden chess atlas ledger melody kitchen".split()


def catalogues() -> tuple[pa.Table, set[tuple[str, str]]]:
    """Two shops with the same titles in two editions each, written otherwise, in another order."""
    chance = random.Random(7)
    here = [
        f"{a} {b} {grade} {1 + len(a) % 4}.0" for a in _FIRST for b in _SECOND[:5] for grade in ("deluxe", "standard")
    ]
    order = chance.sample(range(len(here)), len(here))
    there = [f"Northsoft {here[n].replace('.0', '')} - win 98 me 2000 xp" for n in order]
    truth = {(f"a/p/{n:03}", f"b/p/{place:03}") for place, n in enumerate(order)}
    mine = rows(*({"name": title, "manufacturer": "Northsoft"} for title in here), system="a")
    return pa.concat_tables([mine, rows(*({"name": title} for title in there), system="b")]), truth


def test_two_catalogues_without_numbers_find_each_others_editions_one_to_one() -> None:
    table, truth = catalogues()
    found = identify(PRODUCT, table, one_to_one=("a", "b"))
    assert {tuple(group) for group in found.partition if len(group) > 1} == truth
    assert found.queued == []


def test_where_each_has_one_partner_less_is_enough() -> None:
    one, other = {"name": "Northsoft amber writer 3"}, {"name": "amber writer 3 for schools"}
    weight, limits = pair(one, other)["weight"], default_model(PRODUCT).limits
    assert limits.unsure < weight < limits.same
    both = pa.concat_tables([rows(one, system="a"), rows(other, system="b")])
    assert len(identify(PRODUCT, both, one_to_one=("a", "b")).partition) == 1
    assert len(identify(PRODUCT, both).partition) == len(identify(PRODUCT, both, one_to_one=("a",)).partition) == 2


def test_two_records_of_a_catalogue_without_doubles_are_no_candidates() -> None:
    mine, theirs = rows(*[{"name": "amber writer 3"}] * 2, system="a"), rows({"name": "amber writer 3"}, system="b")
    made, keys = features(PRODUCT, pa.concat_tables([mine, theirs]))

    def found(*one_to_one: str) -> int:
        return score_candidates(default_model(PRODUCT), made, keys, None, one_to_one=one_to_one).num_rows

    assert (found(), found("b"), found("a"), found("a", "b")) == (3, 3, 2, 2)


# -- who is looked at ------------------------------------------------------------------------------------------------


def keys_of(values: Values) -> set[str]:
    return {key[0] for key in features(PRODUCT, rows(values))[1].column("key").to_pylist()}


def test_a_product_with_a_number_is_not_looked_for_by_each_of_its_words() -> None:
    assert "w" in keys_of({"name": "PhotoStory Deluxe 7"})
    assert "w" not in keys_of({"name": "PhotoStory Deluxe 7", "sku": "A-1"})
    assert found_together({"name": "PhotoStory Deluxe 7", "sku": "A-1"}, {"name": "photostory 7 dlx"})
    assert found_together({"mpn": "PX-350H", "sku": "A-1"}, {"name": "Turntable PX350H"})


def test_a_pair_weighs_the_same_from_both_sides_and_in_any_order() -> None:
    def weights(records: Sequence[Values], backwards: bool = False) -> dict[frozenset[int], float]:
        last = len(records) - 1
        found = every_pair(rows(*(reversed(records) if backwards else records)))
        places = [[last - int(p[end][-3:]) if backwards else int(p[end][-3:]) for end in ("a", "b")] for p in found]
        return {frozenset(two): p["weight"] for two, p in zip(places, found, strict=True)}

    assert weights(ALL) == weights(ALL, backwards=True)


# -- titles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "part", "said"),
    [
        ("PhotoStory(tm) v. 2.0 & Friends", "words", "photostory 2 friend"),
        ("photostory 2.5", "words", "photostory 2.5"),
        ("1,200 GB drive", "words", "1200gb drive"),
        ("Shampoo 3 x 0,5 l", "numbers", "3 500ml"),
        ("Shampoo 3 x 0.5 l", "numbers", "3 500ml"),
        ("Chess (win/mac)", "words", "chess"),
        ("Chess (win/mac)", "platforms", "windows mac"),
        ("Chess - win 98 me 2000 xp", "words", "chess"),
        ("Windows XP Professional", "words", "window xp professional"),
        ("Globe 4-pack", "words", "globe 4 pack"),
        ("Globe - 1 user", "numbers", ""),
        ("Globe, single user", "words", "globe"),
        ("Globe 7th edition", "numbers", "7"),
        ("Globe CS3", "numbers", "3"),
        ("Kit 10610 with PS-LX350H", "title_codes", "10610 pslx350h"),
        ("1080p 64bit 120 Hz 2007", "title_codes", ""),
    ],
)
def test_a_title_is_read(title: str, part: str, said: str) -> None:
    assert told(title)[part] == said


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_whatever_is_written_can_be_read(title: str) -> None:
    said = read(title)
    assert said is None or len(said.split("|")) == len(PARTS)
    assert codes(title) is None or " |" not in str(codes(title))

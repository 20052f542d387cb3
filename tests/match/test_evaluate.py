"""Evaluate: a table and a map in, honest figures out."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.errors import ConfigError
from omnihub.match.clusters import Queued
from omnihub.match.evaluate import Evaluation, evaluate_names, evaluate_table
from omnihub.match.mapped import Mapped, NamePairs, as_text, map_from, mapped
from omnihub.match.measures import LABELS, TRUE_PAIRS, Figures, Quality, quality, quality_by_pairs
from omnihub.match.pairs import PAIRS
from omnihub.model import Entity, Kind

CONTACT, ACCOUNT, PRODUCT = Entity.CONTACT, Entity.ACCOUNT, Entity.PRODUCT
PEOPLE = pa.table(
    {
        "key": ["1", "2", "3"],
        "given": ["Anna", "ANNA", None],
        "family": ["Müller", "Müller", "-"],
        "tel": ["0172 1234567", None, "call me"],
        "fax": [None, "0172 1234568", None],
        "no": ["7", None, "9"],
        "road": ["Hauptstr.", "Ring", None],
        "who": ["x", "x", "y"],
    }
)


def labelled(*rows: tuple[str, str, str | None]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(LABELS.names, row, strict=True)) for row in rows], schema=LABELS)


def pairs(*rows: tuple[str, str]) -> pa.Table:
    return pa.Table.from_pylist([{"a": a, "b": b} for a, b in rows], schema=TRUE_PAIRS)


# -- figures ---------------------------------------------------------------------------------------------------------


def by_hand(partition: Sequence[Sequence[str]], labels: pa.Table, across: bool) -> tuple[Figures, Figures]:
    """The same figures from their definitions, pair by pair and record by record."""
    rows = [r for r in labels.to_pylist() if r["truth"] is not None]
    home = {ref: n for n, group in enumerate(partition) for ref in group}
    home |= {r["ref"]: r["ref"] for r in rows if r["ref"] not in home}
    found, true = set(), set()
    for a, b in itertools.combinations(rows, 2):
        if across and a["system"] == b["system"]:
            continue
        if home[a["ref"]] == home[b["ref"]]:
            found.add((a["ref"], b["ref"]))
        if a["truth"] == b["truth"]:
            true.add((a["ref"], b["ref"]))
    right = len(found & true)
    one = (right / len(found) if found else float(not true), right / len(true) if true else float(not found))
    precision = recall = 0.0
    for r in rows:
        own = {s["ref"] for s in rows if home[s["ref"]] == home[r["ref"]]}
        real = {s["ref"] for s in rows if s["truth"] == r["truth"]}
        precision += len(own & real) / len(own) / len(rows)
        recall += len(own & real) / len(real) / len(rows)
    other = (precision, recall) if rows else (1.0, 1.0)
    return Figures(*one, _harmonic(*one)), Figures(*other, _harmonic(*other))


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def near(figures: Figures) -> Any:
    return pytest.approx((figures.precision, figures.recall, figures.f1))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from(["x", "y", "z", None])), max_size=9),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_the_figures_are_those_of_their_definitions(rows: list[tuple[int, str, str | None]], across: bool) -> None:
    labels = labelled(*((f"{system}{n}", system, truth) for n, (_, system, truth) in enumerate(rows)))
    groups: dict[int, list[str]] = {}
    for n, (cluster, system, _) in enumerate(rows):
        groups.setdefault(cluster, []).append(f"{system}{n}")
    partition = [group for cluster, group in groups.items() if cluster]  # those of cluster 0 are named nowhere
    pairwise, b3 = by_hand(partition, labels, across)
    found = quality(partition, labels, across)
    assert (found.pairwise.precision, found.pairwise.recall, found.pairwise.f1) == near(pairwise)
    assert (found.b3.precision, found.b3.recall, found.b3.f1) == near(b3)


def test_a_record_that_nobody_knows_is_left_out_and_counted() -> None:
    found = quality([["a", "b", "c"]], labelled(("a", "s", "x"), ("b", "s", "x"), ("c", "s", None)))
    assert (found.pairwise, found.unlabelled, found.largest) == (Figures(1.0, 1.0, 1.0), 1, 2)


def test_pairs_across_two_tables_are_counted_exactly_as_given() -> None:
    labels = labelled(("a1", "a", None), ("a2", "a", None), ("b1", "b", None), ("b2", "b", None))
    true = pairs(("a1", "b1"), ("a1", "b2"), ("a2", "b1"), ("b1", "a2"))
    found = quality_by_pairs([["a1", "a2", "b1"], ["b2"]], labels, true)
    assert (found.right, found.found, found.true) == (2, 2, 3)  # a2–b2 follows, but nobody gave it
    assert found.b3.precision == 1.0


def test_putting_nothing_together_is_neither_precise_nor_complete_where_something_belongs_together() -> None:
    found = quality([], labelled(("a", "s", "x"), ("b", "s", "x")))
    assert found.pairwise == Figures(0.0, 0.0, 0.0)
    assert found.b3 == Figures(1.0, 0.5, pytest.approx(2 / 3))


# -- maps ------------------------------------------------------------------------------------------------------------


def records(told: dict[str, Any], table: pa.Table = PEOPLE, entity: Entity = CONTACT) -> tuple[list[Any], Mapped]:
    map_ = map_from(told, entity, table.column_names)
    found = mapped("data", map_.data, as_text(table))
    return [json.loads(text) for text in found.rows.column("fields").to_pylist()], found


def test_several_columns_feed_one_field() -> None:
    told = {"id": "key", "country": "DE", "fields": {"street": ["road", "no"], "phone": ["tel", "fax"]}}
    found, _ = records(told)
    assert found[0] == {"street": "Hauptstr. 7", "phone": "+491721234567", "country": "DE"}
    assert found[1] == {"street": "Ring", "phone": "+491721234568", "country": "DE"}  # the first it has comes first
    assert found[2] == {"street": "9", "country": "DE"}


def test_further_values_of_a_field_are_numbered_and_none_comes_twice() -> None:
    table = pa.table({"one": ["a@x.de"], "two": ["A@X.DE "], "three": ["b@x.de"]})
    found, _ = records({"fields": {"email": ["one", "two", "three"]}}, table)
    assert found == [{"email": "a@x.de", "email#2": "b@x.de"}]


def test_values_are_clean_and_what_cannot_be_cleaned_is_counted_not_used() -> None:
    found, one = records({"id": "key", "country": "DE", "fields": {"last_name": "family", "phone": "tel"}})
    assert [row.get("last_name") for row in found] == ["Müller", "Müller", None]
    assert one.unclean == {"phone": 1}  # "-" only says that there is none
    assert one.rows.column("ref").to_pylist() == ["data/records/1", "data/records/2", "data/records/3"]


def test_a_phone_without_its_town_is_still_evidence() -> None:
    found, one = records({"country": "US", "fields": {"phone": "tel"}}, pa.table({"tel": ["386-5286", "1"]}))
    assert (found, one.unclean) == ([{"phone": "3865286", "country": "US"}, {"country": "US"}], {"phone": 1})


def test_a_name_kept_whole_is_taken_apart() -> None:
    found, _ = records({"name": "full"}, pa.table({"full": ["Dr. Ludwig van Beethoven", "SCHMIDT, Anna"]}))
    assert found == [
        {"first_name": "Ludwig", "last_name": "van Beethoven"},
        {"first_name": "Anna", "last_name": "Schmidt"},
    ]


def test_a_date_may_stand_in_three_columns() -> None:
    table = pa.table({"by": [1980, 1981, 1982], "bm": [3.0, None, 0.0], "bd": [7, 8, 9]})
    found, one = records({"fields": {"birth_date": ["by", "bm", "bd"]}}, table)
    assert found == [{"birth_date": "1980-03-07"}, {}, {}]
    assert one.unclean == {"birth_date": 1}


def test_a_date_no_system_would_take_is_still_compared() -> None:
    table = pa.table({"born": ["1862-07-11", "1940-13-31"]})
    found, one = records({"fields": {"birth_date": "born"}}, table)
    assert found == [{"birth_date": "1862-07-11"}, {"birth_date": "1940-13-31"}]
    assert one.unclean == {}


def test_the_country_of_a_record_tells_how_its_numbers_are_written() -> None:
    table = pa.table({"tel": ["0172 1234567", "0664 1234567", "0172 1234567"], "land": ["DE", "Austria", None]})
    found, _ = records({"country": "DE", "fields": {"phone": "tel", "country": "land"}}, table)
    assert [row["phone"] for row in found] == ["+491721234567", "+436641234567", "+491721234567"]


def test_whole_numbers_that_became_floats_are_written_as_they_were() -> None:
    table = pa.table({"zip": [60640.0, float("nan"), None], "text": ["  a ", "", None], "many": [["a", "b"], [], None]})
    assert as_text(table).to_pylist() == [
        {"zip": "60640", "text": "a", "many": "a b"},
        {"zip": None, "text": None, "many": None},
        {"zip": None, "text": None, "many": None},
    ]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"feilds": {}}, r"map: feilds is no key of a map; did you mean fields\?"),
        ({"fields": {"frist_name": "given"}}, r"fields.frist_name is no field of contact; did you mean first_name\?"),
        ({"fields": {"last_name": "famly"}}, r"fields.last_name: there is no column 'famly'; did you mean family\?"),
        ({"fields": {"phone": ["tel", "telly"]}}, r"fields.phone: there is no column 'telly'; did you mean tel\?"),
        ({"id": "keey", "fields": {"last_name": "family"}}, r"id: there is no column 'keey'; did you mean key\?"),
        ({"fields": {"account": "key"}}, "fields.account is no field of contact"),
        ({"fields": {}}, "which column is which field"),
        ({"fields": ["given"]}, "fields must be keys and values"),
        ([], "the map must be keys and values"),
        ({"name": "given", "fields": {"first_name": "given"}}, "say the same twice"),
        ({"country": "Narnia", "fields": {"last_name": "family"}}, "country: Narnia is no country"),
        ({"country": False, "fields": {"last_name": "family"}}, "write 'NO'"),
        ({"against": {"id": "key"}, "fields": {"last_name": "family"}}, "there is no second table"),
        ({"pairs": {"left": "given"}}, "pairs.right: the column with the right name is missing"),
        ({"pairs": {"left": "given", "right": "famly"}}, r"pairs.right: .*did you mean family\?"),
        ({"pairs": {"left": "given", "right": "family"}, "country": "DE"}, "country has no meaning beside pairs"),
    ],
)
def test_a_wrong_map_says_which_key_and_what_was_meant(told: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        map_from(told, CONTACT, PEOPLE.column_names)


def test_what_the_second_table_calls_otherwise_is_said_under_against() -> None:
    told = {"id": "key", "fields": {"last_name": "family", "phone": "tel"}}
    with pytest.raises(ConfigError, match=r"map, second table: id: there is no column 'key'"):
        map_from(told, CONTACT, PEOPLE.column_names, ["nr", "nachname"])
    more = {"against": {"id": "nr", "fields": {"last_name": "nachname", "phone": None}}}
    map_ = map_from(told | more, CONTACT, PEOPLE.column_names, ["nr", "nachname"])
    assert map_.against is not None
    assert map_.against.columns == ["nr", "nachname"]
    assert map_.data.columns == ["key", "family", "tel"]


@pytest.mark.parametrize(("ids", "message"), [(["1", "1"], "is no id, 1 of its"), (["1", None], "1 records have no")])
def test_an_id_names_one_record(ids: list[str | None], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        records({"id": "key", "fields": {"last_name": "n"}}, pa.table({"key": ids, "n": ["a", "b"]}))


# -- the whole -------------------------------------------------------------------------------------------------------


@dataclass
class Known:
    """An engine that knows the answer, and keeps what it was asked."""

    partition: list[list[str]]
    unsure: list[tuple[str, str]] = field(default_factory=list)
    queued: list[Queued] = field(default_factory=list)
    rows: pa.Table = None
    one_to_one: Collection[str] = ()

    def __call__(self, entity: Entity, rows: pa.Table, *, one_to_one: Collection[str]) -> Known:
        self.rows, self.one_to_one = rows, one_to_one
        return self

    @property
    def pairs(self) -> pa.Table:
        rows = [{"a": a, "b": b, "weight": 8.0, "forbidden": False, "why": None} for a, b in self.unsure]
        return pa.Table.from_pylist(rows, schema=PAIRS)


SMALL = pa.table({"id": ["1", "2", "3"], "n": ["Ann", "Ann", "Bob"], "who": ["x", "x", "y"]})


def judged(engine: Known, truth: str | pa.Table, against: pa.Table | None = None, **told: Any) -> Evaluation:
    told = {"id": "id", "fields": {"last_name": "n"}} | told
    map_ = map_from(told, CONTACT, SMALL.column_names, against.column_names if against else None)
    return evaluate_table(map_, SMALL, against, truth=truth, engine=engine)


def d(*ids: str) -> list[str]:
    return [f"data/records/{id_}" for id_ in ids]


def test_one_table_is_held_against_a_column() -> None:
    facts = judged(Known([d("1", "2"), d("3")]), "who").facts()
    assert facts["pairwise"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert (facts["records"], facts["clusters"]["found"], facts["queue"]) == ({"data": 3}, 2, 0)


def test_true_pairs_of_one_table_say_also_what_follows_from_them() -> None:
    found = judged(Known([d("1", "2", "3")]), pa.table({"one": ["1", "2"], "other": ["2", "3"]}))
    assert (found.quality.right, found.quality.true) == (3, 3)


def test_two_tables_are_linked_and_neither_holds_doubles_unless_the_map_says_so() -> None:
    engine = Known([["data/records/1", "against/records/1"]])
    found = judged(engine, "who", SMALL)
    assert engine.one_to_one == ("data", "against")
    assert set(engine.rows.column("system").to_pylist()) == {"data", "against"}
    assert (found.quality.right, found.quality.found, found.quality.true) == (1, 1, 5)  # 2 × 2 x and 1 × 1 y
    judged(engine, "who", SMALL, same_within=True)
    assert engine.one_to_one == ()


def test_what_is_left_to_a_person_is_counted_where_it_is_still_open() -> None:
    unsure = [("data/records/1", "data/records/2"), ("data/records/2", "data/records/3")]
    guarded = [Queued(tuple(d("1", "3")), "a guard")]
    found = judged(Known([d("1"), d("2", "3")], unsure, guarded), "who")
    assert (found.queue.guarded, found.queue.unsure, found.queue.unsure_true, found.queue.total) == (1, 1, 1, 2)


def test_true_pairs_of_records_that_are_not_there_are_counted_and_all_of_them_is_an_error() -> None:
    engine = Known([d("1", "2")])
    assert judged(engine, pa.table({"id_b": ["2", "9"], "id_a": ["1", "8"]})).outside == 1
    with pytest.raises(ConfigError, match="no pair of id_a, id_b names two records there are"):
        judged(engine, pa.table({"id_a": ["7"], "id_b": ["8"]}))


def test_a_truth_that_is_no_column_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"--truth hwo: --data has no such column; did you mean who\?"):
        judged(Known([]), "hwo")


def test_fields_that_matching_does_not_look_at_are_named() -> None:
    found = judged(Known([]), "who", fields={"last_name": "n", "marketing_consent": "who", "phone": ["id", "n"]})
    assert "marketing_consent" in found.unused
    assert "last_name" not in found.unused


def test_people_are_recognised_from_what_a_newcomer_would_map() -> None:
    rows = [
        ("1", "Anna", "Schmidt", "anna.schmidt@firma.de", "a"),
        ("2", "Anna", "Schmidt", "anna.schmidt@firma.de", "a"),
        ("3", "Jörg", "Kowalski", "jk@anders.de", "b"),
    ]
    table = pa.Table.from_pylist([dict(zip(("id", "f", "l", "mail", "who"), row, strict=True)) for row in rows])
    told = {"id": "id", "fields": {"first_name": "f", "last_name": "l", "email": "mail"}}
    found = evaluate_table(map_from(told, CONTACT, table.column_names), table, truth="who")
    assert found.quality == Quality(
        pairwise=Figures(1.0, 1.0, 1.0),
        b3=Figures(1.0, 1.0, 1.0),
        right=1,
        found=1,
        true=1,
        clusters_found=2,
        clusters_true=2,
        largest=2,
        unlabelled=0,
    )


# -- names -----------------------------------------------------------------------------------------------------------


def test_pairs_of_names_are_told_right_or_wrong() -> None:
    table = pa.table({"a": ["x", "x", "y", None], "b": ["x", "z", "w", "x"], "same": [True, True, False, False]})
    found = evaluate_names(CONTACT, NamePairs("a", "b"), table, "same", alike=lambda _, a, b: a == b)
    assert (found.accuracy, found.names.precision, found.names.recall) == (0.75, 1.0, 0.5)


def test_a_truth_of_names_is_true_or_false() -> None:
    table = pa.table({"a": ["x"], "b": ["x"], "same": ["perhaps"]})
    with pytest.raises(ConfigError, match="say true or false"):
        evaluate_names(CONTACT, NamePairs("a", "b"), table, "same", alike=lambda _, a, b: a == b)


def test_a_column_may_say_whose_name_it_is() -> None:
    table = pa.table(
        {"a": ["x"] * 4, "b": ["x"] * 4, "of": ["Person", "Legal Entity", "Vessel", None], "same": [1] * 4}
    )
    kinds = []
    map_ = map_from({"pairs": {"left": "a", "right": "b", "kind": "of"}}, ACCOUNT, table.column_names)
    assert map_.pairs
    evaluate_names(ACCOUNT, map_.pairs, table, "same", alike=lambda kind, a, b: kinds.append(kind) is None)
    assert kinds == [Kind.NAME, Kind.COMPANY, Kind.TEXT, Kind.COMPANY]

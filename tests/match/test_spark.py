"""Spark finds the pairs and weights that DuckDB finds, from the same records and the same model."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from omnihub.errors import ConfigError
from omnihub.match.features import ROWS, default_model, features, shared_values
from omnihub.match.identify import with_frequencies
from omnihub.match.model import Model, bits
from omnihub.match.pairs import PAIRS, score_candidates
from omnihub.match.spark import in_spark, score_candidates_on_spark, session
from omnihub.model import Entity

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

needs_spark = pytest.mark.skipif(
    not (shutil.which("java") or os.environ.get("JAVA_HOME")), reason="Spark needs a Java virtual machine"
)
FIRST = "Anna Anne Jörg Joerg Peter Petra Ludwig Maria Robert Bob William Bill Katharina Kathrin Иван".split()
LAST = "Müller Mueller Schmidt Schmitt Kowalski Beethoven O'Brien Smith Smyth Lindemann Lindenmann Иванов".split()
FIRMS = ["Nordlicht GmbH", "Nordlicht AG", "Schule Nr. 12", "Schule Nr. 13", "Baumann & Söhne KG", "Baumann Soehne"]
CITIES = "Berlin Hamburg Köln München Ulm".split()


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    pytest.importorskip("pyspark", reason="omnihub[spark] is not installed")
    found = session(spark_master="local[1]", spark_ui_enabled="false", spark_sql_shuffle_partitions="2")
    yield found
    found.stop()


def people(count: int) -> pa.Table:
    chance = random.Random(4)
    return table(
        {
            "first_name": (first := chance.choice(FIRST)),
            "last_name": (last := chance.choice(LAST)),
            "email": f"{first[0]}.{last}@{chance.choice(['firma', 'laden'])}.de".lower() if n % 3 else None,
            "phone": f"+4930{chance.randint(100_000, 100_000 + count)}",
            "city": chance.choice(CITIES),
            "birth_date": f"19{chance.randint(50, 52)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}",
            "postal_code": str(chance.randint(10_000, 10_020)),
            "street": f"{chance.choice(['Hauptstr.', 'Ring'])} {chance.randint(1, 9)}",
        }
        for n in range(count)
    )


def firms(count: int) -> pa.Table:
    chance = random.Random(5)
    return table(
        {
            "name": chance.choice(FIRMS),
            "city": chance.choice(CITIES),
            "postal_code": str(chance.randint(10_000, 10_020)),
            "phone": f"+4930{chance.randint(100_000, 100_000 + count)}",
            "domain": chance.choice(["nordlicht.de", "baumann.com", "schule12.de"]) if n % 4 else None,
            "street": f"{chance.choice(['Hauptstr.', 'Ring'])} {chance.randint(1, 9)}",
            "country": "DE",
        }
        for n in range(count)
    )


def things(count: int) -> pa.Table:
    chance = random.Random(6)
    words = "office suite 2007 2008 upgrade mac windows deluxe photo studio".split()
    return table(
        {
            "sku": f"A-{chance.randint(1, count)}" if n % 3 else None,
            "name": " ".join(chance.sample(words, 4)),
            "manufacturer": chance.choice(["Northsoft", "Softnorth Inc.", "Ulm Media"]),
            "price": str(chance.randint(1, 20)),
        }
        for n in range(count)
    )


def table(records: Any) -> pa.Table:
    rows = [
        {
            "ref": f"s/r/{n:05}",
            "system": "s",
            "fields": json.dumps({k: v for k, v in fields.items() if v}, ensure_ascii=False),
            "own": None,
        }
        for n, fields in enumerate(records)
    ]
    return pa.Table.from_pylist(rows, schema=ROWS)


def scored(spark: SparkSession, model: Model, rows: pa.Table) -> tuple[list[Any], list[Any]]:
    """(DuckDB's pairs, Spark's)."""
    made, keys = features(model.entity, rows)
    model = with_frequencies(model, made)
    shared = shared_values(model.entity, made, keys)
    here = score_candidates(model, made, keys, None, shared)
    there = score_candidates_on_spark(spark, model, made, keys, shared)
    assert there.schema == PAIRS
    return here.to_pylist(), there.to_pylist()


@pytest.mark.long
@pytest.mark.timeout(600)
@needs_spark
@pytest.mark.parametrize(
    ("entity", "rows"),
    [(Entity.CONTACT, people(1200)), (Entity.ACCOUNT, firms(1200)), (Entity.PRODUCT, things(1200))],
    ids=["contacts", "accounts", "products"],
)
def test_spark_finds_the_same_pairs_with_the_same_weights(spark: SparkSession, entity: Entity, rows: pa.Table) -> None:
    here, there = scored(spark, default_model(entity), rows)
    assert len(here) > 100
    assert [(p["a"], p["b"], p["forbidden"]) for p in there] == [(p["a"], p["b"], p["forbidden"]) for p in here]
    assert [p["weight"] for p in there] == pytest.approx([p["weight"] for p in here], abs=1e-6)
    assert [json.loads(p["why"]) for p in there] == [json.loads(p["why"]) for p in here]


@pytest.mark.long
@pytest.mark.timeout(600)
@needs_spark
def test_frequencies_come_along(spark: SparkSession) -> None:
    model = default_model(Entity.CONTACT)
    rare = pa.table({"value": ["mueller", "schmidt"], "share": [0.2, 0.001]})
    names = (bits("last_l = last_r", 6, tf="last", u=0.01), *model.comparisons["name"])
    model = replace(model, comparisons={**model.comparisons, "name": names}, frequencies={"last": rare})
    here, there = scored(spark, model, people(300))
    assert [p["weight"] for p in there] == pytest.approx([p["weight"] for p in here], abs=1e-6)
    assert len({p["weight"] for p in here}) > 3


@pytest.mark.long
@pytest.mark.timeout(600)
@needs_spark
def test_nothing_in_common_is_no_pair_there_either(spark: SparkSession) -> None:
    assert scored(spark, default_model(Entity.PRODUCT), things(1)) == ([], [])


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("list_has_any(a_l, a_r)", "ARRAYS_OVERLAP(a_l, a_r)"),
        ("jaro_winkler_similarity(a_l, a_r) >= 0.9", "JARO_WINKLER(a_l, a_r) >= 0.9"),
        (
            "list_sum(list_intersect(a_l, a_r))",
            "AGGREGATE(ARRAY_INTERSECT(a_l, a_r), CAST(0 AS BIGINT), (a, b) -> a + b)",
        ),
        ("c_l[1] = c_r[1]", "c_l[0] = c_r[0]"),  # of lists, which begin at 0 there
        ("text_l[1] = text_r[1]", "SUBSTRING(text_l, 1, 1) = SUBSTRING(text_r, 1, 1)"),
        ("ELSE", "ELSE"),
    ],
)
def test_conditions_are_said_in_sparks_words(here: str, there: str) -> None:
    assert in_spark(here, frozenset({"text"})) == there


def test_without_pyspark_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ConfigError, match=r"install omnihub\[spark\]"):
        session()

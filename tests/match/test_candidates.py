"""Who is looked at beside whom, and that what is asked last to save time changes no answer."""

from __future__ import annotations

import importlib
import json
from itertools import combinations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from omnihub.engine import connection
from omnihub.match import default_model, features, score_all_within, score_candidates
from omnihub.match.features import ROWS
from omnihub.match.pairs import PAIRS
from omnihub.match.scoring import quick
from omnihub.model import Entity

REFS = tuple(f"crm/p/{n}" for n in range(6))
EVERY = tuple(combinations(REFS, 2))
MOST = 4  # records in a block
KEYS = pa.schema([("key", pa.string()), ("ref", pa.string())])
SHARED = pa.table({"value": pa.array([], pa.string())})
TEXTS = pa.schema([("a_l", pa.string()), ("a_r", pa.string())])
PLAIN = "damerau_levenshtein(a_l, a_r) <= {most}"

held = st.lists(st.tuples(st.sampled_from(("k:1", "k:2", "k:3", "r:1")), st.sampled_from(REFS)), unique=True)
texts = st.one_of(st.none(), st.text("abäß", max_size=6), st.text(max_size=4))


@pytest.fixture(scope="module")
def made() -> pa.Table:
    rows = [{"ref": ref, "system": "crm", "fields": json.dumps({"sku": ref}), "own": None} for ref in REFS]
    return features(Entity.PRODUCT, pa.Table.from_pylist(rows, schema=ROWS))[0]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("omnihub.match.pairs"), "MAX_BLOCK", MOST)


def pairs_of(found: pa.Table) -> list[tuple[str, str]]:
    return list(zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True))


@given(rows=held, active=st.one_of(st.none(), st.sets(st.sampled_from(REFS))))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_that_share_a_key_are_looked_at_once_unless_too_many_do(
    made: pa.Table, rows: list[tuple[str, str]], active: set[str] | None
) -> None:
    keys = pa.table({"key": pa.array([r[0] for r in rows], pa.string()), "ref": pa.array([r[1] for r in rows])})
    found = score_candidates(default_model(Entity.PRODUCT), made, keys.cast(KEYS), active, SHARED)
    blocks = [sorted(ref for key, ref in rows if key == one) for one in {key for key, _ in rows} - {"r:1"}]
    expected = {pair for block in blocks if len(block) <= MOST for pair in combinations(block, 2)}
    assert pairs_of(found) == sorted(p for p in expected if active is None or set(p) & active)


@given(rows=st.permutations(REFS), cut=st.integers(0, len(REFS)), known=st.sets(st.sampled_from(EVERY)))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_within_a_component_every_pair_is_looked_at_that_is_not_known(
    made: pa.Table, rows: list[str], cut: int, known: set[tuple[str, str]]
) -> None:
    inside = pa.table({"component": pa.array([int(n < cut) for n in range(len(rows))], pa.int64()), "ref": rows})
    told = [{"a": a, "b": b, "weight": 1.0, "forbidden": False, "why": None} for a, b in sorted(known)]
    found = score_all_within(
        default_model(Entity.PRODUCT), made, inside, SHARED, known=pa.Table.from_pylist(told, schema=PAIRS)
    )
    together = {pair for part in (rows[:cut], rows[cut:]) for pair in combinations(sorted(part), 2)}
    assert pairs_of(found) == sorted(together - known)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=60), st.sampled_from((0, 1, 2, 3)))
@example([("ab", "ba"), ("abc", "cab"), ("xabä", "xäba"), ("ca", "abc"), (None, "a"), ("", "")], 1)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_asked_last_answers_as_if_it_were_asked_alone(
    pairs: list[tuple[str | None, str | None]], most: int
) -> None:
    plain = PLAIN.format(most=most)
    con = connection()
    con.register("pairs", pa.table({"a_l": [p[0] for p in pairs], "a_r": [p[1] for p in pairs]}, schema=TEXTS))
    found = con.sql(f"SELECT a_l, a_r FROM pairs WHERE ({plain}) IS DISTINCT FROM ({quick(plain)})").fetchall()
    con.close()
    assert found == []


def test_only_what_is_dear_is_asked_otherwise() -> None:
    assert "LEVENSHTEIN(a_l, a_r) > 4" in quick(f"b_l = b_r AND {PLAIN.format(most=2)}")
    assert quick("jaro_winkler_similarity(a_l, a_r) >= 0.9") == "jaro_winkler_similarity(a_l, a_r) >= 0.9"

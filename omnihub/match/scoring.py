"""Splink's SQL for a model: the one place that knows how Splink writes down what Fellegi and Sunter thought.

Splink makes the SQL, and the hub's own engine runs it on the candidate pairs it names. The text depends on the model's
comparisons alone and is made once for each: making it costs more than scoring a few pairs.
"""

from __future__ import annotations

import functools
import logging
import re
from dataclasses import replace
from typing import Any

import sqlglot
from splink.internals.comparison_vector_values import compute_comparison_vector_values_from_id_pairs_sqls
from splink.internals.predict import predict_from_comparison_vectors_sqls_using_settings
from splink.internals.settings_creator import SettingsCreator
from sqlglot import exp

from omnihub.match.model import ELSE, Comparison, Level, Model

logging.getLogger("splink").setLevel(logging.ERROR)  # its warnings are for those who write models by hand

RECORDS = "ready"  # the table of what is compared; `ref` names a record
CANDIDATES = "__splink__blocked_id_pairs"  # Splink's name for (join_key_l, join_key_r, match_key)


def settings_of(model: Model) -> dict[str, Any]:
    """The model as Splink's settings. The prior is even: the thresholds carry it."""
    return _settings(model.key)


def _settings(key: tuple[tuple[str, Comparison], ...]) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "ref",
        "probability_two_random_records_match": 0.5,
        "retain_intermediate_calculation_columns": True,
        "retain_matching_columns": False,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [
            {"output_column_name": name, "comparison_levels": [_level(level) for level in levels]}
            for name, levels in key
        ],
    }


def _level(level: Level) -> dict[str, Any]:
    told: dict[str, Any] = {"sql_condition": level.when, "label_for_charts": level.when}
    if level.silent:
        return told | {"is_null_level": True}
    told |= {"m_probability": level.m, "u_probability": level.u}
    if level.fixed:
        told |= {"fix_m_probability": True, "fix_u_probability": True}
    if level.tf and level.when != ELSE:
        told |= {
            "tf_adjustment_column": level.tf,
            "tf_adjustment_weight": level.tf_weight,
            "tf_minimum_u_value": level.tf_floor,
            "disable_tf_exact_match_detection": True,
        }
    return told


@functools.lru_cache(maxsize=16)
def scoring_sql(key: tuple[tuple[str, Comparison], ...], dialect: str = "duckdb", name: str = "ref") -> str:
    """A SELECT over the tables RECORDS and CANDIDATES: <name>_l, <name>_r, match_weight, and mw_<comparison> for each.

    name: the column by which CANDIDATES name a record.
    """
    told = _settings(_quick(key) if dialect == "duckdb" else key) | {"unique_id_column_name": name}
    settings = SettingsCreator.from_path_or_dict(told).get_settings(dialect)
    steps = compute_comparison_vector_values_from_id_pairs_sqls(
        settings._columns_to_select_for_blocking,
        settings._columns_to_select_for_comparison_vector_values,
        input_tablename_l=RECORDS,
        input_tablename_r=RECORDS,
        source_dataset_input_column=settings.column_info_settings.source_dataset_input_column,
        unique_id_input_column=settings.column_info_settings.unique_id_input_column,
        link_type="dedupe_only",
        sql_dialect_str=dialect,
    ) + predict_from_comparison_vectors_sqls_using_settings(settings)
    *before, last = steps
    named = ", ".join(f"{step['output_table_name']} AS ({step['sql']})" for step in before)
    return f"WITH {named} {last['sql']}"


# -- the same conditions, answered sooner --------------------------------------------------------------------------


def _quick(key: tuple[tuple[str, Comparison], ...]) -> tuple[tuple[str, Comparison], ...]:
    return tuple((name, tuple(replace(level, when=quick(level.when)) for level in levels)) for name, levels in key)


@functools.lru_cache(maxsize=512)
def quick(when: str) -> str:
    """The condition with what is dear asked last: DuckDB's Damerau–Levenshtein takes 20 µs for two e-mail addresses,
    its Levenshtein a fifth, and in most pairs already the lengths differ too much.

    Each of its steps changes the length by one at most and is two of Levenshtein's at most, so no answer changes.
    A CASE, because DuckDB takes the parts of an AND in the order it likes; what is missing falls through to the end.

    >>> quick("damerau_levenshtein(a_l, a_r) <= 2")
    'CASE WHEN ABS(STRLEN(a_l) - STRLEN(a_r)) > 2 THEN FALSE WHEN LEVENSHTEIN(a_l, a_r) > 4 THEN FALSE ELSE \
DAMERAU_LEVENSHTEIN(a_l, a_r) <= 2 END'
    """
    if _DEAR not in when:
        return when
    return sqlglot.parse_one(when, read="duckdb").transform(_sooner).sql(dialect="duckdb")


_DEAR = "damerau_levenshtein"


def _sooner(node: exp.Expr) -> exp.Expr:
    asked, most = node.this, node.args.get("expression")
    if not (isinstance(node, exp.LTE) and isinstance(asked, exp.Anonymous) and asked.name.lower() == _DEAR):
        return node
    if not (isinstance(most, exp.Literal) and most.name.isdigit()):
        return node
    a, b = (side.sql(dialect="duckdb") for side in asked.expressions)
    steps = int(most.name)
    quick_first = f"""CASE WHEN abs(strlen({a}) - strlen({b})) > {steps} THEN false
                           WHEN levenshtein({a}, {b}) > {2 * steps} THEN false ELSE NULL END"""
    found = sqlglot.parse_one(quick_first, read="duckdb")
    found.set("default", node.copy())
    return found


@functools.lru_cache(maxsize=16)
def why_sql(key: tuple[tuple[str, Comparison], ...]) -> str:
    """An expression over what `scoring_sql` selects: JSON of comparison → bits, with what frequencies added."""
    parts = []
    for name, levels in key:
        refined = f" + coalesce(mw_tf_adj_{name}, 0)" if any(level.tf for level in levels) else ""
        parts.append(f"'{name}', round(mw_{name}{refined}, 2)")
    return f"json_object({', '.join(parts)})::VARCHAR"


@functools.lru_cache(maxsize=16)
def compared(key: tuple[tuple[str, Comparison], ...]) -> frozenset[str]:
    """The columns of RECORDS that the conditions name, with _l and _r for the two records."""
    return frozenset(name for _, levels in key for level in levels for name in _COMPARED.findall(level.when))


_COMPARED = re.compile(r"\b(\w+)_[lr]\b(?!\s*\()")


def term_columns(model: Model) -> list[str]:
    """The columns whose frequencies the model asks for."""
    return sorted({level.tf for levels in model.comparisons.values() for level in levels if level.tf})

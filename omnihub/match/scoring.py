"""Splink's SQL for a model: the one place that knows how Splink writes down what Fellegi and Sunter thought.

Splink makes the SQL, and the hub's own engine runs it on the candidate pairs it names. The text depends on the model's
comparisons alone and is made once for each: making it costs more than scoring a few pairs.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from splink.internals.comparison_vector_values import compute_comparison_vector_values_from_id_pairs_sqls
from splink.internals.predict import predict_from_comparison_vectors_sqls_using_settings
from splink.internals.settings_creator import SettingsCreator

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
            "disable_tf_exact_match_detection": True,
        }
    return told


@functools.lru_cache(maxsize=16)
def scoring_sql(key: tuple[tuple[str, Comparison], ...], dialect: str = "duckdb") -> str:
    """A SELECT over the tables RECORDS and CANDIDATES: ref_l, ref_r, match_weight, and mw_<comparison> for each."""
    settings = SettingsCreator.from_path_or_dict(_settings(key)).get_settings(dialect)
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


@functools.lru_cache(maxsize=16)
def why_sql(key: tuple[tuple[str, Comparison], ...]) -> str:
    """An expression over what `scoring_sql` selects: JSON of comparison → bits, with what frequencies added."""
    parts = []
    for name, levels in key:
        refined = f" + coalesce(mw_tf_adj_{name}, 0)" if any(level.tf for level in levels) else ""
        parts.append(f"'{name}', round(mw_{name}{refined}, 2)")
    return f"json_object({', '.join(parts)})::VARCHAR"


def term_columns(model: Model) -> list[str]:
    """The columns whose frequencies the model asks for."""
    return sorted({level.tf for levels in model.comparisons.values() for level in levels if level.tf})

"""Everybody matched anew: ours beside bare Splink, on the same cleaned contacts, with the same model.

    splink     its own blocking (our keys, one list a record, exploded), its predict, its clustering at our threshold
    omnihub    candidates, weights and clusters, from names to names, with every rule and guard

Values are cleaned before the clock starts, for both; blocks larger than our cap are taken from Splink's keys, too.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.measure import Measured, ask, measured, tell

SPLINK, OURS = "splink: block, predict, cluster", "omnihub: candidates, weights, clusters"


def run(folder: Path, records: int) -> list[Measured]:
    """Each side in a process of its own, Splink first."""
    ask("rematch-fill", folder, records)
    return [*ask("rematch-splink", folder), *ask("rematch-ours", folder)]


# -- each in a child ---------------------------------------------------------------------------------------------------


def fill(folder: str, records: str) -> None:
    """The features and keys of about that many contacts, and who shares too much."""
    from omnihub.match import features, shared_values
    from omnihub.model import Entity
    from tests.bench.customers import contacts

    rows, accounts = contacts(int(records))
    made, keys = features(Entity.CONTACT, rows, accounts)
    for name, found in (("features", made), ("keys", keys), ("shared", shared_values(Entity.CONTACT, made, keys))):
        pq.write_table(found, Path(folder) / f"{name}.parquet")
    tell([])


def ours(folder: str) -> None:
    """As `identify` does it, once there are features."""
    from omnihub.match import clustered, score_candidates

    model, made, keys, shared = _given(folder)

    def do() -> int:
        scored = score_candidates(model, made, keys, None, shared, why=False)
        return sum(len(cluster) for cluster in clustered(model, made, scored, shared).partition)

    tell([measured(OURS, do)])


def splink(folder: str) -> None:
    """As its users call it."""
    from omnihub.match.scoring import settings_of

    model, made, keys, shared = _given(folder)
    records = _with_keys(model, made, keys, shared)
    settings = settings_of(model)

    def do() -> int:
        from splink import DuckDBAPI, Linker, block_on
        from splink.internals.duckdb.database_api import duckdb

        con = duckdb.connect()
        con.execute("SET threads = 2")
        rule = block_on("block_keys", arrays_to_explode=["block_keys"])
        settings["blocking_rules_to_generate_predictions"] = [rule]
        linker = Linker(DuckDBAPI(connection=con).register(records), settings, log_level=logging.ERROR)
        predicted = linker.inference.predict(threshold_match_weight=model.limits.unsure)
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_weight=model.limits.same
        )
        return int(found.as_duckdbpyrelation().to_arrow_table().num_rows)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tell([measured(SPLINK, do)])


def _given(folder: str) -> tuple[Any, pa.Table, pa.Table, pa.Table]:
    """(model, features, keys, shared values)."""
    from omnihub.match import default_model, with_frequencies
    from omnihub.model import Entity

    made, keys, shared = (pq.read_table(Path(folder) / f"{name}.parquet") for name in ("features", "keys", "shared"))
    return with_frequencies(default_model(Entity.CONTACT), made), made, keys, shared


def _with_keys(model: Any, made: pa.Table, keys: pa.Table, shared: pa.Table) -> pa.Table:
    """What the comparisons see, and the keys of each record that bring pairs; how frequent values are it counts."""
    from omnihub.match.features import MAX_BLOCK
    from omnihub.match.pairs import prepared
    from omnihub.match.scoring import RECORDS, term_columns

    con = prepared(model, made, shared)
    con.register("keys", keys)
    counted = ", ".join(f"tf_{column}" for column in term_columns(model))
    found = con.sql(
        f"""WITH sized AS (SELECT key, ref FROM keys WHERE key NOT LIKE 'r:%'
                           QUALIFY count(*) OVER (PARTITION BY key) BETWEEN 2 AND {MAX_BLOCK})
            SELECT r.* {f"EXCLUDE ({counted})" if counted else ""}, coalesce(k.listed, []) AS block_keys
            FROM {RECORDS} AS r LEFT JOIN (SELECT ref, list(key) AS listed FROM sized GROUP BY ref) AS k USING (ref)"""
    ).to_arrow_table()
    con.close()
    return found

"""Candidate pairs and their weights, as sets."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from omnihub.engine import connection
from omnihub.match.features import MAX_BLOCK, SPECS, shared_values
from omnihub.match.model import FORBIDDEN, Model
from omnihub.match.scoring import CANDIDATES, RECORDS, scoring_sql, term_columns, why_sql

PAIRS = pa.schema(
    [("a", pa.string()), ("b", pa.string()), ("weight", pa.float64()), ("forbidden", pa.bool_()), ("why", pa.string())]
)
"""a < b; `weight` in bits; `why` JSON: comparison → its weight, for the unsure, for others where it was asked for."""


RARITY = pa.schema([("value", pa.string()), ("share", pa.float64())])


def score_candidates(
    model: Model,
    features: pa.Table,
    keys: pa.Table,
    active: Iterable[str] | None,
    shared: pa.Table | None = None,
    *,
    why: bool = True,
) -> pa.Table:
    """PAIRS of all that share a blocking key and have at least one side in `active` (None: all).

    features, keys: as `omnihub.match.features` gives them, of every record that shares a key with an active one.
    shared: the identifiers (value) too many share; None where the features are of all records, and tell it.
    """
    con = prepared(model, features, shared_values(model.entity, features, keys) if shared is None else shared)
    try:
        con.register("keys", keys)
        wanted = ""
        if active is not None:
            con.register("active", pa.table({"ref": pa.array(sorted(active), pa.string())}))
            wanted = "WHERE l.ref IN (SELECT ref FROM active) OR r.ref IN (SELECT ref FROM active)"
        con.execute(
            f"""CREATE TEMP TABLE {CANDIDATES} AS
                WITH blocks AS (
                    SELECT key, ref FROM keys WHERE key NOT LIKE 'r:%'
                    QUALIFY count(*) OVER (PARTITION BY key) BETWEEN 2 AND {MAX_BLOCK})
                SELECT DISTINCT l.ref AS join_key_l, r.ref AS join_key_r, '0' AS match_key FROM blocks AS l
                JOIN blocks AS r ON l.key = r.key AND l.ref < r.ref {wanted}"""
        )
        return weighed(con, model, why)
    finally:
        con.close()


def score_all_within(
    model: Model,
    features: pa.Table,
    components: pa.Table,
    shared: pa.Table,
    *,
    known: pa.Table | None = None,
    why: bool = False,
) -> pa.Table:
    """PAIRS of all inside each component (component, ref), but those that are `known`: evidence against is evidence."""
    con = prepared(model, features, shared)
    try:
        con.register("components", components)
        con.register("known", known.select(["a", "b"]) if known is not None else PAIRS.empty_table())
        con.execute(
            f"""CREATE TEMP TABLE {CANDIDATES} AS
               SELECT l.ref AS join_key_l, r.ref AS join_key_r, '0' AS match_key FROM components AS l
               JOIN components AS r ON l.component = r.component AND l.ref < r.ref
               ANTI JOIN known ON known.a = l.ref AND known.b = r.ref"""
        )
        return weighed(con, model, why)
    finally:
        con.close()


def prepared(model: Model, features: pa.Table, shared: pa.Table) -> duckdb.DuckDBPyConnection:
    """A connection with the table the comparisons see: features, who shares too much, and how frequent values are."""
    con = connection()
    con.register("features", features)
    con.register("shared", shared)
    for column in SPECS[model.entity].words:
        con.register(f"rarity_{column}", (model.frequencies or {}).get(column, RARITY.empty_table()))
    columns, joins = "", ""
    for column in term_columns(model):
        table = (model.frequencies or {}).get(column)
        if table is None:
            columns += f", NULL::DOUBLE AS tf_{column}"
        else:
            con.register(f"f_{column}", table)
            share = f"coalesce(f_{column}.share, (SELECT min(share) FROM f_{column}))"  # unknown: as the rarest known
            columns += f", CASE WHEN r.{column} IS NOT NULL THEN {share} END AS tf_{column}"
            joins += f" LEFT JOIN f_{column} ON f_{column}.value = r.{column}"
    con.execute(f"CREATE TEMP TABLE {RECORDS} AS SELECT r.*{columns} FROM ({SPECS[model.entity].ready}) AS r{joins}")
    return con


def weighed(con: duckdb.DuckDBPyConnection, model: Model, why: bool, scored: str = "") -> pa.Table:
    """PAIRS of the candidates. `scored`: a SELECT of what Splink makes of them, where that is known already."""
    limits = model.limits
    doubt = f"match_weight >= {limits.unsure} AND match_weight < {limits.same}"
    told = why_sql(model.key) if why else f"CASE WHEN {doubt} THEN {why_sql(model.key)} END"
    return con.sql(
        f"""SELECT ref_l AS a, ref_r AS b, match_weight::DOUBLE AS weight, match_weight < {FORBIDDEN} AS forbidden,
                   {told} AS why
            FROM ({scored or scoring_sql(model.key)}) ORDER BY 1, 2"""
    ).to_arrow_table()

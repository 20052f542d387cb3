"""Candidate pairs and their weights, as sets."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from omnihub.engine import connection
from omnihub.match.weights import COMPARISONS, FORBIDDEN, SHARED, Levels
from omnihub.model import Entity

MAX_BLOCK = 100  # a key that more records share tells nobody apart; all its members have other keys too

PAIRS = pa.schema(
    [("a", pa.string()), ("b", pa.string()), ("weight", pa.float64()), ("forbidden", pa.bool_()), ("why", pa.string())]
)
"""a < b; `weight` in bits; `why` JSON: comparison → its weight."""


def score_candidates(entity: Entity, features: pa.Table, keys: pa.Table, active: Iterable[str]) -> pa.Table:
    """Weights of all pairs that share a blocking key and have at least one side in `active`.

    features, keys: as `omnihub.match.features` gives them, of every record that shares a key with an active one.
    """
    con = _connect(entity, features)
    try:
        con.register("keys", keys)
        con.register("active", pa.table({"ref": pa.array(sorted(active), pa.string())}))
        con.execute(
            f"""CREATE TEMP TABLE candidates AS
                WITH blocks AS (
                    SELECT key, ref FROM keys WHERE key NOT LIKE 'r:%'
                    QUALIFY count(*) OVER (PARTITION BY key) <= {MAX_BLOCK})
                SELECT DISTINCT l.ref AS a, r.ref AS b FROM blocks AS l
                JOIN blocks AS r ON l.key = r.key AND l.ref < r.ref
                WHERE l.ref IN (SELECT ref FROM active) OR r.ref IN (SELECT ref FROM active)"""
        )
        return _weighed(con, entity)
    finally:
        con.close()


def score_all_within(entity: Entity, features: pa.Table, components: pa.Table) -> pa.Table:
    """Weights of all pairs inside each component (component, ref): evidence against is evidence too."""
    con = _connect(entity, features)
    try:
        con.register("components", components)
        con.execute(
            """CREATE TEMP TABLE candidates AS
               SELECT l.ref AS a, r.ref AS b FROM components AS l JOIN components AS r
               ON l.component = r.component AND l.ref < r.ref"""
        )
        return _weighed(con, entity)
    finally:
        con.close()


def _connect(entity: Entity, features: pa.Table) -> duckdb.DuckDBPyConnection:
    """A connection with the features, and for contacts which of their phones are their own, not a switchboard's."""
    con = connection()
    con.register("given_features", features)
    if entity is Entity.CONTACT:
        con.execute(
            f"""CREATE TEMP TABLE features AS
               WITH lines AS (SELECT ref, last, unnest(phones) AS phone FROM given_features),
               own AS (SELECT phone FROM lines GROUP BY phone HAVING count(DISTINCT last) < {SHARED})
               SELECT f.*, coalesce(o.phones, []) AS own_phones FROM given_features AS f
               LEFT JOIN (SELECT ref, list(phone ORDER BY phone) AS phones FROM lines JOIN own USING (phone)
                          GROUP BY ref) AS o USING (ref)"""
        )
    else:
        con.execute("CREATE TEMP TABLE features AS SELECT * FROM given_features")
    return con


def _weighed(con: duckdb.DuckDBPyConnection, entity: Entity) -> pa.Table:
    compared = COMPARISONS[entity]
    columns = ", ".join(f"{_case(levels)} AS w_{name}" for name, levels in compared.items())
    total = " + ".join(f"w_{name}" for name in compared)
    why = ", ".join(f"'{name}', w_{name}" for name in compared)
    return con.sql(
        f"""SELECT a, b, ({total})::DOUBLE AS weight, forbidden, json_object({why})::VARCHAR AS why
            FROM (SELECT a.ref AS a, b.ref AS b, coalesce({FORBIDDEN[entity]}, false) AS forbidden, {columns}
                  FROM candidates AS c JOIN features AS a ON a.ref = c.a JOIN features AS b ON b.ref = c.b)
            ORDER BY 1, 2"""
    ).to_arrow_table()


def _case(levels: Levels) -> str:
    return (
        "(CASE " + " ".join(f"WHEN {condition} THEN {weight}" for condition, weight in levels) + " ELSE 0 END)::DOUBLE"
    )

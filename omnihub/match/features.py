"""What is compared of each record, and the keys under which it can be found by those that might be the same.

Values are turned into comparison keys once per distinct value. Blocking keys are the rows of the store's `keys` table;
they begin with a letter that says what they are made of. What is derived of each entity, and how, stands in `contacts`,
`accounts` and `products`.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa

from omnihub.engine import connection
from omnihub.match import accounts as account
from omnihub.match import contacts as contact
from omnihub.match import products as product
from omnihub.match.model import Model
from omnihub.match.spec import Spec, key_of
from omnihub.model import Entity, Kind

ROWS = pa.schema([("ref", pa.string()), ("system", pa.string()), ("fields", pa.string()), ("own", pa.string())])
"""What features are made of: living refined records of one entity. `own`: what the system itself said last in fields
that now hold what we wrote there: our own words are no evidence of who is who."""

ACCOUNTS = pa.schema([("ref", pa.string()), ("golden_id", pa.string()), ("name", pa.string())])
"""For contacts: the golden account behind each account ref, and its golden name."""

SPECS: dict[Entity, Spec] = {
    Entity.CONTACT: contact.SPEC,
    Entity.ACCOUNT: account.SPEC,
    Entity.PRODUCT: product.SPEC,
}

MAX_KEY = 200  # characters; a longer one is junk, and more than a database's index takes
MAX_BLOCK = 100  # a key that more records share tells nobody apart; all its members have other keys too
SHARED = 4  # so many different holders behind one identifier make it a switchboard, not a sign of who somebody is


def default_model(entity: Entity) -> Model:
    """What comes with the hub: for use without training, on any number of records."""
    spec = SPECS[entity]
    return Model(entity, spec.comparisons, spec.limits)


def features(entity: Entity, rows: pa.Table, accounts: pa.Table | None = None) -> tuple[pa.Table, pa.Table]:
    """(features, keys) of the records: one row a record, and (key, ref) pairs. `rows`, `accounts`: see the schemas."""
    spec = SPECS[entity]
    con = connection()
    try:
        con.register("rows", rows)
        con.register("accounts", accounts if accounts is not None else ACCOUNTS.empty_table())
        _derive(con, spec)
        if entity is Entity.CONTACT:
            con.register("company_keys", _made(con, "SELECT DISTINCT name AS text FROM accounts", key_of(Kind.COMPANY)))
        con.execute(f"CREATE TEMP TABLE features AS {spec.features}")
        union = " UNION ".join(f"SELECT {key} AS key, ref FROM features" for key in spec.keys)
        keys = con.sql(
            f"SELECT key, ref FROM ({union}) WHERE length(key) <= {MAX_KEY} ORDER BY key, ref"
        ).to_arrow_table()
        return con.sql("SELECT * FROM features ORDER BY ref").to_arrow_table(), keys
    finally:
        con.close()


def shared_values(entity: Entity, given: pa.Table, keys: pa.Table) -> pa.Table:
    """(value) of the identifiers too many share: SHARED or more different holders, or more records than a block takes.

    given, keys: the features and keys of all records that have one of the identifiers in question.
    """
    con = connection()
    try:
        con.register("features", given)
        con.register("keys", keys)
        return con.sql(
            f"""WITH held AS (SELECT value, holder FROM ({SPECS[entity].holders}) WHERE value IS NOT NULL)
                SELECT value FROM held GROUP BY value HAVING count(DISTINCT holder) >= {SHARED}
                UNION SELECT key FROM keys SEMI JOIN held ON held.value = keys.key
                      GROUP BY key HAVING count(*) > {MAX_BLOCK}
                ORDER BY value"""
        ).to_arrow_table()
    finally:
        con.close()


def frequencies(entity: Entity, given: pa.Table) -> dict[str, pa.Table]:
    """column → (value, share) over these features, for the columns whose frequencies count and those of words. What
    was seen once is left out: what nobody knows is at least as rare."""
    con = connection()
    try:
        con.register("features", given)
        of_values = {column: _shares(con, column) for column in SPECS[entity].frequencies}
        return of_values | {column: _word_shares(con, column) for column in SPECS[entity].words}
    finally:
        con.close()


def _shares(con: duckdb.DuckDBPyConnection, column: str) -> pa.Table:
    """How many of the values are this one."""
    return con.sql(
        f"""SELECT value, n / sum(n) OVER () AS share
            FROM (SELECT {column} AS value, count(*) AS n FROM features WHERE {column} IS NOT NULL GROUP BY 1)
            QUALIFY n > 1 ORDER BY value"""
    ).to_arrow_table()


def _word_shares(con: duckdb.DuckDBPyConnection, column: str) -> pa.Table:
    """How many of the records say this word."""
    return con.sql(
        f"""SELECT value, count(*) / (SELECT count(*) FROM features) AS share
            FROM (SELECT unnest(list_distinct({column})) AS value FROM features)
            GROUP BY value HAVING count(*) > 1 ORDER BY value"""
    ).to_arrow_table()


def _derive(con: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """The table `derived`: each record with its derived values as columns."""
    sources = {source: f"s{n}" for n, source in enumerate(sorted({d.source for d in spec.derived}))}
    picked = ", ".join(f"""json_extract_string(fields, '$."{source}"') AS {name}""" for source, name in sources.items())
    con.execute(
        f"""CREATE TEMP TABLE picked AS SELECT ref, system, {picked}
            FROM (SELECT ref, system, json_merge_patch(fields, coalesce(own, '{{}}')) AS fields FROM rows)"""
    )
    joins = []
    for d in spec.derived:
        source = sources[d.source]
        con.register(f"m_{d.name}", _made(con, f"SELECT DISTINCT {source} AS text FROM picked", d.make))
        joins.append(f"LEFT JOIN m_{d.name} ON m_{d.name}.text = picked.{source}")
    columns = ", ".join(f"m_{d.name}.value AS {d.name}" for d in spec.derived)
    con.execute(
        f"CREATE TEMP TABLE derived AS SELECT picked.ref, picked.system, {columns} FROM picked {' '.join(joins)}"
    )


def _made(con: duckdb.DuckDBPyConnection, distinct: str, make: Callable[[str], str | None]) -> pa.Table:
    """text → value, for each distinct text."""
    texts = [t for t in con.sql(distinct).to_arrow_table().column("text").to_pylist() if t is not None]
    return pa.table({"text": pa.array(texts, pa.string()), "value": pa.array([make(t) for t in texts], pa.string())})

"""What is compared of each record, and the keys under which it can be found by those that might be the same.

Values are turned into comparison keys once per distinct value. Blocking keys are the rows of the store's `keys` table;
they begin with a letter that says what they are made of. What is derived of each entity, and how, stands in `contacts`,
`accounts` and `products`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
        con.register("derived", _derived(con, spec))
        if entity is Entity.CONTACT:
            con.register("company_keys", _company_keys(con))
        con.execute(f"CREATE TEMP TABLE features AS {spec.features}")
        keys = con.sql(
            f"SELECT key, ref FROM ({_keys_sql(spec)}) WHERE length(key) <= {MAX_KEY} ORDER BY key, ref"
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
    """column → (value, share) over these features, for the columns whose frequencies count and those of words; and what
    is asked of the population. What was seen once is left out: what nobody knows is at least as rare."""
    spec, con = SPECS[entity], connection()
    try:
        con.register("features", given)
        of_values = {column: _shares(con, column) for column in spec.frequencies}
        of_words = {column: _word_shares(con, column) for column in spec.words}
        return of_values | of_words | {name: con.sql(sql).to_arrow_table() for name, sql in spec.population.items()}
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


def _derived(con: duckdb.DuckDBPyConnection, spec: Spec) -> pa.Table:
    """The table `derived`: each record with its derived values as columns."""
    sources = sorted({d.source for d in spec.derived})
    paths = ", ".join(f"""'$."{source}"'""" for source in sources)  # all at once: each alone would read the JSON again
    columns = ", ".join(f"said[{n}] AS s{n}" for n in range(1, len(sources) + 1))
    picked = con.sql(
        f"""SELECT ref, system, {columns}
            FROM (SELECT ref, system, json_extract_string(
                      CASE WHEN coalesce(own, '{{}}') = '{{}}' THEN fields::JSON ELSE json_merge_patch(fields, own) END,
                      [{paths}]) AS said FROM rows)"""
    ).to_arrow_table()
    made = {}
    for n, source in enumerate(sources, 2):
        said = picked.column(n).combine_chunks().dictionary_encode()
        texts = said.dictionary.to_pylist()
        for d in (d for d in spec.derived if d.source == source):
            made[d.name] = _made(texts, d.make).take(said.indices)
    return pa.table({"ref": picked["ref"], "system": picked["system"]} | {d.name: made[d.name] for d in spec.derived})


def _keys_sql(spec: Spec) -> str:
    """(key, ref), each once. All keys of a record in one list: a SELECT for each takes longer to plan than a few
    records take to read. One that is several of a record's already has to stand alone."""
    several = [key for key in spec.keys if "unnest(" in key]
    listed = ", ".join(key for key in spec.keys if key not in several)
    parts = [f"unnest(list_distinct([{listed}]))", *several]
    return " UNION ".join(f"SELECT {part} AS key, ref FROM features" for part in parts)


def _company_keys(con: duckdb.DuckDBPyConnection) -> pa.Table:
    texts = [name for name in con.table("accounts").to_arrow_table()["name"].unique().to_pylist() if name is not None]
    return pa.table({"text": pa.array(texts, pa.string()), "value": _made(texts, key_of(Kind.COMPANY))})


def _made(texts: Sequence[str], make: Callable[[str], str | None]) -> pa.Array:
    return pa.array([make(text) for text in texts], pa.string())

"""Candidate pairs and their weights, as sets.

Records are told apart by number here, their place among the features: a few million keys and pairs are told and sorted
in a fraction of the time it takes with their names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from omnihub.engine import connection
from omnihub.match.features import MAX_BLOCK, SPECS, shared_values
from omnihub.match.model import FORBIDDEN, Model
from omnihub.match.scoring import CANDIDATES, RECORDS, compared, scoring_sql, term_columns, why_sql

PAIRS = pa.schema(
    [("a", pa.string()), ("b", pa.string()), ("weight", pa.float64()), ("forbidden", pa.bool_()), ("why", pa.string())]
)
"""a < b; `weight` in bits; `why` JSON: comparison → its weight, for the unsure, for others where it was asked for."""

RARITY = pa.schema([("value", pa.string()), ("share", pa.float64())])

NUMBER = "number"  # the column of RECORDS that numbers them

Ints = npt.NDArray[np.int64]


def score_candidates(
    model: Model,
    features: pa.Table,
    keys: pa.Table,
    active: Iterable[str] | None,
    shared: pa.Table | None = None,
    *,
    why: bool = True,
    one_to_one: Collection[str] = (),
) -> pa.Table:
    """PAIRS of all that share a blocking key and have at least one side in `active` (None: all).

    features, keys: as `omnihub.match.features` gives them, of every record that shares a key with an active one.
    shared: the identifiers (value) too many share; None where the features are of all records, and tell it.
    one_to_one: the systems that hold no doubles: no two records of such a system are a pair.
    """
    shared = shared_values(model.entity, features, keys) if shared is None else shared
    names = _names(features)
    finding = keys.filter(pc.invert(pc.starts_with(keys["key"], "r:")))
    a, b = _pairs(*_blocks(finding["key"], _numbers(finding["ref"], names), MAX_BLOCK), len(names))
    if active is not None:
        wanted = pc.is_in(names, value_set=pa.array(list(active), pa.string())).to_numpy(zero_copy_only=False)
        kept = wanted[a] | wanted[b]
        a, b = a[kept], b[kept]
    if one_to_one:
        home = _homes(features, names, one_to_one)
        kept = (home[a] != home[b]) | (home[a] < 0)
        a, b = a[kept], b[kept]
    return _scored(model, features, shared, names, a, b, why)


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
    names = _names(features)
    members = _numbers(components["ref"], names)
    a, b = _pairs(*_blocks(components["component"], members, len(names)), len(names))
    if known is not None and known.num_rows:
        there = _numbers(known["a"], names) * len(names) + _numbers(known["b"], names)
        fresh = ~np.isin(a * len(names) + b, there)
        a, b = a[fresh], b[fresh]
    return _scored(model, features, shared, names, a, b, why)


# -- who is looked at beside whom ------------------------------------------------------------------------------------


def _homes(features: pa.Table, names: pa.Array, one_to_one: Collection[str]) -> Ints:
    """For each record the number of its system among those that hold no doubles; -1 for any other."""
    system = features["system"].take(pc.index_in(names, value_set=features["ref"].combine_chunks()))
    found = pc.index_in(system, value_set=pa.array(sorted(one_to_one), pa.string()))
    homes: Ints = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return homes


def _names(features: pa.Table) -> pa.Array:
    """The refs in order: a record's number is its place here."""
    refs = features["ref"].combine_chunks()
    return refs if _ordered(refs) else refs.take(pc.sort_indices(refs))


def _numbers(refs: pa.ChunkedArray, names: pa.Array) -> Ints:
    """-1 for those that are not among the names."""
    found: Ints = pc.fill_null(pc.index_in(refs, value_set=names), -1).to_numpy().astype(np.int64)
    return found


def _ordered(values: pa.Array | pa.ChunkedArray) -> bool:
    return pc.all(pc.less_equal(values[:-1], values[1:])).as_py() is not False


def _blocks(by: pa.ChunkedArray, members: Ints, most: int) -> tuple[Ints, Ints]:
    """(block, member) of the blocks of two to `most` records, block by block, and in each by number."""
    by = by.combine_chunks()
    changes = pc.not_equal(by[1:], by[:-1]) if _ordered(by) else None
    if changes is None:  # keys come in order from the features; others are numbered first
        block = by.dictionary_encode().indices.to_numpy().astype(np.int64)
    else:
        block = np.concatenate([[0], np.cumsum(changes.to_numpy(zero_copy_only=False))])[: len(by)].astype(np.int64)
    size = np.bincount(block, minlength=1)[block]
    kept = (size >= 2) & (size <= most) & (members >= 0)
    block, members = block[kept], members[kept]
    order = np.lexsort((members, block))
    return block[order], members[order]


def _pairs(block: Ints, members: Ints, count: int) -> tuple[Ints, Ints]:
    """Each two members of a block once, the smaller number first: those beside each other, those two apart, …"""
    found, apart = [np.empty(0, dtype=np.int64)], 1
    at = np.flatnonzero(block[:-apart] == block[apart:])
    while len(at):
        found.append(members[at] * count + members[at + apart])
        apart += 1
        at = at[at + apart < len(block)]
        at = at[block[at] == block[at + apart]]
    both = np.unique(np.concatenate(found))
    a, b = both // max(count, 1), both % max(count, 1)
    return a[a != b], b[a != b]


# -- what they weigh -------------------------------------------------------------------------------------------------


def _scored(
    model: Model, features: pa.Table, shared: pa.Table, names: pa.Array, a: Ints, b: Ints, why: bool
) -> pa.Table:
    """PAIRS of the records of these numbers."""
    if not len(a):
        return PAIRS.empty_table()
    numbered = features.append_column(NUMBER, pa.array(_numbers(features["ref"], names)))
    con = prepared(model, numbered, shared, narrow=True)
    try:
        con.register("wanted", pa.table({"a": a, "b": b}))
        con.execute(
            f"CREATE TEMP VIEW {CANDIDATES} AS SELECT a AS join_key_l, b AS join_key_r, '0' AS match_key FROM wanted"
        )
        found = _weighed(con, model, why, scoring_sql(model.key, name=NUMBER), NUMBER)
    finally:
        con.close()
    ends = (names.take(found[side].combine_chunks()) for side in ("a", "b"))
    return pa.Table.from_arrays([*ends, *found.columns[2:]], schema=PAIRS)


def prepared(model: Model, features: pa.Table, shared: pa.Table, *, narrow: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection with the table the comparisons see: features, who shares too much, and how frequent values are.

    narrow: only the columns the comparisons look at, and NUMBER.
    """
    con = connection()
    con.register("features", features)
    con.register("shared", shared)
    spec, counted = SPECS[model.entity], model.frequencies or {}
    for column in spec.words:
        con.register(f"rarity_{column}", counted.get(column, RARITY.empty_table()))
    for name in spec.population:
        con.register(f"population_{name}", counted.get(name, RARITY.empty_table()))
    columns = ", ".join(f"r.{name}" for name in sorted({NUMBER, *compared(model.key)})) if narrow else "r.*"
    joins = ""
    for column in term_columns(model):
        table = counted.get(column)
        if table is None:
            columns += f", NULL::DOUBLE AS tf_{column}"
        else:
            con.register(f"f_{column}", table)
            share = f"coalesce(f_{column}.share, (SELECT min(share) FROM f_{column}))"  # unknown: as the rarest known
            columns += f", CASE WHEN r.{column} IS NOT NULL THEN {share} END AS tf_{column}"
            joins += f" LEFT JOIN f_{column} ON f_{column}.value = r.{column}"
    con.execute(f"CREATE TEMP TABLE {RECORDS} AS SELECT {columns} FROM ({spec.ready}) AS r{joins}")
    return con


def weighed(con: duckdb.DuckDBPyConnection, model: Model, why: bool, scored: str) -> pa.Table:
    """PAIRS of the candidates. `scored`: a SELECT of what Splink makes of them, by ref."""
    return _weighed(con, model, why, scored, "ref")


def _weighed(con: duckdb.DuckDBPyConnection, model: Model, why: bool, scored: str, name: str) -> pa.Table:
    """As PAIRS, the records called by `name`."""
    limits = model.limits
    doubt = f"match_weight >= {limits.unsure} AND match_weight < {limits.same}"
    told = why_sql(model.key) if why else f"CASE WHEN {doubt} THEN {why_sql(model.key)} END"
    con.execute(  # into a table: a relation of this text would be planned twice, and that is most of it for a few pairs
        f"""CREATE TEMP TABLE weighed AS
            SELECT {name}_l AS a, {name}_r AS b, match_weight::DOUBLE AS weight,
                   match_weight < {FORBIDDEN} AS forbidden, {told} AS why
            FROM ({scored})"""
    )
    return con.sql("FROM weighed ORDER BY a, b").to_arrow_table()

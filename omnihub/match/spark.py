"""The same matching on Spark: candidates and weights of a full re-match that no longer fits one machine.

    features, keys ──Parquet──▶ Spark: pairs that share a key ─▶ Splink's SQL ──Parquet──▶ PAIRS

What is compared is made ready by the hub's own engine, and the model is the very same: its conditions are translated,
its frequencies come along as columns. So pairs and weights are those of `score_candidates`. It is slower by far where
one machine is enough. Needs `omnihub[spark]` and Java.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from omnihub.engine import connection
from omnihub.errors import ConfigError
from omnihub.match.features import MAX_BLOCK
from omnihub.match.model import ELSE, Comparison, Model
from omnihub.match.pairs import PAIRS, prepared, weighed
from omnihub.match.scoring import CANDIDATES, RECORDS, scoring_sql

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What Spark, or Splink's jar for it, calls what sqlglot would write otherwise.
_FUNCTIONS: dict[type[exp.Expr], str] = {exp.JarowinklerSimilarity: "JARO_WINKLER", exp.ArrayOverlaps: "ARRAYS_OVERLAP"}
_CALLED = {"jaro_similarity": "JARO_SIM", "list_intersect": "ARRAY_INTERSECT", "list_sum": "AGGREGATE"}
_ADDING = sqlglot.parse_one("adding(CAST(0 AS BIGINT), (a, b) -> a + b)", read="spark").expressions

_BLOCKS = f"""
    WITH sized AS (SELECT key, ref, count(*) OVER (PARTITION BY key) AS n FROM keys WHERE key NOT LIKE 'r:%'),
         blocks AS (SELECT key, ref FROM sized WHERE n BETWEEN 2 AND {MAX_BLOCK})
    SELECT DISTINCT l.ref AS join_key_l, r.ref AS join_key_r, '0' AS match_key
    FROM blocks AS l JOIN blocks AS r ON l.key = r.key AND l.ref < r.ref"""


def session(**settings: str) -> SparkSession:
    """The Spark session of this process, with Splink's functions. Which cluster, and all else, is told where Spark
    looks by itself (spark-defaults.conf, PYSPARK_SUBMIT_ARGS); without that it is this machine.

    settings: Spark's own, stronger than those, with _ for the dots.
    """
    try:
        from pyspark.sql import SparkSession
        from splink.internals.spark.jar_location import similarity_jar_location
    except ImportError:
        raise ConfigError("engine: spark needs PySpark; install omnihub[spark], or write engine: duckdb") from None
    builder = SparkSession.builder.appName("omnihub").config("spark.jars", similarity_jar_location())
    builder = builder.config("spark.sql.ansi.enabled", "false")  # what isn't there is NULL, no error, as in DuckDB
    for name, value in settings.items():
        builder = builder.config(name.replace("_", "."), value)
    try:
        found: SparkSession = builder.getOrCreate()
        return found
    except Exception as error:  # noqa: BLE001  what PySpark raises without Java differs by version
        why = f"{type(error).__name__}; it needs Java 17 or newer"
        raise ConfigError(f"engine: spark can't start ({why}); or write engine: duckdb") from None


def score_candidates_on_spark(
    spark: SparkSession,
    model: Model,
    features: pa.Table,
    keys: pa.Table,
    shared: pa.Table,
    *,
    folder: Path | None = None,
    why: bool = True,
) -> pa.Table:
    """PAIRS of all records that share a blocking key: as `score_candidates` with everything active.

    folder: where this machine and the cluster can both read and write; None: a temporary one.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="omnihub-spark-", dir=folder) as own:
        return _scored(spark, model, features, keys, shared, Path(own), why)


def _scored(
    spark: SparkSession, model: Model, features: pa.Table, keys: pa.Table, shared: pa.Table, folder: Path, why: bool
) -> pa.Table:
    texts = _hand_over(model, features, keys, shared, folder)
    for name in (RECORDS, "keys"):
        spark.read.parquet(_url(folder / f"{name}.parquet")).createOrReplaceTempView(name)
    spark.sparkContext.setCheckpointDir(_url(folder / "checkpoints"))
    api = _api(spark)
    _run(api, _BLOCKS, CANDIDATES).createOrReplaceTempView(CANDIDATES)
    scored = _run(api, scoring_sql(translated(model, texts).key, "spark"), "__splink__df_predict")
    found = folder / "scored"
    scored.write.mode("overwrite").parquet(_url(found))
    return _taken_back(model, found, why)


def _hand_over(model: Model, features: pa.Table, keys: pa.Table, shared: pa.Table, folder: Path) -> list[str]:
    """Write down what is compared, and the keys. The columns that hold text."""
    con = prepared(model, features, shared)
    try:
        con.table(RECORDS).write_parquet(str(folder / f"{RECORDS}.parquet"))
        con.from_arrow(keys).write_parquet(str(folder / "keys.parquet"))
        ready = con.table(RECORDS)
        return [name for name, kind in zip(ready.columns, ready.types, strict=True) if str(kind) == "VARCHAR"]
    finally:
        con.close()


def _taken_back(model: Model, found: Path, why: bool) -> pa.Table:
    files = sorted(str(path) for path in found.glob("*.parquet"))
    if not files:
        return PAIRS.empty_table()
    con = connection()
    try:
        con.read_parquet(files).create_view("scored")
        return weighed(con, model, why, "SELECT * FROM scored")
    finally:
        con.close()


def _api(spark: SparkSession) -> Any:
    from splink.internals.spark.database_api import SparkAPI

    make: Any = SparkAPI
    return make(spark_session=spark, break_lineage_method="parquet")


def _run(api: Any, sql: str, name: str) -> Any:
    """The data frame of this SQL, its lineage cut: Spark would work everything out again for each use."""
    from splink.internals.pipeline import CTEPipeline

    pipeline = CTEPipeline()
    pipeline.enqueue_sql(sql, name)
    return api.sql_pipeline_to_splink_dataframe(pipeline).as_spark_dataframe()


def _url(path: Path) -> str:
    return path.absolute().as_uri()


# -- the model in Spark's words --------------------------------------------------------------------------------------


def translated(model: Model, texts: Collection[str]) -> Model:
    """The model with its conditions in Spark's SQL. `texts`: those of the compared columns that hold text, no lists."""
    known = frozenset(texts)

    def said(levels: Comparison) -> Comparison:
        return tuple(replace(level, when=in_spark(level.when, known)) for level in levels)

    return replace(model, comparisons={name: said(levels) for name, levels in model.comparisons.items()})


@functools.lru_cache(maxsize=512)
def in_spark(sql: str, texts: frozenset[str] = frozenset()) -> str:
    """DuckDB's SQL in Spark's.

    >>> in_spark("list_has_any(a_l, a_r) AND jaro_winkler_similarity(b_l, b_r) >= 0.9")
    'ARRAYS_OVERLAP(a_l, a_r) AND JARO_WINKLER(b_l, b_r) >= 0.9'
    >>> in_spark("list_has_all(a_l, a_r)")
    'FORALL(a_r, word -> ARRAY_CONTAINS(a_l, word))'
    >>> in_spark("a_l[1] = a_r[1]"), in_spark("a_l[1] = 'x'", frozenset({"a"}))
    ('a_l[0] = a_r[0]', "SUBSTRING(a_l, 1, 1) = 'x'")
    """
    if sql == ELSE:
        return sql
    return sqlglot.parse_one(sql, read="duckdb").transform(_said, texts).sql(dialect="spark")


def _said(node: exp.Expr, texts: frozenset[str]) -> exp.Expr:
    if name := _FUNCTIONS.get(type(node)):
        return exp.Anonymous(this=name, expressions=[node.this, node.expression])
    if isinstance(node, exp.Anonymous) and node.name.lower() in _CALLED:
        adding = _ADDING if node.name.lower() == "list_sum" else []  # of whole numbers; Spark folds, DuckDB adds
        node.set("expressions", [*node.expressions, *(part.copy() for part in adding)])
        node.set("this", _CALLED[node.name.lower()])  # not another node: what is inside it has its turn, too
        return node
    if isinstance(node, exp.Anonymous) and node.name.lower() == "list_has_all":
        return _has_all(*node.expressions)
    if isinstance(node, exp.Bracket) and node.this.name[:-2] in texts:  # a letter of a text; sqlglot counts from 0
        return exp.Substring(
            this=node.this, start=exp.Literal.number(int(node.expressions[0].name) + 1), length=exp.Literal.number(1)
        )
    return node


def _has_all(some: exp.Expr, wanted: exp.Expr) -> exp.Expr:
    """Spark has no function for it; NULL where either list is, as in DuckDB."""
    word = exp.Identifier(this="word")
    return exp.Anonymous(
        this="FORALL",
        expressions=[
            wanted,
            exp.Lambda(this=exp.Anonymous(this="ARRAY_CONTAINS", expressions=[some, word]), expressions=[word]),
        ],
    )

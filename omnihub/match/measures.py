"""How good a partition is, held against the truth: pairwise and B³ figures, as sets.

pairwise   of the pairs it puts together, how many belong together (precision); of those that belong together, how
           many it puts together (recall). Large clusters count most
B³         the same asked of each record about its own cluster, in the mean. Every record counts alike
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnihub.engine import connection
from omnihub.match.linkage import components

LABELS = pa.schema([("ref", pa.string()), ("system", pa.string()), ("truth", pa.string())])
"""Who is really who: records with the same `truth` are the same; NULL: nobody knows, the record is left out."""

TRUE_PAIRS = pa.schema([("a", pa.string()), ("b", pa.string())])
"""Pairs of refs that are the same, in either order."""


@dataclass(frozen=True)
class Figures:
    """Precision, recall and their harmonic mean."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Quality:
    """`right` of the `found` pairs are among the `true` ones. The clusters are those of the records with a truth."""

    pairwise: Figures
    b3: Figures
    right: int
    found: int
    true: int
    clusters_found: int
    clusters_true: int
    largest: int
    unlabelled: int


def figures(right: float, found: float, true: float) -> Figures:
    """Of counts. Where there is nothing to find and nothing was found, that is perfect.

    >>> figures(1, 2, 4)
    Figures(precision=0.5, recall=0.25, f1=0.3333333333333333)
    >>> figures(0, 0, 3).precision, figures(0, 0, 0).f1
    (0.0, 1.0)
    """
    if not found and not true:
        return Figures(1.0, 1.0, 1.0)
    precision, recall = right / found if found else 0.0, right / true if true else 0.0
    return Figures(precision, recall, _harmonic(precision, recall))


def quality(partition: Iterable[Sequence[str]], labels: pa.Table, across: bool = False) -> Quality:
    """The partition beside LABELS. `across`: pairwise counts only pairs of two systems.

    A record the partition doesn't name is a cluster of its own.
    """
    con = connection()
    try:
        _load(con, partition, labels)
        right, found, true = _counts(con, across)
        return _quality(con, right, found, true)
    finally:
        con.close()


def quality_by_pairs(partition: Iterable[Sequence[str]], labels: pa.Table, pairs: pa.Table) -> Quality:
    """Two systems linked, and the truth TRUE_PAIRS across them, counted exactly as given.

    `labels`: the records there are; B³ takes what the pairs connect for the same.
    """
    con = connection()
    try:
        _load(con, partition, labels_of(labels, pairs))
        con.register("given", pairs)
        con.execute(
            """CREATE TEMP TABLE pairs AS
               SELECT DISTINCT least(a, b) AS a, greatest(a, b) AS b FROM given WHERE a <> b"""
        )
        found = _counts(con, across=True)[1]
        [(right, true)] = con.execute(
            """SELECT count(*) FILTER (l.found = r.found), count(*) FROM pairs
               LEFT JOIN labelled AS l ON l.ref = a LEFT JOIN labelled AS r ON r.ref = b"""
        ).fetchall()
        return _quality(con, right, found, true)
    finally:
        con.close()


def labels_of(labels: pa.Table, pairs: pa.Table) -> pa.Table:
    """The labels with what the pairs connect, directly or not, as the truth."""
    refs = labels.column("ref").combine_chunks()
    a, b = (
        np.asarray(pc.index_in(pairs.column(side).combine_chunks(), value_set=refs), dtype=np.int64)
        for side in ("a", "b")
    )
    truth = refs.take(pa.array(components(len(refs), a, b)))
    return labels.set_column(2, "truth", truth).cast(LABELS)


def _load(con: duckdb.DuckDBPyConnection, partition: Iterable[Sequence[str]], labels: pa.Table) -> None:
    """The table `labelled`: each judged record with its found and its true cluster."""
    refs: list[str] = []
    numbers: list[int] = []
    for number, group in enumerate(partition):
        refs += group
        numbers += [number] * len(group)
    con.register("partition", pa.table({"ref": pa.array(refs, pa.string()), "found": pa.array(numbers, pa.int64())}))
    con.register("labels", labels)
    con.execute(
        """CREATE TEMP TABLE labelled AS
           SELECT ref, system, truth, coalesce(p.found::VARCHAR, 'alone ' || ref) AS found
           FROM labels LEFT JOIN partition AS p USING (ref)"""
    )
    con.execute("CREATE TEMP TABLE judged AS SELECT * FROM labelled WHERE truth IS NOT NULL")


def _counts(con: duckdb.DuckDBPyConnection, across: bool) -> tuple[int, int, int]:
    """(right, found, true) pairs."""
    return _pairs_in(con, "found, truth", across), _pairs_in(con, "found", across), _pairs_in(con, "truth", across)


def _pairs_in(con: duckdb.DuckDBPyConnection, group: str, across: bool) -> int:
    # All pairs of a group less those inside one system: n² - Σ nₛ², halved.
    inside = "sum(n * n)" if across else "sum(n)"
    [(pairs,)] = con.execute(
        f"""SELECT coalesce(sum(pairs), 0)::BIGINT FROM (
                SELECT (sum(n) * sum(n) - {inside}) / 2 AS pairs
                FROM (SELECT {group}, system, count(*) AS n FROM judged GROUP BY {group}, system) GROUP BY {group})"""
    ).fetchall()
    return int(pairs)


def _quality(con: duckdb.DuckDBPyConnection, right: int, found: int, true: int) -> Quality:
    [(precision, recall)] = con.execute(
        """WITH cells AS (SELECT found, truth, count(*) AS n FROM judged GROUP BY found, truth),
                sized AS (SELECT n, sum(n) OVER (PARTITION BY found) AS of_found,
                                 sum(n) OVER (PARTITION BY truth) AS of_truth FROM cells)
           SELECT coalesce(sum(n * n / of_found) / sum(n), 1), coalesce(sum(n * n / of_truth) / sum(n), 1) FROM sized"""
    ).fetchall()
    [(clusters_found, clusters_true, largest)] = con.execute(
        """SELECT count(DISTINCT found), count(DISTINCT truth),
                  (SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM judged GROUP BY found)) FROM judged"""
    ).fetchall()
    [(unlabelled,)] = con.execute("SELECT count(*) FROM labelled WHERE truth IS NULL").fetchall()
    return Quality(
        pairwise=figures(right, found, true),
        b3=Figures(precision, recall, _harmonic(precision, recall)),
        right=right,
        found=found,
        true=true,
        clusters_found=clusters_found,
        clusters_true=clusters_true,
        largest=largest,
        unlabelled=unlabelled,
    )


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

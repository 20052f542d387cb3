"""Clusters of weighed pairs: ours beside Splink's connected components, on the same pairs, with the truth known.

    splink           its own clustering at our upper threshold, forbidden pairs left out
    omnihub          every rule and guard, from names to names, and what is queued with its reason
    … by number      the same without the names: what the linkage itself costs

The records are invented: customers of one to eight records whose pairs mostly agree, some of them unseen; pairs of
strangers that mostly disagree; and strangers who share something (families, offices, a switchboard of thousands), whose
pairs say a little and now and then too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from omnihub.match.model import Thresholds
from tests.bench.measure import Measured, ask, measured, tell

SPLINK, OURS, NUMBERS = "splink: connected components", "omnihub", "omnihub, by number"
LIMITS = Thresholds(same=10.0, unsure=5.0)
PAIRS_A_RECORD = 1.5
SHARED = ((5_000, 1), (500, 10), (50, 200), (4, 20_000))  # records that share something, and how often in a million
MILLION = 1_000_000


@dataclass(frozen=True)
class Clustered:
    """What a way to cluster cost and how well it did: of the pairs it put together how many are true (precision), of
    the true ones how many it put together (recall). `queued`: how often it asks a person."""

    cost: Measured
    precision: float
    recall: float
    largest: int
    queued: int

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def run(folder: Path, records: int) -> list[Clustered]:
    """Each way once, over the same pairs."""
    _make(folder, records)
    return [_once(folder, way) for way in ("cluster-splink", "cluster-ours", "cluster-numbers")]


def _once(folder: Path, way: str) -> Clustered:
    [cost] = ask(way, folder)
    found = pq.read_table(folder / "found.parquet")
    truth = pq.read_table(folder / "records.parquet")
    joined = truth.join(found, "ref")
    together, true = _pairs_of(joined, ["cluster"]), _pairs_of(joined, ["truth"])
    right = _pairs_of(joined, ["cluster", "truth"])
    largest = pc.max(found.group_by("cluster").aggregate([("ref", "count")])["ref_count"]).as_py()
    queued = int((found.schema.metadata or {}).get(b"queued", b"0"))
    return Clustered(cost, right / max(together, 1), right / max(true, 1), largest, queued)


def _pairs_of(table: pa.Table, by: list[str]) -> int:
    """How many pairs of records agree in these columns."""
    size = np.asarray(table.group_by(by).aggregate([("ref", "count")])["ref_count"], dtype=np.int64)
    return int((size * (size - 1) // 2).sum())


# -- the ways, each in a child -----------------------------------------------------------------------------------------


def splink(folder: str) -> None:
    """Splink's clustering, as its users call it."""
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    records, pairs = _read(folder)
    sure = pairs.filter(pc.invert(pairs["forbidden"]))
    nodes = pa.table({"unique_id": records["ref"]})
    odds = np.exp2(sure["weight"].to_numpy())
    edges = pa.table({"unique_id_l": sure["a"], "unique_id_r": sure["b"], "match_probability": odds / (1 + odds)})
    found: list[pa.Table] = []

    def do() -> int:
        clustered = cluster_pairwise_predictions_at_threshold(
            nodes, edges, DuckDBAPI(), "unique_id", threshold_match_weight=LIMITS.same
        )
        found.append(clustered.as_duckdbpyrelation().to_arrow_table())
        return records.num_rows

    cost = measured(SPLINK, do)
    _write(folder, pa.table({"ref": found[0]["unique_id"], "cluster": found[0]["cluster_id"].cast(pa.string())}), 0)
    tell([cost])


def ours(folder: str) -> None:
    """Ours, from names to names."""
    from omnihub.match.clusters import Partition, partition

    records, pairs = _read(folder)
    found: list[Partition] = []

    def do() -> int:
        found.append(partition(records["ref"], pairs, [], LIMITS))
        return records.num_rows

    cost = measured(OURS, do)
    refs = [ref for cluster in found[0].clusters for ref in cluster]
    first = [cluster[0] for cluster in found[0].clusters for _ in cluster]
    _write(folder, pa.table({"ref": refs, "cluster": first}), len(found[0].queued))
    tell([cost])


def numbers(folder: str) -> None:
    """Ours without the names."""
    from omnihub.match.clusters import rules
    from omnihub.match.linkage import Apart, Ints, Links, exact, linked

    records, pairs = _read(folder)
    count = records.num_rows
    a, b = (pc.index_in(pairs[side], value_set=records["ref"]).to_numpy().astype(np.int64) for side in ("a", "b"))
    forbidden = pairs["forbidden"].to_numpy().astype(bool)
    links = Links(a, b, exact(pairs["weight"].to_numpy()), forbidden, forbidden)
    found: list[tuple[Ints, Apart]] = []

    def do() -> int:
        found.append(linked(links, np.arange(count), np.zeros((count, 0), dtype=np.uint64), rules(LIMITS)))
        return count

    cost = measured(NUMBERS, do)
    first, apart = found[0]
    names = pa.array(first, pa.int64()).cast(pa.string())
    _write(folder, pa.table({"ref": records["ref"], "cluster": names}), len(apart.a))
    tell([cost])


def _read(folder: str) -> tuple[pa.Table, pa.Table]:
    return pq.read_table(Path(folder) / "records.parquet"), pq.read_table(Path(folder) / "pairs.parquet")


def _write(folder: str, found: pa.Table, queued: int) -> None:
    pq.write_table(found.replace_schema_metadata({"queued": str(queued)}), Path(folder) / "found.parquet")


# -- the records -------------------------------------------------------------------------------------------------------


def _make(folder: Path, records: int, seed: int = 1) -> None:
    chance = np.random.default_rng(seed)
    sizes = chance.choice([1, 2, 3, 4, 5, 8], p=[0.35, 0.3, 0.2, 0.1, 0.04, 0.01], size=records)
    truth = np.repeat(np.arange(records), sizes)[:records]
    a, b, weight = _of_customers(chance, truth)
    want = max(int(PAIRS_A_RECORD * records) - len(a), 0)
    shared = _of_sharers(chance, records)
    strangers = _of_strangers(chance, records, max(want - len(shared[0]), 0))
    a, b, weight = (np.concatenate(columns) for columns in zip((a, b, weight), shared, strangers, strict=True))
    weight = np.where(truth[a] == truth[b], np.maximum(weight, -3.5), weight)
    weight, sides = np.round(weight, 1), chance.permutation(records)  # whoever is one does not stand side by side
    refs = pa.array([f"crm/contact/{n:07}" for n in range(records)], pa.string()).take(pa.array(sides))
    forbidden = (truth[a] != truth[b]) & (chance.random(len(a)) < 0.05)  # a rule knows some of the strangers
    kept = a != b
    columns = [refs.take(pa.array(side[kept])) for side in (a, b)] + [pa.array(weight[kept]), pa.array(forbidden[kept])]
    pairs = pa.table(columns, ["a", "b", "weight", "forbidden"])
    pq.write_table(pairs.group_by(["a", "b"]).aggregate([("weight", "max"), ("forbidden", "max")]).rename_columns(
        ["a", "b", "weight", "forbidden"]), folder / "pairs.parquet")  # fmt: skip
    records_ = pa.table({"ref": refs, "truth": truth})
    pq.write_table(records_.sort_by("ref"), folder / "records.parquet")  # as features come


Weighed = tuple[np.ndarray, np.ndarray, np.ndarray]


def _of_customers(chance: np.random.Generator, truth: np.ndarray) -> Weighed:
    """The pairs of one customer; one in ten was not found."""
    sides = []
    for apart in range(1, 8):
        a = np.flatnonzero(truth[:-apart] == truth[apart:])
        a = a[chance.random(len(a)) < 0.9]
        sides.append((a, a + apart))
    a, b = (np.concatenate(side) for side in zip(*sides, strict=True))
    return a, b, chance.normal(17, 4, len(a))


def _of_strangers(chance: np.random.Generator, records: int, count: int) -> Weighed:
    a, b = chance.integers(0, records, (2, count))
    return a, b, chance.normal(-6, 5, count)


def _of_sharers(chance: np.random.Generator, records: int) -> Weighed:
    """Four pairs for each record of a group that shares something."""
    sides = []
    for size, often in SHARED:
        for _ in range(round(often * records / MILLION) or (size < records // 10)):
            members = chance.integers(0, records, size)
            sides.append(members[chance.integers(0, size, (2, 4 * size if size > 4 else 3))])
    a, b = np.concatenate(sides, axis=1)
    return a, b, chance.normal(5, 4, len(a))

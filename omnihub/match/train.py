"""Train: measure on the records at hand how much each comparison says, instead of taking the hub's word for it.

    u           how often each level holds among random pairs of different customers, by counting a sample of them
    m           how often among the same, by Splink's expectation maximisation: once for each way of finding pairs, on
                the comparisons that way leaves open; a comparison no session can see keeps its m
    thresholds  from the share of matches among all pairs, which the weights of the candidates tell: `same` is where at
                most one pair in a thousand is wrong, `unsure` where it is one in two

The fewer the records, the more the bits a level came with still count beside those measured; a level that was never seen
keeps them. What forbids is never trained.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log2
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import xxhash
from splink import DuckDBAPI, Linker

from omnihub.match.features import SPECS
from omnihub.match.model import Comparison, Level, Model, Thresholds
from omnihub.match.pairs import prepared, score_candidates
from omnihub.match.scoring import RECORDS, settings_of

SAMPLE = 1_000_000  # random pairs that u is counted on; more changes nothing that could be seen
LEAST = 1e-6  # a share that is smaller was not measured, it was missed
ENOUGH = 2_000  # records from which what was measured counts more than what the hub came with
EM_PAIRS = 1_000_000  # candidate pairs of one session
SURE, EVEN = 1_000.0, 1.0  # odds at the thresholds
ROUNDS = 20
SEED = 11

log = logging.getLogger(__name__)


class TooFewError(ValueError):
    """There is too little to learn from."""


def train(model: Model, features: pa.Table, keys: pa.Table, shared: pa.Table, one_each: pa.Array) -> Model:
    """The model with shares and thresholds measured on these records. See `omnihub.match.features` for what they are.

    one_each: a record of each customer, as far as is known: among all records too many random pairs are one customer.
    Raises TooFewError where no session of the expectation maximisation came to an end.
    """
    con = prepared(model, features, shared)
    try:
        con.register("one_each", pa.table({"ref": one_each}))
        con.execute(f"CREATE TEMP TABLE once AS FROM {RECORDS} SEMI JOIN one_each USING (ref)")
        once = _linker(con, "once", settings_of(model))
        once.training.estimate_u_using_random_sampling(max_pairs=SAMPLE, seed=SEED)
        linker = _linker(con, RECORDS, once.misc.save_model_to_json())
        sessions = sum(_session(linker, rule) for rule in SPECS[model.entity].training)
        if not sessions:
            raise TooFewError(f"{features.num_rows} {model.entity} records tell too little to train on")
        found = linker.misc.save_model_to_json()["comparisons"]
    finally:
        con.close()
    learnt = replace(
        model, comparisons=_learnt(model.comparisons, found, features.num_rows), trained_on=fingerprint(features)
    )
    return replace(learnt, limits=_limits(learnt, features, keys, shared))


def _linker(con: duckdb.DuckDBPyConnection, table: str, settings: dict[str, Any]) -> Linker:
    return Linker(DuckDBAPI(connection=con).register(con.table(table)), settings, log_level=logging.ERROR)


def fingerprint(features: pa.Table) -> str:
    """The same for the same records, in whatever order."""
    digest = 0
    columns = [features.column(n).to_pylist() for n in features.column_names]
    for row in zip(*columns, strict=True):
        digest ^= xxhash.xxh3_64_intdigest(repr(row).encode())
    return f"{features.num_rows}-{digest:016x}"


def _session(linker: Linker, rule: str) -> bool:
    """Whether a session over the pairs of this rule came to an end; on little data one may not."""
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=EM_PAIRS, record_sample_proportion=1.0
        )
    except Exception as error:  # noqa: BLE001  Splink raises whatever its arithmetic ran into
        log.info("no training on %s: %s", rule, type(error).__name__)
        return False
    return True


def _learnt(
    before: Mapping[str, Comparison], found: Sequence[Mapping[str, Any]], records: int
) -> dict[str, Comparison]:
    weight = records / (records + ENOUGH)
    told = {one["output_column_name"]: one["comparison_levels"] for one in found}
    return {
        name: tuple(_level(level, new, weight) for level, new in zip(levels, told[name], strict=True))
        for name, levels in before.items()
    }


def _level(before: Level, found: Mapping[str, Any], weight: float) -> Level:
    m, u = found.get("m_probability"), found.get("u_probability")
    adjusts = before.m == before.u  # only how frequent the value is counts: there is nothing to measure
    if before.fixed or before.silent or adjusts or not isinstance(u, float):
        return before
    u, said = max(u, LEAST), log2(before.m / before.u)
    measured = log2(max(m, LEAST) / u) if isinstance(m, float) and m != before.m else said
    return replace(before, u=u, m=min(u * 2 ** (weight * measured + (1 - weight) * said), 1.0))


def _limits(model: Model, features: pa.Table, keys: pa.Table, shared: pa.Table) -> Thresholds:
    """The thresholds from the share of matches among all pairs: the expectation maximisation of that share alone."""
    weights = score_candidates(model, features, keys, None, shared, why=False).column("weight").to_numpy()
    factors = np.exp2(np.clip(weights, -60.0, 60.0))
    count = features.num_rows
    everything = count * (count - 1) / 2
    share = count / everything
    for _ in range(ROUNDS):
        found = (share * factors / (share * factors + 1 - share)).sum() / everything
        share = min(max(float(found), 1 / everything), 0.5)
    against = np.log2((1 - share) / share)
    return Thresholds(same=float(against + np.log2(SURE)), unsure=float(against + np.log2(EVEN)))

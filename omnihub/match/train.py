"""Train: measure on the records at hand how much each comparison says, instead of taking the hub's word for it.

    u           how often each level holds among random pairs of different customers, by counting a sample of them
    m           how often among the same, by Splink's expectation maximisation: once for each way of finding pairs, on
                the comparisons that way leaves open
    thresholds  from the share of matches among all pairs, which the weights of the candidates tell: `same` is where at
                most one pair in a thousand is wrong, `unsure` where it is one in two

Such measuring takes each comparison for itself, and among random pairs. Three things it therefore can't know, and where
it was tried, trained models joined whole offices and families:

    evidence that goes together counts twice: of what was measured, only the share `ALONE` is believed
    what many have in common (a switchboard, a domain, a town) goes together most: what says less than `TELLING` bits
    stays as it came
    what speaks against is there for who is easily mistaken for somebody, and random pairs hardly ever are: it stays

The fewer the records, the more the bits and thresholds the model came with still count beside those measured; a level
that was never seen, among the same or among the different, keeps them. What forbids is never trained.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isclose, log2
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
FEWEST = 50  # records; of fewer there is nothing to learn
ENOUGH = 2_000  # records from which what was measured counts more than what the hub came with
EM_PAIRS = 1_000_000  # candidate pairs of one session
ALONE = 2 / 3  # so much of what a comparison says no other says as well; the hub's own bits are made that way
TELLING = 4.5  # bits from which on a level tells one from all others
SURE, EVEN = 1_000.0, 1.0  # odds at the thresholds
ROUNDS = 20
SEED = 11

log = logging.getLogger(__name__)


class TooFewError(ValueError):
    """There is too little to learn from."""


def train(model: Model, features: pa.Table, keys: pa.Table, shared: pa.Table, one_each: pa.Array) -> Model:
    """The model with shares and thresholds measured on these records. See `omnihub.match.features` for what they are.

    one_each: a record of each customer, as far as is known: among all records too many random pairs are one customer.
    Raises TooFewError below FEWEST records, and where no session of the expectation maximisation came to an end.
    """
    too_few = TooFewError(f"{features.num_rows} {model.entity} records tell too little to train on")
    if features.num_rows < FEWEST:
        raise too_few
    con = prepared(model, features, shared)
    try:
        con.register("one_each", pa.table({"ref": one_each}))
        con.execute(f"CREATE TEMP TABLE once AS FROM {RECORDS} SEMI JOIN one_each USING (ref)")
        once = _linker(con, "once", settings_of(model))
        once.training.estimate_u_using_random_sampling(max_pairs=SAMPLE, seed=SEED)
        linker = _linker(con, RECORDS, once.misc.save_model_to_json())
        sessions = sum(_session(linker, rule) for rule in SPECS[model.entity].training)
        if not sessions:
            raise too_few
        found = linker.misc.save_model_to_json()["comparisons"]
    finally:
        con.close()
    weight = features.num_rows / (features.num_rows + ENOUGH)
    learnt = replace(model, comparisons=_learnt(model.comparisons, found, weight), trained_on=fingerprint(features))
    return replace(learnt, limits=_limits(learnt, features, keys, shared, weight))


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
    # Splink leaves its settings in pieces when a session fails
    before = linker._settings_obj.core_model_settings.copy()  # type: ignore[no-untyped-call]
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=EM_PAIRS, record_sample_proportion=1.0
        )
    except Exception as error:  # noqa: BLE001  Splink raises whatever its arithmetic ran into
        log.info("no training on %s: %s", rule, type(error).__name__)
        linker._settings_obj.core_model_settings = before
        return False
    return True


def _learnt(
    before: Mapping[str, Comparison], found: Sequence[Mapping[str, Any]], weight: float
) -> dict[str, Comparison]:
    told = {one["output_column_name"]: one["comparison_levels"] for one in found}
    return {
        name: tuple(_level(level, new, weight) for level, new in zip(levels, told[name], strict=True))
        for name, levels in before.items()
    }


def _level(before: Level, found: Mapping[str, Any], weight: float) -> Level:
    m, u = found.get("m_probability"), found.get("u_probability")
    said = log2(before.m / before.u)
    if before.fixed or before.silent or said < TELLING or not (_seen(m, before.m) and _seen(u, before.u)):
        return before
    assert isinstance(m, float)
    assert isinstance(u, float)
    u = max(u, LEAST)
    measured = ALONE * log2(max(m, LEAST) / u)
    if measured <= 0:  # too rare to tell
        return before
    return replace(before, u=u, m=min(u * 2 ** _between(said, measured, weight), 1.0))


def _seen(share: object, before: float) -> bool:
    """Splink leaves a share as it was where it saw nothing."""
    return isinstance(share, float) and not isclose(share, before, rel_tol=1e-9)


def _between(before: float, measured: float, weight: float) -> float:
    return weight * measured + (1 - weight) * before


def _limits(model: Model, features: pa.Table, keys: pa.Table, shared: pa.Table, weight: float) -> Thresholds:
    """The thresholds from the share of matches among all pairs: the expectation maximisation of that share alone."""
    weights = score_candidates(model, features, keys, None, shared, why=False).column("weight").to_numpy()
    factors = np.exp2(np.clip(weights / ALONE, -60.0, 60.0))
    count = features.num_rows
    everything = max(count * (count - 1) / 2, 1)
    share = min(count / everything, 0.5)
    for _ in range(ROUNDS):
        found = (share * factors / (share * factors + 1 - share)).sum() / everything
        share = min(max(float(found), 1 / everything), 0.5)
    against = np.log2((1 - share) / share)
    same, unsure = (ALONE * float(against + np.log2(odds)) for odds in (SURE, EVEN))
    return Thresholds(_between(model.limits.same, same, weight), _between(model.limits.unsure, unsure, weight))

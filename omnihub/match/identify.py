"""Identify: the whole of matching on records in memory, from their values to who is who."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnihub.match.clusters import Judged, Queued, partition
from omnihub.match.features import SPECS, default_model, features, frequencies, shared_values
from omnihub.match.linkage import components
from omnihub.match.model import Model
from omnihub.match.pairs import score_all_within, score_candidates
from omnihub.model import Entity

ENOUGH = 1_000  # records from which on it shows how frequent a value is
LARGE = 1_000  # in a component of more records only the sure pairs are looked at


@dataclass(frozen=True)
class Identified:
    """partition: every record in one cluster. pairs: PAIRS of all candidates. queued: what a guard gave to a person."""

    partition: list[list[str]]
    pairs: pa.Table
    queued: list[Queued]


def identify(
    entity: Entity,
    rows: pa.Table,
    *,
    accounts: pa.Table | None = None,
    model: Model | None = None,
    judged: Sequence[Judged] = (),
    one_to_one: Collection[str] = (),
) -> Identified:
    """Who is who among all these records.

    rows, accounts: see `omnihub.match.features`. model: None for what comes with the hub, with the frequencies of these
    records where there are enough of them. one_to_one: the systems that hold no doubles.
    """
    made, keys = features(entity, rows, accounts)
    model = with_frequencies(model or _default(entity, rows, one_to_one), made)
    shared = shared_values(entity, made, keys)
    scored = score_candidates(model, made, keys, None, shared, why=False, one_to_one=one_to_one)
    homes = (
        dict(zip(made.column("ref").to_pylist(), made.column("system").to_pylist(), strict=True)) if one_to_one else {}
    )
    return clustered(model, made, scored, shared, judged=judged, homes=homes, one_to_one=one_to_one)


def _default(entity: Entity, rows: pa.Table, one_to_one: Collection[str]) -> Model:
    """What comes with the hub; where no system holds doubles, with the thresholds for that."""
    model, assigned = default_model(entity), SPECS[entity].assigned
    if assigned is None or not set(rows["system"].unique().to_pylist()) <= set(one_to_one):
        return model
    return replace(model, limits=assigned)


def with_frequencies(model: Model, given: pa.Table) -> Model:
    """The model with the frequencies of these features, where it has none yet and they are enough to tell."""
    if model.frequencies is not None or given.num_rows < ENOUGH:
        return model
    return replace(model, frequencies=frequencies(model.entity, given))


def clustered(
    model: Model,
    made: pa.Table,
    scored: pa.Table,
    shared: pa.Table,
    *,
    judged: Sequence[Judged] = (),
    homes: Mapping[str, str] | None = None,
    one_to_one: Collection[str] = (),
) -> Identified:
    """Scored candidates → clusters. What hangs together is weighed pair by pair: evidence against is evidence, too.

    A component's clusters follow from its records, their sure pairs and the judgements on them, from nothing else.
    """
    refs = made.column("ref").combine_chunks()
    sure = scored.filter(pc.and_(pc.greater_equal(scored["weight"], model.limits.same), pc.invert(scored["forbidden"])))
    inside = _components(refs, sure, judged)
    pairs = _weighed_inside(model, made, inside, shared, sure) if inside.num_rows else sure
    if one_to_one:
        pairs = _across(pairs, homes or {}, one_to_one)
    found = partition(refs, pairs, judged, model.limits, homes=homes or {}, one_to_one=one_to_one)
    return Identified(found.clusters, scored, found.queued)


def _across(pairs: pa.Table, homes: Mapping[str, str], one_to_one: Collection[str]) -> pa.Table:
    """Without pairs inside a system that holds no doubles: nobody need be asked about them."""
    a, b = ([homes.get(ref) for ref in pairs[end].to_pylist()] for end in ("a", "b"))
    return pairs.filter(pa.array([x != y or x not in one_to_one for x, y in zip(a, b, strict=True)], pa.bool_()))


def _weighed_inside(model: Model, made: pa.Table, inside: pa.Table, shared: pa.Table, sure: pa.Table) -> pa.Table:
    """All pairs of each component, and the sure ones that are in none of them."""
    among = pc.is_in(sure["a"], value_set=inside["ref"].combine_chunks())
    own = made.filter(pc.is_in(made["ref"], value_set=inside["ref"].combine_chunks()))
    return pa.concat_tables([sure.filter(pc.invert(among)), score_all_within(model, own, inside, shared)])


def _components(refs: pa.Array, sure: pa.Table, judged: Sequence[Judged]) -> pa.Table:
    """(component, ref) of what hangs together by sure pairs, three records or more."""
    said = [j for j in judged if j.verdict == "same"]
    left = pa.concat_arrays([*sure["a"].chunks, pa.array([j.a for j in said], pa.string())])
    right = pa.concat_arrays([*sure["b"].chunks, pa.array([j.b for j in said], pa.string())])
    a, b = pc.index_in(left, refs), pc.index_in(right, refs)
    both = pc.and_(a.is_valid(), b.is_valid())
    a, b = (np.asarray(side.filter(both), dtype=np.int64) for side in (a, b))
    component = components(len(refs), a, b)
    sizes = np.bincount(component, minlength=len(refs))[component] if len(refs) else component
    picked = (sizes > 2) & (sizes <= LARGE)
    return pa.table({"component": pa.array(component[picked], pa.int64()), "ref": refs.filter(pa.array(picked))})

"""Train the model of an entity on what the hub knows, and put it in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2

import pyarrow as pa
import sqlalchemy as sa

from omnihub.errors import OmniHubError
from omnihub.flow.hub import Hub
from omnihub.flow.matching import all_records
from omnihub.flow.modelling import model_in_force, next_version, store_model
from omnihub.match import Model, default_model, with_frequencies
from omnihub.match.train import TooFewError, train
from omnihub.model import Entity
from omnihub.store import schema


@dataclass(frozen=True)
class Learnt:
    """One level of one comparison: what it says as it comes with the hub, and as trained, in bits."""

    comparison: str
    level: int
    when: str
    before: float
    after: float


@dataclass(frozen=True)
class Trained:
    """The new model, the records it was trained on, and each level that says something else now."""

    model: Model
    records: int
    learnt: Sequence[Learnt]


def train_entity(hub: Hub, entity: Entity, *, keep: bool = True) -> Trained:
    """Measure how much each comparison says on all living records of this entity.

    keep: store the model and put it in force; the next run weighs every pair with it. OmniHubError where there is too
    little to learn from.
    """
    with hub.store.read() as c:
        in_force, _ = model_in_force(c, entity, hub.thresholds[entity])
        hub.progress(f"read {entity}", 0, None)
        features, keys, shared = all_records(c, entity)
        x = schema.crosswalk
        first = sa.select(sa.func.min(x.c.ref)).where(x.c.entity == entity.value).group_by(x.c.golden_id)
        one_each = pa.array(c.execute(first).scalars().all(), pa.string())
    hub.progress(f"train {entity}", 0, None)
    before = replace(default_model(entity), frequencies=in_force.frequencies)  # training twice learns nothing twice
    try:
        model = train(with_frequencies(before, features), features, keys, shared, one_each)
    except TooFewError as error:
        raise OmniHubError(f"match: {error}; what weighs them now stays in force") from None
    if keep:
        with hub.store.write() as c:
            model = replace(model, version=next_version(c, entity))
            store_model(c, model)
    return Trained(model, features.num_rows, list(_learnt(before, model)))


def _learnt(before: Model, after: Model) -> list[Learnt]:
    return [
        Learnt(name, n, " ".join(old.when.split()), round(log2(old.m / old.u), 2), round(log2(new.m / new.u), 2))
        for name, levels in before.comparisons.items()
        for n, (old, new) in enumerate(zip(levels, after.comparisons[name], strict=True))
        if (old.m, old.u) != (new.m, new.u)
    ]

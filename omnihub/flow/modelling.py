"""The models in the store: which one weighs pairs now, and whether it is another than the last time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
import xxhash

from omnihub.errors import OmniHubError
from omnihub.match import Model, Thresholds, default_model, model_from
from omnihub.match.model import Comparison
from omnihub.model import Entity
from omnihub.store import schema
from omnihub.store.open import advance, now_iso, watermark

STEP = "match model"  # its watermark is the fingerprint of the model every stored pair was weighed with


def model_in_force(c: sa.Connection, entity: Entity, limits: Thresholds) -> tuple[Model, bool]:
    """The model that weighs pairs now, and whether it is another than the one they were weighed with.

    Of a trained model counts what it learnt, as far as the hub still asks the same. What comes with the hub follows the
    hub: of it only the frequencies are kept, which stay as they were when they were first counted.
    """
    t = schema.models
    query = sa.select(t.c.model, t.c.frequencies).where(t.c.entity == entity.value, t.c.active)
    row = c.execute(query.order_by(t.c.version.desc()).limit(1)).one_or_none()
    model = model_from(*row) if row else default_model(entity)
    comparisons = default_model(entity).comparisons
    if model.trained_on is None:
        model = replace(default_model(entity), version=model.version, frequencies=model.frequencies)
    elif model.comparisons != comparisons:
        model = replace(model, comparisons={name: _today(model, name, levels) for name, levels in comparisons.items()})
    if model.trained_on is None or limits != default_model(entity).limits:  # those of the settings, if they say any
        model = replace(model, limits=limits)
    return model, watermark(c, STEP, entity.value) not in (0, fingerprint(model))


def _today(model: Model, name: str, levels: Comparison) -> Comparison:
    """These levels with what an earlier hub learnt of them: a trained model outlives the columns it was trained on."""
    learnt = {level.when: level for level in model.comparisons.get(name, ())}
    return tuple(
        replace(level, m=learnt[level.when].m, u=learnt[level.when].u)
        if level.when in learnt and not level.fixed
        else level
        for level in levels
    )


def fingerprint(model: Model) -> int:
    """The same for models that weigh alike, whatever they are called."""
    said = replace(model, version=0, trained_on=None)
    return xxhash.xxh3_64_intdigest(said.to_json().encode() + (said.packed_frequencies() or b"")) >> 1


def remember(c: sa.Connection, model: Model) -> None:
    """Note that all pairs are weighed with this model now; keep it where it has frequencies nobody stored yet."""
    if model.frequencies is not None and not model.version:
        model = replace(model, version=next_version(c, model.entity))
        store_model(c, model)
    advance(c, STEP, fingerprint(model), model.entity.value)


def next_version(c: sa.Connection, entity: Entity) -> int:
    """The number of the next model of this entity."""
    t = schema.models
    last = c.execute(sa.select(sa.func.max(t.c.version)).where(t.c.entity == entity.value)).scalar()
    return int(last or 0) + 1


def versions(c: sa.Connection, entity: Entity) -> list[dict[str, Any]]:
    """Every stored model of this entity, the newest first: version, trained_on, at, active."""
    t = schema.models
    query = sa.select(t.c.entity, t.c.version, t.c.trained_on, t.c.at, t.c.active).where(t.c.entity == entity.value)
    return [dict(row._mapping) for row in c.execute(query.order_by(t.c.version.desc()))]


def use(c: sa.Connection, entity: Entity, version: int | None) -> None:
    """Put a stored model in force, or (None) what comes with the hub; the next run weighs everything with it.

    OmniHubError where there is none of this number.
    """
    t = schema.models
    stored = versions(c, entity)
    known = [str(row["version"]) for row in reversed(stored)]
    if version is None:  # with the frequencies counted for it, where they were
        version = next((row["version"] for row in stored if row["trained_on"] is None), 0)
    elif str(version) not in known:
        there = ", ".join([*known, "default"])
        raise OmniHubError(f"match: there is no model {version} of {entity.value}s; there are {there}")
    c.execute(sa.update(t).where(t.c.entity == entity.value).values(active=t.c.version == version))


def store_model(c: sa.Connection, model: Model) -> None:
    """Make this the model in force; the others stay, for whoever asks what weighed a pair back then."""
    t = schema.models
    c.execute(sa.update(t).where(t.c.entity == model.entity.value).values(active=False))
    c.execute(
        sa.insert(t).values(
            entity=model.entity.value,
            version=model.version,
            model=model.to_json(),
            frequencies=model.packed_frequencies(),
            trained_on=model.trained_on,
            at=now_iso(),
            active=True,
        )
    )

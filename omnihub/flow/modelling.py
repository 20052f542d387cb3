"""The models in the store: which one weighs pairs now, and whether it is another than the last time."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
import xxhash

from omnihub.match import Model, Thresholds, default_model, model_from
from omnihub.model import Entity
from omnihub.store import schema
from omnihub.store.open import advance, now_iso, watermark

STEP = "match model"  # its watermark is the fingerprint of the model every stored pair was weighed with


def model_in_force(c: sa.Connection, entity: Entity, limits: Thresholds) -> tuple[Model, bool]:
    """The model that weighs pairs now, and whether it is another than the one they were weighed with.

    A trained model is taken as it was stored. What comes with the hub follows the hub: of it only the frequencies are
    kept, which stay as they were when they were first counted.
    """
    t = schema.models
    query = sa.select(t.c.model, t.c.frequencies).where(t.c.entity == entity.value, t.c.active)
    row = c.execute(query.order_by(t.c.version.desc()).limit(1)).one_or_none()
    model = model_from(*row) if row else default_model(entity)
    if model.trained_on is None:
        model = replace(default_model(entity), version=model.version, frequencies=model.frequencies)
    model = replace(model, limits=limits)
    return model, watermark(c, STEP, entity.value) not in (0, fingerprint(model))


def fingerprint(model: Model) -> int:
    """The same for models that weigh alike."""
    return xxhash.xxh3_64_intdigest(model.to_json().encode() + (model.packed_frequencies() or b"")) >> 1


def remember(c: sa.Connection, model: Model) -> None:
    """Note that all pairs are weighed with this model now; keep it where it has frequencies nobody stored yet."""
    if model.frequencies is not None and not model.version:
        model = replace(model, version=1)
        store_model(c, model)
    advance(c, STEP, fingerprint(model), model.entity.value)


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

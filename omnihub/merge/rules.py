"""Which rule decides each field, and how far each system is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from omnihub.model import ENTITIES, Entity

HALF_LIFE_DAYS = 365.0
"""After so many days without a change, next to a value set just now, a value counts half."""

RULES = ("trusted", "recent", "strictest", "master")


@dataclass(frozen=True)
class Rules:
    """Survivorship as data. `fields`: (entity, field) → rule, where it is not the default. `trust`: system → 0…1.
    `masters`: the systems that are right about products and prices."""

    fields: Mapping[tuple[Entity, str], str] = field(default_factory=dict)
    trust: Mapping[str, float] = field(default_factory=dict)
    masters: frozenset[str] = frozenset()
    half_life_days: float = HALF_LIFE_DAYS

    def of(self, entity: Entity, name: str) -> str:
        """The rule for a field."""
        if (entity, name) in self.fields:
            return self.fields[entity, name]
        if entity is Entity.PRODUCT:
            return "master"
        return "strictest" if ENTITIES[entity][name].group == "consent" else "trusted"

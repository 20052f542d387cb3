"""Which rule decides each field, and how far each system is trusted.

trusted     the value with the most weight behind it: trust in the systems that say it, less when older (the default);
            but what somebody was seen to change wins
recent      the value that was set last, by the field's own time of change where the system tells it
order       the first system of a list that says anything; within a system, and after the list, the last to be set
frequent    what most records say
complete    the fullest group, the longest text
strictest   a no wins (permissions; their default)
master      what the master says (products; their default)
union       all that anybody says, for fields that hold several values: `a;b;c`, each once, in alphabetical order.
            What one system drops comes back from the others; it is gone when all have dropped it, or by a pin

Where a rule leaves several level, this decides, always in this order: the weight of all who say the same, the later
time, the own weight, the text of the value, the ref.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from omnihub.model import ENTITIES, Entity

HALF_LIFE_DAYS = 365.0
"""After so many days without a change, next to a value set just now, a value counts half."""

RULES = ("trusted", "recent", "order", "frequent", "complete", "strictest", "master", "union")

WHY = {
    "agrees": "says the same",
    "joined": "its part of the value is in it",
    "pinned": "a steward has set the value",
    "echo": "is our own word come back",
    "not the master": "is not the master",
    "looser": "is not the strictest",
    "later in order": "comes later in the order of systems",
    "rarer": "fewer records say it",
    "less complete": "is less complete",
    "older": "was set earlier",
    "not edited": "somebody was seen to change the other value, later",
    "outweighed": "has less weight (fewer say it, less trusted, or older)",
    "level": "weighs the same; the first by text and ref was taken",
}
"""Why a value lost, as lineage has it, and in words."""

_SHAPE = 2  # of golden fields and lineage as `survive` writes them; another number merges everything again


@dataclass(frozen=True)
class Rules:
    """Survivorship as data. `fields`: (entity, field) → rule, where it is not the default. `trust`: who is believed
    how far, 0…1, by system, system.field or system.entity.field; the nearest holds. `masters`: the systems that are
    right about products and prices. `orders`: the systems of each field whose rule is `order`, first the one to be
    asked first. `half_lives`: days, where they are not `half_life_days`."""

    fields: Mapping[tuple[Entity, str], str] = field(default_factory=dict)
    trust: Mapping[str, float] = field(default_factory=dict)
    masters: frozenset[str] = frozenset()
    half_life_days: float = HALF_LIFE_DAYS
    orders: Mapping[tuple[Entity, str], tuple[str, ...]] = field(default_factory=dict)
    half_lives: Mapping[tuple[Entity, str], float] = field(default_factory=dict)

    def of(self, entity: Entity, name: str) -> str:
        """The rule for a field."""
        if (entity, name) in self.fields:
            return self.fields[entity, name]
        if entity is Entity.PRODUCT:
            return "master"
        return "strictest" if ENTITIES[entity][name].group == "consent" else "trusted"

    def half_life(self, entity: Entity, name: str) -> float:
        """After how many days a value of this field counts half."""
        return self.half_lives.get((entity, name), self.half_life_days)

    def trust_in(self, system: str, entity: Entity, name: str) -> float:
        """How far a system is believed about a field: by entity and field, else by field, else altogether."""
        unit = ENTITIES[entity][name].group or name
        for key in (f"{system}.{entity}.{unit}", f"{system}.{unit}", system):
            if key in self.trust:
                return self.trust[key]
        return 1.0

    @property
    def systems_of_trust(self) -> list[str]:
        """The systems that anything is said of."""
        return sorted({key.partition(".")[0] for key in self.trust})

    def table(self, entity: Entity) -> dict[str, dict[str, object]]:
        """What holds for each field: rule, half_life_days, trust of the systems it is not 1 for, order if any."""
        return {
            name: {
                "rule": self.of(entity, name),
                "order": list(self.orders.get((entity, name), ())),
                "half_life_days": self.half_life(entity, name),
                "trust": {s: t for s in self.systems_of_trust if (t := self.trust_in(s, entity, name)) != 1.0},
            }
            for name in ENTITIES[entity]
        }

    def fingerprint(self, entity: Entity) -> str:
        """Another one where golden records of this entity might come out otherwise."""
        told = json.dumps([_SHAPE, self.table(entity), sorted(self.masters)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

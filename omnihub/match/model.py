"""The model: how much each comparison says, as Fellegi–Sunter has it, and where the two thresholds lie.

    Level        a condition over two records, and how often it holds among the same (m) and among different ones (u)
    Comparison   levels in order; the first whose condition holds counts, with log2(m ÷ u) bits
    Model        comparisons, thresholds, and how frequent values are, frozen: a pair's weight never depends on when it
                 was computed

What comes with the hub is written down in bits (`bits`), set by hand from how often such things agree among the same
and among different customers. `omnihub.match.train` puts measured numbers in their place. A forbidden pair is one for
which a level made by `never` holds: it weighs so much that nothing outweighs it.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from omnihub.model import Entity

ELSE = "ELSE"
NEVER = -900.0  # bits; Splink takes no probability below 1e-300
FORBIDDEN = -450.0  # a pair that weighs less met a level marked `never`


@dataclass(frozen=True)
class Thresholds:
    """In bits: `same` and more is the same; less than `unsure` is different; between, a person decides."""

    same: float
    unsure: float


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison. `when`: SQL over the columns of two records (name_l, name_r), or ELSE.

    `tf`: the column whose value's frequency takes the place of u, with `tf_weight` of its say; a value rarer than
    `tf_floor` says no more than one as rare as that. `silent`: says nothing because something is missing. `fixed`:
    training leaves it alone.
    """

    when: str
    m: float
    u: float
    tf: str | None = None
    tf_weight: float = 1.0
    tf_floor: float = 0.0
    silent: bool = False
    fixed: bool = False


Comparison = tuple[Level, ...]


def bits(
    when: str,
    weight: float,
    *,
    tf: str | None = None,
    u: float | None = None,
    tf_weight: float = 1.0,
    tf_floor: float = 0.0,
) -> Level:
    """A level that says `weight` bits. `u`: how often it holds among different records, where `tf` is to refine it."""
    if u is not None:
        return Level(when, min(u * 2.0**weight, 1.0), u, tf, tf_weight, tf_floor)
    if weight >= 0:
        return Level(when, 0.5, 0.5 * 2.0**-weight, tf, tf_weight, tf_floor)
    return Level(when, 0.5 * 2.0**weight, 0.5, tf, tf_weight, tf_floor)


def silent(when: str) -> Level:
    """A level that says nothing: something is missing."""
    return Level(when, 0.5, 0.5, silent=True)


def never(when: str) -> Level:
    """A level for what can't be one, whatever else agrees."""
    return Level(when, 2.0**NEVER, 1.0, fixed=True)


OTHERWISE = Level(ELSE, 0.5, 0.5, fixed=True)
"""Anything else says nothing."""


@dataclass(frozen=True)
class Model:
    """Everything a pair's weight depends on, but the two records and who shares their identifiers.

    `frequencies`: column → table (value, share); None until the hub has seen enough to tell. `trained_on`: fingerprint
    of what it was trained on, None for what comes with the hub.
    """

    entity: Entity
    comparisons: Mapping[str, Comparison]
    limits: Thresholds
    version: int = 0
    frequencies: Mapping[str, pa.Table] | None = None
    trained_on: str | None = None
    key: tuple[tuple[str, Comparison], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", tuple(self.comparisons.items()))

    def to_json(self) -> str:
        """All but the frequencies."""
        return json.dumps(
            {
                "entity": self.entity.value,
                "version": self.version,
                "trained_on": self.trained_on,
                "limits": {"same": self.limits.same, "unsure": self.limits.unsure},
                "comparisons": {name: [vars(level) for level in levels] for name, levels in self.comparisons.items()},
            }
        )

    def packed_frequencies(self) -> bytes | None:
        """The frequencies as one piece of bytes: {column: Arrow stream}."""
        if self.frequencies is None:
            return None
        packed = {}
        for column, table in self.frequencies.items():
            sink = io.BytesIO()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            packed[column] = base64.b64encode(sink.getvalue()).decode()
        return json.dumps(packed).encode()


def model_from(text: str, packed: bytes | None = None) -> Model:
    """The model that `to_json` and `packed_frequencies` wrote."""
    told: dict[str, Any] = json.loads(text)
    frequencies = None
    if packed is not None:
        streams = {column: base64.b64decode(stream) for column, stream in json.loads(packed).items()}
        frequencies = {column: pa.ipc.open_stream(stream).read_all() for column, stream in streams.items()}
    return Model(
        entity=Entity(told["entity"]),
        comparisons={name: tuple(Level(**level) for level in levels) for name, levels in told["comparisons"].items()},
        limits=Thresholds(**told["limits"]),
        version=told["version"],
        frequencies=frequencies,
        trained_on=told["trained_on"],
    )

"""Clusters that don't run away: groups grow by average linkage, and stop where members speak against each other.

Plain connected components chain: a–b and b–c pull in c although a and c contradict. Here two groups join only when
    their best pair is surely the same,
    the mean of all pairs between them is not against it (a pair that nobody looked at has no weight),
    no pair between them contradicts or is forbidden, by a rule or by a person,
    they are not two records of a system that holds no doubles, and
    no guard stops it: on the size of a cluster, and on sides that one weak link holds together.
What a person called the same is one from the start and speaks with one voice, also against the rules; what a person
called different is never one. What was kept apart in spite of a sure link is queued, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnihub.match.linkage import Apart, Flags, Hindrance, Ints, Links, Rules, exact, linked
from omnihub.match.linkage import components as connected
from omnihub.match.weights import Thresholds

CONTRADICTION = -4.0  # bits: a pair that speaks so clearly against itself is not in one cluster
LENIENCE = 1.0  # bits above `unsure` that two groups must agree on in the mean
ABSENT = 0.0  # bits of a pair that is not given
NEAR = 3.0  # bits above `same`: a link that does not hold sides together which otherwise disagree
MAX_MEMBERS = 200  # a customer with more records than this is rather a shared value
ALMOST = 1.0  # bits: of two partners that differ by less, neither is clearly the better one

PAIRS = pa.schema([("a", pa.string()), ("b", pa.string()), ("weight", pa.float64()), ("forbidden", pa.bool_())])
"""What `partition` reads of a table of pairs; in any order, more columns do no harm."""


@dataclass(frozen=True)
class Judged:
    """A person's word on a pair."""

    a: str
    b: str
    verdict: str  # same, different, unsure


@dataclass(frozen=True)
class Queued:
    """For a person to decide: these records, why, and the bits of the strongest link between them, where there is one.
    `link`: the two records it links; a judgement on them settles it."""

    members: tuple[str, ...]
    reason: str
    weight: float | None = None
    link: tuple[str, str] | None = None


@dataclass(frozen=True)
class Partition:
    """Every record in exactly one cluster; both sorted. What was kept apart, and why."""

    clusters: list[list[str]]
    queued: list[Queued]

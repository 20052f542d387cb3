"""Clusters that don't run away: groups grow by their strongest link, and stop where members speak against each other.

Plain connected components chain: a–b and b–c pull in c although a and c contradict. Here two groups join only when
    their best pair is surely the same,
    the mean of all pairs between them is not against it (a record that says little is no evidence either way), and
    no pair between them contradicts or is forbidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from omnihub.match.weights import Thresholds

Matrix = npt.NDArray[np.float64]

CONTRADICTION = -4.0  # bits: a pair that speaks so clearly against itself is not in one cluster
LENIENCE = 1.0  # bits above `unsure` that two groups must agree on in the mean
CERTAIN = 1e6  # the weight of a judgement: no sum of comparisons comes near


@dataclass(frozen=True)
class Judged:
    """A person's word on a pair."""

    a: str
    b: str
    verdict: str  # same, different, unsure


def components(refs: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The connected groups of refs, each sorted, in order of their first ref.

    >>> components(["a", "b", "c"], [("c", "a")])
    [['a', 'c'], ['b']]
    """
    parent = {ref: ref for ref in refs}

    def root(ref: str) -> str:
        while parent[ref] != ref:
            parent[ref] = parent[parent[ref]]
            ref = parent[ref]
        return ref

    for a, b in edges:
        if a in parent and b in parent:
            x, y = root(a), root(b)
            if x != y:
                parent[max(x, y)] = min(x, y)
    groups: dict[str, list[str]] = {}
    for ref in sorted(parent):
        groups.setdefault(root(ref), []).append(ref)
    return sorted(groups.values())


def clusters(
    members: Sequence[str], weights: Mapping[tuple[str, str], float], judged: Sequence[Judged], limits: Thresholds
) -> list[list[str]]:
    """One component → its clusters. `weights`: (a, b) with a < b → bits, -inf where the pair is forbidden; a missing
    pair counts as no evidence either way (0). Deterministic whatever the order of the input."""
    refs = sorted(members)
    if len(refs) == 1:
        return [refs]
    place = {ref: i for i, ref in enumerate(refs)}
    matrix = np.zeros((len(refs), len(refs)))
    for (a, b), weight in weights.items():
        matrix[place[a], place[b]] = matrix[place[b], place[a]] = weight
    for j in judged:
        if j.a in place and j.b in place and j.verdict in ("same", "different"):
            value = CERTAIN if j.verdict == "same" else -np.inf
            matrix[place[j.a], place[j.b]] = matrix[place[j.b], place[j.a]] = value
    if matrix[np.triu_indices(len(refs), 1)].min() >= limits.same:
        return [refs]
    return [[refs[i] for i in group] for group in _linked(matrix, limits)]


def _linked(matrix: Matrix, limits: Thresholds) -> list[list[int]]:
    """Join the two groups with the best mean among those that may join, until none may; ties go to the first."""
    n = len(matrix)
    sums, best, worst = matrix.copy(), matrix.copy(), matrix.copy()
    sizes, groups = np.ones(n), [[i] for i in range(n)]
    open_ = ~np.eye(n, dtype=bool)
    while True:
        means = sums / np.outer(sizes, sizes)
        fits = (means >= limits.unsure + LENIENCE) & (worst > CONTRADICTION)
        judged = (best >= CERTAIN) & (worst > -np.inf)  # a person's word outweighs any weight, but no other person's
        may = open_ & (best >= limits.same) & (fits | judged)
        if not may.any():
            break
        i, j = divmod(int(np.argmax(np.where(may, means, -np.inf))), n)
        i, j = min(i, j), max(i, j)
        for table, join in ((sums, np.add), (best, np.maximum), (worst, np.minimum)):
            table[i] = join(table[i], table[j])
            table[:, i] = table[i]
        sizes[i] += sizes[j]
        open_[j] = open_[:, j] = open_[i, i] = False
        groups[i] += groups[j]
        groups[j] = []
    return sorted(sorted(group) for group in groups if group)

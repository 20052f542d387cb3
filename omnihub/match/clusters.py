"""Clusters that don't run away: average linkage inside each component, with rules that forbid.

Plain connected components chain: a–b and b–c pull in c although a and c contradict. Here two groups join only while the
mean weight between them, over all their pairs, stays at the threshold, and never across a forbidden pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

CERTAIN = 1e6  # the weight of a judgement: no sum of comparisons comes near
MAX_COMPONENT = 400  # a larger one is junk holding together; it is split by its strong pairs only


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


def clusters(members: Sequence[str], weights: Mapping[tuple[str, str], float], judged: Sequence[Judged], same: float) -> list[list[str]]:
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
    upper = matrix[np.triu_indices(len(refs), 1)]
    if upper.min() >= same:
        return [refs]
    return [[refs[i] for i in group] for group in _linked(matrix, same)]


def _linked(matrix: np.ndarray, same: float) -> list[list[int]]:
    """Average linkage by Lance–Williams over summed weights; ties go to the smallest places."""
    n = len(matrix)
    sums = matrix.astype(float).copy()
    sizes = np.ones(n)
    alive = np.ones(n, dtype=bool)
    groups: list[list[int]] = [[i] for i in range(n)]
    np.fill_diagonal(sums, -np.inf)
    while True:
        means = np.where(np.outer(alive, alive), sums / np.outer(sizes, sizes), -np.inf)
        i, j = divmod(int(np.argmax(means)), n)
        if not means[i, j] >= same:
            break
        i, j = min(i, j), max(i, j)
        sums[i] += sums[j]
        sums[:, i] = sums[i]
        sums[i, i] = -np.inf
        sizes[i] += sizes[j]
        alive[j] = False
        groups[i] += groups[j]
    return sorted(sorted(groups[i]) for i in range(n) if alive[i])

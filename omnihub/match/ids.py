"""Golden ids for life: re-runs, new members and re-ordered input keep them; the oldest id survives a merge.

An id is born from one ref, its founder. When a golden record splits, the id stays with the founder's side; when several
become one, the oldest lives and the others still resolve to it. Ids are made from the founder's ref, so that a
rebuild from nothing gives the same ids.
"""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import xxhash

from omnihub.model import Entity


@dataclass(frozen=True)
class Golden:
    """What is known of a golden id: when it was born (seq), from which ref, and what it was merged into."""

    id: str
    born: int
    founder: str
    merged_into: str | None = None


@dataclass
class Assigned:
    """The outcome: ref → golden id for every member, ids born, (loser, winner) merges, and (old, new) splits."""

    crosswalk: dict[str, str] = field(default_factory=dict)
    born: list[Golden] = field(default_factory=list)
    merged: list[tuple[str, str]] = field(default_factory=list)
    split: list[tuple[str, str]] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)


def new_id(entity: Entity, founder: str, taken: Mapping[str, Golden]) -> str:
    """An id from the founder's ref; a number is added where the ref founded another golden record before."""
    for attempt in range(1000):
        digest = xxhash.xxh3_64_digest((f"{founder}#{attempt}" if attempt else founder).encode())
        found = f"{entity.value}_{base64.b32encode(digest).decode().rstrip('=').lower()}"
        if found not in taken:
            return found
    raise AssertionError("a thousand clashes")


def assign(
    entity: Entity,
    clusters: Sequence[Sequence[str]],
    crosswalk: Mapping[str, str],
    goldens: Mapping[str, Golden],
    born: int,
) -> Assigned:
    """Give each cluster its golden id.

    crosswalk: the present golden id of refs that have one. goldens: all ids those refs ever had, and what is taken.
    born: the seq for newborn ids.
    """
    found = Assigned()
    taken = dict(goldens)
    claims = _claims(clusters, crosswalk, goldens)
    for n, cluster in enumerate(clusters):
        mine = sorted(claims.get(n, ()), key=lambda g: (goldens[g].born, g))
        if mine:
            winner = mine[0]
            if goldens[winner].merged_into:
                found.revived.append(winner)
            found.merged += [(loser, winner) for loser in mine[1:]]
        else:
            founder = min(cluster)
            winner = new_id(entity, founder, taken)
            taken[winner] = Golden(winner, born, founder)
            found.born.append(taken[winner])
            found.split += [(old, winner) for old in sorted({crosswalk[r] for r in cluster if r in crosswalk})]
        found.crosswalk.update((ref, winner) for ref in cluster)
    return found


def _claims(
    clusters: Sequence[Sequence[str]], crosswalk: Mapping[str, str], goldens: Mapping[str, Golden]
) -> dict[int, list[str]]:
    """cluster → the ids it may choose from. An id goes to the founder's side, else to where most of its members are."""
    members: dict[str, Counter[int]] = defaultdict(Counter)
    home = {ref: n for n, cluster in enumerate(clusters) for ref in cluster}
    for ref, n in home.items():
        if ref in crosswalk:
            members[crosswalk[ref]][n] += 1
    claims: dict[int, list[str]] = defaultdict(list)
    for golden_id, counts in members.items():
        at_home = home.get(goldens[golden_id].founder)
        if at_home is not None and at_home in counts:
            claims[at_home].append(golden_id)
        else:
            claims[min(counts, key=lambda n: (-counts[n], min(clusters[n])))].append(golden_id)
    # A founder that left a merge takes its old id along, the oldest where it founded several.
    for golden_id, golden in sorted(goldens.items(), key=lambda item: (item[1].born, item[0])):
        old_home = home.get(golden.founder)
        if not golden.merged_into or golden_id in members or old_home is None or claims.get(old_home):
            continue
        claims[old_home].append(golden_id)
    return claims

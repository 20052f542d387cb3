"""Golden ids for life: re-runs, new members and re-ordered input keep them; the oldest id survives a merge.

An id is born from one ref, its founder, and its name is made from the founder's ref: a rebuild from nothing gives the
same. When several become one, the oldest lives and the others resolve to it. When a golden record splits, its id stays
with those who had it first: the founder's side, or where most of them are; but rather than be lost in an older one, it
goes with others of them who would have none. Every record remembers the ids it had that were merged away
(`former`), so that after an undone merge each side has its old id again, whoever came, went or was deleted meanwhile.
Only where the same records went back and forth between many, hardly one time in a thousand, a side gets another id.

What comes out depends only on what is remembered of the records given and of those who share an id with them: so it is
the same whether only the touched clusters are given or all of them.
"""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import xxhash

from omnihub.model import Entity

GUEST = ""  # among former ids: it came from another golden record, which lives on, to an id that others had first


@dataclass(frozen=True)
class Golden:
    """What is known of a golden id: when it was born (seq), from which ref, and what it was merged into."""

    id: str
    born: int
    founder: str
    merged_into: str | None = None


@dataclass
class Assigned:
    """The outcome: ref → golden id for every member; ids born and revived; (loser, winner) merges, (old, new) splits,
    and moves of members from one living id to another; ref → its former ids, where these have changed."""

    crosswalk: dict[str, str] = field(default_factory=dict)
    born: list[Golden] = field(default_factory=list)
    merged: list[tuple[str, str]] = field(default_factory=list)
    split: list[tuple[str, str]] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)
    former: dict[str, tuple[str, ...]] = field(default_factory=dict)


def new_id(entity: Entity, founder: str, taken: Mapping[str, Golden]) -> str:
    """An id from the founder's ref; a number is added where the ref founded another golden record before."""
    for attempt in range(1000):
        digest = xxhash.xxh3_64_digest((f"{founder}#{attempt}" if attempt else founder).encode())
        found = f"{entity.value}_{base64.b32encode(digest).decode().rstrip('=').lower()}"
        if found not in taken:
            return found
    raise AssertionError("a thousand clashes")


def resolve(golden_id: str, goldens: Mapping[str, Golden]) -> str:
    """The living id that an id stands for now, as far as `goldens` knows."""
    while golden_id in goldens and (into := goldens[golden_id].merged_into):
        golden_id = into  # ends: an id is only ever merged into an older one
    return golden_id


def assign(
    entity: Entity,
    clusters: Sequence[Sequence[str]],
    crosswalk: Mapping[str, str],
    goldens: Mapping[str, Golden],
    born: int,
    former: Mapping[str, Sequence[str]] | None = None,
) -> Assigned:
    """Give each cluster its golden id.

    crosswalk: the present golden id of refs that have one. former: ids they had that were merged away, oldest first.
    goldens: all these ids, what they were merged into, and every id founded by one of the refs. Whoever shares an id
    with a ref given must be given too, if it is still there. born: the seq for newborn ids.
    """
    found, memory = Assigned(), _Memory(clusters, crosswalk, goldens, former or {})
    claims, taken = memory.claims(), dict(goldens)
    for n, cluster in enumerate(clusters):
        mine = claims.get(n, [])
        if mine:
            winner = mine[0]
            if goldens[winner].merged_into:
                found.revived.append(winner)
            found.merged += [(loser, winner) for loser in mine[1:] if not goldens[loser].merged_into]
        else:
            founder = min(cluster)
            winner = new_id(entity, founder, taken)
            taken[winner] = Golden(winner, born, founder)
            found.born.append(taken[winner])
        _came_from(found, winner, {crosswalk[r] for r in cluster if r in crosswalk}, mine, goldens)
        found.crosswalk.update((ref, winner) for ref in cluster)
        found.former.update(memory.kept(cluster, winner, set(mine[1:])))
    found.merged += _still_astray(claims, goldens, found)
    return found


def _came_from(
    found: Assigned, winner: str, before: Iterable[str], claimed: Sequence[str], goldens: Mapping[str, Golden]
) -> None:
    """Note which other ids the members of a cluster came from, other than by a merge."""
    left = sorted({resolve(old, goldens) for old in before} - {winner, *claimed})
    if not claimed:
        found.split += [(old, winner) for old in left]
    elif winner not in found.revived:  # its revival says it all
        found.moved += [(old, winner) for old in left]


def _still_astray(
    claims: Mapping[int, Sequence[str]], goldens: Mapping[str, Golden], found: Assigned
) -> list[tuple[str, str]]:
    """Ids merged before that would not lead to where their records are now."""
    into = {g.id: g.merged_into for g in goldens.values()} | dict(found.merged) | dict.fromkeys(found.revived)
    wanted = sorted((loser, winner) for winner, *losers in claims.values() for loser in losers)
    astray: list[tuple[str, str]] = []
    while turned := [(loser, winner) for loser, winner in wanted if _end(loser, into) != winner]:
        astray += turned  # a turn may lead others astray that went by it; whoever was turned goes straight
        into |= dict(turned)
    return astray


def _end(golden_id: str, into: Mapping[str, str | None]) -> str:
    while further := into.get(golden_id):
        golden_id = further
    return golden_id


class _Memory:
    """Who had which id, and where these people are now."""

    def __init__(
        self,
        clusters: Sequence[Sequence[str]],
        crosswalk: Mapping[str, str],
        goldens: Mapping[str, Golden],
        former: Mapping[str, Sequence[str]],
    ) -> None:
        self.clusters, self.goldens, self.former = clusters, goldens, former
        self.home = {ref: n for n, cluster in enumerate(clusters) for ref in cluster}
        # A record that was away while its id was merged holds nothing: the id lives on with those who were there.
        self.present = {r: g for r, g in crosswalk.items() if r in self.home and not goldens[g].merged_into}

    def claims(self) -> dict[int, list[str]]:
        """cluster → the ids it may choose from, the oldest first."""
        claims: dict[int, list[str]] = defaultdict(list)
        living, gone = self._holders()
        for golden_id, holders in (living | gone).items():
            claims[self._seat(golden_id, holders)].append(golden_id)
        for golden_id in sorted(living, key=self._age):
            self._save(golden_id, living[golden_id], claims)
        return {n: sorted(ids, key=self._age) for n, ids in claims.items() if ids}

    def kept(self, cluster: Iterable[str], winner: str, lost: set[str]) -> dict[str, tuple[str, ...]]:
        """The former ids of the members after this, where they change."""
        changed = {}
        for ref in cluster:
            before = tuple(self.former.get(ref, ()))
            after = before
            if ref in self.present and self.present[ref] in lost:
                after = (*(g for g in before if g != self.present[ref]), self.present[ref])
            elif not before and self.present.get(ref, winner) != winner and winner in self.goldens:
                after = (GUEST,)
            if winner in after:
                after = after[: after.index(winner)]
            if after != before:
                changed[ref] = after
        return changed

    def _age(self, golden_id: str) -> tuple[int, str]:
        return self.goldens[golden_id].born, golden_id

    def _holders(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Living id → who has it; merged id → who had it, and is where it leads to."""
        living: dict[str, list[str]] = defaultdict(list)
        gone: dict[str, list[str]] = defaultdict(list)
        for ref, golden_id in self.present.items():
            living[golden_id].append(ref)
            for old in self.former.get(ref, ()):
                if self._leads(old, golden_id):
                    gone[old].append(ref)
        for golden in self.goldens.values():  # of merges nobody remembers, the founder does
            at = self.present.get(golden.founder)
            if at and golden.id not in gone and self._leads(golden.id, at):
                gone[golden.id].append(golden.founder)
        return living, gone

    def _leads(self, old: str, to: str) -> bool:
        return old in self.goldens and old != to and resolve(old, self.goldens) == to

    def _seat(self, golden_id: str, holders: Sequence[str]) -> int:
        """The cluster an id belongs to: its founder's, else that of most who had it first, else of the most."""
        founder = self.goldens[golden_id].founder
        had_it_first = [ref for ref in holders if self._first(ref) == golden_id]
        return self.home[founder] if founder in (had_it_first or holders) else self._places(golden_id, holders)[0]

    def _places(self, golden_id: str, holders: Iterable[str]) -> list[int]:
        """The clusters of the holders, the most deserving first."""
        every, first = Counter[int](), Counter[int]()
        for ref in holders:
            every[self.home[ref]] += 1
            first[self.home[ref]] += self._first(ref) == golden_id
        return sorted(every, key=lambda n: (-first[n], -every[n], min(self.clusters[n])))

    def _first(self, ref: str) -> str:
        """The first id this record had that it remembers."""
        return (*self.former.get(ref, ()), self.present[ref])[0]

    def _save(self, golden_id: str, holders: Sequence[str], claims: dict[int, list[str]]) -> None:
        """An id that would be lost in an older one goes with a side that would have none, if there is one."""
        seat = self._seat(golden_id, holders)
        if min(claims[seat], key=self._age) == golden_id:
            return
        had_it_first = [ref for ref in holders if self._first(ref) == golden_id]
        for other in self._places(golden_id, had_it_first):
            if not claims.get(other):
                claims[seat].remove(golden_id)
                claims[other].append(golden_id)
                return

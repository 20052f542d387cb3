"""Clusters that don't run away: groups grow by average linkage, and stop where members speak against each other.

Plain connected components chain: a–b and b–c pull in c although a and c contradict. Here two groups join only when
    their best pair is surely the same,
    the mean of all pairs between them is not against it (a pair that nobody looked at has no weight),
    no pair between them contradicts or is forbidden, by a rule or by a person,
    they are not two records of a system that holds no doubles, and
    no guard stops it: on the size of a cluster, and on sides that one weak link holds together.
A record that fits two such groups about equally well, which contradict each other, is put into neither.
What a person called the same is one from the start and speaks with one voice, also against the rules; what a person
called different is never one. What was kept apart in spite of a sure link is queued, with the reason.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from omnihub.match.linkage import Apart, Bits, Flags, Hindrance, Ints, Links, Rules, exact, linked
from omnihub.match.linkage import components as connected
from omnihub.match.model import Thresholds

Texts = npt.NDArray[np.object_]

CONTRADICTION = -6.0  # bits: no such pair in a cluster; a milder one is outvoted (a veto at -4 only cost recall)
LENIENCE = 1.0  # bits above `unsure` that two groups must agree on in the mean
ABSENT = 0.0  # bits of a pair that is not given
NEAR = 3.0  # bits above `same`: a link that does not hold sides together which otherwise disagree
ALMOST = 1.0  # bits: of two partners that differ by less, neither is clearly the better one
AGAINST = 0.0  # bits: such a pair rather speaks against than for its two
CLEAR = 2.0  # bits in the mean: a record that fits two customers and one of them by no more has only what both have
MAX_MEMBERS = 200  # a customer with more records than this is rather a shared value

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


def partition(
    refs: pa.Array | Sequence[str],
    pairs: pa.Table,
    judged: Sequence[Judged],
    limits: Thresholds,
    *,
    homes: Mapping[str, str] | None = None,
    one_to_one: Collection[str] = (),
) -> Partition:
    """All records → clusters. `pairs`: see PAIRS; those of records that are not among `refs` are left out. `homes`: the
    system of each ref; of a system in `one_to_one` no two records share a cluster, unless a person said so.

    Deterministic whatever the order of the input; what becomes of a component depends on nothing outside it.
    """
    names = _names(refs)
    texts = np.array(names.to_pylist(), dtype=object)
    links = _links(names, pairs)
    word = _word(names, judged, links)
    links = _with_forbidden(links, word.different)
    holds = _holds(texts, homes or {}, one_to_one)
    first, apart = linked(links, word.united, holds, rules(limits))
    clusters = _Clusters(texts, first)
    return Partition(clusters.all(), sorted([*_torn(word, texts), *_queued(clusters, apart)], key=_order))


def rules(limits: Thresholds) -> Rules:
    """The thresholds, and what belongs to them."""
    same, unsure, mean = exact(np.array([limits.same, limits.unsure, min(limits.same, limits.unsure + LENIENCE)]))
    return Rules(same, mean, unsure, ABSENT, CONTRADICTION, NEAR, MAX_MEMBERS, ALMOST, CLEAR)


def _order(queued: Queued) -> tuple[tuple[str, ...], str]:
    return queued.members, queued.reason


# -- names to numbers ------------------------------------------------------------------------------------------------


def _names(refs: pa.Array | Sequence[str]) -> pa.Array:
    """Each ref once, in order: a record's number is its place here."""
    given = refs.cast(pa.string()) if isinstance(refs, pa.Array | pa.ChunkedArray) else pa.array(refs, pa.string())
    if pc.all(pc.less(given[:-1], given[1:])).as_py() is not False:
        return given  # as features come
    once = given.unique()
    return once.take(pc.sort_indices(once))


def _links(names: pa.Array, pairs: pa.Table) -> Links:
    ends = pa.chunked_array([*pairs.column("a").chunks, *pairs.column("b").chunks], pa.string())
    places = pc.fill_null(pc.index_in(ends, value_set=names), -1).to_numpy().astype(np.int64)  # both sides at once: the
    a, b = places[: pairs.num_rows], places[pairs.num_rows :]  # table of all names is made once
    weight = pairs.column("weight").to_numpy().astype(np.float64)
    forbidden = pairs.column("forbidden").to_numpy().astype(bool)
    links = Links(a, b, exact(weight), forbidden, forbidden | (weight < AGAINST))
    known = (a >= 0) & (b >= 0)
    return links if known.all() else links.only(known)


def _with_forbidden(links: Links, different: Sequence[tuple[int, int]]) -> Links:
    if not different:
        return links
    a, b = np.array(different, dtype=np.int64).T
    nothing, always = np.zeros(len(a)), np.ones(len(a), dtype=bool)
    return Links(
        np.concatenate([links.a, a]),
        np.concatenate([links.b, b]),
        np.concatenate([links.weight, nothing]),
        np.concatenate([links.forbidden, always]),
        np.concatenate([links.contradict, ~always]),
    )


def _holds(texts: Texts, homes: Mapping[str, str], one_to_one: Collection[str]) -> Bits:
    """For each record the bit of its system, if that holds no doubles; 64 systems a word."""
    bit = {system: n for n, system in enumerate(sorted(one_to_one))}
    holds = np.zeros((len(texts), -(-len(bit) // 64)), dtype=np.uint64)
    if not bit:
        return holds
    number = np.array([bit.get(homes.get(ref, ""), -1) for ref in texts.tolist()], dtype=np.int64)
    rows = np.flatnonzero(number >= 0)
    holds[rows, number[rows] // 64] = np.uint64(1) << (number[rows] % 64).astype(np.uint64)
    return holds


# -- a person's word -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Word:
    """What persons said. `united`: for each record the first of those that are one with it; `different`: pairs;
    `torn`: where they contradict each other: the records, and the pairs that could not be kept the same."""

    united: Ints
    different: list[tuple[int, int]]
    torn: list[tuple[list[int], list[tuple[int, int]]]]


def _word(names: pa.Array, judged: Sequence[Judged], links: Links) -> _Word:
    """Contradicting judgements: what was said to be different is kept apart; of the rest, the better a pair agrees by
    its weight, the sooner it is kept the same."""
    said: dict[str, set[tuple[int, int]]] = {"same": set(), "different": set(), "unsure": set()}
    ends = pa.array([ref for j in judged for ref in (j.a, j.b)], pa.string())
    places = pc.index_in(ends, value_set=names).to_pylist() if judged else []
    for j, a, b in zip(judged, places[::2], places[1::2], strict=True):
        if a is not None and b is not None and a != b:
            said[j.verdict].add((min(a, b), max(a, b)))
    same, different = sorted(said["same"]), sorted(said["different"])
    united = _united(len(names), same)
    torn_at = {int(united[a]) for a, b in different if united[a] == united[b]}
    if not torn_at:
        return _Word(united, different, [])
    sound = [pair for pair in same if int(united[pair[0]]) not in torn_at]
    torn = []
    for at in sorted(torn_at):
        inside = [pair for pair in same if united[pair[0]] == at]
        kept = _kept(inside, [pair for pair in different if united[pair[0]] == united[pair[1]] == at], links)
        sound += kept
        torn.append((sorted({end for pair in inside for end in pair}), sorted(set(inside) - set(kept))))
    return _Word(_united(len(names), sound), different, torn)


def _united(count: int, same: Sequence[tuple[int, int]]) -> Ints:
    a, b = np.array(same, dtype=np.int64).reshape(-1, 2).T
    return connected(count, a, b)


def _kept(same: list[tuple[int, int]], different: list[tuple[int, int]], links: Links) -> list[tuple[int, int]]:
    """Those of the pairs that can be one without bringing together what is different; the heaviest first."""
    weight = _weights(links, same)
    group = {end: {end} for pair in same for end in pair}
    kept = []
    for pair in sorted(same, key=lambda p: (-weight[p], p)):
        union = group[pair[0]] | group[pair[1]]
        if any(a in union and b in union for a, b in different):
            continue
        kept.append(pair)
        group.update(dict.fromkeys(union, union))
    return kept


def _weights(links: Links, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """The weights of some pairs; of one that is not given, the least there is."""
    rows = np.flatnonzero(np.isin(links.a, [end for pair in pairs for end in pair]))
    found: dict[tuple[int, int], float] = dict.fromkeys(pairs, -np.inf)
    for row in rows.tolist():
        a, b = int(links.a[row]), int(links.b[row])
        pair = (min(a, b), max(a, b))
        if pair in found:
            found[pair] = max(found[pair], float(links.weight[row]))
    return found


def _torn(word: _Word, texts: Texts) -> Iterator[Queued]:
    for members, dropped in word.torn:
        pairs = ", ".join(f"{texts[a]} and {texts[b]}" for a, b in dropped)
        yield Queued(
            tuple(texts[members]),
            f"Judgements contradict each other: what was judged different is kept apart, and so "
            f"not kept the same, although judged so: {pairs}. Withdraw one of the judgements.",
        )


# -- numbers to names ------------------------------------------------------------------------------------------------

REASONS: dict[int, str] = {
    Hindrance.FORBIDDEN: "{a} and {b} surely agree, but records on their two sides are judged different, or "
    "contradict in something that decides alone.",
    Hindrance.CONTRADICTION: "{a} and {b} surely agree, but records on their two sides clearly contradict.",
    Hindrance.DISAGREEMENT: "{a} and {b} surely agree, but taken together the records on their two sides do not.",
    Hindrance.WEAK_LINK: "Only {a} and {b} hold their two sides together, and not strongly; the rest rather disagrees.",
    Hindrance.ONE_TO_ONE: "{a} and {b} surely agree, and no worse than what each was put with, but their system holds "
    "no doubles.",
    Hindrance.UNDECIDED: "{a} and {b} surely agree, but what they agree in fits another customer, too, who contradicts "
    "this one: nothing says clearly whose record it is.",
    Hindrance.SIZE: "Together they would be {count} records, more than {most}: rather a value that many share than "
    "one customer.",
}

CROWD = (
    "{count} records hang together by sure links, but are many customers: rather a value that many share. The "
    "strongest of those links is {a} to {b}."
)


class _Clusters:
    """The records by cluster."""

    def __init__(self, texts: Texts, first: Ints) -> None:
        order = np.argsort(first, kind="stable")
        sorted_ = first[order]
        new = np.ones(len(first), dtype=bool)
        new[1:] = sorted_[1:] != sorted_[:-1]
        self.texts, self.firsts = texts, sorted_[new]
        self._ordered = texts[order].tolist()
        self._bounds = [*np.flatnonzero(new).tolist(), len(first)]

    def all(self) -> list[list[str]]:
        was_on = gc.isenabled()
        gc.disable()  # it would look for garbage among a million lists that all stay: that is most of the time here
        try:
            return [self._ordered[start:end] for start, end in pairwise(self._bounds)]
        finally:
            if was_on:
                gc.enable()

    def members(self, *firsts: int) -> tuple[str, ...]:
        """The records of the clusters that begin with these."""
        at = np.searchsorted(self.firsts, firsts).tolist()
        return tuple(sorted(ref for n in at for ref in self._ordered[self._bounds[n] : self._bounds[n + 1]]))


def _queued(clusters: _Clusters, apart: Apart) -> Iterator[Queued]:
    """One for each two groups; one for all that would be too large, or that hangs together and is too large for anybody
    to look at two by two."""
    large = apart.hindrance == Hindrance.SIZE
    crowd = apart.crowded & ~large & (apart.hindrance != Hindrance.ONE_TO_ONE)
    for row in np.flatnonzero(~large & ~crowd).tolist():
        members = clusters.members(int(apart.a[row]), int(apart.b[row]))
        yield _said(clusters, apart, row, members, REASONS[int(apart.hindrance[row])])
    yield from _at_once(clusters, apart, large, REASONS[Hindrance.SIZE])
    yield from _at_once(clusters, apart, crowd, CROWD)


def _at_once(clusters: _Clusters, apart: Apart, picked: Flags, reason: str) -> Iterator[Queued]:
    """One for all groups that hang together by these rows."""
    rows = np.flatnonzero(picked)
    if not len(rows):
        return
    firsts = np.unique(np.concatenate([apart.a[rows], apart.b[rows]]))
    of_group = connected(len(clusters.texts), apart.a[rows], apart.b[rows])
    of_row = of_group[apart.a[rows]]
    order = np.lexsort((apart.link_b[rows], apart.link_a[rows], -apart.weight[rows], of_row))
    strongest = order[np.unique(of_row[order], return_index=True)[1]]
    by_whole = firsts[np.argsort(of_group[firsts], kind="stable")]
    wholes = np.split(by_whole, np.flatnonzero(np.diff(of_group[by_whole])) + 1)
    for row, whole in zip(rows[strongest].tolist(), wholes, strict=True):
        yield _said(clusters, apart, row, clusters.members(*whole.tolist()), reason)


def _said(clusters: _Clusters, apart: Apart, row: int, members: tuple[str, ...], reason: str) -> Queued:
    a, b = clusters.texts[apart.link_a[row]], clusters.texts[apart.link_b[row]]
    told = reason.format(a=a, b=b, count=len(members), most=MAX_MEMBERS)
    return Queued(members, told, float(apart.weight[row]), (a, b))

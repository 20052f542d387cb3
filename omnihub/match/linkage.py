"""Linkage: groups of numbered records grow by average linkage, all components at once, in arrays.

Each round, every two groups that are each other's best join (their best: the highest mean of all pairs between them,
among the groups they may join at all). That is average linkage; only that it goes on everywhere at the same time. What
is kept is one row for each two groups with a pair between them, never a matrix: memory follows the pairs.

What becomes of a component depends on its own pairs and on the order of its own records, on nothing else. Weights are
rounded so that their sums are exact, in whatever order they are added up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

GRAIN = 2.0**20  # weights are whole multiples of 1/GRAIN bits
MOST = 1000.0  # bits; more in one pair says no more


class Hindrance(IntEnum):
    """Why two groups may not join; the first that holds."""

    NONE = 0
    NO_SURE_LINK = 1
    FORBIDDEN = 2
    ONE_TO_ONE = 3
    CONTRADICTION = 4
    DISAGREEMENT = 5
    WEAK_LINK = 6
    SIZE = 7
    UNDECIDED = 8  # one of the two fits another group, too, and what it fits can't be one


@dataclass(frozen=True)
class Rules:
    """What two groups need to become one; weights in bits."""

    same: float  # the best pair between them must say so much
    mean: float  # and all pairs between them in the mean
    agrees: float  # a pair with so much supports the others
    absent: float  # what a pair that is not given counts as
    contradiction: float  # a pair with so little is never inside a group
    near: float  # above `same`: a link that alone is not enough for sides that otherwise disagree
    size: int  # records in a group
    almost: float  # two links that differ by no more are equally good
    clear: float  # by so much a record fits its group better than a group that contradicts that one


@dataclass(frozen=True)
class Links:
    """Pairs of records by number. `forbidden`: by a rule or a person; `contradict`: by what they say, not by a word."""

    a: Ints
    b: Ints
    weight: Floats
    forbidden: Flags
    contradict: Flags

    def only(self, rows: Flags | Ints) -> Links:
        return Links(self.a[rows], self.b[rows], self.weight[rows], self.forbidden[rows], self.contradict[rows])

    def named(self, names: Ints) -> Links:
        """The same pairs with other numbers."""
        return replace(self, a=names[self.a], b=names[self.b])


@dataclass(frozen=True)
class Between:
    """What is known of each two groups with a pair between them, a < b."""

    a: Ints
    b: Ints
    total: Floats
    given: Floats  # how many pairs there are
    best: Floats
    worst: Floats  # -inf: one of them is forbidden
    agreeing: Floats  # how many of them support the others

    def columns(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        return self.total, self.given, self.best, self.worst, self.agreeing

    def only(self, rows: Flags | Ints) -> Between:
        return Between(self.a[rows], self.b[rows], *(column[rows] for column in self.columns()))


@dataclass(frozen=True)
class Apart:
    """Groups that did not become one in spite of a sure link between them: the two (by their first records), the
    strongest link, its weight, what stood against it, and whether all that hangs together there is larger than a group
    may be."""

    a: Ints
    b: Ints
    link_a: Ints
    link_b: Ints
    weight: Floats
    hindrance: npt.NDArray[np.int8]
    crowded: Flags


@dataclass(frozen=True)
class Groups:
    """The groups so far, each under the number of its first record. `voices`: how many count in a mean; what a person
    called the same is one voice. `holds`: bits of the systems without doubles that have a record in it."""

    voices: Floats
    records: Ints
    holds: Bits  # (groups, words)

    def join(self, into: Ints, gone: Ints) -> None:
        self.voices[into] += self.voices[gone]
        self.records[into] += self.records[gone]
        self.holds[into] |= self.holds[gone]

    def copy(self) -> Groups:
        return Groups(self.voices.copy(), self.records.copy(), self.holds.copy())

    def part(self, again: Flags, alone: Groups) -> None:
        """Each of these records is a group of its own again."""
        self.voices[again], self.records[again], self.holds[again] = (
            column[again] for column in (alone.voices, alone.records, alone.holds)
        )


def exact(weight: Floats) -> Floats:
    """Weights whose sums do not depend on the order of adding."""
    found: Floats = np.round(np.clip(weight, -MOST, MOST) * GRAIN) / GRAIN
    return found


def linked(links: Links, united: Ints, holds: Bits, rules: Rules) -> tuple[Ints, Apart]:
    """For each record the first record of its group, and what was kept apart though a sure link is there.

    `united`: for each record the first of those that are one with it by a person's word; they speak with one voice,
    their best evidence, and stay together whatever the rules say. `holds`: one row of bits for each record.
    """
    count = len(united)
    links = distinct(links, count)
    links = replace(links, weight=np.where(links.forbidden, -np.inf, links.weight))
    if (united != np.arange(count)).any():
        links = distinct(links.named(united), count)  # now a forbidden one may have weight: of another pair of the same
    sure = links.only(links.weight >= rules.same)
    component = components(count, sure.a, sure.b)
    links = links.only(component[links.a] == component[links.b])
    nodes, number, place = _laid_out(component, sure)
    compact = np.zeros(count, dtype=np.int64)
    compact[nodes] = np.arange(len(nodes))
    links = links.named(compact)
    held = np.zeros_like(holds)
    np.bitwise_or.at(held, united, holds)
    groups = Groups(np.ones(len(nodes)), np.bincount(united, minlength=count)[nodes], held[nodes])
    crowded = np.bincount(number, weights=groups.records)[number] > rules.size if len(nodes) else np.zeros(0, bool)
    first = _decided(links, number, place, groups, rules)
    found = np.arange(count)
    found[nodes] = nodes[first]
    return found[united], _apart(links, first, groups, rules, nodes, crowded)


def _decided(links: Links, component: Ints, place: Ints, groups: Groups, rules: Rules) -> Ints:
    """For each record the first record of its group. A record that fits two groups about equally well that contradict
    each other is in neither: what it has, both have. Such records of one group stay together where they agree.

    Without them the others are put together anew: they may have been all that held a group together.
    """
    alone, open_ = groups.copy(), links
    side = np.zeros(len(component), dtype=np.int64)  # of those left out: the group they were in, and one
    first = grown(open_, component, place, groups, rules)
    while len(found := _undecided(open_, first, groups, alone, rules)):
        side[found] = first[found] + 1
        open_ = open_.only(side[open_.a] == side[open_.b])
        again = np.isin(component, component[found])
        groups.part(again, alone)
        first = np.where(again, grown(open_.only(again[open_.a]), component, place, groups, rules), first)
    return first


@dataclass(frozen=True)
class _Fit:
    """How records agree with groups: a row for each of the records and each group it has a pair with."""

    record: Ints
    group: Ints
    mean: Floats  # of all pairs, with what is not given
    best: Floats
    worst: Floats


def _undecided(links: Links, first: Ints, groups: Groups, alone: Groups, rules: Rules) -> Ints:
    """The records that fit their group not clearly better than another one that contradicts it.

    A record that contradicts the other group itself does not fit it. One that counts for several in `alone` is decided:
    a person said what it is the same as; and what only a person called different does not contradict.
    """
    against = links.only(links.contradict & (first[links.a] != first[links.b]))
    if not len(against.a):
        return np.zeros(0, dtype=np.int64)
    count = len(first)
    rivals = np.concatenate([first[against.a] * count + first[against.b], first[against.b] * count + first[against.a]])
    torn = np.zeros(count, dtype=bool)
    torn[rivals % count] = True
    fit = _fit(links, first, groups, torn[first] & (alone.records == 1), rules)
    own = fit.group == first[fit.record]
    mine = np.full(count, np.inf)
    mine[fit.record[own]] = fit.mean[own]
    fits = (fit.best >= rules.same) & (fit.mean >= rules.mean) & (fit.worst > rules.contradiction)
    free = ~(alone.holds[fit.record] & groups.holds[fit.group]).any(axis=1)
    close = mine[fit.record] - fit.mean < rules.clear
    rows = np.flatnonzero(fits & free & close & ~own)
    rival = np.isin(first[fit.record[rows]] * count + fit.group[rows], rivals)
    return np.unique(fit.record[rows[rival]])


def _fit(links: Links, first: Ints, groups: Groups, picked: Flags, rules: Rules) -> _Fit:
    """Of the picked records."""
    links = links.only(picked[links.a] | picked[links.b])
    record, other = np.concatenate([links.a, links.b]), np.concatenate([links.b, links.a])
    rows = np.flatnonzero(picked[record])
    record, group = record[rows], first[other[rows]]
    weight = np.concatenate([links.weight, links.weight])[rows]
    key = record * len(first) + group
    order = np.argsort(key, kind="stable")
    starts = _starts(key[order])
    record, group = record[order][starts], group[order][starts]
    total, best, worst = (
        way.reduceat(weight[order], starts) if len(order) else weight for way in (np.add, np.maximum, np.minimum)
    )
    given = np.diff(starts, append=len(order))
    pairs = groups.voices[group] - (group == first[record])  # nobody has one with themselves
    return _Fit(record, group, (total + rules.absent * (pairs - given)) / pairs, best, worst)


def _laid_out(component: Ints, sure: Links) -> tuple[Ints, Ints, Ints]:
    """The records with a sure link, component by component; the number of each one's component; its place there."""
    busy = np.zeros(len(component), dtype=bool)
    busy[sure.a] = busy[sure.b] = True
    nodes = np.flatnonzero(busy)
    nodes = nodes[np.argsort(component[nodes], kind="stable")]
    starts = _starts(component[nodes])
    number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(nodes)))
    return nodes, number, np.arange(len(nodes)) - starts[number]


def _apart(links: Links, first: Ints, groups: Groups, rules: Rules, nodes: Ints, crowded: Flags) -> Apart:
    """What is left between the finished groups, where there is a sure link. What only an assignment keeps apart is
    left out, unless the link is as good as those that were preferred to it: then the choice was none."""
    crossing = links.only(first[links.a] != first[links.b])
    rows = between(crossing, first, rules)
    hindered, _ = hindrances(rows, groups, rules)
    left = hindered != Hindrance.NO_SURE_LINK
    sure = crossing.only(crossing.weight >= rules.same)
    a, b = first[sure.a], first[sure.b]
    key = np.minimum(a, b) * len(first) + np.maximum(a, b)
    order = np.lexsort((sure.b, sure.a, -sure.weight, key))
    best = sure.only(order[_starts(key[order])])  # one for each row that is left, in the same order
    rows, hindered = rows.only(left), hindered[left]
    lost = (hindered == Hindrance.ONE_TO_ONE) & ~_as_good(best, _preferred(links, first), rules)
    rows, best, hindered = rows.only(~lost), best.only(~lost), hindered[~lost]
    hindered[hindered == Hindrance.NONE] = Hindrance.UNDECIDED
    return Apart(nodes[rows.a], nodes[rows.b], nodes[best.a], nodes[best.b], best.weight, hindered, crowded[rows.a])


def _preferred(links: Links, first: Ints) -> Floats:
    """For each record its strongest link inside its group."""
    inside = links.only(first[links.a] == first[links.b])
    found = np.full(len(first), -np.inf)
    np.maximum.at(found, inside.a, inside.weight)
    np.maximum.at(found, inside.b, inside.weight)
    return found


def _as_good(links: Links, preferred: Floats, rules: Rules) -> Flags:
    found: Flags = links.weight + rules.almost >= np.maximum(preferred[links.a], preferred[links.b])
    return found


def components(count: int, a: Ints, b: Ints) -> Ints:
    """For each of `count` records the first record it is connected with."""
    first = np.arange(count)
    while True:
        a, b = first[a], first[b]
        apart = a != b
        a, b = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
        if not len(a):
            return first
        np.minimum.at(first, b, a)
        first = _followed(first)


def _followed(first: Ints) -> Ints:
    while True:
        further = first[first]
        if np.array_equal(further, first):
            return first
        first = further


def distinct(links: Links, count: int) -> Links:
    """Each pair once: the strongest weight counts, and forbidden is forbidden."""
    a, b = np.minimum(links.a, links.b), np.maximum(links.a, links.b)
    rows = np.flatnonzero(a != b)
    key = a[rows] * count + b[rows]
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    starts = _starts(key)
    weight, forbidden, contradict = links.weight[rows], links.forbidden[rows], links.contradict[rows]
    if len(starts) < len(rows):
        weight = np.maximum.reduceat(weight, starts)
        forbidden, contradict = (np.logical_or.reduceat(flags, starts) for flags in (forbidden, contradict))
    return Links(a[rows[starts]], b[rows[starts]], weight, forbidden, contradict)


def _starts(key: npt.NDArray[np.int64]) -> Ints:
    """Where in the sorted keys a new one begins."""
    new = np.ones(len(key), dtype=bool)
    new[1:] = key[1:] != key[:-1]
    return np.flatnonzero(new)


def between(links: Links, group: Ints, rules: Rules) -> Between:
    """The pairs, gathered by the groups they lie between."""
    total, worst = np.where(links.forbidden, 0.0, links.weight), np.where(links.forbidden, -np.inf, links.weight)
    given, agreeing = np.ones(len(total)), (links.weight >= rules.agrees).astype(np.float64)
    return _gathered(Between(group[links.a], group[links.b], total, given, links.weight, worst, agreeing), len(group))


def _gathered(rows: Between, count: int) -> Between:
    """One row for each two groups; what lies inside a group is left out."""
    a, b = np.minimum(rows.a, rows.b), np.maximum(rows.a, rows.b)
    kept = np.flatnonzero(a != b)
    if not len(kept):
        return rows.only(kept)  # `reduceat` wants something to begin at
    key = a[kept] * count + b[kept]
    order = np.argsort(key)
    kept, key = kept[order], key[order]
    starts = _starts(key)
    ways = (np.add, np.add, np.maximum, np.minimum, np.add)
    columns = (way.reduceat(column[kept], starts) for way, column in zip(ways, rows.columns(), strict=True))
    return Between(a[kept[starts]], b[kept[starts]], *columns)


def hindrances(rows: Between, groups: Groups, rules: Rules) -> tuple[npt.NDArray[np.int8], Floats]:
    """For each two groups what keeps them apart (a `Hindrance`), and the mean of all pairs between them."""
    pairs = groups.voices[rows.a] * groups.voices[rows.b]
    mean = (rows.total + rules.absent * (pairs - rows.given)) / pairs
    rest = mean * pairs - rows.best
    alone = (pairs > 1) & (rows.agreeing <= 1) & (rest < 0) & (rows.best < rules.same + rules.near)
    found = np.full(len(mean), Hindrance.NONE, dtype=np.int8)
    reasons = (  # the last one written counts, so: from the weakest reason to the strongest
        (Hindrance.SIZE, groups.records[rows.a] + groups.records[rows.b] > rules.size),
        (Hindrance.WEAK_LINK, alone),
        (Hindrance.DISAGREEMENT, mean < rules.mean),
        (Hindrance.CONTRADICTION, rows.worst <= rules.contradiction),
        (Hindrance.ONE_TO_ONE, (groups.holds[rows.a] & groups.holds[rows.b]).any(axis=1)),
        (Hindrance.FORBIDDEN, rows.worst == -np.inf),
        (Hindrance.NO_SURE_LINK, rows.best < rules.same),
    )
    for hindrance, holds in reasons:
        found[holds] = hindrance
    return found, mean


def grown(links: Links, component: Ints, place: Ints, groups: Groups, rules: Rules) -> Ints:
    """For each record the first record of its group. `component`: the number of the component a record is in; `place`:
    its place in the order of that component. `groups` are joined as it goes."""
    count = len(component)
    first = np.arange(count)
    highest, nearest, moved = np.empty(count), np.empty(count, dtype=np.int64), np.zeros(count, dtype=bool)
    alive = np.zeros(int(component.max(initial=-1)) + 1, dtype=bool)
    rows = between(links, first, rules)
    while True:
        hindered, mean = hindrances(rows, groups, rules)
        free = hindered == Hindrance.NONE
        if not free.any():
            return _followed(first)
        a, b, mean = rows.a[free], rows.b[free], mean[free]
        into, gone = _mutual(a, b, mean, place, highest, nearest)
        first[gone] = into
        groups.join(into, gone)
        alive[component[a]] = True
        rows = rows.only(alive[component[rows.a]])
        alive[component[a]] = False
        moved[into] = moved[gone] = True
        rows = _rejoined(rows, first, moved)
        moved[into] = moved[gone] = False


def _mutual(a: Ints, b: Ints, mean: Floats, place: Ints, highest: Floats, nearest: Ints) -> tuple[Ints, Ints]:
    """Those of the pairs that are the best of both their ends. Among equals places 0–1, 2–3 … come first, then 0–2:
    so that many equals find each other at once, and no end has two that are equally near."""
    highest[a] = highest[b] = -np.inf
    np.maximum.at(highest, a, mean)
    np.maximum.at(highest, b, mean)
    best = (mean == highest[a]) & (mean == highest[b])
    a, b = a[best], b[best]
    apart = place[a] ^ place[b]
    nearest[a] = nearest[b] = np.iinfo(np.int64).max
    np.minimum.at(nearest, a, apart)
    np.minimum.at(nearest, b, apart)
    chosen = (apart == nearest[a]) & (apart == nearest[b])
    return a[chosen], b[chosen]


def _rejoined(rows: Between, first: Ints, moved: Flags) -> Between:
    """The rows after some groups joined; only theirs are gathered anew."""
    touched = moved[rows.a] | moved[rows.b]
    if not touched.any():
        return rows
    stale = rows.only(touched)
    fresh = _gathered(replace(stale, a=first[stale.a], b=first[stale.b]), len(first))
    still = rows.only(~touched)
    columns = (np.concatenate(pair) for pair in zip(still.columns(), fresh.columns(), strict=True))
    return Between(np.concatenate([still.a, fresh.a]), np.concatenate([still.b, fresh.b]), *columns)

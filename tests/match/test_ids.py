"""Golden ids for life: kept on re-runs, the oldest survives a merge, a split follows the founder."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.match import Assigned, Golden, assign
from omnihub.model import Entity


class Memory:
    """What the store keeps between two runs: the crosswalk and every id there ever was."""

    def __init__(self) -> None:
        self.crosswalk: dict[str, str] = {}
        self.former: dict[str, tuple[str, ...]] = {}
        self.last: Sequence[Sequence[str]] = []
        self.goldens: dict[str, Golden] = {}
        self.runs = 0

    def run(self, *clusters: str) -> Assigned:
        """Clusters are words whose letters are refs."""
        return self.match([sorted(c) for c in clusters])

    def match(self, clusters: Sequence[Sequence[str]]) -> Assigned:
        self.runs += 1
        members = {ref for c in clusters for ref in c}
        crosswalk = {ref: gid for ref, gid in self.crosswalk.items() if ref in members}
        former = {ref: ids for ref, ids in self.former.items() if ref in members}
        found = assign(Entity.CONTACT, clusters, crosswalk, self._known(members), born=self.runs, former=former)
        self.former |= found.former
        self.crosswalk |= found.crosswalk
        self.goldens |= {g.id: g for g in found.born}
        for loser, winner in found.merged:
            old = self.goldens[loser]
            self.goldens[loser] = Golden(old.id, old.born, old.founder, winner)
        for gid in found.revived:
            old = self.goldens[gid]
            self.goldens[gid] = Golden(old.id, old.born, old.founder, None)
        self.last = clusters
        return found

    def match_touched(self, clusters: Sequence[Sequence[str]]) -> Assigned:
        """As `match`, but only what has changed since, with all that shares an id with it."""
        before: dict[str, set[str]] = {}
        for ref in {ref for c in self.last for ref in c}:
            before.setdefault(self.crosswalk[ref], set()).add(ref)
        touched = {r for c in clusters if set(c) not in before.values() for r in c}
        touched |= {ref for old in before.values() if old not in [set(c) for c in clusters] for ref in old}
        grown: set[str] = set()
        while grown != touched:
            grown = set(touched)
            ids = {self.crosswalk[ref] for ref in touched if ref in self.crosswalk}
            touched |= {ref for ref, gid in self.crosswalk.items() if gid in ids}
            touched |= {ref for c in clusters if touched & set(c) for ref in c}
        return self.match([c for c in clusters if touched & set(c)])

    def _known(self, members: set[str]) -> dict[str, Golden]:
        """The ids of these refs, now and formerly, those founded by them, and what all of them were merged into."""
        wanted = {self.crosswalk[ref] for ref in members if ref in self.crosswalk}
        wanted |= {gid for ref in members for gid in self.former.get(ref, ()) if gid}
        wanted |= {gid for gid, g in self.goldens.items() if g.founder in members}
        known: dict[str, Golden] = {}
        while wanted:
            known |= {gid: self.goldens[gid] for gid in wanted}
            wanted = {into for gid in wanted if (into := self.goldens[gid].merged_into)} - known.keys()
        return known

    @property
    def state(self) -> tuple[Any, ...]:
        return self.crosswalk, self.former, self.goldens

    def of(self, ref: str) -> str:
        return self.crosswalk[ref]

    def resolve(self, gid: str) -> str:
        """The living id that an id stands for now."""
        seen = set()
        while (into := self.goldens[gid].merged_into) is not None:
            assert gid not in seen, "ids must not resolve in a circle"
            seen.add(gid)
            gid = into
        return gid


def test_a_re_run_changes_nothing() -> None:
    m = Memory()
    m.run("ab", "c")
    before = dict(m.crosswalk)
    again = m.run("ab", "c")
    assert (again.crosswalk, again.born, again.merged, again.split, again.revived) == (before, [], [], [], [])


def test_a_new_member_takes_the_id_of_its_cluster() -> None:
    m = Memory()
    m.run("b")
    first = m.of("b")
    m.run("ab")
    assert m.of("a") == m.of("b") == first


def test_a_merge_keeps_the_oldest_id_and_the_loser_resolves_to_it() -> None:
    m = Memory()
    m.run("z")
    m.run("z", "a")
    oldest, younger = m.of("z"), m.of("a")
    found = m.run("az")
    assert m.of("a") == m.of("z") == oldest, "the oldest, not the first in the alphabet"
    assert found.merged == [(younger, oldest)]
    assert m.resolve(younger) == oldest


def test_a_split_leaves_the_id_with_its_founder() -> None:
    m = Memory()
    m.run("b")
    m.run("abcd")
    old = m.of("b")
    found = m.run("b", "acd")
    assert m.of("b") == old, "with the founder, though the others are more"
    assert m.of("a") != old
    assert found.split == [(old, m.of("a"))]
    assert [g.founder for g in found.born] == ["a"]


def test_without_its_founder_an_id_goes_where_most_of_its_members_are() -> None:
    m = Memory()
    m.run("a")
    m.run("abcd")
    old = m.of("b")
    m.run("b", "cd")  # a is gone
    assert (m.of("c"), m.of("d")) == (old, old)
    assert m.of("b") != old


def test_what_was_merged_by_mistake_gets_its_old_id_back() -> None:
    m = Memory()
    m.run("a")
    m.run("a", "b")
    first, second = m.of("a"), m.of("b")
    m.run("ab")
    found = m.run("a", "b")
    assert (m.of("a"), m.of("b")) == (first, second)
    assert found.revived == [second]
    assert found.born == []
    assert m.resolve(second) == second


def test_an_undone_merge_gives_the_old_id_back_though_its_founder_is_deleted() -> None:
    m = Memory()
    m.run("x")
    m.run("x", "ab")
    old = m.of("b")
    m.run("x", "b")  # a, the founder, is gone
    m.run("xb")
    assert m.of("b") == m.of("x") == m.resolve(old)
    assert m.run("x", "b").revived == [old]
    assert m.of("b") == old


def test_an_id_whose_founder_moves_to_an_older_record_stays_with_the_others() -> None:
    m = Memory()
    m.run("x")
    m.run("x", "abc")
    old, older = m.of("a"), m.of("x")
    found = m.run("xa", "bc")
    assert (m.of("a"), m.of("b"), m.of("c")) == (older, old, old)
    assert (found.merged, found.born, found.moved) == ([], [], [(old, older)])


def test_ids_that_leave_a_merge_together_resolve_to_each_other_not_to_what_they_left() -> None:
    m = Memory()
    for n in range(3):
        m.run(*"abc"[: n + 1])
    first, second, third = m.of("a"), m.of("b"), m.of("c")
    m.run("abc")
    found = m.run("a", "bc")
    assert (m.of("a"), m.of("b"), m.of("c")) == (first, second, second)
    assert (found.revived, found.merged, m.resolve(third)) == ([second], [(third, second)], second)


def test_where_nobody_remembers_a_merge_its_founder_does() -> None:
    """Stores from before records remembered their former ids."""
    goldens = {"old": Golden("old", 1, "a"), "young": Golden("young", 2, "b", "old")}
    found = assign(Entity.CONTACT, [["a"], ["b"]], {"a": "old", "b": "old"}, goldens, born=3)
    assert found.crosswalk == {"a": "old", "b": "young"}
    assert found.revived == ["young"]


def test_a_rebuild_from_nothing_gives_the_same_ids() -> None:
    one, other = Memory(), Memory()
    one.run("ab", "c", "de")
    other.run("ed", "ba", "c")
    assert one.crosswalk == other.crosswalk


def test_ids_name_their_entity_and_hold_nothing_personal() -> None:
    found = assign(Entity.ACCOUNT, [["crm/accounts/anna@x.de"]], {}, {}, born=1)
    [gid] = found.crosswalk.values()
    assert gid.startswith("account_")
    assert "anna" not in gid


def test_a_founder_that_founds_again_gets_another_id() -> None:
    """a founded an id, which went on with its members; alone again it can't have the same."""
    m = Memory()
    m.run("ab")
    old = m.of("a")
    taken = Golden(old, 1, "a")
    found = assign(Entity.CONTACT, [["a"]], {}, {old: taken}, born=2)
    assert found.crosswalk["a"] != old


# -- whatever happened before ----------------------------------------------------------------------------------------

REFS = "abcdefg"
histories = st.lists(st.lists(st.integers(-1, 4), min_size=len(REFS), max_size=len(REFS)), min_size=1, max_size=7)
"""Runs; for each ref the number of its cluster, -1 where the record is gone just then."""
stays = st.lists(st.lists(st.integers(0, 4), min_size=len(REFS), max_size=len(REFS)), min_size=1, max_size=7)
"""The same, and nobody is ever gone."""


def clusters_of(drawn: Sequence[int]) -> list[list[str]]:
    groups: dict[int, list[str]] = {}
    for ref, n in zip(REFS, drawn, strict=True):
        if n >= 0:
            groups.setdefault(n, []).append(ref)
    return list(groups.values())


def living(m: Memory, clusters: Sequence[Sequence[str]]) -> dict[str, str]:
    return {ref: m.of(ref) for c in clusters for ref in c}


@settings(max_examples=300)
@given(histories)
def test_after_any_history_every_record_has_one_id_and_no_id_is_in_two_clusters(history: list[list[int]]) -> None:
    m = Memory()
    for drawn in history:
        clusters = clusters_of(drawn)
        found = m.match(clusters)
        assert found.crosswalk.keys() == {ref for c in clusters for ref in c}
        ids = [{found.crosswalk[ref] for ref in c} for c in clusters]
        assert all(len(i) == 1 for i in ids), "one id a cluster"
        assert len(set().union(*ids)) == len(clusters), "one cluster an id"
        for gid in found.crosswalk.values():
            assert m.goldens[gid].merged_into is None, "a living id is not merged into another"
        for gid in m.goldens:
            m.resolve(gid)


@settings(max_examples=200)
@given(histories)
def test_after_any_history_a_re_run_says_nothing(history: list[list[int]]) -> None:
    m = Memory()
    for drawn in history:
        m.match(clusters_of(drawn))
    before = dict(m.crosswalk)
    again = m.match(clusters_of(history[-1]))
    assert (again.born, again.merged, again.split, again.revived) == ([], [], [], [])
    assert m.crosswalk == before


@settings(max_examples=200)
@given(histories)
def test_after_any_history_the_order_of_the_input_does_not_matter(history: list[list[int]]) -> None:
    one, other = Memory(), Memory()
    for drawn in history:
        clusters = clusters_of(drawn)
        one.match(clusters)
        other.goldens, other.crosswalk = _backwards(other.goldens), _backwards(other.crosswalk)
        other.former = _backwards(other.former)
        other.match([c[::-1] for c in clusters[::-1]])
        assert one.state == other.state


def _backwards(of: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(of.items()))


@settings(max_examples=200)
@given(histories)
def test_a_founder_that_never_left_keeps_its_id_alone(history: list[list[int]]) -> None:
    """Whoever stays apart from all other founders has one id for life, whoever comes and goes beside it."""
    m = Memory()
    m.match([["a"]])
    mine = m.of("a")
    for drawn in history:
        apart = [[ref for ref in c if ref != "a"] for c in clusters_of(drawn)]
        m.match([["a"], *(c for c in apart if c)])
        assert m.of("a") == mine


@settings(max_examples=200)
@given(histories)
def test_after_any_history_only_what_is_touched_gives_the_ids_that_all_of_it_gives(history: list[list[int]]) -> None:
    """Incremental = full: a rebuild in the same store changes no id."""
    whole, touched = Memory(), Memory()
    for drawn in history:
        clusters = clusters_of(drawn)
        whole.match(clusters)
        touched.match_touched(clusters)
        touched.last = clusters
        assert touched.state == whole.state


few = st.lists(st.lists(st.integers(0, 4), min_size=len(REFS), max_size=len(REFS)), min_size=1, max_size=2)


@settings(max_examples=200)
@given(few, few, st.integers(0, 2**32))
def test_what_is_undone_leaves_the_ids_it_found(before: list[list[int]], meanwhile: list[list[int]], seed: int) -> None:
    """Merges, splits and moves that are all taken back, in one step or in many: each record has its id again."""
    assert undone_leaves_ids(before, meanwhile, random.Random(seed))


def test_of_long_histories_that_are_undone_hardly_one_leaves_another_id() -> None:
    """What went through many hands may come back under another id, which then leads to where the first one was."""
    chance = random.Random(7)
    draw = [[[[chance.randrange(5) for _ in REFS] for _ in range(7)] for _ in range(2)] for _ in range(400)]
    kept = [undone_leaves_ids(before, meanwhile, chance) for before, meanwhile in draw]
    assert kept.count(True) >= 398


def undone_leaves_ids(before: list[list[int]], meanwhile: list[list[int]], chance: random.Random) -> bool:
    m = Memory()
    for drawn in before:
        m.match(clusters_of(drawn))
    ids, kept = living(m, clusters_of(before[-1])), True
    for drawn in meanwhile:
        m.match(clusters_of(drawn))
        if chance.random() < 0.3:
            m.match(clusters_of(before[-1]))
            kept &= living(m, clusters_of(before[-1])) == ids
    m.match(clusters_of(before[-1]))
    return kept and living(m, clusters_of(before[-1])) == ids


@settings(max_examples=200)
@given(stays)
def test_after_any_history_an_id_that_was_merged_away_leads_to_those_who_had_it(history: list[list[int]]) -> None:
    m = Memory()
    for drawn in history:
        m.match(clusters_of(drawn))
    for gid, golden in m.goldens.items():
        had = [r for r in living(m, clusters_of(history[-1])) if gid in m.former.get(r, ()) or m.of(r) == gid]
        if golden.merged_into and had:
            assert m.resolve(gid) in {m.of(ref) for ref in had}

"""Clusters: groups grow by their strongest link, never chain, and a person's word counts most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.match import Judged, Thresholds, clusters
from omnihub.match.clusters import components

LIMITS = Thresholds(same=10.0, unsure=5.0)
NEVER = float("-inf")


def found(members: str, weights: Mapping[str, float], judged: Sequence[tuple[str, str, str]] = ()) -> list[str]:
    """Members are letters, pairs two letters; the clusters as words."""
    pairs = {(min(p), max(p)): w for p, w in weights.items()}
    return sorted("".join(c) for c in clusters(list(members), pairs, [Judged(*j) for j in judged], LIMITS))


def test_records_that_agree_are_one() -> None:
    assert found("abc", {"ab": 12, "bc": 12, "ac": 12}) == ["abc"]


def test_one_record_is_a_cluster() -> None:
    assert found("a", {}) == ["a"]


def test_below_the_upper_threshold_nothing_is_joined() -> None:
    assert found("abc", {"ab": 9.9, "bc": 9.9, "ac": 9.9}) == ["a", "b", "c"]


def test_a_record_that_says_little_does_not_join_two_that_contradict() -> None:
    """Branch and head office, and between them a record that has only what both share."""
    assert found("bhx", {"bx": 14, "hx": 13, "bh": -12}) == ["bx", "h"]
    assert found("bhx", {"bx": 13, "hx": 14, "bh": -12}) == ["b", "hx"]


def test_a_forbidden_pair_is_never_together_however_strong_the_rest() -> None:
    assert found("abc", {"ab": 50, "bc": 50, "ac": NEVER}) == ["ab", "c"]


def test_a_chain_is_cut_where_the_mean_is_against_it() -> None:
    chain = {"ab": 12, "bc": 12, "cd": 12, "ac": 0, "bd": 0, "ad": 0}
    assert found("abcd", chain) == ["ab", "cd"]


def test_little_evidence_inside_a_group_does_not_tear_it() -> None:
    assert found("abc", {"ab": 15, "bc": 15, "ac": 3}) == ["abc"]


def test_the_strongest_link_is_made_first() -> None:
    assert found("abc", {"ab": 11, "bc": 20, "ac": -3}) == ["a", "bc"]


def test_a_person_may_say_that_two_are_the_same() -> None:
    assert found("ab", {"ab": -20}, [("a", "b", "same")]) == ["ab"]
    assert found("ab", {}, [("b", "a", "same")]) == ["ab"]


def test_a_person_may_say_that_two_are_different() -> None:
    assert found("ab", {"ab": 50}, [("b", "a", "different")]) == ["a", "b"]
    assert found("abc", {"ab": 50, "bc": 50, "ac": 50}, [("a", "c", "different")]) in (["ab", "c"], ["a", "bc"])


def test_a_person_who_is_unsure_changes_nothing() -> None:
    assert found("ab", {"ab": 12}, [("a", "b", "unsure")]) == found("ab", {"ab": 12})


def test_same_by_a_person_outweighs_a_rule_but_not_another_persons_different() -> None:
    assert found("ab", {"ab": NEVER}, [("a", "b", "same")]) == ["ab"]
    judged = [("a", "b", "same"), ("b", "c", "same"), ("a", "c", "different")]
    assert found("abc", {"ab": 1, "bc": 1, "ac": 1}, judged) in (["ab", "c"], ["a", "bc"])


def test_judgements_about_others_do_nothing_here() -> None:
    assert found("ab", {"ab": 12}, [("a", "z", "different"), ("y", "z", "same")]) == ["ab"]


# -- what always holds -----------------------------------------------------------------------------------------------


@st.composite
def weighed(draw: Any) -> tuple[list[str], dict[tuple[str, str], float]]:
    members = [f"r{n}" for n in range(draw(st.integers(1, 7)))]
    pairs = [(a, b) for a in members for b in members if a < b]
    weight = st.sampled_from([NEVER, -12.0, -3.0, 0.0, 4.0, 6.5, 9.9, 10.0, 12.0, 25.0])
    return members, {pair: draw(weight) for pair in pairs if draw(st.booleans())}


judgements = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["same", "different", "unsure"])), max_size=4
)


def judged_of(drawn: list[tuple[int, int, str]]) -> list[Judged]:
    once = {(min(a, b), max(a, b)): v for a, b, v in drawn if a != b}
    return [Judged(f"r{a}", f"r{b}", v) for (a, b), v in once.items()]


@given(weighed(), judgements, st.randoms())
def test_the_order_of_the_input_does_not_matter(given_: Any, drawn: Any, random: Any) -> None:
    members, weights = given_
    judged = judged_of(drawn)
    before = clusters(members, weights, judged, LIMITS)
    items = list(weights.items())
    for some in (members, items, judged):
        random.shuffle(some)
    assert clusters(members, dict(items), judged, LIMITS) == before


@given(weighed(), judgements)
def test_every_member_is_in_exactly_one_cluster_and_forbidden_pairs_in_none(given_: Any, drawn: Any) -> None:
    members, weights = given_
    judged = judged_of(drawn)
    same = {frozenset((j.a, j.b)) for j in judged if j.verdict == "same"}
    groups = clusters(members, weights, judged, LIMITS)
    assert sorted(ref for g in groups for ref in g) == members
    for g in groups:
        for pair, weight in weights.items():
            if set(pair) <= set(g) and weight == NEVER:
                assert frozenset(pair) in same or _through_a_person(g, same), (
                    "only a person's word joins what is forbidden"
                )
        for j in judged:
            assert j.verdict != "different" or not {j.a, j.b} <= set(g)


def _through_a_person(group: list[str], same: set[frozenset[str]]) -> bool:
    return any(pair <= set(group) for pair in same)


@given(weighed())
def test_without_a_persons_word_no_contradiction_is_inside_a_cluster(given_: Any) -> None:
    members, weights = given_
    for g in clusters(members, weights, [], LIMITS):
        assert all(weights.get((a, b), 0.0) > -4 for a in g for b in g if a < b)


@given(weighed(), judgements)
def test_what_a_person_called_the_same_is_together_unless_a_person_forbids_it(given_: Any, drawn: Any) -> None:
    members, weights = given_
    judged = [j for j in judged_of(drawn) if {j.a, j.b} <= set(members)]
    if any(j.verdict == "different" for j in judged) or NEVER in weights.values():
        return
    home = {ref: n for n, g in enumerate(clusters(members, weights, judged, LIMITS)) for ref in g}
    for j in judged:
        assert j.verdict != "same" or home[j.a] == home[j.b]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12), st.randoms())
def test_components_are_what_is_connected_whatever_the_order(edges: list[tuple[int, int]], random: Any) -> None:
    refs = [f"r{n}" for n in range(10)]
    named = [(f"r{a}", f"r{b}") for a, b in edges]
    before = components(refs, named)
    assert sorted(ref for g in before for ref in g) == refs
    home = {ref: n for n, g in enumerate(before) for ref in g}
    assert all(home[a] == home[b] for a, b in named)
    assert len(before) >= 10 - len(named)
    random.shuffle(named)
    random.shuffle(refs)
    assert components(refs, [(b, a) for a, b in named]) == before


def test_edges_to_records_that_are_not_here_are_ignored() -> None:
    assert components(["a", "b"], [("a", "z"), ("z", "b")]) == [["a"], ["b"]]


@pytest.mark.parametrize("size", [60])
def test_a_large_clique_is_one_cluster_in_no_time(size: int) -> None:
    members = [f"r{n:03}" for n in range(size)]
    weights = {(a, b): 12.0 for a in members for b in members if a < b}
    weights[members[0], members[1]] = 6.0  # not all of one mind, so that the groups are really grown
    assert clusters(members, weights, [], LIMITS) == [members]

"""Clusters: groups grow by average linkage, never chain, and a person's word counts most."""

from __future__ import annotations

import tracemalloc
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.match import Judged, Thresholds
from omnihub.match.clusters import CONTRADICTION, MAX_MEMBERS, PAIRS, Partition, Queued, partition
from omnihub.match.linkage import components as connected
from omnihub.match.linkage import exact

LIMITS = Thresholds(same=10.0, unsure=5.0)
NEVER = float("-inf")


def clusters(
    members: Sequence[str], weights: Mapping[tuple[str, str], float], judged: Sequence[Judged], limits: Thresholds
) -> list[list[str]]:
    """One component's clusters; -inf where a pair is forbidden."""
    rows = [{"a": a, "b": b, "weight": w, "forbidden": w == NEVER} for (a, b), w in weights.items()]
    return partition(members, pa.Table.from_pylist(rows, schema=PAIRS), judged, limits).clusters


def components(refs: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """What plain connected components would make of it, in order of the first ref."""
    texts = sorted(set(refs))
    place = {ref: n for n, ref in enumerate(texts)}
    known = [(place[a], place[b]) for a, b in edges if a in place and b in place]
    a, b = np.array(known, dtype=np.int64).reshape(-1, 2).T
    groups: dict[int, list[str]] = {}
    for ref, first in zip(texts, connected(len(texts), a, b).tolist(), strict=True):
        groups.setdefault(first, []).append(ref)
    return sorted(groups.values())


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
    assert found("bhx", {"bx": 16, "hx": 13, "bh": -12}) == ["bx", "h"]
    assert found("bhx", {"bx": 13, "hx": 16, "bh": -12}) == ["b", "hx"]


def test_a_forbidden_pair_is_never_together_however_strong_the_rest() -> None:
    assert found("abc", {"ab": 50, "bc": 40, "ac": NEVER}) == ["ab", "c"]
    assert found("abc", {"ab": 50, "bc": 50, "ac": NEVER}) == ["a", "b", "c"]


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


def test_same_by_a_person_twice_is_one_although_a_rule_speaks_against_the_two_ends() -> None:
    assert found("abc", {"ac": NEVER}, [("a", "b", "same"), ("b", "c", "same")]) == ["abc"]


def test_who_agrees_with_one_of_those_a_person_made_one_comes_along() -> None:
    """She married and changed her name: the old records still find her."""
    assert found("abo", {"ao": 15, "bo": -20}, [("a", "b", "same")]) == ["abo"]


def test_judgements_about_others_do_nothing_here() -> None:
    assert found("ab", {"ab": 12}, [("a", "z", "different"), ("y", "z", "same")]) == ["ab"]


# -- all components at once, and what is kept apart -------------------------------------------------------------------


def table(weights: Mapping[tuple[str, str], float], flip: bool = False) -> pa.Table:
    rows = [(b, a, w) if flip else (a, b, w) for (a, b), w in weights.items()]
    columns = [[row[n] for row in rows] for n in range(3)]
    return pa.table([*columns, [w == NEVER for w in columns[2]]], schema=PAIRS)


def parted(
    members: str,
    weights: Mapping[str, float],
    judged: Sequence[tuple[str, str, str]] = (),
    homes: Mapping[str, str] | None = None,
    one_to_one: Collection[str] = (),
) -> Partition:
    """Members are letters, pairs two letters."""
    pairs = table({(p[0], p[1]): w for p, w in weights.items()})
    return partition([*members], pairs, [Judged(*j) for j in judged], LIMITS, homes=homes, one_to_one=one_to_one)


def words(found_: Partition) -> list[str]:
    return ["".join(c) for c in found_.clusters]


def the_queued(found_: Partition) -> Queued:
    [queued] = found_.queued
    return queued


def test_a_component_that_hangs_together_by_a_chain_is_more_than_one_customer() -> None:
    """What plain connected components would make one, and what is queued of it."""
    chain = {"ab": 12, "bc": 11, "cd": 12, "ac": -3, "bd": -3, "ad": -3}
    assert [*components("abcd", [(p[0], p[1]) for p, w in chain.items() if w >= 10])] == [[*"abcd"]]
    parted_ = parted("abcd", chain)
    assert words(parted_) == ["ab", "cd"]
    queued = the_queued(parted_)
    assert (queued.members, queued.link, queued.weight) == (("a", "b", "c", "d"), ("b", "c"), 11)
    assert queued.reason.startswith("b and c surely agree, but taken together")


def test_a_pair_that_nobody_gave_is_no_evidence_for_it() -> None:
    assert words(parted("abc", {"ab": 12, "bc": 11})) == ["ab", "c"]
    assert words(parted("abc", {"ab": 25, "bc": 25})) == ["abc"]


def test_equals_are_settled_by_the_order_inside_their_component_whatever_comes_before_it() -> None:
    chain = {"ab": 12, "bc": 12, "cd": 12}
    assert words(parted("abcd", chain)) == ["ab", "cd"]
    assert words(parted("123abcd", chain | {"12": 12, "23": 12, "13": 12})) == ["123", "ab", "cd"]


@given(st.lists(st.floats(-2000, 2000), max_size=30), st.randoms())
def test_weights_add_up_to_the_same_in_any_order(weights: list[float], random: Any) -> None:
    before = np.array(weights)
    random.shuffle(weights)
    assert sum(exact(before).tolist()) == sum(exact(np.array(weights)).tolist())
    assert np.abs(exact(before) - before.clip(-1000, 1000)).max(initial=0) < 1e-6


def test_nothing_is_queued_where_nothing_was_kept_apart() -> None:
    assert parted("abcde", {"ab": 12, "cd": 3, "ce": NEVER}) == Partition([["a", "b"], ["c"], ["d"], ["e"]], [])


def test_a_contradiction_between_the_ends_of_a_chain_is_queued() -> None:
    parted_ = parted("abc", {"ab": 40, "bc": 30, "ac": -12})
    assert words(parted_) == ["ab", "c"]
    assert "clearly contradict" in the_queued(parted_).reason


def test_a_forbidden_pair_at_the_ends_of_a_chain_is_queued_but_not_one_that_stands_alone() -> None:
    parted_ = parted("abc", {"ab": 40, "bc": 30, "ac": NEVER})
    assert (words(parted_), the_queued(parted_).link) == (["ab", "c"], ("b", "c"))
    assert "decides alone" in the_queued(parted_).reason
    assert parted("ab", {"ab": NEVER}).queued == []


def test_who_agrees_with_one_and_contradicts_the_other_of_those_a_person_made_one_is_queued() -> None:
    parted_ = parted("abc", {"ac": 12, "bc": NEVER}, [("a", "b", "same")])
    assert (words(parted_), the_queued(parted_).members) == (["ab", "c"], ("a", "b", "c"))


def test_what_a_person_called_different_is_not_asked_again() -> None:
    assert parted("ab", {"ab": 40}, [("a", "b", "different")]).queued == []


def test_one_weak_link_does_not_hold_sides_together_that_otherwise_disagree() -> None:
    """With thresholds far apart the mean alone would let it pass."""
    wide = {"ab": 22, "bc": 10.5, "ac": -1}
    pairs = table({(p[0], p[1]): float(w) for p, w in wide.items()})
    found_ = partition("abc", pairs, [], Thresholds(same=10, unsure=2))
    assert words(found_) == ["ab", "c"]
    assert the_queued(found_).reason.startswith("Only b and c hold")
    strong = table({("a", "b"): 22.0, ("b", "c"): 15.0, ("a", "c"): -1.0})
    assert words(partition("abc", strong, [], Thresholds(same=10, unsure=2))) == ["abc"]


@pytest.mark.parametrize("size", [MAX_MEMBERS, MAX_MEMBERS + 1, 2 * MAX_MEMBERS])
def test_what_would_grow_too_large_is_cut_and_queued_once(size: int) -> None:
    members = [f"r{n:03}" for n in range(size)]
    found_ = partition(members, table({(a, b): 12.0 for a in members for b in members if a < b}), [], LIMITS)
    if size <= MAX_MEMBERS:
        assert found_ == Partition([members], [])
        return
    assert max(map(len, found_.clusters)) <= MAX_MEMBERS
    queued = the_queued(found_)
    assert queued.members == tuple(members)
    assert f"{size} records, more than {MAX_MEMBERS}" in queued.reason


def test_a_crowd_that_hangs_together_by_a_shared_value_is_queued_once_not_two_by_two() -> None:
    """Three hundred people behind one switchboard, each with somebody else's first name."""
    members = [f"r{n:03}" for n in range(300)]
    chain = dict.fromkeys(pairwise(members), 12.0)
    found_ = partition(members, table(chain), [], LIMITS)
    assert max(map(len, found_.clusters)) == 2
    assert the_queued(found_).members == tuple(members)
    assert "300 records hang together" in the_queued(found_).reason
    assert len(partition(members[:100], table(chain), [], LIMITS).queued) == 49


def test_a_person_may_say_what_the_guard_on_size_would_not_let() -> None:
    members = [f"r{n:03}" for n in range(MAX_MEMBERS + 1)]
    said = [Judged(members[0], ref, "same") for ref in members[1:]]
    assert partition(members, table({}), said, LIMITS) == Partition([members], [])


# -- what fits two that contradict each other -------------------------------------------------------------------------

BRANCH_AND_HEAD = {"bc": 30, "hi": 30, "bh": -12, "bi": -12, "ch": -12, "ci": -12}
THIN = {"bx": 13, "cx": 13, "hx": 13, "ix": 12}


def test_a_record_that_fits_two_who_contradict_each_other_is_asked_about_and_put_with_neither() -> None:
    found_ = parted("bchix", BRANCH_AND_HEAD | THIN)
    assert words(found_) == ["bc", "hi", "x"]
    assert [queued.link for queued in found_.queued] == [("b", "x"), ("h", "x")]
    assert all("fits another customer, too" in queued.reason for queued in found_.queued)


def test_a_record_that_fits_one_of_two_clearly_better_is_theirs() -> None:
    assert words(parted("bchix", BRANCH_AND_HEAD | THIN | {"cx": 16})) == ["bcx", "hi"]
    assert words(parted("bchix", BRANCH_AND_HEAD | THIN | {"hx": 8})) == ["bcx", "hi"]


def test_a_record_that_fits_two_who_do_not_contradict_each_other_is_put_with_the_better() -> None:
    assert words(parted("bchix", dict.fromkeys(BRANCH_AND_HEAD, 2) | {"bc": 30, "hi": 30} | THIN)) == ["bcx", "hi"]


def test_what_a_person_says_of_such_a_record_decides() -> None:
    both = BRANCH_AND_HEAD | THIN
    assert words(parted("bchix", both, [("h", "x", "same")])) == ["bc", "hix"]
    assert words(parted("bchix", both, [("b", "x", "different")])) == ["bc", "hix"]


def test_whom_only_a_person_called_different_does_not_take_apart_what_fits_both() -> None:
    alike = dict.fromkeys(("ab", "ac", "ad", "bc", "bd", "cd"), 40)
    assert sorted(map(len, parted("abcd", alike, [("a", "b", "different")]).clusters)) == [1, 3]


def test_such_records_stay_together_where_they_agree() -> None:
    two = {"by": 13, "cy": 13, "hy": 13, "iy": 12}
    assert words(parted("bchixy", BRANCH_AND_HEAD | THIN | two | {"xy": 13})) == ["bc", "hi", "xy"]
    assert words(parted("bchixy", BRANCH_AND_HEAD | THIN | two | {"xy": 7})) == ["bc", "hi", "x", "y"]


def test_nobody_is_held_together_by_a_record_that_fits_others_as_well() -> None:
    weak = BRANCH_AND_HEAD | {"bc": 7}
    assert words(parted("bchi", weak)) == ["b", "c", "hi"]
    assert words(parted("bchix", weak | THIN)) == ["b", "c", "hi", "x"]


# -- one to one -------------------------------------------------------------------------------------------------------

HOMES = {"a": "shop", "b": "shop", "x": "crm", "y": "crm"}


def test_of_a_system_without_doubles_each_record_finds_its_best_partner() -> None:
    weights = {"ax": 20, "ay": 18, "bx": 18, "by": 14}
    assert words(parted("abxy", weights)) == ["abxy"]
    found_ = parted("abxy", weights, homes=HOMES, one_to_one=["shop", "crm"])
    assert (words(found_), found_.queued) == (["ax", "by"], [])


def test_only_the_system_that_was_named_holds_no_doubles() -> None:
    found_ = parted("axy", {"ax": 20, "ay": 18, "xy": 19}, homes=HOMES, one_to_one=["shop"])
    assert words(found_) == ["axy"]


def test_where_two_partners_are_equally_good_a_person_is_asked() -> None:
    found_ = parted("axy", {"ax": 20, "ay": 20}, homes=HOMES, one_to_one=["crm"])
    assert (words(found_), the_queued(found_).link) == (["ax", "y"], ("a", "y"))
    assert "holds no doubles" in the_queued(found_).reason


def test_a_person_knows_of_doubles_where_there_should_be_none() -> None:
    found_ = parted("axy", {"ax": 20, "ay": 20}, [("x", "y", "same")], homes=HOMES, one_to_one=["crm"])
    assert words(found_) == ["axy"]


def test_any_number_of_systems_may_hold_no_doubles() -> None:
    systems = [f"s{n}" for n in range(70)]
    members = [f"r{n:02}" for n in range(70)]
    weights = {(a, b): 12.0 for a in members for b in members if a < b}
    homes = dict(zip(members, systems, strict=True))
    assert len(partition(members, table(weights), [], LIMITS, homes=homes, one_to_one=systems).clusters) == 1
    doubled = homes | {"r69": "s68"}
    assert len(partition(members, table(weights), [], LIMITS, homes=doubled, one_to_one=systems).clusters) == 2


# -- judgements that contradict each other ----------------------------------------------------------------------------


def test_contradicting_judgements_are_queued_and_what_is_said_apart_stays_apart() -> None:
    judged = [("a", "b", "same"), ("b", "c", "same"), ("a", "c", "different")]
    found_ = parted("abc", {"ab": 4, "bc": 8}, judged)
    assert words(found_) == ["a", "bc"]
    queued = the_queued(found_)
    assert (queued.members, queued.link) == (("a", "b", "c"), None)
    assert "a and b" in queued.reason


def test_the_same_pair_judged_both_ways_stays_apart_and_is_queued() -> None:
    found_ = parted("ab", {"ab": 40}, [("a", "b", "same"), ("b", "a", "different")])
    assert words(found_) == ["a", "b"]
    assert the_queued(found_).members == ("a", "b")


# -- size -------------------------------------------------------------------------------------------------------------


def test_memory_follows_the_pairs_not_the_square_of_the_records() -> None:
    """One component of 6,000; a matrix of it would take 288 MB."""
    count = 6_000
    refs = pa.array([f"r{n:04}" for n in range(count)])
    ends = np.random.default_rng(1).integers(0, count, (2, 3 * count))
    weights = np.random.default_rng(2).normal(12, 4, ends.shape[1])
    pairs = pa.table(
        [refs.take(ends[0]), refs.take(ends[1]), weights, np.zeros(len(weights), dtype=bool)], schema=PAIRS
    )
    assert len(components(refs.to_pylist(), zip(*(c.to_pylist() for c in pairs.columns[:2]), strict=True))) < 100
    tracemalloc.start()
    try:
        found_ = partition(refs, pairs, [], LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()
    assert max(map(len, found_.clusters)) < 20


# -- what always holds ------------------------------------------------------------------------------------------------


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
        assert all(weights.get((a, b), 0.0) > CONTRADICTION for a in g for b in g if a < b)


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


# -- what always holds, of all components at once ---------------------------------------------------------------------


@st.composite
def worlds(draw: Any, mark: str = "") -> tuple[list[str], dict[tuple[str, str], float], list[Judged]]:
    """Records in several components, their pairs, and what persons said."""
    members = [f"r{n}{mark}" for n in range(draw(st.integers(1, 12)))]
    one = st.sampled_from(members)
    pair = st.tuples(one, one).filter(lambda p: p[0] < p[1])
    weight = st.sampled_from([NEVER, -12.0, -3.0, 0.0, 4.0, 6.5, 9.9, 10.0, 12.0, 12.0, 14.3, 25.0])
    weights = draw(st.dictionaries(pair, weight, max_size=20)) if len(members) > 1 else {}
    verdict = st.sampled_from(["same", "different", "unsure"])
    return members, weights, draw(st.lists(st.builds(Judged, one, one, verdict), max_size=4))


def homes_of(members: Sequence[str]) -> dict[str, str]:
    """Every other record is in a system without doubles."""
    return {ref: ("clean", "messy")[int(ref[1:].rstrip("xy")) % 2] for ref in members}


@given(worlds(), st.booleans(), st.randoms())
def test_order_and_side_do_not_matter_to_the_clusters_nor_to_the_queue(
    world: Any, one_to_one: bool, random: Any
) -> None:
    members, weights, judged = world
    homes, clean = homes_of(members), ["clean"] if one_to_one else []
    before = partition(members, table(weights), judged, LIMITS, homes=homes, one_to_one=clean)
    items, others = list(weights.items()), [Judged(j.b, j.a, j.verdict) for j in judged]
    for some in (members, items, others):
        random.shuffle(some)
    flipped = table(dict(items), flip=True)
    assert partition(pa.array(members), flipped, others, LIMITS, homes=homes, one_to_one=clean) == before


@given(worlds("x"), worlds("y"), st.booleans())
def test_what_has_nothing_to_do_with_each_other_changes_nothing_in_each_other(x: Any, y: Any, one_to_one: bool) -> None:
    """Incremental equals full: a component looks the same whatever else there is."""
    clean = ["clean"] if one_to_one else []
    alone = [
        partition(members, table(weights), judged, LIMITS, homes=homes_of(members), one_to_one=clean)
        for members, weights, judged in (x, y)
    ]
    members, weights, judged = x[0] + y[0], x[1] | y[1], x[2] + y[2]
    both = partition(members, table(weights), judged, LIMITS, homes=homes_of(members), one_to_one=clean)
    assert both.clusters == sorted(alone[0].clusters + alone[1].clusters)
    assert sorted(both.queued, key=repr) == sorted(alone[0].queued + alone[1].queued, key=repr)


@given(worlds(), st.booleans())
def test_what_must_not_be_together_is_not(world: Any, one_to_one: bool) -> None:
    members, weights, judged = world
    homes, clean = homes_of(members), ["clean"] if one_to_one else []
    found_ = partition(members, table(weights), judged, LIMITS, homes=homes, one_to_one=clean).clusters
    assert sorted(ref for c in found_ for ref in c) == sorted(members)
    home = {ref: n for n, c in enumerate(found_) for ref in c}
    for j in judged:
        assert j.verdict != "different" or j.a == j.b or home[j.a] != home[j.b]
    said = {home[j.a] for j in judged if j.verdict == "same"}  # in the others nobody but the rules decided
    for (a, b), weight in weights.items():
        assert weight > CONTRADICTION or home[a] != home[b] or home[a] in said
    for n, c in enumerate(found_):
        assert not clean or n in said or sum(homes[ref] == "clean" for ref in c) <= 1


@given(worlds())
def test_same_by_a_person_holds_unless_a_person_contradicts_and_then_it_is_queued(world: Any) -> None:
    members, weights, judged = world
    found_ = partition(members, table(weights), judged, LIMITS)
    home = {ref: n for n, c in enumerate(found_.clusters) for ref in c}
    torn = [q for q in found_.queued if q.link is None]
    for j in judged:
        if j.verdict == "same" and home[j.a] != home[j.b]:
            assert any({j.a, j.b} <= set(q.members) for q in torn)
    assert not torn or any(j.verdict == "different" for j in judged)


@given(worlds())
def test_a_sure_link_is_kept_or_queued_unless_a_person_has_spoken(world: Any) -> None:
    members, weights, judged = world
    found_ = partition(members, table(weights), judged, LIMITS)
    home = {ref: n for n, c in enumerate(found_.clusters) for ref in c}
    spoken = {frozenset((j.a, j.b)) for j in judged if j.verdict == "different"}
    for (a, b), weight in weights.items():
        if weight >= LIMITS.same and home[a] != home[b] and frozenset((a, b)) not in spoken:
            assert any({a, b} <= set(q.members) for q in found_.queued)

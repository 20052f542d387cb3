"""The score: full marks for the truth itself, and for each kind of mistake the marks worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.model import FINDING_KINDS
from omnihub.sandbox.score import score
from omnihub.sandbox.truth import Truth
from omnihub.sandbox.world import Error, Place, Right, Told, Trap, Who, World

A, B, C, D = (Place("crm", "contacts", n) for n in (1, 2, 3, 4))


def ref(role: str, stream: str, n: int) -> str:
    return f"{role}/{stream}/{n}"


def truth(*told: Told) -> Truth:
    made = Truth()
    made.write(told, ref)
    return made


def people(*keys: str) -> list[Told]:
    return [Who(at, "contact", key, ("email",)) for at, key in zip((A, B, C, D), keys, strict=False)]


@pytest.fixture(scope="module")
def world() -> Truth:
    made = Truth()
    made.write(World(300, 7, datetime(2026, 11, 21, tzinfo=UTC)).truths(), ref)
    return made


def test_believing_the_truth_scores_full_marks(world: Truth) -> None:
    who = {e: world.who(e) for e in ("account", "contact", "product")}
    crosswalk = [(r, key) for refs in who.values() for r, key in refs.items()]
    golden = [(key, entity, world.right(key)) for entity, refs in who.items() for key in set(refs.values())]
    findings = [(e.kind, e.ref, e.field) for e in world.errors()]
    found = score(crosswalk, golden, findings, world)
    full = {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert found["contacts"] == found["accounts"] == full | {"b3": full, "merge_precision": 1.0}
    assert found["fields"]["correct_share"] == 1.0
    assert (found["findings"]["precision"], found["findings"]["recall"]) == (1.0, 1.0)
    assert set(found["findings"]["by_kind"]) <= set(FINDING_KINDS)
    assert found["all_traps"]["right"] == found["all_traps"]["pairs"] > 30
    assert all(n["wrong_share"] == 0 for n in found["traps"].values())


def test_believing_nothing_scores_no_recall(world: Truth) -> None:
    found = score([], [], [], world)
    assert {k: found["contacts"][k] for k in ("precision", "recall", "f1")} == {
        "precision": 1.0,
        "recall": 0.0,
        "f1": 0.0,
    }
    assert found["contacts"]["merge_precision"] == 1.0
    assert found["findings"]["recall"] == 0.0
    assert found["findings"]["precision"] == 1.0


def test_one_wrong_and_one_missing_pair_are_counted_as_pairs() -> None:
    """Right: {1,2,3} {4}. Believed: {1,2} {3,4}: one of two pairs is right, one of three was found."""
    believed = [(ref(*at), golden) for at, golden in ((A, "x"), (B, "x"), (C, "y"), (D, "y"))]
    found = score(believed, [], [], truth(*people("p", "p", "p", "q")))["contacts"]
    assert (found["precision"], found["recall"]) == (0.5, 0.33333)
    assert found["f1"] == 0.4


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_counting_overlaps_is_counting_pairs(labels: list[tuple[int, int]]) -> None:
    whos = [Who(Place("crm", "contacts", n), "contact", f"p{key}", ()) for n, (key, _) in enumerate(labels)]
    believed = [(ref("crm", "contacts", n), f"g{golden}") for n, (_, golden) in enumerate(labels)]
    pairs = list(combinations(labels, 2))
    both = sum(a == b for a, b in pairs)
    said, true = sum(a[1] == b[1] for a, b in pairs), sum(a[0] == b[0] for a, b in pairs)
    found = score(believed, [], [], truth(*whos))["contacts"]
    assert found["precision"] == round(both / said if said else 1.0, 5)
    assert found["recall"] == round(both / true if true else 1.0, 5)


def test_a_record_is_judged_by_whom_it_is_put_with() -> None:
    """Right: {1,2,3} {4}. Believed: {1,2} {3,4}. Precision is 1, 1, 1/2, 1/2; recall 2/3, 2/3, 1/3, 1."""
    believed = [(ref(*at), golden) for at, golden in ((A, "x"), (B, "x"), (C, "y"), (D, "y"))]
    found = score(believed, [], [], truth(*people("p", "p", "p", "q")))["contacts"]["b3"]
    assert (found["precision"], found["recall"]) == (0.75, 0.66667)


def test_merge_precision_is_of_joinings_however_large_what_was_joined() -> None:
    """Three joinings make one of four; one of them brought in a stranger."""
    believed = [(ref(*at), "x") for at in (A, B, C, D)]
    assert score(believed, [], [], truth(*people("p", "p", "p", "q")))["contacts"]["merge_precision"] == 0.66667


def test_records_the_truth_does_not_know_count_nowhere() -> None:
    believed = [(ref(*A), "x"), (ref(*B), "x"), ("crm/contacts/99", "x")]
    assert score(believed, [], [], truth(*people("p", "p")))["contacts"]["precision"] == 1.0


def values(email: str | None) -> float:
    told = truth(*people("p", "p"), Right("contact", "p", "email", "anna@weber.de"))
    believed = [(ref(*A), "g"), (ref(*B), "g")]
    share: float = score(believed, [("g", "contact", {"email": email})], [], told)["fields"]["correct_share"]
    return share


def test_a_value_is_right_when_it_cleans_to_the_right_one() -> None:
    assert values("Anna@Weber.de ") == 1.0
    assert values("anna@weber.com") == 0.0
    assert values("n/a") == 0.0
    assert values(None) == 0.0


def test_a_thing_is_judged_by_the_golden_record_most_of_its_records_are_in() -> None:
    told = truth(*people("p", "p", "p"), Right("contact", "p", "email", "anna@weber.de"))
    believed = [(ref(*A), "small"), (ref(*B), "large"), (ref(*C), "large")]
    golden = [("small", "contact", {"email": "anna@weber.de"}), ("large", "contact", {"email": "no@weber.de"})]
    assert score(believed, golden, [], told)["fields"]["per_field"] == {"contact.email": 0.0}


# -- findings ---------------------------------------------------------------------------------------------------------


def judged(told: Iterable[Told], *findings: tuple[str, Place, str]) -> tuple[float, float]:
    found = score([], [], [(kind, ref(*at), field) for kind, at, field in findings], truth(*told))["findings"]
    return found["precision"], found["recall"]


WRONG = Error("value_differs", A, "email", "slip", "")
SETTING: list[Told] = [*people("p", "p"), Right("contact", "p", "email", "anna@weber.de"), WRONG]


def test_findings_are_told_apart_by_kind_record_and_field() -> None:
    assert judged(SETTING, ("value_differs", A, "email")) == (1.0, 1.0)
    assert judged(SETTING, ("value_differs", A, "email"), ("value_differs", B, "email")) == (0.5, 1.0)
    assert judged(SETTING, ("value_differs", B, "email")) == (0.0, 0.0)


def test_fields_without_a_right_value_are_not_judged() -> None:
    assert judged(SETTING, ("value_differs", A, "email"), ("value_differs", A, "city")) == (1.0, 1.0)


def test_matters_of_taste_are_neither_asked_for_nor_minded() -> None:
    taste = Error("spelling_differs", B, "email", "capitals", "")
    assert judged([*SETTING, taste], ("value_differs", A, "email")) == (1.0, 1.0)
    assert judged([*SETTING, taste], ("value_differs", A, "email"), ("value_differs", B, "email")) == (1.0, 1.0)


def test_either_of_two_doubles_may_be_named() -> None:
    doubles = [Error("duplicate", at, "", "second record", "p@crm") for at in (A, B)]
    for named in ([A], [B], [A, B]):
        assert judged([*people("p", "p", "q"), *doubles], *(("duplicate", at, "") for at in named)) == (1.0, 1.0)
    assert judged([*people("p", "p", "q"), *doubles], ("duplicate", C, "")) == (0.0, 0.0)


def test_kinds_that_were_not_planted_are_not_judged() -> None:
    assert judged(SETTING, ("value_differs", A, "email"), ("price_differs", C, "unit_price")) == (1.0, 1.0)


TRAPS: list[Told] = [*people("p", "q", "r", "r"), Trap("twins", A, B, False), Trap("job_changer", C, D, True)]


def caught(crosswalk: str, *asked: tuple[Place, ...]) -> dict[str, str]:
    """How each trap went. `crosswalk`: the golden ids of A, B, C and D; `asked`: what a person is asked."""
    believed = [(ref(*at), golden) for at, golden in zip((A, B, C, D), crosswalk, strict=True)]
    questions = [[ref(*at) for at in refs] for refs in asked]
    found = score(believed, [], [], truth(*TRAPS), questions)["traps"]
    return {kind: next(how for how in ("right", "queued", "wrong") if n[how]) for kind, n in found.items()}


def test_traps_are_right_when_kept_apart_or_together_as_they_should() -> None:
    assert caught("xyzz") == {"twins": "right", "job_changer": "right"}
    assert caught("xxyz") == {"twins": "wrong", "job_changer": "wrong"}


def test_a_trap_that_a_person_is_asked_about_is_not_silently_wrong() -> None:
    assert caught("xxyz", (A, B), (C, D)) == {"twins": "queued", "job_changer": "queued"}
    assert caught("xxyz", (B, C, A)) == {"twins": "queued", "job_changer": "wrong"}
    assert caught("xyzz", (A, B), (C, D)) == {"twins": "right", "job_changer": "right"}


def test_a_question_about_another_of_their_records_is_one_about_them() -> None:
    """C is kept apart from D, which is with A: whether C and A are one is the same question."""
    assert caught("xyzx", (A, C))["job_changer"] == "queued"


def test_a_question_is_counted_once_for_the_golden_records_it_is_about() -> None:
    believed = [(ref(*at), golden) for at, golden in zip((A, B, C, D), "xxyz", strict=True)]
    asked = [[ref(*A), ref(*C)], [ref(*B), ref(*C)], [ref(*A), ref(*B)], [ref(*C), ref(*D)]]
    assert score(believed, [], [], truth(*TRAPS), asked)["questions"] == 2


def test_of_two_in_one_golden_record_only_a_question_about_these_two_counts() -> None:
    assert caught("xxxz", (B, C))["twins"] == "wrong"


def test_traps_are_counted_by_kind_and_all_together() -> None:
    believed = [(ref(*at), golden) for at, golden in zip((A, B, C, D), "xxyy", strict=True)]
    found = score(believed, [], [], truth(*TRAPS, Trap("swapped", A, D, True)), [[ref(*A), ref(*D)]])
    shares = {"right_or_queued_share": 0.66667, "wrong_share": 0.33333}
    assert found["all_traps"] == {"pairs": 3, "right": 1, "queued": 1, "wrong": 1} | shares
    assert found["traps"]["twins"]["wrong_share"] == 1.0

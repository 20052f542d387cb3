"""Score: what the hub believes, held against the truth.

    contacts, accounts   pairwise precision, recall and F1: of all pairs of records the hub calls one, how many are; of
                         all pairs that are one, how many it found. b3: the same for each record, in the mean: of those
                         it is put with, how many belong; of those that belong, how many it is put with. Merge
                         precision: of all joinings of one more record to a golden one, how many were right. All are
                         counted from the sizes of overlaps.
    fields               of all right values of things the hub has a record of: the share it believes
    findings             of all findings the truth can judge: how many were planted; of all planted, how many found
    traps                of the pairs that are easily got wrong: how many are right, how many are asked of a person,
                         how many are silently wrong; by kind, and all together
    questions            how many groups of golden records a person is asked about

Records that are deleted, or that the truth does not know, count nowhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from omnihub.model import FINDING_KINDS, Entity, fields_of
from omnihub.sandbox.truth import Planted, Truth

_SETS = {"contacts": "contact", "accounts": "account"}

# One record may have several findings of these kinds, told apart by their field; of the others it has one.
_BY_FIELD = {"value_differs", "value_invalid", "product_differs", "orphan_link", "answer_late", "solution_late"} | {
    "order_delivery_differs"
}

# The right spelling of these is a matter of taste, time will tell, or another kind of finding speaks for them.
_UNSAID = ("spelling_differs", "not_due_yet")
_OTHERWISE = {("value_differs", "marketing_consent"), ("value_differs", "consent_at")}


def score(
    crosswalk: Iterable[tuple[str, str]],
    golden: Iterable[tuple[str, str, Mapping[str, str | None]]],
    findings: Iterable[tuple[str, str, str]],
    truth: Truth,
    asked: Iterable[Sequence[str]] = (),
) -> dict[str, Any]:
    """How well the hub knows its customers.

    crosswalk: (ref, golden id). golden: (golden id, entity, field → value). findings: (kind, ref, field).
    asked: the refs of each question to a person.
    """
    believed, questions = {str(ref): golden_id for ref, golden_id in crosswalk}, list(asked)
    found: dict[str, Any] = {name: _known_apart(believed, truth.who(entity)) for name, entity in _SETS.items()}
    found["fields"] = _fields(believed, golden, truth)
    found["findings"] = _findings(findings, truth)
    found["traps"], found["all_traps"] = _traps(believed, truth, questions)
    found["questions"] = len({apart for refs in questions if len(apart := _golden(believed, refs)) > 1})
    return found


def _golden(believed: Mapping[str, str], refs: Iterable[str]) -> frozenset[str]:
    return frozenset(believed.get(ref, ref) for ref in refs)


# -- who is who ------------------------------------------------------------------------------


def _pairs(sizes: Iterable[int]) -> int:
    return sum(n * (n - 1) // 2 for n in sizes)


def _known_apart(believed: Mapping[str, str], who: Mapping[str, str]) -> dict[str, Any]:
    """A record the hub knows nothing of is alone in it."""
    cells = Counter((believed.get(ref, ref), key) for ref, key in who.items())
    clusters: Counter[str] = Counter()
    things: Counter[str] = Counter()
    parts: Counter[str] = Counter()  # so many things are in a cluster
    for (golden_id, key), n in cells.items():
        clusters[golden_id] += n
        things[key] += n
        parts[golden_id] += 1
    both = _pairs(cells.values())
    joined = len(who) - len(clusters)
    wrongly = parts.total() - len(clusters)
    return _shares(both, _pairs(clusters.values()), _pairs(things.values())) | {
        "b3": _b_cubed(cells, clusters, things, len(who)),
        "merge_precision": _share(joined - wrongly, joined),
    }


def _b_cubed(
    cells: Mapping[tuple[str, str], int], clusters: Mapping[str, int], things: Mapping[str, int], records: int
) -> dict[str, float]:
    precision = sum(n * n / clusters[golden_id] for (golden_id, _), n in cells.items())
    recall = sum(n * n / things[key] for (_, key), n in cells.items())
    return _harmonic(precision / records if records else 1.0, recall / records if records else 1.0)


def _shares(both: int, said: int, true: int) -> dict[str, float]:
    return _harmonic(both / said if said else 1.0, both / true if true else 1.0)


def _harmonic(precision: float, recall: float) -> dict[str, float]:
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": round(precision, 5), "recall": round(recall, 5), "f1": round(f1, 5)}


def _share(some: int, of: int) -> float:
    return round(some / of, 5) if of else 1.0


def _traps(
    believed: Mapping[str, str], truth: Truth, asked: Iterable[Sequence[str]]
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """By kind, and all together. A pair the hub does not know both records of is not judged."""
    questions = _Questions(believed, asked)
    results: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, a, b, same in truth.traps():
        if a in believed and b in believed:
            right = (believed[a] == believed[b]) == same
            results[kind]["right" if right else "queued" if questions.about(a, b) else "wrong"] += 1
    together: Counter[str] = sum(results.values(), Counter())
    return {kind: _caught(n) for kind, n in sorted(results.items())}, _caught(together)


def _caught(n: Mapping[str, int]) -> dict[str, Any]:
    right, queued, wrong = (n.get(how, 0) for how in ("right", "queued", "wrong"))
    pairs = right + queued + wrong
    return {
        "pairs": pairs,
        "right": right,
        "queued": queued,
        "wrong": wrong,
        "right_or_queued_share": _share(right + queued, pairs),
        "wrong_share": _share(wrong, pairs) if pairs else 0.0,
    }


class _Questions:
    """What a person is asked: whether these records, or the golden records they are in, are one."""

    def __init__(self, believed: Mapping[str, str], asked: Iterable[Sequence[str]]) -> None:
        self._believed = believed
        self._of: dict[str, set[int]] = defaultdict(set)
        for n, refs in enumerate(asked):
            for ref in refs:
                self._of[ref].add(n)
                self._of[believed.get(ref, ref)].add(n)

    def about(self, a: str, b: str) -> bool:
        """Of two in one golden record: about these two. Of two in different ones: about any two of their records."""
        if self._believed[a] != self._believed[b]:
            a, b = self._believed[a], self._believed[b]
        return bool(self._of[a] & self._of[b])


# -- what is right ------------------------------------------------------------------------------


def _fields(
    believed: Mapping[str, str], golden: Iterable[tuple[str, str, Mapping[str, str | None]]], truth: Truth
) -> dict[str, Any]:
    values = {golden_id: fields for golden_id, _, fields in golden}
    asked: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for entity in ("account", "contact", "product"):
        homes = _homes(believed, truth.who(entity))
        same = _same(Entity(entity))
        for key, name, right in truth.rights(entity):
            if key in homes:
                asked[f"{entity}.{name}"] += 1
                said = values.get(homes[key], {}).get(name)
                correct[f"{entity}.{name}"] += said is not None and same(name, said, right)
    everything = asked.total()
    return {
        "correct_share": round(correct.total() / everything, 5) if everything else 1.0,
        "per_field": {name: round(correct[name] / n, 5) for name, n in sorted(asked.items())},
    }


def _homes(believed: Mapping[str, str], who: Mapping[str, str]) -> dict[str, str]:
    """Thing → the golden record that most of its records are in; the first by name where two have as many."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for ref, key in who.items():
        if ref in believed:
            votes[key][believed[ref]] += 1
    return {key: min(n, key=lambda g: (-n[g], g)) for key, n in votes.items()}


def _same(entity: Entity) -> Callable[[str, str, str], bool]:
    """Whether two values of a field of this entity are the same once cleaned."""
    from omnihub.fields import Unclean, clean, same

    kinds = fields_of(entity)

    def compare(name: str, a: str, b: str) -> bool:
        try:
            return same(kinds[name].kind, clean(kinds[name].kind, a), clean(kinds[name].kind, b))
        except Unclean:
            return a.casefold() == b.casefold()

    return compare


# -- what was found ------------------------------------------------------------------------------


def _mark(kind: str, ref: str, field: str) -> tuple[str, str, str]:
    return kind, ref, field if kind in _BY_FIELD else ""


def _findings(findings: Iterable[tuple[str, str, str]], truth: Truth) -> dict[str, Any]:
    planted = list(truth.errors())
    causes = {_mark(e.kind, e.ref, e.field): _cause(e) for e in planted if e.kind in FINDING_KINDS}
    unsaid = {(e.ref, e.field) for e in planted if e.kind in _UNSAID}
    known = _known(planted, truth)
    hits: dict[str, set[Any]] = defaultdict(set)
    false: Counter[str] = Counter()
    for mark in {_mark(kind, str(ref), field) for kind, ref, field in findings}:
        if mark in causes:
            hits[mark[0]].add(causes[mark])
        elif known(*mark) and mark[1:] not in unsaid:
            false[mark[0]] += 1
    wanted = Counter(cause[0] for cause in set(causes.values()))
    return _tally(wanted, {kind: len(found) for kind, found in hits.items()}, false)


def _cause(error: Planted) -> tuple[str, str, str]:
    if error.cause:
        return error.kind, error.cause, ""
    return _mark(error.kind, error.ref, error.field)


def _known(planted: Iterable[Planted], truth: Truth) -> Callable[[str, str, str], bool]:
    """Whether the truth can tell that a finding is false: kind planted, record alive, field with a right value."""
    kinds = {e.kind for e in planted} & set(FINDING_KINDS)
    entities = ("account", "contact", "product")
    who = {ref: (entity, key) for entity in entities for ref, key in truth.who(entity).items()}
    rights = {(key, name) for entity in ("account", "contact") for key, name, _ in truth.rights(entity)}

    def known(kind: str, ref: str, field: str) -> bool:
        if kind not in kinds or (kind, field) in _OTHERWISE:
            return False
        if kind in ("duplicate", "consent_conflict"):
            return ref in who
        if kind in ("value_differs", "value_invalid"):
            entity, key = who.get(ref, ("", ""))
            return entity in ("account", "contact") and (key, field) in rights
        return True

    return known


def _tally(wanted: Counter[str], hits: Mapping[str, int], false: Counter[str]) -> dict[str, Any]:
    by_kind = {
        kind: _shares(hits.get(kind, 0), hits.get(kind, 0) + false[kind], wanted[kind])
        | {"planted": wanted[kind], "found": hits.get(kind, 0), "false": false[kind]}
        for kind in sorted(set(wanted) | set(false))
    }
    both = sum(hits.values())
    whole = _shares(both, both + false.total(), wanted.total())
    return {"precision": whole["precision"], "recall": whole["recall"], "by_kind": by_kind}

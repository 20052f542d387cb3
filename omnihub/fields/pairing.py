"""Which word of one name stands for which word of another, and how alike two words are: by letters and by sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from omnihub.fields.sounds import bones, sound

CONTRADICTED = 0.55
"""The most that is left where two names contradict each other."""

CACHED = 50_000
"""Names or words kept taken apart: one is compared with many."""

_TYPOS = ((6, 2), (3, 1))  # from this many letters: so many slips in one word


@dataclass(frozen=True)
class Paired:
    """Which words of two names stand for each other, and what has no partner."""

    pairs: tuple[tuple[int, int, float], ...]
    left: tuple[int, ...]
    right: tuple[int, ...]


Likeness = Callable[[str, str], float]

_RUN = 3  # words that may have been run together into one


def paired(left: Sequence[str], right: Sequence[str], likeness: Likeness) -> Paired:
    """Pair the words one to one, the likest first; several beside each other may stand for one ("Le Pen", "Lepen").

    `likeness` says how alike two words are, 0 for "not at all".
    """
    found = [
        (score, len(a), -abs(i - j), i, j, 1, 1)
        for i, a in enumerate(left)
        for j, b in enumerate(right)
        if (score := likeness(a, b)) > 0
    ]
    if len(left) != len(right) or any(entry[0] < 1 for entry in found) or len(found) < len(left):
        found += _runs(left, right, likeness)
    found.sort(reverse=True)
    free_left, free_right = set(range(len(left))), set(range(len(right)))
    pairs: list[tuple[int, int, float]] = []
    for score, _, _, i, j, m, n in found:
        if all(at in free_left for at in range(i, i + m)) and all(at in free_right for at in range(j, j + n)):
            free_left.difference_update(range(i, i + m))
            free_right.difference_update(range(j, j + n))
            pairs.append((i, j, score))
    return Paired(tuple(pairs), tuple(sorted(free_left)), tuple(sorted(free_right)))


def _runs(
    left: Sequence[str], right: Sequence[str], likeness: Likeness
) -> list[tuple[float, int, int, int, int, int, int]]:
    """Words beside each other on one side that are one word on the other, as `paired` sorts them."""
    found = [(score, size, -abs(i - j), i, j, n, 1) for score, size, i, n, j in _run_together(left, right, likeness)]
    found += [(score, size, -abs(i - j), i, j, 1, n) for score, size, j, n, i in _run_together(right, left, likeness)]
    return found


def _run_together(
    many: Sequence[str], one: Sequence[str], likeness: Likeness
) -> Iterator[tuple[float, int, int, int, int]]:
    """(likeness, letters, where the run begins, its words, where the one word is)"""
    for at in range(len(many)):
        for length in range(2, min(_RUN, len(many) - at) + 1):
            run = "".join(many[at : at + length])
            for where, word in enumerate(one):
                if word[0] not in run[:2] or abs(len(word) - len(run)) > 1:
                    continue
                score = likeness(run, word)
                if score >= _RUN_TOGETHER:
                    yield score, len(run), at, length, where


_RUN_TOGETHER = 0.85


@lru_cache(maxsize=CACHED)
def _heard(word: str) -> tuple[str, str]:
    return sound(word), bones(word)


def slips(a: str, b: str) -> float:
    """How alike two words are if one is the other with slips of the pen, by their letters or by their sound."""
    if a == b:
        return 1.0
    (sound_a, bones_a), (sound_b, bones_b) = _heard(a), _heard(b)
    if sound_a == sound_b and len(bones_a) > 1:
        return 0.95
    long, heard = max(len(a), len(b)), max(len(sound_a), len(sound_b))
    by_letter = OSA.distance(a, b, score_cutoff=2)
    by_sound = OSA.distance(sound_a, sound_b, score_cutoff=2)
    if bones_a == bones_b and len(bones_a) > 2 and by_sound <= 2:
        return 1 - by_sound / (2 * long)  # vowels only
    if by_letter > 1 and a[0] != b[0]:  # hardly anybody mistypes the first letter, and one more
        return 0.0
    return max(
        1 - by_letter / long if by_letter <= _slips_allowed(long) else 0.0,
        1 - (by_sound + 0.5) / heard if by_sound <= min(1, _slips_allowed(heard)) else 0.0,
    )


def _slips_allowed(letters: int) -> int:
    return next((slips for at_least, slips in _TYPOS if letters >= at_least), 0)

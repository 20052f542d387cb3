"""How alike two whole names of persons are: order, nicknames, initials, particles, forebears, generations, scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from omnihub.fields import names
from omnihub.fields.chinese import one_in_two_spellings
from omnihub.fields.familiar import GIVEN, SURNAMES, one_entry
from omnihub.fields.nicknames import CANONICAL, given, meanings
from omnihub.fields.pairing import CACHED, CONTRADICTED, Paired, paired, slips
from omnihub.fields.sounds import consonants, is_abjad, is_dense
from omnihub.fields.text import same_key


@dataclass(frozen=True)
class _Person:
    words: tuple[str, ...]
    fathers: frozenset[int]  # places of words behind bin, ibn, ben: names of forebears
    generation: str | None
    abjad: bool


_HONORIFICS = frozenset(
    "shaikh sheikh shaykh sheik haji hajji hadji haj mullah mawlawi maulvi sayyid sayed syed imam emir president"
    " prasident praesident prime minister chancellor senator general colonel gen col capt captain lt maj major sgt king"
    " queen prince princess lord lady dame baron baroness count monsignor father brother sister don dona san saint sri"
    " shri smt dato datuk tan herr frau mr mrs ms dr prof sir von und zu".split()
)
_SONS = frozenset({"bin", "ibn", "ben", "bint", "binti"})
_LEET = str.maketrans("0134579", "oieastg")
_SERVANT = ("abdul", "abdel", "abdal", "abdur", "abder", "abdu", "abd")


@lru_cache(maxsize=CACHED)
def _person(value: str) -> _Person:
    abjad = is_abjad(value)
    told = names.told(_ARTICLE.sub("", value) if abjad else value)
    found: list[str] = []
    fathers: set[int] = set()
    behind = False
    for word in told:
        if word in _SONS and len(told) > 1 and (found or word != "ben"):  # Ben Cohen is no son of Cohen
            behind = True
            continue
        if word in names.PARTICLES and len(told) > 1 and (found or word != "ben"):
            continue
        if behind:
            fathers.add(len(found))
            behind = False
        if any(c.isdigit() for c in word) and not word.isdigit():
            word = word.translate(_LEET)
        found.extend(_servant(word))
    return _Person(tuple(found), frozenset(fathers), _generation(value), abjad)


def _generation(value: str) -> str | None:
    """As for any name; kings and popes are counted, too."""
    told = names.generation(value.replace(",", " ")) or names.generation(value.split(",")[0])
    if told:
        return told
    last = value.rsplit(None, 1)[-1:]
    return last[0].lower() if last and " " in value.strip() and last[0] in _COUNTED else None


_ARTICLE = re.compile(r"(?<!\w)ال(?=\w{3})")  # al- is written to the word in Arabic
_COUNTED = frozenset({"I", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"})


def _servant(word: str) -> list[str]:
    """Abdulaziz, Abdul Aziz, Abd al-Aziz are one name in one, two or three words."""
    for stem in _SERVANT[:5]:
        if word == stem:
            return ["abd"]
        if word.startswith(stem) and len(word) > len(stem) + 3:
            return ["abd", word[len(stem) :]]
    return [word]


def of_persons(a: str, b: str) -> float:
    if is_dense(a) and is_dense(b):
        return _of_signs(a, b)
    left, right = _person(a), _person(b)
    if not left.words or not right.words:
        return 0.0
    if left.generation and right.generation and left.generation != right.generation:
        return 0.3
    if one_in_two_spellings(left.words, right.words):
        return _TWO_SPELLINGS
    found = paired(left.words, right.words, _vowelless if left.abjad != right.abjad else _names_alike)
    score = _persons_score(left, right, found)
    return score * 0.93 if left.generation != right.generation else score


_TWO_SPELLINGS = 0.9


def _of_signs(a: str, b: str) -> float:
    """Names in Chinese or Korean script: each sign is a word, another sign is another name."""
    x, y = ("".join(c for c in same_key(text) if c.isalnum()) for text in (a, b))
    if x == y:
        return 1.0
    return min(CONTRADICTED, 1 - OSA.normalized_distance(x, y))


def _vowelless(a: str, b: str) -> float:
    """One of two names is in a script without vowels: only consonants can be compared."""
    x, y = consonants(a), consonants(b)
    if x == y:
        return 0.9 if x or a[:1] == b[:1] else 0.0
    if max(len(x), len(y)) >= 4 and OSA.distance(x, y, score_cutoff=1) <= 1:
        return 0.75
    return 0.0


@lru_cache(maxsize=CACHED)
def _names_alike(a: str, b: str) -> float:
    """How alike two words of persons' names are."""
    if a == b:
        return 1.0
    if len(a) == 1 or len(b) == 1:
        return _initial(a, b)
    if not meanings(a).isdisjoint(meanings(b)) or one_entry(GIVEN, a, b) or one_entry(SURNAMES, a, b):
        return 0.95
    if _with_particle(a, b):
        return 0.9
    score = slips(a, b)
    if not score or score == 0.95:
        return score
    if _is_given(a) and _is_given(b):
        return 0.0
    if a in SURNAMES and b in SURNAMES:
        return 0.0
    if _of_two_sexes(a, b):
        return 0.0
    return score


_FUSED = frozenset(
    "van von vande vander vonder de der den del dela delo della di da dal du la le mac mc o al el abu ter ten".split()
)


def _with_particle(a: str, b: str) -> bool:
    """Vanderberg is van der Berg."""
    short, long = sorted((a, b), key=len)
    return len(short) >= 4 and long.endswith(short) and long[: -len(short)] in _FUSED


def _is_given(word: str) -> bool:
    return word in GIVEN or given(word) != word or word in _FULL_GIVEN


_FULL_GIVEN = frozenset(given(word) for word in GIVEN) | CANONICAL


def _of_two_sexes(a: str, b: str) -> bool:
    """Daniel and Daniela, Mario and Maria: a man's and a woman's name; Ivanov and Ivanova may be one person."""
    short, long = sorted((a, b), key=len)
    if len(long) == len(short) + 1 and long == short + "a":
        return not short.endswith(("ov", "ev", "in", "sky", "ski", "skii"))
    return len(a) == len(b) and a[:-1] == b[:-1] and {a[-1], b[-1]} in ({"a", "o"}, {"a", "e"}) and len(a) <= 8


def _initial(a: str, b: str) -> float:
    short, long = sorted((a, b), key=len)
    if len(long) == 1 or not short.isalpha():
        return 0.0
    return _INITIAL if long.startswith(short) or any(name.startswith(short) for name in meanings(long)) else 0.0


_INITIAL = 0.6


def _initials_differ(left: _Person, right: _Person, found: Paired) -> bool:
    """George H. W. is not George W.: where both have initials, they are all there or of no use."""
    both = any(len(left.words[i]) == len(right.words[j]) == 1 for i, j, _ in found.pairs)
    return both and any(
        len(side.words[at]) == 1 for side, over in ((left, found.left), (right, found.right)) for at in over
    )


def _name_weight(word: str) -> float:
    if len(word) == 1:
        return 0.5
    if word in _HONORIFICS:
        return 0.2
    return min(1.0, 0.5 + 0.12 * len(word))


def _persons_score(left: _Person, right: _Person, found: Paired) -> float:
    weights = [(min(_name_weight(left.words[i]), _name_weight(right.words[j])), score) for i, j, score in found.pairs]
    if sum(score == _INITIAL for _, score in weights) > 1:  # J. R. R. says more than J.
        weights = [(weight, 0.85 if score == _INITIAL else score) for weight, score in weights]
    matched = sum(weight for weight, _ in weights)
    if not matched:
        return 0.0
    base = sum(weight * score for weight, score in weights) / matched
    full = sum(1 for i, j, _ in found.pairs if len(left.words[i]) > 1 and len(right.words[j]) > 1)
    rest_left, rest_right = _rest(left, found.left), _rest(right, found.right)
    if not full or _initials_differ(left, right, found):
        return min(CONTRADICTED, base)
    if min(rest_left, rest_right) > 0.3 or _sons_and_fathers(left, right, found):
        return min(CONTRADICTED, base * matched / (matched + max(rest_left, rest_right)))
    extra = (rest_left + rest_right - _stammered(left, found.left) - _stammered(right, found.right)) / matched
    lone = len(found.pairs) == 1 and extra > 0.2  # one word of several: Michelle is not Michelle Obama
    return base * max(0.0, 1 - 0.1 * extra - 0.3 * max(0.0, extra - 1) - (0.15 if lone else 0))


def _rest(here: _Person, left_over: Sequence[int]) -> float:
    """How much the words without a partner weigh."""
    return sum(_name_weight(here.words[at]) for at in left_over)


def _stammered(here: _Person, left_over: Sequence[int]) -> float:
    """What of that is a word said twice in a row ("Sergey Sergey Shoigu"), which says nothing new."""
    return sum(_name_weight(here.words[at]) for at in left_over if here.words[at] in _beside(here.words, at))


def _beside(found: Sequence[str], at: int) -> Sequence[str]:
    return [*found[max(0, at - 1) : at], *found[at + 1 : at + 2]]


def _sons_and_fathers(left: _Person, right: _Person, found: Paired) -> bool:
    """Omar bin Ahmad is not Ahmad bin Omar."""
    if not left.fathers or not right.fathers:
        return False
    swapped = sum((i in left.fathers) != (j in right.fathers) for i, j, _ in found.pairs)
    return swapped > 1

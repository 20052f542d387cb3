"""How alike two names are, from 0 to 1: whole person names, company names, names of ships and things.

alike(Kind.NAME, "Doe, Bob", "Robert J. Doe")   at or above SAME_NAME: taken as one name
paired()                                        which word stands for which: each at most once, the surest first
_of_persons() _of_companies() _of_things()      what the pairs and the words left over say

The words of both names are paired one to one: equal, by nickname, by sound, by initial, run together, or with a slip
of the pen. What is left over on one side only is tolerable in a person's name (a middle name) and not in a company's
(a branch); left over on both sides it contradicts. Numbers, generations and kinds of legal form contradict as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from omnihub.fields import companies, names
from omnihub.fields.familiar import GIVEN, SURNAMES, TRADES
from omnihub.fields.nicknames import CANONICAL, given, meanings
from omnihub.fields.places import is_place
from omnihub.fields.sounds import bones, consonants, is_abjad, is_dense, sound, spoken
from omnihub.fields.text import fold, same_key, words
from omnihub.model import Kind

SAME_NAME = 0.78
"""From here on two names are taken for one. Chosen for precision; see tests/fields/test_alike.py for its measure."""

_CONTRADICTED = 0.55  # the most that is left where two names contradict each other
_TYPOS = ((6, 2), (3, 1))  # from this many letters: so many slips in one word

_CACHED = 200_000  # names; a name is taken apart once for all its pairs


def alike(kind: Kind, a: str, b: str) -> float:
    """How alike two cleaned names are; the same both ways round. Other kinds than names are compared as plain text.

    >>> alike(Kind.NAME, "Doe, Bob", "Robert Doe") >= SAME_NAME, alike(Kind.NAME, "Ann Doe", "Ben Doe") >= SAME_NAME
    (True, False)
    >>> alike(Kind.COMPANY, "Schule 12", "Schule 13") >= SAME_NAME, alike(Kind.COMPANY, "Acme AG", "ACME") >= SAME_NAME
    (False, True)
    """
    first, second = sorted((a, b))  # what decides ties must not depend on who is asked about whom
    if same_key(first) == same_key(second):
        return 1.0
    return _BY_KIND.get(kind, _of_things)(first, second)


# ---------------------------------------------------------------------------------------------------- pairing


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
    """Words beside each other on one side that are one word on the other."""
    found = []
    for i in range(len(left)):
        for m in range(2, min(_RUN, len(left) - i) + 1):
            run = "".join(left[i : i + m])
            for j, word in enumerate(right):
                if abs(len(word) - len(run)) <= 1 and (score := likeness(run, word)) >= _RUN_TOGETHER:
                    found.append((score, len(run), -abs(i - j), i, j, m, 1))
    for j in range(len(right)):
        for n in range(2, min(_RUN, len(right) - j) + 1):
            run = "".join(right[j : j + n])
            for i, word in enumerate(left):
                if abs(len(word) - len(run)) <= 1 and (score := likeness(word, run)) >= _RUN_TOGETHER:
                    found.append((score, len(run), -abs(i - j), i, j, 1, n))
    return found


_RUN_TOGETHER = 0.85


@lru_cache(maxsize=_CACHED)
def _heard(word: str) -> tuple[str, str]:
    return sound(word), bones(word)


def _slips(a: str, b: str) -> float:
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


# ---------------------------------------------------------------------------------------------------- persons


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


@lru_cache(maxsize=_CACHED)
def _person(value: str) -> _Person:
    last = names.generation(value.replace(",", " ")) or names.generation(value.split(",")[0])
    told = names.told(value)
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
    return _Person(tuple(found), frozenset(fathers), last, is_abjad(value))


def _servant(word: str) -> list[str]:
    """Abdulaziz, Abdul Aziz, Abd al-Aziz are one name in one, two or three words."""
    for stem in _SERVANT[:5]:
        if word == stem:
            return ["abd"]
        if word.startswith(stem) and len(word) > len(stem) + 3:
            return ["abd", word[len(stem) :]]
    return [word]


def _of_persons(a: str, b: str) -> float:
    if is_dense(a) and is_dense(b):
        return _of_signs(a, b)
    left, right = _person(a), _person(b)
    if not left.words or not right.words:
        return 0.0
    if left.generation and right.generation and left.generation != right.generation:
        return 0.3
    found = paired(left.words, right.words, _vowelless if left.abjad != right.abjad else _names_alike)
    score = _persons_score(left, right, found)
    return score * 0.93 if left.generation != right.generation else score


def _of_signs(a: str, b: str) -> float:
    """Names in Chinese or Korean script: each sign is a word, another sign is another name."""
    x, y = ("".join(c for c in same_key(text) if c.isalnum()) for text in (a, b))
    if x == y:
        return 1.0
    return min(_CONTRADICTED, 1 - OSA.normalized_distance(x, y))


def _vowelless(a: str, b: str) -> float:
    """One of two names is in a script without vowels: only consonants can be compared."""
    x, y = consonants(a), consonants(b)
    if x == y:
        return 0.9 if x or a[:1] == b[:1] else 0.0
    if max(len(x), len(y)) >= 4 and OSA.distance(x, y, score_cutoff=1) <= 1:
        return 0.75
    return 0.0


@lru_cache(maxsize=_CACHED)
def _names_alike(a: str, b: str) -> float:
    """How alike two words of persons' names are."""
    if a == b:
        return 1.0
    if len(a) == 1 or len(b) == 1:
        return _initial(a, b)
    if not meanings(a).isdisjoint(meanings(b)) or _one_entry(GIVEN, a, b) or _one_entry(SURNAMES, a, b):
        return 0.95
    if _with_particle(a, b):
        return 0.9
    score = _slips(a, b)
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


def _one_entry(table: dict[str, str], a: str, b: str) -> bool:
    return a in table and table[a] == table.get(b)


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
    return 0.6 if long.startswith(short) or any(name.startswith(short) for name in meanings(long)) else 0.0


def _name_weight(word: str) -> float:
    if len(word) == 1:
        return 0.5
    if word in _HONORIFICS:
        return 0.2
    return min(1.0, 0.5 + 0.12 * len(word))


def _persons_score(left: _Person, right: _Person, found: Paired) -> float:
    weights = [(min(_name_weight(left.words[i]), _name_weight(right.words[j])), score) for i, j, score in found.pairs]
    matched = sum(weight for weight, _ in weights)
    if not matched:
        return 0.0
    base = sum(weight * score for weight, score in weights) / matched
    full = sum(1 for i, j, _ in found.pairs if len(left.words[i]) > 1 and len(right.words[j]) > 1)
    rest_left, rest_right = _rest(left, found.left), _rest(right, found.right)
    if not full:
        return min(_CONTRADICTED, base)
    if min(rest_left, rest_right) > 0.3 or _sons_and_fathers(left, right, found):
        return min(_CONTRADICTED, base * matched / (matched + max(rest_left, rest_right)))
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


# ---------------------------------------------------------------------------------------------------- companies


@lru_cache(maxsize=_CACHED)
def _company(value: str) -> companies.Parts:
    return companies.parts(spoken(value) if not is_dense(value) else value)


@lru_cache(maxsize=_CACHED)
def _letters(value: str) -> str:
    """All of a company's name in one word: "van der Bilt Corp" is "Vanderbilt"."""
    return companies.key(value).replace(" ", "")


def _of_companies(a: str, b: str) -> float:
    left, right = _company(a), _company(b)
    if _letters(a) == _letters(b):
        return _marks_agree(left, right)
    found = paired(left.words, right.words, _trades_alike)
    score = max(_core_score(left.words, right.words, found), _acronym(left.core, right.core))
    return score * _marks_agree(left, right)


def _of_things(a: str, b: str) -> float:
    """Ships, products, places: numbers tell them apart as with companies; there are no legal forms."""
    left, right = (_without_prefix(words(fold(spoken(text)))) for text in (a, b))
    if sorted(filter(str.isdigit, left)) != sorted(filter(str.isdigit, right)):
        return min(_CONTRADICTED, _core_score(left, right, paired(left, right, _trades_alike)))
    return _core_score(left, right, paired(left, right, _trades_alike))


_SHIPS = frozenset({"mv", "mt", "ms", "ss", "m", "v", "t", "s", "mts", "sv", "my", "hms", "uss"})


def _without_prefix(found: list[str]) -> list[str]:
    at = next((at for at, word in enumerate(found) if word not in _SHIPS), 0)
    return found[at:]


@lru_cache(maxsize=_CACHED)
def _trades_alike(a: str, b: str) -> float:
    """How alike two words of companies' names are."""
    if a == b or _one_entry(TRADES, a, b):
        return 1.0
    if a.isdigit() or b.isdigit():
        return 0.0
    if (a in TRADES or is_place(a)) and (b in TRADES or is_place(b)):
        return 0.0
    return _slips(a, b)


def _trade_weight(word: str) -> float:
    """A general word says half of what a firm's own does."""
    return 0.55 if word in TRADES or is_place(word) else min(1.0, 0.4 + 0.15 * len(word))


def _core_score(left: Sequence[str], right: Sequence[str], found: Paired) -> float:
    weights = [(max(_trade_weight(left[i]), _trade_weight(right[j])), score) for i, j, score in found.pairs]
    matched = sum(weight * score for weight, score in weights)
    rest = [sum(_trade_weight(side[at]) for at in over) for side, over in ((left, found.left), (right, found.right))]
    total = sum(weight for weight, _ in weights) + sum(rest)
    if not total:
        return 0.0
    if all(rest):
        return min(_CONTRADICTED, matched / total)
    if any(rest) and all(left[i] in TRADES or is_place(left[i]) for i, _, _ in found.pairs):
        return min(_CONTRADICTED, matched / total)
    return matched / total


def _acronym(left: Sequence[str], right: Sequence[str]) -> float:
    """IBM for International Business Machines: three letters at least, and nothing else in the name."""
    short, long = sorted((left, right), key=len)
    if len(short) == 1 and 3 <= len(short[0]) == len(long) and short[0] == "".join(word[0] for word in long):
        return 0.85
    return 0.0


def _marks_agree(left: companies.Parts, right: companies.Parts) -> float:
    """What different marks leave of a score: another number contradicts, a group is not its member."""
    kinds = {kind for kind, _ in left.marks ^ right.marks}
    if "number" in kinds:
        return 0.5
    if kinds & {"group", "branch"} or (left.family and right.family and not left.family & right.family):
        return 0.75
    return 1.0


_BY_KIND: dict[Kind, Callable[[str, str], float]] = {Kind.NAME: _of_persons, Kind.COMPANY: _of_companies}


# ---------------------------------------------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Measured:
    """How well labelled pairs are judged: right of all, right of those taken for one, found of those that are one."""

    accuracy: float
    precision: float
    recall: float


def measured(pairs: Iterable[tuple[Kind, str, str, bool]], at_least: float = SAME_NAME) -> Measured:
    """Judge labelled pairs (kind, name, name, whether they are one).

    >>> measured([(Kind.NAME, "Bob Doe", "Robert Doe", True), (Kind.NAME, "Bob Doe", "Ann Doe", False)])
    Measured(accuracy=1.0, precision=1.0, recall=1.0)
    """
    judged = Counter((alike(kind, a, b) >= at_least, truth) for kind, a, b, truth in pairs)
    right = judged[True, True]
    return Measured(
        (right + judged[False, False]) / max(1, judged.total()),
        right / max(1, right + judged[True, False]),
        right / max(1, right + judged[False, True]),
    )

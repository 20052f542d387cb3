"""How alike two names of companies are, or of ships and things: rare words count more, numbers and towns forbid."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from omnihub.fields import companies
from omnihub.fields.familiar import TRADES, one_entry
from omnihub.fields.pairing import CACHED, CONTRADICTED, Paired, paired, slips
from omnihub.fields.places import is_place
from omnihub.fields.sounds import is_dense, spoken
from omnihub.fields.text import fold, words


@lru_cache(maxsize=CACHED)
def _company(value: str) -> companies.Parts:
    return companies.parts(spoken(value) if not is_dense(value) else value)


@lru_cache(maxsize=CACHED)
def _letters(value: str) -> str:
    """All of a company's name in one word: "van der Bilt Corp" is "Vanderbilt"."""
    return companies.key(value).replace(" ", "")


def of_companies(a: str, b: str) -> float:
    """Of firms that tell several names, the likest count: "Smith Foods LLC dba Corner Deli"."""
    return max(_of_names(x, y) for x in companies.names_told(a) for y in companies.names_told(b))


def _of_names(a: str, b: str) -> float:
    left, right = _company(a), _company(b)
    if _letters(a) == _letters(b):
        return _marks_agree(left, right)
    found = paired(left.words, right.words, _trades_alike)
    score = max(_core_score(left.words, right.words, found), _acronym(left.core, right.core))
    return score * _marks_agree(left, right)


def of_things(a: str, b: str) -> float:
    """Ships, products, places: numbers tell them apart as with companies; there are no legal forms."""
    left, right = (_without_prefix(words(fold(spoken(text)))) for text in (a, b))
    if sorted(filter(str.isdigit, left)) != sorted(filter(str.isdigit, right)):
        return min(CONTRADICTED, _core_score(left, right, paired(left, right, _trades_alike)))
    return _core_score(left, right, paired(left, right, _trades_alike))


_SHIPS = frozenset({"mv", "mt", "ms", "ss", "m", "v", "t", "s", "mts", "sv", "my", "hms", "uss"})


def _without_prefix(found: list[str]) -> list[str]:
    at = next((at for at, word in enumerate(found) if word not in _SHIPS), 0)
    return found[at:]


@lru_cache(maxsize=CACHED)
def _trades_alike(a: str, b: str) -> float:
    """How alike two words of companies' names are."""
    if a == b or one_entry(TRADES, a, b):
        return 1.0
    if a.isdigit() or b.isdigit():
        return 0.0
    if (a in TRADES or is_place(a)) and (b in TRADES or is_place(b)):
        return 0.0
    return slips(a, b)


def _trade_weight(word: str) -> float:
    """A general word says half of what a firm's own does."""
    return 0.55 if word in TRADES or is_place(word) else min(1.0, 0.4 + 0.15 * len(word))


_MORE = 1.25  # a word more tells firms apart better than a shared one makes them one


def _core_score(left: Sequence[str], right: Sequence[str], found: Paired) -> float:
    weights = [(max(_trade_weight(left[i]), _trade_weight(right[j])), score) for i, j, score in found.pairs]
    matched = sum(weight * score for weight, score in weights)
    rest = [
        _MORE * sum(_trade_weight(side[at]) for at in over) for side, over in ((left, found.left), (right, found.right))
    ]
    total = sum(weight for weight, _ in weights) + sum(rest)
    if not total:
        return 0.0
    if all(rest):
        return min(CONTRADICTED, matched / total)
    if any(rest) and all(left[i] in TRADES or is_place(left[i]) for i, _, _ in found.pairs):
        return min(CONTRADICTED, matched / total)
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

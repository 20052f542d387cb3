"""Chinese names in Latin letters: Mao Tse-tung is Mao Zedong. Wade and Giles wrote them so, pinyin does it otherwise.

Wade and Giles tell t from d by a mark that hardly anybody writes (T'ang, Tang): that difference is left out. So it is
asked only where one of the two names is surely written in their way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_SYLLABLES = re.compile(
    r"(?:(?:tz|ts|ss|sz|zh|ch|sh|hs|[bpmfdtnlgkhjqxrzcswy])?"
    r"(?:i[ao]ng|iung|iao|ieh|i[ae]n|uang|ueng|uai|uan|uei|ueh|[aeiou]ng|[aeiu]n|erh|er|[ei]h|ai|ei|ao|ou|ia|ie|iu|ua|uo"
    r"|ui|ue|[aeiou]))+"
)
_WADE = re.compile(r"(?:hs|ts|tz|ss|sz)|.*(?:ung|ieh|ien|ueh|erh|ih)$")
_ONE_SPELLING = (  # (theirs and pinyin's, one for both), in this order
    (re.compile("tzu|tze"), "zi"),
    (re.compile("ssu|szu"), "si"),
    (re.compile("hs"), "x"),
    (re.compile("t[sz]|c(?!h)"), "z"),
    (re.compile("zh|ch|q"), "j"),
    (re.compile("b"), "p"),
    (re.compile("d"), "t"),
    (re.compile("g(?=[aeiou])"), "k"),
    (re.compile("ung"), "ong"),
    (re.compile("ien|yen"), "ian"),
    (re.compile("uei"), "ui"),
    (re.compile("uo"), "o"),
    (re.compile("(?<=[eiru])h(?![aeiou])"), ""),
)


@lru_cache(maxsize=50_000)
def _told(words: tuple[str, ...]) -> tuple[str, bool] | None:
    """The words as one, in one spelling, and whether they are Wade and Giles's; None if they are not Chinese."""
    if not all(map(_SYLLABLES.fullmatch, words)):
        return None
    found = "".join(words)
    for written, one in _ONE_SPELLING:
        found = written.sub(one, found)
    return found, any(map(_WADE.match, words))


def one_in_two_spellings(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether the folded words of two names are one in the two ways; the family's name may stand first or last.

    >>> one_in_two_spellings(["mao", "tse", "tung"], ["mao", "zedong"])
    True
    >>> one_in_two_spellings(["xiaoping", "deng"], ["teng", "hsiao", "ping"])
    True
    >>> one_in_two_spellings(["deng", "xiaoping"], ["teng", "xiaoping"])  # in pinyin these are two
    False
    """
    here = _told(tuple(left))
    turned = (_told(tuple(words)) for words in (right, [*right[1:], *right[:1]], [*right[-1:], *right[:-1]]))
    return (
        here is not None
        and min(len(left), len(right)) > 1
        and any(there is not None and here[0] == there[0] and here[1] != there[1] for there in turned)
    )

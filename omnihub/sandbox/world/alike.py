"""Who is easily taken for whom: relatives, namesakes and neighbours, by their places in a block.

    3     may be the son of 2: same name, same company, mostly the same phone, "Jr." where somebody thought of it
    5     may be the twin of 4: same surname, birth date and company, another first name, sometimes Tim and Tom
    7     may have the full name of 6, and work for the same company
    12    may have the full name of 1, and work for another company in another town
    20 21 may share the company's address with 19, as everybody does in an office of three
    23    may be married to 22: same surname, one address for both, mostly one phone
    25    may share the company's address with 24

Who shares an address is known by it in one system only, but for the CRM: elsewhere an address has one owner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from omnihub.sandbox.world.companies import PEOPLE
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.lands import Land
from omnihub.sandbox.world.mistakes import NICKNAMES, slug

RELATED = ("father_son", "twins", "family_address")  # who may also have one phone
SHARING = ("family_address", "info_address")
_TRAPS = 202


class Alike(NamedTuple):
    """The person somebody is easily taken for, and how (the name of the trap)."""

    kind: str
    other: int


class _Place(NamedTuple):
    kind: str
    back: int  # so many people before
    share: float  # of all blocks


_PLACES = {
    3: _Place("father_son", 1, 0.3),
    5: _Place("twins", 1, 0.3),
    12: _Place("same_name", 11, 0.3),
    7: _Place("same_name_at_work", 1, 0.06),
    20: _Place("info_address", 1, 0.15),
    23: _Place("family_address", 1, 0.35),
    25: _Place("info_address", 1, 0.3),
}
_WITH = {21: 20}  # is alike whenever that one is
_OTHERS = {offset - place.back for offset, place in _PLACES.items()}


class Resemblance:
    """Whom anybody of a world is taken for. `housed`: whether person p works in a house of several companies."""

    def __init__(self, seed: int, count: int, housed: Callable[[int], bool]) -> None:
        self.seed, self.count, self.housed = seed, count, housed

    def of(self, p: int) -> Alike | None:
        """Whom p is easily taken for: always somebody before p."""
        block, offset = divmod(p, PEOPLE)
        drawn = _WITH.get(offset, offset)
        if drawn not in _PLACES:
            return None
        dice = Dice(self.seed, _TRAPS, block)
        laid = {at: dice.chance(place.share) for at, place in _PLACES.items()}
        place = _PLACES[drawn]
        if not laid[drawn] or (place.kind == "same_name" and self.housed(p)):
            return None
        return Alike(place.kind, p - place.back)

    def to(self, p: int) -> Alike | None:
        """Who is taken for p."""
        offset = p % PEOPLE
        if offset not in _OTHERS:
            return None
        later = (p + place.back for at, place in _PLACES.items() if at - place.back == offset)
        return next((Alike(found.kind, x) for x in later if x < self.count and (found := self.of(x))), None)

    def sharers(self, p: int) -> list[int]:
        """Those before p who have the same address."""
        found = []
        while (like := self.of(p)) and like.kind in SHARING:
            found.append(p := like.other)
        return found


def like_named(first: str, land: Land, dice: Dice) -> str:
    """A first name for a twin: Tim for Tom, Jana for Jan, or one with the same initial, where there is one."""
    both = [x for x in (*land.men, *land.women) if not _same_name(x, first, land.language)]
    near = [x for x in both if _one_letter(x, first)]
    if near and dice.chance(0.5):
        return dice.pick(near)
    pool = land.women if first in land.women else land.men
    initial = [x for x in both if x[0] == first[0] and x in pool]
    return dice.pick(initial or both)


def _same_name(a: str, b: str, language: str) -> bool:
    """Whether one is the other, with accents or without, or short for it."""
    return slug(a, language) == slug(b, language) or NICKNAMES.get(a) == b or NICKNAMES.get(b) == a


def _one_letter(a: str, b: str) -> bool:
    """Whether a letter more, or another one, makes one of the other.

    >>> _one_letter("Jan", "Jana"), _one_letter("Tim", "Tom"), _one_letter("Tim", "Tom-Luca")
    (True, True, False)
    """
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b, strict=True)) == 1
    return abs(len(a) - len(b)) == 1 and (a.startswith(b) or b.startswith(a))

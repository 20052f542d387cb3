"""Ordeals: copies that are hard to know the person by, though somebody careful would.

    typos           first name, surname and address mistyped, all at once
    swapped         first and last name the wrong way round, and perhaps no address
    other_script    the name in Cyrillic or Greek, and perhaps no address
    only_email      an address and nothing else
    only_name       a name and an employer, and nothing else

Where the address is lost or mistyped as well, the mobile number or a line of their own is left. Whoever is easily taken
for somebody else is spared: two doubts at once would leave nothing to decide by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import Held
from omnihub.sandbox.world.mistakes import foreign, misspelt, slip, slug


@dataclass(frozen=True)
class Victim:
    """Who it happens to. `phone`: their own line, None where it is the company's; `own_email`: no info@ either.

    only: nobody else at work has that name. known: what the right copy holds.
    """

    first_name: str
    last_name: str
    email: str
    language: str
    phone: str | None
    mobile: str | None
    own_email: bool
    only: bool
    known: frozenset[str]

    def reached(self, x: Held) -> bool:
        """Whether a number of their own is in this copy and in the right one."""
        held = (("phone", self.phone), ("mobile", self.mobile))
        return any(number and x.fields.get(name) == number and name in self.known for name, number in held)


def befall(who: Victim, x: Held, dice: Dice) -> bool:
    """Make a hard copy of a right one. False: none of it can happen to this one, which stays as it is."""
    kind = dice.pick(tuple(_ORDEALS))
    if "email" not in x.fields or "email" not in who.known or not _ORDEALS[kind](who, x, dice):
        return False
    x.trap = kind
    return True


def _lose_email(who: Victim, x: Held, dice: Dice) -> None:
    if who.reached(x) and x.role != "portal" and dice.chance(0.5):
        del x.fields["email"]


def _typos(who: Victim, x: Held, dice: Dice) -> bool:
    x.put("first_name", slip(who.first_name, dice), "slip")
    x.put("last_name", slip(slip(who.last_name, dice), dice), "slips")
    email, first = misspelt(who.email, dice), slug(x.fields["first_name"], who.language)
    if who.reached(x) and dice.chance(0.5) and not email.startswith(first):  # Greeg with greeg@ might be another
        x.put("email", email, "slip")
    return True


def _swapped(who: Victim, x: Held, dice: Dice) -> bool:
    x.put("first_name", who.last_name, "names swapped")
    x.put("last_name", who.first_name, "names swapped")
    _lose_email(who, x, dice)
    return True


def _script(who: Victim, x: Held, dice: Dice) -> bool:
    greek = dice.chance(0.4)
    for name, value in (("first_name", who.first_name), ("last_name", who.last_name)):
        x.put(name, foreign(value, who.language, greek=greek), "other script")
    _lose_email(who, x, dice)
    return True


def _only_email(who: Victim, x: Held, dice: Dice) -> bool:
    if x.role not in ("marketing", "shop") or not who.own_email:  # the others ask for a name
        return False
    x.fields = {name: value for name, value in x.fields.items() if name in ("email", "language")}
    return True


def _only_name(who: Victim, x: Held, dice: Dice) -> bool:
    if x.role in ("portal", "shop") or "account" not in x.fields or not who.only:
        return False
    left = ("first_name", "last_name", "company", "account")
    x.fields = {name: value for name, value in x.fields.items() if name in left}
    return True


_ORDEALS: Mapping[str, Callable[[Victim, Held, Dice], bool]] = {
    "typos": _typos,
    "swapped": _swapped,
    "other_script": _script,
    "only_email": _only_email,
    "only_name": _only_name,
}

"""What a country brings to the world: names, towns, streets, and how its numbers are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from omnihub.sandbox.world.dice import Dice

_LETTERS = "ABDEFGHJLNPRSTUWXYZ"


class Town(NamedTuple):
    """`postal` is a pattern: # a digit, @ a letter. `area` is the telephone area code, without trunk zero."""

    name: str
    postal: str
    area: str
    region: str


def towns(table: str) -> tuple[Town, ...]:
    """One town a line: name|postal pattern|area code|region."""
    return tuple(Town(*line.split("|")) for line in table.split("\n") if line)


def words(table: str) -> tuple[str, ...]:
    """Words between blanks."""
    return tuple(table.split())


class Address(NamedTuple):
    """Where a company sits. The four belong together."""

    street: str
    postal_code: str
    city: str
    region: str


@dataclass(frozen=True, eq=False)
class Land:
    """A country. `digits` is the length of a national number; `forms` are pairs of legal form and its long spelling."""

    code: str
    language: str
    currency: str
    tld: str
    dial: str
    digits: int
    mobiles: tuple[str, ...]
    address: str
    sons: str
    forms: tuple[tuple[str, str], ...]
    towns: tuple[Town, ...]
    streets: tuple[str, ...]
    trades: tuple[str, ...]
    men: tuple[str, ...]
    women: tuple[str, ...]
    surnames: tuple[str, ...] = field(repr=False)

    def place(self, town: Town, dice: Dice) -> Address:
        """An address in a town."""
        postal = "".join(
            str(dice.below(10)) if c == "#" else _LETTERS[dice.below(len(_LETTERS))] if c == "@" else c
            for c in town.postal
        )
        street = self.address.format(street=dice.pick(self.streets), no=1 + dice.skewed(140))
        return Address(street, postal, town.name, town.region)

    def line(self, town: Town, serial: int, extension: int = 0) -> str:
        """A landline in E.164. Lines of one `serial` share a switchboard (extension 0) and differ in two digits."""
        width = self.digits - len(town.area) - 2
        span = 7 * 10 ** (width - 1)  # the first digit is 2 to 8: 0, 1 and 9 open services in many countries
        start = 2 * 10 ** (width - 1) + serial * 7919 % span
        return f"+{self.dial}{town.area}{start:0{width}d}{extension:02d}"

    def mobile(self, serial: int, town: Town) -> str:
        """A mobile number in E.164. Where mobiles are no class of their own (US) it is a line of the town."""
        if not self.mobiles:
            return self.line(town, serial // 90 + 4_000_037, 10 + serial % 90)
        prefix = self.mobiles[serial % len(self.mobiles)]
        width = self.digits - len(prefix) + (self.code in _LONGER_MOBILES)
        number = (serial * 7_368_787 + 1_234_567) % (8 * 10 ** (width - 1)) + 10 ** (width - 1)
        return f"+{self.dial}{prefix}{number:0{width}d}"


_LONGER_MOBILES = {"DE"}  # one digit more than a landline here

"""What is left of a value in a system that keeps less than it is given: cut, rounded, without its country.

Such a value is not somebody's edit, and not what the system was meant to hold either.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation

from omnihub.fields import phones
from omnihub.fields.text import same_key
from omnihub.model import Kind

CUT = frozenset(
    {Kind.TEXT, Kind.NAME, Kind.COMPANY, Kind.EMAIL, Kind.DOMAIN, Kind.ADDRESS, Kind.POSTAL, Kind.CITY, Kind.CODE}
    | {Kind.SKU, Kind.VAT, Kind.FILE}
)
ROUNDED = frozenset({Kind.MONEY, Kind.QUANTITY, Kind.PERCENT, Kind.WEIGHT})
ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
LEAST_DIGITS = 5  # of a telephone number: fewer are no number any more


def worn(kind: Kind, whole: str, left: str) -> bool:
    """Whether `left` may be what a system made of `whole`: less than that, and nothing else.

    `left` may be a text that could not be cleaned. What says the same, or nothing, is not worn.

    >>> worn(Kind.COMPANY, "Pumpen und Ventile GmbH", "PUMPEN UND VEN"), worn(Kind.COMPANY, "Pumpen GmbH", "Pumpe AG")
    (True, False)
    >>> worn(Kind.MONEY, "12.345", "12.35"), worn(Kind.MONEY, "12.345", "12.36"), worn(Kind.PHONE, "+358441603354",
    ... "044 1603354")
    (True, False, True)
    """
    if not left.strip() or whole == left:
        return False
    if kind in ROUNDED:
        return _rounded(whole, left)
    if kind is Kind.PHONE:
        return _shortened(whole, left)
    return kind in CUT and _cut(same_key(whole), same_key(left))


def _cut(whole: str, left: str) -> bool:
    return whole != left and whole.startswith(left)


def _rounded(whole: str, left: str) -> bool:
    try:
        exact, there = Decimal(whole), Decimal(left)
    except InvalidOperation:
        return False
    places = Decimal(1).scaleb(min(0, int(there.normalize().as_tuple().exponent)))
    finest = [exact.quantize(places.scaleb(-more), how) for how in ROUNDINGS for more in (0, 1, 2)]
    return exact != there and there in finest


def _shortened(whole: str, left: str) -> bool:
    """Without its country, without its extension, or both."""
    if whole.startswith(left):
        return len(left) > LEAST_DIGITS
    bare = "".join(c for c in left.partition("x")[0] if c.isdecimal()).lstrip("0")
    national = phones.national(whole.partition("x")[0])
    digits = "".join(c for c in national if c.isdecimal()).lstrip("0")
    return len(digits) >= LEAST_DIGITS and bare.endswith(digits)

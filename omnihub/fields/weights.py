"""Weights: in kilograms, whatever unit they were said in."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext

import msgspec

from omnihub.fields.money import clean_quantity
from omnihub.fields.text import Unclean

_KILOGRAMS = {
    **dict.fromkeys(("", "kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramm"), Decimal(1)),
    **dict.fromkeys(("g", "gr", "gram", "grams", "gramm"), Decimal("0.001")),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), Decimal("0.45359237")),
    **dict.fromkeys(("oz", "ounce", "ounces"), Decimal("0.028349523125")),
    **dict.fromkeys(("t", "tonne", "tonnes"), Decimal(1000)),
}
_MILLIGRAM = Decimal("0.000001")
_FIGURES = 3  # that two weights share which are the same: scales, and rounding from pounds, are not more exact
_WITH_UNIT = re.compile(r"(.*?[\d.,)])\s*([A-Za-z]*)\.?")


class _Told(msgspec.Struct):
    """As some systems say it: a figure, and beside it the unit."""

    value: float | str
    unit: str = ""


def clean(text: str, country: str | None = None) -> str | None:
    """Kilograms; None for what weighs nothing, which is how systems say that nobody weighed it.

    >>> clean("1,5 kg"), clean("250 g"), clean('{"unit":"POUNDS","value":27.3373}'), clean("0.0 kg")
    ('1.5', '0.25', '12.399991', None)
    """
    figure, unit = _parted(text)
    times = _KILOGRAMS.get(unit.lower())
    if times is None:
        raise Unclean("not a unit of weight")
    with localcontext(prec=40):
        weight = (Decimal(clean_quantity(figure, country)) * times).quantize(_MILLIGRAM, ROUND_HALF_EVEN)
    if weight < 0:
        raise Unclean("weighs less than nothing")
    return clean_quantity(f"{weight:f}") if weight else None


def _parted(text: str) -> tuple[str, str]:
    if text.startswith("{"):
        try:
            told = msgspec.json.decode(text, type=_Told)
        except (msgspec.MsgspecError, RecursionError):
            raise Unclean("not a figure with its unit") from None
        return str(told.value), told.unit
    match = _WITH_UNIT.fullmatch(text)
    return (match[1], match[2]) if match else (text, "")


def same_key(value: str) -> str:
    """The first figures.

    >>> same_key("12.4"), same_key("12.399991"), same_key("12.5"), same_key("1250")
    ('12.4', '12.4', '12.5', '1.25E+3')
    """
    with localcontext(prec=_FIGURES, rounding=ROUND_HALF_EVEN):
        try:
            return str((+Decimal(value)).normalize())
        except InvalidOperation:
            return value  # no weight, but somebody may ask

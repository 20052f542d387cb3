"""Phone numbers: E.164 with the extension behind an x, read with the country as context."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException

from omnihub.fields.text import Unclean

_NOTE = re.compile(r"\([^()\d+]*\)|^(?:tel|fon|phone|mobile|mobil|handy|fax|puh|gsm)\b[.:]*", re.IGNORECASE)
_EXTENSION = re.compile(
    r"\s*\b(?:durchwahl|dw|app|apparat|extension|alanumero|ankn|poste|int|interno|wew)\b[.:]*\s*", re.IGNORECASE
)
_DIGITS = re.compile(r"\d+", re.ASCII)
_COUNTING = ("1234567", "12345678", "123456789", "1234567890", "0123456789", "9876543210", "987654321")
_TOLL_FREE = re.compile(
    r"\+(?:1(?:800|888|877|866|855|844|833)|49(?:800|180|137)|43(?:800|810)|41(?:800|84[08])|44(?:80[08]|84[345]|87[01])"
    r"|33(?:80[0-9]|81|82)|39(?:80[03]|84[08])|34(?:90[012])|31(?:800|900)|32(?:800|78)|358(?:800|600)|4620|48(?:80[01])"
    r"|61(?:1800|1300))"
)


def clean(text: str, country: str | None = None) -> str:
    """+491721234567, or +4930123456x12 with an extension.

    >>> clean("0172 / 123 45 67", "DE"), clean("+44 (0)20 7946 0018"), clean("030 123456 Durchwahl 12", "DE")
    ('+491721234567', '+442079460018', '+4930123456x12')
    """
    digits = "".join(_DIGITS.findall(text))
    if digits and (len(set(digits)) == 1 or digits in _COUNTING):
        raise Unclean("a placeholder")
    dialled = _EXTENSION.sub(" x", _NOTE.sub(" ", text).strip())
    if dialled.startswith("00") and country is None:
        dialled = "+" + dialled[2:]
    if country is None and not dialled.startswith(("+", "＋")) and "+" not in dialled:
        raise Unclean("not a valid phone number (no country)")
    return _parsed(dialled, country)


def _parsed(dialled: str, country: str | None) -> str:
    try:
        number = phonenumbers.parse(dialled, country.upper() if country else None)
    except NumberParseException:
        raise Unclean("not a valid phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise Unclean("not a valid phone number")
    national = phonenumbers.national_significant_number(number)
    extension = f"x{number.extension}" if number.extension else ""
    return f"+{number.country_code}{national}{extension}"


def key(value: str) -> str:
    """The digits; an extension keeps two people behind one switchboard apart.

    >>> key("+4930123456x12")
    '4930123456x12'
    """
    return value.removeprefix("+")


def weak(value: str) -> str | None:
    """Why this number is no evidence of one person or firm, or None.

    >>> weak("+493055555555"), weak("+18005551234"), weak("+491721836402")
    ('placeholder-like number', 'service number', None)
    """
    number = value.partition("x")[0]
    if len(set(number[-6:])) == 1 or number.endswith(("123456", "1234567", "12345678", "123456789")):
        return "placeholder-like number"
    if _TOLL_FREE.match(number):
        return "service number"
    return None

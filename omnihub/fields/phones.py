"""Phone numbers: E.164 with the extension behind an x, read with the country as context."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

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
    if _PLAIN.fullmatch(text) and (number := _quick(text[0] == "+", digits, (country or "").upper())):
        return number
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


# -- the short way -------------------------------------------------------------------------------------------------

# phonenumbers weighs every way a text might be meant, which costs more than all else that happens to a record. A text
# of one plain number needs its tables only: what they say yes to here it reads the same way. All else is left to it.
_PLAIN = re.compile(r"\+?[0-9]+(?:[ -][0-9]+)*", re.ASCII)
_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip


@dataclass(frozen=True)
class _Plan:
    """How numbers look in a region. `trunk`: what is dialled before them inside the country."""

    code: str
    trunk: str | None
    never_first: re.Pattern[str]  # a number that starts like this may be meant otherwise
    abroad: re.Pattern[str]
    every: re.Pattern[str]
    types: tuple[tuple[frozenset[int], re.Pattern[str]], ...]

    def has(self, national: str) -> bool:
        """Whether this is a valid number here."""
        if not self.every.fullmatch(national):
            return False
        return any(len(national) in lengths and pattern.fullmatch(national) for lengths, pattern in self.types)


def _quick(international: bool, digits: str, country: str) -> str | None:
    """E.164, or None where it is not plain to see which number it is, or that it is one."""
    if international:
        plan = next((found for n in (1, 2, 3) if (found := _plan_of(digits[:n]))), None)
        national = digits[len(plan.code) :] if plan else ""
    else:
        plan = _plan(country)
        if plan is None or not plan.trunk or not digits.startswith(plan.trunk) or plan.abroad.match(digits):
            return None
        national = digits[len(plan.trunk) :]
    if plan is None or national.startswith("0") or plan.never_first.match(national) or not plan.has(national):
        return None
    return f"+{plan.code}{national}"


@functools.cache
def _plan_of(code: str) -> _Plan | None:
    """Of the one region with this code; several that share one are left to phonenumbers."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code) if code else 0, ())
    return _plan(regions[0]) if len(regions) == 1 else None


@functools.cache
def _plan(region: str) -> _Plan | None:
    found = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    if found is None or len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(found.country_code or 0, ())) != 1:
        return None
    descriptions = [d for d in (getattr(found, name) for name in _TYPES) if d and d.national_number_pattern]
    return _Plan(
        str(found.country_code),
        found.national_prefix if found.national_prefix_for_parsing == found.national_prefix else None,
        re.compile(found.national_prefix_for_parsing or "(?!)"),
        re.compile(found.international_prefix or "(?!)"),
        re.compile((found.general_desc and found.general_desc.national_number_pattern) or "(?!)"),
        tuple((frozenset(d.possible_length), re.compile(d.national_number_pattern)) for d in descriptions),
    )


# ------------------------------------------------------------------------------------------------------------------


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

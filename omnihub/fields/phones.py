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


def extension(value: str) -> str | None:
    """The digits behind the x.

    >>> extension("+4930123456x12"), extension("+4930123456")
    ('12', None)
    """
    return value.partition("x")[2] or None


def line(value: str) -> str:
    """The number that is dialled from outside, without an extension.

    >>> line("+4930123456x12")
    '+4930123456'
    """
    return value.partition("x")[0]


def national(value: str) -> str:
    """The number inside its country: what a number kept without its country can still be compared by.

    Takes a clean number, and what `local` makes of others.

    >>> national("+4930123456x12"), national("+13125551234"), national(local("(312) 555-1234") or "")
    ('30123456', '3125551234', '3125551234')
    """
    number = line(value)
    return number[1 + len(_code_of(number)) :] if number.startswith("+") else number


TAIL = 7  # digits: what is dialled inside a town in most countries, and all that careless lists keep


def tail(value: str) -> str:
    """The last digits: a key to find candidates by when codes of country or town are missing; by itself little proof.

    >>> tail("+13129494015") == tail(local("949-4015") or "") == tail(local("312 949 4015") or "")
    True
    """
    return national(value)[-TAIL:]


def local(text: str) -> str | None:
    """The digits of a number that can't be cleaned for lack of a country or town; for matching, never written.

    Without the zero of inland calls and without an extension. None where it can't be a phone number.

    >>> local("949-4015"), local("(0)30 / 90 18 20"), local("1-312-949-4015"), local("12"), local("555-5555")
    ('9494015', '30901820', '3129494015', None, None)
    """
    dialled = _EXTENSION.sub(" x", _NOTE.sub(" ", text)).partition("x")[0]
    digits = "".join(_DIGITS.findall(dialled)).lstrip("0")
    if len(digits) == 11 and digits[0] == "1":  # North America dials 1 before its ten digits
        digits = digits[1:]
    return digits if 6 <= len(digits) <= 13 and not _made_up(digits) else None


def _code_of(number: str) -> str:
    """The country code after the +, or nothing where there is no such code."""
    return next((number[1 : 1 + n] for n in (1, 2, 3) if number[1 : 1 + n] in _CODES), "")


_CODES = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def switchboard(value: str) -> bool:
    """Whether the number looks like the one a firm prints on its letters: a round number that is no mobile's.

    A hint only: of its own it neither proves nor disproves anybody.

    >>> switchboard("+49301234560"), switchboard("+13125551000"), switchboard("+491721234560")
    (True, True, False)
    """
    number = line(value)
    code = _code_of(number)
    if "x" in value or not number.endswith("00" if code not in _DIRECT_DIAL else "0"):
        return False
    return not _mobile(code).match(number[1 + len(code) :])


_DIRECT_DIAL = frozenset({"49", "43", "41"})  # -0 is the desk, -12 somebody behind it


@functools.cache
def _mobile(code: str) -> re.Pattern[str]:
    """Numbers of mobiles only; in North America they look like all others."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code or 0), ("",))
    found = phonenumbers.PhoneMetadata.metadata_for_region(regions[0], None)
    mobile = found and found.mobile and found.mobile.national_number_pattern
    fixed = found and found.fixed_line and found.fixed_line.national_number_pattern
    return re.compile(f"(?:{mobile})$" if mobile and mobile != fixed else "(?!)")


_FICTION = re.compile(r"\+(?:1\d{3}55501\d\d|441632960\d{3}|447700900\d{3}|44(?:20)?79460\d{3})")  # kept free for films


def weak(value: str) -> str | None:
    """Why this number is no evidence of one person or firm, or None.

    >>> weak("+493055555555"), weak("+18005551234"), weak("+491721836402")
    ('placeholder-like number', 'service number', None)
    """
    number = line(value)
    if len(set(number[-6:])) == 1 or _made_up(national(number)):
        return "placeholder-like number"
    if _TOLL_FREE.match(number):
        return "service number"
    return "placeholder-like number" if _FICTION.fullmatch(number) else None


_RISING, _FALLING = "01234567890" * 2, "09876543210" * 2


def _made_up(digits: str) -> bool:
    """Typed to get past a form: six digits in a row up or down at the end, one or two digits over and over."""
    end = digits[-6:]
    if len(set(digits[-7:])) == 1 or end in _RISING or end in _FALLING:
        return True
    return len(digits) > 7 and digits[-8:] == digits[-8:-6] * 4

"""Business ids: VAT ids with their country in front and their checksum right, and GTINs (EAN, UPC)."""

from __future__ import annotations

import re
from functools import cache
from typing import Protocol, cast

from stdnum import ean, get_cc_module
from stdnum.ch import uid
from stdnum.exceptions import InvalidChecksum, ValidationError

from omnihub.fields import countries
from omnihub.fields.text import Unclean, listed


class _Rules(Protocol):
    """A country's module of python-stdnum."""

    def validate(self, number: str) -> str:
        """The number in its compact form, or ValidationError."""


_LABEL = re.compile(
    r"^\s*(?:ust\.?-?\s?id\.?(?:-?nr\.?)?|uid(?:-nr\.?)?|vat(?:[ -]?(?:id|no|nr|number|reg))?\.?(?:\s?no\.?)?|tva"
    r"|p\.?\s?iva|partita iva|btw(?:-nr\.?)?|alv(?:-nro\.?)?|nip|y-tunnus|mwst-?nr\.?)"
    r"\s*[:.#]?\s*(?=\S{6,}|(?:[A-Z]{2,3}[\s.-]?)?\d)",
    re.IGNORECASE,
)
_NOISE = re.compile(r"[^A-Z0-9+*]")
_SWISS_TAIL = re.compile(r"(?:MWST|TVA|IVA|HR|RC)$")
_JUNK = re.compile(r"(?:[A-Z]{2,3})?(?:(\d)\1{5,}|123456789?0?|X{3,}|0+)")
_EU = listed("AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
_AUSTRIAN = re.compile(r"U\d{8}", re.ASCII)  # nobody else's begins with U
_UNCHECKED = re.compile(r"[A-Z0-9]{5,20}")


def clean_vat(text: str, country: str | None = None) -> str:
    """The VAT id with its country's letters, checked by that country's rules.

    >>> clean_vat("de 136 695 976"), clean_vat("136695976", "DE"), clean_vat("USt-IdNr.: DE136695976")
    ('DE136695976', 'DE136695976', 'DE136695976')
    >>> clean_vat("CHE-107.787.577 MWST"), clean_vat("2077474-0", "FI"), clean_vat("GB 980 7806 84")
    ('CHE107787577', 'FI20774740', 'GB980780684')
    """
    squeezed = _NOISE.sub("", _LABEL.sub("", text).upper())
    if _JUNK.fullmatch(squeezed):
        raise Unclean("a placeholder")
    if squeezed.startswith("CHE"):
        return _swiss(squeezed[3:])
    if _AUSTRIAN.fullmatch(squeezed):
        squeezed = "AT" + squeezed
    prefix = "EL" if squeezed[:2] == "GR" else squeezed[:2]
    if _has_rules(prefix):
        return prefix + _checked(prefix, squeezed[2:])
    home = {"GR": "EL"}.get(country or "", country or "")
    if home == "CH":
        return _swiss(squeezed)
    if _has_rules(home) and not squeezed[:2].isalpha():
        return home + _checked(home, squeezed)
    if home and _contradicts_rules(home, squeezed.removeprefix(home)):
        raise Unclean("not a valid VAT id")
    return _unchecked(squeezed)


def _contradicts_rules(home: str, number: str) -> bool:
    """Whether a number of another country has that country's form and the wrong check digits.

    Outside Europe many sorts of numbers are kept as tax ids: one of another form is not called wrong.
    """
    rules = _rules(home) if home.isalpha() else None
    try:
        return rules is not None and not rules.validate(number)
    except InvalidChecksum:
        return True
    except ValidationError:
        return False


def _has_rules(prefix: str) -> bool:
    return prefix in _EU or prefix in ("GB", "XI", "NO")


@cache
def _rules(prefix: str, what: str = "vat") -> _Rules | None:
    """Of a country that python-stdnum knows."""
    return cast(_Rules | None, get_cc_module({"EL": "gr", "XI": "gb"}.get(prefix, prefix.lower()), what))


def _checked(prefix: str, number: str) -> str:
    """The number behind the prefix as its country's rules write it."""
    if prefix == "SE" and len(number) == 10:
        number += "01"  # the organisation's number; its VAT id has 01 behind
    if prefix == "NO":
        number = number.removesuffix("MVA") + "MVA"
    if prefix == "AT" and number[:1].isdigit():
        number = "U" + number
    rules = _rules(prefix)
    assert rules is not None  # those of Europe are all there
    try:
        checked = rules.validate(number)
    except ValidationError:
        raise Unclean("not a valid VAT id") from None
    return checked.removesuffix("MVA").removeprefix(prefix)


def _swiss(number: str) -> str:
    try:
        return str(uid.validate("CHE" + _SWISS_TAIL.sub("", number)))
    except ValidationError:
        raise Unclean("not a valid VAT id") from None


def _unchecked(squeezed: str) -> str:
    """Ids of countries whose rules we don't have: letters and digits, at least five of them digits."""
    if not _UNCHECKED.fullmatch(squeezed) or sum(c.isdigit() for c in squeezed) < 5:
        raise Unclean("not a valid VAT id")
    return squeezed


def vat_country(value: str) -> str | None:
    """The country a canonical VAT id belongs to.

    >>> vat_country("DE136695976"), vat_country("EL094259216"), vat_country("CHE107787577"), vat_country("12345678")
    ('DE', 'GR', 'CH', None)
    """
    prefix = {"EL": "GR", "XI": "GB"}.get(value[:2], value[:2])
    return prefix if prefix in countries.known() else None


def checked(value: str) -> bool:
    """Whether the check digits of this canonical VAT id are known to be right: it is of a country whose letters tell.

    >>> checked("DE136695976"), checked("CHE107787577"), checked("US042103594")
    (True, True, False)
    """
    return _has_rules(value[:2]) or value.startswith("CHE")


_GTIN_NOISE = re.compile(r"[\s-]+")


def clean_gtin(text: str, country: str | None = None) -> str:
    """8, 13 or 14 digits with the right check digit; a UPC's 12 get their zero in front.

    >>> clean_gtin("4006381333931"), clean_gtin("0 36000 29145 2"), clean_gtin("04006381333931")
    ('4006381333931', '0036000291452', '4006381333931')
    """
    digits = _GTIN_NOISE.sub("", text)
    if not (digits.isascii() and digits.isdigit()):
        raise Unclean("not a GTIN")
    if not digits.strip("0") or len(set(digits)) == 1:
        raise Unclean("a placeholder")
    if len(digits) not in (8, 12, 13, 14) or not ean.is_valid(digits.zfill(14)[1:] if digits[0] == "0" else digits):
        raise Unclean("not a valid GTIN")
    return digits[1:] if len(digits) == 14 and digits[0] == "0" else digits.zfill(13) if len(digits) == 12 else digits


def gtin_key(value: str) -> str:
    """All 14 digits."""
    return value.zfill(14)


def weak_gtin(value: str) -> str | None:
    """Why this GTIN names no product outside one shop, or None.

    >>> weak_gtin("2012345678903"), weak_gtin("4006381333931")
    ('in-store number', None)
    """
    return "in-store number" if value.zfill(13)[-13] == "2" and len(value) == 13 else None

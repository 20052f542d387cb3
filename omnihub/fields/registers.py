"""Registers: whose number a business id is, and whether two ids can contradict each other at all.

A D-U-N-S and a VAT id never do, a Y-tunnus and a Finnish VAT id can: they hold the same number. `identity` tells the
register and the number in it, so that ids of one register are the same exactly when their texts are:

    what stands there ──label? form? country?──▶ register ──check digits──▶ fi.ytunnus:20774740
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple, cast

from stdnum import get_cc_module, lei
from stdnum.exceptions import ValidationError

from omnihub.fields import business_ids
from omnihub.fields.text import Unclean, listed, words

Check = Callable[[str], str]


def _as_it_is(number: str) -> str:
    return number


@cache
def _by(country: str, module: str) -> Check:
    """How python-stdnum checks this register's numbers."""
    rules = get_cc_module(country, module)
    assert rules is not None, f"python-stdnum has no {country}.{module}"
    return cast(Check, rules.validate)


class _Register(NamedTuple):
    """What its numbers look like without signs, how they are checked, and which part of them is the firm's."""

    form: re.Pattern[str]
    check: tuple[str, str] | None = None
    firm: Callable[[str], str] = _as_it_is


def _eight(number: str) -> str:
    return number.zfill(8)


_REGISTERS: dict[str, _Register] = {
    "duns": _Register(re.compile(r"\d{9}")),
    "lei": _Register(re.compile(r"[A-Z0-9]{18}\d\d"), ("lei", "")),
    "fi.ytunnus": _Register(re.compile(r"\d{7,8}"), ("fi", "ytunnus"), _eight),
    "se.orgnr": _Register(re.compile(r"(?:16)?\d{10}"), ("se", "orgnr"), lambda number: number[-10:]),
    "no.orgnr": _Register(re.compile(r"\d{9}"), ("no", "orgnr")),
    "dk.cvr": _Register(re.compile(r"\d{8}"), ("dk", "cvr")),
    "fr.siren": _Register(re.compile(r"\d{9}"), ("fr", "siren")),
    # A SIRET is a branch: the firm is its first nine digits.
    "fr.siret": _Register(re.compile(r"\d{14}"), ("fr", "siret"), lambda number: number[:9]),
    "be.number": _Register(re.compile(r"[01]?\d{9}"), ("be", "vat"), lambda number: number.zfill(10)),
    "ch.uid": _Register(re.compile(r"CHE\d{9}"), ("ch", "uid")),
    "es.nif": _Register(re.compile(r"[A-Z]\d{7}[A-Z0-9]"), ("es", "cif")),
    "it.iva": _Register(re.compile(r"\d{11}"), ("it", "iva")),
    "pl.nip": _Register(re.compile(r"\d{10}"), ("pl", "nip")),
    "pl.regon": _Register(re.compile(r"\d{9}|\d{14}"), ("pl", "regon"), lambda number: number[:9]),
    "pl.krs": _Register(re.compile(r"\d{10}")),
    "pt.nif": _Register(re.compile(r"\d{9}"), ("pt", "nif")),
    "at.fn": _Register(re.compile(r"\d{1,6}[A-Z]")),
    "nl.kvk": _Register(re.compile(r"\d{8}")),
    "gb.crn": _Register(re.compile(r"\d{7,8}|[A-Z]{2}\d{6}"), None, _eight),
    "us.ein": _Register(re.compile(r"\d{9}"), ("us", "ein")),
    "br.cnpj": _Register(re.compile(r"\d{14}"), ("br", "cnpj"), lambda number: number[:8]),
    "au.abn": _Register(re.compile(r"\d{11}"), ("au", "abn")),
    "au.acn": _Register(re.compile(r"\d{9}"), ("au", "acn")),
    "cz.ico": _Register(re.compile(r"\d{8}"), ("cz", "dic")),
    "ee.number": _Register(re.compile(r"\d{8}"), ("ee", "registrikood")),
    "hu.anum": _Register(re.compile(r"\d{8}(?:\d{3})?"), None, lambda number: number[:8]),
    "in.gstin": _Register(re.compile(r"\d\d[A-Z]{5}\d{4}[A-Z][A-Z0-9]{3}"), ("in", "gstin"), lambda n: n[2:12]),
    "ru.inn": _Register(re.compile(r"\d{10}|\d{12}"), ("ru", "inn")),
    "ro.cui": _Register(re.compile(r"\d{2,10}"), ("ro", "cui")),
    "ua.edrpou": _Register(re.compile(r"\d{8}"), ("ua", "edrpou")),
    "tr.vkn": _Register(re.compile(r"\d{10}"), ("tr", "vkn")),
}  # fmt: skip
_SAME_REGISTER = {"fr.siret": "fr.siren"}

# What stands before a number, folded: it tells more than the form.
_LABELS = {
    "duns": "duns", "dunsnumber": "duns", "dunsnr": "duns", "dandb": "duns", "lei": "lei", "ytunnus": "fi.ytunnus",
    "businessid": "fi.ytunnus", "siren": "fr.siren", "siret": "fr.siret", "rcs": "fr.siren", "cvr": "dk.cvr",
    "cvrnr": "dk.cvr", "orgnr": "orgnr", "organisationsnummer": "se.orgnr", "organisasjonsnummer": "no.orgnr",
    "kvk": "nl.kvk", "kvknummer": "nl.kvk", "kvknr": "nl.kvk", "ein": "us.ein", "fein": "us.ein", "taxid": "us.ein",
    "cif": "es.nif", "nif": "es.nif", "cnpj": "br.cnpj", "abn": "au.abn", "acn": "au.acn", "krs": "pl.krs",
    "regon": "pl.regon", "nip": "pl.nip", "fn": "at.fn", "firmenbuchnummer": "at.fn", "crn": "gb.crn",
    "companyno": "gb.crn", "companynumber": "gb.crn", "ico": "cz.ico", "inn": "ru.inn", "edrpou": "ua.edrpou",
    "gstin": "in.gstin", "cui": "ro.cui", "uid": "ch.uid", "vkn": "tr.vkn", "bce": "be.number", "kbo": "be.number",
}  # fmt: skip
_LABEL = re.compile(r"^([^\W\d_](?:[^\W\d_]|[.\s&/-]){1,24}?)[.:#\s-]*(?=[A-Z]{0,3}-?\d|[A-Z0-9]{20}$)", re.IGNORECASE)

# How a number is written where nothing else tells: only forms that no other register has.
_FORMS = [
    ("fi.ytunnus", re.compile(r"\d{7}-\d")),
    ("us.ein", re.compile(r"\d\d-\d{7}")),
    ("duns", re.compile(r"\d\d-\d{3}-\d{4}")),
    ("se.orgnr", re.compile(r"\d{6}-\d{4}")),
    ("br.cnpj", re.compile(r"\d\d\.\d{3}\.\d{3}/\d{4}-\d\d")),
    ("fr.siret", re.compile(r"\d{3} \d{3} \d{3} \d{5}")),
    ("au.abn", re.compile(r"\d\d \d{3} \d{3} \d{3}")),
    ("be.number", re.compile(r"[01]\d{3}\.\d{3}\.\d{3}")),
    ("ch.uid", re.compile(r"CHE-?\d{3}\.?\d{3}\.?\d{3}")),
    ("lei", re.compile(r"[A-Z0-9]{4}00[A-Z0-9]{12}\d\d")),
]
# Registers of a country whose numbers are no VAT ids, by their order; one that fits more than one is of none.
_AT_HOME = {
    "FR": ("fr.siren", "fr.siret"), "NL": ("nl.kvk",), "GB": ("gb.crn",), "AT": ("at.fn",),
    "PL": ("pl.nip", "pl.regon"),
    "AU": ("au.abn", "au.acn"), "BR": ("br.cnpj",), "CZ": ("cz.ico",), "EE": ("ee.number",), "RU": ("ru.inn",),
    "IN": ("in.gstin",), "UA": ("ua.edrpou",), "TR": ("tr.vkn",), "NO": ("no.orgnr",),
}  # fmt: skip
# VAT ids that hold the number of a register, and where.
_IN_VAT: dict[str, tuple[str, Callable[[str], str]]] = {
    "FI": ("fi.ytunnus", _as_it_is),
    "SE": ("se.orgnr", lambda number: number[:10]),
    "NO": ("no.orgnr", _as_it_is),
    "DK": ("dk.cvr", _as_it_is),
    "FR": ("fr.siren", lambda number: number[2:]),
    "BE": ("be.number", _as_it_is),
    "ES": ("es.nif", _as_it_is),
    "IT": ("it.iva", _as_it_is),
    "PL": ("pl.nip", _as_it_is),
    "PT": ("pt.nif", _as_it_is),
    "HU": ("hu.anum", _as_it_is),
    "RO": ("ro.cui", _as_it_is),
}
_SIGNS = re.compile(r"[^A-Z0-9]")
_COURT = re.compile(r"(.*?)\b(HR[AB])\s*:?\s*(?:Nr\.?\s*)?(\d{1,6})(?:\s*([A-Z]{1,2})\b)?(.*)", re.IGNORECASE)
_COURT_NOISE = listed("amtsgericht ag registergericht handelsregister nr no hrb hra beim am in local court of")


def identity(text: str, country: str | None = None) -> str | None:
    """The register and the firm's number in it, or None where it can't be told for sure. About 15 µs.

    Branches of one firm have one identity. Check digits that are wrong make it None, as does a form that several
    registers share without a label or country that tells which is meant.

    >>> identity("2077474-0"), identity("FI20774740"), identity("Y-tunnus 2077474-0")
    ('fi.ytunnus:20774740', 'fi.ytunnus:20774740', 'fi.ytunnus:20774740')
    >>> identity("SIRET 732 829 320 00074"), identity("D-U-N-S: 31-232-1234"), identity("HRB 6684, Amtsgericht München")
    ('fr.siren:732829320', 'duns:312321234', 'de.hr:munchen hrb 6684')
    >>> identity("123456785"), identity("2077474-1")
    (None, None)
    """
    upper = " ".join(text.upper().split())
    if found := _COURT.fullmatch(upper):
        return _of_court(found)
    if label := _LABEL.match(upper):
        named = _LABELS.get("".join(words(label[1])))
        if named == "orgnr":
            named = "no.orgnr" if country == "NO" or len(_SIGNS.sub("", upper[label.end() :])) == 9 else "se.orgnr"
        if named:
            return _in(named, upper[label.end() :])
    for register, form in _FORMS:
        if form.fullmatch(upper) and (known := _in(register, upper)):
            return known
    return _at_home(upper, country or "") or _of_vat(upper, country)


def _at_home(upper: str, country: str) -> str | None:
    found = {known for register in _AT_HOME.get(country, ()) if (known := _in(register, upper))}
    return found.pop() if len(found) == 1 else None


def _in(register: str, upper: str) -> str | None:
    """The number's identity if it can be one of this register."""
    known = _REGISTERS[register]
    number = _SIGNS.sub("", upper)
    if not known.form.fullmatch(number) or len(set(number)) < 3 or number in "1234567890123":
        return None
    if known.check is not None:
        try:
            check = lei.validate if known.check[0] == "lei" else _by(*known.check)
            number = _SIGNS.sub("", check(known.firm(number) if register == "fi.ytunnus" else number))
        except ValidationError:
            return None
    return f"{_SAME_REGISTER.get(register, register)}:{known.firm(number)}"


def _of_vat(upper: str, country: str | None) -> str | None:
    try:
        vat = business_ids.clean_vat(upper, country)
    except Unclean:
        return None
    if vat.startswith("CHE"):
        return f"ch.uid:{vat}"
    home = business_ids.vat_country(vat)
    if home is None or not business_ids.checked(vat):
        return None
    if home in _IN_VAT:
        register, number_in = _IN_VAT[home]
        return f"{register}:{number_in(vat[2:])}"
    return f"{home.lower()}.vat:{vat[2:]}"


def _of_court(found: re.Match[str]) -> str | None:
    """German registers: each court counts for itself."""
    court = [word for word in words(f"{found[1]} {found[5]}") if word not in _COURT_NOISE]
    letters = f" {found[4].lower()}" if found[4] else ""
    return f"de.hr:{' '.join(court)} {found[2].lower()} {found[3]}{letters}" if court else None


def comparable(a: str, b: str) -> bool:
    """Whether two identities are of one register, so that they are one firm's or two firms'.

    >>> comparable("fi.ytunnus:20774740", "fi.ytunnus:15548647"), comparable("duns:312321234", "de.vat:136695976")
    (True, False)
    """
    return a.partition(":")[0] == b.partition(":")[0]


def contradict(a: str | None, b: str | None) -> bool:
    """Whether two identities can't be one firm's. Not knowing contradicts nothing.

    >>> contradict(identity("2077474-0"), identity("FI20774740"))
    False
    >>> contradict(identity("2077474-0"), identity("0112038-9"))
    True
    """
    return a is not None and b is not None and a != b and comparable(a, b)

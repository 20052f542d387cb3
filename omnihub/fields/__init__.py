"""Fields that know themselves: one module per kind of value says how to clean, compare and distrust it.

clean(kind, raw)      the canonical text, None for "no value", Unclean for what can't be right
same(kind, a, b)      whether two systems say the same; same_key is what to join on
key(kind, value)      what the ways to write one thing share, for matching; wider than same
weak(kind, value)     why a clean value is no evidence of who somebody is
likely(kind, raw)     what can't be cleaned may still say, for matching only

text            the alphabet of all keys, junk words      emails domains phones    how to reach somebody
names nicknames companies                                 addresses countries      where
alike   how alike two names are: whole persons' names, companies' names, things
business_ids registers sku                                money weights times codes files several
                                                          figures, codes, and names of things

What one kind alone can tell is asked of its module, once per distinct value; 1 to 10 µs where nothing else is said:

    emails.name_parts login        the names inside an address
    phones.national tail           what numbers without country or town are compared by; `likely` finds such a number
    phones.line extension switchboard
    addresses.parts                house number, street, its bare name, unit, box (5 to 25 µs)
    addresses.whole                an address in one text, parted (20 to 50 µs)
    addresses.city_sound postal_area                       towns and codes with slips
    registers.identity contradict  whose number an id is (15 µs), and which two ids can contradict
    domains.meant registered name  slips, the part somebody registered, the firm's word in it
    times.swapped near             day and month, one figure
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from omnihub.fields import (
    addresses,
    business_ids,
    codes,
    companies,
    countries,
    domains,
    emails,
    files,
    money,
    names,
    phones,
    several,
    sku,
    text,
    times,
    weights,
)
from omnihub.fields.names import generation
from omnihub.fields.nicknames import given, initial_of
from omnihub.fields.text import Unclean
from omnihub.model import Kind

__all__ = ["Unclean", "clean", "generation", "given", "initial_of", "key", "likely", "same", "same_key", "weak"]


def _never(value: str) -> None:
    """No value of this kind is weak, or refused."""


@dataclass(frozen=True)
class _Ways:
    """What one kind of value knows about itself. `refuse` raises for placeholders, `clean` for broken forms."""

    clean: Callable[[str, str | None], str | None]
    key: Callable[[str], str] = codes.as_is
    same_key: Callable[[str], str] = codes.as_is
    weak: Callable[[str], str | None] = _never
    refuse: Callable[[str], None] = text.refuse_blank
    likely: Callable[[str], str | None] = _never


_WAYS: dict[Kind, _Ways] = {
    Kind.TEXT: _Ways(text.clean, text.key, text.same_key, refuse=text.refuse_junk),
    Kind.NAME: _Ways(names.clean, names.key, text.same_key, names.weak, refuse=names.refuse_junk_name),
    Kind.COMPANY: _Ways(companies.clean, companies.key, text.same_key, refuse=text.refuse_junk),
    Kind.EMAIL: _Ways(emails.clean, emails.key, weak=emails.weak, refuse=text.refuse_junk, likely=emails.likely),
    Kind.PHONE: _Ways(phones.clean, phones.key, weak=phones.weak, refuse=text.refuse_junk, likely=phones.local),
    Kind.DOMAIN: _Ways(domains.clean, domains.key, weak=domains.weak, refuse=text.refuse_junk),
    Kind.ADDRESS: _Ways(
        addresses.clean_street,
        addresses.street_key,
        addresses.street_same_key,
        addresses.weak_street,
        refuse=text.refuse_junk,
    ),
    Kind.POSTAL: _Ways(addresses.clean_postal, addresses.postal_key, addresses.postal_same_key),
    Kind.CITY: _Ways(addresses.clean_city, addresses.city_key, text.same_key, refuse=text.refuse_junk),
    Kind.COUNTRY: _Ways(countries.clean),  # "na" is Namibia here
    Kind.VAT: _Ways(business_ids.clean_vat, refuse=text.refuse_junk),
    Kind.SKU: _Ways(sku.clean, sku.key, weak=sku.weak),
    Kind.SKUS: _Ways(sku.clean_list, sku.list_key),
    Kind.GTIN: _Ways(
        business_ids.clean_gtin, business_ids.gtin_key, weak=business_ids.weak_gtin, refuse=text.refuse_junk
    ),
    # Not refuse_junk for figures and codes: 5555 is a fair price.
    Kind.MONEY: _Ways(money.clean_money),
    Kind.QUANTITY: _Ways(money.clean_quantity),
    Kind.PERCENT: _Ways(money.clean_percent),
    Kind.CURRENCY: _Ways(money.clean_currency),
    Kind.LANGUAGE: _Ways(codes.language),
    Kind.DATE: _Ways(times.clean_date, weak=times.weak_date, likely=times.likely),
    Kind.TIME: _Ways(times.clean_time, weak=times.weak),
    Kind.BOOLEAN: _Ways(codes.boolean),
    Kind.CONSENT: _Ways(codes.consent),
    Kind.CODE: _Ways(codes.code, text.same_key, weak=codes.weak),
    Kind.LINK: _Ways(codes.link, refuse=_never),
    Kind.LINKS: _Ways(several.clean_links, refuse=_never),
    Kind.WEIGHT: _Ways(weights.clean, weights.same_key, weights.same_key),
    Kind.FILE: _Ways(files.clean, files.same_key, files.same_key),
    Kind.SEVERAL: _Ways(several.clean, several.same_key, several.same_key),
}


def clean(kind: Kind, raw: str, *, country: str | None = None, part: str = "") -> str | None:
    """The canonical text of `raw`, or None where it only says that there is no value.

    `country` (alpha-2) is the context of local phone numbers, VAT ids and postal codes. `part` ("first", "last")
    takes that part of a name kept whole; a part of a percentage says that it is a share of one. Raises Unclean, whose
    message is the reason, never the value.

    >>> clean(Kind.PHONE, "0172 1234567", country="DE"), clean(Kind.NAME, "Ludwig van Beethoven", part="last")
    ('+491721234567', 'van Beethoven')
    >>> clean(Kind.CITY, " - ") is None
    True
    """
    sound = text.screen(raw)
    if not sound or text.nothing(sound):
        return None
    ways = _WAYS[kind]
    ways.refuse(sound)
    if part and kind is Kind.NAME:
        found = names.clean_part(sound, part)
    elif part and kind is Kind.PERCENT:
        found = money.clean_share(sound, country)
    else:
        found = ways.clean(sound, country)
    if found is None or found == sound:
        return found
    ways.refuse(found)  # "Dr. Test" is junk, too
    return found if found.isascii() else unicodedata.normalize("NFC", found)


def key(kind: Kind, value: str) -> str:
    """What the ways to write one value share: for finding and scoring candidates, not for reporting differences.

    >>> {key(Kind.NAME, name) for name in ("Müller", "Mueller", "MULLER")}
    {'muller'}
    """
    return _WAYS[kind].key(value)


def same_key(kind: Kind, value: str) -> str:
    """What two cleaned values share exactly when they are the same."""
    return _WAYS[kind].same_key(value)


def same(kind: Kind, a: str | None, b: str | None) -> bool:
    """Whether two cleaned values say the same. No value is the same as no value only.

    >>> same(Kind.NAME, "Müller", "MÜLLER "), same(Kind.NAME, "Müller", "Mueller"), same(Kind.NAME, None, "Müller")
    (True, False, False)
    """
    if a is None or b is None:
        return a is b
    return a == b or same_key(kind, a) == same_key(kind, b)


def weak(kind: Kind, value: str) -> str | None:
    """Why this cleaned value is no evidence of who somebody is, or None.

    >>> weak(Kind.EMAIL, "info@firma.de"), weak(Kind.EMAIL, "anna.schmidt@firma.de")
    ('role address', None)
    """
    return _WAYS[kind].weak(value)


def likely(kind: Kind, raw: str) -> str | None:
    """What a value that `clean` refuses may still say, for matching only: never written anywhere, never a difference.

    A phone number without country or town, an e-mail address with a slip, a date of either order or with a figure
    wrong. None where nothing is left, as of placeholders. Its `key` can be asked for like a clean value's.

    >>> likely(Kind.PHONE, "949-4015"), likely(Kind.DATE, "19401331"), likely(Kind.PHONE, "n/a")
    ('9494015', '1940-13-31', None)
    """
    try:
        sound = text.screen(raw)
        _WAYS[kind].refuse(sound)
    except Unclean:
        return None
    return None if not sound or text.nothing(sound) else _WAYS[kind].likely(sound)

"""Codes: language, boolean, consent, a system's own code words, and links to other records."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from omnihub.fields.text import Unclean, listed, words

_TRUE = listed("true t yes y 1 on ja j oui o si sí sì sim kyllä kylla tak wahr vrai verdadero vero x ✓")
_FALSE = listed("false f no n 0 off nein non não nao ei nej nie nee falsch faux falso")
_GIVEN = _TRUE | listed(
    "subscribed subscribe opt-in opt_in optin opted_in opted-in granted given accepted allowed consented confirmed"
    " active angemeldet erteilt"
)
# A customer who complained, was erased or never signed up is not to be written to: all of these are "no".
_REFUSED = _FALSE | listed(
    "unsubscribed unsubscribe not_subscribed not-subscribed opt-out opt_out optout opted_out opted-out denied"
    " refused revoked withdrawn declined rejected bounced complained redacted abgemeldet widerrufen abgelehnt"
)
_UNDECIDED = listed("pending unknown not_set undecided none unset")


def boolean(text: str, country: str | None = None) -> str:
    """true or false.

    >>> boolean("Yes"), boolean("0"), boolean("nein")
    ('true', 'false', 'false')
    """
    low = text.lower()
    if low in _TRUE:
        return "true"
    if low in _FALSE:
        return "false"
    raise Unclean("neither true nor false")


def consent(text: str, country: str | None = None) -> str | None:
    """yes or no; None while the customer has not decided (a pending double opt-in is neither).

    >>> consent("SUBSCRIBED"), consent("false"), consent("opted out"), consent("PENDING")
    ('yes', 'no', 'no', None)
    """
    low = text.lower().replace(" ", "_")
    if low in _GIVEN:
        return "yes"
    if low in _REFUSED:
        return "no"
    if low in _UNDECIDED:
        return None
    raise Unclean("neither a yes nor a no")


@cache
def _languages() -> dict[str, str]:
    table = resources.files("omnihub.fields").joinpath("language_names.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    found = {code: code for code, *_ in rows}
    for code, *spellings in rows:
        for spelling in spellings:
            found.setdefault("".join(words(spelling)), code)
    return found | {"iw": "he", "in": "id", "ji": "yi", "cn": "zh", "jp": "ja"}  # codes of old, and common slips


_SUBTAG = re.compile(r"[-_;,(].*", re.DOTALL)


def language(text: str, country: str | None = None) -> str:
    """The ISO 639-1 code, without region or script.

    >>> [language(text) for text in ("de-DE", "en_US", "Deutsch", "ger", "zh-Hant-TW", "suomi")]
    ['de', 'en', 'de', 'de', 'zh', 'fi']
    """
    code = _languages().get("".join(words(_SUBTAG.sub("", text))))
    if code is None:
        raise Unclean("not a language")
    return code


def code(text: str, country: str | None = None) -> str:
    """A system's own code: as it stands.

    >>> code("A-Kunde")
    'A-Kunde'
    """
    return text


def weak(value: str) -> str | None:
    """Why this code, as a number of a person or in a register, says nothing of whose it is, or None.

    >>> weak("000000000"), weak("123456789"), weak("98-7654321"), weak("XXXX"), weak("9144092"), weak("B2B")
    ('placeholder-like', 'placeholder-like', 'placeholder-like', 'placeholder-like', None, None)
    """
    return "placeholder-like" if made_up("".join(c for c in value.lower() if c.isalnum())) else None


_ROWS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")


def made_up(signs: str) -> bool:
    """Four or more letters or digits that are one over and over, or six in a row as one counts.

    >>> made_up("0000"), made_up("456789"), made_up("111112")
    (True, True, False)
    """
    return (len(signs) > 3 and len(set(signs)) == 1) or (len(signs) > 5 and any(signs in row for row in _ROWS))


def link(text: str, country: str | None = None) -> str:
    """The ref of another record: as it stands."""
    return text


def as_is(value: str) -> str:
    """The key of a value whose canonical form is its identity."""
    return value


def order_number(text: str) -> str:
    """What the ways to write one order's number share; "" for what is none.

    >>> {order_number(text) for text in ("#1001", "1001", " #1001 ")}, order_number("so-17/b")
    ({'1001'}, 'SO17B')
    """
    return "".join(c for c in text.upper() if c.isalnum())

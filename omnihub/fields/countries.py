"""Countries: a name in many languages, or a code of two or three letters → the ISO code of two letters."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from omnihub.fields.text import Unclean, words

# What people write and no list of names has. Keys are folded, without spaces.
_ALIASES = {
    "uk": "GB",
    "greatbritain": "GB",
    "grossbritannien": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northernireland": "GB",
    "unitedkingdomofgreatbritainandnorthernireland": "GB",
    "el": "GR",  # the tax offices' code for Greece
    "us": "US",
    "usa": "US",
    "america": "US",
    "unitedstatesofamerica": "US",
    "vereinigtestaatenvonamerika": "US",
    "brd": "DE",
    "federalrepublicofgermany": "DE",
    "bundesrepublikdeutschland": "DE",
    "holland": "NL",
    "thenetherlands": "NL",
    "dienederlande": "NL",
    "czechrepublic": "CZ",
    "tschechischerepublik": "CZ",
    "ceskarepublika": "CZ",
    "slovakrepublic": "SK",
    "russianfederation": "RU",
    "rossiyskayafederatsiya": "RU",
    "peoplesrepublicofchina": "CN",
    "prchina": "CN",
    "vrchina": "CN",
    "republicofkorea": "KR",
    "korea": "KR",
    "uae": "AE",
    "vae": "AE",
    "suisse": "CH",
    "schweizerischeeidgenossenschaft": "CH",
    "swissconfederation": "CH",
    "republicofireland": "IE",
    "eire": "IE",
    "turkey": "TR",
    "macedonia": "MK",
    "ivorycoast": "CI",
    "capeverde": "CV",
    "burma": "MM",
    "swaziland": "SZ",
    "moldova": "MD",
    "vietnam": "VN",
    "kosovo": "XK",
    "greatbritainuk": "GB",
    "englanduk": "GB",
    "scotlanduk": "GB",
    "bundesrepublik": "DE",
    "germanyfederalrepublicof": "DE",
    "kingdomofthenetherlands": "NL",
    "nederlands": "NL",
    "confederationsuisse": "CH",
    "schweizch": "CH",
    "republikosterreich": "AT",
    "republicofaustria": "AT",
    "kingdomofspain": "ES",
    "kingdomofsweden": "SE",
    "kingdomofnorway": "NO",
    "kingdomofdenmark": "DK",
    "republicoffinland": "FI",
    "republicofpoland": "PL",
    "rzeczpospolitapolska": "PL",
    "republicoffrance": "FR",
    "republiquefrancaise": "FR",
    "frenchrepublic": "FR",
    "repubblicaitaliana": "IT",
    "republicofsingapore": "SG",
    "republicofindia": "IN",
    "republicofturkey": "TR",
    "koreasouth": "KR",
    "koreanorth": "KP",
    "koreademocraticpeoplesrepublicof": "KP",
    "venezuela": "VE",
    "palestine": "PS",
    "macau": "MO",
    "drcongo": "CD",
    "drc": "CD",
    "easttimor": "TL",
    "westernsamoa": "WS",
    "vatican": "VA",
    "holysee": "VA",
    "weissrussland": "BY",
    "slowakischerepublik": "SK",
}
_OWN_CODES = frozenset({"XK"})  # not ISO, but what every address form offers for Kosovo


@cache
def _codes() -> dict[str, str]:
    """Folded code or name → alpha-2."""
    found: dict[str, str] = {}
    table = resources.files("omnihub.fields").joinpath("country_names.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    for depth in range(2):  # codes before names, so that no name can take a code
        for alpha2, alpha3, *names in rows:
            for spelling in (alpha2, alpha3) if depth == 0 else names:
                found.setdefault("".join(words(spelling)), alpha2)
    return found | _ALIASES


@cache
def known() -> frozenset[str]:
    """The codes of all countries."""
    return frozenset(_codes().values()) | _OWN_CODES


def clean(text: str, country: str | None = None) -> str:
    """The alpha-2 code.

    >>> [clean(text) for text in ("Deutschland", "DEU", "germany", "Suisse", "U.S.A.", "UK", "Ελλάδα", "na")]
    ['DE', 'DE', 'DE', 'CH', 'US', 'GB', 'GR', 'NA']
    >>> clean("Germany (DE)"), clean("FI - Suomi")
    ('DE', 'FI')
    """
    if len(text) == 2 and text.isascii() and text.upper() in known() and text.upper() not in ("UK", "EL"):
        return text.upper()
    code = _codes().get("".join(words(text))) or _of_pieces(text)
    if code is None:
        raise Unclean("not a country")
    return code


_BETWEEN = re.compile(r"[()/,;:|]| - ")


def _of_pieces(text: str) -> str | None:
    """The country of "Germany (DE)" or "DE - Deutschland": all that is said must be one."""
    pieces = ["".join(words(piece)) for piece in _BETWEEN.split(text)]
    found = {_codes().get(piece) for piece in pieces if piece}
    return found.pop() if len(found) == 1 else None

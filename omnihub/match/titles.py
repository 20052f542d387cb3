"""Titles: what a product's title says, read into words, and into what tells one variant from another.

    "Acme 10610 - PhotoStory 2.0 Deluxe Upgrade (5-user) - Win 98 Me XP"
        words      acme 10610 photostory 2 deluxe upgrade 5 user
        numbers    2 5
        codes      10610                 numbers of a maker or a shop: long, or of letters and digits
        platforms  windows
        upgrade    upgrade
        grades     deluxe

A number with its unit is one word (500ml), a version is written one way (v.2.0, 2), a plural as its singular. What a
title only runs on is no part of its name. The lists hold what is said of goods of any kind, and no maker's name.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from omnihub.fields.text import fold, listed

PARTS = (
    "words",
    "numbers",
    "title_codes",
    "platforms",
    "upgrade",
    "academic",
    "condition",
    "grades",
    "colors",
    "languages",
)
BETWEEN = "|"  # between the parts; none of them can hold it

MAX_WORDS = 60  # a longer title is a description
BEGINNING = 1_000  # characters of a description: codes of other goods it goes with come later
LONG = 5  # digits: so long a number counts nothing and is no version

# -- the lists -------------------------------------------------------------------------------------------------------

_STOP = listed(
    "a an and as at by for from in into is it its of on or the to with w your tm r c"
    " der die das den des dem und mit fur von zu im am ein eine oder le la les de du et avec pour un une en sur"
    " el los las y con para por del il lo gli e di da per och med av till ett"
)
_UNITS = listed(
    "mm cm m km in ft mg g kg oz lb ml cl l gal w kw v ah mah hz khz mhz ghz kb mb gb tb mp px dpi rpm btu bar psi db"
)
_LETTERS = listed("a m h")  # more often a letter than a unit, when they stand alone
_SMALLER = {
    "l": ("ml", 1000),
    "cl": ("ml", 10),
    "kg": ("g", 1000),
    "cm": ("mm", 10),
    "tb": ("gb", 1000),
    "kw": ("w", 1000),
}
_SAID = dict(  # what is written in several ways
    pair.split("=")
    for pair in (
        "inches=in inch=in zoll=in liter=l litre=l liters=l litres=l gram=g grams=g watt=w watts=w volt=v volts=v"
        " megapixel=mp megapixels=mp lbs=lb pounds=lb ounce=oz ounces=oz"
        " ed=edition edn=edition std=standard pro=professional prof=professional dlx=deluxe"
        " lic=license licence=license licenses=license licences=license lics=license pkg=package pk=pack"
        " upg=upgrade upgr=upgrade upgrd=upgrade sw=software usr=user u=user users=user"
        " edu=education acad=academic macintosh=mac svr=server srvr=server mgr=manager intl=international"
        " eng=english ent=enterprise blk=black wht=white slv=silver grey=gray colour=color"
    ).split()
)
_GRADES = listed(
    "standard professional premium deluxe ultimate home basic business enterprise essential lite light express plus"
    " gold platinum silver personal family advanced elite extreme extended master small starter mini max junior"
)
_COLORS = listed(
    "black white silver gray red blue green yellow orange pink purple brown gold beige bronze titanium violet"
    " schwarz weiss silber grau rot blau grun gelb"
)
_LANGUAGES = listed(
    "english german french spanish italian portuguese dutch swedish danish norwegian finnish polish czech russian greek"
    " turkish arabic hebrew hindi chinese mandarin cantonese japanese korean vietnamese thai latin afrikaans irish"
    " welsh catalan hungarian romanian ukrainian croatian serbian bulgarian indonesian swahili tagalog"
    " deutsch francais espanol italiano"
)


def _patterns(table: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    """Of folded words, as the titles are: in oem there is an umlaut."""
    return {name: re.compile(rf"\b(?:{fold(words)})\b") for name, words in table.items()}


_PLATFORMS = _patterns(
    {
        "windows": "win|windows|win32|win95|win98|winxp|pc",
        "mac": "mac|macintosh|osx|macos|os x",
        "linux": "linux",
        "playstation": "ps[1-5x]|psp|playstation",
        "xbox": "xbox",
        "nintendo": "wii|nintendo|nds|gamecube|gba",
    }
)
_UPGRADE = _patterns({"upgrade": "upgrade|upg|upgr|upgrd|upsell|update"})
_ACADEMIC = _patterns({"academic": "academic|students?|teachers?|education|educational|edu|acad|school"})
_CONDITION = _patterns(
    {
        "oem": "oem",
        "server": "server|svr|srvr",
        "subscription": "subscription|maintenance|renewal|support|assurance",
        "trial": "trial|demo",
        "used": "refurbished|refurb|used|renewed|gebraucht",
    }
)

# -- the reading -----------------------------------------------------------------------------------------------------

_SIGNS = re.compile(r"\((?:tm|r|c)\)|[™®©]")
_INCHES = re.compile(r"(?<=\d)(?:\"|''|”)")
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3}),(\d{3})(?!\d)")
_COMMA = re.compile(rf"(?<![\d.,])(\d+),(\d{{1,2}})(?= ?(?:{'|'.join(sorted(_UNITS))})\b)")
_BEFORE_VERSION = re.compile(r"\b(?:v|ver|vers|version|release|rel)[ .]{0,2}(?=\d)")
_DECIMAL = re.compile(r"(?<![\d.])(\d+)((?:\.\d+)+)(?!\d)")
_NOUGHTS = re.compile(r"(?:\.0+)+$")

_SYSTEM = (
    r"(?:(?:win(?:dows|32)?|mac|os|x|pc|or|and|later|higher|up|dos|9x|95|98|98se|se|me|nt|2k|2000|2003|xp|vista|linux"
    r"|unix|solaris|10\.\d(?:\.\d+)?|intel|ppc|powerpc|based|only|compatible|universal|binary)\b[ /,&+-]*)"
)
_RUNS_ON = re.compile(
    rf"(?:\bfor |\()?\b(?=win|mac|pc|os){_SYSTEM}{{3,}}\)?"  # win 98 me 2000 xp
    rf"|\((?:for )?(?=win|mac|pc|os|linux){_SYSTEM}+\)"  # (win/mac)
    rf"|\bfor (?=win|mac|pc){_SYSTEM}+$|\b(?=win\b|mac\b){_SYSTEM}+$"
)

_CHUNK = re.compile(r"[a-z0-9.]+(?:[-/][a-z0-9.]+)*")
_PIECE = re.compile(r"[a-z]{1,3}|[a-z0-9]*\d[a-z0-9]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_COUNTED = re.compile(r"(\d+(?:\.\d+)?)([a-z]+)")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_ONE_USER = re.compile(r"\b(?:1|one|single)[ -]?(?:users?\b|u\b)(?:\(s\))?")
_NUMBERED = re.compile(r"[a-z]{1,3}(\d{1,2})")  # cs3, x2


@functools.lru_cache(maxsize=1024)
def read(title: str) -> str | None:
    """All that a title says, in the order of PARTS.

    >>> read("PhotoStory v2.0 Upgrade - black")
    'photostory 2 upgrade black|2|||upgrade||||black|'
    """
    plain = _plain(title)
    words = list(_words(plain))[:MAX_WORDS]
    parts = (
        dict.fromkeys(words),
        sorted(set(_numbers(words))),
        dict.fromkeys(word for word in words if _is_code(word)),
        *(_named(plain, table) for table in (_PLATFORMS, _UPGRADE, _ACADEMIC, _CONDITION)),
        sorted(_GRADES.intersection(words)),
        sorted(_COLORS.intersection(words)),
        sorted(_LANGUAGES.intersection(words)),
    )
    return BETWEEN.join(" ".join(part) for part in parts) if words else None


def codes(description: str) -> str | None:
    """The codes a description mentions at its beginning."""
    found = dict.fromkeys(word for word in _words(_plain(description[:BEGINNING])) if _is_code(word))
    return " ".join(found) or None


def amount(price: str) -> str | None:
    """A price somebody would pay: 0 is none."""
    return price if float(price) > 0 else None


def _plain(title: str) -> str:
    low = _INCHES.sub(" in ", _SIGNS.sub(" ", title.lower()))
    low = fold(low).replace("'", "").replace("`", "")
    low = _COMMA.sub(r"\1.\2", _GROUPED.sub(r"\1\2", low))
    low = _ONE_USER.sub(" ", low)  # one user is what goes without saying
    return _DECIMAL.sub(_version, _BEFORE_VERSION.sub(" ", low))


def _version(found: re.Match[str]) -> str:
    return found[1] + _NOUGHTS.sub("", found[2])


def _words(plain: str) -> Iterator[str]:
    before = ""
    for chunk in _CHUNK.findall(_RUNS_ON.sub(" ", plain)):
        for word in _parted(chunk):
            if word in _UNITS and word not in _LETTERS and _NUMBER.fullmatch(before):
                before = _measured(before, word)
                continue
            if before:
                yield before
            before = "" if word in _STOP else word
    if before:
        yield before


def _parted(chunk: str) -> Iterator[str]:
    """The words of what is written together: ps-lx350h is one, 4-pack and all-in-one are several."""
    pieces = [piece.strip(".") for piece in re.split(r"[-/]", chunk)]
    if len(pieces) > 1 and _is_joined(pieces):
        pieces = ["".join(pieces)]
    for piece in pieces:
        for word in [piece] if _NUMBER.fullmatch(piece) else piece.split("."):
            yield from _written(word)


def _is_joined(pieces: list[str]) -> bool:
    """Whether these are the parts of one code."""
    if not all(_PIECE.fullmatch(piece) for piece in pieces) or all(piece.isdigit() for piece in pieces):
        return False
    return not (pieces[0].isdigit() and pieces[1].isalpha())


def _written(word: str) -> Iterator[str]:
    """A word the way all write it; a number and what it counts are two."""
    counted = _COUNTED.fullmatch(word)
    if counted:
        number, unit = counted[1], _SAID.get(counted[2], counted[2])
        yield from (number, unit) if unit == "user" else (_measured(number, unit),)
    elif word.isdigit():
        yield word.lstrip("0") or "0"
    elif word:
        one = _singular(_SAID.get(word, word))
        yield _SAID.get(one, one)


def _measured(number: str, unit: str) -> str:
    """
    >>> _measured("0.5", "l"), _measured("500", "ml"), _measured("46", "in")
    ('500ml', '500ml', '46in')
    """
    smaller, times = _SMALLER.get(unit, (unit, 1))
    return f"{float(number) * times:.10g}{smaller}" if times > 1 else number + unit


def _singular(word: str) -> str:
    plural = len(word) > 3 and word.isalpha() and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word


def _is_code(word: str) -> bool:
    """Whether a word is a number somebody gave the product, not one that counts or measures.

    >>> [_is_code(word) for word in ("10610", "pslx350h", "2007", "500ml", "cs3", "mp3")]
    [True, True, False, False, False, False]
    """
    if word.isdigit():
        return len(word) >= LONG
    digits = sum(map(str.isdigit, word))
    if len(word) < 4 or not 2 <= digits < len(word) or not word.isalnum():
        return False
    return not _is_measure(word) and not _ORDINAL.fullmatch(word)


def _is_measure(word: str) -> bool:
    """500ml, and what looks like it: 1080p, 64bit."""
    counted = _COUNTED.fullmatch(word)
    return counted is not None and (counted[2] in _UNITS or len(counted[1]) < LONG)


def _numbers(words: list[str]) -> Iterator[str]:
    """What is counted or measured, and versions; of cs3 the 3, of 7th the 7."""
    for word in words:
        if named := _NUMBERED.fullmatch(word) or _ORDINAL.fullmatch(word):
            yield named[1]
        elif not _is_code(word) and (_NUMBER.fullmatch(word) or _is_measure(word)):
            yield word


def _named(plain: str, table: Mapping[str, re.Pattern[str]]) -> list[str]:
    return [name for name, pattern in table.items() if pattern.search(plain)]

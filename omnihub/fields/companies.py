"""Company names: legal forms of many countries, abbreviations, and what is left to tell one firm from another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from omnihub.fields import legal_forms, places
from omnihub.fields.familiar import NUMBER_WORDS, TRADES
from omnihub.fields.text import Unclean, collapse, fold, is_junk_word, same_key, words

_AND = frozenset({"and", "und", "et", "og", "och", "y", "ja", "oraz", "en"})

_ABBREVIATIONS = {
    "intl": "international", "int": "international", "mfg": "manufacturing", "mfr": "manufacturer",
    "bros": "brothers", "gebr": "gebruder", "svc": "services", "svcs": "services", "service": "services",
    "tech": "technology", "technologies": "technology", "assn": "association", "assoc": "association",
    "ctr": "center", "centre": "center", "natl": "national", "univ": "university", "mgmt": "management",
    "eng": "engineering", "engg": "engineering", "ind": "industries", "inds": "industries", "industry": "industries",
    "sys": "systems", "system": "systems", "dept": "department", "grp": "group", "hldg": "holding",
    "hldgs": "holding", "holdings": "holding", "labs": "laboratories", "lab": "laboratories", "equip": "equipment",
    "mach": "machinery", "masch": "maschinen", "maschbau": "maschinenbau", "maschinenb": "maschinenbau",
    "elektr": "elektro", "dt": "deutsche", "schweiz": "schweizer", "st": "saint", "sankt": "saint", "saint": "saint",
    "organisation": "organization", "labour": "labor", "1st": "first", "2nd": "second", "3rd": "third",
    "solution": "solutions", "product": "products", "prods": "products", "dist": "distribution",
}  # fmt: skip

_AMPERSAND = re.compile(r"\b([a-z0-9]{1,2})&(?=[a-z0-9]{1,2}\b)")  # AT&T, H&M
_INITIAL = re.compile(r"\b([a-z0-9])[./] ?(?=[a-z0-9]\b)")


def clean(text: str, country: str | None = None) -> str:
    """The name as the firm writes it, white space collapsed.

    >>> clean("Müller  Maschinenbau GmbH & Co. KG")
    'Müller Maschinenbau GmbH & Co. KG'
    """
    name = collapse(text)
    if not any(c.isalnum() for c in name):
        raise Unclean("no letters in a company's name")
    if name.lower() in _NO_FIRM or is_junk_word(_LEGAL_TAIL.sub("", name.lower())):
        raise Unclean("a placeholder")
    return name


_NO_FIRM = frozenset({"privat", "private", "privatkunde", "privatperson", "individual", "particulier", "self"})
_LEGAL_TAIL = re.compile(r"[ ,]+(?:gmbh|ag|kg|inc\.?|ltd\.?|llc|corp\.?|oy|ab|sarl|sa|bv|co\.?)$")


def key(value: str) -> str:
    """The words that tell the firm from others, folded, without legal form.

    Group, holding, country and town stay: a branch is not its group.

    >>> key("Müller Maschinenbau GmbH & Co. KG"), key("MUELLER MASCHINENBAU"), key("Acme Intl., Inc.")
    ('muller maschinenbau', 'muller maschinenbau', 'acme international')
    >>> key("Fiat S.p.A."), key("Nokia Oyj"), key("Kowalski Sp. z o.o."), key("ООО Ромашка"), key("The AG")
    ('fiat', 'nokia', 'kowalski', 'romashka', 'ag')
    """
    told = _told(value)
    found, _ = legal_forms.without_phrases([word for word in told if word not in _AND] or told)
    at, end = _bare(found)
    kept = found[at:end]
    if not _ANYWHERE.isdisjoint(kept):
        kept = [word for word in kept if word not in _ANYWHERE] or kept
    return " ".join(_ABBREVIATIONS.get(word, word) for word in kept) or same_key(value)


_ANYWHERE = frozenset(legal_forms.ANYWHERE)


def _told(value: str) -> list[str]:
    """The folded words, initials joined ("S.p.A." → "spa"), forms in other scripts' signs made Latin."""
    name = fold(value if value.isascii() else legal_forms.in_latin(value))
    if "&" in name:
        name = _AMPERSAND.sub(r"\1", name)
    if "." in name or "/" in name:
        name = _INITIAL.sub(r"\1", name)
    return words(name)


def _bare(found: list[str]) -> tuple[int, int]:
    """Where the name begins and ends without the legal forms around it. At least one word always stays."""
    at, end = 0, len(found)
    while end - at > 1 and found[at] in legal_forms.FIRST:
        at += 1
    while end - at > 1 and found[end - 1] in legal_forms.LAST:
        end -= 1
    return at, end


_ALSO = re.compile(
    r"\b(?:d/?b/?a|t/a|a\.?/?k\.?/?a|f\.?/?k\.?/?a|trading as|doing business as|also known as|formerly|vormals|ehemals"
    r"|früher)\b[ :.]*",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"\s*/\s*")
_LEAST_LETTERS = 5  # of both sides of a stroke that parts names: A/S and T/A are none


def names_told(value: str) -> tuple[str, ...]:
    """Its names, where it tells several, and all of it; at least one.

    >>> names_told("Smith Foods LLC dba Corner Deli"), names_told("Meyer A/S")
    (('Smith Foods LLC', 'Corner Deli', 'Smith Foods LLC dba Corner Deli'), ('Meyer A/S',))
    """
    if "/" not in value and not _ALSO.search(value):
        return (value,)
    found = [part.strip(" ()-,;") for part in _ALSO.split(value)]
    strokes = [piece for part in found for piece in _SEVERAL.split(part)]
    if all(len(piece) >= _LEAST_LETTERS for piece in strokes if piece):
        found = strokes
    return tuple(dict.fromkeys(part for part in (*found, value) if any(c.isalnum() for c in part)))


@dataclass(frozen=True)
class Parts:
    """A company's name taken apart. All words are folded, abbreviations written out.

    words   all that is not of a legal form, in order; numbers and groups and branches only where there is nothing else
    core    what tells the firm from others, in order
    family  what kinds of legal form it has: "stock", "limited", "partnership", "association", "sole"; empty for none
            or for one that may be of any kind (Inc., Oy)
    marks   what tells it from its own sisters: ("group", …), ("branch", …), ("place", …), ("number", …)
    """

    words: tuple[str, ...]
    core: tuple[str, ...]
    family: frozenset[str]
    marks: frozenset[tuple[str, str]]


def parts(value: str) -> Parts:
    """What a company's name is made of.

    >>> parts("Müller Maschinenbau Holding GmbH").core, parts("Müller Maschinenbau Holding GmbH").family
    (('muller', 'maschinenbau'), frozenset({'limited'}))
    >>> sorted(parts("Bosch AG, Niederlassung Hamburg").marks), sorted(parts("Fund III").marks)
    ([('branch', 'niederlassung'), ('place', 'hamburg')], [('number', '3')])
    """
    found = [_CORRECTED.get(word) or _corrected(word) for word in _told(_ATTACHED.sub(r"\1 \2", value))]
    found, families = legal_forms.without_phrases(found)
    found = [full for word in found if word not in _EMPTY for full in _SHORT.get(word, (word,))] or found
    at, end = _bare(found)
    families |= {legal_forms.FIRST[word] for word in found[:at]} | {legal_forms.LAST[word] for word in found[end:]}
    told: list[str] = []
    core: list[str] = []
    marks: set[tuple[str, str]] = set()
    for place, word in enumerate(_counted(found[at:end])):
        family = legal_forms.ANYWHERE.get(word)
        if family and end - at > 1:
            families.add(family)
            continue
        full = _ABBREVIATIONS.get(word, word)
        kind = _mark(word, place) or _mark(full, place)
        if kind is None:
            core.append(full)
        else:
            marks.add((kind, str(_ROMAN.get(word, word)) if kind == "number" else full))
        if kind is None or kind == "place":
            told.append(full)
    if not core:  # "Holding AG", "Deutschland GmbH": nothing else tells it
        core = [word for _, word in sorted(marks)]
    return Parts(tuple(told or core), tuple(core), frozenset(families - {"open"}), frozenset(marks))


# SiemensAG, AcmeGmbH: a form written to the name without a space.
_ATTACHED = re.compile(r"([a-zß-öø-ÿ])(AG|GmbH|GMBH|SE|KG|LLC|Ltd|LTD|Inc|SA|AB|BV|NV|OOO|PLC)\b")
_SHORT = {
    "us": ("united", "states"), "usa": ("united", "states"), "uk": ("united", "kingdom"), "eu": ("european", "union"),
    "un": ("united", "nations"), "uae": ("united", "arab", "emirates"),
}  # fmt: skip
_EMPTY = _AND | {
    "the",
    "of",
    "for",
    "de",
    "des",
    "du",
    "der",
    "die",
    "das",
    "del",
    "della",
    "di",
    "do",
    "da",
    "a",
    "an",
}
_GROUPS = frozenset("group gruppe groupe grupo gruppo grupa konzern holding gruppen koncern konsern yhtyma".split())
_BRANCHES = frozenset(
    "niederlassung zweigniederlassung zweigstelle geschaftsstelle filiale filial branch succursale sucursal"
    " oddzial pobocka sivuliike filialen standort agence delegacion".split()
)
_ROMAN = {
    roman: number
    for number, roman in enumerate(
        "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx".split(), start=1
    )
}


def _mark(word: str, place: int) -> str | None:
    """What sort of mark this word is, or None for a word of the name itself."""
    if word in _GROUPS:
        return "group"
    if word in _BRANCHES:
        return "branch"
    if word.isdigit() or (place and word in _ROMAN):
        return "number"
    if places.is_place(word):
        return "place"
    return None


_CORRECTED: dict[str, str] = {word: word for word in (*TRADES, *legal_forms.LONG)}  # real words are no slips


@lru_cache(maxsize=100_000)
def _corrected(word: str) -> str:
    """A long legal form with one slip in it set right ("compan"); Handelsgesellschaft is Handels."""
    if len(word) < 6:
        return word
    if word.endswith("gesellschaft") and len(word) >= 16 and word not in legal_forms.LAST:
        return word.removesuffix("gesellschaft")
    return next((form for form in legal_forms.LONG if OSA.distance(word, form, score_cutoff=1) <= 1), word)


def _counted(found: list[str]) -> list[str]:
    """Number words as figures: "forty four" → "44", "1st" → "1"."""
    if NUMBER_WORDS.keys().isdisjoint(found):
        return [_FIGURE.sub(r"\1", word) for word in found]
    counted: list[str] = []
    tens = 0
    for word in found:
        number = NUMBER_WORDS.get(word)
        if number is not None and tens and 0 < number < 10:
            counted[-1] = str(tens + number)
        elif tens and word.isdigit() and len(word) == 1:
            counted[-1] = str(tens + int(word))
        else:
            counted.append(_FIGURE.sub(r"\1", word) if number is None else str(number))
        tens = number if number is not None and number >= 20 else 0
    return counted


_FIGURE = re.compile(r"^0*(\d+)(?:st|nd|rd|th|er|e|eme)?$")

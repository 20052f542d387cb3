"""Person names: titles dropped, capitals restored, a full name split into its parts, generations told apart."""

from __future__ import annotations

import re
import unicodedata

from omnihub.fields import nicknames
from omnihub.fields.sounds import bones, spoken
from omnihub.fields.text import Unclean, collapse, fold, listed, refuse_junk, same_key, words

# Tokens in lower case, dots and all brackets stripped from their ends.
_TITLES = listed(
    "dr dr.med dr.-ing dr.rer.nat dr.phil dr.jur prof professor dipl.-ing dipl-ing dipl.ing dipl.-kfm dipl.-inf"
    " dipl.-phys mag.a herr herrn frau fräulein fru herra rouva mr mrs ms miss mx madame monsieur mme mlle señor"
    " señora señorita sra srta signor signora sig.ra pani panie rev sir h.c"
)
_DOTTED_TITLES = listed("dr. prof. ing. mag. hr. fr. mr. mrs. ms. sig. dott. dott.ssa med. univ. rev. hon.")
_CREDENTIALS = listed(
    "phd ph.d ph.d. m.d. mba msc m.sc m.sc. bsc b.sc b.sc. m.a. b.a. ll.m. llm esq esq. cpa dds d.d.s. (fh) m.eng."
    " b.eng. dipl.-ing. dipl.-kfm. mscit"
)
_ONLY_TITLES = frozenset({"dr", "prof", "mr", "mrs", "ms", "dr med", "prof dr"})
_SPANISH_TITLES = frozenset({"sr.", "sra.", "srta."})  # in front; Sr. behind is a generation

PARTICLES = listed(
    "van von vom vander de der den del della delle di da dal das do dos du la le las los lo ter ten te zu zum zur af"
    " av op 't bin ibn ben al el und"
)
_LINKS = frozenset({"y", "e", "i"})  # Ortega y Gasset: the name before belongs to the last name

_GENERATIONS = {
    "jr": "jr", "jun": "jr", "jnr": "jr", "junior": "jr", "jr.": "jr",
    "sr": "sr", "sen": "sr", "snr": "sr", "senior": "sr",
    "ii": "ii", "2nd": "ii", "iii": "iii", "3rd": "iii", "iv": "iv", "4th": "iv",
}  # fmt: skip

_REAL = frozenset({"Null", "Nan", "Na", "Nil"})  # people are called so; "null" and "NULL" come from software
_FIRM = listed("gmbh ag ltd llc inc plc oyj gbr ohg kgaa sarl aps ug kg")

_BRACKETED = re.compile(r"\([^()]*\)|\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]")
_NOT_A_NAME = re.compile(r"https?:|www\.", re.IGNORECASE)
# Pictures, not letters: emoji, dingbats, arrows, private use, the mark of a broken decoding.
_PICTURE = re.compile("[\u2190-\u2bff\ue000-\uf8ff\ufe0f\ufffd\U0001f000-\U0001faff\U000e0000-\U0010ffff]")


def clean(text: str, country: str | None = None) -> str:
    """One name or a part of one: titles and degrees dropped, ALL CAPS and all lower case set right.

    >>> clean("Dr.  ANNA-LENA O'BRIEN"), clean("LUDWIG VAN BEETHOVEN"), clean("mcdonald"), clean("Müller PhD")
    ("Anna-Lena O'Brien", 'Ludwig van Beethoven', 'McDonald', 'Müller')
    """
    _refuse_what_is_no_name(text)
    tokens = _without_titles(collapse(text).split(" "))
    name = _cased(" ".join(tokens).strip(" ,;"))
    if not any(c.isalpha() for c in name):
        raise Unclean("no letters in a name")
    if name.lower().replace(".", "") in _ONLY_TITLES:
        raise Unclean("a title, not a name")
    return name


def clean_part(text: str, part: str) -> str | None:
    """The "first" or the "last" part of a full name, clean; None where the name has no such part.

    >>> [clean_part(text, "last") for text in ("Ludwig van Beethoven", "Schmidt, Anna", "King, Martin L., Jr.")]
    ['van Beethoven', 'Schmidt', 'King Jr.']
    >>> clean_part("Frau Schmidt", "first"), clean_part("Madonna", "first"), clean_part("Madonna", "last")
    (None, 'Madonna', None)
    """
    _refuse_what_is_no_name(text)
    found = split(text)[0 if part == "first" else 1]
    if not found:
        return None
    refuse_junk_name(found)
    return clean(found)


def refuse_junk_name(text: str) -> None:
    """As for any text, but Null and Nan are family names."""
    if text not in _REAL:
        refuse_junk(text)


def split(text: str) -> tuple[str, str]:
    """A full name as (first names, last name with its particles and generation). A part may be empty.

    >>> split("Ludwig van Beethoven"), split("SCHMIDT Anna"), split("José Ortega y Gasset")
    (('Ludwig', 'van Beethoven'), ('Anna', 'SCHMIDT'), ('José', 'Ortega y Gasset'))
    >>> split("Dr. Martin Luther King, Jr."), split("van der Berg, Anna Maria"), split("Mr. Smith")
    (('Martin Luther', 'King Jr.'), ('Anna Maria', 'van der Berg'), ('', 'Smith'))
    """
    plain = collapse(_BRACKETED.sub(" ", text)) or collapse(text)
    if (bare := _spelled_out(plain)[0]) and len(bare) < len(plain):
        first, last = split(bare)
        return first, f"{last} {plain[len(bare) :].strip(', ')}".strip()
    pieces = [piece for piece in (piece.strip() for piece in plain.split(",")) if piece]
    tail = [piece for piece in pieces[1:] if generation(piece) and " " not in piece]
    pieces = [piece for piece in pieces if piece not in tail and piece.lower() not in _CREDENTIALS]
    if len(pieces) >= 2:
        first, last = " ".join(pieces[1:]), pieces[0]
        return " ".join(_without_titles(first.split())), " ".join([*_without_titles(last.split()), *tail])
    if pieces and plain.endswith(",") and " " not in pieces[0]:
        return "", " ".join([pieces[0], *tail])
    given = pieces[0].split() if pieces else plain.split()
    tokens = _without_titles(given)
    if len(tokens) > 1 and generation(tokens[-1]) and len(tokens[-1]) > 1:
        tail = [tokens.pop(), *tail]
    at = _last_name_at(tokens, addressed=tokens[:1] != given[:1])
    return " ".join(tokens[:at]), " ".join([*tokens[at:], *tail])


def _last_name_at(tokens: list[str], addressed: bool) -> int:
    """Where the last name begins. `addressed`: a title stood before it, so a lone word is the last name."""
    if len(tokens) == 1:
        return 0 if addressed else 1
    caps = next((i for i, token in enumerate(tokens) if not _shouted(token)), len(tokens))
    if 0 < caps < len(tokens) and not any(map(_shouted, tokens[caps:])):
        tokens[:] = [*tokens[caps:], *tokens[:caps]]  # SCHMIDT Anna: the last name stands first and in capitals
        return len(tokens) - caps
    at = len(tokens) - 1
    while at > 0:
        before = tokens[at - 1].lower()
        if at >= 3 and before in _LINKS:
            at -= 2
        elif before in PARTICLES and (at > 1 or tokens[0].islower()):  # Al Gore and Van Morrison keep their first
            at -= 1
        else:
            break
    return at


def _shouted(token: str) -> bool:
    return len(token) >= 3 and token.isupper() and "." not in token


def generation(last_or_full: str) -> str | None:
    """Which of several people of one name: "jr", "sr", "ii", "iii", "iv" (the last word tells), or None.

    >>> generation("King Jr."), generation("Meyer sen."), generation("Gates III"), generation("Ivanov")
    ('jr', 'sr', 'iii', None)
    >>> generation("Bruegel the Elder"), generation("Bruegel d. J."), split("Pieter Bruegel d. Ä.")
    ('sr', 'jr', ('Pieter', 'Bruegel d. Ä.'))
    """
    word = last_or_full.rsplit(None, 1)[-1:] or [""]
    last = word[0].strip(".,()").lower().replace("ú", "u")
    return _GENERATIONS.get(last) or (_spelled_out(last_or_full)[1] if last in _AGES else None)


_AGES = frozenset(
    {"younger", "elder", "jüngere", "ältere", "j", "ä", "d.j", "d.ä", "jeune", "joven", "viejo", "giovane"}
)
_SPELLED_OUT = re.compile(
    r"[ ,]+(?:\(?(?P<jr>the younger|der jüngere|die jüngere|d\. ?j\.|le jeune|el joven|il giovane)"
    r"|\(?(?P<sr>the elder|der ältere|die ältere|d\. ?ä\.|el viejo))\)?$",
    re.IGNORECASE,
)


def _spelled_out(name: str) -> tuple[str, str | None]:
    """A name without "the younger" or "d. Ä." behind it, and the generation that means."""
    found = _SPELLED_OUT.search(name)
    return (name[: found.start()], found.lastgroup) if found else (name, None)


def key(value: str) -> str:
    """For matching: folded letters without spaces, hyphens, titles and generation.

    Generations are left to `generation`, so that father and son are looked at side by side.

    >>> key("Müller-Lüdenscheidt") == key("MUELLER LUEDENSCHEIDT"), key("O'Brien"), key("King Jr.")
    (True, 'obrien', 'king')
    """
    tokens = _without_titles(value.split())
    if len(tokens) > 1 and tokens[-1].strip(".,()").lower() in _AGES:
        tokens = _spelled_out(" ".join(tokens))[0].split()
    if len(tokens) > 1 and generation(tokens[-1]):
        tokens.pop()
    return "".join(words(" ".join(tokens))) or same_key(value)


def spelled(value: str) -> str:
    """A whole name's words sorted, nicknames led back: for finding "Doe, Bob" beside "Robert Doe".

    >>> spelled("Doe, Bob") == spelled("Dr. Robert DOE"), spelled("Ludwig van Beethoven")
    (True, 'beethoven ludwig')
    """
    return " ".join(sorted(nicknames.given(word) for word in _told(value))) or same_key(value)


def sounds(value: str) -> str:
    """A whole name's words by their sound, sorted: for finding one name in another spelling or alphabet.

    >>> sounds("Mohammed Husayn") == sounds("Hussein, Muhammad"), sounds("Юрий Гагарин") == sounds("Iurii Gagarin")
    (True, True)
    """
    return " ".join(sorted(bones(word) or word for word in _told(value))) or same_key(value)


def initials(value: str) -> str:
    """The first letters of a whole name's words, sorted: wide, for use beside something else.

    >>> initials("John P. Smith") == initials("Smith, J. P."), initials("Ludwig van Beethoven")
    (True, 'bl')
    """
    return "".join(sorted(word[0] for word in _told(value))) or same_key(value)[:1]


def told(value: str) -> list[str]:
    """The folded words of a whole name in their order, particles too, without titles, brackets and generation.

    >>> told("Dr. J.-C. (Jim) O'Neill, Jr."), told("JC Juncker"), told("King, Martin, Jr.")
    (['j', 'c', 'oneill'], ['j', 'c', 'juncker'], ['king', 'martin'])
    """
    plain = _BRACKETED.sub(" ", value) if "(" in value or '"' in value or "“" in value else value
    plain = _spelled_out(plain)[0]
    tokens = [token for piece in (plain if plain.isascii() else spoken(plain)).split(",") for token in _plain(piece)]
    return words(" ".join(tokens)) or words(value)


def _plain(piece: str) -> list[str]:
    tokens = _without_titles(piece.split())
    if tokens and generation(tokens[-1]) and len(tokens[-1].strip(".")) > 1:
        tokens.pop()
    return [" ".join(token) if _run_initials(token) else token for token in tokens]


def _run_initials(token: str) -> bool:
    """JC, JFK: capitals without a vowel are initials, but not in a name that is all capitals."""
    return 2 <= len(token) <= 3 and token.isupper() and token.isalpha() and not set(token) & set("AEIOUY")


def _told(value: str) -> list[str]:
    """The words that tell one person from another; at least one if there is any."""
    found = told(value)
    return [word for word in found if word not in PARTICLES] or found


def weak(value: str) -> str | None:
    """Why this name says little, or None.

    >>> weak("J."), weak("Jo")
    ('only an initial', None)
    """
    if len(fold(value).strip(". ")) <= 1:
        return "only an initial"
    return None


def _refuse_what_is_no_name(text: str) -> None:
    if "@" in text:
        raise Unclean("an e-mail address, not a name")
    if text.rsplit(None, 1)[-1].strip(",;.").lower() in _FIRM and " " in text:
        raise Unclean("a company, not a person")
    if _NOT_A_NAME.search(text):
        raise Unclean("a web address, not a name")
    if not text.isascii() and _PICTURE.search(text):
        raise Unclean("an emoji or broken character in a name")


def _without_titles(tokens: list[str]) -> list[str]:
    """The tokens without titles in front and degrees behind; a name that is all title stays."""
    at, end = 0, len(tokens)
    while at < end - 1 and _is_title(tokens[at]):
        at += 1
    while end - 1 > at and tokens[end - 1].lower().strip(",") in _CREDENTIALS:
        end -= 1
    return tokens[at:end]


def _is_title(token: str) -> bool:
    low = token.lower().strip(",")
    return low.rstrip(".") in _TITLES or low in _DOTTED_TITLES or low in _SPANISH_TITLES


def _cased(name: str) -> str:
    """`name` with its capitals set right if it is all in capitals or all in small letters."""
    if not (name.isupper() or name.islower()):
        return name
    cased = _recased(name)
    # A few letters change for good when their case does; such a name stays as it is.
    return cased if _recased(cased) == cased else name


def _recased(name: str) -> str:
    if not (name.isupper() or name.islower()):
        return name
    tokens = name.split(" ")
    alone = len(tokens) - (2 if len(tokens) > 1 and generation(tokens[-1]) else 1)
    cased = [
        token.lower() if i < alone and token.lower() in PARTICLES | _LINKS else _token_cased(token)
        for i, token in enumerate(tokens)
    ]
    return unicodedata.normalize("NFC", " ".join(cased))


_PIECE = re.compile(r"[^-'’./]+")
_ROMAN = frozenset({"ii", "iii", "iv"})


def _token_cased(token: str) -> str:
    if token.lower() in _ROMAN:
        return token.upper()
    if token.isupper() and len(token) <= 2 and not set(token) & set("AEIOUY"):
        return token  # JP, TJ: initials
    return _PIECE.sub(_piece_cased, token)


def _piece_cased(match: re.Match[str]) -> str:
    piece = match[0]
    if len(piece) > 4 and piece[:2].lower() == "mc":
        return "Mc" + piece[2].upper() + piece[3:].lower()
    if match.start() > 0 and len(piece) == 1 and match.string[match.start() - 1] in "'’":
        return piece.lower()  # the s of a genitive
    return piece[0].upper() + piece[1:].lower()

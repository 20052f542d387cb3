"""Text: what every other kind of value starts with — one Unicode form, no junk — and plain text itself.

raw ──screen()──▶ sound text ──nothing()?──▶ None
                             ──refuse_junk()──▶ Unclean
fold() and words() are the alphabet of all keys: lower-case ASCII, umlauts and their spellings made equal
"""

from __future__ import annotations

import re
import unicodedata

from unidecode import unidecode

MAX_LENGTH = 10_000  # characters; more is a file that went astray, not a field


def listed(table: str, by: str | None = None) -> frozenset[str]:
    """The entries of a table kept as text: tables of words stay readable that way."""
    return frozenset(table.split(by))


class Unclean(ValueError):
    """This can't be cleaned. The message is the reason in a few words and never holds the value itself."""


# \t \n \r are white space; every other control character means a broken export. Surrogates can't be stored at all.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Soft hyphens, zero-width spaces and direction marks come along with copy and paste. Joiners stay: Indic
# scripts and emoji need them.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NOTHING = re.compile(r"[\s\-‐-―−_.,;:/\\|*?!~#+'\"`´()\[\]<>{}=…·•]*")

# Said by people and exports in place of a value. Exact words (lower case), never parts of a value.
_BLANKS = listed(
    "n/a|#n/a|n.a.|n.a|n. a.|n\\a|na/na|null|(null)|undefined|[object object]|#ref!|#value!|#name?|#null!|#div/0!"
    "|tbd|tba|t.b.d.|todo|to be defined|to be determined|not available|not applicable|not provided|not set"
    "|not specified|not known|no data|no value|k.a.|k. a.|keine angabe|keine angaben|nicht angegeben|nicht bekannt"
    "|nicht vorhanden|non disponible|non renseigné|no disponible|non disponibile|brak danych|ei tiedossa"
    "|saknas|uppgift saknas",
    by="|",
)
_WORDS = listed(
    "none|(none)|nil|nan|na|nn|n.n.|unknown|(unknown)|unbekannt|inconnu|inconnue|desconocido|desconocida|sconosciuto"
    "|nieznany|nieznane|tuntematon|okänd|onbekend|anonymous|anonym|no name|noname|kein name|keine|keiner|empty"
    "|test|tests|testing|tester|teste|testtest|test test|test123|test1|test 1|test user|testuser|user test"
    "|test kunde|testkunde|test customer|test contact|test account|testaccount|testfirma|test firma|test company"
    "|dummy|example|beispiel|foo|foobar|foo bar|asd|asdf|asdfg|asdfgh|asdfjkl|asdf asdf|asdfasdf|asd asd"
    "|qwe|qwer|qwert|qwerty|qwertz|qwertzu|yxcv|zxcv|lkjh|jkl|hjkl|abcd|abcdef|blah|bla|bla bla|blabla|lorem ipsum"
    "|musterfirma|muster gmbh|mustermann|max mustermann|erika mustermann|musterfrau|delete|deleted|delete me|löschen"
    "|do not use|don't use|nicht verwenden|duplicate|12345|123456|1234567|12345678|123456789|1234567890",
    by="|",
)
_REPEATED = re.compile(r"x{3,}|y{3,}|z{3,}|0{3,}|(\w)\1{3,}")


def screen(raw: str) -> str:
    """`raw` in Unicode's composed form, without invisible characters and outer white space.

    >>> screen("  Mu\\u0308ller\\u200b ")
    'Müller'
    """
    if len(raw) > MAX_LENGTH:
        raise Unclean("longer than 10,000 characters")
    if raw.isascii() and raw.isprintable():
        return raw.strip()
    if _CONTROL.search(raw):
        raise Unclean("holds control characters")
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", raw)).strip()


def nothing(text: str) -> bool:
    """Whether this only marks an empty place.

    >>> [nothing(text) for text in ("", "-", " -- ", "?", "0", "A")]
    [True, True, True, True, False, False]
    """
    return _NOTHING.fullmatch(text) is not None


def refuse_blank(text: str) -> None:
    """Raise for what no system means as a value, in any kind of field: "n/a", "null", "tbd"."""
    if text.lower() in _BLANKS:
        raise Unclean("a placeholder")


def refuse_junk(text: str) -> None:
    """Raise for a placeholder or what fingers type to get past a form: "unknown", "test", "xxx", "0000", "asdf"."""
    low = " ".join(text.lower().split())
    if low in _BLANKS or low in _WORDS:
        raise Unclean("a placeholder")
    if len(low) >= 3 and _REPEATED.fullmatch(low):
        raise Unclean("one character over and over")


def is_junk_word(text: str) -> bool:
    """Whether this lower-case word is one of the placeholders `refuse_junk` knows."""
    return text in _WORDS or text in _BLANKS


def collapse(text: str) -> str:
    """One space where there was any white space.

    >>> collapse(" a \\t b\\n")
    'a b'
    """
    return " ".join(text.split())


_RUN = re.compile(r"[^\S\n]+")
_LINE_END = re.compile(r"\r\n?|[\u2028\u2029]")
_AROUND_BREAK = re.compile(r" *\n *")


def clean(text: str, country: str | None = None) -> str:
    """Plain text: runs of blanks collapsed, line breaks kept (a description has paragraphs).

    >>> clean("Pump  unit,\\r\\n 3 kW")
    'Pump unit,\\n3 kW'
    """
    if "\n" not in text and "\r" not in text:
        return " ".join(text.split())
    return _AROUND_BREAK.sub("\n", _RUN.sub(" ", _LINE_END.sub("\n", text))).strip()


def same_key(text: str) -> str:
    """Equal for texts that differ in case, white space or Unicode form only.

    >>> same_key("Straße  5") == same_key("STRASSE 5"), same_key("Müller") == same_key("Mueller")
    (True, False)
    """
    low = text.casefold()
    return " ".join((low if low.isascii() else unicodedata.normalize("NFKC", low).casefold()).split())


# ä ö ü are also written ae oe ue; but Jacques, Michael, Joel, Samuel, Joe and Sue have no umlauts.
_UMLAUT = re.compile(r"(?<!q)([aou])e(?!l?\b)")


# Latin letters go by a table made once: three times as fast as asking letter by letter.
_LATIN = {code: unidecode(chr(code)) for code in range(0xA0, 0x250)}


def _ascii(text: str) -> str:
    latin = unicodedata.normalize("NFKC", text).translate(_LATIN)
    return latin if latin.isascii() else unidecode(latin)


def fold(text: str) -> str:
    """Lower-case ASCII in which umlauts, their two-letter spellings and the bare vowels are one.

    >>> fold("Müller"), fold("Mueller"), fold("Muller"), fold("Straße"), fold("Ольга"), fold("Michael")
    ('muller', 'muller', 'muller', 'strasse', "ol'ga", 'michael')
    """
    low = (text if text.isascii() else _ascii(text)).lower()
    return _UMLAUT.sub(r"\1", low) if "e" in low else low


_WORD = re.compile(r"[a-z0-9]+")


def words(text: str) -> list[str]:
    """The folded words of a text; an apostrophe joins.

    >>> words("O'Brien & Søhne, Århus")
    ['obrien', 'sohne', 'arhus']
    """
    return _WORD.findall(fold(text).replace("'", "").replace("`", ""))


def key(text: str) -> str:
    """The folded words, for matching. Text without any (emoji, symbols) stands for itself."""
    return " ".join(words(text)) or same_key(text)

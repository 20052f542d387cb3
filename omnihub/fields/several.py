"""Several words in one field, as the choices of a list: each once, in alphabetical order."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from omnihub.fields.text import collapse

BETWEEN = ";"
_APART = re.compile(r"[;,\n]")


def clean(text: str, country: str | None = None) -> str | None:
    """As `a;b;c`, from a list as JSON has it, or from words with something between them.

    >>> clean('["Web shop", "Portal"]'), clean("Web shop, Portal;portal"), clean("[]") is None
    ('Portal;Web shop', 'Portal;Web shop', True)
    """
    words: dict[str, str] = {}
    for one in (word for told in _listed(text) for word in _APART.split(unicodedata.normalize("NFC", told))):
        if word := collapse(one):
            words.setdefault(word.casefold(), word)
    return BETWEEN.join(words[folded] for folded in sorted(words)) or None


def clean_links(text: str, country: str | None = None) -> str | None:
    """Refs as `a;b`, each once, as they stand: an id is another one with other capitals.

    >>> clean_links('["shop/customers/b", "shop/customers/B", "shop/customers/a"]')
    'shop/customers/B;shop/customers/a;shop/customers/b'
    """
    refs = {ref.strip() for told in _listed(text) for ref in told.split(BETWEEN)}
    return BETWEEN.join(sorted(refs - {""})) or None


def _listed(text: str) -> list[str]:
    if not text.startswith("["):
        return [text]
    try:
        return msgspec.json.decode(text, type=list[str])
    except (msgspec.MsgspecError, RecursionError):
        return [text]


def same_key(value: str) -> str:
    """Without capitals."""
    return value.casefold()

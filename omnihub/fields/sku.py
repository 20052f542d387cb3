"""SKUs: the seller's own article numbers, typed with and without dashes; one, or a list of them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from omnihub.fields.codes import made_up
from omnihub.fields.text import Unclean, fold, same_key

_DASH = re.compile("[‐-―−]")
_PLAIN = re.compile(r"[^a-z0-9]+")
_JUNK = re.compile(r"X{2,}|0{2,}|TEST|TESTSKU|DUMMY|NONE|UNKNOWN|ASDF|SKU")


def clean(text: str, country: str | None = None) -> str:
    """Upper case, one space where there were several, one sort of dash. Zeros in front belong to the number.

    >>> clean(" ab–0012  x "), clean("4711")
    ('AB-0012 X', '4711')
    """
    sku = " ".join(_DASH.sub("-", text).upper().split())
    if _JUNK.fullmatch(sku):
        raise Unclean("a placeholder")
    return sku


def key(value: str) -> str:
    """Letters and digits only; a number of digits alone without the zeros in front that spreadsheets eat.

    >>> key("AB-0012 X") == key("AB0012X"), key("AB-0012") == key("AB-12"), key("004711") == key("4711")
    (True, False, True)
    """
    bare = _PLAIN.sub("", fold(value)) or same_key(value)
    return bare.lstrip("0") or "0" if bare.isdigit() else bare


_BETWEEN = re.compile(r"[\[\]{}\",;|\s]*[\[\]{}\",;|\n]+[\[\]{}\",;|\s]*")
LIST = ", "  # between the numbers of a list


def clean_list(text: str, country: str | None = None) -> str | None:
    """Each once, in order. What is sent may be JSON, of which every text is a number, or numbers with signs between.

    >>> clean_list('[{"n": "b-2"}, {"n": "A-1"}, {"n": null}]'), clean_list("b-2; A-1;b-2"), clean_list("[]")
    ('A-1, B-2', 'A-1, B-2', None)
    """
    found = [piece.strip() for said in _texts(text) for piece in _BETWEEN.split(said)]
    return LIST.join(sorted({unicodedata.normalize("NFC", clean(piece)) for piece in found if piece})) or None


def _texts(text: str) -> Iterator[str]:
    try:
        yield from _leaves(json.loads(text)) if text.startswith("[") else [text]
    except (ValueError, RecursionError):
        yield text


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def list_key(value: str) -> str:
    """The keys of the numbers in it.

    >>> list_key("AB-12, 0047")
    '47, ab12'
    """
    return LIST.join(sorted({key(number) for number in value.split(LIST)}))


_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def without_zeros(value: str) -> str:
    """The key without the zeros in front of any of its numbers: looser, for finding candidates.

    >>> without_zeros("AB-0012") == without_zeros("ab 12")
    True
    """
    spaced = " ".join(_ZEROS.sub("", part) for part in _PLAIN.split(fold(value)) if part)
    return spaced.replace(" ", "") or same_key(value)


def weak(value: str) -> str | None:
    """Why this number names no article by itself, or None: short numbers are every seller's.

    >>> weak("12"), weak("123456"), weak("AB-12"), weak("4711-XL")
    ('a short number', 'placeholder-like', None, None)
    """
    bare = _PLAIN.sub("", fold(value))
    if bare.isdigit() and len(bare.lstrip("0")) < 3:
        return "a short number"
    return "placeholder-like" if made_up(bare) else None

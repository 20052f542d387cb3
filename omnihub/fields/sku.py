"""SKUs: the seller's own article numbers, typed with and without dashes."""

from __future__ import annotations

import re

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
    """Letters and digits only.

    >>> key("AB-0012 X") == key("AB0012X"), key("AB-0012") == key("AB-12")
    (True, False)
    """
    return _PLAIN.sub("", fold(value)) or same_key(value)

"""Values of a slice, each distinct one cleaned once; what was cleaned lately is remembered from slice to slice.

The same e-mail addresses, phone numbers and cities come from system after system, and reading one phone number costs
more than everything else that happens to its record.
"""

from __future__ import annotations

import functools
import re
from json.encoder import encode_basestring

from omnihub import fields
from omnihub.model import Kind

LOCAL = frozenset({Kind.PHONE, Kind.VAT})  # kinds whose local form needs the record's country to be read
REMEMBERED = 100_000  # values; some 30 MB
LONG = 200  # characters; longer texts are rarely said twice, and would fill the memory
EXCERPT = 60  # characters of an unclean value kept with its reason

_ODD = re.compile("[\x00-\x07\x0b\x0e-\x1f]")  # written \\u000B by DuckDB, \\u000b by Python
_CONTROL = re.compile("[\x00-\x1f\x7f]")

Cleaned = tuple[str | None, str | None]
"""A canonical value (None: no value), and why there is none though something was said."""


def cleaned(kind: Kind, part: str, home: str | None, text: str) -> Cleaned:
    """`fields.clean`, remembered, with the reason handed back instead of raised."""
    return _remembered(kind, part, home, text) if len(text) <= LONG else _cleaned(kind, part, home, text)


def _cleaned(kind: Kind, part: str, home: str | None, text: str) -> Cleaned:
    try:
        return fields.clean(kind, text, country=home, part=part), None
    except fields.Unclean as why:
        return None, str(why)


_remembered = functools.lru_cache(REMEMBERED)(_cleaned)


def quoted(text: str) -> str:
    r"""A JSON string, byte for byte as DuckDB writes it.

    >>> quoted('5" pipe\x1f')
    '"5\\" pipe\\u001F"'
    """
    if not _ODD.search(text):
        return encode_basestring(text)
    return '"' + "".join(f"\\u{ord(c):04X}" if _ODD.match(c) else encode_basestring(c)[1:-1] for c in text) + '"'


def excerpt(text: str) -> str:
    """The beginning of what could not be cleaned; no database takes every control character."""
    return _CONTROL.sub("\ufffd", text[:EXCERPT])

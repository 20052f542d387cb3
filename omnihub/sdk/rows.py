"""Rows of tables as records: cells as JSON that says exactly what the cell holds, keys of one or several columns.

Decimal, UUID, durations  text, digit by digit        bytes          base64
times                     ISO with a zone, always     NaN, Infinity  text: JSON has no number for them
dates, times of day       ISO                         NULL           null
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from omnihub.sdk.page import Record

MOST_INT = 2**63  # JSON readers beyond this go by way of a float


class Unusable(Record, frozen=True, gc=False):
    """A row that can be no record, kept as it stands with the reason; it has no id."""

    why: str = "no key"


_BETWEEN = "|"  # the values of a key of several columns


def encoded(row: Mapping[Any, Any], zone: tzinfo) -> bytes:
    """A row as the JSON of a record. zone: where times without one are at home.

    >>> from datetime import UTC
    >>> encoded({"id": 7, "total": Decimal("1234.50"), "at": datetime(2026, 11, 21, 8), "blob": b"hi"}, UTC)
    b'{"id":7,"total":"1234.50","at":"2026-11-21T08:00:00+00:00","blob":"aGk="}'
    """
    return msgspec.json.encode({name: faithful(value, zone) for name, value in row.items()})


def faithful(value: Any, zone: tzinfo) -> Any:
    """A cell as JSON can hold it without losing anything."""
    match value:
        case None | str() | bool():
            return value
        case int():
            return value if -MOST_INT < value < MOST_INT else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return f"{value:f}" if value.is_finite() else str(value)
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=zone)).isoformat()
        case date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode("ascii")
        case Enum():
            return faithful(value.value, zone)
        case Mapping():
            return {str(name): faithful(below, zone) for name, below in value.items()}
        case list() | tuple() | set() | frozenset():
            return [faithful(below, zone) for below in value]
    return str(value)


def key_of(values: Sequence[Any]) -> str | None:
    """The id of a record from the values of its key; None where one is missing.

    >>> key_of([7]), key_of(["DE", "a|b"]), key_of(["DE", None])
    ('7', 'DE|a%7Cb', None)
    """
    texts = [None if value is None or value == "" else str(value) for value in values]
    if len(texts) == 1:
        return texts[0]
    known = [text.replace("%", "%25").replace(_BETWEEN, "%7C") for text in texts if text is not None]
    return _BETWEEN.join(known) if len(known) == len(texts) else None


def parts_of(key: str, columns: int) -> tuple[str, ...]:
    """The values a key was made of.

    >>> parts_of("DE|a%7Cb", 2)
    ('DE', 'a|b')
    """
    if columns == 1:
        return (key,)
    return tuple(part.replace("%7C", _BETWEEN).replace("%25", "%") for part in key.split(_BETWEEN))


def flattened(body: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    """A native payload as columns: dotted paths and their values.

    >>> dict(flattened({"phone": "1", "address": {"city": "Ulm"}}))
    {'phone': '1', 'address.city': 'Ulm'}
    """
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value

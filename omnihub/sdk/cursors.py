"""How far a stream has been read: times as the systems write them, compared, put back, and kept behind our own clock.

A cursor stays in the words of its system (`2026-11-21T10:00:00Z`, `1763719200000`), because it is sent back to it.
What is not readable as a time is compared as text and left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from omnihub.errors import ConfigError

MILLISECONDS = 12  # digits from which on a number of seconds would lie thousands of years ahead


def instant(text: str) -> datetime | None:
    """The time a text stands for: ISO 8601 (without a zone: UTC), or seconds or milliseconds since 1970.

    >>> instant("1763719200000") == instant("1763719200") == instant("2025-11-21T11:00:00+01:00")
    True
    """
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text) / (1000 if len(text) >= MILLISECONDS else 1), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def newest(times: Iterable[str | None]) -> str | None:
    """The latest of them, None where there is none.

    >>> newest(["2026-01-01T00:00:00Z", None, "2026-01-01T00:30:00+01:00"])
    '2026-01-01T00:00:00Z'
    """
    known = [t for t in times if t]
    if not known:
        return None
    return max(known) if _alike(known) else max(known, key=_order)


def in_order(times: Sequence[str]) -> bool:
    """Whether no time is before the one it follows."""
    if _alike(times):
        return all(a <= b for a, b in pairwise(times))
    return all(_order(a) <= _order(b) for a, b in pairwise(times))


def earlier(cursor: str, by: timedelta) -> str:
    """The cursor put back.

    >>> earlier("2026-11-21T10:00:00.250Z", timedelta(minutes=5)), earlier("1763719200", timedelta(minutes=5))
    ('2026-11-21T09:55:00.250Z', '1763718900')
    """
    if not by:
        return cursor
    at = instant(cursor)
    if at is None:
        raise ConfigError("this cursor is not a time, so nothing lies before it: leave `overlap` out of this stream")
    return like(cursor, at - by)


def not_past(cursor: str | None, now: datetime) -> str | None:
    """The cursor, or our own time where the cursor is beyond it.

    A system whose clock is ahead stamps records with times to come; a cursor there would pass over later edits.

    >>> not_past("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
    '2026-11-21T09:30:00Z'
    """
    at = instant(cursor) if cursor else None
    return like(cursor, now) if cursor and at is not None and at > now else cursor


def like(example: str, at: datetime) -> str:
    """A time, written as the example is; what the example has no digits for is cut off.

    >>> like("2026-11-21 10:00:00", datetime(2026, 1, 2, 3, 4, 5, 6, UTC))
    '2026-01-02 03:04:05'
    """
    if example.isdigit():
        return str(int(at.timestamp() * (1000 if len(example) >= MILLISECONDS else 1)))
    if len(example) <= len("2026-11-21"):
        return at.astimezone(UTC).date().isoformat()
    zone = datetime.fromisoformat(example).tzinfo
    text = at.astimezone(zone or UTC).replace(tzinfo=zone).isoformat(example[10], _precision(example))
    return text.replace("+00:00", "Z") if example.endswith("Z") else text


def _precision(example: str) -> str:
    fraction = re.search(r"\.(\d+)", example)
    return "seconds" if not fraction else "milliseconds" if len(fraction[1]) <= 3 else "microseconds"


def _alike(times: Sequence[str]) -> bool:
    """Whether they sort as text: this many are compared that parsing each of them would be felt."""
    if len({len(t) for t in times}) > 1:
        return False
    return all(t[-1:] == "Z" for t in times) or all(t.isdigit() for t in times)


def _order(text: str) -> tuple[datetime, str]:
    return instant(text) or datetime.min.replace(tzinfo=UTC), text

"""Times and dates: whatever ISO form or epoch a system sends → UTC to the second, or a plain date.

A time without a zone counts as UTC. A date written with figures only is read day first or month first when only
one way is possible or the country tells; otherwise it is unclean, never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from omnihub.fields.text import Unclean

FIRST_YEAR, LAST_YEAR = 1900, 2200  # outside stands what software writes for "never" and "always"

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,12})?)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)(Z)?)?", re.ASCII)
_MILLISECONDS = re.compile(r"\d{12,13}(?:\.\d+)?", re.ASCII)
_SECONDS = re.compile(r"\d{9,10}(?:\.\d+)?", re.ASCII)
_FIGURES = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})", re.ASCII)
_NAMED = re.compile(
    r"(\d{1,2})\.?[ -]([^\W\d_]{3,9})\.?,?[ -](\d{4})|([^\W\d_]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})"
)
_MONTH_NAMES = """
    jan january januar janvier enero
    feb february februar
    mar march mär märz mrz mars
    apr april avril
    may mai mayo
    jun june juni juin
    jul july juli juillet
    aug august août
    sep sept september
    oct october okt oktober
    nov november novembre
    dec december dez dezember
"""
_MONTHS = {
    name: number for number, names in enumerate(_MONTH_NAMES.strip().splitlines(), start=1) for name in names.split()
}
_MONTH_FIRST_COUNTRIES = frozenset({"US", "PH"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def clean_time(text: str, country: str | None = None) -> str:
    """UTC to the second.

    >>> clean_time("2026-11-21T22:18:46.000+0000"), clean_time("2026-11-21T23:18:46+01:00")
    ('2026-11-21T22:18:46Z', '2026-11-21T22:18:46Z')
    >>> clean_time("1795299526000"), clean_time("1795299526"), clean_time("2026-11-21")
    ('2026-11-21T22:18:46Z', '2026-11-21T22:18:46Z', '2026-11-21T00:00:00Z')
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return _written(
            _epoch(text) or _compact(text) or datetime.combine(_day(text, country), datetime.min.time(), UTC)
        )
    year, month, day, hour, minute, second, zone = match.groups()
    return _written(_moment(year, month, day, hour or "0", minute or "0", second or "0", zone))


def clean_date(text: str, country: str | None = None) -> str:
    """The day as it stands in the text; of an epoch, the day in UTC.

    >>> clean_date("2026-11-21T23:30:00+02:00"), clean_date("21.11.2026"), clean_date("11/21/2026")
    ('2026-11-21', '2026-11-21', '2026-11-21')
    >>> clean_date("3/4/2026", "US"), clean_date("3/4/2026", "GB"), clean_date("21-Nov-2026")
    ('2026-03-04', '2026-04-03', '2026-11-21')
    """
    match = _ISO.fullmatch(text)
    if match:
        return _dated(_date(*match.group(1, 2, 3)))
    moment = _epoch(text) or _compact(text)
    return _dated(moment.date() if moment else _day(text, country))


def _moment(year: str, month: str, day: str, hour: str, minute: str, second: str, zone: str | None) -> datetime:
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        return moment if zone is None or zone in "Zz" else moment - _offset(zone)
    except (ValueError, OverflowError):
        raise Unclean("an impossible time") from None


def _offset(zone: str) -> timedelta:
    if zone.upper() in ("UTC", "GMT"):
        return timedelta(0)
    figures = zone[1:].replace(":", "")
    ahead = timedelta(hours=int(figures[:2]), minutes=int(figures[2:] or 0))
    return timezone(ahead if zone[0] == "+" else -ahead).utcoffset(None)  # a timezone refuses more than a day


def _epoch(text: str) -> datetime | None:
    """The moment of a count of milliseconds (12–13 digits) or seconds (9–10 digits) since 1970."""
    if _MILLISECONDS.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(text.partition(".")[0]))
    if _SECONDS.fullmatch(text):
        return _EPOCH + timedelta(seconds=int(text.partition(".")[0]))
    return None


def _compact(text: str) -> datetime | None:
    match = _COMPACT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    return _moment(year, month, day, hour or "0", minute or "0", second or "0", zone)


def _day(text: str, country: str | None) -> date:
    """The day of a date written by hand."""
    if match := _FIGURES.fullmatch(text):
        first, mark, second, year = match.groups()
        return _date(year, *_month_and_day(first, second, mark, country))
    if match := _YEAR_FIRST.fullmatch(text):
        return _date(*match.groups())
    if match := _NAMED.fullmatch(text):
        day, name, year = match.group(1, 2, 3) if match[1] else match.group(5, 4, 6)
        month = _MONTHS.get(name.lower())
        if month is not None:
            return _date(year, str(month), day)
    raise Unclean("not a date")


def _month_and_day(first: str, second: str, mark: str, country: str | None) -> tuple[str, str]:
    if mark == "." or int(first) > 12 or first == second:  # dots are used only where the day stands first
        return second, first
    if int(second) > 12:
        return first, second
    if country is None:
        raise Unclean("day and month can be swapped")
    return (first, second) if country in _MONTH_FIRST_COUNTRIES else (second, first)


def _date(year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Unclean("an impossible date") from None


def _written(moment: datetime) -> str:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Unclean("a year out of range")
    return moment.isoformat()[:19] + "Z"


def _dated(day: date) -> str:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unclean("a year out of range")
    return day.isoformat()


_DEFAULTS = frozenset({"1900-01-01", "1901-01-01", "1970-01-01", "2099-12-31", "2199-12-31"})


def weak(value: str) -> str | None:
    """Why this day says nothing, or None.

    >>> weak("1970-01-01"), weak("1984-05-02")
    ('a default date', None)
    """
    return "a default date" if value[:10] in _DEFAULTS else None

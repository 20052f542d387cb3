"""Times and dates: whatever ISO form or epoch a system sends → UTC to the second, or a plain date.

A time without a zone counts as UTC. A date written with figures only is read day first or month first when only
one way is possible or the country tells, a year of two figures where only one century is possible; otherwise it is
unclean, never guessed.
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
_FIGURES = re.compile(r"(\d{1,2})([./-]) ?(\d{1,2})\2 ?(\d{4}|\d\d)", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})", re.ASCII)
_WEEKDAY = re.compile(r"^[^\W\d_]{2,12}\.?,? (?=\d|[^\W\d_]{3,12}\.? \d)")
_NAMED = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|º|\.)?[ -](?:de |of )?([^\W\d_]{3,12})\.?,?[ -](?:de )?(\d{4}|\d\d)"
    r"|([^\W\d_]{3,12})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})"
    r"|(\d{4})[ -]([^\W\d_]{3,12})\.?[ -](\d{1,2})"
)
# Two of the short forms name two months in two languages: those are left out (maj is May, lis is not November).
_MONTH_NAMES = """
    jan january januar januari janvier janv enero ene gennaio gen janeiro tammikuu tammikuuta styczeń stycznia jänner
    feb february februar februari février fevrier fév febrero febbraio fevereiro fev helmikuu helmikuuta luty lutego
    mar march mär märz mrz mars marzo março marco maaliskuu maaliskuuta marzec marca maart mrt
    apr april avril avr abril abr aprile huhtikuu huhtikuuta kwiecień kwietnia
    may mai mayo maggio mag maio maj maja mei toukokuu toukokuuta
    jun june juni juin junio giugno giu junho kesäkuu kesäkuuta czerwiec czerwca
    jul july juli juillet juil julio luglio lug julho heinäkuu heinäkuuta lipiec lipca
    aug august augusti août aout agosto ago elokuu elokuuta sierpień sierpnia augustus
    sep sept september septembre septiembre settembre set setembro syyskuu syyskuuta wrzesień września
    oct october okt oktober octobre octubre ottobre ott outubro out lokakuu lokakuuta październik października
    nov november novembre noviembre novembro marraskuu marraskuuta listopad listopada
    dec december dez dezember décembre decembre diciembre dicembre dic dezembro joulukuu joulukuuta grudzień grudnia des
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
    >>> clean_date("2. tammikuuta 1984"), clean_date("21.11.84"), clean_date("Sat, 21 Nov 2026")
    ('1984-01-02', '1984-11-21', '2026-11-21')
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
    if match := _NAMED.fullmatch(text) or _NAMED.fullmatch(_WEEKDAY.sub("", text)):
        day, name, year = (
            match.group(1, 2, 3) if match[1] else match.group(5, 4, 6) if match[4] else match.group(9, 8, 7)
        )
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
    if len(year) == 2:
        year = _with_century(year)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Unclean("an impossible date") from None


# A year of two figures: nobody writes of the 2040s yet, but 05 may be somebody's birth or a contract's end.
_LAST_CENTURY = 40


def _with_century(year: str) -> str:
    if int(year) < _LAST_CENTURY:
        raise Unclean("a year of two figures")
    return f"19{year}"


def _written(moment: datetime) -> str:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Unclean("a year out of range")
    return moment.isoformat()[:19] + "Z"


def _dated(day: date) -> str:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unclean("a year out of range")
    return day.isoformat()


# The beginnings and ends of what calendars of software know.
_DEFAULTS = frozenset({"1900-01-01", "1901-01-01", "1969-12-31", "1970-01-01", "2099-12-31", "2199-12-31"})


def weak(value: str) -> str | None:
    """Why this time says nothing, or None.

    >>> weak("1970-01-01T00:00:00Z"), weak("1984-05-02T10:00:00Z")
    ('a default date', None)
    """
    return "a default date" if value[:10] in _DEFAULTS else None


def weak_date(value: str) -> str | None:
    """Why this day says nothing of whose it is, or None: of many only the year is known.

    >>> weak_date("1970-01-01"), weak_date("1984-01-01"), weak_date("1984-05-02")
    ('a default date', 'the first of January', None)
    """
    return weak(value) or ("the first of January" if value[4:10] == "-01-01" else None)


def swapped(value: str) -> str | None:
    """The other reading of a date whose day and month were taken for each other, or None where there is none.

    >>> swapped("1984-05-02"), swapped("1984-05-13"), swapped("1984-05-05")
    ('1984-02-05', None, None)
    """
    year, month, day = value[:4], value[5:7], value[8:10]
    return f"{year}-{day}-{month}" if month != day and "01" <= day <= "12" else None


def near(a: str, b: str) -> str | None:
    """The slip that makes one date of the other, or None: of two that are the same, too.

    >>> near("1984-05-02", "1984-02-05"), near("1984-05-02", "1984-05-12"), near("1984-05-12", "1984-05-21")
    ('day and month swapped', 'one figure', 'two figures swapped')
    >>> near("1984-05-02", "2084-05-02"), near("1984-05-02", "1991-11-23")
    ('another century', None)
    """
    a, b = a[:10], b[:10]
    if a == b or len(a) != len(b):
        return None
    if swapped(a) == b:
        return "day and month swapped"
    if a[2:] == b[2:]:
        return "another century"
    wrong = [n for n in range(len(a)) if a[n] != b[n]]
    if len(wrong) == 1:
        return "one figure"
    digits, others = a.replace("-", ""), b.replace("-", "")
    apart = [n for n in range(len(digits)) if digits[n] != others[n]]
    if len(apart) == 2 and apart[1] == apart[0] + 1 and digits[apart[0]] == others[apart[1]]:
        return "two figures swapped" if digits[apart[1]] == others[apart[0]] else None
    return None


_ANY_FIGURES = re.compile(r"\D*(\d{1,4})\D+(\d{1,2})\D+(\d{1,4})\D*", re.ASCII)
_RUN_OF_FIGURES = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)


def likely(text: str) -> str | None:
    """A reading of a date that can't be cleaned, for matching only: day first, a year of two figures where most are.

    Even a day that does not exist is kept: mistyped, it is one figure away from the right one (`near`).

    >>> likely("3/4/2026"), likely("3/4/26"), likely("12.03.35"), likely("19401331"), likely("soon")
    ('2026-04-03', '2026-04-03', '1935-03-12', '1940-13-31', None)
    """
    match = _RUN_OF_FIGURES.fullmatch(text) or _ANY_FIGURES.fullmatch(text)
    if match is None:
        return None
    first, second, third = match.groups()
    year, month, day = (first, second, third) if len(first) > 2 else (third, second, first)
    if len(year) not in (2, 4) or len(day) > 2:
        return None
    if int(month) > 12 >= int(day):
        month, day = day, month
    if len(year) == 2:
        year = ("19" if int(year) >= _MOST_ARE_OLDER else "20") + year
    return f"{year}-{int(month):02}-{int(day):02}" if int(year) and int(month) and int(day) else None


_MOST_ARE_OLDER = 30

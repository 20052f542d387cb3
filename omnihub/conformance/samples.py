"""Samples: records for any connector, made from what its field maps say, in canonical words.

Every value is its own clean form, unlike its neighbours, and never a placeholder: what is read back can be compared
with what was put in, and two records are never taken for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from stdnum import ean

from omnihub.model import Field, Kind, fields_of
from omnihub.sandbox.copies import HELD, LINKS, Copy
from omnihub.sdk import Codes, Connector, Const, Link, Path, Stream

FIRST = ("Alma", "Bruno", "Carla", "Dario", "Edda", "Fabian", "Greta", "Hanno", "Ilse", "Jannis", "Klara", "Ludger")
LAST = ("Ahrens", "Becker", "Conrad", "Dreyer", "Engel", "Fuchs", "Graf", "Hartung", "Ibsen", "Jansen", "Kling", "Lenz")
CITIES = ("Berlin", "Hamburg", "Bremen", "Kassel", "Leipzig", "Dresden", "Rostock", "Erfurt")
LANGUAGES, COUNTRIES, CURRENCIES = ("de", "en", "fr"), ("DE", "FR", "IT"), ("EUR", "USD", "CHF")
INSTEAD = {
    "all_customers": ("customer_group", "customer_groups"),
    "all_products": ("skus",),
    "discount_amount": ("discount",),
}
WITH = {"discount_amount": ("discount_on", "currency")}
LONG_AGO, GAP = timedelta(days=60), timedelta(minutes=20)  # no overlap a cursor re-reads holds many of them

SECONDS = 19  # characters of an ISO time: as the hub keeps times


def counts(connector: Connector, few: int, main: str = "", many: int = 0) -> dict[str, int]:
    """How many records each stream gets: `few`, the `main` one `many`."""
    return {s.name: many if s.name == main else few for s in connector.streams}


def copies(connector: Connector, role: str, wanted: Mapping[str, int], now: datetime) -> Iterator[Copy]:
    """So many records of each stream, as the world would hand them to the stand-in of that role."""
    for stream in connector.streams:
        held = HELD.get((role, stream.name), tuple(stream.map))
        for n in range(1, wanted.get(stream.name, 0) + 1):
            at = (now - LONG_AGO + GAP * n).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            fields = _either(dict(_fields(role, stream, held, wanted, n)), n)
            fields |= dict.fromkeys(_own_times(stream, fields), f"{at[:SECONDS]}Z")
            yield Copy(role, stream.name, n, fields, at, at)


def _own_times(stream: Stream, fields: Mapping[str, str | int]) -> list[str]:
    """Fields that say when the record itself was changed."""
    said = ((name, stream.fields.get(name)) for name in fields)
    return [name for name, where in said if stream.updated and where and where.path == stream.updated]


def _either(fields: dict[str, str | int], n: int) -> dict[str, str | int]:
    """Who is for all is not for some as well, and who takes an amount off no percentage: by turns one or the other."""
    for one, others in INSTEAD.items():
        if one in fields and not fields.keys().isdisjoint(others):
            for name in (one, *WITH.get(one, ())) if n % 2 else others:
                fields.pop(name, None)
            if one in fields and one.startswith("all_"):
                fields[one] = "true"
    if "gives" in fields:
        fields["gives"] = "discount"  # of the others less is read
    return fields


def _fields(
    role: str, stream: Stream, held: tuple[str, ...], wanted: Mapping[str, int], n: int
) -> Iterator[tuple[str, str | int]]:
    kinds, links = fields_of(stream.entity), LINKS.get((role, stream.name), {})
    for name in held:
        where = stream.fields.get(name)
        if isinstance(where, Const):
            continue
        if isinstance(where, Link) or (name in links and (name not in kinds or kinds[name].kind is Kind.LINK)):
            there = wanted.get(where.stream if isinstance(where, Link) else links[name], 0)
            if there:
                yield name, (n - 1) % there + 1
        elif kinds[name].kind not in (Kind.LINK, Kind.LINKS):
            yield name, sample(kinds[name], where, n)


def sample(field: Field, where: Path | None, n: int) -> str:
    """The n-th value of a field, canonical. Of a coded field, one of its codes."""
    if isinstance(where, Codes) and (known := sorted({c for c in where.codes.values() if c})):
        return known[n % len(known)]
    return str(_OF_KIND[field.kind](n))


def _vat(n: int) -> str:
    """A German VAT id with its right check digit."""
    from stdnum.iso7064 import mod_11_10

    digits = f"{10000000 + n:08}"
    return f"DE{digits}{mod_11_10.calc_check_digit(digits)}"


def _date(n: int) -> str:
    return (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=n % 700)).strftime("%Y-%m-%d")


_OF_KIND: dict[Kind, Any] = {
    Kind.TEXT: lambda n: f"Sample {n}",
    Kind.NAME: lambda n: f"{FIRST[n % 12]}{LAST[n // 12 % 12].lower()}",
    Kind.COMPANY: lambda n: f"{LAST[n % 12]} Anlagen {n} GmbH",
    Kind.EMAIL: lambda n: f"{FIRST[n % 12]}.{n}@{LAST[n % 12]}-anlagen.de".lower(),
    Kind.PHONE: lambda n: f"+49302{n % 10_000_000:07}",
    Kind.DOMAIN: lambda n: f"anlagen-{n}.de",
    Kind.ADDRESS: lambda n: f"Lindenallee {n}",
    Kind.POSTAL: lambda n: f"{80331 + n % 2000:05}",
    Kind.CITY: lambda n: CITIES[n % len(CITIES)],
    Kind.COUNTRY: lambda n: COUNTRIES[n % 3],
    Kind.VAT: _vat,
    Kind.SKU: lambda n: f"SKU-{n:05}",
    Kind.SKUS: lambda n: f"SKU-{n:05}, SKU-{n + 1:05}",
    Kind.GTIN: lambda n: f"400{n:09}" + ean.calc_check_digit(f"400{n:09}"),
    Kind.MONEY: lambda n: f"{n + 10}.50",
    Kind.QUANTITY: lambda n: str(n % 50 + 1),
    Kind.PERCENT: lambda n: str(n % 40 + 1),
    Kind.CURRENCY: lambda n: CURRENCIES[n % 3],
    Kind.LANGUAGE: lambda n: LANGUAGES[n % 3],
    Kind.DATE: _date,
    Kind.TIME: lambda n: f"{_date(n)}T10:00:00Z",
    Kind.BOOLEAN: lambda n: "true" if n % 2 else "false",
    Kind.CONSENT: lambda n: "yes" if n % 2 else "no",
    Kind.CODE: lambda n: f"code{n}",
    Kind.WEIGHT: lambda n: f"{n % 90 + 1}.5",
    Kind.FILE: lambda n: f"picture-{n}.jpg",
    Kind.SEVERAL: lambda n: f"choice {n % 10}",
}

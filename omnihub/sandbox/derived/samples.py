"""Samples: plausible records from the kinds of fields alone, the same every time, linked among each other."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from omnihub.model import Kind, fields_of
from omnihub.sandbox.copies import CHANNELS, CUSTOMER_GROUPS, SATISFACTION, UNITS, Copy
from omnihub.sandbox.derived.shape import Shape
from omnihub.sandbox.state import iso
from omnihub.sandbox.world.dice import Dice

WOMEN = "Anna Berit Carla Dora Eva Frida Greta Hanna Inga Jana".split()
SURNAMES = "Adler Becker Conrad Dietz Ebner Falk Götz Huber Iversen Jäger Köhler Lang".split()
TRADES = "Antriebe Behälter Dichtungen Fördertechnik Getriebe Hydraulik".split()
TOWNS = (("Ulm", "89073"), ("Köln", "50667"), ("Bonn", "53111"), ("Jena", "07743"), ("Kiel", "24103"))
WORDS = {
    "status": ("active", "former"),
    "customer_group": CUSTOMER_GROUPS,
    "unit": UNITS,
    "stage": ("open", "quoted", "won", "lost"),
    "channel": CHANNELS,
    "satisfaction": SATISFACTION,
    "transport_mode": ("road", "air", "sea", "parcel"),
    "kind": ("visit", "call", "login"),
}
GAP = timedelta(minutes=7)  # between the changes of two records


def copies(shapes: Mapping[str, Shape], n: int, now: datetime) -> Iterator[Copy]:
    """n records of each stream; of those inside others three to each of the first, so that pages hold several."""
    for name, shape in shapes.items():
        for k in range(1, n + 1):
            at = iso(now - GAP * (n + 2 - k))
            yield Copy("", name, k, _fields(shape, k, n, now), at, at)


def _fields(shape: Shape, k: int, n: int, now: datetime) -> dict[str, Any]:
    dice = Dice(zlib.crc32(shape.name.encode()), 0, k)
    links, found = shape.links, dict[str, Any]()
    for name in shape.map:
        if name in links:
            found[name] = (k + 2) // 3 if name == shape.holder else 1 + dice.below(n)
            continue
        said = shape.says(name)
        found[name] = dice.pick(sorted(said)) if said else value(fields_of(shape.entity)[name].kind, name, k, dice, now)
    return found


def value(kind: Kind, name: str, k: int, dice: Dice, now: datetime) -> str | None:
    """A canonical value of this kind for the k-th record; what tells records apart is never the same twice."""
    first, last = dice.pick(WOMEN), dice.pick(SURNAMES)
    town, postal = TOWNS[k % len(TOWNS)]
    simple = {
        Kind.NAME: first if name == "first_name" else last,
        Kind.COMPANY: f"{last} {TRADES[k % len(TRADES)]} {k} GmbH",
        Kind.EMAIL: f"{first}.{last}.{k}@example.com".lower().replace("ö", "oe").replace("ä", "ae"),
        Kind.PHONE: f"+4989{20000000 + k}",
        Kind.DOMAIN: f"betrieb-{k}.example.com",
        Kind.ADDRESS: f"Hauptstraße {k}",
        Kind.POSTAL: postal,
        Kind.CITY: town,
        Kind.COUNTRY: "DE",
        Kind.VAT: None,  # a made-up one with a right check digit could be somebody's
        Kind.SKU: f"SKU-{k:05d}",
        Kind.SKUS: f"SKU-{k:05d}, SKU-{k + 1:05d}",
        Kind.GTIN: _gtin(k),
        Kind.MONEY: f"{10 + dice.below(9000)}.{dice.below(100):02d}",
        Kind.QUANTITY: str(1 + dice.below(20)),
        Kind.PERCENT: str(1 + dice.below(30)),
        Kind.CURRENCY: "EUR",
        Kind.LANGUAGE: "de",
        Kind.DATE: (now - timedelta(days=dice.below(400))).date().isoformat(),
        Kind.TIME: (now - timedelta(minutes=dice.below(400_000))).strftime("%Y-%m-%dT%H:%M:%SZ"),
        Kind.BOOLEAN: dice.pick(("true", "false")),
        Kind.CONSENT: dice.pick(("yes", "no")),
        Kind.WEIGHT: f"{1 + dice.below(90)}.5",
        Kind.FILE: f"picture-{k}.jpg",
        Kind.SEVERAL: f"choice {dice.below(10)}",
        Kind.LINKS: None,  # made up, they would lead nowhere
        Kind.TEXT: f"{name.replace('_', ' ')} {k}",
    }
    if kind is Kind.CODE:
        return dice.pick(WORDS[name]) if name in WORDS else f"{name[:3].upper()}-{k:05d}"
    return simple[kind]


def _gtin(k: int) -> str:
    body = f"40{k:010d}"
    return body + str(-sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(body)) % 10)

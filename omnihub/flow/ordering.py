"""What a change touches of orders on their way, and what one of them is judged by.

an order or ticket came, went or changed ─▶ all that speak of the same number
a line of an order                       ─▶ its order, and all that speak of that number
a shelf of a stock point                 ─▶ lines with its SKU ─▶ their orders
a day that has passed                    ─▶ orders of lately: what was late is wrong now
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from omnihub.compare import sold_as, spoken_of
from omnihub.compare.links import NUMBERED, SPOKEN
from omnihub.compare.orders import BESIDE, COPIES
from omnihub.model import Entity
from omnihub.store import bulk, schema

SPEAKING = tuple(entity.value for entity in NUMBERED)


@dataclass
class Stirred:
    """What changed that orders are judged by: refs, by what they are."""

    copies: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    shelves: list[str] = field(default_factory=list)

    def note(self, ref: str, entity: str) -> None:
        """One that changed, living or not."""
        if entity in SPEAKING:
            self.copies.append(ref)
        elif entity == Entity.LINE:
            self.lines.append(ref)
        elif entity == Entity.STOCK:
            self.shelves.append(ref)


def touched_orders(c: sa.Connection, stirred: Stirred, before: str, day: str) -> set[str]:
    """Refs of orders and tickets to be looked at again. before, day: ISO days. What is no longer spoken of is not yet
    forgotten: whoever it led to is found by it."""
    skus = {sold_as(Entity.LINE, target) for target in _targets(c, stirred.shelves, "sku")}
    lines = {*stirred.lines, *_speaking(c, skus, "sku")}
    copies = {*stirred.copies, *_targets(c, lines, "of"), *_late(c, before, day)}
    return _speaking(c, _targets(c, copies, "number"), "number")


def _targets(c: sa.Connection, refs: Iterable[str], name: str) -> set[str]:
    links = schema.links
    query = sa.select(links.c.target).where(links.c.field == name)
    return {r.target for r in bulk.where_in(c, query, links.c.ref, sorted(refs))}


def _speaking(c: sa.Connection, targets: Iterable[str], name: str) -> set[str]:
    links = schema.links
    query = sa.select(links.c.ref).where(links.c.field == name)
    return {r.ref for r in bulk.where_in(c, query, links.c.target, sorted(targets))}


def _late(c: sa.Connection, before: str, day: str) -> set[str]:
    """Orders, and tickets about one, that changed so lately that the other copies had time on one of these days, and
    have none on the other."""
    if before == day or not before:
        return set()
    t = schema.refined
    since = (date.fromisoformat(min(before, day)) - timedelta(days=1)).isoformat()
    query = sa.select(t.c.ref).where(t.c.entity.in_(SPEAKING), t.c.updated >= since)
    return set(c.execute(query).scalars())


@dataclass(frozen=True)
class Nearby:
    """What `compare.orders` takes."""

    copies: pa.Table
    lines: pa.Table
    stock: pa.Table


def nearby(c: sa.Connection, rows: pa.Table) -> Nearby:
    """All that speaks of the orders these rows speak of, their lines, and the stock of what they sell.

    rows: living records of any entity, with the columns of SPOKEN.
    """
    t, links = schema.refined, schema.links
    numbers = _said(rows.filter(pc.is_in(rows.column("entity"), pa.array(SPEAKING))), "number")
    columns = (t.c.ref, t.c.entity, t.c.system, t.c.fields, t.c.times)
    copies = _living(c, sa.select(*columns), links.c.field == "number", links.c.target, numbers).cast(COPIES)
    found = sa.select(t.c.ref, t.c.entity, t.c.system, t.c.fields)
    lines = _living(c, found, links.c.field == "of", links.c.target, copies.column("ref").to_pylist())
    skus = sorted({sold_as(Entity.STOCK, target) for target in _said(lines, "sku")})
    stock = _living(c, found, links.c.field == "sku", links.c.target, skus)
    return Nearby(copies, lines.select(BESIDE.names).cast(BESIDE), stock.select(BESIDE.names).cast(BESIDE))


def _living(c: sa.Connection, query: Any, which: Any, column: Any, targets: Sequence[str]) -> pa.Table:
    """Living records by what they speak of."""
    t, links = schema.refined, schema.links
    joined = query.join(links, links.c.ref == t.c.ref).where(which, ~t.c.deleted)
    return bulk.table_in(c, joined, column, targets)


def _said(rows: pa.Table, name: str) -> list[str]:
    spoken = spoken_of(rows.select(SPOKEN.names))
    found = zip(spoken.column("field").to_pylist(), spoken.column("target").to_pylist(), strict=True)
    return sorted({target for about, target in found if about == name})

"""Correct: what the master is right about is planned to the channels that may be written, never to the master.

prices    findings that stand ─▶ the right price in the channel's own context ─▶ differences for the plan
pages     a shop writes a name or a status on the page that frames its variants: what all of these lack, the page gets

A finding somebody ignores is not corrected, and what is only another channel's word about a price corrects nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from omnihub import fields
from omnihub.compare import sold_as
from omnihub.compare.corrections import JUDGED, LISTED, right_prices
from omnihub.fields.worn import worn
from omnihub.flow.hub import Hub
from omnihub.flow.touching import MASTERED, Basis
from omnihub.model import ENTITIES, Entity, Kind, Ref
from omnihub.push.plan import Difference
from omnihub.sdk import Push
from omnihub.store import bulk, schema

Writable = Mapping[tuple[str, str], Push]
"""(system, stream) → what may be written there."""

MASTER = "master"
PRICE = "price"
IN_CONTEXT = (PRICE, "currency")  # right for whom, of what and when: no product has one for all
STANDING = ("open", "assigned")  # what somebody is to see to

_D, _F, _T, _X, _L = schema.differences, schema.findings, schema.refined, schema.crosswalk, schema.links


def corrections(c: sa.Connection, hub: Hub, push: Writable) -> Iterator[Difference]:
    """What channels are given because the master says so, beside the differences to golden records."""
    yield from _prices(c, hub, push)
    yield from _pages(c, hub, push)


def is_hearsay(hub: Hub, entity: str, field: str, winner: str | None, rule: str) -> bool:
    """Whether this is a price that only another channel says: right there, maybe, and for nobody else."""
    told_by = (winner or "").partition("/")[0]
    return entity == Entity.PRODUCT and field in IN_CONTEXT and rule == MASTER and told_by not in hub.rules.masters


def no_hearsay(hub: Hub) -> sa.ColumnElement[bool]:
    """SQL: the differences that are none of these."""
    ours = sa.or_(sa.false(), *(_D.c.winner.startswith(f"{name}/", autoescape=True) for name in hub.rules.masters))
    in_context = sa.and_(_D.c.entity == Entity.PRODUCT.value, _D.c.field.in_(IN_CONTEXT), _D.c.rule == MASTER)
    return sa.or_(~in_context, sa.func.coalesce(ours, sa.false()))


def corrected(
    c: sa.Connection, plan_ids: Collection[str], cells: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str | None]]:
    """(ref, field) → (golden id, what it was corrected to) of these cells, as these plans have it, the last of them:
    what no golden record says of a record of its own."""
    t = schema.changes
    query = sa.select(t.c.ref, t.c.field, t.c.golden_id, t.c.new).where(t.c.plan_id.in_(sorted(plan_ids)))
    rows = bulk.where_in(c, query.order_by(t.c.plan_id), t.c.ref, {ref for ref, _ in cells})
    product = f"{Entity.PRODUCT}_"
    found = {(row.ref, row.field): (row.golden_id, row.new) for row in rows if row.golden_id.startswith(product)}
    return {cell: found[cell] for cell in cells if cell in found}


# -- prices ----------------------------------------------------------------------------------------------------------


def _prices(c: sa.Connection, hub: Hub, push: Writable) -> Iterator[Difference]:
    day, masters = Basis.of(c).day, sorted(hub.rules.masters)
    channels = [system for (system, _), may in push.items() if PRICE in may.fields]
    if not day or not masters or not channels:
        return
    judged = _judged(c, channels)
    if not judged.num_rows:
        return
    found = right_prices(judged, _listed(c, judged, masters), day).to_pylist()
    pinned = _pinned(c, [one["golden_id"] for one in found])
    for one in _not_worn(c, found):
        where = Ref.parse(one["ref"])
        may = push.get((where.system, where.stream))
        if may and PRICE in may.fields and one["golden_id"] not in pinned:
            told = (one["golden_id"], one["theirs"], one["ours"], one["winner"], MASTER)
            yield Difference(one["ref"], PRICE, *told)


def _judged(c: sa.Connection, channels: Collection[str]) -> pa.Table:
    """Products on sale in these channels whose price somebody is to see to."""
    query = (
        sa.select(_F.c.ref, _X.c.golden_id, _L.c.target.label("sku"), _T.c.fields, _F.c.expected)
        .join(_T, _T.c.ref == _F.c.ref)
        .join(_X, _X.c.ref == _F.c.ref)
        .join(_L, sa.and_(_L.c.ref == _F.c.ref, _L.c.field == "sku"))
        .where(_F.c.state.in_(STANDING), _F.c.kind.startswith("price_"), _F.c.field == PRICE, ~_T.c.deleted)
        .where(_F.c.entity == Entity.PRODUCT.value, _F.c.system.in_(sorted(channels)), _F.c.expected.is_not(None))
        .order_by(_F.c.ref)
    )
    return bulk.table(c, query).cast(JUDGED)


def _listed(c: sa.Connection, judged: pa.Table, masters: Sequence[str]) -> pa.Table:
    """What the masters say of these products and ask for them, named as the channels' products are."""
    skus = judged.column("sku").to_pylist()
    targets = {sold_as(entity, sku): sku for entity in MASTERED for sku in skus}
    query = sa.select(_T.c.ref, _T.c.entity, _L.c.target.label("sku"), _T.c.fields).join(_L, _L.c.ref == _T.c.ref)
    query = query.where(_T.c.system.in_(masters), ~_T.c.deleted, _L.c.field == "sku")
    found = bulk.table_in(c, query, _L.c.target, list(targets)).cast(LISTED)
    names = pa.array([targets[sku] for sku in found.column("sku").to_pylist()], pa.string())
    return found.set_column(found.schema.get_field_index("sku"), "sku", names)


def _pinned(c: sa.Connection, golden_ids: Collection[str]) -> set[str]:
    """Those whose price a steward has said."""
    p = schema.pins
    query = sa.select(p.c.golden_id).where(p.c.field == PRICE)
    return {row.golden_id for row in bulk.where_in(c, query, p.c.golden_id, golden_ids)}


def _not_worn(c: sa.Connection, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those who were given this very price and could not hold all of it: they would be given it for ever."""
    s = schema.sent
    rows = bulk.where_in(c, sa.select(s.c.ref, s.c.value).where(s.c.field == PRICE), s.c.ref, [x["ref"] for x in found])
    given = {row.ref: row.value for row in rows}
    return [x for x in found if given.get(x["ref"]) != x["ours"] or not worn(Kind.MONEY, x["ours"], x["theirs"] or "")]


# -- pages -----------------------------------------------------------------------------------------------------------


def _pages(c: sa.Connection, hub: Hub, push: Writable) -> Iterator[Difference]:
    """Where products are written by what frames them: a variant's name is its product's title."""
    for name, connector in sorted(hub.connectors.items()):
        for stream in connector.streams:
            page = push.get((name, stream.nested.of)) if stream.nested else None
            if page is None or stream.entity is not Entity.PRODUCT or connector.master:
                continue
            own = push[name, stream.name].fields if (name, stream.name) in push else ()
            by_page = [f for f in page.fields if f not in own and f not in IN_CONTEXT and f in stream.fields]
            if by_page:
                yield from _of_pages(c, hub, name, stream.name, by_page)


def _of_pages(c: sa.Connection, hub: Hub, system: str, stream: str, names: Sequence[str]) -> Iterator[Difference]:
    """What the master says of the variants, where all of a page are said to be alike."""
    v = _T.alias("variant")
    query = (
        sa.select(v.c.parent, _D.c.field, _D.c.golden_id, _D.c.theirs, _D.c.ours, _D.c.winner, _D.c.rule)
        .join(v, v.c.ref == _D.c.ref)
        .where(_D.c.system == system, _D.c.stream == stream, _D.c.field.in_(names), ~v.c.deleted)
        .order_by(v.c.parent, _D.c.field, _D.c.ref)
    )
    lacking: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in c.execute(query):
        if row.parent and (row.rule == "pin" or str(row.winner or "").partition("/")[0] in hub.rules.masters):
            lacking[row.parent, row.field].append(row)
    pages = _variants_of(c, {parent for parent, _ in lacking})
    for (parent, field), rows in lacking.items():
        first = rows[0]
        alike = all(_same(field, row.ours, first.ours) for row in rows)
        if alike and len(rows) == pages[parent]:
            yield Difference(parent, field, first.golden_id, first.theirs, first.ours, first.winner, first.rule)


def _variants_of(c: sa.Connection, pages: Collection[str]) -> dict[str, int]:
    """How many there are on each page."""
    query = sa.select(_T.c.parent, sa.func.count().label("n")).where(~_T.c.deleted).group_by(_T.c.parent)
    return {row.parent: row.n for row in bulk.where_in(c, query, _T.c.parent, pages)}


def _same(field: str, a: str | None, b: str | None) -> bool:
    return fields.same(ENTITIES[Entity.PRODUCT][field].kind, a, b)

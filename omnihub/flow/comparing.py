"""Compare what has changed, and keep the differences and findings as they now stand.

changed records ─▶ problems, links noted ─▶ values of the golden records they belong to
                                        └─▶ what they touch (`touching`) ─▶ links, products, prices, orders and
                                                                            tickets of that

Each slice keeps its output; what was noted of the old links, and the watermark, go last: whoever is stopped in between
begins again, finds the same and says nothing new. Everything is compared when the settings say something else.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from omnihub.compare import (
    HELD,
    broken_links,
    catalog,
    context,
    link_fields,
    missing,
    problems,
    promotions,
    service,
    values,
)
from omnihub.compare import orders as about_orders
from omnihub.compare.assortment import KIND as MISSING
from omnihub.compare.catalog import KINDS
from omnihub.compare.values import DIFFERENCES, GOLDENS, MEMBERS, ROWS
from omnihub.flow.findings import Handling, hand_over, keep, owners_named, wake
from omnihub.flow.hub import Hub
from omnihub.flow.ordering import nearby
from omnihub.flow.touching import (
    Basis,
    Surroundings,
    assortment,
    basis_now,
    note_links,
    promising,
    standards,
    surroundings,
    touched_context,
)
from omnihub.flow.unmerging import UNMERGED, Cell, own_words
from omnihub.model import GOLDEN, STANDING, Entity
from omnihub.sdk import FullName
from omnihub.store import bulk, schema
from omnihub.store.open import advance, latest, now_iso, watermark

SLICE = 20_000  # records, or golden records, compared at once
_SHAPE = 11  # of what is noted and asked; another number compares everything again

ABOUT_VALUES = ("value_differs", "product_differs", "consent_conflict", "duplicate")
ABOUT_CONTEXT = ("orphan_link", MISSING, *KINDS, *promotions.KINDS, *about_orders.KINDS, *service.KINDS)


def compare_all(hub: Hub, today: str | None = None, now: str | None = None) -> dict[str, Any]:
    """Bring differences and findings up to date. Returns differences, the findings that stand by kind, how many were
    opened, resolved, and reopened after they had been ignored.

    today: an ISO day, the one prices are held against; now: the time at which what is promised is due, ISO in UTC. The
    clock's if not told.
    """
    at = now or now_iso()
    told = _settings(hub)
    with hub.store.read() as c:
        before = Basis.of(c)
        mark, until = watermark(c, "compare") if before.settings == told else 0, latest(c)
        touched = {entity: _touched(c, entity, mark) for entity in GOLDEN}
        handling = Handling.of(hub.findings, owners_named(c, hub))
    tally: Counter[str] = Counter()
    noted = note_links(hub, mark, SLICE, lambda rows, refs: tally.update(_compare_problems(hub, handling, rows, refs)))
    for entity, golden_ids in touched.items():
        for done, some in enumerate(bulk.chunks(golden_ids, SLICE)):
            hub.progress(f"compare {entity}", done * SLICE, len(golden_ids))
            tally.update(_compare_values(hub, handling, entity, some))
    basis = basis_now(hub, before, noted, told, today or _today(hub), at)
    asked = touched_context(hub, mark, noted, before, basis)
    for done, some in enumerate(bulk.chunks(asked, SLICE)):
        hub.progress("compare links, prices and service", done * SLICE, len(asked))
        tally.update(_compare_context(hub, handling, basis, some))
    with hub.store.write() as c:
        noted.forget(c)
        basis.keep(c)
        advance(c, "compare", until)
        hand_over(c, handling)
        tally["reopened"] += wake(c)
        f = schema.findings
        stand = sa.select(f.c.kind, sa.func.count().label("n")).where(f.c.state.in_(STANDING))
        by_kind: dict[str, int] = {row.kind: row.n for row in c.execute(stand.group_by(f.c.kind).order_by(f.c.kind))}
        differences = c.execute(sa.select(sa.func.count()).select_from(schema.differences)).scalar_one()
    hub.store.count_roughly()
    return {
        "compared": sum(len(ids) for ids in touched.values()),
        "differences": differences,
        "findings": sum(by_kind.values()),
        "by_kind": by_kind,
        "opened": tally["opened"],
        "resolved": tally["resolved"],
        "reopened": tally["reopened"],
    }


def _today(hub: Hub) -> str:
    """The day it is where the masters are."""
    return datetime.fromisoformat(now_iso()).astimezone(ZoneInfo(hub.zone)).date().isoformat()


def _settings(hub: Hub) -> str:
    """Names what is compared, and with whom: the masters, their days, and the fields each stream holds."""
    held = sorted(json.dumps(row, sort_keys=True) for e in GOLDEN for row in _held(hub, e).to_pylist())
    told = repr((_SHAPE, sorted(hub.rules.masters), hub.zone, held, holding(hub).to_pylist(), _matter(hub)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _matter(hub: Hub) -> str:
    """What findings matter by, and who sees to them."""
    return hub.findings.model_dump_json(exclude={"limit"})


def _touched(c: sa.Connection, entity: Entity, mark: int) -> list[str]:
    """Golden records that changed, and those with a member that did."""
    g, x, t = schema.goldens, schema.crosswalk, schema.refined
    found = set(c.execute(sa.select(g.c.id).where(g.c.entity == entity.value, g.c.seq > mark)).scalars())
    found |= set(c.execute(sa.select(x.c.golden_id).where(x.c.entity == entity.value, x.c.seq > mark)).scalars())
    changed = sa.select(x.c.golden_id).join(t, t.c.ref == x.c.ref).where(t.c.entity == entity.value, t.c.seq > mark)
    return sorted(found | set(c.execute(changed).scalars()))


# -- values --------------------------------------------------------------------------------------------------------


def _compare_values(hub: Hub, handling: Handling, entity: Entity, golden_ids: Sequence[str]) -> dict[str, int]:
    g, x, t, d = schema.goldens, schema.crosswalk, schema.refined, schema.differences
    with hub.store.read() as c:
        goldens = bulk.table_in(c, sa.select(g.c.id.label("golden_id"), g.c.fields, g.c.lineage), g.c.id, golden_ids)
        held_by = sa.select(x.c.golden_id, t.c.ref, t.c.system, t.c.stream, t.c.fields).join(t, t.c.ref == x.c.ref)
        members = bulk.table_in(c, held_by.where(~t.c.deleted), x.c.golden_id, golden_ids)
        emptied = [cell for cell, own in own_words(c, golden_ids).items() if own.value is None]
        all_refs = [r[0] for r in bulk.where_in(c, sa.select(x.c.ref), x.c.golden_id, golden_ids)]
    differences, found = values(entity, goldens.cast(GOLDENS), members.cast(MEMBERS), _held(hub, entity))
    rows = [tuple(r[n] for n in DIFFERENCES) + (entity.value,) for r in differences.to_pylist()]
    if emptied:
        rows += _to_be_emptied(entity, goldens, members, emptied)
    with hub.store.write() as c:
        bulk.delete(c, d.c.golden_id, golden_ids)
        bulk.delete(c, d.c.ref, all_refs)
        bulk.append(c, d, (*DIFFERENCES, "entity"), rows)
        return keep(c, found.to_pylist(), ABOUT_VALUES, all_refs, handling)


def _to_be_emptied(
    entity: Entity, goldens: pa.Table, members: pa.Table, cells: Collection[Cell]
) -> list[tuple[Any, ...]]:
    """What a record was given by somebody who is another one now, where its own golden record says nothing: as rows of
    differences."""
    said = {g["golden_id"]: json.loads(g["fields"]) for g in goldens.to_pylist()}
    held = {m["ref"]: m for m in members.to_pylist()}
    found = []
    for ref, field in sorted(cells):
        one = held.get(ref)
        if one and field not in said[one["golden_id"]]:
            theirs = json.loads(one["fields"])[field]
            where = (one["system"], one["stream"], one["golden_id"])
            found.append((ref, field, *where, theirs, None, "", UNMERGED, entity.value))
    return found


def _held(hub: Hub, entity: Entity) -> pa.Table:
    rows = [
        {"system": name, "stream": stream.name, "field": field, "joined": isinstance(where, FullName)}
        for name, connector in hub.connectors.items()
        for stream in connector.streams
        if stream.entity is entity
        for field, where in stream.fields.items()
    ]
    return pa.Table.from_pylist(rows, schema=HELD)


# -- problems ------------------------------------------------------------------------------------------------------


def _compare_problems(hub: Hub, handling: Handling, rows: pa.Table, refs: Sequence[str]) -> dict[str, int]:
    """rows: the living of `refs`."""
    found = problems(rows.cast(ROWS)).to_pylist()
    with hub.store.write() as c:
        return keep(c, found, ("value_invalid",), refs, handling)


# -- context -------------------------------------------------------------------------------------------------------


def _compare_context(hub: Hub, handling: Handling, basis: Basis, refs: Sequence[str]) -> dict[str, int]:
    """Links, products, prices and tickets of these records, each in its context: looked up, not read as a whole."""
    with hub.store.read() as c:
        near = surroundings(c, refs, hub.rules.masters)
        round_orders = nearby(c, near.rows)
        sold = assortment(c, near.rows, hub.rules.masters, basis.sellers)
        terms = standards(c, hub.rules.masters)
    streams = pa.table({"stream": pa.array(basis.streams, pa.string())})
    found = broken_links(near.rows.cast(ROWS), link_fields(), near.targets, streams).to_pylist()
    asked = {*refs}  # what stands beside them was looked at for their sake only
    if round_orders.copies.num_rows:
        told = (round_orders.copies, round_orders.lines, round_orders.stock, basis.day, hub.findings.orders_from)
        judged = about_orders.orders(*told)
        found += [one for one in judged.to_pylist() if one["ref"] in asked]
    if near.trade.num_rows:
        traded = (near.trade.cast(ROWS), near.believed, near.accounts, sorted(hub.rules.masters), basis.day, hub.zone)
        priced = catalog(*context(*traded, near.groups)).to_pylist()
        said = promotions.apart(_offered(hub, near, basis), priced)
        found += [one for one in said if one["ref"] in asked]
    if sold.products.num_rows and basis.sellers:
        found += missing(sold.products, sold.offered, sold.sellers).to_pylist()
    tickets = near.rows.filter(pc.equal(near.rows.column("entity"), Entity.TICKET.value))
    if tickets.num_rows and terms.num_rows:
        served = service.measured(tickets.select(service.TICKETS.names), terms, holding(hub), basis.at, hub.zone)
        found += service.late(served).to_pylist()
    with hub.store.write() as c:
        return keep(c, found, ABOUT_CONTEXT, refs, handling)


def _offered(hub: Hub, near: Surroundings, basis: Basis) -> list[dict[str, Any]]:
    """What is wrong with the offers among these, if there are any."""
    said = pc.any(pc.equal(near.rows.column("entity"), Entity.PROMOTION.value)).as_py()
    if not said or not promising(hub, basis):
        return []
    told = promotions.offers(near.trade.cast(ROWS), near.believed, near.accounts, sorted(hub.rules.masters), hub.zone)
    found: list[dict[str, Any]] = promotions.promotions(*told, basis.day).to_pylist()
    return found


def holding(hub: Hub) -> pa.Table:
    """As `compare.service.HOLDING`: which fields of a ticket each stream holds, in the systems that are no master."""
    rows = [
        {"system": name, "stream": stream.name, "field": field}
        for name, connector in sorted(hub.connectors.items())
        if name not in hub.rules.masters
        for stream in connector.streams
        if stream.entity is Entity.TICKET
        for field in stream.fields
    ]
    return pa.Table.from_pylist(rows, schema=service.HOLDING)

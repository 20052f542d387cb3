"""Score: count what the store holds, cell by cell, and keep the counts of each run.

golden records, their members, differences ─▶ `report.Tally`   ─┐
products, lines, orders … and their findings ─▶ `report.Checked` ─┴─▶ field scores ─▶ kept per run ─▶ trend
tickets, held against the master's standards ─▶ `report.Served`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from omnihub import report as words
from omnihub.compare import service
from omnihub.flow.awaiting import read_times
from omnihub.flow.comparing import holding
from omnihub.flow.correcting import no_hearsay
from omnihub.flow.hub import Hub
from omnihub.flow.touching import Basis, standards
from omnihub.model import ALIVE, GOLDEN, STANDING, Entity
from omnihub.report.checked import CELLS, ENTITIES, Checked
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso

SLICE = 20_000  # records at once
RUNS = 30  # shown in a trend
KEPT = 500  # runs whose scores are kept

NOT_OF_A_CELL = ("value_invalid", "duplicate", "orphan_link", "target_cannot_hold", "product_missing")
"""Kinds that say nothing of whether a value is the right one."""

_FIELD = ("system", "entity", "field", "phase", "golden", "comparable", "equal", "corrected", "filled")
_STAKE = ("system", "entity", "currency", "findings", "cents")


# -- counting --------------------------------------------------------------------------------------------------------


def field_scores(
    c: sa.Connection, hub: Hub, today: str, served: words.Served | None = None
) -> tuple[words.FieldScore, ...]:
    """Every cell, by system, entity, field and phase. today: the ISO day that prices are held against. served: is told
    of every ticket how soon it was answered and solved."""
    differing = _differing(c, hub)
    return (*_golden_scores(c, hub, differing), *_checked_scores(c, hub, differing, today, served))


def _golden_scores(c: sa.Connection, hub: Hub, differing: pa.Table) -> tuple[words.FieldScore, ...]:
    t, x, g = schema.refined, schema.crosswalk, schema.goldens
    query = (
        sa.select(t.c.ref, t.c.entity, t.c.system, t.c.stream, t.c.fields.label("theirs"), g.c.fields.label("ours"))
        .join(x, x.c.ref == t.c.ref)
        .join(g, g.c.id == x.c.golden_id)
        .where(~t.c.deleted, t.c.entity.in_([e.value for e in GOLDEN]))
    )
    with words.Tally(differing, _held(hub)) as tally:
        for batch in bulk.batches(c, query, SLICE):
            tally.add(batch.cast(words.MEMBERS))
        return tally.fields()


def _checked_scores(
    c: sa.Connection, hub: Hub, differing: pa.Table, today: str, served: words.Served | None
) -> tuple[words.FieldScore, ...]:
    t = schema.refined
    query = sa.select(t.c.ref, t.c.entity, t.c.system, t.c.stream, t.c.fields)
    query = query.where(~t.c.deleted, t.c.entity.in_([e.value for e in ENTITIES]))
    held, masters, measure = _held(hub, checked=True), sorted(hub.rules.masters), _measure(c, hub)
    with Checked(differing, held, masters, today) as checked:
        for batch in bulk.batches(c, query, SLICE):
            measured = measure(batch)
            checked.add(batch, measured)
            if served:
                served.add(measured)
        return checked.fields()


def _measure(c: sa.Connection, hub: Hub) -> Callable[[pa.Table], pa.Table]:
    """What measures the tickets among some records, as of the last compare: its findings are of the same moment."""
    terms, at = standards(c, hub.rules.masters), Basis.of(c).at or now_iso()
    told = holding(hub)

    def measure(rows: pa.Table) -> pa.Table:
        tickets = rows.filter(pc.equal(rows.column("entity"), Entity.TICKET.value)).select(service.TICKETS.names)
        return service.measured(tickets, terms, told, at, hub.zone)

    return measure


def _held(hub: Hub, checked: bool = False) -> pa.Table:
    """The fields each stream holds: those held against golden records, or those held against what else is known."""
    rows = [
        {"system": name, "stream": stream.name, "field": field}
        for name, connector in sorted(hub.connectors.items())
        for stream in connector.streams
        for field in stream.fields
        if (
            (stream.entity, field) in CELLS
            if checked
            else stream.entity in GOLDEN and field in words.scored_fields(stream.entity)
        )
    ]
    return pa.Table.from_pylist(rows, schema=words.HELD)


def _differing(c: sa.Connection, hub: Hub) -> pa.Table:
    """Cells that differ: differences (a price is not wrong because another channel says another), permissions held
    against a no, and what is found of everything sold and promised; with when the right value was last written."""
    d, f, s = schema.differences, schema.findings, schema.sent
    differences = sa.select(d.c.ref, d.c.field, d.c.theirs.is_not(None).label("held"), d.c.ours).where(no_hearsay(hub))
    found = sa.select(f.c.ref, f.c.field, sa.true().label("held"), f.c.expected.label("ours"))
    about_cells = f.c.entity.not_in(("account", "contact")) & f.c.kind.not_in(NOT_OF_A_CELL)
    found = found.where(f.c.state.in_(ALIVE), (f.c.kind == "consent_conflict") | about_cells)
    cells = sa.union_all(differences, found).subquery()
    written = sa.and_(s.c.ref == cells.c.ref, s.c.field == cells.c.field, s.c.value == cells.c.ours)
    query = sa.select(cells.c.ref, cells.c.field, cells.c.held, s.c.at.label("sent_at")).outerjoin(s, written)
    rows = bulk.table(c, query)
    return rows.append_column("read_at", read_at(c, hub, rows)).cast(words.DIFFERING)


def read_at(c: sa.Connection, hub: Hub, rows: pa.Table) -> pa.Array:
    """When the streams of these refs were last read."""
    times = read_times(c, hub.connectors)
    where = ((system, stream) for system, stream, _ in (ref.split("/", 2) for ref in rows.column("ref").to_pylist()))
    return pa.array([times.get(stream) for stream in where], pa.string())


def known(c: sa.Connection) -> pa.Table:
    """As `report.KNOWN`: how many records each system has, and how many golden records these are."""
    t, x = schema.refined, schema.crosswalk
    asked = [*dict.fromkeys(e.value for e in (*GOLDEN, *(entity for entity, _ in CELLS)))]
    living = sa.select(t.c.system, t.c.entity, x.c.golden_id).outerjoin(x, x.c.ref == t.c.ref)
    placed = x.c.golden_id.is_not(None) | t.c.entity.not_in([e.value for e in GOLDEN])
    l = living.where(~t.c.deleted, t.c.entity.in_(asked), placed).subquery()  # noqa: E741
    one_each = sa.func.count(l.c.golden_id.distinct())
    totals: dict[str, int] = dict(c.execute(sa.select(l.c.entity, one_each).group_by(l.c.entity)).all())
    query = sa.select(l.c.system, l.c.entity, sa.func.count(), one_each).group_by(l.c.system, l.c.entity)
    order = {entity: n for n, entity in enumerate(asked)}
    found = sorted(c.execute(query).all(), key=lambda r: (r[0], order[r[1]]))
    rows = [{"system": r[0], "entity": r[1], "records": r[2], "known": r[3], "total": totals[r[1]]} for r in found]
    return pa.Table.from_pylist(rows, schema=words.KNOWN)


def stakes(c: sa.Connection) -> tuple[words.Stake, ...]:
    """The money at risk in what is still to be seen to."""
    f = schema.findings
    key = (f.c.system, f.c.entity, f.c.currency)
    cents = sa.cast(sa.func.sum(f.c.at_stake_cents), sa.BigInteger)
    query = sa.select(*key, sa.func.count(), cents).where(f.c.state.in_(STANDING), f.c.at_stake_cents != 0)
    return tuple(words.Stake(*row) for row in c.execute(query.group_by(*key).order_by(*key)))


# -- keeping ---------------------------------------------------------------------------------------------------------


def keep(
    c: sa.Connection,
    run_id: str,
    fields: Sequence[words.FieldScore],
    at_stake: Sequence[words.Stake],
    kept: int = KEPT,
) -> None:
    """Keep what was counted for a run in place of what was kept of it before, and of the last `kept` runs only."""
    r = schema.runs
    old = sa.select(r.c.id).order_by(r.c.started_at.desc(), r.c.id.desc()).offset(kept)
    for table, names, rows in ((schema.scores, _FIELD, fields), (schema.stakes, _STAKE, at_stake)):
        gone = [*c.execute(old).scalars(), run_id]
        bulk.delete(c, table.c.run_id, gone)
        told = [(run_id, *(getattr(row, name) for name in names)) for row in rows]
        bulk.append(c, table, ("run_id", *names), told)


def past(c: sa.Connection, until: str, since: str = "", system: str = "") -> list[words.Scored]:
    """What was kept of the runs up to `until` (when it started; it is not among them), at most the last RUNS: oldest
    first. since: none that started before. system: only what is about it."""
    r = schema.runs
    query = sa.select(r.c.id, r.c.started_at).where(r.c.started_at < until, r.c.started_at >= since)
    query = query.where(sa.exists().where(schema.scores.c.run_id == r.c.id))
    rows = c.execute(query.order_by(r.c.started_at.desc(), r.c.id.desc()).limit(RUNS - 1)).all()
    fields: dict[str, list[words.FieldScore]] = {row.id: [] for row in rows}
    money: dict[str, list[words.Stake]] = {row.id: [] for row in rows}
    s, m = schema.scores, schema.stakes
    of_fields, of_money = sa.select(s).where(s.c.run_id.in_(fields)), sa.select(m).where(m.c.run_id.in_(money))
    if system:
        of_fields, of_money = of_fields.where(s.c.system == system), of_money.where(m.c.system == system)
    for one in c.execute(of_fields):
        fields[one.run_id].append(words.FieldScore(**{name: getattr(one, name) for name in _FIELD}))
    for one in c.execute(of_money):
        money[one.run_id].append(words.Stake(**{name: getattr(one, name) for name in _STAKE}))
    return [words.Scored(row.id, row.started_at, fields[row.id], money[row.id]) for row in reversed(rows)]

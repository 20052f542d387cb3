"""Undoing what was made: which records a plan has made, and what is known of them; and what an undo has taken away.

created, sent, links ─▶ `push.undo.take_away` ─▶ let go of, or deleted ─▶ held: not made again by the next sync
receipts of such an undo ─▶ known as the hub's own again, or made again
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from omnihub.flow.creating import WHOLE
from omnihub.flow.hub import Hub
from omnihub.model import ENTITIES, Change, Entity, Kind, Op, Outcome
from omnihub.push import Inverse, Receipt
from omnihub.push.missing import to_be_made
from omnihub.push.policy import policy_for
from omnihub.push.undo import Made, known_again, made_again
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso, take

_C, _S, _L, _R = schema.created, schema.sent, schema.links, schema.receipts


def joined(a: Inverse, b: Inverse) -> Inverse:
    """Both of them."""
    changes = sorted((*a.changes, *b.changes), key=lambda change: (change.ref, change.field))
    return Inverse(tuple(changes), a.done + b.done, tuple(sorted((*a.left, *b.left), key=lambda o: (o.ref, o.field))))


def made_by(c: sa.Connection, hub: Hub, plans: Sequence[str], systems: Sequence[str]) -> list[Made]:
    """The records these plans have made, in these systems (all where none are named), that are still the hub's own."""
    rows = [row for row in _made(c, _C.c.plan_id, plans, systems) if row.undone_by is None]
    refs = {row.ref for row in rows}
    again = sa.select(_S.c.ref, _S.c.plan_id).where(_S.c.plan_id.not_in(plans))
    later = {row.ref: row.plan_id for row in bulk.where_in(c, again, _S.c.ref, refs)}
    leaning: dict[str, set[str]] = defaultdict(set)
    for ref, target in bulk.where_in(c, sa.select(_L.c.ref, _L.c.target), _L.c.target, refs):
        if "/" in ref and ref not in refs:  # not what goes with it, nor a golden record
            leaning[target].add(ref)
    return [
        Made(
            row.ref,
            row.key,
            row.plan_id,
            json.loads(row.image) if row.image else None,
            later.get(row.ref),
            tuple(sorted(leaning[row.ref])),
            policy_for(hub.policies, row.system, row.key).delete == "own",
        )
        for row in rows
    ]


def _made(
    c: sa.Connection, column: sa.ColumnElement[str], plans: Sequence[str], systems: Sequence[str]
) -> list[sa.Row[tuple[str, ...]]]:
    query = sa.select(_C).where(_C.c.ref.is_not(None)).order_by(_C.c.ref)
    return [row for row in bulk.where_in(c, query, column, plans) if not systems or row.system in systems]


def remade(c: sa.Connection, undos: Sequence[str], systems: Sequence[str]) -> Inverse:
    """What takes it back that these undos let go of records, or took them away."""
    rows = {row.ref: row for row in _made(c, _C.c.undone_by, undos, systems)}
    told = sa.select(_R.c.ref, _R.c.op, _R.c.before).where(
        _R.c.plan_id.in_(undos), _R.c.outcome == Outcome.WRITTEN.value
    )
    receipts = [r for r in bulk.where_in(c, told, _R.c.ref, rows) if r.op in (Op.UNLINK.value, Op.DELETE.value)]
    names = {
        r.ref: str(to_be_made(rows[r.ref].system, rows[r.ref].stream, rows[r.ref].key))
        for r in receipts
        if r.op == Op.DELETE.value
    }
    changes: list[Change] = []
    for r in receipts:
        row, before = rows[r.ref], json.loads(r.before)
        one = Made(r.ref, row.key, row.undone_by, None)
        if r.op == Op.DELETE.value:
            links = [f.name for f in ENTITIES[Entity(row.entity)].values() if f.kind is Kind.LINK]
            changes += made_again(one, before, names, links)
        else:
            field, value = next(iter(before.items()))
            changes.append(known_again(one, field, value))
    return Inverse(tuple(changes), 0, ())


# -- keeping ---------------------------------------------------------------------------------------------------------


def keep(c: sa.Connection, plan_id: str, receipts: Iterable[Receipt]) -> None:
    """What was let go of, taken away, or is the hub's own again: in the transaction that keeps the receipts."""
    done = [r for r in receipts if r.outcome is Outcome.WRITTEN]
    gone = {r.ref for r in done if r.op in (Op.UNLINK, Op.DELETE)}
    if gone:
        _let_go(c, plan_id, gone)
    back = {r.ref for r in done if r.op is Op.LINK} | {str(r.made) for r in done if r.made}
    if back:
        _take_back(c, back)


def _let_go(c: sa.Connection, plan_id: str, refs: Collection[str]) -> None:
    about = json.loads(c.execute(sa.select(schema.plans.c.about).where(schema.plans.c.id == plan_id)).scalar() or "{}")
    rows = bulk.where_in(c, sa.select(_C), _C.c.ref, refs)
    _set(c, refs, {"undone_by": plan_id, "seq": take(c, 1)})
    at, who = now_iso(), (about.get("author", ""), about.get("reason", ""))
    held = [(str(to_be_made(r.system, r.stream, r.key)), WHOLE, None, r.key, plan_id, *who, at) for r in rows]
    bulk.upsert(c, schema.holds, ("ref", "field", "theirs", "ours", "plan_id", "author", "reason", "at"), held)


def _take_back(c: sa.Connection, refs: Collection[str]) -> None:
    h = schema.holds
    rows = bulk.where_in(c, sa.select(_C), _C.c.ref, refs)
    _set(c, refs, {"undone_by": None, "seq": take(c, 1)})
    for row in rows:
        planned = str(to_be_made(row.system, row.stream, row.key))
        c.execute(sa.delete(h).where(h.c.ref == planned, h.c.field == WHOLE))


def _set(c: sa.Connection, refs: Collection[str], values: Mapping[str, str | int | None]) -> None:
    if (among := bulk.among(c, _C.c.ref, refs)) is not None:
        c.execute(sa.update(_C).where(among).values(**values))

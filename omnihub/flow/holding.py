"""What a person has undone, remembered beside what was sent: it is not written again while nothing about it changes.

undo is about to write ──▶ held: what was restored, what the golden record said, who and why
it was not written; anything else writes the field; an undo is undone; a person says so (`lift`) ──▶ held no longer
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from omnihub.flow.auditing import audited
from omnihub.flow.correcting import IN_CONTEXT, corrected
from omnihub.push.undo import Hold, same
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso

Cell = tuple[str, str]
"""(ref, field)"""

_HOLDS = ("ref", "field", "theirs", "ours", "plan_id", "author", "reason", "at")


def holds(c: sa.Connection) -> dict[Cell, Hold]:
    """(ref, field) → what is held there."""
    h = schema.holds
    return {(r.ref, r.field): Hold(r.theirs, r.ours) for r in c.execute(sa.select(h))}


def held(c: sa.Connection, refs: Collection[str] | None = None) -> list[dict[str, Any]]:
    """What is held, of these records or all, for a person to read."""
    h = schema.holds
    query = sa.select(h).order_by(h.c.ref, h.c.field)
    rows = c.execute(query).all() if refs is None else bulk.where_in(c, query, h.c.ref, refs)
    return [dict(row._mapping) for row in rows]


def foresee(c: sa.Connection, plan_id: str, meant: Mapping[Cell, str | None]) -> None:
    """Some fields are about to be written by this plan: where it is an undo they are held from now on, so that they are
    also where the process dies between the system's commit and our receipt."""
    p = schema.plans
    if _kind(c, plan_id) == "undo":
        about = json.loads(c.execute(sa.select(p.c.about).where(p.c.id == plan_id)).scalar() or "{}")
        _hold(c, plan_id, about, meant)


_ANY = sa.select(schema.holds.c.ref).limit(1)  # put together once: asked with every few batches


def remember(c: sa.Connection, plan_id: str, written: Collection[Cell], others: Collection[Cell]) -> None:
    """Some fields were written by this plan, others were not: what an undo has written stays held, and what anything
    else has written is held no longer."""
    if c.execute(_ANY).first() is not None:
        _let_go(c, others if _kind(c, plan_id) == "undo" else written)


def _kind(c: sa.Connection, plan_id: str) -> str | None:
    return c.execute(sa.select(schema.plans.c.kind).where(schema.plans.c.id == plan_id)).scalar()


def _hold(c: sa.Connection, plan_id: str, about: Mapping[str, Any], written: Mapping[Cell, str | None]) -> None:
    """Where the golden record says the same by now there is nothing to hold."""
    x, g = schema.crosswalk, schema.goldens
    query = sa.select(x.c.ref, g.c.id, g.c.fields).join(g, g.c.id == x.c.golden_id)
    found = bulk.where_in(c, query, x.c.ref, {ref for ref, _ in written})
    believed = {r.ref: (r.id, json.loads(r.fields)) for r in found}
    masters = corrected(
        c, about["undoes"], [cell for cell in written if cell[0] not in believed or cell[1] in IN_CONTEXT]
    )
    rows, at = [], now_iso()
    for (ref, field), value in written.items():
        golden_id, ours = believed.get(ref, ("", {}))
        golden_id, right = masters.get((ref, field), (golden_id, ours.get(field)))
        if golden_id and not same(golden_id, field, value, right):
            rows.append((ref, field, value, right, plan_id, about["author"], about["reason"], at))
    _let_go(c, written)
    bulk.upsert(c, schema.holds, _HOLDS, rows)


def _let_go(c: sa.Connection, cells: Collection[Cell]) -> None:
    h = schema.holds
    refs = {ref for ref, _ in cells}
    for ref, field in bulk.where_in(c, sa.select(h.c.ref, h.c.field), h.c.ref, refs):
        if (ref, field) in cells:
            c.execute(sa.delete(h).where(h.c.ref == ref, h.c.field == field))


def lift(
    store: Store,
    author: str,
    plan_ids: Sequence[str] | None = None,
    ref: str = "",
    systems: Sequence[str] = (),
    names: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Let go of what is held: by these undos, of this record, in these systems, of these fields (what is not said does
    not matter). Returns what was held; the next plan may write it again."""
    with store.write() as c:
        gone = [
            one
            for one in held(c)
            if (plan_ids is None or one["plan_id"] in plan_ids)
            and (not ref or one["ref"] == ref)
            and (not systems or one["ref"].split("/")[0] in systems)
            and (not names or one["field"] in names)
        ]
        _let_go(c, {(one["ref"], one["field"]) for one in gone})
        if gone:
            audited(c, author, "lifted", {"held": [[one["ref"], one["field"]] for one in gone]})
    return gone

"""Approve: a person lets exactly one plan pass that a guard has stopped, because of something, for a while.

    blocked ─▶ approve (who, because, until when; named by its hash) ─▶ approved ─▶ `apply_plan`, if that is still so

An approval is of the changes its hash names. Planned anew with the same changes, and no limit broken further, the plan
keeps its approval under its new id (`guarding.still_approved`); with any other it is asked for again, and so it is once
the plan has been carried out.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from omnihub.errors import ConfigError, UnsafePlan
from omnihub.flow import guarding
from omnihub.flow.auditing import audited
from omnihub.flow.planning import Stored, open_plan
from omnihub.push.plan import hash_of
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso

DAY = timedelta(days=1)
ENOUGH = 8  # digits by which a plan can be named by its hash

_P, _A = schema.plans, schema.approvals
_WAITS = ("blocked", "approved")


def approve(store: Store, plan: str, author: str, reason: str, lasts: timedelta = DAY) -> Stored:
    """Let exactly this plan (its id, or its hash) pass the guard, for so long.

    A plan without changes, stopped because of a source, is done with it: what the source holds is fine from now on.
    UnsafePlan when it is outdated, carried out already, or its changes are not those its hash names.
    """
    if lasts <= timedelta():
        raise ConfigError("approve: say for how long, as in --for 24h")
    stored = open_plan(store, _named(store, plan))
    if stored is None:
        raise ConfigError(f"there is no plan {plan}; `omnihub plan` shows the latest")
    until = (datetime.now(UTC) + lasts).isoformat()
    with store.write() as c:
        state = c.execute(sa.select(_P.c.state).where(_P.c.id == stored.id).with_for_update()).scalar_one()
        if state not in _WAITS:
            raise UnsafePlan(
                f"{stored.id} is {state}; only a blocked plan can be approved: run `omnihub plan` for a new one"
            )
        changes = _changes(c, stored)
        _keep(c, stored, author, reason, until)
        if not changes:
            _accept(c, stored.id)
        after = "approved" if changes else "applied"
        values = {"state": after} | ({} if changes else {"applied_at": now_iso()})
        c.execute(sa.update(_P).where(_P.c.id == stored.id).values(**values))
        facts = {"plan": stored.id, "hash": stored.hash, "because": reason, "until": until}
        audited(c, author, "approved", facts)
    return replace(stored, state=after, approved_until=until)


def _named(store: Store, plan: str) -> str:
    """The id of the plan of that hash (or its beginning), the latest where there are several; else what was given."""
    if len(plan) < ENOUGH or not set(plan) <= set("0123456789abcdef"):
        return plan
    latest = sa.select(_P.c.id).where(_P.c.hash.startswith(plan)).order_by(_P.c.created_at.desc(), _P.c.id.desc())
    with store.read() as c:
        return str(c.execute(latest.limit(1)).scalar() or plan)


def _changes(c: sa.Connection, plan: Stored) -> int:
    """How many there are, once it is sure that they are those its hash names."""
    t = schema.changes
    told = sa.select(t.c.ref, t.c.field, t.c.old, t.c.new, t.c.op, t.c.exact).where(t.c.plan_id == plan.id)
    rows = [tuple(row) for row in c.execute(told)]
    if hash_of(rows) != plan.hash:
        raise UnsafePlan(f"{plan.id}: its changes are not those that were planned; run `omnihub plan` for a new one")
    return len(rows)


def _keep(c: sa.Connection, plan: Stored, author: str, reason: str, until: str) -> None:
    columns = ("plan_id", "hash", "author", "reason", "at", "expires_at")
    bulk.upsert(c, _A, columns, [(plan.id, plan.hash, author, reason, now_iso(), until)])


def check_approval(store: Store, plan: Stored) -> None:
    """UnsafePlan where a plan is said to be approved, and is not, or no longer."""
    if plan.state != "approved":
        return
    with store.read() as c:
        row = c.execute(sa.select(_A).where(_A.c.plan_id == plan.id)).one_or_none()
    if row is None or row.hash != plan.hash:
        raise UnsafePlan(f"{plan.id} is not what was approved; run `omnihub plan` for a new one")
    if guarding.ended(row.expires_at):
        raise UnsafePlan(
            f"{plan.id}: the approval by {row.author} ended at {row.expires_at[:16]} UTC; look at it again with "
            f"`omnihub plan show {plan.id}`, then `omnihub approve {plan.id} --because …`"
        )


def begin(store: Store, plan: Stored) -> None:
    """The plan is being carried out from now on. Where it was approved, so is what the sources held."""
    with store.write() as c:
        c.execute(sa.update(_P).where(_P.c.id == plan.id).values(state="applying"))
        if plan.state == "approved":
            _accept(c, plan.id)


def _accept(c: sa.Connection, plan_id: str) -> None:
    seen = c.execute(sa.select(_P.c.seen).where(_P.c.id == plan_id)).scalar_one()
    guarding.settle(c, json.loads(seen or "[]"), accepted=True)

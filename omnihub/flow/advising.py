"""Advise: what a plan says beside its changes, for whoever reads it.

operations   of each stream and kind of edit: planned, nothing to do, could not look, not supported, not wanted
minutes      how long it will take in each system, at least
merges       records of one system that are one customer: proposed to whoever may merge them there, never done
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from omnihub.flow.hub import Hub
from omnihub.model import STANDING, Op
from omnihub.push import Plan
from omnihub.push.plan import Costs, costs_of, minutes
from omnihub.push.policy import DEFAULT
from omnihub.sdk import Limit
from omnihub.store import bulk, schema

PLANNED, NOTHING = "planned", "nothing to do"
BLIND, UNABLE, UNWANTED = "could not look", "not supported", "not wanted"
MERGES = 500  # proposals kept with a plan; of the others only how many


def beside(c: sa.Connection, hub: Hub, plan: Plan) -> dict[str, Any]:
    """These facts, to be kept with the plan's counts."""
    return {"operations": operations(hub, plan), "minutes": time_needed(hub, plan), "merges": merges(c)}


def operations(hub: Hub, plan: Plan) -> list[dict[str, Any]]:
    """What is planned of each kind in each stream that is written, and where nothing is, why."""
    records = Counter((ref.system, ref.stream, op) for ref, op in {(x.ref, x.op) for x in plan.changes})
    why: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (of, at, reason), n in sorted(plan.not_made.items()):
        why[of, at][reason] = n
    found = []
    for name, connector in hub.connectors.items():
        for stream in connector.streams:
            if stream.push is None or connector.master:
                continue
            policy = hub.policies.get((name, stream.entity), DEFAULT)
            can = {Op.UPDATE: True, Op.CREATE: stream.push.create is not None}
            wanted = {Op.UPDATE: policy.update != "never" or bool(policy.fields), Op.CREATE: policy.create != "never"}
            for op in (Op.UPDATE, Op.CREATE):
                n = records[name, stream.name, op]
                looked = plan.looked.get(name, BLIND)
                told: dict[str, Any] = {"system": name, "stream": stream.name, "entity": stream.entity.value}
                told |= {"op": op.value, "state": _state(n, looked, can[op], wanted[op]), "records": n}
                if op is Op.CREATE and (name, stream.name) in why:
                    told["not_made"] = why[name, stream.name]
                found.append(told)
    return found


def _state(records: int, looked: str, can: bool, wanted: bool) -> str:
    """Different words for different things: nobody should take "could not look" for "all is well"."""
    if records:
        return PLANNED
    if not can:
        return UNABLE
    if not wanted:
        return UNWANTED
    return looked if looked in (BLIND, UNABLE) else NOTHING


def time_needed(hub: Hub, plan: Plan) -> dict[str, float]:
    """Minutes each system will take, by its calls, how many may be under way, and how many it allows."""
    found: dict[str, float] = {}
    for system, costs in _costs(hub, plan).items():
        rules = [rule for rule in hub.connectors[system].limits if isinstance(rule, Limit) and not rule.path]
        pace = min((rule.calls / rule.per_s for rule in rules), default=None)
        found[system] = minutes(costs, pace)
    return found


def _costs(hub: Hub, plan: Plan) -> Mapping[str, Costs]:
    push = {(s, stream.name): stream.push for s, x in hub.connectors.items() for stream in x.streams if stream.push}
    return costs_of(plan, push)


def merges(c: sa.Connection) -> dict[str, Any]:
    """Records of one system that are one customer, with the record to merge them into, and why."""
    f = schema.findings
    query = sa.select(f.c.ref, f.c.expected, f.c.golden_id).where(f.c.kind == "duplicate", f.c.state.in_(STANDING))
    total = c.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
    rows = c.execute(query.order_by(f.c.ref).limit(MERGES)).all()
    why = _why(c, {(min(row.ref, row.expected), max(row.ref, row.expected)) for row in rows if row.expected})
    proposed = [
        {
            "ref": row.ref,
            "into": row.expected,
            "golden_id": row.golden_id,
            "why": why.get((min(row.ref, row.expected), max(row.ref, row.expected)), "both agree with other records"),
        }
        for row in rows
        if row.expected
    ]
    return {"count": int(total), "proposed": proposed}


def _why(c: sa.Connection, pairs: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What made each of these pairs one: a person's word, or how much their values agree."""
    p, j = schema.pairs, schema.judgements
    first = {a for a, _ in pairs}
    found = {
        (row.a, row.b): f"their values agree by {row.weight:.1f} bits"
        for row in bulk.where_in(c, sa.select(p.c.a, p.c.b, p.c.weight), p.c.a, first)
    }
    for row in bulk.where_in(c, sa.select(j.c.a, j.c.b, j.c.author).where(j.c.verdict == "same"), j.c.a, first):
        found[row.a, row.b] = f"{row.author} has judged them the same"
    return {pair: words for pair, words in found.items() if pair in pairs}

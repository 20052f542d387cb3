"""Plan and guard: from what compare found to a plan that is kept, and named by its hash.

differences ─▶ what may be written, is not held, was not refused ─▶ guard ─▶ stored plan ─▶ (`approving`) ─▶ `pushing`
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa

from omnihub.flow import creating, guarding, letters
from omnihub.flow.advising import beside
from omnihub.flow.auditing import audited
from omnihub.flow.correcting import corrections, is_hearsay
from omnihub.flow.gating import gated
from omnihub.flow.holding import holds
from omnihub.flow.hub import Hub
from omnihub.flow.wearing import held_short
from omnihub.model import Op, Outcome
from omnihub.push import Broken, Plan, apart_from, make_plan
from omnihub.push.guard import EXAMPLES
from omnihub.push.missing import Missing
from omnihub.push.plan import Difference, calls, unit_of
from omnihub.push.policy import asked
from omnihub.sdk import Codes, Push
from omnihub.store import Store, bulk, schema
from omnihub.store.open import latest, now_iso

SECOND = len("2026-11-22T03:22:29")  # times are kept to the second in some places, finer in others
NEVER = "9999"  # later than any time: of a stream nobody has read, nothing is known to have been written
OPEN = ("ready", "approved", "applying", "blocked")  # plans that may still be carried out


@dataclass(frozen=True)
class Stored:
    """A plan as it is kept."""

    id: str
    hash: str
    state: str
    counts: dict[str, Any]
    broken: tuple[str, ...]
    looked: dict[str, str]
    kind: str = "sync"  # undo of such a plan, redo of an undo; replay of dead letters
    about: dict[str, Any] | None = None  # of those: what is taken back (or tried again), who asked, why, what is left
    limits: tuple[Broken, ...] = ()  # what `broken` says in words
    approved_until: str = ""  # told by whoever approves


@dataclass(frozen=True)
class Replay:
    """Dead letters to be tried again: their ids, the (ref, field or group) they are about, and who asked for it."""

    letters: tuple[str, ...]
    units: Collection[tuple[str, str]]
    author: str


# -- plan ----------------------------------------------------------------------------------------------------------


def make_and_store_plan(
    hub: Hub,
    run_id: str,
    keep: bool = True,
    replay: Replay | None = None,
    told: Callable[[Stored, Plan], None] = lambda stored, plan: None,
) -> Stored:
    """Make the plan of this run, hold it against the guard, and keep it. With nothing to change none is kept.

    A plan that a guard stops is kept as `blocked`, and names the approval that lets it pass. Older plans not yet
    carried out are outdated by it. `keep=False` (a dry run) only says what would be. With a `replay` the plan holds
    what these dead letters are about and nothing else, and other plans go on beside it. `told` is given the plan with
    its changes, kept or not.
    """
    push = writable(hub)
    with hub.store.read() as c:
        as_of = latest(c)  # what landed later, this plan does not know
        looked = _looked(c, hub)
        differences = apart_from(_differences(c, hub, push), holds(c))
        held = letters.waiting(c)
        if replay:
            differences = (d for d in differences if (d.ref, unit_of(d.golden_id, d.field)) in replay.units)
        missing = [m for m in creating.missing(c, hub, looked) if replay is None or _in(replay, m)]
        plan = make_plan(differences, push, {} if replay else held, looked, hub.policies, missing)
        plan, kept_back = gated(c, hub, plan)
        judged = _with_what_is_to_be_seen(guarding.judge(c, hub, plan), hub, plan)
        more = beside(c, hub, plan)
    counts = plan.counts() | {"calls": calls(plan, push), "as_of": as_of} | more | kept_back
    state = "blocked" if judged.broken else "ready"
    stored = Stored(plan_id_of(plan), plan.hash, state, counts, judged.words, dict(looked), limits=judged.broken)
    if replay:
        stored = replace(stored, kind="replay", about={"author": replay.author, "letters": list(replay.letters)})
    told(stored, plan)
    return keep_plan(hub.store, stored, plan, judged, run_id) if keep else stored


def _with_what_is_to_be_seen(judged: guarding.Judged, hub: Hub, plan: Plan) -> guarding.Judged:
    """With the updates the settings want a person to see first."""
    count = Counter((ref.system, ref.stream) for ref in {c.ref for c in plan.changes})
    wanted = tuple(
        Broken("approve", system, stream, of, Op.UPDATE.value, field, len(refs), count[system, stream], 0, examples)
        for system, stream, field, refs in asked(plan.changes, hub.policies)
        for of, examples in [(hub.connectors[system].stream(stream).entity.value, tuple(refs[:EXAMPLES]))]
    )
    return replace(judged, broken=(*judged.broken, *wanted)) if wanted else judged


def _in(replay: Replay, missing: Missing) -> bool:
    """Whether one of the dead letters is about this record, which was to be made."""
    return any(ref == str(missing.ref) for ref, _ in replay.units)


def writable(hub: Hub) -> dict[tuple[str, str], Push]:
    """(system, stream) → what may be written there. Masters are never written."""
    return {
        (name, stream.name): stream.push
        for name, connector in hub.connectors.items()
        if not connector.master
        for stream in connector.streams
        if stream.push is not None
    }


def plan_id_of(plan: Plan) -> str:
    """Each plan its own, also when the same is planned twice within a second."""
    now = datetime.now(UTC)
    return f"plan-{now:%Y%m%d-%H%M%S}{now.microsecond // 1000:03}-{plan.hash[:6]}"


def _looked(c: sa.Connection, hub: Hub) -> dict[str, str]:
    """Whether each system's present state is known: its last pull went well for all its writable streams."""
    t = schema.streams
    states = {(r.system, r.stream): r.state for r in c.execute(sa.select(t.c.system, t.c.stream, t.c.state))}
    found = {}
    for name, connector in hub.connectors.items():
        sources = {s.nested.of if s.nested else s.name for s in connector.streams if s.push}
        if connector.master or not sources:
            found[name] = "not supported"
        else:
            found[name] = "looked" if all(states.get((name, s)) == "ok" for s in sources) else "could not look"
    return found


def _differences(c: sa.Connection, hub: Hub, push: Mapping[tuple[str, str], Push]) -> Iterable[Difference]:
    """Where a system differs, as far as we know: what was written since its last pull is not known to differ still, and
    where it can't hold more than it does, writing it again would change nothing; what it has no word for, it is not
    told."""
    unseen, short, closed = _written_since(c, push), held_short(c), _closed(hub, push)
    for one in chain(_from_golden(c, hub, push), corrections(c, hub, push)):
        cell = (one.ref, one.field)
        if unseen.get(cell, one.theirs) != one.ours and cell not in short:
            system, stream, _ = one.ref.split("/", 2)
            words = closed.get((system, stream, one.field))
            if words is None or words.says(one.ours):
                yield one


def _closed(hub: Hub, push: Mapping[tuple[str, str], Push]) -> dict[tuple[str, str, str], Codes]:
    """(system, stream, field) → the words of the fields that have a few and no other."""
    return {
        (system, stream, name): where
        for system, stream in push
        for name, where in hub.connectors[system].stream(stream).fields.items()
        if isinstance(where, Codes) and where.closed
    }


def _from_golden(c: sa.Connection, hub: Hub, push: Mapping[tuple[str, str], Push]) -> Iterable[Difference]:
    """Where it is not the golden value that is there."""
    d = schema.differences
    query = sa.select(d.c.ref, d.c.field, d.c.golden_id, d.c.theirs, d.c.ours, d.c.winner, d.c.rule, d.c.entity)
    query = query.order_by(d.c.ref, d.c.field)
    for (system, stream), may in sorted(push.items()):
        for row in c.execute(query.where(d.c.system == system, d.c.stream == stream, d.c.field.in_(may.fields))):
            if not is_hearsay(hub, row.entity, row.field, row.winner, row.rule):
                yield Difference(*row[:-1])


def _written_since(c: sa.Connection, push: Mapping[tuple[str, str], Push]) -> dict[tuple[str, str], str]:
    """(ref, field) → what was written there after its stream last said something: no pull can have shown it yet."""
    s, t = schema.sent, schema.streams
    read_at = dict(c.execute(sa.select(t.c.system, sa.func.max(t.c.read_at)).group_by(t.c.system)).all())
    told = {
        (system, stream): (_last_news(c, system, stream) if may.delayed else read_at.get(system)) or NEVER
        for (system, stream), may in push.items()
    }
    if not told:
        return {}
    since = min(at[:SECOND] for at in told.values())
    ours = sa.select(s.c.ref, s.c.field, s.c.value, s.c.at).where(s.c.at > since, s.c.value.is_not(None))
    return {
        (row.ref, row.field): row.value
        for row in c.execute(ours)
        if row.at[:SECOND] > told.get(tuple(row.ref.split("/", 2)[:2]), NEVER)[:SECOND]
    }


def _last_news(c: sa.Connection, system: str, stream: str) -> str | None:
    """When a record of this stream last came that was new or had changed."""
    r = schema.raw
    latest = sa.select(r.c.landed_at).where(r.c.system == system, r.c.stream == stream).order_by(r.c.seq.desc())
    return c.execute(latest.limit(1)).scalar()


_CHANGES = (
    "plan_id",
    "n",
    "ref",
    "system",
    "stream",
    "entity",
    "golden_id",
    "op",
    "field",
    "old",
    "new",
    "why",
    "outcome",
    "exact",
)


_AUDITED = {"sync": "planned", "undo": "undo planned", "redo": "redo planned", "replay": "replay planned"}
_ALL = ("sync", "undo", "redo", "replay")
_OUTDATES = {"sync": ("sync", "replay"), "undo": _ALL, "redo": _ALL, "replay": ("replay",)}
_ABOUT = {"undoes": "undoes", "because": "reason", "letters": "letters"}


def keep_plan(store: Store, stored: Stored, plan: Plan, judged: guarding.Judged, run_id: str) -> Stored:
    """Keep a plan. Those before it are outdated; but an undo that waits is by another undo only: what it takes back is
    looked at again before it is written, and no other plan goes on with it. What the sources held is fine from now on
    where nothing is broken. A stopped plan that is the one somebody has approved stays approved."""
    p = schema.plans
    kinds = _OUTDATES[stored.kind]
    with store.write() as c:
        approval = guarding.still_approved(c, stored.kind, plan.hash, judged.broken) if judged.broken else None
        stored = replace(stored, state="approved") if approval else stored
        _give_up_unfinished(c, kinds)
        c.execute(sa.update(p).where(p.c.state.in_(OPEN), p.c.kind.in_(kinds)).values(state="outdated"))
        if stored.kind in ("sync", "replay"):
            letters.close_settled(c)
        if not judged.broken and stored.kind == "sync":
            guarding.settle(c, judged.seen)
        if not plan.changes and not judged.broken and not (stored.about or {}).get("notices"):
            return stored
        c.execute(
            sa.insert(p).values(
                id=stored.id, run_id=run_id, hash=stored.hash, state=stored.state, created_at=now_iso(),
                counts=json.dumps(stored.counts),
                guard=json.dumps(stored.broken, ensure_ascii=False), limits=guarding.as_facts(judged.broken),
                seen=json.dumps(judged.seen) if judged.broken else None, looked=json.dumps(stored.looked),
                kind=stored.kind, about=json.dumps(stored.about, ensure_ascii=False) if stored.about else None,
            )
        )  # fmt: skip
        rows = [
            (
                stored.id,
                n,
                str(x.ref),
                x.ref.system,
                x.ref.stream,
                x.golden_id.split("_")[0],
                x.golden_id,
                x.op.value,
                x.field,
                x.old,
                x.new,
                x.why,
                None,
                x.exact,
            )
            for n, x in enumerate(plan.changes)
        ]
        bulk.append(c, schema.changes, _CHANGES, rows)
        facts = {"plan": stored.id, "kind": stored.kind, "run": run_id, "hash": stored.hash, "state": stored.state}
        facts |= {name: stored.counts[name] for name in ("planned", "by_system")}
        if stored.about:
            facts |= {name: stored.about[of] for name, of in _ABOUT.items() if of in stored.about}
        audited(c, stored.about["author"] if stored.about else "", _AUDITED[stored.kind], facts)
        if approval:
            guarding.carry_over(c, approval, stored.id)
    return stored


def _give_up_unfinished(c: sa.Connection, kinds: Sequence[str]) -> None:
    """What a killed process left without an outcome is deferred: this plan, made from what is there now, goes on."""
    p, t = schema.plans, schema.changes
    unfinished = sa.select(p.c.id).where(p.c.state == "applying", p.c.kind.in_(kinds))
    c.execute(
        sa.update(t).where(t.c.plan_id.in_(unfinished), t.c.outcome.is_(None)).values(outcome=Outcome.DEFERRED.value)
    )


def open_plan(store: Store, plan_id: str | None = None) -> Stored | None:
    """The plan of that id, or the latest not yet carried out; an undo only by its id: nobody does it by the way."""
    p = schema.plans
    waiting = sa.select(p).where(p.c.state.in_(OPEN), p.c.kind == "sync")
    query = sa.select(p).where(p.c.id == plan_id) if plan_id else waiting
    with store.read() as c:
        row = c.execute(query.order_by(p.c.created_at.desc(), p.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return Stored(
        row.id,
        row.hash,
        row.state,
        json.loads(row.counts),
        tuple(json.loads(row.guard)),
        json.loads(row.looked),
        row.kind,
        json.loads(row.about) if row.about else None,
        guarding.from_facts(row.limits),
    )

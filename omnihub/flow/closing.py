"""Closing: gates that have closed since a plan was made, asked just before it is written.

a plan about to be written ─▶ what people said of purposes, read again ─▶ through the gates ─┬─▶ written
a record looked at         ─▶ it says no by now ────────────────────────────────────────────┴─▶ kept back
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from omnihub.config import PERSONS
from omnihub.flow.gating import SAID, gates_of, sieved
from omnihub.flow.hub import Hub
from omnihub.flow.refining import refine_system
from omnihub.model import Change, Entity, Outcome
from omnihub.push import Present, Receipt, Task
from omnihub.push.apply import GATE, Shut
from omnihub.push.gates import Facts, let_through
from omnihub.sdk import Stream
from omnihub.store import schema

Tasks = Mapping[str, Mapping[str, Sequence[Task]]]
"""system → stream → records to be written."""


def part(hub: Hub, plan_id: str, kind: str, tasks: Tasks) -> tuple[dict[str, dict[str, list[Task]]], list[Receipt]]:
    """The tasks that no gate stops now, and the receipts of what is kept back: somebody may have said no since the plan
    was made, or the settings have changed. Consents are read again where that was not done lately."""
    flat = [
        (task, n, change)
        for of in tasks.values()
        for some in of.values()
        for task in some
        for n, change in task.changes
    ]
    gates = gates_of(hub)
    if any(gates.purposes_of(change) for _, _, change in flat):
        _read_again(hub, plan_id)
    with hub.store.read() as c:
        _, kept = sieved(c, hub, [change for _, _, change in flat], restoring=kind in ("undo", "redo"))
    why = {id(one.change): one.why for one in kept}
    closed = [(task, n, change) for task, n, change in flat if id(change) in why]
    numbers = {(task.ref, n) for task, n, _ in closed}
    rest = {
        system: {stream: [t for task in some if (t := _without(task, numbers))] for stream, some in of.items()}
        for system, of in tasks.items()
    }
    return rest, [_kept_back(task, n, change, why[id(change)]) for task, n, change in closed]


def _without(task: Task, numbers: Collection[tuple[str, int]]) -> Task | None:
    changes = tuple((n, change) for n, change in task.changes if (task.ref, n) not in numbers)
    return (task if len(changes) == len(task.changes) else replace(task, changes=changes)) if changes else None


def _kept_back(task: Task, n: int, change: Change, why: str) -> Receipt:
    return Receipt(
        task.ref,
        Outcome.DEFERRED,
        (n,),
        {change.field: change.old},
        {change.field: change.new},
        GATE,
        f"kept back: {why}",
    )


def shut(hub: Hub, system: str, stream: Stream) -> Shut | None:
    """Whether the record itself, looked at just before it is written, says no by now."""
    gates = replace(gates_of(hub), unknown_is_no=frozenset())
    if not gates.purposes.get((system, stream.name)) or SAID not in stream.fields:
        return None

    def closed(task: Task, present: Present) -> dict[int, str]:
        if present.fields.get(SAID) != "no":
            return {}
        told = Facts({task.golden_id: {PERSONS: "no"}})
        _, kept = let_through([change for _, change in task.changes], gates, told, restoring=True)
        why = {id(one.change): one.why for one in kept}
        return {n: why[id(change)] for n, change in task.changes if id(change) in why}

    return closed


def _read_again(hub: Hub, plan_id: str) -> None:
    """The streams that hold what people said. One that can't be read counts with what it said last."""
    from omnihub.flow.pulling import pull_system  # which itself asks `pushing` what it has begun

    before = (datetime.now(UTC) - timedelta(minutes=hub.gates.fresh_minutes)).isoformat()
    t = schema.streams
    with hub.store.read() as c:
        read_at = {
            (r.system, r.stream): r.read_at or "" for r in c.execute(sa.select(t.c.system, t.c.stream, t.c.read_at))
        }
    for system, connector in hub.connectors.items():
        says = [s.name for s in connector.streams if s.pull and _says(s)]
        told = [name for name in says if "" < read_at.get((system, name), "") < before]
        if told:
            pull_system(_only(hub, tuple(told)), system, f"before {plan_id}")
            refine_system(hub, system)
            _as_if_unread(hub, system, {name: read_at.get((system, name)) for name in told})


def _as_if_unread(hub: Hub, system: str, read_at: Mapping[str, str | None]) -> None:
    """What was written shows from the next whole pull of a system on: some streams read in between do not count."""
    t = schema.streams
    with hub.store.write() as c:
        for stream, at in read_at.items():
            mine = sa.and_(t.c.system == system, t.c.stream == stream)
            c.execute(sa.update(t).where(mine).values(read_at=at or None))


def _only(hub: Hub, streams: tuple[str, ...]) -> Hub:
    return replace(hub, streams=lambda _: streams)


def _says(stream: Stream) -> bool:
    """Whether people's consents stand in these records."""
    return stream.entity is Entity.CONSENT or (stream.entity is Entity.CONTACT and SAID in stream.fields)

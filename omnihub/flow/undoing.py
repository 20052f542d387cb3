"""Take back what a plan has written: an inverse plan, stored, guarded and applied like any other.

    receipts of the plan ─▶ what was there, what was sent ─┐
    the systems, looked at now ────────────────────────────┴▶ `push.undo` ─▶ guard ─▶ plan (kind undo) ─▶ `apply_plan`

What the run has told people in their systems goes back with it: see `retracting`.
An undo is undone the same way (kind redo), and that again. What an undo has restored is held: see `holding`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa

from omnihub.errors import ConfigError, OmniHubError
from omnihub.flow import holding, retracting
from omnihub.flow.gating import sieved
from omnihub.flow.guarding import judge
from omnihub.flow.hub import Hub
from omnihub.flow.planning import Stored, keep_plan, plan_id_of, writable
from omnihub.flow.pushing import MAX_SYSTEMS, reader
from omnihub.flow.unmaking import joined, made_by, remade
from omnihub.model import Op, Outcome, Ref
from omnihub.push import Inverse, Left, Plan, Present, Written, invert
from omnihub.push.apply import LOOK, parsed
from omnihub.push.plan import calls
from omnihub.push.undo import Made, chained, chosen, same, take_away
from omnihub.sdk import Connector, Stream, dig, open_client
from omnihub.store import Store, bulk, schema

LAST = "last"
KIND = {"sync": "undo", "replay": "undo", "undo": "redo", "redo": "undo"}  # of a plan → of the one that takes it back


@dataclass(frozen=True)
class Undoing:
    """What taking something back comes to. plan: the inverse plan as kept; none where there is nothing to write, nor a
    notice to take back. notices: system → how many of these are removed, restored, left, done already."""

    of: tuple[str, ...]
    kind: str
    plan: Stored | None
    done: int
    left: tuple[Left, ...]
    notices: Mapping[str, Mapping[str, int]]


def plan_undo(
    hub: Hub, what: str, author: str, reason: str, run_id: str, systems: Sequence[str] = (), names: Sequence[str] = ()
) -> Undoing:
    """Look at what the plans behind `what` have written, and keep the plan that takes it back.

    what: a run, a plan, or "last", which is the plan that wrote last, be it an undo. systems, names: only these systems
    and fields; all by default, and where fields are named, no notices. A plan is undone with what the run that made it
    has told people. Calls the systems, and writes nothing to them. OmniHubError names what nobody knows.
    """
    unknown = sorted(set(systems) - set(hub.connectors))
    if unknown:
        raise ConfigError(f"undo: there is no system {unknown[0]}; there are {', '.join(sorted(hub.connectors))}")
    with hub.store.read() as c:
        what = _last(c) if what == LAST else what
        of = undoable(c, what)
        kind = _kind(c, of) if of else "undo"
        written = _as_landed(hub, c, chosen(_written(c, of), systems, names))
        made = [] if names else made_by(c, hub, of, systems)
        chain = [*of, *_chain(c, of)]
        doers = [] if names else retracting.doers(c, what, of)
    present = _look(hub, sorted({one.ref for one in written} | {one.ref for one in made}))
    inverse = joined(invert(written, present, _targets(hub)), take_away(made, present, _targets(hub)))
    if kind == "redo" and not names:
        with hub.store.read() as c:
            inverse = joined(inverse, remade(c, of, systems))
    found = _through_gates(hub, inverse)
    notices = retracting.retractions(hub, doers, systems)
    left = (*found.left, *(one for told in notices for one in told.left))
    undone = of or (what,)
    about = {"undoes": list(undone), "of": what, "author": author, "reason": reason, "chain": chain, "done": found.done}
    about |= {"systems": list(systems), "fields": list(names), "left": [asdict(one) for one in left]}
    back = retracting.planned(hub, doers, notices)
    plan = Plan(found.changes, _looked(found, (*written, *made)))
    stored = _keep(hub, plan, kind, about | back, chain, run_id) if plan.changes or back else None
    return Undoing(undone, kind, stored, found.done, left, {one.system: one.counts() for one in notices})


def _keep(hub: Hub, plan: Plan, kind: str, about: dict[str, Any], chain: Sequence[str], run_id: str) -> Stored:
    """Held against the guard as what is taken back was: the first plan for a system has limits of its own, and so has
    its undo."""
    with hub.store.read() as c:
        judged = judge(c, hub, plan, undone=chain)
    counts = plan.counts() | {"calls": calls(plan, writable(hub))}
    state, limits = "blocked" if judged.broken else "ready", judged.broken
    stored = Stored(plan_id_of(plan), plan.hash, state, counts, judged.words, dict(plan.looked), kind, about, limits)
    return keep_plan(hub.store, stored, plan, judged, run_id)


def _through_gates(hub: Hub, found: Inverse) -> Inverse:
    """What a gate stops is left as well: somebody who has said no since is not given their number back."""
    with hub.store.read() as c:
        through, kept = sieved(c, hub, found.changes, restoring=True)
    left = (Left(str(k.change.ref), k.change.field, k.change.old, k.change.new, k.why) for k in kept)
    ordered = tuple(sorted((*found.left, *left), key=lambda one: (one.ref, one.field)))
    return replace(found, changes=tuple(through), left=ordered) if kept else found


# -- which ---------------------------------------------------------------------------------------------------------


def undoable(c: sa.Connection, what: str) -> tuple[str, ...]:
    """The plans behind a run, a plan's id or "last", in the order in which they wrote. None of a run that has written
    nothing, and has only told people something."""
    p = schema.plans
    what = _last(c) if what == LAST else what
    query = sa.select(p.c.id).where((p.c.id == what) | (p.c.run_id == what) | p.c.id.in_(_applied_by(c, what)))
    plans = tuple(c.execute(query.order_by(p.c.created_at, p.c.id)).scalars())
    if not plans and not retracting.doers(c, what, ()):
        raise OmniHubError(f"undo: nobody knows {what}, or it made no plan; `omnihub status` shows the runs")
    if len({_base(c, one) for one in plans}) > 1:
        raise OmniHubError(f"undo: {what} has both written and taken back; name one of its plans: {', '.join(plans)}")
    return plans


def _last(c: sa.Connection) -> str:
    """The plan that wrote last, or took back what people were told; where none has, the run that told them last."""
    p, rc, n = schema.plans, schema.receipts, schema.notices
    written = sa.select(rc.c.at, rc.c.plan_id).where(rc.c.outcome == Outcome.WRITTEN.value).order_by(rc.c.id.desc())
    told = sa.select(n.c.at, n.c.doer).order_by(n.c.seq.desc())
    latest = [written, told.join(p, p.c.id == n.c.doer)]
    found = [tuple(row) for query in latest if (row := c.execute(query.limit(1)).one_or_none())]
    if not found and (row := c.execute(told.limit(1)).one_or_none()):
        found = [tuple(row)]
    if not found:
        raise OmniHubError("undo: nothing has been written yet")
    return str(max(found)[1])


def _applied_by(c: sa.Connection, run_id: str) -> list[str]:
    """The plan a run carried out that another had made."""
    told = c.execute(sa.select(schema.runs.c.counts).where(schema.runs.c.id == run_id)).scalar()
    applied = json.loads(told).get("applied", {}) if told else {}
    return [str(applied["plan"])] if "plan" in applied else []


def _base(c: sa.Connection, plan_id: str) -> str:
    p = schema.plans
    return str(c.execute(sa.select(p.c.kind).where(p.c.id == plan_id)).scalar_one())


def _kind(c: sa.Connection, plans: Sequence[str]) -> str:
    return KIND[_base(c, plans[0])]


def _chain(c: sa.Connection, plans: Sequence[str]) -> list[str]:
    """What these plans in turn have taken back."""
    p = schema.plans
    told = c.execute(sa.select(p.c.about).where(p.c.id.in_(plans), p.c.about.is_not(None))).scalars()
    return sorted({one for about in told for one in json.loads(about).get("chain", ())})


# -- what they wrote -----------------------------------------------------------------------------------------------


def _written(c: sa.Connection, plans: Sequence[str]) -> list[Written]:
    """Each field these plans have written, with what was there before the first of them."""
    by_cell: dict[tuple[str, str], Written] = {}
    for plan_id in plans:
        for one in _written_by(c, plan_id):
            cell = one.ref, one.field
            by_cell[cell] = chained(by_cell[cell], one) if cell in by_cell else one
    return list(_as_of_now(c, by_cell, plans))


def _written_by(c: sa.Connection, plan_id: str) -> Iterator[Written]:
    """By receipt; and what was about to be written when a process died, which nobody has written since."""
    t, rc, s = schema.changes, schema.receipts, schema.sent
    told = sa.select(t.c.ref, t.c.field, t.c.golden_id, t.c.old, t.c.new, t.c.outcome)
    planned = c.execute(told.where(t.c.plan_id == plan_id, t.c.op == Op.UPDATE.value)).all()
    golden_ids = {(x.ref, x.field): x.golden_id for x in planned}
    told = sa.select(rc.c.ref, rc.c.before, rc.c.sent, rc.c.native, rc.c.code)
    mine = told.where(rc.c.plan_id == plan_id, rc.c.outcome == Outcome.WRITTEN.value, rc.c.op == Op.UPDATE.value)
    for r in c.execute(mine.order_by(rc.c.id)):
        before, native = json.loads(r.before), json.loads(r.native) if r.native else {}
        for field, value in json.loads(r.sent).items():
            golden_id = golden_ids[r.ref, field]
            if not same(golden_id, field, before.get(field), value):  # it was there already, and not by us
                was = tuple(native[field]) if field in native else None
                yield Written(r.ref, field, golden_id, before.get(field), value, plan_id, was)
    unsure = [x for x in planned if x.outcome in UNSURE]
    begun = sa.select(s.c.ref, s.c.field, s.c.intended).where(s.c.plan_id == plan_id)
    meant = {tuple(row) for row in c.execute(begun)} if unsure else set()
    for x in unsure:
        if (x.ref, x.field, x.new) in meant:
            yield Written(x.ref, x.field, x.golden_id, x.old, x.new, plan_id, sure=False)


def _as_landed(hub: Hub, c: sa.Connection, written: Sequence[Written]) -> list[Written]:
    """Where the receipt was lost with a process, what was there before is what had been landed when it was planned."""
    lost: dict[tuple[str, str, str], list[Written]] = defaultdict(list)
    for one in written:
        ref = Ref.parse(one.ref)
        if one.native is None and (ref.system, ref.stream) in _targets(hub):
            lost[one.plan_id, ref.system, ref.stream].append(one)
    found: dict[tuple[str, str], Written] = {}
    for (plan_id, system, stream), some in lost.items():
        mapped = hub.connectors[system].stream(stream).fields
        bodies = _landed_before(c, plan_id, system, stream, {one.ref for one in some})
        for one in some:
            if one.ref in bodies and one.field in mapped:
                found[one.ref, one.field] = replace(one, native=(dig(bodies[one.ref], mapped[one.field].path), None))
    return [found.get((one.ref, one.field), one) for one in written]


def _landed_before(c: sa.Connection, plan_id: str, system: str, stream: str, refs: Iterable[str]) -> dict[str, Any]:
    """ref → its record as it was last landed before that plan was made. Nested records are not landed by themselves."""
    r, p = schema.raw, schema.plans
    as_of = json.loads(c.execute(sa.select(p.c.counts).where(p.c.id == plan_id)).scalar_one()).get("as_of", 0)
    query = sa.select(r.c.ref, r.c.body).where(r.c.system == system, r.c.stream == stream, r.c.seq <= as_of)
    return {row.ref: parsed(row.body) for row in bulk.where_in(c, query.order_by(r.c.seq), r.c.ref, refs) if row.body}


UNSURE = (None, Outcome.DEFERRED.value)  # outcomes that may hide a write whose receipt was lost


def _as_of_now(c: sa.Connection, written: Mapping[tuple[str, str], Written], plans: Sequence[str]) -> Iterator[Written]:
    """With the plan that wrote the field again, where one has."""
    s = schema.sent
    query = sa.select(s.c.ref, s.c.field, s.c.plan_id).where(s.c.plan_id.not_in(plans))
    later = {(r.ref, r.field): r.plan_id for r in bulk.where_in(c, query, s.c.ref, {ref for ref, _ in written})}
    for cell, one in written.items():
        yield replace(one, later=later.get(cell))


# -- how it is now -------------------------------------------------------------------------------------------------


def _targets(hub: Hub) -> dict[tuple[str, str], Stream]:
    return {(system, stream): hub.connectors[system].stream(stream) for system, stream in writable(hub)}


def _look(hub: Hub, refs: Sequence[str]) -> dict[str, Present | OmniHubError]:
    """ref → how it is in its system now, or why that can't be seen; who is missing is gone."""
    wanted: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for ref in map(Ref.parse, refs):
        wanted[ref.system][ref.stream].append(ref.id)
    found: dict[str, Present | OmniHubError] = {}

    def one(system: str) -> None:
        found.update(_look_at(hub, system, wanted[system]))

    with ThreadPoolExecutor(MAX_SYSTEMS, thread_name_prefix="undo") as pool:
        list(pool.map(one, sorted(wanted)))
    return found


def _look_at(hub: Hub, system: str, wanted: Mapping[str, Sequence[str]]) -> dict[str, Present | OmniHubError]:
    """Some records of one system."""
    targets = {stream: target for (of, stream), target in _targets(hub).items() if of == system}
    found: dict[str, Present | OmniHubError] = {}
    client: Any = None
    for stream, ids in wanted.items():
        refs = [str(Ref(system, stream, id_)) for id_ in ids]
        if stream not in targets:
            found |= dict.fromkeys(refs, ConfigError(f"{system}/{stream} is not written any more"))
            continue
        try:
            connector = hub.connectors[system]
            client = client or open_client(connector, hub.settings(connector), ledger=hub.store.ledger)
        except OmniHubError as error:
            found |= dict.fromkeys(refs, error)
            continue
        found |= _look_at_stream(hub, connector, targets[stream], client, ids)
        hub.progress(f"look {system}", len(found), sum(map(len, wanted.values())))
    return found


def _look_at_stream(
    hub: Hub, connector: Connector, stream: Stream, client: Any, ids: Sequence[str]
) -> dict[str, Present | OmniHubError]:
    push = stream.push
    assert push is not None
    read = reader(hub, connector, stream)

    def some(asked: Sequence[str]) -> dict[str, Present | OmniHubError]:
        try:
            return {str(Ref(connector.name, stream.name, id_)): p for id_, p in read(push.look(client, asked)).items()}
        except OmniHubError as error:
            return {str(Ref(connector.name, stream.name, id_)): error for id_ in asked}

    with ThreadPoolExecutor(push.parallel, thread_name_prefix=f"undo-{connector.name}") as pool:
        looked = pool.map(some, bulk.chunks(ids, LOOK))
    return {ref: present for part in looked for ref, present in part.items()}


def _looked(found: Inverse, written: Iterable[Written | Made]) -> dict[str, str]:
    """System → whether its present state is known, as a plan says it."""
    blind = Counter(Ref.parse(one.ref).system for one in found.left if one.why.startswith("could not look"))
    return {
        system: "could not look" if blind[system] else "looked"
        for system in sorted({Ref.parse(one.ref).system for one in written})
    }


# -- and back ------------------------------------------------------------------------------------------------------


def lift(
    store: Store, author: str, what: str = "", systems: Sequence[str] = (), names: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Let the hub write again what was undone: by this undo (or any of this plan or run), in this record, or all of it.
    Returns what was held."""
    if not what:
        return holding.lift(store, author, systems=systems, names=names)
    if "/" in what:
        return holding.lift(store, author, ref=what, systems=systems, names=names)
    with store.read() as c:
        of = undoable(c, what)
        p = schema.plans
        undos = c.execute(sa.select(p.c.id, p.c.about).where(p.c.kind == "undo")).all()
    mine = [r.id for r in undos if r.id in of or set(json.loads(r.about)["undoes"]) & {*of}]
    return holding.lift(store, author, mine, systems=systems, names=names)

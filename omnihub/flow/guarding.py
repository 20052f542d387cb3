"""Guarding: the facts a guard needs, from the store; what a source held when it was last fine; what is approved.

    refine ─▶ `note_held`: how many records live, and how many hold each field   (the counts move with the records)
    plan   ─▶ `judge`: the plan, and the sources as they are against as they were ─▶ `push.guard` ─▶ what is broken
           ─▶ `settle`: nothing is broken, so this is fine from now on           (with the plan, in one transaction)

What is fine moves up at once, and down only after a while: a source that loses a little with every run of a busy day
has lost it within that day, while one that shrinks over weeks never loses much at once. It does not move at all for a
stream that could not be read to its end, nor by a plan that was stopped, until that is approved and carried out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from omnihub.flow.auditing import audited
from omnihub.flow.hub import Hub
from omnihub.model import GOLDEN, Entity, Outcome
from omnihub.push import Broken, Plan, guard
from omnihub.push.guard import EXAMPLES, Held
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso

SUDDEN = timedelta(hours=20)  # what is lost within it is lost at once; a nightly run is never much later than the last
FEEDS = (*GOLDEN, Entity.PRICE, Entity.CONSENT)
"""What is written comes from these. Orders, logins and the like come and go by themselves."""
LATEST = 1_000  # records looked through for examples

_S = schema.sources


@dataclass(frozen=True)
class Judged:
    """The limits a plan breaks, and what the sources hold that were read to their end: fine, once the plan passes."""

    broken: tuple[Broken, ...]
    seen: tuple[tuple[str, str, str, int], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The broken limits, for a person."""
        return tuple(one.words() for one in self.broken)


def judge(c: sa.Connection, hub: Hub, plan: Plan, undone: Sequence[str] | None = None) -> Judged:
    """Hold a plan, and what it was made of, against the limits.

    undone: of an undo, the plans it takes back: it is held against the limits they were, and whatever the sources have
    become, it is the way out.
    """
    against = (plan, totals(c), written_before(c, undone or ()), hub.limits)
    if undone is not None:
        return Judged(tuple(guard(*against, restoring=True)))
    now = _held(c, hub)
    broken = guard(*against, sources=[one for one, _ in now])
    if any(one.op == "source" for one in broken):
        # Asked only now, for it is seldom needed: what we emptied ourselves, as by an undo, is no loss of the source's.
        broken = guard(*against, sources=[_without_ours(c, one, since) for one, since in now])
    looked = _looked(c, hub)
    seen = tuple((s.system, s.stream, s.field, s.now) for s in _counted(c, hub) if (s.system, s.stream) in looked)
    return Judged(tuple(replace(b, examples=_examples(c, b)) if b.op == "source" else b for b in broken), seen)


def totals(c: sa.Connection) -> dict[tuple[str, str], int]:
    """Living records per (system, stream)."""
    living = sa.select(_S.c.system, _S.c.stream, _S.c.now).where(_S.c.field == "")
    return {(system, stream): now for system, stream, now in c.execute(living)}


def written_before(c: sa.Connection, but: Sequence[str] = ()) -> frozenset[str]:
    """Systems some plan has been applied to, other than these."""
    t = schema.changes
    query = sa.select(t.c.system).where(t.c.outcome == Outcome.WRITTEN.value, t.c.plan_id.not_in(but))
    return frozenset(c.execute(query.distinct()).scalars())


# -- what sources hold -----------------------------------------------------------------------------------------------


def note_held(c: sa.Connection, system: str, stream: str, before: pa.Table, after: pa.Table) -> None:
    """Move the counts of a stream with its records, in the transaction that keeps these.

    before, after: ref, deleted and fields of records as they were and as they are now; those that are only in `before`
    stay as they are.
    """
    moved: Counter[str] = Counter()
    refs = set(after.column("ref").to_pylist())
    moved.subtract(_holdings(row for row in _rows(before) if row[0] in refs))
    moved.update(_holdings(_rows(after)))
    rows = [{"system": system, "stream": stream, "field": f, "now": n} for f, n in sorted(moved.items()) if n]
    if rows:
        insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
        adding = insert(_S)
        c.execute(
            adding.on_conflict_do_update(
                index_elements=["system", "stream", "field"], set_={"now": _S.c.now + adding.excluded.now}
            ),
            rows,
        )


def _rows(table: pa.Table) -> Iterable[tuple[str, bool, str]]:
    return zip(*(table.column(name).to_pylist() for name in ("ref", "deleted", "fields")), strict=True)


def _holdings(rows: Iterable[tuple[str, bool, str]]) -> Iterable[str]:
    """The name of each field of each living record, and "" for the record itself."""
    for _, deleted, told in rows:
        if not deleted:
            yield ""
            yield from (name for name, value in _decode(told).items() if value is not None)


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def _counted(c: sa.Connection, hub: Hub) -> list[sa.Row[Any]]:
    """What is counted of the streams that feed what is written: living records, and the fields that are mapped."""
    wanted = {
        (name, stream.name): {"", *stream.fields}
        for name, connector in hub.connectors.items()
        for stream in connector.streams
        if stream.entity in FEEDS
    }
    rows = c.execute(sa.select(_S).order_by(_S.c.system, _S.c.stream, _S.c.field))
    return [row for row in rows if row.field in wanted.get((row.system, row.stream), ())]


def _held(c: sa.Connection, hub: Hub) -> list[tuple[Held, str]]:
    """What is held now, of all that was fine once, and since when."""
    entities = {(name, s.name): s.entity.value for name, x in hub.connectors.items() for s in x.streams}
    return [
        (Held(r.system, r.stream, entities[r.system, r.stream], r.field, r.fine, r.now), r.fine_at)
        for r in _counted(c, hub)
        if r.fine is not None
    ]


def _looked(c: sa.Connection, hub: Hub) -> set[tuple[str, str]]:
    """Streams whose last pull ended well; a nested one comes with its parent."""
    t = schema.streams
    fine = {(r.system, r.stream) for r in c.execute(sa.select(t.c.system, t.c.stream).where(t.c.state == "ok"))}
    return {
        (name, stream.name)
        for name, connector in hub.connectors.items()
        for stream in connector.streams
        if (name, stream.nested.of if stream.nested else stream.name) in fine
    }


def _without_ours(c: sa.Connection, held: Held, since: str) -> Held:
    """Less what we have emptied, or deleted, ourselves since."""
    t, rc = schema.changes, schema.receipts
    written = sa.select(sa.func.count(sa.distinct(t.c.ref))).join(
        rc, sa.and_(rc.c.plan_id == t.c.plan_id, rc.c.ref == t.c.ref)
    )
    mine = (t.c.system == held.system, t.c.stream == held.stream, t.c.outcome == Outcome.WRITTEN.value)
    what = (t.c.field == held.field, t.c.op == "update", t.c.new.is_(None)) if held.field else (t.c.op == "delete",)
    ours = c.execute(written.where(*mine, *what, rc.c.outcome == Outcome.WRITTEN.value, rc.c.at >= since)).scalar_one()
    return replace(held, before=held.before - ours)


def _examples(c: sa.Connection, broken: Broken) -> tuple[str, ...]:
    """The records that changed last, of those that are gone or have no such value."""
    t = schema.refined
    latest = sa.select(t.c.ref, t.c.fields).where(t.c.system == broken.system, t.c.stream == broken.stream)
    rows = c.execute(latest.where(t.c.deleted == (not broken.field)).order_by(t.c.seq.desc()).limit(LATEST))
    found = [ref for ref, told in rows if not broken.field or _decode(told).get(broken.field) is None]
    return tuple(found[:EXAMPLES])


def settle(
    c: sa.Connection, seen: Iterable[Sequence[Any]], accepted: bool = False, now: datetime | None = None
) -> None:
    """What was seen is fine from now on. accepted: somebody said so, and it may be less at once."""
    at = now or datetime.now(UTC)
    query = sa.select(_S.c.system, _S.c.stream, _S.c.field, _S.c.fine, _S.c.fine_at)
    before = {(r.system, r.stream, r.field): r for r in c.execute(query)}
    moved = []
    for system, stream, field, count in seen:
        row = before.get((system, stream, field))
        if row is None or row.fine is None or count >= row.fine or accepted or _is_old(row.fine_at, at):
            moved.append((system, stream, field, count, at.isoformat()))
    bulk.upsert(c, _S, ("system", "stream", "field", "fine", "fine_at"), moved)


def _is_old(fine_at: str, now: datetime) -> bool:
    return datetime.fromisoformat(fine_at) + SUDDEN <= now


# -- as facts, and approved --------------------------------------------------------------------------------------------


def as_facts(broken: Iterable[Broken]) -> str:
    """The broken limits as they are kept with a plan."""
    return json.dumps([asdict(one) for one in broken], ensure_ascii=False)


def from_facts(told: str | None) -> tuple[Broken, ...]:
    """The broken limits of a kept plan."""
    return tuple(Broken(**(one | {"examples": tuple(one["examples"])})) for one in json.loads(told or "[]"))


def still_approved(c: sa.Connection, kind: str, hash_: str, broken: Iterable[Broken]) -> sa.Row[Any] | None:
    """The approval of the plan that waits to be carried out, where the new one is that plan again: the same changes,
    and no limit broken further. So what a person approved is not asked again because the clock struck in between."""
    p, a = schema.plans, schema.approvals
    query = sa.select(a, p.c.limits).join(p, p.c.id == a.c.plan_id)
    waiting = query.where(p.c.state == "approved", p.c.kind == kind, p.c.hash == hash_, a.c.hash == hash_)
    for row in c.execute(waiting.order_by(a.c.at.desc())):
        if not ended(row.expires_at) and _no_worse(broken, from_facts(row.limits)):
            return row
    return None


def carry_over(c: sa.Connection, approval: sa.Row[Any], plan_id: str) -> None:
    """The approval is of the plan of this id from now on."""
    told = {"author": approval.author, "reason": approval.reason, "at": approval.at, "expires_at": approval.expires_at}
    c.execute(sa.insert(schema.approvals).values(plan_id=plan_id, hash=approval.hash, **told))
    facts = {"plan": plan_id, "hash": approval.hash, "from": approval.plan_id, "until": approval.expires_at}
    audited(c, approval.author, "approval carried over", facts)


def ended(expires_at: str | None, now: str = "") -> bool:
    """Whether an approval is over. Those of old never end."""
    return expires_at is not None and expires_at <= (now or now_iso())


def _no_worse(broken: Iterable[Broken], approved: Iterable[Broken]) -> bool:
    counts = {_which(one): one.count for one in approved}
    return all(one.count <= counts.get(_which(one), -1) for one in broken)


def _which(one: Broken) -> tuple[str, ...]:
    return (one.limit, one.system, one.stream, one.op, one.field)

"""Show a plan: gather from the store what a person needs to understand it, and have it told.

stored plan (or one of a dry run) ─┐
golden records, pins, findings     ├─▶ `report.tell` ─▶ page, Markdown, JSON
receipts, where it was carried out ┘
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from omnihub.errors import ConfigError, OmniHubError
from omnihub.flow.hub import Hub
from omnihub.flow.letters import readable
from omnihub.flow.planning import Stored, make_and_store_plan
from omnihub.merge.rules import WHY
from omnihub.model import GOLDEN
from omnihub.push import Plan
from omnihub.report import LABELLED_BY, Around, Golden, Head, Pin, Story, Wish, markdown, render_plan, tell
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso

HTML, MARKDOWN = "plan.html", "plan.md"  # as they lie beside the report

_HEAD = ("id", "hash", "state", "kind", "created_at", "run_id", "counts", "guard", "limits", "looked", "about")
_WISH = ("n", "system", "stream", "ref", "golden_id", "op", "field", "old", "new", "why", "outcome")

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True)
class Choice:
    """A part of a plan: one system's, one customer's, or all of it."""

    system: str = ""
    golden_id: str = ""
    words: str = ""  # the same, for people


# -- which -----------------------------------------------------------------------------------------------------------


def latest_plan(c: sa.Connection) -> str:
    """The id of the latest there is. ConfigError where there is none."""
    p = schema.plans
    found = c.execute(sa.select(p.c.id).order_by(p.c.created_at.desc(), p.c.id.desc()).limit(1)).scalar()
    if found is None:
        raise ConfigError("there is no plan yet; `omnihub plan` makes one")
    return str(found)


def chosen(c: sa.Connection, titles: Mapping[str, str], plan_id: str, system: str = "", customer: str = "") -> Choice:
    """What of a plan is meant. ConfigError names the systems there are, OmniHubError a customer nobody knows.

    customer: a golden id, or the ref of one of its records.
    """
    known = sorted({*titles, *_systems_of(c, plan_id)})
    if system and system not in known:
        raise ConfigError(f"plan show: there is no system {system}; there are {', '.join(known)}")
    golden_id = _golden_id(c, plan_id, customer) if customer else ""
    words = [customer] if customer else []
    words += [titles.get(system, system)] if system else []
    return Choice(system, golden_id, " in ".join(words))


def _systems_of(c: sa.Connection, plan_id: str) -> list[str]:
    t = schema.changes
    return list(c.execute(sa.select(t.c.system).where(t.c.plan_id == plan_id).distinct()).scalars())


def _golden_id(c: sa.Connection, plan_id: str, customer: str) -> str:
    """As the plan has it; else as it is by now, where it is not in this plan."""
    t, x, g = schema.changes, schema.crosswalk, schema.goldens
    mine = sa.select(t.c.golden_id).where(t.c.plan_id == plan_id, (t.c.ref == customer) | (t.c.golden_id == customer))
    found = c.execute(mine.limit(1)).scalar() or c.execute(sa.select(x.c.golden_id).where(x.c.ref == customer)).scalar()
    wanted, seen = str(found or customer), set[str]()
    while wanted not in seen:  # one that was merged into another is found under the one that lives
        seen.add(wanted)
        if c.execute(mine.where(t.c.golden_id == wanted).limit(1)).scalar():
            return wanted
        row = c.execute(sa.select(g.c.id, g.c.merged_into).where(g.c.id == wanted)).one_or_none()
        if row is None:
            raise OmniHubError(
                f"plan show: nobody knows {customer}; it is a golden id, or the ref of a record: system/stream/id"
            )
        wanted = row.merged_into or wanted
    return wanted


# -- told ------------------------------------------------------------------------------------------------------------


def stored_story(c: sa.Connection, titles: Mapping[str, str], plan_id: str, choice: Choice = Choice()) -> Story:
    """A stored plan, or the part of it that was chosen. ConfigError when there is no such plan."""
    head = _head(c, plan_id)
    wishes = list(_wishes(c, plan_id, choice))
    around = _around(c, titles, wishes, head)
    if head.state in ("applied", "applying", "outdated"):
        around = replace(around, **_became(c, plan_id, wishes))
    return tell(head, wishes, around, choice.words)


def dry_story(hub: Hub, run_id: str) -> Story:
    """The plan a sync would make and carry out now, which nobody keeps."""
    made: list[tuple[Stored, Plan]] = []
    make_and_store_plan(hub, run_id, keep=False, told=lambda stored, plan: made.append((stored, plan)))
    [(stored, plan)] = made
    wishes = [
        Wish(n, x.ref.system, x.ref.stream, str(x.ref), x.golden_id, x.op, x.field, x.old, x.new, x.why)
        for n, x in enumerate(plan.changes)
    ]
    state = "dry run" if wishes else "nothing to do"
    told = (state, stored.kind, now_iso(), run_id, stored.counts, stored.broken, stored.looked)
    head = Head(None, stored.hash, *told, limits=[asdict(one) for one in stored.limits])
    with hub.store.read() as c:
        return tell(head, wishes, _around(c, titles_of(hub), wishes, head))


def empty_story(
    c: sa.Connection, titles: Mapping[str, str], run_id: str, made_at: str, noted: Mapping[str, Any]
) -> Story:
    """A run's plan that had nothing in it, from what the run has noted."""
    head = Head(None, "", "nothing to do", "sync", made_at, run_id, noted["counts"], noted["broken"], noted["looked"])
    return tell(head, (), _around(c, titles, (), head))


def titles_of(hub: Hub) -> dict[str, str]:
    """System → what people call it."""
    return {name: connector.title for name, connector in hub.connectors.items()}


def keep_pages(story: Story, folder: Path) -> None:
    """Leave the page and the Markdown in this folder."""
    (folder / HTML).write_text(render_plan(story), encoding="utf-8", errors="replace")
    (folder / MARKDOWN).write_text(markdown(story), encoding="utf-8", errors="replace")


# -- read ------------------------------------------------------------------------------------------------------------


def _head(c: sa.Connection, plan_id: str) -> Head:
    p, a = schema.plans, schema.approvals
    row = c.execute(sa.select(*(p.c[name] for name in _HEAD)).where(p.c.id == plan_id)).one_or_none()
    if row is None:
        raise ConfigError(f"there is no plan {plan_id}; `omnihub plan` makes one")
    let = c.execute(sa.select(a).where(a.c.plan_id == plan_id, a.c.hash == row.hash)).one_or_none()
    return Head(
        id=row.id,
        hash=row.hash,
        state=row.state,
        kind=row.kind,
        made_at=row.created_at,
        run=row.run_id,
        counts=json.loads(row.counts),
        guard=json.loads(row.guard),
        looked=json.loads(row.looked),
        about=json.loads(row.about) if row.about else None,
        approval=dict(let._mapping) if let else None,
        limits=json.loads(row.limits) if row.limits else (),
    )


def _wishes(c: sa.Connection, plan_id: str, choice: Choice) -> Iterator[Wish]:
    t = schema.changes
    query = sa.select(*(t.c[name] for name in _WISH)).where(t.c.plan_id == plan_id).order_by(t.c.n)
    if choice.system:
        query = query.where(t.c.system == choice.system)
    if choice.golden_id:
        query = query.where(t.c.golden_id == choice.golden_id)
    for row in c.execute(query):
        yield Wish(*row)


def _around(c: sa.Connection, titles: Mapping[str, str], wishes: Sequence[Wish], head: Head) -> Around:
    merged = {one["golden_id"] for one in head.counts.get("merges", {}).get("proposed", ()) if one["golden_id"]}
    examples = {ref for limit in head.limits for ref in limit["examples"]}
    linked = {value for w in wishes for value in (w.old, w.new) if value and value.count("/") == 2}
    asked: dict[str, set[str]] = {golden_id: set() for golden_id in {*_linked_goldens(wishes)} | merged}
    for wish in wishes:
        asked.setdefault(wish.golden_id, set()).add(wish.field)
    goldens = _goldens(c, asked)
    refs = {w.ref for w in wishes}
    winners = {cell["ref"] for g in goldens.values() for cell in g.lineage.values() if cell.get("ref")}
    return Around(
        titles=titles,
        goldens=goldens,
        records=_records(c, refs | examples | linked),
        edited=_edited(c, winners),
        pins=_pins(c, {w.golden_id for w in wishes if w.why.startswith("pinned")}),
        findings=_findings(c, refs),
        whys=WHY,
    )


def _linked_goldens(wishes: Iterable[Wish]) -> Iterator[str]:
    beginnings = tuple(f"{entity.value}_" for entity in GOLDEN)
    for wish in wishes:
        of = wish.new and (wish.new.partition("/+")[2] or wish.new)  # one that is to be made, or is
        if of and of.startswith(beginnings):
            yield of


def _goldens(c: sa.Connection, wanted: Mapping[str, Collection[str]]) -> dict[str, Golden]:
    """wanted: golden id → the fields whose lineage is asked. What nobody asks for is not kept: there may be many."""
    g, x, t = schema.goldens, schema.crosswalk, schema.refined
    members: dict[str, list[str]] = {}
    living = sa.select(x.c.golden_id, x.c.ref).join(t, t.c.ref == x.c.ref).where(~t.c.deleted)
    for row in bulk.where_in(c, living, x.c.golden_id, wanted):
        members.setdefault(row.golden_id, []).append(row.ref)
    rows = bulk.where_in(c, sa.select(g.c.id, g.c.fields, g.c.lineage), g.c.id, wanted)
    found = {}
    for r in rows:
        lineage = {name: cell for name, cell in _decode(r.lineage).items() if name in wanted[r.id]}
        found[r.id] = Golden(_decode(r.fields), lineage, members.get(r.id, ()))
    return found


def _records(c: sa.Connection, refs: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """As far as they are called by it."""
    t = schema.refined
    rows = bulk.where_in(c, sa.select(t.c.ref, t.c.fields), t.c.ref, set(refs))
    return {row.ref: {n: v for n, v in _decode(row.fields).items() if n in LABELLED_BY} for row in rows}


def _edited(c: sa.Connection, refs: Iterable[str]) -> frozenset[tuple[str, str]]:
    """(ref, field) somebody was seen to change. Most records have none."""
    t = schema.refined
    query = sa.select(t.c.ref, t.c.edits).where(t.c.edits != "[]")
    return frozenset(
        (row.ref, name) for row in bulk.where_in(c, query, t.c.ref, set(refs)) for name in _decode(row.edits)
    )


def _pins(c: sa.Connection, golden_ids: Iterable[str]) -> dict[tuple[str, str], Pin]:
    p = schema.pins
    query = sa.select(p.c.golden_id, p.c.field, p.c.value, p.c.author, p.c.reason)
    rows = bulk.where_in(c, query, p.c.golden_id, set(golden_ids))
    return {(r.golden_id, r.field): Pin(r.value, r.author, r.reason) for r in rows}


def _findings(c: sa.Connection, refs: Iterable[str]) -> dict[tuple[str, str], str]:
    f = schema.findings
    rows = bulk.where_in(c, sa.select(f.c.ref, f.c.field, f.c.kind), f.c.ref, set(refs))
    return {(r.ref, r.field): r.kind for r in rows}


def _became(c: sa.Connection, plan_id: str, wishes: Iterable[Wish]) -> dict[str, Any]:
    """Of a plan that was carried out: what the systems answered, and what was there just before."""
    rc = schema.receipts
    query = sa.select(rc.c.ref, rc.c.outcome, rc.c.message, rc.c.before).where(rc.c.plan_id == plan_id)
    answers: dict[tuple[str, str], str] = {}
    befores: dict[tuple[str, str], str | None] = {}
    for row in bulk.where_in(c, query.order_by(rc.c.id), rc.c.ref, {w.ref for w in wishes}):
        if row.message:
            answers[row.ref, row.outcome] = readable(row.message) or ""
        befores |= {(row.ref, name): value for name, value in _decode(row.before).items()}
    return {"answers": answers, "befores": befores}

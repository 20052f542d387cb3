"""Export: everything the hub holds on a person, for that person: what, where from, what was written where, and why.

The raw records are handed out as the systems sent them; what is said of two people at once (a pair, a judgement) names
the other only by its ref.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from omnihub.flow.forgetting import whose
from omnihub.flow.hub import Hub
from omnihub.flow.letters import readable
from omnihub.flow.wiping import Pattern, Person
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso

Facts = dict[str, Any]


def export(hub: Hub, what: str) -> Facts:
    """All of it, as plain data. what: a ref of theirs, or a golden contact. OmniHubError where nobody knows it."""
    with hub.store.read() as c:
        refs, golden_ids = whose(c, what)
        person = Person.of(c, hub, refs, golden_ids)
        beside = [*person.about, *person.mentions]
        return {
            "asked": what,
            "made_at": now_iso(),
            "golden_ids": list(person.golden_ids),
            "believed": _believed(c, person.golden_ids),
            "history": _history(c, person.golden_ids),
            "records": [_record(c, ref) for ref in person.refs],
            "about_them": [_record(c, ref) for ref in beside],
            "written": _written(c, person.refs),
            "planned": _planned(c, person.refs),
            "refused": _refused(c, person.refs),
            "undone": _rows(c, schema.holds, schema.holds.c.ref, person.refs),
            "judgements": _judgements(c, person.refs),
            "pins": _rows(c, schema.pins, schema.pins.c.golden_id, person.golden_ids),
            "decisions": _naming(c, schema.decisions, ("before", "after"), person),
            "questions": _naming(c, schema.queue, ("members",), person),
            "findings": _findings(c, person),
            "compared_with": _pairs(c, person.refs),
            "events": _rows(c, schema.events, schema.events.c.golden_id, person.golden_ids),
            "audit": _naming(c, schema.audit, ("facts",), person),
        }


def _believed(c: sa.Connection, golden_ids: Sequence[str]) -> Facts:
    """field → value, with where it comes from, by which rule, since when, and what it won against."""
    g = schema.goldens
    living = sa.select(g.c.fields, g.c.lineage).where(g.c.merged_into.is_(None))
    found: Facts = {}
    for row in bulk.where_in(c, living, g.c.id, golden_ids):
        lineage = json.loads(row.lineage)
        for name, value in json.loads(row.fields).items():
            found[name] = {"value": value, "origin": lineage.get(name)}
    return found


def _history(c: sa.Connection, golden_ids: Sequence[str]) -> list[Facts]:
    h = schema.golden_history
    query = sa.select(h.c.id, h.c.at, h.c.fields).order_by(h.c.seq)
    rows = bulk.where_in(c, query, h.c.id, golden_ids)
    return [{"golden_id": row.id, "at": row.at, "fields": json.loads(row.fields)} for row in rows]


def _record(c: sa.Connection, ref: str) -> Facts:
    """What a system says, as it is understood, and every version as it was sent."""
    t, r, x = schema.refined, schema.raw, schema.exchanges
    told = c.execute(sa.select(t).where(t.c.ref == ref)).one_or_none()
    columns = (r.c.landed_at, r.c.pointer, r.c.deleted, r.c.body, x.c.method, x.c.url, x.c.at)
    versions = sa.select(*columns).outerjoin(x, x.c.id == r.c.exchange_id).where(r.c.ref == ref).order_by(r.c.seq)
    return {
        "ref": ref,
        "entity": told.entity if told else None,
        "deleted": bool(told.deleted) if told else None,
        "updated": told.updated if told else None,
        "fields": json.loads(told.fields) if told else {},
        "since": json.loads(told.times) if told else {},
        "versions": [
            {
                "landed_at": row.landed_at,
                "call": f"{row.method} {row.url}" if row.url else None,
                "pointer": row.pointer,
                "deleted": bool(row.deleted),
                "body": _body(bytes(row.body)),
            }
            for row in c.execute(versions)
        ],
    }


def _body(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode("utf-8", "replace")


def _written(c: sa.Connection, refs: Sequence[str]) -> list[Facts]:
    """What the hub wrote, or tried to, with what was there before."""
    rc = schema.receipts
    rows = bulk.where_in(c, sa.select(rc).order_by(rc.c.id), rc.c.ref, refs)
    names = ("ref", "plan_id", "op", "outcome", "code", "message", "at")
    return [
        {name: row._mapping[name] for name in names} | {"before": json.loads(row.before), "sent": json.loads(row.sent)}
        for row in rows
    ]


def _planned(c: sa.Connection, refs: Sequence[str]) -> list[Facts]:
    t = schema.changes
    query = sa.select(t.c.plan_id, t.c.ref, t.c.op, t.c.field, t.c.old, t.c.new, t.c.why, t.c.outcome)
    return [dict(row._mapping) for row in bulk.where_in(c, query.order_by(t.c.plan_id, t.c.n), t.c.ref, refs)]


def _refused(c: sa.Connection, refs: Sequence[str]) -> list[Facts]:
    """The dead letters, unsealed where the key is at hand."""
    rows = _rows(c, schema.dead_letters, schema.dead_letters.c.ref, refs)
    return [row | {name: readable(row[name]) for name in ("old", "new", "message")} for row in rows]


def _judgements(c: sa.Connection, refs: Sequence[str]) -> list[Facts]:
    j = schema.judgements
    found = [*_rows(c, j, j.c.a, refs), *_rows(c, j, j.c.b, refs)]
    return [row for n, row in enumerate(found) if row not in found[:n]]


def _findings(c: sa.Connection, person: Person) -> list[Facts]:
    f = schema.findings
    found = [*_rows(c, f, f.c.ref, person.all_refs), *_rows(c, f, f.c.golden_id, person.golden_ids)]
    return list({row["id"]: row for row in found}.values())


def _pairs(c: sa.Connection, refs: Sequence[str]) -> list[Facts]:
    p = schema.pairs
    found = [*_rows(c, p, p.c.a, refs), *_rows(c, p, p.c.b, refs)]
    return list({(row["a"], row["b"]): row for row in found}.values())


def _rows(c: sa.Connection, table: sa.Table, column: sa.Column[Any], values: Iterable[str]) -> list[Facts]:
    return [dict(row._mapping) for row in bulk.where_in(c, sa.select(table), column, values)]


def _naming(c: sa.Connection, table: sa.Table, columns: Sequence[str], person: Person) -> list[Facts]:
    """The rows in which one of their records or golden ids stands."""
    pattern = Pattern.of((), (*person.all_refs, *person.golden_ids))
    found: list[Facts] = []
    for batch in bulk.batches(c, sa.select(table)):
        places = {n for name in columns for n in pattern.among(batch.column(name)).to_pylist()}
        found += [batch.slice(n, 1).to_pylist()[0] for n in sorted(places)]
    return found


# -- for reading ---------------------------------------------------------------------------------------------------


def as_text(facts: Mapping[str, Any]) -> str:
    """The same for a person, as Markdown: what is believed, where from, what each system holds, what was written."""
    lines = ["# What is held about you", "", f"Made {facts['made_at']}.", "", "## What we believe, and where from", ""]
    lines += _table(
        ("field", "value", "from", "rule"),
        [
            (name, cell["value"], (cell["origin"] or {}).get("ref"), (cell["origin"] or {}).get("rule"))
            for name, cell in sorted(facts["believed"].items())
        ],
    )
    for title, name in (("What each system says", "records"), ("What else is about you", "about_them")):
        lines += [f"## {title}", ""]
        for record in facts[name]:
            lines += [f"### {record['ref']}", "", f"{len(record['versions'])} versions, read from its system.", ""]
            lines += _table(("field", "value", "since"), [
                (key, value, record["since"].get(key)) for key, value in sorted(record["fields"].items())
            ])  # fmt: skip
    lines += ["## What we wrote", ""]
    lines += _table(
        ("at", "where", "field", "before", "after", "outcome"),
        [
            (row["at"], row["ref"], name, row["before"].get(name), value, row["outcome"])
            for row in facts["written"]
            for name, value in row["sent"].items()
        ],
    )
    lines += ["## What people decided", ""]
    lines += _table(
        ("at", "who", "what", "why"),
        [
            *(
                (r["at"], r["author"], f"{r['a']} and {r['b']}: {r['verdict']}", r["reason"])
                for r in facts["judgements"]
            ),
            *((r["at"], r["author"], f"{r['field']} is {r['value']}", r["reason"]) for r in facts["pins"]),
        ],
    )
    return "\n".join(lines)


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    if not rows:
        return ["Nothing.", ""]
    head = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return [*head, *(f"| {' | '.join(map(_cell, row))} |" for row in rows), ""]


def _cell(value: Any) -> str:
    return "" if value is None else str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")

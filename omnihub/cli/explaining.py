"""Explain: where each golden value comes from, down to the byte, and who lost against it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape

from omnihub.cli.installation import Installation, here
from omnihub.cli.screen import heading, put, table, tell
from omnihub.errors import OmniHubError
from omnihub.flow import deciding
from omnihub.flow.gating import kept_back_of
from omnihub.flow.holding import held
from omnihub.flow.hub import Hub, thresholds
from omnihub.flow.weighing import Weighed, weighed
from omnihub.match.model import FORBIDDEN
from omnihub.model import STANDING
from omnihub.sdk import Connector
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso

BAR, BITS_A_BLOCK = 8, 2.0
SOME = 5


def explain(what: str, field: str | None, as_json: bool) -> None:
    """The golden record behind a ref or an id, or the record alone where it belongs to none; or two of them."""
    installation = here()
    with installation.store() as store:
        if field is not None and _is_record(store, field):
            pair = weighed(store, thresholds(installation.config), what, field, now_iso())
            tell(asdict(pair), as_json, lambda console: _draw_pair(console, pair))
            return
        facts = told(store, installation.connectors, what, field)
        if golden_id := facts.get("golden"):
            facts["kept_back"] = [
                one for one in _kept_back(installation, store, golden_id) if field in (None, one["field"])
            ]
    tell(facts, as_json, lambda console: _draw(console, facts))


def _kept_back(installation: Installation, store: Store, golden_id: str) -> list[dict[str, str]]:
    config = installation.config
    connectors = config.enabled(installation.connectors)
    hub = Hub(store, connectors, lambda connector: {}, gates=config.gates, regions=config.regions())
    with store.read() as c:
        return kept_back_of(c, hub, golden_id)


def _is_record(store: Store, what: str) -> bool:
    """Whether this is a ref or a golden id, and no field."""
    with store.read() as c:
        return "/" in what or deciding.living_id(c, what) is not None


def told(store: Store, connectors: Mapping[str, Connector], what: str, field: str | None = None) -> dict[str, Any]:
    """Golden record, members, and for each field its value, rule, winner and losers.

    OmniHubError where nobody knows `what`, or the field is none of it.
    """
    with store.read() as c:
        golden = _golden(c, what)
        if golden is None:
            return _record_alone(c, connectors, what, field)
        members = _members(c, golden["id"])
        findings = _findings(c, golden["id"], [m["ref"] for m in members])
        undone = [one for one in held(c, [m["ref"] for m in members]) if field in (None, one["field"])]
        winners = [cell for cell in golden["lineage"].values() if cell["ref"]]
        origins = _origins(c, connectors, winners)
        around = _around(c, golden["id"], [m["ref"] for m in members])
    fields = {
        name: _cell(name, value, golden["lineage"].get(name, {}), origins) for name, value in golden["fields"].items()
    }
    return {
        "golden": golden["id"],
        "asked": what,
        "entity": golden["entity"],
        "title": _title(golden["fields"]),
        "members": members,
        "fields": _only(fields, field, golden["id"]),
        "around": around,
        "findings": findings,
        "undone": undone,
    }


# -- reading ---------------------------------------------------------------------------------------------------------


def _golden(c: sa.Connection, what: str) -> dict[str, Any] | None:
    """By ref or id; an id that was merged into another leads to the one that lives."""
    g, x = schema.goldens, schema.crosswalk
    wanted = c.execute(sa.select(x.c.golden_id).where(x.c.ref == what)).scalar() or what
    seen: set[str] = set()
    while wanted not in seen:
        seen.add(wanted)
        row = c.execute(sa.select(g).where(g.c.id == wanted)).one_or_none()
        if row is None:
            return None
        if not row.merged_into:
            return dict(row._mapping) | {"fields": json.loads(row.fields), "lineage": json.loads(row.lineage)}
        wanted = row.merged_into
    return None


def _members(c: sa.Connection, golden_id: str) -> list[dict[str, Any]]:
    x, t = schema.crosswalk, schema.refined
    query = sa.select(t.c.ref, t.c.system, t.c.stream, t.c.updated, t.c.deleted).join(x, x.c.ref == t.c.ref)
    return [dict(row._mapping) for row in c.execute(query.where(x.c.golden_id == golden_id).order_by(t.c.ref))]


def _findings(c: sa.Connection, golden_id: str, refs: Iterable[str]) -> list[dict[str, Any]]:
    f = schema.findings
    query = sa.select(f.c.kind, f.c.severity, f.c.ref, f.c.field, f.c.theirs, f.c.expected, f.c.first_seen)
    rows = bulk.where_in(c, query.where(f.c.state.in_(STANDING)), f.c.ref, refs)
    return sorted((dict(row._mapping) for row in rows), key=lambda one: (one["ref"], one["kind"], one["field"]))


def _around(c: sa.Connection, golden_id: str, refs: Iterable[str]) -> list[dict[str, Any]]:
    """What hangs on it by the systems' own keys (contacts, orders, devices, branches …), by entity: how many records,
    how many golden records they are, and some of them."""
    k, t, x = schema.links, schema.refined, schema.crosswalk
    query = sa.select(t.c.entity, t.c.ref, x.c.golden_id).join(k, k.c.ref == t.c.ref)
    query = query.outerjoin(x, x.c.ref == t.c.ref).where(~t.c.deleted)
    found: dict[str, dict[str, set[str]]] = {}
    for row in bulk.where_in(c, query, k.c.target, refs):
        if row.golden_id != golden_id:
            things = found.setdefault(row.entity, {"records": set(), "golden": set()})
            things["records"].add(row.ref)
            things["golden"] |= {row.golden_id} - {None}
    return [
        {
            "entity": entity,
            "records": len(things["records"]),
            "golden": len(things["golden"]) or None,
            "some": sorted(things["golden"] or things["records"])[:SOME],
        }
        for entity, things in sorted(found.items())
    ]


def _origins(
    c: sa.Connection, connectors: Mapping[str, Connector], cells: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, int], dict[str, Any]]:
    """(ref, raw_seq) → the exchange and the place in its body the record came from."""
    wanted = {(cell["ref"], cell["raw_seq"]) for cell in cells if cell["raw_seq"] is not None}
    r, e, t = schema.raw, schema.exchanges, schema.refined
    query = sa.select(r.c.seq, r.c.pointer, r.c.landed_at, e.c.method, e.c.url, e.c.status, e.c.at).join(
        e, e.c.id == r.c.exchange_id
    )
    raws = {row.seq: row for row in bulk.where_in(c, query, r.c.seq, [seq for _, seq in wanted])}
    nested = {
        row[0]: row[1] for row in bulk.where_in(c, sa.select(t.c.ref, t.c.pointer), t.c.ref, [ref for ref, _ in wanted])
    }
    return {
        (ref, seq): {
            "exchange": f"{raw.method} {raw.url}",
            "status": raw.status,
            "at": raw.at,
            "record": raw.pointer,
            "inside": nested.get(ref, ""),
            "paths": _paths(connectors, ref),
        }
        for ref, seq in wanted
        if (raw := raws.get(seq))
    }


def _paths(connectors: Mapping[str, Connector], ref: str) -> dict[str, str]:
    system, stream, _ = ref.split("/", 2)
    known = {s.name: s for s in connectors[system].streams} if system in connectors else {}
    return {name: where.path for name, where in known[stream].fields.items()} if stream in known else {}


def _cell(
    name: str, value: Any, story: Mapping[str, Any], origins: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, Any]:
    origin = origins.get((story.get("ref", ""), story.get("raw_seq") or 0))
    return {
        "value": value,
        "rule": story.get("rule", ""),
        "winner": story.get("ref") or None,
        "since": story.get("time"),
        "origin": origin
        and {of: origin[of] for of in ("exchange", "status", "at")} | {"pointer": _pointer(origin, name)},
        "losers": story.get("losers", []),
    }


def _pointer(origin: Mapping[str, Any], name: str) -> str:
    """The JSON pointer of one value in the body of its exchange."""
    path: str = origin["paths"].get(name, "")
    start: str = origin["record"] if path.startswith("^") else origin["record"] + origin["inside"]
    return start + "".join(f"/{part}" for part in path.removeprefix("^").split(".") if part)


def _only(fields: dict[str, Any], field: str | None, of: str) -> dict[str, Any]:
    if field is None:
        return fields
    if field not in fields:
        raise OmniHubError(f"explain: {of} has no {field}; it has {', '.join(sorted(fields)) or 'nothing'}")
    return {field: fields[field]}


def _title(fields: Mapping[str, str | None]) -> str:
    name = " ".join(filter(None, (fields.get("first_name"), fields.get("last_name"))))
    return name or fields.get("name") or fields.get("email") or fields.get("sku") or ""


def _record_alone(c: sa.Connection, connectors: Mapping[str, Connector], ref: str, field: str | None) -> dict[str, Any]:
    """A record that belongs to no golden one (orders, tickets …): its values, as refined."""
    t = schema.refined
    row = c.execute(sa.select(t).where(t.c.ref == ref)).one_or_none()
    if row is None:
        raise OmniHubError(
            f"explain: nobody knows {ref}; write system/stream/id, or a golden id (`omnihub plan show --json` has some)"
        )
    values, times, troubles = json.loads(row.fields), json.loads(row.times), json.loads(row.problems)
    origins = _origins(c, connectors, [{"ref": ref, "raw_seq": row.raw_seq}])
    story = {"ref": ref, "raw_seq": row.raw_seq, "rule": "", "losers": []}
    fields = {name: _cell(name, value, story | {"time": times.get(name)}, origins) for name, value in values.items()}
    return {
        "golden": None,
        "asked": ref,
        "entity": row.entity,
        "title": _title(values),
        "members": [
            {"ref": ref, "system": row.system, "stream": row.stream, "updated": row.updated, "deleted": row.deleted}
        ],
        "fields": _only(fields, field, ref),
        "problems": troubles,
        "findings": _findings(c, "", [ref]),
    }


# -- two of them -----------------------------------------------------------------------------------------------------

_VERDICTS = {
    "same": "[green]surely the same[/]", "unsure": "[yellow]a person has to say[/]", "different": "[red]different[/]",
    "never": "[red]they contradict[/]",
}  # fmt: skip


def _draw_pair(console: Console, pair: Weighed) -> None:
    heading(console, f"{pair.a}  ·  {pair.b}", pair.entity)
    one = f"one customer: {pair.golden[0]}" if pair.one else f"two: {pair.golden[0] or '–'} and {pair.golden[1] or '–'}"
    console.print(f"  The hub believes they are [bold]{one}[/].")
    for reason in pair.decided:
        console.print(f"  {escape(reason)}")
    heading(console, "Evidence", "in bits: one more is twice as likely")
    drawn = table("comparison", "bits", "", "left", "right", fold=("left", "right"))
    for each in pair.evidence:
        drawn.add_row(
            each.comparison, _bits(each.bits), _bar(each.bits), escape(each.left or "–"), escape(each.right or "–")
        )
    drawn.add_row("[bold]together[/]", _bits(pair.weight), _bar(pair.weight), _VERDICTS[pair.verdict], "")
    put(console, drawn)
    console.print(f"  [dim]same from {pair.limits.same:+.1f}, a person is asked from {pair.limits.unsure:+.1f}[/]")
    if pair.path:
        heading(console, "Tied together by")
        drawn = table("record", "record", "bits", fold=("record",))
        for a, b, bits in pair.path:
            drawn.add_row(a, b, _bits(bits))
        put(console, drawn)
    console.print()


def _bits(bits: float) -> str:
    return "never" if bits < FORBIDDEN else f"{bits:+.1f}"


def _bar(bits: float) -> str:
    """A picture of some bits: to the right what speaks for it, to the left what speaks against it."""
    length = min(round(abs(bits) / BITS_A_BLOCK), BAR)
    colour, block = ("green", "█") if bits > 0 else ("red", "█")
    left = " " * BAR if bits > 0 else " " * (BAR - length) + block * length
    right = block * length if bits > 0 else ""
    return f"[{colour}]{left}│{right:<{BAR}}[/]"


# -- drawn -----------------------------------------------------------------------------------------------------------


def _draw(console: Console, facts: Mapping[str, Any]) -> None:
    heading(
        console,
        escape(facts["title"] or facts["asked"]),
        f"{facts['entity']} {facts['golden'] or '· belongs to no golden record'}",
    )
    drawn = table("member", "changed", fold=("member",))
    for member in facts["members"]:
        drawn.add_row(
            member["ref"] + (" [red]deleted[/]" if member["deleted"] else ""), f"[dim]{member['updated'] or ''}[/]"
        )
    put(console, drawn)
    heading(console, "Values")
    if len(facts["fields"]) == 1:
        _draw_whole(console, *next(iter(facts["fields"].items())))
    else:
        _draw_values(console, facts["fields"])
    if facts.get("around"):
        heading(console, "What hangs on it", "by the systems' own keys")
        drawn = table("", "records", "golden records", "some of them", fold=("some of them",))
        for one in facts["around"]:
            drawn.add_row(one["entity"], f"{one['records']:,}", str(one["golden"] or "·"), ", ".join(one["some"]))
        put(console, drawn)
    if facts.get("undone"):
        heading(console, "Undone by a person", "not written again while nothing about it changes; else undo --lift")
        drawn = table("record", "field", "holds", "by", "because", fold=("record", "holds", "because"))
        for one in facts["undone"]:
            holds = escape(one["theirs"]) if one["theirs"] is not None else "[dim]no value[/]"
            drawn.add_row(one["ref"], one["field"], holds, escape(one["author"]), escape(one["reason"]))
        put(console, drawn)
    if facts.get("kept_back"):
        heading(console, "Kept back", "what no plan writes, whoever approves it")
        drawn = table("record", "field", "why", fold=("record", "why"))
        for one in facts["kept_back"]:
            drawn.add_row(one["ref"], one["field"], escape(one["why"]))
        put(console, drawn)
    if facts["findings"]:
        heading(console, "Open findings")
        drawn = table("record", "kind", "field", "holds", "expected", fold=("record", "holds", "expected"))
        for one in facts["findings"]:
            drawn.add_row(
                one["ref"], one["kind"], one["field"], *(escape(one[of] or "") for of in ("theirs", "expected"))
            )
        put(console, drawn)
    console.print()


def _draw_values(console: Console, fields: Mapping[str, Any]) -> None:
    drawn = table("field", "value", "rule", "from", "against", fold=("value", "from", "against"))
    for name, cell in fields.items():
        against = [
            f"{_system(one['ref'])} [dim]{escape(str(one['value']))}[/]"
            for one in cell["losers"]
            if one["value"] != cell["value"]
        ]
        drawn.add_row(name, escape(str(cell["value"])), cell["rule"], _system(cell["winner"]), "\n".join(against))
    put(console, drawn)


def _system(ref: str | None) -> str:
    return "/".join(ref.split("/", 2)[:2]) if ref else "steward"


def _draw_whole(console: Console, name: str, cell: Mapping[str, Any]) -> None:
    drawn = table("", "", fold=("",))
    drawn.show_header = False
    origin = cell["origin"] or {}
    rows = {
        name: f"[bold]{escape(str(cell['value']))}[/]",
        "rule": cell["rule"] or "as it stands in the record",
        "from": cell["winner"] or "a steward's pin",
        "since": cell["since"],
        "exchange": origin and f"{origin['exchange'].partition('?')[0]} → {origin['status']}, {origin['at'][:19]}",
        "at": origin.get("pointer"),
    }
    for label, value in rows.items():
        if value:
            drawn.add_row(f"[dim]{label}[/]", value)
    for one in cell["losers"]:
        label = "agrees" if one["value"] == cell["value"] else "against"
        drawn.add_row(f"[dim]{label}[/]", f"{escape(str(one['value']))}  [dim]{one['ref']} {one['time'] or ''}[/]")
    put(console, drawn)

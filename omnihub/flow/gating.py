"""Gates with facts: who said what of which purpose, and what the masters say, for the changes of a plan.

    connectors, settings ─▶ what may be written where, for which purpose, in which region ─┐
    members, golden records, consents ─▶ the strictest word of each person ────────────────┴▶ `push.gates`

Asked when a plan is made, and again before it is written: see `closing`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from omnihub.config import PERSONS
from omnihub.flow.hub import Hub
from omnihub.flow.unmerging import own_words
from omnihub.model import Change, Entity, Ref
from omnihub.push import Plan
from omnihub.push.gates import REGION, Facts, Gates, Kept, counted, let_through, strictest, taken_out
from omnihub.push.missing import whole
from omnihub.store import bulk, schema
from omnihub.store.open import watermark

SAID = "marketing_consent"
"""What a contact's own record says of the purpose `PERSONS`."""

CALLED = {"newsletter": PERSONS, "advertising": PERSONS}
"""What else a purpose is called in consents; the settings may add to it."""

WORD = re.compile(r"[^\W_]+")

INCOMPLETE = "the new record would lack what may not be written there"

MASTERED = (Entity.PRODUCT,)
"""What a master is right about, of all that has golden records."""


def gates_of(hub: Hub) -> Gates:
    """What the connectors declare, as the settings want it."""
    streams = [(name, c, s) for name, c in hub.connectors.items() for s in c.streams if s.push is not None]
    return Gates(
        writable={(name, s.name): frozenset(s.push.fields) for name, c, s in streams if s.push and not c.master},
        given={(name, s.name): frozenset(s.push.given) for name, _, s in streams if s.push},
        masters=frozenset(name for name, c in hub.connectors.items() if c.master),
        regions=hub.regions,
        stays_in=hub.gates.homes(),
        purposes={(name, s.name): _purposes(hub, name, s.entity, c.purposes_of(s)) for name, c, s in streams},
        unknown_is_no=frozenset(hub.gates.unknown_is_no),
    )


def _purposes(
    hub: Hub, system: str, entity: Entity, declared: Mapping[str, tuple[str, ...]]
) -> dict[str, frozenset[str]]:
    """Those of the connector, with those of the settings laid over."""
    found = {name: frozenset(purposes) for name, purposes in declared.items()}
    for key, purposes in hub.gates.purposes.items():
        of, about, name = key.split(".")
        if (of, about) == (system, entity):
            found[name] = frozenset(purposes)
    return found


def gated(c: sa.Connection, hub: Hub, plan: Plan) -> tuple[Plan, dict[str, Any]]:
    """The plan without what a gate stops, and what was kept back, counted, for the plan's facts."""
    through, kept = sieved(c, hub, plan.changes)
    if not kept:
        return plan, {}
    through += _strangers_words(c, kept)
    push = {(name, s.name): s.push for name, x in hub.connectors.items() for s in x.streams if s.push}
    made, _ = whole(through, push)
    there = {id(change) for change in made}
    kept += [Kept(change, REGION, INCOMPLETE) for change in through if id(change) not in there]
    ordered = sorted(made, key=lambda change: (change.ref, change.field))
    return replace(plan, changes=tuple(ordered)), {"kept_back": counted(kept)}


def kept_back_of(c: sa.Connection, hub: Hub, golden_id: str) -> list[dict[str, str]]:
    """What differs from this golden record and is kept back: ref, field, gate and why."""
    d = schema.differences
    query = sa.select(d.c.ref, d.c.field, d.c.theirs, d.c.ours).where(d.c.golden_id == golden_id)
    written = gates_of(hub).writable
    differ = [Change(Ref.parse(r.ref), r.field, r.theirs, r.ours, "", golden_id) for r in c.execute(query)]
    wanted = [x for x in differ if x.field in written.get((x.ref.system, x.ref.stream), ())]
    _, kept = sieved(c, hub, sorted(wanted, key=lambda x: (x.ref, x.field)))
    return [{"ref": str(k.change.ref), "field": k.change.field, "gate": k.gate, "why": k.why} for k in kept]


def _strangers_words(c: sa.Connection, kept: Iterable[Kept]) -> list[Change]:
    """What takes out of a record what it was given by somebody who is another one now, where its own is kept back."""
    out = [change for one in kept if (change := taken_out(one))]
    words = own_words(c, {change.golden_id for change in out})
    return [x for x in out if (own := words.get((str(x.ref), x.field))) and own.value != x.old]


def sieved(
    c: sa.Connection, hub: Hub, changes: Collection[Change], restoring: bool = False
) -> tuple[list[Change], list[Kept]]:
    """The changes that no gate stops as things stand now, and those that are kept back. restoring: see `push.gates`."""
    gates = gates_of(hub)
    return let_through(changes, gates, facts_about(c, hub, gates, changes), restoring)


def facts_about(c: sa.Connection, hub: Hub, gates: Gates, changes: Iterable[Change]) -> Facts:
    """What is known of the persons and products these changes are about, where a gate asks for it."""
    reached: set[str] = set()
    sold: set[str] = set()
    wares = tuple(f"{entity}_" for entity in MASTERED)
    for change in changes:
        if gates.purposes_of(change):
            reached.add(change.golden_id)
        elif change.golden_id.startswith(wares):
            sold.add(change.golden_id)
    return Facts(said_by(c, hub, reached), _mastered(c, gates.masters, sold))


# -- who said what -----------------------------------------------------------------------------------------------------


def said_by(c: sa.Connection, hub: Hub, golden_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """golden id → purpose → the strictest word of all who hold one: its records in every system, what the golden record
    says (a steward may have pinned a no), and the consents that hang on its records."""
    if not golden_ids:
        return {}
    x, t, g = schema.crosswalk, schema.refined, schema.goldens
    told: dict[str, dict[str, list[str | None]]] = defaultdict(lambda: defaultdict(list))
    members = sa.select(x.c.ref, x.c.golden_id, t.c.fields).join(t, t.c.ref == x.c.ref).where(~t.c.deleted)
    home: dict[str, str] = {}
    for row in bulk.where_in(c, members, x.c.golden_id, golden_ids):
        home[row.ref] = row.golden_id
        told[row.golden_id][PERSONS].append(json.loads(row.fields).get(SAID))
    for row in bulk.where_in(c, sa.select(g.c.id, g.c.fields), g.c.id, golden_ids):
        told[row.id][PERSONS].append(json.loads(row.fields).get(SAID))
    for ref, purpose, state in _consents(c, hub, home):
        told[home[ref]][purpose].append(state)
    return {gid: {p: word for p, words in of.items() if (word := strictest(words))} for gid, of in told.items()}


def _consents(c: sa.Connection, hub: Hub, home: Collection[str]) -> list[tuple[str, str, str]]:
    """(ref of a contact, purpose, state): the last word of each contact on each purpose, in each system's own words for
    it. Somebody who said no, and later yes to the same, has said yes."""
    latest: dict[tuple[str, str], tuple[str, str, str]] = {}
    for row in _consent_records(c, home):
        told = json.loads(row.fields)
        ref, purpose, state = told.get("contact"), told.get("purpose"), told.get("state")
        if ref in home and purpose and state:
            one = told.get("at") or "", state, row.ref
            key = ref, purpose.casefold()
            latest[key] = max(latest.get(key, one), one)
    meant = {name.casefold(): purpose for name, purpose in (CALLED | dict(hub.gates.consents)).items()}
    return [
        (ref, purpose, state)
        for (ref, name), (_, state, _) in latest.items()
        for purpose in purposes_meant(name, meant)
    ]


def _consent_records(c: sa.Connection, home: Collection[str]) -> list[Any]:
    """The consents that link to these contacts, by the links noted by the last compare, and those that came since."""
    t, links = schema.refined, schema.links
    consents = sa.select(t.c.ref, t.c.fields).where(t.c.entity == Entity.CONSENT.value, ~t.c.deleted)
    linked = sa.select(links.c.ref).where(links.c.field == "contact")
    refs = {row.ref for row in bulk.where_in(c, linked, links.c.target, home)}
    since = consents.where(t.c.seq > watermark(c, "compare"))
    return [*bulk.where_in(c, consents, t.c.ref, refs), *c.execute(since)]


def purposes_meant(name: str, called: Mapping[str, str]) -> set[str]:
    """What a consent's purpose is, as its system calls it, in our words. A no to a part is a no: one word is enough.

    >>> sorted(purposes_meant("marketing information", {})), purposes_meant("order news", {"order news": "service"})
    (['information', 'marketing'], {'service'})
    """
    if name in called:
        return {called[name]}
    return {called.get(word, word) for word in WORD.findall(name)}


# -- what the masters say ----------------------------------------------------------------------------------------------


def _mastered(c: sa.Connection, masters: Collection[str], golden_ids: Collection[str]) -> dict[tuple[str, str], str]:
    """(golden id, field) → what a master says. Where several say different things none of them is right alone."""
    if not masters or not golden_ids:
        return {}
    x, t = schema.crosswalk, schema.refined
    query = sa.select(x.c.golden_id, t.c.fields).join(t, t.c.ref == x.c.ref)
    query = query.where(~t.c.deleted, t.c.system.in_(sorted(masters)))
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in bulk.where_in(c, query, x.c.golden_id, golden_ids):
        for name, value in json.loads(row.fields).items():
            found[row.golden_id, name].add(value)
    return {cell: next(iter(values)) for cell, values in found.items() if len(values) == 1}

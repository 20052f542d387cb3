"""Gates: what no plan may hold, whoever approves it.

    a change ─▶ may this field be written there at all?                     white list
             ─▶ is another system right about it?                           master
             ─▶ may it leave its region?                                    region
             ─▶ does it reach a person for a purpose they said no to?       consent
             ─▶ the plan

A guard asks a person, a gate asks nobody. What is written together (an address, a new record) is kept back together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from omnihub import fields
from omnihub.model import ENTITIES, Change, Entity, Field, Kind, Op, Ref
from omnihub.push.plan import unit_of
from omnihub.sdk.connector import CREATING

WHITE_LIST, MASTER, REGION, CONSENT = "white list", "master", "region", "consent"

Where = tuple[str, str]
"""(system, stream)"""

VALUES = (Op.CREATE, Op.UPDATE)
"""What writes values; the others let a record go, or know it again."""

EXAMPLES = 3  # refs that are named with a count


@dataclass(frozen=True)
class Gates:
    """What the connectors and the settings say.

    writable: what may be written; a stream that is not there is read only. given: what may be as well when a record is
    made. masters: the systems that are right about
    what they say. regions: system → where it keeps its data. stays_in: field → the regions it may be in. purposes:
    field, or `CREATING` for every new record → what it reaches a person for. unknown_is_no: the purposes for which a
    person has to have said yes.
    """

    writable: Mapping[Where, frozenset[str]] = field(default_factory=dict)
    given: Mapping[Where, frozenset[str]] = field(default_factory=dict)
    masters: frozenset[str] = frozenset()
    regions: Mapping[str, str] = field(default_factory=dict)
    stays_in: Mapping[tuple[Entity, str], frozenset[str]] = field(default_factory=dict)
    purposes: Mapping[Where, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    unknown_is_no: frozenset[str] = frozenset()

    def purposes_of(self, change: Change) -> frozenset[str]:
        """What this change would reach a person for; nothing, where it takes a way to reach them away."""
        if change.op not in VALUES or change.new is None:
            return frozenset()
        kind = _field(change).kind
        if kind is Kind.CONSENT and change.new == "no":
            return frozenset()
        told = self.purposes.get((change.ref.system, change.ref.stream), {})
        by_field = told.get(change.field, frozenset())
        created = told.get(CREATING, frozenset()) if change.op is Op.CREATE else frozenset()
        return by_field | created | (frozenset({MARKETING}) if kind is Kind.CONSENT else frozenset())


MARKETING = "marketing"
"""The purpose that a contact's own `marketing_consent` is about."""


@dataclass(frozen=True)
class Facts:
    """What is known of those a plan is about.

    said: golden id → purpose → the strictest word of all who hold one, yes or no; missing where nobody does. mastered:
    (golden id, field) → what a master says of it.
    """

    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mastered: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """A change that a gate keeps back: which gate, and why in words that fit many."""

    change: Change
    gate: str
    why: str


def let_through(
    changes: Iterable[Change], gates: Gates, facts: Facts, restoring: bool = False
) -> tuple[list[Change], list[Kept]]:
    """The changes no gate stops, in their order, and those that are kept back.

    restoring: they put back what was there before. Then a master's word does not matter; a person's no does, and so
    does the region.
    """
    all_of_them = list(changes)
    kept: dict[int, Kept] = {}
    for n, change in enumerate(all_of_them):
        if stopped := _stopped(change, gates, facts, restoring):
            kept[n] = Kept(change, *stopped)
    _keep_whole(all_of_them, kept)
    return [c for n, c in enumerate(all_of_them) if n not in kept], [kept[n] for n in sorted(kept)]


def taken_out(kept: Kept) -> Change | None:
    """Where a record may not be given its own value back, a stranger's does not stay there either."""
    change = kept.change
    if kept.gate not in (CONSENT, REGION) or change.op is not Op.UPDATE or change.old is None:
        return None
    why = f"takes out what came from somebody who turned out to be another one; the own is kept back: {kept.why}"
    return replace(change, new=None, why=why, restores=True)


def _keep_whole(changes: Sequence[Change], kept: dict[int, Kept]) -> None:
    """A part of an address is no address, a link to a record that is not made leads nowhere, and what nobody may be
    reached by is not made either."""
    units: dict[tuple[Ref, str], Kept] = {}
    records: dict[Ref, Kept] = {}
    for one in kept.values():
        units.setdefault((one.change.ref, _unit(one.change)), one)
        if one.gate == CONSENT and one.change.op is Op.CREATE:
            records.setdefault(one.change.ref, one)
    if not units:
        return
    for n, change in enumerate(changes):
        because = records.get(change.ref) or units.get((change.ref, _unit(change)))
        if because and n not in kept:
            kept[n] = Kept(change, because.gate, because.why)


def _stopped(change: Change, gates: Gates, facts: Facts, restoring: bool) -> tuple[str, str] | None:
    """(gate, why) of the first gate that stops it."""
    system, where = change.ref.system, (change.ref.system, change.ref.stream)
    if system in gates.masters:
        return MASTER, f"{system} is the master and never written"
    if where not in gates.writable:
        return WHITE_LIST, f"{system}/{change.ref.stream} is read only"
    if change.op not in VALUES:
        return None
    given = gates.given.get(where, frozenset()) if change.op is Op.CREATE else frozenset()
    if change.field not in gates.writable[where] | given:
        return WHITE_LIST, f"{change.field} may not be written there"
    right = facts.mastered.get((change.golden_id, change.field))
    if right is not None and not restoring and not fields.same(_field(change).kind, right, change.new):
        return MASTER, "the master says something else"
    return _leaves(change, gates) or _reaches(change, gates, facts)


def _leaves(change: Change, gates: Gates) -> tuple[str, str] | None:
    """What is taken away from where it may not be is welcome."""
    home = gates.stays_in.get((_entity(change), change.field))
    region = gates.regions.get(change.ref.system)
    if home is None or change.new is None or region in home:
        return None
    there = f"{change.ref.system} is in {region}" if region else f"no region is told of {change.ref.system}"
    return REGION, f"{change.field} stays in {', '.join(sorted(home))}, and {there}"


def _reaches(change: Change, gates: Gates, facts: Facts) -> tuple[str, str] | None:
    said = facts.said.get(change.golden_id, {})
    for purpose in sorted(gates.purposes_of(change)):
        word = said.get(purpose)
        if word == "no":
            return CONSENT, f"no consent for {purpose}"
        if word is None and purpose in gates.unknown_is_no:
            return CONSENT, f"nobody knows of a consent for {purpose}"
    return None


def _unit(change: Change) -> str:
    """What is written together."""
    return unit_of(change.golden_id, change.field) if change.op in VALUES else change.op.value


def _entity(change: Change) -> Entity:
    return Entity(change.golden_id.partition("_")[0])


def _field(change: Change) -> Field:
    return ENTITIES[_entity(change)][change.field]


def strictest(words: Iterable[str | None]) -> str | None:
    """Any no is a no.

    >>> strictest(["yes", None, "no"]), strictest(["yes", None]), strictest([None])
    ('no', 'yes', None)
    """
    told = {word for word in words if word}
    return "no" if "no" in told else "yes" if "yes" in told else None


def counted(kept: Iterable[Kept]) -> list[dict[str, Any]]:
    """What was kept back, as a plan keeps it: gate, system, field, count, words, and a few refs; the most first."""
    groups: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for one in kept:
        groups[one.gate, one.change.ref.system, one.change.field, one.why].append(str(one.change.ref))
    told = [
        {
            "gate": gate,
            "system": system,
            "field": name,
            "count": len(refs),
            "words": f"{len(refs)} change{'' if len(refs) == 1 else 's'} kept back: {why}",
            "examples": sorted(refs)[:EXAMPLES],
        }
        for (gate, system, name, why), refs in groups.items()
    ]
    return sorted(told, key=lambda one: (-one["count"], one["gate"], one["system"], one["field"]))

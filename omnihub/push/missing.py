"""Missing: golden records that have no record in a system, and the changes that make one there.

    a golden record nobody knows there ─┬─▶ something stands against it     not made, counted by why
                                        ├─▶ what a new record needs lacks   not made, counted by why
                                        └─▶ one change a field, of a record that has a name but no id yet: `+golden id`

That name stays the same however often it is planned: it is the key the system will know the record by.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from omnihub.model import ENTITIES, Change, Entity, Kind, Op, Ref
from omnihub.sdk import Push

NEW = re.compile(r"\+([a-z]+_[^/]+)")

REFUSED = "refused before"

NotMade = Counter[tuple[str, str, str]]
"""(system, stream, why) → how many golden records are not made there."""


@dataclass(frozen=True)
class Missing:
    """A golden record without a record in this stream.

    fields: what it says, in canonical words; a link as a ref of the same system, which may itself be one to be made.
    origin: field → the ref its value came from. known_in: the systems that know it. against: why none is made, if so.
    """

    system: str
    stream: str
    golden_id: str
    fields: Mapping[str, str]
    origin: Mapping[str, str] = field(default_factory=dict)
    known_in: tuple[str, ...] = ()
    against: str = ""

    @property
    def ref(self) -> Ref:
        """What the record is called until it has an id."""
        return to_be_made(self.system, self.stream, self.golden_id)


def to_be_made(system: str, stream: str, golden_id: str) -> Ref:
    """What a record that is to be made is called until it has an id."""
    return Ref(system, stream, f"+{golden_id}")


def key_of(ref: str) -> str | None:
    """The golden id a record is to be made for; None of a record that is there.

    >>> key_of("crm/people/+contact_7f"), key_of("crm/people/+4930123"), key_of("crm/people/7")
    ('contact_7f', None, None)
    """
    found = NEW.fullmatch(Ref.parse(ref).id)
    return found[1] if found and found[1].partition("_")[0] in _ENTITIES else None


_ENTITIES = frozenset(entity.value for entity in Entity)


def made_of(
    missing: Iterable[Missing],
    push: Mapping[tuple[str, str], Push],
    held_back: Mapping[tuple[str, str], tuple[str | None, str | None]],
) -> tuple[list[Change], NotMade]:
    """The changes that make what is missing, and how much is not made, and why. `held_back`: as in `make_plan`."""
    changes: list[Change] = []
    not_made: NotMade = Counter()
    for one in missing:
        may = push[one.system, one.stream]
        fields = _fields(one, may)
        lacking = [name for name in may.required if name not in fields]
        held = bool(fields) and all(_held(one, f, value, held_back) for f, value in fields.items())
        against = one.against or (f"lacks {', '.join(lacking)}" if lacking or not fields else REFUSED if held else "")
        if against:
            not_made[one.system, one.stream, against] += 1
            continue
        changes += [
            Change(one.ref, name, None, value, _why(one, name), one.golden_id, Op.CREATE)
            for name, value in sorted(fields.items())
        ]
    return changes, not_made


def _held(
    one: Missing, name: str, value: str, held_back: Mapping[tuple[str, str], tuple[str | None, str | None]]
) -> bool:
    """Whether it was refused with this value before. What it belongs to may have got its id since: that is no news."""
    if ENTITIES[Entity(one.golden_id.partition("_")[0])][name].kind is Kind.LINK:
        return True
    return held_back.get((str(one.ref), name)) == (None, value)


def _fields(one: Missing, may: Push) -> dict[str, str]:
    """What the new record is given. What it can't hold, of a group all of it, and permissions, which a person gives to
    each system, are left out."""
    known = ENTITIES[Entity(one.golden_id.partition("_")[0])]
    allowed = {name: one.fields[name] for name in (*may.fields, *may.given) if name in one.fields}
    torn = {known[f].group or f for f, v in allowed.items() if len(v) > may.max_length.get(f, len(v))}
    torn |= {known[f].group or f for f in allowed if known[f].kind is Kind.CONSENT}
    return {f: value for f, value in allowed.items() if (known[f].group or f) not in torn}


def _why(one: Missing, name: str) -> str:
    entity, origin = one.golden_id.partition("_")[0], one.origin.get(name)
    said = f"; the value of {Ref.parse(origin).system} ({origin})" if origin else ""
    return f"makes a record: the {entity} is known in {', '.join(one.known_in)}, and not here{said}"


def whole(changes: Iterable[Change], push: Mapping[tuple[str, str], Push]) -> tuple[list[Change], NotMade]:
    """The changes without those of new records that lack what they need (some may have been taken out), or that belong
    to a new record which is not made; and how many these are."""
    kept = list(changes)
    not_made: NotMade = Counter()
    while True:
        told: dict[Ref, set[str]] = {}
        for c in kept:
            if c.op is Op.CREATE:
                told.setdefault(c.ref, set()).add(c.field)
        there = {str(ref) for ref in told}
        torn = {ref: "lacks what it needs" for ref, names in told.items() if not _complete(ref, names, push)}
        torn |= {c.ref: "what it belongs to is not made there" for c in kept if _dangling(c, there)}
        if not torn:
            return kept, not_made
        not_made.update((ref.system, ref.stream, why) for ref, why in torn.items())
        kept = [c for c in kept if c.ref not in torn]


def _complete(ref: Ref, names: set[str], push: Mapping[tuple[str, str], Push]) -> bool:
    return names >= set(push[ref.system, ref.stream].required)


def _dangling(change: Change, there: set[str]) -> bool:
    """Whether a new record would be linked to one that is not made."""
    if change.op is not Op.CREATE or change.new is None:
        return False
    link = ENTITIES[Entity(change.golden_id.partition("_")[0])][change.field].kind is Kind.LINK
    return link and key_of(change.new) is not None and change.new not in there

"""Undo: what some plans have written, held against what the systems hold now, gives the changes that take it back.

    receipts: what was there, what was sent ─┬─▶ still what we sent     a change back, to the letter where it is known
    the systems' present state ──────────────┘   what was there before  done already
                                                 anything else          left, and named with the reason

What somebody changed since is theirs. Fields of one group (an address) are taken back together or not at all. And what
a person has taken back is not written again while nothing about it has changed: see `apart_from`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any

from omnihub import fields
from omnihub.errors import OmniHubError
from omnihub.model import ENTITIES, Change, Entity, Kind, Op, Ref
from omnihub.push.apply import Present
from omnihub.push.plan import Difference, unit_of
from omnihub.sdk import FullName, Stream, dig

ROUNDED = frozenset(
    {Kind.MONEY, Kind.QUANTITY, Kind.PERCENT, Kind.WEIGHT}
)  # kinds some systems keep with fewer decimals
SHOWN = 120  # characters of a value nobody could clean that a reason repeats

CHANGED = "somebody changed it since"
GONE = "the record is no longer there"
FORBIDDEN = "this field may not be written any more"
NO_IMAGE = "what was there before is not known: it was kept by an older version of the hub, or lost with a process"
HANDED_OVER = "it was handed over and does not show there yet; undo it once it does"


@dataclass(frozen=True)
class Written:
    """A field that was written: what was there before, what was sent, both in canonical words.

    native: the same two in the system's own form, where they were kept. plan_id: the plan that wrote it; later: one
    that wrote it again. sure: there is a receipt for it; without one it was about to be written when the process died,
    and the system's present state says whether it was.
    """

    ref: str
    field: str
    golden_id: str
    before: str | None
    sent: str | None
    plan_id: str
    native: tuple[Any, Any] | None = None
    later: str | None = None
    sure: bool = True


@dataclass(frozen=True)
class Left:
    """A field that is left as it is: what it holds now, what was there before, and why it is not taken back."""

    ref: str
    field: str
    now: str | None
    before: str | None
    why: str


@dataclass(frozen=True)
class Inverse:
    """What it takes to take some plans back: the changes, how many fields are back already, and what is left."""

    changes: tuple[Change, ...]
    done: int
    left: tuple[Left, ...]


Target = Mapping[tuple[str, str], Stream]
"""(system, stream) → the stream as its connector has it; only of those that may be written."""


def invert(written: Iterable[Written], present: Mapping[str, Present | OmniHubError], targets: Target) -> Inverse:
    """Take back what was written.

    written: each (ref, field) once. present: ref → its present state, or why it could not be looked at; a ref that is
    missing is gone.
    """
    changes: list[Change] = []
    left: list[Left] = []
    done = 0
    by_unit: dict[tuple[str, str], list[Written]] = defaultdict(list)
    for one in written:
        by_unit[one.ref, unit_of(one.golden_id, one.field)].append(one)
    for (ref, unit), some in sorted(by_unit.items()):
        told = [_back(one, present.get(ref), targets) for one in some]
        stay = [t for t in told if isinstance(t, Left)]
        back = [t for t in told if isinstance(t, Change)]
        done += sum(t is DONE for t in told)
        left += stay
        if stay:  # our old street beside the city somebody just put there is nobody's address
            left += [Left(str(c.ref), c.field, c.old, c.new, f"its {unit} is left as a whole") for c in back]
        else:
            changes += back
    ordered = sorted(changes, key=lambda c: (c.ref, c.field))
    return Inverse(tuple(ordered), done, tuple(sorted(left, key=lambda one: (one.ref, one.field))))


class _Mark:
    """Nothing to take back."""


DONE, NEVER = _Mark(), _Mark()  # it is as it was; it never was written


def _back(one: Written, present: Present | OmniHubError | None, targets: Target) -> Change | Left | _Mark:
    """What becomes of one field."""
    ref = Ref.parse(one.ref)
    target = targets.get((ref.system, ref.stream))
    if isinstance(present, OmniHubError):
        return _left(one, None, f"could not look: {present}")
    if present is None:
        return _left(one, None, GONE) if one.sure else NEVER
    if target is None or target.push is None or one.field not in target.push.fields:
        return _left(one, present.fields.get(one.field), FORBIDDEN)
    path = target.fields[one.field].path
    now, raw = present.fields.get(one.field), dig(present.raw, path)
    kind = ENTITIES[target.entity][one.field].kind
    if _as_before(one, kind, now, raw):
        return _left(one, now, HANDED_OVER) if target.push.delayed and one.sure else DONE
    if not _as_sent(one, kind, now, raw):
        if not one.sure:
            return NEVER
        shown = now if now is not None or raw is None else str(raw)[:SHOWN]
        return _left(one, shown, f"written again since, by {one.later}" if one.later else CHANGED)
    if one.native is None and one.before is None:
        return _left(one, now, NO_IMAGE)
    return Change(ref, one.field, now, one.before, _why(one), one.golden_id, exact=_exact(one, target, raw))


def _left(one: Written, now: str | None, why: str) -> Left:
    return Left(one.ref, one.field, now, one.before, why)


def _why(one: Written) -> str:
    return f"{'empties' if one.before is None else 'restores'} what {one.plan_id} has written over"


def _as_before(one: Written, kind: Kind, now: str | None, raw: Any) -> bool:
    """Whether it is back already. What can't be read has no canonical value: then its own form says it."""
    if one.before is None and one.native is not None:
        return now is None and _blank(raw) == _blank(one.native[0])
    return fields.same(kind, now, one.before)


def _as_sent(one: Written, kind: Kind, now: str | None, raw: Any) -> bool:
    """Whether it still holds what we sent, as we wrote it or as the system writes such values."""
    if fields.same(kind, now, one.sent):
        return now is not None or one.native is None or _blank(raw) == _blank(one.native[1])
    if one.native is not None and _blank(raw) is not None and raw == one.native[1]:
        return True
    return kind in ROUNDED and now is not None and one.sent is not None and _rounded(one.sent, now)


def _blank(raw: Any) -> Any:
    """The ways to have no value are one."""
    return None if raw in ("", [], {}) else raw


def _rounded(sent: str, now: str) -> bool:
    """Whether `now` is what we sent, with fewer decimals.

    >>> _rounded("19.995", "20.00"), _rounded("19.995", "19.99"), _rounded("20", "20.5")
    (True, False, False)
    """
    try:
        exact, kept = Decimal(sent), Decimal(now)
        return exact.as_tuple().exponent < kept.as_tuple().exponent and round(exact, _places(kept)) == kept  # type: ignore[operator]
    except InvalidOperation:
        return False


def _places(value: Decimal) -> int:
    return max(0, -int(value.as_tuple().exponent))


def _exact(one: Written, target: Stream, raw: Any) -> str | None:
    """The value as the system itself had it, as JSON.

    A name kept as one text is put back so only while it is whole what we sent: the other half may be somebody's edit.
    """
    if one.native is None:
        return None
    if isinstance(target.fields[one.field], FullName) and raw != one.native[1]:
        return None
    return json.dumps(one.native[0], ensure_ascii=False)


# -- what was made ---------------------------------------------------------------------------------------------------

RECORD = "record"  # in place of a field: the record as such
KEPT = "it stays there, and the hub lets go of it: "
NOT_ALLOWED = KEPT + "taking away what the hub has made is not allowed (systems.{system}.write.{entity}.delete: own)"
NOT_ABLE = KEPT + "the hub can't take records of this stream away"
NOT_KNOWN = KEPT + "how it was when it was made is not known"
LEANED_ON = KEPT + "others belong to it ({refs})"


@dataclass(frozen=True)
class Made:
    """A record the hub has made: its fields just afterwards, where they are known; a plan that wrote to it since; the
    records that belong to it and are not taken away themselves; whether it may be taken away at all."""

    ref: str
    golden_id: str
    plan_id: str
    image: Mapping[str, str] | None
    later: str | None = None
    leaning: tuple[str, ...] = ()
    may_delete: bool = False


def take_away(made: Iterable[Made], present: Mapping[str, Present | OmniHubError], targets: Target) -> Inverse:
    """Let go of records that were made, and delete those that may be, as long as nobody changed anything in them."""
    changes: list[Change] = []
    left: list[Left] = []
    done = 0
    for one in made:
        now = present.get(one.ref)
        why = _against_letting_go(one, now)
        if now is None:
            done += 1
        elif why or isinstance(now, OmniHubError):
            left.append(Left(one.ref, RECORD, None, None, why))
        elif why := _against_deleting(one, targets):
            changes.append(_let_go(one, now, targets))
            left.append(Left(one.ref, RECORD, None, None, why))
        else:
            changes += _deleted(one, now, targets)
    return Inverse(tuple(changes), done, tuple(left))


def _against_letting_go(one: Made, now: Present | OmniHubError | None) -> str:
    if isinstance(now, OmniHubError):
        return f"could not look: {now}"
    if now is None or one.image is None or as_made(one.golden_id, one.image, now.fields):
        return ""
    return f"written again since, by {one.later}" if one.later else CHANGED


def as_made(golden_id: str, image: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a record says in every field what it said when it was made."""
    return all(same(golden_id, name, image.get(name), now.get(name)) for name in image.keys() | now.keys())


def _against_deleting(one: Made, targets: Target) -> str:
    ref = Ref.parse(one.ref)
    target = targets.get((ref.system, ref.stream))
    if not one.may_delete:
        return NOT_ALLOWED.format(system=ref.system, entity=one.golden_id.partition("_")[0])
    if target is None or target.push is None or target.push.delete is None:
        return NOT_ABLE
    if one.image is None:
        return NOT_KNOWN
    return LEANED_ON.format(refs=", ".join(one.leaning[:3])) if one.leaning else ""


def _let_go(one: Made, now: Present, targets: Target) -> Change:
    """One change stands for the record: a field that stays as it is."""
    names = _written_fields(one, now, targets) or sorted(now.fields) or ["name"]
    value = now.fields.get(names[0])
    why = f"lets go of the record {one.plan_id} has made; it stays as it is"
    return Change(Ref.parse(one.ref), names[0], value, value, why, one.golden_id, Op.UNLINK)


def _deleted(one: Made, now: Present, targets: Target) -> list[Change]:
    why = f"takes the record away that {one.plan_id} has made; nobody has changed it since"
    ref = Ref.parse(one.ref)
    return [
        Change(ref, name, now.fields[name], None, why, one.golden_id, Op.DELETE)
        for name in _written_fields(one, now, targets)
    ]


def _written_fields(one: Made, now: Present, targets: Target) -> list[str]:
    ref = Ref.parse(one.ref)
    push = targets[ref.system, ref.stream].push
    return sorted({*push.fields, *push.given} & now.fields.keys()) if push else []


def known_again(one: Made, field: str, value: str | None) -> Change:
    """The change that takes back that the hub let go of a record."""
    why = f"is the hub's own again: takes {one.plan_id} back"
    return Change(Ref.parse(one.ref), field, value, value, why, one.golden_id, Op.LINK)


def made_again(
    one: Made, before: Mapping[str, str | None], names: Mapping[str, str], links: Collection[str]
) -> list[Change]:
    """The changes that make a record again that was taken away. names: ref → what it is called until it is made."""
    why = f"makes the record again that {one.plan_id} has taken away"
    ref = Ref.parse(names[one.ref])
    values = {name: names.get(value, value) if name in links else value for name, value in before.items() if value}
    return [Change(ref, name, None, value, why, one.golden_id, Op.CREATE) for name, value in sorted(values.items())]


# -- what was taken back stays so ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hold:
    """A field a person has undone: what was restored, and what the golden record said then."""

    theirs: str | None
    ours: str | None


def apart_from(differences: Iterable[Difference], holds: Mapping[tuple[str, str], Hold]) -> Iterator[Difference]:
    """The differences (by ref) without those a person has undone.

    They are back as soon as the golden record, or the system, says something else than it did then. Of a group all
    differences are held or none: an address that is new in one part is new.
    """
    for _, of_record in groupby(differences, key=lambda d: d.ref):
        by_unit: dict[str, list[Difference]] = defaultdict(list)
        for d in of_record:
            by_unit[unit_of(d.golden_id, d.field)].append(d)
        for some in by_unit.values():
            if not all(_held(d, holds.get((d.ref, d.field))) for d in some):
                yield from some


def _held(d: Difference, hold: Hold | None) -> bool:
    if hold is None:
        return False
    return same(d.golden_id, d.field, hold.theirs, d.theirs) and hold.ours == d.ours


def same(golden_id: str, field: str, a: str | None, b: str | None) -> bool:
    """Whether two values of a field say the same."""
    return fields.same(ENTITIES[Entity(golden_id.partition("_")[0])][field].kind, a, b)


# -- chosen ----------------------------------------------------------------------------------------------------------


def chosen(written: Iterable[Written], systems: Sequence[str], names: Sequence[str]) -> list[Written]:
    """Those of these systems and fields; all where none are named. With a part of an address goes the whole of it."""
    return [
        one
        for one in written
        if (not systems or Ref.parse(one.ref).system in systems)
        and (not names or {one.field, unit_of(one.golden_id, one.field)} & {*names, *_units(one, names)})
    ]


def _units(one: Written, names: Sequence[str]) -> set[str]:
    known = ENTITIES[Entity(one.golden_id.partition("_")[0])]
    return {known[name].group for name in names if name in known} - {""}


def chained(older: Written, newer: Written) -> Written:
    """A field that was written twice: what was there at first, and what was sent at last."""
    if older.native is None or newer.native is None:
        return replace(newer, before=older.before, native=None)
    return replace(newer, before=older.before, native=(older.native[0], newer.native[1]))

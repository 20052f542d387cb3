"""Guard: limits no plan passes by itself. On by default; a person may approve exactly one plan, by its hash.

    plan ───────────────┐                                     how much it would change, empty, loosen, reprice, delete
    totals, first runs ─┼─▶ guard ─▶ the limits it breaks ◀─┤
    what sources hold ──┘                                     what a source no longer holds: then *it* looks wrong

A source that suddenly has no e-mails, or half of its records, stops the plan whatever is in it: what would be written
comes from the values that won in place of those that are missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from omnihub.model import ENTITIES, Change, Entity, Kind, Op
from omnihub.push.plan import Plan

EXAMPLES = 3
OFF = 1.0  # of `drop`: all may go
A_PAIR = 2  # of so few, all may go on any day

Where = tuple[str, str]
"""(system, stream)."""


@dataclass(frozen=True)
class Limits:
    """How much of a system one plan may touch, and how much of itself a source may lose.

    share: of a stream's records (0…1), for each kind of edit, once more than `floor` records are concerned. records: at
    most so many whatever the share. first_share, first_records: instead of both while nothing was ever written there.
    emptied, deleted, loosened: so many fields may be emptied, records deleted, consents turned to yes. price: how far
    (as a share) a price may move, on more than the share `price_share` of the records and more than `price_floor` of
    them: some wrong prices may be put right, a whole list that moves is a person's to see. drop: what share of its
    records, or of the values of a field, a source may lose at once; `drop_floor`: so few always, but never all.

    own: by system, entity, entity.field, system.entity or system.entity.field → limits of its own, by these names; the
    nearest holds. Limits of a field count the records in which that field changes.
    """

    share: float = 0.3
    first_share: float = 1.0
    floor: int = 20
    records: int = 100_000
    first_records: int | None = None  # as `records`
    emptied: int = 0
    deleted: int = 0
    loosened: int = 0
    price: float = 0.2
    price_share: float = 0.05
    price_floor: int = 10
    drop: float = 0.3
    drop_floor: int = 10
    own: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def at(self, system: str, entity: str, name: str = "") -> Limits:
        """Those that hold there: of a stream, or of one of its fields."""
        if not self.own:
            return self
        keys = [entity, system, *([f"{entity}.{name}"] if name else []), f"{system}.{entity}"]
        keys += [f"{system}.{entity}.{name}"] if name else []
        told: dict[str, Any] = {}
        for key in keys:
            told |= self.own.get(key, {})
        return replace(self, **told) if told else self


@dataclass(frozen=True)
class Held:
    """What a source holds: of `field`, in how many of its living records; of "", how many these are. before: when it
    was last fine."""

    system: str
    stream: str
    entity: str
    field: str
    before: int
    now: int


@dataclass(frozen=True)
class Broken:
    """A limit that was passed: which, where, how many of how many, and three examples. limit: its name in the settings.
    op: create, update …; "source" where it is not the plan but what was read that looks wrong."""

    limit: str
    system: str
    stream: str
    entity: str
    op: str
    field: str
    count: int
    of: int
    allowed: int
    examples: tuple[str, ...] = ()

    def words(self) -> str:
        """For a person."""
        what = _WORDS[self.limit].format(**asdict(self), does=_DOES.get(self.op, self.op), whose=self._whose())
        shown = f" (for example {', '.join(self.examples)})" if self.examples else ""
        return f"{self.system}/{self.stream}: {what}{shown}"

    def _whose(self) -> str:
        return f" in {self.field}" if self.field else ""


_DOES = {
    Op.UPDATE: "change",
    Op.CREATE: "be created",
    Op.LINK: "be linked",
    "unlink": "be let go of",
    "delete": "be deleted",
}
_ANY = "{count} of {of} records would {does}{whose}, guard."
_WORDS = {
    "max_share": _ANY + "max_share allows {allowed}",
    "first_run_share": _ANY + "first_run_share allows {allowed}",
    "max_records": _ANY + "max_records allows {allowed}",
    "first_run_records": _ANY + "first_run_records allows {allowed}",
    "max_deleted": _ANY + "max_deleted allows {allowed}",
    "max_emptied": "{field} would be emptied in {count} of {of} records, guard.max_emptied allows {allowed}",
    "max_loosened": "{count} of {of} people would be marked as consenting ({field}), guard.max_loosened allows "
    "{allowed}",
    "max_price_change": "{count} of {of} prices would move further than guard.max_price_change lets them; it lets "
    "{allowed}",
    "approve": "{count} of {of} records would {does}{whose}, and a person wants to see that first (update: approve)",
    "source_drop": "{count} of {of} records are gone since this source was last fine, guard.source_drop allows "
    "{allowed}",
    "source_field_drop": "{count} of {of} records no longer have {field} since this source was last fine, "
    "guard.source_drop allows {allowed}",
}


def guard(
    plan: Plan,
    totals: Mapping[Where, int],
    written_before: frozenset[str],
    limits: Limits,
    restoring: bool = False,
    sources: Iterable[Held] = (),
) -> list[Broken]:
    """The limits this plan breaks; none means it may be applied.

    totals: living records per (system, stream). written_before: systems some plan has been applied to. restoring: the
    plan takes another back, so it empties what that one has filled, deletes what it has made, and moves prices back.
    sources: what each source holds, where it was fine once; those that take part in limits on sources.
    """
    by_edit: dict[tuple[str, str, str], list[Change]] = defaultdict(list)
    for change in plan.changes:
        by_edit[change.ref.system, change.ref.stream, str(change.op)].append(change)
    broken: list[Broken] = []
    for (system, stream, op), changes in sorted(by_edit.items()):
        edits = _Edits(system, stream, op, changes, totals.get((system, stream), 0), system not in written_before)
        broken += edits.too_many(limits)
        broken += edits.never(limits, restoring)
    return broken + list(_dropped(sources, limits))


@dataclass(frozen=True)
class _Edits:
    """All edits of one kind in one stream."""

    system: str
    stream: str
    op: str
    changes: Sequence[Change]
    total: int
    first: bool

    @property
    def entity(self) -> str:
        return self.changes[0].golden_id.partition("_")[0]

    def too_many(self, limits: Limits) -> Iterator[Broken]:
        """Share and number of the records: of the stream, and of each field that has limits of its own."""
        mine = limits.at(self.system, self.entity)
        yield from self._past(mine, "", self.changes)
        for name in sorted({c.field for c in self.changes}):
            if (of_field := limits.at(self.system, self.entity, name)) != mine:
                yield from self._past(of_field, name, [c for c in self.changes if c.field == name])

    def _past(self, limits: Limits, name: str, changes: Sequence[Change]) -> Iterator[Broken]:
        share, records, names = limits.share, limits.records, ("max_share", "max_records")
        if self.first:
            share, names = limits.first_share, ("first_run_share", "max_records")
        if self.first and limits.first_records is not None:
            records, names = limits.first_records, ("first_run_share", "first_run_records")
        for limit, most in zip(names, (max(limits.floor, int(share * self.total)), records), strict=True):
            yield from self._more_than(most, limit, name, changes)

    def never(self, limits: Limits, restoring: bool) -> Iterator[Broken]:
        """What a person should see before it happens even once (or as often as the limits say)."""
        if not restoring:
            yield from self._each(limits, "max_emptied", _empties, lambda at: at.emptied)
            yield from self._each(limits, "max_price_change", None, self._prices)
            if self.op == "delete":
                most = limits.at(self.system, self.entity).deleted
                yield from self._more_than(most, "max_deleted", "", self.changes)
        yield from self._each(limits, "max_loosened", _loosens, lambda at: at.loosened)

    def _prices(self, at: Limits) -> int:
        return max(at.price_floor, int(at.price_share * self.total))

    def _each(
        self, limits: Limits, limit: str, is_one: Callable[[Change], bool] | None, most: Callable[[Limits], int]
    ) -> Iterator[Broken]:
        """Field by field, the changes that are such. None: prices that move too far, which depends on the limits."""
        for name in sorted({c.field for c in self.changes}):
            at = limits.at(self.system, self.entity, name)
            found = [c for c in self.changes if c.field == name and (is_one(c) if is_one else _reprices(c, at.price))]
            yield from self._more_than(most(at), limit, name, found)

    def _more_than(self, most: int, limit: str, name: str, changes: Sequence[Change]) -> Iterator[Broken]:
        refs = sorted({c.ref for c in changes})
        if len(refs) > most:
            examples = tuple(map(str, refs[:EXAMPLES]))
            of = max(self.total, len(refs))
            yield Broken(limit, self.system, self.stream, self.entity, self.op, name, len(refs), of, most, examples)


def _empties(change: Change) -> bool:
    return change.op is Op.UPDATE and change.new is None and not change.restores


def _loosens(change: Change) -> bool:
    return _kind(change) is Kind.CONSENT and change.new == "yes" and change.old != "yes"


def _reprices(change: Change, most: float) -> bool:
    """Whether it moves a price further than that; also where one of the two can't be read as an amount."""
    if _kind(change) is not Kind.MONEY or change.old is None or change.new is None:
        return False
    try:
        old, new = Decimal(change.old), Decimal(change.new)
        return abs(new - old) > Decimal(str(most)) * abs(old)
    except InvalidOperation:  # no number, or none that can be compared
        return True


def _kind(change: Change) -> Kind | None:
    try:
        known = ENTITIES[Entity(change.golden_id.partition("_")[0])].get(change.field)
    except ValueError:
        return None
    return known.kind if known else None


# -- sources -------------------------------------------------------------------------------------------------------


def _dropped(sources: Iterable[Held], limits: Limits) -> Iterator[Broken]:
    """Sources that have lost more than they may: of their records; and else of the values of a field."""
    by_stream: dict[Where, list[Held]] = defaultdict(list)
    for one in sources:
        by_stream[one.system, one.stream].append(one)
    for _, held in sorted(by_stream.items()):
        living = next((one for one in held if not one.field), None)
        left = min(1.0, living.now / living.before) if living and living.before else 1.0
        for one in sorted(held, key=lambda one: one.field):
            # a record that is gone takes its values along: those are no loss of their own
            expected = round(one.before * left) if one.field else one.before
            at = limits.at(one.system, one.entity, one.field)
            most = at.drop_floor if at.drop_floor > at.drop * expected else int(at.drop * expected)
            most = min(most, max(expected - 1, A_PAIR))
            if at.drop < OFF and expected - one.now > most:
                limit = "source_field_drop" if one.field else "source_drop"
                yield Broken(
                    limit, one.system, one.stream, one.entity, "source", one.field, expected - one.now, expected, most
                )

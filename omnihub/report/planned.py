"""A plan as the people it concerns understand it: customer by customer, what will change where, and why.

    stored changes ─┐
    golden records ─┼─▶ tell ─▶ story: customers, each with its records, each with its edits in words
    who said what  ─┘            └─▶ `planpage`: one HTML file · Markdown for a ticket

What a person should look at first (records made or deleted, fields emptied, permissions, prices) comes first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from omnihub.model import ENTITIES, Entity, Kind, Op
from omnihub.report.wording import RULES, in_words, label, listed

# -- what comes in ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """One change of a plan, as it is stored."""

    n: int
    system: str
    stream: str
    ref: str
    golden_id: str
    op: str
    field: str
    old: str | None
    new: str | None
    why: str
    outcome: str | None = None


@dataclass(frozen=True)
class Golden:
    """What the hub believes of a customer by now: its fields, where each came from, and the refs of its records."""

    fields: Mapping[str, str]
    lineage: Mapping[str, Any]
    members: Sequence[str]


@dataclass(frozen=True)
class Pin:
    """A value a steward has set."""

    value: str | None
    author: str
    reason: str


@dataclass(frozen=True)
class Around:
    """What is known around the changes of a plan. titles: of systems. records: ref → its fields. edited: (ref, field)
    somebody was seen to change. findings: (ref, field) → kind. answers: (ref, outcome) → the system's words. befores:
    (ref, field) → what was there just before it was written. whys: why a value lost → in words."""

    titles: Mapping[str, str] = field(default_factory=dict)
    goldens: Mapping[str, Golden] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    edited: Collection[tuple[str, str]] = ()
    pins: Mapping[tuple[str, str], Pin] = field(default_factory=dict)
    findings: Mapping[tuple[str, str], str] = field(default_factory=dict)
    answers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    befores: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    whys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """A plan without its changes. state "dry run": it was not kept. guard: what its limits say, as they are stored.
    approval: who let it pass, why, and until when."""

    id: str | None
    hash: str
    state: str
    kind: str
    made_at: str
    run: str
    counts: Mapping[str, Any]
    guard: Sequence[Any]
    looked: Mapping[str, str]
    about: Mapping[str, Any] | None = None
    approval: Mapping[str, str | None] | None = None
    limits: Sequence[Mapping[str, Any]] = ()  # the same as `guard`, as facts, where they were kept


# -- what goes out ---------------------------------------------------------------------------------------------------

UNUSUAL: dict[str, tuple[str, str]] = {
    "deleted": ("record to be deleted", "records to be deleted"),
    "loosened": ("permission given", "permissions given"),
    "emptied": ("field emptied", "fields emptied"),
    "created": ("new record", "new records"),
    "consent": ("permission changed", "permissions changed"),
    "price": ("price changed", "prices changed"),
}
"""What somebody should look at before anything else, one and many; in this order."""

WHOLE = {Op.CREATE.value: "created", Op.DELETE.value: "deleted"}
"""Operations on a whole record → what is unusual about it: said once, not of each of its fields."""

KEEPING = (Op.LINK.value, Op.UNLINK.value)
"""Operations that change nothing in the system, but what the hub takes for its own there."""


@dataclass(frozen=True)
class Said:
    """What another record says of the same field, and why it was not taken."""

    system: str
    value: str | None
    why: str


@dataclass(frozen=True)
class Edit:
    """One change in words. because: why it is made; agree: who says the same already; lost: who says otherwise;
    unusual: one of UNUSUAL, or nothing; answer: what the system said to it; before: what was there when it was written,
    where that was not what the plan had seen."""

    n: int
    field: str
    old: str | None
    new: str | None
    because: str
    agree: tuple[str, ...]
    lost: tuple[Said, ...]
    rule: str
    winner: str
    finding: str
    unusual: str
    outcome: str | None
    answer: str
    before: str | None


@dataclass(frozen=True)
class Record:
    """The edits of one record. op: see `model.Op`. ref: empty for one that is not there yet."""

    system: str
    title: str
    stream: str
    ref: str
    label: str
    op: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Customer:
    """Everything a plan does to one golden record, in all systems."""

    golden_id: str
    entity: str
    name: str
    known_in: tuple[str, ...]
    records: tuple[Record, ...]
    unusual: tuple[str, ...]

    @property
    def edits(self) -> int:
        """How many fields change."""
        return sum(len(r.edits) for r in self.records)


@dataclass(frozen=True)
class Share:
    """One system's part of a plan. looked: looked, could not look, not supported."""

    system: str
    title: str
    looked: str
    customers: int
    records: int
    changed: int
    filled: int
    emptied: int
    made: int  # in records made, deleted, let go of or known again
    calls: int | None
    minutes: float | None
    outcomes: Mapping[str, int]

    @property
    def changes(self) -> int:
        """All of them."""
        return self.changed + self.filled + self.emptied + self.made


@dataclass(frozen=True)
class Stop:
    """A limit the plan passes: where, what, and a few of the records it is about, with what people call them."""

    where: str
    what: str
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Merge:
    """Two records of one system that are one customer: proposed to whoever may merge them there, never done."""

    title: str
    ref: str
    into: str
    name: str
    why: str


@dataclass(frozen=True)
class Story:
    """A plan, told. only: what was chosen, in words, where it is not all."""

    head: Head
    customers: tuple[Customer, ...]
    shares: tuple[Share, ...]
    stops: tuple[str, ...]
    kept_back: tuple[str, ...]
    unusual: Mapping[str, int]
    entities: Mapping[str, int]
    only: str = ""
    limits: tuple[Stop, ...] = ()  # the stops, taken apart
    idle: tuple[str, ...] = ()  # what is not planned, and why
    merges: tuple[Merge, ...] = ()
    merge_count: int = 0

    @property
    def changes(self) -> int:
        """How many are told."""
        return sum(c.edits for c in self.customers)

    @property
    def blind(self) -> tuple[str, ...]:
        """Systems whose present state was not known: nothing is planned there."""
        return tuple(s.title for s in self.shares if s.looked == "could not look")

    @property
    def calls(self) -> int:
        """Calls it takes, in all systems together."""
        return sum(s.calls or 0 for s in self.shares)

    @property
    def minutes(self) -> float | None:
        """How long it takes: systems are written beside each other, so as long as the slowest."""
        known = [s.minutes for s in self.shares if s.minutes is not None]
        return max(known) if known else None


def tell(head: Head, wishes: Iterable[Wish], around: Around, only: str = "") -> Story:
    """The story of these changes. only: in words, what they were chosen by, where they are not all."""
    by_golden: dict[str, list[Wish]] = {}
    for wish in wishes:
        by_golden.setdefault(wish.golden_id, []).append(wish)
    order = list(UNUSUAL)
    customers = sorted(
        (_customer(golden_id, some, around) for golden_id, some in by_golden.items()),
        key=lambda c: (
            order.index(c.unusual[0]) if c.unusual else len(order),
            not any(e.old is not None for r in c.records for e in r.edits),  # what is only filled in comes last
            c.name.casefold(),
            c.golden_id,
        ),
    )
    records = [r for c in customers for r in c.records]
    unusual = Counter(e.unusual for r in records if r.op not in WHOLE for e in r.edits)
    unusual.update(WHOLE[r.op] for r in records if r.op in WHOLE)
    entities = Counter(c.entity for c in customers)
    return Story(
        head=head,
        customers=tuple(customers),
        shares=tuple(_shares(head, customers, around)),
        stops=tuple(_stop(one) for one in head.guard),
        kept_back=tuple(_kept_back(head.counts.get("kept_back", ()), around)),
        unusual={name: unusual[name] for name in UNUSUAL if unusual[name]},
        entities={e.value: entities[e.value] for e in Entity if entities[e.value]},
        only=only,
        limits=tuple(_limits(head, around)),
        idle=tuple(_idle(head, around)),
        merges=tuple(_merge(one, around) for one in head.counts.get("merges", {}).get("proposed", ())),
        merge_count=int(head.counts.get("merges", {}).get("count", 0)),
    )


def plain_story(story: Story) -> dict[str, Any]:
    """As JSON can hold it; what the head has of it is said by the head."""
    told = asdict(story)
    return {name: told[name] for name in _PLAIN}


_PLAIN = ("customers", "shares", "unusual", "entities", "kept_back", "only", "idle", "merges", "merge_count")


# -- customers -------------------------------------------------------------------------------------------------------


def _customer(golden_id: str, wishes: Sequence[Wish], around: Around) -> Customer:
    golden = around.goldens.get(golden_id)
    by_ref = groupby(sorted(wishes, key=lambda w: (around.titles.get(w.system, w.system), w.ref, w.n)), lambda w: w.ref)
    records = tuple(_record(ref, list(some), golden, around) for ref, some in by_ref)
    flags = {e.unusual for r in records for e in r.edits} - {""}
    return Customer(
        golden_id=golden_id,
        entity=golden_id.partition("_")[0],
        name=_name(golden, records) or golden_id,
        known_in=_titles((ref.partition("/")[0] for ref in golden.members), around) if golden else (),
        records=records,
        unusual=tuple(name for name in UNUSUAL if name in flags),
    )


def _name(golden: Golden | None, records: Sequence[Record]) -> str:
    """What people call it, with the firm a person works for."""
    if golden is None:
        return next((r.label for r in records if r.label), "")
    name, firm = label(golden.fields), golden.fields.get("company", "")
    return f"{name}, {firm}" if name and firm and firm != name else name


def _titles(systems: Iterable[str], around: Around) -> tuple[str, ...]:
    return tuple(sorted({around.titles.get(s, s) for s in systems}))


def _record(ref: str, wishes: Sequence[Wish], golden: Golden | None, around: Around) -> Record:
    first = wishes[0]
    ops = {w.op for w in wishes}
    op = next((one for one in (*WHOLE, *KEEPING) if one in ops), Op.UPDATE.value)
    return Record(
        system=first.system,
        title=around.titles.get(first.system, first.system),
        stream=first.stream,
        ref=ref if op != Op.CREATE else "",
        label=label(around.records.get(ref, {})),
        op=op,
        edits=tuple(_said_once(_edit(w, golden, around) for w in wishes)),
    )


def _said_once(edits: Iterable[Edit]) -> Iterable[Edit]:
    """Why there is to be a new record is said with its first field; of the others, whose values they are."""
    for n, edit in enumerate(edits):
        origin = edit.because.partition(ORIGIN)[2] if n and edit.unusual == "created" else ""
        yield replace(edit, because=f"{ORIGIN.removeprefix('; ')}{origin}") if origin else edit


def _edit(wish: Wish, golden: Golden | None, around: Around) -> Edit:
    rule, winner = _decided(wish)
    cell = _cell(wish, winner, golden)
    own = next((one["why"] for one in cell.get("losers", ()) if one["ref"] == wish.ref), "")
    before = around.befores.get((wish.ref, wish.field), wish.old) if wish.outcome else wish.old
    return Edit(
        n=wish.n,
        field=in_words(wish.field),
        old=_shown(wish.old, around),
        new=_shown(wish.new, around),
        because=_because(wish, rule, winner, cell.get("time"), own, around),
        agree=_agreeing(wish, winner, cell, around),
        lost=_lost(wish, cell, around),
        rule=rule,
        winner=winner,
        finding=around.findings.get((wish.ref, wish.field), ""),
        unusual=_unusual(wish),
        outcome=wish.outcome,
        answer=around.answers.get((wish.ref, wish.outcome or ""), ""),
        before=_shown(before, around) if before != wish.old else None,
    )


def _shown(value: str | None, around: Around) -> str | None:
    """A link is shown by what people call its target."""
    if value is None:
        return None
    of = value.partition("/+")[2] or value  # a record that is to be made is named by its golden record
    if of in around.goldens:
        return label(around.goldens[of].fields) or value
    return (label(around.records[value]) or value) if value in around.records else value


def _unusual(wish: Wish) -> str:
    if wish.op in WHOLE:
        return WHOLE[wish.op]
    if wish.op in KEEPING:
        return ""
    fields = ENTITIES.get(_entity(wish.golden_id), {})
    kind = fields[wish.field].kind if wish.field in fields else None
    if kind is Kind.CONSENT:
        return "loosened" if wish.new == "yes" else "consent"
    if wish.new is None:
        return "emptied"
    return "price" if kind is Kind.MONEY else ""


def _entity(golden_id: str) -> Any:
    return golden_id.partition("_")[0]


# -- why -------------------------------------------------------------------------------------------------------------

_RULED = re.compile(r"by rule (\w+): the value of \S+ \((\S+)\)$")
_MADE = re.compile(r"makes a record: the (\w+) is known in (.*), and not here(?:; the value of (\S+) \(.*\))?$")
ORIGIN = "; the value is that of "
_TAKEN_BACK = re.compile(r"(restores|empties) what (\S+) has written over$")

BECAUSE: dict[str, str] = {
    "recent": "{title} was set last",
    "order": "{title} comes first in the order of systems",
    "frequent": "most records say so",
    "complete": "{title} has it most completely",
    "master": "{title} is the master of it",
    "union": "all values there are stand together",
}
"""rule → why, where the rule alone says it; the others are worded by what is known."""


def _decided(wish: Wish) -> tuple[str, str]:
    """The rule and the winner the plan was made by."""
    if wish.why.startswith("pinned"):
        return "pin", ""
    told = _RULED.search(wish.why)
    return (told[1], told[2]) if told else ("", "")


def _cell(wish: Wish, winner: str, golden: Golden | None) -> Mapping[str, Any]:
    """Where the golden value came from; nothing, where it is another one by now than when this was planned."""
    cell: Mapping[str, Any] = golden.lineage.get(wish.field, {}) if golden else {}
    same = golden is not None and golden.fields.get(wish.field) == wish.new
    return cell if same and (not winner or cell.get("ref") == winner) else {}


def _because(wish: Wish, rule: str, winner: str, since: str | None, own: str, around: Around) -> str:
    """In words a customer could be told."""
    title = around.titles.get(winner.partition("/")[0], winner.partition("/")[0])
    here = around.titles.get(wish.system, wish.system)
    if rule == "pin":
        pin = around.pins.get((wish.golden_id, wish.field))
        return f"{pin.author} has set it: {pin.reason}" if pin and pin.value == wish.new else "a steward has set it"
    if back := _TAKEN_BACK.match(wish.why):
        return f"it {'said so' if back[1] == 'restores' else 'was empty'} before {back[2]} wrote here"
    if made := _MADE.match(wish.why):
        known = listed(_titles((s.strip() for s in made[2].split(",")), around))
        origin = f"{ORIGIN}{around.titles.get(made[3], made[3])}" if made[3] else ""
        return f"it is known in {known}, and not in {here}{origin}"
    if not winner:
        return f"this {wish.why}"
    when = f" on {_day(since)}" if since else ""
    if (winner, wish.field) in around.edited:
        return f"a person changed it in {title}{when} ({RULES.get(rule, rule)})"
    if rule in BECAUSE:
        return BECAUSE[rule].format(title=title) + (when if rule == "recent" else "")
    if rule == "strictest":
        no = f"in {title} the customer said no; " if wish.new == "no" else ""
        return f"{no}{RULES[rule]}"
    if wish.old is None:
        return f"{title} has it{f' since {_day(since)}' if since else ''}, and {here} has nothing"
    reason = f": {here}'s own value {around.whys.get(own, own)}" if own and own != "echo" else ""
    return f"{title} is believed{f', which says so since {_day(since)}' if since else ''}{reason}"


def _day(iso: str) -> str:
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{at.day} {at:%B %Y}"


_ECHOES = ("agrees", "echo", "joined")  # a value that is our own word come back is nobody's opinion


def _agreeing(wish: Wish, winner: str, cell: Mapping[str, Any], around: Around) -> tuple[str, ...]:
    """Other systems than the winner's and the target that say the same of their own."""
    same = {one["ref"].partition("/")[0] for one in cell.get("losers", ()) if one["why"] == "agrees"}
    return _titles(same - {winner.partition("/")[0], wish.system}, around)


def _lost(wish: Wish, cell: Mapping[str, Any], around: Around) -> tuple[Said, ...]:
    """Other records that say something else."""
    return tuple(
        Said(around.titles.get(system, system), one["value"], around.whys.get(one["why"], one["why"]))
        for one in cell.get("losers", ())
        if one["why"] not in _ECHOES and one["ref"] != wish.ref
        for system in (one["ref"].partition("/")[0],)
    )


# -- systems, limits, gates ------------------------------------------------------------------------------------------


def _shares(head: Head, customers: Sequence[Customer], around: Around) -> Iterable[Share]:
    """Those with changes, the most first; then those that could not be looked at; then those not written."""
    by_system: dict[str, list[tuple[Customer, Record]]] = {system: [] for system in head.looked}
    for customer in customers:
        for record in customer.records:
            by_system.setdefault(record.system, []).append((customer, record))
    words = {"could not look": 1, "not supported": 2}
    found = [_share(system, some, head, around) for system, some in by_system.items()]
    return sorted(found, key=lambda s: (words.get(s.looked, 0), -s.changes, s.title))


def _share(system: str, some: Sequence[tuple[Customer, Record]], head: Head, around: Around) -> Share:
    whole = (*WHOLE, *KEEPING)
    edits = [e for _, r in some for e in r.edits if r.op not in whole]
    minutes = head.counts.get("minutes")
    return Share(
        system=system,
        title=around.titles.get(system, system),
        looked=head.looked.get(system, "looked"),
        customers=len({c.golden_id for c, _ in some}),
        records=len(some),
        changed=sum(e.old is not None and e.new is not None for e in edits),
        filled=sum(e.old is None for e in edits),
        emptied=sum(e.new is None and e.old is not None for e in edits),
        made=sum(len(r.edits) for _, r in some if r.op in whole),
        calls=head.counts.get("calls", {}).get(system),
        minutes=minutes.get(system) if isinstance(minutes, Mapping) else None,
        outcomes=dict(Counter(e.outcome or "left" for _, r in some for e in r.edits)),
    )


def _stop(one: Any) -> str:
    """What a guard says, kept as words or with its figures."""
    return str(one["words"]) if isinstance(one, Mapping) and "words" in one else str(one)


def _limits(head: Head, around: Around) -> Iterable[Stop]:
    """Where its figures were kept, a limit is told without the refs that its words name."""
    if len(head.limits) != len(head.guard):
        yield from (Stop("", _stop(one)) for one in head.guard)
        return
    for words, told in zip(map(_stop, head.guard), head.limits, strict=True):
        place = f"{told['system']}/{told['stream']}"
        where = f"{around.titles.get(told['system'], told['system'])}, {told['stream'].replace('_', ' ')}"
        what = words.removeprefix(f"{place}: ").partition(" (for example ")[0]
        named = ((label(around.records.get(ref, {})), ref) for ref in told["examples"])
        yield Stop(where, what, tuple(named))


def _kept_back(some: Iterable[Mapping[str, Any]], around: Around) -> Iterable[str]:
    """What gates did not let pass: once for each system and reason, however many fields it is about."""
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for one in some:
        reason = str(one.get("words") or one.get("gate", "")).rpartition("kept back: ")[2]
        fields = groups.setdefault((one.get("system", ""), reason), {})
        name = in_words(one.get("field", "")) or "all"
        fields[name] = fields.get(name, 0) + int(one.get("count", 0))
    for (system, reason), fields in sorted(groups.items(), key=lambda group: -sum(group[1].values())):
        n = sum(fields.values())
        title = around.titles.get(system, system)
        yield f"{title}: {n:,} change{'s' if n != 1 else ''} ({', '.join(fields)}): {reason}"


OPS: dict[str, str] = {Op.CREATE.value: "new records", Op.UPDATE.value: "changes of records"}

STATES: dict[str, str] = {
    "could not look": "nobody could look",
    "not supported": "not supported: the connector can't",
    "not wanted": "not wanted: the settings say never",
}
"""Why nothing is planned; "nothing to do" is none of these."""


def _idle(head: Head, around: Around) -> Iterable[str]:
    """What is not planned though it might be: by operation and why, with the systems and kinds of record."""
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for one in head.counts.get("operations", ()):
        title = around.titles.get(one["system"], one["system"])
        if one["state"] in STATES:
            groups.setdefault((one["op"], one["state"]), {}).setdefault(title, []).append(f"{one['entity']}s")
    for (op, state), where in sorted(groups.items()):
        told = "; ".join(f"{title} ({', '.join(dict.fromkeys(kinds))})" for title, kinds in sorted(where.items()))
        yield f"{OPS.get(op, op)}, {STATES[state]}: {told}"
    for one in head.counts.get("operations", ()):
        title = around.titles.get(one["system"], one["system"])
        for reason, n in one.get("not_made", {}).items():
            yield f"{title}: {n:,} {one['entity']}{'s' if n != 1 else ''} not made there: {reason}"


def _merge(one: Mapping[str, Any], around: Around) -> Merge:
    system = one["ref"].partition("/")[0]
    golden = around.goldens.get(one.get("golden_id") or "")
    name = label(golden.fields) if golden else label(around.records.get(one["ref"], {}))
    return Merge(around.titles.get(system, system), one["ref"], one["into"], name, one.get("why", ""))

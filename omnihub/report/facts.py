"""What a report says, as values: the page shows them, `report.json` is them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Item:
    """One open finding, in words.

    `says` and `should_say` may be cut; their lengths are those of the whole values. `status`: see `wording.STATUSES`.
    """

    id: str
    severity: str
    kind: str
    system: str
    entity: str
    stream: str
    record: str
    ref: str
    field: str
    says: str | None
    says_length: int
    should_say: str | None
    should_say_length: int
    why: str
    since: str
    status: str
    next_step: str
    owner: str
    golden_id: str | None
    cause: str = ""  # the same for findings that have one cause; empty where that is not told
    at_stake_cents: int = 0  # hundredths of `currency`
    currency: str = ""
    customers: int = 0  # how many it touches, as far as that is known
    about: str = ""  # the group it belongs to, by the name under which that is decided about


class Counted:
    """What follows from counted cells: see `omnihub.report.score`."""

    golden: int
    comparable: int
    equal: int
    corrected: int
    filled: int

    @property
    def consistency(self) -> float | None:
        """equal / comparable; None where nothing can be compared."""
        return _share(self.equal, self.comparable)

    @property
    def coverage(self) -> float | None:
        """comparable / golden; None where nobody believes anything."""
        return _share(self.comparable, self.golden)

    @property
    def expected(self) -> float | None:
        """The consistency once what was written is read back."""
        return _share(self.equal + self.corrected + self.filled, self.comparable + self.filled)


@dataclass(frozen=True)
class FieldScore(Counted):
    """One field of one system's records of one entity, in cells.

    golden: the golden record, or the master, has a value. comparable: the system too. equal: the same value. corrected:
    comparable, not equal when last read, and the golden value was written since. filled: the system had none, and it
    was written since. phase: of the customer's journey, see `omnihub.report.score`.
    """

    system: str
    entity: str
    field: str
    golden: int
    comparable: int
    equal: int
    corrected: int
    filled: int
    phase: str = "customer"


@dataclass(frozen=True)
class PhaseScore(Counted):
    """One phase of the customer's journey, in one system, or (system "") in all that are no master."""

    system: str
    phase: str
    golden: int
    comparable: int
    equal: int
    corrected: int
    filled: int


@dataclass(frozen=True)
class Score(Counted):
    """A system's records of one entity, all fields together. known of total: golden records that have a record here;
    both 0 for entities that have none."""

    system: str
    entity: str
    records: int
    known: int
    total: int
    golden: int
    comparable: int
    equal: int
    corrected: int
    filled: int


@dataclass(frozen=True)
class ServiceScore:
    """How a channel's tickets were answered (field `answered_at`) or solved (`solved_at`), against one standard.

    channel: "" where the ticket does not say. standard: in hours, None where the channel has none. within: how many of
    the tickets kept it. median_s: seconds to the answer or solution in the middle, of those that have one.
    """

    system: str
    channel: str
    field: str
    standard: str | None
    tickets: int
    within: int | None
    median_s: int | None

    @property
    def share(self) -> float | None:
        """within / tickets; None where there is no standard."""
        return None if self.within is None else _share(self.within, self.tickets)


@dataclass(frozen=True)
class Stake:
    """The money at risk in one system's records of one entity, in one currency. findings: those that have any."""

    system: str
    entity: str
    currency: str
    findings: int
    cents: int


@dataclass(frozen=True)
class Task:
    """Findings that one person can put right in one go: a group. example: the one with most at stake. customers: at
    least so many are touched. at_stake: currency and hundredths of it, the most first. what: the group's name, by
    which it is decided about. notice: where in its system people are told of it, "" where they are not."""

    system: str
    kind: str
    title: str
    cause: str
    severity: str
    count: int
    customers: int
    at_stake: tuple[tuple[str, int], ...]
    example: Item
    says: str = ""  # all of it in a sentence
    what: str = ""
    notice: str = ""

    @property
    def name(self) -> str:
        """So much of its name as decides: an id of twenty letters need not be written whole."""
        return self.what if "/" in self.what else self.what[:10]


@dataclass(frozen=True)
class Point:
    """What a run found: a share of each system and phase, and the money at risk by currency. "" is all systems that
    are no master. None: nothing could be compared."""

    run: str
    at: str
    comparable: int
    equal: int
    consistency: float | None
    coverage: float | None
    systems: tuple[tuple[str, float | None], ...]
    phases: tuple[tuple[str, float | None], ...]
    at_risk: tuple[tuple[str, int], ...]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True)
class KindCount:
    """All open findings of one kind."""

    kind: str
    title: str
    means: str
    severity: str
    count: int
    for_people: int
    examples: tuple[Item, ...]


@dataclass(frozen=True)
class SystemFacts:
    """One system and its findings. fix: the first of those that wait for a person; `for_people` counts them all. told:
    tasks its people are told of in the system itself (place: where), by the run the report is about; left: those beyond
    the limit."""

    name: str
    title: str
    role: str
    master: bool
    read: str  # read, partly, failed, never
    findings: int
    for_people: int
    urgent: int
    waiting: int  # planned, deferred or drifted: the hub goes on by itself, or after an approval
    corrected: int
    fix: tuple[Item, ...]
    told: int = 0
    left: int = 0
    place: str = ""


@dataclass(frozen=True)
class RunFacts:
    """The run the report is about, its numbers as `balance` adds them up."""

    id: str
    started_at: str
    ended_at: str | None
    state: str
    balanced: bool
    blocked: bool
    read: int
    new: int
    changed: int
    same: int
    rejected: int
    gone: int
    systems_read: tuple[str, ...]
    systems_failed: tuple[str, ...]
    stopped: tuple[tuple[str, str], ...]  # step, and why it broke off
    opened: int | None
    resolved: int | None
    planned: int
    written: int
    refused: int
    deferred: int
    drifted: int
    left: int
    forgotten: int = 0  # of somebody who is to be forgotten: read, and not kept
    would_write: int | None = None  # of a dry run: how much a sync would write


@dataclass(frozen=True)
class Written:
    """What became of a plan's changes in one system."""

    system: str
    planned: int
    written: int
    refused: int
    deferred: int
    drifted: int
    left: int


@dataclass(frozen=True)
class PlanOutcome:
    """The latest plan. of_run: it was made by the run the report is about. undoes: the plans it takes back, where it is
    an undo; then by and because say who asked for it and why, and left how many fields it leaves as they are."""

    id: str
    state: str
    of_run: bool
    created_at: str
    applied_at: str | None
    guard: tuple[str, ...]
    systems: tuple[Written, ...]
    undoes: tuple[str, ...] = ()
    by: str = ""
    because: str = ""
    left: int = 0


@dataclass(frozen=True)
class Refusal:
    """A dead letter: a change a system refused, and which is not tried again until one of its two values changes.
    code: the system's own; way_out: what somebody may do about it; given_up: by whom, where it is never tried again."""

    system: str
    ref: str
    record: str
    field: str
    old: str | None
    new: str | None
    code: str
    message: str
    at: str
    letter: str = ""
    way_out: str = ""
    given_up: str = ""


@dataclass(frozen=True)
class Cause:
    """Why systems refuse, the same words whatever the system's own: how many changes, in which systems, and what to do
    about it. given_up: how many of them are never tried again."""

    code: str
    means: str
    way_out: str
    count: int
    given_up: int
    systems: tuple[str, ...]


@dataclass(frozen=True)
class AuditFacts:
    """The chain of who decided and wrote what: its rows, the hash of the last, and what is wrong with it."""

    rows: int
    head: str
    broken: str


@dataclass(frozen=True)
class Question:
    """Two records that may be one: only a person can tell. weight: bits of evidence."""

    entity: str
    a: str
    a_record: str
    b: str
    b_record: str
    weight: float


@dataclass(frozen=True)
class Trouble:
    """A stream that could not be read, records of it that have no key, or fields that are not what they were."""

    system: str
    stream: str
    what: str
    since: str | None


@dataclass(frozen=True)
class Drift:
    """Fields of a stream that nobody mapped: path and in how many of the records looked at."""

    system: str
    stream: str
    paths: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Facts:
    """Everything a report says."""

    made_at: str
    run: RunFacts | None
    systems: tuple[SystemFacts, ...]
    scores: tuple[Score, ...]
    fields: tuple[FieldScore, ...]
    kinds: tuple[KindCount, ...]
    plan: PlanOutcome | None
    refusals: tuple[Refusal, ...]
    refusal_count: int
    queue: dict[str, int]
    questions: tuple[Question, ...]
    troubles: tuple[Trouble, ...]
    drifts: tuple[Drift, ...]
    records: int
    goldens: int
    ignored: int = 0  # findings that are so, and that somebody decided to leave for now
    undone: int = 0  # fields a person has undone, and which are not written again for now
    causes: tuple[Cause, ...] = ()
    audit: AuditFacts | None = None
    plan_page: str = ""  # a page beside this one that tells the run's plan customer by customer
    plan_says: str = ""  # its headline
    phases: tuple[PhaseScore, ...] = ()
    stakes: tuple[Stake, ...] = ()
    service: tuple[ServiceScore, ...] = ()
    today: tuple[Task, ...] = ()  # what to fix first, in whichever system
    tasks: int = 0  # how many there are in all
    trend: tuple[Point, ...] = ()  # oldest first; the last is this report's own
    only: str = ""  # the one system this is about
    since: str = ""  # the run whose findings and older ones are left out
    closed: int | None = None  # findings that were resolved since that run

    @property
    def findings(self) -> int:
        """All open findings."""
        return sum(k.count for k in self.kinds)

    @property
    def for_people(self) -> int:
        """Those only a person can put right."""
        return sum(s.for_people for s in self.systems)

    @property
    def urgent(self) -> int:
        """Of these, how many have money or permission at stake."""
        return sum(s.urgent for s in self.systems)

    @property
    def waiting(self) -> int:
        """Those the hub goes on with."""
        return sum(s.waiting for s in self.systems)

    @property
    def corrected(self) -> int:
        """Those whose cause was written since the last read, and which close with the next one."""
        return sum(s.corrected for s in self.systems)

    @property
    def at_risk(self) -> tuple[tuple[str, int], ...]:
        """The money at risk: currency and hundredths of it, the most first. Currencies are never added up."""
        sums: dict[str, int] = {}
        for stake in self.stakes:
            sums[stake.currency] = sums.get(stake.currency, 0) + stake.cents
        return tuple(sorted(sums.items(), key=lambda one: (-one[1], one[0])))

    @property
    def consistency(self) -> float | None:
        """Over all systems that are no master: a master agrees with itself."""
        return _share(sum(s.equal for s in self._channels()), sum(s.comparable for s in self._channels()))

    @property
    def expected(self) -> float | None:
        """The same once what was written is read back."""
        scores = self._channels()
        after = sum(s.equal + s.corrected + s.filled for s in scores)
        return _share(after, sum(s.comparable + s.filled for s in scores))

    @property
    def coverage(self) -> float | None:
        """Over all systems that are no master."""
        return _share(sum(s.comparable for s in self._channels()), sum(s.golden for s in self._channels()))

    def _channels(self) -> Sequence[Score]:
        masters = {s.name for s in self.systems if s.master}
        return [s for s in self.scores if s.system not in masters]


def narrowed(facts: Facts, system: str) -> Facts:
    """What of it is about one system. Findings, systems' counts and kinds are already its own."""
    return replace(
        facts,
        only=system,
        systems=tuple(s for s in facts.systems if s.name == system),
        scores=tuple(s for s in facts.scores if s.system == system),
        fields=tuple(f for f in facts.fields if f.system == system),
        phases=tuple(p for p in facts.phases if p.system == system),
        stakes=tuple(s for s in facts.stakes if s.system == system),
        service=tuple(s for s in facts.service if s.system == system),
        refusals=tuple(r for r in facts.refusals if r.system == system),
        troubles=tuple(t for t in facts.troubles if t.system == system),
        drifts=tuple(d for d in facts.drifts if d.system == system),
        plan=facts.plan and replace(facts.plan, systems=tuple(w for w in facts.plan.systems if w.system == system)),
        questions=tuple(q for q in facts.questions if system in (q.a.split("/")[0], q.b.split("/")[0])),
    )


def plain(facts: Facts) -> dict[str, Any]:
    """As JSON can hold it, the shares included."""
    told = asdict(facts)
    told["scores"] = [
        asdict(s) | {"consistency": s.consistency, "coverage": s.coverage, "expected": s.expected} for s in facts.scores
    ]
    names = ("findings", "for_people", "urgent", "waiting", "corrected", "consistency", "expected", "coverage")
    told["phases"] = [
        asdict(p) | {"consistency": p.consistency, "coverage": p.coverage, "expected": p.expected} for p in facts.phases
    ]
    told["service"] = [asdict(s) | {"share": s.share} for s in facts.service]
    return told | {"totals": {name: getattr(facts, name) for name in names} | {"at_risk": dict(facts.at_risk)}}

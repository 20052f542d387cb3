"""What a report says, as values: the page shows them, `report.json` is them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class FieldScore:
    """One field of one system's records of one entity, in cells.

    golden: the golden record has a value. comparable: the system too. equal: the same value. corrected: comparable, not
    equal when last read, and the golden value was written since. filled: the system had none, and it was written since.
    """

    system: str
    entity: str
    field: str
    golden: int
    comparable: int
    equal: int
    corrected: int
    filled: int


@dataclass(frozen=True)
class Score:
    """A system's records of one entity, all fields together. known of total: golden records that have a record here."""

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

    @property
    def consistency(self) -> float | None:
        """equal / comparable; None where nothing can be compared."""
        return _share(self.equal, self.comparable)

    @property
    def coverage(self) -> float | None:
        """comparable / golden; None where the golden records have no value."""
        return _share(self.comparable, self.golden)

    @property
    def expected(self) -> float | None:
        """The consistency once what was written is read back."""
        return _share(self.equal + self.corrected + self.filled, self.comparable + self.filled)


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
    """One system and its findings. fix: the first of those that wait for a person; `for_people` counts them all."""

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
    undone: int = 0  # fields a person has undone, and which are not written again for now
    causes: tuple[Cause, ...] = ()
    audit: AuditFacts | None = None
    plan_page: str = ""  # a page beside this one that tells the run's plan customer by customer
    plan_says: str = ""  # its headline

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


def plain(facts: Facts) -> dict[str, Any]:
    """As JSON can hold it, the shares included."""
    told = asdict(facts)
    told["scores"] = [
        asdict(s) | {"consistency": s.consistency, "coverage": s.coverage, "expected": s.expected} for s in facts.scores
    ]
    names = ("findings", "for_people", "urgent", "waiting", "corrected", "consistency", "expected", "coverage")
    return told | {"totals": {name: getattr(facts, name) for name in names}}

"""What to fix today: findings with one cause in one system are one task, and what matters most comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from omnihub.report.facts import Item, Task
from omnihub.report.grouping import Group, sentence
from omnihub.report.wording import FOR_PEOPLE, title

SHOWN = 12  # tasks on the first screen
_RANKS = {"high": 0, "medium": 1, "low": 2}

Key = tuple[str, str, str]  # system, kind, cause


@dataclass
class _Heap:
    example: Item
    since: str
    count: int = 0
    records: int = 0
    customers: int = 0
    last: str = ""
    fields: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)
    cents: dict[str, int] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        self.count += 1
        self.records += item.ref != self.last  # those of one record come one after the other
        self.customers += item.customers
        self.last, self.since = item.ref, min(self.since, item.since)
        self.fields.add(item.field)
        self.entities.add(item.entity)
        if item.at_stake_cents:
            self.cents[item.currency] = self.cents.get(item.currency, 0) + item.at_stake_cents
        if _matters(item) < _matters(self.example):
            self.example = item


class Today:
    """Gathers tasks from findings, a slice at a time. titles: what systems are called."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._heaps: dict[Key, _Heap] = {}
        self._titles = titles

    def add(self, items: Iterable[Item]) -> None:
        """Take in these findings; those that nobody needs to see to are left out."""
        for item in items:
            if item.status not in FOR_PEOPLE:
                continue
            key = (item.system, item.kind, item.cause)
            self._heaps.setdefault(key, _Heap(item, item.since)).add(item)

    def tasks(self) -> tuple[Task, ...]:
        """All there are: the most severe first, then most money, most customers, most findings. Amounts are ordered as
        figures, whatever their currency."""
        found = (_task(key, heap, self._titles.get(key[0], key[0])) for key, heap in self._heaps.items())
        return tuple(
            sorted(
                found,
                key=lambda t: (
                    _RANKS.get(t.severity, len(_RANKS)),
                    -max((cents for _, cents in t.at_stake), default=0),
                    -t.customers,
                    -t.count,
                    t.system,
                    t.kind,
                    t.cause,
                ),
            )
        )


def first(tasks: Sequence[Task], most: int = SHOWN) -> tuple[Task, ...]:
    """The tasks that are shown first, in their order: each system's first one, so that everybody finds their own, and
    as many of the others as there is room for."""
    own = {task.system: task for task in reversed(tasks)}.values()
    others = [task for task in tasks if task not in own][: max(0, most - len(own))]
    return tuple(task for task in tasks if task in own or task in others)


def _task(key: Key, heap: _Heap, where: str) -> Task:
    system, kind, cause = key
    item = heap.example
    at_stake = tuple(sorted(heap.cents.items(), key=lambda one: (-one[1], one[0])))
    group = Group(
        what="",
        system=system,
        kinds=(kind,),
        entities=tuple(sorted(heap.entities)),
        fields=tuple(sorted(heap.fields)),
        cause=cause,
        severity=item.severity,
        owner=item.owner,
        state="open",
        findings=heap.count,
        records=heap.records,
        customers=heap.customers,
        at_stake=at_stake,
        since=heap.since,
    )
    says = sentence(group, where)
    return Task(system, kind, title(kind), cause, item.severity, heap.count, heap.customers, at_stake, item, says)


def _matters(item: Item) -> tuple[int, int, int, str]:
    return (_RANKS.get(item.severity, len(_RANKS)), -item.at_stake_cents, -item.customers, item.ref)

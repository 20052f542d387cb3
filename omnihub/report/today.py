"""What to fix today: findings with one cause in one system are one task, and what matters most comes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from omnihub.report.facts import Item, Task
from omnihub.report.wording import FOR_PEOPLE, title

SHOWN = 12  # tasks on the first screen
_RANKS = {"high": 0, "medium": 1, "low": 2}

Key = tuple[str, str, str]  # system, kind, cause


@dataclass
class _Heap:
    example: Item
    count: int = 0
    customers: int = 0
    cents: dict[str, int] = field(default_factory=dict)


class Today:
    """Gathers tasks from findings, a slice at a time."""

    def __init__(self) -> None:
        self._heaps: dict[Key, _Heap] = {}

    def add(self, items: Iterable[Item]) -> None:
        """Take in these findings; those that nobody needs to see to are left out."""
        for item in items:
            if item.status not in FOR_PEOPLE:
                continue
            heap = self._heaps.setdefault((item.system, item.kind, item.cause), _Heap(item))
            heap.count += 1
            heap.customers += item.customers
            if item.at_stake_cents:
                heap.cents[item.currency] = heap.cents.get(item.currency, 0) + item.at_stake_cents
            if _matters(item) < _matters(heap.example):
                heap.example = item

    def tasks(self) -> tuple[Task, ...]:
        """All there are: the most severe first, then most money, most customers, most findings. Amounts are ordered as
        figures, whatever their currency."""
        found = (_task(key, heap) for key, heap in self._heaps.items())
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


def _task(key: Key, heap: _Heap) -> Task:
    system, kind, cause = key
    at_stake = tuple(sorted(heap.cents.items(), key=lambda one: (-one[1], one[0])))
    severity = heap.example.severity
    return Task(system, kind, title(kind), cause, severity, heap.count, heap.customers, at_stake, heap.example)


def _matters(item: Item) -> tuple[int, int, int, str]:
    return (_RANKS.get(item.severity, len(_RANKS)), -item.at_stake_cents, -item.customers, item.ref)

"""What to fix today: a group of findings is a task, told with the one of them that matters most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from omnihub.report.facts import Item, Task
from omnihub.report.grouping import RANKS, SEVERAL, Group, sentence
from omnihub.report.wording import FOR_PEOPLE, title

SHOWN = 12  # tasks on the first screen


class Today:
    """Keeps an example of each group as findings pass by. titles: what systems are called."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._examples: dict[str, Item] = {}
        self._titles = titles

    def add(self, items: Iterable[Item]) -> None:
        """Take in these findings; those that nobody needs to see to are left out."""
        for item in items:
            if item.status in FOR_PEOPLE:
                known = self._examples.get(item.about)
                if known is None or _matters(item) < _matters(known):
                    self._examples[item.about] = item

    def tasks(self, groups: Sequence[Group], told: Mapping[str, str] | None = None) -> tuple[Task, ...]:
        """All there are, in the order of their groups. told: group → where in its system people are told of it."""
        at = told or {}
        return tuple(
            _task(group, self._examples[group.what], self._titles.get(group.system, group.system), at)
            for group in groups
            if group.what in self._examples
        )


def first(tasks: Sequence[Task], most: int = SHOWN) -> tuple[Task, ...]:
    """The tasks that are shown first, in their order: each system's first one, so that everybody finds their own, and
    as many of the others as there is room for."""
    own = {task.system: task for task in reversed(tasks)}.values()
    others = [task for task in tasks if task not in own][: max(0, most - len(own))]
    return tuple(task for task in tasks if task in own or task in others)


def _task(group: Group, example: Item, where: str, told: Mapping[str, str]) -> Task:
    kind = group.kinds[0] if len(group.kinds) == 1 else SEVERAL
    return Task(
        system=group.system,
        kind=kind,
        title=title(kind),
        cause=group.cause,
        severity=group.severity,
        count=group.findings,
        customers=group.customers,
        at_stake=group.at_stake,
        example=example,
        says=sentence(group, where),
        what=group.what,
        notice=told.get(group.what, ""),
    )


def _matters(item: Item) -> tuple[int, int, int, str]:
    return (RANKS.get(item.severity, len(RANKS)), -item.at_stake_cents, -item.customers, item.ref)

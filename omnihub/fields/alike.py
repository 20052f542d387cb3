"""How alike two names are, from 0 to 1: whole person names, company names, names of ships and things.

alike ─▶ persons_alike   whole names of persons
      ─▶ companies_alike companies, ships, things
              └─▶ pairing    which word stands for which: each at most once, the surest first

The words of both names are paired one to one: equal, by nickname, by sound, by initial, run together, or with a slip
of the pen. What is left over on one side only is tolerable in a person's name (a middle name) and not in a company's
(a branch); left over on both sides it contradicts. Numbers, generations and kinds of legal form contradict as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from omnihub.fields.companies_alike import of_companies, of_things
from omnihub.fields.persons_alike import of_persons
from omnihub.fields.text import same_key
from omnihub.model import Kind

SAME_NAME = 0.78
"""From here on two names are taken for one. Chosen for precision; see tests/fields/test_alike.py for its measure."""


def alike(kind: Kind, a: str, b: str) -> float:
    """How alike two cleaned names are; the same both ways round. Other kinds than names are compared as plain text.

    >>> alike(Kind.NAME, "Doe, Bob", "Robert Doe") >= SAME_NAME, alike(Kind.NAME, "Ann Doe", "Ben Doe") >= SAME_NAME
    (True, False)
    >>> alike(Kind.COMPANY, "Schule 12", "Schule 13") >= SAME_NAME, alike(Kind.COMPANY, "Acme AG", "ACME") >= SAME_NAME
    (False, True)
    """
    first, second = sorted((a, b))  # what decides ties must not depend on who is asked about whom
    if same_key(first) == same_key(second):
        return 1.0
    return _BY_KIND.get(kind, of_things)(first, second)


_BY_KIND: dict[Kind, Callable[[str, str], float]] = {Kind.NAME: of_persons, Kind.COMPANY: of_companies}


@dataclass(frozen=True)
class Measured:
    """How well labelled pairs are judged: right of all, right of those taken for one, found of those that are one."""

    accuracy: float
    precision: float
    recall: float


def measured(pairs: Iterable[tuple[Kind, str, str, bool]], at_least: float = SAME_NAME) -> Measured:
    """Judge labelled pairs (kind, name, name, whether they are one).

    >>> measured([(Kind.NAME, "Bob Doe", "Robert Doe", True), (Kind.NAME, "Bob Doe", "Ann Doe", False)])
    Measured(accuracy=1.0, precision=1.0, recall=1.0)
    """
    judged = Counter((alike(kind, a, b) >= at_least, truth) for kind, a, b, truth in pairs)
    right = judged[True, True]
    return Measured(
        (right + judged[False, False]) / max(1, judged.total()),
        right / max(1, right + judged[True, False]),
        right / max(1, right + judged[False, True]),
    )

"""Guard: limits no plan passes by itself. On by default; a person may approve exactly one plan, by its hash."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from omnihub.push.plan import Plan


@dataclass(frozen=True)
class Limits:
    """How much of a system one plan may touch.

    share: of its records (0…1), once more than `floor` records are concerned. first_share: the same for the first plan
    ever applied there. records: at most so many whatever the share.
    """

    share: float = 0.3
    first_share: float = 1.0
    floor: int = 20
    records: int = 100_000


@dataclass(frozen=True)
class Broken:
    """A limit that was passed: which, where, how many, and three examples."""

    limit: str
    system: str
    stream: str
    count: int
    allowed: int
    examples: tuple[str, ...]

    def words(self) -> str:
        """For a person."""
        return (
            f"{self.system}/{self.stream}: {self.count} records would change, {self.limit} allows {self.allowed} "
            f"(for example {', '.join(self.examples)})"
        )


def guard(
    plan: Plan,
    totals: Mapping[tuple[str, str], int],
    written_before: frozenset[str],
    limits: Limits,
    restoring: bool = False,
) -> list[Broken]:
    """The limits this plan breaks; none means it may be applied.

    totals: living records per (system, stream). written_before: systems some plan has been applied to. restoring: the
    plan takes another back, so it empties what that one has filled.
    """
    touched: dict[tuple[str, str], list[str]] = defaultdict(list)
    for ref in sorted({c.ref for c in plan.changes}):
        touched[ref.system, ref.stream].append(str(ref))
    broken: list[Broken] = []
    for (system, stream), refs in touched.items():
        first = system not in written_before
        share = limits.first_share if first else limits.share
        allowed = max(limits.floor, int(share * totals.get((system, stream), 0)))
        name = "guard.first_share" if first else "guard.share"
        for limit, most in ((name, allowed), ("guard.records", limits.records)):
            if len(refs) > most:
                broken.append(Broken(limit, system, stream, len(refs), most, tuple(refs[:3])))
    emptied = Counter((c.ref.system, c.ref.stream) for c in plan.changes if c.new is None and not restoring)
    for (system, stream), count in emptied.items():
        examples = tuple(str(c.ref) for c in plan.changes if c.new is None)[:3]
        broken.append(Broken("no emptying of fields", system, stream, count, 0, examples))
    return broken

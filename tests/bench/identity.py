"""A change among very many records: match, merge and compare of what changed, at one base and at ten times that.

Each base is filled with made-up refined records and brought up to date once, as a whole; then some records change, and
one record. With a folder of one's own the bases stay there, and the next run begins where this one ended.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import Measured, ask, measured, tell

WHOLE = "everything, the first time"
TIMES = 5  # single records are changed so often; the median counts
STEPS = ("match", "merge", "compare")


def run(folder: Path, records: int, changed: int = 1000, bases: int = 2) -> list[Measured]:
    """For each base, the smallest first: everything, `changed` records, one record. Names: step, what, base."""
    found = []
    for base in [records // 10**power for power in reversed(range(bases))]:
        store = folder / f"identity-{base}.db"
        if not store.exists():
            part = store.with_suffix(".part")
            found += ask("identity-fill", part, base)
            part.rename(store)
        found += ask("identity-change", store, changed)
        found += ask("identity-change", store, 1)
    return found


def fill(path: str, records: str) -> None:
    """In a child: a base, and the flow over all of it."""
    hub = _hub(path)
    from tests.bench.customers import fill as put

    found = [measured(f"fill · {WHOLE} · {int(records):,}", lambda: put(hub.store, int(records)))]
    found += _flow(hub, WHOLE, int(records))
    hub.store.close()
    tell(found)


def change(path: str, changed: str) -> None:
    """In a child: so many records change, and the flow over them."""
    hub = _hub(path)
    from tests.bench.customers import change as alter

    count, base = int(changed), int(Path(path).stem.rpartition("-")[2])
    runs = []
    for _ in range(TIMES if count == 1 else 1):
        alter(hub.store, count, seed=_latest(hub))
        runs.append(_flow(hub, f"{count:,} changed", base))
    hub.store.close()
    tell([_middle(same) for same in zip(*runs, strict=True)])


def _flow(hub: Any, what: str, base: int) -> list[Measured]:
    """Each step over what has changed, all entities together, and the sum as `all`."""
    from omnihub.flow import compare_all, match_entity, merge_entity
    from omnihub.model import GOLDEN

    parts = []
    for entity in GOLDEN:
        parts.append(_step("match", lambda e=entity: match_entity(hub, e), "changed"))
        parts.append(_step("merge", lambda e=entity: merge_entity(hub, e), "looked_at"))
    parts.append(_step("compare", lambda: compare_all(hub), "compared"))
    sums = [_sum(step, [p for p in parts if p.name == step]) for step in STEPS]
    return [replace(m, name=f"{m.name} · {what} · {base:,}") for m in (*sums, _sum("all", sums))]


def _step(name: str, do: Callable[[], Mapping[str, Any]], counted: str) -> Measured:
    found = measured(name, lambda: int(do()[counted]))
    _say(f"{name}: {found.records:,} in {found.seconds:.2f} s, {found.cpu_s:.2f} CPU s, {found.peak_mb:.0f} MB")
    return found


def _sum(name: str, parts: Sequence[Measured]) -> Measured:
    return Measured(
        name,
        sum(p.records for p in parts),
        sum(p.seconds for p in parts),
        sum(p.cpu_s for p in parts),
        max(p.peak_mb for p in parts),
    )


def _middle(same: Sequence[Measured]) -> Measured:
    return replace(
        same[0],
        seconds=median(m.seconds for m in same),
        cpu_s=median(m.cpu_s for m in same),
        peak_mb=max(m.peak_mb for m in same),
    )


def _hub(path: str) -> Any:
    import connectors
    from omnihub.flow import Hub
    from omnihub.merge import Rules
    from omnihub.store import Store

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    found = connectors.find()
    masters = frozenset(name for name, connector in found.items() if connector.master)
    return Hub(Store.open(f"sqlite:///{path}"), found, lambda _: {}, rules=Rules(masters=masters))


def _latest(hub: Any) -> int:
    from omnihub.store.open import latest

    with hub.store.read() as c:
        return latest(c)


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)  # noqa: T201

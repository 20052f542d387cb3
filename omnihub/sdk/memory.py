"""The ledger of calls of one process, where there is no store to share one through."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class _Books:
    """See `omnihub.sdk.turns.Books`. Nobody dies here, so nobody's seat is taken away again."""

    def __init__(self) -> None:
        self.now = 0.0
        self._states: dict[str, dict[str, Any]] = {}
        self._free: dict[str, list[tuple[float, int]]] = {}  # heaps: (free at, seat)

    def read(self, name: str) -> dict[str, Any]:
        return self._states.get(name, {})

    def write(self, name: str, state: dict[str, Any]) -> None:
        self._states[name] = state

    def seat(self, name: str, seats: int, until: float) -> tuple[int, float] | None:
        free = self._free.get(name)
        if free is None:
            free = self._free[name] = [(self.now, n) for n in range(seats)]
        if not free:
            return None
        free_at, seat = heapq.heappop(free)
        return seat, free_at

    def leave(self, name: str, seat: int, free_at: float) -> None:
        heapq.heappush(self._free[name], (free_at, seat))

    def withhold(self, name: str, left: int, since: float, until: float) -> None:
        free = self._free[name]
        spare = sorted(one for one in free if one[0] <= since)[left:]
        if spare:
            gone = set(spare)
            self._free[name] = [one for one in free if one not in gone] + [(until, seat) for _, seat in spare]
            heapq.heapify(self._free[name])


class Memory:
    """See `omnihub.sdk.turns.Ledger`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._books: dict[str, _Books] = {}
        self._lock = threading.Lock()

    @contextmanager
    def open(self, key: str) -> Iterator[_Books]:
        """Look into the books of one key."""
        with self._lock:
            books = self._books.setdefault(key, _Books())
            books.now = self._clock()
            yield books

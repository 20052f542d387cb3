"""Limits as budgets: calls are spaced before the system has to refuse any.

Limit(190, per_s=10)                                      190 calls in any 10 seconds
Limit(5, per_s=1, path="/search$")                        a rule of its own for some paths
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limit:
    """At most `calls` in any `per_s` seconds, for calls whose path matches `path` (a regular expression)."""

    calls: int
    per_s: float
    path: str = ""


@dataclass
class _Window:
    limit: Limit
    made: deque[float] = field(default_factory=deque)

    def wait_s(self, now: float) -> float:
        while self.made and self.made[0] <= now - self.limit.per_s:
            self.made.popleft()
        return 0.0 if len(self.made) < self.limit.calls else self.made[0] + self.limit.per_s - now


class Windows:
    """A moving window per limit, shared by the threads of this process."""

    def __init__(
        self,
        limits: Sequence[Limit],
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._windows = [_Window(limit) for limit in limits]
        self._not_before = 0.0
        self._lock = threading.Lock()
        self._clock, self._wait = clock, wait

    def take(self, method: str, path: str) -> None:
        """Return when this call may be made. Each caller waits its turn without holding the others up."""
        while True:
            with self._lock:
                now = self._clock()
                mine = [w for w in self._windows if not w.limit.path or re.search(w.limit.path, path)]
                wait_s = max([self._not_before - now, *(w.wait_s(now) for w in mine)], default=0.0)
                if wait_s <= 0:
                    for window in mine:
                        window.made.append(now)
                    return
            self._wait(wait_s + 0.001)

    def told(self, wait_s: float) -> None:
        """Nobody calls before `wait_s` seconds have passed."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + wait_s)

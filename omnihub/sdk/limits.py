"""Limits as budgets: calls are spaced before the system has to refuse any.

Limit(190, per_s=10)                                      190 calls in any 10 seconds
Limit(5, per_s=1, path="/search$")                        a rule of its own for some paths
"""

from __future__ import annotations

import re
import threading
import time
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
    made: list[list[float]] = field(default_factory=list)  # each call's time, in a box that its answer moves forward

    def wait_s(self, now: float) -> float:
        """Seconds until one more call fits."""
        self.made = [call for call in self.made if call[0] > now - self.limit.per_s]
        too_many = len(self.made) - self.limit.calls
        return 0.0 if too_many < 0 else sorted(call[0] for call in self.made)[too_many] + self.limit.per_s - now


class Windows:
    """A moving window per limit, shared by the threads of this process.

    The system counts a call when it arrives, which is some time between our sending it and its answer. A call therefore
    counts from its answer on: however slowly one travels and however fast the next, the system never sees one too many.
    """

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

    def take(self, method: str, path: str) -> Callable[[], None]:
        """Return when this call may be made, with what to call once it has been answered.

        Each caller waits its turn without holding the others up.
        """
        while True:
            with self._lock:
                now = self._clock()
                mine = [w for w in self._windows if not w.limit.path or re.search(w.limit.path, path)]
                wait_s = max([self._not_before - now, *(w.wait_s(now) for w in mine)], default=0.0)
                if wait_s <= 0:
                    call = [now]
                    for window in mine:
                        window.made.append(call)
                    return lambda: self._answered(call)
            self._wait(wait_s + 0.001)

    def _answered(self, call: list[float]) -> None:
        with self._lock:
            call[0] = self._clock()

    def told(self, wait_s: float) -> None:
        """Nobody calls before `wait_s` seconds have passed."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + wait_s)

"""Limits as budgets: never more calls in any window than the system allows, and no needless wait."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.sdk import Limit, Windows


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, s: float) -> None:
        assert s > 0, "a wait of nothing would spin"
        self.now += s


def calls_made(
    limits: Sequence[Limit], calls: Sequence[tuple[str, float]], told: Callable[[int], float]
) -> list[tuple[float, str]]:
    """When each call (path, seconds of other work before it) went out."""
    clock = Clock()
    windows = Windows(limits, clock, clock.wait)
    made = []
    for n, (path, pause_s) in enumerate(calls):
        clock.now += pause_s
        answered = windows.take("GET", path)
        made.append((clock.now, path))
        answered()
        if told(n):
            windows.told(told(n))
    return made


limits = st.builds(Limit, st.integers(1, 5), st.floats(0.5, 20), st.sampled_from(["", "/search$", "^/a"]))
calls = st.lists(st.tuples(st.sampled_from(["/a", "/a/search", "/b"]), st.floats(0, 5)), max_size=40)


@given(st.lists(limits, max_size=3), calls)
def test_no_window_of_any_limit_ever_holds_more_calls_than_allowed(
    some: list[Limit], wanted: list[tuple[str, float]]
) -> None:

    made = calls_made(some, wanted, lambda n: 0.0)
    for limit in some:
        mine = [at for at, path in made if not limit.path or re.search(limit.path, path)]
        for first, beyond in zip(mine, mine[limit.calls :], strict=False):
            assert beyond - first >= limit.per_s * (1 - 1e-9)


@given(st.integers(1, 5), st.floats(0.5, 20), st.integers(0, 30))
def test_calls_wait_no_longer_than_the_limit_asks(allowed: int, per_s: float, count: int) -> None:
    made = calls_made([Limit(allowed, per_s)], [("/a", 0.0)] * count, lambda n: 0.0)
    for n, (at, _) in enumerate(made):
        windows_before = n // allowed
        assert at <= windows_before * (per_s + 0.002)


@given(calls, st.integers(0, 39), st.floats(0.1, 100))
def test_nobody_calls_before_the_time_the_system_asked_for(
    wanted: list[tuple[str, float]], which: int, wait_s: float
) -> None:
    made = calls_made([Limit(3, 1.0)], wanted, lambda n: wait_s if n == which else 0.0)
    for at, _ in made[which + 1 :]:
        assert at >= made[which][0] + wait_s


def test_a_shorter_wait_does_not_shorten_a_longer_one() -> None:
    clock = Clock()
    windows = Windows([], clock, clock.wait)
    windows.told(60)
    windows.told(5)
    windows.take("GET", "/a")
    assert clock.now >= 60


def test_without_limits_nobody_waits() -> None:
    windows = Windows([], wait=lambda s: pytest.fail("waited"))
    for _ in range(1000):
        windows.take("GET", "/a")


def test_a_path_with_a_limit_of_its_own_holds_up_no_other() -> None:
    clock = Clock()
    windows = Windows([Limit(1, 100, path="/search$")], clock, clock.wait)
    for path in ("/x/search", "/a", "/a", "/a"):
        windows.take("POST", path)()
    assert clock.now == 0
    windows.take("POST", "/x/search")()
    assert clock.now >= 100


def test_threads_share_the_windows() -> None:
    windows = Windows([Limit(50, 60)], wait=lambda s: (_ for _ in ()).throw(TimeoutError))
    taken, full = [], []

    def call() -> None:
        for _ in range(10):
            try:
                windows.take("GET", "/a")()
            except TimeoutError:
                full.append(1)
            else:
                taken.append(1)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(full)) == (50, 30)


def test_a_call_that_travels_slowly_counts_from_its_answer_on() -> None:
    clock = Clock()
    windows = Windows([Limit(1, per_s=1)], clock, clock.wait)
    answered = windows.take("GET", "/a")
    clock.now += 0.4  # it may have arrived at any moment of these
    answered()
    windows.take("GET", "/a")
    assert clock.now >= 1.4

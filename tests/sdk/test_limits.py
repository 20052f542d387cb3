"""Limits as budgets: never more calls in any window than the system allows, and no needless wait."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from omnihub.errors import QuotaSpent
from omnihub.sdk import Bucket, Concurrency, Level, Limit, Penalty, Quota, Rule, Turns, Windows, spending
from omnihub.sdk.memory import Memory


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


# -- a number of calls a day -----------------------------------------------------------------------------------------


def turns(clock: Clock, *rules: Rule) -> Turns:
    return Turns("acme", rules, Memory(clock), "key", clock.wait)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> requests.Response:
    found = requests.Response()
    found.status_code, found._content = status, body
    found.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return found


def call(budget: Turns, *heard: requests.Response, path: str = "/a", method: str = "GET") -> None:
    answered = budget.take(method, path)
    for response in heard:
        budget.heard(response)
    answered()


def test_a_day_of_calls_that_is_used_up_says_when_the_next_begins_and_then_it_does() -> None:
    clock = Clock()
    clock.now = datetime(2026, 3, 28, 22, 59, tzinfo=UTC).timestamp()
    budget = turns(clock, Quota(2, zone="Europe/Berlin"))
    call(budget)
    call(budget)
    with pytest.raises(
        QuotaSpent, match=r"acme: today's 2 calls are used up; it goes on at 00:00 \(Europe/Berlin\)"
    ) as no:
        call(budget)
    assert no.value.until == datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    assert no.value.wait_s == 60
    clock.now += 60
    call(budget)


def test_a_call_under_way_when_the_day_ends_counts_in_the_new_one_as_well() -> None:
    clock = Clock()
    budget = turns(clock, Quota(1))
    answered = budget.take("GET", "/a")
    clock.now += 86_400
    answered()
    with pytest.raises(QuotaSpent):
        budget.take("GET", "/a")


def test_somebody_else_using_the_days_calls_is_seen_in_the_answers() -> None:
    budget = turns(Clock(), Quota(1000, left="Left"))
    call(budget, answer(Left="1"))
    call(budget, answer(Left="0"))
    with pytest.raises(QuotaSpent):
        call(budget)


def test_a_refusal_that_says_the_day_is_over_ends_it_but_not_the_next_one() -> None:
    clock = Clock()
    clock.now = 1000.0
    budget = turns(clock, Quota(1000, spent=lambda response: response.status_code == 429))
    call(budget, answer(429))
    with pytest.raises(QuotaSpent):
        call(budget)
    clock.now = 86_400 + 1.0
    call(budget, answer(429))  # the system's clock is behind ours
    with pytest.raises(QuotaSpent) as no:
        call(budget)
    assert no.value.wait_s is not None
    assert no.value.wait_s <= 60
    clock.now += 61
    call(budget)


def test_a_rolling_day_is_asked_again_after_a_while_and_believed() -> None:
    clock = Clock()
    budget = turns(clock, Quota(1000, left="Left", again_s=900))
    call(budget, answer(Left="0"))
    with pytest.raises(QuotaSpent) as no:
        call(budget)
    assert no.value.wait_s == 900
    clock.now += 900
    call(budget, answer(Left="50"))  # this one finds out
    call(budget, answer(Left="49"))


def test_a_day_used_up_takes_no_place_in_a_window() -> None:
    clock = Clock()
    budget = turns(clock, Limit(1, per_s=10), Quota(1, path="^/dear"))
    call(budget, path="/dear")
    clock.now += 10
    with pytest.raises(QuotaSpent):
        call(budget, path="/dear")
    before = clock.now
    call(budget, path="/cheap")
    assert clock.now == before


# -- at once, prices, penalties --------------------------------------------------------------------------------------


def test_no_more_calls_are_under_way_than_allowed() -> None:
    clock = Clock()
    budget = turns(clock, Concurrency(2))
    first, _ = budget.take("GET", "/a"), budget.take("GET", "/a")

    def one_ends(_: float) -> None:
        first()

    budget._wait = one_ends
    budget.take("GET", "/a")


def test_who_waits_for_a_window_keeps_nobody_from_calling_elsewhere() -> None:
    clock = Clock()
    budget = turns(clock, Concurrency(1), Limit(1, per_s=100, path="/search$"))
    call(budget, path="/search")
    meanwhile: list[float] = []

    def another_calls(s: float) -> None:
        clock.wait(s)
        budget._wait = clock.wait
        call(budget, path="/other")
        meanwhile.append(s)

    budget._wait = another_calls
    call(budget, path="/search")
    assert len(meanwhile) == 1


def test_a_bucket_is_spent_at_once_and_then_as_fast_as_it_fills() -> None:
    clock = Clock()
    budget = turns(clock, Bucket(100, restores_per_s=10))
    with spending(50):
        for _ in range(4):
            call(budget)
    assert clock.now == pytest.approx(10, abs=0.1)


def test_what_a_call_really_cost_is_given_back() -> None:
    clock = Clock()
    budget = turns(clock, Bucket(100, 10, told=lambda _: Level(90, 100, 10, cost=10)))
    with spending(50):
        for _ in range(5):
            call(budget, answer())
    assert clock.now == 0


def test_a_bucket_somebody_else_draws_from_is_waited_for() -> None:
    clock = Clock()
    budget = turns(clock, Bucket(100, 10, told=lambda _: Level(0, 100, 10, cost=10)))
    with spending(10):
        call(budget, answer())
        call(budget)
    assert clock.now == pytest.approx(1, abs=0.1)


def test_a_bigger_bucket_than_declared_is_believed() -> None:
    clock = Clock()
    budget = turns(clock, Bucket(100, 10, told=lambda _: Level(900, 1000, 50, cost=100)))
    with spending(100):
        call(budget, answer())
        call(budget, answer())
    assert clock.now == 0


def test_a_call_dearer_than_the_bucket_goes_out_alone_once_it_is_full() -> None:
    clock = Clock()
    budget = turns(clock, Bucket(100, 10))
    call(budget)
    with spending(500):
        call(budget)
    assert clock.now == pytest.approx(0.1, abs=0.05)


def test_after_a_refusal_nobody_calls_until_the_penalty_is_over() -> None:
    clock = Clock()
    budget = turns(clock, Penalty(30))
    call(budget)
    budget.told(0.5)
    call(budget)
    assert clock.now >= 30


def test_a_window_somebody_else_uses_is_seen_in_the_answers() -> None:
    clock = Clock()
    budget = turns(clock, Limit(100, per_s=60, left="Left", resets="Reset"))
    call(budget, answer(Left="1", Reset="20"))
    call(budget)
    assert clock.now == 0
    call(budget)
    assert clock.now == pytest.approx(20, abs=0.1)


def test_a_rule_for_a_method_holds_up_no_other() -> None:
    clock = Clock()
    budget = turns(clock, Limit(1, per_s=100, method="POST"))
    for method in ("POST", "GET", "GET"):
        call(budget, method=method)
    assert clock.now == 0
    call(budget, method="POST")
    assert clock.now >= 100

"""The ledger of calls: one for all processes, kept as strictly in either store as in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from omnihub.errors import RetryableError
from omnihub.sdk import Limit, Turns
from omnihub.store import Store
from omnihub.store.budget import Ledger
from omnihub.store.open import engine_for


@pytest.fixture
def two(store: Store, its_url: str) -> Iterator[tuple[Store, Store]]:
    """The same store, as two processes have it."""
    other = Store.open(its_url)
    yield store, other
    other.close()


def key() -> str:
    """Whose calls these are; each test its own, for the ledger's own file outlives the tests of a store."""
    return f"acme {time.monotonic_ns()}"


def test_what_one_takes_is_taken_for_the_other(two: tuple[Store, Store]) -> None:
    mine, theirs, acme = two[0].ledger, two[1].ledger, key()
    with mine.open(acme) as books:
        assert books.seat("limit", 2, books.now + 60) is not None
    with theirs.open(acme) as books:
        seat = books.seat("limit", 2, books.now + 60)
        assert seat is not None
        assert books.seat("limit", 2, books.now + 60) is None
    with mine.open(acme) as books:
        books.leave("limit", seat[0], books.now - 1)
    with theirs.open(acme) as books:
        assert books.seat("limit", 2, books.now + 60) is not None


def test_the_seat_that_is_free_earliest_goes_first_and_is_told_when(store: Store) -> None:
    acme = key()
    with store.ledger.open(acme) as books:
        taken = [books.seat("limit", 3, books.now + 60) for _ in range(3)]
        for after_s, one in zip((9.0, 3.0, 6.0), taken, strict=True):
            assert one
            books.leave("limit", one[0], books.now + after_s)
        assert taken[1]
        assert books.seat("limit", 3, books.now + 60) == (taken[1][0], pytest.approx(books.now + 3.0))


def test_a_seat_whose_caller_died_is_free_again_after_its_time(store: Store) -> None:
    acme = key()
    with store.ledger.open(acme) as books:
        assert books.seat("limit", 1, until=books.now - 0.001) is not None
        assert books.seat("limit", 1, books.now + 60) is not None
        assert books.seat("limit", 1, books.now + 60) is None


def test_seats_a_system_says_are_gone_are_withheld(store: Store) -> None:
    acme = key()
    with store.ledger.open(acme) as books:
        taken = books.seat("limit", 5, books.now + 60)
        assert taken
        books.withhold("limit", left=1, since=books.now, until=books.now + 30)
        now_free = books.seat("limit", 5, books.now + 60)
        later = books.seat("limit", 5, books.now + 60)
        assert now_free
        assert later
        assert now_free[1] <= books.now
        assert later[1] == pytest.approx(books.now + 30)


def test_an_error_within_a_look_leaves_nothing_written(store: Store) -> None:
    acme = key()
    with pytest.raises(TypeError), store.ledger.open(acme) as books:
        books.write("day", {"used": 5}) or books.write("day", {"used": object()})
    with store.ledger.open(acme) as books:
        assert books.read("day") == {}


def test_keys_do_not_see_each_other(store: Store) -> None:
    one, other = key(), key()
    with store.ledger.open(one) as books:
        books.write("day", {"used": 5})
    with store.ledger.open(other) as books:
        assert books.read("day") == {}


def test_a_look_does_not_wait_for_a_page_being_landed(store: Store) -> None:
    acme = key()
    with store.write(), store.ledger.open(acme) as books:
        books.write("day", {"used": 1})
    with store.ledger.open(acme) as books:
        assert books.read("day") == {"used": 1}


def test_threads_of_two_processes_never_make_more_calls_than_the_window_holds(two: tuple[Store, Store]) -> None:
    acme, made, lock = key(), list[float](), threading.Lock()
    budgets = [Turns("acme", [Limit(10, per_s=0.2)], found.ledger, acme) for found in two]

    def call(n: int) -> None:
        answered = budgets[n % 2].take("GET", "/a")
        with lock:
            made.append(time.monotonic())
        answered()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(40)))
    made.sort()
    assert all(beyond - first >= 0.199 for first, beyond in zip(made, made[10:], strict=False))


def test_a_ledger_that_cannot_be_reached_is_a_reason_to_try_later() -> None:
    nowhere = Ledger(engine_for("postgresql+psycopg://hub:s3cret@127.0.0.1:1/hub"))
    with pytest.raises(RetryableError, match=r"^store: ") as no, nowhere.open("acme"):
        pass
    assert "s3cret" not in str(no.value)
    nowhere.close()

"""Sequence numbers and watermarks: whoever reads "everything after my watermark" misses nothing, ever."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from omnihub.store import Store, bulk, schema
from omnihub.store.open import advance, latest, take, watermark

ROUNDS = 40
WRITER = f"""
import random, sys
from omnihub.store import Store, bulk, schema
from omnihub.store.open import take
store, name = Store.open(sys.argv[1]), sys.argv[2]
rng = random.Random(name)
print("ready", flush=True)
sys.stdin.readline()
for n in range({ROUNDS}):
    with store.write() as c:
        count = rng.randrange(1, 4)
        first = take(c, count)
        rows = [(first + i, "account", f"{{name}}-{{n}}", "born", "now") for i in range(count)]
        bulk.append(c, schema.events, ("seq", "entity", "golden_id", "kind", "at"), rows)
"""


@contextmanager
def broken_off(store: Store) -> Iterator[sa.Connection]:
    """A writing transaction that fails after all it was asked to do."""
    with suppress(ZeroDivisionError), store.write() as c:
        yield c
        raise ZeroDivisionError


def seqs_after(store: Store, mark: int) -> list[int]:
    t = schema.events
    with store.read() as c:
        return list(c.execute(sa.select(t.c.seq).where(t.c.seq > mark).order_by(t.c.seq)).scalars())


def test_a_reader_beside_two_writing_processes_misses_no_row(store: Store, its_url: str) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, its_url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    seen: list[int] = []
    while any(writer.poll() is None for writer in writers):
        seen += seqs_after(store, seen[-1] if seen else 0)  # only ever forward
    seen += seqs_after(store, seen[-1] if seen else 0)
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert seen == seqs_after(store, 0)
    assert seen == list(range(1, len(seen) + 1))  # none given twice, none left out
    with store.read() as c:
        whose = set(c.execute(sa.select(schema.events.c.golden_id)).scalars())
    assert whose == {f"{name}-{n}" for name in ("one", "two") for n in range(ROUNDS)}


def test_numbers_become_visible_in_the_order_they_were_given(store: Store, its_url: str) -> None:
    """The second writer has to wait for the first, so its later number can't be seen before the earlier one."""
    other, given, asked = Store.open(its_url), [], threading.Event()

    def second() -> None:
        asked.set()
        with other.write() as c:
            given.append(take(c, 1))

    with store.write() as c:
        first = take(c, 1)
        thread = threading.Thread(target=second)
        thread.start()
        assert asked.wait(10)
        thread.join(0.2)
        assert given == []
    thread.join(30)
    other.close()
    assert given == [first + 1]


def test_numbers_of_a_transaction_that_failed_are_given_again(store: Store) -> None:
    with broken_off(store) as c:
        take(c, 5)
    with store.write() as c:
        assert take(c, 1) == 1


def test_a_watermark_moves_with_the_output_it_belongs_to(store: Store) -> None:
    with store.write() as c:
        bulk.append(c, schema.facts, ("key", "value"), [("a", "1")])
        advance(c, "step", 3, "scope")
    with broken_off(store) as c:
        bulk.append(c, schema.facts, ("key", "value"), [("b", "2")])
        advance(c, "step", 9, "scope")
    with store.read() as c:
        assert watermark(c, "step", "scope") == 3
        assert watermark(c, "step", "elsewhere") == 0
        assert c.execute(sa.select(schema.facts.c.key)).scalars().all() == ["a"]


def test_reading_sees_one_state_throughout(store: Store) -> None:
    def count(c: sa.Connection) -> int:
        return int(c.execute(sa.select(sa.func.count()).select_from(schema.facts)).scalar_one())

    with store.read() as c:
        assert (count(c), latest(c)) == (0, 0)
        with store.write() as w:
            bulk.append(w, schema.facts, ("key", "value"), [("a", "1")])
            take(w, 4)
        assert (count(c), latest(c)) == (0, 0)
    with store.read() as c:
        assert (count(c), latest(c)) == (1, 4)


def test_threads_of_one_process_take_turns_writing(store: Store) -> None:
    def write(n: int) -> None:
        for i in range(10):
            with store.write() as c:
                bulk.upsert(c, schema.facts, ("key", "value"), [(f"{n}-{i}", str(take(c, 1)))])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as c:
        values = sorted(int(v) for v in c.execute(sa.select(schema.facts.c.value)).scalars())
    assert values == list(range(1, 61))

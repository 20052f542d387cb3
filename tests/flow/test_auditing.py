"""Audit: everything that counts is a row, and whoever changes, removes, moves or adds one is found out."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.errors import OmniHubError
from omnihub.flow import apply_plan, approve, auditing, deciding, make_and_store_plan
from omnihub.flow.auditing import Verified, audited
from omnihub.flow.deciding import Pinned
from omnihub.push import Limits
from omnihub.store import Store, schema
from tests.flow import loop
from tests.flow import test_deciding as people
from tests.flow.conftest import Start
from tests.flow.test_deciding import A, B, say

T, F = schema.audit, schema.facts
made, known, either = people.made, people.store, people.either  # fixtures


def verified(store: Store, head: str = "") -> Verified:
    with store.read() as c:
        return auditing.verify(c, head)


def broken(store: Store, head: str = "") -> tuple[int, str] | None:
    found = verified(store, head).broken
    return (found.seq, found.how) if found else None


def entries(store: Store, **more: Any) -> list[dict[str, Any]]:
    with store.read() as c:
        return auditing.entries(c, **more)


def five(store: Store) -> None:
    for n in range(5):
        with store.write() as c:
            audited(c, "eva", "tried", {"n": n}, f"2026-01-0{n + 1}T08:00:00Z")


@pytest.fixture
def chain(store_url: str) -> Iterator[Store]:
    """Five rows, on SQLite and on PostgreSQL."""
    with closing(Store.open(store_url)) as found:
        five(found)
        yield found


# -- tampering -------------------------------------------------------------------------------------------------------

Tamper = Callable[[sa.Connection], Any]


def change(column: str, value: Any, seq: int = 3) -> Tamper:
    return lambda c: c.execute(sa.update(T).where(T.c.seq == seq).values({column: value}))


def remove(seq: int) -> Tamper:
    return lambda c: c.execute(sa.delete(T).where(T.c.seq == seq))


def swap(a: int, b: int) -> Tamper:
    def do(c: sa.Connection) -> None:
        for old, new in ((a, 99), (b, a), (99, b)):
            c.execute(sa.update(T).where(T.c.seq == old).values(seq=new))

    return do


def close_the_gap(c: sa.Connection) -> None:
    """Row 3 goes, and those after it move up."""
    remove(3)(c)
    for seq in (4, 5):
        c.execute(sa.update(T).where(T.c.seq == seq).values(seq=seq - 1))


def write_anew(c: sa.Connection) -> None:
    """Row 3 is another one, with a hash of its own."""
    row = dict(c.execute(sa.select(T).where(T.c.seq == 3)).one()._mapping) | {"author": "mallory"}
    c.execute(sa.update(T).where(T.c.seq == 3).values(author="mallory", hash=auditing._hash(row)))


def forge(c: sa.Connection) -> None:
    """A row more, which follows the last one."""
    row = {"seq": 6, "at": "2026-02-01T08:00:00Z", "author": "eva", "what": "tried", "facts": "{}"}
    row["previous"] = c.execute(sa.select(T.c.hash).where(T.c.seq == 5)).scalar_one()
    c.execute(sa.insert(T).values(**row, hash=auditing._hash(row)))


TAMPERED = {
    "the author": (change("author", "mallory"), (3, "changed")),
    "the time": (change("at", "2025-01-01T00:00:00Z"), (3, "changed")),
    "what": (change("what", "meant"), (3, "changed")),
    "the facts": (change("facts", "{}"), (3, "changed")),
    "the hash": (change("hash", "0" * 64), (3, "changed")),
    "the hash before": (change("previous", "0" * 64), (3, "changed")),
    "the first one": (change("author", "mallory", 1), (1, "changed")),
    "the last one": (change("author", "mallory", 5), (5, "changed")),
    "a row and its hash": (write_anew, (4, "changed")),
    "one is gone": (remove(3), (3, "removed")),
    "the first is gone": (remove(1), (1, "removed")),
    "the last is gone": (remove(5), (5, "removed")),
    "all are gone": (lambda c: c.execute(sa.delete(T)), (1, "removed")),
    "one is gone and the gap closed": (close_the_gap, (3, "re-ordered")),
    "two have changed places": (swap(3, 4), (3, "re-ordered")),
    "far ones have changed places": (swap(2, 5), (2, "re-ordered")),
    "one more": (forge, (6, "added")),
    "the head is gone": (lambda c: c.execute(sa.delete(F).where(F.c.key == auditing.HEAD)), (5, "removed")),
}


def test_an_untouched_chain_is_whole(chain: Store) -> None:
    assert verified(chain).broken is None
    assert verified(chain).rows == 5


@pytest.mark.parametrize("how", TAMPERED)
def test_the_first_row_that_is_not_as_it_was_written_is_named(how: str, known: Store) -> None:
    tamper, expected = TAMPERED[how]
    five(known)
    with known.write() as c:
        tamper(c)
    assert broken(known) == expected


def test_a_chain_written_anew_from_some_row_on_is_known_by_a_head_kept_elsewhere(chain: Store) -> None:
    head, rows = verified(chain).head, entries(chain)
    with chain.write() as c:
        c.execute(sa.delete(T))
        c.execute(sa.delete(F).where(F.c.key == auditing.HEAD))
        for row in rows:
            audited(c, "mallory" if row["seq"] == 2 else row["author"], row["what"], row["facts"], row["at"])
    assert broken(chain) is None, "nothing in the store itself says so"
    assert broken(chain, head) == (5, "changed")


def test_a_head_kept_earlier_is_still_there_later(chain: Store) -> None:
    head = verified(chain).head
    with chain.write() as c:
        audited(c, "eva", "tried", {"n": 5})
    assert broken(chain, head) is None
    assert verified(chain).head != head


def test_what_does_not_happen_is_not_audited(chain: Store) -> None:
    with pytest.raises(ZeroDivisionError), chain.write() as c:
        audited(c, "eva", "tried", {"n": 1 // 0 if audited(c, "eva", "tried", {}) else 0})
    assert (verified(chain).rows, broken(chain)) == (5, None)


# -- several at once -------------------------------------------------------------------------------------------------

RACERS, LAPS = 3, 40


def race(url: str, start: Barrier, name: str) -> None:
    store = Store.open(url)
    start.wait(60)
    for n in range(LAPS):
        with store.write() as c:
            audited(c, name, "ran", {"lap": n})
    store.close()


def test_processes_at_once_do_not_fork_the_chain(store_url: str) -> None:
    Store.open(store_url).close()
    together = multiprocessing.get_context("fork")  # each opens a store of its own
    start = together.Barrier(RACERS)
    racers = [together.Process(target=race, args=(store_url, start, f"racer {n}")) for n in range(RACERS)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0] * RACERS
    with closing(Store.open(store_url)) as store:
        assert (verified(store).rows, broken(store)) == (RACERS * LAPS, None)
        told = Counter(row["author"] for row in entries(store))
    assert told == {f"racer {n}": LAPS for n in range(RACERS)}


# -- what is in it ---------------------------------------------------------------------------------------------------


def test_what_people_say_is_audited_without_saying_it_again(either: Store) -> None:
    say(either, A, B, "different", "they are cousins")
    deciding.pin(either, [Pinned("contact_0", "phone", "+49 30 901820", "she called", "eva")], "DE")
    deciding.unpin(either, "contact_0", "phone", "otto")
    deciding.unjudge(either, A, B, "otto")
    found = entries(either)
    assert [(row["author"], row["what"]) for row in found] == [
        ("eva", "judged"),
        ("eva", "pinned"),
        ("otto", "unpinned"),
        ("otto", "unjudged"),
    ]
    assert (found[0]["facts"]["a"], found[0]["facts"]["verdict"]) == (A, "different")
    assert found[1]["facts"]["field"] == "phone"
    assert not any(word in json.dumps(found) for word in ("901820", "cousins", "called"))
    assert broken(either) is None


def test_the_same_words_leave_the_same_fingerprint_and_others_another(known: Store) -> None:
    with known.write() as c:
        one, same, other, none = auditing.fingerprints(c, [{"x": "a"}, {"x": "a"}, {"x": "b"}, {"x": None}])
    assert one == same
    assert len({one["x"], other["x"], none["x"]}) == 3


def test_a_said_thing_that_is_not_kept_is_not_audited(known: Store) -> None:
    with pytest.raises(OmniHubError):
        say(known, A, "crm/people/nobody", "same")
    assert entries(known) == []


@pytest.mark.long
def test_a_plan_its_approval_and_what_was_written_are_audited(begin: Start) -> None:
    here = begin("compared")
    hub = here.hub(limits=Limits(share=0.0, first_share=0.0, floor=1))
    plan = make_and_store_plan(hub, "run-1")
    approve(here.store, plan.id, "anna", "seen it")
    apply_plan(hub, plan.id)
    planned, approved, *written = entries(here.store)
    assert (planned["what"], planned["facts"]["state"], planned["facts"]["run"]) == ("planned", "blocked", "run-1")
    assert (approved["what"], approved["author"]) == ("approved", "anna")
    assert approved["facts"].items() >= {"plan": plan.id, "hash": plan.hash, "because": "seen it"}.items()
    t = schema.changes
    changes = loop.rows(here.store, sa.select(t.c.ref, t.c.field, t.c.new).where(t.c.outcome == "written"))
    told = {(ref, name) for row in written for ref, fields in row["facts"]["records"].items() for name in fields}
    assert told == {(c.ref, c.field) for c in changes}
    assert {row["what"] for row in written} == {"written"}
    assert len(written) < len({c.ref for c in changes}), "one row for what was written together"
    words = {c.new for c in changes if len(c.new) > 8}
    assert words
    assert not any(word in json.dumps(written) for word in words)
    assert broken(here.store) is None


# -- reading ---------------------------------------------------------------------------------------------------------


def test_the_rows_since_a_day_or_a_number(chain: Store) -> None:
    assert [row["seq"] for row in entries(chain, since="2026-01-04")] == [4, 5]
    assert [row["seq"] for row in entries(chain, since="3")] == [4, 5]
    assert [row["seq"] for row in entries(chain, limit=2)] == [4, 5]
    assert [row["seq"] for row in entries(chain, what="tried", limit=9)] == [1, 2, 3, 4, 5]
    assert entries(chain, what="written") == []
    assert [row["seq"] for row in entries(chain, since="2026-01-04T10:00:00+02:00")] == [4, 5]
    with pytest.raises(OmniHubError, match="yesterday"):
        entries(chain, since="yesterday")

"""Many rows in and out: what goes in comes out, on both databases, whatever people type."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from omnihub.store import Store, bulk, schema

RAW = (
    "seq",
    "ref",
    "system",
    "stream",
    "body",
    "exchange_id",
    "pointer",
    "updated",
    "deleted",
    "merged_into",
    "landed_at",
)
RECORDS = ("ref", "system", "stream", "seq", "hash", "deleted")
PAIRS = ("a", "b", "entity", "weight", "state", "why")
ALIVE = schema.records.c.deleted

ODD = [
    "", " ", "O'Brien", 'say "hi"', "back\\slash", "\\N", "\\.", "tab\tnew\nline\r", "emoji 👩‍🚀 and ✓", "Ωmega",
    "名前", "x" * 300_000,
    "%s %d ?", "{}", "null", "NULL", "\\x00", "a,b;c|d",
]  # fmt: skip


def version(
    seq: int, ref: str, body: bytes = b"{}", updated: str | None = None, deleted: bool = False
) -> tuple[Any, ...]:
    return (seq, ref, "s", "t", body, 1, "/0", updated, deleted, None, "2026-11-21T00:00:00Z")


def rows_of(store: Store, query: sa.Select[Any]) -> list[dict[str, Any]]:
    with store.read() as c:
        return list(bulk.table(c, query).to_pylist())


@pytest.mark.parametrize("write", [bulk.append, bulk.upsert])
def test_text_comes_out_as_it_went_in(store: Store, write: Any) -> None:
    with store.write() as c:
        write(c, schema.facts, ("key", "value"), [(f"{n:02}", text) for n, text in enumerate(ODD)])
    assert [r["value"] for r in rows_of(store, sa.select(schema.facts).order_by(schema.facts.c.key))] == ODD


@pytest.mark.parametrize("write", [bulk.append, bulk.upsert])
def test_bytes_booleans_and_nothing_come_out_as_they_went_in(store: Store, write: Any) -> None:
    every_byte = bytes(range(256)) * 3
    with store.write() as c:
        write(
            c,
            schema.raw,
            RAW,
            [
                version(1, "s/t/1", every_byte, None, True),
                version(2, "s/t/2", b"", "now"),
                version(2**40, "s/t/3", "👩‍🚀".encode()),
            ],
        )
    with store.read() as c:
        found = bulk.table(c, sa.select(schema.raw).order_by(schema.raw.c.seq))
    assert found.column("body").to_pylist() == [every_byte, b"", "👩‍🚀".encode()]
    assert found.column("deleted").to_pylist() == [True, False, False]
    assert found.column("updated").to_pylist() == [None, "now", None]
    assert found.column("seq").to_pylist() == [1, 2, 2**40]
    assert found.schema.field("deleted").type == pa.bool_()
    assert found.schema.field("body").type == pa.binary()


def test_weights_keep_their_digits(store: Store) -> None:
    weights = [0.1, -1e-9, 12.345678901234567, 1e300]
    with store.write() as c:
        bulk.append(c, schema.pairs, PAIRS, [(str(n), "z", "contact", w, "same", "{}") for n, w in enumerate(weights)])
    assert [r["weight"] for r in rows_of(store, sa.select(schema.pairs).order_by(schema.pairs.c.a))] == weights


def test_upsert_adds_what_is_new_and_replaces_what_is_there(store: Store) -> None:
    with store.write() as c:
        bulk.append(c, schema.records, RECORDS, [("a", "s", "t", 1, b"1", False), ("b", "s", "t", 2, b"2", False)])
    with store.write() as c:
        bulk.upsert(c, schema.records, RECORDS, [("b", "s", "t", 3, b"3", True), ("c", "s", "t", 4, b"4", False)])
        bulk.upsert(c, schema.records, RECORDS, [("c", "s", "t", 5, b"5", False)])  # twice in one transaction
    found = {r["ref"]: (r["seq"], r["hash"], r["deleted"]) for r in rows_of(store, sa.select(schema.records))}
    assert found == {"a": (1, b"1", False), "b": (3, b"3", True), "c": (5, b"5", False)}


def test_upsert_leaves_alone_the_columns_it_is_not_given(store: Store) -> None:
    g = schema.goldens
    whole = ("id", "entity", "seq", "born", "founder", "merged_into", "fields", "lineage", "members")
    with store.write() as c:
        bulk.append(c, g, whole, [("account_1", "account", 1, 1, "s/t/1", "account_0", "{}", "{}", 1)])
        part = tuple(n for n in whole if n != "merged_into")
        bulk.upsert(c, g, part, [("account_1", "account", 2, 1, "s/t/1", '{"name":"A"}', "{}", 2)])
    [row] = rows_of(store, sa.select(g.c.seq, g.c.merged_into, g.c.members))
    assert row == {"seq": 2, "merged_into": "account_0", "members": 2}


def test_a_table_of_nothing_but_keys_takes_the_same_rows_twice(store: Store) -> None:
    rows = [("contact", "p:+49", "s/t/1"), ("contact", "p:+49", "s/t/2")]
    with store.write() as c:
        bulk.upsert(c, schema.keys, ("entity", "key", "ref"), rows)
        bulk.upsert(c, schema.keys, ("entity", "key", "ref"), rows)
    assert len(rows_of(store, sa.select(schema.keys))) == 2


def test_thousands_of_refs_are_found_and_deleted(store: Store) -> None:
    refs = [f"s/t/{n}" for n in range(5_000)]
    with store.write() as c:
        bulk.append(c, schema.records, RECORDS, [(ref, "s", "t", n, b"", bool(n % 2)) for n, ref in enumerate(refs)])
    query = sa.select(schema.records.c.ref, ALIVE)
    with store.read() as c:
        found = bulk.table_in(c, query, schema.records.c.ref, [*refs, *refs[:9], "s/t/none"])
        assert sorted(found.column("ref").to_pylist()) == sorted(refs)
        assert found.schema.field("deleted").type == pa.bool_()
    with store.write() as c:
        bulk.delete(c, schema.records.c.ref, (ref for ref in refs if not ref.endswith("7")))
    assert len(rows_of(store, query)) == 500


def test_batches_bring_every_row_once_in_pieces_of_the_size_asked_for(store: Store) -> None:
    with store.write() as c:
        bulk.append(c, schema.facts, ("key", "value"), [(f"{n:04}", "v") for n in range(1_050)])
    with store.read() as c:
        pieces = list(bulk.batches(c, sa.select(schema.facts).order_by(schema.facts.c.key), size=200))
    assert [p.num_rows for p in pieces] == [200] * 5 + [50]
    assert [k for p in pieces for k in p.column("key").to_pylist()] == [f"{n:04}" for n in range(1_050)]


def test_no_rows_are_an_empty_table_of_the_same_shape(store: Store) -> None:
    query = sa.select(schema.raw.c.ref, schema.raw.c.body, schema.raw.c.deleted)
    with store.write() as c:
        bulk.append(c, schema.raw, RAW, [])
        bulk.upsert(c, schema.raw, RAW, [])
        bulk.delete(c, schema.raw.c.ref, [])
    with store.read() as c:
        empty = [
            bulk.table(c, query),
            bulk.table_in(c, query, schema.raw.c.ref, []),
            bulk.table_in(c, query, schema.raw.c.ref, ["x"]),
        ]
    assert all(t.num_rows == 0 and t.schema.types == [pa.string(), pa.binary(), pa.bool_()] for t in empty)


def test_rows_are_added_only_where_none_of_their_keys_is_taken(store: Store) -> None:
    with store.write() as c:
        assert bulk.added(c, schema.facts, ("key", "value"), [("a", "1"), ("b", "1")])
        with c.begin_nested() as attempt:
            assert not bulk.added(c, schema.facts, ("key", "value"), [("c", "2"), ("a", "2")])
            attempt.rollback()
    assert rows_of(store, sa.select(schema.facts)) == [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]


def test_the_garbage_collector_is_back_when_the_last_one_who_was_undisturbed_is_done() -> None:
    assert gc.isenabled()
    with bulk.undisturbed:
        with suppress(ZeroDivisionError), bulk.undisturbed:
            raise ZeroDivisionError
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_transaction_that_fails_leaves_none_of_its_rows(store: Store) -> None:
    with suppress(ZeroDivisionError), store.write() as c:
        bulk.append(c, schema.facts, ("key", "value"), [("a", "1")])
        bulk.upsert(c, schema.facts, ("key", "value"), [("b", "1")])
        raise ZeroDivisionError
    assert rows_of(store, sa.select(schema.facts)) == []

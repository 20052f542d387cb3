"""One engine for a process, and connections that see nothing of each other."""

from __future__ import annotations

import multiprocessing
from contextlib import closing

import duckdb
import pyarrow as pa
import pytest

from omnihub.engine import connection


def test_what_one_connection_holds_no_other_sees() -> None:
    with closing(connection()) as one, closing(connection()) as other:
        one.execute("CREATE TEMP TABLE made AS SELECT 1 AS n")
        one.register("given", pa.table({"n": [1]}))
        for table in ("made", "given"):
            assert one.sql(f"SELECT n FROM {table}").fetchall() == [(1,)]
            with pytest.raises(duckdb.CatalogException):
                other.sql(f"SELECT n FROM {table}")


def test_one_that_is_closed_leaves_the_others_their_tables() -> None:
    with closing(connection()) as stays:
        stays.execute("CREATE TEMP TABLE made AS SELECT 1 AS n")
        with closing(connection()) as goes:
            goes.execute("CREATE TEMP TABLE made AS SELECT 2 AS n")
        assert stays.sql("SELECT n FROM made").fetchall() == [(1,)]


def test_times_are_in_utc_whatever_another_connection_wished() -> None:
    with closing(connection()) as one:
        one.execute("SET TimeZone = 'Asia/Tokyo'")
        with closing(connection()) as other:
            said = other.sql("SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00'::VARCHAR").fetchall()
    assert said == [("2026-01-01 00:00:00+00",)]


def _finds(table: str) -> None:
    with closing(connection()) as con:
        raise SystemExit(len(con.sql("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", params=[table]).fetchall()))


def test_a_child_that_was_forked_starts_its_own_for_threads_do_not_come_along() -> None:
    with closing(connection()) as con:
        con.execute("CREATE TABLE of_this_engine (n INTEGER)")  # not temporary, so every connection sees it
        try:
            child = multiprocessing.get_context("fork").Process(target=_finds, args=("of_this_engine",))
            child.start()
            child.join(20)
            assert child.exitcode == 0
        finally:
            con.execute("DROP TABLE of_this_engine")

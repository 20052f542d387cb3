"""The engine of set work, DuckDB in memory: started once for a process, a connection for each piece of work.

Starting one takes 25 ms, which is more than a step needs for a few records; a further connection takes less than one.
What a connection registers, creates as temporary or sets as its time zone is its own, and gone when it is closed.
"""

from __future__ import annotations

import functools
import os

import duckdb


def connection() -> duckdb.DuckDBPyConnection:
    """A connection that sees nothing of the others. Its times are in UTC. To be closed by whoever asked."""
    found = _engine(os.getpid()).cursor()
    found.execute("SET TimeZone = 'UTC'")
    return found


@functools.cache
def _engine(process: int) -> duckdb.DuckDBPyConnection:
    """process: a child has to start its own, for threads don't come along."""
    engine = duckdb.connect()
    engine.execute("SET threads = 2")
    return engine

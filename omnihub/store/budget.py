"""The ledger of calls that all processes of a hub share.

With PostgreSQL it lives in the store: the database's clock, and an advisory lock for each key. With SQLite in a small
file of its own beside the store's (`hub.db` → `hub.budget.db`): the store is locked for as long as a page is landed,
and a call must not wait for that. The file may be deleted while nobody runs; then the calls of the last minutes (and
of the day) are forgotten, and the systems' own words count.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from omnihub.errors import RetryableError
from omnihub.store import schema
from omnihub.store.wal import BUSY_S, write_ahead

FORGOTTEN_S = 7 * 86_400.0  # seats nobody has sat on for so long belong to a limit or credentials of the past
CONNECTIONS, MORE = 2, 14

READ = "SELECT state FROM budgets WHERE name = ?"
WRITE = "INSERT INTO budgets (name, state) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state"
EARLIEST = "SELECT n, free_at, busy FROM budget_seats WHERE name = ? ORDER BY free_at LIMIT 1"
SET = "UPDATE budget_seats SET free_at = ?, busy = ? WHERE name = ? AND n = ?"
MAKE = "INSERT INTO budget_seats (name, n, free_at, busy) VALUES (?, ?, ?, ?)"
FORGET = "DELETE FROM budget_seats WHERE free_at < ?"
WITHHOLD = """
    UPDATE budget_seats SET free_at = ? WHERE name = ? AND n IN (
        SELECT n FROM budget_seats WHERE name = ? AND NOT busy AND free_at <= ? ORDER BY free_at LIMIT ? OFFSET ?)
"""
LOCK = "SELECT pg_advisory_xact_lock(?), extract(epoch FROM clock_timestamp())::float8"
MANY = 1_000_000_000


class _Driver(Protocol):
    """What sqlite3's and psycopg's connections have in common."""

    def execute(self, query: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Send a statement."""


class _Books:
    """One look, within a transaction that holds the key's lock. What the methods promise stands in
    `omnihub.sdk.turns.Books`."""

    def __init__(self, execute: Callable[..., Any], key: str, now: float) -> None:
        self._execute, self._key, self.now = execute, key, now

    def read(self, name: str) -> dict[str, Any]:
        found = self._execute(READ, (self._name(name),)).fetchone()
        return dict(json.loads(found[0])) if found else {}

    def write(self, name: str, state: dict[str, Any]) -> None:
        self._execute(WRITE, (self._name(name), json.dumps(state)))

    def seat(self, name: str, seats: int, until: float) -> tuple[int, float] | None:
        name = self._name(name)
        found = self._execute(EARLIEST, (name,)).fetchone() or self._make(name, seats)
        n, free_at, busy = found
        if busy and free_at > self.now:  # busy seats are given up later than any other is free: all are busy
            return None
        self._execute(SET, (until, True, name, n))
        return int(n), float(free_at)

    def _make(self, name: str, seats: int) -> tuple[int, float, bool]:
        self._execute(FORGET, (self.now - FORGOTTEN_S,))
        for n in range(seats):
            self._execute(MAKE, (name, n, self.now, False))
        return 0, self.now, False

    def leave(self, name: str, seat: int, free_at: float) -> None:
        self._execute(SET, (free_at, False, self._name(name), seat))

    def withhold(self, name: str, left: int, since: float, until: float) -> None:
        name = self._name(name)
        self._execute(WITHHOLD, (until, name, name, since, MANY, left))

    def _name(self, name: str) -> str:
        return f"{self._key} {name}"


class Ledger:
    """Where calls are counted (`omnihub.sdk.turns.Ledger`), for the store behind `engine`. Opened by the first look."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._books: _SqliteFile | _Postgres | None = None
        self._opening = threading.Lock()

    def open(self, key: str) -> AbstractContextManager[_Books]:
        """Look into the books of one key: nobody else does until the block ends."""
        return self._kept().open(key)

    def _kept(self) -> _SqliteFile | _Postgres:
        with self._opening:
            if self._books is None:
                sqlite = self._engine.dialect.name == "sqlite"
                self._books = _SqliteFile(self._engine.url) if sqlite else _Postgres(self._engine.url)
            return self._books

    def close(self) -> None:
        """Let go of the connections."""
        with self._opening:
            if self._books is not None:
                self._books.close()
                self._books = None


class _SqliteFile:
    def __init__(self, url: sa.URL) -> None:
        path = Path(url.database).with_suffix(".budget.db") if url.database not in (None, "", ":memory:") else None
        self._lock = threading.Lock()  # threads take turns here instead of in the database
        self._connection = sqlite3.connect(
            path or ":memory:", timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        # a power cut may cost the last counts, never the file; a process that dies costs nothing
        write_ahead(self._connection)
        self._connection.execute("PRAGMA synchronous = OFF")
        with self._transaction():
            for statement in _tables():
                self._connection.execute(statement)

    @contextmanager
    def open(self, key: str) -> Iterator[_Books]:
        with self._lock, self._transaction():
            yield _Books(self._connection.execute, key, time.time())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _tables() -> list[str]:
    dialect = sa.create_engine("sqlite://").dialect
    made: list[str] = []
    for table in (schema.budgets, schema.budget_seats):
        made.append(str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)))
        made += [str(CreateIndex(i, if_not_exists=True).compile(dialect=dialect)) for i in table.indexes]
    return made


class _Postgres:
    def __init__(self, url: sa.URL) -> None:
        # connections of its own: those of the store may all be busy landing pages
        self._engine = sa.create_engine(url, pool_size=CONNECTIONS, max_overflow=MORE, pool_pre_ping=True)

    @contextmanager
    def open(self, key: str) -> Iterator[_Books]:
        try:
            with self._engine.connect() as pooled, pooled.begin():
                driver: _Driver = pooled.connection.driver_connection  # type: ignore[assignment]

                def execute(query: str, parameters: Sequence[Any]) -> Any:
                    return driver.execute(query.replace("?", "%s"), parameters)

                now = execute(LOCK, (_number(key),)).fetchone()[1]
                yield _Books(execute, key, now)
        except sa.exc.OperationalError as error:
            raise RetryableError(f"store: the ledger of calls can't be reached ({type(error.orig).__name__})") from None

    def close(self) -> None:
        self._engine.dispose()


def _number(key: str) -> int:
    """A lock's number: 64 bits with a sign."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)

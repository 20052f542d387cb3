"""The truth about a sandbox: who is who, what is right, what was planted. Only scoring may read it.

    who     living ref → the thing it is about, and which scored fields the record has a value in
    right   thing, field → the right value
    errors  planted errors: kind, ref, field; those with the same cause are one
    traps   pairs of refs that are easily got wrong, and whether they are the same

One SQLite file, written on reset and kept true by `mutate`. Refs are text, `system/stream/id`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from omnihub.sandbox.world import Error, Place, Right, Told, Trap, Who

_SCHEMA = """
CREATE TABLE IF NOT EXISTS who (
    ref TEXT PRIMARY KEY, entity TEXT NOT NULL, key TEXT NOT NULL, holds TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "right" (
    entity TEXT NOT NULL, key TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key, field)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS errors (
    kind TEXT NOT NULL, ref TEXT NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL, cause TEXT NOT NULL,
    PRIMARY KEY (ref, field, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS traps (kind TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, same INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS who_by_key ON who (key);
"""
_TABLES = ("who", '"right"', "errors", "traps")
_ROWS_AT_ONCE = 5000


class Planted(NamedTuple):
    """A planted error. `cause`: what makes several of them one."""

    kind: str
    ref: str
    field: str
    detail: str
    cause: str


def _row(one: Told, ref: Callable[[Place], str]) -> tuple[str, tuple[Any, ...]]:
    match one:
        case Who(at, entity, key, holds):
            return "who", (ref(at), entity, key, ",".join(holds))
        case Right():
            return '"right"', tuple(one)
        case Error(kind, at, name, detail, cause):
            return "errors", (kind, ref(at), name, detail, cause)
        case Trap(kind, a, b, same):
            return "traps", (kind, ref(a), ref(b), same)


class Truth:
    """The truth, in a file (None: in memory)."""

    def __init__(self, path: Path | None = None) -> None:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # -- writing ------------------------------------------------------------------------------------------------

    def write(self, told: Iterable[Told], native_id: Callable[[str, str, int], str]) -> None:
        """Everything a world tells, instead of what was here. `native_id(role, stream, n)` gives the ref."""

        def ref(at: Place) -> str:
            return native_id(*at)

        self._db.execute("BEGIN IMMEDIATE")
        try:
            for table in _TABLES:
                self._db.execute(f"DELETE FROM {table}")
            self._fill(told, ref)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def add(self, told: Iterable[Told], native_id: Callable[[str, str, int], str], roles: Collection[str]) -> None:
        """What a world tells of these roles' records, beside what is here; what is right by now stays right."""

        def ref(at: Place) -> str:
            return native_id(*at)

        self._db.execute("BEGIN IMMEDIATE")
        try:
            for one in told:
                if isinstance(one, Right):
                    self._db.execute('INSERT OR IGNORE INTO "right" VALUES (?, ?, ?, ?)', tuple(one))
                elif isinstance(one, Who | Error) and one.at.role in roles:
                    table, row = _row(one, ref)
                    self._insert(table, [row])
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _fill(self, told: Iterable[Told], ref: Callable[[Place], str]) -> None:
        rows: dict[str, list[tuple[Any, ...]]] = {"who": [], '"right"': [], "errors": [], "traps": []}
        for one in told:
            table, row = _row(one, ref)
            rows[table].append(row)
            if len(rows[table]) >= _ROWS_AT_ONCE:
                self._insert(table, rows[table])
                rows[table] = []
        for table, rest in rows.items():
            self._insert(table, rest)

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)

    def know(self, ref: str, entity: str, key: str, holds: Iterable[str]) -> None:
        """A new or changed record is about this thing."""
        self._insert("who", [(ref, entity, key, ",".join(holds))])

    def forget(self, ref: str) -> None:
        """The record was deleted. Where it was one of two, the other is no duplicate any more."""
        twin = self._db.execute("SELECT cause FROM errors WHERE ref = ? AND kind = 'duplicate'", (ref,)).fetchone()
        if twin:
            self._db.execute("DELETE FROM errors WHERE kind = 'duplicate' AND cause = ?", twin)
        self._db.execute("DELETE FROM errors WHERE ref = ?", (ref,))
        self._db.execute("DELETE FROM traps WHERE a = ? OR b = ?", (ref, ref))
        self._db.execute("DELETE FROM who WHERE ref = ?", (ref,))

    def correct(self, entity: str, key: str, field: str, value: str) -> None:
        """From now on this is right."""
        self._insert('"right"', [(entity, key, field, value)])

    def plant(self, kind: str, ref: str, field: str, detail: str, cause: str = "") -> None:
        """An error in a record."""
        self._insert("errors", [(kind, ref, field, detail, cause)])

    def clear(self, ref: str, field: str) -> None:
        """The field of this record is right now."""
        self._db.execute("DELETE FROM errors WHERE ref = ? AND field = ?", (ref, field))

    # -- reading ------------------------------------------------------------------------------------------------

    def who(self, entity: str) -> dict[str, str]:
        """Living ref → key of the thing, for one entity."""
        return dict(self._db.execute("SELECT ref, key FROM who WHERE entity = ? ORDER BY ref", (entity,)))

    def refs(self, key: str) -> dict[str, tuple[str, ...]]:
        """The living records about a thing, and which scored fields each has a value in."""
        rows = self._db.execute("SELECT ref, holds FROM who WHERE key = ? ORDER BY ref", (key,))
        return {ref: tuple(holds.split(",")) if holds else () for ref, holds in rows}

    def right(self, key: str) -> dict[str, str]:
        """The right values of a thing."""
        return dict(self._db.execute('SELECT field, value FROM "right" WHERE key = ?', (key,)))

    def rights(self, entity: str) -> Iterator[tuple[str, str, str]]:
        """(key, field, right value) of all things of an entity."""
        return iter(
            self._db.execute('SELECT key, field, value FROM "right" WHERE entity = ? ORDER BY key, field', (entity,))
        )

    def errors(self) -> Iterator[Planted]:
        """All planted errors."""
        rows = self._db.execute("SELECT kind, ref, field, detail, cause FROM errors ORDER BY ref, field, kind")
        return (Planted(*row) for row in rows)

    def errors_at(self, ref: str) -> list[Planted]:
        """The planted errors of one record."""
        rows = self._db.execute(
            "SELECT kind, ref, field, detail, cause FROM errors WHERE ref = ? ORDER BY field", (ref,)
        )
        return [Planted(*row) for row in rows]

    def traps(self) -> list[tuple[str, str, str, bool]]:
        """(kind, ref, ref, whether they are the same)."""
        rows = self._db.execute("SELECT kind, a, b, same FROM traps ORDER BY kind, a, b")
        return [(kind, a, b, bool(same)) for kind, a, b, same in rows]

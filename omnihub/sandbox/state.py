"""What a stand-in remembers: its objects, in one SQLite file, so that writes stay and a restart changes nothing."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    stream      TEXT NOT NULL,
    id          TEXT NOT NULL,
    n           INTEGER NOT NULL,          -- order of creation, within the stream
    body        TEXT NOT NULL,             -- JSON, in the vendor's own shape
    created_at  TEXT NOT NULL,             -- ISO UTC with microseconds, so that text order is time order
    updated_at  TEXT NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    deleted     INTEGER NOT NULL DEFAULT 0,
    merged_into TEXT,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_time ON objects (stream, updated_at, id);
CREATE INDEX IF NOT EXISTS objects_by_order ON objects (stream, n);
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def iso(at: datetime) -> str:
    """Microseconds always, Z always.

    >>> iso(datetime(2026, 11, 21, tzinfo=UTC))
    '2026-11-21T00:00:00.000000Z'
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Obj:
    """One object of a stand-in. `body` is its JSON in the vendor's shape."""

    stream: str
    id: str
    n: int
    body: dict[str, Any]
    created_at: str
    updated_at: str
    version: int = 1
    deleted: bool = False
    merged_into: str | None = None


_COLUMNS = "stream, id, n, body, created_at, updated_at, version, deleted, merged_into"


def _obj(row: tuple[Any, ...]) -> Obj:
    stream, id_, n, body, created_at, updated_at, version, deleted, merged_into = row
    return Obj(stream, id_, n, json.loads(body), created_at, updated_at, version, bool(deleted), merged_into)


class State:
    """The objects of one stand-in. Each writing method commits before it returns.

    `path` None keeps everything in memory. `now` is the vendor's clock.
    """

    def __init__(self, path: Path | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None, timeout=30
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self.now = now
        self._last = ""
        self._indexed: set[str] = set()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def tick(self) -> str:
        """The time now, never the same twice, so that the order of writes shows in `updated_at`."""
        at = iso(self.now())
        if at <= self._last:
            at = iso(datetime.fromisoformat(self._last) + timedelta(microseconds=1))
        self._last = at
        return at

    def get(self, stream: str, id_: str) -> Obj | None:
        """The object, deleted or not."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM objects WHERE stream = ? AND id = ?", (stream, id_)).fetchone()
        return _obj(row) if row else None

    def find(self, stream: str, path: str, value: Any, *, nocase: bool = False) -> list[Obj]:
        """The living objects whose JSON `path` ($.a.b) holds `value`. Indexed from the first use on."""
        collate = " COLLATE NOCASE" if nocase else ""
        name = "objects_" + re.sub(r"\W", "_", path) + ("_nocase" if nocase else "")
        if name not in self._indexed:
            self._db.execute(
                f"CREATE INDEX IF NOT EXISTS {name} ON objects (stream, json_extract(body, '{path}'){collate})"
            )
            self._indexed.add(name)
        rows = self._db.execute(  # without being told, SQLite reads the whole stream in order of n instead
            f"""SELECT {_COLUMNS} FROM objects INDEXED BY {name}
                WHERE stream = ? AND json_extract(body, '{path}'){collate} = ? AND NOT deleted ORDER BY n""",
            (stream, value),
        )
        return [_obj(row) for row in rows]

    def create(self, stream: str, id_: str, body: dict[str, Any], at: str | None = None) -> Obj:
        """A new object."""
        at = at or self.tick()
        obj = Obj(stream, id_, self.next_n(stream), body, at, at)
        self._insert([obj])
        return obj

    def save(self, obj: Obj, at: str | None = None) -> Obj:
        """Keep the object as it is now, with a new time and version."""
        obj.updated_at = at or self.tick()
        obj.version += 1
        self._insert([obj])
        return obj

    def load(self, objects: Iterable[Obj]) -> int:
        """Many objects as they are (seeding)."""
        return self._insert(objects)

    def _insert(self, objects: Iterable[Obj]) -> int:
        rows = (
            (
                o.stream,
                o.id,
                o.n,
                json.dumps(o.body, ensure_ascii=False, separators=(",", ":")),
                o.created_at,
                o.updated_at,
                o.version,
                int(o.deleted),
                o.merged_into,
            )
            for o in objects
        )
        self._db.execute("BEGIN IMMEDIATE")
        try:
            count = self._db.executemany(
                f"INSERT OR REPLACE INTO objects ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)", rows
            ).rowcount
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return count

    def next_n(self, stream: str) -> int:
        """The ordinal a new object of this stream gets."""
        return int(
            self._db.execute("SELECT coalesce(max(n), 0) + 1 FROM objects WHERE stream = ?", (stream,)).fetchone()[0]
        )

    def by_time(
        self,
        stream: str,
        *,
        since: str = "",
        after: tuple[str, str] | None = None,
        until: str = "",
        limit: int,
        deleted: bool | None = False,
    ) -> list[Obj]:
        """Up to `limit` objects in order of (updated_at, id), from `since` on, after a position, before `until`.

        deleted: False = living ones, True = only deleted, None = both.
        """
        rows = self._db.execute(
            f"""SELECT {_COLUMNS} FROM objects
                WHERE stream = ? AND updated_at >= ? AND (updated_at, id) > (?, ?) AND updated_at < ?
                  AND (? IS NULL OR deleted = ?)
                ORDER BY updated_at, id LIMIT ?""",
            (stream, since, *(after or ("", "")), until or "~", deleted, deleted, limit),
        )
        return [_obj(row) for row in rows]

    def by_order(
        self, stream: str, *, after: int = 0, limit: int, offset: int = 0, deleted: bool | None = False
    ) -> list[Obj]:
        """Up to `limit` objects in order of creation, after ordinal `after`."""
        rows = self._db.execute(
            f"""SELECT {_COLUMNS} FROM objects WHERE stream = ? AND n > ? AND (? IS NULL OR deleted = ?)
                ORDER BY n LIMIT ? OFFSET ?""",
            (stream, after, deleted, deleted, limit, offset),
        )
        return [_obj(row) for row in rows]

    def count(self, stream: str, *, since: str = "", deleted: bool | None = False) -> int:
        """How many there are."""
        row = self._db.execute(
            "SELECT count(*) FROM objects WHERE stream = ? AND updated_at >= ? AND (? IS NULL OR deleted = ?)",
            (stream, since, deleted, deleted),
        ).fetchone()
        return int(row[0])

    def all(self) -> Iterator[Obj]:
        """Every object, living or not, in a fixed order: the system's whole state."""
        for row in self._db.execute(f"SELECT {_COLUMNS} FROM objects ORDER BY stream, id"):
            yield _obj(row)

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a question in SQL over `objects`: for vendors whose API takes a query language."""
        return self._db.execute(sql, values).fetchall()

    def note(self, key: str, default: Any = None) -> Any:
        """A small fact kept beside the objects (jobs, tokens, consent logs)."""
        row = self._db.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else default

    def keep(self, key: str, value: Any) -> None:
        """Keep a small fact."""
        self._db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, json.dumps(value)))

    def clear(self) -> None:
        """Forget everything."""
        self._db.executescript("DELETE FROM objects; DELETE FROM notes;")

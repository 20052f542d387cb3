"""What a stand-in remembers: its objects, in one SQLite file, so that writes stay and a restart changes nothing."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
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

_PAST = f"""
CREATE TEMP TABLE IF NOT EXISTS past ({_COLUMNS}, until REAL NOT NULL);    -- what was replaced, n NULL: was not there
CREATE INDEX IF NOT EXISTS temp.past_by_time ON past (until);
CREATE TEMP TABLE IF NOT EXISTS hidden ({_COLUMNS}, PRIMARY KEY (stream, id));
"""

# While it stands, whoever asks for `objects` gets these: SQLite looks among what is temporary first.
_SHADOW = f"""
CREATE TEMP VIEW objects AS
SELECT {_COLUMNS} FROM main.objects AS o
WHERE NOT EXISTS (SELECT 1 FROM temp.hidden AS h WHERE h.stream = o.stream AND h.id = o.id)
UNION ALL
SELECT {_COLUMNS} FROM temp.hidden WHERE n IS NOT NULL
"""


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
        self.skew = timedelta(0)  # how far the clock is off just now
        self.before_write: Callable[[Obj], bool] | None = None  # False: the write is lost; may refuse by raising
        self.writes = 0  # objects written by the handlers so far
        self.remember_s = 0.0  # for so long it is known how things were before
        self._by_id = "main.objects"
        self._shadowed = False
        self._last = ""
        self._indexed: set[str] = set()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def tick(self) -> str:
        """The time now, never the same twice, so that the order of writes shows in `updated_at`."""
        if self.skew:
            return iso(self.now() + self.skew)  # a clock that is off does not move the right one
        at = iso(self.now())
        if at <= self._last:
            at = iso(datetime.fromisoformat(self._last) + timedelta(microseconds=1))
        self._last = at
        return at

    def get(self, stream: str, id_: str) -> Obj | None:
        """The object, deleted or not."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM {self._by_id} WHERE stream = ? AND id = ?", (stream, id_)
        ).fetchone()
        return _obj(row) if row else None

    def find(self, stream: str, path: str, value: Any, *, nocase: bool = False) -> list[Obj]:
        """The living objects whose JSON `path` ($.a.b) holds `value`. Indexed from the first use on."""
        collate = " COLLATE NOCASE" if nocase else ""
        name = "objects_" + re.sub(r"\W", "_", path) + ("_nocase" if nocase else "")
        if name not in self._indexed:
            self._db.execute(
                f"CREATE INDEX IF NOT EXISTS main.{name} ON objects (stream, json_extract(body, '{path}'){collate})"
            )
            self._indexed.add(name)
        # without being told, SQLite reads the whole stream in order of n instead
        source = "objects" if self._shadowed else f"main.objects INDEXED BY {name}"
        rows = self._db.execute(
            f"""SELECT {_COLUMNS} FROM {source}
                WHERE stream = ? AND json_extract(body, '{path}'){collate} = ? AND NOT deleted ORDER BY n""",
            (stream, value),
        )
        return [_obj(row) for row in rows]

    def create(self, stream: str, id_: str, body: dict[str, Any], at: str | None = None) -> Obj:
        """A new object."""
        at = at or self.tick()
        obj = Obj(stream, id_, self.next_n(stream), body, at, at)
        self._write(obj)
        return obj

    def save(self, obj: Obj, at: str | None = None) -> Obj:
        """Keep the object as it is now, with a new time and version."""
        obj.updated_at = at or self.tick()
        obj.version += 1
        self._write(obj)
        return obj

    def _write(self, obj: Obj) -> None:
        if self.before_write is not None and not self.before_write(obj):
            return
        self.writes += 1
        if self.remember_s:
            self._remember(obj)
        self._insert([obj])

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
                f"INSERT OR REPLACE INTO main.objects ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)", rows
            ).rowcount
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return count

    def next_n(self, stream: str) -> int:
        """The ordinal a new object of this stream gets."""
        return int(
            self._db.execute("SELECT coalesce(max(n), 0) + 1 FROM main.objects WHERE stream = ?", (stream,)).fetchone()[
                0
            ]
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

    # -- as it was a while ago ----------------------------------------------------------------------------------

    def _remember(self, obj: Obj) -> None:
        """Keep what this write replaces, and forget what was replaced too long ago to be asked for."""
        self._db.executescript(_PAST)
        now = time.monotonic()
        self._db.execute("DELETE FROM temp.past WHERE until < ?", (now - self.remember_s,))
        there = self._db.execute(
            f"""INSERT INTO temp.past ({_COLUMNS}, until)
                SELECT {_COLUMNS}, ? FROM main.objects WHERE stream = ? AND id = ?""",
            (now, obj.stream, obj.id),
        )
        if not there.rowcount:
            self._db.execute("INSERT INTO temp.past (stream, id, until) VALUES (?, ?, ?)", (obj.stream, obj.id, now))

    @contextmanager
    def as_of(self, ago_s: float, *, by_id: bool) -> Iterator[None]:
        """Show everything as it was so many seconds ago, as far as it is remembered; with `by_id` also to `get`."""
        self._db.executescript(_PAST)
        self._db.execute("DELETE FROM temp.hidden")
        self._db.execute(  # of several changes since then, what the first of them replaced
            f"""INSERT OR IGNORE INTO temp.hidden ({_COLUMNS})
                SELECT {_COLUMNS} FROM temp.past WHERE until > ? ORDER BY rowid""",
            (time.monotonic() - ago_s,),
        )
        self._db.execute(_SHADOW)
        self._shadowed = True
        self._by_id = "objects" if by_id else "main.objects"
        try:
            yield
        finally:
            self._shadowed, self._by_id = False, "main.objects"
            self._db.execute("DROP VIEW temp.objects")

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
        self._db.executescript("DELETE FROM main.objects; DELETE FROM notes;")

"""Pull and look: rows of a table or a query.

in the order of change   where the stream says `updated`: from the cursor on, page by page over (updated, key)
whole, in pieces         by the key, where the database sees to it that it is unique: no long transaction
whole, in one stream     what has no such key: one statement, read in chunks while the hub keeps them
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import sqlalchemy as sa
import xxhash

from connectors.database.declaration import DatabaseStream
from connectors.database.tables import Client, Row, Source, cursor_of, value_of
from omnihub.sdk import Page, Record, Want
from omnihub.sdk.rows import Unusable, encoded, faithful, key_of

PAGE = 1_000
KEYS = 200  # asked for in one statement


@dataclass(frozen=True)
class Pull:
    """Read what is new in a table or query."""

    stream: str
    said: DatabaseStream

    def __call__(self, client: Client, want: Want) -> Iterator[Page]:
        """Pages of rows, at least one."""
        source = client.source(self.stream, self.said)
        if source.updated is not None and want.since and not want.complete:
            since = _back(value_of(want.since), self.said.overlap)
            yield from self._changed(client, source, since, want.since)
        else:
            yield from self._whole(client, source)

    def _changed(self, client: Client, source: Source, since: Any, cursor: str) -> Iterator[Page]:
        """From `since` on, in the order of change; after each page the cursor is where the page ends."""
        assert source.updated is not None
        order = [source.updated, *source.key]
        query = sa.select(source.selectable).where(source.updated >= since)
        newest = value_of(cursor)
        for rows in _pieces(client, source, query, order):
            found = [row for row in (_at(row, source.updated) for row in rows) if row is not None]
            newest = max([newest, *found])
            yield self._page(client, source, rows, cursor=cursor_of(newest))

    def _whole(self, client: Client, source: Source) -> Iterator[Page]:
        """All rows; the cursor is the newest of them, told when all are there."""
        query = sa.select(source.selectable)
        found = _pieces(client, source, query, list(source.key)) if source.steady else _stream(client, query)
        seen: set[int] | None = None if source.steady else set()
        newest: Any = None
        for rows, more in _ahead(found):
            times = [at for row in rows if (at := _at(row, source.updated)) is not None]
            newest = max([*([newest] if newest is not None else []), *times], default=None)
            cursor = cursor_of(newest) if newest is not None and not more else None
            yield self._page(client, source, rows, cursor=cursor, complete=not more, seen=seen)

    def _page(
        self,
        client: Client,
        source: Source,
        rows: Sequence[Row],
        cursor: str | None = None,
        complete: bool = False,
        seen: set[int] | None = None,
    ) -> Page:
        where = f"{client.system}/{self.stream}"
        records = [_record(row, n, source, self.said, where, seen) for n, row in enumerate(rows)]
        return Page(client.exchange(source), records, cursor, complete)


@dataclass(frozen=True)
class Look:
    """The present state of some rows, by their keys."""

    stream: str
    said: DatabaseStream

    def __call__(self, client: Client, ids: Sequence[str]) -> Iterator[Page]:
        """Pages with just these rows; what is missing is gone."""
        source = client.source(self.stream, self.said)
        for start in range(0, len(ids), KEYS):
            wanted = source.any_of(ids[start : start + KEYS])
            yield _looked(client, source, self.said, self.stream, wanted)


@dataclass(frozen=True)
class Find:
    """The present state of rows the hub created, by their golden ids."""

    stream: str
    said: DatabaseStream

    def __call__(self, client: Client, keys: Sequence[str]) -> Iterator[Page]:
        """Pages with the rows that keep one of these golden ids."""
        assert self.said.push
        assert self.said.push.create
        source = client.source(self.stream, self.said)
        column = source.column(self.said.push.create)
        for start in range(0, len(keys), KEYS):
            yield _looked(client, source, self.said, self.stream, column.in_(keys[start : start + KEYS]))


def _looked(client: Client, source: Source, said: DatabaseStream, stream: str, wanted: sa.ColumnElement[bool]) -> Page:
    with client.connected() as c:
        rows = c.execute(sa.select(source.selectable).where(wanted)).mappings().all()
    records = [_record(row, n, source, said, f"{client.system}/{stream}", None) for n, row in enumerate(rows)]
    return Page(client.exchange(source), [record for record in records if not record.deleted])


def _record(row: Row, n: int, source: Source, said: DatabaseStream, where: str, seen: set[int] | None) -> Record:
    """A row as a record. seen: keys so far, where nobody else sees to it that each is there once."""
    raw, pointer = encoded(row, source.zone), f"/row/{n}"
    key = key_of([faithful(row[name], source.zone) for name in said.key])
    if key is None:
        return Unusable(id=None, raw=raw, pointer=pointer, why=f"{where}: the key ({', '.join(said.key)}) is NULL")
    if seen is not None:
        fingerprint = xxhash.xxh3_64_intdigest(key.encode())
        if fingerprint in seen:
            why = f"{where}: another row has the same key ({', '.join(said.key)})"
            return Unusable(id=None, raw=raw, pointer=pointer, why=why)
        seen.add(fingerprint)
    at = _at(row, source.updated)
    return Record(
        id=key,
        raw=raw,
        pointer=pointer,
        updated=None if at is None else str(faithful(at, source.zone)),
        deleted=_is_deleted(row, said),
    )


def _is_deleted(row: Row, said: DatabaseStream) -> bool:
    if not said.deleted:
        return False
    column, _, value = said.deleted.partition("=")
    mark = row[column]
    return str(mark).lower() == value.lower() if value else mark not in (None, False, 0, "", "0", "false", "f")


def _at(row: Row, updated: sa.ColumnElement[Any] | None) -> Any:
    found = None if updated is None else row[updated.name]
    return bytes(found) if isinstance(found, memoryview) else found


def _back(since: Any, overlap: float) -> Any:
    """Before the cursor, where a distance means anything: rows may be committed after later ones."""
    match since:
        case datetime():
            return since - timedelta(seconds=overlap)
        case int() | Decimal() if not isinstance(since, bool):
            return since - int(overlap)
    return since


# -- statements ------------------------------------------------------------------------------------------------------


def _pieces(
    client: Client, source: Source, query: sa.Select[Any], order: Sequence[sa.ColumnElement[Any]]
) -> Iterator[Sequence[Row]]:
    """The rows in this order, a statement and a short transaction for each piece. At least one piece."""
    after: list[Any] | None = None
    while True:
        piece = query.order_by(*order).limit(PAGE)
        if after is not None:
            piece = piece.where(_beyond(order, after))
        with client.connected() as c:
            rows = c.execute(piece).mappings().all()
        yield rows
        if len(rows) < PAGE:
            return
        after = [rows[-1][column.name] for column in order]


def _beyond(order: Sequence[sa.ColumnElement[Any]], last: Sequence[Any]) -> sa.ColumnElement[bool]:
    """a > 1 OR (a = 1 AND b > 2) …: not every database compares rows of values."""
    cases = []
    for n, column in enumerate(order):
        same = [one == value for one, value in zip(order[:n], last[:n], strict=True)]
        cases.append(sa.and_(*same, column > last[n]))
    return sa.or_(*cases)


def _stream(client: Client, query: sa.Select[Any]) -> Iterator[Sequence[Row]]:
    """All rows of one statement, in chunks as the server hands them out."""
    with client.connected() as c:
        rows = c.execution_options(yield_per=PAGE).execute(query).mappings()
        yield from iter(lambda: list(islice(rows, PAGE)), [])


def _ahead(pieces: Iterable[Sequence[Row]]) -> Iterator[tuple[Sequence[Row], bool]]:
    """Each piece, and whether another follows; an empty one where there is none."""
    before: Sequence[Row] | None = None
    for piece in pieces:
        if before is not None:
            yield before, True
        before = piece
    yield before or (), False

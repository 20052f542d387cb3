"""Writing: updates by key where the row still stands as it was seen, creation by a key of ours, erasure by deletion.

A batch is one transaction. A row the database refuses (a constraint, a value that does not fit) is refused alone: the
batch is then carried out again with a savepoint for each row. What was refused is said in the database's words, with
every value taken out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import RowMapping

from connectors.database.declaration import DatabaseStream
from connectors.database.tables import Client, Source, fitted, words
from omnihub.errors import ConfigError, RetryableError
from omnihub.model import Outcome
from omnihub.sdk import LATER, Answer, Exchange, Row
from omnihub.sdk.rows import encoded, faithful, key_of

REFUSALS = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.StatementError)
"""What a row alone can be the cause of. OperationalError is one of the last, and is not: see `_is_the_rows`."""


class _Spoilt(Exception):
    """The database refused a row while it had no savepoint."""


@dataclass(frozen=True)
class Update:
    """Change rows by their keys."""

    stream: str
    said: DatabaseStream

    def __call__(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row, once the transaction is committed."""
        return _in_one_transaction(client, self.stream, self.said, rows, self._one)

    def _one(self, c: sa.Connection, source: Source, row: Row, there: RowMapping | None, seen: Exchange) -> Answer:
        if there is None:
            return Answer(row.n, Outcome.DRIFTED, row.id, "gone", "the row is no longer there", seen)
        changes = _changes(source, row)
        push = self.said.push
        assert push
        watched = [*changes, *([push.version] if push.version else [])]
        present = msgspec.json.decode(encoded(there, source.zone))
        if any(present.get(name) != row.raw.get(name) for name in watched):
            return Answer(row.n, Outcome.DRIFTED, row.id, "changed", "somebody changed it in the meantime", seen)
        still = [_still(source.column(name), there[name]) for name in watched]
        new = changes | _counted(there, push.version) | self._touched(source, there, changes)
        keyed = source.keyed(str(row.id))
        assert keyed is not None
        done = c.execute(sa.update(_table(source)).where(keyed, *still).values(new))
        if done.rowcount == 0:
            return Answer(row.n, Outcome.DRIFTED, row.id, "changed", "somebody changed it in the meantime", seen)
        return Answer(row.n, Outcome.WRITTEN, row.id, exchange=seen)

    def _touched(self, source: Source, there: RowMapping, changes: Mapping[str, Any]) -> dict[str, Any]:
        push = self.said.push
        if source.updated is None or not push or not push.touch or source.updated.name in changes:
            return {}
        now = now_like(there[source.updated.name], source.updated, source.zone)
        return {} if now is None else {source.updated.name: now}


@dataclass(frozen=True)
class Create:
    """Make rows, each with the golden id in a column of its own; sent twice, it makes one."""

    stream: str
    said: DatabaseStream

    def __call__(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row, with the key the database gave it."""
        return _in_one_transaction(client, self.stream, self.said, rows, self._one)

    def _one(self, c: sa.Connection, source: Source, row: Row, there: RowMapping | None, seen: Exchange) -> Answer:
        assert self.said.push
        assert self.said.push.create
        ours = source.column(self.said.push.create)
        table, values = _table(source), _changes(source, row)
        found = c.execute(sa.select(*source.key).where(ours == row.key)).first()
        if found is not None:
            c.execute(sa.update(table).where(ours == row.key).values(values))
        else:
            now = {} if source.updated is None else {source.updated.name: now_like(None, source.updated, source.zone)}
            c.execute(sa.insert(table).values({ours.name: row.key} | {n: v for n, v in now.items() if v} | values))
            found = c.execute(sa.select(*source.key).where(ours == row.key)).one()
        made = key_of([faithful(value, source.zone) for value in found])
        return Answer(row.n, Outcome.WRITTEN, made, exchange=seen)


@dataclass(frozen=True)
class Erase:
    """Delete the rows of persons who are to be forgotten. A row that others need is refused in the database's words."""

    stream: str
    said: DatabaseStream

    def __call__(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row, once the transaction is committed; one that is gone already is as good."""
        try:
            return _in_one_transaction(client, self.stream, self.said, rows, self._one, "DELETE")
        except RetryableError as trouble:  # nothing was committed, or all of it: asked again, it will show
            return [Answer(row.n, Outcome.DEFERRED, row.id, LATER, str(trouble)) for row in rows]

    def _one(self, c: sa.Connection, source: Source, row: Row, there: RowMapping | None, seen: Exchange) -> Answer:
        if there is not None:
            keyed = source.keyed(str(row.id))
            assert keyed is not None
            c.execute(sa.delete(_table(source)).where(keyed))
        return Answer(row.n, Outcome.WRITTEN, row.id, exchange=seen)


def _in_one_transaction(
    client: Client, stream: str, said: DatabaseStream, rows: Sequence[Row], one: Any, verb: str = "UPDATE"
) -> list[Answer]:
    source = client.source(stream, said)
    seen = client.exchange(source, verb)
    try:
        return _carried_out(client, source, said, rows, one, seen, careful=False)
    except _Spoilt:
        return _carried_out(client, source, said, rows, one, seen, careful=True)


def _carried_out(
    client: Client, source: Source, said: DatabaseStream, rows: Sequence[Row], one: Any, seen: Exchange, careful: bool
) -> list[Answer]:
    """careful: with a savepoint for each row, so that a refused one takes none along."""
    answers: list[Answer] = []
    with client.connected() as c, c.begin():
        present = _present(c, source, said, [str(row.id) for row in rows if row.id is not None])
        for row in rows:
            there = present.get(str(row.id))
            try:
                if careful:
                    with c.begin_nested():
                        answers.append(one(c, source, row, there, seen))
                else:
                    answers.append(one(c, source, row, there, seen))
            except ValueError as unfit:
                answers.append(Answer(row.n, Outcome.REFUSED, row.id, "does_not_fit", str(unfit), seen))
            except REFUSALS as no:
                if not _is_the_rows(no):
                    raise
                if not careful:
                    raise _Spoilt from None
                answers.append(_refused(row, no, source, seen))
    return answers


def _is_the_rows(error: Exception) -> bool:
    return isinstance(error, (sa.exc.IntegrityError, sa.exc.DataError)) or not isinstance(error, sa.exc.DBAPIError)


def _refused(row: Row, error: Exception, source: Source, seen: Exchange) -> Answer:
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None) or type(error).__name__
    names = [source.name, *(column.name for column in source.selectable.c)]
    values = [*_changes(source, row).values(), *row.before.values(), *row.fields.values(), row.id]
    return Answer(row.n, Outcome.REFUSED, row.id, str(code), words(error, values, names), seen)


def _present(c: sa.Connection, source: Source, said: DatabaseStream, ids: Sequence[str]) -> dict[str, RowMapping]:
    """The rows as they are now, locked where the database can."""
    if not ids:
        return {}
    query = sa.select(source.selectable).where(source.any_of(ids))
    if c.dialect.name != "sqlite":
        query = query.with_for_update()
    rows = c.execute(query).mappings().all()
    return {str(key_of([faithful(row[name], source.zone) for name in said.key])): row for row in rows}


def _changes(source: Source, row: Row) -> dict[str, Any]:
    """Column → new value, as the column wants it. ValueError: it does not fit."""
    found: dict[str, Any] = {}
    for name, value in row.body.items():
        column = source.column(name)
        if isinstance(value, Mapping):  # a value within a JSON column
            found[name] = _merged((row.raw or {}).get(name) or {}, value)
        else:
            found[name] = fitted(column, value, source.zone)
    return found


def _merged(present: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(present)
    for name, value in changes.items():
        merged[name] = _merged(merged.get(name) or {}, value) if isinstance(value, Mapping) else value
    return merged


def _still(column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    """That nobody has changed the column since it was read, a moment ago. JSON has no equality everywhere."""
    return sa.true() if isinstance(column.type, sa.JSON) else column.is_not_distinct_from(value)


def _counted(there: RowMapping, version: str | None) -> dict[str, Any]:
    """A version that is a number is ours to count up; of others the database takes care."""
    value = there[version] if version else None
    return {version: value + 1} if version and isinstance(value, int) else {}


def now_like(before: Any, column: sa.ColumnElement[Any], zone: tzinfo) -> Any:
    """Now, as the column has its times; None where it is not known how.

    >>> now_like("2026-11-21T08:00:00Z", sa.column("at", sa.Text), UTC)[10::9]
    'TZ'
    """
    now = datetime.now(UTC)
    if isinstance(column.type, sa.DateTime):
        return now if column.type.timezone else now.astimezone(zone).replace(tzinfo=None)
    if isinstance(before, date) and not isinstance(before, datetime):
        return now.astimezone(zone).date()
    if not isinstance(before, str):
        return None
    try:
        shape = datetime.fromisoformat(before)
    except ValueError:
        return None
    if len(before) == 10:
        return now.astimezone(zone).date().isoformat()
    local = now if shape.tzinfo else now.astimezone(zone).replace(tzinfo=None)
    text = local.isoformat(before[10], "microseconds" if "." in before else "seconds")
    return text.replace("+00:00", "Z") if before.endswith("Z") else text


def _table(source: Source) -> sa.Table:
    if not isinstance(source.selectable, sa.Table):
        raise ConfigError(f"{source.name}: a query can't be written to")
    return source.selectable

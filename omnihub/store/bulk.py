"""Many rows at driver speed. SQLAlchemy names the tables; the rows go past it, straight to the driver.

In: `executemany` on SQLite, COPY on PostgreSQL (through a temporary table where rows replace others).
Out: Arrow tables of text, whole numbers and bytes, ready for DuckDB.
"""

from __future__ import annotations

import gc
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa

CHUNK = 50_000  # rows held at once on the way out
LIST = 500  # values in one IN (…): every SQLite takes 999

TAKEN = (sqlite3.IntegrityError, psycopg.errors.UniqueViolation)  # what the drivers raise for a key that is there

Rows = Sequence[tuple[Any, ...]]


class _Undisturbed:
    """While many objects are made that all stay: without the garbage collector, which would look for some among them.

    That is a tenth of landing and a fifth of refining. For bounded work, by any number of threads at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._was_on = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._was_on = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *trouble: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was_on:
                gc.enable()


undisturbed = _Undisturbed()


def append(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Rows) -> None:
    """Add rows that are new for sure."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table.name, columns, rows)
        return
    marks = ", ".join("?" * len(columns))
    _many(connection, f"INSERT INTO {table.name} ({_names(columns)}) VALUES ({marks})", rows)


def added(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Rows) -> bool:
    """Add rows if none of their keys is taken. Where one is: False, and the savepoint around this has to go back."""
    try:
        append(connection, table, columns, rows)
    except TAKEN:
        return False
    return True


def upsert(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Rows) -> None:
    """Add rows, replacing those with the same primary key. A key may stand in `rows` once."""
    if not rows:
        return
    key = [c.name for c in table.primary_key]
    changed = [c for c in columns if c not in key]
    then = (
        f"DO UPDATE SET {', '.join(f'{_name(c)} = excluded.{_name(c)}' for c in changed)}" if changed else "DO NOTHING"
    )
    on = f"ON CONFLICT ({_names(key)}) {then}"
    if connection.dialect.name == "postgresql":
        temporary = f"incoming_{table.name}"
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE IF NOT EXISTS {temporary} (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
        )
        connection.exec_driver_sql(f"TRUNCATE {temporary}")
        _copy(connection, temporary, columns, rows)
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({_names(columns)}) SELECT {_names(columns)} FROM {temporary} {on}"
        )
        return
    marks = ", ".join("?" * len(columns))
    _many(connection, f"INSERT INTO {table.name} ({_names(columns)}) VALUES ({marks}) {on}", rows)


def delete(connection: sa.Connection, column: sa.Column[Any], values: Iterable[Any]) -> None:
    """Take out the rows whose `column` is one of `values`."""
    for some in chunks(list(values), LIST):
        connection.execute(sa.delete(column.table).where(column.in_(some)))


def chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The values in pieces of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def where_in(
    connection: sa.Connection, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Iterable[Any]
) -> list[Any]:
    """The rows of `query` whose `column` is one of `values` (texts or whole numbers), any number of them."""
    these = among(connection, column, values)
    return [] if these is None else list(connection.execute(query.where(these)).all())


def among(
    connection: sa.Connection, column: sa.ColumnElement[Any], values: Iterable[Any]
) -> sa.ColumnElement[bool] | None:
    """Whether `column` is one of `values`; None where there are none.

    They go over as one parameter, so that the statement is the same, and cheap, however many they are.
    """
    wanted = list(dict.fromkeys(values))
    if not wanted:
        return None
    if connection.dialect.name == "postgresql":
        kind = sa.Text if isinstance(wanted[0], str) else sa.BigInteger
        return column == sa.func.any(sa.bindparam("wanted", wanted, type_=sa.ARRAY(kind)))
    listed = json.dumps(wanted, ensure_ascii=False)
    each = sa.func.json_each(sa.bindparam("wanted", listed, type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(each.c.value))


def arrow_type(column: Any) -> pa.DataType:
    """The Arrow type a column of the store comes out as."""
    kind = column.type
    if isinstance(kind, sa.LargeBinary):
        return pa.binary()
    if isinstance(kind, sa.Boolean):
        return pa.bool_()
    if isinstance(kind, sa.Integer):
        return pa.int64()
    return pa.float64() if isinstance(kind, sa.Float) else pa.string()


def batches(connection: sa.Connection, query: sa.Select[Any], size: int = CHUNK) -> Iterator[pa.Table]:
    """The rows of a query as Arrow tables of at most `size` rows."""
    schema = pa.schema([(c.name, arrow_type(c)) for c in query.selected_columns])
    if connection.dialect.name == "sqlite":  # its rows as the driver has them: to give each a name costs more than it
        found = connection.execute(query)
        fetch = found.cursor.fetchmany
    else:
        found = connection.execute(query, execution_options={"stream_results": True, "max_row_buffer": size})
        fetch = found.fetchmany
    with closing(found):
        while rows := fetch(size):
            yield _table(rows, schema)


def table(connection: sa.Connection, query: sa.Select[Any]) -> pa.Table:
    """The rows of a query as one Arrow table."""
    schema = pa.schema([(c.name, arrow_type(c)) for c in query.selected_columns])
    found = list(batches(connection, query))
    return pa.concat_tables(found) if found else schema.empty_table()


def table_in(
    connection: sa.Connection, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Iterable[Any]
) -> pa.Table:
    """As `table`, of the rows whose `column` is one of `values`."""
    schema = pa.schema([(c.name, arrow_type(c)) for c in query.selected_columns])
    these = among(connection, column, values)
    return schema.empty_table() if these is None else table(connection, query.where(these))


def _table(rows: Sequence[Any], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = []
    for values, kind in zip(columns, schema, strict=True):
        if pa.types.is_boolean(kind.type):
            values = tuple(None if v is None else bool(v) for v in values)
        arrays.append(pa.array(values, kind.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _many(connection: sa.Connection, statement: str, rows: Rows) -> None:
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.cursor().executemany(statement, rows)


def _copy(connection: sa.Connection, name: str, columns: Sequence[str], rows: Rows) -> None:
    raw: Any = connection.connection.dbapi_connection
    with raw.cursor() as cursor, cursor.copy(f"COPY {name} ({_names(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _names(columns: Iterable[str]) -> str:
    return ", ".join(_name(c) for c in columns)


def _name(column: str) -> str:
    return f'"{column}"'

"""What of a database a stream reads: its columns, its key, and how its values become text and back."""

from __future__ import annotations

import json
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.database.declaration import DatabaseStream
from omnihub.errors import BrokenAnswer, ConfigError, RetryableError
from omnihub.sdk import Exchange
from omnihub.sdk.declared import meant
from omnihub.sdk.rows import parts_of

Row = sa.RowMapping


@dataclass(frozen=True)
class Source:
    """A table, or a query as if it were one. steady: its key is unique, so that it can be read in pieces by it."""

    name: str
    selectable: sa.FromClause
    key: tuple[sa.ColumnElement[Any], ...]
    updated: sa.ColumnElement[Any] | None
    steady: bool
    zone: tzinfo

    def column(self, name: str) -> sa.ColumnElement[Any]:
        """The column of that name."""
        return self.selectable.c[name]

    def keyed(self, key: str) -> sa.ColumnElement[bool] | None:
        """The row with this key; None where nothing can have it."""
        parts = parts_of(key, len(self.key))
        if len(parts) != len(self.key):
            return None
        try:
            pairs = [column == fitted(column, part, self.zone) for column, part in zip(self.key, parts, strict=True)]
        except ValueError:
            return None
        return sa.and_(*pairs)

    def any_of(self, keys: Sequence[str]) -> sa.ColumnElement[bool]:
        """The rows with these keys."""
        return sa.or_(sa.false(), *(one for key in keys if (one := self.keyed(key)) is not None))


@dataclass(frozen=True)
class Client:
    """A database, and what is known of its tables.

    findings_table: where the hub's findings go, if anywhere; telling: the connection they are written over.
    """

    system: str
    engine: sa.Engine
    url: str
    findings_table: str = ""
    telling: Client | None = None
    _sources: dict[str, Source] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def source(self, stream: str, said: DatabaseStream) -> Source:
        """What the stream reads, looked up once. ConfigError names a table or column that is not there."""
        with self._lock:
            if stream not in self._sources:
                with self.connected() as c:
                    self._sources[stream] = _source(c, f"{self.system}/{stream}", said)
            return self._sources[stream]

    @contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """A connection; what goes wrong there in our words, without values."""
        try:
            with self.engine.connect() as c:
                yield c
        except sa.exc.OperationalError as error:
            raise RetryableError(f"{self.system}: the database could not: {words(error)}; run again later") from None
        except (sa.exc.ProgrammingError, sa.exc.NotSupportedError) as error:
            raise ConfigError(f"{self.system}: the database refuses to be asked so: {words(error)}") from None
        except (sa.exc.DBAPIError, sa.exc.SQLAlchemyError) as error:
            raise BrokenAnswer(f"{self.system}: {words(error)}") from None

    def exchange(self, source: Source, verb: str = "SELECT") -> Exchange:
        """What to remember of a statement."""
        return Exchange(verb, f"{self.url}#{source.name}", 200, datetime.now(UTC))


def opened(system: str, url: str, folder: Path, read_only: bool) -> Client:
    """The database at a url, not yet connected to. ConfigError: no such url, driver or file."""
    try:
        where = sa.make_url(url)
        if where.get_backend_name() == "sqlite" and where.database and where.database != ":memory:":
            where = where.set(database=str(folder / where.database))
            if not Path(str(where.database)).is_file():  # else it would be made, empty
                raise ConfigError(f"{system}: there is no file {where.database}; check the url of this system")
        # a connection lives as long as a step needs it: nobody closes a client
        engine = sa.create_engine(where, poolclass=sa.NullPool)
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise ConfigError(f"{system}: the driver of this database is not installed ({error})") from None
    except sa.exc.ArgumentError:
        raise ConfigError(f"{system}: its url is none; write postgresql+psycopg://user:password@host/erp") from None
    if read_only:
        _forbid_writing(engine)
    shown = where.set(username=None, password=None, query={})
    return Client(system, engine, shown.render_as_string())


def _forbid_writing(engine: sa.Engine) -> None:
    """What is only read cannot be written by mistake: the connection itself refuses."""
    say = {"sqlite": "PRAGMA query_only = 1", "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"}
    statement = say.get(engine.dialect.name)

    def on_connect(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        connection.commit()

    if statement:
        sa.event.listen(engine, "connect", on_connect)


# -- tables and queries ----------------------------------------------------------------------------------------------


def _source(c: sa.Connection, where: str, said: DatabaseStream) -> Source:
    selectable, steady = _query(c, where, said) if said.query else _table(c, where, said)
    columns = list(selectable.c.keys())
    for name in said.needed:
        if name not in columns:
            what = f"table {said.table}" if said.table else "the query"
            raise ConfigError(f"{where}: {what} has no column {name}; {meant(name, columns)}")
    return Source(
        name=said.table or "query",
        selectable=selectable,
        key=tuple(selectable.c[name] for name in said.key),
        updated=selectable.c[said.updated] if said.updated else None,
        steady=steady,
        zone=ZoneInfo(said.zone),
    )


def _table(c: sa.Connection, where: str, said: DatabaseStream) -> tuple[sa.FromClause, bool]:
    assert said.table
    schema, name = said.schema_, said.table
    if not schema and "." in name:
        schema, _, name = name.partition(".")
    found = unchecked(c, where, name, schema)
    nullable = {column.name for column in found.c if column.nullable}
    return found, _unique(sa.inspect(c), found.name, schema, said.key, nullable)


def unchecked(c: sa.Connection, where: str, name: str, schema: str | None = None) -> sa.Table:
    """The table of that name with its columns. ConfigError: there is none."""
    there, name = sa.inspect(c), sa.quoted_name(name, quote=None)
    try:
        with _unknown_types_are_fine():
            found = there.get_columns(name, schema)
    except sa.exc.NoSuchTableError:
        known = [*there.get_table_names(schema), *there.get_view_names(schema)]
        written = f"{schema}.{name}" if schema else name
        raise ConfigError(f"{where}: there is no table {written}; {meant(name, known)}") from None
    as_is = c.dialect.name == "sqlite"
    kinds = [_stored_as_is(one["type"]) if as_is else one["type"] for one in found]
    columns = [sa.Column(x["name"], kind, nullable=x["nullable"]) for x, kind in zip(found, kinds, strict=True)]
    return sa.Table(name, sa.MetaData(), *columns, schema=schema)


def _unique(there: sa.Inspector, table: str, schema: str | None, key: Sequence[str], nullable: set[str]) -> bool:
    """Whether the database itself sees to it that no two rows have the same key, and none has half of one."""
    wanted = set(key)
    if set(there.get_pk_constraint(table, schema)["constrained_columns"]) == wanted:
        return True
    if wanted & nullable:
        return False
    constraints = [set(one["column_names"]) for one in there.get_unique_constraints(table, schema)]
    indexes = [set(one["column_names"]) for one in there.get_indexes(table, schema) if one["unique"]]
    return wanted in constraints or wanted in indexes


def _query(c: sa.Connection, where: str, said: DatabaseStream) -> tuple[sa.FromClause, bool]:
    assert said.query
    text = said.query.strip().rstrip(";").replace(":", r"\:")  # a colon is no parameter here
    names = list(c.execute(sa.text(f"SELECT * FROM ({text}) AS q WHERE 1 = 0")).keys())
    return sa.text(text).columns(*(sa.column(name) for name in names)).subquery("q"), False


@contextmanager
def _unknown_types_are_fine() -> Iterator[None]:
    """A column of a type nobody knows is read as the driver gives it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        yield


class Figure(sa.types.UserDefinedType[Any]):
    """A number as SQLite has it: whole, a float, or exact as text; it makes of it what the column holds."""

    cache_ok = True


class Flag(Figure):
    """Yes or no, which SQLite keeps as 1 and 0."""


def _stored_as_is(kind: Any) -> Any:
    """SQLite has texts, numbers and bytes; what a column calls them must not bend them when they are read."""
    if isinstance(kind, sa.Boolean):
        return Flag()
    if isinstance(kind, sa.Numeric):
        return Figure()
    return sa.types.NullType() if isinstance(kind, (sa.Date, sa.DateTime, sa.Time)) else kind


# -- values ----------------------------------------------------------------------------------------------------------


def fitted(column: sa.ColumnElement[Any], value: Any, zone: tzinfo) -> Any:
    """A value as its column wants it. ValueError: it does not fit."""
    if value is None:
        return None
    kind = column.type
    try:
        match kind:
            case sa.Boolean():
                return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
            case Flag():
                return {"true": 1, "false": 0, "1": 1, "0": 0}[str(value).lower()]
            case Figure():
                return str(Decimal(str(value)))
            case sa.Integer():
                return int(str(value))
            case sa.Float():
                return float(str(value))
            case sa.Numeric():
                return Decimal(str(value))
            case sa.DateTime():
                moment = datetime.fromisoformat(str(value))
                aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
                return aware if kind.timezone else aware.astimezone(zone).replace(tzinfo=None)
            case sa.Date():
                return date.fromisoformat(str(value)[:10])
            case sa.Time():
                return time.fromisoformat(str(value))
            case sa.Uuid():
                return UUID(str(value)) if kind.as_uuid else str(value)
            case sa.String():
                return str(value)
    except (ValueError, KeyError, ArithmeticError) as error:
        raise ValueError(f"does not fit the column {column.name}") from error
    return value


def cursor_of(value: Any) -> str:
    """How far a stream is read, with the kind of the value."""
    kind = next(name for name, one in _KINDS.items() if isinstance(value, one))
    text = value.isoformat() if isinstance(value, (datetime, date)) else str(value)
    return json.dumps([kind, bytes(value).hex() if kind == "bytes" else text])


def value_of(cursor: str) -> Any:
    """The value back, for asking the database."""
    kind, text = json.loads(cursor)
    match kind:
        case "datetime":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
        case "bytes":
            return bytes.fromhex(text)
    return _KINDS[kind](text)


_KINDS: dict[str, Any] = {
    "datetime": datetime, "date": date, "int": int, "float": float, "decimal": Decimal, "bytes": bytes, "text": str,
}  # fmt: skip


# -- what the database says ------------------------------------------------------------------------------------------


def words(error: Exception, values: Sequence[Any] = (), names: Sequence[str] = ()) -> str:
    """What the database said, without any value: they may be somebody's. names: what may stay in quotes."""
    original = getattr(error, "orig", None) or error
    told = getattr(original, "diag", None)
    text = str(getattr(told, "message_primary", None) or original).strip().splitlines()[0][:300]
    constraint = getattr(told, "constraint_name", None)
    kept = {*names, constraint}
    for value in sorted({str(v) for v in values if v not in (None, "")}, key=len, reverse=True):
        text = text.replace(value, "…")
    text = re.sub(r"(['\"])(.*?)\1", lambda m: m[0] if m[2] in kept else "“…”", text)
    return text if not constraint or constraint in text else f"{text} ({constraint})"

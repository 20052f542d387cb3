"""Open the hub's store: bring its schema up to date, hand out connections, transactions and sequence numbers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy.engine import make_url

from omnihub.errors import ConfigError
from omnihub.store.budget import Ledger
from omnihub.store.schema import counter, watermarks
from omnihub.store.wal import BUSY_S, write_ahead

SAMPLE = 400  # rows of each index that are looked at


def now_iso() -> str:
    """This moment, ISO UTC to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def engine_for(url: str) -> sa.Engine:
    """An engine with the settings the hub relies on."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_S, "check_same_thread": False})
        sa.event.listen(engine, "connect", _sqlite_manners)
        sa.event.listen(engine, "begin", _sqlite_begin)
        return engine
    if parsed.get_backend_name() == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(parsed, pool_pre_ping=True)
    raise ConfigError(
        f"store: {parsed.get_backend_name()} is not supported; write sqlite:///path/hub.db or postgresql+psycopg://…"
    )


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _sqlite_manners(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: IMMEDIATE, so that two writers queue instead of failing
    write_ahead(connection)
    for pragma in ("synchronous = NORMAL", "temp_store = MEMORY", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def migrate(engine: sa.Engine) -> None:
    """Bring the schema up to date. Safe to call by several processes at once."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(resources.files("omnihub.store") / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(727001)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class Store:
    """The hub's memory. Cheap to pass around; one per process and database."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        self._writing = threading.Lock()
        self.ledger = Ledger(engine)

    @classmethod
    def open(cls, url: str) -> Store:
        """Connect and migrate. ConfigError names a URL that can't be used or a database that can't be reached."""
        try:
            engine = engine_for(url)
        except sa.exc.ArgumentError as error:  # the text of what can't be read may hold a password
            raise ConfigError(
                "store: this is no database URL; write sqlite:///path/hub.db or postgresql+psycopg://…"
            ) from error
        except OSError as error:
            raise ConfigError(f"store: can't make the folder of {_shown(url)}: {error.strerror}") from error
        try:
            migrate(engine)
        except sa.exc.DatabaseError as error:
            engine.dispose()
            raise ConfigError(f"store: can't open {_shown(url)}: {str(error.orig).splitlines()[0]}") from error
        return cls(engine)

    def close(self) -> None:
        """Let go of all connections."""
        self.ledger.close()
        self.engine.dispose()

    def count_roughly(self) -> None:
        """Let SQLite see how rows are spread; a sample takes milliseconds. PostgreSQL does so by itself.

        Without, it takes `entity = …` for rarer than a list of refs, and goes through a whole entity to find a few.
        """
        if self.sqlite:
            with self.write() as connection:
                connection.exec_driver_sql(f"PRAGMA analysis_limit = {SAMPLE}")
                connection.exec_driver_sql("ANALYZE")

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes. Threads of one process take turns here instead of in the database."""
        with (
            self._writing,
            self.engine.connect() as connection,
            _not_again_if_broken(connection),  # after the rollback
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading; sees one state of the database throughout."""
        level = {} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with (
            self.engine.connect().execution_options(reading=True, **level) as connection,
            _not_again_if_broken(connection),
        ):
            yield connection


@contextmanager
def _not_again_if_broken(connection: sa.Connection) -> Iterator[None]:
    """A cursor left open by an error holds on to its snapshot: whoever got this connection next could not write."""
    try:
        yield
    except BaseException:
        connection.invalidate()
        raise


# Put together once: several times a page, building the statement anew costs more than carrying it out.
_TAKE = (
    sa.update(counter)
    .where(counter.c.name == "seq")
    .values(value=counter.c.value + sa.bindparam("taken", type_=sa.BigInteger))
    .returning(counter.c.value)
)


def take(connection: sa.Connection, count: int) -> int:
    """Reserve `count` sequence numbers; returns the first. Holds the counter until this transaction ends."""
    last = connection.execute(_TAKE, {"taken": count}).scalar_one()
    return int(last) - count + 1


def latest(connection: sa.Connection) -> int:
    """The last sequence number given out."""
    return int(connection.execute(sa.select(counter.c.value).where(counter.c.name == "seq")).scalar_one())


def watermark(connection: sa.Connection, step: str, scope: str = "") -> int:
    """How far a step has got."""
    found = connection.execute(
        sa.select(watermarks.c.seq).where(watermarks.c.step == step, watermarks.c.scope == scope)
    ).scalar()
    return int(found or 0)


def advance(connection: sa.Connection, step: str, seq: int, scope: str = "") -> None:
    """Remember how far a step has got, in the transaction that holds its output."""
    changed = connection.execute(
        sa.update(watermarks).where(watermarks.c.step == step, watermarks.c.scope == scope).values(seq=seq)
    )
    if not changed.rowcount:
        connection.execute(sa.insert(watermarks).values(step=step, scope=scope, seq=seq))

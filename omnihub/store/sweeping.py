"""Sweep: what was deleted is gone from the files too, not only from the tables.

A database keeps what was deleted for a while: in free pages, in its log, in the samples it takes of columns. SQLite is
rewritten whole and its log emptied; PostgreSQL rewrites the tables and counts anew. What PostgreSQL has shipped
elsewhere (archived log, replicas, backups) is for whoever keeps that.
"""

from __future__ import annotations

import logging

import sqlalchemy as sa

from omnihub.store import schema
from omnihub.store.open import Store

log = logging.getLogger("omnihub.store")


def overwrite(c: sa.Connection) -> None:
    """From here on this transaction overwrites what it deletes, where the database would leave it lying."""
    if c.dialect.name == "sqlite":
        c.exec_driver_sql("PRAGMA secure_delete = ON")


def sweep(store: Store) -> bool:
    """Give the space of deleted rows back, and what stood in it away. False: somebody else is at work; try again."""
    store.count_roughly()
    try:
        return _sweep_sqlite(store) if store.sqlite else _sweep_postgresql(store)
    except sa.exc.DBAPIError as error:
        log.info("the store could not be swept yet: %s", type(error.orig).__name__)
        return False


def _sweep_sqlite(store: Store) -> bool:
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.commit()  # no statement below runs within a transaction
        raw = c.connection.dbapi_connection
        assert raw is not None
        cursor = raw.cursor()
        if raw.in_transaction:
            cursor.execute("ROLLBACK")
        cursor.execute("VACUUM")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.close()
        return not busy


def _sweep_postgresql(store: Store) -> bool:
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        for table in schema.metadata.sorted_tables:
            c.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table.name}")
    return True

"""SQLite's write-ahead log: readers and one writer at once, in one file that several processes open."""

from __future__ import annotations

import sqlite3
import time

BUSY_S = 60  # how long a SQLite writer waits for another process
AGAIN_S = 0.01


def write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to its write-ahead log, where another process is at the same moment doing so too.

    For every other lock SQLite waits as long as the connection says; for this one it refuses at once.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_S)
        else:
            return

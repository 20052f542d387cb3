"""Opening the store: an empty database gets the hub's tables, whoever comes first, and a bad address is explained."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from omnihub.errors import ConfigError
from omnihub.store import Store, metadata, migrate
from omnihub.store.open import engine_for, latest, take
from omnihub.store.wal import write_ahead

OPEN_AND_TAKE = """
import sys
from omnihub.store import Store
from omnihub.store.open import take
print("ready", flush=True)
sys.stdin.readline()
store = Store.open(sys.argv[1])
with store.write() as c:
    print(take(c, 1))
"""


@pytest.fixture
def engine(store_url: str) -> sa.Engine:
    return engine_for(store_url)


def test_an_empty_database_gets_every_table_of_the_schema(store_url: str) -> None:
    store = Store.open(store_url)
    found = set(sa.inspect(store.engine).get_table_names())
    store.close()
    assert found == set(metadata.tables) | {"alembic_version"}


def test_the_migrations_make_exactly_the_schema_the_code_speaks_of(store_url: str) -> None:
    store = Store.open(store_url)
    with store.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    store.close()
    assert differences == []


def test_opening_again_keeps_what_is_there(store_url: str) -> None:
    store = Store.open(store_url)
    with store.write() as c:
        given = take(c, 7)
    store.close()
    again = Store.open(store_url)
    with again.read() as c:
        assert latest(c) == given + 6
    again.close()


def test_processes_that_open_an_empty_database_at_once_all_get_it(store_url: str) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AND_TAKE, store_url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], told
    assert sorted(int(out) for out, _ in told) == [1, 2]


def test_processes_that_switch_a_new_file_to_its_log_at_once_all_succeed(tmp_path: Path) -> None:
    """One pair of processes meets at the critical moment in a hundred; here they meet at each of two hundred files."""
    together = multiprocessing.get_context("spawn")
    start, refused = together.Barrier(3), together.Queue()
    racers = [together.Process(target=_switch, args=(start, refused, tmp_path)) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0, 0, 0]
    assert refused.empty(), refused.get()


def _switch(start: Barrier, refused: Any, folder: Path) -> None:
    for n in range(200):
        start.wait(60)
        connection = sqlite3.connect(folder / f"{n}.db", isolation_level=None)
        try:
            write_ahead(connection)
        except sqlite3.OperationalError as error:
            refused.put(f"{n}: {error}")
        connection.close()


def test_a_migration_that_breaks_off_leaves_nothing_behind(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as c:
        c.execute(sa.text("CREATE TABLE watermarks (mine INTEGER)"))  # what the first migration trips over
    with pytest.raises(sa.exc.DBAPIError):
        migrate(engine)
    assert set(sa.inspect(engine).get_table_names()) <= {"watermarks"}
    with engine.begin() as c:
        c.execute(sa.text("DROP TABLE watermarks"))
    migrate(engine)
    assert set(metadata.tables) <= set(sa.inspect(engine).get_table_names())
    engine.dispose()


@pytest.mark.parametrize("url", ["nonsense", "mysql://localhost/hub", "sqlite:////proc/nowhere/hub.db"])
def test_an_address_that_cannot_be_used_is_explained(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^store: "):
        Store.open(url)


def test_a_server_that_is_not_there_is_explained_without_the_password() -> None:
    with pytest.raises(ConfigError) as refused:
        Store.open("postgresql+psycopg://hub:s3cret@127.0.0.1:1/hub")
    assert "127.0.0.1" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_text("this is a letter to the editor, not a database " * 50)
    with pytest.raises(ConfigError, match=r"^store: .*hub\.db"):
        Store.open(f"sqlite:///{tmp_path / 'hub.db'}")

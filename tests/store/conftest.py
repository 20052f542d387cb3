"""A store of each kind, made once for the tests that only need it empty."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from omnihub.store import Store, metadata, schema

_numbers = itertools.count(1)


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/hub.db"
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_url")
        with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as admin:
            name = f"kept_{next(_numbers)}"  # whatever ran in between may have had this made once before
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        url = f"{server.rpartition('/')[0]}/{name}"
    found = Store.open(url)
    yield found
    found.close()


@pytest.fixture
def store(opened: Store) -> Store:
    """Nothing in it."""
    with opened.write() as c:
        for table in metadata.sorted_tables:
            if table is not schema.counter:
                c.execute(sa.delete(table))
        c.execute(sa.update(schema.counter).values(value=0))
    return opened


@pytest.fixture
def its_url(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)

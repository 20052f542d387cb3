"""A step that breaks off in the middle of reading leaves nothing behind that stands in the way of the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa

from omnihub.store import Store, schema
from omnihub.store.open import take


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with closing(Store.open(store_url)) as store:
        yield store


@pytest.mark.parametrize("how", ["read", "write"])
def test_a_reader_that_broke_off_does_not_lock_the_next_writer_out(store: Store, how: str) -> None:
    with store.write() as c:
        c.execute(sa.insert(schema.facts), [{"key": str(n), "value": ""} for n in range(1000)])
    kept = []

    def break_off() -> None:
        with getattr(store, how)() as c:
            kept.append(c.execute(sa.select(schema.facts)))  # as a traceback keeps it
            kept[0].fetchone()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    with closing(Store.open(store.engine.url.render_as_string(hide_password=False))) as other, other.write() as c:
        take(c, 1)
    with store.write() as c:
        take(c, 1)

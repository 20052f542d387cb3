"""A store of an earlier version is brought up to date with what is in it."""

from __future__ import annotations

import json
from importlib import resources

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from omnihub.store import Store, schema
from omnihub.store.open import engine_for

FILLED = [
    ("crm/people/1", False, {"email": "a@example.org", "phone": "+1"}),
    ("crm/people/2", False, {"email": None, "phone": "+2"}),
    ("crm/people/3", True, {"email": "c@example.org"}),
    ("crm/people/4", False, {}),
]
REFINED = sa.text(
    "INSERT INTO refined (ref, entity, system, stream, seq, raw_seq, pointer, deleted, fields, times, echoes, problems)"
    " VALUES (:ref, 'contact', 'crm', 'people', 1, 1, '', :deleted, :fields, '{}', '[]', '{}')"
)


def at_revision(url: str, revision: str) -> sa.Engine:
    engine = engine_for(url)
    config = Config()
    config.set_main_option("script_location", str(resources.files("omnihub.store") / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def test_what_the_sources_hold_is_counted_once_for_records_that_were_there_before(store_url: str) -> None:
    engine = at_revision(store_url, "0007")
    with engine.begin() as c:
        rows = [{"ref": ref, "deleted": deleted, "fields": json.dumps(told)} for ref, deleted, told in FILLED]
        c.execute(REFINED, rows)
    engine.dispose()
    store = Store.open(store_url)
    s = schema.sources
    with store.read() as c:
        found = {(r.system, r.stream, r.field): (r.now, r.fine) for r in c.execute(sa.select(s))}
    store.close()
    counted = {"": 3, "email": 1, "phone": 2}
    assert found == {("crm", "people", field): (now, None) for field, now in counted.items()}

"""A database: the hub's findings in the table that is named for them, over a connection of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import connectors
from connectors.database.notices import SETTLED, place
from connectors.database.tables import Client
from omnihub.config import load
from omnihub.errors import ConfigError, OmniHubError
from omnihub.model import Outcome
from omnihub.sdk import open_client
from omnihub.sdk.reporting import Notice, Standing

KEY, OTHER = "omnihub-1", "omnihub-2"
PETRA = "Petra Vogt"
metadata = sa.MetaData()
orders = sa.Table("orders", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("number", sa.String(20)))
findings = sa.Table(
    "hub_findings",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("title", sa.String(200), sa.CheckConstraint("title <> 'forbidden'", name="title_is_fine")),
    sa.Column("text", sa.Text),
    sa.Column("severity", sa.String(10)),
    sa.Column("status", sa.String(10)),
    sa.Column("record", sa.String(100)),
    sa.Column("closed_by", sa.String(50)),
    sa.Column("changed_at", sa.DateTime(timezone=True)),
)
_numbers = itertools.count(1)
assert place.read


class Erp:
    """A database with orders that are only read, and a table for findings."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        metadata.create_all(self.engine)

    def client(self, table: str = "findings_table: hub_findings") -> Client:
        path = self.folder / "omnihub.yaml"
        stream = "{table: orders, key: id, entity: order, map: {number: number}}"
        own = f"    {table}\n" if table else ""
        path.write_text(f"systems:\n  erp:\n    connector: database\n{own}    streams:\n      orders: {stream}\n")
        given = {"OMNIHUB_ERP_URL": self.url}
        config = load(path, connectors={}, templates=connectors.templates(), environ=given)
        [connector] = config.enabled({}).values()
        assert connector.place is place
        found: Client = open_client(connector, config.settings_for(connector))
        return found

    def rows(self) -> list[Any]:
        with self.engine.connect() as c:
            return list(c.execute(sa.select(findings).order_by(findings.c.key)))

    def run(self, statement: Any) -> None:
        with self.engine.begin() as c:
            c.execute(statement)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def erp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Erp]:
    if request.param == "sqlite":
        yield Erp(f"sqlite:///{tmp_path / 'erp.db'}", tmp_path)
        return
    server: str = request.getfixturevalue("postgres_url")
    schema = f"told_{next(_numbers)}_{os.getpid()}"
    admin = sa.create_engine(server, poolclass=sa.NullPool)
    with admin.begin() as c:
        c.execute(sa.text(f"CREATE SCHEMA {schema}"))
    yield Erp(f"{server}?options=-csearch_path%3D{schema}", tmp_path)
    with admin.begin() as c:
        c.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))


def notice(title: str, key: str = KEY) -> Notice:
    return Notice(key, "1", "orders", title, f"- {title}", "high", {"kind": "order_state_differs"})


def told(client: Client, *some: Notice) -> list[Outcome]:
    return [answer.outcome for answer in place.put(client, [(one, None) for one in some])]


def test_a_finding_is_one_row_changed_in_place(erp: Erp) -> None:
    client = erp.client()
    for title in ("Erst", "Dann"):
        assert told(client, notice(title)) == [Outcome.WRITTEN]
    [row] = erp.rows()
    assert (row.key, row.title, row.text, row.status, row.record) == (KEY, "Dann", "- Dann", "open", "orders/1")


def test_one_the_database_refuses_takes_no_other_along(erp: Erp) -> None:
    assert told(erp.client(), notice("forbidden"), notice("x", OTHER)) == [Outcome.REFUSED, Outcome.WRITTEN]
    assert [row.key for row in erp.rows()] == [OTHER]


def test_who_closed_one_is_read_and_what_comes_back_is_open_again(erp: Erp) -> None:
    client = erp.client()
    assert place.read
    told(client, notice("x"))
    assert [seen.state for seen in place.read(client, [(KEY, KEY)])] == [Standing.OPEN]
    erp.run(sa.update(findings).values(status="Closed", closed_by=PETRA))
    [seen] = place.read(client, [(KEY, None)])
    assert (seen.state, seen.by) == (Standing.CLOSED, PETRA)
    assert seen.at
    told(client, notice("x"))
    [row] = erp.rows()
    assert (row.status, row.closed_by) == ("open", None)


def test_what_is_put_right_is_resolved_and_what_was_told_by_mistake_is_gone(erp: Erp) -> None:
    client = erp.client()
    told(client, notice("x"), notice("y", OTHER))
    for _ in range(2):
        assert [answer.outcome for answer in place.clear(client, [(KEY, None)])] == [Outcome.WRITTEN]
    assert [(row.status, row.text) for row in erp.rows()] == [("resolved", SETTLED), ("open", "- y")]
    for _ in range(2):
        answers = list(place.remove(client, [(KEY, None), (OTHER, None)]))
        assert [answer.outcome for answer in answers] == [Outcome.WRITTEN] * 2
    assert erp.rows() == []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "name the table"),
        ("findings_table: orders", "orders is read"),
        ("findings_table: hub_finding", "hub_findings"),
    ],
)
def test_nothing_is_told_where_no_table_is_there_for_it(erp: Erp, table: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        told(erp.client(table), notice("x"))


def test_a_table_without_the_columns_is_left_alone(erp: Erp) -> None:
    erp.run(sa.text("CREATE TABLE plain (key VARCHAR(64), title VARCHAR(200))"))
    with pytest.raises(ConfigError, match="has no text, severity, status"):
        told(erp.client("findings_table: plain"), notice("x"))


def test_what_is_only_read_still_can_not_be_written(erp: Erp) -> None:
    client = erp.client()
    told(client, notice("x"))
    with pytest.raises(OmniHubError, match=r"read-?only"), client.connected() as c:
        c.execute(sa.insert(orders).values(id=9, number="A9"))

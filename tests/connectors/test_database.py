"""A database as a system: declared in omnihub.yaml, read from a cursor or whole, written row by row where it still
stands as it was seen. On SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import connectors
from connectors.database.tables import words
from omnihub.config import load
from omnihub.errors import ConfigError, OmniHubError, RetryableError
from omnihub.land import land
from omnihub.model import Op, Outcome
from omnihub.sdk import Answer, Connector, Page, Row, Stream, Want, open_client
from omnihub.store import Store

ORDERS = (
    "table: orders, key: id, updated: changed_at, entity: order, map: {number: number, status: state, total: total}"
)
T0 = datetime(2026, 11, 21, 8, tzinfo=UTC)

metadata = sa.MetaData()
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("number", sa.String(20), unique=True),
    sa.Column("state", sa.String(20)),
    sa.Column("total", sa.Numeric(12, 2)),
    sa.Column("changed_at", sa.DateTime(timezone=True)),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("omni", sa.String(40), unique=True),
    sa.CheckConstraint("state <> 'forbidden'", name="state_is_known"),
)
lines = sa.Table(
    "Order Lines",  # quoted, or not there
    metadata,
    sa.Column("order", sa.Integer, primary_key=True),
    sa.Column("No", sa.String(5), primary_key=True),
    sa.Column("qty", sa.Integer),
)
loose = sa.Table("loose", metadata, sa.Column("code", sa.String(9)), sa.Column("name", sa.String(20)))


_numbers = itertools.count(1)


@dataclass
class Erp:
    """A database beside the hub, and how a stream of it is declared."""

    url: str
    engine: sa.Engine
    folder: Path

    def declare(self, stream: str = ORDERS, environ: bool = True) -> System:
        path = self.folder / "omnihub.yaml"
        path.write_text(f"systems:\n  erp:\n    connector: database\n    streams:\n      orders: {{{stream}}}\n")
        given = {"OMNIHUB_ERP_URL": self.url} if environ else {}
        config = load(path, connectors={}, templates=connectors.templates(), environ=given)
        [connector] = config.enabled({}).values()
        return System(connector, config.settings_for(connector))

    def run(self, statement: Any, values: Sequence[dict[str, Any]] = ()) -> None:
        with self.engine.begin() as c:
            c.execute(statement, list(values)) if values else c.execute(statement)

    def orders(self, *numbers: int, at: datetime = T0, **more: Any) -> None:
        usual = {"state": "open", "total": Decimal("9.50"), "changed_at": at}
        self.run(sa.insert(orders), [{"id": n, "number": f"A{n}"} | usual | more for n in numbers])

    def row(self, n: int) -> Any:
        with self.engine.connect() as c:
            return c.execute(sa.select(orders).where(orders.c.id == n)).one()


@dataclass
class System:
    connector: Connector
    settings: dict[str, str]

    @property
    def stream(self) -> Stream:
        return self.connector.streams[0]

    @property
    def client(self) -> Any:
        return open_client(self.connector, self.settings)

    def pull(self, since: str | None = None, complete: bool = False) -> list[Page]:
        assert self.stream.pull
        return list(self.stream.pull(self.client, Want(since, complete or since is None, datetime.now(UTC))))

    def ids(self, since: str | None = None) -> list[str | None]:
        return [r.id for page in self.pull(since) for r in page.records]

    def look(self, *ids: str) -> dict[str | None, Any]:
        assert self.stream.push
        return {r.id: json.loads(r.raw) for page in self.stream.push.look(self.client, ids) for r in page.records}

    def rows(self, **changes: dict[str, str]) -> list[Row]:
        """id → canonical fields, as apply would send them after its look."""
        present = self.look(*changes)
        return [
            Row(n, Op.UPDATE, id_, self.stream.fields.body(new), new, {}, "g", present.get(id_, {}))
            for n, (id_, new) in enumerate(changes.items())
        ]

    def send(self, rows: list[Row]) -> dict[str | None, Answer]:
        assert self.stream.push
        return {answer.id: answer for answer in self.stream.push.update(self.client, rows)}

    def write(self, **changes: dict[str, str]) -> dict[str | None, Answer]:
        return self.send(self.rows(**changes))

    def forget(self, *ids: str) -> list[Answer]:
        push = self.stream.push
        assert push
        assert push.erase
        return list(push.erase(self.client, [Row(n, Op.UPDATE, id_, {}, {}, {}, "g") for n, id_ in enumerate(ids)]))


@pytest.fixture(params=["sqlite", "postgresql"])
def erp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Erp]:
    """An ERP of orders, on either kind of database; in PostgreSQL a schema of its own, which is made at once."""
    url, schema = f"sqlite:///{tmp_path / 'erp.db'}", f"erp_{next(_numbers)}_{os.getpid()}"
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_url")
        with sa.create_engine(server, poolclass=sa.NullPool).begin() as c:
            c.execute(sa.text(f"CREATE SCHEMA {schema}"))
        url = f"{server}?options=-csearch_path%3D{schema}"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    metadata.create_all(engine)
    yield Erp(url, engine, tmp_path)
    if request.param == "postgresql":
        with engine.begin() as c:
            c.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))


ON_SQLITE = pytest.mark.parametrize("erp", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("erp", ["postgresql"], indirect=True)


# -- reading ---------------------------------------------------------------------------------------------------------


def test_rows_are_records_with_their_time_and_the_first_pass_is_complete(erp: Erp) -> None:
    erp.orders(1, 2)
    [page] = erp.declare().pull()
    assert [r.id for r in page.records] == ["1", "2"]
    assert str(page.records[0].updated).startswith("2026-11-21")
    assert (page.complete, page.exchange.method, page.exchange.url.endswith("#orders")) == (True, "SELECT", True)


def test_then_only_what_changed_from_the_cursor_on(erp: Erp) -> None:
    erp.orders(1)
    erp.orders(2, at=T0 + timedelta(hours=1))
    system = erp.declare()
    cursor = system.pull()[-1].cursor
    assert system.ids(cursor) == ["2"]
    erp.orders(3, at=T0 + timedelta(hours=2))
    pages = system.pull(cursor)
    assert [r.id for p in pages for r in p.records] == ["2", "3"]
    assert not any(page.complete for page in pages)
    assert system.ids(pages[-1].cursor) == ["3"]


def test_more_rows_with_one_time_than_a_page_takes_are_all_read_and_the_pass_ends(erp: Erp) -> None:
    erp.orders(*range(1, 2501))
    system = erp.declare()
    pages = system.pull()
    assert [len(page.records) for page in pages] == [1000, 1000, 500]
    assert [page.complete for page in pages] == [False, False, True]
    again = system.pull(pages[-1].cursor)
    assert sorted(int(r.id or 0) for p in again for r in p.records) == list(range(1, 2501))


def test_each_page_of_a_changed_pass_says_how_far_it_went(erp: Erp) -> None:
    erp.orders(0)
    system = erp.declare()
    cursor = system.pull()[-1].cursor
    erp.run(
        sa.insert(orders),
        [{"id": n, "number": f"A{n}", "changed_at": T0 + timedelta(minutes=n)} for n in range(1, 1202)],
    )
    first, second = system.pull(cursor)
    assert first.cursor
    assert int(system.ids(first.cursor)[-1] or 0) == 1201
    assert len(system.ids(first.cursor)) < 300
    assert second.cursor != first.cursor


def test_what_was_committed_late_is_still_seen_where_times_have_a_distance(erp: Erp) -> None:
    erp.orders(1)
    system = erp.declare()
    cursor = system.pull()[-1].cursor
    erp.orders(2, at=T0 - timedelta(seconds=30))
    late = erp.engine.dialect.name == "postgresql"  # SQLite keeps texts, and has one writer
    assert system.ids(cursor) == (["2", "1"] if late else ["1"])


def test_a_table_without_a_time_of_change_is_read_whole_each_time(erp: Erp) -> None:
    erp.orders(1, 2)
    system = erp.declare("table: orders, key: id, entity: order, map: {number: number}")
    [page] = system.pull()
    assert (page.complete, page.cursor, len(page.records)) == (True, None, 2)


def test_deleted_rows_are_gone_after_a_complete_pass_and_marked_ones_at_once(erp: Erp, tmp_path: Path) -> None:
    erp.orders(1, 2, 3)
    system = erp.declare(f"{ORDERS}, deleted: state=cancelled")
    store = Store.open(f"sqlite:///{tmp_path / 'other.db'}")
    told = []
    erp.orders(4)
    for statement in (None, sa.update(orders).where(orders.c.id == 2).values(state="cancelled"), sa.delete(orders)):
        if statement is not None:
            erp.run(statement.where(orders.c.id < 4))
        full = statement is not None and statement.is_delete
        [landed] = land(store, system.connector, system.settings, run_id="r", full=full)
        told.append((landed.new, landed.gone, landed.error))
    store.close()
    assert told == [(4, 0, ""), (0, 1, ""), (0, 2, "")]


def test_keys_of_several_columns_and_names_that_need_quotes(erp: Erp) -> None:
    erp.run(sa.insert(lines), [{"order": 1, "No": "a|b", "qty": 2}, {"order": 1, "No": "c", "qty": 3}])
    system = erp.declare("table: Order Lines, key: [order, 'No'], entity: line, map: {quantity: qty}, push: [quantity]")
    assert system.ids() == ["1|a%7Cb", "1|c"]
    assert system.write(**{"1|a%7Cb": {"quantity": "7"}})["1|a%7Cb"].outcome is Outcome.WRITTEN
    assert system.look("1|a%7Cb", "1|c", "nonsense")["1|a%7Cb"]["qty"] == 7


def test_a_query_is_a_stream_and_reads_on_from_its_time_too(erp: Erp) -> None:
    erp.orders(1)
    erp.orders(2, at=T0 + timedelta(hours=1))
    query = "SELECT id, number AS nr, changed_at FROM orders WHERE number <> 'x:y' AND id > 0;"
    stream = f'query: "{query}", key: id, entity: order, map: {{number: nr}}'
    [page] = erp.declare(stream).pull()
    assert ([r.id for r in page.records], page.complete) == (["1", "2"], True)
    timed = erp.declare(f"{stream}, updated: changed_at")
    assert timed.ids(timed.pull()[-1].cursor) == ["2"]


def test_rows_without_a_key_or_with_somebody_elses_are_rejects_with_the_reason(erp: Erp) -> None:
    erp.run(sa.insert(loose), [{"code": "a", "name": "A"}, {"code": "a", "name": "B"}, {"code": None, "name": "C"}])
    [page] = erp.declare("table: loose, key: code, entity: account, map: {name: name}").pull()
    assert [r.id for r in page.records].count("a") == 1
    assert {getattr(r, "why", "") for r in page.records} == {
        "", "erp/orders: another row has the same key (code)", "erp/orders: the key (code) is NULL",
    }  # fmt: skip


@ON_POSTGRESQL
def test_every_type_of_postgresql_is_read_exactly(erp: Erp) -> None:
    erp.run(
        sa.text(
            """CREATE TABLE kinds AS SELECT 1 AS id, 12345678901234567.89::numeric AS n, 0.1::float8 AS f,
               'NaN'::float8 AS nan, true AS b, NULL::text AS nothing, '\\x6869'::bytea AS blob,
               '2026-11-21'::date AS d, '2026-11-21 08:00'::timestamp AS naive,
               '2026-11-21 08:00+02'::timestamptz AS aware, '{"a": [1.50]}'::jsonb AS j, ARRAY[1, 2] AS list,
               '7e0a6b0e-0000-0000-0000-000000000000'::uuid AS u, 9223372036854775807 AS big"""
        )
    )
    system = erp.declare("table: kinds, key: id, zone: Europe/Berlin, entity: order, map: {number: n}")
    [record] = system.pull()[0].records
    found = json.loads(record.raw)
    aware = datetime.fromisoformat(found.pop("aware"))
    assert aware == datetime(2026, 11, 21, 6, tzinfo=UTC)
    assert found == {
        "id": 1, "n": "12345678901234567.89", "f": 0.1, "nan": "nan", "b": True, "nothing": None, "blob": "aGk=",
        "d": "2026-11-21", "naive": "2026-11-21T08:00:00+01:00", "j": {"a": [1.5]}, "list": [1, 2],
        "u": "7e0a6b0e-0000-0000-0000-000000000000", "big": 9223372036854775807,
    }  # fmt: skip


@ON_POSTGRESQL
def test_tables_of_another_schema_are_read(erp: Erp) -> None:
    erp.run(sa.text('CREATE SCHEMA IF NOT EXISTS "Sales"'))
    erp.run(sa.text('CREATE TABLE "Sales"."Orders" AS SELECT 7 AS id'))
    for table in ("table: Sales.Orders", "schema: Sales, table: Orders"):
        assert erp.declare(f"{table}, key: id, entity: order, map: {{number: id}}").ids() == ["7"]
    erp.run(sa.text('DROP SCHEMA "Sales" CASCADE'))


# -- writing ---------------------------------------------------------------------------------------------------------

PUSHED = f"{ORDERS}, push: {{fields: [status, number, total], max_length: {{number: 20}}}}"


def test_a_change_is_written_and_seen_by_the_next_pull(erp: Erp) -> None:
    erp.orders(1, 2)
    system = erp.declare(PUSHED)
    cursor = system.pull()[-1].cursor
    answers = system.write(**{"1": {"status": "shipped", "total": "12.10"}})
    assert answers["1"].outcome is Outcome.WRITTEN
    assert (erp.row(1).state, erp.row(1).total, erp.row(2).state) == ("shipped", Decimal("12.10"), "open")
    assert erp.row(1).changed_at.replace(tzinfo=UTC) > T0
    assert "1" in system.ids(cursor)


def test_a_row_somebody_changed_since_is_left_alone(erp: Erp) -> None:
    erp.orders(1, 2)
    system = erp.declare(PUSHED)
    rows = system.rows(**{"1": {"status": "shipped"}, "2": {"status": "shipped"}, "9": {"status": "shipped"}})
    erp.run(sa.update(orders).where(orders.c.id == 1).values(state="theirs"))
    answers = system.send(rows)
    assert {id_: (a.outcome, a.code) for id_, a in answers.items()} == {
        "1": (Outcome.DRIFTED, "changed"), "2": (Outcome.WRITTEN, ""), "9": (Outcome.DRIFTED, "gone"),
    }  # fmt: skip
    assert erp.row(1).state == "theirs"


def test_a_change_to_another_column_is_no_drift_but_another_version_is(erp: Erp) -> None:
    erp.orders(1)
    plain, versioned = erp.declare(PUSHED), erp.declare(f"{ORDERS}, push: {{fields: [status], version: version}}")
    rows = plain.rows(**{"1": {"status": "shipped"}})
    erp.run(sa.update(orders).values(number="other", version=2))
    assert versioned.send(rows)["1"].outcome is Outcome.DRIFTED
    assert plain.send(rows)["1"].outcome is Outcome.WRITTEN
    assert versioned.write(**{"1": {"status": "paid"}})["1"].outcome is Outcome.WRITTEN
    assert erp.row(1).version == 3


def test_a_refused_row_is_refused_alone_in_the_databases_words_without_values(erp: Erp) -> None:
    erp.orders(1, 2, 3, 4)
    system = erp.declare(PUSHED)
    answers = system.write(
        **{
            "1": {"number": "A2"},
            "2": {"status": "forbidden"},
            "3": {"total": "a lot"},
            "4": {"status": "shipped"},
        }
    )
    assert [a.outcome for _, a in sorted(answers.items())] == [*[Outcome.REFUSED] * 3, Outcome.WRITTEN]
    told = " ".join(f"{a.code} {a.message}" for a in answers.values()).lower()
    assert "unique" in told
    assert "state_is_known" in told or "check constraint" in told
    assert not any(value in told for value in ("a2", "forbidden", "a lot"))
    assert [erp.row(n).state for n in (1, 2, 3, 4)] == ["open", "open", "open", "shipped"]


ERASING = f"{ORDERS}, push: {{fields: [status], erase: true}}"


def test_who_is_forgotten_is_deleted_once_and_the_others_stay(erp: Erp) -> None:
    erp.orders(1, 2)
    system = erp.declare(ERASING)

    answers = system.forget("1", "9", "no id")

    assert [(a.outcome, a.id) for a in answers] == [(Outcome.WRITTEN, id_) for id_ in ("1", "9", "no id")]
    assert system.ids() == ["2"]
    assert system.look("1") == {}
    assert [a.outcome for a in system.forget("1")] == [Outcome.WRITTEN]  # and so asked again after a lost answer
    assert system.ids() == ["2"]


def test_who_is_needed_by_others_is_refused_alone_in_the_databases_words(erp: Erp) -> None:
    erp.orders(1, 2)
    erp.run(sa.text("CREATE TABLE bills (nr INTEGER PRIMARY KEY, of INTEGER REFERENCES orders (id))"))
    erp.run(sa.text("INSERT INTO bills VALUES (7, 1)"))
    if erp.engine.dialect.name == "sqlite":  # which looks after references only where it is told to
        needed = "WHEN EXISTS (SELECT 1 FROM bills WHERE of = OLD.id)"
        no = "BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed: bills'); END"
        erp.run(sa.text(f"CREATE TRIGGER kept BEFORE DELETE ON orders {needed} {no}"))
    system = erp.declare(ERASING)

    kept, gone = system.forget("1", "2")

    assert (kept.outcome, gone.outcome) == (Outcome.REFUSED, Outcome.WRITTEN)
    assert kept.code
    assert "foreign key" in kept.message.lower()
    assert system.ids() == ["1"]


def test_a_database_that_does_not_answer_forgets_nobody_and_is_asked_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'erp.db'}?timeout=0.05"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    metadata.create_all(engine)
    erp = Erp(url, engine, tmp_path)
    erp.orders(1)
    system = erp.declare(ERASING)
    client = system.client
    push = system.stream.push
    assert push
    assert push.erase
    list(push.look(client, ["1"]))
    with engine.connect() as somebody:
        somebody.exec_driver_sql("BEGIN EXCLUSIVE")
        [answer] = push.erase(client, [Row(0, Op.UPDATE, "1", {}, {}, {}, "g")])
    assert (answer.outcome, answer.code) == (Outcome.DEFERRED, "LATER")
    assert [a.outcome for a in system.forget("1")] == [Outcome.WRITTEN]


def test_where_nobody_allowed_it_nobody_is_deleted_and_it_is_said(erp: Erp) -> None:
    push = erp.declare(PUSHED).stream.push
    assert push
    assert push.erase is None
    assert "erase: true" in push.erase_by_hand


def test_what_is_created_twice_is_there_once(erp: Erp) -> None:
    system = erp.declare(f"{ORDERS}, push: {{fields: [number, status], create: omni}}")
    push = system.stream.push
    assert push
    assert push.create
    assert push.find
    fields = {"number": "N1", "status": "new"}
    row = Row(0, Op.CREATE, None, system.stream.fields.body(fields), fields, {}, "order_7")
    first, again = [list(push.create(system.client, [row])) for _ in range(2)]
    assert first[0].outcome is Outcome.WRITTEN
    assert first[0].id == again[0].id
    [page] = push.find(system.client, ["order_7", "order_8"])
    assert [json.loads(r.raw)["omni"] for r in page.records] == ["order_7"]


def test_without_push_the_connection_itself_refuses_to_write(erp: Erp) -> None:
    erp.orders(1)
    client = erp.declare().client
    with pytest.raises(OmniHubError), client.connected() as c:
        c.execute(sa.text("UPDATE orders SET state = 'x'"))
    assert erp.row(1).state == "open"


# -- what may be wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        ("table: ordrs, key: id, entity: order, map: {number: number}", "no table ordrs; did you mean orders?"),
        (
            ORDERS.replace("changed_at", "chnged_at"),
            "erp/orders: table orders has no column chnged_at; did you mean changed_at?",
        ),
        ('query: "SELECT nothing FROM nowhere", key: id, entity: order, map: {number: x}', "erp: "),
    ],
)
@ON_SQLITE
def test_a_table_or_column_that_is_not_there_is_named_with_the_nearest(erp: Erp, stream: str, says: str) -> None:
    with pytest.raises((ConfigError, RetryableError)) as caught:
        erp.declare(stream).pull()
    assert says in str(caught.value)


@ON_SQLITE
def test_an_address_that_is_wrong_is_said_without_its_password(erp: Erp) -> None:
    system = erp.declare()
    for url, says in (
        ("postgresql+psycopg://me:hunter2@127.0.0.1:1/erp", "erp: the database could not: .*; run again later"),
        ("hunter2", "its url is none"),
        ("nosuch://me:hunter2@db/erp", "driver of this database is not installed"),
        ("sqlite:///nowhere/hunter2.db", "there is no file"),
    ):
        with pytest.raises((ConfigError, RetryableError), match=says) as caught:
            System(system.connector, {"url": url}).pull()
        assert "me:hunter2" not in str(caught.value)


@ON_SQLITE
def test_the_url_comes_from_the_environment_and_a_password_in_the_file_is_refused(erp: Erp, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"erp: set systems\.erp\.url in omnihub\.yaml, or OMNIHUB_ERP_URL"):
        erp.declare(environ=False)
    path = tmp_path / "omnihub.yaml"
    for url in ("postgresql://me:hunter2@db/erp", "postgresql://db/erp?password=hunter2"):
        path.write_text(f"systems:\n  erp: {{connector: database, url: '{url}', streams: {{o: {{{ORDERS}}}}}}}\n")
        with pytest.raises(ConfigError, match="OMNIHUB_ERP_URL") as caught:
            load(path, connectors={}, templates=connectors.templates(), environ={})
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        ("key: id, entity: order, map: {number: nr}", "write one of table and query"),
        ("query: select 1, key: id, entity: order, map: {number: nr}, push: [number]", "a query can't be written to"),
        ("table: o, key: id, entity: order, map: {number: nr}, pushh: [number]", "did you mean push?"),
        ("table: o, key: id, entity: order, map: {number: nr}, push: {fields: [number], verson: v}", "mean version?"),
    ],
)
@ON_SQLITE
def test_what_is_wrong_with_a_stream_is_said_before_anything_is_called(erp: Erp, stream: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        erp.declare(stream)
    assert says in str(caught.value)
    assert "line 5" in str(caught.value)


def test_values_are_taken_out_of_what_a_database_says() -> None:
    said = ValueError("Duplicate entry 'anna@x.de' for key 'mail' of \"people\": anna@x.de")
    assert words(said, ["anna@x.de"], ["people"]) == 'Duplicate entry “…” for key “…” of "people": …'

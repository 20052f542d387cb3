"""Airtable: the hub's findings in the one table that is there for them; of the master's own tables none is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyairtable
import pytest

from connectors.airtable import Client, connector
from connectors.airtable.notices import COLUMNS, SETTLED
from connectors.airtable.sandbox import BASE, FINDINGS, TABLES, TOKEN, AirtableStandin
from omnihub.errors import ConfigError
from omnihub.model import Outcome
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Running
from omnihub.sdk import open_client
from omnihub.sdk.reporting import Notice, Standing

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PETRA = "Petra Vogt"
KEY = "omnihub-1"
assert connector.place
assert connector.place.read
put, clear, remove, read = connector.place.put, connector.place.clear, connector.place.remove, connector.place.read


class Base:
    """A base with the master data, the connector's client for it, and the vendor's own SDK."""

    def __init__(self, run: Running) -> None:
        found = run.standins["airtable"]
        assert isinstance(found, AirtableStandin)
        self.standin, self.url = found, run.urls["airtable"]
        found.state.clear()
        found.calls.clear()
        at = "2026-10-01T08:00:00Z"
        found.seed([Copy("master", "products", 1, {"sku": "PU-0001", "name": "Pump", "status": "active"}, at, at)])
        self.client = self.connected()
        self.table = pyairtable.Api(TOKEN, endpoint_url=self.url).table(BASE, FINDINGS)

    def connected(self, **settings: str) -> Client:
        client: Client = open_client(connector, {"url": self.url, **self.standin.credentials, **settings})
        client.http.budget = None
        return client

    def told(self, *some: Notice, id_: str | None = None) -> list[str | None]:
        answers = sorted(put(self.client, [(one, id_) for one in some]), key=lambda answer: answer.n)
        assert [(a.outcome, a.message) for a in answers] == [(Outcome.WRITTEN, "")] * len(some)
        return [answer.id for answer in answers]

    def rows(self) -> list[dict[str, Any]]:
        """As the vendor's own SDK shows them."""
        return [dict(row["fields"]) for row in self.table.all()]


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with Running([AirtableStandin(quotas=(), now=lambda: NOW)]) as run:
        yield run


@pytest.fixture
def base(served: Running) -> Base:
    return Base(served)


def notice(title: str, key: str = KEY, ref_id: str | None = "rec1") -> Notice:
    fields = {"kind": "sku_duplicate", "expected": "x", "owner": "Sales", "since": "2026-11-01"}
    return Notice(key, ref_id, "products", title, f"- {title}\nsecond line", "high", fields)


def test_a_finding_is_one_row_changed_in_place(base: Base) -> None:
    [first] = base.told(notice("Erst"))
    assert base.told(notice("Dann"), id_=first) == [first]
    assert base.told(notice("Zuletzt")) == [first]  # the hub may have lost the id
    [row] = base.rows()
    assert {name: row[name] for name in COLUMNS} == {
        "Key": KEY,
        "Title": "Zuletzt",
        "Text": "- Zuletzt\nsecond line",
        "Kind": "sku_duplicate",
        "Severity": "high",
        "Record": "products/rec1",
        "Expected": "x",
        "Owner": "Sales",
        "Since": "2026-11-01",
        "Status": "Open",
    }


def test_the_same_told_again_leaves_the_time_of_the_last_change_alone(base: Base) -> None:
    def changed() -> str:
        [row] = base.standin.state.find("findings", "$.Key", KEY)
        return row.updated_at

    base.told(notice("x"))
    before = changed()
    base.told(notice("x"))
    assert changed() == before
    base.told(notice("y"))
    assert changed() > before


def test_many_go_ten_a_call_and_a_bad_one_leaves_the_others(base: Base) -> None:
    some = [notice(f"T{n}", f"omnihub-{n}") for n in range(25)]
    base.told(*some)
    assert len(base.rows()) == 25
    some[3] = notice("two\nlines", "omnihub-3")  # a single line there
    answers = {answer.n: answer for answer in put(base.client, [(one, None) for one in some])}
    assert {n for n, answer in answers.items() if answer.outcome is Outcome.REFUSED} == {3}
    assert answers[3].code == "INVALID_VALUE_FOR_COLUMN"
    assert len(answers) == len(base.rows()) == 25


def test_who_closed_one_is_read_and_what_comes_back_is_open_again(base: Base) -> None:
    [id_] = base.told(notice("x"))
    assert [seen.state for seen in read(base.client, [(KEY, None)])] == [Standing.OPEN]
    base.standin.edit_as(PETRA, "findings", str(id_), {"Status": "Closed"})
    [seen] = read(base.client, [(KEY, id_)])
    assert (seen.id, seen.state, seen.by) == (id_, Standing.CLOSED, PETRA)
    assert seen.at
    assert base.told(notice("x"), id_=id_) == [id_]
    assert base.rows()[0]["Status"] == "Open"


def test_what_is_put_right_is_resolved_once_and_says_nothing_any_more(base: Base) -> None:
    [id_] = base.told(notice("x"))
    for _ in range(2):
        assert [answer.outcome for answer in clear(base.client, [(KEY, id_), ("omnihub-9", None)])] == [
            Outcome.WRITTEN
        ] * 2
    [row] = base.rows()
    assert (row["Status"], row["Text"], row.get("Expected")) == ("Resolved", SETTLED, None)
    assert [seen.state for seen in read(base.client, [(KEY, id_)])] == [Standing.CLOSED]


def test_a_row_somebody_copied_is_changed_once_and_one_somebody_deleted_is_made_anew(base: Base) -> None:
    [id_] = base.told(notice("x"))
    base.table.create({"Key": KEY, "Title": "copied", "Status": "Open"})
    assert base.told(notice("y"), id_=id_) == [id_]
    assert sorted(row["Title"] for row in base.rows()) == ["copied", "y"]
    base.table.batch_delete([row["id"] for row in base.table.all()])
    assert list(read(base.client, [(KEY, id_)])) == []
    base.told(notice("z"), id_=id_)
    assert [row["Title"] for row in base.rows()] == ["z"]


def test_taken_away_the_base_is_as_it_was(base: Base) -> None:
    before = base.standin.dump()
    base.told(*(notice("x", f"omnihub-{n}") for n in range(12)))
    for _ in range(2):
        answers = list(remove(base.client, [(f"omnihub-{n}", None) for n in range(12)]))
        assert {answer.outcome for answer in answers} == {Outcome.WRITTEN}
        assert sorted(answer.n for answer in answers) == list(range(12))
    assert base.standin.dump() == before


def test_where_nobody_named_a_table_nothing_is_told(base: Base) -> None:
    for call in (put, clear, remove, read):
        asked: Any = [(notice("x"), None)] if call is put else [(KEY, None)]
        with pytest.raises(ConfigError, match="name the table"):
            list(call(base.connected(findings_table=""), asked))


@pytest.mark.parametrize("table", [name for t in TABLES if t.name != FINDINGS for name in (t.name, t.id)])
def test_a_table_of_the_master_is_never_written_whatever_the_settings_say(base: Base, table: str) -> None:
    before = base.standin.dump()
    for call in (put, clear, remove):
        asked: Any = [(notice("x"), None)] if call is put else [(KEY, None)]
        with pytest.raises(ConfigError, match="findings_table"):
            list(call(base.connected(findings_table=table), asked))
    assert base.standin.dump() == before


def test_every_table_that_is_read_is_known_as_the_masters_own(base: Base) -> None:
    assert base.client.masters == {t.name for t in TABLES if t.name != FINDINGS}


def test_only_the_table_for_findings_is_ever_written(base: Base) -> None:
    [id_] = base.told(notice("x"))
    list(clear(base.client, [(KEY, id_)]))
    list(remove(base.client, [(KEY, id_)]))
    written = {path for method, path, _ in base.standin.calls if method in ("POST", "PATCH", "PUT", "DELETE")}
    assert written <= {f"/v0/{BASE}/Consistency%20Findings", f"/v0/{BASE}/Consistency Findings"}
    assert written

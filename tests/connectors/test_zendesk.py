"""The Zendesk connector against its stand-in, and both against Zendesk's official contract where it is at hand."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from connectors.zendesk import connector, exporting, tickets
from connectors.zendesk.sandbox import CUSTOM, standin
from connectors.zendesk.writing import MANY, placed
from omnihub.errors import ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Op, Outcome
from omnihub.sandbox.copies import HELD, Copy
from omnihub.sandbox.kit import Quota, Running
from omnihub.sdk import Answer, Codes, FullName, Http, Page, Record, Row, Want, open_client, value_at
from omnihub.sdk.reporting import Notice, Standing

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
CONTRACTS = Path(os.environ.get("OMNIHUB_CONTRACTS") or Path(__file__).parents[2] / ".." / "shared" / "contracts")
STREAMS = ("organizations", "users", "tickets")
AUTH = ("hub@acme.example/token", "zendesk-sandbox-token")


class Clock:
    """Everybody's clock, set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def on(self, **ahead: float) -> None:
        self.at += timedelta(**ahead)


def at(day: int, n: int) -> str:
    return f"2026-01-{day:02d}T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}.000000Z"


def organization(n: int, when: str = "", **fields: Any) -> Copy:
    given = {"name": f"Firma {n}", "domain": f"firma{n}.example", "customer_group": "dealer", **fields}
    return Copy("ticketing", "organizations", n, given, when or at(1, n), when or at(1, n))


def user(n: int, **fields: Any) -> Copy:
    given = {
        "first_name": "Anna", "last_name": "Meyer", "email": f"anna{n}@firma.example", "phone": "+49 30 1",
        "language": "de", "account": 1, "marketing_consent": "yes", **fields,
    }  # fmt: skip
    return Copy("ticketing", "users", n, given, at(2, n), at(2, n))


def ticket(n: int, deleted: bool = False, **fields: Any) -> Copy:
    given = {
        "subject": "Hilfe", "contact": 1, "account": 1, "status": "solved", "channel": "phone",
        "opened_at": "2026-01-03T00:00:00Z", "answered_at": "2026-01-03T01:30:00Z",
        "solved_at": "2026-01-04T00:00:00Z", "satisfaction": "good", **fields,
    }  # fmt: skip
    return Copy("ticketing", "tickets", n, given, at(3, n), at(3, n), deleted=deleted)


class Office:
    """A Zendesk account with a few records in it, and the hub's client for it."""

    def __init__(self, run: Running, clock: Clock) -> None:
        zendesk = run.standins["zendesk"]
        assert isinstance(zendesk, standin)
        self.zendesk, self.clock = zendesk, clock
        self.settings = {"url": run.urls["zendesk"], **standin.credentials}
        self.http: Http = open_client(connector, self.settings)
        self.http.budget = None
        self.waits: list[float] = []
        self.http.wait = self.waits.append
        self.zendesk.seed([*(organization(n) for n in (1, 2, 3)), *(user(n) for n in (1, 2, 3)), ticket(1), ticket(2)])

    def pull(self, stream: str, since: str | None = None, complete: bool = False) -> list[Page]:
        pull = connector.stream(stream).pull
        assert pull is not None
        return list(pull(self.http, Want(since, complete, self.clock())))

    def id(self, stream: str, n: int) -> str:
        return self.zendesk.native_id(stream, n)

    def look(self, stream: str, *ids: str) -> dict[str, Any]:
        push = connector.stream(stream).push
        assert push is not None
        return {str(r.id): json.loads(r.raw) for page in push.look(self.http, ids) for r in page.records}

    def row(self, stream: str, n: int, **fields: str | None) -> Row:
        id_ = self.id(stream, n)
        body = connector.stream(stream).fields.body(fields)
        return Row(n, Op.UPDATE, id_, body, fields, {}, "g", self.look(stream, id_).get(id_))

    def push(self, stream: str, *rows: Row) -> list[tuple[int, Outcome, str]]:
        push = connector.stream(stream).push
        assert push is not None
        return [(a.n, a.outcome, a.code) for a in push.update(self.http, rows)]

    def job(self, stream: str, *rows: Row) -> list[tuple[int, Outcome, str]]:
        """As `push`, by a background job."""
        push = connector.stream(stream).push
        assert push is not None
        assert push.many is not None
        return [(a.n, a.outcome, a.code) for a in push.many.send(self.http, rows)]

    def forget(self, *ids: str) -> list[Answer]:
        push = connector.stream("users").push
        assert push is not None
        assert push.erase is not None
        return list(push.erase(self.http, [Row(n, Op.UPDATE, id_, {}, {}, {}, "g") for n, id_ in enumerate(ids)]))

    def close_tickets(self) -> None:
        for id_ in ("1", "2"):
            self.zendesk.edit("tickets", id_, {"status": "closed"})

    def new(self, n: int, stream: str = "users", **fields: str | None) -> Row:
        """The wish for a record that is not there yet."""
        body = connector.stream(stream).fields.body(fields)
        return Row(n, Op.CREATE, None, body, fields, {}, f"Golden-{n}")

    def create(self, stream: str, *rows: Row) -> list[Answer]:
        push = connector.stream(stream).push
        assert push is not None
        assert push.create is not None
        return list(push.create(self.http, rows))

    def find(self, stream: str, *keys: str) -> dict[str, Any]:
        push = connector.stream(stream).push
        assert push is not None
        assert push.find is not None
        return {str(r.id): json.loads(r.raw) for page in push.find(self.http, keys) for r in page.records}


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Running, Clock]]:
    """One server for all tests: starting one takes longer than most of them. Its clock only ever goes on."""
    clock = Clock()
    with Running([standin(quotas=(), now=clock)]) as run:
        yield run, clock


@pytest.fixture
def empty(running: tuple[Running, Clock]) -> Running:
    """An account with nothing in it, no limits and no options."""
    zendesk = running[0].standins["zendesk"]
    zendesk.state.clear()
    zendesk.options, zendesk.quotas, zendesk.whim = {}, [], None
    return running[0]


@pytest.fixture
def office(empty: Running, running: tuple[Running, Clock]) -> Office:
    return Office(empty, running[1])


def everything(pages: Sequence[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def last_cursor(pages: Sequence[Page]) -> str:
    return [page.cursor for page in pages if page.cursor][-1] or ""


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", STREAMS)
def test_a_complete_pass_shows_every_record_and_says_so_on_its_last_page(office: Office, stream: str) -> None:
    pages = office.pull(stream)

    assert {record.id for record in everything(pages)} == {
        office.id(stream, n) for n in range(1, {"organizations": 4, "users": 4, "tickets": 3}[stream])
    }
    assert [page.complete for page in pages].index(True) == len(pages) - 1


@pytest.mark.parametrize("stream", STREAMS)
def test_an_empty_account_still_gives_a_page(stream: str, empty: Running) -> None:
    http = open_client(connector, {"url": empty.urls["zendesk"], **standin.credentials})
    pull = connector.stream(stream).pull
    assert pull is not None

    pages = list(pull(http, Want(None, False, NOW)))

    assert everything(pages) == []
    assert pages[-1].complete


@pytest.mark.parametrize("stream", STREAMS)
def test_the_next_pull_brings_the_edit_and_nothing_else(office: Office, stream: str) -> None:
    cursor = last_cursor(office.pull(stream))
    assert everything(office.pull(stream, cursor)) == []
    office.clock.on(hours=1)
    name = {"organizations": "domain", "users": "phone", "tickets": "subject"}[stream]
    office.zendesk.edit(stream, office.id(stream, 2), {name: "neu.example"})

    again = office.pull(stream, cursor)

    assert [record.id for record in everything(again)] == [office.id(stream, 2)]
    office.clock.on(hours=1)
    twice = {"organizations": [office.id(stream, 2)]}.get(stream, [])  # by seconds: the last one is read twice
    assert [record.id for record in everything(office.pull(stream, last_cursor(again)))] == twice


def test_an_edit_during_the_complete_pass_is_seen_by_the_next_pull(office: Office) -> None:
    pull = connector.stream("users").pull
    assert pull is not None
    office.zendesk.seed(user(n) for n in range(4, 150))
    pages = []
    for page in pull(office.http, Want(None, False, office.clock())):
        pages.append(page)
        if len(pages) == 1:  # one already listed changes, long before the pass ends
            office.clock.on(seconds=1)
            office.zendesk.edit("users", office.id("users", 1), {"phone": "+49 40 2"})
    office.clock.on(hours=2)

    assert office.id("users", 1) in {r.id for r in everything(office.pull("users", last_cursor(pages)))}


def test_a_change_of_the_last_minute_is_missed_by_no_pull(office: Office) -> None:
    office.zendesk.options = {"export_delay_s": 60}
    for stream in STREAMS:
        office.zendesk.edit(stream, office.id(stream, 1), {"subject" if stream == "tickets" else "name": "neu"})
    passes = {stream: office.pull(stream) for stream in STREAMS}
    for stream, pages in passes.items():
        shown = {record.id: record.raw for record in everything(pages)}
        assert b'"neu"' in shown[office.id(stream, 1)], f"{stream}: the complete pass lacks what just changed"
    cursors = {stream: last_cursor(pages) for stream, pages in passes.items()}

    office.clock.on(seconds=30)
    office.zendesk.edit("users", office.id("users", 2), {"phone": "+49 40 2"})
    early = office.pull("users", cursors["users"])
    assert office.id("users", 2) not in {record.id for record in everything(early)}
    office.clock.on(seconds=61)
    late = office.pull("users", last_cursor(early) or cursors["users"])
    assert office.id("users", 2) in {record.id for record in everything(late)}


def test_lists_and_exports_of_several_pages_hold_each_record_once(office: Office) -> None:
    office.zendesk.seed(user(n) for n in range(4, 2301))
    whole = office.pull("users")
    assert len(whole) == 23
    assert len({record.id for record in everything(whole)}) == 2300

    exported = office.pull("users", "start_time=0")
    assert [len(page.records) for page in exported] == [1000, 1000, 300]
    assert len({record.id for record in everything(exported)}) == 2300

    rest = office.pull("users", exported[0].cursor)
    assert len(everything(rest)) == 1300


def test_organizations_exported_by_seconds_miss_none_at_the_edges_of_pages(office: Office) -> None:
    office.zendesk.seed(organization(n, when=at(1, n // 7)) for n in range(4, 2301))
    office.zendesk.options = {"merges_forbidden": True}

    exported = office.pull("organizations", "start_time=0")

    assert len(exported) == 3
    assert len({record.id for record in everything(exported)}) == 2300


def test_more_organizations_in_one_second_than_fit_a_page_do_not_loop(office: Office) -> None:
    office.zendesk.seed(organization(n, when=at(1, 7)) for n in range(4, 1201))
    office.zendesk.options = {"merges_forbidden": True}

    pages = office.pull("organizations", "start_time=0")

    assert len({record.id for record in everything(pages)}) == 1200
    assert pages[-1].complete


def test_a_deleted_user_and_a_deleted_ticket_come_as_deleted(office: Office) -> None:
    cursors = {stream: last_cursor(office.pull(stream)) for stream in ("users", "tickets")}
    for stream in cursors:
        assert office.http.delete(f"/api/v2/{stream}/{office.id(stream, 1)}").status_code in (200, 204)

    for stream, cursor in cursors.items():
        assert [(r.id, r.deleted) for r in everything(office.pull(stream, cursor))] == [(office.id(stream, 1), True)]


def test_the_loser_of_a_merge_comes_as_deleted_without_a_word_about_the_winner(office: Office) -> None:
    cursor = last_cursor(office.pull("users"))
    office.http.put(
        f"/api/v2/users/{office.id('users', 2)}/merge.json", json={"user": {"id": int(office.id("users", 1))}}
    )

    [record] = everything(office.pull("users", cursor))

    assert (record.id, record.deleted, record.merged_into) == (office.id("users", 2), True, None)
    assert b"merged" not in record.raw


def test_deleted_users_an_export_leaves_out_are_missing_from_the_next_complete_pass(office: Office) -> None:
    office.zendesk.options = {"export_shows_deleted_users": False}
    cursor = last_cursor(office.pull("users"))
    office.http.delete(f"/api/v2/users/{office.id('users', 1)}")

    assert everything(office.pull("users", cursor)) == []
    assert office.id("users", 1) not in {record.id for record in everything(office.pull("users", cursor, True))}
    assert (connector.stream("users").blind, connector.stream("users").full_every) != ("", None)


def merged(office: Office, loser: int, winner: int) -> tuple[str, str]:
    ids = office.id("organizations", loser), office.id("organizations", winner)
    body = {"organization_merge": {"winner_id": int(ids[1])}}
    assert office.http.post(f"/api/v2/organizations/{ids[0]}/merge", json=body).status_code == 200
    return ids


def gone(pages: Sequence[Page]) -> list[tuple[str, str | None]]:
    return [one for page in pages for one in page.gone]


@pytest.mark.parametrize("complete", [False, True])
def test_the_loser_of_a_merge_of_organizations_is_gone_and_says_into_whom(office: Office, complete: bool) -> None:
    cursor = last_cursor(office.pull("organizations"))
    office.clock.on(hours=1)
    pairs = [merged(office, 2, 1), merged(office, 3, 1)]
    office.clock.on(hours=1)

    pages = office.pull("organizations", cursor, complete)

    assert gone(pages) == pairs
    assert [page.complete for page in pages].count(True) == complete
    assert gone(office.pull("organizations")) == []  # who never knew the losers need not hear of them


def test_many_merges_into_one_organization_are_read_to_the_last_page(office: Office) -> None:
    office.zendesk.seed(organization(n) for n in range(4, 106))
    cursor = last_cursor(office.pull("organizations"))
    office.clock.on(hours=1)
    pairs = [merged(office, n, 1) for n in range(2, 106)]
    office.clock.on(hours=1)

    assert sorted(gone(office.pull("organizations", cursor))) == sorted(pairs)


def test_a_merge_under_way_takes_nobody_away(office: Office) -> None:
    office.zendesk.options = {"merges_end": False}
    cursor = last_cursor(office.pull("organizations"))
    office.clock.on(hours=1)
    merged(office, 2, 1)
    office.zendesk.edit("organizations", office.id("organizations", 1), {"domain": "neu.example"})
    office.clock.on(hours=1)

    pages = office.pull("organizations", cursor)
    assert [record.id for record in everything(pages)] == [office.id("organizations", 1)]
    assert gone(pages) == []


def test_where_a_merge_leaves_its_winner_untouched_the_loser_goes_without_a_pointer(office: Office) -> None:
    office.zendesk.options = {"merge_touches_winner": False}
    cursor = last_cursor(office.pull("organizations"))
    office.clock.on(hours=1)
    loser, _ = merged(office, 2, 1)
    office.clock.on(hours=1)

    pages = office.pull("organizations", cursor, complete=True)
    assert gone(pages) == []
    assert loser not in {record.id for record in everything(pages)}


def test_merges_only_administrators_may_see_do_not_stop_the_stream(office: Office) -> None:
    cursor = last_cursor(office.pull("organizations"))
    office.clock.on(hours=1)
    for n in (1, 2):
        office.zendesk.edit("organizations", office.id("organizations", n), {"domain": f"neu{n}.example"})
    office.clock.on(hours=1)
    office.zendesk.options = {"merges_forbidden": True}
    asked = len(office.zendesk.calls)

    assert len(everything(office.pull("organizations", cursor))) == 2
    assert [c[2] for c in list(office.zendesk.calls)[asked:] if c[1].endswith("/merges.json")] == [403]


def test_no_more_organizations_are_asked_for_merges_than_a_pull_may_cost(office: Office) -> None:
    found = everything(office.pull("organizations"))
    pairs = [merged(office, 2, 1)]
    asked = len(office.zendesk.calls)
    merges = exporting.Merges(office.http, "/api/v2/organizations/{id}/merges.json", "start_time=0", left=1)

    assert gone(list(merges.into(found))) == pairs
    assert [c[2] for c in list(office.zendesk.calls)[asked:]] == [200]


def test_rows_an_export_repeats_are_brought_once(office: Office) -> None:
    office.zendesk.options = {"export_repeats": 2}
    for stream in ("users", "tickets"):
        found = everything(office.pull(stream, "start_time=0"))
        assert len(found) == len({record.id for record in found})


def test_a_ticket_only_the_system_changed_is_brought_though_its_time_of_change_stays(office: Office) -> None:
    cursor = last_cursor(office.pull("tickets"))
    office.clock.on(hours=1)
    before = office.http.get("/api/v2/tickets/1").json()["ticket"]
    office.zendesk.touch("tickets", "1")

    [record] = everything(office.pull("tickets", cursor))
    shown = json.loads(record.raw)
    assert (record.id, record.updated) == ("1", before["updated_at"])
    assert shown["generated_timestamp"] > before["generated_timestamp"]


def metrics(office: Office, since: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = value_at(everything(office.pull("tickets", since=since))[-1].raw, "metric_set")
    return found


def test_an_agents_first_public_answer_and_the_solution_are_in_a_tickets_metrics(office: Office) -> None:
    made = office.http.post("/api/v2/tickets", json={"ticket": {"subject": "x", "comment": {"body": "y"}}}).json()
    path = f"/api/v2/tickets/{made['ticket']['id']}"

    def says(minutes: int, **change: Any) -> dict[str, Any]:
        office.clock.on(minutes=minutes)
        assert office.http.put(path, json={"ticket": change}).status_code == 200
        return metrics(office)

    assert metrics(office)["reply_time_in_minutes"]["calendar"] is None
    hidden = says(5, comment={"body": "for us", "public": False})
    assert hidden["reply_time_in_minutes"]["calendar"] is None
    assert says(7, comment={"body": "soon"})["reply_time_in_minutes"]["calendar"] == 12
    later = says(9, comment={"body": "now"}, status="solved", assignee_id=1)
    assert later["reply_time_in_minutes"]["calendar"] == 12
    assert later["solved_at"]
    assert says(1, status="open")["solved_at"] is None


def test_of_two_rows_of_a_ticket_the_older_one_never_follows_the_newer() -> None:
    rows = exporting.Rows("generated_timestamp")

    def row(made: int, subject: str) -> Record:
        return Record("1", json.dumps({"generated_timestamp": made, "subject": subject}).encode(), "/0")

    new, old, same_second = row(20, "B"), row(10, "A"), row(20, "C")
    assert rows.new([new, old, new]) == [new]
    assert rows.new([same_second]) == [same_second]


def test_a_merged_organization_is_missing_from_the_next_complete_pass_only(office: Office) -> None:
    cursor = last_cursor(office.pull("organizations"))
    loser, winner = merged(office, 2, 1)

    assert loser not in {record.id for record in everything(office.pull("organizations", cursor))}
    assert loser not in {record.id for record in everything(office.pull("organizations", complete=True))}
    assert connector.stream("organizations").blind
    assert office.look("organizations", winner)[winner]["domain_names"] == ["firma1.example", "firma2.example"]


def test_where_the_export_shows_deleted_organizations_they_count_as_deleted(office: Office) -> None:
    office.zendesk.options = {"export_shows_deleted": True}
    cursor = last_cursor(office.pull("organizations"))
    office.http.delete(f"/api/v2/organizations/{office.id('organizations', 1)}")
    assert [(r.id, r.deleted) for r in everything(office.pull("organizations", cursor))] == [
        (office.id("organizations", 1), True)
    ]


def test_copies_deleted_long_ago_are_deleted_or_not_shown(office: Office) -> None:
    when = at(5, 1)
    office.zendesk.seed(
        [Copy("ticketing", "users", 9, {"first_name": "Alt"}, when, when, deleted=True), ticket(9, True)]
    )

    assert office.id("users", 9) not in {record.id for record in everything(office.pull("users"))}
    assert [r.id for r in everything(office.pull("users", "start_time=0")) if r.deleted] == [office.id("users", 9)]
    assert {r.id for r in everything(office.pull("tickets")) if r.deleted} == {"9"}


def test_records_are_kept_byte_for_byte_as_they_came(office: Office) -> None:
    office.zendesk.edit("users", office.id("users", 1), {"first_name": "Zoë «Ü»", "last_name": "Ærø"})

    for pages in (office.pull("users"), office.pull("users", "start_time=0")):
        wire = office.http.last().content
        assert all(record.raw in wire for record in everything(pages))
        assert "Zoë «Ü» Ærø".encode() in wire


PROMISED = {"sku": "OM-1000", "quantity": "12", "promised_price": "9.50", "currency": "EUR"}


def test_what_the_world_holds_is_read_at_the_mapped_paths(office: Office) -> None:
    def read(stream: str, name: str, raw: bytes) -> Any:
        where = connector.stream(stream).fields[name]
        value = value_at(raw, where.path) if "domain_names" not in where.path else json.loads(raw)["domain_names"][0]
        value = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
        return where.codes.get(value, value) if isinstance(where, Codes) else value

    office.zendesk.edit("tickets", "1", {"order": "#1001", "order_status": "shipped"} | PROMISED)
    records = {
        stream: next(r for r in everything(office.pull(stream)) if r.id == office.id(stream, 1)) for stream in STREAMS
    }
    found = {s: {name: read(s, name, r.raw) for name in connector.stream(s).map} for s, r in records.items()}

    assert found["organizations"] == {"name": "Firma 1", "domain": "firma1.example", "customer_group": "dealer"}
    assert found["users"] == {
        "first_name": "Anna Meyer", "last_name": "Anna Meyer", "email": "anna1@firma.example", "phone": "+49 30 1",
        "language": "de", "account": int(office.id("organizations", 1)), "marketing_consent": "yes",
    }  # fmt: skip
    assert found["tickets"] == {
        "subject": "Hilfe", "contact": int(office.id("users", 1)), "account": int(office.id("organizations", 1)),
        "status": "solved", "channel": "phone", "opened_at": "2026-01-03T00:00:00Z",
        "answered_at": 90, "solved_at": "2026-01-04T00:00:00Z", "satisfaction": "good", "order": "#1001",
        "order_status": "shipped", **PROMISED, "currency": "eur",
    }  # fmt: skip


def test_what_a_ticket_says_of_an_order_is_named_behind_what_zendesk_sent(office: Office) -> None:
    office.zendesk.edit("tickets", "1", {"order": "1001", "order_status": "open"})
    office.zendesk.calls.clear()
    pages = office.pull("tickets", "start_time=0")
    exported = office.http.last()
    told = {r.id: r.raw for r in everything(pages)}
    sent, named = told["1"].split(b',"order":')
    assert json.loads(named[:-1]) == {"number": "1001", "status": "order_open"}
    assert b'"custom_fields"' in sent
    assert all(raw == told[id_] for id_, raw in told.items() if id_ != "1" and b'"order":' not in raw)
    assert exported.status_code == 200
    assert [path for _, path, _ in office.zendesk.calls].count("/api/v2/ticket_fields.json") == 1


def test_a_promised_price_is_named_with_what_it_is_for(office: Office) -> None:
    office.zendesk.edit("tickets", "1", {"order": "1001", **PROMISED})
    [raw] = [r.raw for r in everything(office.pull("tickets", "start_time=0")) if r.id == "1"]
    said = {"sku": "OM-1000", "quantity": "12", "price": "9.50", "currency": "eur"}
    assert json.loads(raw)["promise"] == said
    assert json.loads(raw)["order"] == {"number": "1001"}


@pytest.mark.parametrize("price", [9.5, 0, "0"])
def test_a_price_may_come_as_a_number_and_nothing_may_be_asked_for(office: Office, price: Any) -> None:
    numbers = {title: id_ for id_, _, title in CUSTOM.values()}
    held = [{"id": numbers["Promised price"], "value": price}, {"id": numbers["Quantity"], "value": 12}]
    office.zendesk.edit_as("Ada", "tickets", "1", {"custom_fields": held})
    [raw] = [r.raw for r in everything(office.pull("tickets", "start_time=0")) if r.id == "1"]
    assert json.loads(raw)["promise"] == {"price": price, "quantity": 12}


@pytest.mark.parametrize("price", [None, "", False])
def test_a_product_without_a_promised_price_is_no_promise(office: Office, price: Any) -> None:
    office.zendesk.edit("tickets", "1", {"order": "1001", **PROMISED, "promised_price": price})
    [raw] = [r.raw for r in everything(office.pull("tickets", "start_time=0")) if r.id == "1"]
    assert json.loads(raw)["order"] == {"number": "1001"}
    assert b'"promise"' not in raw


def test_an_account_without_such_fields_is_asked_once_and_tells_nothing(office: Office) -> None:
    office.zendesk.calls.clear()
    office.zendesk.edit_as("Ada", "tickets", "1", {"custom_fields": [{"id": 77, "value": "#1001"}]})
    office.zendesk.edit_as("Ada", "tickets", "2", {"custom_fields": [{"id": 77, "value": "#1002"}]})
    assert all(b'"order":' not in r.raw for r in everything(office.pull("tickets", "start_time=0")))
    assert [path for _, path, _ in office.zendesk.calls].count("/api/v2/ticket_fields.json") == 1


def test_junk_and_gaps_are_shown_as_they_are(office: Office) -> None:
    office.zendesk.seed(
        [user(7, phone="n/a", last_name="x" * 300, email=None, language="german", marketing_consent=None)]
    )

    [record] = [r for r in everything(office.pull("users")) if r.id == office.id("users", 7)]
    shown = json.loads(record.raw)

    assert (shown["phone"], len(shown["name"]), shown["locale"]) == ("n/a", 305, "german")
    assert (shown.get("email"), shown["user_fields"]["marketing_consent"]) == (None, None)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_field_zendesk_holds_is_mapped(stream: str) -> None:
    assert set(HELD["ticketing", stream]) <= set(connector.stream(stream).map)


def test_changing_one_part_of_a_name_keeps_the_other(office: Office) -> None:
    office.zendesk.edit("users", office.id("users", 1), {"last_name": "Schulz"})
    assert office.look("users", office.id("users", 1))[office.id("users", 1)]["name"] == "Anna Schulz"


# -- logging in, limits ----------------------------------------------------------------------------------------------


def test_a_wrong_token_is_a_setting_to_put_right(office: Office) -> None:
    http = open_client(connector, {**office.settings, "api_token": "wrong"})
    with pytest.raises(ConfigError, match="zendesk: the credentials were refused"):
        http.get_ok("/api/v2/users.json")


def test_a_refusal_for_too_many_exports_is_no_json_and_is_waited_out(office: Office) -> None:
    quota = Quota(1, 60, "/incremental/")
    office.zendesk.quotas = [Quota(9, 60), quota]

    def wait(wait_s: float) -> None:
        office.waits.append(wait_s)
        quota.made.clear()

    office.http.wait = wait
    office.pull("users", "start_time=0")
    url = f"{office.settings['url']}/api/v2/incremental/users/cursor?start_time=0"
    refused = requests.get(url, auth=AUTH, timeout=5)
    assert refused.status_code == 429
    assert refused.headers["Content-Type"].startswith("text/html")
    assert (refused.headers["Retry-After"], refused.headers["X-Rate-Limit"]) == ("60", "9")
    assert len(everything(office.pull("users", "start_time=0"))) == 3
    assert office.waits == [60.0]


def test_a_start_time_of_this_minute_is_refused_and_never_asked_for(office: Office) -> None:
    young = int(office.clock().timestamp()) - 10
    answer = office.http.get("/api/v2/incremental/users/cursor.json", params={"start_time": young})
    assert answer.status_code == 422

    assert everything(office.pull("organizations", f"start_time={young}")) == []


def test_a_page_larger_than_the_vendor_allows_is_refused(office: Office) -> None:
    for path in ("users?page[size]=101", "incremental/users/cursor?start_time=0&per_page=1001"):
        assert office.http.get(f"/api/v2/{path}").status_code == 400
    ids = ",".join(str(n) for n in range(101))
    assert office.http.get("/api/v2/users/show_many", params={"ids": ids}).status_code == 400


# -- writing ---------------------------------------------------------------------------------------------------------


def test_what_is_written_to_a_user_is_what_is_read_again(office: Office) -> None:
    push = connector.stream("users").push
    assert push is not None
    wishes: dict[str, str | None] = {
        "first_name": "Änne", "last_name": "von Berg", "phone": "+49 40 99", "language": "en",
    }  # fmt: skip
    assert set(wishes) == set(push.fields)

    assert office.push("users", office.row("users", 1, **wishes)) == [(1, Outcome.WRITTEN, "")]

    [record] = [r for r in everything(office.pull("users")) if r.id == office.id("users", 1)]
    fields, shown = connector.stream("users").fields, json.loads(record.raw)
    assert isinstance(fields["first_name"], FullName)
    language = fields["language"]
    assert isinstance(language, Codes)
    assert (shown["name"], shown["phone"]) == ("Änne von Berg", "+49 40 99")
    assert language.codes[shown["locale"]] == "en"


def test_a_new_domain_takes_the_first_place_and_leaves_the_others(office: Office) -> None:
    id_ = office.id("organizations", 1)
    office.http.put(f"/api/v2/organizations/{id_}", json={"organization": {"domain_names": ["a.example", "b.example"]}})

    assert office.push("organizations", office.row("organizations", 1, domain="neu.example")) == [
        (1, Outcome.WRITTEN, "")
    ]
    assert office.look("organizations", id_)[id_]["domain_names"] == ["neu.example", "b.example"]

    office.push("organizations", office.row("organizations", 1, domain="b.example"))
    assert office.look("organizations", id_)[id_]["domain_names"] == ["b.example"]


def test_one_bad_row_of_a_job_is_refused_and_the_others_are_written(office: Office) -> None:
    rows = [office.row("users", n, phone=phone) for n, phone in ((1, "+49 1"), (2, "n/a"), (3, "+49 3"))]

    assert office.job("users", *rows) == [
        (1, Outcome.WRITTEN, ""),
        (2, Outcome.REFUSED, "RecordInvalid"),
        (3, Outcome.WRITTEN, ""),
    ]
    assert office.push("users", rows[1]) == [(2, Outcome.REFUSED, "InvalidValue")]
    found = office.look("users", *(office.id("users", n) for n in (1, 2, 3)))
    assert [user["phone"] for user in found.values()] == ["+49 1", "+49 30 1", "+49 3"]


@pytest.mark.parametrize("way", [Office.push, Office.job])
def test_a_user_deleted_since_it_was_read_is_drifted_and_not_seen_again(office: Office, way: Any) -> None:
    row = office.row("users", 1, phone="+49 1")
    office.http.delete(f"/api/v2/users/{row.id}.json")

    assert way(office, "users", row) == [(1, Outcome.DRIFTED, "RecordNotFound")]
    assert list(office.look("users", office.id("users", 1), office.id("users", 2))) == [office.id("users", 2)]


def test_a_job_is_waited_for_until_its_end(office: Office) -> None:
    office.zendesk.options = {"job_polls": 3}
    assert office.job("users", office.row("users", 1, phone="+49 1")) == [(1, Outcome.WRITTEN, "")]
    assert office.waits == [0.1, 0.2, 0.4]


def test_more_than_the_allowed_number_of_jobs_waits_for_the_others_to_end(office: Office) -> None:
    office.zendesk.options = {"job_polls": 1, "max_jobs": 1}
    body = {"users": [{"id": int(office.id("users", 2)), "phone": "+49 2"}]}
    other = office.http.put("/api/v2/users/update_many.json", json=body).json()["job_status"]["id"]

    def wait(wait_s: float) -> None:
        office.waits.append(wait_s)
        requests.get(f"{office.settings['url']}/api/v2/job_statuses/{other}", auth=AUTH, timeout=5)

    office.http.wait = wait
    assert office.job("users", office.row("users", 1, phone="+49 1")) == [(1, Outcome.WRITTEN, "")]
    assert office.waits[0] == 1.0


def test_jobs_that_never_end_leave_ours_for_another_time(office: Office) -> None:
    office.zendesk.options = {"job_polls": 1, "max_jobs": 1}
    office.http.put("/api/v2/users/update_many", json={"users": [{"id": int(office.id("users", 2)), "notes": "x"}]})

    with pytest.raises(RateLimited):
        office.job("users", office.row("users", 1, phone="+49 1"))


def test_a_job_of_more_than_a_hundred_is_refused_as_a_whole(office: Office) -> None:
    with pytest.raises(RejectedRecord) as refusal:
        office.job("users", *[office.row("users", 1, phone="+49 1")] * 101)
    assert refusal.value.status == 400


def test_a_job_that_fails_leaves_unknown_what_it_wrote(office: Office) -> None:
    office.zendesk.options = {"job_fails": True}
    with pytest.raises(RetryableError, match=r"zendesk: job .* failed"):
        office.job("users", office.row("users", 1, phone="+49 1"))


@pytest.mark.parametrize("results", ["told", "indexed"])
def test_each_row_of_a_job_gets_its_own_result_in_whatever_order(office: Office, results: str) -> None:
    office.zendesk.options = {"job_results": results}
    phones = ("+49 1", "n/a", "+49 3")
    assert office.job("users", *(office.row("users", n, phone=p) for n, p in enumerate(phones, 1))) == [
        (1, Outcome.WRITTEN, ""),
        (2, Outcome.REFUSED, "RecordInvalid"),
        (3, Outcome.WRITTEN, ""),
    ]
    made = office.create("users", *(office.new(n, first_name=f"Neu {n}", phone=p) for n, p in enumerate(phones, 4)))

    assert [answer.outcome for answer in made] == [Outcome.WRITTEN, Outcome.REFUSED, Outcome.WRITTEN]
    names = {id_: user["name"] for id_, user in office.find("users", "Golden-4", "Golden-5", "Golden-6").items()}
    assert names == {made[0].id: "Neu 4", made[2].id: "Neu 6"}


def test_a_row_the_results_do_not_name_is_left_for_the_hub_to_look_at(office: Office) -> None:
    rows = [office.new(1), office.new(2)]
    assert placed([{"index": 1, "id": 7}, {"index": 0, "id": 8}], rows) == {
        0: {"index": 0, "id": 8},
        1: {"index": 1, "id": 7},
    }
    assert placed([{"id": 8}], rows) == {}
    assert placed([{"index": 1, "id": 7}, {"id": 8}], rows) == {1: {"index": 1, "id": 7}}
    assert placed([{"id": 8, "external_id": "golden-2"}], rows) == {1: {"id": 8, "external_id": "golden-2"}}


def test_many_rows_go_by_job_and_few_one_by_one() -> None:
    for stream in ("users", "organizations"):
        push = connector.stream(stream).push
        assert push is not None
        assert push.many is not None
        assert (push.batch, push.many.above, push.many.batch) == (1, MANY, 100)


@pytest.mark.parametrize("way", [Office.push, Office.job])
def test_two_writes_that_met_are_tried_again_and_then_put_off(office: Office, way: Any) -> None:
    row = office.row("users", 1, phone="+49 1")
    office.zendesk.whim = lambda: True
    assert way(office, "users", row) == [(1, Outcome.DEFERRED, "DatabaseConflict")]

    met = iter([True, False])
    office.zendesk.whim = lambda: next(met)
    assert office.push("users", row) == [(1, Outcome.WRITTEN, "")]


# -- creating --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("imports", [True, False])
def test_users_are_made_once_whether_imports_are_switched_on_or_not(office: Office, imports: bool) -> None:
    office.zendesk.options = {"bulk_import": imports}
    row = office.new(1, first_name="Nora", last_name="Neu", email="nora@firma.example", language="fr")

    [first], [again] = office.create("users", row), office.create("users", row)

    assert (first.outcome, again.outcome, again.id) == (Outcome.WRITTEN, Outcome.WRITTEN, first.id)
    [(id_, shown)] = office.find("users", "golden-1", "nobody").items()  # external ids know no case
    assert (id_, shown["name"], shown["external_id"], shown["locale"]) == (first.id, "Nora Neu", "Golden-1", "fr")
    assert office.zendesk.state.count("users") == 4


def test_nobody_is_sent_a_mail_because_the_hub_made_a_user(office: Office) -> None:
    seen: list[bytes] = []
    office.http.hooks["response"].append(lambda answer, **_: seen.append(answer.request.body or b""))
    for imports in (True, False):
        office.zendesk.options = {"bulk_import": imports}
        office.create("users", office.new(1, first_name="Nora", email="nora@firma.example"))

    sent = [user for body in seen if b"Nora" in body for user in _users(json.loads(body))]
    assert [user["skip_verify_email"] for user in sent] == [True] * 3  # the job, the job refused, one by one


def _users(body: dict[str, Any]) -> list[dict[str, Any]]:
    return list(body["users"]) if "users" in body else [body["user"]]


def test_more_new_users_than_a_job_takes_are_several_jobs(office: Office) -> None:
    made = office.create("users", *(office.new(n, first_name=f"Neu {n}") for n in range(1, 121)))
    assert len({answer.id for answer in made if answer.outcome is Outcome.WRITTEN}) == 120


def test_organizations_are_made_once_and_a_name_in_use_is_a_duplicate(office: Office) -> None:
    row = office.new(1, "organizations", name="Neu GmbH", domain="neu.example")
    [first], [again] = office.create("organizations", row), office.create("organizations", row)
    assert (first.outcome, again.outcome, again.id) == (Outcome.WRITTEN, Outcome.WRITTEN, first.id)
    assert list(office.find("organizations", "Golden-1")) == [first.id]

    [taken] = office.create("organizations", office.new(2, "organizations", name="firma 1"))
    assert (taken.outcome, taken.code, taken.id) == (Outcome.REFUSED, "DuplicateValue", None)
    assert "already being used" in taken.message


def test_an_organization_of_which_only_the_domain_is_known_is_called_by_it(office: Office) -> None:
    [made] = office.create("organizations", office.new(1, "organizations", domain="neu.example"))
    [shown] = office.find("organizations", "Golden-1").values()
    assert (str(shown["id"]), shown["name"]) == (made.id, "neu.example")


# -- tickets ---------------------------------------------------------------------------------------------------------


def wish(office: Office, id_: str, **body: Any) -> Row:
    [record] = [r for page in tickets.look(office.http, [id_]) for r in page.records]
    return Row(1, Op.UPDATE, id_, body, {}, {}, "g", json.loads(record.raw))


def test_a_ticket_is_changed_only_over_the_state_that_was_looked_at(office: Office) -> None:
    row = wish(office, "1", subject="Meins")
    office.clock.on(seconds=2)
    office.zendesk.edit("tickets", "1", {"subject": "Ihres"})

    [late] = tickets.update(office.http, [row])
    assert (late.outcome, late.code) == (Outcome.DRIFTED, "UpdateConflict")
    [good] = tickets.update(office.http, [wish(office, "1", subject="Meins")])
    assert good.outcome is Outcome.WRITTEN
    assert office.zendesk.state.get("tickets", "1").body["subject"] == "Meins"  # type: ignore[union-attr]


def test_a_ticket_written_though_the_answer_was_lost_is_not_called_drifted(office: Office) -> None:
    row = wish(office, "1", subject="Meins")
    office.clock.on(seconds=2)
    tickets_own = {"ticket": {"subject": "Meins"}}
    office.http.put("/api/v2/tickets/1.json", json=tickets_own)  # ours, that nobody told us of

    [answer] = tickets.update(office.http, [row])
    assert answer.outcome is Outcome.WRITTEN


def test_closed_tickets_and_tickets_nobody_looked_at_are_not_written(office: Office) -> None:
    office.zendesk.seed([ticket(8, status="closed")])
    [closed] = tickets.update(office.http, [wish(office, "8", subject="Meins")])
    [blind] = tickets.update(office.http, [Row(1, Op.UPDATE, "1", {"subject": "Meins"}, {}, {}, "g")])

    assert (closed.outcome, closed.code) == (Outcome.REFUSED, "InvalidValue")
    assert (blind.outcome, blind.code) == (Outcome.REFUSED, "no_version")


def test_a_ticket_for_a_key_is_made_once_even_after_the_header_is_forgotten(office: Office) -> None:
    def create(subject: str, **more: Any) -> Answer:
        row = Row(1, Op.CREATE, None, {"subject": subject, **more}, {}, {}, "finding-7")
        [answer] = tickets.create(office.http, [row])
        return answer

    first = create("Two prices")
    office.clock.on(hours=3)
    again = create("Three prices", comment={"body": "said before"})

    assert (first.outcome, again.outcome, again.id) == (Outcome.WRITTEN, Outcome.WRITTEN, first.id)
    [found] = [json.loads(r.raw) for page in tickets.find(office.http, ["finding-7"]) for r in page.records]
    assert found["subject"] == "Three prices"
    [comment] = office.http.get(f"/api/v2/tickets/{first.id}/comments").json()["comments"]
    assert (comment["body"], comment["public"]) == ("Two prices", False)


def test_a_key_whose_ticket_is_not_shown_yet_makes_no_second_one(office: Office) -> None:
    body = {"ticket": {"subject": "A", "comment": {"body": "A"}}}
    office.http.post("/api/v2/tickets.json", json=body, headers={"Idempotency-Key": "finding-7"})

    [answer] = tickets.create(office.http, [Row(1, Op.CREATE, None, {"subject": "B"}, {}, {}, "finding-7")])

    assert (answer.outcome, answer.code) == (Outcome.DEFERRED, "IdempotentRequestError")
    assert office.zendesk.state.count("tickets") == 3


# -- what later work leans on ----------------------------------------------------------------------------------------


def test_every_path_is_served_with_and_without_its_suffix(office: Office) -> None:
    for path in ("users", "users/show_many", f"users/{office.id('users', 1)}", "search", "organization_fields"):
        for suffix in ("", ".json"):
            assert office.http.get(f"/api/v2/{path}{suffix}", params={"query": "type:user"}).status_code == 200


def test_an_email_or_a_name_in_use_is_a_duplicate(office: Office) -> None:
    def errors(answer: requests.Response) -> list[str]:
        return [fault["error"] for faults in answer.json()["details"].values() for fault in faults]

    email = office.http.post("/api/v2/users", json={"user": {"name": "Neu", "email": "ANNA1@firma.example"}})
    name = office.http.post("/api/v2/organizations/create_or_update", json={"organization": {"name": "firma 1"}})

    assert (email.status_code, errors(email)) == (422, ["DuplicateValue"])
    assert (name.status_code, errors(name)) == (422, ["DuplicateValue"])


def test_create_or_update_finds_a_user_by_email_whatever_its_case(office: Office) -> None:
    def send(email: str) -> requests.Response:
        return office.http.post("/api/v2/users/create_or_update", json={"user": {"name": "Anna M", "email": email}})

    assert (send("Anna1@firma.example").status_code, send("neu@firma.example").status_code) == (200, 201)
    assert office.zendesk.state.count("users") == 4


def test_bulk_imports_are_forbidden_where_they_are_not_switched_on(office: Office) -> None:
    body = {"users": [{"name": "Neu", "email": "neu@firma.example"}]}
    for allowed, status in ((True, 200), (False, 403)):
        office.zendesk.options = {"bulk_import": allowed}
        assert office.http.post("/api/v2/users/create_or_update_many", json=body).status_code == status


def test_a_ticket_changed_in_the_meantime_refuses_a_safe_update(office: Office) -> None:
    stamp = office.http.get("/api/v2/tickets/1").json()["ticket"]["updated_at"]
    office.zendesk.edit("tickets", "1", {"subject": "Neu"})

    def update(**extra: Any) -> requests.Response:
        return office.http.put("/api/v2/tickets/1", json={"ticket": {"subject": "Meins", **extra}})

    assert update(safe_update=True, updated_stamp=stamp).json()["error"] == "UpdateConflict"
    assert update(safe_update=False, updated_stamp=stamp).status_code == 409
    assert update().status_code == 200


def test_a_ticket_is_created_once_for_a_key(office: Office) -> None:
    def create(subject: str) -> requests.Response:
        body = {"ticket": {"subject": subject, "comment": {"body": "x", "public": False}}}
        return office.http.post("/api/v2/tickets", json=body, headers={"Idempotency-Key": "k"})

    first, again, other = create("A"), create("A"), create("B")

    assert (first.headers["x-idempotency-lookup"], again.headers["x-idempotency-lookup"]) == ("miss", "hit")
    assert again.json() == first.json()
    assert (other.status_code, other.json()["error"]) == (400, "IdempotentRequestError")


def test_search_knows_types_fields_and_words(office: Office) -> None:
    def ids(query: str) -> list[int]:
        return [
            found["id"] for found in office.http.get("/api/v2/search.json", params={"query": query}).json()["results"]
        ]

    assert ids("type:user email:anna2@firma.example") == [int(office.id("users", 2))]
    assert ids('type:organization "Firma 3"') == [int(office.id("organizations", 3))]


def test_a_user_forgotten_for_good_leaves_no_personal_data(office: Office) -> None:
    id_ = office.id("users", 1)
    assert office.http.delete(f"/api/v2/deleted_users/{id_}").status_code == 404
    office.http.delete(f"/api/v2/users/{id_}")
    office.http.delete(f"/api/v2/deleted_users/{id_}")

    [gone] = office.http.get("/api/v2/deleted_users").json()["deleted_users"]
    assert (gone["name"], gone["email"], gone["active"]) == ("Permanently Deleted User", "", False)


# -- forgetting ------------------------------------------------------------------------------------------------------


def test_who_is_forgotten_stays_as_a_deleted_user_nobody_knows_and_the_tickets_stay(office: Office) -> None:
    office.close_tickets()
    id_, cursor = office.id("users", 1), office.pull("users")[-1].cursor

    [answer] = office.forget(id_)

    assert (answer.outcome, answer.id) == (Outcome.WRITTEN, id_)
    office.clock.on(minutes=10)
    [gone] = everything(office.pull("users", cursor))
    assert (gone.id, gone.deleted) == (id_, True)
    for raw in (gone.raw, office.http.get(f"/api/v2/users/{id_}").content):
        assert b"anna1" not in raw
        assert b"Meyer" not in raw
    assert id_ not in {record.id for record in everything(office.pull("users", complete=True))}
    assert office.http.get("/api/v2/tickets/1").json()["ticket"]["requester_id"] == int(id_)


def test_a_deleted_user_is_only_hidden_and_is_forgotten_as_well(office: Office) -> None:
    office.close_tickets()
    first, second = office.id("users", 1), office.id("users", 2)
    office.http.delete(f"/api/v2/users/{first}")
    office.http.put(f"/api/v2/users/{second}/merge", json={"user": {"id": int(office.id("users", 3))}})
    for id_, address in ((first, "anna1"), (second, "anna2")):
        assert address in office.http.get(f"/api/v2/users/{id_}").text

    assert [answer.outcome for answer in office.forget(first, second)] == [Outcome.WRITTEN] * 2

    shown = json.dumps([obj.body for obj in office.zendesk.state.all()])
    assert "anna1" not in shown
    assert "anna2" not in shown
    assert "anna3" in shown


def test_a_ticket_that_is_not_closed_keeps_its_user_and_an_agent_is_told_to_close_it(office: Office) -> None:
    office.zendesk.edit("tickets", "1", {"status": "open"})
    office.zendesk.edit("tickets", "2", {"status": "solved"})  # just now: in four weeks Zendesk closes it
    kept, gone = office.forget(office.id("users", 1), office.id("users", 2))

    assert (kept.outcome, kept.code, gone.outcome) == (Outcome.REFUSED, "InvalidValue", Outcome.WRITTEN)
    assert "2 ticket(s) that are not closed" in kept.message
    assert "close them, and ask again" in kept.message
    assert office.look("users", office.id("users", 1))[office.id("users", 1)]["active"] is True

    office.close_tickets()
    assert [answer.outcome for answer in office.forget(office.id("users", 1))] == [Outcome.WRITTEN]


def test_who_is_forgotten_twice_or_never_was_there_is_gone(office: Office) -> None:
    office.forget(office.id("users", 2))
    writes = office.zendesk.state.writes

    answers = office.forget(office.id("users", 2), "370999999999")

    assert [answer.outcome for answer in answers] == [Outcome.WRITTEN] * 2
    assert office.zendesk.state.writes == writes


def test_a_token_that_may_not_delete_users_is_said_of_each_of_them(office: Office) -> None:
    office.zendesk.options = {"may_delete": False}
    answers = office.forget(office.id("users", 2), office.id("users", 3))
    assert [(answer.outcome, answer.code) for answer in answers] == [(Outcome.REFUSED, "403")] * 2
    assert "administrator" in answers[0].message


@pytest.mark.parametrize("after", [0, 1])
def test_an_answer_lost_between_the_two_steps_or_after_them_does_no_harm(office: Office, after: int) -> None:
    steps = iter(range(after))

    def wait(wait_s: float) -> None:
        if next(steps, None) is None:
            office.zendesk.faults.switch_off()

    office.http.wait = wait
    office.zendesk.faults.switch_on("500 after commit", rate=1.0)
    try:
        [answer] = office.forget(office.id("users", 2))
    finally:
        office.zendesk.faults.switch_off()

    assert answer.outcome is Outcome.WRITTEN
    assert "anna2" not in json.dumps([obj.body for obj in office.zendesk.state.all()])


def test_more_deletions_for_good_than_zendesk_allows_are_waited_for_or_left_for_the_next_time(office: Office) -> None:
    quota = Quota(1, 600, "/deleted_users/")
    office.zendesk.quotas = [quota]
    ids = [office.id("users", n) for n in (2, 3)]

    gone, later = office.forget(*ids)

    assert (gone.outcome, later.outcome, later.code) == (Outcome.WRITTEN, Outcome.DEFERRED, "LATER")
    office.zendesk.quotas = []
    assert [answer.outcome for answer in office.forget(*ids)] == [Outcome.WRITTEN] * 2
    assert "anna3" not in json.dumps([obj.body for obj in office.zendesk.state.all()])


# -- against the official contract -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contract() -> OpenAPI:
    path = CONTRACTS / "zendesk" / "support-subset.strict.yaml"
    if not path.exists():
        pytest.skip("contracts not found")
    return OpenAPI.from_path(path)


class Plain(RequestsOpenAPIRequest):
    """A call as the contract knows it: on its server, without .json, and always with a start time.

    Its own example of a cursor has none, so asking for both is a slip of the contract.
    """

    def __init__(self, request: requests.PreparedRequest) -> None:
        url = re.sub(r"^http://[^/]+", "http://localhost", (request.url or "").replace(".json", ""))
        if "cursor=" in url:
            url += "&start_time=0"
        copy = request.copy()
        copy.url = url
        super().__init__(copy)


def check(contract: OpenAPI, answer: requests.Response) -> None:
    request = Plain(answer.request)
    contract.validate_request(request)
    contract.validate_response(request, RequestsOpenAPIResponse(answer))


def test_every_call_of_the_connector_is_as_the_contract_says(office: Office, contract: OpenAPI) -> None:
    seen: list[requests.Response] = []
    office.http.hooks["response"].append(lambda answer, **_: seen.append(answer))

    for stream in STREAMS:
        cursor = last_cursor(office.pull(stream))
        office.zendesk.edit(stream, office.id(stream, 1), {"name": "Neu"})
        office.pull(stream, cursor)
    office.clock.on(hours=1)
    cursor = last_cursor(office.pull("organizations"))
    office.clock.on(hours=1)
    merged(office, 3, 1)
    office.clock.on(hours=1)
    office.pull("organizations", cursor)
    rows = [office.row("users", 1, phone="+49 1"), office.row("users", 2, phone="n/a")]
    office.job("users", *rows)
    office.push("users", *rows)
    office.push("organizations", office.row("organizations", 1, domain="neu.example"))
    office.job("organizations", office.row("organizations", 1, domain="neuer.example"))
    people = [office.new(n, first_name="Neu", email=f"neu{n}@firma.example", phone=p) for n, p in ((4, "1"), (5, "x"))]
    for imports in (True, False, True):
        office.zendesk.options = {"bulk_import": imports}
        office.create("users", *people)
    for _ in range(2):
        office.create("organizations", office.new(1, "organizations", name="Neu GmbH", domain="neu.example"))
    office.find("users", "Golden-4")
    office.find("organizations", "Golden-1")
    for subject in ("A", "B"):
        list(tickets.create(office.http, [Row(1, Op.CREATE, None, {"subject": subject}, {}, {}, "finding-7")]))
    list(tickets.update(office.http, [wish(office, "1", subject="Meins")]))

    for answer in seen:
        contract.validate_request(Plain(answer.request))
        if answer.status_code < 300:  # the contract has no refusals
            check(contract, answer)
    assert {answer.status_code for answer in seen} == {200, 201, 403, 422}
    assert {(answer.request.method, _shape(answer.url)) for answer in seen} == CALLS


def _shape(url: str) -> str:
    path = url.partition("?")[0].rpartition("/api/v2/")[2].removesuffix(".json")
    return re.sub(r"/[0-9a-f]{32}|/\d+", "/…", path)


CALLS = {
    ("GET", "organizations"), ("GET", "users"), ("GET", "tickets"), ("GET", "incremental/organizations"),
    ("GET", "incremental/users/cursor"), ("GET", "incremental/tickets/cursor"), ("GET", "organizations/…/merges"),
    ("POST", "organizations/…/merge"), ("GET", "users/show_many"), ("GET", "organizations/show_many"),
    ("GET", "tickets/show_many"), ("PUT", "users/…"), ("PUT", "organizations/…"), ("PUT", "tickets/…"),
    ("PUT", "users/update_many"), ("PUT", "organizations/update_many"), ("GET", "job_statuses/…"),
    ("POST", "users/create_or_update_many"), ("POST", "users/create_or_update"),
    ("POST", "organizations/create_or_update"), ("POST", "tickets"),
}  # fmt: skip


def test_the_stand_in_answers_other_calls_as_the_contract_says(office: Office, contract: OpenAPI) -> None:
    http, first, second = office.http, office.id("users", 1), office.id("users", 2)
    answers = [
        http.post("/api/v2/users/create_or_update", json={"user": {"name": "Neu", "email": "neu@firma.example"}}),
        http.post("/api/v2/organizations/create_or_update", json={"organization": {"name": "Neu"}}),
        http.put(f"/api/v2/users/{second}/merge", json={"user": {"id": int(first)}}),
        http.delete(f"/api/v2/users/{first}"),
        http.get("/api/v2/deleted_users"),
        http.get(f"/api/v2/deleted_users/{first}"),
        http.get(f"/api/v2/organizations/{office.id('organizations', 1)}"),
        http.post(
            f"/api/v2/organizations/{office.id('organizations', 2)}/merge",
            json={"organization_merge": {"winner_id": int(office.id("organizations", 1))}},
        ),
        http.post("/api/v2/tickets", json={"ticket": {"subject": "A", "comment": {"body": "x"}}}),
        http.get("/api/v2/tickets/1"),
        http.get("/api/v2/tickets/1/comments"),
        http.get("/api/v2/search", params={"query": "type:organization Neu"}),
        http.post("/api/v2/users/create_or_update_many", json={"users": [{"name": "X", "email": "x@firma.example"}]}),
        http.get(f"/api/v2/organizations/{office.id('organizations', 1)}/merges"),
        http.get("/api/v2/users/search", params={"external_id": "nobody"}),
        http.delete("/api/v2/tickets/2"),
        http.get("/api/v2/deleted_tickets"),
    ]
    assert {answer.status_code for answer in answers} <= {200, 201, 204}
    assert [gone["id"] for gone in answers[-1].json()["deleted_tickets"]] == [2]
    for answer in answers:
        check(contract, answer)


# -- findings shown among the agents ---------------------------------------------------------------------------------


def told(title: str, key: str = "omnihub-1", about: str = "users") -> Notice:
    return Notice(key, "7", about, title, f"- {title}", "high")


def test_a_finding_is_one_private_ticket_of_no_customers_and_is_not_read_as_one(office: Office) -> None:
    place = connector.place
    assert place
    [made] = place.put(office.http, [(told("Erst"), None)])
    [again] = place.put(office.http, [(told("Dann"), None)])
    assert (made.outcome, again.id) == (Outcome.WRITTEN, made.id)
    shown = office.http.get(f"/api/v2/tickets/{made.id}").json()["ticket"]
    assert (shown["subject"], shown["priority"], shown["requester_id"]) == ("Dann", "high", 1)
    comments = office.http.get(f"/api/v2/tickets/{made.id}/comments").json()["comments"]
    assert [c["public"] for c in comments] == [False, False]
    assert comments[0]["body"].endswith("/agent/users/7")
    assert str(made.id) not in {r.id for r in everything(office.pull("tickets", complete=True))}


def test_what_comes_back_after_its_ticket_was_closed_for_good_is_a_new_ticket(office: Office) -> None:
    place = connector.place
    assert place
    assert place.read
    [made] = place.put(office.http, [(told("Erst"), None)])
    office.zendesk.edit_as("Petra Vogt", "tickets", str(made.id), {"status": "closed"})
    [seen] = place.read(office.http, [("omnihub-1", made.id)])
    assert (seen.state, seen.by) == (Standing.CLOSED, "Petra Vogt")
    [new] = place.put(office.http, [(told("Erst"), made.id)])
    assert new.outcome is Outcome.WRITTEN
    assert new.id not in (None, made.id)
    [same] = place.put(office.http, [(told("Dann"), None)])
    assert same.id == new.id
    [cleared] = place.clear(office.http, [("omnihub-1", new.id)])
    assert cleared.outcome is Outcome.WRITTEN
    assert office.http.get(f"/api/v2/tickets/{new.id}").json()["ticket"]["status"] == "solved"


def test_who_solved_a_ticket_is_told_as_the_contract_says(office: Office, contract: OpenAPI) -> None:
    assert connector.place
    [made] = connector.place.put(office.http, [(told("Erst"), None)])
    office.zendesk.edit_as("Petra Vogt", "tickets", str(made.id), {"status": "solved"})
    check(contract, office.http.get(f"/api/v2/tickets/{made.id}/audits"))
    check(contract, office.http.get("/api/v2/users/me"))


def test_what_was_told_by_mistake_is_deleted_and_told_in_the_same_words_again_it_is_a_living_ticket(
    office: Office, contract: OpenAPI
) -> None:
    place = connector.place
    assert place
    assert place.read
    [made] = place.put(office.http, [(told("Erst"), None)])
    [removed] = place.remove(office.http, [("omnihub-1", None)])
    assert removed.outcome is Outcome.WRITTEN
    assert office.http.get(f"/api/v2/tickets/{made.id}").status_code == 404
    assert list(place.read(office.http, [("omnihub-1", made.id)])) == []
    check(contract, office.http.get("/api/v2/deleted_tickets"))
    [new] = place.put(office.http, [(told("Erst"), None)])  # which Zendesk, for two hours, would answer as before
    assert new.id not in (None, made.id)
    [seen] = place.read(office.http, [("omnihub-1", new.id)])
    assert seen.state is Standing.OPEN

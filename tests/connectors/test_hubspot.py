"""HubSpot, held against its stand-in: what is pulled, what is written, and that both speak the vendor's contract."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import hubspot
import pytest
import requests
from hubspot.crm.contacts.exceptions import ApiException, NotFoundException, UnauthorizedException
from hubspot.crm.objects.notes.exceptions import ApiException as NoteApiException
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from connectors.hubspot import CONSENTS, Client, connector
from connectors.hubspot.sandbox import OAUTH, HubSpot
from omnihub.errors import ConfigError, RateLimited, RejectedRecord
from omnihub.model import Op, Outcome
from omnihub.sandbox.copies import HELD, ROLES, Copy
from omnihub.sandbox.kit import Call, Quota, Reply, Running
from omnihub.sdk import Answer, Codes, Const, Limit, Page, Row, Want, open_client
from omnihub.sdk.http import nothing
from omnihub.sdk.reporting import Notice

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Unlimited:
    """A budget that never waits: the stand-in's own limits are tested, not the clock."""

    def take(self, method: str, path: str) -> Callable[[], None]:
        return nothing

    def told(self, wait_s: float) -> None:
        pass


class Account:
    """A HubSpot account being served, and the connector's client logged in to it. `clock` is HubSpot's own."""

    client: Client

    def __init__(self, copies: Iterable[Copy], options: dict[str, Any], kind: type[HubSpot] = HubSpot) -> None:
        self.clock = NOW
        self.there = kind(now=lambda: self.clock, **{"quotas": (), **options})
        self.there.seed(copies)
        self.running = Running([self.there])
        self.wire: list[requests.Response] = []

    def open(self, **settings: str) -> Client:
        url = self.running.urls["hubspot"]
        client: Client = open_client(connector, {"url": url, **HubSpot.credentials, **settings}, Unlimited())
        client.http.hooks["response"].append(lambda answer, **_: self.wire.append(answer))
        return client

    def pull(self, stream: str, since: str | None = None, complete: bool = False) -> list[Page]:
        pull = connector.stream(stream).pull
        assert pull is not None
        return list(pull(self.client, Want(since, complete, NOW)))

    def cursor(self, stream: str) -> str:
        [cursor] = [page.cursor for page in self.pull(stream) if page.cursor]
        return cursor

    def look(self, stream: str, *ids: str) -> list[Page]:
        push = connector.stream(stream).push
        assert push is not None
        return list(push.look(self.client, ids))

    def update(self, stream: str, *wishes: tuple[str, Mapping[str, str | None]]) -> list[Answer]:
        found = connector.stream(stream)
        assert found.push is not None
        rows = [
            Row(n, Op.UPDATE, id_, found.fields.body(fields), fields, {}, f"golden-{n}")
            for n, (id_, fields) in enumerate(wishes)
        ]
        return list(found.push.update(self.client, rows))

    def forget(self, *ids: str) -> list[Answer]:
        push = connector.stream("contacts").push
        assert push is not None
        assert push.erase is not None
        return list(push.erase(self.client, [Row(n, Op.UPDATE, id_, {}, {}, {}, "g") for n, id_ in enumerate(ids)]))

    def say(self, id_: str, state: str | None) -> Answer:
        """A consent, as whoever takes a customer's answer writes it."""
        [record] = [r for page in CONSENTS.look(self.client, [id_]) for r in page.records]
        body = connector.stream("consents").fields.body({"state": state})
        row = Row(0, Op.UPDATE, id_, body, {"state": state}, {}, "golden-0", json.loads(record.raw))
        [answer] = CONSENTS.update(self.client, [row])
        return answer

    def write(self, stream: str, id_: str, **fields: str | None) -> Answer:
        """One row, looked at just before, as the hub does it."""
        found = connector.stream(stream)
        assert found.push is not None
        [record] = [r for page in self.look(stream, id_) for r in page.records]
        row = Row(0, Op.UPDATE, id_, found.fields.body(fields), fields, {}, "golden-0", json.loads(record.raw))
        [answer] = found.push.update(self.client, [row])
        return answer

    def create(self, stream: str, *wishes: tuple[str, Mapping[str, str | None]]) -> list[Answer]:
        found = connector.stream(stream)
        assert found.push is not None
        assert found.push.create is not None
        rows = [
            Row(n, Op.CREATE, None, found.fields.body(fields), fields, {}, key)
            for n, (key, fields) in enumerate(wishes)
        ]
        return sorted(found.push.create(self.client, rows), key=lambda answer: answer.n)

    def find(self, stream: str, *keys: str) -> dict[str, Any]:
        push = connector.stream(stream).push
        assert push is not None
        assert push.find is not None
        return living(push.find(self.client, keys))

    def id(self, stream: str, n: int) -> str:
        return self.there.native_id(stream, n)

    def sdk(self, token: str = HubSpot.credentials["token"]) -> Any:
        """The vendor's own SDK with nothing of ours in it."""
        return hubspot.Client.create(access_token=token, host=self.running.urls["hubspot"])

    def calls(self, part: str) -> int:
        return sum(part in path for _, path, _ in self.there.calls)


_stopping = ThreadPoolExecutor(4)


@pytest.fixture(scope="module", autouse=True)
def all_stopped() -> Iterator[None]:
    yield
    _stopping.shutdown()


@contextmanager
def account(*copies: Copy, kind: type[HubSpot] = HubSpot, **options: Any) -> Iterator[Account]:
    served = Account(copies, options, kind)
    served.running.start()
    try:
        served.client = served.open()
        yield served
    finally:
        _stopping.submit(served.running.stop)  # takes a fifth of a second, which the next test need not wait for


def copy(stream: str, n: int, *, minutes_ago: float = 600, merged_into: int | None = None, **fields: Any) -> Copy:
    at = (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    gone = bool(fields.pop("deleted", False)) or merged_into is not None
    return Copy("marketing", stream, n, fields, "2025-01-01T00:00:00Z", at, gone, merged_into)


def people(count: int, **more: Any) -> list[Copy]:
    return [
        copy("contacts", n, minutes_ago=600 - n / 10, first_name=f"P{n}", email=f"p{n}@example.com", **more)
        for n in range(1, count + 1)
    ]


def living(pages: Iterable[Page]) -> dict[str, Any]:
    return {str(r.id): json.loads(r.raw) for page in pages for r in page.records if not r.deleted}


def dead(pages: Iterable[Page]) -> set[str]:
    return {str(r.id) for page in pages for r in page.records if r.deleted}


def gone(pages: Iterable[Page]) -> set[tuple[str, str | None]]:
    return {pair for page in pages for pair in page.gone}


def value(document: Any, path: str) -> Any:
    for part in path.split("."):
        if document is None:
            return None
        document = document[int(part)] if part.isdigit() else document.get(part)
    return document


# -- a complete pass ---------------------------------------------------------------------------------------------------


def test_a_complete_pass_shows_every_living_record_over_several_pages() -> None:
    with account(*people(250)) as there:
        pages = there.pull("contacts")

    assert set(living(pages)) == {there.id("contacts", n) for n in range(1, 251)}
    assert [len(page.records) for page in pages] == [0, 100, 100, 50]
    assert [page.complete for page in pages] == [False, False, False, True]
    assert pages[-1].total == 250


def test_the_cursor_of_a_complete_pass_is_the_newest_change_before_it_began() -> None:
    """So that what changes while the pages are read is read again by the next run."""
    with account(*people(150)) as there:
        pull = connector.stream("contacts").pull
        assert pull is not None
        pages = pull(there.client, Want(None, True, NOW))
        first = [next(pages), next(pages)]
        there.there.edit("contacts", there.id("contacts", 1), {"first_name": "Later"})  # listed already
        rest = list(pages)

        assert all(page.cursor is None for page in [*first, *rest[:-1]])
        assert rest[-1].cursor == "2026-11-21T02:15:00.000Z"
        assert (
            living(there.pull("contacts", rest[-1].cursor))[there.id("contacts", 1)]["properties"]["firstname"]
            == "Later"
        )


def test_an_empty_account_answers_with_a_page_and_no_cursor() -> None:
    with account() as there:
        pages = there.pull("deals")

    assert pages[-1].complete
    assert all(not page.records and page.cursor is None for page in pages)


def test_records_are_the_bytes_that_were_on_the_wire() -> None:
    with account(*people(3), copy("contacts", 9, first_name="Gone", deleted=True), copy("deals", 1, name="D")) as there:
        since = "2026-11-20T00:00:00.000Z"
        pages = there.pull("contacts") + there.pull("contacts", since) + there.pull("deals", since)
        bodies = [answer.content for answer in there.wire]

    found = [record for page in pages for record in page.records]
    assert len(found) == 3 + 1 + 3 + 1 + 1
    for record in found:
        assert any(record.raw in body for body in bodies)
    body = json.loads(next(b for b in bodies if found[-2].raw in b))
    assert value(body, found[-2].pointer.strip("/").replace("/", ".")) == json.loads(found[-2].raw)


def test_every_canonical_field_the_system_holds_is_mapped() -> None:
    for name, entity in ROLES["marketing"].items():
        stream = connector.stream(name)
        assert stream.entity is entity
        assert set(HELD["marketing", name]) <= set(stream.map)


def test_what_was_seeded_is_found_where_the_map_says() -> None:
    person: dict[str, Any] = {
        "first_name": "Zoë", "last_name": "Ünal", "email": "zoe@example.com", "phone": "n/a", "mobile": "+49 170 1",
        "job_title": "CTO", "language": "de", "company": "Acme", "city": "Köln", "country": "Germany",
        "consent_at": "2026-01-02T03:04:05Z",
    }  # fmt: skip
    with account(copy("contacts", 1, **person, marketing_consent="no"), copy("contacts", 2)) as there:
        records = living(there.pull("contacts"))

    full, empty = records[there.id("contacts", 1)], records[there.id("contacts", 2)]
    for field, path in connector.stream("contacts").fields.items():
        assert value(empty, path.path) is None
        if field in person:
            assert value(full, path.path) == person[field]
    consent = connector.stream("contacts").fields["marketing_consent"]
    assert isinstance(consent, Codes)
    assert consent.codes[value(full, consent.path)] == "no"


@pytest.mark.parametrize("stage", ["open", "quoted", "won", "lost"])
def test_stages_of_a_deal_have_hubspots_names(stage: str) -> None:
    with account(copy("deals", 1, stage=stage)) as there:
        [deal] = living(there.pull("deals")).values()

    where = connector.stream("deals").fields["stage"]
    assert isinstance(where, Codes)
    assert where.codes[value(deal, where.path)] == stage


def test_links_lead_to_the_linked_records() -> None:
    copies = [
        copy("companies", 4),
        copy("contacts", 5, account=4),
        copy("deals", 6, account=4, contact=5),
        copy("deals", 7),
        copy("line_items", 8, of=6),
    ]
    with account(*copies) as there:
        linked = {s: living(there.pull(s)) for s in ("contacts", "deals", "line_items")}

    def link(stream: str, n: int, field: str) -> Any:
        return value(linked[stream][there.id(stream, n)], connector.stream(stream).fields[field].path)

    assert link("contacts", 5, "account") == there.id("companies", 4)
    assert link("deals", 6, "account") == there.id("companies", 4)
    assert link("deals", 6, "contact") == there.id("contacts", 5)
    assert link("line_items", 8, "of") == there.id("deals", 6)
    assert "associations" not in linked["deals"][there.id("deals", 7)]


# -- since a cursor ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["companies", "contacts", "deals", "line_items"])
def test_an_incremental_pull_shows_an_edit_and_only_it(stream: str) -> None:
    quiet, newest = (copy(stream, n, minutes_ago=m, name="A") for n, m in ((1, 900), (3, 60)))
    with account(quiet, copy(stream, 2, minutes_ago=800, name="B"), newest) as there:
        since = there.cursor(stream)
        there.there.edit(stream, there.id(stream, 2), {"country": "AT", "amount": "7.50", "quantity": "3"})
        pages = there.pull(stream, since)

    # the newest one is inside the overlap
    assert set(living(pages)) == {there.id(stream, 2), there.id(stream, 3)}
    assert max(page.cursor or "" for page in pages) == "2026-11-21T12:00:00.000Z"
    assert not any(page.complete for page in pages)


def test_without_changes_the_cursor_stays() -> None:
    with account(*people(3)) as there:
        pages = there.pull("contacts", "2026-11-21T11:59:00.000Z")

    assert living(pages) == {}
    assert {page.cursor for page in pages} <= {None, "2026-11-21T11:59:00.000Z"}


def test_a_deal_looks_the_same_whether_it_was_listed_or_read_alone() -> None:
    copies = [copy("companies", 1), copy("contacts", 1), copy("deals", 1, name="D", account=1, contact=1, stage="won")]
    with account(*copies) as there:
        listed = living(there.pull("deals"))
        alone = living(there.pull("deals", "2026-11-20T00:00:00.000Z"))

    assert alone == listed
    assert there.calls("/deals/3") == 1


def test_many_changed_deals_are_read_by_listing_because_that_takes_fewer_calls() -> None:
    with account(*(copy("deals", n, name=f"D{n}") for n in range(1, 151))) as there:
        pages = there.pull("deals", "2026-11-20T00:00:00.000Z")

    assert len(living(pages)) == 150
    assert pages[-1].complete
    assert there.calls("/deals/3") == 0


def test_changes_past_the_cap_of_one_search_are_all_found() -> None:
    with account(*people(450), search_cap=200) as there:
        pages = there.pull("contacts", "2026-11-20T00:00:00.000Z")

    assert len(living(pages)) == 450
    assert sum(len(page.records) for page in pages) == 450  # each once
    cursors = [page.cursor for page in pages if page.cursor]
    assert cursors == sorted(cursors)


def test_more_changes_in_one_millisecond_than_fit_a_search_are_all_found() -> None:
    together = [copy("contacts", n, minutes_ago=60) for n in range(1, 451)]
    with account(*together, copy("contacts", 451, minutes_ago=50), search_cap=200) as there:
        pages = there.pull("contacts", "2026-11-20T00:00:00.000Z")

    assert len(living(pages)) == 451
    assert pages[-2].cursor == "2026-11-21T11:10:00.000Z"


@pytest.mark.parametrize("stream", ["contacts", "deals"])
def test_an_empty_last_page_does_not_take_the_cursor_back(stream: str) -> None:
    with account(*(copy(stream, n, minutes_ago=60) for n in range(1, 201))) as there:
        pages = there.pull(stream, "2026-11-21T10:59:00.000Z")

    assert [page.cursor for page in pages if page.cursor][-1] == "2026-11-21T11:00:00.000Z"


@pytest.mark.long
def test_more_than_ten_thousand_changes_of_one_moment_are_all_found_under_the_real_cap() -> None:
    together = [copy("contacts", n, minutes_ago=60) for n in range(1, 10_451)]
    with account(*together, *(copy("contacts", n, minutes_ago=50) for n in range(10_451, 20_702))) as there:
        pages = there.pull("contacts", "2026-11-20T00:00:00.000Z")

    assert len(living(pages)) == 20_701
    assert pages[-2].cursor == "2026-11-21T11:10:00.000Z"


def test_records_that_move_while_they_are_read_push_no_other_out_of_the_pages() -> None:
    with account(*people(250)) as there:
        pull = connector.stream("contacts").pull
        assert pull is not None
        pages = pull(there.client, Want("2026-11-20T00:00:00.000Z", False, NOW))
        read = [next(pages)]
        for n in (5, 200):  # the first was read long ago, the last stands at the edge of the page
            there.there.edit("contacts", there.id("contacts", n), {"first_name": "Moved"})
        found = living([*read, *pages])

    assert len(found) == 250
    assert found[there.id("contacts", 5)]["properties"]["firstname"] == "Moved"
    assert found[there.id("contacts", 200)]["properties"]["firstname"] == "Moved"


def test_a_write_the_search_index_has_not_caught_up_with_is_found_by_the_next_run() -> None:
    with account(*people(3), index_lag_s=30) as there:
        since = there.cursor("contacts")
        there.there.edit("contacts", there.id("contacts", 1), {"first_name": "New"})
        assert there.id("contacts", 1) not in living(there.pull("contacts", since))

        there.clock += timedelta(seconds=31)
        assert living(there.pull("contacts", since))[there.id("contacts", 1)]["properties"]["firstname"] == "New"


def test_a_write_indexed_after_a_younger_one_is_found_inside_the_overlap() -> None:
    with account(*people(1)) as there:
        there.there.edit("contacts", there.id("contacts", 1), {"first_name": "Late"})
        younger = "2026-11-21T12:01:30.000Z"  # another contact's, which was indexed first

        assert there.id("contacts", 1) in living(there.pull("contacts", younger))


# -- deletes and merges ------------------------------------------------------------------------------------------------


def test_archived_records_are_reported_as_deleted_by_both_kinds_of_pull() -> None:
    with account(*people(2), copy("contacts", 3, deleted=True)) as there:
        assert dead(there.pull("contacts")) == {there.id("contacts", 3)}

        there.sdk().crm.contacts.basic_api.archive(there.id("contacts", 1))
        pages = there.pull("contacts", "2026-11-21T11:00:00.000Z")

    assert dead(pages) == {there.id("contacts", 1), there.id("contacts", 3)}
    assert there.id("contacts", 1) not in living(pages)


def test_a_merge_of_the_past_is_told_by_its_winner() -> None:
    with account(
        copy("companies", 1), copy("companies", 2, merged_into=1), copy("companies", 3, merged_into=2)
    ) as there:
        pages = there.pull("companies")

    assert set(living(pages)) == {there.id("companies", 1)}
    assert gone(pages) == {(there.id("companies", n), there.id("companies", 1)) for n in (2, 3)}
    assert dead(pages) == set()


@pytest.mark.parametrize("options", [{}, {"merged_vids": True}, {"merge_makes_new": True}])
def test_a_merge_shows_in_the_next_incremental_pull(options: dict[str, Any]) -> None:
    with account(*people(3), **options) as there:
        since = there.cursor("contacts")
        one, two = there.id("contacts", 1), there.id("contacts", 2)
        merged = {"primaryObjectId": one, "objectIdToMerge": two}
        winner = there.client.http.post("/crm/v3/objects/contacts/merge", json=merged).json()["id"]
        pages = there.pull("contacts", since)

    assert gone(pages) == {(loser, winner) for loser in (one, two) if loser != winner}
    assert winner in living(pages)
    assert (winner == one) == ("merge_makes_new" not in options)


def test_links_follow_a_merge() -> None:
    copies = [copy("companies", 1), copy("companies", 2, merged_into=1), copy("contacts", 1, account=2)]
    with account(*copies, copy("deals", 1, account=2)) as there:
        [contact] = living(there.pull("contacts")).values()
        [deal] = living(there.pull("deals")).values()

    assert contact["properties"]["associatedcompanyid"] == there.id("companies", 1)
    assert deal["associations"]["companies"]["results"][0]["id"] == there.id("companies", 1)


def test_a_changed_deal_archived_before_it_is_read_is_gone() -> None:
    with account(copy("deals", 1, name="D")) as there:
        objects = getattr(connector.stream("deals").pull, "__self__")  # noqa: B009  its reading of one object
        there.sdk().crm.deals.basic_api.archive(there.id("deals", 1))

        page = objects._one(there.client, there.id("deals", 1))

    assert page.gone == [(there.id("deals", 1), None)]
    assert page.exchange.status == 404


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_a_matter_of_configuration_and_stays_unsaid() -> None:
    with account() as there:
        there.client = there.open(token="pat-wrong")
        with pytest.raises(ConfigError, match=r"hubspot.*token") as error:
            there.pull("contacts")

    assert "pat-wrong" not in str(error.value)


def test_a_missing_token_is_named() -> None:
    with pytest.raises(ConfigError, match="OMNIHUB_HUBSPOT_TOKEN"):
        open_client(connector, {"url": "http://localhost"})


@pytest.mark.parametrize("retry_after", [True, False])
def test_a_rate_limit_is_waited_for(retry_after: bool) -> None:
    with account(*people(150), quotas=[Quota(2, 0.3)], retry_after=retry_after) as there:
        pages = there.pull("contacts")  # four calls

    assert len(living(pages)) == 150
    assert there.client.http.counts.refusals == there.client.http.counts.retries > 0


def test_a_day_without_calls_left_ends_as_rate_limited() -> None:
    with account(daily=3) as there:
        there.client.http.wait = lambda _: None
        there.pull("contacts")
        with pytest.raises(RateLimited, match="hubspot"):
            there.pull("contacts")
        said = there.wire[-1].json()

    assert said["policyName"] == "DAILY"
    assert said["errorType"] == "RATE_LIMIT"


def test_the_budget_stays_below_what_hubspot_enforces() -> None:
    for quota in HubSpot.default_quotas():
        [limit] = [x for x in connector.limits if isinstance(x, Limit) and x.per_s == quota.per_s]
        assert limit.calls < quota.calls
        assert quota.matches in limit.path


def test_rate_limit_headers_are_on_every_answer_but_the_searchs() -> None:
    with account(quotas=[Quota(190, 10.0)]) as there:
        there.pull("contacts")

    search, *lists = there.wire
    assert "X-HubSpot-RateLimit-Remaining" not in search.headers
    assert [answer.headers["X-HubSpot-RateLimit-Remaining"] for answer in lists] == ["188", "187"]


def test_a_search_that_failed_in_passing_is_repeated() -> None:
    class Shaky(HubSpot):
        failed = 0

        def after(self, call: Call, reply: Reply) -> Reply:
            if "/search" in call.url and not self.failed:
                self.failed += 1
                return self.error(502)
            return super().after(call, reply)

    with account(*people(2), kind=Shaky) as there:
        there.client.http.wait = lambda _: None
        assert len(living(there.pull("contacts"))) == 2

    assert there.calls("/search") == 2


def test_threads_share_one_client() -> None:
    with account(*people(250), *(copy("companies", n, name=f"C{n}") for n in range(1, 251))) as there:
        streams = ["contacts", "companies"] * 4
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda stream: set(living(there.pull(stream))), streams))

    for stream, ids in zip(streams, found, strict=True):
        assert ids == {there.id(stream, n) for n in range(1, 251)}


# -- products, and what campaigns offer --------------------------------------------------------------------------------

PUMP = {"sku": "OM-1", "name": "Pump", "description": "Cast iron", "status": "active", "price": "10.50"}
SPRING = {
    "code": "SPRING", "name": "Spring offer", "sku": "OM-1", "customer_group": "dealer", "discount": "10",
    "price": "9.45", "currency": "EUR", "valid_from": "2026-03-01", "valid_to": "2026-03-31",
}  # fmt: skip


def told(stream: str, record: Any) -> dict[str, Any]:
    """What the map reads of a record."""
    places = connector.stream(stream).fields
    return {name: value(record, where.path) for name, where in places.items() if not isinstance(where, Const)}


@pytest.mark.parametrize(("stream", "said"), [("products", PUMP), ("campaign_offers", SPRING)])
def test_products_and_offers_are_read_whole_and_then_by_what_changed(stream: str, said: dict[str, str]) -> None:
    old, quiet = copy(stream, 1, minutes_ago=900, **said), copy(stream, 2, minutes_ago=800, **said)
    with account(old, quiet, copy(stream, 3, minutes_ago=300, **said, deleted=True)) as there:
        whole = there.pull(stream)
        since = there.cursor(stream)
        there.there.edit(stream, there.id(stream, 1), {"price": "9.99"})
        changed = there.pull(stream, since)

    assert [told(stream, record) for record in living(whole).values()] == [said, said]
    assert whole[-1].complete
    one, two = there.id(stream, 1), there.id(stream, 2)
    assert living(changed).keys() == {one, two}, "the second is inside the overlap"
    assert told(stream, living(changed)[one]) == said | {"price": "9.99"}
    assert dead(changed) == {there.id(stream, 3)}


def test_a_product_is_corrected_in_the_librarys_own_words() -> None:
    with account(copy("products", 1, **PUMP), copy("products", 2, **PUMP)) as there:
        id_ = there.id("products", 1)
        wish = {"name": "Gear pump", "description": None, "status": "discontinued", "price": "11.00"}
        answers = there.update("products", (id_, wish), (there.id("products", 2), {"price": "dear"}))
        sent = json.loads(there.wire[-1].request.body or b"")["inputs"][0]["properties"]
        [seen] = living(there.look("products", id_)).values()

    assert [a.outcome for a in answers] == [Outcome.WRITTEN, Outcome.REFUSED]
    assert sent == {"name": "Gear pump", "description": "", "hs_status": "inactive", "hs_price_eur": "11.00"}
    assert {name: sent[name] or None for name in sent} == {name: seen["properties"][name] for name in sent}
    assert seen["properties"]["hs_sku"] == "OM-1"


def test_the_hub_makes_no_products_and_changes_no_offers() -> None:
    library, offers = connector.stream("products").push, connector.stream("campaign_offers").push
    assert library
    assert "sku" not in library.fields
    assert (library.create, offers) == (None, None)


def test_the_library_has_no_word_for_what_is_not_on_sale_yet() -> None:
    words = connector.stream("products").fields["status"]
    assert isinstance(words, Codes)
    assert [words.says(status) for status in ("active", "discontinued", "draft")] == [True, True, False]


def test_offers_are_of_the_object_type_the_settings_name_and_none_are_asked_for_without_one() -> None:
    with account(copy("campaign_offers", 1, **SPRING)) as there:
        for name in ("p_campaign_offers", "2-4711001"):
            there.client = there.open(campaign_offers=name)
            assert living(there.pull("campaign_offers")).keys() == {there.id("campaign_offers", 1)}
        there.client, calls = there.open(campaign_offers=""), len(there.there.calls)
        assert there.pull("campaign_offers") == []
        assert len(there.there.calls) == calls
        there.client = there.open(campaign_offers="p_specials")
        with pytest.raises(ConfigError, match="no object type p_specials; set OMNIHUB_HUBSPOT_CAMPAIGN_OFFERS"):
            there.pull("campaign_offers")


# -- writing -----------------------------------------------------------------------------------------------------------


def test_values_written_are_there_to_see() -> None:
    with account(*people(120)) as there:
        wishes = [(there.id("contacts", n), {"phone": f"+4930{n}", "job_title": None}) for n in range(1, 101)]
        answers = there.update("contacts", *wishes)
        seen = living(there.look("contacts", *(there.id("contacts", n) for n in range(1, 121))))

    assert [(a.n, a.outcome, a.id) for a in answers] == [(n, Outcome.WRITTEN, id_) for n, (id_, _) in enumerate(wishes)]
    assert seen[there.id("contacts", 7)]["properties"]["phone"] == "+49307"
    assert seen[there.id("contacts", 107)]["properties"]["phone"] is None
    assert there.calls("/batch/read") == 2


def test_only_what_changes_is_sent_and_none_clears() -> None:
    with account(copy("contacts", 1, first_name="A", last_name="B", job_title="C")) as there:
        there.update("contacts", (there.id("contacts", 1), {"job_title": None, "last_name": "D"}))
        sent = json.loads(there.wire[-1].request.body or b"")
        [seen] = living(there.look("contacts", there.id("contacts", 1))).values()

    assert sent["inputs"][0]["properties"] == {"jobtitle": "", "lastname": "D"}
    assert [seen["properties"][p] for p in ("firstname", "lastname", "jobtitle")] == ["A", "D", None]


@pytest.mark.parametrize("stream", ["companies", "contacts"])
def test_what_is_written_to_a_field_is_read_from_it(stream: str) -> None:
    push = connector.stream(stream).push
    assert push is not None
    wishes = {
        field: {"language": "fr", "domain": "example.org"}.get(field, f"New {field} ä&<")
        for field in push.fields
        if field != "account"  # a link: see below
    }
    with account(*(copy(stream, n) for n in range(1, len(wishes) + 2))) as there:
        alone = [(there.id(stream, n), {field: wish}) for n, (field, wish) in enumerate(wishes.items(), 1)]
        answers = there.update(stream, *alone)
        records = living(there.pull(stream))

    assert {answer.outcome for answer in answers} == {Outcome.WRITTEN}
    for n, written in enumerate([*wishes, None], 1):
        for field in wishes:
            found = value(records[there.id(stream, n)], connector.stream(stream).fields[field].path)
            assert found == (wishes[field] if field == written else None)


def test_a_contacts_email_and_consent_are_not_for_the_hub_to_write() -> None:
    push = connector.stream("contacts").push
    assert push is not None
    assert {"email", "marketing_consent", "consent_at"}.isdisjoint(push.fields)


@pytest.mark.parametrize("echo_trace", [True, False])
def test_a_bad_row_is_refused_alone(echo_trace: bool) -> None:
    with account(*people(3), echo_trace=echo_trace) as there:
        ids = [there.id("contacts", n) for n in (1, 2, 3)]
        answers = there.update(
            "contacts", (ids[0], {"language": "fr"}), (ids[1], {"language": "klingon"}), (ids[2], {"language": "it"})
        )
        seen = living(there.look("contacts", *ids))

    assert [a.outcome for a in answers] == [Outcome.WRITTEN, Outcome.REFUSED, Outcome.WRITTEN]
    assert answers[1].code == "VALIDATION_ERROR"
    assert "INVALID_OPTION" in answers[1].message
    assert [seen[id_]["properties"]["hs_language"] for id_ in ids] == ["fr", None, "it"]


def test_where_one_bad_row_fails_the_batch_nothing_is_written_and_the_hub_is_told_to_split() -> None:
    with account(*people(2), multi_status=False) as there:
        one, two = there.id("contacts", 1), there.id("contacts", 2)
        with pytest.raises(RejectedRecord) as error:
            there.update("contacts", (one, {"language": "fr"}), (two, {"language": "klingon"}))
        before = living(there.look("contacts", one))[one]["properties"]["hs_language"]
        alone = (
            there.update("contacts", (one, {"language": "fr"})),
            there.update("contacts", (two, {"language": "klingon"})),
        )

    assert error.value.status == 400
    assert "klingon" not in str(error.value)
    assert before is None
    assert [(a.outcome, a.code) for [a] in alone] == [(Outcome.WRITTEN, ""), (Outcome.REFUSED, "VALIDATION_ERROR")]


def test_a_value_too_long_is_refused() -> None:
    with account(copy("companies", 1)) as there:
        [answer] = there.update("companies", (there.id("companies", 1), {"name": "x" * 70_000}))

    assert answer.outcome is Outcome.REFUSED
    assert "INVALID_LENGTH" in answer.message


def test_writing_to_what_is_gone_is_refused_and_looking_does_not_find_it() -> None:
    with account(*people(1), copy("contacts", 2, deleted=True), copy("contacts", 3, merged_into=1)) as there:
        one, archived, loser = (there.id("contacts", n) for n in (1, 2, 3))
        answers = there.update("contacts", (one, {"phone": "1"}), (archived, {"phone": "2"}))
        pages = there.look("contacts", one, archived, loser)
        only_loser = there.look("contacts", loser)

    assert [(a.outcome, a.code) for a in answers] == [(Outcome.WRITTEN, ""), (Outcome.REFUSED, "OBJECT_NOT_FOUND")]
    assert set(living(pages)) == {one}
    assert gone(pages) == gone(only_loser) == {(loser, one)}
    assert living(only_loser) == {}


def test_the_same_value_again_is_no_change() -> None:
    with account(*people(1)) as there:
        id_ = there.id("contacts", 1)
        there.update("contacts", (id_, {"phone": "1"}))
        before = living(there.look("contacts", id_))
        there.clock += timedelta(minutes=1)
        there.update("contacts", (id_, {"phone": "1"}))

        assert living(there.look("contacts", id_)) == before


def test_a_written_value_taken_back_leaves_the_system_as_it_was() -> None:
    with account(*people(2), copy("companies", 1, name="A")) as there:
        before = there.there.dump()
        there.update("companies", (there.id("companies", 1), {"city": "Bonn", "name": "B"}))
        assert there.there.dump() != before
        there.update("companies", (there.id("companies", 1), {"city": None, "name": "A"}))

        assert there.there.dump() == before


# -- making records, and finding them again ----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"echo_trace": False, "results_in_order": False}])
def test_creating_the_same_twice_makes_one_record(options: dict[str, Any]) -> None:
    wishes = [(f"golden-{n}", {"first_name": f"P{n}", "email": f"p{n}@example.com"}) for n in range(5)]
    with account(**options) as there:
        once = there.create("contacts", *wishes)
        again = there.create("contacts", *wishes)
        found = there.find("contacts", "golden-3", "golden-9")
        count = len(living(there.pull("contacts")))

    assert [a.outcome for a in once + again] == [Outcome.WRITTEN] * 10
    assert [a.id for a in once] == [a.id for a in again]
    assert [(id_, r["properties"]["firstname"]) for id_, r in found.items()] == [(once[3].id, "P3")]
    assert count == 5


@pytest.mark.parametrize("one_id_once", [True, False])
def test_the_same_key_twice_in_one_batch_makes_one_record_with_the_later_values(one_id_once: bool) -> None:
    with account(one_id_once=one_id_once) as there:
        answers = there.create(
            "companies", ("k", {"name": "First"}), ("l", {"name": "Other"}), ("k", {"name": "Second"})
        )
        names = {r["properties"]["name"] for r in living(there.pull("companies")).values()}

    assert [a.outcome for a in answers] == [Outcome.WRITTEN] * 3
    assert answers[0].id == answers[2].id
    assert names == {"Second", "Other"}


@pytest.mark.parametrize("options", [{}, {"echo_trace": False, "results_in_order": False}])
def test_a_record_that_can_not_be_made_is_refused_alone_and_in_hubspots_words(options: dict[str, Any]) -> None:
    with account(*people(1), **options) as there:
        answers = there.create(
            "contacts",
            ("g-1", {"first_name": "New", "email": "new@example.com"}),
            ("g-2", {"first_name": "Twin", "email": "p1@example.com"}),
            ("g-3", {"language": "klingon"}),
            ("g-4", {"first_name": "Other"}),
        )
        made = {r["properties"]["hub_ext_id"] for r in there.find("contacts", "g-1", "g-2", "g-3", "g-4").values()}

    assert [(a.outcome, a.code) for a in answers] == [
        (Outcome.WRITTEN, ""),
        (Outcome.REFUSED, "CONFLICT"),
        (Outcome.REFUSED, "VALIDATION_ERROR"),
        (Outcome.WRITTEN, ""),
    ]
    assert "already exists" in answers[1].message
    assert made == {"g-1", "g-4"}


def test_where_one_bad_row_fails_the_batch_none_is_made_and_the_hub_is_told_to_split() -> None:
    twins = [("g-1", {"email": "new@example.com"}), ("g-2", {"email": "p1@example.com"})]
    with account(*people(1), multi_status=False) as there:
        with pytest.raises(RejectedRecord) as no:
            there.create("contacts", *twins)
        assert no.value.status == 409
        assert there.find("contacts", "g-1", "g-2") == {}
        [good], [bad] = (there.create("contacts", wish) for wish in twins)

    assert (good.outcome, bad.outcome, bad.code) == (Outcome.WRITTEN, Outcome.REFUSED, "CONFLICT")


class LosesAnswers(HubSpot):
    """Does what it is told, and the answer is an error: once for a path that ends like this."""

    def after(self, call: Call, reply: Reply) -> Reply:
        reply = super().after(call, reply)
        lost = self.options["lost"]
        if any(call.url.endswith(end) for end in lost):
            lost.clear()
            return self.error(500)
        return reply


@pytest.mark.parametrize("lost", ["/batch/upsert", "/contacts/companies/batch/create"])
def test_a_record_created_though_the_answer_was_lost_is_not_created_again(lost: str) -> None:
    losing = [lost]
    with account(copy("companies", 1), kind=LosesAnswers, lost=losing) as there:
        there.client.http.wait = lambda s: None
        company = f"hubspot/companies/{there.id('companies', 1)}"
        [answer] = there.create("contacts", ("golden-7", {"first_name": "A", "account": company}))
        contacts = living(there.pull("contacts"))

    assert losing == []
    assert answer.outcome is Outcome.WRITTEN
    assert [(id_, r["properties"]["associatedcompanyid"]) for id_, r in contacts.items()] == [
        (answer.id, company.rpartition("/")[2])
    ]


def test_an_account_without_the_key_is_told_which_property_to_make() -> None:
    with account(has_key=False) as there:
        for asked in (lambda: there.create("companies", ("k", {"name": "X"})), lambda: there.find("companies", "k")):
            with pytest.raises(ConfigError, match="companies of this account have no property hub_ext_id"):
                asked()


# -- links -------------------------------------------------------------------------------------------------------------


def company_of(there: Account, contact: str) -> str | None:
    found: str | None = living(there.look("contacts", contact))[contact]["properties"]["associatedcompanyid"]
    return found


def test_a_contacts_company_is_set_moved_and_taken_away_as_a_link() -> None:
    with account(*(copy("companies", n) for n in (1, 2)), *people(2)) as there:
        one, two = (there.id("companies", n) for n in (1, 2))
        contact = there.id("contacts", 1)
        before = there.there.dump()
        answers = [there.write("contacts", contact, account=f"hubspot/companies/{one}", first_name="New")]
        assert company_of(there, contact) == one
        answers.append(there.write("contacts", contact, account=f"hubspot/companies/{two}", first_name="P1"))
        assert company_of(there, contact) == two
        assert there.there.dump()["contacts"][contact]["associations"] == {"companies": [two]}
        answers.append(there.write("contacts", contact, account=None))
        assert company_of(there, contact) is None
        after = there.there.dump()
        sent = [json.loads(a.request.body) for a in there.wire if a.request.url and "/batch/update" in a.request.url]

    assert {a.outcome for a in answers} == {Outcome.WRITTEN}
    after["contacts"][contact].pop("associations", None)
    assert after == before, "what was taken back leaves nothing"
    assert not any("associatedcompanyid" in i["properties"] for body in sent for i in body["inputs"])


def test_another_link_somebody_made_is_left_alone() -> None:
    with account(*(copy("companies", n) for n in (1, 2, 3)), *people(1)) as there:
        one, two, three = (there.id("companies", n) for n in (1, 2, 3))
        contact = there.id("contacts", 1)
        links = there.sdk().crm.associations.v4.basic_api
        for company in (one, three):
            links.create_default("contacts", contact, "companies", company)
        there.write("contacts", contact, account=f"hubspot/companies/{two}")
        linked = there.there.dump()["contacts"][contact]["associations"]["companies"]
        assert company_of(there, contact) == two

    assert linked == [three, two]


def test_a_link_that_can_not_be_made_refuses_its_row_and_nothing_of_it_is_written() -> None:
    with account(copy("companies", 1), *people(3), results_in_order=False) as there:
        ids = [there.id("contacts", n) for n in (1, 2, 3)]
        good, bad = f"hubspot/companies/{there.id('companies', 1)}", "hubspot/companies/21999999999"
        answers = there.update(
            "contacts",
            (ids[0], {"account": good, "phone": "1"}),
            (ids[1], {"account": bad, "phone": "1"}),
            (ids[2], {"account": good}),
        )
        seen = living(there.look("contacts", *ids))

    assert {a.n: (a.outcome, a.code) for a in answers} == {
        0: (Outcome.WRITTEN, ""),
        1: (Outcome.REFUSED, "OBJECT_NOT_FOUND"),
        2: (Outcome.WRITTEN, ""),
    }
    assert [seen[id_]["properties"]["phone"] for id_ in ids] == ["1", None, None]


@pytest.mark.parametrize("echo_trace", [True, False])
def test_answers_of_a_batch_are_not_joined_by_their_order(echo_trace: bool) -> None:
    with account(*people(4), results_in_order=False, echo_trace=echo_trace) as there:
        ids = [there.id("contacts", n) for n in (1, 2, 3, 4)]
        wishes: list[tuple[str, Mapping[str, str | None]]] = [(id_, {"phone": id_}) for id_ in ids]
        wishes[1] = (ids[1], {"language": "klingon"})
        answers = there.update("contacts", *wishes)

    assert [(a.n, a.id, a.outcome is Outcome.WRITTEN) for a in answers] == [
        (n, id_, n != 1) for n, id_ in enumerate(ids)
    ]


# -- consents ----------------------------------------------------------------------------------------------------------


def said(there: Account, since: str | None = None) -> dict[str, str]:
    return {id_: record["said"]["status"] for id_, record in living(there.pull("consents", since)).items()}


def test_what_contacts_said_is_read_with_the_contact_and_what_nobody_said_is_not() -> None:
    with account(*people(250), copy("contacts", 300)) as there:
        for n, state in ((1, "SUBSCRIBED"), (150, "UNSUBSCRIBED"), (250, "SUBSCRIBED")):
            there.there._set_status(f"p{n}@example.com", state)
        pages = there.pull("consents")
        bodies = [a.content for a in there.wire if a.request.url and "/statuses/batch/read" in a.request.url]
        records = living(pages)

    assert pages[-1].complete
    assert {r["contact"]: r["said"]["status"] for r in records.values()} == {
        there.id("contacts", 1): "SUBSCRIBED",
        there.id("contacts", 150): "UNSUBSCRIBED",
        there.id("contacts", 250): "SUBSCRIBED",
    }
    stream = connector.stream("consents")
    first = records[there.id("contacts", 1) + "-1"]
    assert {name: value(first, path.path) for name, path in stream.fields.items()} == {
        "contact": there.id("contacts", 1),
        "purpose": "Marketing",
        "state": "SUBSCRIBED",
        "at": "2026-11-21T12:00:00.000Z",
    }
    for record in (r for page in pages for r in page.records):
        slice_ = record.raw[record.raw.index(b'"said":') + 7 : -1]
        assert any(slice_ in body for body in bodies), "byte for byte"
        assert b"@" not in (record.id or "").encode()
    assert len(bodies) == 3, "a hundred addresses a call"


def test_consents_of_contacts_that_changed_are_read_again_and_withdrawn_contacts_lose_them() -> None:
    with account(*people(3)) as there:
        there.there._set_status("p1@example.com", "SUBSCRIBED")
        there.there._set_status("p2@example.com", "SUBSCRIBED")
        [cursor] = [page.cursor for page in there.pull("consents") if page.cursor]
        there.clock += timedelta(hours=1)
        there.there._set_status("p1@example.com", "UNSUBSCRIBED")
        there.there.edit("contacts", there.id("contacts", 1), {"phone": "1"})
        assert said(there, cursor)[there.id("contacts", 1) + "-1"] == "UNSUBSCRIBED"
        there.sdk().crm.contacts.basic_api.archive(there.id("contacts", 2))
        assert set(said(there)) == {there.id("contacts", 1) + "-1"}


def test_very_many_changed_contacts_are_asked_about_a_hundred_at_a_time() -> None:
    with account(*people(450)) as there:
        for n in range(1, 451):
            there.there._set_status(f"p{n}@example.com", "SUBSCRIBED")
        pages = there.pull("consents", "2026-11-20T00:00:00.000Z")

    assert len(living(pages)) == 450
    assert max(len(page.records) for page in pages) == 100


def test_no_plan_writes_a_consent() -> None:
    assert connector.stream("consents").push is None


@pytest.mark.parametrize("results_in_order", [True, False])
def test_a_consent_is_written_and_an_opt_out_is_never_taken_back(results_in_order: bool) -> None:
    """Also where HubSpot itself would let it happen."""
    with account(*people(4), results_in_order=results_in_order, v4_resubscribes=True) as there:
        there.there._set_status("p2@example.com", "SUBSCRIBED")
        there.there._set_status("p3@example.com", "UNSUBSCRIBED")
        ids = [f"{there.id('contacts', n)}-1" for n in (1, 2, 3, 4)]
        yes = there.say(ids[0], "yes")
        no = there.say(ids[1], "no")
        again = there.say(ids[2], "yes")
        unsaid = there.say(ids[2], None)
        forgotten = there.say(ids[0], None)
        now = said(there)

    assert (yes.outcome, no.outcome) == (Outcome.WRITTEN, Outcome.WRITTEN)
    assert now == {ids[0]: "SUBSCRIBED", ids[1]: "UNSUBSCRIBED", ids[2]: "UNSUBSCRIBED"}
    assert [(a.outcome, a.code) for a in (again, unsaid, forgotten)] == [
        (Outcome.REFUSED, "OPTED_OUT"),
        (Outcome.REFUSED, "OPTED_OUT"),
        (Outcome.REFUSED, "NOT_SAID"),
    ]
    assert "only they themselves" in again.message


def test_who_opted_out_between_the_look_and_the_write_stays_out() -> None:
    with account(*people(2)) as there:
        ids = [f"{there.id('contacts', n)}-1" for n in (1, 2)]
        raws = {r.id: json.loads(r.raw) for page in CONSENTS.look(there.client, ids) for r in page.records}
        there.there._set_status("p1@example.com", "UNSUBSCRIBED")
        body = connector.stream("consents").fields.body({"state": "yes"})
        rows = [Row(n, Op.UPDATE, id_, body, {"state": "yes"}, {}, "g", raws[id_]) for n, id_ in enumerate(ids)]
        answers = {a.n: a for a in CONSENTS.update(there.client, rows)}
        now = said(there)

    assert [answers[n].outcome for n in (0, 1)] == [Outcome.REFUSED, Outcome.WRITTEN]
    assert "opted out" in answers[0].message
    assert now == {ids[0]: "UNSUBSCRIBED", ids[1]: "SUBSCRIBED"}


# -- the stand-in, through the vendor's own SDK ------------------------------------------------------------------------


def test_the_sdk_reads_pages_and_searches() -> None:
    with account(*people(250)) as there:
        crm = there.sdk().crm
        listed = crm.contacts.get_all(properties=["email"])
        asked = {
            "filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": "P7@example.com"}]}]
        }
        found = crm.contacts.search_api.do_search({**asked, "limit": 5, "properties": ["firstname"]})
        tail = crm.contacts.search_api.do_search({"limit": 200, "after": "200"})

    assert [c.id for c in listed] == [there.id("contacts", n) for n in range(1, 251)]
    assert (found.total, found.results[0].properties["firstname"]) == (1, "P7")
    assert (tail.total, len(tail.results), tail.paging) == (250, 50, None)


def test_the_sdk_is_told_of_a_second_contact_with_the_same_email() -> None:
    with account(*people(1)) as there:
        contacts = there.sdk().crm.contacts.basic_api
        with pytest.raises(ApiException) as error:
            contacts.create({"properties": {"email": "P1@example.com"}})
        made = contacts.create({"properties": {"email": "New@Example.com"}})

    assert error.value.status == 409
    assert json.loads(error.value.body)["message"] == f"Contact already exists. Existing ID: {there.id('contacts', 1)}"
    assert made.properties["email"] == "new@example.com"


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"shoe_size": "44"}, "PROPERTY_DOESNT_EXIST"),
        ({"email": "nobody"}, "INVALID_EMAIL"),
        ({"lastmodifieddate": "1"}, "READ_ONLY_VALUE"),
        ({"marketing_consent": "perhaps"}, "INVALID_OPTION"),
    ],
)
def test_the_sdk_is_told_what_is_wrong_with_a_value(properties: dict[str, str], code: str) -> None:
    with account(*people(1)) as there, pytest.raises(ApiException) as error:
        there.sdk().crm.contacts.basic_api.update(there.id("contacts", 1), {"properties": properties})

    assert error.value.status == 400
    assert code in error.value.body


def test_the_sdk_meets_the_limits_of_pages_searches_and_batches() -> None:
    with account(search_cap=400) as there:
        crm = there.sdk().crm.contacts
        refusals: list[Callable[[], Any]] = [
            lambda: crm.basic_api.get_page(limit=101),
            lambda: crm.search_api.do_search({"limit": 201}),
            lambda: crm.search_api.do_search({"limit": 200, "after": "201"}),
            lambda: crm.search_api.do_search({"sorts": [{"propertyName": "nothing"}]}),
            lambda: crm.batch_api.read({"properties": [], "inputs": [{"id": str(n)} for n in range(101)]}),
        ]
        for refused in refusals:
            with pytest.raises(ApiException) as error:
                refused()
            assert error.value.status == 400


def test_the_sdk_knows_a_bad_token_and_a_missing_object() -> None:
    with account() as there:
        with pytest.raises(UnauthorizedException):
            there.sdk("pat-wrong").crm.contacts.basic_api.get_page()
        with pytest.raises(NotFoundException):
            there.sdk().crm.contacts.basic_api.get_by_id("7")


def test_the_id_of_a_merged_contact_answers_with_its_winner() -> None:
    with account(*people(1), copy("contacts", 2, merged_into=1)) as there:
        found = there.sdk().crm.contacts.basic_api.get_by_id(there.id("contacts", 2))

    assert found.id == there.id("contacts", 1)


def test_an_upsert_makes_a_record_once() -> None:
    inputs = [
        {"id": "a@example.com", "idProperty": "email", "objectWriteTraceId": "t", "properties": {"firstname": "A"}}
    ]
    with account() as there:
        batch = there.sdk().crm.contacts.batch_api
        first, again = (batch.upsert({"inputs": inputs}).results[0] for _ in range(2))

    assert (first.new, again.new) == (True, False)
    assert first.id == again.id


def test_a_report_is_left_as_a_note_on_a_company() -> None:
    to = {"to": {"id": "21000000001"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 190}]}
    note = {"hs_timestamp": "2026-11-21T12:00:00Z", "hs_note_body": "Two phones differ"}
    with account(copy("companies", 1)) as there:
        notes = there.sdk().crm.objects.notes.basic_api
        made = notes.create({"properties": note, "associations": [to]})
        seen = notes.get_by_id(made.id, associations=["companies"])
        with pytest.raises(NoteApiException, match="hs_timestamp"):
            notes.create({"properties": {"hs_note_body": "no time"}})

    assert seen.associations["companies"].results[0].id == there.id("companies", 1)


def test_associating_twice_is_associating_once() -> None:
    with account(copy("companies", 1), *people(2)) as there:
        ids = there.id("contacts", 1), there.id("companies", 1)
        links = there.sdk().crm.associations.v4
        for _ in range(2):
            links.basic_api.create_default("contacts", ids[0], "companies", ids[1])
        read = links.batch_api.get_page(
            "contacts", "companies", {"inputs": [{"id": ids[0]}, {"id": there.id("contacts", 2)}]}
        )
        back = links.batch_api.get_page("companies", "contacts", {"inputs": [{"id": ids[1]}]})
        [linked] = [c for c in living(there.pull("contacts")).values() if c["properties"]["associatedcompanyid"]]

    assert [to.to_object_id for to in read.results[0].to] == [ids[1]]
    assert read.num_errors == 1
    assert [to.to_object_id for to in back.results[0].to] == [ids[0]]
    assert linked["id"] == ids[0]


def test_who_unsubscribed_is_not_subscribed_again() -> None:
    with account(*people(1)) as there:
        client = there.sdk()
        status = client.communication_preferences.status_api
        asked = {"emailAddress": "p1@example.com", "subscriptionId": "1"}
        status.subscribe(asked)
        assert status.get_email_status("p1@example.com").subscription_statuses[0].status == "SUBSCRIBED"
        status.unsubscribe(asked)
        with pytest.raises(Exception, match="opted out"):
            status.subscribe(asked)


def test_an_oauth_token_ends_after_half_an_hour() -> None:
    with account(*people(1)) as there:
        got = there.sdk().oauth.tokens_api.create(grant_type="refresh_token", **OAUTH)
        contacts = there.sdk(got.access_token).crm.contacts.basic_api
        assert len(contacts.get_page().results) == 1

        there.clock += timedelta(seconds=got.expires_in + 1)
        with pytest.raises(UnauthorizedException, match="EXPIRED_AUTHENTICATION"):
            contacts.get_page()


def test_a_property_made_by_the_account_can_be_read_and_written() -> None:
    asked = {"name": "shoe_size", "label": "Shoe size", "type": "string", "fieldType": "text", "groupName": "g"}
    with account(*people(1)) as there:
        crm = there.sdk().crm
        crm.properties.core_api.create("contacts", asked)
        names = {p.name for p in crm.properties.core_api.get_all("contacts").results}
        crm.contacts.basic_api.update(there.id("contacts", 1), {"properties": {"shoe_size": "44"}})
        seen = crm.contacts.basic_api.get_by_id(there.id("contacts", 1), properties=["shoe_size", "not_there"])

    assert {"shoe_size", "email", "marketing_consent"} <= names
    assert seen.properties["shoe_size"] == "44"
    assert "not_there" not in seen.properties


# -- forgetting --------------------------------------------------------------------------------------------------------


def test_who_is_forgotten_is_in_no_list_no_search_and_no_consent_and_the_deal_stays() -> None:
    deal = copy("deals", 1, name="A deal", contact=1)
    with account(*people(2), deal) as there:
        id_ = there.id("contacts", 1)
        since = there.cursor("contacts")
        there.client.http.post("/communication-preferences/v4/statuses/p1@example.com", json=SAYS_NO)
        assert [r.id for page in there.pull("consents") for r in page.records] == [f"{id_}-1"]

        [answer] = there.forget(id_)

        assert (answer.outcome, answer.id) == (Outcome.WRITTEN, id_)
        for pages in (there.pull("contacts"), there.pull("contacts", since), there.look("contacts", id_)):
            assert id_ not in living(pages).keys() | dead(pages)
        assert [r.id for page in there.pull("consents") for r in page.records] == []
        assert "p1@example.com" not in json.dumps([o.body for o in there.there.state.all()])
        [left] = living(there.pull("deals")).values()
        assert value(left, "associations.contacts.results.0.id") is None
        assert living(there.pull("contacts")).keys() == {there.id("contacts", 2)}


def test_an_archived_contact_is_only_hidden_and_is_erased_as_well() -> None:
    with account(*people(2)) as there:
        ids = [there.id("contacts", n) for n in (1, 2)]
        there.client.http.delete(f"/crm/v3/objects/contacts/{ids[0]}")
        assert ids[0] in dead(there.pull("contacts"))

        answers = there.forget(*ids)

        assert [a.outcome for a in answers] == [Outcome.WRITTEN] * 2
        assert dead(there.pull("contacts")) == set()
        assert "example.com" not in json.dumps([o.body for o in there.there.state.all()])


def test_where_the_archive_can_not_be_erased_a_person_is_told_what_to_do() -> None:
    with account(*people(1), erases_archived=False) as there:
        id_ = there.id("contacts", 1)
        there.client.http.delete(f"/crm/v3/objects/contacts/{id_}")
        [answer] = there.forget(id_)

    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "ARCHIVED")
    assert "restore it there" in answer.message


def test_nobody_is_erased_under_the_id_of_somebody_merged_into_them() -> None:
    with account(*people(2), copy("contacts", 3, merged_into=1, email="p3@example.com")) as there:
        winner, loser = there.id("contacts", 1), there.id("contacts", 3)

        [refused] = there.forget(loser)
        assert (refused.outcome, refused.code) == (Outcome.REFUSED, "MERGED")
        assert winner in refused.message
        assert winner in living(there.pull("contacts"))

        [erased] = there.forget(winner)
        assert erased.outcome is Outcome.WRITTEN
        [again] = there.forget(loser)
        assert again.outcome is Outcome.WRITTEN
        assert "p3@example.com" not in json.dumps([o.body for o in there.there.state.all()])


def test_who_is_forgotten_twice_or_never_was_there_is_gone_and_nothing_else_changes() -> None:
    with account(*people(2)) as there:
        id_ = there.id("contacts", 1)
        there.forget(id_)
        writes = there.there.state.writes

        assert [a.outcome for a in there.forget(id_, "51999999999")] == [Outcome.WRITTEN] * 2
        assert there.there.state.writes == writes


def test_an_answer_lost_after_somebody_was_forgotten_does_no_harm() -> None:
    losing = ["/gdpr-delete"]
    with account(*people(2), kind=LosesAnswers, lost=losing) as there:
        there.client.http.wait = lambda s: None
        [answer] = there.forget(there.id("contacts", 1))
        left = living(there.pull("contacts")).keys()

        assert losing == []
        assert answer.outcome is Outcome.WRITTEN
        assert there.calls("gdpr-delete") == 2
        assert left == {there.id("contacts", 2)}


def test_too_many_calls_leave_the_rest_for_the_next_time() -> None:
    with account(*people(2)) as there:
        ids = [there.id("contacts", n) for n in (1, 2)]
        there.client.http.wait = lambda s: None
        there.there.faults.switch_on("429 storm", rate=1.0)
        answers = there.forget(*ids)
        there.there.faults.switch_off()

        assert [(a.outcome, a.code) for a in answers] == [(Outcome.DEFERRED, "LATER")] * 2
        assert [a.outcome for a in there.forget(*ids)] == [Outcome.WRITTEN] * 2


SAYS_NO = {"subscriptionId": 1, "statusState": "UNSUBSCRIBED", "channel": "EMAIL"}


def test_junk_is_seeded_as_it_is() -> None:
    fields: dict[str, Any] = {
        "name": "x" * 300,
        "phone": "n/a",
        "vat_id": "?",
        "country": None,
        "customer_group": "gold",
        "status": "-",
    }
    with account(copy("companies", 1, **fields)) as there:
        [seen] = living(there.pull("companies")).values()

    assert seen["properties"]["name"] == "x" * 300
    assert seen["properties"]["phone"] == "n/a"
    assert seen["properties"]["country"] is None


# -- the official contract ---------------------------------------------------------------------------------------------

CONTRACTS = Path(os.environ.get("OMNIHUB_CONTRACTS", Path(__file__).parents[2] / ".." / "shared" / "contracts"))
SPECS = {
    "/crm/v3/objects/companies": "CRM-companies-v3",
    "/crm/v3/objects/contacts": "CRM-contacts-v3",
    "/crm/v3/objects/deals": "CRM-deals-v3",
    "/crm/v3/objects/line_items": "CRM-lineItems-v3",
    "/crm/v3/objects/notes": "CRM-notes-v3",
    "/crm/v3/objects/products": "CRM-products-v3",
    "/crm/v3/objects/p_campaign_offers": "CRM-customObjects-v3",
    "/crm/v3/properties": "CRM-properties-v3",
    "/crm/v4": "CRM-associations-v4",
    "/communication-preferences/v4": "Communication_Preferences-subscriptions-v4",
    "/oauth": "Auth-oauth-v1",
}


@cache
def spec(name: str, url: str) -> OpenAPI:
    document = json.loads((CONTRACTS / "hubspot" / "strict" / f"{name}.json").read_text())
    return OpenAPI.from_dict({**document, "servers": [{"url": url}]})


def check(there: Account) -> set[str]:
    """Hold every exchange so far against the contract. Returns the contracts that were needed."""
    if not CONTRACTS.is_dir():
        pytest.skip("contracts not found")
    url, used = there.running.urls["hubspot"], set()
    for answer in there.wire:
        assert answer.request.url is not None
        name = next(name for path, name in SPECS.items() if answer.request.url.removeprefix(url).startswith(path))
        asked = RequestsOpenAPIRequest(answer.request)
        if answer.status_code < 400:
            spec(name, url).validate_request(asked)
        if answer.status_code != 204:  # nothing to check in an empty answer
            spec(name, url).validate_response(asked, RequestsOpenAPIResponse(answer))
        used.add(name)
    return used


def test_all_a_connector_says_and_hears_keeps_to_the_contract() -> None:
    copies = [
        *people(120),
        *(
            copy(s, n, name="N", account=1, contact=1, of=1)
            for s in ("companies", "deals", "line_items", "products", "campaign_offers")
            for n in (1, 2)
        ),
        copy("companies", 3, merged_into=1),
        copy("contacts", 200, deleted=True),
    ]
    with account(*copies) as there:
        for stream in ("companies", "contacts", "deals", "line_items", "products", "campaign_offers"):
            there.pull(stream)
            there.pull(stream, "2026-11-20T00:00:00.000Z")
        ids = [there.id("contacts", n) for n in (1, 2, 200)]
        there.update("contacts", *((id_, {"phone": "1", "job_title": None}) for id_ in ids))
        there.update("contacts", (ids[0], {"language": "klingon"}))
        there.look("contacts", *ids)
        there.update("companies", (there.id("companies", 1), {"city": "Bonn"}))
        there.look("companies", there.id("companies", 1))
        there.update("products", (there.id("products", 1), {"price": "9.50", "status": "discontinued"}))
        there.look("products", there.id("products", 1))
        made = [("k", {"first_name": "X", "account": f"hubspot/companies/{there.id('companies', 1)}"})]
        there.create("contacts", *made, ("l", {"email": "p1@example.com"}))
        there.find("contacts", "k", "m")
        there.write("contacts", ids[0], account=f"hubspot/companies/{there.id('companies', 2)}", first_name="Y")
        there.write("contacts", ids[0], account=None)
        there.update("contacts", (ids[0], {"account": "hubspot/companies/21999999999"}))
        for state in ("yes", "no"):
            there.say(f"{ids[0]}-1", state)
        there.pull("consents")
        there.forget(ids[0], ids[2], "51999999999")

        assert len(check(there)) == 8
        assert {answer.status_code for answer in there.wire} == {200, 201, 204, 207, 404}


def test_what_only_people_and_other_apps_call_keeps_to_the_contract_too() -> None:
    to = {"to": {"id": "51000000001"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}
    note = {"properties": {"hs_timestamp": "2026-11-21T12:00:00Z", "hs_note_body": "x"}, "associations": [to]}
    link = "/crm/v4/objects/contacts/51000000001/associations/default/companies/21000000001"
    row = {"id": "x@example.com", "idProperty": "email", "objectWriteTraceId": "1", "properties": {"firstname": "X"}}
    kind = {"name": "size", "label": "Size", "type": "string", "fieldType": "text", "groupName": "g"}
    said = {"subscriptionId": 1, "statusState": "UNSUBSCRIBED", "channel": "EMAIL"}
    objects, status = "/crm/v3/objects/contacts", "/communication-preferences/v4/statuses/p1@example.com"
    expected: list[tuple[str, str, Any, int]] = [
        ("POST", objects, {"properties": {"email": "n@example.com"}}, 201),
        ("POST", objects, {"properties": {"email": "p1@example.com"}}, 409),
        ("GET", f"{objects}/51000000001?associations=companies", None, 200),
        ("GET", f"{objects}/1", None, 404),
        ("PATCH", f"{objects}/51000000001", {"properties": {"firstname": "Y"}}, 200),
        ("PATCH", f"{objects}/51000000001", {"properties": {"nothing": "Y"}}, 400),
        ("POST", f"{objects}/batch/upsert", {"inputs": [row]}, 200),
        ("POST", f"{objects}/batch/create", {"inputs": [{"properties": {"email": "m@example.com"}}]}, 201),
        ("POST", f"{objects}/merge", {"primaryObjectId": "51000000001", "objectIdToMerge": "51000000002"}, 200),
        ("DELETE", f"{objects}/51000000003", None, 204),
        ("POST", f"{objects}/batch/archive", {"inputs": [{"id": "51000000004"}]}, 204),
        ("POST", "/crm/v3/objects/notes", note, 201),
        ("PUT", link, None, 200),
        ("POST", "/crm/v4/associations/contacts/companies/batch/read", {"inputs": [{"id": "51000000001"}]}, 200),
        ("POST", "/crm/v4/associations/contacts/companies/batch/read", {"inputs": [{"id": "51000000003"}]}, 207),
        ("GET", "/crm/v3/properties/contacts", None, 200),
        ("POST", "/crm/v3/properties/contacts", kind, 201),
        ("GET", "/communication-preferences/v4/definitions", None, 200),
        ("POST", status, said, 200),
        ("GET", f"{status}?channel=EMAIL", None, 200),
    ]
    with account(*people(5), copy("companies", 1)) as there:
        for method, path, body, code in expected:
            assert there.client.http.request(method, path, json=body).status_code == code, path
        form = {"grant_type": "refresh_token", **OAUTH}
        token = there.client.http.post("/oauth/v1/token", data=form).json()["access_token"]
        assert there.client.http.get(f"/oauth/v1/access-tokens/{token}").status_code == 200
        there.client = there.open(token="wrong")
        assert there.client.http.get(objects).status_code == 401

        assert len(check(there)) == 6


# -- findings shown at their records ----------------------------------------------------------------------------------


def test_a_finding_is_a_task_at_its_record_and_one_without_its_record_hurts_no_other() -> None:
    place = connector.place
    assert place
    with account(copy("contacts", 1, email="a@firma.example")) as there:
        id_ = there.there.native_id("contacts", 1)
        notices = [
            Notice(f"omnihub-{n}", at, "contacts", "Phone", "- says <b>x</b>\n- and y", "high")
            for n, at in enumerate((id_, "59999999999"))
        ]
        answers = list(place.put(there.client, [(notice, None) for notice in notices]))
        assert {a.n: (a.outcome, a.code) for a in answers} == {
            0: (Outcome.WRITTEN, ""),
            1: (Outcome.REFUSED, "NOT_LINKED"),
        }
        made = next(str(a.id) for a in answers if a.n == 0)
        task = there.there.state.get("tasks", made)
        assert task
        assert task.body["associations"] == {"contacts": [id_]}
        assert task.body["properties"]["hs_task_body"] == "- says &lt;b&gt;x&lt;/b&gt;<br>- and y"
        assert task.body["properties"]["hs_task_priority"] == "HIGH"


def test_tasks_without_the_key_say_what_to_add() -> None:
    assert connector.place
    notice = Notice("omnihub-1", None, "contacts", "Phone", "-", "low")
    with (
        account(copy("contacts", 1, email="a@firma.example"), has_key=False) as there,
        pytest.raises(ConfigError, match="tasks of this account have no property hub_ext_id"),
    ):
        list(connector.place.put(there.client, [(notice, None)]))

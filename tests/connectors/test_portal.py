"""The portal connector against its stand-in, and both against the portal's own contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import requests
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from connectors.portal import CONSENT, connector, say_consent, statements
from connectors.portal.sandbox import standin
from omnihub.errors import ConfigError, RejectedRecord
from omnihub.model import Op, Outcome
from omnihub.refine import PRIOR, SENT, VERSIONS, refine
from omnihub.sandbox.copies import HELD, Copy
from omnihub.sandbox.kit import BADGE, Call, Quota, Reply, Running
from omnihub.sdk import Answer, Http, Limit, Page, Record, Row, Want, open_client, value_at
from omnihub.sdk.reporting import Notice

CONTRACT = Path(__file__).parents[2] / "connectors" / "portal" / "openapi.yaml"
NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
STREAMS = ("accounts", "users", "logins")


class Clock:
    """The portal's clock, set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def account(n: int, **fields: Any) -> Copy:
    at = f"2026-01-01T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}.000000Z"
    given = {"name": f"Firma {n} GmbH", "phone": "+49 30 1234567", "city": "Berlin", "country": "DE", **fields}
    return Copy("portal", "accounts", n, given, at, at)


def user(n: int, **fields: Any) -> Copy:
    at = f"2026-01-02T00:00:{n:02d}.000000Z"
    given = {
        "first_name": "Anna", "last_name": "Meyer", "email": f"anna{n}@firma.example", "phone": "+49 30 1",
        "mobile": "+49 171 1", "job_title": "Einkauf", "language": "de", "country": "DE", "account": 1,
        "marketing_consent": "yes", "consent_at": "2026-01-01T00:00:00Z", **fields,
    }  # fmt: skip
    return Copy("portal", "users", n, given, at, at)


def login(n: int) -> Copy:
    at = f"2026-01-03T00:00:{n:02d}.000000Z"
    return Copy("portal", "logins", n, {"contact": 1, "at": at, "channel": "web"}, at, at)


OFFER = {
    "code": "MAY", "name": "Offer of May", "sku": "OM-1", "customer_group": "key", "account": 2, "discount": "12.5",
    "discount_amount": None, "price": "99.00", "currency": "EUR", "valid_from": "2026-05-01", "valid_to": "2026-05-31",
}  # fmt: skip


def offer(n: int, **fields: Any) -> Copy:
    at = f"2026-01-04T00:00:{n:02d}.000000Z"
    return Copy("portal", "offers", n, fields, at, at)


QUOTE = {
    "name": "Q-10017", "account": 2, "contact": 1, "amount": "198.00", "currency": "EUR", "closes_on": "2026-12-31",
}  # fmt: skip
LINE = {"of": 3, "sku": "OM-1", "name": "Pump", "quantity": "2", "unit_price": "99.00", "currency": "EUR"}
AT = "2026-01-05T00:00:00.000000Z"


class Office:
    """A portal with a few records in it, and the hub's client for it."""

    def __init__(self, run: Running, clock: Clock) -> None:
        portal = run.standins["portal"]
        assert isinstance(portal, standin)
        self.portal, self.clock = portal, clock
        self.settings = {"url": run.urls["portal"], **standin.credentials}
        self.http: Http = open_client(connector, self.settings)
        self.portal.seed([*(account(n) for n in range(1, 6)), *(user(n) for n in range(1, 4)), login(1), login(2)])

    def pull(self, stream: str, since: str | None = None, complete: bool = False) -> list[Page]:
        pull = connector.stream(stream).pull
        assert pull is not None
        return list(pull(self.http, Want(since, complete, NOW)))

    def row(self, stream: str, n: int, **fields: str | None) -> Row:
        """A wish as the hub would make it: from the record as `look` reads it now."""
        s, id_ = connector.stream(stream), self.portal.native_id(stream, n)
        assert s.push is not None
        [found] = [r for page in s.push.look(self.http, [id_]) for r in page.records]
        before = {name: value_at(found.raw, s.fields[name].path) for name in fields}
        return Row(n, Op.UPDATE, id_, s.fields.body(fields), fields, before, "g", json.loads(found.raw))

    def push(self, stream: str, *rows: Row) -> list[tuple[int, Outcome, str]]:
        push = connector.stream(stream).push
        assert push is not None
        return [(a.n, a.outcome, a.code) for a in push.update(self.http, rows)]

    def create(self, stream: str, key: str, body: dict[str, Any]) -> Answer:
        push = connector.stream(stream).push
        assert push is not None
        assert push.create is not None
        [answer] = push.create(self.http, [Row(1, Op.CREATE, None, body, {}, {}, key)])
        return answer

    def find(self, stream: str, *keys: str) -> dict[str, Any]:
        push = connector.stream(stream).push
        assert push is not None
        assert push.find is not None
        return {str(r.id): json.loads(r.raw) for page in push.find(self.http, keys) for r in page.records}

    def delete(self, stream: str, row: Row) -> Outcome:
        push = connector.stream(stream).push
        assert push is not None
        assert push.delete is not None
        [answer] = push.delete(self.http, [row])
        return answer.outcome

    def forget(self, *ids: str) -> list[Answer]:
        push = connector.stream("users").push
        assert push is not None
        assert push.erase is not None
        return list(push.erase(self.http, [Row(n, Op.UPDATE, id_, {}, {}, {}, "g") for n, id_ in enumerate(ids)]))

    def say(self, **said: str) -> Answer:
        """A statement about consent, as the hub would make it."""
        fields: dict[str, str | None] = {"contact": "portal/users/usr_00000001", "purpose": "marketing", **said}
        row = Row(1, Op.CREATE, None, CONSENT.body(fields), fields, {}, "g")
        [answer] = say_consent(self.http, [row])
        return answer


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Running, Clock]]:
    """One server for all tests: starting one takes longer than most of them. Its clock only ever goes on."""
    clock = Clock()
    with Running([standin(quotas=(), now=clock)]) as run:
        yield run, clock


@pytest.fixture
def empty(running: tuple[Running, Clock]) -> Running:
    """A portal with nothing in it and no limits."""
    running[0].standins["portal"].state.clear()
    running[0].standins["portal"].quotas = []
    return running[0]


@pytest.fixture
def office(empty: Running, running: tuple[Running, Clock]) -> Office:
    return Office(empty, running[1])


def everything(pages: Sequence[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


# -- reading ---------------------------------------------------------------------------------------------------------


def test_an_offer_says_all_that_the_map_knows_and_nothing_of_what_it_does_not_say(office: Office) -> None:
    office.portal.seed([offer(1, **OFFER), offer(2, code="JUNE")])
    one, other = everything(office.pull("offers"))
    paths = {name: where.path for name, where in connector.stream("offers").fields.items()}
    said = {name: value_at(one.raw, path) for name, path in paths.items()}
    assert said == OFFER | {"account": office.portal.native_id("accounts", 2)}
    assert [name for name, path in paths.items() if value_at(other.raw, path) is not None] == ["code"]


def read(office: Office, stream: str) -> list[dict[str, str]]:
    """The fields of a stream's records as they are refined."""
    at = NOW.isoformat()
    versions = [
        {"ref": f"portal/{stream}/{r.id}", "seq": seq, "body": r.raw.decode(), "deleted": r.deleted, "landed_at": at}
        for seq, r in enumerate(everything(office.pull(stream)))
    ]
    table = pa.Table.from_pylist(versions, schema=VERSIONS)
    rows = refine("portal", connector.stream(stream), table, PRIOR.empty_table(), SENT.empty_table()).to_pylist()
    assert {row["problems"] for row in rows} == {"{}"}
    return [json.loads(row["fields"]) for row in sorted(rows, key=lambda row: str(row["ref"]))]


def test_a_quote_and_its_lines_are_a_deal_and_whose_lines_those_are(office: Office) -> None:
    stages = ("quoted", "won", "lost")
    office.portal.seed(Copy("portal", "quotes", n, {**QUOTE, "stage": s}, AT, AT) for n, s in enumerate(stages, 1))
    office.portal.seed([Copy("portal", "quote_lines", 1, LINE, AT, AT)])
    linked = (("accounts", 2), ("users", 1), ("quotes", 3))
    account, user, quote = (f"portal/{stream}/{office.portal.native_id(stream, n)}" for stream, n in linked)
    assert read(office, "quotes") == [QUOTE | {"account": account, "contact": user, "stage": s} for s in stages]
    assert read(office, "quote_lines") == [LINE | {"of": quote}]


def test_a_line_that_changes_or_goes_is_read_by_itself(office: Office) -> None:
    office.portal.seed(Copy("portal", "quote_lines", n, LINE, AT, AT) for n in (1, 2, 3))
    cursor = office.pull("quote_lines")[-1].cursor
    one, other = (office.portal.native_id("quote_lines", n) for n in (1, 2))
    office.portal.edit("quote_lines", one, {"unit_price": "98.00"})
    gone = office.portal.state.get("quote_lines", other)
    assert gone is not None
    gone.deleted = True
    office.portal.state.save(gone)
    found = everything(office.pull("quote_lines", cursor))
    assert [(r.id, r.deleted, value_at(r.raw, "unit_price")) for r in found] == [
        (one, False, "98.00"), (other, True, "99.00"),
    ]  # fmt: skip


@pytest.mark.parametrize("stream", STREAMS)
def test_a_complete_pass_shows_every_record_and_says_so_on_its_last_page(office: Office, stream: str) -> None:
    pages = office.pull(stream)

    assert len(everything(pages)) == {"accounts": 5, "users": 3, "logins": 2}[stream]
    assert [page.complete for page in pages][-1] is True


def test_an_empty_portal_still_gives_a_page_and_a_cursor_to_go_on_from(empty: Running) -> None:
    http = open_client(connector, {"url": empty.urls["portal"], **standin.credentials})
    pull = connector.stream("accounts").pull
    assert pull is not None

    [page] = pull(http, Want(None, False, NOW))
    assert (page.records, page.complete) == ([], True)

    empty.standins["portal"].seed([account(1)])
    [page] = pull(http, Want(page.cursor, False, NOW))
    assert len(page.records) == 1


def test_several_pages_hold_each_record_once(office: Office) -> None:
    office.portal.seed(account(n) for n in range(6, 1203))

    pages = office.pull("accounts")

    assert [len(page.records) for page in pages] == [500, 500, 202]
    assert len({record.id for record in everything(pages)}) == 1202
    assert [page.complete for page in pages] == [False, False, True]


def test_a_pull_cut_off_in_the_middle_goes_on_from_the_cursor_of_its_last_page(office: Office) -> None:
    office.portal.seed(account(n) for n in range(6, 1203))
    first = office.pull("accounts")[0]

    rest = office.pull("accounts", since=first.cursor)

    assert len({record.id for record in everything([first, *rest])}) == 1202
    assert not any(page.complete for page in rest)


def test_the_next_pull_brings_the_edit_and_nothing_else(office: Office) -> None:
    cursor = office.pull("accounts")[-1].cursor
    assert everything(office.pull("accounts", cursor)) == []

    office.portal.edit("accounts", "acc_00000002", {"city": "Bonn"})

    [record] = everything(office.pull("accounts", cursor))
    assert (record.id, value_at(record.raw, "address.city")) == ("acc_00000002", "Bonn")


def test_a_deleted_and_a_merged_account_come_as_tombstones(office: Office) -> None:
    cursor = office.pull("accounts")[-1].cursor
    office.http.delete("/v1/accounts/acc_00000003", headers={"If-Match": '"1"'})
    office.http.post("/v1/accounts/acc_00000004/merge", json={"into": "acc_00000001"})

    found = everything(office.pull("accounts", cursor))

    assert {(r.id, r.deleted, r.merged_into) for r in found} == {
        ("acc_00000003", True, None),
        ("acc_00000004", True, "acc_00000001"),
    }


def test_copies_that_were_deleted_or_merged_long_ago_show_as_tombstones_too(office: Office) -> None:
    at = "2026-02-01T00:00:00.000000Z"
    office.portal.seed([Copy("portal", "accounts", 9, {"name": "Alt"}, at, at, deleted=True, merged_into=2)])

    [record] = [r for r in everything(office.pull("accounts")) if r.deleted]

    assert (record.id, record.merged_into) == ("acc_00000009", "acc_00000002")


def test_users_of_a_merged_account_move_to_the_one_that_lives_on(office: Office) -> None:
    cursor = office.pull("users")[-1].cursor
    office.http.post("/v1/accounts/acc_00000001/merge", json={"into": "acc_00000002"})

    found = everything(office.pull("users", cursor))

    assert {value_at(record.raw, "account_id") for record in found} == {"acc_00000002"}


def test_records_are_kept_byte_for_byte_as_they_came(office: Office) -> None:
    office.portal.edit("accounts", "acc_00000001", {"name": "Ærø & Søn «Ü»"})
    pages = office.pull("accounts")
    wire = office.http.last().content

    assert all(record.raw in wire for record in everything(pages))
    assert "Ærø & Søn «Ü»".encode() in b"".join(record.raw for record in everything(pages))


def test_junk_that_people_typed_is_shown_as_it_is(office: Office) -> None:
    junk = {"name": "x" * 300, "phone": "n/a", "country": "Germany", "email": "none", "domain": "?", "vat_id": None}
    office.portal.seed([account(7, **junk)])

    [record] = [r for r in everything(office.pull("accounts")) if r.id == "acc_00000007"]

    fields = connector.stream("accounts").fields
    assert {name: value_at(record.raw, fields[name].path) for name in junk} == junk


@pytest.mark.parametrize("stream", [stream.name for stream in connector.streams])
def test_every_field_the_portal_holds_is_mapped(stream: str) -> None:
    assert set(HELD["portal", stream]) <= set(connector.stream(stream).map)


# -- logging in, limits ----------------------------------------------------------------------------------------------


def test_a_wrong_secret_is_a_setting_to_put_right(office: Office) -> None:
    http = open_client(connector, {**office.settings, "client_secret": "wrong"})
    with pytest.raises(ConfigError, match="portal: the login was refused"):
        http.get_ok("/v1/accounts")


def test_an_old_token_is_renewed_on_the_way(office: Office) -> None:
    office.pull("logins")
    office.clock.at += timedelta(seconds=901)

    assert len(everything(office.pull("logins"))) == 2
    assert [status for _, path, status in office.portal.calls if path == "/v1/logins"][-3:] == [200, 401, 200]


def test_a_refusal_for_too_many_calls_is_waited_out(office: Office) -> None:
    waits: list[float] = []
    quota = Quota(2, 60)

    def wait(wait_s: float) -> None:
        waits.append(wait_s)
        quota.made.clear()

    office.http.budget, office.http.wait = None, wait
    office.http.get_ok("/v1/logins")
    office.portal.quotas = [quota]
    office.http.get_ok("/v1/logins")
    assert office.http.get_ok("/v1/logins").headers["RateLimit-Remaining"] == "0"
    headers = office.http.last().request.headers
    refused = requests.get(f"{office.settings['url']}/v1/logins", headers=headers, timeout=5)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")

    assert office.http.get_ok("/v1/logins").status_code == 200
    assert waits == [60.0]


# -- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["accounts", "users"])
def test_what_is_written_is_what_is_read_again_for_every_field(office: Office, stream: str) -> None:
    push, fields = connector.stream(stream).push, connector.stream(stream).fields
    assert push is not None
    special = {"domain": "neu.example", "phone": "+49 40 99", "mobile": "+49 171 99", "country": "AT", "language": "en"}
    special["email"] = "neu@neu.example"
    wishes: dict[str, str | None] = {name: special.get(name, f"Neu {name}") for name in push.fields}

    assert office.push(stream, office.row(stream, 1, **wishes)) == [(1, Outcome.WRITTEN, "")]

    record = next(r for r in everything(office.pull(stream)) if r.id == office.portal.native_id(stream, 1))
    assert {name: value_at(record.raw, fields[name].path) for name in wishes} == wishes


def test_writing_one_part_of_an_address_leaves_the_others(office: Office) -> None:
    office.push("accounts", office.row("accounts", 1, street="Weg 1"))

    after = office.row("accounts", 1).raw["address"]
    assert after == {"street": "Weg 1", "city": "Berlin", "country": "DE"}


def test_one_bad_row_of_a_batch_is_refused_and_the_others_are_written(office: Office) -> None:
    rows = [office.row("accounts", n, phone=phone) for n, phone in ((1, "+49 1111"), (2, "n/a"), (3, "+49 3333"))]

    assert office.push("accounts", *rows) == [
        (1, Outcome.WRITTEN, ""),
        (2, Outcome.REFUSED, "/problems/invalid"),
        (3, Outcome.WRITTEN, ""),
    ]
    assert [office.row("accounts", n).raw["phone"] for n in (1, 2, 3)] == ["+49 1111", "+49 30 1234567", "+49 3333"]


def test_a_record_changed_since_it_was_read_is_drifted_and_left_alone(office: Office) -> None:
    row = office.row("accounts", 1, city="Bonn")
    office.portal.edit("accounts", "acc_00000001", {"city": "Kiel"})

    assert office.push("accounts", row) == [(1, Outcome.DRIFTED, "/problems/stale-version")]
    assert office.row("accounts", 1).raw["address"]["city"] == "Kiel"


def test_a_record_deleted_since_it_was_read_is_refused_and_not_seen_again(office: Office) -> None:
    row = office.row("accounts", 1, city="Bonn")
    office.http.delete("/v1/accounts/acc_00000001", headers={"If-Match": "*"})

    assert office.push("accounts", row) == [(1, Outcome.REFUSED, "/problems/gone")]
    push = connector.stream("accounts").push
    assert push is not None
    assert [r.id for page in push.look(office.http, ["acc_00000001", "acc_00000002"]) for r in page.records] == [
        "acc_00000002"
    ]


def test_a_batch_too_large_is_refused_as_a_whole(office: Office) -> None:
    row = office.row("accounts", 1, city="Bonn")
    with pytest.raises(RejectedRecord) as refusal:
        office.push("accounts", *[row] * 201)
    assert refusal.value.status == 400


def test_the_login_name_is_not_for_the_hub_to_change(office: Office) -> None:
    push = connector.stream("users").push
    assert push is not None
    assert "email" not in push.fields
    answer = office.http.patch("/v1/users/usr_00000001", json={"email": "b@c.example"}, headers={"If-Match": '"1"'})
    assert answer.json()["errors"] == [{"field": "email", "detail": "is unknown here"}]


# -- making records, and taking back what was made -------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["accounts", "users"])
def test_a_record_is_made_once_for_its_key_and_then_changed(office: Office, stream: str) -> None:
    name = {"accounts": "name", "users": "first_name"}[stream]

    first, again = (office.create(stream, "golden 7 ü", {name: text}) for text in ("Neu", "Neuer"))

    assert (first.outcome, again.outcome, again.id) == (Outcome.WRITTEN, Outcome.WRITTEN, first.id)
    found = office.find(stream, "golden 7 ü", "nobody")
    assert {id_: shown[name] for id_, shown in found.items()} == {first.id: "Neuer"}


def test_what_the_portal_does_not_take_is_refused_in_its_words(office: Office) -> None:
    taken = office.create("users", "g", {"email": "anna1@firma.example"})
    assert (taken.outcome, taken.code, taken.message) == (
        Outcome.REFUSED, "/problems/invalid", "email belongs to another record",
    )  # fmt: skip
    assert office.create("accounts", "g", {"phone": "+49 30 1"}).message == "name is required"
    assert office.find("users", "g") == {}


def test_somebody_made_without_an_address_can_be_given_one_and_then_keeps_it(office: Office) -> None:
    made = office.create("users", "g", {"first_name": "Nora"})
    given = office.create("users", "g", {"email": "nora@firma.example"})
    changed = office.create("users", "g", {"email": "other@firma.example"})

    assert (given.id, given.outcome, changed.outcome) == (made.id, Outcome.WRITTEN, Outcome.REFUSED)
    assert changed.message == "email only the user may change it"
    assert [user["email"] for user in office.find("users", "g").values()] == ["nora@firma.example"]


def test_what_was_made_is_taken_back_unless_somebody_changed_it(office: Office) -> None:
    rows = [office.row("accounts", n, city="Bonn") for n in (1, 2)]
    office.portal.edit("accounts", "acc_00000001", {"city": "Kiel"})

    assert [office.delete("accounts", row) for row in rows] == [Outcome.DRIFTED, Outcome.WRITTEN]
    assert office.delete("accounts", rows[1]) is Outcome.WRITTEN  # gone already is as good
    assert {r.id for r in everything(office.pull("accounts")) if r.deleted} == {"acc_00000002"}


# -- the rest of the contract ----------------------------------------------------------------------------------------


ANNA = ("usr_00000001", "anna1@firma.example")


def test_who_is_forgotten_leaves_a_tombstone_without_a_word_on_whose_it_is(office: Office) -> None:
    id_, address = ANNA
    cursor = office.pull("users")[-1].cursor

    [answer] = office.forget(id_)

    assert (answer.outcome, answer.id) == (Outcome.WRITTEN, id_)
    for pages in (office.pull("users", cursor), office.pull("users", complete=True)):
        [gone] = [record for record in everything(pages) if record.id == id_]
        assert gone.deleted is True
        assert address.encode() not in gone.raw
        assert all(value_at(gone.raw, name) is None for name in ("first_name", "phone", "mobile", "job_title"))
    assert address not in json.dumps(office.portal.dump())
    assert "anna2@firma.example" in json.dumps(office.portal.dump())


def test_a_deleted_or_merged_user_still_shows_and_is_forgotten_as_well(office: Office) -> None:
    office.http.delete("/v1/users/usr_00000001", headers={"If-Match": "*"})
    office.http.post("/v1/users/usr_00000002/merge", json={"into": "usr_00000003"})
    shown = b"".join(record.raw for record in everything(office.pull("users")))
    assert b"anna1@firma.example" in shown
    assert b"anna2@firma.example" in shown

    answers = office.forget("usr_00000001", "usr_00000002")

    assert [answer.outcome for answer in answers] == [Outcome.WRITTEN] * 2
    shown = b"".join(record.raw for record in everything(office.pull("users")))
    assert b"anna1@firma.example" not in shown
    assert b"anna2@firma.example" not in shown
    assert b"anna3@firma.example" in shown


def test_who_was_merged_into_somebody_is_forgotten_with_them(office: Office) -> None:
    office.http.post("/v1/users/usr_00000002/merge", json={"into": "usr_00000003"})
    assert [answer.outcome for answer in office.forget("usr_00000003")] == [Outcome.WRITTEN]
    shown = b"".join(record.raw for record in everything(office.pull("users")))
    assert b"anna2@firma.example" not in shown
    assert b"anna1@firma.example" in shown


def test_who_is_gone_already_or_never_was_there_is_as_good_as_forgotten(office: Office) -> None:
    office.forget(ANNA[0])
    writes = office.portal.state.writes

    answers = office.forget(ANNA[0], "usr_99999999", "usr/../1")

    assert [answer.outcome for answer in answers] == [Outcome.WRITTEN] * 3
    assert office.portal.state.writes == writes


def test_who_may_not_be_forgotten_is_refused_with_the_reason_and_the_others_go(office: Office) -> None:
    office.portal.options["on_hold"] = [ANNA[0]]
    try:
        held, gone = office.forget(ANNA[0], "usr_00000002")
    finally:
        del office.portal.options["on_hold"]

    assert (held.outcome, held.code) == (Outcome.REFUSED, "/problems/on-hold")
    assert "legal ends the hold" in held.message
    assert gone.outcome is Outcome.WRITTEN
    assert ANNA[1] in json.dumps(office.portal.dump())


def test_an_answer_lost_after_a_user_was_forgotten_does_no_harm(office: Office) -> None:
    writes = office.portal.state.writes
    office.http.wait = lambda wait_s: office.portal.faults.switch_off()
    office.portal.faults.switch_on("500 after commit", rate=1.0)
    try:
        [answer] = office.forget(ANNA[0])
    finally:
        office.portal.faults.switch_off()

    assert answer.outcome is Outcome.WRITTEN
    assert [status for _, path, status in office.portal.calls if path.endswith("/erasure")][-2:] == [500, 204]
    assert office.portal.state.writes == writes + 1


@pytest.mark.long
def test_a_portal_that_does_not_answer_is_asked_again_the_next_time(office: Office) -> None:
    office.http.wait = lambda wait_s: None
    office.portal.faults.switch_on("429 storm", rate=1.0)
    office.portal.calls.clear()
    try:
        answers = office.forget(ANNA[0], "usr_00000002")
    finally:
        office.portal.faults.switch_off()

    assert [(a.outcome, a.code) for a in answers] == [(Outcome.DEFERRED, "LATER")] * 2
    assert not any("usr_00000002" in path for _, path, _ in office.portal.calls)
    assert [a.outcome for a in office.forget(ANNA[0], "usr_00000002")] == [Outcome.WRITTEN] * 2


def test_too_many_calls_are_waited_out_while_somebody_is_forgotten(office: Office) -> None:
    waits: list[float] = []
    quota = Quota(1, 60)

    def wait(wait_s: float) -> None:
        waits.append(wait_s)
        quota.made.clear()

    office.pull("logins")
    office.http.budget, office.http.wait, office.portal.quotas = None, wait, [quota]

    assert [answer.outcome for answer in office.forget(ANNA[0], "usr_00000002")] == [Outcome.WRITTEN] * 2
    assert waits == [60.0]


def test_the_same_key_writes_once_and_answers_alike(office: Office) -> None:
    def create(name: str, key: str) -> requests.Response:
        return office.http.post("/v1/accounts", json={"name": name}, headers={"Idempotency-Key": key})

    first, again, other = create("Neu", "k1"), create("Neu", "k1"), create("Anders", "k1")

    assert (first.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    office.clock.at += timedelta(hours=25)
    assert create("Neu", "k1").json()["id"] != first.json()["id"]


def test_a_key_whose_call_is_under_way_is_a_conflict(office: Office) -> None:
    call = Call("POST", "http://portal/v1/accounts", {}, [], {"Idempotency-Key": "k"}, b'{"name": "Neu"}')
    second: list[Reply] = []

    def slow() -> Reply:
        second.append(office.portal.once(call, lambda: Reply(201)))
        return Reply(201, {"id": "acc_1"})

    assert office.portal.once(call, slow).status == 201
    assert [reply.status for reply in second] == [409]


def test_a_change_without_a_version_is_not_accepted(office: Office) -> None:
    assert office.http.patch("/v1/accounts/acc_00000001", json={"name": "Neu"}).status_code == 428
    stale = office.http.patch("/v1/accounts/acc_00000001", json={"name": "Neu"}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    etag = office.http.get("/v1/accounts/acc_00000001").headers["ETag"]
    good = office.http.patch("/v1/accounts/acc_00000001", json={"name": "Neu"}, headers={"If-Match": etag})
    assert (good.status_code, good.headers["ETag"]) == (200, '"2"')


def test_an_external_id_creates_once_and_then_changes(office: Office) -> None:
    first = office.http.put("/v1/accounts/by-external-id/G-1", json={"name": "Neu"})
    second = office.http.put("/v1/accounts/by-external-id/G-1", json={"name": "Neuer"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]


def test_two_users_cannot_have_one_login_name(office: Office) -> None:
    answer = office.http.post("/v1/users", json={"email": "ANNA1@firma.example"})
    assert answer.json()["errors"] == [{"field": "email", "detail": "belongs to another record"}]


def test_consent_is_only_ever_added_and_the_newest_counts(office: Office) -> None:
    first = office.say(state="no", at="2026-05-01T00:00:00Z")
    office.say(state="yes", at="2026-04-01T00:00:00Z")  # arrives late, and changes nothing
    again = office.say(state="no", at="2026-05-01T02:00:00+02:00")

    assert (first.outcome, again.outcome, again.id) == (Outcome.WRITTEN, Outcome.WRITTEN, first.id)
    kept = [json.loads(r.raw) for r in everything(list(statements(office.http, Want(None, False, NOW))))]
    assert [(said["id"], said["state"]) for said in kept] == [(first.id, "denied"), ("con_00000002", "granted")]
    [user_] = [json.loads(r.raw) for r in everything(office.pull("users")) if r.id == "usr_00000001"]
    assert user_["marketing_consent"] == {"state": "denied", "at": "2026-05-01T00:00:00Z"}


def test_a_statement_nobody_can_read_or_about_nobody_is_refused(office: Office) -> None:
    when = "2026-05-01T00:00:00Z"
    answers = [
        office.say(state="perhaps", at=when),
        office.say(state="no", at="yesterday"),
        office.say(state="no", at=when, contact="portal/users/usr_99999999"),
    ]
    assert [answer.outcome for answer in answers] == [Outcome.REFUSED] * 3
    assert [answer.code for answer in answers] == ["/problems/invalid", "/problems/bad-time", "/problems/not-found"]
    assert everything(list(statements(office.http, Want(None, False, NOW)))) == []


def test_the_portal_says_how_many_calls_are_left_where_the_connector_looks(office: Office) -> None:
    office.http.get_ok("/v1/accounts")  # with this, the login is behind us
    office.portal.quotas = [Quota(600, 60.0)]
    [limit] = connector.limits
    assert isinstance(limit, Limit)
    answer = office.http.get_ok("/v1/accounts")
    assert (answer.headers[str(limit.left)], answer.headers[limit.resets]) == ("599", "60")


# -- against openapi.yaml --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contract() -> OpenAPI:
    return OpenAPI.from_path(CONTRACT, Config(extra_media_type_deserializers={"application/problem+json": json.loads}))


def check(contract: OpenAPI, answer: requests.Response, *, request_too: bool = True) -> None:
    request = RequestsOpenAPIRequest(answer.request)
    if request_too:
        contract.validate_request(request)
    contract.validate_response(request, RequestsOpenAPIResponse(answer))


@pytest.mark.filterwarnings("ignore:Unsupported scheme type")  # openapi-core does not look into OAuth
def test_every_call_of_the_connector_is_as_the_contract_says(office: Office, contract: OpenAPI) -> None:
    seen: list[requests.Response] = []
    office.http.hooks["response"].append(lambda answer, **_: seen.append(answer))

    for stream in STREAMS:
        office.pull(stream)
    office.push("accounts", office.row("accounts", 1, city="Bonn", name="Neu"), office.row("accounts", 2, phone="n/a"))
    office.push("users", office.row("users", 1, language="en", first_name="Änne"))
    office.pull("accounts", since=office.pull("accounts")[-1].cursor)
    for name in ("Neu", "Neuer"):
        office.create("accounts", "g", {"name": name, "address": {"city": "Bonn"}})
        office.create("users", "g", {"first_name": name, "language": "en"})
        office.say(state="no", at="2026-05-01T00:00:00Z")
    office.create("users", "h", {"email": "anna1@firma.example"})
    office.delete("users", office.row("users", 2, language="en"))
    office.forget("usr_00000002", "usr_99999999")
    office.portal.seed([Copy("portal", "quotes", 1, QUOTE, AT, AT), Copy("portal", "quote_lines", 1, LINE, AT, AT)])
    for stream in ("users", "quotes", "quote_lines"):
        office.pull(stream)
    for stream in ("accounts", "users"):
        office.find(stream, "g", "nobody")
    list(statements(office.http, Want(None, False, NOW)))
    assert connector.place
    assert connector.place.read
    for about in ("acc_00000001", None):
        list(connector.place.put(office.http, [(Notice("k", about, "accounts", "Name", "- Name", "high"), None)]))
    for call in (connector.place.read, connector.place.clear, connector.place.remove):
        list(call(office.http, [("k", None), ("l", None)]))
    office.http.get("/v1/consistency-reports")

    for answer in seen:
        refused_item = b"n/a" in (answer.request.body or b"") if isinstance(answer.request.body, bytes) else False
        check(contract, answer, request_too=not refused_item)
    assert {answer.status_code for answer in seen} == {200, 201, 204, 207, 404, 422}


def test_the_stand_in_answers_as_the_contract_says_when_it_refuses(office: Office, contract: OpenAPI) -> None:
    http = office.http
    answers = [
        http.get("/v1/accounts/acc_99999999"),
        http.get("/v1/accounts", params={"cursor": "nonsense"}),
        http.patch("/v1/accounts/acc_00000001", json={"name": "Neu"}),
        http.post("/v1/users", json={"email": "anna1@firma.example"}),
        requests.get(f"{office.settings['url']}/v1/accounts", timeout=5),
    ]
    assert [answer.status_code for answer in answers] == [404, 400, 428, 422, 401]
    for answer in answers:
        check(contract, answer, request_too=False)


def test_the_stand_in_serves_every_path_of_the_contract() -> None:
    promised = {
        (verb.upper(), path)
        for path, item in yaml.safe_load(CONTRACT.read_text())["paths"].items()
        for verb in item
        if verb != "parameters"
    }
    served = {(method, r.path) for r in standin().app().routes for method in r.methods if method != "HEAD"}  # type: ignore[attr-defined]
    assert served - {("GET", BADGE)} == promised  # the badge is the sandbox's, not the portal's

"""What a real system said is kept without anybody's data, and answers again as it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors.portal.sandbox import standin as Portal
from omnihub.errors import RejectedRecord
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sandbox.replay import replayed
from omnihub.sdk import (
    ApiKey,
    Bearer,
    ByIds,
    Connector,
    Entity,
    Link,
    LinkHeader,
    NextUrl,
    Pages,
    Push,
    Send1,
    Setting,
    Stream,
)
from omnihub.sdk.recording import dumped, fake, parsed, record

NOW = datetime(2026, 11, 21, tzinfo=UTC)
AT = "2026-03-01T08:00:00.000000Z"
PEOPLE = 620  # more than a page
PORTAL = connectors.find()["portal"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of the portal, whose stand-in is the real system here."""
    portal = Portal(quotas=())
    folder = tmp_path_factory.mktemp("recordings")
    portal.seed(copies())
    with Running([portal]) as running:
        given = {"url": running.urls["portal"], **portal.credentials}
        kept = [*record(PORTAL, given, folder, pages=3, now=NOW)]
    assert [(one.stream, one.records, one.exchanges) for one in kept] == [
        ("accounts", 2, 2),  # the list, and a look at two of them
        ("users", PEOPLE, 3),
        ("logins", 0, 1),
        ("orders", 0, 1),
        ("offers", 0, 1),
        ("quotes", 0, 1),
        ("quote_lines", 0, 1),
    ]
    return folder


def copies() -> Iterator[Copy]:
    for n in (1, 2):
        fields = {"name": f"Kessler Pumpen {n} GmbH", "phone": "+49 711 998877", "domain": "kessler-pumpen.de"}
        yield Copy("", "accounts", n, {**fields, "city": "Esslingen", "postal_code": "73728", "country": "DE"}, AT, AT)
    for n in range(1, PEOPLE + 1):
        name = {"first_name": "Roswitha", "last_name": f"Kessler{n}", "email": f"r.kessler{n}@kessler-pumpen.de"}
        yield Copy(
            "", "users", n, {**name, "phone": f"+49 711 9988{n}", "language": "de", "account": 1 + n % 2}, AT, AT
        )


def test_nothing_of_anybody_is_in_the_files(recorded: Path) -> None:
    text = "".join(file.read_text() for file in recorded.rglob("*.json")).lower()
    for word in ("kessler", "roswitha", "esslingen", '"73728"', "711 9988", "bearer", "client_secret", "127.0.0.1"):
        assert word not in text, word


def test_a_value_keeps_its_shape_and_what_is_nobodys_stays(recorded: Path) -> None:
    [user, *_] = read(recorded, "users")["exchanges"][0]["body"]["items"]
    assert user["email"].endswith("@example.com")
    assert user["phone"].startswith("+49 ")
    assert (user["language"], user["updated_at"], user["version"]) == ("de", AT, 1)


def test_links_still_lead_to_the_same_record(recorded: Path) -> None:
    [first, *_] = read(recorded, "accounts")["exchanges"]
    [users, *_] = read(recorded, "users")["exchanges"]
    assert {u["account_id"] for u in users["body"]["items"]} == {a["id"] for a in first["body"]["items"]}


def test_a_pull_reads_the_recording_as_it_read_the_system(recorded: Path) -> None:
    with replayed(PORTAL, recorded) as replay:
        pages = replay.pages("users")
        assert [len(page.records) for page in pages] == [500, PEOPLE - 500]
        assert len({r.id for page in pages for r in page.records}) == PEOPLE
        assert pages[-1].complete
        assert [len(page.records) for page in replay.pages("accounts")] == [2]


def test_what_was_looked_at_can_be_looked_at_again(recorded: Path) -> None:
    push = PORTAL.stream("users").push
    assert push
    with replayed(PORTAL, recorded) as replay:
        ids = [str(r.id) for r in replay.pages("users")[0].records[:2]]
        assert [r.id for page in push.look(replay.client, ids) for r in page.records] == ids


def test_a_call_that_was_never_recorded_is_refused_with_its_name(recorded: Path) -> None:
    push = PORTAL.stream("users").push
    assert push
    with replayed(PORTAL, recorded) as replay, pytest.raises(RejectedRecord) as refused:
        [*push.look(replay.client, ["somebody else"])]
    assert b"never recorded: GET /v1/users with parameters: ids" in refused.value.body


def read(folder: Path, stream: str, system: str = "portal") -> Any:
    return json.loads((folder / system / f"{stream}.json").read_text())


# -- other manners ---------------------------------------------------------------------------------------------------


class Acme(Standin):
    """A system that puts ids everywhere, and everything else too."""

    system, role = "acme", "acme"

    def authorized(self, call: Call) -> bool:
        return call.param("key") == "s3cret" or call.headers.get("authorization") == "Bearer s3cret"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"error": message})

    @route("GET", "/v1/people")
    def people(self, call: Call) -> Reply:
        here = f"http://{call.headers['host']}/v1/people?page=2&token=anna-8812345&key=s3cret"
        first = {
            "id": 8812345, "mail": "anna@kessler.de", "born": "1971-05-09", "tel": 1555123456, "visits": 7,
            "balance": "x", "vat": 1_234_567_890, "created_at": 1_767_225_600, "lat": 48.740512, "price": 1.50,
            "note": "see https://kessler.de/anna", "photo": f"http://{call.headers['host']}/v1/people/anna.png",
            "by_mail": {"anna@kessler.de": True}, "boss": "8812346",
        }  # fmt: skip
        second = {"id": 8812346, "mail": "b@kessler.de", "boss": None}
        if call.param("page") == "2":
            return Reply(200, {"data": [second], "next": None})
        return Reply(200, {"data": [first], "next": here}, {"Link": f'<{here}>; rel="next"', "Set-Cookie": "sid=anna"})

    @route("GET", "/v1/people/{id}")
    def person(self, call: Call) -> Reply:
        return Reply(200, {"id": int(call.path["id"]), "mail": "anna@kessler.de"})


PERSON = Stream(
    "people",
    Entity.CONTACT,
    {"email": "mail", "account": Link("boss", stream="people")},
    Pages("/v1/people", items="data", next=NextUrl("next")),
    push=Push(("email",), update=Send1("PATCH", "/v1/people/{id}"), look=ByIds("/v1/people/{id}")),
)
SETTINGS = (Setting("url", "where"), Setting("token", "how", secret=True))
ACME = Connector("acme", "Acme", "people", (PERSON,), SETTINGS, ApiKey("key", "token"))


@pytest.fixture(params=["a key in the address", "a header"])
def acme(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Connector, Path]:
    linked = replace(PERSON, pull=Pages("/v1/people", items="data", next=LinkHeader()))
    in_header = replace(ACME, auth=Bearer("token"), streams=(linked,))
    connector = ACME if request.param == "a key in the address" else in_header
    with Running([Acme(quotas=())]) as running:
        [*_] = record(connector, {"url": running.urls["acme"], "token": "s3cret"}, tmp_path, now=NOW)
    return connector, tmp_path


def test_data_in_odd_places_is_replaced_too(acme: tuple[Connector, Path]) -> None:
    text = (acme[1] / "acme" / "people.json").read_text()
    numbers = ("8812345", "8812346", "1555123456", "1234567890", "1971-05-09", "48.7405")
    for word in ("anna@", "kessler", "s3cret", *numbers):
        assert word not in text, word
    assert "Set-Cookie" not in text
    [person] = read(acme[1], "people", "acme")["exchanges"][0]["body"]["data"]
    assert (person["visits"], person["created_at"]) == (7, 1_767_225_600)
    assert '"price": 1.5' in text


def test_a_decimal_stays_as_it_was_written() -> None:
    assert dumped(parsed(b'{"price": 1.50}')) == '{"price":1.50}'


def test_addresses_of_next_pages_and_of_records_still_lead_there(acme: tuple[Connector, Path]) -> None:
    connector, folder = acme
    with replayed(connector, folder) as replay:
        [first], [second] = [page.records for page in replay.pages("people")]
        assert json.loads(first.raw)["boss"] == second.id
        push = connector.stream("people").push
        assert push
        assert [r.id for page in push.look(replay.client, [str(first.id)]) for r in page.records] == [first.id]


def test_the_same_value_looks_the_same_and_another_recording_tells_nothing() -> None:
    assert fake("Anna-7", b"one") == fake("Anna-7", b"one")
    assert {fake("Anna Kessler", bytes([n])) == "Anna Kessler" for n in range(50)} == {False}
    assert len({fake("Anna Kessler", bytes([n])) for n in range(50)}) == 50

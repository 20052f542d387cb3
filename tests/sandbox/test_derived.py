"""A declared connector gets a working, stateful stand-in from its declaration alone; its own calls are the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from omnihub import sdk
from omnihub.errors import ConfigError, RateLimited
from omnihub.model import Op, Outcome
from omnihub.sandbox.derived import Derived, derivable, derive
from omnihub.sandbox.derived.shape import Shape
from omnihub.sandbox.kit import Running
from omnihub.sandbox.mutate import mutate
from omnihub.sandbox.reset import join, reset, truth_file, which
from omnihub.sandbox.serving import make
from omnihub.sandbox.truth import Truth
from omnihub.sandbox.world import World
from omnihub.sdk import (
    Answer,
    Codes,
    Connector,
    Entity,
    FullName,
    Http,
    Limit,
    Link,
    Nested,
    OneWay,
    Page,
    Pages,
    Push,
    Row,
    Send1,
    Setting,
    Stream,
    Want,
    open_client,
)  # fmt: skip
from omnihub.sdk.auth import Auth

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
SECRETS = tuple(
    Setting(name, "…", secret=True)
    for name in ("token", "user", "password", "client_id", "client_secret", "refresh_token", "private_key")
)
MAP: dict[str, str | sdk.Path] = {
    "name": "company",
    "phone": "phone",
    "city": "address.city",
    "country": "address.country",
    "status": Codes("state", codes={"A": "active", "X": "former"}),
}

Serve = Callable[..., tuple[Derived, Any]]


TOKEN = sdk.Bearer("token")


def acme(pull: Any, *, push: Push | None = None, auth: Auth | None = TOKEN, **more: Any) -> Connector:
    """A system with one stream of dealers."""
    dealers = Stream("dealers", Entity.ACCOUNT, MAP, pull, push=push)
    streams = (dealers, *more.pop("streams", ()))
    settings = (Setting("url", "where"), *SECRETS)
    return Connector("acme", "Acme", "dealers", streams, settings, auth=auth, **more)


@pytest.fixture(scope="module")
def served() -> Iterator[list[tuple[Running, Derived]]]:
    """What is served in this file. All end together: each alone would take a fifth of a second."""
    found: list[tuple[Running, Derived]] = []
    yield found
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda one: one[0].stop(), found))
    for _, standin in found:
        standin.state.close()


@pytest.fixture
def serve(served: list[tuple[Running, Derived]]) -> Iterator[Serve]:
    """Serves a connector's stand-in, and gives it with a client of the connector."""
    with ExitStack() as stack:

        def run(connector: Connector, *, samples: int = 0, path: Path | None = None, **options: Any) -> Any:
            standin = derive(connector)(path, **{"now": lambda: NOW, **options})
            if samples:
                standin.seed_samples(samples)
            running = Running([standin]).start()
            served.append((running, standin))
            client = open_client(connector, {"url": running.urls["acme"], **standin.credentials})
            if isinstance(client, Http):
                client.wait = lambda seconds: None
                stack.callback(client.close)
            return standin, client

        yield run


def pulled(connector: Connector, client: Any, since: str | None = None, stream: str = "dealers") -> list[Page]:
    pull = connector.stream(stream).pull
    assert pull
    return list(pull(client, Want(since, since is None, NOW + timedelta(days=1))))


def ids(pages: list[Page]) -> list[str | None]:
    return [record.id for page in pages for record in page.records]


def row(n: int, id_: str | None, fields: Mapping[str, str | None], connector: Connector, **more: Any) -> Row:
    body = connector.stream("dealers").fields.body(fields)
    return Row(n, Op.UPDATE if id_ else Op.CREATE, id_, body, fields, {}, more.pop("key", f"g-{n}"), **more)


def raw(connector: Connector, client: Any, id_: str) -> Any:
    push = connector.stream("dealers").push
    assert push
    return [msgspec.json.decode(r.raw) for page in push.look(client, [id_]) for r in page.records]


def seen(pages: list[Page]) -> dict[str | None, Any]:
    return {r.id: msgspec.json.decode(r.raw) for page in pages for r in page.records}


# -- paging ----------------------------------------------------------------------------------------------------------

FILTER = {"updated_after": "{since}"}
LISTS: dict[str, Pages] = {
    "a cursor": Pages("/d", "data", sdk.Cursor("meta.next", "cursor"), {"limit": 10}),
    "a cursor with a flag": Pages("/d", "data", sdk.Cursor("next", "cursor", more="more"), {"limit": 10}),
    "a link header": Pages("/d", "", sdk.LinkHeader(), {"per_page": 10}),
    "a next address": Pages("/d", "value", sdk.NextUrl(r"@odata\.nextLink"), {"$top": 10}),
    "an offset": Pages("/d", "data", sdk.Offset("offset", 10), {"limit": 10}),
    "an offset and a total": Pages("/d", "data", sdk.Offset("skip", 10, limit="take", total="count")),
    "numbers and a flag": Pages("/d", "data", sdk.Number("page", more="hasNext"), {"pageSize": 10}),
    "numbers and how many": Pages("/d", "data", sdk.Number("page", first=1, pages="pages", size=10, limit="size")),
    "numbers to a short page": Pages("/d", "data", sdk.Number("page", first=1, size=10), {"limit": 10}),
    "time and id": Pages("/d", "data", sdk.Keyset("from", "after_id", size=10, limit="limit")),
    "a body": Pages("/d/search", "hits", sdk.Offset("page.offset", 10), {"page.limit": 10}, method="POST"),
    "one page": Pages("/d", "data"),
}


@pytest.mark.parametrize("pages", LISTS.values(), ids=LISTS.keys())
def test_a_list_goes_on_as_declared_and_shows_each_record_once(serve: Serve, pages: Pages) -> None:
    since = {} if isinstance(pages.next, sdk.Keyset) else FILTER
    connector = acme(replace(pages, since=since, updated="updated_at"))
    standin, client = serve(connector, samples=25)
    found = pulled(connector, client)
    assert sorted(map(str, ids(found))) == sorted(f"dealers-{n}" for n in range(1, 26))
    assert len(found) >= (1 if pages.next is None else 3)
    assert found[-1].complete
    standin.edit("dealers", "dealers-7", {"city": "Köln"})
    again = pulled(connector, client, found[-1].cursor)
    assert set(ids(again)) <= {"dealers-7", "dealers-25"}  # from the cursor on, the last one included
    assert seen(again)["dealers-7"]["address"] == {"city": "Köln", "country": "DE"}


def test_deleted_records_are_marked_where_a_mark_is_declared_and_vanish_elsewhere(serve: Serve) -> None:
    marks = {"updated": "changed", "deleted": "deleted_at", "merged_into": "now"}
    following = sdk.Cursor("next", "cursor", more="more")
    marked = acme(Pages("/d", "data", following, {"limit": 4}, {"cursor": "{since}"}, keep="next", **marks))
    plain = acme(Pages("/d", "data", next=sdk.Cursor("next", "cursor"), params={"limit": 4}))
    for connector, shows in ((marked, True), (plain, False)):
        standin, client = serve(connector, samples=9)
        before = pulled(connector, client)
        gone = standin.state.get("dealers", "dealers-3")
        assert gone
        gone.deleted, gone.merged_into = True, "dealers-4"
        standin.state.save(gone)
        news = pulled(connector, client, before[-1].cursor)
        records = [r for page in news for r in page.records]
        assert [(r.id, r.merged_into) for r in records if r.deleted] == ([("dealers-3", "dealers-4")] if shows else [])
        assert ("dealers-3" in ids(news)) == shows


def test_a_filter_inside_a_query_is_understood(serve: Serve) -> None:
    pull = Pages("/d", "data", params={"limit": 5}, since={"q": "changed >= '{since}' AND live"}, updated="changed")
    connector = acme(replace(pull, next=sdk.Cursor("next", "cursor")))
    standin, client = serve(connector, samples=12)
    standin.edit("dealers", "dealers-2", {"phone": "1"})
    assert ids(pulled(connector, client, "2026-11-21T09:59:00Z"))[-1] == "dealers-2"
    assert len(ids(pulled(connector, client, "2026-11-21T09:59:00Z"))) == 1


def test_a_position_that_was_not_given_out_is_refused(serve: Serve) -> None:
    _, client = serve(acme(Pages("/d", "data", sdk.Cursor("next", "cursor"), updated="u", since=FILTER)))
    assert client.get("/d", params={"cursor": "made up"}).status_code == 400
    assert client.get("/d", params={"updated_after": "yesterday"}).status_code == 400
    assert client.get("/nowhere").status_code == 404


# -- writing ---------------------------------------------------------------------------------------------------------

ALL = Pages("/d", "data", updated="updated_at")
ONE = sdk.ByIds("/d/{id}")
NAMES = ("name", "phone", "city", "status")


def push(update: Any, **more: Any) -> Push:
    return Push(NAMES, update, more.pop("look", ONE), **more)


WAYS: dict[str, Push] = {
    "patch": push(Send1("PATCH", "/d/{id}")),
    "wrapped": push(Send1("POST", "/d/{id}", wrap="dealer"), look=sdk.ByIds("/d/{id}", item="dealer")),
    "the whole record": push(Send1("PUT", "/d/{id}", whole=True, read_only=("id", "updated_at"))),
    "If-Match from the body": push(Send1("PATCH", "/d/{id}", etag="etag")),
    "If-Match from the header": push(Send1("PATCH", "/d/{id}", tagged=True)),
    "a version": push(Send1("PATCH", "/d/{id}", version="v")),
    "errors in a 200": push(Send1("PATCH", "/d/{id}", errors="errors", code="why", message="text")),
    "a batch": push(sdk.SendBatch("POST", "/d/batch", body="set"), batch=10),
    "a batch with versions": push(sdk.SendBatch("POST", "/d/batch", version="v", drifted=(409,)), batch=10),
    "results by id": push(sdk.SendBatch("POST", "/d/batch", results="", by="ref", ok="ok"), batch=10),
    "failures only": push(sdk.SendBatch("POST", "/d/batch", results="no", at="index", failed_only=True), batch=10),
    "a job": push(sdk.SendJob("POST", "/jobs", poll=sdk.Poll("/jobs/{job}", first_s=0)), batch=10),
}


@pytest.mark.parametrize("push", WAYS.values(), ids=WAYS.keys())
def test_what_is_written_is_read_back_and_a_bad_row_is_refused_alone(serve: Serve, push: Push) -> None:
    connector = acme(ALL, push=push)
    _, client = serve(connector, samples=3, quotas=())
    before = {n: raw(connector, client, f"dealers-{n}")[0] for n in (1, 2)}
    rows = [
        row(0, "dealers-1", {"city": "Köln", "phone": "+49301"}, connector, raw=before[1]),
        row(1, "dealers-2", {"status": "asleep"}, connector, raw=before[2]),
    ]
    answers = {answer.n: answer for answer in push.update(client, rows)}
    assert [answers[n].outcome for n in (0, 1)] == [Outcome.WRITTEN, Outcome.REFUSED]
    assert "state must be one of A, X" in answers[1].message
    [after] = raw(connector, client, "dealers-1")
    assert (after["address"], after["phone"]) == ({"city": "Köln", "country": "DE"}, "+49301")
    assert (after["company"], after["state"]) == (before[1]["company"], before[1]["state"])
    assert raw(connector, client, "dealers-2") == [before[2]]


@pytest.mark.parametrize("way", ["If-Match from the body", "If-Match from the header", "a version",
                                 "a batch with versions"])  # fmt: skip
def test_who_was_slower_is_told_so_and_nothing_is_written(serve: Serve, way: str) -> None:
    connector = acme(ALL, push=WAYS[way])
    standin, client = serve(connector, samples=1)
    [before] = raw(connector, client, "dealers-1")
    standin.edit("dealers", "dealers-1", {"phone": "somebody else's"})
    [answer] = WAYS[way].update(client, [row(0, "dealers-1", {"city": "Wien"}, connector, raw=before)])
    assert answer.outcome is Outcome.DRIFTED
    assert raw(connector, client, "dealers-1")[0]["address"]["city"] != "Wien"


def test_refusals_name_the_fields(serve: Serve) -> None:
    deals = Stream(
        "deals",
        Entity.DEAL,
        {"name": "name", "amount": sdk.Path("sum", number=True), "account": Link("of", stream="dealers"),
         "stage": OneWay("s")},
        Pages("/deals"),
        push=Push(("name", "amount", "account"), Send1("PATCH", "/deals/{id}"), sdk.ByIds("/deals/{id}"),
                  max_length={"name": 5}),
    )  # fmt: skip
    _, client = serve(acme(ALL, streams=(deals,)), samples=2)
    sent = {"name": "far too long", "sum": "much", "of": "dealers-99", "s": "won", "nam": 1}
    answer = client.patch("/deals/deals-1", json=sent)
    assert answer.status_code == 422
    assert {e["field"]: e["message"] for e in answer.json()["errors"]} == {
        "name": "must have at most 5 characters",
        "sum": "must be a number",
        "of": "there is no such record",
        "s": "cannot be changed",
        "nam": "is unknown here",
    }
    assert client.patch("/deals/deals-1", json={"of": "dealers-2", "sum": 3.5}).status_code == 200
    assert client.patch("/deals/deals-9", json={}).status_code == 404
    assert client.patch("/deals/deals-1", data="{").status_code == 400


CREATING: dict[str, Push] = {
    "its key in the address": push(
        Send1("PATCH", "/d/{id}"),
        create=sdk.Upsert1("PUT", "/d/external/{key}"),
        find=sdk.ByKeys("/d/external/{key}"),
    ),
    "its key in the record": push(
        Send1("PATCH", "/d/{id}"),
        create=sdk.Upsert1("POST", "/d/upsert", external="hub_id", wrap="dealer", id="made"),
        find=sdk.ByKeys("/d", "data", param="hub_id", external="hub_id"),
    ),
    "many with their keys": push(
        Send1("PATCH", "/d/{id}"),
        create=sdk.UpsertBatch("POST", "/d/upsert", external="hub_id", by="hub_id", id="dealer.id"),
        find=sdk.ByKeys("/d", "data", param="hub_id", external="hub_id"),
        batch=5,
    ),
}


@pytest.mark.parametrize("push", CREATING.values(), ids=CREATING.keys())
def test_a_record_made_twice_by_its_key_is_there_once_and_can_be_taken_away(serve: Serve, push: Push) -> None:
    push = replace(push, delete=sdk.Delete1("/d/{id}"))
    connector = acme(ALL, push=push)
    _, client = serve(connector)
    new = row(0, None, {"name": "New", "city": "Ulm"}, connector, key="golden-1")
    assert push.create
    assert push.find
    assert push.delete
    made: list[Answer] = [*push.create(client, [new]), *push.create(client, [new])]
    assert [a.outcome for a in made] == [Outcome.WRITTEN] * 2
    assert made[0].id is not None
    assert made[0].id == made[1].id
    assert ids(pulled(connector, client)) == [made[0].id]
    assert ids(list(push.find(client, ["golden-1", "golden-2"]))) == [made[0].id]
    assert [a.outcome for a in push.delete(client, [row(0, made[0].id, {}, connector)])] == [Outcome.WRITTEN]
    assert ids(pulled(connector, client)) == []
    assert ids(list(push.find(client, ["golden-1"]))) == []


def test_who_is_erased_leaves_a_tombstone_that_tells_nothing_and_a_deleted_one_tells_all(serve: Serve) -> None:
    tells = Pages("/d", "data", deleted="gone")
    push = Push(("name",), Send1("PATCH", "/d/{id}"), sdk.ByIds("/d/{id}"), create=sdk.Upsert1("PUT", "/d/key/{key}"),
                delete=sdk.Delete1("/d/{id}"), erase=sdk.Erase1("/d/{id}/person"))  # fmt: skip
    connector = acme(tells, push=push)
    _, client = serve(connector)
    assert push.create
    assert push.delete
    assert push.erase
    [made] = push.create(client, [row(0, None, {"name": "Anna Weber"}, connector, key="k")])
    there = row(0, made.id, {}, connector)

    def shown() -> bytes:
        return b"".join(record.raw for page in pulled(connector, client) for record in page.records)

    assert [a.outcome for a in push.delete(client, [there])] == [Outcome.WRITTEN]
    assert b"Anna Weber" in shown()
    for _ in range(2):
        assert [a.outcome for a in push.erase(client, [there])] == [Outcome.WRITTEN]
        assert b"Anna Weber" not in shown()
        assert str(made.id).encode() in shown()


def test_records_are_joined_and_taken_apart_by_calls_of_their_own(serve: Serve) -> None:
    people_map: dict[str, str | sdk.Path] = {"first_name": FullName("n", "first"), "last_name": FullName("n", "last"),
                                       "account": Link("org", stream="dealers")}  # fmt: skip
    join_ = sdk.Link1("/people/{id}/dealers/{other}", link="account", native="org", remove="DELETE")
    send = sdk.Sends((join_,), Send1("PATCH", "/people/{id}"))
    people = Stream("people", Entity.CONTACT, people_map, Pages("/people"),
                    push=Push(("first_name", "last_name", "account"), send, sdk.ByIds("/people/{id}")))  # fmt: skip
    connector = acme(ALL, streams=(people,))
    standin, client = serve(connector, samples=3)
    fields = {"first_name": "Ada", "last_name": "König", "account": "acme/dealers/dealers-2"}
    there = Row(0, Op.UPDATE, "people-1", people.fields.body(fields), fields, {}, "g")
    assert [a.outcome for a in send(client, [there])] == [Outcome.WRITTEN]
    obj = standin.state.get("people", "people-1")
    assert obj
    assert obj.body == {"n": "Ada König", "org": "dealers-2"}
    apart = Row(0, Op.UPDATE, "people-1", {"org": None}, {"account": None}, {"account": fields["account"]}, "g")
    assert [a.outcome for a in send(client, [apart])] == [Outcome.WRITTEN]
    assert client.get("/people/people-1").json()["org"] is None
    standin.edit("people", "people-1", {"last_name": "Kaiser"})
    assert client.get("/people/people-1").json()["n"] == "Ada Kaiser"


# -- GraphQL, exports ------------------------------------------------------------------------------------------------

LIST = """query Dealers($n: Int!, $from: String, $filter: String) {
  shop { found: dealers(first: $n, after: $from, query: $filter) { edges { node { ...facts } } pageInfo {
    hasNextPage endCursor } } } }
fragment facts on Dealer { id company address { city } updated_at }"""
SOME = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Dealer { id company phone address { city country } } } }"
CHANGE = """mutation($input: DealerInput!) { dealerUpdate(input: $input) {
  dealer { id company } userErrors { field message code } } }"""


def graph() -> Connector:
    pull = sdk.GraphPages("/graphql", LIST, "data.shop.found", first="n", after="from", size=10,
                          since={"filter": "updated_at:>='{since}'"}, updated="updated_at")  # fmt: skip
    send = sdk.GraphSend("/graphql", CHANGE, "data.dealerUpdate", {"input": {"id": "{id}", "*": "{body}"}})
    look = sdk.GraphByIds("/graphql", SOME)
    return acme(pull, push=Push(NAMES, send, look))


def test_graphql_is_answered_field_by_field_from_the_state(serve: Serve) -> None:
    connector = graph()
    standin, client = serve(connector, samples=25)
    found = pulled(connector, client)
    assert [len(page.records) for page in found] == [10, 10, 5]
    assert set(seen(found)["dealers-1"]) == {"id", "company", "address", "updated_at"}  # what was asked for
    standin.edit("dealers", "dealers-3", {"city": "Köln"})
    assert set(ids(pulled(connector, client, found[-1].cursor))) == {"dealers-3", "dealers-25"}


def test_a_mutation_writes_and_its_errors_stand_in_the_answer(serve: Serve) -> None:
    connector = graph()
    _, client = serve(connector, samples=3)
    send = connector.stream("dealers").push
    assert send
    rows = [row(0, "dealers-1", {"city": "Köln"}, connector), row(1, "dealers-2", {"status": "asleep"}, connector),
            row(2, "dealers-9", {"city": "Köln"}, connector)]  # fmt: skip
    answers = list(send.update(client, rows))
    assert [(a.outcome, a.code) for a in answers] == [
        (Outcome.WRITTEN, ""), (Outcome.REFUSED, "INVALID"), (Outcome.REFUSED, "NOT_FOUND")]  # fmt: skip
    assert raw(connector, client, "dealers-1")[0]["address"] == {"city": "Köln", "country": "DE"}
    assert raw(connector, client, "dealers-9") == []
    answer = client.post("/graphql", json={"query": "query {"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_an_export_is_started_asked_about_and_fetched(serve: Serve, format_: Any) -> None:
    flat = {"name": "company", "phone": "phone"}
    pull = sdk.Export(sdk.Ask("POST", "/exports", {"what": "dealers"}), sdk.Poll("/exports/{job}", total="rows"),
                      result="file" if format_ == "csv" else "/exports/{job}/rows", format=format_,
                      since={"filter.from": "{since}"}, updated="changed", size=10)  # fmt: skip
    connector = replace(acme(ALL), streams=(Stream("dealers", Entity.ACCOUNT, flat, pull),))
    standin, client = serve(connector, samples=25)
    found = pulled(connector, client)
    assert len(ids(found)) == len(set(ids(found))) == 25
    assert [c[0] for c in standin.calls] == ["POST", "GET", "GET", "GET"]  # the first question came too early
    standin.edit("dealers", "dealers-3", {"phone": "+49301"})
    assert seen(pulled(connector, client, found[-1].cursor))["dealers-3"]["phone"] == "+49301"


# -- coming in, limits, state ----------------------------------------------------------------------------------------

WAYS_IN: dict[str, Auth] = {
    "a bearer": sdk.Bearer("token"),
    "a header": sdk.Header("X-Key", "token"),
    "a parameter": sdk.ApiKey("key", "token"),
    "a password": sdk.Basic("{user}/token", "password"),
    "client credentials": sdk.ClientCredentials("/oauth/token"),
    "client credentials as basic": sdk.ClientCredentials("/oauth/token", basic=True),
    "a refresh token": sdk.Refresh("/oauth/token"),
    "a login": sdk.LoginToken("/login", {"name": "user", "word": "password"}, at="a.token", renew_path="/renew"),
    "an assertion": sdk.JwtBearer("/oauth/token", algorithm="ES256"),
    "a shared secret": sdk.JwtBearer("", algorithm="HS256"),
}


@pytest.mark.parametrize("auth", WAYS_IN.values(), ids=WAYS_IN.keys())
def test_only_who_signs_as_declared_comes_in(serve: Serve, auth: Auth) -> None:
    connector = acme(ALL, auth=auth)
    standin, client = serve(connector, samples=2)
    assert len(ids(pulled(connector, client))) == 2
    assert requests.get(client.base_url + "/d", timeout=5).status_code == 401
    wrong = {
        "url": client.base_url,
        **{name: f"{value[:-9]}x{value[-8:]}" for name, value in standin.credentials.items()},
    }
    with closing(open_client(connector, wrong)) as stranger, pytest.raises(ConfigError):
        pulled(connector, stranger)


def test_a_fetched_token_ends_and_is_renewed(serve: Serve) -> None:
    clock = [NOW]
    connector = acme(ALL, auth=sdk.ClientCredentials("/oauth/token"))
    standin, client = serve(connector, samples=1, now=lambda: clock[0], token_lasts_s=600)
    pulled(connector, client)
    clock[0] += timedelta(seconds=601)
    pulled(connector, client)
    assert [(path, status) for _, path, status in standin.calls] == [
        ("/oauth/token", 200), ("/d", 200), ("/d", 401), ("/oauth/token", 200), ("/d", 200)]  # fmt: skip


def test_a_refresh_token_may_be_good_for_one_use_only(serve: Serve) -> None:
    connector = acme(ALL, auth=sdk.Refresh("/oauth/token", client_secret=""))
    standin, client = serve(connector, rotate_refresh=True)
    form = {"grant_type": "refresh_token", "client_id": standin.credentials["client_id"]}
    first = form | {"refresh_token": standin.credentials["refresh_token"]}
    following = requests.post(client.base_url + "/oauth/token", first, timeout=5).json()["refresh_token"]
    assert requests.post(client.base_url + "/oauth/token", first, timeout=5).status_code == 400
    second = form | {"refresh_token": following}
    assert requests.post(client.base_url + "/oauth/token", second, timeout=5).status_code == 200


def test_declared_limits_are_kept(serve: Serve) -> None:
    limits = (Limit(3, per_s=60, left="X-Left"), Limit(1, per_s=60, path="/search$", method="POST"))
    _, client = serve(acme(ALL, limits=limits, push=push(Send1("POST", "/d/{id}/search"))), samples=1)
    token = {"Authorization": "Bearer acme-sandbox-token"}

    def ask(method: str, path: str) -> requests.Response:
        return requests.request(method, client.base_url + path, headers=token, json={}, timeout=5)

    assert ask("POST", "/d/dealers-1/search").headers["X-Left"] == "2"
    assert ask("GET", "/d").status_code == 200
    refused = ask("POST", "/d/dealers-1/search")
    assert (refused.status_code, 0 < int(refused.headers["Retry-After"]) <= 60) == (429, True)
    assert ask("GET", "/d").status_code == 429


def test_a_day_used_up_is_refused_until_it_ends(serve: Serve) -> None:
    connector = acme(ALL, limits=(sdk.Quota(2),))
    _, client = serve(connector, samples=1)
    client.budget = None
    client.get_ok("/d"), client.get_ok("/d")
    with pytest.raises(RateLimited):
        client.get_ok("/d")


def test_a_restart_changes_nothing(serve: Serve, tmp_path: Path) -> None:
    connector = acme(ALL, push=WAYS["patch"])
    file = tmp_path / "acme.db"
    standin, client = serve(connector, path=file, samples=3)
    assert client.patch("/d/dealers-2", json={"phone": "+49301"}).status_code == 200
    again, client = serve(connector, path=file)
    assert again.dump() == standin.dump()
    assert client.get("/d/dealers-2").json()["phone"] == "+49301"


# -- shapes ----------------------------------------------------------------------------------------------------------


def test_records_inside_others_come_with_them(serve: Serve) -> None:
    orders = Stream("orders", Entity.ORDER, {"number": "no", "account": Link("buyer.id", stream="dealers")},
                    Pages("/orders", "data"))  # fmt: skip
    lines = Stream("lines", Entity.LINE, {"of": Link("^id", stream="orders"), "sku": "article",
                                          "quantity": sdk.Path("n", number=True)},
                   nested=Nested("orders", "items.all"), key="line_id")  # fmt: skip
    connector = acme(ALL, streams=(orders, lines))
    _, client = serve(connector, samples=6)
    found = seen(pulled(connector, client, stream="orders"))
    assert [line["line_id"] for line in found["orders-1"]["items"]["all"]] == ["lines-1", "lines-2", "lines-3"]
    assert found["orders-2"]["items"]["all"][0]["n"] > 0
    assert found["orders-1"]["buyer"]["id"].startswith("dealers-")


def test_what_is_guessed_is_listed(serve: Serve) -> None:
    pull = Pages("/d", "data", sdk.Cursor("next", "cursor"), {"limit": 50, "sort": "age"}, FILTER, updated="u")
    guesses = derive(acme(pull)).guesses
    assert "dealers: limit is the size of a page, 50 at most" in guesses
    assert "dealers: sort means nothing here" in guesses
    assert "dealers: updated_after leaves out what changed before that time" in guesses


def test_python_functions_have_no_stand_in_and_that_is_said() -> None:
    def pull(client: Any, want: Want) -> Iterator[Page]:
        yield from ()

    connector = acme(pull)
    assert not derivable(connector)
    with pytest.raises(ConfigError, match=r"acme: its streams are Python functions.*connectors/acme/sandbox.py"):
        derive(connector)
    odd = acme(Pages("/d", "data", next=lambda page: None))
    assert "dealers: how the list goes on is a Python function, so all of it is one page" in derive(odd).guesses
    half = acme(ALL, push=push(lambda client, rows: ()))
    assert "dealers: update is a Python function, so it is not served" in derive(half).guesses


# -- the world -------------------------------------------------------------------------------------------------------


def company() -> Connector:
    """Acme with all a company has to do with."""
    pages = {name: Pages(f"/{name}", "data") for name in ("people", "goods", "orders")}
    people_map: dict[str, str | sdk.Path] = {
        "first_name": FullName("name", "first"), "last_name": FullName("name", "last"), "email": "mail",
        "phone": "phone", "account": Link("firm", stream="dealers"),
        "marketing_consent": Codes("news", codes={"true": "yes", "false": "no"}, boolean=True)}  # fmt: skip
    streams = (
        Stream("people", Entity.CONTACT, people_map, pages["people"]),
        Stream("goods", Entity.PRODUCT, {"sku": "no", "name": "text", "price": sdk.Path("eur", number=True)},
               pages["goods"]),
        Stream("orders", Entity.ORDER, {"number": "no", "contact": Link("who", stream="people"), "ordered_at": "at",
                                        "currency": "cur"}, pages["orders"]),
        Stream("lines", Entity.LINE, {"of": Link("^id", stream="orders"), "sku": "no", "unit_price": "price"},
               nested=Nested("orders", "lines")),
    )  # fmt: skip
    return acme(ALL, streams=streams)


def quiet(*_: object) -> None:
    """Nobody watches."""


def test_the_world_fills_it_with_its_own_partly_wrong_copies_and_knows_the_truth(tmp_path: Path) -> None:
    kinds = {"acme": derive(company())}
    reset(tmp_path, make(tmp_path, kinds), 120, 7, NOW, quiet)
    standin = make(tmp_path, kinds)["acme"]
    with closing(Truth(truth_file(tmp_path))) as truth, closing(standin.state):
        dump = standin.dump()
        assert set(dump) == {"dealers", "people", "goods", "orders"}
        assert any("lines" in order for order in dump["orders"].values())
        who = truth.who("contact")
        assert {ref.rpartition("/")[2] for ref in who if ref.startswith("acme/")} == set(dump["people"])
        wrong = {(e.ref, e.field) for e in truth.errors()}
        checked = 0
        for id_, person in dump["people"].items():
            ref = f"acme/people/{id_}"
            right = truth.right(who[ref])
            assert person.get("firm") in (None, *dump["dealers"])
            if (ref, "email") not in wrong and "mail" in person and "email" in right:
                assert person["mail"].lower() == right["email"].lower()
                checked += 1
        assert checked > 20
        assert any(ref.startswith("acme/people/") for ref, field in wrong if field)


def test_the_others_are_the_same_with_it_and_without() -> None:
    guest = derive(company()).guest
    alone, together = World(60, 3, NOW), World(60, 3, NOW, [guest])
    for role in ("crm", "shop", "portal"):
        assert list(alone.copies(role)) == list(together.copies(role))
    assert list(together.copies("acme")) == list(World(60, 3, NOW, [guest]).copies("acme"))


def test_one_that_comes_later_gets_its_part_of_the_same_world(tmp_path: Path) -> None:
    first, both = tmp_path / "first", tmp_path / "both"
    other = replace(company(), name="zeta")
    reset(both, make(both, {"acme": derive(company()), "zeta": derive(other)}), 60, 3, NOW, quiet)
    reset(first, make(first, {"zeta": derive(other)}), 60, 3, NOW, quiet)
    late = make(first, {"acme": derive(company()), "zeta": derive(other)})
    assert join(first, late, quiet) == ["acme"]
    assert join(first, late, quiet) == []
    assert late["acme"].dump() == make(both, {"acme": derive(company())})["acme"].dump()
    assert which(first) == which(both)
    with closing(Truth(truth_file(first))) as a, closing(Truth(truth_file(both))) as b:
        assert a.who("contact") == b.who("contact")
        assert set(a.errors()) == set(b.errors())
        assert list(a.rights("contact")) == list(b.rights("contact"))


def test_people_mistype_in_it_too_and_the_truth_follows(tmp_path: Path) -> None:
    standins = make(tmp_path, {"acme": derive(company()), "zeta": derive(replace(company(), name="zeta"))})
    reset(tmp_path, standins, 200, 7, NOW, quiet)
    with closing(Truth(truth_file(tmp_path))) as truth:
        done = mutate({s.role: s for s in standins.values()}, truth, 10, 1)
        assert {edit["system"] for edit in done} == {"acme", "zeta"}
        for edit in done:
            assert any(e.kind == "value_differs" for e in truth.errors_at(edit["ref"]))


def test_a_time_told_as_minutes_after_another_is_held_as_these_minutes() -> None:
    fields = {"opened_at": "created_at", "answered_at": sdk.After("metrics.reply_min", "created_at")}
    stream = sdk.Stream("tickets", Entity.TICKET, fields)
    shape = Shape(stream, map=sdk.FieldMap.of(fields))
    told = {"opened_at": "2026-11-01T10:00:00Z", "answered_at": "2026-11-01T11:30:30Z"}
    assert shape.native(told) == {"created_at": "2026-11-01T10:00:00Z", "metrics": {"reply_min": 90}}
    assert shape.native({"answered_at": "2026-11-01T11:30:30Z"}) == {"metrics": {"reply_min": None}}

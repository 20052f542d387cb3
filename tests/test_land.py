"""Landing: what a system said is kept to the byte, together with how far it has been read, whatever happens."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from omnihub.land import MAX_WAITING, Landed, Progress, land
from omnihub.model import Entity
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import Connector, Cursor, Exchange, Http, Page, Pages, Pull, Record, Setting, Stream, Want
from omnihub.store import Store, schema

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIZE = 3  # records on a page of Acme
MANY, EACH = 200, 50  # pages of the long stream, records on each


class Acme(Standin):
    """Lists what lies on its shelves, in pages of three, and can be told to answer nonsense on one of them."""

    system, role = "acme", "crm"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.shelves: dict[str, list[bytes]] = {}
        self.nonsense: dict[tuple[str, int], Reply] = {}
        self.asked: list[Call] = []

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        return call.headers.get("authorization") != "Bearer wrong"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"message": message})

    @route("GET", "/many/long")
    def long(self, call: Call) -> Reply:
        """Many pages, made as they are asked for."""
        page = int(call.param("after", "0"))
        items = [{"id": f"{page}-{n}", "text": f"{page}-{n} " * 200} for n in range(EACH)]
        return Reply(200, {"items": items, "next": page + 1 if page + 1 < MANY else None})

    @route("GET", "/{stream}")
    def list(self, call: Call) -> Reply:
        self.asked.append(call)
        start, since = int(call.param("after", "0")), call.param("since")
        found = [r for r in self.shelves.get(call.path["stream"], []) if not since or json.loads(r)["updated"] >= since]
        following = start + SIZE if start + SIZE < len(found) else None
        body = (
            b'{"items": ['
            + b", ".join(found[start : start + SIZE])
            + b'], "next": '
            + json.dumps(following).encode()
            + b"}"
        )
        return self.nonsense.get((call.path["stream"], start // SIZE), Reply(200, body))


def paged(name: str) -> Pages:
    marks = {"updated": "updated", "deleted": "deleted", "merged_into": "merged_into"}
    return Pages(f"/{name}", "items", Cursor("next", "after"), since={"since": "{since}"}, **marks)  # type: ignore[arg-type]


def stream(name: str, pull: Pull | None = None, **more: Any) -> Stream:
    return Stream(name, Entity.CONTACT, {"last_name": "name"}, pull or paged(name), **more)


def impatient(settings: Mapping[str, str], http: Http) -> Http:
    http.wait = lambda s: None  # a call that fails is made again without a pause
    return http


ACME = Connector(
    "acme",
    "Acme",
    "crm",
    (stream("people"), stream("firms")),
    settings=(Setting("url", "its address"),),
    connect=impatient,
)


def having(*streams: Stream) -> Connector:
    return replace(ACME, streams=streams)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running([Acme()]) as run:
        yield run


@pytest.fixture
def acme(running: Running) -> Acme:
    found = running.standins["acme"]
    assert isinstance(found, Acme)
    found.shelves, found.nonsense, found.asked = {}, {}, []
    return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One database of each kind for all tests here: making one takes longer than most of them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('land')}/hub.db"
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_url")
        with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute("CREATE DATABASE land TEMPLATE template0")
        url = f"{server.rpartition('/')[0]}/land"
    found = Store.open(url)
    yield found
    found.close()


@pytest.fixture
def store(opened: Store) -> Store:
    with opened.write() as c:
        for table in (schema.streams, schema.exchanges, schema.raw, schema.records, schema.rejects):
            c.execute(sa.delete(table))
        c.execute(sa.update(schema.counter).values(value=0))
    return opened


Read = Callable[..., dict[str, Landed]]


@pytest.fixture
def read(store: Store, running: Running, acme: Acme) -> Read:
    """Land Acme's streams; what landing each did, by stream."""

    def go(
        connector: Connector = ACME,
        now: datetime = NOW,
        full: bool = False,
        streams: Sequence[str] = (),
        progress: Progress = lambda landed, total: None,
    ) -> dict[str, Landed]:
        found = land(
            store,
            connector,
            {"url": running.urls["acme"]},
            run_id="run-1",
            now=now,
            full=full,
            streams=streams,
            progress=progress,
        )
        assert all(x.balanced for x in found), found
        return {x.stream: x for x in found}

    return go


def person(n: int, day: int = 1, **more: Any) -> bytes:
    return json.dumps(
        {"id": n, "updated": f"2026-11-{day:02}", "name": f"Person {n}"} | more, ensure_ascii=False
    ).encode()


def people(*numbers: int) -> list[bytes]:
    return [person(n) for n in numbers]


def rows(store: Store, table: sa.Table, *order: str) -> list[Any]:
    with store.read() as c:
        return list(c.execute(sa.select(table).order_by(*order)).all())


def living(store: Store) -> set[str]:
    return {r.ref.rpartition("/")[2] for r in rows(store, schema.records) if not r.deleted}


def cursor(store: Store, stream: str = "people") -> Any:
    with store.read() as c:
        return cursor_in(c, stream)


def cursor_in(c: sa.Connection, stream: str = "people") -> Any:
    t = schema.streams
    return c.execute(sa.select(t.c.cursor).where(t.c.stream == stream)).scalar()


# -- what is kept ----------------------------------------------------------------------------------------------------


def test_a_record_is_kept_byte_for_byte_with_the_call_it_came_from(store: Store, acme: Acme, read: Read) -> None:
    odd = '{ "id":"7",  "updated":"2026-11-01", "price": 1.50, "x":"\\u00fc ü 👩‍🚀" ,"big":12345678901234567}'.encode()
    acme.shelves["people"] = [person(1), odd]
    read()
    raw = {r.ref: r for r in rows(store, schema.raw)}
    assert bytes(raw["acme/people/7"].body) == odd
    assert raw["acme/people/7"].pointer == "/items/1"
    assert raw["acme/people/7"].updated == "2026-11-01"
    exchange = next(e for e in rows(store, schema.exchanges) if e.id == raw["acme/people/7"].exchange_id)
    assert (exchange.method, exchange.status, exchange.stream, exchange.run_id) == ("GET", 200, "people", "run-1")
    assert exchange.url.endswith("/people")


def test_addresses_are_kept_without_the_values_asked_for(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = people(1, 2, 3, 4)
    read()
    assert sorted(e.url.rpartition("/")[2] for e in rows(store, schema.exchanges)) == [
        "firms",
        "people",
        "people?after=…",
    ]


def test_what_is_read_is_new_or_changed_or_same_or_rejected(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = [*people(1, 2, 3, 4), b'{"name": "nobody"}']
    first = read()["people"]
    assert (first.read, first.new, first.changed, first.same, first.rejected, first.pages) == (5, 4, 0, 0, 1, 2)
    acme.shelves["people"] = [person(1), person(2, name="Other"), person(3, 2), person(4), person(5)]
    second = read(full=True)["people"]
    assert (second.read, second.new, second.changed, second.same, second.rejected) == (5, 1, 2, 2, 0)


def test_unchanged_bytes_write_nothing(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = people(*range(7))
    read()
    before = rows(store, schema.raw), rows(store, schema.records), rows(store, schema.counter)
    again = read(full=True)["people"]
    assert (again.same, again.new, again.changed) == (7, 0, 0)
    assert (rows(store, schema.raw), rows(store, schema.records), rows(store, schema.counter)) == before


def test_every_version_is_kept_and_the_last_one_counts(store: Store, acme: Acme, read: Read) -> None:
    for day in (1, 2, 3):
        acme.shelves["people"] = [person(1, day)]
        read()
    versions = rows(store, schema.raw, "seq")
    assert [r.updated for r in versions] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    [record] = rows(store, schema.records)
    assert record.seq == versions[-1].seq


def test_a_record_shown_twice_is_kept_once(store: Store, acme: Acme, read: Read) -> None:
    """Within a page the last word counts; across pages each other word is a version."""
    acme.shelves["people"] = [person(1), person(1, name="Later"), person(2), person(2), person(3)]
    found = read()["people"]
    assert (found.read, found.new, found.changed, found.same) == (5, 3, 0, 2)
    assert [(r.ref[-1], json.loads(r.body)["name"]) for r in rows(store, schema.raw, "ref")] == [
        ("1", "Later"),
        ("2", "Person 2"),
        ("3", "Person 3"),
    ]
    acme.shelves["people"] = [person(1, name="One"), person(2), person(3), person(1, name="Two")]
    found = read(full=True)["people"]
    assert (found.read, found.new, found.changed, found.same) == (4, 0, 2, 2)
    assert json.loads(rows(store, schema.raw, "seq")[-1].body)["name"] == "Two"


def test_a_record_without_key_is_kept_once_and_counted_each_time(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = [
        person(1),
        b'{"name": "nobody"}',
        b'{"id": null, "updated": ""}',
        b'{"id": "", "updated": ""}',
    ]
    assert read()["people"].rejected == 3
    assert read(full=True)["people"].rejected == 3
    kept = rows(store, schema.rejects, "id")
    assert [bytes(r.body) for r in kept] == [
        b'{"name": "nobody"}',
        b'{"id": null, "updated": ""}',
        b'{"id": "", "updated": ""}',
    ]
    assert kept[0].pointer == "/items/1"
    assert living(store) == {"1"}


def test_what_no_database_can_hold_in_a_key_is_rejected_not_stumbled_over(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = [
        rb'{"id": "a\u0000b", "updated": "2026-11-01"}',
        rb'{"id": "2", "updated": "2026\u0000", "x": "\u0000"}',
        person(3),
    ]
    found = read()["people"]
    assert (found.error, found.rejected, found.new) == ("", 1, 2)
    assert living(store) == {"2", "3"}
    assert b"\\u0000" in bytes(next(r.body for r in rows(store, schema.raw) if r.ref.endswith("/2")))


def test_huge_strange_and_deep_records_land_whole(store: Store, acme: Acme, read: Read) -> None:
    deep = b'{"id": 4, "updated": "x", "d": ' + b"[" * 400 + b"]" * 400 + b"}"
    shelf = [
        person(1, text="ü" * 5_000_000),
        person(2, name="👩‍🚀 Zoë 名前"),
        person(3, updated="9999-12-31T23:59:59Z"),
        deep,
    ]
    acme.shelves["people"] = shelf
    assert read()["people"].error == ""
    assert [bytes(r.body) for r in rows(store, schema.raw, "ref")] == shelf


# -- how far it has been read ----------------------------------------------------------------------------------------


def test_the_next_pull_starts_where_the_last_one_ended(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = [person(1, 1), person(2, 5)]
    read()
    assert cursor(store) == "2026-11-05"
    acme.shelves["people"].append(person(3, 6))
    found = read()["people"]
    assert acme.asked[-1].param("since") == "2026-11-05" or acme.asked[-2].param("since") == "2026-11-05"
    assert (found.read, found.new, found.same) == (2, 1, 1)  # >= the cursor: what came at the same moment is not missed
    assert cursor(store) == "2026-11-06"


class Killed(BaseException):
    """The process ends here."""


def page(*records: bytes, **more: Any) -> Page:
    exchange = Exchange("GET", "http://acme.test/people", 200, NOW)
    return Page(exchange, [Record(str(json.loads(r)["id"]), r, f"/{n}") for n, r in enumerate(records)], **more)


def in_steps(kill_after: int, wanted: list[Want]) -> Pull:
    """Four pages of two, each with a cursor of its own, read on from the cursor; killed after so many pages."""

    def pull(client: Any, want: Want) -> Iterator[Page]:
        wanted.append(want)
        for n in range(int(want.since or 0), 4):
            if n == kill_after:
                raise Killed
            yield page(person(2 * n), person(2 * n + 1), cursor=str(n + 1))

    return pull


@pytest.mark.parametrize("pages", [0, 1, 2, 3])
def test_records_and_cursor_are_kept_together_so_a_crash_loses_and_doubles_nothing(
    store: Store, read: Read, pages: int
) -> None:
    wanted: list[Want] = []
    with pytest.raises(Killed):
        read(having(stream("people", in_steps(pages, wanted))))
    assert cursor(store) == (str(pages) if pages else None)
    assert len(rows(store, schema.raw)) == 2 * pages
    after = read(having(stream("people", in_steps(99, wanted))))["people"]
    assert wanted[-1].since == (str(pages) if pages else None)
    assert after.new == 8 - 2 * pages
    assert sorted(r.ref for r in rows(store, schema.raw)) == [f"acme/people/{n}" for n in range(8)]


def test_a_list_that_goes_round_in_circles_is_stopped_whoever_reads_it(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = [b'{"id": 1}', b'{"id": 2}']

    def round_and_round(http: Http, want: Want) -> Iterator[Page]:
        while True:
            found = json.loads(http.get_ok("/people").content)["items"]
            records = [Record(str(r["id"]), json.dumps(r).encode(), "") for r in found]
            yield Page(Exchange("GET", "/people", 200, NOW), records)

    landed = read(having(stream("people", round_and_round)))["people"]
    assert "5 pages in a row show the same records" in landed.error
    assert (landed.read, landed.new, landed.complete) == (8, 2, False)


def test_a_page_that_cannot_be_committed_leaves_no_trace(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = people(*range(MAX_WAITING + 2 * SIZE))
    commits = []

    def break_off(connection: sa.Connection) -> None:
        commits.append(1)
        if len(commits) == 2:
            raise Killed

    sa.event.listen(store.engine, "commit", break_off)
    with pytest.raises(Killed):
        read(having(stream("people")))
    sa.event.remove(store.engine, "commit", break_off)
    store.engine.dispose()
    kept = rows(store, schema.records)
    assert 0 < len(kept) <= MAX_WAITING + SIZE
    assert (cursor(store), len(rows(store, schema.exchanges))) == (None, len(kept) // SIZE)
    read(having(stream("people")))
    assert len(living(store)) == len(rows(store, schema.raw)) == len(acme.shelves["people"])
    assert cursor(store) == "2026-11-01"


def test_pages_that_come_fast_share_a_transaction_and_are_told_of_one_by_one(store: Store, read: Read) -> None:
    commits, told = [], []

    def pull(client: Any, want: Want) -> Iterator[Page]:
        for n in range(40):
            yield page(*people(*range(n * 100, n * 100 + 100)), cursor=str(n))

    sa.event.listen(store.engine, "commit", lambda c: commits.append(cursor_in(c)))
    found = read(
        having(stream("people", pull)), progress=lambda landed, total: told.append((landed.pages, landed.read))
    )
    assert told == [(n, n * 100) for n in range(1, 41)]
    assert (found["people"].new, len(rows(store, schema.exchanges))) == (4_000, 40)
    assert commits[:1] != ["0"], "each page had a commit of its own"
    assert {"19", "39"} <= {*commits}, "more wait than may"


def test_what_came_twice_or_changed_among_the_pages_of_one_transaction_is_told_apart(store: Store, read: Read) -> None:
    def pull(client: Any, want: Want) -> Iterator[Page]:
        yield page(person(1), person(2), cursor="1")
        yield page(person(1), person(2, 2), person(3), gone=[("9", None)], cursor="2")
        yield page(person(2), cursor="3", gone=[("3", "1")])

    found = read(having(stream("people", pull)))["people"]
    assert (found.read, found.new, found.changed, found.same, found.gone) == (6, 3, 2, 1, 1)
    versions = [(r.ref[-1], json.loads(r.body)["updated"] if r.body else None) for r in rows(store, schema.raw, "seq")]
    day, later = "2026-11-01", "2026-11-02"
    assert versions == [("1", day), ("2", day), ("2", later), ("3", day), ("2", day), ("3", None)]
    assert living(store) == {"1", "2"}
    assert {r.seq for r in rows(store, schema.records)} == {1, 5, 6}


def test_a_stream_said_to_be_unread_whose_records_are_there_doubles_none(store: Store, read: Read) -> None:
    pull = having(stream("people", lambda client, want: iter([page(*people(*range(50)), cursor="1")])))
    read(pull)
    before = rows(store, schema.raw), rows(store, schema.records), rows(store, schema.counter)
    with store.write() as c:
        c.execute(sa.delete(schema.streams))
    found = read(pull)["people"]
    assert (found.new, found.same, found.error) == (0, 50, "")
    assert (rows(store, schema.raw), rows(store, schema.records), rows(store, schema.counter)) == before


def test_a_stream_is_read_whole_when_that_is_due(store: Store, acme: Acme, read: Read) -> None:
    connector = having(stream("people", full_every=timedelta(days=1), blind="deletions"))
    acme.shelves["people"] = people(1, 2)
    read(connector)
    acme.shelves["people"] = people(2)
    assert not read(connector, now=NOW + timedelta(hours=23))["people"].complete
    assert living(store) == {"1", "2"}
    assert read(connector, now=NOW + timedelta(hours=25))["people"].complete
    assert living(store) == {"2"}
    assert not read(connector, now=NOW + timedelta(hours=30))["people"].complete


def test_two_hubs_that_read_the_same_at_once_keep_it_once(store: Store, running: Running) -> None:
    barrier = threading.Barrier(2, timeout=30)

    def pull(client: Any, want: Want) -> Iterator[Page]:
        for n in range(15):
            barrier.wait()
            yield page(*people(*range(n * 20, n * 20 + 20)), cursor=str(n))

    stores = [store, Store.open(store.engine.url.render_as_string(hide_password=False))]
    told: list[Landed] = []

    def go(one: Store) -> None:
        told.extend(land(one, having(stream("people", pull)), {"url": running.urls["acme"]}, run_id="r", now=NOW))

    threads = [threading.Thread(target=go, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stores[1].close()
    assert [x.error for x in told] == ["", ""]
    assert len(rows(store, schema.raw)) == len(rows(store, schema.records)) == 300
    assert sum(x.new for x in told) == 300


# -- what is gone ----------------------------------------------------------------------------------------------------


def test_only_a_complete_pass_says_that_a_record_is_gone(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = people(1, 2, 3, 4)
    read()
    acme.shelves["people"] = people(1, 4)
    assert read()["people"].gone == 0
    assert living(store) == {"1", "2", "3", "4"}
    found = read(full=True)["people"]
    assert (found.gone, found.complete) == (2, True)
    assert living(store) == {"1", "4"}
    assert read(full=True)["people"].gone == 0
    tombstones = [r for r in rows(store, schema.raw) if r.deleted]
    assert [(r.ref, bytes(r.body)) for r in sorted(tombstones)] == [("acme/people/2", b""), ("acme/people/3", b"")]


def test_a_pass_that_failed_deletes_nothing(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = people(*range(9))
    read()
    acme.shelves["people"] = people(*range(6))
    acme.nonsense["people", 1] = Reply(200, b"oops")
    assert not read(full=True)["people"].ok
    assert len(living(store)) == 9


def test_an_empty_complete_pass_deletes_all_and_says_so(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = people(1, 2)
    read()
    acme.shelves["people"] = []
    found = read(full=True)["people"]
    assert (found.read, found.gone) == (0, 2)


def test_a_deletion_that_is_told_counts_at_once(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = people(1, 2)
    read()
    acme.shelves["people"] = [person(1, 2, deleted=True)]
    found = read()["people"]
    assert (found.read, found.changed, found.gone) == (1, 1, 1)
    assert living(store) == {"2"}


def test_a_record_that_comes_back_lives_again(store: Store, acme: Acme, read: Read) -> None:
    for shelf in ([1, 2], [2], [1, 2]):
        acme.shelves["people"] = people(*shelf)
        last = read(full=True)["people"]
    assert living(store) == {"1", "2"}
    assert (last.changed, last.same) == (1, 1)


def test_a_merged_record_points_to_the_one_that_lives_on(store: Store, acme: Acme, read: Read) -> None:
    acme.shelves["people"] = people(1, 2)
    read()
    acme.shelves["people"] = [person(1, 2, merged_into="2")]
    assert read()["people"].gone == 1
    assert living(store) == {"2"}
    assert rows(store, schema.raw, "seq")[-1].merged_into == "2"


def test_ids_that_are_told_to_be_gone_are(store: Store, read: Read) -> None:
    def pull(client: Any, want: Want) -> Iterator[Page]:
        if want.since:
            yield page(cursor="2", gone=[("1", None), ("2", "3"), ("99", None)])
        else:
            yield page(*people(1, 2, 3), cursor="1")

    connector = having(stream("people", pull))
    read(connector)
    found = read(connector)["people"]
    assert (found.read, found.gone) == (0, 2)  # the one that was never there is no news
    assert living(store) == {"3"}
    assert {r.ref[-1]: r.merged_into for r in rows(store, schema.raw) if r.deleted} == {"1": None, "2": "3"}


# -- what goes wrong -------------------------------------------------------------------------------------------------

HTML = Reply(
    200, "<!DOCTYPE html><html><body>Sorry, we are down for maintenance</body></html>", content_type="text/html"
)
WRONG = {
    "half a page": (Reply(200, b'{"items": [{"id": 1, "upda'), "not the JSON"),
    "an HTML page": (HTML, "not the JSON"),
    "an empty answer": (Reply(200, b""), "not the JSON"),
    "no list": (Reply(200, {"things": []}), "no list"),
    "a list of numbers": (Reply(200, {"items": [1, 2]}), "not what its contract promises"),
    "a record too deep to read": (
        Reply(200, b'{"items": [{"id": 1, "d": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}"),
        "recursion depth",
    ),
    "a body cut off": (Reply(200, b'{"items": []', {"Content-Length": "5000"}), "no answer"),
    "a page that points to itself": (Reply(200, b'{"items": [], "next": 3}'), "points to itself"),
    "an error of the server": (Reply(500, b"oops"), "500"),
    "a refusal": (Reply(400, {"message": "no"}), "400"),
    "no permission": (Reply(403, {"message": "no"}), "403"),
    "too many calls": (Reply(429, {"message": "slow"}, {"Retry-After": "9999"}), "rate limited"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_answer_is_explained_and_stops_its_stream_only(
    store: Store, acme: Acme, read: Read, wrong: str
) -> None:
    reply, words = WRONG[wrong]
    acme.shelves = {"people": [person(n, 1 + n) for n in range(8)], "firms": people(1, 2)}
    acme.nonsense["people", 1] = reply
    found = read()
    assert words in found["people"].error
    assert found["people"].error.startswith("acme")
    assert "people" in found["people"].error
    assert found["people"].way_out
    assert "Person" not in found["people"].error
    assert (found["people"].new, found["people"].complete) == (3, False)  # the page before stays
    assert cursor(store) is None
    assert found["firms"].ok
    states = {r.stream: (r.state, r.error, r.read_at is None) for r in rows(store, schema.streams)}
    assert states == {"people": ("failed", found["people"].error, True), "firms": ("ok", None, False)}

    del acme.nonsense["people", 1]
    after = read()["people"]
    assert (after.ok, after.new, after.same) == (True, 5, 3)
    assert {r.stream: (r.state, r.error) for r in rows(store, schema.streams)}["people"] == ("ok", None)


def test_a_mistake_in_a_connector_stops_its_stream_only(store: Store, acme: Acme, read: Read) -> None:
    def pull(client: Any, want: Want) -> Iterator[Page]:
        yield page(person(1))
        raise KeyError("secret@example.com")

    acme.shelves["firms"] = people(1)
    found = read(having(stream("people", pull), stream("firms")))
    assert found["firms"].ok
    assert "acme/people: a mistake in the code (KeyError)" in found["people"].error
    assert "secret@example.com" not in found["people"].error


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "set systems.acme.url"),
        ("http://127.0.0.1:1", "nothing answers at 127.0.0.1:1"),
        ("http://acme.invalid", "no answer"),
    ],
)
def test_a_system_that_cannot_be_reached_is_named_for_each_stream(store: Store, url: str, words: str) -> None:
    found = land(store, ACME, {"url": url}, run_id="r", now=NOW)
    assert [x.stream for x in found] == ["people", "firms"]
    assert all(words in x.error and x.way_out and x.balanced for x in found)
    assert {r.state for r in rows(store, schema.streams)} == {"failed"}


def test_a_stream_is_read_alone_when_only_it_is_asked_for(acme: Acme, read: Read) -> None:
    acme.shelves = {"people": people(1), "firms": people(2)}
    assert set(read(streams=["firms"])) == {"firms"}
    assert {call.path["stream"] for call in acme.asked} == {"firms"}


# -- how it scales ---------------------------------------------------------------------------------------------------


def test_streams_of_a_system_are_read_at_the_same_time(store: Store, read: Read) -> None:
    together = threading.Barrier(2, timeout=30)

    def pull(client: Any, want: Want) -> Iterator[Page]:
        for n in range(5):
            together.wait()  # breaks unless the other stream is at the same page
            yield page(*people(*range(n * 10, n * 10 + 10)), cursor=str(n))

    found = read(having(stream("people", pull), stream("firms", pull)))
    assert [(x.error, x.new) for x in found.values()] == [("", 50), ("", 50)]
    assert len(living(store)) == 50
    assert len(rows(store, schema.raw)) == 100


def test_memory_does_not_grow_with_the_stream(tmp_path: Any, running: Running) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'hub.db'}")
    peaks: list[int] = []

    def watch(landed: Landed, total: int | None) -> None:
        if landed.pages in (MANY // 4, MANY - 1):
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()

    connector = having(stream("long", Pages("/many/long", "items", Cursor("next", "after"))))
    tracemalloc.start()
    try:
        [landed] = land(store, connector, {"url": running.urls["acme"]}, run_id="r", now=NOW, progress=watch)
    finally:
        tracemalloc.stop()
    store.close()
    assert (landed.error, landed.new) == ("", MANY * EACH)
    # pages that wait for one commit hold up to 4 MB of these; over 10 MB came through in the meantime
    assert peaks[1] < peaks[0] + 4_000_000, peaks

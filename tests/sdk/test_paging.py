"""How lists go on: every way shows every record, and none runs in circles, away, or past what it has not shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omnihub.errors import BrokenAnswer, ConfigError
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import Cursor, Http, Keyset, LinkHeader, NextUrl, Number, Offset, Page, Pages, Place, Turned, Want

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ALL = Want(None, True, NOW)
COUNT, SIZE = 23, 5


class Shelf(Standin):
    """Records in the order of change, served in every manner of paging there is; `size` a page."""

    system, role = "shelf", "portal"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.fill(f"2026-01-01T00:00:{n:02d}Z" for n in range(COUNT))

    def fill(self, times: Any) -> None:
        self.asked: list[Call] = []
        self.held: list[dict[str, Any]] = [{"id": f"r{n:02d}", "at": at} for n, at in enumerate(times)]
        self.host = ""
        self.stuck = False  # it takes no notice of where it is asked to start
        self.rounds = 0  # after so many records its cursors lead back to the first
        self.hides = COUNT  # it shows nothing from here on
        self.lose_after = 0  # a record is deleted once so many calls were answered
        self.restless = False
        self.turned = False  # rows come in another order, and some of them twice
        self.edit_after = 0  # a record is changed then, and so moves to the end

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        return True

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"message": message})

    def _from(self, start: int, found: Sequence[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        return list(self.held if found is None else found)[start : start + SIZE]

    def _here(self, call: Call) -> int:
        self.asked.append(call)
        if self.stuck:
            return 0
        if self.lose_after and len(self.asked) > self.lose_after:
            del self.held[0]
            self.lose_after = 0
        if self.edit_after and len(self.asked) > self.edit_after:
            self.held.append({**self.held.pop(0), "at": "2026-01-01T00:01:00Z"})
            self.edit_after = 0
        if self.restless:  # each time all is new
            self.held = [{**record, "id": f"{len(self.asked)}-{record['id']}"} for record in self.held]
        return int(call.param("start", "0"))

    @route("GET", "/cursor")
    def cursor(self, call: Call) -> Reply:
        start = self._here(call)
        more = start + SIZE < len(self.held)
        following = (start + SIZE) % self.rounds if self.rounds else start + SIZE
        return Reply(200, {"items": self._from(start), "next": str(following) if more else None})

    @route("GET", "/link")
    def link(self, call: Call) -> Reply:
        start = self._here(call)
        url = f"{call.url.split('?')[0]}?start={start + SIZE}&kept=yes"
        more = start + SIZE < len(self.held)
        header = f'<{url}>; rel="next", <{call.url}>; rel="first"' if more else f'<{call.url}>; rel="first"'
        return Reply(200, self._from(start), {"Link": header})

    @route("GET", "/url")
    def url(self, call: Call) -> Reply:
        start = self._here(call)
        more = start + SIZE < len(self.held)
        following = f"{self.host}/url?start={start + SIZE}" if more else None
        return Reply(200, {"items": self._from(start), "@odata.nextLink": following})

    @route("GET", "/offset")
    def offset(self, call: Call) -> Reply:
        found = self._from(self._here(call), self.held[: self.hides])
        found = [*found[::-1], *found[-2:]] if self.turned else found
        return Reply(200, {"items": found, "total": len(self.held)})

    @route("GET", "/number")
    def number(self, call: Call) -> Reply:
        self._here(call)
        page = int(call.param("page", "1")) - 1
        pages = -(-len(self.held) // SIZE)
        told = {"more": page + 1 < pages, "pages": pages, "total": len(self.held)}
        return Reply(200, {"items": self._from(page * SIZE), **told})

    @route("GET", "/keyset")
    def keyset(self, call: Call) -> Reply:
        self._here(call)
        at, id_ = call.param("at"), call.param("id")
        found = [r for r in self.held if not at or r["at"] > at or (r["at"] == at and r["id"] > id_)]
        return Reply(200, {"items": self._from(0, found)})

    @route("GET", "/since")
    def since(self, call: Call) -> Reply:
        self._here(call)
        found = [r for r in self.held if r["at"] >= call.param("at")]
        return Reply(200, {"items": self._from(int(call.param("skip", "0")), found)})


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running([Shelf()]) as run:
        yield run


@pytest.fixture
def shelf(running: Running) -> Shelf:
    found = running.standins["shelf"]
    assert isinstance(found, Shelf)
    found.fill(f"2026-01-01T00:00:{n:02d}Z" for n in range(COUNT))
    return found


@pytest.fixture
def http(running: Running) -> Http:
    return Http("shelf", running.urls["shelf"], wait=lambda _: None)


BY_BOTH = Pages("/keyset", "items", Keyset("at", "id", size=SIZE), updated="at")
BY_TIME = Pages("/since", "items", Keyset("at", size=SIZE, offset="skip"), updated="at")
WAYS = {
    "cursor": Pages("/cursor", "items", Cursor("next", "start"), updated="at"),
    "link header": Pages("/link", "", LinkHeader(), updated="at"),
    "next url": Pages("/url", "items", NextUrl(r"@odata\.nextLink"), updated="at"),
    "offset": Pages("/offset", "items", Offset("start", SIZE), updated="at"),
    "offset and total": Pages("/offset", "items", Offset("start", 99, total="total"), updated="at"),
    "number and flag": Pages("/number", "items", Number("page", more="more", first=1), updated="at"),
    "number of pages": Pages("/number", "items", Number("page", pages="pages", first=1), updated="at"),
    "number, short page": Pages("/number", "items", Number("page", size=SIZE, first=1), updated="at"),
    "number, empty page": Pages("/number", "items", Number("page", first=1), updated="at"),
    "keyset": BY_BOTH,
    "keyset by time alone": BY_TIME,
}


def ids(pages: Sequence[Page]) -> list[str | None]:
    return [record.id for page in pages for record in page.records]


@pytest.mark.parametrize("count", [COUNT, 2 * SIZE, SIZE, 1, 0])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_to_go_on_shows_every_record_and_ends(shelf: Shelf, http: Http, way: Pages, count: int) -> None:
    del shelf.held[count:]
    pages = list(way(http, ALL))
    shown = ids(pages)
    assert sorted(set(shown)) == [f"r{n:02d}" for n in range(count)]
    assert len(shown) == count or way is BY_TIME, "only where nothing but the time is offered do records come again"
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].cursor == (shelf.held[-1]["at"] if count else None)


@pytest.mark.parametrize("way", ["cursor", "link header", "next url", "offset", "offset and total"])
def test_a_system_that_shows_its_first_page_for_ever_is_found_out(shelf: Shelf, http: Http, way: str) -> None:
    shelf.stuck = True
    with pytest.raises(BrokenAnswer, match=r"shelf: .* (points to itself|shows the same records).* keeps its cursor"):
        list(WAYS[way](http, ALL))
    assert len(shelf.asked) <= 3


def test_a_list_that_ignores_its_page_number_is_found_out(shelf: Shelf, http: Http) -> None:
    wrong = Pages("/number", "items", Number("seite", more="more", first=1))
    with pytest.raises(BrokenAnswer, match="is its paging parameter right"):
        list(wrong(http, ALL))
    assert len(shelf.asked) == 2


def test_a_keyset_the_system_ignores_is_found_out(shelf: Shelf, http: Http) -> None:
    wrong = Pages("/keyset", "items", Keyset("seit", "ab", size=SIZE), updated="at")
    with pytest.raises(BrokenAnswer, match="points to itself"):
        list(wrong(http, ALL))


def test_cursors_that_lead_back_are_found_out(shelf: Shelf, http: Http) -> None:
    shelf.rounds = 2 * SIZE
    with pytest.raises(BrokenAnswer, match="points to itself or back"):
        list(WAYS["cursor"](http, ALL))
    assert len(shelf.asked) == 3


def test_a_function_may_say_how_a_list_goes_on(shelf: Shelf, http: Http) -> None:
    def every_second(page: Turned) -> Place | None:
        start = int(page.place.params.get("start", 0)) + 2 * SIZE
        return page.place.plus(start=start) if len(page.records) == SIZE else None

    found = ids(list(Pages("/offset", "items", every_second)(http, ALL)))
    assert found == [f"r{n:02d}" for n in (*range(5), *range(10, 15), 20, 21, 22)]
    with pytest.raises(BrokenAnswer, match="points to itself"):
        list(Pages("/offset", "items", lambda page: page.place)(http, ALL))


def test_a_next_address_on_another_host_is_not_followed(shelf: Shelf, http: Http) -> None:
    shelf.host = "https://elsewhere.example"
    with pytest.raises(BrokenAnswer, match=r"goes on at elsewhere\.example"):
        list(WAYS["next url"](http, ALL))
    assert len(shelf.asked) == 1


def test_a_next_address_with_another_scheme_or_none_stays_with_the_host(shelf: Shelf, http: Http) -> None:
    shelf.host = http.base_url.replace("http://", "https://")
    assert len(ids(list(WAYS["next url"](http, ALL)))) == COUNT
    shelf.host = ""
    assert len(ids(list(WAYS["next url"](http, ALL)))) == COUNT


@pytest.mark.parametrize("way", [BY_BOTH, BY_TIME], ids=["both", "time"])
@pytest.mark.parametrize("alike", [SIZE - 1, SIZE, SIZE + 1, 3 * SIZE])
@pytest.mark.parametrize("before", [0, 3, SIZE])
def test_a_keyset_gets_past_pages_full_of_one_time(
    shelf: Shelf, http: Http, way: Pages, alike: int, before: int
) -> None:
    times = [f"2026-01-01T00:00:{n:02d}Z" for n in range(before)] + ["2026-01-01T01:00:00Z"] * alike
    shelf.fill([*times, *(f"2026-01-01T02:00:{n:02d}Z" for n in range(3 * SIZE)), "2026-01-01T03:00:00Z"])
    pages = list(way(http, ALL))
    assert set(ids(pages)) == {record["id"] for record in shelf.held}
    assert pages[-1].cursor == "2026-01-01T03:00:00Z"


def test_a_keyset_with_no_way_past_one_time_stops_with_the_way_out(shelf: Shelf, http: Http) -> None:
    shelf.fill(["2026-01-01T01:00:00Z"] * 20)
    with pytest.raises(BrokenAnswer, match=r"shelf: /since has more than 5 records of one time .* `offset` parameter"):
        list(Pages("/since", "items", Keyset("at", size=SIZE), updated="at")(http, ALL))


def test_a_keyset_goes_on_from_the_cursor_and_reads_its_time_again(shelf: Shelf, http: Http) -> None:
    for way in (BY_BOTH, BY_TIME):
        pages = list(way(http, Want("2026-01-01T00:00:20Z", False, NOW)))
        assert ids(pages) == ["r20", "r21", "r22"]
        assert not pages[-1].complete


def test_a_keyset_over_a_list_in_another_order_is_refused(shelf: Shelf, http: Http) -> None:
    shelf.held.reverse()
    with pytest.raises(BrokenAnswer, match="not in the order of change"):
        list(BY_TIME(http, ALL))


def test_an_ordered_list_moves_its_cursor_with_each_page_and_an_unordered_one_at_the_end(
    shelf: Shelf, http: Http
) -> None:
    ordered = Pages("/cursor", "items", Cursor("next", "start"), updated="at", ordered=True)
    assert [page.cursor for page in ordered(http, ALL)] == [f"2026-01-01T00:00:{s:02d}Z" for s in (4, 9, 14, 19, 22)]
    shelf.held[7], shelf.held[8] = shelf.held[8], shelf.held[7]
    assert [page.cursor for page in ordered(http, ALL)] == [
        "2026-01-01T00:00:04Z", None, None, None, "2026-01-01T00:00:22Z"
    ]  # fmt: skip


@pytest.mark.parametrize("happens", ["lose_after", "edit_after"])
@pytest.mark.parametrize("after", [1, 2, 3, 4])
@pytest.mark.parametrize("way", ["offset", "offset and total"])
def test_a_list_that_moves_while_it_is_counted_through_loses_nothing(
    shelf: Shelf, http: Http, way: str, after: int, happens: str
) -> None:
    setattr(shelf, happens, after)
    pages = list(WAYS[way](http, ALL))
    assert {record["id"] for record in shelf.held} <= set(ids(pages))
    assert pages[-1].complete
    assert pages[-1].cursor == shelf.held[-1]["at"]


@pytest.mark.parametrize("way", ["offset", "offset and total"])
def test_rows_in_another_order_or_twice_lose_nothing(shelf: Shelf, http: Http, way: str) -> None:
    shelf.turned = True
    pages = list(WAYS[way](http, ALL))
    assert set(ids(pages)) == {record["id"] for record in shelf.held}
    assert pages[-1].complete
    assert len(shelf.asked) <= 7, "and without reading in circles"


def test_a_list_that_never_stops_moving_is_given_up(shelf: Shelf, http: Http) -> None:
    shelf.restless = True
    with pytest.raises(BrokenAnswer, match="moves faster than it can be read"):
        list(WAYS["offset"](http, ALL))


@pytest.mark.parametrize("way", [Offset("start", SIZE, lap=0), Number("page", more="more", first=1)])
def test_a_record_deleted_while_pages_are_counted_spoils_the_pass(
    shelf: Shelf, http: Http, way: Offset | Number
) -> None:
    shelf.lose_after = 2
    path = "/offset" if isinstance(way, Offset) else "/number"
    pages = list(Pages(path, "items", way, updated="at", total="total")(http, ALL))
    assert "r10" not in ids(pages), "it moved up a place, onto a page that was already read"
    assert (pages[-1].cursor, pages[-1].complete) == (None, False)


def test_a_list_that_breaks_off_before_its_total_is_not_taken_for_complete(shelf: Shelf, http: Http) -> None:
    shelf.hides = 2 * SIZE
    with pytest.raises(BrokenAnswer, match="shows nothing from 10 on, though it says there are 23"):
        list(WAYS["offset and total"](http, ALL))


# -- cursors ---------------------------------------------------------------------------------------------------------


def test_a_cursor_never_passes_our_own_clock(shelf: Shelf, http: Http) -> None:
    shelf.held[-1]["at"] = "2026-12-24T00:00:00Z"  # a system whose clock is a month ahead
    since = Pages("/cursor", "items", Cursor("next", "start"), updated="at", since={"from": "{since}"})
    for way in (since, BY_TIME, BY_BOTH):
        assert list(way(http, ALL))[-1].cursor == "2026-11-21T00:00:00Z"


def test_reading_begins_before_the_cursor_by_the_overlap_declared(shelf: Shelf, http: Http) -> None:
    way = Pages(
        "/cursor", "items", Cursor("next", "start"), updated="at",
        since={"from": "gte:{since}"}, overlap=timedelta(minutes=5),
    )  # fmt: skip
    pages = list(way(http, Want("2026-01-01T00:00:30.500Z", False, NOW)))
    assert shelf.asked[0].param("from") == "gte:2025-12-31T23:55:30.500Z"
    assert pages[-1].cursor == "2026-01-01T00:00:30.500Z", "what is read again does not move the cursor back"


def test_an_overlap_on_a_cursor_that_is_no_time_says_so(http: Http) -> None:
    way = Pages("/cursor", "items", Cursor("next", "start"), since={"from": "{since}"}, overlap=timedelta(minutes=5))
    with pytest.raises(ConfigError, match="`overlap`"):
        list(way(http, Want("eyJhIjoxfQ", False, NOW)))


@pytest.mark.parametrize(
    ("times", "newest"),
    [
        (["2026-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00"], "2026-01-01T00:00:00Z"),
        (["2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z"], "2026-01-01T00:00:00.5Z"),
        (["999999999", "1000000000"], "1000000000"),
        (["2026-01-01T00:00:00+00:00", "2025-12-31T23:00:00-05:00"], "2025-12-31T23:00:00-05:00"),
    ],
)
def test_the_newest_time_is_the_latest_instant_however_it_is_written(
    shelf: Shelf, http: Http, times: list[str], newest: str
) -> None:
    shelf.fill(times)
    assert list(WAYS["cursor"](http, ALL))[-1].cursor == newest
    shelf.held.reverse()
    assert list(WAYS["cursor"](http, ALL))[-1].cursor == newest

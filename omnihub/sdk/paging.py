"""How a list goes on after a page: each way is a value that names what is to be asked next.

    Cursor("next_cursor", "cursor")       a token in the answer, sent as a parameter
    LinkHeader()                          the Link header's rel="next" (RFC 8288)
    NextUrl("paging.next")                a whole address in the answer
    Offset("offset", 100)                 as many records further on
    Number("page", more="has_more")       pages have numbers
    Keyset("updated_since", size=100)     from the time (and id) of the last record on

A way to go on has two verbs: `begin` adds what the first call needs, `follow` names the next one, or None at the end.
A function that takes the page as it was read (`Turned`) and says what to ask next (`Place`) will do as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.utils import parse_header_links

from omnihub.errors import BrokenAnswer
from omnihub.sdk.cursors import in_order
from omnihub.sdk.http import masked
from omnihub.sdk.page import Record, value_at


@dataclass(frozen=True)
class Place:
    """What is asked for one page: a path (or a whole address) and the parameters sent with it."""

    path: str
    params: Mapping[str, Any]
    back: bool = False  # meant to be asked for again: the list has moved under our hands

    def plus(self, **params: Any) -> Place:
        """The same place with other parameters; None takes one out."""
        merged = {**self.params, **params}
        return Place(self.path, {name: value for name, value in merged.items() if value is not None})

    def again(self, **params: Any) -> Place:
        """A place that may have been read before, to be read once more."""
        return replace(self.plus(**params), back=True)


@dataclass(frozen=True)
class Turned:
    """A page as it was read: where, what was answered, and the records cut out of it."""

    place: Place
    answer: requests.Response
    records: Sequence[Record]
    seen: Callable[[Record], bool] = lambda _: True  # whether one of the last pages showed it just so


@dataclass(frozen=True)
class Cursor:
    """The next page is named by a token in the answer at `path`, sent as the parameter `param`.

    more: dotted path of a flag; false ends the stream whatever the token says.
    """

    path: str
    param: str
    more: str = ""

    def begin(self, place: Place) -> Place:
        """The first page has no token."""
        return place

    def follow(self, page: Turned) -> Place | None:
        """What to ask next, None after the last page."""
        if self.more and not value_at(page.answer.content, self.more):
            return None
        token = value_at(page.answer.content, self.path)
        return page.place.plus(**{self.param: str(token)}) if token not in (None, "") else None


@dataclass(frozen=True)
class LinkHeader:
    """The next page is the address in the answer's Link header with this relation (RFC 8288)."""

    rel: str = "next"

    def begin(self, place: Place) -> Place:
        """As declared."""
        return place

    def follow(self, page: Turned) -> Place | None:
        """What to ask next, None after the last page."""
        links = parse_header_links(page.answer.headers.get("Link", ""))
        found = next((link["url"] for link in links if self.rel in link.get("rel", "").split()), None)
        return _address(page, found) if found else None


@dataclass(frozen=True)
class NextUrl:
    r"""The next page is the address (whole, or from the host on) in the answer at `path`.

    A name with a dot of its own is written with a backslash: `NextUrl(r"@odata\.nextLink")`.
    """

    path: str

    def begin(self, place: Place) -> Place:
        """As declared."""
        return place

    def follow(self, page: Turned) -> Place | None:
        """What to ask next, None after the last page."""
        found = value_at(page.answer.content, self.path)
        return _address(page, str(found)) if found else None


@dataclass(frozen=True)
class Offset:
    """The next page starts where this one ended; a page shorter than `size` is the last.

    limit: the parameter the size is sent as, where it is not among the `params` already. total: dotted path of how many
    records there are; the stream then ends there, also where the system cuts pages shorter than asked.

    A record that is deleted, or moves to the end because somebody changes it, moves all that follow up a place, and the
    next page would miss one. So each page begins `lap` records before the end of the one before; if it shows nothing
    that was seen there, reading goes back. A system that takes offsets in whole pages only needs `lap=0`, and then a
    list in the order of something that never changes.
    """

    param: str
    size: int
    limit: str = ""
    total: str = ""
    lap: int = 1

    def begin(self, place: Place) -> Place:
        """From the first record."""
        return place.plus(**{self.limit: self.size}) if self.limit else place

    def follow(self, page: Turned) -> Place | None:
        """What to ask next, None after the last page."""
        count = len(page.records)
        shown = len({r.id for r in page.records if r.id is not None}) + sum(r.id is None for r in page.records)
        starts = int(page.place.params.get(self.param, 0))
        ends = starts + shown  # a row that comes twice on a page is one record of the list
        total = value_at(page.answer.content, self.total) if self.total else None
        if total is not None and ends < int(total) and not count:
            raise BrokenAnswer(f"{_path(page)} shows nothing from {ends} on, though it says there are {total}")
        if starts and self.lap and not any(page.seen(record) for record in page.records):
            return page.place.again(**{self.param: max(0, starts - max(1, self.size - self.lap))})
        goes_on = count >= max(1, self.size) if total is None else ends < int(total)
        return page.place.plus(**{self.param: ends - (self.lap if shown > self.lap else 0)}) if goes_on else None


@dataclass(frozen=True)
class Number:
    """Pages have numbers from `first`. What ends the stream is one of these, the first that is given:

    more: dotted path of a flag that says whether another page follows. pages: dotted path of how many pages there are.
    size: a page shorter than this is the last. Without any of them, an empty page is. limit: the parameter the size is
    sent as, where it is not among the `params` already.

    The list must be in an order that never changes (by id, by creation): a record that moves to the end because
    somebody changes it moves all that follow up a place, and the next page would miss one.
    """

    param: str
    more: str = ""
    first: int = 0
    pages: str = ""
    size: int = 0
    limit: str = ""

    def begin(self, place: Place) -> Place:
        """At the first number; it is sent only where it is not what every system takes for granted."""
        return place.plus(**{self.limit: self.size}) if self.limit else place

    def follow(self, page: Turned) -> Place | None:
        """What to ask next, None after the last page."""
        now = int(page.place.params.get(self.param, self.first))
        return page.place.plus(**{self.param: now + 1}) if self._goes_on(page, now) else None

    def _goes_on(self, page: Turned, now: int) -> bool:
        if self.more:
            return bool(value_at(page.answer.content, self.more))
        if self.pages:
            return now - self.first + 1 < int(value_at(page.answer.content, self.pages) or 0)
        return len(page.records) >= max(1, self.size)


@dataclass(frozen=True)
class Keyset:
    """A list in the order of (time of change, id) goes on after the last record shown; `Pages.updated` names the time.

    updated: the parameter of the time. id: the parameter of the id, for systems that understand "after this time, or at
    this time and after this id"; it begins with `lowest`. Where a system offers no more than "from this time on" (>=),
    leave `id` out: the records of the last time come again, which does no harm. If one time fills a whole page (a bulk
    import), the list goes on by the parameter `offset`, or, where there is none, stops with an error.
    size: records a page; a shorter one is the last. limit: the parameter the size is sent as.

    Such a list is its own filter: `Pages.since` is not needed, and each page carries the cursor.
    """

    updated: str
    id: str = ""
    size: int = 100
    limit: str = ""
    lowest: str = ""
    offset: str = ""

    def begin(self, place: Place) -> Place:
        """From the oldest on."""
        return place.plus(**{self.limit: self.size}) if self.limit else place

    def since(self, cursor: str) -> dict[str, Any]:
        """The parameters that say from when on. The time itself is read again."""
        return {self.updated: cursor, **({self.id: self.lowest} if self.id else {})}

    def follow(self, page: Turned) -> Place | None:
        """What to ask next, None after the last page."""
        self._check(page)
        if len(page.records) < max(1, self.size):
            return None
        last = page.records[-1]
        if self.id:
            return page.place.plus(**{self.updated: last.updated, self.id: last.id})
        if page.place.params.get(self.updated) != last.updated:
            return page.place.plus(**{self.updated: last.updated, **({self.offset: None} if self.offset else {})})
        if not self.offset:
            raise BrokenAnswer(
                f"{_path(page)} has more than {self.size} records of one time ({last.updated}) and offers no way past "
                "them; ask for larger pages, or name its `offset` parameter"
            )
        return page.place.plus(**{self.offset: int(page.place.params.get(self.offset, 0)) + len(page.records)})

    def _check(self, page: Turned) -> None:
        """A list in any other order would lose what it shows too early."""
        times = [r.updated for r in page.records]
        if None in times or (self.id and any(r.id is None for r in page.records)):
            raise BrokenAnswer(f"{_path(page)} shows a record without its time or id; a list can't go on from there")
        if not in_order([t for t in times if t]):
            raise BrokenAnswer(f"{_path(page)} is not in the order of change: ask for it (`params`), the cursor stays")


Way = Cursor | LinkHeader | NextUrl | Offset | Number | Keyset
Next = Way | Callable[[Turned], Place | None]


def begun(way: Next | None, place: Place) -> Place:
    """What to ask for first."""
    return way.begin(place) if isinstance(way, Way) else place


def followed(way: Next | None, page: Turned) -> Place | None:
    """What to ask next, None after the last page."""
    return way.follow(page) if isinstance(way, Way) else way(page) if way else None


def _path(page: Turned) -> str:
    return urlsplit(masked(page.place.path)).path


def _address(page: Turned, found: str) -> Place:
    """The place an address means. Its host must be the one that answered: tokens go nowhere else.

    Systems behind a proxy often write http:// for their own https://, so the scheme stays what it was.
    """
    here = urlsplit(page.answer.request.url or "")
    there = urlsplit(urljoin(page.answer.request.url or "", found))
    if there.hostname != here.hostname:
        raise BrokenAnswer(
            f"{_path(page)} goes on at {there.hostname}, which is not the host of this system; that is not followed: "
            "if it is right, make it the url of this system"
        )
    return Place(urlunsplit((here.scheme, here.netloc, there.path, there.query, "")), {})

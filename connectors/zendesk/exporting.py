"""Reading Zendesk: lists for whole streams, incremental exports for what changed since, merges of organizations.

A stream's cursor is the parameter its next export starts with: `start_time=1763763526` or `cursor=MTU3…`. An export may
show a row twice, and never shows its last minute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import requests

from omnihub.errors import BrokenAnswer
from omnihub.sdk import Cursor, Http, Page, Pages, Record, Want, dig, exchange, records, value_at
from omnihub.sdk.cursors import instant

log = logging.getLogger("omnihub.zendesk")

MAX_EXPORTED = 1000  # records in a page of an export
MAX_LISTED = 100  # records in a page of a list
MIN_AGE_S = 60  # an export refuses a start_time younger than this, and never shows what is
OVERLAP_S = 300  # read again after a complete pass: what the two clocks may disagree, and the minute exports hide
REMEMBERED = 50_000  # rows a repetition is looked for among; repetitions stand close together
MOST_ASKED = 1000  # organizations asked for their merges in one pull: it costs a call for each


@dataclass(frozen=True)
class Changes:
    """Reads a stream: whole from its list, and what changed since from its incremental export.

    deleted: the mark of a deleted record, as in `omnihub.sdk.page.records`. by_cursor: whether the export gives
    cursors; where it does not it goes by whole seconds, and the last one is read twice. listed: whether the list
    shows every living record. include: what is side-loaded into each record. stamp: the path of the second a row was
    made in, where it is not the time of its last change. merges: the address of what was merged into a record, over
    `{id}`; asked for the records that changed since the cursor. without: the records that are left out. named: what
    gives names to what is in the others.
    """

    stream: str
    deleted: str
    by_cursor: bool = True
    listed: bool = True
    include: str = ""
    stamp: str = ""
    merges: str = ""
    without: Callable[[Record], bool] | None = None
    named: Callable[[Http], Callable[[Sequence[Record]], list[Record]]] | None = None

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """Pages from the cursor on; the last page of a complete pass says so."""
        rows, merges = Rows(self.stamp), Merges(http, self.merges, want.since)
        name = self.named(http) if self.named else list
        for page in self._pages(http, want):
            yield from merges.into(page.records)
            found = rows.new(page.records)
            yield replace(page, records=name([r for r in found if not self.without or not self.without(r)]))

    def _pages(self, http: Http, want: Want) -> Iterator[Page]:
        if want.since and not want.complete:
            yield from self._exported(http, want, want.since)
        elif self.listed:
            yield from self._listed(http, want)
        else:
            yield from self._exported(http, want, "start_time=0")
            yield from self._newest(http, want)

    def _listed(self, http: Http, want: Want, **params: str) -> Iterator[Page]:
        pages = Pages(
            f"/api/v2/{self.stream}.json",
            items=self.stream,
            next=Cursor("meta.after_cursor", "page[after]", more="meta.has_more"),
            params={"page[size]": MAX_LISTED, **({"include": self.include} if self.include else {}), **params},
            updated="updated_at",
            deleted=self.deleted,
        )
        start = int((want.now - timedelta(seconds=OVERLAP_S)).timestamp())
        for page in pages(http, want):
            yield replace(page, cursor=f"start_time={start}") if page.complete else page

    def _newest(self, http: Http, want: Want) -> Iterator[Page]:
        """What changed while the export could not see it, newest first; ends the complete pass."""
        known = (want.now - timedelta(seconds=OVERLAP_S)).isoformat()
        for page in self._listed(http, want, sort="-updated_at"):
            last = page.complete or min((r.updated or "" for r in page.records), default="") < known
            yield replace(page, cursor=None, complete=last)
            if last:
                return

    def _exported(self, http: Http, want: Want, since: str) -> Iterator[Page]:
        path = f"/api/v2/incremental/{self.stream}{'/cursor' if self.by_cursor else ''}.json"
        name, _, value = since.partition("=")
        while True:
            if name == "start_time":
                value = str(min(int(value), int(want.now.timestamp()) - MIN_AGE_S))
            params = {name: value, "per_page": MAX_EXPORTED, **({"include": self.include} if self.include else {})}
            answer = http.get_ok(path, params=params)
            found = records(answer.content, self.stream, updated="updated_at", deleted=self.deleted)
            following = self._following(answer)
            yield Page(exchange(answer), found, cursor=following and f"{following[0]}={following[1]}")
            if value_at(answer.content, "end_of_stream") or following is None or not self._full(len(found)):
                return
            if following == (name, value):
                # More records bear one second than fit a page (a bulk import), and the export stands still on it.
                if not self.listed:
                    raise BrokenAnswer(f"{http.system}: the export of {self.stream} points to itself; it stops here")
                yield from self._listed(http, want)
                return
            name, value = following

    def _full(self, count: int) -> bool:
        """By seconds, a page that is not full is the last; by cursor only the system knows."""
        return self.by_cursor or count >= MAX_EXPORTED

    def _following(self, answer: requests.Response) -> tuple[str, str] | None:
        name, path = ("cursor", "after_cursor") if self.by_cursor else ("start_time", "end_time")
        value = value_at(answer.content, path)
        return None if value in (None, "") else (name, str(value))


@dataclass
class Rows:
    """The rows a pull has brought so far, as far as they can come again: (second it was made in, its bytes) by id.

    Two rows of one second are the same only if their bytes are: a second is long enough for two changes.
    """

    stamp: str
    _known: dict[str, tuple[int, int]] = field(default_factory=dict)

    def new(self, found: Sequence[Record]) -> list[Record]:
        """Those that are no repetition, and not older than what came before."""
        return [record for record in found if record.id is None or self._is_new(record.id, record)]

    def _is_new(self, id_: str, record: Record) -> bool:
        made = value_at(record.raw, self.stamp) if self.stamp else 0
        mark = (made if isinstance(made, int) else 0, hash(record.raw))
        known = self._known.pop(id_, None)
        if known and (known == mark or mark[0] < known[0]):
            self._known[id_] = known
            return False
        self._known[id_] = mark
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return True


@dataclass
class Merges:
    """What was merged into the records that changed since the cursor; `left`: how many of them may still be asked.

    The winner of a merge changes with it: it is given the loser's domains, users and tickets. The loser is deleted and
    shown nowhere.
    """

    http: Http
    path: str
    since: str | None
    left: int = MOST_ASKED

    def into(self, found: Sequence[Record]) -> Iterator[Page]:
        """A page for each of these records that others were merged into."""
        for record in found if self.path and self.since else ():
            if record.id and not record.deleted and self._changed(record):
                yield from self._asked(record.id)

    def _changed(self, record: Record) -> bool:
        """Whether it changed after the cursor was given out; a complete pass shows all the others too."""
        name, _, start = (self.since or "").partition("=")
        at = instant(record.updated or "")
        return name != "start_time" or at is None or at.timestamp() >= int(start)

    def _asked(self, id_: str) -> Iterator[Page]:
        if self.left == 0:
            log.warning("%s: very many organizations changed; not all are asked for merges", self.http.system)
        self.left -= 1
        if self.left < 0:
            return
        next_: dict[str, Any] | None = {"page[size]": MAX_LISTED}
        while next_:
            answer = self.http.get(self.path.format(id=id_), params=next_)
            if answer.status_code == 404:  # deleted since it was shown
                return
            if answer.status_code == 403:
                self.left = 0
                log.warning("%s: merges are for administrators to see; who won them stays unknown", self.http.system)
                return
            body = self.http.refuse(answer).json()
            if gone := _losers(body, id_):
                yield Page(exchange(answer), [], gone=gone)
            more = dig(body, "meta.has_more")
            next_ = {"page[size]": MAX_LISTED, "page[after]": dig(body, "meta.after_cursor")} if more else None


def _losers(body: Any, winner: str) -> list[tuple[str, str | None]]:
    """(loser, winner) of the merges that are done; one under way may still fail."""
    listed = dig(body, "organization_merges") or ()
    done = [merge for merge in listed if merge.get("status") == "complete" and str(merge.get("winner_id")) == winner]
    return [(str(merge["loser_id"]), winner) for merge in done]

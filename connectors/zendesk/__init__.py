"""Zendesk Support: organizations, users and tickets; names, phones and languages are written back in bulk jobs.

    first and complete    organizations, users   the lists: 100 a page, every living record up to this second
                          tickets                the export from the beginning (the list leaves archived ones out), then
                                                 the newest from the list, because the export hides its last minute
    after that            all                    the incremental exports: 1,000 a page, deletions among the rest

A stream's cursor is the parameter its next export starts with: `start_time=1763763526` or `cursor=MTU3…`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import requests

from omnihub.errors import BrokenAnswer, RetryableError
from omnihub.sdk import (
    Answer,
    Basic,
    ByIdBatch,
    Codes,
    Connector,
    Cursor,
    Entity,
    FullName,
    Http,
    Limit,
    Link,
    OneWay,
    Outcome,
    Page,
    Pages,
    Push,
    Row,
    Setting,
    Stream,
    Want,
    exchange,
    records,
    value_at,
    words,
)

MAX_EXPORTED = 1000  # records in a page of an export
COLLISION = "DatabaseConflict"  # somebody wrote the same record at that moment: it goes next time
MAX_LISTED = 100  # records in a page of a list
MAX_BATCH = 100  # records in a job, and in a look
MIN_AGE_S = 60  # an export refuses a start_time younger than this, and never shows what is
OVERLAP_S = 300  # read again after a complete pass: what the two clocks may disagree, and the minute exports hide
JOB_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Changes:
    """Reads a stream: whole from its list, and what changed since from its incremental export.

    deleted: the mark of a deleted record, as in `omnihub.sdk.page.records`. by_cursor: whether the export gives
    cursors; where it does not it goes by whole seconds, and the last one is read twice. listed: whether the list
    shows every living record. include: what is side-loaded into each record.
    """

    stream: str
    deleted: str
    by_cursor: bool = True
    listed: bool = True
    include: str = ""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """Pages from the cursor on; the last page of a complete pass says so."""
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


@dataclass(frozen=True)
class Job:
    """Updates many records as one background job, and waits for its end: its rows succeed or fail one by one."""

    stream: str

    def __call__(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row."""
        body = {self.stream: [{"id": int(row.id or 0), **self._changes(row)} for row in rows]}
        started = http.put(f"/api/v2/{self.stream}/update_many.json", json=body)
        http.refuse(started, record=f"a job of {len(rows)} {self.stream}")
        ended, job = _await(http, str(value_at(started.content, "job_status.id")))
        told = job.get("results")
        results = {str(result.get("id")): result for result in told} if isinstance(told, list) else {}
        return [self._answer(row, results.get(str(row.id)), ended) for row in rows]

    def _changes(self, row: Row) -> dict[str, Any]:
        """The list of domains is written whole: the first is ours, the others stay."""
        changed = dict(row.body)
        if "domain_names" in changed:
            first = [name for name in changed["domain_names"] if name is not None]
            changed["domain_names"] = (
                first + [n for n in (row.raw or {}).get("domain_names") or [] if n not in first][1:]
            )
        return changed

    def _answer(self, row: Row, result: dict[str, Any] | None, ended: requests.Response) -> Answer:
        if result is None:
            return Answer(
                row.n, Outcome.DEFERRED, row.id, "", "the job said nothing about this record", exchange(ended)
            )
        if not result.get("success"):
            code, message = str(result.get("error", "")), str(result.get("details", ""))[:500]
            outcome = Outcome.DEFERRED if code == COLLISION else Outcome.REFUSED
            return Answer(row.n, outcome, row.id, code, message, exchange(ended))
        return Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(ended))


def _await(http: Http, job_id: str) -> tuple[requests.Response, dict[str, Any]]:
    """The job's last state. RetryableError where it failed or never ended: what it wrote is not known then."""
    waited_s, pause_s = 0.0, 0.1
    while waited_s < JOB_TIMEOUT_S:
        answer = http.get_ok(f"/api/v2/job_statuses/{job_id}.json")
        job: dict[str, Any] = answer.json()["job_status"]
        if job["status"] == "completed":
            return answer, job
        if job["status"] not in ("queued", "working"):
            raise RetryableError(f"{http.system}: job {job_id} {job['status']}: {words(answer.content)}")
        http.wait(pause_s)
        waited_s, pause_s = waited_s + pause_s, min(5.0, pause_s * 2)
    raise RetryableError(f"{http.system}: job {job_id} did not end in {JOB_TIMEOUT_S:.0f} s; the next run looks again")


def writing(stream: str, *fields: str, deleted: str, **longest: int) -> Push:
    """Bulk jobs of up to 100. There is no locking: the hub's own look just before is all there is."""
    look = ByIdBatch(f"/api/v2/{stream}/show_many.json", stream, size=MAX_BATCH, updated="updated_at", deleted=deleted)
    return Push(fields, update=Job(stream), look=look, batch=MAX_BATCH, max_length=longest)


LANGUAGES = ("de", "fr", "it", "es", "nl", "pl", "da", "sv", "no", "fi", "cs", "hu", "tr", "ja", "ko", "ru", "pt")
LOCALES = {"en-US": "en", "en-GB": "en", "en-AU": "en", "en-CA": "en", **{code: code for code in LANGUAGES}} | {
    "de-AT": "de", "de-CH": "de", "fr-FR": "fr", "fr-CA": "fr", "es-ES": "es", "es-419": "es", "nl-BE": "nl",
    "pt-BR": "pt", "zh-CN": "zh", "zh-TW": "zh",
}  # fmt: skip
PERSON = ("first_name", "last_name", "phone", "language")
STATUS = {"hold": "pending", "deleted": "closed"}
CHANNELS = {"voice": "phone", "native_messaging": "chat", "messaging": "chat", "web_form": "web", "help_center": "web"}
SATISFACTION = {"good_with_comment": "good", "bad_with_comment": "bad", "offered": "unoffered"}

connector = Connector(
    name="zendesk",
    title="Zendesk",
    role="ticketing",
    settings=(
        Setting("url", "the account's address, as in https://acme.zendesk.com"),
        Setting("email", "the administrator the token acts for"),
        Setting("api_token", "Admin Center → Apps and integrations → API tokens", secret=True),
    ),
    auth=Basic("{email}/token", "api_token"),
    limits=(
        # With the High Volume API add-on: 2,500 a minute and 30 exports. Other plans have 200 to 700, which the answers
        # tell, and 10, which Zendesk then enforces by 429 and Retry-After.
        Limit(2400, per_s=60, left="X-Rate-Limit-Remaining", resets="ratelimit-reset"),
        Limit(29, per_s=60, path="/incremental/"),
    ),
    streams=(
        Stream(
            "organizations",
            Entity.ACCOUNT,
            map={
                "name": "name",
                "domain": "domain_names.0",
                "customer_group": "organization_fields.customer_group",
            },
            pull=Changes("organizations", deleted="deleted_at", by_cursor=False),
            updated="updated_at",
            blind="the export of organizations does not show deleted and merged ones",
            full_every=timedelta(days=1),
            push=writing("organizations", "domain", deleted="deleted_at", domain=253),
        ),
        Stream(
            "users",
            Entity.CONTACT,
            map={
                "first_name": FullName("name", "first"),
                "last_name": FullName("name", "last"),
                "email": "email",
                "phone": "phone",
                "language": Codes("locale", codes=LOCALES),
                "account": Link("organization_id", stream="organizations"),
                "marketing_consent": Codes(
                    "user_fields.marketing_consent", codes={"true": "yes", "false": "no"}, boolean=True
                ),
            },
            pull=Changes("users", deleted="active=false"),
            updated="updated_at",
            push=writing("users", *PERSON, deleted="active=false", first_name=127, last_name=127),
        ),
        Stream(
            "tickets",
            Entity.TICKET,
            map={
                "subject": "subject",
                "contact": Link("requester_id", stream="users"),
                "account": Link("organization_id", stream="organizations"),
                "status": Codes("status", codes=STATUS),
                "channel": Codes("via.channel", codes=CHANNELS),
                "opened_at": OneWay("created_at"),
                "solved_at": OneWay("metric_set.solved_at"),
                "satisfaction": Codes("satisfaction_rating.score", codes=SATISFACTION),
            },
            pull=Changes("tickets", deleted="status=deleted", listed=False, include="metric_sets"),
            updated="updated_at",
        ),
    ),
)

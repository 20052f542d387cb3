"""How an Airtable base is called, and how a table of it is read, from the cursor or whole.

There is no cursor in Airtable: a formula asks for what was modified later, and the column "Last modified" tells when
that was. It ticks in seconds, so a second is read twice rather than lost. Records name their cells after the columns,
and leave empty ones out; a column somebody renamed would look like one that nobody filled in. So every pass first asks
for the columns by name: Airtable refuses a name it does not know, and the stream stops with what is known kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyairtable
import requests
from pyairtable.formulas import IS_AFTER, Formula, FunctionCall

from omnihub.errors import BrokenAnswer, ConfigError, RetryableError
from omnihub.sdk import Http, Page, Pull, Want, exchange, records

PAGE_SIZE = 100  # Airtable's most
LOCKED_OUT_S = 30  # how long a base refuses everyone after a call too many; its answer does not say so
MODIFIED = "Last modified"
GRAIN = timedelta(seconds=1)
CLOCKS_APART = timedelta(minutes=1)  # how far its clock may be from ours
MAX_PASSES = 3


@dataclass(frozen=True)
class Client:
    """The SDK's view of the base, and the session under it, where the answers are still bytes.

    findings: the table for the hub's findings, where the settings name one. masters: those that are only read.
    """

    http: Http
    base: pyairtable.Base
    findings: str = ""
    masters: frozenset[str] = frozenset()


def connect(settings: Mapping[str, str], http: Http) -> Client:
    api = pyairtable.Api(settings["token"], endpoint_url=http.base_url, retry_strategy=None)
    api.session = http  # its retries repeat even creates, and give up long before the lock-out ends
    http.hooks["response"].append(_tell_the_lock_out)
    return Client(http, api.base(settings["base"]), settings.get("findings_table", ""))


def _tell_the_lock_out(response: requests.Response, **_: object) -> None:
    if response.status_code == 429:
        response.headers.setdefault("Retry-After", str(LOCKED_OUT_S))


class _PassLost(Exception):
    """The list being paged through is no longer kept there."""


def table(name: str, columns: Sequence[str] = (), modified: str = MODIFIED, by_id: bool = False) -> Pull:
    """Read a table from the cursor, or whole. `columns`: what it has to have, and `modified` the column of its clock.

    by_id: the fields of a record are named by the ids of the columns, which stay when somebody renames one; `columns`
    and `modified` are ids then.
    """

    def pull(client: Client, want: Want) -> Iterator[Page]:
        check(client, name, [*columns, modified])
        for _ in range(MAX_PASSES):
            try:
                yield from _one_pass(client, name, want, modified, by_id)
                return
            except _PassLost:
                continue
        raise RetryableError(f"airtable/{name}: the list expired {MAX_PASSES} times while it was read; run again later")

    return pull


def check(client: Client, name: str, columns: Sequence[str]) -> None:
    """ConfigError where the table has no longer a column of this name: its cells would read as empty."""
    try:
        next(client.base.table(name).iterate(page_size=1, max_records=1, fields=list(columns)))
    except requests.HTTPError:
        answer = client.http.last()
        if answer.status_code == 422 and b"UNKNOWN_FIELD_NAME" in answer.content:
            named = re.search(r'field name: \\?"([^"\\]+)', answer.text)
            which = f"a column {named[1]!r}" if named else "one of its columns"
            raise ConfigError(
                f"airtable/{name}: there is not {which} any more; name it so again, or change the stream's map. "
                "What was read before stays as it is"
            ) from None
        client.http.refuse(answer)
        raise
    except requests.JSONDecodeError:
        raise BrokenAnswer(f"airtable/{name}: answered with what is no JSON; run again later") from None


def _one_pass(client: Client, name: str, want: Want, modified: str, by_id: bool) -> Iterator[Page]:
    since = None if want.complete else want.since
    newest = since or ""
    pages = client.base.table(name).iterate(
        page_size=PAGE_SIZE,
        **({"formula": newer_than(since)} if since else {}),
        **({"use_field_ids": True} if by_id else {}),
    )
    more = True
    while more:
        more = _next(client.http, pages)
        answer = client.http.last()
        found = records(answer.content, "records", updated=f"fields.{modified}")
        newest = max(newest, *(r.updated or "" for r in found)) if found else newest
        yield Page(
            exchange=exchange(answer),
            records=found,
            cursor=None if more else _seen_until(newest, since, want.now),
            complete=not more and since is None,
        )


def _next(http: Http, pages: Iterator[object]) -> bool:
    """Fetch a page. Whether another follows."""
    try:
        next(pages)
    except requests.HTTPError:
        answer = http.last()
        if answer.status_code == 422 and b"LIST_RECORDS_ITERATOR_NOT_AVAILABLE" in answer.content:
            raise _PassLost from None
        http.refuse(answer)
        raise
    except requests.JSONDecodeError:
        raise BrokenAnswer("airtable: a list was answered with what is no JSON; run again later") from None
    return bool(http.last().json().get("offset"))


def newer_than(since: str) -> Formula:
    """Everything modified at or after the cursor, whatever columns the table's own clock watches.

    There is no IS_AT_OR_AFTER, so it asks from a second before.
    """
    return IS_AFTER(FunctionCall("LAST_MODIFIED_TIME"), datetime.fromisoformat(since) - GRAIN)


def _seen_until(newest: str, since: str | None, now: datetime) -> str | None:
    """Pages don't come in order of time, so an edit made while they were read may hide behind a newer one: the
    cursor stays before the pass began."""
    before = (now.astimezone(UTC) - CLOCKS_APART).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return max(since or "", min(newest, before)) or None

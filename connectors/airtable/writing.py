"""Airtable written: tables of a base that is not the master, and the table the hub reports into (see `notices`).

    leads = Keyed("Leads", key="Key")
    push=leads.push(fields=("status",))

There is no idempotency key and no version. What makes a write safe to repeat is the key column: an upsert merges on
it, so that a row sent twice is one record; and a creating POST is never sent, because it would be a second record.
One bad row makes Airtable refuse all ten of its request, and nothing of them is written: the hub splits it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from pyairtable.formulas import EQ, OR, Field, Formula, FunctionCall

from connectors.airtable.reading import MODIFIED, PAGE_SIZE, Client
from omnihub.errors import RejectedRecord, RetryableError
from omnihub.model import Outcome
from omnihub.sdk import Answer, Page, Push, Row, exchange, records

MAX_BATCH = 10  # records a request; more are refused
BY_HAND = (
    "Airtable's API can't erase: what it deletes stays in the base's trash, its revision history and its snapshots; an "
    "owner of the base deletes the record and empties the trash"
)
CALLS_AT_ONCE = 2  # five a second are allowed, so more would only wait


@dataclass(frozen=True)
class Keyed:
    """A table whose rows are known by a column: `key` holds the hub's key. Tables and columns go by name or by id.

    by_id: records are read with their fields under ids, which stay when somebody renames a column; the map's paths
    are ids then. typecast stays off: it would turn a slip of the pen into a new choice for everybody.
    """

    table: str
    key: str
    modified: str = MODIFIED
    by_id: bool = False

    def push(self, fields: tuple[str, ...], max_length: Mapping[str, int] | None = None) -> Push:
        """How the stream of this table is written."""
        return Push(
            fields=fields,
            update=self.update,
            look=self.look,
            create=self.create,
            find=self.find,
            batch=MAX_BATCH,
            parallel=CALLS_AT_ONCE,
            max_length=max_length or {},
            erase_by_hand=BY_HAND,
        )

    def update(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        """Change the cells that are sent, of records by their ids; the others stay."""
        wanted = [{"id": str(row.id), "fields": row.body["fields"]} for row in rows]
        table = client.base.table(self.table)
        written = asked(client, lambda: table.batch_update(wanted, typecast=False, use_field_ids=self.by_id))  # type: ignore[arg-type]
        return _answers(client, rows, written)

    def create(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        """Make records, or change those that hold the key already."""
        wanted = [{"fields": {**row.body.get("fields", {}), self.key: row.key}} for row in rows]
        table = client.base.table(self.table)
        done = asked(
            client,
            lambda: table.batch_upsert(wanted, key_fields=[self.key], typecast=False, use_field_ids=self.by_id),
        )
        return _answers(client, rows, done["records"])

    def look(self, client: Client, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records; what is missing is gone."""
        yield from self._where(client, [EQ(FunctionCall("RECORD_ID"), id_) for id_ in ids])

    def find(self, client: Client, keys: Sequence[str]) -> Iterator[Page]:
        """The records that hold these keys."""
        yield from self._where(client, [EQ(Field(self.key), key) for key in keys])

    def _where(self, client: Client, tests: Sequence[Formula]) -> Iterator[Page]:
        for start in range(0, len(tests), PAGE_SIZE):
            some = OR(*tests[start : start + PAGE_SIZE])
            pages = client.base.table(self.table).iterate(
                page_size=PAGE_SIZE, formula=some, **({"use_field_ids": True} if self.by_id else {})
            )
            while asked(client, lambda: next(pages, None)) is not None:  # noqa: B023  asked at once
                answer = client.http.last()
                yield Page(exchange(answer), records(answer.content, "records", updated=f"fields.{self.modified}"))
                if not answer.json().get("offset"):
                    break


def asked(client: Client, call: Callable[[], Any]) -> Any:
    """What the SDK's call gives back; a refusal in the hub's words, with Airtable's code."""
    try:
        return call()
    except requests.HTTPError:
        answer = client.http.last()
        if answer.status_code == 422:
            code = code_of(answer)
            raise RejectedRecord(
                f"airtable: {answer.request.method} refused with {code}", status=422, code=code, body=answer.content
            ) from None
        client.http.refuse(answer)
        raise
    except requests.JSONDecodeError:
        raise RetryableError("airtable: the answer was cut off; the hub looks at what became of it") from None


def code_of(answer: requests.Response) -> str:
    """Airtable's word for what is wrong: in an object, or bare."""
    try:
        error = answer.json().get("error")
    except (ValueError, AttributeError):
        return ""
    return str(error.get("type", "") if isinstance(error, dict) else error or "")


def _answers(client: Client, rows: Sequence[Row], written: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """Airtable answers row by row, in order, with each record as it is now."""
    if len(written) != len(rows):
        raise RetryableError(f"airtable: {len(written)} of {len(rows)} rows came back; the hub looks at them")
    seen = exchange(client.http.last())
    return [
        Answer(row.n, Outcome.WRITTEN, str(now["id"]), exchange=seen) for row, now in zip(rows, written, strict=True)
    ]

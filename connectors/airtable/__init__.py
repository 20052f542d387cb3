"""Airtable: the product and price master. Read with the vendor's own SDK, never written.

There is no cursor in Airtable. Each table has a field "Last modified", and a formula asks for what is newer; the
clock of that field ticks in seconds, so a second is read twice rather than lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyairtable
import requests
from pyairtable.formulas import IS_AFTER, Field, Formula

from omnihub.errors import RetryableError
from omnihub.model import Entity
from omnihub.sdk import (
    Bearer,
    Codes,
    Connector,
    Http,
    Limit,
    Page,
    Path,
    Pull,
    Setting,
    Stream,
    Want,
    exchange,
    records,
)

PAGE_SIZE = 100  # Airtable's most
LOCKED_OUT_S = 30  # how long a base refuses everyone after a call too many; its answer does not say so
MODIFIED = "Last modified"
GRAIN = timedelta(seconds=1)
CLOCKS_APART = timedelta(minutes=1)  # how far its clock may be from ours
MAX_PASSES = 3


@dataclass(frozen=True)
class Client:
    """The SDK's view of the base, and the session under it, where the answers are still bytes."""

    http: Http
    base: pyairtable.Base


def _connect(settings: Mapping[str, str], http: Http) -> Client:
    api = pyairtable.Api(settings["token"], endpoint_url=http.base_url, retry_strategy=None)
    api.session = http  # its retries repeat even creates, and give up long before the lock-out ends
    http.hooks["response"].append(_tell_the_lock_out)
    return Client(http, api.base(settings["base"]))


def _tell_the_lock_out(response: requests.Response, **_: object) -> None:
    if response.status_code == 429:
        response.headers.setdefault("Retry-After", str(LOCKED_OUT_S))


class _PassLost(Exception):
    """The list being paged through is no longer kept there."""


def table(name: str) -> Pull:
    """Read a table from the cursor, or whole."""

    def pull(client: Client, want: Want) -> Iterator[Page]:
        for _ in range(MAX_PASSES):
            try:
                yield from _one_pass(client, name, want)
                return
            except _PassLost:
                continue
        raise RetryableError(f"airtable/{name}: the list expired {MAX_PASSES} times while it was read; run again later")

    return pull


def _one_pass(client: Client, name: str, want: Want) -> Iterator[Page]:
    since = None if want.complete else want.since
    newest = since or ""
    pages = client.base.table(name).iterate(page_size=PAGE_SIZE, **({"formula": newer_than(since)} if since else {}))
    more = True
    while more:
        more = _next(client.http, pages)
        answer = client.http.last()
        found = records(answer.content, "records", updated=f"fields.{MODIFIED}")
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
    return bool(http.last().json().get("offset"))


def newer_than(since: str) -> Formula:
    """Everything modified at or after the cursor. There is no IS_AT_OR_AFTER, so it asks from a second before."""
    return IS_AFTER(Field(MODIFIED), datetime.fromisoformat(since) - GRAIN)


def _seen_until(newest: str, since: str | None, now: datetime) -> str | None:
    """Pages don't come in order of time, so an edit made while they were read may hide behind a newer one: the
    cursor stays before the pass began."""
    before = (now.astimezone(UTC) - CLOCKS_APART).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return max(since or "", min(newest, before)) or None


def _stream(name: str, entity: Entity, columns: Mapping[str, str | Path]) -> Stream:
    return Stream(
        name=name.lower(),
        entity=entity,
        pull=table(name),
        map=columns,
        updated=f"fields.{MODIFIED}",
        blind="deleted rows: Airtable does not report them, only a complete pass shows that they are gone",
        full_every=timedelta(days=1),
    )


_STATUS = {"Active": "active", "Discontinued": "discontinued", "Draft": "draft"}
_GROUPS = {"Standard": "standard", "Dealer": "dealer", "Key account": "key"}

connector = Connector(
    name="airtable",
    title="Airtable",
    role="product and price master",
    master=True,
    settings=(
        Setting("url", "the address of the Airtable API", default="https://api.airtable.com"),
        Setting("base", "the id of the base with the master data, app…"),
        Setting("token", "a personal access token with the scope data.records:read", secret=True),
    ),
    auth=Bearer("token"),
    limits=(Limit(5, per_s=1.1),),  # 5 a second are allowed, and one too many costs half a minute
    connect=_connect,
    streams=(
        _stream(
            "Products",
            Entity.PRODUCT,
            {
                "sku": "fields.SKU",
                "gtin": "fields.GTIN",
                "name": "fields.Name",
                "description": "fields.Description",
                "unit": "fields.Unit",
                "category": "fields.Category",
                "status": Codes("fields.Status", codes=_STATUS),
            },
        ),
        _stream(
            "Prices",
            Entity.PRICE,
            {
                "sku": "fields.SKU",
                "price_list": "fields.Price list",
                "customer_group": Codes("fields.Customer group", codes=_GROUPS),
                "currency": "fields.Currency",
                "amount": Path("fields.Amount", number=True),
                "unit": "fields.Unit",
                "min_quantity": Path("fields.Min quantity", number=True),
                # Airtable leaves an unticked box out of the record: net prices read as no value, not as "false"
                "tax_included": Path("fields.Tax included", boolean=True),
                "valid_from": "fields.Valid from",
                "valid_to": "fields.Valid to",
            },
        ),
        _stream(
            "Promotions",
            Entity.PROMOTION,
            {
                "code": "fields.Code",
                "name": "fields.Name",
                "sku": "fields.SKU",
                "customer_group": Codes("fields.Customer group", codes=_GROUPS),
                "discount": Path("fields.Discount in percent", number=True),
                "valid_from": "fields.Valid from",
                "valid_to": "fields.Valid to",
            },
        ),
    ),
)

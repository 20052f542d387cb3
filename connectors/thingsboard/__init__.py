"""ThingsBoard: customers, their devices (the installed base) and what the devices raised alarms about.

Plain REST. Ids are objects, {"entityType": "DEVICE", "id": "…"}. Customers and devices carry no time of change, so
they are always read whole; alarms are read by the time they were raised.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from omnihub.errors import ConfigError, RejectedRecord
from omnihub.model import Entity, Outcome
from omnihub.sdk import (
    Answer,
    ByIdBatch,
    Codes,
    Connector,
    EpochMs,
    Http,
    Limit,
    Link,
    Login,
    Number,
    Page,
    Pages,
    Push,
    Row,
    Setting,
    Stream,
    Want,
    exchange,
    words,
)

PAGE_SIZE = 1000
TOKEN_LASTS_S = 9_000.0  # as installed
NOBODY = "13814000-1dd2-11b2-8080-808080808080"  # the id ThingsBoard writes where there is no customer
LONGEST = 255  # characters a customer's fields can hold
VERSION_CONFLICT = "35"  # its error code; with which HTTP status it comes is less certain


def _log_in(http: Http, settings: Mapping[str, str]) -> tuple[str, float]:
    who = {"username": settings["username"], "password": settings["password"]}
    answer = http.request("POST", "/api/auth/login", json=who, safe=True)
    if answer.status_code in (400, 401, 403):
        raise ConfigError(
            f"thingsboard: the login was refused ({answer.status_code}); check systems.thingsboard.username in "
            "omnihub.yaml and OMNIHUB_THINGSBOARD_PASSWORD"
        )
    token = str(http.refuse(answer).json()["token"])
    return token, _lasts_s(token)


def _lasts_s(token: str) -> float:
    """The life of a JWT as it says itself: an administrator can shorten it."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        return float(claims["exp"] - claims["iat"])
    except (ValueError, KeyError, IndexError, TypeError, binascii.Error):
        return TOKEN_LASTS_S


@dataclass(frozen=True)
class Numbered:
    """A list with numbered pages, oldest first.

    A record deleted while the list is read moves the following ones up a place, and one slips through between two
    pages. The number of all records tells: if it fell, this pass proves nothing, and the next one reads again.
    """

    pages: Pages

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """Read the list from the cursor, or whole."""
        most, slipped = 0, False
        for page in self.pages(http, want):
            slipped = slipped or (page.total or 0) < most
            most = max(most, page.total or 0)
            yield replace(page, cursor=None, complete=False) if slipped else page


def _list(path: str, updated: str | None = None, since: Mapping[str, str] | None = None) -> Numbered:
    oldest_first = {"pageSize": PAGE_SIZE, "page": 0, "sortProperty": "createdTime", "sortOrder": "ASC"}
    return Numbered(
        Pages(
            path,
            items="data",
            next=Number("page", more="hasNext"),
            params=oldest_first,
            since=since or {},
            key="id.id",
            updated=updated,
            total="totalElements",
        )
    )


def save_customers(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Write customers one by one, each as a whole: as just read, with the changes laid over it.

    The version it was read with goes along, so nobody's edit is lost. That is also why a write whose answer got lost
    is not sent again: it would meet its own version.
    """
    for row in rows:
        yield _save_customer(http, row)


def _save_customer(http: Http, row: Row) -> Answer:
    answer = http.post("/api/customer", json={**row.raw, **row.body})
    seen = exchange(answer)
    code = "" if answer.ok else _code(answer.content)
    if answer.status_code == 409 or code == VERSION_CONFLICT:
        return Answer(row.n, Outcome.DRIFTED, row.id, code, "changed there in the meantime", seen)
    if answer.status_code == 404:
        return Answer(row.n, Outcome.DRIFTED, row.id, code, "deleted there in the meantime", seen)
    try:
        http.refuse(answer, record=f"thingsboard/customers/{row.id}")
    except RejectedRecord as no:
        return Answer(row.n, Outcome.REFUSED, row.id, code, words(no.body), seen)
    return Answer(row.n, Outcome.WRITTEN, row.id, exchange=seen)


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body).get("errorCode", ""))
    except (ValueError, AttributeError):
        return ""


_WRITABLE = ("email", "phone", "street", "postal_code", "city", "region", "country")

connector = Connector(
    name="thingsboard",
    title="ThingsBoard",
    role="IoT platform",
    settings=(
        Setting("url", "the address of your ThingsBoard"),
        Setting("username", "the e-mail address of a tenant administrator"),
        Setting("password", "the password of that user", secret=True),
    ),
    auth=Login(_log_in, header="X-Authorization"),
    limits=(Limit(90, per_s=1), Limit(1900, per_s=60)),  # the usual tenant profile: 100 a second, 2,000 a minute
    streams=(
        Stream(
            name="customers",
            entity=Entity.ACCOUNT,
            pull=_list("/api/customers"),
            key="id.id",
            map={
                "name": "title",
                "email": "email",
                "phone": "phone",
                "street": "address",
                "postal_code": "zip",
                "city": "city",
                "region": "state",
                "country": "country",  # free text there; we write the ISO code
            },
            push=Push(
                fields=_WRITABLE,
                update=save_customers,
                look=ByIdBatch("/api/customers", param="customerIds", key="id.id"),
                max_length=dict.fromkeys(_WRITABLE, LONGEST),
            ),
        ),
        Stream(
            name="devices",
            entity=Entity.DEVICE,
            pull=_list("/api/tenant/devices"),
            key="id.id",
            map={
                "serial": "name",
                "sku": "additionalInfo.sku",
                "name": "label",
                "account": Link("customerId.id", stream="customers", nobody=NOBODY),
                "installed_on": "additionalInfo.installedOn",
                # not the platform's own "active": that one only says whether the device is connected at this minute
                "status": Codes("additionalInfo.status", codes={"ACTIVE": "active", "INACTIVE": "inactive"}),
            },
        ),
        Stream(
            name="alarms",
            entity=Entity.INTERACTION,
            pull=_list("/api/v2/alarms", updated="createdTime", since={"startTime": "{since}"}),
            key="id.id",
            map={
                "kind": "type",
                "at": EpochMs("createdTime"),
                "device": Link("originator.id", stream="devices", nobody=NOBODY),
                "detail": "details.message",
            },
            updated="createdTime",
            blind="alarms acknowledged, cleared or deleted after they were read: only new ones are asked for",
            full_every=timedelta(days=1),
        ),
    ),
)

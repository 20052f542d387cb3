"""ThingsBoard: customers, their devices (the installed base) and what the devices raised alarms about.

Plain REST. Ids are objects, {"entityType": "DEVICE", "id": "…"}. Customers and devices carry no time of change, so
they are always read whole; alarms are read by the time they were raised.

__init__     the connector: which path is which field
saving       how objects are written: whole, at their version
notices      the hub's findings, as alarms of a type of their own
attributes   what stands beside them: server attributes, telemetry
sandbox      the stand-in   (never imported here)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from connectors.thingsboard.attributes import find
from connectors.thingsboard.notices import is_ours, place
from connectors.thingsboard.saving import (
    CUSTOMER,
    DEVICE,
    NOBODY,
    VERSION_CONFLICT,
    create,
    save,
    save_alarms,
    save_devices,
)
from omnihub.model import Entity
from omnihub.sdk import (
    ByIdBatch,
    ByIds,
    Codes,
    Connector,
    EpochMs,
    Erase1,
    Http,
    Limit,
    Link,
    LoginToken,
    Number,
    Page,
    Pages,
    Push,
    Record,
    Setting,
    Stream,
    Want,
)

__all__ = ["LONGEST", "NOBODY", "VERSION_CONFLICT", "connector"]

PAGE_SIZE = 1000
TOKEN_LASTS_S = 9_000.0  # as installed; the token itself says where an administrator made it shorter
LONGEST = 255  # characters a customer's fields can hold


@dataclass(frozen=True)
class Numbered:
    """A list with numbered pages, oldest first.

    A record deleted while the list is read moves the following ones up a place, and one slips through between two
    pages. The number of all records tells: if it fell, this pass proves nothing, and the next one reads again.
    without: the records that are left out.
    """

    pages: Pages
    without: Callable[[Record], bool] | None = None

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """Read the list from the cursor, or whole."""
        most, slipped = 0, False
        for page in self.pages(http, want):
            slipped = slipped or (page.total or 0) < most
            most = max(most, page.total or 0)
            if self.without:
                page = replace(page, records=[r for r in page.records if not self.without(r)])
            yield replace(page, cursor=None, complete=False) if slipped else page


def _list(
    path: str,
    updated: str | None = None,
    since: Mapping[str, str] | None = None,
    without: Callable[[Record], bool] | None = None,
) -> Numbered:
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
        ),
        without,
    )


# ThingsBoard has no bin: who is deleted is gone, with their logins and attributes; their devices stay, as nobody's
_FORGET = Erase1("/api/customer/{id}", code="errorCode", message="message")
_BY_HAND = (
    "devices stay, with their names, telemetry and what alarms say of them: whoever looks after a device takes a name "
    "out; the audit log keeps names until it expires, which the system administrator sets"
)

_CUSTOMERS = ByIdBatch("/api/customers", param="customerIds", key="id.id")
_DEVICES = ByIdBatch("/api/devices", param="deviceIds", key="id.id")
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
    auth=LoginToken("/api/auth/login", header="X-Authorization", lasts_s=TOKEN_LASTS_S, renew_path="/api/auth/token"),
    limits=(Limit(90, per_s=1), Limit(1900, per_s=60)),  # the usual tenant profile: 100 a second, 2,000 a minute
    place=place,
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
                update=save(CUSTOMER),
                look=_CUSTOMERS,
                create=create(CUSTOMER),
                find=find("CUSTOMER", _CUSTOMERS),
                max_length=dict.fromkeys(_WRITABLE, LONGEST),
                erase=_FORGET,
                erase_by_hand=_BY_HAND,
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
            push=Push(
                fields=("sku", "name", "account", "installed_on", "status"),  # the serial number is its name
                update=save_devices,
                look=_DEVICES,
                create=create(DEVICE),
                find=find("DEVICE", _DEVICES),
                max_length={"name": LONGEST},
            ),
        ),
        Stream(
            name="alarms",
            entity=Entity.INTERACTION,
            pull=_list("/api/v2/alarms", updated="createdTime", since={"startTime": "{since}"}, without=is_ours),
            key="id.id",
            map={
                "kind": "type",
                "at": EpochMs("createdTime"),
                "device": Link("originator.id", stream="devices", nobody=NOBODY),
                "detail": "details.message",
            },
            push=Push(  # raised by `saving.raise_alarms`: an alarm is known by what it is about, not by a key
                fields=("detail",),
                update=save_alarms,
                look=ByIds("/api/alarm/{id}", key="id.id", updated="createdTime"),
            ),
            updated="createdTime",
            blind="alarms acknowledged, cleared or deleted after they were read: only new ones are asked for",
            full_every=timedelta(days=1),
        ),
    ),
)

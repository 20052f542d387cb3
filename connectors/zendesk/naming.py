"""Custom fields of tickets by their titles: a ticket itself knows them by the numbers the account gave them.

    custom_fields: [{"id": 360012, "value": "1001"}]  ─▶  … and behind it  order: {"number": "1001"}

    order      a text field titled "Order number", and a drop-down titled "Order status" whose choices have the tags
               order_open, order_shipped, order_delivered and order_cancelled
    promise    what an agent promised the customer: a number titled "Promised price", of one piece; with it "Product"
               (the SKU), "Quantity" and "Currency" (its code as text, or a drop-down whose choices have the tags eur,
               usd and so on)

Many accounts have a field "Product" or "Quantity" for something else: without a promised price they say nothing here.
An account without such fields has nothing to tell. Where there is something to name, it is put behind what Zendesk sent
of the ticket; that itself stays to the byte.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from omnihub.sdk import Http, Record, value_at

log = logging.getLogger("omnihub.zendesk")

FIELDS = "/api/v2/ticket_fields.json"
TITLES = {
    "order number": ("order", "number"),
    "order status": ("order", "status"),
    "product": ("promise", "sku"),
    "quantity": ("promise", "quantity"),
    "promised price": ("promise", "price"),
    "currency": ("promise", "currency"),
}
"""title, in small letters → where its value is put."""

NEEDS = {"promise": "price"}
"""What is named only where this is among it."""


@dataclass
class Naming:
    """Names values in the records of one pull. The account is asked when the first value is met, and once."""

    http: Http
    _names: Mapping[int, tuple[str, str]] | None = field(default=None, init=False)

    def __call__(self, found: Sequence[Record]) -> list[Record]:
        """The records, with what is named in them."""
        return [self._named(record) for record in found]

    def _named(self, record: Record) -> Record:
        held = value_at(record.raw, "custom_fields") or ()
        values = {one["id"]: one["value"] for one in held if _says(one.get("value"))}
        told: dict[str, dict[str, Any]] = {}
        for id_, value in values.items():
            if id_ in self.names:
                about, name = self.names[id_]
                told.setdefault(about, {})[name] = value
        behind = [
            b',"' + about.encode() + b'":' + msgspec.json.encode(named)
            for about, named in sorted(told.items())
            if NEEDS.get(about) in (None, *named)
        ]
        if not behind:
            return record
        body = bytes(record.raw).rstrip()
        return msgspec.structs.replace(record, raw=body[:-1] + b"".join(behind) + b"}")

    @property
    def names(self) -> Mapping[int, tuple[str, str]]:
        """id of a field → where its value is put."""
        if self._names is None:
            answer = self.http.get(FIELDS)
            if answer.status_code == 403:
                log.warning("%s: custom fields are not for this user to see; they stay unread", self.http.system)
                self._names = {}
            else:
                listed = self.http.refuse(answer).json()["ticket_fields"]
                titled = {int(one["id"]): str(one["title"]).strip().lower() for one in listed}
                self._names = {id_: TITLES[title] for id_, title in titled.items() if title in TITLES}
        return self._names


def _says(value: Any) -> bool:
    """Whether a field was filled in: nothing promised is something else than a price of 0."""
    return bool(value) or (value == 0 and value is not False)

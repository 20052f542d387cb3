"""Custom fields of tickets by their titles: a ticket itself knows them by the numbers the account gave them.

    custom_fields: [{"id": 360012, "value": "1001"}]  ─▶  … and behind it  order: {"number": "1001"}

A text field titled "Order number", and a drop-down titled "Order status" whose choices have the tags order_open,
order_shipped, order_delivered and order_cancelled. An account without such fields has nothing to tell here. Where there
is something to name, it is put behind what Zendesk sent of the ticket; that itself stays to the byte.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from omnihub.sdk import Http, Record, value_at

log = logging.getLogger("omnihub.zendesk")

FIELDS = "/api/v2/ticket_fields.json"
TITLES = {"order number": "number", "order status": "status"}
"""title, in small letters → the name its value gets."""


@dataclass
class Naming:
    """Names values in the records of one pull. The account is asked when the first value is met, and once."""

    http: Http
    _names: Mapping[int, str] | None = field(default=None, init=False)

    def __call__(self, found: Sequence[Record]) -> list[Record]:
        """The records, with what is named in them."""
        return [self._named(record) for record in found]

    def _named(self, record: Record) -> Record:
        held = value_at(record.raw, "custom_fields") or ()
        values = {one["id"]: one["value"] for one in held if one.get("value")}
        told = {self.names[id_]: value for id_, value in values.items() if id_ in self.names} if values else {}
        if not told:
            return record
        body = bytes(record.raw).rstrip()
        return msgspec.structs.replace(record, raw=body[:-1] + b',"order":' + msgspec.json.encode(told) + b"}")

    @property
    def names(self) -> Mapping[int, str]:
        """id of a field → the name of its value."""
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

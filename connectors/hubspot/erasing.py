"""Forgetting somebody in HubSpot: its permanent deletion, one contact a call. An archived contact is only hidden.

The id of a merged contact answers as the one it was merged into, so that is looked at first: nobody is erased under
another's id. Who is erased is kept by HubSpot as an anonymous mark, which keeps imports from bringing the address back;
an API may. The purge itself may take HubSpot up to a month, in which no list, no search and no id shows the contact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.hubspot.client import Client
from omnihub.errors import RejectedRecord
from omnihub.sdk import Answer, Outcome, Row, each_erased, exchange, value_at

BY_HAND = (
    "deals, companies and tickets stay in HubSpot, and with them what somebody wrote in them about this person: "
    "whoever looks after those records takes it out"
)


def erase(client: Client, rows: Sequence[Row]) -> Iterator[Answer]:
    """One answer per row; who is gone already, or was never there, is as good as erased."""
    return each_erased(rows, lambda row: _one(client, row))


def _one(client: Client, row: Row) -> Answer:
    id_ = str(row.id)
    found = _found(client, id_)
    if found not in (None, id_):
        message = f"was merged into {found} and answers as that contact: erase {found}"
        return Answer(row.n, Outcome.REFUSED, row.id, "MERGED", message, exchange(client.http.last()))
    if found:
        try:
            client.contacts.purge({"objectId": id_}, _preload_content=False)
        except RejectedRecord as no:
            if no.status != 404:
                raise
            if _found(client, id_):
                message = "is in HubSpot's archive, where it is not erased: restore it there, and ask again"
                return Answer(row.n, Outcome.REFUSED, row.id, "ARCHIVED", message, exchange(client.http.last()))
    return Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(client.http.last()))


def _found(client: Client, id_: str) -> str | None:
    """The id this one answers as, living or archived; None where there is nobody."""
    for archived in (False, True):
        try:
            answer = client.basic.get_by_id("contacts", id_, archived=archived, _preload_content=False)
            return str(value_at(answer.data, "id"))
        except RejectedRecord as no:
            if no.status != 404:
                raise
    return None

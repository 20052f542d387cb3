"""What contacts said about being written to: HubSpot's subscriptions, one record for each contact and subscription.

HubSpot keeps them by e-mail address and does not list them, so the contacts are read for their addresses and asked
about a hundred at a time. A record is what HubSpot said of one subscription, byte for byte, in an envelope with its
contact, whom HubSpot does not name there:

    {"id": "51000000001-1", "contact": "51000000001", "said": {"subscriberIdString": …, "status": "SUBSCRIBED", …}}

A subscription nobody ever said anything about is no record. Who opted out is never subscribed again by the hub.

The SDK's client for this is still that of the API before (v3), and its general call opens connections of its own; so
these calls are made with our session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.hubspot.client import Client
from omnihub.errors import BrokenAnswer, RejectedRecord, RetryableError
from omnihub.sdk import Answer, Exchange, Outcome, Page, Record, Row, Want, exchange, slices, value_at, words

STATUSES = "/communication-preferences/v4/statuses"
BATCH = 100  # addresses asked about, or written, with one call
NOBODY_SAID = "NOT_SPECIFIED"
BASIS = {
    "legalBasis": "CONSENT_WITH_NOTICE",
    "legalBasisExplanation": "The customer said so in another of the company's systems.",
}

Contacts = Callable[[Client, Want], Iterator[Page]]
"""Contacts with their addresses, as their stream pulls them."""


@dataclass(frozen=True)
class Consents:
    """Reading and writing them. `look_at`: contacts by id, with their addresses."""

    contacts: Contacts
    look_at: Callable[[Client, Sequence[str]], Iterator[Page]]

    def pull(self, client: Client, want: Want) -> Iterator[Page]:
        """What is said for all contacts, or for those that changed since the cursor."""
        for page in self.contacts(client, want):
            for found, seen in _asked(client, page):
                yield Page(seen, [record for status, record in found if status != NOBODY_SAID], total=page.total)
            yield Page(page.exchange, (), cursor=page.cursor, complete=page.complete, total=page.total)

    def look(self, client: Client, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these, also where nobody said anything yet."""
        contacts = list(dict.fromkeys(id_.partition("-")[0] for id_ in ids))
        for start in range(0, len(contacts), BATCH):
            for page in self.look_at(client, contacts[start : start + BATCH]):
                for found, seen in _asked(client, page):
                    yield Page(seen, [record for _, record in found if record.id in ids])

    def update(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        """Write what was said. What would loosen an answer already given is refused here, whatever HubSpot would do."""
        answers = [no for row in rows if (no := _forbidden(row))]
        refused = {no.n for no in answers}
        rest = {_key(row.raw["said"]): row for row in rows if row.n not in refused}
        return [*answers, *(_sent(client, rest) if rest else ())]


def _addresses(page: Page) -> dict[str, str]:
    """address in lower case → id of each living contact that has one."""
    living = [record for record in page.records if record.id and not record.deleted]
    said = ((value_at(record.raw, "properties.email"), str(record.id)) for record in living)
    return {str(address).lower(): id_ for address, id_ in said if address}


def _asked(client: Client, page: Page) -> Iterator[tuple[list[tuple[str, Record]], Exchange]]:
    """(status, record) of what HubSpot knows of a page's contacts, with the exchange it said it in."""
    contacts = _addresses(page)
    addresses = list(contacts)
    for start in range(0, len(addresses), BATCH):
        answer = client.http.refuse(
            client.http.request(
                "POST",
                f"{STATUSES}/batch/read",
                params={"channel": "EMAIL"},
                json={"inputs": addresses[start : start + BATCH]},
                safe=True,
            )
        )
        found: list[tuple[str, Record]] = []
        for n, one in enumerate(slices(answer.content, "results")):
            contact = contacts.get(str(value_at(bytes(one), "subscriberIdString")).lower())
            for m, said in enumerate(slices(bytes(one), "statuses") if contact else ()):
                found.append(_record(str(contact), bytes(said), f"/results/{n}/statuses/{m}"))
        yield found, exchange(answer)


def _record(contact: str, said: bytes, pointer: str) -> tuple[str, Record]:
    subscription = value_at(said, "subscriptionId")
    if subscription is None:
        raise BrokenAnswer("hubspot: a status does not say of which subscription; the stream keeps its cursor")
    id_ = f"{contact}-{subscription}"
    raw = msgspec.json.encode({"id": id_, "contact": contact, "said": msgspec.Raw(said)})
    return str(value_at(said, "status")), Record(id_, raw, pointer, updated=value_at(said, "timestamp"))


# -- writing ---------------------------------------------------------------------------------------------------------


def _forbidden(row: Row) -> Answer | None:
    """Why a row may not be written, if so."""
    if not isinstance(row.raw, Mapping):
        return Answer(row.n, Outcome.DEFERRED, row.id, "NOT_LOOKED_AT", "a consent is only written over what is there")
    was, wanted = row.raw["said"]["status"], row.body["said"]["status"]
    if was == "UNSUBSCRIBED" and wanted != was:
        why = "this person has opted out; only they themselves can subscribe again, with a form or a link of HubSpot's"
        return Answer(row.n, Outcome.REFUSED, row.id, "OPTED_OUT", why)
    if wanted not in ("SUBSCRIBED", "UNSUBSCRIBED"):
        return Answer(row.n, Outcome.REFUSED, row.id, "NOT_SAID", "what a person said can't be made unsaid")
    return None


def _sent(client: Client, rows: Mapping[tuple[str, str], Row]) -> Iterator[Answer]:
    """One call; answers joined by address and subscription, whatever their order."""
    inputs = [
        {
            "subscriberIdString": row.raw["said"]["subscriberIdString"],
            "subscriptionId": row.raw["said"]["subscriptionId"],
            "channel": "EMAIL",
            "statusState": row.body["said"]["status"],
            **(BASIS if row.body["said"]["status"] == "SUBSCRIBED" else {}),
        }
        for row in rows.values()
    ]
    answer = client.http.request("POST", f"{STATUSES}/batch/write", json={"inputs": inputs}, safe=True)
    try:
        client.http.refuse(answer)
    except RejectedRecord as no:
        if len(rows) > 1:
            raise
        [row] = rows.values()
        yield Answer(row.n, Outcome.REFUSED, row.id, str(no.status), words(no.body), exchange(answer))
        return
    body = msgspec.json.decode(answer.content, type=dict[str, Any])
    now = {_key(said): said["status"] for said in body["results"]}
    for key, row in rows.items():
        if now.get(key) == row.body["said"]["status"]:
            yield Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(answer))
            continue
        error = next((e for e in body.get("errors", ()) if _about(e, key[0])), None)
        if error is None:
            raise RetryableError(f"hubspot: no answer for the consent {row.id}; look at it before trying again")
        yield Answer(
            row.n, Outcome.REFUSED, row.id, error.get("category", ""), error.get("message", ""), exchange(answer)
        )


def _key(said: Mapping[str, Any]) -> tuple[str, str]:
    return str(said["subscriberIdString"]).lower(), str(said["subscriptionId"])


def _about(error: Mapping[str, Any], address: str) -> bool:
    named = (error.get("context") or {}).get("subscriberIdString", ())
    return address in {str(one).lower() for one in named}

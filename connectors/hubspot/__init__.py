"""HubSpot: marketing automation. Companies, contacts, deals and their lines, the product library, what campaigns offer,
and consents, over the vendor's own SDK.

    client.py   the SDK over our session       writing.py   batches, links, keys       consent.py   subscriptions
    erasing.py  permanent deletion             notices.py   findings, as tasks          offers.py    of campaigns

    complete pass    list archived=true, then list; the cursor is the newest change there was before the pass began
    since a cursor   search by time of change, then list archived=true: an archived object leaves the search
    merges           the winner names its losers (`hs_merged_object_ids`); they go with the page that shows the winner
    links            a contact names its company itself; deals and line items have theirs in the `associations` of
                     list and get, never of search: so search says what changed, and each of those is read on its
                     own, or the whole list where that takes fewer calls

Custom properties the account has to have: company `customer_group`; contact `marketing_consent` ("true"/"false") and
`marketing_consent_at` (date and time of the answer). HubSpot leaves out properties an account does not have. To create
records, companies and contacts need `hub_ext_id`, a text with unique values; so do tasks, to show findings. What
campaigns offer is read where the account has an object type for it (offers.py).

A product's price is the one in euros (`hs_price_eur`): HubSpot keeps one for each currency of the account. The app
needs the scopes to read and write products, too: where they can't be read, nothing is written anywhere in HubSpot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import requests

from connectors.hubspot.client import Client, Sent
from connectors.hubspot.consent import Consents
from connectors.hubspot.erasing import BY_HAND, erase
from connectors.hubspot.notices import place
from connectors.hubspot.offers import OFFER, OFFERS_TYPE, Offers
from connectors.hubspot.writing import BATCH, EXTERNAL_ID, PrimaryLink, Writing, find
from omnihub.errors import BrokenAnswer, RejectedRecord
from omnihub.sdk import (
    Bearer,
    Codes,
    Connector,
    Const,
    Entity,
    Limit,
    Link,
    OneWay,
    Page,
    Path,
    Push,
    Quota,
    Record,
    Setting,
    Stream,
    Want,
    exchange,
    records,
    value_at,
)

LIST_PAGE = 100  # list refuses more
SEARCH_PAGE = 200  # search refuses more
IN_FLIGHT = 8  # single reads at once; the budget keeps their pace
OVERLAP_MS = 120_000  # the search index lags behind writes: what came late is found on the next run
MERGED = ("hs_merged_object_ids", "hs_calculated_merged_vids")  # "7;9", and for contacts also "7:1763764726000;9:…"


# -- reading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Objects:
    """One object type as it is read: with which properties and links, and which property is its time of change."""

    type: str
    properties: tuple[str, ...]
    associations: tuple[str, ...]
    time: str

    def pull(self, client: Client, want: Want) -> Iterator[Page]:
        """Everything, or what changed since the cursor. See the module's docstring."""
        if want.complete or want.since is None:
            yield from self._everything(client)
        elif not self.associations:
            yield from self._changes(client, want.since)
            yield from self._listed(client, archived=True)
        elif self._list_is_cheaper(client, want.since):
            yield from self._everything(client)
        else:
            yield from self._changes_one_by_one(client, want.since)
            yield from self._listed(client, archived=True)

    def look(self, client: Client, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these objects. The id of a merged one answers as its winner: that one is gone."""
        for start in range(0, len(ids), BATCH):
            asked = set(ids[start : start + BATCH])
            body = {"properties": list(self.properties), "inputs": [{"id": id_} for id_ in sorted(asked)]}
            answer = client.batch.read(self.type, body, _preload_content=False)
            found = self._records(answer.data)
            yield Page(
                exchange(answer.response),
                [record for record in found if record.id in asked],
                gone=[(loser, winner) for loser, winner in _merged(found) if loser in asked],
            )

    def find(self, client: Client, keys: Sequence[str]) -> Iterator[Page]:
        """The present state of the objects the hub made with these keys."""
        yield from find(client, self.type, self.properties, keys, self._records)

    def _records(self, body: bytes) -> list[Record]:
        return records(body, "results", updated=f"properties.{self.time}", deleted="archived")

    # -- complete

    def _everything(self, client: Client) -> Iterator[Page]:
        """The archived first, so that one restored meanwhile ends as living. What changes while we list changes
        after the newest change there was before, so that is the cursor."""
        newest, total = self._newest(client)
        yield from self._listed(client, archived=True)
        yield from self._listed(client, archived=False, cursor=newest, total=total)

    def _listed(
        self, client: Client, *, archived: bool, cursor: str | None = None, total: int | None = None
    ) -> Iterator[Page]:
        after: str | None = None
        while True:
            answer = client.basic.get_page(
                self.type,
                limit=LIST_PAGE,
                after=after,
                properties=list(self.properties),
                associations=list(self.associations) or None,
                archived=archived,
                _preload_content=False,
            )
            found = self._records(answer.data)
            following = value_at(answer.data, "paging.next.after")
            last = following is None
            if following == after and not last:
                raise BrokenAnswer(f"hubspot: the page of {self.type} after {after} points to itself; run again later")
            yield Page(
                exchange(answer.response),
                found,
                cursor=cursor if last else None,
                complete=last and not archived,
                gone=() if archived else _merged(found),
                total=total,
            )
            if last:
                return
            after = following

    # -- since a cursor

    def _changes(self, client: Client, since: str) -> Iterator[Page]:
        reached = since
        for answer, found in self._searched(client, since, self.properties):
            reached = _newer(reached, found)
            yield Page(exchange(answer.response), found, cursor=reached, gone=_merged(found))

    def _changes_one_by_one(self, client: Client, since: str) -> Iterator[Page]:
        """A page for each changed object, then an empty one that moves the cursor."""
        reached = since
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix=f"hubspot-{self.type}") as threads:
            for answer, found in self._searched(client, since, (self.time,)):
                yield from threads.map(lambda record: self._one(client, str(record.id)), found)
                reached = _newer(reached, found)
                yield Page(exchange(answer.response), (), cursor=reached)

    def _one(self, client: Client, id_: str) -> Page:
        try:
            answer = client.basic.get_by_id(
                self.type,
                id_,
                properties=list(self.properties),
                associations=list(self.associations),
                _preload_content=False,
            )
        except RejectedRecord as no:
            if no.status != 404:
                raise
            return Page(exchange(client.http.last()), (), gone=[(id_, None)])  # archived since the search
        [found] = records(b"[" + answer.data + b"]", updated=f"properties.{self.time}", deleted="archived")
        # its pointer: the answer is the record
        return Page(exchange(answer.response), [msgspec.structs.replace(found, pointer="")], gone=_merged([found]))

    def _list_is_cheaper(self, client: Client, since: str) -> bool:
        """One call for each changed object, or one for each hundred of all?"""
        answer = self._search(client, [self._time("GTE", _ms(since) - OVERLAP_MS)], self.time, (self.time,), limit=1)
        changed: int = value_at(answer.data, "total", int)
        return changed > LIST_PAGE and changed * LIST_PAGE > self._newest(client)[1]

    # -- searching

    def _newest(self, client: Client) -> tuple[str | None, int]:
        """The time of the newest change there is, and how many objects."""
        answer = self._search(client, [], self.time, (self.time,), limit=1, direction="DESCENDING")
        found = self._records(answer.data)
        return (found[0].updated if found else None), value_at(answer.data, "total", int)

    def _searched(self, client: Client, since: str, properties: tuple[str, ...]) -> Iterator[tuple[Sent, list[Record]]]:
        """What changed since, oldest change first.

        Each page starts anew at the last time of the page before. An offset would skip objects when one of them
        changes and moves to the end while we read, and it ends at 10,000 hits.
        """
        at, seen = _ms(since) - OVERLAP_MS, set[tuple[str | None, str | None]]()
        while True:
            answer = self._search(client, [self._time("GTE", at)], self.time, properties)
            found = self._records(answer.data)
            yield answer, [r for r in found if (r.id, r.updated) not in seen]
            if len(found) < SEARCH_PAGE:
                return
            last = _ms(found[-1].updated or "")
            if last > at:
                at, seen = last, {(r.id, r.updated) for r in found if _ms(r.updated or "") == last}
            else:  # more than a page in one millisecond: an import
                yield from self._searched_instant(client, at, properties)
                at, seen = at + 1, set()

    def _searched_instant(
        self, client: Client, at: int, properties: tuple[str, ...]
    ) -> Iterator[tuple[Sent, list[Record]]]:
        """What changed in one millisecond, by id."""
        last = "0"
        while True:
            above = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
            answer = self._search(client, [self._time("EQ", at), above], "hs_object_id", properties)
            found = self._records(answer.data)
            yield answer, found
            if len(found) < SEARCH_PAGE:
                return
            last = str(found[-1].id)

    def _time(self, operator: str, ms: int) -> dict[str, str]:
        return {"propertyName": self.time, "operator": operator, "value": str(ms)}

    def _search(
        self,
        client: Client,
        filters: list[dict[str, str]],
        sort: str,
        properties: tuple[str, ...],
        *,
        limit: int = SEARCH_PAGE,
        direction: str = "ASCENDING",
    ) -> Sent:
        request = {
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": sort, "direction": direction}],
            "properties": list(properties),
            "limit": limit,
        }
        answer: Sent = client.search.do_search(self.type, request, _preload_content=False)
        return answer


def _merged(found: Sequence[Record]) -> list[tuple[str, str | None]]:
    """(loser, winner) for the merges these records tell of."""
    pairs: list[tuple[str, str | None]] = []
    for record in found:
        for name in MERGED:
            losers = str(value_at(record.raw, f"properties.{name}") or "").split(";")
            pairs += [(loser.partition(":")[0], record.id) for loser in losers if loser]
    return [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ms(at: str) -> int:
    """Milliseconds since 1970, as HubSpot's filters want a time."""
    return (datetime.fromisoformat(at) - _EPOCH) // timedelta(milliseconds=1)


def _newer(since: str, found: Sequence[Record]) -> str:
    """The cursor after these records; the overlap never moves it back."""
    return max([since, *(r.updated for r in found if r.updated)], key=_ms)


# -- the streams -------------------------------------------------------------------------------------------------------


def _asked_for(places: Iterable[str | Path]) -> tuple[str, ...]:
    """The properties that lie at these places."""
    paths = [where if isinstance(where, str) else where.path for where in places]
    return tuple(path.removeprefix("properties.") for path in paths if path.startswith("properties."))


def _stream(
    name: str,
    entity: Entity,
    map: Mapping[str, str | Path],
    *,
    blind: str,
    full_every: timedelta,
    time: str = "hs_lastmodifieddate",
    push: tuple[str, ...] = (),
    given: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    link: PrimaryLink | None = None,
    creates: bool = True,
) -> Stream:
    """A stream whose map says which properties and which associations to ask for."""
    paths = [where if isinstance(where, str) else where.path for where in map.values()]
    properties = _asked_for(map.values())
    associations = [path.split(".")[1] for path in paths if path.startswith("associations.")]
    merged = MERGED if name == "contacts" else MERGED[:1]
    objects = Objects(name, tuple(dict.fromkeys([*properties, time, *merged])), tuple(associations), time)
    writing = Writing(name, link)
    return Stream(
        name,
        entity,
        map,
        objects.pull,
        updated=f"properties.{time}",
        push=Push(
            push,
            writing.update,
            objects.look,
            BATCH,
            writing.create if creates else None,
            objects.find if creates else None,
            given=given,
            required=required,
            known_by=f"properties.{EXTERNAL_ID}",
            erase=erase if entity is Entity.CONTACT else None,
            erase_by_hand=BY_HAND if entity is Entity.CONTACT else "",
        )
        if push
        else None,
        blind=blind,
        full_every=full_every,
    )


COMPANY = {
    "name": "properties.name",
    "domain": "properties.domain",
    "phone": "properties.phone",
    "street": "properties.address",
    "postal_code": "properties.zip",
    "city": "properties.city",
    "region": "properties.state",
    "country": "properties.country",
    "industry": "properties.industry",
    "customer_group": "properties.customer_group",
}

CONTACT: dict[str, str | Path] = {
    "first_name": "properties.firstname",
    "last_name": "properties.lastname",
    "email": "properties.email",
    "phone": "properties.phone",
    "mobile": "properties.mobilephone",
    "job_title": "properties.jobtitle",
    "birth_date": "properties.date_of_birth",
    "language": "properties.hs_language",
    "company": "properties.company",
    "city": "properties.city",
    "country": "properties.country",
    "account": Link("properties.associatedcompanyid", stream="companies"),
    "marketing_consent": Codes("properties.marketing_consent", {"true": "yes", "false": "no"}),
    "consent_at": "properties.marketing_consent_at",
}

DEAL: dict[str, str | Path] = {
    "name": "properties.dealname",
    "account": Link("associations.companies.results.0.id", stream="companies"),
    "contact": Link("associations.contacts.results.0.id", stream="contacts"),
    "amount": "properties.amount",
    "currency": "properties.deal_currency_code",
    "stage": Codes(
        "properties.dealstage",
        {
            "appointmentscheduled": "open",
            "qualifiedtobuy": "open",
            "presentationscheduled": "open",
            "contractsent": "quoted",
            "decisionmakerboughtin": "quoted",
            "closedwon": "won",
            "closedlost": "lost",
        },
    ),
    "closes_on": "properties.closedate",
}

LINE: dict[str, str | Path] = {
    "of": Link("associations.deals.results.0.id", stream="deals"),
    "sku": "properties.hs_sku",
    "name": "properties.name",
    "quantity": "properties.quantity",
    "unit_price": "properties.price",
    "currency": "properties.hs_line_item_currency_code",
}

PRODUCT: dict[str, str | Path] = {
    "sku": OneWay("properties.hs_sku"),
    "name": "properties.name",
    "description": "properties.description",
    # the library has no word for what is not on sale yet
    "status": Codes("properties.hs_status", {"active": "active", "inactive": "discontinued"}, closed=True),
    "price": "properties.hs_price_eur",
    "currency": Const(value="EUR"),
}

CONSENT: dict[str, str | Path] = {
    "contact": Link("contact", stream="contacts"),
    "purpose": OneWay("said.subscriptionName"),
    "state": Codes("said.status", {"SUBSCRIBED": "yes", "UNSUBSCRIBED": "no"}),
    "at": OneWay("said.timestamp"),
}
OFFERED = (*_asked_for(OFFER.values()), "hs_lastmodifieddate", MERGED[0])
OFFERS = Offers(lambda type_: Objects(type_, OFFERED, (), "hs_lastmodifieddate").pull)
ADDRESSES = Objects("contacts", ("email", "lastmodifieddate"), (), "lastmodifieddate")
CONSENTS = Consents(ADDRESSES.pull, ADDRESSES.look)

_RARELY = "what was restored from the archive, or removed from it for good, without being changed"


def _day_is_over(response: requests.Response) -> bool:
    """Which of the limits was met stands in the refusal."""
    return response.status_code == 429 and b'"DAILY"' in response.content


connector = Connector(
    name="hubspot",
    title="HubSpot",
    role="marketing automation",
    place=place,
    settings=(
        Setting("url", "where HubSpot's API is", default="https://api.hubapi.com"),
        Setting("token", "access token of a private app that may write companies, contacts and products", secret=True),
        Setting("zone", "the account's time zone, where its day of calls ends", default="UTC"),
        Setting("campaign_offers", OFFERS_TYPE, default=""),
    ),
    auth=Bearer("token"),
    limits=(
        # a private app of a Professional account may make 190
        Limit(185, per_s=10, left="X-HubSpot-RateLimit-Remaining"),
        Limit(4, per_s=1, path="/search$"),  # the account may make 5, and people's tools search too
        Quota(650_000, zone="{zone}", left="X-HubSpot-RateLimit-Daily-Remaining", spent=_day_is_over),
    ),
    connect=Client,
    streams=(
        _stream(
            "companies",
            Entity.ACCOUNT,
            COMPANY,
            push=("name", "domain", "phone", "street", "postal_code", "city", "region", "country"),
            required=("name",),
            blind=_RARELY,
            full_every=timedelta(days=7),
        ),
        _stream(
            "contacts",
            Entity.CONTACT,
            CONTACT,
            time="lastmodifieddate",
            # not the e-mail: it is HubSpot's unique key for people
            push=("first_name", "last_name", "phone", "mobile", "job_title", "language", "account"),
            given=("email", "company", "city", "country", "birth_date"),
            required=("email",),
            link=PrimaryLink("associatedcompanyid", to="companies", type_id=1),
            blind=f"contacts deleted for good on a person's request (GDPR), and {_RARELY}",
            full_every=timedelta(days=7),
        ),
        _stream(
            "deals",
            Entity.DEAL,
            DEAL,
            blind=f"a company or contact put on a deal, or taken off, without the deal itself changing; {_RARELY}",
            full_every=timedelta(days=1),
        ),
        _stream(
            "line_items",
            Entity.LINE,
            LINE,
            blind=f"a line item moved to another deal without itself changing; {_RARELY}",
            full_every=timedelta(days=1),
        ),
        _stream(
            "products",
            Entity.PRODUCT,
            PRODUCT,
            push=("name", "description", "status", "price"),
            creates=False,
            blind=_RARELY,
            full_every=timedelta(days=7),
        ),
        Stream(
            "campaign_offers",
            Entity.PROMOTION,
            OFFER,
            OFFERS.pull,
            updated="properties.hs_lastmodifieddate",
            blind=_RARELY,
            full_every=timedelta(days=7),
        ),
        Stream(
            "consents",
            Entity.CONSENT,
            CONSENT,
            CONSENTS.pull,
            updated="said.timestamp",
            # no push: a plan never holds consents. Who takes a customer's answer calls CONSENTS.look and .update
            blind="what somebody said of a subscription without their contact itself changing",
            full_every=timedelta(days=1),
        ),
    ),
)

"""HubSpot: marketing automation. Companies, contacts, deals and line items, over the vendor's own SDK.

    complete pass    list archived=true, then list; the cursor is the newest change there was before the pass began
    since a cursor   search by time of change, then list archived=true: an archived object leaves the search
    merges           the winner names its losers (`hs_merged_object_ids`); they go with the page that shows the winner
    links            a contact names its company itself; deals and line items have theirs in the `associations` of
                     list and get, never of search: so search says what changed, and each of those is read on its
                     own, or the whole list where that takes fewer calls

Custom properties the account has to have: company `customer_group`; contact `marketing_consent` ("true"/"false") and
`marketing_consent_at` (date and time of the answer). HubSpot leaves out properties an account does not have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import hubspot
import msgspec
import requests

from omnihub.errors import BrokenAnswer, RejectedRecord, RetryableError
from omnihub.sdk import (
    Answer,
    Bearer,
    Codes,
    Connector,
    Entity,
    Http,
    Limit,
    Link,
    Outcome,
    Page,
    Path,
    Push,
    Record,
    Row,
    Setting,
    Stream,
    Want,
    exchange,
    records,
    value_at,
    words,
)

LIST_PAGE = 100  # list refuses more
SEARCH_PAGE = 200  # search refuses more
BATCH = 100  # batch/read and batch/update refuse more
IN_FLIGHT = 8  # single reads at once; the budget keeps their pace
OVERLAP_MS = 120_000  # the search index lags behind writes: what came late is found on the next run
MERGED = ("hs_merged_object_ids", "hs_calculated_merged_vids")  # "7;9", and for contacts also "7:1763764726000;9:…"


# -- the SDK over our session ------------------------------------------------------------------------------------------


class _Answer:
    """Our response in the shape the SDK reads, urllib3's. `response` is for us."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.reason = response.reason
        self.data = response.content
        self.headers = response.headers

    def getheaders(self) -> Mapping[str, str]:
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        return self.headers.get(name, default)


_HARMLESS = re.compile(r"/(search|batch/read|batch/update)$")  # POSTs that may be repeated: they set values by id


class _Pool:
    """Stands where the SDK keeps its urllib3 pool and sends through `Http`, several threads at once.

    Refusals leave here as the hub's own errors, so the SDK's exceptions, whose text holds whole bodies, never arise.
    """

    def __init__(self, http: Http) -> None:
        self.http = http

    def request(self, method: str, url: str, fields: Any = None, body: Any = None, **more: Any) -> _Answer:
        sent: dict[str, Any] = {"params": fields} if method in ("GET", "HEAD") else {"data": body or fields}
        safe = bool(_HARMLESS.search(urlsplit(url).path))
        return _Answer(self.http.refuse(self.http.request(method, url, headers=more.get("headers"), safe=safe, **sent)))


def _over(http: Http) -> Callable[[Any, str, Mapping[str, Any]], Any]:
    """What the SDK calls to make each of its API objects. The session signs, so the SDK knows no token."""

    def make(package: Any, api_name: str, config: Mapping[str, Any]) -> Any:
        configuration = package.Configuration()
        configuration.host = config["host"]
        api_client = package.ApiClient(configuration=configuration)
        api_client.rest_client.pool_manager = _Pool(http)
        return getattr(package, api_name)(api_client=api_client)

    return make


class Client:
    """The SDK's three APIs for objects of any type. Made once: the SDK makes a new one at each mention."""

    def __init__(self, settings: Mapping[str, str], http: Http) -> None:
        objects = hubspot.Client.create(host=settings["url"].rstrip("/"), api_factory=_over(http)).crm.objects
        self.http = http
        self.basic, self.search, self.batch = objects.basic_api, objects.search_api, objects.batch_api


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
        for answer, found in self._searched(client, since, self.properties):
            yield Page(exchange(answer.response), found, cursor=_newer(since, found), gone=_merged(found))

    def _changes_one_by_one(self, client: Client, since: str) -> Iterator[Page]:
        """A page for each changed object, then an empty one that moves the cursor."""
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix=f"hubspot-{self.type}") as threads:
            for answer, found in self._searched(client, since, (self.time,)):
                yield from threads.map(lambda record: self._one(client, str(record.id)), found)
                yield Page(exchange(answer.response), (), cursor=_newer(since, found))

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

    def _searched(
        self, client: Client, since: str, properties: tuple[str, ...]
    ) -> Iterator[tuple[_Answer, list[Record]]]:
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
    ) -> Iterator[tuple[_Answer, list[Record]]]:
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
    ) -> _Answer:
        request = {
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": sort, "direction": direction}],
            "properties": list(properties),
            "limit": limit,
        }
        answer: _Answer = client.search.do_search(self.type, request, _preload_content=False)
        return answer

    # -- writing

    def update(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        """One batch/update. Each input carries its place in the plan as `objectWriteTraceId`: with it HubSpot answers
        for each row (207), without one bad row fails all."""
        inputs = [
            {"id": row.id, "objectWriteTraceId": str(row.n), "properties": _texts(row.body["properties"])}
            for row in rows
        ]
        try:
            answer = client.batch.update(self.type, {"inputs": inputs}, _preload_content=False)
        except RejectedRecord as no:
            if len(rows) > 1:
                raise
            [row] = rows
            said = exchange(client.http.last())
            return [Answer(row.n, Outcome.REFUSED, row.id, _category(no), words(no.body), said)]
        return _answers(rows, answer)


def _texts(properties: Mapping[str, str | None]) -> dict[str, str]:
    """HubSpot's values are texts, and the empty one clears."""
    return {name: "" if value is None else value for name, value in properties.items()}


def _answers(rows: Sequence[Row], answer: _Answer) -> list[Answer]:
    try:
        body = json.loads(answer.data)
    except ValueError as broken:
        raise RetryableError("hubspot: the answer of batch/update is cut short; look before trying again") from broken
    written = {result["id"] for result in body["results"]}
    trouble = _trouble(body)
    said = exchange(answer.response)
    answers: list[Answer] = []
    for row in rows:
        error = trouble.get(("row", str(row.n))) or trouble.get(("id", str(row.id)))
        if error:
            answers.append(Answer(row.n, Outcome.REFUSED, row.id, *error, said))
        elif row.id in written:
            answers.append(Answer(row.n, Outcome.WRITTEN, row.id, exchange=said))
        else:
            raise RetryableError(f"hubspot: batch/update did not answer for {row.id}; look at it before trying again")
    return answers


def _trouble(body: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """("row", trace id) or ("id", object id) → (category, message) of each error."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for error in body.get("errors", ()):
        context = error.get("context") or {}
        named = [("row", key) for key in context.get("objectWriteTraceId", ())]
        named = named or [("id", key) for name in ("ids", "id") for key in context.get(name, ())]
        found |= dict.fromkeys(named, (error.get("category", ""), error.get("message", "")))
    return found


def _category(no: RejectedRecord) -> str:
    try:
        return str(value_at(no.body, "category") or no.status)
    except BrokenAnswer:
        return str(no.status)


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


def _stream(
    name: str,
    entity: Entity,
    map: Mapping[str, str | Path],
    *,
    blind: str,
    full_every: timedelta,
    time: str = "hs_lastmodifieddate",
    push: tuple[str, ...] = (),
) -> Stream:
    """A stream whose map says which properties and which associations to ask for."""
    paths = [where if isinstance(where, str) else where.path for where in map.values()]
    properties = [path.removeprefix("properties.") for path in paths if path.startswith("properties.")]
    associations = [path.split(".")[1] for path in paths if path.startswith("associations.")]
    merged = MERGED if name == "contacts" else MERGED[:1]
    objects = Objects(name, tuple(dict.fromkeys([*properties, time, *merged])), tuple(associations), time)
    return Stream(
        name,
        entity,
        map,
        objects.pull,
        updated=f"properties.{time}",
        push=Push(push, objects.update, objects.look, BATCH) if push else None,
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

_RARELY = "what was restored from the archive, or removed from it for good, without being changed"

connector = Connector(
    name="hubspot",
    title="HubSpot",
    role="marketing automation",
    settings=(
        Setting("url", "where HubSpot's API is", default="https://api.hubapi.com"),
        Setting("token", "access token of a private app that may read and write companies and contacts", secret=True),
    ),
    auth=Bearer("token"),
    limits=(
        Limit(185, per_s=10),  # a private app of a Professional account may make 190
        Limit(4, per_s=1, path="/search$"),  # the account may make 5, and people's tools search too
    ),
    connect=Client,
    streams=(
        _stream(
            "companies",
            Entity.ACCOUNT,
            COMPANY,
            push=("name", "domain", "phone", "street", "postal_code", "city", "region", "country"),
            blind=_RARELY,
            full_every=timedelta(days=7),
        ),
        _stream(
            "contacts",
            Entity.CONTACT,
            CONTACT,
            time="lastmodifieddate",
            # not the e-mail: it is HubSpot's unique key for people
            push=("first_name", "last_name", "phone", "mobile", "job_title", "language"),
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
    ),
)

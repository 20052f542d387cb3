"""Salesforce: accounts, contacts and opportunities of the CRM, by SOQL and by collections of up to 200 records.

The vendor's SDK knows the paths and the paging; its calls go over our session, and what comes back is kept as the
bytes it was. A pull asks for every field the org lets us read, so that one nobody mapped shows as drift.

    describe ─▶ newest stamp ─▶ queryAll … WHERE SystemModstamp >= cursor ORDER BY SystemModstamp, Id ─▶ pages
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.format import format_soql

from omnihub.errors import BrokenAnswer, ConfigError, RejectedRecord, RetryableError
from omnihub.sdk import (
    Answer,
    ClientCredentials,
    Codes,
    Connector,
    Entity,
    FieldMap,
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
)

log = logging.getLogger("omnihub.salesforce")

T = TypeVar("T")

VERSION = "64.0"
OVERLAP = timedelta(minutes=5)  # a long transaction commits late, with the stamp it began with: these are read again
MAX_ROWS = 200  # a collection takes no more
MAX_IDS = 200  # of 27 characters each, in a URL that may have 16,384
MAX_SELECT = 8_000  # characters of that URL left for the names of fields
DAILY_CALLS = 95_000  # of the 100,000 an org has at least; the rest is for its other integrations

SYSTEM_FIELDS = ("Id", "IsDeleted", "SystemModstamp")
COMPOUND = frozenset({"address", "location", "base64"})  # say their parts again, or are whole files
VOLATILE = frozenset({"LastViewedDate", "LastReferencedDate"})  # move when somebody looks; no stamp shows it

# How a row of a collection ends, where its error does not simply mean refused.
ENDS: Mapping[str, Outcome] = {
    "UNABLE_TO_LOCK_ROW": Outcome.DEFERRED,
    "QUERY_TIMEOUT": Outcome.DEFERRED,
    "SERVER_UNAVAILABLE": Outcome.DEFERRED,
    "ENTITY_IS_DELETED": Outcome.DRIFTED,
}


class Org(Salesforce):
    """The vendor's SDK over our session, which signs, waits and renews. Answers come back as their bytes."""

    def __init__(self, settings: Mapping[str, str], http: Http) -> None:
        http.reroute_https()
        super().__init__(instance_url=settings["url"], session_id="our session signs", version=VERSION, session=http)
        self.http = http
        self.headers.pop("X-PrettyPrint")  # the SDK asks for indented JSON: many more bytes, all of them spaces
        self.selects: dict[str, str] = {}

    def parse_result_to_json(self, result: requests.Response) -> bytes:
        """Not parsed: records are kept as they are."""
        return result.content

    def ask(self, soql: str) -> Iterator[bytes]:
        """The pages of a query, deleted records included. One page at least."""
        body = self.told(lambda: self.query(soql, include_deleted=True))
        following = None
        while True:
            yield body
            before, following = following, _following(body)
            if following is None:
                return
            if following == before:
                raise BrokenAnswer("salesforce: a query's page points to itself; the stream keeps its cursor")
            body = self._more(following)

    def _more(self, locator: str) -> bytes:
        try:
            body: bytes = self.told(lambda: self.query_more(locator, identifier_is_url=True))
            return body
        except RejectedRecord as no:
            if b"INVALID_QUERY_LOCATOR" not in no.body:
                raise
        raise RetryableError(
            "salesforce: the query's pages have expired; the next run goes on from the last one landed"
        )

    def told(self, call: Callable[[], T]) -> T:
        """What the SDK answers. Its errors quote personal data; ours say what to do next."""
        try:
            return call()
        except SalesforceError as no:
            status = no.status
        self.http.refuse(self.http.last())
        raise BrokenAnswer(f"salesforce: answered {status}, which its contract does not name here")


def _following(body: bytes) -> str | None:
    if value_at(body, "done"):
        return None
    following = value_at(body, "nextRecordsUrl")
    if not following:
        raise BrokenAnswer("salesforce: a query has more records but does not say where; the stream keeps its cursor")
    return str(following)


@dataclass(frozen=True)
class Sobject:
    """One kind of Salesforce object: how it is pulled, looked at and updated."""

    name: str
    map: Mapping[str, str | Path]
    merges: bool = True  # whether a merge leaves a pointer to the winner

    def pull(self, org: Org, want: Want) -> Iterator[Page]:
        """Records in the order of their stamps.

        Edits made while the pages are read show early in them, with late stamps. So no cursor passes `top`, the
        newest stamp from before the first page: up to there the order holds.
        """
        since = None if want.complete else want.since
        top = self._newest(org)
        reached = want.since or ""
        where = f" WHERE SystemModstamp >= {_literal(since)}" if since else ""
        for body in org.ask(f"{self._select(org)}{where} ORDER BY SystemModstamp, Id"):
            found = self._records(body)
            last = bool(value_at(body, "done"))
            stamps = [r.updated for r in found if r.updated and r.updated < top]
            reached = max(reached, *stamps, top if last else "")
            yield Page(
                exchange=exchange(org.http.last()),
                records=found,
                cursor=reached or None,
                complete=last and since is None,
                total=value_at(body, "totalSize"),
            )

    def look(self, org: Org, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records; deleted ones say so."""
        for start in range(0, len(ids), MAX_IDS):
            where = format_soql(" WHERE Id IN {}", list(ids[start : start + MAX_IDS]))
            for body in org.ask(self._select(org) + where):
                yield Page(exchange=exchange(org.http.last()), records=self._records(body))

    def update(self, org: Org, rows: Sequence[Row]) -> list[Answer]:
        """One call for up to 200 rows, and an answer for each: a bad row does not stop the others."""
        sent = [{"attributes": {"type": self.name}, "id": row.id, **row.body} for row in rows]
        body = org.told(
            lambda: org.restful(
                "composite/sobjects",
                method="PATCH",
                json={"allOrNone": False, "records": sent},
                safe=True,  # the same values again, by id
            )
        )
        results: list[dict[str, Any]] = msgspec.json.decode(body or b"[]")
        if len(results) != len(rows):
            raise RetryableError(
                f"salesforce: {len(results)} results for {len(rows)} rows; which were written is unknown"
            )
        said = exchange(org.http.last())
        return [_answer(row, result, said) for row, result in zip(rows, results, strict=True)]

    def _newest(self, org: Org) -> str:
        body = next(org.ask(f"SELECT Id, SystemModstamp FROM {self.name} ORDER BY SystemModstamp DESC LIMIT 1"))
        return next((r.updated for r in records(body, "records", key="Id", updated="SystemModstamp") if r.updated), "")

    def _records(self, body: bytes) -> list[Record]:
        return records(
            body,
            "records",
            key="Id",
            updated="SystemModstamp",
            deleted="IsDeleted",
            merged_into="MasterRecordId" if self.merges else None,
        )

    def _select(self, org: Org) -> str:
        if self.name not in org.selects:
            org.selects[self.name] = f"SELECT {', '.join(self._columns(org))} FROM {self.name}"
        return org.selects[self.name]

    def _columns(self, org: Org) -> list[str]:
        """Every field this user may read, always in the same order, so that the same record is the same bytes."""
        try:
            described = org.told(lambda: getattr(org, self.name).describe())
        except RejectedRecord as no:
            raise ConfigError(
                f"salesforce: there is no {self.name} for this user ({no.status}); give it the right to read the object"
            ) from None
        there = {f["name"] for f in described["fields"] if f["type"] not in COMPOUND} - VOLATILE
        needed = {*SYSTEM_FIELDS, *(path.path for path in FieldMap.of(self.map).values())}
        if self.merges:
            needed.add("MasterRecordId")
        if missing := sorted(needed - there):
            raise ConfigError(
                f"salesforce: {self.name} has no {', '.join(missing)} for this user; "
                "create the field, or give the user the right to read it"
            )
        if sum(len(name) + len(",+") for name in there) > MAX_SELECT:
            log.warning(
                "salesforce: %s has %d fields, too many for a query; reading the mapped ones", self.name, len(there)
            )
            there = needed
        return sorted(there)


def _literal(stamp: str) -> str:
    """The cursor less the overlap, as SOQL writes times.

    >>> _literal("2026-11-21T22:18:46.000+0000")
    '2026-11-21T22:13:46Z'
    """
    return (datetime.fromisoformat(stamp).astimezone(UTC) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answer(row: Row, result: Mapping[str, Any], said: Any) -> Answer:
    if result["success"]:
        return Answer(row.n, Outcome.WRITTEN, row.id, exchange=said)
    error: Mapping[str, Any] = next(iter(result["errors"]), {})
    code = str(error.get("statusCode", ""))
    return Answer(row.n, ENDS.get(code, Outcome.REFUSED), row.id, code, str(error.get("message", "")), said)


def limited(response: requests.Response) -> bool:
    """Salesforce says no to one call too many with a 403, and not how long to wait."""
    return response.status_code == 403 and b"REQUEST_LIMIT_EXCEEDED" in response.content


ACCOUNT = Sobject(
    "Account",
    {
        "name": "Name",
        "vat_id": "VAT_Number__c",
        "domain": "Website",
        "phone": "Phone",
        "street": "BillingStreet",
        "postal_code": "BillingPostalCode",
        "city": "BillingCity",
        "region": "BillingState",
        "country": "BillingCountry",
        "parent": Link("ParentId", "accounts"),
        "industry": "Industry",
        "customer_group": Codes(
            "Customer_Group__c", {"Standard": "standard", "Dealer": "dealer", "Key Account": "key"}
        ),
        "status": Codes(
            "Type",
            {
                "Prospect": "prospect",
                "Customer - Direct": "active",
                "Customer - Channel": "active",
                "Former Customer": "former",
            },
        ),
    },
)

CONTACT = Sobject(
    "Contact",
    {
        "first_name": "FirstName",
        "last_name": "LastName",
        "email": "Email",
        "phone": "Phone",
        "mobile": "MobilePhone",
        "job_title": "Title",
        "language": "Preferred_Language__c",
        "street": "MailingStreet",
        "postal_code": "MailingPostalCode",
        "city": "MailingCity",
        "region": "MailingState",
        "country": "MailingCountry",
        "account": Link("AccountId", "accounts"),
        # HasOptedOutOfEmail can't say "never asked"; the picklist can
        "marketing_consent": Codes("Marketing_Consent__c", {"Opted In": "yes", "Opted Out": "no"}),
        "consent_at": "Marketing_Consent_Date__c",
    },
)

OPPORTUNITY = Sobject(
    "Opportunity",
    {
        "name": "Name",
        "account": Link("AccountId", "accounts"),
        "contact": Link("ContactId", "contacts"),
        "amount": Path("Amount", number=True),
        "currency": "CurrencyIsoCode",
        "stage": Codes(
            "StageName",
            {
                "Prospecting": "open",
                "Qualification": "open",
                "Needs Analysis": "open",
                "Value Proposition": "open",
                "Id. Decision Makers": "open",
                "Perception Analysis": "open",
                "Proposal/Price Quote": "quoted",
                "Negotiation/Review": "quoted",
                "Closed Won": "won",
                "Closed Lost": "lost",
            },
        ),
        "closes_on": "CloseDate",
    },
    merges=False,
)

BLIND = "records deleted for good (their recycle bin was emptied), and formulas whose inputs changed elsewhere"


def _stream(name: str, entity: Entity, sobject: Sobject, max_length: Mapping[str, int] | None = None) -> Stream:
    """`max_length`: what may be written, and how many characters the org keeps of it."""
    push = (
        Push(
            fields=tuple(max_length),
            update=sobject.update,
            look=sobject.look,
            batch=MAX_ROWS,
            parallel=2,  # more would wait for each other: a contact's update locks its account
            max_length=max_length,
        )
        if max_length
        else None
    )
    return Stream(
        name,
        entity,
        sobject.map,
        pull=sobject.pull,
        key="Id",
        updated="SystemModstamp",
        push=push,
        blind=BLIND,
        full_every=timedelta(days=1),
    )


connector = Connector(
    name="salesforce",
    title="Salesforce",
    role="CRM",
    settings=(
        Setting("url", "the org's address, as in https://acme.my.salesforce.com"),
        Setting("client_id", "consumer key of the connected app"),
        Setting("client_secret", "consumer secret of the connected app", secret=True),
    ),
    auth=ClientCredentials("/services/oauth2/token"),
    limits=(Limit(DAILY_CALLS, per_s=86_400),),
    limited=limited,
    connect=Org,
    streams=(
        _stream(
            "accounts",
            Entity.ACCOUNT,
            ACCOUNT,
            {
                "name": 255,
                "vat_id": 40,
                "domain": 255,
                "phone": 40,
                "street": 255,
                "postal_code": 20,
                "city": 40,
                "region": 80,
                "country": 80,
            },
        ),
        _stream(
            "contacts",
            Entity.CONTACT,
            CONTACT,
            {
                "first_name": 40,
                "last_name": 80,
                "email": 80,
                "phone": 40,
                "mobile": 40,
                "job_title": 128,
                "language": 10,
            },
        ),
        _stream("opportunities", Entity.DEAL, OPPORTUNITY),
    ),
)

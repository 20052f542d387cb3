"""Salesforce: accounts, contacts, deals with their lines, and orders of the CRM, by SOQL and collections, and by jobs
where it is many.

    org.py    the vendor's SDK over our session       bulk.py   Bulk 2.0, both ways       erasing.py   hard delete
    notices.py   the hub's findings, as tasks or records of an object of their own

A pull asks for every field the org lets us read, so that one nobody mapped shows as drift. Records are kept as the
bytes they came in; those of a job come as CSV and are kept as the JSON the REST API would have shown.

    describe ─▶ newest stamp ─▶ queryAll … WHERE SystemModstamp >= cursor ORDER BY SystemModstamp, Id ─▶ pages
                                  └─ more than 2,000 of them: a bulk query, no order ─▶ pages of results

Orders are known by their reference number. How they travel is said by the company's own fields Stock_Point__c,
Transport_Mode__c and Tracking_Number__c, how far they have come by more words of Status: Shipped, Delivered, Cancelled.

What a deal's line says is a piece is its sales price less its discount. An org of one currency has no CurrencyIsoCode:
its deals, lines and orders say none, and prices without a currency are not judged.

To create records, the objects need the field `Hub_Id__c`: text of 64 characters, external id, unique.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import requests
from simple_salesforce.format import format_soql

from connectors.salesforce import bulk, erasing, notices
from connectors.salesforce.org import Org
from omnihub.errors import BrokenAnswer, ConfigError, RejectedRecord, RetryableError
from omnihub.sdk import (
    Answer,
    ClientCredentials,
    Codes,
    Connector,
    Entity,
    FieldMap,
    Joined,
    Less,
    Link,
    Many,
    OneWay,
    Outcome,
    Page,
    Path,
    Push,
    Quota,
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

EXTERNAL_ID = "Hub_Id__c"  # what created records are known by, there and here
OVERLAP = timedelta(minutes=5)  # a long transaction commits late, with the stamp it began with: these are read again
BULK_ABOVE = 2_000  # records; for more than that Salesforce asks for jobs
MAX_ROWS = 200  # a collection takes no more
JOB_ROWS = 10_000  # a job is worked through in parts of so many
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
    "PRECONDITION_FAILED": Outcome.DRIFTED,
}

# What a person can do about it, where Salesforce's own words don't say.
WAYS_OUT: Mapping[str, str] = {
    "DUPLICATES_DETECTED": "a duplicate rule of the org knows this customer: link the two, or let this user save",
    "DUPLICATE_EXTERNAL_ID": f"several records have this {EXTERNAL_ID}: merge them, or empty it in all but one",
    "UNABLE_TO_LOCK_ROW": "somebody else is writing this record or its account: it is tried again on the next run",
}


@dataclass(frozen=True)
class Sobject:
    """One kind of Salesforce object: how it is pulled, looked at and updated."""

    name: str
    map: Mapping[str, str | Path]
    merges: bool = True  # whether a merge leaves a pointer to the winner
    may_lack: frozenset[str] = frozenset()  # mapped fields that not every org has, or shows

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
            total = value_at(body, "totalSize", int) or 0
            if total > BULK_ABOVE:
                yield from self._pull_many(org, where, max(reached, top), total)
                return
            found = self._records(body)
            last = bool(value_at(body, "done"))
            stamps = [r.updated for r in found if r.updated and r.updated < top]
            reached = max(reached, *stamps, top if last else "")
            yield Page(
                exchange=exchange(org.http.last()),
                records=found,
                cursor=reached or None,
                complete=last and since is None,
                total=total,
            )

    def _pull_many(self, org: Org, where: str, top: str, total: int) -> Iterator[Page]:
        """By a job. An order would make the org sort them all in one piece; without one, only the end is a cursor."""
        for page in bulk.query(org, self.name, self._select(org) + where, org.columns[self.name]):
            yield Page(
                exchange=exchange(org.http.last()),
                records=self._records(page.body, ""),
                cursor=(top or None) if page.last else None,
                complete=page.last and not where,
                total=total,
            )

    def look(self, org: Org, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records; deleted ones say so."""
        for start in range(0, len(ids), MAX_IDS):
            where = format_soql(" WHERE Id IN {}", list(ids[start : start + MAX_IDS]))
            for body in org.ask(self._select(org) + where):
                yield Page(exchange=exchange(org.http.last()), records=self._records(body))

    def find(self, org: Org, keys: Sequence[str]) -> Iterator[Page]:
        """The living records with these external ids; one that has none of them is not there."""
        self._columns(org)
        self._needs_external_id(org)
        for start in range(0, len(keys), MAX_IDS):
            some = list(keys[start : start + MAX_IDS])
            where = format_soql(f" WHERE {EXTERNAL_ID} IN {{}} AND IsDeleted = false", some)
            for body in org.ask(self._select(org) + where):
                yield Page(exchange=exchange(org.http.last()), records=self._records(body))

    def update(self, org: Org, rows: Sequence[Row]) -> list[Answer]:
        """One call for up to 200 rows, and an answer for each: a bad row does not stop the others. A row by itself is
        only written if nobody has changed the record since it was looked at; collections can't be asked that."""
        if len(rows) == 1 and isinstance(rows[0].raw, Mapping) and rows[0].raw.get("LastModifiedDate"):
            return [self._update_one(org, rows[0], str(rows[0].raw["LastModifiedDate"]))]
        sent = [{"attributes": {"type": self.name}, "id": row.id, **row.body} for row in rows]
        return self._sent(org, rows, "composite/sobjects", sent)

    def update_many(self, org: Org, rows: Sequence[Row]) -> Iterator[Answer]:
        """By jobs; what a job's CSV can't say, or would say twice, by collections."""
        by_id: dict[str, Row] = {}
        others: list[Row] = []
        for row in rows:
            if bulk.sayable(row) and row.id and row.id not in by_id:
                by_id[row.id] = row
            else:
                others.append(row)
        yield from (_advised(a) for a in bulk.update(org, self.name, list(by_id.values()), ENDS))
        for start in range(0, len(others), MAX_ROWS):
            yield from self.update(org, others[start : start + MAX_ROWS])

    def create(self, org: Org, rows: Sequence[Row]) -> Iterator[Answer]:
        """Upserts by the external id: sent twice, they make one record. Rows with one key never go out together."""
        self._columns(org)
        self._needs_external_id(org)
        for some in _apart(rows):
            sent = [{"attributes": {"type": self.name}, **row.body, EXTERNAL_ID: row.key} for row in some]
            yield from self._sent(org, some, f"composite/sobjects/{self.name}/{EXTERNAL_ID}", sent)

    def erase(self, org: Org, rows: Sequence[Row]) -> list[Answer]:
        """Deletes records for good, those in the recycle bin too."""
        return erasing.erase(org, self.name, rows)

    def _sent(self, org: Org, rows: Sequence[Row], path: str, sent: Sequence[Mapping[str, Any]]) -> list[Answer]:
        body = org.call("PATCH", path, json={"allOrNone": False, "records": sent}, safe=True)  # the same again, by id
        results: list[dict[str, Any]] = msgspec.json.decode(body or b"[]")
        if len(results) != len(rows):
            raise RetryableError(
                f"salesforce: {len(results)} results for {len(rows)} rows; which were written is unknown"
            )
        said = exchange(org.http.last())
        return [_answer(row, result, said) for row, result in zip(rows, results, strict=True)]

    def _update_one(self, org: Org, row: Row, seen: str) -> Answer:
        """Not to be repeated when the answer is lost: our own change would look like somebody else's."""
        unless = format_datetime(datetime.fromisoformat(seen).astimezone(UTC), usegmt=True)
        try:
            org.call("PATCH", f"sobjects/{self.name}/{row.id}", json=row.body, headers={"If-Unmodified-Since": unless})
        except RejectedRecord as no:
            error = _first_error(no)
            code = "PRECONDITION_FAILED" if no.status == 412 else str(error.get("errorCode") or no.status)
            message = "changed there in the meantime" if no.status == 412 else str(error.get("message") or "")
            said = exchange(org.http.last())
            return _advised(Answer(row.n, ENDS.get(code, Outcome.REFUSED), row.id, code, message, said))
        return Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(org.http.last()))

    def _newest(self, org: Org) -> str:
        body = next(org.ask(f"SELECT Id, SystemModstamp FROM {self.name} ORDER BY SystemModstamp DESC LIMIT 1"))
        return next((r.updated for r in records(body, "records", key="Id", updated="SystemModstamp") if r.updated), "")

    def _needs_external_id(self, org: Org) -> None:
        if EXTERNAL_ID not in org.kinds[self.name]:
            raise ConfigError(
                f"salesforce: {self.name} has no {EXTERNAL_ID} for this user; create it as a text of 64 characters "
                "that is an external id and unique, and give the user the right to write it"
            )

    def _records(self, body: bytes, items: str = "records") -> list[Record]:
        return records(
            body,
            items,
            key="Id",
            updated="SystemModstamp",
            deleted="IsDeleted",
            merged_into="MasterRecordId" if self.merges else None,
        )

    def _select(self, org: Org) -> str:
        return f"SELECT {', '.join(self._columns(org))} FROM {self.name}"

    def _columns(self, org: Org) -> list[str]:
        """Every field this user may read, always in the same order, so that the same record is the same bytes."""
        if self.name not in org.columns:
            org.columns[self.name] = self._described(org)
        return org.columns[self.name]

    def _described(self, org: Org) -> list[str]:
        try:
            described = org.told(lambda: getattr(org, self.name).describe())
        except RejectedRecord as no:
            raise ConfigError(
                f"salesforce: there is no {self.name} for this user ({no.status}); give it the right to read the object"
            ) from None
        try:
            org.kinds[self.name] = {f["name"]: f["type"] for f in described["fields"]}
        except (KeyError, TypeError):
            raise BrokenAnswer(
                f"salesforce: what {self.name} is made of comes in a shape its contract does not know; "
                "the stream keeps its cursor"
            ) from None
        there = {name for name, kind in org.kinds[self.name].items() if kind not in COMPOUND} - VOLATILE
        needed = {*SYSTEM_FIELDS, *(name for path in FieldMap.of(self.map).values() for name in path.paths)}
        needed -= self.may_lack - there
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
            there = needed | ({EXTERNAL_ID} & there)
        return sorted(there)


def _literal(stamp: str) -> str:
    """The cursor less the overlap, as SOQL writes times.

    >>> _literal("2026-11-21T22:18:46.000+0000")
    '2026-11-21T22:13:46Z'
    """
    return (datetime.fromisoformat(stamp).astimezone(UTC) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answer(row: Row, result: Mapping[str, Any], said: Any) -> Answer:
    if result["success"]:
        return Answer(row.n, Outcome.WRITTEN, row.id or result.get("id"), exchange=said)
    error: Mapping[str, Any] = next(iter(result["errors"]), {})
    code, message = str(error.get("statusCode", "")), str(error.get("message", ""))
    return _advised(Answer(row.n, ENDS.get(code, Outcome.REFUSED), row.id, code, message, said))


def _advised(answer: Answer) -> Answer:
    """With what a person can do about it."""
    advice = WAYS_OUT.get(answer.code)
    return replace(answer, message=f"{answer.message} ({advice})" if answer.message else advice) if advice else answer


def _first_error(no: RejectedRecord) -> Mapping[str, Any]:
    try:
        return next(iter(msgspec.json.decode(no.body, type=list[dict[str, Any]])), {})
    except msgspec.DecodeError:
        return {}


def _apart(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows in rounds, none of which has a key twice."""
    rounds: list[dict[str, Row]] = []
    for row in rows:
        free = next((r for r in rounds if row.key not in r), None)
        if free is None:
            rounds.append(free := {})
        free[row.key] = row
    return [list(r.values()) for r in rounds]


def limited(response: requests.Response) -> bool:
    """Salesforce says no to one call too many with a 403, and not how long to wait."""
    return response.status_code == 403 and b"REQUEST_LIMIT_EXCEEDED" in response.content


def used_up(response: requests.Response) -> bool:
    """The calls of the last 24 hours; too many long ones at once are refused in the same words but one."""
    return limited(response) and b"Concurrent" not in response.content


def calls_left(response: requests.Response) -> int | None:
    """What each answer says: api-usage=18/5000. The last twentieth is for the org's other integrations."""
    used, _, most = response.headers.get("Sforce-Limit-Info", "").partition("api-usage=")[2].partition("/")
    return int(most) * 19 // 20 - int(used) if used.isdigit() and most.isdigit() else None


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
        "birth_date": "Birthdate",
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

CURRENCY = frozenset({"CurrencyIsoCode"})  # only in orgs that have several

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
    may_lack=CURRENCY,
)

OPPORTUNITY_LINE = Sobject(
    "OpportunityLineItem",
    {
        "of": Link("OpportunityId", "opportunities"),
        "sku": OneWay("ProductCode"),
        "name": OneWay("Name"),
        "quantity": Path("Quantity", number=True),
        "unit_price": Less("UnitPrice", percent="Discount"),
        "currency": OneWay("CurrencyIsoCode"),
    },
    merges=False,
    may_lack=CURRENCY | {"Discount"},
)

# Draft and Activated are the org's own; how far an order has come since is what the company added.
ORDER = Sobject(
    "Order",
    {
        "number": "OrderReferenceNumber",
        "account": Link("AccountId", "accounts"),
        "status": Codes(
            "Status",
            {
                "Draft": "open",
                "Activated": "open",
                "Shipped": "shipped",
                "Delivered": "delivered",
                "Cancelled": "cancelled",
                "Canceled": "cancelled",
            },
        ),
        "currency": "CurrencyIsoCode",
        "total": Path("TotalAmount", number=True),
        "stock_point": "Stock_Point__c",
        "delivery_point": Joined("ShippingStreet", more=("ShippingPostalCode", "ShippingCity")),
        "transport_mode": Codes("Transport_Mode__c", {"Road": "road", "Air": "air", "Sea": "sea", "Parcel": "parcel"}),
        "tracking": "Tracking_Number__c",
    },
    merges=False,
    may_lack=CURRENCY,
)

BLIND = "records deleted for good (their recycle bin was emptied), and formulas whose inputs changed elsewhere"
CODES_MOVE = "a product that is given another code, which its lines then show without having changed"


def _stream(
    name: str,
    entity: Entity,
    sobject: Sobject,
    max_length: Mapping[str, int] | None = None,
    given: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    blind: str = BLIND,
) -> Stream:
    """`max_length`: what may be written, and how many characters the org keeps of it."""
    push = (
        Push(
            fields=tuple(max_length),
            update=sobject.update,
            look=sobject.look,
            create=sobject.create,
            find=sobject.find,
            many=Many(above=BULK_ABOVE, batch=JOB_ROWS, send=sobject.update_many),
            batch=MAX_ROWS,
            parallel=2,  # more would wait for each other: a contact's update locks its account
            max_length=max_length,
            given=given,
            required=required,
            known_by=EXTERNAL_ID,
            erase=sobject.erase if entity is Entity.CONTACT else None,
            erase_by_hand=erasing.BY_HAND if entity is Entity.CONTACT else "",
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
        blind=blind,
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
        Setting("poll_s", "seconds before the first look at a job, and half as many more before each next", "0.2"),
    ),
    auth=ClientCredentials("/services/oauth2/token"),
    limits=(Quota(DAILY_CALLS, left=calls_left, spent=used_up, again_s=900),),  # the day is the last 24 hours
    limited=limited,
    connect=Org,
    place=notices.place,
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
            required=("name",),
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
            given=("birth_date", "account"),
            required=("last_name",),
        ),
        _stream("opportunities", Entity.DEAL, OPPORTUNITY),
        _stream("opportunity_lines", Entity.LINE, OPPORTUNITY_LINE, blind=f"{BLIND}; {CODES_MOVE}"),
        _stream("orders", Entity.ORDER, ORDER),
    ),
)

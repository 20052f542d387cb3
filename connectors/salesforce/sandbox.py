"""Salesforce's stand-in: one org with accounts, contacts, opportunities and their lines, orders and tasks, over REST.

    soql.py      the queries it understands          objects.py   what its objects are made of, and may hold
    jobs.py      Bulk 2.0, with options of its own

What is uncertain about the vendor is an option:

    page_size = 2000              records a page of a query has at most
    open_cursors = 10             queries half read; the oldest is forgotten when another begins
    locator_lives_s = 172800      … and each of them after so long
    session_lasts_s = 7200        seconds until a token is no longer good
    recycle_days = None           days until a deleted record is gone for good; None: never
    duplicate_rules = False       refuse a contact whose e-mail another has
    unknown_field_refuses_all = False    one unknown field refuses a whole collection, not just its row
    has_cases = ()                ids of contacts that cases need: they can't be deleted
    locked = ()                   ids that somebody else is just writing: UNABLE_TO_LOCK_ROW
    has_findings = False          the org has the custom object Consistency_Finding__c
    task_key = True               … and its tasks have Hub_Id__c
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from connectors.salesforce import soql
from connectors.salesforce.jobs import Jobs
from connectors.salesforce.objects import (
    NUMBERS,
    OBJECTS,
    Column,
    Object,
    Refused,
    checked,
    id_of,
    known_id,
    lacking,
    stamp,
)
from omnihub.sandbox.kit import Call, Quota, Reply, route
from omnihub.sandbox.state import Obj, iso

V = "/services/data/v{version}"
MAX_ROWS = 200  # in a collection
MAX_RETRIEVED = 2000  # records by id in one call
DAILY_CALLS = 100_000
STREAMS: Mapping[str, Object] = {o.stream: o for o in OBJECTS.values()}

# Canonical words → Salesforce's, for seeding and people's edits.
NAMES: Mapping[str, Mapping[str, str]] = {
    "accounts": {
        "name": "Name",
        "vat_id": "VAT_Number__c",
        "domain": "Website",
        "phone": "Phone",
        "street": "BillingStreet",
        "postal_code": "BillingPostalCode",
        "city": "BillingCity",
        "region": "BillingState",
        "country": "BillingCountry",
        "parent": "ParentId",
        "industry": "Industry",
        "customer_group": "Customer_Group__c",
        "status": "Type",
    },
    "contacts": {
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
        "account": "AccountId",
        "marketing_consent": "Marketing_Consent__c",
        "consent_at": "Marketing_Consent_Date__c",
    },
    "opportunities": {
        "name": "Name",
        "account": "AccountId",
        "contact": "ContactId",
        "amount": "Amount",
        "currency": "CurrencyIsoCode",
        "stage": "StageName",
        "closes_on": "CloseDate",
    },
    "opportunity_lines": {
        "of": "OpportunityId",
        "sku": "ProductCode",
        "name": "Name",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
        "currency": "CurrencyIsoCode",
    },
    "orders": {
        "number": "OrderReferenceNumber",
        "account": "AccountId",
        "status": "Status",
        "currency": "CurrencyIsoCode",
        "total": "TotalAmount",
        "stock_point": "Stock_Point__c",
        "transport_mode": "Transport_Mode__c",
        "tracking": "Tracking_Number__c",
    },
}
CODES: Mapping[str, Mapping[str, str]] = {
    "Customer_Group__c": {"standard": "Standard", "dealer": "Dealer", "key": "Key Account"},
    "Type": {"prospect": "Prospect", "active": "Customer - Direct", "former": "Former Customer"},
    "Marketing_Consent__c": {"yes": "Opted In", "no": "Opted Out"},
    "StageName": {
        "open": "Prospecting",
        "quoted": "Proposal/Price Quote",
        "won": "Closed Won",
        "lost": "Closed Lost",
    },
    "Status": {"open": "Activated", "shipped": "Shipped", "delivered": "Delivered", "cancelled": "Cancelled"},
    "Transport_Mode__c": {"road": "Road", "air": "Air", "sea": "Sea", "parcel": "Parcel"},
}
REFERENCES_TO_CONTACT: Mapping[str, str] = {"opportunities": "ContactId", "tasks": "WhoId"}
REFERENCES_TO_ACCOUNT: Mapping[str, str] = dict.fromkeys(("contacts", "opportunities", "orders"), "AccountId")

BY = "LastModifiedById"
HUB_USER = id_of("005", 1)  # whom the hub's own calls are made for
CLOSED_TASK = "Completed"
FINDINGS = "Consistency_Finding__c"

STATUS: Mapping[str, int] = {"ENTITY_IS_DELETED": 404, "NOT_FOUND": 404, "PRECONDITION_FAILED": 412}
CODE: Mapping[int, tuple[str, str]] = {
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    404: ("NOT_FOUND", "The requested resource does not exist"),
    405: ("METHOD_NOT_ALLOWED", "HTTP Method not allowed. Allowed are GET,POST,PATCH,DELETE"),
    429: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    503: ("SERVER_UNAVAILABLE", "The server is temporarily unavailable."),
}


class SalesforceStandin(Jobs):
    """A Salesforce org. Options: see the module's docstring."""

    system = "salesforce"
    role = "crm"
    default_quotas: ClassVar[Callable[[], tuple[Quota, ...]]] = staticmethod(
        lambda: (Quota(DAILY_CALLS, per_s=86_400, matches="/services/data/"),)
    )
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": "3MVG9omnihub",
        "client_secret": "stand-in-consumer-secret",
    }

    def __init__(self, path: Path | None = None, **options: Any) -> None:
        super().__init__(path, **options)
        # queries page by (stamp, id); with `deleted` in it, counting and paging never touch the objects themselves
        self.state.ask(
            f"CREATE INDEX IF NOT EXISTS objects_by_second ON objects (stream, {soql.SECOND}, id, deleted, updated_at)"
        )

    # -- seeding and people's edits ------------------------------------------------------------------------------

    def native_id(self, stream: str, n: int) -> str:
        return id_of(STREAMS[stream].prefix, n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = _shipping(fields["delivery_point"]) if "delivery_point" in fields else {}
        for word, value in fields.items():
            name = NAMES[stream].get(word)
            if name:
                body[name] = _native(STREAMS[stream].columns[name], value)
        if "marketing_consent" in fields:
            body["HasOptedOutOfEmail"] = fields["marketing_consent"] == "no"
        return body

    def edit_as(self, who: str, stream: str, id_: str, values: Mapping[str, Any]) -> None:
        """A user of that name changes some fields, in Salesforce's own words."""
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"{self.system}/{stream}/{id_}")
        users = [user for user in self.state.find("staff", "$.Name", who) if not user.deleted]
        number = self.state.next_n("staff") + 1  # the first is the hub's own
        user = users[0] if users else self.state.create("staff", id_of("005", number), {"Name": who})
        obj.body |= {**values, BY: user.id}
        self.state.save(obj)

    def merge_records(self, stream: str, winner: str, loser: str) -> None:
        """Somebody merges two records on the screen: the loser points to the winner, what hung on it moves over."""
        kept, gone = self.state.get(stream, winner), self.state.get(stream, loser)
        if kept is None or gone is None:
            raise KeyError(f"{self.system}/{stream}/{winner if kept is None else loser}")
        gone.deleted, gone.merged_into = True, winner
        self.state.save(gone)
        self.state.save(kept)
        for child, name in REFERENCES_TO_ACCOUNT.items() if stream == "accounts" else ():
            for obj in self.state.find(child, f"$.{name}", loser):
                obj.body[name] = winner
                self.state.save(obj)

    # -- logging in ----------------------------------------------------------------------------------------------

    @route("POST", "/services/oauth2/token", open_=True)
    def log_in(self, call: Call) -> Reply:
        form = call.form()
        if form.get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
        given = _basic(call) or (form.get("client_id", ""), form.get("client_secret", ""))
        if given != (self.credentials["client_id"], self.credentials["client_secret"]):
            return Reply(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        token = f"00DRM0000000001!{secrets.token_hex(24)}"
        now = self.now()
        alive = {t: ends for t, ends in self.state.note("sessions", {}).items() if ends > iso(now)}
        ends = now + timedelta(seconds=self.options.get("session_lasts_s", 7200))
        self.state.keep("sessions", alive | {token: iso(ends)})
        base = call.url.partition("/services/")[0]
        return Reply(
            200,
            {
                "access_token": token,
                "signature": secrets.token_urlsafe(32),
                "instance_url": base,
                "id": f"{base}/id/00DRM0000000001MAA/005RM0000000001YAA",
                "token_type": "Bearer",
                "issued_at": str(int(now.timestamp() * 1000)),
            },
        )

    rows_judged = "alone"

    def row_refusal(self) -> Exception:
        return Refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")

    def reads(self, call: Call) -> bool:
        """Many ids are asked for as POST, at a path that names the object; records are created at one that doesn't."""
        return call.method == "GET" or (call.method == "POST" and "/composite/sobjects/" in call.url.rstrip("/"))

    def rows(self, call: Call, reply: Reply) -> list[Any] | None:
        """Those of a query: where ids were given, the place of a row says which it is."""
        return reply.body.get("records") if isinstance(reply.body, dict) else None

    def page_kind(self, call: Call, rows: Sequence[Any]) -> str:
        return str(rows[0].get("attributes", {}).get("type"))

    def authorized(self, call: Call) -> bool:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme not in ("Bearer", "OAuth"):
            return False
        ends = self.state.note("sessions", {}).get(token)
        return bool(ends and ends > iso(self.now()))

    def end_sessions(self) -> None:
        """An administrator ends every session."""
        self.state.keep("sessions", {})

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        usual = CODE.get(status, ("UNKNOWN_EXCEPTION", ""))
        body = [{"message": message or usual[1], "errorCode": code or usual[0]}]
        return Reply(403 if status == 429 else status, body)  # one call too many is forbidden, not asked to wait

    def after(self, call: Call, reply: Reply) -> Reply:
        if "/services/data/" in call.url:
            day = next((q for q in self.quotas if q.per_s >= 86_400), None)
            used, most = (len(day.made), day.calls) if day else (len(self.calls) + 1, DAILY_CALLS)
            reply.headers["Sforce-Limit-Info"] = f"api-usage={used}/{most}"
        if call.headers.get("x-prettyprint") == "1" and reply.body is not None and reply.content_type != "text/csv":
            reply.body = json.dumps(json.loads(reply.encoded()), ensure_ascii=False, indent=2)
        if reply.status != 204 and reply.content_type != "text/csv":
            reply.content_type = "application/json;charset=UTF-8"
        return reply

    # -- queries -------------------------------------------------------------------------------------------------

    @route("GET", f"{V}/query", f"{V}/query/")
    def query(self, call: Call) -> Reply:
        return self._query(call, None)

    @route("GET", f"{V}/queryAll", f"{V}/queryAll/")
    def query_all(self, call: Call) -> Reply:
        return self._query(call, self._bin_since())

    @route("GET", f"{V}/query/{{locator}}", f"{V}/queryAll/{{locator}}")
    def query_more(self, call: Call) -> Reply:
        id_, _, offset = call.path["locator"].partition("-")
        cursor = next((c for c in self.state.note("cursors", []) if c["id"] == id_), None)
        if cursor is None or cursor["ends"] < iso(self.now()) or not offset.isdigit():
            return self.error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        ids: str = self.state.note(f"cursor/{cursor['slot']}")
        query = soql.parse(cursor["soql"])
        start, size = int(offset), cursor["size"]
        page = [ids[i : i + 18] for i in range(start * 18, min(len(ids), (start + size) * 18), 18)]
        after = start + size if (start + size) * 18 < len(ids) else None
        return self._page(call, query, page, cursor["total"], f"{id_}-{after}" if after else "")

    def _query(self, call: Call, deleted_since: str | None) -> Reply:
        text = call.param("q")
        try:
            query = soql.parse(text)
        except Refused as no:
            return self.error(400, no.code, no.message)
        if query.count:
            [(count,)] = self.state.ask(*query.sql("count(*)", deleted_since))
            return Reply(200, {"totalSize": count, "done": True, "records": []})
        ids = [row[0] for row in self.state.ask(*query.sql("id", deleted_since))]
        size = self._page_size(call)
        locator = f"{self._remember(text, ids, size)}-{size}" if len(ids) > size else ""
        return self._page(call, query, ids[:size], len(ids), locator)

    def _page_size(self, call: Call) -> int:
        most: int = self.options.get("page_size", 2000)
        asked = call.headers.get("sforce-query-options", "").partition("batchSize=")[2]
        return min(most, max(200, int(asked))) if asked.isdigit() else most

    def _remember(self, text: str, ids: Sequence[str], size: int) -> str:
        """Keep what a query found, so that its pages are of one moment, whatever is edited in between."""
        number = self.state.note("cursors made", 0) + 1
        slots = self.options.get("open_cursors", 10)
        cursor = {
            "id": id_of("01g", number),
            "slot": number % slots,
            "soql": text,
            "size": size,
            "total": len(ids),
            "ends": iso(self.now() + timedelta(seconds=self.options.get("locator_lives_s", 172_800))),
        }
        others = [c for c in self.state.note("cursors", []) if c["slot"] != cursor["slot"]]
        self.state.keep(f"cursor/{cursor['slot']}", "".join(ids))
        self.state.keep("cursors", [*others, cursor])
        self.state.keep("cursors made", number)
        return str(cursor["id"])

    def _page(self, call: Call, query: soql.Query, ids: Sequence[str], total: int, locator: str) -> Reply:
        answer: dict[str, Any] = {"totalSize": total, "done": not locator}
        if locator:
            answer["nextRecordsUrl"] = f"/services/data/v{call.path['version']}/query/{locator}"
        answer["records"] = list(self.shown(call.path["version"], query.of, ids, query.columns))
        return Reply(200, msgspec.json.encode(answer))

    def hits(self, query: soql.Query, *, deleted: bool) -> list[str]:
        return [row[0] for row in self.state.ask(*query.sql("id", self._bin_since() if deleted else None))]

    def shown(
        self, version: str, of: Object, ids: Sequence[str], columns: Sequence[Column]
    ) -> Iterator[dict[str, Any]]:
        rows = self.state.ask(
            "SELECT id, body, created_at, updated_at, deleted, merged_into FROM objects "
            "WHERE stream = ? AND id IN (SELECT value FROM json_each(?))",
            (of.stream, json.dumps(ids)),
        )
        found = {row[0]: row for row in rows}
        names = [c.name for c in columns]
        addresses = [name.removesuffix("Address") for name in names if name.endswith("Address")]
        blank = {c.name: False if c.type == "boolean" else None for c in columns}
        url = f"/services/data/v{version}/sobjects/{of.name}/"
        for id_ in ids:
            if id_ in found:
                whole = blank | _whole(of, addresses, *found[id_])
                yield {"attributes": {"type": of.name, "url": url + id_}} | {name: whole[name] for name in names}

    def _bin_since(self) -> str:
        days = self.options.get("recycle_days")
        return iso(self.now() - timedelta(days=days)) if days is not None else ""

    # -- one record ----------------------------------------------------------------------------------------------

    @route("GET", f"{V}/sobjects/{{name}}/describe", f"{V}/sobjects/{{name}}/describe/")
    def describe(self, call: Call) -> Reply:  # its name sorts before `read`: the router asks in that order
        of = OBJECTS.get(call.path["name"])
        if of is None or (of.name == FINDINGS and not self.options.get("has_findings")):
            return self.error(404)
        shown = [c for c in of.columns.values() if (of.name, c.name) not in self._hidden_columns()]
        fields = [c.described() for c in shown]
        return Reply(200, {"name": of.name, "label": of.name, "keyPrefix": of.prefix, "fields": fields})

    def _hidden_columns(self) -> set[tuple[str, str]]:
        return set() if self.options.get("task_key", True) else {("Task", "Hub_Id__c")}

    @route("GET", f"{V}/sobjects/{{name}}/{{id}}")
    def read(self, call: Call) -> Reply:
        return self._single(call, self._read)

    def _read(self, call: Call, of: Object) -> Reply:
        obj = self._living(of, call.path["id"])
        since = _http_date(call, "if-modified-since")
        if since and _second(obj.updated_at) <= since:
            return Reply(304)
        return Reply(200, next(self.shown(call.path["version"], of, [obj.id], list(of.columns.values()))))

    @route("POST", f"{V}/sobjects/{{name}}", f"{V}/sobjects/{{name}}/")
    def create(self, call: Call) -> Reply:
        return self._single(call, self._create)

    def _create(self, call: Call, of: Object) -> Reply:
        obj = self.kept(self._wished(of, _object(call), call))
        return Reply(201, {"id": obj.id, "success": True, "errors": []})

    @route("PATCH", f"{V}/sobjects/{{name}}/{{id}}")
    def update(self, call: Call) -> Reply:
        return self._single(call, self._update)

    def _update(self, call: Call, of: Object) -> Reply:
        obj = self._living(of, call.path["id"])
        unless = _http_date(call, "if-unmodified-since")
        if unless and _second(obj.updated_at) > unless:
            raise Refused("PRECONDITION_FAILED", "The record was modified after the time given.")
        self.kept(self._wished(of, _object(call), call, obj))
        return Reply(204)

    @route("DELETE", f"{V}/sobjects/{{name}}/{{id}}")
    def delete(self, call: Call) -> Reply:
        return self._single(call, self._delete)

    def _delete(self, call: Call, of: Object) -> Reply:
        obj = self._living(of, call.path["id"])
        obj.deleted = True
        self.state.save(obj)
        return Reply(204)

    @route("GET", f"{V}/sobjects/{{name}}/{{field}}/{{value}}")
    def read_by_key(self, call: Call) -> Reply:
        return self._single(call, self._read_by_key)

    def _read_by_key(self, call: Call, of: Object) -> Reply:
        found = self._by_key(of, call.path["field"], call.path["value"])
        if not found:
            raise Refused("NOT_FOUND", "The requested resource does not exist")
        if len(found) > 1:
            return self._choices(call, of, found)
        return Reply(200, next(self.shown(call.path["version"], of, [found[0].id], list(of.columns.values()))))

    @route("PATCH", f"{V}/sobjects/{{name}}/{{field}}/{{value}}")
    def upsert(self, call: Call) -> Reply:
        return self._single(call, self._upsert)

    def _upsert(self, call: Call, of: Object) -> Reply:
        field, given = call.path["field"], _object(call)
        found = self._by_key(of, field, call.path["value"])
        if field in given:
            raise Refused("INVALID_FIELD", f"The {field} field should not be specified in the sobject data.", [field])
        if len(found) > 1:
            return self._choices(call, of, found)
        given[field] = call.path["value"]
        obj = self.kept(self._wished(of, given, call, found[0] if found else None))
        return Reply(200 if found else 201, {"id": obj.id, "success": True, "errors": [], "created": not found})

    def _single(self, call: Call, handle: Callable[[Call, Object], Reply]) -> Reply:
        """Carry out a call about one record, with refusals in Salesforce's words."""
        of = OBJECTS.get(call.path["name"])
        if of is None:
            return self.error(404)
        try:
            return handle(call, of)
        except Refused as no:
            error = {"message": no.message, "errorCode": no.code, "fields": no.fields}
            return Reply(STATUS.get(no.code, 400), [error])

    def _choices(self, call: Call, of: Object, found: Sequence[Obj]) -> Reply:
        return Reply(300, [f"/services/data/v{call.path['version']}/sobjects/{of.name}/{obj.id}" for obj in found])

    # -- collections ---------------------------------------------------------------------------------------------

    @route("PATCH", f"{V}/composite/sobjects", f"{V}/composite/sobjects/")
    def update_collection(self, call: Call) -> Reply:
        def wish(row: Mapping[str, Any]) -> Obj:
            of, given = _typed(row)
            id_ = given.pop("id", None) or given.pop("Id", None)
            if not id_:
                raise Refused("MISSING_ARGUMENT", "Id not specified in an update call")
            return self._wished(of, given, call, self._target(of, str(id_)))

        return self._collection(call, wish)

    @route("POST", f"{V}/composite/sobjects", f"{V}/composite/sobjects/")
    def create_collection(self, call: Call) -> Reply:
        return self._collection(call, lambda row: self._wished(*_typed(row), call))

    @route("PATCH", f"{V}/composite/sobjects/{{name}}/{{field}}")
    def upsert_collection(self, call: Call) -> Reply:
        field = call.path["field"]

        def wish(row: Mapping[str, Any]) -> Obj:
            of, given = _typed(row)
            if of.name != call.path["name"]:
                raise Refused("INVALID_TYPE", f"all records must be of type {call.path['name']}")
            if given.get(field) is None:
                raise Refused("MISSING_ARGUMENT", f"{field} not specified")
            found = self._by_key(of, field, str(given[field]))
            if len(found) > 1:
                raise Refused("DUPLICATE_EXTERNAL_ID", f"more than one record found for external id field {field}")
            return self._wished(of, given, call, found[0] if found else None)

        return self._collection(call, wish, key=field)

    @route("DELETE", f"{V}/composite/sobjects", f"{V}/composite/sobjects/")
    def delete_collection(self, call: Call) -> Reply:
        def wish(row: Mapping[str, Any]) -> Obj:
            id_ = known_id(row["id"])
            of = next((o for o in OBJECTS.values() if id_ and id_.startswith(o.prefix)), None)
            if of is None:
                raise Refused("MALFORMED_ID", f"malformed id {row['id']}")
            obj = self._target(of, row["id"])
            obj.deleted = True
            return obj

        rows = [{"id": id_} for id_ in call.param("ids").split(",")]
        return self._collection(call, wish, rows=rows, all_or_none=call.param("allOrNone") == "true")

    @route("GET", f"{V}/composite/sobjects/{{name}}")
    def retrieve(self, call: Call) -> Reply:
        return self._retrieve(call, call.param("ids").split(","), call.param("fields").split(","))

    @route("POST", f"{V}/composite/sobjects/{{name}}")
    def retrieve_many(self, call: Call) -> Reply:
        asked = call.json()
        return self._retrieve(call, asked["ids"], asked["fields"])

    def _retrieve(self, call: Call, ids: Sequence[str], names: Sequence[str]) -> Reply:
        of = OBJECTS.get(call.path["name"])
        if of is None:
            return self.error(404)
        columns = [of.columns.get(name) for name in names]
        if unknown := [name for name, column in zip(names, columns, strict=True) if column is None]:
            return self.error(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {of.name}")
        if len(ids) > MAX_RETRIEVED:
            return self._too_many(MAX_RETRIEVED)
        whole = [known_id(id_) or "" for id_ in ids]
        living = [id_ for id_ in whole if (obj := self.state.get(of.stream, id_)) and not obj.deleted]
        shown = {
            row["attributes"]["url"][-18:]: row
            for row in self.shown(call.path["version"], of, living, [c for c in columns if c])
        }
        return Reply(200, [shown.get(id_) for id_ in whole])

    def _collection(
        self,
        call: Call,
        wish: Callable[[Mapping[str, Any]], Obj],
        *,
        key: str = "id",
        rows: Sequence[Mapping[str, Any]] | None = None,
        all_or_none: bool = False,
    ) -> Reply:
        """Carry out a wish for each row, with a result for each, in the same order."""
        if rows is None:
            try:
                body = call.json()
                rows, all_or_none = body["records"], bool(body.get("allOrNone"))
            except (ValueError, TypeError, KeyError):
                return self.error(400, "JSON_PARSER_ERROR", "The request is not well formed.")
        if len(rows) > MAX_ROWS:
            return self._too_many(MAX_ROWS)
        try:
            wished = list(self._wishes(rows, wish, key))
        except Refused as no:
            return self.error(400, no.code, no.message)
        if all_or_none and any(isinstance(w, Refused) for w in wished):
            undone = Refused(
                "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "Record rolled back because not all records were valid and the request was using AllOrNone header",
            )
            wished = [w if isinstance(w, Refused) else undone for w in wished]
        return Reply(200, [self._result(w, call) for w in wished])

    def _wishes(
        self, rows: Sequence[Mapping[str, Any]], wish: Callable[[Mapping[str, Any]], Obj], key: str
    ) -> Iterator[Obj | Refused]:
        seen: set[str] = set()
        for row in rows:
            name = str(row.get(key) or row.get(key.capitalize()) or "")
            try:
                if name and name in seen:
                    raise Refused("DUPLICATE_VALUE", f"Duplicate {key} specified: {name}", [key])
                seen.add(name)
                self.judge_row()
                yield wish(row)
            except Refused as no:
                if no.whole or (no.code == "INVALID_FIELD" and self.options.get("unknown_field_refuses_all")):
                    raise
                yield no

    def _result(self, wished: Obj | Refused, call: Call) -> dict[str, Any]:
        if isinstance(wished, Refused):
            error = {"statusCode": wished.code, "message": wished.message, "fields": wished.fields}
            return {"success": False, "errors": [error]}
        created = not wished.id
        obj = self.kept(wished)
        upserted = {"created": created} if "field" in call.path else {}
        return {"id": obj.id, "success": True, "errors": [], **upserted}

    def _too_many(self, most: int) -> Reply:
        message = f"record limit reached. cannot submit more than {most} records in this request"
        return self.error(400, "EXCEEDED_ID_LIMIT", message)

    # -- writing -------------------------------------------------------------------------------------------------

    def wished(self, call: Call, of: Object, operation: str, key: str, row: Mapping[str, Any]) -> Obj:
        given = {name: value for name, value in row.items() if name != "Id"}
        if operation == "hardDelete":
            return self._deletable(of, str(row.get("Id", "")))
        if operation in ("update", "delete"):
            obj = self._target(of, str(row.get("Id", "")))
            if operation == "update":
                return self._wished(of, given, call, obj)
            obj.deleted = True
            return obj
        found = self._by_key(of, key, str(row.get(key))) if operation == "upsert" else []
        if len(found) > 1:
            raise Refused("DUPLICATE_EXTERNAL_ID", f"more than one record found for external id field {key}")
        return self._wished(of, given, call, found[0] if found else None)

    def _deletable(self, of: Object, given: str) -> Obj:
        """What is to be deleted for good, and is needed by nothing."""
        obj = self.state.get(of.stream, known_id(given) or "")
        if obj is None or not (obj.deleted and self.options.get("hard_delete_takes_bin", True)):
            obj = self._target(of, given)
        if obj.id in self.options.get("has_cases", ()):
            why = "Your attempt to delete this record could not be completed because it is associated with cases."
            raise Refused("DELETE_FAILED", why)
        return obj

    def purge(self, obj: Obj) -> None:
        """In no query any more, and its id is given to nobody else. What pointed to it points to nothing."""
        self.state.keep(f"made {obj.stream}", max(obj.n, self.state.note(f"made {obj.stream}", 0)))
        obj.body = {}
        self.state.save(obj)
        self.state.ask("DELETE FROM main.objects WHERE stream = ? AND id = ?", (obj.stream, obj.id))
        for stream, name in REFERENCES_TO_CONTACT.items() if obj.stream == "contacts" else ():
            for child in self.state.find(stream, f"$.{name}", obj.id):
                child.body[name] = None
                self.state.save(child)

    def _living(self, of: Object, given: str) -> Obj:
        """The record a path names."""
        obj = self.state.get(of.stream, known_id(given) or "")
        if obj is None:
            raise Refused("NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + given)
        if obj.deleted:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted")
        return obj

    def _target(self, of: Object, given: str) -> Obj:
        """The record a row of a collection names."""
        id_ = known_id(given)
        if id_ is None or not id_.startswith(of.prefix):
            raise Refused("MALFORMED_ID", f"{of.name} ID: id value of incorrect type: {given}", ["Id"])
        obj = self.state.get(of.stream, id_)
        if obj is None:
            raise Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if obj.deleted:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted")
        return obj

    def _by_key(self, of: Object, field: str, value: str) -> list[Obj]:
        """The living records with that external id, Hub_Id__c for one."""
        column = of.columns.get(field)
        if column is None or not column.unique:
            raise Refused("NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {field}")
        return self.state.find(of.stream, f"$.{column.name}", value)

    def _wished(self, of: Object, given: Mapping[str, Any], call: Call, obj: Obj | None = None) -> Obj:
        """The record as it would be, not yet kept; one to be created has no id yet."""
        values = checked(of, {name: v for name, v in given.items() if name != "attributes"})
        if obj is None:
            defaults = {c.name: c.default for c in of.columns.values() if c.default is not None}
            obj = Obj(of.stream, "", 0, defaults, "", "")
        obj.body.update(values)
        needed = [name for name in lacking(of, obj.body) if not obj.id or name in values]
        if needed:
            raise Refused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(needed)}]", needed)
        if obj.id in self.options.get("locked", ()):
            raise Refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        self._check_links(of, values)
        self._check_unique(of, values, obj)
        if call.headers.get("sforce-duplicate-rule-header", "").replace(" ", "") != "allowSave=true":
            self._check_duplicates(of, values, obj)
        return obj

    def _check_links(self, of: Object, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            column = of.columns[name]
            if column.type != "reference" or value is None:
                continue
            target = next((o for o in OBJECTS.values() if value.startswith(o.prefix)), None)
            found = self.state.get(target.stream, value) if target else None
            if target is None or target.name not in column.to or found is None or found.deleted:
                raise Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [name])

    def _check_unique(self, of: Object, values: Mapping[str, Any], obj: Obj) -> None:
        for name, value in values.items():
            if not of.columns[name].unique or value is None:
                continue
            others = [o for o in self._by_key(of, name, value) if o.id != obj.id]
            if others:
                raise Refused(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {others[0].id[:15]}",
                )

    def _check_duplicates(self, of: Object, values: Mapping[str, Any], obj: Obj) -> None:
        """The rule a fresh org has for contacts, where it is switched on."""
        email = values.get("Email")
        if not self.options.get("duplicate_rules") or of.name != "Contact" or not email:
            return
        if any(o.id != obj.id for o in self.state.find(of.stream, "$.Email", email, nocase=True)):
            raise Refused("DUPLICATES_DETECTED", "Use one of these records?")

    def kept(self, obj: Obj) -> Obj:
        obj.body.pop(BY, None)  # by the hub
        if obj.id:
            return self.state.save(obj)
        n = max(self.state.next_n(obj.stream), self.state.note(f"made {obj.stream}", 0) + 1)
        if n > self.state.next_n(obj.stream):
            self.state.keep(f"made {obj.stream}", n)
        return self.state.create(obj.stream, id_of(STREAMS[obj.stream].prefix, n), obj.body)

    # -- limits --------------------------------------------------------------------------------------------------

    @route("GET", f"{V}/limits", f"{V}/limits/")
    def limits(self, call: Call) -> Reply:
        day = next((q for q in self.quotas if q.per_s >= 86_400), None)
        most = day.calls if day else DAILY_CALLS
        left = day.remaining() if day else most - len(self.calls)
        return Reply(
            200,
            {
                "DailyApiRequests": {"Max": most, "Remaining": left},
                "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            },
        )


standin = SalesforceStandin


def _shipping(text: str | None) -> dict[str, str | None]:
    """An address in one text, as the fields of one."""
    street, _, town = (text or "").rpartition(", ")
    code = re.match(r"(?:\S*\d\S* +)+(?=\S)", town)
    city = town[code.end() :] if code else town
    return {
        "ShippingStreet": street or None,
        "ShippingPostalCode": code[0].strip() if code else None,
        "ShippingCity": city or None,
    }


def _native(column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.type in NUMBERS:
        try:
            return float(value)
        except (TypeError, ValueError):
            return None  # a number field has no room for anything else
    if column.type == "datetime":
        try:
            return stamp(datetime.fromisoformat(str(value)).astimezone(UTC).isoformat())
        except ValueError:
            return None
    return CODES.get(column.name, {}).get(value, value) if isinstance(value, str) else value


def _whole(
    of: Object,
    addresses: Sequence[str],
    id_: str,
    body: str,
    created_at: str,
    updated_at: str,
    deleted: int,
    merged_into: str | None,
) -> dict[str, Any]:
    """Every field of a record that has a value, those Salesforce computes included."""
    held: dict[str, Any] = msgspec.json.decode(body)
    held["Id"] = id_
    held["IsDeleted"] = deleted == 1
    held["MasterRecordId"] = merged_into
    held["CreatedDate"] = stamp(created_at)
    held["LastModifiedDate"] = held["SystemModstamp"] = stamp(updated_at)
    if BY in of.columns:
        held.setdefault(BY, HUB_USER)
    if of.name == "Task":
        held["IsClosed"] = held.get("Status") == CLOSED_TASK
    if of.name == "OpportunityLineItem":
        held["TotalPrice"] = _sum(held)
    if of.name == "Contact":
        held["Name"] = " ".join(filter(None, (held.get("FirstName"), held.get("LastName"))))
    for prefix in addresses:
        held[f"{prefix}Address"] = _address(held, prefix)
    return held


def _sum(held: Mapping[str, Any]) -> float | None:
    price, quantity = held.get("UnitPrice"), held.get("Quantity")
    return (
        None
        if price is None or quantity is None
        else round(price * quantity * (1 - (held.get("Discount") or 0) / 100), 2)
    )


def _address(held: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
    parts = {
        "city": held.get(f"{prefix}City"),
        "country": held.get(f"{prefix}Country"),
        "geocodeAccuracy": None,
        "latitude": None,
        "longitude": None,
        "postalCode": held.get(f"{prefix}PostalCode"),
        "state": held.get(f"{prefix}State"),
        "street": held.get(f"{prefix}Street"),
    }
    return parts if any(parts.values()) else None


def _basic(call: Call) -> tuple[str, str] | None:
    scheme, _, pair = call.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    user, _, password = base64.b64decode(pair).decode().partition(":")
    return user, password


def _object(call: Call) -> dict[str, Any]:
    try:
        body = call.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused("JSON_PARSER_ERROR", "The request is not well formed.")
    return body


def _typed(row: Mapping[str, Any]) -> tuple[Object, dict[str, Any]]:
    """What kind of object a row of a collection is, and its fields."""
    attributes = row.get("attributes")
    of = OBJECTS.get(attributes.get("type", "")) if isinstance(attributes, Mapping) else None
    if of is None:
        raise Refused("INVALID_TYPE", "a record has no valid attributes.type", whole=True)
    return of, {name: value for name, value in row.items() if name != "attributes"}


def _http_date(call: Call, header: str) -> datetime | None:
    given = call.headers.get(header)
    if not given:
        return None
    try:
        return parsedate_to_datetime(given)
    except ValueError:
        raise Refused("INVALID_HEADER", f"{header} is not an HTTP date") from None


def _second(at: str) -> datetime:
    return datetime.fromisoformat(at).replace(microsecond=0)

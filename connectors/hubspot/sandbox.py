"""HubSpot's stand-in: the CRM API v3 (objects, search, batches, merges, properties), v4 associations, consent, OAuth.

What is uncertain about HubSpot is an option:

    index_lag_s=0          how long a write stays out of the search
    search_cap=10_000      how far one search can be paged
    multi_status=True      a bad row of batch/update fails alone where inputs carry `objectWriteTraceId`, else all fail
    echo_trace=True        … and its error names it by that trace id, else by the object's id; an upsert's result, too
    results_in_order=True  the results of a batch come in the order of its inputs, else in another
    one_id_once=True       a batch that has an id twice is refused as a whole, else carried out in its order
    has_key=True           the account has the unique property `hub_ext_id`
    v4_resubscribes=False  who opted out can be subscribed again by an API
    merged_vids=False      contacts name their losers in `hs_calculated_merged_vids`, not in `hs_merged_object_ids`
    merge_makes_new=False  a merge makes a third object that both become
    retry_after=False      a 429 says how long to wait
    erases_archived=True   an archived contact can be erased, else it is not found
    daily=1_000_000        calls a day
"""

from __future__ import annotations

import functools
import json
import re
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connectors.hubspot import searching
from connectors.hubspot.schema import (
    CODES,
    CUSTOM,
    DEFAULTS,
    FIRST_ID,
    LINK_TYPES,
    MAX_TEXT,
    NUMBERS,
    OFFERS_TYPE,
    ONE,
    OPTIONS,
    PROPERTIES,
    READ_ONLY,
    REQUIRED,
    TIMES,
    TYPE_IDS,
    TYPES,
    UNIQUE,
    WORDS,
    Refused,
    created_of,
    time_of,
)
from omnihub.sandbox.copies import LINKS, Copy
from omnihub.sandbox.kit import Call, Handler, Quota, Reply, Standin, merge, route
from omnihub.sandbox.state import Obj, iso

SAID = {"yes": "SUBSCRIBED", "no": "UNSUBSCRIBED", None: "NOT_SPECIFIED"}
FIRST_USER = 4_000_001
MAX_LIST, MAX_SEARCH, MAX_BATCH = 100, 200, 100
TOKEN = "pat-eu1-stand-in"
OAUTH = {"client_id": "stand-in-app", "client_secret": "stand-in-secret", "refresh_token": "stand-in-refresh"}
OAUTH_LASTS_S = 1800


def answers(method: str, *paths: str) -> Callable[[Handler], Handler]:
    """`route`, with refusals and bodies that are no JSON answered in HubSpot's way."""

    def mark(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def answering(standin: HubSpot, call: Call) -> Reply:
            try:
                return handler(standin, call)
            except Refused as no:
                return standin.refused(no)
            except (ValueError, KeyError, TypeError) as error:
                message = f"Invalid input JSON: {type(error).__name__} {error}"
                return standin.refused(Refused(400, "VALIDATION_ERROR", message))

        return route(method, *paths)(answering)

    return mark


def ms(at: str) -> str:
    """The time as HubSpot shows it: milliseconds."""
    return at[:23] + "Z"


class HubSpot(Standin):
    """A HubSpot account."""

    system, role = "hubspot", "marketing"
    credentials: ClassVar[Mapping[str, str]] = {"token": TOKEN, "campaign_offers": OFFERS_TYPE}
    default_quotas = staticmethod(lambda: (Quota(190, 10.0), Quota(5, 1.0, matches="/search")))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._today = 0
        self.state.ask("CREATE INDEX IF NOT EXISTS objects_archived ON objects (stream, n) WHERE deleted")
        self._properties: dict[str, frozenset[str]] = {}
        self._expired = False
        if daily := self.options.get("daily"):
            self.quotas.append(Quota(daily, 86_400.0))

    # -- the kit's questions --------------------------------------------------------------------------------------

    def native_id(self, stream: str, n: int) -> str:
        """Ids are numbers, one range for each type; a consent has that of its contact and of the subscription."""
        if stream == "consents":
            return f"{FIRST_ID['contacts'] + n}-1"
        return str(FIRST_ID[stream] + n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Properties are texts; links are associations, and a contact's company is a property besides."""
        if stream == "consents":
            named = {"state": "status", "purpose": "subscriptionName", "at": "timestamp"}
            return {named[f]: SAID.get(v, v) if f == "state" else v for f, v in fields.items() if f in named}
        links = LINKS.get((self.role, stream), {})
        body: dict[str, Any] = {"properties": {}}
        for field, value in fields.items():
            if field in links:
                body.setdefault("associations", {})[links[field]] = [] if value is None else [str(value)]
            name = WORDS[stream].get(field, field)
            if name in self._known(stream):
                body["properties"][name] = None if value is None else self._text(field, str(value))
        return body

    def _text(self, field: str, value: str) -> str:
        if field == "closes_on" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return f"{value}T00:00:00Z"
        return CODES.get(field, {}).get(value, value)

    rows_judged = "alone"

    def row_refusal(self) -> Exception:
        """A record somebody else is writing."""
        return Refused(423, "OBJECT_LOCKED", "The object is locked; try again later")

    def reads(self, call: Call) -> bool:
        """Searches and batches of ids are sent as POST."""
        return call.method == "GET" or call.url.partition("?")[0].endswith(("/search", "/batch/read"))

    def page_kind(self, call: Call, rows: Sequence[Any]) -> str:
        """A search says in its body which properties its rows are to have."""
        sent = call.json() if call.body[:1] == b"{" else None
        asked = sorted(map(str, sent.get("properties") or ())) if isinstance(sent, dict) else ""
        return f"{super().page_kind(call, rows)} {asked}"

    def authorized(self, call: Call) -> bool:
        """A private app's token, or one from /oauth/v1/token that has not ended."""
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        ends = self.state.note(f"oauth:{token}", "")
        self._expired = bool(ends) and ends <= iso(self.now())
        return token == TOKEN or (bool(ends) and not self._expired)

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        """HubSpot's error body; a 429 names the policy, and gives no hint how long to wait unless told to."""
        if status == 401:
            category = "EXPIRED_AUTHENTICATION" if self._expired else "INVALID_AUTHENTICATION"
            why = (
                "The OAuth token used to make this call expired."
                if self._expired
                else "Authentication credentials not found."
            )
            return self.refused(Refused(401, category, why))
        if status == 429:
            return self._too_many(wait_s)
        category = {404: "OBJECT_NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(status, "INTERNAL_ERROR")
        return self.refused(Refused(status, code or category, message or "internal error"))

    def _too_many(self, wait_s: float) -> Reply:
        policy, span = next(
            (policy, span)
            for most_s, policy, span in (
                (1.0, "SECONDLY", "secondly"),
                (10.0, "TEN_SECONDLY_ROLLING", "ten_secondly_rolling"),
                (float("inf"), "DAILY", "daily"),
            )
            if wait_s <= most_s
        )
        reply = self.refused(Refused(429, "RATE_LIMITS", f"You have reached your {span} limit."))
        reply.body |= {"errorType": "RATE_LIMIT", "policyName": policy, "requestId": str(uuid.uuid4())}
        if self.options.get("retry_after"):
            reply.headers["Retry-After"] = f"{wait_s:.3f}"
        return reply

    def refused(self, no: Refused) -> Reply:
        """The error body every refusal has."""
        body: dict[str, Any] = {"status": "error", "message": no.message, "correlationId": str(uuid.uuid4())}
        return Reply(
            no.status, body | {"category": no.category, "context": dict(no.context), "links": {}, "errors": []}
        )

    def after(self, call: Call, reply: Reply) -> Reply:
        """Rate-limit headers; the search has none."""
        self._today += 1
        if not urlsplit(call.url).path.endswith("/search"):
            quota = self.quotas[0] if self.quotas else Quota(190, 10.0)
            daily = self.options.get("daily", 1_000_000)
            reply.headers |= {
                "X-HubSpot-RateLimit-Daily": str(daily),
                "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, daily - self._today)),
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(quota.per_s * 1000)),
                "X-HubSpot-RateLimit-Max": str(quota.calls),
                "X-HubSpot-RateLimit-Remaining": str(quota.remaining()),
            }
        return reply

    # -- seeding and people's edits -------------------------------------------------------------------------------

    def seed(self, copies: Iterable[Copy]) -> int:
        """As the kit, and then each winner of a merge names its losers and has changed no earlier than they went."""
        merges: dict[tuple[str, str], tuple[str, str]] = {}
        consents: list[Copy] = []
        count = super().seed(self._noted(copies, merges, consents))
        count += self.state.load([self._consent(copy) for copy in consents])
        for (stream, loser), (_, at) in merges.items():
            winner = self._winner(stream, loser)
            if winner:
                self._name_losers(winner, [loser])
                winner.updated_at = max(winner.updated_at, at)
                self.state.load([winner])
        return count

    def _consent(self, copy: Copy) -> Obj:
        """What a contact said, kept under the contact's address; the n-th is the n-th contact's."""
        obj = self.object(copy)
        contact = self.state.get("contacts", obj.id.partition("-")[0])
        obj.body["email"] = str(contact.body["properties"].get("email", "")).lower() if contact else ""
        return obj

    def _noted(
        self, copies: Iterable[Copy], merges: dict[tuple[str, str], tuple[str, str]], consents: list[Copy]
    ) -> Iterator[Copy]:
        for copy in copies:
            if copy.stream == "consents":
                consents.append(copy)
                continue
            if copy.merged_into:
                pair = self.native_id(copy.stream, copy.n), self.native_id(copy.stream, copy.merged_into)
                merges[copy.stream, pair[0]] = pair[1], iso(datetime.fromisoformat(copy.updated_at))
            yield copy

    def object(self, copy: Copy) -> Obj:
        """Times with microseconds, so that text order is time order; no empty properties."""
        obj = super().object(copy)
        obj.created_at, obj.updated_at = (iso(datetime.fromisoformat(at)) for at in (obj.created_at, obj.updated_at))
        return _without_blanks(obj)

    def edit(self, stream: str, id_: str, fields: Mapping[str, Any]) -> None:
        """A person changes some fields in HubSpot's own screens."""
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"{self.system}/{stream}/{id_}")
        merge(obj.body, self.native(stream, fields))
        self.state.save(_without_blanks(obj))

    def edit_as(self, who: str, stream: str, id_: str, properties: Mapping[str, str]) -> None:
        """A user of that name changes some properties, in HubSpot's own words."""
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"{self.system}/{stream}/{id_}")
        users: list[str] = self.state.note("users", [])
        if who not in users:
            self.state.keep("users", [*users, who])
        number = self.state.note("users", []).index(who) + FIRST_USER
        obj.body["properties"] |= {**properties, "hs_updated_by_user_id": str(number)}
        self.state.save(_without_blanks(obj))

    @answers("GET", "/crm/v3/owners/{id}")
    def owner(self, call: Call) -> Reply:
        """A user, by the id of the user (`idProperty=userId`); owners have ids of their own."""
        users: list[str] = self.state.note("users", [])
        number = int(call.path["id"]) - FIRST_USER
        if call.param("idProperty", "id") != "userId" or not 0 <= number < len(users):
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        first, _, last = users[number].partition(" ")
        at = "2024-01-01T00:00:00.000Z"
        told = {"id": str(number + 1), "email": f"{first}.{last}@stand-in.example".lower(), "type": "PERSON"}
        told |= {"firstName": first, "lastName": last, "createdAt": at, "updatedAt": at}
        return Reply(body=told | {"userId": number + FIRST_USER, "archived": False, "teams": []})

    # -- objects --------------------------------------------------------------------------------------------------

    @answers("GET", "/crm/v3/objects/{type}")
    def list_objects(self, call: Call) -> Reply:
        """A page, in order of creation. Merged objects are in neither list."""
        stream = self._stream(call)
        limit = int(call.param("limit", "10"))
        if not 1 <= limit <= MAX_LIST:
            raise Refused(400, "VALIDATION_ERROR", f"limit must be between 1 and {MAX_LIST}")
        after = int(call.param("after") or FIRST_ID[stream]) - FIRST_ID[stream]
        archived = call.param("archived", "false").lower() == "true"
        found = (
            self._archived(stream, after, limit + 1)
            if archived
            else self.state.by_order(stream, after=after, limit=limit + 1)
        )
        page = found[:limit]
        wanted, links = _names(call, "properties"), [TYPES.get(t, "") for t in _names(call, "associations")]
        shown = [self._shown(o, wanted, links) for o in page]
        body: dict[str, Any] = {"results": shown}
        if len(found) > limit:
            link = f"{call.url.partition('?')[0]}?after={page[-1].id}"
            body["paging"] = {"next": {"after": page[-1].id, "link": link}}
        return Reply(body=body)

    def _archived(self, stream: str, after: int, limit: int) -> list[Obj]:
        """Neither the losers of merges nor the forgotten are in the archive."""
        rows = self.state.ask(
            """SELECT id FROM objects WHERE stream = ? AND n > ? AND deleted AND merged_into IS NULL
               AND json_extract(body, '$.forgotten') IS NULL ORDER BY n LIMIT ?""",
            (stream, after, limit),
        )
        return [obj for (id_,) in rows if (obj := self.state.get(stream, id_))]

    @answers("GET", "/crm/v3/objects/{type}/{id}")
    def get_object(self, call: Call) -> Reply:
        """One object. The id of a merged one answers with the winner."""
        stream = self._stream(call)
        archived = call.param("archived", "false").lower() == "true"
        obj = self._found(stream, call.path["id"], call.param("idProperty"), archived=archived)
        links = [TYPES.get(t, "") for t in _names(call, "associations")]
        return Reply(body=self._shown(obj, _names(call, "properties"), links))

    @answers("POST", "/crm/v3/objects/{type}")
    def create_object(self, call: Call) -> Reply:
        """201, or 409 where a contact of that e-mail exists."""
        return Reply(201, self._shown(self._create(self._stream(call), call.json()), ["*"]))

    @answers("PATCH", "/crm/v3/objects/{type}/{id}")
    def update_object(self, call: Call) -> Reply:
        """Some properties of one object."""
        stream = self._stream(call)
        obj = self._found(stream, call.path["id"], call.param("idProperty"))
        properties = call.json()["properties"]
        self._check(stream, properties, obj)
        return Reply(body=self._shown(self._write(obj, properties), ["*"]))

    @answers("DELETE", "/crm/v3/objects/{type}/{id}")
    def archive_object(self, call: Call) -> Reply:
        """To the archive; 204 also where it is there already."""
        self._archive(self._stream(call), [call.path["id"]])
        return Reply(204)

    @answers("POST", "/crm/v3/objects/contacts/gdpr-delete")
    def forget(self, call: Call) -> Reply:
        """For good, with what was merged into it and what it said to e-mails: in no list, no search, under no id.

        Deals stay, without the link."""
        asked = call.json()
        archived = self.state.get("contacts", asked["objectId"]) if self.options.get("erases_archived", True) else None
        hidden = bool(archived and archived.deleted and not archived.merged_into and not archived.body.get("forgotten"))
        obj = self._found("contacts", asked["objectId"], asked.get("idProperty", ""), archived=hidden)
        losers = self.state.ask("SELECT id FROM objects WHERE stream = 'contacts' AND merged_into = ?", (obj.id,))
        for gone in [*filter(None, (self.state.get("contacts", id_) for (id_,) in losers)), obj]:
            self._forget_said(str(gone.body["properties"].get("email", "")))
            gone.body, gone.deleted = {"properties": {}, "forgotten": True}, True
            self.state.save(gone)
        for deal in self.state.find("deals", "$.associations.contacts[0]", obj.id):
            deal.body["associations"]["contacts"] = [i for i in deal.body["associations"]["contacts"] if i != obj.id]
            self.state.save(_without_blanks(deal), at=deal.updated_at)
        return Reply(204)

    def _forget_said(self, email: str) -> None:
        said = self._said(email) if email else None
        if said:
            said.body, said.deleted = {"forgotten": True}, True
            self.state.save(said)

    @answers("POST", "/crm/v3/objects/{type}/merge")
    def merge_objects(self, call: Call) -> Reply:
        """Two become one: the primary, or (an option) a third. The primary's values win, the loser fills gaps."""
        stream, asked = self._stream(call), call.json()
        if stream not in ("companies", "contacts", "deals"):
            raise Refused(400, "VALIDATION_ERROR", f"{stream} can't be merged")
        winner = self._found(stream, asked["primaryObjectId"])
        loser = self._found(stream, asked["objectIdToMerge"])
        if winner.id == loser.id:
            raise Refused(400, "VALIDATION_ERROR", "Cannot merge an object with itself")
        body = {**loser.body, **winner.body, "properties": {**loser.body["properties"], **winner.body["properties"]}}
        if self.options.get("merge_makes_new"):
            losers = [winner, loser]
            winner = self.state.create(stream, self.native_id(stream, self.state.next_n(stream)), body)
        else:
            losers = [loser]
        winner.body = body
        earlier = {id_ for o in losers for id_ in _listed_in(o.body["properties"].get("hs_merged_object_ids"))}
        self._name_losers(winner, [*sorted(earlier), *(o.id for o in losers)])
        for gone in losers:
            gone.deleted, gone.merged_into = True, winner.id
            self.state.save(gone)
            self._relink(gone)
        return Reply(body=self._shown(self.state.save(winner), ["*"]))

    def _relink(self, gone: Obj) -> None:
        """A contact's company is a property, so following a merge changes the contact; a deal stays as it was."""
        if gone.stream == "companies":
            for contact in self.state.find("contacts", "$.properties.associatedcompanyid", gone.id):
                self._set(contact, {"associatedcompanyid": str(gone.merged_into)})
                self.state.save(contact)

    # -- search ---------------------------------------------------------------------------------------------------

    @answers("POST", "/crm/v3/objects/{type}/search")
    def search(self, call: Call) -> Reply:
        """What the index holds: living objects, and no write younger than `index_lag_s`. Never associations."""
        stream, asked = self._stream(call), call.json()
        limit, offset = int(asked.get("limit", 10)), int(asked.get("after") or 0)
        cap = self.options.get("search_cap", 10_000)
        if not 1 <= limit <= MAX_SEARCH:
            raise Refused(400, "VALIDATION_ERROR", f"limit must be between 1 and {MAX_SEARCH}")
        if offset + limit > cap:
            raise Refused(
                400, "VALIDATION_ERROR", f"Paging through more than {cap} results of one search is not possible"
            )
        ids, total = self._hits(stream, asked, limit, offset)
        found = [obj for id_ in ids if (obj := self.state.get(stream, id_))]
        body: dict[str, Any] = {"total": total, "results": [self._shown(o, asked.get("properties", [])) for o in found]}
        if offset + limit < total:
            body["paging"] = {"next": {"after": str(offset + limit)}}
        return Reply(body=body)

    def _hits(self, stream: str, asked: Mapping[str, Any], limit: int, offset: int) -> tuple[list[str], int]:
        where, values = searching.where(stream, asked, self._known(stream))
        order = searching.order(stream, asked.get("sorts", []), self._known(stream))
        if lag_s := self.options.get("index_lag_s"):
            where += " AND updated_at <= ?"
            values.append(iso(self.now() - timedelta(seconds=lag_s)))
        found = f"FROM objects WHERE {where}"  # made of properties this account knows; values are bound
        ids = [
            id_
            for (id_,) in self.state.ask(f"SELECT id {found} ORDER BY {order} LIMIT {limit} OFFSET {offset}", values)
        ]
        if not offset and len(ids) < limit:
            return ids, len(ids)
        return ids, self.state.ask(f"SELECT count(*) {found}", values)[0][0]

    # -- batches --------------------------------------------------------------------------------------------------

    @answers("POST", "/crm/v3/objects/{type}/batch/read")
    def batch_read(self, call: Call) -> Reply:
        """200, or 207 where some are not there. The id of a merged object answers with the winner."""
        stream, asked = self._stream(call), call.json()
        if asked.get("idProperty"):
            self._by_property(stream, asked["idProperty"], "")  # refuses the batch where that is no unique property
        found: dict[str, Obj] = {}
        missing: list[str] = []
        for one in self._inputs(asked):
            try:
                obj = self._found(stream, one["id"], asked.get("idProperty", ""))
                found[obj.id] = obj
            except Refused:
                missing.append(one["id"])
        kind = ONE[stream].upper()
        message = f"Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid."
        errors = [_row_error(Refused(404, "OBJECT_NOT_FOUND", message), {"ids": missing})] if missing else []
        return self._batch(200, [self._shown(o, asked.get("properties", [])) for o in found.values()], errors)

    @answers("POST", "/crm/v3/objects/{type}/batch/update")
    def batch_update(self, call: Call) -> Reply:
        """200; 207 with the bad rows' errors where each input has an `objectWriteTraceId`, else 400, nothing done."""
        stream, inputs = self._stream(call), self._inputs(call.json())

        def checked(one: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
            obj = self._found(stream, one["id"], one.get("idProperty", ""))
            self._check(stream, one["properties"], obj)
            return lambda: self._shown(self._write(obj, one["properties"]), [*one["properties"]])

        return self._each(200, inputs, checked)

    @answers("POST", "/crm/v3/objects/{type}/batch/create")
    def batch_create(self, call: Call) -> Reply:
        """201, or 207 as with updates."""
        stream, inputs = self._stream(call), self._inputs(call.json())

        def checked(one: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
            self._check(stream, one["properties"])
            return lambda: self._shown(self._create(stream, one), ["*"])

        return self._each(201, inputs, checked)

    @answers("POST", "/crm/v3/objects/{type}/batch/upsert")
    def batch_upsert(self, call: Call) -> Reply:
        """By a unique property: `new` tells which were created."""
        stream, inputs = self._stream(call), self._inputs(call.json())

        def checked(one: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
            name = one.get("idProperty", "")
            there = self._by_property(stream, name, one["id"]) if name else self._lookup(stream, one["id"])
            if there is None and not name:
                raise Refused(404, "OBJECT_NOT_FOUND", "resource not found", {"ids": [one["id"]]})
            properties = {**({name: one["id"]} if name and there is None else {}), **one["properties"]}
            self._check(stream, properties, there)

            def write() -> dict[str, Any]:
                obj = self._write(there, properties) if there else self._create(stream, {"properties": properties})
                trace = _trace(one) if self.options.get("echo_trace", True) else {}
                return self._shown(obj, ["*"]) | {"new": there is None} | trace

            return write

        return self._each(200, inputs, checked)

    @answers("POST", "/crm/v3/objects/{type}/batch/archive")
    def batch_archive(self, call: Call) -> Reply:
        """204, whatever was there."""
        self._archive(self._stream(call), [one["id"] for one in self._inputs(call.json())])
        return Reply(204)

    def _inputs(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        inputs: list[dict[str, Any]] = asked["inputs"]
        if len(inputs) > MAX_BATCH:
            raise Refused(400, "VALIDATION_ERROR", f"The maximum number of inputs is {MAX_BATCH}, got {len(inputs)}")
        ids = [one["id"] for one in inputs if "id" in one]
        if len(set(ids)) < len(ids) and self.options.get("one_id_once", True):
            raise Refused(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
        return inputs

    def _each(
        self,
        status: int,
        inputs: list[dict[str, Any]],
        checked: Callable[[Mapping[str, Any]], Callable[[], dict[str, Any]]],
    ) -> Reply:
        """Check all rows, then write the good ones."""
        alone = self.options.get("multi_status", True) and all("objectWriteTraceId" in one for one in inputs)
        writes: list[Callable[[], dict[str, Any]]] = []
        errors: list[dict[str, Any]] = []
        for one in inputs:
            try:
                if alone:
                    self.judge_row()
                writes.append(checked(one))
            except Refused as no:
                if not alone:
                    raise Refused(400 if no.status == 404 else no.status, no.category, no.message, no.context) from None
                named = _trace(one) if self.options.get("echo_trace", True) else {"id": one.get("id", "")}
                errors.append(_row_error(no, {key: [value] for key, value in named.items()}))
        return self._batch(status, [write() for write in writes], errors)

    def _batch(self, status: int, results: list[dict[str, Any]], errors: list[dict[str, Any]]) -> Reply:
        at = ms(iso(self.now()))
        if not self.options.get("results_in_order", True):
            results.reverse()
        body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
        return Reply(207 if errors else status, body)

    # -- associations ---------------------------------------------------------------------------------------------

    @answers("PUT", "/crm/v4/objects/{type}/{id}/associations/default/{to_type}/{to_id}")
    def associate(self, call: Call) -> Reply:
        """Link two objects; again changes nothing."""
        stream, to = self._stream(call), self._type(call.path["to_type"])
        one, other = self._found(stream, call.path["id"]), self._found(to, call.path["to_id"])
        turned = (stream, to) not in LINK_TYPES
        if turned and (to, stream) not in LINK_TYPES:
            raise Refused(400, "VALIDATION_ERROR", f"No default association between {stream} and {to}")
        holder, held, held_type = (other, one, stream) if turned else (one, other, to)
        links = holder.body.setdefault("associations", {}).setdefault(held_type, [])
        if held.id not in links:
            links.append(held.id)
            if (holder.stream, held_type) == ("contacts", "companies"):
                holder.body["properties"].setdefault("associatedcompanyid", held.id)
            self.state.save(holder)
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": LINK_TYPES[holder.stream, held_type][0]}
        results = [{"from": {"id": one.id}, "to": {"id": other.id}, "associationSpec": spec}]
        return self._batch(200, results, [])

    @answers("POST", "/crm/v4/associations/{type}/{to_type}/batch/read")
    def read_associations(self, call: Call) -> Reply:
        """The links of up to a hundred objects; 207 where some have none."""
        stream, to = self._stream(call), self._type(call.path["to_type"])
        results: list[dict[str, Any]] = []
        without: list[str] = []
        for one in self._inputs(call.json()):
            obj = self._lookup(stream, one["id"])
            linked = self._linked(obj, to) if obj else []
            if linked:
                results.append(
                    {
                        "from": {"id": one["id"]},
                        "to": [{"toObjectId": i, "associationTypes": self._specs(stream, to)} for i in linked],
                    }
                )
            else:
                without.append(one["id"])
        no = Refused(404, "OBJECT_NOT_FOUND", f"No {ONE[to]} is associated with {ONE[stream]} {', '.join(without)}.")
        errors = [_row_error(no, {"fromObjectId": without})] if without else []
        return self._batch(200, results, errors)

    @answers("POST", "/crm/v4/associations/{type}/{to_type}/batch/create")
    def create_associations(self, call: Call) -> Reply:
        """Links with a type each; 207 where some can't be. The primary one shows in the contact's property."""
        stream, to = self._stream(call), self._type(call.path["to_type"])
        if (stream, to) not in LINK_TYPES:
            raise Refused(400, "VALIDATION_ERROR", f"No association between {stream} and {to}")
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for one in self._inputs(call.json()):
            try:
                results.append(self._associate(stream, to, one))
            except Refused as no:
                errors.append(_row_error(no, {"fromObjectId": [one["from"]["id"]], "toObjectId": [one["to"]["id"]]}))
        return self._batch(201, results, errors)

    def _associate(self, stream: str, to: str, one: Mapping[str, Any]) -> dict[str, Any]:
        types = [kind["associationTypeId"] for kind in one["types"]]
        plain, primary = LINK_TYPES[stream, to]
        if not types or not {*types} <= {plain, primary}:
            raise Refused(
                400, "VALIDATION_ERROR", f"One or more association types do not exist between {stream} and {to}"
            )
        holder, held = self._found(stream, one["from"]["id"]), self._found(to, one["to"]["id"])
        before = json.dumps(holder.body)
        links = holder.body.setdefault("associations", {}).setdefault(to, [])
        if held.id not in links:
            links.append(held.id)
        if (stream, to) == ("contacts", "companies"):
            properties = holder.body["properties"]
            properties["associatedcompanyid"] = (
                held.id if primary in types else properties.get("associatedcompanyid", held.id)
            )
        if json.dumps(holder.body) != before:
            self.state.save(holder)
        labels = ["Primary"] if primary in types else []
        ids = {"fromObjectTypeId": TYPE_IDS[stream], "fromObjectId": holder.id}
        return ids | {"toObjectTypeId": TYPE_IDS[to], "toObjectId": held.id, "labels": labels}

    @answers("POST", "/crm/v4/associations/{type}/{to_type}/batch/archive")
    def archive_associations(self, call: Call) -> Reply:
        """All links between two objects; 204 also where there are none."""
        stream, to = self._stream(call), self._type(call.path["to_type"])
        for one in self._inputs(call.json()):
            holder = self._lookup(stream, one["from"]["id"])
            gone = {other["id"] for other in one["to"]}
            links = holder.body.get("associations", {}).get(to, []) if holder else []
            if holder is None or not gone & {*links}:
                continue
            holder.body["associations"][to] = [id_ for id_ in links if id_ not in gone]
            if holder.body["properties"].get("associatedcompanyid") in gone:
                del holder.body["properties"]["associatedcompanyid"]
            self.state.save(_without_blanks(holder))
        return Reply(204)

    def _linked(self, obj: Obj, to: str) -> list[str]:
        if (obj.stream, to) in LINK_TYPES:
            ids: list[str] = obj.body.get("associations", {}).get(to, [])
            return ids
        return [o.id for o in self.state.find(to, f"$.associations.{obj.stream}[0]", obj.id)]

    def _specs(self, stream: str, to: str) -> list[dict[str, Any]]:
        plain, primary = LINK_TYPES.get((stream, to), (279, None))
        named = [(plain, None), *([(primary, "Primary")] if primary else [])]
        return [
            {"category": "HUBSPOT_DEFINED", "typeId": type_id} | ({"label": label} if label else {})
            for type_id, label in named
        ]

    # -- properties -----------------------------------------------------------------------------------------------

    @answers("GET", "/crm/v3/properties/{type}")
    def list_properties(self, call: Call) -> Reply:
        """What the account knows of a type."""
        stream = self._stream(call)
        return Reply(body={"results": [self._property(stream, name) for name in sorted(self._known(stream))]})

    @answers("POST", "/crm/v3/properties/{type}")
    def create_property(self, call: Call) -> Reply:
        """A custom property."""
        stream, name = self._stream(call), call.json()["name"]
        if name in self._known(stream):
            raise Refused(409, "OBJECT_ALREADY_EXISTS", f"A property named '{name}' already exists.")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name):
            raise Refused(400, "VALIDATION_ERROR", "A property's name is lower case letters, digits and underscores")
        self.state.keep(f"properties:{stream}", [*self.state.note(f"properties:{stream}", []), name])
        self._properties.pop(stream)
        return Reply(201, self._property(stream, name))

    def _property(self, stream: str, name: str) -> dict[str, Any]:
        kind, look = (
            ("datetime", "date") if name in TIMES else ("number", "number") if name in NUMBERS else ("string", "text")
        )
        options = [
            {"label": v, "value": v, "hidden": False, "displayOrder": n} for n, v in enumerate(OPTIONS.get(name, ()))
        ]
        return {
            "name": name,
            "label": name.replace("_", " ").capitalize(),
            "description": "",
            "groupName": f"{ONE[stream]}information",
            "type": "enumeration" if options else kind,
            "fieldType": "select" if options else look,
            "options": options,
            "hasUniqueValue": name in ("email", "hub_ext_id"),
            "hubspotDefined": name not in CUSTOM,
            "calculated": False,
            "formField": False,
        }

    def _known(self, stream: str) -> frozenset[str]:
        if stream not in self._properties:
            key = ["hub_ext_id"] if self.options.get("has_key", True) else []
            own = ("hs_object_id", *key, created_of(stream), time_of(stream))
            made = self.state.note(f"properties:{stream}", [])
            self._properties[stream] = frozenset([*PROPERTIES[stream].split(), *own, *made])
        return self._properties[stream]

    # -- consent --------------------------------------------------------------------------------------------------

    @answers("GET", "/communication-preferences/v4/definitions", "/communication-preferences/v3/definitions")
    def definitions(self, call: Call) -> Reply:
        """The one subscription there is."""
        at = "2024-01-01T00:00:00.000Z"
        one = {"id": "1", "name": "Marketing", "description": "News and offers", "communicationMethod": "Email"}
        one |= {"purpose": "Marketing", "createdAt": at, "updatedAt": at}
        flags = {"isActive": True, "isDefault": True, "isInternal": False}
        if "/v3/" in call.url:
            return Reply(body={"subscriptionDefinitions": [one | flags]})
        return self._batch(200, [one | flags], [])

    @answers("POST", "/communication-preferences/v4/statuses/batch/read")
    def batch_statuses(self, call: Call) -> Reply:
        """What up to a hundred addresses said."""
        found = [{"subscriberIdString": e, "statuses": [self._status(e)]} for e in self._some(call.json()["inputs"])]
        return self._batch(200, found, [])

    @answers("POST", "/communication-preferences/v4/statuses/batch/write")
    def write_statuses(self, call: Call) -> Reply:
        """Say it for many; 207 where some are refused."""
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for one in self._some(call.json()["inputs"]):
            email = one["subscriberIdString"]
            try:
                self._set_status(email, one["statusState"])
                results.append(self._status(email))
            except Refused as no:
                errors.append(_row_error(no, {"subscriberIdString": [email]}))
        return self._batch(200, results, errors)

    def _some(self, inputs: list[Any]) -> list[Any]:
        if len(inputs) > MAX_BATCH:
            raise Refused(400, "VALIDATION_ERROR", f"The maximum number of inputs is {MAX_BATCH}, got {len(inputs)}")
        return inputs

    @answers("GET", "/communication-preferences/v4/statuses/{email}")
    def statuses(self, call: Call) -> Reply:
        """What this address said."""
        return self._batch(200, [self._status(call.path["email"])], [])

    @answers("POST", "/communication-preferences/v4/statuses/{email}")
    def set_status(self, call: Call) -> Reply:
        """Say it for this address. Who unsubscribed is not subscribed again by an API."""
        self._set_status(call.path["email"], call.json()["statusState"])
        return self._batch(200, [self._status(call.path["email"])], [])

    @answers("GET", "/communication-preferences/v3/status/email/{email}")
    def statuses_v3(self, call: Call) -> Reply:
        """The same in v3's words."""
        return Reply(
            body={"recipient": call.path["email"], "subscriptionStatuses": [self._status_v3(call.path["email"])]}
        )

    @answers("POST", "/communication-preferences/v3/subscribe")
    def subscribe(self, call: Call) -> Reply:
        """The same in v3's words."""
        self._set_status(call.json()["emailAddress"], "SUBSCRIBED")
        return Reply(body=self._status_v3(call.json()["emailAddress"]))

    @answers("POST", "/communication-preferences/v3/unsubscribe")
    def unsubscribe(self, call: Call) -> Reply:
        """The same in v3's words."""
        self._set_status(call.json()["emailAddress"], "UNSUBSCRIBED")
        return Reply(body=self._status_v3(call.json()["emailAddress"]))

    def _set_status(self, email: str, state: str) -> None:
        said = self._said(email)
        was = said.body.get("status") if said else None
        if state == "SUBSCRIBED" and was == "UNSUBSCRIBED" and not self.options.get("v4_resubscribes"):
            raise Refused(400, "VALIDATION_ERROR", "A contact that opted out can't be subscribed again by an API")
        if said is None:
            [id_] = [o.id for o in self.state.find("contacts", "$.properties.email", email, nocase=True)] or ["0"]
            n = self.state.next_n("consents")
            said = Obj("consents", f"{id_}-1" if id_ != "0" else f"0-{n}", n, {"email": email.lower()}, "", "")
            self.state.create("consents", said.id, said.body | {"status": state})
        elif was != state:
            said.body["status"] = state
            said.body.pop("timestamp", None)
            self.state.save(said)

    def _said(self, email: str) -> Obj | None:
        return next(iter(self.state.find("consents", "$.email", email.lower())), None)

    def _status(self, email: str) -> dict[str, Any]:
        said = self._said(email)
        state = said.body.get("status", "NOT_SPECIFIED") if said else "NOT_SPECIFIED"
        at = ms(said.updated_at) if said else "2024-01-01T00:00:00.000Z"
        named = {"subscriptionId": 1, "subscriptionName": "Marketing", "channel": "EMAIL", "source": "API"}
        told = {name: said.body[name] for name in ("subscriptionName", "timestamp") if said and said.body.get(name)}
        return {"subscriberIdString": email, "status": state, "timestamp": at, **named, **told}

    def _status_v3(self, email: str) -> dict[str, Any]:
        status = (
            self._status(email)["status"]
            .replace("NOT_SPECIFIED", "NOT_SUBSCRIBED")
            .replace("UNSUBSCRIBED", "NOT_SUBSCRIBED")
        )
        named = {
            "id": "1",
            "name": "Marketing",
            "description": "News and offers",
            "sourceOfStatus": "SUBSCRIPTION_STATUS",
        }
        return {**named, "status": status}

    # -- logins ---------------------------------------------------------------------------------------------------

    @route("POST", "/oauth/v1/token", open_=True)
    def token(self, call: Call) -> Reply:
        """A token for half an hour, for a refresh token or a code."""
        form = call.form()
        good = {"refresh_token": OAUTH["refresh_token"], "code": "stand-in-code"}
        named = {"refresh_token": "refresh_token", "authorization_code": "code"}.get(form.get("grant_type", ""), "")
        if any(form.get(name) != OAUTH[name] for name in ("client_id", "client_secret")) or not named:
            return self.refused(Refused(400, "BAD_CLIENT_ID", "missing or invalid client id or client secret"))
        if form.get(named) != good[named]:
            return self.refused(Refused(400, "BAD_REFRESH_TOKEN", "missing or invalid refresh token"))
        token = secrets.token_urlsafe(24)
        self.state.keep(f"oauth:{token}", iso(self.now() + timedelta(seconds=OAUTH_LASTS_S)))
        return Reply(
            body={
                "access_token": token,
                "refresh_token": OAUTH["refresh_token"],
                "token_type": "bearer",
                "expires_in": OAUTH_LASTS_S,
            }
        )

    @route("GET", "/oauth/v1/access-tokens/{token}", open_=True)
    def about_token(self, call: Call) -> Reply:
        """Whose token it is."""
        ends = self.state.note(f"oauth:{call.path['token']}", "")
        if not ends:
            return self.error(404, message="resource not found")
        left = datetime.fromisoformat(ends) - self.now()
        who = {
            "hub_id": 1,
            "app_id": 1,
            "user_id": 1,
            "user": "admin@stand-in.example",
            "hub_domain": "stand-in.example",
        }
        scopes = ["crm.objects.companies.write", "crm.objects.contacts.write", "crm.objects.deals.read"]
        rest = {"token": call.path["token"], "token_type": "access", "expires_in": int(left.total_seconds())}
        return Reply(body={**who, "scopes": scopes, **rest})

    # -- inside ---------------------------------------------------------------------------------------------------

    def _type(self, name: str) -> str:
        if name not in TYPES:
            raise Refused(400, "VALIDATION_ERROR", f"Unable to infer object type from: {name}")
        return TYPES[name]

    def _stream(self, call: Call) -> str:
        return self._type(call.path["type"])

    def _winner(self, stream: str, id_: str) -> Obj | None:
        """The object this id stands for by now: through merges, to the one that lives (or lived last)."""
        obj = self.state.get(stream, id_)
        while obj and obj.merged_into:
            obj = self.state.get(stream, obj.merged_into)
        return obj

    def _lookup(self, stream: str, id_: str) -> Obj | None:
        obj = self._winner(stream, id_)
        return obj if obj and not obj.deleted else None

    def _by_property(self, stream: str, name: str, value: str) -> Obj | None:
        if name == "hs_object_id":
            return self._lookup(stream, value)
        if name not in UNIQUE.get(stream, ("hub_ext_id",)) or name not in self._known(stream):
            raise Refused(400, "VALIDATION_ERROR", f"{name} is not a unique property of {stream}")
        return next(iter(self.state.find(stream, f"$.properties.{name}", value, nocase=True)), None)

    def _found(self, stream: str, id_: str, id_property: str = "", *, archived: bool = False) -> Obj:
        obj = self._by_property(stream, id_property, id_) if id_property else self._winner(stream, id_)
        if obj is None or obj.deleted != archived or obj.body.get("forgotten"):
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found", {"ids": [id_]})
        return obj

    def _create(self, stream: str, asked: Mapping[str, Any]) -> Obj:
        properties = asked.get("properties", {})
        self._check(stream, properties)
        body: dict[str, Any] = {"properties": {}}
        for link in asked.get("associations") or ():
            type_id = link["types"][0]["associationTypeId"]
            to = next((t for (s, t), ids in LINK_TYPES.items() if s == stream and type_id in ids), None)
            if to is None:
                raise Refused(400, "VALIDATION_ERROR", f"Association type {type_id} does not exist for {stream}")
            body.setdefault("associations", {}).setdefault(to, []).append(self._found(to, link["to"]["id"]).id)
        obj = Obj(stream, self.native_id(stream, self.state.next_n(stream)), 0, body, "", "")
        self._set(obj, properties)
        return self.state.create(stream, obj.id, obj.body)

    def _write(self, obj: Obj, properties: Mapping[str, str]) -> Obj:
        """Set the values; the same values again are no change."""
        before = json.dumps(obj.body)
        self._set(obj, properties)
        return obj if json.dumps(obj.body) == before else self.state.save(obj)

    def _set(self, obj: Obj, properties: Mapping[str, str]) -> None:
        for name, value in properties.items():
            obj.body["properties"][name] = value.lower() if name == "email" else value
        obj.body["properties"].pop("hs_updated_by_user_id", None)  # an app is no user
        if obj.stream == "contacts" and "associatedcompanyid" in properties:
            company = properties["associatedcompanyid"]
            obj.body.setdefault("associations", {})["companies"] = [company] if company else []
        _without_blanks(obj)

    def _check(self, stream: str, properties: Mapping[str, Any], obj: Obj | None = None) -> None:
        """Refuse what HubSpot refuses: unknown or read-only properties, wrong values, a contact's e-mail again."""
        wrong = [w for name, value in properties.items() if (w := self._wrong(stream, name, value))]
        if stream in REQUIRED and obj is None and not properties.get(REQUIRED[stream]):
            name = REQUIRED[stream]
            wrong.append({"isValid": False, "message": f"{name} is required", "error": "REQUIRED_FIELD", "name": name})
        if wrong:
            shown = json.dumps(wrong, separators=(",", ":"))
            raise Refused(400, "VALIDATION_ERROR", f"Property values were not valid: {shown}")
        for name in UNIQUE.get(stream, ("hub_ext_id",)):
            there = self._by_property(stream, name, properties[name]) if properties.get(name) else None
            if there and there.id != (obj.id if obj else None):
                raise Refused(409, "CONFLICT", f"{ONE[stream].capitalize()} already exists. Existing ID: {there.id}")

    def _wrong(self, stream: str, name: str, value: Any) -> dict[str, Any] | None:
        def no(error: str, message: str) -> dict[str, Any]:
            return {"isValid": False, "message": message, "error": error, "name": name}

        if name not in self._known(stream):
            return no("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if name in READ_ONLY or (name.endswith("date") and name != "closedate"):
            return no("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
        if not isinstance(value, str):
            return no("INVALID_STRING", f"{value!r} is not a text")
        if value and name in OPTIONS and value not in OPTIONS[name]:
            return no("INVALID_OPTION", f"{value} was not one of the allowed options: {list(OPTIONS[name])}")
        if name == "email" and value and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
            return no("INVALID_EMAIL", f"Email address {value} is invalid")
        if name in NUMBERS and value and not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return no("INVALID_INTEGER", f"{value} was not a valid number.")
        if name in TIMES and value and not re.fullmatch(r"\d{10,}|\d{4}-\d\d-\d\d.*", value):
            return no("INVALID_DATE", f"{value} was not a valid time.")
        if len(value) > MAX_TEXT:
            return no("INVALID_LENGTH", f"{name} was too long: {len(value)} of at most {MAX_TEXT} characters")
        return None

    def _archive(self, stream: str, ids: Sequence[str]) -> None:
        for id_ in ids:
            if obj := self._lookup(stream, id_):
                obj.deleted = True
                self.state.save(obj)

    def _name_losers(self, winner: Obj, losers: Sequence[str]) -> None:
        properties = winner.body["properties"]
        named = dict.fromkeys([*_listed_in(properties.get("hs_merged_object_ids")), *losers])
        properties["hs_merged_object_ids"] = ";".join(named)

    def _shown(self, obj: Obj, wanted: Sequence[str], links: Sequence[str] = ()) -> dict[str, Any]:
        """An object as HubSpot shows it. Unknown properties are left out, empty ones are null."""
        known, has = self._known(obj.stream), dict(obj.body.get("properties", {}))
        if self.options.get("merged_vids") and obj.stream == "contacts" and "hs_merged_object_ids" in has:
            at = int(datetime.fromisoformat(obj.updated_at).timestamp() * 1000)
            losers = _listed_in(has.pop("hs_merged_object_ids"))
            has["hs_calculated_merged_vids"] = ";".join(f"{id_}:{at}" for id_ in [*losers, obj.id])
        if company := has.get("associatedcompanyid"):
            has["associatedcompanyid"] = self._winner_id("companies", company)
        own = {
            created_of(obj.stream): ms(obj.created_at),
            time_of(obj.stream): ms(obj.updated_at),
            "hs_object_id": obj.id,
        }
        names = [*has] if "*" in wanted else [n for n in wanted if n in known] or DEFAULTS[obj.stream]
        shown: dict[str, Any] = {
            "id": obj.id,
            "properties": {name: own.get(name) or has.get(name) for name in sorted({*names, *own})},
            "createdAt": ms(obj.created_at),
            "updatedAt": ms(obj.updated_at),
            "archived": obj.deleted,
        }
        if obj.deleted:
            shown["archivedAt"] = ms(obj.updated_at)
        if associations := self._associations(obj, links):
            shown["associations"] = associations
        return shown

    def _associations(self, obj: Obj, links: Sequence[str]) -> dict[str, Any]:
        """Links follow merges. A primary link is listed twice, under both its names."""
        found: dict[str, Any] = {}
        for to in filter(None, links):
            kinds = [f"{ONE[obj.stream]}_to_{ONE[to]}"]
            if LINK_TYPES.get((obj.stream, to), (0, None))[1]:
                kinds.append(f"{kinds[0]}_unlabeled")
            ids = [self._winner_id(to, id_) for id_ in self._linked(obj, to)]
            if ids:
                found[to.replace("_", " ")] = {"results": [{"id": id_, "type": kind} for id_ in ids for kind in kinds]}
        return found

    def _winner_id(self, stream: str, id_: str) -> str:
        """As `_winner`, without reading the objects: most of what is linked was never merged."""
        rows = self.state.ask("SELECT merged_into FROM objects WHERE stream = ? AND id = ?", (stream, id_))
        return self._winner_id(stream, rows[0][0]) if rows and rows[0][0] else id_


def _without_blanks(obj: Obj) -> Obj:
    """An empty value is no value, and no link is no list."""
    for part in ("properties", "associations"):
        if part in obj.body:
            obj.body[part] = {name: value for name, value in obj.body[part].items() if value not in (None, "", [])}
    return obj


def _names(call: Call, param: str) -> list[str]:
    """A list parameter, repeated or with commas."""
    return [name for value in call.params(param) for name in value.split(",") if name]


def _listed_in(value: str | None) -> list[str]:
    return [part for part in (value or "").split(";") if part]


def _trace(one: Mapping[str, Any]) -> dict[str, str]:
    return {"objectWriteTraceId": one["objectWriteTraceId"]} if "objectWriteTraceId" in one else {}


def _row_error(no: Refused, context: Mapping[str, list[str]]) -> dict[str, Any]:
    body = {"status": "error", "category": no.category, "message": no.message}
    return {**body, "context": {**no.context, **context}, "links": {}, "errors": []}


standin = HubSpot

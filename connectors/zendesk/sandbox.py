"""Zendesk's stand-in: exports and lists, bulk jobs, merges and soft deletes, tickets with safe updates, search.

What is not certain about the vendor is an option:

    export_delay_s                  how old a change must be before an export shows it (Zendesk: 60; here 0)
    export_shows_deleted            whether the export of organizations shows deleted ones, with `deleted_at` (False)
    export_shows_deleted_users      whether the export of users shows deleted ones, with `active: false` (True)
    export_repeats                  how many rows of a page by cursor come twice (0)
    merge_touches_winner            whether an organization others are merged into counts as changed (True)
    merges_end                      whether merges of organizations are carried out, or stay in progress (True)
    job_results                     "told": as the contract has them; "indexed": all with their index, in another order
    merges_forbidden                whether merges of organizations are for others to see (False)
    job_fails                       whether jobs end as failed, without a word about their rows (False)
    job_polls                       how many times a job answers "working" before it is done (0)
    max_jobs                        how many jobs may be under way at once (30)
    open_tickets_keep               whether who has a ticket that is not closed can't be deleted (True)
    may_delete                      whether the account's token may delete users (True)
    bulk_import                     whether create_or_update_many is switched on for the account (True)

Every path is served with and without `.json`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from omnihub.sandbox.kit import Call, Handler, Quota, Reply, Standin, merge, route
from omnihub.sandbox.state import Obj, iso

MAX_EXPORTED, MAX_LISTED, MAX_BATCH, MAX_FOUND = 1000, 100, 100, 1000
KEY_LASTS = timedelta(hours=2)
STAYS_SOLVED = timedelta(days=28)
FORGOTTEN = "Permanently Deleted User"
ONE = {"organizations": "organization", "users": "user", "tickets": "ticket"}
HUB_AGENT, FIRST_AGENT = 1, 390_000_000_000
FIRST_ID = {"organizations": 360_000_000_000, "users": 370_000_000_000, "tickets": 0}
LOCALES = frozenset(
    {"de", "de-AT", "de-CH", "en-US", "en-GB", "en-AU", "en-CA", "fr", "fr-FR", "fr-CA", "it", "es", "es-ES", "es-419"}
    | {"nl", "nl-BE", "pl", "da", "sv", "no", "fi", "cs", "hu", "tr", "ja", "ko", "ru", "pt", "pt-BR", "zh-CN", "zh-TW"}
)
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
CHANNELS = {"phone": "voice"}
CONSENT = {"yes": True, "no": False}
LONGEST = {"name": 255, "phone": 128, "alias": 255, "external_id": 255}
WRITABLE = {
    "users": {"name", "email", "phone", "locale", "organization_id", "external_id", "notes", "details", "alias", "role"}
    | {"tags", "user_fields", "verified", "suspended"},
    "organizations": {"name", "domain_names", "external_id", "notes", "details", "tags", "organization_fields"},
    "tickets": {"subject", "status", "priority", "type", "requester_id", "organization_id", "external_id", "tags"}
    | {"assignee_id", "group_id", "custom_fields"},
}

NO_METRICS = {"solved_at": None, "reply_time_in_minutes": {"calendar": None, "business": None}}
CUSTOM = {
    "order": (350_000_000_011, "text", "Order number"),
    "order_status": (350_000_000_012, "tagger", "Order status"),
    "sku": (350_000_000_013, "text", "Product"),
    "quantity": (350_000_000_014, "integer", "Quantity"),
    "promised_price": (350_000_000_015, "decimal", "Promised price"),
    "currency": (350_000_000_016, "tagger", "Currency"),
}
"""canonical field → the company's own ticket field for it: id, type, title."""
BY_SYSTEM = "changed_by_zendesk"  # in a body: what `updated_at` was when only the system changed something since
INDEX = "\0index"  # in a row of a job: its place
Details = dict[str, list[dict[str, str]]]


def both(method: str, *paths: str) -> Callable[[Handler], Handler]:
    """Serve these paths of /api/v2, with and without .json."""
    return route(method, *(f"/api/v2{path}{suffix}" for path in paths for suffix in ("", ".json")))


class Refusal(Exception):
    """A refusal on its way out of a handler."""

    def __init__(self, status: int, error: str, description: str, details: Details | None = None) -> None:
        super().__init__(description)
        self.status, self.error, self.details = status, error, details

    def reply(self) -> Reply:
        """As Zendesk words it."""
        body: dict[str, Any] = {"error": self.error, "description": str(self)}
        return Reply(self.status, {**body, "details": self.details} if self.details else body)

    def in_words(self) -> str:
        """The faults in one line, as in a job's results."""
        return " ".join(fault["description"] for faults in (self.details or {}).values() for fault in faults) or str(
            self
        )


class Zendesk(Standin):
    """An account with the High Volume API add-on: 2,500 calls and 30 exports a minute."""

    system = "zendesk"
    role = "ticketing"
    credentials: ClassVar[Mapping[str, str]] = {"email": "hub@acme.example", "api_token": "zendesk-sandbox-token"}
    default_quotas = staticmethod(
        lambda: (
            Quota(2500, 60.0),
            Quota(30, 60.0, "/incremental/"),
            Quota(700, 600.0, "/deleted_users/"),
            Quota(100, 60.0, "/search/export"),
        )
    )

    # -- shape --------------------------------------------------------------------------------------------------

    def native_id(self, stream: str, n: int) -> str:
        return str(FIRST_ID[stream] + n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, value in fields.items():
            if name in ("first_name", "last_name", "answered_at"):
                continue
            if stream == "tickets" and name in CUSTOM:
                body.setdefault("custom_fields", []).append({"id": CUSTOM[name][0], "value": _custom(name, value)})
                continue
            path, put = NATIVE[stream].get(name, (name, _as_it_is))
            merge(body, _nested(path, put(value)))
        if "answered_at" in fields:
            minutes = _minutes(fields.get("opened_at"), fields["answered_at"])
            merge(body, {"metric_set": {"reply_time_in_minutes": {"calendar": minutes, "business": minutes}}})
        if "first_name" in fields or "last_name" in fields:
            body["name"] = " ".join(filter(None, (fields.get("first_name"), fields.get("last_name"))))
        return body

    def edit(self, stream: str, id_: str, fields: Mapping[str, Any]) -> None:
        """A name is one text here: who changes a part of it types the other one again."""
        obj = self.state.get(stream, id_)
        if obj and stream == "users" and {"first_name", "last_name"} & set(fields):
            first, _, last = str(obj.body.get("name") or "").rpartition(" ")
            fields = {"first_name": first, "last_name": last, **fields}
        if obj and "answered_at" in fields:  # kept as the minutes it took
            fields = {"opened_at": self.shown(obj)["created_at"], **fields}
        if obj and obj.body.pop(BY_SYSTEM, None):
            self.state.save(obj)
        if obj and stream == "tickets" and set(CUSTOM) & set(fields):
            typed = self.native(stream, {name: value for name, value in fields.items() if name in CUSTOM})
            ids = {one["id"] for one in typed["custom_fields"]}
            kept = [one for one in obj.body.get("custom_fields") or () if one["id"] not in ids]
            obj.body["custom_fields"] = sorted([*kept, *typed["custom_fields"]], key=lambda one: int(one["id"]))
            self.state.save(obj)
            fields = {name: value for name, value in fields.items() if name not in CUSTOM}
        super().edit(stream, id_, fields)

    def edit_as(self, who: str, stream: str, id_: str, values: Mapping[str, Any]) -> None:
        """An agent of that name changes some fields of a ticket, in Zendesk's own words."""
        agents: list[str] = self.state.note("agents", [])
        if who not in agents:
            self.state.keep("agents", agents := [*agents, who])
        obj = self._present(stream, id_)
        self._audit(obj, values, FIRST_AGENT + agents.index(who))
        self._measure(obj, values)
        merge(obj.body, dict(values))
        self.state.save(obj)

    def _audit(self, ticket: Obj, values: Mapping[str, Any], author: int) -> None:
        """What a change of the status is remembered by."""
        if "status" in values and values["status"] != ticket.body.get("status"):
            event = {"type": "Change", "field_name": "status", "value": values["status"]}
            event |= {"previous_value": ticket.body.get("status")}
            kept = self.state.note(f"audits {ticket.id}", [])
            number = len(kept) + 1
            made = {"ticket_id": int(ticket.id), "author_id": author, "created_at": _seconds(iso(self.now()))}
            audit = {"id": number, **made, "metadata": {}, "via": {"channel": "web"}, "events": [{"id": 1, **event}]}
            self.state.keep(f"audits {ticket.id}", [*kept, audit])

    def _measure(self, ticket: Obj, values: Mapping[str, Any]) -> None:
        """An agent's first public answer and the solution, as a ticket's metrics have them; reopened, it has none."""
        metrics = ticket.body.setdefault("metric_set", {})
        reply, now = metrics.get("reply_time_in_minutes") or {}, _seconds(iso(self.now()))
        if (values.get("comment") or {"public": False}).get("public", True) and reply.get("calendar") is None:
            minutes = _minutes(self.shown(ticket)["created_at"], now)
            metrics["reply_time_in_minutes"] = {"calendar": minutes, "business": minutes}
        status = values.get("status", ticket.body.get("status"))
        if status != ticket.body.get("status"):
            metrics["solved_at"] = metrics.get("solved_at") or now if status in ("solved", "closed") else None

    def _agent(self, id_: str) -> dict[str, Any] | None:
        """An agent, who is nobody's customer and in no list."""
        agents: list[str] = self.state.note("agents", [])
        if id_ == str(HUB_AGENT):
            return {"id": HUB_AGENT, "name": "OmniHub", "email": self.credentials["email"], "role": "admin"}
        number = int(id_) - FIRST_AGENT if id_.isdigit() else -1
        return {"id": int(id_), "name": agents[number], "role": "agent"} if 0 <= number < len(agents) else None

    def touch(self, stream: str, id_: str) -> None:
        """Zendesk itself changes a record: its `updated_at` stays, a ticket's `generated_timestamp` moves on."""
        obj = self._present(stream, id_)
        obj.body.setdefault(BY_SYSTEM, self.shown(obj)["updated_at"])
        self.state.save(obj)

    def shown(self, obj: Obj, include: str = "") -> dict[str, Any]:
        """An object as it stands in an answer."""
        body = {name: value for name, value in obj.body.items() if value is not None or name not in NEVER_NULL}
        common = {"id": int(obj.id), "url": f"https://acme.zendesk.com/api/v2/{obj.stream}/{obj.id}.json"}
        stamps = {"created_at": _seconds(obj.created_at), "updated_at": _seconds(obj.updated_at)}
        found = {**common, **DEFAULTS[obj.stream], **stamps, **body}
        if before := found.pop(BY_SYSTEM, None):
            found["updated_at"] = before
        if obj.stream == "users":
            found["active"] = not obj.deleted
        elif obj.stream == "tickets":
            metrics = found.pop("metric_set", None) or {}
            found["generated_timestamp"] = _epoch(obj.updated_at)
            if obj.deleted:
                found["status"] = "deleted"
            if "metric_sets" in include.split(","):
                found["metric_set"] = {"ticket_id": int(obj.id), **deepcopy(NO_METRICS), **metrics}
        elif obj.deleted:
            found["deleted_at"] = _seconds(obj.updated_at)
        return found

    # -- tokens, refusals, headers ------------------------------------------------------------------------------

    rows_judged = "alone"

    def row_refusal(self) -> Exception:
        return Refusal(409, "DatabaseConflict", "Database collision; try again later")

    def authorized(self, call: Call) -> bool:
        try:
            given = base64.b64decode(call.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        except (binascii.Error, ValueError):
            return False
        return given == f"{self.credentials['email']}/token:{self.credentials['api_token']}"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        if status == 429:  # not JSON: who parses it finds out here
            text = message or "Rate limit exceeded, please wait a while and try again."
            return Reply(429, text, {"Retry-After": str(max(1, math.ceil(wait_s)))}, "text/html; charset=utf-8")
        if status == 401:
            return Reply(401, {"error": "Couldn't authenticate you"})
        if status == 403:
            return Reply(403, {"error": {"title": "Forbidden", "message": "You do not have access to this page."}})
        words = {404: ("RecordNotFound", "Not found"), 405: ("MethodNotAllowed", "Method not allowed")}
        error, description = words.get(status, ("InternalError", "Something went wrong"))
        return Reply(status, {"error": code or error, "description": message or description})

    def after(self, call: Call, reply: Reply) -> Reply:
        quota = self.quotas[0] if self.quotas else Quota(2500, 60.0)
        left, reset_s = str(quota.remaining()), 0
        if quota.made:
            reset_s = max(0, math.ceil(quota.made[0] + quota.per_s - time.monotonic()))
        reply.headers |= {"X-Rate-Limit": str(quota.calls), "X-Rate-Limit-Remaining": left}
        path = urlsplit(call.url).path.removesuffix(".json")
        if path in ("/api/v2/tickets", "/api/v2/users"):
            reply.headers |= {"ratelimit-limit": str(quota.calls), "ratelimit-remaining": left}
            reply.headers["ratelimit-reset"] = str(reset_s)
        if path == "/api/v2/tickets":
            reply.headers["zendesk-ratelimit-tickets-index"] = f"total=100; remaining=99; resets={reset_s}"
        return reply

    def attempt(self, work: Callable[[], Reply]) -> Reply:
        """Do `work`, with refusals as answers."""
        try:
            return work()
        except Refusal as refusal:
            return refusal.reply()

    # -- exports ------------------------------------------------------------------------------------------------

    def _hidden_from(self) -> str:
        delay_s = float(self.options.get("export_delay_s", 0))
        return iso(self.now() - timedelta(seconds=delay_s)) if delay_s else ""

    def _start(self, call: Call) -> str:
        text = call.param("start_time")
        if not re.fullmatch(r"\d+", text):
            raise Refusal(400, "InvalidValue", "start_time is required and must be a Unix epoch time")
        if int(text) > self.now().timestamp() - 60 + 1:  # + 1: the parameter has whole seconds
            raise Refusal(422, "InvalidValue", "Too recent start_time. Use a start_time older than 1 minute")
        return iso(datetime.fromtimestamp(int(text), UTC))

    @both("GET", "/incremental/users/cursor", "/incremental/tickets/cursor")
    def export_by_cursor(self, call: Call) -> Reply:
        def work() -> Reply:
            stream, size = _part(call, 4), _size(call, "per_page", MAX_EXPORTED)
            after = _position(call.param("cursor")) or (self._start(call), "")
            until = self._hidden_from()
            gone_too = None if stream != "users" or self.options.get("export_shows_deleted_users", True) else False
            found = self.state.by_time(
                stream, since=after[0], after=after, until=until, limit=size + 1, deleted=gone_too
            )
            page = found[:size]
            cursor = _cursor(page[-1].updated_at, page[-1].id) if page else _cursor(*after)
            url = f"{call.url.partition('?')[0]}?{urlencode({'cursor': cursor, 'per_page': size})}"
            ways = {"after_cursor": cursor, "after_url": url, "before_cursor": None, "before_url": None}
            again = page[len(page) - min(len(page), int(self.options.get("export_repeats", 0))) :]
            shown = [self.shown(obj, call.param("include")) for obj in (*page, *again)]
            return Reply(200, {stream: shown, **ways, "end_of_stream": len(found) <= size})

        return self.attempt(work)

    @both("GET", "/incremental/organizations", "/incremental/users", "/incremental/tickets")
    def export_by_time(self, call: Call) -> Reply:
        def work() -> Reply:
            stream, size = _part(call, 4), _size(call, "per_page", MAX_EXPORTED)
            with_deleted = None if stream != "organizations" or self.options.get("export_shows_deleted") else False
            since, until = self._start(call), self._hidden_from()
            page = self.state.by_time(stream, since=since, until=until, limit=size, deleted=with_deleted)
            end = _epoch(page[-1].updated_at) if page else None
            following = (
                f"{call.url.partition('?')[0]}?{urlencode({'start_time': end, 'per_page': size})}" if end else None
            )
            shown = [self.shown(obj, call.param("include")) for obj in page]
            ways = {"count": len(page), "end_time": end, "next_page": following, "end_of_stream": len(page) < size}
            return Reply(200, {stream: shown, **ways})

        return self.attempt(work)

    # -- lists --------------------------------------------------------------------------------------------------

    @both("GET", "/organizations", "/users", "/tickets")
    def read(self, call: Call) -> Reply:
        def work() -> Reply:
            stream = _part(call, 3)
            if external_id := call.param("external_id"):
                found = self.state.find(stream, "$.external_id", external_id, nocase=True)
                return Reply(200, self._offset_page(stream, found, len(found)))
            if call.param("page[size]"):
                return self._cursor_page(call, stream)
            page, size = int(call.param("page", "1")), _size(call, "per_page", MAX_LISTED)
            if page * size > 10_000:
                raise Refusal(400, "InvalidPaginationDepth", "Offset pagination ends at 10,000 records; use cursors")
            found = self.state.by_order(stream, limit=size, offset=(page - 1) * size)
            return Reply(200, self._offset_page(stream, found, self.state.count(stream)))

        return self.attempt(work)

    def _cursor_page(self, call: Call, stream: str) -> Reply:
        size, after = _size(call, "page[size]", MAX_LISTED), call.param("page[after]")
        if call.param("sort") == "-updated_at":
            found, places = self._newest(stream, after, size)
        else:
            start = int((_position(after) or ("0", ""))[0])
            found = self.state.by_order(stream, after=start, limit=size + 1)
            places = [_cursor(str(obj.n), "") for obj in found]
        more, shown = len(found) > size, [self.shown(obj, call.param("include")) for obj in found[:size]]
        last = places[size - 1] if more else places[-1] if places else None
        url = f"{call.url.partition('?')[0]}?{urlencode({'page[size]': size, 'page[after]': last})}" if more else None
        meta = {"has_more": more, "after_cursor": last, "before_cursor": None}
        return Reply(200, {stream: shown, "meta": meta, "links": {"next": url, "prev": None}})

    def _newest(self, stream: str, after: str, size: int) -> tuple[list[Obj], list[str]]:
        """From the newest down: SQL for the ids, so that the rest of the stream is not touched."""
        before = _position(after) or ("~", "~")
        ids = self.state.ask(
            """SELECT id FROM objects WHERE stream = ? AND NOT deleted AND (updated_at, id) < (?, ?)
               ORDER BY updated_at DESC, id DESC LIMIT ?""",
            (stream, *before, size + 1),
        )
        found = [obj for (id_,) in ids if (obj := self.state.get(stream, id_))]
        return found, [_cursor(obj.updated_at, obj.id) for obj in found]

    def _offset_page(self, stream: str, found: Iterable[Obj], count: int) -> dict[str, Any]:
        shown = [self.shown(obj) for obj in found]
        return {stream: shown, "count": count, "next_page": None, "previous_page": None}

    @both("GET", "/organizations/show_many", "/users/show_many", "/tickets/show_many")
    def show_many(self, call: Call) -> Reply:
        def work() -> Reply:
            stream = _part(call, 3)
            ids, keys = ([t.strip() for t in call.param(p).split(",") if t] for p in ("ids", "external_ids"))
            if len(ids) + len(keys) > MAX_BATCH:
                raise Refusal(400, "TooManyIds", f"at most {MAX_BATCH} ids")
            found = [obj for id_ in ids if (obj := self.state.get(stream, id_))]
            found = [obj for obj in found if stream == "users" or not obj.deleted]
            found += [obj for key in keys for obj in self.state.find(stream, "$.external_id", key, nocase=True)]
            page = self._offset_page(stream, found, len(found))
            if stream == "users":
                page["users"] += [agent for id_ in ids if (agent := self._agent(id_))]
            return Reply(200, page)

        return self.attempt(work)

    @both("GET", "/users/me")
    def me(self, call: Call) -> Reply:
        return Reply(200, {"user": self._agent(str(HUB_AGENT))})

    @both("GET", "/organizations/{id:int}", "/users/{id:int}", "/tickets/{id:int}")
    def one(self, call: Call) -> Reply:
        stream = _part(call, 3)
        return self.attempt(lambda: self._one(self._present(stream, call.path["id"], deleted_too=stream == "users")))

    def _one(self, obj: Obj, status: int = 200) -> Reply:
        shown = self.shown(obj)
        headers = {"Location": f"/api/v2/{obj.stream}/{obj.id}.json"} if obj.stream != "organizations" else {}
        return Reply(status, {ONE[obj.stream]: shown}, headers)

    def _present(self, stream: str, id_: Any, deleted_too: bool = False) -> Obj:
        obj = self.state.get(stream, str(id_))
        if obj is None or (obj.deleted and not deleted_too):
            raise Refusal(404, "RecordNotFound", "Not found")
        return obj

    # -- search -------------------------------------------------------------------------------------------------

    @both("GET", "/users/search", "/organizations/search")
    def search_stream(self, call: Call) -> Reply:
        def work() -> Reply:
            stream = _part(call, 3)
            field = "external_id" if call.param("external_id") else "name" if call.param("name") else ""
            if field:
                found = self.state.find(stream, f"$.{field}", call.param(field), nocase=True)
            else:
                found = self._found(f"type:{ONE[stream]} {call.param('query')}")
            return Reply(200, self._offset_page(stream, found[:MAX_LISTED], len(found)))

        return self.attempt(work)

    @both("GET", "/search")
    def search(self, call: Call) -> Reply:
        def work() -> Reply:
            found, size = self._found(call.param("query")), _size(call, "per_page", MAX_LISTED)
            start = (int(call.param("page", "1")) - 1) * size
            if start + size > MAX_FOUND:
                raise Refusal(422, "invalid", f"Search ends after {MAX_FOUND} results")
            shown = [{**self.shown(obj), "result_type": ONE[obj.stream]} for obj in found[start : start + size]]
            ways = {"count": len(found), "facets": None, "next_page": None, "previous_page": None}
            return Reply(200, {"results": shown, **ways})

        return self.attempt(work)

    def _found(self, query: str) -> list[Obj]:
        """`type:user email:a@b.c`, `type:organization "Acme"`: words and field:value, all of which must hold."""
        terms = re.findall(r'(?:(\w+):)?(?:"([^"]*)"|(\S+))', query)
        wanted = [(field, quoted or plain) for field, quoted, plain in terms]
        streams = [s for s in ONE if ("type", ONE[s]) in wanted] or list(ONE)
        tests, values = [], []
        for field, value in wanted:
            if field == "type":
                continue
            tests.append("json_extract(body, ?) LIKE ?" if field else "body LIKE ?")
            values += [f"$.{field}", value] if field else [f"%{value}%"]
        where = " AND ".join(["NOT deleted", f"stream IN ({', '.join('?' * len(streams))})", *tests])
        sql = f"SELECT stream, id FROM objects WHERE {where} ORDER BY n LIMIT {MAX_FOUND}"
        rows = self.state.ask(sql, (*streams, *values))
        return [obj for stream, id_ in rows if (obj := self.state.get(stream, id_))]

    # -- writing ------------------------------------------------------------------------------------------------

    @both("POST", "/users", "/organizations")
    def create(self, call: Call) -> Reply:
        stream = _part(call, 3)
        return self.attempt(lambda: self._one(self._create(stream, _wrapped(call, ONE[stream])), 201))

    @both("PUT", "/users/{id:int}", "/organizations/{id:int}")
    def update(self, call: Call) -> Reply:
        def work() -> Reply:
            stream = _part(call, 3)
            self.judge_row()
            return self._one(self._update(self._present(stream, call.path["id"]), _wrapped(call, ONE[stream])))

        return self.attempt(work)

    @both("POST", "/users/create_or_update", "/organizations/create_or_update")
    def create_or_update(self, call: Call) -> Reply:
        def work() -> Reply:
            stream = _part(call, 3)
            body = _wrapped(call, ONE[stream])
            self.judge_row()
            present = self._match(stream, body)
            return self._one(
                self._update(present, body) if present else self._create(stream, body), 200 if present else 201
            )

        return self.attempt(work)

    def _match(self, stream: str, body: Mapping[str, Any]) -> Obj | None:
        """Users are known by id, e-mail or external id, organizations by id or external id: never by name."""
        if body.get("id"):
            return self._present(stream, body["id"])
        for field in ("email", "external_id") if stream == "users" else ("external_id",):
            if body.get(field) and (found := self.state.find(stream, f"$.{field}", body[field], nocase=True)):
                return found[0]
        return None

    def _create(self, stream: str, body: dict[str, Any]) -> Obj:
        self._check(stream, body, None)
        if not body.get("name"):
            raise _invalid(name="Name: cannot be blank")
        given = {**NEW[stream], **_writable(stream, body)}
        return self.state.create(stream, self.native_id(stream, self.state.next_n(stream)), given)

    def _update(self, obj: Obj, body: dict[str, Any]) -> Obj:
        self._check(obj.stream, body, obj)
        merge(obj.body, _writable(obj.stream, body))
        obj.body.pop(BY_SYSTEM, None)
        return self.state.save(obj)

    def _check(self, stream: str, body: Mapping[str, Any], of: Obj | None) -> None:
        """Raise what is wrong with these fields. Unknown ones are passed over in silence, as by the vendor."""
        faults: dict[str, str] = {}
        for name, longest in LONGEST.items():
            if len(str(body.get(name) or "")) > longest:
                faults[name] = f"{name.capitalize()}: is too long (maximum is {longest} characters)"
        if "name" in body and not str(body["name"] or "").strip():
            faults["name"] = "Name: cannot be blank"
        if body.get("phone") and not re.search(r"\d", str(body["phone"])):
            faults["phone"] = "Phone: is invalid"
        if body.get("locale") and body["locale"] not in LOCALES:
            faults["locale"] = f"Locale: {body['locale']} is not available"
        if body.get("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(body["email"])):
            faults["email"] = f"Email: {body['email']} is not properly formatted"
        if faults:
            raise _invalid(**faults)
        for field in {"users": ("email", "external_id"), "organizations": ("name", "external_id")}[stream]:
            others = self.state.find(stream, f"$.{field}", body[field], nocase=True) if body.get(field) else []
            if any(of is None or other.id != of.id for other in others):
                raise _duplicate(field, str(body[field]))

    @both("DELETE", "/users/{id:int}", "/organizations/{id:int}", "/tickets/{id:int}")
    def delete(self, call: Call) -> Reply:
        def work() -> Reply:
            obj = self._present(_part(call, 3), call.path["id"])
            if obj.stream == "users":
                self._check_tickets(obj)
            obj.deleted = True
            self.state.save(obj)
            return self._one(obj) if obj.stream == "users" else Reply(204)

        if _part(call, 3) == "users" and not self.options.get("may_delete", True):
            return self.error(403)
        return self.attempt(work)

    def _check_tickets(self, user: Obj) -> None:
        theirs = self.state.find("tickets", "$.requester_id", int(user.id))
        waiting = sum(not self._is_closed(ticket) for ticket in theirs)
        if waiting and self.options.get("open_tickets_keep", True):
            raise _invalid(base=f"User is the requester of {waiting} ticket(s) that are not closed.")

    def _is_closed(self, ticket: Obj) -> bool:
        """By an agent, or by Zendesk itself: four weeks is the longest a ticket stays solved."""
        long_ago = ticket.updated_at < iso(self.now() - STAYS_SOLVED)
        return ticket.body.get("status") == "closed" or (ticket.body.get("status") == "solved" and long_ago)

    @both("GET", "/deleted_tickets")
    def deleted_tickets(self, call: Call) -> Reply:
        found = self.state.by_order("tickets", limit=MAX_LISTED, deleted=True)
        shown = [_deleted_ticket(self.shown(obj), obj.body.get("status", "new")) for obj in found]
        ways = {"count": len(shown), "next_page": None, "previous_page": None}
        return Reply(200, {"deleted_tickets": shown, **ways})

    @both("GET", "/deleted_users")
    def deleted_users(self, call: Call) -> Reply:
        found = self.state.by_order("users", limit=MAX_LISTED, deleted=True)
        return Reply(200, {"deleted_users": [_deleted_user(self.shown(obj)) for obj in found]})

    @both("GET", "/deleted_users/{id:int}")
    def deleted_user(self, call: Call) -> Reply:
        return self.attempt(lambda: Reply(200, {"deleted_user": _deleted_user(self.shown(self._deleted(call)))}))

    @both("DELETE", "/deleted_users/{id:int}")
    def forget_user(self, call: Call) -> Reply:
        def work() -> Reply:
            obj = self._deleted(call)
            obj.body, obj.merged_into = {"name": FORGOTTEN, "email": None, "phone": None}, None
            self.state.save(obj)
            return Reply(200, {"deleted_user": _deleted_user(self.shown(obj))})

        return self.attempt(work)

    def _deleted(self, call: Call) -> Obj:
        obj = self._present("users", call.path["id"], deleted_too=True)
        if not obj.deleted or obj.body.get("name") == FORGOTTEN:  # for good already: only the list shows it
            raise Refusal(404, "RecordNotFound", "Not found")
        return obj

    # -- merging ------------------------------------------------------------------------------------------------

    @both("PUT", "/users/{id:int}/merge")
    def merge_users(self, call: Call) -> Reply:
        """The loser is deleted and does not say into whom it was merged; its tickets move."""

        def work() -> Reply:
            loser = self._present("users", call.path["id"])
            winner = self._present("users", _wrapped(call, "user").get("id"))
            if loser.body.get("role", "end-user") != "end-user" or loser.id == winner.id:
                raise Refusal(422, "RecordInvalid", "Only two different end users can be merged")
            self._move("tickets", "requester_id", loser, winner)
            loser.deleted, loser.merged_into = True, winner.id
            self.state.save(loser)
            return self._one(winner)

        return self.attempt(work)

    @both("POST", "/organizations/{id:int}/merge")
    def merge_organizations(self, call: Call) -> Reply:
        """Users, tickets and domains move, other fields don't."""

        def work() -> Reply:
            loser = self._present("organizations", call.path["id"])
            winner = self._present("organizations", _wrapped(call, "organization_merge").get("winner_id"))
            if loser.id == winner.id:
                raise Refusal(422, "RecordInvalid", "An organization cannot be merged into itself")
            if not self.options.get("merges_end", True):
                under_way = _merge_shown(loser.id, winner.id, "in_progress")
                self.state.keep(f"merges {winner.id}", [*self.state.note(f"merges {winner.id}", []), under_way])
                return Reply(200, {"organization_merge": under_way})
            self._move("users", "organization_id", loser, winner)
            self._move("tickets", "organization_id", loser, winner)
            domains = [*winner.body.get("domain_names", []), *loser.body.get("domain_names", [])]
            winner.body["domain_names"] = list(dict.fromkeys(domains))
            touched = self.options.get("merge_touches_winner", True)
            self.state.save(winner, at=None if touched else winner.updated_at)
            loser.deleted, loser.merged_into = True, winner.id
            self.state.save(loser)
            return Reply(200, {"organization_merge": _merge_shown(loser.id, winner.id)})

        return self.attempt(work)

    @both("GET", "/organizations/{id:int}/merges")
    def merges(self, call: Call) -> Reply:
        """What was merged into an organization, oldest first; a page begins after the loser its cursor names."""

        if self.options.get("merges_forbidden"):
            return self.error(403)

        def work() -> Reply:
            winner, size = self._present("organizations", call.path["id"]).id, _size(call, "page[size]", MAX_LISTED)
            after = (_position(call.param("page[after]")) or ("", ""))[0]
            sql = """SELECT id FROM objects WHERE stream = 'organizations' AND merged_into = ? AND id > ?
                     ORDER BY id LIMIT ?"""
            losers = [id_ for (id_,) in self.state.ask(sql, (winner, after, size + 1))]
            shown = [_merge_shown(loser, winner) for loser in losers[:size]]
            under_way = [] if after else self.state.note(f"merges {winner}", [])
            last = _cursor(losers[size - 1], "") if len(losers) > size else None
            meta = {"has_more": last is not None, "after_cursor": last, "before_cursor": None}
            return Reply(200, {"organization_merges": [*under_way, *shown], "meta": meta})

        return self.attempt(work)

    def _move(self, stream: str, field: str, loser: Obj, winner: Obj) -> None:
        for obj in self.state.find(stream, f"$.{field}", int(loser.id)):
            obj.body[field] = int(winner.id)
            self.state.save(obj)

    # -- jobs ---------------------------------------------------------------------------------------------------

    @both("PUT", "/users/update_many", "/organizations/update_many")
    def update_many(self, call: Call) -> Reply:
        def work() -> Reply:
            stream = _part(call, 3)
            if ids := call.param("ids"):
                rows = [{**_wrapped(call, ONE[stream]), "id": id_} for id_ in ids.split(",")]
            else:
                rows = _listed(call, stream)
            return self._job("update", rows, lambda row: self._update_row(stream, row))

        return self.attempt(work)

    def _update_row(self, stream: str, row: dict[str, Any]) -> dict[str, Any]:
        obj = self._update(self._present(stream, row.get("id")), row)
        return {"id": int(obj.id), "action": "update", "status": "Updated", "success": True}

    @both("POST", "/users/create_or_update_many")
    def create_or_update_many(self, call: Call) -> Reply:
        if not self.options.get("bulk_import", True):
            return self.error(403)

        def one(row: dict[str, Any]) -> dict[str, Any]:
            present = self._match("users", row)
            obj = self._update(present, row) if present else self._create("users", row)
            if not present:
                return {"id": int(obj.id), "index": row[INDEX]}
            return {"id": int(obj.id), "action": "update", "status": "Updated", "success": True}

        return self.attempt(lambda: self._job("create_or_update", _listed(call, "users"), one))

    def _job(self, action: str, rows: list[dict[str, Any]], work: Callable[[dict[str, Any]], dict[str, Any]]) -> Reply:
        """Done at once, told later: `job_polls` answers say "working" first."""
        if len(rows) > MAX_BATCH:
            raise Refusal(400, "TooManyRecords", f"A job takes at most {MAX_BATCH} records")
        under_way = self.state.note("jobs under way", {})
        if len(under_way) >= int(self.options.get("max_jobs", 30)):
            waiting = Refusal(429, "TooManyJobs", "30 jobs are queued or running; wait for them").reply()
            waiting.headers["Retry-After"] = "1"
            return waiting
        results = []
        for n, row in enumerate(rows):
            try:
                self.judge_row()
                results.append(work({**row, INDEX: n}))
            except Refusal as refusal:
                no = {"id": int(row.get("id") or 0), "action": action, "success": False, "error": refusal.error}
                results.append({**no, "details": refusal.in_words()})
        if self.options.get("job_results") == "indexed":
            results = [{**result, "index": n} for n, result in enumerate(results)][::-1]
        number = self.state.note("jobs", 0) + 1
        id_ = hashlib.md5(f"job {number}".encode(), usedforsecurity=False).hexdigest()
        self.state.keep("jobs", number)
        self.state.keep(f"job {id_}", {"results": results, "at": _seconds(iso(self.now()))})
        if polls := int(self.options.get("job_polls", 0)):
            self.state.keep("jobs under way", {**under_way, id_: polls})
        queued = {"status": "queued", "progress": None, "message": None, "results": None}
        return Reply(200, {"job_status": {**_job_shown(id_, len(rows)), **queued}})

    @both("GET", "/job_statuses/{job}")
    def job(self, call: Call) -> Reply:
        id_ = str(call.path["job"]).removesuffix(".json")  # either route may have matched
        job, under_way = self.state.note(f"job {id_}"), self.state.note("jobs under way", {})
        if job is None:
            return self.error(404)
        shown = _job_shown(id_, len(job["results"]))
        if id_ in under_way:
            left = {**under_way, id_: under_way[id_] - 1}
            self.state.keep("jobs under way", {k: v for k, v in left.items() if v > 0})
            working = {"status": "working", "progress": 0, "message": None, "results": None}
            return Reply(200, {"job_status": {**shown, **working}})
        if self.options.get("job_fails"):
            return Reply(200, {"job_status": {**shown, "status": "failed", "progress": 0, "message": "Failed"}})
        done = {"status": "completed", "progress": len(job["results"]), "message": f"Completed at {job['at']}"}
        return Reply(200, {"job_status": {**shown, **done, "results": job["results"]}})

    # -- tickets ------------------------------------------------------------------------------------------------

    @both("POST", "/tickets")
    def create_ticket(self, call: Call) -> Reply:
        def work() -> Reply:
            key, what = call.headers.get("Idempotency-Key"), hashlib.sha256(call.body).hexdigest()
            seen = self.state.note(f"key {key}") if key else None
            if seen and seen["at"] > iso(self.now() - KEY_LASTS):
                if seen["what"] != what:
                    raise Refusal(400, "IdempotentRequestError", "The key came with another request")
                again = self._one(self._present("tickets", seen["id"], deleted_too=True), 201)  # as it was answered
                again.headers["x-idempotency-lookup"] = "hit"
                return again
            obj = self._create_ticket(_wrapped(call, "ticket"))
            reply = self._one(obj, 201)
            if key:
                self.state.keep(f"key {key}", {"what": what, "id": obj.id, "at": iso(self.now())})
                reply.headers["x-idempotency-lookup"] = "miss"
            return reply

        return self.attempt(work)

    def _create_ticket(self, body: dict[str, Any]) -> Obj:
        comment = body.get("comment")
        if not isinstance(comment, dict) or not (comment.get("body") or comment.get("html_body")):
            raise _invalid(base="Description: cannot be blank")
        given = {"status": "new", "requester_id": 1, **_writable("tickets", body), "via": {"channel": "api"}}
        obj = self.state.create("tickets", self.native_id("tickets", self.state.next_n("tickets")), given)
        self.state.keep(f"comments {obj.id}", [comment])
        return obj

    @both("PUT", "/tickets/{id:int}")
    def update_ticket(self, call: Call) -> Reply:
        def work() -> Reply:
            obj, body = self._present("tickets", call.path["id"]), _wrapped(call, "ticket")
            # "safe_update": false guards like true: only leaving it out forces the write
            if "safe_update" in body and str(body.get("updated_stamp")) != self.shown(obj)["updated_at"]:
                raise Refusal(409, "UpdateConflict", "Safe Update prevented the update due to outdated ticket data.")
            if obj.body.get("status") == "closed":
                raise _invalid(status="Status: closed prevents ticket update")
            if body.get("comment"):
                self.state.keep(f"comments {obj.id}", [*self.state.note(f"comments {obj.id}", []), body["comment"]])
            if body.get("status") == "solved" and not (body.get("assignee_id") or obj.body.get("assignee_id")):
                raise _invalid(assignee="Assignee: is required when solving a ticket")
            self._audit(obj, body, HUB_AGENT)
            self._measure(obj, body)
            merge(obj.body, _writable("tickets", body))
            obj.body.pop(BY_SYSTEM, None)
            return self._one(self.state.save(obj))

        return self.attempt(work)

    @both("GET", "/ticket_fields")
    def ticket_fields(self, call: Call) -> Reply:
        """The company's own, behind one of the account's."""
        own = [{"id": id_, "type": kind, "title": title} for id_, kind, title in CUSTOM.values()]
        listed = [{"id": 350_000_000_001, "type": "subject", "title": "Subject"}, *own]
        return Reply(200, {"ticket_fields": listed, "count": len(listed), "next_page": None, "previous_page": None})

    @both("GET", "/tickets/{id:int}/audits")
    def audits(self, call: Call) -> Reply:
        kept = self.state.note(f"audits {call.path['id']}", [])
        return Reply(200, {"audits": kept, "count": len(kept), "next_page": None, "previous_page": None})

    @both("GET", "/tickets/{id:int}/comments")
    def comments(self, call: Call) -> Reply:
        kept = self.state.note(f"comments {call.path['id']}", [])
        shown = [{"id": n, "type": "Comment", "public": True, **comment} for n, comment in enumerate(kept, 1)]
        return Reply(200, {"comments": shown, "count": len(shown), "next_page": None, "previous_page": None})

    @both("GET", "/organization_fields", "/user_fields")
    def fields(self, call: Call) -> Reply:
        which = _part(call, 3)
        key, title, type_ = {
            "user_fields": ("marketing_consent", "Marketing consent", "checkbox"),
            "organization_fields": ("customer_group", "Customer group", "text"),
        }[which]
        field = {"id": 1, "key": key, "title": title, "type": type_, "active": True}
        return Reply(200, {which: [field], "count": 1, "next_page": None, "previous_page": None})


standin = Zendesk


def _as_it_is(value: Any) -> Any:
    return value


def _custom(name: str, value: Any) -> Any:
    """A choice of a drop-down is held by its tag."""
    if not value or CUSTOM[name][1] != "tagger":
        return value
    return f"order_{value}" if name == "order_status" else str(value).lower()


def _number(value: Any) -> Any:
    return int(value) if value is not None and str(value).isdigit() else value


NATIVE: dict[str, dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "organizations": {
        "domain": ("domain_names", lambda value: [] if value is None else [value]),
        "customer_group": ("organization_fields.customer_group", _as_it_is),
    },
    "users": {
        "language": ("locale", lambda value: LANGUAGES.get(value, value)),
        "account": ("organization_id", _number),
        "marketing_consent": ("user_fields.marketing_consent", CONSENT.get),
    },
    "tickets": {
        "contact": ("requester_id", _number),
        "account": ("organization_id", _number),
        "channel": ("via.channel", lambda value: CHANNELS.get(value, value)),
        "opened_at": ("created_at", _as_it_is),
        "solved_at": ("metric_set.solved_at", _as_it_is),
        "satisfaction": ("satisfaction_rating.score", _as_it_is),
    },
}
"""canonical field → where it stands, and how."""

DEFAULTS: dict[str, dict[str, Any]] = {
    "organizations": {
        "name": "", "domain_names": [], "details": None, "notes": None, "external_id": None, "group_id": None,
        "shared_comments": False, "shared_tickets": False, "tags": [], "organization_fields": {},
    },
    "users": {
        "name": "", "role": "end-user", "phone": None, "external_id": None, "organization_id": None, "photo": None,
        "shared": False, "suspended": False, "verified": True, "tags": [], "time_zone": "Berlin",
        "user_fields": {"marketing_consent": None},
    },
    "tickets": {
        "subject": "", "status": "new", "tags": [], "custom_fields": [], "satisfaction_rating": {"score": "unoffered"},
    },
}  # fmt: skip
NEW: dict[str, dict[str, Any]] = {"organizations": {}, "users": {"locale": "en-US"}}
"""What the account gives to those created here. Seeded ones keep their gaps: the world counts them."""

NEVER_NULL = frozenset({"email", "locale", "requester_id", "status", "name", "subject", "created_at", "domain_names"})
"""Fields the contract does not let be null, or (an e-mail address) leaves out where there is none."""


def _minutes(opened_at: Any, answered_at: Any) -> int | None:
    """How long an answer took, as the metrics say it: whole minutes."""
    if not opened_at or not answered_at:
        return None
    return (_epoch(str(answered_at)) - _epoch(str(opened_at))) // 60


def _nested(path: str, value: Any) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    return {head: _nested(rest, value) if rest else value}


def _writable(stream: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name in WRITABLE[stream]}


def _invalid(**faults: str) -> Refusal:
    details = {name: [{"description": fault, "error": "InvalidValue"}] for name, fault in faults.items()}
    return Refusal(422, "RecordInvalid", "Record validation errors", details)


def _duplicate(field: str, value: str) -> Refusal:
    fault = f"{field.capitalize()}: {value} is already being used by another record"
    return Refusal(
        422, "RecordInvalid", "Record validation errors", {field: [{"description": fault, "error": "DuplicateValue"}]}
    )


def _deleted_user(shown: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "url", "name", "created_at", "updated_at", "time_zone", "phone", "photo", "locale", "role", "active")
    rest = {"email": "", "shared_phone_number": None, "locale": "en-US", "locale_id": 1, "organization_id": 0}
    given = {name: shown[name] for name in (*names, "email", "organization_id") if shown.get(name) is not None}
    return {**rest, "phone": None, "photo": None, **given}


def _deleted_ticket(shown: dict[str, Any], status: str) -> dict[str, Any]:
    actor = {"id": 1, "name": "Somebody"}
    told = {"id": shown["id"], "subject": shown["subject"], "deleted_at": shown["updated_at"]}
    return {**told, "actor": actor, "previous_state": status}


def _merge_shown(loser: str, winner: str, status: str = "complete") -> dict[str, Any]:
    url = f"https://acme.zendesk.com/api/v2/organization_merges/merge-{loser}.json"
    return {"id": f"merge-{loser}", "loser_id": int(loser), "winner_id": int(winner), "status": status, "url": url}


def _job_shown(id_: str, total: int) -> dict[str, Any]:
    url = f"https://acme.zendesk.com/api/v2/job_statuses/{id_}.json"
    return {"id": id_, "job_type": "Bulk Update", "url": url, "total": total}


def _part(call: Call, n: int) -> str:
    """The n-th part of the path, without .json: /api/v2/users.json → 3 is users."""
    return urlsplit(call.url).path.removesuffix(".json").split("/")[n]


def _wrapped(call: Call, name: str) -> dict[str, Any]:
    body = _json(call).get(name)
    if not isinstance(body, dict):
        raise Refusal(400, "BadRequest", f"the body has no {name}")
    return body


def _listed(call: Call, name: str) -> list[dict[str, Any]]:
    rows = _json(call).get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refusal(400, "BadRequest", f"the body has no list of {name}")
    return rows


def _json(call: Call) -> dict[str, Any]:
    try:
        body = call.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "BadRequest", "the body is not JSON")
    return body


def _size(call: Call, param: str, most: int) -> int:
    text = call.param(param, str(most))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Refusal(400, "InvalidPageSize", f"{param} must be 1 to {most}")
    return int(text)


def _cursor(first: str, second: str) -> str:
    return base64.b64encode(f"{first}||{second}|".encode()).decode()


def _position(cursor: str) -> tuple[str, str] | None:
    if not cursor:
        return None
    try:
        first, _, second, _ = base64.b64decode(cursor).decode().split("|")
    except ValueError:
        raise Refusal(400, "InvalidCursor", "this cursor was not given out here") from None
    return first, second


def _seconds(at: str) -> str:
    return f"{at[:19]}Z"


def _epoch(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())

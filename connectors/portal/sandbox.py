"""The portal's stand-in: what openapi.yaml beside it promises, kept.

It judges what is sent by the contract's own schemas, so the two cannot drift apart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import yaml

from omnihub.sandbox.kit import Call, Quota, Reply, Standin, merge, route
from omnihub.sandbox.state import Obj, iso

MAX_BATCH = 200
MAX_PAGE = 500
TOKEN_LASTS_S = 900
KEY_LASTS = timedelta(hours=24)

SCHEMAS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "openapi.yaml").read_text())["components"]["schemas"]
SHOWN = {
    "accounts": "Account",
    "users": "User",
    "logins": "Login",
    "orders": "Order",
    "offers": "Offer",
    "quotes": "Quote",
    "quote_lines": "QuoteLine",
    "consents": "Consent",
    "consistency-reports": "Report",
}
CHANGED = {"accounts": "AccountFields", "users": "UserFields"}
NEW = {"accounts": "AccountFields", "users": "NewUser"}
KNOWN = {"accounts": "AccountFields", "users": "KnownUser"}
"""What a body must be: to change a record, to make one, and to make or change one by its external id."""
PREFIX = {
    "accounts": "acc",
    "users": "usr",
    "logins": "log",
    "orders": "ord",
    "offers": "off",
    "quotes": "quo",
    "quote_lines": "qln",
    "consents": "con",
    "consistency-reports": "rep",
}
PATHS = {"quote_lines": "quote-lines"}  # where a path is not called as its stream
ADDRESS = ("street", "postal_code", "city", "region", "country")
CONSENT = {"yes": "granted", "no": "denied"}
STATUS = {"quoted": "open", "won": "accepted", "lost": "expired"}

Fault = dict[str, str]


class Problem(Exception):
    """A refusal on its way out of a handler."""

    def __init__(self, status: int, code: str, detail: str, errors: list[Fault] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.errors = status, code, errors

    def body(self) -> dict[str, Any]:
        """As RFC 9457 has it."""
        title = self.code.replace("-", " ").capitalize()
        what = {"type": f"/problems/{self.code}", "title": title, "status": self.status, "detail": str(self)}
        return {**what, "errors": self.errors} if self.errors else what


class Portal(Standin):
    """The customer portal. Options: `token_lasts_s`, and `on_hold`, the ids of users who may not be forgotten yet."""

    system = "portal"
    role = "portal"
    credentials: ClassVar[Mapping[str, str]] = {"client_id": "omnihub", "client_secret": "portal-sandbox-secret"}
    default_quotas = staticmethod(lambda: (Quota(600, 60.0),))
    rows_judged = "alone"

    # -- shape --------------------------------------------------------------------------------------------------

    def native_id(self, stream: str, n: int) -> str:
        return f"{PREFIX[stream]}_{n:08d}"

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, value in fields.items():
            if stream == "accounts" and name in ADDRESS:
                body.setdefault("address", {})[name] = value
            elif name == "marketing_consent":
                body.setdefault(name, {})["state"] = CONSENT.get(value)
            elif name == "consent_at":
                body.setdefault("marketing_consent", {})["at"] = value
            elif name == "stage":
                body["status"] = STATUS[value]
            elif stream == "quotes" and name in ON_QUOTES:
                body[ON_QUOTES[name]] = value
            elif name in RENAMED:
                body[RENAMED[name]] = value
            elif stream == "orders":
                body[ON_ORDERS.get(name, name)] = value
            else:
                body[name] = value
        return body

    def shown(self, obj: Obj) -> dict[str, Any]:
        """An object as it stands in an answer: every field of its schema, then its stamp."""
        return {
            "id": obj.id,
            **{name: obj.body.get(name) for name in FIELDS[obj.stream]},
            "version": obj.version,
            "created_at": obj.created_at,
            "updated_at": obj.updated_at,
            "deleted_at": obj.updated_at if obj.deleted else None,
            "merged_into_id": obj.merged_into,
        }

    # -- tokens, refusals, headers ------------------------------------------------------------------------------

    @route("POST", "/oauth/token", open_=True)
    def token(self, call: Call) -> Reply:
        form = call.form()
        if form.get("grant_type") != "client_credentials":
            return _refused(Problem(400, "unsupported-grant-type", "only client_credentials"))
        if (form.get("client_id"), form.get("client_secret")) != tuple(self.credentials.values()):
            return _refused(Problem(401, "invalid-client", "client id and secret don't fit"))
        lasts_s = int(self.options.get("token_lasts_s", TOKEN_LASTS_S))
        ends = f"{self.now().timestamp() + lasts_s:.3f}"
        body = {"access_token": f"{ends}.{self._seal(ends)}", "token_type": "Bearer", "expires_in": lasts_s}
        return Reply(200, body, {"Cache-Control": "no-store"})

    def authorized(self, call: Call) -> bool:
        ends, _, seal = call.headers.get("Authorization", "").removeprefix("Bearer ").rpartition(".")
        return hmac.compare_digest(seal, self._seal(ends)) and self.now().timestamp() < float(ends)

    def _seal(self, text: str) -> str:
        return hmac.new(self.credentials["client_secret"].encode(), text.encode(), hashlib.sha256).hexdigest()

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        code = code or {401: "unauthorized", 404: "not-found", 429: "too-many-calls"}.get(status, "server-error")
        reply = _refused(Problem(status, code, message or code.replace("-", " ")))
        if wait_s:
            reply.headers["Retry-After"] = str(math.ceil(wait_s))
        return reply

    def row_refusal(self) -> Exception:
        return Problem(503, "busy", "this record can't be written just now")

    def after(self, call: Call, reply: Reply) -> Reply:
        for quota in self.quotas[:1]:
            reset_s = quota.made[0] + quota.per_s - time.monotonic() if quota.made else 0
            reply.headers |= {
                "RateLimit-Limit": str(quota.calls),
                "RateLimit-Remaining": str(quota.remaining()),
                "RateLimit-Reset": str(max(0, math.ceil(reset_s))),
            }
        return reply

    def _try(self, work: Callable[[], Reply]) -> Reply:
        try:
            return work()
        except Problem as problem:
            return _refused(problem)

    def once(self, call: Call, work: Callable[[], Reply]) -> Reply:
        """Do `work`, or say again what was answered to this Idempotency-Key."""
        key = call.headers.get("Idempotency-Key")
        if not key:
            return self._try(work)
        note, now = f"once:{key}", iso(self.now())
        what = hashlib.sha256(f"{call.method} {urlsplit(call.url).path}\n".encode() + call.body).hexdigest()
        seen = self.state.note(note)
        if seen and seen["at"] > iso(self.now() - KEY_LASTS):
            if seen["what"] != what:
                return _refused(Problem(422, "idempotency-key-reused", "this key came with another request"))
            if "status" not in seen:
                return _refused(Problem(409, "under-way", "the first call with this key is not done yet"))
            return Reply(seen["status"], seen["body"], seen["headers"], seen["content_type"])
        self.state.keep(note, {"what": what, "at": now})
        reply = self._try(work)
        told = {"status": reply.status, "body": reply.body, "headers": reply.headers}
        self.state.keep(note, {"what": what, "at": now, "content_type": reply.content_type, **told})
        return reply

    # -- reading ------------------------------------------------------------------------------------------------

    @route("GET", *(f"/v1/{PATHS.get(kind, kind)}" for kind in SHOWN))
    def read(self, call: Call) -> Reply:
        return self._try(lambda: self._list(call, _kind(call)))

    def _list(self, call: Call, stream: str) -> Reply:
        if ids := call.param("ids") or call.param("external_ids") or call.param("keys"):
            wanted = ids.split(",")
            if len(wanted) > MAX_BATCH:
                raise Problem(400, "too-many-ids", f"at most {MAX_BATCH}")
            if call.param("ids"):
                found = [obj for id_ in wanted if (obj := self.state.get(stream, id_)) and not obj.deleted]
            else:
                path = "$.key" if call.param("keys") else "$.external_id"
                found = [obj for key in wanted for obj in self.state.find(stream, path, key)]
            return Reply(200, {"items": [self.shown(o) for o in found], "next_cursor": None, "has_more": False})
        limit, after = _limit(call), _position(call.param("cursor"))
        since = after[0] if after else _since(call)
        found = self.state.by_time(stream, since=since, after=after, limit=limit + 1, deleted=None)
        page = found[:limit]
        last = (page[-1].updated_at, page[-1].id) if page else after or (since, "")
        items = [self.shown(obj) for obj in page]
        return Reply(200, {"items": items, "next_cursor": _cursor(*last), "has_more": len(found) > limit})

    @route("GET", "/v1/accounts/{id}", "/v1/users/{id}")
    def one(self, call: Call) -> Reply:
        return self._try(lambda: self._shown(self._living(_kind(call), call.path["id"])))

    def _shown(self, obj: Obj, status: int = 200) -> Reply:
        return Reply(status, self.shown(obj), {"ETag": f'"{obj.version}"'})

    def _living(self, stream: str, id_: str) -> Obj:
        obj = self.state.get(stream, id_)
        if obj is None:
            raise Problem(404, "not-found", f"no {stream} {id_}")
        if obj.deleted:
            raise Problem(410, "gone", f"{id_} is deleted" + (f", see {obj.merged_into}" if obj.merged_into else ""))
        return obj

    # -- writing ------------------------------------------------------------------------------------------------

    @route("POST", "/v1/accounts", "/v1/users")
    def create(self, call: Call) -> Reply:
        return self.once(call, lambda: self._create(_kind(call), _body(call)))

    def _create(self, stream: str, body: dict[str, Any], schema: Mapping[str, str] = NEW) -> Reply:
        self._check(stream, body, schema[stream])
        obj = self.state.create(stream, self.native_id(stream, self.state.next_n(stream)), body)
        return self._shown(obj, 201)

    @route("PUT", "/v1/accounts/by-external-id/{external_id}", "/v1/users/by-external-id/{external_id}")
    def upsert(self, call: Call) -> Reply:
        def work() -> Reply:
            stream, external_id = _kind(call), call.path["external_id"]
            body = {**_body(call), "external_id": external_id}
            present = self.state.find(stream, "$.external_id", external_id)
            if not present:
                return self._create(stream, body, KNOWN)
            self._check(stream, body, KNOWN[stream], of=present[0])
            return self._shown(self._save(present[0], body))

        return self.once(call, work)

    @route("PATCH", "/v1/accounts/{id}", "/v1/users/{id}")
    def change(self, call: Call) -> Reply:
        def work() -> Reply:
            obj = self._living(_kind(call), call.path["id"])
            _match(obj, call.headers.get("If-Match"))
            return self._shown(self._set(obj, _body(call)))

        return self.once(call, work)

    @route("DELETE", "/v1/accounts/{id}", "/v1/users/{id}")
    def delete(self, call: Call) -> Reply:
        def work() -> Reply:
            obj = self._living(_kind(call), call.path["id"])
            _match(obj, call.headers.get("If-Match"))
            obj.deleted = True
            self.state.save(obj)
            return Reply(204)

        return self._try(work)

    @route("POST", "/v1/users/{id}/erasure")
    def erase(self, call: Call) -> Reply:
        """A tombstone without a word on whose it is, also for those who were merged into them."""

        def work() -> Reply:
            obj = self.state.get("users", call.path["id"])
            if obj is None:
                raise Problem(404, "not-found", f"no users {call.path['id']}")
            if obj.id in self.options.get("on_hold", ()):
                raise Problem(409, "on-hold", "this user is part of an open dispute; legal ends the hold")
            losers = self.state.ask("SELECT id FROM objects WHERE stream = 'users' AND merged_into = ?", (obj.id,))
            for gone in (obj, *filter(None, (self.state.get("users", id_) for (id_,) in losers))):
                if gone.body or not gone.deleted:
                    gone.body, gone.deleted = {}, True
                    self.state.save(gone)
            return Reply(204)

        return self._try(work)

    @route("POST", "/v1/accounts/batch", "/v1/users/batch")
    def batch(self, call: Call) -> Reply:
        return self.once(call, lambda: self._batch(_kind(call), _body(call)))

    def _batch(self, stream: str, body: dict[str, Any]) -> Reply:
        items = body.get("items")
        if not isinstance(items, list) or not 0 < len(items) <= MAX_BATCH:
            raise Problem(400, "bad-batch", f"items must be a list of 1 to {MAX_BATCH}")
        return Reply(207, {"items": [self._item(stream, item) for item in items]})

    def _item(self, stream: str, item: Any) -> dict[str, Any]:
        try:
            self.judge_row()
            if faults := faults_of(SCHEMAS["BatchItem"], item):
                raise Problem(422, "bad-item", "the item has faults", faults)
            obj = self._living(stream, item["id"])
            _match(obj, item.get("version"))
            obj = self._set(obj, item["set"])
        except Problem as problem:
            id_ = str(item.get("id")) if isinstance(item, dict) else ""
            return {"id": id_, "status": problem.status, "problem": problem.body()}
        return {"id": obj.id, "status": 200, "version": obj.version}

    @route("POST", "/v1/accounts/{id}/merge", "/v1/users/{id}/merge")
    def merge_into(self, call: Call) -> Reply:
        def work() -> Reply:
            stream = _kind(call)
            loser = self._living(stream, call.path["id"])
            winner = self._living(stream, str(_body(call).get("into")))
            if winner.id == loser.id:
                raise Problem(422, "same-record", "a record cannot be merged into itself")
            for user in self.state.find("users", "$.account_id", loser.id):
                self._save(user, {"account_id": winner.id})
            loser.deleted, loser.merged_into = True, winner.id
            self.state.save(loser)
            return self._shown(winner)

        return self._try(work)

    def _set(self, obj: Obj, body: dict[str, Any]) -> Obj:
        self._check(obj.stream, body, CHANGED[obj.stream], of=obj)
        return self._save(obj, body)

    def _save(self, obj: Obj, body: dict[str, Any]) -> Obj:
        """Fields not sent stay as they are, in nested objects too."""
        merge(obj.body, body)
        return self.state.save(obj)

    def _check(self, stream: str, body: dict[str, Any], schema: str, of: Obj | None = None) -> None:
        """Raise what is wrong with these fields: by the contract first, then what only the state can tell."""
        faults = faults_of(SCHEMAS[schema], body)
        if stream == "accounts" and of is None and "name" not in body:
            faults.append({"field": "name", "detail": "is required"})
        mail = of.body.get("email") if of and schema == "KnownUser" else None
        if mail and body.get("email", mail) != mail:
            faults.append({"field": "email", "detail": "only the user may change it"})
        for field in ("email",) * (stream == "users") + ("external_id",):
            others = self.state.find(stream, f"$.{field}", body[field], nocase=True) if body.get(field) else []
            if any(of is None or other.id != of.id for other in others):
                faults.append({"field": field, "detail": "belongs to another record"})
        if body.get("account_id") and self.state.get("accounts", str(body["account_id"])) is None:
            faults.append({"field": "account_id", "detail": "there is no such account"})
        if faults:
            raise Problem(422, "invalid", "; ".join(f"{f['field']} {f['detail']}" for f in faults), faults)

    # -- consent and reports ------------------------------------------------------------------------------------

    @route("POST", "/v1/consents")
    def add_consent(self, call: Call) -> Reply:
        def work() -> Reply:
            body = _body(call)
            if faults := faults_of(SCHEMAS["ConsentFields"], body):
                raise Problem(422, "invalid", "; ".join(f"{f['field']} {f['detail']}" for f in faults), faults)
            at = _time(body["at"], "at")
            user = self._living("users", body["user_id"])
            stream = "consents"
            for said in self.state.find(stream, "$.user_id", user.id):
                same = all(said.body[name] == body[name] for name in ("purpose", "state"))
                if same and _time(said.body["at"], "at") == at:
                    return self._shown(said)
            added = self.state.create(stream, self.native_id(stream, self.state.next_n(stream)), body)
            known = (user.body.get("marketing_consent") or {}).get("at")
            if body["purpose"] == "marketing" and (not known or at >= _time(known, "at")):
                self._save(user, {"marketing_consent": {"state": body["state"], "at": body["at"]}})
            return self._shown(added, 201)

        return self.once(call, work)

    @route("POST", "/v1/consistency-reports")
    def put_report(self, call: Call) -> Reply:
        def work() -> Reply:
            body, stream = _body(call), "consistency-reports"
            if faults := faults_of(SCHEMAS["ReportFields"], body):
                raise Problem(422, "invalid", "; ".join(f"{f['field']} {f['detail']}" for f in faults), faults)
            body.setdefault("state", "open")
            if present := self.state.find(stream, "$.key", body["key"]):
                present[0].body = body
                return self._shown(self.state.save(present[0]))
            return self._shown(self.state.create(stream, self.native_id(stream, self.state.next_n(stream)), body), 201)

        return self._try(work)

    @route("DELETE", "/v1/consistency-reports/{id}")
    def delete_report(self, call: Call) -> Reply:
        def work() -> Reply:
            obj = self._living("consistency-reports", call.path["id"])
            obj.deleted = True
            self.state.save(obj)
            return Reply(204)

        return self._try(work)

    def edit_as(self, who: str, stream: str, id_: str, values: Mapping[str, Any]) -> None:
        """Somebody of that name closes a report in the back office."""
        obj = self._living(stream, id_)
        obj.body |= {**values, "closed_by": who, "closed_at": iso(self.now())}
        self.state.save(obj)


standin = Portal

RENAMED = {"account": "account_id", "contact": "user_id", "discount": "discount_percent", "of": "quote_id"}
ON_QUOTES = {"name": "number", "amount": "total", "closes_on": "valid_until"}
ON_ORDERS = {
    "stock_point": "ships_from",
    "delivery_point": "ships_to",
    "transport_mode": "carriage",
    "tracking": "tracking_number",
}
FIELDS = {stream: tuple(SCHEMAS[schema]["allOf"][1]["properties"]) for stream, schema in SHOWN.items()}
KINDS: dict[str, type] = {"string": str, "integer": int, "object": dict, "array": list}


def faults_of(schema: Mapping[str, Any], value: Any, field: str = "") -> list[Fault]:
    """What a value has against its schema: as much of JSON Schema as the contract's writable schemas use.

    >>> faults_of(SCHEMAS["AccountFields"], {"address": {"country": "Germany"}, "nam": "x"})
    [{'field': 'address.country', 'detail': 'must look like ^[A-Z]{2}$'}, {'field': 'nam', 'detail': 'is unknown here'}]
    """
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if value is None and "null" in kinds:
        return []
    if kinds and not any(isinstance(value, KINDS[kind]) for kind in kinds if kind in KINDS):
        return [{"field": field, "detail": f"must be {' or '.join(kinds)}"}]
    if isinstance(value, dict):
        return _faults_inside(schema, value, f"{field}." if field else "")
    checks = {
        f"must be one of {schema.get('enum')}": "enum" in schema and value not in schema["enum"],
        f"must have at least {schema.get('minLength')} characters": len(str(value)) < schema.get("minLength", 0),
        f"must have at most {schema.get('maxLength')} characters": len(str(value)) > schema.get("maxLength", math.inf),
        f"must look like {schema.get('pattern')}": not re.search(schema.get("pattern", ""), str(value)),
    }
    return [{"field": field, "detail": detail} for detail, broken in checks.items() if broken]


def _faults_inside(schema: Mapping[str, Any], value: Mapping[str, Any], prefix: str) -> list[Fault]:
    known = schema.get("properties", {})
    found = [
        {"field": prefix + name, "detail": "is required"} for name in schema.get("required", ()) if name not in value
    ]
    for name, inner in value.items():
        if name in known:
            found += faults_of(known[name], inner, prefix + name)
        elif schema.get("additionalProperties") is False:
            found.append({"field": prefix + name, "detail": "is unknown here"})
    return found


def _refused(problem: Problem) -> Reply:
    return Reply(problem.status, problem.body(), content_type="application/problem+json")


def _kind(call: Call) -> str:
    part = urlsplit(call.url).path.split("/")[2]
    return next((kind for kind, path in PATHS.items() if path == part), part)


def _body(call: Call) -> dict[str, Any]:
    try:
        body = call.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Problem(400, "unreadable", "the body must be a JSON object")
    return body


def _match(obj: Obj, version: Any) -> None:
    if version is None:
        raise Problem(428, "version-missing", "say with If-Match (in a batch: version) which version you change")
    if str(version).strip('"') not in ("*", str(obj.version)):
        raise Problem(412, "stale-version", f"{obj.id} has version {obj.version} by now")


def _limit(call: Call) -> int:
    text = call.param("limit", "100")
    if not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
        raise Problem(400, "bad-limit", f"limit must be 1 to {MAX_PAGE}")
    return int(text)


def _since(call: Call) -> str:
    text = call.param("updated_since")
    return iso(_time(text, "updated_since")) if text else ""


def _time(text: str, field: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise Problem(400, "bad-time", f"{field} must be a time as in 2026-11-21T22:18:46Z") from None


def _cursor(updated_at: str, id_: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([updated_at, id_]).encode()).decode()


def _position(cursor: str) -> tuple[str, str] | None:
    if not cursor:
        return None
    try:
        updated_at, id_ = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise Problem(400, "bad-cursor", "this cursor was not given out here") from None
    return str(updated_at), str(id_)

"""ThingsBoard's stand-in: one tenant with customers, devices, alarms, attributes and some telemetry.

Options, for what is uncertain about the vendor, and what an administrator decides:
    nulls           empty fields come as null, or are left out (default; what the official contract allows)
    token_lasts_s   the life of an access token (default 9000)
    conflict        the status of a version conflict (default 409)
    tenant_limit    the tenant profile's limit, as an administrator writes it: "100:1,2000:60"
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.thingsboard import LONGEST, NOBODY, VERSION_CONFLICT
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Call, Quota, Reply, Standin, merge, route
from omnihub.sandbox.state import Obj, iso

USERNAME, PASSWORD = "hub@tenant.example", "sandbox"
TOKEN_LASTS_S = 9_000
REFRESH_LASTS_S = 604_800
NAMESPACE = uuid.UUID("7c2c0cbe-9f3e-5e1b-a2a5-0d6a5f5ad001")
TENANT = str(uuid.uuid5(NAMESPACE, "tenant"))
PROFILE = str(uuid.uuid5(NAMESPACE, "device profile"))
QUERY_SIZE = 100  # entities a query shows at most
TELEMETRY_LIMIT = 100  # points given where nobody says how many

GENERAL, AUTHENTICATION, TOKEN_EXPIRED, FORBIDDEN, INVALID, BAD_REQUEST, MISSING, TOO_MANY = (
    2,
    10,
    11,
    20,
    30,
    31,
    32,
    33,
)
USUAL_SEVERITY = "MAJOR"
SEVERITIES = ("CRITICAL", "MAJOR", "MINOR", "WARNING", "INDETERMINATE")
STATUSES = {"active": "ACTIVE", "inactive": "INACTIVE"}
CUSTOMER = ("title", "country", "state", "city", "address", "address2", "zip", "phone", "email")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SECRET = b"the stand-in signs its tokens with this"


def tenant_limits(written: str) -> tuple[Quota, ...]:
    """A tenant profile's limits.

    >>> [(q.calls, q.per_s) for q in tenant_limits("100:1,2000:60")]
    [(100, 1.0), (2000, 60.0)]
    """
    pairs = (part.split(":") for part in written.split(",") if part)
    return tuple(Quota(int(calls), float(per_s)) for calls, per_s in pairs)


class Refused(Exception):
    """What the caller asked for can't be had."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


Handler = Callable[[Any, Call], Reply]


def refusing(handler: Handler) -> Handler:
    """Answer a `Refused` in ThingsBoard's words."""

    def answer(self: ThingsBoardStandin, call: Call) -> Reply:
        try:
            return handler(self, call)
        except Refused as no:
            return self.error(no.status, str(no.code), no.message)

    return answer


class ThingsBoardStandin(Standin):
    """See the module's docstring."""

    system = "thingsboard"
    role = "iot"
    credentials: ClassVar[Mapping[str, str]] = {"username": USERNAME, "password": PASSWORD}
    default_quotas = staticmethod(lambda: tenant_limits("100:1,2000:60"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.quotas += tenant_limits(self.options.get("tenant_limit", ""))
        self._token_problem = AUTHENTICATION
        # lists are in order of creation, which the state has no index for
        self.state.ask("CREATE INDEX IF NOT EXISTS objects_by_birth ON objects (stream, deleted, created_at, id)")

    # -- seeding ------------------------------------------------------------------------------------------------

    def native_id(self, stream: str, n: int) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{stream}/{n}"))

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, given in fields.items():
            _NATIVE[stream][name](body, given)
        return body

    def object(self, copy: Copy) -> Obj:
        obj = super().object(copy)
        obj.body = _lean(obj.body)
        obj.created_at = obj.updated_at = _born(copy)  # there is no other time
        obj.deleted = copy.deleted or copy.merged_into is not None  # it knows no merges: one is simply deleted
        return obj

    def edit(self, stream: str, id_: str, fields: Mapping[str, Any]) -> None:
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"thingsboard/{stream}/{id_}")
        merge(obj.body, self.native(stream, fields))
        obj.body = _lean(obj.body)
        self.state.save(obj)

    def edit_as(self, who: str, stream: str, id_: str, values: Mapping[str, Any]) -> None:
        """A user of that name clears (`cleared`) or acknowledges (`acknowledged`) an alarm on the screen."""
        obj = self._living(stream, id_, "Alarm")
        for name, mark in (("acknowledged", "ackTs"), ("cleared", "clearTs")):
            if values.get(name):
                self._mark(obj, mark, who)

    # -- manners ------------------------------------------------------------------------------------------------

    def token_of(self, call: Call) -> str:
        return call.headers.get("x-authorization", "")

    def authorized(self, call: Call) -> bool:
        claims = _claims(call.headers.get("x-authorization", "").removeprefix("Bearer "))
        good = claims is not None and claims.get("scopes") == ["TENANT_ADMIN"]
        expired = claims is not None and claims["exp"] <= self.now().timestamp()
        self._token_problem = TOKEN_EXPIRED if expired else AUTHENTICATION
        return good and not expired

    def reads(self, call: Call) -> bool:
        """Queries over entities are POSTs."""
        return call.method == "GET" or "/api/entitiesQuery/" in call.url

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        usual_code, usual_message = _ERRORS.get(status, (GENERAL, "Unexpected error"))
        if status == 401 and not code and self._token_problem == TOKEN_EXPIRED:
            usual_code, usual_message = TOKEN_EXPIRED, "Token has expired"
        body = {
            "status": status,
            "message": message or usual_message,
            "errorCode": int(code or usual_code),
            "timestamp": _ms(iso(self.now())),
        }
        return Reply(status, body)

    def _full(self, shown: dict[str, Any]) -> dict[str, Any]:
        return shown if self.options.get("nulls") else {k: v for k, v in shown.items() if v is not None}

    # -- logging in -----------------------------------------------------------------------------------------------

    @route("POST", "/api/auth/login", open_=True)
    @refusing
    def log_in(self, call: Call) -> Reply:
        body = _object(call)
        if (body.get("username"), body.get("password")) != (USERNAME, PASSWORD):
            raise Refused(401, AUTHENTICATION, "Invalid username or password")
        return self._tokens()

    @route("POST", "/api/auth/token", open_=True)
    @refusing
    def refresh(self, call: Call) -> Reply:
        claims = _claims(str(_object(call).get("refreshToken", "")))
        if claims is None or claims.get("scopes") != ["REFRESH_TOKEN"] or claims["exp"] <= self.now().timestamp():
            raise Refused(401, AUTHENTICATION, "Invalid refresh token")
        return self._tokens()

    def _tokens(self) -> Reply:
        lasts_s = self.options.get("token_lasts_s", TOKEN_LASTS_S)
        return Reply(
            200,
            {
                "token": self._token("TENANT_ADMIN", lasts_s),
                "refreshToken": self._token("REFRESH_TOKEN", REFRESH_LASTS_S),
            },
        )

    def _token(self, scope: str, lasts_s: int) -> str:
        now = int(self.now().timestamp())
        return _signed({"sub": USERNAME, "scopes": [scope], "iat": now, "exp": now + lasts_s, "jti": uuid.uuid4().hex})

    @route("GET", "/api/auth/user")
    def who(self, call: Call) -> Reply:
        me = {"id": _id("USER", str(uuid.uuid5(NAMESPACE, "user"))), "tenantId": _id("TENANT", TENANT)}
        return Reply(200, {**me, "email": USERNAME, "name": USERNAME, "authority": "TENANT_ADMIN"})

    # -- lists ------------------------------------------------------------------------------------------------------

    def _page(
        self,
        call: Call,
        stream: str,
        show: Callable[[Obj], dict[str, Any]],
        where: str = "",
        values: Sequence[Any] = (),
    ) -> Reply:
        size, number = _whole(call, "pageSize"), _whole(call, "page")
        if size < 1 or number < 0:
            raise Refused(400, BAD_REQUEST, "Incorrect page link: page size and page must be positive")
        if call.param("sortProperty", "createdTime") != "createdTime":
            raise Refused(400, BAD_REQUEST, f"Unsupported sort property '{call.param('sortProperty')}'")
        order = "DESC" if call.param("sortOrder", "ASC") == "DESC" else "ASC"
        condition = f"stream = ? AND deleted = 0{where}"
        values = (stream, *values)
        total = self.state.ask(f"SELECT count(*) FROM objects WHERE {condition}", values)[0][0]
        # the inner question is answered by the index alone, so that late pages cost what early ones do
        rows = self.state.ask(
            f"""SELECT id, body, created_at, version
                FROM (SELECT id FROM objects WHERE {condition}
                      ORDER BY created_at {order}, id {order} LIMIT ? OFFSET ?) AS wanted
                JOIN objects USING (id) WHERE stream = ? ORDER BY created_at {order}, id {order}""",
            (*values, size, size * number, stream),
        )
        found = [Obj(stream, id_, 0, json.loads(body), at, at, version) for id_, body, at, version in rows]
        return Reply(
            200,
            {
                "data": [show(obj) for obj in found],
                "totalPages": -(-total // size),
                "totalElements": total,
                "hasNext": size * (number + 1) < total,
            },
        )

    def _living(self, stream: str, id_: str, what: str) -> Obj:
        try:
            uuid.UUID(id_)
        except ValueError:
            raise Refused(400, INVALID, f"Invalid UUID string: {id_}") from None
        obj = self.state.get(stream, id_)
        if obj is None or obj.deleted:
            raise Refused(404, MISSING, f"{what} with id [{id_}] is not found")
        return obj

    # -- customers --------------------------------------------------------------------------------------------------

    @route("GET", "/api/customers")
    @refusing
    def customers(self, call: Call) -> Reply:
        if call.param("customerIds"):
            found = [self.state.get("customers", id_) for id_ in call.param("customerIds").split(",")]
            return Reply(200, [self._customer(obj) for obj in found if obj and not obj.deleted])
        return self._page(call, "customers", self._customer)

    @route("GET", "/api/tenant/customers")
    @refusing
    def customer_by_title(self, call: Call) -> Reply:
        found = self.state.find("customers", "$.title", call.param("customerTitle"))
        if not found:
            raise Refused(404, MISSING, "Requested item wasn't found!")
        return Reply(200, self._customer(found[0]))

    @route("GET", "/api/customer/{id}")
    @refusing
    def customer(self, call: Call) -> Reply:
        return Reply(200, self._customer(self._living("customers", call.path["id"], "Customer")))

    @route("POST", "/api/customer")
    @refusing
    def save_customer(self, call: Call) -> Reply:
        sent = _object(call)
        body = {name: sent.get(name) for name in (*CUSTOMER, "additionalInfo")}
        _check_customer(body)
        obj = self._saved("customers", "Customer", sent, body, unique="title")
        return Reply(200, self._customer(obj))

    @route("DELETE", "/api/customer/{id}")
    @refusing
    def delete_customer(self, call: Call) -> Reply:
        obj = self._living("customers", call.path["id"], "Customer")
        for device in self.state.find("devices", "$.customerId", obj.id):
            device.body["customerId"] = NOBODY  # its devices stay, and are nobody's
            self.state.save(device)
        obj.body = {}  # there is no bin
        for scope in SCOPES:
            if held := self.state.get("attributes", f"CUSTOMER/{obj.id}/{scope}"):
                held.body = {}
                self._delete(held)
        self._delete(obj)
        return Reply(200)

    def _customer(self, obj: Obj) -> dict[str, Any]:
        return self._full(
            {
                "id": _id("CUSTOMER", obj.id),
                "createdTime": _ms(obj.created_at),
                "tenantId": _id("TENANT", TENANT),
                **{name: obj.body.get(name) for name in CUSTOMER},
                "title": obj.body.get("title") or "",
                "email": obj.body.get("email") or (None if self.options.get("nulls") else ""),  # the contract wants one
                "name": obj.body.get("title") or "",
                "version": obj.version,
                "additionalInfo": obj.body.get("additionalInfo"),
            }
        )

    def _saved(self, stream: str, what: str, sent: Mapping[str, Any], body: dict[str, Any], unique: str) -> Obj:
        """Create, or update as a whole where an id is given; a stale version is refused."""
        id_ = (sent.get("id") or {}).get("id")
        obj = self._living(stream, id_, what) if id_ else None
        same = obj is not None and obj.body.get(unique) == body[unique]  # the world may have been seeded with twins
        if not same and self.state.find(stream, f"$.{unique}", body[unique]):
            raise Refused(400, BAD_REQUEST, f"{what} with such {unique} already exists!")
        if obj is None:
            return self.state.create(stream, str(uuid.uuid4()), _lean(body))
        shown = body.keys()  # what nobody is shown, nobody can have changed
        if sent.get("version") not in (None, obj.version):
            message = f"{what} was already changed by someone else"
            raise Refused(self.options.get("conflict", 409), int(VERSION_CONFLICT), message)
        obj.body = _lean({**{k: v for k, v in obj.body.items() if k not in shown}, **body})
        return self.state.save(obj)

    def _delete(self, obj: Obj) -> None:
        obj.deleted = True
        self.state.save(obj)

    # -- devices ----------------------------------------------------------------------------------------------------

    @route("GET", "/api/tenant/devices")
    @refusing
    def devices(self, call: Call) -> Reply:
        if not call.param("deviceName"):
            return self._page(call, "devices", self._device)
        found = self.state.find("devices", "$.name", call.param("deviceName"))
        if not found:
            raise Refused(404, MISSING, "Requested item wasn't found!")
        return Reply(200, self._device(found[0]))

    @route("GET", "/api/deviceProfiles")
    @refusing
    def profiles(self, call: Call) -> Reply:
        profile = {
            "id": _id("DEVICE_PROFILE", PROFILE), "tenantId": _id("TENANT", TENANT), "name": "default",
            "type": "DEFAULT", "transportType": "DEFAULT", "provisionType": "DISABLED", "default": True,
        }  # fmt: skip
        return Reply(200, {"data": [profile], "totalPages": 1, "totalElements": 1, "hasNext": False})

    @route("GET", "/api/devices")
    @refusing
    def devices_by_id(self, call: Call) -> Reply:
        found = [self.state.get("devices", id_) for id_ in call.param("deviceIds").split(",")]
        return Reply(200, [self._device(obj) for obj in found if obj and not obj.deleted])

    @route("GET", "/api/device/{id}")
    @refusing
    def device(self, call: Call) -> Reply:
        return Reply(200, self._device(self._living("devices", call.path["id"], "Device")))

    @route("POST", "/api/device")
    @refusing
    def save_device(self, call: Call) -> Reply:
        sent = _object(call)
        if not sent.get("name"):
            raise Refused(400, BAD_REQUEST, "Device name should be specified!")
        body = {name: sent.get(name) for name in ("name", "label", "type", "additionalInfo")}
        id_ = (sent.get("id") or {}).get("id")
        was = self.state.get("devices", id_) if id_ else None  # a customer is assigned with a call of its own
        body["customerId"] = was.body.get("customerId") if was else NOBODY
        if was and sent.get("type") == "default" and not was.body.get("type"):
            body["type"] = None  # it is the default one because nobody chose any
        return Reply(200, self._device(self._saved("devices", "Device", sent, body, unique="name")))

    @route("DELETE", "/api/device/{id}")
    @refusing
    def delete_device(self, call: Call) -> Reply:
        self._delete(self._living("devices", call.path["id"], "Device"))
        return Reply(200)

    @route("POST", "/api/customer/{customer}/device/{id}")
    @refusing
    def assign_device(self, call: Call) -> Reply:
        owner = self._living("customers", call.path["customer"], "Customer")
        obj = self._living("devices", call.path["id"], "Device")
        obj.body["customerId"] = owner.id
        return Reply(200, self._device(self.state.save(obj)))

    @route("DELETE", "/api/customer/device/{id}")
    @refusing
    def unassign_device(self, call: Call) -> Reply:
        obj = self._living("devices", call.path["id"], "Device")
        obj.body["customerId"] = NOBODY
        return Reply(200, self._device(self.state.save(obj)))

    def _device(self, obj: Obj) -> dict[str, Any]:
        return self._full(
            {
                "id": _id("DEVICE", obj.id),
                "createdTime": _ms(obj.created_at),
                "tenantId": _id("TENANT", TENANT),
                "customerId": _id("CUSTOMER", obj.body.get("customerId") or NOBODY),
                "name": obj.body.get("name") or "",
                "type": obj.body.get("type") or "default",
                "label": obj.body.get("label"),
                "deviceProfileId": _id("DEVICE_PROFILE", PROFILE),
                "firmwareId": None,
                "softwareId": None,
                "version": obj.version,
                "additionalInfo": obj.body.get("additionalInfo"),
            }
        )

    # -- alarms -----------------------------------------------------------------------------------------------------

    @route("GET", "/api/alarms", "/api/v2/alarms")
    @refusing
    def alarms(self, call: Call) -> Reply:
        where, values = "", []
        if call.param("startTime"):
            where, values = " AND created_at >= ?", [_time(_whole(call, "startTime"))]
        if call.param("endTime"):
            where += " AND created_at < ?"
            values.append(_time(_whole(call, "endTime") + 1))
        if call.param("typeList"):
            types = call.param("typeList").split(",")
            where += f" AND json_extract(body, '$.type') IN ({', '.join('?' * len(types))})"
            values += types
        return self._page(call, "alarms", self._alarm, where, values)

    @route("GET", "/api/alarm/{type}/{id}", "/api/v2/alarm/{type}/{id}")
    @refusing
    def alarms_of(self, call: Call) -> Reply:
        about = " AND json_extract(body, '$.originator.id') = ? AND json_extract(body, '$.originator.entityType') = ?"
        return self._page(call, "alarms", self._alarm, about, (call.path["id"], call.path["type"]))

    @route("GET", "/api/alarm/{id}", "/api/alarm/info/{id}")
    @refusing
    def alarm(self, call: Call) -> Reply:
        return Reply(200, self._alarm(self._living("alarms", call.path["id"], "Alarm")))

    @route("POST", "/api/alarm")
    @refusing
    def save_alarm(self, call: Call) -> Reply:
        """A second one of the same type about the same thing updates the first, until that is cleared."""
        sent = _object(call)
        origin = sent.get("originator")
        if not sent.get("type") or not isinstance(origin, dict):
            raise Refused(400, BAD_REQUEST, "Alarm type and originator should be specified!")
        if sent.get("severity") not in SEVERITIES:
            raise Refused(400, BAD_REQUEST, "Alarm severity should be specified!")
        if origin.get("entityType") in _STREAMS:
            self._living(_STREAMS[origin["entityType"]], str(origin.get("id")), origin["entityType"].capitalize())
        now = _ms(iso(self.now()))
        body = {
            "type": sent["type"],
            "originator": origin,
            "severity": sent["severity"],
            "details": sent.get("details"),
        }
        if (sent.get("id") or {}).get("id"):
            named = self._living("alarms", sent["id"]["id"], "Alarm")
            usual = not named.body.get("severity") and body["severity"] == USUAL_SEVERITY  # nobody chose it
            kept = {name: named.body.get(name) for name in ("type", "originator")}  # what it is about stays
            named.body |= body | kept | ({"severity": None} if usual else {})
            named.body = _lean(named.body)
            return Reply(200, self._alarm(self.state.save(named)))
        for obj in self.state.find("alarms", "$.originator.id", origin.get("id")):
            if obj.body.get("type") == sent["type"] and not obj.body.get("clearTs"):
                obj.body |= body | {"endTs": now}
                return Reply(200, self._alarm(self.state.save(obj)))
        made = self.state.create("alarms", str(uuid.uuid4()), body | {"startTs": now, "endTs": now})
        return Reply(200, self._alarm(made))

    @route("POST", "/api/alarm/{id}/clear")
    @refusing
    def clear_alarm(self, call: Call) -> Reply:
        return self._marked(call, "clearTs")

    @route("POST", "/api/alarm/{id}/ack")
    @refusing
    def acknowledge_alarm(self, call: Call) -> Reply:
        return self._marked(call, "ackTs")

    def _marked(self, call: Call, mark: str) -> Reply:
        obj = self._living("alarms", call.path["id"], "Alarm")
        if obj.body.get(mark):
            raise Refused(400, BAD_REQUEST, f"Alarm was already {'cleared' if mark == 'clearTs' else 'acknowledged'}!")
        self._mark(obj, mark, USERNAME)
        return Reply(200, self._alarm(obj))

    def _mark(self, obj: Obj, mark: str, who: str) -> None:
        """It is kept beside the alarm, in words, who did that."""
        did = "cleared" if mark == "clearTs" else "acknowledged"
        said = {"text": f"Alarm was {did} by user {who}", "subtype": did.upper() + "_BY_USER"}
        self.state.create("alarm_comments", str(uuid.uuid4()), {"alarm": obj.id, "comment": said})
        obj.body[mark] = _ms(iso(self.now()))
        self.state.save(obj)

    @route("GET", "/api/alarm/{id}/comment")
    @refusing
    def alarm_comments(self, call: Call) -> Reply:
        obj = self._living("alarms", call.path["id"], "Alarm")
        return self._page(call, "alarm_comments", self._comment, " AND json_extract(body, '$.alarm') = ?", (obj.id,))

    def _comment(self, obj: Obj) -> dict[str, Any]:
        return {
            "id": {"id": obj.id},
            "createdTime": _ms(obj.created_at),
            "alarmId": _id("ALARM", obj.body["alarm"]),
            "type": "SYSTEM",
            "comment": obj.body["comment"],
            "name": "comment",
        }

    @route("DELETE", "/api/alarm/{id}")
    @refusing
    def delete_alarm(self, call: Call) -> Reply:
        obj = self._living("alarms", call.path["id"], "Alarm")
        for comment in self.state.find("alarm_comments", "$.alarm", obj.id):
            self._delete(comment)
        self._delete(obj)
        return Reply(200, True)

    def _alarm(self, obj: Obj) -> dict[str, Any]:
        cleared, acknowledged = bool(obj.body.get("clearTs")), bool(obj.body.get("ackTs"))
        at = _ms(obj.created_at)
        return self._full(
            {
                "id": _id("ALARM", obj.id),
                "createdTime": at,
                "tenantId": _id("TENANT", TENANT),
                "customerId": None,
                "type": obj.body.get("type") or "",
                "originator": obj.body.get("originator") or _id("DEVICE", NOBODY),
                "severity": obj.body.get("severity") or USUAL_SEVERITY,
                "acknowledged": acknowledged,
                "cleared": cleared,
                "assigneeId": None,
                "startTs": obj.body.get("startTs", at),
                "endTs": obj.body.get("endTs", at),
                "ackTs": obj.body.get("ackTs", 0),
                "clearTs": obj.body.get("clearTs", 0),
                "assignTs": 0,
                "propagate": False,
                "propagateToOwner": False,
                "propagateToTenant": False,
                "propagateRelationTypes": [],
                "name": obj.body.get("type") or "",
                "status": f"{'CLEARED' if cleared else 'ACTIVE'}_{'ACK' if acknowledged else 'UNACK'}",
                "details": obj.body.get("details"),
            }
        )

    # -- attributes and telemetry -----------------------------------------------------------------------------------

    @route("POST", "/api/plugins/telemetry/{type}/{id}/attributes/{scope}")
    @refusing
    def save_attributes(self, call: Call) -> Reply:
        sent, at = _object(call), _ms(iso(self.now()))
        self._keep("attributes", self._about(call, "scope"), {key: {"value": v, "ts": at} for key, v in sent.items()})
        return Reply(200)

    @route("DELETE", "/api/plugins/telemetry/{type}/{id}/{scope}")
    @refusing
    def delete_attributes(self, call: Call) -> Reply:
        obj = self.state.get("attributes", self._about(call, "scope"))
        if obj:
            obj.body = {k: v for k, v in obj.body.items() if k not in call.param("keys").split(",")}
            self.state.save(obj)
        return Reply(200)

    @route("GET", "/api/plugins/telemetry/{type}/{id}/values/attributes/{scope}")
    @refusing
    def attributes(self, call: Call) -> Reply:
        obj, keys = self.state.get("attributes", self._about(call, "scope")), call.param("keys").split(",")
        found = [
            {"lastUpdateTs": held["ts"], "key": key, "value": held["value"]}
            for key, held in (obj.body if obj else {}).items()
            if keys == [""] or key in keys
        ]
        return Reply(200, found)

    @route("POST", "/api/plugins/telemetry/{type}/{id}/timeseries/{scope}")
    @refusing
    def save_telemetry(self, call: Call) -> Reply:
        sent = _json(call)
        about, now = self._about(call), _ms(iso(self.now()))
        for point in sent if isinstance(sent, list) else [sent]:
            values, ts = (point["values"], point.get("ts", now)) if "values" in point else (point, now)
            for key, given in values.items():
                self._keep("telemetry", f"{about}/{key}", {str(ts): given})
        return Reply(200)

    @route("GET", "/api/plugins/telemetry/{type}/{id}/values/timeseries")
    @refusing
    def telemetry(self, call: Call) -> Reply:
        about, strict = self._about(call), call.param("useStrictDataTypes") == "true"
        start, end = int(call.param("startTs", "0")), int(call.param("endTs", "99999999999999"))
        limit, newest_first = int(call.param("limit", str(TELEMETRY_LIMIT))), call.param("orderBy", "DESC") == "DESC"
        found: dict[str, Any] = {}
        for key in filter(None, call.param("keys").split(",")):
            obj = self.state.get("telemetry", f"{about}/{key}")
            points = sorted(((int(ts), v) for ts, v in (obj.body if obj else {}).items()), reverse=newest_first)
            if not call.param("startTs"):
                points = sorted(points, reverse=True)[:1]  # without a time span: the latest value
            within = [(ts, v) for ts, v in points if start <= ts < end][:limit]
            if within:
                found[key] = [{"ts": ts, "value": v if strict else _as_text(v)} for ts, v in within]
        return Reply(200, found)

    # -- queries ----------------------------------------------------------------------------------------------------

    @route("POST", "/api/entitiesQuery/find")
    @refusing
    def find(self, call: Call) -> Reply:
        """Objects of a kind, or some by id, whose server attributes are as asked; at most a hundred a page."""
        asked = _object(call)
        wanted, link = asked.get("entityFilter") or {}, asked.get("pageLink") or {}
        kind, size, number = wanted.get("entityType"), int(link.get("pageSize", 0)), int(link.get("page", 0))
        if wanted.get("type") not in ("entityType", "entityList") or kind not in _STREAMS or size < 1:
            raise Refused(400, BAD_REQUEST, "Incorrect query")
        size = min(size, QUERY_SIZE)
        ids = [
            str(id_)
            for (id_,) in self.state.ask(
                "SELECT id FROM objects WHERE stream = ? AND NOT deleted ORDER BY created_at, id", [_STREAMS[kind]]
            )
            if wanted["type"] == "entityType" or id_ in wanted.get("entityList", ())
        ]
        found = [id_ for id_ in ids if all(self._passes(kind, id_, test) for test in asked.get("keyFilters") or ())]
        keys = [key["key"] for key in asked.get("latestValues") or () if key["type"] == "SERVER_ATTRIBUTE"]
        return Reply(
            200,
            {
                "data": [self._entity(kind, id_, keys) for id_ in found[size * number : size * (number + 1)]],
                "totalPages": -(-len(found) // size),
                "totalElements": len(found),
                "hasNext": size * (number + 1) < len(found),
            },
        )

    def _server_side(self, kind: str, id_: str) -> dict[str, Any]:
        obj = self.state.get("attributes", f"{kind}/{id_}/SERVER_SCOPE")
        return obj.body if obj else {}

    def _passes(self, kind: str, id_: str, test: Mapping[str, Any]) -> bool:
        held = self._server_side(kind, id_).get(test["key"]["key"], {}).get("value")
        predicate = test["predicate"]
        any_of = predicate["predicates"] if predicate["type"] == "COMPLEX" else [predicate]
        return held is not None and any(_as_text(held) == one["value"]["defaultValue"] for one in any_of)

    def _entity(self, kind: str, id_: str, keys: Sequence[str]) -> dict[str, Any]:
        held = self._server_side(kind, id_)
        latest = {k: {"ts": held[k]["ts"], "value": _as_text(held[k]["value"])} for k in keys if k in held}
        return {"entityId": _id(kind, id_), "latest": {"SERVER_ATTRIBUTE": latest}, "timeseries": {}}

    def _about(self, call: Call, scope: str = "") -> str:
        type_, id_ = call.path["type"], call.path["id"]
        if type_ in _STREAMS:
            self._living(_STREAMS[type_], id_, type_.capitalize())
        return "/".join([type_, id_, *([call.path[scope]] if scope else [])])

    def _keep(self, stream: str, id_: str, values: Mapping[str, Any]) -> None:
        obj = self.state.get(stream, id_)
        if obj is None:
            self.state.create(stream, id_, dict(values))
            return
        obj.body |= values
        self.state.save(obj)


standin = ThingsBoardStandin

SCOPES = ("SERVER_SCOPE", "SHARED_SCOPE", "CLIENT_SCOPE")
_STREAMS = {"CUSTOMER": "customers", "DEVICE": "devices", "ALARM": "alarms"}
_ERRORS = {
    400: (BAD_REQUEST, "Bad request"),
    401: (AUTHENTICATION, "Authentication failed"),
    403: (FORBIDDEN, "You don't have permission to perform this operation!"),
    404: (MISSING, "Requested item wasn't found!"),
    405: (BAD_REQUEST, "Method is not supported"),
    429: (TOO_MANY, "Too many requests for current tenant!"),
    500: (GENERAL, "Unexpected error"),
}

Put = Callable[[dict[str, Any], Any], None]


def _at(*path: str, codes: Mapping[str, str] | None = None) -> Put:
    """Put a canonical value at this path."""

    def put(body: dict[str, Any], given: Any) -> None:
        for name in path[:-1]:
            body = body.setdefault(name, {})
        body[path[-1]] = (codes or {}).get(given, given)

    return put


def _owner(body: dict[str, Any], given: Any) -> None:
    body["customerId"] = given or NOBODY


def _origin(body: dict[str, Any], given: Any) -> None:
    body["originator"] = _id("DEVICE", given or NOBODY)


def _raised(body: dict[str, Any], given: Any) -> None:
    """When an alarm was raised is its createdTime, which nobody can edit."""


_NATIVE: dict[str, dict[str, Put]] = {
    "customers": {
        "name": _at("title"),
        "email": _at("email"),
        "phone": _at("phone"),
        "street": _at("address"),
        "postal_code": _at("zip"),
        "city": _at("city"),
        "region": _at("state"),
        "country": _at("country"),
    },
    "devices": {
        "serial": _at("name"),
        "sku": _at("additionalInfo", "sku"),
        "name": _at("label"),
        "account": _owner,
        "installed_on": _at("additionalInfo", "installedOn"),
        "status": _at("additionalInfo", "status", codes=STATUSES),
    },
    "alarms": {
        "kind": _at("type"),
        "at": _raised,
        "device": _origin,
        "detail": _at("details", "message"),
    },
}


def _born(copy: Copy) -> str:
    """When the record was made. An alarm is made when it is raised."""
    at = copy.fields.get("at") if copy.stream == "alarms" else None
    try:
        return iso(datetime.fromisoformat(at or copy.created_at))
    except ValueError:
        return iso(datetime.fromisoformat(copy.created_at))


def _id(kind: str, id_: str) -> dict[str, str]:
    return {"entityType": kind, "id": id_}


def _ms(at: str) -> int:
    """Milliseconds since 1970.

    >>> _ms("2026-11-21T22:18:46.123456Z")
    1795299526123
    """
    since = datetime.fromisoformat(at) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def _time(ms: int) -> str:
    """The other way.

    >>> _time(1795299526123)
    '2026-11-21T22:18:46.123000Z'
    """
    seconds, rest = divmod(ms, 1_000)
    return iso(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000))


def _json(call: Call) -> Any:
    try:
        return call.json()
    except ValueError:
        raise Refused(400, BAD_REQUEST, "JSON parse error") from None


def _object(call: Call) -> dict[str, Any]:
    body = _json(call)
    if not isinstance(body, dict):
        raise Refused(400, BAD_REQUEST, "JSON parse error")
    return body


def _whole(call: Call, name: str) -> int:
    try:
        return int(call.param(name))
    except ValueError:
        raise Refused(400, BAD_REQUEST, f"Required request parameter '{name}' is missing or no number") from None


def _check_customer(body: Mapping[str, Any]) -> None:
    if not body.get("title"):
        raise Refused(400, BAD_REQUEST, "Customer title should be specified!")
    for name in CUSTOMER:
        given = body.get(name)
        if given is not None and not isinstance(given, str):
            raise Refused(400, BAD_REQUEST, f"JSON parse error: {name} must be text")
        if given and len(given) > LONGEST:
            raise Refused(400, BAD_REQUEST, f"Validation error: {name} length must be equal or less than {LONGEST}")
    if body.get("email") and not _EMAIL.fullmatch(body["email"]):
        raise Refused(400, BAD_REQUEST, "Invalid email address format!")


def _lean(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty fields: emptied and never filled is the same."""
    kept = {name: _lean(given) if isinstance(given, dict) else given for name, given in body.items()}
    return {name: given for name, given in kept.items() if given not in (None, "", {})}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(claims: Mapping[str, Any]) -> str:
    """A JWT."""
    head = f"{_b64(json.dumps({'alg': 'HS256'}).encode())}.{_b64(json.dumps(claims).encode())}"
    return f"{head}.{_b64(hmac.digest(_SECRET, head.encode(), hashlib.sha256))}"


def _claims(token: str) -> dict[str, Any] | None:
    """What a token says, None where it isn't one of ours."""
    head, _, signature = token.rpartition(".")
    ours = _b64(hmac.digest(_SECRET, head.encode(), hashlib.sha256))
    if not hmac.compare_digest(ours.encode(), signature.encode()):
        return None
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(head.split(".")[1] + "=="))
    return claims

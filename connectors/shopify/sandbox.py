"""Shopify's stand-in: a shop's customers, products, orders and carts behind the Admin GraphQL API.

    POST /admin/oauth/access_token           a token for a day
    POST /admin/api/{version}/graphql.json   everything else
         parse, validate ─▶ price ─▶ enough points? ─▶ run ─▶ give back what was not used
    GET, POST /files/…                       the files of bulk operations (see `bulking`, which has options of its own)

It answers from the part of the vendor's schema in `schema.graphql`. What is not certain about the vendor is an option:

    throttled_status   200 or 429      reports disagree; 200 is what the documentation shows
    index_lag_s        0.0             searches don't show what changed in the last so many seconds
    cancelled_shows    "RESTOCKED"     what a cancelled order's fulfilment status is; else "UNFULFILLED"
    metafields_touch   True            whether writing a metafield counts as a change of its owner
    deepest            25_000          how many records of one list can be paged through
    older_consent_ignored True         a consent older than the one that is known changes nothing
    keeps              ()              ids of customers whose erasure the shop refuses
    merge_ends         "COMPLETED"     how the job of a merge ends
    price              1.0             how many times the published price a query costs
    locale             "en"            the shop's own language, which a customer has who never chose one
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, build_schema, execute

from connectors.shopify.bulking import Files
from connectors.shopify.graph import Quick, actual_cost, look_up, requested_cost, understood
from connectors.shopify.mutations import MUTATIONS, SHOP
from connectors.shopify.resolvers import (
    RESOLVERS,
    Connection,
    cursor,
    everything,
    least,
    located,
    paged,
    position_of,
    size_of,
    tagged,
    times,
)
from connectors.shopify.shapes import NATIVE, PARENTS, STREAM_OF, TYPES, exact, filled, seconds
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Call, Quota, Reply, Standin, merge, route
from omnihub.sandbox.state import Obj, iso

VERSION = "2026-07"
TOKEN_S = 86_399
SINGLE_QUERY_POINTS = 1000
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"


@dataclass
class Bucket(Quota):
    """Points instead of calls: holds `calls`, and fills from empty in `per_s` seconds."""

    clock: Callable[[], float] = time.monotonic
    used: float = 0.0
    at: float = 0.0

    @property
    def restores(self) -> float:
        """Points a second."""
        return self.calls / self.per_s

    def refusal_s(self, now: float, path: str) -> float | None:
        """Never before the query is read: its price decides."""
        return None

    def left(self) -> float:
        """Points there are now."""
        now = self.clock()
        self.used, self.at = max(0.0, self.used - (now - self.at) * self.restores), now
        return self.calls - self.used

    def take(self, cost: float) -> bool:
        """Whether there were that many points; then they are taken."""
        enough = self.left() >= cost
        self.used += cost if enough else 0
        return enough


class Shopify(Standin):
    """See the module's docstring."""

    system = "shopify"
    role = "shop"
    # The dearest plan restores 2,000 points a second; a bucket holds what flows in in 20.
    default_quotas = staticmethod(lambda: (Bucket(40_000, 20.0),))
    credentials: ClassVar = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.files = Files()
        self.origin = ""  # where we were last called, so that files have an address
        self.in_bulk = False

    # -- logging in, and the one endpoint ----------------------------------------------------------------------------

    @route("POST", "/admin/oauth/access_token", open_=True)
    def login(self, call: Call) -> Reply:
        """Client credentials, as a form or as JSON."""
        sent = call.json() if "json" in call.headers.get("content-type", "") else call.form()
        if {k: sent.get(k) for k in self.credentials} != dict(self.credentials):
            return Reply(400, {"error": "application_cannot_be_found"})
        if sent.get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type"})
        token = "shpat_" + hashlib.sha256(self.state.tick().encode()).hexdigest()[:32]
        until = iso(self.now() + timedelta(seconds=TOKEN_S))
        self.state.keep("tokens", {**self.state.note("tokens", {}), token: until})
        return Reply(200, {"access_token": token, "scope": "read_all,write_all", "expires_in": TOKEN_S})

    rows_judged = "write"

    def token_of(self, call: Call) -> str:
        """Not where others have it."""
        return call.headers.get("x-shopify-access-token", "")

    def reads(self, call: Call) -> bool:
        """Queries, not mutations."""
        if call.body[:1] != b"{":  # a login, an upload
            return call.method == "GET"
        return not str(call.json().get("query")).lstrip().startswith("mutation")

    def rows(self, call: Call, reply: Reply) -> list[Any] | None:
        """Those of a connection: where ids were given, the place of a row says which it is."""
        return None if b"nodes(ids" in call.body else super().rows(call, reply)

    def authorized(self, call: Call) -> bool:
        """Whether the token is one of ours, and of today."""
        until = self.state.note("tokens", {}).get(call.headers.get("x-shopify-access-token", ""), "")
        return bool(until > iso(self.now()))

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        """Outside GraphQL an error is one sentence."""
        words = {
            401: "[API] Invalid API key or access token (unrecognized login or wrong password)",
            404: "Not Found",
            429: "Throttled",
        }
        headers = {"Retry-After": f"{wait_s:.1f}"} if status == 429 else {}
        return Reply(
            status,
            {"errors": message if status >= 500 and message else words.get(status, "Internal Server Error")},
            headers,
        )

    def after(self, call: Call, reply: Reply) -> Reply:
        """Which version answered: one that has run out falls forward to the oldest there is."""
        reply.headers.setdefault("X-Shopify-API-Version", VERSION)
        return reply

    @route("GET", "/files/{name:path}", open_=True)
    def file(self, call: Call) -> Reply:
        """A file, to whoever has its address."""
        return self.files.get(call)

    @route("POST", "/files", open_=True)
    def upload(self, call: Call) -> Reply:
        """A file of variables."""
        return self.files.take(call)

    @route("POST", "/admin/api/{version}/graphql.json")
    def graphql(self, call: Call) -> Reply:
        """One query or mutation."""
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(call.url))
        self._erase(until=iso(self.now()))
        try:
            sent = call.json()
            text, variables = sent["query"], sent.get("variables") or {}
        except (ValueError, KeyError, TypeError):
            return Reply(400, {"errors": {"query": "Required parameter missing or invalid"}})
        document, wrong = understood(SCHEMA, text)
        if document is None or wrong:
            return Reply(200, {"errors": [_invalid(e) for e in wrong]})
        requested = round(requested_cost(SCHEMA, document, variables) * self.options.get("price", 1.0))
        if requested > SINGLE_QUERY_POINTS:
            return Reply(200, {"errors": [_too_dear(requested)]})
        if self.bucket and not self.bucket.take(requested):
            return self._throttled(requested)
        result = execute(
            SCHEMA,
            document,
            context_value=self,
            variable_values=variables,
            field_resolver=_look_up,
            execution_context_class=Quick,
        )
        assert isinstance(result, ExecutionResult)
        return self._result(result, requested, mutation=text.lstrip().startswith("mutation"))

    def _result(self, result: ExecutionResult, requested: int, *, mutation: bool) -> Reply:
        if result.data is None and result.errors and not result.errors[0].path:
            code = "INVALID_VARIABLE" if "$" in result.errors[0].message else "BAD_REQUEST"
            errors = [{"message": e.message, "extensions": {"code": code}} for e in result.errors]
            return Reply(200, {"errors": errors, "extensions": {"cost": self._cost(requested, 0)}})
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [
                {"message": e.message, "path": e.path, "extensions": e.extensions or {"code": "INTERNAL_SERVER_ERROR"}}
                for e in result.errors
            ]
        body["extensions"] = {"cost": self._cost(requested, actual_cost(result.data, requested, mutation=mutation))}
        return Reply(200, body)

    def _throttled(self, requested: int) -> Reply:
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE}}
        status = self.options.get("throttled_status", 200)
        return Reply(status, {"errors": [error], "extensions": {"cost": self._cost(requested, None)}})

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        bucket = self.bucket
        if bucket and actual is not None:
            bucket.used -= requested - actual
        holds, left, restores = (bucket.calls, bucket.left(), bucket.restores) if bucket else (40_000, 40_000, 2_000)
        throttle = {"maximumAvailable": float(holds), "currentlyAvailable": int(left), "restoreRate": float(restores)}
        return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": throttle}

    # -- what was asked for, and is due -------------------------------------------------------------------------------

    def later(self) -> None:
        """Erase who is waiting for it, due or not."""
        self._erase(until="~")

    def _erase(self, until: str) -> None:
        waiting = self.state.note("erasures", {})
        due = [id_ for id_, at in waiting.items() if at <= until]
        for id_ in due:
            self._forget(id_)
        if due:
            self.state.keep("erasures", {id_: at for id_, at in waiting.items() if id_ not in due})

    def _forget(self, id_: str) -> None:
        """A customer nobody knows any more; their orders stay, without an address."""
        obj = self.living("customers", id_)
        if obj is None:
            return
        obj.body = {}
        self.save(obj)
        for held in self.state.find("metafields", "$.owner", id_):
            held.deleted, held.body = True, {}
            self.state.save(held)
        for order in self.state.find("orders", "$.customer", id_):
            order.body["shipTo"] = None
            self.save(order)

    @property
    def bucket(self) -> Bucket | None:
        """The points, unless limits are switched off."""
        return next((q for q in self.quotas if isinstance(q, Bucket)), None)

    # -- the world's copies in the vendor's shape --------------------------------------------------------------------

    def native_id(self, stream: str, n: int) -> str:
        """As in gid://shopify/Customer/7000000000001."""
        return f"gid://shopify/{TYPES[stream]}/{7_000_000_000_000 + n}"

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Only what is given; `filled` adds what every object has."""
        return NATIVE[stream](fields)

    def object(self, copy: Copy) -> Obj:
        """A merged customer is gone here; nothing says into whom but the merge job."""
        obj = super().object(copy)
        obj.deleted = obj.deleted or obj.merged_into is not None
        obj.created_at, obj.updated_at = exact(obj.created_at), exact(obj.updated_at)
        self._filled(obj)
        return obj

    def edit(self, stream: str, id_: str, fields: Mapping[str, Any]) -> None:
        """A person's edit; a change inside a product or an order is a change of it too."""
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"{self.system}/{stream}/{id_}")
        wished = self.native(stream, self.linked(stream, fields))
        if not wished.get("title", True):
            del wished["title"]  # the screens insist on one
        merge(obj.body, wished)
        self.save(obj)

    def edit_as(self, who: str, stream: str, id_: str, values: Mapping[str, Any]) -> None:
        """Somebody changes some fields in the shop's own words, such as tags; who it was, nobody is told."""
        obj = self.living(stream, id_)
        if obj is None:
            raise KeyError(f"{self.system}/{stream}/{id_}")
        obj.body |= values
        self.save(obj)

    def save(self, obj: Obj) -> Obj:
        """Keep an object, completed, and mark what it is inside of as changed."""
        self._filled(obj)
        self.state.save(obj)
        if obj.stream in PARENTS:
            stream, name = PARENTS[obj.stream]
            parent = self.state.get(stream, obj.body[name])
            if parent:
                self.state.save(parent)
        return obj

    def _filled(self, obj: Obj) -> Obj:
        return filled(obj, self.options.get("locale", "en"))

    def touch(self, id_: str) -> None:
        """Mark an object as changed."""
        obj = self.by_gid(id_)
        if obj:
            self.save(obj)

    # -- objects as GraphQL sees them ----------------------------------------------------------------------------------

    def by_gid(self, id_: str) -> Obj | None:
        """A living object by its global id, which names its type."""
        kind = id_.removeprefix("gid://shopify/").partition("/")[0]
        obj = self.living(STREAM_OF[kind], id_) if kind in STREAM_OF else None
        return obj if obj and self._parent_lives(obj) else None

    def node(self, id_: str) -> dict[str, Any] | None:
        """The same as GraphQL sees it."""
        if id_ == SHOP["id"]:
            return SHOP
        obj = self.by_gid(id_)
        return self.shown(obj) if obj else None

    def living(self, stream: str, id_: str) -> Obj | None:
        """A living object, or nothing where the id is of another type or nobody's."""
        obj = self.state.get(stream, id_)
        return obj if obj and not obj.deleted else None

    def _parent_lives(self, obj: Obj) -> bool:
        stream, name = PARENTS.get(obj.stream, ("", ""))
        return not stream or self.living(stream, obj.body[name]) is not None

    def shown(self, obj: Obj) -> dict[str, Any]:
        """An object with what all have."""
        return {
            **obj.body,
            "__typename": TYPES[obj.stream],
            "id": obj.id,
            "createdAt": seconds(obj.created_at),
            "updatedAt": seconds(obj.updated_at),
        }

    def present_customer(self, id_: str | None) -> dict[str, Any] | None:
        """The customer, or the one it was merged into."""
        for _ in range(10):
            obj = self.state.get("customers", id_) if id_ else None
            if obj is None or not obj.deleted:
                return self.shown(obj) if obj else None
            id_ = obj.merged_into
        return None

    def listed(self, stream: str, given: Mapping[str, Any]) -> Connection:
        """A page of one of the shop's lists."""
        size = size_of(given)
        position = position_of(given.get("after"))
        if position.get("deep", 0) + size > self.options.get("deepest", 25_000):
            raise GraphQLError("Pagination goes no deeper than 25000 records.", extensions={"code": "BAD_REQUEST"})
        if tag := tagged(given.get("query") or ""):
            return paged([self.shown(obj) for obj in self._tagged(stream, tag)], given)
        since, until = times(given.get("query") or "")
        if given.get("query") and self.options.get("index_lag_s"):
            lagging = iso(self.now() - timedelta(seconds=self.options["index_lag_s"]))
            until = min(until or lagging, lagging)
        if given.get("sortKey") == "UPDATED_AT":
            after = (position["at"][0], position["at"][1]) if position else None
            found = self.state.by_time(stream, since=since, until=until, after=after, limit=size + 1)
        else:
            found = self._numbered(
                stream, least(given.get("query") or ""), since, until, position.get("n", 0), size + 1
            )
        deep = position.get("deep", 0)
        cursors = [
            cursor({"at": (o.updated_at, o.id), "n": o.n, "deep": deep + i}) for i, o in enumerate(found[:size], 1)
        ]
        return Connection([self.shown(o) for o in found[:size]], cursors, more=len(found) > size, before=bool(position))

    def _numbered(self, stream: str, first: int, since: str, until: str, after: int, limit: int) -> list[Obj]:
        """Those that were changed then, in the order of their ids."""
        found: list[Obj] = []
        while len(found) < limit and (some := self.state.by_order(stream, after=after, limit=limit)):
            after = some[-1].n
            found += [
                obj
                for obj in some
                if obj.updated_at >= since
                and (not until or obj.updated_at < until)
                and int(obj.id.rpartition("/")[2]) >= first
            ]
        return found[:limit]

    def _tagged(self, stream: str, tag: str) -> list[Obj]:
        rows = self.state.ask(
            """SELECT id FROM objects WHERE stream = ? AND NOT deleted
               AND EXISTS (SELECT 1 FROM json_each(body, '$.tags') AS t WHERE t.value = ?) ORDER BY n""",
            (stream, tag),
        )
        return [obj for (id_,) in rows if (obj := self.living(stream, id_))]

    def matching(self, stream: str, search: str, size: int) -> Iterator[list[str]]:
        """The ids of all that a search finds, some at a time."""
        since, until, after = *times(search), ("", "")
        while found := self.state.by_time(stream, since=since, until=until, after=after, limit=size):
            yield [o.id for o in found]
            after = (found[-1].updated_at, found[-1].id)

    def inside(self, stream: str, parent: str, given: Mapping[str, Any]) -> Connection:
        """A page of what is inside a product or an order."""
        found = [self.shown(o) for o in self.state.find(stream, f"$.{PARENTS[stream][1]}", parent)]
        return everything(found) if self.in_bulk else paged(found, given)

    def places(self) -> list[dict[str, Any]]:
        """The locations that have anything."""
        query = """SELECT DISTINCT json_extract(body, '$.location') FROM objects
                   WHERE stream = 'inventory_levels' AND NOT deleted ORDER BY 1"""
        return [located(name) for (name,) in self.state.ask(query)]

    def on_shelves(self, place: str, given: Mapping[str, Any]) -> Connection:
        """A page of the levels of a location."""
        since = times(given.get("query") or "")[0]
        found = self.state.find("inventory_levels", "$.location", place)
        return paged([self.shown(o) for o in found if o.updated_at >= since], given)

    def metafields(self, owner: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        """An object's metafields, of one namespace or all."""
        found = [self.shown(o) for o in self.state.find("metafields", "$.owner", owner)]
        keys = given.get("keys")
        return [
            m
            for m in found
            if given.get("namespace") in (None, m["namespace"])
            and (keys is None or f"{m['namespace']}.{m['key']}" in keys)
        ]


# -- errors and the schema ---------------------------------------------------------------------------------------------


def _look_up(source: Any, info: Any, **arguments: Any) -> Any:
    return look_up(source, info.field_name)


def _invalid(error: GraphQLError) -> dict[str, Any]:
    code = "undefinedField" if error.message.startswith("Cannot query field") else "invalidQuery"
    locations = [{"line": at.line, "column": at.column} for at in error.locations or []]
    return {"message": error.message, "locations": locations, "extensions": {"code": code}}


def _too_dear(cost: int) -> dict[str, Any]:
    return {
        "message": f"Query cost is {cost}, which exceeds the single query max cost limit ({SINGLE_QUERY_POINTS}).",
        "extensions": {
            "code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": SINGLE_QUERY_POINTS, "documentation": LIMITS_PAGE,
        },
    }  # fmt: skip


def _price(value: Any) -> str:
    try:
        return f"{Decimal(str(value)):.2f}"
    except InvalidOperation:
        raise GraphQLError("is not a decimal number") from None


_OPEN = ("Discount", "DiscountContext", "DiscountItems", "DiscountCustomerGetsValue", "DiscountEffect")  # unions


def _schema() -> GraphQLSchema:
    schema = build_schema(Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8"))
    for kind, fields in {**RESOLVERS, "Mutation": MUTATIONS}.items():
        for name, resolve in fields.items():
            schema.type_map[kind].fields[name].resolve = resolve  # type: ignore[attr-defined]
    for name in (*_OPEN, "Node", "HasMetafields"):
        schema.type_map[name].resolve_type = lambda value, *_: value["__typename"]  # type: ignore[attr-defined]
    schema.type_map["Money"].parse_value = _price  # type: ignore[attr-defined]
    return schema


SCHEMA = _schema()
standin = Shopify

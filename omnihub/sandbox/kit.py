"""The kit stand-ins are made of: routes, tokens, limits, state and a server; the vendor's manners stay with the vendor.

    class Acme(Standin):
        system, role = "acme", "crm"

        @route("GET", "/accounts/{id}")
        def one(self, call: Call) -> Reply: ...

Handlers are plain functions run one at a time, so a stand-in needs no locks. Writes are in SQLite before the answer
leaves, as with a real vendor: "500, but written" is possible, and is one of the faults.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from omnihub.sandbox.copies import LINKS, Copy
from omnihub.sandbox.faults import HANG, RESET, SLOW, TRUNCATED, Faults, Hit, RowRefused, Stage, found_rows
from omnihub.sandbox.state import Obj, State


@dataclass
class Call:
    """A request as a handler sees it. `query` keeps repeated names; `path` holds the template's parts."""

    method: str
    url: str
    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    hits: Sequence[Hit] = ()  # the faults that befall it

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return next((v for k, v in self.query if k == name), default)

    def params(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return [v for k, v in self.query if k == name]

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none."""
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Reply:
    """An answer. `body` is JSON-encoded unless it is bytes or text."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def encoded(self) -> bytes:
        """The bytes that go out."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


Handler = Callable[[Any, Call], Reply]


def route(method: str, *paths: str, open_: bool = False) -> Callable[[Handler], Handler]:
    """Serve these paths with the decorated method. `open_`: no token asked (logins)."""

    def mark(handler: Handler) -> Handler:
        marks: list[tuple[str, tuple[str, ...], bool]] = handler.__dict__.setdefault("routes", [])
        marks.append((method, paths, open_))
        return handler

    return mark


@dataclass
class Quota:
    """A limit as the vendor enforces it: more than `calls` in `per_s` seconds are refused.

    `matches` is a part of the path it applies to; `penalty_s` shuts everyone out for so long after a refusal.
    """

    calls: int
    per_s: float
    matches: str = ""
    penalty_s: float = 0.0
    made: deque[float] = field(default_factory=deque, repr=False)
    shut_until: float = 0.0

    def refusal_s(self, now: float, path: str) -> float | None:
        """Seconds to wait where this call is one too many, else None (and the call is counted)."""
        if self.matches not in path:
            return None
        if now < self.shut_until:
            return self.shut_until - now
        while self.made and self.made[0] <= now - self.per_s:
            self.made.popleft()
        if len(self.made) >= self.calls:
            if self.penalty_s:
                self.shut_until = now + self.penalty_s
            return self.penalty_s or self.made[0] + self.per_s - now
        self.made.append(now)
        return None

    def remaining(self) -> int:
        """Calls left in the present window."""
        return max(0, self.calls - len(self.made))


WHERE_ON = re.compile("cursor|after|page|offset|since|start|until|token|limit|size", re.IGNORECASE)
"""Parameters that say which part of a list is asked for."""

BADGE = "/.well-known/omnihub-sandbox"  # where a stand-in says which sandbox it belongs to


class Standin:
    """A vendor, as far as the connectors talk to it.

    system: its name. role: what part of the world it is seeded with (`omnihub.sandbox.copies.ROLES`).
    `quotas` are the vendor's limits; pass `quotas=()` to switch them off. `options` holds what is uncertain about the
    vendor, to be tried both ways.
    """

    system: ClassVar[str]
    role: ClassVar[str]
    default_quotas: ClassVar[Callable[[], tuple[Quota, ...]]] = staticmethod(lambda: ())

    def __init__(
        self,
        path: Path | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        quotas: Sequence[Quota] | None = None,
        **options: Any,
    ) -> None:
        self.state = State(path, now)
        self.now: Callable[[], datetime] = lambda: now() + self.state.skew
        self.badge = ""  # which sandbox this is; see `serving`
        self.quotas = list(type(self).default_quotas() if quotas is None else quotas)
        self.options = options
        self.calls: deque[tuple[str, str, int]] = deque(maxlen=100_000)  # method, path, status
        self.faults = Faults(self.system, path.parent if path else None, self.state)
        self.whim: Callable[[], bool] | None = None  # set while rows are refused for no good reason

    # -- what each vendor fills in ------------------------------------------------------------------------------

    credentials: ClassVar[Mapping[str, str]] = {}
    """Settings the connector needs to log in here: setting → value."""

    def native_id(self, stream: str, n: int) -> str:
        """The id, in the vendor's shape, of the n-th object of a stream. Must be the same on every call."""
        raise NotImplementedError

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Canonical fields → the vendor's JSON. Only the fields given; links are ids of the vendor's shape by now."""
        raise NotImplementedError

    def authorized(self, call: Call) -> bool:
        """Whether the call carries a good token."""
        raise NotImplementedError

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        """The vendor's way to say no. Called for 401, 404, 405, 429 (with `wait_s`) and 500."""
        raise NotImplementedError

    def after(self, call: Call, reply: Reply) -> Reply:
        """A last touch on every answer (rate-limit headers)."""
        return reply

    # -- what faults ask for; most vendors need none of it -------------------------------------------------------

    rows_judged: ClassVar[Literal["whole", "write", "alone"]] = "whole"
    """How rows of a batch can fail: with one the whole batch does, each as it is written, or each where the vendor's
    code calls `judge_row`."""

    def row_refusal(self) -> Exception:
        """What the vendor's handlers raise for a row that just now can't be written, and may be next time."""
        return RowRefused("not just now")

    def judge_row(self) -> None:
        """To be called for each row of a batch, where a refusal of that row alone is caught."""
        if self.whim and self.whim():
            raise self.row_refusal()

    def token_of(self, call: Call) -> str:
        """The token a call carries."""
        return call.headers.get("authorization", "")

    def reads(self, call: Call) -> bool:
        """Whether a call only reads. Vendors whose searches are sent as POST say so."""
        return call.method == "GET"

    def rows(self, call: Call, reply: Reply) -> list[Any] | None:
        """The rows of a page, to be changed in place; None where the answer is no page. By default the first list of
        objects in it."""
        return found_rows(reply.body)

    def page_kind(self, call: Call, rows: Sequence[Any]) -> str:
        """What pages of the same list have in common: the path, what was asked for (not from where on), and the query
        of a GraphQL call."""
        sent = call.json() if call.body[:1] == b"{" else None
        asked = sorted(pair for pair in call.query if not WHERE_ON.search(pair[0]))
        return f"{urlsplit(call.url).path} {asked} {sent.get('query', '') if isinstance(sent, dict) else ''}"

    # -- seeding and people's edits -----------------------------------------------------------------------------

    def seed(self, copies: Iterable[Copy]) -> int:
        """Take the world's copies of this role in. Returns how many objects there are now."""
        return self.state.load(self.objects(copies))

    def objects(self, copies: Iterable[Copy]) -> Iterator[Obj]:
        """Copies → objects, one to one. Vendors that nest (orders with their lines) do so here."""
        for copy in copies:
            yield self.object(copy)

    def object(self, copy: Copy) -> Obj:
        """One copy in the vendor's shape."""
        return Obj(
            stream=copy.stream,
            id=self.native_id(copy.stream, copy.n),
            n=copy.n,
            body=self.native(copy.stream, self.linked(copy.stream, copy.fields)),
            created_at=copy.created_at,
            updated_at=copy.updated_at,
            deleted=copy.deleted,
            merged_into=self.native_id(copy.stream, copy.merged_into) if copy.merged_into else None,
        )

    def linked(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields with links as ids of the vendor's shape."""
        links = LINKS.get((self.role, stream), {})
        return {name: self._as_ids(links[name], value) if name in links else value for name, value in fields.items()}

    def _as_ids(self, stream: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._as_ids(stream, one) for one in value]
        return self.native_id(stream, value) if isinstance(value, int) else value

    def edit(self, stream: str, id_: str, fields: Mapping[str, Any]) -> None:
        """A person changes some canonical fields of an object in this system's own screens."""
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"{self.system}/{stream}/{id_}")
        merge(obj.body, self.native(stream, fields))
        self.state.save(obj)

    def dump(self) -> dict[str, Any]:
        """The system's whole state: stream → id → object, living ones only, without clocks and versions."""
        found: dict[str, Any] = {}
        for obj in self.state.all():
            if not obj.deleted:
                found.setdefault(obj.stream, {})[obj.id] = obj.body
        return found

    def later(self) -> None:
        """Do now what the system took on and does by itself some time later, as erasing who asked for it."""

    # -- serving ------------------------------------------------------------------------------------------------

    def app(self) -> Starlette:
        """The ASGI application."""
        routes: list[Route] = []
        for name in dir(type(self)):
            handler = getattr(type(self), name, None)
            for method, paths, open_ in getattr(handler, "routes", ()):
                routes += [Route(p, self._endpoint(handler, open_), methods=[method]) for p in paths]
        app = Starlette(routes=[*routes, Route(BADGE, self._show_badge)])
        app.add_exception_handler(404, self._missing)
        app.add_exception_handler(405, self._missing)
        return app

    async def _show_badge(self, request: Request) -> Response:
        return Response(self.badge)

    async def _missing(self, request: Request, _: Exception) -> Response:
        reply = self.error(404, message=f"no such path: {request.method} {request.url.path}")
        return _response(self._dated(reply))

    def _endpoint(self, handler: Any, open_: bool) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            call = Call(
                method=request.method,
                url=str(request.url),
                path=request.path_params,
                query=parse_qsl(request.url.query, keep_blank_values=True),
                headers=request.headers,
                body=await request.body(),
            )
            call.hits = self.faults.hits(reads=lambda: self.reads(call), logging_in=open_)
            line = {hit.fault.name: hit for hit in call.hits if hit.fault.stage is Stage.LINE}
            if SLOW in line:
                await asyncio.sleep(line[SLOW].on.seconds)
            dead = line.get(HANG) or line.get(RESET)
            if dead and dead.chance():
                return await self._dead(dead, request)  # the call never reached the system
            reply = self._answer(handler, open_, call, request.url.path)
            self.calls.append((call.method, request.url.path, reply.status))
            self._dated(reply)
            if dead:
                return await self._dead(dead, request)
            return _response(reply, line.get(TRUNCATED))

        return endpoint

    async def _dead(self, hit: Hit, request: Request) -> Response:
        """No answer, ever: at once, or when the caller has given up."""
        if hit.fault.name == HANG:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(request.receive(), hit.on.seconds)  # the body is read: next is that they leave
        return _Broken()

    def _answer(self, handler: Any, open_: bool, call: Call, path: str) -> Reply:
        if not open_ and (self.token_of(call) in self.faults.revoked or not self.authorized(call)):
            return self.error(401)
        now = time.monotonic()
        for quota in self.quotas:
            wait_s = quota.refusal_s(now, path)
            if wait_s is not None:
                return self.after(call, self.error(429, wait_s=wait_s))
        for hit in call.hits:
            if hit.fault.stage is Stage.INSTEAD:
                return self.after(call, hit.fault.act(self, call, hit))
        with contextlib.ExitStack() as odd:
            for hit in call.hits:
                if hit.fault.stage is Stage.WITHIN:
                    odd.enter_context(hit.fault.act(self, call, hit))
            return self._dated(self._worked(handler, call))

    def _dated(self, reply: Reply) -> Reply:
        """With the time by the system's own clock."""
        reply.headers.setdefault("Date", format_datetime(self.now().astimezone(UTC), usegmt=True))
        return reply

    def _worked(self, handler: Any, call: Call) -> Reply:
        before = self.state.writes
        try:
            reply: Reply = handler(self, call)
        except RowRefused as no:
            reply = self.error(409, message=str(no))
        page: list[Any] = []
        if self.faults.keeps_pages and self.reads(call) and not isinstance(reply.body, str | bytes):
            page = list(self.rows(call, reply) or ())
        for hit in call.hits:
            if hit.fault.stage is Stage.REPLY:
                reply = hit.fault.act(self, call, hit, reply, self.state.writes - before)
        if page:
            self.faults.earlier[self.page_kind(call, page)] = page
        return self.after(call, reply)


LINE = "omnihub.line"  # in the ASGI scope: the connection itself, for those who are to break it


class _Broken(Response):
    """A connection that breaks without an answer: the caller finds it reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = scope[LINE]
        if not line.is_closing():
            line.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.abort()
        await asyncio.sleep(0)  # the server notices, and does not complain about an answer that never came


class _CutOff(Response):
    """An answer that promises more than comes before the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body[: len(self.body) // 2]), "more_body": True})
        scope[LINE].close()
        await asyncio.sleep(0)


def _response(reply: Reply, truncated: Hit | None = None) -> Response:
    """What goes out; cut off in the middle, or half of it as if that were all."""
    body = reply.encoded()
    if truncated and len(body) > 1:
        if truncated.chance():
            return _CutOff(body, reply.status, reply.headers, reply.content_type)
        body = body[: len(body) // 2]
    return Response(body, reply.status, reply.headers, reply.content_type)


def _knowing_its_line(app: Starlette) -> Callable[[Scope, Receive, Send], Any]:
    """The application, with the connection in each call's scope; only the server's own `send` knows it."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        scope[LINE] = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope, receive, send)

    return called


def merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Lay a nested patch over a nested object."""
    for name, value in changes.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            merge(into[name], value)
        else:
            into[name] = value


def _listen(port: int) -> socket.socket:
    """A listening socket that says it is TCP: asyncio switches Nagle off only then, else each answer waits 40 ms."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    return listening


class Running:
    """Stand-ins being served from a thread of this process. `urls`: system → base URL."""

    def __init__(self, standins: Sequence[Standin], ports: Mapping[str, int] | None = None) -> None:
        self.standins = {s.system: s for s in standins}
        self.urls: dict[str, str] = {}
        self._servers: list[uvicorn.Server] = []
        self._sockets: list[socket.socket] = []
        for standin in standins:
            listening = _listen((ports or {}).get(standin.system, 0))
            config = uvicorn.Config(
                _knowing_its_line(standin.app()),
                log_level="error",
                access_log=False,
                lifespan="off",
                timeout_keep_alive=60,
                date_header=False,  # the system's own clock says which time it is
            )
            self.urls[standin.system] = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._servers.append(uvicorn.Server(config))
            self._sockets.append(listening)
        self._thread = threading.Thread(target=self._run, name="stand-ins", daemon=True)

    def _run(self) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(
                *(s.serve(sockets=[sock]) for s, sock in zip(self._servers, self._sockets, strict=True))
            )

        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(all_of_them())

    def start(self) -> Running:
        """Serve until `stop`."""
        self._thread.start()
        while not all(server.started for server in self._servers):
            if not self._thread.is_alive():
                raise RuntimeError("the stand-ins did not start")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """End serving and let go of the ports."""
        for server in self._servers:
            server.should_exit = True
            server.force_exit = True
        self._thread.join(timeout=10)

    def __enter__(self) -> Running:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

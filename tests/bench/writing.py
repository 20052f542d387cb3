"""A push of a stored plan beside the limit: batch size × calls in flight ÷ latency.

    floor          `requests` and as many threads: the same batches, sent and believed
    omnihub        the plan read and its hash proven, each record looked at just before, each answer read, a receipt, an
                   outcome and what was sent kept for each change
    … otherwise    the same where a look shows a record otherwise than the list did, so that each is read by its map
    … bad rows     the same where one record in a hundred is refused, each by itself: what that costs in calls

The stand-in answers every call after `LATENCY_S`, whatever it costs, and limits nobody. Looks are calls as well, made
while the batches before them are being written.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec
import requests

from tests.bench import pages
from tests.bench.measure import Measured, ask, child, measured, tell

LATENCY_S = 0.02
WAYS = ((1, 10), (10, 4), (10, 10), (100, 4), (100, 10))  # records a call, calls in flight
WITHIN_S = 10.0  # nor so many changes that none could do them within
MOST = 100  # records a look
FLOOR, OURS = "floor", "omnihub: apply"
OTHERWISE, BAD_ROWS = "omnihub: apply, looks otherwise", "omnihub: apply, 1% bad rows"
NAMES = {"push-floor": FLOOR, "push-ours": OURS, "push-otherwise": OTHERWISE, "push-bad-rows": BAD_ROWS}
OLD, NEW = "Head of Purchasing", "Head of Procurement"
WRITE, WRITE_STRICTLY, LOOK, LOOK_OTHERWISE = (
    f"/things/{way}" for way in ("batch", "batch-strictly", "look", "look-otherwise")
)
COUNT = "/things/written"


@dataclass(frozen=True)
class Pushed:
    """What a push cost, with so many records a call and so many calls in flight. calls: looks and writes."""

    batch: int
    in_flight: int
    cost: Measured
    calls: int

    @property
    def limit_per_s(self) -> float:
        """What no push can exceed, in changes per second."""
        return self.batch * self.in_flight / LATENCY_S


def run(folder: Path, changes: int, times: int = 3) -> list[Pushed]:
    """Each way: the middle one of several times."""
    found = []
    for batch, in_flight in WAYS:
        some = min(changes, int(batch * in_flight / LATENCY_S * WITHIN_S))
        for name in NAMES:
            several = [_once(folder, name, some, batch, in_flight) for _ in range(times)]
            found.append(sorted(several, key=lambda p: p.cost.seconds)[times // 2])
    return found


def _once(folder: Path, way: str, changes: int, batch: int, in_flight: int) -> Pushed:
    """With a stand-in nobody has written to."""
    with child("serve-things", changes) as url:
        [found] = ask(way, url, folder / "push", changes, batch, in_flight)
        told = requests.get(url + COUNT, timeout=5).json()
    expected = changes - (_bad_among(changes) if way == "push-bad-rows" else 0)
    if told["written"] != expected:
        raise SystemExit(f"{way}: the stand-in holds {told['written']} of {expected} changes")
    return Pushed(batch, in_flight, found, told["calls"])


def _is_bad(number: int) -> bool:
    """Whether a strict stand-in refuses this record."""
    return number % 100 == 37


def _bad_among(records: int) -> int:
    return sum(map(_is_bad, range(records)))


# -- the stand-in ----------------------------------------------------------------------------------------------------


class _Item(msgspec.Struct):
    id: str
    set: dict[str, str]


class _Batch(msgspec.Struct):
    items: list[_Item]


class _Asked(msgspec.Struct):
    ids: list[str]


DONE, REFUSED = b'{"status":200}', b'{"status":422,"code":"INVALID","message":"that is no title"}'
LATE = (WRITE, WRITE_STRICTLY, LOOK, LOOK_OTHERWISE)


class _Things:
    """Records ready to be sent, with what was written to them laid over."""

    def __init__(self, records: int) -> None:
        made = [pages.record(n) for n in range(records)]
        self.bodies = {str(r["id"]): json.dumps(r, ensure_ascii=False).encode() for r in made}
        self.ids = list(self.bodies)
        self.written: set[str] = set()
        self.calls = 0
        self._read, self._asked = msgspec.json.Decoder(_Batch).decode, msgspec.json.Decoder(_Asked).decode

    def answer(self, path: str, query: str, body: bytes) -> bytes:
        """What is said to one call."""
        self.calls += path in LATE
        if path in (WRITE, WRITE_STRICTLY):
            return self._write(body, strictly=path == WRITE_STRICTLY)
        if path in (LOOK, LOOK_OTHERWISE):
            some = [self.bodies[i] for i in self._asked(body).ids]
            if path == LOOK_OTHERWISE:
                some = [b'{"looked":true,' + b[1:] for b in some]
            return b'{"items":[' + b",".join(some) + b"]}"
        if path == COUNT:
            return json.dumps({"written": len(self.written), "calls": self.calls}).encode()
        start = int(query.partition("cursor=")[2] or 0)
        some = [self.bodies[i] for i in self.ids[start : start + 1000]]
        following = f'"{start + 1000}"' if start + 1000 < len(self.ids) else "null"
        return b'{"items":[' + b",".join(some) + b'],"next":' + following.encode() + b"}"

    def _write(self, body: bytes, *, strictly: bool) -> bytes:
        items = self._read(body).items
        results = [REFUSED if strictly and _is_bad(int(item.id)) else DONE for item in items]
        for item, result in zip(items, results, strict=True):
            if result is REFUSED:
                continue
            now = self.bodies[item.id].replace(f'"{OLD}"'.encode(), f'"{item.set["job_title"]}"'.encode())
            if now != self.bodies[item.id]:
                self.written.add(item.id)
            self.bodies[item.id] = now
        return b'{"items":[' + b",".join(results) + b"]}"


class _Late(asyncio.Protocol):
    """Answers what is looked at or written some time after it was asked; nothing else is in its way."""

    def __init__(self, things: _Things) -> None:
        self.things = things
        self.transport: asyncio.Transport | None = None
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        head, there, body = self.waiting.partition(b"\r\n\r\n")
        if not there:
            return
        lines = head.decode().split("\r\n")
        sizes = [int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:")]
        if len(body) < (sizes[0] if sizes else 0):
            return
        self.waiting = b""
        path, _, query = lines[0].split(" ")[1].partition("?")
        late_s = LATENCY_S if path in LATE else 0.0
        asyncio.get_running_loop().call_later(late_s, self._say, self.things.answer(path, query, body))

    def _say(self, body: bytes) -> None:
        assert self.transport
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


def serve(records: int) -> None:
    """Tell the address, then answer for ever."""

    async def forever() -> None:
        things = _Things(records)
        server = await asyncio.get_running_loop().create_server(lambda: _Late(things), "127.0.0.1", 0)
        tell(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()

    asyncio.run(forever())


# -- the ways --------------------------------------------------------------------------------------------------------


def floor(url: str, _: str, changes: str, batch: str, in_flight: str) -> None:
    """In a child: the same calls, without looking or remembering."""
    ids = [str(pages.record(n)["id"]) for n in range(int(changes))]
    size = int(batch)
    batches = [[{"id": i, "set": {"job_title": NEW}} for i in ids[n : n + size]] for n in range(0, len(ids), size)]

    def do() -> int:
        with requests.Session() as session, ThreadPoolExecutor(int(in_flight)) as pool:
            session.trust_env = False
            session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=int(in_flight)))

            def send(some: list[dict[str, object]]) -> int:
                answer = session.post(url + WRITE, json={"items": some}, timeout=60)
                return sum(item["status"] == 200 for item in answer.json()["items"])

            return sum(pool.map(send, batches))

    tell([measured(FLOOR, do)])


def ours(url: str, folder: str, changes: str, batch: str, in_flight: str) -> None:
    """In a child: a plan of the hub's, applied."""
    apply = _planned(url, Path(folder), int(changes), int(batch), int(in_flight), LOOK)
    tell([measured(OURS, apply)])


def otherwise(url: str, folder: str, changes: str, batch: str, in_flight: str) -> None:
    """In a child: the same, each record looked at in another shape than it was listed in."""
    apply = _planned(url, Path(folder), int(changes), int(batch), int(in_flight), LOOK_OTHERWISE)
    tell([measured(OTHERWISE, apply)])


def bad_rows(url: str, folder: str, changes: str, batch: str, in_flight: str) -> None:
    """In a child: the same, some of the records refused."""
    apply = _planned(url, Path(folder), int(changes), int(batch), int(in_flight), LOOK, WRITE_STRICTLY)
    tell([measured(BAD_ROWS, apply)])


def _planned(
    url: str, folder: Path, changes: int, batch: int, in_flight: int, look: str, write: str = WRITE
) -> Callable[[], int]:
    """Everything up to the plan: the records landed and refined, the differences as compare leaves them."""
    from omnihub.flow import Hub, apply_plan, make_and_store_plan, refine_system
    from omnihub.land import land
    from omnihub.push import Limits
    from omnihub.sdk import ByIdBatch, Connector, Cursor, Entity, Pages, Push, SendBatch, Setting, Stream
    from omnihub.store import Store, bulk, schema
    from tests.bench.reading import AT

    shutil.rmtree(folder, ignore_errors=True)
    push = Push(
        ("job_title",),
        update=SendBatch("POST", write, body="set"),
        look=ByIdBatch(look, "items", size=MOST, updated="updated_at", method="POST"),
        batch=batch,
        parallel=in_flight,
    )
    pull = Pages(pages.PATH, "items", Cursor("next", "cursor"), updated="updated_at")
    stream = Stream("things", Entity.CONTACT, AT, pull, updated="updated_at", push=push)
    connector = Connector("bench", "Bench", "CRM", (stream,), (Setting("url", "where"),))
    hub = Hub(
        Store.open(f"sqlite:///{folder / 'hub.db'}"),
        {"bench": connector},
        lambda _: {"url": url},
        limits=Limits(share=1.0),
    )
    [landed] = land(hub.store, connector, {"url": url}, run_id="bench")
    refined = refine_system(hub, "bench")["things"]
    if landed.error or landed.new != changes or refined["changed"] != changes:
        raise SystemExit(f"the records could not be read: {landed}")
    d = ("ref", "field", "entity", "system", "stream", "golden_id", "theirs", "ours", "winner", "rule")
    rows = [
        (f"bench/things/{n:08d}", "job_title", "contact", "bench", "things", f"contact_{n:08d}", OLD, NEW, None, "pin")
        for n in range(changes)
    ]
    with hub.store.write() as c:
        bulk.append(c, schema.differences, d, rows)
    plan = make_and_store_plan(hub, "bench")
    if plan.state != "ready" or plan.counts["planned"] != changes:
        raise SystemExit(f"the plan is not what it should be: {plan}")

    def apply() -> int:
        done = apply_plan(hub, plan.id)
        refused = _bad_among(changes) if write == WRITE_STRICTLY else 0
        if (done["written"], done["refused"]) != (changes - refused, refused):
            raise SystemExit(f"not everything was written: {done}")
        return changes

    return apply

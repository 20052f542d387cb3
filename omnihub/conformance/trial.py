"""A trial: one connector, its stand-in served over real HTTP and freshly seeded, and an empty hub of its own.

Time-outs are short and nobody really waits between tries: `waited_s` keeps what the connector was made to wait.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from omnihub.conformance import samples
from omnihub.conformance.rules import Broken, NotForThis
from omnihub.conformance.wire import Wire, wired
from omnihub.drift import Drift
from omnihub.flow import Hub, refine_system
from omnihub.flow.drifting import drift_of
from omnihub.flow.pushing import keep_receipts, reader
from omnihub.land import Landed, land
from omnihub.model import Change, Outcome, Ref, fields_of
from omnihub.push import Receipt, Task, apply_stream
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Running, Standin
from omnihub.sandbox.state import Obj
from omnihub.sdk import Codes, Connector, Http, Link, Push, Stream, open_client
from omnihub.store import Store, schema

FEW = 24  # records of a stream that is not read in several pages
MANY = (70, 260, 1_100, 2_600)  # tried in turn until the main stream takes three pages
TIMEOUT_S = 0.4  # a system on this machine answers sooner, or was told to hang
_numbers = itertools.count(1)


@dataclass
class Workshop:
    """What the trials of one connector share: the served stand-in, and an empty hub to copy.

    original: the connector the stand-in belongs to and the records are made for; a broken copy of it may be tried.
    """

    original: Connector
    standin: Standin
    settings: Mapping[str, str]
    folder: Path
    wire: Wire
    now: datetime
    main: str = ""
    many: int = FEW
    _baselines: dict[int, set[str]] = field(default_factory=dict)

    def seed(self, *, pages: bool = True) -> None:
        """The stand-in as it was in the beginning; `pages`: the main stream takes several of them."""
        wanted = samples.counts(self.original, FEW, self.main, self.many if pages else FEW)
        self.standin.state.clear()
        self.standin.seed(samples.copies(self.original, self.standin.role, wanted, self.now))
        self.wire.clear()

    def trial(self, connector: Connector, *, pages: bool = True) -> Trial:
        """A new one, on everything fresh."""
        self.seed(pages=pages)
        path = self.folder / f"hub_{next(_numbers)}.db"
        shutil.copy(self.folder / "empty.db", path)
        return Trial(self, connector, Store.open(f"sqlite:///{path}"))

    def baseline(self, connector: Connector) -> set[str]:
        """The ids this very connector brings of the main stream while nothing goes wrong."""
        if id(connector) not in self._baselines:
            t = self.trial(connector)
            t.pull(self.main)
            self._baselines[id(connector)] = t.known(self.main)
            t.close()
        return self._baselines[id(connector)]

    def find_pages(self) -> None:
        """Choose the main stream, and give it as many records as three pages hold."""
        streams = [s for s in self.original.streams if s.pull]
        self.main = max(streams, key=lambda s: (s.push is not None, len(s.map))).name
        for self.many in MANY:
            t = self.trial(self.original)
            [landed] = t.pull(self.main)
            t.close()
            if landed.error:
                raise Broken(f"the sound connector does not read its own stand-in: {landed.error}")
            if landed.pages >= 3:
                return


@contextmanager
def workshop(
    connector: Connector, kind: type[Standin], folder: Path, credentials: Mapping[str, str] | None = None
) -> Iterator[Workshop]:
    """Serve the stand-in for as long as the block lasts."""
    wire = Wire()
    standin = wired(kind, wire)(quotas=())
    with Running([standin]) as running:
        settings = {"url": running.urls[standin.system], **(credentials or standin.credentials)}
        Store.open(f"sqlite:///{folder / 'empty.db'}").close()
        shop = Workshop(connector, standin, settings, folder, wire, datetime.now(UTC))
        try:
            shop.find_pages()
            yield shop
        finally:
            standin.state.close()


@dataclass
class Trial:
    """See the module's docstring. `main` is a stream of several pages, where there is one."""

    shop: Workshop
    connector: Connector
    store: Store
    timeout_s: float = 30.0
    waited_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = self.connector.name
        self.standin, self.wire = self.shop.standin, self.shop.wire
        self.hub = Hub(self.store, {self.name: self.laid()}, lambda _: self.shop.settings)

    def close(self) -> None:
        """Let go of the hub."""
        self.store.close()

    def laid(self, *, unlimited: bool = True) -> Connector:
        """The connector as it is tried: nobody counts calls (where `unlimited`), nobody really waits."""

        def connect(settings: Mapping[str, str], http: Http) -> Any:
            http.wait, http.timeout_s = self.waited_s.append, (self.timeout_s, self.timeout_s)
            if unlimited:
                http.budget = None
            return self.connector.connect(settings, http)

        return replace(self.connector, limits=(), connect=connect)

    def client(self) -> Any:
        """What the streams' functions are called with."""
        return open_client(self.laid(), self.shop.settings)

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def main(self) -> Stream:
        """The stream with the most to read."""
        return self.connector.stream(self.shop.main)

    def baseline(self) -> set[str]:
        """The ids it brings of the main stream while nothing goes wrong. What it never brings is another rule's."""
        return self.shop.baseline(self.connector)

    @property
    def pulled(self) -> list[Stream]:
        """The streams that are read."""
        return [s for s in self.connector.streams if s.pull]

    def pull(self, *streams: str, full: bool = False, now: datetime | None = None) -> list[Landed]:
        """Read these streams (all without names) into the hub."""
        return land(self.store, self.laid(), self.shop.settings, run_id="trial", streams=streams, full=full, now=now)

    def pull_well(self, *streams: str, full: bool = False, now: datetime | None = None) -> list[Landed]:
        """As `pull`, where nothing may go wrong."""
        found = self.pull(*streams, full=full, now=now)
        for landed in found:
            if landed.error:
                raise Broken(f"{landed.stream}: could not be read: {landed.error}")
        return found

    def known(self, stream: str) -> set[str]:
        """The ids the hub believes to be living."""
        r = schema.records
        query = sa.select(r.c.ref).where(r.c.system == self.name, r.c.stream == stream, ~r.c.deleted)
        with self.store.read() as c:
            return {Ref.parse(ref).id for ref in c.execute(query).scalars()}

    def versions(self, stream: str) -> list[tuple[str, bytes]]:
        """(id, body) of every version kept."""
        r = schema.raw
        query = sa.select(r.c.ref, r.c.body).where(r.c.system == self.name, r.c.stream == stream).order_by(r.c.seq)
        with self.store.read() as c:
            return [(Ref.parse(ref).id, bytes(body)) for ref, body in c.execute(query)]

    def cursor(self, stream: str) -> str | None:
        """How far the stream has been read."""
        s = schema.streams
        with self.store.read() as c:
            query = sa.select(s.c.cursor).where(s.c.system == self.name, s.c.stream == stream)
            return c.execute(query).scalar()

    def refined(self, stream: str) -> dict[str, Refined]:
        """id → what the hub understood, after refining what is landed."""
        refine_system(self.hub, self.name)
        t = schema.refined
        query = sa.select(t.c.ref, t.c.fields, t.c.echoes, t.c.edits, t.c.problems).where(
            t.c.system == self.name, t.c.stream == stream, ~t.c.deleted
        )
        with self.store.read() as c:
            return {Ref.parse(row[0]).id: Refined(*(json.loads(text) for text in row[1:])) for row in c.execute(query)}

    def drift(self, stream: str) -> Drift:
        """How the records of this stream differ from what they used to be, as the hub noted it."""
        with self.store.read() as c:
            return drift_of(c, self.name, stream)

    # -- the other side -----------------------------------------------------------------------------------------

    def there(self, stream: str) -> dict[str, Obj]:
        """id → the living records the system has."""
        return {o.id: o for o in self.standin.state.all() if o.stream == stream and not o.deleted}

    def alive(self) -> int:
        """How many living records the system has, of whatever kind."""
        return sum(not o.deleted for o in self.standin.state.all())

    def some(self, stream: str) -> str:
        """The id of a record of this stream that is neither the first nor the last."""
        ids = sorted(self.there(stream))
        if not ids:
            raise NotForThis(f"the stand-in keeps no {stream} of its own")
        return ids[len(ids) // 2]

    def seeds(self, stream: str) -> list[Copy]:
        """What the stand-in was given of this stream."""
        role, wanted = self.standin.role, samples.counts(self.shop.original, FEW, self.shop.main, FEW)
        return [c for c in samples.copies(self.shop.original, role, wanted, self.shop.now) if c.stream == stream]

    def edit(self, stream: str, id_: str, n: int = 7_000, but: Sequence[str] = ()) -> str:
        """A person changes one field of this record in the system's own screens. Returns which."""
        s = self.connector.stream(stream)
        name = next((f for f in self.free(s) if f not in but), None)
        if name is None:
            raise NotForThis(f"{stream}: has no field a person could plainly edit")
        self.standin.edit(stream, id_, {name: samples.sample(fields_of(s.entity)[name], s.fields.get(name), n)})
        return name

    def free(self, stream: Stream) -> list[str]:
        """Fields of a stream that hold text of their own: no links, no codes, no consent, both ways."""
        kinds = fields_of(stream.entity)
        plain = {"text", "name", "company", "phone", "address", "city", "postal"}
        return [
            name
            for name, where in stream.fields.items()
            if where.writable and not isinstance(where, (Codes, Link)) and kinds[name].kind.value in plain
        ]

    def delete(self, stream: str, id_: str, merged_into: str | None = None) -> None:
        """A person deletes this record there, or merges it into another."""
        obj = self.standin.state.get(stream, id_)
        assert obj
        obj.deleted, obj.merged_into = True, merged_into
        self.standin.state.save(obj)

    # -- writing ------------------------------------------------------------------------------------------------

    @property
    def pushed(self) -> list[tuple[Stream, Push]]:
        """The streams that may be written, with how. NotForThis where there are none."""
        found = [(s, s.push) for s in self.connector.streams if s.push and s.pull and not self.connector.master]
        if not found:
            raise NotForThis("nothing of it is ever written")
        return found

    def wanted(self, stream: Stream, push: Push, n: int) -> dict[str, str]:
        """A new value for every field that may be written: the n-th sample."""
        kinds = fields_of(stream.entity)
        found: dict[str, str] = {}
        for name in push.fields:
            where, kind = stream.fields[name], kinds[name]
            if isinstance(where, Link):
                others = sorted(self.there(where.stream))
                if others:
                    found[name] = f"{self.name}/{where.stream}/{others[n % len(others)]}"
            elif kind.group == "consent":
                continue  # has rules of its own, which are the system's
            else:
                found[name] = samples.sample(kind, where, n)
            if len(found.get(name, "")) > push.max_length.get(name, 10_000):
                del found[name]
        return found

    def write(
        self,
        stream: Stream,
        wanted: Mapping[str, Mapping[str, str | None]],
        old: Mapping[str, Mapping[str, Any]] | None = None,
        client: Any = None,
    ) -> list[Receipt]:
        """Apply these values, id → field → new. `old`: what was planned to be replaced; else what the hub knows."""
        known = {id_: r.fields for id_, r in self.refined(stream.name).items()}
        tasks, n = [], itertools.count()
        for id_, new in wanted.items():
            before = (old or known).get(id_, {})
            ref = Ref(self.name, stream.name, id_)
            changes = tuple(
                (next(n), Change(ref, f, before.get(f), value, "trial", f"golden_{id_}")) for f, value in new.items()
            )
            tasks.append(Task(str(ref), id_, f"golden_{id_}", changes))
        receipts: list[Receipt] = []

        def receive(some: Sequence[Receipt]) -> None:
            keep_receipts(self.store, "trial", some)
            receipts.extend(some)

        apply_stream(client or self.client(), stream, tasks, reader(self.hub, self.laid(), stream), receive)
        return receipts

    def write_well(self, stream: Stream, wanted: Mapping[str, Mapping[str, str | None]]) -> list[Receipt]:
        """As `write`, where everything must be written."""
        receipts = self.write(stream, wanted)
        for r in receipts:
            if r.outcome is not Outcome.WRITTEN:
                raise Broken(
                    f"{stream.name}: a plain write of {', '.join(r.sent)} was {r.outcome}: {r.code} {r.message}"
                )
        return receipts

    def look(self, stream: Stream, ids: Sequence[str]) -> dict[str, Mapping[str, str]]:
        """id → its fields as they are now, asked as the hub asks before it writes."""
        assert stream.push
        present = reader(self.hub, self.laid(), stream)(list(stream.push.look(self.client(), list(ids))))
        return {id_: found.fields for id_, found in present.items()}


@dataclass(frozen=True)
class Refined:
    """What the hub understood of one record."""

    fields: dict[str, str]
    echoes: list[str]
    edits: list[str]
    problems: dict[str, Any]

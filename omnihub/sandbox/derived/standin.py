"""A declared connector's stand-in: its operations behind real routes, its limits as quotas, its records in one file."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from omnihub.errors import ConfigError
from omnihub.sandbox.copies import ROLES, Copy, Guest
from omnihub.sandbox.derived import graph, jobs, reading, samples, writing
from omnihub.sandbox.derived.entrance import Entrance, entrance
from omnihub.sandbox.derived.operations import Operation, Refusal, best
from omnihub.sandbox.derived.quotas import left, quotas
from omnihub.sandbox.derived.shape import Shape, dig, parts, put, shapes
from omnihub.sandbox.kit import Call, Reply, Standin, merge, route
from omnihub.sandbox.state import Obj
from omnihub.sdk import (
    ByIdBatch,
    ByIds,
    ByKeys,
    Connector,
    Delete1,
    Erase1,
    Export,
    FullName,
    GraphByIds,
    GraphPages,
    GraphSend,
    Link1,
    Pages,
    Send1,
    SendBatch,
    SendJob,
    Stream,
    Upsert1,
    UpsertBatch,
)

SERVED: dict[type, Callable[[Shape, Any, list[str]], Iterator[Operation]]] = {
    Pages: reading.pages,
    ByIds: reading.by_ids,
    ByIdBatch: reading.by_id_batch,
    ByKeys: reading.by_keys,
    Send1: writing.send1,
    SendBatch: writing.send_batch,
    Upsert1: writing.upsert1,
    UpsertBatch: writing.send_batch,
    Link1: writing.link1,
    Delete1: writing.delete1,
    Erase1: writing.erase1,
    GraphPages: graph.graph_pages,
    GraphByIds: graph.graph_by_ids,
    GraphSend: graph.graph_send,
    Export: jobs.export,
    SendJob: jobs.send_job,
}
"""Which declared values are served, and by what. Everything else is a Python function."""


class Derived(Standin):
    """A stand-in nobody wrote. `guesses`: what the declaration does not say, and what was taken for it."""

    connector: ClassVar[Connector]
    shapes: ClassVar[Mapping[str, Shape]]
    entrance: ClassVar[Entrance]
    guesses: ClassVar[tuple[str, ...]]
    guest: ClassVar[Guest]
    places: ClassVar[Mapping[tuple[str, str], list[Operation]]]

    # -- shape --------------------------------------------------------------------------------------------------------

    def native_id(self, stream: str, n: int) -> str:
        return f"{stream}-{n}"

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return self.shapes[stream].native(fields)

    def linked(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        links = self.shapes[stream].links
        return {
            name: self.native_id(links[name], value) if name in links and isinstance(value, int) else value
            for name, value in fields.items()
        }

    def alive(self, stream: str, id_: str) -> bool:
        """Whether there is such a record; those inside others, and of streams of no interest, are taken on trust."""
        shape = self.shapes.get(stream)
        if shape is None or shape.stream.nested:
            return True
        found = self.state.get(stream, id_)
        return found is not None and not found.deleted

    # -- seeding and people's edits -----------------------------------------------------------------------------------

    def objects(self, copies: Iterable[Copy]) -> Iterator[Obj]:
        """Records inside others go into them, which therefore wait until all are there."""
        holders: dict[tuple[str, str], Obj] = {}
        for copy in copies:
            shape = self.shapes[copy.stream]
            if shape.stream.nested:
                self._put_inside(shape, copy, holders)
            elif shape.nested:
                obj = self.object(copy)
                holders[copy.stream, obj.id] = obj
            else:
                yield self.object(copy)
        yield from holders.values()

    def _put_inside(self, shape: Shape, copy: Copy, holders: Mapping[tuple[str, str], Obj]) -> None:
        nested, fields = shape.stream.nested, self.linked(copy.stream, copy.fields)
        assert nested
        of = fields.get(shape.holder or "of")
        holder = holders.get((nested.of, self.native_id(nested.of, of) if isinstance(of, int) else str(of)))
        if holder is None or copy.deleted:
            return
        record = self.native(copy.stream, fields)
        put(record, shape.key, self.native_id(copy.stream, copy.n))
        inside = dig(holder.body, nested.path)
        put(holder.body, nested.path, [*(inside if isinstance(inside, list) else ()), record])

    def edit(self, stream: str, id_: str, fields: Mapping[str, Any]) -> None:
        """As in `Standin`; where a name is one text, the part nobody changed stays."""
        shape = self.shapes[stream]
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"{self.system}/{stream}/{id_}")
        changed = self.native(stream, self.linked(stream, {**_whole_names(shape, obj, fields), **fields}))
        _lay_over(obj.body, changed)
        self.state.save(obj)

    def seed_samples(self, n: int) -> int:
        """So many plausible records in each stream, linked among each other, where there is no world."""
        return self.seed(samples.copies(self.shapes, n, self.now()))

    # -- coming in, and being refused ---------------------------------------------------------------------------------

    def authorized(self, call: Call) -> bool:
        return self.entrance.authorized(self, call)

    def token_of(self, call: Call) -> str:
        auth = self.connector.auth
        where, param = getattr(auth, "header", "Authorization"), getattr(auth, "param", "")
        return call.param(param) if param else call.headers.get(where, "")

    def reads(self, call: Call) -> bool:
        """Whether a call only reads: queries and searches that are sent as POST do too."""
        return call.method == "GET" or any(
            operation.reads and operation.fits(call) > 0
            for (method, path), operations in self.places.items()
            if method == call.method and path == urlsplit(call.url).path
            for operation in operations
        )

    rows_judged = "alone"

    def row_refusal(self) -> Exception:
        return Refusal(503, "not just now")

    def after(self, call: Call, reply: Reply) -> Reply:
        """With how many calls are left, where the declaration reads that from a header."""
        reply.headers |= left(self.connector.limits, self.quotas)
        return reply

    def _answer(self, handler: Any, open_: bool, call: Call, path: str) -> Reply:
        """Limits may be for some methods only, so the quotas are told which one it is."""
        return super()._answer(handler, open_, call, f"{call.method} {path}")

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        words = {401: "no good token", 404: "not found", 405: "no such method", 429: "too many calls"}
        body = {"status": status, "code": code or str(status), "message": message or words.get(status, "it failed")}
        return Reply(status, body, {"Retry-After": str(math.ceil(wait_s))} if wait_s else {})

    def refused(self, no: Refusal) -> Reply:
        """A refusal, with the fields it is about."""
        reply = self.error(no.status, message=str(no))
        reply.body["errors"] = [{"field": f.field, "message": f.message} for f in no.faults]
        return reply

    def _serve(self, operations: Sequence[Operation], call: Call) -> Reply:
        meant = best(operations, call)
        if meant is None:
            return self.error(400, message="none of what is served here is asked with these parameters")
        try:
            return meant.handle(self, meant.named(call))
        except Refusal as no:
            return self.refused(no)


def _whole_names(shape: Shape, obj: Obj, fields: Mapping[str, Any]) -> dict[str, str]:
    """The present parts of names that are kept as one text, for those of which a part is to change."""
    found: dict[str, str] = {}
    for name, where in shape.own.items():
        touched = any(isinstance(w, FullName) and w.path == where.path for n, w in shape.own.items() if n in fields)
        if isinstance(where, FullName) and touched:
            text = dig(obj.body, where.path)
            first, _, last = (text if isinstance(text, str) else "").partition(" ")
            found[name] = first if where.part == "first" else last
    return found


def _lay_over(body: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """A person changes one field of one entry of a list; the others stay, unlike in what is sent to an address."""
    for name, value in changes.items():
        present = body.get(name)
        if isinstance(value, list) and isinstance(present, list):
            for n, entry in enumerate(value):
                if n >= len(present):
                    present.append(entry)
                elif isinstance(entry, Mapping) and isinstance(present[n], dict):
                    _lay_over(present[n], entry)
        elif isinstance(value, Mapping) and isinstance(present, dict):
            _lay_over(present, value)
        else:
            merge(body, {name: value})


# -- out of the declaration --------------------------------------------------------------------------------------------


def derivable(connector: Connector) -> bool:
    """Whether anything of it is declared in a way a stand-in can be made from."""
    return any(type(value) in SERVED for stream in connector.streams for _, value in _values(stream))


def derive(connector: Connector) -> type[Derived]:
    """The stand-in of a declared connector. ConfigError: it is written in Python functions, which say nothing."""
    if not derivable(connector):
        raise ConfigError(
            f"{connector.name}: its streams are Python functions, so no stand-in can be derived; write one "
            f"(connectors/{connector.name}/sandbox.py, as in connectors/portal/sandbox.py)"
        )
    notes: list[str] = []
    shown = shapes(connector)
    way_in = entrance(connector, notes)
    guest = _guest(connector, shown)
    operations = [*way_in.operations, *_operations(connector, shown, notes)]
    places: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in operations:
        places[operation.place].append(operation)
    body: dict[str, Any] = {
        "__doc__": "\n".join([f"{connector.title}, derived from its declaration. Guessed:", *notes]),
        "__module__": __name__,
        "system": connector.name,
        "role": guest.role,
        "guest": guest,
        "connector": connector,
        "shapes": shown,
        "entrance": way_in,
        "credentials": way_in.credentials,
        "guesses": tuple(dict.fromkeys(notes)),
        "default_quotas": staticmethod(lambda: quotas(connector.limits)),
        "places": dict(places),
        **{f"serve_{rank:03d}": handler for rank, handler in enumerate(_handlers(places))},
    }
    return type(connector.name.title().replace("_", ""), (Derived,), body)


def _guest(connector: Connector, shown: Mapping[str, Shape]) -> Guest:
    """What the world can fill it with."""
    said = {(s.name, name): words for s in shown.values() for name in s.map if (words := s.says(name)) is not None}
    return Guest(
        role=connector.name if connector.name not in ROLES else f"{connector.name}-declared",
        streams={name: shape.entity for name, shape in shown.items()},
        holds={name: tuple(shape.own) for name, shape in shown.items()},
        links={name: shape.links for name, shape in shown.items()},
        says=said,
        inside={name: s.stream.nested.of for name, s in shown.items() if s.stream.nested},
        master=connector.master,
    )


def _values(stream: Stream) -> Iterator[tuple[str, Any]]:
    """(what it is for, the value) of everything a stream declares."""
    push = stream.push
    declared: dict[str, Any] = {"pull": stream.pull}
    if push is not None:
        declared |= {name: getattr(push, name) for name in ("look", "update", "create", "find", "delete", "erase")}
        declared["many"] = push.many.send if push.many else None
    for what, value in declared.items():
        for part in parts(value):
            yield what, part


def _operations(connector: Connector, shown: Mapping[str, Shape], notes: list[str]) -> Iterator[Operation]:
    for stream in connector.streams:
        done: list[Any] = []
        for what, value in _values(stream):
            serve = SERVED.get(type(value))
            if serve is None:
                notes.append(f"{stream.name}: {what} is a Python function, so it is not served")
            elif value not in done:
                done.append(value)
                yield from serve(shown[stream.name], value, notes)


def _handlers(places: Mapping[tuple[str, str], list[Operation]]) -> Iterator[Callable[[Any, Call], Reply]]:
    """One handler a place; those with the fewest open parts come first, or `/x/{id}` would take `/x/batch`."""
    for (method, path), operations in sorted(places.items(), key=lambda item: (item[0][1].count("{"), item[0])):
        yield _handler(method, path, operations)


def _handler(method: str, path: str, operations: list[Operation]) -> Callable[[Any, Call], Reply]:
    @route(method, path, open_=all(operation.open_ for operation in operations))
    def serve(self: Derived, call: Call) -> Reply:
        return self._serve(operations, call)

    return serve

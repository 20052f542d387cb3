"""Writing: one record a call or many, judged by what the declaration says of their fields, with versions kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from omnihub.sandbox.derived.operations import Operation, Refusal, body_of, living, meant
from omnihub.sandbox.derived.reading import keyed, shown
from omnihub.sandbox.derived.shape import MISSING, Fault, Shape, dig, put
from omnihub.sandbox.kit import Call, Reply, merge
from omnihub.sandbox.state import Obj
from omnihub.sdk import Delete1, Erase1, Link1, Results, Send1, SendBatch, Upsert1, UpsertBatch

UNLOCKED = "*"  # what an If-Match says that means whatever is there
STALE = 412


# -- one record a call -------------------------------------------------------------------------------------------------


def send1(shape: Shape, value: Send1, notes: list[str]) -> Iterator[Operation]:
    """Changes one record; a path without an id makes one."""
    if value.method == "PUT" and not value.whole:
        notes.append(f"{shape.name}: PUT leaves what is not sent as it is")
    notes.append(f"{shape.name}: a list that is sent replaces the one there")

    def serve(standin: Any, call: Call) -> Reply:
        if "{id}" not in value.path:
            return shown(shape, create(standin, shape, unwrapped(call, value.wrap)), value.wrap, 201)
        obj = _meant(standin, shape, call)
        _locked(call, obj, must=bool(value.etag or value.tagged))
        if value.method == "DELETE":
            return _gone(standin, obj)
        body = unwrapped(call, value.wrap)
        if value.version:
            match(obj, dig(body, value.version))
        change(standin, shape, obj, body, whole=value.whole)
        return shown(shape, obj, value.wrap)

    yield Operation(value.method, value.path, _said(value, serve), meant({}, path=value.path))
    if value.tagged:

        def one(standin: Any, call: Call) -> Reply:
            return shown(shape, _meant(standin, shape, call), value.item)

        yield Operation("GET", value.path, one, meant({}, path=value.path), reads=True)


def upsert1(shape: Shape, value: Upsert1, notes: list[str]) -> Iterator[Operation]:
    """Makes the record with the caller's key, or changes the one that has it."""

    def serve(standin: Any, call: Call) -> Reply:
        body = unwrapped(call, value.wrap)
        obj, made = upsert(standin, shape, call.path.get("key") or _key(body, value.external), body)
        reply = shown(shape, obj, value.wrap, 201 if made else 200)
        put(reply.body, value.id, obj.id)
        return reply

    yield Operation(value.method, value.path, _said(value, serve), meant({}, path=value.path))


def delete1(shape: Shape, value: Delete1, notes: list[str]) -> Iterator[Operation]:
    """Takes a record away."""

    def serve(standin: Any, call: Call) -> Reply:
        obj = _meant(standin, shape, call)
        _locked(call, obj, must=bool(value.etag))
        return _gone(standin, obj)

    yield Operation(value.method, value.path, _said(value, serve), meant({}, path=value.path))


def erase1(shape: Shape, value: Erase1, notes: list[str]) -> Iterator[Operation]:
    """Forgets who a record is about: what is left of it, where deleted ones show, says nothing but that it is gone."""

    def serve(standin: Any, call: Call) -> Reply:
        obj = standin.state.get(shape.name, call.path["id"])
        if obj is None or (obj.deleted and not obj.body):
            raise Refusal(404, f"no {shape.name} {call.path['id']}")
        obj.body = {}
        return _gone(standin, obj)

    yield Operation(value.method, value.path, _said(value, serve), meant({}, path=value.path))


def link1(shape: Shape, value: Link1, notes: list[str]) -> Iterator[Operation]:
    """Joins a record with another, and takes them apart."""
    where = shape.own.get(value.link)
    if where is None:
        notes.append(f"{shape.name}: {value.link} is not in the field map, so joining shows nowhere")
        return

    def joined(standin: Any, call: Call, other: str | None) -> Reply:
        obj = _meant(standin, shape, call)
        if other is not None and not standin.alive(shape.links.get(value.link, ""), other):
            raise Refusal(404, f"no {shape.links.get(value.link, 'record')} {other}")
        if other is not None or str(dig(obj.body, where.path)) == call.path["other"]:
            put(obj.body, where.path, other)
            standin.state.save(obj)
        return Reply(204)

    def join(standin: Any, call: Call) -> Reply:
        return joined(standin, call, call.path["other"])

    def part(standin: Any, call: Call) -> Reply:
        return joined(standin, call, None)

    yield Operation(value.method, value.path, _said(value, join), meant({}, path=value.path))
    if value.remove:
        yield Operation(value.remove, value.path, _said(value, part), meant({}, path=value.path))


def _meant(standin: Any, shape: Shape, call: Call) -> Obj:
    return living(standin.state.get(shape.name, call.path["id"]), f"{shape.name} {call.path['id']}")


def _gone(standin: Any, obj: Obj) -> Reply:
    obj.deleted = True
    standin.state.save(obj)
    return Reply(204)


def _locked(call: Call, obj: Obj, *, must: bool) -> None:
    said = call.headers.get("If-Match")
    if must or said:
        match(obj, said)


def unwrapped(call: Call, wrap: str) -> Any:
    """The payload out of the object it must stand in."""
    body = body_of(call)
    if not wrap:
        return body
    if not isinstance(body, dict) or wrap not in body:
        raise Refusal(422, f"the record must stand in {wrap!r}")
    return body[wrap]


def _key(body: Any, external: str) -> str:
    found = dig(body, external) if external else MISSING
    if found in (MISSING, None, ""):
        raise Refusal(422, f"the record must have a key at {external or 'its address'}")
    return str(found)


Single = Send1 | Upsert1 | Delete1 | Erase1 | Link1


def _said(value: Single, serve: Any) -> Any:
    """The operation, with refusals in the words the declaration reads."""

    def told(standin: Any, call: Call) -> Reply:
        try:
            reply: Reply = serve(standin, call)
            return reply
        except Refusal as no:
            if no.status == STALE and STALE not in value.drifted and value.drifted:
                no.status = value.drifted[0]
            if no.status in (404, 410, 428, *value.drifted):
                raise
            return _refused(standin, value, no)

    return told


def _refused(standin: Any, value: Single, no: Refusal) -> Reply:
    code = no.faults[0].field if no.faults else str(no.status)
    body: dict[str, Any] = {}
    if value.errors:
        error: dict[str, Any] = {}
        put(error, value.code or "code", code)
        put(error, value.message or "message", str(no))
        put(body, value.errors, [error])
        return Reply(200, body)
    reply: Reply = standin.refused(no)
    for path, text in ((value.code, code), (value.message, str(no))):
        if path:
            put(reply.body, path, text)
    return reply


# -- many records a call -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of a row: the record, or why not. name: its id, or the key of what was to be made."""

    name: str
    obj: Obj | None
    no: Refusal | None = None


def send_batch(shape: Shape, value: SendBatch, notes: list[str]) -> Iterator[Operation]:
    """Writes many. A row that is refused spoils no other."""

    def serve(standin: Any, call: Call) -> Reply:
        sent = call.headers.get(value.once) if value.once else None
        if sent and (before := standin.state.note(f"once:{shape.name}:{sent}")):
            return Reply(200, before)
        outcomes = write_all(standin, shape, value, items_of(shape, call, value.wrap))
        body = told(value, outcomes)
        if sent:
            standin.state.keep(f"once:{shape.name}:{sent}", body)
        return Reply(200, body)

    yield Operation(value.method, value.path, serve, meant({}, path=value.path))


def items_of(shape: Shape, call: Call, wrap: str, most: int = 0) -> list[Any]:
    """The rows of a batch; a refusal of them all where there are too many."""
    items = unwrapped(call, wrap)
    most = most or (shape.stream.push.batch if shape.stream.push else 1)
    if not isinstance(items, list) or not 0 < len(items) <= most:
        raise Refusal(422, f"{wrap or 'the body'} must be a list of 1 to {most} records")
    return items


def write_all(standin: Any, shape: Shape, value: Any, items: Sequence[Any]) -> list[Outcome]:
    """Each row on its own. `value`: a `SendBatch`, `UpsertBatch` or `SendJob`."""
    return [_one_of_many(standin, shape, value, item) for item in items]


def _one_of_many(standin: Any, shape: Shape, value: Any, item: Any) -> Outcome:
    version = getattr(value, "version", "")
    external = getattr(value, "external", "")
    name = ""
    try:
        if not isinstance(item, dict):
            raise Refusal(422, "each must be a JSON object")
        id_ = "" if isinstance(value, UpsertBatch) else str(item.get(value.item_id) or "")
        name = id_ or (_key(item, external) if external else "")
        standin.judge_row()
        beside = {value.item_id, version} - {""} if id_ else set()
        body = item.get(value.body, {}) if value.body else {k: v for k, v in item.items() if k not in beside}
        if not id_ and external:
            return Outcome(name, upsert(standin, shape, name, body)[0])
        if not id_:
            return Outcome(name, create(standin, shape, body))
        obj = living(standin.state.get(shape.name, id_), f"{shape.name} {id_}")
        if version:
            match(obj, item.get(version))
        return Outcome(name, change(standin, shape, obj, body))
    except Refusal as no:
        return Outcome(name, None, no)


def told(value: Results, outcomes: Sequence[Outcome]) -> Any:
    """What is answered to a batch, the way the declaration reads it."""
    shown = [_result(value, n, outcome) for n, outcome in enumerate(outcomes) if outcome.no or not value.failed_only]
    body: dict[str, Any] = {}
    if not value.results:
        return shown
    put(body, value.results, shown)
    return body


def _result(value: Results, n: int, outcome: Outcome) -> dict[str, Any]:
    result: dict[str, Any] = {}
    no = outcome.no
    status = 200 if no is None else _status(value, no)
    put(result, value.id, outcome.obj.id if outcome.obj else outcome.name or None)
    for path, said in ((value.by, outcome.name), (value.at, n), (value.ok, no is None)):
        if path:
            put(result, path, said)
    if not value.ok:
        put(result, value.status, status)
    if no is not None:
        stale = no.status == STALE and value.drifted_codes
        later = no.status == 503 and value.later
        put(result, value.code, value.drifted_codes[0] if stale else value.later[0] if later else str(no.status))
        put(result, value.message, str(no))
    return result


def _status(value: Results, no: Refusal) -> int:
    return value.drifted[0] if no.status == STALE and STALE not in value.drifted and value.drifted else no.status


# -- what each of them does --------------------------------------------------------------------------------------------


def match(obj: Obj, said: Any) -> None:
    """Refuse who changes another version than there is, or does not say which."""
    if said in (None, "", MISSING):
        raise Refusal(428, f"say which version of {obj.id} you change")
    if str(said).removeprefix("W/").strip('"') not in (UNLOCKED, str(obj.version)):
        raise Refusal(STALE, f"{obj.id} was changed in the meantime")


def create(standin: Any, shape: Shape, body: Any, stamps: Mapping[str, Any] | None = None) -> Obj:
    """A new record; a refusal names the fields."""
    judge(standin, shape, body, None)
    made = _without_stamps(shape, body)
    for path, value in (stamps or {}).items():
        put(made, path, value)
    id_ = standin.native_id(shape.name, standin.state.next_n(shape.name))
    return standin.state.create(shape.name, id_, made)  # type: ignore[no-any-return]


def upsert(standin: Any, shape: Shape, key: str, body: Any) -> tuple[Obj, bool]:
    """(the record with this key, whether it was made just now)."""
    present = keyed(standin, shape, key)
    if present:
        return change(standin, shape, present[0], body), False
    obj = create(standin, shape, body, {shape.external: key} if shape.external else None)
    if not shape.external:
        standin.state.keep(f"key:{shape.name}:{key}", obj.id)
    return obj, True


def change(standin: Any, shape: Shape, obj: Obj, body: Any, whole: bool = False) -> Obj:
    """Lay what was sent over the record; lists are taken as they come. `whole`: what was not sent is empty then."""
    judge(standin, shape, body, shape.shown(obj))
    sent = _without_stamps(shape, body)
    if whole:
        kept = {path: found for path in _stamped(shape) if (found := dig(obj.body, path)) is not MISSING}
        obj.body = sent
        for path, value in kept.items():
            put(obj.body, path, value)
    else:
        merge(obj.body, sent)
    return standin.state.save(obj)  # type: ignore[no-any-return]


def _without_stamps(shape: Shape, body: dict[str, Any]) -> dict[str, Any]:
    """What was sent, without what only this system sets: it would be shown twice."""
    sent = deepcopy(body)
    for path in _stamped(shape):
        _drop(sent, path)
    return sent


def _stamped(shape: Shape) -> list[str]:
    marks = (shape.key, shape.updated, shape.deleted.partition("=")[0], shape.merged_into, shape.version)
    mapped = {where.path for where in shape.own.values()}
    return [path for path in (*marks, shape.external) if path and path not in mapped]


def _drop(document: Any, path: str) -> None:
    *way, last = path.split(".")
    for part in way:
        document = document.get(part) if isinstance(document, dict) else None
    if isinstance(document, dict):
        document.pop(last, None)


def judge(standin: Any, shape: Shape, body: Any, present: dict[str, Any] | None) -> None:
    """Raise what is wrong with what was sent."""
    longest = shape.stream.push.max_length if shape.stream.push else {}
    faults: list[Fault] = shape.faults(body, present, standin.alive, longest)
    if faults:
        raise Refusal(422, "; ".join(f"{f.field or 'the record'} {f.message}" for f in faults), faults)

"""Writing: one record a call or many, judged by what the declaration says of their fields, with versions kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from omnihub.sandbox.derived.operations import Operation, Refusal, body_of, living, meant
from omnihub.sandbox.derived.reading import wrapped
from omnihub.sandbox.derived.shape import MISSING, Fault, Shape, dig
from omnihub.sandbox.kit import Call, Reply, merge
from omnihub.sandbox.state import Obj
from omnihub.sdk import Send1, SendBatch
from omnihub.sdk.fieldmap import put

UNLOCKED = "*"  # what an If-Match says that means whatever is there


def send1(shape: Shape, value: Send1, notes: list[str]) -> Iterator[Operation]:
    """Writes one record: PATCH and the like change what is sent, DELETE takes it away, POST without an id makes one."""
    makes = "{id}" not in value.path

    def serve(standin: Any, call: Call) -> Reply:
        if makes:
            return wrapped(shape.shown(create(standin, shape, _unwrapped(call, value.wrap))), value.wrap, status=201)
        obj = living(standin.state.get(shape.name, call.path["id"]), f"{shape.name} {call.path['id']}")
        if value.etag:
            match(obj, call.headers.get("If-Match"))
        if value.method == "DELETE":
            obj.deleted = True
            standin.state.save(obj)
            return Reply(204)
        change(standin, shape, obj, _unwrapped(call, value.wrap))
        return wrapped(shape.shown(obj), value.wrap, obj.version if shape.version else None)

    yield Operation(value.method, value.path, serve, meant({}, path=value.path))


def _unwrapped(call: Call, wrap: str) -> Any:
    body = body_of(call)
    if not wrap:
        return body
    if not isinstance(body, dict) or wrap not in body:
        raise Refusal(422, f"the record must stand in {wrap!r}")
    return body[wrap]


def send_batch(shape: Shape, value: SendBatch, notes: list[str]) -> Iterator[Operation]:
    """Writes many, with one result for each in the same order. A row that is refused spoils no other."""

    def serve(standin: Any, call: Call) -> Reply:
        key = f"once:{call.headers.get(value.once)}" if value.once and call.headers.get(value.once) else ""
        if key and (said := standin.state.note(key)):
            return Reply(200, said)
        items = dig(body_of(call), value.wrap)
        if not isinstance(items, list):
            raise Refusal(422, f"the records must stand in a list at {value.wrap!r}")
        if not 0 < len(items) <= batch_of(shape):
            raise Refusal(422, f"{value.wrap} takes 1 to {batch_of(shape)} records")
        body: dict[str, Any] = {}
        put(body, value.results, [_result(standin, shape, value, item) for item in items])
        if key:
            standin.state.keep(key, body)
        return Reply(200, body)

    yield Operation(value.method, value.path, serve, meant({}, path=value.path))


def batch_of(shape: Shape) -> int:
    """How many rows one call may bring."""
    return shape.stream.push.batch if shape.stream.push else 1


def _result(standin: Any, shape: Shape, value: SendBatch, item: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    try:
        obj = _one_of_many(standin, shape, value, item)
        put(result, "id", obj.id)
        put(result, value.status, 200)
    except Refusal as no:
        put(result, "id", item.get("id") if isinstance(item, dict) else None)
        put(result, value.status, no.status)
        put(result, value.code, str(no.status))
        put(result, value.message, str(no))
    return result


def _one_of_many(standin: Any, shape: Shape, value: SendBatch, item: Any) -> Obj:
    if not isinstance(item, dict):
        raise Refusal(422, "each must be a JSON object")
    named = {"id", value.version} - {""}
    body = item.get(value.body, {}) if value.body else {k: v for k, v in item.items() if k not in named}
    if not item.get("id"):
        return create(standin, shape, body)
    obj = living(standin.state.get(shape.name, str(item["id"])), f"{shape.name} {item['id']}")
    if value.version:
        match(obj, item.get(value.version))
    return change(standin, shape, obj, body)


# -- what each of them does --------------------------------------------------------------------------------------------


def match(obj: Obj, said: Any) -> None:
    """Refuse who changes another version than there is, or does not say which."""
    if said in (None, ""):
        raise Refusal(428, f"say which version of {obj.id} you change")
    if str(said).removeprefix("W/").strip('"') not in (UNLOCKED, str(obj.version)):
        raise Refusal(412, f"{obj.id} was changed in the meantime")


def create(standin: Any, shape: Shape, body: Any, stamps: Mapping[str, Any] | None = None) -> Obj:
    """A new record; a refusal names the fields."""
    judge(standin, shape, body, None)
    made = _without_stamps(shape, body)
    for path, value in (stamps or {}).items():
        put(made, path, value)
    id_ = standin.native_id(shape.name, standin.state.next_n(shape.name))
    return standin.state.create(shape.name, id_, made)  # type: ignore[no-any-return]


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

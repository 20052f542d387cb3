"""GraphQL: the declared query is read, and answered field by field out of the state; no schema is needed.

A record is the JSON its field map reads, so a selection picks from it by the names the answer has. What the query does
not ask for is not in the answer, whatever the map says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import graphql
from graphql.language import ast

from omnihub.sandbox.derived.lists import PAGE, cut, position, since_of, token
from omnihub.sandbox.derived.operations import NO, Operation, Refusal, body_of
from omnihub.sandbox.derived.shape import MISSING, Shape, dig, put
from omnihub.sandbox.derived.writing import change, create, upsert
from omnihub.sandbox.kit import Call, Reply
from omnihub.sdk import GraphByIds, GraphPages, GraphSend


@dataclass(frozen=True)
class Asked:
    """A call's document, read: the fields of its operation, the fragments, the variables."""

    fields: list[ast.FieldNode]
    fragments: Mapping[str, ast.FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def at(self, path: str) -> ast.FieldNode | None:
        """The field at a dotted path of the answer, `data` left out."""
        fields, found = self.fields, None
        for name in path.removeprefix("data.").split("."):
            found = next((f for f in fields if _name(f) == name), None)
            if found is None:
                return None
            fields = self.inside(found.selection_set)
        return found

    def inside(self, selection: ast.SelectionSetNode | None) -> list[ast.FieldNode]:
        """The fields of a selection, those of its fragments among them."""
        found: list[ast.FieldNode] = []
        for node in selection.selections if selection else ():
            if isinstance(node, ast.FieldNode):
                found.append(node)
            elif isinstance(node, ast.InlineFragmentNode):
                found += self.inside(node.selection_set)
            elif isinstance(node, ast.FragmentSpreadNode) and node.name.value in self.fragments:
                found += self.inside(self.fragments[node.name.value].selection_set)
        return found

    def picked(self, value: Any, selection: ast.SelectionSetNode | None) -> Any:
        """What a selection leaves of a value."""
        if selection is None or value is None:
            return value
        if isinstance(value, list):
            return [self.picked(one, selection) for one in value]
        if not isinstance(value, Mapping):
            return value
        return {_name(f): self.picked(value.get(_name(f)), f.selection_set) for f in self.inside(selection)}


def asked(call: Call) -> Asked:
    """The call's document; a refusal where it is none, or lacks a variable it needs."""
    body = body_of(call)
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Refusal(400, "a GraphQL call must have a query")
    variables = body.get("variables") or {}
    try:
        document = graphql.parse(body["query"])
    except graphql.GraphQLError as error:
        raise Refusal(400, f"the query does not parse: {error.message}") from None
    wanted = body.get("operationName")
    operations = [d for d in document.definitions if isinstance(d, ast.OperationDefinitionNode)]
    operations = [d for d in operations if not wanted or (d.name and d.name.value == wanted)]
    if len(operations) != 1:
        raise Refusal(400, "which operation is meant?")
    known = dict[str, Any]()
    for declared in operations[0].variable_definitions or ():
        name = declared.variable.name.value
        known[name] = variables.get(name, _default(declared))
        if isinstance(declared.type, ast.NonNullTypeNode) and known[name] is None:
            raise Refusal(400, f"the variable ${name} is missing")
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, ast.FragmentDefinitionNode)}
    read = Asked([], fragments, known)
    return Asked(read.inside(operations[0].selection_set), fragments, known)


def _default(declared: ast.VariableDefinitionNode) -> Any:
    return graphql.value_from_ast_untyped(declared.default_value) if declared.default_value else None


def _name(field: ast.FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value


# -- the operations ----------------------------------------------------------------------------------------------------


def _fits(document: str, path: str) -> Any:
    """Fits calls with just this document best, and those that ask for something at the same place."""
    want = re.sub(r"\s+", " ", document).strip()

    def fits(call: Call) -> int:
        try:
            sent = call.json()
            if re.sub(r"\s+", " ", sent["query"]).strip() == want:
                return 100
            return 1 if asked(call).at(path) is not None else NO
        except (ValueError, TypeError, KeyError, Refusal):
            return 0

    return fits


def graph_pages(shape: Shape, value: GraphPages, notes: list[str]) -> Iterator[Operation]:
    """A connection, or a plain list."""
    if value.since:
        notes.append(f"{shape.name}: {', '.join(value.since)} leaves out what changed before that time")
    for name in value.variables:
        notes.append(f"{shape.name}: the variable {name} means nothing here")

    def serve(standin: Any, call: Call) -> Reply:
        read = asked(call)
        field = read.at(value.items)
        if field is None:
            raise Refusal(400, f"the query asks for nothing at {value.items}")
        selected = {_name(f) for f in read.inside(field.selection_set)}
        since = since_of(value.since, _with_variables(call, read))
        if not selected & {"nodes", "edges"}:
            records = [shape.shown(obj) for obj in cut(standin.state, shape, since=since).found]
            return _answer({value.items: read.picked(records, field.selection_set)})
        size = read.variables.get(value.first) if value.first else None
        after = position(str(read.variables.get(value.after) or ""))
        since = max(since, after[0]) if after and shape.updated else since
        most = min(int(size), value.size) if size else value.size or PAGE
        page = cut(standin.state, shape, since=since, after=after, size=most)
        records = [shape.shown(obj) for obj in page.found]
        connection = {
            "nodes": records,
            "edges": [{"node": record, "cursor": None} for record in records],
            "pageInfo": {
                "hasNextPage": page.more,
                "endCursor": token(page.after) if page.found else None,
                "hasPreviousPage": after is not None,
                "startCursor": None,
            },
            "totalCount": len(records),
        }
        return _answer({value.items: read.picked(connection, field.selection_set)})

    yield Operation("POST", value.path, _said(serve), _fits(value.query, value.items), reads=True)


def graph_by_ids(shape: Shape, value: GraphByIds, notes: list[str]) -> Iterator[Operation]:
    """Records by their ids; null for what is gone."""

    def serve(standin: Any, call: Call) -> Reply:
        read = asked(call)
        field = read.at(value.items)
        ids = read.variables.get(value.ids)
        if field is None or not isinstance(ids, list) or len(ids) > value.size:
            raise Refusal(400, f"${value.ids} takes up to {value.size} ids")
        found = [standin.state.get(shape.name, str(id_)) for id_ in ids]
        records = [shape.shown(obj) if obj and not obj.deleted else None for obj in found]
        return _answer({value.items: read.picked(records, field.selection_set)})

    yield Operation("POST", value.path, _said(serve), _fits(value.query, value.items), reads=True)


def graph_send(shape: Shape, value: GraphSend, notes: list[str]) -> Iterator[Operation]:
    """A mutation: by id it changes a record, by key it makes or changes one, without either it makes one."""
    if callable(value.variables):
        notes.append(f"{shape.name}: the mutation's variables are a Python function, so it is not served")
        return
    template = value.variables

    def serve(standin: Any, call: Call) -> Reply:
        read = asked(call)
        field = read.at(value.result)
        if field is None:
            raise Refusal(400, f"the mutation asks for nothing at {value.result}")
        sent: dict[str, Any] = {}
        untemplated(template, call.json().get("variables") or {}, sent)
        payload: dict[str, Any] = {}
        try:
            obj = _written(standin, shape, sent)
        except Refusal as no:
            put(payload, value.errors, _errors(value, no))
            return _answer({value.result: read.picked(payload, field.selection_set)})
        put(payload, value.errors, [])
        record = shape.shown(obj)
        for inner in read.inside(field.selection_set):
            if inner.selection_set and _name(inner) not in payload:
                payload[_name(inner)] = record
        if value.id and dig(payload, value.id) is MISSING:
            put(payload, value.id, obj.id)
        return _answer({value.result: read.picked(payload, field.selection_set)})

    yield Operation("POST", value.path, _said(serve), _fits(value.mutation, value.result))


def _written(standin: Any, shape: Shape, sent: Mapping[str, Any]) -> Any:
    body = sent.get("body") or {}
    if sent.get("id"):
        obj = standin.state.get(shape.name, sent["id"])
        if obj is None or obj.deleted:
            raise Refusal(404, f"no {shape.name} {sent['id']}")
        if "body" in sent:
            return change(standin, shape, obj, body)
        obj.deleted = True  # a mutation that names a record and nothing else takes it away
        return standin.state.save(obj)
    if sent.get("key"):
        return upsert(standin, shape, sent["key"], body)[0]
    return create(standin, shape, body)


def _errors(value: GraphSend, no: Refusal) -> list[dict[str, Any]]:
    errors = []
    for name, message in [(f.field, f.message) for f in no.faults] or [("", str(no))]:
        error: dict[str, Any] = {}
        put(error, value.field, name.split(".") if name else None)
        put(error, value.message, f"{name} {message}".strip())
        put(error, value.code, {404: "NOT_FOUND", 422: "INVALID"}.get(no.status, str(no.status)))
        errors.append(error)
    return errors


def untemplated(template: Any, sent: Any, found: dict[str, Any]) -> None:
    """What stands in `sent` where the template has {id}, {key}, {parent} or {body}.

    >>> found = {}
    >>> untemplated({"input": {"id": "gid/{id}", "*": "{body}"}}, {"input": {"id": "gid/7", "name": "x"}}, found)
    >>> found
    {'id': '7', 'body': {'name': 'x'}}
    """
    if template == "{body}":
        found["body"] = sent
    elif isinstance(template, Mapping) and isinstance(sent, Mapping):
        for name, inner in template.items():
            if name == "*":
                untemplated(inner, {k: v for k, v in sent.items() if k not in template}, found)
            elif name in sent:
                untemplated(inner, sent[name], found)
    elif isinstance(template, list | tuple) and isinstance(sent, list):
        for inner, one in zip(template, sent, strict=False):
            untemplated(inner, one, found)
    elif isinstance(template, str) and isinstance(sent, str):
        names = re.findall(r"\{(id|key|parent)\}", template)
        pattern = re.sub(r"\\\{(id|key|parent)\\\}", "(.*)", re.escape(template))
        if names and (read := re.fullmatch(pattern, sent)):
            found |= dict(zip(names, read.groups(), strict=True))


# -- answers -----------------------------------------------------------------------------------------------------------


def _with_variables(call: Call, read: Asked) -> Call:
    texts = [(name, str(value)) for name, value in read.variables.items() if value is not None]
    return Call(call.method, call.url, call.path, texts, call.headers, call.body, call.hits)


def _answer(values: Mapping[str, Any]) -> Reply:
    body: dict[str, Any] = {}
    for path, value in values.items():
        put(body, path, value)
    return Reply(200, body)


def _said(serve: Any) -> Any:
    """Refusals the GraphQL way: in a 200."""

    def told(standin: Any, call: Call) -> Reply:
        try:
            reply: Reply = serve(standin, call)
            return reply
        except Refusal as no:
            error = {
                "message": str(no),
                "extensions": {"code": "BAD_USER_INPUT" if no.status < 500 else "INTERNAL_ERROR"},
            }
            return Reply(200, {"data": None, "errors": [error]})

    return told

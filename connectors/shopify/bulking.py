"""Bulk operations of the stand-in: a query or many mutations worked through at once, and a file of lines to fetch.

Its options:

    bulk_s           0.0     how long an operation takes, by the shop's clock
    bulk_ends        COMPLETED, or FAILED, EXPIRED, CANCELED
    bulk_error       the error code of one that failed
    bulk_places      5       operations at a time
    bulk_null_url    True    an operation that found nothing has no file; else it has an empty one
    bulk_children    "last"  lines of what is inside others come at the end; "grouped": right after them
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    execute,
    parse,
    print_ast,
)

from connectors.shopify.graph import Quick, look_up, understood
from connectors.shopify.shapes import STREAM_OF
from omnihub.sandbox.kit import Call, Reply
from omnihub.sandbox.state import iso

if TYPE_CHECKING:
    from connectors.shopify.sandbox import Shopify

PLACES = 5
CONNECTIONS, DEPTH = 5, 2
AT_ONCE = 200  # records worked out in one go
KEPT = 40  # files kept

ROOTS = {
    "customers": "Customer", "products": "Product", "orders": "Order", "abandonedCheckouts": "AbandonedCheckout",
}  # fmt: skip


class Files:
    """What lies at the store of files, by its name: results to fetch, variables somebody uploaded."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, name: str, body: bytes) -> None:
        """Keep a file; the oldest goes when there are too many."""
        self.held[name] = body
        while len(self.held) > KEPT:
            del self.held[next(iter(self.held))]

    def get(self, call: Call) -> Reply:
        """A file, or the span of it that is asked for."""
        body = self.held.get(call.path["name"])
        if body is None:
            return Reply(404, "NoSuchKey", content_type="text/plain")
        span = call.headers.get("range", "").removeprefix("bytes=")
        if not span:
            return Reply(200, body, content_type="application/jsonl")
        first, _, last = span.partition("-")
        start, end = int(first), min(int(last or len(body)), len(body) - 1)
        if start > end:
            return Reply(200 if not body else 416, b"", {"Content-Range": f"bytes */{len(body)}"})
        told = {"Content-Range": f"bytes {start}-{end}/{len(body)}"}
        return Reply(206, body[start : end + 1], told, content_type="application/jsonl")

    def take(self, call: Call) -> Reply:
        """A file that is uploaded as a form."""
        head = b"Content-Type: " + call.headers.get("content-type", "").encode() + b"\r\n\r\n"
        form = message_from_bytes(head + call.body)
        parts: dict[Any, Any] = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in form.walk()
            if not part.is_multipart()
        }
        if "key" not in parts or "file" not in parts:
            return Reply(400, "a form with key and file is wanted", content_type="text/plain")
        self.put(parts["key"].decode(), parts["file"])
        return Reply(201, "", content_type="application/xml")


# -- starting --------------------------------------------------------------------------------------------------------


def staged(root: Any, info: GraphQLResolveInfo, input: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where a file may be put, for each one asked for."""
    shop: Shopify = info.context
    targets = []
    for _ in input:
        name = f"tmp/{_number(shop)}/lines.jsonl"
        parameters = [{"name": "key", "value": name}, {"name": "policy", "value": "sandbox"}]
        targets.append({"url": f"{shop.origin}/files", "resourceUrl": None, "parameters": parameters})
    return {"stagedTargets": targets, "userErrors": []}


def run_query(root: Any, info: GraphQLResolveInfo, query: str, groupObjects: bool = False) -> dict[str, Any]:
    """Start a query."""
    shop: Shopify = info.context
    wrong = _wrong_query(info.schema, query)
    if wrong:
        return _refused("INVALID", wrong, ["query"])
    if _running(shop, "QUERY") >= shop.options.get("bulk_places", PLACES):
        return _refused("OPERATION_IN_PROGRESS", "A bulk query operation for this app and shop is already in progress")
    roots, inside = _results(shop, info.schema, query, groupObjects or shop.options.get("bulk_children") == "grouped")
    return _operation(shop, "QUERY", [*roots, *inside], sum("__parentId" not in r for r in roots))


def run_mutation(
    root: Any,
    info: GraphQLResolveInfo,
    mutation: str,
    stagedUploadPath: str,
    clientIdentifier: str | None = None,
    groupObjects: bool | None = True,
) -> dict[str, Any]:
    """Carry out a mutation once a line of the file."""
    shop: Shopify = info.context
    document, wrong = understood(info.schema, mutation)
    if document is None or wrong:
        return _refused("INVALID_MUTATION", wrong[0].message, ["mutation"])
    if stagedUploadPath not in shop.files.held:
        return _refused("NO_SUCH_FILE", "The JSONL file could not be found", ["stagedUploadPath"])
    if _running(shop, "MUTATION") >= shop.options.get("bulk_places", PLACES):
        return _refused("OPERATION_IN_PROGRESS", "A bulk mutation operation for this app is already in progress")
    lines = shop.files.held[stagedUploadPath].splitlines()
    if shop.options.get("bulk_ends", "COMPLETED") != "COMPLETED":
        lines = lines[: len(lines) // 2]
    said = [{**_executed(shop, info.schema, mutation, json.loads(line)), "__lineNumber": n} for n, line in _all(lines)]
    return _operation(shop, "MUTATION", said, len(said))


def _all(lines: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    return ((n, line) for n, line in enumerate(lines) if line.strip())


def cancel(root: Any, info: GraphQLResolveInfo, id: str) -> dict[str, Any]:
    """End an operation."""
    shop: Shopify = info.context
    held = shop.state.note("bulk", {})
    if id in held:
        held[id]["ends"] = "CANCELED"
        shop.state.keep("bulk", held)
    return {"bulkOperation": operation(root, info, id), "userErrors": []}


def operation(root: Any, info: GraphQLResolveInfo, id: str) -> dict[str, Any] | None:
    """An operation as it is now: who takes its time shows what it has only when it is done."""
    shop: Shopify = info.context
    held = shop.state.note("bulk", {}).get(id)
    if held is None:
        return None
    status = held["ends"] if _is_over(shop, held) else "RUNNING"
    shown = {**held, "__typename": "BulkOperation", "status": status, "url": None, "partialDataUrl": None}
    if status == "COMPLETED":
        return {**shown, "url": held["file"], "completedAt": held["createdAt"]}
    if status == "FAILED":
        return {**shown, "errorCode": shop.options.get("bulk_error", "TIMEOUT"), "partialDataUrl": held["file"]}
    return {**shown, "fileSize": None}


def _operation(shop: Shopify, kind: str, lines: Sequence[Mapping[str, Any]], roots: int) -> dict[str, Any]:
    n = _number(shop)
    id_ = f"gid://shopify/BulkOperation/{n}"
    body = b"".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines)
    ends = shop.options.get("bulk_ends", "COMPLETED")
    if ends == "FAILED" and kind == "QUERY":
        body = body[: len(body) // 2].rpartition(b"\n")[0]
    there = bool(body) or not shop.options.get("bulk_null_url", True)
    if there:
        shop.files.put(f"bulk-{n}.jsonl", body)
    made = {
        "id": id_, "type": kind, "ends": ends, "errorCode": None, "createdAt": iso(shop.now())[:19] + "Z",
        "over": iso(shop.now() + timedelta(seconds=shop.options.get("bulk_s", 0.0))), "completedAt": None,
        "file": f"{shop.origin}/files/bulk-{n}.jsonl?signature=sandbox" if there else None,
        "fileSize": len(body) if there else None, "objectCount": len(lines), "rootObjectCount": roots, "query": "",
    }  # fmt: skip
    shop.state.keep("bulk", {**dict(list(shop.state.note("bulk", {}).items())[-KEPT:]), id_: made})
    shown = {**made, "__typename": "BulkOperation", "status": "CREATED", "url": None, "partialDataUrl": None}
    return {"bulkOperation": {**shown, "fileSize": None, "rootObjectCount": 0, "objectCount": 0}, "userErrors": []}


def _refused(code: str, message: str, field: Sequence[str] | None = None) -> dict[str, Any]:
    return {"bulkOperation": None, "userErrors": [{"code": code, "field": field, "message": message}]}


def _running(shop: Shopify, kind: str) -> int:
    return sum(o["type"] == kind and not _is_over(shop, o) for o in shop.state.note("bulk", {}).values())


def _is_over(shop: Shopify, held: Mapping[str, Any]) -> bool:
    return bool(held["ends"] == "CANCELED" or shop.now() >= datetime.fromisoformat(held["over"]))


def _number(shop: Shopify) -> int:
    n = int(shop.state.note("bulk_number", 0)) + 1
    shop.state.keep("bulk_number", n)
    return n


# -- working ---------------------------------------------------------------------------------------------------------


def _executed(shop: Shopify, schema: GraphQLSchema, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    document, _ = understood(schema, text)
    assert document
    done = execute(
        schema,
        document,
        context_value=shop,
        variable_values=dict(variables),
        field_resolver=lambda source, info, **given: look_up(source, info.field_name),
        execution_context_class=Quick,
    )
    assert isinstance(done, ExecutionResult)
    errors = [{"message": e.message, "path": e.path} for e in done.errors or []]
    return {**({"data": done.data} if done.data is not None else {}), **({"errors": errors} if errors else {})}


def _results(
    shop: Shopify, schema: GraphQLSchema, text: str, grouped: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(the lines, those that come after all others)."""
    root = _root(text)
    given = {a.name.value: getattr(a.value, "value", None) for a in root.arguments}
    node = _node_of(root)
    asked = " ".join(_bounded(s) for s in node.selections)
    query = f"query q($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {ROOTS[root.name.value]} {{ {asked} }} }} }}"
    lines: list[dict[str, Any]] = []
    inside: list[dict[str, Any]] = []
    for ids in shop.matching(STREAM_OF[ROOTS[root.name.value]], str(given.get("query") or ""), AT_ONCE):
        shop.in_bulk = True
        try:
            found = _executed(shop, schema, query, {"ids": ids})["data"]["nodes"]
        finally:
            shop.in_bulk = False
        for one in found:
            if one is not None:
                own, children = _split(one)
                lines.append(own)
                (lines if grouped else inside).extend(children)
    return lines, inside[::-1]


def _split(one: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A record without its lists, and what is in them, each saying whose it is."""
    lists = {name: part for name, part in one.items() if isinstance(part, dict) and "edges" in part}
    own = {name: part for name, part in one.items() if name not in lists}
    return own, [{**edge["node"], "__parentId": one["id"]} for part in lists.values() for edge in part["edges"]]


def _bounded(selection: Any) -> str:
    """A list inside, with the number of records the executor insists on."""
    text = print_ast(selection)
    if isinstance(selection, FieldNode) and _node_of(selection).selections and not selection.arguments:
        return text.replace(selection.name.value, f"{selection.name.value}(first: 250)", 1)
    return text


def _root(text: str) -> FieldNode:
    [definition] = parse(text).definitions
    assert isinstance(definition, OperationDefinitionNode)
    [field] = definition.selection_set.selections
    assert isinstance(field, FieldNode)
    return field


def _node_of(field: FieldNode) -> SelectionSetNode:
    """What is selected of the nodes of a list; nothing where it is none."""
    for edges in field.selection_set.selections if field.selection_set else ():
        if isinstance(edges, FieldNode) and edges.name.value == "edges" and edges.selection_set:
            for node in edges.selection_set.selections:
                if isinstance(node, FieldNode) and node.name.value == "node" and node.selection_set:
                    return node.selection_set
    return SelectionSetNode(selections=())


def _wrong_query(schema: GraphQLSchema, text: str) -> str:
    document, wrong = understood(schema, text)
    if document is None or wrong:
        return wrong[0].message
    root = _root(text)
    if root.name.value not in ROOTS:
        return "Bulk queries must contain at least one connection."
    deep, many = _lists(root)
    if many > CONNECTIONS or deep > DEPTH:
        return f"Bulk queries cannot contain more than {CONNECTIONS} connections, nested {DEPTH} deep."
    names = {s.name.value for s in _node_of(root).selections if isinstance(s, FieldNode)}
    return "" if many == 1 or "id" in names else "The parent 'node' field for a nested connection must select the 'id'."


def _lists(field: FieldNode) -> tuple[int, int]:
    """(how deep lists lie in each other, how many there are), this one included."""
    below = [_lists(s) for s in _node_of(field).selections if isinstance(s, FieldNode) and _node_of(s).selections]
    return 1 + max((deep for deep, _ in below), default=0), 1 + sum(many for _, many in below)


BULK_QUERIES: dict[str, Any] = {"bulkOperation": operation}
BULK_MUTATIONS: dict[str, Any] = {
    "stagedUploadsCreate": staged,
    "bulkOperationRunQuery": run_query,
    "bulkOperationRunMutation": run_mutation,
    "bulkOperationCancel": cancel,
}

"""Bulk operations: the shop works through a large query, or very many mutations, by itself and leaves a file of lines.

    start ─▶ a place free? ─▶ poll bulkOperation(id) ─▶ COMPLETED ─▶ fetch the file piece by piece
             five at a time                             FAILED, EXPIRED, CANCELED ─▶ NotDone

A line is one object. What is inside another names it, `__parentId`, and need not stand near it: the lines of a file
that has such are first dealt out to files on disk by whom they belong to, so that no more than one part of them is ever
in memory. A record put together from its lines has the bytes of its own line and theirs, laid out as a list shows it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import msgspec

from connectors.shopify.shop import MUTATION_POINTS, Answered, Error, Shop, failure
from omnihub.errors import BrokenAnswer, ConfigError, RetryableError
from omnihub.sdk import Exchange, Record, exchange, value_at

log = logging.getLogger("omnihub.shopify")

PIECE = 8 << 20  # bytes of a file fetched at a time
PART = 16 << 20  # bytes of lines joined in memory at a time
MOST_PARTS = 200  # files open at a time
FIRST_WAIT_S, MOST_WAIT_S = 0.5, 15.0  # between two looks at an operation
PATIENCE_S = 3 * 3600.0  # an operation that takes longer is given up
FULL = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})  # all places are taken, by whomever
OPERATION = "id status errorCode createdAt fileSize rootObjectCount url partialDataUrl"

START_QUERY = f"""mutation start($query: String!) {{
  bulkOperationRunQuery(query: $query, groupObjects: false) {{
    bulkOperation {{ {OPERATION} }} userErrors {{ code field message }}
  }}
}}"""
START_MUTATION = f"""mutation start($mutation: String!, $path: String!) {{
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path) {{
    bulkOperation {{ {OPERATION} }} userErrors {{ code field message }}
  }}
}}"""
POLL = f"query poll($id: ID!) {{ bulkOperation(id: $id) {{ {OPERATION} }} }}"
CANCEL = "mutation cancel($id: ID!) { bulkOperationCancel(id: $id) { userErrors { field message } } }"
STAGE = """mutation stage($input: [StagedUploadInput!]!) {
  stagedUploadsCreate(input: $input) {
    stagedTargets { url parameters { name value } } userErrors { field message }
  }
}"""


class NotDone(Exception):
    """The operation did not come to its end; nothing it may have left proves anything about what is not in it."""


class Operation(msgspec.Struct, rename="camel", frozen=True):
    """An operation as the shop tells of it. Numbers too long for JSON come as text."""

    id: str
    status: str
    created_at: str
    error_code: str | None = None
    file_size: int | str | None = None
    root_object_count: int | str = 0
    url: str | None = None
    partial_data_url: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status not in ("CREATED", "RUNNING", "CANCELING")


# -- starting and waiting --------------------------------------------------------------------------------------------


def run_query(shop: Shop, text: str) -> Operation:
    """Run a query to its end. NotDone where it has not come to one."""
    with shop.places:
        done = _finished(shop, _started(shop, START_QUERY, {"query": text}, "bulkOperationRunQuery", safe=True))
    if done.status != "COMPLETED":
        raise NotDone(f"{done.status} {done.error_code or ''}".strip())
    return done


def run_mutation(shop: Shop, text: str, lines: Sequence[Mapping[str, Any]]) -> Operation:
    """Run a mutation once a line, each line the variables for it, and wait for the end, whatever it is."""
    path = _uploaded(shop, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    with shop.places:
        given = {"mutation": text, "path": path}
        # not repeated where the answer is lost: it may be running, and it would be run twice
        return _finished(shop, _started(shop, START_MUTATION, given, "bulkOperationRunMutation", safe=False))


def _started(shop: Shop, document: str, given: Mapping[str, Any], name: str, *, safe: bool) -> Operation:
    """Start it, as soon as one of the shop's places is free: other processes start operations too."""
    waited_s, wait_s = 0.0, FIRST_WAIT_S
    while True:
        answer = shop.ask(document, given, cost=MUTATION_POINTS, safe=safe)
        told = value_at(answer.response.content, f"data.{name}.userErrors") or []
        if not told:
            return _operation(answer, f"data.{name}.bulkOperation")
        if told[0].get("code") not in FULL:
            raise BrokenAnswer(f"{shop.http.system}: {name} refused with {told[0].get('code')}")
        if waited_s > PATIENCE_S:
            raise RetryableError(f"{shop.http.system}: other bulk operations never ended; run again later")
        shop.http.wait(wait_s)
        waited_s, wait_s = waited_s + wait_s, min(2 * wait_s, MOST_WAIT_S)


def _finished(shop: Shop, operation: Operation) -> Operation:
    waited_s, wait_s = 0.0, FIRST_WAIT_S
    while not operation.over:
        if waited_s > PATIENCE_S:
            shop.ask(CANCEL, {"id": operation.id}, cost=MUTATION_POINTS)
            raise NotDone(f"not done after {waited_s:.0f} s")
        shop.http.wait(wait_s)
        waited_s, wait_s = waited_s + wait_s, min(2 * wait_s, MOST_WAIT_S)
        operation = _operation(shop.ask(POLL, {"id": operation.id}, cost=1), "data.bulkOperation")
    if operation.error_code == "ACCESS_DENIED":
        raise failure(shop.http.system, Error(extensions={"code": operation.error_code}), b"")
    return operation


def _operation(answer: Answered, path: str) -> Operation:
    found: Operation | None = value_at(answer.response.content, path, Operation)
    if found is None:
        raise NotDone("the shop does not know it any more")
    return found


def _uploaded(shop: Shop, body: bytes) -> str:
    """Put a file where the shop can read it; the path it knows it by."""
    wanted = {"resource": "BULK_MUTATION_VARIABLES", "filename": "lines.jsonl", "mimeType": "text/jsonl"}
    answer = shop.ask(STAGE, {"input": [{**wanted, "httpMethod": "POST"}]}, cost=MUTATION_POINTS)
    told = value_at(answer.response.content, "data.stagedUploadsCreate")
    if told["userErrors"] or not told["stagedTargets"]:
        raise BrokenAnswer(f"{shop.http.system}: there is no place to upload a file of mutations to")
    [target] = told["stagedTargets"]
    form = {p["name"]: p["value"] for p in target["parameters"]}
    files = {"file": ("lines.jsonl", body, "text/jsonl")}
    sent = shop.files.request("POST", target["url"], data=form, files=files, safe=True)
    if sent.status_code >= 400:
        raise RetryableError(f"{shop.http.system}: the upload of mutations failed with {sent.status_code}")
    return str(form["key"])


# -- the file --------------------------------------------------------------------------------------------------------


def pieces(shop: Shop, url: str, size: int | None = None, piece: int = PIECE) -> Iterator[tuple[Exchange, list[bytes]]]:
    """The lines of a file, `piece` bytes of it at a time. NotDone where it is gone, or shorter than was said."""
    start, rest, whole = 0, b"", False
    while not whole:
        span = {"Range": f"bytes={start}-{start + piece - 1}", "Accept-Encoding": "identity"}
        answer = shop.files.get(url, headers=span)
        if 400 <= answer.status_code < 500:
            raise NotDone(f"its file answers {answer.status_code}")
        shop.files.refuse(answer)
        start += len(answer.content)
        *lines, rest = (rest + answer.content).split(b"\n")
        whole = answer.status_code == 200 or start >= _total(answer.headers.get("Content-Range", ""))
        if whole and size is not None and start != size:
            raise NotDone(f"its file has {start} of {size} bytes")
        yield exchange(answer), [line for line in [*lines, *([rest] if whole else [])] if line.strip()]


def _total(content_range: str) -> int:
    """How long the whole file is, as in "bytes 0-99/1234"; one that does not say so ends here."""
    told = content_range.rpartition("/")[2]
    return int(told) if told.isdigit() else 0


class _Mark(msgspec.Struct):
    id: str | None = None
    parent: str | None = msgspec.field(name="__parentId", default=None)
    updated: str | None = msgspec.field(name="updatedAt", default=None)


_mark = msgspec.json.Decoder(_Mark).decode
_PARENT = re.compile(rb',\s*"__parentId"\s*:\s*"[^"]*"\s*}$')
_KIND = re.compile(r"^gid://shopify/(\w+)/")


def objects(
    shop: Shop, done: Operation, inside: Mapping[str, str], part: int = PART
) -> Iterator[tuple[Exchange, list[Record]]]:
    """The records of an operation that completed. `inside`: type of what is inside one → the list it belongs to.

    At most about `part` bytes of them are in memory at a time.
    """
    if done.url is None:  # nothing was found
        return
    size = int(done.file_size) if done.file_size is not None else None
    found = 0
    for seen, some in _joined(shop, done.url, size, inside, part) if inside else _plain(shop, done.url, size):
        found += len(some)
        yield seen, some
    if found < int(done.root_object_count):
        raise NotDone(f"its file shows {found} of {done.root_object_count} records")


def _plain(shop: Shop, url: str, size: int | None) -> Iterator[tuple[Exchange, list[Record]]]:
    at = 0
    for seen, lines in pieces(shop, url, size):
        yield seen, [_record(at + n, line, _read(line)) for n, line in enumerate(lines)]
        at += len(lines)


def _joined(
    shop: Shop, url: str, size: int | None, inside: Mapping[str, str], most: int
) -> Iterator[tuple[Exchange, list[Record]]]:
    """Deal the lines out by whom they belong to, then put together what lies in one part."""
    with contextlib.ExitStack() as opened:
        count = min(MOST_PARTS, 1 + (size or 0) // most)
        parts: list[IO[bytes]] = [opened.enter_context(tempfile.TemporaryFile()) for _ in range(count)]
        at, seen = 0, None
        for seen, lines in pieces(shop, url, size):  # noqa: B007  the last one stands for all of them
            for n, line in enumerate(lines, at):
                mark = _read(line)
                parts[zlib.crc32((mark.parent or mark.id or "").encode()) % count].write(b"%d %s\n" % (n, line))
            at += len(lines)
        for part in parts:
            part.seek(0)
            if seen is not None:
                yield seen, list(_together(part, inside))


def _together(part: IO[bytes], inside: Mapping[str, str]) -> Iterator[Record]:
    owners: dict[str | None, tuple[int, bytes, _Mark]] = {}
    belongings: dict[str, dict[str, list[tuple[int, bytes]]]] = defaultdict(lambda: defaultdict(list))
    for numbered in part:
        number, _, line = numbered.rstrip(b"\n").partition(b" ")
        mark = _read(line)
        if mark.parent is None:
            owners[mark.id] = (int(number), line, mark)
        else:
            kind = _KIND.match(mark.id or "")
            name = inside.get(kind[1] if kind else "")
            if name is None:
                raise BrokenAnswer("shopify: a bulk operation shows something inside a record that nobody asked for")
            belongings[mark.parent][name].append((_place(mark.id), _PARENT.sub(b"}", line.rstrip())))
    for id_, (n, line, mark) in owners.items():
        yield _record(n, _whole(line, belongings.pop(id_, {}) if id_ else {}, inside.values()), mark)
    if belongings:
        raise NotDone(f"its file has lines inside of {len(belongings)} records that it does not show")


def _whole(line: bytes, belongings: Mapping[str, Sequence[tuple[int, bytes]]], names: Any) -> bytes:
    """A record as a list shows it, from the lines as they came."""
    lists = [
        b',"%s":{"nodes":[%s],"pageInfo":{"hasNextPage":false}}'
        % (name.encode(), b",".join(raw for _, raw in sorted(belongings.get(name, ()))))
        for name in names
    ]
    return line.rstrip().removesuffix(b"}") + b"".join(lists) + b"}"


def _place(id_: str | None) -> int:
    """Lists show what was made first first."""
    number = (id_ or "").partition("?")[0].rpartition("/")[2]
    return int(number) if number.isdigit() else 0


def _record(n: int, raw: bytes, mark: _Mark) -> Record:
    return Record(id=mark.id, raw=raw.rstrip(), pointer=f"/{n}", updated=mark.updated)


def _read(line: bytes) -> _Mark:
    try:
        return _mark(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenAnswer(f"shopify: a bulk operation's file has a line that is no JSON: {error}") from error


# -- results of mutations --------------------------------------------------------------------------------------------


def results(shop: Shop, done: Operation) -> Iterator[tuple[int, dict[str, Any], Exchange]]:
    """(number of the line sent, what the shop answered to it, …). Of an operation that failed, what it got done."""
    url = done.url or done.partial_data_url
    if url is None:
        return
    try:
        for seen, lines in pieces(shop, url):
            for line in lines:
                said = json.loads(line)
                yield int(said["__lineNumber"]), said, seen
    except (NotDone, ValueError, KeyError, ConfigError) as lost:
        log.warning("%s: results of a bulk operation were lost (%s)", shop.http.system, type(lost).__name__)

"""The hub's findings in Salesforce: where the org has the custom object, a record of it; else a task at the record.

    Consistency_Finding__c   Hub_Id__c, Title__c (255), Text__c (long text, 32,000), Severity__c, Status__c (Open,
                             Closed, Resolved), and lookups Account__c, Contact__c, Opportunity__c, Order__c
    Task                     Hub_Id__c on activities: a text of 64 characters that can be filtered by

Each is found by its `Hub_Id__c`, whatever the hub remembers, so it is there once. Whoever closes it is read from the
change that came last. How far somebody has got with it stays as it is, unless it is closed and has come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from simple_salesforce.format import format_soql

from connectors.salesforce.org import Org
from omnihub.errors import ConfigError, RejectedRecord, RetryableError
from omnihub.sdk import Answer, Outcome, exchange
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

KEY = "Hub_Id__c"
MAX_ROWS = 200  # a collection takes no more, and a query's URL holds as many keys
MAX_TITLE, MAX_TEXT = 255, 32_000
PRIORITY = {"high": "High", "medium": "Normal", "low": "Low"}
SETTLED = "This has been put right: there is nothing to do any more."

# Somebody else is just writing it, or the org is slow: it is tried again.
LATER = ("UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE")
ENDS = {**dict.fromkeys(LATER, Outcome.DEFERRED), "ENTITY_IS_DELETED": Outcome.DRIFTED}


@dataclass(frozen=True)
class Shape:
    """How a notice looks as an object of this kind. links: stream → the field that points to its record."""

    name: str
    title: str
    text: str
    status: str
    closed: str  # the field that says whether it is closed …
    closing: tuple[Any, ...]  # … and what it says then
    open: str
    done: str
    links: Mapping[str, str]
    severity: Callable[[str], dict[str, str]]

    def body(self, notice: Notice) -> dict[str, Any]:
        """All but the status."""
        link = self.links.get(notice.stream)
        at = {link: notice.ref_id} if link and notice.ref_id else {}
        told = {self.title: notice.title[:MAX_TITLE], self.text: notice.text[:MAX_TEXT]}
        return {**told, **self.severity(notice.severity), **at, KEY: notice.key}

    def settled(self) -> dict[str, Any]:
        """Closed, and no longer saying what it said of anybody."""
        return {self.status: self.done, self.text: SETTLED}


FINDING = Shape(
    "Consistency_Finding__c",
    title="Title__c",
    text="Text__c",
    status="Status__c",
    closed="Status__c",
    closing=("Closed", "Resolved"),
    open="Open",
    done="Resolved",
    links={
        "accounts": "Account__c",
        "contacts": "Contact__c",
        "opportunities": "Opportunity__c",
        "orders": "Order__c",
    },
    severity=lambda severity: {"Severity__c": severity},
)
TASK = Shape(
    "Task",
    title="Subject",
    text="Description",
    status="Status",
    closed="IsClosed",
    closing=(True,),
    open="Not Started",
    done="Completed",
    links={"accounts": "WhatId", "contacts": "WhoId", "opportunities": "WhatId", "orders": "WhatId"},
    severity=lambda severity: {"Priority": PRIORITY.get(severity, "Normal")},
)


def put(org: Org, some: Sequence[tuple[Notice, str | None]]) -> Iterator[Answer]:
    """Each is there as it stands now: changed where it is, made where it is not."""
    shape = _shape(org)
    there = _there(org, shape, [notice.key for notice, _ in some])
    changed: list[tuple[int, dict[str, Any]]] = []
    new: list[tuple[int, dict[str, Any]]] = []
    for n, (notice, _) in enumerate(some):
        found, body = there.get(notice.key), shape.body(notice)
        if found is None:
            new.append((n, {**body, shape.status: shape.open}))
        else:
            again = {shape.status: shape.open} if _is_closed(shape, found) else {}
            changed.append((n, {**body, **again, "id": found["Id"]}))
    yield from _sent(org, shape, "PATCH", changed)
    yield from _sent(org, shape, "POST", new)


def clear(org: Org, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is closed; what is closed or gone already is left alone."""
    shape = _shape(org)
    there = _there(org, shape, [key for key, _ in some])
    rows: list[tuple[int, dict[str, Any]]] = []
    for n, (key, id_) in enumerate(some):
        found = there.get(key)
        if found is None:
            yield Answer(n, Outcome.WRITTEN, id_)
        else:
            rows.append((n, {**shape.settled(), "id": found["Id"]}))
    yield from _sent(org, shape, "PATCH", rows)


def remove(org: Org, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is in the recycle bin, closed or not; what is gone already is left alone."""
    shape = _shape(org)
    there = _there(org, shape, [key for key, _ in some])
    rows = [(n, {"id": there[key]["Id"]}) for n, (key, _) in enumerate(some) if key in there]
    yield from (Answer(n, Outcome.WRITTEN, id_) for n, (key, id_) in enumerate(some) if key not in there)
    for start in range(0, len(rows), MAX_ROWS):
        part = rows[start : start + MAX_ROWS]
        asked = {"ids": ",".join(str(row["id"]) for _, row in part), "allOrNone": "false"}
        yield from _answered(org, part, org.call("DELETE", "composite/sobjects", params=asked, safe=True))


def read(org: Org, some: Sequence[Told]) -> Iterator[Seen]:
    """How each stands, and who changed it last where it is closed."""
    shape = _shape(org)
    there = _there(org, shape, [key for key, _ in some])
    closed = {key: row for key, row in there.items() if _is_closed(shape, row)}
    names = _names(org, {str(row["LastModifiedById"]) for row in closed.values() if row.get("LastModifiedById")})
    for key, row in there.items():
        if key in closed:
            who = str(row.get("LastModifiedById") or "")
            at = str(row.get("LastModifiedDate") or "")
            yield Seen(key, row["Id"], Standing.CLOSED, names.get(who, who), at)
        else:
            yield Seen(key, row["Id"], Standing.OPEN)


def _shape(org: Org) -> Shape:
    """The custom object where this user may see one; else tasks. Asked once."""
    for shape in (FINDING, TASK):
        if shape.name not in org.kinds:
            org.kinds[shape.name] = _described(org, shape.name)
        if org.kinds[shape.name]:
            if KEY not in org.kinds[shape.name]:
                what = "activities" if shape is TASK else shape.name
                raise ConfigError(
                    f"salesforce: {what} have no {KEY} for this user; create it as a text of 64 characters, and give "
                    "the user the right to write it, or set systems.salesforce.report to false"
                )
            return shape
    raise ConfigError("salesforce: this user may not see tasks, where findings are shown; give it the right to")


def _described(org: Org, name: str) -> dict[str, str]:
    """field → type; nothing where there is no such object for this user."""
    try:
        described = org.told(lambda: getattr(org, name).describe())
    except RejectedRecord as no:
        if no.status in (403, 404):
            return {}
        raise
    return {f["name"]: f["type"] for f in described["fields"]}


def _there(org: Org, shape: Shape, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """key → the living record that has it; of several, as after a lost answer, the first."""
    fields = dict.fromkeys(("Id", KEY, "IsDeleted", shape.closed, "LastModifiedById", "LastModifiedDate"))
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(keys), MAX_ROWS):
        wanted = format_soql(f"{KEY} IN {{}}", list(keys[start : start + MAX_ROWS]))
        query = f"SELECT {', '.join(fields)} FROM {shape.name} WHERE {wanted} AND IsDeleted = false ORDER BY Id"
        for body in org.ask(query):
            for row in msgspec.json.decode(body)["records"]:
                found.setdefault(row[KEY], row)
    return found


def _is_closed(shape: Shape, row: Mapping[str, Any]) -> bool:
    return row.get(shape.closed) in shape.closing


def _names(org: Org, ids: set[str]) -> dict[str, str]:
    """id of a user → their name; nothing where this user may not see others."""
    if not ids:
        return {}
    try:
        pages = list(org.ask(format_soql("SELECT Id, Name FROM User WHERE Id IN {}", sorted(ids))))
    except RejectedRecord:
        return {}
    return {row["Id"]: row["Name"] for body in pages for row in msgspec.json.decode(body)["records"]}


def _sent(org: Org, shape: Shape, method: str, rows: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[Answer]:
    """New ones are not sent again by themselves: where an answer is lost, the next run finds them by their key."""
    for start in range(0, len(rows), MAX_ROWS):
        some = rows[start : start + MAX_ROWS]
        records = [{"attributes": {"type": shape.name}, **body} for _, body in some]
        asked = {"allOrNone": False, "records": records}
        body = org.call(method, "composite/sobjects", json=asked, **({"safe": True} if method == "PATCH" else {}))
        yield from _answered(org, some, body)


def _answered(org: Org, some: Sequence[tuple[int, dict[str, Any]]], body: bytes) -> Iterator[Answer]:
    """What a collection said of each of its rows, in their order."""
    results: list[dict[str, Any]] = msgspec.json.decode(body or b"[]")
    if len(results) != len(some):
        raise RetryableError(f"salesforce: {len(results)} results for {len(some)} notices; look again")
    said = exchange(org.http.last())
    for (n, sent), result in zip(some, results, strict=True):
        if result["success"]:
            yield Answer(n, Outcome.WRITTEN, str(result.get("id") or sent.get("id")), exchange=said)
            continue
        error: Mapping[str, Any] = next(iter(result["errors"]), {})
        code = str(error.get("statusCode", ""))
        yield Answer(n, ENDS.get(code, Outcome.REFUSED), None, code, str(error.get("message", "")), said)


place = Place(
    put,
    clear,
    remove,
    titles="Consistency Findings, or the open tasks of the account, contact, opportunity or order",
    read=read,
    batch=MAX_ROWS,
)

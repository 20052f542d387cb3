"""The hub's findings in HubSpot: a task at the contact, company or deal it is about.

A task is made by its key (`hub_ext_id`, a property of tasks with unique values), so sent twice it is there once. Who
completed it is read from the user of its last change. How far somebody has got with it stays, unless it is completed
and has come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

import msgspec

from connectors.hubspot.client import Client
from connectors.hubspot.writing import BATCH, EXTERNAL_ID, Writing, find
from omnihub.errors import OmniHubError, RejectedRecord
from omnihub.model import Op
from omnihub.sdk import Answer, Outcome, Record, Row, exchange, records, words
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

TASKS = "tasks"
STATUS, WAITING, DONE = "hs_task_status", "NOT_STARTED", "COMPLETED"
CHANGED_BY, CHANGED_AT = "hs_updated_by_user_id", "hs_lastmodifieddate"
SHOWN = (STATUS, CHANGED_BY, CHANGED_AT, EXTERNAL_ID)
PRIORITY = {"high": "HIGH", "medium": "MEDIUM", "low": "LOW"}
LINKS = {"contacts": 204, "companies": 192, "deals": 216}  # stream → the type of a task's link to its records
MAX_TEXT = 65_000  # of the 65,536 a text may have
SETTLED = "This has been put right: there is nothing to do any more."


def put(client: Client, some: Sequence[tuple[Notice, str | None]]) -> Iterator[Answer]:
    """Each is there as it stands now, and linked to what it is about."""
    there = _there(client, [notice.key for notice, _ in some])
    rows = [_row(n, notice, there.get(notice.key)) for n, (notice, _) in enumerate(some)]
    told = _written(client, rows)
    made = {answer.n: answer.id for answer in told if answer.outcome is Outcome.WRITTEN and answer.id}
    no = _linked(client, [(n, some[n][0], str(id_)) for n, id_ in made.items()])
    yield from (no.get(answer.n, answer) for answer in told)


def clear(client: Client, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is completed, and no longer says what it said of anybody; what is gone is left alone."""
    there = _there(client, [key for key, _ in some])
    settled = {"properties": {STATUS: DONE, "hs_task_body": SETTLED}}
    rows = [_as_row(n, key, settled) for n, (key, _) in enumerate(some) if key in there]
    yield from (Answer(n, Outcome.WRITTEN, id_) for n, (key, id_) in enumerate(some) if key not in there)
    yield from _written(client, rows)


def remove(client: Client, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is in the archive, completed or not; what is gone already is left alone."""
    there = _there(client, [key for key, _ in some])
    found = [(n, there[key]["id"]) for n, (key, _) in enumerate(some) if key in there]
    yield from (Answer(n, Outcome.WRITTEN, id_) for n, (key, id_) in enumerate(some) if key not in there)
    for start in range(0, len(found), BATCH):
        yield from _archived(client, found[start : start + BATCH])


def _archived(client: Client, found: Sequence[tuple[int, str]]) -> Iterator[Answer]:
    """One that is refused hurts no other: they are tried again one by one."""
    try:
        client.batch.archive(TASKS, {"inputs": [{"id": id_} for _, id_ in found]}, _preload_content=False)
    except RejectedRecord as no:
        if len(found) > 1:
            for one in found:
                yield from _archived(client, [one])
            return
        [(n, id_)] = found
        yield Answer(n, Outcome.REFUSED, id_, str(no.status), words(no.body), exchange(client.http.last()))
        return
    said = exchange(client.http.last())
    yield from (Answer(n, Outcome.WRITTEN, id_, exchange=said) for n, id_ in found)


def read(client: Client, some: Sequence[Told]) -> Iterator[Seen]:
    """How each stands, and who completed it."""
    names: dict[str, str] = {}
    for key, task in _there(client, [key for key, _ in some]).items():
        held = task["properties"]
        if held.get(STATUS) == DONE:
            who = str(held.get(CHANGED_BY) or "")
            if who not in names:
                names[who] = _name(client, who)
            yield Seen(key, task["id"], Standing.CLOSED, names[who], str(held.get(CHANGED_AT) or ""))
        else:
            yield Seen(key, task["id"], Standing.OPEN)


def _row(n: int, notice: Notice, task: Mapping[str, Any] | None) -> Row:
    lines = "<br>".join(escape(line, quote=False) for line in notice.text.splitlines())
    properties = {
        "hs_task_subject": notice.title,
        "hs_task_body": lines[:MAX_TEXT],
        "hs_task_priority": PRIORITY.get(notice.severity, "MEDIUM"),
    }
    if task is None:  # when it is due is asked for: as soon as somebody looks
        properties |= {"hs_timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    if task is None or task["properties"].get(STATUS) == DONE:
        properties |= {STATUS: WAITING}
    return _as_row(n, notice.key, {"properties": properties})


def _as_row(n: int, key: str, body: dict[str, Any]) -> Row:
    return Row(n, Op.CREATE, None, body, {}, {}, key)


def _written(client: Client, rows: Sequence[Row]) -> list[Answer]:
    """By their key. A batch that is refused as a whole is tried again one by one, so that one hurts no other."""
    if not rows:
        return []
    try:
        return list(Writing(TASKS).create(client, rows))
    except RejectedRecord as no:
        if len(rows) == 1:
            said = exchange(client.http.last())
            return [Answer(rows[0].n, Outcome.REFUSED, None, str(no.status), words(no.body), said)]
        return [answer for row in rows for answer in _written(client, [row])]


def _linked(client: Client, made: Sequence[tuple[int, Notice, str]]) -> dict[int, Answer]:
    """Link tasks to their records; once more does no harm. Answers only for those that could not be."""
    no: dict[int, Answer] = {}
    for stream, type_id in LINKS.items():
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
        of = {(id_, str(notice.ref_id)): n for n, notice, id_ in made if notice.stream == stream and notice.ref_id}
        if not of:
            continue
        inputs = [{"from": {"id": task}, "to": {"id": record}, "types": [kind]} for task, record in of]
        try:
            answer = client.links.create(TASKS, stream, {"inputs": inputs}, _preload_content=False)
            results = msgspec.json.decode(answer.data)["results"]
            why = "its record is not there to be linked to"
        except RejectedRecord as refused:
            results, why = [], words(refused.body)
        done = {(str(one["fromObjectId"]), str(one["toObjectId"])) for one in results}
        said = exchange(client.http.last())
        no |= {
            n: Answer(n, Outcome.REFUSED, pair[0], "NOT_LINKED", why, said)
            for pair, n in of.items()
            if pair not in done
        }
    return no


def _there(client: Client, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """key → the task that has it; archived ones are gone."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(keys), BATCH):
        for page in find(client, TASKS, SHOWN, keys[start : start + BATCH], _records):
            for record in page.records:
                task = msgspec.json.decode(record.raw)
                found[task["properties"][EXTERNAL_ID]] = task
    return found


def _records(body: bytes) -> list[Record]:
    return records(body, "results")


def _name(client: Client, user: str) -> str:
    """What the account calls this user; their id where it does not say."""
    if not user:
        return ""
    try:
        answer = client.owners.get_by_id(int(user), id_property="userId", _preload_content=False)
        told = msgspec.json.decode(answer.data)
    except (OmniHubError, ValueError):
        return user
    name = " ".join(part for part in (told.get("firstName"), told.get("lastName")) if part)
    return name or str(told.get("email") or user)


place = Place(put, clear, remove, titles="the tasks of the contact, company or deal", read=read, batch=BATCH)

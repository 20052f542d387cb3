"""The hub's findings in ThingsBoard: an alarm of the device or customer it is about, or of the tenant itself.

Its type is `CONSISTENCY` and the notice's key. ThingsBoard has one alarm of a type about a thing until that is cleared,
so what is told twice is there once, and it is found by its type, whatever the hub remembers. One that was cleared can't
be raised again: what comes back is a new one. Acknowledging says that it was seen; clearing, that it is dealt with.
Such alarms are no device's, and are left out when alarms are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.thingsboard.saving import ALARM, clear_alarm, code_of, complete, told
from omnihub.errors import RejectedRecord
from omnihub.model import Op
from omnihub.sdk import Answer, Http, Outcome, Record, Row, exchange, words
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

TYPE = "CONSISTENCY"
PREFIX = f"{TYPE} omnihub-"  # keys of notices begin with that
SEVERITY = {"high": "MAJOR", "medium": "MINOR", "low": "WARNING"}
ORIGINATORS = {"customers": "CUSTOMER", "devices": "DEVICE"}  # stream → what alarms of its records are about
SETTLED = "This has been put right: there is nothing to do any more."
BATCH = 50  # types a question's URL holds
PAGE_SIZE = 100
BY_USER = "cleared by user "  # what it remembers of a clearing in words

Alarm = Mapping[str, Any]


def is_ours(record: Record) -> bool:
    """Whether an alarm is one of these."""
    if PREFIX.encode() not in record.raw:
        return False
    return str(msgspec.json.decode(record.raw).get("type") or "").startswith(PREFIX)


def put(http: Http, some: Sequence[tuple[Notice, str | None]]) -> Iterator[Answer]:
    """Each is raised as it stands now; one that has come to be about something else is raised there."""
    there = _there(http, [notice.key for notice, _ in some])
    for n, (notice, _) in enumerate(some):
        origin = _originator(http, notice)
        active = next((alarm for alarm in there.get(notice.key, ()) if not alarm["cleared"]), None)
        if active and active["originator"]["id"] != origin["id"]:
            _deleted(http, n, active)
            active = None
        body = {**(active or {}), **_worded(notice), "originator": origin}
        answer = http.request("POST", ALARM.path, json=complete(body), safe=True)
        yield told(http, ALARM, Row(n, Op.CREATE, None, {}, {}, {}, notice.key), answer)


def clear(http: Http, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is cleared, and no longer says what it said of anybody; what is gone is left alone."""
    there = _there(http, [key for key, _ in some])
    for n, (key, id_) in enumerate(some):
        answer = Answer(n, Outcome.WRITTEN, id_)
        for alarm in there.get(key, ()):
            if answer.outcome is Outcome.WRITTEN:
                answer = _settled(http, n, alarm)
        yield answer


def read(http: Http, some: Sequence[Told]) -> Iterator[Seen]:
    """How each stands, and who cleared it."""
    for key, alarms in _there(http, [key for key, _ in some]).items():
        alarm = alarms[0]
        id_ = str(alarm["id"]["id"])
        if alarm["cleared"]:
            yield Seen(key, id_, Standing.CLOSED, *_cleared_by(http, id_))
        else:
            yield Seen(key, id_, Standing.OPEN)


def remove(http: Http, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is deleted, with those that were cleared before it."""
    there = _there(http, [key for key, _ in some])
    for n, (key, id_) in enumerate(some):
        answer = Answer(n, Outcome.WRITTEN, id_)
        for alarm in there.get(key, ()):
            if answer.outcome is Outcome.WRITTEN:
                answer = _deleted(http, n, alarm)
        yield answer


def _worded(notice: Notice) -> dict[str, Any]:
    details = {"title": notice.title, "message": notice.text, **notice.fields}
    severity = SEVERITY.get(notice.severity, "WARNING")
    return {"type": f"{TYPE} {notice.key}", "severity": severity, "details": details}


def _originator(http: Http, notice: Notice) -> dict[str, str]:
    """What it is about; of an alarm, what that is about; of nothing in particular, the tenant."""
    if notice.ref_id and notice.stream == "alarms":
        answer = http.get(f"{ALARM.path}/{notice.ref_id}")
        if answer.ok:
            return dict(answer.json()["originator"])
    if notice.ref_id and (kind := ORIGINATORS.get(notice.stream)):
        return {"entityType": kind, "id": notice.ref_id}
    return dict(http.get_ok("/api/auth/user").json()["tenantId"])


def _settled(http: Http, n: int, alarm: Alarm) -> Answer:
    id_ = str(alarm["id"]["id"])
    row = Row(n, Op.UPDATE, id_, {}, {}, {}, id_)
    if alarm.get("details") != {"message": SETTLED}:
        body = {**alarm, "details": {"message": SETTLED}}
        answer = told(http, ALARM, row, http.request("POST", ALARM.path, json=body, safe=True))
        if alarm["cleared"] or answer.outcome is not Outcome.WRITTEN:
            return answer
    return Answer(n, Outcome.WRITTEN, id_) if alarm["cleared"] else clear_alarm(http, row)


def _deleted(http: Http, n: int, alarm: Alarm) -> Answer:
    id_ = str(alarm["id"]["id"])
    answer = http.request("DELETE", f"{ALARM.path}/{id_}", safe=True)
    if answer.status_code == 404:  # somebody was faster, or the answer to the first try was lost
        return Answer(n, Outcome.WRITTEN, id_, exchange=exchange(answer))
    try:
        http.refuse(answer, record=f"thingsboard/alarms/{id_}")
    except RejectedRecord as no:
        return Answer(n, Outcome.REFUSED, id_, code_of(no.body), words(no.body), exchange(answer))
    return Answer(n, Outcome.WRITTEN, id_, exchange=exchange(answer))


def _there(http: Http, keys: Sequence[str]) -> dict[str, list[Alarm]]:
    """key → its alarms: the one that is active first, then those that were cleared, the latest first."""
    found: dict[str, list[Alarm]] = {}
    for start in range(0, len(keys), BATCH):
        types = ",".join(f"{TYPE} {key}" for key in keys[start : start + BATCH])
        for alarm in _all(http, "/api/v2/alarms", typeList=types):
            found.setdefault(alarm["type"].removeprefix(f"{TYPE} "), []).append(alarm)
    return {key: sorted(found[key], key=lambda alarm: bool(alarm["cleared"])) for key in keys if key in found}


def _all(http: Http, path: str, **params: str) -> Iterator[Any]:
    """All of a list, the latest first."""
    page, more = 0, True
    while more:
        latest = {"pageSize": PAGE_SIZE, "page": page, "sortProperty": "createdTime", "sortOrder": "DESC"}
        body = http.get_ok(path, params={**latest, **params}).json()
        yield from body["data"]
        page, more = page + 1, body["hasNext"]


def _cleared_by(http: Http, id_: str) -> tuple[str, str]:
    """Who cleared it, and when (ISO), as its comments tell; a rule that cleared it leaves none."""
    for comment in _all(http, f"{ALARM.path}/{id_}/comment"):
        text = str((comment.get("comment") or {}).get("text") or "")
        if comment.get("type") == "SYSTEM" and BY_USER in text:
            return text.partition(BY_USER)[2], _iso(comment["createdTime"])
    return "", ""


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


place = Place(put, clear, remove, titles="the alarms of the device or customer", read=read, batch=BATCH)

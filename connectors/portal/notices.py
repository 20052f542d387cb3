"""The hub's findings in the portal: consistency reports, each known by its key, where the portal's people look.

One with the same key replaces the one before, and is open again. Whoever closes one there is named in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from omnihub import sdk
from omnihub.model import Op, Outcome
from omnihub.sdk import Answer, Http, Row
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

REPORTS = "/v1/consistency-reports"
BATCH = 100  # keys in a question
MAX_TITLE, MAX_TEXT = 200, 20_000  # characters
SETTLED = "This has been put right: there is nothing to do any more."
PROBLEM: dict[str, Any] = {"code": "type", "message": "detail"}

_leave = sdk.Upsert1("POST", REPORTS, external="key", **PROBLEM)
_take_away = sdk.Erase1(f"{REPORTS}/{{id}}", **PROBLEM)
_find = sdk.ByIdBatch(REPORTS, "items", "keys", key="key", size=BATCH)


def put(http: Http, some: Sequence[tuple[Notice, str | None]]) -> Iterable[Answer]:
    """Each is there as it stands now, and open."""
    return _leave(http, [Row(n, Op.CREATE, None, _worded(one), {}, {}, one.key) for n, (one, _) in enumerate(some)])


def clear(http: Http, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is resolved, and no longer says what it said of anybody; what is so or gone already is left alone."""
    there = _there(http, some)
    for n, (key, id_) in enumerate(some):
        report = there.get(key)
        if report is None or report["state"] == "resolved":
            yield Answer(n, Outcome.WRITTEN, id_)
        else:
            settled = {"title": report["title"], "text": SETTLED, "findings": [], "state": "resolved"}
            yield from _leave(http, [Row(n, Op.CREATE, None, settled, {}, {}, key)])


def remove(http: Http, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is deleted; what is gone already is left alone."""
    there = _there(http, some)
    yield from (Answer(n, Outcome.WRITTEN, id_) for n, (key, id_) in enumerate(some) if key not in there)
    rows = ((n, key, there[key]["id"]) for n, (key, _) in enumerate(some) if key in there)
    yield from _take_away(http, [Row(n, Op.UPDATE, id_, {}, {}, {}, key) for n, key, id_ in rows])


def read(http: Http, some: Sequence[Told]) -> Iterator[Seen]:
    """How each stands, and who closed it."""
    for key, report in _there(http, some).items():
        if report["state"] == "open":
            yield Seen(key, report["id"], Standing.OPEN)
        else:
            by, at = (str(report.get(name) or "") for name in ("closed_by", "closed_at"))
            yield Seen(key, report["id"], Standing.CLOSED, by, at)


def _worded(notice: Notice) -> dict[str, Any]:
    about = {"kind": notice.stream, "id": notice.ref_id} if notice.ref_id else None
    return {
        "title": notice.title[:MAX_TITLE],
        "text": notice.text[:MAX_TEXT],
        "severity": notice.severity,
        "about": about,
        "findings": [dict(notice.fields)],
        "state": "open",
    }


def _there(http: Http, some: Sequence[Told]) -> dict[str, dict[str, Any]]:
    """key → its report."""
    found = [json.loads(r.raw) for page in _find(http, [key for key, _ in some]) for r in page.records]
    return {report["key"]: report for report in found}


place = Place(put, clear, remove, titles="the consistency reports, in the portal's back office", read=read, batch=BATCH)

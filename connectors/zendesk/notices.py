"""The hub's findings in Zendesk: a ticket among the agents, with a private note, known by its external id.

Its requester is the hub's own user, never a customer: they would be written to, and could not be forgotten while it is
open. What it is about is linked in the note. A change is a new note, for what was said can't be taken back there; so
the one that ends it says no more than that. A ticket that is closed can't be changed: what comes back is a new one.
What was told by mistake is deleted; administrators still see it among the deleted tickets for thirty days.
Such tickets are no customer's, and are left out when tickets are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.zendesk.tickets import KEY_REUSED, TICKETS, find, look
from connectors.zendesk.writing import MAX_BATCH, answer_to, sent
from omnihub.errors import RejectedRecord
from omnihub.model import Op
from omnihub.sdk import Answer, Http, Outcome, Page, Record, Row, dig
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

PREFIX = "omnihub-"  # what the keys of notices begin with
TAGS = ["omnihub", "consistency"]
PRIORITY = {"high": "high", "medium": "normal", "low": "low"}
OVER = ("solved", "closed")
SETTLED = "This has been put right: there is nothing to do any more."
WHERE = {"organizations": "organizations", "users": "users", "tickets": "tickets"}  # stream → its place among agents
MAX_TITLE = 150
REPLAYED = "x-idempotency-lookup"  # whether an answer is that of an earlier call with the same key


def is_ours(record: Record) -> bool:
    """Whether a ticket is one of these."""
    if PREFIX.encode() not in record.raw:
        return False
    return str(dig(json.loads(record.raw), "external_id") or "").startswith(PREFIX)


def put(http: Http, some: Sequence[tuple[Notice, str | None]]) -> Iterator[Answer]:
    """Each is there as it stands now: noted in its ticket, or in a new one."""
    there = _there(http, [(notice.key, id_) for notice, id_ in some])
    for n, (notice, _) in enumerate(some):
        ticket = there.get(notice.key)
        if ticket is None or ticket["status"] == "closed":
            yield _make(http, n, notice, ticket)
        else:
            yield _change(http, n, notice, ticket)


def clear(http: Http, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is solved; what is over or gone is left alone."""
    there = _there(http, some)
    me = ""
    for n, (key, id_) in enumerate(some):
        ticket = there.get(key)
        if ticket is None or ticket["status"] in OVER:
            yield Answer(n, Outcome.WRITTEN, id_)
            continue
        body: dict[str, Any] = {"status": "solved", "comment": {"body": SETTLED, "public": False}}
        if not ticket.get("assignee_id"):  # none is solved without
            me = me or str(http.get_ok("/api/v2/users/me.json").json()["user"]["id"])
            body["assignee_id"] = int(me)
        yield _answer(http, n, str(ticket["id"]), body)


def remove(http: Http, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is deleted, solved or not; what is gone already is left alone."""
    there = _there(http, some)
    for n, (key, id_) in enumerate(some):
        ticket = there.get(key)
        if ticket is None:
            yield Answer(n, Outcome.WRITTEN, id_)
        else:
            found = str(ticket["id"])
            said = sent(http, "DELETE", f"/api/v2/tickets/{found}.json", None)
            yield answer_to(http, _row(n, key, found), said)


def read(http: Http, some: Sequence[Told]) -> Iterator[Seen]:
    """How each stands, and who solved it."""
    over: dict[str, tuple[dict[str, Any], str]] = {}
    for key, ticket in _there(http, some).items():
        if ticket["status"] in OVER:
            over[key] = ticket, _solver(http, str(ticket["id"]))
        else:
            yield Seen(key, str(ticket["id"]), Standing.OPEN)
    names = _names(http, {who for _, who in over.values() if who})
    for key, (ended, who) in over.items():
        yield Seen(key, str(ended["id"]), Standing.CLOSED, names.get(who, who), str(ended.get("updated_at") or ""))


def _make(http: Http, n: int, notice: Notice, before: Mapping[str, Any] | None) -> Answer:
    """The key of the call is one for these words in place of that ticket: sent twice, it makes one. Where
    that ticket was deleted within two hours, the answer is still that of it: then one is made in place of that."""
    body = _told(http, notice) | {"external_id": notice.key, "type": "task", "status": "open", "tags": TAGS}
    told = json.dumps([body, before and before["id"]], sort_keys=True)
    idempotent = f"{notice.key}-{hashlib.blake2b(told.encode(), digest_size=8).hexdigest()}"
    said = sent(http, "POST", TICKETS, {"ticket": body}, **{"Idempotency-Key": idempotent})
    answer = answer_to(http, _row(n, notice.key, None), said, made="ticket.id")
    if answer.code == KEY_REUSED:
        return Answer(n, Outcome.DEFERRED, None, answer.code, "just made in other words; the next run looks again")
    if answer.id and said.headers.get(REPLAYED) == "hit" and not _living(http, answer.id):
        return _make(http, n, notice, {"id": answer.id})
    return answer


def _living(http: Http, id_: str) -> bool:
    return any(not record.deleted for page in look(http, [id_]) for record in page.records)


def _change(http: Http, n: int, notice: Notice, ticket: Mapping[str, Any]) -> Answer:
    again = {"status": "open"} if ticket["status"] in OVER else {}
    return _answer(http, n, str(ticket["id"]), _told(http, notice) | again)


def _answer(http: Http, n: int, id_: str, body: Mapping[str, Any]) -> Answer:
    said = sent(http, "PUT", f"/api/v2/tickets/{id_}.json", {"ticket": body})
    return answer_to(http, _row(n, id_, id_), said)


def _row(n: int, key: str, id_: str | None) -> Row:
    return Row(n, Op.UPDATE if id_ else Op.CREATE, id_, {}, {}, {}, key)


def _told(http: Http, notice: Notice) -> dict[str, Any]:
    where = WHERE.get(notice.stream)
    at = f"\n\n{http.base_url.rstrip('/')}/agent/{where}/{notice.ref_id}" if where and notice.ref_id else ""
    return {
        "subject": notice.title[:MAX_TITLE],
        "priority": PRIORITY.get(notice.severity, "normal"),
        "comment": {"body": notice.text + at, "public": False},
    }


# -- what is there -----------------------------------------------------------------------------------------------------


def _there(http: Http, some: Iterable[Told]) -> dict[str, dict[str, Any]]:
    """key → its ticket, by the id known of it, or by the key; of several the one that can still be changed."""
    asked = list(some)
    found: dict[str, dict[str, Any]] = {}
    known = [id_ for _, id_ in asked if id_]
    for start in range(0, len(known), MAX_BATCH):
        _take(found, look(http, known[start : start + MAX_BATCH]))
    for key in (key for key, _ in asked if key not in found):
        _take(found, find(http, [key]))
    return found


def _take(found: dict[str, dict[str, Any]], pages: Iterable[Page]) -> None:
    for page in pages:
        for record in page.records:
            ticket = json.loads(record.raw)
            key = str(ticket.get("external_id") or "")
            if not record.deleted and (key not in found or found[key]["status"] == "closed"):
                found[key] = ticket


def _solver(http: Http, ticket: str) -> str:
    """The id of whoever solved it last; empty where that is not told."""
    try:
        audits = http.get_ok(f"/api/v2/tickets/{ticket}/audits.json").json()["audits"]
    except RejectedRecord:
        return ""
    who = ""
    for audit in audits:  # in the order in which they were made
        for event in audit.get("events", ()):
            if event.get("field_name") == "status" and event.get("value") in OVER:
                who = str(audit["author_id"]) if event["value"] == "solved" or not who else who
    return who


def _names(http: Http, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    answer = http.get_ok("/api/v2/users/show_many.json", params={"ids": ",".join(sorted(ids)[:MAX_BATCH])})
    return {str(user["id"]): str(user["name"]) for user in answer.json()["users"]}


place = Place(
    put, clear, remove, titles="tickets with the tag `omnihub`, in the agents' views", read=read, batch=MAX_BATCH
)

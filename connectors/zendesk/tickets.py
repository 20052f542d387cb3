"""Tickets, written: changed only over the state that was looked at, and made once for each key.

A plan never holds tickets: whoever leaves a report or takes a customer's word calls `create`, `find`, `look` and
`update`. A ticket that is closed can't be changed any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.zendesk.writing import MAX_BATCH, answer_to, sent
from omnihub.sdk import Answer, ByIdBatch, ByKeys, Http, Outcome, Row, dig, exchange, value_at

TICKETS = "/api/v2/tickets.json"
GONE = "status=deleted"
KEY_REUSED = "IdempotentRequestError"

look = ByIdBatch("/api/v2/tickets/show_many.json", "tickets", size=MAX_BATCH, updated="updated_at", deleted=GONE)
find = ByKeys(TICKETS, "tickets", param="external_id", external="external_id", updated="updated_at", deleted=GONE)


def update(http: Http, rows: Sequence[Row]) -> Iterator[Answer]:
    """Change tickets; one that somebody changed since it was looked at is drifted, and left alone."""
    for row in rows:
        stamp = dig(row.raw, "updated_at")
        if stamp is None:
            yield Answer(row.n, Outcome.REFUSED, row.id, "no_version", "a ticket is only written over what is there")
            continue
        # leaving `safe_update` out is what forces a write; sent as false, it guards all the same
        body = {"ticket": {**row.body, "safe_update": True, "updated_stamp": stamp}}
        answer = answer_to(http, row, sent(http, "PUT", f"/api/v2/tickets/{row.id}.json", body))
        yield _ours_after_all(http, row, answer) if answer.outcome is Outcome.DRIFTED else answer


def _ours_after_all(http: Http, row: Row, drifted: Answer) -> Answer:
    """Where an answer is lost, the same write sent again finds its own change in its way."""
    for page in look(http, [str(row.id)]):
        for record in page.records:
            if all(_holds(value_at(record.raw, name), value) for name, value in row.body.items() if name != "comment"):
                return Answer(row.n, Outcome.WRITTEN, row.id, exchange=page.exchange)
    return drifted


def _holds(present: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(present, Mapping) and all(_holds(present.get(name), v) for name, v in wanted.items())
    return bool(present == wanted)


def create(http: Http, rows: Sequence[Row]) -> Iterator[Answer]:
    """Make tickets with `Row.key` as their external id, or change those that have it.

    External ids of tickets need not be unique, so they are looked for first; between that and making one, the key in
    the header keeps a second from being made. Without a comment of its own, a ticket's subject is its private comment.
    """
    for row in rows:
        present = next((record.id for page in find(http, [row.key]) for record in page.records), None)
        yield _change(http, row, present) if present else _make(http, row)


def _change(http: Http, row: Row, id_: str) -> Answer:
    told = {name: value for name, value in row.body.items() if name != "comment"}  # it would be added once more
    return answer_to(http, row, sent(http, "PUT", f"/api/v2/tickets/{id_}.json", {"ticket": told}), made="ticket.id")


def _make(http: Http, row: Row) -> Answer:
    comment = {"body": row.body.get("subject") or row.key, "public": False}
    body = {"ticket": {"comment": comment, **row.body, "external_id": row.key}}
    said = sent(http, "POST", TICKETS, body, **{"Idempotency-Key": row.key})
    answer = answer_to(http, row, said, made="ticket.id")
    if answer.code == KEY_REUSED:
        why = "a ticket was just made for this key with other words; it is changed on the next run"
        return Answer(row.n, Outcome.DEFERRED, None, answer.code, why, exchange(said))
    return answer

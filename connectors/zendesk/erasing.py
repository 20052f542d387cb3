"""Forgetting a user in Zendesk: deleted first, which only hides them, then deleted for good.

    DELETE /users/{id}            refused while a ticket of theirs is not closed
    DELETE /deleted_users/{id}    what they were is gone; the record stays as "Permanently Deleted User"

Who is deleted already is gone on from there. Tickets are nobody's to close but the agents', and never closed from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import requests

from connectors.zendesk.writing import answer_to
from omnihub.sdk import Answer, Http, Outcome, Row, each_erased, exchange

NOT_THERE = 404
BY_HAND = (
    "tickets stay, as those of a permanently deleted user: what was written in them is taken out by an agent "
    "(redact the comment, or delete the ticket); Zendesk's other products erase on their own time, which the user's "
    "compliance deletion statuses show"
)
WAY_OUT = "; tickets that are not closed keep a user: close them, and ask again"
MAY_NOT = "the user the token acts for may not delete users: give it the role of an administrator"


def erase(http: Http, rows: Sequence[Row]) -> Iterator[Answer]:
    """One answer per row; who is gone already, or was never there, is as good as erased."""
    return each_erased(rows, lambda row: _one(http, row))


def _one(http: Http, row: Row) -> Answer:
    deleted = http.request("DELETE", f"/api/v2/users/{row.id}.json", safe=True)
    if not _went(deleted):
        return _refused(http, row, deleted)
    gone = http.request("DELETE", f"/api/v2/deleted_users/{row.id}.json", safe=True)
    return Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(gone)) if _went(gone) else _refused(http, row, gone)


def _went(answer: requests.Response) -> bool:
    return answer.ok or answer.status_code == NOT_THERE


def _refused(http: Http, row: Row, answer: requests.Response) -> Answer:
    if answer.status_code == 403:  # of this user; that the token is worth nothing comes as a 401
        return Answer(row.n, Outcome.REFUSED, row.id, "403", MAY_NOT, exchange(answer))
    told = answer_to(http, row, answer)
    way_out = WAY_OUT if answer.status_code == 422 else ""
    return Answer(row.n, told.outcome, row.id, told.code, told.message + way_out, told.exchange)

"""Forgetting somebody in Salesforce: by hard delete, which passes over the recycle bin and takes out what is in it.

A plain delete only hides: the record lies in the bin for fifteen days, and queries show it. The REST API can't empty
the bin, so this is a job; its user needs the permission "Bulk API Hard Delete". What hangs on the record by a mere
reference stays without it, and what needs it (a case) keeps it: the org then says so. Who was merged into somebody lies
in the bin, and is deleted for good with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from simple_salesforce.format import format_soql

from connectors.salesforce import bulk
from connectors.salesforce.org import Org
from omnihub.errors import BrokenAnswer, RejectedRecord, RetryableError
from omnihub.sdk import LATER, REQUESTED, Answer, Op, Outcome, Row, records, value_at, words

MAX_IDS = 200  # of 27 characters each, in a URL that may have 16,384
ID = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
NOT_ALLOWED = (b"FEATURENOTENABLED", b"FEATURE_NOT_ENABLED")
IN_BIN = "ENTITY_IS_DELETED"

BY_HAND = (
    "opportunities, cases and files stay in Salesforce, and with them what somebody wrote in them about this person; "
    "queries may show for another day who was deleted for good; backups and sandboxes of the org keep them: an "
    "administrator sees to those"
)
PERMISSION = 'give the user of the connected app the permission "Bulk API Hard Delete": nothing was deleted'
WAYS_OUT: Mapping[str, str] = {
    "DELETE_FAILED": "something there needs this record: take it away from it, or delete it, and ask again",
    "INSUFFICIENT_ACCESS_OR_READONLY": "give the user of the connected app the right to delete this record",
}
IN_BIN_STILL = (
    "it is in the recycle bin, which this org does not let a job empty: it is gone for good fifteen days after it was "
    "deleted, or at once when an administrator empties the bin"
)


def erase(org: Org, name: str, rows: Sequence[Row]) -> list[Answer]:
    """One answer per row; who is gone already, or was never there, is as good as erased."""
    try:
        return _erased(org, name, rows)
    except RejectedRecord as no:
        code, message = no.code or str(no.status), words(no.body)
        if any(sign in no.body for sign in NOT_ALLOWED):
            code, message = "FEATURENOTENABLED", PERMISSION
        return [Answer(row.n, Outcome.REFUSED, row.id, code, message) for row in rows]
    except (RetryableError, BrokenAnswer) as trouble:
        return [Answer(row.n, Outcome.DEFERRED, row.id, LATER, str(trouble)) for row in rows]


def _erased(org: Org, name: str, rows: Sequence[Row]) -> list[Answer]:
    there = _there(org, name, "Id", [str(row.id) for row in rows])
    losers = _there(org, name, "MasterRecordId", [str(row.id) for row in rows])
    once = {key: row for row in rows if (key := str(row.id)[:15]) in there}
    for n, loser in enumerate(losers, 1):
        once.setdefault(loser, Row(-n, Op.UPDATE, loser, {}, {}, {}, ""))
    told = {str(a.id)[:15]: a for a in bulk.hard_delete(org, name, list(once.values()), {})}
    hidden = [str(answer.id) for answer in told.values() if answer.code == IN_BIN]
    left = _there(org, name, "Id", hidden)
    return [_of_all(row, there, losers, told, left) for row in rows]


def _of_all(
    row: Row, there: Mapping[str, str], losers: Mapping[str, str], told: Mapping[str, Answer], left: Mapping[str, str]
) -> Answer:
    """A person is erased when everybody who was merged into them is, too."""
    key = str(row.id)[:15]
    they = [key, *(loser for loser, winner in losers.items() if winner == key)]
    answers = [_answer(row, one in there or one in losers, told.get(one), one in left) for one in they]
    return next((answer for answer in answers if answer.outcome is not Outcome.WRITTEN), answers[0])


def _answer(row: Row, was_there: bool, told: Answer | None, in_bin: bool) -> Answer:
    if not was_there:
        return Answer(row.n, Outcome.WRITTEN, row.id)
    if told is None:
        return Answer(row.n, Outcome.DEFERRED, row.id, LATER, "the job has no result for this record; ask again")
    told = replace(told, n=row.n, id=row.id)
    if told.code == IN_BIN and in_bin:
        return replace(told, outcome=Outcome.DEFERRED, code=REQUESTED, message=IN_BIN_STILL)
    if told.code == IN_BIN:
        return replace(told, outcome=Outcome.WRITTEN, code="", message="")
    advice = WAYS_OUT.get(told.code)
    return replace(told, message=f"{told.message} ({advice})" if advice else told.message)


def _there(org: Org, name: str, by: str, ids: Sequence[str]) -> dict[str, str]:
    """The records with these ids in a field, also those in the bin: record → the id. Of each the fifteen characters
    that tell one from another."""
    found: dict[str, str] = {}
    good = [id_ for id_ in ids if ID.fullmatch(id_)]
    for start in range(0, len(good), MAX_IDS):
        where = format_soql(f" WHERE {by} IN {{}}", good[start : start + MAX_IDS])
        for body in org.ask(f"SELECT Id, MasterRecordId FROM {name}{where}"):
            for record in records(body, "records", key="Id"):
                found[str(record.id)[:15]] = str(value_at(record.raw, by))[:15]
    return found

"""The hub's findings in Airtable: rows of a table that is there for them, known by their key.

    Key · Title · Text · Kind · Severity · Record · Expected · Owner · Since · Status     Open, Closed, Resolved
    Last modified · Last modified by                                                      where the table has them

The base holds the master data, and of that nothing is ever written: the table has to be named in the settings, may not
be one the hub reads, and has to have all of the columns. Somebody who sets the status to Closed has decided; who, says
the column of the last change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyairtable.formulas import EQ, OR, Field

from connectors.airtable.reading import MODIFIED, PAGE_SIZE, Client
from connectors.airtable.writing import MAX_BATCH, Keyed, asked
from omnihub.errors import ConfigError, RejectedRecord
from omnihub.model import Op
from omnihub.sdk import Answer, Outcome, Row, exchange, words
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

KEY, STATUS, MODIFIED_BY = "Key", "Status", "Last modified by"
OPEN, CLOSED, RESOLVED = "Open", "Closed", "Resolved"
COLUMNS = (KEY, "Title", "Text", "Kind", "Severity", "Record", "Expected", "Owner", "Since", STATUS)
FINDINGS_TABLE = (
    "the table of that base for the hub's findings, where there is one (which columns it has, says "
    "connectors/airtable/notices.py); the token then needs data.records:write, too"
)
SETTLED = "This has been put right: there is nothing to do any more."
MAX_TITLE, MAX_TEXT = 500, 20_000  # characters; a long text holds 100,000
BATCH = 50  # notices a call of ours; ten of them a request

Record = Mapping[str, Any]


def put(client: Client, some: Sequence[tuple[Notice, str | None]]) -> Iterator[Answer]:
    """Each is there as it stands now: changed in its row, or in a new one."""
    table = _table(client)
    there = _there(client, [(notice.key, id_) for notice, id_ in some], COLUMNS)
    known: list[Row] = []
    new: list[Row] = []
    for n, (notice, _) in enumerate(some):
        rows = there.get(notice.key)
        if not rows:
            new.append(_row(n, notice.key, None, {**_cells(notice), STATUS: OPEN}))
        else:
            again = {STATUS: OPEN} if rows[0]["fields"].get(STATUS) in (CLOSED, RESOLVED) else {}
            known.append(_row(n, notice.key, rows[0]["id"], {**_cells(notice), **again}))
    yield from _ten_by_ten(client, table.update, known)
    yield from _ten_by_ten(client, table.create, new)


def clear(client: Client, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is resolved, and no longer says what it said; what is so or gone already is left alone."""
    table, there = _table(client), _there(client, some, COLUMNS)
    settled = {"Text": SETTLED, "Expected": None, STATUS: RESOLVED}
    left: list[Row] = []
    for n, (key, id_) in enumerate(some):
        open_ = [row for row in there.get(key, ()) if row["fields"].get(STATUS) != RESOLVED]
        if open_:
            left.append(_row(n, key, open_[0]["id"], settled))
        else:
            yield Answer(n, Outcome.WRITTEN, id_)
    yield from _ten_by_ten(client, table.update, left)


def remove(client: Client, some: Sequence[Told]) -> Iterator[Answer]:
    """Each row is deleted; what is gone already is left alone."""
    there = _there(client, some, COLUMNS)
    left = [_row(n, key, row["id"], {}) for n, (key, _) in enumerate(some) for row in there.get(key, ())[:1]]
    yield from (Answer(n, Outcome.WRITTEN, id_) for n, (key, id_) in enumerate(some) if not there.get(key))
    yield from _ten_by_ten(client, _delete, left)


def read(client: Client, some: Sequence[Told]) -> Iterator[Seen]:
    """How each stands, and who changed it last where it is closed."""
    for key, rows in _there(client, some).items():
        cells = rows[0]["fields"]
        if cells.get(STATUS) not in (CLOSED, RESOLVED):
            yield Seen(key, rows[0]["id"], Standing.OPEN)
        else:
            who = cells.get(MODIFIED_BY) or {}
            by = str(who.get("name") or who.get("email") or who.get("id") or "") if isinstance(who, dict) else str(who)
            yield Seen(key, rows[0]["id"], Standing.CLOSED, by, str(cells.get(MODIFIED) or ""))


def _cells(notice: Notice) -> dict[str, Any]:
    given = notice.fields
    return {
        "Title": notice.title[:MAX_TITLE],
        "Text": notice.text[:MAX_TEXT],
        "Kind": given.get("kind", ""),
        "Severity": notice.severity,
        "Record": f"{notice.stream}/{notice.ref_id}" if notice.ref_id else "",
        "Expected": given.get("expected", "")[:MAX_TEXT],
        "Owner": given.get("owner", ""),
        "Since": given.get("since", ""),
    }


def _row(n: int, key: str, id_: str | None, cells: Mapping[str, Any]) -> Row:
    return Row(n, Op.UPDATE if id_ else Op.CREATE, id_, {"fields": cells}, {}, {}, key)


# -- the table ---------------------------------------------------------------------------------------------------------


def _table(client: Client) -> Keyed:
    """ConfigError where nobody has named a table for this, or has named one that is the master's."""
    if not client.findings:
        raise ConfigError(
            "airtable: name the table for the hub's findings in systems.airtable.findings_table, or set "
            "systems.airtable.report to false"
        )
    if client.findings in client.masters:
        raise ConfigError(
            f"airtable: {client.findings} is the master's own; systems.airtable.findings_table is another"
        )
    return Keyed(client.findings, key=KEY)


def _there(client: Client, some: Sequence[Told], columns: Sequence[str] = ()) -> dict[str, list[Record]]:
    """key → its rows, the one that is known first, then the oldest. columns: only these, which have to be there."""
    table = client.base.table(_table(client).table)
    keys, ids = [key for key, _ in some], {id_ for _, id_ in some}
    found: dict[str, list[Record]] = {}
    for start in range(0, len(keys), PAGE_SIZE):
        wanted = OR(*(EQ(Field(KEY), key) for key in keys[start : start + PAGE_SIZE]))
        only: dict[str, Any] = {"fields": list(columns)} if columns else {}
        try:
            rows = asked(client, lambda: table.all(formula=wanted, **only))  # noqa: B023  asked at once
        except RejectedRecord as no:
            if no.code not in ("UNKNOWN_FIELD_NAME", "INVALID_FILTER_BY_FORMULA"):
                raise
            raise ConfigError(
                f"airtable/{client.findings}: a table for the hub's findings has the columns {', '.join(COLUMNS)}; add "
                f"those that are missing ({STATUS} has {OPEN}, {CLOSED} and {RESOLVED} to choose from), or "
                "name another table in systems.airtable.findings_table"
            ) from None
        for row in sorted(rows, key=lambda row: (row["id"] not in ids, row["createdTime"], row["id"])):
            found.setdefault(row["fields"][KEY], []).append(row)
    return found


Send = Callable[[Client, Sequence[Row]], Iterable[Answer]]


def _ten_by_ten(client: Client, send: Send, rows: Sequence[Row]) -> Iterator[Answer]:
    """One bad row refuses all ten of its request: then they are sent one by one."""
    for start in range(0, len(rows), MAX_BATCH):
        some = rows[start : start + MAX_BATCH]
        try:
            answers = list(send(client, some))
        except RejectedRecord as no:
            answers = [_one(client, send, row) for row in some] if len(some) > 1 else [_refused(client, some[0], no)]
        yield from answers


def _one(client: Client, send: Send, row: Row) -> Answer:
    try:
        [answer] = send(client, [row])
    except RejectedRecord as no:
        return _refused(client, row, no)
    return answer


def _refused(client: Client, row: Row, no: RejectedRecord) -> Answer:
    said = exchange(client.http.last())
    return Answer(row.n, Outcome.REFUSED, row.id, no.code, words(no.body), said)


def _delete(client: Client, rows: Sequence[Row]) -> list[Answer]:
    table = client.base.table(client.findings)
    asked(client, lambda: table.batch_delete([str(row.id) for row in rows]))
    seen = exchange(client.http.last())
    return [Answer(row.n, Outcome.WRITTEN, row.id, exchange=seen) for row in rows]


place = Place(
    put,
    clear,
    remove,
    titles="the table for findings, in the base with the master data",
    read=read,
    batch=BATCH,
)

"""The hub's findings in a database: rows of a table that is there for them, known by their key.

    findings_table: hub_findings      key (unique), title, text, severity, status: open, closed, resolved
                                      where it has them: kind, record, expected, owner, since, closed_by, changed_at

The table is named in the settings and made by whoever looks after the database; it is none of those that are read. A
connection of its own writes it, so that what is only read stays what cannot be written. Who sets a status to closed has
decided; their name is read from `closed_by`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from connectors.database.tables import Client, unchecked, words
from omnihub.errors import ConfigError
from omnihub.sdk import Answer, Exchange, Outcome
from omnihub.sdk.declared import meant
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

NEEDED = ("key", "title", "text", "severity", "status")
FURTHER = ("kind", "record", "expected", "owner", "since", "changed_at")
SAYS_WHO = "closed_by"
OPEN, RESOLVED, OVER = "open", "resolved", ("closed", "resolved")
FINDINGS_TABLE = (
    f"a table for the hub's findings, with texts {', '.join(NEEDED)} and, as far as wanted, {', '.join(FURTHER)} and "
    f"{SAYS_WHO}; none of those that are read"
)
SETTLED = "This has been put right: there is nothing to do any more."
BATCH = 200
REFUSALS = (sa.exc.IntegrityError, sa.exc.DataError)

Change = Callable[[sa.Connection, sa.Table, int], None]


def put(client: Client, some: Sequence[tuple[Notice, str | None]]) -> Iterator[Answer]:
    """Each is there as it stands now, in the row it has or a new one."""

    def say(c: sa.Connection, table: sa.Table, n: int) -> None:
        notice = some[n][0]
        held = c.execute(sa.select(table.c.status).where(table.c.key == notice.key)).first()
        told = _cells(notice) | {"changed_at": _now(table)}
        cells = {name: value for name, value in told.items() if name in table.c}
        if held is None:
            c.execute(sa.insert(table).values(cells | {"status": OPEN}))
            return
        again = {"status": OPEN, **({SAYS_WHO: None} if SAYS_WHO in table.c else {})} if _is_over(held.status) else {}
        c.execute(sa.update(table).where(table.c.key == notice.key).values(cells | again))

    return _each(client, [notice.key for notice, _ in some], say, "UPSERT")


def clear(client: Client, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is resolved, and no longer says what it said of anybody; what is so or gone already is left alone."""

    def settle(c: sa.Connection, table: sa.Table, n: int) -> None:
        cells = {"text": SETTLED, "expected": None, "status": RESOLVED, "changed_at": _now(table)}
        held = {name: value for name, value in cells.items() if name in table.c}
        c.execute(sa.update(table).where(table.c.key == some[n][0], table.c.status != RESOLVED).values(held))

    return _each(client, [key for key, _ in some], settle, "UPDATE")


def remove(client: Client, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is deleted."""

    def take_away(c: sa.Connection, table: sa.Table, n: int) -> None:
        c.execute(sa.delete(table).where(table.c.key == some[n][0]))

    return _each(client, [key for key, _ in some], take_away, "DELETE")


def read(client: Client, some: Sequence[Told]) -> Iterator[Seen]:
    """How each stands, and who closed it."""
    writing = _writing(client)
    with writing.connected() as c:
        table = _table(c, client)
        shown = [table.c[name] for name in ("key", "status", SAYS_WHO, "changed_at") if name in table.c]
        rows = c.execute(sa.select(*shown).where(table.c.key.in_([key for key, _ in some]))).mappings().all()
    for row in rows:
        if _is_over(row["status"]):
            by, at = (str(row.get(name) or "") for name in (SAYS_WHO, "changed_at"))
            yield Seen(row["key"], row["key"], Standing.CLOSED, by, at)
        else:
            yield Seen(row["key"], row["key"], Standing.OPEN)


def _each(client: Client, keys: Sequence[str], change: Change, verb: str) -> Iterator[Answer]:
    """One transaction, with a savepoint for each: one that is refused takes none along."""
    answers: list[Answer] = []
    writing = _writing(client)
    with writing.connected() as c, c.begin():
        table = _table(c, client)
        seen = Exchange(verb, f"{client.url}#{client.findings_table}", 200, datetime.now(UTC))
        for n, key in enumerate(keys):
            try:
                with c.begin_nested():
                    change(c, table, n)
                answers.append(Answer(n, Outcome.WRITTEN, key, exchange=seen))
            except REFUSALS as no:
                code = type(no).__name__
                answers.append(Answer(n, Outcome.REFUSED, None, code, words(no, names=list(table.c.keys())), seen))
    return iter(answers)  # once all of it is committed


def _cells(notice: Notice) -> dict[str, Any]:
    told = {name: notice.fields.get(name, "") for name in ("kind", "expected", "owner", "since")}
    record = f"{notice.stream}/{notice.ref_id}" if notice.ref_id else ""
    own = {"key": notice.key, "title": notice.title, "text": notice.text, "severity": notice.severity}
    return {**told, **own, "record": record}


def _is_over(status: Any) -> bool:
    return str(status or "").strip().lower() in OVER


def _now(table: sa.Table) -> Any:
    if "changed_at" not in table.c or isinstance(table.c.changed_at.type, sa.DateTime):
        return datetime.now(UTC)
    return datetime.now(UTC).isoformat(timespec="seconds")


# -- the table ---------------------------------------------------------------------------------------------------------


def _writing(client: Client) -> Client:
    if client.telling is None:
        raise ConfigError(
            f"{client.system}: name the table for the hub's findings in systems.{client.system}.findings_table, or set "
            f"systems.{client.system}.report to false"
        )
    return client.telling


def _table(c: sa.Connection, client: Client) -> sa.Table:
    """ConfigError names a table or column that is not there."""
    schema, _, name = client.findings_table.rpartition(".")
    found = unchecked(c, f"{client.system}/findings_table", name, schema or None)
    missing = [column for column in NEEDED if column not in found.c]
    if missing:
        there = meant(missing[0], list(found.c.keys()))
        raise ConfigError(f"{client.system}: table {name} for the hub's findings has no {', '.join(missing)}; {there}")
    return found


place = Place(put, clear, remove, titles="the table for findings that the settings name", read=read, batch=BATCH)

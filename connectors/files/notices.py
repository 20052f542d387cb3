"""The hub's findings for a system of files: one file in its outbox, a row each, whole and as things stand now.

    to-partners/consistency-report-partners.csv      key, status, severity, title, text, record, kind, …, closed_by

What is put right is in it no longer; with nothing left it has its header only. Who sets a row's status to closed, in
the file where it lies, has decided; their name is read from `closed_by`. A text that a spreadsheet would run begins
with an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.files.outbox import Outbox
from connectors.files.places import REPORT
from connectors.files.places import Place as Folder
from connectors.files.sheets import FORMULA
from omnihub.errors import ConfigError
from omnihub.sdk import Answer, Exchange, Outcome, masked
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

FACTS = ("kind", "findings", "records", "at_stake", "customers", "expected", "owner", "since")
COLUMNS = ("key", "status", "severity", "title", "text", "record", *FACTS, "closed_by")
OPEN, CLOSED = "open", "closed"
WIDE = ("\n", "＝", "＋", "－", "＠")  # taken for their narrow twins
BATCH = 10_000  # of one go, so that the file is written once
RUNS_BACK = (";", "\t")  # what a spreadsheet puts between cells when somebody saves the file from it

Rows = dict[str, dict[str, str]]


def put(folder: Folder, some: Sequence[tuple[Notice, str | None]]) -> Iterator[Answer]:
    """Each is a row of the file, as it stands now."""
    return _kept(folder, [notice.key for notice, _ in some], lambda n: _row(some[n][0]))


def clear(folder: Folder, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is in the file no longer."""
    return _kept(folder, [key for key, _ in some], lambda _: None)


def read(folder: Folder, some: Sequence[Told]) -> Iterator[Seen]:
    """Which are there, and who closed them."""
    rows = _rows(_outbox(folder))
    for key, _ in some:
        if row := rows.get(key):
            closed = row.get("status", "").strip().lower() == CLOSED
            yield Seen(
                key, key, Standing.CLOSED if closed else Standing.OPEN, row.get("closed_by", "") if closed else ""
            )


def _kept(folder: Folder, keys: Sequence[str], become: Callable[[int], dict[str, str] | None]) -> Iterator[Answer]:
    """Write the file anew with these changed, where that changes it."""
    box = _outbox(folder)
    rows = _rows(box)
    for n, key in enumerate(keys):
        row = become(n)
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row
    path, body = _path(box), _bytes(rows)
    if _body(box) != body:
        box.put(path, body)
    seen = Exchange("WRITE", masked(box.fs.unstrip_protocol(path)), 200, datetime.now(UTC))
    return iter([Answer(n, Outcome.WRITTEN, key, exchange=seen) for n, key in enumerate(keys)])


def _row(notice: Notice) -> dict[str, str]:
    record = f"{notice.stream}/{notice.ref_id}" if notice.ref_id else ""
    own = {"key": notice.key, "status": OPEN, "severity": notice.severity, "title": notice.title, "text": notice.text}
    told = {name: notice.fields.get(name, "") for name in FACTS}
    return {name: _safe(cell) for name, cell in (own | {"record": record, "closed_by": ""} | told).items()}


def _safe(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) or text.startswith(WIDE) else text


# -- the file ----------------------------------------------------------------------------------------------------------


def _outbox(folder: Folder) -> Outbox:
    if not folder.outbox:
        raise ConfigError(
            f"{folder.system}: name the folder for the hub's findings in systems.{folder.system}.outbox, or set "
            f"systems.{folder.system}.report to false"
        )
    return Outbox.of(folder)


def _path(box: Outbox) -> str:
    return f"{box.root}/{box.place.report}"


def _body(box: Outbox) -> bytes | None:
    """None where there is no such file yet."""
    with box.place.trouble():
        box.fs.invalidate_cache()
        found: bytes | None = box.fs.cat_file(_path(box)) if box.fs.exists(_path(box)) else None
    return found


def _rows(box: Outbox) -> Rows:
    """What the file says, row by row, also after somebody has saved it from a spreadsheet. A file that is no longer
    this table says nothing: it is written anew."""
    text = (_body(box) or b"").decode("utf-8-sig", "replace")
    head = text.partition("\n")[0]
    between = next((sign for sign in RUNS_BACK if sign in head), ",")
    read_in = csv.DictReader(io.StringIO(text, newline=""), delimiter=between)
    if not {"key", "status"} <= {*(read_in.fieldnames or ())}:
        return {}
    return {row["key"]: {name: row.get(name) or "" for name in COLUMNS} for row in read_in if row.get("key")}


def _bytes(rows: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The urgent first; the mark at the beginning tells a spreadsheet that it is UTF-8."""
    order = {"high": 0, "medium": 1, "low": 2}
    ranked = sorted(rows.values(), key=lambda row: (order.get(row["severity"], len(order)), row["title"], row["key"]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(ranked)
    return text.getvalue().encode("utf-8-sig", "replace")


place = Place(
    put, clear, clear, titles=f"the file {REPORT}-….csv in the outbox, with the changes", read=read, batch=BATCH
)

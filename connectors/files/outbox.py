"""Changes as files of their own, for a system that takes files in: keys and changed columns, nothing else.

    to-partners/customers-20261122T013557Z-5d41402abc4b.csv      Id,Phone

One file for each set of columns that change together, so that no cell is empty and none can be taken for "delete this".
The end of its name says what is in it: the same changes again make no second file. What was handed over and not yet
taken in is remembered beside the files, and not handed over again while the record stands as it stood.

A cell that a spreadsheet would run as a formula is refused in CSV, and plain text in Excel; it is never altered.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import xxhash
from fsspec.implementations.local import LocalFileSystem

from connectors.files.declaration import FilesStream
from connectors.files.places import Place, reach
from connectors.files.sheets import FORMULA, as_text
from omnihub.errors import ConfigError, RetryableError
from omnihub.model import Outcome
from omnihub.sdk import Answer, Exchange, Row, masked
from omnihub.sdk.fieldmap import put
from omnihub.sdk.rows import flattened, parts_of

ILLEGAL_IN_EXCEL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

Cells = dict[str, Any]


@dataclass(frozen=True)
class Changes:
    """Write changed records as files into the system's outbox."""

    stream: str
    said: FilesStream

    def __call__(self, place: Place, rows: Sequence[Row]) -> Iterable[Answer]:
        """One answer per row, once its file is in the outbox whole."""
        box = Outbox.of(place, self.stream)
        handed = box.handed_over()
        answers: list[Answer] = []
        together: dict[tuple[str, ...], list[tuple[Row, Cells]]] = defaultdict(list)
        for row in rows:
            cells = self._cells(row)
            trouble = self._unfit(cells)
            if handed.get(str(row.id)) == _state(row, cells):
                answers.append(_answer(row, Outcome.WRITTEN, "handed_over", "it was handed over before, in a file"))
            elif trouble:
                answers.append(_answer(row, Outcome.REFUSED, "not_in_this_format", trouble))
            else:
                together[tuple(cells)].append((row, cells))
        for some in together.values():
            some.sort(key=lambda pair: str(pair[0].id))
            seen = box.keep(self._bytes([cells for _, cells in some]), [cells for _, cells in some], self._ending)
            handed |= {str(row.id): _state(row, cells) for row, cells in some}
            answers += [Answer(row.n, Outcome.WRITTEN, row.id, exchange=seen) for row, _ in some]
        if together:
            box.remember(handed)
        return answers

    @property
    def _ending(self) -> str:
        assert self.said.push
        return self.said.push.format

    def _cells(self, row: Row) -> Cells:
        """The columns of a record in its file: its key as it stands there, then what changes."""
        keys = dict(zip(self.said.key, parts_of(str(row.id), len(self.said.key)), strict=True))
        return keys | dict(sorted(flattened(row.body)))

    def _unfit(self, cells: Cells) -> str:
        """Why this can't stand in such a file; "" where it can."""
        if self._ending == "xlsx":
            bad = [name for name, cell in cells.items() if ILLEGAL_IN_EXCEL.search(as_text(cell))]
            return f"{', '.join(bad)}: Excel has no such characters; format: jsonl has" if bad else ""
        if self._ending == "csv":
            bad = [name for name, cell in cells.items() if FORMULA.match(as_text(cell))]
            if bad:
                return f"{', '.join(bad)}: a spreadsheet would run it as a formula; format: xlsx or jsonl would not"
            try:
                "".join(map(as_text, cells.values())).encode(self.said.encoding or "utf-8")
            except UnicodeEncodeError:
                return f"it has characters that {self.said.encoding} has not; format: jsonl has all"
        return ""

    def _bytes(self, rows: Sequence[Cells]) -> bytes:
        match self._ending:
            case "jsonl":
                return b"".join(msgspec.json.encode(_nested(cells)) + b"\n" for cells in rows)
            case "xlsx":
                return _excel(rows)
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.said.delimiter or ",", lineterminator="\r\n")
        writer.writerow(rows[0])
        writer.writerows([as_text(cell) for cell in cells.values()] for cells in rows)
        return text.getvalue().encode(self.said.encoding or "utf-8")


@dataclass(frozen=True)
class Outbox:
    """The folder, and what it remembers for one stream."""

    place: Place
    stream: str
    fs: Any
    root: str

    @classmethod
    def of(cls, place: Place, stream: str = "") -> Outbox:
        if not place.outbox:
            raise ConfigError(f"{place.system}: set systems.{place.system}.outbox in omnihub.yaml")
        fs, root = reach(place.system, place.outbox)
        with place.trouble():
            fs.makedirs(root, exist_ok=True)
        return cls(place, stream, fs, root.rstrip("/"))

    @property
    def ledger(self) -> str:
        return f"{self.root}/.handed-over-{self.place.system}-{self.stream}.json"

    def handed_over(self) -> dict[str, str]:
        """Record → the state it was in, and what was handed over for it."""
        with self.place.trouble():
            self.fs.invalidate_cache()
            if not self.fs.exists(self.ledger):
                return {}
            found: dict[str, str] = json.loads(self.fs.cat_file(self.ledger))
            return found

    def remember(self, handed: Mapping[str, str]) -> None:
        """Keep what was handed over."""
        self.put(self.ledger, json.dumps(dict(sorted(handed.items()))).encode())

    def keep(self, body: bytes, rows: Sequence[Cells], ending: str) -> Exchange:
        """Leave a file, whole or not at all, unless one with just this is there."""
        digest = xxhash.xxh3_64_hexdigest(msgspec.json.encode(rows))
        with self.place.trouble():
            there = self.fs.glob(f"{self.root}/{self.stream}-*-{digest}.{ending}")
        path = there[0] if there else f"{self.root}/{self.stream}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{digest}.{ending}"
        if not there:
            self.put(path, body)
        return Exchange("WRITE", masked(self.fs.unstrip_protocol(path)), 200, datetime.now(UTC))

    def put(self, path: str, body: bytes) -> None:
        """Leave this in a file, whole or not at all."""
        try:
            if isinstance(self.fs, LocalFileSystem):
                put_whole(Path(path), body)
            else:
                self.fs.pipe_file(path, body)  # these show a file when it is whole
        except NotImplementedError:
            raise ConfigError(f"{self.place.system}: nothing can be written to {masked(self.place.outbox)}") from None
        except OSError as error:
            raise RetryableError(
                f"{self.place.system}: the outbox can't be written ({type(error).__name__})"
            ) from error


def put_whole(path: Path, body: bytes) -> None:
    """Write a file so that nobody ever sees a part of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _excel(rows: Sequence[Cells]) -> bytes:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("changes")

    def cell(value: Any) -> Any:
        made = WriteOnlyCell(sheet, value if isinstance(value, (int, float)) else as_text(value))
        if isinstance(value, str):
            made.data_type = "s"  # also where it begins with "="
        return made

    sheet.append(list(rows[0]))
    for cells in rows:
        sheet.append([cell(value) for value in cells.values()])
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def _nested(cells: Cells) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path, value in cells.items():
        put(document, path, value)
    return document


def _state(row: Row, cells: Cells) -> str:
    """Names a record as it stands and what is to become of it."""
    return xxhash.xxh3_128_hexdigest(msgspec.json.encode([row.raw, cells]))


def _answer(row: Row, outcome: Outcome, code: str, message: str) -> Answer:
    return Answer(row.n, outcome, row.id, code, message)

"""Changes written into the file they were read from, and persons taken out of it: CSV and JSONL in a local folder.

The file is copied row by row, byte for byte but for the cells that change, and takes the place of the old one in one
step. A row that no longer stands as the hub saw it is left alone (drifted); a file that somebody wrote meanwhile too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from connectors.files import sheets
from connectors.files.declaration import FilesStream
from connectors.files.formats import json_record, row_reader, rows, sheet_of
from connectors.files.places import File, Place
from connectors.files.reading import files_of
from omnihub.errors import BrokenAnswer, ConfigError, RetryableError
from omnihub.model import Outcome
from omnihub.sdk import LATER, Answer, Record, Row
from omnihub.sdk.rows import flattened

Piece = tuple[bytes, Record | None, Any]
"""What stands in the file, the record it is (None for what is none), and what `_changed` needs to write it anew."""


@dataclass(frozen=True)
class Rewrite:
    """Write changed records into their files."""

    stream: str
    said: FilesStream

    def __call__(self, place: Place, rows: Iterable[Row]) -> Iterator[Answer]:
        """One answer per row, once its file is in place."""
        _demand_local(place, self.stream)
        left = {str(row.id): row for row in rows}
        for file in reversed(files_of(place, self.stream, self.said)):
            if left:
                yield from self._rewrite(place, file, left)
        for row in left.values():
            yield Answer(row.n, Outcome.DRIFTED, row.id, "gone", "no file holds it any more")

    def _rewrite(self, place: Place, file: File, left: dict[str, Row]) -> list[Answer]:
        """The rows this file holds, taken out of `left`. RetryableError: somebody else wrote it meanwhile."""
        where, path = f"{place.system}/{self.stream}: {file.name}", Path(file.path)
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        answers: list[Answer] = []
        try:
            with place.trouble(), place.read(file) as body:
                lasts = {str(r.id): r.pointer for r in rows(where, body, self.said) if r.id in left}
                if not lasts:
                    return []
                with beside.open("wb") as new:
                    for piece in self._pieces(where, body):
                        new.write(self._passed_on(piece, lasts, left, answers))
                    new.flush()
                    os.fsync(new.fileno())
                if any(answer.outcome is Outcome.WRITTEN for answer in answers):
                    _put_in_place(place, file, beside, where)
        finally:
            beside.unlink(missing_ok=True)
        for key in lasts:
            left.pop(key)
        seen = place.exchange(file.path, "WRITE")
        return [Answer(a.n, a.outcome, a.id, a.code, a.message, seen) for a in answers]

    def _passed_on(
        self, piece: Piece, lasts: Mapping[str, str], left: Mapping[str, Row], answers: list[Answer]
    ) -> bytes:
        """What stands in the new file instead; says in `answers` what became of a row that was to be written."""
        source, record, how = piece
        if record is None or record.id is None or lasts.get(record.id) != record.pointer:
            return source
        row = left[record.id]
        if msgspec.json.decode(record.raw) != row.raw:
            answers.append(Answer(row.n, Outcome.DRIFTED, row.id, "changed", "somebody changed it in the meantime"))
            return source
        try:
            new = _changed(source, how, row)
        except (ValueError, KeyError) as error:
            answers.append(Answer(row.n, Outcome.REFUSED, row.id, "not_in_this_file", _unfit(error)))
            return source
        answers.append(Answer(row.n, Outcome.WRITTEN, row.id))
        return new

    def _pieces(self, where: str, body: BinaryIO) -> Iterator[Piece]:
        return self._csv(where, body) if self.said.kind == "csv" else self._jsonl(where, body)

    def _csv(self, where: str, body: BinaryIO) -> Iterator[Piece]:
        sheet = sheet_of(where, body, self.said)
        record = row_reader(self.said, sheet.columns)
        yield sheet.mark, None, None
        for line in sheets.lines(where, body, sheet, self.said.header):
            whole = line.cells is not None and len(line.cells) == len(sheet.columns)
            found = record(line.cells or [], f"/line/{line.number}") if whole else None
            yield line.text.encode(sheet.encoding), found, (sheet, line)

    def _jsonl(self, where: str, body: BinaryIO) -> Iterator[Piece]:
        body.seek(0)
        for number, line in enumerate(body, 1):
            raw = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            found = json_record(raw, f"/line/{number}", self.said, where) if raw else None
            yield line, found, raw


@dataclass(frozen=True)
class Erase(Rewrite):
    """Take persons who are to be forgotten out of every file there is, also those that later ones overrule."""

    def __call__(self, place: Place, rows: Iterable[Row]) -> Iterator[Answer]:
        """One answer per row, once all files are in place; one that no file holds is as good."""
        asked = list(rows)
        _demand_local(place, self.stream)
        gone, trouble = {str(row.id) for row in asked}, ""
        for file in place.files(self.said.files, self.said.order):
            try:
                self._take_out(place, file, gone)
            except (RetryableError, BrokenAnswer) as error:  # whoever may be in it is not forgotten yet
                trouble = str(error)
        seen = place.exchange(place.root, "WRITE")
        for row in asked:
            outcome = Outcome.DEFERRED if trouble else Outcome.WRITTEN
            yield Answer(row.n, outcome, row.id, LATER if trouble else "", trouble, seen)

    def _take_out(self, place: Place, file: File, gone: set[str]) -> None:
        where, path = f"{place.system}/{self.stream}: {file.name}", Path(file.path)
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with place.trouble(), place.read(file) as body:
                if not any(record.id in gone for record in rows(where, body, self.said)):
                    return
                with beside.open("wb") as new:
                    for source, record, _ in self._pieces(where, body):
                        new.write(b"" if record is not None and record.id in gone else source)
                    new.flush()
                    os.fsync(new.fileno())
                times = path.stat()
                _put_in_place(place, file, beside, where)
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # it is no later file than it was
        finally:
            beside.unlink(missing_ok=True)


def _demand_local(place: Place, stream: str) -> None:
    if not place.is_local:
        raise ConfigError(f"{place.system}/{stream}: only files in a local folder are written in place")


def _put_in_place(place: Place, file: File, beside: Path, where: str) -> None:
    """RetryableError: somebody else wrote the file meanwhile."""
    shutil.copymode(file.path, beside)
    if not place.unchanged(file):
        raise RetryableError(f"{where} is being written by somebody else; run again later")
    beside.replace(file.path)


def _changed(source: bytes, how: Any, row: Row) -> bytes:
    """The row with the new values. ValueError: the file can't hold them."""
    if isinstance(how, bytes):
        return source.replace(how, _merged(how, row.body), 1)
    sheet, line = how
    cells = list(line.cells)
    for column, value in flattened(row.body):
        cells[sheet.columns.index(column)] = sheets.as_text(value)
        if sheets.FORMULA.match(sheets.as_text(value)):
            raise ValueError(f"{column}: a spreadsheet would run it as a formula")
    changed: bytes = sheet.written(cells, like=line.text)
    return changed


def _merged(raw: bytes, changes: Mapping[str, Any]) -> bytes:
    """A JSON object with some values changed; everything else stays as it is written."""
    document = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    for name, value in changes.items():
        if isinstance(value, Mapping):
            below = bytes(document.get(name, msgspec.Raw(b"{}")))
            document[name] = msgspec.Raw(_merged(b"{}" if below == b"null" else below, value))
        else:
            document[name] = msgspec.Raw(msgspec.json.encode(value))
    return msgspec.json.encode(document)


def _unfit(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "the encoding of the file has not all of these characters"
    return str(error) if type(error) is ValueError else "the file has no place for it"

"""The rows of a file, one by one, each with its place: of CSV, JSONL, JSON, Parquet and Excel.

Rows of JSON are kept byte for byte; cells of the others become JSON that says exactly what they held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from connectors.files import sheets
from connectors.files.declaration import FilesStream
from connectors.files.sheets import Sheet
from omnihub.errors import BrokenAnswer
from omnihub.sdk import Record
from omnihub.sdk.page import UNREADABLE, slices, value_at
from omnihub.sdk.rows import Unusable, encoded, faithful, key_of

BATCH = 1_000

Rows = Callable[[str, BinaryIO, FilesStream], Iterator[Record]]
"""(where, bytes, declaration) → records; what can't be one is `Unusable`. where: system, stream and file."""


def rows(where: str, body: BinaryIO, said: FilesStream) -> Iterator[Record]:
    """The rows of a file. BrokenAnswer: the file itself is not what it should be, with the line."""
    body.seek(0)
    return _READERS[said.kind](where, body, said)


# -- CSV -------------------------------------------------------------------------------------------------------------


def sheet_of(where: str, body: BinaryIO, said: FilesStream) -> Sheet:
    """How a CSV file is written."""
    quote = None if said.quote == "none" else said.quote
    return sheets.understood(
        where, body, said.columns, delimiter=said.delimiter, encoding=said.encoding, quote=quote, header=said.header
    )


def _csv(where: str, body: BinaryIO, said: FilesStream) -> Iterator[Record]:
    sheet = sheet_of(where, body, said)
    record = row_reader(said, sheet.columns)
    for line in sheets.lines(where, body, sheet, said.header):
        if line.cells is None:
            continue
        if len(line.cells) != len(sheet.columns):
            yield ragged(where, line.number, line.text, len(line.cells), len(sheet.columns))
        else:
            yield record(line.cells, f"/line/{line.number}")


def ragged(where: str, number: int, text: str, cells: int, columns: int) -> Unusable:
    """A row that has not as many cells as there are columns: which cell is which is not known."""
    why = f"{where}: line {number} has {cells} cells, the header has {columns}"
    return Unusable(id=None, raw=text.encode(errors="replace"), pointer=f"/line/{number}", why=why)


def row_reader(said: FilesStream, columns: tuple[str, ...]) -> Callable[[list[Any], str], Record]:
    """What makes a record of the cells of a row and its place."""
    nested = [column for column in said.columns if "." in column and column in columns]
    keys = [columns.index(name) for name in said.key]
    updated = columns.index(said.updated) if said.updated else None

    def record(cells: list[Any], pointer: str) -> Record:
        return Record(
            id=key_of([cells[n] for n in keys]),
            raw=sheets.document(columns, cells, nested),
            pointer=pointer,
            updated=None if updated is None or cells[updated] in (None, "") else str(cells[updated]),
        )

    return record


# -- JSON ------------------------------------------------------------------------------------------------------------


def _jsonl(where: str, body: BinaryIO, said: FilesStream) -> Iterator[Record]:
    for number, line in enumerate(body, 1):
        raw = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip()
        if raw:
            yield json_record(raw, f"/line/{number}", said, f"{where}: line {number}")


def json_record(raw: bytes, pointer: str, said: FilesStream, where: str) -> Record:
    """A record of its JSON, `Unusable` where it is none."""
    try:
        msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        key = key_of([value_at(raw, name) for name in said.key])
        updated = value_at(raw, said.updated) if said.updated else None
    except (*UNREADABLE, BrokenAnswer):
        return Unusable(id=None, raw=raw, pointer=pointer, why=f"{where} is no JSON object")
    return Record(id=key, raw=raw, pointer=pointer, updated=None if updated is None else str(updated))


def _json(where: str, body: BinaryIO, said: FilesStream) -> Iterator[Record]:
    prefix = "".join(f"/{part}" for part in said.items.split(".") if part)
    try:
        found = slices(body.read().removeprefix(b"\xef\xbb\xbf"), said.items)
    except BrokenAnswer as error:
        raise BrokenAnswer(f"{where}: {error}; `items` says where in the file the list is") from error
    for n, raw in enumerate(found):
        yield json_record(bytes(raw), f"{prefix}/{n}", said, f"{where}: {prefix}/{n}")


# -- Parquet and Excel -----------------------------------------------------------------------------------------------


def _parquet(where: str, body: BinaryIO, said: FilesStream) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    zone, number = ZoneInfo(said.zone), 0
    try:
        file = pq.ParquetFile(body)
        _demand_first_parts(where, said, tuple(file.schema_arrow.names))
        for batch in file.iter_batches(BATCH):
            for row in batch.to_pylist():
                yield json_record(encoded(row, zone), f"/row/{number}", said, f"{where}: row {number}")
                number += 1
    except pa.ArrowInvalid as error:
        raise BrokenAnswer(f"{where}: is no Parquet file that can be read") from error


def _demand_first_parts(where: str, said: FilesStream, columns: tuple[str, ...]) -> None:
    sheets.demand(where, (column.split(".")[0] for column in said.columns), columns)


def _xlsx(where: str, body: BinaryIO, said: FilesStream) -> Iterator[Record]:
    import zipfile

    import openpyxl

    zone = ZoneInfo(said.zone)
    try:
        book = openpyxl.load_workbook(body, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BrokenAnswer(f"{where}: is no Excel file that can be read") from error
    try:
        names = book.sheetnames
        if said.sheet:
            sheets.demand(f"{where}: as a sheet", [said.sheet], names)
        sheet = book[said.sheet or names[0]]
        sheet.reset_dimensions()  # some programs write wrong ones
        columns: tuple[str, ...] = ()
        record = None
        for number, cells in enumerate(sheet.iter_rows(min_row=said.header, values_only=True), said.header):
            if record is None:
                columns = sheets.once_each([str(cell) if cell is not None else "" for cell in cells])
                sheets.demand(f"{where}: line {number}", said.columns, columns)
                record = row_reader(said, columns)
            elif any(cell is not None for cell in cells):
                whole = [*cells, *([None] * (len(columns) - len(cells)))]
                if any(cell is not None for cell in whole[len(columns) :]):
                    yield ragged(where, number, str(len(cells)), len(cells), len(columns))
                else:
                    values = [faithful(_figure(cell), zone) for cell in whole[: len(columns)]]
                    yield record(values, f"/{sheet.title}/{number}")
        if record is None:
            raise BrokenAnswer(f"{where}: it has no line {said.header} with the names of the columns")
    finally:
        book.close()


def _figure(cell: Any) -> Any:
    """Excel has no whole numbers: 1001.0 is 1001."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


_READERS: dict[str, Rows] = {"csv": _csv, "jsonl": _jsonl, "json": _json, "parquet": _parquet, "xlsx": _xlsx}

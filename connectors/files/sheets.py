"""CSV: encoding, delimiter and quotes as they are found or declared, and each row with the exact bytes it came in."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from omnihub.errors import BrokenAnswer, ConfigError
from omnihub.sdk.declared import meant
from omnihub.sdk.fieldmap import put

FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().,/-]*$)")  # what a spreadsheet runs; +49 30 1234 is a number
DELIMITERS = (",", ";", "\t", "|")
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
csv.field_size_limit(10_000_000)  # of a cell; a quote that is never closed swallows the rest of the file


@dataclass(frozen=True)
class Sheet:
    """How a CSV file is written. mark: the bytes before its first character."""

    columns: tuple[str, ...]
    encoding: str
    mark: bytes
    delimiter: str
    quote: str | None

    @property
    def dialect(self) -> dict[str, Any]:
        """As Python's csv has it."""
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return {"delimiter": self.delimiter, "quotechar": self.quote or '"', "quoting": quoting}

    def written(self, cells: Sequence[str], like: str = "\n") -> bytes:
        """A row as bytes of this file. ValueError: it can't hold that. like: a row whose line ending is taken over."""
        ending = like[len(like.rstrip("\r\n")) :]
        text = io.StringIO()
        try:
            csv.writer(text, **self.dialect, lineterminator=ending).writerow(cells)
        except csv.Error as error:
            raise ValueError("it needs quotes, and this file has none") from error
        return text.getvalue().encode(self.encoding)


@dataclass(frozen=True)
class Line:
    """A row of the file: where it begins, its cells (None for what is no row of data), and just what stands there."""

    number: int
    cells: list[str] | None
    text: str


class _Lines:
    """Lines of text, and those handed out since the last row."""

    def __init__(self, text: Iterable[str]) -> None:
        self.text = iter(text)
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.text)
        self.taken.append(line)
        return line

    def take(self) -> str:
        found = "".join(self.taken)
        self.taken.clear()
        return found


def understood(
    where: str,
    body: BinaryIO,
    wanted: Sequence[str],
    *,
    delimiter: str | None,
    encoding: str | None,
    quote: str | None,
    header: int,
) -> Sheet:
    """How this file is written. where: its name, for messages. wanted: the columns that have to be there.

    The delimiter is the one under which the header has the most of the wanted columns. An encoding is never guessed:
    what is not UTF-8 has to be declared. BrokenAnswer: it is not readable so, or a column is missing.
    """
    mark, plain = _encoding(where, body, encoding)
    best: Sheet | None = None
    for candidate in (delimiter,) if delimiter else DELIMITERS:
        columns = _header(where, Sheet((), plain, mark, candidate, quote), body, header)
        sheet = Sheet(columns, plain, mark, candidate, quote)
        if best is None or (_among(wanted, columns), len(columns)) > (_among(wanted, best.columns), len(best.columns)):
            best = sheet
    assert best
    demand(f"{where}: line {header}", wanted, best.columns)
    return best


def demand(where: str, wanted: Iterable[str], columns: Sequence[str]) -> None:
    """BrokenAnswer names the columns that are missing, and the nearest there is."""
    missing = [column for column in wanted if column not in columns]
    if missing:
        said = "; ".join(f"there is no column {column}: {meant(column, columns)}" for column in missing)
        raise BrokenAnswer(f"{where}: {said}")


def lines(where: str, body: BinaryIO, sheet: Sheet, header: int) -> Iterator[Line]:
    """Every row of the file, what comes before the data and empty lines too."""
    body.seek(len(sheet.mark))
    text = io.TextIOWrapper(body, sheet.encoding, newline="")
    taking = _Lines(text)
    reader = csv.reader(taking, **sheet.dialect, strict=True)
    number, data = 1, False
    try:
        for cells in reader:
            data_row = data and bool(cells)
            yield Line(number, cells if data_row else None, taking.take())
            data = data or (number >= header and bool(cells))
            number = reader.line_num + 1
    except csv.Error as error:
        raise BrokenAnswer(f"{where}: line {number}: {error}; look for a quote that is not closed") from error
    finally:
        text.detach()


def document(columns: Sequence[str], cells: Sequence[Any], nested: Iterable[str]) -> bytes:
    """A row as JSON. nested: mapped columns with a dot in their name; a map's dots are steps down."""
    row = dict(zip(columns, cells, strict=True))
    for column in nested:
        put(row, column, row.pop(column))
    return msgspec.json.encode(row)


def as_text(value: Any) -> str:
    """A value as it stands in a cell."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def once_each(columns: Sequence[str]) -> tuple[str, ...]:
    """The names of columns; one that is there again gets a number."""
    found: list[str] = []
    for n, column in enumerate(columns, 1):
        name = column.strip() or f"column {n}"
        times = 1 + sum(1 for one in found if one == name or one.startswith(f"{name} ("))
        found.append(name if times == 1 else f"{name} ({times})")
    return tuple(found)


def _header(where: str, sheet: Sheet, body: BinaryIO, header: int) -> tuple[str, ...]:
    body.seek(len(sheet.mark))
    text = io.TextIOWrapper(body, sheet.encoding, newline="")
    try:
        reader, number = csv.reader(text, **sheet.dialect), 1
        for cells in reader:
            if number >= header and cells:
                return once_each(cells)
            number = reader.line_num + 1
    except csv.Error as error:
        raise BrokenAnswer(f"{where}: line {header}: {error}") from error
    finally:
        text.detach()
    raise BrokenAnswer(f"{where}: it has no line {header} with the names of the columns")


def _encoding(where: str, body: BinaryIO, said: str | None) -> tuple[bytes, str]:
    body.seek(0)
    start = body.read(4)
    mark, encoding = next(((mark, name) for mark, name in MARKS if start.startswith(mark)), (b"", said or "utf-8"))
    if not mark and encoding.lower().replace("_", "-") in ("utf-8-sig", "utf-16"):
        encoding = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}[encoding.lower().replace("_", "-")]
    body.seek(len(mark))
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    try:
        while chunk := body.read(1 << 20):
            line += decoder.decode(chunk).count("\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += bytes(error.object[: error.start]).count(b"\n")
        hint = "is what Excel writes in Western Europe" if encoding == "utf-8" else "would be one"
        raise ConfigError(
            f"{where}: line {line}: not {encoding}; say encoding: … in the stream (cp1252 {hint})"
        ) from None
    return mark, encoding


def _among(wanted: Iterable[str], columns: Sequence[str]) -> int:
    return sum(1 for column in wanted if column in columns)

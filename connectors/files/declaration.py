"""The words a stream of files is declared in."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from connectors.files.places import PACKED
from omnihub.sdk.declared import DeclaredPush, DeclaredStream, Word, listed

ENDINGS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".xlsx": "xlsx", ".xlsm": "xlsx",
}  # fmt: skip

Format = Literal["csv", "jsonl", "json", "parquet", "xlsx"]
Character = Annotated[str, Field(min_length=1, max_length=1)]


class FilesPush(DeclaredPush):
    """write: a new file of changes in the system's outbox, or the file itself. format: of the files of changes."""

    write: Literal["changes", "in_place"] = "changes"
    format: Literal["csv", "jsonl", "xlsx"] = "csv"


class FilesStream(DeclaredStream):
    """files: a pattern, below the system's url. See the fields for what else there is to say."""

    files: Word
    format: Format | None = None  # None: by the ending of the pattern
    order: Literal["name", "time"] = "name"  # which file is the later one, and wins
    take: Literal["all", "newest"] = "all"  # newest: each file is a whole export, and only the last one counts
    delete: Literal["never", "missing"] = "never"  # missing: what no file holds any more is gone
    delimiter: Character | None = None  # CSV: found by the header where it is not said
    encoding: Word | None = None  # CSV: by its byte order mark, else UTF-8
    quote: Character | Literal["none"] = '"'
    sheet: Word | None = None  # Excel: the first
    header: int = Field(default=1, ge=1)  # CSV, Excel: the line with the names of the columns
    items: str = ""  # JSON: dotted path of the list
    zone: str = "UTC"  # Excel, Parquet: where times without a zone are at home
    push: Annotated[FilesPush | None, BeforeValidator(listed)] = None

    @property
    def kind(self) -> Format:
        """The format, said or known by the ending."""
        path = PurePosixPath(self.files.lower())
        ending = (path.with_suffix("") if path.suffix in PACKED else path).suffix
        return self.format or ENDINGS.get(ending, "")  # type: ignore[return-value]

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{zone} is no time zone; write one as Europe/Berlin") from error
        return zone

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        try:
            "".encode(encoding or "utf-8")
        except LookupError as error:
            raise ValueError(f"{encoding} is no encoding; write one as utf-8 or cp1252") from error
        return encoding

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.kind:
            raise ValueError(f"says no format, and {self.files} has no ending that does: write format: csv")
        in_place = self.push is not None and self.push.write == "in_place"
        if in_place and (self.kind not in ("csv", "jsonl") or self.files.endswith(PACKED)):
            raise ValueError(f"{self.files} can't be written in place; take write: changes")
        if self.push and self.push.erase and not in_place:
            raise ValueError("erase goes with write: in_place; from a file of changes nobody can be taken out")
        return self

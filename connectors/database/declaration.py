"""The words a stream of a database is declared in."""

from __future__ import annotations

from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from omnihub.sdk.declared import DeclaredPush, DeclaredStream, Word, listed


class DatabasePush(DeclaredPush):
    """version: a column that counts changes; a row with another number than the one seen is left alone.

    touch: whether our writes set `updated`, so that the next pull sees them. create: the column, of its own and
    unique, that rows the hub creates keep their golden id in.
    """

    version: Word | None = None
    touch: bool = True
    create: Word | None = None


class DatabaseStream(DeclaredStream):
    """table, or query: what is read. updated: the column to read on from, else all is read each time."""

    table: Word | None = None  # also schema.table
    schema_: Word | None = Field(default=None, alias="schema")  # then table is its name whatever dots it has
    query: Word | None = None
    deleted: Word | None = None  # a column that marks deleted rows; column=value where only that value does
    overlap: float = Field(default=60, ge=0)  # seconds, or numbers: read again, for what was committed late
    zone: str = "UTC"  # where times without a zone are at home
    push: Annotated[DatabasePush | None, BeforeValidator(listed)] = None

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{zone} is no time zone; write one as Europe/Berlin") from error
        return zone

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.table) == bool(self.query):
            raise ValueError("write one of table and query")
        if self.query and self.push:
            raise ValueError("a query can't be written to; declare the table for push")
        if self.schema_ and not self.table:
            raise ValueError("schema goes with table")
        return self

    @property
    def deleted_column(self) -> str:
        """The column that marks deleted rows, "" where there is none."""
        return (self.deleted or "").partition("=")[0]

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that have to be there."""
        more = [self.deleted_column, *((self.push.version, self.push.create) if self.push else ())]
        firsts = [path.split(".")[0] for path in self.columns]
        return tuple(dict.fromkeys(filter(None, [*firsts, *more])))

"""One wished edit of one record, and the four ways it can end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omnihub.model.refs import Ref


class Op(StrEnum):
    """What a change does to its record."""

    CREATE = "create"
    UPDATE = "update"
    LINK = "link"  # a record the hub has made, and let go of, is known as its own again
    UNLINK = "unlink"  # and is let go of: it stays where it is
    DELETE = "delete"


class Outcome(StrEnum):
    """How a change ended. Exactly one of these for each change of an applied plan."""

    WRITTEN = "written"
    REFUSED = "refused"
    DEFERRED = "deferred"
    DRIFTED = "drifted"


@dataclass(frozen=True)
class Change:
    """(system, ref, field: old → new, why). `old` and `new` are canonical text, None where there is no value.

    exact: JSON; the system's own form of `new`, where it is to be written just so and not as the field map would.
    restores: it gives back what was there before two that are not one were taken for one.
    """

    ref: Ref
    field: str
    old: str | None
    new: str | None
    why: str
    golden_id: str
    op: Op = Op.UPDATE
    exact: str | None = None
    restores: bool = False

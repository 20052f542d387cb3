"""Where a system takes the hub's findings: a notice at its own records, in its own screens, once.

    put      the notice is there, as it stands now       made the first time, changed in place after that
    clear    its cause is gone                           closed, cleared, or taken away
    remove   it was told by mistake                      taken away, as if it had never been there
    read     what people did with it                     open, closed by whom, or gone

A notice has a key that stays, and the place an id of its own for it. The hub remembers the id; where it was lost (a
process died in between), the place finds the notice by its key. So whatever is asked twice is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omnihub.sdk.connector import Answer


@dataclass(frozen=True)
class Notice:
    """What is said at one record, in plain words.

    key: the same as long as it is about the same. ref_id, stream: the record it is about, by that system's own id;
    without an id it is about the system as a whole. title: one line. text: what is wrong and what to do, in lines.
    severity: high, medium or low. fields: the same facts for places that have columns (kind, findings, since,
    first_seen, expected …): all texts; a place takes those it has room for.
    """

    key: str
    ref_id: str | None
    stream: str
    title: str
    text: str
    severity: str
    fields: Mapping[str, str] = field(default_factory=dict)


class Standing(StrEnum):
    """What became of a notice in its place. `closed`: somebody there has said that it is dealt with."""

    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"


@dataclass(frozen=True)
class Seen:
    """A notice as it stands in its place. by: who closed it, a name or what the system knows them by, "" where it
    does not say. at: when, an ISO time."""

    key: str
    id: str
    state: Standing
    by: str = ""
    at: str = ""


Told = tuple[str, str | None]
"""A notice's key, and the place's id for it as far as the hub knows it."""

Put = Callable[[Any, Sequence[tuple[Notice, str | None]]], Iterable[Answer]]
"""(client, notices with the place's id for each) → one answer each; `Answer.n` is its place in the sequence and
`Answer.id` the place's id for it. An id that is gone is made anew; where none is known the key is looked for first.
A closed notice that is put is open again. Refuses one without hurting the others; raises as `Send` does."""

Clear = Callable[[Any, Sequence[Told]], Iterable[Answer]]
"""(client, keys and ids) → one answer each. What is closed or gone already is as good as cleared."""

Remove = Callable[[Any, Sequence[Told]], Iterable[Answer]]
"""(client, keys and ids) → one answer each. What the hub has put is taken away, open or closed, as far as the system
lets it: the task or ticket deleted, the property or metafield emptied, the tag taken off; nothing of it is seen by
people any more, and `read` says that it is gone. What people wrote beside it stays where the system has room for that.
What is gone already is as good as removed. The key can be put again. Refuses one without hurting the others; raises as
`Send` does."""

Read = Callable[[Any, Sequence[Told]], Iterable[Seen]]
"""(client, keys and ids) → how each of these stands; what is not mentioned is gone."""


@dataclass(frozen=True)
class Place:
    """Where a system takes notices, `batch` of them a call of `put`, `clear`, `remove` or `read`.

    titles: where people there find them, in their own words. read: None where nothing is there to be closed by people.
    """

    put: Put
    clear: Clear
    remove: Remove
    titles: str
    read: Read | None = None
    batch: int = 50

"""A connector is a value: settings, auth, limits, and streams that say how they are pulled, mapped and pushed.

    auth     how calls are signed                     Bearer("token")
    limit    how often it may be called               Limit(100, per_s=10)
    pull     how a stream is read, page by page       Pages("/accounts", items="items", next=Cursor("next", "cursor"))
    map      which raw path is which field, both ways {"name": "company.name"}
    push     what may be written, and how             Push(fields=("name", "phone"), update=Patch("/accounts/{id}"))

`pull`, `look`, `update` and `create` are plain callables; the declarative ones of `omnihub.sdk` are values that
can be called. A vendor with an SDK of its own brings functions of its own with the same signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests

from omnihub.model import Entity, Op, Outcome
from omnihub.sdk.auth import Auth
from omnihub.sdk.fieldmap import FieldMap, Path
from omnihub.sdk.http import Http
from omnihub.sdk.limits import Rule
from omnihub.sdk.page import Exchange, Page, Want

if TYPE_CHECKING:  # it answers in our words
    from omnihub.sdk.reporting import Place


@dataclass(frozen=True)
class Setting:
    """Something a person configures: `systems.<name>.<key>` in omnihub.yaml or OMNIHUB_<NAME>_<KEY>.

    A secret is read from the environment only. A default of "" means that it may be left out.
    """

    name: str
    help: str
    default: str | None = None
    secret: bool = False


@dataclass(frozen=True)
class Row:
    """One record to write, in the system's own words.

    n: its place in the plan, to be handed back in the answer. id: the record to update, None on create.
    body: the native payload, only what changes. fields: the same in canonical words. before: the canonical values
    it replaces. raw: the present record as `look` just read it (parsed JSON), for targets that want a whole
    object, a version or an ETag. key: the golden id, the external id of what is created. parent: the id of the
    record this one is nested in.
    """

    n: int
    op: Op
    id: str | None
    body: dict[str, Any]
    fields: Mapping[str, str | None]
    before: Mapping[str, str | None]
    key: str
    raw: Any = None
    parent: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the system said to one row. `code` is the vendor's error code, `message` its words for a person."""

    n: int
    outcome: Outcome
    id: str | None = None
    code: str = ""
    message: str = ""
    exchange: Exchange | None = None


Pull = Callable[[Any, Want], Iterator[Page]]
"""(client, want) → pages. Yields at least one page, also when there is nothing."""

Look = Callable[[Any, Sequence[str]], Iterator[Page]]
"""(client, ids) → pages with the present state of just these records; what is missing is gone."""

Send = Callable[[Any, Sequence[Row]], Iterable[Answer]]
"""(client, rows) → one answer per row. Raises RejectedRecord when the whole batch was refused because of a row (the
hub then splits it), RetryableError when it is not known whether the rows were written (the hub then looks)."""

Erase = Callable[[Any, Sequence[Row]], Iterable[Answer]]
"""(client, rows) → one answer per row. `Row.id` names a person's record; `body`, `fields` and `before` are empty.

Forgets persons for good, by the system's own means: what only hides a record, an archive or a bin, is not enough.
WRITTEN: erased, or gone already. REFUSED: the system can't or won't, with its reason. DEFERRED with the code REQUESTED:
it took the request and does it later by itself, the message says until when; asked again then, it answers WRITTEN.
Other DEFERRED: not done now (too many calls, a busy system), ask again. Never raises for one row, and asked twice it
does no harm: after a lost answer the hub asks again. Raises RetryableError and ConfigError as `Send` does."""

REQUESTED = "REQUESTED"


@dataclass(frozen=True)
class Many:
    """Another way to update, for very many rows at once: a job the system works through while the hub waits.

    Used where more than `above` rows of the stream are to be written, `batch` of them a job.
    """

    above: int
    batch: int
    send: Send
    parallel: int = 1


CREATING = "create"
"""In a table of purposes: every new record, whatever its fields."""

MARKETING_AUTOMATION = "marketing automation"
"""The role of a system that writes to people by itself: whom it can reach there, it will."""

REACHING = dict.fromkeys(("email", "phone", "mobile", CREATING), ("marketing",))
"""What such a system reaches people by. That a name is put right there is no marketing."""


@dataclass(frozen=True)
class Push:
    """What may be written to a stream: the canonical `fields`, nothing else, at most `batch` rows a call.

    update: changes records by their id. create: makes records and is an upsert by `Row.key`: sent twice, it makes one.
    delete: takes away records the hub created; most streams have none, and then none can be deleted.
    erase: forgets persons for good, by the system's own means. erase_by_hand: what stays to be done by a person, who
    does it and where; all of it where there is no `erase`.
    delayed: what is written is handed over, and shows only once the system says something new (an export to come).
    purposes: field, or `CREATING` for every new record → what the system reaches a person for with it; not written for
    whoever said no to that. Where nothing is told, as the connector's role has it (`purposes_of`).
    look: the present state by id. find: the present state by `Row.key`, to see whether a record was created already.
    given: fields that are given to a record when it is made, and only then. required: fields without which none is
    made. known_by: dotted path of `Row.key` in what `find` brings; without it keys are asked for one by one.
    """

    fields: tuple[str, ...]
    update: Send
    look: Look
    batch: int = 1
    create: Send | None = None
    find: Look | None = None
    delete: Send | None = None
    erase: Erase | None = None
    erase_by_hand: str = ""
    many: Many | None = None
    parallel: int = 4  # writes in flight at once; while they are, as many looks may be
    max_length: Mapping[str, int] = field(default_factory=dict)  # what the target can hold, in characters
    delayed: bool = False
    given: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    known_by: str = ""
    purposes: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Nested:
    """A stream that is a list inside the records of another: order → lines.

    of: the parent's stream. path: dotted path of the list in the parent's record. The nested stream's own paths (`map`,
    `key`) are looked up in the child; one that starts with "^" is looked up in the parent's record, as in
    `"status": OneWay("^status")` or `"of": Link("^id", "orders")`. Such paths are read, never written. A `look` of the
    nested stream brings the children alone, so it has nothing to say about them.
    """

    of: str
    path: str


@dataclass(frozen=True)
class Stream:
    """One kind of record a system offers.

    name: as in `system/stream/id`. entity: what it is about. map: canonical field → path (see `fieldmap`).
    pull, or nested: where the records come from. key: dotted path of the id in the record (for nested streams; a
    pull already names it). updated: dotted path of the record's own time of change, used by survivorship.
    blind: what the cursor cannot see, in words; then `full_every` says how often everything is read anyway.
    """

    name: str
    entity: Entity
    map: Mapping[str, str | Path]
    pull: Pull | None = None
    nested: Nested | None = None
    key: str = "id"
    updated: str = ""
    push: Push | None = None
    blind: str = ""
    full_every: timedelta | None = None
    where: str = ""

    @property
    def fields(self) -> FieldMap:
        """The field map, ready to use."""
        return FieldMap.of(self.map)


def _same(settings: Mapping[str, str], http: Http) -> Any:
    return http


@dataclass(frozen=True)
class Connector:
    """An outside system, as a value. `connect` makes the client the streams' functions are called with (the `Http`
    itself unless a vendor's SDK is used). `open`: instead of both, for a system that is not called over HTTP: settings
    → client. `master`: right about products and prices, and never written. `place`: where it takes the hub's findings.
    """

    name: str
    title: str
    role: str
    streams: tuple[Stream, ...]
    settings: tuple[Setting, ...] = ()
    auth: Auth | None = None
    limits: tuple[Rule, ...] = ()
    connect: Callable[[Mapping[str, str], Http], Any] = _same
    limited: Callable[[requests.Response], bool] | None = None
    master: bool = False
    open: Callable[[Mapping[str, str]], Any] | None = None
    place: Place | None = None

    def stream(self, name: str) -> Stream:
        """The stream of that name."""
        return next(s for s in self.streams if s.name == name)

    def purposes_of(self, stream: Stream) -> Mapping[str, tuple[str, ...]]:
        """Field, or `CREATING` → the purposes the system reaches a person for with it."""
        if stream.push is not None and stream.push.purposes is not None:
            return stream.push.purposes
        reaches = self.role.lower() == MARKETING_AUTOMATION and stream.entity is Entity.CONTACT
        return REACHING if reaches else {}

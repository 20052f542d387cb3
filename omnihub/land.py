"""Land: keep what the systems said, byte for byte, and how far each stream has been read, in one transaction.

    pull ─▶ page ─▶ [exchange, new and changed records, cursor] ─▶ commit ─▶ next page

Pages that come fast are committed a few at a time, for a commit costs as much as some hundred records. A crash costs a
re-read, never a record and never a duplicate: records are filed under their ref with a hash of their bytes, and
unchanged bytes write nothing. A record is gone only when the system says so or a complete pass did not show it. One
failing stream never stops the others; it keeps its cursor and says why. Each stream's numbers balance:

    read = new + changed + same + rejected + forgotten

Forgotten is what lies under a tombstone (`store.forgotten`): it is dropped before its bytes are kept, and what only
mentions such a person is kept without them.
"""

from __future__ import annotations

import array
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa
import xxhash

from omnihub.errors import BrokenAnswer, ConfigError, OmniHubError, QuotaSpent, RetryableError
from omnihub.model import Entity
from omnihub.sdk import Connector, Page, Record, Stream, Want, open_client, persons
from omnihub.sdk.rows import Unusable
from omnihub.store import Store, bulk, forgotten, schema
from omnihub.store.open import now_iso, take

log = logging.getLogger("omnihub.land")

MAX_ALIKE = 4  # pages in a row with the very same records; more are no list
MAX_STREAMS = 4  # streams of one system read at the same time
MAX_WAITING = 2_000  # records of pages not yet committed; more gain nothing
MAX_WAIT_S = 0.3  # between two commits; pages that come more slowly are committed one by one
NUL = "\0"
GONE = b""  # the body of a version that says: deleted


@dataclass
class Landed:
    """What landing one stream did. `read = new + changed + same + rejected + forgotten`; `gone` counts deletions on
    top."""

    system: str
    stream: str
    read: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    rejected: int = 0
    gone: int = 0
    pages: int = 0
    complete: bool = False
    error: str = ""
    way_out: str = ""
    retryable: bool = False  # the same may work in a while
    forgotten: int = 0  # of people under a tombstone: not kept
    waiting: str = ""  # the day's calls are used up: when it goes on; no error, what was read is kept

    @property
    def ok(self) -> bool:
        """Whether the stream was read to its end."""
        return not self.error and not self.waiting

    @property
    def balanced(self) -> bool:
        """Whether every record read is accounted for."""
        return self.read == self.new + self.changed + self.same + self.rejected + self.forgotten

    def counts(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


Progress = Callable[[Landed, int | None], None]
"""Called after each page with the numbers so far and how many records the system says there are."""


def land(
    store: Store,
    connector: Connector,
    settings: Mapping[str, str],
    *,
    run_id: str,
    streams: Sequence[str] = (),
    full: bool = False,
    now: datetime | None = None,
    progress: Progress = lambda landed, total: None,
) -> list[Landed]:
    """Read the streams of one system (all of them, or those named) and keep what is new.

    settings: the connector's, secrets included. full: complete passes whatever the cursors say. Never raises for a
    system that fails: each stream's `error` says what happened and what to do.
    """
    wanted = [s for s in connector.streams if s.pull and (not streams or s.name in streams)]
    at = now or datetime.now(UTC)
    try:
        client = open_client(connector, settings, ledger=store.ledger)
    except OmniHubError as error:
        found = [failed(store, Landed(connector.name, s.name), error) for s in wanted]
    else:
        with ThreadPoolExecutor(MAX_STREAMS, thread_name_prefix=f"land-{connector.name}") as pool:
            found = list(
                pool.map(lambda s: _land_stream(store, connector, s, client, run_id, full, at, progress), wanted)
            )
    return found


def _land_stream(
    store: Store,
    connector: Connector,
    stream: Stream,
    client: Any,
    run_id: str,
    full: bool,
    now: datetime,
    progress: Progress,
) -> Landed:
    landed = Landed(connector.name, stream.name)
    try:
        assert stream.pull
        want, unread = _want(store, connector, stream, full, now)
        with _Landing(store, landed, run_id, progress, unread, _Sieve(connector, stream)) as landing:
            alike = _Alike()
            for page in stream.pull(client, want):
                alike.check(landed, page)
                landing.take(page)
        _close(store, landed, now)
    except OmniHubError as error:
        return failed(store, landed, error)
    except Exception as error:  # a connector's own bug must not stop the other streams
        log.exception("%s/%s: stopped by %s", connector.name, stream.name, type(error).__name__)
        return failed(store, landed, error)
    return landed


class _Alike:
    """Notices a list that goes round in circles: whoever reads it, with an SDK of its own or not."""

    def __init__(self) -> None:
        self._last, self._times = 0, 0

    def check(self, landed: Landed, page: Page) -> None:
        """BrokenAnswer when one page too many shows just what the one before it showed."""
        if not page.records:
            return
        shown = hash(tuple(record.raw for record in page.records))
        self._times = self._times + 1 if shown == self._last else 1
        self._last = shown
        if self._times > MAX_ALIKE:
            raise BrokenAnswer(
                f"{landed.system}/{landed.stream}: {self._times} pages in a row show the same records; "
                "the stream stops and keeps its cursor"
            )


def _want(store: Store, connector: Connector, stream: Stream, full: bool, now: datetime) -> tuple[Want, bool]:
    """What to ask for, and whether this stream has never been read before."""
    with store.read() as c:
        row = c.execute(_this(sa.select(schema.streams), connector.name, stream.name)).one_or_none()
    overdue = bool(
        row
        and stream.full_every
        and (not row.full_at or datetime.fromisoformat(row.full_at) + stream.full_every <= now + timedelta(seconds=1))
    )
    since = row.cursor if row else None
    return Want(since=since, complete=full or since is None or overdue, now=now), row is None


def _this(query: Any, system: str, stream: str) -> Any:
    return query.where(schema.streams.c.system == system, schema.streams.c.stream == stream)


# -- some pages, one transaction -----------------------------------------------------------------------------------


class _Landing:
    """The pages of one stream on their way into the store.

    What was read when a pull breaks off is kept; only a transaction that failed is not tried again.
    """

    def __init__(
        self, store: Store, landed: Landed, run_id: str, progress: Progress, unread: bool, sieve: _Sieve
    ) -> None:
        self._store, self._landed, self._run_id, self._progress = store, landed, run_id, progress
        self._sieve = sieve
        self._seen = array.array("Q")
        self._all_new = unread  # whether to expect nothing but records we don't have
        self._waiting: list[_Sorted] = []
        self._records = 0
        self._kept_at = time.monotonic()

    def __enter__(self) -> _Landing:
        return self

    def __exit__(self, *trouble: object) -> None:
        self._keep()

    def take(self, page: Page) -> None:
        """Keep this page, now or with some that follow."""
        self._waiting.append(_sorted(f"{self._landed.system}/{self._landed.stream}/", page))
        self._records += len(page.records)
        waited_s = time.monotonic() - self._kept_at
        if page.complete or self._records >= MAX_WAITING or waited_s >= MAX_WAIT_S:
            self._keep()

    def _keep(self) -> None:
        pages, self._waiting, self._records = self._waiting, [], 0
        if not pages:
            return
        counts = self._commit(pages)
        self._kept_at = time.monotonic()
        for page, count in zip(pages, counts, strict=True):
            _add(self._landed, page, count)
            self._progress(self._landed, page.page.total)

    def _commit(self, pages: Sequence[_Sorted]) -> list[_Count]:
        landed = self._landed
        with self._store.write() as c, bulk.undisturbed:
            take(c, 0)  # from here on nobody else lands: what is known stays so until these pages are kept
            pages, dropped = self._sieve.through(c, pages)
            told = [_keep_exchange(c, landed, p.page, self._run_id) for p in pages]
            found = self._as_new(c, pages, told) if self._all_new else None
            if found is None:
                self._all_new = False
                found = _versions(pages, told, _known(c, [ref for p in pages for ref in (*p.latest, *p.goners)]))
                _keep(c, landed, found[0])
            versions, counts = found
            for count, n in zip(counts, dropped, strict=True):
                count.forgotten = n
            for p, exchange_id in zip(pages, told, strict=True):
                _reject(c, landed, p.keyless, exchange_id)
                self._seen.extend(p.shown())
            if pages[-1].page.complete:
                quiet = not landed.gone and not any(v.deleted for v in versions)
                counts[-1].gone += _sweep(c, landed, self._seen, told[-1], quiet)
            cursors = [p.page.cursor for p in pages if p.page.cursor is not None]
            if cursors:
                _keep_cursor(c, landed, cursors[-1])
        return counts

    def _as_new(self, c: sa.Connection, pages: Sequence[_Sorted], told: Sequence[int]) -> _Found | None:
        """Keep what a stream says that was never read before: nothing is known of it, so nothing is looked up.

        None, and nothing kept, where some of it is there after all.
        """
        if any(p.goners for p in pages):
            return None
        found = _versions(pages, told, {})
        with c.begin_nested() as attempt:
            if not _keep(c, self._landed, found[0], bulk.added):
                attempt.rollback()
                return None
        return found


class _Version(NamedTuple):
    """A new state of a record, not yet numbered."""

    ref: str
    hash: bytes
    body: bytes
    exchange_id: int
    pointer: str
    updated: str | None
    deleted: bool
    merged_into: str | None


@dataclass
class _Count:
    """What landing one page did."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    forgotten: int = 0


_Found = tuple[list[_Version], list[_Count]]
_Known = dict[str, tuple[bytes, bool]]
"""ref → the hash of what we have of it, and whether that says it is deleted."""


@dataclass(frozen=True)
class _Sorted:
    """A page, its records by ref (the last of each), what it says is gone, and what can't be filed."""

    page: Page
    latest: Mapping[str, Record]
    goners: Mapping[str, str | None]
    keyless: Sequence[Record]

    def shown(self) -> list[int]:
        """The fingerprints of the living."""
        return [_fingerprint(ref) for ref, r in self.latest.items() if not (r.deleted or r.merged_into is not None)]


def _sorted(prefix: str, page: Page) -> _Sorted:
    latest: dict[str, Record] = {}
    keyless: list[Record] = []
    for record in page.records:
        if record.id is None or NUL in record.id:
            keyless.append(record)
        else:
            latest[prefix + record.id] = record
    goners = {prefix + i: into for i, into in page.gone if prefix + i not in latest}
    return _Sorted(page, latest, goners, keyless)


class _Sieve:
    """Keeps out whoever lies under a tombstone, before anything of them is written down."""

    def __init__(self, connector: Connector, stream: Stream) -> None:
        self._connector, self._stream = connector, stream

    def through(self, c: sa.Connection, pages: Sequence[_Sorted]) -> tuple[Sequence[_Sorted], list[int]]:
        """The pages without them, and of each how many records were dropped."""
        if not forgotten.anybody(c):
            return pages, [0] * len(pages)
        parted = [self._part(c, page) for page in pages]
        return [page for page, _ in parted], [n for _, n in parted]

    def _part(self, c: sa.Connection, page: _Sorted) -> tuple[_Sorted, int]:
        system, stream = self._connector.name, self._stream
        asked = {ref: self._asks(ref, record) for ref, record in page.latest.items()}
        under = forgotten.found(c, {what for whats in asked.values() for what in whats})
        if not under:
            return page, 0
        kept: dict[str, Record] = {}
        dropped: set[str] = set()
        known: dict[str, str] = {}
        for ref, record in page.latest.items():
            hits = [what for what in asked[ref] if what in under]
            if not hits:
                kept[ref] = record
            elif under[hits[0]] == forgotten.PERSON:
                known[ref] = hits[0]
            elif under.get(ref) == forgotten.RECORD or (stream.entity in persons.ABOUT_A_PERSON and hits[-1] != ref):
                dropped.add(ref)
            else:
                kept[ref] = self._cut(record)
        others = _known(c, list(known))  # somebody we know as another may be given the mailbox of one who left
        kept |= {ref: page.latest[ref] for ref in others}
        known = {ref: what for ref, what in known.items() if ref not in others}
        forgotten.join(c, known, system, stream.name)
        dropped |= known.keys()
        forgotten.still_sent(c, [ref for ref in dropped if not page.latest[ref].deleted])
        forgotten.no_longer_sent(c, [ref for ref in dropped if page.latest[ref].deleted])
        prefix = f"{system}/{stream.name}/"
        return replace(page, latest=kept), sum(1 for r in page.page.records if f"{prefix}{r.id}" in dropped)

    def _asks(self, ref: str, record: Record) -> list[str]:
        """What might be under a tombstone: the record, the person it is, the person it links to."""
        document = _document(record) if self._stream.entity is Entity.CONTACT or self._links else None
        if document is None:
            return [ref]
        if self._stream.entity is Entity.CONTACT:
            return [ref, *sorted(persons.known_by(self._stream, document))]
        return [ref, *persons.linked(self._connector.name, self._stream, document)]

    @property
    def _links(self) -> bool:
        return "contact" in self._stream.map

    def _cut(self, record: Record) -> Record:
        """What remains of a record that mentions them; of one nobody can read, its key."""
        if not persons.cuttable(self._stream):
            return record
        raw = persons.without_person(self._connector, self._stream, _document(record) or {})
        return Record(record.id, raw, record.pointer + persons.CUT, record.updated, record.deleted, record.merged_into)


def _document(record: Record) -> Any:
    try:
        return msgspec.json.decode(record.raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _versions(pages: Sequence[_Sorted], told: Sequence[int], known: _Known) -> _Found:
    """What is new in these pages, read one after the other. `known` is brought up to date."""
    versions: list[_Version] = []
    counts = []
    for page, exchange_id in zip(pages, told, strict=True):
        count = _Count()
        for ref, record in page.latest.items():
            before = known.get(ref)
            version = _version(ref, record, before, exchange_id)
            if version is None:
                continue
            versions.append(version)
            known[ref] = (version.hash, version.deleted)
            count.new += before is None
            count.changed += before is not None
            count.gone += version.deleted
        for ref, into in page.goners.items():
            before = known.get(ref)
            if before is not None and not before[1]:  # a deletion, where we believed the record to be alive
                versions.append(_gone(ref, into, exchange_id))
                known[ref] = (versions[-1].hash, True)
                count.gone += 1
        counts.append(count)
    return versions, counts


def _version(ref: str, record: Record, known: tuple[bytes, bool] | None, exchange_id: int) -> _Version | None:
    """What to keep of a record, None where we have just that already."""
    deleted = record.deleted or record.merged_into is not None
    digest = xxhash.xxh3_128_digest(record.raw)
    if known is not None and known == (digest, deleted):
        return None
    updated = record.updated if _storable(record.updated) else None
    merged_into = record.merged_into if _storable(record.merged_into) else None
    return _Version(ref, digest, record.raw, exchange_id, record.pointer, updated, deleted, merged_into)


def _gone(ref: str, merged_into: str | None, exchange_id: int) -> _Version:
    return _Version(ref, xxhash.xxh3_128_digest(GONE), GONE, exchange_id, "", None, True, merged_into)


def _add(landed: Landed, page: _Sorted, count: _Count) -> None:
    read, rejected = len(page.page.records), len(page.keyless)
    landed.complete |= page.page.complete
    landed.pages += 1
    landed.read += read
    landed.rejected += rejected
    landed.new += count.new
    landed.changed += count.changed
    landed.gone += count.gone
    landed.forgotten += count.forgotten
    landed.same += read - rejected - count.new - count.changed - count.forgotten


_RAW = (
    "seq",
    "ref",
    "system",
    "stream",
    "body",
    "exchange_id",
    "pointer",
    "updated",
    "deleted",
    "merged_into",
    "landed_at",
)
_RECORDS = ("ref", "system", "stream", "seq", "hash", "deleted")
_Filing = Callable[[sa.Connection, sa.Table, Sequence[str], bulk.Rows], bool | None]


def _storable(key: str | None) -> bool:
    """Whether this can be a key: PostgreSQL's text holds every character but this one."""
    return key is not None and NUL not in key


def _fingerprint(ref: str) -> int:
    """64 bits for a ref: a pass over a million records is remembered in 8 MB; a clash can only delay a deletion."""
    return xxhash.xxh3_64_intdigest(ref.encode())


def _known(c: sa.Connection, refs: Sequence[str]) -> _Known:
    query = sa.select(schema.records.c.ref, schema.records.c.hash, schema.records.c.deleted)
    return {row[0]: (bytes(row[1]), bool(row[2])) for row in bulk.where_in(c, query, schema.records.c.ref, refs)}


_EXCHANGE = sa.insert(schema.exchanges)


def _keep_exchange(c: sa.Connection, landed: Landed, page: Page, run_id: str) -> int:
    e = page.exchange
    told = {"run_id": run_id, "system": landed.system, "stream": landed.stream, "method": e.method, "url": e.url}
    done = c.execute(_EXCHANGE, told | {"status": e.status, "at": e.at.isoformat()})
    assert done.inserted_primary_key
    return int(done.inserted_primary_key[0])


def _keep(c: sa.Connection, landed: Landed, versions: Sequence[_Version], file: _Filing = bulk.upsert) -> bool:
    """Number and keep them. file: how they come among the records; where it says False, the work is half done."""
    if not versions:
        return True
    system, stream, at = landed.system, landed.stream, now_iso()
    numbered = list(enumerate(versions, take(c, len(versions))))
    latest = {v.ref: (v.ref, system, stream, seq, v.hash, v.deleted) for seq, v in numbered}
    if file(c, schema.records, _RECORDS, list(latest.values())) is False:
        return False
    rows = [
        (seq, v.ref, system, stream, v.body, v.exchange_id, v.pointer, v.updated, v.deleted, v.merged_into, at)
        for seq, v in numbered
    ]
    bulk.append(c, schema.raw, _RAW, rows)
    return True


def _reject(c: sa.Connection, landed: Landed, keyless: Sequence[Record], exchange_id: int) -> None:
    """Keep records without a key where a person can find them. The same bytes are kept once."""
    for record in keyless:
        digest = xxhash.xxh3_128_digest(record.raw)
        there = sa.select(schema.rejects.c.id).where(
            schema.rejects.c.system == landed.system,
            schema.rejects.c.stream == landed.stream,
            schema.rejects.c.hash == digest,
        )
        if c.execute(there).first() is None:
            c.execute(
                sa.insert(schema.rejects).values(
                    system=landed.system,
                    stream=landed.stream,
                    hash=digest,
                    body=record.raw,
                    exchange_id=exchange_id,
                    pointer=record.pointer,
                    why=record.why if isinstance(record, Unusable) else "no key",
                    landed_at=now_iso(),
                )
            )


def _sweep(c: sa.Connection, landed: Landed, seen: array.array[int], exchange_id: int, quiet: bool) -> int:
    """A complete pass has ended: what it did not show is gone. How many? `quiet`: nothing was deleted meanwhile."""
    shown = np.unique(np.frombuffer(seen, dtype=np.uint64)) if seen else np.empty(0, np.uint64)
    living = sa.select(schema.records.c.ref).where(
        schema.records.c.system == landed.system, schema.records.c.stream == landed.stream, ~schema.records.c.deleted
    )
    count = sa.select(sa.func.count()).select_from(living.subquery())
    if quiet and c.execute(count).scalar_one() == len(shown):
        return 0  # all that were shown are alive, and they are as many as there are: nothing is missing
    missing: list[str] = []
    for batch in bulk.batches(c, living):
        refs = batch.column("ref").to_pylist()
        prints = np.fromiter((_fingerprint(ref) for ref in refs), np.uint64, len(refs))
        missing += [refs[i] for i in np.flatnonzero(~np.isin(prints, shown))]
    _keep(c, landed, [_gone(ref, None, exchange_id) for ref in missing])
    return len(missing)


def _keep_cursor(c: sa.Connection, landed: Landed, cursor: str) -> None:
    _set(c, landed, cursor=cursor)


def _close(store: Store, landed: Landed, now: datetime) -> None:
    """The stream has been read to its end."""
    with store.write() as c:
        values: dict[str, Any] = {"read_at": now.isoformat(), "state": "ok", "error": None}
        _set(c, landed, **(values | ({"full_at": now.isoformat()} if landed.complete else {})))


def failed(store: Store, landed: Landed, error: Exception) -> Landed:
    """Say why a stream could not be read, in the store and in what is handed back; its cursor stays."""
    if isinstance(error, QuotaSpent):
        return _wait(store, landed, str(error))
    landed.error = _words(landed, error)
    landed.way_out = _way_out(error)
    landed.retryable = isinstance(error, RetryableError)
    with store.write() as c:
        _set(c, landed, state="failed", error=landed.error)
    log.warning("%s/%s failed: %s", landed.system, landed.stream, landed.error)
    return landed


def _wait(store: Store, landed: Landed, words: str) -> Landed:
    """The day's calls are used up: the stream stops where it is, and goes on from there."""
    landed.waiting = words
    with store.write() as c:
        _set(c, landed, state="waiting", error=words)
    log.info("%s/%s: %s", landed.system, landed.stream, words)
    return landed


def _words(landed: Landed, error: Exception) -> str:
    """What happened, with the name of the system before it."""
    where = f"{landed.system}/{landed.stream}"
    if not isinstance(error, OmniHubError):
        return f"{where}: a mistake in the code ({type(error).__name__}); the log has the place"
    told = str(error)
    return told if told.startswith(landed.system) else f"{where}: {told}"


def _way_out(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return "change the setting, then run `omnihub sync` again"
    if isinstance(error, BrokenAnswer):
        return "the cursor stays where it was; run again, and tell the system's owner if it stays so"
    return "nothing is lost: the next `omnihub sync` goes on from the same place"


def read_anew(c: sa.Connection, system: str, stream: str) -> None:
    """What is known of a stream is doubtful: its next pull reads everything, wherever its cursor stood."""
    c.execute(_this(sa.update(schema.streams), system, stream).values(cursor=None))


def _set(c: sa.Connection, landed: Landed, **values: Any) -> None:
    done = c.execute(_this(sa.update(schema.streams), landed.system, landed.stream).values(**values))
    if not done.rowcount:
        c.execute(
            sa.insert(schema.streams).values(
                **({"state": "new", "system": landed.system, "stream": landed.stream} | values)
            )
        )

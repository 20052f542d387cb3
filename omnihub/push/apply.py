"""Apply: write the changes of a stored plan to one stream, and give back a receipt for each record.

    look ─▶ still as planned? ─▶ write ─▶ answer ─▶ receipt
             │ already so  → written            │ the whole batch refused → split it, until the bad row stands alone
             └ otherwise   → drifted            └ no answer → look, then decide

While some batches are being written, the next records are looked at and the receipts of the former are kept: a call is
mostly waiting. Nothing here touches the store: `receive` commits what it is given before it returns.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from omnihub import fields
from omnihub.errors import ConfigError, OmniHubError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Change, Op, Outcome, fields_of
from omnihub.model.entities import Field
from omnihub.sdk import Answer, Exchange, FieldMap, FullName, Page, Push, Row, Stream, dig
from omnihub.sdk.fieldmap import put

log = logging.getLogger("omnihub.push")

LOOK = 100  # records looked at in one go before they are written, at most, unless a batch is larger
LOOK_LEAST = (
    20  # and at least, where they are written one by one: a look costs a call and a refine, however few they are
)
FRESH_S = 1.0  # what was looked at should be on its way by then: nobody looks further ahead
LINGER_S = 0.05  # so long receipts wait for others to be kept with
WAVES = 2  # nor further than so many times what can be under way at once
NO_VALUE = ("null", '""', "[]", "{}")  # the ways JSON says that there is none
GATE = "gate"  # the code of what a gate has kept back
ANNOUNCED = 1000  # records noted as about to be written, with one commit


@dataclass(frozen=True)
class Present:
    """A record as it is now: its fields in canonical words, its JSON, and the record it is nested in."""

    fields: Mapping[str, str]
    raw: Any
    parent: str | None = None


Numbered = tuple[int, Change]
"""A change with its number in the plan."""


@dataclass(frozen=True)
class Task:
    """The changes of one record, with their numbers in the plan."""

    ref: str
    id: str
    golden_id: str
    changes: tuple[Numbered, ...]


@dataclass(frozen=True)
class Receipt:
    """What became of one record's changes that ended the same way.

    native: field → in the system's own form, what was there and what was sent instead; only of what was sent.
    made: of a record that was to be made: what it is called now. image: its fields, as looked at right afterwards.
    """

    ref: str
    outcome: Outcome
    numbers: tuple[int, ...]
    before: Mapping[str, str | None]
    sent: Mapping[str, str | None]
    code: str = ""
    message: str = ""
    exchange: Exchange | None = None
    native: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    op: Op = Op.UPDATE
    made: str | None = None
    image: Mapping[str, str] | None = None

    @property
    def about(self) -> str:
        """The record this is about, by its present name."""
        return self.made or self.ref


Read = Callable[[Iterable[Page]], Mapping[str, Present]]
"""Pages of raw records → id → their present state, by the stream's field map."""

Receive = Callable[[Sequence[Receipt]], None]

Announce = Callable[[Sequence[Task]], None]
"""Told of records before they are looked at and written."""


def unannounced(tasks: Sequence[Task]) -> None:
    """Nobody wants to know beforehand."""


Shut = Callable[[Task, Present], Mapping[int, str]]
"""(record, as it is now) → which of its changes, by number, must not be written any more, and why."""


def apply_stream(
    client: Any,
    stream: Stream,
    tasks: Sequence[Task],
    read: Read,
    receive: Receive,
    announce: Announce = unannounced,
    shut: Shut | None = None,
) -> None:
    """Carry out the tasks of one stream. Every change of every task ends in exactly one receipt, or this raises and
    the rest is left for the next time (the receipts so far are kept).

    `receive` and `announce` are called here, one after the other; `read` in other threads.
    """
    assert stream.push is not None
    stream = _for_so_many(stream, stream.push, len(tasks))
    assert stream.push is not None
    mapped = stream.fields
    halves = frozenset(name for name, where in mapped.items() if isinstance(where, FullName))
    target = _Target(client, stream, stream.push, read, fields_of(stream.entity), mapped, halves, shut)
    _Applying(target, tasks, receive, announce).run()


def _for_so_many(stream: Stream, push: Push, rows: int) -> Stream:
    """The stream as it is written when there are so many rows: by jobs, where the system has them and they pay."""
    if push.many is None or rows <= push.many.above:
        return stream
    jobs = push.many
    return replace(stream, push=replace(push, update=jobs.send, batch=jobs.batch, parallel=jobs.parallel))


@dataclass(frozen=True)
class _Target:
    """What is written to."""

    client: Any
    stream: Stream
    push: Push
    read: Read
    kinds: Mapping[str, Field]
    mapped: FieldMap
    halves: frozenset[str]  # fields that are a part of a name kept as one text
    shut: Shut | None = None


@dataclass(frozen=True)
class _Ready:
    """A task compared with the present: what is still to be written."""

    task: Task
    changes: tuple[Numbered, ...]
    present: Present
    row: Row
    native: Mapping[str, tuple[Any, Any]]


# -- what is under way -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Looked:
    """Records that were asked for, and what came of it."""

    tasks: Sequence[Task]
    pages: Sequence[Page] | OmniHubError
    took_s: float


@dataclass(frozen=True)
class _Compared:
    """Records that were looked at: those done with, and those still to be written."""

    count: int
    receipts: Sequence[Receipt]
    ready: Sequence[_Ready]
    took_s: float


@dataclass(frozen=True)
class _Written:
    """A batch that was answered."""

    receipts: Sequence[Receipt]
    took_s: float


class _Applying:
    """The tasks of one stream on their way.

        waiting ─▶ being looked at ─▶ ready ─▶ being written ─▶ answered ─▶ kept
                   (as many calls)             (`parallel` calls)  └ fewer batches than may be under way, then nothing
                                                                     more goes out until their receipts are kept
    Where `parallel` is 1 there is one call at a time: looks wait for writes, and each batch for the receipts of the one
    before. One thread (the caller's) looks ahead and keeps receipts, of several batches with one commit; the others
    call, and read what came. Whoever makes room for a batch sends the next one, so that none waits while receipts of
    others are kept.
    """

    def __init__(self, target: _Target, tasks: Sequence[Task], receive: Receive, announce: Announce) -> None:
        push = target.push
        self.target, self.tasks, self.receive, self.announce = target, tasks, receive, announce
        self.width = max(push.batch, LOOK_LEAST, min(LOOK, push.batch * push.parallel))
        self.wave = push.batch * push.parallel
        self.at_once = 2 * push.parallel - 1  # batches under way, or answered and not kept
        self.enough = max(1, push.parallel // 2)  # batches worth a commit: the next ones come while it is made
        self.announced = 0
        self.receipts: list[Receipt] = []
        self.to_be_kept = 0  # batches whose receipts these are
        self.pages: deque[_Looked] = deque()
        self.came: SimpleQueue[_Compared | _Written | BaseException] = SimpleQueue()
        # All threads change these, each with the lock:
        self.lock = threading.Lock()
        self.took_s = 0.0  # the latest call
        self.looked_up_to = 0
        self.looking = self.writing = self.answered = 0  # records, batches, batches
        self.ready: deque[_Ready] = deque()
        self.ended = False  # nothing more goes out
        self.looks, self.writes, self.reads = (
            ThreadPoolExecutor(threads, thread_name_prefix=f"push-{name}")
            for name, threads in (("look", push.parallel), ("write", push.parallel), ("read", 1))
        )

    def run(self) -> None:
        """Until everything has its receipt."""
        try:
            while True:
                self._look_ahead()
                with self.lock:
                    self._send()
                    over = not self.looking and not self.writing and self.came.empty()
                if over and not self.receipts:
                    return
                if over or self._are_enough() or not self._taken_in():
                    self._keep()
        finally:
            with self.lock:
                self.ended = True
            for pool in (self.looks, self.reads, self.writes):
                pool.shutdown(cancel_futures=True)

    def _look_ahead(self) -> None:
        while True:
            with self.lock:
                if not self._looks_on():
                    return
                begun = self.looked_up_to
                self.looked_up_to += self.width
                some = self.tasks[begun : self.looked_up_to]
                self.looking += len(some)
            while self.announced < min(self.looked_up_to, len(self.tasks)):
                self.announce(self.tasks[self.announced : self.announced + ANNOUNCED])
                self.announced += ANNOUNCED
            self.looks.submit(self._look, some)

    def _looks_on(self) -> bool:
        """Whether more records are to be looked at now."""
        if self.looked_up_to >= len(self.tasks):
            return False
        ahead = self.looking + len(self.ready)
        if self.target.push.parallel == 1:
            return not ahead and not self.writing
        waves = min(WAVES, FRESH_S / self.took_s) if self.took_s else 1
        return ahead < max(1, waves * self.wave)

    def _send(self) -> None:
        """As many batches as may go out."""
        while batch := self._next():
            self.writes.submit(self._write, batch)

    def _next(self) -> list[_Ready]:
        """A batch that goes out now, if one may; one that is not full only when no other record is about to come."""
        push = self.target.push
        if self.ended or self.writing >= push.parallel or self.writing + self.answered >= self.at_once:
            return []
        if len(self.ready) < push.batch and (self.looking or self._looks_on()):
            return []
        batch = [self.ready.popleft() for _ in range(min(push.batch, len(self.ready)))]
        self.writing += bool(batch)
        return batch

    def _are_enough(self) -> bool:
        """Whether there are receipts to be kept before anything else happens."""
        return self.to_be_kept >= self.enough or len(self.receipts) >= self.enough * self.target.push.batch

    def _keep(self) -> None:
        """The receipts of all that came back together, with one commit."""
        kept, self.receipts = self.receipts, []
        self.receive(kept)
        with self.lock:
            self.answered -= self.to_be_kept
        self.to_be_kept = 0

    def _taken_in(self) -> bool:
        """Wait for something to come, and take what else is there. Receipts there are wait only so long."""
        try:
            came = [self.came.get(timeout=LINGER_S if self.receipts else None)]
        except Empty:
            return False
        came += [self.came.get() for _ in range(self.came.qsize())]
        for one in came:
            if isinstance(one, BaseException):
                raise one
            self.to_be_kept += isinstance(one, _Written)
            self.receipts += one.receipts
        return True

    def _look(self, some: Sequence[Task]) -> None:
        """In a thread of its own: ask."""
        started = time.monotonic()
        pages = _asked(self.target, [t.id for t in some])
        self.pages.append(_Looked(some, pages, time.monotonic() - started))
        self.reads.submit(self._read)

    def _read(self) -> None:
        """Read all that came meanwhile in one go: a set costs little more than a record."""
        looked = [self.pages.popleft() for _ in range(len(self.pages))]
        if not looked:
            return
        found = _handed_back(lambda: _compared(self.target, looked))
        with self.lock:
            if isinstance(found, _Compared):
                self.looking -= found.count
                self.ready += found.ready
                self.took_s = found.took_s
                self._send()
            self.came.put(found)

    def _write(self, batch: Sequence[_Ready]) -> None:
        """In a thread of its own: a batch, and the next as long as one may go out."""
        while batch:
            found = _handed_back(partial(_written, self.target, batch))
            batch = []
            with self.lock:
                if isinstance(found, _Written):
                    self.writing -= 1
                    self.answered += 1
                    self.took_s = found.took_s
                    batch = self._next()
                self.came.put(found)


def _handed_back(work: Callable[[], _Compared | _Written]) -> _Compared | _Written | BaseException:
    """What came of some work; what stopped it is raised where it is taken in."""
    try:
        return work()
    except BaseException as error:  # noqa: BLE001
        return error


# -- look ------------------------------------------------------------------------------------------------------------


def _asked(target: _Target, ids: Sequence[str]) -> Sequence[Page] | OmniHubError:
    try:
        return list(target.push.look(target.client, ids))
    except OmniHubError as error:
        return error
    except Exception as mistake:  # noqa: BLE001  a connector's own bug must not stop the other streams
        return own_mistake(target.stream, mistake)


def _seen(target: _Target, pages: Sequence[Page] | OmniHubError) -> Mapping[str, Present] | OmniHubError:
    """The present state of the records on these pages."""
    if isinstance(pages, OmniHubError):
        return pages
    try:
        return target.read(pages)
    except OmniHubError as error:
        return error
    except Exception as mistake:  # noqa: BLE001  nor must a record nobody can read
        return own_mistake(target.stream, mistake)


def own_mistake(stream: Stream, mistake: Exception) -> RetryableError:
    """In words without what the mistake was about: that may be somebody's name."""
    place = "".join(traceback.format_tb(mistake.__traceback__))
    log.error("%s: stopped by %s\n%s", stream.name, type(mistake).__name__, place)
    return RetryableError(f"{stream.name}: a mistake in the code ({type(mistake).__name__}); the log has the place")


def _compared(target: _Target, looked: Sequence[_Looked]) -> _Compared:
    """What several looks brought, held against what was planned."""
    receipts: list[Receipt] = []
    ready: list[_Ready] = []
    for tasks, present in _present(target, looked):
        for task in tasks:
            if isinstance(present, OmniHubError):
                receipts.append(_left(task, task.changes, Outcome.DEFERRED, present))
                continue
            done, rest = _compare(target, task, present.get(task.id))
            receipts += done
            ready += rest
    return _Compared(sum(len(one.tasks) for one in looked), receipts, ready, looked[-1].took_s)


def _present(
    target: _Target, looked: Sequence[_Looked]
) -> Iterator[tuple[Sequence[Task], Mapping[str, Present] | OmniHubError]]:
    """All read together; each look alone where that does not work, so that it spoils nothing but itself."""
    pages = [one.pages for one in looked if not isinstance(one.pages, OmniHubError)]
    together = _seen(target, [page for some in pages for page in some])
    for one in looked:
        alone = isinstance(one.pages, OmniHubError) or (isinstance(together, OmniHubError) and len(pages) > 1)
        yield one.tasks, _seen(target, one.pages) if alone else together


def _compare(target: _Target, task: Task, present: Present | None) -> tuple[list[Receipt], list[_Ready]]:
    """Sort a task's changes into already so, drifted, and still to be written (one or none)."""
    if present is None:
        gone = "the record is no longer there"
        return [_receipt(task, task.changes, Outcome.DRIFTED, {}, "gone", gone)], []
    if target.shut and (shut := target.shut(task, present)):
        return _apart_from(target, task, present, shut)
    if all(present.fields.get(c.field) == c.old != c.new for _, c in task.changes):  # as nearly always
        return [], [_ready(target, task, task.changes, present)]
    kinds = target.kinds
    so: list[Numbered] = []
    drifted: list[Numbered] = []
    rest: list[Numbered] = []
    for numbered in task.changes:
        change = numbered[1]
        now, kind = present.fields.get(change.field), kinds[change.field].kind
        if fields.same(kind, now, change.new):
            so.append(numbered)
        elif fields.same(kind, now, change.old):
            rest.append(numbered)
        else:
            drifted.append(numbered)
    # A group is written whole or not at all: our street beside the city somebody just put there is nobody's address.
    torn = {kinds[c.field].group for _, c in drifted} - {""}
    if torn:
        drifted += [numbered for numbered in rest if kinds[numbered[1].field].group in torn]
        rest = [numbered for numbered in rest if kinds[numbered[1].field].group not in torn]
    receipts = []
    if so:
        receipts.append(_receipt(task, so, Outcome.WRITTEN, present.fields, "already", "it holds this value already"))
    if drifted:
        receipts.append(
            _receipt(task, drifted, Outcome.DRIFTED, present.fields, "changed", "somebody changed it in the meantime")
        )
    if not rest:
        return receipts, []
    return receipts, [_ready(target, task, tuple(rest), present)]


def _apart_from(
    target: _Target, task: Task, present: Present, shut: Mapping[int, str]
) -> tuple[list[Receipt], list[_Ready]]:
    """A gate has closed since the plan was made: without what it stops."""
    by_why: dict[str, list[Numbered]] = {}
    for numbered in task.changes:
        if numbered[0] in shut:
            by_why.setdefault(shut[numbered[0]], []).append(numbered)
    receipts = [
        _receipt(task, some, Outcome.DRIFTED, present.fields, GATE, f"kept back: {why}") for why, some in by_why.items()
    ]
    rest = tuple(numbered for numbered in task.changes if numbered[0] not in shut)
    if not rest:
        return receipts, []
    done, ready = _compare(replace(target, shut=None), replace(task, changes=rest), present)
    return receipts + done, ready


def _ready(target: _Target, task: Task, changes: tuple[Numbered, ...], present: Present) -> _Ready:
    row = _row(target, task, changes, present)
    paths = {c.field: target.mapped[c.field].path for _, c in changes}
    native = {name: (dig(present.raw, path), dig(row.body, path)) for name, path in paths.items()}
    return _Ready(task, changes, present, row, native)


def _row(target: _Target, task: Task, changes: Sequence[Numbered], present: Present) -> Row:
    new = {c.field: c.new for _, c in changes}
    body = new
    if not target.halves.isdisjoint(new):  # a name kept as one text is written whole
        body = {f: present.fields.get(f) for f in target.halves} | new
    native = target.mapped.body(body)
    for _, change in changes:
        if change.exact is not None:  # as it was before, to the letter
            put(native, target.mapped[change.field].path, msgspec.json.decode(change.exact))
    return Row(
        n=changes[0][0],
        op=Op.UPDATE,
        id=task.id,
        body=native,
        fields=new,
        before={c.field: present.fields.get(c.field) for _, c in changes},
        key=task.golden_id,
        raw=present.raw,
        parent=present.parent,
    )


# -- write -----------------------------------------------------------------------------------------------------------


def _written(target: _Target, batch: Sequence[_Ready]) -> _Written:
    started = time.monotonic()
    return _Written(_write(target, batch), time.monotonic() - started)


def _write(target: _Target, batch: Sequence[_Ready]) -> list[Receipt]:
    """Write one batch; every row ends in one receipt. What was answered before a call failed stands."""
    answers: dict[int, Answer] = {}
    trouble = _sent(target, batch, answers)
    told = [one for r in batch if r.row.n in answers for one in _told(target, r, answers[r.row.n])]
    rest = [r for r in batch if r.row.n not in answers]
    return told + (_without_answer(target, rest, trouble) if rest else [])


def _sent(target: _Target, batch: Sequence[_Ready], answers: dict[int, Answer]) -> OmniHubError | None:
    """Fill `answers`, as far as the system gives any; what went wrong, if something did."""
    try:
        for answer in target.push.update(target.client, [r.row for r in batch]):
            answers[answer.n] = answer
    except OmniHubError as error:
        return error
    except Exception as mistake:  # noqa: BLE001  a connector's own bug must not stop the other streams
        return own_mistake(target.stream, mistake)
    return None


def _without_answer(target: _Target, rows: Sequence[_Ready], trouble: OmniHubError | None) -> list[Receipt]:
    match trouble:
        case RejectedRecord() as no if len(rows) == 1:
            return _refused(target, rows[0], no.code or str(no.status), str(no))
        case RejectedRecord():
            return _split(target, rows)
        case RateLimited():
            return [_of(r, Outcome.DEFERRED, "rate_limited", str(trouble)) for r in rows]
        case ConfigError():
            return [_of(r, Outcome.DEFERRED, "forbidden", str(trouble)) for r in rows]
    unknown = trouble or RetryableError(f"{target.stream.name}: the system did not mention this row")
    return list(_look_and_decide(target, rows, unknown))


def _split(target: _Target, rows: Sequence[_Ready]) -> list[Receipt]:
    """The halves of what was refused as a whole. Where nothing is wrong with the first, it is the second that would be
    refused as it is: it is not asked about, but split as well."""
    half = len(rows) // 2
    told = _write(target, rows[:half])
    sound = all(r.outcome in (Outcome.WRITTEN, Outcome.DRIFTED) for r in told)
    after = _split if sound and len(rows) - half > 1 else _write
    return told + after(target, rows[half:])


def _look_and_decide(target: _Target, batch: Sequence[_Ready], unknown: Exception) -> Iterator[Receipt]:
    """No answer: it may have been written all the same. Look before saying so."""
    present = _seen(target, _asked(target, [r.task.id for r in batch]))
    for ready in batch:
        if not isinstance(present, OmniHubError) and _holds(target, present.get(ready.task.id), ready.row):
            yield _of(ready, Outcome.WRITTEN, "unanswered", "written, though the answer was lost")
        else:
            yield _of(ready, Outcome.DEFERRED, "unanswered", str(unknown))


def _holds(target: _Target, present: Present | None, row: Row) -> bool:
    return present is not None and all(
        fields.same(target.kinds[f].kind, present.fields.get(f), value) for f, value in row.fields.items()
    )


def _told(target: _Target, ready: _Ready, answer: Answer) -> list[Receipt]:
    if answer.outcome is Outcome.REFUSED:
        return _refused(target, ready, answer.code, answer.message, answer.exchange)
    return [_of(ready, answer.outcome, answer.code, answer.message, answer.exchange)]


def _refused(
    target: _Target, ready: _Ready, code: str, message: str, exchange: Exchange | None = None
) -> list[Receipt]:
    """A value nobody can read, put back as it was, may be one the system takes from nobody any more: the other fields
    of the record are written without it."""
    unread = {_unit(target, c) for _, c in ready.changes if c.new is None and c.exact not in (None, *NO_VALUE)}
    rest = tuple(numbered for numbered in ready.changes if _unit(target, numbered[1]) not in unread)
    if not unread or not rest:
        return [_of(ready, Outcome.REFUSED, code, message, exchange)]
    bad = tuple(numbered for numbered in ready.changes if _unit(target, numbered[1]) in unread)
    refused = _of(_ready(target, ready.task, bad, ready.present), Outcome.REFUSED, code, message, exchange)
    return [refused, *_write(target, [_ready(target, ready.task, rest, ready.present)])]


def _unit(target: _Target, change: Change) -> str:
    """What is written together."""
    return target.kinds[change.field].group or change.field


def _of(ready: _Ready, outcome: Outcome, code: str, message: str, exchange: Exchange | None = None) -> Receipt:
    numbers = tuple(n for n, _ in ready.changes)
    before, sent = ready.row.before, ready.row.fields
    return Receipt(ready.task.ref, outcome, numbers, before, sent, code, message, exchange, ready.native)


def _left(task: Task, changes: Sequence[Numbered], outcome: Outcome, error: Exception) -> Receipt:
    return _receipt(task, changes, outcome, {}, "could_not_look", str(error))


def _receipt(
    task: Task,
    changes: Sequence[Numbered],
    outcome: Outcome,
    before: Mapping[str, str | None],
    code: str = "",
    message: str = "",
    exchange: Exchange | None = None,
) -> Receipt:
    return Receipt(
        ref=task.ref,
        outcome=outcome,
        numbers=tuple(n for n, _ in changes),
        before={c.field: before.get(c.field) for _, c in changes},
        sent={c.field: c.new for _, c in changes},
        code=code,
        message=message,
        exchange=exchange,
    )


def parsed(raw: bytes) -> Any:
    """A record's JSON."""
    return msgspec.json.decode(raw)

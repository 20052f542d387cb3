"""Apply: write the changes of a stored plan to one stream, and give back a receipt for each record.

    look ─▶ still as planned? ─▶ write ─▶ answer ─▶ receipt
             │ already so  → written            │ the whole batch refused → split it, until the bad row stands alone
             └ otherwise   → drifted            └ no answer → look, then decide

Nothing here touches the store: `receive` is called with the receipts of each batch and commits them before it returns.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from omnihub import fields
from omnihub.errors import ConfigError, OmniHubError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Change, Op, Outcome, fields_of
from omnihub.sdk import Answer, Exchange, FullName, Page, Push, Row, Stream

log = logging.getLogger("omnihub.push")

LOOK = 200  # records looked at in one go before they are written, at most
LOOK_LEAST = (
    20  # and at least, where they are written one by one: a look costs a call and a refine, however few they are
)


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
    """What became of one record's changes that ended the same way."""

    ref: str
    outcome: Outcome
    numbers: tuple[int, ...]
    before: Mapping[str, str | None]
    sent: Mapping[str, str | None]
    code: str = ""
    message: str = ""
    exchange: Exchange | None = None


Read = Callable[[Iterable[Page]], Mapping[str, Present]]
"""Pages of raw records → id → their present state, by the stream's field map."""

Receive = Callable[[Sequence[Receipt]], None]


def apply_stream(client: Any, stream: Stream, tasks: Sequence[Task], read: Read, receive: Receive) -> None:
    """Carry out the tasks of one stream. Every change of every task ends in exactly one receipt, or this raises and
    the rest is left for the next time (the receipts so far are kept)."""
    assert stream.push is not None
    stream = _for_so_many(stream, stream.push, len(tasks))
    push = stream.push
    assert push is not None
    width = max(push.batch, LOOK_LEAST, min(LOOK, push.batch * push.parallel))
    with ThreadPoolExecutor(push.parallel, thread_name_prefix="push") as pool:
        for start in range(0, len(tasks), width):
            some = tasks[start : start + width]
            present = _look(client, stream, [t.id for t in some], read)
            if isinstance(present, OmniHubError):
                receive([_left(t, t.changes, Outcome.DEFERRED, present) for t in some])
                continue
            ready: list[_Ready] = []
            done: list[Receipt] = []
            for task in some:
                receipts, rest = _compare(task, present.get(task.id), stream)
                done += receipts
                if rest:
                    ready.append(rest)
            if done:
                receive(done)
            for wave in _waves(ready, push.batch, push.parallel):
                for receipts in pool.map(lambda batch: _write(client, stream, batch, read), wave):
                    receive(receipts)


def _for_so_many(stream: Stream, push: Push, rows: int) -> Stream:
    """The stream as it is written when there are so many rows: by jobs, where the system has them and they pay."""
    if push.many is None or rows <= push.many.above:
        return stream
    jobs = push.many
    return replace(stream, push=replace(push, update=jobs.send, batch=jobs.batch, parallel=jobs.parallel))


def _waves(ready: Sequence[_Ready], batch: int, parallel: int) -> Iterator[list[Sequence[_Ready]]]:
    """The batches that go out together. The next ones wait until the receipts of these are kept."""
    batches = [ready[i : i + batch] for i in range(0, len(ready), batch)]
    for i in range(0, len(batches), parallel):
        yield batches[i : i + parallel]


@dataclass(frozen=True)
class _Ready:
    """A task compared with the present: what is still to be written."""

    task: Task
    changes: tuple[Numbered, ...]
    present: Present
    row: Row


def _look(client: Any, stream: Stream, ids: Sequence[str], read: Read) -> Mapping[str, Present] | OmniHubError:
    assert stream.push
    try:
        return read(list(stream.push.look(client, ids)))
    except OmniHubError as error:
        return error
    except Exception as mistake:  # noqa: BLE001  a connector's own bug must not stop the other streams
        return _own_mistake(stream, mistake)


def _own_mistake(stream: Stream, mistake: Exception) -> RetryableError:
    """In words without what the mistake was about: that may be somebody's name."""
    place = "".join(traceback.format_tb(mistake.__traceback__))
    log.error("%s: stopped by %s\n%s", stream.name, type(mistake).__name__, place)
    return RetryableError(f"{stream.name}: a mistake in the code ({type(mistake).__name__}); the log has the place")


def _compare(task: Task, present: Present | None, stream: Stream) -> tuple[list[Receipt], _Ready | None]:
    """Sort a task's changes into already so, drifted, and still to be written."""
    if present is None:
        gone = "the record is no longer there"
        return [_receipt(task, task.changes, Outcome.DRIFTED, {}, "gone", gone)], None
    kinds = fields_of(stream.entity)
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
        return receipts, None
    return receipts, _Ready(task, tuple(rest), present, _row(task, rest, present, stream))


def _row(task: Task, changes: Sequence[Numbered], present: Present, stream: Stream) -> Row:
    new = {c.field: c.new for _, c in changes}
    mapped = stream.fields
    body = dict(new)
    for name, where in mapped.items():  # a name kept as one text is written whole
        if isinstance(where, FullName) and name not in new and any(isinstance(mapped[f], FullName) for f in new):
            body[name] = present.fields.get(name)
    return Row(
        n=changes[0][0],
        op=Op.UPDATE,
        id=task.id,
        body=mapped.body(body),
        fields=new,
        before={c.field: present.fields.get(c.field) for _, c in changes},
        key=task.golden_id,
        raw=present.raw,
        parent=present.parent,
    )


def _write(client: Any, stream: Stream, batch: Sequence[_Ready], read: Read) -> list[Receipt]:
    """Write one batch; every row ends in one receipt. What was answered before a call failed stands."""
    answers: dict[int, Answer] = {}
    trouble = _send(client, stream, batch, answers)
    told = [_answered(r, answers[r.row.n]) for r in batch if r.row.n in answers]
    rest = [r for r in batch if r.row.n not in answers]
    return told + (_without_answer(client, stream, rest, read, trouble) if rest else [])


def _send(client: Any, stream: Stream, batch: Sequence[_Ready], answers: dict[int, Answer]) -> OmniHubError | None:
    """Fill `answers`, as far as the system gives any; what went wrong, if something did."""
    assert stream.push
    try:
        for answer in stream.push.update(client, [r.row for r in batch]):
            answers[answer.n] = answer
    except OmniHubError as error:
        return error
    except Exception as mistake:  # noqa: BLE001  a connector's own bug must not stop the other streams
        return _own_mistake(stream, mistake)
    return None


def _without_answer(
    client: Any, stream: Stream, rows: Sequence[_Ready], read: Read, trouble: OmniHubError | None
) -> list[Receipt]:
    match trouble:
        case RejectedRecord() as no if len(rows) == 1:
            return [_of(rows[0], Outcome.REFUSED, no.code or str(no.status), str(no))]
        case RejectedRecord():
            half = len(rows) // 2
            return _write(client, stream, rows[:half], read) + _write(client, stream, rows[half:], read)
        case RateLimited():
            return [_of(r, Outcome.DEFERRED, "rate_limited", str(trouble)) for r in rows]
        case ConfigError():
            return [_of(r, Outcome.DEFERRED, "forbidden", str(trouble)) for r in rows]
    unknown = trouble or RetryableError(f"{stream.name}: the system did not mention this row")
    return list(_look_and_decide(client, stream, rows, read, unknown))


def _look_and_decide(
    client: Any, stream: Stream, batch: Sequence[_Ready], read: Read, unknown: Exception
) -> Iterator[Receipt]:
    """No answer: it may have been written all the same. Look before saying so."""
    present = _look(client, stream, [r.task.id for r in batch], read)
    for ready in batch:
        if not isinstance(present, OmniHubError) and _holds(present.get(ready.task.id), ready.row, stream):
            yield _of(ready, Outcome.WRITTEN, "unanswered", "written, though the answer was lost")
        else:
            yield _of(ready, Outcome.DEFERRED, "unanswered", str(unknown))


def _holds(present: Present | None, row: Row, stream: Stream) -> bool:
    kinds = fields_of(stream.entity)
    return present is not None and all(
        fields.same(kinds[f].kind, present.fields.get(f), value) for f, value in row.fields.items()
    )


def _answered(ready: _Ready, answer: Answer) -> Receipt:
    return _of(ready, answer.outcome, answer.code, answer.message, answer.exchange)


def _of(ready: _Ready, outcome: Outcome, code: str, message: str, exchange: Exchange | None = None) -> Receipt:
    return _receipt(ready.task, ready.changes, outcome, ready.row.before, code, message, exchange)


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

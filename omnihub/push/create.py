"""Create: make the records of a stored plan that are not there yet, each once; and take away what was made.

    look by key ─▶ there already → known by its id, nothing is sent
                ─▶ not there     → made ─▶ answer ─▶ receipt with the id it got
                                    │ the whole batch refused → split it, until the bad row stands alone
                                    └ no answer, or refused midway → look by key, then decide

The key is the golden id: whoever dies between the system's commit and our receipt finds it by that. A record whose link
leads to one that was not made waits for it. Nothing here touches the store: `receive` commits before it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from omnihub import fields
from omnihub.errors import ConfigError, OmniHubError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Kind, Op, Outcome, Ref, fields_of
from omnihub.push.apply import Announce, Numbered, Present, Read, Receipt, Receive, Task, own_mistake, unannounced
from omnihub.push.missing import key_of
from omnihub.sdk import Answer, Exchange, Page, Push, Row, Send, Stream, dig

AT_ONCE = 50  # records made before the next receipts are committed, where a batch may hold more

Made = Callable[[str], str | None]
"""What a record that was to be made is called now; None where it was not made."""


@dataclass(frozen=True)
class _Place:
    """Where records are made, or taken away."""

    client: Any
    system: str
    stream: Stream
    push: Push
    read: Read

    def ref(self, id_: str) -> str:
        return str(Ref(self.system, self.stream.name, id_))

    def kind(self, name: str) -> Kind:
        return fields_of(self.stream.entity)[name].kind


@dataclass(frozen=True)
class _New:
    """A record about to be made. values: what it is given, with links that lead somewhere."""

    task: Task
    row: Row


def create_stream(
    client: Any,
    system: str,
    stream: Stream,
    tasks: Sequence[Task],
    read: Read,
    receive: Receive,
    made: Made,
    announce: Announce = unannounced,
) -> None:
    """Make the records of one stream. Every change of every task ends in exactly one receipt, or this raises and the
    rest is left for the next time. `announce` is told of records before the system is."""
    assert stream.push is not None
    place = _Place(client, system, stream, stream.push, read)
    _in_turns(place, tasks, lambda some: _create(place, some, made), receive, announce)


def remove_stream(
    client: Any, system: str, stream: Stream, tasks: Sequence[Task], read: Read, receive: Receive
) -> None:
    """Take away records the hub has made, as long as they are as the plan knows them."""
    assert stream.push is not None
    place = _Place(client, system, stream, stream.push, read)
    _in_turns(place, tasks, lambda some: _remove(place, some), receive, unannounced)


def _in_turns(
    place: _Place,
    tasks: Sequence[Task],
    work: Callable[[Sequence[Task]], list[Receipt]],
    receive: Receive,
    announce: Announce,
) -> None:
    """As many batches at once as the system takes; their receipts are kept before the next ones go out."""
    size, width = min(place.push.batch, AT_ONCE), place.push.parallel
    with ThreadPoolExecutor(width, thread_name_prefix="push-create") as pool:
        for start in range(0, len(tasks), size * width):
            turn = tasks[start : start + size * width]
            announce(turn)
            parts = [turn[at : at + size] for at in range(0, len(turn), size)]
            receive([receipt for part in pool.map(work, parts) for receipt in part])


def by_key(
    client: Any, system: str, stream: Stream, keys: Sequence[str], read: Read
) -> Mapping[str, tuple[str, Present]] | OmniHubError:
    """key → id and present state of the records that were made with these keys; what is missing was not made."""
    assert stream.push is not None
    return _by_key(_Place(client, system, stream, stream.push, read), keys)


# -- make ------------------------------------------------------------------------------------------------------------


def _create(place: _Place, tasks: Sequence[Task], made: Made) -> list[Receipt]:
    there = _by_key(place, [t.golden_id for t in tasks])
    if isinstance(there, OmniHubError):
        return [_receipt(t, t.changes, Outcome.DEFERRED, "could_not_look", str(there)) for t in tasks]
    receipts: list[Receipt] = []
    new: list[_New] = []
    for task in tasks:
        if task.golden_id in there:
            receipts += _found(place, task, *there[task.golden_id])
            continue
        row = _row(place, task, made)
        if row is None:
            waits = "what it is to belong to was not made; it is made once that is there"
            receipts.append(_receipt(task, task.changes, Outcome.DEFERRED, "waits", waits))
        else:
            new.append(_New(task, row))
    return _with_images(place, receipts + (_made(place, new) if new else []))


def _row(place: _Place, task: Task, made: Made) -> Row | None:
    """None where a link leads to a record that was not made."""
    values: dict[str, str | None] = {}
    for _, change in task.changes:
        value = change.new
        if value is not None and place.kind(change.field) is Kind.LINK and key_of(value):
            value = made(value)
            if value is None:
                return None
        values[change.field] = value
    body = place.stream.fields.body(values)
    return Row(task.changes[0][0], Op.CREATE, None, body, values, {}, task.golden_id)


def _by_key(place: _Place, keys: Sequence[str]) -> dict[str, tuple[str, Present]] | OmniHubError:
    """key → id and present state of the records that were made with these keys."""
    try:
        return dict(_asked_by_key(place, keys))
    except OmniHubError as error:
        return error
    except Exception as mistake:  # noqa: BLE001  a connector's own bug must not stop the other streams
        return own_mistake(place.stream, mistake)


def _asked_by_key(place: _Place, keys: Sequence[str]) -> Iterator[tuple[str, tuple[str, Present]]]:
    find, path = place.push.find, place.push.known_by
    if find is None:
        return
    if path:
        found = place.read(_pages(find(place.client, list(keys))))
        for id_, present in sorted(found.items(), reverse=True):  # of two with one key, always the same one
            yield str(dig(present.raw, path)), (id_, present)
        return
    for key in keys:
        for id_, present in sorted(place.read(_pages(find(place.client, [key]))).items())[:1]:
            yield key, (id_, present)


def _pages(pages: Iterator[Page]) -> list[Page]:
    """All of them, before any is read."""
    return list(pages)


def _found(place: _Place, task: Task, id_: str, present: Present) -> list[Receipt]:
    """It was made before: by a process that died, or an answer that was lost. What a person changed since is theirs."""
    ours: list[Numbered] = []
    theirs: list[Numbered] = []
    for numbered in task.changes:
        change = numbered[1]
        kind, now = place.kind(change.field), present.fields.get(change.field)
        link = kind is Kind.LINK and change.new is not None and key_of(change.new) is not None
        (ours if link or fields.same(kind, now, change.new) else theirs).append(numbered)
    ref = place.ref(id_)
    told = []
    if ours:
        held = {c.field: present.fields.get(c.field) for _, c in ours}
        told.append(replace(_receipt(task, ours, Outcome.WRITTEN, "there", "it was made already", ref), sent=held))
    if theirs:
        told.append(_receipt(task, theirs, Outcome.DRIFTED, "changed", "it was made already, and changed since", ref))
    return told


def _made(place: _Place, new: Sequence[_New]) -> list[Receipt]:
    """Make one batch; every record ends in receipts for all its changes."""
    assert place.push.create is not None
    answers, trouble = _sent(place, place.push.create, [one.row for one in new])
    told: list[Receipt] = []
    unsure: list[_New] = []
    for one in new:
        answer = answers.get(one.row.n)
        if answer and answer.outcome is Outcome.WRITTEN and answer.id:
            told.append(_of(one, Outcome.WRITTEN, exchange=answer.exchange, made=place.ref(answer.id)))
        elif answer or trouble is None or not isinstance(trouble, RejectedRecord | RateLimited | ConfigError):
            unsure.append(one)
    rest = [one for one in new if one.row.n not in answers]
    if unsure:
        told += _looked_and_decided(place, unsure, answers, trouble)
        rest = [one for one in rest if one not in unsure]
    return told + (_stopped(place, rest, trouble) if rest else [])


def _stopped(place: _Place, rest: Sequence[_New], trouble: OmniHubError | None) -> list[Receipt]:
    match trouble:
        case RejectedRecord() as no if len(rest) == 1:
            return _looked_and_decided(place, rest, {}, no)
        case RejectedRecord():
            half = len(rest) // 2
            return _made(place, rest[:half]) + _made(place, rest[half:])
        case RateLimited():
            return [_of(one, Outcome.DEFERRED, "rate_limited", str(trouble)) for one in rest]
    return [_of(one, Outcome.DEFERRED, "forbidden", str(trouble)) for one in rest]


def _sent(place: _Place, send: Send, rows: Sequence[Row]) -> tuple[dict[int, Answer], OmniHubError | None]:
    """The answers, as far as the system gives any; and what went wrong, if something did."""
    answers: dict[int, Answer] = {}
    try:
        for answer in send(place.client, rows):
            answers[answer.n] = answer
    except OmniHubError as error:
        return answers, error
    except Exception as mistake:  # noqa: BLE001  see `_by_key`
        return answers, own_mistake(place.stream, mistake)
    return answers, None


def _looked_and_decided(
    place: _Place, some: Sequence[_New], answers: Mapping[int, Answer], trouble: OmniHubError | None
) -> list[Receipt]:
    """No answer, or a refusal that may have come after the record was made (its link was refused): look by key."""
    there = _by_key(place, [one.row.key for one in some])
    told: list[Receipt] = []
    for one in some:
        if not isinstance(there, OmniHubError) and one.row.key in there:
            told += _half(place, one, *there[one.row.key], answers.get(one.row.n))
        elif answer := answers.get(one.row.n):
            unknown = answer.outcome is Outcome.WRITTEN  # so it says, but nothing shows it
            outcome = Outcome.DEFERRED if unknown else answer.outcome
            told.append(_of(one, outcome, answer.code, answer.message, answer.exchange))
        elif isinstance(trouble, RejectedRecord):
            told.append(_of(one, Outcome.REFUSED, trouble.code or str(trouble.status), str(trouble)))
        else:
            why = str(trouble or RetryableError(f"{place.stream.name}: the system did not mention this row"))
            told.append(_of(one, Outcome.DEFERRED, "unanswered", why))
    return told


def _half(place: _Place, one: _New, id_: str, present: Present, answer: Answer | None) -> list[Receipt]:
    """It is there: what it holds was written; the rest was refused, or is for the next time."""
    held = {f for f, v in one.row.fields.items() if fields.same(place.kind(f), present.fields.get(f), v)}
    ours = [numbered for numbered in one.task.changes if numbered[1].field in held]
    rest = [numbered for numbered in one.task.changes if numbered[1].field not in held]
    ref = place.ref(id_)
    first = _receipt(one.task, ours, Outcome.WRITTEN, "unanswered", "made, though the answer was lost", ref)
    told = [replace(first, sent={c.field: one.row.fields[c.field] for _, c in ours})]
    if rest:
        code, message = (answer.code, answer.message) if answer else ("unanswered", "the record was made without it")
        outcome = Outcome.REFUSED if answer and answer.outcome is Outcome.REFUSED else Outcome.DEFERRED
        told.append(_receipt(one.task, rest, outcome, code, message, ref))
    return [receipt for receipt in told if receipt.numbers]


def _with_images(place: _Place, receipts: Sequence[Receipt]) -> list[Receipt]:
    """What was made as it looks now, so that it shows later whether anybody has changed it. It can do without."""
    ids = {r.made: Ref.parse(r.made).id for r in receipts if r.made}
    if not ids:
        return list(receipts)
    try:
        present = place.read(_pages(place.push.look(place.client, sorted(set(ids.values())))))
    except Exception:  # noqa: BLE001  then an undo will leave it where it is
        return list(receipts)
    seen = {ref: present[id_].fields for ref, id_ in ids.items() if id_ in present}
    return [replace(r, image=seen.get(r.made)) if r.made else r for r in receipts]


# -- take away -------------------------------------------------------------------------------------------------------


def _remove(place: _Place, tasks: Sequence[Task]) -> list[Receipt]:
    assert place.push.delete is not None
    present = _present(place, [t.id for t in tasks])
    if isinstance(present, OmniHubError):
        return [_receipt(t, t.changes, Outcome.DEFERRED, "could_not_look", str(present)) for t in tasks]
    told: list[Receipt] = []
    rows: dict[int, tuple[Task, Row]] = {}
    for task in tasks:
        now = present.get(task.id)
        if now is None:
            told.append(_receipt(task, task.changes, Outcome.WRITTEN, "gone", "it is gone already"))
        elif not all(fields.same(place.kind(c.field), now.fields.get(c.field), c.old) for _, c in task.changes):
            told.append(_receipt(task, task.changes, Outcome.DRIFTED, "changed", "somebody changed it in the meantime"))
        else:
            n, before = task.changes[0][0], {c.field: c.old for _, c in task.changes}
            rows[n] = task, Row(n, Op.DELETE, task.id, {}, {}, before, task.golden_id, now.raw, now.parent)
    return told + (_removed(place, rows) if rows else [])


def _removed(place: _Place, rows: Mapping[int, tuple[Task, Row]]) -> list[Receipt]:
    assert place.push.delete is not None
    answers, trouble = _sent(place, place.push.delete, [row for _, row in rows.values()])
    lost = {n: task for n, (task, _) in rows.items() if n not in answers}
    left = _present(place, [task.id for task in lost.values()]) if lost else {}
    told: list[Receipt] = []
    for n, (task, _) in rows.items():
        if answer := answers.get(n):
            told.append(
                _receipt(task, task.changes, answer.outcome, answer.code, answer.message, None, answer.exchange)
            )
        elif not isinstance(left, OmniHubError) and task.id not in left:
            told.append(_receipt(task, task.changes, Outcome.WRITTEN, "unanswered", "gone, though the answer was lost"))
        elif isinstance(trouble, RejectedRecord) and len(lost) == 1:
            code = trouble.code or str(trouble.status)
            told.append(_receipt(task, task.changes, Outcome.REFUSED, code, str(trouble)))
        else:
            told.append(_receipt(task, task.changes, Outcome.DEFERRED, "unanswered", str(trouble or "no answer")))
    return told


def _present(place: _Place, ids: Sequence[str]) -> Mapping[str, Present] | OmniHubError:
    try:
        return place.read(_pages(place.push.look(place.client, ids)))
    except OmniHubError as error:
        return error
    except Exception as mistake:  # noqa: BLE001  see `_by_key`
        return own_mistake(place.stream, mistake)


# -- receipts --------------------------------------------------------------------------------------------------------


def _of(
    one: _New,
    outcome: Outcome,
    code: str = "",
    message: str = "",
    exchange: Exchange | None = None,
    made: str | None = None,
) -> Receipt:
    told = _receipt(one.task, one.task.changes, outcome, code, message, made, exchange)
    return replace(told, sent=dict(one.row.fields))


def _receipt(
    task: Task,
    changes: Sequence[Numbered],
    outcome: Outcome,
    code: str = "",
    message: str = "",
    made: str | None = None,
    exchange: Exchange | None = None,
) -> Receipt:
    return Receipt(
        ref=task.ref,
        outcome=outcome,
        numbers=tuple(n for n, _ in changes),
        before={c.field: c.old for _, c in changes if c.old is not None},
        sent={c.field: c.new for _, c in changes},
        code=code,
        message=message,
        exchange=exchange,
        op=task.changes[0][1].op,
        made=made,
    )

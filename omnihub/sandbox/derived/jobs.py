"""Jobs: exports and writes that the system works through while the caller asks again and again.

A job is done with its first question but some (the option `job_polls`, one unless said otherwise), so that who does not
wait is found out. What it exports is what there was when it began.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from omnihub.sandbox.derived.lists import cut, since_of
from omnihub.sandbox.derived.operations import Operation, Refusal, meant, with_body
from omnihub.sandbox.derived.shape import Shape, put
from omnihub.sandbox.derived.writing import items_of, told, write_all
from omnihub.sandbox.kit import Call, Reply
from omnihub.sdk import Export, Poll, SendJob

POLLS = 1  # questions answered with "not yet"


def export(shape: Shape, value: Export, notes: list[str]) -> Iterator[Operation]:
    """Start, poll, result."""
    address = value.result if value.result.startswith("/") else value.poll.path + "/result"
    if value.since:
        notes.append(f"{shape.name}: {', '.join(value.since)} leaves out what changed before that time")

    def start(standin: Any, call: Call) -> Reply:
        since = since_of(value.since, with_body(call))
        return _begun(standin, shape, value.job, {"since": since, "until": standin.state.tick()}, notes)

    def poll(standin: Any, call: Call) -> Reply:
        job = _job(standin, shape, call)
        body: dict[str, Any] = {}
        if _done(standin, shape, call, job, value.poll, body):
            if value.poll.total:
                put(body, value.poll.total, len(_records(standin, job)))
            if address != value.result:
                url = urlsplit(call.url)
                put(body, value.result, urlunsplit(url._replace(path=url.path + "/result", query="")))
        return Reply(200, body)

    def result(standin: Any, call: Call) -> Reply:
        records = _records(standin, _job(standin, shape, call))
        if value.format == "jsonl":
            return Reply(200, "".join(_line(record) + "\n" for record in records), content_type="application/jsonl")
        return Reply(200, _csv(records, value.delimiter), content_type="text/csv")

    def _records(standin: Any, job: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = cut(standin.state, shape, since=job["since"]).found
        return [shape.shown(obj) for obj in found if obj.created_at <= job["until"]]

    fits = meant({**value.start.params, **_flat(value.start.json)}, path=value.start.path)
    yield Operation(value.start.method, value.start.path, start, fits, reads=True)
    yield Operation("GET", value.poll.path, poll, meant({}, path=value.poll.path), reads=True)
    yield Operation("GET", address, result, meant({}, path=address), reads=True)


def send_job(shape: Shape, value: SendJob, notes: list[str]) -> Iterator[Operation]:
    """Many rows handed in at once; what became of each stands in the job once it is done."""
    push = shape.stream.push
    most = max(push.batch, push.many.batch if push.many else 1) if push else 1

    def start(standin: Any, call: Call) -> Reply:
        sent = call.headers.get(value.once) if value.once else None
        before = standin.state.note(f"once:{shape.name}:{sent}") if sent else None
        if before:
            return Reply(200, before)
        outcomes = write_all(standin, shape, value, items_of(shape, call, value.wrap, most))
        reply = _begun(standin, shape, value.job, {"results": told(value, outcomes)}, notes)
        if sent:
            standin.state.keep(f"once:{shape.name}:{sent}", reply.body)
        return reply

    def poll(standin: Any, call: Call) -> Reply:
        job = _job(standin, shape, call)
        body: dict[str, Any] = {}
        if _done(standin, shape, call, job, value.poll, body) and not value.result and isinstance(job["results"], dict):
            body = {**job["results"], **body}
        return Reply(200, body)

    def result(standin: Any, call: Call) -> Reply:
        return Reply(200, _job(standin, shape, call)["results"])

    yield Operation(value.method, value.path, start, meant({}, path=value.path))
    yield Operation("GET", value.poll.path, poll, meant({}, path=value.poll.path), reads=True)
    if value.result:
        yield Operation("GET", value.result, result, meant({}, path=value.result), reads=True)


def _begun(standin: Any, shape: Shape, path: str, job: dict[str, Any], notes: list[str]) -> Reply:
    n = int(standin.state.note("jobs", 0)) + 1
    standin.state.keep("jobs", n)
    standin.state.keep(f"job:{shape.name}:job-{n}", {**job, "asked": 0})
    body: dict[str, Any] = {}
    put(body, path, f"job-{n}")
    return Reply(202, body)


def _job(standin: Any, shape: Shape, call: Call) -> dict[str, Any]:
    found = standin.state.note(f"job:{shape.name}:{call.path['job']}")
    if found is None:
        raise Refusal(404, f"no job {call.path['job']}")
    return dict(found)


def _done(standin: Any, shape: Shape, call: Call, job: dict[str, Any], poll: Poll, body: dict[str, Any]) -> bool:
    """Whether it is done by now; its state goes into the body."""
    done = int(job["asked"]) >= int(standin.options.get("job_polls", POLLS))
    standin.state.keep(f"job:{shape.name}:{call.path['job']}", {**job, "asked": job["asked"] + 1})
    put(body, poll.status, poll.done[0] if done else "running")
    return done


def _line(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _csv(records: list[dict[str, Any]], delimiter: str) -> str:
    """One column for each name at the top of a record; what is inside one is JSON."""
    columns = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(record.get(name)) for name in columns] for record in records)
    return text.getvalue() if columns else ""


def _cell(value: Any) -> str:
    if isinstance(value, bool | dict | list):
        return _line(value)
    return "" if value is None else str(value)


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if not isinstance(value, dict | list)}

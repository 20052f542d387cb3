"""Rules on what comes in: all of it, as it is, from where we stopped, and gone only when it is gone."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from omnihub import fields
from omnihub.conformance.rules import NotForThis, expect, rule
from omnihub.conformance.trial import Trial
from omnihub.conformance.wire import Carry, rows
from omnihub.drift import shape
from omnihub.land import Landed
from omnihub.model import Kind, fields_of
from omnihub.sandbox.kit import Call, Reply
from omnihub.sdk import Stream

MOST_CALLS = 400  # a list of a few thousand records that takes more calls than this has no end


@rule("reading", "all of it", "A complete pass brings every living record, and no other")
def all_of_it(t: Trial) -> None:
    t.pull_well(full=True)
    compared = 0
    for stream in t.pulled:
        there, known = set(t.there(stream.name)), t.known(stream.name)
        if not there:
            continue
        compared += 1
        expect(known >= there, f"{stream.name}: {len(there - known)} of {len(there)} records never came")
        expect(there >= known, f"{stream.name}: {len(known - there)} records came that the system does not have")
    expect(compared > 0, "no stream of the stand-in could be compared")


@rule("reading", "no end", "Pages end, and never go round in circles")
def no_end(t: Trial) -> None:
    first: list[Reply] = []

    def same_again(call: Call, carry: Carry) -> Reply:
        if len(t.wire.seen) > MOST_CALLS:
            return t.standin.error(404)  # whoever still asks is told to stop
        reply = carry()
        first.append(reply)
        return first[min(1, len(first) - 1)]  # whatever is asked, the second page is the answer

    with t.wire.bent(same_again):
        t.pull(t.main.name, full=True)
    expect(len(t.wire.seen) < MOST_CALLS, f"{t.main.name}: still asking after {MOST_CALLS} pages, all of them the same")


@rule("reading", "byte for byte", "Records are kept as the system sent them")
def byte_for_byte(t: Trial) -> None:
    t.wire.clear()
    t.pull_well(t.main.name)
    answers = [s.reply for s in t.wire.seen if s.reply.status == 200]
    if any("json" not in reply.content_type for reply in answers):
        raise NotForThis("it reads exports, which are made into records here")
    bodies = b"\n".join(reply.encoded() for reply in answers)
    for id_, raw in t.versions(t.main.name):
        expect(
            raw in bodies, f"{t.main.name}/{id_}: what is kept is not what was sent; keep the slice, don't encode anew"
        )


@rule("reading", "only what is new", "After an edit just that is read again, and nothing is lost")
def only_what_is_new(t: Trial) -> None:
    t.pull_well()
    before = {s.name: t.known(s.name) for s in t.pulled}
    tried = 0
    for stream in t.pulled:
        if not before[stream.name] or not t.free(stream):
            continue
        try:
            id_ = t.some(stream.name)
            t.edit(stream.name, id_)
        except NotForThis:
            continue
        tried += 1
        [landed] = t.pull_well(stream.name)
        expect(_seen(t, stream, landed), f"{stream.name}/{id_}: the edit was not seen")
        expect(
            landed.changed + landed.new <= 1,
            f"{stream.name}: one record was edited, {landed.changed + landed.new} look changed",
        )
        expect(
            landed.complete or landed.read < max(3, len(before[stream.name]) // 2),
            f"{stream.name}: one record was edited, {landed.read} of {len(before[stream.name])} were read again; "
            "is the cursor sent under its right name?",
        )
    if not tried:
        raise NotForThis("no stream of it holds a field a person could plainly edit")


def _seen(t: Trial, stream: Stream, landed: Landed) -> bool:
    """Whether an edit came: now, or, where the stream says what its cursor is blind to, with a complete pass."""
    if landed.changed + landed.new or not stream.blind:
        return bool(landed.changed + landed.new)
    [whole] = t.pull_well(stream.name, full=True)
    return whole.changed >= 1


@rule("reading", "not shown is not gone", "What an incremental pass does not show is not taken for gone")
def not_shown_is_not_gone(t: Trial) -> None:
    t.pull_well()
    before = {s.name: t.known(s.name) for s in t.pulled}
    for stream in t.pulled:
        [landed] = t.pull_well(stream.name)
        lost = before[stream.name] - t.known(stream.name)
        expect(not lost and not landed.gone, f"{stream.name}: {len(lost)} living records were taken for gone")


@rule("reading", "gone is gone", "A deleted record is gone here at the latest after a complete pass")
def gone_is_gone(t: Trial) -> None:
    t.pull_well()
    tried = 0
    for stream in t.pulled:
        there = t.there(stream.name)
        if len(there) < 3 or not t.known(stream.name) >= set(there):
            continue
        id_ = t.some(stream.name)
        t.delete(stream.name, id_)
        tried += 1
        [landed] = t.pull_well(stream.name, full=True)
        expect(id_ not in t.known(stream.name), f"{stream.name}/{id_}: deleted there, and still living here")
        expect(landed.gone == 1, f"{stream.name}: one record was deleted, {landed.gone} are gone")
    if not tried:
        raise NotForThis("the stand-in keeps no records of its own that could be deleted")


@rule("reading", "any order", "Pages in another order, and rows that come twice, change nothing")
def any_order(t: Trial) -> None:
    def turned(call: Call, carry: Carry) -> Reply:
        reply = carry()
        for some in rows(reply):
            some.reverse()
            some.extend(some[:2])
        return reply

    with t.wire.bent(turned):
        t.pull_well(full=True)
    missing = t.baseline() - t.known(t.main.name)
    expect(not missing, f"{t.main.name}: {len(missing)} records are missing once pages are shuffled")
    for stream in t.pulled:
        once = [id_ for id_, _ in t.versions(stream.name)]
        expect(len(once) == len(set(once)), f"{stream.name}: a row that came twice is kept twice")
    for stream in t.pulled:
        if not t.free(stream) or not t.there(stream.name):
            continue
        id_ = t.some(stream.name)
        t.edit(stream.name, id_)
        with t.wire.bent(turned):
            [landed] = t.pull_well(stream.name)
        expect(
            _seen(t, stream, landed),
            f"{stream.name}/{id_}: an edit is missed once pages are shuffled",
        )


@rule("reading", "another clock", "A system whose clock goes wrong loses no edits")
def another_clock(t: Trial) -> None:
    if not t.free(t.main):
        raise NotForThis(f"{t.main.name} has no field a person could plainly edit")
    behind = datetime.now(UTC) - timedelta(hours=3)
    own = t.standin.state.now
    try:
        t.standin.state.now = lambda: behind
        t.pull_well(t.main.name)
        id_ = t.some(t.main.name)
        t.edit(t.main.name, id_)
        [landed] = t.pull_well(t.main.name)
    finally:
        t.standin.state.now = own
    expect(
        landed.changed >= 1,
        f"{t.main.name}: the system's clock is three hours behind ours, and its edit was missed; "
        "a cursor is made of the system's own times, not of ours",
    )


@rule("reading", "nothing there", "An empty stream is no error, and nobody is gone because of it")
def nothing_there(t: Trial) -> None:
    t.standin.state.clear()
    for landed in t.pull_well():
        expect(not landed.gone, f"{landed.stream}: empty from the beginning, and {landed.gone} gone")


@rule("reading", "every field", "Every field of the map arrives, in its own kind")
def every_field(t: Trial) -> None:
    t.pull_well()
    for stream in t.connector.streams:
        found = t.refined(stream.name)
        if not found:
            continue
        for name in stream.map:
            have = [id_ for id_, r in found.items() if name in r.fields]
            expect(
                bool(have) or not _held(t, stream.name, name),
                f"{stream.name}.{name}: no record has it; is its path right?",
            )
        troubled = sorted({name for r in found.values() for name in r.problems})
        expect(not troubled, f"{stream.name}: not in the form of their kind: {', '.join(troubled)}")
        _same_as_seeded(t, stream.name, {id_: r.fields for id_, r in found.items()})


def _held(t: Trial, stream: str, name: str) -> bool:
    """Whether the stand-in was given values of this field at all."""
    return any(name in c.fields for c in t.seeds(stream)[:1])


def _same_as_seeded(t: Trial, stream: str, found: dict[str, dict[str, str]]) -> None:
    kinds = fields_of(t.connector.stream(stream).entity)
    for copy in t.seeds(stream)[:10]:
        here = found.get(t.standin.native_id(stream, copy.n))
        if here is None:
            continue
        for name, value in copy.fields.items():
            if name not in t.connector.stream(stream).map:
                continue
            kind = kinds[name].kind
            if kind is Kind.LINK or kinds[name].group == "consent":
                continue
            expect(
                fields.same(kind, here.get(name), str(value)) or _unticked(kind, value, here.get(name)),
                f"{stream}.{name}: the system has {value!r}, the hub understands {here.get(name)!r}",
            )


def _unticked(kind: Kind, value: Any, here: str | None) -> bool:
    """A box that is not ticked is left out by systems that leave out what is empty."""
    return kind is Kind.BOOLEAN and value == "false" and here is None


@rule("reading", "other fields", "Fields that are renamed, added or of another type are reported")
def other_fields(t: Trial) -> None:
    t.pull_well(t.main.name)
    t.refined(t.main.name)
    renamed, retyped = _two_fields(t)
    bent: list[int] = []

    def changed(call: Call, carry: Carry) -> Reply:
        reply = carry()
        for some in rows(reply):
            for row in some:
                if (owner := _owner(row, renamed)) is not None:
                    bent.append(1)
                    owner["renamed_in_the_night"] = owner.pop(renamed.rpartition(".")[2])
                    owner["added_in_the_night"] = [7]
                if (owner := _owner(row, retyped)) is not None:
                    owner[retyped.rpartition(".")[2]] = {"now": "an object"}
        return reply

    with t.wire.bent(changed):
        t.pull_well(t.main.name, full=True)
    if not bent:
        raise NotForThis("it reads exports, whose fields it names itself")
    t.refined(t.main.name)
    told = t.drift(t.main.name)
    expect(renamed in told.missing, f"{t.main.name}: {renamed} is in no record any more, and nobody was told")
    expect(any("added_in_the_night" in path for path in told.added), f"{t.main.name}: a new field was not reported")
    expect(
        retyped in told.retyped or retyped in told.missing,
        f"{t.main.name}: {retyped} is an object now, and nobody was told",
    )


def _two_fields(t: Trial) -> tuple[str, str]:
    """Paths of two fields every record of the main stream has as text."""
    bodies = [body.decode() for _, body in t.versions(t.main.name)]
    here, _ = shape(bodies)
    paths = [t.main.fields[name].path for name in t.free(t.main)]
    always = [p for p in dict.fromkeys(paths) if here.get(p, {}).get("text") == 1.0]
    if len(always) < 2:
        raise NotForThis(f"{t.main.name} has no two fields that every record has")
    return always[0], always[1]


def _owner(row: object, path: str) -> dict[str, object] | None:
    """The object in a row that holds the last part of a path."""
    here = row
    *way, last = path.split(".")
    for part in way:
        here = here.get(part) if isinstance(here, dict) else None
    return here if isinstance(here, dict) and last in here else None


@rule("reading", "nothing told", "No log line holds a secret or somebody's name, address or number")
def nothing_told(t: Trial) -> None:
    heard = _Heard()
    root = logging.getLogger()
    loud = {name: logging.getLogger(name).level for name in ("", "omnihub", "connectors")}  # who runs us may keep less
    root.addHandler(heard)
    for name in loud:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        t.pull_well(full=True)
        for stream, push in t.pushed if any(s.push for s in t.connector.streams) and not t.connector.master else []:
            ids = sorted(t.known(stream.name) & set(t.there(stream.name)))[:3]
            t.write(stream, {id_: t.wanted(stream, push, 800 + n) for n, id_ in enumerate(ids)})
    finally:
        root.removeHandler(heard)
        for name, level in loud.items():
            logging.getLogger(name).setLevel(level)
    secret = [s.name for s in t.connector.settings if s.secret]
    banned = [t.shop.settings[name] for name in secret if t.shop.settings.get(name)]
    for stream in t.connector.streams:
        for copy in t.seeds(stream.name)[:5]:
            banned += [str(v) for k, v in copy.fields.items() if k in ("email", "phone", "last_name", "street", "name")]
    for line in heard.lines:
        for word in banned:
            expect(word not in line, f"a log line of {line.split(' ', 1)[0]} holds what must not be told")


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("asyncio", "uvicorn")):
            self.lines.append(f"{record.name} {record.getMessage()}")

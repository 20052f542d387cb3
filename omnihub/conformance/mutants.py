"""Mutants: one sound connector, and for every rule a copy of it with the mistake that rule is there to find.

A rule nobody can break proves nothing, and one that goes off at another's mistake tells its reader the wrong thing: a
mutant must be caught by its own rule, and by no other. Each mistake is one that real connectors have had.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from omnihub import sdk
from omnihub.conformance.suite import try_all
from omnihub.conformance.trial import workshop
from omnihub.errors import BrokenAnswer, ConfigError, RetryableError
from omnihub.model import Entity, Outcome
from omnihub.sandbox.derived import derive
from omnihub.sdk import Answer, Connector, Http, Op, Page, Pages, Record, Row, Want
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

log = logging.getLogger("omnihub.connectors.acme")

PAGE = 20

# -- the sound one ---------------------------------------------------------------------------------------------------

DEALER: dict[str, str | sdk.Path] = {
    "name": "company",
    "email": sdk.OneWay("contact.mail"),
    "phone": "contact.phone",
    "street": "address.street",
    "postal_code": "address.zip",
    "city": "address.city",
    "country": "address.country",
    "industry": "branch",
    "status": sdk.Codes("state", {"A": "active", "X": "former"}),
}
WRITTEN = ("name", "phone", "street", "postal_code", "city", "industry", "status")
BUYER: dict[str, str | sdk.Path] = {
    "first_name": "given",
    "last_name": "family",
    "email": sdk.OneWay("mail"),
    "job_title": "title",
    "phone": "phone",
    "account": sdk.Link("dealer", stream="dealers"),
}

PULL = Pages(
    "/v1/dealers", "data", sdk.Cursor("next", "cursor"), {"limit": PAGE}, since={"updated_after": "{since}"},
    updated="updated_at", deleted="deleted",
)  # fmt: skip
LOOK = sdk.ByIdBatch("/v1/dealers", "data", deleted="deleted")
SEND = sdk.SendBatch("POST", "/v1/dealers/batch", body="set")
PUSH = sdk.Push(
    WRITTEN, update=SEND, look=LOOK, batch=PAGE, create=sdk.Upsert1("PUT", "/v1/dealers/by-key/{key}"),
    delete=sdk.Delete1("/v1/dealers/{id}"),
)  # fmt: skip
BUYERS = sdk.Stream(
    "buyers", Entity.CONTACT, BUYER, replace(PULL, path="/v1/buyers"), updated="updated_at",
    push=sdk.Push(
        ("first_name", "last_name", "job_title", "phone"),
        update=sdk.Send1("PUT", "/v1/buyers/{id}", whole=True, read_only=("id", "updated_at", "deleted")),
        look=sdk.ByIds("/v1/buyers/{id}"),
        delete=sdk.Delete1("/v1/buyers/{id}"),
        erase=sdk.Erase1("/v1/buyers/{id}/person"),
    ),
)  # fmt: skip

NOTED = sdk.Upsert1("PUT", "/v1/dealers/by-key/{key}")
OPEN, OVER = "A", "X"


def _told(http: Http, some: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterable[Answer]:
    return NOTED(http, [Row(n, Op.CREATE, None, {**body}, {}, {}, key) for n, (key, body) in enumerate(some)])


def _put(http: Http, some: Sequence[tuple[Notice, str | None]]) -> Iterable[Answer]:
    """Acme has no place for notices, so they are entries in its list."""
    return _told(http, [(notice.key, {"company": notice.title, "state": OPEN}) for notice, _ in some])


def _clear(http: Http, some: Sequence[Told]) -> Iterable[Answer]:
    return _told(http, [(key, {"state": OVER}) for key, _ in some])


def _remove(http: Http, some: Sequence[Told]) -> Iterable[Answer]:
    """Acme deletes by its own id, which it tells whoever writes by key."""
    ids = [answer.id for answer in _clear(http, some)]
    return sdk.Delete1("/v1/dealers/{id}")(http, [Row(n, Op.DELETE, id_, {}, {}, {}, "") for n, id_ in enumerate(ids)])


def _read(http: Http, some: Sequence[Told]) -> Iterator[Seen]:
    keys = {id_: key for key, id_ in some if id_}
    for page in LOOK(http, list(keys)):
        for record in (record for record in page.records if not record.deleted):
            state = json.loads(record.raw).get("state")
            yield Seen(keys[str(record.id)], str(record.id), Standing.CLOSED if state == OVER else Standing.OPEN)


ACME = Connector(
    name="acme",
    title="Acme",
    role="dealer orders",
    settings=(sdk.Setting("url", "where Acme answers"), sdk.Setting("token", "an API token", secret=True)),
    auth=sdk.Bearer("token"),
    limits=(sdk.Limit(40, per_s=10),),
    place=Place(_put, _clear, _remove, "the list of dealers", _read),
    streams=(sdk.Stream("dealers", Entity.ACCOUNT, DEALER, PULL, updated="updated_at", push=PUSH), BUYERS),
)
"""Pages by cursor, an updated-since filter, tombstones; written in batches, and whole records at a time."""


def _pulling(pull: Pages) -> Connector:
    """Acme with its dealers read in another way."""
    dealers, *rest = ACME.streams
    return replace(ACME, streams=(replace(dealers, pull=pull), *rest))


def _pushing(**ways: Any) -> Connector:
    """Acme with its dealers written in another way."""
    dealers, *rest = ACME.streams
    return replace(ACME, streams=(replace(dealers, push=replace(PUSH, **ways)), *rest))


def _as(kind: type[Pages], **more: Any) -> Pages:
    """The same list, read by another class."""
    return kind(**{name: getattr(PULL, name) for name in PULL.__dataclass_fields__} | more)


def _sending(kind: type[sdk.SendBatch]) -> sdk.SendBatch:
    return kind(**{name: getattr(SEND, name) for name in SEND.__dataclass_fields__})


# -- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _OffByOne(Pages):
    """Leaves out the last record of every page."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            yield replace(page, records=page.records[:-1] if len(page.records) == PAGE else page.records)


@dataclass(frozen=True)
class _Stubborn(Pages):
    """Skips what it has seen, and asks on as long as there is a next page."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        cursor, seen, pages = "", set[str | None](), list[Page]()
        since = {} if want.complete or not want.since else {"updated_after": want.since}
        while True:
            answer = http.get_ok(self.path, params={**self.params, **since, **({"cursor": cursor} if cursor else {})})
            cursor = sdk.value_at(answer.content, "next")
            found = sdk.records(answer.content, self.items, updated=self.updated, deleted=self.deleted)
            fresh = [r for r in found if r.id not in seen]
            seen |= {r.id for r in fresh}
            if cursor:
                if fresh or not found:
                    pages.append(Page(sdk.exchange(answer), fresh))
                continue
            newest = max((r.updated or "" for p in pages for r in p.records), default="")
            newest = max([newest, *(r.updated or "" for r in fresh)])
            yield from pages
            yield Page(sdk.exchange(answer), fresh, newest or None, complete=not since)
            return


@dataclass(frozen=True)
class _Encoded(Pages):
    """Parses the records and encodes them again."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            yield replace(page, records=[_record(r, json.dumps(json.loads(r.raw)).encode()) for r in page.records])


def _record(r: Record, raw: bytes) -> Record:
    return Record(r.id, raw, r.pointer, r.updated, r.deleted, r.merged_into, r.parent)


@dataclass(frozen=True)
class _AlwaysComplete(Pages):
    """Calls every pass a complete one."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            yield replace(page, complete=page.complete or page.cursor is not None)


@dataclass(frozen=True)
class _NeverComplete(Pages):
    """Never says that it has shown everything."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            living = [r for r in page.records if not r.deleted]
            yield replace(page, complete=False, records=living)


@dataclass(frozen=True)
class _TrustsTheOrder(Pages):
    """Takes records for known once they are older than the one before."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        newest = ""
        for page in super().__call__(http, want):
            ahead = []
            for r in page.records:
                if (r.updated or "") >= newest:
                    ahead.append(r)
                newest = max(newest, r.updated or "")
            yield replace(page, records=ahead)


@dataclass(frozen=True)
class _OurClock(Pages):
    """Goes on from when we last asked, by our own clock."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            yield replace(page, cursor=want.now.isoformat() if page.cursor else None)


@dataclass(frozen=True)
class _NeedsOne(Pages):
    """Looks at the last record of a page that may have none."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            last = page.records[-1]
            yield replace(page, cursor=page.cursor and (last.updated or page.cursor))


@dataclass(frozen=True)
class _FillsIn(Pages):
    """Gives every record all the fields it knows of, empty where the system does not say."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            yield replace(page, records=[_record(r, _filled(r.raw)) for r in page.records])


def _filled(raw: bytes) -> bytes:
    found = json.loads(raw)
    known: dict[str, tuple[str, ...]] = {
        "": ("company", "branch"),
        "contact": ("mail", "phone"),
        "address": ("street", "zip", "city", "country"),
    }
    gaps = [
        (at, name) for at, names in known.items() for name in names if name not in (found.get(at, {}) if at else found)
    ]
    for at, name in gaps:
        (found[at] if at else found)[name] = None
    return json.dumps(found).encode() if gaps else raw


@dataclass(frozen=True)
class _Talkative(Pages):
    """Logs what it reads."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            for r in page.records[:1]:
                log.debug("read %s", r.raw.decode())
            yield page


# -- trouble ---------------------------------------------------------------------------------------------------------


def _with(change: Callable[[Http], None]) -> Connector:
    """Acme with its session changed."""

    def connect(settings: Mapping[str, str], http: Http) -> Any:
        change(http)
        return http

    return replace(ACME, connect=connect)


def _gives_up_on_503(http: Http) -> None:
    patient = http._patience

    def hasty(response: Any, safe: bool, tried: int) -> float | None:
        return None if response.status_code == 503 else patient(response, safe, tried)

    http._patience = hasty  # type: ignore[method-assign]


def _waits_little(http: Http) -> None:
    patient = http._patience

    def hasty(response: Any, safe: bool, tried: int) -> float | None:
        wait_s = patient(response, safe, tried)
        return 0.1 if wait_s is not None and response.status_code == 429 else wait_s

    http._patience = hasty  # type: ignore[method-assign]


def _waits_for_ever(http: Http) -> None:
    http.timeout_s = (60.0, 60.0)


@dataclass(frozen=True)
class _EndsQuietly(Pages):
    """Takes one kind of trouble for the end of the list."""

    at: Callable[[Exception], bool] = lambda error: False

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        try:
            yield from super().__call__(http, want)
        except (RetryableError, BrokenAnswer, ConfigError) as error:
            if not self.at(error):
                raise


@dataclass(frozen=True)
class _Lenient(Pages):
    """Takes an answer it does not understand for an empty page."""

    at: Callable[[bytes, str], bool] = lambda body, kind: False

    def _cut(self, answer: Any) -> list[Record]:
        return [] if self.at(answer.content, answer.headers["Content-Type"]) else super()._cut(answer)

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        try:
            yield from super().__call__(http, want)
        except BrokenAnswer:
            if not self.at(http.last().content, http.last().headers["Content-Type"]):
                raise


def _is_half(body: bytes, kind: str) -> bool:
    return body.startswith(b"{") and not body.rstrip().endswith(b"}")


def _is_html(body: bytes, kind: str) -> bool:
    return "html" in kind


def _has_no_list(body: bytes, kind: str) -> bool:
    return body.startswith(b"{") and body.endswith(b"}") and b'"data"' not in body


@dataclass(frozen=True)
class _Hurried(Pages):
    """Moves the cursor an hour past the page it has just read."""

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        for page in super().__call__(http, want):
            last = page.records[-1].updated if page.records else None
            ahead = (datetime.fromisoformat(last) + timedelta(hours=1)).isoformat() if last else None
            yield replace(page, cursor=page.cursor or ahead)


# -- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ascii(sdk.SendBatch):
    """Sends what its terminal can show."""

    def _item(self, row: Row) -> dict[str, Any]:
        return json.loads(json.dumps(super()._item(row), ensure_ascii=False).encode("ascii", "replace"))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _SendsAll(sdk.SendBatch):
    """Sends every field it may write, the ones without news as null."""

    def _item(self, row: Row) -> dict[str, Any]:
        fields = sdk.FieldMap.of(DEALER)
        return {"id": row.id, "set": fields.body({**dict.fromkeys(WRITTEN), **row.fields})}


@dataclass(frozen=True)
class _Replaces(sdk.Send1):
    """Puts a whole record made of the fields it knows."""

    def _body(self, row: Row) -> dict[str, Any]:
        known = {"given", "family", "title", "phone", "mail", "dealer"}
        return {name: value for name, value in {**row.raw, **row.body}.items() if name in known}


@dataclass
class _Memory:
    """What a connector believes to know, for each client or for all."""

    seen: dict[tuple[int, str], Record] = field(default_factory=dict)
    clients: dict[int, tuple[Http, dict[str, Record]]] = field(default_factory=dict)  # kept, so that no id comes twice
    wrote: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class _LooksOnce(sdk.ByIdBatch):
    """Looks at each record once, and remembers it for as long as the client lives."""

    memory: _Memory = field(default_factory=_Memory)

    def __call__(self, http: Http, ids: Sequence[str]) -> Iterator[Page]:
        _, seen = self.memory.clients.setdefault(id(http), (http, {}))
        known = [seen[i] for i in ids if i in seen]
        rest = [i for i in ids if i not in seen]
        for page in super().__call__(http, rest) if rest else ():
            seen.update({str(r.id): r for r in page.records})
            yield page
        if known:
            yield Page(sdk.exchange(http.last()), known)


def _looks_once() -> Connector:
    look = _LooksOnce(LOOK.path, LOOK.items, deleted=LOOK.deleted)

    def update(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        try:
            return list(SEND(http, rows))
        except Exception:
            look.memory.clients.clear()
            raise

    return _pushing(look=look, update=update)


def _looks_at_what_was_pulled() -> Connector:
    memory = _Memory()

    @dataclass(frozen=True)
    class Remembers(Pages):
        def __call__(self, http: Http, want: Want) -> Iterator[Page]:
            for page in super().__call__(http, want):
                with memory.lock:
                    memory.seen.update({(0, str(r.id)): r for r in page.records})
                yield page

    def look(http: Http, ids: Sequence[str]) -> Iterator[Page]:
        known = [memory.seen[0, i] for i in ids if (0, i) in memory.seen]
        rest = [i for i in ids if (0, i) not in memory.seen]
        if known:
            yield Page(sdk.exchange(http.get("/v1/dealers", params={"ids": known[0].id})), known)
        yield from LOOK(http, rest) if rest else ()

    def update(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        for row in rows:
            memory.seen.pop((0, str(row.id)), None)
        return SEND(http, rows)

    changed = _pushing(look=look, update=update)
    dealers, *rest = changed.streams
    return replace(changed, streams=(replace(dealers, pull=_as(Remembers)), *rest))


def _strict_look(http: Http, ids: Sequence[str]) -> Iterator[Page]:
    """Fails where one of the records is gone."""
    found = list(LOOK(http, ids))
    if sum(len(p.records) for p in found) < len(ids):
        raise BrokenAnswer("acme: a record that was asked for is missing")
    yield from found


def _all_is_well(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Believes that a batch the system took is a batch it wrote."""
    list(SEND(http, rows))
    return [Answer(row.n, Outcome.WRITTEN, row.id) for row in rows]


def _gives_up(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Calls refused what had no answer."""
    try:
        return list(SEND(http, rows))
    except RetryableError as error:
        return [Answer(row.n, Outcome.REFUSED, row.id, "error", str(error)) for row in rows]


def _creates_anew(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Thinks of a new key each time it is asked."""
    assert PUSH.create
    return PUSH.create(http, [replace(row, key=uuid.uuid4().hex) for row in rows])


def _tidies_up(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """After writing, deletes the record it takes for the oldest."""
    answers = list(SEND(http, rows))
    page = http.get_ok("/v1/dealers", params={"limit": 1}).json()["data"]
    if page and page[0]["id"] not in {row.id for row in rows}:
        http.delete(f"/v1/dealers/{page[0]['id']}")
    return answers


def _hears_no_echo() -> Connector:
    memory = _Memory()

    @dataclass(frozen=True)
    class SkipsOwn(Pages):
        """Leaves out records the hub has written: it knows them already."""

        def __call__(self, http: Http, want: Want) -> Iterator[Page]:
            for page in super().__call__(http, want):
                theirs = [r for r in page.records if want.complete or r.id not in memory.wrote]
                yield replace(page, records=theirs)

    def update(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        memory.wrote |= {str(row.id) for row in rows}
        return SEND(http, rows)

    changed = _pushing(update=update)
    dealers, *rest = changed.streams
    return replace(changed, streams=(replace(dealers, pull=_as(SkipsOwn)), *rest))


def _tells_anew(http: Http, some: Sequence[tuple[Notice, str | None]]) -> Iterable[Answer]:
    """Makes a new notice whenever it does not know the old one."""
    return _put(http, [(notice if id_ else replace(notice, key=uuid.uuid4().hex), id_) for notice, id_ in some])


def _only_deletes(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Takes the record away, which is not to forget."""
    return sdk.Delete1("/v1/buyers/{id}")(http, rows)


def _drops_empty(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Sends only what has a value."""
    return SEND(http, [replace(row, body=_valued(row.body)) for row in rows])


def _valued(body: Any) -> Any:
    return {k: _valued(v) for k, v in body.items() if v is not None} if isinstance(body, dict) else body


# -- rule → mutant ---------------------------------------------------------------------------------------------------


def mutants() -> dict[str, tuple[str, Connector]]:
    """rule → (what is wrong with it, the connector). Made anew on every call: some of them remember things."""
    dealers, buyers = ACME.streams
    assert buyers.push
    replaces = _Replaces("PUT", "/v1/buyers/{id}")
    wrong_path = replace(dealers, map={**DEALER, "email": sdk.OneWay("contact.email")})
    typo = _as(Pages, since={"updated_afer": "{since}"})
    return {
        "all of it": ("leaves out the last record of a page", _pulling(_as(_OffByOne))),
        "no end": ("asks on while there is a next page", _pulling(_as(_Stubborn))),
        "byte for byte": ("parses records and encodes them again", _pulling(_as(_Encoded))),
        "only what is new": ("sends its cursor under a misspelt name", _pulling(typo)),
        "not shown is not gone": ("calls every pass complete", _pulling(_as(_AlwaysComplete))),
        "gone is gone": ("passes over deleted records", _pulling(_as(_NeverComplete))),
        "any order": ("trusts the order of a list", _pulling(_as(_TrustsTheOrder))),
        "another clock": ("makes its cursor of our clock", _pulling(_as(_OurClock))),
        "nothing there": ("needs a record on every page", _pulling(_as(_NeedsOne))),
        "every field": ("reads a field at a wrong path", replace(ACME, streams=(wrong_path, buyers))),
        "other fields": ("fills in fields that are not there", _pulling(_as(_FillsIn))),
        "nothing told": ("logs what it reads", _pulling(_as(_Talkative))),
        "an error passes": ("gives up at the first 503", _with(_gives_up_on_503)),
        "an error stays": ("ends quietly at a 500", _pulling(_as(_EndsQuietly, at=lambda e: "with 500" in str(e)))),
        "patience": ("waits less than it is told", _with(_waits_little)),
        "cut short": ("takes half an answer for an empty one", _pulling(_as(_Lenient, at=_is_half))),
        "a page for people": ("takes HTML for an empty list", _pulling(_as(_Lenient, at=_is_html))),
        "another type": ("takes no list for an empty one", _pulling(_as(_Lenient, at=_has_no_list))),
        "no answer": ("waits for an answer for ever", _with(_waits_for_ever)),
        "a token ends": (
            "takes a refused token for the end",
            _pulling(_as(_EndsQuietly, at=lambda e: isinstance(e, ConfigError))),
        ),
        "a crash": ("moves its cursor ahead of what is landed", _pulling(_as(_Hurried))),
        "as written": ("sends what is not ASCII as question marks", _pushing(update=_sending(_Ascii))),
        "nothing else": ("sends null for what has no news", _pushing(update=_sending(_SendsAll))),
        "nothing of theirs": (
            "puts a whole record of the fields it knows",
            replace(ACME, streams=(dealers, replace(buyers, push=replace(buyers.push, update=replaces)))),
        ),
        "once": ("looks at a record once in its life", _looks_once()),
        "somebody was faster": ("looks at what was pulled", _looks_at_what_was_pulled()),
        "gone meanwhile": ("fails where a record is gone", _pushing(look=_strict_look)),
        "one bad row": ("believes a batch that was taken was written", _pushing(update=_all_is_well)),
        "the answer is lost": ("calls refused what had no answer", _pushing(update=_gives_up)),
        "made once": ("thinks of a new key each time", _pushing(create=_creates_anew)),
        "forgotten": (
            "deletes who is to be forgotten, and their name stays where deleted ones show",
            replace(ACME, streams=(dealers, replace(buyers, push=replace(buyers.push, erase=_only_deletes)))),
        ),
        "nobody is deleted": ("tidies up after writing", _pushing(update=_tidies_up)),
        "our echo": ("leaves out what it wrote itself", _hears_no_echo()),
        "there and back": ("sends only what has a value", _pushing(update=_drops_empty)),
        "within its limits": ("allows itself twice the calls", replace(ACME, limits=(sdk.Limit(80, per_s=10),))),
        "told once": (
            "makes a new notice where it does not know the old one",
            replace(ACME, place=Place(_tells_anew, _clear, _remove, "the list of dealers", _read)),
        ),
    }


# -- the table -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Caught:
    """A mutant's rule, what is wrong with it, and the rules that went off."""

    rule: str
    mistake: str
    by: tuple[str, ...]
    why: str

    @property
    def ok(self) -> bool:
        """Caught by its own rule, and by no other."""
        return self.by == (self.rule,)


def try_mutants(folder: Path, wanted: Iterable[str] = ()) -> Iterator[Caught]:
    """Every rule on every mutant (or on those of these rules), on the stand-in of the sound connector."""
    with workshop(ACME, derive(ACME), folder) as shop:
        for rule, (mistake, connector) in mutants().items():
            if not wanted or rule in wanted:
                broken = [v for v in try_all(shop, connector) if v.state == "broken"]
                yield Caught(
                    rule, mistake, tuple(v.rule for v in broken), "; ".join(f"{v.rule}: {v.why}" for v in broken)
                )

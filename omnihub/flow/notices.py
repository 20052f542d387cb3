"""What the hub knows of its notices: how each stands in its place, and what every run and every undo has done to it.

    deliveries   one row a notice that is there, or may be        for the next run: is it the same, new, to be cleared?
    notices      one row a notice and who did something to it     for an undo: how it stood before

Something is noted as begun before the system is asked, with how the notice stood, and as done once that has answered.
Who is stopped in between finds it begun, and so still knows how it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from omnihub.errors import OmniHubError, RejectedRecord
from omnihub.model import Outcome
from omnihub.sdk import Answer, Connector
from omnihub.sdk.reporting import Notice
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso, take

BEGUN, OPEN, CLOSED, REFUSED = "begun", "open", "closed", "refused"
"""begun: maybe there. open: there. closed: by somebody there. refused: the system would not have it. What was cleared
is known no longer; should it come back, the place finds it by its key."""

DONE = "done"

_D, _N = schema.deliveries, schema.notices


@dataclass(frozen=True)
class Delivery:
    """What was told a system of one group of findings. about: the group. told: finding → its evidence (JSON). hash: of
    what was told."""

    key: str
    about: str
    told: str
    place_id: str | None
    hash: str
    state: str
    at: str


class Was(StrEnum):
    """How a notice stood. cleared: by the hub, its cause was gone. closed: by a person."""

    GONE = "gone"
    OPEN = "open"
    CLEARED = "cleared"
    CLOSED = "closed"


@dataclass(frozen=True)
class Stood:
    """A notice as it stood: what it said (none where it was not there, or that is not known), and of which evidence."""

    state: Was
    notice: Notice | None = None
    told: str = "{}"

    def same_as(self, other: Stood) -> bool:
        """Whether people see the same."""
        return self.state is other.state and (self.state is Was.GONE or self.notice == other.notice)


@dataclass(frozen=True)
class Deed:
    """What a run or an undo (doer) has done to a notice: how it was, and is by it. settled: it is known to be done."""

    key: str
    about: str
    doer: str
    before: Stood
    after: Stood
    place_id: str | None
    settled: bool


# -- what is there -----------------------------------------------------------------------------------------------------


def deliveries(c: sa.Connection, system: str) -> dict[str, Delivery]:
    """key → what was told."""
    columns = (_D.c.key, _D.c.about, _D.c.told, _D.c.place_id, _D.c.hash, _D.c.state, _D.c.at)
    rows = c.execute(sa.select(*columns).where(_D.c.system == system))
    return {row.key: Delivery(*row) for row in rows}


def told_in(c: sa.Connection, connectors: Mapping[str, Connector]) -> dict[str, str]:
    """Group → where the people of its system find the notice about it, of those that are there."""
    there = sa.select(_D.c.about, _D.c.system).where(_D.c.state == OPEN)
    places = {name: x.place.titles for name, x in connectors.items() if x.place}
    return {row.about: places[row.system] for row in c.execute(there) if row.system in places}


_COLUMNS = ("system", "key", "about", "told", "place_id", "hash", "state", "at", "run_id", "code", "message")


def keep(c: sa.Connection, system: str, run_id: str, one: Delivery, said: Answer | None = None) -> None:
    """Know it as it stands now. run_id: the run, or the plan of an undo, that changed it last."""
    at = one.at if one.state in (CLOSED, BEGUN) else now_iso()
    why = (said.code, said.message[:500]) if said else ("", "")
    row = (system, one.key, one.about, one.told, one.place_id, one.hash, one.state, at, run_id, *why)
    bulk.upsert(c, _D, _COLUMNS, [row])


def drop(c: sa.Connection, system: str, key: str) -> None:
    """Know it no longer."""
    c.execute(sa.delete(_D).where(_D.c.system == system, _D.c.key == key))


def digest(notice: Notice) -> str:
    """Changes when something about it is to be told anew."""
    return hashlib.blake2b(json.dumps(asdict(notice), sort_keys=True).encode(), digest_size=12).hexdigest()


# -- what was done to them ---------------------------------------------------------------------------------------------


def begin(
    c: sa.Connection, system: str, doer: str, some: Sequence[tuple[str, str]], known: Mapping[str, Delivery]
) -> dict[str, Stood]:
    """Note how these stand, (key, what it is about), before something is done to them, and return it. What this doer
    has begun before stays as it was noted then. known: as they were before they were marked as begun."""
    deeds = done_to(c, system, [key for key, _ in some])
    last = {deed.key: deed for deed in deeds}
    found = {deed.key: deed.before for deed in deeds if deed.doer == doer}
    new = [(key, about) for key, about in some if key not in found]
    found |= {key: stands(known.get(key), last.get(key)) for key, _ in new}
    seq, at = take(c, len(new)) if new else 0, now_iso()
    rows = []
    for n, (key, about) in enumerate(new, seq):
        place_id = known[key].place_id if key in known else None
        rows.append(
            (system, key, doer, n, about, *_columns(system, found[key]), Was.GONE.value, None, place_id, BEGUN, at)
        )
    bulk.upsert(c, _N, _DEED, rows)
    return found


_DEED = ("system", "key", "doer", "seq", "about", "was", "before", "now", "after", "place_id", "state", "at")


def settle(c: sa.Connection, system: str, doer: str, key: str, stands: Stood, place_id: str | None = None) -> None:
    """It is done, and this is how it stands by it."""
    state, told = _columns(system, stands)
    values = {"now": state, "after": told, "state": DONE, "at": now_iso()} | (
        {"place_id": place_id} if place_id else {}
    )
    c.execute(sa.update(_N).where(_is(system, doer, key)).values(**values))


def withdraw(c: sa.Connection, system: str, doer: str, key: str) -> None:
    """Nothing was done after all: the system would not have it."""
    c.execute(sa.delete(_N).where(_is(system, doer, key), _N.c.state == BEGUN))


def done_to(c: sa.Connection, system: str, keys: Collection[str]) -> list[Deed]:
    """All that was ever done to these, in its order."""
    rows = bulk.where_in(c, sa.select(_N).where(_N.c.system == system).order_by(_N.c.seq), _N.c.key, keys)
    return [_deed(row) for row in rows]


def done_by(c: sa.Connection, doers: Collection[str], systems: Collection[str] = ()) -> dict[str, list[str]]:
    """system → the keys of what these have done something to."""
    found: dict[str, list[str]] = {}
    for row in bulk.where_in(c, sa.select(_N.c.system, _N.c.key).order_by(_N.c.seq), _N.c.doer, doers):
        if not systems or row.system in systems:
            found.setdefault(row.system, []).append(row.key)
    return {system: list(dict.fromkeys(keys)) for system, keys in sorted(found.items())}


def stands(delivery: Delivery | None, last: Deed | None) -> Stood:
    """How a notice stands, as far as the hub knows, by what was done to it last."""
    if last is None:  # told before the hub kept what it did
        states = {OPEN: Was.OPEN, CLOSED: Was.CLOSED}
        return Stood(states.get(delivery.state, Was.GONE) if delivery else Was.GONE)
    if not last.settled:  # whether it was done is not known; how it was is
        return last.before
    if delivery is None and last.after.state is Was.OPEN:  # somebody took it away there
        return Stood(Was.GONE)
    if delivery and delivery.state == CLOSED:
        return Stood(Was.CLOSED, last.after.notice, last.after.told)
    return last.after


def _is(system: str, doer: str, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(_N.c.system == system, _N.c.doer == doer, _N.c.key == key)


# As it is kept, whoever is to be forgotten can be found in it: records by their refs, and each line by itself.


def _columns(system: str, stood: Stood) -> tuple[str, str | None]:
    if stood.notice is None:
        return stood.state.value, None
    told = asdict(stood.notice) | {"text": stood.notice.text.split("\n"), "told": stood.told}
    told["ref"] = f"{system}/{stood.notice.stream}/{told.pop('ref_id')}" if stood.notice.ref_id else None
    return stood.state.value, json.dumps(told, sort_keys=True, ensure_ascii=False)


def _stood(state: str, told: str | None) -> Stood:
    if told is None:
        return Stood(Was(state))
    held = json.loads(told)
    evidence, ref = held.pop("told"), str(held.pop("ref") or "").split("/", 2)
    about = ref[2] if len(ref) == len(("system", "stream", "id")) else None  # of who is forgotten, no ref is left
    return Stood(Was(state), Notice(**held | {"text": "\n".join(held["text"]), "ref_id": about}), evidence)


def _deed(row: Any) -> Deed:
    before, after = _stood(row.was, row.before), _stood(row.now, row.after)
    return Deed(row.key, row.about, row.doer, before, after, row.place_id, row.state == DONE)


# -- asking a place ----------------------------------------------------------------------------------------------------


def answers(system: str, ask: Callable[[], Iterable[Answer]], count: int) -> list[Answer]:
    """An answer for each notice, whatever happens; what was not answered is deferred."""
    found: dict[int, Answer] = {}
    missing = Answer(0, Outcome.DEFERRED, message=f"{system}: did not answer for this notice")
    try:
        for answer in ask():
            found[answer.n] = answer
    except RejectedRecord as no:
        missing = Answer(0, Outcome.REFUSED, code=str(no.status), message=str(no))
    except OmniHubError as error:
        missing = Answer(0, Outcome.DEFERRED, message=str(error))
    return [found.get(n, missing) for n in range(count)]


def refusal(system: str, answer: Answer) -> str:
    """Why one was not taken."""
    return f"{system}: {answer.code} {answer.message}".strip() if answer.code else answer.message

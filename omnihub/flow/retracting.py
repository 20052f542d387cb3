"""Retract: take back what a run has told people inside their systems, as the part of an undo that writes no records.

    the run's deeds ─▶ how each notice stood before ─┐
    the places, looked at now ───────────────────────┴▶ removed, put as it was, cleared again; or left, and why

What a person has closed or taken away since is left and named, and so is what a later run has told anew. What goes back
is a deed of its own, by the undo's plan, so that an undo of the undo puts everything as it was.

Nothing is held: notices say what is so. The next sync tells again what is still so then; where it should not be told at
all, the system's `report` is to be false.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from omnihub.errors import ConfigError, OmniHubError
from omnihub.flow.auditing import audited
from omnihub.flow.hub import Hub
from omnihub.flow.notices import (
    BEGUN,
    OPEN,
    Deed,
    Delivery,
    Stood,
    Was,
    answers,
    begin,
    deliveries,
    digest,
    done_by,
    done_to,
    drop,
    keep,
    settle,
    stands,
    withdraw,
)
from omnihub.model import Outcome
from omnihub.push import Left
from omnihub.sdk import Answer, open_client
from omnihub.sdk.reporting import Notice, Place, Seen, Standing
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso

FIELD = "notice"  # what it is called beside the fields that are left

NOT_KNOWN = "how it stood before is not known: the next sync brings it up to date"
BY_A_PERSON = "somebody had closed it before it was told again: close it there if it is to stay closed"
TAKEN_AWAY = "somebody has taken it away since"
REOPENED = "somebody has opened it again since"

Counts = dict[str, int]


@dataclass(frozen=True)
class Back:
    """A notice that goes back to how it stood."""

    key: str
    about: str
    place_id: str | None
    to: Stood


@dataclass(frozen=True)
class Retraction:
    """What taking back comes to in one system. done: notices that stand as before already.
    unseen: how many of those that are left could not be looked at."""

    system: str
    backs: tuple[Back, ...] = ()
    done: int = 0
    left: tuple[Left, ...] = ()
    unseen: int = 0

    def counts(self) -> Counts:
        """How many are removed, how many put as they stood, how many are left."""
        removed = sum(one.to.state is Was.GONE for one in self.backs)
        return {"removed": removed, "restored": len(self.backs) - removed, "left": len(self.left), "done": self.done}


def doers(c: sa.Connection, what: str, plans: Sequence[str]) -> list[str]:
    """Who of these has told anything: a run, the plans behind it (undos among them), and the runs that made those."""
    p, n = schema.plans, schema.notices
    made_by = {row.run_id for row in bulk.where_in(c, sa.select(p.c.run_id), p.c.id, plans)}
    told = bulk.where_in(c, sa.select(n.c.doer).distinct(), n.c.doer, {what, *plans, *made_by})
    return sorted(row.doer for row in told)


def retractions(hub: Hub, doers: Sequence[str], systems: Collection[str] = (), plan_id: str = "") -> list[Retraction]:
    """Look at what these have told, in these systems or all, and say what goes back. Writes nothing.

    plan_id: the undo that is being carried out, which may have begun before.
    """
    with hub.store.read() as c:
        told = done_by(c, doers, systems)
        deeds = {system: done_to(c, system, keys) for system, keys in told.items()}
        there = {system: deliveries(c, system) for system in told}
    return [_Looking(hub, system, doers, plan_id).found(deeds[system], there[system]) for system in told]


def planned(hub: Hub, doers: Sequence[str], found: Sequence[Retraction]) -> dict[str, Any]:
    """What the plan of an undo says of them; nothing where no notice goes back."""
    back = {one.system: one.counts() for one in found if one.backs}
    titles = {system: hub.connectors[system].title for system in back}
    return {"notices": {"doers": list(doers), "systems": back, "titles": titles}} if back else {}


def retract(hub: Hub, plan_id: str, about: Mapping[str, Any], systems: Collection[str] = ()) -> Counts:
    """Carry out what an undo takes back of notices, or what is left of it. about: of its plan.

    Returns removed, restored, left (somebody was there, or told anew), refused, waiting (not reached: the undo is to be
    carried out again for these). Asked twice, nothing is done twice.
    """
    told = about.get("notices")
    if not told:
        return {}
    wanted = [one for one in told["systems"] if not systems or one in systems]
    done: Counter[str] = Counter(dict.fromkeys(("removed", "restored", "left", "refused", "waiting"), 0))
    for one in retractions(hub, told["doers"], wanted, plan_id) if wanted else ():
        carried_out = _Retracting(hub, plan_id, one.system).carried_out(one.backs) if one.backs else Counter[str]()
        done.update(carried_out + Counter(left=len(one.left) - one.unseen, waiting=one.unseen))
        if any(carried_out.values()):
            with hub.store.write() as c:
                facts = {"plan": plan_id, "system": one.system, **carried_out}
                audited(c, str(about.get("author", "")), "notices taken back", facts)
    return dict(done)


# -- what goes back ----------------------------------------------------------------------------------------------------


def _open(hub: Hub, system: str) -> tuple[Place, Any]:
    connector = hub.connectors.get(system)
    if connector is None or connector.place is None:
        raise ConfigError(f"{system}: takes part no longer, or shows no findings any more")
    return connector.place, open_client(connector, hub.settings(connector), ledger=hub.store.ledger)


class _Looking:
    """What some doers have told one system, held against how it is there now."""

    def __init__(self, hub: Hub, system: str, doers: Collection[str], plan_id: str) -> None:
        self.hub, self.system, self.plan_id = hub, system, plan_id
        self.mine = {*doers, plan_id}
        self.title = hub.connectors[system].title if system in hub.connectors else system

    def found(self, deeds: Sequence[Deed], known: Mapping[str, Delivery]) -> Retraction:
        of: dict[str, list[Deed]] = defaultdict(list)
        for deed in deeds:
            of[deed.key].append(deed)
        backs, left, done = [], [], 0
        for key, mine in of.items():
            to = next(deed.before for deed in mine if deed.doer in self.mine)
            now = stands(known.get(key), mine[-1]) if mine[-1].settled else None
            if now and now.same_as(to):
                done += 1
            elif why := self._stays(to, mine[-1]):
                left.append(_left(self.system, to, mine[-1], why))
            else:
                place_id = known[key].place_id if key in known else mine[-1].place_id
                backs.append((Back(key, mine[-1].about, place_id, to), mine[-1]))
        return self._held_against(backs, done, left)

    def _stays(self, to: Stood, last: Deed) -> str:
        """Why it is left, as far as the hub knows by itself."""
        if last.doer not in self.mine:
            return f"told anew since, by {last.doer}"
        if to.state is Was.CLOSED:
            return BY_A_PERSON
        return NOT_KNOWN if to.state is not Was.GONE and to.notice is None else ""

    def _held_against(self, wanted: Sequence[tuple[Back, Deed]], done: int, left: list[Left]) -> Retraction:
        """With what people have done there since, which stays."""
        backs: list[Back] = []
        try:
            seen = self._seen([one for one, _ in wanted])
        except OmniHubError as error:
            why = f"could not look: {error}"
            left += [_left(self.system, back.to, last, why) for back, last in wanted]
            return Retraction(self.system, (), done, tuple(left), unseen=len(wanted))
        for back, last in wanted:
            there = seen(back.key)
            if there.state is Standing.GONE and back.to.state is Was.GONE:
                backs.append(back)  # nothing is asked of the system that isn't so; but the hub is to know it
            elif why := self._changed(last, there):
                left.append(_left(self.system, back.to, last, why))
            else:
                backs.append(back)
        return Retraction(self.system, tuple(backs), done, tuple(left))

    def _seen(self, wanted: Sequence[Back]) -> Callable[[str], Seen]:
        """key → how it stands there; what is not mentioned is gone."""
        place, client = _open(self.hub, self.system) if wanted else (None, None)
        found: dict[str, Seen] = {}
        if place and place.read:
            for some in bulk.chunks(wanted, place.batch):
                found |= {one.key: one for one in place.read(client, [(b.key, b.place_id) for b in some])}
            return lambda key: found.get(key, Seen(key, "", Standing.GONE))
        return lambda key: Seen(key, "", Standing.OPEN)  # where nothing is to be read, nobody can have closed it

    def _changed(self, last: Deed, there: Seen) -> str:
        """What a person has done since. Where our own deed is not known to be done, it may stand either way by us."""
        ours = last.after.state
        if not last.settled:
            return ""
        if ours is Was.OPEN and there.state is Standing.CLOSED:
            return f"{there.by or 'somebody'} has closed it in {self.title} since"
        if ours is Was.OPEN and there.state is Standing.GONE:
            return TAKEN_AWAY
        return REOPENED if ours is Was.CLEARED and there.state is Standing.OPEN else ""


def _left(system: str, to: Stood, last: Deed, why: str) -> Left:
    """Named by the record it is about, and its title."""
    now = last.after.notice or last.before.notice
    at = now or to.notice
    ref = f"{system}/{at.stream}/{at.ref_id}" if at and at.ref_id else system
    return Left(ref, FIELD, now.title if now else None, to.notice.title if to.notice else None, why)


# -- and back ----------------------------------------------------------------------------------------------------------


class _Retracting:
    """One system's turn."""

    def __init__(self, hub: Hub, plan_id: str, system: str) -> None:
        self.hub, self.plan_id, self.system = hub, plan_id, system
        self.done: Counter[str] = Counter()

    def carried_out(self, backs: Sequence[Back]) -> Counter[str]:
        try:
            place, client = _open(self.hub, self.system)
        except OmniHubError:
            return Counter(waiting=len(backs))
        for some in bulk.chunks(backs, place.batch):
            self._some(place, client, some)
        return self.done

    def _some(self, place: Place, client: Any, some: Sequence[Back]) -> None:
        before = self._begun(some)
        told = [(one.key, one.place_id) for one in some]
        gone = [n for n, one in enumerate(some) if one.to.state is Was.GONE]
        back = [n for n, one in enumerate(some) if one.to.state is not Was.GONE]
        said: dict[int, Answer] = {}
        if gone:
            ask = partial(place.remove, client, [told[n] for n in gone])
            said |= zip(gone, answers(self.system, ask, len(gone)), strict=True)
        if back:
            put = [(_notice(some[n].to), some[n].place_id) for n in back]
            said |= zip(back, answers(self.system, partial(place.put, client, put), len(back)), strict=True)
        again = [n for n in back if some[n].to.state is Was.CLEARED and said[n].outcome is Outcome.WRITTEN]
        if again:
            ask = partial(place.clear, client, [(some[n].key, said[n].id or some[n].place_id) for n in again])
            said |= zip(again, answers(self.system, ask, len(again)), strict=True)
        with self.hub.store.write() as c:
            for n, one in enumerate(some):
                self._settle(c, one, said[n], before.get(one.key))

    def _begun(self, some: Sequence[Back]) -> Mapping[str, Delivery]:
        """Note it: who is stopped from here on doesn't take for so what may be so no longer. Returns what was known."""
        with self.hub.store.write() as c:
            known = deliveries(c, self.system)
            begin(c, self.system, self.plan_id, [(one.key, one.about) for one in some], known)
            for one in some:
                before = known.get(one.key) or Delivery(one.key, one.about, "{}", one.place_id, "", BEGUN, now_iso())
                keep(c, self.system, self.plan_id, replace(before, state=BEGUN, hash=""))
        return known

    def _settle(self, c: sa.Connection, one: Back, answer: Answer, before: Delivery | None) -> None:
        """Keep what became of one."""
        gone = one.to.state is Was.GONE
        if answer.outcome is Outcome.WRITTEN or (gone and answer.outcome is Outcome.DRIFTED):
            self.done["removed" if gone else "restored"] += 1
            settle(c, self.system, self.plan_id, one.key, one.to, answer.id or one.place_id)
            if one.to.state is Was.OPEN:
                open_ = Delivery(one.key, one.about, one.to.told, answer.id or one.place_id, "", OPEN, now_iso())
                keep(c, self.system, self.plan_id, replace(open_, hash=digest(_notice(one.to))))
            else:
                drop(c, self.system, one.key)
        elif answer.outcome is Outcome.REFUSED:
            self.done["refused"] += 1
            withdraw(c, self.system, self.plan_id, one.key)
            if before:  # else it stays known as begun: the next sync sees whether it is to be there
                keep(c, self.system, self.plan_id, before, answer)
        else:  # begun: the undo is gone on with
            self.done["waiting"] += 1


def _notice(stood: Stood) -> Notice:
    assert stood.notice
    return stood.notice

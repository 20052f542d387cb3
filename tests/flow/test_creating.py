"""Customers a system does not know are made there, each once, and are known as whose they are from then on."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import Run, apply_plan, approve, make_and_store_plan
from omnihub.flow.creating import missing
from omnihub.flow.undoing import Undoing, lift, plan_undo
from omnihub.model import Entity
from omnihub.push import Limits
from omnihub.push.policy import Policy
from omnihub.store import Store, schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start

UNLIMITED = Limits(floor=1_000)
MAKE = Policy(create="if_missing")
OWN = Policy(create="if_missing", delete="own")


def where(*systems: str, policy: Policy = MAKE, entities: Iterable[Entity] = (Entity.ACCOUNT, Entity.CONTACT)) -> Any:
    """What a hub is told: make who is missing in these systems."""
    return {"policies": {(s, e): policy for s in systems for e in entities}, "limits": UNLIMITED}


def created(here: Loop) -> list[Any]:
    c = schema.created
    return list(loop.rows(here.store, sa.select(c).order_by(c.c.system, c.c.stream, c.c.key)))


def golden_of(here: Loop, *refs: str) -> list[str]:
    x = schema.crosswalk
    found = dict(map(tuple, loop.rows(here.store, sa.select(x.c.ref, x.c.golden_id))))
    return [found[ref] for ref in refs]


def ids(here: Loop, system: str) -> set[tuple[str, str]]:
    return {(stream, id_) for stream, there in here.standin(system).dump().items() for id_ in there}


def counted(here: Loop, plan_id: str) -> dict[str, int]:
    t = schema.changes
    query = sa.select(t.c.outcome, sa.func.count()).where(t.c.plan_id == plan_id).group_by(t.c.outcome)
    return dict(map(tuple, loop.rows(here.store, query)))


def operation(told: loop.Told, system: str, stream: str, op: str) -> dict[str, Any]:
    [one] = [o for o in told.plan.counts["operations"] if (o["system"], o["stream"], o["op"]) == (system, stream, op)]
    return dict(one)


LINKS = {"portal": {"users": ("accounts", "account_id")}, "zendesk": {"users": ("organizations", "organization_id")}}
"""system → stream of people → the stream of what they belong to, and where that stands."""


# -- made ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "system"),
    [
        ("sqlite", "portal"),
        *(pytest.param("sqlite", s, marks=pytest.mark.long) for s in ("salesforce", "hubspot", "zendesk")),
        pytest.param("postgresql", "portal", marks=pytest.mark.long),
    ],
)
def test_who_is_missing_in_a_system_is_made_there_once_and_known_from_then_on(
    start_on: Callable[[str, str], Loop], kind: str, system: str
) -> None:
    here = start_on(kind, "synced")
    before = ids(here, system)
    told = here.sync(**where(system))
    assert told.pushed["written"] == told.planned > 0
    new = {(row.stream, row.ref.split("/", 2)[2]) for row in created(here)}
    assert new
    assert ids(here, system) - before == new
    assert golden_of(here, *(row.ref for row in created(here))) == [row.key for row in created(here)], "at once"
    there = here.standin(system).dump()
    linked = [
        there[row.stream][row.ref.split("/", 2)[2]] for row in created(here) if row.stream in LINKS.get(system, {})
    ]
    assert (
        new & {(to, str(body.get(name))) for to, name in LINKS.get(system, {}).values() for body in linked}
        or not linked
    )
    after = here.dump()
    for _ in range(2):
        assert here.sync(**where(system)).planned == 0
    assert here.dump() == after
    assert golden_of(here, *(row.ref for row in created(here))) == [row.key for row in created(here)]


def test_nobody_is_made_where_the_settings_do_not_say_so(begin: Start) -> None:
    here = begin("synced")
    before = here.dump()
    told = here.sync(limits=UNLIMITED)
    assert (told.planned, here.dump()) == (0, before)
    assert operation(told, "portal", "users", "create")["state"] == "not wanted"


def test_a_plan_says_in_different_words_that_there_is_nothing_to_do_and_that_it_can_not(begin: Start) -> None:
    here = begin("synced")
    here.unreachable("hubspot")
    told = here.sync(**where("hubspot", "shopify", "portal", "thingsboard", entities=[Entity.CONTACT, Entity.PRODUCT]))
    assert operation(told, "portal", "users", "create")["state"] == "planned"
    assert operation(told, "portal", "users", "update")["state"] == "nothing to do"
    assert operation(told, "hubspot", "contacts", "create")["state"] == "could not look"
    assert operation(told, "shopify", "products", "create")["state"] == "not supported"
    assert operation(told, "salesforce", "contacts", "create")["state"] == "not wanted"


@pytest.mark.long
def test_a_plan_says_how_long_it_takes_and_proposes_merges_it_never_does(begin: Start) -> None:
    here = begin("compared")
    plan = make_and_store_plan(here.hub(limits=UNLIMITED), Run.start(here.store).id)
    assert set(plan.counts["minutes"]) == set(plan.counts["calls"])
    merges = plan.counts["merges"]
    assert merges["count"] == len(merges["proposed"]) > 0
    one = merges["proposed"][0]
    assert one["ref"].split("/")[:2] == one["into"].split("/")[:2], "of one system"
    assert one["why"]
    before = {name: {s: set(there) for s, there in state.items()} for name, state in here.dump().items()}
    apply_plan(here.hub(), plan.id)
    assert {name: {s: set(there) for s, there in state.items()} for name, state in here.dump().items()} == before


@pytest.mark.long
def test_what_a_person_wants_to_see_first_waits_for_their_approval(begin: Start) -> None:
    here = begin("synced")
    somebody = here.somebody("contact", "job_title", "salesforce", "hubspot")
    here.edit(somebody["salesforce"], job_title="Head of Pumps")
    asking = {"policies": {("hubspot", Entity.CONTACT): Policy(fields={"job_title": "approve"})}}
    told = here.sync(**asking)
    assert (told.plan.state, told.pushed) == ("blocked", {})
    assert "a person wants to see that first" in " ".join(told.plan.broken)
    approve(here.store, told.plan.id, "anna", "seen")
    apply_plan(here.hub(**asking), told.plan.id)
    assert here.sync(**asking).planned == 0


# -- never twice -----------------------------------------------------------------------------------------------------


def test_who_was_deleted_somewhere_on_purpose_is_not_made_there_again(begin: Start) -> None:
    here = begin("synced")
    somebody = here.somebody("contact", "email", "portal", "salesforce")
    [gid] = golden_of(here, somebody["portal"])
    state = here.standin("portal").state
    gone = state.get("users", somebody["portal"].split("/", 2)[2])
    assert gone
    gone.deleted = True
    state.save(gone)
    told = here.sync(**where("portal"))
    assert gid not in {row.key for row in created(here)}
    assert operation(told, "portal", "users", "create")["not_made"]["it was there, and somebody deleted it"] >= 1


def test_who_might_be_there_already_is_not_made_until_a_person_has_decided(begin: Start) -> None:
    here = begin("synced")
    c = here.store.read
    hub = here.hub(**where("portal"))
    with c() as connection:
        before = {m.golden_id: m.against for m in missing(connection, hub, {"portal": "looked"}) if not m.against}
    t, x, p = schema.refined, schema.crosswalk, schema.pairs
    gid = next(one for one in before if one.startswith("contact"))
    [mine, *_] = [r.ref for r in loop.rows(here.store, sa.select(x.c.ref).where(x.c.golden_id == gid))]
    [other, *_] = [
        r.ref for r in loop.rows(here.store, sa.select(t.c.ref).where(t.c.system == "portal", t.c.stream == "users"))
    ]
    a, b = sorted((mine, other))
    with here.store.write() as connection:
        connection.execute(sa.insert(p).values(a=a, b=b, entity="contact", weight=7.0, state="unsure", why="{}"))
    with c() as connection:
        after = {m.golden_id: m.against for m in missing(connection, hub, {"portal": "looked"})}
    assert after[gid] == "a person is to say whether it is there already"


@pytest.mark.long
def test_a_record_that_was_made_stays_whose_it_is_whatever_it_says_later(begin: Start) -> None:
    """Also when everything is matched anew."""
    here = begin("synced")
    here.sync(**where("portal"))
    row = next(row for row in created(here) if row.stream == "accounts")
    here.edit(row.ref, name="Something Else Altogether", phone="+4930999888", domain="elsewhere.example")
    told = here.sync(**where("portal"))
    assert told.planned is not None
    assert golden_of(here, row.ref) == [row.key]
    with here.store.write() as c:
        c.execute(sa.delete(schema.watermarks).where(schema.watermarks.c.step == "match"))
    here.sync(**where("portal"))
    assert golden_of(here, row.ref) == [row.key]


# -- a process that dies ---------------------------------------------------------------------------------------------


def make_and_die(url: str, settings: loop.Settings, n: int, things: tuple[str, ...]) -> None:
    """For a process of its own."""
    fuse = loop.Fuse("apply", n, things)
    with closing(Store.open(url)) as store:
        fuse.watch(store)
        found = {name: fuse.lay(c) for name, c in loop.CONNECTORS.items()}
        loop.sync(loop.hub_over(store, settings, found, **where("portal")), at=fuse.enter)


@pytest.fixture(scope="module")
def nursery() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.flow.loop"])
    return context


def said(here: Loop) -> Counter[str]:
    """What the portal holds, whatever its records are called there: a user with the account they belong to."""
    there = here.standin("portal").dump()
    names = {id_: body["name"] for id_, body in there["accounts"].items()}
    users = [body | {"account_id": names.get(body.get("account_id"))} for body in there["users"].values()]
    return Counter(
        json.dumps(body | {"external_id": None}, sort_keys=True) for body in (*there["accounts"].values(), *users)
    )


ANSWERS = (9,)  # of calls made while writing: after the portal's commit, before our receipt
ALL_THINGS = tuple((n, loop.THINGS) for n in range(1, 160, 13))


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "moments",
    [[(n, ("answer",)) for n in ANSWERS], pytest.param(ALL_THINGS, marks=pytest.mark.long)],
    ids=["answers", "anything"],
)
def test_killed_between_the_systems_commit_and_our_receipt_each_is_still_made_once(
    begin: Start, nursery: Any, moments: Any
) -> None:
    undisturbed, here = begin("synced"), begin("synced")
    undisturbed.sync(**where("portal"))
    for n, things in moments:
        process = nursery.Process(target=make_and_die, args=(here.url, here.settings, n, things))
        process.start()
        process.join(60)
        assert process.exitcode in (-signal.SIGKILL, 0)
    here.sync(**where("portal"))
    assert here.sync(**where("portal")).planned == 0
    assert said(here) == said(undisturbed)
    keys = [
        b["external_id"]
        for there in here.standin("portal").dump().values()
        for b in there.values()
        if b.get("external_id")
    ]
    assert len(keys) == len(set(keys))
    assert golden_of(here, *(row.ref for row in created(here))) == [row.key for row in created(here)]
    assert {row.key for row in created(here)} >= {key for key in keys if key.startswith(("account_", "contact_"))}
    t, p = schema.changes, schema.plans
    open_ = sa.select(sa.func.count()).join(p, p.c.id == t.c.plan_id)
    open_ = open_.where(t.c.outcome.is_(None), p.c.state.in_(("applying", "applied")))
    assert loop.rows(here.store, open_)[0][0] == 0, "every change has an outcome"


# -- taken back ------------------------------------------------------------------------------------------------------


def undo(here: Loop, what: str, policy: Policy) -> Undoing:
    found = plan_undo(here.hub(**where("portal", policy=policy)), what, "anna", "a mistake", "run-undo")
    if found.plan:
        done = apply_plan(here.hub(**where("portal", policy=policy)), found.plan.id)
        assert done["written"] == done["planned"], counted(here, found.plan.id)
    return found


@pytest.mark.long
def test_an_allowed_undo_takes_away_what_was_made_and_the_next_sync_does_not_make_it_again(begin: Start) -> None:
    here = begin("synced")
    before = here.dump()
    told = here.sync(**where("portal", policy=OWN))
    found = undo(here, told.plan.id, OWN)
    assert found.left == ()
    assert here.dump() == before
    assert here.sync(**where("portal", policy=OWN)).planned == 0
    assert here.dump() == before
    again = undo(here, "last", OWN)
    assert (again.kind, again.left) == ("redo", ())
    assert {s: len(there) for s, there in here.standin("portal").dump().items()} == {
        s: len(there) + len({r.ref for r in created(here) if r.stream == s}) for s, there in before["portal"].items()
    }
    assert here.sync(**where("portal", policy=OWN)).planned == 0


@pytest.mark.long
def test_an_undo_that_may_not_delete_lets_go_and_names_what_stays(begin: Start) -> None:
    here = begin("synced")
    told = here.sync(**where("portal"))
    made, there = {row.ref for row in created(here)}, here.dump()
    found = undo(here, told.plan.id, MAKE)
    assert {one.ref for one in found.left} == made
    assert "systems.portal.write" in found.left[0].why
    assert here.dump() == there
    assert all(row.undone_by for row in created(here))
    assert here.sync(**where("portal")).planned == 0
    assert undo(here, "last", MAKE).kind == "redo"
    assert not any(row.undone_by for row in created(here))


def test_what_somebody_changed_since_it_was_made_is_left_and_named(begin: Start) -> None:
    here = begin("synced")
    told = here.sync(**where("portal", policy=OWN))
    user = next(row.ref for row in created(here) if row.stream == "users")
    here.edit(user, job_title="Head of Pumps")
    found = undo(here, told.plan.id, OWN)
    assert (user, "somebody changed it since") in {(one.ref, one.why) for one in found.left}
    assert user.split("/", 2)[2] in here.standin("portal").dump()["users"]


@pytest.mark.long
def test_what_was_undone_is_made_again_once_a_person_lets_it(begin: Start) -> None:
    here = begin("synced")
    told = here.sync(**where("portal", policy=OWN))
    count = len(created(here))
    found = undo(here, told.plan.id, OWN)
    assert found.plan
    assert here.sync(**where("portal", policy=OWN)).planned == 0
    assert len(lift(here.store, "anna", found.plan.id)) == count
    assert here.sync(**where("portal", policy=OWN)).planned == told.planned

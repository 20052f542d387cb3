"""Whoever is forgotten is nowhere any more, and does not come back; everybody else is as they were."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.errors import OmniHubError, UnsafePlan
from omnihub.flow import auditing, report
from omnihub.flow.forgetting import Forgetting, done_by_hand, forget, lift, load, plan_forgetting, still_sent
from omnihub.store import Store, schema
from omnihub.store.forgotten import KEY
from tests.flow import loop
from tests.flow.conftest import Loop, Start

WHY = "their own request"


def somebody(here: Loop, *systems: str) -> tuple[str, dict[str, str], list[str]]:
    """A person in these systems whose name, mailbox and number nobody else has: a ref, system → ref, these values."""
    for who in here.everybody("contact", "email", *systems):
        said: dict[str, str] = {}
        for ref in who.values():
            said |= here.fields(ref)
        values = [said["email"], said.get("last_name", ""), said.get("mobile") or said.get("phone", "")]
        if not all(len(value) > 4 for value in values):
            continue
        if max(holders(here, value) for value in values) <= members(here, who):
            return next(iter(who.values())), who, values
    raise AssertionError("nobody like that")


def holders(here: Loop, value: str) -> int:
    """How many records hold this."""
    texts = loop.rows(here.store, sa.select(schema.refined.c.fields).where(~schema.refined.c.deleted))
    return sum(value.lower() in row.fields.lower() for row in texts)


def members(here: Loop, who: dict[str, str]) -> int:
    x = schema.crosswalk
    [gid] = {r.golden_id for r in loop.rows(here.store, sa.select(x.c.golden_id).where(x.c.ref.in_(who.values())))}
    return len(loop.rows(here.store, sa.select(x.c.ref).where(x.c.golden_id == gid)))


def forgotten(here: Loop, ref: str, **more: Any) -> Forgetting:
    hub = here.hub()
    return forget(hub, plan_forgetting(hub, ref, "anna", WHY).id, **more)


def traces(here: Loop, values: list[str]) -> list[str]:
    """Where in the store any of these stands: table, column."""
    found = []
    for table in schema.metadata.sorted_tables:
        for row in loop.rows(here.store, sa.select(table)):
            for name, cell in row._mapping.items():
                said = bytes(cell).decode("utf-8", "replace") if isinstance(cell, bytes | memoryview) else str(cell)
                found += [f"{table.name}.{name}: {v}" for v in values if v.lower() in said.lower()]
    return found


def in_files(folder: Path, values: list[str]) -> list[str]:
    """Files in whose bytes any of these stands."""
    words = [value.lower().encode() for value in values]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(word in path.read_bytes().lower() for word in words)]


def others(here: Loop, but: list[str]) -> dict[str, Any]:
    """All that is believed of everybody else."""
    return {gid: told for gid, told in loop.believed(here.store).items() if not set(told[2]) & set(but)}


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def test_after_it_and_three_syncs_nothing_of_them_is_anywhere(
    start_on: Callable[[str, str], Loop], kind: str, tmp_path: Path
) -> None:
    here = start_on(kind, "synced")
    ref, who, values = somebody(here, "shopify", "zendesk")
    report(here.hub(), tmp_path / "reports")
    (tmp_path / "plan.html").write_text(f"<p>{values[0]}</p>")
    (tmp_path / "omnihub.log").write_text(f"one line\n{ref} refused\n")
    assert traces(here, values)
    before, mine = others(here, [*who.values()]), members(here, who)
    done = forgotten(here, ref, home=tmp_path)
    assert len(done.records) == mine
    left = {one.ref.partition("/")[0] for one in done.left}
    for n in range(3):
        told = loop.sync(here.hub(), full=n == 1)
        assert told.summary["state"] == "ok", told.summary
        assert told.planned == 0
    assert traces(here, values) == []
    assert in_files(tmp_path, values) == []
    assert (tmp_path / "omnihub.log").read_text() == "one line\n"
    if here.store.sqlite:
        kept = in_files(Path(here.url.removeprefix("sqlite:///")).parent, values)
        assert not [name for name in kept if name.startswith("hub.db")]
    dumps = {name: json.dumps(dump, ensure_ascii=False, default=str) for name, dump in here.dump().items()}
    assert {name for name, dump in dumps.items() if any(value in dump for value in values)} <= left
    assert others(here, [*who.values()]) == before
    with here.store.read() as c:
        assert auditing.verify(c).broken is None
        assert auditing.entries(c, what="forgotten")[0]["facts"]["because"] == WHY


# -- who comes back --------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_whom_a_system_makes_anew_is_kept_out_and_counted(begin: Start) -> None:
    here = begin("synced")
    ref, who, values = somebody(here, "portal")
    portal = here.standin("portal")
    before = portal.state.get("users", who["portal"].split("/")[2])
    assert before
    forgotten(here, ref)
    here.sync()  # the portal says that they are deleted, and that is no record still sent
    assert sent_by_portal(here) == 0
    again = replace(before, id="usr_again", body=before.body | {"id": "usr_again", "external_id": None})
    portal.state.save(again)
    told = here.sync()
    assert told.summary["pull"]["forgotten"] == 1
    assert told.summary["balanced"]
    assert traces(here, values) == []
    assert sent_by_portal(here) == 1
    loop.sync(here.hub(), full=True)
    assert sent_by_portal(here) == 1
    portal.state.save(replace(again, deleted=True))
    loop.sync(here.hub(), full=True)
    assert sent_by_portal(here) == 0


def sent_by_portal(here: Loop) -> int:
    """Records of forgotten people that are still sent."""
    with here.store.read() as c:
        return still_sent(c).get("portal", 0)


@pytest.mark.long
def test_a_colleague_who_is_given_their_mailbox_stays_who_they_are(begin: Start) -> None:
    here = begin("synced")
    ref, _, values = somebody(here, "portal")
    other = next(who["portal"] for who in here.everybody("contact", "email", "portal") if ref not in who.values())
    forgotten(here, ref)
    here.sync()
    here.edit(other, email=values[0])
    assert here.sync().summary["pull"]["forgotten"] == 0
    assert here.fields(other)["email"] == values[0]


@pytest.mark.long
def test_lifted_they_are_known_again(begin: Start) -> None:
    here = begin("synced")
    ref, who, values = somebody(here, "portal")
    portal = here.standin("portal")
    before = portal.state.get("users", who["portal"].split("/")[2])
    assert before
    done = forgotten(here, ref)
    portal.state.save(replace(before, deleted=False))
    assert here.sync().summary["pull"]["forgotten"] == 1
    if done.left:
        done_by_hand(here.store, done.id, "anna")
    with pytest.raises(OmniHubError, match="nobody was forgotten by that name"):
        lift(here.hub(), "no@body.example", "anna", "back")
    assert lift(here.hub(), values[0].upper(), "anna", "a customer again").state == "lifted"
    here.sync()
    assert here.fields(who["portal"])["email"] == values[0]


@pytest.mark.long
def test_with_another_key_nothing_is_read_for_nobody_could_be_kept_out(
    begin: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = begin("synced")
    ref, _, _ = somebody(here, "portal")
    monkeypatch.setenv(KEY, "a secret of this house")
    forgotten(here, ref)
    assert here.sync().summary["state"] == "ok"
    monkeypatch.setenv(KEY, "another")
    told = here.sync().summary
    assert told["state"] == "partial"
    assert all("is not the key" in words for words in told["failed"])


# -- what only mentions them -----------------------------------------------------------------------------------------


def test_an_order_of_theirs_stays_without_them(begin: Start) -> None:
    here = begin("synced")
    t = schema.refined
    orders = loop.rows(here.store, sa.select(t.c.ref, t.c.fields).where(t.c.entity == "order", t.c.system == "shopify"))
    owner = {json.loads(row.fields)["contact"]: row.ref for row in orders if json.loads(row.fields).get("contact")}
    ref, order = next(iter(owner.items()))
    lines = sa.select(t.c.ref, t.c.fields).where(t.c.parent == order).order_by(t.c.ref)
    was, had = here.fields(order), [tuple(row) for row in loop.rows(here.store, lines)]
    done = forgotten(here, ref)
    assert done.mentions == ()
    now = here.fields(order)
    assert "contact" not in now
    assert "delivery_point" not in now
    assert {name: was[name] for name in now} == now
    assert now["number"]
    assert [tuple(row) for row in loop.rows(here.store, lines)] == had
    raw = loop.rows(here.store, sa.select(schema.raw.c.body).where(schema.raw.c.ref == order))
    assert len(raw) == 1
    assert loop.sync(here.hub(), full=True).planned == 0
    assert here.fields(order) == now
    bodies = loop.rows(here.store, sa.select(schema.raw.c.body).where(schema.raw.c.ref == order))
    assert {bytes(row.body) for row in bodies} == {bytes(raw[0].body)}


@pytest.mark.long
def test_an_offer_made_to_them_by_name_stays_without_any_names(begin: Start) -> None:
    here = begin("synced")
    t = schema.refined
    offers = loop.rows(here.store, sa.select(t.c.ref, t.c.fields).where(t.c.entity == "promotion", ~t.c.deleted))
    [offer, *_] = [row.ref for row in offers if "contacts" in json.loads(row.fields)]
    was = here.fields(offer)
    ref = was["contacts"].split(";")[0]
    forgotten(here, ref)
    now = here.fields(offer)
    assert now == {name: value for name, value in was.items() if name in now}
    assert {*was} - {*now} == {"contacts"}
    assert loop.sync(here.hub(), full=True).planned == 0
    assert here.fields(offer) == now
    bodies = loop.rows(here.store, sa.select(schema.raw.c.body).where(schema.raw.c.ref == offer))
    assert not any(b"gid://shopify/Customer/" in bytes(row.body) for row in bodies)


@pytest.mark.long
def test_of_their_carts_nothing_stays_and_nothing_comes_back(begin: Start) -> None:
    here = begin("synced")
    t = schema.refined
    carts = loop.rows(here.store, sa.select(t.c.ref, t.c.fields).where(t.c.entity == "cart"))
    cart, ref = next((row.ref, json.loads(row.fields)["contact"]) for row in carts)
    inside = [row.ref for row in loop.rows(here.store, sa.select(t.c.ref).where(t.c.parent == cart))]
    assert inside
    forgotten(here, ref)
    for n in range(2):
        assert traces(here, [one.split("/", 2)[2] for one in (cart, *inside)]) == []
        assert loop.sync(here.hub(), full=n == 0).planned == 0


# -- what can go wrong -----------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_system_that_cannot_be_reached_is_asked_again_by_the_next_sync(begin: Start) -> None:
    here = begin("synced")
    ref, who, values = somebody(here, "portal")
    here.unreachable("portal")
    done = forgotten(here, ref)
    assert who["portal"] in {one.ref for one in done.left if one.outcome == "not reached"}
    assert traces(here, values) == []
    here.reachable("portal")
    here.sync()
    assert who["portal"] not in {one.ref for one in load(here.store, done.id).records}
    assert load(here.store, done.id).by_system["portal"] == {"erased": 1}


@pytest.mark.long
def test_whoever_has_other_records_by_now_is_looked_at_again(begin: Start) -> None:
    here = begin("synced")
    ref, who, values = somebody(here, "portal")
    found = plan_forgetting(here.hub(), ref, "anna", WHY)
    mine = next(r for r in who.values() if r != ref)
    with here.store.write() as c:
        x = schema.crosswalk
        gid = c.execute(sa.select(x.c.golden_id).where(x.c.ref != ref, x.c.entity == "contact").limit(1)).scalar()
        c.execute(sa.update(x).where(x.c.ref == mine).values(golden_id=gid))
    with pytest.raises(UnsafePlan, match="look again"):
        forget(here.hub(), found.id)
    assert traces(here, values)
    assert load(here.store, found.id).state == "outdated"


@pytest.mark.long
def test_nobody_is_forgotten_while_a_plan_is_being_written(begin: Start) -> None:
    here = begin("synced")
    ref, _, values = somebody(here, "portal")
    p = schema.plans
    with here.store.write() as c:
        c.execute(sa.update(p).values(state="applying"))
    with pytest.raises(UnsafePlan, match="is being written"):
        forgotten(here, ref)
    assert traces(here, values)


def test_a_row_of_the_audit_that_somebody_else_blots_out_is_noticed(begin: Start) -> None:
    here = begin("synced")
    ref, _, _ = somebody(here, "portal")
    forgotten(here, ref)
    a = schema.audit
    for what in ("written", "forgotten"):
        with here.store.write() as c:
            seq, facts = c.execute(sa.select(a.c.seq, a.c.facts).where(a.c.what == what).limit(1)).one()
            c.execute(sa.update(a).where(a.c.seq == seq).values(facts=json.dumps({"plan": "p"})))
            broken = auditing.verify(c).broken
            assert broken is not None
            assert broken.seq <= seq
            c.execute(sa.update(a).where(a.c.seq == seq).values(facts=facts))
            assert auditing.verify(c).broken is None


# -- kill -9 ---------------------------------------------------------------------------------------------------------


def forget_and_die(url: str, settings: loop.Settings, id_: str, n: int) -> None:
    """For a process of its own: it dies at the n-th call, answer, statement or commit, or ends by itself."""
    fuse = loop.Fuse("forget", n)
    store = Store.open(url)
    fuse.enter("forget")
    fuse.watch(store)
    forget(loop.hub_over(store, settings, {name: fuse.lay(c) for name, c in loop.CONNECTORS.items()}), id_)


@pytest.fixture(scope="module")
def nursery() -> Any:
    """Processes that have everything loaded before they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.flow.test_forgetting"])
    return context


@pytest.mark.parametrize(
    ("kind", "moments"),
    [
        ("sqlite", (9, 150)),
        pytest.param("sqlite", range(1, 800, 27), marks=[pytest.mark.long, pytest.mark.timeout(300)]),
        pytest.param("postgresql", range(7, 800, 110), marks=[pytest.mark.long, pytest.mark.timeout(300)]),
    ],
)
def test_killed_anywhere_and_run_again_it_ends_the_same(
    start_on: Callable[[str, str], Loop], nursery: Any, kind: str, moments: Sequence[int]
) -> None:
    here = start_on(kind, "synced")
    ref, who, values = somebody(here, "hubspot", "portal")
    before = others(here, [*who.values()])
    found = plan_forgetting(here.hub(), ref, "anna", WHY)
    for n in moments:
        process = nursery.Process(target=forget_and_die, args=(here.url, here.settings, found.id, n))
        process.start()
        process.join(60)
        assert process.exitcode in (0, -signal.SIGKILL)
    done = forget(here.hub(), found.id)
    assert done.hub_done
    assert done.swept
    assert done.by_system["portal"] == {"erased": 1}
    told = loop.sync(here.hub(), full=True)
    assert told.summary["state"] == "ok", told.summary
    assert told.planned == 0
    assert traces(here, values) == []
    assert others(here, [*who.values()]) == before
    with here.store.read() as c:
        assert auditing.verify(c).broken is None
        assert len(auditing.entries(c, what="forgotten")) == 1

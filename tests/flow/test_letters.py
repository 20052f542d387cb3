"""Dead letters: kept whole, tried again when something changed and not otherwise, given up, closed, sealed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.errors import ConfigError, OmniHubError
from omnihub.flow import Hub, Run, apply_plan, auditing, letters, make_and_store_plan, report
from omnihub.flow.letters import KEY, Letter, cause_of, letter_id, new_key
from omnihub.flow.planning import Replay
from omnihub.flow.pushing import keep_receipts
from omnihub.flow.undoing import plan_undo
from omnihub.model import Outcome
from omnihub.push import Limits, Receipt
from omnihub.store import Store, bulk, schema
from tests.flow import loop
from tests.flow import test_deciding as people
from tests.flow import test_reporting as reporting
from tests.flow.conftest import Loop, Start
from tests.flow.test_applying import trusting
from tests.flow.test_deciding import A, B

made, known, either = people.made, people.store, people.either  # fixtures
filled, folder, hub = reporting.filled, reporting.folder, reporting.hub
empty_database = reporting.empty_database

D = schema.dead_letters
AT = "2026-01-02T08:00:00Z"
LONG = "Pumpen " * 32 + "GmbH"  # 228 letters; the portal takes 200


# -- a store in which something was refused --------------------------------------------------------------------------


def plan(store: Store, *cells: tuple[str, str, str | None, str], plan_id: str = "plan-1") -> None:
    """A plan of these (ref, field, old, new), which are as well what differs now."""
    rows = [
        (
            plan_id,
            n,
            ref,
            "crm",
            "people",
            "contact",
            "contact_0",
            "update",
            field,
            old,
            new,
            "replaces by rule trusted",
        )
        for n, (ref, field, old, new) in enumerate(cells)
    ]
    names = ("plan_id", "n", "ref", "system", "stream", "entity", "golden_id", "op", "field", "old", "new", "why")
    with store.write() as c:
        bulk.append(c, schema.changes, names, rows)
        values = {"plan_id": plan_id, "id": plan_id, "run_id": "run", "hash": "", "state": "applying"}
        row = {name: values.get(name, "{}") for name in ("id", "run_id", "hash", "state", "counts", "guard", "looked")}
        bulk.append(c, schema.plans, (*row, "created_at"), [(*row.values(), AT)])
        for ref, field, old, new in cells:
            differs(c, ref, field, old, new)


def differs(c: sa.Connection, ref: str, field: str, theirs: str | None, ours: str | None) -> None:
    row = {
        "ref": ref, "field": field, "entity": "contact", "system": "crm", "stream": "people", "golden_id": "contact_0",
        "theirs": theirs, "ours": ours, "winner": B, "rule": "trusted",
    }  # fmt: skip
    bulk.upsert(c, schema.differences, tuple(row), [tuple(row.values())])


def refuse(store: Store, *cells: tuple[str, str, str | None, str], plan_id: str = "plan-1", **more: Any) -> None:
    """Each of these in a receipt of its own."""
    plan(store, *cells, plan_id=plan_id)
    told = {"code": "TOO_LONG", "message": "is too long"} | more
    receipts = [
        Receipt(ref, Outcome.REFUSED, (n,), {field: old}, {field: new}, **told)
        for n, (ref, field, old, new) in enumerate(cells)
    ]
    keep_receipts(store, plan_id, receipts)


def seen(store: Store, ref: str, seq: int) -> None:
    """A new version of this record has been read."""
    with store.write() as c:
        bulk.upsert(
            c,
            schema.records,
            ("ref", "system", "stream", "seq", "hash", "deleted"),
            [(ref, "crm", "people", seq, b"", False)],
        )


def waiting(store: Store) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    with store.read() as c:
        return letters.waiting(c)


def all_letters(store: Store, system: str = "") -> list[Letter]:
    with store.read() as c:
        return letters.letters(c, system)


def one(store: Store) -> Letter:
    [found] = all_letters(store)
    return found


CHANGE = (A, "phone", "+4930901820", "+49309018201")


# -- kept ------------------------------------------------------------------------------------------------------------


def test_a_letter_holds_all_that_was_refused_of_a_record(either: Store) -> None:
    refuse(either, CHANGE, (A, "last_name", None, "Weber"), (B, "city", "Bonn", "Köln"))
    refused = next(letter for letter in all_letters(either) if letter.ref == A)
    assert (refused.id, refused.system, refused.golden_id, refused.state) == (
        letter_id(A),
        "crm",
        "contact_0",
        "waiting",
    )
    assert [(f.field, f.old, f.new) for f in refused.fields] == [
        ("last_name", None, "Weber"),
        ("phone", "+4930901820", "+49309018201"),
    ]
    cell = refused.fields[0]
    assert (cell.why, cell.plan, cell.code, cell.message) == (
        "replaces by rule trusted", "plan-1", "TOO_LONG", "is too long",
    )  # fmt: skip
    assert (refused.cause, refused.attempts, refused.first_at) == ("too_long", 1, refused.at)
    assert "shorten it" in refused.way_out
    assert waiting(either)[A, "phone"] == ("+4930901820", "+49309018201")


def test_the_same_again_is_one_more_attempt_and_another_value_the_first(known: Store) -> None:
    refuse(known, CHANGE)
    first = one(known).first_at
    refuse(known, CHANGE, plan_id="plan-2")
    assert (one(known).attempts, one(known).first_at, one(known).fields[0].plan) == (2, first, "plan-2")
    refuse(known, (A, "phone", "+4930901820", "+491"), plan_id="plan-3")
    assert (one(known).attempts, one(known).fields[0].new) == (1, "+491")


def test_letters_of_one_system(known: Store) -> None:
    refuse(known, CHANGE)
    assert all_letters(known, "cr") == []
    assert len(all_letters(known, "crm")) == 1


def test_a_letter_is_found_by_its_id_its_beginning_or_its_record(known: Store) -> None:
    refuse(known, CHANGE, (B, "phone", None, "+491"))
    with known.read() as c:
        for name in (letter_id(A), letter_id(A)[:-3], letter_id(A).removeprefix("letter-")[:6], A):
            assert letters.letter(c, name).ref == A
        for unknown in ("letter-", "", "crm/people/99", "zzz"):
            with pytest.raises(OmniHubError, match="omnihub letters"):
                letters.letter(c, unknown)


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_it_is_tried_again_once_its_record_has_changed(known: Store) -> None:
    seen(known, A, 7)
    refuse(known, CHANGE)
    assert (A, "phone") in waiting(known)
    seen(known, A, 8)
    assert (A, "phone") not in waiting(known)


def test_a_record_that_changes_all_the_time_is_not_asked_for_ever(known: Store) -> None:
    for n in range(letters.TRIES):
        assert waiting(known) == {}
        refuse(known, CHANGE, plan_id=f"plan-{n}")
        seen(known, A, 10 + n)
    assert (A, "phone") in waiting(known)


def test_what_is_put_right_is_closed_by_itself_but_not_what_an_undo_could_not_restore(known: Store) -> None:
    refuse(known, CHANGE, (B, "phone", None, "+491"))
    refuse(known, ("crm/people/3", "phone", "+49", "+48"), plan_id="undo-1")
    with known.write() as c:
        c.execute(sa.update(schema.plans).where(schema.plans.c.id == "undo-1").values(kind="undo"))
        c.execute(sa.delete(schema.differences).where(schema.differences.c.ref != B))
        letters.close_settled(c)
    assert {letter.ref for letter in all_letters(known)} == {B, "crm/people/3"}


# -- given up --------------------------------------------------------------------------------------------------------


def test_what_was_given_up_is_not_tried_again_whatever_changes_there(known: Store) -> None:
    refuse(known, CHANGE)
    given_up = letters.give_up(known, letter_id(A), "eva", "an old number")
    assert (given_up.state, given_up.fields[0].given_up_by, given_up.fields[0].because) == (
        "given up", "eva", "an old number",
    )  # fmt: skip
    seen(known, A, 9)
    with known.write() as c:
        differs(c, A, "phone", "+4977", "+49309018201")
    assert waiting(known) == {(A, "phone"): ("+4977", "+49309018201")}


def test_another_value_is_another_change(known: Store) -> None:
    refuse(known, CHANGE)
    letters.give_up(known, A, "eva", "an old number")
    with known.write() as c:
        differs(c, A, "phone", "+4930901820", "+491")
    assert waiting(known)[A, "phone"][1] != "+491"


def test_giving_up_takes_a_reason_and_is_audited(known: Store) -> None:
    refuse(known, CHANGE)
    with pytest.raises(OmniHubError, match="--because"):
        letters.give_up(known, A, "eva", " ")
    letters.give_up(known, A, "eva", "an old number")
    with known.read() as c:
        [entry] = auditing.entries(c)
    assert (entry["author"], entry["what"]) == ("eva", "given up")
    assert (entry["facts"]["ref"], entry["facts"]["fields"], entry["facts"]["because"]) == (
        A,
        ["phone"],
        "an old number",
    )


# -- sealed ----------------------------------------------------------------------------------------------------------


def kept_bytes(store: Store) -> str:
    return repr(loop.rows(store, sa.select(D)))


def test_with_a_key_nothing_of_it_can_be_read_at_rest(known: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, new_key())
    refuse(known, CHANGE, message="+49309018201 is too long for anna@weber.de")
    assert not any(secret in kept_bytes(known) for secret in ("90182", "anna"))
    assert (one(known).fields[0].old, one(known).fields[0].new) == ("+4930901820", "+49309018201")
    assert one(known).fields[0].message == "+49309018201 is too long for anna@weber.de"
    assert waiting(known)[A, "phone"] == ("+4930901820", "+49309018201")
    refuse(known, CHANGE, plan_id="plan-2")
    assert one(known).attempts == 2, "it is known to be the same"


@pytest.mark.parametrize("other", ["", "another"])
def test_without_its_key_it_says_so_and_nothing_is_lost(
    known: Store, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv(KEY, old)
    refuse(known, CHANGE)
    before = kept_bytes(known)
    monkeypatch.setenv(KEY, other and new)
    for look in (one, waiting):
        with pytest.raises(ConfigError, match=KEY):
            look(known)
    assert kept_bytes(known) == before
    monkeypatch.setenv(KEY, f"{new}, {old}")
    assert one(known).fields[0].new == "+49309018201"


def test_what_was_kept_before_there_was_a_key_stays_readable(known: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(known, CHANGE)
    monkeypatch.setenv(KEY, new_key())
    assert one(known).fields[0].new == "+49309018201"


def test_a_key_that_is_none_is_refused_before_anything_is_sent(known: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "password")
    with pytest.raises(ConfigError, match="omnihub letters new-key"):
        waiting(known)
    with pytest.raises(ConfigError, match="omnihub letters new-key"):
        apply_plan(loop.hub_over(known, {}), "plan-1")


def test_a_report_can_read_sealed_letters_with_the_key_and_is_made_without(
    filled: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, new_key())
    with filled.store.write() as c:
        c.execute(sa.update(D).values({name: letters.seal(name) for name in ("old", "new", "message")}))
    report(filled, folder)
    refusal = reporting.told(folder)["refusals"][0]
    assert (refusal["old"], refusal["new"], refusal["message"]) == ("old", "new", "message")
    assert "refused the hub's correction (message)" in (folder / "latest" / "findings.csv").read_text()
    monkeypatch.delenv(KEY)
    report(filled, folder)
    page = (folder / "latest" / "index.html").read_text()
    assert KEY in page
    assert "\x02" not in page


# -- why -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        ("STRING_TOO_LONG", "First Name: data value too large (max length=40)", "too_long"),
        ("TOO_LONG", "Title is too long (maximum is 255 characters)", "too_long"),
        ("22001", "value too long for type character varying(40)", "too_long"),
        ("DUPLICATE_VALUE", "duplicate value found", "taken"),
        ("23505", "", "taken"),
        ("422", "Email: anna@weber.de is already being used by another user", "taken"),
        ("VALIDATION_ERROR", "Contact already exists. Existing ID: 12", "taken"),
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", "required"),
        ("BLANK", "Title can't be blank", "required"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "only our own staff", "rule"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "an Apex trigger stopped it", "rule"),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value for restricted picklist field", "not_a_choice"),
        ("INVALID_EMAIL_ADDRESS", "invalid email address", "invalid"),
        ("VALIDATION_ERROR", "Property values were not valid", "invalid"),
        ("422", "", "invalid"),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "", "not_allowed"),
        ("403", "", "not_allowed"),
        ("ENTITY_IS_DELETED", "entity is deleted", "gone"),
        ("PROPERTY_DOESNT_EXIST", "Property \"x\" does not exist", "unknown_field"),
        ("OPTED_OUT", "the person unsubscribed", "consent"),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "link"),
        ("no_such_customer", "there is no such customer there", "link"),
        ("ENTITY_IS_LOCKED", "the record is locked by an approval process", "locked"),
        ("E7", "short and stout", "other"),
        ("", "", "other"),
    ],
)  # fmt: skip
def test_whatever_a_vendor_calls_it_the_cause_has_one_name(code: str, message: str, cause: str) -> None:

    assert cause_of(code, message).code == cause


def test_every_cause_says_what_it_means_and_the_way_out() -> None:
    assert len(letters.BY_CODE) == len(letters.CAUSES) + 1
    assert all(cause.means and cause.way_out for cause in letters.BY_CODE.values())


# -- in the loop -----------------------------------------------------------------------------------------------------


def replayed(here: Loop, hub: Any, some: Collection[Letter]) -> Any:
    wanted = Replay(tuple(letter.id for letter in some), letters.units(some), "eva")
    return make_and_store_plan(hub, Run.start(here.store).id, replay=wanted)


@pytest.mark.long
def test_a_letter_waits_is_replayed_and_closes_when_it_is_written(begin: Start) -> None:
    here = begin("synced")
    person = here.somebody("account", "name", "salesforce", "portal")
    here.edit(person["salesforce"], name=LONG)
    hub = loop.hub_over(here.store, here.settings, trusting("portal"))
    told = loop.sync(hub)
    assert (told.pushed["refused"], told.summary["balanced"]) == (1, True)
    letter = one(here.store)
    assert (letter.ref, letter.cause, letter.fields[0].new) == (person["portal"], "too_long", LONG)
    assert loop.sync(hub).planned == 0, "nothing has changed"

    strict = replace(hub, limits=Limits(share=0.0, first_share=0.0, floor=0))
    assert replayed(here, strict, [letter]).state == "blocked", "a replay passes the same guard"
    again = replayed(here, hub, [letter])
    assert (again.counts["planned"], again.kind) == (1, "replay")
    done = apply_plan(hub, again.id)
    assert (done["refused"], one(here.store).attempts) == (1, 2)

    here.edit(person["portal"], phone="+4930901820")  # somebody does something about the record there
    third = loop.sync(hub)
    assert (third.pushed["refused"], third.summary["balanced"], one(here.store).attempts) == (1, True, 3)

    here.edit(person["salesforce"], name="Pumpen und mehr GmbH")
    assert loop.sync(hub).pushed["refused"] == 0
    assert all_letters(here.store) == []
    assert here.fields(person["portal"])["name"] != LONG


@pytest.mark.long
def test_a_replay_leaves_the_plan_that_waits_for_approval_alone(begin: Start) -> None:
    here = begin("compared")
    strict = here.hub(limits=Limits(share=0.0, first_share=0.0, floor=1))
    waits = make_and_store_plan(strict, "run")
    assert waits.state == "blocked"
    t = schema.changes
    [first, *_] = loop.rows(here.store, sa.select(t).where(t.c.plan_id == waits.id).order_by(t.c.n))
    receipt = Receipt(first.ref, Outcome.REFUSED, (first.n,), {first.field: first.old}, {first.field: first.new}, "no")
    keep_receipts(here.store, waits.id, [receipt])
    own = replayed(here, strict, all_letters(here.store))
    rows = loop.rows(here.store, sa.select(t.c.ref).where(t.c.plan_id == own.id))
    assert {r.ref for r in rows} == {first.ref}
    assert apply_plan(strict, own.id)["written"] == own.counts["planned"]
    assert all_letters(here.store) == []
    states = dict(loop.rows(here.store, sa.select(schema.plans.c.id, schema.plans.c.state)))
    assert states == {waits.id: "blocked", own.id: "applied"}
    undo = plan_undo(here.hub(), own.id, "eva", "too early", "run-2").plan
    assert undo
    assert (undo.kind, undo.counts["planned"]) == ("undo", own.counts["planned"]), "it is undone as any other"

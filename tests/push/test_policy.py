"""What the settings let the hub do by itself: which differences are written, and which records are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import connectors
from omnihub import config
from omnihub.errors import ConfigError
from omnihub.flow.hub import policies_of
from omnihub.model import Entity, Op
from omnihub.push import make_plan
from omnihub.push.missing import Missing, key_of, whole
from omnihub.push.plan import Difference
from omnihub.push.policy import Policy, asked
from omnihub.sdk import Answer, Page, Push, Row


def nobody_sends(client: Any, rows: Sequence[Row]) -> Iterable[Answer]:
    raise AssertionError("a plan sends nothing")


def nobody_looks(client: Any, ids: Sequence[str]) -> Iterator[Page]:
    raise AssertionError("a plan looks at nothing")


PEOPLE = Push(
    ("phone", "city", "street", "last_name", "account"),
    update=nobody_sends,
    look=nobody_looks,
    create=nobody_sends,
    find=nobody_looks,
    max_length={"street": 10},
    given=("email", "marketing_consent"),
    required=("email",),
)
FIRMS = replace(PEOPLE, fields=("name",), given=(), required=("name",))
CRM = {("crm", "people"): PEOPLE, ("crm", "firms"): FIRMS}
LOOKED = {"crm": "looked"}


def differs(field: str, theirs: str | None, ours: str = "new") -> Difference:
    return Difference("crm/people/1", field, "contact_a", theirs, ours, "shop/customers/9", "trusted")


def planned(policy: Policy, *differences: Difference) -> list[str]:
    plan = make_plan(differences, CRM, {}, LOOKED, {("crm", Entity.CONTACT): policy})
    return [c.field for c in plan.changes]


# -- update ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("update", "fields"),
    [("always", ["last_name", "phone"]), ("approve", ["last_name", "phone"]), ("if_empty", ["phone"]), ("never", [])],
)
def test_what_differs_is_written_as_the_policy_says(update: Any, fields: list[str]) -> None:
    assert planned(Policy(update=update), differs("phone", None), differs("last_name", "Old")) == fields


def test_a_field_may_have_a_policy_of_its_own() -> None:
    assert planned(
        Policy(update="never", fields={"phone": "always"}), differs("phone", "1"), differs("last_name", "x")
    ) == ["phone"]


def test_an_address_is_put_where_there_is_none_and_never_mixed_with_one_that_is_there() -> None:
    policy = Policy(fields={"address": "if_empty"})
    assert planned(policy, differs("city", None), differs("street", None)) == ["city", "street"]
    assert planned(policy, differs("city", "Bonn"), differs("street", None)) == []


def test_another_system_and_another_entity_go_by_their_own() -> None:
    plan = make_plan([differs("phone", "1")], CRM, {}, LOOKED, {("shop", Entity.CONTACT): Policy(update="never")})
    assert len(plan.changes) == 1
    plan = make_plan([differs("phone", "1")], CRM, {}, LOOKED, {("crm", Entity.ACCOUNT): Policy(update="never")})
    assert len(plan.changes) == 1


def test_what_a_person_wants_to_see_first_is_told_by_field_with_the_records() -> None:
    policies = {("crm", Entity.CONTACT): Policy(fields={"phone": "approve"})}
    plan = make_plan([differs("phone", "1"), differs("last_name", "x")], CRM, {}, LOOKED, policies)
    assert list(asked(plan.changes, policies)) == [("crm", "people", "phone", ["crm/people/1"])]
    assert list(asked(plan.changes, {})) == []


# -- create ----------------------------------------------------------------------------------------------------------


def is_missing(golden_id: str = "contact_a", stream: str = "people", against: str = "", **fields: str) -> Missing:
    return Missing("crm", stream, golden_id, fields, {"email": "shop/customers/9"}, ("shop",), against)


def make(*missing: Missing, held: Any = None, looked: Any = None) -> Any:
    return make_plan([], CRM, held or {}, LOOKED if looked is None else looked, {}, missing)


def test_a_missing_record_becomes_one_change_a_field_under_the_key_it_will_be_known_by() -> None:
    plan = make(is_missing(email="a@b.example", last_name="Ä"))
    assert [(str(c.ref), c.field, c.old, c.new, c.op) for c in plan.changes] == [
        ("crm/people/+contact_a", "email", None, "a@b.example", Op.CREATE),
        ("crm/people/+contact_a", "last_name", None, "Ä", Op.CREATE),
    ]
    assert plan.changes[0].why == (
        "makes a record: the contact is known in shop, and not here; the value of shop (shop/customers/9)"
    )
    assert key_of("crm/people/+contact_a") == "contact_a"


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        (is_missing(last_name="Ä"), "lacks email"),
        (is_missing(email="a@b.example", against="somebody has undone it"), "somebody has undone it"),
        (is_missing(email="a@b.example", account="crm/firms/+account_x"), "what it belongs to is not made there"),
    ],
)
def test_what_is_not_made_is_counted_by_why(missing: Missing, why: str) -> None:
    plan = make(missing)
    assert plan.changes == ()
    assert plan.not_made == {("crm", "people", why): 1}


def test_a_record_and_what_it_belongs_to_are_made_together() -> None:
    firm = is_missing("account_x", "firms", name="X")
    plan = make(is_missing(email="a@b.example", account="crm/firms/+account_x"), firm)
    assert {str(c.ref) for c in plan.changes} == {"crm/people/+contact_a", "crm/firms/+account_x"}
    alone, not_made = whole([c for c in plan.changes if c.ref.stream == "people"], CRM)
    assert (alone, len(not_made)) == ([], 1), "where a gate takes the one away, the other waits"


def test_what_it_can_not_hold_and_permissions_are_not_given_to_a_new_record() -> None:
    plan = make(is_missing(email="a@b.example", street="x" * 11, city="Bonn", marketing_consent="yes", mobile="1"))
    assert [c.field for c in plan.changes] == ["email"]


def test_what_was_refused_is_not_made_again_until_a_value_is_another() -> None:
    held = {("crm/people/+contact_a", "email"): (None, "a@b.example")}
    assert make(is_missing(email="a@b.example"), held=held).changes == ()
    assert len(make(is_missing(email="c@b.example"), held=held).changes) == 1
    assert len(make(is_missing(email="a@b.example", phone="+1"), held=held).changes) == 2


def test_nothing_is_made_where_nobody_could_look() -> None:
    assert make(is_missing(email="a@b.example"), looked={"crm": "could not look"}).changes == ()


fields = st.dictionaries(st.sampled_from(["email", "phone", "account", "city", "street"]), st.just("v"))
links = st.sampled_from(["crm/firms/7", "crm/firms/+account_x", "crm/firms/+account_y"])


@given(st.lists(st.tuples(st.sampled_from("abc"), fields, links), max_size=5), st.booleans())
def test_no_plan_makes_half_a_record_or_a_link_to_nowhere(some: list[Any], firm: bool) -> None:
    known = {f"contact_{n}": (f, to) for n, f, to in some}
    missing = [
        is_missing(gid, **{name: to if name == "account" else value for name, value in f.items()})
        for gid, (f, to) in known.items()
    ]
    plan = make(*missing, *([is_missing("account_x", "firms", name="X")] if firm else []))
    made = {str(c.ref) for c in plan.changes}
    for ref in made:
        assert {c.field for c in plan.changes if str(c.ref) == ref} >= set(CRM["crm", ref.split("/")[1]].required)
    assert {c.new for c in plan.changes if c.field == "account" and c.new and "+" in c.new} <= made


# -- settings --------------------------------------------------------------------------------------------------------


def told(tmp_path: Path, text: str) -> config.Config:
    file = tmp_path / "omnihub.yaml"
    file.write_text(text)
    return config.load(file, connectors=connectors.find(), environ={})


def test_the_settings_say_what_may_be_written(tmp_path: Path) -> None:
    found = told(tmp_path, "systems: {hubspot: {write: {contact: {create: if_missing, fields: {phone: if_empty}}}}}")
    assert policies_of(found) == {
        ("hubspot", Entity.CONTACT): Policy("if_missing", "always", "never", {"phone": "if_empty"})
    }
    assert policies_of(told(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("write", "says"),
    [
        ("{contact: {creat: never}}", "there is no such setting as creat; did you mean create?"),
        ("{contacts: {create: never}}", "there is no contacts to be written; did you mean contact?"),
        ("{contact: {create: always}}", "contact.create: write one of never, if_missing"),
        ("{contact: {fields: {phon: never}}}", "contact.phon is no field; did you mean contact.phone?"),
        ("{contact: {fields: {city: never}}}", "contact.city is never taken alone; write contact.address"),
        ("{contact: {fields: {phone: nevr}}}", "contact.fields.phone: write one of always, if_empty, approve, never"),
        ("{order: {update: never}}", "there is no order to be written; there are: account, contact, product"),
    ],
)
def test_a_slip_in_the_settings_is_answered_with_what_could_be_meant(tmp_path: Path, write: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        told(tmp_path, f"systems: {{hubspot: {{write: {write}}}}}")
    assert says in str(refused.value)


def test_what_a_system_has_nothing_of_to_be_written_is_said_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Zendesk has no product to be written; there are: account, contact"):
        told(tmp_path, "systems: {zendesk: {write: {product: {update: never}}}}")

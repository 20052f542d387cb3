"""Unmerging travels: who was taken for another one by mistake gets their own values back, in every system."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from omnihub.flow import deciding
from omnihub.flow.deciding import Said
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start


def say(here: Loop, some: list[str], others: list[str], verdict: str) -> None:
    """The steward has met them all."""
    deciding.judge(here.store, [Said(a, b, verdict, "met them", "eva", None) for a in some for b in others])


def known(here: Loop) -> dict[str, dict[str, str]]:
    """ref → what every living record says."""
    t = schema.refined
    rows = loop.rows(here.store, sa.select(t.c.ref, t.c.fields).where(~t.c.deleted))
    return {row.ref: json.loads(row.fields) for row in rows}


def changes(here: Loop, plan_id: str) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """(ref, field) → old, new."""
    t = schema.changes
    query = sa.select(t.c.ref, t.c.field, t.c.old, t.c.new).where(t.c.plan_id == plan_id)
    return {(r.ref, r.field): (r.old, r.new) for r in loop.rows(here.store, query)}


def strangers(here: Loop, said_no: bool) -> tuple[list[str], list[str]]:
    """The records of two people, of whom one has a mobile number and the other, who has none, said no or nothing."""
    x, t = schema.crosswalk, schema.refined
    query = sa.select(x.c.golden_id, t.c.ref, t.c.system, t.c.fields).join(t, t.c.ref == x.c.ref)
    query = query.where(t.c.entity == "contact", ~t.c.deleted).order_by(x.c.golden_id, t.c.ref)
    people: dict[str, dict[str, dict[str, str]]] = {}
    for row in loop.rows(here.store, query):
        people.setdefault(row.golden_id, {})[row.ref] = json.loads(row.fields)
    able = [some for some in people.values() if {"salesforce", "hubspot"} <= {ref.split("/")[0] for ref in some}]
    no = [any(f.get("marketing_consent") == "no" for f in some.values()) for some in able]
    has = [any("mobile" in f for f in some.values()) for some in able]
    phones = [any("phone" in f for f in some.values()) for some in able]
    one = next(able[n] for n in range(len(able)) if has[n] and not no[n] and phones[n])
    other = next(
        able[n]
        for n in range(len(able))
        if (said_no or not has[n]) and no[n] is said_no and phones[n] and able[n] is not one
    )
    return list(one), list(other)


@pytest.mark.long
def test_two_taken_for_one_get_back_what_each_of_them_said_and_nothing_else(begin: Start) -> None:
    here = begin("synced")
    before = known(here)
    some, others = strangers(here, said_no=False)
    say(here, some, others, "same")
    told = here.sync()
    written = changes(here, told.plan.id)
    assert told.pushed["written"] == told.planned > 0
    assert {ref for ref, _ in written} <= {*some, *others}
    assert any(old is None for old, _ in written.values())
    assert any(old is not None for old, _ in written.values())
    say(here, some, others, "different")
    back = here.sync()
    assert changes(here, back.plan.id) == {cell: (new, old) for cell, (old, new) in written.items()}
    assert back.plan.state == "ready"
    assert here.sync().planned == 0
    assert known(here) == before


@pytest.mark.long
def test_a_stranger_s_number_is_taken_out_where_the_own_may_not_be_given_back(begin: Start) -> None:
    here = begin("synced")
    some, others = strangers(here, said_no=True)
    [mailed] = [ref for ref in others if ref.startswith("hubspot/")]
    rest = [ref for ref in others if ref != mailed]
    say(here, some, [mailed], "same")
    say(here, rest, [mailed], "different")
    told = here.sync()
    lent = {f: v for (ref, f), v in changes(here, told.plan.id).items() if ref == mailed and f in ("phone", "mobile")}
    assert lent
    say(here, some, [mailed], "different")
    say(here, rest, [mailed], "same")
    back = here.sync()
    now = {f: v for (ref, f), v in changes(here, back.plan.id).items() if ref == mailed and f in lent}
    assert now == {field: (new, None) for field, (_, new) in lent.items()}
    assert here.sync().planned == 0

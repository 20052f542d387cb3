"""Dead letters as a person meets them: listed with the way out, shown whole, tried again, given up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.cli.installation import here
from omnihub.flow import make_and_store_plan
from omnihub.flow.letters import KEY, letter_id
from omnihub.flow.pushing import keep_receipts
from omnihub.model import Outcome
from omnihub.push import Receipt
from omnihub.store import Store, schema
from tests.cli import test_judging as judging
from tests.cli.conftest import omnihub
from tests.flow.test_deciding import A, B
from tests.flow.test_letters import CHANGE, refuse

made, hub, store = judging.made, judging.hub, judging.store  # fixtures


def facts(*words: str) -> Any:
    said = omnihub(*words, "--json")
    assert said.code == 0, said.err
    return said.facts


def test_no_letters_is_good_news(store: Store) -> None:
    assert "no dead letters" in omnihub("letters").out
    assert facts("letters", "list") == []


def test_letters_are_listed_with_the_way_out(store: Store) -> None:
    refuse(store, CHANGE, (B, "phone", None, "+491"), code="DUPLICATE_VALUE", message="duplicate")
    told = omnihub("letters").out
    assert letter_id(A) in told
    assert "merge the two records there" in told
    assert told == omnihub("letters", "list").out
    assert [one["ref"] for one in facts("letters", "list", "--system", "crm")] == [A, B]
    assert facts("letters", "list", "--system", "shop") == []


def test_a_letter_is_shown_whole(store: Store) -> None:
    refuse(store, CHANGE)
    told = omnihub("letters", "show", letter_id(A)).out
    for part in (
        "+4930901820",
        "+49309018201",
        "TOO_LONG: is too long",
        "contact_0",
        "plan-1",
        "→ shorten it",
        "give-up",
    ):
        assert part in told
    [cell] = facts("letters", "show", A)["fields"]
    assert (cell["old"], cell["new"], cell["attempts"]) == ("+4930901820", "+49309018201", 1)
    unknown = omnihub("letters", "show", "letter-00")
    assert (unknown.code, "there is no dead letter letter-00" in unknown.err) == (1, True)


def test_a_letter_is_given_up_for_a_reason(store: Store) -> None:
    refuse(store, CHANGE)
    assert omnihub("letters", "give-up", A).code == 1
    assert facts("letters", "give-up", A, "--because", "an old number", "--by", "eva")["state"] == "given up"
    assert "given up by eva" in omnihub("letters", "show", A).out
    assert "given up" in omnihub("letters").out


def test_status_says_what_is_refused_and_why(store: Store) -> None:
    refuse(store, CHANGE)
    [cause] = omnihub("status", "--json").facts["letters"]
    assert (cause["count"], cause["given_up"], cause["systems"]) == (1, 0, [A.partition("/")[0]])
    with store.write() as c:
        c.execute(sa.update(schema.plans).values(state="applied"))
    said = omnihub("status").out
    assert "Refused by systems" in said
    assert cause["code"] in said


def test_a_letter_is_sealed_and_opened_with_a_key_the_hub_makes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, omnihub("letters", "new-key").out.strip())
    refuse(store, CHANGE)
    assert facts("letters", "show", A)["fields"][0]["new"] == "+49309018201"
    monkeypatch.setenv(KEY, omnihub("letters", "new-key").out.strip())
    locked = omnihub("letters")
    assert (locked.code, KEY in locked.err) == (1, True)


def test_one_letter_or_all_of_them(store: Store) -> None:
    for words in ((), (A, "--all")):
        assert omnihub("letters", "replay", *words).code == 2


@pytest.mark.long
def test_a_letter_is_tried_again(world: Path) -> None:
    assert omnihub("sync", "--dry-run", "--json").code == 0
    with here().hub() as hub:
        plan = make_and_store_plan(hub, "run")
        t = schema.changes
        with hub.store.read() as c:
            first = c.execute(sa.select(t).where(t.c.plan_id == plan.id).order_by(t.c.n).limit(1)).one()
        receipt = Receipt(first.ref, Outcome.REFUSED, (first.n,), {}, {first.field: first.new}, "no", "not today")
        keep_receipts(hub.store, plan.id, [receipt])
    planned = facts("letters", "replay", first.ref, "--plan", "--by", "eva")
    assert (planned["state"], planned["planned"], planned["still_dead"]) == ("ready", 1, [letter_id(first.ref)])
    assert omnihub("plan", "show", planned["plan"]).code == 0
    done = facts("letters", "replay", "--all", "--system", first.system)
    assert (done["written"], done["still_dead"]) == (1, [])
    assert facts("letters", "list") == []
    assert facts("letters", "replay", "--all")["state"] == "nothing to do"
    assert [row["author"] for row in facts("audit", "list", "--what", "replay planned")][:1] == ["eva"]
    assert facts("audit", "verify")["whole"]

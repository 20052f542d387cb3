"""Findings as a person meets them: in groups with a sentence each, shown, ignored, assigned and reopened."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow.grouping import MANY
from omnihub.store import Store, schema
from tests.cli import test_judging as judging
from tests.cli.conftest import omnihub
from tests.flow.test_findings import expired, found, see

made, hub, store = judging.made, judging.hub, judging.store  # fixtures


def facts(*words: str) -> Any:
    said = omnihub("findings", *words, "--json")
    assert said.code == 0, said.err
    return said.facts


def test_nothing_is_good_news(store: Store) -> None:
    with store.write() as c:
        c.execute(sa.delete(schema.findings))
    assert "nothing stands" in omnihub("findings").out
    assert facts() == {"groups": [], "count": 0}


def test_what_stands_is_listed_in_groups_with_the_money_and_a_name_to_decide_by(store: Store) -> None:
    see(store, *(expired(n, at_stake="1000.50") for n in range(MANY)), found(20, "value_invalid", field="phone"))
    told = omnihub("findings", "--system", "shop").out
    for part in ("Price list EUR-B of 3 May 2026", "10,005.00 EUR", "phone", "shop/items/20"):
        assert part in told
    [first, second] = facts("--system", "shop")["groups"]
    assert first["says"] == f"Price list EUR-B of 3 May 2026 missing in shop: {MANY} products"
    assert (first["severity"], first["findings"], first["at_stake"]) == (
        "high", MANY, [{"currency": "EUR", "amount": "10005.00"}],
    )  # fmt: skip
    assert [one["what"] for one in facts("--kind", "value_invalid")["groups"]] == [second["what"]] == ["shop/items/20"]
    assert facts("--owner", "nobody")["count"] == 0


def test_a_group_is_shown_ignored_assigned_and_reopened_by_its_name(store: Store) -> None:
    see(store, *(expired(n) for n in range(MANY)))
    [group] = facts("--system", "shop")["groups"]
    name = group["what"][:10]
    assert facts("show", name)["count"] == MANY
    ignored = facts("ignore", name, "--because", "the list is being entered", "--until", "2999-01-31", "--by", "eva")
    assert (ignored["count"], ignored["until"]) == (MANY, "2999-02-01T00:00:00Z")
    assert facts("--system", "shop")["count"] == 0
    assert facts("--state", "ignored")["count"] == 1
    assert "ignored until 2999-02-01T00:00:00Z by eva" in " ".join(omnihub("findings", "show", name).out.split())
    assert facts("assign", name, "bob")["to"] == "bob"
    assert [one["owner"] for one in facts("--owner", "bob")["groups"]] == ["bob"]
    assert f"{MANY} findings" in omnihub("findings", "reopen", name).out
    assert "nothing is new" in omnihub("findings", "reopen", name).out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("ignore", "shop/items/1"), 1, "say why"),
        (("ignore", "shop/items/1", "--because", "x", "--until", "someday"), 2, "write it as 2027-01-31"),
        (("ignore", "shop/items/99", "--because", "x"), 1, "is none there"),
        (("--state", "closed"), 2, "there is no state closed"),
        (("--kind", "price"), 2, "there is no kind price"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_out(
    store: Store, words: tuple[str, ...], code: int, told: str
) -> None:
    see(store, found())
    said = omnihub("findings", *words)
    assert said.code == code
    assert told in " ".join(said.err.split())

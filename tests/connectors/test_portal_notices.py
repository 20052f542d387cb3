"""The portal: the hub's findings as consistency reports, there once, closed by somebody, and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.portal import connector
from connectors.portal.notices import SETTLED
from connectors.portal.sandbox import standin
from omnihub.model import Outcome
from omnihub.sandbox.kit import Running
from omnihub.sdk import Http, open_client
from omnihub.sdk.reporting import Notice, Standing

PETRA = "Petra Vogt"
KEY = "omnihub-1"
assert connector.place
assert connector.place.read
put, clear, remove, read = connector.place.put, connector.place.clear, connector.place.remove, connector.place.read


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with Running([standin(quotas=())]) as run:
        yield run


@pytest.fixture
def portal(served: Running) -> standin:
    found = served.standins["portal"]
    assert isinstance(found, standin)
    found.state.clear()
    return found


@pytest.fixture
def http(served: Running, portal: standin) -> Http:
    client: Http = open_client(connector, {"url": served.urls["portal"], **standin.credentials})
    return client


def notice(title: str, ref_id: str | None = "acc_00000001", key: str = KEY) -> Notice:
    return Notice(key, ref_id, "accounts", title, f"- {title}", "high", {"kind": "value_differs"})


def left(http: Http, *notices: Notice, id_: str | None = None) -> list[str | None]:
    answers = list(put(http, [(one, id_) for one in notices]))
    assert [answer.outcome for answer in answers] == [Outcome.WRITTEN] * len(notices)
    return [answer.id for answer in answers]


def reports(http: Http) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = http.get_ok("/v1/consistency-reports").json()["items"]
    return [item for item in items if not item["deleted_at"]]


def test_a_finding_is_one_report_at_its_record_replaced_in_place(http: Http) -> None:
    [first] = left(http, notice("Erst"))
    assert left(http, notice("Dann"), id_=first) == [first]
    assert left(http, notice("Zuletzt", None)) == [first]  # the hub may have lost the id
    [report] = reports(http)
    assert (report["title"], report["text"], report["severity"]) == ("Zuletzt", "- Zuletzt", "high")
    assert (report["about"], report["state"]) == (None, "open")
    left(http, notice("Erst"))
    assert reports(http)[0]["about"] == {"kind": "accounts", "id": "acc_00000001"}


def test_one_the_portal_refuses_leaves_the_others(http: Http) -> None:
    answers = list(put(http, [(notice(""), None), (notice("x", key="omnihub-2"), None)]))
    assert [answer.outcome for answer in answers] == [Outcome.REFUSED, Outcome.WRITTEN]
    assert "title" in answers[0].message


def test_what_is_put_right_is_resolved_once_and_says_nothing_any_more(http: Http, portal: standin) -> None:
    [id_] = left(http, notice("x"))
    assert [answer.outcome for answer in clear(http, [(KEY, None)])] == [Outcome.WRITTEN]
    [report] = reports(http)
    assert (report["state"], report["text"], report["findings"]) == ("resolved", SETTLED, [])
    version = portal.state.get("consistency-reports", str(id_)).version  # type: ignore[union-attr]
    assert [answer.id for answer in clear(http, [(KEY, id_), ("omnihub-9", None)])] == [id_, None]
    assert portal.state.get("consistency-reports", str(id_)).version == version  # type: ignore[union-attr]


def test_who_closed_one_is_read_and_what_comes_back_is_open_again(http: Http, portal: standin) -> None:
    [id_] = left(http, notice("x"))
    assert [one.state for one in read(http, [(KEY, None)])] == [Standing.OPEN]
    portal.edit_as(PETRA, "consistency-reports", str(id_), {"state": "closed"})
    [seen] = read(http, [(KEY, id_)])
    assert (seen.id, seen.state, seen.by) == (id_, Standing.CLOSED, PETRA)
    assert seen.at
    assert left(http, notice("x"), id_=id_) == [id_]
    [report] = reports(http)
    assert (report["state"], report["closed_by"]) == ("open", None)


def test_taken_away_nothing_of_it_is_left_and_its_key_can_be_used_again(http: Http, portal: standin) -> None:
    before = portal.dump()
    left(http, notice("x"), notice("y", key="omnihub-2"))
    for _ in range(2):
        answers = list(remove(http, [(KEY, None), ("omnihub-2", "rep_00000002")]))
        assert {answer.outcome for answer in answers} == {Outcome.WRITTEN}
        assert sorted(answer.n for answer in answers) == [0, 1]
    assert portal.dump() == before
    assert list(read(http, [(KEY, None)])) == []
    left(http, notice("z"))
    assert [report["title"] for report in reports(http)] == ["z"]

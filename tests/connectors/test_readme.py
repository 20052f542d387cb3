"""The page on adding a connector keeps its word: its example, as printed, reads and writes over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from omnihub.model import Op, Outcome
from omnihub.sandbox.kit import Call, Reply, Running, Standin, merge, route
from omnihub.sdk import Connector, Page, Row, Want, open_client

PAGE = Path(__file__).parents[2] / "connectors" / "README.md"
NOW = datetime.now(UTC) + timedelta(seconds=60)  # no cursor passes the hub's clock: the stand-in's must be behind it


class Acme(Standin):
    """The system the page speaks of, which nobody has seen."""

    system, role = "acme", "crm"

    @route("GET", "/v1/dealers")
    def dealers(self, call: Call) -> Reply:
        found = self.state.by_time(
            "dealers",
            since=call.param("updated_after"),
            limit=int(call.param("limit")) + int(call.param("offset", "0")),
        )
        return Reply(200, {"data": [self.shown(o) for o in found[int(call.param("offset", "0")) :]]})

    @route("GET", "/v1/dealers/{id}")
    def dealer(self, call: Call) -> Reply:
        found = self.state.get("dealers", call.path["id"])
        return Reply(200, self.shown(found)) if found else self.error(404)

    @route("PATCH", "/v1/dealers/{id}")
    def change(self, call: Call) -> Reply:
        found = self.state.get("dealers", call.path["id"])
        if found is None:
            return self.error(404)
        merge(found.body, call.json())
        self.state.save(found)
        return Reply(200, self.shown(found))

    def shown(self, obj: Any) -> dict[str, Any]:
        return {**obj.body, "id": obj.id, "updated_at": obj.updated_at}

    def authorized(self, call: Call) -> bool:
        return call.headers.get("authorization") == "Bearer t"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"error": message})


@pytest.fixture
def connector() -> Connector:
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    made: dict[str, Any] = {}
    exec(compile(example, str(PAGE), "exec"), made)  # the page is ours
    found = made["connector"]
    assert isinstance(found, Connector)
    return found


@pytest.fixture
def acme() -> Iterator[tuple[Acme, str]]:
    standin = Acme()
    for n in range(1, 251):
        body = {"company": f"Dealer {n}", "state": "A", "phone": "030 1", "address": {"city": "Ulm", "country": "DE"}}
        standin.state.create("dealers", str(n), body)
    with Running([standin]) as running:
        yield standin, running.urls["acme"]


def pulled(connector: Connector, client: Any, since: str | None = None) -> list[Page]:
    pull = connector.stream("dealers").pull
    assert pull
    return list(pull(client, Want(since=since, complete=since is None, now=NOW)))


def test_the_example_is_short() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 30


def test_the_example_reads_everything_and_then_only_what_changed(connector: Connector, acme: tuple[Acme, str]) -> None:
    standin, url = acme
    client = open_client(connector, {"url": url, "token": "t"})
    pages = pulled(connector, client)
    assert [len(p.records) for p in pages] == [100, 99, 51], "a page begins with the last record of the one before"
    assert pages[-1].complete
    changed = standin.state.get("dealers", "7")
    assert changed
    standin.state.save(changed)
    again = pulled(connector, client, since=pages[-1].cursor)
    assert {r.id for p in again for r in p.records} == {"7", "250"}  # from the cursor on, the last one included


def test_the_example_writes_what_it_may_and_reads_it_back(connector: Connector, acme: tuple[Acme, str]) -> None:
    client = open_client(connector, {"url": acme[1], "token": "t"})
    stream = connector.stream("dealers")
    assert stream.push
    body = stream.fields.body({"city": "Köln", "phone": "+49301"})
    row = Row(n=0, op=Op.UPDATE, id="3", body=body, fields={}, before={}, key="g")
    assert [a.outcome for a in stream.push.update(client, [row])] == [Outcome.WRITTEN]
    [page] = stream.push.look(client, ["3"])
    assert b'"city":"K\xc3\xb6ln"' in page.records[0].raw
    assert b'"country":"DE"' in page.records[0].raw  # the rest of the address is as it was

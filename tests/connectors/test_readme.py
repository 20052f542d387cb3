"""The page on adding a connector keeps its word: its example, as printed, reads and writes the stand-in made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from omnihub.model import Op, Outcome
from omnihub.sandbox.derived import Derived, derive
from omnihub.sandbox.kit import Running
from omnihub.sdk import Connector, Page, Row, Want, open_client

PAGE = Path(__file__).parents[2] / "connectors" / "README.md"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
Served = tuple[Derived, Any]


@pytest.fixture
def connector() -> Connector:
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    made: dict[str, Any] = {}
    exec(compile(example, str(PAGE), "exec"), made)  # the page is ours
    found = made["connector"]
    assert isinstance(found, Connector)
    return found


@pytest.fixture
def acme(connector: Connector) -> Iterator[Served]:
    """What the page promises: a stand-in nobody wrote, and the connector's client of it."""
    standin = derive(connector)(now=lambda: NOW)
    standin.seed_samples(250)
    with Running([standin]) as running:
        yield standin, open_client(connector, {"url": running.urls["acme"], **standin.credentials})


def pulled(connector: Connector, client: Any, since: str | None = None) -> list[Page]:
    pull = connector.stream("dealers").pull
    assert pull
    return list(pull(client, Want(since=since, complete=since is None, now=NOW)))


def test_the_example_is_short() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 30


def test_the_example_reads_everything_and_then_only_what_changed(connector: Connector, acme: Served) -> None:
    standin, client = acme
    pages = pulled(connector, client)
    assert [len(p.records) for p in pages] == [100, 99, 51], "a page begins with the last record of the one before"
    assert pages[-1].complete
    standin.edit("dealers", "dealers-7", {"city": "Bonn"})
    again = pulled(connector, client, since=pages[-1].cursor)
    assert {r.id for p in again for r in p.records} == {
        "dealers-7",
        "dealers-250",
    }  # from the cursor on


def test_the_example_writes_what_it_may_and_reads_it_back(connector: Connector, acme: Served) -> None:
    _, client = acme
    stream = connector.stream("dealers")
    assert stream.push
    body = stream.fields.body({"city": "Köln", "phone": "+49301"})
    row = Row(n=0, op=Op.UPDATE, id="dealers-3", body=body, fields={}, before={}, key="g")
    assert [a.outcome for a in stream.push.update(client, [row])] == [Outcome.WRITTEN]
    [page] = stream.push.look(client, ["dealers-3"])
    assert b'"city":"K\xc3\xb6ln"' in page.records[0].raw
    assert b'"country":"DE"' in page.records[0].raw  # the rest of the address is as it was

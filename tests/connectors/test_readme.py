"""The page on adding a connector keeps its word: its example, as printed, and every command it tells to type."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pytest

import connectors
from connectors.portal.sandbox import standin as Portal
from omnihub.config import Config, load
from omnihub.conformance import check
from omnihub.definitions import definitions, run_sync
from omnihub.errors import ConfigError
from omnihub.model import Op, Outcome
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.derived import derive
from omnihub.sandbox.kit import Call, Reply, Running, Standin, merge, route
from omnihub.sdk import Connector, Page, Row, Want, open_client

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "connectors" / "README.md").read_text()
[EXAMPLE] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [
    line.partition("#")[0].strip() for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]  # fmt: skip
NOW = datetime(2026, 11, 21, tzinfo=UTC)
Served = tuple[Any, Any]


class Acme(Standin):
    """Acme as its vendor's document has it, written by hand and knowing nothing of the declaration."""

    system, role = "acme", "acme"
    credentials: ClassVar = {"token": "a-token"}

    def native_id(self, stream: str, n: int) -> str:
        return f"{stream}-{n}"

    def native(self, stream: str, fields: Any) -> dict[str, Any]:
        body = {"company": fields.get("name"), "phone": fields.get("phone")}
        address = {name: fields[name] for name in ("city", "country") if name in fields}
        state = {"active": "A", "former": "X"}.get(fields.get("status", ""))
        return {**{k: v for k, v in body.items() if v}, "address": address, **({"state": state} if state else {})}

    def seed_samples(self, n: int) -> int:
        at = "2026-05-01T08:{:02}:{:02}.000000Z"
        fields = {"city": "Bern", "country": "DE", "status": "active"}
        return self.seed(
            Copy("", "dealers", k, {"name": f"Dealer {k}", **fields}, *[at.format(k // 60, k % 60)] * 2)
            for k in range(1, n + 1)
        )

    def authorized(self, call: Call) -> bool:
        return call.headers.get("authorization") == "Bearer a-token"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"message": message}, {"Retry-After": "1"} if wait_s else {})

    @route("GET", "/v1/dealers")
    def listed(self, call: Call) -> Reply:
        start, size = int(call.param("offset", "0")), min(100, int(call.param("limit", "20")))
        assert call.param("sort") == "updated_at"
        found = self.state.by_time("dealers", since=call.param("updated_after"), limit=start + size, deleted=False)
        return Reply(200, {"data": [self._shown(obj) for obj in found[start:]]})

    @route("GET", "/v1/dealers/{id}")
    def one(self, call: Call) -> Reply:
        found = self.state.get("dealers", call.path["id"])
        return Reply(200, self._shown(found)) if found and not found.deleted else self.error(404)

    @route("PATCH", "/v1/dealers/{id}")
    def change(self, call: Call) -> Reply:
        found = self.state.get("dealers", call.path["id"])
        if found is None:
            return self.error(404)
        merge(found.body, call.json())
        self.state.save(found)
        return Reply(204)

    @staticmethod
    def _shown(obj: Any) -> dict[str, Any]:
        return {"id": obj.id, "updated_at": obj.updated_at, **obj.body}


@pytest.fixture(scope="module")
def connector() -> Connector:
    made: dict[str, Any] = {}
    exec(compile(EXAMPLE, "connectors/README.md", "exec"), made)  # the page is ours
    found = made["connector"]
    assert isinstance(found, Connector)
    return found


@pytest.fixture(params=["derived", "by hand"])
def acme(connector: Connector, request: pytest.FixtureRequest) -> Iterator[Served]:
    """The stand-in nobody wrote, or Acme itself as far as we know it; and the connector's client of it."""
    kind: Any = derive(connector) if request.param == "derived" else Acme
    standin = kind(now=lambda: NOW)
    standin.seed_samples(250)
    with Running([standin]) as running:
        yield standin, open_client(connector, {"url": running.urls["acme"], **standin.credentials})


def pulled(connector: Connector, client: Any, since: str | None = None) -> list[Page]:
    pull = connector.stream("dealers").pull
    assert pull
    return list(pull(client, Want(since=since, complete=since is None, now=NOW)))


def test_the_example_is_short() -> None:
    assert len([line for line in EXAMPLE.splitlines() if line.strip()]) <= 30


def test_the_example_reads_everything_and_then_only_what_changed(connector: Connector, acme: Served) -> None:
    standin, client = acme
    pages = pulled(connector, client)
    assert [len(p.records) for p in pages] == [100, 99, 51], "a page begins with the last record of the one before"
    assert pages[-1].complete
    standin.edit("dealers", "dealers-7", {"city": "Bonn"})
    again = pulled(connector, client, since=pages[-1].cursor)
    assert {r.id for p in again for r in p.records} == {"dealers-7", "dealers-250"}  # from the cursor on


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


# -- in the hub ------------------------------------------------------------------------------------------------------


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example as one more file of `connectors`."""
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "acme.py").write_text(EXAMPLE)
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(folder)])
    importlib.invalidate_caches()
    yield folder / "acme.py"
    sys.modules.pop("connectors.acme", None)


TOWNS = ("Ulm", "Bonn", "Kiel", "Jena", "Trier", "Gera")
FIRMS = ("Adler Antriebe", "Becker Behälter", "Conrad Dichtungen", "Dietz Getriebe", "Ebner Hydraulik", "Falk Lager")


def firms(system: str, at: str) -> Iterator[Copy]:
    for n, (name, town) in enumerate(zip(FIRMS, TOWNS, strict=True), 1):
        phone = f"+49 30 55{n:02}{'01' if system == 'portal' else '99'}"
        fields = {"name": f"{name} GmbH", "city": town, "country": "DE", "phone": phone}
        yield Copy("", "accounts" if system == "portal" else "dealers", n, fields, at, at)


@pytest.fixture
def hub(added: Path, tmp_path: Path) -> Iterator[tuple[Config, Acme]]:
    """A hub with the portal and Acme, which know the same firms; the portal was told their numbers last."""
    portal, acme = Portal(quotas=()), Acme()
    portal.seed(firms("portal", "2026-10-01T08:00:00.000000Z"))
    acme.seed(firms("acme", "2025-03-01T08:00:00.000000Z"))
    with Running([portal, acme]) as running:
        environ = {"OMNIHUB_HOME": str(tmp_path / "home")}
        for standin in (portal, acme):
            given = {"url": running.urls[standin.system], **standin.credentials}
            environ |= {f"OMNIHUB_{standin.system}_{name}".upper(): value for name, value in given.items()}
        file = tmp_path / "omnihub.yaml"
        file.touch()
        yield load(file, connectors=connectors.find(), environ=environ), acme


def test_it_has_its_assets_in_dagster(hub: tuple[Config, Acme]) -> None:
    made = definitions(hub[0], connectors.find())
    keys = {key.to_user_string() for key in made.resolve_asset_graph().get_all_asset_keys()}
    promised = set(re.findall(r"`((?:source|push|target)/\S+|acme/dealers)`", TEXT))
    assert promised == {"source/acme", "acme/dealers", "push/acme/dealers", "target/acme"}
    assert promised <= keys


@pytest.mark.long
def test_a_sync_writes_it_and_then_there_is_nothing_to_say(hub: tuple[Config, Acme]) -> None:
    config, acme = hub
    with dg.DagsterInstance.ephemeral() as instance:
        first, second = [run_sync(config, instance=instance) for _ in range(2)]
    assert (first["state"], first["balanced"], first["stopped"]) == ("ok", True, {})
    phones = [obj["phone"] for obj in acme.dump()["dealers"].values()]
    assert phones == [f"+493055{n:02}01" for n in range(1, len(FIRMS) + 1)], "what the portal says"
    assert (second["state"], second["push"]["planned"]) == ("ok", 0)


def test_a_mistake_in_it_is_said_as_the_page_says(added: Path) -> None:
    [promised] = re.findall(r"^`(connectors/acme\.py:\d+: .*)`$", TEXT, re.MULTILINE)
    added.write_text(EXAMPLE.replace('fields=("phone"', 'fields=("phoen"'))
    with pytest.raises(ConfigError) as refused:
        connectors.find()
    assert str(refused.value) == promised


# -- every command ---------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_suite_is_green_on_the_example(connector: Connector) -> None:
    verdicts = check(connector, derive(connector), [], lambda _: None)
    assert [(v.rule, v.why) for v in verdicts if v.state == "broken"] == []
    assert [v.rule for v in verdicts if v.state != "kept"] == [
        "made once",  # it creates nothing,
        "forgotten",  # erases nobody,
        "told once",  # and has no place for notices
    ]
    [promised] = re.findall(r"# (\d+) rules over real HTTP", TEXT)
    assert int(promised) == len(verdicts)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    for name in ("omnihub", "connectors", "assets"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "OMNIHUB_HOME": str(tmp_path / "home")}

    def typed(command: str) -> str:
        words = [sys.executable, "-m", *command.split()]
        done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    typed("omnihub sandbox reset --customers 100 --seed 1")
    assert COMMANDS[0] == "omnihub sync"
    assert planned(typed(COMMANDS[0])) > 0

    (tmp_path / "connectors" / "acme.py").write_text(EXAMPLE)
    assert COMMANDS[1:6] == [
        "omnihub connectors acme",
        "omnihub test-connector acme",
        "omnihub sandbox serve acme",
        "omnihub sync acme --dry-run",
        "omnihub sync acme",
    ]
    assert "stand-in: derived" in typed(COMMANDS[1])
    assert "✗" not in typed(COMMANDS[2])
    assert "guessed:" in served(COMMANDS[3], tmp_path, environ)
    assert typed(COMMANDS[4])
    assert planned(typed(COMMANDS[5])) > 0
    typed("omnihub sync")
    assert planned(typed("omnihub sync acme")) == 0


def planned(text: str) -> int:
    [found] = re.findall(r"✓ planned (\d+) = \d+ written \+ 0 refused", text)
    return int(found)


def served(command: str, folder: Path, environ: dict[str, str]) -> str:
    """What a command that serves until Ctrl-C says before that."""
    words = [sys.executable, "-um", *command.split()]
    with subprocess.Popen(words, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if "guessed:" in line:
                break
        process.send_signal(signal.SIGINT)
        return said

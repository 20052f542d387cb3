"""A connector is found by the file it lies in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import connectors
from omnihub.errors import ConfigError
from omnihub.sandbox.derived import Derived
from omnihub.sandbox.kit import Standin
from omnihub.sdk import Connector

A_CONNECTOR = """
from omnihub.sdk import Connector
connector = Connector("{name}", "Title", "crm", streams=())
"""
A_STANDIN = """
from omnihub.sandbox.kit import Standin
class Mine(Standin):
    system, role = "acme", "crm"
"""

Folder = Callable[[dict[str, str]], str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Makes a folder of connectors of these files and returns its package name, another one for each test."""

    def make(files: dict[str, str]) -> str:
        package = tmp_path / f"outside_{tmp_path.name.replace('-', '_')}"
        for name, text in {"__init__.py": "", **files}.items():
            path = package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return package.name

    return make


def test_files_and_folders_are_found_in_the_order_of_the_alphabet(folder: Folder) -> None:
    package = folder({"zulu.py": A_CONNECTOR.format(name="zulu"), "acme/__init__.py": A_CONNECTOR.format(name="acme")})
    assert list(connectors.find(package)) == ["acme", "zulu"]


def test_what_declares_no_connector_is_not_one(folder: Folder) -> None:
    package = folder({"notes.py": "x = 1", "_draft.py": "raise ValueError"})
    assert connectors.find(package) == {}


def test_a_broken_file_is_named_with_its_line(folder: Folder) -> None:
    package = folder({"acme.py": "\n\nraise KeyError('oops')"})
    with pytest.raises(ConfigError, match=rf"{package}/acme.py:3: does not load: KeyError: 'oops'"):
        connectors.find(package)


def test_a_file_that_is_not_python_is_named_with_its_line(folder: Folder) -> None:
    package = folder({"acme.py": "x = 1\nconnector = ("})
    with pytest.raises(ConfigError, match=rf"{package}/acme.py:2: does not load: SyntaxError"):
        connectors.find(package)


def test_the_connectors_own_line_is_named_not_that_of_what_it_called(folder: Folder) -> None:
    package = folder({"acme.py": "import json\n\njson.loads('{')"})
    with pytest.raises(ConfigError, match=rf"{package}/acme.py:3: does not load: JSONDecodeError"):
        connectors.find(package)


def test_a_connector_must_be_named_like_its_file(folder: Folder) -> None:
    package = folder({"acme.py": A_CONNECTOR.format(name="amce")})
    with pytest.raises(ConfigError, match=r"acme\.py: its connector is named 'amce'; name it 'acme'"):
        connectors.find(package)


def test_a_connector_must_be_a_connector(folder: Folder) -> None:
    package = folder({"acme.py": "connector = {}"})
    with pytest.raises(ConfigError, match=r"acme\.py: `connector` is dict; write connector = Connector"):
        connectors.find(package)


def test_a_stand_in_is_found_beside_its_connector(folder: Folder) -> None:
    files = {"acme/__init__.py": A_CONNECTOR.format(name="acme"), "acme/sandbox.py": A_STANDIN}
    found = connectors.standins(folder({**files, "plain.py": A_CONNECTOR.format(name="plain")}))
    assert {name: standin.__name__ for name, standin in found.items()} == {"acme": "Mine"}


A_DECLARED_ONE = """
from omnihub.sdk import Connector, Entity, Pages, Setting, Stream
stream = Stream("dealers", Entity.ACCOUNT, {{"name": "name"}}, {pull})
connector = Connector("{name}", "Title", "crm", streams=(stream,), settings=(Setting("url", "where"),))
"""


def test_a_declared_connector_without_a_stand_in_gets_one_derived(folder: Folder) -> None:
    found = connectors.standins(folder({
        "acme.py": A_DECLARED_ONE.format(name="acme", pull='Pages("/dealers")'),
        "code.py": A_DECLARED_ONE.format(name="code", pull="lambda client, want: iter(())"),
        "own/__init__.py": A_DECLARED_ONE.format(name="own", pull='Pages("/dealers")'),
        "own/sandbox.py": A_STANDIN,
    }))  # fmt: skip
    assert {name: issubclass(standin, Derived) for name, standin in found.items()} == {"acme": True, "own": False}
    assert found["acme"].system == "acme"


def test_finding_connectors_does_not_load_their_stand_ins(folder: Folder) -> None:
    package = folder(
        {"acme/__init__.py": A_CONNECTOR.format(name="acme"), "acme/sandbox.py": "raise ValueError('late')"}
    )
    assert list(connectors.find(package)) == ["acme"]
    with pytest.raises(ConfigError, match=r"acme/sandbox\.py:1: does not load: ValueError: late"):
        connectors.standins(package)


def test_a_sandbox_file_without_a_stand_in_is_refused(folder: Folder) -> None:
    package = folder({"acme/__init__.py": A_CONNECTOR.format(name="acme"), "acme/sandbox.py": ""})
    with pytest.raises(ConfigError, match=r"acme/sandbox\.py: has 0 stand-ins"):
        connectors.standins(package)


def test_every_connector_of_ours_is_a_value_with_a_stand_in_for_it() -> None:
    found = connectors.find()
    assert all(isinstance(connector, Connector) for connector in found.values())
    standins = connectors.standins()
    assert standins.keys() == found.keys()
    for name, standin in standins.items():
        assert issubclass(standin, Standin)
        assert standin.system == name
        assert not issubclass(standin, Derived)  # each of ours has manners worth writing down

"""The walls of the house: who may import whom, where a vendor's words may stand, and what the middle may not know."""

from __future__ import annotations

import ast
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PURE_STEPS = ("match", "merge", "compare", "report")
THE_WORLD = {"sqlalchemy", "requests", "socket", "time", "random", "secrets", "uuid", "omnihub.store", "omnihub.config"}
OUR_CODE = ("omnihub", "connectors", "assets", "tests")
AT_THE_TOP = {
    "pyproject.toml", "README.md", "Makefile", "dagster.yaml", "workspace.yaml",
    "omnihub", "connectors", "assets", "tests",
}  # fmt: skip


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def pure_modules() -> list[Path]:
    return [
        path
        for step in PURE_STEPS
        for path in (ROOT / "omnihub" / f"{step}.py", *(ROOT / "omnihub" / step).rglob("*.py"))
        if path.exists()
    ]


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_import_goes_the_way_the_contracts_say() -> None:
    lint = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_module_of_the_hub_has_its_place_in_the_layers() -> None:
    layers = " ".join(PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"])
    placed = set(re.findall(r"omnihub\.(\w+)", layers))
    there = {path.stem for path in (ROOT / "omnihub").iterdir() if path.suffix == ".py" or any(path.glob("*.py"))}
    assert there - {"__init__"} <= placed


def test_the_contract_of_the_middle_names_every_step_of_it() -> None:
    contract = next(c for c in PYPROJECT["tool"]["importlinter"]["contracts"] if c["id"] == "pure")
    there = {f"omnihub.{path.relative_to(ROOT / 'omnihub').parts[0].removesuffix('.py')}" for path in pure_modules()}
    assert set(contract["source_modules"]) == there


@pytest.mark.parametrize("path", pure_modules(), ids=short)
def test_the_middle_takes_data_and_returns_data(path: Path) -> None:
    """No store, no network, no clock, no chance in match, merge, compare and report: they are passed in."""
    assert [name for name in imports(path) if any(f"{name}.".startswith(f"{world}.") for world in THE_WORLD)] == []
    assert not re.search(r"\b(datetime\.(now|utcnow|today)|date\.today)\(", path.read_text())


@pytest.mark.parametrize("path", modules("assets"), ids=short)
def test_assets_keep_annotations_that_dagster_can_read(path: Path) -> None:
    assert "__future__.annotations" not in list(imports(path))


@pytest.mark.parametrize("path", modules("omnihub", "connectors", "assets"), ids=short)
def test_every_module_begins_by_saying_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree)


def test_no_module_is_named_for_being_a_leftover() -> None:
    leftovers = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "misc"}
    assert [path for path in modules(*OUR_CODE) if {path.stem, path.parent.name} & leftovers] == []


def test_the_top_of_the_project_stays_short() -> None:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("no git checkout: what belongs to the project and what a run left behind cannot be told apart")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {line.split("/")[0] for line in listed.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= AT_THE_TOP


def test_no_address_of_a_package_index_is_in_the_locks() -> None:
    for lock in sorted((ROOT / ".requirements").iterdir()):
        lines = lock.read_text().splitlines()
        assert [line for line in lines if re.search(r"://|^\s*--(index|extra-index|find-links)", line)] == []
        pinned = [line for line in lines if re.match(r"[a-z0-9]", line)]
        assert len(pinned) > 50
        assert [line for line in pinned if "==" not in line] == []


def test_no_test_can_leave_this_machine() -> None:
    with pytest.raises(BaseException, match=r"a test wanted to look up shop\.test: use a stand-in on loopback"):
        socket.create_connection(("shop.test", 80), timeout=1)

"""`omnihub match`: how good the matching is on a file of one's own."""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml
from rich.console import Console

from omnihub.cli import screen
from omnihub.engine import connection
from omnihub.errors import ConfigError
from omnihub.match.evaluate import column_there, evaluate_names, evaluate_table
from omnihub.match.mapped import AGAINST, DATA, Map, map_from
from omnihub.model import Entity

STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class File:
    """A file of records: Parquet, CSV or JSON lines, as its name says (.gz too where DuckDB reads it)."""

    path: Path
    scan: str

    @property
    def columns(self) -> list[str]:
        """Their names, in order."""
        return list(self._table("LIMIT 0").column_names)

    def read(self, names: Collection[str] | None = None) -> pa.Table:
        """These columns, or all; those of texts as they stand, no type is guessed."""
        picked = "*" if names is None else ", ".join(_quoted(name) for name in names)
        return self._table("", picked)

    def _table(self, more: str, picked: str = "*") -> pa.Table:
        con = connection()
        try:
            return con.sql(f"SELECT {picked} FROM {self.scan} {more}", params=[str(self.path)]).to_arrow_table()
        except duckdb.Error as error:
            raise ConfigError(f"{self.path}: can't be read: {_first_line(error)}") from None
        finally:
            con.close()


_SCANS = {
    "parquet": "read_parquet(?)",
    "csv": "read_csv(?, all_varchar = true, header = true)",
    "tsv": "read_csv(?, all_varchar = true, header = true)",
}
_SUFFIX = re.compile(r"\.(parquet|csv|tsv|json|jsonl|ndjson)(?:\.gz)?$", re.IGNORECASE)


def file(path: Path) -> File:
    """The file of this path, if it is one that can be read."""
    found = _SUFFIX.search(path.name)
    if found is None:
        raise ConfigError(f"{path}: what kind of file? Name it .parquet, .csv, .tsv, .json or .jsonl")
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file")
    kind = found[1].lower()
    return File(path, _SCANS.get(kind) or _json_scan(path))


def _json_scan(path: Path) -> str:
    """A scan whose columns are the keys of all objects, each value the text that stands there."""
    con = connection()
    try:
        keys = con.execute(
            "SELECT DISTINCT unnest(json_keys(json)) FROM read_json_objects(?, format = 'auto') ORDER BY ALL",
            [str(path)],
        ).fetchall()
    except duckdb.Error as error:
        raise ConfigError(f"{path}: can't be read: {_first_line(error)}") from None
    finally:
        con.close()
    if not keys:
        raise ConfigError(f"{path}: holds no objects; one JSON object a line is a record")
    picked = ", ".join(f"json ->> '{_pointer(key)}' AS {_quoted(key)}" for (key,) in keys)
    return f"(SELECT {picked} FROM read_json_objects(?, format = 'auto'))"


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1").replace("'", "''")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


# -- the command -----------------------------------------------------------------------------------------------------


def evaluate(entity: str, data: Path, against: Path | None, map_: Path, truth: str, as_json: bool) -> None:
    """Match a file with itself, or two with each other; say how right that was."""
    with screen.progress() as told:
        facts = measured(entity, data, against, map_, truth, lambda step: told(step, 0, None))
    screen.tell(facts, as_json, lambda console: _draw(console, facts))


def measured(
    entity: str, data: Path, against: Path | None, map_: Path, truth: str, tell: Any = lambda _: None
) -> dict[str, Any]:
    """The facts, with what they cost: `seconds` from opening the files to the figures, `peak_mb` of this process."""
    began = time.monotonic()
    tell("read")
    first, second = file(data), file(against) if against else None
    wish = map_from(_yaml(map_), Entity(entity), first.columns, second.columns if second else None, map_.name)
    found = _names(wish, first, truth) if wish.pairs else _records(wish, first, second, truth, tell)
    return found | {"seconds": round(time.monotonic() - began, 3), "peak_mb": round(peak_mb(), 1)}


def _names(wish: Map, data: File, truth: str) -> dict[str, Any]:
    assert wish.pairs
    return evaluate_names(wish.entity, wish.pairs, data.read(), truth).facts()


def _records(wish: Map, data: File, against: File | None, truth: str, tell: Any) -> dict[str, Any]:
    pairs = None if truth in data.columns or not _SUFFIX.search(truth) else file(Path(truth)).read()
    files = {DATA: data} | ({AGAINST: against} if against else {})
    tables = []
    for system, one in files.items():
        if pairs is None:
            column_there(truth, one.columns, system)
        wanted = [*wish.sides[system].columns, *([truth] if pairs is None else [])]
        tables.append(one.read(list(dict.fromkeys(wanted))))
    return evaluate_table(wish, *tables, truth=truth if pairs is None else pairs, tell=tell).facts()


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is no YAML: {_first_line(error)}") from None


def peak_mb() -> float:
    """The most memory this process has had. Not `getrusage` where avoidable: a child starts there at its parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
    if found:
        return int(found[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


# -- for a person ----------------------------------------------------------------------------------------------------


def _draw(console: Console, facts: dict[str, Any]) -> None:
    cost = f"{screen.seconds(facts['seconds'])}, {facts['peak_mb']:.0f} MB"
    if "accuracy" in facts:
        screen.heading(console, f"{facts['pairs']:,} pairs of names ({facts['entity']})", cost)
        table = screen.table("accuracy", "precision", "recall", "F1", right=("accuracy", "precision", "recall", "F1"))
        table.add_row(*(screen.share(facts[key]) for key in ("accuracy", "precision", "recall", "f1")))
        screen.put(console, table)
        return
    records = " × ".join(f"{n:,}" for n in facts["records"].values())
    screen.heading(console, f"{records} records ({facts['entity']})", cost)
    table = screen.table("", "precision", "recall", "F1", right=("precision", "recall", "F1"))
    for name, key in (("pairwise", "pairwise"), ("B³", "b3")):
        table.add_row(name, *(screen.share(facts[key][one]) for one in ("precision", "recall", "f1")))
    screen.put(console, table)
    for line in _remarks(facts):
        console.print(f"  {line}")


def _remarks(facts: dict[str, Any]) -> list[str]:
    pairs, clusters, queued = facts["pairs"], facts["clusters"], facts["queued"]
    lines = [
        f"pairs     {pairs['found']:,} found, {pairs['true']:,} true, {pairs['right']:,} of them the same",
        f"clusters  {clusters['found']:,} found, {clusters['true']:,} true; the largest has {clusters['largest']:,}",
        (
            f"queue     {facts['queue']:,} for a person: {queued['guarded']:,} that a guard stopped, "
            f"{queued['unsure']:,} unsure pairs, of which {queued['unsure_true']:,} are true"
        ),
    ]
    if facts["unclean"]:
        told = ", ".join(f"{field} {n:,}" for field, n in facts["unclean"].items())
        lines.append(f"unclean   values that are no evidence: {told}")
    if facts["unused"]:
        lines.append(f"unused    matching doesn't look at: {', '.join(facts['unused'])}")
    if facts["unlabelled"]:
        lines.append(f"[yellow]![/] {facts['unlabelled']:,} records have no truth and are left out of the figures")
    if facts["truth_outside"]:
        lines.append(f"[yellow]![/] {facts['truth_outside']:,} true pairs name a record that isn't there; left out")
    return lines

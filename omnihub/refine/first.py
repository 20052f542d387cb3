"""First sight: records of which only one version is known, none was refined before, and to which we never wrote.

They have no history: every value is as old as the record, nothing is an echo, nothing was edited. So their rows are
made column by column, each distinct text looked at once, where `omnihub.refine` goes cell by cell through what was
before. Both ways say the same of such a record, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnihub.model import ENTITIES, Kind
from omnihub.refine.paths import json_path
from omnihub.refine.values import LOCAL, Cleaned, cleaned, excerpt, quoted
from omnihub.sdk import Codes, Const, FullName, Link, Path, Stream

NOT_JSON = '{"": ["the record is not JSON", ""]}'
_TIME = "\0"  # stands for the record's time in a pattern of times

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Settled = tuple[str | None, bool]
"""What a text says once codes and links are read, and whether that is canonical already."""


@dataclass(frozen=True)
class _Column:
    """What a field says in each record: the number of one of `texts`, -1 for nothing."""

    name: str
    kind: Kind
    part: str
    texts: Sequence[Settled]
    numbers: Numbers


def first_sight(con: duckdb.DuckDBPyConnection, system: str, stream: Stream, country: str | None) -> pa.Table:
    """The rows of all records in the table `sighted`, as `refine` gives them back, in no order."""
    found = _picked(con, stream)
    said = pc.invert(_whole(found, "deleted"))
    columns = _columns(system, stream, found, said)
    stamps = _encoded(_whole(found, "updated"))
    times = [None if n is None else cleaned(Kind.TIME, "", None, n)[0] for n in [*stamps[0], None]]
    values, problems = _values(columns, country)
    return pa.table(
        {
            **{name: found.column(name) for name in ("ref", "parent", "pointer", "raw_seq", "deleted")},
            "updated": _taken(times, stamps[1]),
            "fields": _object(values, found.num_rows),
            "times": _times(values, [c.name for c in columns], [quoted(t or "") for t in times], stamps[1]),
            **{name: _same(text, found.num_rows) for name, text in (("echoes", "[]"), ("edits", "[]"), ("own", "{}"))},
            "problems": pc.if_else(pc.and_(_whole(found, "broken"), said), NOT_JSON, _object(problems, found.num_rows)),
        }
    )


def _picked(con: duckdb.DuckDBPyConnection, stream: Stream) -> pa.Table:
    """One row a record, with the texts at its fields' paths in `c0`, `c1`, …"""
    inner = [json_path(w.path) for w in _mapped(stream).values() if not w.path.startswith("^")]
    outer = [json_path(w.path[1:]) for w in _mapped(stream).values() if w.path.startswith("^")]
    lists = [f"json_extract_string({body}, ${body})" for body, some in (("body", inner), ("outer_body", outer)) if some]
    texts = " || ".join(lists) or "[]::VARCHAR[]"
    columns = "".join(f", texts[{n + 1}] AS c{n}" for n in range(len(inner) + len(outer)))
    return con.sql(
        f"""SELECT ref, parent, pointer, seq AS raw_seq, deleted, broken, updated{columns}
            FROM (SELECT *, CASE WHEN NOT deleted THEN {texts} END AS texts FROM sighted)""",
        params={name: some for name, some in (("body", inner), ("outer_body", outer)) if some},
    ).to_arrow_table()


def _mapped(stream: Stream) -> dict[str, Path]:
    """The fields that are read from a path, those of the record itself before those of the record around it."""
    found = {n: w for n, w in stream.fields.items() if not isinstance(w, Const)}
    return dict(sorted(found.items(), key=lambda item: item[1].path.startswith("^")))


# -- columns -------------------------------------------------------------------------------------------------------


def _columns(system: str, stream: Stream, found: pa.Table, said: pa.Array) -> list[_Column]:
    """By name, as the JSON lists them."""
    columns = []
    for n, (name, where) in enumerate(_mapped(stream).items()):
        texts, numbers = _encoded(_whole(found, f"c{n}"))
        columns.append(_column(system, stream, name, where, texts, numbers))
    always = np.where(said.to_numpy(zero_copy_only=False), 0, -1)
    columns += [
        _column(system, stream, name, where, [where.value], always)
        for name, where in stream.fields.items()
        if isinstance(where, Const)
    ]
    return sorted(columns, key=lambda c: c.name)


def _column(system: str, stream: Stream, name: str, where: Path, texts: Sequence[str], numbers: Numbers) -> _Column:
    known = ENTITIES[stream.entity][name]
    read = _reading(system, where, known.kind)
    part = where.part if isinstance(where, FullName) else ""
    return _Column(name, known.kind, part, [read(text) for text in texts], numbers)


def _reading(system: str, where: Path, kind: Kind) -> Callable[[str], Settled]:
    """How a text is read, before it is cleaned."""
    codes: Mapping[str, str] = where.codes if isinstance(where, Codes) else {}
    if isinstance(where, Link) and where.nobody:
        codes = {where.nobody: ""}
    otherwise = where.otherwise if isinstance(where, Codes) else None
    prefix = f"{system}/{where.stream}/" if isinstance(where, Link) else ""

    def read(text: str) -> Settled:
        code = codes.get(text)
        if text in ("", "null") or code == "":
            return None, True
        if kind is Kind.LINK:
            return prefix + text.replace("\0", "") or None, True
        if code is None and otherwise is None:
            return text, False
        return (otherwise if code is None else code) or None, True

    return read


def _whole(table: pa.Table, name: str) -> pa.Array:
    """A column in one piece, also where it is empty."""
    found = table.column(name).combine_chunks()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _encoded(column: pa.Array) -> tuple[list[str], Numbers]:
    """The distinct texts of a column, and which of them each row has."""
    found = column.dictionary_encode()
    return found.dictionary.to_pylist(), found.indices.fill_null(-1).to_numpy().astype(np.int64)


# -- values --------------------------------------------------------------------------------------------------------


def _values(columns: Sequence[_Column], country: str | None) -> tuple[list[pa.Array], list[pa.Array]]:
    """For each column its values and its problems, as members of a JSON object, a comma before each."""
    homes = _homes(columns, country)
    values, problems = [], []
    for column in columns:
        texts, numbers, found = _cleaned(column, homes, country)
        name = f",{quoted(column.name)}"
        values.append(_taken([None if v is None else f"{name}:{quoted(v)}" for v, _ in found], numbers))
        troubles = [
            None if why is None else f"{name}:[{quoted(why)},{quoted(excerpt(text or ''))}]"
            for (_, why), text in zip(found, texts, strict=True)
        ]
        problems.append(_taken(troubles, numbers))
    return values, problems


def _homes(columns: Sequence[_Column], country: str | None) -> tuple[list[str | None], Numbers] | None:
    """The countries of the records: a local number is read where the record is at home. None: the same for all."""
    for column in columns:
        if column.kind is Kind.COUNTRY:
            found = [None if t is None else cleaned(Kind.COUNTRY, "", None, t)[0] for t, _ in column.texts]
            return [*(home or country for home in found), country], column.numbers
    return None


def _cleaned(
    column: _Column, homes: tuple[list[str | None], Numbers] | None, country: str | None
) -> tuple[Sequence[str | None], Numbers, list[Cleaned]]:
    """The distinct texts (a local one once for each country it is read in), which each row has, and what they say."""
    if column.kind not in LOCAL or homes is None:
        home = country if column.kind in LOCAL else None
        found = [_meaning(column, settled, home) for settled in column.texts]
        return [text for text, _ in column.texts], column.numbers, found
    pairs = np.where(column.numbers < 0, -1, column.numbers * len(homes[0]) + homes[1] % len(homes[0]))
    distinct, numbers = np.unique(pairs, return_inverse=True)
    there = [(column.texts[pair // len(homes[0])], homes[0][pair % len(homes[0])]) for pair in distinct if pair >= 0]
    numbers = numbers.astype(np.int64) - (len(distinct) - len(there))  # nothing sorts first, as -1
    return [text for (text, _), _ in there], numbers, [_meaning(column, settled, home) for settled, home in there]


def _meaning(column: _Column, settled: Settled, home: str | None) -> Cleaned:
    text, done = settled
    return (text, None) if done or text is None else cleaned(column.kind, column.part, home, text)


# -- rows ----------------------------------------------------------------------------------------------------------


def _times(values: Sequence[pa.Array], names: Sequence[str], times: Sequence[str], numbers: Numbers) -> pa.Array:
    """For each record, since when each of its values is so: since the record's own time, "" where it has none."""
    held = np.zeros(len(numbers), np.int64)
    patterns = {0: ""}
    for name, column in zip(names, values, strict=True):
        there = column.is_valid().to_numpy(zero_copy_only=False)
        held = held * 2 + there  # the pattern's number so far, and one bit more; made small again below
        before = patterns
        distinct, held = np.unique(held, return_inverse=True)
        patterns = {
            n: ",".join(filter(None, (before[int(d) // 2], f"{quoted(name)}:{_TIME}" if d % 2 else "")))
            for n, d in enumerate(distinct)
        }
    whole = {n: f"{{{pattern}}}" for n, pattern in patterns.items()}
    return pa.array(
        [whole[n].replace(_TIME, times[t]) for n, t in zip(held.tolist(), numbers.tolist(), strict=True)], pa.string()
    )


def _object(members: Sequence[pa.Array], rows: int) -> pa.Array:
    """JSON objects out of the members each row has; a member has a comma before it."""
    if not members:
        return _same("{}", rows)
    whole = pc.binary_join_element_wise("{", *members, "}", "", null_handling="replace")
    return pc.if_else(pc.equal(pc.binary_length(whole), 2), whole, pc.binary_replace_slice(whole, 0, 2, "{"))


def _taken(texts: Sequence[str | None], numbers: Numbers) -> pa.Array:
    """Each row's text."""
    return pa.array([*texts, None], pa.string()).take(pa.array(numbers % (len(texts) + 1)))


def _same(text: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), rows)

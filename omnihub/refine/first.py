"""First sight: records of which only one version is known, none was refined before, and to which we never wrote.

They have no history: every value is as old as the record, nothing is an echo, nothing was edited. So their rows are
made column by column, each distinct text looked at once and the plain ones all together, where `omnihub.refine` goes
cell by cell through what was before. Both ways say the same of such a record, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnihub.fields.plain import JUNK, MOST, PLAIN
from omnihub.model import ENTITIES, Kind
from omnihub.refine.paths import in_order, plain_paths
from omnihub.refine.paths import texts as texts_at
from omnihub.refine.values import LOCAL, Cleaned, cleaned, excerpt, quoted
from omnihub.sdk import Codes, Const, FullName, Link, Path, Share, Stream

NOT_JSON = '{"": ["the record is not JSON", ""]}'
_TIME = "\0"  # stands for the record's time in a pattern of times

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Settled = tuple[str | None, bool]
"""What a text says once codes and links are read, and whether that is canonical already."""


@dataclass(frozen=True)
class _Column:
    """What a field says in each record: the number of one of `plain` and `texts`, in this order, -1 for nothing."""

    name: str
    kind: Kind
    part: str
    plain: pa.Array
    texts: Sequence[Settled]
    numbers: Numbers


def first_sight(con: duckdb.DuckDBPyConnection, system: str, stream: Stream, country: str | None) -> pa.Table:
    """The rows of all records in the table `sighted`, as `refine` gives them back, in no order."""
    found = _picked(con, system, stream)
    said = pc.invert(_whole(found, "deleted"))
    columns = _columns(system, stream, found, said)
    stamps, at = _encoded(_whole(found, "updated"))
    times = pa.concat_arrays([_moments(stamps), pa.array([None], pa.string())])
    values, problems = _values(columns, country)
    return pa.table(
        {
            **{name: found.column(name) for name in ("ref", "parent", "pointer", "raw_seq", "deleted")},
            "updated": _taken(times, at),
            "fields": _object(values, found.num_rows),
            "times": _times(values, [c.name for c in columns], [f'"{t or ""}"' for t in times.to_pylist()], at),
            **{name: _same(text, found.num_rows) for name, text in (("echoes", "[]"), ("edits", "[]"), ("own", "{}"))},
            "problems": pc.if_else(pc.and_(_whole(found, "broken"), said), NOT_JSON, _object(problems, found.num_rows)),
        }
    )


def _picked(con: duckdb.DuckDBPyConnection, system: str, stream: Stream) -> pa.Table:
    """One row a record, with the texts at its fields' paths in `c0`, `c1`, …"""
    inner = [w for w in _mapped(stream).values() if not w.path.startswith("^")]
    outer = [w for w in _mapped(stream).values() if w.path.startswith("^")]
    bodies = (("body", inner), ("outer_body", outer))
    texts = " || ".join(texts_at(body, body, some, system) for body, some in bodies if some) or "[]::VARCHAR[]"
    columns = "".join(f", texts[{n + 1}] AS c{n}" for n in range(len(inner) + len(outer)))
    return con.sql(
        f"""SELECT ref, parent, pointer, seq AS raw_seq, deleted, broken, updated{columns}
            FROM (SELECT *, CASE WHEN NOT deleted THEN {texts} END AS texts FROM sighted)""",
        params={body: plain_paths(some) for body, some in bodies if some},
    ).to_arrow_table()


def _mapped(stream: Stream) -> dict[str, Path]:
    """The fields that are read from a path, those of the record itself before those of the record around it."""
    found = {n: w for n, w in stream.fields.items() if not isinstance(w, Const)}
    return dict(sorted(in_order(list(found.items())), key=lambda item: item[1].path.startswith("^")))


# -- columns -------------------------------------------------------------------------------------------------------


def _columns(system: str, stream: Stream, found: pa.Table, said: pa.Array) -> list[_Column]:
    """By name, as the JSON lists them."""
    columns = []
    for n, (name, where) in enumerate(_mapped(stream).items()):
        texts, numbers = _encoded(_whole(found, f"c{n}"))
        columns.append(_column(system, stream, name, where, texts, numbers))
    always = np.where(said.to_numpy(zero_copy_only=False), 0, -1)
    columns += [
        _column(system, stream, name, where, pa.array([where.value], pa.string()), always)
        for name, where in stream.fields.items()
        if isinstance(where, Const)
    ]
    return sorted(columns, key=lambda c: c.name)


def _column(system: str, stream: Stream, name: str, where: Path, texts: pa.Array, numbers: Numbers) -> _Column:
    kind = ENTITIES[stream.entity][name].kind
    read = _reading(system, where, kind)
    part = where.part if isinstance(where, FullName | Share) else ""
    mask = _plainly(kind, where, texts)
    plain = texts.filter(mask)
    others = [read(text) for text in texts.filter(pc.invert(mask)).to_pylist()]
    if kind is Kind.LINK and len(plain):
        plain = pc.binary_join_element_wise(_prefix(system, where), plain, "")
    return _Column(name, kind, part, plain, others, _renumbered(mask, numbers))


def _plainly(kind: Kind, where: Path, texts: pa.Array) -> pa.Array:
    """Which of the texts need no reading and no cleaning."""
    mask = pa.repeat(pa.scalar(False), len(texts))
    if kind not in PLAIN or isinstance(where, Codes):
        return mask
    mask = pc.and_(pc.match_substring_regex(texts, PLAIN[kind]), pc.less_equal(pc.binary_length(texts), MOST))
    if kind in JUNK:
        mask = pc.and_not(mask, pc.match_substring_regex(texts, JUNK[kind]))
    if kind is Kind.LINK:
        nobody = where.nobody if isinstance(where, Link) else ""
        mask = pc.and_not(mask, pc.is_in(texts, pa.array(["null", nobody], pa.string())))
    return mask


def _renumbered(mask: pa.Array, numbers: Numbers) -> Numbers:
    """The numbers of the same texts once those of the mask come first."""
    first = mask.to_numpy(zero_copy_only=False)
    places = np.where(first, np.cumsum(first), np.count_nonzero(first) + np.cumsum(~first)) - 1
    return np.append(places, -1)[numbers]


def _moments(texts: pa.Array) -> pa.Array:
    """Times as the systems say them, in UTC; those that are no time become nothing."""
    mask = _plainly(Kind.TIME, Path(""), texts)
    if pc.all(mask).as_py():
        return texts
    both = zip(texts.to_pylist(), mask.to_pylist(), strict=True)
    return pa.array([text if plain else cleaned(Kind.TIME, "", None, text)[0] for text, plain in both], pa.string())


def _prefix(system: str, where: Path) -> str:
    return f"{system}/{where.stream}/" if isinstance(where, Link) else ""


def _reading(system: str, where: Path, kind: Kind) -> Callable[[str], Settled]:
    """How a text is read, before it is cleaned."""
    codes: Mapping[str, str] = where.codes if isinstance(where, Codes) else {}
    if isinstance(where, Link) and where.nobody:
        codes = {where.nobody: ""}
    otherwise = where.otherwise if isinstance(where, Codes) else None
    prefix = _prefix(system, where)

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


def _encoded(column: pa.Array) -> tuple[pa.Array, Numbers]:
    """The distinct texts of a column, and which of them each row has."""
    found = column.dictionary_encode()
    return found.dictionary.cast(pa.string()), found.indices.fill_null(-1).to_numpy().astype(np.int64)


# -- values --------------------------------------------------------------------------------------------------------


def _values(columns: Sequence[_Column], country: str | None) -> tuple[list[pa.Array], list[pa.Array]]:
    """For each column its values and its problems, as members of a JSON object, a comma before each."""
    homes = _homes(columns, country)
    values, problems = [], []
    for column in columns:
        texts, numbers, found = _cleaned(column, homes, country)
        name = f",{quoted(column.name)}"
        plain = pc.binary_join_element_wise(f'{name}:"', column.plain, '"', "")
        others = [None if v is None else f"{name}:{quoted(v)}" for v, _ in found]
        values.append(_taken(pa.concat_arrays([plain, pa.array([*others, None], pa.string())]), numbers))
        if any(why is not None for _, why in found):
            troubles = [
                None if why is None else f"{name}:[{quoted(why)},{quoted(excerpt(text or ''))}]"
                for (_, why), text in zip(found, texts, strict=True)
            ]
            nothing = [None] * len(plain)
            problems.append(_taken(pa.array([*nothing, *troubles, None], pa.string()), numbers))
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


def _taken(texts: pa.Array, numbers: Numbers) -> pa.Array:
    """Each row's text; the last one is for those with the number -1."""
    return texts.take(pa.array(numbers % len(texts)))


def _same(text: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), rows)

"""Paths of a field map, as DuckDB reads them and writes them, and as JSON pointers."""

from __future__ import annotations

from collections.abc import Sequence

from omnihub.sdk import After, Each, Joined, Less, Only, Path

MADE = (After, Each, Joined, Less, Only)  # what is made of more than one text


def json_path(path: str) -> str:
    """A dotted path as DuckDB writes it.

    >>> json_path("addresses.0.city"), json_path("lines.*.sku")
    ('$."addresses"[0]."city"', '$."lines"[*]."sku"')
    """
    parts = (part for part in path.split(".") if part)
    return "$" + "".join(f"[{part}]" if part.isdigit() or part == "*" else f'."{part}"' for part in parts)


def pointer_of(path: str) -> str:
    """A dotted path as a JSON pointer.

    >>> pointer_of("addresses.0.city")
    '/addresses/0/city'
    """
    return "".join(f"/{part}" for part in path.split(".") if part)


def in_order(mapped: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Fields as `texts` gives them: those that are made of several texts come last."""
    return sorted(mapped, key=lambda item: isinstance(item[1], MADE))


def texts(body: str, parameter: str, mapped: Sequence[Path], system: str) -> str:
    """A list of the texts at these paths of a JSON column, in SQL; the plain ones are looked up by `plain_paths`."""
    made = ", ".join(_made(body, where, system) for where in mapped if isinstance(where, MADE))
    plain = f"json_extract_string({body}, ${parameter})"
    return f"{plain} || [{made}]" if made else plain


def plain_paths(mapped: Sequence[Path]) -> list[str]:
    """What `texts` wants to be given as its parameter."""
    found = [json_path(where.path.removeprefix("^")) for where in mapped if not isinstance(where, MADE)]
    return found or ["$.x"] * (not mapped)


def _made(body: str, where: Path, system: str) -> str:
    if isinstance(where, Each):
        return _each(body, where, system)
    if isinstance(where, Less):
        return _less(body, where)
    if isinstance(where, Only):
        return _only(body, where)
    return _after(body, where) if isinstance(where, After) else _joined(body, where)


def _each(body: str, where: Each, system: str) -> str:
    """Those that are there, as a JSON list; NULL where none is."""
    found = [f"json_extract_string({body}, {_quoted(json_path(p.removeprefix('^')))})" for p in where.paths]
    every = " || ".join(f"coalesce({texts}, [])" for texts in found)
    codes = " ".join(f"WHEN {_quoted(native)} THEN {_quoted(code)}" for native, code in where.codes.items())
    one = f"CASE x {codes} ELSE x END" if codes else "x"
    prefix = f"{_quoted(f'{system}/{where.stream}/')} || " if where.stream else ""
    return f"nullif(to_json([{prefix}{one} FOR x IN {every} IF nullif(x, '') IS NOT NULL])::VARCHAR, '[]')"


def _only(body: str, where: Only) -> str:
    """That of the first, where there is no second."""
    first, second = (_quoted(json_path(path.removeprefix("^"))) for path in (where.path, where.second))
    return f"CASE WHEN json_extract({body}, {second}) IS NULL THEN json_extract_string({body}, {first}) END"


def _joined(body: str, where: Path) -> str:
    """Those that are there, with a comma between."""
    found = (f"json_extract_string({body}, {_quoted(json_path(p.removeprefix('^')))})" for p in where.paths)
    parts = ", ".join(f"nullif(nullif({text}, ''), 'null')" for text in found)
    return f"nullif(concat_ws(', ', {parts}), '')"


def _after(body: str, where: After) -> str:
    """The later time; the two as they stand where they make none, so that it shows as a value nobody can read."""
    since, minutes = (
        f"json_extract_string({body}, {_quoted(json_path(p.removeprefix('^')))})" for p in (where.since, where.path)
    )
    micros = f"epoch_us({since}::TIMESTAMPTZ) + round({minutes}::DOUBLE * 60000000)::BIGINT"
    later = f"TRY(strftime(make_timestamp({micros}), '%Y-%m-%dT%H:%M:%SZ'))"
    return f"coalesce({later}, {since} || ' + ' || {minutes} || ' min')"


def _less(body: str, where: Less) -> str:
    """To the hundredth of a cent; the two as they stand where they make no price, so that it shows as a value nobody
    can read."""
    price, percent = (
        f"json_extract_string({body}, {_quoted(json_path(p.removeprefix('^')))})" for p in (where.path, where.percent)
    )
    left = f"round({price}::DECIMAL(18, 4) * (100 - {percent}::DECIMAL(9, 4)) / 100, 4)::DECIMAL(18, 4)::VARCHAR"
    none = f"{percent} IS NULL OR TRY({percent}::DECIMAL(9, 4)) = 0"
    return f"CASE WHEN {none} THEN {price} ELSE coalesce(TRY({left}), {price} || ' less ' || {percent} || ' %') END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

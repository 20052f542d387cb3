"""Airtable's formulas, as many of them as filters are made of: parsed once, then asked of each record.

    IS_AFTER({Last modified}, DATETIME_PARSE('2026-11-21T22:18:46.000Z'))
    AND({SKU}='A-1', OR({Status}='Active', NOT({Unit}=BLANK())))

Part of the stand-in. What it doesn't know it refuses, as Airtable refuses what it doesn't know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)
      |\{(?P<field>(?:[^}\\]|\\.)+)\}|(?P<name>[A-Za-z_]\w*)|(?P<sign>!=|<=|>=|[=<>(),&]))""",
    re.VERBOSE,
)


class InvalidFormula(ValueError):
    """Airtable would answer INVALID_FILTER_BY_FORMULA."""


@dataclass(frozen=True)
class Literal:
    """A text or a number as written."""

    value: Any


@dataclass(frozen=True)
class Cell:
    """The value of a field, None where it is empty."""

    field: str


@dataclass(frozen=True)
class Apply:
    """A function, or a sign between two things, and what it is applied to."""

    name: str
    args: tuple[Node, ...]


Node = Literal | Cell | Apply


@dataclass(frozen=True)
class Row:
    """What a formula can see of a record."""

    id: str
    created: datetime
    modified: datetime
    cells: Mapping[str, Any]


def parse(text: str) -> Node:
    """The formula as a tree; InvalidFormula where it is none, or has a function that is not known here."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise InvalidFormula(text)
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    tokens.append(("end", ""))
    node = _comparison(tokens)
    if tokens[0][0] != "end":
        raise InvalidFormula(text)
    return node


def _comparison(tokens: list[tuple[str, str]]) -> Node:
    left = _term(tokens)
    while tokens[0][1] in _SIGNS and tokens[0][0] == "sign":
        sign = tokens.pop(0)[1]
        left = Apply(sign, (left, _term(tokens)))
    return left


def _term(tokens: list[tuple[str, str]]) -> Node:
    kind, text = tokens.pop(0)
    if kind == "text":
        return Literal(re.sub(r"\\(.)", r"\1", text[1:-1]))
    if kind == "number":
        return Literal(float(text))
    if kind == "field":
        return Cell(re.sub(r"\\(.)", r"\1", text))
    if text == "(":
        node = _comparison(tokens)
        _expect(tokens, ")")
        return node
    if kind == "name" and tokens[0][1] == "(":
        return Apply(_known(text.upper()), _arguments(tokens))
    if kind == "name":  # a field without spaces needs no braces
        return Cell(text)
    raise InvalidFormula(text)


def _arguments(tokens: list[tuple[str, str]]) -> tuple[Node, ...]:
    _expect(tokens, "(")
    found: list[Node] = []
    while tokens[0][1] != ")" or tokens[0][0] == "text":
        if found:
            _expect(tokens, ",")
        found.append(_comparison(tokens))
    _expect(tokens, ")")
    return tuple(found)


def _expect(tokens: list[tuple[str, str]], sign: str) -> None:
    if tokens.pop(0) != ("sign", sign):
        raise InvalidFormula(sign)


def _known(name: str) -> str:
    if name not in _FUNCTIONS and name not in _OF_THE_ROW:
        raise InvalidFormula(name)
    return name


def fields_in(node: Node) -> set[str]:
    """The fields a formula names."""
    if isinstance(node, Cell):
        return {node.field}
    return {name for arg in node.args for name in fields_in(arg)} if isinstance(node, Apply) else set()


def value(node: Node, row: Row) -> Any:
    """What the formula says of a record. Airtable keeps the record unless that is 0, false, "" or an error."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Cell):
        return row.cells.get(node.field)
    if node.name in _OF_THE_ROW:
        return _OF_THE_ROW[node.name](row)
    try:
        return (_SIGNS | _FUNCTIONS)[node.name](*(value(arg, row) for arg in node.args))
    except (TypeError, ValueError):
        return None  # "#ERROR!" there, and that is no match


def modified_from(node: Node, modified: str) -> datetime | None:
    """The second from which on a record can match at all, where the formula asks for newer ones only."""
    if isinstance(node, Apply) and node.name == "IS_AFTER" and len(node.args) == 2:
        left, right = node.args
        if left in (Cell(modified), Apply("LAST_MODIFIED_TIME", ())):
            at = _time(value(right, _NOWHERE))
            return at.replace(microsecond=0) + timedelta(seconds=1) if at else None
    if isinstance(node, Apply) and node.name == "AND":
        return max((at for arg in node.args if (at := modified_from(arg, modified))), default=None)
    return None


def equals(node: Node) -> tuple[str, Any] | None:
    """Field and value, where the formula is nothing but {Field} = 'value'."""
    if isinstance(node, Apply) and node.name == "=":
        left, right = node.args
        if isinstance(left, Cell) and isinstance(right, Literal) and right.value != "":
            return left.field, right.value
    return None


def _time(given: Any) -> datetime | None:
    if isinstance(given, datetime):
        return given
    if not isinstance(given, str):
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _times(one: Any, other: Any) -> tuple[datetime, datetime]:
    first, second = _time(one), _time(other)
    if first is None or second is None:
        raise ValueError("no date")
    return first, second


def _is_after(one: Any, other: Any) -> bool:
    first, second = _times(one, other)
    return first > second


_CUT: dict[str, dict[str, int]] = {
    "second": {"microsecond": 0},
    "minute": {"microsecond": 0, "second": 0},
    "hour": {"microsecond": 0, "second": 0, "minute": 0},
    "day": {"microsecond": 0, "second": 0, "minute": 0, "hour": 0},
}


def _is_same(one: Any, other: Any, unit: str = "millisecond") -> bool:
    first, second = _times(one, other)
    cut = _CUT.get(unit.rstrip("s"), {})
    return first.replace(**cut) == second.replace(**cut)  # type: ignore[arg-type]


def _equal(one: Any, other: Any) -> bool:
    """An empty cell equals "" and BLANK()."""
    if isinstance(one, datetime) or isinstance(other, datetime):
        return _time(one) == _time(other)
    return ("" if one is None else one) == ("" if other is None else other)


def _in_order(one: Any, other: Any) -> tuple[Any, Any]:
    return _times(one, other) if isinstance(one, datetime) or isinstance(other, datetime) else (one, other)


_SIGNS: dict[str, Callable[..., Any]] = {
    "=": _equal,
    "!=": lambda a, b: not _equal(a, b),
    "<": lambda a, b: (p := _in_order(a, b))[0] < p[1],
    ">": lambda a, b: (p := _in_order(a, b))[0] > p[1],
    "<=": lambda a, b: (p := _in_order(a, b))[0] <= p[1],
    ">=": lambda a, b: (p := _in_order(a, b))[0] >= p[1],
    "&": lambda a, b: f"{'' if a is None else a}{'' if b is None else b}",
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "AND": lambda *found: all(found),
    "OR": lambda *found: any(found),
    "NOT": lambda found: not found,
    "TRUE": lambda: True,
    "FALSE": lambda: False,
    "BLANK": lambda: None,
    "LOWER": lambda text: (text or "").lower(),
    "FIND": lambda what, where: (where or "").find(what) + 1,
    "DATETIME_PARSE": _time,
    "IS_AFTER": _is_after,
    "IS_BEFORE": lambda one, other: _is_after(other, one),
    "IS_SAME": _is_same,
}
_OF_THE_ROW: dict[str, Callable[[Row], Any]] = {
    "RECORD_ID": lambda row: row.id,
    "CREATED_TIME": lambda row: row.created,
    "LAST_MODIFIED_TIME": lambda row: row.modified,
}
_NOWHERE = Row("", datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), {})

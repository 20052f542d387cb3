"""As much SOQL as the hub and the vendor's SDK send, read strictly and turned into SQL over the stand-in's objects.

    SELECT fields | FIELDS(ALL|STANDARD|CUSTOM) | COUNT() FROM object
    [WHERE field (= != < <= > >=) value | field [NOT] IN (values)  [AND …]]
    [ORDER BY field [ASC|DESC] [NULLS FIRST|LAST], …] [LIMIT n] [OFFSET n]

Everything else is refused the way Salesforce refuses what it does not understand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.salesforce.objects import NUMBERS, OBJECTS, TEXTS, Column, Object, Refused, known_id

MAX_FIELDS_ALL = 200  # FIELDS(ALL) and FIELDS(CUSTOM) want a LIMIT of at most this


@dataclass
class Query:
    """A query, understood: `where` and `order` are SQL, `values` what the question marks in it stand for."""

    of: Object
    columns: list[Column]
    count: bool = False
    where: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    limit: int = -1
    offset: int = 0

    def sql(self, what: str, deleted_since: str | None) -> tuple[str, list[Any]]:
        """`what` of the objects that fit, in order; of deleted ones those since a time, None for none."""
        alive = "NOT deleted" if deleted_since is None else "(NOT deleted OR updated_at >= ?)"
        conditions = " AND ".join(["stream = ?", *([] if deleted_since == "" else [alive]), *self.where])
        order = ", ".join([*self.order, "id"])
        return (
            f"SELECT {what} FROM objects WHERE {conditions} ORDER BY {order} LIMIT ? OFFSET ?",
            [self.of.stream, *([deleted_since] if deleted_since else []), *self.values, self.limit, self.offset],
        )


# -- words -----------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:\\.|[^'\\])*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_][\w.]*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Token:
    """A word of a query: what kind it is and how it is written."""

    kind: str
    text: str


def tokens(soql: str) -> list[Token]:
    """The words of a query."""
    found, at, end = [], 0, len(soql.rstrip())
    while at < end:
        match = _TOKEN.match(soql, at)
        if not match or not match.lastgroup:
            raise Refused("MALFORMED_QUERY", f"unexpected token: '{soql[at:].split()[0]}'")
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Reader:
    """The words still to be read."""

    def __init__(self, words: Sequence[Token]) -> None:
        self.words, self.at = words, 0

    def peek(self) -> Token:
        return self.words[self.at] if self.at < len(self.words) else Token("end", "<EOF>")

    def next(self, kind: str = "") -> Token:
        token = self.peek()
        if token.kind == "end" or (kind and token.kind != kind):
            raise unexpected(token)
        self.at += 1
        return token

    def has(self, *wanted: str) -> bool:
        """Whether these words come next; then they are read."""
        coming = [t.text.upper() for t in self.words[self.at : self.at + len(wanted)]]
        if coming != list(wanted):
            return False
        self.at += len(wanted)
        return True

    def must(self, *wanted: str) -> None:
        if not self.has(*wanted):
            raise unexpected(self.peek())


def unexpected(token: Token) -> Refused:
    """A word in the wrong place."""
    return Refused("MALFORMED_QUERY", f"unexpected token: '{token.text}'")


# -- sentences -------------------------------------------------------------------------------------------------------


def parse(soql: str) -> Query:
    """Read a query, or raise `Refused`.

    >>> parse("SELECT Id, Name FROM Account WHERE IsDeleted = false LIMIT 2").sql("id", "")
    ('SELECT id FROM objects WHERE stream = ? AND deleted = ? ORDER BY id LIMIT ? OFFSET ?', ['accounts', 0, 2, 0])
    """
    reader = _Reader(tokens(soql))
    reader.must("SELECT")
    count, items = _items(reader)
    reader.must("FROM")
    of = _object(reader.next("word").text)
    query = Query(of, _columns(of, items), count)
    if reader.has("WHERE"):
        _where(reader, query)
    if reader.has("ORDER", "BY"):
        _order(reader, query)
    if reader.has("LIMIT"):
        query.limit = int(reader.next("number").text)
    if reader.has("OFFSET"):
        query.offset = int(reader.next("number").text)
    if reader.peek().kind != "end":
        raise unexpected(reader.peek())
    if any(i in ("FIELDS(ALL)", "FIELDS(CUSTOM)") for i in items) and not 0 <= query.limit <= MAX_FIELDS_ALL:
        raise Refused("MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200")
    return query


def _items(reader: _Reader) -> tuple[bool, list[str]]:
    if reader.has("COUNT", "(", ")"):
        return True, []
    found = [_item(reader)]
    while reader.has(","):
        found.append(_item(reader))
    return False, found


def _item(reader: _Reader) -> str:
    name = reader.next("word").text
    if name.upper() == "FIELDS" and reader.has("("):
        which = reader.next("word").text.upper()
        reader.must(")")
        return f"FIELDS({which})"
    return name


def _object(name: str) -> Object:
    found = next((o for o in OBJECTS.values() if o.name.lower() == name.lower()), None)
    if found is None:
        raise Refused("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return found


def _columns(of: Object, items: Sequence[str]) -> list[Column]:
    groups: Mapping[str, Callable[[Column], bool]] = {
        "FIELDS(ALL)": lambda c: True,
        "FIELDS(STANDARD)": lambda c: not c.custom,
        "FIELDS(CUSTOM)": lambda c: c.custom,
    }
    found: list[Column] = []
    for item in items:
        if item in groups:
            found += [c for c in of.columns.values() if groups[item](c)]
        elif item.startswith("FIELDS("):
            raise Refused("MALFORMED_QUERY", f"unexpected token: '{item}'")
        else:
            found.append(_column(of, item))
    twice = next((c for i, c in enumerate(found) if c in found[:i]), None)
    if twice:
        raise Refused("INVALID_FIELD", f"duplicate field selected: {twice.name}")
    return found


def _column(of: Object, name: str) -> Column:
    column = of.column(name)
    if column is None:
        raise Refused(
            "INVALID_FIELD",
            f"No such column '{name}' on entity '{of.name}'. If you are attempting to use a custom field, be sure to "
            "append the '__c' after the custom field name.",
        )
    return column


def _where(reader: _Reader, query: Query) -> None:
    _condition(reader, query)
    while reader.has("AND"):
        _condition(reader, query)


def _condition(reader: _Reader, query: Query) -> None:
    column = _column(query.of, reader.next("word").text)
    if column.long:
        raise Refused("INVALID_FIELD", f"field '{column.name}' can not be filtered in a query call")
    left = value_of(column)
    if (negated := reader.has("NOT", "IN")) or reader.has("IN"):
        values = _list(reader, column)
        query.where.append(f"{left} {'NOT ' if negated else ''}IN ({', '.join('?' * len(values))})")
        query.values += values
        return
    sign = reader.next("sign").text
    if sign not in ("=", "!=", "<>", "<", "<=", ">", ">="):
        raise unexpected(Token("sign", sign))
    value = _literal(reader.next(), column)
    if value is None:
        query.where.append(f"{left} IS {'' if sign == '=' else 'NOT '}NULL")
        return
    query.where.append(f"{left} {sign} ?")
    query.values.append(value)


def _list(reader: _Reader, column: Column) -> list[Any]:
    reader.must("(")
    values = [_literal(reader.next(), column)]
    while reader.has(","):
        values.append(_literal(reader.next(), column))
    reader.must(")")
    return values


def _order(reader: _Reader, query: Query) -> None:
    while True:
        column = _column(query.of, reader.next("word").text)
        if column.long:
            raise Refused("INVALID_FIELD", f"field '{column.name}' can not be sorted in a query call")
        descending = not reader.has("ASC") and reader.has("DESC")
        nulls = "LAST" if reader.has("NULLS", "LAST") else "FIRST"
        reader.has("NULLS", "FIRST")
        by = f"{value_of(column)}{' DESC' if descending else ''}"
        # what is never null must not say where nulls go, or SQLite would not use its index
        query.order.append(by if column.name in _STORED else f"{by} NULLS {nulls}")
        if not reader.has(","):
            return


# -- values ----------------------------------------------------------------------------------------------------------

SECOND = "substr(updated_at, 1, 19)"  # Salesforce's stamps know no smaller part
_STORED: Mapping[str, str] = {
    "Id": "id",
    "IsDeleted": "deleted",
    "SystemModstamp": SECOND,
    "LastModifiedDate": SECOND,
    "CreatedDate": "substr(created_at, 1, 19)",
}


def value_of(column: Column) -> str:
    """SQL for a field's value."""
    if column.name == "MasterRecordId":
        return "merged_into"
    if column.name in _STORED:
        return _STORED[column.name]
    inside = f"json_extract(body, '$.{column.name}')"
    if column.type == "boolean":
        return f"coalesce({inside}, 0)"
    if column.type == "datetime":
        return f"substr({inside}, 1, 19)"
    return f"{inside} COLLATE NOCASE" if column.type in TEXTS else inside


_WANTED: Mapping[str, tuple[str, ...]] = {
    "boolean": ("word",),
    "datetime": ("datetime",),
    "date": ("date",),
    **dict.fromkeys(NUMBERS, ("number",)),
}


def _literal(token: Token, column: Column) -> Any:
    if token.kind == "word" and token.text.lower() == "null":
        return None
    wanted = _WANTED.get(column.type, ("text",))
    if token.kind not in wanted:
        kind = "dateTime" if column.type == "datetime" else column.type
        quotes = "should be" if wanted == ("text",) else "should not be"
        raise Refused(
            "INVALID_FIELD",
            f"value of filter criterion for field '{column.name}' must be of type {kind} and {quotes} enclosed in "
            "quotes",
        )
    return _READ[token.kind](token.text, column)


def _text(written: str, column: Column) -> str:
    value = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), written[1:-1])
    if column.type not in ("id", "reference"):
        return value
    found = known_id(value)
    if found is None:
        raise Refused("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value}")
    return found


def _flag(written: str, column: Column) -> int:
    if written.lower() not in ("true", "false"):
        raise unexpected(Token("word", written))
    return int(written.lower() == "true")


_READ: Mapping[str, Callable[[str, Column], Any]] = {
    "text": _text,
    "word": _flag,
    "number": lambda written, column: float(written),
    "date": lambda written, column: written,
    "datetime": lambda written, column: datetime.fromisoformat(written).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
}

"""HubSpot's searches as SQL over the stand-in's objects: filter groups, filters, sorts."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.hubspot.schema import FIRST_ID, NUMBERS, Refused, time_of
from omnihub.sandbox.state import iso


def where(stream: str, asked: Mapping[str, Any], known: Container[str]) -> tuple[str, list[Any]]:
    """The condition a search stands for, and its values."""
    groups = asked.get("filterGroups", [])
    filters = [len(group["filters"]) for group in groups]
    if len(groups) > 5 or max(filters, default=0) > 10 or sum(filters) > 25:
        raise Refused(400, "VALIDATION_ERROR", "At most 5 filterGroups, 10 filters in each, 25 altogether")
    sql: str = "stream = ? AND NOT deleted"
    params: list[Any] = [stream]
    if asked.get("query"):
        sql += " AND body LIKE ?"
        params.append(f"%{asked['query']}%")
    either: list[str] = []
    for group in groups:
        terms = [_term(stream, f, known) for f in group["filters"]]
        either.append(" AND ".join(f"({sql})" for sql, _ in terms) or "1")
        params += [value for _, values in terms for value in values]
    return sql + (f" AND ({' OR '.join(either)})" if either else ""), params


def _term(stream: str, f: Mapping[str, Any], known: Container[str]) -> tuple[str, list[Any]]:
    name, operator = f["propertyName"], f["operator"]
    if name not in known:
        raise Refused(400, "VALIDATION_ERROR", f"Property {name} of {stream} does not exist")
    column = _column(stream, name)
    if column.endswith("_at"):
        return _time_term(column, operator, f)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return f"{column} IS {'NOT ' if operator == 'HAS_PROPERTY' else ''}NULL", []
    if operator in ("IN", "NOT_IN"):
        values = [_operand(name, v) for v in f["values"]]
        return f"{column} {operator.replace('_', ' ')} ({', '.join('?' * len(values))})", values
    if operator == "BETWEEN":
        return f"{column} BETWEEN ? AND ?", [_operand(name, f["value"]), _operand(name, f["highValue"])]
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        no = "NOT " if operator.startswith("NOT") else ""
        return f"{column} {no}LIKE ?", [f"%{f['value'].replace('*', '%')}%"]
    sign = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}.get(operator)
    if sign is None:
        raise Refused(400, "VALIDATION_ERROR", f"Invalid operator {operator}")
    return f"{column} {sign} ?", [_operand(name, f["value"])]


def order(stream: str, sorts: Sequence[Any], known: Container[str]) -> str:
    """The order a search asks for; ties by id."""
    if len(sorts) > 1:
        raise Refused(400, "VALIDATION_ERROR", "At most one sort")
    by = sorts[0] if sorts else {"propertyName": "hs_object_id"}
    by = {"propertyName": by.removeprefix("-"), "direction": "DESC"} if isinstance(by, str) else by
    if by["propertyName"] not in known:
        raise Refused(400, "VALIDATION_ERROR", f"Property {by['propertyName']} of {stream} does not exist")
    way = "DESC" if by.get("direction", "ASCENDING").startswith("DESC") else "ASC"
    return f"{_column(stream, by['propertyName'])} {way}, id {way}"


def _column(stream: str, name: str) -> str:
    """The SQL that stands for a property."""
    if name == time_of(stream):
        return "updated_at"
    if name in ("createdate", "hs_createdate"):
        return "created_at"
    if name == "hs_object_id":
        return f"(n + {FIRST_ID[stream]})"
    column = f"json_extract(body, '$.properties.{name}')"
    return f"CAST({column} AS REAL)" if name in NUMBERS else f"{column} COLLATE NOCASE"


def _operand(name: str, value: str) -> Any:
    if name == "hs_object_id":
        return int(value)
    return float(value) if name in NUMBERS else value


def _time_term(column: str, operator: str, f: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """HubSpot compares whole milliseconds; the clock here is finer."""
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return ("1" if operator == "HAS_PROPERTY" else "0"), []
    at, then = _moment(f["value"]), _moment(f.get("highValue", f["value"])) + timedelta(milliseconds=1)
    starts, ends = f"{column} >= ?", f"{column} < ?"
    match operator:
        case "GTE":
            return starts, [iso(at)]
        case "GT":
            return starts, [iso(at + timedelta(milliseconds=1))]
        case "LT":
            return ends, [iso(at)]
        case "LTE":
            return ends, [iso(then)]
        case "EQ" | "BETWEEN":
            return f"{starts} AND {ends}", [iso(at), iso(then)]
        case "NEQ":
            return f"NOT ({starts} AND {ends})", [iso(at), iso(then)]
    raise Refused(400, "VALIDATION_ERROR", f"Operator {operator} does not fit a time")


def _moment(value: str) -> datetime:
    """A time in a filter: milliseconds since 1970, or ISO."""
    if re.fullmatch(r"-?\d+", value):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value))
    return datetime.fromisoformat(value).astimezone(UTC)

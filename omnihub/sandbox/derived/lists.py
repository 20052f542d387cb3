"""Lists, paged the way each `next=` says, and what the filter for changes leaves of them.

A list stands in the order of change where its records tell their time, else in the order of creation, so that a page
is a slice of it. Deleted records stand among the rest where the declaration can tell them by a mark; elsewhere they
vanish.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omnihub.sandbox.derived.operations import Refusal
from omnihub.sandbox.derived.shape import Shape, moment, put
from omnihub.sandbox.kit import Call, Reply
from omnihub.sandbox.state import Obj, State

PAGE = 100  # where the declaration says nothing of the size of a page
_SIZES = r"(page)?[\[_\-.]?(limit|size|per_?page|page_?size|count|top|first|max_?results|rows)\]?"
SIZE = re.compile(_SIZES, re.IGNORECASE)

Position = tuple[str, str]  # (time or ordinal, id) of the last record shown


@dataclass(frozen=True)
class Cut:
    """A page: its records, the position after it, and whether another follows."""

    found: list[Obj]
    after: Position | None
    more: bool


def size_of(params: Mapping[str, Any]) -> tuple[str, int] | None:
    """(name, value) of the parameter that says how many records a page may have."""
    sizes = [(n, int(v)) for n, v in params.items() if str(v).isdigit() and int(v) > 0]
    named = [(n, v) for n, v in sizes if SIZE.fullmatch(n.lstrip("$"))]
    return named[0] if named else None


def since_of(templates: Mapping[str, str], call: Call) -> str:
    """The time from which on changes are asked for, out of whatever parameter it was put into; "" for all."""
    for name, template in templates.items():
        if "{since}" not in template or not (sent := call.param(name)):
            continue
        if told := _inverse(template).fullmatch(sent):
            try:
                return moment(told.group(1))
            except (ValueError, OverflowError):
                raise Refusal(400, f"{name} must be a time as in 2026-11-21T22:18:46Z") from None
    return ""


@functools.cache
def _inverse(template: str) -> re.Pattern[str]:
    before, _, after = template.partition("{since}")
    return re.compile(re.escape(before) + "(.+?)" + re.escape(after).replace(re.escape("{since}"), ".+?"))


def cut(
    state: State,
    shape: Shape,
    *,
    since: str = "",
    after: Position | None = None,
    offset: int = 0,
    size: int | None = None,
) -> Cut:
    """A slice of a stream's records in the order of its lists. `size` None: all there are."""
    deleted = None if shape.deleted else False
    limit = 1_000_000_000 if size is None else size + 1
    if shape.updated:
        found = state.by_time(shape.name, since=since, after=after, limit=limit + offset, deleted=deleted)[offset:]
    else:
        found = state.by_order(
            shape.name, after=int(after[0]) if after else 0, limit=limit, offset=offset, deleted=deleted
        )
    page = found if size is None else found[:size]
    last = page[-1] if page else None
    here = ((last.updated_at if shape.updated else str(last.n)), last.id) if last else after
    return Cut(page, here, len(found) > len(page))


def count(state: State, shape: Shape, since: str) -> int:
    """How many a list has in all."""
    return state.count(shape.name, since=since, deleted=None if shape.deleted else False)


def token(at: Position | None) -> str | None:
    """A position as a cursor that gives nothing away."""
    return base64.urlsafe_b64encode(json.dumps(at).encode()).decode() if at else None


def position(text: str) -> Position | None:
    """The position a cursor stands for; a refusal where it was not given out here."""
    if not text:
        return None
    try:
        at, id_ = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, TypeError):
        raise Refusal(400, "this cursor was not given out here") from None
    return str(at), str(id_)


def whole(call: Call, name: str, otherwise: int, least: int = 0) -> int:
    """A parameter that is a number."""
    text = call.param(name) or str(otherwise)
    if not text.isdigit() or int(text) < least:
        raise Refusal(400, f"{name} must be a whole number from {least} on")
    return int(text)


@dataclass
class Told:
    """An answer in the making: values at dotted paths, and headers."""

    items: str
    records: list[Any]
    values: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def reply(self) -> Reply:
        """The page."""
        if not self.items:
            return Reply(200, self.records, self.headers)
        body: dict[str, Any] = {}
        for path, value in {self.items: self.records, **self.values}.items():
            put(body, path, value)
        return Reply(200, body, self.headers)

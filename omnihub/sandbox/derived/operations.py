"""What a derived stand-in can do: one operation for each declared value, found by method, path and what is sent.

Two streams may share an address (`/objects?type=dealer`, `/objects?type=person`; one address for every GraphQL query):
the operation that fits a call best answers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from omnihub.sandbox.derived.shape import leaves
from omnihub.sandbox.kit import Call, Reply
from omnihub.sandbox.state import Obj

Handle = Callable[[Any, Call], Reply]  # (the stand-in, the call)
Fits = Callable[[Call], int]

NO = -1  # this operation is not meant


class Refusal(Exception):
    """A no on its way out of an operation."""

    def __init__(self, status: int, message: str, faults: Iterable[Any] = ()) -> None:
        super().__init__(message)
        self.status, self.faults = status, tuple(faults)


@dataclass(frozen=True)
class Operation:
    """`path` is a template as the connector declares it. `fits`: how well a call at this place is meant, NO for not."""

    method: str
    path: str
    handle: Handle
    fits: Fits = lambda call: 0
    open_: bool = False  # asked without a token: logins
    reads: bool = False  # a POST that changes nothing

    @property
    def place(self) -> tuple[str, str]:
        """Method and path as the router knows them: what the parts are called differs, where they stand does not."""
        parts = iter(range(20))
        return self.method, re.sub(r"\{[^}]*\}", lambda _: f"{{p{next(parts)}}}", urlsplit(self.path).path)

    def named(self, call: Call) -> Call:
        """The call with the parts of its path under this operation's own names."""
        names = re.findall(r"\{([^}:]*)[^}]*\}", urlsplit(self.path).path)
        return replace(call, path={name: str(call.path[f"p{n}"]) for n, name in enumerate(names)})


def meant(params: Mapping[str, Any], asks: Iterable[str] = (), path: str = "") -> Fits:
    """Fits calls that carry every parameter of `asks`; the better, the more of the declared `params` they repeat."""
    constants = {**dict(parse_qsl(urlsplit(path).query)), **{k: _text(v) for k, v in params.items()}}
    wanted = tuple(asks)

    def fits(call: Call) -> int:
        sent = dict(call.query)
        if call.method != "GET" and call.body:
            try:
                sent = dict(with_body(call).query)
            except Refusal:
                return 0
        if not set(wanted) <= sent.keys():
            return NO
        return 2 * len(wanted) + sum(sent.get(name) == value for name, value in constants.items())

    return fits


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def best(operations: Iterable[Operation], call: Call) -> Operation | None:
    """The one that is meant; the first declared where two are equals."""
    scored = [(op.fits(call), -n, op) for n, op in enumerate(operations)]
    return max((s for s in scored if s[0] > NO), key=lambda s: s[:2], default=(0, 0, None))[2]


def body_of(call: Call) -> Any:
    """The JSON that was sent; a refusal where it is none."""
    try:
        return call.json()
    except ValueError:
        raise Refusal(400, "the body is not JSON") from None


def with_body(call: Call) -> Call:
    """The call with what its JSON body says among the parameters, under dotted names."""
    body = body_of(call)
    return replace(call, query=[*call.query, *((path, _text(value)) for path, value in leaves(body, set()))])


def living(found: Obj | None, what: str) -> Obj:
    """The record, or a 404 (never there) or 410 (there once)."""
    if found is None:
        raise Refusal(404, f"no {what}")
    if found.deleted:
        raise Refusal(410, f"{what} is deleted")
    return found

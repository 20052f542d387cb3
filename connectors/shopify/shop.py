"""How the shop is asked: one GraphQL call, its price in points, and what the many kinds of "no" inside a 200 mean.

    ask ─▶ enough points? wait ─▶ send ─▶ Throttled?            wait until the bucket holds enough, ask again
                                          errors                raise what their code stands for
                                          data                  hand back

Every answer tells how full the bucket is that all processes with this shop's credentials draw from, so the shop
itself is the ledger; what is kept here is its last word, less what is under way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import requests

from omnihub.errors import BrokenAnswer, ConfigError, OmniHubError, RateLimited, RejectedRecord, RetryableError
from omnihub.sdk import Http, Level, spending

log = logging.getLogger("omnihub.shopify")

VERSION = "2026-07"  # a new one every quarter, each good for about a year
PATH = f"/admin/api/{VERSION}/graphql.json"
PLACES = 5  # bulk operations an app may have running in a shop at the same time
SINGLE_QUERY_POINTS = 1000  # a dearer query is refused, whatever the bucket holds
MUTATION_POINTS = 10
MAX_TRIES = 8  # by then the bucket has been drained by somebody else many times over
SPARE_S = 0.05  # waited on top, so that rounding on either side doesn't cost a refusal

MEANS: dict[str, type[OmniHubError]] = {
    "ACCESS_DENIED": ConfigError,
    "SHOP_INACTIVE": ConfigError,
    "INTERNAL_SERVER_ERROR": RetryableError,
    "TIMEOUT": RetryableError,
    "INVALID_VARIABLE": RejectedRecord,
}
"""Error code → what to do. Any other says that the query and the shop's schema no longer fit: a BrokenAnswer."""

WAY_OUT: dict[type[OmniHubError], str] = {
    ConfigError: "give the app the access scope for it and install it again",
    RetryableError: "run again later",
    RejectedRecord: "one of the values is not of the kind this field takes",
    BrokenAnswer: f"the connector was written for version {VERSION} of the API",
}


CLOSED = {
    402: "the shop is frozen; its owner has to pay its plan",
    404: "there is no shop here; check the url of this system",
    423: "the shop is locked; its owner has to ask the vendor why",
}
"""HTTP status → what a person has to do. None of these says anything about the record that was sent."""


class Throttle(msgspec.Struct, rename="camel"):
    """The bucket, as an answer describes it."""

    currently_available: float
    restore_rate: float
    maximum_available: float = 0.0


class Cost(msgspec.Struct, rename="camel"):
    """What a query was priced at, and the bucket after it."""

    throttle_status: Throttle
    requested_query_cost: float = 0.0
    actual_query_cost: float | None = None


class _Extensions(msgspec.Struct):
    cost: Cost | None = None


class Error(msgspec.Struct):
    """One GraphQL error. `path` starts with the alias it belongs to, where it belongs to one."""

    message: str = ""
    path: list[Any] | None = None
    extensions: dict[str, Any] | None = None

    @property
    def code(self) -> str:
        """The vendor's word for it."""
        return str((self.extensions or {}).get("code", ""))


class _Head(msgspec.Struct):
    """The answer without its data: a page of records is not parsed to find out that it is one."""

    errors: list[Error] | str | None = None
    extensions: _Extensions | None = None


_head = msgspec.json.Decoder(_Head).decode


def level(response: requests.Response) -> Level | None:
    """What an answer says about the bucket all processes draw from."""
    try:
        told = _head(response.content).extensions
    except msgspec.DecodeError:
        return None
    if told is None or told.cost is None:
        return None
    bucket = told.cost.throttle_status
    return Level(
        bucket.currently_available, bucket.maximum_available, bucket.restore_rate, told.cost.actual_query_cost or 0
    )


@dataclass
class Points:
    """The bucket as last heard of. `wait_s(cost)` says how long until it should hold `cost` points."""

    clock: Callable[[], float] = time.monotonic
    status: Throttle | None = None
    heard_at: float = 0.0
    under_way: float = 0.0
    dearer: dict[str, float] = field(
        default_factory=dict
    )  # what the shop asks for a query, to what we thought it would
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def price(self, document: str, cost: float) -> float:
        """What a query will be priced at: by the published rule until the shop has said it, then as it said."""
        return cost * self.dearer.get(document, 1.0)

    def learn(self, document: str, cost: float, requested: float) -> None:
        """The shop's own word on what it asks for a query."""
        if cost and requested:
            self.dearer[document] = requested / cost

    def take(self, cost: float) -> float:
        """Seconds to wait before a call of this cost; at 0 the points are set aside for it."""
        with self.lock:
            if self.status is not None:
                filled = self.status.currently_available + (self.clock() - self.heard_at) * self.status.restore_rate
                missing = cost + self.under_way - filled
                # with nothing else under way a call always goes out: the shop's own word is the one that counts
                if missing > 0 and (self.under_way or filled < self.status.maximum_available):
                    return missing / max(self.status.restore_rate, 1.0) + SPARE_S
            self.under_way += cost
            return 0.0

    def done(self, cost: float, status: Throttle | None) -> None:
        """The call is over; the answer told the state of the bucket."""
        with self.lock:
            self.under_way = max(0.0, self.under_way - cost)
            if status is not None:
                self.status, self.heard_at = status, self.clock()


@dataclass(frozen=True)
class Answered:
    """An answer with data. `errors` is empty unless the caller asked to see them for itself."""

    response: requests.Response
    errors: Sequence[Error] = ()


@dataclass
class Shop:
    """The client the streams' functions are called with; several threads may use it."""

    http: Http
    points: Points = field(default_factory=Points)
    files: Http = field(init=False, repr=False)
    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(PLACES), repr=False)
    once: threading.Lock = field(default_factory=threading.Lock, repr=False)
    keyed: bool = False  # whether customers are known here to have a place for our key

    def __post_init__(self) -> None:
        """Files are not at the shop but at a store of files: our token and our budget are not for it."""
        self.files = Http(f"{self.http.system} files", wait=self._pause)

    def _pause(self, wait_s: float) -> None:
        self.http.wait(wait_s)

    def ask(
        self, document: str, variables: Mapping[str, Any], *, cost: float, safe: bool = True, partial: bool = False
    ) -> Answered:
        """Send a query or mutation. `cost`: what it will be priced at, at most. `safe`: repeating it does no harm.

        Raises what `MEANS` says of an error; with `partial`, errors beside data are handed back instead.
        """
        for _ in range(MAX_TRIES):
            response, head = self._once(document, variables, cost, safe)
            errors = head.errors or []
            if isinstance(errors, str):
                raise BrokenAnswer(f"{self.http.system}: answered with a bare error message; {WAY_OUT[BrokenAnswer]}")
            if any(e.code == "THROTTLED" for e in errors):
                self._patient(head)
                continue
            if errors and not (partial and all(e.path for e in errors)):
                raise failure(self.http.system, errors[0], response.content)
            return Answered(response, errors)
        raise RateLimited(
            f"{self.http.system}: throttled {MAX_TRIES} times in a row; it goes on by itself on the next run"
        )

    def _once(
        self, document: str, variables: Mapping[str, Any], cost: float, safe: bool
    ) -> tuple[requests.Response, _Head]:
        thought, cost = cost, self.points.price(document, cost)
        while wait_s := self.points.take(cost):
            self._wait(wait_s)
        status = None
        try:
            body = {"query": document, "variables": dict(variables)}
            with spending(cost):
                response = self.http.request("POST", PATH, json=body, safe=safe)
            if response.status_code in CLOSED:
                raise ConfigError(f"{self.http.system}: {CLOSED[response.status_code]} ({response.status_code})")
            self.http.refuse(response)
            head = self._read(response)
            if head.extensions and head.extensions.cost:
                status = head.extensions.cost.throttle_status
                self.points.learn(document, thought, head.extensions.cost.requested_query_cost)
        finally:
            self.points.done(cost, status)
        served = response.headers.get("X-Shopify-API-Version", VERSION)
        if served != VERSION:
            log.warning(
                "%s: serves version %s of its API, not %s; renew the connector", self.http.system, served, VERSION
            )
        return response, head

    def _read(self, response: requests.Response) -> _Head:
        try:
            return _head(response.content)
        except msgspec.DecodeError as error:
            raise BrokenAnswer(
                f"{self.http.system}: the answer is not GraphQL ({error}); check the url of this system"
            ) from None

    def _patient(self, head: _Head) -> None:
        """Wait until the bucket holds what was asked for, and tell everybody else to."""
        cost = head.extensions.cost if head.extensions else None
        wait_s = 1.0
        if cost is not None:
            missing = cost.requested_query_cost - cost.throttle_status.currently_available
            wait_s = max(0.0, missing) / max(cost.throttle_status.restore_rate, 1.0) + SPARE_S
        with self.http.counts.lock:
            self.http.counts.refusals += 1
            self.http.counts.retries += 1
        if self.http.budget:
            self.http.budget.told(wait_s)
        self._wait(wait_s)

    def _wait(self, wait_s: float) -> None:
        with self.http.counts.lock:
            self.http.counts.waited_s += wait_s
        log.info("%s: waiting %.1f s for points", self.http.system, wait_s)
        self.http.wait(wait_s)


def failure(system: str, error: Error, body: bytes) -> OmniHubError:
    """The exception a GraphQL error stands for. Its message may quote values, so only its code is repeated."""
    kind = MEANS.get(error.code, BrokenAnswer)
    text = f"{system}: refused with {error.code or 'an error without a code'}; {WAY_OUT[kind]}"
    return RejectedRecord(text, status=200, code=error.code, body=body) if kind is RejectedRecord else kind(text)

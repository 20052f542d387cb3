"""The vendor's SDK over our session: it knows the paths and the paging, the session signs, waits and renews."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from omnihub.errors import BrokenAnswer, ConfigError, RejectedRecord, RetryableError
from omnihub.sdk import Http, value_at

T = TypeVar("T")

VERSION = "64.0"


class Org(Salesforce):
    """One org. Answers come back as their bytes."""

    def __init__(self, settings: Mapping[str, str], http: Http) -> None:
        http.reroute_https()
        super().__init__(instance_url=settings["url"], session_id="our session signs", version=VERSION, session=http)
        self.http = http
        self.headers.pop("X-PrettyPrint")  # the SDK asks for indented JSON: many more bytes, all of them spaces
        self.kinds: dict[str, dict[str, str]] = {}  # object → field → type, as described
        self.columns: dict[str, list[str]] = {}  # object → the fields that are read, in their order
        self.poll_s = _seconds(settings["poll_s"])

    def parse_result_to_json(self, result: requests.Response) -> bytes:
        """Not parsed: records are kept as they are."""
        return result.content

    def call(self, method: str, path: str, **kwargs: Any) -> bytes:
        """Any call below /services/data/vNN.0/, with refusals raised as the hub's own errors."""
        return self.told(lambda: self.restful(path, method=method, **kwargs)) or b""

    def ask(self, soql: str) -> Iterator[bytes]:
        """The pages of a query, deleted records included. One page at least."""
        body = self.told(lambda: self.query(soql, include_deleted=True))
        following = None
        while True:
            yield body
            before, following = following, _following(body)
            if following is None:
                return
            if following == before:
                raise BrokenAnswer("salesforce: a query's page points to itself; the stream keeps its cursor")
            body = self._more(following)

    def _more(self, locator: str) -> bytes:
        try:
            body: bytes = self.told(lambda: self.query_more(locator, identifier_is_url=True))
            return body
        except RejectedRecord as no:
            if b"INVALID_QUERY_LOCATOR" not in no.body:
                raise
        raise RetryableError(
            "salesforce: the query's pages have expired; the next run goes on from the last one landed"
        )

    def told(self, call: Callable[[], T]) -> T:
        """What the SDK answers. Its errors quote personal data; ours say what to do next."""
        try:
            return call()
        except SalesforceError as no:
            status = no.status
        self.http.refuse(self.http.last())
        raise BrokenAnswer(f"salesforce: answered {status}, which its contract does not name here")


def _following(body: bytes) -> str | None:
    if value_at(body, "done"):
        return None
    following = value_at(body, "nextRecordsUrl")
    if not following:
        raise BrokenAnswer("salesforce: a query has more records but does not say where; the stream keeps its cursor")
    return str(following)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 3600:
        raise ConfigError("salesforce: systems.salesforce.poll_s is not a number of seconds, as in 0.2")
    return seconds

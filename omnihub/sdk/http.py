"""One `Http` for every connector: time-outs, retries, limits, tokens and logging exist once, here.

It is a `requests.Session`, so that the vendors' own SDKs run over it too. What happens to a call:

    sign ─▶ ask the budget ─▶ send ─▶ status says …
                                        2xx/3xx, 4xx         hand back (4xx: `refuse` raises when asked)
                                        401                  new token once, then hand back
                                        429, 503, vendor's   wait as told, again (it was not carried out)
                                        5xx, time-out, reset again only where safe

"Safe" is a method that may be repeated, or a call marked `safe=True` (a search sent as POST, a keyed upsert).
Logs hold system, method, path shape, status and milliseconds: no query values, no bodies, no ids.
"""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

from omnihub.errors import ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.sdk.page import Exchange

log = logging.getLogger("omnihub.http")
logging.getLogger("urllib3").setLevel(logging.INFO)  # its debug lines hold whole URLs: names, addresses, phone numbers

CONNECT_S, READ_S = 5.0, 60.0
MAX_TRIES = 6
MAX_WAIT_S = 120.0
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
PASSING = frozenset({500, 502, 503, 504, 423})
LIMITED = frozenset({429})


class Budget(Protocol):
    """How many calls may be made; shared by all who hold the same key."""

    def take(self, method: str, path: str) -> Callable[[], None]:
        """Return when this call may be made, with what to call once it has been answered."""

    def told(self, wait_s: float) -> None:
        """The system asked for patience: nobody calls before `wait_s` seconds have passed."""


def nothing() -> None:
    """What to call where nobody counts."""


class Token(Protocol):
    """Something that signs requests and can renew itself."""

    def sign(self, request: requests.PreparedRequest, http: Http) -> None:
        """Put the credentials on the request, fetching them first if need be."""

    def renew(self, used: requests.PreparedRequest) -> bool:
        """The system refused these credentials. True where another try makes sense."""


@dataclass
class Counts:
    """What this session did, for the run's report."""

    calls: int = 0
    retries: int = 0
    refusals: int = 0  # rate-limit answers
    waited_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


def masked(url: str) -> str:
    """The URL with query values and ids taken out: safe to keep and to log.

    >>> masked("https://x.test/users/search.json?query=anna%40x.de&page=2")
    'https://x.test/users/search.json?query=…&page=…'
    """
    parts = urlsplit(url)
    query = "&".join(f"{pair.partition('=')[0]}=…" for pair in parts.query.split("&") if pair)
    path = re.sub(r"[^/]*(?:@|%40)[^/]*", "…", parts.path)
    return urlunsplit(
        (
            parts.scheme,
            parts.hostname + (f":{parts.port}" if parts.port else "") if parts.hostname else "",
            path,
            query,
            "",
        )
    )


class _Plain(HTTPAdapter):
    """Sends what a vendor's SDK insists on calling https:// to the plain address the settings name."""

    def __init__(self, target: str) -> None:
        super().__init__(pool_maxsize=16)
        self.target = urlsplit(target)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.url = urlunsplit((self.target.scheme, self.target.netloc, parts.path, parts.query, ""))
        return super().send(request, *args, **kwargs)


class Http(requests.Session):
    """A session for one system. See the module's docstring for what it does with a call.

    system: the name used in messages and logs. base_url: what relative paths are joined to.
    limited: tells a rate-limit refusal that is not a 429 (Salesforce's 403), given the response.
    """

    def __init__(
        self,
        system: str,
        base_url: str = "",
        *,
        token: Token | None = None,
        budget: Budget | None = None,
        limited: Callable[[requests.Response], bool] | None = None,
        wait: Callable[[float], None] = time.sleep,
        timeout_s: tuple[float, float] = (CONNECT_S, READ_S),
    ) -> None:
        super().__init__()
        self.trust_env = False  # a proxy or .netrc of the machine must not decide where customer data goes
        self.system = system
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.budget = budget
        self.limited = limited
        self.wait = wait
        self.timeout_s = timeout_s
        self.counts = Counts()
        self._seen = threading.local()
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=16))

    def reroute_https(self) -> None:
        """Let SDKs that hard-code https:// reach a plain base URL (a stand-in)."""
        if self.base_url.startswith("http://"):
            self.mount("https://", _Plain(self.base_url))

    def request(self, method: str, url: str, *args: Any, safe: bool = False, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """As `requests`, with paths joined to the base URL. `safe=True`: repeating this call does no harm."""
        if url.startswith("/"):
            url = self.base_url + url
        if safe:
            kwargs["headers"] = {**(kwargs.get("headers") or {}), _SAFE: "1"}
        return super().request(method, url, *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Every call of every SDK ends here."""
        safe = request.headers.pop(_SAFE, None) is not None or (request.method or "GET") in REPEATABLE
        kwargs["timeout"] = kwargs.get("timeout") or self.timeout_s
        kwargs["allow_redirects"] = kwargs.get("allow_redirects", True)
        renewed = False
        for tried in range(1, MAX_TRIES + 1):
            response, trouble = self._once(request, kwargs)
            if response is not None:
                if response.status_code == 401 and not renewed and tried < MAX_TRIES and self._renewed(request):
                    renewed = True
                    continue
                wait_s = self._patience(response, safe, tried)
                if wait_s is None:
                    return response
            elif safe and tried < MAX_TRIES:
                wait_s = _backoff_s(tried)
            else:
                raise RetryableError(f"{self.system}: no answer from {self._where(request)} ({trouble})") from trouble
            if tried == MAX_TRIES and response is not None:
                return response
            with self.counts.lock:
                self.counts.retries += 1
                self.counts.waited_s += wait_s
            log.info("%s: waiting %.1f s before trying %s again", self.system, wait_s, self._where(request))
            self.wait(wait_s)
        raise AssertionError("unreachable")

    def _renewed(self, request: requests.PreparedRequest) -> bool:
        return self.token is not None and self.token.renew(request)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Called for each redirect. Neither the token nor customer data goes to a host nobody configured."""
        here, there = response.request.url or "", prepared_request.url or ""
        if self.should_strip_auth(here, there):  # type: ignore[no-untyped-call]
            raise ConfigError(
                f"{self.system}: {self._where(response.request)} sends us on to {urlsplit(there).netloc}; "
                "that is not followed: if it is right, make it the url of this system"
            )

    def _once(
        self, request: requests.PreparedRequest, kwargs: dict[str, Any]
    ) -> tuple[requests.Response | None, Exception | None]:
        if self.token:  # before its turn: fetching a token takes a turn too, and waiting calls might hold them all
            self.token.sign(request, self)
        answered = nothing
        if self.budget:
            answered = self.budget.take(request.method or "GET", urlsplit(request.url or "").path)
        started = time.monotonic()
        try:
            with self.counts.lock:
                self.counts.calls += 1
            response = super().send(request, **kwargs)
            if not kwargs.get("stream") or response.status_code >= 400:
                response.content  # noqa: B018  read the body here, so that a cut-off one counts as no answer
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as trouble:
            if (
                isinstance(trouble, requests.exceptions.ConnectTimeout | requests.ConnectionError)
                and "refused" in str(trouble).lower()
            ):
                raise RetryableError(
                    f"{self.system}: nothing answers at {urlsplit(request.url or '').netloc}; "
                    "check the url of this system"
                ) from None
            return None, _brief(trouble)
        finally:
            answered()
        log.debug(
            "%s %s %s %d %.0f ms",
            self.system,
            request.method,
            self._where(request),
            response.status_code,
            1000 * (time.monotonic() - started),
        )
        self._seen.last = response
        return response, None

    def _patience(self, response: requests.Response, safe: bool, tried: int) -> float | None:
        """Seconds to wait before trying again, None to hand the answer back."""
        limited = response.status_code in LIMITED or bool(self.limited and self.limited(response))
        told_s = _told_s(response)
        if limited:
            with self.counts.lock:
                self.counts.refusals += 1
            wait_s = told_s if told_s is not None else _backoff_s(tried)
            if wait_s > MAX_WAIT_S:
                return None  # nor does anybody else of this run sit it out: each call is refused, and says so
            if self.budget:
                self.budget.told(wait_s)
            return wait_s
        if response.status_code == 503 and told_s is not None and told_s <= MAX_WAIT_S:
            return told_s
        if response.status_code in PASSING and safe:
            return _backoff_s(tried)
        return None

    def _where(self, request: requests.PreparedRequest) -> str:
        return re.sub(r"\d{3,}|[0-9a-f-]{16,}", "…", urlsplit(masked(request.url or "")).path)

    def last(self) -> requests.Response:
        """The last answer this thread got: what an SDK parsed away is still there as bytes."""
        return self._seen.last  # type: ignore[no-any-return]

    def get_ok(self, path: str, **kwargs: Any) -> requests.Response:
        """GET, with refusals raised."""
        return self.refuse(self.get(path, **kwargs))

    def refuse(self, response: requests.Response, record: str = "") -> requests.Response:
        """Raise what a status means; hand back the rest."""
        return refuse(self.system, response, record, self.limited)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Without the budget and the token: for fetching a token."""
        token, self.token = self.token, None
        try:
            yield
        finally:
            self.token = token


_SAFE = "X-OmniHub-Safe-To-Repeat"  # set and removed here, never sent


def exchange(response: requests.Response) -> Exchange:
    """What to remember of a call."""
    return Exchange(
        method=response.request.method or "GET",
        url=masked(response.request.url or ""),
        status=response.status_code,
        at=datetime.now(UTC),
    )


def refuse(
    system: str,
    response: requests.Response,
    record: str = "",
    limited: Callable[[requests.Response], bool] | None = None,
) -> requests.Response:
    """Raise the error a status stands for, in the words of `omnihub.errors`; hand back an answer that is none."""
    status = response.status_code
    if status < 400:
        return response
    where = f"{system}: {response.request.method} {urlsplit(masked(response.request.url or '')).path}"
    what = f" for {record}" if record else ""
    if status in LIMITED or (limited and limited(response)):
        raise RateLimited(f"{where} is rate limited{what}; it goes on by itself on the next run", _told_s(response))
    if status == 401:
        raise ConfigError(
            f"{system}: the credentials were refused (401); check the token of this system "
            "(`omnihub doctor` shows which settings it reads)"
        )
    if status == 403:
        raise ConfigError(
            f"{where} is forbidden (403); give the token the rights for it, or take the stream out of omnihub.yaml"
        )
    if status >= 500 or status == 408:
        raise RetryableError(f"{where} failed with {status}{what}; run again later")
    raise RejectedRecord(f"{where} refused with {status}{what}", status=status, body=response.content)


def _told_s(response: requests.Response) -> float | None:
    """Seconds the answer asks to wait (Retry-After as seconds or as a date)."""
    told = response.headers.get("Retry-After")
    if not told:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        try:
            return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            return None


def _backoff_s(tried: int) -> float:
    """Doubling from half a second, with jitter so that many workers don't come back together."""
    return float(min(30.0, 0.5 * 2 ** (tried - 1)) * random.uniform(0.5, 1.0))


def _brief(trouble: Exception) -> Exception:
    """The kind of trouble without the URL urllib3 puts into its text."""
    return type(trouble)(type(trouble).__name__)

"""Ways to sign a call. Each is a value; where it needs a secret it names the setting that holds it.

Bearer("token")                              Authorization: Bearer …
Header("X-Shopify-Access-Token", "token")    any header
Basic("{email}/token", "token")              Authorization: Basic …
Login(fetch, lasts_s)                        a token fetched by a call, renewed before it ends and on 401
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from omnihub.errors import BrokenAnswer, ConfigError, RetryableError
from omnihub.sdk.http import Http

Settings = Mapping[str, str]

EARLY_S = 30.0  # a token is renewed this long before it ends, so that none ends on its way


@dataclass(frozen=True)
class Bearer:
    """A token that stays the same."""

    setting: str
    header: str = "Authorization"
    prefix: str = "Bearer "

    def token(self, settings: Settings) -> _Fixed:
        """Made ready for one session."""
        return _Fixed(self.header, self.prefix + settings[self.setting])


def Header(header: str, setting: str) -> Bearer:
    """A token in a header of its own."""
    return Bearer(setting, header, "")


@dataclass(frozen=True)
class Basic:
    """User and password; `user` is a template over the settings."""

    user: str
    password: str

    def token(self, settings: Settings) -> _Fixed:
        """Made ready for one session."""
        pair = f"{self.user.format_map(settings)}:{settings[self.password]}"
        return _Fixed("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())


@dataclass(frozen=True)
class Login:
    """A token got by a call: `fetch(http, settings)` returns (token, seconds it lasts)."""

    fetch: Callable[[Http, Settings], tuple[str, float]]
    header: str = "Authorization"
    prefix: str = "Bearer "
    clock: Callable[[], float] = time.monotonic

    def token(self, settings: Settings) -> _Fetched:
        """Made ready for one session."""
        return _Fetched(self, settings)


def ClientCredentials(
    path: str,
    client_id: str = "client_id",
    client_secret: str = "client_secret",
    header: str = "Authorization",
    prefix: str = "Bearer ",
) -> Login:
    """OAuth 2 client credentials: POST `path`, form encoded; the names are those of the settings."""

    def fetch(http: Http, settings: Settings) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": settings[client_id],
            "client_secret": settings[client_secret],
        }
        answer = http.request("POST", path, data=form, safe=True)
        return _token_of(http.system, answer)

    return Login(fetch, header, prefix)


def _token_of(system: str, answer: requests.Response) -> tuple[str, float]:
    if answer.status_code in (400, 401, 403):
        raise ConfigError(f"{system}: the login was refused ({answer.status_code}); check its client id and secret")
    if answer.status_code != 200:
        raise RetryableError(f"{system}: the login answered {answer.status_code}; run again later")
    try:
        body: dict[str, Any] = answer.json()
        return str(body["access_token"]), float(body.get("expires_in", 3600))
    except (ValueError, KeyError, TypeError):
        raise BrokenAnswer(f"{system}: the login answered without a token; check the url of this system") from None


Auth = Bearer | Basic | Login


class _Fixed:
    def __init__(self, header: str, value: str) -> None:
        self.header, self.value = header, value

    def sign(self, request: requests.PreparedRequest, http: Http) -> None:
        request.headers[self.header] = self.value

    def renew(self, used: requests.PreparedRequest) -> bool:
        return False


class _Fetched:
    """One refresh at a time: threads that find the token stale wait for the one that fetches it."""

    def __init__(self, login: Login, settings: Settings) -> None:
        self.login, self.settings = login, settings
        self._lock = threading.RLock()
        self._fetching = False
        self._value = ""
        self._ends = 0.0

    def sign(self, request: requests.PreparedRequest, http: Http) -> None:
        with self._lock:
            if self._fetching:  # this is the login call itself
                return
            if not self._value or self.login.clock() >= self._ends - EARLY_S:
                self._fetching = True
                try:
                    token, lasts_s = self.login.fetch(http, self.settings)
                finally:
                    self._fetching = False
                self._value = self.login.prefix + token
                self._ends = self.login.clock() + max(lasts_s, EARLY_S * 2)
            request.headers[self.login.header] = self._value

    def renew(self, used: requests.PreparedRequest) -> bool:
        with self._lock:
            if self._fetching:
                return False
            if used.headers.get(self.login.header) == self._value:  # else another thread was faster
                self._value = ""
            return True

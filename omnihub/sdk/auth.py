"""Ways to sign a call. Each is a value; where it needs a secret it names the setting that holds it.

    Bearer("token")                              Authorization: Bearer …
    Header("X-Shopify-Access-Token", "token")    any header
    Basic("{email}/token", "token")              Authorization: Basic …
    ApiKey("key", "api_key")                     a parameter of every call: …?key=…
    ClientCredentials("/oauth/token")            OAuth 2: client id and secret
    Refresh("/oauth/token")                      OAuth 2: a refresh token, also one that changes with each use
    LoginToken("/login")                         user and password against a token
    JwtBearer("/oauth/token")                    OAuth 2: an assertion signed with our key (RFC 7523)
    Login(fetch)                                 anything else: a token fetched by a call

A fetched token is renewed shortly before it ends and once on a 401, by one thread at a time; the others wait for it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import jwt
import requests

from omnihub.errors import BrokenAnswer, ConfigError, RetryableError
from omnihub.sdk.http import Http
from omnihub.sdk.page import dig

Settings = Mapping[str, str]
Memory = dict[str, str]
"""What a way to sign remembers from one fetch to the next, as a refresh token."""

EARLY_S = 30.0  # a token is renewed this long before it ends, so that none ends on its way
LASTS_S = 3600.0  # where nobody says how long
REFUSED = (400, 401, 403)


# -- tokens that stay the same ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bearer:
    """A token that stays the same."""

    setting: str
    header: str = "Authorization"
    prefix: str = "Bearer "

    def token(self, settings: Settings) -> _Fixed:
        """Made ready for one session."""
        return _Fixed(self.header, self.prefix + settings[self.setting])


@dataclass(frozen=True)
class Header:
    """A token in a header of its own."""

    header: str
    setting: str

    def token(self, settings: Settings) -> _Fixed:
        """Made ready for one session."""
        return _Fixed(self.header, settings[self.setting])


@dataclass(frozen=True)
class Basic:
    """User and password; `user` is a template over the settings."""

    user: str
    password: str

    def token(self, settings: Settings) -> _Fixed:
        """Made ready for one session."""
        return _Fixed("Authorization", _basic(self.user.format_map(settings), settings[self.password]))


@dataclass(frozen=True)
class ApiKey:
    """A key sent as the parameter `param` of every call. What is kept or logged of an address has no values."""

    param: str
    setting: str

    def token(self, settings: Settings) -> _InQuery:
        """Made ready for one session."""
        return _InQuery(self.param, settings[self.setting])


# -- tokens fetched by a call ----------------------------------------------------------------------------------------


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

    def get(self, http: Http, settings: Settings, memory: Memory) -> tuple[str, float]:
        """(token, seconds it lasts)."""
        return self.fetch(http, settings)


@dataclass(frozen=True)
class ClientCredentials:
    """OAuth 2 client credentials: POST `path`, form encoded; `client_id` and `client_secret` name the settings.

    path: may be a whole address, and a template over the settings. basic: id and secret go as Basic authorization, not
    in the form. scope, extra: more of the form.
    """

    path: str
    client_id: str = "client_id"
    client_secret: str = "client_secret"
    header: str = "Authorization"
    prefix: str = "Bearer "
    scope: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    basic: bool = False
    clock: Callable[[], float] = time.monotonic

    def token(self, settings: Settings) -> _Fetched:
        """Made ready for one session."""
        return _Fetched(self, settings)

    def get(self, http: Http, settings: Settings, memory: Memory) -> tuple[str, float]:
        """(token, seconds it lasts)."""
        form = {"grant_type": "client_credentials", **_scope(self.scope), **self.extra}
        who = settings[self.client_id], settings[self.client_secret]
        answer = _ask(http, self.path.format_map(settings), form, *who, basic=self.basic)
        return _token_of(http.system, answer, "its client id and secret")


@dataclass(frozen=True)
class Refresh:
    """OAuth 2 refresh token: POST `path`, form encoded; the other names are those of the settings.

    A system that hands out a new refresh token with each use makes the one in the settings worthless. The new one is
    remembered for as long as this process runs, by all its sessions; and in a file, readable by its owner only, where
    the setting `kept_in` names one: without that, somebody has to log in again after a restart.
    """

    path: str
    refresh_token: str = "refresh_token"
    client_id: str = "client_id"
    client_secret: str = "client_secret"  # "" for a client that has none
    header: str = "Authorization"
    prefix: str = "Bearer "
    scope: str = ""
    basic: bool = False
    kept_in: str = "token_file"
    clock: Callable[[], float] = time.monotonic

    def token(self, settings: Settings) -> _Fetched:
        """Made ready for one session."""
        return _Fetched(self, settings)

    def get(self, http: Http, settings: Settings, memory: Memory) -> tuple[str, float]:
        """(token, seconds it lasts)."""
        first = settings[self.refresh_token]
        file = Path(settings[self.kept_in]) if settings.get(self.kept_in) else None
        newest = _newest(http.system, self.path, first)
        with newest.lock:
            held = (file and _read(file, first)) or newest.value or first
            answer = self._ask(http, settings, held)
            again = _read(file, first) if file and answer.status_code in REFUSED else ""
            if again and again != held:  # another process was faster
                answer = self._ask(http, settings, again)
            found = _token_of(http.system, answer, f"the setting {self.refresh_token} (log in again for a new one)")
            rotated = dig(answer.json(), "refresh_token")
            if isinstance(rotated, str) and rotated and rotated != held:
                newest.value = rotated
                if file:
                    _write(file, first, rotated)
        return found

    def _ask(self, http: Http, settings: Settings, held: str) -> requests.Response:
        form = {"grant_type": "refresh_token", "refresh_token": held, **_scope(self.scope)}
        secret = settings[self.client_secret] if self.client_secret else ""
        # never twice by itself: a rotating token is spent by the first try, and the second may lock everybody out
        path = self.path.format_map(settings)
        return _ask(http, path, form, settings[self.client_id], secret, basic=self.basic, safe=False)


@dataclass(frozen=True)
class LoginToken:
    """User and password sent as JSON to `path`, a token at `at` of the answer.

    send: name in the JSON → the setting that holds its value. expires_in: dotted path of how many seconds the token
    lasts; without it a JWT says so itself, and anything else is taken to last `lasts_s`. renew_path: where a refresh
    token (at `renew_at` of the answer, sent as `renew_name`) gets the next token without the password; a refusal there
    means logging in again.
    """

    path: str
    send: Mapping[str, str] = field(default_factory=lambda: {"username": "username", "password": "password"})
    at: str = "token"
    expires_in: str = ""
    lasts_s: float = LASTS_S
    renew_path: str = ""
    renew_at: str = "refreshToken"
    renew_name: str = "refreshToken"
    header: str = "Authorization"
    prefix: str = "Bearer "
    clock: Callable[[], float] = time.monotonic

    def token(self, settings: Settings) -> _Fetched:
        """Made ready for one session."""
        return _Fetched(self, settings)

    def get(self, http: Http, settings: Settings, memory: Memory) -> tuple[str, float]:
        """(token, seconds it lasts)."""
        answer = self._renewed(http, memory)
        if answer is None:
            who = {name: settings[setting] for name, setting in self.send.items()}
            answer = http.request("POST", self.path.format_map(settings), json=who, safe=True)
        way_out = " and ".join(f"the setting {setting}" for setting in self.send.values())
        body = _json_of(http.system, answer, way_out)
        token = dig(body, self.at)
        if not isinstance(token, str) or not token:
            raise BrokenAnswer(f"{http.system}: the login answered without a token at {self.at!r}")
        memory["renew"] = str(dig(body, self.renew_at) or "") if self.renew_path else ""
        told = dig(body, self.expires_in) if self.expires_in else None
        return token, float(told) if told is not None else jwt_lasts_s(token) or self.lasts_s

    def _renewed(self, http: Http, memory: Memory) -> requests.Response | None:
        held = memory.pop("renew", "")
        if not held:
            return None
        answer = http.request("POST", self.renew_path, json={self.renew_name: held})
        return answer if answer.status_code == 200 else None


@dataclass(frozen=True)
class JwtBearer:
    """An assertion signed with our own key against a token (RFC 7523).

    key: the setting with the private key in PEM (RS256, ES256) or the shared secret (HS256). issuer, subject, audience
    are templates over the settings; without an audience it is the address of `path`. Without a path the assertion
    itself is the token.
    """

    path: str = ""
    key: str = "private_key"
    algorithm: str = "RS256"
    issuer: str = "{client_id}"
    subject: str = ""
    audience: str = ""
    scope: str = ""
    key_id: str = ""  # the setting with the key's id, where the system knows several
    claims: Mapping[str, Any] = field(default_factory=dict)
    assertion_s: float = 300.0  # systems take none that lasts much longer
    header: str = "Authorization"
    prefix: str = "Bearer "
    clock: Callable[[], float] = time.monotonic

    def token(self, settings: Settings) -> _Fetched:
        """Made ready for one session."""
        return _Fetched(self, settings)

    def get(self, http: Http, settings: Settings, memory: Memory) -> tuple[str, float]:
        """(token, seconds it lasts)."""
        path = self.path.format_map(settings)
        assertion = self._assertion(http, settings, path)
        if not path:
            return assertion, self.assertion_s
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        answer = http.request("POST", path, data=form | _scope(self.scope), safe=True)
        return _token_of(http.system, answer, f"the setting {self.key}, and that the system knows its other half")

    def _assertion(self, http: Http, settings: Settings, path: str) -> str:
        now = int(time.time())
        issuer = self.issuer.format_map(settings)
        claims = {
            "iss": issuer,
            "sub": self.subject.format_map(settings) or issuer,
            "aud": self.audience.format_map(settings) or urljoin(http.base_url + "/", path),
            "iat": now,
            "exp": now + int(self.assertion_s),
            "jti": str(uuid.uuid4()),
            **_scope(self.scope),
            **self.claims,
        }
        heading = {"kid": settings[self.key_id]} if self.key_id else None
        try:
            return jwt.encode(claims, settings[self.key], self.algorithm, heading)
        except (ValueError, TypeError, jwt.PyJWTError):
            raise ConfigError(
                f"{http.system}: the setting {self.key} is not a key for {self.algorithm}; was it copied whole?"
            ) from None


Auth = Bearer | Header | Basic | ApiKey | Login | ClientCredentials | Refresh | LoginToken | JwtBearer


# -- what the answers say --------------------------------------------------------------------------------------------


def _ask(
    http: Http, path: str, form: Mapping[str, str], client_id: str, secret: str, *, basic: bool, safe: bool = True
) -> requests.Response:
    """A call to a token endpoint, with the client's name where it wants it."""
    if basic:
        headers = {"Authorization": _basic(client_id, secret)}
        return http.request("POST", path, data=dict(form), headers=headers, safe=safe)
    who = {"client_id": client_id, **({"client_secret": secret} if secret else {})}
    return http.request("POST", path, data={**form, **who}, safe=safe)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _scope(scope: str) -> dict[str, str]:
    return {"scope": scope} if scope else {}


def _token_of(system: str, answer: requests.Response, way_out: str) -> tuple[str, float]:
    body = _json_of(system, answer, way_out)
    try:
        told = body.get("expires_in")
        return str(body["access_token"]), LASTS_S if told is None else float(told)
    except (ValueError, KeyError, TypeError):
        raise BrokenAnswer(f"{system}: the login answered without a token; check the url of this system") from None


def _json_of(system: str, answer: requests.Response, way_out: str) -> dict[str, Any]:
    if answer.status_code in REFUSED:
        raise ConfigError(f"{system}: the login was refused ({answer.status_code}); check {way_out}")
    if answer.status_code not in (200, 201):
        raise RetryableError(f"{system}: the login answered {answer.status_code}; run again later")
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BrokenAnswer(f"{system}: the login answered without a token; check the url of this system")
    return body


def jwt_lasts_s(token: str) -> float | None:
    """The life of a JWT as it says itself, from the time it was made; None where it says nothing, or is none."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        return float(claims["exp"]) - float(claims["iat"])
    except (ValueError, KeyError, IndexError, TypeError, binascii.Error):
        return None


# -- refresh tokens that change --------------------------------------------------------------------------------------


@dataclass
class _Newest:
    lock: threading.RLock = field(default_factory=threading.RLock)
    value: str = ""


_rotating: dict[str, _Newest] = {}  # all sessions of this process know the newest refresh token: the others are spent
_rotating_lock = threading.Lock()


def _newest(system: str, path: str, first: str) -> _Newest:
    with _rotating_lock:
        return _rotating.setdefault(_digest(f"{system} {path} {first}"), _Newest())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(file: Path, first: str) -> str:
    """The refresh token kept in the file, "" where it descends from another one than the settings name now."""
    try:
        kept = json.loads(file.read_text())
        return str(kept["refresh_token"]) if kept["from"] == _digest(first) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _write(file: Path, first: str, rotated: str) -> None:
    """Whole or not at all, and for its owner only from the first moment on."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump({"from": _digest(first), "refresh_token": rotated}, out)
    fresh.replace(file)


# -- ready for a session ---------------------------------------------------------------------------------------------


class _Fixed:
    def __init__(self, header: str, value: str) -> None:
        self.header, self.value = header, value

    def sign(self, request: requests.PreparedRequest, http: Http) -> None:
        request.headers[self.header] = self.value

    def renew(self, used: requests.PreparedRequest) -> bool:
        return False


class _InQuery:
    def __init__(self, param: str, value: str) -> None:
        self.param, self.value = param, value

    def sign(self, request: requests.PreparedRequest, http: Http) -> None:
        parts = urlsplit(request.url or "")
        rest = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != self.param]
        request.url = urlunsplit(parts._replace(query=urlencode([*rest, (self.param, self.value)])))

    def renew(self, used: requests.PreparedRequest) -> bool:
        return False


class _Fetching(Protocol):
    """A way to sign whose token is fetched."""

    @property
    def header(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def clock(self) -> Callable[[], float]: ...
    def get(self, http: Http, settings: Settings, memory: Memory) -> tuple[str, float]: ...


class _Fetched:
    """One refresh at a time: threads that find the token stale wait for the one that fetches it."""

    def __init__(self, login: _Fetching, settings: Settings) -> None:
        self.login, self.settings = login, settings
        self._memory: Memory = {}
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
                    token, lasts_s = self.login.get(http, self.settings, self._memory)
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

"""The way in: which calls carry a good token, and where tokens are handed out, out of the declared `auth`.

Fetched tokens say when they end and are sealed, so that a restart forgets none and nobody makes one up.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from omnihub.sandbox.derived.operations import Operation, body_of
from omnihub.sandbox.derived.shape import dig, put
from omnihub.sandbox.kit import Call, Reply
from omnihub.sdk import (
    ApiKey,
    Basic,
    Bearer,
    ClientCredentials,
    Connector,
    Header,
    JwtBearer,
    Login,
    LoginToken,
    Refresh,
)

LASTS_S = 900  # of tokens that are fetched; the option `token_lasts_s` says otherwise


@dataclass(frozen=True)
class Entrance:
    """`credentials`: what the settings must be to come in. `authorized(stand-in, call)`. `operations`: the logins."""

    credentials: Mapping[str, str]
    authorized: Callable[[Any, Call], bool]
    operations: tuple[Operation, ...] = ()


def credentials(connector: Connector) -> dict[str, str]:
    """A value for every setting but the address: invented where it has none of its own."""
    return {
        setting.name: setting.default or f"{connector.name}-sandbox-{setting.name}".replace("_", "-")
        for setting in connector.settings
        if setting.name != "url"
    }


def entrance(connector: Connector, notes: list[str]) -> Entrance:
    """How this connector's calls come in."""
    auth, settings = connector.auth, credentials(connector)
    if auth is None:
        return Entrance(settings, lambda standin, call: True)
    make = ENTRANCES.get(type(auth))
    if make is None:
        notes.append(f"auth: {type(auth).__name__} is a Python function of its own: any call is let in")
        return Entrance(settings, lambda standin, call: True)
    return make(connector, auth, settings, notes)


def _bearer(connector: Connector, auth: Bearer, settings: dict[str, str], notes: list[str]) -> Entrance:
    want = auth.prefix + settings[auth.setting]
    return Entrance(settings, lambda standin, call: _same(call.headers.get(auth.header, ""), want))


def _header(connector: Connector, auth: Header, settings: dict[str, str], notes: list[str]) -> Entrance:
    want = settings[auth.setting]
    return Entrance(settings, lambda standin, call: _same(call.headers.get(auth.header, ""), want))


def _api_key(connector: Connector, auth: ApiKey, settings: dict[str, str], notes: list[str]) -> Entrance:
    want = settings[auth.setting]
    return Entrance(settings, lambda standin, call: _same(call.param(auth.param), want))


def _basic(connector: Connector, auth: Basic, settings: dict[str, str], notes: list[str]) -> Entrance:
    want = _pair(auth.user.format_map(settings), settings[auth.password])
    return Entrance(settings, lambda standin, call: _same(call.headers.get("Authorization", ""), want))


def _login(connector: Connector, auth: Login, settings: dict[str, str], notes: list[str]) -> Entrance:
    notes.append("auth: the login is a Python function, so it is not served; any token in its header is let in")
    return Entrance(settings, lambda standin, call: bool(call.headers.get(auth.header, "").removeprefix(auth.prefix)))


def _client_credentials(
    connector: Connector, auth: ClientCredentials, settings: dict[str, str], notes: list[str]
) -> Entrance:
    who = settings[auth.client_id], settings[auth.client_secret]

    def login(standin: Any, call: Call) -> Reply:
        form = call.form()
        if form.get("grant_type") != "client_credentials":
            return _no_login(400, "unsupported_grant_type")
        return _granted(standin) if _is_client(call, form, *who) else _no_login(401, "invalid_client")

    return _fetched(auth, settings, login)


def _refresh(connector: Connector, auth: Refresh, settings: dict[str, str], notes: list[str]) -> Entrance:
    settings = {name: value for name, value in settings.items() if name != auth.kept_in}
    who = settings[auth.client_id], settings[auth.client_secret] if auth.client_secret else ""
    notes.append("auth: the refresh token stays the same; the option rotate_refresh=True gives a new one each time")

    def login(standin: Any, call: Call) -> Reply:
        form = call.form()
        held = standin.state.note("refresh", settings[auth.refresh_token])
        if not _is_client(call, form, *who):
            return _no_login(401, "invalid_client")
        if form.get("grant_type") != "refresh_token" or not _same(form.get("refresh_token", ""), held):
            return _no_login(400, "invalid_grant")
        if not standin.options.get("rotate_refresh"):
            return _granted(standin)
        following = hashlib.sha256(held.encode()).hexdigest()
        standin.state.keep("refresh", following)
        return _granted(standin, refresh_token=following)

    return _fetched(auth, settings, login)


def _login_token(connector: Connector, auth: LoginToken, settings: dict[str, str], notes: list[str]) -> Entrance:
    def granted(standin: Any) -> Reply:
        token, lasts_s = issue(standin)
        body: dict[str, Any] = {}
        put(body, auth.at, token)
        if auth.expires_in:
            put(body, auth.expires_in, lasts_s)
        if auth.renew_path:
            put(body, auth.renew_at, issue(standin, "renew", 20)[0])
        return Reply(200, body)

    def login(standin: Any, call: Call) -> Reply:
        body = body_of(call)
        known = all(_same(str(dig(body, name)), settings[setting]) for name, setting in auth.send.items())
        return granted(standin) if known else _no_login(401, "who is that?")

    def renew(standin: Any, call: Call) -> Reply:
        held = dig(body_of(call), auth.renew_name)
        return granted(standin) if good(standin, str(held), "renew") else _no_login(401, "log in again")

    way_in = _fetched(auth, settings, login)
    if not auth.renew_path:
        return way_in
    again = Operation("POST", auth.renew_path, renew, open_=True)
    return Entrance(settings, way_in.authorized, (*way_in.operations, again))


def _jwt_bearer(connector: Connector, auth: JwtBearer, settings: dict[str, str], notes: list[str]) -> Entrance:
    private, public = _keys(auth.algorithm)
    settings = {**settings, auth.key: private}

    def signed(assertion: str) -> bool:
        try:
            options: Any = {"verify_aud": False, "require": ["exp", "iss"]}
            claims = jwt.decode(assertion, public, algorithms=[auth.algorithm], options=options)
        except jwt.PyJWTError:
            return False
        return bool(claims["iss"] == auth.issuer.format_map(settings))

    def login(standin: Any, call: Call) -> Reply:
        form = call.form()
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return _no_login(400, "unsupported_grant_type")
        return _granted(standin) if signed(form.get("assertion", "")) else _no_login(400, "invalid_grant")

    if auth.path:
        return _fetched(auth, settings, login)
    return Entrance(settings, lambda standin, call: signed(_carried(call, auth)))


@functools.cache
def _keys(algorithm: str) -> tuple[str, Any]:
    """(what the connector signs with, what it is checked with)."""
    if algorithm.startswith("HS"):
        return "a-shared-secret-of-the-sandbox-that-is-long-enough" * 2, (
            "a-shared-secret-of-the-sandbox-that-is-long-enough" * 2
        )
    key: Any = (
        ec.generate_private_key(ec.SECP256R1())
        if algorithm.startswith("ES")
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), key.public_key()


ENTRANCES: dict[type, Callable[[Connector, Any, dict[str, str], list[str]], Entrance]] = {
    Bearer: _bearer,
    Header: _header,
    ApiKey: _api_key,
    Basic: _basic,
    Login: _login,
    ClientCredentials: _client_credentials,
    Refresh: _refresh,
    LoginToken: _login_token,
    JwtBearer: _jwt_bearer,
}


def _fetched(auth: Any, settings: dict[str, str], login: Callable[[Any, Call], Reply]) -> Entrance:
    path = urlsplit(auth.path.format_map(settings)).path
    operation = Operation("POST", path, login, open_=True)
    return Entrance(settings, lambda standin, call: good(standin, _carried(call, auth)), (operation,))


def _carried(call: Call, auth: Any) -> str:
    said = call.headers.get(auth.header, "")
    return said.removeprefix(auth.prefix) if said.startswith(auth.prefix) else ""


def _is_client(call: Call, form: Mapping[str, str], client_id: str, secret: str) -> bool:
    """Whether the client says who it is, in the form or as Basic authorization."""
    if _same(call.headers.get("Authorization", ""), _pair(client_id, secret)):
        return True
    return _same(form.get("client_id", ""), client_id) and _same(form.get("client_secret", ""), secret)


def _granted(standin: Any, **more: Any) -> Reply:
    token, lasts_s = issue(standin)
    return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": lasts_s, **more})


def _no_login(status: int, why: str) -> Reply:
    return Reply(status, {"error": why})


def _pair(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


# -- tokens that end ---------------------------------------------------------------------------------------------------


def issue(standin: Any, what: str = "access", times: int = 1) -> tuple[str, int]:
    """(a token good from now on, the seconds it lasts). `times`: so often as long as others."""
    lasts_s = int(standin.options.get("token_lasts_s", LASTS_S)) * times
    ends = f"{standin.now().timestamp() + lasts_s:.3f}"
    return f"{ends}-{_seal(standin, what + ends)}", lasts_s


def good(standin: Any, token: str, what: str = "access") -> bool:
    """Whether this token was issued here for this, and has not ended."""
    ends, _, seal = token.partition("-")
    if not re.fullmatch(r"\d+\.\d{3}", ends) or not _same(seal, _seal(standin, what + ends)):
        return False
    return bool(standin.now().timestamp() < float(ends))


def _seal(standin: Any, text: str) -> str:
    return hmac.new(f"{standin.system}'s stand-in".encode(), text.encode(), hashlib.sha256).hexdigest()


def _same(said: str, want: str) -> bool:
    return hmac.compare_digest(said.encode(), want.encode())

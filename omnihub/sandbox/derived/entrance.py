"""The way in: which calls carry a good token, and where tokens are handed out, out of the declared `auth`.

Fetched tokens say when they end and are sealed, so that a restart forgets none and nobody makes one up.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from omnihub.sandbox.derived.operations import Operation
from omnihub.sandbox.kit import Call
from omnihub.sdk import Basic, Bearer, Connector, Login

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


def _basic(connector: Connector, auth: Basic, settings: dict[str, str], notes: list[str]) -> Entrance:
    pair = f"{auth.user.format_map(settings)}:{settings[auth.password]}"
    want = "Basic " + base64.b64encode(pair.encode()).decode()
    return Entrance(settings, lambda standin, call: _same(call.headers.get("Authorization", ""), want))


def _login(connector: Connector, auth: Login, settings: dict[str, str], notes: list[str]) -> Entrance:
    notes.append("auth: the login is a Python function, so it is not served; any token in its header is let in")
    return Entrance(settings, lambda standin, call: bool(call.headers.get(auth.header, "").removeprefix(auth.prefix)))


ENTRANCES: dict[type, Callable[[Connector, Any, dict[str, str], list[str]], Entrance]] = {
    Bearer: _bearer,
    Basic: _basic,
    Login: _login,
}


# -- tokens that end ---------------------------------------------------------------------------------------------------


def issue(standin: Any, what: str = "access") -> tuple[str, int]:
    """(a token good from now on, the seconds it lasts)."""
    lasts_s = int(standin.options.get("token_lasts_s", LASTS_S))
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

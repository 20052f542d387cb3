"""Logging in: each way against a system that checks it; tokens end, change, and are fetched by one thread at a time."""

from __future__ import annotations

import base64
import json
import logging
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from omnihub.errors import BrokenAnswer, ConfigError
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import ApiKey, ClientCredentials, Http, JwtBearer, LoginToken, NextUrl, Pages, Refresh, Want, exchange
from omnihub.sdk.auth import Auth

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Gate(Standin):
    """Hands out tokens the way OAuth 2 has it, and takes the last one only."""

    system, role = "gate", "portal"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.begin()

    def begin(self) -> None:
        self.token = "none yet"
        self.key = ""
        self.logins: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.refresh = "first"
        self.rotates = True
        self.public = ""
        self.asked: list[Call] = []
        self.lasts: dict[str, Any] = {"expires_in": 3600}
        self.makes = ""

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        if self.key:
            return call.params("key") == [self.key]
        return call.headers.get("authorization") == f"Bearer {self.token}"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"message": message})

    def _new(self, **more: Any) -> Reply:
        self.token = self.makes or uuid.uuid4().hex
        return Reply(200, {"access_token": self.token, **self.lasts, **more})

    @route("POST", "/token", "/{tenant}/token", open_=True)
    def oauth(self, call: Call) -> Reply:
        form = call.form()
        self.logins.append({**form, **call.path})
        self.headers.append(call.headers)
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != self.refresh:
                return Reply(400, {"error": "invalid_grant"})
            if not self.rotates:
                return self._new()
            self.refresh = uuid.uuid4().hex
            return self._new(refresh_token=self.refresh)
        if form["grant_type"] == GRANT:
            try:
                here = call.url.split("?")[0]
                jwt.decode(form["assertion"], self.public, ["RS256", "HS256"], audience=here, issuer="hub")
            except jwt.PyJWTError as no:
                return Reply(401, {"error": str(no)})
        return self._new()

    @route("POST", "/login", open_=True)
    def login(self, call: Call) -> Reply:
        sent = call.json()
        self.logins.append(sent)
        if "refreshToken" in sent and sent["refreshToken"] != self.refresh:
            return Reply(401, {})
        if "refreshToken" not in sent and sent != {"username": "hub", "password": "s3cret"}:
            return Reply(401, {})
        self._new()
        self.refresh = uuid.uuid4().hex
        return Reply(200, {"data": {"token": self.token, "refreshToken": self.refresh}, **self.lasts})

    @route("GET", "/things")
    def things(self, call: Call) -> Reply:
        self.asked.append(call)
        following = call.url if len(self.asked) == 1 else None  # as many do: with whatever was sent
        return Reply(200, {"items": [{"id": 1}], "next": f"{following}&page=2" if following else None})


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running([Gate()]) as run:
        yield run


@pytest.fixture
def gate(running: Running) -> Gate:
    found = running.standins["gate"]
    assert isinstance(found, Gate)
    found.begin()
    return found


@pytest.fixture(scope="module")
def private() -> tuple[str, str]:
    """A key and its public half, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return own.decode(), public.decode()


SETTINGS = {
    "client_id": "hub",
    "client_secret": "s3cret",
    "username": "hub",
    "password": "s3cret",
    "tenant": "acme",
    "api_key": "k e/y?&",
    "shared": "a secret that both sides know, and nobody else",
}


def signed(running: Running, auth: Auth, **more: str) -> Http:
    return Http("gate", running.urls["gate"], token=auth.token({**SETTINGS, **more}), wait=lambda _: None)


# -- each way to log in ----------------------------------------------------------------------------------------------


def test_client_credentials_may_go_as_basic_with_a_scope_and_a_tenant_in_the_path(running: Running, gate: Gate) -> None:
    auth = ClientCredentials("/{tenant}/token", scope="read write", extra={"audience": "x"}, basic=True)
    assert signed(running, auth).get("/things").status_code == 200
    assert gate.logins == [
        {"grant_type": "client_credentials", "scope": "read write", "audience": "x", "tenant": "acme"}
    ]
    assert gate.headers[0]["authorization"] == "Basic " + base64.b64encode(b"hub:s3cret").decode()


def test_a_refresh_token_that_stays_is_used_again(running: Running, gate: Gate) -> None:
    gate.rotates = False
    http = signed(running, Refresh("/token"), refresh_token="first")
    http.get("/things")
    gate.token = "another"
    assert http.get("/things").status_code == 200
    assert [login["refresh_token"] for login in gate.logins] == ["first", "first"]


def test_a_refresh_token_that_changes_is_remembered_by_all_sessions_of_this_process(
    running: Running, gate: Gate
) -> None:
    gate.refresh = first = uuid.uuid4().hex
    for _ in range(3):  # as the pull and the push do, each with a session of its own
        http = signed(running, Refresh("/token"), refresh_token=first)
        assert http.get("/things").status_code == 200
        gate.token = "ended"
        assert http.get("/things").status_code == 200
    assert len({login["refresh_token"] for login in gate.logins}) == len(gate.logins)


def test_a_refresh_token_that_changes_survives_a_restart_where_a_file_is_named(
    running: Running, gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "token.json"
    # What a process remembers it remembers by the path of the login: another path is as good as a restart.
    gate.refresh = first = uuid.uuid4().hex
    assert signed(running, Refresh("/token"), refresh_token=first, token_file=str(file)).get("/things").ok
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert first not in file.read_text()
    restarted = Refresh("/other/token")
    assert signed(running, restarted, refresh_token=first, token_file=str(file)).get("/things").ok
    assert list(tmp_path.iterdir()) == [file]


def test_a_new_refresh_token_in_the_settings_counts_more_than_what_the_old_one_became(
    running: Running, gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "token.json"
    file.write_text(json.dumps({"from": "another", "refresh_token": "spent"}))
    gate.refresh = fresh = uuid.uuid4().hex
    assert signed(running, Refresh("/token"), refresh_token=fresh, token_file=str(file)).get("/things").ok


def test_a_spent_refresh_token_says_which_setting_needs_a_new_one(running: Running, gate: Gate) -> None:
    with pytest.raises(ConfigError, match=r"gate: the login was refused \(400\); check the setting refresh_token"):
        signed(running, Refresh("/token"), refresh_token="stolen").get("/things")
    assert len(gate.logins) == 1


LOGIN = LoginToken("/login", at="data.token", renew_path="/login", renew_at="data.refreshToken")


def test_user_and_password_are_sent_once_and_the_refresh_token_after_that(running: Running, gate: Gate) -> None:
    http = signed(running, LOGIN)
    http.get("/things")
    gate.token = "ended"
    assert http.get("/things").status_code == 200
    assert [sorted(login) for login in gate.logins] == [["password", "username"], ["refreshToken"]]


def test_a_refresh_token_nobody_takes_any_more_means_logging_in_again(running: Running, gate: Gate) -> None:
    http = signed(running, LOGIN)
    http.get("/things")
    gate.token, gate.refresh = "ended", "ended"
    assert http.get("/things").status_code == 200
    assert [sorted(login) for login in gate.logins][1:] == [["refreshToken"], ["password", "username"]]


def test_a_refused_password_says_which_settings_to_check_and_not_what_is_in_them(running: Running, gate: Gate) -> None:
    with pytest.raises(ConfigError, match="the setting username and the setting password") as raised:
        signed(running, LoginToken("/login"), password="wr0ng").get("/things")
    assert "wr0ng" not in str(raised.value)


def test_a_login_without_a_token_at_the_place_declared_is_a_broken_answer(running: Running, gate: Gate) -> None:
    with pytest.raises(BrokenAnswer, match="'token'"):
        signed(running, LoginToken("/login")).get("/things")


@pytest.mark.parametrize("algorithm", ["RS256", "HS256"])
def test_an_assertion_signed_with_our_key_gets_a_token(
    running: Running, gate: Gate, private: tuple[str, str], algorithm: str
) -> None:
    own, gate.public = private if algorithm == "RS256" else ("shared secret of the two" * 2,) * 2
    http = signed(running, JwtBearer("/token", algorithm=algorithm, scope="all"), private_key=own)
    assert http.get("/things").status_code == 200
    assert gate.logins[0]["scope"] == "all"


def test_an_assertion_made_with_another_key_is_refused_and_says_so(running: Running, gate: Gate) -> None:
    gate.public = "not the shared secret of the two of us"
    with pytest.raises(ConfigError, match="check the setting private_key"):
        signed(running, JwtBearer("/token", algorithm="HS256"), private_key="x" * 40).get("/things")


def test_a_key_that_was_not_copied_whole_is_said_before_anybody_is_called(
    running: Running, gate: Gate, private: tuple[str, str]
) -> None:
    with pytest.raises(ConfigError, match="gate: the setting private_key is not a key for RS256") as raised:
        signed(running, JwtBearer("/token"), private_key=private[0][:200]).get("/things")
    assert private[0][100:120] not in str(raised.value)
    assert gate.logins == []


def test_without_a_token_endpoint_the_assertion_is_the_token(running: Running, gate: Gate) -> None:
    http = signed(running, JwtBearer(algorithm="HS256", issuer="{client_id}", audience="x"), private_key="y" * 40)
    answer = http.get("/things")
    token = (answer.request.headers["Authorization"] or "").removeprefix("Bearer ")
    assert jwt.decode(token, "y" * 40, ["HS256"], audience="x")["iss"] == "hub"


def test_a_key_in_the_address_is_sent_with_every_page_and_kept_nowhere(
    running: Running, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gate.key = SETTINGS["api_key"]
    http = signed(running, ApiKey("key", "api_key"))
    answer = http.get("/things", params={"q": "ä b", "empty": ""})
    assert [gate.asked[0].param("q"), gate.asked[0].param("empty", "?")] == ["ä b", ""]
    assert exchange(answer).url == f"{running.urls['gate']}/things?q=…&empty=…&key=…"
    gate.asked.clear()
    pages = list(Pages("/things", "items", NextUrl("next"))(http, Want(None, True, datetime.now(UTC))))
    assert [call.params("key") for call in gate.asked] == [[gate.key]] * 2
    said = " ".join(r.getMessage() for r in caplog.records if r.name.startswith("omnihub")) + repr(pages)
    assert "k e/y" not in said
    assert "k+e%2Fy" not in said


# -- when a token ends -----------------------------------------------------------------------------------------------

FETCHED: dict[str, ClientCredentials | LoginToken | JwtBearer] = {
    "client credentials": ClientCredentials("/token"),
    "login": LoginToken("/login", at="data.token", expires_in="expires_in"),
    "assertion": JwtBearer("/token", algorithm="HS256", key="shared"),
}


@pytest.mark.parametrize("auth", FETCHED.values(), ids=FETCHED)
def test_a_token_is_renewed_shortly_before_it_ends(running: Running, gate: Gate, auth: Any) -> None:
    now, gate.public, gate.lasts = 0.0, SETTINGS["shared"], {"expires_in": 100}
    http = signed(running, replace(auth, clock=lambda: now))
    for at, logins in ((0.0, 1), (69.0, 1), (71.0, 2)):
        now = at
        http.get("/things")
        assert len(gate.logins) == logins


def test_a_jwt_says_itself_how_long_it_lasts(running: Running, gate: Gate) -> None:
    now, gate.lasts = 0.0, {}
    made = jwt.encode({"iat": 1000, "exp": 1100}, "x" * 40, "HS256")
    gate.makes = made
    http = signed(running, LoginToken("/login", at="data.token", clock=lambda: now))
    for at, logins in ((0.0, 1), (69.0, 1), (71.0, 2)):
        now = at
        http.get("/things")
        assert len(gate.logins) == logins


@pytest.mark.parametrize("auth", FETCHED.values(), ids=FETCHED)
def test_many_threads_that_find_the_token_ended_fetch_one(running: Running, gate: Gate, auth: Any) -> None:
    gate.public = SETTINGS["shared"]
    http = signed(running, auth)
    with ThreadPoolExecutor(8) as pool:
        assert {r.status_code for r in pool.map(lambda _: http.get("/things"), range(24))} == {200}
        assert len(gate.logins) == 1
        gate.token = "ended"
        assert {r.status_code for r in pool.map(lambda _: http.get("/things"), range(24))} == {200}
    assert len(gate.logins) == 2

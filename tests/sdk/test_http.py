"""The one session: what it repeats and what not, how long it waits, how it signs, and what it never says."""

from __future__ import annotations

import base64
import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from omnihub.errors import BrokenAnswer, ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import Basic, Bearer, ClientCredentials, Header, Http, Limit, Login, Windows, masked
from omnihub.sdk.http import CONNECT_S, MAX_TRIES, MAX_WAIT_S

PERSON = "anna.schmidt@example.com"
SETTINGS = {"client_id": "hub", "client_secret": "s3cret-value"}


class Talk(Standin):
    """Says what the test put into `next`, 200 after that, and remembers what it was asked. `token` is the good one."""

    system, role = "talk", "portal"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.reset()

    def reset(self) -> None:
        self.asked: list[Call] = []
        self.next: list[Reply] = []
        self.token = ""
        self.logins = 0
        self.login_says: Callable[[int], Reply] | None = None

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        return not self.token or call.headers.get("authorization") == f"Bearer {self.token}"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"message": message})

    @route("POST", "/login", open_=True)
    def login(self, call: Call) -> Reply:
        self.logins += 1
        if self.login_says:
            return self.login_says(self.logins)
        return Reply(200, {"access_token": self.token or "any", "expires_in": 3600})

    def _say(self, call: Call) -> Reply:
        self.asked.append(call)
        return self.next.pop(0) if self.next else Reply(200, {"ok": True})

    @route("GET", "/things", "/people/{who}")
    def get(self, call: Call) -> Reply:
        return self._say(call)

    @route("POST", "/things")
    def post(self, call: Call) -> Reply:
        return self._say(call)

    @route("PUT", "/things")
    def put(self, call: Call) -> Reply:
        return self._say(call)

    @route("PATCH", "/things")
    def patch(self, call: Call) -> Reply:
        return self._say(call)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running([Talk()]) as run:
        yield run


@pytest.fixture
def talk(running: Running) -> Talk:
    found = running.standins["talk"]
    assert isinstance(found, Talk)
    found.reset()
    return found


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def http(running: Running, waits: list[float]) -> Http:
    return Http("talk", running.urls["talk"], wait=waits.append)


@contextmanager
def broken_server(say: bytes) -> Iterator[tuple[str, list[int]]]:
    """A server that reads a request, says these bytes and hangs up. Yields its address and who called."""
    listening = socket.create_server(("127.0.0.1", 0))
    called: list[int] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                called.append(1)
                connection.recv(65536)
                connection.sendall(say)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", called
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


# -- what is repeated ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504, 423])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_passing_failure_of_a_repeatable_call_is_tried_again(
    talk: Talk, http: Http, waits: list[float], status: int, method: str
) -> None:
    talk.next = [Reply(status), Reply(status)]
    assert http.request(method, "/things").status_code == 200
    assert len(talk.asked) == 3
    assert len(waits) == 2
    assert http.counts.retries == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_that_may_have_been_carried_out_is_not_sent_twice(
    talk: Talk, http: Http, method: str, status: int
) -> None:
    talk.next = [Reply(status)]
    answer = http.request(method, "/things", json={"x": 1})
    assert answer.status_code == status
    assert len(talk.asked) == 1


def test_a_write_marked_safe_is_sent_again_with_the_same_body(talk: Talk, http: Http) -> None:
    talk.next = [Reply(500)]
    assert http.request("POST", "/things", json={"x": 1}, safe=True).status_code == 200
    assert [call.json() for call in talk.asked] == [{"x": 1}, {"x": 1}]


def test_the_mark_of_safety_never_leaves_the_house(talk: Talk, http: Http) -> None:
    http.request("POST", "/things", json={}, safe=True, headers={"X-Own": "kept"})
    assert [h for h in talk.asked[0].headers if "omnihub" in h.lower()] == []
    assert talk.asked[0].headers["x-own"] == "kept"


def test_a_refusal_is_handed_back_at_once(talk: Talk, http: Http, waits: list[float]) -> None:
    talk.next = [Reply(422, {"message": "no"})]
    assert http.get("/things").status_code == 422
    assert (len(talk.asked), waits) == (1, [])


def test_trying_ends_and_the_last_answer_is_handed_back(talk: Talk, http: Http) -> None:
    talk.next = [Reply(503) for _ in range(20)]
    assert http.get("/things").status_code == 503
    assert len(talk.asked) == MAX_TRIES


def test_waits_grow_so_that_a_system_in_trouble_is_left_alone(talk: Talk, http: Http, waits: list[float]) -> None:
    talk.next = [Reply(503) for _ in range(20)]
    http.get("/things")
    assert len(waits) == MAX_TRIES - 1
    assert all(0.25 * 2**n <= wait <= 0.5 * 2**n for n, wait in enumerate(waits))


def test_a_dropped_connection_is_tried_again_where_safe(waits: list[float]) -> None:
    with broken_server(b"") as (url, called), pytest.raises(RetryableError, match="talk: no answer from /things"):
        Http("talk", url, wait=waits.append).get("/things")
    assert len(called) == MAX_TRIES


@pytest.mark.parametrize(
    "say",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_a_write_without_a_whole_answer_is_not_sent_twice(say: bytes, waits: list[float]) -> None:
    with broken_server(say) as (url, called), pytest.raises(RetryableError, match="talk"):
        Http("talk", url, wait=waits.append).post("/things", json={})
    assert len(called) == 1


def test_a_system_that_says_nothing_is_given_up_after_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RetryableError, match="ReadTimeout"):
            Http("talk", url, timeout_s=(CONNECT_S, 0.05)).post("/things", json={})


def test_an_address_where_nobody_listens_says_which_setting_to_check(waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RetryableError, match=rf"talk: nothing answers at 127.0.0.1:{port}; check the url"):
        Http("talk", f"http://127.0.0.1:{port}", wait=waits.append).get("/things")
    assert waits == []


# -- patience --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_rate_limit_is_waited_out_as_told_and_the_call_made_again(
    talk: Talk, http: Http, waits: list[float], method: str
) -> None:
    talk.next = [Reply(429, headers={"Retry-After": "7"})]
    assert http.request(method, "/things").status_code == 200
    assert waits == [7.0]
    assert (http.counts.refusals, http.counts.waited_s) == (1, 7.0)


def test_retry_after_may_be_a_date(talk: Talk, http: Http, waits: list[float]) -> None:
    talk.next = [
        Reply(429, headers={"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)})
    ]
    http.get("/things")
    assert 50 < waits[0] <= 60


@pytest.mark.parametrize("told", ["soon", "", "-5", "Sat, 99 Foo 2026", "nan"])
def test_a_senseless_retry_after_neither_stops_nor_hangs(talk: Talk, http: Http, waits: list[float], told: str) -> None:
    talk.next = [Reply(429, headers={"Retry-After": told})]
    assert http.get("/things").status_code == 200
    assert 0 <= waits[0] < 2


def test_503_with_retry_after_was_not_carried_out_so_a_write_goes_again(
    talk: Talk, http: Http, waits: list[float]
) -> None:
    talk.next = [Reply(503, headers={"Retry-After": "3"})]
    assert http.post("/things", json={}).status_code == 200
    assert waits == [3.0]


def test_a_wait_too_long_for_a_run_is_an_error_that_says_how_long(talk: Talk, http: Http, waits: list[float]) -> None:
    talk.next = [Reply(429, headers={"Retry-After": "86400"})]
    with pytest.raises(RateLimited) as raised:
        http.get_ok("/things")
    assert raised.value.wait_s == 86400
    assert waits == []


def test_a_wait_too_long_for_a_run_does_not_hang_the_calls_after_it(running: Running, talk: Talk) -> None:
    waited: list[float] = []
    budget = Windows([Limit(100, 1)], wait=lambda s: pytest.fail(f"the next call would wait {s} s"))
    http = Http("talk", running.urls["talk"], budget=budget, wait=waited.append)
    talk.next = [Reply(429, headers={"Retry-After": str(int(MAX_WAIT_S) + 1)})]
    assert http.get("/things").status_code == 429
    assert http.get("/things").status_code == 200


def test_all_who_share_the_budget_wait_when_one_is_told_to(running: Running, talk: Talk) -> None:
    clock = [0.0]

    def wait(s: float) -> None:
        clock[0] += s

    budget = Windows([Limit(100, 1)], clock=lambda: clock[0], wait=wait)
    one, other = (Http("talk", running.urls["talk"], budget=budget, wait=lambda _: None) for _ in range(2))
    talk.next = [Reply(429, headers={"Retry-After": "9"})]
    one.get("/things")
    assert clock[0] >= 9
    other.get("/things")
    assert 9 <= clock[0] < 10


def test_every_try_is_asked_of_the_budget(running: Running, talk: Talk) -> None:
    taken: list[str] = []
    answered: list[str] = []

    class Budget:
        def take(self, method: str, path: str) -> Callable[[], None]:
            taken.append(f"{method} {path}")
            return lambda: answered.append(path)

        def told(self, wait_s: float) -> None: ...

    talk.next = [Reply(500), Reply(500)]
    Http("talk", running.urls["talk"], budget=Budget(), wait=lambda _: None).get("/things?q=x")
    assert taken == ["GET /things"] * 3
    assert answered == ["/things"] * 3


def test_a_vendors_own_way_to_say_rate_limited_is_understood(running: Running, talk: Talk, waits: list[float]) -> None:
    talk.next = [Reply(403, {"code": "LIMIT"}), Reply(403, {"code": "FORBIDDEN"})]
    http = Http("talk", running.urls["talk"], wait=waits.append, limited=lambda r: "LIMIT" in r.text)
    assert http.get("/things").json() == {"code": "FORBIDDEN"}
    assert len(waits) == 1


# -- tokens ----------------------------------------------------------------------------------------------------------


def signed(running: Running, login: Login | None = None, waits: list[float] | None = None) -> Http:
    token = (login or ClientCredentials("/login")).token(SETTINGS)
    return Http("talk", running.urls["talk"], token=token, wait=(waits if waits is not None else []).append)


def test_a_token_is_fetched_once_and_used_for_all_calls(running: Running, talk: Talk) -> None:
    talk.token = "t1"
    http = signed(running)
    assert [http.get("/things").status_code for _ in range(5)] == [200] * 5
    assert talk.logins == 1


def test_a_token_the_system_no_longer_takes_is_renewed_once_and_the_call_made_again(
    running: Running, talk: Talk
) -> None:
    talk.token = "t1"
    http = signed(running)
    http.get("/things")
    talk.token = "t2"
    assert http.post("/things", json={"x": 1}).status_code == 200
    assert talk.logins == 2
    assert len(talk.asked) == 2, "a refused token means the call was not carried out"


def test_a_system_that_refuses_each_new_token_is_not_asked_for_ever(running: Running, talk: Talk) -> None:
    talk.token = "good"
    talk.login_says = lambda n: Reply(200, {"access_token": f"bad{n}", "expires_in": 3600})
    with pytest.raises(ConfigError, match="talk: the credentials were refused"):
        signed(running).get_ok("/things")
    assert talk.logins == 2


def test_a_token_that_ends_during_the_last_try_is_handed_back_as_refused(running: Running, talk: Talk) -> None:
    talk.token = "t1"
    http = signed(running)
    talk.next = [Reply(503) for _ in range(MAX_TRIES - 1)] + [Reply(401)] * 2
    assert http.get("/things").status_code == 401


def test_a_fixed_token_is_not_tried_twice(running: Running, talk: Talk) -> None:
    talk.token = "good"
    http = Http("talk", running.urls["talk"], token=Bearer("token").token({"token": "old"}))
    assert http.get("/things").status_code == 401
    assert http.counts.calls == 1


def test_each_way_to_sign_puts_its_header(running: Running, talk: Talk) -> None:
    secrets = {"key": "k", "email": "hub@example.com"}
    for auth in (Bearer("key"), Header("X-Key", "key"), Basic("{email}/token", "key")):
        Http("talk", running.urls["talk"], token=auth.token(secrets)).get("/things")
    bearer, header, basic = (call.headers for call in talk.asked)
    assert bearer["authorization"] == "Bearer k"
    assert header["x-key"] == "k"
    assert basic["authorization"] == "Basic " + base64.b64encode(b"hub@example.com/token:k").decode()


@pytest.mark.parametrize(("after_s", "logins"), [(3560, 1), (3580, 2)])
def test_a_token_is_renewed_just_before_it_ends(running: Running, talk: Talk, after_s: float, logins: int) -> None:
    now = 1000.0
    http = signed(running, replace(ClientCredentials("/login"), clock=lambda: now))
    http.get("/things")
    now += after_s
    http.get("/things")
    assert talk.logins == logins


def test_a_token_that_lasts_no_time_is_still_used(running: Running, talk: Talk) -> None:
    talk.login_says = lambda n: Reply(200, {"access_token": "t", "expires_in": 0})
    http = signed(running)
    http.get("/things")
    http.get("/things")
    assert talk.logins == 1, "else every call would log in first"


def test_threads_that_find_the_token_stale_wait_for_one_new_one(running: Running, talk: Talk) -> None:
    talk.token = "t1"
    http = signed(running)
    http.get("/things")
    talk.token = "t2"
    start = threading.Barrier(8)
    statuses: Counter[int] = Counter()

    def call() -> None:
        start.wait()
        statuses[http.get("/things").status_code] += 1

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {200: 8}
    assert talk.logins == 2


def test_a_refused_login_names_the_settings(running: Running, talk: Talk) -> None:
    talk.login_says = lambda n: Reply(401, {"error": "invalid_client"})
    with pytest.raises(ConfigError, match=r"talk: the login was refused .*client id and secret") as raised:
        signed(running).get("/things")
    assert "s3cret-value" not in str(raised.value)


@pytest.mark.parametrize(
    "reply", [Reply(200, {"token": "x"}), Reply(200, "<html>", content_type="text/html"), Reply(200, [])]
)
def test_a_login_that_answers_something_else_is_a_broken_answer(running: Running, talk: Talk, reply: Reply) -> None:
    talk.login_says = lambda n: reply
    with pytest.raises(BrokenAnswer, match="talk: the login"):
        signed(running).get("/things")


def test_a_token_is_never_carried_to_another_host(running: Running, talk: Talk) -> None:
    """Not even a custom header, which requests does not strip."""
    with broken_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (elsewhere, called):
        talk.next = [Reply(302, headers={"Location": f"{elsewhere.replace('127.0.0.1', 'localhost')}/things"})]
        http = Http("talk", running.urls["talk"], token=Header("X-Key", "key").token({"key": "k"}))
        with pytest.raises(ConfigError, match=r"talk: /things sends us on to localhost.*url"):
            http.get("/things")
        assert called == []


def test_a_redirect_on_the_same_host_is_followed(running: Running, talk: Talk) -> None:
    talk.next = [Reply(302, headers={"Location": "/people/7"})]
    assert signed(running).get("/things").status_code == 200
    assert talk.asked[1].path == {"who": "7"}


# -- where calls go --------------------------------------------------------------------------------------------------


def test_an_sdk_that_insists_on_https_is_sent_to_the_plain_address(running: Running, talk: Talk) -> None:
    http = Http("talk", running.urls["talk"])
    http.reroute_https()
    assert http.get("https://api.vendor.example/things?q=1").status_code == 200
    assert talk.asked[0].param("q") == "1"


def test_https_stays_https_where_the_settings_say_so() -> None:
    http = Http("talk", "https://api.vendor.example")
    before = http.get_adapter("https://api.vendor.example")
    http.reroute_https()
    assert http.get_adapter("https://api.vendor.example") is before


def test_proxies_of_the_machine_are_not_asked(running: Running, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert Http("talk", running.urls["talk"]).get("/things").status_code == 200


# -- what a status means ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RejectedRecord),
        (404, RejectedRecord),
        (422, RejectedRecord),
        (401, ConfigError),
        (403, ConfigError),
        (429, RateLimited),
        (408, RetryableError),
        (500, RetryableError),
    ],
)
def test_each_status_is_raised_as_what_to_do_next(talk: Talk, http: Http, status: int, error: type[Exception]) -> None:
    talk.next = [Reply(status, {"why": PERSON}) for _ in range(MAX_TRIES)]
    with pytest.raises(error, match="talk") as raised:
        http.get_ok(f"/people/{PERSON}?q={PERSON}")
    assert type(raised.value) is error
    assert "anna" not in str(raised.value)


def test_a_rejected_record_keeps_the_answer_for_its_receipt(talk: Talk, http: Http) -> None:
    talk.next = [Reply(422, {"why": "too long"})]
    with pytest.raises(RejectedRecord, match="for talk/things/7") as raised:
        http.refuse(http.post("/things", json={}), record="talk/things/7")
    assert (raised.value.status, raised.value.body) == (422, b'{"why":"too long"}')


# -- what is never said ----------------------------------------------------------------------------------------------


def test_nothing_personal_and_no_secret_is_logged(
    running: Running, talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    talk.token = "tok3n-value"
    http = signed(running)
    talk.next = [Reply(500, {"message": PERSON}), Reply(429)]
    http.get(f"/people/{PERSON}", params={"email": PERSON, "phone": "+491721234567"})
    http.post("/things", json={"email": PERSON})
    assert any(record.name == "omnihub.http" for record in caplog.records)
    said = " ".join(record.getMessage() for record in caplog.records if record.name != "asyncio")
    assert [w for w in ("anna", "tok3n-value", "s3cret-value", "491721234567", "00491") if w in said] == []


def test_an_unanswered_call_does_not_tell_its_query(waits: list[float]) -> None:
    with broken_server(b"") as (url, _), pytest.raises(RetryableError) as raised:
        Http("talk", url, wait=waits.append).post(f"/people/{PERSON}", params={"q": PERSON})
    chain = [raised.value, raised.value.__cause__, raised.value.__context__]
    assert [e for e in chain if "anna" in str(e)] == []


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (f"https://hub:pass@x.test:8/a?email={PERSON}&page=2", "https://x.test:8/a?email=…&page=…"),
        (f"https://x.test/people/{PERSON}/orders", "https://x.test/people/…/orders"),
        ("https://x.test/people/anna%40example.com", "https://x.test/people/…"),
        ("https://x.test/a#frag", "https://x.test/a"),
        ("/only/a/path", "/only/a/path"),
    ],
)
def test_a_kept_address_has_no_values_no_people_and_no_password(url: str, kept: str) -> None:
    assert masked(url) == kept

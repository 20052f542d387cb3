"""Who wants to know is told once when something changes for the worse, and once more when it is well again."""

from __future__ import annotations

import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.config import Alerts, load
from omnihub.errors import ConfigError
from omnihub.flow import Hub, Run
from omnihub.flow.alerting import alert
from omnihub.model import FINDING_KINDS
from omnihub.push import Broken
from omnihub.store import Store, schema
from tests.flow import loop

PULLED = {"read": 1, "new": 1, "changed": 0, "same": 0, "rejected": 0, "gone": 0}


class Hook:
    """Somebody's web hook: it keeps what it is told, or refuses it."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.open = True
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.open:
                    hook.told.append(json.loads(body))
                self.send_response(200 if hook.open else 500)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to say."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/hook"

    @property
    def texts(self) -> list[str]:
        return [one["message"] for one in self.told]


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()
    with serving(found.server):
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(f"sqlite:///{tmp_path / 'hub.db'}")) as store:
        yield store


def hub_of(store: Store, hook: Hook, **more: Any) -> Hub:
    alerts = Alerts.model_validate({"channels": {"team": {}}} | more)
    return loop.hub_over(store, {}, alerts=alerts, channels=dict.fromkeys(alerts.channels, hook.address))


def ended(hub: Hub, **notes: Any) -> dict[str, Any]:
    """A run that did this, and came to its end."""
    run = Run.start(hub.store)
    for step, counts in notes.items():
        run.note(step.replace("__", ":"), counts)
    run.end()
    return alert(hub, run)


def pulled(system: str, error: str = "") -> list[dict[str, Any]]:
    return [PULLED | {"system": system, "stream": "users", "error": error}]


def standing(store: Store, kind: str, count: int) -> None:
    """So many findings of a kind are to be seen to, and no other."""
    names = ("severity", "entity", "system", "field", "owner", "detail", "first_seen", "last_seen")
    told = dict.fromkeys(names, "x")
    with store.write() as c:
        c.execute(sa.delete(schema.findings))
        for n in range(count):
            at = {"id": f"f{n}", "kind": kind, "ref": f"portal/users/anna.weber{n}@example.org", "state": "open"}
            c.execute(sa.insert(schema.findings).values(**told, **at))


# -- once ------------------------------------------------------------------------------------------------------------


def test_a_system_that_is_down_is_said_once_and_so_it_is_when_it_is_back(store: Store, hook: Hook) -> None:
    hub = hub_of(store, hook)
    assert ended(hub, pull__portal=pulled("portal")) == {"changed": 0, "told": [], "failed": []}
    assert hook.told == [], "nothing is wrong, and nothing was"
    down = pulled("portal", "portal: refused anna.weber@example.org")
    assert ended(hub, pull__portal=down) == {"changed": 2, "told": ["team"], "failed": []}
    assert ended(hub, pull__portal=down)["told"] == []
    assert ended(hub, pull__zendesk=pulled("zendesk"))["told"] == ["team"]
    ended(hub, pull__portal=pulled("portal"))
    ended(hub, pull__portal=pulled("portal"))
    first, run_is_fine, back = hook.texts
    assert "Customer portal could not be read (users)" in first
    assert "partial" in first
    assert "portal" not in run_is_fine, "that run did not ask the portal"
    assert "Customer portal can be read again" in back
    assert [one["type"] for one in hook.told] == ["warning", "success", "success"]
    assert "anna" not in json.dumps(hook.told)


def test_a_stopped_plan_is_said_with_its_limit_and_the_way_out_and_without_anybodys_ref(
    store: Store, hook: Hook
) -> None:
    hub = hub_of(store, hook)
    limit = Broken("max_share", "portal", "users", "contact", "update", "", 90, 100, 30, ("portal/users/anna@x.org",))
    with store.write() as c:
        told = dict.fromkeys(("run_id", "hash", "created_at", "counts", "guard", "looked"), "x")
        limits = json.dumps([vars(limit) | {"examples": list(limit.examples)}])
        c.execute(sa.insert(schema.plans).values(id="plan-7", state="blocked", limits=limits, **told))
    blocked = {"id": "plan-7", "state": "blocked", "kept": True}
    ended(hub, plan=blocked)
    ended(hub, plan=blocked)
    [text] = hook.texts
    assert "90 of 100 records would change, guard.max_share allows 30" in text
    assert "omnihub approve plan-7" in text
    assert "anna" not in text
    ended(hub, plan={"id": "plan-8", "state": "ready", "kept": True})
    assert "No plan is stopped any more." in hook.texts[1]


def test_findings_above_their_limit_are_one_alert_however_many_there_are(store: Store, hook: Hook) -> None:
    hub = hub_of(store, hook, limits={"duplicate": 2}, link="https://hub.example/report")
    standing(store, "duplicate", 2)
    ended(hub, compare={})
    assert hook.told == []
    standing(store, "duplicate", 300)
    ended(hub, compare={})
    standing(store, "duplicate", 299)
    ended(hub, compare={})
    [text] = hook.texts
    assert "duplicate: 300 to see to, and only 2 may be." in text
    assert "https://hub.example/report" in text
    assert "anna" not in text
    standing(store, "duplicate", 1)
    ended(hub, compare={})
    assert "duplicate: 1 to see to, and 2 may be." in hook.texts[1]


def test_a_run_that_broke_off_is_red(store: Store, hook: Hook) -> None:
    hub = hub_of(store, hook)
    run = Run.start(store)
    alert(hub, run, broke_off=True)
    alert(hub, run, broke_off=True)
    assert ["red: its process did not come to its end" in text for text in hook.texts] == [True]


# -- channels --------------------------------------------------------------------------------------------------------


def test_a_channel_that_fails_stops_nothing_and_is_told_later_what_is_true_by_then(
    store: Store, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    hub = hub_of(store, hook, channels={"team": {}, "boss": {"tells": ["systems"]}})
    hub = replace(hub, channels={"team": hook.address, "boss": "json://127.0.0.1:9/secret-token"})
    hook.open = False
    with caplog.at_level(logging.DEBUG):
        assert ended(hub, pull__portal=pulled("portal", "no"))["failed"] == ["boss", "team"]
    assert "OMNIHUB_ALERT_BOSS" in caplog.text
    assert "secret-token" not in caplog.text
    hook.open = True
    both = ended(hub, pull__portal=pulled("portal", "no"))
    assert (both["told"], both["failed"], len(hook.told)) == (["team"], ["boss"], 1)
    hub = replace(hub, channels=dict.fromkeys(hub.channels, hook.address))
    ended(hub, pull__portal=pulled("portal"))
    assert len(hook.told) == 2, "the boss never heard that it was down, and needs not hear that it is back"


def test_a_channel_is_told_what_it_wants_to_know_and_a_new_one_what_is_wrong_now(store: Store, hook: Hook) -> None:
    ended(hub_of(store, hook, channels={}), pull__portal=pulled("portal", "no"))
    assert hook.told == []
    ended(hub_of(store, hook, channels={"new": {"tells": ["systems"]}}), pull__portal=pulled("portal", "no"))
    [text] = hook.texts
    assert "could not be read" in text
    assert "The last run" not in text


def test_no_address_is_said_with_the_variable_to_set(
    store: Store, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    hub = replace(hub_of(store, hook), channels={})
    assert ended(hub, pull__portal=pulled("portal", "no"))["failed"] == ["team"]
    assert "set OMNIHUB_ALERT_TEAM" in caplog.text


def test_mail_goes_out_by_smtp(store: Store, hook: Hook) -> None:
    mails: list[str] = []

    class Post(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline().strip().upper():
                if line == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mails.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self.wfile.write(b"221 bye\r\n" if line == b"QUIT" else b"250 fine\r\n")
                if line == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server, serving(server):
        server.daemon_threads = True
        port = server.server_address[1]
        address = f"mailto://127.0.0.1:{port}?from=hub@example.org&to=it@example.org&mode=insecure&format=text"
        hub = replace(hub_of(store, hook), channels={"team": address})
        assert ended(hub, pull__portal=pulled("portal", "no"))["told"] == ["team"]
    [mail] = mails
    assert "Subject: OmniHub: 2 to see to" in mail


# -- settings --------------------------------------------------------------------------------------------------------


def test_addresses_come_from_the_environment_and_limits_by_kind_then_by_severity(tmp_path: Path) -> None:
    file = tmp_path / "omnihub.yaml"
    file.write_text("alerts: {channels: {team: {}}, limits: {high: 3, price_differs: 7}}")
    config = load(file, environ={"OMNIHUB_ALERT_TEAM": "json://host/hook"})
    assert config.alert_addresses() == {"team": "json://host/hook"}
    assert "json://host" not in repr(config)
    assert [config.alerts.limit(kind) for kind in ("price_differs", "price_expired", "duplicate")] == [7, 3, 100]
    assert all(config.alerts.limit(kind) >= 0 for kind in FINDING_KINDS)
    for wrong, says in (
        ("{limits: {price_difers: 1}}", "did you mean price_differs"),
        ("{channels: {Team A: {}}}", "small letters"),
        ("{channels: {team: {url: json://token@host}}}", "there is no such setting"),
    ):
        file.write_text(f"alerts: {wrong}")
        with pytest.raises(ConfigError, match=says) as caught:
            load(file, environ={})
        assert "token" not in str(caught.value)

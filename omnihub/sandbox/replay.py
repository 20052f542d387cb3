"""Replay: a system that answers just as it was recorded, over real HTTP on loopback.

    with replayed(connector, Path("tests/recordings")) as replay:
        pages = replay.pages("accounts")      the pages that were recorded, read by the connector's own pull

It knows nothing but its recording: a call that was never made is refused with words that say which, so that a connector
that asks differently than before is noticed. Logins are answered by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from omnihub.errors import ConfigError
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import Connector, Page, Want, open_client
from omnihub.sdk.fieldmap import put
from omnihub.sdk.recording import HERE, dumped, parsed

TOKEN = "replayed"


class Replay(Standin):
    """A system made of recordings."""

    system = "replay"
    role = "replay"
    connector: Connector
    url: str = ""

    def __init__(self, connector: Connector, recordings: Mapping[str, Any]) -> None:
        super().__init__(quotas=())
        self.connector, self.recordings = connector, recordings
        self.client: Any = None
        self._told: set[int] = set()
        self._heard: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for one in recordings.values():
            for exchange in one["exchanges"]:
                self._heard[exchange["method"], exchange["path"]].append(exchange)

    def authorized(self, call: Call) -> bool:
        return True

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"status": status, "message": message})

    @route("GET", "/{path:path}")
    def get(self, call: Call) -> Reply:
        """What was answered then."""
        return self._answered(call)

    @route("POST", "/{path:path}")
    def post(self, call: Call) -> Reply:
        """A login, or what was answered then."""
        path = str(getattr(self.connector.auth, "path", "") or "")
        return self._login() if path and f"/{call.path['path']}".endswith(path) else self._answered(call)

    def _login(self) -> Reply:
        body: dict[str, Any] = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
        put(body, str(getattr(self.connector.auth, "at", "access_token")), TOKEN)
        return Reply(200, body)

    def _answered(self, call: Call) -> Reply:
        path = "/" + call.path["path"].lstrip("/")
        known = self._heard.get((call.method, path), [])
        key = getattr(self.connector.auth, "param", "")  # how a call is signed is not recorded
        asked = sorted([name, value] for name, value in call.query if name != key)
        sent = parsed(call.body) if call.body else None
        same = [one for one in known if sorted(one["query"]) == asked and one.get("sent") == sent]
        found = next((one for one in same if id(one) not in self._told), same[-1] if same else None)
        if found is None:
            names = ", ".join(sorted({name for name, _ in call.query})) or "none"
            return self.error(404, message=f"never recorded: {call.method} {path} with parameters: {names}")
        self._told.add(id(found))  # who asks again, as for the state of a job, is told what was said next
        body = dumped(found["body"]).replace(HERE, self.url)
        headers = {n: v.replace(HERE, self.url) for n, v in found["headers"].items() if n.lower() != "content-type"}
        return Reply(found["status"], body, headers)

    def pages(self, stream: str) -> list[Page]:
        """The recorded pages of a stream, as its pull reads them."""
        one = self.recordings[stream]
        pull = self.connector.stream(stream).pull
        assert pull
        at = datetime.fromisoformat(one["recorded_at"])
        return [*islice(pull(self.client, Want(since=None, complete=True, now=at)), one["pages"])]


@contextmanager
def replayed(connector: Connector, folder: Path) -> Iterator[Replay]:
    """The recordings of a system in a folder, being served; ConfigError where there are none."""
    files = sorted((folder / connector.name).glob("*.json"))
    if not files:
        raise ConfigError(
            f"{connector.name}: no recordings in {folder}; make some with `omnihub record {connector.name}`"
        )
    recordings = {file.stem: parsed(file.read_bytes()) for file in files}
    replay = Replay(connector, recordings)
    with Running([replay]) as running:
        replay.url = running.urls[replay.system]
        settings = {s.name: s.default if s.default is not None else TOKEN for s in connector.settings}
        replay.client = open_client(connector, {**settings, "url": replay.url})
        yield replay

"""What every test may lean on: no network but loopback, and an empty database of either kind.

postgres_url    a scratch PostgreSQL, started once for the whole run
store_url       an empty database, once in SQLite and once in PostgreSQL
"""

from __future__ import annotations

import getpass
import ipaddress
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest

# a loaded machine is no bug: no deadline per example, and a submission is judged by the same examples every time;
# whoever changed something that many tests only sample says `--hypothesis-profile thorough`
hypothesis.settings.register_profile("ours", deadline=None, max_examples=40, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=400)
hypothesis.settings.load_profile("ours")

_numbers = itertools.count(1)


# -- no network ------------------------------------------------------------------------------------------------------


class NetworkRefusedError(BaseException):
    """A test left this machine. A BaseException, so that no retry and no `except Exception` can hide it."""


def _is_loopback(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Sockets of this process reach nothing but loopback. Names under `.invalid` fail to resolve, as everywhere."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise NetworkRefusedError(f"a test wanted to reach {address[0]}: use a stand-in on loopback")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(self, address)
        return connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(self, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, str) and host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not _is_loopback(host):
            raise NetworkRefusedError(f"a test wanted to look up {host}: use a stand-in on loopback")
        return getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine's OMNIHUB_ variables nor its Dagster home reach a test; where the contracts are does."""
    outside = {name for name in os.environ if name.startswith("OMNIHUB_")} | ({"DAGSTER_HOME"} & os.environ.keys())
    for name in outside - {"OMNIHUB_CONTRACTS"}:
        monkeypatch.delenv(name)


# -- databases -------------------------------------------------------------------------------------------------------


def _server_binary(name: str) -> str | None:
    """On the PATH, or where Debian keeps it out of it; the newest there is."""
    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    return shutil.which(name) or (str(packaged[-1]) if packaged else None)


def _unprivileged() -> dict[str, Any]:
    """How to start a process that PostgreSQL accepts: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {user.pw_name for user in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a scratch server's own database; made for speed, thrown away at the end."""
    initdb, pg_ctl = _server_binary("initdb"), _server_binary("pg_ctl")
    if not initdb or not pg_ctl:
        missing = "no PostgreSQL server on this machine (initdb, pg_ctl): install it to test the PostgreSQL store"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)

    # not under pytest's own folder: only its owner may enter that, and the server is somebody else
    with tempfile.TemporaryDirectory(prefix="omnihub-pg-", ignore_cleanup_errors=True) as folder:
        who = _unprivileged()
        if who:
            os.chown(folder, who["user"], who["group"])
        data, port = f"{folder}/data", _free_port()

        def run(*command: str) -> None:
            done = subprocess.run(command, cwd=folder, **who, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}\n{_log(folder)}"

        run(initdb, "-D", data, "-U", "omnihub", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = (
            f"-h 127.0.0.1 -p {port} -k {folder} -c max_connections=200 "
            "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB"
        )
        # the log is a file: a server that inherits our pipes would keep `run` waiting for ever
        run(pg_ctl, "start", "-w", "-s", "-D", data, "-l", f"{folder}/log", "-o", options)
        try:
            yield f"postgresql+psycopg://omnihub@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "stop", "-w", "-s", "-m", "immediate", "-D", data)


def _log(folder: str) -> str:
    log = Path(folder, "log")
    return log.read_text() if log.exists() else f"(no log; started by {getpass.getuser()})"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    server: str = request.getfixturevalue("postgres_url")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield f"{server.rpartition('/')[0]}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

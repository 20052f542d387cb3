"""Stand-ins for as long as a command needs them, in a process of their own.

    a command ──shares──▶ in-use.lock ◀──waits to have it alone── the server, before it ends
        └── pipe ──▶ the server's stdin: closed when the command ends, however it ends (also by kill -9)

So the stand-ins live exactly as long as anybody uses them: a second command joins those that are there, and nobody
finds stand-ins that are about to go.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from omnihub.cli.installation import Installation
from omnihub.cli.screen import progress, say
from omnihub.errors import OmniHubError
from omnihub.sandbox.reset import join, reset, which
from omnihub.sandbox.serving import addresses, folder

FIRST_WORLD = 2000  # customers, where a command finds no world yet
START_S = 60.0


@contextmanager
def standins(here: Installation, meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The stand-ins answer until the block ends, where the settings want any. `meanwhile` is done while they start."""
    if not here.sandboxed:
        meanwhile()
        yield
        return
    home = here.config.home
    with _lock(home, "in-use") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_SH)
        with _lock(home, "starting") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fill_if_empty(here)
            server = None if addresses(home) else _start(home)
            try:
                meanwhile()
                if server:
                    _wait(server, home)
            except BaseException:
                if server:
                    _end(server, in_use)
                raise
        try:
            yield
        finally:
            if server:
                _end(server, in_use)


def fill_if_empty(here: Installation) -> None:
    """A first world, where there is none; and where there is one, its part for a system that is new."""
    card = which(here.config.home)
    if card:
        if not set(here.sandboxed) <= set(card["records"]):
            with progress() as told:
                join(here.config.home, here.standins(), told)
        return
    say(f"The sandbox is empty: filling it with {FIRST_WORLD:,} customers first.")
    with progress() as told:
        reset(here.config.home, here.standins(), FIRST_WORLD, 1, datetime.now(UTC), told)


def wait_for_the_last(home: Path) -> None:
    """Return when whoever started this process has ended, and nobody else uses its stand-ins."""
    sys.stdin.buffer.read()
    with _lock(home, "in-use") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_EX)


@contextmanager
def _lock(home: Path, name: str) -> Iterator[IO[str]]:
    path = folder(home) / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        yield file


def _start(home: Path) -> subprocess.Popen[bytes]:
    with _log(home).open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "omnihub", "sandbox", "serve", "--tied"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for us; we end it when we are done
        )


def _wait(server: subprocess.Popen[bytes], home: Path) -> None:
    until = time.monotonic() + START_S
    while not addresses(home):
        if server.poll() is not None or time.monotonic() > until:
            server.kill()
            said = _log(home).read_text(errors="replace").strip().splitlines()
            why = said[-1] if said else "no answer"
            raise OmniHubError(f"sandbox: the stand-ins did not start: {why}; see {_log(home)}")
        time.sleep(0.02)


def _log(home: Path) -> Path:
    return folder(home) / "serve.log"


def _end(server: subprocess.Popen[bytes], in_use: IO[str]) -> None:
    assert server.stdin
    server.stdin.close()
    try:
        fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # somebody else still talks to them; they end with the last
        server.returncode = 0  # not ours to wait for
        return
    fcntl.flock(in_use, fcntl.LOCK_UN)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()

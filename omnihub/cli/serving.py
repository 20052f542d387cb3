"""Up: stand-ins, Dagster and the latest report in a browser, until Ctrl-C ends them all."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from omnihub.cli import ERROR, OK
from omnihub.cli.installation import here
from omnihub.cli.sandboxing import draw_addresses
from omnihub.cli.screen import DOUBTFUL, GOOD, heading, out, put, say
from omnihub.cli.standins import standins
from omnihub.cli.tied import tied
from omnihub.sandbox.serving import addresses

DAGSTER_STARTS_S = 120.0


def up(port: int, report_port: int) -> int:
    """Serve until Ctrl-C or until Dagster ends by itself. Returns the exit code."""
    installation = here()
    console, ended = out(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with (
        standins(installation),
        _report(installation.config.home, report_port) as report,
        _dagster(port, installation.config.home) as dagster,
    ):
        process, address = dagster
        heading(console, "OmniHub is up", "Ctrl-C ends it")
        if installation.sandboxed:
            draw_addresses(console, {name: one["url"] for name, one in addresses(installation.config.home).items()})
        put(console, f"{GOOD} report   {report}")
        say("  waiting for Dagster …")
        if not _answers(address, process, ended):
            if not ended.is_set():
                put(console, f"{DOUBTFUL} Dagster did not start; see {installation.config.home / 'dagster.log'}")
            return OK if ended.is_set() else ERROR
        put(console, f"{GOOD} Dagster  {address}")
        while not ended.wait(0.5):
            if process.poll() is not None:
                put(console, f"{DOUBTFUL} Dagster has ended; see {installation.config.home / 'dagster.log'}")
                return ERROR
        say("  ending …")
    return OK


def _free(port: int) -> int:
    """This port, or the next one nobody listens on."""
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
        port += 1


# -- Dagster ---------------------------------------------------------------------------------------------------------


@contextmanager
def _dagster(port: int, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`dagster dev` with all it starts; it ends with us, however we end."""
    port = _free(port)
    # The same code location as in the runs of the command line, else its job pages would not show them.
    place = ["-w", "workspace.yaml"] if Path("workspace.yaml").is_file() else ["-m", "omnihub.definitions"]
    command = [sys.executable, "-m", "dagster", "dev", *place, "-h", "127.0.0.1", "-p", str(port)]
    with (home / "dagster.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            tied(command), stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait()


def _answers(address: str, process: subprocess.Popen[bytes], ended: threading.Event) -> bool:
    until = time.monotonic() + DAGSTER_STARTS_S
    where = ("127.0.0.1", int(address.rpartition(":")[2]))
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(where) == 0:
                return True
        if ended.wait(0.3):
            return False
    return False


# -- the report ------------------------------------------------------------------------------------------------------


class _Latest(SimpleHTTPRequestHandler):
    """The folder of the reports as it is, without a word on the screen."""

    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def _report(home: Path, port: int) -> Iterator[str]:
    """The folder of the reports, served as files."""
    folder = home / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", _free(port)), partial(_Latest, directory=str(folder)))
    threading.Thread(target=server.serve_forever, name="reports", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/latest/"
    finally:
        server.shutdown()
        server.server_close()

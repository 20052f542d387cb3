"""Run a command that ends when whoever asked for it ends, however that happens: `python -m omnihub.cli.tied COMMAND…`.

The one who asks holds the other end of our stdin. It closes when they are done, and also when they are killed; then the
command is interrupted as by Ctrl-C, and what is left of it and of its children after a while is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

ENDS_S = 15.0


def tied(command: Sequence[str]) -> list[str]:
    """The command line that runs a command this way. Start it in a session of its own, with a pipe as stdin."""
    return [sys.executable, "-m", "omnihub.cli.tied", *command]


def run(command: Sequence[str]) -> int:
    """Run it. Returns its exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  our own command
    threading.Thread(target=_end_with_stdin, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_stdin(process: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()
    process.send_signal(signal.SIGINT)
    try:
        process.wait(ENDS_S)
    finally:
        os.killpg(0, signal.SIGKILL)  # its children, and us


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))

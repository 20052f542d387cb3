"""What something cost: seconds, CPU seconds and the greatest memory, told by the process it ran in."""

from __future__ import annotations

import gc
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Measured:
    """`records` things done in `seconds`, with `cpu_s` of this process's own CPU and at most `peak_mb` in memory."""

    name: str
    records: int
    seconds: float
    cpu_s: float
    peak_mb: float

    @property
    def per_s(self) -> float:
        """Records per second."""
        return self.records / self.seconds if self.seconds else 0.0


def measured(name: str, do: Callable[[], int]) -> Measured:
    """Do it, in this process; it returns how many records it did."""
    gc.collect()
    with suppress(OSError):
        CLEAR.write_text("5")  # the kernel forgets the peak so far
    started, cpu = time.monotonic(), _cpu_s()
    records = do()
    return Measured(name, records, time.monotonic() - started, _cpu_s() - cpu, peak_mb())


def _cpu_s() -> float:
    """Of this process and of those it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def peak_mb() -> float:
    """The most memory this process has had. Not `getrusage` where avoidable: a child starts there at its parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
    if found:
        return int(found[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


# -- children --------------------------------------------------------------------------------------------------------


def tell(found: Any) -> None:
    """Hand a result to the parent."""
    print(json.dumps([asdict(m) for m in found] if isinstance(found, list) else found), flush=True)  # noqa: T201


def ask(*arguments: object) -> list[Measured]:
    """Run a child to its end; what it measured. What it says on stderr is shown as it comes."""
    done = subprocess.run(_command(arguments), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [Measured(**m) for m in json.loads(done.stdout.splitlines()[-1])]


@contextmanager
def child(*arguments: object) -> Iterator[Any]:
    """A child that serves until the block ends. Yields what it told once it was ready."""
    with subprocess.Popen(
        _command(arguments), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        try:
            ready = server.stdout.readline()
            if not ready:
                raise SystemExit(f"{arguments[0]}: ended before it was ready")
            yield json.loads(ready)
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:  # it was told while it began or ended something, and waits for that
                server.kill()


def _command(arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "tests.bench", *(str(a) for a in arguments)]

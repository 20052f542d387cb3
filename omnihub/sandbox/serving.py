"""Serve the stand-ins, and tell everybody else where they are.

Ports change hands: a sandbox that was killed leaves its addresses behind, and another may answer there now. So each
serving has a badge of its own, kept with the addresses and shown by its stand-ins; addresses count where they agree.

The addresses lie in `<home>/sandbox/addresses.json` for as long as the stand-ins answer, so that any process of this
hub finds them: system → the settings a connector needs to log in there.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from omnihub.sandbox.kit import BADGE, Running, Standin

FIRST_PORT = 8701  # the stand-ins stand in a row from here, where these ports are free


def folder(home: Path) -> Path:
    """Where the sandbox keeps its state."""
    return home / "sandbox"


def addresses(home: Path) -> dict[str, dict[str, str]]:
    """system → url and credentials of its running stand-in; empty where none answers."""
    try:
        told = json.loads((folder(home) / "addresses.json").read_text())
        badge, systems = str(told["badge"]), dict(told["systems"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return systems if systems and _badge(next(iter(systems.values()))["url"]) == badge else {}


def _badge(url: str) -> str | None:
    """Which sandbox answers there, None where none does."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url + BADGE, timeout=2).text
        except requests.RequestException:
            return None


def make(home: Path, classes: Mapping[str, type[Standin]], **options: Any) -> dict[str, Standin]:
    """The stand-ins over their kept state, not yet served."""
    return {name: cls(folder(home) / f"{name}.db", **options) for name, cls in sorted(classes.items())}


@contextmanager
def serving(home: Path, standins: Mapping[str, Standin]) -> Iterator[Running]:
    """Serve until the block ends. Ports that are taken are replaced by free ones."""
    ports = {name: _free(FIRST_PORT + n) for n, name in enumerate(sorted(standins))}
    badge = secrets.token_hex(16)
    for standin in standins.values():
        standin.badge = badge
    with Running(list(standins.values()), ports) as running:
        systems = {name: {"url": running.urls[name], **standins[name].credentials} for name in standins}
        path = folder(home) / "addresses.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps({"badge": badge, "systems": systems}, indent=1))
        beside.replace(path)  # readers see the whole file or the one before
        try:
            yield running
        finally:
            path.unlink(missing_ok=True)


def _free(port: int) -> int:
    """This port, or 0 (any) where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port

"""Two systems with a few customers in common, and a hub that knows nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from connectors.portal.sandbox import standin as Portal
from omnihub.config import Config, load
from omnihub.definitions import run_sync
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Call, Reply, Running

NOWHERE = "http://127.0.0.1:9"  # nothing listens there
CUSTOMERS = 12


class Gated(Portal):
    """A portal that refuses whatever has one of the `closed` words in its path."""

    system = "portal"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.closed: set[str] = set()

    def after(self, call: Call, reply: Reply) -> Reply:
        if any(word in call.url for word in self.closed):
            return self.error(403)
        return super().after(call, reply)


@dataclass
class Office:
    """The systems, the settings that lead to them, and Dagster's memory. `elsewhere`: other URLs for some systems."""

    home: Path
    running: Running
    instance: dg.DagsterInstance
    elsewhere: dict[str, str] = field(default_factory=dict)

    @property
    def portal(self) -> Gated:
        portal = self.running.standins["portal"]
        assert isinstance(portal, Gated)
        return portal

    def config(self, yaml: str = "") -> Config:
        environ = {"OMNIHUB_HOME": str(self.home)}
        for system, standin in self.running.standins.items():
            settings = {"url": self.running.urls[system], **standin.credentials}
            if system in self.elsewhere:
                settings["url"] = self.elsewhere[system]
            environ |= {f"OMNIHUB_{system}_{name}".upper(): value for name, value in settings.items()}
        file = self.home / "omnihub.yaml"
        file.write_text(yaml)
        return load(file, environ=environ)

    def sync(self, *systems: str, yaml: str = "", **asked: Any) -> dict[str, Any]:
        return run_sync(self.config(yaml), systems or None, instance=self.instance, **asked)

    def materialized(self, told: dict[str, Any], job: str) -> set[str]:
        """The assets one of the two Dagster runs made."""
        found = self.instance.all_logs(told["dagster"][job], of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        return {e.asset_key.to_user_string() for e in (log.get_dagster_event() for log in found) if e.asset_key}


def opened(running: Running, home: Path) -> Office:
    """The same customers as ever, in systems nobody has written to."""
    for standin in running.standins.values():
        standin.state.clear()
        standin.seed(copies(standin.role))
    office = Office(home, running, dg.DagsterInstance.ephemeral())
    office.portal.closed = set()
    return office


def copies(role: str) -> Iterator[Copy]:
    """The same people in both systems; the portal's are younger, and their phones others."""
    at = "2026-03-01T08:00:00Z" if role == "portal" else "2025-03-01T08:00:00Z"
    companies, people = ("accounts", "users") if role == "portal" else ("organizations", "users")
    for n in range(1, CUSTOMERS + 1):
        company = {"name": f"{NAMES[n]} Maschinenbau GmbH", "domain": f"{NAMES[n].lower()}.example"}
        yield Copy(role, companies, n, company, at, at)
        phone = f"+49 30 55{n:02d}{'01' if role == 'portal' else '99'}"
        person = {
            "first_name": FIRST[n],
            "last_name": NAMES[n],
            "email": f"{FIRST[n].lower()}@{NAMES[n].lower()}.example",
        }
        yield Copy(role, people, n, person | {"phone": phone, "language": "de", "account": n}, at, at)
    if role == "portal":
        yield Copy(role, "logins", 1, {"contact": 1, "at": at, "channel": "web"}, at, at)


NAMES = "- Albrecht Brandner Czerny Dietrich Eberle Falkner Gruber Huber Imhof Jansen Kessler Lindner".split()
FIRST = "- Anna Bernd Carla Dieter Erika Franz Gudrun Heinz Ilse Jochen Karin Lothar".split()

"""Doctor: what is wrong with the set-up, in plain words, and how to put it right. And init, which starts one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

import connectors
from omnihub.cli import ERROR, OK
from omnihub.cli.installation import Installation, here
from omnihub.cli.screen import BAD, DOUBTFUL, GOOD, heading, out, put, table, tell
from omnihub.cli.standins import standins
from omnihub.config import FILE, alert_variable, example, without_password
from omnihub.errors import ConfigError, OmniHubError
from omnihub.flow.alerting import understood
from omnihub.sandbox.reset import which
from omnihub.sandbox.serving import addresses
from omnihub.sdk import Connector, Want, open_client
from omnihub.store import Store

REACH_S = 3.0
ATTEMPTS = 16  # systems looked at at once


def init() -> None:
    """Write the example; refuse where there is one."""
    path = Path(FILE)
    if path.exists():
        raise ConfigError(f"{path}: is there already and is left as it is; move it away to start anew")
    path.write_text(example(connectors.find()), encoding="utf-8")
    console = out()
    put(console, f"{GOOD} {path} is written: every key with its default, commented out")
    put(console, "[dim]people find what to put right inside a real system once it says[/] [bold]report: true[/]")
    put(console, "[dim]secrets come from OMNIHUB_<SYSTEM>_<SETTING>; then[/] [bold]omnihub doctor[/]")


# -- doctor ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One thing looked at. state: ok, doubtful, bad. fix: what to do, "" where nothing is."""

    part: str
    what: str
    state: str
    says: str
    fix: str = ""


def doctor(as_json: bool) -> int:
    """Look at everything a run needs. Returns the exit code."""
    installation = here()
    checks = [_store(installation), _dagster(), _sandbox(installation)]
    with ExitStack() as stack:
        if which(installation.config.home):
            stack.enter_context(standins(installation))
        checks += [*_systems(installation), *_alerts(installation)]
    healthy = all(check.state != "bad" for check in checks)
    facts = {"healthy": healthy, "checks": [asdict(check) for check in checks]}
    tell(facts, as_json, lambda console: _draw(console, checks, healthy))
    return OK if healthy else ERROR


def _store(installation: Installation) -> Check:
    where = installation.config.store_shown
    try:
        Store.open(installation.config.store).close()
    except OmniHubError as error:
        return Check("hub", "store", "bad", str(error), "set store in omnihub.yaml, or OMNIHUB_STORE")
    return Check("hub", "store", "ok", where)


def _dagster() -> Check:
    home = Path(os.environ["DAGSTER_HOME"])
    if not home.is_dir():
        return Check(
            "hub",
            "Dagster",
            "bad",
            f"DAGSTER_HOME is {home}, which is no folder",
            f"mkdir -p {home}, or unset DAGSTER_HOME",
        )
    if not (home / "dagster.yaml").is_file():
        fix = "unset DAGSTER_HOME to let OmniHub choose one, or put a dagster.yaml there"
        return Check("hub", "Dagster", "doubtful", f"{home} has no dagster.yaml: Dagster's own defaults hold", fix)
    return Check("hub", "Dagster", "ok", f"remembers its runs as {home / 'dagster.yaml'} says")


def _sandbox(installation: Installation) -> Check:
    if not installation.sandboxed:
        return Check("hub", "sandbox", "ok", "off: the settings name real systems")
    card = which(installation.config.home)
    if card is None:
        return Check("hub", "sandbox", "doubtful", "no world in it yet", "omnihub demo, or omnihub sandbox reset")
    served = "served" if addresses(installation.config.home) else "served when a command needs it"
    return Check("hub", "sandbox", "ok", f"{card['customers']:,} customers, seed {card['seed']}; {served}")


def _alerts(installation: Installation) -> list[Check]:
    """Whether somebody could be told; nothing is sent."""
    return [_channel(name, address) for name, address in installation.config.alert_addresses().items()]


def _channel(name: str, address: str) -> Check:
    variable = alert_variable(name)
    if not address:
        return Check("alerts", name, "bad", f"{variable} is not set: nobody is told", f"set {variable} to its address")
    if not understood(address):
        fix = f"write {variable} as apprise has it, as in mailto://user:password@example.com?to=it@example.com"
        return Check("alerts", name, "bad", f"{variable} holds no address that can be understood", fix)
    return Check("alerts", name, "ok", "has an address; nothing was sent to it")


def _systems(installation: Installation) -> list[Check]:
    enabled = installation.config.enabled(installation.connectors)
    if not enabled:
        fix = "name one in omnihub.yaml, or let the stand-ins take part with sandbox: true"
        return [Check("systems", "systems", "bad", "none takes part", fix)]
    with ThreadPoolExecutor(ATTEMPTS, thread_name_prefix="doctor") as pool:
        return list(pool.map(lambda connector: _system(installation, connector), enabled.values()))


def _system(installation: Installation, connector: Connector) -> Check:
    """Settings, then the address, then a first page: the first that fails is what to put right first."""
    name, home = connector.name, installation.config.home
    if installation.config.in_sandbox(name) and not which(home):
        return Check("systems", name, "doubtful", "its stand-in is empty", "omnihub demo, or omnihub sandbox reset")
    try:
        settings = installation.config.settings_for(connector, addresses(home).get(name))
        trouble = "" if connector.open else _unreachable(settings["url"])
        if trouble:
            fix = f"check the url, the network and the firewall; it is systems.{name}.url in omnihub.yaml"
            return Check("systems", name, "bad", f"can't reach {urlsplit(settings['url']).netloc}: {trouble}", fix)
        seen = _first_page(connector, settings)
    except ConfigError as error:
        return Check("systems", name, "bad", str(error), _variables(connector))
    except OmniHubError as error:
        return Check("systems", name, "bad", str(error), "nothing to set: run omnihub doctor again in a while")
    stand_in = " (stand-in)" if installation.config.in_sandbox(name) else ""
    if connector.open:
        return Check("systems", name, "ok", f"{without_password(settings['url'])}, {seen}")
    told = _told(installation, connector)
    return Check("systems", name, "ok", f"{urlsplit(settings['url']).netloc}{stand_in}, login ok, {seen}{told}")


def _told(installation: Installation, connector: Connector) -> str:
    """Whether the people of a system that has a place for it find there what they should put right."""
    if connector.place is None:
        return ""
    if installation.config.told(connector.name):
        return f"; shows what to put right in {connector.place.titles} (report: true)"
    return f"; its people are not shown what to put right: systems.{connector.name}.report: true does that"


def _unreachable(url: str) -> str:
    """Why nobody answers there; "" where somebody does."""
    parts = urlsplit(url)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        socket.create_connection((parts.hostname or "", port), REACH_S).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _first_page(connector: Connector, settings: Mapping[str, str]) -> str:
    client: Any = open_client(connector, settings)
    stream = next(one for one in connector.streams if one.pull)
    assert stream.pull
    pages: Iterator[Any] = iter(stream.pull(client, Want(since=None, complete=False, now=datetime.now(UTC))))
    next(pages, None)
    return f"{stream.name} can be read"


def _variables(connector: Connector) -> str:
    secrets = [f"OMNIHUB_{connector.name}_{one.name}".upper() for one in connector.settings if one.secret]
    return f"its secrets are read from {', '.join(secrets)}" if secrets else f"systems.{connector.name} in omnihub.yaml"


_MARKS = {"ok": GOOD, "doubtful": DOUBTFUL, "bad": BAD}


def _draw(console: Console, checks: list[Check], healthy: bool) -> None:
    heading(console, "Doctor", "all is well" if healthy else "something needs you")
    drawn = table("", "what", "found", fold=("found",))
    for check in checks:
        fix = f"\n[yellow]→ {escape(check.fix)}[/]" if check.fix else ""
        drawn.add_row(_MARKS[check.state], check.what, escape(check.says) + fix)
    put(console, drawn)
    console.print()

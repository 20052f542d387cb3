"""A connector and its settings, made ready to call."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omnihub.errors import ConfigError
from omnihub.sdk.connector import Connector
from omnihub.sdk.http import Budget, Http
from omnihub.sdk.limits import Quota
from omnihub.sdk.memory import Memory
from omnihub.sdk.turns import Ledger, Turns


def complete(connector: Connector, given: Mapping[str, str]) -> dict[str, str]:
    """The settings with defaults filled in; ConfigError names what is missing and where to set it."""
    settings = {s.name: s.default for s in connector.settings if s.default is not None} | dict(given)
    for setting in connector.settings:
        if not settings.get(setting.name) and setting.default != "":
            variable = f"OMNIHUB_{connector.name}_{setting.name}".upper()
            place = (
                variable
                if setting.secret
                else f"systems.{connector.name}.{setting.name} in omnihub.yaml, or {variable}"
            )
            raise ConfigError(f"{connector.name}: set {place} ({setting.help})")
    return settings


def turns(connector: Connector, settings: Mapping[str, str], ledger: Ledger | None = None) -> Turns:
    """The connector's limits as a budget, counted in `ledger` together with everybody who has the same settings."""
    shared = ledger if ledger is not None and connector.limits else Memory()
    rules = [
        replace(rule, zone=_zone(connector, rule.zone.format_map(settings))) if isinstance(rule, Quota) else rule
        for rule in connector.limits
    ]
    return Turns(connector.name, rules, shared, f"{connector.name} {_whose(settings)}" if connector.limits else "")


def _zone(connector: Connector, name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(
            f"{connector.name}: {name!r} is no time zone; write one like Europe/Berlin (its day of calls ends there)"
        ) from None


def _whose(settings: Mapping[str, str]) -> str:
    """Who calls: other words for the settings, from which no password can be guessed back in reasonable time."""
    told = json.dumps(sorted(settings.items())).encode()
    return hashlib.scrypt(told, salt=b"omnihub budget", n=2**12, r=8, p=1, dklen=8).hex()


def open_http(
    connector: Connector, given: Mapping[str, str], budget: Budget | None = None, ledger: Ledger | None = None
) -> Http:
    """The session for a system. `budget`: who counts the calls; by default the connector's limits, counted in `ledger`,
    or in this process where there is none."""
    settings = complete(connector, given)
    mine = turns(connector, settings, ledger) if budget is None else budget
    http = _http(connector, settings, mine)
    if isinstance(mine, Turns):
        http.hooks["response"].append(mine.heard)
    return http


def _http(connector: Connector, settings: Mapping[str, str], budget: Budget) -> Http:
    return Http(
        connector.name,
        settings["url"],
        token=connector.auth.token(settings) if connector.auth else None,
        budget=budget,
        limited=connector.limited,
    )


def open_client(
    connector: Connector, given: Mapping[str, str], budget: Budget | None = None, ledger: Ledger | None = None
) -> Any:
    """What the streams' functions are called with: the vendor's SDK over our session, or the session itself.

    A system that is not called over HTTP has no session, and no budget.
    """
    if connector.open is not None:
        return connector.open(complete(connector, given))
    return connector.connect(complete(connector, given), open_http(connector, given, budget, ledger))

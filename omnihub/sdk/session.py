"""A connector and its settings, made ready to call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omnihub.errors import ConfigError
from omnihub.sdk.connector import Connector
from omnihub.sdk.http import Budget, Http
from omnihub.sdk.limits import Windows


def complete(connector: Connector, given: Mapping[str, str]) -> dict[str, str]:
    """The settings with defaults filled in; ConfigError names what is missing and where to set it."""
    settings = {s.name: s.default for s in connector.settings if s.default is not None} | dict(given)
    for setting in connector.settings:
        if not settings.get(setting.name):
            variable = f"OMNIHUB_{connector.name}_{setting.name}".upper()
            place = (
                variable
                if setting.secret
                else f"systems.{connector.name}.{setting.name} in omnihub.yaml, or {variable}"
            )
            raise ConfigError(f"{connector.name}: set {place} ({setting.help})")
    return settings


def open_http(connector: Connector, given: Mapping[str, str], budget: Budget | None = None) -> Http:
    """The session for a system. `budget`: who counts the calls; by default the connector's limits, in this process."""
    settings = complete(connector, given)
    return Http(
        connector.name,
        settings["url"],
        token=connector.auth.token(settings) if connector.auth else None,
        budget=budget or Windows(connector.limits),
        limited=connector.limited,
    )


def open_client(connector: Connector, given: Mapping[str, str], budget: Budget | None = None) -> Any:
    """What the streams' functions are called with: the vendor's SDK over our session, or the session itself.

    A system that is not called over HTTP has no session, and no budget.
    """
    if connector.open is not None:
        return connector.open(complete(connector, given))
    return connector.connect(complete(connector, given), open_http(connector, given, budget))

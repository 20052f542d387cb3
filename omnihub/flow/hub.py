"""The hub in one value: its store, its systems and its rules. Everything a step may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omnihub.config import Alerts, Config, Findings, Gates, Survivorship
from omnihub.match import THRESHOLDS, Thresholds
from omnihub.merge import HALF_LIFE_DAYS, Rules
from omnihub.model import GOLDEN, Entity
from omnihub.push import Limits
from omnihub.push.policy import Policies, Policy
from omnihub.sandbox.serving import addresses
from omnihub.sdk import Connector
from omnihub.store import Store

Progress = Callable[[str, int, int | None], None]
"""(what, done, of how many if that is known): called while a step works."""


def silent(what: str, done: int, total: int | None) -> None:
    """No progress shown."""


@dataclass(frozen=True)
class Hub:
    """settings: a system's settings, secrets included, asked for only when it is called. country: where local phone
    numbers and the like are at home. zone: where the masters' days begin and end. regions: system → where it keeps its
    data, where that is told. spark: the folder in which it exchanges data with Spark, where a full re-match is weighed
    there. told: the systems in which people are shown their findings. channels: where alerts go, and the address of
    each, with its secrets."""

    store: Store
    connectors: Mapping[str, Connector]
    settings: Callable[[Connector], Mapping[str, str]]
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    policies: Policies = field(default_factory=dict)
    gates: Gates = field(default_factory=Gates)
    findings: Findings = field(default_factory=Findings)
    regions: Mapping[str, str] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    alerts: Alerts = field(default_factory=Alerts)
    channels: Mapping[str, str] = field(default_factory=dict, repr=False)
    thresholds: Mapping[Entity, Thresholds] = field(default_factory=lambda: THRESHOLDS)
    country: str | None = "DE"
    zone: str = "Europe/Berlin"
    spark: Path | None = None
    streams: Callable[[Connector], tuple[str, ...]] = lambda c: tuple(s.name for s in c.streams)
    progress: Progress = silent


def open_hub(config: Config, connectors: Mapping[str, Connector], progress: Progress = silent) -> Hub:
    """The hub the settings describe: its store opened and brought up to date, its systems ready to be called.

    ConfigError when the store can't be reached; what is wrong with one system shows when that system is called.
    """
    enabled = config.enabled(connectors)
    masters = frozenset(name for name, connector in enabled.items() if connector.master)
    return Hub(
        store=Store.open(config.store),
        connectors=enabled,
        settings=lambda connector: config.settings_for(connector, addresses(config.home).get(connector.name)),
        rules=rules_of(config.survivorship, masters),
        limits=limits_of(config),
        policies=policies_of(config),
        gates=config.gates,
        findings=config.findings,
        regions=config.regions(),
        told=frozenset(name for name in enabled if config.told(name)),
        alerts=config.alerts,
        channels=config.alert_addresses(),
        thresholds=thresholds(config),
        country=config.default_country,
        zone=config.time_zone,
        spark=config.home / "spark" if config.engine == "spark" else None,
        streams=config.streams,
        progress=progress,
    )


def rules_of(told: Survivorship, masters: frozenset[str]) -> Rules:
    """The table of the settings as merging takes it."""
    half_life_days = told.half_life_days or HALF_LIFE_DAYS
    return Rules(told.by_field(), told.trust, masters, half_life_days, told.orders(), told.half_lives())


_LIMITS = {
    "max_share": "share",
    "max_records": "records",
    "first_run_share": "first_share",
    "first_run_records": "first_records",
    "floor": "floor",
    "max_emptied": "emptied",
    "max_deleted": "deleted",
    "max_loosened": "loosened",
    "max_price_change": "price",
    "price_share": "price_share",
    "price_floor": "price_floor",
    "source_drop": "drop",
    "source_floor": "drop_floor",
}
"""What the settings call a limit → what the guard does."""


def limits_of(config: Config) -> Limits:
    """The limits of the guard as the settings have them."""
    told = config.guard
    own = {key: {_LIMITS[name]: most for name, most in limits.items()} for key, limits in told.own().items()}
    return Limits(**{_LIMITS[name]: getattr(told, name) for name in _LIMITS}, own=own)


def policies_of(config: Config) -> Policies:
    """What may be done without asking, of each system and entity the settings speak of."""
    return {
        (name, Entity(entity)): Policy(told.create, told.update, told.delete, told.fields)
        for name, system in config.systems.items()
        for entity, told in system.write.items()
    }


def thresholds(config: Config) -> dict[Entity, Thresholds]:
    """The thresholds in force: the match step's own, or those of the settings."""
    told = {entity: getattr(config.match, entity.value) for entity in GOLDEN}
    return {entity: Thresholds(t.same, t.unsure) if t else THRESHOLDS[entity] for entity, t in told.items()}

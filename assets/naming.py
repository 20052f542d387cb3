"""Keys, groups and owners of the assets, in one place, so that the lineage reads as the flow does."""

import dagster as dg

from omnihub.config import Config
from omnihub.model import Entity
from omnihub.sdk import Connector, Stream

ENTITIES = (Entity.ACCOUNT, Entity.CONTACT, Entity.PRODUCT)  # in this order: contacts lean on accounts

REFINE, PLAN, REPORT = "refine", "plan", "report"
COMPARED, PLANNED, REPORTED = dg.AssetKey("compare"), dg.AssetKey("plan"), dg.AssetKey("report")
STEWARDS = "team:data-stewards"


def source(system: str) -> dg.AssetKey:
    """The system as what is read."""
    return dg.AssetKey(["source", system])


def target(system: str) -> dg.AssetKey:
    """The system as what is written. Never the same node as its source."""
    return dg.AssetKey(["target", system])


def landed(system: str, stream: str) -> dg.AssetKey:
    """What was read from a stream."""
    return dg.AssetKey([system, stream])


def refined(system: str) -> dg.AssetKey:
    """A system's records in the hub's words."""
    return dg.AssetKey(["refined", system])


def delivered(system: str) -> dg.AssetKey:
    """What people are shown inside a system."""
    return dg.AssetKey(["deliver", system])


def matched(entity: Entity) -> dg.AssetKey:
    """Who is who."""
    return dg.AssetKey(["match", entity.value])


def golden(entity: Entity) -> dg.AssetKey:
    """What the hub believes."""
    return dg.AssetKey(["golden", entity.value])


def pushed(system: str, stream: str) -> dg.AssetKey:
    """What was written to a stream."""
    return dg.AssetKey(["push", system, stream])


def inbound(system: str) -> str:
    """The group of everything read from a system."""
    return f"inbound/{system}"


def outbound(system: str) -> str:
    """The group of everything written to a system."""
    return f"outbound/{system}"


def owner(connector: Connector) -> str:
    """Who answers for a system: the team of its role."""
    return "team:" + connector.role.lower().replace(" ", "-")


def kinds(connector: Connector) -> set[str]:
    """What a system is, as the UI shows it: whose, and how it is reached."""
    return {connector.name} if connector.open else {connector.name, "http"}


def store_kind(config: Config) -> str:
    """The database the hub remembers in, as the UI shows it."""
    return "postgres" if config.store.startswith("postgresql") else "sqlite"


def pulled_streams(config: Config, connector: Connector) -> list[Stream]:
    """The streams that are read: asked for by the settings, and not nested in another."""
    wanted = config.streams(connector)
    return [s for s in connector.streams if s.pull and s.name in wanted]


def written_streams(connector: Connector) -> list[Stream]:
    """The streams that may be written. A master is never written."""
    return [] if connector.master else [s for s in connector.streams if s.push]

"""Pull one system: land the streams the settings ask for; and ask it again to forget whom it has not forgotten yet."""

from __future__ import annotations

from omnihub.errors import OmniHubError
from omnihub.flow.forgetting import ask_again
from omnihub.flow.hub import Hub
from omnihub.flow.settling import settle
from omnihub.land import Landed, failed, land


def pull_system(hub: Hub, system: str, run_id: str, full: bool = False) -> list[Landed]:
    """Read what is new in one system. Never raises for a system that fails: each stream says how it went."""
    connector = hub.connectors[system]
    wanted = hub.streams(connector)

    def shown(landed: Landed, total: int | None) -> None:
        hub.progress(f"{landed.system}/{landed.stream}", landed.read, total)

    try:
        settings = hub.settings(connector)
    except OmniHubError as error:
        pulled = [s for s in connector.streams if s.pull and s.name in wanted]
        return [failed(hub.store, Landed(system, s.name), error) for s in pulled]
    settle(hub, system)
    ask_again(hub, system)
    found = land(hub.store, connector, settings, run_id=run_id, streams=wanted, full=full, progress=shown)
    for landed in found:
        if landed.waiting:
            hub.progress(f"waiting {landed.system}/{landed.stream}: {landed.waiting}", landed.read, None)
    return found

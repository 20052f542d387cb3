"""A process that pulls from a strict system as fast as it may.

    python -m tests.flow.strict KIND STORE SETTINGS ROUNDS

It says when it is ready, waits for a line, pulls, and prints what it read and what failed.
`tests.flow.test_budget` starts several.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import connectors
from omnihub.flow import Hub, Run, pull_system
from omnihub.sdk import Bearer, ByIds, Connector, Entity, Limit, Offset, Pages, Push, Rule, Send1, Setting, Stream
from omnihub.store import Store

PAGE = 5

PER_S = 2.0
CALLS, EXPORTS = 30, 10  # in any PER_S seconds


def _stream(name: str, path: str) -> Stream:
    pull = Pages(path, items="items", next=Offset("offset", PAGE), params={"limit": PAGE})
    push = Push(fields=("name",), update=Send1("PATCH", f"{path}/{{id}}"), look=ByIds(f"{path}/{{id}}"))
    return Stream(name, Entity.ACCOUNT, map={"name": "name"}, pull=pull, push=push)


def declared(*limits: Rule, streams: tuple[str, ...] = ("firms",)) -> Connector:
    """A system with lists to read, and these limits."""
    return Connector(
        name="strict",
        title="Strict",
        role="crm",
        settings=(Setting("url", "where it is"), Setting("token", "its token", secret=True)),
        auth=Bearer("token"),
        limits=limits,
        streams=tuple(_stream(name, f"/{name}") for name in streams),
    )


CONNECTORS = {
    "window": lambda: declared(Limit(CALLS, PER_S)),
    "endpoint": lambda: declared(
        Limit(CALLS, PER_S), Limit(EXPORTS, PER_S, path="^/exports"), streams=("firms", "exports")
    ),
    "airtable": lambda: connectors.find()["airtable"],
    "shopify": lambda: _without_jobs(connectors.find()["shopify"]),
}
"""Kind of limit → the system that has it."""


def _without_jobs(connector: Connector) -> Connector:
    return replace(connector, streams=tuple(s for s in connector.streams if s.name == "customers"))


def hub_of(kind: str, store: Store, settings: dict[str, str]) -> Hub:
    connector = CONNECTORS[kind]()
    return Hub(store, {connector.name: connector}, lambda _: settings)


def main(kind: str, url: str, settings: str, rounds: str) -> None:
    """See the module's docstring."""
    store = Store.open(url)
    hub = hub_of(kind, store, json.loads(settings))
    [system] = hub.connectors
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    told = [x for _ in range(int(rounds)) for x in pull_system(hub, system, Run.start(store).id, full=True)]
    failed = [x.error or x.waiting for x in told if not x.ok]
    sys.stdout.write(json.dumps({"failed": failed, "pages": sum(x.pages for x in told)}))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

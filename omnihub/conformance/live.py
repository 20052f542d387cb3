"""The rules that can be tried on the real system: they read, a few pages of each stream, and never write.

What needs the other side to fail on command, or a record to be changed, only a stand-in can show. What only the real
system can show is whether the declaration is true: whether its pages are read, its fields found, and whether a record
looked at is the record that was listed, which every write relies on.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from omnihub import fields
from omnihub.conformance.rules import Verdict
from omnihub.flow import Hub, refine_system
from omnihub.flow.pushing import reader
from omnihub.land import Landed, land
from omnihub.model import fields_of
from omnihub.sdk import Connector, Page, Stream, Want, open_client
from omnihub.sdk.connector import Pull
from omnihub.store import Store, schema

PAGES = 3  # of each stream: enough to turn a page twice
LOOKED = 5  # records of each stream looked at one by one


def check_live(
    connector: Connector, settings: Mapping[str, str], told: Callable[[Verdict], None] = lambda verdict: None
) -> list[Verdict]:
    """How the connector stands to the real system. Nothing is written there, and nothing is kept here."""
    found = []
    with tempfile.TemporaryDirectory(prefix="omnihub-") as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'hub.db'}")
        try:
            for verdict in _verdicts(_shortened(connector), settings, store):
                told(verdict)
                found.append(verdict)
        finally:
            store.close()
    return found


def _shortened(connector: Connector) -> Connector:
    return replace(
        connector,
        streams=tuple(replace(s, pull=_first_pages(s.pull)) if s.pull else s for s in connector.streams),
    )


def _first_pages(pull: Pull) -> Pull:
    def some(client: object, want: Want) -> Iterator[Page]:
        for n, page in enumerate(pull(client, want), 1):
            yield replace(page, complete=False, cursor=None)
            if n >= PAGES:
                return

    return some


def _verdicts(connector: Connector, settings: Mapping[str, str], store: Store) -> Iterator[Verdict]:
    hub = Hub(store, {connector.name: connector}, lambda _: settings)
    started = time.monotonic()
    landed = {found.stream: found for found in land(store, connector, settings, run_id="live")}
    refine_system(hub, connector.name)
    took_s = time.monotonic() - started
    yield _verdict("all of it", _unread(landed.values()), took_s)
    yield _verdict(
        "every record has a key",
        (f"{x.stream}: {x.rejected} records without one" for x in landed.values() if x.rejected),
    )
    yield _verdict("every field", _unfound(connector, store))
    started = time.monotonic()
    yield _verdict("looked at as listed", _looked_otherwise(hub, connector, settings), time.monotonic() - started)


def _verdict(rule: str, broken: Iterable[str], took_s: float = 0.0) -> Verdict:
    reasons = list(broken)
    return Verdict(rule, "broken" if reasons else "kept", "; ".join(reasons), took_s)


def _unread(landed: Iterable[Landed]) -> Iterator[str]:
    for found in landed:
        if found.error:
            yield found.error


def _unfound(connector: Connector, store: Store) -> Iterator[str]:
    """Fields of the map that no record has, of streams with enough records to say so."""
    t = schema.refined
    for stream in connector.streams:
        query = sa.select(t.c.fields).where(t.c.system == connector.name, t.c.stream == stream.name)
        with store.read() as c:
            bodies = list(c.execute(query).scalars())
        missing = [name for name in stream.map if len(bodies) >= LOOKED and not any(f'"{name}"' in b for b in bodies)]
        if missing:
            yield f"{stream.name}: of {len(bodies)} records none has {', '.join(missing)}; are the paths right?"


def _looked_otherwise(hub: Hub, connector: Connector, settings: Mapping[str, str]) -> Iterator[str]:
    client = open_client(connector, settings)
    for stream in connector.streams:
        if stream.push is None or connector.master:
            continue
        listed = _listed(hub.store, connector, stream)
        present = reader(hub, connector, stream)(list(stream.push.look(client, list(listed))))
        kinds = fields_of(stream.entity)
        for id_, known in listed.items():
            here = present[id_].fields if id_ in present else {}
            unlike = [f for f in stream.push.fields if not fields.same(kinds[f].kind, known.get(f), here.get(f))]
            if id_ not in present:
                yield f"{stream.name}: a record that was listed is not there when looked at"
            elif unlike:
                yield f"{stream.name}: looked at one by one, {', '.join(unlike)} is not what the list said"


def _listed(store: Store, connector: Connector, stream: Stream) -> dict[str, dict[str, str]]:
    t = schema.refined
    query = sa.select(t.c.ref, t.c.fields).where(t.c.system == connector.name, t.c.stream == stream.name, ~t.c.deleted)
    with store.read() as c:
        return {ref.split("/", 2)[2]: json.loads(told) for ref, told in c.execute(query.limit(LOOKED))}

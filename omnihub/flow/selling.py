"""Who sells: which system a channel of the master is, as far as what that system offers is known as a whole.

A master names channels as its table of channels has them; one that is in no such table may be a system's name, or what
the system is for. A word that could mean two systems means none.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa

from omnihub.flow.hub import Hub
from omnihub.model import Entity
from omnihub.sdk import Connector
from omnihub.store import schema


def sellers(c: sa.Connection, hub: Hub) -> tuple[tuple[str, str], ...]:
    """(word in small letters, system) of every system all of whose products were read as a whole at least once."""
    looked_at = _looked_at(c, hub)
    return tuple(sorted((word, name) for word, name in channels(c, hub).items() if name in looked_at))


def channels(c: sa.Connection, hub: Hub) -> dict[str, str]:
    """Word in small letters → the system that is meant: by the masters' channels first."""
    by_name = _meaning((word, name) for name, x in hub.connectors.items() for word in (name, x.title))
    by_role = _meaning((x.role, name) for name, x in hub.connectors.items())
    t = schema.refined
    told = sa.select(t.c.fields).where(t.c.entity == Entity.CHANNEL.value, ~t.c.deleted)
    rows = [json.loads(f) for f in c.execute(told.where(t.c.system.in_(sorted(hub.rules.masters)))).scalars()]
    named = _meaning(
        (row["name"], by_name[word])
        for row in rows
        if row.get("name") and (word := (row.get("system") or row["name"]).lower()) in by_name
    )
    return by_role | by_name | named


def _meaning(told: Iterable[tuple[str, str]]) -> dict[str, str]:
    meant = defaultdict(set)
    for word, system in told:
        meant[word.lower()].add(system)
    return {word: systems.pop() for word, systems in meant.items() if word and len(systems) == 1}


def _looked_at(c: sa.Connection, hub: Hub) -> frozenset[str]:
    s = schema.streams
    whole = {(r.system, r.stream) for r in c.execute(sa.select(s.c.system, s.c.stream).where(s.c.full_at.is_not(None)))}
    offers = {name: _offers(connector) for name, connector in hub.connectors.items() if name not in hub.rules.masters}
    return frozenset(name for name, read in offers.items() if read and all((name, one) in whole for one in read))


def _offers(connector: Connector) -> frozenset[str]:
    """The streams that are read for its products; a nested one comes with its parents."""
    sold = (s for s in connector.streams if s.entity is Entity.PRODUCT and "sku" in s.fields)
    return frozenset(s.nested.of if s.nested else s.name for s in sold)

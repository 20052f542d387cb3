"""Settle what a dead process left: records it was about to make are asked for by key before anything else is read.

about to be made, no receipt ─▶ ask the system by key ─▶ there     → known from now on, as if the receipt had come
                                                      ─▶ not there → forgotten; it is planned again
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from omnihub.errors import OmniHubError
from omnihub.flow.creating import know, nobody_said
from omnihub.flow.hub import Hub
from omnihub.flow.pushing import reader
from omnihub.model import Ref
from omnihub.push.create import by_key
from omnihub.push.missing import key_of, to_be_made
from omnihub.push.undo import same
from omnihub.sdk import Stream, open_client
from omnihub.store import bulk, schema

log = logging.getLogger("omnihub.settling")

_C, _S = schema.created, schema.sent


def settle(hub: Hub, system: str) -> int:
    """Find out about the records of this system that were about to be made when a process died. Returns how many were;
    where the system can't say so now, they are asked for again the next time."""
    with hub.store.read() as c:
        begun = c.execute(sa.select(_C).where(_C.c.system == system, _C.c.ref.is_(None))).all()
    if not begun:
        return 0
    connector, found = hub.connectors[system], 0
    try:
        client = open_client(connector, hub.settings(connector), ledger=hub.store.ledger)
        for stream in connector.streams:
            if mine := [row for row in begun if row.stream == stream.name]:
                found += _settle(hub, client, stream, mine)
    except OmniHubError as error:
        log.warning("%s: could not ask for %d records by key: %s", system, len(begun), error)
    return found


def _settle(hub: Hub, client: Any, stream: Stream, begun: Sequence[Any]) -> int:
    system = begun[0].system
    read = reader(hub, hub.connectors[system], stream)
    there = by_key(client, system, stream, [row.key for row in begun], read)
    if isinstance(there, OmniHubError):
        raise there
    made = {
        str(to_be_made(system, stream.name, key)): str(Ref(system, stream.name, i)) for key, (i, _) in there.items()
    }
    now = {made[str(to_be_made(system, stream.name, key))]: present.fields for key, (_, present) in there.items()}
    with hub.store.write() as c:
        # what was meant to be written is known as ours when it comes back
        meant = bulk.where_in(c, sa.select(_S), _S.c.ref, made)
        rows = [(made[r.ref], r.field, _meant(r, now[made[r.ref]]), r.plan_id, r.at) for r in meant]
        bulk.upsert(c, _S, ("ref", "field", "value", "plan_id", "at"), rows)
        changed = {
            ref for ref, field, value, *_ in rows if not same(_key(made, ref), field, value, now[ref].get(field))
        }
        images = {ref: fields for ref, fields in now.items() if ref not in changed}
        know(c, {planned: (ref, images.get(ref)) for planned, ref in made.items()})
        nobody_said(c, begun[0].plan_id, images)
        for row in begun:
            if row.key not in there:
                where = (_C.c.system == system, _C.c.stream == stream.name, _C.c.key == row.key, _C.c.ref.is_(None))
                c.execute(sa.delete(_C).where(*where))
    return len(made)


def _meant(sent: Any, now: Mapping[str, str]) -> str | None:
    """What was meant to be written; a link to a record that had no id then can only lead where it leads now."""
    value: str | None = sent.intended
    return now.get(sent.field) if value and value.count("/") > 1 and key_of(value) else value


def _key(made: Mapping[str, str], ref: str) -> str:
    return next(str(key_of(planned)) for planned, known in made.items() if known == ref)

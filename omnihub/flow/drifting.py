"""Hold what a stream has just brought against the shape its records used to have, and keep what has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa

from omnihub.drift import Drift, compared, learned, shape
from omnihub.land import read_anew
from omnihub.sdk import Stream
from omnihub.sdk.persons import CUT
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso

SAMPLE = 200  # of the records new since the last time, the latest so many are looked at


def note_shape(store: Store, system: str, stream: Stream, since: int) -> Drift:
    """Look at what was landed after `since` (a raw seq), and keep the shape and how it differs from before.

    Where a field has gone missing, or is back, the next pull reads everything: records read in between may lack it.
    """
    scope, r = f"{system}/{stream.name}", schema.raw
    query = (
        sa.select(r.c.body)
        .where(r.c.system == system, r.c.stream == stream.name, r.c.seq > since, ~r.c.deleted)
        .where(
            ~r.c.pointer.endswith(CUT)
        )  # what is kept of a record without a forgotten person has no shape of its own
        .order_by(r.c.seq.desc())
        .limit(SAMPLE)
    )
    with store.read() as c:
        bodies = [bytes(body).decode("utf-8", "replace") for body in c.execute(query).scalars()]
        known, before = json.loads(_fact(c, f"shape:{scope}") or "{}"), drift_of(c, system, stream.name)
    here, count = shape(bodies)
    if not count:
        return before
    found = compared(known, here, count, before, now_iso())
    usual = learned(known, here, before, found)
    kept = [(f"shape:{scope}", json.dumps(usual)), (f"drift:{scope}", json.dumps(found.plain()))]
    with store.write() as c:
        bulk.upsert(c, schema.facts, ("key", "value"), kept)
        if set(found.missing) != set(before.missing):  # read without a field, or with it again: who else was?
            read_anew(c, system, stream.name)
    return found


def drift_of(c: sa.Connection, system: str, stream: str) -> Drift:
    """How the records of a stream differ from what they used to be."""
    return _drift(_fact(c, f"drift:{system}/{stream}") or "{}")


def drifts(c: sa.Connection) -> Iterator[tuple[str, str, Drift]]:
    """(system, stream, drift) wherever there is some."""
    f = schema.facts
    for key, value in c.execute(sa.select(f.c.key, f.c.value).where(f.c.key.like("drift:%")).order_by(f.c.key)):
        system, _, stream = key.removeprefix("drift:").partition("/")
        if found := _drift(value):
            yield system, stream, found


def _drift(text: str) -> Drift:
    told = json.loads(text)
    retyped = {path: (old, new, since) for path, (old, new, since) in told.get("retyped", {}).items()}
    return Drift(told.get("missing", {}), told.get("added", {}), retyped)


def _fact(c: sa.Connection, key: str) -> str | None:
    return c.execute(sa.select(schema.facts.c.value).where(schema.facts.c.key == key)).scalar()

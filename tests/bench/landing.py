"""Landing beside its floor: the least that must be done to have the same bytes in a database.

The floor asks for a page with `requests`, cuts it into records with msgspec (id, time, the slice itself), and inserts
them with one `executemany` and one commit a page. Landing does the same and keeps its promises: hash, exchange, cursor,
sequence, what is gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import requests

from tests.bench.measure import Measured, ask, child, measured, tell
from tests.bench.pages import PATH

FLOOR, LAND, AGAIN = "floor", "land", "land again, nothing new"
GROWTH = 4  # memory is looked at again with so many times the records


class Thing(msgspec.Struct):
    """What the floor reads of a record."""

    id: str
    updated_at: str


class Envelope(msgspec.Struct):
    """What the floor reads of a page."""

    items: list[msgspec.Raw]
    next: str | None


def run(folder: Path, records: int, times: int = 3) -> list[Measured]:
    """Floor and land with `records`, the middle one of several times, and once with four times as many."""
    found: list[Measured] = []
    with child("serve-pages", records) as url:
        rounds = [_round(url, folder, f"{n}") for n in range(times)]
    found += [_middle(several) for several in zip(*rounds, strict=True)]
    with child("serve-pages", GROWTH * records) as url:
        return found + _round(url, folder, "grown")


def _round(url: str, folder: Path, name: str) -> list[Measured]:
    return ask("floor", url, folder / f"floor-{name}.db") + ask("land", url, folder / f"hub-{name}.db")


def _middle(several: Sequence[Measured]) -> Measured:
    return sorted(several, key=lambda m: m.cpu_s)[len(several) // 2]


def floor(url: str, path: str) -> None:
    """In a child: the least that must be done."""
    read_page, read_thing = msgspec.json.Decoder(Envelope).decode, msgspec.json.Decoder(Thing).decode

    def do() -> int:
        db = sqlite3.connect(path, isolation_level=None)
        db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        db.execute("CREATE TABLE raw (seq INTEGER PRIMARY KEY, id TEXT, updated TEXT, body BLOB)")
        count, cursor = 0, None
        with requests.Session() as session:
            session.trust_env = False
            while True:
                answer = session.get(url + PATH, params={"cursor": cursor} if cursor else None)
                page = read_page(answer.content)
                rows = []
                for raw in page.items:
                    thing = read_thing(raw)
                    rows.append((thing.id, thing.updated_at, bytes(raw)))
                db.execute("BEGIN")
                db.executemany("INSERT INTO raw (id, updated, body) VALUES (?, ?, ?)", rows)
                db.execute("COMMIT")
                count += len(rows)
                cursor = page.next
                if not cursor:
                    return count

    tell([measured(FLOOR, do)])


def hub(url: str, path: str) -> None:
    """In a child: `omnihub.land`, and once more with nothing new."""
    from omnihub.land import land
    from omnihub.sdk import Connector, Cursor, Entity, Pages, Setting, Stream
    from omnihub.store import Store

    pull = Pages(PATH, "items", Cursor("next", "cursor"), updated="updated_at")
    stream = Stream("things", Entity.CONTACT, {"email": "email"}, pull, updated="updated_at")
    connector = Connector("bench", "Bench", "CRM", (stream,), (Setting("url", "where"),))
    store = Store.open(f"sqlite:///{path}")

    def do(run_id: str) -> int:
        [landed] = land(store, connector, {"url": url}, run_id=run_id)
        _sound(landed)
        return landed.read

    tell([measured(LAND, lambda: do("first")), measured(AGAIN, lambda: do("second"))])


def _sound(landed: Any) -> None:
    if landed.error or not landed.balanced:
        raise SystemExit(f"landing went wrong: {landed}")

"""Tombstones: whom the hub has forgotten, kept so that nobody can read it and every pull can ask.

A tombstone is a keyed hash of a ref, or of what a person would be known by. Without the key nothing can be tried
against it. The key lies beside them in the store, or, which is better, in OMNIHUB_FORGET_KEY alone.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from omnihub.errors import ConfigError
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso

KEY = "OMNIHUB_FORGET_KEY"
KEPT_KEY, CHECK = "forgotten:key", "forgotten:check"  # among the store's facts
RECORD, MENTION, PERSON = "record", "mention", "person"  # never landed; landed without what is personal; known by

_T, _F = schema.tombstones, schema.facts
_ROW = ("hash", "kind", "system", "stream", "forgetting")


def anybody(c: sa.Connection) -> bool:
    """Whether there is any tombstone: mostly not, and then nothing else need be asked."""
    return c.execute(sa.select(_T.c.hash).limit(1)).first() is not None


def found(c: sa.Connection, whats: Iterable[str]) -> dict[str, str]:
    """Of these those under a tombstone, with its kind."""
    key = _key(c)
    hashed = {_hash(key, what): what for what in whats}
    rows = bulk.where_in(c, sa.select(_T.c.hash, _T.c.kind), _T.c.hash, hashed)
    return {hashed[row.hash]: row.kind for row in rows}


def bury(c: sa.Connection, forgetting: str, whats: Mapping[str, tuple[str, str, str]]) -> None:
    """Put these under tombstones. whats: what → kind, system, stream."""
    key = _key(c)
    rows = [(_hash(key, what), kind, system, stream, forgetting) for what, (kind, system, stream) in whats.items()]
    bulk.upsert(c, _T, _ROW, rows)


def join(c: sa.Connection, others: Mapping[str, str], system: str, stream: str) -> None:
    """Put further records (ref → what they were known by) under the forgetting that is known by it."""
    key = _key(c)
    query = sa.select(_T.c.hash, _T.c.forgetting)
    by = {r.hash: r.forgetting for r in bulk.where_in(c, query, _T.c.hash, {_hash(key, w) for w in others.values()})}
    rows = [
        (_hash(key, ref), RECORD, system, stream, by[_hash(key, what)])
        for ref, what in others.items()
        if _hash(key, what) in by
    ]
    bulk.upsert(c, _T, _ROW, rows)


def still_sent(c: sa.Connection, refs: Iterable[str]) -> None:
    """Note that a pull has brought these though they are under tombstones."""
    _sent(c, refs, now_iso())


def no_longer_sent(c: sa.Connection, refs: Iterable[str]) -> None:
    """Note that a pull has told these to be deleted."""
    _sent(c, refs, None)


def _sent(c: sa.Connection, refs: Iterable[str], at: str | None) -> None:
    key = _key(c)
    these = bulk.among(c, _T.c.hash, [_hash(key, ref) for ref in refs])
    if these is not None:
        c.execute(sa.update(_T).where(these, _T.c.kind == RECORD).values(sent_at=at))


def who(c: sa.Connection, what: str) -> str | None:
    """The forgetting that what is said here (as it was buried) lies under."""
    query = sa.select(_T.c.forgetting).where(_T.c.hash == _hash(_key(c), what))
    return c.execute(query).scalar()


def _hash(key: bytes, what: str) -> str:
    return hashlib.blake2b(what.encode("utf-8", "surrogatepass"), digest_size=20, key=key).hexdigest()


def _key(c: sa.Connection) -> bytes:
    """ConfigError where the key is another than the one there was: whoever is forgotten would come back unnoticed."""
    told = os.environ.get(KEY, "")
    key = hashlib.sha256((told or _kept(c, KEPT_KEY, secrets.token_hex(32))).encode()).digest()
    check = _hash(key, CHECK)
    if _kept(c, CHECK, check) != check:
        raise ConfigError(f"forget: {KEY} is not the key that was set when somebody was forgotten; set it to that one")
    return key


def _kept(c: sa.Connection, name: str, otherwise: str) -> str:
    kept = c.execute(sa.select(_F.c.value).where(_F.c.key == name)).scalar()
    if kept is None:
        bulk.upsert(c, _F, ("key", "value"), [(name, otherwise)])
    return kept or otherwise

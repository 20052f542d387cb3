"""Audit: who did what and when, in a chain of hashes that shows whether a row was changed, removed or moved.

    what counts happens ─▶ audited(…), in the same transaction ─▶ a row with the hash of the row before ─▶ verify

A row's hash is over all of it, the hash of the row before included. So whoever changes a row would have to write every
later one anew, and then the last hash is another one: whoever kept that (`head`) outside the store sees it.

Facts name records and fields, never values: of a value there is a fingerprint, which says whether two are the same to
whoever has this store, and nothing to anybody else.

When somebody is forgotten, what names them is taken out of the rows there are (`blot_out`). Such a row no longer has
the hash it was given, which stays, and is followed by the next as before; a later row of the chain, that of the
forgetting, says what the row is to look like from then on. So the chain shows that just this was taken out, and when.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from omnihub.errors import OmniHubError
from omnihub.store import schema
from omnihub.store.open import now_iso

FORGOTTEN = "forgotten"  # the row that says which rows were blotted out, and how they look since
HEAD, SALT = "audit:head", "audit:salt"  # among the store's facts
NOTHING = ""  # what the first row follows
FINGERPRINT = 8  # bytes
AT_ONCE = 10_000  # rows read at a time
NEAR = 100  # so far from where it stands, and from the row it followed, a row's old place is looked for

_A, _F = schema.audit, schema.facts

Row = dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """The first row that is not as it was written. how: changed, removed, re-ordered, added."""

    seq: int
    how: str
    words: str


@dataclass(frozen=True)
class Verified:
    """What walking the chain came to. head: the hash of the last row, to be kept outside."""

    rows: int
    head: str
    broken: Broken | None


# -- adding ----------------------------------------------------------------------------------------------------------


def audited(c: sa.Connection, author: str, what: str, facts: Mapping[str, Any], at: str | None = None) -> int:
    """Add a row, in the transaction in which the fact itself is kept; returns its number. author: "" is the hub itself.

    Until that transaction ends nobody else adds one: so call it last, where that can be chosen.
    """
    told = _kept_for_us(c, HEAD, "")
    seq, previous = _parted(told) if told else _last(c)
    row = {"seq": seq + 1, "at": at or now_iso(), "author": author, "what": what, "facts": as_text(facts)}
    row |= {"previous": previous}
    digest = _hash(row)
    c.execute(_ADD, row | {"hash": digest})
    c.execute(_MOVE_ON, {"head": f"{seq + 1}:{digest}"})
    return seq + 1


def fingerprints(c: sa.Connection, values: Sequence[Mapping[str, str | None]]) -> list[dict[str, str]]:
    """field → fingerprint, of each of these. They are the same where the values are, as long as the store lives."""
    salt = _kept_for_us(c, SALT, secrets.token_hex(16)).encode()

    def of(value: str | None) -> str:
        if value is None:
            return ""
        return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=FINGERPRINT, key=salt).hexdigest()

    return [{name: of(value) for name, value in one.items()} for one in values]


def as_text(facts: Mapping[str, Any]) -> str:
    """The one way facts are written down."""
    return _encode(facts).decode()


_encode = msgspec.json.Encoder(order="sorted").encode


def _kept_for_us(c: sa.Connection, key: str, otherwise: str) -> str:
    """One of the store's facts, which nobody else changes, or reads by this, until our transaction ends."""
    statement = _KEPT_FOR_US["postgresql" if c.dialect.name == "postgresql" else "sqlite"]
    return str(c.execute(statement, {"key": key, "value": otherwise}).scalar_one())


# Put together once, as in `store.open`: with a row for each of a thousand judgements that is half of the time.
_KEPT_FOR_US = {
    name: insert(_F)
    .values(key=sa.bindparam("key"), value=sa.bindparam("value"))
    .on_conflict_do_update(index_elements=["key"], set_={"value": _F.c.value})
    .returning(_F.c.value)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_ADD = sa.insert(_A)
_MOVE_ON = sa.update(_F).where(_F.c.key == HEAD).values(value=sa.bindparam("head"))


def _last(c: sa.Connection) -> tuple[int, str]:
    """Where no head is known: the first row ever, or one after the head was lost (which `verify` tells)."""
    row = c.execute(sa.select(_A.c.seq, _A.c.hash).order_by(_A.c.seq.desc()).limit(1)).one_or_none()
    return (row.seq, row.hash) if row else (0, NOTHING)


def _parted(head: str) -> tuple[int, str]:
    seq, _, digest = head.partition(":")
    return int(seq), digest


def _hash(row: Mapping[str, Any], seq: int | None = None) -> str:
    """seq: what the hash would be, were this the row of that number."""
    told = [seq or row["seq"], *(row[name] for name in ("at", "author", "what", "facts", "previous"))]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


# -- forgetting ------------------------------------------------------------------------------------------------------


def blot_out(c: sa.Connection, facts: Mapping[int, str]) -> dict[str, str]:
    """Put these facts in the place of those of the rows of these numbers. Returns what has to stand as `blotted` in the
    facts of a row `FORGOTTEN`, which is to be added in the same transaction."""
    if not facts:
        return {}
    rows = [dict(row._mapping) for row in c.execute(sa.select(_A).where(_A.c.seq.in_(facts)).order_by(_A.c.seq))]
    for row in rows:
        row["facts"] = facts[row["seq"]]
        c.execute(sa.update(_A).where(_A.c.seq == row["seq"]).values(facts=row["facts"]))
    return {str(row["seq"]): _looks(row) for row in rows}


def _looks(row: Mapping[str, Any]) -> str:
    """How a row is now, the hash it once had included."""
    return hashlib.sha256(f"{_hash(row)}{row['hash']}".encode()).hexdigest()


def _blotted(c: sa.Connection) -> dict[int, tuple[str, int]]:
    """Number of a row → how it is to look, and by the word of which later row. The last word counts."""
    found: dict[int, tuple[str, int]] = {}
    told = sa.select(_A.c.seq, _A.c.facts).where(_A.c.what == FORGOTTEN).order_by(_A.c.seq)
    for row in c.execute(told):
        try:
            blotted = dict(json.loads(row.facts).get("blotted", {}))
        except (ValueError, AttributeError, TypeError):
            continue  # a row that is not as it was written: the walk comes to it
        found |= {int(seq): (look, row.seq) for seq, look in blotted.items() if int(seq) < row.seq}
    return found


# -- verifying -------------------------------------------------------------------------------------------------------


def verify(c: sa.Connection, head: str = "") -> Verified:
    """Walk the whole chain. head: the hash of a last row somebody kept; it must still be there."""
    seq, previous, kept = 0, NOTHING, head == ""
    blotted = _blotted(c)
    for row in _walk(c):
        if broken := _broken(c, row, seq, previous, blotted):
            return Verified(seq, previous, broken)
        seq, previous = row["seq"], row["hash"]
        kept = kept or previous == head
    return Verified(seq, previous, _cut_off(c, seq, previous) or (None if kept else _written_anew(seq, head)))


def _walk(c: sa.Connection) -> Iterator[Row]:
    """All rows in order, some at a time: a chain may be long."""
    done = 0
    while rows := c.execute(sa.select(_A).where(_A.c.seq > done).order_by(_A.c.seq).limit(AT_ONCE)).all():
        for row in rows:
            yield dict(row._mapping)
        done = rows[-1].seq


def _broken(
    c: sa.Connection, row: Row, before: int, previous: str, blotted: Mapping[int, tuple[str, int]]
) -> Broken | None:
    """What is wrong with this row, as the one after `before`, whose hash is `previous`."""
    expected, seq = before + 1, row["seq"]
    right = row["hash"] == _hash(row) or (seq in blotted and blotted[seq][0] == _looks(row))
    if seq == expected and right and row["previous"] == previous:
        return None
    if home := _home(c, row):
        return Broken(seq, "re-ordered", f"row {seq} stood at {home} when it was written")
    if seq != expected:
        return Broken(expected, "removed", f"row {expected} is missing: after {before} comes {seq}")
    if not right:
        return Broken(seq, "changed", f"row {seq} ({row['what']}, {row['at']}) is not as it was written")
    return Broken(seq, "changed", f"row {seq} does not follow the row before it: that one was written anew")


def _home(c: sa.Connection, row: Row) -> int | None:
    """The number this row had when it was written, where that is another one than now."""
    followed = c.execute(sa.select(_A.c.seq).where(_A.c.hash == row["previous"]).limit(1)).scalar() or 0
    near = {at + way for at in (row["seq"], followed) for way in range(-NEAR, NEAR + 1)}
    homes = (seq for seq in sorted(near) if seq > 0 and seq != row["seq"] and row["hash"] == _hash(row, seq))
    return next(homes, None)


def _cut_off(c: sa.Connection, seq: int, digest: str) -> Broken | None:
    """The end of the chain is held against what is kept of it beside the rows."""
    told = c.execute(sa.select(_F.c.value).where(_F.c.key == HEAD)).scalar()
    if not told:
        return Broken(seq, "removed", f"what is kept of the last row, {seq}, is gone") if seq else None
    last, expected = _parted(told)
    if last > seq:
        return Broken(seq + 1, "removed", f"row {seq + 1} is missing: the last one written was {last}")
    if (last, expected) != (seq, digest):
        return Broken(
            last + 1 if last < seq else last, "added", f"the last row written was {last}, and there are {seq}"
        )
    return None


def _written_anew(seq: int, head: str) -> Broken:
    return Broken(seq, "changed", f"no row has the hash {head[:12]}…: all since then were written anew, or removed")


# -- reading ---------------------------------------------------------------------------------------------------------


def entries(c: sa.Connection, since: str = "", what: str = "", limit: int | None = None) -> list[Row]:
    """The rows, the first one first; of more than `limit` the last ones. since: a day or moment (ISO, UTC), which is
    included; or a row's number, which is not."""
    query = sa.select(_A)
    if since.isdecimal():
        query = query.where(_A.c.seq > int(since))
    elif since:
        query = query.where(_A.c.at >= _moment(since))
    if what:
        query = query.where(_A.c.what == what)
    rows = c.execute(query.order_by(_A.c.seq.desc()).limit(limit)).all()
    return [dict(row._mapping) | {"facts": _facts(row)} for row in reversed(rows)]


def _moment(since: str) -> str:
    """As the rows have it."""
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise OmniHubError(f"audit: {since!r} is no day; write it as 2027-01-31, or the number of a row") from None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def _facts(row: Any) -> Any:
    try:
        return json.loads(row.facts)
    except ValueError:
        raise OmniHubError(f"audit: row {row.seq} is not as it was written; `omnihub audit verify`") from None

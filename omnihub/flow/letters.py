"""Dead letters: what a system refused, kept whole, with why and the way out, until it is written or given up.

    refused ─▶ letter ─▶ waits: the same change is not planned again …
                          ├─ … until the golden value is another, or the record changed there ─▶ the next plan has it
                          ├─ … until a person says so (`replay`): a plan of its own, through the same guard and push
                          ├─ given up by a person: this value is never tried again
                          └─ closed by itself once it is written, or there is nothing to write any more

The letter of a record is all that was refused of it. With OMNIHUB_LETTERS_KEY set, its values and the system's answer
are sealed at rest; several keys, separated by commas, open what was sealed by any of them, and the first one seals.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from omnihub.errors import ConfigError, OmniHubError
from omnihub.flow.auditing import audited
from omnihub.model import Ref
from omnihub.push import Receipt
from omnihub.push.missing import key_of
from omnihub.push.plan import unit_of
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso

KEY = "OMNIHUB_LETTERS_KEY"
TRIES = 5  # by themselves, whenever the record changes: one that changes all the time is not asked for ever

_D = schema.dead_letters

Cell = tuple[str, str]
"""(ref, field)"""


# -- why, and what to do ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cause:
    """Why a system refuses: a code that stays the same whatever the vendor calls it, in words, and the way out.

    tells: what its own code, or else its words, look like.
    """

    code: str
    means: str
    way_out: str
    tells: str


CAUSES = (
    Cause(
        "consent",
        "the person has opted out there, and only the person can change that",
        "give it up; or ask the person to subscribe again in that system",
        r"opted.?out|unsubscrib|consent",
    ),
    Cause(
        "unknown_field",
        "the system does not know the field that was written",
        "create the field there, or take it out of what the connector may write",
        r"property.?does|(unknown|undefined).?(field|column|property)|no.such.(column|field|property)",
    ),
    Cause(
        "too_long",
        "the value is longer, or larger, than the field takes",
        "shorten it where it comes from, or pin a shorter one; and let the connector declare the limit (max_length)",
        r"too.?(long|large)|too.many.char|max(imum)?.?length|longer.than|at.most.\d+|exceed|22001|22003",
    ),
    Cause(
        "taken",
        "another record of that system holds this value already, and it must be the only one",
        "merge the two records there, or judge who is who with `omnihub judge`; then replay it",
        r"duplicate|taken|already.?(exist|in.?use|being|used|has|have)|not.unique|contact.exists|unique|23505",
    ),
    Cause(
        "required",
        "the record would lack something the system insists on",
        "fill in there what is missing; it is tried again by itself once the record has changed",
        r"required|blank|can.?.?not.be.(empty|null)|can't.be.(empty|null)|not.?null|not_said|23502",
    ),
    Cause(
        "link",
        "what the record is to belong to is not there, or can't be linked",
        "see that the other record exists in that system; then replay it",
        r"cross.?reference|foreign.?key|no.?such.?(customer|account|contact|company)|unlink|associat|23503",
    ),
    Cause(
        "not_allowed",
        "the hub's user may not write this there",
        "give the user the right to write this field and record; or take the field out of what the connector may write",
        r"read.?only|insufficient|permission|forbidden|not.?allowed|not.?authori|access|computed|^40[13]$|42501",
    ),
    Cause(
        "locked",
        "the record, or the process it is in, is locked there",
        "unlock it, or let its approval end; then replay it",
        r"lock",
    ),
    Cause(
        "rule",
        "a rule or an automation of the system itself refuses it",
        "ask its administrator which rule that is; correct the value where it comes from, or the rule",
        r"validation.?(rule|exception)|custom.?validation|trigger|apex|workflow|\bflow\b|check.constraint|23514",
    ),
    Cause(
        "not_a_choice",
        "the field takes one of a list of values, and this is none of them",
        "add it to the list there, or translate it in the connector's field map",
        r"picklist|option|choice|enum|inclusion|not.in.the.list|not.included",
    ),
    Cause(
        "gone",
        "the record is no longer there, or was merged into another one",
        "nothing, if that was meant: it closes once the next complete read shows it; else restore the record there",
        r"deleted|not.?found|does.?n.?.?t.exist|does.not.exist|no.longer|archived|merged|^404$|^410$",
    ),
    Cause(
        "no_version",
        "the record can only be written over what is there, and it does not say what that is",
        "read the system whole with `omnihub sync --full`; then replay it",
        r"version|precondition",
    ),
    Cause(
        "invalid",
        "the system takes this for no value of this field",
        "correct it where it comes from, or pin another with `omnihub pin`; it is then tried by itself",
        r"invalid|malformed|not.a.valid|format|range|valid|does.?not.?fit|not.in.this|22p02|^4\d\d$",
    ),
)
OTHER = Cause(
    "other",
    "the system refused it for a reason of its own",
    "read its answer with `omnihub letters show`; put it right there or at the source, and replay it",
    "",
)
BY_CODE = {cause.code: cause for cause in (*CAUSES, OTHER)}


def cause_of(code: str, message: str) -> Cause:
    """By the system's own code, where that tells more than that something is wrong; else by its words."""
    vague = CAUSES[-1]
    found = [_told(code.replace("_", " ")), _told(message)]
    return next((c for c in found if c and c is not vague), next((c for c in found if c), OTHER))


def _told(text: str) -> Cause | None:
    return next((cause for cause in CAUSES if re.search(cause.tells, text, re.IGNORECASE)), None)


# -- sealed at rest --------------------------------------------------------------------------------------------------

SEALED = "\x02sealed:"  # no value begins like this: what comes from outside is cleaned of such characters


def seal(text: str | None) -> str | None:
    """As it is kept: sealed, where a key is set."""
    keys = _keys(os.environ.get(KEY, ""))
    return text if text is None or keys is None else SEALED + keys.encrypt(text.encode()).decode()


def unseal(text: str | None) -> str | None:
    """What was sealed. ConfigError where no key that is set opens it; nothing is lost by that."""
    if text is None or not text.startswith(SEALED):
        return text
    keys = _keys(os.environ.get(KEY, ""))
    if keys is None:
        raise ConfigError(
            f"letters: there are sealed dead letters, and no key is set; set {KEY} to the one it was then"
        )
    try:
        return keys.decrypt(text.removeprefix(SEALED)).decode()
    except InvalidToken:
        raise ConfigError(
            f"letters: no key in {KEY} opens the dead letters; nothing is lost: add the one they were sealed with, "
            f"after a comma, as {KEY}=new,old"
        ) from None


def readable(text: str | None) -> str | None:
    """For a page that is to be made whatever the key is."""
    try:
        return unseal(text)
    except ConfigError:
        return f"(sealed: {KEY} opens it)"


def check_key() -> None:
    """ConfigError where what is set as a key is none: known before anything is sent, not when an answer comes."""
    _keys(os.environ.get(KEY, ""))


def new_key() -> str:
    """A key for OMNIHUB_LETTERS_KEY."""
    return Fernet.generate_key().decode()


@lru_cache(maxsize=4)
def _keys(told: str) -> MultiFernet | None:
    words = [word.strip() for word in told.split(",") if word.strip()]
    try:
        return MultiFernet([Fernet(word) for word in words]) if words else None
    except ValueError:
        raise ConfigError(f"letters: {KEY} is no key; `omnihub letters new-key` makes one") from None


# -- keeping ---------------------------------------------------------------------------------------------------------

_ROW = (
    "ref", "field", "old", "new", "plan_id", "code", "message", "at", "golden_id", "why", "attempts", "first_at",
    "raw_seq", "given_up_at", "given_up_by", "because",
)  # fmt: skip


def keep(c: sa.Connection, plan_id: str, refused: Sequence[Receipt], at: str) -> None:
    """Keep what was refused, in the transaction that keeps the receipts. The same change again is one more attempt."""
    if not refused:
        return
    t, refs = schema.changes, {r.ref for r in refused}
    said = {n: r for r in refused for n in r.numbers}
    changes = bulk.where_in(c, sa.select(t).where(t.c.plan_id == plan_id), t.c.n, said)
    before = {(r.ref, r.field): r for r in bulk.where_in(c, sa.select(_D), _D.c.ref, refs)}
    known = _latest(c, refs)
    rows = {}
    for x in changes:
        was = before.get((x.ref, x.field))
        same = was is not None and (readable(was.old), readable(was.new)) == (x.old, x.new)
        rows[x.ref, x.field] = (
            x.ref, x.field, seal(x.old), seal(x.new), plan_id, said[x.n].code, seal(said[x.n].message) or "", at,
            x.golden_id, x.why, was.attempts + 1 if was and same else 1, (was.first_at if was else None) or at,
            known.get(x.ref), None, None, None,
        )  # fmt: skip
    bulk.upsert(c, _D, _ROW, list(rows.values()))


def _latest(c: sa.Connection, refs: Collection[str]) -> dict[str, int]:
    """The latest version we know of each of these records; of a nested one that of the record it is nested in."""
    t, r = schema.refined, schema.records
    found = {row.ref: row.raw_seq for row in bulk.where_in(c, sa.select(t.c.ref, t.c.raw_seq), t.c.ref, refs)}
    return found | {row.ref: row.seq for row in bulk.where_in(c, sa.select(r.c.ref, r.c.seq), r.c.ref, refs)}


def waiting(c: sa.Connection) -> dict[Cell, tuple[str | None, str | None]]:
    """(ref, field) → (old, new) that is not to be planned again as things stand."""
    check_key()
    d = schema.differences
    beside = sa.and_(d.c.ref == _D.c.ref, d.c.field == _D.c.field)
    columns = (_D.c.ref, _D.c.field, _D.c.old, _D.c.new, _D.c.attempts, _D.c.raw_seq, _D.c.given_up_at)
    rows = c.execute(sa.select(*columns, d.c.theirs, d.c.ours).outerjoin(d, beside)).all()
    known = _latest(c, {row.ref for row in rows}) if rows else {}
    held: dict[Cell, tuple[str | None, str | None]] = {}
    for row in rows:
        old, new = unseal(row.old), unseal(row.new)
        if row.given_up_at:  # whatever stands there by now, it is this value that was given up
            held[row.ref, row.field] = (row.theirs, row.ours) if row.ours == new else (old, new)
        elif row.raw_seq is None or row.attempts >= TRIES or known.get(row.ref, 0) <= row.raw_seq:
            held[row.ref, row.field] = (old, new)
    return held


_ANY = sa.select(_D.c.ref).limit(1)  # put together once: asked with every few batches


def close(c: sa.Connection, written: Collection[Cell]) -> None:
    """What is written now is a dead letter no longer. There are few of those, and mostly none."""
    if c.execute(_ANY).first() is None:
        return
    refs = {ref for ref, _ in written}
    _take_out(c, [tuple(row) for row in bulk.where_in(c, sa.select(_D.c.ref, _D.c.field), _D.c.ref, refs)], written)


def close_settled(c: sa.Connection) -> None:
    """Nor is what there is nothing to write for any more: somebody put it right there, the golden value is theirs by
    now, or the record is gone. What an undo could not restore stays."""
    d, p = schema.differences, schema.plans
    differs = sa.exists().where(d.c.ref == _D.c.ref, d.c.field == _D.c.field)
    undone = sa.exists().where(p.c.id == _D.c.plan_id, p.c.kind.in_(("undo", "redo")))
    cells = [tuple(row) for row in c.execute(sa.select(_D.c.ref, _D.c.field).where(~differs, ~undone))]
    to_be_made = {ref for ref, _ in cells if key_of(ref)}
    there = {ref for ref in to_be_made if _is_there(c, ref)}
    settled = [cell for cell in cells if cell[0] not in to_be_made or cell[0] in there]
    _take_out(c, settled, settled)


def _is_there(c: sa.Connection, ref: str) -> bool:
    """Of a record that was to be made: whether its golden record has one there by now, or is no more."""
    g, x, t, where = schema.goldens, schema.crosswalk, schema.refined, Ref.parse(ref)
    alive = sa.select(g.c.id).where(g.c.id == key_of(ref), g.c.members > 0)
    mine = sa.select(x.c.ref).join(t, t.c.ref == x.c.ref).where(x.c.golden_id == key_of(ref), ~t.c.deleted)
    mine = mine.where(t.c.system == where.system, t.c.stream == where.stream)
    return c.execute(alive).first() is None or c.execute(mine).first() is not None


def _take_out(c: sa.Connection, there: Iterable[Any], wanted: Collection[Any]) -> None:
    for ref, field in there:
        if (ref, field) in wanted:
            c.execute(sa.delete(_D).where(_D.c.ref == ref, _D.c.field == field))


# -- for people ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refused:
    """One field of a letter. code: the system's own; cause: ours."""

    field: str
    old: str | None
    new: str | None
    why: str | None
    cause: str
    code: str
    message: str
    plan: str
    attempts: int
    first_at: str
    at: str
    given_up_at: str | None
    given_up_by: str | None
    because: str | None


@dataclass(frozen=True)
class Letter:
    """All that a system refused of one record. state: waiting; given up, where all of it is. means and way_out: of what
    was refused last."""

    id: str
    ref: str
    system: str
    golden_id: str | None
    state: str
    cause: str
    means: str
    way_out: str
    attempts: int
    first_at: str
    at: str
    fields: tuple[Refused, ...]


def letter_id(ref: str) -> str:
    """The same for a record, as long as there is a letter about it."""
    return f"letter-{hashlib.blake2b(ref.encode(), digest_size=5).hexdigest()}"


def letters(c: sa.Connection, system: str = "") -> list[Letter]:
    """All there are, the latest first."""
    query = sa.select(_D).order_by(_D.c.ref, _D.c.field)
    if system:
        query = query.where(_D.c.ref.startswith(f"{system}/", autoescape=True))
    by_ref: dict[str, list[Any]] = {}
    for row in c.execute(query):
        by_ref.setdefault(row.ref, []).append(row)
    found = [_letter(ref, rows) for ref, rows in by_ref.items()]
    return sorted(found, key=lambda letter: letter.at, reverse=True)


def _letter(ref: str, rows: Sequence[Any]) -> Letter:
    cells = tuple(_refused(row) for row in rows)
    last = max(cells, key=lambda cell: cell.at)
    cause = BY_CODE[last.cause]
    return Letter(
        id=letter_id(ref),
        ref=ref,
        system=ref.partition("/")[0],
        golden_id=rows[0].golden_id,
        state="given up" if all(cell.given_up_at for cell in cells) else "waiting",
        cause=cause.code,
        means=cause.means,
        way_out=cause.way_out,
        attempts=max(cell.attempts for cell in cells),
        first_at=min(cell.first_at for cell in cells),
        at=last.at,
        fields=cells,
    )


def _refused(row: Any) -> Refused:
    message = unseal(row.message) or ""
    return Refused(
        row.field, unseal(row.old), unseal(row.new), row.why, cause_of(row.code, message).code, row.code, message,
        row.plan_id, row.attempts, row.first_at or row.at, row.at, row.given_up_at, row.given_up_by, row.because,
    )  # fmt: skip


def letter(c: sa.Connection, name: str) -> Letter:
    """The one of this id (its beginning will do, where only one begins so), or about this record."""
    refs = c.execute(sa.select(_D.c.ref).distinct().order_by(_D.c.ref)).scalars().all()
    near = [ref for ref in refs if name in (ref, letter_id(ref))]
    near = near or [ref for ref in refs if letter_id(ref).removeprefix("letter-").startswith(_short(name))]
    if len(near) != 1:
        many = f"{len(near)} dead letters begin with {name}" if near else f"there is no dead letter {name}"
        raise OmniHubError(f"{many}; `omnihub letters` shows them all")
    return _letter(near[0], c.execute(sa.select(_D).where(_D.c.ref == near[0]).order_by(_D.c.field)).all())


def _short(name: str) -> str:
    return name.removeprefix("letter-") or "-"


def units(some: Iterable[Letter]) -> set[Cell]:
    """(ref, field or group of fields) of what was refused: what a plan of their replay may hold, and nothing else."""
    return {(one.ref, unit_of(one.golden_id or "", cell.field)) for one in some for cell in one.fields if one.golden_id}


def give_up(store: Store, name: str, author: str, because: str) -> Letter:
    """Never try this again, as long as the value to be written is this one. OmniHubError where there is no such letter,
    or no reason."""
    if not because.strip():
        raise OmniHubError("letters: say why, so that whoever reads it in a year knows: --because …")
    with store.write() as c:
        one, at = letter(c, name), now_iso()
        values = {"given_up_at": at, "given_up_by": author, "because": because.strip()}
        c.execute(sa.update(_D).where(_D.c.ref == one.ref).values(**values))
        facts: Mapping[str, Any] = {"letter": one.id, "ref": one.ref, "fields": [cell.field for cell in one.fields]}
        audited(c, author, "given up", {**facts, "cause": one.cause, "because": because.strip()}, at)
        return letter(c, one.id)

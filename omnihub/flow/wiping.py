"""Wipe: take a person out of everything the hub keeps, but for the tombstones.

`Person.of` finds out what is theirs ─▶ `let_go` lands that they are gone ─▶ the steps follow, for everybody else
                                                              ─▶ `wipe` takes out the rows ─▶ `wipe_files`

Theirs: the records of the person, and of what is about nobody else (consents, logins, feedback, carts with what lies in
them). What only mentions them (orders, tickets, deals, devices) stays, without them. What others hold too, as a
switchboard's number or a namesake's name, is no trace of them and stays with those others.

All rows go in one transaction. Until then everything can be found again from what is there, so that whoever is stopped
begins anew and ends the same.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa
import xxhash

from omnihub import fields
from omnihub.fields import text
from omnihub.flow.auditing import blot_out
from omnihub.flow.hub import Hub
from omnihub.match import model_from
from omnihub.model import Entity, Kind, Ref
from omnihub.sdk import Stream, persons
from omnihub.store import bulk, schema
from omnihub.store.open import now_iso, take
from omnihub.store.sweeping import overwrite

BLOT = "[forgotten]"
SHORT = 4  # letters: a name with fewer is looked for only beside the other half
GONE = b""
MINE = (Entity.ACCOUNT.value, Entity.CONTACT.value)  # whose records may hold the same value by right
STRONG = ("email", "phone", "id", "name")  # what is enough to say that a text speaks of them; a word is not

# In these a row stays and loses what is theirs; a row of any other table that speaks of them goes.
# What was told of them inside a system is still to be cleared there, so it is known which notice that is.
BLOTTED = (
    *("plans", "runs", "facts", "approvals", "pins", "streams", "exchanges", "goldens", "crosswalk", "sources"),
    *("deliveries", "notices"),
)
# These are looked after one by one.
APART = (
    "raw",
    "records",
    "refined",
    "rejects",
    "models",
    "audit",
    "forgettings",
    "tombstones",
    "counter",
    "watermarks",
)

Needle = tuple[str, str]
"""(kind, what all ways to write it share)"""


@dataclass(frozen=True)
class Person:
    """What is theirs. refs: their records. about: records about nobody else. mentions: records that stay without them.
    others: records of others that hold the same values, and stay as they are. golden_ids: theirs, also former ones.
    needles: what they are called and reached by, each with the ways it is written."""

    refs: tuple[str, ...]
    about: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    golden_ids: tuple[str, ...] = ()
    needles: Mapping[Needle, frozenset[str]] | None = None
    known_by: frozenset[str] = frozenset()

    @classmethod
    def of(cls, c: sa.Connection, hub: Hub, refs: Iterable[str], golden_ids: Iterable[str]) -> Person:
        """Read through the store for them."""
        found = cls(tuple(sorted(refs)), golden_ids=tuple(sorted(golden_ids)))
        spoken, known = _said(c, hub, found)
        found = replace(found, needles=spoken)
        needles, known, others = _theirs_alone(c, found, known)
        found = replace(found, needles=needles, known_by=frozenset(known), others=tuple(others))
        return _with_others(c, hub, found)

    @property
    def all_refs(self) -> tuple[str, ...]:
        """Records nothing of which stays."""
        return (*self.refs, *self.about)

    @cached_property
    def strong(self) -> Pattern:
        """Finds where they are spoken of."""
        return Pattern.of({way for (kind, _), ways in (self.needles or {}).items() if kind in STRONG for way in ways})

    @cached_property
    def anywhere(self) -> Pattern:
        """Finds every trace: also half a name nobody else has, their records and their ids."""
        ways = {way for ways in (self.needles or {}).values() for way in ways}
        return Pattern.of(ways, (*self.all_refs, *self.golden_ids))


@dataclass(frozen=True)
class Pattern:
    """rough: what a set of rows is searched with. exact: whether it is a whole word there, and what to blot out."""

    rough: str
    exact: re.Pattern[str]

    @classmethod
    def of(cls, ways: Iterable[str], ids: Iterable[str] = ()) -> Pattern:
        """ids: what ends only where no other id goes on."""
        said, named = _either(ways), _either(ids)
        exact = rf"(?<![^\W_])(?:(?:{said})(?![^\W_])|(?:{named})(?![\w-]))"
        return cls(f"(?i){said}|{named}", re.compile(exact, re.IGNORECASE))

    def found(self, said: str | None) -> bool:
        return said is not None and self.exact.search(said) is not None

    def among(self, column: pa.ChunkedArray) -> pa.Array:
        """The places in a column of texts where it is found."""
        near = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(column, self.rough), False)).to_pylist()
        return pa.array([n for n in near if self.found(column[n].as_py())], pa.int64())


def _either(ways: Iterable[str]) -> str:
    listed = sorted({way for way in ways if way.strip()}, key=lambda way: (-len(way), way))
    return "|".join(map(re.escape, listed)) or r"[^\s\S]"


# -- what is theirs ------------------------------------------------------------------------------------------------


def _said(c: sa.Connection, hub: Hub, person: Person) -> tuple[dict[Needle, frozenset[str]], set[str]]:
    """Everything their records ever said of how they are called and reached."""
    found: dict[Needle, set[str]] = defaultdict(set)
    known: set[str] = set()
    r, t, g, h = schema.raw, schema.refined, schema.goldens, schema.golden_history
    for ref, body in bulk.where_in(c, sa.select(r.c.ref, r.c.body), r.c.ref, person.refs):
        stream, document = _stream(hub, ref), _parsed(bytes(body))
        if stream is not None and document is not None:
            _note(found, persons.said_of(stream, document))
            known |= persons.known_by(stream, document)
    rows = bulk.where_in(c, sa.select(t.c.fields), t.c.ref, person.refs)
    for query, column in ((sa.select(g.c.fields), g.c.id), (sa.select(h.c.fields), h.c.id)):
        rows += bulk.where_in(c, query, column, person.golden_ids)
    for row in rows:
        _note(found, json.loads(row.fields))
        known |= persons.known_by(CANONICAL, json.loads(row.fields))
    return {needle: frozenset(ways) for needle, ways in found.items()}, known


CANONICAL = Stream("canonical", Entity.CONTACT, {name: name for name in ("email", *persons.PHONES, *persons.NAMES)})


def _stream(hub: Hub, ref: str) -> Stream | None:
    where = Ref.parse(ref)
    connector = hub.connectors.get(where.system)
    return next((s for s in connector.streams if s.name == where.stream), None) if connector else None


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _note(found: dict[Needle, set[str]], said: Mapping[str, str]) -> None:
    """Each value with the ways it may be written."""
    if email := said.get("email"):
        found["email", email.strip().lower()] |= _ways(email)
    for name in persons.PHONES:
        number = said.get(name) or ""
        if len(tail := persons.digits(number)[-persons.TAIL :]) == persons.TAIL:
            found["phone", tail] |= _ways(number) | {persons.digits(number)}
    if len(own := said.get("id_number") or "") > SHORT:
        found["id", own] |= _ways(own)
    halves = [said[name].strip() for name in persons.NAMES if said.get(name)]
    if len(halves) == 2 and halves[0] != halves[1]:
        first, last = halves
        for whole in (f"{first} {last}", f"{last} {first}", f"{last}, {first}"):
            found["name", persons.name_key(halves)] |= _ways(whole)
    elif halves:  # the name as one text
        found["name", persons.name_key(halves[:1]) or halves[0].lower()] |= _ways(halves[0])
    for word in {word for half in halves for word in _WORD.findall(half)}:
        found["word", text.fold(word)] |= _ways(word) | {text.fold(word)}


_WORD = re.compile(rf"[^\W\d_]{{{SHORT},}}")


def _ways(value: str) -> set[str]:
    """As it stands, and as JSON and HTML may write it."""
    value = value.strip()
    return {value, json.dumps(value)[1:-1], html.escape(value)}


def _theirs_alone(
    c: sa.Connection, person: Person, known: set[str]
) -> tuple[dict[Needle, frozenset[str]], set[str], set[str]]:
    """Without what others are called or reached by as well; and who these others are."""
    others: set[str] = set()
    needles = dict(person.needles or {})
    pattern = Pattern.of({way for ways in needles.values() for way in ways})
    for row in _living_others(c, person, pattern):
        said = json.loads(row["fields"])
        known = known - (persons.known_by(CANONICAL, said) if row["entity"] == Entity.CONTACT else set())
        if said.get("email"):
            known.discard(f"email:{said['email']}")
        for needle, ways in list(needles.items()):
            if Pattern.of(ways).found(row["fields"]):
                del needles[needle]
                others |= {row["ref"]} if needle[0] in STRONG else set()
    mailboxes = {email for kind, email in needles if kind == "email" and not fields.weak(Kind.EMAIL, email)}
    known = {one for one in known if one.count(":") > 1 or one.partition(":")[2] in mailboxes}
    return needles, known, others


def _living_others(c: sa.Connection, person: Person, pattern: Pattern) -> Iterator[Mapping[str, Any]]:
    """Living records of other persons and of firms in which some of this stands."""
    t, mine = schema.refined, set(person.refs)
    query = sa.select(t.c.ref, t.c.entity, t.c.fields).where(t.c.entity.in_(MINE), ~t.c.deleted)
    for batch in bulk.batches(c, query):
        for row in batch.take(pattern.among(batch.column("fields"))).to_pylist():
            if row["ref"] not in mine:
                yield row


def _with_others(c: sa.Connection, hub: Hub, person: Person) -> Person:
    """With the records that speak of them: by a link, or in their text."""
    about, mentions, others = set(), set(), set(person.others)
    for ref in {*_linking(c, person), *_mentioning(c, person)} - {*person.refs}:
        stream = _stream(hub, ref)
        if stream is None or stream.nested is not None:
            continue
        if stream.entity in persons.ABOUT_A_PERSON and ref in _links_to(c, person, ref):
            about.add(ref)
        elif persons.cuttable(stream):
            mentions.add(ref)
        else:
            others.add(ref)
    about |= _inside(c, about)
    return replace(person, about=tuple(sorted(about)), mentions=tuple(sorted(mentions)), others=tuple(sorted(others)))


def _inside(c: sa.Connection, refs: Iterable[str]) -> set[str]:
    """What is nested in these records, as the lines in a cart."""
    t = schema.refined
    return {row.ref for row in bulk.where_in(c, sa.select(t.c.ref), t.c.parent, sorted(refs))}


def _linking(c: sa.Connection, person: Person) -> set[str]:
    """By what was noted when records were compared, and by what they say since."""
    links, t = schema.links, schema.refined
    found = {r.ref for r in bulk.where_in(c, sa.select(links.c.ref), links.c.target, person.refs)}
    pattern = Pattern.of(person.refs)
    cuttable = [entity.value for entity in persons.KEPT]
    for batch in bulk.batches(c, sa.select(t.c.ref, t.c.fields).where(t.c.entity.in_(cuttable))):
        found |= set(batch.column("ref").take(pattern.among(batch.column("fields"))).to_pylist())
    return {ref for ref in found if ref.count("/") > 1}  # the links of golden records stand under their ids


def _links_to(c: sa.Connection, person: Person, ref: str) -> set[str]:
    t = schema.refined
    told = c.execute(sa.select(t.c.fields).where(t.c.ref == ref)).scalar()
    return {ref} if told and json.loads(told).get("contact") in person.refs else set()


def _mentioning(c: sa.Connection, person: Person) -> set[str]:
    """Records in whose bytes they stand, in any version."""
    r = schema.raw
    found: set[str] = set()
    for batch in bulk.batches(c, sa.select(r.c.ref, r.c.body), size=10_000):
        found |= set(batch.column("ref").take(person.strong.among(_texts(batch.column("body")))).to_pylist())
    return found


def _texts(bodies: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return bodies.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.chunked_array([[body.decode("utf-8", "replace") for body in bodies.to_pylist()]], pa.string())


# -- gone, for all the steps -----------------------------------------------------------------------------------------

_RAW = ("seq", "ref", "system", "stream", "body", "exchange_id", "pointer", "updated", "deleted", "landed_at")
_RECORDS = ("ref", "system", "stream", "seq", "hash", "deleted")


def let_go(c: sa.Connection, hub: Hub, person: Person) -> int:
    """Land that they are gone, and what remains of the records that mention them. How many versions that took."""
    r = schema.records
    latest = sa.select(r.c.ref, r.c.system, r.c.stream, r.c.seq, r.c.deleted)
    gone = [row for row in bulk.where_in(c, latest, r.c.ref, person.all_refs) if not row.deleted]
    versions = [(row, GONE, 0, "", None, True) for row in gone]
    bodies = schema.raw
    query = sa.select(bodies).with_only_columns(
        bodies.c.seq, bodies.c.body, bodies.c.exchange_id, bodies.c.pointer, bodies.c.updated
    )
    there = {row.seq: row for row in bulk.where_in(c, latest, r.c.ref, person.mentions)}
    for raw in bulk.where_in(c, query, bodies.c.seq, there):
        row = there[raw.seq]
        if row.deleted or raw.pointer.endswith(persons.CUT):
            continue
        connector = hub.connectors[row.system]
        cut = persons.without_person(connector, connector.stream(row.stream), _parsed(bytes(raw.body)) or {})
        versions.append((row, cut, raw.exchange_id, raw.pointer + persons.CUT, raw.updated, False))
    if versions:
        _keep(c, versions)
    return len(versions)


def _keep(c: sa.Connection, versions: Sequence[tuple[Any, bytes, int, str, str | None, bool]]) -> None:
    first, at = take(c, len(versions)), now_iso()
    raw, records = [], []
    for seq, (row, body, exchange, pointer, updated, deleted) in enumerate(versions, first):
        raw.append((seq, row.ref, row.system, row.stream, body, exchange, pointer, updated, deleted, at))
        records.append((row.ref, row.system, row.stream, seq, xxhash.xxh3_128_digest(body), deleted))
    bulk.append(c, schema.raw, _RAW, raw)
    bulk.upsert(c, schema.records, _RECORDS, records)


# -- the rows ------------------------------------------------------------------------------------------------------


def wipe(c: sa.Connection, person: Person) -> tuple[dict[str, int], dict[str, str]]:
    """Take them out of every table. Returns how many rows went or were blotted, by table; and what is to stand as
    `blotted` in the audit row about it."""
    overwrite(c)
    counts: Counter[str] = Counter()
    for name in ("raw", "records", "refined", "crosswalk"):
        counts[name] += _delete(c, schema.metadata.tables[name].c.ref, person.all_refs)
    r = schema.raw
    uncut = sa.select(r.c.seq).where(~r.c.pointer.endswith(persons.CUT))
    counts["raw"] += _delete(c, r.c.seq, [row.seq for row in bulk.where_in(c, uncut, r.c.ref, person.mentions)])
    counts["rejects"] += _wipe_rejects(c, person)
    counts["goldens"] += _delete(c, schema.goldens.c.id, person.golden_ids)
    counts["models"] += _wipe_models(c, person)
    for table in schema.metadata.sorted_tables:
        if table.name not in APART:
            counts[table.name] += _wipe_table(c, table, person.anywhere)
    counts["refined"] += _blot(c, schema.refined, person.anywhere, ("own", "problems"))
    blotted = _blot_audit(c, person.anywhere)
    counts["audit"] += len(blotted)
    return {name: n for name, n in sorted(counts.items()) if n}, blotted


def _delete(c: sa.Connection, column: sa.Column[Any], values: Iterable[Any]) -> int:
    gone = 0
    for some in bulk.chunks(list(values), bulk.LIST):
        gone += c.execute(sa.delete(column.table).where(column.in_(some))).rowcount
    return gone


def _wipe_rejects(c: sa.Connection, person: Person) -> int:
    j = schema.rejects
    ids: list[int] = []
    for batch in bulk.batches(c, sa.select(j.c.id, j.c.body), size=10_000):
        ids += batch.column("id").take(person.strong.among(_texts(batch.column("body")))).to_pylist()
    return _delete(c, j.c.id, ids)


def _wipe_table(c: sa.Connection, table: sa.Table, pattern: Pattern) -> int:
    told = [column.name for column in table.columns if isinstance(column.type, sa.Text)]
    if table.name in BLOTTED:
        return _blot(c, table, pattern, told)
    key = [column.name for column in table.primary_key]
    rows = list(_matching(c, table, pattern, told))
    if rows:
        c.execute(sa.delete(table).where(*_keyed(table)), [{f"this_{name}": row[name] for name in key} for row in rows])
    return len(rows)


def _keyed(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    return [column == sa.bindparam(f"this_{column.name}") for column in table.primary_key]


def _matching(c: sa.Connection, table: sa.Table, pattern: Pattern, told: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows in one of whose texts it is found; all of them are read before the first is handed out."""
    key = [column.name for column in table.primary_key]
    columns = [table.c[name] for name in dict.fromkeys((*key, *told))]
    found: list[dict[str, Any]] = []
    for batch in bulk.batches(c, sa.select(*columns)):
        places = {n for name in told for n in pattern.among(batch.column(name)).to_pylist()}
        found += batch.take(pa.array(sorted(places), pa.int64())).to_pylist()
    yield from found


def _blot(c: sa.Connection, table: sa.Table, pattern: Pattern, told: Sequence[str]) -> int:
    """Leave the rows, and take out of their texts what is theirs. A key is not changed: such a row goes."""
    key = [column.name for column in table.primary_key]
    count = 0
    for row in _matching(c, table, pattern, told):
        these = [column == row[column.name] for column in table.primary_key]
        if any(pattern.found(row[name]) for name in key if isinstance(row[name], str)):
            c.execute(sa.delete(table).where(*these))
        else:
            values = {name: blotted(row[name], pattern) for name in told if row[name] is not None}
            c.execute(sa.update(table).where(*these).values(**values))
        count += 1
    return count


def blotted(said: str, pattern: Pattern) -> str:
    """A text, or a JSON document, without them."""
    if not pattern.found(said):
        return said
    if said[:1] in "{[":
        try:
            return json.dumps(_without(json.loads(said), pattern), ensure_ascii=False)
        except ValueError:
            pass
    return pattern.exact.sub(BLOT, said)


def _without(value: Any, pattern: Pattern) -> Any:
    """What is filed under them goes whole, as does each entry of a list in which they stand."""
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if not pattern.found(name)}
        return {name: _without(inner, pattern) for name, inner in kept.items()}
    if isinstance(value, list):
        return [one for one in value if not pattern.found(json.dumps(one, ensure_ascii=False))]
    return pattern.exact.sub(BLOT, value) if isinstance(value, str) else value


def _wipe_models(c: sa.Connection, person: Person) -> int:
    """A name hardly anybody else has is a trace of them where it stands in a list of how common names are."""
    m = schema.models
    changed = 0
    for row in c.execute(sa.select(m.c.entity, m.c.version, m.c.model, m.c.frequencies)).all():
        if row.frequencies is None:
            continue
        model = model_from(row.model, bytes(row.frequencies))
        kept = {name: _unlisted(table, person.anywhere) for name, table in (model.frequencies or {}).items()}
        packed = replace(model, frequencies=kept).packed_frequencies()
        if packed != bytes(row.frequencies):
            this = sa.and_(m.c.entity == row.entity, m.c.version == row.version)
            c.execute(sa.update(m).where(this).values(frequencies=packed))
            changed += 1
    return changed


def _unlisted(table: pa.Table, pattern: Pattern) -> pa.Table:
    values = table.column("value")
    theirs = set(pattern.among(values.cast(pa.string())).to_pylist())
    if not theirs:
        return table
    return table.filter(pa.array([n not in theirs for n in range(table.num_rows)]))


def _blot_audit(c: sa.Connection, pattern: Pattern) -> dict[str, str]:
    rows = _matching(c, schema.audit, pattern, ("facts",))
    return blot_out(c, {row["seq"]: blotted(row["facts"], pattern) for row in rows})


# -- the files -----------------------------------------------------------------------------------------------------

NOT_OURS = ("sandbox", "dagster", "spark")  # folders of the home: other systems, and what holds nobody's values
DATABASES = (".db", ".db-wal", ".db-shm")
REPORTS = "reports"


def wipe_files(home: Path, person: Person) -> list[str]:
    """Take out the reports and pages in which they stand; of a log only the lines. Returns what was touched, as named
    from the home."""
    touched = set()
    for path in sorted(home.rglob("*")) if home.is_dir() else ():
        inside = path.relative_to(home)
        if not path.is_file() or inside.parts[0] in NOT_OURS or path.name.endswith(DATABASES):
            continue
        said = _file_says(path)
        if not person.anywhere.found(said):
            continue
        if ".log" in path.suffixes:
            path.write_text("".join(x for x in said.splitlines(True) if not person.anywhere.found(x)), encoding="utf-8")
            touched.add(str(inside))
        elif inside.parts[0] == REPORTS and len(inside.parts) > 2:
            shutil.rmtree(home / REPORTS / inside.parts[1], ignore_errors=True)
            touched.add(f"{REPORTS}/{inside.parts[1]}")
        else:
            path.unlink()
            touched.add(str(inside))
    return sorted(touched)


def _file_says(path: Path) -> str:
    """What a file says, also one that is packed: a workbook, or a table of a report."""
    if path.suffix == ".xlsx" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as parts:
            return html.unescape("".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist()))
    if path.suffix == ".parquet":
        return "\n".join(str(row) for batch in pq.ParquetFile(path).iter_batches() for row in batch.to_pylist())
    return path.read_text(encoding="utf-8", errors="replace")

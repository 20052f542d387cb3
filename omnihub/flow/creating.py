"""Records the hub makes: what is missing where, what it was made for, and that this is remembered for good.

    golden records, who is known where ─▶ missing ─▶ plan ─▶ `push.create` ─▶ created: key, id, image
    created ─▶ crosswalk at once, and a tie in every matching from then on: whatever its values say, it is whose it is

A record is made only where nobody could be there twice: the stream was read to its end, no record of the golden one is
or was there, and no pair with one of its records is as much as thought of.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from omnihub.flow.holding import holds
from omnihub.flow.hub import Hub
from omnihub.match import Judged
from omnihub.model import Entity, Kind, Ref, fields_of
from omnihub.push import Receipt, Task
from omnihub.push.missing import Missing, key_of, to_be_made
from omnihub.push.policy import DEFAULT
from omnihub.sdk import Connector, Link, Stream
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso, take

WHOLE = "*"  # as a field of a hold: the record as such

UNSURE = "a person is to say whether it is there already"
DELETED = "it was there, and somebody deleted it"
UNDONE = "somebody has undone it"
TAKEN = "another customer there, or to be made there, has its {field}"
SEVERAL = "what it belongs to is there more than once"

OWN: Mapping[Entity, tuple[str, ...]] = {
    Entity.ACCOUNT: ("vat_id", "registry_id", "domain"),
    Entity.CONTACT: ("email", "id_number"),
}
"""What two customers of one system do not share, be it that the system insists on it or that they may be one."""

_C, _X, _G, _T = schema.created, schema.crosswalk, schema.goldens, schema.refined


# -- what is missing -------------------------------------------------------------------------------------------------


def may_make(hub: Hub, system: str, stream: Stream) -> bool:
    """Whether the settings let records be made there. Whether the system can is another question."""
    policy = hub.policies.get((system, stream.entity), DEFAULT)
    return stream.push is not None and not hub.connectors[system].master and policy.create == "if_missing"


def missing(c: sa.Connection, hub: Hub, looked: Mapping[str, str]) -> Iterator[Missing]:
    """The golden records that have no record in a stream where one may be made, also those something stands against."""
    for name, connector in hub.connectors.items():
        for stream in connector.streams:
            can = stream.push is not None and stream.push.create is not None
            if can and may_make(hub, name, stream) and looked.get(name) == "looked":
                yield from _missing_in(c, hub, connector, stream)


def _missing_in(c: sa.Connection, hub: Hub, connector: Connector, stream: Stream) -> Iterator[Missing]:
    there = _there(connector.name, stream.name)
    gone = there.where(_T.c.deleted, ~_undone_with(_X.c.ref))
    made = sa.select(_X.c.ref).join(_C, _C.c.ref == _X.c.ref).where(_X.c.golden_id == _G.c.id, _C.c.undone_by.is_(None))
    made = made.where(_C.c.system == connector.name, _C.c.stream == stream.name)
    query = sa.select(_G.c.id, _G.c.fields, _G.c.lineage, gone.exists().label("gone")).where(
        _G.c.entity == stream.entity.value, _G.c.members > 0, _G.c.merged_into.is_(None)
    )
    rows = c.execute(
        query.where(~there.where(~_T.c.deleted).exists(), ~_not_seen_again(made).exists()).order_by(_G.c.id)
    ).all()
    if not rows:
        return
    ids = {row.id for row in rows}
    members = _members(c, ids)
    known = {ref: gid for gid, refs in members.items() for ref in refs}
    unsure = _unsure(c, connector.name, stream, known)
    gone_once = {row.id for row in rows if row.gone} | (_gone_before_a_merge(c, connector.name, stream.name) & ids)
    held = {Ref.parse(ref).id[1:] for ref in _held(c, connector.name, stream.name)}
    told = {row.id: json.loads(row.fields) for row in rows}
    taken = _taken(c, connector.name, stream, told)
    links = _Links(c, hub, connector, stream, list(told.values()))
    for row in rows:
        fields, lineage = told[row.id], json.loads(row.lineage)
        resolved, several = links.of(fields)
        against = DELETED if row.id in gone_once else UNDONE if row.id in held else ""
        against = against or (UNSURE if row.id in unsure else taken.get(row.id) or (SEVERAL if several else ""))
        yield Missing(
            connector.name,
            stream.name,
            row.id,
            resolved,
            {name: told["ref"] for name, told in lineage.items() if name in resolved and told.get("ref")},
            tuple(sorted({Ref.parse(ref).system for ref in members.get(row.id, ())})),
            against,
        )


def _there(system: str, stream: str) -> sa.Select[Any]:
    """The records of a golden record that are, or were, in this stream."""
    query = sa.select(_X.c.ref).join(_T, _T.c.ref == _X.c.ref).where(_X.c.golden_id == _G.c.id)
    return query.where(_T.c.system == system, _T.c.stream == stream)


def _undone_with(ref: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether it was the hub that took this record away again."""
    return sa.exists().where(_C.c.ref == ref, _C.c.undone_by.is_not(None))


def _not_seen_again(made: sa.Select[Any]) -> sa.Select[Any]:
    """Of the records made those that no pull has shown yet: from then on they are records like any other."""
    return made.where(~sa.exists().where(_T.c.ref == _X.c.ref))


def _members(c: sa.Connection, golden_ids: Collection[str]) -> dict[str, list[str]]:
    """golden id → its living records."""
    query = sa.select(_X.c.golden_id, _X.c.ref).join(_T, _T.c.ref == _X.c.ref).where(~_T.c.deleted)
    found: dict[str, list[str]] = defaultdict(list)
    for gid, ref in sorted(map(tuple, bulk.where_in(c, query, _X.c.golden_id, golden_ids))):
        found[gid].append(ref)
    return found


def _gone_before_a_merge(c: sa.Connection, system: str, stream: str) -> set[str]:
    """Golden ids whose deleted record of this stream is still filed under an id that was merged into them."""
    query = sa.select(_G.c.merged_into).join(_X, _X.c.golden_id == _G.c.id).join(_T, _T.c.ref == _X.c.ref)
    query = query.where(_T.c.system == system, _T.c.stream == stream, _T.c.deleted, _G.c.merged_into.is_not(None))
    return {resolved(c, gid) for gid in c.execute(query.distinct()).scalars()}


def resolved(c: sa.Connection, golden_id: str) -> str:
    """The id a golden record lives under now."""
    while into := c.execute(sa.select(_G.c.merged_into).where(_G.c.id == golden_id)).scalar():
        golden_id = into
    return golden_id


def _unsure(c: sa.Connection, system: str, stream: Stream, known: Mapping[str, str]) -> set[str]:
    """Golden ids that may be one with a record of this stream: a pair was found, or a person was asked, and nobody has
    said that they are different."""
    p, q, j = schema.pairs, schema.queue, schema.judgements
    prefix, asked = f"{system}/{stream.name}/", set[tuple[str, str]]()
    for mine, other in ((p.c.a, p.c.b), (p.c.b, p.c.a)):
        query = sa.select(mine, other).where(
            p.c.entity == stream.entity.value, other.startswith(prefix, autoescape=True)
        )
        asked |= {(row[0], row[1]) for row in bulk.where_in(c, query, mine, known)}
    for told in c.execute(sa.select(q.c.members).where(q.c.entity == stream.entity.value)).scalars():
        refs = json.loads(told)
        theirs = [ref for ref in refs if ref.startswith(prefix)]
        asked |= {(ref, other) for ref in refs if ref in known for other in theirs if other != ref}
    if not asked:
        return set()
    verdicts = sa.select(j.c.a, j.c.b).where(j.c.verdict == "different")
    apart = {frozenset(row) for row in bulk.where_in(c, verdicts, j.c.a, {ref for pair in asked for ref in pair})}
    return {known[ref] for ref, other in asked if frozenset((ref, other)) not in apart}


def _taken(c: sa.Connection, system: str, stream: Stream, told: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """golden id → why, of those that share a value of their own with a record of the stream, or with each other."""
    found: dict[str, str] = {}
    for name in OWN.get(stream.entity, ()):
        if name not in stream.fields:
            continue
        value = _value_of(c, name)
        there = sa.select(value).where(_T.c.system == system, _T.c.stream == stream.name, ~_T.c.deleted)
        held = Counter(c.execute(there.where(value.is_not(None))).scalars())
        held.update(fields[name] for fields in told.values() if name in fields)
        found |= {gid: TAKEN.format(field=name) for gid, f in told.items() if name in f and held[f[name]] > 1}
    return found


def _value_of(c: sa.Connection, name: str) -> sa.ColumnElement[Any]:
    """A field of a refined record, in SQL."""
    if c.dialect.name == "postgresql":
        found: sa.ColumnElement[Any] = sa.cast(_T.c.fields, postgresql.JSONB)[name].astext
        return found
    return sa.func.json_extract(_T.c.fields, f"$.{name}")


def _held(c: sa.Connection, system: str, stream: str) -> list[str]:
    """What was made there, and taken back by a person."""
    prefix = f"{system}/{stream}/+"
    return [ref for ref, field in holds(c) if field == WHOLE and ref.startswith(prefix)]


class _Links:
    """What the links of golden records are in one system: the refs of what they lead to there."""

    def __init__(
        self, c: sa.Connection, hub: Hub, connector: Connector, stream: Stream, told: Sequence[Mapping[str, str]]
    ) -> None:
        self.kinds = {name for name, field in fields_of(stream.entity).items() if field.kind is Kind.LINK}
        mapped = stream.fields
        self.targets: dict[str, Stream] = {}
        for name in self.kinds & mapped.keys():
            where = mapped[name]
            if isinstance(where, Link):
                self.targets[name] = connector.stream(where.stream)
        self.system = connector.name
        self.made = {name for name, target in self.targets.items() if _makes(hub, connector.name, target)}
        self.refs: dict[str, dict[str, list[str]]] = {}
        for name, target in self.targets.items():
            wanted = {fields[name] for fields in told if name in fields}
            self.refs[name] = _refs_in(c, connector.name, target.name, wanted)

    def of(self, fields: Mapping[str, str]) -> tuple[dict[str, str], bool]:
        """The fields with links as refs of this system, and whether one could be several."""
        found, several = {}, False
        for name, value in fields.items():
            if name not in self.kinds:
                found[name] = value
            elif name in self.targets:
                refs = self.refs[name].get(value, [])
                several = several or len(refs) > 1
                if refs:
                    found[name] = refs[0]
                elif name in self.made:
                    found[name] = str(to_be_made(self.system, self.targets[name].name, value))
        return found, several


def _makes(hub: Hub, system: str, stream: Stream) -> bool:
    return stream.push is not None and stream.push.create is not None and may_make(hub, system, stream)


def _refs_in(c: sa.Connection, system: str, stream: str, golden_ids: Collection[str]) -> dict[str, list[str]]:
    """golden id → its records in this stream, those just made included."""
    alive = sa.select(_X.c.golden_id, _X.c.ref).join(_T, _T.c.ref == _X.c.ref)
    alive = alive.where(_T.c.system == system, _T.c.stream == stream, ~_T.c.deleted)
    made = sa.select(_X.c.golden_id, _X.c.ref).join(_C, _C.c.ref == _X.c.ref)
    made = made.where(_C.c.system == system, _C.c.stream == stream, _C.c.undone_by.is_(None))
    found: dict[str, set[str]] = defaultdict(set)
    for query in (alive, _not_seen_again(made)):
        for gid, ref in bulk.where_in(c, query, _X.c.golden_id, golden_ids):
            found[gid].add(ref)
    return {gid: sorted(refs) for gid, refs in found.items()}


# -- what was made ---------------------------------------------------------------------------------------------------

_COLUMNS = ("system", "stream", "key", "entity", "ref", "anchors", "plan_id", "at", "seq", "image", "undone_by")


def begin(c: sa.Connection, plan_id: str, tasks: Sequence[Task]) -> None:
    """Some records are about to be made: should this process die before it knows their ids, they can be asked for."""
    at, seq = now_iso(), take(c, 1)
    members = _members(c, {task.golden_id for task in tasks})
    founders = dict(
        map(tuple, bulk.where_in(c, sa.select(_G.c.id, _G.c.founder), _G.c.id, {t.golden_id for t in tasks}))
    )
    rows = []
    for task in tasks:
        ref, gid = Ref.parse(task.ref), task.golden_id
        anchors = sorted(members.get(gid, ()), key=lambda one, gid=gid: (one != founders.get(gid), one))
        entity = gid.partition("_")[0]
        rows.append((ref.system, ref.stream, gid, entity, None, json.dumps(anchors), plan_id, at, seq, None, None))
    bulk.upsert(c, _C, _COLUMNS, rows)


def keep(c: sa.Connection, plan_id: str, receipts: Iterable[Receipt]) -> None:
    """What was made is known from now on, and whose it is. In the transaction that keeps the receipts."""
    made = {r.ref: r for r in receipts if r.made}
    if made:
        know(c, {ref: (str(r.made), r.image) for ref, r in made.items()})
        nobody_said(c, plan_id, {str(r.made): r.image or {} for r in made.values()})


def nobody_said(c: sa.Connection, plan_id: str, images: Mapping[str, Mapping[str, str]]) -> None:
    """What a system puts into a new record by itself (a language, a name made of a domain) is nobody's word: it counts
    as ours when it comes back, and wins over nothing."""
    s, at = schema.sent, now_iso()
    ours = {(r.ref, r.field) for r in bulk.where_in(c, sa.select(s.c.ref, s.c.field), s.c.ref, images)}
    rows = [(ref, f, v, plan_id, at) for ref, image in images.items() for f, v in image.items() if (ref, f) not in ours]
    bulk.upsert(c, s, ("ref", "field", "value", "plan_id", "at"), rows)


def know(c: sa.Connection, made: Mapping[str, tuple[str, Mapping[str, str] | None]]) -> None:
    """Note what some records are called now. made: what it was called before → its ref, and its image."""
    seq, rows = take(c, 1), []
    for planned, (ref, image) in made.items():
        where, key = Ref.parse(planned), str(key_of(planned))
        told = {"ref": ref, "seq": seq, "image": json.dumps(image) if image is not None else None, "undone_by": None}
        c.execute(
            sa.update(_C)
            .where(_C.c.system == where.system, _C.c.stream == where.stream, _C.c.key == key)
            .values(**told)
        )
        rows.append((ref, resolved(c, key), key.partition("_")[0], seq))
    bulk.upsert(c, _X, ("ref", "golden_id", "entity", "seq"), rows)


def names(store: Store) -> Mapping[str, str]:
    """What records that were to be made are called now."""
    with store.read() as c:
        rows = c.execute(sa.select(_C.c.system, _C.c.stream, _C.c.key, _C.c.ref).where(_C.c.ref.is_not(None)))
        return {str(to_be_made(r.system, r.stream, r.key)): r.ref for r in rows}


# -- for matching ----------------------------------------------------------------------------------------------------


def ties(c: sa.Connection, entity: Entity) -> list[Judged]:
    """Whose the records are that the hub has made, as if a person had said so. A person who says otherwise is right."""
    rows = c.execute(
        sa.select(_C.c.ref, _C.c.anchors).where(
            _C.c.entity == entity.value, _C.c.ref.is_not(None), _C.c.undone_by.is_(None)
        )
    ).all()
    if not rows:
        return []
    told = {row.ref: json.loads(row.anchors) for row in rows}
    wanted = {ref for anchors in told.values() for ref in anchors}
    alive = {r.ref for r in bulk.where_in(c, sa.select(_T.c.ref).where(~_T.c.deleted), _T.c.ref, wanted)}
    j = schema.judgements
    apart = {
        ref
        for column in (j.c.a, j.c.b)
        for (ref,) in bulk.where_in(c, sa.select(column).where(j.c.verdict == "different"), column, told)
    }
    first = {ref: next((one for one in anchors if one in alive), None) for ref, anchors in told.items()}
    return [Judged(ref, to, "same") for ref, to in sorted(first.items()) if to and ref not in apart]


def awakened(c: sa.Connection, entity: Entity, mark: int) -> set[str]:
    """The records that were made, or let go of, since `mark`."""
    query = sa.select(_C.c.ref).join(_T, _T.c.ref == _C.c.ref)
    return set(c.execute(query.where(_C.c.entity == entity.value, _C.c.seq > mark)).scalars())

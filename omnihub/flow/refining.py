"""Refine what has landed since the last time, stream by stream, a bounded number of records at once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from omnihub import refine as step
from omnihub.flow.drifting import note_shape
from omnihub.flow.guarding import note_held
from omnihub.flow.hub import Hub
from omnihub.flow.wearing import cut_otherwise
from omnihub.sdk import Stream
from omnihub.store import bulk, schema
from omnihub.store.open import advance, take, watermark

SLICE = 20_000  # raw records refined at once: bounds the memory, whatever the stream holds

_COLUMNS = (
    "ref", "entity", "system", "stream", "seq", "raw_seq", "pointer", "parent", "deleted", "updated", "fields", "times",
    "echoes", "edits", "own", "problems",
)  # fmt: skip

_TOLD = ("deleted", "parent", "pointer", "fields", "times", "echoes", "edits", "own", "problems")


def refine_system(hub: Hub, system: str) -> dict[str, dict[str, int]]:
    """Refine the new raw records of one system. Returns per stream: read, changed, same, problems."""
    return {s.name: _refine_stream(hub, system, s) for s in hub.connectors[system].streams}


def _refine_stream(hub: Hub, system: str, stream: Stream) -> dict[str, int]:
    source = stream.nested.of if stream.nested else stream.name
    scope = f"{system}/{stream.name}"
    counts: Counter[str] = Counter(read=0, changed=0, same=0, problems=0)
    start = begun = _start(hub, system, stream, scope)
    with hub.store.read() as c:
        waiting = c.execute(_raw(sa.select(sa.func.count()), system, source, start)).scalar_one()
    _refine_again(hub, system, stream, start)
    more = True
    while more:
        with bulk.undisturbed:
            read, start = _refine_slice(hub, system, stream, source, start, counts)
        if read:
            hub.progress(f"refine {scope}", counts["read"], waiting)
        more = read == SLICE
    if counts["read"]:
        _note_unmapped(hub, system, stream, source)
        if not stream.nested:
            note_shape(hub.store, system, stream, begun)
    return dict(counts)


def _refine_slice(
    hub: Hub, system: str, stream: Stream, source: str, after: int, counts: Counter[str]
) -> tuple[int, int]:
    """Refine the next records after the raw seq `after`. How many were read, and up to which seq."""
    scope = f"{system}/{stream.name}"
    with hub.store.read() as c:
        versions = bulk.table(c, _raw(_VERSIONS, system, source, after).order_by(schema.raw.c.seq).limit(SLICE))
        if not versions.num_rows:
            return 0, after
        prior, sent = _before(c, scope, stream, versions)
    until = versions.column("seq")[-1].as_py()
    earlier = _earlier(prior, versions, "parent" if stream.nested else "ref")
    rows = step.refine(system, stream, _decoded(versions), earlier, sent, hub.country)
    counts.update(_keep(hub, system, stream, rows, prior, sent, until))
    counts["read"] += versions.num_rows
    return versions.num_rows, until


def _refine_again(hub: Hub, system: str, stream: Stream, until: int) -> None:
    """Names of one text are cut anew where what we wrote tells how, and the record had nothing to change for it: from
    all its versions, as a rebuild would. until: the raw seq up to which the stream is refined; who has said something
    since then is refined anyway."""
    with hub.store.read() as c:
        if stream.nested or not (refs := cut_otherwise(c, system, stream, until)):
            return
        r = schema.raw
        versions = bulk.table_in(c, _VERSIONS, r.c.ref, sorted(refs)).sort_by("seq")
        prior, sent = _before(c, f"{system}/{stream.name}", stream, versions)
    rows = step.refine(system, stream, _decoded(versions), step.PRIOR.empty_table(), sent, hub.country)
    with hub.store.write() as c:
        _keep_news(c, system, stream, _news(rows, prior), prior, sent)


_VERSIONS = sa.select(
    schema.raw.c.ref,
    schema.raw.c.seq,
    schema.raw.c.body,
    schema.raw.c.updated,
    schema.raw.c.deleted,
    schema.raw.c.landed_at,
)


def _raw(query: Any, system: str, stream: str, after: int) -> Any:
    return query.select_from(schema.raw).where(
        schema.raw.c.system == system, schema.raw.c.stream == stream, schema.raw.c.seq > after
    )


def _start(hub: Hub, system: str, stream: Stream, scope: str) -> int:
    """Where to go on from; nought when the field map is another than last time."""
    digest = map_digest(stream)
    key = map_fact(scope)
    with hub.store.write() as c:
        known = c.execute(sa.select(schema.facts.c.value).where(schema.facts.c.key == key)).scalar()
        if known == digest:
            return watermark(c, "refine", scope)
        bulk.upsert(c, schema.facts, ("key", "value"), [(key, digest)])
        advance(c, "refine", 0, scope)
        return 0


def map_fact(scope: str) -> str:
    """The fact that says by which field map a stream (`system/stream`) was refined."""
    return f"map:{scope}"


def map_digest(stream: Stream) -> str:
    """Names a field map, and what else decides how a record is refined."""
    return hashlib.sha256(repr((stream.map, stream.nested, stream.key, stream.updated)).encode()).hexdigest()[:16]


def _before(c: sa.Connection, scope: str, stream: Stream, versions: pa.Table) -> tuple[pa.Table, pa.Table]:
    """What these refs were refined to before, and what was last written to them."""
    refs = versions.column("ref").to_pylist()
    t = schema.refined
    query = sa.select(
        t.c.ref,
        t.c.parent,
        t.c.deleted,
        t.c.fields,
        t.c.times,
        t.c.raw_seq,
        t.c.echoes,
        t.c.edits,
        t.c.own,
        t.c.problems,
        t.c.pointer,
    ).where(t.c.system == scope.split("/")[0], t.c.stream == stream.name)
    prior = bulk.table_in(c, query, t.c.parent if stream.nested else t.c.ref, refs)
    return prior, sent_to(c, prior.column("ref").to_pylist() if stream.nested else refs)


def sent_to(c: sa.Connection, refs: Sequence[str]) -> pa.Table:
    """What was last written to these refs, and what was about to be."""
    s = schema.sent
    written = sa.select(s.c.ref, s.c.field, s.c.value, sa.true().label("written")).where(s.c.value.is_not(None))
    intended = sa.select(s.c.ref, s.c.field, s.c.intended.label("value"), sa.false().label("written"))
    wanted = list(refs)
    return pa.concat_tables(
        bulk.table_in(c, told, s.c.ref, wanted) for told in (written, intended.where(s.c.intended.is_not(None)))
    )


def _earlier(prior: pa.Table, versions: pa.Table, of: str) -> pa.Table:
    """The prior rows made from earlier versions than these: on a rebuild, what is stored is later."""
    if not prior.num_rows:
        return prior.select(step.PRIOR.names)
    first: dict[str, int] = {}
    for ref, seq in zip(versions.column("ref").to_pylist(), versions.column("seq").to_pylist(), strict=True):
        first[ref] = min(seq, first.get(ref, seq))
    made = zip(prior.column(of).to_pylist(), prior.column("raw_seq").to_pylist(), strict=True)
    keep = pa.array([seq < first.get(source, 0) for source, seq in made], pa.bool_())
    return prior.filter(keep).select(step.PRIOR.names)


def _decoded(versions: pa.Table) -> pa.Table:
    """Bodies as text; bytes that are no UTF-8 become the replacement sign (the raw record keeps them)."""
    place = versions.column_names.index("body")
    try:
        bodies = versions.column("body").cast(pa.string()).cast(pa.large_string())
    except pa.ArrowInvalid:
        texts = [b.decode("utf-8", "replace") for b in versions.column("body").to_pylist()]
        bodies = pa.array(texts, pa.large_string())
    return versions.set_column(place, "body", bodies)


def _keep(
    hub: Hub, system: str, stream: Stream, rows: pa.Table, prior: pa.Table, sent: pa.Table, until: int
) -> dict[str, int]:
    """Keep the rows that say something new, and how far the stream is refined now."""
    fresh = _news(rows, prior)
    count = fresh.num_rows
    with hub.store.write() as c:
        _keep_news(c, system, stream, fresh, prior, sent)
        advance(c, "refine", until, f"{system}/{stream.name}")
    troubled = count - pc.sum(pc.equal(fresh.column("problems"), "{}")).as_py() if count else 0
    return {"changed": count, "same": rows.num_rows - count, "problems": troubled}


def _keep_news(c: sa.Connection, system: str, stream: Stream, fresh: pa.Table, prior: pa.Table, sent: pa.Table) -> None:
    count = fresh.num_rows
    first = take(c, count) if count else 0
    placed = {
        "entity": [stream.entity.value] * count,
        "system": [system] * count,
        "stream": [stream.name] * count,
        "seq": range(first, first + count),
    }
    cells = [placed[n] if n in placed else fresh.column(n).to_pylist() for n in _COLUMNS]
    bulk.upsert(c, schema.refined, _COLUMNS, list(zip(*cells, strict=True)))
    note_held(c, system, stream.name, prior, fresh)
    _forget_sent(c, _overwritten(prior, fresh, sent))


def _overwritten(prior: pa.Table, fresh: pa.Table, sent: pa.Table) -> list[tuple[str, str]]:
    """(ref, field) where we have written something, and somebody has put another value since."""
    ours = set(zip(sent.column("ref").to_pylist(), sent.column("field").to_pylist(), strict=True))
    refs = {ref for ref, _ in ours}
    before = {ref: json.loads(told) for ref, told in _rows(prior, ("ref", "fields")) if ref in refs}
    return [
        (ref, field)
        for ref, echoes, told in _rows(fresh, ("ref", "echoes", "fields"))
        if ref in before
        for field, value in json.loads(told).items()
        if (ref, field) in ours and value != before[ref].get(field) and field not in json.loads(echoes)
    ]


def _forget_sent(c: sa.Connection, cells: Sequence[tuple[str, str]]) -> None:
    """Whoever puts it back as we had it says so themselves: that is no echo any more."""
    s = schema.sent
    if cells:
        here = sa.and_(s.c.ref == sa.bindparam("of"), s.c.field == sa.bindparam("name"))
        forget = sa.update(s).where(here).values(value=None, intended=None)
        c.execute(forget, [{"of": ref, "name": name} for ref, name in cells])


def _news(rows: pa.Table, prior: pa.Table) -> pa.Table:
    """The rows that say something else than before."""
    if not prior.num_rows:
        return rows
    before = dict(zip(prior.column("ref").to_pylist(), _rows(prior, _TOLD), strict=True))
    said = zip(rows.column("ref").to_pylist(), _rows(rows, _TOLD), strict=True)
    return rows.filter(pa.array([before.get(ref) != now for ref, now in said], pa.bool_()))


def _rows(table: pa.Table, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(table.column(n).to_pylist() for n in columns), strict=True)


def _note_unmapped(hub: Hub, system: str, stream: Stream, source: str) -> None:
    """Which fields nobody mapped, seen in a sample of the latest records."""
    if stream.nested:
        return
    with hub.store.read() as c:
        query = sa.select(schema.raw.c.body).where(schema.raw.c.system == system, schema.raw.c.stream == source)
        latest = c.execute(query.order_by(schema.raw.c.seq.desc()).limit(step.SAMPLE)).scalars().all()
    nested = [s.nested.path for s in hub.connectors[system].streams if s.nested and s.nested.of == stream.name]
    mapped = [path for where in stream.fields.values() for path in where.paths]
    paths: Sequence[str] = [path for path in (*mapped, *nested, stream.key, stream.updated) if path]
    found = step.unmapped((b.decode("utf-8", "replace") for b in latest if b), paths)
    with hub.store.write() as c:
        bulk.upsert(c, schema.facts, ("key", "value"), [(f"unmapped:{system}/{stream.name}", step.as_json(found))])

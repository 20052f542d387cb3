"""Refine: raw records → canonical fields, by the field map, as a set.

    raw slice ─▶ paths out of the JSON ─▶ cells (ref, field, text) ─▶ distinct values cleaned once ─▶ one row a ref

What can't be cleaned keeps its raw value, with the reason as a problem; nothing is dropped. Each cell knows since when
it has its value: the record's own time of the version in which the value last changed, so that a write to another
field does not make it look fresh. A value equal to what we last wrote there, or what a system that keeps less has left
of it, is marked an echo: it is no evidence, and `own` keeps what the system itself said last. One that we saw somebody
change to, between two pulls, is marked an edit.

Everything here takes Arrow tables and gives one back; reading and keeping them is `omnihub.flow`'s business.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.engine import connection
from omnihub.fields.worn import worn
from omnihub.model import ENTITIES, Kind
from omnihub.refine.first import NOT_JSON, first_sight
from omnihub.refine.paths import in_order, json_path, plain_paths, pointer_of, texts
from omnihub.refine.values import EXCERPT, LOCAL, cleaned
from omnihub.sdk import Codes, Const, FieldMap, FullName, Link, Path, Share, Stream

SAMPLE = 200  # records looked at for fields nobody mapped

VERSIONS = pa.schema(
    [
        ("ref", pa.string()),
        ("seq", pa.int64()),
        ("body", pa.string()),
        ("updated", pa.string()),
        ("deleted", pa.bool_()),
        ("landed_at", pa.string()),
    ]
)
"""What `refine` takes: versions of records of one stream. `body` is JSON text, empty for a deletion without one."""

PRIOR = pa.schema(
    [
        ("ref", pa.string()),
        ("parent", pa.string()),
        ("deleted", pa.bool_()),
        ("fields", pa.string()),
        ("times", pa.string()),
        ("edits", pa.string()),
        ("own", pa.string()),
    ]
)
"""What was refined before of the same refs (for nested streams: of the same parents)."""

SENT = pa.schema([("ref", pa.string()), ("field", pa.string()), ("value", pa.string()), ("written", pa.bool_())])
"""What we last wrote to these refs, and what was about to be written (`written` false)."""


ROWS = pa.schema(
    [(name, pa.string()) for name in ("ref", "parent", "pointer")]
    + [("raw_seq", pa.int64()), ("deleted", pa.bool_()), ("updated", pa.string())]
    + [(name, pa.string()) for name in ("fields", "times", "echoes", "edits", "own", "problems")]
)
"""What `refine` gives back: one row a ref; the last six are JSON as text."""


def refine(
    system: str, stream: Stream, versions: pa.Table, prior: pa.Table, sent: pa.Table, country: str | None = None
) -> pa.Table:
    """The canonical rows of one stream's versions, the latest of each ref.

    versions, prior, sent: see the schemas above; for a nested stream `versions` are its parent's. country: where the
    system's records are at home, for phone numbers without a country of their own.
    Returns rows as `ROWS` has them, by ref.
    """
    con = connection()
    try:
        for name, table in (("versions", versions), ("prior", prior), ("sent", sent)):
            con.register(name, table)
        _cut(con, system, stream)
        told_of = _told_of(con)
        found = [first_sight(con, system, stream, country)]
        if told_of:
            _extract(con, system, stream)
            _clean(con, country)
            _history(con)
            found.append(con.sql(_ROWS, params={"not_json": NOT_JSON}).to_arrow_table())
        return pa.concat_tables(t.cast(ROWS) for t in found).sort_by("ref")
    finally:
        con.close()


def _told_of(con: duckdb.DuckDBPyConnection) -> bool:
    """Part what is `shown` into `pieces` with a history and those at first `sighted`. Are there any of the former?"""
    con.execute(
        """CREATE TEMP TABLE told_of AS
           SELECT ref FROM shown GROUP BY ref HAVING count(*) > 1
           UNION SELECT ref FROM prior UNION SELECT ref FROM sent"""
    )
    if not con.sql("SELECT 1 FROM told_of LIMIT 1").fetchall():
        con.execute("CREATE TEMP VIEW sighted AS FROM shown")
        return False
    con.execute(
        """CREATE TEMP VIEW sighted AS FROM shown ANTI JOIN told_of USING (ref);
           CREATE TEMP TABLE pieces AS FROM shown SEMI JOIN told_of USING (ref)"""
    )
    return True


# -- records -------------------------------------------------------------------------------------------------------


def _cut(con: duckdb.DuckDBPyConnection, system: str, stream: Stream) -> None:
    """`shown`: one row a version of a record of this stream, with the body its fields are in."""
    con.execute(
        """CREATE TEMP TABLE whole AS
           SELECT ref, seq, landed_at, updated, deleted, CASE WHEN valid THEN body ELSE '{}' END AS body,
                  body <> '' AND NOT valid AS broken
           FROM (SELECT *, json_valid(body) AS valid FROM versions)"""
    )
    _mend(con)
    if stream.nested is None:
        con.execute(
            """CREATE TEMP VIEW shown AS
               SELECT ref, NULL::VARCHAR AS parent, '' AS pointer, seq, landed_at, updated, deleted, broken, body,
                      body AS outer_body
               FROM whole"""
        )
        return
    con.execute(
        """CREATE TEMP TABLE shown AS
           WITH parts AS (
               SELECT ref AS parent, seq, landed_at, updated, deleted, broken, body AS outer_body,
                      unnest(from_json(coalesce(json_extract(body, $path), '[]'), '["JSON"]')) AS piece,
                      generate_subscripts(from_json(coalesce(json_extract(body, $path), '[]'), '["JSON"]'), 1) - 1
                          AS place
               FROM whole WHERE NOT deleted)
           SELECT $prefix || replace(json_extract_string(piece, $key), chr(0), '') AS ref, parent,
                  $pointer || '/' || place AS pointer, seq, landed_at, updated, deleted, broken,
                  piece::VARCHAR AS body, outer_body
           FROM parts WHERE json_extract_string(piece, $key) IS NOT NULL
           QUALIFY row_number() OVER (PARTITION BY ref, seq ORDER BY place) = 1  -- named twice, it is one""",
        {
            "path": json_path(stream.nested.path),
            "key": json_path(stream.key),
            "prefix": f"{system}/{stream.name}/",
            "pointer": pointer_of(stream.nested.path),
        },
    )
    # A child that later versions of its parent no longer show is gone, known before or come and gone in here.
    con.execute(
        """INSERT INTO shown
           WITH children AS (
               SELECT ref, arg_max(parent, seq) AS parent, max(seq) AS seq
               FROM (SELECT ref, parent, 0 AS seq FROM prior WHERE NOT deleted
                     UNION ALL SELECT ref, parent, seq FROM shown)
               GROUP BY ref),
           gone AS (
               SELECT children.ref, children.parent, min(whole.seq) AS seq
               FROM children JOIN whole ON whole.ref = children.parent AND whole.seq > children.seq GROUP BY ALL)
           SELECT gone.ref, gone.parent, '', seq, landed_at, updated, true, false, '{}', '{}'
           FROM gone JOIN whole USING (seq)"""
    )


def _mend(con: duckdb.DuckDBPyConnection) -> None:
    """Half an emoji, as systems leave it that cut texts by length, is no JSON to DuckDB: it becomes a sign."""
    broken = con.sql("SELECT ref, seq, versions.body FROM whole JOIN versions USING (ref, seq) WHERE broken").fetchall()
    for ref, seq, body in broken:
        try:
            mended = json.dumps(json.loads(body), ensure_ascii=False).encode("utf-16", "surrogatepass")
        except (ValueError, RecursionError):
            continue
        con.execute(
            "UPDATE whole SET body = $body, broken = NOT json_valid($body) WHERE ref = $ref AND seq = $seq",
            {"body": mended.decode("utf-16", "replace"), "ref": ref, "seq": seq},
        )


# -- cells ---------------------------------------------------------------------------------------------------------


def _extract(con: duckdb.DuckDBPyConnection, system: str, stream: Stream) -> None:
    """The table `cells`: one row a version and field, with the text found at the field's path."""
    mapped = stream.fields
    wanted = in_order([(name, where) for name, where in mapped.items() if not isinstance(where, Const)])
    inner = [(n, w) for n, w in wanted if not w.path.startswith("^")]
    outer = [(n, w) for n, w in wanted if w.path.startswith("^")]
    found, around = [w for _, w in inner], [w for _, w in outer]
    con.execute(
        f"""CREATE TEMP TABLE picked AS
            SELECT *, {texts("body", "inner", found, system)}
                      || {texts("outer_body", "outer", around, system)} AS texts FROM pieces
            WHERE NOT deleted""",
        {"inner": plain_paths(found), "outer": plain_paths(around)},
    )
    places = [(n, w, i) for i, (n, w) in enumerate(inner, 1)]
    places += [(n, w, i) for i, (n, w) in enumerate(outer, max(1, len(inner)) + 1)]
    con.register("places", _places(system, stream, mapped, places))
    con.register("codes", _codes(mapped))
    con.execute(
        """CREATE TEMP TABLE cells AS
           SELECT ref, seq, field, kind, part,
                  CASE WHEN text IS NULL OR text IN ('', 'null') OR codes.canonical = '' THEN NULL
                       WHEN kind = 'link' THEN places.prefix || replace(text, chr(0), '')
                       ELSE coalesce(codes.canonical, places.otherwise, text) END AS text,
                  coalesce(codes.canonical, places.otherwise) IS NOT NULL OR kind = 'link' AS settled
           FROM (SELECT ref, seq, places.*, CASE WHEN place = 0 THEN constant ELSE texts[place] END AS text
                 FROM picked, places) AS places
           LEFT JOIN codes ON codes.name = places.field AND codes.native = text"""
    )
    con.execute("UPDATE cells SET text = NULL, settled = true WHERE settled AND text = ''")
    _cut_names(con)


def _cut_names(con: duckdb.DuckDBPyConnection) -> None:
    """A name kept as one text is cut where we put the two halves together ourselves.

    "Gabriel García Márquez" that we wrote comes back as Gabriel | García Márquez, whatever a guess would say; else our
    own write would look like somebody's edit and travel on. Such a text has one part from here on, and no guess.
    """
    con.execute(
        """CREATE TEMP TABLE cuts AS
           SELECT ref, seq, text, max(size) FILTER (fits AND part = 'last') AS last,
                  max(size) FILTER (fits AND part = 'first') AS first
           FROM (SELECT cells.ref, cells.seq, text, part, length(value) AS size,
                        coalesce(written, true) AS written,
                        CASE part WHEN 'last' THEN lower(right(' ' || text, length(value) + 1)) = lower(' ' || value)
                                  ELSE lower(left(text || ' ', length(value) + 1)) = lower(value || ' ') END AS fits
                 FROM cells JOIN sent ON sent.ref = cells.ref AND sent.field = cells.field
                 WHERE kind = 'name' AND part <> '' AND text IS NOT NULL AND value <> '')
           -- Where it is not known that we ever wrote it, one half alone may just happen to stand in their own text.
           GROUP BY ref, seq, text
           HAVING bool_or(fits AND written) OR count(DISTINCT part) FILTER (fits) = count(DISTINCT part)"""
    )
    con.execute(
        """UPDATE cells
           SET part = '',
               text = trim(CASE WHEN cells.part = 'last' AND last IS NOT NULL THEN right(cells.text, last)
                                WHEN cells.part = 'last' THEN substr(cells.text, first + 1)
                                WHEN last IS NOT NULL THEN left(cells.text, greatest(0, length(cells.text) - last))
                                ELSE left(cells.text, first) END)
           FROM cuts
           WHERE cuts.ref = cells.ref AND cuts.seq = cells.seq AND cuts.text = cells.text
             AND cells.kind = 'name' AND cells.part <> ''"""
    )


def _places(system: str, stream: Stream, mapped: FieldMap, places: Sequence[tuple[str, Path, int]]) -> pa.Table:
    known = ENTITIES[stream.entity]
    rows = [_place(system, name, where, n, known[name].kind) for name, where, n in places]
    rows += [
        _place(system, name, where, 0, known[name].kind) for name, where in mapped.items() if isinstance(where, Const)
    ]
    names = ("field", "kind", "part", "place", "prefix", "otherwise", "constant")
    kinds = (pa.string(), pa.string(), pa.string(), pa.int64(), pa.string(), pa.string(), pa.string())
    return pa.table({n: pa.array([r[i] for r in rows], k) for i, (n, k) in enumerate(zip(names, kinds, strict=True))})


def _place(system: str, name: str, where: Path, place: int, kind: Kind) -> tuple[Any, ...]:
    return (
        name,
        kind.value,
        where.part if isinstance(where, FullName | Share) else "",
        place,
        f"{system}/{where.stream}/" if isinstance(where, Link) else "",
        where.otherwise if isinstance(where, Codes) else None,
        where.value if isinstance(where, Const) else None,
    )


def _codes(mapped: FieldMap) -> pa.Table:
    rows = [
        (n, native, canonical)
        for n, w in mapped.items()
        if isinstance(w, Codes)
        for native, canonical in w.codes.items()
    ]
    rows += [(n, w.nobody, "") for n, w in mapped.items() if isinstance(w, Link) and w.nobody]
    return pa.table(
        {n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(("name", "native", "canonical"))}
    )


# -- values --------------------------------------------------------------------------------------------------------


def _clean(con: duckdb.DuckDBPyConnection, country: str | None) -> None:
    """The table `cleaned`: the cells with canonical values. Each distinct value is cleaned once."""
    con.register(
        "homes",
        _cleaned(
            con.sql(
                "SELECT DISTINCT kind, part, NULL AS home, text FROM cells WHERE kind = 'country' AND text IS NOT NULL"
            )
        ),
    )
    con.execute(
        f"""CREATE TEMP TABLE homed AS
            SELECT cells.*, CASE WHEN cells.kind IN ({", ".join(f"'{k}'" for k in sorted(LOCAL))})
                                 THEN coalesce(CASE WHEN ours.ref IS NULL THEN home.value ELSE ours.own END, $country)
                                 END AS home
            FROM cells
            LEFT JOIN (SELECT ref, seq, any_value(homes.value) AS value FROM cells JOIN homes USING (kind, text)
                       WHERE kind = 'country' GROUP BY ref, seq) AS home USING (ref, seq)
            -- A country we wrote does not move the local numbers beside it abroad: theirs still says where those are.
            LEFT JOIN (SELECT sent.ref, sent.value, coalesce(json_extract_string(any_value(prior.own), '$.country'),
                              json_extract_string(any_value(prior.fields), '$.country')) AS own
                       FROM sent LEFT JOIN prior USING (ref) WHERE sent.field = 'country'
                       GROUP BY sent.ref, sent.value) AS ours
              ON ours.ref = cells.ref AND ours.value = home.value""",
        {"country": country},
    )
    con.register(
        "values",
        _cleaned(con.sql("SELECT DISTINCT kind, part, home, text FROM homed WHERE text IS NOT NULL AND NOT settled")),
    )
    con.execute(  # no database takes every control character
        f"""CREATE TEMP TABLE cleaned AS
            SELECT ref, seq, field, CASE WHEN settled THEN homed.text ELSE v.value END AS value, v.problem,
                   CASE WHEN v.problem IS NOT NULL
                        THEN regexp_replace(left(homed.text, {EXCERPT}), '[[:cntrl:]]', '\ufffd', 'g') END AS excerpt
            FROM homed LEFT JOIN "values" AS v
              ON NOT settled AND v.kind = homed.kind AND v.part = homed.part AND v.text = homed.text
             AND v.home IS NOT DISTINCT FROM homed.home"""
    )


def _cleaned(distinct: duckdb.DuckDBPyRelation) -> pa.Table:
    """kind, part, home, text → value, problem."""
    table = distinct.to_arrow_table()
    texts = zip(*(table.column(n).to_pylist() for n in ("kind", "part", "home", "text")), strict=True)
    found = [cleaned(Kind(kind), part, home, text) for kind, part, home, text in texts]
    return table.append_column("value", pa.array([value for value, _ in found], pa.string())).append_column(
        "problem", pa.array([problem for _, problem in found], pa.string())
    )


# -- rows ----------------------------------------------------------------------------------------------------------


def _history(con: duckdb.DuckDBPyConnection) -> None:
    """The table `now`: each ref's present cells, with the time since when they are so, and whether they are echoes."""
    stamps = con.sql("SELECT DISTINCT updated AS text FROM pieces WHERE updated IS NOT NULL").to_arrow_table()
    con.register("stamps", _stamped(stamps.column("text").to_pylist()))
    con.execute(
        """CREATE TEMP TABLE moments AS
           SELECT ref, seq, landed_at, deleted, stamps.value AS updated,
                  row_number() OVER (PARTITION BY pieces.ref ORDER BY seq) = 1
                  AND NOT EXISTS (SELECT 1 FROM prior WHERE prior.ref = pieces.ref) AS first_seen
           FROM pieces LEFT JOIN stamps ON stamps.text = pieces.updated"""
    )
    _liken(con)
    con.execute(
        """CREATE TEMP TABLE now AS
           WITH before AS (
               SELECT ref, field, json_extract_string(fields, '$."' || field || '"') AS value,
                      json_extract_string(times, '$."' || field || '"') AS time,
                      coalesce(json_contains(edits, '"' || field || '"'), false) AS seen,
                      coalesce(json_exists(own, '$."' || field || '"'), false) AS ours,
                      json_extract_string(own, '$."' || field || '"') AS own
               FROM (SELECT ref, fields, times, edits, own, unnest(json_keys(fields)) AS field FROM prior)),
           history AS (
               SELECT ref, 0 AS seq, field, value, time, seen, ours, CASE WHEN ours THEN own ELSE value END AS own
               FROM before
               UNION ALL
               -- A system without times of change: the first sight says nothing, a change seen by us says when.
               SELECT ref, seq, field, value, coalesce(updated, CASE WHEN first_seen THEN '' ELSE landed_at END),
                      NOT first_seen, NULL, value
               FROM cleaned JOIN moments USING (ref, seq)),
           runs AS (
               SELECT history.*, coalesce(likes.sent, false) AS sent, coalesce(likes.worn, false) AS worn,
                      history.value IS DISTINCT FROM lag(history.value) OVER w OR row_number() OVER w = 1 AS fresh,
                      -- What was whole, or more than this, was there already: somebody has shortened it since.
                      coalesce(lag(likes.sent) OVER w OR (lag(likes.worn) OVER w
                               AND lag(length(history.value)) OVER w > length(history.value)), false) AS shortened
               FROM history LEFT JOIN likes
                 ON likes.ref = history.ref AND likes.field = history.field AND likes.value = history.value
               WINDOW w AS (PARTITION BY history.ref, history.field ORDER BY seq)),
           spans AS (
               SELECT *, sent OR (worn AND last_value(CASE WHEN fresh THEN coalesce(ours, NOT shortened) END
                                                      IGNORE NULLS) OVER so_far) AS echo
               FROM runs
               WINDOW so_far AS (PARTITION BY ref, field ORDER BY seq ROWS UNBOUNDED PRECEDING)),
           last AS (
               SELECT ref, field, arg_max_null(value, seq) AS present, max_by(time, seq) FILTER (fresh) AS time,
                      max_by(seen, seq) FILTER (fresh) AS seen, max_by(echo, seq) AS echo,
                      arg_max_null(own, seq) FILTER (seq = 0 OR NOT echo) AS own
               FROM spans GROUP BY ref, field)
           SELECT ref, field, present AS value, time, seen, own, echo FROM last WHERE present IS NOT NULL"""
    )


def _liken(con: duckdb.DuckDBPyConnection) -> None:
    """The table `likes`: values where we wrote something; whether they are what was sent, or what is left of it."""
    con.execute(
        """CREATE TEMP TABLE said AS
           SELECT DISTINCT told.ref, told.field, told.value, sent.value AS whole, places.kind
           FROM (SELECT ref, field, value FROM cleaned WHERE value IS NOT NULL
                 UNION
                 SELECT ref, field, json_extract_string(fields, '$."' || field || '"')
                 FROM (SELECT ref, fields, unnest(json_keys(fields)) AS field FROM prior)) AS told
           JOIN sent ON sent.ref = told.ref AND sent.field = told.field
           JOIN places ON places.field = told.field"""
    )
    distinct = con.sql("SELECT DISTINCT kind, whole, value FROM said WHERE kind <> 'link'").to_arrow_table()
    told = list(zip(*(distinct.column(n).to_pylist() for n in ("kind", "whole", "value")), strict=True))
    same = [fields.same(Kind(kind), whole, value) for kind, whole, value in told]
    less = [worn(Kind(kind), whole, value) for kind, whole, value in told]
    con.register(
        "likeness",
        distinct.append_column("same", pa.array(same, pa.bool_())).append_column("worn", pa.array(less, pa.bool_())),
    )
    con.execute(
        """CREATE TEMP TABLE likes AS
           SELECT ref, field, value, bool_or(lower(whole) = lower(value) OR coalesce(same, false)) AS sent,
                  bool_or(coalesce(worn, false)) AS worn
           FROM said LEFT JOIN likeness USING (kind, whole, value) GROUP BY ref, field, value"""
    )


def _stamped(texts: Iterable[str]) -> pa.Table:
    rows = [(text, cleaned(Kind.TIME, "", None, text)[0]) for text in texts]
    return pa.table({n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(("text", "value"))})


_ROWS = """
WITH latest AS (
    SELECT ref, max(seq) AS seq FROM pieces GROUP BY ref),
here AS (
    SELECT p.ref, p.parent, p.pointer, p.seq AS raw_seq, p.deleted, p.broken, m.updated
    FROM pieces AS p JOIN latest ON latest.ref = p.ref AND latest.seq = p.seq
    JOIN moments AS m ON m.ref = p.ref AND m.seq = p.seq),
facts AS (
    SELECT ref, to_json(map_from_entries(list((field, value) ORDER BY field))) AS fields,
           to_json(map_from_entries(list((field, time) ORDER BY field))) AS times,
           to_json(list(field ORDER BY field) FILTER (echo)) AS echoes,
           to_json(list(field ORDER BY field) FILTER (seen AND NOT echo)) AS edits,
           to_json(map_from_entries(list((field, own) ORDER BY field) FILTER (echo))) AS own
    FROM now GROUP BY ref),
troubles AS (
    SELECT c.ref, to_json(map_from_entries(list((c.field, [c.problem, c.excerpt]) ORDER BY c.field))) AS problems
    FROM cleaned AS c JOIN latest USING (ref, seq) WHERE c.problem IS NOT NULL GROUP BY c.ref)
SELECT here.ref, here.parent, here.pointer, here.raw_seq, here.deleted, here.updated,
       coalesce(facts.fields::VARCHAR, '{}') AS fields, coalesce(facts.times::VARCHAR, '{}') AS times,
       CASE WHEN here.deleted THEN '[]' ELSE coalesce(facts.echoes::VARCHAR, '[]') END AS echoes,
       coalesce(facts.edits::VARCHAR, '[]') AS edits, coalesce(facts.own::VARCHAR, '{}') AS own,
       CASE WHEN here.deleted THEN '{}'
            WHEN here.broken THEN $not_json
            ELSE coalesce(troubles.problems::VARCHAR, '{}') END AS problems
FROM here
LEFT JOIN facts ON facts.ref = here.ref
LEFT JOIN troubles ON troubles.ref = here.ref
ORDER BY here.ref
"""


# -- drift ---------------------------------------------------------------------------------------------------------


def unmapped(bodies: Iterable[str], mapped: Iterable[str]) -> dict[str, int]:
    """Paths of the records that no field map reads, with how many of the records looked at have them.

    >>> unmapped(['{"id": 1, "a": {"b": 2, "c": 3}}'], ["id", "a.b"])
    {'a.c': 1}
    """
    read = {p.lstrip("^") for p in mapped}
    parents = {p.rsplit(".", n)[0] for p in read for n in range(1, p.count(".") + 1)}
    found: Counter[str] = Counter()
    for n, body in enumerate(bodies):
        if n >= SAMPLE:
            break
        try:
            found.update(set(_leaves(json.loads(body), "", read, parents)))
        except (ValueError, RecursionError):
            continue
    return dict(sorted(found.items()))


def _leaves(value: Any, path: str, read: set[str], parents: set[str]) -> Iterable[str]:
    if path in read:
        return
    if isinstance(value, Mapping) and (not path or path in parents):
        for name, below in value.items():
            yield from _leaves(below, f"{path}.{name}" if path else name, read, parents)
    elif isinstance(value, list) and path in parents:
        for place, below in enumerate(value[:3]):
            every = f"{path}.*"
            yield from _leaves(below, every if every in read | parents else f"{path}.{place}", read, parents)
    elif path:
        yield path


def as_json(value: Any) -> str:
    """Stable JSON text, for keeping and comparing."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

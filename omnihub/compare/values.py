"""Golden record against what each system holds, field by field."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.engine import connection
from omnihub.model import ENTITIES, Entity, Kind

GOLDENS = pa.schema([("golden_id", pa.string()), ("fields", pa.string()), ("lineage", pa.string())])
MEMBERS = pa.schema(
    [
        ("golden_id", pa.string()),
        ("ref", pa.string()),
        ("system", pa.string()),
        ("stream", pa.string()),
        ("fields", pa.string()),
    ]
)
HELD = pa.schema([("system", pa.string()), ("stream", pa.string()), ("field", pa.string()), ("joined", pa.bool_())])
"""Which fields each stream holds (its field map), and so can differ in. `joined`: it keeps the name as one text, so
where first ends and last begins is a guess, and no difference while the whole is the same."""

ROWS = pa.schema(
    [
        ("ref", pa.string()),
        ("entity", pa.string()),
        ("system", pa.string()),
        ("stream", pa.string()),
        ("fields", pa.string()),
        ("problems", pa.string()),
    ]
)

DIFFERENCES = ("ref", "field", "system", "stream", "golden_id", "theirs", "ours", "winner", "rule")
FINDINGS = ("kind", "entity", "system", "ref", "field", "golden_id", "theirs", "expected", "detail")


def values(entity: Entity, goldens: pa.Table, members: pa.Table, held: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(differences, findings) of the golden records given, against all their members.

    A difference is a field where a system has another value than the golden record, or none where the golden record
    has one. Findings are those a person should know: another value, a second record of the same customer in one
    system, a permission held against a no.
    """
    con = connection()
    try:
        for name, table in (("goldens", goldens), ("members", members), ("held", held), ("kinds", _kinds(entity))):
            con.register(name, table)
        con.execute(_SIDE_BY_SIDE)
        con.register("same_keys", _same_keys(con))
        con.execute(_DIFFER)
        differences = con.sql(
            """SELECT ref, field, system, stream, golden_id, theirs, ours, winner, rule FROM differ
               WHERE kind NOT IN ('link', 'consent') AND unit <> 'consent' ORDER BY ref, field"""
        )
        found = con.sql(_FOUND.replace("$entity", f"'{entity.value}'"))
        return differences.to_arrow_table(), found.to_arrow_table()
    finally:
        con.close()


def _kinds(entity: Entity) -> pa.Table:
    known = ENTITIES[entity].values()
    return pa.table(
        {
            "field": pa.array([f.name for f in known], pa.string()),
            "kind": pa.array([f.kind.value for f in known], pa.string()),
            "unit": pa.array([f.group or f.name for f in known], pa.string()),
        }
    )


def _same_keys(con: duckdb.DuckDBPyConnection) -> pa.Table:
    distinct = con.sql(
        """SELECT kind, ours AS value FROM sides WHERE kind <> 'link'
           UNION SELECT kind, theirs FROM sides WHERE theirs IS NOT NULL AND kind <> 'link'"""
    ).to_arrow_table()
    pairs = zip(distinct.column("kind").to_pylist(), distinct.column("value").to_pylist(), strict=True)
    return distinct.append_column("same", pa.array([fields.same_key(Kind(k), v) for k, v in pairs], pa.string()))


# Only values a golden record has are compared: the hub never plans to empty a field.
_SIDE_BY_SIDE = """
CREATE TEMP TABLE sides AS
WITH ours AS (
    SELECT golden_id, unnest(map_entries(fields::JSON::MAP(VARCHAR, VARCHAR)), recursive := true),
           lineage FROM goldens),
cells AS (
    SELECT golden_id, key AS field, value AS ours,
           json_extract_string(lineage, '$."' || key || '".ref') AS winner,
           json_extract_string(lineage, '$."' || key || '".rule') AS rule
    FROM ours)
SELECT m.golden_id, m.ref, m.system, m.stream, c.field, k.kind, k.unit, c.ours, c.winner, c.rule,
       json_extract_string(m.fields, '$."' || c.field || '"') AS theirs, coalesce(h.joined, false) AS joined
FROM members AS m JOIN cells AS c ON c.golden_id = m.golden_id
JOIN held AS h ON h.system = m.system AND h.stream = m.stream AND h.field = c.field
JOIN kinds AS k ON k.field = c.field
"""

_DIFFER = """
CREATE TEMP TABLE differ AS
WITH joined_names AS (
    SELECT ref FROM sides WHERE joined GROUP BY ref
    HAVING lower(string_agg(theirs, ' ' ORDER BY field)) = lower(string_agg(ours, ' ' ORDER BY field)))
SELECT s.* FROM sides AS s
LEFT JOIN same_keys AS o ON o.kind = s.kind AND o.value = s.ours
LEFT JOIN same_keys AS t ON t.kind = s.kind AND t.value = s.theirs
WHERE s.kind <> 'link' AND (s.theirs IS NULL OR o.same <> t.same)
  AND NOT (s.joined AND s.ref IN (SELECT ref FROM joined_names))
"""

_FOUND = """
SELECT CASE WHEN kind = 'consent' THEN 'consent_conflict'
            WHEN $entity = 'product' THEN 'product_differs' ELSE 'value_differs' END AS kind,
       $entity AS entity, system, ref, field,
       golden_id, theirs, ours AS expected, json_object('winner', winner, 'rule', rule)::VARCHAR AS detail
FROM differ
WHERE theirs IS NOT NULL
  AND (unit <> 'consent' OR (kind = 'consent' AND theirs = 'yes' AND ours = 'no'))
  -- The catalog judges these in their context.
  AND NOT ($entity = 'product' AND field IN ('status', 'price', 'currency', 'sku'))
UNION ALL
SELECT 'duplicate', $entity, system, ref, '', golden_id, NULL, first,
       json_object('same_as', first)::VARCHAR
FROM (SELECT *, min(ref) OVER (PARTITION BY golden_id, system, stream) AS first FROM members)
WHERE ref <> first AND $entity <> 'product'  -- the catalog tells of a SKU that is there twice
ORDER BY 1, 4, 5
"""


def problems(rows: pa.Table) -> pa.Table:
    """Findings for values that could not be cleaned."""
    con = connection()
    try:
        con.register("rows", rows)
        return con.sql(
            """SELECT 'value_invalid' AS kind, entity, system, ref, field, NULL::VARCHAR AS golden_id,
                      json_extract_string(problems, '$."' || field || '"[1]') AS theirs, NULL::VARCHAR AS expected,
                      json_object('why', json_extract_string(problems, '$."' || field || '"[0]'))::VARCHAR AS detail
               FROM (SELECT *, unnest(json_keys(problems)) AS field FROM rows WHERE problems <> '{}')
               ORDER BY ref, field"""
        ).to_arrow_table()
    finally:
        con.close()


def broken_links(rows: pa.Table, links: pa.Table, living: pa.Table, streams: pa.Table) -> pa.Table:
    """Findings for links to records that are not there.

    rows: living records. links: (entity, field) that are links. living: (ref) of those of their targets that are
    there. streams: (stream), as `system/stream`, that were read at all; others are not judged.
    """
    con = connection()
    try:
        for name, table in (("rows", rows), ("links", links), ("living", living), ("streams", streams)):
            con.register(name, table)
        return con.sql(
            """WITH told AS (
                   SELECT r.*, l.field, json_extract_string(r.fields, '$."' || l.field || '"') AS target
                   FROM rows AS r JOIN links AS l ON l.entity = r.entity)
               SELECT 'orphan_link' AS kind, entity, system, ref, field, NULL::VARCHAR AS golden_id, target AS theirs,
                      NULL::VARCHAR AS expected, '{}' AS detail
               FROM told
               WHERE target IS NOT NULL AND target NOT IN (SELECT ref FROM living)
                 AND split_part(target, '/', 1) || '/' || split_part(target, '/', 2) IN (SELECT stream FROM streams)
               ORDER BY ref, field"""
        ).to_arrow_table()
    finally:
        con.close()

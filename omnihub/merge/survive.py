"""Survivorship as a set: every golden cell of the given members, decided at once."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.engine import connection
from omnihub.merge.rules import Rules
from omnihub.model import ENTITIES, Entity, Kind

MEMBERS = pa.schema(
    [
        ("golden_id", pa.string()),
        ("ref", pa.string()),
        ("system", pa.string()),
        ("raw_seq", pa.int64()),
        ("fields", pa.string()),
        ("times", pa.string()),
        ("echoes", pa.string()),
        ("edits", pa.string()),
    ]
)
LINKS = pa.schema([("ref", pa.string()), ("golden_id", pa.string())])
PINS = pa.schema([("golden_id", pa.string()), ("field", pa.string()), ("value", pa.string())])

FOREIGN = 0.2  # a name in other letters than Latin, beside 1 for one every system can print and search
UNTIMED = 0.05  # the weight of a value nobody can date, beside 1 for one set just now


def survive(entity: Entity, members: pa.Table, links: pa.Table, pins: pa.Table, rules: Rules) -> pa.Table:
    """golden_id, fields, lineage, members: one row per golden id in `members`, fields and lineage as JSON text.

    members: all living members of the golden ids to be merged. links: the golden id behind refs that link fields name.
    lineage: field → {ref, rule, raw_seq, time, losers: [{ref, value, time}]}.
    """
    con = connection()
    try:
        con.register("members", members)
        con.register("links", links)
        con.register("pins", pins)
        con.register("rules", _rules(entity, rules))
        con.register(
            "trust",
            pa.table(
                {
                    "system": pa.array(list(rules.trust), pa.string()),
                    "trust": pa.array(list(rules.trust.values()), pa.float64()),
                }
            ),
        )
        con.register("masters", pa.table({"system": pa.array(sorted(rules.masters), pa.string())}))
        con.execute(_CELLS)
        con.register("same_keys", _same_keys(con))
        con.execute(_WEIGHED.format(half_life=rules.half_life_days, untimed=UNTIMED, foreign=FOREIGN))
        con.execute(_BALLOTS)
        con.execute(_WINNERS)
        return con.sql(_GOLDEN).to_arrow_table()
    finally:
        con.close()


def _rules(entity: Entity, rules: Rules) -> pa.Table:
    known = ENTITIES[entity].values()
    return pa.table(
        {
            "field": pa.array([f.name for f in known], pa.string()),
            "kind": pa.array([f.kind.value for f in known], pa.string()),
            # What is decided together: a group of fields, or a field alone.
            "unit": pa.array([f.group or f.name for f in known], pa.string()),
            "rule": pa.array([rules.of(entity, f.name) for f in known], pa.string()),
        }
    )


def _same_keys(con: duckdb.DuckDBPyConnection) -> pa.Table:
    distinct = con.sql("SELECT DISTINCT kind, value FROM cells").to_arrow_table()
    kinds, values = distinct.column("kind").to_pylist(), distinct.column("value").to_pylist()
    made = [fields.same_key(Kind(k), v) if k != Kind.LINK else v for k, v in zip(kinds, values, strict=True)]
    return distinct.append_column("same", pa.array(made, pa.string()))


_CELLS = """
CREATE TEMP TABLE cells AS
WITH named AS (
    SELECT golden_id, ref, system, raw_seq, fields, times, echoes, edits, unnest(json_keys(fields)) AS field
    FROM members),
read AS (
    SELECT n.golden_id, n.ref, n.system, n.raw_seq, rules.*,
           json_extract_string(n.fields, '$."' || n.field || '"') AS text,
           nullif(json_extract_string(n.times, '$."' || n.field || '"'), '') AS time,
           json_contains(n.echoes, '"' || n.field || '"') AS echo,
           coalesce(json_contains(n.edits, '"' || n.field || '"'), false) AS edit
    FROM named AS n JOIN rules ON rules.field = n.field)
SELECT read.* EXCLUDE (text), CASE WHEN kind = 'link' THEN links.golden_id ELSE text END AS value
FROM read LEFT JOIN links ON kind = 'link' AND links.ref = read.text
WHERE kind <> 'link' OR links.golden_id IS NOT NULL
"""

# An echo is our own word come back; it speaks only where nobody else does.
_WEIGHED = """
CREATE TEMP TABLE weighed AS
WITH newest AS (
    SELECT golden_id, unit, max(time) AS time FROM cells WHERE NOT echo GROUP BY golden_id, unit)
SELECT c.*, s.same, c.system IN (SELECT system FROM masters) AS master,
       coalesce(t.trust, 1.0) * CASE WHEN c.time IS NULL THEN {untimed}
            ELSE greatest({untimed}, pow(0.5, greatest(0, date_diff('day', c.time::TIMESTAMP,
                          coalesce(n.time, c.time)::TIMESTAMP)) / {half_life})) END
           * CASE WHEN c.kind = 'name' AND regexp_matches(c.value, '[^\\P{{L}}\\p{{Latin}}]')
                  THEN {foreign} ELSE 1 END AS weight
FROM cells AS c JOIN same_keys AS s ON s.kind = c.kind AND s.value = c.value
LEFT JOIN newest AS n ON n.golden_id = c.golden_id AND n.unit = c.unit
LEFT JOIN trust AS t ON t.system = c.system
"""

# One row a member and unit (a field, or a group that is never torn apart): what it says, and how much that counts.
# A group of which we wrote a part is our word, until somebody is seen to change it.
_BALLOTS = """
CREATE TEMP TABLE ballots AS
WITH units AS (
    SELECT golden_id, unit, ref, any_value(rule) AS rule, bool_or(master) AS master,
           bool_or(echo) AND NOT coalesce(max(time) FILTER (edit) > max(time) FILTER (echo), false) AS echo,
           string_agg(field || '=' || same, '|' ORDER BY field) AS says, count(*) AS filled,
           avg(weight) AS weight, max(time) AS time, max(time) FILTER (edit) AS edited,
           bool_or(kind = 'consent' AND value = 'no') AS says_no
    FROM weighed GROUP BY golden_id, unit, ref),
fullest AS (
    SELECT golden_id, unit, max(filled) AS filled FROM units GROUP BY golden_id, unit),
heard AS (
    SELECT u.*, u.weight * u.filled / f.filled AS counts,
           sum(u.weight * u.filled / f.filled) FILTER (NOT u.echo)
               OVER (PARTITION BY golden_id, unit, u.says) AS support,
           sum(u.weight * u.filled / f.filled) OVER (PARTITION BY golden_id, unit, u.says) AS repeated
    FROM units AS u JOIN fullest AS f USING (golden_id, unit))
SELECT *, row_number() OVER (PARTITION BY golden_id, unit ORDER BY
           echo,
           rule = 'master' AND NOT master,
           rule = 'strictest' AND NOT says_no,
           CASE WHEN rule = 'recent' THEN time END DESC NULLS LAST,
           -- What we saw somebody change is their last word: old agreement among the others must not undo it.
           CASE WHEN rule = 'trusted' THEN edited END DESC NULLS LAST,
           CASE WHEN rule = 'strictest' THEN time END DESC NULLS LAST,
           -- Where only echoes are left, what most of them repeat: the one written last may be half a name.
           round(CASE WHEN echo THEN repeated ELSE support END, 6) DESC,
           time DESC NULLS LAST, round(counts, 6) DESC, says, ref) AS place
FROM heard
"""

_WINNERS = """
CREATE TEMP TABLE winners AS
SELECT w.golden_id, w.field, w.value, w.ref, w.rule, w.raw_seq, w.time
FROM weighed AS w JOIN ballots AS b ON b.golden_id = w.golden_id AND b.unit = w.unit AND b.ref = w.ref AND b.place = 1
WHERE NOT EXISTS (SELECT 1 FROM pins WHERE pins.golden_id = w.golden_id AND pins.field = w.field)
UNION ALL
SELECT golden_id, field, value, '', 'pin', NULL, NULL FROM pins
WHERE value IS NOT NULL AND golden_id IN (SELECT golden_id FROM members)
"""

_GOLDEN = """
WITH losers AS (
    SELECT w.golden_id, w.field, list({'ref': c.ref, 'value': c.value, 'time': c.time} ORDER BY c.ref) AS losers
    FROM winners AS w JOIN weighed AS c ON c.golden_id = w.golden_id AND c.field = w.field AND c.ref <> w.ref
    GROUP BY ALL),
cells AS (
    SELECT w.golden_id, w.field, w.value,
           {'ref': w.ref, 'rule': w.rule, 'raw_seq': w.raw_seq, 'time': w.time,
            'losers': coalesce(l.losers, [])} AS story
    FROM winners AS w LEFT JOIN losers AS l ON l.golden_id = w.golden_id AND l.field = w.field)
SELECT m.golden_id,
       coalesce(to_json(map_from_entries(list((c.field, c.value) ORDER BY c.field)
                        FILTER (c.field IS NOT NULL)))::VARCHAR, '{}') AS fields,
       coalesce(to_json(map_from_entries(list((c.field, c.story) ORDER BY c.field)
                        FILTER (c.field IS NOT NULL)))::VARCHAR, '{}') AS lineage,
       any_value(m.members) AS members
FROM (SELECT golden_id, count(*) AS members FROM members GROUP BY golden_id) AS m
LEFT JOIN cells AS c ON c.golden_id = m.golden_id
GROUP BY m.golden_id ORDER BY m.golden_id
"""

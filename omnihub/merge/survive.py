"""Survivorship as a set: every golden cell of the given members, decided at once."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from omnihub import fields
from omnihub.engine import connection
from omnihub.merge.rules import Rules
from omnihub.model import ENTITIES, Entity, Field, Kind

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

_STANDING = pa.schema(
    [
        ("system", pa.string()),
        ("n", pa.int32()),
        ("field", pa.string()),
        ("kind", pa.string()),
        ("unit", pa.int32()),
        ("alone", pa.bool_()),
        ("rule", pa.string()),
        ("half_life", pa.float64()),
        ("trust", pa.float64()),
        ("master", pa.bool_()),
        ("rank", pa.int32()),
    ]
)

FOREIGN = 0.2  # a name in other letters than Latin, beside 1 for one every system can print and search
INITIAL = 0.1  # "A." beside 1 for the name it begins: all agree with it, and nobody is called so
UNTIMED = 0.05  # the weight of a value nobody can date, beside 1 for one set just now


def survive(entity: Entity, members: pa.Table, links: pa.Table, pins: pa.Table, rules: Rules) -> pa.Table:
    """golden_id, fields, lineage, members: one row per golden id in `members`, fields and lineage as JSON text.

    members: all living members of the golden ids to be merged. links: the golden id behind refs that link fields name.
    lineage: field → {ref, rule, raw_seq, time, losers: [{ref, value, time, why}]}; the winner's value is the golden
    field itself, `why` is one of `rules.WHY`. Of a union, `ref` is the record that brings most of it.
    """
    known = sorted(ENTITIES[entity].values(), key=lambda f: f.name)
    con = connection()
    try:
        con.register("members", members)
        con.register("links", links)
        con.register("pins", pins)
        con.register("standing", _standing(entity, known, members, rules))
        con.execute(_PEOPLE.format(fields=_struct(known)))
        con.execute(_CELLS.format(cells=_unpacked(known)))
        con.register("same_keys", _same_keys(con, "cells"))
        con.execute(_WEIGHED.format(untimed=UNTIMED, foreign=FOREIGN, initial=INITIAL))
        con.execute(_BALLOTS)
        con.execute(_WINNERS)
        if any(rules.of(entity, f.name) == "union" for f in known):
            con.execute(_PARTS)
            con.register("part_keys", _same_keys(con, "parts"))
            con.execute(_UNITED)
        return con.sql(_GOLDEN).to_arrow_table()
    finally:
        con.close()


def _standing(entity: Entity, known: Sequence[Field], members: pa.Table, rules: Rules) -> pa.Table:
    """What the rules say of each field of each system. n is the field; unit what is decided together, a group of
    fields or a field alone; rank the place in the field's order of systems."""
    units = [f.group or f.name for f in known]
    of_field = [
        {
            "n": n,
            "field": f.name,
            "kind": f.kind.value,
            "unit": units.index(units[n]),
            "alone": not f.group,
            "rule": rules.of(entity, f.name),
            "half_life": rules.half_life(entity, f.name),
        }
        for n, f in enumerate(known)
    ]
    return pa.Table.from_pylist(
        [
            told
            | {
                "system": system,
                "trust": rules.trust_in(system, entity, f.name),
                "master": system in rules.masters,
                "rank": _rank(system, rules.orders.get((entity, f.name), ())),
            }
            for system in pc.unique(members.column("system")).to_pylist()
            for f, told in zip(known, of_field, strict=True)
        ],
        _STANDING,
    )


def _rank(system: str, order: Sequence[str]) -> int | None:
    return order.index(system) if system in order else None


def _struct(known: Sequence[Field]) -> str:
    """A JSON object of these fields, as DuckDB reads it in one go."""
    return "{" + ", ".join(f'"{f.name}": "VARCHAR"' for f in known) + "}"


def _unpacked(known: Sequence[Field]) -> str:
    """One struct a field, for `unnest`."""
    return ", ".join(
        f"""{{'n': {n}, 'text': said."{f.name}", 'time': since."{f.name}", 'echo': list_contains(echoes, '{f.name}'),
             'edit': list_contains(edits, '{f.name}')}}"""
        for n, f in enumerate(known)
    )


def _same_keys(con: duckdb.DuckDBPyConnection, of: str) -> pa.Table:
    distinct = con.sql(f"SELECT DISTINCT kind, value FROM {of}").to_arrow_table()
    kinds, values = distinct.column("kind").to_pylist(), distinct.column("value").to_pylist()
    made = [fields.same_key(Kind(k), v) if k != Kind.LINK else v for k, v in zip(kinds, values, strict=True)]
    return distinct.append_column("same", pa.array(made, pa.string()))


# g and m number golden records and members in the order of their ids and refs: figures are joined and sorted in a
# tenth of the time that the texts take.
_PEOPLE = """
CREATE TEMP TABLE goldens AS
SELECT golden_id, members, (row_number() OVER (ORDER BY golden_id))::INTEGER AS g
FROM (SELECT golden_id, count(*) AS members FROM members GROUP BY golden_id);
CREATE TEMP TABLE people AS
SELECT goldens.g, (row_number() OVER (ORDER BY ref))::INTEGER AS m, ref, to_json(ref)::VARCHAR AS ref_json,
       system, raw_seq, from_json(fields, '{fields}') AS said, from_json(times, '{fields}') AS since,
       from_json(echoes, '["VARCHAR"]') AS echoes, coalesce(from_json(edits, '["VARCHAR"]'), []) AS edits
FROM members JOIN goldens USING (golden_id)
"""

_CELLS = """
CREATE TEMP TABLE cells AS
WITH told AS (SELECT g, m, system, unnest([{cells}], recursive := true) FROM people)
SELECT told.* EXCLUDE (text, time, system), standing.* EXCLUDE (n, system), nullif(time, '') AS time,
       nullif(time, '')::TIMESTAMP AS moment, CASE WHEN kind = 'link' THEN links.golden_id ELSE text END AS value
FROM told JOIN standing USING (system, n) LEFT JOIN links ON kind = 'link' AND links.ref = text
WHERE text IS NOT NULL AND (kind <> 'link' OR links.golden_id IS NOT NULL)
"""

# An echo is our own word come back; it speaks only where nobody else does.
_WEIGHED = """
CREATE TEMP TABLE weighed AS
WITH newest AS (SELECT g, unit, max(moment) AS moment FROM cells WHERE NOT echo GROUP BY g, unit)
SELECT c.*, s.same,
       trust * CASE WHEN c.moment IS NULL THEN {untimed} ELSE greatest({untimed}, pow(0.5,
           greatest(0, date_diff('day', c.moment, coalesce(newest.moment, c.moment))) / half_life)) END AS weight,
       CASE WHEN c.kind <> 'name' THEN 1
            WHEN regexp_matches(c.value, '[^\\P{{L}}\\p{{Latin}}]') THEN {foreign}
            WHEN regexp_matches(c.value, '^\\p{{Latin}}\\.?([ -]\\p{{Latin}}\\.?)*$') THEN {initial} ELSE 1 END AS fit
FROM cells AS c JOIN same_keys AS s ON s.kind = c.kind AND s.value = c.value
LEFT JOIN newest ON newest.g = c.g AND newest.unit = c.unit
"""

# One row a member and unit (a field, or a group that is never torn apart): what it says, and how much that counts.
# A group of which we wrote a part is our word, until somebody is seen to change it: times are often to the second, and
# what happens between two pulls has one time, so an edit as old as our word came after it.
_BALLOTS = """
CREATE TEMP TABLE ballots AS
WITH parted AS (
    SELECT g, unit, m, any_value(rule) AS rule, bool_or(master) AS master, min(rank) AS rank,
           bool_or(echo) AND NOT coalesce(max(moment) FILTER (edit) >= max(moment) FILTER (echo), false) AS echo,
           array_to_string(list_sort(list(field || '=' || same)), '|') AS says, count(*) AS filled,
           sum(length(value)) AS long, avg(weight) * min(fit) AS weight, max(moment) AS moment,
           max(moment) FILTER (edit) AS edited, bool_or(kind = 'consent' AND value = 'no') AS says_no
    FROM weighed WHERE NOT alone GROUP BY g, unit, m),
counted AS (
    SELECT g, unit, m, rule, master, rank, echo, same AS says, 1 AS filled,
           CASE WHEN rule = 'union' THEN len(string_split(value, ';')) ELSE length(value) END AS long,
           weight * fit AS counts, moment, CASE WHEN edit THEN moment END AS edited,
           kind = 'consent' AND value = 'no' AS says_no
    FROM weighed WHERE alone
    UNION ALL
    SELECT g, unit, m, rule, master, rank, echo, says, filled, long,
           weight * filled / max(filled) OVER (PARTITION BY g, unit), moment, edited, says_no
    FROM parted),
choirs AS (
    SELECT g, unit, says, round(sum(counts) FILTER (NOT echo), 6) AS support, count(*) FILTER (NOT echo) AS votes,
           round(sum(counts), 6) AS repeated, count(*) AS repeats
    FROM counted GROUP BY g, unit, says),
heard AS (
    -- Where only echoes are left, what most of them repeat: the one written last may be half a name.
    SELECT c.* REPLACE (round(counts, 6) AS counts), CASE WHEN echo THEN repeated ELSE support END AS support,
           CASE WHEN echo THEN repeats ELSE votes END AS votes
    FROM counted AS c JOIN choirs USING (g, unit, says))
SELECT *, row_number() OVER (PARTITION BY g, unit ORDER BY
           echo,
           CASE rule WHEN 'master' THEN NOT master WHEN 'strictest' THEN NOT says_no END,
           CASE WHEN rule = 'order' THEN rank END NULLS LAST,
           CASE rule WHEN 'frequent' THEN votes WHEN 'complete' THEN filled END DESC,
           CASE WHEN rule IN ('complete', 'union') THEN long END DESC,
           -- What we saw somebody change is their last word: old agreement among the others must not undo it.
           CASE WHEN rule IN ('recent', 'order', 'strictest') THEN moment WHEN rule = 'trusted' THEN edited END
               DESC NULLS LAST,
           support DESC, moment DESC NULLS LAST, counts DESC, says, m) AS place
FROM heard
"""

_WINNERS = """
CREATE TEMP TABLE pinned AS
SELECT goldens.g, fields.n, fields.field, pins.value
FROM pins JOIN goldens USING (golden_id) JOIN (SELECT DISTINCT field, n FROM standing) AS fields USING (field);
CREATE TEMP TABLE winners AS
SELECT w.g, w.n, w.field, w.m, w.value, w.same, w.rule, w.time,
       b.* EXCLUDE (g, m, rule)
FROM weighed AS w JOIN ballots AS b ON b.g = w.g AND b.unit = w.unit AND b.m = w.m AND b.place = 1
ANTI JOIN pinned ON pinned.g = w.g AND pinned.n = w.n
UNION ALL BY NAME
SELECT g, n, field, value, 'pin' AS rule FROM pinned WHERE value IS NOT NULL
"""

_PARTS = """
CREATE TEMP TABLE parts AS
SELECT g, n, kind, trim(unnest(string_split(value, ';'))) AS value FROM cells WHERE rule = 'union'
"""

_UNITED = """
WITH each_once AS (
    SELECT p.g, p.n, k.same, min(p.value) AS value
    FROM parts AS p JOIN part_keys AS k ON k.kind = p.kind AND k.value = p.value WHERE p.value <> '' GROUP BY ALL),
united AS (
    SELECT g, n, string_agg(value, ';' ORDER BY same) AS value FROM each_once GROUP BY g, n)
UPDATE winners SET value = united.value
FROM united WHERE united.g = winners.g AND united.n = winners.n AND winners.rule = 'union'
"""

# Why a ballot lost: the first of what decides, in the order of `place`, in which it is behind.
_GOLDEN = """
WITH stories AS (
    SELECT c.g, c.n, c.m, c.value, c.time,
           CASE WHEN w.rule = 'pin' THEN 'pinned'
                WHEN w.rule = 'union' THEN 'joined'
                WHEN c.same = w.same THEN 'agrees'
                WHEN b.echo AND NOT w.echo THEN 'echo'
                WHEN w.rule = 'master' AND w.master AND NOT b.master THEN 'not the master'
                WHEN w.rule = 'strictest' AND w.says_no AND NOT b.says_no THEN 'looser'
                WHEN w.rule = 'order' AND w.rank < coalesce(b.rank, w.rank + 1) THEN 'later in order'
                WHEN w.rule = 'frequent' AND b.votes < w.votes THEN 'rarer'
                WHEN w.rule = 'complete' AND (b.filled < w.filled OR b.long < w.long) THEN 'less complete'
                WHEN w.rule IN ('recent', 'order', 'strictest')
                     AND w.moment > coalesce(b.moment, '-infinity'::TIMESTAMP) THEN 'older'
                WHEN w.rule = 'trusted' AND w.edited > coalesce(b.edited, '-infinity'::TIMESTAMP) THEN 'not edited'
                WHEN b.support < w.support THEN 'outweighed'
                WHEN w.moment > coalesce(b.moment, '-infinity'::TIMESTAMP) THEN 'older'
                WHEN b.counts < w.counts THEN 'outweighed'
                ELSE 'level' END AS why
    FROM weighed AS c JOIN winners AS w ON w.g = c.g AND w.n = c.n AND w.m IS DISTINCT FROM c.m
    JOIN ballots AS b ON b.g = c.g AND b.unit = c.unit AND b.m = c.m),
losers AS (
    SELECT s.g, s.n, string_agg('{"ref":' || p.ref_json || ',"value":' || to_json(s.value)::VARCHAR || ',"time":'
               || coalesce('"' || s.time || '"', 'null') || ',"why":"' || s.why || '"}', ',' ORDER BY s.m) AS losers
    FROM stories AS s JOIN people AS p ON p.m = s.m GROUP BY s.g, s.n),
cells AS (
    SELECT w.g, w.n, '"' || w.field || '":' AS name, to_json(w.value)::VARCHAR AS value,
           '{"ref":' || coalesce(p.ref_json, '""') || ',"rule":"' || w.rule || '","raw_seq":'
           || coalesce(p.raw_seq::VARCHAR, 'null') || ',"time":' || coalesce('"' || w.time || '"', 'null')
           || ',"losers":[' || coalesce(l.losers, '') || ']}' AS story
    FROM winners AS w LEFT JOIN people AS p ON p.m = w.m
    LEFT JOIN losers AS l ON l.g = w.g AND l.n = w.n),
told AS (
    SELECT g, string_agg(name || value, ',' ORDER BY n) AS fields, string_agg(name || story, ',' ORDER BY n) AS lineage
    FROM cells GROUP BY g)
SELECT golden_id, '{' || coalesce(fields, '') || '}' AS fields, '{' || coalesce(lineage, '') || '}' AS lineage, members
FROM goldens LEFT JOIN told USING (g) ORDER BY g
"""

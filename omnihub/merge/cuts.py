"""Where a name kept as one text is cut: a guess, unless another record of the same customer holds it in two fields."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from omnihub.engine import connection
from omnihub.merge.survive import MEMBERS

HALVES = ("first_name", "last_name")

WORDS = "list_sort(string_split_regex(lower(strip_accents({text})), '[^\\p{{L}}\\p{{N}}]+'))"
"""SQL: the words of a text, whatever their order: the same words are the same name."""


def recut(members: pa.Table, guessed: Collection[str]) -> pa.Table:
    """The members, those of the streams `guessed` (system/stream) cut as another member of their golden record that
    holds the same words in two fields. Where such members don't agree, what most of them say; where that is as many,
    what the guess was."""
    if not guessed:
        return members
    con = connection()
    try:
        con.register("members", members)
        con.register("guessed", pa.table({"stream": pa.array(sorted(guessed), pa.string())}))
        return con.sql(_RECUT).to_arrow_table().select(MEMBERS.names).cast(MEMBERS)
    finally:
        con.close()


_RECUT = f"""
WITH told AS (
    SELECT golden_id, ref, f, l, {WORDS.format(text="f || ' ' || l")} AS words,
           array_to_string(string_split(ref, '/')[1:2], '/') IN (SELECT stream FROM guessed) AS guessed
    FROM (SELECT golden_id, ref, json_extract_string(fields, '$.first_name') AS f,
                 json_extract_string(fields, '$.last_name') AS l FROM members)
    WHERE f IS NOT NULL AND l IS NOT NULL),
sure AS (SELECT golden_id, words, f, l, count(*) AS say_so FROM told WHERE NOT guessed GROUP BY ALL),
best AS (
    SELECT told.ref, told.f <> sure.f OR told.l <> sure.l AS otherwise,
           json_object('first_name', sure.f, 'last_name', sure.l) AS name
    FROM told JOIN sure USING (golden_id, words) WHERE told.guessed
    QUALIFY row_number() OVER (PARTITION BY told.ref ORDER BY say_so DESC, otherwise, sure.f, sure.l) = 1),
other AS (SELECT ref, name FROM best WHERE otherwise)
SELECT m.* REPLACE (CASE WHEN name IS NULL THEN m.fields ELSE json_merge_patch(m.fields, name)::VARCHAR END AS fields)
FROM members AS m LEFT JOIN other USING (ref)
"""

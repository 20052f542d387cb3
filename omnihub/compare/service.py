"""Service: how soon each ticket was answered and solved, held against what the master promises for its channel.

    ticket ─▶ its channel ─▶ the standard in force on the day it was opened ─▶ due ─▶ done in time, or late
                                                                             └▶ not done: late once it is due

That day is the master's own, by the clock of where the master is. Who solves a ticket without a word has answered it
then. What is not done counts only while the ticket says it is worked on; of a ticket that is closed and does not say
when it was solved nobody knows. On the minute it is due it is in time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pyarrow as pa

from omnihub.engine import connection

KINDS = ("answer_late", "solution_late")
"""All that can be found here."""

WAITING = ("new", "open", "pending")
"""States of a ticket that is still worked on."""

STANDARDS = pa.schema([("ref", pa.string()), ("fields", pa.string())])
"""The masters' living standards."""

TICKETS = pa.schema([(n, pa.string()) for n in ("ref", "system", "stream", "fields")])
"""Living tickets."""

HOLDING = pa.schema([(n, pa.string()) for n in ("system", "stream", "field")])
"""Which fields each stream of tickets holds: of one that does not say when people were answered nothing is known."""

MEASURED = pa.schema(
    [(n, pa.string()) for n in ("ref", "system", "field", "channel", "standard", "opened_at", "done_at", "due_at")]
    + [("customers", pa.int64()), ("took_s", pa.int64()), ("late", pa.bool_())]
)
"""A ticket's first answer (field `answered_at`) or solution (`solved_at`). standard: hours; None where its channel has
none, and then due_at and late as well. done_at, took_s: None while it is not done."""


def measured(tickets: pa.Table, standards: pa.Table, holding: pa.Table, now: str, zone: str = "UTC") -> pa.Table:
    """MEASURED of these tickets, in order. now: the time they are judged at, ISO; zone: where the master's days begin
    and end."""
    con = connection()
    try:
        for name, table in (("tickets", tickets), ("standards", standards), ("holding", holding)):
            con.register(name, table)
        con.register("asked", pa.table({"now": [now], "zone": [zone]}))
        con.execute(_TERMS)
        return con.sql(_MEASURED).to_arrow_table().cast(MEASURED)
    finally:
        con.close()


def late(some: pa.Table) -> pa.Table:
    """The findings in MEASURED."""
    con = connection()
    try:
        con.register("measured", some)
        return con.sql(_FOUND).to_arrow_table()
    finally:
        con.close()


def limits(standards: pa.Table) -> list[timedelta]:
    """How long after they are opened tickets can be due, by any of these standards."""
    con = connection()
    try:
        con.register("standards", standards)
        con.execute(_TERMS)
        return [timedelta(seconds=float(s)) for (s,) in con.sql(_LIMITS).fetchall()]
    finally:
        con.close()


def coming_due(standards: pa.Table, before: str, now: str) -> Iterable[tuple[str, str]]:
    """Between which times (ISO, both inclusive) tickets were opened that become due between these two."""
    first, last = sorted((before, now))
    second = timedelta(seconds=1)  # on either side, for what is cut off
    for limit in limits(standards):
        yield _shifted(first, -limit - second), _shifted(last, -limit + second)


def _shifted(at: str, by: timedelta) -> str:
    return (datetime.fromisoformat(at) + by).isoformat(timespec="seconds").replace("+00:00", "Z")


# Of two standards of a channel that begin on one day the first by ref counts.
_TERMS = """
CREATE TEMP TABLE terms AS
SELECT DISTINCT ON (channel, valid_from) lower(trim(f->>'channel')) AS channel,
       coalesce(f->>'valid_from', '0000-01-01') AS valid_from,
       try_cast(f->>'first_answer_hours' AS DECIMAL(18, 4)) AS answer,
       try_cast(f->>'solution_hours' AS DECIMAL(18, 4)) AS solution
FROM (SELECT ref, fields::JSON AS f FROM standards)
WHERE f->>'channel' IS NOT NULL ORDER BY channel, valid_from, ref;
"""

_LIMITS = """
SELECT DISTINCT (hours * 3600)::DOUBLE AS seconds
FROM (SELECT answer AS hours FROM terms UNION ALL SELECT solution FROM terms)
WHERE hours IS NOT NULL ORDER BY seconds
"""

_MEASURED = f"""
WITH opened AS (
    SELECT ref, system, stream, lower(trim(f->>'channel')) AS channel, f->>'opened_at' AS opened_at,
           try_cast(f->>'opened_at' AS TIMESTAMPTZ) AS opened, f->>'answered_at' AS answered_at,
           f->>'solved_at' AS solved_at, coalesce(f->>'status', '') IN {WAITING} AS waiting,
           CASE WHEN coalesce(f->>'contact', f->>'account') IS NULL THEN 0 ELSE 1 END AS customers
    FROM (SELECT *, fields::JSON AS f FROM tickets)),
dated AS (
    SELECT *, coalesce((timezone((SELECT zone FROM asked), opened)::DATE)::VARCHAR, '') AS day
    FROM opened WHERE opened IS NOT NULL),
promised AS (
    SELECT d.*, t.answer, t.solution
    FROM dated AS d ASOF LEFT JOIN terms AS t ON t.channel = d.channel AND d.day >= t.valid_from),
cells AS (
    SELECT *, 'answered_at' AS field, answer AS hours, coalesce(answered_at, solved_at) AS done_at FROM promised
    UNION ALL
    SELECT *, 'solved_at', solution, solved_at FROM promised),
judged AS (
    SELECT c.*, try_cast(done_at AS TIMESTAMPTZ) AS done, epoch(opened) + hours::DOUBLE * 3600 AS due
    FROM cells AS c SEMI JOIN holding AS h ON h.system = c.system AND h.stream = c.stream AND h.field = c.field)
SELECT ref, system, field, channel,
       CASE WHEN hours IS NOT NULL THEN regexp_replace(hours::VARCHAR, '\\.?0+$', '') END AS standard, opened_at,
       CASE WHEN done IS NOT NULL THEN done_at END AS done_at,
       strftime(make_timestamp((due * 1000000)::BIGINT), '%Y-%m-%dT%H:%M:%SZ') AS due_at, customers,
       (epoch(done) - epoch(opened))::BIGINT AS took_s,
       coalesce(epoch(done), epoch((SELECT now FROM asked)::TIMESTAMPTZ)) > due AS late
FROM judged WHERE done IS NOT NULL OR waiting ORDER BY ref, field
"""

# `took` and `over` are rounded up: who is a second late is not told that it took just as long as promised.
_FOUND = """
WITH told AS (
    SELECT *, CASE field WHEN 'answered_at' THEN 'answer_late' ELSE 'solution_late' END AS kind,
           ceil(took_s / 36.0) / 100 AS took, ceil((took_s - standard::DOUBLE * 3600) / 36.0) / 100 AS over
    FROM measured WHERE late)
SELECT kind, 'ticket' AS entity, system, ref, field, NULL::VARCHAR AS golden_id, done_at AS theirs, due_at AS expected,
       to_json({channel: channel, standard: standard, due: due_at,
                took: regexp_replace(took::DECIMAL(18, 2)::VARCHAR, '\\.?0+$', ''),
                over: regexp_replace(over::DECIMAL(18, 2)::VARCHAR, '\\.?0+$', ''),
                customers: customers, cause: 'standard:' || channel})::VARCHAR AS detail
FROM told ORDER BY kind, ref
"""

"""What a channel is given where it says something else than the master: the right price in its own context.

A catalogue shows everybody's price of one piece, in the channel's unit and currency, today, net or gross as the channel
holds it. Of the master's rows that fit, one whose tax is said the same way is right before one that has to be worked
out, then the one with the greatest quantity break, then the one that began last. Where rows that fit alike say
different things, or the one chosen here is not what was judged, nothing is corrected: a person has to say.
"""

from __future__ import annotations

import pyarrow as pa

from omnihub.compare.prices import CENT, EVERYONE
from omnihub.engine import connection

JUDGED = pa.schema([(name, pa.string()) for name in ("ref", "golden_id", "sku", "fields", "expected")])
"""Products of a channel whose price was judged to be wrong: their fields, and the price they should have."""

LISTED = pa.schema([(name, pa.string()) for name in ("ref", "entity", "sku", "fields")])
"""The master's products and prices. `sku` is in one form for all."""


def right_prices(judged: pa.Table, listed: pa.Table, day: str) -> pa.Table:
    """(ref, golden_id, theirs, ours, winner): the price each of these gets, and the master's row that says so."""
    con = connection()
    try:
        con.register("judged", judged.cast(JUDGED))
        con.register("listed", listed.cast(LISTED))
        return con.sql(_RIGHT, params={"day": day}).to_arrow_table()
    finally:
        con.close()


_RIGHT = f"""
WITH units AS (
    SELECT sku, any_value(fields::JSON->>'unit') AS unit FROM listed WHERE entity = 'product' GROUP BY sku),
said AS (
    SELECT ref, golden_id, sku, f->>'price' AS theirs, f->>'currency' AS currency,
           coalesce(f->>'unit', units.unit) AS unit, coalesce(f->>'tax_included' = 'true', false) AS gross,
           try_cast(f->>'tax_rate' AS DOUBLE) / 100 AS rate, try_cast(expected AS DECIMAL(18, 4)) AS expected
    FROM (SELECT *, fields::JSON AS f FROM judged) LEFT JOIN units USING (sku)),
lists AS (
    SELECT ref, sku, f->>'amount' AS amount, try_cast(f->>'amount' AS DECIMAL(18, 4)) AS figure, f->>'unit' AS unit,
           f->>'currency' AS currency, coalesce(f->>'tax_included' = 'true', false) AS gross,
           try_cast(f->>'tax_rate' AS DOUBLE) / 100 AS rate,
           coalesce(nullif(f->>'customer_group', ''), '{EVERYONE}') AS customer_group,
           coalesce(try_cast(f->>'min_quantity' AS DECIMAL(18, 4)), 1) AS least,
           coalesce(f->>'valid_from', '0000-01-01') AS valid_from, coalesce(f->>'valid_to', '9999-12-31') AS valid_to
    FROM (SELECT *, fields::JSON AS f FROM listed WHERE entity = 'price')),
fitting AS (
    SELECT s.ref, s.golden_id, s.theirs, s.expected, l.ref AS winner, l.amount, l.figure, s.gross,
           l.gross = s.gross AS as_is, 1 + coalesce(s.rate, l.rate) AS times,
           rank() OVER (PARTITION BY s.ref ORDER BY l.gross = s.gross DESC, l.least DESC, l.valid_from DESC) AS place
    FROM said AS s JOIN lists AS l
      ON l.sku = s.sku AND l.currency = s.currency AND l.customer_group = '{EVERYONE}' AND l.least <= 1
     AND coalesce(l.unit = s.unit, true) AND $day BETWEEN l.valid_from AND l.valid_to
    WHERE l.figure > 0 AND (l.gross = s.gross OR coalesce(s.rate, l.rate) IS NOT NULL)),
worked_out AS (
    SELECT *, CASE WHEN as_is THEN amount
              ELSE round((CASE WHEN gross THEN figure * times ELSE figure / times END)::DECIMAL(18, 4), 2)
                   ::DECIMAL(18, 2)::VARCHAR END AS ours
    FROM fitting WHERE place = 1)
SELECT ref, golden_id, theirs, min_by(ours, winner) AS ours, min(winner) AS winner
FROM worked_out
GROUP BY ref, golden_id, theirs
HAVING max(ours::DECIMAL(18, 4)) = min(ours::DECIMAL(18, 4))
   AND abs(max(ours::DECIMAL(18, 4)) - any_value(expected)) <= {CENT}
ORDER BY ref
"""

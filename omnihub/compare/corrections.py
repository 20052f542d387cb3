"""What a channel is given where it says something else than the master: the right price in its own context.

A catalogue shows everybody's price of one piece, in the channel's currency, today, net or gross as the channel holds
it. Of the master's rows that fit, the one with the greatest quantity break and the latest beginning is right. Where
rows that fit alike say different things, or the one chosen here is not what was judged, nothing is corrected: which of
the two is right, a person has to say.
"""

from __future__ import annotations

import pyarrow as pa

from omnihub.engine import connection

EVERYONE = "standard"  # the group whose price a catalogue shows
TOLERANCE = "0.005"  # what was judged and what is chosen here are one price, to the cent

JUDGED = pa.schema([(name, pa.string()) for name in ("ref", "golden_id", "sku", "fields", "expected")])
"""Products of a channel whose price was judged to be wrong: their fields, and the price they should have."""

LISTED = pa.schema([(name, pa.string()) for name in ("ref", "sku", "fields")])
"""The master's price rows. `sku` is in one form for both."""


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
WITH said AS (
    SELECT ref, golden_id, sku, f->>'price' AS theirs, f->>'currency' AS currency,
           coalesce(f->>'tax_included', 'false') AS gross, try_cast(expected AS DECIMAL(18, 4)) AS expected
    FROM (SELECT *, fields::JSON AS f FROM judged)),
lists AS (
    SELECT ref, sku, f->>'amount' AS amount, try_cast(f->>'amount' AS DECIMAL(18, 4)) AS figure,
           f->>'currency' AS currency, coalesce(f->>'tax_included', 'false') AS gross,
           coalesce(nullif(f->>'customer_group', ''), '{EVERYONE}') AS customer_group,
           coalesce(try_cast(f->>'min_quantity' AS DECIMAL(18, 4)), 1) AS least,
           coalesce(f->>'valid_from', '0000-01-01') AS valid_from, coalesce(f->>'valid_to', '9999-12-31') AS valid_to
    FROM (SELECT *, fields::JSON AS f FROM listed)),
fitting AS (
    SELECT s.ref, s.golden_id, s.theirs, s.expected, l.ref AS winner, l.amount, l.figure,
           rank() OVER (PARTITION BY s.ref ORDER BY l.least DESC, l.valid_from DESC) AS place
    FROM said AS s JOIN lists AS l
      ON l.sku = s.sku AND l.currency = s.currency AND l.gross = s.gross
     AND l.customer_group = '{EVERYONE}' AND l.least <= 1 AND $day BETWEEN l.valid_from AND l.valid_to
    WHERE l.figure > 0)
SELECT ref, golden_id, theirs, min_by(amount, winner) AS ours, min(winner) AS winner
FROM fitting WHERE place = 1
GROUP BY ref, golden_id, theirs
HAVING max(figure) = min(figure) AND abs(max(figure) - any_value(expected)) <= {TOLERANCE}
ORDER BY ref
"""

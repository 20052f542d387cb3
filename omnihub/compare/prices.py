"""Prices in context: each that was said, held against the master's price for whom, how many, in what, and when.

    customer ─▶ group ─▶ list ─▶ unit, quantity break ─▶ currency ─▶ with tax or without ─▶ day
                                                                                  │
       what is said  ≠  what fits ─▶ which row of the master would give just this price? ─▶ the kind of mistake

Of the master's rows that fit, the one counts whose tax is said the same way, then the one with the greatest quantity
break that is reached, then the one that began last. An open end gives way to whatever begins later; two lists with an
end each that say different prices for one day are the master's own contradiction: a channel is right with either.
A price the master has no list for is not judged, unless it is just that of another currency.

Where the systems do not agree of which group a customer is, or nobody knows it, a price that is right for one of these
groups is no mistake of the price: it is the group that is to be settled, and that is told by itself.

Tax is put on by the rate that whoever names the price says, for what a customer is charged depends on where they are,
and is taken off a list's price by the list's own rate; each by the other where only one is told. Whether a rate itself
is right is not judged: abroad another one holds, or none at all, and the master's lists do not say for which country
theirs is.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from omnihub.engine import connection

EVERYONE = "standard"
CENT = "0.005"  # money is compared to the cent, where a list does not say otherwise

PRICES = pa.schema(
    [
        ("sku", pa.string()),
        ("customer_group", pa.string()),
        ("currency", pa.string()),
        ("amount", pa.string()),
        ("min_quantity", pa.string()),
        ("valid_from", pa.string()),
        ("valid_to", pa.string()),
        ("ref", pa.string()),
        ("system", pa.string()),
        ("price_list", pa.string()),
        ("unit", pa.string()),
        ("tax_included", pa.string()),
        ("tax_rate", pa.string()),
        ("tolerance", pa.string()),
        ("rounding", pa.string()),
    ]
)
"""The master's prices; days are inclusive, an empty one is open. `tax_rate`: in percent, of the tax that is in it or
comes on top. `tolerance`: how far from it a price may be. `rounding`: the step it may be rounded to, as 0.05."""

LINES = pa.schema(
    [
        ("ref", pa.string()),
        ("entity", pa.string()),
        ("system", pa.string()),
        ("sku", pa.string()),
        ("sku_text", pa.string()),
        ("name", pa.string()),
        ("status", pa.string()),
        ("price", pa.string()),
        ("field", pa.string()),
        ("currency", pa.string()),
        ("quantity", pa.string()),
        ("customer_group", pa.string()),
        ("day", pa.string()),
        ("unit", pa.string()),
        ("tax_included", pa.string()),
        ("tax_rate", pa.string()),
        ("customer", pa.string()),
        ("groups", pa.list_(pa.string())),
        ("any_group", pa.bool_()),
    ]
)
"""What a channel says: a product it offers (entity product), a row of a list of its own (entity price), a line of an
order, a deal or a cart, or what an agent promised a customer in a ticket. `field`: the price's. `tax_rate`: what is
paid there, 0 where nothing is. `customer`: the golden id of who saw it. Without a unit it is the master's for the
product. `groups`: all that anybody says the customer is of, where that is not one; `any_group`: nobody says of
which."""

KINDS = (
    "price_expired", "price_early", "price_break", "price_group", "price_currency", "price_unit", "price_tax",
    "price_differs", "price_overlap",
)  # fmt: skip


def judge(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table `price_findings` of the tables `products`, `prices`, `promotions` and `lines`."""
    _hold(con)
    con.execute(_DOUBTED)
    if con.sql("FROM doubted LIMIT 1").fetchall():
        con.register("cleared", _right_for_one(con))
        con.execute("DELETE FROM suspects WHERE ref IN (FROM cleared)")
    con.execute(_FOUND)


def _hold(con: duckdb.DuckDBPyConnection) -> None:
    """What is said against what fits: `suspects`, and the `causes` of some."""
    con.execute(_SIDES)
    con.execute(_FITTING)
    con.execute(_SUSPECTS)


def _right_for_one(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The refs of the doubted lines that are right for one of the groups their customer may be of."""
    again = connection()
    try:
        again.register("lines", con.sql("FROM doubted").to_arrow_table())
        for name in ("products", "prices", "promotions"):
            of = con.sql(f"FROM {name} WHERE sku IN (SELECT sku FROM doubted)")
            again.register(name, of.to_arrow_table())
        _hold(again)
        return again.sql(_RIGHT).to_arrow_table()
    finally:
        again.close()


# Texts become numbers once. Lines carry no more through the joins than what is compared.
_SIDES = f"""
CREATE OR REPLACE TEMP MACRO close_to(said, listed, slack, step) AS
    abs(said - listed) <= slack OR abs(said - round(listed / nullif(step, 0)) * step) <= {CENT};
CREATE OR REPLACE TEMP MACRO reduced(price, percent, off, gross, rate) AS  -- a promotion's amount is one without tax
    price * (1 - coalesce(percent, 0) / 100)
    - coalesce(off, 0) * CASE WHEN gross THEN 1 + coalesce(rate, 0) ELSE 1 END;
CREATE OR REPLACE TEMP MACRO as_told(listed, listed_gross, told_gross, listed_rate, told_rate) AS
    CASE WHEN listed_gross = told_gross THEN listed
         WHEN told_gross THEN round((listed * (1 + coalesce(told_rate, listed_rate)))::DECIMAL(18, 4), 2)
         ELSE round((listed / (1 + coalesce(listed_rate, told_rate)))::DECIMAL(18, 4), 2) END;
CREATE OR REPLACE TEMP MACRO plainly(amount) AS
    CASE WHEN amount = round(amount, 2) THEN amount::DECIMAL(18, 2)::VARCHAR ELSE amount::VARCHAR END;
CREATE TEMP TABLE said AS
SELECT row_number() OVER () AS n, l.sku, coalesce(nullif(l.customer_group, ''), '{EVERYONE}') AS customer_group,
       l.currency, l.day, try_cast(l.price AS DECIMAL(18, 4)) AS amount,
       coalesce(try_cast(l.quantity AS DECIMAL(18, 4)), 1) AS pieces, coalesce(l.unit, p.unit) AS unit,
       coalesce(l.tax_included = 'true', false) AS gross, try_cast(l.tax_rate AS DOUBLE) / 100 AS rate, l.ref
FROM lines AS l LEFT JOIN products AS p ON p.sku = l.sku
WHERE try_cast(l.price AS DECIMAL(18, 4)) IS NOT NULL;
CREATE TEMP TABLE listed AS
SELECT row_number() OVER (ORDER BY ref) AS n,  -- so that the same is chosen however they come
       sku, coalesce(nullif(customer_group, ''), '{EVERYONE}') AS customer_group, currency,
       try_cast(amount AS DECIMAL(18, 4)) AS amount, coalesce(try_cast(min_quantity AS DECIMAL(18, 4)), 1) AS least,
       coalesce(valid_from, '0000-01-01') AS valid_from, coalesce(valid_to, '9999-12-31') AS valid_to, unit,
       coalesce(tax_included = 'true', false) AS gross, try_cast(tax_rate AS DOUBLE) / 100 AS rate,
       greatest({CENT}, coalesce(try_cast(tolerance AS DECIMAL(18, 4)), 0)) AS slack,
       try_cast(rounding AS DECIMAL(18, 4)) AS step,
       coalesce(price_list, concat_ws('-', currency, customer_group, valid_from)) AS price_list, ref, system
FROM prices WHERE try_cast(amount AS DECIMAL(18, 4)) IS NOT NULL;
CREATE TEMP TABLE offered AS  -- what goes off an order, and not off each piece, is in no price
SELECT sku, nullif(customer_group, '') AS customer_group, currency, valid_from, valid_to,
       try_cast(discount AS DOUBLE) AS percent, try_cast(discount_amount AS DOUBLE) AS off
FROM promotions WHERE coalesce(try_cast(discount AS DOUBLE), try_cast(discount_amount AS DOUBLE)) IS NOT NULL
  AND (discount_amount IS NULL OR currency IS NOT NULL AND coalesce(discount_on, 'piece') = 'piece');
"""

# One row of the master for each line: the one that should have been used, and what it comes to with tax as it is said.
_FITTING = f"""
CREATE TEMP TABLE fitting AS
WITH chosen AS (
    SELECT s.n, max_by(p.n, (p.gross = s.gross, p.least, p.valid_from, p.n)) AS row
    FROM said AS s JOIN listed AS p
      ON p.sku = s.sku AND p.currency = s.currency AND p.customer_group = s.customer_group
     AND s.pieces >= p.least AND s.day BETWEEN p.valid_from AND p.valid_to AND coalesce(p.unit = s.unit, true)
     AND (p.gross = s.gross OR coalesce(s.rate, p.rate) IS NOT NULL)
    GROUP BY s.n)
SELECT c.n, c.row, p.least, p.valid_from, p.valid_to, p.price_list, p.step, p.gross,
       coalesce(nullif(s.rate, 0), p.rate) AS rate,
       p.slack + CASE WHEN p.gross = s.gross THEN 0 ELSE {CENT} END AS slack,
       as_told(p.amount, p.gross, s.gross, p.rate, s.rate) AS expected
FROM chosen AS c JOIN listed AS p ON p.n = c.row JOIN said AS s ON s.n = c.n;
"""

# What is not right, or in a currency without a list. Few: only these are held against every row of their product.
_SUSPECTS = f"""
CREATE TEMP TABLE suspects AS
SELECT s.*, f.* EXCLUDE (n, gross, rate), f.rate AS known_rate, f.gross AS listed_gross
FROM said AS s LEFT JOIN fitting AS f ON f.n = s.n
WHERE f.n IS NULL OR NOT coalesce(close_to(s.amount, f.expected, f.slack, f.step), false);
CREATE TEMP TABLE alternatives AS  -- each row that says this price, as it stands there or with tax as it is told here
SELECT w.n AS w, p.*, false AS converted
FROM suspects AS w JOIN listed AS p ON p.sku = w.sku AND close_to(w.amount, p.amount, p.slack, p.step)
UNION ALL
SELECT w.n, p.*, true
FROM suspects AS w JOIN listed AS p
  ON p.sku = w.sku AND p.gross <> w.gross
 AND close_to(w.amount, as_told(p.amount, p.gross, w.gross, p.rate, w.rate), p.slack + {CENT}, p.step);
CREATE TEMP TABLE candidates AS
SELECT w.n, p.n AS row, p.converted, p.price_list, p.valid_from, p.valid_to,
       p.customer_group = w.customer_group AS same_group, p.currency = w.currency AS same_currency,
       coalesce(p.unit = w.unit, true) AS same_unit, p.gross = w.gross OR p.converted AS same_tax,
       p.least <= w.pieces AS reached,
       w.day BETWEEN p.valid_from AND p.valid_to AS valid, p.least = w.least AS same_break,
       p.valid_to = '9999-12-31' AND p.valid_from < w.valid_from AS superseded,
       p.valid_to < w.day AS ended, w.row IS NULL AS unlisted
FROM suspects AS w JOIN alternatives AS p ON p.w = w.n;
CREATE TEMP TABLE explained AS
SELECT n, row, converted, price_list, valid_to, unlisted, CASE
    WHEN unlisted AND NOT (same_group AND same_unit AND same_tax AND valid AND reached) THEN NULL
    WHEN unlisted THEN 5
    WHEN same_group AND same_currency AND same_unit AND same_tax AND valid AND same_break AND NOT superseded THEN 0
    WHEN same_group AND same_currency AND same_unit AND same_tax AND reached AND (ended OR valid AND superseded) THEN 1
    WHEN same_group AND same_currency AND same_unit AND same_tax AND reached AND NOT valid THEN 2
    WHEN same_group AND same_currency AND same_unit AND same_tax AND valid THEN 3
    WHEN same_currency AND same_unit AND same_tax AND valid AND reached AND NOT same_group THEN 4
    WHEN same_group AND same_unit AND same_tax AND valid AND reached THEN 5
    WHEN same_group AND same_currency AND same_tax AND valid AND NOT same_unit THEN 6
    WHEN same_group AND same_currency AND same_unit AND valid AND reached AND NOT same_tax THEN 7
    END AS why
FROM candidates
UNION ALL  -- tax put on, or taken off, what fits
SELECT n, row, false, price_list, valid_to, false, 7 FROM suspects
WHERE known_rate > 0 AND (abs(amount - expected * (1 + known_rate)) <= slack + {CENT}
                          OR abs(amount - expected / (1 + known_rate)) <= slack + {CENT})
UNION ALL  -- what a promotion makes of the other of two lists at once is right, too
SELECT w.n, w.row, false, w.price_list, w.valid_to, false, 0
FROM suspects AS w JOIN offered AS m ON m.sku = w.sku JOIN listed AS p
  ON p.sku = w.sku AND p.customer_group = w.customer_group AND p.currency = w.currency AND p.least = w.least
 AND p.gross = w.gross AND coalesce(p.unit = w.unit, true) AND w.day BETWEEN p.valid_from AND p.valid_to
 AND p.valid_to < '9999-12-31'
WHERE coalesce(m.customer_group, w.customer_group) = w.customer_group
  AND (m.off IS NULL OR m.currency = w.currency)
  AND w.day BETWEEN coalesce(m.valid_from, w.day) AND coalesce(m.valid_to, w.day)
  AND abs(w.amount - reduced(p.amount, m.percent, m.off, w.gross, w.known_rate))
      <= p.slack + {CENT}
UNION ALL  -- what a promotion makes of what fits is right
SELECT w.n, w.row, false, w.price_list, w.valid_to, false, 0
FROM suspects AS w JOIN offered AS m ON m.sku = w.sku
WHERE coalesce(m.customer_group, w.customer_group) = w.customer_group
  AND (m.off IS NULL OR m.currency = w.currency)
  AND w.day BETWEEN coalesce(m.valid_from, w.day) AND coalesce(m.valid_to, w.day)
  AND abs(w.amount - reduced(w.expected, m.percent, m.off, w.gross, w.known_rate))
      <= w.slack + {CENT};
CREATE TEMP TABLE causes AS
SELECT n, min(why) AS why, arg_min(row, (why, converted, -row)) AS row FROM explained WHERE why IS NOT NULL GROUP BY n;
"""

# A line for each group that it may have been meant for.
_DOUBTED = f"""
CREATE TEMP TABLE doubted AS
SELECT l.* REPLACE (g.customer_group AS customer_group)
FROM lines AS l JOIN suspects AS w ON w.ref = l.ref JOIN (
    SELECT ref, unnest(groups) AS customer_group FROM lines WHERE groups IS NOT NULL
    UNION
    SELECT l.ref, p.customer_group FROM lines AS l JOIN suspects AS w ON w.ref = l.ref JOIN listed AS p ON p.sku = l.sku
    WHERE l.any_group) AS g ON g.ref = l.ref
WHERE coalesce(nullif(g.customer_group, ''), '{EVERYONE}') <> w.customer_group;
"""

_RIGHT = """
SELECT DISTINCT s.ref FROM said AS s JOIN fitting AS f ON f.n = s.n
LEFT JOIN suspects AS w ON w.n = s.n LEFT JOIN causes AS c ON c.n = s.n WHERE w.n IS NULL OR c.why = 0
"""

_OVERLAPS = """
SELECT DISTINCT ON (b.ref) b.ref, b.system, b.amount AS theirs, a.amount AS expected, b.price_list, b.valid_from,
       b.currency, a.price_list AS other
FROM listed AS a JOIN listed AS b
  ON b.sku = a.sku AND b.customer_group = a.customer_group AND b.currency = a.currency AND b.least = a.least
 AND b.gross = a.gross AND b.unit IS NOT DISTINCT FROM a.unit
WHERE (b.valid_from, b.ref) > (a.valid_from, a.ref) AND b.valid_from <= a.valid_to
  AND (a.valid_to < '9999-12-31' OR a.valid_from = b.valid_from)
  AND abs(a.amount - b.amount) > greatest(a.slack, b.slack)
ORDER BY b.ref, a.valid_from DESC, a.ref
"""

_NAMED = " ".join(f"WHEN {n} THEN '{kind}'" for n, kind in enumerate(KINDS[:7], 1))

# `list`: the one that should have been used. `since`: when it began, else when the one that was used ended.
_FOUND = f"""
CREATE TEMP TABLE price_findings AS
SELECT CASE coalesce(c.why, 8) {_NAMED} ELSE 'price_differs' END AS kind, l.entity, l.system, l.ref, l.field,
       l.price AS theirs, plainly(w.expected) AS expected, to_json({{
           list: coalesce(w.price_list, p.price_list), since: coalesce(nullif(w.valid_from, '0000-01-01'), p.valid_to),
           customers: CASE WHEN l.customer IS NULL THEN 0 ELSE 1 END, customer: l.customer,
           at_stake: round((w.amount - w.expected) * w.pieces, 2)::VARCHAR, currency: w.currency,
           used: p.price_list, cause: 'list:' || coalesce(w.price_list, p.price_list)}})::VARCHAR AS detail
FROM suspects AS w JOIN lines AS l ON l.ref = w.ref LEFT JOIN causes AS c ON c.n = w.n
LEFT JOIN listed AS p ON p.n = c.row AND p.n IS DISTINCT FROM w.row
WHERE coalesce(c.why, 8) > 0 AND (w.row IS NOT NULL OR c.why = 5)
UNION ALL
SELECT 'price_overlap', 'price', system, ref, 'amount', plainly(theirs), plainly(expected), to_json({{
           list: price_list, since: nullif(valid_from, '0000-01-01'), customers: 0, currency: currency,
           other: other, cause: 'list:' || price_list}})::VARCHAR
FROM ({_OVERLAPS});
"""

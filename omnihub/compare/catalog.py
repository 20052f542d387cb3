"""What channels say about products and prices, held against the master in the context in which it was said.

A price is right for a customer's group, a currency, a quantity and a day: of the master's rows for the SKU that fit, the
one with the greatest quantity break that the quantity reaches. A shop shows the price for everyone (the group
`standard`), one piece, today.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

EVERYONE = "standard"
TOLERANCE = "0.005"  # money is compared to the cent

PRODUCTS = pa.schema([("sku", pa.string()), ("name", pa.string()), ("status", pa.string())])
"""The master's products. `sku` is the comparison key of the SKU."""

PRICES = pa.schema(
    [
        ("sku", pa.string()),
        ("customer_group", pa.string()),
        ("currency", pa.string()),
        ("amount", pa.string()),
        ("min_quantity", pa.string()),
        ("valid_from", pa.string()),
        ("valid_to", pa.string()),
    ]
)
"""The master's prices; days are inclusive, an empty one is open."""

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
    ]
)
"""What a channel says: a product it offers (entity product) or a line of an order or deal. `field`: the price's field."""

TODAY = "today"


def catalog(products: pa.Table, prices: pa.Table, lines: pa.Table) -> pa.Table:
    """Findings: sku_unknown, sku_discontinued, product_differs, price_differs, price_expired.

    A price that no row of today's list gives, but one of a list that has ended, is expired; any other is different.
    """
    con = duckdb.connect()
    try:
        con.execute("SET threads = 2")
        for name, table in (("products", products), ("prices", prices), ("lines", lines)):
            con.register(name, table)
        con.execute(_FITTING)
        return con.sql(_FOUND.format(tolerance=TOLERANCE)).to_arrow_table()
    finally:
        con.close()


_FITTING = f"""
CREATE TEMP TABLE said AS
SELECT l.*, try_cast(price AS DECIMAL(18, 4)) AS amount, coalesce(try_cast(quantity AS DECIMAL(18, 4)), 1) AS pieces,
       coalesce(nullif(customer_group, ''), '{EVERYONE}') AS for_group
FROM lines AS l;
CREATE TEMP TABLE listed AS
SELECT sku, customer_group, currency, try_cast(amount AS DECIMAL(18, 4)) AS amount,
       coalesce(try_cast(min_quantity AS DECIMAL(18, 4)), 1) AS min_quantity,
       coalesce(valid_from, '0000-01-01') AS valid_from, coalesce(valid_to, '9999-12-31') AS valid_to
FROM prices;
CREATE TEMP TABLE fitting AS
SELECT s.ref, max_by(p.amount, (p.min_quantity, p.valid_from)) AS expected
FROM said AS s JOIN listed AS p
  ON p.sku = s.sku AND p.currency = s.currency AND p.customer_group = s.for_group
 AND s.pieces >= p.min_quantity AND s.day BETWEEN p.valid_from AND p.valid_to
GROUP BY s.ref;
CREATE TEMP TABLE ended AS
SELECT DISTINCT s.ref
FROM said AS s JOIN listed AS p
  ON p.sku = s.sku AND p.currency = s.currency AND p.customer_group = s.for_group
 AND p.valid_to < s.day AND p.amount = s.amount AND s.pieces >= p.min_quantity;
"""

_FOUND = """
WITH found AS (
    SELECT 'sku_unknown' AS kind, entity, system, ref, 'sku' AS field, sku_text AS theirs, NULL::VARCHAR AS expected
    FROM said WHERE sku IS NOT NULL AND sku NOT IN (SELECT sku FROM products)
    UNION ALL
    SELECT 'sku_discontinued', s.entity, s.system, s.ref, 'status', s.status, p.status
    FROM said AS s JOIN products AS p USING (sku) WHERE s.entity = 'product' AND s.status = 'active' AND p.status = 'discontinued'
    UNION ALL
    SELECT 'product_differs', s.entity, s.system, s.ref, 'name', s.name, p.name
    FROM said AS s JOIN products AS p USING (sku)
    WHERE s.entity = 'product' AND s.name IS NOT NULL AND lower(trim(s.name)) <> lower(trim(p.name))
    UNION ALL
    SELECT CASE WHEN ended.ref IS NOT NULL THEN 'price_expired' ELSE 'price_differs' END, s.entity, s.system, s.ref, s.field,
           s.price, f.expected::VARCHAR
    FROM said AS s JOIN fitting AS f ON f.ref = s.ref LEFT JOIN ended ON ended.ref = s.ref
    WHERE s.amount IS NOT NULL AND abs(s.amount - f.expected) > {tolerance}
)
SELECT kind, entity, system, ref, field, NULL::VARCHAR AS golden_id, theirs, expected, '{{}}' AS detail
FROM found ORDER BY kind, ref, field
"""

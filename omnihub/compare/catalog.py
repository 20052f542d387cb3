"""What channels say about products and prices, held against the master in the context in which it was said.

A price is right for a customer's group, a currency, a quantity and a day: of the master's rows for the SKU that fit,
the one with the greatest quantity break that the quantity reaches. A shop shows the price for everyone (the group
`standard`), one piece, today.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.engine import connection
from omnihub.model import Kind

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
"""What a channel says: a product it offers (entity product) or a line of an order or deal. `field`: the price's."""

BELIEVED = pa.schema(
    [("ref", pa.string()), ("entity", pa.string()), ("golden_id", pa.string()), ("fields", pa.string())]
)
"""Accounts and contacts: the golden record behind each ref, with its fields."""


def context(
    rows: pa.Table, believed: pa.Table, accounts: pa.Table, masters: Sequence[str], today: str
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """(products, prices, lines) for `catalog`, from living refined records.

    rows: (ref, entity, system, fields …) of products, prices, lines, orders and deals. believed: see the schema.
    accounts: (id, fields) of golden accounts. masters: the systems that are right. today: an ISO day.

    A line's customer is that of its order or deal: its account, or its contact's. Its day is when it was ordered or is
    to close; a product's is today.
    """
    con = connection()
    try:
        for name, table in (("rows", rows), ("believed", believed), ("accounts", accounts)):
            con.register(name, table)
        con.register("masters", pa.table({"system": pa.array(masters, pa.string())}))
        con.register("skus", _sku_keys(con))
        con.execute(_CONTEXT, {"today": today})
        return (
            con.sql("SELECT sku, name, status FROM master_products").to_arrow_table(),
            con.sql("SELECT * FROM master_prices").to_arrow_table(),
            con.sql(f"SELECT {', '.join(LINES.names)} FROM said_lines").to_arrow_table(),
        )
    finally:
        con.close()


def _sku_keys(con: duckdb.DuckDBPyConnection) -> pa.Table:
    texts = (
        con.sql("SELECT DISTINCT json_extract_string(fields, '$.sku') AS sku FROM rows")
        .to_arrow_table()
        .column("sku")
        .to_pylist()
    )
    known = [t for t in texts if t is not None]
    return pa.table(
        {"text": pa.array(known, pa.string()), "sku": pa.array([fields.key(Kind.SKU, t) for t in known], pa.string())}
    )


_CONTEXT = """
CREATE TEMP TABLE facts AS
SELECT r.ref, r.entity, r.system, r.system IN (SELECT system FROM masters) AS master, skus.sku, f->>'sku' AS sku_text,
       f->>'name' AS name, f->>'status' AS status, f AS f
FROM (SELECT *, fields::JSON AS f FROM rows) AS r LEFT JOIN skus ON skus.text = f->>'sku';
CREATE TEMP TABLE master_products AS
SELECT DISTINCT ON (sku) sku, name, status FROM facts
WHERE master AND entity = 'product' AND sku IS NOT NULL ORDER BY sku, ref;
CREATE TEMP TABLE master_prices AS
SELECT sku, f->>'customer_group' AS customer_group, f->>'currency' AS currency, f->>'amount' AS amount,
       f->>'min_quantity' AS min_quantity, f->>'valid_from' AS valid_from, f->>'valid_to' AS valid_to
FROM facts WHERE master AND entity = 'price' AND sku IS NOT NULL AND coalesce(f->>'tax_included', 'false') = 'false';
CREATE TEMP TABLE groups AS
SELECT id, (fields::JSON)->>'customer_group' AS customer_group FROM accounts;
CREATE TEMP TABLE customers AS
SELECT b.ref, groups.customer_group FROM believed AS b JOIN groups
  ON groups.id = CASE WHEN b.entity = 'account' THEN b.golden_id ELSE (b.fields::JSON)->>'account' END;
CREATE TEMP TABLE occasions AS
SELECT o.ref, coalesce(a.customer_group, c.customer_group) AS customer_group,
       left(coalesce(o.f->>'ordered_at', o.f->>'closes_on'), 10) AS day
FROM facts AS o LEFT JOIN customers AS a ON a.ref = o.f->>'account' LEFT JOIN customers AS c ON c.ref = o.f->>'contact'
WHERE o.entity IN ('order', 'deal');
CREATE TEMP TABLE said_lines AS
SELECT ref, entity, system, sku, sku_text, name, status, f->>'price' AS price, 'price' AS field,
       f->>'currency' AS currency,
       '1' AS quantity, '' AS customer_group, $today AS day
FROM facts WHERE NOT master AND entity = 'product' AND sku IS NOT NULL
UNION ALL
SELECT l.ref, l.entity, l.system, l.sku, l.sku_text, l.name, NULL, l.f->>'unit_price', 'unit_price', l.f->>'currency',
       l.f->>'quantity', o.customer_group, coalesce(o.day, $today)
FROM facts AS l LEFT JOIN occasions AS o ON o.ref = l.f->>'of'
WHERE NOT l.master AND l.entity = 'line' AND l.sku IS NOT NULL;
"""


def catalog(products: pa.Table, prices: pa.Table, lines: pa.Table) -> pa.Table:
    """Findings: sku_unknown, sku_discontinued, price_differs, price_expired.

    A price that no row of today's list gives, but one of a list that has ended, is expired; any other is different.
    """
    con = connection()
    try:
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
    FROM said AS s JOIN products AS p USING (sku)
    WHERE s.entity = 'product' AND s.status = 'active' AND p.status = 'discontinued'
    UNION ALL
    SELECT CASE WHEN ended.ref IS NOT NULL THEN 'price_expired' ELSE 'price_differs' END,
           s.entity, s.system, s.ref, s.field,
           s.price, f.expected::VARCHAR
    FROM said AS s JOIN fitting AS f ON f.ref = s.ref LEFT JOIN ended ON ended.ref = s.ref
    WHERE s.amount IS NOT NULL AND abs(s.amount - f.expected) > {tolerance}
)
SELECT kind, entity, system, ref, field, NULL::VARCHAR AS golden_id, theirs, expected, '{{}}' AS detail
FROM found ORDER BY kind, ref, field
"""

"""What channels say about products and prices, held against the master in the context in which it was said.

What a product is called, whether it may be sold, and its SKU are judged here; its price in `prices`. A shop and
marketing's library show the price for everyone (the group `standard`), one piece, today.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.compare import prices
from omnihub.compare.customers import GROUPS_OF
from omnihub.compare.prices import LINES, PRICES
from omnihub.engine import connection
from omnihub.model import Kind

KINDS = ("sku_unknown", "sku_discontinued", "sku_unreleased", "sku_duplicate", *prices.KINDS)
"""All that can be found here."""

PRODUCTS = pa.schema([("sku", pa.string()), ("name", pa.string()), ("status", pa.string()), ("unit", pa.string())])
"""The master's products. `sku` is the comparison key of the SKU."""

PROMOTIONS = pa.schema(
    [
        (n, pa.string())
        for n in (
            "sku", "customer_group", "discount", "discount_amount", "currency", "discount_on", "valid_from", "valid_to"
        )
    ]
)  # fmt: skip
"""The master's promotions: so many percent, or so much, off; for a group or for all, from a day to a day."""

Context = tuple[pa.Table, pa.Table, pa.Table, pa.Table]


def context(
    rows: pa.Table,
    believed: pa.Table,
    accounts: pa.Table,
    masters: Sequence[str],
    today: str,
    zone: str = "UTC",
    groups: pa.Table | None = None,
) -> Context:
    """(products, prices, lines, promotions) for `catalog`, from living refined records.

    rows: (ref, entity, system, fields …) of products, prices, promotions, lines, orders, carts, deals and tickets.
    believed: see `customers.BELIEVED`. accounts: (id, fields) of golden accounts. masters: the systems that are right.
    today: an ISO day. zone: where the master's days begin and end.

    groups: all that is said of which group a customer is, see `customers.groups_of`; without it, what is believed.

    A line's customer is that of its order, deal or cart: its account, or its contact's; where a contact is of none, its
    group is the one that is said, if all say the same. Its day is when it was ordered or is to close, of a cart the day
    of its last change, for then it was shown with these prices. A cart that became an order is judged as that order
    alone. A line's tax is the line's own, where it says it, else that of what it is in. A product's day is today. An
    offer's price is one of today, or of its first day; one that is over says none.

    A ticket's customer is its contact's, else its account: support files a branch's tickets under the group it is of.
    What was promised in it is of the day of the first answer, for no agent can have promised anything before, and a
    ticket's last change may be any clerk's or machine's, long after; of the day it was opened, where no answer is told.
    Without a currency a promise is no price.

    A channel's own list says a price to the group it is for, of its least quantity, today or on its first day; a row
    that is over says none.
    """
    con = connection()
    try:
        for name, table in (("rows", rows), ("believed", believed), ("accounts", accounts)):
            con.register(name, table)
        con.register("masters", pa.table({"system": pa.array(masters, pa.string())}))
        con.register("skus", _sku_keys(con))
        con.register("asked", pa.table({"today": [today], "zone": [zone]}))
        con.register("told_groups", GROUPS_OF.empty_table() if groups is None else groups)
        con.execute(_CONTEXT)
        return (
            con.sql(f"SELECT {', '.join(PRODUCTS.names)} FROM master_products").to_arrow_table(),
            con.sql(f"SELECT {', '.join(PRICES.names)} FROM master_prices").to_arrow_table(),
            con.sql(f"SELECT {', '.join(LINES.names)} FROM said_lines").to_arrow_table(),
            con.sql(f"SELECT {', '.join(PROMOTIONS.names)} FROM master_promotions").to_arrow_table(),
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
SELECT DISTINCT ON (sku) sku, name, status, f->>'unit' AS unit FROM facts
WHERE master AND entity = 'product' AND sku IS NOT NULL ORDER BY sku, ref;
CREATE TEMP TABLE master_prices AS
SELECT ref, system, sku, f->>'customer_group' AS customer_group, f->>'currency' AS currency, f->>'amount' AS amount,
       f->>'min_quantity' AS min_quantity, f->>'valid_from' AS valid_from, f->>'valid_to' AS valid_to,
       f->>'price_list' AS price_list, f->>'unit' AS unit, f->>'tax_included' AS tax_included,
       f->>'tax_rate' AS tax_rate, f->>'tolerance' AS tolerance, f->>'rounding' AS rounding
FROM facts WHERE master AND entity = 'price' AND sku IS NOT NULL;
CREATE TEMP TABLE master_promotions AS
SELECT sku, f->>'customer_group' AS customer_group, f->>'discount' AS discount,
       f->>'discount_amount' AS discount_amount, f->>'currency' AS currency, f->>'discount_on' AS discount_on,
       f->>'valid_from' AS valid_from, f->>'valid_to' AS valid_to
FROM facts WHERE master AND entity = 'promotion' AND sku IS NOT NULL;
CREATE TEMP TABLE groups AS
SELECT id, (fields::JSON)->>'customer_group' AS customer_group FROM accounts;
CREATE TEMP TABLE customers AS
SELECT b.ref, groups.id, groups.customer_group FROM believed AS b JOIN groups
  ON groups.id = CASE WHEN b.entity = 'account' THEN b.golden_id ELSE (b.fields::JSON)->>'account' END;
CREATE TEMP TABLE doubts AS
SELECT ref, list(customer_group ORDER BY customer_group) AS groups FROM told_groups GROUP BY ref;
CREATE TEMP TABLE known AS  -- whoever is somebody to the hub, with the groups that are said of them, if any are
SELECT b.ref, c.id, d.groups, c.id IS NULL AND d.groups IS NULL AS nobodys,
       CASE WHEN c.id IS NOT NULL THEN c.customer_group WHEN len(d.groups) = 1 THEN d.groups[1] END AS customer_group
FROM (SELECT DISTINCT ref FROM believed) AS b LEFT JOIN customers AS c ON c.ref = b.ref
LEFT JOIN doubts AS d ON d.ref = b.ref;
CREATE TEMP MACRO home_day(told) AS  -- the master's, who closes a list at his own midnight
    CASE WHEN length(told) > 10 THEN (timezone((SELECT zone FROM asked), try_cast(told AS TIMESTAMPTZ))::DATE)::VARCHAR
         ELSE told END;
CREATE TEMP TABLE occasions AS
SELECT o.ref, coalesce(a.customer_group, c.customer_group) AS customer_group, coalesce(a.id, c.id) AS customer,
       list_distinct(list_concat(a.groups, c.groups)) AS groups, coalesce(a.nobodys, true) AND c.nobodys AS any_group,
       coalesce(home_day(o.f->>'ordered_at'), left(o.f->>'closes_on', 10), home_day(o.f->>'changed_at')) AS day,
       o.f->>'tax_included' AS tax_included, o.f->>'tax_rate' AS tax_rate,
       o.entity = 'cart' AND o.f->>'ordered_at' IS NOT NULL AS past
FROM facts AS o LEFT JOIN known AS a ON a.ref = o.f->>'account' LEFT JOIN known AS c ON c.ref = o.f->>'contact'
WHERE o.entity IN ('order', 'deal', 'cart');
CREATE TEMP TABLE said_lines AS
SELECT ref, entity, system, sku, sku_text, name, status, f->>'price' AS price, 'price' AS field,
       f->>'currency' AS currency, '1' AS quantity, '' AS customer_group, (SELECT today FROM asked) AS day,
       f->>'unit' AS unit, f->>'tax_included' AS tax_included, f->>'tax_rate' AS tax_rate, NULL AS customer,
       NULL::VARCHAR[] AS groups, false AS any_group
FROM facts WHERE NOT master AND entity = 'product' AND sku IS NOT NULL
UNION ALL
SELECT l.ref, l.entity, l.system, l.sku, l.sku_text, l.name, NULL, l.f->>'unit_price', 'unit_price', l.f->>'currency',
       l.f->>'quantity', o.customer_group, coalesce(o.day, (SELECT today FROM asked)), l.f->>'unit',
       coalesce(l.f->>'tax_included', o.tax_included), coalesce(l.f->>'tax_rate', o.tax_rate), o.customer,
       o.groups, o.any_group
FROM facts AS l LEFT JOIN occasions AS o ON o.ref = l.f->>'of'
WHERE NOT l.master AND l.entity = 'line' AND l.sku IS NOT NULL AND NOT coalesce(o.past, false)
UNION ALL
SELECT t.ref, t.entity, t.system, t.sku, t.sku_text, NULL, NULL,
       CASE WHEN t.f->>'currency' IS NOT NULL THEN t.f->>'promised_price' END, 'promised_price', t.f->>'currency',
       t.f->>'quantity', coalesce(c.customer_group, a.customer_group),
       coalesce(home_day(coalesce(t.f->>'answered_at', t.f->>'opened_at')), (SELECT today FROM asked)), NULL, NULL,
       NULL, coalesce(c.id, a.id), list_distinct(list_concat(a.groups, c.groups)),
       coalesce(a.nobodys, true) AND c.nobodys
FROM facts AS t LEFT JOIN known AS a ON a.ref = t.f->>'account' LEFT JOIN known AS c ON c.ref = t.f->>'contact'
WHERE NOT t.master AND t.entity = 'ticket' AND t.sku IS NOT NULL AND t.f->>'promised_price' IS NOT NULL
UNION ALL
SELECT x.ref, x.entity, x.system, x.sku, x.sku_text, x.name, NULL, x.f->>'price', 'price', x.f->>'currency', '1',
       coalesce(x.f->>'customer_group', c.customer_group),
       greatest(coalesce(x.f->>'valid_from', left(x.f->>'starts_at', 10)), (SELECT today FROM asked)), NULL, NULL, NULL,
       c.id, CASE WHEN x.f->>'customer_group' IS NULL THEN c.groups END, false
FROM facts AS x LEFT JOIN known AS c ON c.ref = x.f->>'account'
WHERE NOT x.master AND x.entity = 'promotion' AND x.sku IS NOT NULL
  AND coalesce(x.f->>'valid_to', left(x.f->>'ends_at', 10), '9999-12-31') >= (SELECT today FROM asked)
UNION ALL
SELECT ref, entity, system, sku, sku_text, NULL, NULL, f->>'amount', 'amount', f->>'currency',
       coalesce(f->>'min_quantity', '1'), f->>'customer_group', greatest(f->>'valid_from', (SELECT today FROM asked)),
       f->>'unit', f->>'tax_included', f->>'tax_rate', NULL, NULL, false
FROM facts WHERE NOT master AND entity = 'price' AND sku IS NOT NULL
  AND coalesce(f->>'valid_to', '9999-12-31') >= (SELECT today FROM asked);
"""


def catalog(products: pa.Table, listed: pa.Table, lines: pa.Table, promotions: pa.Table | None = None) -> pa.Table:
    """Findings of KINDS. A product twice in one stream of a channel is told of each; a price by what would explain it
    (see `prices`)."""
    con = connection()
    try:
        offers = PROMOTIONS.empty_table() if promotions is None else promotions
        for name, table in (("products", products), ("prices", listed), ("lines", lines), ("promotions", offers)):
            con.register(name, table)
        prices.judge(con)
        return con.sql(_FOUND).to_arrow_table()
    finally:
        con.close()


_FOUND = """
WITH found AS (
    SELECT 'sku_unknown' AS kind, entity, system, ref, 'sku' AS field, sku_text AS theirs, NULL::VARCHAR AS expected,
           '{}' AS detail
    FROM lines WHERE sku IS NOT NULL AND sku NOT IN (SELECT sku FROM products)
    UNION ALL
    SELECT CASE p.status WHEN 'draft' THEN 'sku_unreleased' ELSE 'sku_discontinued' END, s.entity, s.system, s.ref,
           'status', s.status, p.status, '{}'
    FROM lines AS s JOIN products AS p USING (sku)
    WHERE s.entity = 'product' AND s.status = 'active' AND p.status IN ('discontinued', 'draft')
    UNION ALL
    SELECT 'sku_duplicate', entity, system, ref, 'sku', sku_text, NULL,
           to_json({cause: 'sku:' || sku, also: list_sort(list_filter(refs, lambda other: other <> ref))})::VARCHAR
    FROM (SELECT *, list(ref) OVER (PARTITION BY system, split_part(ref, '/', 2), sku) AS refs
          FROM lines WHERE entity = 'product' AND coalesce(status, 'active') = 'active')
    WHERE len(refs) > 1
    UNION ALL
    SELECT kind, entity, system, ref, field, theirs, expected, detail FROM price_findings
)
SELECT kind, entity, system, ref, field, NULL::VARCHAR AS golden_id, theirs, expected, detail
FROM found ORDER BY kind, ref, field
"""

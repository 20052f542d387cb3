"""Promotions: each offer of a channel, held against the master's of the same code, or of the same name where it says
no code.

    offer ─▶ the master's rows of its code ─▶ its products ─▶ its customer groups ─▶ its days ─▶ its discount
                    │ none                      │ not among    │ another           │ wider     │ another
                    unknown                     product        group               expired     differs

Of the master's rows of a code, an offer is held against the one it has most in common with; its discount, product by
product. What a channel says nothing of is not judged, and an offer that is over there is over. A channel may offer less
than the master: to fewer customers, for fewer products and days. A row of the master without a product, a group or a
day is for all of them.

A discount is a percentage or an amount off, and an amount goes off each piece unless something else is told. Two
amounts are held against each other in one currency. An amount is held against a percentage by the price of the product
in the master's lists, for the group and on the day; where there is none, it is not judged. What gives goods or shipping
away has no discount to judge, and what only an app can work out is told as unclear, once it is known for which
promotion it stands.

A channel's days are the master's, in the master's time zone: what ends at midnight ended the day before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.compare import prices
from omnihub.engine import connection
from omnihub.fields.several import BETWEEN
from omnihub.model import Entity, Kind

KINDS = (
    "promotion_unknown", "promotion_product", "promotion_group", "promotion_expired", "promotion_differs",
    "promotion_unclear",
)  # fmt: skip
"""All that can be found here."""

_DISCOUNT = ("discount", "discount_amount", "currency", "discount_on")

MASTERED = pa.schema(
    [(n, pa.string()) for n in ("ref", "code", "name", "sku", "customer_group", *_DISCOUNT, "valid_from", "valid_to")]
)
"""The master's rows: one a product and group of a promotion. `code` and `name` as `named` writes them; days are
inclusive."""

OFFERS = pa.schema(
    [
        *((n, pa.string()) for n in ("ref", "system", "code", "name", "code_text", "name_text", "sku_text")),
        ("skus", pa.list_(pa.string())),
        ("all_products", pa.bool_()),
        ("groups", pa.list_(pa.string())),
        ("all_customers", pa.bool_()),
        ("customers", pa.int64()),
        *((n, pa.string()) for n in ("group_field", "customer", "gives", *_DISCOUNT, "begins", "ends")),
        *((n, pa.string()) for n in ("begins_text", "ends_text", "begins_field", "ends_field", "sku_field")),
    ]
)
"""What channels offer. skus: comparison keys. groups: those that are named, and those of the customers that are.
begins, ends: days of the master's; the fields and texts are what they were said in. customers: how many it is made to
by name; customer: the golden id of the one, where it is an account."""

LISTED = pa.schema(
    [(n, pa.string()) for n in ("sku", "customer_group", "currency", "amount", "valid_from", "valid_to")]
)
"""The master's prices of one piece, or whatever its unit is, without tax."""

Offered = tuple[pa.Table, pa.Table, pa.Table, pa.Table]


def offers(
    rows: pa.Table, believed: pa.Table, accounts: pa.Table, masters: Sequence[str], zone: str = "UTC"
) -> Offered:
    """(MASTERED, OFFERS, SKUs of the master, LISTED) for `promotions`, of living refined records.

    rows: (ref, entity, system, fields …) of promotions, products and prices. believed, accounts: as for
    `catalog.context`.
    """
    con = connection()
    try:
        for name, table in (("rows", rows), ("believed", believed), ("accounts", accounts)):
            con.register(name, table)
        con.register("masters", pa.table({"system": pa.array(masters, pa.string())}))
        con.register("asked", pa.table({"zone": [zone]}))
        con.execute(_SAID)
        con.register("keys", _keys(con))
        con.execute(_SIDES)
        return (
            con.sql(f"SELECT {', '.join(MASTERED.names)} FROM mastered").to_arrow_table(),
            con.sql(f"SELECT {', '.join(OFFERS.names)} FROM offers").to_arrow_table(),
            con.sql("SELECT DISTINCT sku FROM products WHERE sku IS NOT NULL").to_arrow_table(),
            con.sql(f"SELECT {', '.join(LISTED.names)} FROM listed").to_arrow_table(),
        )
    finally:
        con.close()


def _keys(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """SKUs as they are compared."""
    texts: list[str] = con.sql("SELECT DISTINCT text FROM said_skus").to_arrow_table().column("text").to_pylist()
    keys = [fields.key(Kind.SKU, text) for text in texts]
    return pa.table({"text": pa.array(texts, pa.string()), "key": pa.array(keys, pa.string())})


def named(text: str) -> str:
    """SQL: a code or a name as it is compared, without regard for capitals and blanks."""
    return f"nullif(upper(trim(regexp_replace({text}, '\\s+', ' ', 'g'))), '')"


def said_skus(fields: str) -> str:
    """SQL: the texts of all the SKUs that a promotion names, of the one field and the other."""
    return f"string_split(nullif(concat_ws(', ', {fields}->>'sku', {fields}->>'skus'), ''), ', ')"


_SAID = f"""
CREATE TEMP TABLE facts AS
SELECT ref, system, entity, system IN (SELECT system FROM masters) AS master, f, {said_skus("f")} AS sku_texts
FROM (SELECT *, fields::JSON AS f FROM rows)
WHERE entity IN ('{Entity.PROMOTION}', '{Entity.PRODUCT}') OR entity = '{Entity.PRICE}' AND system IN (FROM masters);
CREATE TEMP TABLE said_skus AS SELECT unnest(sku_texts) AS text FROM facts;
"""

# A moment is of the day it lies in where the master is; the last of an end is just before it.
_SIDES = f"""
CREATE OR REPLACE TEMP MACRO day_of(moment, less) AS
    (timezone((SELECT zone FROM asked), try_cast(moment AS TIMESTAMPTZ) - to_seconds(less))::DATE)::VARCHAR;
CREATE TEMP TABLE products AS
SELECT k.key AS sku, x.f->>'unit' AS unit
FROM facts AS x JOIN keys AS k ON k.text = x.f->>'sku' WHERE x.master AND x.entity = 'product';
CREATE TEMP TABLE listed AS
SELECT k.key AS sku, coalesce(nullif(x.f->>'customer_group', ''), '{prices.EVERYONE}') AS customer_group,
       x.f->>'currency' AS currency, x.f->>'amount' AS amount, x.f->>'valid_from' AS valid_from,
       x.f->>'valid_to' AS valid_to
FROM facts AS x JOIN keys AS k ON k.text = x.f->>'sku'
WHERE x.master AND x.entity = 'price' AND coalesce(try_cast(x.f->>'min_quantity' AS DOUBLE), 1) <= 1
  AND coalesce(x.f->>'tax_included', 'false') <> 'true'
  AND NOT EXISTS (FROM products AS p WHERE p.sku = k.key AND p.unit <> x.f->>'unit');
CREATE TEMP TABLE grouped AS
SELECT ref, string_split(nullif(concat_ws('{BETWEEN}', nullif(f->>'customer_group', ''), f->>'customer_groups'), ''),
                         '{BETWEEN}') AS groups,
       string_split(f->>'contacts', '{BETWEEN}') AS contacts
FROM facts WHERE entity = 'promotion';
CREATE TEMP TABLE mastered AS
SELECT x.ref, {named("x.f->>'code'")} AS code, {named("x.f->>'name'")} AS name, k.key AS sku, x.customer_group,
       x.f->>'discount' AS discount, x.f->>'discount_amount' AS discount_amount, x.f->>'currency' AS currency,
       x.f->>'discount_on' AS discount_on, x.f->>'valid_from' AS valid_from, x.f->>'valid_to' AS valid_to
FROM (SELECT *, unnest(CASE WHEN len(sku_texts) > 0 THEN sku_texts ELSE [NULL] END) AS sku_text
      FROM (SELECT facts.*, unnest(coalesce(g.groups, [NULL])) AS customer_group
            FROM facts JOIN grouped AS g USING (ref) WHERE master AND entity = 'promotion')) AS x
LEFT JOIN keys AS k ON k.text = x.sku_text;
CREATE TEMP TABLE belongs AS
SELECT b.ref, a.id, (a.fields::JSON)->>'customer_group' AS customer_group
FROM believed AS b JOIN accounts AS a
  ON a.id = CASE WHEN b.entity = 'account' THEN b.golden_id ELSE (b.fields::JSON)->>'account' END;
CREATE TEMP TABLE people AS
SELECT u.ref, list_sort(list(DISTINCT b.customer_group)) AS groups
FROM (SELECT ref, unnest(contacts) AS contact FROM grouped) AS u JOIN belongs AS b ON b.ref = u.contact
WHERE b.customer_group <> '' GROUP BY u.ref;
CREATE TEMP TABLE offers AS
SELECT x.ref, x.system, {named("x.f->>'code'")} AS code, {named("x.f->>'name'")} AS name, x.f->>'code' AS code_text,
       x.f->>'name' AS name_text, coalesce(x.f->>'skus', x.f->>'sku') AS sku_text,
       coalesce(n.keys, []) AS skus,
       coalesce(x.f->>'all_products' = 'true', false) AS all_products,
       list_distinct(coalesce(g.groups, CASE WHEN b.customer_group <> '' THEN [b.customer_group] END, [])
                     || coalesce(w.groups, [])) AS groups,
       coalesce(x.f->>'all_customers' = 'true', false) AS all_customers,
       CASE WHEN b.id IS NULL THEN coalesce(len(g.contacts), 0) ELSE 1 END AS customers,
       CASE WHEN x.f->>'customer_group' IS NOT NULL THEN 'customer_group'
            WHEN g.groups IS NOT NULL THEN 'customer_groups'
            WHEN x.f->>'account' IS NOT NULL THEN 'account' WHEN w.groups IS NOT NULL THEN 'contacts'
            ELSE 'customer_group' END AS group_field,
       b.id AS customer, coalesce(x.f->>'gives', 'discount') AS gives, x.f->>'discount' AS discount,
       x.f->>'discount_amount' AS discount_amount, x.f->>'currency' AS currency, x.f->>'discount_on' AS discount_on,
       coalesce(x.f->>'valid_from', day_of(x.f->>'starts_at', 0)) AS begins,
       coalesce(x.f->>'valid_to', day_of(x.f->>'ends_at', 1)) AS ends,
       coalesce(x.f->>'valid_from', x.f->>'starts_at') AS begins_text,
       coalesce(x.f->>'valid_to', x.f->>'ends_at') AS ends_text,
       CASE WHEN x.f->>'valid_from' IS NULL AND x.f->>'starts_at' IS NOT NULL THEN 'starts_at' ELSE 'valid_from' END
           AS begins_field,
       CASE WHEN x.f->>'valid_to' IS NULL AND coalesce(x.f->>'ends_at', x.f->>'starts_at') IS NOT NULL THEN 'ends_at'
            ELSE 'valid_to' END AS ends_field,
       CASE WHEN x.f->>'sku' IS NULL THEN 'skus' ELSE 'sku' END AS sku_field
FROM facts AS x JOIN grouped AS g USING (ref) LEFT JOIN belongs AS b ON b.ref = x.f->>'account'
LEFT JOIN people AS w ON w.ref = x.ref
LEFT JOIN (SELECT u.ref, list(DISTINCT k.key) AS keys FROM (SELECT ref, unnest(sku_texts) AS text FROM facts) AS u
           JOIN keys AS k USING (text) GROUP BY u.ref) AS n ON n.ref = x.ref
WHERE NOT x.master AND x.entity = 'promotion';
"""


def apart(promoted: Sequence[dict[str, Any]], priced: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Both kinds of findings, without the price of an offer that is wrong itself: that is one cause. Once the offer is
    put right, its price is looked at again."""
    wrong = {one["ref"] for one in promoted}
    return [*promoted, *(one for one in priced if one["ref"] not in wrong or one["kind"] not in prices.KINDS)]


def promotions(mastered: pa.Table, said: pa.Table, skus: pa.Table, listed: pa.Table, today: str) -> pa.Table:
    """Findings of KINDS. skus: those of the master's products (`sku`), as comparison keys; of one it does not know
    something else is said. listed: as LISTED. today: an ISO day."""
    con = connection()
    try:
        for name, table in (("mastered", mastered), ("said", said), ("skus", skus), ("listed", listed)):
            con.register(name, table)
        con.register("asked", pa.table({"today": [today]}))
        con.execute(_JUDGE)
        con.execute(_DISCOUNTS)
        return con.sql(_FOUND).to_arrow_table()
    finally:
        con.close()


# An offer and the master's rows of its name; the row it has most in common with; what is not in any row. Of a product
# or a group that an offer does not name, '' stands for any; of one that a row does not name, '*' for all.
_JUDGE = f"""
CREATE TEMP TABLE living AS
SELECT s.*, coalesce(s.code, s.name) AS known_as,
       CASE WHEN gives = 'discount' THEN try_cast(s.discount AS DOUBLE) END AS percent,
       CASE WHEN gives = 'discount' THEN try_cast(s.discount_amount AS DOUBLE) END AS amount,
       greatest(s.begins, (SELECT today FROM asked)) AS day
FROM said AS s
WHERE coalesce(s.code, s.name) IS NOT NULL AND coalesce(s.ends, '9999-12-31') >= (SELECT today FROM asked);
CREATE TEMP TABLE rows_of AS
SELECT s.ref, row_number() OVER (ORDER BY s.ref, m.ref, m.sku, m.customer_group) AS n, m.ref AS row, m.sku,
       m.customer_group, m.valid_from, m.valid_to, try_cast(m.discount AS DOUBLE) AS percent, m.discount,
       try_cast(m.discount_amount AS DOUBLE) AS amount, m.discount_amount, m.discount_on, m.currency,
       m.sku IS NULL OR len(s.skus) = 0 OR list_contains(s.skus, m.sku) AS of_product,
       m.customer_group IS NULL
       OR NOT s.all_customers AND (len(s.groups) = 0 OR list_contains(s.groups, m.customer_group)) AS of_group,
       coalesce(s.begins >= m.valid_from, true) AND coalesce(s.ends <= m.valid_to, m.valid_to IS NULL) AS of_days
FROM living AS s JOIN mastered AS m ON CASE WHEN s.code IS NULL THEN m.name = s.name ELSE m.code = s.code END;
CREATE TEMP TABLE nearest AS
SELECT DISTINCT ON (ref) * FROM rows_of
ORDER BY ref, of_product DESC, of_group DESC, of_days DESC, coalesce(valid_to, '9999-12-31') DESC, n;
CREATE TEMP TABLE goods AS  -- what an offer is for and the master has in it
SELECT u.ref, u.sku FROM (SELECT ref, unnest(skus) AS sku FROM living) AS u
WHERE (u.ref, u.sku) IN (SELECT ref, sku FROM rows_of) OR u.ref IN (SELECT ref FROM rows_of WHERE sku IS NULL);
CREATE TEMP TABLE strangers AS  -- products of an offer that are in no row of its name
SELECT u.ref, list_sort(list(DISTINCT u.sku)) AS keys
FROM (SELECT ref, unnest(skus) AS sku FROM living) AS u SEMI JOIN skus ON skus.sku = u.sku
ANTI JOIN goods AS r ON r.ref = u.ref AND r.sku = u.sku
WHERE u.ref IN (SELECT ref FROM rows_of) GROUP BY u.ref;
CREATE TEMP TABLE asked_for AS
SELECT ref, sku FROM goods UNION ALL SELECT ref, '' FROM living WHERE ref NOT IN (SELECT ref FROM goods);
CREATE TEMP TABLE meant_for AS
SELECT DISTINCT ref, coalesce(sku, '*') AS sku, coalesce(customer_group, '*') AS customer_group FROM rows_of
UNION SELECT ref, '', coalesce(customer_group, '*') FROM rows_of;
CREATE TEMP TABLE outsiders AS  -- groups of an offer that one of its products is for in no row
SELECT p.ref, list_sort(list(DISTINCT p.customer_group)) AS groups
FROM (SELECT ref, sku, unnest(groups) AS customer_group FROM asked_for JOIN living USING (ref)) AS p
WHERE p.ref IN (SELECT ref FROM rows_of) AND NOT EXISTS (
    FROM meant_for AS r WHERE r.ref = p.ref AND r.sku = p.sku AND r.customer_group = p.customer_group)
AND NOT EXISTS (FROM meant_for AS r WHERE r.ref = p.ref AND r.sku = p.sku AND r.customer_group = '*')
AND NOT EXISTS (FROM meant_for AS r WHERE r.ref = p.ref AND r.sku = '*' AND r.customer_group = p.customer_group)
AND NOT EXISTS (FROM meant_for AS r WHERE r.ref = p.ref AND r.sku = '*' AND r.customer_group = '*')
GROUP BY p.ref;
CREATE TEMP TABLE meant AS
SELECT ref, string_agg(DISTINCT customer_group, '{BETWEEN}' ORDER BY customer_group) AS groups
FROM rows_of GROUP BY ref;
"""

# An amount and a percentage are the same discount where the price of the product makes them so: to the cent, or as
# far as a percentage is told. Where two lists hold at once, either will do.
_DISCOUNTS = f"""
CREATE TEMP TABLE beside AS
SELECT a.ref, a.sku, r.n, r.of_group, r.of_days, r.valid_to, s.percent, s.amount, r.percent AS right_percent,
       r.amount AS right_amount, s.discount_on, r.discount_on AS right_on, s.day,
       CASE WHEN s.amount IS NOT NULL AND r.amount IS NOT NULL
            THEN coalesce(s.currency = r.currency, true) ELSE true END AS same_currency,
       CASE WHEN s.amount IS NULL THEN r.currency ELSE s.currency END AS currency,
       coalesce(r.customer_group, s.groups[1], '{prices.EVERYONE}') AS customer_group,
       'order' NOT IN (coalesce(s.discount_on, ''), coalesce(r.discount_on, '')) AS each_piece
FROM asked_for AS a JOIN living AS s USING (ref) JOIN rows_of AS r
  ON r.ref = a.ref AND (a.sku = '' OR r.sku IS NULL OR r.sku = a.sku)
WHERE coalesce(s.percent, s.amount) IS NOT NULL AND coalesce(r.percent, r.amount) IS NOT NULL;
CREATE TEMP TABLE worth AS
SELECT b.ref, b.sku, b.n, arg_max(l.price, l.row) AS price,
       bool_or(abs(b.off - l.price * b.share / 100) <= 0.0101 OR abs(b.off / l.price * 100 - b.share) <= 0.05) AS same
FROM (SELECT *, coalesce(amount, right_amount) AS off, coalesce(percent, right_percent) AS share FROM beside
      WHERE each_piece AND (amount IS NULL) <> (right_amount IS NULL) AND (percent IS NULL) <> (right_percent IS NULL)
     ) AS b JOIN (
    SELECT *, try_cast(amount AS DOUBLE) AS price, (coalesce(valid_from, ''), price) AS row FROM listed
    WHERE try_cast(amount AS DOUBLE) > 0) AS l
  ON l.sku = b.sku AND l.customer_group = b.customer_group AND l.currency = b.currency
 AND b.day BETWEEN coalesce(l.valid_from, b.day) AND coalesce(l.valid_to, b.day)
GROUP BY b.ref, b.sku, b.n;
CREATE TEMP TABLE compared AS
SELECT b.*, w.price, CASE
    WHEN b.percent IS NOT NULL AND b.right_percent IS NOT NULL THEN abs(b.percent - b.right_percent) <= 0.005
    WHEN b.amount IS NOT NULL AND b.right_amount IS NOT NULL AND b.same_currency
        THEN abs(b.amount - b.right_amount) <= 0.005 AND coalesce(b.discount_on = b.right_on, true)
    ELSE w.same END AS same
FROM beside AS b LEFT JOIN worth AS w USING (ref, sku, n);
CREATE TEMP TABLE discounted AS  -- of each product the row that is nearest, then of all of these one that differs
SELECT DISTINCT ON (ref) * FROM (
    SELECT DISTINCT ON (ref, sku) * FROM compared
    ORDER BY ref, sku, of_group DESC, of_days DESC, CASE WHEN same THEN 0 WHEN NOT same THEN 1 ELSE 2 END,
             coalesce(valid_to, '9999-12-31') DESC, n)
WHERE NOT same ORDER BY ref, sku;
"""

_FOUND = """
WITH judged AS (
    SELECT s.*, n.row, n.valid_from, n.valid_to, x.keys AS strange, n.sku IS NULL AS whole, g.groups AS right_groups,
           o.groups AS outsiders, all_customers AND n.customer_group IS NOT NULL AS too_many,
           (SELECT today FROM asked) AS today
    FROM living AS s LEFT JOIN nearest AS n USING (ref) LEFT JOIN strangers AS x USING (ref)
    LEFT JOIN outsiders AS o USING (ref) LEFT JOIN meant AS g USING (ref)),
found AS (
    SELECT 'promotion_unknown' AS kind, ref, CASE WHEN code IS NULL THEN 'name' ELSE 'code' END AS field,
           coalesce(code_text, name_text) AS theirs, NULL::VARCHAR AS expected, begins AS since
    FROM judged WHERE row IS NULL
    UNION ALL
    SELECT 'promotion_product', ref, sku_field, CASE WHEN all_products THEN 'all' ELSE sku_text END, NULL, begins
    FROM judged WHERE row IS NOT NULL AND (strange IS NOT NULL OR all_products AND NOT whole)
    UNION ALL
    SELECT 'promotion_group', ref, group_field,
           CASE WHEN too_many THEN 'all' ELSE array_to_string(outsiders, ';') END, right_groups, begins
    FROM judged WHERE row IS NOT NULL AND (too_many OR outsiders IS NOT NULL)
    UNION ALL  -- the end first: of days that are moved, it is what can still be put right
    SELECT 'promotion_expired', ref, CASE WHEN late THEN ends_field ELSE begins_field END,
           CASE WHEN late THEN ends_text ELSE begins_text END, CASE WHEN late THEN valid_to ELSE valid_from END,
           CASE WHEN late THEN valid_to ELSE coalesce(begins, today) END
    FROM (SELECT *, CASE WHEN ends IS NOT NULL THEN ends > valid_to
                         WHEN begins IS NOT NULL THEN valid_to IS NOT NULL
                         ELSE valid_to < today END AS late
          FROM judged WHERE row IS NOT NULL)
    WHERE coalesce(late, false) OR coalesce(coalesce(begins, today) < valid_from, false)
    UNION ALL
    SELECT 'promotion_differs', d.ref,
           CASE WHEN d.amount IS NULL THEN 'discount'
                WHEN d.right_amount IS NOT NULL AND d.discount_on <> d.right_on THEN 'discount_on'
                ELSE 'discount_amount' END AS field,
           CASE field WHEN 'discount' THEN j.discount WHEN 'discount_on' THEN d.discount_on ELSE j.discount_amount END,
           CASE WHEN field = 'discount_on' THEN d.right_on
                WHEN d.amount IS NULL AND d.right_percent IS NOT NULL THEN r.discount
                WHEN d.amount IS NOT NULL AND d.right_amount IS NOT NULL THEN r.discount_amount
                WHEN d.amount IS NULL THEN round(d.right_amount / d.price * 100, 2)::DECIMAL(18, 2)::VARCHAR
                ELSE round(d.price * d.right_percent / 100, 2)::DECIMAL(18, 2)::VARCHAR END,
           j.begins
    FROM discounted AS d JOIN judged AS j USING (ref) JOIN rows_of AS r ON r.n = d.n
    UNION ALL
    SELECT 'promotion_unclear', ref, 'gives', gives, NULL, begins
    FROM judged WHERE row IS NOT NULL AND gives = 'app'
)
SELECT f.kind, 'promotion' AS entity, s.system, f.ref, f.field, NULL::VARCHAR AS golden_id, f.theirs, f.expected,
       to_json({
           promotion: coalesce(s.code_text, s.name_text), since: f.since,
           products: CASE WHEN f.kind = 'promotion_product' THEN s.strange END,
           customers: s.customers, customer: s.customer,
           cause: 'promotion:' || s.known_as})::VARCHAR AS detail
FROM found AS f JOIN judged AS s USING (ref) ORDER BY f.kind, f.ref, f.field
"""

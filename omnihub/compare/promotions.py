"""Promotions: each offer of a channel, held against the master's of the same code, or of the same name where it says
no code.

    offer ─▶ the master's rows of its code ─▶ its product ─▶ its customer group ─▶ its days ─▶ its discount
                    │ none                      │ not among   │ another         │ wider     │ another
                    unknown                     product       group             expired     differs

Of the master's rows of a code, an offer is held against the one it has most in common with. What a channel says
nothing of is not judged, and an offer that is over there is over. A channel may offer less than the master: to fewer
customers, for fewer products and days. A row of the master without a product, a group or a day is for all of them.

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
from omnihub.model import Entity, Kind

KINDS = ("promotion_unknown", "promotion_product", "promotion_group", "promotion_expired", "promotion_differs")
"""All that can be found here."""

MASTERED = pa.schema(
    [
        (name, pa.string())
        for name in ("ref", "code", "name", "sku", "customer_group", "discount", "valid_from", "valid_to")
    ]
)
"""The master's rows: one a product of a promotion. `code` and `name` as `named` writes them; days are inclusive."""

OFFERS = pa.schema(
    [
        *((n, pa.string()) for n in ("ref", "system", "code", "name", "code_text", "name_text", "sku_text")),
        ("skus", pa.list_(pa.string())),
        ("all_products", pa.bool_()),
        ("all_customers", pa.bool_()),
        *((n, pa.string()) for n in ("customer_group", "group_field", "customer", "discount", "begins", "ends")),
        *((n, pa.string()) for n in ("begins_text", "ends_text", "begins_field", "ends_field", "sku_field")),
    ]
)
"""What channels offer. skus: comparison keys. begins, ends: days of the master's; the fields and texts are what they
were said in. customer: the golden id of the one it is made to."""


def offers(
    rows: pa.Table, believed: pa.Table, accounts: pa.Table, masters: Sequence[str], zone: str = "UTC"
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """(MASTERED, OFFERS, SKUs of the master) for `promotions`, of living refined records.

    rows: (ref, entity, system, fields …) of promotions and products. believed, accounts: as for `catalog.context`.
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
FROM (SELECT *, fields::JSON AS f FROM rows) WHERE entity IN ('{Entity.PROMOTION}', '{Entity.PRODUCT}');
CREATE TEMP TABLE said_skus AS SELECT unnest(sku_texts) AS text FROM facts;
"""

# A moment is of the day it lies in where the master is; the last of an end is just before it.
_SIDES = f"""
CREATE OR REPLACE TEMP MACRO day_of(moment, less) AS
    (timezone((SELECT zone FROM asked), try_cast(moment AS TIMESTAMPTZ) - to_seconds(less))::DATE)::VARCHAR;
CREATE TEMP TABLE products AS
SELECT k.key AS sku FROM facts AS x JOIN keys AS k ON k.text = x.f->>'sku' WHERE x.master AND x.entity = 'product';
CREATE TEMP TABLE mastered AS
SELECT x.ref, {named("x.f->>'code'")} AS code, {named("x.f->>'name'")} AS name, k.key AS sku,
       nullif(x.f->>'customer_group', '') AS customer_group, x.f->>'discount' AS discount,
       x.f->>'valid_from' AS valid_from, x.f->>'valid_to' AS valid_to
FROM (SELECT *, unnest(CASE WHEN len(sku_texts) > 0 THEN sku_texts ELSE [NULL] END) AS sku_text FROM facts
      WHERE master AND entity = 'promotion') AS x LEFT JOIN keys AS k ON k.text = x.sku_text;
CREATE TEMP TABLE belongs AS
SELECT b.ref, a.id, (a.fields::JSON)->>'customer_group' AS customer_group
FROM believed AS b JOIN accounts AS a ON a.id = b.golden_id WHERE b.entity = 'account';
CREATE TEMP TABLE offers AS
SELECT x.ref, x.system, {named("x.f->>'code'")} AS code, {named("x.f->>'name'")} AS name, x.f->>'code' AS code_text,
       x.f->>'name' AS name_text, coalesce(x.f->>'skus', x.f->>'sku') AS sku_text,
       coalesce(n.keys, []) AS skus,
       coalesce(x.f->>'all_products' = 'true', false) AS all_products,
       coalesce(x.f->>'customer_group', b.customer_group) AS customer_group,
       coalesce(x.f->>'all_customers' = 'true', false) AS all_customers,
       CASE WHEN x.f->>'account' IS NULL OR x.f->>'customer_group' IS NOT NULL THEN 'customer_group' ELSE 'account' END
           AS group_field,
       b.id AS customer, x.f->>'discount' AS discount,
       coalesce(x.f->>'valid_from', day_of(x.f->>'starts_at', 0)) AS begins,
       coalesce(x.f->>'valid_to', day_of(x.f->>'ends_at', 1)) AS ends,
       coalesce(x.f->>'valid_from', x.f->>'starts_at') AS begins_text,
       coalesce(x.f->>'valid_to', x.f->>'ends_at') AS ends_text,
       CASE WHEN x.f->>'valid_from' IS NULL AND x.f->>'starts_at' IS NOT NULL THEN 'starts_at' ELSE 'valid_from' END
           AS begins_field,
       CASE WHEN x.f->>'valid_to' IS NULL AND coalesce(x.f->>'ends_at', x.f->>'starts_at') IS NOT NULL THEN 'ends_at'
            ELSE 'valid_to' END AS ends_field,
       CASE WHEN x.f->>'sku' IS NULL THEN 'skus' ELSE 'sku' END AS sku_field
FROM facts AS x LEFT JOIN belongs AS b ON b.ref = x.f->>'account'
LEFT JOIN (SELECT u.ref, list(DISTINCT k.key) AS keys FROM (SELECT ref, unnest(sku_texts) AS text FROM facts) AS u
           JOIN keys AS k USING (text) GROUP BY u.ref) AS n ON n.ref = x.ref
WHERE NOT x.master AND x.entity = 'promotion';
"""


def apart(promoted: Sequence[dict[str, Any]], priced: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Both kinds of findings, without the price of an offer that is wrong itself: that is one cause. Once the offer is
    put right, its price is looked at again."""
    wrong = {one["ref"] for one in promoted}
    return [*promoted, *(one for one in priced if one["ref"] not in wrong or one["kind"] not in prices.KINDS)]


def promotions(mastered: pa.Table, said: pa.Table, skus: pa.Table, today: str) -> pa.Table:
    """Findings of KINDS. skus: those of the master's products (`sku`), as comparison keys; of one it does not know
    something else is said. today: an ISO day."""
    con = connection()
    try:
        for name, table in (("mastered", mastered), ("said", said), ("skus", skus)):
            con.register(name, table)
        con.register("asked", pa.table({"today": [today]}))
        con.execute(_JUDGE)
        return con.sql(_FOUND).to_arrow_table()
    finally:
        con.close()


# An offer and the master's rows of its name; the row it has most in common with; what is not in any row.
_JUDGE = """
CREATE TEMP TABLE living AS
SELECT s.*, try_cast(s.discount AS DOUBLE) AS percent, coalesce(s.code, s.name) AS known_as
FROM said AS s
WHERE coalesce(s.code, s.name) IS NOT NULL AND coalesce(s.ends, '9999-12-31') >= (SELECT today FROM asked);
CREATE TEMP TABLE rows_of AS
SELECT s.ref, m.ref AS row, m.sku, m.customer_group, try_cast(m.discount AS DOUBLE) AS percent, m.discount,
       m.valid_from, m.valid_to, m.name,
       m.sku IS NULL OR len(s.skus) = 0 OR list_contains(s.skus, m.sku) AS of_product,
       m.customer_group IS NULL
       OR NOT s.all_customers AND coalesce(m.customer_group = s.customer_group, true) AS of_group,
       coalesce(s.begins >= m.valid_from, true) AND coalesce(s.ends <= m.valid_to, m.valid_to IS NULL) AS of_days,
       coalesce(s.percent = try_cast(m.discount AS DOUBLE), true) AS of_discount
FROM living AS s JOIN mastered AS m ON CASE WHEN s.code IS NULL THEN m.name = s.name ELSE m.code = s.code END;
CREATE TEMP TABLE nearest AS
SELECT DISTINCT ON (ref) * FROM rows_of
ORDER BY ref, of_product DESC, of_group DESC, of_days DESC, of_discount DESC,
         coalesce(valid_to, '9999-12-31') DESC, row;
CREATE TEMP TABLE strangers AS  -- products of an offer that are in no row of its name
SELECT u.ref, list_sort(list(DISTINCT u.sku)) AS keys
FROM (SELECT ref, unnest(skus) AS sku FROM living) AS u SEMI JOIN skus ON skus.sku = u.sku
ANTI JOIN rows_of AS r ON r.ref = u.ref AND r.sku = u.sku
WHERE u.ref NOT IN (SELECT ref FROM rows_of WHERE sku IS NULL) GROUP BY u.ref;
"""

_FOUND = """
WITH judged AS (
    SELECT s.*, n.row, n.percent AS right_percent, n.discount AS right_discount, n.customer_group AS right_group,
           n.valid_from, n.valid_to, n.name AS right_name, n.of_group, x.keys AS strange, n.sku IS NULL AS whole,
           (SELECT today FROM asked) AS today
    FROM living AS s LEFT JOIN nearest AS n USING (ref) LEFT JOIN strangers AS x USING (ref)),
found AS (
    SELECT 'promotion_unknown' AS kind, ref, CASE WHEN code IS NULL THEN 'name' ELSE 'code' END AS field,
           coalesce(code_text, name_text) AS theirs, NULL::VARCHAR AS expected, begins AS since
    FROM judged WHERE row IS NULL
    UNION ALL
    SELECT 'promotion_product', ref, sku_field, CASE WHEN all_products THEN 'all' ELSE sku_text END, NULL, begins
    FROM judged WHERE row IS NOT NULL AND (strange IS NOT NULL OR all_products AND NOT whole)
    UNION ALL
    SELECT 'promotion_group', ref, group_field, CASE WHEN all_customers THEN 'all' ELSE customer_group END, right_group,
           begins
    FROM judged WHERE row IS NOT NULL AND NOT of_group
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
    SELECT 'promotion_differs', ref, 'discount', discount, right_discount, begins
    FROM judged WHERE row IS NOT NULL AND abs(percent - right_percent) > 0.005
)
SELECT f.kind, 'promotion' AS entity, s.system, f.ref, f.field, NULL::VARCHAR AS golden_id, f.theirs, f.expected,
       to_json({
           promotion: coalesce(s.code_text, s.name_text), since: f.since,
           products: CASE WHEN f.kind = 'promotion_product' THEN s.strange END,
           customers: CASE WHEN s.customer IS NULL THEN 0 ELSE 1 END, customer: s.customer,
           cause: 'promotion:' || s.known_as})::VARCHAR AS detail
FROM found AS f JOIN judged AS s USING (ref) ORDER BY f.kind, f.ref, f.field
"""

"""Assortment: what the master says a system sells, beside what that system offers.

A product is there if it is offered under its SKU, its GTIN or its name: under a wrong SKU it is not missing, and
another finding tells of that. Nothing is missing where nobody has looked: only systems whose products were read as a
whole are judged.
"""

from __future__ import annotations

import pyarrow as pa

from omnihub.compare.links import SPOKEN, spoken_of
from omnihub.engine import connection

KIND = "product_missing"

OFFERED = pa.schema([(name, pa.string()) for name in ("ref", "entity", "system", "fields")])
"""Living products, and where they are."""

SELLERS = pa.schema([("word", pa.string()), ("system", pa.string())])
"""What the master calls a channel, in small letters, and the system that is. Only systems that were read as a whole."""


def missing(products: pa.Table, offered: pa.Table, sellers: pa.Table) -> pa.Table:
    """Findings for the master's active products that a system does not offer though the master says it sells them.

    products: the master's; offered: of channels; both as OFFERED. The finding is about the master's record; its system
    is the one that has to see to it, and its field names that system: one product may be missing in two.
    """
    con = connection()
    try:
        for name, table in (("products", products), ("offered", offered), ("sellers", sellers)):
            con.register(name, table)
        con.register("wanted_as", spoken_of(products.select(SPOKEN.names)))
        con.register("offered_as", spoken_of(offered.select(SPOKEN.names)))
        return con.sql(_FOUND).to_arrow_table()
    finally:
        con.close()


_FOUND = f"""
WITH wanted AS (
    SELECT DISTINCT p.ref, s.system, p.f->>'sku' AS sku, p.f->>'name' AS name
    FROM (SELECT ref, f, unnest(string_split(f->>'sold_in', ';')) AS word
          FROM (SELECT ref, fields::JSON AS f FROM products) WHERE f->>'status' = 'active') AS p
    JOIN sellers AS s ON s.word = lower(p.word)),
there AS (
    SELECT DISTINCT w.ref, o.system
    FROM wanted_as AS w JOIN offered_as AS a ON a.target = w.target JOIN offered AS o ON o.ref = a.ref)
SELECT '{KIND}' AS kind, 'product' AS entity, w.system, w.ref, w.system AS field, NULL::VARCHAR AS golden_id,
       NULL::VARCHAR AS theirs, coalesce(w.sku, w.name) AS expected,
       to_json({{cause: 'sold_in:' || w.system, name: w.name}})::VARCHAR AS detail
FROM wanted AS w ANTI JOIN there AS t ON t.ref = w.ref AND t.system = w.system
ORDER BY w.ref, w.system
"""

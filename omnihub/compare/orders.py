"""Orders on their way: one order in the shop, the CRM, the portal and in what a ticket says of it, held together.

    copies of one number ─▶ which one is believed ─▶ the state the others give it   ─▶ order_state_differs
                                                 ├─▶ from where, to where, how      ─▶ order_delivery_differs
                                                 └─▶ what its stock point holds     ─▶ order_stock

**Who is believed:** the system the order was taken in and is delivered from. It is known by what it has to know for
that: the copy with the order's lines; among several, or where none has any, the one that tells most of the delivery.
Where the settings name systems, the first of these that has the number comes before all that. Where the system that is
believed has the number twice nobody knows which of the two is meant, and nothing is judged.

**What is late, and what is wrong:** states follow each other: open ▶ shipped ▶ delivered, open ▶ cancelled. A copy that
is behind and was not touched since the other moved on has until the end of the next day, for systems are told of each
other at night. A copy that was touched since, that is older than that, or that has what never was (shipped here,
cancelled there) is wrong. A ticket tells what a customer was told, and stays: it is wrong where it says what was no
longer so for more than a day, or was not so for more than a day to come, when the ticket was last changed.

What is not told is not judged. Of addresses and places all words are compared, whatever their order; one that only
says less, as the town alone, is no contradiction. An order asks for no more than its lines say; what others ask of the
same shelf is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.engine import connection
from omnihub.fields.addresses import address_words
from omnihub.fields.codes import order_number
from omnihub.model import Kind

KINDS = ("order_state_differs", "order_delivery_differs", "order_stock")
"""All that can be found here."""

COPIES = pa.schema([(n, pa.string()) for n in ("ref", "entity", "system", "fields", "times")])
"""Living orders and tickets. times: field → since when it has its value, UTC, as JSON. A record was last changed when
the youngest of its values came; what nobody reads of it makes no difference."""

BESIDE = pa.schema([(n, pa.string()) for n in ("ref", "system", "fields")])
"""Living lines of these orders, and living stock of what they sell."""

PLACES = ("stock_point", "delivery_point")
_NAMES = pa.list_(pa.string())


def orders(copies: pa.Table, lines: pa.Table, stock: pa.Table, today: str, believed: Sequence[str] = ()) -> pa.Table:
    """Findings of KINDS, one for each field of a copy; about stock, one for each order that is believed.

    copies: see COPIES; all of each number that occurs. lines, stock: see BESIDE. today: an ISO day. believed: systems,
    the first to be asked first; the copies tell it of the others.
    """
    con = connection()
    try:
        for name, table in (("copies", copies), ("lines", lines), ("stock", stock)):
            con.register(name, table)
        con.register("asked", pa.table({"today": [today], "believed": pa.array([list(believed)], _NAMES)}))
        con.execute(_SAID)
        con.register("numbers", _keyed(con, "SELECT number_text FROM said", order_number))
        places = " UNION ".join(f"SELECT {name} FROM said" for name in PLACES)
        con.register("worded", _worded(con, f"{places} UNION SELECT stock_point FROM shelves"))
        con.register("skus", _keyed(con, "SELECT sku FROM wanted UNION SELECT sku FROM shelves", _sku))
        con.execute(_BELIEVED)
        con.execute(_STATES)
        con.execute(_DELIVERIES)
        con.execute(_STOCK)
        return con.sql(_FOUND).to_arrow_table()
    finally:
        con.close()


def _sku(text: str) -> str:
    return fields.key(Kind.SKU, text)


def _texts(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [text for (text,) in con.sql(query).fetchall() if text is not None]


def _keyed(con: duckdb.DuckDBPyConnection, query: str, key: Callable[[str], str]) -> pa.Table:
    """(text, key) of each distinct text; what has no key is left out."""
    found = {text: key(text) for text in _texts(con, query)}
    told = {text: one for text, one in found.items() if one}
    return pa.table({"text": pa.array(told, pa.string()), "key": pa.array(told.values(), pa.string())})


def _worded(con: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """(text, words) of each distinct place or address."""
    found = {text: address_words(text) for text in _texts(con, query)}
    kinds = (pa.string(), pa.list_(pa.string()))
    return pa.table({"text": pa.array(found, kinds[0]), "words": pa.array(found.values(), kinds[1])})


# A system without a word of its own for it says by the time that an order was delivered.
_SAID = """
CREATE TEMP MACRO moment(told) AS try_cast(told AS TIMESTAMPTZ);
CREATE TEMP MACRO follows(late, early) AS
    (early = 'open' AND late IN ('shipped', 'delivered', 'cancelled')) OR (early = 'shipped' AND late = 'delivered');
CREATE TEMP TABLE said AS
SELECT ref, entity, system, coalesce(f->>'number', f->>'order') AS number_text, updated,
       CASE WHEN entity = 'ticket' THEN lower(f->>'order_status')
            WHEN lower(f->>'status') = 'cancelled' THEN 'cancelled'
            WHEN f->>'delivered_at' IS NOT NULL THEN 'delivered' ELSE lower(f->>'status') END AS state_told,
       CASE WHEN entity = 'ticket' THEN f->>'order_status' ELSE f->>'status' END AS word,
       CASE WHEN state_told IN ('open', 'shipped', 'delivered', 'cancelled') THEN state_told END AS state,
       least(updated, CASE WHEN state_told = 'delivered' AND f->>'delivered_at' IS NOT NULL
                           THEN moment(f->>'delivered_at')
                           WHEN entity = 'ticket' THEN moment(t->>'order_status')
                           ELSE moment(t->>'status') END) AS since,
       f->>'stock_point' AS stock_point, f->>'delivery_point' AS delivery_point,
       f->>'transport_mode' AS transport_mode, f->>'tracking' AS tracking, f->>'delivered_at' AS delivered_at,
       f->>'ordered_at' AS ordered_at, f->>'total' AS total, f->>'currency' AS currency, t
FROM (SELECT *, fields::JSON AS f, times::JSON AS t,
             moment(list_max(json_extract_string(times, '$.*'))) AS updated FROM copies);
CREATE TEMP TABLE wanted AS
SELECT f->>'of' AS ref, f->>'sku' AS sku, try_cast(f->>'quantity' AS DOUBLE) AS quantity
FROM (SELECT fields::JSON AS f FROM lines);
CREATE TEMP TABLE shelves AS
SELECT system, f->>'sku' AS sku, f->>'stock_point' AS stock_point, try_cast(f->>'quantity' AS DOUBLE) AS quantity
FROM (SELECT system, fields::JSON AS f FROM stock);
"""

_BELIEVED = """
CREATE TEMP TABLE known AS
SELECT s.*, n.key AS number FROM said AS s JOIN numbers AS n ON n.text = s.number_text;
CREATE TEMP TABLE believed AS
SELECT * EXCLUDE (namesakes, place)
FROM (SELECT k.*, count(*) OVER (PARTITION BY number, system) AS namesakes,
             row_number() OVER (PARTITION BY number ORDER BY
                 nullif(list_position((SELECT believed FROM asked), system), 0) NULLS LAST,
                 k.ref IN (SELECT ref FROM wanted) DESC,
                 len(list_filter([word, stock_point, delivery_point, transport_mode, tracking, delivered_at],
                                 lambda told: told IS NOT NULL)) DESC,
                 ordered_at NULLS LAST, ref) AS place
      FROM known AS k WHERE entity = 'order')
WHERE place = 1 AND namesakes = 1;
CREATE TEMP TABLE beside AS
SELECT k.* FROM known AS k JOIN believed AS b ON b.number = k.number AND b.system <> k.system
UNION ALL  -- a ticket of the system the order is delivered from is no copy of it
SELECT k.* FROM known AS k JOIN believed AS b ON b.number = k.number AND b.system = k.system AND k.entity = 'ticket';
CREATE TEMP TABLE recent AS SELECT today::DATE::TIMESTAMPTZ - INTERVAL 1 DAY AS at FROM asked;
"""

_STATES = """
CREATE TEMP TABLE states AS
SELECT o.entity, o.system, o.ref, CASE WHEN o.entity = 'ticket' THEN 'order_status' ELSE 'status' END AS field,
       o.word AS theirs, w.state AS expected, w.system AS winner, w.number_text AS number, w.since
FROM beside AS o JOIN believed AS w ON w.number = o.number
WHERE o.state IS NOT NULL AND w.state IS NOT NULL
  AND CASE
      -- told too soon, by what is known to the second
      WHEN o.state = w.state
        THEN o.entity = 'ticket' AND w.delivered_at IS NOT NULL AND w.state = 'delivered'
             AND coalesce(o.updated < w.since - INTERVAL 1 DAY, false)
      WHEN follows(o.state, w.state) AND coalesce(w.updated < o.since, false)
        THEN o.since < (FROM recent)
      WHEN NOT follows(w.state, o.state) THEN true
      WHEN o.entity = 'ticket' THEN coalesce(o.updated > w.since + INTERVAL 1 DAY, false)
      ELSE coalesce(o.updated >= w.since OR w.since < (FROM recent), true) END;
"""

_PAIRS = {
    **dict.fromkeys(PLACES, "NOT coalesce(list_has_all(a.words, b.words) OR list_has_all(b.words, a.words), true)"),
    "transport_mode": "lower(o.transport_mode) <> lower(w.transport_mode)",
    "tracking": "regexp_replace(upper(o.tracking), '[^0-9A-Z]', '', 'g') "
    "<> regexp_replace(upper(w.tracking), '[^0-9A-Z]', '', 'g')",
    "delivered_at": "abs(epoch(moment(o.delivered_at)) - epoch(moment(w.delivered_at))) > 86400",
}
"""field of the delivery → when two copies contradict each other in it."""


def _pair(name: str, differs: str) -> str:
    """What is told a day late is late here as well."""
    words = f"JOIN worded AS a ON a.text = o.{name} JOIN worded AS b ON b.text = w.{name}" if name in PLACES else ""
    return f"""
SELECT o.entity, o.system, o.ref, '{name}' AS field, o.{name} AS theirs, w.{name} AS expected, w.system AS winner,
       w.number_text AS number, least(w.updated, moment(w.t->>'{name}')) AS since, o.updated
FROM beside AS o JOIN believed AS w ON w.number = o.number {words}
WHERE o.entity = 'order' AND w.state IS DISTINCT FROM 'cancelled' AND {differs}"""


_DELIVERIES = f"""
CREATE TEMP TABLE deliveries AS
SELECT * EXCLUDE (updated) FROM ({" UNION ALL ".join(_pair(*one) for one in _PAIRS.items())})
WHERE NOT coalesce(updated < since AND since >= (FROM recent), false);
"""

# A system's own shelves count for its orders, others' where it has none for the product.
_STOCK = """
CREATE TEMP TABLE counted AS
SELECT k.key AS sku, s.system, s.stock_point, a.words, s.quantity
FROM shelves AS s JOIN skus AS k ON k.text = s.sku JOIN worded AS a ON a.text = s.stock_point;
CREATE TEMP TABLE owned AS SELECT DISTINCT system, sku FROM counted;
CREATE TEMP TABLE asked_for AS
SELECT w.ref, w.system, w.entity, w.state, w.stock_point, a.words, w.total, w.currency, w.number_text AS number,
       k.key AS sku, any_value(l.sku) AS sku_text, sum(l.quantity) AS quantity
FROM believed AS w JOIN wanted AS l ON l.ref = w.ref JOIN skus AS k ON k.text = l.sku
JOIN worded AS a ON a.text = w.stock_point
WHERE w.state IN ('open', 'shipped', 'delivered') GROUP BY ALL;
CREATE TEMP TABLE there AS
SELECT q.ref, q.sku, count(*) FILTER (c.words = q.words) AS shelves,
       sum(coalesce(c.quantity, 1e18)) FILTER (c.words = q.words) AS holds,
       min(c.stock_point) FILTER (c.words <> q.words AND c.quantity >= q.quantity) AS elsewhere
FROM asked_for AS q JOIN counted AS c ON c.sku = q.sku
WHERE c.system = q.system OR NOT EXISTS (FROM owned AS o WHERE o.system = q.system AND o.sku = q.sku)
GROUP BY ALL;
CREATE TEMP TABLE shortages AS
SELECT DISTINCT ON (q.ref) q.*, t.elsewhere, CASE WHEN t.shelves = 0 THEN 'none' ELSE 'too few' END AS lack
FROM asked_for AS q JOIN there AS t ON t.ref = q.ref AND t.sku = q.sku
WHERE CASE WHEN q.state = 'open' THEN coalesce(t.holds, 0) < q.quantity ELSE t.shelves = 0 END
ORDER BY q.ref, q.sku;
"""

# `since`: when the copy that is believed came to say so. `elsewhere`: who has enough, if somebody has.
_FOUND = """
SELECT kind, entity, system, ref, field, NULL::VARCHAR AS golden_id, theirs, expected, detail FROM (
    SELECT 'order_state_differs' AS kind, entity, system, ref, field, theirs, expected,
           to_json({winner: winner, number: number, since: left(since::VARCHAR, 10), customers: 1})::VARCHAR AS detail
    FROM states
    UNION ALL
    SELECT 'order_delivery_differs', entity, system, ref, field, theirs, expected,
           to_json({winner: winner, number: number, since: left(since::VARCHAR, 10), customers: 1})::VARCHAR
    FROM deliveries
    UNION ALL
    SELECT 'order_stock', entity, system, ref, 'stock_point', stock_point, elsewhere,
           to_json({number: number, sku: sku_text, lack: lack, customers: 1, at_stake: total,
                    currency: currency, cause: 'stock:' || sku_text || ' in ' || stock_point})::VARCHAR
    FROM shortages)
ORDER BY kind, ref, field
"""

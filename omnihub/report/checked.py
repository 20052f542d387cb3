"""What channels say of products, prices, orders and promotions, counted in cells beside what it can be held against.

    product  sku            the master's products
             price          the master's lists: a row for its SKU and currency that is valid today
    price    sku            the master's products
             amount         the master's lists, today or on its own first day, until it is over
    line     sku            the master's products
             unit_price     the master's lists, on the day of its order or deal, or when its cart last changed
    ticket   sku            the master's products, where a price was promised for it
             promised_price the master's lists, on the day of the first answer
    order    status …       another system's order of the same number that has the field
    promotion  code         the master's promotions
               price        the master's lists, today
               …            the master's promotion of the same code that has the field
    ticket   order_status   the order of that number, in any system that says its state
    ticket   answered_at …  the master's standard for its channel, once it is answered, or due

The lines of a cart that became an order are counted as that order's alone.

What has a finding was compared, whatever else is known. Everything else that is said but held against nothing lowers
coverage, as what is not said does: silence is not agreement.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.engine import connection
from omnihub.model import Entity, Kind
from omnihub.report.facts import FieldScore
from omnihub.report.phases import OF_DEALS, phase_of

SAID = pa.schema([(n, pa.string()) for n in ("ref", "entity", "system", "stream", "fields")])
"""Living records of `ENTITIES`, of channels and masters."""

AGAINST_PROMOTIONS = {Entity.PROMOTION: "code"}
AGAINST_PRODUCTS = {Entity.PRODUCT: "sku", Entity.PRICE: "sku", Entity.LINE: "sku", Entity.TICKET: "sku"}
AGAINST_LISTS = {
    Entity.PRODUCT: "price",
    Entity.PRICE: "amount",
    Entity.LINE: "unit_price",
    Entity.PROMOTION: "price",
    Entity.TICKET: "promised_price",
}
AGAINST_PEERS: dict[Entity, tuple[str, tuple[str, ...]]] = {
    Entity.ORDER: (
        "number",
        ("status", "stock_point", "delivery_point", "transport_mode", "tracking", "delivered_at"),
    ),
    Entity.PROMOTION: (
        "code",
        (
            "customer_group",
            "customer_groups",
            "sku",
            "skus",
            "discount",
            "discount_amount",
            "valid_from",
            "valid_to",
            "starts_at",
            "ends_at",
        ),
    ),
}
"""entity → the field its peers are known by, and those held against each other."""
SAME_AS = {
    "customer_groups": "customer_group", "skus": "sku", "starts_at": "valid_from", "ends_at": "valid_to",
    "order_status": "status",
}  # fmt: skip
"""What is called otherwise where it is held against: a promotion's fields in the master, a ticket's in the order."""
AGAINST_ORDERS = {Entity.TICKET: "order_status"}
AGAINST_STANDARDS = {Entity.TICKET: ("answered_at", "solved_at")}

CELLS: tuple[tuple[Entity, str], ...] = (
    *AGAINST_PRODUCTS.items(),
    *AGAINST_PROMOTIONS.items(),
    *AGAINST_LISTS.items(),
    *((entity, name) for entity, (_, names) in AGAINST_PEERS.items() for name in names),
    *AGAINST_ORDERS.items(),
    *((entity, name) for entity, names in AGAINST_STANDARDS.items() for name in names),
)

ENTITIES: tuple[Entity, ...] = (*dict.fromkeys(entity for entity, _ in CELLS), Entity.DEAL, Entity.CART)
"""Whose records are asked for: those that have cells, the lists, and the occasions of lines."""

_READ = (
    *("sku", "currency", "number", "code", "of", "ordered_at", "closes_on", "changed_at", "valid_from", "valid_to"),
    *("promised_price", "answered_at", "opened_at"),
)


class Checked:
    """Counts cells, a slice of the records at a time; the counts are there when all have been added."""

    def __init__(
        self,
        differing: pa.Table,
        held: pa.Table,
        masters: Sequence[str],
        today: str,
    ) -> None:
        """differing: as `score.DIFFERING`. held: as `score.HELD`. today: an ISO day."""
        self._con = connection()
        self._con.register("differing", differing)
        self._con.register("held", held)
        self._con.register("masters", _listed("system", masters))
        self._con.register("days", _listed("day", [today]))
        self._con.register("cells", pa.Table.from_pylist([_cell(entity, name) for entity, name in CELLS]))
        self._con.execute(_TABLES)

    def __enter__(self) -> Checked:
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    def add(self, said: pa.Table, measured: pa.Table | None = None) -> None:
        """Look at these records. measured: as `service.MEASURED`, of the tickets among them."""
        self._con.register("said", said)
        self._con.execute(_ADD)
        self._con.unregister("said")
        if measured is not None:
            self._con.register("measured", measured)
            self._con.execute(_PROMISED)
            self._con.unregister("measured")

    def fields(self) -> tuple[FieldScore, ...]:
        """The counts, by system, entity, field and phase."""
        self._con.register("skus", _keys(self._con))
        self._con.execute(_JUDGE)
        return tuple(FieldScore(*row) for row in self._con.sql(_COUNTED).fetchall())


def _cell(entity: Entity, field: str) -> dict[str, str]:
    return {"entity": entity.value, "field": field, "phase": phase_of(entity.value, field)}


def _listed(name: str, values: Sequence[str]) -> pa.Table:
    return pa.table({name: pa.array(sorted(values), pa.string())})


def _keys(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """SKUs as they are compared."""
    texts = [t for (t,) in con.sql("SELECT DISTINCT sku FROM seen WHERE sku IS NOT NULL").fetchall()]
    keys = [fields.key(Kind.SKU, t) for t in texts]
    return pa.table({"text": pa.array(texts, pa.string()), "key": pa.array(keys, pa.string())})


_PEERED = " OR ".join(
    f"(s.entity = '{entity.value}' AND c.field IN ({', '.join(repr(n) for n in names)}))"
    for entity, (_, names) in AGAINST_PEERS.items()
)

_SAME_AS = " ".join(f"WHEN '{said}' THEN '{same}'" for said, same in SAME_AS.items())

_TABLES = f"""
CREATE TEMP MACRO order_key(number) AS nullif(regexp_replace(upper(number), '[^\\p{{L}}\\p{{N}}]', '', 'g'), '');
CREATE TEMP TABLE differs AS
SELECT ref, field, bool_or(held) AS held,
       coalesce(bool_and(left(sent_at, 19) >= left(read_at, 19)), false) AS written
FROM differing GROUP BY ref, field;
CREATE TEMP TABLE seen (ref VARCHAR, entity VARCHAR, system VARCHAR, master BOOLEAN,
                        {", ".join(f"{n} VARCHAR" for n in _READ)});
CREATE TEMP TABLE told (ref VARCHAR, entity VARCHAR, system VARCHAR, master BOOLEAN, peer VARCHAR, field VARCHAR,
                        phase VARCHAR, held BOOLEAN);
CREATE TEMP TABLE promised (ref VARCHAR, field VARCHAR);
"""

# Of a ticket that is neither answered nor due nobody knows yet.
_PROMISED = """
INSERT INTO promised SELECT DISTINCT ref, field FROM measured
WHERE late IS NOT NULL AND (late OR took_s IS NOT NULL)
"""

# A cell of a master is kept where others are held against it, as those of its lists never are; the master's own are
# not counted.
_ADD = f"""
INSERT INTO seen
SELECT ref, entity, system, system IN (FROM masters), {", ".join(f"f->>'{n}'" for n in _READ)}
FROM (SELECT *, fields::JSON AS f FROM said);
INSERT INTO told
SELECT s.ref, s.entity, s.system, s.system IN (FROM masters),
       CASE WHEN s.entity IN ('order', 'ticket') THEN order_key(coalesce(s.f->>'number', s.f->>'order'))
            WHEN {_PEERED} THEN upper(trim(s.f->>'code', ' #')) END,
       c.field, c.phase, (s.f->>c.field) IS NOT NULL
FROM (SELECT *, fields::JSON AS f FROM said) AS s
JOIN cells AS c ON c.entity = s.entity
JOIN held AS h ON h.system = s.system AND h.stream = s.stream AND h.field = c.field
WHERE NOT (s.entity = 'price' AND s.system IN (FROM masters));
"""

_JUDGE = f"""
CREATE TEMP TABLE occasions AS
SELECT ref, entity, left(coalesce(ordered_at, closes_on, changed_at), 10) AS day,
       entity = 'cart' AND ordered_at IS NOT NULL AS past
FROM seen WHERE entity IN ('order', 'deal', 'cart');
CREATE TEMP TABLE listed AS
SELECT DISTINCT k.key, s.currency, coalesce(s.valid_from, '0000-01-01') AS valid_from,
       coalesce(s.valid_to, '9999-12-31') AS valid_to
FROM seen AS s JOIN skus AS k ON k.text = s.sku WHERE s.entity = 'price' AND s.master;
CREATE TEMP TABLE trade AS
SELECT s.ref, s.entity, k.key, s.currency, s.promised_price IS NOT NULL AS promised, o.entity AS occasion,
       coalesce(o.past, false) AS past,
       CASE WHEN s.entity <> 'price' THEN coalesce(o.day, left(coalesce(s.answered_at, s.opened_at), 10), (FROM days))
            WHEN coalesce(s.valid_to, '9999-12-31') >= (FROM days) THEN greatest(s.valid_from, (FROM days)) END AS day
FROM seen AS s LEFT JOIN skus AS k ON k.text = s.sku LEFT JOIN occasions AS o ON o.ref = s.of
WHERE s.entity IN ('product', 'price', 'line', 'promotion', 'ticket') AND NOT s.master;
CREATE TEMP TABLE covered AS
SELECT DISTINCT t.ref FROM trade AS t JOIN listed AS l
  ON l.key = t.key AND l.currency = t.currency AND t.day BETWEEN l.valid_from AND l.valid_to;
CREATE TEMP TABLE peers AS
SELECT entity, peer, field, count(DISTINCT system) AS systems, bool_or(master) AS mastered
FROM told WHERE held AND peer IS NOT NULL GROUP BY ALL;
CREATE TEMP TABLE judged AS
SELECT t.system, t.entity, t.field,
       CASE WHEN o.occasion IN ('deal', 'cart') THEN '{OF_DEALS}' ELSE t.phase END AS phase,
       t.held, coalesce(d.held, false) AS differs,
       coalesce(d.written, false) AS written,
       coalesce(d.held, false) OR s.ref IS NOT NULL OR t.held AND CASE
         WHEN t.field = 'sku' AND (t.entity IN ('product', 'price', 'line') OR t.entity = 'ticket' AND o.promised)
           THEN EXISTS (FROM seen WHERE master AND entity = 'product')
         WHEN t.entity IN ('product', 'price', 'line') OR t.field = 'promised_price' THEN c.ref IS NOT NULL
         WHEN t.entity = 'promotion' AND t.field = 'price' THEN c.ref IS NOT NULL
         WHEN t.entity = 'promotion' AND t.field = 'code' THEN EXISTS (FROM seen WHERE master AND entity = 'promotion')
         WHEN t.entity = 'promotion' THEN coalesce(p.mastered, false)
         WHEN t.entity = 'order' THEN coalesce(p.systems, 0) > 1
         WHEN t.field = 'order_status' THEN p.systems IS NOT NULL
         ELSE false END AS comparable
FROM told AS t
LEFT JOIN differs AS d ON d.ref = t.ref AND d.field = t.field
LEFT JOIN trade AS o ON o.ref = t.ref
LEFT JOIN covered AS c ON c.ref = t.ref
LEFT JOIN peers AS p ON p.peer = t.peer AND p.entity = CASE t.entity WHEN 'ticket' THEN 'order' ELSE t.entity END
 AND p.field = CASE t.field {_SAME_AS} ELSE t.field END
LEFT JOIN promised AS s ON s.ref = t.ref AND s.field = t.field
WHERE NOT t.master AND NOT coalesce(o.past, false);
"""

_COUNTED = """
SELECT system, entity, field, count(*), count(*) FILTER (comparable), count(*) FILTER (comparable AND NOT differs),
       count(*) FILTER (comparable AND differs AND written), 0, phase
FROM judged GROUP BY ALL ORDER BY system, entity, field, phase
"""

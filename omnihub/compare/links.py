"""What records speak of: other records by their links, what is sold by its SKU, a product by its GTIN and name, too,
and a promotion by its code and name.

Kept in the store by its target, this tells what a change can touch: whoever links to a record that came or went, the
lines of an order, all that is said about a SKU, all that is said of the order with a number, what a master's product
may be offered as, the offers of a promotion, which tickets time can make late, and whose mailbox is at whose domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.compare.promotions import named as as_named
from omnihub.compare.promotions import said_skus
from omnihub.compare.service import WAITING
from omnihub.engine import connection
from omnihub.fields import domains
from omnihub.fields.codes import order_number
from omnihub.fields.several import BETWEEN
from omnihub.model import ENTITIES, Entity, Kind

SPOKEN = pa.schema([("ref", pa.string()), ("entity", pa.string()), ("fields", pa.string())])
LINKS = pa.schema([("ref", pa.string()), ("field", pa.string()), ("target", pa.string())])

SOLD = (Entity.PRODUCT, Entity.PRICE, Entity.PROMOTION, Entity.LINE, Entity.STOCK, Entity.TICKET)
"""What has a SKU that is judged, or judged by. Its target is `sold(entity, sku)`, not a ref."""

PROMOTED = "promoted"
"""The field of LINKS for the code and the name of a promotion."""

NUMBERED = {Entity.ORDER: "number", Entity.TICKET: "order"}
"""What speaks of an order by its number, and in which field. Its target is `ordered(number)`, not a ref."""

KNOWN_BY = ("sku", "gtin", "name")
"""By what a product is known elsewhere. The target of the last two is the field and the value as it is compared."""

WAITS = "waits"
"""The field under which a ticket that is still worked on is found by when it was opened: see `waiting`."""

AT = "at"
"""The field under which a golden account is found by its domain, and a golden contact by that of its mailbox: a firm's
own, never one that many share. The target is `domain:` and the domain somebody registered."""

NOT_REFS = (*KNOWN_BY, "number", PROMOTED, WAITS, AT)  # fields of LINKS whose targets are no refs

MAX_TARGET = 200  # characters of a SKU or name; a longer one is junk, and more than a database's index takes


def sold(entity: Entity, text: str) -> str | None:
    """The target under which the records of an entity that name this SKU are found; None for what is no SKU."""
    key = fields.key(Kind.SKU, text)
    return f"{entity.value}:{key[:MAX_TARGET]}" if key else None


def sold_as(entity: Entity, target: str) -> str:
    """The target under which another entity speaks of the same SKU."""
    return f"{entity.value}:{target.partition(':')[2]}"


def ordered(text: str) -> str | None:
    """The target under which all that speak of the order with this number are found; None for what is no number."""
    key = order_number(text)
    return f"order:{key[:MAX_TARGET]}" if key else None


def waiting(opened_at: str) -> str:
    """The target of a ticket that is still worked on. Of times in their one form, so the earlier sorts first."""
    return f"opened:{opened_at}"


def link_fields(kind: Kind = Kind.LINK) -> pa.Table:
    """(entity, field) of every field that links: to one record, or to several."""
    told = [(e.value, f.name) for e, known in ENTITIES.items() for f in known.values() if f.kind is kind]
    return pa.table({"entity": [e for e, _ in told], "field": [f for _, f in told]})


def spoken_of(rows: pa.Table) -> pa.Table:
    """LINKS of records (SPOKEN: refined or golden ones), in order."""
    if not rows.num_rows:  # as most are where little has changed
        return LINKS.empty_table()
    con = connection()
    try:
        con.register("rows", rows)
        con.register("link_fields", link_fields())
        con.register("many_links", link_fields(Kind.LINKS))
        con.register("skus", _skus(con))
        con.register("numbers", _numbers(con))
        con.register("known_by", _known_by(con))
        con.register("domains", _domains(con))
        return con.sql(
            f"""SELECT ref, field, target FROM (
                   SELECT r.ref, l.field, json_extract_string(r.fields, '$."' || l.field || '"') AS target
                   FROM rows AS r JOIN link_fields AS l ON l.entity = r.entity
                   UNION ALL
                   SELECT ref, field, unnest(string_split(refs, '{BETWEEN}'))
                   FROM (SELECT r.ref, l.field, json_extract_string(r.fields, '$."' || l.field || '"') AS refs
                         FROM rows AS r JOIN many_links AS l ON l.entity = r.entity)
                   UNION ALL
                   SELECT r.ref, 'sku', s.target FROM rows AS r JOIN skus AS s
                     ON s.entity = r.entity AND s.text = json_extract_string(r.fields, '$.sku')
                   WHERE r.entity <> 'promotion'
                   UNION ALL
                   SELECT DISTINCT r.ref, 'sku', s.target
                   FROM (SELECT ref, unnest({said_skus("(fields::JSON)")}) AS sku FROM rows
                         WHERE entity = 'promotion') AS r
                   JOIN skus AS s ON s.entity = 'promotion' AND s.text = r.sku
                   UNION ALL
                   SELECT r.ref, '{PROMOTED}', 'promotion ' || n.field || ':' || left(CASE n.field
                              WHEN 'code' THEN {as_named("(r.fields::JSON)->>'code'")}
                              ELSE {as_named("(r.fields::JSON)->>'name'")} END, {MAX_TARGET})
                   FROM rows AS r, (VALUES ('code'), ('name')) AS n(field) WHERE r.entity = 'promotion'
                   UNION ALL
                   SELECT r.ref, 'number', n.target FROM rows AS r JOIN numbers AS n
                     ON n.entity = r.entity AND n.text = json_extract_string(r.fields, '$."' || n.field || '"')
                   UNION ALL
                   SELECT r.ref, k.field, k.target FROM rows AS r JOIN known_by AS k
                     ON k.text = json_extract_string(r.fields, '$.' || k.field) WHERE r.entity = 'product'
                   UNION ALL
                   SELECT r.ref, '{AT}', d.target FROM ({_HOSTS}) AS r JOIN domains AS d USING (host)
                   UNION ALL
                   SELECT ref, '{WAITS}', '{waiting("")}' || json_extract_string(fields, '$.opened_at') FROM rows
                   WHERE entity = '{Entity.TICKET.value}' AND json_extract_string(fields, '$.solved_at') IS NULL
                     AND json_extract_string(fields, '$.status') IN {WAITING})
               WHERE target IS NOT NULL ORDER BY ref, field"""
        ).to_arrow_table()
    finally:
        con.close()


def _skus(con: duckdb.DuckDBPyConnection) -> pa.Table:
    listed = ", ".join(f"'{e.value}'" for e in SOLD)
    found = con.sql(
        f"""SELECT DISTINCT entity, text FROM (
                SELECT entity, json_extract_string(fields, '$.sku') AS text FROM rows WHERE entity IN ({listed})
                UNION ALL
                SELECT entity, unnest({said_skus("(fields::JSON)")}) FROM rows WHERE entity = 'promotion')
            WHERE text IS NOT NULL"""
    ).to_arrow_table()
    entities, texts = found.column("entity").to_pylist(), found.column("text").to_pylist()
    targets = [sold(Entity(e), t) for e, t in zip(entities, texts, strict=True)]
    return found.append_column("target", pa.array(targets, pa.string()))


def _numbers(con: duckdb.DuckDBPyConnection) -> pa.Table:
    con.register("numbered", pa.table({"entity": [e.value for e in NUMBERED], "field": list(NUMBERED.values())}))
    found = con.sql(
        """SELECT DISTINCT entity, field, text
           FROM (SELECT entity, n.field, json_extract_string(r.fields, '$."' || n.field || '"') AS text
                 FROM rows AS r JOIN numbered AS n USING (entity)) WHERE text IS NOT NULL"""
    ).to_arrow_table()
    targets = [ordered(text) for text in found.column("text").to_pylist()]
    return found.append_column("target", pa.array(targets, pa.string()))


# Golden records alone: an id has no stroke in it, a ref always has.
_HOSTS = """SELECT ref, CASE entity WHEN 'account' THEN json_extract_string(fields, '$.domain')
                        ELSE split_part(json_extract_string(fields, '$.email'), '@', 2) END AS host
            FROM rows WHERE entity IN ('account', 'contact') AND NOT contains(ref, '/')"""


def _domains(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """(host, target) of the firms' own."""
    hosts = [host for (host,) in con.sql(f"SELECT DISTINCT host FROM ({_HOSTS}) WHERE host <> ''").fetchall()]
    firms = [host for host in hosts if not domains.weak(host)]
    own = {host: f"domain:{domains.registered(domains.key(host))[:MAX_TARGET]}" for host in firms}
    return pa.table({"host": pa.array(own, pa.string()), "target": pa.array(own.values(), pa.string())})


def _known_by(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """(field, text, target) of the GTINs and names of products."""
    found = con.sql(
        """SELECT DISTINCT field, json_extract_string(fields, '$.' || field) AS text
           FROM rows, (VALUES ('gtin'), ('name')) AS f (field) WHERE entity = 'product' AND text IS NOT NULL"""
    ).to_arrow_table()
    kinds = {name: ENTITIES[Entity.PRODUCT][name].kind for name in KNOWN_BY}
    told = zip(found.column("field").to_pylist(), found.column("text").to_pylist(), strict=True)
    targets = [f"{name}:{fields.same_key(kinds[name], text)[:MAX_TARGET]}" for name, text in told]
    return found.append_column("target", pa.array(targets, pa.string()))


def news(now: pa.Table, before: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(what is said that was not, what was said and no longer is), of two LINKS tables."""
    con = connection()
    try:
        con.register("now", now)
        con.register("before", before)
        apart = "SELECT ref, field, target FROM {} EXCEPT SELECT ref, field, target FROM {} ORDER BY ALL"
        fresh = con.sql(apart.format("now", "before")).to_arrow_table()
        return fresh, con.sql(apart.format("before", "now")).to_arrow_table()
    finally:
        con.close()


def named(rows: pa.Table, entities: Iterable[Entity], names: Sequence[str]) -> list[str]:
    """The distinct values of these fields in the rows of these entities, in order."""
    con = connection()
    try:
        con.register("rows", rows)
        con.register("wanted", pa.table({"entity": [e.value for e in entities]}))
        each = " UNION ".join(
            f"SELECT json_extract_string(fields, '$.{name}') AS value FROM rows WHERE entity IN (FROM wanted)"
            for name in names
        )
        found = con.sql(f"SELECT value FROM ({each}) WHERE value IS NOT NULL ORDER BY value").to_arrow_table()
        texts: list[str] = found.column("value").to_pylist()
        return texts
    finally:
        con.close()

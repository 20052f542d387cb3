"""Prices in context: a million order lines against 100,000 products on eight price lists with validity, and a change.

    all        generated lines and lists straight into `compare.catalog`: every price judged, the wrong ones explained
    changed    a hub with a tenth of that in its store, where a thousand lines come to say another price

The lists: EUR for three groups and USD for one, this year's and last year's; every second product has a break at 10.
One line in twenty is wrong: last year's price, another group's, another break's, or nobody's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.measure import Measured, ask, measured, tell

PRODUCTS_EACH = 10  # lines for each product
CHANGED = 1_000
TODAY = "2026-11-21"
TABLES = ("products", "prices", "lines")


def run(folder: Path, lines: int, changed: int = CHANGED) -> list[Measured]:
    """Each in a process of its own."""
    ask("prices-fill", folder, lines)
    judged = ask("prices-judge", folder)
    ask("prices-base", folder, max(lines // 10, changed))
    return [*judged, *ask("prices-change", folder, changed)]


# -- each in a child ---------------------------------------------------------------------------------------------------


def fill(folder: str, lines: str) -> None:
    """The master's and the channels' side, as files."""
    for name, table in zip(TABLES, _made(int(lines)), strict=True):
        pq.write_table(table, Path(folder) / f"{name}.parquet")
    tell([])


def judge(folder: str) -> None:
    """All of them at once."""
    from omnihub.compare import catalog

    tables = [pq.read_table(Path(folder) / f"{name}.parquet") for name in TABLES]
    count, found = tables[-1].num_rows, []

    def do() -> int:
        found.append(catalog(*tables).num_rows)
        return count

    name = f"judge all, {tables[0].num_rows:,} products, {tables[1].num_rows:,} prices"
    tell([measured(name, do)])
    if not found[0]:
        raise SystemExit("no price was found wrong: there was nothing to do")


def base(folder: str, lines: str) -> None:
    """A hub in which all of it was compared once."""
    from omnihub.flow import compare_all

    hub = _hub(folder)
    products, prices, said = _made(int(lines))
    _put(
        hub,
        "airtable/products",
        "product",
        [{"sku": p["sku"], "name": "Pump", "status": "active"} for p in _rows(products)],
    )
    _put(hub, "airtable/prices", "price", [{k: p[k] for k in PRICED if p[k]} for p in _rows(prices)])
    orders = [{"ordered_at": f"{line['day']}T12:00:00Z"} for line in _rows(said)]
    _put(hub, "shopify/orders", "order", orders)
    _put(hub, "shopify/order_lines", "line", [_line(n, line) for n, line in enumerate(_rows(said))])
    compare_all(hub, today=TODAY)
    hub.store.close()
    tell([])


def change(folder: str, changed: str) -> None:
    """So many lines say another price."""
    import sqlalchemy as sa

    from omnihub.flow import compare_all
    from omnihub.store import schema

    hub, t = _hub(folder), schema.refined
    with hub.store.read() as c:
        lines = c.execute(sa.select(sa.func.count()).where(t.c.entity == "line")).scalar_one()
        step = lines // int(changed)
        refs = [f"shopify/order_lines/{n * step}" for n in range(int(changed))]
        before = {
            r.ref: json.loads(r.fields) for r in c.execute(sa.select(t.c.ref, t.c.fields).where(t.c.ref.in_(refs)))
        }
    _put(hub, "shopify/order_lines", "line", [before[ref] | {"unit_price": "1.23"} for ref in refs], refs)
    found: list[Any] = []

    def do() -> int:
        found.append(compare_all(hub, today=TODAY))
        return int(changed)

    tell([measured(f"compare what changed, of {lines:,} lines in the store", do)])
    if found[0]["opened"] < int(changed) // 2:
        raise SystemExit(f"{found[0]}: the changed lines were not judged")
    hub.store.close()


# -- what is judged ----------------------------------------------------------------------------------------------------

PRICED = ("sku", "customer_group", "currency", "amount", "min_quantity", "valid_from", "valid_to", "price_list", "unit")

_MAKE = """
CREATE TEMP MACRO cents(i, factor, least, year) AS
    ((4000 + (i * 7919) % 300000) * factor // 100 * (CASE WHEN least > 1 THEN 94 ELSE 100 END) // 100
     * (CASE WHEN year = 2026 THEN 100 ELSE 96 END) // 100);
CREATE TEMP TABLE groups AS FROM (VALUES (0, 'EUR', 'standard', 100), (1, 'EUR', 'dealer', 88), (2, 'EUR', 'key', 80),
                                         (3, 'USD', 'standard', 108)) AS g (g, currency, customer_group, factor);
CREATE TEMP TABLE made_prices AS
SELECT 'p' || i AS sku, currency, customer_group, printf('%.2f', cents(i, factor, least, year) / 100) AS amount,
       least::VARCHAR AS min_quantity, year || '-01-01' AS valid_from, year || '-12-31' AS valid_to,
       concat_ws('-', currency, customer_group, year) AS price_list, 'pcs' AS unit,
       'pim/prices/' || row_number() OVER () AS ref, 'pim' AS system
FROM range({products}) AS p (i), groups, (VALUES (2026), (2025)) AS y (year), (VALUES (1), (10)) AS b (least)
WHERE least = 1 OR i % 2 = 0;
CREATE TEMP TABLE made_lines AS
WITH drawn AS (
    SELECT n, hash(n) % {products} AS i, hash(n, 1) % 4 AS g, 1 + hash(n, 2) % 20 AS quantity, hash(n, 3) % 80 AS slip,
           DATE '2025-01-01' + (hash(n, 4) % 680)::INTEGER AS day
    FROM range({lines}) AS l (n)),
told AS (
    SELECT *, CASE WHEN i % 2 = 0 AND quantity >= 10 THEN 10 ELSE 1 END AS least, year(day) AS year
    FROM drawn JOIN groups USING (g))
SELECT 'shop/lines/' || n AS ref, 'line' AS entity, 'shop' AS system, 'p' || i AS sku, 'P-' || i AS sku_text,
       printf('%.2f', CASE slip WHEN 0 THEN cents(i, factor, least, 4051 - year) WHEN 1 THEN cents(i, 95, least, year)
                                WHEN 2 THEN cents(i, factor, 11 - least, year) WHEN 3 THEN cents(i, 88, least, year)
                                ELSE cents(i, factor, least, year) END / 100) AS price, 'unit_price' AS field, currency,
       quantity::VARCHAR AS quantity, customer_group, day::VARCHAR AS day, 'account_' || n % 20000 AS customer
FROM told;
"""


def _made(lines: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    """(products, prices, lines) as compare takes them."""
    import duckdb

    from omnihub.compare import LINES, PRICES, PRODUCTS

    products = max(lines // PRODUCTS_EACH, 1)
    con = duckdb.connect()
    con.execute(_MAKE.format(products=products, lines=lines))
    made = con.sql(
        f"SELECT 'p' || i AS sku, 'Pump' AS name, 'active' AS status, 'pcs' AS unit FROM range({products}) AS p (i)"
    )
    found = (made.to_arrow_table(), con.table("made_prices").to_arrow_table(), con.table("made_lines").to_arrow_table())
    con.close()
    return tuple(_shaped(table, schema) for table, schema in zip(found, (PRODUCTS, PRICES, LINES), strict=True))  # type: ignore[return-value]


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    for name in schema.names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, schema.field(name).type))
    return table.select(schema.names).cast(schema)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def _line(n: int, line: dict[str, Any]) -> dict[str, str]:
    told = {"of": f"shopify/orders/{n}", "sku": line["sku"], "quantity": line["quantity"]}
    return told | {"unit_price": line["price"], "currency": line["currency"]}


# -- a hub -------------------------------------------------------------------------------------------------------------

COLUMNS = ("ref", "entity", "system", "stream", "seq", "raw_seq", "pointer", "deleted", "fields", "times", "echoes",
           "problems")  # fmt: skip


def _put(hub: Any, stream: str, entity: str, told: list[dict[str, Any]], refs: list[str] | None = None) -> None:
    """Records as refining would keep them."""
    from omnihub.store import bulk, schema
    from omnihub.store.open import take

    system, name = stream.split("/")
    with hub.store.write() as c:
        seq = take(c, len(told))
        named = refs or [f"{stream}/{n}" for n in range(len(told))]
        rows = [
            (ref, entity, system, name, seq + n, seq + n, "", False, json.dumps(fields), "{}", "[]", "{}")
            for n, (ref, fields) in enumerate(zip(named, told, strict=True))
        ]
        (bulk.upsert if refs else bulk.append)(c, schema.refined, COLUMNS, rows)


def _hub(folder: str) -> Any:
    import connectors
    from omnihub.flow import Hub
    from omnihub.merge import Rules
    from omnihub.store import Store

    found = connectors.find()
    masters = frozenset(name for name, connector in found.items() if connector.master)
    return Hub(Store.open(f"sqlite:///{folder}/prices.db"), found, lambda _: {}, rules=Rules(masters=masters))

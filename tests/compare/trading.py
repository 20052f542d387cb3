"""What a master lists and channels say, in small: rows as `compare.catalog` takes them, right unless said otherwise."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from omnihub.compare import LINES, PRICES, PRODUCTS, PROMOTIONS, catalog

TODAY = "2026-11-21"


def price(amount: str, **other: str | None) -> dict[str, Any]:
    """A row of the master's list: for everyone, in euros, from one piece on, always, unless said otherwise."""
    row = {
        "sku": "p1",
        "customer_group": "standard",
        "currency": "EUR",
        "min_quantity": "1",
        "valid_from": None,
        "valid_to": None,
    }
    return row | {"amount": amount} | other


def said(amount: str | None, **other: Any) -> dict[str, Any]:
    """An order line: one piece for everyone, in euros, today, unless said otherwise."""
    about = {"ref": "shop/lines/1", "entity": "line", "system": "shop", "sku": "p1", "sku_text": "P-1"}
    row = {
        "price": amount,
        "field": "unit_price",
        "currency": "EUR",
        "quantity": "1",
        "customer_group": "",
        "day": TODAY,
    }
    return {"name": None, "status": None, **about, **row, **other}


def offered(amount: str | None = None, **other: Any) -> dict[str, Any]:
    """A product a channel offers."""
    return said(amount, entity="product", ref="shop/products/1", field="price", status="active", **other)


def findings(
    prices: list[dict[str, Any]],
    *lines: dict[str, Any],
    products: list[str] | None = None,
    status: str = "active",
    unit: str | None = None,
    promotions: list[dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """The master's rows and what channels say, judged. products: the master's SKUs, all of this status and unit."""
    known = [
        {"sku": sku, "name": "Pump", "status": status, "unit": unit}
        for sku in (["p1"] if products is None else products)
    ]
    numbered = [{"ref": f"pim/prices/{n}", "system": "pim"} | row for n, row in enumerate(prices)]
    tables = ((known, PRODUCTS), (numbered, PRICES), (list(lines), LINES), (promotions or [], PROMOTIONS))
    return catalog(*(pa.Table.from_pylist(rows, schema=schema) for rows, schema in tables)).to_pylist()

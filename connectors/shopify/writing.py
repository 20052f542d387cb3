"""How the shop is written to: many small mutations in one request, each under a name of its own, each with its answer.

A request is not a transaction: mutations run one after another, and each is taken or refused by itself.
"""

from __future__ import annotations

import html
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.shopify.shop import MUTATION_POINTS, Answered, Error, Shop, failure
from omnihub.errors import RejectedRecord
from omnihub.sdk import Answer, Outcome, Row, exchange

NATIVE_ADDRESS = {"countryCodeV2": "countryCode"}  # read under one name, written under another


@dataclass(frozen=True)
class Step:
    """One mutation for some rows. `arguments`: name → (its type, its value)."""

    rows: Sequence[Row]
    mutation: str
    arguments: Mapping[str, tuple[str, Any]]
    answers: str  # what to select besides the errors
    error: str = "field message"


def document(steps: Sequence[Step]) -> str:
    """One request for all the steps: step n answers as `m<n>`, its arguments are the variables `m<n>_<name>`."""
    declared, calls = [], []
    for n, step in enumerate(steps):
        declared += [f"$m{n}_{name}: {kind}" for name, (kind, _) in step.arguments.items()]
        given = ", ".join(f"{name}: $m{n}_{name}" for name in step.arguments)
        calls.append(f"m{n}: {step.mutation}({given}) {{ {step.answers} userErrors {{ {step.error} }} }}")
    return f"mutation write({', '.join(declared)}) {{\n  " + "\n  ".join(calls) + "\n}"


def variables(steps: Sequence[Step]) -> dict[str, Any]:
    """The values for `document(steps)`."""
    return {f"m{n}_{name}": value for n, step in enumerate(steps) for name, (_, value) in step.arguments.items()}


def update_customers(shop: Shop, rows: Sequence[Row]) -> Iterable[Answer]:
    """Names and language by `customerUpdate`, the default address by its own mutation.

    `customerUpdate` and `customerSet` take addresses too, but replace the whole list with them.
    """
    return _write(shop, rows, [step for row in rows for step in _customer(row)])


def _customer(row: Row) -> list[Step]:
    own = {name: value for name, value in row.body.items() if name != "defaultAddress"}
    steps = [_address(row, row.body["defaultAddress"])] if "defaultAddress" in row.body else []
    if own:
        steps.append(
            Step([row], "customerUpdate", {"input": ("CustomerInput!", {"id": row.id, **own})}, "customer { id }")
        )
    return steps


def _address(row: Row, changes: Mapping[str, Any]) -> Step:
    """Change the default address, or give the customer one. `row.raw` says which it is."""
    address = {NATIVE_ADDRESS.get(name, name): value for name, value in changes.items()}
    arguments = {"customerId": ("ID!", row.id), "address": ("MailingAddressInput!", address)}
    present = (row.raw or {}).get("defaultAddress")
    if not present:
        return Step([row], ADD_ADDRESS, {**arguments, "setAsDefault": ("Boolean", True)}, "address { id }")
    return Step([row], "customerAddressUpdate", {**arguments, "addressId": ("ID!", present["id"])}, "address { id }")


ADD_ADDRESS = "customerAddressCreate"  # the one step that must not be repeated blindly


def update_products(shop: Shop, rows: Sequence[Row]) -> Iterable[Answer]:
    """Title, status and description. The description is read as text and written as HTML."""
    return _write(shop, rows, [_product(row) for row in rows])


def _product(row: Row) -> Step:
    product = {"id": row.id, **row.body}
    if "description" in product:
        product["descriptionHtml"] = html.escape(product.pop("description") or "", quote=False)
    return Step([row], "productUpdate", {"product": ("ProductUpdateInput", product)}, "product { id }")


def update_variants(shop: Shop, rows: Sequence[Row]) -> Iterable[Answer]:
    """Prices, one mutation for each product: variants that are refused don't keep the others from being written."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_product_of(row)].append(row)
    return _write(shop, rows, [_variants(product, group) for product, group in groups.items()])


def _variants(product: str, rows: Sequence[Row]) -> Step:
    changes = [{"id": row.id, **row.body} for row in rows]
    return Step(
        rows,
        "productVariantsBulkUpdate",
        {
            "productId": ("ID!", product),
            "variants": ("[ProductVariantsBulkInput!]!", changes),
            "allowPartialUpdates": ("Boolean", True),
        },
        "productVariants { id }",
        "code field message",
    )


def _product_of(row: Row) -> str:
    found = row.parent or ((row.raw or {}).get("product") or {}).get("id")
    if not found:
        raise RejectedRecord(f"shopify: {row.id} is written through its product, and nobody says which that is")
    return str(found)


def _write(shop: Shop, rows: Sequence[Row], steps: Sequence[Step]) -> list[Answer]:
    """Send the steps in one request; one answer per row."""
    answer = shop.ask(
        document(steps),
        variables(steps),
        cost=len(steps) * MUTATION_POINTS,
        safe=all(step.mutation != ADD_ADDRESS for step in steps),
        partial=True,
    )
    refused = _refused(shop, steps, answer)
    what = exchange(answer.response)
    return [
        Answer(row.n, Outcome.REFUSED, row.id, *_told(refused[row.n]), exchange=what)
        if row.n in refused
        else Answer(row.n, Outcome.WRITTEN, row.id, exchange=what)
        for row in rows
    ]


def _refused(shop: Shop, steps: Sequence[Step], answer: Answered) -> dict[int, list[dict[str, Any]]]:
    """Row number → its errors. A step that broke down raises: nobody knows then whether it was written."""
    data = json.loads(answer.response.content).get("data") or {}
    broken: dict[Any, Error] = {e.path[0]: e for e in answer.errors if e.path}
    refused: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for n, step in enumerate(steps):
        if data.get(f"m{n}") is None or f"m{n}" in broken:
            error = broken.get(f"m{n}") or Error("no answer", extensions={"code": "INTERNAL_SERVER_ERROR"})
            raise failure(shop.http.system, error, answer.response.content)
        for told in data[f"m{n}"]["userErrors"]:
            for row in _meant(step, told.get("field") or []):
                refused[row.n].append(told)
    return refused


def _meant(step: Step, field: Sequence[str]) -> Sequence[Row]:
    """The rows an error is about: ["variants", "3", "price"] names one of several, anything else all of them."""
    index = next((int(part) for part in field if part.isdigit()), None)
    return step.rows if index is None or len(step.rows) == 1 else [step.rows[index]]


def _told(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """(code, message). Customers' and products' errors have no code; the field stands in for it."""
    first = errors[0]
    code = first.get("code") or "USER_ERROR:" + ".".join(first.get("field") or [])
    return str(code), "; ".join(str(e.get("message", "")) for e in errors)

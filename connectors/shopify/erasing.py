"""Forgetting a customer in Shopify: a request that the shop works off by itself, and apps that know them are told of.

It is carried out ten days later, or 180 days after their last order; until then the customer is shown as before, and
whoever asks may still cancel. What is left then is a customer of whom nothing is known, and their orders. Asked again,
the answer is whether it is done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.shopify.shop import MUTATION_POINTS, Shop, failure
from omnihub.sdk import REQUESTED, Answer, Outcome, Row, each_erased, exchange

PERSON = """query person($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id firstName lastName note
    defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber }
    defaultAddress { id } } } }"""
FORGET = """mutation forget($id: ID!) {
  customerRequestDataErasure(customerId: $id) { customerId userErrors { code field message } }
}"""
PERSON_POINTS = 4
GONE = "DOES_NOT_EXIST"
TAKEN = "the shop took the request: it erases ten days from now, or 180 days after their last order; ask again then"
BY_HAND = (
    "the address on an order stays until Shopify erases it with the customer; notes, tags and custom fields of orders "
    "are for the shop's owner to clear, and apps erase what they keep when Shopify tells them"
)


def erase(shop: Shop, rows: Sequence[Row]) -> Iterator[Answer]:
    """One answer per row; who is gone already, or was never there, is as good as erased."""
    return each_erased(rows, lambda row: _one(shop, row))


def _one(shop: Shop, row: Row) -> Answer:
    if not str(row.id).startswith("gid://shopify/Customer/"):
        return Answer(row.n, Outcome.WRITTEN, row.id)
    seen = shop.ask(PERSON, {"ids": [row.id]}, cost=PERSON_POINTS)
    if not _is_known(_data(seen.response.content)["nodes"][0]):
        return Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(seen.response))
    answer = shop.ask(FORGET, {"id": row.id}, cost=MUTATION_POINTS, partial=True)
    said, told = exchange(answer.response), _data(answer.response.content).get("customerRequestDataErasure")
    if told is None:
        raise failure(shop.http.system, answer.errors[0], answer.response.content)
    errors = told["userErrors"]
    if not errors:
        return Answer(row.n, Outcome.DEFERRED, row.id, REQUESTED, TAKEN, said)
    code, message = str(errors[0].get("code") or ""), "; ".join(str(e.get("message", "")) for e in errors)
    if code == GONE:
        return Answer(row.n, Outcome.WRITTEN, row.id, exchange=said)
    return Answer(row.n, Outcome.REFUSED, row.id, code, message, said)


def _is_known(customer: Mapping[str, Any] | None) -> bool:
    """Whether the shop still says who this is. What nobody says anything of needs no erasing."""
    if not customer:
        return False
    return any(value for name, value in customer.items() if name != "id")


def _data(body: bytes) -> dict[str, Any]:
    return dict(json.loads(body).get("data") or {})

"""The customer's journey in four phases, and which of them a cell of the scorecard belongs to.

    customer       who the customer is: accounts and contacts, needed in every phase
    pre-purchase   what is offered: catalogue, campaigns and promotions, deals and carts with their lines
    purchase       what is paid and bought: the price a shop or a list says or a ticket promises, the lines of orders
    delivery       how far an order has come, from where, to where, how and when it travels; what tickets tell of that
    maintenance    tickets and devices

A price is paid where it is shown, so a catalogue's prices belong to the purchase and its words to what comes before it;
what a deal names, or lies in a cart, is still an offer. What a customer was promised in answer to a question is what
that customer will pay, however the ticket is filed: it belongs to the purchase, with the product it was promised for.
"""

from __future__ import annotations

PHASES: dict[str, str] = {
    "customer": "Who the customer is",
    "pre-purchase": "Before the purchase",
    "purchase": "Purchase",
    "delivery": "Delivery",
    "maintenance": "Maintenance",
}
"""phase → its heading, in the order of the journey."""

OF_DEALS = "pre-purchase"  # a deal or a cart, and the lines that are theirs and not an order's

_BY_ENTITY = {
    "account": "customer",
    "contact": "customer",
    "product": "pre-purchase",
    "price": "pre-purchase",
    "promotion": "pre-purchase",
    "deal": OF_DEALS,
    "cart": OF_DEALS,
    "order": "purchase",
    "line": "purchase",
    "ticket": "maintenance",
    "device": "maintenance",
}
_BY_FIELD = {
    ("product", "price"): "purchase",
    ("price", "amount"): "purchase",
    ("ticket", "order_status"): "delivery",
    ("ticket", "sku"): "purchase",
    ("ticket", "promised_price"): "purchase",
    **{
        ("order", name): "delivery"
        for name in ("status", "stock_point", "delivery_point", "transport_mode", "tracking", "delivered_at")
    },
}


def phase_of(entity: str, field: str) -> str:
    """The phase of a field; of a line, that of an order's.

    >>> phase_of("product", "name"), phase_of("product", "price"), phase_of("order", "tracking")
    ('pre-purchase', 'purchase', 'delivery')
    """
    return _BY_FIELD.get((entity, field), _BY_ENTITY.get(entity, "customer"))

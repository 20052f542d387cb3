"""What one system holds of one thing, in canonical words, before its stand-in puts it into the vendor's.

The world speaks of roles, not vendors. A copy is named by (role, stream, n), n counting from 1 in each stream; its
stand-in turns n into an id of the vendor's shape (`Standin.native_id`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omnihub.model import Entity

ROLES: dict[str, dict[str, Entity]] = {
    "crm": {
        "accounts": Entity.ACCOUNT,
        "contacts": Entity.CONTACT,
        "opportunities": Entity.DEAL,
        "opportunity_lines": Entity.LINE,
        "orders": Entity.ORDER,
    },
    "marketing": {
        "companies": Entity.ACCOUNT,
        "contacts": Entity.CONTACT,
        "deals": Entity.DEAL,
        "line_items": Entity.LINE,
        "products": Entity.PRODUCT,
        "campaign_offers": Entity.PROMOTION,
    },
    "shop": {
        "customers": Entity.CONTACT,
        "products": Entity.PRODUCT,
        "variants": Entity.PRODUCT,
        "orders": Entity.ORDER,
        "order_lines": Entity.LINE,
        "carts": Entity.CART,
        "cart_lines": Entity.LINE,
        "discounts": Entity.PROMOTION,
        "inventory_levels": Entity.STOCK,
    },
    "ticketing": {"organizations": Entity.ACCOUNT, "users": Entity.CONTACT, "tickets": Entity.TICKET},
    "iot": {"customers": Entity.ACCOUNT, "devices": Entity.DEVICE, "alarms": Entity.INTERACTION},
    "portal": {
        "accounts": Entity.ACCOUNT,
        "users": Entity.CONTACT,
        "logins": Entity.INTERACTION,
        "orders": Entity.ORDER,
        "offers": Entity.PROMOTION,
        "quotes": Entity.DEAL,
        "quote_lines": Entity.LINE,
    },
    "master": {
        "products": Entity.PRODUCT,
        "prices": Entity.PRICE,
        "promotions": Entity.PROMOTION,
        "channels": Entity.CHANNEL,
        "standards": Entity.STANDARD,
    },
}
"""role → stream → what its records are about. Streams of a role are generated, and seeded, in this order."""

LINKS: dict[tuple[str, str], dict[str, str]] = {
    ("crm", "accounts"): {"parent": "accounts"},
    ("crm", "contacts"): {"account": "accounts"},
    ("crm", "opportunities"): {"account": "accounts", "contact": "contacts"},
    ("crm", "opportunity_lines"): {"of": "opportunities"},
    ("crm", "orders"): {"account": "accounts"},
    ("marketing", "contacts"): {"account": "companies"},
    ("marketing", "deals"): {"account": "companies", "contact": "contacts"},
    ("marketing", "line_items"): {"of": "deals"},
    ("shop", "variants"): {"of": "products"},
    ("shop", "orders"): {"contact": "customers"},
    ("shop", "order_lines"): {"of": "orders"},
    ("shop", "carts"): {"contact": "customers"},
    ("shop", "cart_lines"): {"of": "carts"},
    ("shop", "discounts"): {"contacts": "customers"},
    ("ticketing", "users"): {"account": "organizations"},
    ("ticketing", "tickets"): {"contact": "users", "account": "organizations"},
    ("iot", "devices"): {"account": "customers"},
    ("iot", "alarms"): {"device": "devices"},
    ("portal", "users"): {"account": "accounts"},
    ("portal", "logins"): {"contact": "users"},
    ("portal", "orders"): {"contact": "users"},
    ("portal", "offers"): {"account": "accounts"},
    ("portal", "quotes"): {"account": "accounts", "contact": "users"},
    ("portal", "quote_lines"): {"of": "quotes"},
}
"""Which stream of the same role a link field points into. Link values in a copy are the target's n (an int), or where
a field links to several, a list of them."""

HELD: dict[tuple[str, str], tuple[str, ...]] = {
    ("crm", "accounts"): (
        "name",
        "vat_id",
        "domain",
        "phone",
        "street",
        "postal_code",
        "city",
        "region",
        "country",
        "parent",
        "industry",
        "customer_group",
        "status",
    ),
    ("crm", "contacts"): (
        "first_name",
        "last_name",
        "email",
        "phone",
        "mobile",
        "job_title",
        "birth_date",
        "language",
        "country",
        "account",
        "marketing_consent",
        "consent_at",
    ),
    ("crm", "opportunities"): ("name", "account", "contact", "amount", "currency", "stage", "closes_on"),
    ("crm", "opportunity_lines"): ("of", "sku", "name", "quantity", "unit_price", "currency"),
    ("crm", "orders"): (
        "number",
        "account",
        "status",
        "currency",
        "total",
        "stock_point",
        "delivery_point",
        "transport_mode",
        "tracking",
    ),
    ("marketing", "companies"): (
        "name",
        "domain",
        "phone",
        "street",
        "postal_code",
        "city",
        "region",
        "country",
        "industry",
        "customer_group",
    ),
    ("marketing", "contacts"): (
        "first_name",
        "last_name",
        "email",
        "phone",
        "mobile",
        "job_title",
        "birth_date",
        "language",
        "company",
        "city",
        "country",
        "account",
        "marketing_consent",
        "consent_at",
    ),
    ("marketing", "deals"): ("name", "account", "contact", "amount", "currency", "stage", "closes_on"),
    ("marketing", "line_items"): ("of", "sku", "name", "quantity", "unit_price", "currency"),
    ("marketing", "products"): ("sku", "name", "description", "status", "price"),
    ("marketing", "campaign_offers"): (
        "code",
        "name",
        "sku",
        "customer_group",
        "discount",
        "price",
        "currency",
        "valid_from",
        "valid_to",
    ),
    ("shop", "customers"): (
        "first_name",
        "last_name",
        "email",
        "phone",
        "company",
        "street",
        "postal_code",
        "city",
        "country",
        "language",
        "marketing_consent",
        "consent_at",
    ),
    ("shop", "products"): ("name", "description", "category", "status", "image"),
    ("shop", "variants"): ("of", "sku", "gtin", "name", "price", "weight", "taxable"),
    ("shop", "orders"): (
        "number",
        "contact",
        "ordered_at",
        "status",
        "currency",
        "total",
        "tax_included",
        "stock_point",
        "delivery_point",
        "transport_mode",
        "tracking",
        "delivered_at",
    ),
    ("shop", "order_lines"): ("of", "sku", "name", "quantity", "unit_price", "currency", "tax_rate"),
    ("shop", "carts"): (
        "name",
        "contact",
        "changed_at",
        "ordered_at",
        "currency",
        "total",
        "tax_included",
        "tax_rate",
    ),
    ("shop", "cart_lines"): ("of", "sku", "name", "quantity", "unit_price", "currency"),
    ("shop", "discounts"): (
        "code",
        "name",
        "skus",
        "all_products",
        "customer_groups",
        "all_customers",
        "contacts",
        "gives",
        "discount",
        "discount_amount",
        "discount_on",
        "currency",
        "starts_at",
        "ends_at",
    ),
    ("shop", "inventory_levels"): ("sku", "stock_point", "quantity"),
    ("ticketing", "organizations"): ("name", "domain", "customer_group"),
    ("ticketing", "users"): ("first_name", "last_name", "email", "phone", "language", "account", "marketing_consent"),
    ("ticketing", "tickets"): (
        "subject",
        "contact",
        "account",
        "status",
        "channel",
        "order",
        "order_status",
        "sku",
        "quantity",
        "promised_price",
        "currency",
        "opened_at",
        "answered_at",
        "solved_at",
        "satisfaction",
    ),
    ("iot", "customers"): ("name", "email", "phone", "street", "postal_code", "city", "region", "country"),
    ("iot", "devices"): ("serial", "sku", "name", "account", "installed_on", "status"),
    ("iot", "alarms"): ("kind", "at", "device", "detail"),
    ("portal", "accounts"): (
        "name",
        "vat_id",
        "domain",
        "phone",
        "email",
        "street",
        "postal_code",
        "city",
        "region",
        "country",
        "customer_group",
    ),
    ("portal", "users"): (
        "first_name",
        "last_name",
        "email",
        "phone",
        "mobile",
        "job_title",
        "language",
        "country",
        "account",
        "marketing_consent",
        "consent_at",
    ),
    ("portal", "logins"): ("contact", "at", "channel"),
    ("portal", "orders"): (
        "number",
        "contact",
        "ordered_at",
        "status",
        "currency",
        "total",
        "stock_point",
        "delivery_point",
        "transport_mode",
        "tracking",
        "delivered_at",
    ),
    ("portal", "offers"): (
        "code",
        "name",
        "sku",
        "customer_group",
        "account",
        "discount",
        "discount_amount",
        "price",
        "currency",
        "valid_from",
        "valid_to",
    ),
    ("portal", "quotes"): ("name", "account", "contact", "amount", "currency", "stage", "closes_on"),
    ("portal", "quote_lines"): ("of", "sku", "name", "quantity", "unit_price", "currency"),
    ("master", "products"): (
        "sku",
        "gtin",
        "name",
        "description",
        "unit",
        "category",
        "status",
        "weight",
        "image",
        "tax_class",
        "sold_in",
    ),
    ("master", "prices"): (
        "sku",
        "price_list",
        "customer_group",
        "currency",
        "amount",
        "unit",
        "min_quantity",
        "tax_included",
        "tax_rate",
        "tolerance",
        "rounding",
        "valid_from",
        "valid_to",
    ),
    ("master", "promotions"): (
        "code",
        "name",
        "sku",
        "customer_group",
        "discount",
        "discount_amount",
        "currency",
        "discount_on",
        "valid_from",
        "valid_to",
    ),
    ("master", "channels"): ("name", "system", "owner"),
    ("master", "standards"): ("channel", "first_answer_hours", "solution_hours", "valid_from"),
}
"""Which canonical fields each stream holds. A missing one is absent from the copy's fields, or None."""


@dataclass(frozen=True)
class Guest:
    """A system that is none of the world's own, and takes part with copies of whatever its streams can hold.

    role: its name. streams, holds, links: as ROLES, HELD and LINKS have them. says: (stream, field) → the values it has
    words for, where it has not for all. inside: nested stream → the one whose records it is in.
    """

    role: str
    streams: Mapping[str, Entity]
    holds: Mapping[str, tuple[str, ...]]
    links: Mapping[str, Mapping[str, str]]
    says: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)
    master: bool = False


# Codes, the same in every role; a stand-in puts in the vendor's own.
STATUS_ACCOUNT = ("prospect", "active", "former")
CUSTOMER_GROUPS = ("standard", "dealer", "key")
STATUS_PRODUCT = ("active", "discontinued", "draft")
STAGES = ("open", "quoted", "won", "lost")
STATUS_ORDER = ("open", "shipped", "delivered", "cancelled")
TRANSPORT = ("road", "air", "sea", "parcel")
STATUS_TICKET = ("new", "open", "pending", "solved", "closed")
CHANNELS = ("email", "web", "phone", "chat")
SATISFACTION = ("good", "bad", "unoffered")
STATUS_DEVICE = ("active", "inactive")
UNITS = ("pcs", "set", "kg", "m")
TAX_CLASSES = ("standard", "reduced", "exempt")
SOLD_IN = ("e-commerce", "Field sales")


@dataclass(frozen=True)
class Copy:
    """One record of one system. `fields` holds canonical words as this system has them, wrong ones included.

    Links are the n of their target (an int); consent is "yes", "no" or None; booleans "true"/"false"; money, quantity,
    percent plain decimals; dates and times ISO. `updated_at` is the system's clock, ISO UTC. A deleted record
    was there and is gone now; `merged_into` is the n it was merged into, where it was.
    """

    role: str
    stream: str
    n: int
    fields: Mapping[str, Any]
    created_at: str
    updated_at: str
    deleted: bool = False
    merged_into: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

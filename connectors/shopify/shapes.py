"""The stand-in's objects: canonical fields in the shop's own words, and what every object of a kind has."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from omnihub.sandbox.state import Obj, iso

TYPES = {
    "customers": "Customer",
    "products": "Product",
    "variants": "ProductVariant",
    "orders": "Order",
    "order_lines": "LineItem",
    "carts": "AbandonedCheckout",
    "cart_lines": "AbandonedCheckoutLineItem",
    "inventory_levels": "InventoryLevel",
    "metafields": "Metafield",
    "discounts": "DiscountNode",
}
STREAM_OF = {kind: stream for stream, kind in TYPES.items()}
PARENTS = {"variants": ("products", "product"), "order_lines": ("orders", "order"), "cart_lines": ("carts", "cart")}
COUNTRIES = {
    "AT": "Austria", "BE": "Belgium", "CH": "Switzerland", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark",
    "ES": "Spain", "FR": "France", "GB": "United Kingdom", "IT": "Italy", "NL": "Netherlands", "PL": "Poland",
    "SE": "Sweden", "US": "United States",
}  # fmt: skip
CHOSEN_BY = ("collections", "variants", "products", "variants")
"""How the shop's people put products into a discount: by turns."""
SEGMENTS = {"standard": "Standard customers", "dealer": "Dealers", "key": "Key accounts"}
CONSENT = {"yes": "SUBSCRIBED", "no": "UNSUBSCRIBED"}
STATUS = {"active": "ACTIVE", "discontinued": "ARCHIVED", "draft": "DRAFT"}
ADDRESS = (
    "company",
    "address1",
    "address2",
    "zip",
    "city",
    "province",
    "provinceCode",
    "firstName",
    "lastName",
    "phone",
)


def customer(given: Mapping[str, Any]) -> dict[str, Any]:
    """Customers."""
    body = _renamed(given, {"first_name": "firstName", "last_name": "lastName", "language": "locale"})
    address = _renamed(
        given, {"company": "company", "street": "address1", "postal_code": "zip", "city": "city", "region": "province"}
    )
    if "country" in given:
        address |= country(given["country"])
    email = _renamed(given, {"email": "emailAddress", "consent_at": "marketingUpdatedAt"})
    if "marketing_consent" in given:
        email["marketingState"] = CONSENT.get(given["marketing_consent"], "NOT_SUBSCRIBED")
    parts = {
        "defaultAddress": address,
        "defaultEmailAddress": email,
        "defaultPhoneNumber": _renamed(given, {"phone": "phoneNumber"}),
    }
    return body | {name: part for name, part in parts.items() if part}


def country(value: Any) -> dict[str, Any]:
    """The shop knows countries by code; other words stay words."""
    code = value if isinstance(value, str) and re.fullmatch("[A-Z]{2}", value) else None
    return {"countryCodeV2": code, "country": COUNTRIES.get(code, code) if code else value}


def product(given: Mapping[str, Any]) -> dict[str, Any]:
    """Products."""
    body = _renamed(given, {"name": "title", "category": "productType"})
    if "description" in given:
        body["descriptionHtml"] = html.escape(given["description"] or "", quote=False)
    if "status" in given:
        body["status"] = STATUS.get(given["status"], "ACTIVE")
    if given.get("image"):
        body["image"] = f"{FILES}/{given['image']}?v=1765432100"
    return body


def variant(given: Mapping[str, Any]) -> dict[str, Any]:
    """Variants."""
    body = _renamed(given, {"of": "product", "sku": "sku", "gtin": "barcode", "name": "title"})
    if "taxable" in given:
        body["taxable"] = given["taxable"] != "false"
    if given.get("weight"):
        body["weight"] = weight(str(given["weight"]))
    return body | ({"price": money(given["price"])} if "price" in given else {})


def weight(kilograms: str) -> dict[str, Any] | None:
    """In the unit somebody chose: light things in grams, some in pounds. What is no number the shop can't hold."""
    try:
        heavy = float(kilograms)
    except ValueError:
        return None
    if heavy < 1:
        return {"unit": "GRAMS", "value": round(heavy * 1000, 3)}
    if int(heavy * 10) % 5 == 0:
        return {"unit": "POUNDS", "value": round(heavy / 0.45359237, 4)}
    return {"unit": "KILOGRAMS", "value": heavy}


def order(given: Mapping[str, Any]) -> dict[str, Any]:
    """Orders."""
    body = _renamed(
        given,
        {
            "number": "name", "contact": "customer", "ordered_at": "processedAt", "currency": "currencyCode",
            "status": "status", "stock_point": "location", "delivery_point": "shipTo", "transport_mode": "shipping",
            "tracking": "tracking", "delivered_at": "deliveredAt",
        },
    )  # fmt: skip
    body |= _taxed(given)
    return body | ({"total": money(given["total"])} if "total" in given else {})


def line(given: Mapping[str, Any], of: str = "order") -> dict[str, Any]:
    """Lines of orders."""
    body = _renamed(given, {"of": of, "sku": "sku", "name": "title", "currency": "currencyCode"}) | _taxed(given)
    if "quantity" in given:
        body["quantity"] = _count(given["quantity"])
    return body | ({"unitPrice": money(given["unit_price"])} if "unit_price" in given else {})


def cart(given: Mapping[str, Any]) -> dict[str, Any]:
    """Carts. When one was changed is what the shop's own clock says."""
    names = {"name": "name", "contact": "customer", "ordered_at": "completedAt", "currency": "currencyCode"}
    body = _renamed(given, names) | _taxed(given)
    return body | ({"total": money(given["total"])} if "total" in given else {})


def cart_line(given: Mapping[str, Any]) -> dict[str, Any]:
    """Lines of carts."""
    return line(given, of="cart")


def _taxed(given: Mapping[str, Any]) -> dict[str, Any]:
    rate = {"taxRate": _percent(given["tax_rate"])} if given.get("tax_rate") else {}
    return rate | ({"taxesIncluded": given["tax_included"] == "true"} if "tax_included" in given else {})


def discount(given: Mapping[str, Any]) -> dict[str, Any]:
    """Discounts. `variants`: the SKUs of those it is for; none: for all. So with `segments` and `customers`."""
    body = _renamed(
        given,
        {
            "code": "code", "name": "title", "starts_at": "startsAt", "ends_at": "endsAt", "contacts": "customers",
            "gives": "gives", "currency": "currencyCode",
        },
    )  # fmt: skip
    if "skus" in given:
        body["variants"] = (given["skus"] or "").split(", ")
    if given.get("all_products") == "true":
        body["variants"] = None
    if "customer_groups" in given:
        groups = (given["customer_groups"] or "").split(";")
        body["segments"] = [SEGMENTS.get(group, group) for group in groups if group]
    if given.get("all_customers") == "true":
        body |= {"segments": None, "customers": None}
    if "discount_amount" in given:
        body["amount"] = None if given["discount_amount"] is None else money(given["discount_amount"])
    if "discount_on" in given:
        body["each"] = given["discount_on"] != "order"
    return body | ({"percentage": _share(given["discount"])} if "discount" in given else {})


def _share(percent: Any) -> float:
    return (_percent(percent) or 0.0) / 100


def _percent(told: Any) -> float | None:
    try:
        return float(Decimal(str(told)))
    except InvalidOperation:
        return None


def level(given: Mapping[str, Any]) -> dict[str, Any]:
    """Levels of stock."""
    body = _renamed(given, {"sku": "sku", "stock_point": "location"})
    return body | ({"onHand": _count(given["quantity"])} if "quantity" in given else {})


def _renamed(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {native: given[name] for name, native in names.items() if name in given}


def money(value: Any) -> str:
    """Two decimals; what is no number the shop can't hold."""
    try:
        return f"{Decimal(str(value)):.2f}"
    except InvalidOperation:
        return "0.00"


def _count(value: Any) -> int:
    try:
        return int(Decimal(str(value)))
    except InvalidOperation:
        return 0


DEFAULTS: dict[str, dict[str, Any]] = {
    "customers": {"tags": list},
    "products": {"title": "", "descriptionHtml": "", "productType": "", "vendor": "", "status": "ACTIVE", "tags": list},
    "variants": {"title": "Default Title", "price": "0.00", "position": 1, "taxable": True},
    "orders": {"name": "", "currencyCode": "EUR", "taxesIncluded": False, "total": "0.00", "status": "open"},
    "order_lines": {"title": "", "quantity": 0, "unitPrice": "0.00", "currencyCode": "EUR"},
    "carts": {"name": "", "currencyCode": "EUR", "taxesIncluded": False, "total": "0.00"},
    "cart_lines": {"title": "", "quantity": 0, "unitPrice": "0.00", "currencyCode": "EUR"},
    "inventory_levels": {"location": "Shop location", "onHand": 0},
    "metafields": {},
    "discounts": {"title": "", "startsAt": "2020-01-01T00:00:00Z", "gives": "discount", "percentage": 0.0},
}


FILES = "https://cdn.shopify.com/s/files/1/0000/0001/files"  # where pictures are kept


def exact(moment: str) -> str:
    """A time as the state keeps it."""
    return iso(datetime.fromisoformat(moment))


def seconds(moment: str) -> str:
    """A time as the shop shows it."""
    return moment[:19] + "Z"


def address_id(n: int) -> str:
    """As the shop writes ids of addresses, with the kind of address behind."""
    return f"gid://shopify/MailingAddress/{8_000_000_000_000 + n}?model_name=CustomerAddress"


NATIVE: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "customers": customer,
    "products": product,
    "variants": variant,
    "orders": order,
    "order_lines": line,
    "carts": cart,
    "cart_lines": cart_line,
    "discounts": discount,
    "inventory_levels": level,
}


def filled(obj: Obj, locale: str) -> Obj:
    """The object with what every one of its kind has, where nothing is said of it."""
    for name, value in DEFAULTS[obj.stream].items():
        if obj.body.get(name) is None:
            obj.body[name] = value() if callable(value) else value
    if obj.stream == "customers":
        _filled_customer(obj, locale)
    if obj.stream == "discounts":
        obj.body.setdefault("chosen_by", CHOSEN_BY[obj.n % len(CHOSEN_BY)])
    return obj


def _filled_customer(obj: Obj, locale: str) -> None:
    body = obj.body
    body["locale"] = body.get("locale") or locale
    for name, needed in (("defaultEmailAddress", "emailAddress"), ("defaultPhoneNumber", "phoneNumber")):
        held = body.get(name) or {}
        body[name] = {"marketingState": "NOT_SUBSCRIBED", "validFormat": True, **held} if held.get(needed) else None
    address = body.get("defaultAddress") or {}
    there = any(value for name, value in address.items() if name != "id")
    body["defaultAddress"] = {"id": address_id(obj.n), **address} if there else None

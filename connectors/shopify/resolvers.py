"""What the stand-in's lists show, and the fields that are worked out when asked for."""

from __future__ import annotations

import html
import json
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from connectors.shopify.bulking import BULK_QUERIES
from connectors.shopify.mutations import MOST, SHOP, at_most, identified, merge_errors, merge_survivor
from connectors.shopify.shapes import exact, seconds
from omnihub.sandbox.state import iso


@dataclass
class Connection:
    """A page of a list."""

    nodes: list[dict[str, Any]]
    cursors: list[str]
    more: bool
    before: bool = False

    @property
    def edges(self) -> list[dict[str, Any]]:
        """The same with a position for each."""
        return [{"cursor": c, "node": n} for c, n in zip(self.cursors, self.nodes, strict=True)]

    @property
    def pageInfo(self) -> dict[str, Any]:
        """Whether there is more, and how to get it."""
        return {
            "hasNextPage": self.more,
            "hasPreviousPage": self.before,
            "startCursor": self.cursors[0] if self.cursors else None,
            "endCursor": self.cursors[-1] if self.cursors else None,
        }


# -- positions and times -----------------------------------------------------------------------------------------------


def size_of(given: Mapping[str, Any]) -> int:
    """How many are asked for."""
    size = given.get("first")
    if given.get("last") is not None:
        raise GraphQLError("The sandbox reads lists forwards only.", extensions={"code": "BAD_REQUEST"})
    if size is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    if not 0 < size <= MOST:
        raise GraphQLError(f"first must be between 1 and {MOST}", extensions={"code": "BAD_REQUEST"})
    return int(size)


def everything(found: list[dict[str, Any]]) -> Connection:
    """A list as a bulk operation sees it: all of it."""
    return Connection(found, [""] * len(found), more=False)


def paged(found: list[dict[str, Any]], given: Mapping[str, Any]) -> Connection:
    """A page of a list that is all there."""
    size, start = size_of(given), position_of(given.get("after")).get("n", 0)
    some = found[start : start + size]
    cursors = [cursor({"n": start + i}) for i in range(1, len(some) + 1)]
    return Connection(some, cursors, more=len(found) > start + size, before=start > 0)


def cursor(position: Mapping[str, Any]) -> str:
    """A position, for others to hand back unread."""
    return urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode()


def position_of(cursor: str | None) -> dict[str, Any]:
    """What `cursor` made."""
    try:
        return dict(json.loads(urlsafe_b64decode(cursor))) if cursor else {}
    except ValueError:
        raise GraphQLError("Invalid cursor for current pagination sort.", extensions={"code": "BAD_REQUEST"}) from None


def times(search: str) -> tuple[str, str]:
    """(from, before) of `updated_at:>='…' updated_at:<'…'`; of the rest only `least` and `tagged` are understood."""
    since = until = ""
    for operator, moment in re.findall(r"updated_at:(>=|<)'?([^'\s]+)'?", search):
        at = exact(moment)
        since, until = (at, until) if operator == ">=" else (since, at)
    return since, until


def least(search: str) -> int:
    """The number of `id:>=…`."""
    found = re.search(r"\bid:>='?(\d+)", search)
    return int(found[1]) if found else 0


def tagged(search: str) -> str:
    """The tag of `tag:'…'`."""
    found = re.search(r"tag:'([^']+)'", search)
    return found[1] if found else ""


# -- fields that are worked out when asked for -------------------------------------------------------------------------


def _handle(product: Mapping[str, Any], info: Any) -> str:
    return (
        product.get("handle")
        or re.sub(r"[^a-z0-9]+", "-", product["title"].lower()).strip("-")
        or product["id"].rpartition("/")[2]
    )


def _description(product: Mapping[str, Any], info: Any, truncateAt: int | None = None) -> str:
    """One line of text without tags."""
    text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", product["descriptionHtml"])).split())
    return text[:truncateAt] if truncateAt else text


def _display_name(customer: Mapping[str, Any], info: Any) -> str:
    name = " ".join(filter(None, (customer.get("firstName"), customer.get("lastName"))))
    return name or (customer.get("defaultEmailAddress") or {}).get("emailAddress") or "Customer"


def _variant_name(variant: Mapping[str, Any], info: Any) -> str:
    product = info.context.living("products", variant["product"])
    return f"{product.body['title'] if product else ''} - {variant['title']}"


def _picture(product: Mapping[str, Any], info: Any) -> dict[str, Any] | None:
    if not product.get("image"):
        return None
    id_ = product["id"].replace("/Product/", "/MediaImage/")
    return {"__typename": "MediaImage", "id": id_, "preview": {"image": {"url": product["image"]}}}


def _inventory(variant: Mapping[str, Any], info: Any) -> dict[str, Any]:
    return inventory_item(variant.get("sku"), variant.get("weight"))


def inventory_item(sku: Any, weight: Any = None) -> dict[str, Any]:
    """What lies on a shelf."""
    return {
        "__typename": "InventoryItem",
        "id": f"gid://shopify/InventoryItem/{zlib.crc32(str(sku).encode())}",
        "sku": sku,
        "tracked": True,
        "measurement": {"weight": weight},
    }


def _bag(name: str) -> Callable[..., dict[str, Any]]:
    def bag(source: Mapping[str, Any], info: Any) -> dict[str, Any]:
        money = {"amount": source[name], "currencyCode": source["currencyCode"]}
        return {"shopMoney": money, "presentmentMoney": money}

    return bag


def _fulfilment(order: Mapping[str, Any], info: Any) -> str:
    if order["status"] == "cancelled":
        return str(info.context.options.get("cancelled_shows", "RESTOCKED"))
    return "FULFILLED" if order["status"] in ("shipped", "delivered") else "UNFULFILLED"


def _fulfilments(order: Mapping[str, Any], info: Any, first: int | None = None, query: str | None = None) -> list[Any]:
    on_its_way = order["status"] in ("shipped", "delivered") or order.get("tracking") or order.get("deliveredAt")
    if not on_its_way:
        return []
    tracking = [{"number": order["tracking"], "company": None}] if order.get("tracking") else []
    fulfilment = {
        "__typename": "Fulfillment",
        "id": order["id"].replace("/Order/", "/Fulfillment/"),
        "status": "SUCCESS",
        "displayStatus": "DELIVERED" if order["status"] == "delivered" or order.get("deliveredAt") else "IN_TRANSIT",
        "deliveredAt": order.get("deliveredAt"),
        "trackingInfo": tracking,
    }
    return [fulfilment][:first]


def _fulfilment_orders(order: Mapping[str, Any], info: Any, **given: Any) -> Connection:
    states = {"cancelled": "CANCELLED", "shipped": "CLOSED", "delivered": "CLOSED"}
    found = {
        "__typename": "FulfillmentOrder",
        "id": order["id"].replace("/Order/", "/FulfillmentOrder/"),
        "status": states.get(order["status"], "OPEN"),
        "assignedLocation": {"name": order.get("location") or "Shop location"},
    }
    return paged([found] if order.get("location") else [], given)


def _shipping_address(order: Mapping[str, Any], info: Any) -> dict[str, Any] | None:
    """Kept as one text: street, zip and town."""
    if not order.get("shipTo"):
        return None
    street, _, town = str(order["shipTo"]).rpartition(", ")
    code = re.match(r"(?:\S*\d\S* +)+(?=\S)", town)
    return {
        "id": order["id"].replace("/Order/", "/MailingAddress/"),
        "address1": street or None,
        "zip": code[0].strip() if code else None,
        "city": town[code.end() :] if code else town,
    }


def _taxes(source: Mapping[str, Any], info: Any, first: int | None = None) -> list[dict[str, Any]]:
    """One tax, or none that is known."""
    rate = source.get("taxRate")
    return [] if rate is None else [{"title": "VAT", "rate": rate / 100, "ratePercentage": rate}][:first]


def _shipping_line(order: Mapping[str, Any], info: Any) -> dict[str, Any] | None:
    return {"code": order["shipping"], "title": order["shipping"]} if order.get("shipping") else None


def _addresses(customer: Mapping[str, Any], info: Any, **given: Any) -> Connection:
    first = [customer["defaultAddress"]] if customer.get("defaultAddress") else []
    return paged([*first, *customer.get("moreAddresses", [])], given)


def _metafield(owner: Mapping[str, Any], info: Any, key: str, namespace: str | None = None) -> dict[str, Any] | None:
    namespace, key = key.split(".", 1) if namespace is None and "." in key else (namespace, key)
    return next((m for m in info.context.metafields(owner["id"], {"namespace": namespace}) if m["key"] == key), None)


def _merge_job(root: Any, info: Any, jobId: str) -> dict[str, Any] | None:
    survivor = info.context.state.note("merges", {}).get(jobId)
    ends = info.context.options.get("merge_ends", "COMPLETED")
    return survivor and {
        "jobId": jobId,
        "status": ends,
        "customerMergeErrors": [] if ends == "COMPLETED" else [{"message": "Customer has gift cards"}],
        "resultingCustomerId": survivor,
    }


KINDS = {"goods": "Bxgy", "shipping": "FreeShipping", "app": "App"}


def _discount(node: Mapping[str, Any], info: Any) -> dict[str, Any]:
    """With a code, or for everybody who puts it into the cart."""
    now = seconds(iso(info.context.now()))
    over = bool(node.get("endsAt")) and node["endsAt"] <= now
    return {
        **node,
        "__typename": f"Discount{'Code' if node.get('code') else 'Automatic'}{KINDS.get(node['gives'], 'Basic')}",
        "status": "EXPIRED" if over else "SCHEDULED" if node["startsAt"] > now else "ACTIVE",
    }


def _codes(discount: Mapping[str, Any], info: Any, **given: Any) -> Connection:
    id_ = discount["id"].replace("/DiscountNode/", "/DiscountRedeemCode/")
    return paged([{"id": id_, "code": discount["code"]}], given)


def _for_whom(discount: Mapping[str, Any], info: Any) -> dict[str, Any]:
    if discount.get("customers"):
        present = (info.context.present_customer(id_) for id_ in discount["customers"])
        return {"__typename": "DiscountCustomers", "customers": [one for one in present if one]}
    if not discount.get("segments"):
        return {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"}
    id_ = discount["id"].replace("/DiscountNode/", "/Segment/")
    segments = [{"id": f"{id_}{n}", "name": name} for n, name in enumerate(discount["segments"])]
    return {"__typename": "DiscountCustomerSegments", "segments": segments}


def _for_what(discount: Mapping[str, Any], info: Any) -> dict[str, Any]:
    return {"items": _items(discount, discount.get("variants")), "value": _value(discount)}


def _to_be_bought(discount: Mapping[str, Any], info: Any) -> dict[str, Any]:
    return {"items": _items(discount, None)}


def _items(discount: Mapping[str, Any], skus: list[str] | None) -> dict[str, Any]:
    if skus is None:
        return {"__typename": "AllDiscountItems", "allItems": True}
    by = discount["chosen_by"]
    kind = "DiscountCollections" if by == "collections" else "DiscountProducts"
    return {"__typename": kind, "discount": discount, "skus": skus, "by": by}


def _value(discount: Mapping[str, Any]) -> dict[str, Any]:
    """Who buys some gets one for nothing."""
    if discount["gives"] == "goods":
        free = {"__typename": "DiscountPercentage", "percentage": 1.0}
        return {"__typename": "DiscountOnQuantity", "effect": free, "quantity": {"quantity": "1"}}
    if discount.get("amount") is None:
        return {"__typename": "DiscountPercentage", "percentage": discount["percentage"]}
    money = {"amount": discount["amount"], "currencyCode": discount.get("currencyCode") or "EUR"}
    return {"__typename": "DiscountAmount", "amount": money, "appliesOnEachItem": bool(discount.get("each"))}


def _variants_of(items: Mapping[str, Any], info: Any, **given: Any) -> Connection:
    return paged(_sold_as(items["skus"], info) if items["by"] == "variants" else [], given)


def _products_of(items: Mapping[str, Any], info: Any, **given: Any) -> Connection:
    """Of a discount, or of a collection."""
    if items["by"] == "variants":
        return paged([], given)
    products = dict.fromkeys(variant["product"] for variant in _sold_as(items["skus"], info))
    return paged([info.context.shown(obj) for id_ in products if (obj := info.context.living("products", id_))], given)


def _sold_as(skus: list[str], info: Any) -> list[dict[str, Any]]:
    found = [o for sku in skus for o in info.context.state.find("variants", "$.sku", sku)]
    return [info.context.shown(o) for o in found if not o.deleted]


def _collections_of(items: Mapping[str, Any], info: Any, **given: Any) -> Connection:
    return paged(_collections(items["discount"]), given)


def _collections(discount: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The shop's collections are those of its discounts: two for each, where there is more than one product in it."""
    id_ = discount["id"].replace("/DiscountNode/", "/Collection/")
    parts = [some for some in (discount["variants"][0::2], discount["variants"][1::2]) if some]
    return [
        {
            "__typename": "Collection", "id": f"{id_}-{n}", "title": f"{discount['title']} {n + 1}",
            "updatedAt": discount["updatedAt"], "skus": skus, "by": "collections",
        }
        for n, skus in enumerate(parts)
    ]  # fmt: skip


def _node(root: Any, info: Any, id: str) -> dict[str, Any] | None:
    if "/Collection/" not in id:
        found: dict[str, Any] | None = info.context.node(id)
        return found
    discount = info.context.living("discounts", id.replace("/Collection/", "/DiscountNode/").rpartition("-")[0])
    known = _collections(info.context.shown(discount)) if discount and discount.body.get("variants") else []
    return next((one for one in known if one["id"] == id), None)


def _count(stream: str) -> Callable[..., dict[str, Any]]:
    def count(root: Any, info: Any, query: str | None = None, limit: int | None = None, **_: Any) -> dict[str, Any]:
        found = info.context.state.count(stream, since=times(query or "")[0])
        within = min(found, limit) if limit else found
        return {"count": within, "precision": "EXACT" if within == found else "AT_LEAST"}

    return count


def _identified(root: Any, info: Any, identifier: Mapping[str, Any]) -> dict[str, Any] | None:
    names = {"emailAddress": "email", "phoneNumber": "phone"}
    obj = identified(info.context, {names.get(name, name): value for name, value in identifier.items()})
    return info.context.shown(obj) if obj else None


def _merge_preview(root: Any, info: Any, customerOneId: str, customerTwoId: str, **_: Any) -> dict[str, Any]:
    found = [info.context.living("customers", id_) for id_ in (customerOneId, customerTwoId)]
    wrong = merge_errors(info.context, customerOneId, customerTwoId)
    kept = None if wrong else merge_survivor(*found)[0].id
    return {"resultingCustomerId": kept, "customerMergeErrors": wrong or None}


# -- stock -------------------------------------------------------------------------------------------------------------


def located(name: str) -> dict[str, Any]:
    """A location, known by its name."""
    number = zlib.crc32(name.encode())
    return {"__typename": "Location", "id": f"gid://shopify/Location/{number}", "name": name}


def _location(root: Any, info: Any, id: str | None = None) -> dict[str, Any] | None:
    return next((place for place in info.context.places() if id in (None, place["id"])), None)


def _quantities(level: Mapping[str, Any], info: Any, names: list[str]) -> list[dict[str, Any]]:
    id_ = level["id"].replace("/InventoryLevel/", "/InventoryQuantity/")
    # nothing here is reserved, under way or damaged: what is on hand is available
    held = {"on_hand": level["onHand"], "available": level["onHand"]}
    return [{"id": f"{id_}?name={name}", "name": name, "quantity": held.get(name, 0)} for name in names]


RESOLVERS: dict[str, dict[str, Callable[..., Any]]] = {
    "QueryRoot": {
        "shop": lambda root, info: SHOP,
        "node": _node,
        "nodes": lambda root, info, ids: [info.context.node(i) for i in at_most(MOST, ids)],
        "customer": lambda root, info, id: info.context.node(id),
        "product": lambda root, info, id: info.context.node(id),
        "order": lambda root, info, id: info.context.node(id),
        "customers": lambda root, info, **given: info.context.listed("customers", given),
        "products": lambda root, info, **given: info.context.listed("products", given),
        "orders": lambda root, info, **given: info.context.listed("orders", given),
        "abandonedCheckouts": lambda root, info, **given: info.context.listed("carts", given),
        "discountNodes": lambda root, info, **given: info.context.listed("discounts", given),
        "customersCount": _count("customers"),
        "productsCount": _count("products"),
        "ordersCount": _count("orders"),
        "abandonedCheckoutsCount": _count("carts"),
        "customerByIdentifier": _identified,
        "customerMergePreview": _merge_preview,
        "customerMergeJobStatus": _merge_job,
        "location": _location,
        "locations": lambda root, info, **given: paged(info.context.places(), given),
        **BULK_QUERIES,
    },
    "Location": {"inventoryLevels": lambda place, info, **given: info.context.on_shelves(place["name"], given)},
    "InventoryLevel": {
        "isActive": lambda level, info: True,
        "item": lambda level, info: inventory_item(level.get("sku")),
        "location": lambda level, info: located(level["location"]),
        "quantities": _quantities,
    },
    "Shop": {},
    "Customer": {"displayName": _display_name, "addressesV2": _addresses},
    "Product": {
        "handle": _handle,
        "description": _description,
        "featuredMedia": _picture,
        "variants": lambda product, info, **given: info.context.inside("variants", product["id"], given),
    },
    "ProductVariant": {
        "displayName": _variant_name,
        "product": lambda variant, info: info.context.node(variant["product"]),
        "inventoryItem": _inventory,
    },
    "Order": {
        "processedAt": lambda order, info: order.get("processedAt") or order["createdAt"],
        "cancelledAt": lambda order, info: order["updatedAt"] if order["status"] == "cancelled" else None,
        "displayFulfillmentStatus": _fulfilment,
        "currentTotalPriceSet": _bag("total"),
        "tags": lambda order, info: order.get("tags") or [],
        "customer": lambda order, info: info.context.present_customer(order.get("customer")),
        "shippingAddress": _shipping_address,
        "shippingLine": _shipping_line,
        "fulfillments": _fulfilments,
        "fulfillmentOrders": _fulfilment_orders,
        "lineItems": lambda order, info, **given: info.context.inside("order_lines", order["id"], given),
    },
    "DiscountNode": {"discount": _discount},
    **{
        f"Discount{how}{kind}": {
            "context": _for_whom,
            **({"codes": _codes} if how == "Code" else {}),
            **({"customerGets": _for_what} if kind in ("Basic", "Bxgy") else {}),
            **({"customerBuys": _to_be_bought} if kind == "Bxgy" else {}),
            **(
                {"appDiscountType": lambda *_: {"functionId": "sandbox", "title": "By volume"}} if kind == "App" else {}
            ),
        }
        for how in ("Code", "Automatic")
        for kind in ("Basic", *KINDS.values())
    },
    "DiscountProducts": {"productVariants": _variants_of, "products": _products_of},
    "DiscountCollections": {"collections": _collections_of},
    "Collection": {"products": _products_of},
    "LineItem": {
        "name": lambda line, info: line["title"],
        "originalUnitPriceSet": _bag("unitPrice"),
        "taxLines": _taxes,
    },
    "AbandonedCheckout": {
        "customer": lambda cart, info: info.context.present_customer(cart.get("customer")),
        "totalPriceSet": _bag("total"),
        "taxLines": _taxes,
        "lineItems": lambda cart, info, **given: info.context.inside("cart_lines", cart["id"], given),
    },
    "AbandonedCheckoutLineItem": {"originalUnitPriceSet": _bag("unitPrice")},
    "Metafield": {"jsonValue": lambda m, info: json.loads(m["value"]) if m["type"] == "json" else m["value"]},
}
for _owner in ("Customer", "Product", "ProductVariant", "Order", "Shop"):
    RESOLVERS[_owner] |= {
        "metafield": _metafield,
        "metafields": lambda owner, info, **given: paged(info.context.metafields(owner["id"], given), given),
    }

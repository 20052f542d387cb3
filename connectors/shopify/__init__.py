"""Shopify: the web shop, over its Admin GraphQL API.

__init__   the connector: which path is which field
shop       how a call is made: price, throttling, errors
reading    queries, and how lists are paged
discounts  discounts of every kind, with all they are for
writing    mutations, and whom their errors are about
erasing    requests to forget a customer
notices    the hub's findings, in a metafield of what they are about, and a tag
stock      what the shop has, and where
bulk       operations the shop works through by itself, and the files they leave
sandbox    the stand-in, which answers from the part of the schema in schema.graphql   (never imported here)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from connectors.shopify.discounts import DISCOUNTS, GIVES, ITEMS
from connectors.shopify.erasing import BY_HAND, erase
from connectors.shopify.notices import place
from connectors.shopify.reading import CARTS, CUSTOMERS, ORDERS, PRODUCTS, VARIANTS
from connectors.shopify.shop import Shop, level
from connectors.shopify.stock import levels
from connectors.shopify.writing import (
    create_customers,
    find_customers,
    update_customers,
    update_customers_in_bulk,
    update_products,
    update_products_in_bulk,
    update_variants,
    update_variants_in_bulk,
)
from omnihub.sdk import (
    Bucket,
    ClientCredentials,
    Codes,
    Connector,
    Const,
    Each,
    Entity,
    Http,
    Joined,
    Link,
    Many,
    Nested,
    OneWay,
    Only,
    Path,
    Push,
    Setting,
    Share,
    Stream,
)

UNSEEN = "{} that were deleted are not reported; a complete pass finds out"
DAILY = timedelta(days=1)

# A mutation costs 10 points and the cheapest plan restores 100 a second: a thousand take two minutes, a job far less.
MANY = 1_000
JOB = 5_000  # rows a bulk operation: receipts are kept when it is done
JOBS = 2  # at a time; the shop has five places, and others want some too

# Never asked, not yet confirmed, and an address that bounces are neither a yes nor a no.
CONSENT = {"SUBSCRIBED": "yes", "UNSUBSCRIBED": "no"}
EVERYBODY = {"ALL": "true"}
EACH = {"true": "piece", "false": "order"}
# The customer groups that segments stand for; another segment stands for itself.
SEGMENTS = {"Standard customers": "standard", "Dealers": "dealer", "Key accounts": "key"}
IMAGE = "featuredMedia.preview.image.url"
STATUS = {"ACTIVE": "active", "UNLISTED": "active", "ARCHIVED": "discontinued", "DRAFT": "draft"}
# The shop has no word of its own for "delivered": `delivered_at` says it. Cancelled orders show as restocked.
ORDER_STATUS = {
    "UNFULFILLED": "open",
    "OPEN": "open",
    "SCHEDULED": "open",
    "ON_HOLD": "open",
    "REQUEST_DECLINED": "open",
    "PENDING_FULFILLMENT": "open",
    "IN_PROGRESS": "open",
    "PARTIALLY_FULFILLED": "shipped",
    "FULFILLED": "shipped",
    "RESTOCKED": "cancelled",
}

customers = Stream(
    name="customers",
    entity=Entity.CONTACT,
    pull=CUSTOMERS,
    updated="updatedAt",
    map={
        "first_name": "firstName",
        "last_name": "lastName",
        "email": OneWay("defaultEmailAddress.emailAddress"),
        "phone": OneWay("defaultPhoneNumber.phoneNumber"),
        # `locale` is left out: a customer who never chose one has the shop's, so it is no word about the customer.
        "company": "defaultAddress.company",
        "street": "defaultAddress.address1",
        "postal_code": "defaultAddress.zip",
        "city": "defaultAddress.city",
        "region": OneWay("defaultAddress.province"),
        "country": "defaultAddress.countryCodeV2",
        "marketing_consent": Codes("defaultEmailAddress.marketingState", codes=CONSENT, otherwise=""),
        "consent_at": OneWay("defaultEmailAddress.marketingUpdatedAt"),
    },
    push=Push(
        fields=("first_name", "last_name", "street", "postal_code", "city", "country"),
        update=update_customers,
        look=CUSTOMERS.look,
        create=create_customers,
        find=find_customers,
        many=Many(above=MANY, batch=JOB, send=update_customers_in_bulk, parallel=JOBS),
        batch=10,
        max_length={"first_name": 255, "last_name": 255, "street": 255, "postal_code": 255, "city": 255},
        erase=erase,
        erase_by_hand=BY_HAND,
    ),
    blind=UNSEEN.format("customers that were merged into another, or"),
    full_every=DAILY,
)

products = Stream(
    name="products",
    entity=Entity.PRODUCT,
    pull=PRODUCTS,
    updated="updatedAt",
    map={
        "name": "title",
        "description": "description",
        "category": OneWay("productType"),
        "status": Codes("status", codes=STATUS),
        "image": OneWay(IMAGE),
    },
    push=Push(
        fields=("name", "description", "status"),
        update=update_products,
        look=PRODUCTS.look,
        many=Many(above=MANY, batch=JOB, send=update_products_in_bulk, parallel=JOBS),
        batch=10,
        max_length={"name": 255},
    ),
    blind=UNSEEN.format("products"),
    full_every=DAILY,
)

variants = Stream(
    name="variants",
    entity=Entity.PRODUCT,
    nested=Nested(of="products", path="variants.nodes"),
    updated="updatedAt",
    map={
        "sku": OneWay("sku"),
        "gtin": OneWay("barcode"),
        "name": OneWay("^title"),
        "description": OneWay("^description"),
        "category": OneWay("^productType"),
        "status": Codes("^status", codes=STATUS),
        "image": OneWay(f"^{IMAGE}"),
        "weight": OneWay("inventoryItem.measurement.weight"),  # with its unit
        "taxable": OneWay("taxable", boolean=True),
        "price": Path("price"),
        "currency": Const(value="EUR"),
    },
    push=Push(
        fields=("price",),
        update=update_variants,
        look=VARIANTS,
        many=Many(above=MANY, batch=JOB, send=update_variants_in_bulk, parallel=JOBS),
        batch=50,
    ),
)

orders = Stream(
    name="orders",
    entity=Entity.ORDER,
    pull=ORDERS,
    updated="updatedAt",
    map={
        "number": OneWay("name"),
        "contact": Link("customer.id", "customers"),
        "ordered_at": OneWay("processedAt"),
        "status": Codes("displayFulfillmentStatus", codes=ORDER_STATUS),
        "currency": OneWay("currencyCode"),
        "tax_included": OneWay("taxesIncluded", boolean=True),
        "total": OneWay("currentTotalPriceSet.shopMoney.amount"),
        "stock_point": OneWay("fulfillmentOrders.nodes.0.assignedLocation.name"),
        "delivery_point": Joined("shippingAddress.address1", more=("shippingAddress.zip", "shippingAddress.city")),
        "transport_mode": OneWay("shippingLine.code"),
        "tracking": OneWay("fulfillments.0.trackingInfo.0.number"),
        "delivered_at": OneWay("fulfillments.0.deliveredAt"),
    },
    blind=UNSEEN.format("orders"),
    full_every=DAILY,
)

order_lines = Stream(
    name="order_lines",
    entity=Entity.LINE,
    nested=Nested(of="orders", path="lineItems.nodes"),
    updated="^updatedAt",
    map={
        "of": Link("^id", "orders"),
        "sku": OneWay("sku"),
        "name": OneWay("title"),
        "quantity": OneWay("quantity"),
        "unit_price": OneWay("originalUnitPriceSet.shopMoney.amount"),
        "currency": OneWay("^currencyCode"),
        "tax_rate": Only("taxLines.0.ratePercentage"),
    },
)

# Checkouts somebody began and left, and those that became orders since; a cart nobody gave a name or address to is in
# no list of the shop. Of several taxes of a cart it does not say which are on which line.
carts = Stream(
    name="carts",
    entity=Entity.CART,
    pull=CARTS,
    updated="updatedAt",
    map={
        "name": OneWay("name"),
        "contact": Link("customer.id", "customers"),
        "changed_at": OneWay("updatedAt"),
        "ordered_at": OneWay("completedAt"),
        "currency": OneWay("totalPriceSet.shopMoney.currencyCode"),
        "total": OneWay("totalPriceSet.shopMoney.amount"),
        "tax_included": OneWay("taxesIncluded", boolean=True),
        "tax_rate": Only("taxLines.0.ratePercentage"),
    },
    blind=UNSEEN.format("carts the shop no longer keeps, or carts"),
    full_every=DAILY,
)

cart_lines = Stream(
    name="cart_lines",
    entity=Entity.LINE,
    nested=Nested(of="carts", path="lineItems.nodes"),
    updated="^updatedAt",
    map={
        "of": Link("^id", "carts"),
        "sku": OneWay("sku"),
        "name": OneWay("title"),
        "quantity": OneWay("quantity"),
        "unit_price": OneWay("originalUnitPriceSet.shopMoney.amount"),
        "currency": OneWay("originalUnitPriceSet.shopMoney.currencyCode"),
    },
)

inventory_levels = Stream(
    name="inventory_levels",
    entity=Entity.STOCK,
    pull=levels,
    updated="updatedAt",
    map={
        "sku": OneWay("item.sku"),
        "stock_point": OneWay("location.name"),
        "quantity": OneWay("quantities.0.quantity"),
    },
    blind=UNSEEN.format("shelves"),
    full_every=DAILY,
)


# Of several codes of a discount the first is looked at. What it is worth is told of a percentage and an amount only.
discounts = Stream(
    name="discounts",
    entity=Entity.PROMOTION,
    pull=DISCOUNTS,
    updated="discount.updatedAt",
    map={
        "code": OneWay("discount.codes.nodes.0.code"),
        "name": OneWay("discount.title"),
        "skus": Each(
            f"{ITEMS}.productVariants.nodes.*.sku",
            more=(
                f"{ITEMS}.products.nodes.*.variants.nodes.*.sku",
                f"{ITEMS}.collections.nodes.*.products.nodes.*.variants.nodes.*.sku",
            ),
        ),
        "all_products": OneWay(f"{ITEMS}.allItems", boolean=True),
        "customer_groups": Each("discount.context.segments.*.name", codes=SEGMENTS),
        "all_customers": Codes("discount.context.all", codes=EVERYBODY),
        "contacts": Each("discount.context.customers.*.id", stream="customers"),
        "gives": Codes("discount.__typename", codes=GIVES),
        "discount": Share("discount.customerGets.value.percentage"),
        "discount_amount": OneWay("discount.customerGets.value.amount.amount"),
        "discount_on": Codes("discount.customerGets.value.appliesOnEachItem", codes=EACH),
        "currency": OneWay("discount.customerGets.value.amount.currencyCode"),
        "starts_at": OneWay("discount.startsAt"),
        "ends_at": OneWay("discount.endsAt"),
    },
    blind=UNSEEN.format(
        "products that came into a collection or left it, segments that were renamed, products of a discount with other"
        " variants, or discounts"
    ),
    full_every=DAILY,
)


def _connect(settings: Mapping[str, str], http: Http) -> Shop:
    return Shop(http)


connector = Connector(
    name="shopify",
    title="Shopify",
    role="e-commerce",
    settings=(
        Setting("url", "the shop's own address, as in https://example.myshopify.com"),
        Setting("client_id", "client id of the app in the shop's developer dashboard"),
        Setting("client_secret", "client secret of the same app", secret=True),
    ),
    auth=ClientCredentials("/admin/oauth/access_token", header="X-Shopify-Access-Token", prefix=""),
    # what the cheapest plan has; the answers tell how much it is
    limits=(Bucket(2000, restores_per_s=100, told=level, path="/graphql.json$"),),
    connect=_connect,
    place=place,
    streams=(customers, products, variants, orders, order_lines, carts, cart_lines, discounts, inventory_levels),
)

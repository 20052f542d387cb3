"""Discounts of every kind, with all the products they are for, however these were chosen.

    DiscountNode ─▶ discount ─▶ its code, name and days, what it gives, and for whom
                             └▶ items ─▶ variants
                                      ─▶ products ─▶ variants
                                      ─▶ collections ─▶ products ─▶ variants

A page shows the first few of each list inside, and of a collection nothing but its id. What is cut, and what is in the
collections, is read list by list to its end: no single query could pay for a collection of some thousand products. The
record has those bytes where a query for everything would have shown them. In "buy two, get one" the products are those
that are got; what has to be bought for them is not asked for.

A discount does not change when products come into one of its collections, or leave it: only a complete pass sees that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from connectors.shopify.reading import Listing
from connectors.shopify.shop import Shop
from omnihub.errors import BrokenAnswer
from omnihub.sdk import Page, Record, slices, value_at

ITEMS = "discount.customerGets.items"
KINDS = {"Basic": "discount", "Bxgy": "goods", "FreeShipping": "shipping", "App": "app"}
GIVES = {f"Discount{how}{kind}": gives for kind, gives in KINDS.items() for how in ("Code", "Automatic")}
"""What the shop calls a discount → what it gives."""
WITH_ITEMS = tuple(name for name, gives in GIVES.items() if gives in ("discount", "goods"))

FEW_VARIANTS, FEW_PRODUCTS, FEW_COLLECTIONS = 10, 2, 10  # in a page
OF_A_PRODUCT = 10  # variants shown of a product, as many as most have
IN_A_PAGE = 3  # the same in a page of discounts

_CODES = "codes(first: 1) { nodes { code } }"
_ALWAYS = """title startsAt endsAt status updatedAt
      context {
        ... on DiscountBuyerSelectionAll { all }
        ... on DiscountCustomerSegments { segments { name } }
        ... on DiscountCustomers { customers { id } }
      }"""
_VALUE = """value {
          ... on DiscountPercentage { percentage }
          ... on DiscountAmount { amount { amount currencyCode } appliesOnEachItem }
        }"""


def _product(variants: int) -> str:
    return f"id variants(first: {variants}) {{ nodes {{ sku }} pageInfo {{ hasNextPage }} }}"


_SHOWN = f"""items {{
          ... on AllDiscountItems {{ allItems }}
          ... on DiscountProducts {{
            productVariants(first: {FEW_VARIANTS}) {{ nodes {{ sku }} pageInfo {{ hasNextPage }} }}
            products(first: {FEW_PRODUCTS}) {{ nodes {{ {_product(IN_A_PAGE)} }} pageInfo {{ hasNextPage }} }}
          }}
          ... on DiscountCollections {{
            collections(first: {FEW_COLLECTIONS}) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }}
          }}
        }}"""


def _selected(name: str, gives: str) -> str:
    """What is asked for of a discount of this kind. Whether goods come at a price or for nothing is not."""
    code = _CODES if name.startswith("DiscountCode") else ""
    inside = {"discount": f"{_VALUE} {_SHOWN}", "goods": _SHOWN}.get(gives, "")
    return f"... on {name} {{ {code} {_ALWAYS} {f'customerGets {{ {inside} }}' if inside else ''} }}"


DISCOUNT = f"id discount {{ __typename {' '.join(_selected(name, gives) for name, gives in GIVES.items())} }}"


@dataclass(frozen=True)
class Inner:
    """A list inside an object of this type, which can be read to its end: `size` nodes of `points` each a call, and
    `around` for the way there. fields: of a node. holder: in a discount, the kind of its items that has the list."""

    type: str
    name: str
    fields: str
    size: int
    points: int = 1
    around: int = 3
    holder: str = ""

    @property
    def document(self) -> str:
        """The query for a page of it."""
        shown = f"""{self.name}(first: {self.size}, after: $after) {{
            nodes {{ {self.fields} }} pageInfo {{ hasNextPage endCursor }} }}"""
        if self.holder:
            way = f"customerGets {{ items {{ ... on {self.holder} {{ {shown} }} }} }}"
            shown = f"discount {{ {' '.join(f'... on {name} {{ {way} }}' for name in WITH_ITEMS)} }}"
        return f"query inside($id: ID!, $after: String) {{ node(id: $id) {{ ... on {self.type} {{ {shown} }} }} }}"

    @property
    def cost(self) -> int:
        """What a page of it is priced at."""
        return self.around + self.size * self.points

    def nodes(self, shop: Shop, id_: str) -> Iterator[bytes]:
        """All of it, as the shop sends each. Of an object that is gone by now there is nothing."""
        place = f"data.node.{ITEMS}.{self.name}" if self.holder else f"data.node.{self.name}"
        after = None
        while True:
            body = shop.ask(self.document, {"id": id_, "after": after}, cost=self.cost).response.content
            if (info := value_at(body, f"{place}.pageInfo")) is None:
                return
            yield from (bytes(node) for node in slices(body, f"{place}.nodes"))
            if not info["hasNextPage"]:
                return
            if info["endCursor"] == after:
                raise BrokenAnswer(f"{shop.http.system}: {self.name} of {id_} never end: a page points to itself")
            after = info["endCursor"]


VARIANTS_OF_PRODUCT = Inner("Product", "variants", "sku", size=250)
PRODUCTS_OF_COLLECTION = Inner("Collection", "products", _product(OF_A_PRODUCT), size=76, points=13)
INSIDE = {
    "productVariants": Inner("DiscountNode", "productVariants", "sku", size=250, around=6, holder="DiscountProducts"),
    "products": Inner(
        "DiscountNode", "products", _product(OF_A_PRODUCT), size=76, points=13, around=6, holder="DiscountProducts"
    ),
    "collections": Inner("DiscountNode", "collections", "id", size=250, around=6, holder="DiscountCollections"),
}
"""The lists of a discount."""


@dataclass
class Completing:
    """Puts what is missing into discounts. A collection is read once, however many of them are for it."""

    shop: Shop
    read: dict[str, bytes] = field(default_factory=dict)

    def record(self, found: Record) -> Record:
        """The discount with all that is in its lists."""
        raw, ways = found.raw, {"products": self.product, "collections": self.collection}
        for name, inner in INSIDE.items():
            shown = value_at(raw, f"{ITEMS}.{name}", msgspec.Raw)
            if shown is None:
                continue
            cut = bool(value_at(shown, "pageInfo.hasNextPage"))
            nodes = list(inner.nodes(self.shop, str(found.id))) if cut else [bytes(n) for n in slices(shown, "nodes")]
            whole = [ways[name](node) for node in nodes] if name in ways else nodes
            if cut or whole != nodes:
                raw = grown(raw, (*ITEMS.split("."), name), whole)
        return found if raw is found.raw else msgspec.structs.replace(found, raw=raw)

    def product(self, node: bytes) -> bytes:
        """One with more variants than are shown."""
        if not value_at(node, "variants.pageInfo.hasNextPage"):
            return node
        return grown(node, ("variants",), list(VARIANTS_OF_PRODUCT.nodes(self.shop, str(value_at(node, "id")))))

    def collection(self, node: bytes) -> bytes:
        """With its products."""
        id_ = str(value_at(node, "id"))
        if id_ not in self.read:
            products = [self.product(one) for one in PRODUCTS_OF_COLLECTION.nodes(self.shop, id_)]
            self.read[id_] = grown(node, ("products",), products)
        return self.read[id_]


def grown(raw: bytes, path: tuple[str, ...], nodes: list[bytes]) -> bytes:
    """The object with this list at a path inside it, whole; everything else as it was.

    >>> grown(b'{"id": 1.50, "of": {"all": {"nodes": []}}}', ("of", "all"), [b'{"n": 1.0}'])
    b'{"id":1.50,"of":{"all":{"nodes":[{"n": 1.0}],"pageInfo":{"hasNextPage":false}}}}'
    """
    if not path:
        return b'{"nodes":[%s],"pageInfo":{"hasNextPage":false}}' % b",".join(nodes)
    parts: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    parts[path[0]] = msgspec.Raw(grown(bytes(parts.get(path[0], b"{}")), path[1:], nodes))
    return msgspec.json.encode(parts)


@dataclass(frozen=True)
class Discounts(Listing):
    """The shop's list of them."""

    def _split(self, shop: Shop, page: Page) -> Iterator[Page]:
        """The page, each of its records whole."""
        completing = Completing(shop)
        yield replace(page, records=[completing.record(r) for r in page.records])


DISCOUNTS = Discounts(
    "discountNodes", "DiscountNode", DISCOUNT, size=26, points=37, in_bulk=False, updated="discount.updatedAt"
)

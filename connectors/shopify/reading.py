"""What the shop is asked for, and how its lists are read: by time of change, in pages a single query can afford.

Prices are the vendor's published ones: an object 1 point, a connection 2 and its nodes, at most 1,000 a query.

    customers    1 + 3 objects inside                               =   4     × 200 + 2 =  802
    products     1 + (2 + 5 variants)                               =   8     × 120 + 2 =  962
    orders       1 + 11 for what is inside + (2 + 10 lines × 3)     =  44     ×  22 + 2 =  970
    whole ones   253 a product with 250 variants, 764 an order with 250 lines: three and one a query

So a list shows the first few variants or lines. A record that has more is asked for again, whole, and kept as the
shop sends it then: no record is ever pieced together here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import requests

from connectors.shopify.shop import Shop
from omnihub.errors import BrokenAnswer
from omnihub.sdk import Page, Record, Want, exchange, records, slices, value_at

MOST = 250  # what `first` may be at most
DEEPEST = 25_000  # pages beyond this many records are refused
OVERLAP = timedelta(minutes=5)  # read again each time: the search index may lag behind what it indexes
LIST_POINTS = 2  # the connection itself

CUSTOMER = """id updatedAt firstName lastName locale note tags
    defaultEmailAddress { emailAddress marketingState marketingOptInLevel marketingUpdatedAt }
    defaultPhoneNumber { phoneNumber }
    defaultAddress { id company address1 address2 zip city province countryCodeV2 }"""

VARIANT = "id updatedAt sku barcode title price position"

PRODUCT = f"""id updatedAt title handle description productType vendor status tags
    variants(first: FEW) {{ nodes {{ {VARIANT} }} pageInfo {{ hasNextPage }} }}"""

ORDER = """id updatedAt name processedAt cancelledAt currencyCode displayFulfillmentStatus
    customer { id }
    currentTotalPriceSet { shopMoney { amount currencyCode } }
    shippingAddress { city }
    shippingLine { code title }
    fulfillments(first: 1) { displayStatus deliveredAt trackingInfo(first: 1) { number } }
    fulfillmentOrders(first: 1) { nodes { assignedLocation { name } } }
    lineItems(first: FEW) {
      nodes { id sku title quantity originalUnitPriceSet { shopMoney { amount currencyCode } } }
      pageInfo { hasNextPage }
    }"""


@dataclass(frozen=True)
class Nodes:
    """Records by their ids, `size` of them for `points` each a query. What the shop answers null for is gone."""

    type: str
    fields: str
    size: int
    points: int

    @property
    def document(self) -> str:
        """The query."""
        return f"query byIds($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {self.type} {{ {self.fields} }} }} }}"

    def __call__(self, shop: Shop, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records."""
        for start in range(0, len(ids), self.size):
            some = list(ids[start : start + self.size])
            answer = shop.ask(self.document, {"ids": some}, cost=len(some) * self.points)
            yield Page(exchange(answer.response), _nodes(answer.response.content))


@dataclass(frozen=True)
class Listing:
    """A list of the shop. `nested`: the list inside each record; `few` of them are shown in a page, 250 at most at all.

    size: records a page. points: what one of them costs in a page, and `whole_points` whole.
    """

    name: str
    type: str
    fields: str
    size: int
    points: int
    nested: str = ""
    few: int = 0
    whole_points: int = 0
    deepest: int = DEEPEST

    @property
    def document(self) -> str:
        """The query for a page."""
        return f"""query {self.name}($first: Int!, $after: String, $query: String) {{
            {self.name}(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
              nodes {{ {self._shown(self.few)} }}
              pageInfo {{ hasNextPage endCursor }}
            }}
          }}"""

    @property
    def by_ids(self) -> Nodes:
        """The same records by their ids, as a page shows them."""
        return Nodes(self.type, self._shown(self.few), self.size, self.points)

    @property
    def whole(self) -> Nodes:
        """The same records by their ids, with up to 250 of what is inside."""
        return Nodes(self.type, self._shown(MOST), max(1, 1000 // max(self.whole_points, 1)), self.whole_points)

    def __call__(self, shop: Shop, want: Want) -> Iterator[Page]:
        """Read what changed since the cursor, or everything, in order of change: each page may carry the cursor."""
        since = None if want.complete else want.since
        newest, start, after, deep = since, since and _earlier(since), None, 0
        while True:
            response, found, info = self._page(shop, start, after)
            newest = max((t for t in (newest, *(r.updated for r in found)) if t), default=None)
            last = not info["hasNextPage"]
            yield from self._complete(shop, response, found, newest, last and since is None)
            if last:
                return
            deep += len(found)
            here, after = after, info["endCursor"]
            if deep + self.size > self.deepest:  # begin again from here: a search of its own, with pages of its own
                self._moved_on(shop, start, newest)
                start, after, deep = newest, None, 0
            else:
                self._moved_on(shop, here, after)

    def look(self, shop: Shop, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records."""
        for page in self.by_ids(shop, ids):
            yield from self._split(shop, page)

    def _page(self, shop: Shop, start: str | None, after: str | None) -> tuple[requests.Response, list[Record], Any]:
        search = f"updated_at:>='{start}'" if start else None
        answer = shop.ask(
            self.document,
            {"first": self.size, "after": after, "query": search},
            cost=self.size * self.points + LIST_POINTS,
        )
        body = answer.response.content
        found = records(body, f"data.{self.name}.nodes", updated="updatedAt")
        return answer.response, found, value_at(body, f"data.{self.name}.pageInfo")

    def _complete(
        self, shop: Shop, response: requests.Response, found: list[Record], cursor: str | None, complete: bool
    ) -> Iterator[Page]:
        """The page, then what had to be read again; the last of them carries the cursor."""
        *before, last = self._split(shop, Page(exchange(response), found))
        yield from before
        yield replace(last, cursor=cursor, complete=complete)

    def _split(self, shop: Shop, page: Page) -> Iterator[Page]:
        """The records that are whole, then the others, read again."""
        cut = [str(r.id) for r in page.records if self._is_cut(r)]
        yield replace(page, records=[r for r in page.records if r.id not in cut]) if cut else page
        for again in self.whole(shop, cut):
            for record in again.records:
                if self._is_cut(record):
                    raise BrokenAnswer(
                        f"{shop.http.system}: {record.id} has more than {MOST} {self.nested}; they can't be read in one"
                        " piece. Split it in the shop, or take the stream out of omnihub.yaml"
                    )
            yield again

    def _is_cut(self, record: Record) -> bool:
        return bool(self.nested) and bool(value_at(record.raw, f"{self.nested}.pageInfo.hasNextPage"))

    def _moved_on(self, shop: Shop, before: str | None, now: str | None) -> None:
        if before == now:
            raise BrokenAnswer(
                f"{shop.http.system}: {self.name} never end: a page points to itself, or over {self.deepest} of them"
                " changed in one second; the stream keeps its cursor"
            )

    def _shown(self, few: int) -> str:
        return self.fields.replace("FEW", str(few))


def _nodes(body: bytes) -> list[Record]:
    """The records of an answer to `nodes`, which has null where an id is of nothing (any more)."""
    found: list[Record] = []
    for n, raw in enumerate(slices(body, "data.nodes")):
        if bytes(raw) not in (b"null", b"{}"):
            [record] = records(b"[" + bytes(raw) + b"]", updated="updatedAt")
            found.append(msgspec.structs.replace(record, pointer=f"/data/nodes/{n}"))
    return found


def _earlier(since: str) -> str:
    return (datetime.fromisoformat(since) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


CUSTOMERS = Listing("customers", "Customer", CUSTOMER, size=200, points=4)
PRODUCTS = Listing("products", "Product", PRODUCT, size=120, points=8, nested="variants", few=5, whole_points=253)
ORDERS = Listing("orders", "Order", ORDER, size=22, points=44, nested="lineItems", few=10, whole_points=764)
VARIANTS = Nodes("ProductVariant", VARIANT + " product { id }", size=200, points=2)

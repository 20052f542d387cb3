"""What the shop is asked for, and how its lists are read: by time of change, in pages a single query can afford.

Prices are the vendor's published ones: an object 1 point, a connection 2 and its nodes, at most 1,000 a query.

    customers    1 + 3 objects inside                               =   4     × 200 + 2 =  802
    products     4 + (2 + 5 variants × 4)                           =  26     ×  37 + 2 =  964
    orders       1 + 11 for what is inside + (2 + 10 lines × 4)     =  54     ×  18 + 2 =  974
    carts        1 + 4 objects inside + (2 + 10 lines × 3)          =  37     ×  26 + 2 =  964
    discounts    2 + with a code 35                                 =  37     ×  26 + 2 =  964
    whole ones   966 a product with 240 variants, 994 an order with 245 lines, 757 a cart with 250: one a query

So a list shows the first few variants or lines. A record that has more is asked for again, whole, and kept as the
shop sends it then. A list that costs more than `BULK_ABOVE_POINTS` is not paged through: the shop makes a file of it
(see `bulk`), and only where that comes to nothing is it paged through after all.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import requests

from connectors.shopify import bulk
from connectors.shopify.shop import Shop
from omnihub.errors import BrokenAnswer
from omnihub.sdk import Page, Record, Want, exchange, records, slices, value_at

log = logging.getLogger("omnihub.shopify")

BULK_ABOVE_POINTS = 10_000  # what the cheapest plan restores in 100 seconds; by then a bulk operation is long done
MOST = 250  # what `first` may be at most
DEEPEST = 25_000  # pages beyond this many records are refused
OVERLAP = timedelta(minutes=5)  # read again each time: the search index may lag behind what it indexes
LIST_POINTS = 2  # the connection itself
BULK_PAGE = 1000  # records of a file handed on at a time

Shown = tuple[requests.Response, list[Record], Any]
"""A page of a list: the answer, its records, its `pageInfo`."""

ROW_KEY = {"namespace": "omnihub", "key": "golden_id"}  # where a customer keeps the key we made it by

CUSTOMER = """id updatedAt firstName lastName locale note tags
    defaultEmailAddress { emailAddress marketingState marketingOptInLevel marketingUpdatedAt }
    defaultPhoneNumber { phoneNumber }
    defaultAddress { id company address1 address2 zip city province countryCodeV2 }"""

VARIANT = """id updatedAt sku barcode title price position taxable
    inventoryItem { measurement { weight { unit value } } }"""

PRODUCT = """id updatedAt title handle description productType vendor status tags
    featuredMedia { preview { image { url } } }"""

ORDER = """id updatedAt name processedAt cancelledAt currencyCode taxesIncluded displayFulfillmentStatus
    customer { id }
    currentTotalPriceSet { shopMoney { amount currencyCode } }
    shippingAddress { address1 zip city }
    shippingLine { code title }
    fulfillments(first: 1) { displayStatus deliveredAt trackingInfo(first: 1) { number } }"""

# Not its address: whoever has that is in the customer's checkout.
CART = """id updatedAt name completedAt taxesIncluded
    customer { id }
    totalPriceSet { shopMoney { amount currencyCode } }
    taxLines { ratePercentage }"""

CART_LINE = "id sku title quantity originalUnitPriceSet { shopMoney { amount currencyCode } }"
LINE = f"{CART_LINE} taxLines {{ ratePercentage }}"


@dataclass(frozen=True)
class Inside:
    """A list inside each record. `few`: how many of it a page shows, `most`: how many one query can pay for; they are
    asked for last, so that a record has the same bytes whether it came in a page or in lines."""

    name: str
    type: str
    fields: str
    few: int
    most: int = MOST

    def shown(self, few: int) -> str:
        """In a page."""
        return f"{self.name}(first: {few}) {{ nodes {{ {self.fields} }} pageInfo {{ hasNextPage }} }}"

    @property
    def lines(self) -> str:
        """In a bulk operation, where each is a line of its own."""
        return f"{self.name} {{ edges {{ node {{ {self.fields} }} }} }}"


@dataclass(frozen=True)
class Custom:
    """A field the shop's owner added to a record, read as `alias`: its value is at `<alias>.value`, and its digest is
    what tells on writing whether somebody was faster."""

    alias: str
    key: str
    namespace: str = "custom"
    type: str = "single_line_text_field"

    @property
    def selection(self) -> str:
        """As it is asked for; a point more a record."""
        place = f"namespace: {json.dumps(self.namespace)}, key: {json.dumps(self.key)}"
        return f"{self.alias}: metafield({place}) {{ value compareDigest }}"


@dataclass(frozen=True)
class Nodes:
    """Records by their ids, `size` of them for `points` each a query. What the shop answers null for is gone."""

    type: str
    fields: str
    size: int
    points: int
    updated: str = "updatedAt"

    @property
    def document(self) -> str:
        """The query."""
        return f"query byIds($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {self.type} {{ {self.fields} }} }} }}"

    def __call__(self, shop: Shop, ids: Sequence[str]) -> Iterator[Page]:
        """The present state of these records."""
        for start in range(0, len(ids), self.size):
            some = list(ids[start : start + self.size])
            answer = shop.ask(self.document, {"ids": some}, cost=len(some) * self.points)
            yield Page(exchange(answer.response), _nodes(answer.response.content, self.updated))


@dataclass(frozen=True)
class Listing:
    """A list of the shop. `nested`: the list inside each record that is shown whole; `also`: others, cut as they are.

    size: records a page. points: what one of them costs in a page, and `whole_points` whole.
    bulk_above: how many records are read by a bulk operation; in_bulk: whether they ever are. sort: the order of pages.
    updated: where a record says when it changed.
    """

    name: str
    type: str
    fields: str
    size: int
    points: int
    nested: Inside | None = None
    also: tuple[Inside, ...] = ()
    custom: tuple[Custom, ...] = ()
    whole_points: int = 0
    deepest: int = DEEPEST
    bulk_above: int | None = None
    in_bulk: bool = True
    updated: str = "updatedAt"
    sort: str = "UPDATED_AT"

    @property
    def document(self) -> str:
        """The query for a page."""
        return f"""query {self.name}($first: Int!, $after: String, $query: String) {{
            {self.name}(first: $first, after: $after, query: $query, sortKey: {self.sort}) {{
              nodes {{ {self._shown()} }}
              pageInfo {{ hasNextPage endCursor }}
            }}
          }}"""

    @property
    def by_ids(self) -> Nodes:
        """The same records by their ids, as a page shows them."""
        return Nodes(self.type, self._shown(), self.size, self.points, self.updated)

    @property
    def whole(self) -> Nodes:
        """The same records by their ids, with as much of what is inside as can be read in one piece."""
        size = max(1, 1000 // max(self.whole_points, 1))
        return Nodes(self.type, self._shown(self._most), size, self.whole_points, self.updated)

    @property
    def counted(self) -> str:
        """The query for how many there are, as far as that matters."""
        return f"""query {self.name}Count($query: String, $limit: Int) {{
            {self.name}Count(query: $query, limit: $limit) {{ count precision }} }}"""

    def in_lines(self, search: str | None) -> str:
        """The query for a bulk operation, which takes no variables."""
        given = f"(query: {json.dumps(search)})" if search else ""
        inside = " ".join(i.lines for i in self._inside)
        return f"{{ {self.name}{given} {{ edges {{ node {{ {self._own} {inside} }} }} }} }}"

    def __call__(self, shop: Shop, want: Want) -> Iterator[Page]:
        """Read what changed since the cursor, or everything: in order of change, or, where it is much, in lines."""
        since = None if want.complete else want.since
        start = _search(since and _earlier(since))
        first = self._page(shop, start, None)
        if self.in_bulk and first[2]["hasNextPage"] and self._are_many(shop, start):
            try:
                yield from self._in_bulk(shop, since, start)
                return
            except bulk.NotDone as why:
                log.warning("%s: the bulk operation for %s ended: %s", shop.http.system, self.name, why)
        yield from self._paged(shop, since, first)

    def _are_many(self, shop: Shop, search: str | None) -> bool:
        most = self.bulk_above if self.bulk_above is not None else BULK_ABOVE_POINTS // self.points
        answer = shop.ask(self.counted, {"query": search, "limit": most + 1}, cost=10)
        return int(value_at(answer.response.content, f"data.{self.name}Count.count") or 0) > most

    def _in_bulk(self, shop: Shop, since: str | None, search: str | None) -> Iterator[Page]:
        """The lines of a bulk operation are in no order of time, so the cursor moves at the end; and not past the
        beginning of the operation, because what changed while it ran may be in it or not."""
        done = bulk.run_query(shop, self.in_lines(search))
        newest, last = since, None
        for seen, found in bulk.objects(shop, done, {i.type: i.name for i in self._inside}):
            newest, last = _latest(newest, found), seen
            for at in range(0, len(found), BULK_PAGE):
                yield Page(seen, found[at : at + BULK_PAGE])
        cursor = max(since or "", min(newest, done.created_at)) if newest else None
        yield Page(last or exchange(shop.http.last()), [], cursor=cursor, complete=since is None)

    def _paged(self, shop: Shop, since: str | None, first: Shown) -> Iterator[Page]:
        newest, start, after, deep = since, since and _earlier(since), None, 0
        shown: Shown | None = first
        while True:
            response, found, info = shown or self._page(shop, _search(start), after)
            shown, newest = None, _latest(newest, found)
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

    def _page(self, shop: Shop, search: str | None, after: str | None) -> Shown:
        answer = shop.ask(
            self.document,
            {"first": self.size, "after": after, "query": search},
            cost=self.size * self.points + LIST_POINTS,
        )
        body = answer.response.content
        found = records(body, f"data.{self.name}.nodes", updated=self.updated)
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
                        f"{shop.http.system}: {record.id} has more inside than the {self._most} that can be read in one"
                        " piece. Split it in the shop, or take the stream out of omnihub.yaml"
                    )
            yield again

    def _is_cut(self, record: Record) -> bool:
        return bool(self.nested and value_at(record.raw, f"{self.nested.name}.pageInfo.hasNextPage"))

    def _moved_on(self, shop: Shop, before: str | None, now: str | None) -> None:
        if before == now:
            raise BrokenAnswer(
                f"{shop.http.system}: {self.name} never end: a page points to itself, or over {self.deepest} of them"
                " changed in one second; the stream keeps its cursor"
            )

    @property
    def _most(self) -> int:
        return self.nested.most if self.nested else 0

    @property
    def _inside(self) -> tuple[Inside, ...]:
        return (*self.also, *((self.nested,) if self.nested else ()))

    @property
    def _own(self) -> str:
        return " ".join([self.fields, *(c.selection for c in self.custom)])

    def _shown(self, most: int = 0) -> str:
        inside = [i.shown(i.few) for i in self.also]
        if self.nested:
            inside.append(self.nested.shown(most or self.nested.few))
        return " ".join([self._own, *inside])


@dataclass(frozen=True)
class ByNumber(Listing):
    """A list that can be searched by time of change and not shown in its order, only in that of the ids.

    What changes while it is paged through may have been shown already. So the cursor moves at the end, and not past the
    moment the first page came, by the shop's own clock: where the shop does not tell its time, not at all.
    """

    sort: str = "ID"

    def _paged(self, shop: Shop, since: str | None, first: Shown) -> Iterator[Page]:
        changed = _search(since and _earlier(since))
        search, newest, after, deep, last_id = changed, since, None, 0, ""
        began, shown = _told_at(first[0]), first
        while True:
            response, found, info = shown
            newest = _latest(newest, found)
            if not info["hasNextPage"]:
                cursor = max(since or "", min(newest, began)) if newest and began else since
                yield from self._complete(shop, response, found, cursor, since is None)
                return
            yield from self._complete(shop, response, found, None, False)
            deep += len(found)
            here, after = after, info["endCursor"]
            if deep + self.size > self.deepest:  # begin again from here: a search of its own, with pages of its own
                before, last_id = last_id, str(found[-1].id)
                self._moved_on(shop, before, last_id)
                search, after, deep = f"id:>={last_id.rpartition('/')[2]} {changed or ''}".strip(), None, 0
            else:
                self._moved_on(shop, here, after)
            shown = self._page(shop, search, after)


def _told_at(response: requests.Response) -> str | None:
    """What time it was by the clock of whoever answered, as records have it."""
    try:
        told = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None
    return told.strftime("%Y-%m-%dT%H:%M:%SZ")


def _nodes(body: bytes, updated: str) -> list[Record]:
    """The records of an answer to `nodes`, which has null where an id is of nothing (any more)."""
    found: list[Record] = []
    for n, raw in enumerate(slices(body, "data.nodes")):
        if bytes(raw) not in (b"null", b"{}"):
            [record] = records(b"[" + bytes(raw) + b"]", updated=updated)
            found.append(msgspec.structs.replace(record, pointer=f"/data/nodes/{n}"))
    return found


def _search(start: str | None) -> str | None:
    return f"updated_at:>='{start}'" if start else None


def _latest(newest: str | None, found: Sequence[Record]) -> str | None:
    return max((t for t in (newest, *(r.updated for r in found)) if t), default=None)


def _earlier(since: str) -> str:
    return (datetime.fromisoformat(since) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


CUSTOMERS = Listing("customers", "Customer", CUSTOMER, size=200, points=4)
PRODUCTS = Listing(
    "products", "Product", PRODUCT, size=37, points=26,
    nested=Inside("variants", "ProductVariant", VARIANT, few=5, most=240), whole_points=966,
)  # fmt: skip
ORDERS = Listing(
    "orders", "Order", ORDER, size=18, points=54, nested=Inside("lineItems", "LineItem", LINE, few=10, most=245),
    also=(Inside("fulfillmentOrders", "FulfillmentOrder", "id assignedLocation { name }", few=1),), whole_points=994,
)  # fmt: skip
CARTS = ByNumber(
    "abandonedCheckouts", "AbandonedCheckout", CART, size=26, points=37,
    nested=Inside("lineItems", "AbandonedCheckoutLineItem", CART_LINE, few=10), whole_points=757,
)  # fmt: skip
VARIANTS = Nodes("ProductVariant", VARIANT + " product { id }", size=190, points=5)

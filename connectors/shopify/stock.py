"""What the shop has, and where: the levels of its inventory, location by location.

A location shows which of its levels changed since, in no order of time; so the cursor moves when all have been read.
Asked for is what is on hand: what is still there, for whomever it is meant. One that was taken off a location's list is
not shown any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.shopify.shop import Shop
from omnihub.errors import BrokenAnswer
from omnihub.sdk import Page, Want, exchange, records, value_at

OVERLAP = timedelta(minutes=5)  # read again each time: the search index may lag behind what it indexes
SIZE = 200  # levels a page: 1 + 3 objects inside each make 802 points of the 1,000 a query may cost
PLACES = 50

LOCATIONS = f"""query locations($after: String) {{
  locations(first: {PLACES}, after: $after, includeInactive: true) {{
    nodes {{ id name }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
LEVELS = f"""query levels($location: ID!, $after: String, $search: String) {{
  location(id: $location) {{
    inventoryLevels(first: {SIZE}, after: $after, query: $search) {{
      nodes {{
        id updatedAt location {{ id name }} item {{ id sku }} quantities(names: ["on_hand"]) {{ name quantity }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}"""


def levels(shop: Shop, want: Want) -> Iterator[Page]:
    """What changed since the cursor, or everything."""
    since = None if want.complete else want.since
    earlier = since and (datetime.fromisoformat(since) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
    newest = since
    for location in _locations(shop):
        for page in _levels(shop, location, f"updated_at:>='{earlier}'" if earlier else None):
            newest = max((t for t in (newest, *(r.updated for r in page.records)) if t), default=None)
            yield page
    yield Page(exchange(shop.http.last()), [], cursor=newest, complete=since is None)


def _locations(shop: Shop) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        answer = shop.ask(LOCATIONS, {"after": after}, cost=PLACES + 2)
        told = value_at(answer.response.content, "data.locations")
        found += [str(node["id"]) for node in told["nodes"]]
        if not told["pageInfo"]["hasNextPage"]:
            return found
        after = _further(shop, after, told["pageInfo"]["endCursor"])


def _levels(shop: Shop, location: str, search: str | None) -> Iterator[Page]:
    """A location that is gone by now has none."""
    after = None
    while True:
        given = {"location": location, "after": after, "search": search}
        answer = shop.ask(LEVELS, given, cost=SIZE * 4 + 3)
        body = answer.response.content
        if value_at(body, "data.location") is None:
            return
        found = records(body, "data.location.inventoryLevels.nodes", updated="updatedAt")
        yield Page(exchange(answer.response), found)
        info = value_at(body, "data.location.inventoryLevels.pageInfo")
        if not info["hasNextPage"]:
            return
        after = _further(shop, after, info["endCursor"])


def _further(shop: Shop, before: str | None, now: str | None) -> str | None:
    if before == now:
        raise BrokenAnswer(f"{shop.http.system}: a page of its stock points to itself; the stream keeps its cursor")
    return now

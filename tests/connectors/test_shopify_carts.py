"""Shopify's carts: a list that can be searched by time of change and is shown in the order of its ids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from connectors.shopify import connector
from connectors.shopify.reading import CARTS, ORDERS, ByNumber, Listing
from connectors.shopify.sandbox import Shopify
from connectors.shopify.shop import Shop
from omnihub.errors import BrokenAnswer
from omnihub.refine import PRIOR, SENT, VERSIONS, refine
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.kit import Call, Reply, Running
from omnihub.sdk import Page, Record, Want, open_client, value_at

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = "2026-11-0{}T00:00:00Z"
CART = "gid://shopify/AbandonedCheckout/700000000000{}"
ONE_BY_ONE = replace(CARTS, size=1)


class Clockless(Shopify):
    """A shop behind something that takes the time off its answers."""

    def after(self, call: Call, reply: Reply) -> Reply:
        reply.headers["Date"] = "?"
        return super().after(call, reply)


class Store:
    """A shop with three carts, changed on the first three days of November, the eldest last, and its clock."""

    def __init__(self, kind: type[Shopify] = Shopify, **options: Any) -> None:
        self.now = NOW
        self.shop = kind(quotas=(), now=lambda: self.now, **options)
        self.shop.seed([Copy("shop", "customers", 1, {"first_name": "Anna"}, AT.format(1), AT.format(1))])
        told = {"contact": 1, "currency": "EUR", "total": "26.50"}
        self.shop.seed(
            Copy("shop", "carts", n, told | {"name": f"#{n}"}, AT.format(1), AT.format(4 - n)) for n in (1, 2, 3)
        )
        self.run = Running([self.shop])

    def __enter__(self) -> Store:
        self.run.__enter__()
        self.client: Shop = open_client(connector, {"url": self.run.urls["shopify"], **self.shop.credentials})
        return self

    def __exit__(self, *gone: Any) -> None:
        self.run.__exit__(*gone)

    def pages(self, listing: Listing = ONE_BY_ONE, since: str | None = None) -> Iterator[Page]:
        return listing(self.client, Want(since, False, NOW))

    def change(self, n: int) -> None:
        """Somebody puts something in, ten minutes later."""
        self.now += timedelta(minutes=10)
        self.shop.edit("carts", CART.format(n), {"total": "99.00"})


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store() as found:
        yield found


def names(pages: Sequence[Page]) -> list[str]:
    return [str(value_at(r.raw, "name")) for page in pages for r in page.records]


def test_the_cursor_is_the_last_change_though_the_last_to_be_shown_changed_first(store: Store) -> None:
    pages = list(store.pages())
    assert names(pages) == ["#1", "#2", "#3"]
    assert [page.cursor for page in pages] == [None, None, AT.format(3)]
    assert [page.complete for page in pages] == [False, False, True]
    assert names(list(store.pages(since=AT.format(3)))) == ["#1"]
    assert names(list(store.pages(since="2026-11-02T00:05:00Z"))) == ["#1", "#2"], "what changed just before it, too"


def test_what_changes_while_it_is_paged_through_is_read_again() -> None:
    with Store() as store:
        pages = store.pages()
        read = [next(pages)]
        store.change(1)  # it was shown already
        read.append(next(pages))
        store.change(3)  # it is shown with this
        read += pages
        assert value_at(read[-1].records[0].raw, "totalPriceSet.shopMoney.amount") == "99.00"
        assert read[-1].cursor == "2026-11-21T12:00:00Z", "when the first page came"
        assert names(list(store.pages(since=read[-1].cursor))) == ["#1", "#3"]


def test_a_shop_that_does_not_tell_its_time_leaves_the_cursor_where_it_is() -> None:
    with Store(Clockless) as store:
        for since in (None, AT.format(2)):
            pages = list(store.pages(since=since))
            assert (pages[-1].cursor, pages[-1].complete) == (since, since is None)
            assert len(names(pages)) == (3 if since is None else 2)


def test_a_list_deeper_than_the_shop_pages_is_read_in_several_searches() -> None:
    with Store(deepest=2) as store:
        assert names(list(store.pages(replace(ONE_BY_ONE, deepest=2)))) == ["#1", "#2", "#2", "#3"]
        assert names(list(store.pages(replace(ONE_BY_ONE, deepest=2), since=AT.format(2)))) == ["#1", "#2"]
        with pytest.raises(BrokenAnswer, match="never end"):
            list(store.pages(replace(ONE_BY_ONE, deepest=1)))


def test_a_search_finds_what_it_asks_for_though_much_lies_before_it(store: Store) -> None:
    [page] = store.pages(replace(CARTS, size=1), since="2026-11-02T12:00:00Z")
    assert names([page]) == ["#1"]
    assert isinstance(CARTS, ByNumber)


def refined(stream: str, listing: Listing, store: Store) -> list[dict[str, str]]:
    """The fields of a stream's records, by ref."""
    found: dict[str | None, Record] = {
        r.id: r for page in listing(store.client, Want(None, True, NOW)) for r in page.records
    }
    of = connector.stream(stream).nested
    rows = [
        {"ref": f"shopify/{of.of if of else stream}/{id_}", "seq": seq, "body": r.raw.decode(), "deleted": False,
         "landed_at": NOW.isoformat(), "updated": r.updated}
        for seq, (id_, r) in enumerate(sorted(found.items(), key=lambda item: str(item[0])))
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=VERSIONS)
    told = refine("shopify", connector.stream(stream), table, PRIOR.empty_table(), SENT.empty_table()).to_pylist()
    assert {row["problems"] for row in told} == {"{}"}
    return [json.loads(row["fields"]) for row in sorted(told, key=lambda row: str(row["ref"]))]


def test_a_cart_says_whose_it_is_what_lies_in_it_and_whether_it_became_an_order() -> None:
    taxed = {"tax_included": "true", "tax_rate": "25.5", "ordered_at": "2026-11-02T10:00:00Z"}
    line = {"of": 1, "sku": "P-1", "name": "Pump", "quantity": "2", "unit_price": "13.25", "currency": "SEK"}
    with Store() as store:
        bought = Copy("shop", "carts", 4, {"name": "#4", "currency": "SEK"} | taxed, AT.format(1), AT.format(4))
        store.shop.seed([bought, Copy("shop", "cart_lines", 1, line, AT.format(1), AT.format(1))])
        carts, lines = refined("carts", CARTS, store), refined("cart_lines", CARTS, store)
    customer = f"shopify/customers/{store.shop.native_id('customers', 1)}"
    assert carts[0] == {
        "name": "#1", "contact": customer, "changed_at": AT.format(3), "currency": "EUR", "total": "26.50",
        "tax_included": "false",
    }  # fmt: skip
    assert carts[3] == {"name": "#4", "changed_at": AT.format(4), "currency": "SEK", "total": "0.00"} | taxed
    assert lines == [line | {"of": f"shopify/carts/{CART.format(1)}"}]


def test_the_lines_of_an_order_say_their_own_tax_where_there_is_one() -> None:
    with Store() as store:
        store.shop.seed([Copy("shop", "orders", 1, {"number": "#1001"}, AT.format(1), AT.format(1))])
        for n, rate in enumerate(("8.1", "0", None), 1):
            line = {"of": 1, "sku": "P-1", "tax_rate": rate}
            store.shop.seed([Copy("shop", "order_lines", n, line, AT.format(1), AT.format(1))])
        assert [line.get("tax_rate") for line in refined("order_lines", ORDERS, store)] == ["8.1", "0", None]

"""The product library of marketing: what it says of the master's products in its mails and quotes, and gets wrong.

It has six products in seven, most of what is not sold any more too, and says each price in EUR, for everybody and of
one piece. A few are in it twice. Wrong prices are planted as in the shop (see `catalog`), of other products.
"""

from __future__ import annotations

from collections.abc import Iterator

from omnihub.sandbox.world.catalog import MISTAKES, NOT_FOR_SALE, Catalog, Product, money
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, Held, Wrong

_LIBRARY = 304

_TOLD = {
    "price_expired": (25, 8),
    "price_differs": (20, 2),
    "price_early": (20, 10),
    "price_break": (46, 20),
    "price_group": (23, 9),
    "price_currency": (37, 14),
    "price_unit": (14, 5),
    "price_tax": (22, 11),
}
"""Of so many products, the one the library says such a price of; the first that fits counts."""


class Library:
    """Products as marketing has them."""

    def __init__(self, seed: int, catalog: Catalog) -> None:
        self.seed, self.catalog = seed, catalog
        self.kept = [p.index for p in catalog.products if self._in_library(p)]
        self.again = [i for i in self.kept if i % 70 == 40 and catalog.products[i].status == "active"]

    @staticmethod
    def _in_library(p: Product) -> bool:
        return p.index % 7 != 3 and (p.status != "draft" or p.index % 62 == 61)

    def entries(self) -> Iterator[tuple[Product, Held]]:
        """One for each product it has, and a few twice."""
        for n, i in enumerate((*self.kept, *self.again), 1):
            p = self.catalog.products[i]
            cents = self.catalog.cents(i, "standard", "EUR", 1, self.catalog.year)
            fields = {
                "sku": p.sku,
                "name": p.name,
                "description": p.description,
                "status": self._status(p),
                "price": money(cents),
            }
            x = Held("marketing", "products", n, fields, self._ago(n))
            self._misdescribe(p, x)
            if n <= len(self.kept):
                self._err(p, x)
            if i in self.again:
                x.wrong.append(Wrong("sku", "sku_duplicate", "the same SKU twice", f"{p.key}@library"))
            yield p, x

    def products(self) -> Iterator[Held]:
        """The entries alone."""
        yield from (x for _, x in self.entries())

    def _status(self, p: Product) -> str:
        """Of what is not sold any more, half is said to be; the library has no word for what is not sold yet."""
        return "discontinued" if p.status == "discontinued" and p.index // 14 % 2 == 0 else "active"

    def _unknown(self, p: Product) -> bool:
        return p.index % 50 == 36 and p.status == "active" and p.index not in self.again

    def _misdescribe(self, p: Product, x: Held) -> None:
        others = {"name": (42, 16, f"{p.name} (new)"), "description": (48, 26, f"{p.description}. Now even better.")}
        for name, (every, at, other) in others.items():
            if p.index % every == at and not self._unknown(p):
                x.fields[name] = other
                x.wrong.append(Wrong(name, "product_differs", f"another {name}"))

    def _err(self, p: Product, x: Held) -> None:
        if p.status != "active":
            if x.fields["status"] == "active":
                x.wrong.append(Wrong("status", NOT_FOR_SALE[p.status], "on sale"))
            return
        if self._unknown(p):
            x.fields["sku"] = p.sku[:-1] + "Y"
            x.wrong.append(Wrong("sku", "sku_unknown", "no such SKU"))
            return
        kind = next((kind for kind, (every, at) in _TOLD.items() if p.index % every == at), None)
        dice = Dice(self.seed, _LIBRARY, -p.index)
        wrong = self.catalog.mistaken(kind, p.index, "standard", "EUR", 1, self.catalog.year, dice) if kind else None
        if kind and wrong is not None:
            x.fields["price"] = money(wrong)
            x.wrong.append(Wrong("price", kind, MISTAKES[kind]))

    def _ago(self, n: int) -> int:
        return DAY + Dice(self.seed, _LIBRARY, n).below(500 * DAY)

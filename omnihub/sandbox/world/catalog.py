"""The master data: products, price lists by group and currency with validity and quantity breaks, promotions;
and what the shop says about the same products.

Price lists: EUR for every group, USD for standard and dealer, CHF, SEK and GBP for standard; last year's (expired),
this year's, and next year's standard list for a few products. EUR lists have breaks at 10 (every second product) and
100 (every fifth). A few products also have a list with tax included, which is nobody's price here.

Every fourth product is never ordered: prices of these can be changed at the master without rewriting history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from omnihub.sandbox.copies import CUSTOMER_GROUPS, Copy
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, Clock, Held, Wrong

_FACTS, _FINISH = 301, 302

KINDS = (
    "Gear pump", "Vane pump", "Ball valve", "Check valve", "Pressure gauge", "Servo drive", "Belt conveyor",
    "Roller chain", "Filter cartridge", "Seal kit", "Control cabinet", "Proximity sensor", "Heat exchanger",
    "Air compressor", "Worm gearbox", "Torque arm", "Spindle unit", "Hydraulic cylinder", "Cooling fan",
    "Lifting table",
)  # fmt: skip
CATEGORIES = ("Pumps", "Valves", "Drives", "Conveying", "Spare parts", "Sensors", "Cooling", "Lifting")
MATERIALS = ("stainless steel", "cast iron", "aluminium", "brass")
GRADES = ("IP54", "IP65", "ATEX", "food grade")
UNITS = ("pcs", "pcs", "pcs", "pcs", "pcs", "pcs", "set", "set", "m", "kg")

FACTORS = {"standard": 100, "dealer": 88, "key": 80}
RATES = {"EUR": 10000, "USD": 10800, "CHF": 9600, "SEK": 113000, "GBP": 8600}
LISTS = tuple(
    [("EUR", group) for group in CUSTOMER_GROUPS]
    + [("USD", "standard"), ("USD", "dealer"), ("CHF", "standard"), ("SEK", "standard"), ("GBP", "standard")]
)


def money(cents: int) -> str:
    """A canonical amount."""
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the master."""

    index: int
    sku: str
    gtin: str
    name: str
    description: str
    unit: str
    category: str
    status: str
    cents: int  # this year's standard price in EUR

    @property
    def key(self) -> str:
        """Its name in the truth."""
        return f"product-{self.index}"


class Catalog:
    """All products and their prices."""

    def __init__(self, seed: int, customers: int, clock: Clock) -> None:
        self.seed, self.clock = seed, clock
        self.count = min(5000, max(60, customers // 4))
        self.year = clock.now.year
        self.products = [self._product(i) for i in range(self.count)]
        self.traded = [x.index for x in self.products if x.status == "active" and x.index % 4]
        self.sold = [x.index for x in self.products if self._in_shop(x)]

    # -- the master ---------------------------------------------------------------------------------------------

    def _product(self, i: int) -> Product:
        dice = Dice(self.seed, _FACTS, i)
        kind = dice.pick(KINDS)
        model = f"{kind} {kind[0]}{kind.split()[1][0].upper()}-{10 + i // 3 * 5} {'ABC'[i % 3]}"
        cents = 500 + dice.skewed(300_000) + 4_000
        body = f"640{1000 + self.seed % 9000:04d}{i:05d}"
        status = "discontinued" if i % 14 == 9 else "draft" if i % 31 == 30 else "active"
        return Product(
            index=i,
            sku=f"OM-{4000 + i // 3}-{'ABC'[i % 3]}",
            gtin=body + _gtin_check(body),
            name=model,
            description=f"{model}, {dice.pick(MATERIALS)}, {dice.pick(GRADES)}",
            unit=dice.pick(UNITS),
            category=dice.pick(CATEGORIES),
            status=status,
            cents=cents,
        )

    def breaks(self, i: int, currency: str) -> tuple[int, ...]:
        """The quantities from which a price holds."""
        if currency != "EUR":
            return (1,)
        return (1, *((10,) if i % 2 == 0 else ()), *((100,) if i % 5 == 0 else ()))

    def cents(self, i: int, group: str, currency: str, quantity: int, year: int) -> int:
        """The net price of one piece in cents. Groups without a list in that currency have none."""
        least = max(b for b in self.breaks(i, currency) if b <= quantity)
        amount = self.products[i].cents * FACTORS[group] * RATES[currency] // 1_000_000
        amount = amount * {1: 100, 10: 95, 100: 90}[least] // 100
        if year < self.year:
            amount = amount * 100 // (103 + i % 4)
        return amount if year <= self.year else amount * 103 // 100

    def currency(self, group: str, land_currency: str) -> str:
        """What a customer is billed in: their own currency where their group has a list in it, else EUR."""
        return land_currency if (land_currency, group) in LISTS else "EUR"

    def prices(self, i: int) -> Iterator[dict[str, object]]:
        """The price rows of a product, today's standard EUR price first."""
        for year in (self.year, self.year - 1):
            for currency, group in LISTS:
                for least in self.breaks(i, currency):
                    yield self._price(i, currency, group, least, year, f"{currency}-{group}-{year}")
        if i % 10 == 0:
            yield self._price(i, "EUR", "standard", 1, self.year + 1, f"EUR-standard-{self.year + 1}")
        if i % 33 == 0:
            gross = self._price(i, "EUR", "standard", 1, self.year, f"EUR-gross-{self.year}")
            cents = self.cents(i, "standard", "EUR", 1, self.year) * 119 // 100
            yield gross | {"amount": money(cents), "tax_included": "true"}

    def _price(self, i: int, currency: str, group: str, least: int, year: int, price_list: str) -> dict[str, object]:
        return {
            "sku": self.products[i].sku,
            "price_list": price_list,
            "customer_group": group,
            "currency": currency,
            "amount": money(self.cents(i, group, currency, least, year)),
            "unit": self.products[i].unit,
            "min_quantity": str(least),
            "tax_included": "false",
            "valid_from": f"{year}-01-01",
            "valid_to": f"{year}-12-31",
        }

    def standard_rows(self) -> Iterator[tuple[int, int]]:
        """(product, n of its price row for standard customers, EUR, from one piece, today)."""
        n = 1
        for i in range(self.count):
            yield i, n
            n += sum(1 for _ in self.prices(i))

    def master(self) -> Iterator[Held]:
        """Products, prices, promotions."""
        for p in self.products:
            fields = {
                name: getattr(p, name) for name in ("sku", "gtin", "name", "description", "unit", "category", "status")
            }
            yield Held("master", "products", p.index + 1, fields, self._ago(p.index, 1000))
        n = 0
        for p in self.products:
            for price in self.prices(p.index):
                n += 1
                yield Held("master", "prices", n, price, self._ago(n, 300))
        yield from self._promotions()

    def _promotions(self) -> Iterator[Held]:
        for n in range(1, max(8, self.count // 10) + 1):
            dice = Dice(self.seed, _FACTS, -n)
            i = dice.pick(self.traded)
            start = dice.below(300) - 60
            promotion = {
                "code": f"PROMO-{n:04d}",
                "name": f"{dice.pick(('Spring', 'Service', 'Trade fair', 'Season', 'Spare parts'))} offer {n}",
                "sku": self.products[i].sku,
                "customer_group": dice.pick(CUSTOMER_GROUPS),
                "discount": str(dice.pick((5, 8, 10, 12, 15))),
                "valid_from": self.clock.day(start * DAY),
                "valid_to": self.clock.day((start - 14 - dice.below(60)) * DAY),
            }
            yield Held("master", "promotions", n, promotion, self._ago(n, 100))

    def _ago(self, n: int, days: int) -> int:
        return DAY + Dice(self.seed, _FINISH, n).below(days * DAY)

    # -- the shop -----------------------------------------------------------------------------------------------

    @staticmethod
    def _in_shop(p: Product) -> bool:
        return p.status != "draft" and p.index % 9 != 4

    def shop_products(self) -> Iterator[Held]:
        """Products as the shop shows them: one of the shop's for each of the master's it sells."""
        for n, i in enumerate(self.sold, 1):
            p = self.products[i]
            fields = {"name": p.name, "description": p.description, "category": p.category, "status": self._status(i)}
            x = Held("shop", "products", n, fields, self._ago(-n, 600))
            if i % 40 == 7:
                x.fields["name"] = self._other_name(i)
                x.wrong.append(Wrong("name", "product_differs", "another name", f"{p.key}@name"))
            if p.status == "discontinued" and self._status(i) == "active":
                x.wrong.append(Wrong("status", "sku_discontinued", "on sale", f"{p.key}@sale"))
            yield x

    def variants(self) -> Iterator[Held]:
        """What can be bought, with its price: standard customers, EUR, one piece, today."""
        for n, i in enumerate(self.sold, 1):
            p = self.products[i]
            cents = self.cents(i, "standard", "EUR", 1, self.year)
            fields = {"of": n, "sku": p.sku, "gtin": p.gtin, "name": p.name, "price": money(cents)}
            x = Held("shop", "variants", n, fields, self._ago(-n, 400))
            self._err(p, x, cents)
            yield x

    def _err(self, p: Product, x: Held, cents: int) -> None:
        i, f = p.index, x.fields
        if i % 40 == 7:
            f["name"] = self._other_name(i)
            x.wrong.append(Wrong("name", "product_differs", "another name", f"{p.key}@name"))
        if i % 50 == 33:
            f["gtin"] = p.gtin[:-2] + _other(p.gtin[-2]) + _gtin_check(p.gtin[:-2] + _other(p.gtin[-2]))
            x.wrong.append(Wrong("gtin", "product_differs", "another GTIN", f"{p.key}@gtin"))
        if p.status == "discontinued":
            if self._status(i) == "active":
                x.wrong.append(Wrong("sku", "sku_discontinued", "on sale", f"{p.key}@sale"))
            return
        if i % 50 == 21:
            f["sku"] = p.sku[:-1] + "X"
            del f["gtin"]
            x.wrong.append(Wrong("sku", "sku_unknown", "no such SKU"))
        elif i % 25 == 3:
            f["price"] = money(self.cents(i, "standard", "EUR", 1, self.year - 1))
            x.wrong.append(Wrong("price", "price_expired", "last year's price"))
        elif i % 20 == 11:
            f["price"] = money(self.wrong_cents(i, cents, Dice(self.seed, _FINISH, -i)))
            x.wrong.append(Wrong("price", "price_differs", "another price"))

    def _status(self, i: int) -> str:
        """The shop's own word: half of the discontinued are still on sale."""
        return "discontinued" if self.products[i].status == "discontinued" and i // 14 % 2 else "active"

    def _other_name(self, i: int) -> str:
        return self.products[i].name.replace("-", " ").rsplit(" ", 1)[0] + " Plus"

    def wrong_cents(self, i: int, cents: int, dice: Dice) -> int:
        """A price that is in no list."""
        lists = {
            self.cents(i, g, c, q, y) for y in (self.year, self.year - 1) for c, g in LISTS for q in self.breaks(i, c)
        }
        wrong = cents * (75 + dice.below(50)) // 100 + 17
        while wrong in lists or abs(wrong - cents) * 50 < cents:  # nor near enough to pass for rounding
            wrong += 11 + cents // 40
        return wrong

    def copy(self, x: Held) -> Copy:
        """The finished copy."""
        return x.copy(self.clock, Dice(self.seed, _FINISH, x.n * 8 + len(x.stream)))


def _other(digit: str) -> str:
    return str((int(digit) + 3) % 10)


def _gtin_check(body: str) -> str:
    return str(-sum(int(d) * (3 if k % 2 else 1) for k, d in enumerate(body)) % 10)

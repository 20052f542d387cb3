"""The master data: products, price lists by group and currency with validity and quantity breaks, promotions;
and what the shop says about the same products.

Price lists with tax are 19 percent dearer, and the lists in EUR say so. For some products a price in EUR may be ten
cents off, and the shop's is seven; francs are rounded to five, and so are they charged.

Price lists: EUR for every group, USD for standard and dealer, CHF, SEK and GBP for standard; last year's (expired),
this year's, and next year's standard list for every fifth product. EUR lists have breaks at 10 (every second product)
and 100 (every fifth). What is sold in sets has a price of one piece, too. Every eleventh product also has a list with
tax included, which is nobody's price here. For a few, a second list of this year says another price for most of it.

A wrong price is planted as the kind of mistake it is where one row of the lists, and no promotion, could explain it in
one way only; else the right price stands.

The master says of each product where it is sold; a few that the shop is to sell are not in it.

Every fourth product is never ordered: prices of these can be changed at the master without rewriting history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from omnihub.sandbox.copies import CUSTOMER_GROUPS, HELD, SOLD_IN, TAX_CLASSES, Copy
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, Clock, Held, Wrong

_FACTS, _FINISH, _GOODS, _SPECIAL = 301, 302, 303, 304

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
DISCOUNTS = (5, 8, 10, 12, 15)
SPECIALS = ("amount", "percent", "goods", "shipping", "app")
TAX = 19  # percent, on what is paid in EUR
LISTS = tuple(
    [("EUR", group) for group in CUSTOMER_GROUPS]
    + [("USD", "standard"), ("USD", "dealer"), ("CHF", "standard"), ("SEK", "standard"), ("GBP", "standard")]
)


MISTAKES = {
    "price_expired": "last year's price",
    "price_differs": "another price",
    "price_early": "next year's price",
    "price_break": "the price for another quantity",
    "price_group": "another group's price",
    "price_currency": "the figure of another currency",
    "price_unit": "the price of another unit",
    "price_tax": "with tax",
}
"""Kinds of wrong prices, in words."""

_SHOWN = {
    "price_expired": (25, 3),
    "price_differs": (20, 11),
    "price_early": (20, 5),
    "price_break": (46, 16),
    "price_group": (23, 4),
    "price_currency": (37, 6),
    "price_unit": (14, 2),
    "price_tax": (22, 0),
}
"""Of so many products, the one of which the shop shows such a price; the first that fits counts."""

NOT_FOR_SALE = {"discontinued": "sku_discontinued", "draft": "sku_unreleased"}
"""What the master says of a product → the kind of mistake it is to sell it."""


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
    weight: str  # in kg
    image: str  # the name of its file
    tax_class: str

    @property
    def taxable(self) -> str:
        """Whether there is any tax on it."""
        return "false" if self.tax_class == "exempt" else "true"

    @property
    def key(self) -> str:
        """Its name in the truth."""
        return f"product-{self.index}"


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion of the master, for one product or some. begins, ends: its first and last day, in days ago."""

    n: int
    code: str
    name: str
    goods: tuple[int, ...]
    group: str
    percent: int
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Special:
    """A promotion of the master that is more than a percentage off: see `specials`. cents, percent: what goes off;
    begins, ends: its first and last day, in days ago."""

    kind: str
    code: str
    name: str
    goods: tuple[int, ...]
    groups: tuple[str, ...]
    cents: int
    percent: int
    begins: int
    ends: int


class Catalog:
    """All products and their prices."""

    def __init__(self, seed: int, customers: int, clock: Clock) -> None:
        self.seed, self.clock = seed, clock
        self.count = min(5000, max(60, customers // 4))
        self.year = clock.home_year(0)
        self.products = [self._product(i) for i in range(self.count)]
        self.traded = [x.index for x in self.products if x.status == "active" and x.index % 4]
        self._traded = frozenset(self.traded)
        self.netted = [i for i in self.traded if not self._taxed(i)]  # whose lists are all without tax
        self.sold = [x.index for x in self.products if self._in_shop(x)]
        self.again = [i for i in self.sold if i % 60 == 29 and self.products[i].status == "active"]

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
            **self._goods(i),
        )

    def _goods(self, i: int) -> dict[str, str]:
        dice = Dice(self.seed, _GOODS, i)
        grams = (100 + dice.below(900)) * dice.pick((1, 10, 100))
        tax_class = dice.pick((*TAX_CLASSES, "standard", "standard", "standard"))
        image = f"om-{4000 + i // 3}-{'abc'[i % 3]}.jpg"
        return {"weight": f"{grams / 1000:.3f}".rstrip("0").rstrip("."), "image": image, "tax_class": tax_class}

    def breaks(self, i: int, currency: str) -> tuple[int, ...]:
        """The quantities from which a price holds."""
        if currency != "EUR":
            return (1,)
        return (1, *((10,) if i % 2 == 0 else ()), *((100,) if i % 5 == 0 else ()))

    def cents(self, i: int, group: str, currency: str, quantity: int, year: int) -> int:
        """The net price of one piece in cents. Groups without a list in that currency have none."""
        least = max(b for b in self.breaks(i, currency) if b <= quantity)
        amount = self.products[i].cents * FACTORS[group] * RATES[currency] // 1_000_000
        amount = amount * {1: 100, 10: 94, 100: 87}[least] // 100
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
        if self._next_year(i):
            yield self._price(i, "EUR", "standard", 1, self.year + 1, f"EUR-standard-{self.year + 1}")
        if self._taxed(i):
            gross = self._price(i, "EUR", "standard", 1, self.year, f"EUR-gross-{self.year}")
            yield gross | {"amount": money(self._with_tax(i)), "tax_included": "true"}
        if self.products[i].unit == "set":
            for year in (self.year, self.year - 1):
                for group in CUSTOMER_GROUPS:
                    piece = self._price(i, "EUR", group, 1, year, f"EUR-{group}-{year}")
                    yield piece | {"amount": money(self._piece(i, group, year)), "unit": "pcs"}
        if self._overlapping(i):
            yield self._second(i)

    @staticmethod
    def _next_year(i: int) -> bool:
        return i % 5 == 0

    @staticmethod
    def _taxed(i: int) -> bool:
        return i % 11 == 0

    @staticmethod
    def _overlapping(i: int) -> bool:
        return i % 50 == 17

    def _with_tax(self, i: int) -> int:
        return round(self.cents(i, "standard", "EUR", 1, self.year) * (100 + TAX) / 100)

    def _piece(self, i: int, group: str, year: int) -> int:
        return self.cents(i, group, "EUR", 1, year) * 27 // 100

    def _second(self, i: int) -> dict[str, object]:
        row = self._price(i, "EUR", "standard", 1, self.year, f"EUR-autumn-{self.year}")
        cents = self.cents(i, "standard", "EUR", 1, self.year) * 102 // 100 + 3
        return row | {"amount": money(cents), "valid_from": f"{self.year}-02-01"}

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
            **({"tax_rate": str(TAX)} if currency == "EUR" else {}),
            **({"tolerance": "0.10"} if currency == "EUR" and self._lenient(i) else {}),
            **({"rounding": "0.05"} if currency == "CHF" else {}),
        }

    @staticmethod
    def _lenient(i: int) -> bool:
        """Whether a price in EUR may be some cents off."""
        return i % 13 == 3

    @staticmethod
    def charged(cents: int, currency: str) -> int:
        """What a right price comes to where it is paid: francs have no coin under five."""
        return round(cents / 5) * 5 if currency == "CHF" else cents

    def standard_rows(self) -> Iterator[tuple[int, int]]:
        """(product, n of its price row for standard customers, EUR, from one piece, today)."""
        n = 1
        for i in range(self.count):
            yield i, n
            n += sum(1 for _ in self.prices(i))

    def master(self) -> Iterator[Held]:
        """Products, prices, promotions."""
        for p in self.products:
            fields = {name: getattr(p, name) for name in HELD["master", "products"] if name != "sold_in"}
            x = Held("master", "products", p.index + 1, fields, self._ago(p.index, 1000))
            if channels := self._sold_in(p):
                x.fields["sold_in"] = ";".join(channels)
            if self._forgotten(p):
                x.wrong.append(Wrong("sold_in", "product_missing", "not in the shop"))
            yield x
        n = 0
        for p in self.products:
            for price in self.prices(p.index):
                n += 1
                x = Held("master", "prices", n, price, self._ago(n, 300))
                if str(price["price_list"]).startswith("EUR-autumn"):
                    x.wrong.append(Wrong("amount", "price_overlap", "two lists at once"))
                yield x
        yield from self._promotions()

    def promotions(self) -> Iterator[Promotion]:
        """What the master has on, had, and will have; every third is for two products."""
        for n in range(1, max(60, self.count // 10) + 1):
            dice = Dice(self.seed, _FACTS, -n)
            i = dice.pick(self.traded)
            start = dice.below(300) - 60
            name = f"{dice.pick(('Spring', 'Service', 'Trade fair', 'Season', 'Spare parts'))} offer {n}"
            group, percent = dice.pick(CUSTOMER_GROUPS), dice.pick(DISCOUNTS)
            ends = start - 14 - dice.below(60)
            goods = {i, dice.pick(self.traded)} if n % 3 == 0 else {i}
            yield Promotion(n, f"PROMO-{n:04d}", name, tuple(sorted(goods)), group, percent, start, ends)

    def _promotions(self) -> Iterator[Held]:
        """A row for each product of each."""
        rows = ((p, i) for p in self.promotions() for i in p.goods)
        for n, (p, i) in enumerate(rows, 1):
            promotion: dict[str, object] = {
                "code": p.code,
                "name": p.name,
                "sku": self.products[i].sku,
                "customer_group": p.group,
                "discount": str(p.percent),
                "valid_from": self.clock.day(p.begins * DAY),
                "valid_to": self.clock.day(p.ends * DAY),
            }
            yield Held("master", "promotions", n, promotion, self._ago(n, 100))
        yield from self._special_promotions(sum(len(p.goods) for p in self.promotions()))

    def special_goods(self) -> list[int]:
        """What specials may be for: in the shop under its own number, not for pennies, and at one price."""
        return [
            i for i in self.sold
            if i in self._traded and i % 50 not in (17, 21) and i not in self.again and self.products[i].cents >= 5000
        ]  # fmt: skip

    def specials(self) -> Iterator[Special]:
        """Those that are on: each kind by turns."""
        goods = self.special_goods()
        for k in range(25 * (1 + self.count // 1000)):
            dice, kind = Dice(self.seed, _SPECIAL, k), SPECIALS[k % len(SPECIALS)]
            i, group = dice.pick(goods), dice.pick(CUSTOMER_GROUPS)
            percent = dice.pick(DISCOUNTS)
            yield Special(
                kind=kind,
                code=f"SPECIAL-{k + 1:03d}",
                name=f"{dice.pick(('Jubilee', 'Summer', 'Clearance'))} special {k + 1}",
                goods=tuple(sorted({i, dice.pick(goods)})) if kind in ("goods", "shipping") else (i,),
                groups=tuple(sorted({group, dice.pick(CUSTOMER_GROUPS[:2])})) if kind == "shipping" else (group,),
                cents=max(100, self.cents(i, group, "EUR", 1, self.year) * percent // 10_000 * 100),
                percent=percent,
                begins=5 + dice.below(90),
                ends=-3 - dice.below(60),
            )

    def _special_promotions(self, n: int) -> Iterator[Held]:
        """A row for each product and group of each. n: of the last row before."""
        for s in self.specials():
            for i, group in ((i, group) for i in s.goods for group in s.groups):
                n += 1
                row: dict[str, object] = {
                    "code": s.code,
                    "name": s.name,
                    "sku": self.products[i].sku,
                    "customer_group": group,
                    "valid_from": self.clock.day(s.begins * DAY),
                    "valid_to": self.clock.day(s.ends * DAY),
                }
                if s.kind == "amount":
                    row |= {"discount_amount": money(s.cents), "currency": "EUR", "discount_on": "piece"}
                elif s.kind in ("percent", "app"):
                    row["discount"] = str(s.percent)
                yield Held("master", "promotions", n, row, self._ago(n, 100))

    def _ago(self, n: int, days: int) -> int:
        return DAY + Dice(self.seed, _FINISH, n).below(days * DAY)

    # -- the shop -----------------------------------------------------------------------------------------------

    @staticmethod
    def _in_shop(p: Product) -> bool:
        return (p.status != "draft" or p.index % 62 == 30) and p.index % 9 != 4

    @staticmethod
    def _forgotten(p: Product) -> bool:
        """Whether the shop is to sell it and has not put it in."""
        return p.status == "active" and p.index % 36 == 13

    def _sold_in(self, p: Product) -> tuple[str, ...]:
        """What the master says; nobody's system is the field sales'."""
        shop, field_sales = SOLD_IN
        here = {shop: self._in_shop(p) or self._forgotten(p), field_sales: p.index % 3 == 0}
        return tuple(word for word, sold in here.items() if sold)

    def shop_products(self) -> Iterator[Held]:
        """Products as the shop shows them: one of the shop's for each of the master's it sells, and a few twice."""
        for n, i in enumerate((*self.sold, *self.again), 1):
            p = self.products[i]
            fields = {name: getattr(p, name) for name in HELD["shop", "products"]} | {"status": self._status(i)}
            x = Held("shop", "products", n, fields, self._ago(-n, 600))
            self._misdescribe(p, x)
            if p.status != "active" and self._status(i) == "active":
                x.wrong.append(Wrong("status", NOT_FOR_SALE[p.status], "on sale", f"{p.key}@sale"))
            yield x

    def variants(self) -> Iterator[Held]:
        """What can be bought, with its price: standard customers, EUR, one piece, today."""
        for n, i in enumerate((*self.sold, *self.again), 1):
            p = self.products[i]
            cents = self.cents(i, "standard", "EUR", 1, self.year)
            shown = cents + 7 if self._lenient(i) else cents  # within what the list allows
            fields = {name: getattr(p, name) for name in ("sku", "gtin", "name", "weight", "taxable")}
            x = Held("shop", "variants", n, {"of": n, "price": money(shown)} | fields, self._ago(-n, 400))
            self._misdescribe(p, x)
            if n <= len(self.sold):
                self._err(p, x, cents)
            if i in self.again and x.fields["sku"] == p.sku:
                x.wrong.append(Wrong("sku", "sku_duplicate", "the same SKU twice", f"{p.key}@twice"))
            yield x

    def _misdescribe(self, p: Product, x: Held) -> None:
        """Page and variant say the same: what is wrong of one is of the other, too."""
        others = {
            "name": (40, 7, self._other_name(p.index)),
            "description": (44, 12, f"{p.description}, discontinued model"),
            "image": (45, 8, "placeholder.jpg"),
            "weight": (43, 10, f"{float(p.weight) * 2.2046:.3f}"),  # pounds entered as kilograms
            "taxable": (47, 20, "true" if p.taxable == "false" else "false"),
        }
        for name, (every, at, other) in others.items():
            if p.index % every == at and not self._unknown(p):
                if name in x.fields:
                    x.fields[name] = other
                x.wrong.append(Wrong(name, "product_differs", f"another {name}", f"{p.key}@{name}"))

    def _unknown(self, p: Product) -> bool:
        """Whether the shop has it under a number the master does not know."""
        return p.index % 50 == 21 and p.status == "active" and p.index not in self.again

    def _err(self, p: Product, x: Held, cents: int) -> None:
        i, f = p.index, x.fields
        if i % 50 == 33:
            f["gtin"] = p.gtin[:-2] + _other(p.gtin[-2]) + _gtin_check(p.gtin[:-2] + _other(p.gtin[-2]))
            x.wrong.append(Wrong("gtin", "product_differs", "another GTIN", f"{p.key}@gtin"))
        if p.status != "active":
            if self._status(i) == "active":
                x.wrong.append(Wrong("sku", NOT_FOR_SALE[p.status], "on sale", f"{p.key}@sale"))
            return
        if self._unknown(p):
            f["sku"] = p.sku[:-1] + "X"
            del f["gtin"]
            x.wrong.append(Wrong("sku", "sku_unknown", "no such SKU"))
            return
        wrong, kind = self.misshown(i)
        if wrong is not None:
            f["price"] = money(wrong)
            x.wrong.append(Wrong("price", kind, MISTAKES[kind]))

    def misshown(self, i: int) -> tuple[int | None, str]:
        """(the wrong price the shop shows for one piece, what is wrong with it); None where it shows the right one."""
        kind = next((kind for kind, (every, at) in _SHOWN.items() if i % every == at), "")
        dice = Dice(self.seed, _FINISH, -i)
        return (self.mistaken(kind, i, "standard", "EUR", 1, self.year, dice) if kind else None), kind

    def _status(self, i: int) -> str:
        """The shop's own word: half of the discontinued are still on sale."""
        return "discontinued" if self.products[i].status == "discontinued" and i // 14 % 2 else "active"

    def _other_name(self, i: int) -> str:
        return self.products[i].name.replace("-", " ").rsplit(" ", 1)[0] + " Plus"

    # -- wrong prices -------------------------------------------------------------------------------------------

    def mistaken(
        self, kind: str, i: int, group: str, currency: str, quantity: int, year: int, dice: Dice
    ) -> int | None:
        """A price that is wrong in this way and no other; None where there is none."""
        right = self.cents(i, group, currency, quantity, year)
        if kind == "price_differs":
            return self.wrong_cents(i, right, dice)
        least = max(b for b in self.breaks(i, currency) if b <= quantity)
        found = []
        for row in self.prices(i):
            if self._explains(row, i, group, currency, quantity, least, year) == kind:
                found.append(round(float(str(row["amount"])) * 100))
        wrong = dice.pick(found) if found else right
        ways = {
            self._explains(row, i, group, currency, quantity, least, year)
            for row in self.prices(i)
            if row["amount"] == money(wrong)
        } - {""}
        near = [abs(wrong - right * (100 - d) // 100) for d in DISCOUNTS]
        return wrong if ways == {kind} and wrong != right and min(near) > 2 else None

    def _explains(
        self, row: Mapping[str, object], i: int, group: str, currency: str, quantity: int, least: int, year: int
    ) -> str:
        """The one mistake by which a row of the list is another than the right one: its kind, `right` for none, "" for
        more than one."""
        listed, begins = int(str(row["min_quantity"])), int(str(row["valid_from"])[:4])
        if str(row["price_list"]).startswith("EUR-autumn"):
            return "right"
        apart = [
            kind
            for kind, other in (
                ("price_group", row["customer_group"] != group),
                ("price_currency", row["currency"] != currency),
                ("price_unit", row["unit"] != self.products[i].unit),
                ("price_tax", row["tax_included"] == "true"),
                ("price_expired", begins < year),
                ("price_early", begins > year),
            )
            if other
        ]
        if listed > quantity or (listed != least and not apart):
            apart.append("price_break")
        return apart[0] if len(apart) == 1 else "" if apart else "right"

    def wrong_cents(self, i: int, cents: int, dice: Dice) -> int:
        """A price that is in no list, nor what a promotion makes of it."""
        lists = {str(row["amount"]) for row in self.prices(i)}
        offers = {cents * (100 - d) // 100 + k for d in DISCOUNTS for k in range(-2, 3)}
        taxed = {round(cents * factor) + k for factor in (1 + TAX / 100, 1 / (1 + TAX / 100)) for k in range(-15, 16)}
        wrong = cents * (75 + dice.below(50)) // 100 + 17
        # nor near enough to pass for rounding
        while money(wrong) in lists or wrong in offers | taxed or abs(wrong - cents) * 50 < cents:
            wrong += 11 + cents // 40
        return wrong

    def copy(self, x: Held) -> Copy:
        """The finished copy."""
        return x.copy(self.clock, Dice(self.seed, _FINISH, x.n * 8 + len(x.stream)))


def _other(digit: str) -> str:
    return str((int(digit) + 3) % 10)


def _gtin_check(body: str) -> str:
    return str(-sum(int(d) * (3 if k % 2 else 1) for k, d in enumerate(body)) % 10)

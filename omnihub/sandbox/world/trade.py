"""What customers and the company do with each other: deals, quotes, orders, carts, tickets, devices and their alarms,
logins.

The right price of a line is the one of the customer's group, in the currency they are billed in, for the quantity, on
the day: `ordered_at` of an order (by the company's own calendar), `closes_on` of a deal or a quote (where that lies
ahead, in the same year as today). What stands in the lines is what was charged.

In some orders and carts tax is in the prices, by the rate of the customer's country; on the others it comes on top, and
abroad, where the customer pays it, it is none. What lies in a cart has the right price of the day when it was last
changed, or, as all do who buy one piece for everybody's price, the one the shop shows. Some carts became orders since.

Who asked support about a price or a part was often promised one: the right price on the day of the answer, or one that
is wrong like that of a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from omnihub.sandbox.copies import CHANNELS, STATUS_TICKET, TRANSPORT, Copy
from omnihub.sandbox.world.catalog import MISTAKES, Catalog, money
from omnihub.sandbox.world.companies import BLOCK, SIZES, Companies
from omnihub.sandbox.world.delivery import STOCK_POINTS, Course, Delivery, course
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, HOUR, Clock, Held, Wrong
from omnihub.sandbox.world.people import NOWHERE, People
from omnihub.sandbox.world.service import Service

_ORDERS, _LINES, _DEALS, _CHANCES, _TICKETS, _DEVICES, _ALARMS, _LOGINS, _FINISH, _EDGES, _QUOTES = range(401, 412)
_PROMISES, _TAXED, _CARTS = 412, 413, 414

QUANTITIES = (1, 1, 1, 2, 2, 3, 4, 5, 8, 10, 12, 20, 25, 50, 100, 120)
SUBJECTS = (
    "Delivery is late", "Spare part needed", "Price in the shop is not ours", "Machine stops with error E{0}",
    "Invoice {0} is wrong", "How do I reset unit {0}?", "Please change our address", "Seal kit for OM-{0}",
)  # fmt: skip
ABOUT_PRICES = ("Spare part needed", "Price in the shop is not ours", "Seal kit for OM-")
"""What subjects begin with that a price is told to."""
TAXES = {
    "DE": 19, "AT": 20, "CH": 8.1, "FI": 25.5, "SE": 25, "FR": 20, "NL": 21, "PL": 23, "IT": 22, "ES": 21, "GB": 20,
}  # fmt: skip
"""What comes on top of a net price, in percent; elsewhere no price is shown with tax."""
HOME = "DE"
ALARMS = ("overheating", "low_pressure", "vibration", "connection_lost", "filter_due")

_CHARGED = {
    "sku_unknown": 10,
    "price_expired": 25,
    "price_differs": 50,
    "price_early": 60,
    "price_break": 68,
    "price_group": 76,
    "price_currency": 84,
    "price_unit": 100,
    "price_tax": 116,
}
"""Of a thousand lines, those below this (and not below the one before) are wrong like that, where they can be."""


class Line(NamedTuple):
    """One line of an order, a deal or a quote, as charged, and what is wrong with it."""

    sku: str
    name: str
    quantity: int
    cents: int
    wrong: Wrong | None


def _with(tax: float, cents: int) -> int:
    return round(cents * (100 + tax) / 100) if tax else cents


class Trade:
    """Everything that hangs on companies and people."""

    def __init__(self, seed: int, companies: Companies, people: People, catalog: Catalog, clock: Clock) -> None:
        self.seed, self.companies, self.people, self.catalog, self.clock = seed, companies, people, catalog, clock
        self.service = Service(seed, clock)
        self._index = {catalog.products[i].sku: i for i in catalog.sold}
        start = clock.now.replace(year=clock.now.year - 1, month=1, day=1, hour=0, minute=0, second=0)
        self.delivery = Delivery(seed, catalog, clock)
        self.span_s = min(500 * DAY, int((clock.now - start).total_seconds()) - DAY)  # older prices are not kept

    def _ahead(self, days: int) -> int:
        """A day ahead, as seconds ago: still in this year, whose prices are known."""
        left = (self.clock.now.replace(month=12, day=31) - self.clock.now).days
        return -min(days, left) * DAY

    def year(self, ago_s: int) -> int:
        """The year whose prices hold so long ago."""
        return int(self.clock.day(max(ago_s, 0))[:4])

    def lines(
        self,
        of: int,
        kind_of: int,
        group: str,
        currency: str,
        year: int,
        count: int,
        *,
        edge: bool = False,
        tax: float = 0,
    ) -> Iterator[Line]:
        """What was ordered, as charged. `of`, `kind_of`: which order, deal, quote or cart; the same have the same
        lines. At the edge of the year, or left lying for long, more of it is wrong. `tax`: percents that are in the
        prices."""
        for k in range(count):
            dice = Dice(self.seed, _LINES, (of * 8 + k) * 2 + kind_of)
            goods = self.catalog.netted if tax else self.catalog.traded
            i = goods[dice.skewed(len(goods))]
            product, quantity = self.catalog.products[i], dice.pick(QUANTITIES)
            cents = self.catalog.cents(i, group, currency, quantity, year)
            u = dice.below(1000) % (200 if edge else 1000)
            kind = next((kind for kind, below in _CHARGED.items() if u < below), None)
            if kind == "sku_unknown":
                wrong = Wrong("sku", kind, "no such SKU")
                yield Line(product.sku[:-1] + "Z", product.name, quantity, _with(tax, cents), wrong)
                continue
            other = self.catalog.mistaken(kind, i, group, currency, quantity, year, dice) if kind else None
            if kind == "price_tax" and tax:
                other = round(cents / (1 + tax / 100))  # taken off once too often
            if kind and other is not None:
                wrong = Wrong("unit_price", kind, MISTAKES[kind])
                yield Line(product.sku, product.name, quantity, _with(tax, other), wrong)
            else:
                charged = self.catalog.charged(_with(tax, cents), currency)
                yield Line(product.sku, product.name, quantity, charged, None)

    @staticmethod
    def _line(role: str, stream: str, n: int, of: int, line: Line, currency: str, ago_s: int) -> Held:
        fields = {
            "of": of,
            "sku": line.sku,
            "name": line.name,
            "quantity": str(line.quantity),
            "unit_price": money(line.cents),
            "currency": currency,
        }
        return Held(role, stream, n, fields, ago_s, wrong=[line.wrong] if line.wrong else [])

    def _taxed(self, of: int, land: str) -> tuple[bool, float]:
        """(whether tax is in the prices of an order, or of a cart where it is below nought; how much of it is paid)."""
        if land in TAXES and Dice(self.seed, _TAXED, of).chance(0.15):
            return True, TAXES[land]
        return False, TAXES[HOME] if land == HOME else 0

    def _edge(self, order: int) -> int | None:
        """A few orders came when the old lists ended, to the second: how long ago, None for the others."""
        dice, turn_s = Dice(self.seed, _EDGES, order), self.clock.turn_of_year_ago_s()
        return turn_s + dice.pick((1, 0, 1800, -1800)) if dice.chance(0.02) and turn_s > 2 * DAY else None

    # -- the shop's orders --------------------------------------------------------------------------------------

    def _land(self, p: int) -> str:
        return self.companies.company(self.people.company_of(p)).land.code

    def _placed(self) -> Iterator[tuple[int, int, int, str, str, int, int, bool]]:
        """(order, person, shop customer, group, currency, seconds ago, how many lines, at the edge of the year)."""
        order = 0
        for p, customer in enumerate(self.people.numbers.first["shop"]):
            if not customer:
                continue
            dice = Dice(self.seed, _ORDERS, p)
            group = self.companies.group(self.people.company_of(p))
            land = self.companies.company(self.people.company_of(p)).land
            currency = self.catalog.currency(group, land.currency)
            for _ in range((0, 0, 0, 1, 1, 1, 2, 2, 3, 6)[dice.below(10)]):
                order += 1
                ago_s = HOUR + dice.skewed(self.span_s)
                count = 1 + dice.skewed(6)
                edge_s = self._edge(order)
                yield order, p, customer, group, currency, edge_s or ago_s, count, edge_s is not None

    def _ordered(self) -> Iterator[tuple[int, int, int, str, str, int, list[Line]]]:
        """(order, person, shop customer, group, currency, seconds ago, lines)."""
        for order, p, customer, group, currency, ago_s, count, edge in self._placed():
            gross, rate = self._taxed(order, self._land(p))
            year, tax = self.clock.home_year(ago_s), rate if gross else 0
            lines = list(self.lines(order, 0, group, currency, year, count, edge=edge, tax=tax))
            yield order, p, customer, group, currency, ago_s, lines

    def _course(self, order: int, ago_s: int) -> tuple[Course, Dice]:
        """How far an order has come, and the dice for the rest of it."""
        dice = Dice(self.seed, _ORDERS, -order)
        return course(self.seed, order, ago_s, dice), dice

    @staticmethod
    def _delivered_s(ago_s: int, dice: Dice) -> int:
        return max(HOUR, ago_s - 5 * DAY - dice.below(10 * DAY))

    def orders(self) -> Iterator[Held]:
        """Orders, with the sum of their lines."""
        return (x for _, _, _, x in self._shipped())

    def _shipped(self) -> Iterator[tuple[int, int, int, Held]]:
        """(order, person, seconds ago, the shop's record of it)."""
        for order, p, customer, _, currency, ago_s, lines in self._ordered():
            (status, done_s), dice = self._course(order, ago_s)
            at = self.companies.company(self.people.company_of(p)).address
            astray = self.delivery.astray(order, lines, status)
            wished = dice.pick(STOCK_POINTS)  # thrown in any case: what tickets tell of it counts on the same dice
            fields: dict[str, Any] = {
                "number": f"#{1000 + order}",
                "contact": customer,
                "ordered_at": self.clock.time(ago_s),
                "status": status,
                "currency": currency,
                "total": money(sum(x.cents * x.quantity for x in lines)),
                "tax_included": "true" if self._taxed(order, self._land(p))[0] else "false",
                "stock_point": astray or self.delivery.point(wished, lines, status),
                "delivery_point": f"{at.street}, {at.postal_code} {at.city}",
                "transport_mode": dice.pick(TRANSPORT),
            }
            if status in ("shipped", "delivered"):
                fields["tracking"] = f"TRK{order * 7919 % 10**8:08d}"
            if status == "delivered":
                done_s = self._delivered_s(ago_s, dice)
                fields["delivered_at"] = self.clock.time(done_s)
            wrong = [Wrong("stock_point", "order_stock", "not there, or too few")] if astray else []
            yield order, p, ago_s, Held("shop", "orders", order, fields, done_s, wrong=wrong)

    def crm_orders(self) -> Iterator[Held]:
        """The CRM's copies of some of them."""
        n = 0
        for order, p, ago_s, shop in self._shipped():
            account = self.companies.n("crm", self.people.company_of(p))
            if account and order % 5 < 3:
                n += 1
                yield self.delivery.copy("crm", n, order, ago_s, shop, {"account": account}, self._elsewhere(p))

    def portal_orders(self) -> Iterator[Held]:
        """The portal's copies of some of them."""
        n = 0
        for order, p, ago_s, shop in self._shipped():
            user = self.people.numbers.first["portal"][p]
            if user and order % 4:
                n += 1
                yield self.delivery.copy("portal", n, order, ago_s, shop, {"contact": user}, self._elsewhere(p))

    def _elsewhere(self, p: int) -> str:
        """Where another company is."""
        at = self.companies.company((self.people.company_of(p) + 11) % self.companies.count).address
        return f"{at.street}, {at.postal_code} {at.city}"

    def _tracked(self) -> Iterator[tuple[int, str, int, Course]]:
        """(person, number, seconds ago, how far it has come) of each order, by person."""
        for order, p, _, _, _, ago_s, _, _ in self._placed():
            (status, moved_s), dice = self._course(order, ago_s)
            if status == "delivered":
                dice.pick(STOCK_POINTS), dice.pick(TRANSPORT)
                moved_s = self._delivered_s(ago_s, dice)
            yield p, f"#{1000 + order}", ago_s, Course(status, moved_s)

    def order_lines(self) -> Iterator[Held]:
        """Their lines."""
        n = 0
        for order, p, _, _, currency, ago_s, lines in self._ordered():
            rate = self._taxed(order, self._land(p))[1]
            for line in lines:
                n += 1
                x = self._line("shop", "order_lines", n, order, line, currency, ago_s)
                x.fields["tax_rate"] = f"{rate:g}"
                yield x

    # -- its carts ----------------------------------------------------------------------------------------------

    def _filled(self) -> Iterator[tuple[int, int, dict[str, Any], list[Line]]]:
        """(cart, seconds ago, the shop's record of it, lines)."""
        cart = 0
        for p, customer in enumerate(self.people.numbers.first["shop"]):
            dice = Dice(self.seed, _CARTS, p)
            if not customer or not dice.chance(0.35):
                continue
            cart += 1
            ago_s = HOUR + dice.skewed(min(self.span_s, 80 * DAY))  # the shop keeps them for three months
            c = self.people.company_of(p)
            group = self.companies.group(c)
            currency = self.catalog.currency(group, self.companies.company(c).land.currency)
            gross, rate = self._taxed(-cart, self._land(p))
            year, tax = self.clock.home_year(ago_s), rate if gross else 0
            count, stale = 1 + dice.below(4), dice.chance(0.5)
            lines = list(self.lines(-cart, 1, group, currency, year, count, edge=stale, tax=tax))
            if (group, currency, year, gross) == ("standard", "EUR", self.catalog.year, False):
                lines = [self._as_shown(line) for line in lines]
            fields: dict[str, Any] = {
                "name": f"#{35_000_000_000 + cart * 7919}",
                "contact": customer,
                "changed_at": self.clock.time(ago_s),
                "currency": currency,
                "total": money(sum(x.cents * x.quantity for x in lines)),
                "tax_included": "true" if gross else "false",
                "tax_rate": f"{rate:g}",
            }
            if dice.chance(0.2):
                fields["ordered_at"] = fields["changed_at"]
            yield cart, ago_s, fields, lines

    def _as_shown(self, line: Line) -> Line:
        """One piece has the price that stands in the shop, wrong where that is."""
        i = self._index.get(line.sku)
        shown, kind = self.catalog.misshown(i) if i is not None and line.quantity == 1 else (None, "")
        if shown is None:
            return line
        return line._replace(cents=shown, wrong=Wrong("unit_price", kind, MISTAKES[kind]))

    def carts(self) -> Iterator[Held]:
        """What customers of the shop have in their carts."""
        for cart, ago_s, fields, _ in self._filled():
            yield Held("shop", "carts", cart, fields, ago_s)

    def cart_lines(self) -> Iterator[Held]:
        """Their lines. What is wrong in a cart that became an order is nobody's business any more."""
        n = 0
        for cart, ago_s, fields, lines in self._filled():
            for line in lines:
                n += 1
                x = self._line("shop", "cart_lines", n, cart, line, fields["currency"], ago_s)
                yield replace(x, wrong=[]) if "ordered_at" in fields else x

    # -- deals --------------------------------------------------------------------------------------------------

    def _chances(self) -> Iterator[tuple[Held, list[Line]]]:
        """The CRM's deals, three in four with lines and their sum."""
        n = 0
        for p, contact in enumerate(self.people.numbers.first["crm"]):
            dice = Dice(self.seed, _CHANCES, p)
            account = self.companies.n("crm", self.people.company_of(p))
            if not contact or not account or not dice.chance(0.35):
                continue
            n += 1
            company = self.companies.company(self.people.company_of(p))
            stage = dice.pick(("open", "open", "quoted", "won", "won", "lost"))
            ago_s = HOUR + dice.skewed(min(self.span_s, 400 * DAY))
            ends_s = ago_s if stage in ("won", "lost") else self._ahead(dice.below(90))
            currency = self.catalog.currency(company.group, company.land.currency)
            fields: dict[str, Any] = {
                "name": f"{company.name} – {dice.pick(('retrofit', 'new line', 'service contract', 'spare parts'))}",
                "account": account,
                "contact": contact,
                "amount": money(50_000 + dice.skewed(40_000_000)),
                "currency": currency,
                "stage": stage,
                "closes_on": self.clock.day(ends_s),
            }
            x = Held("crm", "opportunities", n, fields, ago_s)
            if dice.chance(0.02):
                fields["contact"] = NOWHERE + n
                x.wrong.append(Wrong("contact", "orphan_link", "points to nobody"))
            count = 1 + dice.below(4) if dice.chance(0.75) else 0
            # below nought, where marketing's deals have none
            lines = list(self.lines(-n, 1, company.group, currency, self.year(ends_s), count))
            if lines:
                fields["amount"] = money(sum(one.cents * one.quantity for one in lines))
            yield x, lines

    def opportunities(self) -> Iterator[Held]:
        """The CRM's deals."""
        return (x for x, _ in self._chances())

    def opportunity_lines(self) -> Iterator[Held]:
        """Their lines."""
        n = 0
        for x, lines in self._chances():
            for line in lines:
                n += 1
                yield self._line("crm", "opportunity_lines", n, x.n, line, x.fields["currency"], x.updated_ago_s)

    def _dealt(self) -> Iterator[tuple[int, int, int, int, str, int, int, str, list[Line]]]:
        """(deal, person, contact, account, stage, ends, ago, currency, lines)."""
        deal = 0
        for p, contact in enumerate(self.people.numbers.first["marketing"]):
            dice = Dice(self.seed, _DEALS, p)
            c = self.people.company_of(p)
            account = self.companies.numbers.at("marketing", c)
            if not contact or not account or not dice.chance(0.3):
                continue
            deal += 1
            stage = dice.pick(("open", "quoted", "won", "won", "lost"))
            ago_s = HOUR + dice.skewed(min(self.span_s, 300 * DAY))
            ends_s = ago_s if stage in ("won", "lost") else self._ahead(dice.below(60))
            group = self.companies.group(c)
            currency = self.catalog.currency(group, self.companies.company(c).land.currency)
            lines = list(self.lines(deal, 1, group, currency, self.year(ends_s), 1 + dice.below(4)))
            yield deal, p, contact, account, stage, ends_s, ago_s, currency, lines

    def deals(self) -> Iterator[Held]:
        """Marketing's deals, with the sum of their line items."""
        for deal, p, contact, account, stage, ends_s, ago_s, currency, lines in self._dealt():
            fields = {
                "name": f"{self.companies.company(self.people.company_of(p)).name} – campaign {deal % 12 + 1}",
                "account": account,
                "contact": contact,
                "amount": money(sum(x.cents * x.quantity for x in lines)),
                "currency": currency,
                "stage": stage,
                "closes_on": self.clock.day(ends_s),
            }
            yield Held("marketing", "deals", deal, fields, ago_s)

    def line_items(self) -> Iterator[Held]:
        """Their line items."""
        n = 0
        for deal, _, _, _, _, _, ago_s, currency, lines in self._dealt():
            for line in lines:
                n += 1
                yield self._line("marketing", "line_items", n, deal, line, currency, ago_s)

    # -- quotes -------------------------------------------------------------------------------------------------

    def _quoted(self) -> Iterator[tuple[int, int, dict[str, Any], list[Line]]]:
        """(quote, seconds ago, the portal's record of it, lines)."""
        quote = 0
        for p, user in enumerate(self.people.numbers.first["portal"]):
            dice = Dice(self.seed, _QUOTES, p)
            c = self.people.company_of(p)
            account = self.companies.numbers.at("portal", c)
            if not user or not account or not dice.chance(0.3):
                continue
            quote += 1
            stage = dice.pick(("quoted", "quoted", "quoted", "won", "lost"))
            ago_s = HOUR + dice.skewed(min(self.span_s, 90 * DAY))
            ends_s = self._ahead(dice.below(45)) if stage == "quoted" else ago_s
            group = self.companies.group(c)
            currency = self.catalog.currency(group, self.companies.company(c).land.currency)
            # below nought, where neither orders nor deals have theirs
            lines = list(self.lines(-quote, 0, group, currency, self.year(ends_s), 1 + dice.below(4)))
            fields: dict[str, Any] = {
                "name": f"Q-{10_000 + quote}",
                "account": account,
                "contact": user,
                "amount": money(sum(x.cents * x.quantity for x in lines)),
                "currency": currency,
                "stage": stage,
                "closes_on": self.clock.day(ends_s),
            }
            yield quote, ago_s, fields, lines

    def quotes(self) -> Iterator[Held]:
        """The portal's quotes, with the sum of their lines."""
        for quote, ago_s, fields, _ in self._quoted():
            yield Held("portal", "quotes", quote, fields, ago_s)

    def quote_lines(self) -> Iterator[Held]:
        """Their lines."""
        n = 0
        for quote, ago_s, fields, lines in self._quoted():
            for line in lines:
                n += 1
                yield self._line("portal", "quote_lines", n, quote, line, fields["currency"], ago_s)

    # -- service ------------------------------------------------------------------------------------------------

    def tickets(self) -> Iterator[Held]:
        """What people asked support."""
        n = 0
        orders = {}
        by_person = groupby(self._tracked(), key=lambda one: one[0])
        following = next(by_person, None)
        for p, user in enumerate(self.people.numbers.first["ticketing"]):
            while following and following[0] <= p:
                orders = {following[0]: [one[1:] for one in following[1]]}
                following = next(by_person, None)
            if not user:
                continue
            dice = Dice(self.seed, _TICKETS, p)
            for _ in range((0, 0, 1, 1, 2, 3)[dice.below(6)]):
                n += 1
                ago_s, channel = self.service.opened(n, HOUR + dice.skewed(700 * DAY), dice.pick(CHANNELS))
                status = dice.pick(STATUS_TICKET) if ago_s < 20 * DAY else dice.pick(("solved", "closed", "closed"))
                status = self.service.status(n, ago_s, channel, status)
                times, last_s, wrong = self.service.times(n, ago_s, channel, status)
                fields: dict[str, Any] = {
                    "subject": dice.pick(SUBJECTS).format(100 + dice.below(900)),
                    "contact": user,
                    "account": self.companies.n("ticketing", self.people.company_of(p)),
                    "status": status,
                    "channel": channel,
                    "opened_at": self.clock.time(ago_s),
                    **times,
                }
                if status in ("solved", "closed"):
                    fields["satisfaction"] = dice.pick(("good", "good", "bad", "unoffered"))
                told = {k: v for k, v in fields.items() if v is not None}
                x = Held("ticketing", "tickets", n, told, last_s, wrong=wrong)
                self.delivery.tell(x, ago_s, orders.get(p, ()))
                self._promise(x, p)
                yield x

    def _promise(self, x: Held, p: int) -> None:
        """What an agent told person p to pay, in ticket x, if anything."""
        dice, answered = Dice(self.seed, _PROMISES, x.n), x.fields.get("answered_at")
        if not answered or not x.fields["subject"].startswith(ABOUT_PRICES) or not dice.chance(0.8):
            return
        ago_s = self.clock.ago_s(answered)
        if ago_s > self.span_s:
            return
        c = self.people.company_of(p)
        filed = self.companies.numbers.at("ticketing", c)  # else under another, whose group may be another
        if not filed and not (self.people.numbers.at("crm", p) and self.companies.numbers.at("crm", c)):
            return
        group = self.companies.group(c)
        currency = self.catalog.currency(group, self.companies.company(c).land.currency)
        # numbers below 0 are no order's and no deal's
        [line] = self.lines(-x.n, 0, group, currency, self.clock.home_year(ago_s), 1, edge=dice.chance(0.7))
        x.fields |= {
            "sku": line.sku,
            "quantity": str(line.quantity),
            "promised_price": money(line.cents),
            "currency": currency,
        }
        if line.wrong:
            name = "sku" if line.wrong.field == "sku" else "promised_price"
            x.wrong.append(line.wrong._replace(field=name))

    def devices(self) -> Iterator[Held]:
        """The installed base."""
        n = 0
        for c, account in enumerate(self.companies.numbers.first["iot"]):
            if not account:
                continue
            dice = Dice(self.seed, _DEVICES, c)
            for k in range(1 + dice.below(2 + SIZES[c % BLOCK])):
                n += 1
                product = self.catalog.products[dice.pick(self.catalog.traded)]
                ago_s = HOUR + dice.below(900 * DAY)
                fields = {
                    "serial": f"OM{c:07d}{k:02d}",
                    "sku": product.sku,
                    "name": f"{product.name} #{k + 1}",
                    "account": account,
                    "installed_on": self.clock.day(ago_s + dice.below(2000 * DAY)),
                    "status": "active" if dice.chance(0.9) else "inactive",
                }
                x = Held("iot", "devices", n, fields, ago_s)
                if dice.chance(0.012):
                    fields["account"] = NOWHERE + n
                    x.wrong.append(Wrong("account", "orphan_link", "points to nobody"))
                yield x

    def alarms(self) -> Iterator[Held]:
        """What devices complain about."""
        n = 0
        for device in self.devices():
            dice = Dice(self.seed, _ALARMS, device.n)
            for _ in range((0, 0, 0, 0, 0, 1, 1, 2)[dice.below(8)]):
                n += 1
                ago_s = HOUR + dice.skewed(300 * DAY)
                kind = dice.pick(ALARMS)
                fields = {
                    "kind": kind,
                    "at": self.clock.time(ago_s),
                    "device": device.n,
                    "detail": f"{kind} code {dice.below(90) + 10}",
                }
                yield Held("iot", "alarms", n, fields, ago_s)

    def logins(self) -> Iterator[Held]:
        """When people came to the portal."""
        n = 0
        for p, user in enumerate(self.people.numbers.first["portal"]):
            if not user:
                continue
            dice = Dice(self.seed, _LOGINS, p)
            for _ in range(dice.skewed(9)):
                n += 1
                ago_s = 60 + dice.skewed(300 * DAY)
                yield Held(
                    "portal", "logins", n, {"contact": user, "at": self.clock.time(ago_s), "channel": "web"}, ago_s
                )

    def copy(self, x: Held) -> Copy:
        """The finished copy."""
        return x.copy(self.clock, Dice(self.seed, _FINISH, x.n * 8 + len(x.stream)))

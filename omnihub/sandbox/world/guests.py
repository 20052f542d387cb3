"""Guests: what a system that is none of the world's own holds of its customers, its products and its business.

A guest says what its streams can hold (`omnihub.sandbox.copies.Guest`); it knows three companies in five and every
second person, and gets as much of them wrong as the others do. What is there without it does not change.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from omnihub.model import Entity
from omnihub.sandbox.copies import CHANNELS, SATISFACTION, STATUS_TICKET, TRANSPORT, Copy, Guest
from omnihub.sandbox.world.catalog import LISTS, Catalog, Product, money
from omnihub.sandbox.world.companies import Companies
from omnihub.sandbox.world.delivery import STOCK_POINTS
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, HOUR, Clock, Held
from omnihub.sandbox.world.people import People
from omnihub.sandbox.world.trade import ALARMS, SUBJECTS, Line, Trade

SHARE = {Entity.ACCOUNT: 0.6, Entity.CONTACT: 0.5}
_KIND = 600  # dice kinds from here on, one for each guest and purpose
_KEPT, _MADE, _DEALT, _STAMPED = range(4)


class Deal(NamedTuple):
    """Something between a guest and one of its customers: who, when, and what was charged."""

    n: int
    links: dict[str, int]
    group: str
    currency: str
    ago_s: int
    lines: list[Line]
    place: str  # where it was delivered to
    customer: str


class Visit:
    """One guest's part of a world."""

    def __init__(
        self,
        seed: int,
        guest: Guest,
        companies: Companies,
        people: People,
        catalog: Catalog,
        trade: Trade,
        clock: Clock,
    ) -> None:
        self.seed, self.guest, self.clock = seed, guest, clock
        self.companies, self.people, self.catalog, self.trade = companies, people, catalog, trade
        self._units = {p.sku: p.unit for p in catalog.products}
        self._kind = _KIND + zlib.crc32(guest.role.encode()) * 8
        self._numbers: dict[str, array[int]] = {}
        for entity, count in ((Entity.ACCOUNT, companies.count), (Entity.CONTACT, people.count)):
            self._number(entity, count)

    def _dice(self, purpose: int, n: int) -> Dice:
        return Dice(self.seed, self._kind + purpose, n)

    def _of(self, entity: Entity) -> list[str]:
        return [stream for stream, what in self.guest.streams.items() if what is entity]

    def _number(self, entity: Entity, count: int) -> None:
        """n of each thing in the one stream of its entity that has it; 0 for none."""
        streams = self._of(entity)
        for k, stream in enumerate(streams):
            numbers, n = array("I", bytes(4 * count)), 0
            for i in range(k, count, len(streams)):
                if self._dice(_KEPT, i * 2 + (entity is Entity.CONTACT)).chance(SHARE[entity]):
                    n += 1
                    numbers[i] = n
            self._numbers[stream] = numbers

    # -- what it holds ------------------------------------------------------------------------------------------------

    def copies(self) -> Iterator[Copy]:
        """All of it, stream by stream, n from 1 upwards in each."""
        for stream in self.guest.streams:
            for x in self.stream(stream):
                yield x.copy(self.clock, self._dice(_STAMPED, x.n * 16 + len(stream)))

    def stream(self, stream: str) -> Iterator[Held]:
        """One stream of it."""
        entity = self.guest.streams[stream]
        if entity in SHARE:
            make = self.account if entity is Entity.ACCOUNT else self.contact
            yield from (x for i, n in enumerate(self._numbers[stream]) if n and (x := make(i)))
        elif entity is Entity.PRODUCT:
            yield from (x for _, x in self.products(stream))
        else:
            yield from (self._said(x) for x in self._business(stream, entity))

    def account(self, c: int) -> Held | None:
        """The copy of company c."""
        found = self._place(Entity.ACCOUNT, c)
        if found is None:
            return None
        x, dice = Held(self.guest.role, *found, {}, 0), self._dice(_MADE, c * 2)
        x = self._said(self.companies.elsewhere(c, x, self.guest.holds[x.stream], dice))
        parent = self.companies.company(c).parent
        self._file(x, "parent", Entity.ACCOUNT, parent)
        return x

    def contact(self, p: int) -> Held | None:
        """The copy of person p."""
        found = self._place(Entity.CONTACT, p)
        if found is None:
            return None
        x, dice = Held(self.guest.role, *found, {}, 0), self._dice(_MADE, p * 2 + 1)
        self._file(x, "account", Entity.ACCOUNT, self.people.company_of(p))
        return self._said(self.people.elsewhere(p, x, self.guest.holds[x.stream], dice))

    def _place(self, entity: Entity, i: int) -> tuple[str, int] | None:
        found = ((stream, self._numbers[stream][i]) for stream in self._of(entity))
        return next(((stream, n) for stream, n in found if n), None)

    def _file(self, x: Held, link: str, entity: Entity, i: int | None) -> None:
        """Under the record of thing i, where the link goes to the stream that has it."""
        found = self._place(entity, i) if i is not None and link in self.guest.holds[x.stream] else None
        if found and self.guest.links[x.stream].get(link) == found[0]:
            x.fields[link] = found[1]

    def _said(self, x: Held) -> Held:
        """Without what the guest has no place or no word for."""
        for name, value in list(x.fields.items()):
            words = self.guest.says.get((x.stream, name))
            if name == "of" and x.stream in self.guest.inside:
                continue
            if name not in self.guest.holds[x.stream] or (words is not None and value not in words):
                del x.fields[name]
        x.wrong = [w for w in x.wrong if not w.field or w.field in x.fields]
        return x

    # -- products and prices ------------------------------------------------------------------------------------------

    def products(self, stream: str) -> Iterator[tuple[Product, Held]]:
        """What it sells; a master sells all."""
        n, holds = 0, self.guest.holds[stream]
        said = self.guest.says.get((stream, "status"), frozenset({"discontinued"}))
        for p in self.catalog.products:
            ended = p.status == "discontinued" and ("status" not in holds or "discontinued" not in said)
            dice = self._dice(_MADE, -p.index - 1)
            if not self.guest.master and (p.status == "draft" or ended or dice.chance(0.3)):
                continue
            n += 1
            plain = ("sku", "gtin", "name", "description", "unit", "category", "status")
            fields: dict[str, Any] = {name: getattr(p, name) for name in plain} | self._price(stream, p)
            yield p, self._said(Held(self.guest.role, stream, n, fields, DAY + dice.below(400 * DAY)))

    def _price(self, stream: str, p: Product) -> dict[str, str]:
        """Everybody's price of one piece today, in the currency the stream is in."""
        currency = min(self.guest.says.get((stream, "currency"), frozenset({"EUR"})))
        if (currency, "standard") not in LISTS:
            return {}
        cents = self.catalog.cents(p.index, "standard", currency, 1, self.catalog.year)
        return {"price": money(cents), "currency": currency}

    # -- business -----------------------------------------------------------------------------------------------------

    def _business(self, stream: str, entity: Entity) -> Iterator[Held]:
        if entity is Entity.LINE:
            yield from self._lines(stream)
        elif entity in _LISTS:
            yield from self._lists(stream, entity)
        else:
            for deal in self._deals(stream):
                fields = {**_FIELDS[entity](self, deal, self._dice(_MADE, deal.n)), **deal.links}
                x = Held(self.guest.role, stream, deal.n, fields, deal.ago_s)
                yield self._served(x, deal.ago_s) if entity is Entity.TICKET else x

    def _lists(self, stream: str, entity: Entity) -> Iterator[Held]:
        """The master's prices and the like, as they are."""
        wanted, n = _LISTS[entity], 0
        for x in (*self.catalog.master(), *self.trade.service.master()):
            if x.stream == wanted and self._told_apart(stream, x):
                n += 1
                yield Held(self.guest.role, stream, n, dict(x.fields), x.updated_ago_s)

    def _served(self, x: Held, ago_s: int) -> Held:
        """A ticket, done by now: with when that was, and what was late of it where it says the channel."""
        times, x.updated_ago_s, wrong = self.trade.service.times(x.n, ago_s, x.fields["channel"], "closed")
        x.fields |= {"status": "closed", **times}
        judged = {"channel", "opened_at"} <= self._said(replace(x, fields=dict(x.fields))).fields.keys()
        return replace(x, wrong=wrong if judged else [])

    def _told_apart(self, stream: str, x: Held) -> bool:
        """Prices of another unit, or with tax, only where it can say so."""
        return x.stream != "prices" or (
            ("unit" in self.guest.holds[stream] or x.fields["unit"] == self._units[x.fields["sku"]])
            and ("tax_included" in self.guest.holds[stream] or x.fields["tax_included"] == "false")
        )

    def _deals(self, stream: str) -> Iterator[Deal]:
        """What there is with each of the customers the stream links to, one or two with every second of them."""
        n, links = 0, self.guest.links[stream]
        person = links.get("contact") in self._numbers
        numbers = self._numbers.get(links.get("contact" if person else "account", ""), array("I"))
        for i, at in enumerate(numbers):
            dice = self._dice(_DEALT, i * 32 + len(stream))
            c = self.people.company_of(i) if person else i
            if not at or not self._priced(i if person else None, c):
                continue
            for _ in range((0, 0, 1, 2)[dice.below(4)]):
                n += 1
                linked = {"contact": at} if person else {}
                filed = self._place(Entity.ACCOUNT, c)
                if filed and links.get("account") == filed[0]:
                    linked["account"] = filed[1]
                yield self._deal(stream, n, linked, c, dice)

    def _priced(self, p: int | None, c: int) -> bool:
        """Whether a hub could know which prices they get: everybody's, or those the CRM says."""
        return self.companies.group(c) == "standard" or p is None or self.people.numbers.at("crm", p) is not None

    def _deal(self, stream: str, n: int, links: dict[str, int], c: int, dice: Dice) -> Deal:
        company = self.companies.company(c)
        currency = self.catalog.currency(company.group, company.land.currency)
        ago_s = HOUR + dice.skewed(self.trade.span_s)
        which = (self._kind + len(stream)) * 1_000_003 + n
        lines = list(self.trade.lines(which, 0, company.group, currency, self.trade.year(ago_s), 1 + dice.below(3)))
        at = f"{company.address.street}, {company.address.postal_code} {company.address.city}"
        return Deal(n, links, company.group, currency, ago_s, lines, at, company.name)

    def _lines(self, stream: str) -> Iterator[Held]:
        """The lines of the orders or deals the stream links to."""
        of, n = self.guest.links[stream].get("of") or self.guest.inside.get(stream, ""), 0
        for deal in self._deals(of) if of in self.guest.streams else ():
            for line in deal.lines:
                n += 1
                fields: dict[str, Any] = {
                    "of": deal.n,
                    "sku": line.sku,
                    "name": line.name,
                    "quantity": str(line.quantity),
                    "unit_price": money(line.cents),
                    "currency": deal.currency,
                }
                wrong = [line.wrong] if line.wrong else []
                yield Held(self.guest.role, stream, n, fields, deal.ago_s, wrong=wrong)

    # -- the parts of business, by what they are ----------------------------------------------------------------------

    def _order(self, deal: Deal, dice: Dice) -> dict[str, Any]:
        status = "delivered" if deal.ago_s > 20 * DAY else "open"
        return {
            "number": f"{self.guest.role[:3].upper()}-{10_000 + deal.n}",
            "ordered_at": self.clock.time(deal.ago_s),
            "status": status,
            "currency": deal.currency,
            "total": _total(deal.lines),
            "stock_point": self.trade.delivery.point(dice.pick(STOCK_POINTS), deal.lines, status),
            "delivery_point": deal.place,
            "transport_mode": dice.pick(TRANSPORT),
        }

    def _chance(self, deal: Deal, dice: Dice) -> dict[str, Any]:
        return {
            "name": f"{deal.customer} – {dice.pick(('retrofit', 'new line', 'spare parts'))}",
            "amount": _total(deal.lines),
            "currency": deal.currency,
            "stage": dice.pick(("won", "lost")),
            "closes_on": self.clock.day(deal.ago_s),
        }

    def _cart(self, deal: Deal, dice: Dice) -> dict[str, Any]:
        return {
            "name": f"{self.guest.role[:3].upper()}-{10_000 + deal.n}",
            "changed_at": self.clock.time(deal.ago_s),
            "currency": deal.currency,
            "total": _total(deal.lines),
        }

    def _ticket(self, deal: Deal, dice: Dice) -> dict[str, Any]:
        return {
            "subject": dice.pick(SUBJECTS).format(100 + dice.below(900)),
            "status": dice.pick(STATUS_TICKET),
            "channel": dice.pick(CHANNELS),
            "opened_at": self.clock.time(deal.ago_s),
            "satisfaction": dice.pick(SATISFACTION),
        }

    def _device(self, deal: Deal, dice: Dice) -> dict[str, Any]:
        product = self.catalog.products[dice.pick(self.catalog.traded)]
        return {
            "serial": f"{self.guest.role[:3].upper()}{deal.n:07d}",
            "sku": product.sku,
            "name": product.name,
            "installed_on": self.clock.day(deal.ago_s),
            "status": "active",
        }

    def _event(self, deal: Deal, dice: Dice) -> dict[str, Any]:
        return {"kind": dice.pick(ALARMS), "at": self.clock.time(deal.ago_s), "channel": dice.pick(CHANNELS)}

    def _consent(self, deal: Deal, dice: Dice) -> dict[str, Any]:
        return {"purpose": "newsletter", "state": dice.pick(("yes", "no")), "at": self.clock.time(deal.ago_s)}

    def _feedback(self, deal: Deal, dice: Dice) -> dict[str, Any]:
        return {"score": str(dice.below(11)), "at": self.clock.time(deal.ago_s)}


_LISTS: Mapping[Entity, str] = {
    Entity.PRICE: "prices",
    Entity.PROMOTION: "promotions",
    Entity.CHANNEL: "channels",
    Entity.STANDARD: "standards",
}
"""What only a master has, and its stream of it."""

_FIELDS: Mapping[Entity, Callable[[Visit, Deal, Dice], dict[str, Any]]] = {
    Entity.ORDER: Visit._order,
    Entity.DEAL: Visit._chance,
    Entity.CART: Visit._cart,
    Entity.TICKET: Visit._ticket,
    Entity.DEVICE: Visit._device,
    Entity.INTERACTION: Visit._event,
    Entity.CONSENT: Visit._consent,
    Entity.FEEDBACK: Visit._feedback,
}


def _total(lines: Sequence[Line]) -> str:
    return money(sum(line.cents * line.quantity for line in lines))

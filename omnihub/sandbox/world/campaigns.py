"""Offers: what the shop, marketing and the portal say of the master's promotions, and what they get wrong.

Each channel takes up three promotions in four. Of those that are not over, some are wrong in one way each: a code
nobody knows, another product, another group, days the master does not give, another discount. Of those that are over
in the master, a few are still on. An offer with a price has the right one for its group, less its discount, unless
that is what is wrong with it. What is no mere percentage is in `specials`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from omnihub.sandbox.copies import CUSTOMER_GROUPS
from omnihub.sandbox.world.catalog import DISCOUNTS, Catalog, Promotion, money
from omnihub.sandbox.world.companies import Companies
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, HOME, HOUR, Clock, Held, Wrong
from omnihub.sandbox.world.people import People
from omnihub.sandbox.world.specials import Specials

_SHOP, _PORTAL, _MARKETING = 701, 702, 703

SHARE = 0.75  # of the promotions, those that a channel takes up
ONE_IN = 2  # of those that are not over is wrong, and in turns, so that the smallest world has one of each
STILL_ON = 0.15  # of those that are over
SOON = 2  # days: what ends sooner is left right, so that nothing depends on the hour
TRIES = 50


@dataclass
class Offer:
    """An offer in the making: what is said of a promotion, in days, and what is wrong with it."""

    of: Promotion
    code: str
    name: str
    goods: list[int]
    group: str | None
    percent: int
    begins: int  # days ago
    ends: int | None
    wrong: list[Wrong] = field(default_factory=list)
    everybody: bool = False
    everything: bool = False


@dataclass
class Turn:
    """How many offers of a channel are not over so far, how many of them are wrong, and how many have a price."""

    living: int = 0
    wrong: int = 0
    priced: int = 0  # of those that are right


class Campaigns:
    """The offers of all channels."""

    def __init__(self, seed: int, companies: Companies, people: People, catalog: Catalog, clock: Clock) -> None:
        self.seed, self.companies, self.catalog, self.clock = seed, companies, catalog, clock
        self.specials = Specials(seed, companies, people, catalog, clock)
        again = set(catalog.again)
        self._shown = [i for i in catalog.sold if i in set(catalog.traded) and (i % 50 != 21 or i in again)]

    # -- the shop -----------------------------------------------------------------------------------------------------

    def discounts(self) -> Iterator[Held]:
        """The shop's: with a code or without, for variants and segments, from a moment to a moment."""
        n, turn, shown = 0, Turn(), set(self._shown)
        for promotion in self.catalog.promotions():
            dice = Dice(self.seed, _SHOP, promotion.n)
            if not shown.issuperset(promotion.goods) or not dice.chance(SHARE):
                continue
            n += 1
            offer = self._offer(promotion, dice, turn, self._shown)
            self._widen(offer, turn)
            fields: dict[str, Any] = {
                "name": offer.name,
                "skus": ", ".join(sorted(self.catalog.products[i].sku for i in offer.goods)),
                "customer_groups": offer.group,
                "gives": "discount",
                "discount": str(offer.percent),
                "starts_at": self._midnight(offer.begins),
            }
            if promotion.n % 5:
                fields["code"] = offer.code
            if offer.everything:
                fields |= {"skus": None, "all_products": "true"}
            if offer.everybody:
                fields |= {"customer_groups": None, "all_customers": "true"}
            if offer.ends is not None:
                fields["ends_at"] = self._midnight(offer.ends - 1, less_s=promotion.n % 2)
            said = {name: value for name, value in fields.items() if value is not None}
            yield Held("shop", "discounts", n, said, self._ago(offer, dice), wrong=offer.wrong)
        yield from self.specials.discounts(n)

    @staticmethod
    def _widen(offer: Offer, turn: Turn) -> None:
        """What is wrong in the shop may be so for everything, or for everybody: every other time."""
        kinds, wide = {w.kind for w in offer.wrong}, turn.wrong // len(_MISTAKES) % 2 == 0
        offer.everything = wide and "promotion_product" in kinds
        offer.everybody = wide and "promotion_group" in kinds

    # -- the portal ---------------------------------------------------------------------------------------------------

    def offers(self) -> Iterator[Held]:
        """The portal's: for one product each, to a group or to one customer of it, most with a price."""
        n, turn = 0, Turn()
        for promotion in self.catalog.promotions():
            dice = Dice(self.seed, _PORTAL, promotion.n)
            if not dice.chance(SHARE):
                continue
            offer = self._offer(promotion, dice, turn, self.catalog.traded)
            account = self._customer(offer.group, dice) if dice.chance(0.3) else None
            for x in self._singly("portal", "offers", offer, n, turn, dice):
                n = x.n
                if account is not None:
                    del x.fields["customer_group"]
                    x.fields["account"] = account
                yield x
        yield from self.specials.offers(n)

    # -- marketing ----------------------------------------------------------------------------------------------------

    def mailed(self) -> Iterator[Held]:
        """Marketing's: for one product each, to a group, most with a price."""
        n, turn = 0, Turn()
        for promotion in self.catalog.promotions():
            dice = Dice(self.seed, _MARKETING, promotion.n)
            if dice.chance(SHARE):
                offer = self._offer(promotion, dice, turn, self.catalog.traded)
                for x in self._singly("marketing", "campaign_offers", offer, n, turn, dice):
                    n = x.n
                    yield x

    # -- one by one ---------------------------------------------------------------------------------------------------

    def _singly(self, role: str, stream: str, offer: Offer, after: int, turn: Turn, dice: Dice) -> Iterator[Held]:
        """A record for each product of an offer, numbered on from `after`."""
        for n, i in enumerate(offer.goods, after + 1):
            x = Held(role, stream, n, self._flat(offer, i), self._ago(offer, dice))
            x.wrong = [w for w in offer.wrong if w.kind != "promotion_product" or i not in offer.of.goods]
            self._priced(x, offer, i, turn, dice)
            yield x

    def _customer(self, group: str | None, dice: Dice) -> int | None:
        """A living account of the portal whose company is in this group."""
        for _ in range(TRIES):
            c = dice.below(self.companies.count)
            if self.companies.group(c) == group and (n := self.companies.numbers.at("portal", c)):
                return n
        return None

    def _flat(self, offer: Offer, i: int) -> dict[str, Any]:
        fields = {
            "code": offer.code,
            "name": offer.name,
            "sku": self.catalog.products[i].sku,
            "customer_group": offer.group,
            "discount": str(offer.percent),
            "valid_from": self.day(offer.begins),
            "valid_to": None if offer.ends is None else self.day(offer.ends),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _priced(self, x: Held, offer: Offer, i: int, turn: Turn, dice: Dice) -> None:
        """The price of a day of this year, when prices are known; of every third offer that is right, a wrong one."""
        first = self.day(min(offer.begins, 0))
        if first[:4] != str(self.catalog.year) or not offer.group or x.n % 4 == 0:
            return
        right = self.catalog.cents(i, offer.group, "EUR", 1, self.catalog.year)
        cents = (right * (100 - offer.percent) + 50) // 100
        turn.priced += not offer.wrong and offer.of.ends <= -SOON
        if not offer.wrong and offer.of.ends <= -SOON and turn.priced % 3 == 1:
            cents = self.catalog.wrong_cents(i, right, dice)
            x.wrong.append(Wrong("price", "price_differs", "another price"))
        x.fields |= {"price": money(cents), "currency": "EUR"}

    # -- what goes for all channels -----------------------------------------------------------------------------------

    def _offer(self, promotion: Promotion, dice: Dice, turn: Turn, goods: list[int]) -> Offer:
        """An offer, right or wrong. goods: the products the channel could put in wrongly."""
        p = promotion
        offer = Offer(p, p.code, p.name, list(p.goods), p.group, p.percent, p.begins, p.ends)
        if p.ends > 0 and dice.chance(STILL_ON):
            offer.ends = -SOON - dice.below(30)
            offer.wrong.append(Wrong("valid_to", "promotion_expired", "over in the master"))
        elif p.ends <= -SOON:
            turn.living += 1
            if turn.living % ONE_IN == 0:
                _MISTAKES[turn.wrong % len(_MISTAKES)](self, offer, dice, goods)
                turn.wrong += 1
        return offer

    def _unknown(self, offer: Offer, dice: Dice, goods: list[int]) -> None:
        offer.code, offer.name = f"{offer.code}-X", f"{offer.name} extra"
        offer.wrong.append(Wrong("code", "promotion_unknown", "no such promotion"))

    def _product(self, offer: Offer, dice: Dice, goods: list[int]) -> None:
        others = [i for i in (dice.pick(goods) for _ in range(TRIES)) if i not in offer.of.goods]
        if others:
            offer.goods[dice.below(len(offer.goods))] = others[0]
            offer.wrong.append(Wrong("sku", "promotion_product", "another product"))

    def _group(self, offer: Offer, dice: Dice, goods: list[int]) -> None:
        offer.group = dice.pick([g for g in CUSTOMER_GROUPS if g != offer.of.group])
        offer.wrong.append(Wrong("customer_group", "promotion_group", "another group"))

    def _days(self, offer: Offer, dice: Dice, goods: list[int]) -> None:
        """A day too long, or more, or without an end; a day too early."""
        how = dice.below(4)
        if how == 0:
            offer.begins += 1 + dice.below(9)
        else:
            offer.ends = None if how == 1 else offer.of.ends - (1 if how == 2 else 2 + dice.below(20))
        field_ = "valid_from" if how == 0 else "valid_to"
        offer.wrong.append(Wrong(field_, "promotion_expired", "other days"))

    def _discount(self, offer: Offer, dice: Dice, goods: list[int]) -> None:
        offer.percent = dice.pick([d for d in DISCOUNTS if d != offer.of.percent])
        offer.wrong.append(Wrong("discount", "promotion_differs", "another discount"))

    def day(self, ago: int) -> str:
        """A canonical date, so many days ago."""
        return self.clock.day(ago * DAY)

    def _midnight(self, ago: int, less_s: int = 0) -> str:
        """When the day began that lies so many days ago, where the company is; or a second before."""
        day = date.fromisoformat(self.day(ago))
        at = datetime(day.year, day.month, day.day, tzinfo=HOME).astimezone(UTC) - timedelta(seconds=less_s)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _ago(self, offer: Offer, dice: Dice) -> int:
        return HOUR + dice.below(max(1, offer.begins + 30) * DAY if offer.begins > -30 else DAY)


_MISTAKES: tuple[Callable[[Campaigns, Offer, Dice, list[int]], None], ...] = (
    Campaigns._product,
    Campaigns._group,
    Campaigns._discount,
    Campaigns._unknown,
    Campaigns._days,
)

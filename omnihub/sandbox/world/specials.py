"""Specials: promotions that are more than a percentage off one product for one group, as the shop and the portal take
them up.

    amount     so much off each piece         taken up as it is, as what it comes to in percent, or off the order
    percent    of one product, for one group  taken up as the amount it comes to, for several groups, for some customers
    goods      "buy two, get one"             its products, groups and days are to be right
    shipping   for nothing                    the same, for whatever is bought
    app        worked out by an app           which nobody else can hold against anything

All of them are on. Each way to take one up comes by turns, right and wrong, so that even the smallest world has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from omnihub.sandbox.copies import CUSTOMER_GROUPS
from omnihub.sandbox.world.catalog import Catalog, Special, money
from omnihub.sandbox.world.companies import Companies
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, HOME, HOUR, Clock, Held, Wrong
from omnihub.sandbox.world.people import People

_SHOP, _PORTAL, _WHO = 711, 712, 713

WAYS = {
    "amount": ("right", "another", "off the order", "in percent", "in another percent"),
    "percent": ("as an amount", "as another amount", "one group more", "some customers", "a customer more"),
    "goods": ("right", "a product more", "one group more", "too long", "another code"),
    "shipping": ("right", "too long", "one group more", "another code", "to all"),
    "app": ("unclear", "unclear", "unclear", "unclear", "unclear"),
}
"""How the specials of a kind are taken up in the shop, by turns."""

Said = dict[str, Any]


class Specials:
    """What the channels make of them."""

    def __init__(self, seed: int, companies: Companies, people: People, catalog: Catalog, clock: Clock) -> None:
        self.seed, self.companies, self.people, self.catalog, self.clock = seed, companies, people, catalog, clock

    # -- the shop -----------------------------------------------------------------------------------------------------

    def discounts(self, n: int) -> Iterator[Held]:
        """The shop's. n: of the last discount before."""
        for k, special in enumerate(self.catalog.specials()):
            dice = Dice(self.seed, _SHOP, k)
            said = self._as_it_is(special)
            wrong = self._taken_up(special, WAYS[special.kind][k // len(WAYS) % 5], said, dice)
            fields = {name: value for name, value in said.items() if value is not None}
            yield Held("shop", "discounts", n + 1 + k, fields, HOUR + dice.below(30 * DAY), wrong=wrong)

    def _as_it_is(self, special: Special) -> Said:
        gives = special.kind if special.kind in ("goods", "shipping", "app") else "discount"
        goods = ", ".join(sorted(self.catalog.products[i].sku for i in special.goods))
        return {
            "code": special.code,
            "name": special.name,
            "skus": goods if gives in ("goods", "discount") else None,
            "customer_groups": ";".join(sorted(special.groups)),
            "gives": gives,
            "starts_at": self._midnight(special.begins),
            "ends_at": self._midnight(special.ends - 1),
            **(self._amount(special.cents) if special.kind == "amount" else {}),
            **({"discount": str(special.percent)} if special.kind == "percent" else {}),
        }

    @staticmethod
    def _amount(cents: int, on: str = "piece") -> Said:
        return {"discount_amount": money(cents), "discount_on": on, "currency": "EUR"}

    def _taken_up(self, special: Special, way: str, said: Said, dice: Dice) -> list[Wrong]:
        """Say it in this way; what is wrong with that."""
        price = self.catalog.cents(special.goods[0], special.groups[0], "EUR", 1, self.catalog.year)
        share = round(special.cents * 100 / price, 2)
        off = round(price * special.percent / 100)
        others = [g for g in CUSTOMER_GROUPS if g not in special.groups]
        plain: dict[str, tuple[Said, str]] = {
            "another": (self._amount(special.cents * 2 + 100), "promotion_differs"),
            "off the order": (self._amount(special.cents, "order"), "promotion_differs"),
            "in percent": ({"discount": f"{share:.2f}"}, ""),
            "in another percent": ({"discount": f"{share + 3:.2f}"}, "promotion_differs"),
            "as an amount": (self._amount(off), ""),
            "as another amount": (self._amount(off * 2 + 100), "promotion_differs"),
            "one group more": (
                {"customer_groups": ";".join(sorted({*special.groups, *others[:1]}))},
                "promotion_group",
            ),
            "to all": ({"customer_groups": None, "all_customers": "true"}, "promotion_group"),
            "a product more": ({"skus": self._one_more(special, dice)}, "promotion_product"),
            "too long": ({"ends_at": self._midnight(special.ends - 8)}, "promotion_expired"),
            "another code": ({"code": f"{special.code}-X"}, "promotion_unknown"),
            "unclear": ({}, "promotion_unclear"),
        }
        if way in ("some customers", "a customer more"):
            return self._to_some(special, said, others, more=way == "a customer more", dice=dice)
        otherwise, kind = plain.get(way, ({}, ""))
        if "discount_amount" in otherwise or "discount" in otherwise:
            for name in ("discount", *self._amount(0)):
                said.pop(name, None)
        said |= otherwise
        return [Wrong("discount", kind, way)] if kind else []

    def _one_more(self, special: Special, dice: Dice) -> str:
        other = dice.pick([i for i in self.catalog.special_goods() if i not in special.goods])
        return ", ".join(sorted(self.catalog.products[i].sku for i in (*special.goods, other)))

    def _to_some(self, special: Special, said: Said, others: list[str], *, more: bool, dice: Dice) -> list[Wrong]:
        """To two customers by name, instead of to a group; one more is of another. Where nobody is of the group, it is
        offered to that."""
        named = self._customers(special.groups, 2, dice)
        strange = self._customers(tuple(others), 1, dice) if more else []
        if not named or (more and not strange):
            return []
        del said["customer_groups"]
        said["contacts"] = sorted({*named, *strange})
        return [Wrong("contacts", "promotion_group", "a customer of another group")] if strange else []

    def _customers(self, groups: tuple[str, ...], count: int, dice: Dice) -> list[int]:
        """Of these groups, and known to the CRM as well, which says what company they are of."""
        first, found = self.people.numbers.first, list[int]()
        start = dice.below(len(first["shop"]))
        for k in range(len(first["shop"])):
            p = (start + k) % len(first["shop"])
            of_one = first["shop"][p] and self.companies.group(self.people.company_of(p)) in groups
            if of_one and len(found) < count and self._well_known(p):
                found.append(first["shop"][p])
        return found

    def _well_known(self, p: int) -> bool:
        """Whether it is beyond doubt who that is, and of which company."""
        if not self.people.plain(p):
            return False
        copies = {x.role: x for x in self.people.plan(p) if x.role in ("crm", "shop") and not x.spare}
        return len(copies) == 2 and not any(x.wrong or x.trap for x in copies.values())

    # -- the portal ---------------------------------------------------------------------------------------------------

    def offers(self, n: int) -> Iterator[Held]:
        """The portal's: amounts only, with what is left to pay. n: of the last offer before."""
        specials = [s for s in self.catalog.specials() if s.kind == "amount"]
        for k, special in enumerate(specials):
            dice = Dice(self.seed, _PORTAL, k)
            i, group = special.goods[0], special.groups[0]
            right = self.catalog.cents(i, group, "EUR", 1, self.catalog.year) - special.cents
            x = Held("portal", "offers", n + 1 + k, {}, HOUR + dice.below(30 * DAY))
            off, pays = special.cents, right
            if k % 3 == 1:
                off, pays = special.cents * 2 + 100, right - special.cents - 100
                x.wrong.append(Wrong("discount_amount", "promotion_differs", "another amount"))
            elif k % 3 == 2:
                pays = right - 7 * special.cents // 10
                x.wrong.append(Wrong("price", "price_differs", "another price"))
            x.fields |= {
                "code": special.code,
                "name": special.name,
                "sku": self.catalog.products[i].sku,
                "customer_group": group,
                "discount_amount": money(off),
                "price": money(pays),
                "currency": "EUR",
                "valid_from": self.clock.day(special.begins * DAY),
                "valid_to": self.clock.day(special.ends * DAY),
            }
            yield x

    def _midnight(self, ago: int) -> str:
        """When the day began that lies so many days ago, where the company is."""
        day = date.fromisoformat(self.clock.day(ago * DAY))
        at = datetime(day.year, day.month, day.day, tzinfo=HOME).astimezone(UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

"""The world: a machine maker's customers, products and business, and each system's own, partly wrong copy of them.

    dice       chance that can be repeated, so that anything is made from its index alone
    lands/     names, towns, streets, telephone and VAT numbers of twelve countries
    companies  groups, branches, namesakes         ┐
    people     staff, and who changed jobs         ├ what is true, then what each system holds of it and gets wrong
    catalog    products, price lists, the shop     │
    library    the products as marketing has them  ┘ (mistakes, held)
    alike      who is easily taken for whom
    ordeals    copies that are hard to know somebody by
    campaigns  what the channels offer of the master's promotions
    specials   and of those that are more than a percentage off
    trade      deals, quotes, orders, carts, tickets, devices, logins
    service    what the master promises, and how soon tickets are answered and solved
    delivery   stock, and what other systems and tickets say of orders on their way
    guests     the same customers in any system that says what it can hold

Every thing is a function of (seed, kind, index); only who is in which system is kept, as small integers. So a
million customers stream through little memory, and the same (customers, seed, now) give the same world to the byte.

**How a hub could know.** Of every company and every person one copy is right in all that it holds: the CRM's or the
portal's, where there is one. It is usually the one changed last; a copy that still has an old address, phone, e-mail,
title or employer was not touched since, so it is always older. Slips and nicknames are what one system alone says. A
withdrawn consent is younger than the yes, and stricter. A value is only wrong in the truth where that right copy holds
the field too.

Every record keeps something to know it by: the e-mail, or a right name with a right number or employer, or a number
that is nobody else's; an old record of somebody who changed jobs keeps the mobile number. Relatives and namesakes have
e-mails of their own. Only a family and the people of a small office share one, and then their names are right.

**Traps** are pairs of records that are easily got wrong, and whether they are one: two people or companies who are
alike, or two copies of one that hardly are.

Values that are merely written otherwise (capitals, ue for ü, a legal form left out) are planted as `spelling_differs`,
which is no kind of finding: scoring neither asks for them nor minds them. No more does it of what is `not_due_yet`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from omnihub.model import Entity
from omnihub.sandbox.copies import ROLES, Copy, Guest
from omnihub.sandbox.world import companies as c
from omnihub.sandbox.world import people as p
from omnihub.sandbox.world.alike import Alike
from omnihub.sandbox.world.campaigns import Campaigns
from omnihub.sandbox.world.catalog import Catalog
from omnihub.sandbox.world.companies import Companies
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.guests import Visit
from omnihub.sandbox.world.held import Clock, Held, Numbers, Wrong
from omnihub.sandbox.world.library import Library
from omnihub.sandbox.world.people import People
from omnihub.sandbox.world.trade import Trade

__all__ = ["Error", "Place", "Right", "Told", "Trap", "Who", "World"]

_FINISH = 501


class Place(NamedTuple):
    """A copy's address, before its stand-in gives it an id."""

    role: str
    stream: str
    n: int


class Who(NamedTuple):
    """A living copy is about this thing. `holds`: the fields it has any value in."""

    at: Place
    entity: str
    key: str
    holds: tuple[str, ...]


class Right(NamedTuple):
    """The right value of a field."""

    entity: str
    key: str
    field: str
    value: str


class Error(NamedTuple):
    """A planted error. Findings about the same `cause` are one."""

    kind: str
    at: Place
    field: str
    detail: str
    cause: str


class Trap(NamedTuple):
    """Two copies that are easily got wrong: `same` says whether they are one."""

    kind: str
    a: Place
    b: Place
    same: bool


Told = Who | Right | Error | Trap
_SCORED = {
    "account": (
        "name",
        "vat_id",
        "domain",
        "phone",
        "street",
        "postal_code",
        "city",
        "region",
        "country",
        "customer_group",
    ),
    "contact": (
        "first_name",
        "last_name",
        "email",
        "phone",
        "mobile",
        "job_title",
        "birth_date",
        "language",
        "marketing_consent",
    ),
    "product": ("sku", "gtin", "name", "description", "unit", "category", "status"),
}


class World:
    """A world of so many people. `now` is the moment it is seen at: nothing in it is younger.

    guests: systems beside those of ROLES that hold copies too. The others' are the same with them and without.
    """

    def __init__(self, customers: int, seed: int, now: datetime, guests: Sequence[Guest] = ()) -> None:
        if customers < 1:
            raise ValueError(f"{customers} customers make no world: ask for 1 or more")
        clock = Clock(now)
        self.customers, self.seed, self.clock = customers, seed, clock
        self.companies = Companies(seed, customers, clock)
        self.people = People(seed, customers, self.companies, clock)
        self.catalog = Catalog(seed, customers, clock)
        self.library = Library(seed, self.catalog)
        self.campaigns = Campaigns(seed, self.companies, self.people, self.catalog, clock)
        self.trade = Trade(seed, self.companies, self.people, self.catalog, clock)
        beside = (self.companies, self.people, self.catalog, self.trade, clock)
        self.guests = {guest.role: Visit(seed, guest, *beside) for guest in guests}

    # -- what the systems hold ----------------------------------------------------------------------------------

    def copies(self, role: str) -> Iterator[Copy]:
        """All copies of one role, stream by stream in the order of ROLES, n from 1 upwards in each."""
        if role in self.guests:
            yield from self.guests[role].copies()
            return
        if role not in ROLES:
            raise ValueError(f"no role {role!r} in the sandbox: it has {', '.join((*ROLES, *self.guests))}")
        if role == "master":
            yield from (self.catalog.copy(x) for x in (*self.catalog.master(), *self.trade.service.master()))
            return
        for stream, entity in ROLES[role].items():
            yield from self._stream(role, stream, entity)

    def _stream(self, role: str, stream: str, entity: Entity) -> Iterator[Copy]:
        if entity is Entity.ACCOUNT:
            for i, x in _in_order(self.companies.numbers, role, self.companies.plan):
                yield self.companies.finish(i, x).copy(self.clock, Dice(self.seed, _FINISH, x.n * 8 + len(role)))
        elif entity is Entity.CONTACT:
            for i, x in _in_order(self.people.numbers, role, self.people.plan):
                yield self.people.finish(i, x).copy(self.clock, Dice(self.seed, _FINISH, -x.n * 8 - len(role)))
        else:
            yield from (self.trade.copy(x) for x in self._business(role, stream))

    def _business(self, role: str, stream: str) -> Iterator[Held]:
        elsewhere = {
            ("crm", "orders"): self.trade.crm_orders,
            ("portal", "orders"): self.trade.portal_orders,
            ("marketing", "products"): self.library.products,
        }
        if (role, stream) in elsewhere:
            return elsewhere[role, stream]()
        streams: dict[str, Callable[[], Iterator[Held]]] = {
            "opportunities": self.trade.opportunities,
            "opportunity_lines": self.trade.opportunity_lines,
            "deals": self.trade.deals,
            "line_items": self.trade.line_items,
            "products": self.catalog.shop_products,
            "variants": self.catalog.variants,
            "orders": self.trade.orders,
            "order_lines": self.trade.order_lines,
            "carts": self.trade.carts,
            "cart_lines": self.trade.cart_lines,
            "discounts": self.campaigns.discounts,
            "inventory_levels": self.trade.delivery.shelves,
            "offers": self.campaigns.offers,
            "campaign_offers": self.campaigns.mailed,
            "quotes": self.trade.quotes,
            "quote_lines": self.trade.quote_lines,
            "tickets": self.trade.tickets,
            "devices": self.trade.devices,
            "alarms": self.trade.alarms,
            "logins": self.trade.logins,
        }
        return streams[stream]()

    # -- the truth ----------------------------------------------------------------------------------------------

    def truths(self) -> Iterator[Told]:
        """Who is who, what is right, what was planted. Only scoring may read it."""
        for i in range(self.companies.count):
            elsewhere = [x for guest in self.guests.values() if (x := guest.account(i))]
            copies, right = self.companies.plan(i), self.companies.right(self.companies.company(i))
            yield from _told("account", f"account-{i}", [*copies, *elsewhere], right)
            yield from self._company_traps(i)
            yield from _hard(copies)
        for i in range(self.people.count):
            yield from self._person(i)
        yield from self._products()
        for role, stream in _BUSINESS:
            yield from (e for x in self._business(role, stream) for e in _errors(x))
        for guest in self.guests.values():
            yield from _visited(guest)

    def _person(self, i: int) -> Iterator[Told]:
        person, copies = self.people.person(i), self.people.plan(i)
        right = self.people.right(person) | {"marketing_consent": person.consent}
        elsewhere = [x for guest in self.guests.values() if (x := guest.contact(i))]
        yield from _told("contact", person.key, [*copies, *elsewhere], right)
        others = [person.alike] if person.alike else []
        if (neighbour := self.people.next_to(i)) is not None:
            others.append(Alike("switchboard", neighbour))
        numbers = self.people.numbers
        for kind, other in others:
            yield Trap(kind, _place(numbers, p.STREAM, other), _place(numbers, p.STREAM, i), False)
        yield from _hard(copies)

    def _company_traps(self, i: int) -> Iterator[Trap]:
        kind, numbers = self.companies.kind(i), self.companies.numbers
        others = [(kind, i - 4 if kind == "subsidiary" else i - 2)] if kind in c.LIKE else []
        if (neighbour := self.companies.neighbour(i)) is not None:
            others.append(("house", neighbour))
        for trap, other in others:
            yield Trap(trap, _place(numbers, c.STREAM, other), _place(numbers, c.STREAM, i), False)

    def _products(self) -> Iterator[Told]:
        sold = {i: n for n, i in enumerate(self.catalog.sold, 1)}
        again = {i: n for n, i in enumerate(self.catalog.again, len(sold) + 1)}
        told: dict[int, list[int]] = {}
        for product, x in self.library.entries():
            told.setdefault(product.index, []).append(x.n)
        for product in self.catalog.products:
            i, fields = product.index, _SCORED["product"]
            yield Who(Place("master", "products", i + 1), "product", product.key, fields)
            for n in (of[i] for of in (sold, again) if i in of):
                yield Who(Place("shop", "products", n), "product", product.key, ())
                yield Who(Place("shop", "variants", n), "product", product.key, ())
            yield from (Who(Place("marketing", "products", n), "product", product.key, ()) for n in told.get(i, ()))
            yield from (Right("product", product.key, name, getattr(product, name)) for name in fields)
        yield from (e for x in self.catalog.master() for e in _errors(x))
        for i, n in self.catalog.standard_rows():
            if i % 4 == 0 and self.catalog.products[i].status == "active":
                yield Who(Place("master", "prices", n), "price", self.catalog.products[i].key, ("amount",))


_BUSINESS = tuple(
    (role, stream)
    for role, streams in ROLES.items()
    if role != "master"
    for stream, entity in streams.items()
    if entity not in (Entity.ACCOUNT, Entity.CONTACT)
)


def _visited(visit: Visit) -> Iterator[Told]:
    """Of a guest: its products, and what is wrong in its business."""
    for stream, entity in visit.guest.streams.items():
        if entity is Entity.PRODUCT:
            for product, x in visit.products(stream):
                yield Who(_at(x), "product", product.key, ())
        elif entity not in (Entity.ACCOUNT, Entity.CONTACT):
            yield from (e for x in visit.stream(stream) for e in _errors(x))


def _in_order(numbers: Numbers, role: str, plan: Callable[[int], list[Held]]) -> Iterator[tuple[int, Held]]:
    """The copies of a role as they are numbered: first ones, second ones, gone ones."""
    for i, n in enumerate(numbers.first[role]):
        if n:
            yield i, _at_n(plan(i), role, n)
    for among in (numbers.second[role], numbers.gone[role]):
        for i, n in among.items():
            yield i, _at_n(plan(i), role, n)


def _at_n(copies: list[Held], role: str, n: int) -> Held:
    return next(x for x in copies if x.role == role and x.n == n)


def _hard(copies: list[Held]) -> Iterator[Trap]:
    """Copies that are about the same as the right one, and hard to see so."""
    kept = next(x for x in copies if x.keeper)
    yield from (Trap(x.trap, _at(kept), _at(x), True) for x in copies if x.trap and not x.deleted)


def _at(x: Held) -> Place:
    return Place(x.role, x.stream, x.n)


def _place(numbers: Numbers, streams: dict[str, str], i: int) -> Place:
    """The first copy there is of thing i."""
    return next(Place(role, streams[role], n) for role in numbers.roles if (n := numbers.first[role][i]))


def _errors(x: Held) -> Iterator[Error]:
    if not x.deleted:
        yield from (_error(x, w) for w in x.wrong)


def _error(x: Held, w: Wrong) -> Error:
    return Error(w.kind, _at(x), w.field, w.detail, w.cause)


def _told(entity: str, key: str, copies: list[Held], right: dict[str, str | None]) -> Iterator[Told]:
    """Of one thing: its living copies, the right values that at least one of them holds, and their errors."""
    living = [x for x in copies if not x.deleted]
    doubled = {w.cause: w for x in living for w in x.wrong if w.kind == "duplicate"}
    for x in living:
        yield Who(_at(x), entity, key, tuple(name for name in _SCORED[entity] if name in x.fields))
        yield from _errors(x)
        cause = f"{key}@{x.role}"
        if cause in doubled and not x.spare:  # either of the two may be named
            yield _error(x, doubled[cause])
    for name in _SCORED[entity]:
        value = right.get(name)
        if value is not None and any(x.right(name) for x in living):
            yield Right(entity, key, name, value)

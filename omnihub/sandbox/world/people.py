"""The people: who they are, whom they resemble, and what each system holds of them.

Thirty people belong to a block of ten companies; some of them are easily taken for others (alike). Anybody may have
changed jobs: an older record then is still filed under the company before. Anybody may have a copy that is hard to know
them by (ordeals). Birth dates are known to the CRM and to marketing, of some.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from omnihub.sandbox.copies import HELD
from omnihub.sandbox.world import ordeals
from omnihub.sandbox.world.alike import RELATED, SHARING, Alike, Resemblance, like_named
from omnihub.sandbox.world.companies import BLOCK, FIRST, PEOPLE, SIZES, SLOT_OF, Companies, Company, older
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, HOUR, OLDEST, Clock, Held, Numbers, Wrong, dialled, held, place
from omnihub.sandbox.world.lands import Land
from omnihub.sandbox.world.mistakes import (
    JUNK_EMAILS,
    JUNK_PHONES,
    NICKNAMES,
    foreign,
    latin,
    misspelt,
    slip,
    slug,
)  # fmt: skip

STREAM = {"crm": "contacts", "marketing": "contacts", "shop": "customers", "ticketing": "users", "portal": "users"}
ROLES = tuple(STREAM)
CRM, MARKETING, SHOP, TICKETING, PORTAL = range(5)
SHARE = {"crm": 0.75, "marketing": 0.6, "shop": 0.35, "ticketing": 0.4, "portal": 0.42}

BORN = {"crm": 0.5, "marketing": 0.35}  # of how many the birth date is known

TITLES = (
    "Head of Purchasing", "Buyer", "Production Manager", "Maintenance Engineer", "Managing Director", "Plant Manager",
    "Technical Director", "Sales Manager", "Quality Manager", "Project Engineer", "Logistics Manager", "Controller",
    "Design Engineer", "Service Technician", "Office Manager", "Automation Engineer", "Warehouse Manager", "CFO", "CEO",
    "IT Manager",
)  # fmt: skip

_NAME, _FACTS, _SKETCH, _PLAN, _FINISH = 201, 203, 204, 205, 206
_BORN, _SHARED, _MARRIED, _GENERATION, _ORDEAL = range(207, 212)

NOWHERE = 900_000_000  # no stream ever counts this far: links to such a record point nowhere


@dataclass(frozen=True, slots=True)
class Former:
    """Where somebody worked before, and how to reach them there."""

    company: int
    email: str
    phone: str
    title: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person as they are. `consent`: their last answer; `asked_ago_s`: when they gave it; `withdrawn`: after a yes.

    `alike`: the person they are easily taken for.
    """

    index: int
    company: int
    land: Land
    first_name: str
    last_name: str
    email: str
    phone: str | None
    mobile: str | None
    title: str
    language: str
    consent: str | None
    withdrawn: bool
    asked_ago_s: int
    maiden: str | None
    former: Former | None
    alike: Alike | None
    known_as: str  # a private address somebody once gave
    birth_date: str

    @property
    def key(self) -> str:
        """Their name in the truth."""
        return f"contact-{self.index}"


class People:
    """Everybody in a world; anybody can be made again from their index."""

    def __init__(self, seed: int, customers: int, companies: Companies, clock: Clock) -> None:
        self.seed, self.count, self.companies, self.clock = seed, customers, companies, clock
        self.resemblance = Resemblance(seed, customers, lambda p: companies.host(self.company_of(p)) is not None)
        self.staff: Callable[[int], tuple[Person, ...]] = lru_cache(8192)(self._staff)
        self.numbers = Numbers(ROLES, customers, self._sketch)

    # -- who works where ----------------------------------------------------------------------------------------

    @staticmethod
    def company_of(p: int) -> int:
        """The index of the company person p works for."""
        block, offset = divmod(p, PEOPLE)
        return block * BLOCK + SLOT_OF[offset]

    def members(self, c: int) -> range:
        """The people of company c."""
        block, slot = divmod(c, BLOCK)
        start = block * PEOPLE + FIRST[slot]
        return range(start, min(start + SIZES[slot], self.count))

    def person(self, p: int) -> Person:
        """Person p."""
        c = self.company_of(p)
        return self.staff(c)[p - self.members(c).start]

    def _careful(self, p: int) -> bool:
        """Whether p or somebody like them needs clean copies to be told apart."""
        return self.resemblance.of(p) is not None or self.resemblance.to(p) is not None

    def plain(self, p: int) -> bool:
        """Whether nobody is like them, and they have always worked where they do."""
        return not self._careful(p) and not self._moved(p)

    def next_to(self, p: int) -> int | None:
        """Somebody before p at the same switchboard, who is not like them, where the switchboard is a whole house's."""
        c = self.company_of(p)
        if self.companies.host(c) is None:
            return None
        found, before = p - 1, self.companies.neighbour(c)
        if p == self.members(c).start:
            if before is None or not self.members(before):
                return None
            found = self.members(before)[-1]
        like = self.resemblance.of(p)
        return None if like and like.other == found else found

    def _name(self, p: int, land: Land) -> tuple[str, str]:
        dice = Dice(self.seed, _NAME, p)
        woman = dice.chance(0.38)
        first = (land.women if woman else land.men)[dice.skewed(len(land.women if woman else land.men))]
        last = land.surnames[dice.skewed(len(land.surnames))]
        like = self.resemblance.of(p)
        if like is None or like.kind == "info_address":
            return first, last
        other_first, other_last = self._name(like.other, self.companies.company(self.company_of(like.other)).land)
        if like.kind == "father_son":
            return other_first, f"{other_last} Jr."
        if like.kind in ("same_name", "same_name_at_work"):
            return other_first, other_last
        if like.kind == "family_address" and first != other_first:
            return first, other_last
        return like_named(other_first, land, dice), other_last

    def _birth_date(self, p: int) -> str:
        """Twins have one; a father was young once."""
        like, dice = self.resemblance.of(p), Dice(self.seed, _BORN, p)
        if like and like.kind == "twins":
            return self._birth_date(like.other)
        year, day = 1958 + dice.below(45), (date(2001, 1, 1) + timedelta(days=dice.below(365))).strftime("%m-%d")
        son, father = self.resemblance.to(p), like and like.kind == "father_son"
        if son and son.kind == "father_son":
            year = 1950 + dice.below(22)
        elif father:
            year = int(self._birth_date(p - 1)[:4]) + 22 + dice.below(12)
        return f"{year}-{day}"

    def _staff(self, c: int) -> tuple[Person, ...]:
        company = self.companies.company(c)
        style = self._style(company)
        taken: dict[str, int] = {}
        if company.kind == "branch":  # whose mailboxes are in the domain of its group
            taken = {x.email.partition("@")[0]: 1 for x in self.staff(c - 2)}
        found: list[Person] = []
        for p in self.members(c):
            first, last = self._name(p, company.land)
            local = local_part(first, last, company.land.language, style)
            taken[local] = taken.get(local, 0) + 1
            if taken[local] > 1:
                local += str(taken[local])
            person = self._person(p, company, first, last, local)
            if person.alike and person.alike.kind in RELATED and Dice(self.seed, _SHARED, p).chance(0.6):
                person = replace(person, phone=found[-1].phone)
            found.append(person)
        return tuple(found)

    def _style(self, company: Company) -> int:
        return 0 if company.kind else Dice(self.seed, _FACTS, -1 - company.index).below(4)

    def _shared_address(self, p: int, company: Company, last: str) -> str | None:
        """The one address of a family, or of a small office."""
        like = self.resemblance.of(p) or self.resemblance.to(p)
        if like is None or like.kind not in SHARING:
            return None
        block = p // PEOPLE
        if like.kind == "info_address" or Dice(self.seed, _SHARED, -1 - block).chance(0.5):
            return company.email
        return f"family.{slug(last, company.land.language)}.{block}@gmx.net"

    def _person(self, p: int, company: Company, first: str, last: str, local: str) -> Person:
        dice, land = Dice(self.seed, _FACTS, p), company.land
        alone = SIZES[company.index % BLOCK] == 1
        email = company.email if alone and dice.chance(0.12) else f"{local}@{company.domain}"
        email = self._shared_address(p, company, last) or email
        direct, has_phone, has_mobile = dice.chance(0.6), dice.chance(0.96), dice.chance(0.65)
        direct = direct and self.companies.host(company.index) is None
        moved = self._moved(p)
        u = dice.below(100)
        consent = None if u < 12 else "yes" if u < 70 else "no"
        return Person(
            index=p,
            company=company.index,
            land=land,
            first_name=first,
            last_name=last,
            email=email,
            phone=None
            if not has_phone
            else land.line(company.town, company.index + 1, 10 + p % PEOPLE)
            if direct
            else company.phone,
            mobile=land.mobile(p, company.town) if has_mobile or moved else None,
            title=dice.pick(TITLES),
            language="en" if dice.chance(0.06) else land.language,
            consent=consent,
            withdrawn=u >= 90,
            asked_ago_s=OLDEST + dice.below(200 * DAY),
            maiden=land.surnames[dice.below(len(land.surnames))] if first in land.women and dice.chance(0.06) else None,
            former=self._former(p, first, last, dice) if moved else None,
            alike=self.resemblance.of(p),
            known_as=f"{latin(first, land.language).lower()}{p}@{dice.pick(('gmail.com', 'gmx.net', 'outlook.com'))}",
            birth_date=self._birth_date(p),
        )

    def _moved(self, p: int) -> bool:
        """Whether p changed jobs and left an old record behind."""
        return self.companies.count > BLOCK and not self._careful(p) and Dice(self.seed, _SKETCH, -1 - p).chance(0.03)

    def _former(self, p: int, first: str, last: str, dice: Dice) -> Former:
        c = (self.company_of(p) + BLOCK + dice.below(self.companies.count - BLOCK)) % self.companies.count
        if self.companies.numbers.at("marketing", c) is None:  # better one that is known
            c = next(
                (
                    x % self.companies.count
                    for x in range(c, c + 40)
                    if self.companies.numbers.at("marketing", x % self.companies.count)
                    and x % self.companies.count != self.company_of(p)
                ),
                c,
            )
        old = self.companies.company(c)
        email = f"{local_part(first, last, old.land.language, 0)}.{p % 97}@{old.domain}"
        return Former(c, email, old.land.line(old.town, c + 1, 40 + p % 50), dice.pick(TITLES))

    def right(self, person: Person) -> dict[str, Any]:
        """The right values of every field any system may hold."""
        company = self.companies.company(person.company)
        at = company.address
        return {
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
            "phone": person.phone,
            "mobile": person.mobile,
            "job_title": person.title,
            "birth_date": person.birth_date,
            "language": person.language,
            "company": company.name,
            "street": at.street,
            "postal_code": at.postal_code,
            "city": at.city,
            "country": company.land.code,
        }

    # -- who holds them -----------------------------------------------------------------------------------------

    def _sketch(self, p: int) -> int:
        dice = Dice(self.seed, _SKETCH, p)
        mask = self._mask(p, dice)
        if self.companies.groups[self.company_of(p)] and mask >> SHOP & 1:
            mask |= 1 << CRM  # else nobody could know which prices they get
        if self._moved(p):
            mask |= 1 << CRM | (0 if mask >> PORTAL & 1 else 1 << MARKETING)
        second = sum(dice.chance(0.02) << r for r in range(len(ROLES))) & mask
        gone = sum(dice.chance(0.015) << r for r in range(len(ROLES))) & mask
        if self._careful(p):
            second = 0
        return mask | second << 5 | gone << 10

    def _mask(self, p: int, dice: Dice) -> int:
        """The systems that have a first copy: at least one. Only the CRM has an address twice."""
        mask = sum(dice.chance(SHARE[role]) << r for r, role in enumerate(ROLES))
        for other in self.resemblance.sharers(p):
            mask &= ~self._mask(other, Dice(self.seed, _SKETCH, other)) | 1 << CRM
        return mask or 1 << CRM

    def plan(self, p: int) -> list[Held]:
        """Every copy of a person, with its errors."""
        person, sketch, dice = self.person(p), self.numbers.sketches[p], Dice(self.seed, _PLAN, p)
        company, right = self.companies.company(person.company), self.right(person)
        roles = [role for r, role in enumerate(ROLES) if sketch >> r & 1]
        keeper = self._keeper(person, roles, dice)
        newest = HOUR + dice.skewed(300 * DAY)
        former = ("portal" if "portal" in roles else "marketing") if person.former else ""
        copies = [
            self._first(person, role, right, newest if role == keeper else older(newest, dice), role == keeper)
            for role in roles
        ]
        kept = next(x for x in copies if x.keeper)
        for x in copies:
            if x.keeper:
                self._forget(x, dice, 0.06 if not person.former else 0.0)
        hard = self._hard(person, [x for x in copies if not x.keeper], kept)
        for x in copies:
            if x.role == former:
                self._stay(person, x, kept)
            elif not x.keeper and x is not hard:
                self._err(person, company, x, kept, dice)
                self._generation(person, x)
        copies += list(self._extra(person, company, right, kept, newest, dice))
        for x in copies:
            self._consent(person, x, kept, HELD[x.role, x.stream], dice)
        return copies

    def _hard(self, person: Person, copies: list[Held], kept: Held) -> Held | None:
        """One in twelve has a copy that is hard to know them by."""
        dice = Dice(self.seed, _ORDEAL, person.index)
        if not copies or person.former or self._careful(person.index) or not dice.chance(0.08):
            return None
        company = self.companies.company(person.company)
        names = [x.last_name for x in self.staff(person.company) if x.first_name[0] == person.first_name[0]]
        victim = ordeals.Victim(
            person.first_name,
            person.last_name,
            person.email,
            person.land.language,
            person.phone if person.phone != company.phone else None,
            person.mobile,
            person.email != company.email,
            names.count(person.last_name) == 1,
            frozenset(kept.fields),
        )
        x = dice.pick(copies)
        return x if ordeals.befall(victim, x, dice) else None

    def _generation(self, person: Person, x: Held) -> None:
        """Not everybody thinks of writing Jr. or Sr.: a matter of taste, where the address tells them apart."""
        dice, like = Dice(self.seed, _GENERATION, person.index * 8 + place(ROLES, x.role)), person.alike
        to = self.resemblance.to(person.index)
        if like and like.kind == "father_son" and x.right("email") and dice.chance(0.35):
            x.put("last_name", person.last_name.removesuffix(" Jr."), "generation left out", "spelling_differs")
        elif to and to.kind == "father_son" and dice.chance(0.2):
            x.put("last_name", f"{person.last_name} Sr.", "generation written", "spelling_differs")

    @staticmethod
    def _keeper(person: Person, roles: list[str], dice: Dice) -> str:
        if person.former:
            return "crm"
        if "crm" in roles and "portal" in roles:
            return "crm" if dice.chance(0.6) else "portal"
        return next(role for role in ("crm", "portal", "marketing", "shop", "ticketing") if role in roles)

    def _first(self, person: Person, role: str, right: dict[str, Any], ago: int, keeper: bool) -> Held:
        x = Held(
            role, STREAM[role], self.numbers.first[role][person.index], held(role, STREAM[role], right), ago, keeper
        )
        self._file(person.company, x)
        knows = Dice(self.seed, _BORN, -1 - person.index * 8 - place(ROLES, role))
        if not knows.chance(BORN.get(role, 0)):
            x.fields.pop("birth_date", None)
        return x

    def _file(self, c: int, x: Held) -> None:
        """Under a company's record, where this system has one."""
        x.fields.pop("account", None)
        n = self.companies.n(x.role, c) if x.role != "shop" else None
        if n:
            x.fields["account"] = n

    def _extra(
        self, person: Person, company: Company, right: dict[str, Any], kept: Held, newest: int, dice: Dice
    ) -> Iterator[Held]:
        """Second records inside one system, and records that were deleted or merged away."""
        for role in ROLES:
            n = self.numbers.second[role].get(person.index)
            if n:
                x = self._first(person, role, right, older(newest, dice), keeper=False)
                x.n, x.spare = n, True
                self._err(person, company, x, kept, dice)
                x.wrong.append(Wrong("", "duplicate", "second record", f"{person.key}@{role}"))
                yield x
            n = self.numbers.gone[role].get(person.index)
            if n:
                x = self._first(person, role, right, older(newest, dice), keeper=False)
                x.n, x.deleted = n, True
                x.merged_into = self.numbers.first[role][person.index] if n % 2 else None
                yield x

    def elsewhere(self, p: int, x: Held, holds: Collection[str], dice: Dice) -> Held:
        """`x` filled with what a system outside these roles holds of person p, the usual mistakes included.

        One that keeps no e-mail makes none of them: nothing would be left to know the person by.
        """
        person = self.person(p)
        company, right = self.companies.company(person.company), self.right(person)
        kept = next(copy for copy in self.plan(p) if copy.keeper)
        x.fields |= {name: right[name] for name in holds if right.get(name) is not None}
        x.updated_ago_s = older(kept.updated_ago_s, dice)
        if "email" in x.fields:
            self._err(person, company, x, kept, dice)
        self._consent(person, x, kept, holds, dice)
        return self.finish(p, x)

    # -- what is wrong ------------------------------------------------------------------------------------------

    @staticmethod
    def _forget(x: Held, dice: Dice, share: float) -> None:
        """Missing keys. Never so many that nothing is left to know the person by."""
        f = x.fields
        for name, times in (("phone", 2), ("mobile", 5), ("job_title", 3), ("language", 2)):
            if dice.chance(share * times):
                f.pop(name, None)

    def _stay(self, person: Person, x: Held, kept: Held) -> None:
        """The record from the employer before: nobody touched it since."""
        former = person.former
        assert former is not None
        old = self.companies.company(former.company)
        x.trap = "job_changer"
        x.updated_ago_s = kept.updated_ago_s + 90 * DAY + x.updated_ago_s // 2
        self._file(former.company, x)
        for name, value in (("email", former.email), ("phone", former.phone), ("job_title", former.title)):
            if name in x.fields and name in kept.fields:
                x.put(name, value, "job before")
            elif name in x.fields:
                x.fields.pop(name)
        for name, value in (("company", old.name), ("city", old.address.city), ("country", old.land.code)):
            if name in x.fields:
                x.fields[name] = value

    def _err(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        self._forget(x, dice, 0.06)
        if "email" in x.fields and dice.chance(0.04) and self._findable(person, x):
            del x.fields["email"]
        if person.maiden and x.right("email") and dice.chance(0.5):
            self._maiden(person, company, x, kept)
            x.updated_ago_s = kept.updated_ago_s + 30 * DAY + x.updated_ago_s // 2
        u = dice.below(100)
        for _ in range(0 if u < 74 else 1 if u < 94 else 2):
            error = dice.pick(_ERRORS_CAREFUL if self._careful(person.index) else _ERRORS)
            error(self, person, company, x, kept, dice)
        if x.role == "crm" and "account" in x.fields and company.group == "standard" and dice.chance(0.02):
            x.fields["account"] = NOWHERE + person.index if person.index % 2 else self._dead_account(company, person)
            x.wrong.append(Wrong("account", "orphan_link", "points to a record that is gone"))

    def _maiden(self, person: Person, company: Company, x: Held, kept: Held) -> None:
        """Still under the name before, and half of them with the address of then: a number of their own is left."""
        x.trap = "married"
        x.put("last_name", person.maiden, "name before marriage")
        own = (("phone", person.phone if person.phone != company.phone else None), ("mobile", person.mobile))
        reached = any(number and x.fields.get(name) == number and name in kept.fields for name, number in own)
        if reached and "email" in kept.fields and Dice(self.seed, _MARRIED, person.index).chance(0.5):
            local = local_part(person.first_name, person.maiden or "", company.land.language, self._style(company))
            if all(x.email.partition("@")[0] != local for x in self.staff(company.index)):
                x.put("email", f"{local}@{company.domain}", "name before marriage")

    def _dead_account(self, company: Company, person: Person) -> int:
        """A deleted record of the company, where there is one."""
        n = self.companies.numbers.gone["crm"].get(company.index, 1)
        return n if n % 2 == 0 else NOWHERE + person.index

    def _findable(self, person: Person, x: Held) -> bool:
        """Whether somebody careful would know them without the e-mail: by a right name and a number or employer."""
        named = x.right("first_name") and x.right("last_name")
        reached = x.right("phone") or x.right("mobile")
        return named and not self._careful(person.index) and (reached or ("account" in x.fields and x.role != "shop"))

    def _swap(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email") and "first_name" in x.fields:
            x.put("first_name", person.last_name, "names swapped")
            x.put("last_name", person.first_name, "names swapped")

    def _slip_first(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email"):
            x.put("first_name", slip(person.first_name, dice), "slip")

    def _slip_last(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email"):
            x.put("last_name", slip(person.last_name, dice), "slip")

    def _nickname(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email"):
            short = NICKNAMES.get(person.first_name, f"{person.first_name[0]}.")
            x.put("first_name", short, "nickname" if len(short) > 2 else "initial")

    def _script(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email"):
            greek = dice.chance(0.4)
            for name, value in (("first_name", person.first_name), ("last_name", person.last_name)):
                x.put(name, foreign(value, person.land.language, greek=greek), "other script")

    def _spelling(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        """Capitals, or ü as ue: whether that is a difference is a matter of taste, so it is not scored."""
        for name, value in (("first_name", person.first_name), ("last_name", person.last_name)):
            plain = latin(value, person.land.language)
            if x.right(name):
                x.put(name, plain if plain != value else value.upper(), "spelling", "spelling_differs")

    def _slip_email(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email") and "email" in kept.fields and self._findable(person, x):
            x.put("email", misspelt(person.email, dice), "slip")

    def _private_email(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email") and "email" in kept.fields and self._findable(person, x):
            x.put("email", person.known_as, "private address")
            x.updated_ago_s = kept.updated_ago_s + 30 * DAY + x.updated_ago_s // 2

    def _info_email(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email") and person.email != company.email and "email" in kept.fields and self._findable(person, x):
            x.put("email", company.email, "the company's address")

    def _junk_email(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("email") and x.role != "portal" and self._findable(person, x):
            x.put("email", dice.pick(JUNK_EMAILS), "junk", "value_invalid")

    def _old_phone(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("phone") and "phone" in kept.fields and x.right("email"):
            x.put("phone", company.old_phone[:-2] + f"{10 + person.index % 80:02d}", "number before")
            x.updated_ago_s = kept.updated_ago_s + 30 * DAY + x.updated_ago_s // 2

    def _switchboard(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("phone") and person.phone != company.phone and "phone" in kept.fields and x.right("email"):
            x.put("phone", company.phone, "switchboard")

    def _junk_phone(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("phone") and x.right("email"):
            x.put("phone", dice.pick(JUNK_PHONES), "junk", "value_invalid")

    def _old_title(self, person: Person, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("job_title") and "job_title" in kept.fields:
            x.put("job_title", TITLES[(TITLES.index(person.title) + 1 + dice.below(18)) % len(TITLES)], "title before")
            x.updated_ago_s = kept.updated_ago_s + 30 * DAY + x.updated_ago_s // 2

    def _consent(self, person: Person, x: Held, kept: Held, holds: Collection[str], dice: Dice) -> None:
        """What this system has heard. A withdrawn yes has not reached every system: there it conflicts."""
        if person.consent is None or "marketing_consent" not in holds or x.deleted:
            return
        if not x.keeper and dice.chance(0.2):
            return
        answer, ago = person.consent, max(person.asked_ago_s, x.updated_ago_s)
        if person.withdrawn and kept.role in ("crm", "portal", "shop"):
            if x.keeper or (not x.wrong and (x.role == "ticketing" or dice.chance(0.5))):
                # the no came just before the keeper was last saved; who knows of it was saved then too
                x.updated_ago_s = min(x.updated_ago_s, kept.updated_ago_s)
                ago = kept.updated_ago_s
            else:
                answer = "yes"
                x.updated_ago_s = max(x.updated_ago_s, kept.updated_ago_s + 10 * DAY)
                x.wrong.append(Wrong("marketing_consent", "consent_conflict", "withdrawn elsewhere"))
        x.fields["marketing_consent"] = answer
        if "consent_at" in holds:
            x.fields["consent_at"] = self.clock.time(ago)

    def finish(self, p: int, x: Held) -> Held:
        """Numbers and addresses the way this record writes them, which is no error."""
        dice = Dice(self.seed, _FINISH, p * 16 + place(ROLES, x.role) * 3 + x.spare + 2 * x.deleted)
        f, land = x.fields, self.person(p).land
        for name in ("phone", "mobile"):
            number = f.get(name)
            if number and number[0] == "+" and number.startswith(f"+{land.dial}"):
                said = dialled(number, land.dial, dice, at_home=f.get("country") == land.code)
                f[name] = number if said.startswith("00") and f.get("country") == "US" else said  # no prefix there
        if "email" in f and dice.chance(0.05):
            f["email"] = f["email"].title() if "'" not in f["email"] else f["email"]
        return x


Error = Callable[[People, Person, Company, Held, Held, Dice], None]
_ERRORS: tuple[Error, ...] = (
    People._swap, People._slip_first, People._slip_last, People._slip_last, People._nickname, People._nickname,
    People._nickname, People._script, People._spelling, People._spelling, People._spelling, People._spelling,
    People._slip_email, People._private_email, People._info_email, People._junk_email, People._old_phone,
    People._old_phone, People._old_phone, People._switchboard, People._switchboard, People._junk_phone,
    People._junk_phone, People._old_title, People._old_title, People._old_title,
)  # fmt: skip
_ERRORS_CAREFUL: tuple[Error, ...] = (People._old_title, People._junk_phone, People._old_phone)


def local_part(first: str, last: str, language: str, style: int) -> str:
    """The part of an e-mail address before the @, in a company's style."""
    a, b = slug(first, language), slug(last.replace(" Jr.", ""), language)
    junior = ".jr" if last.endswith(" Jr.") else ""
    return (f"{a}.{b}", f"{a[0]}.{b}", f"{a}{b}", f"{a}_{b}")[style] + junior

"""The companies: groups with branches and subsidiaries, namesakes in other towns, and what each system holds of them.

Companies come in blocks of ten with thirty people. In a block

    slot 0  may head a group, whose same-named branch in another town is slot 2 and whose subsidiary is slot 4; a branch
            may have its group's VAT id, and the CRM may not say whose branch it is
    slot 5  may be a namesake of slot 3: the same name in another town, nothing else in common
    HOUSED  may sit in one house, with one switchboard for all of them

Any other may have moved or been renamed; what was not touched since says what was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from omnihub.sandbox.copies import CUSTOMER_GROUPS
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, HOUR, OLDEST, Clock, Held, Numbers, Wrong, dialled, held, place
from omnihub.sandbox.world.lands import LANDS, Address, Land, Town
from omnihub.sandbox.world.lands.vatids import vat_id
from omnihub.sandbox.world.mistakes import JUNK_PHONES, JUNK_VAT_IDS, latin, slip, slug

STREAM = {
    "crm": "accounts",
    "marketing": "companies",
    "ticketing": "organizations",
    "iot": "customers",
    "portal": "accounts",
}
ROLES = tuple(STREAM)
SHARE = {"crm": 0.9, "marketing": 0.7, "ticketing": 0.55, "iot": 0.5, "portal": 0.5}

BLOCK = 10  # companies
SIZES = (10, 5, 4, 3, 2, 2, 1, 1, 1, 1)  # people in each slot of a block
PEOPLE = sum(SIZES)
FIRST = tuple(sum(SIZES[:slot]) for slot in range(BLOCK))  # the first person of each slot
SLOT_OF = tuple(slot for slot, size in enumerate(SIZES) for _ in range(size))
HOUSED = (0, 1, 3, 6, 7, 8, 9)  # the slots of a block that may share a house: 22 people at one number

LIKE = ("branch", "subsidiary", "namesake")  # kinds that are easily taken for another company

INDUSTRIES = (
    "Machinery",
    "Food",
    "Packaging",
    "Energy",
    "Timber",
    "Metals",
    "Chemicals",
    "Logistics",
    "Paper",
    "Construction",
    "Agriculture",
    "Shipbuilding",
)

_FACTS, _BLOCK, _SKETCH, _PLAN, _FINISH, _HOUSE, _BRANCH, _NAMED = range(101, 109)


def companies_of(customers: int) -> int:
    """How many companies so many people work for."""
    blocks, rest = divmod(customers, PEOPLE)
    return blocks * BLOCK + (SLOT_OF[rest - 1] + 1 if rest else 0)


@dataclass(frozen=True, slots=True)
class Company:
    """A company as it is. `old_…`: before it moved, or was renamed; `kind`: head, branch, subsidiary, namesake or "".

    `told`: whether the CRM says whose branch or subsidiary it is.
    """

    index: int
    land: Land
    town: Town
    kind: str
    name: str
    form: tuple[str, str]
    vat_id: str | None
    domain: str
    phone: str
    address: Address
    industry: str
    group: str
    status: str
    parent: int | None
    moved: bool
    old_address: Address
    old_phone: str
    old_name: str | None
    told: bool

    @property
    def key(self) -> str:
        """Its name in the truth."""
        return f"account-{self.index}"

    @property
    def email(self) -> str:
        """The address on its letters."""
        return f"info@{self.domain}"


class Companies:
    """All companies of a world; any of them can be made again from its index."""

    def __init__(self, seed: int, customers: int, clock: Clock) -> None:
        self.seed, self.clock = seed, clock
        self.count = companies_of(customers)
        self.company: Callable[[int], Company] = lru_cache(8192)(self._company)
        self.groups = bytes(self._group(c) for c in range(self.count))
        self.numbers = Numbers(ROLES, self.count, self._sketch)

    # -- what is true -------------------------------------------------------------------------------------------

    def _group(self, c: int) -> int:
        u = Dice(self.seed, _FACTS, c).below(100)
        return 0 if u < 68 else 1 if u < 90 else 2

    def group(self, c: int) -> str:
        """The customer group, which decides the price list."""
        return CUSTOMER_GROUPS[self.groups[c]]

    def kind(self, c: int) -> str:
        """head, branch, subsidiary, namesake or ""."""
        slot = c % BLOCK
        if slot not in (0, 2, 4, 5):
            return ""
        dice = Dice(self.seed, _BLOCK, c // BLOCK)
        grouped, subsidiary, namesake = dice.chance(0.4), dice.chance(0.6), dice.chance(0.2)
        if slot == 5:
            return "namesake" if namesake else ""
        if not grouped or (slot == 4 and not subsidiary):
            return ""
        return {0: "head", 2: "branch", 4: "subsidiary"}[slot]

    def host(self, c: int) -> int | None:
        """The first company of the house c shares with others."""
        block, slot = divmod(c, BLOCK)
        if slot not in HOUSED or not Dice(self.seed, _HOUSE, block).chance(0.12):
            return None
        return block * BLOCK

    def neighbour(self, c: int) -> int | None:
        """The company before c in the house they share."""
        slot = c % BLOCK
        return c - slot + HOUSED[HOUSED.index(slot) - 1] if slot and self.host(c) is not None else None

    def _company(self, c: int) -> Company:
        dice = Dice(self.seed, _FACTS, c)
        dice.below(100)  # the group
        land = dice.pick(LANDS)
        kind = self.kind(c)
        house = self.company(c - c % BLOCK) if self.neighbour(c) is not None else None
        land = house.land if house else land
        model = {"branch": c - 2, "subsidiary": c - 4, "namesake": c - 2}.get(kind)
        town_index = dice.below(97)
        if model is None:
            name, form, domain = self._names(c, land, dice)
        else:
            like = self.company(model)
            if kind != "subsidiary":
                land = like.land
                town_index = land.towns.index(like.town) + 1 + dice.below(len(land.towns) - 1)
            name, form, domain = self._like(like, kind, land, land.towns[town_index % len(land.towns)], dice)
        town = house.town if house else land.towns[town_index % len(land.towns)]
        address = land.place(town, dice)
        same_vat_id, told = self._tied(c)
        return Company(
            index=c,
            land=land,
            town=town,
            kind=kind,
            name=name,
            form=form,
            vat_id=vat_id(land.code, c) if kind != "branch" else self.company(c - 2).vat_id if same_vat_id else None,
            domain=domain,
            phone=house.phone if house else land.line(town, c + 1),
            address=house.address if house else address,
            industry=dice.pick(INDUSTRIES),
            group=self.group(c),
            status=("active", "active", "active", "active", "prospect", "former")[dice.below(6)],
            parent=model if kind in ("branch", "subsidiary") else None,
            moved=not kind and dice.chance(0.1),
            old_address=land.place(dice.pick(land.towns), dice),
            old_phone=land.line(town, c + 1 + self.count),
            old_name=None if kind else self._old_name(c, land, form),
            told=told,
        )

    def _tied(self, c: int) -> tuple[bool, bool]:
        """Whether a branch has its group's VAT id, and whether the CRM says whose it is."""
        dice = Dice(self.seed, _BRANCH, c)
        return dice.chance(0.35), not dice.chance(0.4)

    def _old_name(self, c: int, land: Land, form: tuple[str, str]) -> str | None:
        """What one in twenty was called before: a made-up word, which nobody else has, and the trade."""
        dice = Dice(self.seed, _NAMED, c)
        if not dice.chance(0.05):
            return None
        one, other = dice.pick(land.surnames), dice.pick(land.surnames)
        return f"{one[:3]}{other[:3].lower()}a {dice.pick(land.trades)} {form[0]}"

    def _names(self, c: int, land: Land, dice: Dice) -> tuple[str, tuple[str, str], str]:
        """A name and domain no other company has: c picks surname, trade and variant, each combination once."""
        surnames, trades = len(land.surnames), len(land.trades)
        variants = max(4, self.count // (100 * 20) + 2)
        size = 100 * 20 * variants
        k = (c * 7_368_787 + self.seed * 31) % size
        surname = land.surnames[k % 100 % surnames]
        trade = land.trades[k // 100 % 20 % trades]
        variant = k // 2000
        form = dice.pick(land.forms)
        if variant == 1:
            surname = f"{surname} & {land.sons}"
        elif variant > 1:
            surname = f"{surname} & {land.surnames[(k % 100 + variant) % surnames]}"
        name = f"{surname} {trade} {form[0]}"
        return name, form, f"{slug(f'{surname} {trade}', land.language)}.{land.tld}"

    def _like(self, like: Company, kind: str, land: Land, town: Town, dice: Dice) -> tuple[str, tuple[str, str], str]:
        stem = like.domain.split(".")[0]
        if kind == "branch":
            return like.name, like.form, like.domain
        if kind == "namesake":
            return like.name, like.form, f"{stem}-{slug(town.name, land.language)}.{land.tld}"
        form = dice.pick(land.forms)
        words = like.name.removesuffix(like.form[0]).strip()
        return f"{words} {town.name} {form[0]}", form, f"{stem}-{slug(town.name, land.language)}.{land.tld}"

    def right(self, company: Company) -> dict[str, Any]:
        """The right values of every field any system may hold."""
        at = company.address
        return {
            "name": company.name,
            "vat_id": company.vat_id,
            "domain": company.domain,
            "phone": company.phone,
            "email": company.email,
            "street": at.street,
            "postal_code": at.postal_code,
            "city": at.city,
            "region": at.region,
            "country": company.land.code,
            "industry": company.industry,
            "customer_group": company.group,
            "status": company.status,
        }

    # -- who holds it -------------------------------------------------------------------------------------------

    def _sketch(self, c: int) -> int:
        dice = Dice(self.seed, _SKETCH, c)
        mask, kind = self._mask(c, dice), self.kind(c)
        if kind == "branch" or (kind == "head" and not self._plain(c)):
            mask &= ~(1 << ROLES.index("ticketing"))  # support knows the group only, by a name that the branch has too
        second = sum(dice.chance(0.02) << r for r in range(len(ROLES))) & mask
        gone = sum(dice.chance(0.02) << r for r in range(len(ROLES))) & mask
        if self.kind(c):
            second = 0
        return mask | second << 5 | gone << 10

    def _mask(self, c: int, dice: Dice) -> int:
        """The systems that have a first copy, but for support's own rule."""
        mask = sum(dice.chance(SHARE[role]) << r for r, role in enumerate(ROLES))
        if self.groups[c] or not mask & 0b10011:
            mask |= 1  # the CRM knows who gets a price of their own
        return mask

    def _plain(self, head: int) -> bool:
        """Whether the CRM says which of a group and its branch is the group."""
        branch = head + 2
        if branch >= self.count:
            return True
        in_crm = all(self._mask(c, Dice(self.seed, _SKETCH, c)) & 1 for c in (head, branch))
        return in_crm and self._tied(branch)[1]

    def n(self, role: str, c: int) -> int | None:
        """The record a person of company c is filed under in a role; for branches support uses the group's."""
        found = self.numbers.at(role, c)
        if found is None and role == "ticketing" and self.kind(c) == "branch":
            return self.numbers.at(role, c - 2)
        return found

    def plan(self, c: int) -> list[Held]:
        """Every copy of a company, with its errors."""
        company, sketch, dice = self.company(c), self.numbers.sketches[c], Dice(self.seed, _PLAN, c)
        right = self.right(company)
        roles = [role for r, role in enumerate(ROLES) if sketch >> r & 1]
        keeper = self._keeper(roles, dice)
        newest = HOUR + dice.skewed(300 * DAY)
        copies = [self._first(company, role, right, newest if role == keeper else None, newest, dice) for role in roles]
        kept = next(x for x in copies if x.keeper)
        for x in copies:
            if not x.keeper:
                self._err(company, x, kept, dice)
        copies += list(self._extra(company, right, kept, newest, dice))
        return copies

    @staticmethod
    def _keeper(roles: list[str], dice: Dice) -> str:
        if "crm" in roles and "portal" in roles:
            return "crm" if dice.chance(0.6) else "portal"
        return next(role for role in ("crm", "portal", "marketing", "iot", "ticketing") if role in roles)

    def _first(
        self, company: Company, role: str, right: dict[str, Any], kept: int | None, newest: int, dice: Dice
    ) -> Held:
        fields = held(role, STREAM[role], right)
        if role == "crm" and company.told and company.parent is not None and self.numbers.at("crm", company.parent):
            fields["parent"] = self.numbers.at("crm", company.parent)
        ago = kept if kept is not None else older(newest, dice)
        return Held(role, STREAM[role], self.numbers.first[role][company.index], fields, ago, keeper=kept is not None)

    def _extra(self, company: Company, right: dict[str, Any], kept: Held, newest: int, dice: Dice) -> Iterator[Held]:
        """Second records inside one system, and records that were deleted or merged away."""
        for role in ROLES:
            n = self.numbers.second[role].get(company.index)
            if n:
                x = Held(role, STREAM[role], n, held(role, STREAM[role], right), older(newest, dice), spare=True)
                self._err(company, x, kept, dice)
                cause = f"{company.key}@{role}"
                x.wrong.append(Wrong("", "duplicate", "second record", cause))
                yield x
            n = self.numbers.gone[role].get(company.index)
            if n:
                x = Held(role, STREAM[role], n, held(role, STREAM[role], right), older(newest, dice), deleted=True)
                x.merged_into = self.numbers.first[role][company.index] if n % 2 else None
                yield x

    def elsewhere(self, c: int, x: Held, holds: Iterable[str], dice: Dice) -> Held:
        """`x` filled with what a system outside these roles holds of company c, the usual mistakes included."""
        company = self.company(c)
        right, kept = self.right(company), next(copy for copy in self.plan(c) if copy.keeper)
        x.fields |= {name: right[name] for name in holds if right.get(name) is not None}
        x.updated_ago_s = older(kept.updated_ago_s, dice)
        self._err(company, x, kept, dice)
        return self.finish(c, x)

    # -- what is wrong ------------------------------------------------------------------------------------------

    def _err(self, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        f = x.fields
        for name, share in (("vat_id", 0.2), ("phone", 0.12), ("region", 0.3), ("industry", 0.2)):
            if dice.chance(share):
                f.pop(name, None)
        if x.stream != "organizations" and dice.chance(0.1):
            f.pop("domain", None)
        known = self._known_otherwise(x)
        if company.moved and "street" in f and "street" in kept.fields and dice.chance(0.45) and known:
            self._move(company, x, kept)
            return
        if company.old_name and known and "name" in kept.fields and dice.chance(0.5):
            x.trap = "renamed"
            x.put("name", company.old_name, "name before")
            x.updated_ago_s = kept.updated_ago_s + 60 * DAY + x.updated_ago_s // 2
            return
        u = dice.below(100)
        for _ in range(0 if u < 74 else 1 if u < 94 else 2):
            _ERRORS[dice.below(len(_ERRORS))](self, company, x, kept, dice)

    @staticmethod
    def _known_otherwise(x: Held) -> bool:
        """Whether it would be known without its name."""
        return x.right("vat_id") or x.right("domain") or x.right("email")

    def _move(self, company: Company, x: Held, kept: Held) -> None:
        """It still has the address before the move; its record was not touched since."""
        x.trap = "moved"
        x.updated_ago_s = kept.updated_ago_s + 60 * DAY + x.updated_ago_s // 2
        for name, old in company.old_address._asdict().items():
            if x.fields.get(name) not in (None, old):
                x.put(name, old, "address before the move")

    def _slip(self, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if (x.right("domain") and x.right("name")) or x.role == "iot":
            words, form = company.name.removesuffix(company.form[0]), company.form[0]
            x.put("name", slip(words.strip(), dice) + " " + form, "slip")

    def _spelling(self, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        """The same name, written otherwise: whether that is a difference is a matter of taste, so it is not scored."""
        if company.kind or not x.right("name"):
            return
        plain = latin(company.name, company.land.language)
        variants = [
            company.name.upper(),
            company.name.removesuffix(company.form[0]).strip(),
            company.name.replace(company.form[0], company.form[1]),
            plain if plain != company.name else company.name.lower(),
        ]
        x.put("name", dice.pick(variants), "spelling", "spelling_differs")

    def _old_phone(self, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if "phone" in x.fields and "phone" in kept.fields:
            x.put("phone", company.old_phone, "number before")
            x.updated_ago_s = kept.updated_ago_s + 30 * DAY + x.updated_ago_s // 2

    def _junk_phone(self, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if "phone" in x.fields:
            x.put("phone", dice.pick(JUNK_PHONES), "junk", "value_invalid")

    def _bad_vat(self, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if "vat_id" in x.fields and company.vat_id:
            bad = dice.pick(JUNK_VAT_IDS) if dice.chance(0.4) else _other_digit(company.vat_id)
            x.put("vat_id", bad, "junk" if len(bad) < 9 else "check digit", "value_invalid")

    def _old_domain(self, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.right("domain") and x.right("name") and "domain" in kept.fields and not company.kind:
            stem, _, tld = company.domain.partition(".")
            x.put("domain", f"{stem}.{'com' if tld != 'com' else 'net'}", "domain before")
            x.updated_ago_s = kept.updated_ago_s + 30 * DAY + x.updated_ago_s // 2

    def _other_group(self, company: Company, x: Held, kept: Held, dice: Dice) -> None:
        if x.role in ("marketing", "ticketing") and "customer_group" in kept.fields:
            x.put("customer_group", "standard" if company.group != "standard" else "dealer", "group before")
            x.updated_ago_s = kept.updated_ago_s + 30 * DAY + x.updated_ago_s // 2

    def finish(self, c: int, x: Held) -> Held:
        """Numbers and ids the way this record writes them, which is no error."""
        company, dice = (
            self.company(c),
            Dice(self.seed, _FINISH, c * 16 + place(ROLES, x.role) * 3 + x.spare + 2 * x.deleted),
        )
        f = x.fields
        phone = f.get("phone")
        if phone and phone[0] == "+":
            f["phone"] = dialled(phone, company.land.dial, dice, at_home="country" in f)
        if "vat_id" in f and x.right("vat_id"):
            f["vat_id"] = _as_written(f["vat_id"], dice)
        if "domain" in f and dice.chance(0.05):
            f["domain"] = "www." + f["domain"]
        return x


Error = Callable[[Companies, Company, Held, Held, Dice], None]
_ERRORS: tuple[Error, ...] = (
    Companies._slip, Companies._slip, Companies._spelling, Companies._spelling, Companies._spelling,
    Companies._spelling, Companies._old_phone, Companies._old_phone, Companies._junk_phone, Companies._bad_vat,
    Companies._old_domain, Companies._other_group,
)  # fmt: skip


def older(newest: int, dice: Dice) -> int:
    """When a copy was last changed, in seconds ago: nine in ten before the keeper was."""
    if dice.chance(0.1):
        return HOUR + dice.below(max(newest, DAY))
    return newest + dice.below(max(DAY, OLDEST - newest - 300 * DAY))


def _as_written(vat: str, dice: Dice) -> str:
    way = dice.below(100)
    if vat.startswith("CHE"):
        return f"CHE-{vat[3:6]}.{vat[6:9]}.{vat[9:]} MWST" if way < 50 else f"{vat}MWST" if way < 80 else vat
    return f"{vat[:2]} {vat[2:]}" if way < 15 else vat


def _other_digit(text: str) -> str:
    """One digit changed, so that the check digit no longer fits."""
    at = 5
    return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]

"""Mutate: people correct, move, marry, withdraw, mistype, tidy up and add in their systems; the truth follows.

What somebody enters in the CRM or the portal is news: it is right from then on, and every other record that still holds
the old value is wrong. What somebody mistypes in marketing, or in a guest of this world, is planted as an error.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import phonenumbers

from omnihub.model import Ref
from omnihub.sandbox.copies import HELD
from omnihub.sandbox.derived import Derived
from omnihub.sandbox.kit import Standin
from omnihub.sandbox.truth import Truth
from omnihub.sandbox.world.catalog import MISTAKES
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.lands import LANDS
from omnihub.sandbox.world.mistakes import slip
from omnihub.sandbox.world.people import TITLES

NEWS = ("crm", "portal")  # what is entered here is right
TRIES = 200  # a kind of edit that finds nobody to happen to is left out


def mutate(standins: Mapping[str, Standin], truth: Truth, changes: int, seed: int) -> list[dict[str, Any]]:
    """Make so many changes. Returns what was done to which record; the names of fields, never their values.

    standins: role → stand-in; roles that are missing are left alone. The same seed on the same state makes the same
    changes.
    """
    day = _Day(standins, truth, random.Random(f"mutate:{seed}"))
    for _ in range(changes * TRIES):
        if len(day.done) >= changes:
            break
        day.rng.choices([edit for edit, _ in _EDITS], [weight for _, weight in _EDITS])[0](day)
    return day.done[:changes]


@dataclass
class _Day:
    standins: Mapping[str, Standin]
    truth: Truth
    rng: random.Random
    done: list[dict[str, Any]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)  # things change once a day, so that the truth stays plain
    _refs: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)

    def role_of(self, ref: Ref) -> str:
        """The role of the system a ref is in."""
        return next((role for role, standin in self.standins.items() if standin.system == ref.system), "")

    def somebody(self, entity: str, roles: tuple[str, ...], *fields: str) -> tuple[Ref, str] | None:
        """A living record of one of these roles that holds these fields, and what it is about."""
        refs = self._of(entity)
        if not refs:
            return None
        text, key = self.rng.choice(refs)
        ref = Ref.parse(text)
        role = self.role_of(ref)
        if role not in roles or key in self.touched:
            return None
        if not set(fields) <= set(self.holds(role, ref.stream)) or not set(fields) <= set(
            self.truth.refs(key).get(text, ())
        ):
            return None
        obj = self.standins[role].state.get(ref.stream, ref.id)
        return (ref, key) if obj is not None and not obj.deleted else None

    def holds(self, role: str, stream: str) -> tuple[str, ...]:
        """The canonical fields of a stream."""
        standin = self.standins[role]
        return standin.guest.holds[stream] if isinstance(standin, Derived) else HELD.get((role, stream), ())

    @property
    def guests(self) -> tuple[str, ...]:
        """The roles of systems that are none of the world's own."""
        return tuple(role for role, standin in self.standins.items() if isinstance(standin, Derived))

    def _of(self, entity: str) -> list[tuple[str, str]]:
        if (entity, "") not in self._refs:
            self._refs[entity, ""] = list(self.truth.who(entity).items())
        return self._refs[entity, ""]

    def edit(self, ref: Ref, key: str, fields: Mapping[str, str]) -> None:
        """Somebody types it in."""
        self.standins[self.role_of(ref)].edit(ref.stream, ref.id, fields)
        self.note("edit", ref, key, list(fields))

    def note(self, what: str, ref: Ref, key: str, fields: list[str]) -> None:
        """Say what was done."""
        self.touched.add(key)
        self.done.append({"what": what, "system": ref.system, "stream": ref.stream, "ref": str(ref), "fields": fields})

    def news(self, ref: Ref, key: str, entity: str, fields: Mapping[str, str]) -> None:
        """What was typed in is right now; who still says otherwise is wrong."""
        self.edit(ref, key, fields)
        for name in fields:
            self.truth.clear(str(ref), name)
        others = {r: held for r, held in self.truth.refs(key).items() if r != str(ref)}
        for name, value in fields.items():
            if name not in self.truth.right(key):
                continue
            self.truth.correct(entity, key, name, value)
            for other, holds in others.items():
                if name in holds and not any(
                    e.field == name and e.kind == "value_invalid" for e in self.truth.errors_at(other)
                ):
                    self.truth.clear(other, name)
                    self.truth.plant("value_differs", other, name, "changed elsewhere")


# -- news ------------------------------------------------------------------------------


def _new_phone(day: _Day) -> None:
    entity = day.rng.choice(("contact", "contact", "account"))
    if found := day.somebody(entity, NEWS, "phone"):
        number = _another(day.truth.right(found[1])["phone"], day.rng)
        day.news(*found, entity, {"phone": number})


def _another(number: str, rng: random.Random) -> str:
    """A valid number that differs in its last three digits."""
    while True:
        other = f"{number[:-3]}{rng.randrange(1000):03d}"
        if other != number and phonenumbers.is_valid_number(phonenumbers.parse(other)):
            return other


def _promoted(day: _Day) -> None:
    if found := day.somebody("contact", NEWS, "job_title"):
        now = day.truth.right(found[1]).get("job_title")
        day.news(*found, "contact", {"job_title": day.rng.choice([t for t in TITLES if t != now])})


def _new_email(day: _Day) -> None:
    if found := day.somebody("contact", ("crm",), "email", "first_name"):
        local, _, domain = day.truth.right(found[1])["email"].partition("@")
        day.news(*found, "contact", {"email": f"{local}.{day.rng.randrange(10, 99)}@{domain}"})


def _married(day: _Day) -> None:
    if found := day.somebody("contact", NEWS, "first_name", "last_name"):
        right = day.truth.right(found[1])
        name = day.rng.choice(day.rng.choice(LANDS).surnames)
        # both names, because some systems keep them as one
        if right["last_name"] not in (name, right["first_name"]) and " Jr." not in right["last_name"]:
            day.news(*found, "contact", {"first_name": right["first_name"], "last_name": name})


def _moved(day: _Day) -> None:
    if found := day.somebody("account", NEWS, "street", "postal_code", "city", "country"):
        country = day.truth.right(found[1])["country"]
        land = next(x for x in LANDS if x.code == country)
        dice = Dice(day.rng.randrange(1 << 32), 1, 1)
        day.news(*found, "account", land.place(dice.pick(land.towns), dice)._asdict())


def _withdrawn(day: _Day) -> None:
    """The answer reaches the system it was given to only."""
    found = day.somebody("contact", NEWS, "marketing_consent")
    if not found or day.truth.right(found[1]).get("marketing_consent") != "yes":
        return
    ref, key = found
    standin = day.standins[day.role_of(ref)]
    at = standin.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    day.edit(ref, key, {"marketing_consent": "no", "consent_at": at})
    day.truth.correct("contact", key, "marketing_consent", "no")
    for other, holds in day.truth.refs(key).items():
        if other != str(ref) and "marketing_consent" in holds:
            day.truth.plant("consent_conflict", other, "marketing_consent", "withdrawn elsewhere")


def _repriced(day: _Day) -> None:
    """The master changes a price; the shop and marketing do not know yet."""
    found = day.somebody("price", ("master",))
    if not found:
        return
    ref, key = found
    refs = [(ref, Ref.parse(ref)) for ref in day.truth.refs(key)]
    shown = [ref for ref, at in refs if "price" in HELD.get((day.role_of(at), at.stream), ())]
    settled = {"sku_unknown", "sku_discontinued", "sku_unreleased", *MISTAKES} - {"price_differs"}  # stay what they are
    day.edit(ref, key, {"amount": f"{day.rng.randrange(400_000, 900_000)}.90"})
    for one in shown:
        if not any(e.kind in settled for e in day.truth.errors_at(one)):
            day.truth.clear(one, "price")
            day.truth.plant("price_differs", one, "price", "changed in the master")


# -- mistakes and tidying ------------------------------------------------------------------------------


def _mistyped(day: _Day) -> None:
    found = day.somebody("contact", ("marketing", *day.guests), "first_name", "last_name", "email")
    if not found or len(day.truth.refs(found[1])) < 2:
        return
    ref, key = found
    right = day.truth.right(key)
    wrong = slip(right["last_name"], Dice(day.rng.randrange(1 << 32), 1, 2))
    day.edit(ref, key, {"first_name": right["first_name"], "last_name": wrong})
    for name in ("first_name", "last_name"):
        day.truth.clear(str(ref), name)
    day.truth.plant("value_differs", str(ref), "last_name", "slip")


def _tidied(day: _Day) -> None:
    """Somebody deletes the second record of two: nothing links to it."""
    doubles = sorted({e.cause for e in day.truth.errors() if e.kind == "duplicate"})
    if not doubles:
        return
    cause = day.rng.choice(doubles)
    pair = [e.ref for e in day.truth.errors() if e.kind == "duplicate" and e.cause == cause]
    objects = []
    for text in pair:
        ref = Ref.parse(text)
        role = day.role_of(ref)
        obj = day.standins[role].state.get(ref.stream, ref.id) if role else None
        if obj is None or obj.deleted:
            return
        objects.append((obj.n, ref, obj))
    key = cause.rpartition("@")[0]
    if len(objects) < 2 or key in day.touched:
        return
    _, ref, second = max(objects, key=lambda found: found[0])
    second.deleted = True
    day.standins[day.role_of(ref)].state.save(second)
    day.truth.forget(str(ref))
    day.note("delete", ref, key, [])


def _joined(day: _Day) -> None:
    """Somebody who is known elsewhere writes to support for the first time."""
    found = day.somebody("contact", NEWS, "email", "first_name", "last_name")
    standin = day.standins.get("ticketing")
    if not found or standin is None:
        return
    key, right = found[1], day.truth.right(found[1])
    if any(Ref.parse(r).system == standin.system for r in day.truth.refs(key)):
        return
    held = {name: right[name] for name in HELD["ticketing", "users"] if name in right and name != "marketing_consent"}
    id_ = standin.native_id("users", standin.state.next_n("users"))
    standin.state.create("users", id_, standin.native("users", standin.linked("users", held)))
    ref = Ref(standin.system, "users", id_)
    day.truth.know(str(ref), "contact", key, held)
    day.note("create", ref, key, list(held))


_EDITS: tuple[tuple[Callable[[_Day], None], int], ...] = (
    (_new_phone, 6),
    (_promoted, 4),
    (_new_email, 2),
    (_married, 1),
    (_moved, 3),
    (_withdrawn, 2),
    (_repriced, 2),
    (_mistyped, 2),
    (_tidied, 1),
    (_joined, 2),
)

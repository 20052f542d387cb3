"""Severity: how much a finding matters, by rules about consent, money and the customers it touches.

the kind's own, or what the settings say of it
  ─▶ a permission held against a no     always high
  ─▶ much money at stake                high
  ─▶ many customers touched             one step up
  ─▶ next to no money, few customers    one step down
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec

from omnihub.model import FINDING_KINDS, Entity, Kind, Severity, fields_of

STEPS = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
CONSENTS = frozenset(f.name for entity in Entity for f in fields_of(entity).values() if f.kind is Kind.CONSENT)
MEASURES = ("customers", "at_stake")
"""What in a finding's detail says how much it matters, and not what is wrong: it moves with every order."""

MOST_CENTS = 10**18  # more than this is no money, and no store's whole number


@dataclass(frozen=True)
class Weights:
    """kinds: kind, or system.kind → what it begins with. high_money, low_money: in whole units of one currency. worth:
    what one of another currency is in that one; of a currency that is not named, as much."""

    kinds: Mapping[str, Severity] = field(default_factory=dict)
    high_money: Decimal = Decimal(1000)
    low_money: Decimal = Decimal(1)
    high_customers: int = 50
    worth: Mapping[str, Decimal] = field(default_factory=dict)

    def cents(self, at: Stake) -> Decimal:
        """What is at stake, in hundredths of the currency of the limits."""
        return at.cents * self.worth.get(at.currency, Decimal(1))


class Stake(NamedTuple):
    """What a finding is about in numbers. cents: hundredths of the currency; 0 where nobody knows."""

    cents: int = 0
    currency: str = ""
    customers: int = 0


NOTHING = Stake()


def stake(detail: Mapping[str, Any]) -> Stake:
    """What the comparison says is at stake. What is no number counts as not known.

    >>> stake({"at_stake": "-12.345", "currency": "EUR", "customers": 3})
    Stake(cents=1234, currency='EUR', customers=3)
    """
    cents = _cents(detail.get("at_stake"))
    return Stake(cents, str(detail.get("currency") or "") if cents else "", _whole(detail.get("customers")))


def _cents(told: Any) -> int:
    if told in (None, ""):
        return 0
    try:
        found = int((abs(Decimal(str(told))) * 100).to_integral_value(ROUND_HALF_EVEN))
    except (InvalidOperation, ValueError, OverflowError):
        return 0
    return found if found < MOST_CENTS else 0


def _whole(told: Any) -> int:
    try:
        return max(0, int(told or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def severity(kind: str, system: str, about: str, theirs: str | None, at: Stake, weights: Weights) -> Severity:
    """How much it matters. about: the field; theirs: what the system says of it."""
    if kind == "consent_conflict" or (about in CONSENTS and theirs == "yes"):
        return Severity.HIGH
    begin = weights.kinds.get(f"{system}.{kind}") or weights.kinds.get(kind) or FINDING_KINDS[kind].severity
    if at is NOTHING or at == NOTHING:
        return begin
    cents = weights.cents(at)
    if cents and cents >= weights.high_money * 100:
        return Severity.HIGH
    if at.customers >= weights.high_customers:
        return STEPS[min(STEPS.index(begin) + 1, len(STEPS) - 1)]
    if cents and cents < weights.low_money * 100:
        return STEPS[max(STEPS.index(begin) - 1, 0)]
    return begin


def worse(now: str, before: str) -> bool:
    """Whether the one matters more than the other."""
    return STEPS.index(Severity(now)) > STEPS.index(Severity(before))


# -- what it is -------------------------------------------------------------------------------------------------------


def evidence(theirs: str | None, expected: str | None, detail: Mapping[str, Any]) -> str:
    """The same as long as the same is wrong in the same way, however many it touches by now."""
    rest = {name: value for name, value in detail.items() if name not in MEASURES}
    return _hash([theirs, expected, rest])


def group_of(system: str, kind: str, entity: str, about: str, cause: str) -> str:
    """One for all that have one cause in a system; without a cause, for all of a kind about one field there."""
    return _hash([system, cause] if cause else [system, kind, entity, about])


def _hash(told: Any) -> str:
    return hashlib.blake2b(_encode(told), digest_size=10).hexdigest()


_encode = msgspec.json.Encoder(order="sorted").encode

"""What there is to say about matching one entity: the shape that `contacts`, `accounts` and `products` fill in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from omnihub import fields
from omnihub.match.model import Comparison, Thresholds
from omnihub.model import Kind


class Derived(NamedTuple):
    """A feature: made of the canonical field `source` by `make`, once per distinct value.

    `source` may name a further value of a field, as `phone#2`.
    """

    name: str
    source: str
    make: Callable[[str], str | None]


@dataclass(frozen=True)
class Spec:
    """How records of one entity are compared. All SQL is DuckDB's, over the tables named.

    derived       columns of the table `derived` (ref, system and these)
    features      a SELECT over `derived` (for contacts also `accounts` and `company_keys`): one row a record
    keys          blocking keys, expressions over `features`; one with a NULL part is none. They begin with a letter
                  that says what they are made of; those in `r:` find records, not pairs
    identifiers   the letters of keys that are identifiers: their worth is lost when many share them
    holders       a SELECT of (value, holder) over `features`: those identifiers, and whose they are
    ready         a SELECT over `features` and `shared` (value): what the comparisons see
    comparisons   name → levels, over the columns of `ready` with _l and _r for the two records
    frequencies   the columns of `ready` whose values' frequencies count
    limits        the two thresholds, in bits
    training      SQL over the records l and r: ways of finding pairs to train on, each on other columns
    words         the list columns of `features` whose words count by how rare they are; `ready` finds the share of the
                  records that say each word in the table `rarity_<column>` (value, share), empty where nobody knows
    assigned      the two thresholds where no system holds doubles: the best of all partners is likelier the right one
    population    name → a SELECT of (value, share) over `features`: what the records tell of those they are about, as a
                  whole; counted with the frequencies, and found by `ready` in the table `population_<name>`, empty
                  where nobody knows
    """

    derived: tuple[Derived, ...]
    features: str
    keys: tuple[str, ...]
    identifiers: tuple[str, ...]
    holders: str
    ready: str
    comparisons: Mapping[str, Comparison]
    frequencies: tuple[str, ...]
    limits: Thresholds
    training: tuple[str, ...]
    words: tuple[str, ...] = ()
    assigned: Thresholds | None = None
    population: Mapping[str, str] = field(default_factory=dict)


def key_of(kind: Kind) -> Callable[[str], str | None]:
    """The comparison key of a value of this kind; None where nothing is left of it."""
    return lambda value: fields.key(kind, value) or None


def as_is(value: str) -> str | None:
    """The value itself."""
    return value


def strong_domain(value: str) -> str | None:
    """A domain that says who somebody is."""
    return None if fields.weak(Kind.DOMAIN, value) else fields.key(Kind.DOMAIN, value)


def email_domain(value: str) -> str | None:
    """A company's address tells its domain, whoever reads the mail there."""
    return strong_domain(value.rpartition("@")[2])

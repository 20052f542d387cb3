"""How much each comparison says, in bits (log2 of the Bayes factor), and where the two thresholds lie.

A row is (what is compared, the condition in SQL over `a` and `b`, its weight); the first condition that holds counts.
The weights are set by hand from how often such things agree among the same and among different customers; a later
model may replace the numbers, not the shape.
"""

from __future__ import annotations

from dataclasses import dataclass

from omnihub.model import Entity

SHARED = 4  # so many different surnames behind one phone make it a switchboard


@dataclass(frozen=True)
class Thresholds:
    """In bits: `same` and more is the same; less than `unsure` is different; between, a person decides."""

    same: float
    unsure: float


THRESHOLDS: dict[Entity, Thresholds] = {
    Entity.CONTACT: Thresholds(same=11.0, unsure=6.0),
    Entity.ACCOUNT: Thresholds(same=9.0, unsure=5.0),
    Entity.PRODUCT: Thresholds(same=9.0, unsure=5.0),
}

Levels = tuple[tuple[str, float], ...]

CONTACT: dict[str, Levels] = {
    "email": (
        ("a.email = b.email AND NOT a.is_weak", 14),
        ("a.email = b.email", 4),
        ("(a.is_weak OR b.is_weak) AND a.email_domain = b.email_domain", 2),
        ("a.email IS NULL OR b.email IS NULL OR a.is_weak OR b.is_weak", 0),
        ("a.email_domain = b.email_domain", -3),
        ("true", -1),
    ),
    "phone": (
        ("list_has_any(a.own_phones, b.own_phones)", 8),
        ("list_has_any(a.phones, b.phones)", 1.5),
        ("true", 0),
    ),
    "name": (
        ("a.last IS NULL OR b.last IS NULL OR a.first IS NULL OR b.first IS NULL", 0),
        ("a.first = b.first AND a.last = b.last", 10),
        ("a.first = b.last AND a.last = b.first", 9.5),
        ("a.given = b.given AND a.last = b.last", 9.5),
        ("a.given = b.last_given AND a.last = b.first", 9),
        ("a.last = b.last AND (length(a.first) = 1 OR length(b.first) = 1) AND a.first[1] = b.first[1]", 7),
        ("a.last = b.last AND jaro_winkler_similarity(a.given, b.given) >= 0.88", 8.5),
        (
            """a.last = b.last AND least(length(a.first), length(b.first)) >= 3
               AND (starts_with(a.first, b.first) OR starts_with(b.first, a.first))""",
            8.5,
        ),
        ("a.given = b.given AND jaro_winkler_similarity(a.last, b.last) >= 0.9", 8.5),
        ("jaro_winkler_similarity(a.given, b.given) >= 0.88 AND jaro_winkler_similarity(a.last, b.last) >= 0.9", 6),
        ("jaro_winkler_similarity(a.first, b.last) >= 0.88 AND jaro_winkler_similarity(a.last, b.first) >= 0.88", 6),
        ("damerau_levenshtein(a.first || a.last, b.first || b.last) <= 2", 6),
        (  # spelled in two alphabets, one put into the other's letters: they sound alike, or they don't
            """a.script <> b.script AND jaro_winkler_similarity(a.first, b.first) >= 0.6
               AND jaro_winkler_similarity(a.last, b.last) >= 0.6""",
            3,
        ),
        ("a.script <> b.script", -5),
        ("a.given = b.given", -1),
        ("a.last = b.last", -6),
        ("true", -11),
    ),
    "generation": (
        ("a.generation = b.generation", 2),
        ("a.generation IS NULL AND b.generation IS NULL", 0),
        ("a.email <> b.email AND NOT a.is_weak AND NOT b.is_weak", -14),
        ("true", -5),
    ),
    "company": (
        ("a.account = b.account", 4),
        ("a.company = b.company", 4),
        ("a.company IS NULL OR b.company IS NULL", 0),
        ("jaro_winkler_similarity(a.company, b.company) >= 0.93", 2.5),
        ("true", -2),
    ),
    "place": (
        ("a.city = b.city", 0.5),
        ("a.country <> b.country", -1),
        ("a.city <> b.city", -1),
        ("true", 0),
    ),
}

ACCOUNT: dict[str, Levels] = {
    "vat_id": (
        ("a.vat_id = b.vat_id", 10),
        ("a.vat_id <> b.vat_id", -12),
        ("true", 0),
    ),
    "name": (
        ("a.name IS NULL OR b.name IS NULL", 0),
        ("a.name = b.name", 7),
        ("replace(a.name, ' ', '') = replace(b.name, ' ', '')", 7),
        ("jaro_winkler_similarity(a.name, b.name) >= 0.94", 5),
        ("damerau_levenshtein(a.name, b.name) <= 2 AND length(a.name) > 6", 4.5),
        ("starts_with(a.name, b.name || ' ') OR starts_with(b.name, a.name || ' ')", 3),
        ("jaro_winkler_similarity(a.name, b.name) >= 0.88", 1),
        ("true", -5),
    ),
    "domain": (
        ("a.domain = b.domain", 5),
        ("split_part(a.domain, '.', 1) = split_part(b.domain, '.', 1) AND length(split_part(a.domain, '.', 1)) > 6", 2),
        ("a.domain <> b.domain", -2),
        ("true", 0),
    ),
    "phone": (
        ("list_has_any(a.phones, b.phones)", 4),
        ("true", 0),
    ),
    "place": (
        ("a.street = b.street AND a.postal = b.postal", 4),
        ("a.postal = b.postal AND a.country IS NOT DISTINCT FROM b.country", 2.5),
        ("a.city = b.city", 2),
        ("a.country <> b.country", -6),
        ("a.city <> b.city AND list_has_any(a.phones, b.phones)", -3),
        ("a.city <> b.city AND a.vat_id = b.vat_id", -5),
        ("a.city <> b.city", -12),  # a branch, unless something else says that they moved
        ("true", 0),
    ),
    "branch": (
        (
            "(a.parent IS NULL) <> (b.parent IS NULL) AND (a.city IS NULL OR b.city IS NULL)",
            -0.5,
        ),  # rather the head office
        ("true", 0),
    ),
    "customer_group": (
        ("a.customer_group = b.customer_group", 1),
        ("a.customer_group <> b.customer_group", -3),
        ("true", 0),
    ),
}

PRODUCT: dict[str, Levels] = {
    "sku": (("a.sku = b.sku", 14), ("a.sku <> b.sku", -14), ("true", 0)),
    "gtin": (("a.gtin = b.gtin", 12), ("a.gtin <> b.gtin", -3), ("true", 0)),
}

COMPARISONS: dict[Entity, dict[str, Levels]] = {
    Entity.CONTACT: CONTACT,
    Entity.ACCOUNT: ACCOUNT,
    Entity.PRODUCT: PRODUCT,
}

FORBIDDEN: dict[Entity, str] = {
    Entity.CONTACT: "a.generation <> b.generation",
    Entity.ACCOUNT: "a.vat_id <> b.vat_id OR a.parent = b.ref OR b.parent = a.ref",
    Entity.PRODUCT: "a.sku <> b.sku",
}
"""What can never be one, whatever else agrees."""

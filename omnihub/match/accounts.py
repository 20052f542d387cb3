"""What is compared of two accounts."""

from __future__ import annotations

from omnihub.match.model import ELSE, OTHERWISE, Comparison, Thresholds, bits, never, silent
from omnihub.match.spec import Derived, Spec, as_is, email_domain, key_of, strong_domain
from omnihub.model import Kind

DERIVED = (
    Derived("name", "name", key_of(Kind.COMPANY)),
    Derived("vat_id", "vat_id", key_of(Kind.VAT)),
    Derived("own_domain", "domain", strong_domain),
    Derived("email_domain", "email", email_domain),
    Derived("phone1", "phone", key_of(Kind.PHONE)),
    Derived("street", "street", key_of(Kind.ADDRESS)),
    Derived("postal", "postal_code", key_of(Kind.POSTAL)),
    Derived("city", "city", key_of(Kind.CITY)),
    Derived("country", "country", key_of(Kind.COUNTRY)),
    Derived("customer_group", "customer_group", key_of(Kind.CODE)),
    Derived("parent", "parent", as_is),
)

FEATURES = """
    SELECT d.*, coalesce(d.own_domain, d.email_domain) AS domain,
           list_filter([d.phone1], lambda p: p IS NOT NULL) AS phones
    FROM derived AS d"""

KEYS = (
    "'v:' || vat_id",
    "'d:' || domain",
    "'n:' || replace(name, ' ', '')",
    "'h:' || left(replace(name, ' ', ''), 5) || '|' || postal",
    "'h:' || left(replace(name, ' ', ''), 5) || '|' || city",
    "'w:' || split_part(name, ' ', 1) || '|' || split_part(name, ' ', 2) || '|' || country",
    "'p:' || phone1",
    "'s:' || postal || '|' || street",
)

HOLDERS = "SELECT 'p:' || unnest(phones) AS value, name AS holder FROM features"

READY = "SELECT f.* FROM features AS f"

COMPARISONS: dict[str, Comparison] = {
    "vat_id": (
        bits("vat_id_l = vat_id_r", 10),
        never("vat_id_l <> vat_id_r"),
        OTHERWISE,
    ),
    "parent": (
        never("parent_l = ref_r OR parent_r = ref_l"),
        OTHERWISE,
    ),
    "name": (
        silent("name_l IS NULL OR name_r IS NULL"),
        bits("name_l = name_r", 7),
        bits("replace(name_l, ' ', '') = replace(name_r, ' ', '')", 7),
        bits("jaro_winkler_similarity(name_l, name_r) >= 0.94", 5),
        bits("damerau_levenshtein(name_l, name_r) <= 2 AND length(name_l) > 6", 4.5),
        bits("starts_with(name_l, name_r || ' ') OR starts_with(name_r, name_l || ' ')", 3),
        bits("jaro_winkler_similarity(name_l, name_r) >= 0.88", 1),
        bits(ELSE, -5),
    ),
    "domain": (
        bits("domain_l = domain_r", 5),
        bits(
            """split_part(domain_l, '.', 1) = split_part(domain_r, '.', 1)
               AND length(split_part(domain_l, '.', 1)) > 6""",
            2,
        ),
        bits("domain_l <> domain_r", -2),
        OTHERWISE,
    ),
    "phone": (
        bits("list_has_any(phones_l, phones_r)", 4),
        OTHERWISE,
    ),
    "place": (
        bits("street_l = street_r AND postal_l = postal_r", 4),
        bits("postal_l = postal_r AND country_l IS NOT DISTINCT FROM country_r", 2.5),
        bits("city_l = city_r", 2),
        bits("country_l <> country_r", -6),
        bits("city_l <> city_r AND list_has_any(phones_l, phones_r)", -3),
        bits("city_l <> city_r AND vat_id_l = vat_id_r", -5),
        bits("city_l <> city_r", -12),  # a branch, unless something else says that they moved
        OTHERWISE,
    ),
    "branch": (  # rather the head office
        bits("(parent_l IS NULL) <> (parent_r IS NULL) AND (city_l IS NULL OR city_r IS NULL)", -0.5),
        OTHERWISE,
    ),
    "customer_group": (
        bits("customer_group_l = customer_group_r", 1),
        bits("customer_group_l <> customer_group_r", -3),
        OTHERWISE,
    ),
}

SPEC = Spec(
    DERIVED,
    FEATURES,
    KEYS,
    ("p:",),
    HOLDERS,
    READY,
    COMPARISONS,
    (),
    Thresholds(same=9.0, unsure=5.0),
    ("l.name = r.name", "l.domain = r.domain", "l.street = r.street"),
)

"""What is compared of two contacts."""

from __future__ import annotations

import unicodedata

from omnihub import fields
from omnihub.match.model import ELSE, OTHERWISE, Comparison, Thresholds, bits, never, silent
from omnihub.match.spec import Derived, Spec, as_is, key_of
from omnihub.model import Kind


def _script(value: str) -> str | None:
    return "latin" if unicodedata.normalize("NFKD", value)[:1].isascii() else "other"


DERIVED = (
    Derived("first", "first_name", key_of(Kind.NAME)),
    Derived("given", "first_name", fields.given),
    Derived("last", "last_name", key_of(Kind.NAME)),
    Derived("last_given", "last_name", fields.given),
    Derived("script", "last_name", _script),
    Derived("generation", "last_name", fields.generation),
    Derived("email", "email", key_of(Kind.EMAIL)),
    Derived("email_weak", "email", lambda v: fields.weak(Kind.EMAIL, v)),
    Derived("phone1", "phone", key_of(Kind.PHONE)),
    Derived("phone2", "mobile", key_of(Kind.PHONE)),
    Derived("company_text", "company", key_of(Kind.COMPANY)),
    Derived("city", "city", key_of(Kind.CITY)),
    Derived("country", "country", key_of(Kind.COUNTRY)),
    Derived("account_ref", "account", as_is),
)

FEATURES = """
    SELECT d.*, d.email_weak IS NOT NULL AS is_weak, split_part(d.email, '@', 1) AS email_user,
           split_part(d.email, '@', 2) AS email_domain,
           list_distinct(list_filter([d.phone1, d.phone2], lambda p: p IS NOT NULL)) AS phones,
           accounts.golden_id AS account, coalesce(company_keys.value, d.company_text) AS company
    FROM derived AS d
    LEFT JOIN accounts ON accounts.ref = d.account_ref
    LEFT JOIN company_keys ON company_keys.text = accounts.name"""

KEYS = (
    "'e:' || CASE WHEN NOT is_weak THEN email END",
    "'E:' || CASE WHEN is_weak THEN email || '|' || last END",
    "'u:' || email_user || '|' || left(coalesce(last, company), 3)",
    "'p:' || phone1",
    "'p:' || phone2",
    "'n:' || least(given, last_given, first, last) || '|' || greatest(given, last_given, first, last)",
    "'n:' || least(given, last) || '|' || greatest(given, last)",
    "'n:' || least(first, last) || '|' || greatest(first, last)",
    "'c:' || company || '|' || left(last, 4)",
    "'c:' || company || '|' || left(given, 4)",
    "'a:' || account || '|' || left(last, 3)",
    "'a:' || account || '|' || left(given, 3)",
    "'r:' || account_ref",
)

HOLDERS = "SELECT 'p:' || unnest(phones) AS value, last AS holder FROM features"

READY = """
    SELECT f.*, coalesce(own.phones, []) AS own_phones
    FROM features AS f
    LEFT JOIN (SELECT ref, list(phone ORDER BY phone) AS phones
               FROM (SELECT ref, unnest(phones) AS phone FROM features)
               WHERE 'p:' || phone NOT IN (SELECT value FROM shared) GROUP BY ref) AS own USING (ref)"""

COMPARISONS: dict[str, Comparison] = {
    "email": (
        bits("email_l = email_r AND NOT is_weak_l", 14),
        bits("email_l = email_r", 4),
        bits("(is_weak_l OR is_weak_r) AND email_domain_l = email_domain_r", 2),
        silent("email_l IS NULL OR email_r IS NULL OR is_weak_l OR is_weak_r"),
        bits("email_domain_l = email_domain_r", -3),
        bits(ELSE, -1),
    ),
    "phone": (
        bits("list_has_any(own_phones_l, own_phones_r)", 8),
        bits("list_has_any(phones_l, phones_r)", 1.5),
        OTHERWISE,
    ),
    "name": (
        silent("last_l IS NULL OR last_r IS NULL OR first_l IS NULL OR first_r IS NULL"),
        bits("first_l = first_r AND last_l = last_r", 10),
        bits("first_l = last_r AND last_l = first_r", 9.5),
        bits("given_l = given_r AND last_l = last_r", 9.5),
        bits("given_l = last_given_r AND last_l = first_r", 9),
        bits(
            "last_l = last_r AND (length(first_l) = 1 OR length(first_r) = 1) AND left(first_l, 1) = left(first_r, 1)",
            7,
        ),
        bits("last_l = last_r AND jaro_winkler_similarity(given_l, given_r) >= 0.88", 8.5),
        bits(
            """last_l = last_r AND least(length(first_l), length(first_r)) >= 3
               AND (starts_with(first_l, first_r) OR starts_with(first_r, first_l))""",
            8.5,
        ),
        bits("given_l = given_r AND jaro_winkler_similarity(last_l, last_r) >= 0.9", 8.5),
        bits("jaro_winkler_similarity(given_l, given_r) >= 0.88 AND jaro_winkler_similarity(last_l, last_r) >= 0.9", 6),
        bits(
            "jaro_winkler_similarity(first_l, last_r) >= 0.88 AND jaro_winkler_similarity(last_l, first_r) >= 0.88", 6
        ),
        bits("damerau_levenshtein(first_l || last_l, first_r || last_r) <= 2", 6),
        bits(  # spelled in two alphabets, one put into the other's letters: they sound alike, or they don't
            """script_l <> script_r AND jaro_winkler_similarity(first_l, first_r) >= 0.6
               AND jaro_winkler_similarity(last_l, last_r) >= 0.6""",
            3,
        ),
        bits("script_l <> script_r", -5),
        bits("given_l = given_r", -1),
        bits("last_l = last_r", -6),
        bits(ELSE, -11),
    ),
    "generation": (
        bits("generation_l = generation_r", 2),
        silent("generation_l IS NULL AND generation_r IS NULL"),
        never("generation_l <> generation_r"),
        bits("email_l <> email_r AND NOT is_weak_l AND NOT is_weak_r", -14),
        bits(ELSE, -5),
    ),
    "company": (
        bits("account_l = account_r", 4),
        bits("company_l = company_r", 4),
        silent("company_l IS NULL OR company_r IS NULL"),
        bits("jaro_winkler_similarity(company_l, company_r) >= 0.93", 2.5),
        bits(ELSE, -2),
    ),
    "place": (
        bits("city_l = city_r", 0.5),
        bits("country_l <> country_r", -1),
        bits("city_l <> city_r", -1),
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
    Thresholds(same=11.0, unsure=6.0),
    ("l.email = r.email", "l.last = r.last AND l.given = r.given", "l.phone1 = r.phone1"),
)

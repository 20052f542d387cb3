"""What is compared of two contacts.

Records of a CRM mostly have names and ways to reach somebody; registers have birth dates and addresses instead. Each
says something when both sides have it, and nothing otherwise. What a family shares (surname, address, telephone, of
twins the birth date too) does not make two people of clearly different first names one.
"""

from __future__ import annotations

import unicodedata

from omnihub import fields
from omnihub.fields import addresses, emails, names
from omnihub.match.model import ELSE, OTHERWISE, Comparison, Thresholds, bits, never, silent
from omnihub.match.spec import Derived, Spec, as_is, key_of
from omnihub.model import Kind


def _script(value: str) -> str | None:
    return "latin" if unicodedata.normalize("NFKD", value)[:1].isascii() else "other"


def _strong_date(value: str) -> str | None:
    return None if fields.weak(Kind.DATE, value) else value


def _strong_street(value: str) -> str | None:
    return None if fields.weak(Kind.ADDRESS, value) else fields.key(Kind.ADDRESS, value) or None


DERIVED = (
    Derived("first", "first_name", key_of(Kind.NAME)),
    Derived("given", "first_name", fields.given),
    Derived("first_sound", "first_name", names.sounds),
    Derived("last", "last_name", key_of(Kind.NAME)),
    Derived("last_given", "last_name", fields.given),
    Derived("last_sound", "last_name", names.sounds),
    Derived("script", "last_name", _script),
    Derived("generation", "last_name", fields.generation),
    Derived("born", "birth_date", _strong_date),
    Derived("birth_place", "birth_place", key_of(Kind.CITY)),
    Derived("gender", "gender", key_of(Kind.CODE)),
    Derived("id_number", "id_number", key_of(Kind.CODE)),
    Derived("email", "email", key_of(Kind.EMAIL)),
    Derived("email_weak", "email", lambda v: fields.weak(Kind.EMAIL, v)),
    Derived("login", "email", emails.login),
    Derived("phone1", "phone", key_of(Kind.PHONE)),
    Derived("phone2", "mobile", key_of(Kind.PHONE)),
    Derived("phone3", "phone#2", key_of(Kind.PHONE)),
    Derived("company_text", "company", key_of(Kind.COMPANY)),
    Derived("job", "job_title", key_of(Kind.TEXT)),
    Derived("street", "street", _strong_street),
    Derived("house", "street", addresses.house_number),
    Derived("road", "street", addresses.street_name),
    Derived("postal", "postal_code", key_of(Kind.POSTAL)),
    Derived("city", "city", key_of(Kind.CITY)),
    Derived("country", "country", key_of(Kind.COUNTRY)),
    Derived("account_ref", "account", as_is),
)

FEATURES = """
    SELECT d.*, d.email_weak IS NOT NULL AS is_weak,
           split_part(d.email, '@', 2) AS email_domain,
           list_distinct(list_filter([d.phone1, d.phone2, d.phone3], lambda p: p IS NOT NULL)) AS phones,
           accounts.golden_id AS account, coalesce(company_keys.value, d.company_text) AS company,
           left(d.born, 4) AS born_year, substr(d.born, 6, 2) AS born_month, substr(d.born, 9, 2) AS born_day
    FROM derived AS d
    LEFT JOIN accounts ON accounts.ref = d.account_ref
    LEFT JOIN company_keys ON company_keys.text = accounts.name"""

KEYS = (
    "'e:' || CASE WHEN NOT is_weak THEN email END",
    "'E:' || CASE WHEN is_weak THEN email || '|' || last END",
    "'u:' || login || '|' || left(coalesce(last, company), 3)",
    "'p:' || phone1",
    "'p:' || phone2",
    "'p:' || phone3",
    "'n:' || least(given, last_given, first, last) || '|' || greatest(given, last_given, first, last)",
    "'n:' || least(given, last) || '|' || greatest(given, last)",
    "'n:' || least(first, last) || '|' || greatest(first, last)",
    "'c:' || company || '|' || left(last, 4)",
    "'c:' || company || '|' || left(given, 4)",
    "'a:' || account || '|' || left(last, 3)",
    "'a:' || account || '|' || left(given, 3)",
    "'i:' || id_number",
    "'b:' || born || '|' || left(given, 1)",
    "'b:' || born || '|' || left(last, 1)",
    "'y:' || born_year || '|' || least(first_sound, last_sound) || '|' || greatest(first_sound, last_sound)",
    "'z:' || postal || '|' || last_sound",
    "'z:' || postal || '|' || first_sound",
    "'s:' || street || '|' || coalesce(postal, city)",
    "'r:' || account_ref",
)

HOLDERS = "SELECT 'p:' || unnest(phones) AS value, last AS holder FROM features"

READY = """
    SELECT f.*, coalesce(own.phones, []) AS own_phones
    FROM features AS f
    LEFT JOIN (SELECT ref, list(phone ORDER BY phone) AS phones
               FROM (SELECT ref, unnest(phones) AS phone FROM features)
               WHERE 'p:' || phone NOT IN (SELECT value FROM shared) GROUP BY ref) AS own USING (ref)"""

# Two first names that are not ways to write one: no typo, nickname, initial, sound, or the other's surname.
_OTHER_FIRST = """given_l <> given_r AND first_l <> last_r AND last_l <> first_r
    AND left(first_l, length(first_r)) <> left(first_r, length(first_l))
    AND jaro_winkler_similarity(first_l, first_r) < 0.8 AND jaro_winkler_similarity(given_l, given_r) < 0.8"""

COMPARISONS: dict[str, Comparison] = {
    "email": (
        bits("email_l = email_r AND NOT is_weak_l", 14),
        bits("email_l = email_r", 4),
        bits("(is_weak_l OR is_weak_r) AND email_domain_l = email_domain_r", 2),
        silent("email_l IS NULL OR email_r IS NULL OR is_weak_l OR is_weak_r"),
        bits("length(email_l) >= 10 AND damerau_levenshtein(email_l, email_r) <= 2", 8),
        bits("length(login_l) >= 6 AND login_l = login_r", 5),
        bits("email_domain_l = email_domain_r", -3),
        bits(ELSE, -1),
    ),
    "phone": (
        bits("list_has_any(own_phones_l, own_phones_r)", 8),
        bits("list_has_any(phones_l, phones_r)", 1.5),
        OTHERWISE,
    ),
    "id_number": (
        silent("id_number_l IS NULL OR id_number_r IS NULL"),
        bits("id_number_l = id_number_r", 18),
        bits("length(id_number_l) >= 6 AND damerau_levenshtein(id_number_l, id_number_r) <= 1", 8),
        bits("length(id_number_l) >= 6 AND damerau_levenshtein(id_number_l, id_number_r) <= 2", 3),
        bits(ELSE, -7),
    ),
    "birth_date": (
        silent("born_l IS NULL OR born_r IS NULL"),
        bits("born_l = born_r", 11),
        bits("born_year_l = born_year_r AND born_month_l = born_day_r AND born_day_l = born_month_r", 7),
        bits("damerau_levenshtein(born_l, born_r) <= 1", 5),
        bits("born_month_l = born_month_r AND born_day_l = born_day_r", 2),
        bits("damerau_levenshtein(born_l, born_r) <= 2", 1),
        bits("born_year_l = born_year_r", -5),
        bits(ELSE, -11),
    ),
    "name": (
        silent("coalesce(last_l, first_l) IS NULL OR coalesce(last_r, first_r) IS NULL"),
        bits("first_l = first_r AND last_l = last_r", 10),
        bits("first_l = last_r AND last_l = first_r", 9.5),
        bits("given_l = given_r AND last_l = last_r", 9.5),
        bits("given_l = last_given_r AND last_l = first_r", 9),
        bits("last_l = last_r AND least(length(first_l), length(first_r)) = 1 AND first_l[1] = first_r[1]", 7),
        bits("last_l = last_r AND jaro_winkler_similarity(given_l, given_r) >= 0.88", 8.5),
        bits(
            """last_l = last_r AND least(length(first_l), length(first_r)) >= 3
               AND (starts_with(first_l, first_r) OR starts_with(first_r, first_l))""",
            8.5,
        ),
        bits("given_l = given_r AND jaro_winkler_similarity(last_l, last_r) >= 0.9", 8.5),
        bits("jaro_winkler_similarity(given_l, given_r) >= 0.88 AND jaro_winkler_similarity(last_l, last_r) >= 0.9", 6),
        bits("least(jaro_winkler_similarity(first_l, last_r), jaro_winkler_similarity(last_l, first_r)) >= 0.88", 6),
        bits("damerau_levenshtein(first_l || last_l, first_r || last_r) <= 2", 6),
        bits(  # spelled in two alphabets, one put into the other's letters: they sound alike, or they don't
            """script_l <> script_r AND jaro_winkler_similarity(first_l, first_r) >= 0.6
               AND jaro_winkler_similarity(last_l, last_r) >= 0.6""",
            3,
        ),
        bits("script_l <> script_r", -5),
        bits("(first_l IS NULL OR first_r IS NULL) AND last_l = last_r", 4),
        bits("(last_l IS NULL OR last_r IS NULL) AND given_l = given_r", 3),
        bits("(first_l IS NULL OR first_r IS NULL) AND jaro_winkler_similarity(last_l, last_r) >= 0.88", 2),
        bits("(last_l IS NULL OR last_r IS NULL) AND jaro_winkler_similarity(first_l, first_r) >= 0.85", 1),
        bits("first_l IS NULL AND last_r IS NULL OR last_l IS NULL AND first_r IS NULL", 0),
        bits("first_l IS NULL OR first_r IS NULL OR last_l IS NULL OR last_r IS NULL", -6),
        bits("jaro_winkler_similarity(given_l, given_r) >= 0.8 AND jaro_winkler_similarity(last_l, last_r) >= 0.8", 3),
        bits("given_l = given_r", -1),
        bits("jaro_winkler_similarity(given_l, given_r) >= 0.88", -2),
        bits("last_l = last_r", -6),
        bits(ELSE, -11),
    ),
    "family": (  # what they share they share as a family
        bits(
            f"""(last_l = last_r OR street_l = street_r OR born_l = born_r) AND {_OTHER_FIRST}
                AND id_number_l IS DISTINCT FROM id_number_r
                AND (born_l = born_r OR street_l = street_r OR list_has_any(phones_l, phones_r))""",
            -10,
        ),
        OTHERWISE,
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
        bits("street_l = street_r AND (postal_l = postal_r OR city_l = city_r)", 6),
        bits("house_l = house_r AND postal_l = postal_r AND jaro_winkler_similarity(road_l, road_r) >= 0.85", 5.5),
        bits("house_l = house_r AND jaro_winkler_similarity(road_l, road_r) >= 0.9", 5),
        bits("postal_l = postal_r AND city_l = city_r", 2),
        bits("postal_l = postal_r", 1.5),
        bits("city_l = city_r", 0.5),
        bits("country_l <> country_r", -1),
        bits("postal_l <> postal_r AND city_l <> city_r", -1.5),
        bits("city_l <> city_r", -1),
        OTHERWISE,
    ),
    "birth_place": (
        bits("birth_place_l = birth_place_r", 2.5, tf="birth_place", u=0.02),
        silent("birth_place_l IS NULL OR birth_place_r IS NULL"),
        bits("jaro_winkler_similarity(birth_place_l, birth_place_r) >= 0.88", 2),
        bits(ELSE, -2),
    ),
    "gender": (
        silent("gender_l IS NULL OR gender_r IS NULL"),
        bits("gender_l = gender_r", 0.5),
        bits(ELSE, -3),
    ),
    "job": (
        bits("job_l = job_r", 1),
        OTHERWISE,
    ),
    "common_first": (bits("given_l = given_r", 0, tf="given", u=0.004, tf_weight=0.5), OTHERWISE),
    "common_last": (bits("last_l = last_r", 0, tf="last", u=0.002, tf_weight=0.5), OTHERWISE),
}

SPEC = Spec(
    DERIVED,
    FEATURES,
    KEYS,
    ("p:",),
    HOLDERS,
    READY,
    COMPARISONS,
    ("given", "last", "birth_place"),
    Thresholds(same=11.0, unsure=6.0),
    ("l.email = r.email", "l.last = r.last AND l.given = r.given", "l.phone1 = r.phone1", "l.born = r.born"),
)

"""What is compared of two contacts.

Records of a CRM mostly have names and ways to reach somebody; registers have birth dates and addresses instead. Each
says something when both sides have it, and nothing otherwise. What comes from one cause counts once: a family shares
surname, address, telephone and mailbox, twins the birth date too, father and son even the whole name; a mailbox is
mostly named after its owner. So the likeness of a family does not make two people of clearly different first names or
generations one, and the likeness of a login to a name is not counted again.

The bits are set by hand, about two thirds of log2(m/u) as measured on made-up and published sets: what the comparisons
share without our knowing is the other third.
"""

from __future__ import annotations

import unicodedata

from omnihub import fields
from omnihub.fields import addresses, domains, emails, names, nicknames, times
from omnihub.fields.familiar import GIVEN
from omnihub.fields.sounds import sound
from omnihub.fields.text import words
from omnihub.match.model import (
    ELSE,
    OTHERWISE,
    Comparison,
    Thresholds,
    bits,
    never,
    silent,
)
from omnihub.match.spec import Derived, Spec, as_is, key_of
from omnihub.model import Kind


def _script(value: str) -> str | None:
    return "latin" if unicodedata.normalize("NFKD", value)[:1].isascii() else "other"


def _strong_date(value: str) -> str | None:
    return None if fields.weak(Kind.DATE, value) else value


def _year(value: str) -> str | None:
    """Of many only the year is known, and written as its first day."""
    return None if times.weak(value) else value[:4]


def _strong_street(value: str) -> str | None:
    return None if fields.weak(Kind.ADDRESS, value) else fields.key(Kind.ADDRESS, value) or None


def _spoken(value: str) -> str | None:
    """Ana and Anna are spoken alike; Tim and Tom are not."""
    return sound(fields.key(Kind.NAME, value)) or None


def _letters(value: str) -> str | None:
    """The letters of a name in one order: a hasty hand changes it. As they stand there: folded, "ae" is one letter."""
    found = [letter for letter in unicodedata.normalize("NFKD", value).lower() if letter.isalpha()]
    return "".join(sorted(found)) if len(found) > 3 else None


def _road_words(value: str) -> str | None:
    """The words of the street in one order: house and street are often told in the other."""
    return "".join(sorted(addresses.parts(value).street.split())) or None


def _familiar(value: str) -> str | None:
    """What the given name may stand for, where it is one that many have: another such name is no slip of the pen."""
    word = next(iter(words(value)), "")
    found = {GIVEN.get(name, name) for name in nicknames.meanings(word)}
    known = len(found) > 1 or word in GIVEN or bool(found & _KNOWN)
    return " ".join(sorted(found)) if known else None


_KNOWN = nicknames.CANONICAL | frozenset(GIVEN.values())


def _mail_first(value: str) -> str | None:
    told = emails.name_parts(value)
    return told[0] if len(told) == 2 and len(told[0]) > 1 else None


def _mail_last(value: str) -> str | None:
    told = emails.name_parts(value)
    return told[-1] if len(told) == 2 and len(told[-1]) > 2 else None


def _mail_generation(value: str) -> str | None:
    """Mailboxes of father and son: karl.weber@, karl.weber.jr@."""
    told = emails.name_parts(value)
    return fields.generation(" ".join(told)) if len(told) > 1 else None


def _mailbox(value: str) -> str | None:
    """A mailbox without the one figure behind it that parts namesakes under one roof."""
    local, _, domain = fields.key(Kind.EMAIL, value).rpartition("@")
    return f"{local[:-1].rstrip('.-_')}@{domain}" if local[-1:] in "23456789" and local[-2:-1].isalpha() else None


def _own_domain(value: str) -> str | None:
    domain = value.rpartition("@")[2]
    return None if domains.weak(domain) else domain


DERIVED = (
    Derived("first", "first_name", key_of(Kind.NAME)),
    Derived("given", "first_name", fields.given),
    Derived("first_sound", "first_name", names.sounds),
    Derived("first_letters", "first_name", _letters),
    Derived("last_letters", "last_name", _letters),
    Derived("first_spoken", "first_name", _spoken),
    Derived("familiar", "first_name", _familiar),
    Derived("last", "last_name", key_of(Kind.NAME)),
    Derived("last_given", "last_name", fields.given),
    Derived("last_sound", "last_name", names.sounds),
    Derived("mail_first", "email", _mail_first),
    Derived("mail_last", "email", _mail_last),
    Derived("script", "last_name", _script),
    Derived("name_generation", "last_name", fields.generation),
    Derived("mail_generation", "email", _mail_generation),
    Derived("mailbox", "email", _mailbox),
    Derived("born", "birth_date", _strong_date),
    Derived("born_year", "birth_date", _year),
    Derived("birth_place", "birth_place", key_of(Kind.CITY)),
    Derived("gender", "gender", key_of(Kind.CODE)),
    Derived("id_number", "id_number", key_of(Kind.CODE)),
    Derived("email", "email", key_of(Kind.EMAIL)),
    Derived("email_weak", "email", lambda v: fields.weak(Kind.EMAIL, v)),
    Derived("own_domain", "email", _own_domain),
    Derived("login", "email", emails.login),
    Derived("phone1", "phone", key_of(Kind.PHONE)),
    Derived("phone2", "mobile", key_of(Kind.PHONE)),
    Derived("phone3", "phone#2", key_of(Kind.PHONE)),
    Derived("company_text", "company", key_of(Kind.COMPANY)),
    Derived("job", "job_title", key_of(Kind.TEXT)),
    Derived("street", "street", _strong_street),
    Derived("house", "street", addresses.house_number),
    Derived("road", "street", addresses.street_name),
    Derived("road_words", "street", _road_words),
    Derived("postal", "postal_code", key_of(Kind.POSTAL)),
    Derived("area", "postal_code", addresses.postal_area),
    Derived("city", "city", key_of(Kind.CITY)),
    Derived("country", "country", key_of(Kind.COUNTRY)),
    Derived("account_ref", "account", as_is),
)

FEATURES = """
    SELECT d.* REPLACE (string_split(d.familiar, ' ') AS familiar),
           d.email_weak IS NOT NULL AS is_weak, coalesce(d.name_generation, d.mail_generation) AS generation,
           split_part(d.email, '@', 2) AS email_domain,
           coalesce(d.given, CASE WHEN ends_with(d.login, d.last) AND length(d.login) > length(d.last)
                                  THEN left(d.login, length(d.login) - length(d.last))
                                  WHEN d.mail_first <> d.last THEN d.mail_first END) AS told_first,
           coalesce(d.last, CASE WHEN starts_with(d.login, d.first) AND length(d.login) > length(d.first) + 2
                                 THEN substr(d.login, length(d.first) + 1)
                                 WHEN d.mail_last <> d.first THEN d.mail_last END) AS told_last,
           list_distinct(list_filter([d.phone1, d.phone2, d.phone3], lambda p: p IS NOT NULL)) AS phones,
           accounts.golden_id AS account, coalesce(company_keys.value, d.company_text) AS company,
           substr(d.born, 6, 2) AS born_month, substr(d.born, 9, 2) AS born_day,
           try_cast(d.born_year AS INTEGER) AS year, datediff('day', DATE '1900-01-01', try_cast(d.born AS DATE)) AS day
    FROM derived AS d
    LEFT JOIN accounts ON accounts.ref = d.account_ref
    LEFT JOIN company_keys ON company_keys.text = accounts.name"""

KEYS = (
    "'e:' || CASE WHEN NOT is_weak THEN email END",
    "'E:' || CASE WHEN is_weak THEN email || '|' || last END",
    "'u:' || login || '|' || left(coalesce(last, company), 3)",
    "'U:' || login || '|' || left(email_domain, 2)",
    "'d:' || own_domain || '|' || left(login, 2)",
    "'B:' || born || '|' || left(email, 1)",
    "'F:' || left(born, 7) || '|' || given",
    "'L:' || left(born, 7) || '|' || last",
    "'D:' || left(given, 4) || '|' || left(last, 2) || '|' || left(born_year, 3)",
    "'Y:' || given || '|' || left(last, 1) || '|' || right(born_year, 1)",
    "'w:' || left(email, 4) || '|' || right(born_year, 1)",
    "'M:' || left(born, 7) || '|' || least(left(given, 1), left(last, 1)) || greatest(left(given, 1), left(last, 1))",
    "'p:' || phone1",
    "'p:' || phone2",
    "'p:' || phone3",
    "'n:' || least(given, last_given, first, last) || '|' || greatest(given, last_given, first, last)",
    "'n:' || least(given, last) || '|' || greatest(given, last)",
    "'n:' || least(first, last) || '|' || greatest(first, last)",
    # the last part is empty, and NULL where one of the names is: both must be known
    "'N:' || least(first_sound, last_sound) || '|' || greatest(first_sound, last_sound) || left(first || last, 0)",
    "'c:' || company || '|' || left(last, 4)",
    "'c:' || company || '|' || left(given, 4)",
    "'a:' || account || '|' || left(last, 3)",
    "'a:' || account || '|' || left(given, 3)",
    "'i:' || id_number",
    "'b:' || born || '|' || left(given, 1)",
    "'b:' || born || '|' || left(last, 1)",
    "'B:' || born || '|' || left(city, 3)",
    "'m:' || substr(born, 6) || '|' || given",
    "'m:' || substr(born, 6) || '|' || last_sound",
    "'y:' || born_year || '|' || given || '|' || left(coalesce(city, birth_place), 3)",
    "'y:' || born_year || '|' || last_sound || '|' || left(coalesce(city, birth_place), 3)",
    "'z:' || area || '|' || last_sound",
    "'z:' || area || '|' || first_sound",
    "'h:' || house || '|' || left(road, 4) || '|' || left(coalesce(postal, city), 2)",
    "'r:' || account_ref",
)

# Two first names, one surname, one home: kin, or one person whose first name somebody got wrong. Some of these pairs
# tell: one number of a register is one person, another birth date or number are two. Where nearly all that tell are
# one, nobody lives with kin there, and no twins do: where there are twins, there are many more brothers and sisters.
FEW_KIN = 0.12  # as many proven two for each proven one; where people really live together it is far above 1
ENOUGH_ONE = 50  # so many proven one tell
CARELESS = 0.05  # so many birth dates of one person are wrong in the year and in the day
MAX_HOME = 50  # records of one surname at one address; with more it is an office

HOLDERS = "SELECT 'p:' || unnest(phones) AS value, last AS holder FROM features"

READY = f"""
    SELECT f.*, coalesce(own.phones, []) AS own_phones,
           coalesce((SELECT max(share) FROM population_kin), 1) < {FEW_KIN} AS strangers,
           coalesce((SELECT max(share) FROM population_dates), 0) >= {CARELESS} AS sloppy
    FROM features AS f
    LEFT JOIN (SELECT ref, list(phone ORDER BY phone) AS phones
               FROM (SELECT ref, unnest(phones) AS phone FROM features)
               WHERE 'p:' || phone NOT IN (SELECT value FROM shared) GROUP BY ref) AS own USING (ref)"""


def _alike(left: str, right: str, share: float) -> str:
    return f"jaro_winkler_similarity({left}_l, {right}_r) >= {share}"


# Tom is no slip for Tim.
_NOT_TWO_NAMES = "coalesce(list_has_any(familiar_l, familiar_r) OR first_spoken_l = first_spoken_r, true)"
_NEAR_FIRST = f"""{_NOT_TWO_NAMES} AND (first_letters_l = first_letters_r OR {_alike("given", "given", 0.88)}
    OR least(length(first_l), length(first_r)) >= 3 AND damerau_levenshtein(first_l, first_r) <= 1
    OR least(length(first_l), length(first_r)) >= 3
       AND (starts_with(first_l, first_r) OR starts_with(first_r, first_l)))"""
_NEAR_LAST = f"""(last_letters_l = last_letters_r OR {_alike("last", "last", 0.9)}
    OR least(length(last_l), length(last_r)) >= 3 AND damerau_levenshtein(last_l, last_r) <= 1)"""

# Mesgan is a slip for Meagan: nobody is called so. Twins' names often rhyme, and then begin otherwise.
_ONE_SLIP = f"""({_NOT_TWO_NAMES} AND left(first_l, 1) = left(first_r, 1)
    AND least(length(first_l), length(first_r)) >= 5 AND damerau_levenshtein(first_l, first_r) <= 1)"""
# Two first names that are not ways to write one: no typo, nickname, initial, sound, or the other's surname.
_OTHER_FIRST = f"""(given_l <> given_r AND coalesce(script_l = script_r, true)
    AND coalesce(first_l <> last_r, true) AND coalesce(last_l <> first_r, true)
    AND left(first_l, length(first_r)) <> left(first_r, length(first_l))
    AND first_spoken_l <> first_spoken_r AND coalesce(first_letters_l <> first_letters_r, true)
    AND NOT {_ONE_SLIP}
    AND (NOT list_has_any(familiar_l, familiar_r)
         OR NOT {_alike("first", "first", 0.86)} AND NOT {_alike("given", "given", 0.86)}))"""
_OTHER_LOGIN = """(first_{a} IS NULL AND length(login_{a}) > 3
    AND left(login_{a}, 1) NOT IN (left(first_{b}, 1), left(given_{b}, 1), left(last_{a}, 1)))"""
# The one without a first name has a mailbox with another.
_OTHER_TOLD = f"""((first_l IS NULL OR first_r IS NULL) AND last_l = last_r
    AND (left(told_first_l, length(told_first_r)) <> left(told_first_r, length(told_first_l))
         OR {_OTHER_LOGIN.format(a="l", b="r")} OR {_OTHER_LOGIN.format(a="r", b="l")}))"""
_OTHER_CROSSED = f"""(first_l = last_r AND first_r <> last_l AND NOT {_alike("last", "first", 0.8)}
    OR last_l = first_r AND last_r <> first_l AND NOT {_alike("first", "last", 0.8)})"""
_OTHER = f"(coalesce({_OTHER_FIRST}, false) OR coalesce({_OTHER_TOLD}, false) OR coalesce({_OTHER_CROSSED}, false))"
_SURNAME = f"""(coalesce({_NEAR_LAST}, true) OR first_l = last_r OR last_l = first_r)"""
_SAME_ROAD = f"""({_alike("road", "road", 0.88)} OR {_alike("road_words", "road_words", 0.9)}
    OR least(length(road_l), length(road_r)) >= 5 AND (starts_with(road_l, road_r) OR starts_with(road_r, road_l)
                                                       OR ends_with(road_l, road_r) OR ends_with(road_r, road_l)))"""
_SAME_TOWN = "(postal_l = postal_r OR city_l = city_r)"
_SAME_HOUSE = f"(street_l = street_r OR house_l = house_r AND {_alike('road', 'road', 0.88)})"


def _if(condition: str, count: int) -> str:
    return f"CASE WHEN {condition} THEN {count} ELSE 0 END"


_HOME = f"({_if(_SAME_HOUSE, 1)} + {_if('list_has_any(phones_l, phones_r)', 1)} + {_if('email_l = email_r', 2)})"
_SHARED = f"({_if(f'born_l = born_r AND {_SURNAME}', 2)} + {_HOME})"
_NAMED_LOGIN = """coalesce(contains(login_l, last_l) OR contains(login_l, last_r)
    OR starts_with(login_l, first_l) OR starts_with(login_l, first_r), false)"""
_LIKE_DOMAIN = f"""(email_domain_l = email_domain_r OR least(length(email_domain_l), length(email_domain_r)) >= 7
    AND {_alike("email_domain", "email_domain", 0.85)})"""
_SAME_LETTER = "left(email_l, 1) = left(email_r, 1)"  # colleagues have a.weber and k.weber
# Firms share the greater part of their domains (weber-pumpen.de, wagner-pumpen.de): a slip is a letter or three.
_SLIPPED_DOMAIN = f"""{_LIKE_DOMAIN} AND {_alike("email_domain", "email_domain", 0.9)}
    AND damerau_levenshtein(email_domain_l, email_domain_r) <= 3"""
# One address, mistyped on both sides of the @: no slip makes one firm of two.
_SLIPPED_MAIL = f"""({_SAME_LETTER} AND own_domain_l <> own_domain_r AND {_alike("own_domain", "own_domain", 0.8)}
    AND (least(length(email_l), length(email_r)) >= 9 AND damerau_levenshtein(email_l, email_r) <= 2
         OR least(length(email_l), length(email_r)) >= 14 AND damerau_levenshtein(email_l, email_r) <= 4))"""
_NO_FIRST = f"""((first_l IS NULL OR first_r IS NULL) AND {_SURNAME} AND id_number_l IS NULL AND id_number_r IS NULL)"""
_SAME_ID = "coalesce(id_number_l = id_number_r, false)"
_MISTYPED_ID = """coalesce(length(id_number_l) >= 6 AND damerau_levenshtein(id_number_l, id_number_r) <= 1
    AND (levenshtein(id_number_l, id_number_r) = 2
         OR left(id_number_l, length(id_number_l) - 2) <> left(id_number_r, length(id_number_r) - 2)), false)"""
_LIKE_ID = "coalesce(damerau_levenshtein(id_number_l, id_number_r) <= 1, false)"
_STRANGERS = "(strangers_l AND coalesce(email_l = email_r, true))"  # two mailboxes are two people's
_SAME_NAME = "(given_l = given_r AND last_l = last_r OR first_l = last_r AND last_l = first_r)"
_DAYS_OFF = "abs(day_l - day_r)"
_NO_SLIP = "year_l <> year_r AND coalesce(damerau_levenshtein(born_l, born_r) > 1, true)"

# One row: how many are proven two for each that is proven one. None where too few tell.
KIN = f"""
    WITH home AS (
        SELECT *, hash(house, road, last, coalesce(postal, city)) AS home FROM features
        WHERE house IS NOT NULL AND road IS NOT NULL AND last IS NOT NULL AND coalesce(postal, city) IS NOT NULL
        QUALIFY count(*) OVER (PARTITION BY home) BETWEEN 2 AND {MAX_HOME}),
    pairs AS (
        SELECT id_number_l = id_number_r AS one,
               NOT coalesce(one, false) AND coalesce(damerau_levenshtein(born_l, born_r) > 2
                                                     OR damerau_levenshtein(id_number_l, id_number_r) > 2, false) AS two
        FROM (SELECT COLUMNS('(.*)') AS '\\1_l' FROM home) JOIN (SELECT COLUMNS('(.*)') AS '\\1_r' FROM home)
             ON home_l = home_r AND ref_l < ref_r
        WHERE {_OTHER_FIRST})
    SELECT 'kin' AS value, count_if(two) / count_if(one) AS share FROM pairs HAVING count_if(one) >= {ENOUGH_ONE}"""

# One row: how many of those with one mailbox and one name were born a year or ten apart, and up to two months besides.
# None where too few tell. Where hands are so careless it says something; elsewhere such dates are two people's.
DATES = f"""
    WITH pairs AS (
        SELECT abs(l.day - r.day) AS days, damerau_levenshtein(l.born, r.born) > 1 AS apart
        FROM (SELECT * FROM features WHERE NOT is_weak AND born IS NOT NULL
              QUALIFY count(*) OVER (PARTITION BY email) BETWEEN 2 AND {MAX_HOME}) AS l
        JOIN features AS r ON l.email = r.email AND l.ref < r.ref AND l.given = r.given
        WHERE r.born IS NOT NULL)
    SELECT 'off' AS value, count_if(apart AND (abs(days - 365) <= 62 OR abs(days - 3652) <= 62)) / count(*) AS share
    FROM pairs HAVING count(*) >= {ENOUGH_ONE}"""

COMPARISONS: dict[str, Comparison] = {
    "email": (
        bits("email_l = email_r AND NOT is_weak_l", 14),
        bits("email_l = email_r", 4),
        bits("(is_weak_l OR is_weak_r) AND email_domain_l = email_domain_r", 2),
        bits(  # whoever reads the mail there: two firms
            """(is_weak_l OR is_weak_r) AND own_domain_l <> own_domain_r
               AND jaro_winkler_similarity(own_domain_l, own_domain_r) < 0.8""",
            -2,
        ),
        silent("email_l IS NULL OR email_r IS NULL OR is_weak_l OR is_weak_r"),
        bits(
            "own_domain_l = own_domain_r AND (mailbox_l = email_r OR mailbox_r = email_l OR mailbox_l = mailbox_r)",
            -18,
        ),
        bits(  # each address has the first name it goes with: that is no slip
            """own_domain_l = own_domain_r AND login_l <> login_r AND first_l <> first_r AND given_l <> given_r
               AND least(length(first_l), length(first_r)) > 2
               AND starts_with(login_l, first_l) AND starts_with(login_r, first_r)""",
            -14,
        ),
        bits("login_l = login_r AND own_domain_l = own_domain_r", 5),  # but for figures
        bits("login_l = login_r AND email_domain_l = email_domain_r", 2),
        bits(
            "login_l = login_r AND " + _SLIPPED_DOMAIN,
            8,
        ),
        bits(f"length(login_l) >= 6 AND login_l = login_r AND NOT {_NAMED_LOGIN}", 5),
        bits(
            f"{_SAME_LETTER} AND {_LIKE_DOMAIN} AND damerau_levenshtein(email_l, email_r) <= 2",
            6.5,
        ),
        bits(
            f"""{_SAME_LETTER} AND own_domain_l <> own_domain_r AND {_SLIPPED_DOMAIN}
                AND {_alike("email", "email", 0.9)}""",
            4,
        ),
        bits(_SLIPPED_MAIL, 5),
        bits(  # two firms: a namesake, or somebody who went from one to the other
            "own_domain_l <> own_domain_r AND jaro_winkler_similarity(own_domain_l, own_domain_r) < 0.8", -3
        ),
        bits("login_l = login_r", 1),
        bits("email_domain_l = email_domain_r", -2),
        bits(ELSE, -1),
    ),
    "phone": (
        bits("list_has_any(own_phones_l, own_phones_r)", 8),
        bits("list_has_any(phones_l, phones_r)", 1.5),
        OTHERWISE,
    ),
    "id_number": (
        silent("id_number_l IS NULL OR id_number_r IS NULL"),
        bits("id_number_l = id_number_r", 21),
        bits(_MISTYPED_ID, 11),
        bits(
            "length(id_number_l) >= 6 AND damerau_levenshtein(id_number_l, id_number_r) <= 1",
            6,
        ),  # or given in a row
        bits(
            "length(id_number_l) >= 6 AND damerau_levenshtein(id_number_l, id_number_r) <= 2",
            4,
        ),
        bits(ELSE, -4),
    ),
    "birth_date": (
        silent("year_l IS NULL OR year_r IS NULL"),
        bits("born_l = born_r", 11),
        bits("(born_l IS NULL OR born_r IS NULL) AND year_l = year_r", 3),
        bits("(born_l IS NULL OR born_r IS NULL) AND abs(year_l - year_r) <= 1", 0),
        bits("born_l IS NULL OR born_r IS NULL", -5),
        bits(
            "year_l = year_r AND born_month_l = born_day_r AND born_day_l = born_month_r",
            7.5,
        ),
        bits("damerau_levenshtein(born_l, born_r) <= 1", 6.5),
        bits("abs(day_l - day_r) <= 31", 4),
        bits("born_month_l = born_month_r AND born_day_l = born_day_r", 2),
        bits(f"sloppy_l AND ({_DAYS_OFF} <= 62 OR abs({_DAYS_OFF} - 365) <= 62)", 2.5),
        bits(f"sloppy_l AND abs({_DAYS_OFF} - 3652) <= 62", 2),
        bits("damerau_levenshtein(born_l, born_r) <= 2", 1.5),
        bits(f"{_DAYS_OFF} <= 400", 1.5),
        bits("abs(day_l - day_r) <= 4050", -3.5),
        bits(ELSE, -8),
    ),
    "name": (
        bits("coalesce(last_l, first_l) IS NULL OR coalesce(last_r, first_r) IS NULL", -2),
        bits("first_l = first_r AND last_l = last_r", 10),
        bits("first_l = last_r AND last_l = first_r", 9.5),
        bits("given_l = given_r AND last_l = last_r", 9.5),
        bits(
            "given_l = last_given_r AND last_l = first_r OR given_r = last_given_l AND last_r = first_l",
            9,
        ),
        bits(
            "last_l = last_r AND least(length(first_l), length(first_r)) = 1 AND left(first_l, 1) = left(first_r, 1)",
            7,
        ),
        bits(f"last_l = last_r AND {_NEAR_FIRST}", 8.5),
        bits(f"given_l = given_r AND {_NEAR_LAST}", 8.5),
        bits(f"{_alike('first', 'last', 0.85)} AND {_alike('last', 'first', 0.85)}", 7),
        bits(f"{_NEAR_LAST} AND {_NEAR_FIRST}", 7),
        bits(
            f"{_NOT_TWO_NAMES} AND damerau_levenshtein(first_l || last_l, first_r || last_r) <= 2",
            6,
        ),
        bits(  # spelled in two alphabets, one put into the other's letters: they sound alike, or they don't
            f"script_l <> script_r AND {_alike('first', 'first', 0.6)} AND {_alike('last', 'last', 0.6)}",
            3,
        ),
        bits("script_l <> script_r", -5),
        bits(  # a name that is missing here stands in the mailbox
            """(first_l IS NULL OR first_r IS NULL OR last_l IS NULL OR last_r IS NULL)
               AND email_l IS DISTINCT FROM email_r AND told_first_l = told_first_r AND told_last_l = told_last_r""",
            8,
        ),
        bits(_OTHER_TOLD, -5),
        bits("(first_l IS NULL OR first_r IS NULL) AND last_l = last_r", 4.5),
        bits("(last_l IS NULL OR last_r IS NULL) AND given_l = given_r", 4),
        bits(
            "(last_l IS NULL OR last_r IS NULL) AND (first_l = last_r OR last_l = first_r)",
            3,
        ),
        bits(f"(first_l IS NULL OR first_r IS NULL) AND {_NEAR_LAST}", 3),
        bits(f"(last_l IS NULL OR last_r IS NULL) AND {_NEAR_FIRST}", 2),
        bits(
            "(first_l IS NULL OR first_r IS NULL) AND (first_l = last_r OR last_l = first_r)",
            3,
        ),
        bits(
            f"""(first_l IS NULL OR first_r IS NULL)
                AND ({_alike("last", "first", 0.9)} OR {_alike("first", "last", 0.9)})""",
            2,
        ),
        bits(
            "first_l IS NULL AND last_r IS NULL OR last_l IS NULL AND first_r IS NULL",
            -2,
        ),
        bits("first_l IS NULL OR first_r IS NULL OR last_l IS NULL OR last_r IS NULL", -4),
        bits(
            f"last_l = last_r AND {_NOT_TWO_NAMES} AND {_alike('given', 'given', 0.75)}",
            4,
        ),
        bits(f"given_l = given_r AND {_alike('last', 'last', 0.75)}", 4),
        bits(
            f"{_NOT_TWO_NAMES} AND {_alike('given', 'given', 0.75)} AND {_alike('last', 'last', 0.75)}",
            2,
        ),
        bits(f"{_alike('first', 'last', 0.75)} AND {_alike('last', 'first', 0.75)}", 2),
        bits("given_l = given_r", -1),
        bits("first_l = last_r OR last_l = first_r", -1.5),
        bits(_NEAR_FIRST, -2),
        bits("last_l = last_r", -5),
        bits(_NEAR_LAST, -6),
        bits(ELSE, -9),
    ),
    "family": (  # what they share they share as a family; a birth date and a mailbox say twice as much as the others
        bits(
            f"{_NO_FIRST} AND born_l IS DISTINCT FROM born_r AND email_l IS DISTINCT FROM email_r AND {_HOME} >= 1",
            -5,
        ),
        silent(f"{_SAME_ID} OR {_MISTYPED_ID} OR NOT {_OTHER} OR {_STRANGERS}"),
        bits(f"{_SHARED} >= 5", -30),
        bits(f"{_SHARED} = 4", -22),
        bits(
            f"{_SHARED} = 3 AND (id_number_l IS NULL OR id_number_r IS NULL)", -20
        ),  # nothing else could tell them apart
        bits(f"{_SHARED} = 3", -13),
        bits(f"{_SHARED} = 2 AND born_l = born_r", -6),
        bits(f"{_SHARED} = 2", -8),
        bits(f"{_SHARED} = 1", -5),
        OTHERWISE,
    ),
    "elders": (  # father and son of one name
        silent(
            f"""NOT coalesce({_SAME_NAME} AND abs(year_l - year_r) >= 15 AND {_NO_SLIP}, false)
                OR {_LIKE_ID} OR {_STRANGERS}"""
        ),
        bits("email_l = email_r AND NOT is_weak_l", -12),
        bits(f"{_HOME} >= 1", -20),
        OTHERWISE,
    ),
    "generation": (
        bits("generation_l = generation_r", 2),
        silent("generation_l IS NULL AND generation_r IS NULL"),
        never("generation_l <> generation_r"),
        bits("email_l <> email_r AND NOT is_weak_l AND NOT is_weak_r", -16),
        bits(ELSE, -5),
    ),
    "company": (
        bits("account_l = account_r", 4),
        bits("company_l = company_r", 4),
        silent("company_l IS NULL OR company_r IS NULL"),
        bits("jaro_winkler_similarity(company_l, company_r) >= 0.93", 2.5),
        bits(ELSE, -2),
    ),
    "place": (  # whoever lives alone at an address is known by it
        bits(f"strangers_l AND street_l = street_r AND {_SAME_TOWN}", 14),
        bits(f"strangers_l AND {_SAME_TOWN} AND house_l = house_r AND {_SAME_ROAD}", 13.5),
        bits(f"strangers_l AND house_l = house_r AND {_SAME_ROAD}", 11),
        bits(f"strangers_l AND {_SAME_TOWN} AND {_SAME_ROAD}", 10),
        bits(f"street_l = street_r AND {_SAME_TOWN}", 6.5),
        bits(f"{_SAME_TOWN} AND house_l = house_r AND {_SAME_ROAD}", 6),
        bits(f"house_l = house_r AND {_SAME_ROAD}", 5),
        bits(f"{_SAME_TOWN} AND {_SAME_ROAD}", 4.5),
        bits("postal_l = postal_r AND city_l = city_r AND street_l <> street_r", 2),
        bits("postal_l = postal_r AND city_l = city_r", 3),
        bits("postal_l = postal_r", 3, tf="postal", u=0.0005, tf_weight=0.4),
        bits(f"area_l = area_r AND {_alike('city', 'city', 0.88)}", 2.5),
        bits("city_l = city_r", 1.5),
        bits(_alike("city", "city", 0.88), 0.5),
        bits("country_l <> country_r", -1),
        bits("area_l = area_r", 2, tf="area", u=0.01, tf_weight=0.5),
        bits("postal_l <> postal_r AND city_l <> city_r", -2.5),
        bits("city_l <> city_r", -1),
        OTHERWISE,
    ),
    "birth_place": (
        bits(
            "birth_place_l = birth_place_r",
            2.5,
            tf="birth_place",
            u=0.04,
            tf_weight=0.7,
        ),
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
        bits("job_l = job_r", 0.5, tf="job", u=0.05, tf_weight=0.5, tf_floor=0.01),
        OTHERWISE,
    ),
    "common_first": (
        bits("given_l = given_r", 0, tf="given", u=0.004, tf_weight=0.5, tf_floor=0.003),
        OTHERWISE,
    ),
    "common_last": (
        bits("last_l = last_r", 0, tf="last", u=0.002, tf_weight=0.5, tf_floor=0.0017),
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
    ("given", "last", "birth_place", "postal", "area", "job"),
    Thresholds(same=11.0, unsure=5.0),
    (
        "l.email = r.email",
        "l.last = r.last AND l.given = r.given",
        "l.phone1 = r.phone1",
        "l.born = r.born",
    ),
    population={"kin": KIN, "dates": DATES},
)

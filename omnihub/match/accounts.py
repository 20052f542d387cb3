"""What is compared of two accounts.

Companies are told apart by their words, not by their letters: "Weber Maschinenbau" and "Weber Elektro" are two firms,
"Weber Maschinenbau Vertrieb" and "Weber" may be one. What is a firm's own in its name (no legal form, trade or town)
says most; another trade or number, or a holding's mark, speaks against. A place says much only down to the house, and
the same name in another town is a branch, a namesake or a shop of a chain unless something else ties the two.
"""

from __future__ import annotations

from functools import lru_cache

from omnihub import fields
from omnihub.fields import addresses, business_ids, companies, phones, registers
from omnihub.fields.familiar import TRADES
from omnihub.fields.places import is_place
from omnihub.fields.sounds import bones
from omnihub.match.model import ELSE, OTHERWISE, Comparison, Thresholds, bits, never, silent
from omnihub.match.spec import Derived, Spec, as_is, email_domain, key_of, strong_domain
from omnihub.model import Kind

# -- names -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=10_000)  # the columns made of one name are made one after the other
def _parts(value: str) -> companies.Parts:
    return companies.parts(value)


_MORE_TRADES = frozenset(
    """
    aannemersbedrijf abogados advokat agency akeri architekten arzt arztpraxis asesores assicurazioni autohaus
    autokorjaamo autoservice autoservis bakkerij bar bauunternehmen bil bilar bistro blumen boulangerie bouw
    bouwbedrijf brasserie buch budowlane buro bygg byggnads cabinet camping carpenters carrosserie carrozzeria
    center centre centro child children childrens cleaners clinica coiffeur comercial comercio commerciale
    company conseil construcciones construction costruzioni cuisine dachdecker day deli delicatessen dental
    dienste dienstleistungen diner distribuidora dr druckerei edilizia electrician electricien electricite
    elektrik elektriker elektriska elektroinstallation elettronica entreprise entsorgung estetica farmacia
    farmacie fastigheter fenster firma fisioterapia fleischerei floristik forlag fratelli friseur friseursalon
    garage garages garten gartner gartnerei gasthaus gasthof gebruder gesellschaft gestion getranke gimnasio
    glaser grill handel hausverwaltung head heizung hermanos holz hostal huis huolto hurtownia immobiliare
    immobilier impianti import informatica informatique ingenieros ingenieurburo inn installatie installaties
    insurance isannointi kanzlei kapper kauppa kiinteistot kindergarten konditorei konepaja kosmetik kuljetus
    lakiasiaintoimisto landmaschinen landscaping landschaftsbau lebensmittel leipomo logistiek lounge
    makelaardij maler maleri malermeister menuiserie metalli metzgerei mobel montage notaria nursery officina
    ohjelmistot optik optiker palvelut panaderia partners pasteleria peintre pension pharma pharmacie plomberie
    plumbing praxis pre prek putki rakennus rakennusliike ravintola rechtsanwalte reinigung reisen residence
    restaurante ristorante roofing rorelse rorlaggeri sahko sanitar schilders schlosserei schreinerei service
    servicios servizi site sklep slagerij sohne soins son sons spedition spezialitaten sro stahlbau start stavby
    steel steuerberater steuerberatung supermercado taller talleres tavern technologies tekniikka tiefbau
    tilitoimisto tischlerei traiteur trans transporte transportes transports trasporti trattoria travaux turen
    uitgeverij uitzendbureau usluge verlag vertrieb verwaltung werkstatt werkzeugbau wirtschaftsprufung zahnarzt
    zahnarztpraxis zaklad zentrum zimmerei zimmermann
    """.split()
)
_TRADE_ENDINGS = (
    "bau technik handel vertrieb druckerei backerei apotheke beratung makler verwaltung gesellschaft verlag service"
    " services praxis transporte handlung fabrik dienste liike huolto palvelu palvelut toimisto technologie"
).split()


def _is_general(word: str) -> bool:
    """A word that many firms have in their names."""
    return (
        len(word) < 2
        or word in TRADES
        or word in _MORE_TRADES
        or word.endswith(tuple(_TRADE_ENDINGS))
        or is_place(word)
    )


def _listed(found: set[str]) -> str | None:
    return " ".join(sorted(found)) or None


def _all_words(value: str) -> str | None:
    return _listed(set(_parts(value).words))


def _own(value: str) -> str | None:
    """The words that are the firm's own; where it has none, all."""
    told = _parts(value)
    return _listed({word for word in told.core if not _is_general(word)}) or _listed(set(told.core))


def _general(value: str) -> str | None:
    """The words it shares with many: trades and towns."""
    told = _parts(value).words
    found = {TRADES.get(word, word) for word in told if _is_general(word)}
    return _listed(found) if len(found) < len(set(told)) else None


def _pairs(value: str) -> str | None:
    """Every two of its own words as one."""
    found = (_own(value) or "").split()[:MAX_WORDS]
    return _listed({f"{a}+{b}" for n, a in enumerate(found) for b in found[n + 1 :]})


def _any_pairs(value: str) -> str | None:
    """Every two of its words as one."""
    found = (_all_words(value) or "").split()[:MAX_WORDS]
    return _listed({f"{a}+{b}" for n, a in enumerate(found) for b in found[n + 1 :]})


def _bones(value: str) -> str | None:
    """How its own words sound."""
    return _listed({bones(word) or word for word in (_own(value) or "").split()})


def _all_bones(value: str) -> str | None:
    return _listed({bones(word) or word for word in _parts(value).words})


def _places(value: str) -> str | None:
    return _listed({word for kind, word in _parts(value).marks if kind == "place"})


def _branch(value: str) -> str | None:
    return _listed({kind for kind, _ in _parts(value).marks if kind == "branch"})


def _numbers(value: str) -> str | None:
    return _listed({word for kind, word in _parts(value).marks if kind == "number"})


def _also(value: str) -> str | None:
    """Its names, where it tells two: "Smith Foods LLC dba Corner Deli"."""
    told = [key for name in companies.names_told(value) if (key := fields.key(Kind.COMPANY, name))]
    return "|".join(dict.fromkeys(key.replace(" ", "") for key in told)) or None


MAX_WORDS = 8  # of a name, that are paired
_HOLDING = frozenset("holding beteiligung beteiligungs verwaltung verwaltungs stiftung foundation".split())


def _kin(value: str) -> str | None:
    """What it is in its group: its holding, foundation …; None for most."""
    told = _parts(value)
    found = {word for word in told.words if word in _HOLDING} | {word for kind, word in told.marks if word in _HOLDING}
    return _listed(found)


def _initials(value: str) -> str | None:
    told = _parts(value).words
    return "".join(word[0] for word in told) if len(told) >= 3 else None


def _family(value: str) -> str | None:
    return _listed(set(_parts(value).family))


# -- where it is, and how to reach it --------------------------------------------------------------------------------


@lru_cache(maxsize=10_000)
def _whole(value: str) -> addresses.Whole:
    return addresses.whole(value)


@lru_cache(maxsize=10_000)
def _street(value: str) -> addresses.Parts:
    return addresses.parts(_whole(value).street or value)


def _house(value: str) -> str | None:
    """Its first, where they are several: 8225-29."""
    return _street(value).number.partition("-")[0] or None


def _road(value: str) -> str | None:
    return _street(value).name or None


def _unit(value: str) -> str | None:
    return _street(value).unit or None


def _box(value: str) -> str | None:
    return _street(value).box or None


_SIDES = frozenset("n s e w ne nw se sw".split())


def _side(value: str) -> str | None:
    """Of the town: 12 W Main Street is not 12 E Main Street."""
    return next((word for word in _street(value).street.split() if word in _SIDES), None)


def _postal_in(value: str) -> str | None:
    found = _whole(value).postal_code
    return fields.key(Kind.POSTAL, found) if found else None


def _city_in(value: str) -> str | None:
    found = _whole(value).city
    return fields.key(Kind.CITY, found) if found else None


def _line(value: str) -> str | None:
    """The number without its country's code: many lists leave that out."""
    return None if fields.weak(Kind.PHONE, value) else phones.national(value) or None


def _own_email(value: str) -> str | None:
    return None if fields.weak(Kind.EMAIL, value) else fields.key(Kind.EMAIL, value)


def _registered(value: str) -> str | None:
    """The register and the number in it; of a number whose register can't be told, its signs."""
    return registers.identity(value) or fields.key(Kind.CODE, value) or None


def _checked_vat(value: str) -> str | None:
    return value if business_ids.checked(value) else None


DERIVED = (
    Derived("name", "name", key_of(Kind.COMPANY)),
    Derived("all_words", "name", _all_words),
    Derived("own", "name", _own),
    Derived("general", "name", _general),
    Derived("two_words", "name", _pairs),
    Derived("also", "name", _also),
    Derived("any_two", "name", _any_pairs),
    Derived("bones", "name", _bones),
    Derived("all_bones", "name", _all_bones),
    Derived("places", "name", _places),
    Derived("branch", "name", _branch),
    Derived("numbers", "name", _numbers),
    Derived("kin", "name", _kin),
    Derived("initials", "name", _initials),
    Derived("family", "name", _family),
    Derived("vat_id", "vat_id", key_of(Kind.VAT)),
    Derived("checked_vat", "vat_id", _checked_vat),
    Derived("registered", "registry_id", _registered),
    Derived("own_domain", "domain", strong_domain),
    Derived("email_domain", "email", email_domain),
    Derived("email", "email", _own_email),
    Derived("phone1", "phone", _line),
    Derived("phone2", "phone#2", _line),
    Derived("phone3", "phone#3", _line),
    Derived("house", "street", _house),
    Derived("road", "street", _road),
    Derived("side", "street", _side),
    Derived("unit", "street", _unit),
    Derived("box", "street", _box),
    Derived("street_postal", "street", _postal_in),
    Derived("street_city", "street", _city_in),
    Derived("own_postal", "postal_code", key_of(Kind.POSTAL)),
    Derived("own_city", "city", key_of(Kind.CITY)),
    Derived("country", "country", key_of(Kind.COUNTRY)),
    Derived("customer_group", "customer_group", key_of(Kind.CODE)),
    Derived("parent", "parent", as_is),
)

FEATURES = """
    SELECT d.* EXCLUDE (own, general, two_words, also, any_two, bones, numbers, places),
           own AS own_text,
           replace(name, ' ', '') AS letters,
           string_split(own, ' ') AS own, string_split(general, ' ') AS general,
           string_split(two_words, ' ') AS two_words, string_split(also, '|') AS also,
           string_split(any_two, ' ') AS any_two, string_split(bones, ' ') AS bones,
           string_split(numbers, ' ') AS numbers, string_split(places, ' ') AS places,
           coalesce(d.own_domain, d.email_domain) AS domain,
           coalesce(d.own_postal, d.street_postal) AS postal, coalesce(d.own_city, d.street_city) AS city,
           list_distinct(list_filter([d.phone1, d.phone2, d.phone3], lambda p: p IS NOT NULL)) AS phones
    FROM derived AS d"""

KEYS = (
    "'v:' || vat_id",
    "'R:' || registered",
    "'d:' || domain",
    "'e:' || email",
    "'n:' || letters",
    "'n:' || unnest(also)",
    "'N:' || all_bones",
    "'h:' || left(letters, 1) || right(letters, 7) || '|' || postal",
    "'h:' || left(letters, 1) || right(letters, 7) || '|' || city",
    "'w:' || split_part(name, ' ', 1) || '|' || nullif(split_part(name, ' ', 2), '') || '|' || country",
    "'o:' || unnest(two_words)",
    "'b:' || unnest(bones) || '|' || postal",
    "'b:' || unnest(bones) || '|' || city",
    "'p:' || phone1",
    "'p:' || phone2",
    "'p:' || phone3",
    "'t:' || right(phone1, 7)",
    "'s:' || house || '|' || road || '|' || postal",
    "'s:' || house || '|' || road || '|' || city",
    "CASE WHEN postal IS NULL OR city IS NULL THEN 's:' || house || '|' || road END",
)

HOLDERS = """
    SELECT 'p:' || unnest(phones) AS value, coalesce(own[1], '') || '|' || coalesce(road, city, '') AS holder
    FROM features"""

FEW = 6  # times as often as what is said twice: a word of one firm
RARE, RAREST = 0.001, 0.0002  # of all records say such a word

READY = f"""
    SELECT f.*, coalesce(unshared.phones, []) AS own_phones, said.rare, said.rarest,
           list_filter(f.phones, lambda p: length(p) <= 7) AS short_phones,
           list_transform(f.phones, lambda p: right(p, 7)) AS phone_ends,
           list_transform(f.phones, lambda p: left(p, length(p) - 2)) AS exchanges
    FROM features AS f
    LEFT JOIN (SELECT ref, list(phone ORDER BY phone) AS phones
               FROM (SELECT ref, unnest(phones) AS phone FROM features)
               WHERE 'p:' || phone NOT IN (SELECT value FROM shared) GROUP BY ref) AS unshared USING (ref)
    LEFT JOIN (SELECT ref, coalesce(list(word ORDER BY word) FILTER (share <= rare), []) AS rare,
                      coalesce(list(word ORDER BY word) FILTER (share <= {RAREST}), []) AS rarest
               FROM (SELECT words.ref, words.word, coalesce(share, 0) AS share,
                            (SELECT greatest({RARE}, {FEW} * min(share)) FROM rarity_own) AS rare
                     FROM (SELECT ref, unnest(own) AS word FROM features) AS words
                     LEFT JOIN rarity_own ON rarity_own.value = words.word)
               WHERE EXISTS (FROM rarity_own) GROUP BY ref) AS said USING (ref)"""

# Each has a trade or a town in its name that the other doesn't have.
_OTHER_TRADE = """(general_l IS NOT NULL AND general_r IS NOT NULL
    AND NOT list_has_all(general_l, general_r) AND NOT list_has_all(general_r, general_l))"""

# Slips hardly change how long a name is; asked first, as it costs nothing.
_LENGTHS = "abs(length(letters_l) - length(letters_r))"
# All that one calls its own the other has, too.
_WITHIN = "(list_has_all(own_l, own_r) OR list_has_all(own_r, own_l))"
_WITHIN_BY_SOUND = "(list_has_all(bones_l, bones_r) OR list_has_all(bones_r, bones_l))"
_SPOT = (
    "house_l = house_r AND road_l = road_r AND coalesce(side_l, side_r) IS NOT DISTINCT FROM coalesce(side_r, side_l)"
)
_ROAD_WITH_SLIP = """house_l = house_r AND (jaro_winkler_similarity(road_l, road_r) >= 0.88
    OR length(road_l) > 3 AND length(road_r) > 3 AND (contains(road_l, road_r) OR contains(road_r, road_l)))"""
_OTHER_ROAD = "road_l <> road_r AND house_l IS NOT NULL AND house_r IS NOT NULL"
# All the same but the town, and no telephone to tell a branch by: it may have moved, ask.
_ONLY_MOVED = """letters_l = letters_r AND domain_l = domain_r
    AND (array_length(phones_l) = 0 OR array_length(phones_r) = 0)"""
_TOWN = "(postal_l = postal_r OR city_l = city_r)"

COMPARISONS: dict[str, Comparison] = {
    "vat_id": (
        bits("vat_id_l = vat_id_r", 10),
        never("checked_vat_l <> checked_vat_r"),
        bits("vat_id_l <> vat_id_r", -8),
        OTHERWISE,
    ),
    "registry_id": (
        bits("registered_l = registered_r", 10),
        bits(
            "split_part(registered_l, ':', 1) = split_part(registered_r, ':', 1) AND registered_l <> registered_r", -8
        ),
        bits("length(registered_l) = length(registered_r) AND registered_l <> registered_r", -7),
        bits("registered_l <> registered_r", -3),
        OTHERWISE,
    ),
    "parent": (
        never("parent_l = ref_r OR parent_r = ref_l"),
        OTHERWISE,
    ),
    "name": (
        silent("name_l IS NULL OR name_r IS NULL"),
        bits("letters_l = letters_r", 7),
        bits("all_words_l = all_words_r", 6.5),
        bits("list_has_any(also_l, also_r)", 6),
        bits(f"length(letters_l) >= 10 AND {_LENGTHS} <= 1 AND damerau_levenshtein(letters_l, letters_r) <= 1", 6.5),
        bits(f"length(letters_l) >= 14 AND {_LENGTHS} <= 2 AND damerau_levenshtein(letters_l, letters_r) <= 2", 6.5),
        bits(f"own_text_l = own_text_r AND {_OTHER_TRADE}", 0),
        bits("own_text_l = own_text_r", 5.5),
        bits(f"jaro_winkler_similarity(letters_l, letters_r) >= 0.94 AND NOT {_OTHER_TRADE}", 5.5),
        bits(
            f"""length(letters_l) > 6 AND {_LENGTHS} <= 2 AND damerau_levenshtein(letters_l, letters_r) <= 2
                AND NOT {_OTHER_TRADE}""",
            5,
        ),
        bits(f"list_has_any(two_words_l, two_words_r) AND {_WITHIN} AND NOT {_OTHER_TRADE}", 5.5),
        bits(f"{_WITHIN} AND NOT {_OTHER_TRADE}", 4.5),
        bits(f"list_has_any(two_words_l, two_words_r) AND NOT {_OTHER_TRADE}", 4.5),
        bits("list_has_any(two_words_l, two_words_r)", 2.5),
        bits("starts_with(letters_l, letters_r) OR starts_with(letters_r, letters_l)", 3),
        bits(f"jaro_winkler_similarity(own_text_l, own_text_r) >= 0.9 AND NOT {_OTHER_TRADE}", 3),
        bits(f"{_WITHIN_BY_SOUND} AND NOT {_OTHER_TRADE}", 3),
        bits("initials_l = own_text_r OR initials_r = own_text_l", 2),
        bits("list_has_any(any_two_l, any_two_r) AND list_has_any(own_l, own_r)", 1),
        bits("list_has_any(own_l, own_r)", -1),
        bits("list_has_any(any_two_l, any_two_r)", -1),
        bits("domain_l = domain_r AND (city_l IS NULL OR city_r IS NULL)", -1),  # it may have been renamed: ask
        bits(ELSE, -5),
    ),
    "rare_word": (  # what is seldom said says more
        silent("rare_l IS NULL OR rare_r IS NULL"),
        bits("all_words_l = all_words_r AND list_has_any(rare_l, rare_r)", 0),  # all that is said is the same
        bits("list_has_any(rarest_l, rarest_r)", 2.5),
        bits("list_has_any(rare_l, rare_r)", 2),
        bits("list_has_any(own_l, own_r) AND NOT coalesce(list_has_any(two_words_l, two_words_r), false)", -1),
        OTHERWISE,
    ),
    "number": (
        bits("NOT list_has_all(numbers_l, numbers_r) AND NOT list_has_all(numbers_r, numbers_l)", -11),
        bits("numbers_l <> numbers_r OR (numbers_l IS NULL) <> (numbers_r IS NULL)", -1.5),
        OTHERWISE,
    ),
    "kin": (
        bits("kin_l IS DISTINCT FROM kin_r AND name_l IS NOT NULL AND name_r IS NOT NULL", -15),
        bits("branch_l IS DISTINCT FROM branch_r AND name_l IS NOT NULL AND name_r IS NOT NULL", -3),
        bits("NOT list_has_all(places_l, places_r) AND NOT list_has_all(places_r, places_l)", -5),
        OTHERWISE,
    ),
    "legal_form": (
        bits("family_l <> family_r", -2),
        OTHERWISE,
    ),
    "domain": (
        bits("email_l = email_r", 6),
        bits("domain_l = domain_r", 5),
        bits(
            """split_part(domain_l, '.', 1) = split_part(domain_r, '.', 1)
               AND length(split_part(domain_l, '.', 1)) > 6""",
            0.5,
        ),
        bits("domain_l <> domain_r", -3.5),
        OTHERWISE,
    ),
    "phone": (
        bits("list_has_any(own_phones_l, own_phones_r)", 5),
        bits("list_has_any(short_phones_l, phone_ends_r) OR list_has_any(short_phones_r, phone_ends_l)", 4.5),
        bits("list_has_any(phones_l, phones_r)", 1.5),
        bits("list_has_any(exchanges_l, exchanges_r)", 1.5),  # of one firm, or a slip
        bits("damerau_levenshtein(phones_l[1], phones_r[1]) <= 1", 2),
        bits("phones_l[1] <> phones_r[1]", -0.5),
        OTHERWISE,
    ),
    "place": (
        bits("country_l <> country_r", -6),
        bits(f"{_SPOT} AND {_TOWN} AND unit_l <> unit_r", 3),
        bits(f"{_SPOT} AND {_TOWN}", 5.5),
        bits(f"{_SPOT} AND city_l <> city_r AND postal_l <> postal_r", -6),
        bits(f"{_SPOT} AND postal_l <> postal_r AND left(postal_l, 3) <> left(postal_r, 3)", 1),
        bits(_SPOT, 5),
        bits(f"box_l = box_r AND {_TOWN}", 4),
        bits(f"{_ROAD_WITH_SLIP} AND {_TOWN}", 5),
        bits(
            f"{_ROAD_WITH_SLIP} AND coalesce(postal_l, city_l, postal_r, city_r) IS NULL",
            4,
        ),
        bits(f"road_l = road_r AND damerau_levenshtein(house_l, house_r) <= 1 AND {_TOWN}", 2.5),
        bits(f"road_l = road_r AND {_TOWN}", -3),
        bits(f"{_OTHER_ROAD} AND {_TOWN}", -5),
        bits("postal_l = postal_r", 3),
        bits("city_l = city_r", 2.5),
        bits("jaro_winkler_similarity(city_l, city_r) >= 0.92", 1.5),
        bits("city_l <> city_r AND list_has_any(phones_l, phones_r)", -3),
        bits("city_l <> city_r AND vat_id_l = vat_id_r", -16),  # one VAT id for a group, or moved: ask
        bits(f"city_l <> city_r AND {_ONLY_MOVED}", -7),
        bits("city_l <> city_r", -15),  # a branch, unless something else says that they moved
        bits("postal_l <> postal_r", -6),
        bits("road_l = road_r AND damerau_levenshtein(house_l, house_r) <= 1", 1.5),
        bits("road_l = road_r", -3),
        bits(_OTHER_ROAD, -6),
        OTHERWISE,
    ),
    "branch": (  # who says no town is rather the head office: systems that know only a name know the group's
        bits("(parent_l IS NULL) <> (parent_r IS NULL) AND (city_l IS NULL OR city_r IS NULL)", -4),
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
    ("l.name = r.name", "l.domain = r.domain", "l.house = r.house AND l.road = r.road"),
    words=("own",),
)

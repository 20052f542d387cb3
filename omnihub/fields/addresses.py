"""Addresses: street, postal code and city, each in one form, and keys that see through abbreviations."""

from __future__ import annotations

import re
import unicodedata

from omnihub.fields.text import Unclean, collapse, fold, listed, same_key, words

# ---------------------------------------------------------------------------------------------------- street

_BREAK = re.compile(r"\s*(?:,\s*)?[\r\n\u2028\u2029]+\s*(?:,\s*)?")


def clean_street(text: str, country: str | None = None) -> str:
    """One line; line breaks become commas.

    >>> clean_street("Hauptstr.  5\\r\\nHaus B")
    'Hauptstr. 5, Haus B'
    """
    street = collapse(_BREAK.sub(", ", text))
    if not any(c.isalnum() for c in street):
        raise Unclean("no letters or digits in an address")
    return street


def street_same_key(value: str) -> str:
    """Equal for streets that differ in case, white space and commas only.

    >>> street_same_key("Hauptstr. 5, Haus B") == street_same_key("hauptstr. 5 haus b")
    True
    """
    return same_key(value.replace(",", " ")) or value


_STREET_WORDS = {
    "street": "st", "str": "st", "strasse": "st", "strase": "st", "straat": "st", "saint": "st", "sankt": "st",
    "sainte": "st", "avenue": "ave", "av": "ave", "avda": "ave", "avenida": "ave", "aven": "ave",
    "boulevard": "blvd", "bd": "blvd", "bvd": "blvd", "boul": "blvd", "bulevar": "blvd",
    "road": "rd", "lane": "ln", "drive": "dr", "court": "ct", "place": "pl", "platz": "pl", "plaza": "pl",
    "plac": "pl", "square": "sq", "terrace": "ter", "terr": "ter", "circle": "cir", "crescent": "cres",
    "close": "cl", "highway": "hwy", "parkway": "pkwy", "expressway": "expy", "freeway": "fwy", "mount": "mt",
    "building": "bldg", "gebaude": "bldg", "geb": "bldg", "floor": "fl", "etage": "fl", "stock": "fl", "og": "fl",
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se",
    "southwest": "sw", "apartment": "unit", "apt": "unit", "suite": "unit", "ste": "unit", "flat": "unit",
    "room": "unit", "rm": "unit", "wohnung": "unit", "whg": "unit", "allee": "al", "all": "al", "chemin": "ch",
    "route": "rte", "faubourg": "fg", "calle": "c", "carrer": "c", "carretera": "ctra", "paseo": "pso",
    "rue": "r", "via": "v", "viale": "vle", "piazza": "pza", "corso": "cso", "largo": "lgo", "katu": "k", "tie": "t",
    "gata": "g", "gatan": "g", "vagen": "v", "vag": "v", "gade": "g", "vej": "v", "postfach": "pob",
    "postbox": "pob", "pobox": "pob", "postilokero": "pob", "postboks": "pob", "aleja": "al", "aleje": "al",
}  # fmt: skip
_DROPPED = listed("nr no num numero ul ulica der die das the hausnummer")
# Street words grown together with the name: Hauptstraße, Mannerheimintie, Kungsgatan, Marktplatz.
_GROWN = [
    (re.compile(r"(?<=[a-z]{3})(?:strasse|strase|straat|str)$"), "st"),
    (re.compile(r"(?<=[a-z]{3})platz$"), "pl"),
    (re.compile(r"(?<=[a-z]{3})(?:gatan|gata)$"), "g"),
    (re.compile(r"(?<=[a-z]{3})(?:vagen|vag)$"), "v"),
    (re.compile(r"(?<=[a-z]{3})katu$"), "k"),
    (re.compile(r"(?<=[a-z]{3})tie$"), "t"),
    (re.compile(r"(?<=[a-z]{3})allee$"), "al"),
]
_GROWN_ENDINGS = (
    "strasse",
    "strase",
    "straat",
    "str",
    "platz",
    "gatan",
    "gata",
    "vagen",
    "vag",
    "katu",
    "tie",
    "allee",
)
_NUMBER_AND_LETTER = re.compile(r"(\d)\s+([a-z])\b")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_PO_BOX = re.compile(r"\bp\.? ?o\.? ?box\b")


def street_key(value: str) -> str:
    """Street words without spaces, then the numbers: the same for most ways to write one address.

    >>> street_key("Hauptstr. 5 A") == street_key("Hauptstraße 5a") == street_key("HAUPT-STRASSE 5a")
    True
    >>> street_key("12 Main Street, Suite 300") == street_key("12 Main St. Ste 300"), street_key("Hauptstr. 15")
    (True, 'hauptst 15')
    """
    low = _PO_BOX.sub("pobox", fold(value).replace("#", " unit ").replace("'", ""))
    low = _ORDINAL.sub(r"\1", _NUMBER_AND_LETTER.sub(r"\1\2", low))
    found = words(low)
    names = [_street_word(word) for word in found if not word[0].isdigit() and word not in _DROPPED]
    numbers = [word for word in found if word[0].isdigit()]
    return " ".join(filter(None, ("".join(names), *numbers))) or same_key(value)


def _street_word(word: str) -> str:
    short = _STREET_WORDS.get(word)
    if short is not None:
        return short
    if len(word) > 5 and word.endswith(_GROWN_ENDINGS):
        for ending, short in _GROWN:
            word = ending.sub(short, word)
    return word


# ----------------------------------------------------------------------------------------------- postal code

_COUNTRY_PREFIX = re.compile(
    r"^(?:DE?|CH|AT?|FI?N?|SE?|NO?|DK|PL|NL|BE?|LU?|IT?|FR?|ES?|CZ|SK|HU?|SI|LT|LV|EE)[ -]+(?=\d)"
)
_FORMS = [  # country, what its codes look like without blanks and dashes, how they are written
    ("GB", re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})"), r"\1 \2"),
    ("NL", re.compile(r"([1-9]\d{3})([A-Z]{2})"), r"\1 \2"),
    ("CA", re.compile(r"([A-Z]\d[A-Z])(\d[A-Z]\d)"), r"\1 \2"),
    ("IE", re.compile(r"([A-Z]\d[\dW])([A-Z\d]{4})"), r"\1 \2"),
]
_FORMS_OF_COUNTRY = {
    "SE": (re.compile(r"(\d{3})(\d{2})"), r"\1 \2"),
    "CZ": (re.compile(r"(\d{3})(\d{2})"), r"\1 \2"),
    "SK": (re.compile(r"(\d{3})(\d{2})"), r"\1 \2"),
    "GR": (re.compile(r"(\d{3})(\d{2})"), r"\1 \2"),
    "PL": (re.compile(r"(\d{2})(\d{3})"), r"\1-\2"),
    "PT": (re.compile(r"(\d{4})(\d{3})"), r"\1-\2"),
    "JP": (re.compile(r"(\d{3})(\d{4})"), r"\1-\2"),
    "BR": (re.compile(r"(\d{5})(\d{3})"), r"\1-\2"),
    "US": (re.compile(r"(\d{5})(\d{4})"), r"\1-\2"),
}
_ZERO_LOST = {"DE": 5, "FR": 5, "FI": 5, "IT": 5, "ES": 5, "US": 5}  # spreadsheets eat the zero in front
_JUNK_POSTAL = re.compile(r"0{3,}|9{5,}|X+|1234[56]{0,2}|(?:12345){1,2}")
_NOT_POSTAL = re.compile(r"[^0-9A-Z]")


def clean_postal(text: str, country: str | None = None) -> str:
    """The code as its country writes it, without a country's letters in front.

    >>> clean_postal("D-10115"), clean_postal("sw1a1aa"), clean_postal("1067", "DE"), clean_postal("00950", "PL")
    ('10115', 'SW1A 1AA', '01067', '00-950')
    """
    postal = _COUNTRY_PREFIX.sub("", " ".join(text.upper().split()), count=1)
    squeezed = _NOT_POSTAL.sub("", postal)
    if not squeezed or len(postal) > 12:
        raise Unclean("not a postal code")
    if not any(c.isdigit() for c in squeezed):
        raise Unclean("not a postal code")
    if _JUNK_POSTAL.fullmatch(squeezed) and not (squeezed == "12345" and country in ("US", None)):
        raise Unclean("a placeholder")
    return _written(postal, squeezed, country)


def _written(postal: str, squeezed: str, country: str | None) -> str:
    if squeezed.isdigit():
        if len(squeezed) == _ZERO_LOST.get(country or "", 0) - 1:
            squeezed = postal = "0" + squeezed
        form, style = _FORMS_OF_COUNTRY.get(country or "", (None, ""))
        match = form.fullmatch(squeezed) if form else None
        return match.expand(style) if match else postal
    for _, form, style in _FORMS:
        match = form.fullmatch(squeezed)
        if match:
            return match.expand(style)
    return postal


_ZIP_PLUS_4 = re.compile(r"(\d{5})-\d{4}")


def postal_same_key(value: str) -> str:
    """Letters and digits only."""
    return _NOT_POSTAL.sub("", value.upper()) or value


def postal_key(value: str) -> str:
    """Letters and digits only, an American ZIP+4 without its four.

    >>> postal_key("SW1A 1AA"), postal_key("12345-6789")
    ('SW1A1AA', '12345')
    """
    match = _ZIP_PLUS_4.fullmatch(value)
    return match[1] if match else postal_same_key(value)


# ------------------------------------------------------------------------------------------------------ city

_SMALL_WORDS = listed(
    "am an im in bei ob der vor and und upon on of the de du des la le les sur sous en del di da do dos y i den ved aan"
)
# The same town in several languages, and with or without its river. Folded, without spaces.
_TOWNS_TABLE = (
    "munchen munich monacodibaviera monachium mnichov muchen|koln cologne colonia kolonia keulen|wien vienna vienne"
    "|wieden viden|zurich zurigo|genf geneve geneva ginevra|basel bale basilea basle|bern berne berna"
    "|luzern lucerne lucerna|nurnberg nuremberg norimberga|hannover hanover hanovre|braunschweig brunswick"
    "|aachen aixlachapelle|mainz mayence|trier treves|dresden dresde drezno|berlin berlino berlijn|hamburg amburgo"
    "|frankfurt frankfurtammain frankfurtmain frankfurtam frankfurtm francfort francoforte frankfurtamain"
    "|halle halleansaale hallesaale|freiburg freiburgimbreisgau freiburgibr freiburgbreisgau freiburgibreisgau"
    "|ludwigshafen ludwigshafenamrhein|offenbach offenbachammain|helsinki helsingfors|turku abo|tampere tammerfors"
    "|espoo esbo|vantaa vanda|oulu uleaborg|goteborg gothenburg|kobenhavn copenhagen kopenhagen copenhague"
    "|kobenhamn|arhus aarhus|praha prague prag praga|brno brunn|warszawa warsaw warschau varsavia varsovie"
    "|krakow cracow krakau cracovia|wroclaw breslau|gdansk danzig|poznan posen|szczecin stettin|lodz lodsch"
    "|budapest budapesti|bratislava pressburg|ljubljana laibach|zagreb agram|bucuresti bucharest bukarest"
    "|milano milan mailand|roma rome rom|torino turin|firenze florence florenz|venezia venice venedig"
    "|napoli naples neapel|genova genoa genua|padova padua|bolzano bozen|lisboa lisbon lissabon lisbonne"
    "|porto oporto|sevilla seville|zaragoza saragossa|paris parigi parijs|lyon lyons lione|marseille marseilles"
    "|strasbourg strassburg|nice nizza|lille rijsel|bruxelles brussels brussel bruselas bruxells"
    "|antwerpen antwerp anvers|gent ghent gand|liege luttich luik|denhaag thehague sgravenhage haag lahaye"
    "|london londres londra londyn|moskva moscow moskau moscou|sanktpeterburg saintpetersburg stpetersburg"
    "|kyiv kiev kiew kijow|beijing peking pekin|newyork newyorkcity nyc|athina athens athen athenes"
    "|luxembourg luxemburg|tallinn reval|riga ryga|vilnius wilna wilno"
)
_TOWNS = {name: names.split()[0] for names in listed(_TOWNS_TABLE, by="|") for name in names.split()}


def clean_city(text: str, country: str | None = None) -> str:
    """The town, capitals set right when there are only capitals or none.

    >>> clean_city("FRANKFURT AM MAIN"), clean_city("zürich"), clean_city("Bad  Homburg v.d.H.")
    ('Frankfurt am Main', 'Zürich', 'Bad Homburg v.d.H.')
    """
    city = collapse(text)
    if not any(c.isalpha() for c in city):
        raise Unclean("no letters in a town's name")
    if not (city.isupper() or city.islower()):
        return city
    cased = _city_cased(city)
    return cased if _city_cased(cased) == cased else city


_PIECE = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def _city_cased(city: str) -> str:
    if not (city.isupper() or city.islower()):
        return city
    first, *rest = city.split(" ")
    tokens = [_capital(first), *(w.lower() if w.lower() in _SMALL_WORDS else _capital(w) for w in rest)]
    return unicodedata.normalize("NFC", " ".join(tokens))


def _capital(word: str) -> str:
    return _PIECE.sub(lambda match: match[0][0].upper() + match[0][1:].lower(), word)


_BRACKETS = re.compile(r"\([^()]*\)")


def city_key(value: str) -> str:
    """Folded without spaces, one name for a town with several.

    >>> city_key("München") == city_key("Munich"), city_key("Frankfurt a.M.") == city_key("Frankfurt am Main")
    (True, True)
    >>> city_key("St. Gallen") == city_key("Sankt Gallen"), city_key("Frankfurt (Oder)")
    (True, 'frankfurtoder')
    """
    found = ["st" if word in ("sankt", "saint", "sainte", "szent") else word for word in words(value)]
    town = "".join(found)
    return _TOWNS.get(town, town) or same_key(value)


def weak_street(value: str) -> str | None:
    """Why this address is no evidence, or None.

    >>> weak_street("Hauptstraße"), weak_street("Hauptstraße 5")
    ('no house number', None)
    """
    return None if any(c.isdigit() for c in value) else "no house number"

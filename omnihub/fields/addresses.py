"""Addresses: street, postal code and city, each in one form, and keys that see through abbreviations."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from omnihub.fields import countries
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


# What one word becomes, and its spellings: abbreviations and languages. A way is not kept apart from a saint.
_STREET_TABLE = """
    st: street str strasse strase straat saint sankt sainte santa santo
    ave: avenue av avda avenida aven aveniu avn    blvd: boulevard bd bvd boul bulevar bulvar bulevard boulv blv
    rd: road    ln: lane    dr: drive drv    ct: court crt    pl: place platz plaza plac plein plads plass plc
    sq: square sqr    ter: terrace terr tce    cir: circle circ circuit cct crcl    cres: crescent cresent cr
    cl: close    hwy: highway hiway    pkwy: parkway pkway pky    expy: expressway    fwy: freeway    mt: mount mnt
    trl: trail    xing: crossing    esp: esplanade    gdns: gardens gdn garden    pde: parade    hts: heights hgts
    pt: point    jct: junction    ctr: center centre cntr    aly: alley ally    arc: arcade    byp: bypass    mnr: manor
    vlg: village    vly: valley    bldg: building gebaude geb edificio edif batiment    rte: route    fg: faubourg fbg
    fl: floor level etage stock stockwerk og piso piano kerros vaning
    unit: apartment apt appartement apartamento appt suite ste flat room rm wohnung whg lokal lok asunto
    unit: huoneisto zimmer sala    n: north nord norte noord    s: south sud sur zuid    e: east ost est este oost
    w: west ouest oeste
    ne: northeast    nw: northwest    se: southeast    sw: southwest
    al: allee all aleja aleje alee    ch: chemin che chem    imp: impasse    pass: passage    r: rue rua
    res: residence
    c: calle carrer    ctra: carretera    pso: paseo    trv: travesia    urb: urbanizacion    pol: poligono
    rda: ronda    vle: viale    pza: piazza pzza    cso: corso    lgo: largo    vlo: vicolo    strd: strada
    loc: localita
    fraz: frazione    k: katu    t: tie    g: gata gatan gade gaten gasse    v: via vagen vag vej vei veien
    tn: tori torget torg torv    kj: kuja    os: osiedle    mkt: markt markplatz    cad: caddesi cd    sok: sokak
    nam: namesti    tr: trida    u: utca utja
    pob: postfach postbox pobox postilokero postboks postbus apartado casella
"""
_STREET_WORDS = {
    word: entry[1] for entry in re.finditer(r"(\w+): ((?:\w+ ?)+)", _STREET_TABLE) for word in entry[2].split()
}
_DROPPED = listed("nr no num numero ul ulica der die das the hausnummer")
# Street words grown together with the name: Hauptstraße, Mannerheimintie, Kungsgatan, Marktplatz; by slip, Millstreet.
_GROWN = {
    ending: short
    for short, endings in (
        ("st", "strasse strase straat street str"), ("pl", "platz plads plass place plein"),
        ("g", "gatan gata gade gasse"),
        ("v", "vagen vag vej veien veg"), ("k", "katu"), ("t", "tie"), ("al", "allee"), ("ave", "avenue"),
        ("cres", "crescent"), ("cir", "circuit circle"), ("dr", "drive"), ("blvd", "boulevard"), ("rd", "road"),
    )
    for ending in endings.split()
}  # fmt: skip
_GROWN_ENDINGS = tuple(sorted(_GROWN, key=len, reverse=True))
# 5 A is 5a; but in 12 E Main St the E is a side of the town, in 24 R. Paris the R a rue.
_NUMBER_AND_LETTER = re.compile(r"(\d)\s+(?:([nsewr])(?=\s*(?:,|$))|([a-dfg-lopqt-vx-z])\b(?!'))")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_PO_BOX = re.compile(r"\bp\.? ?o\.? ?box\b|\bpost office box\b|\bgpo box\b|\bb\.?p\.? (?=\d)|\bpl (?=\d)")
_DOT = re.compile(r"\.(?=[a-z])")


def street_key(value: str) -> str:
    """Street words without spaces, then the numbers: the same for most ways to write one address.

    >>> street_key("Hauptstr. 5 A") == street_key("Hauptstraße 5a") == street_key("HAUPT-STRASSE 5a")
    True
    >>> street_key("12 Main Street, Suite 300") == street_key("12 Main St. Ste 300"), street_key("Hauptstr. 15")
    (True, 'hauptst 15')
    """
    found = words(_ORDINAL.sub(r"\1", _prepared(value)))
    names = [_street_word(word) for word in found if not word[0].isdigit() and word not in _DROPPED]
    numbers = [word for word in found if word[0].isdigit()]
    return " ".join(filter(None, ("".join(names), *numbers))) or same_key(value)


def address_words(value: str) -> list[str]:
    """The words of an address given in one text, in no order and each once: the same for most ways to write it.

    >>> address_words("Hauptstr. 5 A, 10115 Berlin") == address_words("10115 BERLIN; Hauptstraße 5a")
    True
    """
    found = words(_ORDINAL.sub(r"\1", _prepared(value)))
    return sorted({_street_word(word) for word in found if word not in _DROPPED})


_BIS = re.compile(r"(\d) ?(b|t|q)(?:is|er|uater)\b")
_SPELLED_OUT = re.compile(r"#|'|p\W? ?o\W? ?box|post office|gpo|\bb\.?p|\bpl \d|\d ?(?:bis|ter|quater)\b")


def _prepared(value: str) -> str:
    """Folded, with a house number's letter joined to it and one word for a post office box."""
    low = fold(value)
    if _SPELLED_OUT.search(low):
        low = _BIS.sub(r"\1\2", _PO_BOX.sub("pobox ", low.replace("#", " unit ").replace("'", "")))
    return _NUMBER_AND_LETTER.sub(r"\1\2\3", low)


@lru_cache(20_000)  # a million streets are made of few words
def _street_word(word: str) -> str:
    short = _STREET_WORDS.get(word)
    if short is not None:
        return short
    stem = _stem(word)
    return word if stem is None else stem + _GROWN[word[len(stem) :]]


@lru_cache(20_000)
def _stem(word: str) -> str | None:
    """The name in front of a street word grown together with it."""
    if len(word) < 6 or not word.endswith(_GROWN_ENDINGS):
        return None
    stem = next(word.removesuffix(ending) for ending in _GROWN_ENDINGS if word.endswith(ending))
    return stem if len(stem) > 2 and stem.isalpha() else None


class Parts(NamedTuple):
    """What a street address is made of, folded and with abbreviated street words; "" for what it does not have."""

    number: str = ""  # 5a
    street: str = ""  # w maypole ave
    name: str = ""  # the street without sides of a town and words like street, without spaces: maypole, haupt
    unit: str = ""  # the flat, suite or floor
    box: str = ""  # the post office box
    care_of: str = ""
    rest: str = ""  # a house's name, a part of the town


_CARE_OF = re.compile(
    r"(?:c/o|c\\o|c\.o\.|p/a|z\. ?h(?:d|dn)\.|zu handen|attn|attention|presso)(?:\b|(?<=\.))[.:]*\s*(.*)"
)
_BOX = re.compile(
    r"\b(?:pobox|postfach|postbox|postilokero|postboks|postbus|apartado|casella(?: postale)?)\b[ .:]*(?:nr|no)?[. ]*"
    r"(\d+(?: \d\d+)*|$)"
)
_UNIT = re.compile(
    r"\b(?:unit|apartment|apt|appartement|appt|suite|ste|flat|room|rm|wohnung|whg|lokal|lok|asunto|as|huoneisto|zimmer"
    r"|top|int|interno|lgh|shop|lot|sala|m)\b[ .]*(?:unit|no|nr)?[. ]*([a-z]?-?\d+[a-z]?|[a-z])\b"
)
_FLOOR = re.compile(
    r"\b(\d+)(?:st|nd|rd|th)?[. ]*(?:floor|fl|og|etage|stock|piso|kerros)\b|\b(?:floor|level|piso) (\d+)\b"
)
# Words that begin what the patterns above look for: few addresses have any.
_MARKS = listed(
    "pobox postfach postbox postilokero postboks postbus apartado casella unit apartment apt appartement appt suite ste"
    " flat room rm wohnung whg lokal lok asunto as huoneisto zimmer top int interno lgh shop lot sala m floor fl og"
    " etage stock piso kerros level"
)
_NOT_PLAIN = _MARKS | listed("po box office gpo bp pl bis ter quater attn attention presso zu handen")
_ALPHA = re.compile("[a-z]+")
_RANGE = re.compile(r"(\d[a-z]?) ?[-–] ?(?=\d)")
_STAIR = re.compile(r"(\d+[a-z]?)((?: ?/ ?\d+[a-z]?)+)")
_HOUSE = re.compile(r"\d+[a-z]?(?:-\d+[a-z]?)?")
_TOKEN = re.compile(r"[a-z0-9]+(?:-\d+[a-z]?\b)?")
_SIDES = listed("n s e w ne nw se sw")
_TYPES = frozenset(_STREET_WORDS.values()) - {"unit", "fl", "pob", "bldg", "mt"} | listed(
    "way walk row loop run path hill mews quay park ring weg damm ufer steig pfad hof grove ridge bend"
)


def parts(value: str) -> Parts:
    """The parts of a street address. 5 to 30 µs.

    >>> parts("12 W. Main Street, Apt 4")[:4], parts("Hauptstraße 5 A")[:2], parts("Main Street 12")[:2]
    (('12', 'w main st', 'main', '4'), ('5a', 'hauptst'), ('12', 'main st'))
    >>> parts("Rose Cottage, 4/26 Mill Lane")[:4], parts("Postfach 10 20 30").box
    (('26', 'mill ln', 'mill', '4'), '102030')
    """
    return _plain_parts(fold(value)) or _any_parts(value)


# Most addresses are a number and words, or words and a number: one look tells, and costs a third of all the others.
_PLAIN = re.compile(r"(?:(\d+[a-z]?) )?([a-z]{2,}\.?(?:[ -]+[a-z]+\.?)*)(?: (\d+(?: ?[a-z])?))?")
_SIDED = re.compile(r"(\d+[a-z]?) ([nsew]\.? [a-z]{2,}\.?(?:[ -]+[a-z]+\.?)*)()")


def _plain_parts(low: str) -> Parts | None:
    """Of a folded address that can only be read one way, the same as `_any_parts` says."""
    match = _PLAIN.fullmatch(low) or _SIDED.fullmatch(low)
    if match is None or (match[1] and match[3]):
        return None
    tokens = _ALPHA.findall(match[2])
    if not _NOT_PLAIN.isdisjoint(tokens):
        return None
    number = (match[1] or match[3] or "").replace(" ", "")
    return _of_street(number, [token for token in tokens if token not in _DROPPED], {}, [])


def _any_parts(value: str) -> Parts:
    low = _prepared(value)
    found: dict[str, str] = {}
    if not _MARKS.isdisjoint(_ALPHA.findall(low)):
        for part, pattern in (("box", _BOX), ("unit", _UNIT), ("unit", _FLOOR)):
            low = _taken(found, part, pattern, low)
    segments = _segments(found, _RANGE.sub(r"\1-", low) if "-" in low else low)
    chosen = next((s for s in segments if any(c.isdigit() for c in s)), segments[0] if segments else "")
    rest = [word for s in segments if s is not chosen for word in words(s)] if len(segments) > 1 else []
    number, tokens = _numbered(found, chosen)
    return _of_street(number, tokens, found, rest)


def _of_street(number: str, tokens: list[str], found: dict[str, str], rest: list[str]) -> Parts:
    street = [_street_word(token) for token in tokens]
    names = [_stem(t) or w for t, w in zip(tokens, street, strict=True) if w not in _TYPES]
    names = names or [word for word in street if word not in _SIDES]
    return Parts(
        number, " ".join(street), "".join(names), found.get("unit", ""), found.get("box", ""),
        found.get("care_of", ""), " ".join(rest),
    )  # fmt: skip


def _taken(found: dict[str, str], part: str, pattern: re.Pattern[str], low: str) -> str:
    """The text without this part, which is put down in `found`."""
    match = pattern.search(low)
    if match is None:
        return low
    found.setdefault(part, next(filter(None, match.groups()), "").replace(" ", ""))
    return f"{low[: match.start()]} {low[match.end() :]}"


def _segments(found: dict[str, str], low: str) -> list[str]:
    """What stands between commas; a number by itself belongs to the street before it: Via Roma, 7."""
    segments: list[str] = []
    for piece in low.split(","):
        segment = piece.strip(" .;")
        if care_of := _CARE_OF.fullmatch(segment):
            found["care_of"] = " ".join(words(care_of[1]))
        elif segments and not any(c.isalpha() for c in segment) and not any(c.isdigit() for c in segments[-1]):
            segments[-1] += f" {segment}"
        elif segment:
            segments.append(segment)
    return segments


def _numbered(found: dict[str, str], segment: str) -> tuple[str, list[str]]:
    """The house number and the other words of the street."""
    if "/" in segment and (stair := _STAIR.search(segment)):
        inner = stair[2].replace(" ", "")[1:]
        first = stair.start() == 0  # 4/26 Mill Lane is flat 4; Ringstraße 5/12 is door 12
        house, unit = (inner, stair[1]) if first else (stair[1], inner)
        found.setdefault("unit", unit)
        segment = f"{segment[: stair.start()]}{house}{segment[stair.end() :]}"
    tokens = _TOKEN.findall(segment)
    at = _place_of_number(tokens)
    if at is not None and 0 < at < len(tokens) - 1 and all(_HOUSE.fullmatch(token) for token in tokens[at:]):
        found.setdefault("unit", "".join(tokens[at + 1 :]))  # Mannerheimintie 12 B 24
        tokens = tokens[: at + 1]
    return ("" if at is None else tokens[at]), [
        _ORDINAL.sub(r"\1", token) for n, token in enumerate(tokens) if n != at and token not in _DROPPED
    ]


def _place_of_number(tokens: list[str]) -> int | None:
    """In front, else at the beginning of the last numbers: the 17 in Straße des 17. Juni 135 is no house."""
    if len(tokens) > 1 and _HOUSE.fullmatch(tokens[0]):
        return 0
    at = next((n for n in range(len(tokens) - 1, -1, -1) if _HOUSE.fullmatch(tokens[n])), None)
    while at and _HOUSE.fullmatch(tokens[at - 1]):
        at -= 1
    return at


def house_number(value: str) -> str | None:
    """The house number of a street address.

    >>> house_number("12 Main Street"), house_number("Hauptstr. 5 A"), house_number("Hauptstraße")
    ('12', '5a', None)
    """
    return parts(value).number or None


def street_name(value: str) -> str | None:
    """The street's own name without its number, sides of the town and words like street, or None.

    >>> street_name("2306 W. Maypole"), street_name("2306 West Maypole Ave"), street_name("Postfach 12")
    ('maypole', 'maypole', None)
    """
    return parts(value).name or None


# ------------------------------------------------------------------------------------------- a whole address


class Whole(NamedTuple):
    """What can be known of an address given in one text; None for what can't."""

    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None


_REGIONS = {
    "US": listed(
        "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR"
        " PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR"
    ),
    "CA": listed("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
    "AU": listed("NSW VIC QLD SA WA TAS NT ACT"),
}
_REGION_LAST = [  # region and code stand at the end: Oak Park IL 60302
    (home, re.compile(rf"^(.*?)[\s,]+({'|'.join(sorted(regions))})[\s,.]+({code})$", re.IGNORECASE))
    for (home, regions), code in zip(
        _REGIONS.items(), (r"\d{5}(?:-?\d{4})?", r"[A-Z]\d[A-Z] ?\d[A-Z]\d", r"\d{4}"), strict=True
    )
]
_CODE_LAST = re.compile(
    r"^(.*?)[\s,]+([A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{5}(?:-\d{4})?)$", re.IGNORECASE
)
_CODE_FIRST = re.compile(  # Hauptstr. 5, D-10115 Berlin
    r"^(.*[^\W\d_].*?)[\s,]+(?:[A-Z]{1,3}-)?(\d{2}-\d{3}|\d{4}-\d{3}|\d{4} ?[A-Z]{2}(?=\s)|\d{3} \d{2}|\d{4,5})[\s,]+"
    r"([^\W\d_][^\d,]*)(?:,.*)?$"
)
_PROVINCE = re.compile(r"(.+?) \(?([A-Z]{2})\)?")  # Roma RM


def whole(text: str, country: str | None = None) -> Whole:
    """An address given in one text, parted where its form tells; what it leaves open stays in the street.

    >>> whole("27 Washington Blvd Oak Park IL 60302")
    Whole(street='27 Washington Blvd', postal_code='60302', city='Oak Park', region='IL', country='US')
    >>> whole("Hauptstr. 5, D-10115 Berlin, Deutschland")
    Whole(street='Hauptstr. 5', postal_code='10115', city='Berlin', region=None, country='DE')
    >>> whole("27 Washington Oak Park IL 60302").city is None  # nothing says where the street ends
    True
    """
    front, home = _country_cut(collapse(_BREAK.sub(", ", text)).strip(" ,."))
    home = home or country
    for there, pattern in _REGION_LAST:
        if home in (None, there) and (found := pattern.match(front)):
            street, city = _street_and_city(found[1])
            return Whole(street, _postal(found[3], there), city, found[2].upper(), there)
    if found := _CODE_FIRST.match(front):
        city, region = found[3].strip(" .-"), None
        if home == "IT" and (province := _PROVINCE.fullmatch(city)):
            city, region = province[1], province[2]
        return Whole(found[1].strip(" ,"), _postal(found[2], home), city, region, home)
    if found := _CODE_LAST.match(front):
        street, city = _street_and_city(found[1])
        return Whole(street, _postal(found[2], home), city, None, home)
    street, city = _street_and_city(front)
    return Whole(street, None, city, None, home)


def _postal(code: str, country: str | None) -> str | None:
    try:
        return clean_postal(code, country)
    except Unclean:
        return None


def _country_cut(text: str) -> tuple[str, str | None]:
    """The text without the country at its end. Codes of two letters are no countries here: IL is Illinois, too."""
    for cut in (text.rfind(","), *(m.start() for m in re.finditer(r" (?=\S+(?: \S+){0,2}$)", text))):
        last = text[cut + 1 :].strip()
        if cut > 0 and (len(last) > 2 or last.upper() == "UK") and not any(c.isdigit() for c in last):
            try:
                return text[:cut].strip(" ,"), countries.clean(last)
            except Unclean:
                continue
    return text, None


def _street_and_city(front: str) -> tuple[str | None, str | None]:
    """Parted at the last comma, behind the street's last word of a kind like street, or before a town we know."""
    street, comma, last = front.rpartition(",")
    if comma and last.strip() and not any(c.isdigit() for c in last):
        return street.strip(" ,"), last.strip()
    pieces = front.split(" ")
    for n in range(len(pieces) - 1, 1, -1):
        if "".join(words(" ".join(pieces[n:]))) in _TOWNS:
            return " ".join(pieces[:n]), " ".join(pieces[n:])
    for n in range(len(pieces) - 2, 0, -1):
        if _is_type(pieces[n]) and not any(c.isdigit() for piece in pieces[n + 1 :] for c in piece):
            behind = n + 1 + (words(pieces[n + 1])[:1] in [[side] for side in _SIDES] and n + 2 < len(pieces))
            return " ".join(pieces[:behind]), " ".join(pieces[behind:])
    return front or None, None


def _is_type(piece: str) -> bool:
    found = words(piece)
    return len(found) == 1 and found[0] not in _SIDES and _street_word(found[0]) in _TYPES - _SIDES


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


def postal_area(value: str) -> str | None:
    """The part of the country a code stands for: what stays when its end is mistyped.

    >>> postal_area("SW1A 1AA"), postal_area("60302-1234"), postal_area("K1A 0B1"), postal_area("1010")
    ('SW1A', '603', 'K1A', '10')
    """
    code = postal_key(value)
    if len(code) < 3:
        return None
    if code[0].isalpha():
        return code[:-3] if len(code) > 4 else code[:2]
    return code[:3] if len(code) > 4 else code[:2]


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
    "|london londres londra londyn|moskva moscow moskau moscou|stpetersburg stpeterburg"
    "|kyiv kiev kiew kijow|beijing peking pekin|newyork newyorkcity nyc|athina athens athen athenes"
    "|luxembourg luxemburg|tallinn reval|riga ryga|vilnius wilna wilno|pori bjorneborg|lahti lahtis|vaasa vasa"
    "|kokkola karleby|porvoo borga|kauniainen grankulla|rauma raumo|hameenlinna tavastehus|lappeenranta villmanstrand"
    "|kerava kervo|jarvenpaa traskanda|kirkkonummi kyrkslatt|sipoo sibbo|raasepori raseborg|pietarsaari jakobstad"
    "|uusikaupunki nystad|naantali nadendal|savonlinna nyslott|hyvinkaa hyvinge|tammisaari ekenas|lohja lojo"
    "|brugge bruges bruegge|leuven louvain|mechelen malines|kortrijk courtrai|namur namen|biel bienne bielbienne"
    "|solothurn soleure|neuchatel neuenburg|chur coire|sion sitten|thessaloniki saloniki salonica|trieste triest"
    "|trento trient|mantova mantua|livorno leghorn|merano meran|brixen bressanone|donostia sansebastian"
    "|pamplona iruna|vitoriagasteiz vitoria gasteiz|alicante alacant|acoruna lacoruna coruna|palmademallorca palma"
    "|izmir smyrna|bengaluru bangalore|mumbai bombay|chennai madras|kolkata calcutta|pune poona"
    "|gurugram gurgaon|lviv lwow lvov lemberg|odesa odessa|kharkiv kharkov|dnipro dnepropetrovsk|chisinau kishinev"
    "|klaipeda memel|kaunas kowno|kaliningrad konigsberg|brasov kronstadt|clujnapoca cluj klausenburg"
    "|sibiu hermannstadt|timisoara temeswar temesvar|gyor raab|pecs funfkirchen|sopron odenburg|plzen pilsen"
    "|ostrava ostrau|olomouc olmutz|liberec reichenberg|ceskebudejovice budweis|kosice kaschau|katowice kattowitz"
    "|bydgoszcz bromberg|opole oppeln|gliwice gleiwitz|beograd belgrade belgrad|sofia sofija|skopje uskub|tirana tirane"
    "|hochiminhcity saigon|yangon rangoon|losangeles la|sanfrancisco sf|washingtondc washington"
    "|mexicocity ciudaddemexico cdmx mexicodf|lahabana havana habana|telaviv telavivyafo|cairo kairo alqahira"
    "|tokyo tokio|singapore singapur singapour|seoul soul seul|dublin baileathacliath|cardiff caerdydd"
    "|edinburgh edimburgo|denbosch shertogenbosch|malmo malmoe|tromso tromsoe"
)
_TOWNS = {
    "".join(words(name)): "".join(words(names.split()[0]))
    for names in _TOWNS_TABLE.split("|")
    for name in names.split()
}


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


_TOWN_WORDS = dict.fromkeys(("sankt", "saint", "sainte", "szent"), "st") | {"ft": "fort", "mt": "mount"}


def city_key(value: str) -> str:
    """Folded without spaces, one name for a town with several.

    >>> city_key("München") == city_key("Munich"), city_key("Frankfurt a.M.") == city_key("Frankfurt am Main")
    (True, True)
    >>> city_key("St. Gallen") == city_key("Sankt Gallen"), city_key("Frankfurt (Oder)")
    (True, 'frankfurtoder')
    """
    town = "".join(_TOWN_WORDS.get(word, word) for word in words(value))
    return _TOWNS.get(town, town) or same_key(value)


_SOUNDS = (("sch", "s"), ("ph", "f"), ("th", "t"), ("ck", "k"), ("ch", "k"), ("x", "ks"))
_SOUND = str.maketrans("cqgzvdby", "kkksftpi")
_INNER_VOWELS = re.compile(r"(?<=.)[aeiouhw]+")
_TWICE = re.compile(r"(.)\1+")


def city_sound(value: str) -> str | None:
    """How a town's name sounds: the same for most slips of the pen, and for some other towns.

    >>> city_sound("Philadelphia") == city_sound("Filadelfia"), city_sound("Hanover") == city_sound("Hannovre")
    (True, True)
    """
    heard = city_key(value)
    for letters, sound in _SOUNDS:
        heard = heard.replace(letters, sound)
    return _TWICE.sub(r"\1", _INNER_VOWELS.sub("", heard.translate(_SOUND))) or None


def weak_street(value: str) -> str | None:
    """Why this address is no evidence, or None.

    >>> weak_street("Hauptstraße"), weak_street("Hauptstraße 5")
    ('no house number', None)
    """
    return None if any(c.isdigit() for c in value) else "no house number"

"""Numbers: money, quantities, percents, and currencies. Plain decimals with a dot, never a float."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from omnihub.fields.text import Unclean, listed

MAX_DECIMALS = 6  # finer digits are the noise of binary floats
MAX_WHOLE_DIGITS = 15

CURRENCIES = listed("""
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND
    VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
""")
_CURRENCY_NAMES = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "pound sterling": "GBP", "pfund": "GBP",
    "us$": "USD", "us-dollar": "USD", "us dollar": "USD", "us dollars": "USD", "usd$": "USD",
    "zł": "PLN", "zloty": "PLN", "złoty": "PLN", "sfr": "CHF", "sfr.": "CHF", "fr.": "CHF", "franken": "CHF",
    "schweizer franken": "CHF", "swiss franc": "CHF", "kč": "CZK", "₽": "RUB", "₹": "INR", "₺": "TRY", "₴": "UAH",
    "a$": "AUD", "c$": "CAD", "ca$": "CAD", "r$": "BRL", "ft": "HUF", "yen": "JPY", "rmb": "CNY",
}  # fmt: skip
# Signs of several currencies: only the country tells which.
_SHARED_SIGNS = {
    "$": {"US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "MX": "MXN", "SG": "SGD", "HK": "HKD"},
    "kr": {"SE": "SEK", "NO": "NOK", "DK": "DKK", "IS": "ISK"},
    "¥": {"JP": "JPY", "CN": "CNY"},
}


def clean_currency(text: str, country: str | None = None) -> str:
    """The ISO 4217 code.

    >>> clean_currency("eur"), clean_currency("€"), clean_currency("$", "CA")
    ('EUR', 'EUR', 'CAD')
    """
    code = text.upper()
    if code in CURRENCIES:
        return code
    low = text.lower()
    named = _CURRENCY_NAMES.get(low)
    if named is None and (shared := _SHARED_SIGNS.get(low.rstrip("."))):
        named = shared.get(country or "")
        if named is None:
            raise Unclean("sign of several currencies")
    if named is None:
        raise Unclean("not a currency")
    return named


_PLAIN = re.compile(rf"(-?)(0|[1-9][0-9]{{0,{MAX_WHOLE_DIGITS - 1}}})(?:\.([0-9]{{1,{MAX_DECIMALS}}}))?")


def clean_money(text: str, country: str | None = None) -> str:
    """A decimal with two places, or more where they say something.

    >>> clean_money("1.234,50"), clean_money("1,234.50 EUR"), clean_money("19.9"), clean_money("0.0125")
    ('1234.50', '1234.50', '19.90', '0.0125')
    >>> clean_money("(5)"), clean_money("CHF 1'000.-"), clean_money("19.990000000000002")
    ('-5.00', '1000.00', '19.99')
    """
    match = _PLAIN.fullmatch(text)
    if match:
        return _written(*match.groups(default=""), places=2)
    return _number(_undressed(text), country, places=2)


def clean_quantity(text: str, country: str | None = None) -> str:
    """A decimal without needless zeros.

    >>> clean_quantity("3.0"), clean_quantity("2,5"), clean_quantity("1e3")
    ('3', '2.5', '1000')
    """
    match = _PLAIN.fullmatch(text)
    if match:
        return _written(*match.groups(default=""), places=0)
    return _number(text, country, places=0)


def clean_percent(text: str, country: str | None = None) -> str:
    """A decimal; 12.5 means 12.5 %.

    >>> clean_percent("12,5 %"), clean_percent("15")
    ('12.5', '15')
    """
    return clean_quantity(text.removesuffix("%").rstrip(), country)


def clean_share(text: str, country: str | None = None) -> str:
    """The percents of a share of one.

    >>> clean_share("0.1"), clean_share("0.125"), clean_share("1")
    ('10', '12.5', '100')
    """
    share = Decimal(clean_quantity(text, country))
    return clean_quantity(f"{share * 100:f}")


def _written(sign: str, whole: str, fraction: str, *, places: int) -> str:
    fraction = fraction.rstrip("0").ljust(places, "0")
    number = f"{whole}.{fraction}" if fraction else whole
    return sign + number if sign and number.strip("0.") else number


_SIGNS = re.compile("[€$£¥₹₽₺₴%]")
_NAME_IN_FRONT = re.compile(r"^([+-]?)\s*([A-Za-zčłŁ]{2,3})\.?\s*(?=[-+.,(\d])")
_NAME_BEHIND = re.compile(r"(?<=[\d.,\s)-])\s*([A-Za-zčłŁ]{2,3})\.?$")


def _undressed(text: str) -> str:
    """The number without a currency around it."""
    bare = _SIGNS.sub("", text).strip()
    front = _NAME_IN_FRONT.match(bare)
    if front and _is_currency(front[2]):
        bare = front[1] + bare[front.end() :]
    behind = _NAME_BEHIND.search(bare)
    if behind and _is_currency(behind[1]):
        bare = bare[: behind.start()].strip()
    return bare


def _is_currency(name: str) -> bool:
    return name.upper() in CURRENCIES or name.lower() in _CURRENCY_NAMES or name.lower() in ("kr", "fr", "us", "sfr")


_SPACES = re.compile(r"[\s'’`´_]+")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?[eE][+-]?[0-9]{1,2}")
_DIGITS_AND_MARKS = re.compile(r"([+-]?)([0-9.,]*[0-9][0-9.,]*)")
_GROUPED = {",": re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}"), ".": re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+")}
_DOT_COUNTRIES = listed("US GB IE CA AU NZ IN SG HK MY PH TH JP CN KR TW IL MX PK BD NG KE")


def _number(text: str, country: str | None, places: int) -> str:
    if len(text) > 2 and not text.strip("0"):
        raise Unclean("a placeholder")  # 0 is a number, 0000 is a filled-in form
    bare = _SPACES.sub("", text).replace("−", "-").replace(".-", "").replace(",-", "").replace(".–", "")
    negative = bare.startswith("(") and bare.endswith(")")
    bare = bare.strip("()") if negative else bare
    if bare.endswith("-"):
        negative, bare = True, bare[:-1]
    if not _SCIENTIFIC.fullmatch(bare):
        match = _DIGITS_AND_MARKS.fullmatch(bare)
        if not match:
            raise Unclean("not a number")
        bare = match[1] + _with_dot(match[2], country)
    return _rounded(bare, negative, places)


def _with_dot(body: str, country: str | None) -> str:
    """Digits with at most one dot: which mark groups thousands and which is the decimal one."""
    dots, commas = body.count("."), body.count(",")
    if dots and commas:
        decimal, thousands = (".", ",") if body.rfind(".") > body.rfind(",") else (",", ".")
        whole, _, fraction = body.rpartition(decimal)
        if decimal in whole or not _GROUPED[thousands].fullmatch(whole):
            raise Unclean("not a number")
        return f"{whole.replace(thousands, '')}.{fraction}"
    if dots <= 1 and not commas:
        return body  # one dot is the decimal point: so JSON and every API writes it
    if commas == 1:
        return _with_comma(body, country)
    if not _GROUPED["." if dots else ","].fullmatch(body):
        raise Unclean("not a number")
    return body.replace(".", "").replace(",", "")


def _with_comma(body: str, country: str | None) -> str:
    whole, _, fraction = body.partition(",")
    if len(fraction) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        return f"{whole}.{fraction}"
    if country is None:
        raise Unclean("a comma that may mean thousands or decimals")
    return whole + fraction if country in _DOT_COUNTRIES else f"{whole}.{fraction}"


def _rounded(bare: str, negative: bool, places: int) -> str:
    try:
        number = Decimal(bare)
        if abs(number) >= 10**MAX_WHOLE_DIGITS:
            raise Unclean("too large a number")
        number = number.quantize(Decimal(1).scaleb(-MAX_DECIMALS), ROUND_HALF_UP)
    except InvalidOperation:
        raise Unclean("not a number") from None
    whole, _, fraction = f"{abs(number):f}".partition(".")
    return _written("-" if negative != (number < 0) else "", whole, fraction, places=places)

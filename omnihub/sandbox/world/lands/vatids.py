"""VAT ids whose check digits are right, a different one for each serial number below a million."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stdnum import luhn
from stdnum.at import uid as at_uid
from stdnum.ch import uid as ch_uid
from stdnum.es import cif
from stdnum.fi import alv
from stdnum.iso7064 import mod_11_10
from stdnum.nl import bsn
from stdnum.pl import nip

SERIALS = 1_000_000


def vat_id(country: str, serial: int) -> str | None:
    """The compact id with its country prefix; None where there are no VAT ids (US)."""
    make = _MAKERS.get(country)
    return make(f"3{(serial * 736_879 + 4_711) % SERIALS:06d}") if make else None


def _de(seven: str) -> str:
    body = "2" + seven
    return f"DE{body}{mod_11_10.calc_check_digit(body)}"


def _at(seven: str) -> str:
    return f"ATU{seven}{at_uid.calc_check_digit('U' + seven)}"


def _first(candidates: Iterable[str], fits: Callable[[str], bool]) -> str:
    return next(c for c in candidates if fits(c))


# Some sums have no check digit in Finland, the Netherlands, Poland and Switzerland: then a digit before them is varied.
def _fi(seven: str) -> str:
    bodies = (f"{a}{seven[1:]}{c}" for a in "2013" for c in "0123456789")
    return "FI" + _first(bodies, lambda n: alv.checksum(n) == 0)


def _nl(seven: str) -> str:
    return (
        "NL" + _first((f"{a}{seven}{c}" for a in "1234" for c in "0123456789"), lambda n: bsn.checksum(n) == 0) + "B01"
    )


def _fr(seven: str) -> str:
    siren = "4" + seven
    siren += luhn.calc_check_digit(siren)
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def _pl(seven: str) -> str:
    bodies = (f"{a}{seven}{c}" for a in ("52", "53", "54") for c in "0123456789")
    return "PL" + _first(bodies, lambda n: nip.checksum(n) == 0)


def _it(seven: str) -> str:
    body = seven + "015"
    return f"IT{body}{luhn.calc_check_digit(body)}"


def _es(seven: str) -> str:
    return f"ESB{seven}{cif.calc_check_digits('B' + seven)[0]}"


def _se(seven: str) -> str:
    body = "55" + seven
    return f"SE{body}{luhn.calc_check_digit(body)}01"


def _gb(seven: str) -> str:
    # 7 serial digits and a two-digit remainder; an id may not start below 100
    total = sum(w * int(d) for w, d in zip((8, 7, 6, 5, 4, 3, 2), seven, strict=True))
    return f"GB{seven}{97 - total % 97:02d}"


def _ch(seven: str) -> str:
    body = _first((first + seven for first in "123"), lambda b: ch_uid.calc_check_digit(b) != "10")
    return f"CHE{body}{ch_uid.calc_check_digit(body)}"


_MAKERS: dict[str, Callable[[str], str]] = {
    "DE": _de,
    "AT": _at,
    "FI": _fi,
    "NL": _nl,
    "FR": _fr,
    "PL": _pl,
    "IT": _it,
    "ES": _es,
    "SE": _se,
    "GB": _gb,
    "CH": _ch,
}

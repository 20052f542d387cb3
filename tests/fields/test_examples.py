"""What each kind of value makes of what people and systems write."""

from __future__ import annotations

import pytest

from omnihub import fields
from omnihub.model import Kind

CLEAN: list[tuple[Kind, str, str | None]] = [
    (Kind.TEXT, "Pump  unit,\r\n\r\n 3 kW ", "Pump unit,\n\n3 kW"),
    (Kind.TEXT, "Unknown error in test bench", "Unknown error in test bench"),
    (Kind.NAME, "MÜLLER", "Müller"),
    (Kind.NAME, "Mu\u0308ller", "Müller"),
    (Kind.NAME, "o'neil", "O'Neil"),
    (Kind.NAME, "JEAN-LUC", "Jean-Luc"),
    (Kind.NAME, "de la cruz", "de la Cruz"),
    (Kind.NAME, "VON DER LEYEN", "von der Leyen"),
    (Kind.NAME, "van", "Van"),
    (Kind.NAME, "McGregor", "McGregor"),
    (Kind.NAME, "JP", "JP"),
    (Kind.NAME, "HENRY III", "Henry III"),
    (Kind.NAME, "Prof. Dr. Anna Schmidt", "Anna Schmidt"),
    (Kind.NAME, "Sr. García", "García"),
    (Kind.NAME, "Meyer, MBA", "Meyer"),
    (Kind.NAME, "Null", "Null"),
    (Kind.NAME, "Nan", "Nan"),
    (Kind.NAME, "王小明", "王小明"),
    (Kind.NAME, "Ольга", "Ольга"),
    (Kind.COMPANY, " Müller  Maschinenbau GmbH", "Müller Maschinenbau GmbH"),
    (Kind.COMPANY, "Test Solutions GmbH", "Test Solutions GmbH"),
    (Kind.COMPANY, "3M", "3M"),
    (Kind.EMAIL, "Anna.Schmidt@Firma.DE", "anna.schmidt@firma.de"),
    (Kind.EMAIL, "Anna <anna@firma.de>", "anna@firma.de"),
    (Kind.EMAIL, "mailto:a+b@firma.de", "a+b@firma.de"),
    (Kind.EMAIL, "anna@xn--mller-kva.de", "anna@müller.de"),
    (Kind.PHONE, "+49 (0)30 901820", "+4930901820"),
    (Kind.PHONE, "0049 30 901820", "+4930901820"),
    (Kind.PHONE, "+1 212 555 0199 ext. 44", "+12125550199x44"),
    (Kind.PHONE, "tel: +49 30 901820 (Büro)", "+4930901820"),
    (Kind.DOMAIN, "https://www.Firma.de:8080/x?y", "firma.de"),
    (Kind.DOMAIN, "user@firma.de", "firma.de"),
    (Kind.ADDRESS, "Hauptstr. 5\nHaus  B", "Hauptstr. 5, Haus B"),
    (Kind.POSTAL, "D-10115", "10115"),
    (Kind.POSTAL, "1012ab", "1012 AB"),
    (Kind.POSTAL, "K1A 0B1", "K1A 0B1"),
    (Kind.CITY, "FRANKFURT AM MAIN", "Frankfurt am Main"),
    (Kind.CITY, "Leer", "Leer"),
    (Kind.COUNTRY, "Deutschland", "DE"),
    (Kind.COUNTRY, "USA", "US"),
    (Kind.COUNTRY, "NA", "NA"),
    (Kind.COUNTRY, "uk", "GB"),
    (Kind.COUNTRY, "Россия", "RU"),
    (Kind.VAT, "de 136.695.976", "DE136695976"),
    (Kind.VAT, "GR094259216", "EL094259216"),
    (Kind.VAT, "CHE-107.787.577 MWST", "CHE107787577"),
    (Kind.VAT, "NO 995 525 828 MVA", "NO995525828"),
    (Kind.VAT, "U13585627", "ATU13585627"),
    (Kind.SKU, " ab–0012 ", "AB-0012"),
    (Kind.SKU, "0012", "0012"),
    (Kind.GTIN, "036000291452", "0036000291452"),
    (Kind.MONEY, "1234.5", "1234.50"),
    (Kind.MONEY, "1.234,50", "1234.50"),
    (Kind.MONEY, "1,234.50", "1234.50"),
    (Kind.MONEY, "1 234,50 €", "1234.50"),
    (Kind.MONEY, "1'234.50", "1234.50"),
    (Kind.MONEY, "(12.00)", "-12.00"),
    (Kind.MONEY, "0.0125", "0.0125"),
    (Kind.MONEY, "-0", "0.00"),
    (Kind.MONEY, "1e6", "1000000.00"),
    (Kind.MONEY, "5555", "5555.00"),
    (Kind.MONEY, "0.30000000000000004", "0.30"),
    (Kind.QUANTITY, "3.0", "3"),
    (Kind.QUANTITY, "0,5", "0.5"),
    (Kind.PERCENT, "12,50 %", "12.5"),
    (Kind.CURRENCY, "€", "EUR"),
    (Kind.CURRENCY, "usd", "USD"),
    (Kind.LANGUAGE, "pt_BR", "pt"),
    (Kind.LANGUAGE, "Deutsch", "de"),
    (Kind.DATE, "2026-11-21T23:30:00+02:00", "2026-11-21"),
    (Kind.DATE, "21.11.2026", "2026-11-21"),
    (Kind.DATE, "31/12/2025", "2025-12-31"),
    (Kind.DATE, "Nov 21, 2026", "2026-11-21"),
    (Kind.TIME, "2026-11-21T22:18:46.000+0000", "2026-11-21T22:18:46Z"),
    (Kind.TIME, "2026-11-21T22:18:46-05:30", "2026-11-22T03:48:46Z"),
    (Kind.TIME, "1795299526000", "2026-11-21T22:18:46Z"),
    (Kind.TIME, "1795299526", "2026-11-21T22:18:46Z"),
    (Kind.TIME, "2026-11-21", "2026-11-21T00:00:00Z"),
    (Kind.BOOLEAN, "TRUE", "true"),
    (Kind.BOOLEAN, "0", "false"),
    (Kind.CONSENT, "SUBSCRIBED", "yes"),
    (Kind.CONSENT, "NOT_SUBSCRIBED", "no"),
    (Kind.CONSENT, "PENDING", None),
    (Kind.CODE, " A-Kunde ", "A-Kunde"),
    (Kind.CODE, "0000", "0000"),
    (Kind.WEIGHT, "1,5 kg", "1.5"),
    (Kind.WEIGHT, "1.5", "1.5"),
    (Kind.WEIGHT, '{"unit": "GRAMS", "value": 250.0}', "0.25"),
    (Kind.WEIGHT, "2 lbs", "0.907185"),
    (Kind.WEIGHT, "0 g", None),
    (Kind.FILE, "https://cdn.example.com/1/om-1.jpg?v=17", "om-1.jpg"),
    (Kind.FILE, "https://cdn.example.com/a/om-1_0f3c6a7e-1111-4222-8333-444455556666.jpg", "om-1.jpg"),
    (Kind.FILE, "om-1.jpg", "om-1.jpg"),
    (Kind.SEVERAL, '["Web shop","Portal"]', "Portal;Web shop"),
    (Kind.SEVERAL, "portal; Web shop, Portal", "portal;Web shop"),
    (Kind.LINK, "shopify/customers/gid://shopify/Customer/7", "shopify/customers/gid://shopify/Customer/7"),
    (Kind.LINKS, '["shop/customers/b", "shop/customers/a", "shop/customers/b"]', "shop/customers/a;shop/customers/b"),
    (Kind.LINKS, "[]", None),
]


@pytest.mark.parametrize(("kind", "raw", "expected"), CLEAN)
def test_a_value_is_brought_into_its_canonical_form(kind: Kind, raw: str, expected: str | None) -> None:
    assert fields.clean(kind, raw) == expected


UNCLEAN: list[tuple[Kind, str, str]] = [
    *((kind, "n/a", "a placeholder") for kind in Kind if kind not in (Kind.LINK, Kind.LINKS)),
    *((kind, "x" * 10_001, "longer than 10,000 characters") for kind in Kind),
    *((kind, "a\x00b", "holds control characters") for kind in Kind),
    (Kind.TEXT, "asdf", "a placeholder"),
    (Kind.TEXT, "xxx", "one character over and over"),
    (Kind.NAME, "Test", "a placeholder"),
    (Kind.NAME, "unknown", "a placeholder"),
    (Kind.NAME, "NULL", "a placeholder"),
    (Kind.NAME, "Dr. Test", "a placeholder"),
    (Kind.NAME, "Dr.", "a title, not a name"),
    (Kind.NAME, "Anna 😀", "an emoji or broken character in a name"),
    (Kind.NAME, "anna@firma.de", "an e-mail address, not a name"),
    (Kind.NAME, "Müller GmbH", "a company, not a person"),
    (Kind.NAME, "Müller GmbH,", "a company, not a person"),
    (Kind.NAME, "123", "no letters in a name"),
    (Kind.COMPANY, "Test GmbH", "a placeholder"),
    (Kind.COMPANY, "privat", "a placeholder"),
    (Kind.EMAIL, "test@test.com", "a placeholder"),
    (Kind.EMAIL, "noemail@firma.de", "a placeholder"),
    (Kind.EMAIL, "none", "a placeholder"),
    (Kind.EMAIL, "anna@firma", "not a valid e-mail address"),
    (Kind.EMAIL, "anna.@firma.de", "not a valid e-mail address"),
    (Kind.EMAIL, "anna@firma..de", "not a valid e-mail address"),
    (Kind.EMAIL, "a@x.de; b@x.de", "more than one e-mail address"),
    (Kind.PHONE, "0000", "one character over and over"),
    (Kind.PHONE, "000-000-0000", "a placeholder"),
    (Kind.PHONE, "+49 12", "not a valid phone number"),
    (Kind.PHONE, "030 901820", "not a valid phone number (no country)"),
    (Kind.DOMAIN, "firma", "not a domain"),
    (Kind.DOMAIN, "192.168.0.1", "not a domain"),
    (Kind.POSTAL, "00000", "a placeholder"),
    (Kind.POSTAL, "Berlin", "not a postal code"),
    (Kind.CITY, "123", "no letters in a town's name"),
    (Kind.COUNTRY, "Atlantis", "not a country"),
    (Kind.VAT, "DE136695977", "not a valid VAT id"),
    (Kind.VAT, "DE123456789", "a placeholder"),
    (Kind.VAT, "CHE107787578", "not a valid VAT id"),
    (Kind.SKU, "0000", "a placeholder"),
    (Kind.GTIN, "4006381333932", "not a valid GTIN"),
    (Kind.GTIN, "0000000000000", "one character over and over"),
    (Kind.MONEY, "free", "not a number"),
    (Kind.MONEY, "NaN", "not a number"),
    (Kind.MONEY, "0000", "a placeholder"),
    (Kind.MONEY, "1,234", "a comma that may mean thousands or decimals"),
    (Kind.MONEY, "1e300", "not a number"),
    (Kind.MONEY, "9" * 16, "too large a number"),
    (Kind.QUANTITY, "three", "not a number"),
    (Kind.CURRENCY, "XXX", "not a currency"),
    (Kind.CURRENCY, "$", "sign of several currencies"),
    (Kind.LANGUAGE, "Klingon", "not a language"),
    (Kind.DATE, "9999-12-31", "a year out of range"),
    (Kind.DATE, "2026-02-30", "an impossible date"),
    (Kind.DATE, "3/4/2026", "day and month can be swapped"),
    (Kind.TIME, "9999-12-31T23:59:59Z", "a year out of range"),
    (Kind.TIME, "2026-11-21T25:00:00Z", "an impossible time"),
    (Kind.TIME, "0", "not a date"),
    (Kind.BOOLEAN, "perhaps", "neither true nor false"),
    (Kind.CONSENT, "perhaps", "neither a yes nor a no"),
]


@pytest.mark.parametrize(("kind", "raw", "reason"), UNCLEAN, ids=lambda value: str(value)[:20])
def test_what_cannot_be_right_is_refused_with_a_reason(kind: Kind, raw: str, reason: str) -> None:
    with pytest.raises(fields.Unclean) as why:
        fields.clean(kind, raw)
    assert str(why.value) == reason


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("raw", ["", " ", "-", " -- ", "—", "−", "?", "\u200b", "..."])
def test_an_empty_place_is_no_value_of_any_kind(kind: Kind, raw: str) -> None:
    assert fields.clean(kind, raw) is None


@pytest.mark.parametrize(
    ("kind", "raw", "country", "expected"),
    [
        (Kind.PHONE, "030 901820", "DE", "+4930901820"),
        (Kind.PHONE, "09 1234 5678", "FI", "+358912345678"),
        (Kind.PHONE, "030 901820 Durchwahl 12", "DE", "+4930901820x12"),
        (Kind.VAT, "136695976", "DE", "DE136695976"),
        (Kind.VAT, "2077474-0", "FI", "FI20774740"),
        (Kind.VAT, "107.787.577", "CH", "CHE107787577"),
        (Kind.VAT, "556012-5790", "SE", "SE556012579001"),
        (Kind.VAT, "FI20774740", "DE", "FI20774740"),
        (Kind.POSTAL, "1067", "DE", "01067"),
        (Kind.POSTAL, "11122", "SE", "111 22"),
        (Kind.POSTAL, "8001", "CH", "8001"),
        (Kind.MONEY, "1,234", "US", "1234.00"),
        (Kind.MONEY, "1,234", "DE", "1.234"),
        (Kind.DATE, "3/4/2026", "US", "2026-03-04"),
        (Kind.DATE, "3/4/2026", "GB", "2026-04-03"),
        (Kind.CURRENCY, "kr", "SE", "SEK"),
    ],
)
def test_the_country_tells_what_a_local_value_means(kind: Kind, raw: str, country: str, expected: str) -> None:
    assert fields.clean(kind, raw, country=country) == expected


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (Kind.NAME, "Müller", "MÜLLER"),
        (Kind.NAME, "Anna Maria", " anna  maria"),
        (Kind.COMPANY, "Acme GmbH", "ACME GmbH"),
        (Kind.ADDRESS, "Hauptstr. 5, Haus B", "Hauptstr. 5 Haus B"),
        (Kind.POSTAL, "SW1A 1AA", "SW1A1AA"),
        (Kind.TEXT, "Head of  Sales", "head of sales"),
    ],
)
def test_case_and_white_space_make_no_difference(kind: Kind, left: str, right: str) -> None:
    assert fields.same(kind, left, right)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (Kind.NAME, "Müller", "Mueller"),
        (Kind.NAME, "Müller", "Muller"),
        (Kind.COMPANY, "Acme GmbH", "Acme"),
        (Kind.ADDRESS, "Hauptstr. 5", "Hauptstr. 15"),
        (Kind.EMAIL, "a+b@firma.de", "a@firma.de"),
        (Kind.PHONE, "+4930901820", "+4930901820x12"),
        (Kind.MONEY, "19.90", "19.91"),
        (Kind.SKU, "AB-12", "AB12"),
        (Kind.LINK, "a/b/c", "a/b/C"),
    ],
)
def test_another_spelling_is_a_difference_worth_reporting(kind: Kind, left: str, right: str) -> None:
    assert not fields.same(kind, left, right)


def test_no_value_is_the_same_as_no_value_only() -> None:
    assert fields.same(Kind.NAME, None, None)
    assert not fields.same(Kind.NAME, None, "Anna")
    assert not fields.same(Kind.NAME, "Anna", None)

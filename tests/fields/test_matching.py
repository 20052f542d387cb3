"""Keys that see through the ways one thing is written, and values that are no evidence."""

from __future__ import annotations

import pytest

from omnihub import fields
from omnihub.model import Kind


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        (Kind.NAME, ["Müller", "Mueller", "Muller", "MÜLLER"]),
        (Kind.NAME, ["Hans-Peter", "Hans Peter", "Hanspeter"]),
        (Kind.NAME, ["O'Brien", "OBrien", "O’Brien"]),
        (Kind.NAME, ["van der Berg", "Vanderberg", "VAN DER BERG"]),
        (Kind.NAME, ["King Jr.", "King", "King sen."]),
        (Kind.NAME, ["Sørensen", "Soerensen", "Sorensen"]),
        (Kind.NAME, ["Михаил", "Mikhail"]),
        (Kind.COMPANY, ["Müller Maschinenbau GmbH & Co. KG", "Mueller Maschinenbau GmbH", "MULLER MASCHINENBAU"]),
        (Kind.COMPANY, ["Siemens AG", "Siemens Aktiengesellschaft", "SIEMENS"]),
        (Kind.COMPANY, ["Acme, Inc.", "ACME Incorporated", "The Acme Company", "Acme Corp."]),
        (Kind.COMPANY, ["Kowalski Sp. z o.o.", "KOWALSKI SPÓŁKA Z O.O.", "Kowalski"]),
        (Kind.COMPANY, ["Nokia Oyj", "Nokia Oy", "Nokia"]),
        (Kind.COMPANY, ["Fiat S.p.A.", "Fiat SpA", "Fiat"]),
        (Kind.COMPANY, ["AT&T Inc.", "AT&T"]),
        (Kind.COMPANY, ["Meyer & Söhne", "Meyer und Soehne"]),
        (Kind.COMPANY, ["Acme Intl.", "Acme International"]),
        (Kind.COMPANY, ["ООО Ромашка", "Romashka LLC"]),
        (Kind.ADDRESS, ["Hauptstr. 5 a", "Hauptstraße 5A", "HAUPTSTRASSE 5a", "Haupt-Str. 5a"]),
        (Kind.ADDRESS, ["12 Main Street, Apt 4", "12 Main St. #4", "12 MAIN ST APARTMENT 4"]),
        (Kind.ADDRESS, ["P.O. Box 12", "PO Box 12", "Postfach 12"]),
        (Kind.CITY, ["München", "Munich", "MUENCHEN"]),
        (Kind.CITY, ["Frankfurt am Main", "Frankfurt/Main", "Frankfurt a.M.", "Frankfurt"]),
        (Kind.CITY, ["St. Gallen", "Sankt Gallen"]),
        (Kind.POSTAL, ["12345-6789", "12345"]),
        (Kind.EMAIL, ["bob.smith+shop@googlemail.com", "bobsmith@gmail.com"]),
        (Kind.EMAIL, ["anna+crm@firma.de", "anna@firma.de"]),
        (Kind.DOMAIN, ["müller.de", "mueller.de"]),
        (Kind.GTIN, ["0036000291452", "036000291452"]),
        (Kind.SKU, ["AB-0012", "AB 0012", "AB0012"]),
    ],
)
def test_spellings_of_one_thing_share_a_key(kind: Kind, spellings: list[str]) -> None:
    assert len({fields.key(kind, spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (Kind.NAME, "Michael", "Michal"),
        (Kind.NAME, "Schmidt", "Schmitz"),
        (Kind.COMPANY, "Acme Group", "Acme"),
        (Kind.COMPANY, "Acme Deutschland GmbH", "Acme Schweiz AG"),
        (Kind.COMPANY, "Berlin Zoo", "Berlin"),
        (Kind.ADDRESS, "Hauptstr. 5", "Hauptstr. 15"),
        (Kind.ADDRESS, "Hauptstr. 1 5", "Hauptstr. 15"),
        (Kind.CITY, "Frankfurt (Oder)", "Frankfurt am Main"),
        (Kind.PHONE, "+4930901820x12", "+4930901820x13"),
        (Kind.SKU, "AB-0012", "AB-12"),
        (Kind.VAT, "DE136695976", "DE811569869"),
    ],
)
def test_different_things_keep_different_keys(kind: Kind, left: str, right: str) -> None:
    assert fields.key(kind, left) != fields.key(kind, right)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (Kind.EMAIL, "info@firma.de", "role address"),
        (Kind.EMAIL, "sales-emea@firma.de", "role address"),
        (Kind.EMAIL, "buchhaltung2@firma.de", "role address"),
        (Kind.EMAIL, "anna@mailinator.com", "disposable domain"),
        (Kind.EMAIL, "anna.schmidt@firma.de", None),
        (Kind.EMAIL, "it.schmidt@firma.de", None),
        (Kind.EMAIL, "anna@gmail.com", None),
        (Kind.DOMAIN, "gmail.com", "free-mail domain"),
        (Kind.DOMAIN, "yopmail.com", "disposable domain"),
        (Kind.DOMAIN, "facebook.com", "shared host"),
        (Kind.DOMAIN, "acme.myshopify.com", "shared host"),
        (Kind.DOMAIN, "notfacebook.com", None),
        (Kind.PHONE, "+49305555555", "placeholder-like number"),
        (Kind.PHONE, "+18005550199", "service number"),
        (Kind.PHONE, "+4930901820", None),
        (Kind.NAME, "J.", "only an initial"),
        (Kind.NAME, "Jo", None),
        (Kind.ADDRESS, "Hauptstraße", "no house number"),
        (Kind.GTIN, "2012345678903", "in-store number"),
        (Kind.DATE, "1970-01-01", "a default date"),
        (Kind.TEXT, "anything", None),
    ],
)
def test_a_shared_or_made_up_value_is_no_evidence(kind: Kind, value: str, reason: str | None) -> None:
    assert fields.weak(kind, value) == reason


@pytest.mark.parametrize(
    ("raw", "first", "last"),
    [
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Schmidt, Anna", "Anna", "Schmidt"),
        ("van der Berg, Anna Maria", "Anna Maria", "van der Berg"),
        ("King, Martin Luther, Jr.", "Martin Luther", "King Jr."),
        ("Martin Luther King, Jr.", "Martin Luther", "King Jr."),
        ("Henry Ford II", "Henry", "Ford II"),
        ("Herr Dr. Hans-Peter Müller", "Hans-Peter", "Müller"),
        ("Frau Schmidt", None, "Schmidt"),
        ("Anna Schmidt, PhD", "Anna", "Schmidt"),
        ("Robert (Bob) Smith", "Robert", "Smith"),
        ("SCHMIDT Anna", "Anna", "Schmidt"),
        ("ANNA SCHMIDT", "Anna", "Schmidt"),
        ("José Ortega y Gasset", "José", "Ortega y Gasset"),
        ("Al Gore", "Al", "Gore"),
        ("van Beethoven", None, "van Beethoven"),
        ("Madonna", "Madonna", None),
        ("Schmidt,", None, "Schmidt"),
        ("Ольга Иванова", "Ольга", "Иванова"),
    ],
)
def test_a_full_name_falls_into_its_parts(raw: str, first: str | None, last: str | None) -> None:
    assert fields.clean(Kind.NAME, raw, part="first") == first
    assert fields.clean(Kind.NAME, raw, part="last") == last


@pytest.mark.parametrize("raw", ["test test", "Max Mustermann", "n/a", "unknown", "Anna Test"])
def test_a_made_up_full_name_is_refused_in_its_made_up_parts(raw: str) -> None:
    with pytest.raises(fields.Unclean):
        fields.clean(Kind.NAME, raw, part="last")


@pytest.mark.parametrize(
    "nicknames",
    [
        ["Josef", "Joseph", "Joe"],
        ["Robert", "Bob", "Rob", "Bobby", "robert j."],
        ["Johannes", "Hannes", "Hans", "Johann"],
        ["Ulrich", "Uli", "Ulli"],
        ["Catherine", "Katherine", "Kate", "Kathryn", "Katie"],
        ["Elisabeth", "Elizabeth", "Liz", "Betty", "Elżbieta"],
        ["Wilhelm", "Willi"],
        ["William", "Bill", "Will"],
        ["Małgorzata", "Gosia"],
        ["Giuseppe", "Beppe", "Peppe"],
        ["Francisco", "Paco"],
        ["Jörg", "Joerg", "Jorg"],
    ],
)
def test_nicknames_lead_back_to_one_name(nicknames: list[str]) -> None:
    assert len({fields.given(name) for name in nicknames}) == 1


@pytest.mark.parametrize("name", ["Bob", "Beto", "Hannes", "Kate", "Joe", "Sue", "Jörg", "Fritz", "Gosia", "Anna"])
def test_the_name_behind_a_nickname_is_nobodys_nickname(name: str) -> None:
    assert fields.given(fields.given(name)) == fields.given(name)


def test_names_that_are_no_nicknames_stand_for_themselves() -> None:
    assert fields.given("Pekka") == "pekka"
    assert fields.given("Liisa") == "liisa"
    assert len({fields.given(name) for name in ("Paul", "Peter", "Michael", "Stefan", "William", "Wilhelm")}) == 6


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("J.", "John", True),
        ("John", "J", True),
        ("J.P.", "Jean-Pierre", True),
        ("R.", "Bob", True),
        ("Ü.", "Ulrike", True),
        ("J.", "Anna", False),
        ("Jo", "John", False),
        ("J.", "J.", False),
        ("", "John", False),
    ],
)
def test_initials_are_recognised_as_short_for_a_name(a: str, b: str, expected: bool) -> None:
    assert fields.initial_of(a, b) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("King Jr.", "jr"),
        ("Martin Luther King, jr", "jr"),
        ("Meyer jun.", "jr"),
        ("Meyer (sen.)", "sr"),
        ("Ford II", "ii"),
        ("Gates III", "iii"),
        ("Ivanov", None),
        ("", None),
    ],
)
def test_the_generation_is_read_from_the_end_of_a_name(name: str, expected: str | None) -> None:
    assert fields.generation(name) == expected

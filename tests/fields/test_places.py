"""Where somebody is: streets of many lands in their parts, whole addresses, postal codes and towns with slips."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub import fields
from omnihub.fields import addresses
from omnihub.fields.addresses import Whole
from omnihub.model import Kind


@pytest.mark.parametrize(
    "spellings",
    [
        ["Hauptstr. 5 a", "Hauptstraße 5A", "Haupt-Str. 5a"],
        ["12 Main Street, Apt 4", "12 Main St. #4", "12 MAIN ST APARTMENT 4", "12 Main Street Suite 4"],
        ["535 E 35th St", "535 East 35th Street", "535 E. 35 St."],
        ["12 North Lake Boulevard", "12 N Lake Blvd."],
        ["12 bis rue de la Paix", "12bis Rue de la Paix", "12 b, rue de la Paix"],
        ["Calle Mayor 5", "C/ Mayor 5", "C. Mayor, 5"],
        ["ul. Długa 5", "ulica Dluga 5", "Długa 5"],
        ["Avenida da Liberdade 10", "Av. da Liberdade, 10"],
        ["P.O. Box 12", "PO Box 12", "Postfach 12", "BP 12", "Postboks 12"],
    ],
)
def test_ways_to_write_one_street_share_a_key(spellings: list[str]) -> None:
    assert len({fields.key(Kind.ADDRESS, spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("value", "number", "name", "unit"),
    [
        ("12 Main Street", "12", "main", ""),
        ("Main Street 12", "12", "main", ""),
        ("2700 S. Western", "2700", "western", ""),
        ("2700 South Western Ave.", "2700", "western", ""),
        ("514 W. 31st Street", "514", "31", ""),
        ("12 E Main St Apt B", "12", "main", "b"),
        ("Hauptstraße 5 A", "5a", "haupt", ""),
        ("Straße des 17. Juni 135", "135", "des17juni", ""),
        ("Via Roma, 7", "7", "roma", ""),
        ("Kungsgatan 5 lgh 1101", "5", "kungs", "1101"),
        ("Mannerheimintie 12 B 24", "12b", "mannerheimin", "24"),
        ("ul. Marszałkowska 10 m. 5", "10", "marszalkowska", "5"),
        ("ul. Długa 5/7", "5", "dluga", "7"),
        ("4/26 Mill Lane", "26", "mill", "4"),
        ("Level 5, 100 Collins Street", "100", "collins", "5"),
        ("Hauptstr. 12 - 14", "12-14", "haupt", ""),
        ("5th Avenue 12", "12", "5", ""),
        ("Rose Cottage, 12 Mill Lane", "12", "mill", ""),
        ("Suite 300", "", "", "300"),
        ("Hauptstraße", "", "haupt", ""),
        ("12 Millstreet", "12", "mill", ""),
    ],
)
def test_a_street_falls_into_its_parts(value: str, number: str, name: str, unit: str) -> None:
    found = addresses.parts(value)
    assert (found.number, found.name, found.unit) == (number, name, unit)


WORDS = st.lists(
    st.sampled_from(
        "n e. main mill st. street hauptstr. am haupt-strasse c bis apt box der ul. rue de 17. 5 5a 12".split()
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=400, database=None, derandomize=True)
@given(WORDS.map(" ".join))
def test_an_address_read_at_one_look_has_the_parts_that_all_looks_find(value: str) -> None:
    assert addresses.parts(value) == addresses._any_parts(value)


def test_a_box_and_whose_care_it_is_in_are_told_apart_from_the_street() -> None:
    found = addresses.parts("c/o Meier GmbH, Hauptstr. 5, Postfach 10 20 30")
    assert (found.care_of, found.street, found.number, found.box) == ("meier gmbh", "hauptst", "5", "102030")
    assert addresses.street_name("Postfach 12") is None
    assert addresses.house_number("Postfach 12") is None


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("27 Washington Blvd, Oak Park, IL 60302", Whole("27 Washington Blvd", "60302", "Oak Park", "IL", "US")),
        ("27 Washington Blvd Oak Park IL 60302", Whole("27 Washington Blvd", "60302", "Oak Park", "IL", "US")),
        ("27 Washington Oak Park IL 60302", Whole("27 Washington Oak Park", "60302", None, "IL", "US")),
        ("36 Mill St, Rochester VIC 3561", Whole("36 Mill St", "3561", "Rochester", "VIC", "AU")),
        ("12 King St W, Toronto ON M5H 1A1", Whole("12 King St W", "M5H 1A1", "Toronto", "ON", "CA")),
        ("10 Downing Street, London SW1A 2AA, UK", Whole("10 Downing Street", "SW1A 2AA", "London", None, "GB")),
        ("Hauptstr. 5\nD-10115 Berlin\nDeutschland", Whole("Hauptstr. 5", "10115", "Berlin", None, "DE")),
        ("Hauptstr. 5 10115 Berlin", Whole("Hauptstr. 5", "10115", "Berlin", None, None)),
        ("Via Roma 7, 00184 Roma RM, Italia", Whole("Via Roma 7", "00184", "Roma", "RM", "IT")),
        ("Damrak 5, 1012 AB Amsterdam", Whole("Damrak 5", "1012 AB", "Amsterdam", None, None)),
        ("Kungsgatan 5, 111 22 Stockholm", Whole("Kungsgatan 5", "111 22", "Stockholm", None, None)),
        ("12345 Main Street", Whole("12345 Main Street", None, None, None, None)),
    ],
)
def test_a_whole_address_in_one_text_gives_what_its_form_tells(text: str, whole: Whole) -> None:
    assert addresses.whole(text) == whole


@pytest.mark.parametrize(
    "towns",
    [
        ["Philadelphia", "Filadelfia", "Philadelfia", "Philladelphia"],
        ["Wien", "Vienna"],
        ["Köln", "Cologne", "Koeln"],
        ["Hannover", "Hanover", "Hannovr"],
        ["Marseille", "Marseile"],
        ["Birmingham", "Birmingam", "Birminghem"],
    ],
)
def test_a_town_with_a_slip_sounds_the_same(towns: list[str]) -> None:
    assert len({addresses.city_sound(town) for town in towns}) == 1


@pytest.mark.parametrize(
    "names",
    [
        ["Porvoo", "Borgå"],
        ["Brugge", "Bruges", "Brügge"],
        ["Mumbai", "Bombay"],
        ["Plzeň", "Pilsen"],
        ["Ft. Worth", "Fort Worth"],
        ["Kraków", "Cracow", "Krakau"],
        ["Beograd", "Belgrade"],
        ["Sankt Peterburg", "Saint Petersburg", "St. Petersburg"],
        ["Den Haag", "The Hague", "'s-Gravenhage"],
    ],
)
def test_a_town_has_one_key_in_every_language(names: list[str]) -> None:
    assert len({fields.key(Kind.CITY, name) for name in names}) == 1


def test_no_name_of_a_town_is_of_two() -> None:
    names = [name for towns in addresses._TOWNS_TABLE.split("|") for name in towns.split()]
    assert [name for name in names if names.count(name) > 1] == []


def test_towns_that_only_look_alike_sound_otherwise() -> None:
    towns = ["Berlin", "Bern", "Bremen", "Hamburg", "Homburg v.d.H.", "Frankfurt", "London", "Lincoln", "Leeds"]
    assert len({addresses.city_sound(town) for town in towns}) == len(towns)


@pytest.mark.parametrize(
    ("code", "area"),
    [("SW1A 1AA", "SW1A"), ("60302-1234", "603"), ("K1A 0B1", "K1A"), ("1010", "10"), ("00-950", "009"), ("12", None)],
)
def test_a_postal_code_tells_its_part_of_the_country(code: str, area: str | None) -> None:
    assert addresses.postal_area(code) == area


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("Germany (DE)", "DE"),
        ("FI - Suomi", "FI"),
        ("Republic of Austria", "AT"),
        ("England (UK)", "GB"),
        ("Drc", "CD"),
    ],
)
def test_a_country_is_known_by_what_people_write(raw: str, code: str) -> None:
    assert fields.clean(Kind.COUNTRY, raw) == code


def test_two_countries_in_one_text_are_none() -> None:
    with pytest.raises(fields.Unclean):
        fields.clean(Kind.COUNTRY, "Germany (AT)")

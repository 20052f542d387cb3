"""Ids of firms, articles and persons: check digits, whose number it is, which can contradict, which are made up."""

from __future__ import annotations

import pytest
from stdnum import get_cc_module

from omnihub import fields
from omnihub.fields import registers, sku
from omnihub.model import Kind


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("51824753557", "AU"), ("11.222.333/0001-82", "BR"), ("20267565394", "AR"), ("7830002294", "RU"),
        ("4540536921", "TR"), ("27AAPFU0939F1ZX", "IN"), ("DE136695977", None), ("ESB58378432", None),
        ("BE0428759498", None), ("PL8567346216", None), ("ATU13585628", None), ("IT00743110158", None),
    ],
)  # fmt: skip
def test_a_tax_id_with_wrong_check_digits_is_refused_in_every_country_with_rules(raw: str, country: str | None) -> None:
    with pytest.raises(fields.Unclean, match="not a valid VAT id"):
        fields.clean(Kind.VAT, raw, country=country)


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("51 824 753 556", "AU", "51824753556"),
        ("11.222.333/0001-81", "BR", "11222333000181"),
        ("27AAPFU0939F1ZV", "IN", "27AAPFU0939F1ZV"),
        ("T7700150008847", "JP", "T7700150008847"),
        ("04-2103594", "US", "042103594"),
    ],
)
def test_a_tax_id_from_overseas_stays_without_letters_of_its_country(raw: str, country: str, expected: str) -> None:
    assert fields.clean(Kind.VAT, raw, country=country) == expected
    assert fields.clean(Kind.VAT, expected, country=country) == expected


@pytest.mark.parametrize(
    ("ids", "identity"),
    [
        (["2077474-0", "FI20774740", "Y-tunnus: 2077474-0"], "fi.ytunnus:20774740"),
        (["556012-5790", "SE556012579001", "org.nr 556012-5790"], "se.orgnr:5560125790"),
        (["NO 923 609 016 MVA", "org nr 923 609 016"], "no.orgnr:923609016"),
        (["DK10103940", "CVR 10103940"], "dk.cvr:10103940"),
        (["SIREN 732 829 320", "SIRET 732 829 320 00074", "732 829 320 00074"], "fr.siren:732829320"),
        (["BE0428759497", "0428.759.497", "KBO 0428.759.497"], "be.number:0428759497"),
        (["ESB58378431", "CIF: B-58378431"], "es.nif:B58378431"),
        (["CHE-107.787.577 MWST", "UID CHE-107.787.577"], "ch.uid:CHE107787577"),
        (["KvK 33031431", "KVK-nummer: 33031431"], "nl.kvk:33031431"),
        (["EIN 04-2103594", "04-2103594"], "us.ein:042103594"),
        (["11.222.333/0001-81", "CNPJ 11222333000181"], "br.cnpj:11222333"),
        (["51 824 753 556", "ABN 51824753556"], "au.abn:51824753556"),
        (["DUNS 31-232-1234", "D-U-N-S: 312321234"], "duns:312321234"),
        (["HRB 6684, Amtsgericht München", "Amtsgericht München HRB 6684"], "de.hr:munchen hrb 6684"),
        (["FN 122119m"], "at.fn:122119M"),
        (["DE136695976", "USt-IdNr. DE 136 695 976"], "de.vat:136695976"),
        (["5493001KJTIIGC8Y1R12"], "lei:5493001KJTIIGC8Y1R12"),
    ],
)
def test_ids_of_one_firm_in_one_register_are_one(ids: list[str], identity: str) -> None:
    assert {registers.identity(text) for text in ids} == {identity}


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("404833048", None),  # nine digits are a SIREN, a D-U-N-S, an EIN …
        ("042103594", "US"),
        ("2077474-1", None),
        ("SIREN 732829321", None),
        ("DUNS 123456789", None),
        ("DUNS 000000000", None),
        ("HRB 6684", None),  # every court has one
        ("unknown", None),
        ("", None),
    ],
)
def test_what_could_be_anybodys_number_is_nobodys(raw: str, country: str | None) -> None:
    assert registers.identity(raw, country) is None


@pytest.mark.parametrize(
    ("raw", "country", "identity"),
    [
        ("404833048", "FR", "fr.siren:404833048"),
        ("33031431", "NL", "nl.kvk:33031431"),
        ("00445790", "GB", "gb.crn:00445790"),
    ],
)
def test_the_country_tells_which_register_is_meant(raw: str, country: str, identity: str) -> None:
    assert registers.identity(raw, country) == identity


def test_only_ids_of_one_register_contradict() -> None:
    nokia, other = registers.identity("FI01120389"), registers.identity("2077474-0")
    duns, german = registers.identity("DUNS 312321234"), registers.identity("DE136695976")
    assert registers.contradict(nokia, other)
    assert not registers.contradict(duns, german)
    assert not registers.contradict(nokia, german)
    assert not registers.contradict(nokia, registers.identity("0112038-9"))
    assert not registers.contradict(nokia, None)


def test_two_branches_of_one_firm_do_not_contradict() -> None:
    paris, lyon = registers.identity("SIRET 73282932000074"), registers.identity("SIRET 73282932000082")
    assert paris == "fr.siren:732829320"
    assert lyon in (paris, None)
    assert not registers.contradict(paris, lyon)


def test_every_register_that_is_checked_has_its_rules() -> None:
    checked = [r.check for r in registers._REGISTERS.values() if r.check and r.check[0] != "lei"]
    assert checked
    assert all(get_cc_module(*check) is not None for check in checked)


@pytest.mark.parametrize(
    ("left", "right", "one"),
    [
        ("AB-0012", "ab 0012", True),
        ("004711", "4711", True),
        ("AB-0012", "AB-12", False),
        ("0", "00", True),
        ("4711-1", "47111", True),
    ],
)
def test_signs_and_eaten_zeros_make_no_other_article(left: str, right: str, one: bool) -> None:
    assert (fields.key(Kind.SKU, left) == fields.key(Kind.SKU, right)) is one
    assert not fields.same(Kind.SKU, left, right)


def test_zeros_inside_a_number_are_only_for_finding() -> None:
    assert sku.without_zeros("AB-0012") == sku.without_zeros("AB12") == "ab12"
    assert sku.without_zeros("AB-100") == "ab100"


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (Kind.CODE, "000-00-0000", "placeholder-like"),
        (Kind.CODE, "123456789", "placeholder-like"),
        (Kind.CODE, "XXXXX", "placeholder-like"),
        (Kind.CODE, "9144092", None),
        (Kind.CODE, "A", None),
        (Kind.SKU, "12", "a short number"),
        (Kind.SKU, "99999", "placeholder-like"),
        (Kind.SKU, "AB-12", None),
    ],
)
def test_numbers_everybody_has_are_no_evidence(kind: Kind, value: str, reason: str | None) -> None:
    assert fields.weak(kind, value) == reason

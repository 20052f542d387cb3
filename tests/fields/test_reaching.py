"""How somebody is reached: what e-mail addresses, domains and phone numbers tell, and when they tell nothing."""

from __future__ import annotations

import pytest

from omnihub import fields
from omnihub.fields import domains, emails, phones
from omnihub.model import Kind


@pytest.mark.parametrize(
    "address",
    [
        "info@acme.de", "kontakt@acme.de", "asiakaspalvelu@acme.fi", "kundtjanst@acme.se", "biuro@acme.pl",
        "ufficio@acme.it", "atencionalcliente@acme.es", "comptabilite@acme.fr", "faktury@acme.cz", "inkoop@acme.nl",
        "salg@acme.dk", "faktura@acme.no", "vendas@acme.pt", "office@acme.at",
        "sales.emea@acme.com", "buchhaltung2@acme.de", "no-reply@acme.com", "rechnungseingang@acme.de",
    ],
)  # fmt: skip
def test_an_office_of_any_land_is_nobody(address: str) -> None:
    assert fields.weak(Kind.EMAIL, address) == "role address"
    assert emails.name_parts(address) == ()
    assert emails.login(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("anna@mailinator.com", "disposable domain"),
        ("anna@x.mailinator.com", "disposable domain"),
        ("anna@0815.ru", "disposable domain"),
        ("aaaa@acme.de", "placeholder-like address"),
        ("abc@acme.de", "placeholder-like address"),
        ("max.mustermann@acme.de", "placeholder-like address"),
        ("acme@acme.de", "the firm's own name"),
        ("anna@gmial.com", None),
        ("j@acme.de", None),
        ("me@annaschmidt.com", None),
        ("anna.info@acme.de", None),
        ("olaf.post@acme.de", None),
    ],
)
def test_only_an_address_of_one_person_is_evidence(address: str, reason: str | None) -> None:
    assert fields.weak(Kind.EMAIL, address) == reason


@pytest.mark.parametrize(
    "addresses",
    [
        [
            "anna.schmidt@gmail.com",
            "annaschmidt@googlemail.com",
            "anna.schmidt+news@gmial.com",
            "annaschmidt@gmail.con",
        ],
        ["anna@hotmail.com", "anna@hotmial.com", "anna@hotmai.com"],
        ["anna@icloud.com", "anna@me.com", "anna@mac.com"],
        ["anna.s@protonmail.com", "annas@pm.me", "anna-s@proton.me"],
        ["anna.s@yandex.ru", "anna-s@ya.ru"],
    ],
)
def test_ways_to_write_one_mailbox_share_a_key(addresses: list[str]) -> None:
    assert len({fields.key(Kind.EMAIL, address) for address in addresses}) == 1
    assert len({fields.same_key(Kind.EMAIL, address) for address in addresses}) == len(addresses)
    assert [fields.clean(Kind.EMAIL, address) for address in addresses] == addresses


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("anna.s@acme.de", "annas@acme.de"),
        ("anna@mail.com", "anna@gmail.com"),
        ("anna@ymail.com", "anna@gmail.com"),
        ("anna@gmx.de", "anna@gmx.at"),
        ("anna@hotmail.com", "anna@hotmail.de"),
        ("anna@yahoo.com", "anna@yahoo.co.uk"),
    ],
)
def test_mailboxes_of_other_houses_keep_their_keys(left: str, right: str) -> None:
    assert fields.key(Kind.EMAIL, left) != fields.key(Kind.EMAIL, right)


def test_no_mail_house_is_taken_for_a_slip_of_another() -> None:
    assert {domain for domain in domains.FREE_MAIL if domains.meant(domain) != domain} == set()


@pytest.mark.parametrize(
    ("address", "parts", "login"),
    [
        ("anna.schmidt@acme.de", ("anna", "schmidt"), "annaschmidt"),
        ("a.schmidt84@acme.de", ("a", "schmidt"), "aschmidt"),
        ("aschmidt@acme.de", ("aschmidt",), "aschmidt"),
        ("J-P.Müller+x@acme.de", ("j", "p", "muller"), "jpmuller"),
        ("1234@acme.de", (), None),
        ("jo@acme.de", ("jo",), None),
    ],
)
def test_the_name_inside_an_address_is_told_in_the_words_of_name_keys(
    address: str, parts: tuple[str, ...], login: str | None
) -> None:
    assert emails.name_parts(address) == parts
    assert emails.login(address) == login


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        ("gmial.com", "free-mail domain"),
        ("bigpond.net.au", "free-mail domain"),
        ("privaterelay.appleid.com", "mail relay"),
        ("marketplace.amazon.co.uk", "mail relay"),
        ("sub.mailinator.com", "disposable domain"),
        ("mailers-guild.org", None),
        ("amazon-handel.de", None),
    ],
)
def test_a_domain_that_anybody_may_have_says_nothing_of_a_firm(domain: str, reason: str | None) -> None:
    assert fields.weak(Kind.DOMAIN, domain) == reason


def test_a_domain_tells_the_word_that_was_registered() -> None:
    assert [domains.name(d) for d in ("mueller-bau.de", "shop.müllerbau.co.uk", "gmail.com")] == [
        "mullerbau",
        "mullerbau",
        None,
    ]


@pytest.mark.parametrize(
    ("number", "national"),
    [
        ("+4930901820x12", "30901820"),
        ("+13129494015", "3129494015"),
        ("+358912345678", "912345678"),
        ("+390612345678", "0612345678"),
        ("3129494015", "3129494015"),
    ],
)
def test_a_number_can_be_compared_without_its_country(number: str, national: str) -> None:
    assert phones.national(number) == national


@pytest.mark.parametrize(
    "raw", ["949-4015", "(312) 949-4015", "1-312-949-4015", "312.949.4015 ext. 12", "+13129494015"]
)
def test_a_number_without_country_or_town_is_found_by_its_end(raw: str) -> None:
    known = raw if raw.startswith("+") else fields.likely(Kind.PHONE, raw)
    assert known is not None
    assert phones.tail(known) == phones.tail("+13129494015") == "9494015"


@pytest.mark.parametrize("raw", ["12", "0000000", "1234567", "555-5555", "n/a", "none", "121212121212", "call me", ""])
def test_what_is_no_number_is_not_made_one(raw: str) -> None:
    assert fields.likely(Kind.PHONE, raw) is None


def test_an_extension_is_kept_apart() -> None:
    found = fields.clean(Kind.PHONE, "030 901820 Durchwahl 12", country="DE") or ""
    assert (phones.line(found), phones.extension(found)) == ("+4930901820", "12")
    assert phones.extension("+4930901820") is None


@pytest.mark.parametrize(
    ("number", "looks"),
    [
        ("+4930901820", True),
        ("+4930901823", False),
        ("+491721836400", False),
        ("+13125551000", True),
        ("+13125551010", False),
        ("+358912345600", True),
        ("+358401234500", False),
        ("+4930901820x12", False),
    ],
)
def test_a_switchboard_has_a_round_number_and_no_mobile(number: str, looks: bool) -> None:
    assert phones.switchboard(number) is looks


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+4930123456", "placeholder-like number"),
        ("+49309876543", "placeholder-like number"),
        ("+4930555555", "placeholder-like number"),
        ("+13125550123", "placeholder-like number"),
        ("+447700900123", "placeholder-like number"),
        ("+49301212121212", "placeholder-like number"),
        ("+498001234567", "placeholder-like number"),
        ("+498003301000", "service number"),
        ("+13129494015", None),
    ],
)
def test_made_up_numbers_and_free_ones_are_no_evidence(number: str, reason: str | None) -> None:
    assert fields.weak(Kind.PHONE, number) == reason


@pytest.mark.parametrize(
    ("raw", "likely"),
    [
        ("anna.schmidt @acme.de", "anna.schmidt@acme.de"),
        ("anna(at)acme.de", "anna@acme.de"),
        ("anna@acme", "anna@acme"),
        ("none@acme", None),
        ("anna schmidt", None),
    ],
)
def test_an_address_with_a_slip_can_still_be_compared(raw: str, likely: str | None) -> None:
    with pytest.raises(fields.Unclean):
        fields.clean(Kind.EMAIL, raw)
    assert fields.likely(Kind.EMAIL, raw) == likely

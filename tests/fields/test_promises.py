"""What holds for every kind and any text: cleaning twice is cleaning once, and nothing but Unclean is raised."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnihub import fields
from omnihub.fields import addresses, domains, emails, phones, registers, sku, times
from omnihub.model import Kind

# Pieces that mean something to one kind or another, and letters whose case or composition is special.
PIECES = [
    "a", "B", "ab", "Dr. ", "van ", " Jr", "@", ".de", "www.", "http://", "xn--", "mailto:", "+49", "30 901820", "x12",
    "0", "12", "1,234", ".", ",", " ", "-", "(", ")", "'", "/", ":", "%", "€", "EUR", "2026", "-11-21", "T22:18:46",
    "Z", "+01:00", "1795299526", "000", "GmbH", " & Co", "strasse", "DE", "CHE", "136695976", "n/a", "test", "xx", "\n",
    "\u200b", "ß", "İ", "ŉ", "ﬁ", "Ǆ", "u\u0308", "Ü", "Σς", "Мо", "王", "º", "²", "٣", "😀",
]  # fmt: skip
ANY_TEXT = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.text(max_size=30),
    st.text(alphabet=string.printable, max_size=20),
)
COUNTRY = st.sampled_from([None, "DE", "US", "CH", "GB", "FI", "SE", "PL", "ZZ"])

everything = settings(
    max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def cleaned(kind: Kind, raw: str, country: str | None = None) -> str | None:
    try:
        return fields.clean(kind, raw, country=country)
    except fields.Unclean:
        return None


@pytest.mark.parametrize("kind", Kind)
@everything
@given(raw=ANY_TEXT, country=COUNTRY)
def test_cleaning_twice_is_cleaning_once(kind: Kind, raw: str, country: str | None) -> None:
    once = cleaned(kind, raw, country)
    if once is not None:
        assert fields.clean(kind, once, country=country) == once
        assert once == once.strip() != ""


@pytest.mark.parametrize("kind", Kind)
@everything
@given(raw=ANY_TEXT)
def test_a_clean_value_has_a_key_and_is_the_same_as_itself(kind: Kind, raw: str) -> None:
    value = cleaned(kind, raw)
    if value is not None:
        assert fields.key(kind, value)
        assert fields.key(kind, value) == fields.key(kind, fields.clean(kind, value) or "")
        assert fields.same(kind, value, value)


@pytest.mark.parametrize("kind", Kind)
@everything
@given(a=ANY_TEXT, b=ANY_TEXT)
def test_same_is_equality_of_same_keys(kind: Kind, a: str, b: str) -> None:
    for left, right in ((a, b), (a, a.upper()), (a, f" {a} ")):
        assert fields.same(kind, left, right) == (fields.same_key(kind, left) == fields.same_key(kind, right))


@pytest.mark.parametrize("kind", Kind)
@everything
@given(raw=ANY_TEXT)
def test_any_text_can_be_asked_about_without_an_error(kind: Kind, raw: str) -> None:
    fields.key(kind, raw)
    fields.weak(kind, raw)
    fields.same_key(kind, raw)
    fields.given(raw)
    fields.generation(raw)


@pytest.mark.parametrize("part", ["first", "last"])
@everything
@given(raw=ANY_TEXT)
def test_splitting_any_name_gives_a_clean_part_or_a_reason(part: str, raw: str) -> None:
    try:
        found = fields.clean(Kind.NAME, raw, part=part)
    except fields.Unclean:
        return
    assert found is None or fields.clean(Kind.NAME, found) == found


@everything
@given(a=ANY_TEXT, b=ANY_TEXT)
def test_it_does_not_matter_which_of_two_names_is_the_initial(a: str, b: str) -> None:
    assert fields.initial_of(a, b) == fields.initial_of(b, a)


@everything
@given(
    first=st.sampled_from(["Anna", "Hans-Peter", "José"]), last=st.sampled_from(["Schmidt", "van Beethoven", "Ford II"])
)
def test_a_name_written_as_one_text_reads_back_into_its_parts(first: str, last: str) -> None:
    for whole in (f"{first} {last}", f"Dr. {first} {last}"):
        assert fields.clean(Kind.NAME, whole, part="first") == first
        assert fields.clean(Kind.NAME, whole, part="last") == last


@pytest.mark.parametrize("kind", Kind)
@everything
@given(raw=ANY_TEXT)
def test_the_reason_never_holds_the_value(kind: Kind, raw: str) -> None:
    secret = f"{raw}\x00Geheimnis"
    with pytest.raises(fields.Unclean) as why:
        fields.clean(kind, secret)
    assert "Geheimnis" not in str(why.value)


@pytest.mark.parametrize(
    "ask",
    [
        emails.name_parts, emails.login, domains.meant, domains.registered, domains.name, phones.line, phones.extension,
        phones.national, phones.tail, phones.local, phones.switchboard, addresses.parts, addresses.whole,
        addresses.city_sound, addresses.postal_area, registers.identity, sku.without_zeros, times.likely,
    ],
    ids=lambda ask: f"{ask.__module__.rpartition('.')[2]}.{ask.__name__}",
)  # fmt: skip
@everything
@given(raw=ANY_TEXT)
def test_any_text_can_be_asked_for_what_its_kind_alone_tells(ask: Callable[[str], object], raw: str) -> None:
    assert ask(raw) == ask(raw)


@pytest.mark.parametrize("kind", [Kind.EMAIL, Kind.PHONE, Kind.DATE])
@everything
@given(raw=ANY_TEXT)
def test_what_may_still_be_said_has_a_key_or_is_nothing(kind: Kind, raw: str) -> None:
    likely = fields.likely(kind, raw)
    assert likely is None or fields.key(kind, likely)

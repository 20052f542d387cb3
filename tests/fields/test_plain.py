"""What its form alone tells to be canonical is just what cleaning it says."""

from __future__ import annotations

import re

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from omnihub import fields
from omnihub.fields import text
from omnihub.fields.emails import JUNK_HOST, JUNK_LOCAL
from omnihub.fields.plain import JUNK, MOST, PLAIN
from omnihub.model import Kind

CLEANED = sorted(set(PLAIN) - {Kind.LINK})  # links are kept as they stand, without being cleaned


def plain(kind: Kind, value: str) -> bool:
    """As a column is asked."""
    return (
        len(value.encode()) <= MOST
        and re.fullmatch(PLAIN[kind], value) is not None
        and not (kind in JUNK and re.search(JUNK[kind], value))
    )


LETTERS = st.text(st.sampled_from("axn0149"), min_size=1, max_size=4)
JOINED = st.lists(LETTERS, min_size=1, max_size=4).flatmap(lambda w: st.sampled_from([c.join(w) for c in ".-_+"]))
EMAILS = st.builds("{}@{}.{}".format, JOINED, JOINED, st.sampled_from(["de", "com", "co.uk", "museum"]))


def looking_like(kind: Kind) -> st.SearchStrategy[str]:
    found = EMAILS if kind is Kind.EMAIL else st.from_regex(PLAIN[kind], fullmatch=True)
    return found.filter(lambda value: plain(kind, value))


@pytest.mark.parametrize("kind", CLEANED)
@settings(max_examples=40, phases=[Phase.generate])
@given(data=st.data(), country=st.sampled_from(["DE", "US", "SE"]))
def test_a_plain_value_is_canonical_as_it_stands(kind: Kind, data: st.DataObject, country: str) -> None:
    value = data.draw(looking_like(kind))
    assert fields.clean(kind, value) == value
    if kind is not Kind.POSTAL:  # the one kind here that a country would change: it is not told
        assert fields.clean(kind, value, country=country) == value


@pytest.mark.parametrize("kind", CLEANED)
def test_what_is_said_in_place_of_a_value_is_never_plain(kind: Kind) -> None:
    for word in {*text.listed("12345 00000 99999 1234 123456 0000 9999"), *text._WORDS, *text._BLANKS}:
        for said in (word, word.upper(), word.title()):
            if plain(kind, said):
                assert fields.clean(kind, said) == said


def test_an_address_nobody_has_is_not_plain() -> None:
    assert plain(Kind.EMAIL, "anna.schmidt@firma.de")
    for junk in [f"{local}@firma.de" for local in JUNK_LOCAL] + [f"anna@{host}" for host in JUNK_HOST]:
        assert not plain(Kind.EMAIL, junk)


@pytest.mark.parametrize("value", ["null", "a b", 'a"b', "a\\b", "ä", "", "a\n", "a\x00"])
def test_a_link_that_json_writes_otherwise_is_not_plain(value: str) -> None:
    assert value == "null" or not plain(Kind.LINK, value)

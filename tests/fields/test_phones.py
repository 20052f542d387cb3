"""Phone numbers: the short way, for numbers plain to see, says what the long way says."""

from __future__ import annotations

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import NumberParseException

from omnihub.fields import phones
from omnihub.fields.text import Unclean

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TYPES = st.sampled_from(sorted(phonenumbers.PhoneNumberType.values()))


@st.composite
def dialled(draw: st.DrawFn) -> tuple[str, str]:
    """A number of some country, right or with a wrong digit, as it is dialled there or from abroad; and a country."""
    region = draw(st.sampled_from(REGIONS))
    example = phonenumbers.example_number_for_type(region, draw(TYPES)) or phonenumbers.example_number(region)
    digits = str(example.national_number)
    place = draw(st.integers(0, len(digits) - 1))
    changed = digits[:place] + draw(st.sampled_from(["", digits[place], "07", *"0123456789"])) + digits[place + 1 :]
    before = draw(st.sampled_from([f"+{example.country_code}", f"+{example.country_code} ", "0", "00", "8", "1", ""]))
    cut = draw(st.integers(1, max(1, len(changed) - 1)))
    text = before + changed[:cut] + draw(st.sampled_from(["", " ", "-"])) + changed[cut:]
    return text, draw(st.sampled_from([region, region, "DE", "US", "IT", "JP"]))


def the_long_way(text: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    return phonenumbers.format_number(number, 0) if phonenumbers.is_valid_number(number) else None


@settings(max_examples=400)
@given(dialled())
def test_the_short_way_says_what_the_long_way_says(given_: tuple[str, str]) -> None:
    try:
        found: str | None = phones.clean(*given_)
    except Unclean as why:
        if str(why) == "a placeholder":
            return
        found = None
    assert found == the_long_way(*given_)

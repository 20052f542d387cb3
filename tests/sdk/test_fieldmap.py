"""Field maps on the way out: canonical words → the system's own payload, only what changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub import fields
from omnihub.model import Kind
from omnihub.sdk import Codes, Const, EpochMs, FieldMap, FullName, Link, OneWay, Path

MAP = FieldMap.of(
    {
        "name": "Name",
        "email": "properties.email",
        "city": "addresses.0.city",
        "country": "addresses.0.country",
        "status": Codes("state", codes={"A": "active", "C": "active", "X": "closed"}),
        "marketing_consent": Codes("opt_in", codes={"true": "yes", "false": "no"}, boolean=True),
        "account": Link("company_id", stream="companies"),
        "parent": Link("parent", stream="companies", nobody="0"),
        "first_name": FullName("full_name", part="first"),
        "last_name": FullName("full_name", part="last"),
        "opened_at": EpochMs("created"),
        "total": Path("sum", number=True),
        "tax_included": Path("gross", boolean=True),
        "satisfaction": OneWay("score"),
        "currency": Const(value="EUR"),
    }
)


@pytest.mark.parametrize(
    ("canonical", "native"),
    [
        ({"name": "Weber"}, {"Name": "Weber"}),
        ({"email": None}, {"properties": {"email": None}}),
        ({"city": "Bonn", "country": "DE"}, {"addresses": [{"city": "Bonn", "country": "DE"}]}),
        ({"status": "active"}, {"state": "A"}),
        ({"status": "unheard of"}, {"state": "unheard of"}),
        ({"marketing_consent": "no"}, {"opt_in": False}),
        ({"marketing_consent": "yes"}, {"opt_in": True}),
        ({"account": "crm/companies/a/b"}, {"company_id": "a/b"}),
        ({"account": None}, {"company_id": None}),
        ({"parent": None}, {"parent": "0"}),
        ({"first_name": "Anna", "last_name": "van Dyk"}, {"full_name": "Anna van Dyk"}),
        ({"first_name": None, "last_name": "van Dyk"}, {"full_name": "van Dyk"}),
        ({"opened_at": "1970-01-01T00:00:01Z"}, {"created": 1000}),
        ({"total": "1234.50"}, {"sum": 1234.5}),
        ({"total": "7"}, {"sum": 7}),
        ({"tax_included": "true"}, {"gross": True}),
        ({"tax_included": "false"}, {"gross": False}),
        ({}, {}),
    ],
)
def test_only_what_changes_is_sent_in_the_systems_own_words(
    canonical: dict[str, str | None], native: dict[str, Any]
) -> None:
    assert MAP.body(canonical) == native


def test_what_has_no_way_back_says_so() -> None:
    assert [name for name, where in MAP.items() if not where.writable] == ["satisfaction", "currency"]


@given(st.dictionaries(st.sampled_from(["name", "email", "city", "country"]), st.text(min_size=1)))
def test_what_is_written_at_a_path_is_read_there(canonical: dict[str, str | None]) -> None:
    body = MAP.body(canonical)
    for name, value in canonical.items():
        here: Any = body
        for part in MAP[name].path.split("."):
            here = here[int(part)] if isinstance(here, list) else here[part]
        assert here == value


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001  naive on purpose: made aware below
def test_a_time_goes_out_in_milliseconds_and_comes_back_the_same(moment: datetime) -> None:
    text = moment.replace(tzinfo=UTC, microsecond=0).isoformat().replace("+00:00", "Z")
    native = MAP.body({"opened_at": text})["created"]
    assert fields.clean(Kind.TIME, str(native)) == text


@given(st.decimals(0, 10**9, places=2))
def test_money_sent_as_a_number_reads_back_to_the_cent(amount: Any) -> None:
    native = MAP.body({"total": f"{amount:.2f}"})["sum"]
    assert f"{native:.2f}" == f"{amount:.2f}"

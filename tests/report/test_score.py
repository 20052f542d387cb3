"""The scorecard's numbers, next to the same sums done by hand."""

from __future__ import annotations

import json

import pyarrow as pa

from omnihub.model import Entity
from omnihub.report import DIFFERING, HELD, KNOWN, MEMBERS, Tally, scorecard, scored_fields
from omnihub.report.facts import FieldScore, Score

GOLDEN = {"first_name": "Anna", "last_name": "Meyer", "email": "anna@meyer.example", "phone": "+4930123456"}


def tallied(members: pa.Table, differing: pa.Table, held: tuple[str, ...]) -> dict[str, FieldScore]:
    fields = pa.Table.from_pylist([{"system": "crm", "stream": "people", "field": f} for f in held], schema=HELD)
    with Tally(differing, fields) as tally:
        tally.add(members)
        return {f.field: f for f in tally.fields()}


def people(*theirs: dict[str, str], ours: dict[str, str] = GOLDEN) -> pa.Table:
    rows = [
        {
            "ref": f"crm/people/{n}",
            "entity": "contact",
            "system": "crm",
            "stream": "people",
            "theirs": json.dumps(held),
            "ours": json.dumps(ours),
        }
        for n, held in enumerate(theirs, 1)
    ]
    return pa.Table.from_pylist(rows, schema=MEMBERS)


def differing(*rows: tuple[str, str, bool, str | None]) -> pa.Table:
    named = [dict(zip(DIFFERING.names, (*row, "2026-03-01T10:00:00.5+00:00"), strict=True)) for row in rows]
    return pa.Table.from_pylist(named, schema=DIFFERING)


def test_equal_is_comparable_less_what_differs() -> None:
    found = tallied(
        people({"first_name": "Anna", "email": "anna@meyer.example"}, {"first_name": "Ana", "email": "a@b.example"}),
        differing(("crm/people/2", "first_name", True, None), ("crm/people/2", "email", True, None)),
        ("first_name", "email"),
    )
    assert found["first_name"] == FieldScore("crm", "contact", "first_name", 2, 2, 1, 0, 0)
    assert found["email"] == FieldScore("crm", "contact", "email", 2, 2, 1, 0, 0)


def test_an_empty_cell_lowers_coverage_and_not_consistency() -> None:
    found = tallied(
        people({"first_name": "Anna"}), differing(("crm/people/1", "email", False, None)), ("first_name", "email")
    )
    assert (found["email"].golden, found["email"].comparable, found["email"].equal) == (1, 0, 0)


def test_a_field_the_golden_record_does_not_have_is_no_cell() -> None:
    assert "mobile" not in tallied(people({"mobile": "+491701"}), differing(), ("first_name", "mobile"))


def test_a_field_outside_the_streams_map_is_no_cell() -> None:
    assert set(tallied(people({"first_name": "Anna", "phone": "+4930123456"}), differing(), ("first_name",))) == {
        "first_name"
    }


def test_what_was_written_after_the_last_read_counts_as_corrected() -> None:
    members = people({"first_name": "Ana", "phone": "+49301"})
    rows = (
        ("crm/people/1", "first_name", True, "2026-03-01T10:00:05Z"),
        ("crm/people/1", "email", False, "2026-03-01T10:00:05Z"),
        ("crm/people/1", "phone", True, "2026-03-01T09:59:59Z"),  # read again since, and still different
    )
    found = tallied(members, differing(*rows), ("first_name", "email", "phone"))
    assert (found["first_name"].corrected, found["first_name"].filled) == (1, 0)
    assert (found["email"].corrected, found["email"].filled) == (0, 1)
    assert (found["phone"].corrected, found["phone"].equal) == (0, 0)


def test_slices_add_up_to_the_whole() -> None:
    held = pa.Table.from_pylist([{"system": "crm", "stream": "people", "field": "first_name"}], schema=HELD)
    records = people(*({"first_name": "Anna"} for _ in range(5)))
    with Tally(differing(("crm/people/4", "first_name", True, None)), held) as tally:
        tally.add(records.slice(0, 2))
        tally.add(records.slice(2))
        assert tally.fields() == (FieldScore("crm", "contact", "first_name", 5, 5, 4, 0, 0),)


def test_a_line_of_the_scorecard_sums_its_fields() -> None:
    fields = (
        FieldScore("crm", "contact", "email", 10, 8, 6, 1, 1),
        FieldScore("crm", "contact", "phone", 10, 2, 2, 0, 0),
    )
    known = pa.Table.from_pylist(
        [{"system": "crm", "entity": "contact", "records": 10, "known": 9, "total": 20}], schema=KNOWN
    )
    (line,) = scorecard(fields, known)
    assert line == Score("crm", "contact", 10, 9, 20, golden=20, comparable=10, equal=8, corrected=1, filled=1)
    assert line.consistency == 8 / 10
    assert line.coverage == 10 / 20
    assert line.expected == 10 / 11  # 8 equal, 1 corrected, 1 filled, of 10 compared and 1 filled


def test_records_without_a_comparable_cell_have_no_share_rather_than_a_perfect_one() -> None:
    known = pa.Table.from_pylist(
        [{"system": "crm", "entity": "contact", "records": 1, "known": 1, "total": 1}], schema=KNOWN
    )
    (line,) = scorecard((), known)
    assert (line.consistency, line.coverage, line.expected) == (None, None, None)


def test_links_and_the_time_of_a_consent_are_not_scored() -> None:
    assert "account" not in scored_fields(Entity.CONTACT)
    assert "consent_at" not in scored_fields(Entity.CONTACT)
    assert {"email", "marketing_consent"} <= set(scored_fields(Entity.CONTACT))

"""What becomes of a finding is said in words: whose turn it is, why, and what to do."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from omnihub.model import FINDING_KINDS
from omnihub.report import FINDINGS, SYSTEMS, Digest, Item, label
from omnihub.report.wording import FIX, PARENTS, STEPS, WHYS

TITLES = pa.Table.from_pylist(
    [{"system": "crm", "title": "Our CRM"}, {"system": "shop", "title": "The shop"}], schema=SYSTEMS
)


def finding(**told: Any) -> dict[str, Any]:
    row = (
        dict.fromkeys(FINDINGS.names)
        | {
            "id": "f1",
            "kind": "value_differs",
            "severity": "medium",
            "entity": "contact",
            "system": "crm",
            "stream": "people",
            "ref": "crm/people/1",
            "field": "email",
            "owner": "crm",
            "theirs": "a@b.example",
            "expected": "c@d.example",
            "detail": json.dumps({"winner": "shop/customers/7", "rule": "trusted"}),
            "first_seen": "2026-02-01T00:00:00Z",
            "fields": json.dumps({"first_name": "Anna", "last_name": "Meyer"}),
            "status": "to_fix",
        }
        | told
    )
    row["theirs_length"] = told.get("theirs_length", len(row["theirs"] or "") or None)
    row["expected_length"] = told.get("expected_length", len(row["expected"] or "") or None)
    return row


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=FINDINGS)


def worded(*rows: dict[str, Any], parents: pa.Table | None = None) -> list[Item]:
    with Digest(TITLES) as digest:
        return digest.add(table(*rows), parents if parents is not None else PARENTS.empty_table())


def test_a_finding_names_the_record_the_belief_and_the_way_out() -> None:
    (item,) = worded(finding())
    assert item.record == "Anna Meyer"
    assert (item.says, item.should_say, item.since) == ("a@b.example", "c@d.example", "2026-02-01T00:00:00Z")
    assert item.why == "The shop is believed: the most trusted, most recent value wins."
    assert item.next_step == "Correct it in Our CRM, or tell a steward that Our CRM is right."


def test_what_is_the_hubs_turn_asks_nothing_of_people() -> None:
    (item,) = worded(finding(status="planned", plan_id="plan-1"))
    assert (item.status, item.next_step) == ("planned", "Nothing: it is in plan-1.")


def test_a_refusal_is_told_in_the_systems_words() -> None:
    (item,) = worded(finding(status="refused", refusal="postal code is not valid"))
    assert (
        item.next_step == "Our CRM refused the hub's correction (postal code is not valid): put it right there by hand."
    )


def test_a_price_is_told_with_its_currency_and_its_order() -> None:
    parents = pa.Table.from_pylist(
        [{"ref": "shop/orders/9", "fields": json.dumps({"number": "#1009"})}], schema=PARENTS
    )
    fields = json.dumps({"name": "Ball valve", "of": "shop/orders/9", "currency": "EUR"})
    row = finding(
        kind="price_differs", entity="line", field="unit_price", theirs="99.5", expected="110.0000", fields=fields
    )
    (item,) = worded(row, parents=parents)
    assert (item.record, item.says, item.should_say) == ("Ball valve in #1009", "99.5 EUR", "110.00 EUR")
    assert item.next_step.startswith("Check what was agreed")


def test_a_promised_price_is_the_customers_to_be_talked_to_about_and_not_just_another_figure() -> None:
    fields = json.dumps({"subject": "Spare part needed", "currency": "EUR"})
    told = {"kind": "price_group", "entity": "ticket", "field": "promised_price", "theirs": "99.50", "fields": fields}
    (item,) = worded(finding(**told, expected="110.00"))
    assert (item.record, item.field) == ("Spare part needed", "promised price")
    assert (item.says, item.should_say) == ("99.50 EUR", "110.00 EUR")
    assert item.next_step == "Check what was agreed with the customer, then keep it, or tell them the price that holds."


def test_a_record_that_is_no_longer_there_is_called_by_its_ref() -> None:
    (item,) = worded(finding(fields=None))
    assert item.record == "crm/people/1"


@pytest.mark.parametrize("kind", sorted(FINDING_KINDS))
def test_every_kind_says_why_or_what_to_do(kind: str) -> None:
    (item,) = worded(finding(kind=kind, detail="{}"))
    assert kind in WHYS or kind in STEPS
    assert item.next_step
    assert "{" not in item.next_step + item.why + (item.should_say or "")


def test_a_kind_nobody_has_words_for_is_told_all_the_same() -> None:
    with Digest(TITLES) as digest:
        (item,) = digest.add(table(finding(kind="brand_new", detail="{}")), PARENTS.empty_table())
        assert item.next_step == "Look at it in Our CRM."
        assert digest.kinds()[0].title == "Brand new"


def test_findings_keep_their_order_and_slices_add_up() -> None:
    rows = [finding(id=f"f{n}", ref=f"crm/people/{n:03}", severity="high" if n % 2 else "low") for n in range(60)]
    with Digest(TITLES) as digest:
        items = digest.add(table(*rows[:7]), PARENTS.empty_table()) + digest.add(
            table(*rows[7:]), PARENTS.empty_table()
        )
        assert [i.id for i in items] == [r["id"] for r in rows]
        assert digest.counts("crm") == {"findings": 60, "for_people": 60, "urgent": 30, "waiting": 0, "corrected": 0}
        fix = digest.fix("crm")
    assert [i.ref for i in fix] == [f"crm/people/{n:03}" for n in range(60) if n % 2][:FIX]


def test_what_the_hub_does_itself_is_not_asked_of_people() -> None:
    rows = (finding(), finding(id="f2", ref="crm/people/2", plan_id="p", status="planned"))
    with Digest(TITLES) as digest:
        digest.add(table(*rows), PARENTS.empty_table())
        assert [i.ref for i in digest.fix("crm")] == ["crm/people/1"]
        assert (digest.counts("crm")["for_people"], digest.counts("crm")["waiting"]) == (1, 1)
        assert (digest.kinds()[0].count, digest.kinds()[0].for_people) == (2, 1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"first_name": "Anna", "last_name": "Meyer", "name": "x"}, "Anna Meyer"),
        ({"last_name": "Meyer"}, "Meyer"),
        ({"name": "Pump", "sku": "P-1"}, "Pump"),
        ({"email": "a@b.example"}, "a@b.example"),
        ({}, ""),
    ],
)
def test_records_are_called_alike_in_both_engines(fields: dict[str, str], expected: str) -> None:
    (item,) = worded(finding(fields=json.dumps(fields)))
    assert label(fields) == expected
    assert item.record == (expected or "crm/people/1")


def test_a_late_answer_is_told_with_how_long_it_took_and_when_it_was_due() -> None:
    told = {"channel": "email", "standard": "8", "took": "31", "over": "23", "cause": "standard:email"}
    late = {"kind": "answer_late", "entity": "ticket", "field": "answered_at", "expected": "2026-11-01T18:00:00Z"}
    done, waiting = worded(
        finding(**late, theirs="2026-11-02T17:00:00Z", detail=json.dumps(told)),
        finding(**late | {"kind": "solution_late"}, theirs=None, detail=json.dumps(told | {"took": None})),
    )
    assert (done.field, done.says, done.should_say) == (
        "first answer",
        "2026-11-02 17:00 UTC",
        "by 2026-11-01 18:00 UTC",
    )
    assert done.why == "First answer after 31 h; the standard of e-mail is 8 h."
    assert waiting.says is None
    assert waiting.why == "Solution still missing; the standard of e-mail is 8 h."

"""Golden values beside what each system holds: what is a difference, what is a finding, and what is neither."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest

from omnihub.compare import GOLDENS, HELD, MEMBERS, ROWS, broken_links, link_fields, problems, values
from omnihub.model import ENTITIES, Entity

EVERYTHING = tuple(ENTITIES[Entity.CONTACT])


def compared(
    golden: Mapping[str, str],
    *held: tuple[str, Mapping[str, str]],
    fields: Sequence[str] = EVERYTHING,
    entity: Entity = Entity.CONTACT,
    joined: bool = False,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(differences, findings) of one golden record with members (ref, fields). Each stream holds `fields`."""
    lineage = {name: {"ref": "shop/customers/9", "rule": "trusted"} for name in golden}
    members = [
        {
            "golden_id": "g",
            "ref": ref,
            "system": ref.split("/")[0],
            "stream": ref.split("/")[1],
            "fields": json.dumps(said),
        }
        for ref, said in held
    ]
    streams = sorted({(m["system"], m["stream"]) for m in members})
    differences, findings = values(
        entity,
        pa.Table.from_pylist(
            [{"golden_id": "g", "fields": json.dumps(golden), "lineage": json.dumps(lineage)}], schema=GOLDENS
        ),
        pa.Table.from_pylist(members, schema=MEMBERS),
        pa.Table.from_pylist(
            [
                {"system": s, "stream": t, "field": f, "joined": joined and f in ("first_name", "last_name")}
                for s, t in streams
                for f in fields
            ],
            schema=HELD,
        ),
    )
    return differences.to_pylist(), findings.to_pylist()


def differences(golden: Mapping[str, str], said: Mapping[str, str], **more: Any) -> dict[str, tuple[str | None, str]]:
    """field → (theirs, ours) for one member."""
    found, _ = compared(golden, ("crm/people/1", said), **more)
    return {d["field"]: (d["theirs"], d["ours"]) for d in found}


def kinds(golden: Mapping[str, str], *held: tuple[str, Mapping[str, str]], **more: Any) -> list[tuple[str, str, str]]:
    """(kind, ref, field) of each finding."""
    return [(f["kind"], f["ref"], f["field"]) for f in compared(golden, *held, **more)[1]]


GABO = {"first_name": "Gabriel", "last_name": "García Márquez"}


def test_where_a_name_kept_as_one_text_is_cut_is_no_difference_while_the_whole_is_the_same() -> None:
    guessed = {"first_name": "Gabriel García", "last_name": "Márquez"}
    assert differences(GABO, guessed, joined=True) == {}
    assert set(differences(GABO, guessed)) == {"first_name", "last_name"}


def test_another_name_kept_as_one_text_is_a_difference() -> None:
    assert set(differences(GABO, {"first_name": "Gabo", "last_name": "García Márquez"}, joined=True)) == {"first_name"}


def test_a_name_kept_as_one_text_whose_words_stand_in_another_order_differs() -> None:
    turned = {"first_name": "García Márquez", "last_name": "Gabriel"}
    assert set(differences(GABO, turned, joined=True)) == {"first_name", "last_name"}
    assert kinds(GABO, ("desk/users/7", turned), joined=True) == [
        ("value_differs", "desk/users/7", "first_name"),
        ("value_differs", "desk/users/7", "last_name"),
    ]


def test_another_value_is_a_difference_and_a_finding() -> None:
    found, findings = compared({"phone": "+2"}, ("crm/people/1", {"phone": "+1"}))
    assert found == [
        {
            "ref": "crm/people/1", "field": "phone", "system": "crm", "stream": "people", "golden_id": "g",
            "theirs": "+1", "ours": "+2", "winner": "shop/customers/9", "rule": "trusted",
        }
    ]  # fmt: skip
    [finding] = findings
    assert (finding["kind"], finding["theirs"], finding["expected"]) == ("value_differs", "+1", "+2")
    assert json.loads(finding["detail"])["winner"] == "shop/customers/9"


def test_a_value_they_lack_is_a_difference_but_no_finding() -> None:
    assert differences({"phone": "+2"}, {}) == {"phone": (None, "+2")}
    assert kinds({"phone": "+2"}, ("crm/people/1", {})) == []


def test_what_the_golden_record_does_not_know_is_never_taken_from_a_system() -> None:
    assert differences({"phone": "+2"}, {"phone": "+2", "job_title": "CEO"}) == {}
    assert differences({}, {"phone": "+1"}) == {}


def test_a_field_the_system_does_not_hold_is_no_difference_there() -> None:
    assert differences({"phone": "+2", "job_title": "CEO"}, {}, fields=("phone",)) == {"phone": (None, "+2")}


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("last_name", "Müller", "MÜLLER"),
        ("job_title", "Head of Purchasing", "head of  purchasing"),
        ("city", "Köln", "KÖLN"),
        ("postal_code", "53111", "53111"),
        ("email", "anna@firma.de", "anna@firma.de"),
        ("phone", "+493012345678", "+493012345678"),
        ("company", "Weber GmbH", "WEBER GMBH"),
        ("street", "Hauptstr. 5", "HAUPTSTR. 5"),
    ],
)
def test_what_is_merely_written_otherwise_is_no_difference(name: str, ours: str, theirs: str) -> None:
    assert differences({name: ours}, {name: theirs}) == {}


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("last_name", "Müller", "Mueller"),
        ("phone", "+493012345678", "+493012345678x12"),
        ("street", "Hauptstr. 5", "Hauptstr. 5a"),
        ("country", "DE", "AT"),
    ],
)
def test_what_says_something_else_is_a_difference(name: str, ours: str, theirs: str) -> None:
    assert differences({name: ours}, {name: theirs}) == {name: (theirs, ours)}


def test_a_product_is_compared_by_what_it_weighs_shows_and_is_taxed() -> None:
    master = {"weight": "12.5", "image": "p1.jpg", "taxable": "true", "tax_class": "reduced"}
    held = {"fields": ("weight", "image", "taxable"), "entity": Entity.PRODUCT}
    assert differences(master, {"weight": "12.499982", "image": "P1.JPEG", "taxable": "true"}, **held) == {}
    other = {"weight": "5.67", "image": "placeholder.jpg", "taxable": "false"}
    assert set(differences(master, other, **held)) == set(other)
    assert kinds(master, ("shop/variants/1", other), **held) == [
        ("product_differs", "shop/variants/1", name) for name in ("image", "taxable", "weight")
    ]


def test_each_system_is_compared_by_itself() -> None:
    found, _ = compared(
        {"phone": "+2"}, ("crm/people/1", {"phone": "+1"}), ("desk/users/7", {"phone": "+2"}), ("shop/customers/9", {})
    )
    assert [(d["ref"], d["theirs"]) for d in found] == [("crm/people/1", "+1"), ("shop/customers/9", None)]


def test_links_are_never_written_as_values() -> None:
    assert differences({"account": "account_x"}, {"account": "crm/firms/1"}) == {}
    assert kinds({"account": "account_x"}, ("crm/people/1", {"account": "crm/firms/1"})) == []


# -- permission ------------------------------------------------------------------------------------------------------


def test_a_yes_against_a_no_is_a_conflict_and_never_a_difference_to_write() -> None:
    golden = {"marketing_consent": "no", "consent_at": "2026-01-01T00:00:00Z"}
    said = {"marketing_consent": "yes", "consent_at": "2025-01-01T00:00:00Z"}
    assert differences(golden, said) == {}
    assert kinds(golden, ("crm/people/1", said)) == [("consent_conflict", "crm/people/1", "marketing_consent")]


@pytest.mark.parametrize(("ours", "theirs"), [("yes", "no"), ("yes", "yes"), ("no", "no")])
def test_only_a_yes_against_a_no_is_a_conflict(ours: str, theirs: str) -> None:
    assert kinds({"marketing_consent": ours}, ("crm/people/1", {"marketing_consent": theirs})) == []
    assert kinds({"marketing_consent": "no"}, ("crm/people/1", {})) == []


# -- duplicates ------------------------------------------------------------------------------------------------------


def test_a_second_record_of_one_customer_in_one_stream_is_a_duplicate_of_the_first() -> None:
    same = {"phone": "+2"}
    held = [("crm/people/2", same), ("crm/people/1", same), ("crm/people/3", same), ("desk/users/1", same)]
    assert kinds({"phone": "+2"}, *held) == [("duplicate", "crm/people/2", ""), ("duplicate", "crm/people/3", "")]
    [two, _] = compared({"phone": "+2"}, *held)[1]
    assert json.loads(two["detail"]) == {"same_as": "crm/people/1"}


def test_records_of_one_customer_in_different_streams_are_no_duplicates() -> None:
    assert kinds({}, ("crm/leads/1", {}), ("crm/people/1", {})) == []


# -- problems and links ----------------------------------------------------------------------------------------------


def row(
    ref: str,
    entity: str = "contact",
    said: Mapping[str, str] | None = None,
    trouble: Mapping[str, list[str]] | None = None,
) -> dict[str, str]:
    system, stream, _ = ref.split("/", 2)
    return {
        "ref": ref, "entity": entity, "system": system, "stream": stream,
        "fields": json.dumps(said or {}), "problems": json.dumps(trouble or {}),
    }  # fmt: skip


def test_a_value_that_could_not_be_cleaned_is_a_finding_with_the_reason_and_what_was_there() -> None:
    rows = [
        row("crm/people/1", trouble={"phone": ["a placeholder", "000"], "email": ["no address", "n/a@"]}),
        row("crm/people/2"),
    ]
    found = problems(pa.Table.from_pylist(rows, schema=ROWS)).to_pylist()
    assert [(f["kind"], f["ref"], f["field"], f["theirs"]) for f in found] == [
        ("value_invalid", "crm/people/1", "email", "n/a@"),
        ("value_invalid", "crm/people/1", "phone", "000"),
    ]
    assert json.loads(found[1]["detail"]) == {"why": "a placeholder"}


def orphans(*rows: dict[str, str], living: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    alive = pa.table({"ref": pa.array([r["ref"] for r in rows] + list(living), pa.string())})
    read = pa.table({"stream": pa.array({r.rpartition("/")[0] for r in alive.column("ref").to_pylist()}, pa.string())})
    found = broken_links(pa.Table.from_pylist(list(rows), schema=ROWS), link_fields(), alive, read).to_pylist()
    assert {f["kind"] for f in found} <= {"orphan_link"}
    return [(f["ref"], f["field"], f["theirs"]) for f in found]


def test_a_link_to_a_record_that_is_not_there_is_an_orphan() -> None:
    there = row("crm/people/1", said={"account": "crm/firms/1"})
    nowhere = row("crm/people/2", said={"account": "crm/firms/404"})
    assert orphans(there, nowhere, living=["crm/firms/1"]) == [("crm/people/2", "account", "crm/firms/404")]


def test_every_field_that_links_is_looked_at() -> None:
    order = row(
        "shop/orders/1", "order", {"account": "shop/firms/404", "contact": "shop/people/1", "number": "crm/firms/7"}
    )
    assert orphans(order, living=["shop/people/1", "shop/firms/1"]) == [("shop/orders/1", "account", "shop/firms/404")]


def test_a_stream_that_was_never_read_is_not_judged() -> None:
    assert orphans(row("crm/people/1", said={"account": "crm/firms/1"})) == []


def test_a_record_without_a_link_is_no_orphan() -> None:
    assert orphans(row("crm/people/1"), living=["crm/firms/1"]) == []


def test_nothing_is_found_in_nothing() -> None:
    assert compared({}) == ([], [])
    assert orphans() == []
    assert problems(ROWS.empty_table()).num_rows == 0

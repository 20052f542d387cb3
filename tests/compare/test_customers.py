"""Of which groups a customer is said to be: by its own records, by those it works for, by its mailbox."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from omnihub.compare.customers import BELIEVED, GOLDENS, accounts_of, groups_of

NEIGHBOURS = pa.schema([("golden_id", pa.string()), ("account", pa.string())])


def lineage(field: str, value: str | None, said: tuple[str, ...]) -> dict[str, str]:
    """What is believed, and what the other records say."""
    losers = [{"value": one, "why": "agrees" if one == value else "outweighed"} for one in said]
    told = {field: value} if value else {}
    return {"fields": json.dumps(told), "lineage": json.dumps({field: {"losers": losers}} if value else {})}


def believed(ref: str, entity: str, golden_id: str, account: str | None = None, *said: str) -> dict[str, Any]:
    return {"ref": ref, "entity": entity, "golden_id": golden_id} | lineage("account", account, said)


def golden(id_: str, group: str | None, *said: str) -> dict[str, Any]:
    return {"id": id_} | lineage("customer_group", group, said)


def accounts(*rows: dict[str, Any], near: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, str]]:
    neighbours = pa.Table.from_pylist([dict(zip(NEIGHBOURS.names, n, strict=True)) for n in near], schema=NEIGHBOURS)
    found = accounts_of(pa.Table.from_pylist(list(rows), schema=BELIEVED), neighbours)
    return [(r["ref"], r["account"]) for r in found.to_pylist()]


def test_an_account_is_itself_and_a_contact_is_of_whoever_as_many_say() -> None:
    told = accounts(
        believed("crm/a/1", "account", "A"),
        believed("crm/c/1", "contact", "C", "A", "B"),
        believed("crm/c/2", "contact", "D", "A", "B", "A"),
        believed("crm/c/3", "contact", "E", "A", "B", "B"),
    )
    assert told == [
        ("crm/a/1", "A"),
        *((f"crm/c/{n}", one) for n, one in ((1, "A"), (1, "B"), (2, "A"), (3, "A"), (3, "B"))),
    ]


def test_a_mailbox_speaks_for_all_the_firms_at_its_domain_where_fewer_than_two_agree() -> None:
    near = (("C", "N"), ("C", "A"), ("D", "N"), ("D", "M"), ("F", "N"))
    told = accounts(
        believed("crm/c/1", "contact", "C", "A"),
        believed("crm/c/2", "contact", "D"),
        believed("crm/c/3", "contact", "E"),
        believed("crm/c/4", "contact", "F", "A", "A"),
        near=near,
    )
    assert told == [
        ("crm/c/1", "A"), ("crm/c/1", "N"), ("crm/c/2", "M"), ("crm/c/2", "N"), ("crm/c/4", "A"),
    ]  # fmt: skip


def test_our_own_word_come_back_says_nothing_else() -> None:
    one = believed("crm/c/1", "contact", "C", "A", "B")
    assert accounts(one | {"lineage": one["lineage"].replace("outweighed", "echo")}) == [("crm/c/1", "A")]


def test_all_groups_that_as_many_say_count_each_once_and_silence_says_none() -> None:
    of = pa.table({"ref": ["c/1", "c/1", "c/2", "c/3"], "account": ["A", "B", "S", "M"]})
    goldens = [
        golden("A", "key", "standard"),
        golden("B", "dealer"),
        golden("S", None),
        golden("M", "key", "standard", "key"),
    ]
    found = groups_of(of, pa.Table.from_pylist(goldens, schema=GOLDENS)).to_pylist()
    told = [(r["ref"], r["customer_group"]) for r in found]
    assert told == [("c/1", "dealer"), ("c/1", "key"), ("c/1", "standard"), ("c/3", "key")]

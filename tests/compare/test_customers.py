"""Of which groups a customer is said to be: by its own records, by those it works for, by its mailbox."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from omnihub.compare.customers import BELIEVED, GOLDENS, accounts_of, groups_of

NEIGHBOURS = pa.schema([("golden_id", pa.string()), ("account", pa.string())])


def believed(ref: str, entity: str, golden_id: str, account: str | None = None, *claimed: str) -> dict[str, Any]:
    """claimed: the accounts that lost."""
    lineage = {"account": {"losers": [{"value": one} for one in claimed]}} if account else {}
    fields = {"account": account} if account else {}
    told = {"fields": json.dumps(fields), "lineage": json.dumps(lineage)}
    return {"ref": ref, "entity": entity, "golden_id": golden_id} | told


def golden(id_: str, group: str | None, *said: str) -> dict[str, Any]:
    """said: the groups that lost."""
    lineage = {"customer_group": {"losers": [{"value": one} for one in said]}} if group else {}
    return {"id": id_, "fields": json.dumps({"customer_group": group} if group else {}), "lineage": json.dumps(lineage)}


def accounts(*rows: dict[str, Any], near: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, str]]:
    neighbours = pa.Table.from_pylist([dict(zip(NEIGHBOURS.names, n, strict=True)) for n in near], schema=NEIGHBOURS)
    found = accounts_of(pa.Table.from_pylist(list(rows), schema=BELIEVED), neighbours)
    return [(r["ref"], r["account"]) for r in found.to_pylist()]


def test_an_account_is_itself_and_a_contact_is_of_whoever_says_so() -> None:
    told = accounts(believed("crm/a/1", "account", "A"), believed("crm/c/1", "contact", "C", "A", "B", "A"))
    assert told == [("crm/a/1", "A"), ("crm/c/1", "A"), ("crm/c/1", "B")]


def test_a_mailbox_speaks_for_all_the_firms_at_its_domain_once() -> None:
    near = (("C", "N"), ("C", "A"), ("D", "N"), ("D", "M"))
    told = accounts(
        believed("crm/c/1", "contact", "C", "A"),
        believed("crm/c/2", "contact", "D"),
        believed("crm/c/3", "contact", "E"),
        near=near,
    )
    assert told == [("crm/c/1", "A"), ("crm/c/1", "N"), ("crm/c/2", "M"), ("crm/c/2", "N")]


def test_all_groups_that_are_said_count_each_once_and_silence_says_none() -> None:
    of = pa.table({"ref": ["c/1", "c/1", "c/2"], "account": ["A", "B", "S"]})
    goldens = [golden("A", "key", "standard", "key"), golden("B", "dealer"), golden("S", None)]
    found = groups_of(of, pa.Table.from_pylist(goldens, schema=GOLDENS)).to_pylist()
    assert [(r["ref"], r["customer_group"]) for r in found] == [("c/1", "dealer"), ("c/1", "key"), ("c/1", "standard")]

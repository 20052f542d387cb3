"""Whoever is forgotten is nowhere any more, and does not come back; everybody else is as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from omnihub.flow import auditing, report
from omnihub.flow.forgetting import Forgetting, forget, plan_forgetting
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start

WHY = "their own request"
NOT_THEIRS = ("streams", "watermarks", "counter", "budgets", "budget_seats", "forgettings", "tombstones")


def somebody(here: Loop, *systems: str) -> tuple[str, dict[str, str], list[str]]:
    """A person in these systems whose name, mailbox and number nobody else has: a ref, system → ref, these values."""
    for who in here.everybody("contact", "email", *systems):
        said: dict[str, str] = {}
        for ref in who.values():
            said |= here.fields(ref)
        values = [said["email"], said.get("last_name", ""), said.get("mobile") or said.get("phone", "")]
        if not all(len(value) > 4 for value in values):
            continue
        if max(holders(here, value) for value in values) <= members(here, who):
            return next(iter(who.values())), who, values
    raise AssertionError("nobody like that")


def holders(here: Loop, value: str) -> int:
    """How many records hold this."""
    texts = loop.rows(here.store, sa.select(schema.refined.c.fields).where(~schema.refined.c.deleted))
    return sum(value.lower() in row.fields.lower() for row in texts)


def members(here: Loop, who: dict[str, str]) -> int:
    x = schema.crosswalk
    [gid] = {r.golden_id for r in loop.rows(here.store, sa.select(x.c.golden_id).where(x.c.ref.in_(who.values())))}
    return len(loop.rows(here.store, sa.select(x.c.ref).where(x.c.golden_id == gid)))


def forgotten(here: Loop, ref: str, **more: Any) -> Forgetting:
    hub = here.hub()
    return forget(hub, plan_forgetting(hub, ref, "anna", WHY).id, **more)


def traces(here: Loop, values: list[str]) -> list[str]:
    """Where in the store any of these stands: table, column."""
    found = []
    for table in schema.metadata.sorted_tables:
        for row in loop.rows(here.store, sa.select(table)):
            for name, cell in row._mapping.items():
                said = bytes(cell).decode("utf-8", "replace") if isinstance(cell, bytes | memoryview) else str(cell)
                found += [f"{table.name}.{name}: {v}" for v in values if v.lower() in said.lower()]
    return found


def in_files(folder: Path, values: list[str]) -> list[str]:
    """Files in whose bytes any of these stands."""
    words = [value.lower().encode() for value in values]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(word in path.read_bytes().lower() for word in words)]


def others(here: Loop, but: list[str]) -> dict[str, Any]:
    """All that is believed of everybody else."""
    return {gid: told for gid, told in loop.believed(here.store).items() if not set(told[2]) & set(but)}


def test_after_it_and_three_syncs_nothing_of_them_is_anywhere(start: Start, tmp_path: Path) -> None:
    here = start("synced")
    ref, who, values = somebody(here, "shopify", "zendesk")
    report(here.hub(), tmp_path / "reports")
    (tmp_path / "plan.html").write_text(f"<p>{values[0]}</p>")
    (tmp_path / "omnihub.log").write_text(f"one line\n{ref} refused\n")
    assert traces(here, values)
    before, mine = others(here, [*who.values()]), members(here, who)
    done = forgotten(here, ref, home=tmp_path)
    assert len(done.records) == mine
    left = {one.ref.partition("/")[0] for one in done.left}
    for n in range(3):
        told = loop.sync(here.hub(), full=n == 1)
        assert told.summary["state"] == "ok", told.summary
        assert told.planned == 0
    assert traces(here, values) == []
    assert in_files(tmp_path, values) == []
    assert (tmp_path / "omnihub.log").read_text() == "one line\n"
    if here.store.sqlite:
        kept = in_files(Path(here.url.removeprefix("sqlite:///")).parent, values)
        assert not [name for name in kept if name.startswith("hub.db")]
    dumps = {name: json.dumps(dump, ensure_ascii=False, default=str) for name, dump in here.dump().items()}
    assert {name for name, dump in dumps.items() if any(value in dump for value in values)} <= left
    assert others(here, [*who.values()]) == before
    with here.store.read() as c:
        assert auditing.verify(c).broken is None
        assert auditing.entries(c, what="forgotten")[0]["facts"]["because"] == WHY

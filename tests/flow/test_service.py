"""Channels and service standards over the real stand-ins: who sees to what, and which tickets are late."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from omnihub.compare.service import KINDS
from omnihub.flow import Run, compare_all, pull_system, refine_system
from omnihub.merge import Rules
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import CUSTOMERS, SEED, Loop, Start, looked_at

RULES = Rules(masters=frozenset({"airtable"}))


def owners(here: Loop) -> dict[str, set[str]]:
    f = schema.findings
    found: dict[str, set[str]] = {}
    for row in loop.rows(here.store, sa.select(f.c.system, f.c.owner).where(f.c.state == "open").distinct()):
        found.setdefault(row.system, set()).add(row.owner)
    return found


def late(here: Loop) -> set[tuple[str, str]]:
    f = schema.findings
    query = sa.select(f.c.kind, f.c.ref).where(f.c.kind.in_(KINDS), f.c.state == "open")
    return {(row.kind, row.ref) for row in loop.rows(here.store, query)}


def test_findings_belong_to_whom_the_masters_channel_table_names(begin: Start) -> None:
    here = begin("compared")
    hub = here.hub(rules=RULES)
    compare_all(hub)
    assert owners(here)["shopify"] == {"E-commerce"}
    assert owners(here)["zendesk"] == {"Customer service"}
    shop = here.standin("airtable").native_id("channels", 3)
    here.edit(f"airtable/channels/{shop}", owner="Web shop team")
    pull_system(hub, "airtable", Run.start(here.store).id)
    refine_system(hub, "airtable")
    compare_all(hub)
    assert owners(here)["shopify"] == {"Web shop team"}


def test_a_ticket_answered_too_late_is_found_and_the_answer_of_another_closes_it(begin: Start) -> None:
    here = begin("compared")
    hub = here.hub(rules=RULES)
    compare_all(hub)
    before = late(here)
    assert {kind for kind, _ in before} == {*KINDS}
    ref = next(ref for kind, ref in sorted(before) if kind == "answer_late" and "answered_at" in here.fields(ref))
    here.edit(ref, answered_at=here.fields(ref)["opened_at"])
    pull_system(hub, "zendesk", Run.start(here.store).id)
    refine_system(hub, "zendesk")
    compare_all(hub)
    assert before - late(here) == {("answer_late", ref)}


@pytest.mark.long
@pytest.mark.parametrize("seed", [SEED, 3, 42])
def test_every_late_ticket_of_a_world_is_found_over_http_and_nothing_else(tmp_path: Path, seed: int) -> None:
    with looked_at(tmp_path, 4 * CUSTOMERS, seed) as known:
        compare_all(known.here.hub(rules=RULES))
        found = known.score()["findings"]["by_kind"]
    for kind in KINDS:
        assert found[kind]["planted"] > 5
        assert (found[kind]["recall"], found[kind]["precision"]) == (1.0, 1.0), found[kind]

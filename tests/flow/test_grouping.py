"""One rule of grouping: lists, what to fix today and notices have the same groups, with the same counts, in one order.

The shop follows no price list EUR-B, and the CRM has 14 numbers nobody can call, 2 of them left alone by decision; 12
e-mails differ there, of which the hub goes on with 5.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from omnihub.flow import Hub, report
from omnihub.flow.awaiting import Turn
from omnihub.flow.delivering import choose, deliver
from omnihub.flow.grouping import MANY, Grouping, Only, groups
from omnihub.model import Outcome
from omnihub.report.grouping import Group, sentence, title
from omnihub.sdk import Answer
from omnihub.sdk.reporting import Notice, Place
from omnihub.store import Store, schema
from tests.flow.test_reporting import CRM, READ, SHOP, STARTED, WRITTEN, fill, finding

PLANNED = range(5)
LIST = json.dumps({"cause": "list:EUR-B", "list": "EUR-B", "since": "2026-05-03"})


@dataclass
class Memory:
    """A place that keeps what it is told, in its order."""

    told: dict[str, Notice] = field(default_factory=dict)

    def put(self, _: Any, some: Sequence[tuple[Notice, str | None]]) -> Iterable[Answer]:
        for n, (notice, _id) in enumerate(some):
            self.told[notice.key] = notice
            yield Answer(n, Outcome.WRITTEN, notice.key)

    def clear(self, _: Any, some: Sequence[tuple[str, str | None]]) -> Iterable[Answer]:
        for n, (key, _id) in enumerate(some):
            self.told.pop(key, None)
            yield Answer(n, Outcome.WRITTEN)

    @property
    def place(self) -> Place:
        return Place(self.put, self.clear, self.clear, "the list of tasks")


def price(n: int, **more: Any) -> dict[str, Any]:
    told = {"kind": "price_expired", "entity": "product", "system": "shop", "ref": f"shop/goods/{n}", "field": "price"}
    worth = {"at_stake_cents": 100 * n, "currency": "CHF" if n % 4 == 0 else "EUR", "customers": n, "detail": LIST}
    return finding(n, **told | worth | {"cause": "list:EUR-B", "group_id": "list", "severity": "medium"} | more)


def person(n: int, kind: str, about: str, **more: Any) -> dict[str, Any]:
    ref = f"crm/people/{n % 100}"
    return finding(n, kind=kind, field=about, ref=ref, group_id=f"{kind}-{about}", theirs="?", expected="!") | more


ROWS = [
    *(price(n) for n in range(1, 10)),
    *(price(n, kind="price_differs") for n in range(10, 13)),
    *(person(100 + n, "value_invalid", "phone", severity="low", state="ignored" if n < 2 else "open")
      for n in range(14)),
    *(person(200 + n, "value_differs", "email") for n in range(12)),
    person(311, "value_differs", "city", severity="high"),
    person(399, "value_differs", "title"),
]  # fmt: skip

OTHERS = {
    schema.plans: [{"id": "plan-1", "run_id": "run-1", "state": "ready", "created_at": STARTED, "guard": "[]"}],
    schema.changes: [
        {"plan_id": "plan-1", "n": n, "ref": f"crm/people/{n}", "system": "crm", "field": "email"} for n in PLANNED
    ],
    schema.streams: [{"system": "crm", "stream": "people", "state": "ok", "read_at": READ}],
}


@pytest.fixture
def hub(tmp_path: Path) -> Any:
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    fill(store, OTHERS | {schema.findings: ROWS})
    yield Hub(store, {"crm": CRM, "shop": SHOP}, settings=lambda _: {})
    store.close()


def by_hand() -> dict[str, list[dict[str, Any]]]:
    """Each finding that is for people, by what it belongs to: as the rule says it, row by row."""
    mine = [r for r in ROWS if not (r["field"] == "email" and r["id"] in {f"f{200 + n}" for n in PLANNED})]
    sizes: dict[str, int] = defaultdict(int)
    for r in mine:
        sizes[r["group_id"]] += 1
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for r in mine:
        if r["state"] == "open":
            together = r.get("cause") or sizes[r["group_id"]] >= MANY
            found[r["group_id"] if together else r["ref"]].append(r)
    return found


def listed(hub: Hub, system: str = "", **more: Any) -> list[Group]:
    with hub.store.read() as c:
        return groups(c, Only(system, for_people=True), None, Grouping(c, Turn.now(c, hub.connectors)), **more)[1]


def test_what_findings_belong_to_is_as_the_rule_says(hub: Hub) -> None:
    expected = by_hand()
    found = {g.what: g for g in listed(hub)}
    assert {what: g.findings for what, g in found.items()} == {what: len(rows) for what, rows in expected.items()}
    assert {what: g.records for what, g in found.items()} == {
        what: len({r["ref"] for r in rows}) for what, rows in expected.items()
    }
    prices = found["list"]
    assert prices.at_stake == (("EUR", 100 * (78 - 24)), ("CHF", 100 * 24))  # 1 to 12; of these 4, 8 and 12
    assert prices.customers == 12
    assert found["value_invalid-phone"].findings == 12  # two of the fourteen are left alone; they are many all the same
    assert found["crm/people/11"].fields == ("city", "email")
    assert [g.what for g in listed(hub)][:2] == ["crm/people/11", "list"]  # severe first, then money


def test_lists_what_to_fix_today_and_notices_have_the_same_groups_in_the_same_order(hub: Hub, tmp_path: Path) -> None:
    crm, shop = Memory(), Memory()
    connectors = {
        "crm": replace(CRM, place=crm.place, open=lambda _: crm),
        "shop": replace(SHOP, place=shop.place, open=lambda _: shop),
    }
    told = replace(hub, connectors=connectors, told=frozenset(connectors))
    for system in connectors:
        counts = deliver(told, "run-1", system)
        assert (counts["put"], counts["error"]) == (len(listed(hub, system)), "")

    report(told, tmp_path / "reports")
    page = json.loads((tmp_path / "reports" / "latest" / "report.json").read_text())
    sheet = openpyxl.load_workbook(tmp_path / "reports" / "latest" / "report.xlsx")["Fix today"]
    lines = [*sheet.iter_rows(min_row=2, values_only=True)]
    heads = {cell.value: n for n, cell in enumerate(sheet[1])}

    names = {"crm": "Our CRM", "shop": "The shop"}
    everything = listed(hub)
    assert page["tasks"] == len(everything) == len(lines)
    assert [line[heads["What"]] for line in lines] == [sentence(g, names[g.system]) for g in everything]
    assert [line[heads["How many"]] for line in lines] == [g.findings for g in everything]
    assert [t["what"] for t in page["today"]] == [g.what for g in everything][: len(page["today"])]
    assert {t["notice"] for t in page["today"]} == {"the list of tasks"}
    for system, memory in (("crm", crm), ("shop", shop)):
        mine = listed(hub, system)
        notices = [*memory.told.values()]
        assert [n.title for n in notices] == [title(g, names[system]) for g in mine]
        assert [n.fields["findings"] for n in notices] == [str(g.findings) for g in mine]
        assert [n.fields["records"] for n in notices] == [str(g.records) for g in mine]
    [prices] = shop.told.values()
    assert prices.title == "Price list EUR-B of 3 May 2026 not followed in The shop: 12 products"
    assert prices.text.startswith("At stake: 54.00 EUR and 24.00 CHF. It touches at least 12 customers.\n")


def test_of_those_as_severe_the_ones_that_are_told_stay_where_not_all_have_room(hub: Hub) -> None:
    last = listed(hub, "crm")[-2].what  # the last of the medium ones; the many numbers are low
    fill(hub.store, {schema.deliveries: [{"system": "crm", "key": "k", "about": last, "state": "open"}]})
    with hub.store.read() as c:
        total, chosen = choose(c, replace(hub, findings=replace_limit(hub, 3)), "crm")
    assert total == len(listed(hub, "crm"))
    assert chosen[0].what == "crm/people/11"  # what is severe is not kept out by it
    assert last in [g.what for g in chosen]
    assert len(chosen) == 3


def replace_limit(hub: Hub, limit: int) -> Any:
    return hub.findings.model_copy(update={"limit": limit})


CASES: tuple[tuple[str, str, dict[Any, dict[str, Any]]], ...] = (
    ("applied", "to_fix", {}),
    ("applied", "corrected", {schema.sent: {"value": "!", "at": WRITTEN}}),
    ("applied", "to_fix", {schema.sent: {"value": "!", "at": "2026-03-01T09:00:00Z"}}),  # read since: it did not help
    ("applied", "to_fix", {schema.sent: {"value": "other", "at": WRITTEN}}),
    ("ready", "planned", {schema.changes: {}}),
    ("blocked", "needs_approval", {schema.changes: {}}),
    ("outdated", "to_fix", {schema.changes: {}}),
    ("applied", "to_fix", {schema.changes: {"outcome": "written"}}),
    ("applied", "deferred", {schema.changes: {"outcome": "deferred"}}),
    ("applied", "drifted", {schema.changes: {"outcome": "drifted"}}),
    ("applied", "refused", {schema.dead_letters: {}}),
    ("applied", "corrected", {schema.dead_letters: {}, schema.sent: {"value": "!", "at": WRITTEN}}),
)


def test_whose_turn_it_is(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    rows: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for n, (_state, _status, others) in enumerate(CASES):
        rows[schema.findings].append(person(n, "value_differs", "email"))
        for table, more in others.items():
            numbered = {"n": n} if table is schema.changes else {}
            rows[table].append({"ref": f"crm/people/{n}", "field": "email", "plan_id": "p"} | numbered | more)
    fill(store, dict(rows))
    with store.read() as c:
        for n, (state, status, _others) in enumerate(CASES):
            turn = Turn("p", state, {("crm", "people"): READ, ("crm", "peo"): WRITTEN})
            query = sa.select(turn.status()).select_from(turn.joined()).where(schema.findings.c.id == f"f{n}")
            assert c.execute(query).scalar_one() == status, CASES[n]
    store.close()

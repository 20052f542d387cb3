"""The report of a small hub, every number next to the same sum done by hand.

    golden   c1 Anna Meyer     crm/people/1, shop/customers/7     first name, e-mail, permission no, account a1
             c2 Bob            crm/people/2                       first name, e-mail
             a1 Meyer GmbH     crm/firms/1                        name, domain

`crm` maps first_name, email, marketing_consent, account; `shop` maps first_name and email; crm's firms name and domain.
"""

from __future__ import annotations

import csv
import html
import json
import shutil
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from omnihub.errors import ConfigError
from omnihub.flow import Hub, report
from omnihub.flow.auditing import audited
from omnihub.flow.findings import ignore
from omnihub.flow.reporting import KEEP
from omnihub.flow.scoring import keep
from omnihub.model import Entity
from omnihub.report import MAX_TEXT
from omnihub.sdk import Connector, Link, Stream
from omnihub.store import Store, schema

CRM = Connector(
    "crm",
    "Our CRM",
    "CRM",
    streams=(
        Stream("firms", Entity.ACCOUNT, {"name": "name", "domain": "site"}),
        Stream(
            "people",
            Entity.CONTACT,
            {"first_name": "first", "email": "mail", "marketing_consent": "ok", "account": Link("firm", "firms")},
        ),
    ),
)
SHOP = Connector(
    "shop",
    "The shop",
    "e-commerce",
    streams=(Stream("customers", Entity.CONTACT, {"first_name": "first", "email": "mail"}),),
)

STARTED = "2026-03-01T10:00:00Z"
READ = "2026-03-01T10:00:01.5+00:00"
WRITTEN = "2026-03-01T10:00:09Z"

PULLED = {"read": 4, "new": 3, "changed": 0, "same": 1, "rejected": 0, "gone": 0, "error": ""}


def row(table: sa.Table, **told: Any) -> dict[str, Any]:
    """A row with something in every column that must have it."""
    blank = {
        c.name: _blank(c) for c in table.columns if not c.nullable and c.server_default is None and c.name not in told
    }
    return {
        k: v for k, v in (blank | told).items() if not (k == "id" and table.name in ("receipts", "rejects") and v == 0)
    }


def _blank(column: sa.Column[Any]) -> Any:
    if isinstance(column.type, sa.Boolean):
        return False
    if isinstance(column.type, sa.LargeBinary):
        return b""
    return "{}" if isinstance(column.type, sa.Text) else 0


def fill(store: Store, rows: Mapping[sa.Table, list[dict[str, Any]]]) -> None:
    with store.write() as c:
        for table, some in rows.items():
            for told in some:
                c.execute(sa.insert(table).values(**row(table, **told)))


def refined(ref: str, entity: str, golden: str, **fields: str) -> tuple[dict[str, Any], dict[str, Any]]:
    system, stream, _ = ref.split("/", 2)
    held = {"ref": ref, "entity": entity, "system": system, "stream": stream, "fields": json.dumps(fields)}
    return held, {"ref": ref, "entity": entity, "golden_id": golden}


def golden(id_: str, entity: str, **fields: str) -> dict[str, Any]:
    return {"id": id_, "entity": entity, "fields": json.dumps(fields), "founder": "", "members": 1}


def finding(n: int, **told: Any) -> dict[str, Any]:
    return {
        "id": f"f{n}",
        "kind": "value_differs",
        "severity": "medium",
        "entity": "contact",
        "system": "crm",
        "ref": "crm/people/1",
        "field": "email",
        "owner": told.get("system", "crm"),
        "state": "open",
        "first_seen": "2026-02-01T00:00:00Z",
        "last_seen": STARTED,
        "detail": json.dumps({"winner": "shop/customers/7", "rule": "trusted"}),
    } | told


RECORDS = (
    refined(
        "crm/people/1",
        "contact",
        "c1",
        first_name="Ana",
        email="old@meyer.example",
        marketing_consent="yes",
        account="crm/firms/1",
    ),
    refined("crm/people/2", "contact", "c2", first_name="Bob"),
    refined("shop/customers/7", "contact", "c1", first_name="Anna", email="anna@meyer.example"),
    refined("crm/firms/1", "account", "a1", name="Meyer GmbH", domain="meyer.example"),
)

# Anna's first name differs and was written, her e-mail differs and was refused, her permission stands against a no.
# Bob's e-mail was missing and was written.
ROWS: dict[sa.Table, list[dict[str, Any]]] = {
    schema.refined: [held for held, _ in RECORDS],
    schema.crosswalk: [who for _, who in RECORDS],
    schema.goldens: [
        golden("c1", "contact", first_name="Anna", email="anna@meyer.example", marketing_consent="no", account="a1"),
        golden("c2", "contact", first_name="Bob", email="bob@x.example"),
        golden("a1", "account", name="Meyer GmbH", domain="meyer.example"),
    ],
    schema.streams: [
        {"system": s, "stream": t, "state": "ok", "read_at": READ}
        for s, t in (("crm", "people"), ("crm", "firms"), ("shop", "customers"))
    ],
    schema.differences: [
        {
            "ref": ref,
            "field": field,
            "entity": "contact",
            "system": "crm",
            "stream": "people",
            "golden_id": id_,
            "theirs": theirs,
            "ours": ours,
        }
        for ref, field, id_, theirs, ours in (
            ("crm/people/1", "first_name", "c1", "Ana", "Anna"),
            ("crm/people/1", "email", "c1", "old@meyer.example", "anna@meyer.example"),
            ("crm/people/2", "email", "c2", None, "bob@x.example"),
        )
    ],
    schema.sent: [
        {"ref": "crm/people/1", "field": "first_name", "value": "Anna", "plan_id": "plan-1", "at": WRITTEN},
        {"ref": "crm/people/2", "field": "email", "value": "bob@x.example", "plan_id": "plan-1", "at": WRITTEN},
    ],
    schema.findings: [
        finding(1, field="first_name", theirs="Ana", expected="Anna"),
        finding(2, theirs="old@meyer.example", expected="anna@meyer.example"),
        finding(3, kind="consent_conflict", severity="high", field="marketing_consent", theirs="yes", expected="no"),
        finding(
            4,
            kind="value_invalid",
            severity="low",
            system="shop",
            ref="shop/customers/7",
            field="phone",
            theirs="=cmd()",
        ),
        finding(5, state="resolved", field="phone"),
    ],
    schema.runs: [
        {
            "id": "run-1",
            "started_at": STARTED,
            "state": "running",
            "counts": json.dumps(
                {
                    "pull:crm": [PULLED | {"system": "crm", "stream": "people"}],
                    "compare": {"opened": 4, "resolved": 1},
                    "plan": {"id": "plan-1", "state": "ready"},
                    "push": {"planned": 3, "written": 2, "refused": 1, "deferred": 0, "drifted": 0, "left": 0},
                }
            ),
        }
    ],
    schema.plans: [{"id": "plan-1", "run_id": "run-1", "state": "applied", "created_at": STARTED, "guard": "[]"}],
    schema.changes: [
        {"plan_id": "plan-1", "n": n, "ref": ref, "system": "crm", "field": field, "outcome": outcome}
        for n, (ref, field, outcome) in enumerate(
            (
                ("crm/people/1", "first_name", "written"),
                ("crm/people/2", "email", "written"),
                ("crm/people/1", "email", "refused"),
            )
        )
    ],
    schema.dead_letters: [
        {
            "ref": "crm/people/1",
            "field": "email",
            "old": "old@meyer.example",
            "new": "anna@meyer.example",
            "message": "already taken",
            "code": "TAKEN",
            "at": WRITTEN,
        }
    ],
    schema.pairs: [
        {"a": "crm/people/1", "b": "crm/people/2", "entity": "contact", "weight": 4.5, "state": "unsure"},
        {
            "a": "crm/people/1",
            "b": "shop/customers/7",
            "entity": "contact",
            "weight": 3.0,
            "state": "unsure",
        },  # one already
    ],
    schema.facts: [
        {"key": "unmapped:crm/people", "value": '{"nick": 2}'},
        {"key": "unmapped:crm/firms", "value": "{}"},
    ],
}


def hub_at(url: str) -> Iterator[Hub]:
    store = Store.open(url)
    yield Hub(store, {"crm": CRM, "shop": SHOP}, settings=lambda _: {})
    store.close()


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: bringing a schema up to date takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "hub.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def hub(tmp_path: Path, empty_database: Path) -> Iterator[Hub]:
    shutil.copy(empty_database, tmp_path / "hub.db")
    yield from hub_at(f"sqlite:///{tmp_path / 'hub.db'}")


@pytest.fixture
def either(store_url: str) -> Iterator[Hub]:
    """A filled hub, on each kind of store: for the tests that every query takes part in."""
    for made in hub_at(store_url):
        fill(made.store, ROWS)
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the reports go; the database may lie beside it."""
    made = tmp_path / "reports"
    made.mkdir()
    return made


@pytest.fixture
def filled(hub: Hub) -> Hub:
    fill(hub.store, ROWS)
    return hub


def told(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "latest" / "report.json").read_text())
    return read


def sheet(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_scorecard_is_what_a_person_counts(either: Hub, folder: Path) -> None:
    report(either, folder)
    lines = {(s["system"], s["entity"]): s for s in told(folder)["scores"]}
    numbers = ("records", "known", "total", "golden", "comparable", "equal", "corrected", "filled")
    # crm's contacts: Anna's first name, e-mail and permission, Bob's first name and e-mail are the 5 golden cells. Bob
    # has no e-mail, so 4 can be compared. Only Bob's first name is equal. Anna's first name was written, and so was
    # Bob's e-mail. The account is a link and does not count.
    assert tuple(lines["crm", "contact"][n] for n in numbers) == (2, 2, 2, 5, 4, 1, 1, 1)
    assert lines["crm", "contact"]["consistency"] == 1 / 4
    assert lines["crm", "contact"]["coverage"] == 4 / 5
    assert lines["crm", "contact"]["expected"] == 3 / 5
    assert tuple(lines["crm", "account"][n] for n in numbers) == (1, 1, 1, 2, 2, 2, 0, 0)
    assert tuple(lines["shop", "contact"][n] for n in numbers) == (1, 1, 2, 2, 2, 2, 0, 0)
    assert told(folder)["totals"]["consistency"] == 5 / 8


def test_a_deleted_record_has_no_cells(filled: Hub, folder: Path) -> None:
    with filled.store.write() as c:
        c.execute(sa.update(schema.refined).where(schema.refined.c.ref == "crm/people/1").values(deleted=True))
    report(filled, folder)
    line = next(s for s in told(folder)["scores"] if (s["system"], s["entity"]) == ("crm", "contact"))
    assert (line["records"], line["golden"], line["comparable"], line["equal"]) == (1, 2, 1, 1)


def test_open_findings_are_counted_by_whose_turn_it_is(either: Hub, folder: Path) -> None:
    counts = report(either, folder)
    assert {n: counts[n] for n in ("findings", "for_people", "urgent", "waiting", "corrected")} == {
        "findings": 4,
        "for_people": 3,
        "urgent": 1,
        "waiting": 0,
        "corrected": 1,
    }
    statuses = {i["id"]: i["status"] for i in told(folder)["all_findings"]}
    assert statuses == {"f1": "corrected", "f2": "refused", "f3": "to_fix", "f4": "to_fix"}
    assert [i["id"] for i in told(folder)["systems"][0]["fix"]] == ["f3", "f2"]


def test_what_is_ignored_is_counted_and_told_nowhere_else(filled: Hub, folder: Path) -> None:
    ignore(filled.store, "f3", "eva", "asked by post")
    assert report(filled, folder)["findings"] == 3
    assert (told(folder)["ignored"], [i["id"] for i in told(folder)["all_findings"]]) == (1, ["f2", "f1", "f4"])
    assert "1 more ignored, by decision" in (folder / "latest" / "index.html").read_text(encoding="utf-8")


def test_the_sheets_hold_every_open_finding_and_each_system_only_its_own(filled: Hub, folder: Path) -> None:
    report(filled, folder)
    assert [r["id"] for r in sheet(folder / "latest" / "findings.csv")] == ["f3", "f2", "f1", "f4"]
    assert [r["id"] for r in sheet(folder / "latest" / "systems" / "crm.csv")] == ["f3", "f2", "f1"]
    (shop,) = sheet(folder / "latest" / "systems" / "shop.csv")
    assert (shop["says"], shop["record"], shop["since"]) == ("'=cmd()", "Anna", "2026-02-01T00:00:00Z")


def test_the_plan_the_queue_and_the_drift_are_told(either: Hub, folder: Path) -> None:
    report(either, folder)
    facts = told(folder)
    assert facts["plan"]["systems"] == [
        {"system": "crm", "planned": 3, "written": 2, "refused": 1, "deferred": 0, "drifted": 0, "left": 0}
    ]
    assert [(r["record"], r["message"]) for r in facts["refusals"]] == [("Ana", "already taken")]
    assert facts["queue"] == {"contact": 1}
    assert [(q["a_record"], q["b_record"]) for q in facts["questions"]] == [("Ana", "Bob")]
    assert facts["drifts"] == [{"system": "crm", "stream": "people", "paths": [["nick", 2]]}]
    assert facts["run"]["balanced"]


def test_a_pair_a_steward_has_judged_waits_no_longer(filled: Hub, folder: Path) -> None:
    fill(filled.store, {schema.judgements: [{"a": "crm/people/1", "b": "crm/people/2", "verdict": "different"}]})
    report(filled, folder)
    assert told(folder)["queue"] == {}


def test_a_stream_that_could_not_be_read_is_told_with_its_reason(filled: Hub, folder: Path) -> None:
    with filled.store.write() as c:
        failed = sa.update(schema.streams).where(schema.streams.c.system == "shop")
        c.execute(failed.values(state="failed", error="shop: the token has expired"))
    fill(filled.store, {schema.rejects: [{"system": "crm", "stream": "people", "hash": b"1", "landed_at": STARTED}]})
    report(filled, folder)
    assert [(t["system"], t["what"].split(":")[0]) for t in told(folder)["troubles"]] == [
        ("shop", "shop"),
        ("crm", "1 record without a key"),
    ]
    assert [s["read"] for s in told(folder)["systems"]] == ["read", "failed"]
    assert "the token has expired" in (folder / "latest" / "index.html").read_text()


def test_findings_wait_while_their_plan_does(filled: Hub, folder: Path) -> None:
    with filled.store.write() as c:
        c.execute(sa.delete(schema.dead_letters))
        c.execute(sa.update(schema.changes).where(schema.changes.c.n == 2).values(outcome=None))
        c.execute(sa.update(schema.plans).values(state="blocked", guard='["crm/people: too many"]'))
    counts = report(filled, folder)
    assert (counts["for_people"], counts["waiting"]) == (2, 1)
    assert "omnihub approve plan-1" in (folder / "latest" / "index.html").read_text()


def test_what_is_refused_stands_by_why_with_the_way_out(filled: Hub, folder: Path) -> None:
    report(filled, folder)
    [cause] = told(folder)["causes"]
    assert (cause["code"], cause["count"], cause["given_up"], cause["systems"]) == ("taken", 1, 0, ["crm"])
    page = (folder / "latest" / "index.html").read_text()
    assert cause["way_out"] in html.unescape(page)
    assert "given up by" not in page


def test_the_report_says_whether_anybody_touched_the_audit_chain(filled: Hub, folder: Path) -> None:
    with filled.store.write() as c:
        for what in ("planned", "approved", "applied"):
            audited(c, "anna", what, {})
    report(filled, folder)
    assert (told(folder)["audit"]["rows"], told(folder)["audit"]["broken"]) == (3, "")
    with filled.store.write() as c:
        c.execute(sa.update(schema.audit).where(schema.audit.c.seq == 2).values(author="eve"))
    report(filled, folder)
    assert told(folder)["audit"]["broken"].startswith("row 2 ")
    assert "tampered with" in (folder / "latest" / "index.html").read_text()


def test_the_plan_is_told_beside_the_report(filled: Hub, folder: Path) -> None:
    counts = report(filled, folder)
    page = Path(counts["plan"]).read_text()
    assert "crm/people/1" in page
    assert "✕ refused" in page
    assert (folder / "latest" / "plan.md").read_text().startswith("## 3 changes for ")


def files(folder: Path) -> dict[str, list[str]]:
    """Every file as lines, but for the line that says when it was made."""
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): [x for x in _lines(p) if "made" not in x.lower()[:20]] for p in found}


def _lines(path: Path) -> list[str]:
    """Of a file that is no text, its bytes as they are."""
    binary = path.suffix in (".xlsx", ".parquet")
    return [path.read_bytes().hex()] if binary else path.read_text().splitlines()


def test_the_same_state_gives_the_same_files(filled: Hub, folder: Path) -> None:
    report(filled, folder / "a")
    report(filled, folder / "b")
    first = files(folder / "a" / "latest")
    assert first == files(folder / "b" / "latest")
    sheets = {"findings.csv", "systems/crm.csv", "systems/shop.csv"}
    tables = {"report.xlsx", "findings.parquet", "scores.parquet"}
    assert set(first) == sheets | tables | {"index.html", "report.json", "plan.html", "plan.md"}


def test_a_second_report_replaces_the_first_and_leaves_nothing_behind(filled: Hub, folder: Path) -> None:
    report(filled, folder)
    (folder / "latest" / "systems" / "gone.csv").write_text("of a system that is no more")
    counts = report(filled, folder)
    assert sorted(p.name for p in folder.iterdir()) == ["20260301T100000Z_run-1", "latest"]
    assert not (folder / "latest" / "systems" / "gone.csv").exists()
    assert Path(counts["html"]) == folder / "latest" / "index.html"
    assert files(Path(counts["kept"])) == files(folder / "latest")


def test_only_the_last_runs_are_kept_and_nothing_else_is_touched(hub: Hub, folder: Path) -> None:
    (folder / "mine").mkdir(parents=True)
    for n in range(1, KEEP + 3):
        (folder / f"202602{n:02}T000000Z_run-x").mkdir()
    fill(hub.store, {schema.runs: ROWS[schema.runs]})
    report(hub, folder)
    kept = sorted(p.name for p in folder.iterdir())
    assert kept[:1] == ["20260204T000000Z_run-x"]
    assert kept[-3:] == ["20260301T100000Z_run-1", "latest", "mine"]
    assert len(kept) == KEEP + 2


def test_a_run_can_be_asked_for_by_its_id(filled: Hub, folder: Path) -> None:
    fill(filled.store, {schema.runs: [{"id": "run-2", "started_at": "2026-03-02T10:00:00Z"}]})
    assert report(filled, folder)["run"] == "run-2"
    assert report(filled, folder, "run-1")["run"] == "run-1"
    with pytest.raises(ConfigError, match="no run run-9"):
        report(filled, folder, "run-9")


def test_the_name_of_a_run_cannot_lead_out_of_the_folder(hub: Hub, folder: Path) -> None:
    fill(hub.store, {schema.runs: [{"id": "../../evil", "started_at": STARTED}]})
    report(hub, folder / "ours")
    assert [p.name for p in folder.iterdir()] == ["ours"]
    assert [p.name for p in folder.parent.iterdir() if not p.name.startswith("hub.db")] == ["reports"]


def test_an_empty_hub_has_a_report_too(hub: Hub, folder: Path) -> None:
    counts = report(hub, folder)
    assert (counts["run"], counts["findings"], counts["consistency"]) == (None, 0, None)
    assert "Nothing has been read yet" in (folder / "latest" / "index.html").read_text()
    assert sheet(folder / "latest" / "findings.csv") == []
    assert told(folder)["all_findings"] == []


def test_hostile_and_huge_values_harm_neither_page_nor_sheets(hub: Hub, folder: Path) -> None:
    huge, script = "+" + "9" * 3_000_000, "<script>alert(1)</script>"
    findings = [
        finding(1, theirs=huge, expected=script),
        finding(2, field=script, theirs='"><img src=x onerror=alert(1)>'),
    ]
    fill(hub.store, {schema.findings: findings, schema.runs: ROWS[schema.runs]})
    report(hub, folder)
    page = (folder / "latest" / "index.html").read_text()
    assert "<script" not in page
    assert "<img" not in page
    assert "3,000,001 characters" in page
    assert len(page) < 100_000
    first = next(r for r in sheet(folder / "latest" / "findings.csv") if r["id"] == "f1")
    assert first["says"].startswith("'+999")
    assert len(first["says"]) < MAX_TEXT + 100


def test_findings_of_a_system_that_was_taken_out_are_not_lost(hub: Hub, folder: Path) -> None:
    fill(hub.store, {schema.findings: [finding(1, system="erp", ref="erp/people/1")]})
    report(hub, folder)
    assert [r["id"] for r in sheet(folder / "latest" / "systems" / "erp.csv")] == ["f1"]
    assert [s["role"] for s in told(folder)["systems"] if s["name"] == "erp"] == ["no longer connected"]


# -- from run to run, and parts ----------------------------------------------------------------------------------------

LATER = "2026-03-02T10:00:00Z"


def test_each_run_leaves_its_scores_and_the_next_report_shows_how_they_went(either: Hub, folder: Path) -> None:
    one = report(either, folder)
    with either.store.write() as c:  # since then somebody has put Anna's first name right
        c.execute(sa.delete(schema.differences).where(schema.differences.c.field == "first_name"))
    fill(either.store, {schema.runs: [{"id": "run-2", "started_at": LATER}]})
    two = report(either, folder)
    assert (one["consistency"], two["consistency"]) == (5 / 8, 6 / 8)
    assert [(p["run"], p["equal"]) for p in told(folder)["trend"]] == [("run-1", 5), ("run-2", 6)]
    page = (folder / "latest" / "index.html").read_text()
    assert "consistency 62.5 % then, 75.0 % now" in page
    assert "(+12.5 points)" in page
    # A report again on a run of long ago changes nothing of what was so then.
    report(either, folder, "run-1")
    with either.store.read() as c:
        equal = sa.select(sa.func.sum(schema.scores.c.equal)).where(schema.scores.c.run_id == "run-1")
        assert c.execute(equal).scalar_one() == 5
    assert len(told(folder)["trend"]) == 1


def test_the_scores_of_long_ago_are_let_go(filled: Hub) -> None:
    days = [f"2026-02-{n:02}T00:00:00Z" for n in range(1, 5)]
    old = [{"id": f"old-{n}", "started_at": at} for n, at in enumerate(days)]
    fill(filled.store, {schema.runs: old, schema.scores: [{"run_id": run["id"], "golden": 1} for run in old]})
    with filled.store.write() as c:
        keep(c, "run-1", (), (), kept=3)
        left = c.execute(sa.select(schema.scores.c.run_id).order_by(schema.scores.c.run_id)).scalars().all()
    assert left == ["old-2", "old-3"]


def test_the_money_at_risk_is_summed_by_currency_and_stands_first(either: Hub, folder: Path) -> None:
    f = schema.findings
    with either.store.write() as c:
        for id_, cents, currency in (("f2", 10_050, "EUR"), ("f3", 100, "EUR"), ("f4", 70_000, "CHF")):
            told_ = {"at_stake_cents": cents, "currency": currency, "customers": 2}
            c.execute(sa.update(f).where(f.c.id == id_).values(**told_))
        c.execute(sa.update(f).where(f.c.id == "f5").values(at_stake_cents=5, currency="EUR"))  # resolved: at no risk
    assert report(either, folder)["at_risk"] == {"CHF": "700.00", "EUR": "101.50"}
    assert [(t["system"], t["kind"]) for t in told(folder)["today"]] == [
        ("crm", "several"),  # of Anna: a permission and a value
        ("shop", "value_invalid"),
    ]
    [mine] = [r for r in sheet(folder / "latest" / "findings.csv") if r["id"] == "f2"]
    assert (mine["at_stake"], mine["currency"], mine["customers"]) == ("100.50", "EUR", "2")
    rows = pq.read_table(folder / "latest" / "findings.parquet").to_pylist()
    assert {r["id"]: r["at_stake"] for r in rows}["f2"] == Decimal("100.50")
    assert {r["since"].isoformat() for r in rows} == {"2026-02-01T00:00:00+00:00"}
    assert {r["id"]: r["says"] for r in rows}["f4"] == "=cmd()"  # Parquet runs nothing


def test_a_report_of_one_system_holds_nothing_of_another(filled: Hub, folder: Path) -> None:
    report(filled, folder)
    mine = folder.parent / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("somebody's own")
    assert report(filled, folder, system="shop", to=mine)["findings"] == 1
    data = json.loads((mine / "report.json").read_text())
    assert {i["system"] for i in data["all_findings"]} == {"shop"}
    assert {s["system"] for s in (*data["scores"], *data["fields"], *data["phases"])} == {"shop"}
    assert data["totals"]["consistency"] == 1
    page = (mine / "index.html").read_text()
    assert "1 thing to fix in The shop" in page
    assert "old@meyer.example" not in page + (mine / "report.json").read_text()
    assert sorted(p.name for p in mine.iterdir() if p.suffix == ".txt") == ["notes.txt"]
    assert [p.name for p in (mine / "systems").iterdir()] == ["shop.csv"]
    assert Path(report(filled, folder, system="shop")["folder"]) == folder / "selected"
    assert told(folder)["totals"]["findings"] == 4  # the whole report stays what it was
    with pytest.raises(ConfigError, match="no system shopp; there are crm, shop"):
        report(filled, folder, system="shopp")


def test_a_report_since_a_run_holds_what_is_new_and_counts_what_is_gone(filled: Hub, folder: Path) -> None:
    f = schema.findings
    fill(filled.store, {schema.runs: [{"id": "run-2", "started_at": LATER}]})
    with filled.store.write() as c:
        c.execute(sa.update(f).where(f.c.id == "f4").values(first_seen="2026-03-02T10:00:05Z"))
        c.execute(sa.update(f).where(f.c.id == "f1").values(state="resolved", last_seen="2026-03-02T10:00:05Z"))
    made = report(filled, folder, since="run-2")
    data = json.loads(Path(made["json"]).read_text())
    assert [i["id"] for i in data["all_findings"]] == ["f4"]
    assert data["closed"] == 1
    page = Path(made["html"]).read_text()
    assert "1 new thing to fix" in page
    assert "run-2</code> 1 finding closed" in page
    with pytest.raises(ConfigError, match="no run run-9"):
        report(filled, folder, since="run-9")

"""The loop from the command line: a sync that balances, a second with nothing to say, where each value comes from."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import connectors
from omnihub.cli.installation import here
from omnihub.cli.standins import standins
from omnihub.model import Ref
from omnihub.sandbox.serving import addresses
from omnihub.store import Store, schema
from tests.cli.conftest import omnihub, start

PROMISED = {
    *("run", "state", "plan", "steps", "seconds", "balanced", "failed"),
    *("read", "new", "changed", "same", "rejected", "gone"),
    *("planned", "written", "refused", "deferred", "drifted"),
}


@contextmanager
def the_store() -> Iterator[Store]:
    with closing(Store.open(here().config.store)) as store:
        yield store


@pytest.fixture
def first(synced: Path) -> Any:
    """What the first sync said."""
    return json.loads((synced / "first.json").read_text())


# -- sync ------------------------------------------------------------------------------------------------------------


def test_the_document_of_a_sync_holds_what_is_promised_and_balances(first: Any) -> None:
    assert first.keys() >= PROMISED
    assert first["state"] == "ok"
    assert first["read"] == first["new"] + first["changed"] + first["same"] + first["rejected"] > 300
    outcomes = first["written"] + first["refused"] + first["deferred"] + first["drifted"]
    assert first["planned"] == outcomes > 0
    assert first["balanced"] is True


def test_the_hub_knows_its_customers_after_one_sync(first: Any) -> None:
    facts = omnihub("sandbox", "score", "--json").facts
    assert facts["contacts"]["f1"] > 0.95
    assert facts["accounts"]["f1"] > 0.95
    assert facts["fields"]["correct_share"] > 0.95
    assert facts["findings"].keys() >= {"precision", "recall"}


def test_a_sync_is_kept_where_dagster_shows_it(first: Any, forgetful: Path) -> None:
    from dagster import DagsterInstance

    with DagsterInstance.from_config(str(forgetful)) as instance:
        assert {run.run_id for run in instance.get_runs()} >= set(first["dagster"].values())


@pytest.mark.long
def test_edits_are_followed_and_then_there_is_nothing_left_to_say(first: Any) -> None:
    edits = omnihub("sandbox", "mutate", "--changes", "8", "--seed", "4", "--json").facts
    following = omnihub("sync", "--json")
    assert (following.code, edits["changes"]) == (0, 8)
    assert following.facts["written"] < first["written"]  # of our own writes, which come back, nothing follows
    again = omnihub("sync", "--json")
    assert (again.code, again.facts["planned"], again.facts["written"]) == (0, 0, 0)


@pytest.mark.long
def test_a_system_that_cannot_be_reached_makes_the_run_partial_and_the_others_go_on(
    first: Any, synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (synced / "unreachable.yaml").write_text("sandbox: true\nsystems: {portal: {url: 'http://127.0.0.1:1'}}\n")
    for name, value in (("CONFIG", "unreachable.yaml"), ("PORTAL_CLIENT_ID", "x"), ("PORTAL_CLIENT_SECRET", "x")):
        monkeypatch.setenv(f"OMNIHUB_{name}", value)
    said = omnihub("sync", "portal", "zendesk")
    assert said.code == 3
    streams = ", ".join(f"portal/{stream.name}" for stream in connectors.find()["portal"].streams)
    assert f"{streams}: portal: nothing answers at 127.0.0.1:1" in " ".join(said.out.split())
    states = {one["system"]: one["state"] for one in omnihub("status", "--json").facts["streams"]}
    assert (states["portal"], states["zendesk"]) == ("failed", "ok")
    for name in ("CONFIG", "PORTAL_CLIENT_ID", "PORTAL_CLIENT_SECRET"):
        monkeypatch.delenv(f"OMNIHUB_{name}")
    assert omnihub("sync", "portal", "--json").facts["state"] == "ok"


@pytest.mark.long
def test_a_killed_sync_loses_nothing_and_the_next_one_ends_well(world: Path) -> None:
    process = start("sync", "portal", "zendesk")
    with the_store() as store:
        ends = time.monotonic() + 60
        while not _count(store, schema.records) and time.monotonic() < ends:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert _count(store, schema.records) > 0
        while addresses(here().config.home) and time.monotonic() < ends:
            time.sleep(0.02)
        assert not addresses(here().config.home), "its stand-ins outlived it"
        said = omnihub("sync", "portal", "zendesk", "--json")
        assert said.code == 0, said
        with store.read() as c:
            versions = c.execute(sa.select(schema.raw.c.ref, schema.raw.c.body)).all()
        assert len(versions) == len(set(versions))
        living = sum(len(found) for found in _living(store).values())
    dumped = omnihub("sandbox", "dump").facts
    held = sum(len(dumped[system][stream]) for system, stream in [("portal", "users"), ("zendesk", "users")])
    assert living == held


def _count(store: Store, table: sa.Table) -> int:
    with store.read() as c:
        return int(c.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _living(store: Store) -> dict[str, list[str]]:
    r = schema.records
    with store.read() as c:
        query = sa.select(r.c.ref).where(~r.c.deleted, r.c.stream == "users", r.c.system.in_(("portal", "zendesk")))
        return {"users": list(c.execute(query).scalars())}


# -- plan, approve, apply --------------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_a_stopped_plan_waits_for_a_reason(world: Path) -> None:
    before = omnihub("sandbox", "dump").out
    with standins(here()):
        dry = omnihub("sync", "portal", "zendesk", "--dry-run", "--json")
        assert (dry.code, dry.facts["written"], dry.facts["plan"]) == (0, 0, None)
        assert dry.facts["planned"] > 0
        assert omnihub("sandbox", "dump").out == before

        (world / "omnihub.yaml").write_text("guard: {floor: 0, first_run_share: 0.01}\n")
        stopped = omnihub("plan", "--json")
        assert (stopped.code, stopped.facts["state"]) == (4, "blocked")
        plan_id = stopped.facts["plan"]
        refused = omnihub("apply", plan_id)
        assert refused.code == 4
        assert "omnihub approve" in refused.err
        assert omnihub("sandbox", "dump").out == before

        shown = omnihub("plan", "show", "--json").facts
        assert (shown["plan"], shown["state"]) == (plan_id, "blocked")
        assert len(shown["changes"]) == shown["planned"] == dry.facts["planned"]
        assert shown["changes"][0].keys() >= {"system", "ref", "field", "old", "new", "why"}

        assert omnihub("approve", plan_id, "--because", "  ").code == 1
        approved = omnihub("approve", plan_id, "--because", "first clean-up", "--by", "anna", "--json").facts
        assert (approved["state"], approved["by"]) == ("approved", "anna")
        applied = omnihub("apply", "--json")
        assert (applied.code, applied.facts["written"]) == (0, shown["planned"])
        assert omnihub("apply", "--json").facts["state"] == "nothing to do"


def test_planning_again_from_what_is_landed_calls_no_system(first: Any) -> None:
    said = omnihub("plan", "--json")
    assert said.code == 0
    assert said.facts["looked"]["salesforce"] == "looked"
    assert said.facts["looked"]["airtable"] == "not supported"


# -- status, explain, report -----------------------------------------------------------------------------------------


def test_status_says_of_every_stream_how_far_it_is_read(first: Any) -> None:
    facts = omnihub("status", "--json").facts
    streams = {f"{one['system']}/{one['stream']}": one for one in facts["streams"]}
    assert len(streams) == sum(len(connector.streams) for connector in connectors.find().values())
    assert all(one["state"] == "ok" and one["age_s"] is not None for one in streams.values())
    assert streams["portal/users"]["records"] > 0
    runs = [run["run"] for run in facts["runs"]]  # named by their time
    assert runs == sorted(runs, reverse=True)
    assert runs[0] >= first["run"]


def test_a_golden_value_is_explained_down_to_the_byte_it_came_from(first: Any) -> None:
    ref = _of_many("contact")
    facts = omnihub("explain", ref, "email", "--json").facts
    cell = facts["fields"]["email"]
    assert ref in {member["ref"] for member in facts["members"]}
    assert cell["winner"] in {member["ref"] for member in facts["members"]}
    assert cell["origin"]["exchange"].partition(" ")[0] in ("GET", "POST")
    assert _at(cell["winner"], cell["origin"]["pointer"]).lower() == cell["value"]


def _of_many(entity: str) -> str:
    """A record whose golden record has several members."""
    g, x = schema.goldens, schema.crosswalk
    query = sa.select(x.c.ref).join(g, g.c.id == x.c.golden_id).where(g.c.entity == entity, g.c.members > 2)
    with the_store() as store, store.read() as c:
        return str(c.execute(query.order_by(x.c.ref).limit(1)).scalar_one())


def _at(ref: str, pointer: str) -> str:
    """What a JSON pointer into an exchange's body finds in the record that was kept of it."""
    with the_store() as store, store.read() as c:
        r = schema.raw
        rows = c.execute(sa.select(r.c.body, r.c.pointer).where(r.c.ref == ref)).all()
    body, start = next((json.loads(row.body), row.pointer) for row in rows if pointer.startswith(f"{row.pointer}/"))
    for part in pointer.removeprefix(start).strip("/").split("/"):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return str(body)


def test_a_ref_and_its_golden_id_explain_the_same(first: Any) -> None:
    by_ref = omnihub("explain", _of_many("account"), "--json").facts
    by_id = omnihub("explain", by_ref["golden"], "--json").facts
    assert by_ref["fields"] == by_id["fields"]
    assert len(by_ref["members"]) > 2


def test_contacts_and_what_else_is_keyed_to_any_of_an_account_s_records_hang_on_it(first: Any) -> None:
    x, t = schema.crosswalk, schema.refined
    linked: dict[tuple[str, str], set[str]] = {}  # (golden account, entity) → the records that name one of its records
    with the_store() as store, store.read() as c:
        golden = {row.ref: row.golden_id for row in c.execute(sa.select(x.c.ref, x.c.golden_id))}
        for row in c.execute(sa.select(t.c.ref, t.c.entity, t.c.fields).where(~t.c.deleted, t.c.entity != "account")):
            account = golden.get(json.loads(row.fields).get("account", ""))
            if account:
                linked.setdefault((account, row.entity), set()).add(row.ref)
    account = max(linked, key=lambda key: (key[1] == "device", len(linked[key])))[0]
    around = {one["entity"]: one for one in omnihub("explain", account, "--json").facts["around"]}
    for entity in ("contact", "device"):
        refs = linked[account, entity]
        assert around[entity]["records"] == len(refs)
        assert around[entity]["golden"] == (len({golden[ref] for ref in refs}) if entity == "contact" else None)


def test_a_record_without_a_golden_one_is_explained_by_itself(first: Any) -> None:
    with the_store() as store, store.read() as c:
        ref = c.execute(
            sa.select(schema.refined.c.ref).where(schema.refined.c.entity == "ticket").limit(1)
        ).scalar_one()
    facts = omnihub("explain", ref, "--json").facts
    assert facts["golden"] is None
    assert facts["fields"]["subject"]["origin"]["pointer"].endswith("/subject")


def test_explaining_what_nobody_knows_says_what_to_write_instead(first: Any) -> None:
    ref = _of_many("contact")
    for words, way_out in (
        ([str(Ref("portal", "users", "nobody"))], "system/stream/id"),
        ([ref, "shoe_size"], "it has"),
    ):
        said = omnihub("explain", *words)
        assert said.code == 1
        assert way_out in said.err


def test_people_see_the_same_without_json(first: Any) -> None:
    assert "portal/users" in omnihub("status").out
    assert "Values" in omnihub("explain", _of_many("contact")).out
    assert "precision" in omnihub("sandbox", "score").out


def test_the_report_is_where_it_says(first: Any) -> None:
    facts = omnihub("report", "--json").facts
    assert "<html" in Path(facts["html"]).read_text()
    assert facts["run"] is not None

"""A CSV of customers and a database of orders become two more systems with ten lines of omnihub.yaml and no Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml

import connectors
from assets import definitions
from connectors.portal.sandbox import standin as Portal
from omnihub.config import Config, load
from omnihub.definitions import run_sync
from omnihub.sandbox.kit import Running
from tests.assets.office import CUSTOMERS, FIRST, NAMES, copies

TEN_LINES = """\
systems:
  partners: {connector: files, url: ./exports, streams: {
      customers: {files: "customers*.csv", entity: contact, key: Id, updated: Changed,
        map: {first_name: First, last_name: Last, email: Mail, phone: Phone},
        push: {fields: [phone], write: in_place}}}}
  erp: {connector: database, streams: {
      debtors: {table: debtors, key: id, updated: changed_at, entity: contact, push: [phone],
        map: {first_name: {path: name, part: first}, last_name: {path: name, part: last}, email: mail, phone: phone}},
      orders: {table: orders, key: id, entity: order,
        map: {number: nr, total: total, contact: {path: debtor, link: debtors}}}}}
"""
OLD = "2025-03-01 08:00:00"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    """The portal's stand-in, a folder of exports and a database, all with the same people; the portal was told last."""
    exports = tmp_path / "exports"
    exports.mkdir()
    people = [(n, FIRST[n], NAMES[n], f"{FIRST[n]}@{NAMES[n]}.example".lower()) for n in range(1, CUSTOMERS + 1)]
    lines = [f"{n};{first};{last};{mail};+49 30 55{n:02d}77;{OLD}" for n, first, last, mail in people]
    (exports / "customers.csv").write_text("\n".join(["Id;First;Last;Mail;Phone;Changed", *lines]) + "\n")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'erp.db'}", poolclass=sa.NullPool)
    with engine.begin() as c:
        c.execute(sa.text("CREATE TABLE debtors (id INTEGER PRIMARY KEY, name, mail, phone, changed_at)"))
        c.execute(sa.text("CREATE TABLE orders (id INTEGER PRIMARY KEY, nr, total, debtor REFERENCES debtors)"))
        for n, first, last, mail in people:
            row = {"n": n, "name": f"{first} {last}", "mail": mail, "phone": f"030 55{n:02d}88", "at": OLD}
            c.execute(sa.text("INSERT INTO debtors VALUES (:n, :name, :mail, :phone, :at)"), row)
            c.execute(sa.text("INSERT INTO orders VALUES (:n, 'O' || :n, 12.5, :n)"), row)
    portal = Portal(quotas=())
    portal.seed(copies("portal"))
    with Running([portal]) as running:
        environ = {"OMNIHUB_HOME": str(tmp_path / "home"), "OMNIHUB_ERP_URL": f"sqlite:///{tmp_path / 'erp.db'}"}
        given = {"url": running.urls["portal"], **portal.credentials}
        environ |= {f"OMNIHUB_PORTAL_{name}".upper(): value for name, value in given.items()}
        file = tmp_path / "omnihub.yaml"
        file.write_text(TEN_LINES)
        yield load(file, connectors=connectors.find(), templates=connectors.templates(), environ=environ)


def phones(folder: Path) -> list[list[str]]:
    """Who has which phone in the CSV and in the database."""
    csv = [line.split(";")[4] for line in (folder / "exports" / "customers.csv").read_text().splitlines()[1:]]
    with sa.create_engine(f"sqlite:///{folder / 'erp.db'}", poolclass=sa.NullPool).connect() as c:
        return [csv, list(c.execute(sa.text("SELECT phone FROM debtors ORDER BY id")).scalars())]


def test_it_is_ten_lines() -> None:
    assert len(TEN_LINES.splitlines()) <= 10
    assert yaml.safe_load(TEN_LINES)["systems"].keys() == {"partners", "erp"}


def test_they_have_their_assets_like_any_other_system(config: Config) -> None:
    made = definitions(config, connectors.find())
    keys = {key.to_user_string() for key in made.resolve_asset_graph().get_all_asset_keys()}
    assert {"source/partners", "partners/customers", "push/partners/customers", "target/erp", "erp/orders"} <= keys
    assert "push/erp/orders" not in keys


@pytest.mark.long
def test_they_are_synced_and_written_beside_a_stand_in_and_then_there_is_nothing_to_say(
    config: Config, tmp_path: Path
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first, second = [run_sync(config, instance=instance) for _ in range(2)]
    assert (first["state"], first["balanced"], first["stopped"]) == ("ok", True, {})
    assert written(first) == {"partners": CUSTOMERS, "erp": CUSTOMERS}
    assert phones(tmp_path) == [[f"+493055{n:02d}01" for n in range(1, CUSTOMERS + 1)]] * 2, "what the portal says"
    assert (second["state"], second["push"]["planned"]) == ("ok", 0)


def written(told: dict[str, Any]) -> dict[str, int]:
    plan = told["steps"]["plan"]["counts"]["by_system"]
    assert told["push"]["written"] == told["push"]["planned"]
    return {system: counts["records"] for system, counts in plan.items()}

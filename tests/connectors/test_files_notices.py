"""Findings for a system of files: one file in its outbox, safe to open; who closes a row there has decided."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import connectors
from connectors.files.notices import COLUMNS, place
from connectors.files.places import Place as Folder
from omnihub.config import load
from omnihub.errors import ConfigError
from omnihub.flow import Hub
from omnihub.flow.delivering import deliver
from omnihub.sdk import Connector, Want, open_client
from omnihub.sdk.reporting import Notice, Standing
from omnihub.store import Store, schema
from tests.flow.test_reporting import fill, finding

STREAM = "{files: '*.csv', entity: account, key: Id, map: {name: Name, phone: Phone}}"
EVIL = '=HYPERLINK("http://evil.example")'
assert place.read


class Partners:
    """Files of a partner that are only read, and the folder our own go to."""

    def __init__(self, folder: Path, outbox: str = "outbox: ./out") -> None:
        (folder / "in").mkdir()
        (folder / "in" / "customers.csv").write_text("Id,Name,Phone\r\n1,Acme,none\r\n")
        own = f"    url: ./in\n    {outbox}\n    report: true\n"
        path = folder / "omnihub.yaml"
        path.write_text(f"systems:\n  partners:\n    connector: files\n{own}    streams:\n      customers: {STREAM}\n")
        self.config = load(path, connectors={}, templates=connectors.templates(), environ={})
        self.connector: Connector = self.config.enabled({})["partners"]
        self.file = folder / outbox.rpartition("/")[2] / "consistency-report-partners.csv"

    def client(self) -> Folder:
        found: Folder = open_client(self.connector, self.config.settings_for(self.connector))
        return found

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.file.read_text("utf-8-sig"), newline="")))

    def close(self, by: str, between: str = ",") -> None:
        """As somebody does who opens the file in a spreadsheet, and saves it."""
        told = [row | {"status": "Closed", "closed_by": by} for row in self.rows()]
        with self.file.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, delimiter=between)
            writer.writeheader()
            writer.writerows(told)


@pytest.fixture
def partners(tmp_path: Path) -> Partners:
    return Partners(tmp_path)


def notice(title: str, key: str = "omnihub-1", **more: Any) -> Notice:
    told = {"text": f"{title}:\n- phone: says 'none'.", "severity": "low"} | more
    return Notice(key, "1", "customers", title, told["text"], told["severity"], {"kind": "value_invalid"})


def tell(partners: Partners, *some: Notice) -> None:
    list(place.put(partners.client(), [(one, None) for one in some]))


def test_each_is_a_row_changed_in_place_and_what_is_urgent_comes_first(partners: Partners) -> None:
    tell(partners, notice("Erst"), notice("Eilig", "omnihub-2", severity="high"))
    tell(partners, notice("Dann"))
    assert [(r["key"], r["title"], r["status"], r["record"], r["kind"]) for r in partners.rows()] == [
        ("omnihub-2", "Eilig", "open", "customers/1", "value_invalid"),
        ("omnihub-1", "Dann", "open", "customers/1", "value_invalid"),
    ]
    assert [path.name for path in partners.file.parent.iterdir()] == [partners.file.name]  # nothing half written


def test_no_cell_is_a_formula_and_a_row_that_stays_is_not_altered_again(partners: Partners) -> None:
    tell(partners, notice(EVIL, text=EVIL))
    tell(partners, notice("other", "omnihub-2"))
    row = next(r for r in partners.rows() if r["key"] == "omnihub-1")
    assert (row["title"], row["text"]) == (f"'{EVIL}", f"'{EVIL}")
    assert not [cell for r in partners.rows() for cell in r.values() if cell.startswith(("=", "@", "＝"))]


def test_what_is_put_right_is_in_it_no_longer_and_what_is_gone_already_writes_nothing(partners: Partners) -> None:
    tell(partners, notice("x"))
    for _ in range(2):
        list(place.clear(partners.client(), [("omnihub-1", None)]))
    assert partners.rows() == []
    assert partners.file.read_text("utf-8-sig").startswith("key,status,severity")
    written = partners.file.stat().st_mtime_ns
    list(place.remove(partners.client(), [("omnihub-1", None)]))
    assert partners.file.stat().st_mtime_ns == written


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_who_closed_a_row_is_read_back_also_from_a_spreadsheet(partners: Partners, between: str) -> None:
    tell(partners, notice("x"))
    partners.close("Petra Vogt", between)
    [seen] = place.read(partners.client(), [("omnihub-1", None), ("omnihub-9", None)])  # type: ignore[misc]
    assert (seen.state, seen.by) == (Standing.CLOSED, "Petra Vogt")
    tell(partners, notice("x"))
    [row] = partners.rows()
    assert (row["status"], row["closed_by"]) == ("open", "")


def test_a_file_that_is_another_table_by_now_is_written_anew(partners: Partners) -> None:
    tell(partners, notice("x"))
    partners.file.write_text("some,thing\n1,2\n")
    assert list(place.read(partners.client(), [("omnihub-1", None)])) == []  # type: ignore[misc]
    tell(partners, notice("x"))
    assert [row["key"] for row in partners.rows()] == ["omnihub-1"]


def test_it_is_not_taken_for_records_where_it_lies_among_them(tmp_path: Path) -> None:
    here = Partners(tmp_path, "outbox: ./in")
    tell(here, notice("x"))
    pull = here.connector.streams[0].pull
    assert pull
    pages = pull(here.client(), Want(None, True, datetime.now(UTC)))
    assert [record.id for page in pages for record in page.records] == ["1"]


def test_nothing_is_told_where_there_is_no_folder_for_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"systems\.partners\.outbox, or set systems\.partners\.report to false"):
        tell(Partners(tmp_path, "title: Partners"), notice("x"))


@pytest.fixture
def hub(partners: Partners, tmp_path: Path) -> Iterator[Hub]:
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    about = {"system": "partners", "entity": "account", "kind": "value_invalid", "field": "phone", "group_id": "g"}
    some = [finding(n, **about, ref=f"partners/customers/{n}", theirs="none", evidence="e") for n in range(12)]
    fill(store, {schema.findings: some})
    found = {"partners": partners.connector}
    yield Hub(store, found, settings=partners.config.settings_for, told=frozenset(found))
    store.close()


def test_a_run_tells_the_partner_once_heeds_who_closes_it_and_empties_the_list_in_the_end(
    partners: Partners, hub: Hub
) -> None:
    f = schema.findings
    assert deliver(hub, "run-1", "partners")["put"] == 1
    [row] = partners.rows()
    assert (row["title"], row["findings"]) == ("Value invalid in Partners: phone of 12 accounts", "12")
    written = partners.file.stat().st_mtime_ns
    assert deliver(hub, "run-2", "partners")["same"] == 1
    assert partners.file.stat().st_mtime_ns == written

    partners.file.unlink()  # taken in by the partner: it is there again
    assert deliver(hub, "run-3", "partners")["put"] == 1

    partners.close("Petra Vogt")
    assert deliver(hub, "run-4", "partners")["closed"] == 1
    with hub.store.read() as c:
        assert {*c.execute(sa.select(f.c.state, f.c.decided_by))} == {("ignored", "Petra Vogt in Partners")}

    with hub.store.write() as c:
        c.execute(sa.update(f).values(state="resolved"))
    assert deliver(hub, "run-5", "partners")["cleared"] == 1
    assert partners.rows() == []

"""Files as a system: declared in omnihub.yaml, read once, written back, and nothing lost on the way."""

from __future__ import annotations

import csv
import gzip
import http.server
import io
import json
import os
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import connectors
from omnihub.config import load
from omnihub.errors import BrokenAnswer, ConfigError, OmniHubError, RetryableError
from omnihub.land import land
from omnihub.model import Op, Outcome
from omnihub.sdk import Answer, Connector, Page, Record, Row, Stream, Want, open_client
from omnihub.store import Store

LONG_AGO = 1_700_000_000.0
MAP = "map: {name: Company, phone: Phone, city: City}"


@dataclass
class System:
    """A system of files as omnihub.yaml declares it, with one stream."""

    folder: Path
    connector: Connector
    settings: dict[str, str]

    @property
    def stream(self) -> Stream:
        return self.connector.streams[0]

    def open(self) -> Any:
        return open_client(self.connector, self.settings)

    def pull(self, since: str | None = None, complete: bool = False) -> list[Page]:
        assert self.stream.pull
        return list(self.stream.pull(self.open(), Want(since, complete or since is None, datetime.now(UTC))))

    def read(self, since: str | None = None) -> dict[str | None, dict[str, Any]]:
        return {r.id: json.loads(r.raw) for p in self.pull(since) for r in p.records if r.id}

    def look(self, *ids: str) -> dict[str | None, Record]:
        assert self.stream.push
        return {r.id: r for page in self.stream.push.look(self.open(), ids) for r in page.records}

    def write(self, **changes: dict[str, str]) -> dict[str | None, Answer]:
        """id → canonical fields, as apply would send them."""
        assert self.stream.push
        present = self.look(*changes)
        rows = [
            Row(n, Op.UPDATE, id_, self.stream.fields.body(new), new, {}, "g", json.loads(present[id_].raw))
            for n, (id_, new) in enumerate(changes.items())
        ]
        return self.send(rows)

    def forget(self, *ids: str) -> list[Answer]:
        push = self.stream.push
        assert push
        assert push.erase
        return list(push.erase(self.open(), [Row(n, Op.UPDATE, id_, {}, {}, {}, "g") for n, id_ in enumerate(ids)]))

    def send(self, rows: list[Row]) -> dict[str | None, Answer]:
        assert self.stream.push
        return {answer.id: answer for answer in self.stream.push.update(self.open(), rows)}


Declare = Callable[..., System]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    """Writes omnihub.yaml with one stream of a system of files, and loads it as every command does."""

    def go(stream: str, url: str = "./exports", more: str = "") -> System:
        (tmp_path / "exports").mkdir(exist_ok=True)
        text = f"systems:\n  partners:\n    connector: files\n    url: '{url}'\n{more}"
        text += f"    streams:\n      customers: {{{stream if 'entity' in stream else f'entity: account, {stream}'}}}\n"
        path = tmp_path / "omnihub.yaml"
        path.write_text(text)
        config = load(path, connectors={}, templates=connectors.templates(), environ={})
        [connector] = config.enabled({}).values()
        return System(tmp_path / "exports", connector, config.settings_for(connector))

    return go


@pytest.fixture
def partners(declare: Declare) -> System:
    return declare(f'files: "customers*.csv", key: Id, {MAP}')


def put(path: Path, body: str | bytes, at: float = LONG_AGO) -> Path:
    """A file that nobody has touched for long."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    os.utime(path, (at, at))
    return path


ACME = "Id,Company,Phone,City\n1,Acme,030 1,Ulm\n2,Zulu,030 2,Bonn\n"


# -- reading ---------------------------------------------------------------------------------------------------------


def test_each_row_is_a_record_that_knows_its_file_and_line(partners: System) -> None:
    put(partners.folder / "customers.csv", ACME)
    [page] = partners.pull()
    assert [(r.id, r.pointer) for r in page.records] == [("1", "/line/2"), ("2", "/line/3")]
    assert page.records[0].raw == b'{"Id":"1","Company":"Acme","Phone":"030 1","City":"Ulm"}'
    assert page.exchange.method == "READ"
    assert page.exchange.url.endswith("/exports/customers.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_and_byte_order_mark_are_found(partners: System, delimiter: str, encoding: str) -> None:
    text = ACME.replace(",", delimiter).replace("Acme", "Ähre, Łódź; & Söhne | x\ty".replace(delimiter, " "))
    put(partners.folder / "customers.csv", text.encode(encoding))
    assert partners.read()["1"]["Company"].startswith("Ähre")


def test_quotes_line_breaks_and_empty_lines_are_read_and_lines_still_counted(partners: System) -> None:
    put(partners.folder / "customers.csv", 'Id,Company,Phone,City\r\n1,"A ""B""\r\nC, D",,Ulm\r\n\r\n2,Z,,Bonn\r\n')
    [page] = partners.pull()
    assert [r.pointer for r in page.records] == ["/line/2", "/line/5"]
    assert json.loads(page.records[0].raw)["Company"] == 'A "B"\r\nC, D'


def test_another_encoding_has_to_be_said_and_is_never_guessed(partners: System, declare: Declare) -> None:
    put(partners.folder / "customers.csv", ACME.replace("Zulu", "Müller").encode("cp1252"))
    with pytest.raises(ConfigError, match=r"customers\.csv: line 3: not utf-8; say encoding"):
        partners.pull()
    said = declare(f'files: "customers*.csv", key: Id, encoding: cp1252, {MAP}')
    assert said.read()["2"]["Company"] == "Müller"


def test_a_ragged_row_is_kept_as_a_reject_that_names_file_and_line(partners: System, tmp_path: Path) -> None:
    put(partners.folder / "customers.csv", ACME + "3,Short\n4,Long,1,Ulm,more\n5,Fine,,Ulm\n,No key,,Ulm\n")
    store = Store.open(f"sqlite:///{tmp_path / 'hub.db'}")
    [landed] = land(store, partners.connector, partners.settings, run_id="r")
    with store.read() as c:
        rejects = c.exec_driver_sql("SELECT why, body, pointer FROM rejects ORDER BY id").all()
    store.close()
    assert (landed.read, landed.new, landed.rejected, landed.error) == (6, 3, 3, "")
    assert rejects[0].why == "partners/customers: customers.csv: line 4 has 2 cells, the header has 4"
    assert bytes(rejects[1].body) == b"4,Long,1,Ulm,more\n"
    assert rejects[2].why == "no key"


def test_a_quote_that_is_never_closed_stops_the_stream_and_names_the_line(partners: System) -> None:
    put(partners.folder / "customers.csv", ACME + '3,"Open,1,Ulm\n4,x,1,Ulm\n')
    with pytest.raises(BrokenAnswer, match=r"customers\.csv: line 4: .*quote that is not closed"):
        partners.pull()


def test_a_renamed_column_is_named_with_the_nearest_there_is(partners: System) -> None:
    put(partners.folder / "customers.csv", ACME.replace("Phone", "Phones"))
    with pytest.raises(BrokenAnswer, match=r"line 1: there is no column Phone: did you mean Phones\?"):
        partners.pull()


def test_no_file_is_said_with_what_there_is(partners: System) -> None:
    put(partners.folder / "custmers.csv", ACME)
    with pytest.raises(ConfigError, match=r"no file customers\*\.csv in .*; did you mean custmers\.csv\?"):
        partners.pull()


def test_no_folder_is_said(declare: Declare) -> None:
    with pytest.raises(ConfigError, match=r"partners: there is no folder .*/nowhere; make it"):
        declare(f'files: "c.csv", key: Id, {MAP}', url="./nowhere").open()


def test_keys_of_several_columns_and_columns_with_dots(declare: Declare) -> None:
    system = declare('files: c.csv, key: [Land, "No."], map: {name: Company, city: Addr.City}')
    put(system.folder / "c.csv", "Land,No.,Company,Addr.City\nDE,7,Acme,Ulm\n")
    [page] = system.pull()
    assert page.records[0].id == "DE|7"
    assert json.loads(page.records[0].raw)["Addr"] == {"City": "Ulm"}


# -- the other formats -----------------------------------------------------------------------------------------------


def test_jsonl_is_kept_byte_for_byte_and_a_broken_line_is_a_reject(declare: Declare) -> None:
    system = declare("files: c.jsonl, key: id, map: {name: name}")
    put(system.folder / "c.jsonl", '{"id": 7, "name": "A",  "x": 1.50}\n\n{"id": 8, "na\n[1]\n')
    [page] = system.pull()
    assert page.records[0].raw == b'{"id": 7, "name": "A",  "x": 1.50}'
    assert [(r.id, r.pointer) for r in page.records] == [("7", "/line/1"), (None, "/line/3"), (None, "/line/4")]
    assert getattr(page.records[1], "why") == "partners/customers: c.jsonl: line 3 is no JSON object"  # noqa: B009


def test_a_json_list_is_cut_where_items_says(declare: Declare) -> None:
    system = declare("files: c.json, key: id, items: data.rows, map: {name: name}")
    put(system.folder / "c.json", '{"data": {"rows": [{"id": "a", "name": "A"}, {"id": "b", "name": 1.0}]}}')
    [page] = system.pull()
    assert [(r.id, r.pointer, r.raw) for r in page.records][1] == ("b", "/data/rows/1", b'{"id": "b", "name": 1.0}')


def test_parquet_keeps_every_type_exact(declare: Declare) -> None:
    system = declare("files: c.parquet, key: id, zone: Europe/Berlin, map: {name: name, city: at.city}")
    row = {
        "id": 7, "name": "A", "total": Decimal("1234.50"), "blob": b"hi", "day": date(2026, 11, 21),
        "when": datetime(2026, 11, 21, 8), "at": {"city": "Ulm"}, "none": None, "big": 2**60,  # noqa: DTZ001
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([row]), system.folder / "c.parquet")
    assert system.read()["7"] == {
        "id": 7, "name": "A", "total": "1234.50", "blob": "aGk=", "day": "2026-11-21",
        "when": "2026-11-21T08:00:00+01:00", "at": {"city": "Ulm"}, "none": None, "big": 2**60,
    }  # fmt: skip


def test_excel_is_read_from_the_sheet_and_line_that_are_said(declare: Declare) -> None:
    system = declare('files: c.xlsx, key: Id, sheet: Customers, header: 2, map: {name: Company, phone: "Founded"}')
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Customers")
    founded = datetime(1999, 5, 1)  # noqa: DTZ001  Excel knows no zones
    for line in (["a title"], ["Id", "Company", "Founded"], [1001.0, "Acme", founded], [None] * 3):
        sheet.append(line)
    book.save(system.folder / "c.xlsx")
    [page] = system.pull()
    assert [(r.id, r.pointer) for r in page.records] == [("1001", "/Customers/3")]
    assert json.loads(page.records[0].raw) == {"Id": 1001, "Company": "Acme", "Founded": "1999-05-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("name", "body"), [("c.json", b"<html>"), ("c.parquet", b"PAR1"), ("c.xlsx", b"no zip"), ("c.csv", b"")]
)
def test_a_file_that_is_not_what_it_is_called_stops_the_stream_and_is_named(
    declare: Declare, name: str, body: bytes
) -> None:
    system = declare(f"files: {name}, key: Id, map: {{name: Company}}")
    put(system.folder / name, body)
    with pytest.raises(BrokenAnswer, match=name):
        system.pull()


# -- where files are -------------------------------------------------------------------------------------------------


def test_files_are_read_from_a_zip_and_again_when_the_zip_is_another(declare: Declare) -> None:
    system = declare(f'files: "customers*.csv", key: Id, {MAP}', url="zip://::./exports/all.zip")
    for text, expected in ((ACME, "Acme"), (ACME.replace("Acme", "Beta"), "Beta")):
        with zipfile.ZipFile(system.folder / "all.zip", "w") as archive:
            archive.writestr("customers.csv", text)
        assert system.read()["1"]["Company"] == expected


def test_packed_files_are_unpacked(declare: Declare) -> None:
    system = declare(f'files: "*.csv.gz", key: Id, {MAP}')
    put(system.folder / "c.csv.gz", gzip.compress(ACME.encode()))
    assert system.read().keys() == {"1", "2"}


def test_files_are_read_from_wherever_fsspec_reaches(declare: Declare) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/inbox/customers-1.csv", ACME.encode())
    system = declare(f'files: "customers*.csv", key: Id, {MAP}', url="memory://inbox")
    assert system.read().keys() == {"1", "2"}


def test_files_are_read_over_http_and_not_again_while_they_stay(declare: Declare, tmp_path: Path) -> None:
    put(tmp_path / "exports" / "customers.csv", ACME)
    handler = partial(_Quiet, directory=str(tmp_path / "exports"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        system = declare(f"files: customers.csv, key: Id, {MAP}", url=f"http://127.0.0.1:{server.server_port}")
        first = system.pull()
        assert [r.id for page in first for r in page.records] == ["1", "2"]
        assert not system.read(first[-1].cursor)
        put(tmp_path / "exports" / "customers.csv", ACME + "3,New,,Ulm\n", at=LONG_AGO + 9)
        assert system.read(first[-1].cursor).keys() == {"1", "2", "3"}
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return

    def end_headers(self) -> None:
        self.send_header("ETag", str(Path(self.translate_path(self.path)).stat().st_size))
        super().end_headers()


def test_a_driver_that_is_not_there_is_named(declare: Declare) -> None:
    with pytest.raises(ConfigError, match="partners: s3://bucket can't be reached: Install s3fs"):
        declare(f"files: c.csv, key: Id, {MAP}", url="s3://bucket").open()


# -- again -----------------------------------------------------------------------------------------------------------


def test_a_file_that_has_not_changed_is_not_read_again(partners: System) -> None:
    put(partners.folder / "customers-1.csv", ACME)
    cursor = partners.pull()[-1].cursor
    put(partners.folder / "customers-2.csv", "Id,Company,Phone,City\n3,New,,Ulm\n")
    again = partners.pull(cursor)
    assert [[r.id for r in page.records] for page in again] == [["3"]]
    assert [len(page.records) for page in partners.pull(again[-1].cursor)] == [0]


def test_a_file_written_this_very_moment_is_read_once_more_for_it_may_change_within_the_same_tick(
    partners: System,
) -> None:
    put(partners.folder / "customers.csv", ACME, at=datetime.now(UTC).timestamp())
    cursor = partners.pull()[-1].cursor
    assert partners.read(cursor).keys() == {"1", "2"}


def test_another_key_or_delimiter_reads_everything_again_but_another_map_does_not(declare: Declare) -> None:
    first = declare(f'files: "customers*.csv", key: Id, {MAP}')
    put(first.folder / "customers.csv", ACME)
    cursor = first.pull()[-1].cursor
    assert not declare('files: "customers*.csv", key: Id, map: {name: Company}').read(cursor)
    assert declare('files: "customers*.csv", key: Company, map: {phone: Phone}').read(cursor).keys() == {"Acme", "Zulu"}


def test_later_files_win_and_in_a_file_later_rows(partners: System) -> None:
    put(partners.folder / "customers-9.csv", ACME)
    put(partners.folder / "customers-10.csv", "Id,Company,Phone,City\n1,Old,,Ulm\n1,Beta,,Ulm\n")
    pages = partners.pull()
    assert {r.id: json.loads(r.raw)["Company"] for p in pages for r in p.records} == {"1": "Beta", "2": "Zulu"}
    assert sum(len(p.records) for p in pages) == 2  # nobody sees the losers, so no run goes to and fro


def test_an_earlier_file_that_changes_does_not_win_over_a_later_one(partners: System) -> None:
    put(partners.folder / "customers-1.csv", ACME)
    put(partners.folder / "customers-2.csv", "Id,Company,Phone,City\n1,Beta,,Ulm\n")
    cursor = partners.pull()[-1].cursor
    put(partners.folder / "customers-1.csv", ACME.replace("Zulu", "Yankee"), at=LONG_AGO + 9)
    assert {k: v["Company"] for k, v in partners.read(cursor).items()} == {"2": "Yankee"}


def test_by_time_the_file_changed_last_is_the_later_one(declare: Declare) -> None:
    system = declare(f'files: "*.csv", key: Id, order: time, {MAP}')
    put(system.folder / "a.csv", ACME.replace("Acme", "Newest"), at=LONG_AGO + 9)
    put(system.folder / "b.csv", ACME)
    assert system.read()["1"]["Company"] == "Newest"


def test_many_rows_come_in_pages_and_the_cursor_stands_on_the_last(partners: System) -> None:
    put(partners.folder / "customers.csv", ACME + "".join(f"{n},C{n},,Ulm\n" for n in range(3, 2501)))
    pages = partners.pull()
    assert [len(page.records) for page in pages] == [1000, 1000, 500]
    assert [page.cursor is not None for page in pages] == [False, False, True]


# -- full exports ----------------------------------------------------------------------------------------------------


def test_without_delete_missing_nothing_is_ever_taken_for_gone(partners: System) -> None:
    put(partners.folder / "customers.csv", ACME)
    assert not any(page.complete for page in partners.pull(complete=True))


def test_what_a_full_export_no_longer_shows_is_gone(declare: Declare, tmp_path: Path) -> None:
    system = declare(f'files: "customers-*.csv", key: Id, delete: missing, take: newest, {MAP}')
    store = Store.open(f"sqlite:///{tmp_path / 'hub.db'}")
    put(system.folder / "customers-1.csv", ACME)
    told = []
    for name, body in (("", ""), ("customers-2.csv", ACME.replace("2,Zulu,030 2,Bonn\n", "")), ("", "")):
        if name:
            put(system.folder / name, body)
        [landed] = land(store, system.connector, system.settings, run_id="r")
        told.append((landed.read, landed.new, landed.gone, landed.error))
    store.close()
    assert told == [(2, 2, 0, ""), (1, 0, 1, ""), (0, 0, 0, "")]


def test_a_full_export_that_is_not_there_deletes_nobody(declare: Declare) -> None:
    system = declare(f'files: "customers*.csv", key: Id, delete: missing, {MAP}')
    path = put(system.folder / "customers.csv", ACME)
    cursor = system.pull()[-1].cursor
    path.unlink()
    with pytest.raises(ConfigError, match="no file"):
        system.pull(cursor)


def test_a_file_that_grows_while_it_is_read_is_no_complete_pass(declare: Declare) -> None:
    system = declare(f'files: "customers*.csv", key: Id, delete: missing, {MAP}')
    path = put(system.folder / "customers.csv", ACME + "".join(f"{n},C{n},,Ulm\n" for n in range(3, 1500)))
    assert system.stream.pull
    pages = system.stream.pull(system.open(), Want(None, True, datetime.now(UTC)))
    next(iter(pages))
    put(path, ACME)
    with pytest.raises(RetryableError, match=r"customers\.csv is being written; run again later"):
        list(pages)


# -- writing: files of changes ---------------------------------------------------------------------------------------


@pytest.fixture
def pushed(declare: Declare) -> Declare:
    def go(format_: str, more: str = "") -> System:
        push = f"push: {{fields: [phone, city, name], format: {format_}}}"
        system = declare(f'files: "customers*.csv", key: Id, {MAP}, {push}{more}', more="    outbox: ./out\n")
        put(system.folder / "customers.csv", ACME)
        return system

    return go


def boxed(system: System, ending: str) -> list[Path]:
    return sorted(system.folder.parent.joinpath("out").glob(f"customers-*.{ending}"))


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text())))


def test_changes_are_left_as_a_file_with_the_key_and_what_changes(pushed: Declare) -> None:
    system = pushed("csv")
    answers = system.write(**{"1": {"phone": "+49301"}, "2": {"phone": "+49302"}})
    [file] = boxed(system, "csv")
    assert cells(file) == [["Id", "Phone"], ["1", "+49301"], ["2", "+49302"]]
    assert {a.outcome for a in answers.values()} == {Outcome.WRITTEN}
    seen = answers["1"].exchange
    assert seen
    assert seen.url.endswith(file.name)
    assert (system.folder / "customers.csv").read_text() == ACME


def test_what_changes_in_other_columns_is_a_file_of_its_own_so_that_no_cell_is_empty(pushed: Declare) -> None:
    system = pushed("csv")
    system.write(**{"1": {"phone": "+49301"}, "2": {"phone": "+49302", "city": "Köln"}})
    assert sorted(map(cells, boxed(system, "csv"))) == [
        [["Id", "City", "Phone"], ["2", "Köln", "+49302"]],
        [["Id", "Phone"], ["1", "+49301"]],
    ]


def test_the_same_changes_again_make_no_second_file_until_the_record_stands_otherwise(pushed: Declare) -> None:
    system = pushed("csv")
    system.write(**{"1": {"phone": "+49301"}})
    [file] = boxed(system, "csv")
    file.unlink()  # the partner took it, and has not exported since
    again = system.write(**{"1": {"phone": "+49301"}})["1"]
    assert (again.outcome, again.code, boxed(system, "csv")) == (Outcome.WRITTEN, "handed_over", [])
    put(system.folder / "customers.csv", ACME.replace("030 1", "040 1"))
    system.write(**{"1": {"phone": "+49301"}})
    assert len(boxed(system, "csv")) == 1


def test_a_file_left_by_a_process_that_died_before_it_could_say_so_is_not_left_again(pushed: Declare) -> None:
    system = pushed("csv")
    system.write(**{"1": {"phone": "+49301"}})
    [ledger] = system.folder.parent.joinpath("out").glob(".handed-over-*")
    ledger.unlink()
    assert system.write(**{"1": {"phone": "+49301"}})["1"].outcome is Outcome.WRITTEN
    assert len(boxed(system, "csv")) == 1


def test_changes_as_jsonl_and_excel(pushed: Declare) -> None:
    system = pushed("jsonl")
    system.write(**{"1": {"phone": "+49301", "name": "=1+1"}})
    assert json.loads(boxed(system, "jsonl")[0].read_text()) == {"Id": "1", "Company": "=1+1", "Phone": "+49301"}
    system = pushed("xlsx")
    system.write(**{"2": {"name": "=1+1"}})
    sheet = openpyxl.load_workbook(boxed(system, "xlsx")[0]).active
    assert [[(c.value, c.data_type) for c in line] for line in sheet.iter_rows(min_row=2)] == [
        [("2", "s"), ("=1+1", "s")]
    ]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "@SUM(1)", "+cmd", "-1+cmd", "\tx"])
def test_what_a_spreadsheet_would_run_is_refused_and_never_altered(pushed: Declare, name: str) -> None:
    system = pushed("csv")
    answers = system.write(**{"1": {"name": name}, "2": {"phone": "+49 (30) 2-1"}})
    assert answers["1"].outcome is Outcome.REFUSED
    assert name not in answers["1"].message
    assert answers["2"].outcome is Outcome.WRITTEN


def test_nobody_ever_sees_half_a_file(pushed: Declare) -> None:
    system = pushed("csv")
    system.write(**{"1": {"phone": "+49301"}})
    assert not list(system.folder.parent.joinpath("out").glob("*.part"))


# -- writing: in place -----------------------------------------------------------------------------------------------

IN_PLACE = "push: {fields: [phone, city, name], write: in_place}"


def test_a_cell_is_changed_and_every_other_byte_stays(declare: Declare) -> None:
    system = declare(f'files: "customers*.csv", key: Id, {MAP}, {IN_PLACE}')
    body = 'Id;Company;Phone;City\r\n"1";"Ac;me";030 1;"Ulm"\r\n2;Zu"lu;030 2;Bonn\r\n\r\n3;ragged\r\n'
    path = put(system.folder / "customers.csv", b"\xef\xbb\xbf" + body.replace('Zu"lu', "Zulu").encode())
    path.chmod(0o640)
    assert system.write(**{"2": {"phone": "+49302"}})["2"].outcome is Outcome.WRITTEN
    assert path.read_bytes() == b"\xef\xbb\xbf" + body.replace('Zu"lu', "Zulu").replace("030 2", "+49302").encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert json.loads(system.look("2")["2"].raw)["Phone"] == "+49302"


def test_jsonl_in_place_changes_one_value_and_keeps_how_the_others_are_written(declare: Declare) -> None:
    system = declare(f"files: c.jsonl, key: id, map: {{name: name, city: at.city, phone: tel}}, {IN_PLACE}")
    path = put(system.folder / "c.jsonl", '{"id":1,"x":1.50,"at":{"city":"Ulm","zip":1e2}}\n{"id":2}\n')
    assert {a.outcome for a in system.write(**{"1": {"city": "Köln"}}).values()} == {Outcome.WRITTEN}
    assert path.read_text() == '{"id":1,"x":1.50,"at":{"city":"Köln","zip":1e2}}\n{"id":2}\n'


ERASING = "push: {fields: [phone], write: in_place, erase: true}"


@pytest.mark.parametrize("order", ["name", "time"])
def test_who_is_forgotten_is_in_no_file_any_more_and_every_other_byte_stays(declare: Declare, order: str) -> None:
    system = declare(f'files: "customers*.csv", key: Id, order: {order}, {MAP}, {ERASING}')
    head, other, raw = "Id;Company;Phone;City\r\n", '2;"Zulu";030 2;Bonn\r\n', '3;"X";1;"a\r\nb"\r\n'
    first = put(system.folder / "customers-1.csv", f'{head}"1";"Acme";030 1;Ulm\r\n{other}{raw}')
    second = put(
        system.folder / "customers-2.csv", f"{head}1;Acme AG;030 9;Ulm\r\n1;Acme AG;030 8;Ulm\r\n", LONG_AGO + 9
    )
    before = system.read()

    answers = system.forget("1", "9")

    assert [(a.outcome, a.id) for a in answers] == [(Outcome.WRITTEN, "1"), (Outcome.WRITTEN, "9")]
    assert first.read_bytes() == f"{head}{other}{raw}".encode()
    assert second.read_bytes() == head.encode()
    assert (first.stat().st_mtime, second.stat().st_mtime) == (LONG_AGO, LONG_AGO + 9)
    assert system.read() == {id_: record for id_, record in before.items() if id_ != "1"}
    assert system.look("1") == {}
    assert sorted(system.folder.iterdir()) == [first, second]


def test_who_is_forgotten_goes_from_a_file_that_a_newer_export_overrules_too(declare: Declare) -> None:
    system = declare(f"files: 'c*.jsonl', key: id, take: newest, map: {{name: name, phone: tel}}, {ERASING}")
    old = put(system.folder / "c1.jsonl", '{"id":1,"name":"Anna"}\n{"id":2,"name":"Bo"}\n')
    new = put(system.folder / "c2.jsonl", '{"id":2,"name":"Bo"}\n')

    assert [a.outcome for a in system.forget("1")] == [Outcome.WRITTEN]
    assert (old.read_text(), new.read_text()) == ('{"id":2,"name":"Bo"}\n',) * 2
    assert [a.outcome for a in system.forget("1")] == [Outcome.WRITTEN]  # gone is as good


def test_while_a_file_cannot_be_read_nobody_is_called_forgotten(declare: Declare) -> None:
    system = declare(f'files: "customers*.csv", key: Id, {MAP}, {ERASING}')
    good = put(system.folder / "customers-1.csv", "Id,Company,Phone,City\n1,Acme,1,Ulm\n")
    bad = put(system.folder / "customers-2.csv", 'Id,Company,Phone,City\n1,"Acme,1,Ulm\n')

    [answer] = system.forget("1")
    assert (answer.outcome, answer.code) == (Outcome.DEFERRED, "LATER")
    assert "customers-2.csv" in answer.message
    assert "Acme" not in good.read_text()

    put(bad, 'Id,Company,Phone,City\n1,"Acme",1,Ulm\n')
    assert [a.outcome for a in system.forget("1")] == [Outcome.WRITTEN]
    assert "Acme" not in bad.read_text()


@pytest.mark.parametrize(("push", "says"), [("push: [phone]", "ask whoever sends them"), (IN_PLACE, "erase: true")])
def test_where_nobody_allowed_it_it_is_said_who_has_to_do_it(declare: Declare, push: str, says: str) -> None:
    more = "" if "in_place" in push else "    outbox: ./to-partners\n"
    written = declare(f'files: "customers*.csv", key: Id, {MAP}, {push}', more=more).stream.push
    assert written
    assert written.erase is None
    assert says in written.erase_by_hand


def test_a_row_that_no_longer_stands_as_it_was_seen_is_left_alone(declare: Declare) -> None:
    system = declare(f'files: "customers*.csv", key: Id, {MAP}, {IN_PLACE}')
    path = put(system.folder / "customers.csv", ACME)
    seen = {"Id": "1", "Company": "Acme", "Phone": "what it was", "City": "Ulm"}
    gone = Row(1, Op.UPDATE, "9", {"Phone": "1"}, {"phone": "1"}, {}, "g", {"Id": "9"})
    answers = system.send([Row(0, Op.UPDATE, "1", {"Phone": "+49"}, {"phone": "+49"}, {}, "g", seen), gone])
    assert [(a.outcome, a.code) for a in answers.values()] == [(Outcome.DRIFTED, "changed"), (Outcome.DRIFTED, "gone")]
    assert path.read_text() == ACME


def test_what_the_file_cannot_hold_is_refused_alone(declare: Declare) -> None:
    system = declare(f'files: "customers*.csv", encoding: cp1252, key: Id, {MAP}, {IN_PLACE}')
    put(system.folder / "customers.csv", ACME)
    answers = system.write(**{"1": {"city": "Łódź"}, "2": {"city": "Köln"}})
    assert answers["1"].outcome is Outcome.REFUSED
    assert answers["1"].message == "the encoding of the file has not all of these characters"
    assert system.read()["2"]["City"] == "Köln"


def test_the_winning_row_is_the_one_that_is_written(declare: Declare) -> None:
    system = declare(f'files: "customers*.csv", key: Id, {MAP}, {IN_PLACE}')
    old = put(system.folder / "customers-1.csv", ACME)
    put(system.folder / "customers-2.csv", "Id,Company,Phone,City\n1,Beta,1,Ulm\n1,Beta,2,Ulm\n")
    system.write(**{"1": {"phone": "+493"}})
    assert old.read_text() == ACME
    assert (system.folder / "customers-2.csv").read_text().splitlines()[1:] == ["1,Beta,1,Ulm", "1,Beta,+493,Ulm"]


# -- the declaration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (f"files: c.csv, key: Id, entity: acount, {MAP}", "entity: acount is not one of them; did you mean account?"),
        (f"files: c.csv, keys: Id, {MAP}", "there is no such key; did you mean key?"),
        (f"files: c.csv, {MAP}", "streams.customers: key is missing"),
        ("files: c.csv, key: Id, map: {nmae: Company}", "map.nmae: account has no such field; did you mean name?"),
        (f"files: c.csv, key: Id, {MAP}, push: [phnoe]", "push.fields.0: phnoe is not in the map; did you mean phone?"),
        (f"files: c.csv, key: Id, {MAP}, push: {{fields: [phone], write: inplace}}", "did you mean in_place?"),
        ("files: c.csv, key: Id, map: {status: {path: S, code: {A: x}}}", "map.status.code: there is no such key; did"),
        ("files: c.csv, key: Id, map: {status: {path: S, codes: {A: yes}}}", "put it in quotes"),
        (
            "files: c.csv, key: Id, map: {parent: {path: P, link: custmers}}",
            "there is no stream custmers; did you",
        ),
        ("files: c.csv, key: Id, map: {status: {path: S, const: x}}", "map.status: a const has no path"),
        ("files: c.csv, key: Id, map: {name: {path: Id}}, push: [name]", "name is the key of the record"),
        ("files: c.csv, key: Id, map: {status: {const: x}}, push: [status]", "status is read only"),
        (f"files: c.dat, key: Id, {MAP}", "says no format, and c.dat has no ending that does"),
        (f"files: c.xlsx, key: Id, {MAP}, {IN_PLACE}", "c.xlsx can't be written in place"),
        (f"files: c.csv, key: Id, {MAP}, push: {{fields: [phone], erase: true}}", "erase goes with write: in_place"),
        (f"files: c.csv, key: Id, {MAP}, zone: Berlin", "Berlin is no time zone"),
        (f"files: c.csv, key: Id, {MAP}, encoding: utf8x", "utf8x is no encoding"),
    ],
)
def test_what_is_wrong_with_a_stream_is_said_with_line_key_and_the_nearest_word(
    declare: Declare, stream: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        declare(stream)
    said = str(caught.value)
    assert said.startswith("omnihub.yaml: line 6, column ")
    assert "systems.partners.streams.customers" in said
    assert says in said


def test_every_way_to_map_a_field_can_be_declared(declare: Declare) -> None:
    system = declare(
        "files: c.csv, key: Id, map: {status: {path: State, codes: {A: active}, otherwise: former}, parent: "
        '{path: P, link: customers, nobody: "0"}, name: {path: N, one_way: true}, industry: {const: tools}}'
    )
    fields = system.stream.fields
    assert fields["status"].native("active") == "A"
    assert fields["parent"].native("partners/customers/7") == "7"
    assert not fields["name"].writable
    assert not fields["industry"].writable


def test_what_can_only_go_wrong_later_is_one_of_our_errors(declare: Declare) -> None:
    with pytest.raises(OmniHubError):
        declare(f"files: c.csv, key: Id, {MAP}", url="nonsense://x").open()


def test_a_folder_of_changes_has_to_be_said_when_changes_are_pushed(declare: Declare) -> None:
    with pytest.raises(ConfigError, match=r"set systems\.partners\.outbox"):
        declare(f"files: c.csv, key: Id, {MAP}, push: [phone]")

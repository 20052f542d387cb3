"""`omnihub match evaluate`: any file, a map and a truth; one document or a person's table."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.bench import matching
from tests.cli.conftest import Said, omnihub

CSV = """\
nr,vorname,nachname,mail,plz,kunde
01,Anna,Schmidt,anna.schmidt@firma.de,01067,a
02,Anna,Schmidt,anna.schmidt@firma.de,01067,a
03,Jörg,Kowalski,jk@anders.de,80331,b
"""
MAP = {"id": "nr", "fields": {"first_name": "vorname", "last_name": "nachname", "email": "mail", "postal_code": "plz"}}
TRUTH = Path(os.environ.get("OMNIHUB_TRUTH") or Path(__file__).parents[2] / ".." / "shared" / "truth")
there = pytest.mark.skipif(not TRUTH.is_dir(), reason="the truth sets are not here; OMNIHUB_TRUTH says where")


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with people.csv and map.yaml, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text(CSV)
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(MAP))
    return tmp_path


def evaluate(*more: str, data: str = "people.csv", truth: str = "kunde") -> Said:
    words = ("--entity", "contact", "--data", data, "--map", "map.yaml", "--truth", truth)
    return omnihub("match", "evaluate", *words, *more)


def test_a_file_is_held_against_its_truth_as_one_document(people: Path) -> None:
    facts = evaluate("--json").facts
    assert facts["pairwise"] == facts["b3"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert (facts["records"], facts["queue"]) == ({"data": 3}, 0)
    assert 0 < facts["seconds"] < 60
    assert facts["peak_mb"] > 10


def test_a_person_sees_a_table(people: Path) -> None:
    said = evaluate()
    assert (said.code, "pairwise" in said.out, "B³" in said.out) == (0, True, True)
    assert "1 found, 1 true" in said.out


@pytest.mark.parametrize("name", ["p.parquet", "p.jsonl", "p.json", "p.tsv", "p.csv.gz", "p.ndjson.gz"])
def test_the_same_records_give_the_same_figures_in_every_kind_of_file(people: Path, name: str) -> None:
    rows = duckdb.sql("SELECT * FROM read_csv('people.csv', all_varchar = true)")
    if name.endswith(".parquet"):
        rows.write_parquet(name)
    elif "json" in name:
        objects = [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]
        lines = "\n".join(json.dumps(one) for one in objects)
        text = json.dumps(objects) if name.endswith(".json") else lines
        Path(name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    else:
        text = CSV.replace(",", "\t") if "tsv" in name else CSV
        Path(name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    facts = evaluate("--json", data=name).facts
    assert (facts["pairs"], facts["records"]) == ({"right": 1, "found": 1, "true": 1}, {"data": 3})


def test_true_pairs_may_stand_in_a_file_and_ids_keep_their_zeros(people: Path) -> None:
    (people / "pairs.csv").write_text("id_a,id_b\n01,02\n")
    assert evaluate("--json", truth="pairs.csv").facts["pairs"] == {"right": 1, "found": 1, "true": 1}


def test_two_files_are_linked(people: Path) -> None:
    (people / "others.csv").write_text(CSV.replace("Jörg", "Joerg"))
    facts = evaluate("--json", "--against", "others.csv").facts
    assert facts["records"] == {"data": 3, "against": 3}
    assert facts["pairs"]["true"] == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"data": "none.csv"}, "none.csv: there is no such file"),
        ({"data": "map.yaml"}, "map.yaml: what kind of file?"),
        ({"truth": "knde"}, "--truth knde: --data has no such column; did you mean kunde?"),
        ({"truth": "pairs.parquet"}, "pairs.parquet: there is no such file"),
    ],
)
def test_what_is_wrong_is_one_line(people: Path, words: dict[str, str], message: str) -> None:
    said = evaluate(**words)
    assert (said.code, said.out) == (1, "")
    assert message in said.err
    assert "Traceback" not in said.err


def test_a_wrong_map_names_the_key_and_the_nearest_column(people: Path) -> None:
    (people / "map.yaml").write_text(yaml.safe_dump(MAP | {"fields": {"last_name": "nachnahme"}}))
    said = evaluate()
    assert "map.yaml: fields.last_name: there is no column 'nachnahme'; did you mean nachname?" in said.err


def test_a_broken_file_says_that_it_cannot_be_read_and_shows_none_of_it(people: Path) -> None:
    (people / "broken.parquet").write_bytes(b"Anna Schmidt")
    said = evaluate(data="broken.parquet")
    assert (said.code, "broken.parquet: can't be read" in said.err) == (1, True)
    assert "Schmidt" not in said.err


@there
def test_the_map_of_every_truth_set_fits_its_columns() -> None:
    for one in matching.SETS:
        assert matching.map_of(one, TRUTH).sides


@there
def test_a_truth_set_is_measured_beside_its_peer_in_one_run() -> None:
    ours, peer = matching.measured(matching.named("fake_1000"), TRUTH)
    assert ours["pairs"]["true"] == peer["pairs"]["true"] == 2031
    assert 0.3 < peer["pairwise"]["f1"] < 1

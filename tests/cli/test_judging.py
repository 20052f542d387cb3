"""Judging as a person does it: in the words of the command line, and by files a spreadsheet wrote."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from omnihub.store import Store
from omnihub.store.open import engine_for
from tests.cli.conftest import omnihub
from tests.flow.test_deciding import A, B, C, D, filled, merge

EVIL = '=HYPERLINK("http://x")'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("made") / "hub.db"
    filled(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def hub(folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose store knows a few people."""
    shutil.copy(made, folder / "hub.db")
    monkeypatch.setenv("OMNIHUB_STORE", f"sqlite:///{folder / 'hub.db'}")
    return folder


@pytest.fixture
def store(hub: Path) -> Iterator[Store]:
    with closing(Store(engine_for(f"sqlite:///{hub / 'hub.db'}"))) as store:
        yield store


def say(*words: str) -> Any:
    said = omnihub(*words, "--json")
    assert said.code == 0, said.err
    return said.facts


def listed() -> list[tuple[str, str, str]]:
    return [(one["a"], one["b"], one["verdict"]) for one in say("judgements", "list")]


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


# -- judgements ------------------------------------------------------------------------------------------------------


def test_a_judgement_is_said_listed_and_taken_back(hub: Path) -> None:
    kept = say("judge", B, A, "different", "--because", "father and son", "--by", "eva", "--until", "2999-01-31")
    assert kept["contradictions"] == []
    [one] = say("judgements", "list")
    assert (one["a"], one["b"], one["verdict"], one["author"], one["reason"]) == (
        A, B, "different", "eva", "father and son",
    )  # fmt: skip
    assert one["expires_at"] == "2999-02-01T00:00:00Z", "the day it ends on is the last on which it holds"
    assert "taken back" in omnihub("judge", "--undo", A, B).out
    assert listed() == []


def test_a_contradiction_is_told_at_once_and_waits_in_the_queue(hub: Path) -> None:
    say("judge", A, B, "same", "--because", "one phone")
    say("judge", B, C, "same", "--because", "one desk")
    told = omnihub("judge", A, C, "different", "--because", "twins")
    assert told.code == 0
    assert "one phone" in told.out
    [waits] = say("queue")
    assert (waits["kind"], waits["members"]) == ("contradiction", [A, B, C])
    assert f"omnihub judge --undo {A} {C}" in waits["settle"]
    assert say("queue", "--entity", "account") == []
    assert "contradict each other" in omnihub("queue").out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("judge", A, B), 2, "say same, different or unsure, or --undo"),
        (("judge", A, B, "same", "--undo"), 2, "one of them"),
        (("judge", A, B, "same"), 1, "say why"),
        (("judge", A, "crm/people/5", "same", "--because", "x"), 1, "did you mean crm/people/"),
        (("judge", A, B, "same", "--because", "x", "--until", "tomorrow"), 2, "write it as 2027-01-31"),
        (("judge", "--undo", A, B), 1, "nobody judged"),
        (("pin", "contact_0", "phone"), 2, "say a value, or --undo"),
        (("pin", "contact_0", "phone", "12", "--because", "x"), 1, "can't be that"),
        (("pin", "contact_0", "fone", "12", "--because", "x"), 1, "did you mean phone?"),
        (("pin", "--undo", "contact_0", "phone"), 1, "nobody pinned phone"),
        (("queue", "--entity", "order"), 2, "has no golden records"),
    ],
)
def test_what_cannot_be_done_is_one_message_with_the_way_out(
    hub: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    said = omnihub(*words)
    assert (said.code, said.out) == (code, "")
    assert told in " ".join(said.err.replace("│", " ").split())


def test_what_is_exported_and_imported_again_is_the_same_and_no_formula(hub: Path) -> None:
    say("judge", A, B, "different", "--because", EVIL, "--by", "@eva", "--until", "2999-01-31")
    say("judge", C, D, "same", "--because", "'quoted'")
    before = say("judgements", "list")
    assert say("judgements", "export", "said.csv")["rows"] == 2
    for row in rows(hub / "said.csv"):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
    assert say("judgements", "import", "said.csv")["kept"] == 0, "all of it is known"
    say("judge", "--undo", A, B)
    say("judge", "--undo", C, D)
    assert say("judgements", "import", "said.csv")["kept"] == 2
    apart = {"at", "note", "reopened_at"}
    assert [{k: v for k, v in one.items() if k not in apart} for one in reversed(say("judgements", "list"))] == sorted(
        ({k: v for k, v in one.items() if k not in apart} for one in before), key=lambda one: str(one["a"])
    )


def test_a_file_with_a_wrong_row_is_refused_whole_and_the_row_is_named(hub: Path) -> None:
    file = hub / "said.csv"
    file.write_text(f"a;b;verdict;because\n{A};{B};same;asked\n{A};{C};perhaps;asked\n")
    said = omnihub("judgements", "import", str(file))
    assert said.code == 1
    assert "row 2: 'perhaps' is no verdict" in said.err
    assert listed() == []
    file.write_text(f"a,b,verdict,because,until\n{A},{B},same,asked,soon\n")
    assert "row 1: 'soon' is no day" in omnihub("judgements", "import", str(file)).err
    file.write_text("left,right\n1,2\n")
    assert "no column a, b, verdict, because" in omnihub("judgements", "import", str(file)).err


# -- pins ------------------------------------------------------------------------------------------------------------


def test_a_pin_is_said_listed_exported_imported_and_taken_away(hub: Path) -> None:
    say("pin", A, "phone", "+43 1 5321234", "--because", "rang up", "--until", "2999-12-31")
    say("pin", "contact_0", "mobile", "", "--because", "has none")
    assert {(p["on"], p["field"], p["value"]) for p in say("pins", "list")} == {
        ("contact_0", "phone", "+4315321234"), ("contact_0", "mobile", None),
    }  # fmt: skip
    assert say("pins", "export", "pins.csv")["rows"] == 2
    assert [row["value"] for row in rows(hub / "pins.csv")] == ["", "'+4315321234"]
    assert say("pins", "import", "pins.csv")["kept"] == 0
    say("pin", "--undo", "contact_0", "phone")
    assert say("pins", "import", "pins.csv")["kept"] == 1
    assert "+4315321234" in omnihub("pins", "list").out


def test_a_pin_on_an_id_that_was_merged_away_is_one_on_the_living(hub: Path, store: Store) -> None:
    say("pin", "contact_2", "city", "Linz", "--because", "rang up")
    merge(store, "contact_2", "contact_0", C)
    [one] = say("pins", "list")
    assert (one["golden_id"], one["on"]) == ("contact_2", "contact_0")
    say("pin", "contact_2", "phone", "+43 1 5321234", "--because", "rang up")
    assert {p["on"] for p in say("pins", "list")} == {"contact_0"}
    say("pin", "--undo", "contact_0", "city")
    assert [p["field"] for p in say("pins", "list")] == ["phone"]


# -- after a sync ----------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_after_a_sync_the_queue_and_the_events_are_there_to_be_read(synced: Path) -> None:
    events = say("events")
    assert {e["kind"] for e in events} >= {"born"}
    assert [e["seq"] for e in events] == sorted(e["seq"] for e in events)
    last = events[-1]["seq"]
    assert say("events", "--since", str(last)) == []
    assert len(say("events", "--limit", "3", "--entity", "contact")) == 3
    for one in say("queue"):
        assert one["reason"]
        assert all(command.startswith("omnihub judge ") for command in one["settle"])
    assert omnihub("queue").code == omnihub("events").code == 0

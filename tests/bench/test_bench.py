"""The bench itself works, at a size that proves nothing about speed. No ratio is ever asserted here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import clustering, identity, landing, loop, prices, reading, writing
from tests.bench.measure import Measured, measured

SOME = Measured("land", 1000, 2.0, 1.5, 180.4)


@pytest.mark.long
def test_landing_and_its_floor_read_the_same_records(tmp_path: Path) -> None:
    found = landing.run(tmp_path, 300, times=1)
    assert [(m.name, m.records) for m in found] == [
        (name, count) for count in (300, 1200) for name in (landing.FLOOR, landing.LAND, landing.AGAIN)
    ]
    assert all(m.cpu_s > 0 and m.peak_mb > 10 for m in found)
    assert bench.landing_table(found).count("\n") == 2 + len(found)


@pytest.mark.long
def test_reading_and_its_floor_read_the_same_records(tmp_path: Path) -> None:
    found = reading.run(tmp_path, 300, times=1)
    assert [(m.name, m.records) for m in found][:2] == [(reading.FLOOR, 300), (reading.OURS, 300)]
    assert "| omnihub: land, refine |" in bench.reading_table(found)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_pushing_and_its_floor_write_the_same_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "WAYS", ((50, 2),))
    found = writing.run(tmp_path, 150, times=1)
    assert [(p.cost.name, p.cost.records) for p in found] == [(name, 150) for name in writing.NAMES.values()]
    assert [p.calls for p in found] == [3, 5, 5, 5]  # two looks; the bad rows are refused by themselves
    assert {p.limit_per_s for p in found} == {5000}
    assert "| 5,000 |" in bench.writing_table(found)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_every_step_of_the_loop_is_measured(tmp_path: Path) -> None:
    found = {m.name: m for m in loop.run(tmp_path, 25, 1)}
    assert list(found)[:3] == ["pull", "refine", "match accounts"]
    assert list(found)[-4:] == ["compare", "plan", "push", "report"]
    assert found["push"].records == found["plan"].records > 0
    assert "**whole**" in bench.loop_table(list(found.values()), 25)


@pytest.mark.long
def test_clusters_are_measured_beside_splinks_and_held_against_the_truth(tmp_path: Path) -> None:
    splink, ours, numbers = clustering.run(tmp_path, 20_000)
    assert {c.cost.records for c in (splink, ours, numbers)} == {20_000}
    assert ours.precision == pytest.approx(numbers.precision, abs=0.001), "names add what is asked, and no more"
    assert ours.precision > splink.precision
    assert ours.f1 > splink.f1
    assert ours.largest < splink.largest
    assert ours.queued > 0
    assert f"| {clustering.SPLINK} " in bench.clustering_table([splink, ours, numbers])


@pytest.mark.long
def test_a_change_is_measured_among_few_and_among_many(tmp_path: Path) -> None:
    found = {m.name: m for m in identity.run(tmp_path, 2000, changed=50)}
    assert [found[f"all · 50 changed · {base}"].records > 0 for base in ("200", "2,000")] == [True, True]
    assert found["match · everything, the first time · 2,000"].records > found["match · 50 changed · 2,000"].records > 0
    assert found["compare · 1 changed · 2,000"].records > 0
    assert "| compare, 1 changed " in bench.identity_table(list(found.values()))


def test_what_is_measured_is_this_process_and_this_work() -> None:
    found = measured("some", lambda: len([bytearray(1000) for _ in range(30_000)]))
    assert (found.name, found.records) == ("some", 30_000)
    assert found.peak_mb > 30
    assert found.per_s == pytest.approx(30_000 / found.seconds)


def test_a_table_reads_well_on_a_screen_and_as_markdown() -> None:
    assert bench.table(("step", "records"), [("land", "1,000")]) == (
        "| step | records |\n"
        "| ---- | ------: |\n"
        "| land |   1,000 |\n"
    )  # fmt: skip


def test_the_readme_is_written_between_its_marks_only() -> None:
    text = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"
    found = bench.written_into(text, "| new |\n")
    assert found.startswith("before\n<!-- bench -->\n`make bench`")
    assert found.endswith("| new |\n<!-- /bench -->\nafter\n")
    assert "old" not in found
    with pytest.raises(SystemExit, match="README"):
        bench.written_into("no marks", "| new |\n")


@pytest.mark.long
def test_prices_are_judged_all_at_once_and_when_they_change(tmp_path: Path) -> None:
    found = prices.run(tmp_path, 2_000, changed=20)
    assert [m.records for m in found] == [2_000, 20]
    assert "| 2,000 |" in bench.prices_table(found)

"""Who is who, on data nobody here made: the hub's defaults beside Splink's own, on the same cleaned records, same run.

Ours is what `omnihub match evaluate` does: nothing is tuned for a set, the maps (`maps/*.yaml`) say only which column
is which field. The peer is Splink as its documentation shows it: comparisons of its library chosen by the kind of each
field, its own training (random sampling, expectation maximisation), its own clustering. What must be written for it by
hand for each set (how to block, what to train on) is written here.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from omnihub.cli.matching import File, file
from omnihub.match.evaluate import evaluate_names, evaluate_table
from omnihub.match.mapped import Map, map_from
from omnihub.match.pairs import PAIRS
from omnihub.model import Entity, Kind
from tests.bench.measure import ROOT, peak_mb

MAPS = Path(__file__).parent / "maps"
TRUTH = Path(os.environ.get("OMNIHUB_TRUTH") or ROOT / ".." / "shared" / "truth")
THRESHOLD = 0.5  # Splink's: more likely one than two, as its tutorial clusters
SPLINK_NAMES = 0.88  # Jaro–Winkler, the second level of its NameComparison

OURS, PEER = "omnihub", "Splink"
Facts = dict[str, Any]


@dataclass(frozen=True)
class Set:
    """A set: its files, its truth (a column, or a file of pairs), and what Splink wants to be told."""

    name: str
    entity: Entity
    data: str
    map: str
    truth: str
    against: str | None = None
    block: tuple[tuple[str, ...] | str, ...] = ()  # columns, or SQL
    train: tuple[tuple[str, ...] | str, ...] = ()
    sure: tuple[tuple[str, ...] | str, float] | None = None  # what surely is one, and what share of all it finds
    compare: Mapping[str, str] = field(default_factory=dict)  # field → how, see _COMPARISONS
    goal: float = 0.0


PERSON = {"first_name": "name", "last_name": "name", "birth_date": "date"}
FEBRL = PERSON | {"street": "text", "city": "text", "postal_code": "code", "region": "exact", "id_number": "code"}
FEBRL_BLOCK = (("id_number",), ("birth_date",), ("first_name", "last_name"), ("postal_code", "last_name"), ("street",))

SETS = (
    Set(
        "febrl3",
        Entity.CONTACT,
        "febrl3/records.parquet",
        "febrl.yaml",
        "cluster",
        block=FEBRL_BLOCK,
        train=(("birth_date",), ("postal_code",)),
        compare=FEBRL,
        goal=0.999,
    ),
    Set(
        "febrl4a × febrl4b",
        Entity.CONTACT,
        "febrl4a/records.parquet",
        "febrl.yaml",
        "cluster",
        against="febrl4b/records.parquet",
        block=FEBRL_BLOCK,
        train=(("birth_date",), ("postal_code",)),
        compare=FEBRL,
        goal=0.999,
    ),
    Set(
        "fake_1000",
        Entity.CONTACT,
        "fake_1000/records.parquet",
        "fake_1000.yaml",
        "cluster",
        block=(("first_name",), ("last_name",), ("birth_date",), ("email",)),
        train=(("first_name", "last_name"), ("birth_date",)),
        compare=PERSON | {"city": "exact", "email": "email"},
    ),
    Set(
        "dedupe_early_childhood",
        Entity.ACCOUNT,
        "dedupe_early_childhood/records.parquet",
        "dedupe_early_childhood.yaml",
        "true_id",
        block=(("phone",), ("street",), ("name",), ("postal_code", "substr(name, 1, 4)")),
        train=(("street",), ("name",)),
        compare={"name": "text", "street": "text", "postal_code": "exact", "phone": "code"},
        goal=0.94,
    ),
    Set(
        "amazon_google",
        Entity.PRODUCT,
        "amazon_google/a.parquet",
        "amazon_google.yaml",
        "amazon_google/truth.parquet",
        against="amazon_google/b.parquet",
        block=("len(list_intersect(l.name, r.name)) >= 2",),
        train=("len(list_intersect(l.name, r.name)) >= 4", ("manufacturer",)),
        sure=("len(list_intersect(l.name, r.name)) >= 5", 0.5),
        compare={"name": "words", "manufacturer": "text", "price": "exact"},
        goal=0.70,
    ),
    Set("os_name_bench", Entity.CONTACT, "os_name_bench/pairs.parquet", "os_name_bench.yaml", "is_match", goal=0.93),
)


def named(name: str) -> Set:
    """The set of this name."""
    return next(one for one in SETS if one.name == name)


def map_of(one: Set, folder: Path) -> Map:
    """Its map, checked against its columns."""
    told = yaml.safe_load((MAPS / one.map).read_text())
    against = file(folder / one.against).columns if one.against else None
    return map_from(told, one.entity, file(folder / one.data).columns, against, one.map)


def measured(one: Set, folder: Path = TRUTH) -> tuple[Facts, Facts]:
    """(ours, the peer's) figures."""
    return ours(one, folder), peer(one, folder)


def ours(one: Set, folder: Path) -> Facts:
    """What the hub makes of it."""
    return _timed(lambda: _evaluated(one, folder, None, None))


def peer(one: Set, folder: Path) -> Facts:
    """What Splink makes of the same records."""
    return _timed(lambda: _evaluated(one, folder, lambda *a, **k: _splink(one, *a, **k), _jaro_winkler))


def _timed(do: Callable[[], Facts]) -> Facts:
    began = time.monotonic()
    found = do()
    return found | {"seconds": time.monotonic() - began, "peak_mb": peak_mb()}


def _evaluated(one: Set, folder: Path, engine: Any, alike: Callable[[Kind, str, str], bool] | None) -> Facts:
    map_, data = map_of(one, folder), file(folder / one.data)
    if map_.pairs:
        return evaluate_names(one.entity, map_.pairs, data.read(), one.truth, alike).facts()
    files: list[File] = [data, *([file(folder / one.against)] if one.against else [])]
    truth = file(folder / one.truth).read() if one.truth.endswith(".parquet") else one.truth
    return evaluate_table(map_, *(f.read() for f in files), truth=truth, engine=engine).facts()


# -- the peer --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    partition: list[list[str]]
    pairs: pa.Table = field(default_factory=PAIRS.empty_table)
    queued: Sequence[Any] = ()


def _splink(one: Set, entity: Entity, rows: pa.Table, one_to_one: Sequence[str] = ()) -> _Found:
    """Trained and clustered by itself."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    comparisons = {
        "name": cl.NameComparison,
        "date": lambda name: cl.DateOfBirthComparison(name, input_is_string=True),
        "email": cl.EmailComparison,
        "text": lambda name: cl.JaroWinklerAtThresholds(name, [0.95, 0.88, 0.8]),
        "code": lambda name: cl.DamerauLevenshteinAtThresholds(name, [1, 2]),
        "words": lambda name: cl.ArrayIntersectAtSizes(name, [6, 5, 4, 3, 2, 1]),
        "exact": lambda name: cl.ExactMatch(name).configure(term_frequency_adjustments=True),
    }

    def rule(said: tuple[str, ...] | str) -> Any:
        return said if isinstance(said, str) else block_on(*said)

    api = DuckDBAPI()
    tables = [
        api.register(table, dataset_display_name=f"of_{name}") for name, table in _flat(rows, one.compare).items()
    ]
    settings = SettingsCreator(
        link_type="link_only" if one_to_one else "dedupe_only",
        unique_id_column_name="ref",
        blocking_rules_to_generate_predictions=[rule(said) for said in one.block],
        comparisons=[comparisons[how](name) for name, how in one.compare.items()],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker = Linker(tables, settings, log_level=logging.ERROR)
        certain, recall = one.sure or (tuple(one.compare)[:2], 0.7)
        with suppress(ValueError):  # where nothing agrees in all of them it keeps its default
            linker.training.estimate_probability_two_random_records_match([rule(certain)], recall=recall)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        for said in one.train:
            with suppress(ValueError):  # too little data in a session: the others have to do
                linker.training.estimate_parameters_using_expectation_maximisation(rule(said))
        predicted = linker.inference.predict(threshold_match_probability=THRESHOLD)
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, THRESHOLD)
    groups: dict[str, list[str]] = {}
    for row in found.as_record_list():
        groups.setdefault(row["cluster_id"], []).append(row["ref"])
    return _Found(list(groups.values()))


def _flat(rows: pa.Table, compare: Mapping[str, str]) -> dict[str, pa.Table]:
    """system → its records, a column for each field."""
    con = duckdb.connect()
    con.register("given", rows)
    words = "list_distinct(regexp_extract_all(lower(fields ->> '{name}'), '[a-z0-9]+')) AS {name}"
    columns = ", ".join(
        (words if how == "words" else "fields ->> '{name}' AS {name}").format(name=name)
        for name, how in compare.items()
    )
    systems = [system for (system,) in con.execute("SELECT DISTINCT system FROM given ORDER BY 1").fetchall()]
    return {
        system: con.sql(f"SELECT ref, {columns} FROM given WHERE system = '{system}' ORDER BY ref").to_arrow_table()
        for system in systems
    }


def _jaro_winkler(_: Kind, a: str, b: str) -> bool:
    from rapidfuzz.distance import JaroWinkler

    return JaroWinkler.similarity(a.lower(), b.lower()) >= SPLINK_NAMES


# -- the table -------------------------------------------------------------------------------------------------------


def run(folder: Path = TRUTH) -> list[tuple[Set, Facts, Facts]]:
    """Every set, each side in a process of its own."""
    return [(one, _asked(one, "ours", folder), _asked(one, "peer", folder)) for one in SETS]


def _asked(one: Set, side: str, folder: Path) -> Facts:
    command = [sys.executable, "-m", "tests.bench", "match", one.name, side, str(folder)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def child(name: str, side: str, folder: str) -> None:
    """In a child: one side of one set."""
    found = ours(named(name), Path(folder)) if side == "ours" else peer(named(name), Path(folder))
    print(json.dumps(found), flush=True)  # noqa: T201


def rows(found: Sequence[tuple[Set, Facts, Facts]]) -> list[tuple[str, ...]]:
    """A line for each side of each set."""
    return [
        (
            one.name if side is OURS else "",
            side,
            *_figures(facts),
            f"{facts['seconds']:.1f}",
            f"{facts['peak_mb']:.0f} MB",
        )
        for one, ours_, peer_ in found
        for side, facts in ((OURS, ours_), (PEER, peer_))
    ]


HEAD = ("matching", "", "precision", "recall", "F1", "B³ F1", "queue", "seconds", "peak memory")


def _figures(facts: Facts) -> tuple[str, ...]:
    if "accuracy" in facts:
        return (
            *(f"{facts[key]:.4f}" for key in ("precision", "recall", "f1")),
            f"accuracy {facts['accuracy']:.4f}",
            "",
        )
    pairwise = (f"{facts['pairwise'][key]:.4f}" for key in ("precision", "recall", "f1"))
    return (*pairwise, f"{facts['b3']['f1']:.4f}", f"{facts['queue']:,}" if facts["queue"] else "")

"""Evaluate: the matching as it comes, on anybody's table, held against what is known to be true.

    table(s) + map ─▶ records (mapped) ─▶ identify ─▶ partition ─▶ figures (measures)
    table of pairs of names ────────────▶ alike ───▶ yes or no  ─▶ figures

Nothing is tuned for a set: what the hub does with its own systems is what is measured.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from omnihub.errors import ConfigError
from omnihub.match.features import SPECS, default_model
from omnihub.match.identify import identify
from omnihub.match.mapped import AGAINST, DATA, Map, Mapped, NamePairs, as_text, further, mapped, ref_of
from omnihub.match.measures import LABELS, TRUE_PAIRS, Figures, Quality, figures, labels_of, quality, quality_by_pairs
from omnihub.match.model import Thresholds
from omnihub.model import Entity, Kind

Engine = Callable[..., Any]
"""As `omnihub.match.identify`: (entity, rows, one_to_one=…) → what has `partition`, `pairs` and `queued`."""

Telling = Callable[[str], None]

ID_COLUMNS = ("id_a", "id_b")  # of a file of true pairs; without them its first two
_YES, _NO = frozenset("true t yes y 1 match same".split()), frozenset("false f no n 0 nonmatch different".split())

_NAMES: dict[Entity, Kind] = {Entity.CONTACT: Kind.NAME, Entity.ACCOUNT: Kind.COMPANY, Entity.PRODUCT: Kind.TEXT}
"""What kind of name the pairs of an entity are, where no column says it."""

_PERSONS = frozenset("person individual contact human name".split())
_COMPANIES = frozenset("company organization organisation legalentity account business firm".split())


@dataclass(frozen=True)
class Queue:
    """What is left to a person: what a guard kept apart, and pairs between the thresholds; so many of these (that can
    be judged) are true."""

    guarded: int
    unsure: int
    unsure_true: int

    @property
    def total(self) -> int:
        """All a person is asked."""
        return self.guarded + self.unsure


@dataclass(frozen=True)
class Evaluation:
    """What came out. `unclean`: field → values that were no evidence because they can't be cleaned. `unused`: fields of
    the map that matching doesn't look at. `outside`: true pairs of records that aren't there."""

    entity: Entity
    records: Mapping[str, int]
    quality: Quality
    queue: Queue
    unclean: Mapping[str, int]
    unused: Sequence[str] = ()
    outside: int = 0

    def facts(self) -> dict[str, Any]:
        """As one JSON document."""
        q = self.quality
        return {
            "entity": self.entity.value,
            "records": dict(self.records),
            "pairwise": asdict(q.pairwise),
            "b3": asdict(q.b3),
            "pairs": {"right": q.right, "found": q.found, "true": q.true},
            "clusters": {"found": q.clusters_found, "true": q.clusters_true, "largest": q.largest},
            "queue": self.queue.total,
            "queued": asdict(self.queue),
            "unclean": dict(self.unclean),
            "unused": list(self.unused),
            "unlabelled": q.unlabelled,
            "truth_outside": self.outside,
        }


@dataclass(frozen=True)
class NamesEvaluation:
    """What came out of a table of pairs of names."""

    entity: Entity
    pairs: int
    accuracy: float
    names: Figures
    right: int
    found: int
    true: int

    def facts(self) -> dict[str, Any]:
        """As one JSON document."""
        return {
            "entity": self.entity.value,
            "pairs": self.pairs,
            "accuracy": self.accuracy,
            **asdict(self.names),
            "counts": {"right": self.right, "found": self.found, "true": self.true},
        }


def evaluate_table(
    map_: Map,
    data: pa.Table,
    against: pa.Table | None = None,
    *,
    truth: str | pa.Table,
    engine: Engine | None = None,
    tell: Telling = lambda _: None,
) -> Evaluation:
    """Match one table with itself, or two with each other.

    truth: the column with the true cluster's id (in both tables), or a table of pairs of ids. Columns may have any
    type. `tell` hears what is being done.
    """
    tables = {DATA: data} | ({AGAINST: against} if against is not None else {})
    if tables.keys() != map_.sides.keys():
        raise ConfigError(f"map: it is made for {len(map_.sides)} table(s), there are {len(tables)}")
    tell("clean")
    tables = {system: as_text(table) for system, table in tables.items()}
    records = {system: mapped(system, side, tables[system]) for system, side in map_.sides.items()}
    labels = _labels(tables, records, truth if isinstance(truth, str) else None)
    pairs, outside = _true_pairs(records, truth) if isinstance(truth, pa.Table) else (None, 0)
    tell("match")
    found = _identified(map_, records, engine)
    tell("measure")
    told = labels if pairs is None else labels_of(labels, pairs)
    return Evaluation(
        entity=map_.entity,
        records={system: one.rows.num_rows for system, one in records.items()},
        quality=_quality(found.partition, labels, told, pairs),
        queue=_queue(found, told, default_model(map_.entity).limits, _singular(map_)),
        unclean=_added(one.unclean for one in records.values()),
        unused=_unused(map_),
        outside=outside,
    )


def evaluate_names(
    entity: Entity, names: NamePairs, data: pa.Table, truth: str, alike: Callable[[Kind, str, str], bool] | None = None
) -> NamesEvaluation:
    """Say of each pair of names whether it is one name. `truth`: the column that knows, true or false."""
    column_there(truth, data.column_names)
    text = as_text(data)
    said = alike or _alike
    left, right = (text.column(column).to_pylist() for column in (names.left, names.right))
    told = text.column(names.kind).to_pylist() if names.kind else [None] * text.num_rows
    kinds = [_NAMES[entity] if word is None else _kind(word) for word in told]
    found = [a is not None and b is not None and said(k, a, b) for k, a, b in zip(kinds, left, right, strict=True)]
    true = [_truth_value(value, truth) for value in text.column(truth).to_pylist()]
    both = sum(1 for f, t in zip(found, true, strict=True) if f and t)
    agreed = sum(1 for f, t in zip(found, true, strict=True) if f == t)
    return NamesEvaluation(
        entity=entity,
        pairs=len(true),
        accuracy=agreed / len(true) if true else 1.0,
        names=figures(both, sum(found), sum(true)),
        right=both,
        found=sum(found),
        true=sum(true),
    )


# -- matching --------------------------------------------------------------------------------------------------------


def _identified(map_: Map, records: Mapping[str, Mapped], engine: Engine | None) -> Any:
    rows = pa.concat_tables([one.rows for one in records.values()])
    return (engine or identify)(map_.entity, rows, one_to_one=_singular(map_))


def _singular(map_: Map) -> tuple[str, ...]:
    """The systems that hold no doubles."""
    return (DATA, AGAINST) if map_.against and not map_.same_within else ()


def _quality(partition: Iterable[Sequence[str]], labels: pa.Table, told: pa.Table, pairs: pa.Table | None) -> Quality:
    linking = pc.count_distinct(labels.column("system")).as_py() > 1
    if pairs is not None and linking:
        return quality_by_pairs(partition, labels, pairs)
    return quality(partition, told, across=linking)


def _queue(found: Any, told: pa.Table, limits: Thresholds, singular: Collection[str]) -> Queue:
    """A pair between the thresholds is asked about where its answer is still open: not inside a cluster, nor with a
    record that has found the only partner it can have."""
    weight = found.pairs.column("weight")
    between = pc.and_(pc.greater_equal(weight, limits.unsure), pc.less(weight, limits.same))
    unsure = found.pairs.filter(pc.and_(between, pc.invert(found.pairs.column("forbidden")))).select(["a", "b"])
    home = {ref: n for n, group in enumerate(found.partition) for ref in group}
    paired = {ref for group in found.partition if len(group) > 1 for ref in group} if singular else set()
    truth = dict(zip(*(told.column(name).to_pylist() for name in ("ref", "truth")), strict=True))
    asked = {
        (a, b)
        for a, b in zip(unsure.column("a").to_pylist(), unsure.column("b").to_pylist(), strict=True)
        if home.get(a, a) != home.get(b, b) and a not in paired and b not in paired
    }
    true = sum(1 for a, b in asked if truth[a] is not None and truth[a] == truth[b])
    return Queue(len(found.queued), len(asked), true)


def _kind(word: str) -> Kind:
    """Of a person, a company, or something else: a ship, a product."""
    plain = word.lower().replace(" ", "")
    return Kind.NAME if plain in _PERSONS else Kind.COMPANY if plain in _COMPANIES else Kind.TEXT


def _alike(kind: Kind, a: str, b: str) -> bool:
    from omnihub.fields.alike import SAME_NAME, alike

    return alike(kind, a, b) >= SAME_NAME


def _unused(map_: Map) -> list[str]:
    """Fields of the map, and further values of one as phone#2, that nothing is derived from."""
    sources = {derived.source for derived in SPECS[map_.entity].derived}
    named: set[str] = set()
    for side in map_.sides.values():
        for name, n in _added({slot.field: 1} for slot in side.slots).items():
            named |= {further(name, k) for k in range(n)}
    return sorted(named - sources)


def _added(several: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in several:
        for key, n in one.items():
            total[key] = total.get(key, 0) + n
    return dict(sorted(total.items()))


# -- the truth -------------------------------------------------------------------------------------------------------


def _labels(tables: Mapping[str, pa.Table], records: Mapping[str, Mapped], column: str | None) -> pa.Table:
    """LABELS of all records; without a column, nothing is known of them yet."""
    found = []
    for system, one in records.items():
        refs, n = one.rows.column("ref"), one.rows.num_rows
        if column is not None:
            column_there(column, tables[system].column_names, system)
        truth = tables[system].column(column) if column is not None else pa.nulls(n, pa.string())
        found.append(pa.table({"ref": refs, "system": pa.array([system] * n, pa.string()), "truth": truth}))
    labels = pa.concat_tables([table.cast(LABELS) for table in found])
    if column is not None and labels.num_rows and labels.column("truth").null_count == labels.num_rows:
        raise ConfigError(f"--truth {column}: the column is empty")
    return labels


def column_there(column: str, columns: Collection[str], system: str = DATA) -> None:
    """Refuse a truth that is no column, with the nearest one."""
    if column not in columns:
        nearest = difflib.get_close_matches(column, columns, n=1)
        meant = f"did you mean {nearest[0]}?" if nearest else f"there are: {', '.join(columns)}"
        raise ConfigError(f"--truth {column}: --{system} has no such column; {meant}")


def _true_pairs(records: Mapping[str, Mapped], truth: pa.Table) -> tuple[pa.Table, int]:
    """TRUE_PAIRS of a table of ids, and how many of its pairs name a record that isn't there."""
    text = as_text(truth)
    names = ID_COLUMNS if set(ID_COLUMNS) <= set(text.column_names) else tuple(text.column_names[:2])
    if len(names) < 2:
        raise ConfigError("--truth: a file of pairs has two columns of ids, id_a and id_b")
    there = {system: set(one.ids.to_pylist()) for system, one in records.items()}
    systems = (DATA, AGAINST if AGAINST in records else DATA)
    a, b = (text.column(name).to_pylist() for name in names)
    known = [(x, y) for x, y in zip(a, b, strict=True) if x in there[systems[0]] and y in there[systems[1]]]
    if not known:
        raise ConfigError(
            f"--truth: no pair of {names[0]}, {names[1]} names two records there are; "
            "the first is an id of --data, the second of --against where there is one"
        )
    pairs = pa.table(
        {
            "a": pa.array([ref_of(systems[0], x) for x, _ in known], pa.string()),
            "b": pa.array([ref_of(systems[1], y) for _, y in known], pa.string()),
        }
    )
    return pairs.cast(TRUE_PAIRS), len(a) - len(known)


def _truth_value(value: str | None, column: str) -> bool:
    word = (value or "").lower()
    if word not in _YES | _NO:
        raise ConfigError(f"--truth {column}: say true or false in every row")
    return word in _YES

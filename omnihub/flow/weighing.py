"""Why two records are one, or are not: the evidence of their pair, and what else decided.

The evidence is weighed anew, as matching does it: with the model in force, what the records say now, and who shares
their identifiers. What decided is what the hub keeps: the judgements, the queue, and the sure pairs that tie the two
together over others.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from omnihub.errors import OmniHubError
from omnihub.flow import deciding
from omnihub.flow.matching import records_beside
from omnihub.flow.modelling import model_in_force
from omnihub.match import Thresholds, score_all_within
from omnihub.match.model import FORBIDDEN
from omnihub.model import Entity
from omnihub.store import Store, bulk, schema

LEAST = 0.01  # bits; what says less says nothing
SIDES = 200  # records a side whose pairs are all weighed; of more the first


@dataclass(frozen=True)
class Evidence:
    """One comparison of a pair: its name, what it says in bits, and the values compared on either side."""

    comparison: str
    bits: float
    left: str | None
    right: str | None


@dataclass(frozen=True)
class Weighed:
    """A pair of records, or the strongest one between two golden records.

    verdict: same, unsure, different or never, by the evidence alone. one: whether the hub believes they are one.
    decided: in words, what made it so. path: sure pairs (a, b, bits) that tie them where their own is not sure.
    """

    a: str
    b: str
    entity: str
    golden: tuple[str | None, str | None]
    weight: float
    limits: Thresholds
    verdict: str
    one: bool
    evidence: Sequence[Evidence]
    decided: Sequence[str]
    path: Sequence[tuple[str, str, float]]


def weighed(store: Store, thresholds: Mapping[Entity, Thresholds], a: str, b: str, now: str) -> Weighed:
    """Why these two are one, or are not. Each is a record's ref or a golden id; of golden records all pairs are weighed
    and the strongest is told.

    OmniHubError where nobody knows one of them, or they are about different things.
    """
    with store.read() as c:
        left, right = _side(c, a), _side(c, b)
        entity = _entity(c, a, b, [*left, *right])
        model, _ = model_in_force(c, entity, thresholds[entity])
        features, shared = records_beside(c, entity, {*left, *right})
        both = pa.table({"component": pa.array([0] * features.num_rows, pa.int64()), "ref": features.column("ref")})
        scored = score_all_within(model, features, both, shared, why=True).to_pylist()
        between = [p for p in scored if (p["a"] in left) != (p["b"] in left) or set(left) & set(right)]
        if not between:
            raise OmniHubError(f"explain: {a} and {b} are the same record")
        best = max(between, key=lambda p: (p["weight"], p["a"], p["b"]))
        at = {row["ref"]: row for row in features.to_pylist()}
        first, second = (best["a"], best["b"]) if best["a"] in left else (best["b"], best["a"])
        golden = (_golden(c, first), _golden(c, second))
        one = golden[0] is not None and golden[0] == golden[1]
        limits = model.limits
        verdict = _verdict(best["weight"], limits)
        path = _path(c, first, second) if one and verdict != "same" else []
        decided = _decided(c, entity, first, second, verdict, one, path, now)
    return Weighed(
        a=first,
        b=second,
        entity=entity.value,
        golden=golden,
        weight=round(best["weight"], 2),
        limits=limits,
        verdict=verdict,
        one=one,
        evidence=_evidence(json.loads(best["why"]), model.comparisons.keys(), at[first], at[second]),
        decided=decided,
        path=path,
    )


def _verdict(weight: float, limits: Thresholds) -> str:
    if weight < FORBIDDEN:
        return "never"
    return "same" if weight >= limits.same else "unsure" if weight >= limits.unsure else "different"


def _side(c: sa.Connection, what: str) -> list[str]:
    """The living records meant: one ref, or all of a golden id."""
    t, x = schema.refined, schema.crosswalk
    if c.execute(sa.select(t.c.ref).where(t.c.ref == what, ~t.c.deleted)).scalar():
        return [what]
    living = deciding.living_id(c, what)
    query = sa.select(x.c.ref).join(t, t.c.ref == x.c.ref).where(x.c.golden_id == living, ~t.c.deleted)
    found = list(c.execute(query.order_by(x.c.ref).limit(SIDES)).scalars()) if living else []
    if not found:
        raise OmniHubError(f"explain: nobody knows {what}; write system/stream/id of a living record, or a golden id")
    return found


def _entity(c: sa.Connection, a: str, b: str, refs: Sequence[str]) -> Entity:
    t = schema.refined
    found = {row.entity for row in bulk.where_in(c, sa.select(t.c.entity), t.c.ref, refs)}
    if len(found) > 1:
        raise OmniHubError(f"explain: {a} and {b} are not about the same thing: {' and '.join(sorted(found))}")
    return Entity(found.pop())


def _golden(c: sa.Connection, ref: str) -> str | None:
    x = schema.crosswalk
    found: str | None = c.execute(sa.select(x.c.golden_id).where(x.c.ref == ref)).scalar()
    return found


def _evidence(
    why: Mapping[str, float], order: Sequence[str] | Any, left: Mapping[str, Any], right: Mapping[str, Any]
) -> list[Evidence]:
    """What each comparison says, the loudest first; those that say nothing are left out."""
    loud = [name for name in order if abs(why.get(name, 0)) >= LEAST]
    told = [Evidence(name, why[name], _shown(name, left), _shown(name, right)) for name in loud]
    return sorted(told, key=lambda one: -abs(one.bits))


_SHOWN = {  # comparison → the features it looks at; the others are called as what they compare
    "phone": ("phones",),
    "name": ("first", "last", "name"),
    "family": ("first", "last", "street"),
    "birth_date": ("born",),
    "place": ("street", "postal", "city", "country"),
    "common_first": ("given",),
    "common_last": ("last",),
}


def _shown(comparison: str, row: Mapping[str, Any]) -> str | None:
    """What was compared, as matching sees it."""
    values = [row.get(column) for column in _SHOWN.get(comparison, (comparison,))]
    texts = [", ".join(value) if isinstance(value, list) else str(value) for value in values if value]
    return " ".join(texts) or None


def _decided(
    c: sa.Connection, entity: Entity, a: str, b: str, verdict: str, one: bool, path: Sequence[Any], now: str
) -> list[str]:
    """What made it so, in words."""
    said = [
        f"{row['author']} judged them {row['verdict']} on {row['at'][:10]}: {row['reason']}"
        for row in deciding.judgements(c, now)
        if {row["a"], row["b"]} == {a, b}
    ]
    q = schema.queue
    stopped = [
        f"a guard: {row.reason}"
        for row in c.execute(sa.select(q.c.members, q.c.reason).where(q.c.entity == entity.value))
        if {a, b} <= set(json.loads(row.members))
    ]
    if said or stopped:
        return said + stopped
    if one:
        ties = "others tie them together" if path else "the whole group agrees"
        return ["the evidence of the two alone" if verdict == "same" else ties]
    return [
        {
            "same": "the evidence of the two speaks for it, but others in their groups contradict",
            "unsure": "the evidence is not enough: a person is asked",
            "never": "they contradict each other in what can't be two ways",
        }.get(verdict, "the evidence speaks against it")
    ]


def _path(c: sa.Connection, a: str, b: str) -> list[tuple[str, str, float]]:
    """The chain of sure pairs between two records of one golden record whose weakest link is the strongest possible."""
    x, p = schema.crosswalk, schema.pairs
    members = set(c.execute(sa.select(x.c.ref).where(x.c.golden_id == _golden(c, a))).scalars())
    links: dict[str, list[tuple[str, float]]] = {}
    query = sa.select(p.c.a, p.c.b, p.c.weight).where(p.c.state == "same")
    for row in bulk.where_in(c, query, p.c.a, members):
        if row.b in members:
            links.setdefault(row.a, []).append((row.b, row.weight))
            links.setdefault(row.b, []).append((row.a, row.weight))
    heap: list[tuple[float, str, tuple[tuple[str, str, float], ...]]] = [(float("-inf"), a, ())]
    seen: set[str] = set()
    while heap:
        weakest, ref, way = heapq.heappop(heap)
        if ref == b:
            return list(way)
        if ref in seen:
            continue
        seen.add(ref)
        for other, weight in links.get(ref, ()):
            if other not in seen:
                heapq.heappush(heap, (max(weakest, -weight), other, (*way, (ref, other, round(weight, 2)))))
    return []

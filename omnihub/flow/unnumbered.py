"""Products without SKU and GTIN: words alone never say which product they are, but a person may.

living product ─▶ has a number        ─▶ clusters, a golden id
               ─▶ judged "same" as one that has  ─▶ its cluster
               ─▶ frames variants that have one  ─▶ none: a shop's page about them is no product of its own
               ─▶ any other           ─▶ none, and a question: is it the one it sounds most like?
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from omnihub.match import Judged
from omnihub.match.clusters import Queued
from omnihub.model import Entity
from omnihub.store import bulk, schema

PRODUCT = Entity.PRODUCT.value

_P, _Q, _T, _X = schema.pairs, schema.queue, schema.refined, schema.crosswalk


def told_apart(made: pa.Table, judged: Sequence[Judged]) -> pa.Table:
    """Of these features of products those that a number identifies, or a person's word by way of one that has it."""
    numbered = made.filter(pc.or_(made["sku"].is_valid(), made["gtin"].is_valid()))
    known = set(numbered["ref"].to_pylist())
    beside: dict[str, set[str]] = defaultdict(set)
    for one in judged:
        if one.verdict == "same":
            beside[one.a].add(one.b)
            beside[one.b].add(one.a)
    frontier = known & beside.keys()
    if not frontier:
        return numbered
    while frontier:
        frontier = {other for ref in frontier for other in beside[ref]} - known
        known |= frontier
    return made.filter(pc.is_in(made["ref"], value_set=pa.array(sorted(known), pa.string())))


def leave(c: sa.Connection, refs: Iterable[str]) -> list[tuple[str, str]]:
    """Take these records, which nothing identifies any more, out of the products they were in; a product keeps those it
    has nothing else of. Returns (ref, golden id) of the ones that stay behind and have lost a member."""
    gone = {row.ref: row.golden_id for row in bulk.where_in(c, sa.select(_X), _X.c.ref, sorted(refs))}
    query = sa.select(_X.c.ref, _X.c.golden_id)
    stay = [
        tuple(row) for row in bulk.where_in(c, query, _X.c.golden_id, sorted({*gone.values()})) if row[0] not in gone
    ]
    kept = {gid for _, gid in stay}
    bulk.delete(c, _X.c.ref, sorted(ref for ref, gid in gone.items() if gid in kept))
    return stay


def asked(c: sa.Connection, judged: Sequence[Judged]) -> tuple[set[str], list[Queued]]:
    """(records without a number that are or were asked about, the questions): for each the pair with the most to it
    that nobody answered. Of all there are, so that it makes no difference in which order they came."""
    x, y = _X.alias(), _X.alias()
    query = (
        sa.select(_P.c.a, _P.c.b, _P.c.weight, x.c.ref.label("left"))
        .outerjoin(x, x.c.ref == _P.c.a)
        .outerjoin(y, y.c.ref == _P.c.b)
        .where(_P.c.entity == PRODUCT, _P.c.state == "unsure", x.c.ref.is_(None) != y.c.ref.is_(None))
        .order_by(_P.c.weight.desc(), _P.c.a, _P.c.b)
    )
    answered = {(min(one.a, one.b), max(one.a, one.b)) for one in judged if one.verdict != "unsure"}
    best: dict[str, tuple[str, str, float]] = {}
    for row in c.execute(query):
        if (row.a, row.b) not in answered:
            best.setdefault(row.b if row.left else row.a, (row.a, row.b, row.weight))
    framed = _framing(c, best)
    questions = [_question(a, b, weight) for ref, (a, b, weight) in sorted(best.items()) if ref not in framed]
    return best.keys() | _asked_before(c), questions


def _framing(c: sa.Connection, refs: Iterable[str]) -> set[str]:
    """Those that a shop only sells its variants by."""
    query = sa.select(_T.c.parent).join(_X, _X.c.ref == _T.c.ref).where(_T.c.entity == PRODUCT, ~_T.c.deleted)
    return {row.parent for row in bulk.where_in(c, query, _T.c.parent, sorted(refs))}


def _asked_before(c: sa.Connection) -> set[str]:
    """The records without a golden id that a question is about."""
    members = {ref for (told,) in c.execute(sa.select(_Q.c.members).where(_Q.c.entity == PRODUCT))
               for ref in json.loads(told)}  # fmt: skip
    return members - {row.ref for row in bulk.where_in(c, sa.select(_X.c.ref), _X.c.ref, sorted(members))}


def _question(a: str, b: str, weight: float) -> Queued:
    told = f"one has no SKU and no GTIN, and says what the other says ({weight:.1f} bits); words alone join no products"
    return Queued((a, b), told, round(weight, 2), (a, b))

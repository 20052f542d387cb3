"""Lineage: from every golden cell a stored way leads back to the bytes a system sent."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub import fields
from omnihub.model import GOLDEN, Entity, Kind, fields_of
from omnihub.refine.paths import pointer_of
from omnihub.sdk.fieldmap import Codes, Const, EpochMs, FullName, Link, Path
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start

CELLS = 1_000


@dataclass(frozen=True)
class Cell:
    """One golden value, with what is stored of its origin."""

    entity: Entity
    golden_id: str
    field: str
    value: str
    story: dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """The record a value came from: as refined, and the bytes it was refined from."""

    system: str
    stream: str
    pointer: str
    said: dict[str, str]
    body: bytes
    exchange: int


def cells(here: Loop) -> list[Cell]:
    g = schema.goldens
    found = loop.rows(here.store, sa.select(g.c.id, g.c.entity, g.c.fields, g.c.lineage).where(g.c.members > 0))
    return [
        Cell(Entity(row.entity), row.id, name, value, json.loads(row.lineage)[name])
        for row in sorted(found)
        for name, value in json.loads(row.fields).items()
    ]


def origins(here: Loop) -> dict[tuple[str, int], Origin]:
    """(ref, raw_seq) → the record, of the stored raw versions."""
    t, r = schema.refined, schema.raw
    query = sa.select(t.c.ref, t.c.system, t.c.stream, t.c.pointer, t.c.fields, r.c.seq, r.c.body, r.c.exchange_id)
    found = loop.rows(here.store, query.join(r, r.c.seq == t.c.raw_seq))
    return {
        (row.ref, row.seq): Origin(
            row.system, row.stream, row.pointer, json.loads(row.fields), row.body, row.exchange_id
        )
        for row in found
    }


def resolve(body: bytes, pointer: str) -> Any:
    """RFC 6901."""
    here = json.loads(body, parse_float=str, parse_int=str)
    for part in pointer.split("/")[1:]:
        here = here[int(part)] if isinstance(here, list) else here[part.replace("~1", "/").replace("~0", "~")]
    return here


def where_of(origin: Origin, name: str) -> Path:
    [stream] = [s for s in loop.CONNECTORS[origin.system].streams if s.name == origin.stream]
    return stream.fields[name]


def pointed_at(origin: Origin, where: Path) -> str:
    """The text the pointer leads to; AssertionError or KeyError where it leads nowhere."""
    outer = where.path.startswith("^")
    found = resolve(origin.body, ("" if outer else origin.pointer) + pointer_of(where.path.removeprefix("^")))
    assert found is not None
    return json.dumps(found) if isinstance(found, bool | dict | list) else str(found)


def read_as(origin: Origin, where: Path, kind: Kind) -> Iterator[str | None]:
    """What the text cleans to, by the field map: in the record's own country, and at home."""
    if isinstance(where, Const):
        yield where.value
        return
    text = pointed_at(origin, where)
    if isinstance(where, Link):
        yield f"{origin.system}/{where.stream}/{text}"
        return
    if isinstance(where, Codes):
        text = where.codes.get(text, text if where.otherwise is None else where.otherwise)
    if isinstance(where, EpochMs):
        yield text
        return
    for country in (origin.said.get("country"), "DE"):
        yield fields.clean(kind, text, country=country, part=where.part if isinstance(where, FullName) else "")


def unexplained(here: Loop, some: list[Cell]) -> list[tuple[str, str, str]]:
    """The cells whose value is not what stands where their lineage points."""
    known, golden_of = (
        origins(here),
        dict(loop.rows(here.store, sa.select(schema.crosswalk.c.ref, schema.crosswalk.c.golden_id))),
    )
    wrong = []
    for cell in some:
        origin = known[cell.story["ref"], cell.story["raw_seq"]]
        kind = fields_of(cell.entity)[cell.field].kind
        found = set(read_as(origin, where_of(origin, cell.field), kind))
        if kind is Kind.LINK:
            found = {golden_of.get(str(one)) for one in found}
        if cell.value not in found:
            wrong.append((cell.golden_id, cell.field, cell.story["ref"]))
    return wrong


@pytest.mark.parametrize("stage", ["compared", pytest.param("synced", marks=pytest.mark.long)])
def test_a_thousand_golden_cells_are_what_the_stored_bytes_say_once_cleaned(begin: Start, stage: str) -> None:
    here = begin(stage)
    everything = cells(here)
    assert {cell.entity for cell in everything} == set(GOLDEN)
    some = random.Random(7).sample(everything, CELLS)
    assert unexplained(here, some) == []


def test_a_value_that_is_not_what_its_pointer_says_is_noticed(begin: Start) -> None:
    """The test above can fail."""
    here = begin("compared")
    [cell] = [c for c in cells(here) if c.field == "email" and c.entity is Entity.CONTACT][:1]
    wrong = Cell(cell.entity, cell.golden_id, cell.field, "nobody@example.org", cell.story)
    assert unexplained(here, [cell, wrong]) == [(cell.golden_id, "email", cell.story["ref"])]


def test_each_origin_was_in_an_exchange_that_is_kept_and_each_loser_has_a_reason(begin: Start) -> None:
    here = begin("compared")
    kept = {row.id for row in loop.rows(here.store, sa.select(schema.exchanges.c.id))}
    assert {origin.exchange for origin in origins(here).values()} <= kept
    held: dict[str, set[str]] = {}
    for ref, said in loop.rows(here.store, sa.select(schema.refined.c.ref, schema.refined.c.fields)):
        held[ref] = set(json.loads(said).values())
    for cell in cells(here):
        for loser in cell.story["losers"]:
            assert loser["why"]
            assert fields_of(cell.entity)[cell.field].kind is Kind.LINK or loser["value"] in held[loser["ref"]]

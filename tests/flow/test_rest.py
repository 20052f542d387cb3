"""Systems that keep less than they are given: all comes to rest, and nobody's edit is lost.

Three databases in a chain keep what is written to them shortened, rounded, in capitals, trimmed, without the country of
a number: by a trigger, as their own people's typing is. What they keep is not what was sent, and nobody's edit either.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings

import connectors
from omnihub.config import load
from omnihub.flow import Hub, apply_plan, approve, deciding
from omnihub.merge import Rules
from omnihub.model import Entity
from omnihub.push import Limits
from omnihub.sandbox.state import Obj
from omnihub.store import Store, schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start

SYSTEMS = ("abacus", "beacon", "cirrus")
TABLES = {
    "firms": ("id", "vat", "name", "phone", "city", "industry", "changed"),
    "people": ("id", "email", "first", "last", "full", "phone", "job", "changed"),
    "goods": ("id", "sku", "name", "price", "changed"),
}
ENTITIES = {"firms": "account", "people": "contact", "goods": "product"}
MAPS = {
    "firms": "vat_id: vat, name: name, phone: phone, city: city, industry: industry",
    "people": "email: email, first_name: first, last_name: last, phone: phone, job_title: job",
    "goods": "sku: sku, name: name, price: price",
}
PUSHED = {"firms": "name, phone, city, industry", "people": "first_name, last_name, phone, job_title",
          "goods": "name, price"}  # fmt: skip
FULL = "{path: full, part: first}, last_name: {path: full, part: last}"

KEPT = {  # what a system does to a text, in SQL
    "whole": "{0}",
    "twenty letters": "substr({0}, 1, 20)",
    "forty letters": "substr({0}, 1, 40)",
    "capitals": "upper({0})",
    "trimmed": "trim({0})",
    "twenty capitals": "upper(substr({0}, 1, 20))",
}
PHONES = {  # done twice it is as done once: a trigger fires whatever column is written
    "whole": "{0}",
    "no country": "replace({0}, '+49', '0')",
    "foreign": "CASE WHEN {0} LIKE '+%' THEN '0' || substr({0}, 4) ELSE {0} END",
    "no plus": "replace({0}, '+', '')",
    "spaced": "substr(replace({0}, ' ', ''), 1, 3) || ' ' || substr(replace({0}, ' ', ''), 4)",
}
PRICES = {"whole": "{0}", "cents": "round({0}, 2)", "tens": "round({0}, 1)", "cut": "cast({0} as integer)"}
TEXTS = (("firms", "name"), ("firms", "city"), ("firms", "industry"), ("people", "job"), ("goods", "name"))
NUMBERS = (("firms", "phone"), ("people", "phone"))

VALUES = {
    ("firms", "name"): ("Pumpen und Ventile Oberschwaben GmbH & Co. KG", "Pumpen und Ventile Oberschwaben AG",
                        "Pumpen und Ventile", "Müller Söhne GmbH"),
    ("firms", "city"): ("Villingen-Schwenningen am Neckar", "Villingen", "Ulm"),
    ("firms", "industry"): ("Maschinenbau für die Getränkeindustrie in Europa", "Maschinenbau", "Chemie"),
    ("firms", "phone"): ("+4973112345678", "+497318765432", "+358931580000"),
    ("people", "phone"): ("+4915112345670", "+4915755566677", "+393471234567"),
    ("people", "job"): ("Head of Purchasing, Pumps and Valves", "Head of Purchasing", "Buyer"),
    ("goods", "name"): ("Kreiselpumpe Edelstahl 4711 mit Flansch und Motor", "Kreiselpumpe Edelstahl", "Pumpe"),
    ("goods", "price"): ("1234.5678", "1234.57", "0.0125", "99.90", "12"),
}  # fmt: skip
CELLS = tuple(VALUES)
ROWS = 2  # of each table


@dataclass
class Side:
    """One of the three databases, and what it does to what it keeps."""

    name: str
    url: str
    keeps: Mapping[tuple[str, str], str]
    timed: bool
    joined: bool
    ticks: Iterator[int] = field(default_factory=lambda: itertools.count())

    def __post_init__(self) -> None:
        self.engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with self.engine.begin() as c:
            for table, columns in TABLES.items():
                typed = ", ".join(f"{name} {'REAL' if name == 'price' else 'TEXT'}" for name in columns[1:])
                c.exec_driver_sql(f"CREATE TABLE {table} (id TEXT PRIMARY KEY, {typed})")
                less = [f"{col} = {how.format(col)}" for (of, col), how in self.keeps.items() if of == table]
                for when in ("UPDATE", "INSERT") if less else ():
                    c.exec_driver_sql(
                        f"CREATE TRIGGER {table}_{when} AFTER {when} ON {table} BEGIN "
                        f"UPDATE {table} SET {', '.join(less)} WHERE id = NEW.id; END"
                    )

    def type_in(self, table: str, id_: str, **values: Any) -> None:
        """Somebody makes or changes a row."""
        at = datetime.now(UTC).isoformat()
        with self.engine.begin() as c:
            c.exec_driver_sql(f"INSERT OR IGNORE INTO {table} (id) VALUES (?)", (id_,))
            said = ", ".join(f"{name} = ?" for name in (*values, "changed"))
            c.exec_driver_sql(f"UPDATE {table} SET {said} WHERE id = ?", (*values.values(), at, id_))

    def cell(self, table: str, id_: str, column: str) -> Any:
        with self.engine.connect() as c:
            return c.exec_driver_sql(f"SELECT {column} FROM {table} WHERE id = ?", (id_,)).scalar()

    def rows(self) -> dict[str, list[Any]]:
        with self.engine.connect() as c:
            return {t: [tuple(r) for r in c.exec_driver_sql(f"SELECT * FROM {t} ORDER BY id")] for t in TABLES}

    def declared(self) -> str:
        lines = [f"  {self.name}:", "    connector: database", f"    url: {self.url}", "    streams:"]
        for table, mapped in MAPS.items():
            if table == "people" and self.joined:
                mapped = mapped.replace("first, last_name: last", FULL)
            timed = "updated: changed, " if self.timed else ""
            lines.append(
                f"      {table}: {{table: {table}, key: id, {timed}entity: {ENTITIES[table]}, map: {{{mapped}}}, "
                f"push: [{PUSHED[table]}]}}"
            )
        return "\n".join(lines)


@dataclass
class Chain:
    sides: Mapping[str, Side]
    hub: Hub

    def sync(self) -> list[str]:
        """Returns what was planned."""
        told = loop.sync(self.hub)
        assert told.summary["balanced"], told.summary
        assert told.plan.state == "ready", told.plan.broken
        assert told.pushed.get("refused", 0) == told.pushed.get("deferred", 0) == 0
        t = schema.changes
        planned = loop.rows(self.hub.store, sa.select(t).where(t.c.plan_id == told.plan.id))
        return [f"{c.ref} {c.field}: {c.old!r} → {c.new!r}, {c.why}" for c in planned]

    def rows(self) -> dict[str, Any]:
        return {name: side.rows() for name, side in self.sides.items()}


@contextmanager
def chain(
    keeps: Sequence[Mapping[tuple[str, str], str]], timed: bool = True, joined: Sequence[int] = ()
) -> Iterator[Chain]:
    with TemporaryDirectory() as folder:
        sides = {
            name: Side(name, f"sqlite:///{folder}/{name}.db", how, timed, n in joined)
            for n, (name, how) in enumerate(zip(SYSTEMS, keeps, strict=True))
        }
        path = Path(folder, "omnihub.yaml")
        path.write_text("systems:\n" + "\n".join(side.declared() for side in sides.values()) + "\n")
        config = load(path, connectors={}, templates=connectors.templates(), environ={})
        store = Store.open(f"sqlite:///{folder}/hub.db")
        rules = Rules({(Entity.PRODUCT, name): "trusted" for name in ("name", "price")})  # there is no master here
        hub = Hub(store, config.enabled({}), config.settings_for, rules=rules, limits=Limits(share=1.0))
        for side in sides.values():
            begin_with(side)
        try:
            yield Chain(sides, hub)
        finally:
            store.close()


def begin_with(side: Side) -> None:
    for n in range(ROWS):
        side.type_in("firms", f"f{n}", vat=("DE136695976", "DE129273398")[n], name=("Ritter Pumpen", "Kolb Ventile")[n])
        first, last = ("Anna", "Gabriel")[n], ("Oberhuber", "García Márquez")[n]
        side.type_in("people", f"p{n}", email=f"{first}.{last.split()[0]}@ritter.de".lower().replace("í", "i"),
                     first=first, last=last, full=f"{first} {last}")  # fmt: skip
        side.type_in("goods", f"g{n}", sku=f"KP-100{n}", name="Pumpe", price="10")


@dataclass(frozen=True)
class Edit:
    side: int
    row: int
    cell: tuple[str, str]
    value: str


def made(this: Chain, edits: Sequence[Edit]) -> None:
    for edit in edits:
        table, column = edit.cell
        this.sides[SYSTEMS[edit.side]].type_in(table, f"{table[0]}{edit.row}", **{column: edit.value})


def comes_to_rest(
    keeps: Sequence[Mapping[tuple[str, str], str]], rounds: Sequence[Sequence[Edit]], timed: bool, joined: Sequence[int]
) -> None:
    with chain(keeps, timed, joined) as this:
        this.sync()
        for edits in rounds:
            made(this, edits)
            typed = [
                (e, this.sides[SYSTEMS[e.side]].cell(e.cell[0], f"{e.cell[0][0]}{e.row}", e.cell[1])) for e in edits
            ]
            this.sync()
            at_rest = this.rows()
            assert this.sync() == [], "the second cycle has something to say"
            assert this.sync() == []
            assert this.rows() == at_rest
            cells = [(e.row, e.cell) for e in edits]
            for edit, value in typed:
                if cells.count((edit.row, edit.cell)) == 1:  # else the later one may win
                    table, column = edit.cell
                    held = this.sides[SYSTEMS[edit.side]].cell(table, f"{table[0]}{edit.row}", column)
                    assert held == value, f"{edit} was lost"


a_side = st.fixed_dictionaries(
    {cell: st.sampled_from(list(KEPT.values())) for cell in TEXTS}
    | {cell: st.sampled_from(list(PHONES.values())) for cell in NUMBERS}
    | {("goods", "price"): st.sampled_from(list(PRICES.values()))}
)
an_edit = st.sampled_from(CELLS).flatmap(
    lambda cell: st.builds(
        Edit, st.integers(0, 2), st.integers(0, ROWS - 1), st.just(cell), st.sampled_from(VALUES[cell])
    )
)


NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # an example takes seconds


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(max_examples=25, phases=NO_SHRINKING, suppress_health_check=list(HealthCheck))
@given(
    keeps=st.lists(a_side, min_size=3, max_size=3),
    rounds=st.lists(st.lists(an_edit, min_size=1, max_size=6), min_size=1, max_size=3),
    timed=st.booleans(),
    joined=st.lists(st.integers(0, 2), max_size=2),
)
def test_any_chain_of_systems_that_keep_less_is_at_rest_from_the_second_cycle_on(
    keeps: Sequence[Mapping[tuple[str, str], str]], rounds: Sequence[Sequence[Edit]], timed: bool, joined: Sequence[int]
) -> None:
    comes_to_rest(keeps, rounds, timed, joined)


WHOLE: Mapping[tuple[str, str], str] = {}
LESS = {
    ("firms", "name"): KEPT["twenty letters"],
    ("firms", "city"): KEPT["twenty capitals"],
    ("firms", "industry"): KEPT["forty letters"],
    ("people", "job"): KEPT["trimmed"],
    ("firms", "phone"): PHONES["foreign"],
    ("goods", "name"): KEPT["twenty letters"],
    ("goods", "price"): PRICES["cents"],
}


@pytest.mark.long
@pytest.mark.parametrize(
    "timed", [True, pytest.param(False, marks=pytest.mark.long)], ids=["with times", "without times"]
)
def test_what_a_system_keeps_only_in_part_stays_whole_everywhere_else(timed: bool) -> None:
    comes_to_rest((WHOLE, LESS, WHOLE), [[Edit(0, 0, cell, VALUES[cell][0]) for cell in CELLS]], timed, (1,))


# -- over HTTP -------------------------------------------------------------------------------------------------------

TITLE = "Head of Purchasing for Pumps, Valves and Everything Else"  # 56 letters


def keeping(letters: int) -> Callable[[Obj], bool]:
    """A stand-in that keeps only so many letters of a title."""

    def cut(body: Any) -> None:
        for name, value in body.items() if isinstance(body, dict) else enumerate(body):
            if value == TITLE:
                body[name] = TITLE[:letters]
            elif isinstance(value, dict | list):
                cut(value)

    def before(obj: Obj) -> bool:
        cut(obj.body)
        return True

    return before


@pytest.mark.long
@pytest.mark.parametrize("system", ["hubspot", "portal"])
def test_a_field_of_forty_letters_is_a_finding_and_who_edits_beside_our_write_keeps_it(
    begin: Start, system: str
) -> None:
    here = begin("synced")
    known = here.somebody("contact", "job_title", "salesforce", "hubspot", "portal")
    here.standin(system).state.before_write = keeping(40)
    here.edit(known["salesforce"], job_title=TITLE)
    assert here.sync().planned > 0
    here.edit(known[system], phone="+4973112345678")  # before our own write comes back
    told = here.sync()
    assert set(written(here, told)) == {(ref, "phone") for s, ref in known.items() if s != system}
    assert here.sync().planned == 0
    titles = {s: here.fields(ref)["job_title"] for s, ref in known.items()}
    assert titles == dict.fromkeys(known, TITLE) | {system: TITLE[:40]}
    f = schema.findings
    found = sa.select(f.c.theirs, f.c.expected).where(f.c.ref == known[system], f.c.state == "open")
    assert loop.rows(here.store, found.where(f.c.field == "job_title")) == [(TITLE[:40], TITLE)]

    here.edit(known[system], job_title="Head of Purchasing")  # shorter still: that was a person
    here.sync()
    assert here.sync().planned == 0
    assert {here.fields(ref)["job_title"] for ref in known.values()} == {"Head of Purchasing"}


def written(here: Loop, told: loop.Told) -> dict[tuple[str, str], str]:
    """(ref, field) → outcome, of a sync's plan."""
    t = schema.changes
    return {(r.ref, r.field): r.outcome for r in loop.rows(here.store, sa.select(t).where(t.c.plan_id == told.plan.id))}


@pytest.mark.long
def test_a_person_who_edits_while_a_plan_waits_for_its_approval_is_not_overwritten(begin: Start) -> None:
    here = begin("synced")
    known = here.somebody("contact", "job_title", "salesforce", "hubspot", "portal")
    here.edit(known["hubspot"], job_title="Head of Pumps")
    hub = here.hub(limits=Limits(records=0))
    waiting = loop.sync(hub)
    assert waiting.plan.state == "blocked"
    here.edit(known["salesforce"], job_title="Head of Valves")
    approve(here.store, waiting.plan.id, "anna", "seen it")
    apply_plan(hub, waiting.plan.id)
    ended = written(here, waiting)
    assert ended.pop((known["salesforce"], "job_title")) == "drifted"
    assert set(ended.values()) == {"written"}

    anew = here.sync()
    assert written(here, anew) == {(ref, "job_title"): "written" for s, ref in known.items() if s != "salesforce"}
    assert here.sync().planned == 0
    assert {here.fields(ref)["job_title"] for ref in known.values()} == {"Head of Valves"}


def test_nothing_is_taken_back_before_a_person_has_said_that_the_two_are_two() -> None:
    with chain((WHOLE, WHOLE, WHOLE)) as this:
        phone = ("firms", "phone")
        made(this, [Edit(1, 0, phone, "+4973112345678")])
        this.sync()
        made(this, [Edit(1, 0, ("firms", "name"), "Müller Söhne GmbH")])  # the VAT id is still the same: a question
        assert this.sync() == []
        assert {side.cell("firms", "f0", "phone") for side in this.sides.values()} == {"+4973112345678"}
        others = [f"{name}/firms/f0" for name in SYSTEMS if name != "beacon"]
        deciding.judge(
            this.hub.store, [deciding.Said(ref, "beacon/firms/f0", "different", "two firms", "eva") for ref in others]
        )
        assert len(this.sync()) == 2
        assert [side.cell("firms", "f0", "phone") for side in this.sides.values()] == [None, "+4973112345678", None]
        assert this.sync() == []


@pytest.mark.long
def test_a_person_who_goes_back_to_what_the_hub_had_written_once_is_followed() -> None:
    with chain((WHOLE, WHOLE, WHOLE)) as this:
        job = ("people", "job")
        for edit in (Edit(0, 0, job, "Buyer"), Edit(1, 0, job, "Seller"), Edit(1, 0, job, "Buyer")):
            made(this, [edit])
            this.sync()
        assert {side.cell("people", "p0", "job") for side in this.sides.values()} == {"Buyer"}

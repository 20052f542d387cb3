"""How far each system agrees with the golden records and the masters, counted cell by cell and computable by hand.

    cell         one field of one living record of a system: its stream's map has the field, and
                   account, contact, product   the golden record has a value for it
                   what is sold, promised      the master or another system could say what is right (`checked`)
    comparable   a cell where the system has a value too, and there is something to hold it against
    equal        a comparable cell that does not differ: no difference, and no open finding about it
    coverage     = comparable / all cells          consistency = equal / comparable
    corrected    differs, and the right value was written since: it counts as equal once it is read back

Silence is not agreement: a cell that is empty, or that nothing speaks to, lowers coverage and leaves consistency alone.
One cell that breaks lowers the consistency of its system and phase (`phases`) by 1 / comparable, and nobody else's.
Links are left out, because a link is right in each system's own words; of a consent only the permission counts, and it
differs where a yes stands against a no. A finding somebody has set aside is still a difference. A master agrees with
itself, so masters are in no sum over systems. Money at risk is the sum of what open findings say is at stake, each
currency by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pyarrow as pa

from omnihub.engine import connection
from omnihub.model import ENTITIES, Entity, Kind
from omnihub.report.checked import CELLS
from omnihub.report.facts import FieldScore, PhaseScore, Score
from omnihub.report.phases import PHASES, phase_of

MEMBERS = pa.schema([(n, pa.string()) for n in ("ref", "entity", "system", "stream", "theirs", "ours")])
"""Living records with a golden record; theirs, ours: fields as JSON text."""

DIFFERING = pa.schema(
    [
        ("ref", pa.string()),
        ("field", pa.string()),
        ("held", pa.bool_()),
        ("sent_at", pa.string()),
        ("read_at", pa.string()),
    ]
)
"""Cells that differ. held: the system has a value there. sent_at: when the golden value was last written there.
read_at: when the stream was last read."""

HELD = pa.schema([(n, pa.string()) for n in ("system", "stream", "field")])
"""Which fields each stream holds (its field map)."""

KNOWN = pa.schema(
    [
        ("system", pa.string()),
        ("entity", pa.string()),
        ("records", pa.int64()),
        ("known", pa.int64()),
        ("total", pa.int64()),
    ]
)
"""Per system and entity: living records, golden records they belong to, golden records there are."""

_CHECKED = {*CELLS, *((Entity.PRODUCT, name) for name in ("currency", "tax_included"))}
"""Held against the master in their context, and not against a golden record, which has them from a channel."""

_NUMBERS = ("golden", "comparable", "equal", "corrected", "filled")


def scored_fields(entity: Entity) -> tuple[str, ...]:
    """The fields of an entity that are held against its golden record."""
    told = (f for f in ENTITIES[entity].values() if (entity, f.name) not in _CHECKED)
    return tuple(f.name for f in told if f.kind is not Kind.LINK and (f.group != "consent" or f.kind is Kind.CONSENT))


DEFINITION: dict[str, str] = {
    "Cell": "one field of one record of a system, where the golden record has a value; of what is sold or promised "
    "(prices, SKUs, orders, promotions), where the master or another system could say what is right.",
    "Comparable": "a cell where the system has a value too, and there is something to hold it against.",
    "Equal": "a comparable cell that does not differ.",
    "Consistency": "equal ÷ comparable.",
    "Coverage": "comparable ÷ cells: silence is not agreement.",
    "After corrections": "the consistency once what the hub has written is read back.",
    "Known here": "golden records with a record in this system.",
    "Phase": "of the customer's journey. A catalogue's words and offers come before the purchase; the price that is "
    "shown and the lines of orders are the purchase; how far an order has come, from where and how it travels is "
    "delivery; tickets and devices are maintenance. Who the customer is belongs to all of them.",
    "Money at risk": "the sum of what the open findings say is at stake, each currency by itself: for a price, what "
    "was said less what is right, times the quantity.",
    "By hand": "one cell that breaks lowers the consistency of its own system and phase by 1 ÷ comparable, and no "
    "other. Percentages are cut, never rounded up. Links between records are not counted, and masters are in no sum.",
}
"""The scorecard in words, for those who read it."""


class Tally:
    """Counts cells, a slice of the records at a time."""

    def __init__(self, differing: pa.Table, held: pa.Table) -> None:
        self._con = connection()
        self._con.register("differing", differing)
        self._con.register("held", held)
        self._con.execute(_DIFFERS)
        self._con.execute(_COUNTS)

    def __enter__(self) -> Tally:
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    def add(self, members: pa.Table) -> None:
        """Count the cells of these records."""
        self._con.register("members", members)
        self._con.execute(_COUNT)
        self._con.unregister("members")

    def fields(self) -> tuple[FieldScore, ...]:
        """The counts so far, by system, entity and field."""
        found = self._con.sql(_BY_FIELD).fetchall()
        named = (dict(zip(("system", "entity", "field", *_NUMBERS), row, strict=True)) for row in found)
        return tuple(FieldScore(**row, phase=phase_of(row["entity"], row["field"])) for row in named)


def scorecard(fields: Iterable[FieldScore], known: pa.Table) -> tuple[Score, ...]:
    """The scorecard: one line for each system and entity that has a record."""
    summed: dict[tuple[str, str], dict[str, int]] = {}
    for f in fields:
        line = summed.setdefault((f.system, f.entity), dict.fromkeys(_NUMBERS, 0))
        for name in _NUMBERS:
            line[name] += getattr(f, name)
    none = dict.fromkeys(_NUMBERS, 0)
    found = []
    for row in known.to_pylist():
        counts: dict[str, Any] = summed.get((row["system"], row["entity"]), none)
        found.append(Score(**row, **counts))
    return tuple(found)


def by_phase(fields: Iterable[FieldScore], masters: Collection[str]) -> tuple[PhaseScore, ...]:
    """The phases of each system that is no master, and of all of these together, in the order of the journey."""
    summed: dict[tuple[str, str], list[int]] = {}
    for f in fields:
        if f.system not in masters:
            for system in ("", f.system):
                line = summed.setdefault((system, f.phase), [0] * len(_NUMBERS))
                line[:] = [n + getattr(f, name) for n, name in zip(line, _NUMBERS, strict=True)]
    order = list(PHASES)
    return tuple(PhaseScore(*key, *summed[key]) for key in sorted(summed, key=lambda k: (k[0], order.index(k[1]))))


# A stream is read from when its pull began; what was sent later was not seen yet. Both to the second.
_DIFFERS = """
CREATE TEMP TABLE differs AS
SELECT ref, field, bool_or(held) AS held,
       coalesce(bool_and(left(sent_at, 19) >= left(read_at, 19)), false) AS written
FROM differing GROUP BY ref, field
"""

_COUNTS = f"""
CREATE TEMP TABLE counts (system VARCHAR, entity VARCHAR, field VARCHAR, {", ".join(f"{n} BIGINT" for n in _NUMBERS)})
"""

_COUNT = """
INSERT INTO counts
WITH cells AS (
    SELECT m.ref, m.system, m.entity, h.field,
           json_extract_string(m.theirs, '$."' || h.field || '"') IS NOT NULL AS held
    FROM members AS m JOIN held AS h ON h.system = m.system AND h.stream = m.stream
    WHERE json_extract_string(m.ours, '$."' || h.field || '"') IS NOT NULL)
SELECT c.system, c.entity, c.field,
       count(*),
       count(*) FILTER (c.held),
       count(*) FILTER (c.held AND NOT coalesce(d.held, false)),
       count(*) FILTER (c.held AND d.held AND d.written),
       count(*) FILTER (NOT c.held AND d.written)
FROM cells AS c LEFT JOIN differs AS d ON d.ref = c.ref AND d.field = c.field
GROUP BY ALL
"""

_BY_FIELD = f"""
SELECT system, entity, field, {", ".join(f"sum({n})::BIGINT" for n in _NUMBERS)}
FROM counts GROUP BY ALL ORDER BY system, entity, field
"""

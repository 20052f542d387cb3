"""Service standards: how many of each channel's tickets kept what the master promises, and how long it took.

Counted are the tickets that were answered or solved, and those that are not although it was due. Of the others nobody
knows yet. The time in the middle is of those that are done: half of them took no longer. Each standard a channel has
had is counted by itself, a channel without one too.
"""

from __future__ import annotations

import pyarrow as pa

from omnihub.engine import connection
from omnihub.report.facts import ServiceScore

MEASURED = pa.schema(
    [(n, pa.string()) for n in ("ref", "system", "field", "channel", "standard")]
    + [("took_s", pa.int64()), ("late", pa.bool_())]
)
"""A ticket's first answer (field `answered_at`) or solution (`solved_at`). standard: hours, None where there is none;
took_s: seconds, None while it is not done; late: None where there is no standard."""


class Served:
    """Counts tickets, a slice at a time."""

    def __init__(self) -> None:
        self._con = connection()
        self._con.execute(_TABLE)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    def add(self, measured: pa.Table) -> None:
        """Count these: as MEASURED."""
        self._con.register("measured", measured)
        self._con.execute(_ADD)
        self._con.unregister("measured")

    def scores(self) -> tuple[ServiceScore, ...]:
        """By channel, what is promised and standard, the shortest first; what is promised to nobody comes last."""
        return tuple(ServiceScore(*row) for row in self._con.sql(_SCORES).fetchall())


_TABLE = (
    "CREATE TEMP TABLE kept (system VARCHAR, channel VARCHAR, field VARCHAR, standard VARCHAR, s BIGINT, late BOOL)"
)

_ADD = """
INSERT INTO kept SELECT system, coalesce(channel, ''), field, standard, took_s, late
FROM measured WHERE took_s IS NOT NULL OR late
"""

_SCORES = """
SELECT * FROM (
    SELECT system, channel, field, standard, count(*) AS tickets,
           CASE WHEN standard IS NOT NULL THEN count(*) FILTER (NOT late) END AS within, quantile_disc(s, 0.5) AS middle
    FROM kept GROUP BY system, channel, field, standard)
ORDER BY system, channel = '', channel, field, standard IS NULL, standard::DOUBLE
"""

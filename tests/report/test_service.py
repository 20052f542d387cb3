"""Service standards in figures: each counted by hand beside what the report says."""

from __future__ import annotations

import pyarrow as pa

from omnihub.report import Served, ServiceScore
from omnihub.report.service import MEASURED

HOUR = 3600


def ticket(took_s: int | None, late: bool | None = False, **more: str | None) -> dict[str, object]:
    told = {"ref": "desk/tickets/1", "system": "desk", "field": "answered_at", "channel": "email", "standard": "8"}
    return told | {"took_s": took_s, "late": late} | more


def scored(*slices: list[dict[str, object]]) -> tuple[ServiceScore, ...]:
    with Served() as served:
        for some in slices:
            served.add(pa.Table.from_pylist(some, schema=MEASURED))
        return served.scores()


def test_a_channel_has_its_share_within_the_standard_and_the_time_in_the_middle() -> None:
    [one] = scored([ticket(2 * HOUR), ticket(8 * HOUR)], [ticket(31 * HOUR, True)])
    assert (one.tickets, one.within, one.share, one.median_s) == (3, 2, 2 / 3, 8 * HOUR)


def test_what_is_overdue_counts_and_what_is_not_due_yet_does_not() -> None:
    [one] = scored([ticket(2 * HOUR), ticket(None, True), ticket(None, False)])
    assert (one.tickets, one.within, one.median_s) == (2, 1, 2 * HOUR)


def test_each_standard_a_channel_had_is_counted_by_itself_and_one_without_is_not_judged() -> None:
    found = scored(
        [
            ticket(HOUR, standard="24"),
            ticket(HOUR),
            ticket(9 * HOUR, None, channel="chat", standard=None),
            ticket(HOUR, None, channel=None, standard=None),
            ticket(HOUR, field="solved_at", standard="48"),
        ]
    )
    assert [(one.channel, one.field, one.standard, one.within) for one in found] == [
        ("chat", "answered_at", None, None),
        ("email", "answered_at", "8", 1),
        ("email", "answered_at", "24", 1),
        ("email", "solved_at", "48", 1),
        ("", "answered_at", None, None),
    ]
    assert found[0].share is None

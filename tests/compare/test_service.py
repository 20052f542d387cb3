"""Answers and solutions beside the standards of the master: in time, late, not yet due, and what nobody can know."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from omnihub.compare import service
from omnihub.sandbox.world import World
from omnihub.sandbox.world.held import Held

NOW = "2026-11-21T12:00:00Z"
HOME = "Europe/Berlin"
FIELDS = ("answered_at", "solved_at")


def standard(
    channel: str = "email", answer: str | None = "8", solution: str | None = "48", **more: str
) -> dict[str, str]:
    told = {"channel": channel, "first_answer_hours": answer, "solution_hours": solution, **more}
    ref = f"pim/standards/{channel}{more.get('valid_from', '')}"
    return {"ref": ref, "fields": json.dumps({name: value for name, value in told.items() if value is not None})}


def ticket(**fields: str | None) -> dict[str, str]:
    """A ticket by e-mail of the 1st of November at ten, closed and solved an hour later, unless said otherwise."""
    told: dict[str, str | None] = {
        "channel": "email",
        "status": "closed",
        "opened_at": "2026-11-01T10:00:00Z",
        "solved_at": "2026-11-01T11:00:00Z",
    }
    said = {name: value for name, value in (told | fields).items() if value is not None}
    return {"ref": "desk/tickets/1", "system": "desk", "stream": "tickets", "fields": json.dumps(said)}


def judged(
    *tickets: dict[str, str],
    standards: list[dict[str, str]] | None = None,
    now: str = NOW,
    zone: str = HOME,
    held: tuple[str, ...] = FIELDS,
) -> list[dict[str, Any]]:
    """What is measured of these tickets, by e-mail in eight hours and two days unless said otherwise."""
    terms = [standard()] if standards is None else standards
    holding = [{"system": "desk", "stream": "tickets", "field": name} for name in held]
    made = (
        pa.Table.from_pylist(rows, schema=schema)
        for rows, schema in ((list(tickets), service.TICKETS), (terms, service.STANDARDS), (holding, service.HOLDING))
    )
    found: list[dict[str, Any]] = service.measured(*made, now, zone).to_pylist()
    return found


def found(*tickets: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = service.late(
        pa.Table.from_pylist(judged(*tickets, **more), service.MEASURED)
    ).to_pylist()
    return rows


def kinds(*tickets: dict[str, str], **more: Any) -> list[str]:
    return [row["kind"] for row in found(*tickets, **more)]


@pytest.mark.parametrize(
    ("answered", "solved", "late"),
    [
        ("2026-11-01T18:00:00Z", "2026-11-03T10:00:00Z", []),
        ("2026-11-01T18:01:00Z", "2026-11-03T10:00:00Z", ["answer_late"]),
        ("2026-11-01T18:00:00Z", "2026-11-03T10:00:01Z", ["solution_late"]),
        ("2026-11-02T18:00:00Z", "2026-11-13T10:00:00Z", ["answer_late", "solution_late"]),
    ],
)
def test_on_the_limit_is_in_time_and_a_moment_later_is_late(answered: str, solved: str, late: list[str]) -> None:
    assert kinds(ticket(answered_at=answered, solved_at=solved)) == late


def test_a_finding_says_when_it_was_due_and_how_long_it_took() -> None:
    [one] = found(ticket(answered_at="2026-11-02T17:00:00Z", solved_at="2026-11-03T09:00:00Z", contact="desk/users/1"))
    assert (one["field"], one["theirs"], one["expected"]) == (
        "answered_at",
        "2026-11-02T17:00:00Z",
        "2026-11-01T18:00:00Z",
    )
    assert json.loads(one["detail"]) == {
        "channel": "email",
        "standard": "8",
        "due": "2026-11-01T18:00:00Z",
        "took": "31",
        "over": "23",
        "customers": 1,
        "cause": "standard:email",
    }


def test_who_is_a_second_late_is_not_told_that_it_took_just_as_long_as_promised() -> None:
    [one] = found(ticket(answered_at="2026-11-01T11:00:00Z", solved_at="2026-11-03T10:00:01Z"))
    told = json.loads(one["detail"])
    assert (told["took"], told["over"]) == ("48.01", "0.01")


@pytest.mark.parametrize(
    ("now", "late"),
    [
        ("2026-11-01T18:00:00Z", []),
        ("2026-11-01T18:00:01Z", ["answer_late"]),
        ("2026-11-03T10:00:00Z", ["answer_late"]),
        ("2026-11-03T10:00:01Z", ["answer_late", "solution_late"]),
    ],
)
def test_what_is_not_done_is_late_once_its_time_has_run_out(now: str, late: list[str]) -> None:
    assert kinds(ticket(status="open", solved_at=None), now=now) == late


def test_what_is_not_done_is_told_the_same_however_late_it_is() -> None:
    waiting = ticket(status="new", solved_at=None)
    assert found(waiting, now="2026-11-10T00:00:00Z") == found(waiting, now="2026-11-20T00:00:00Z")
    assert found(waiting)[0]["theirs"] is None


def test_who_solves_without_a_word_has_answered_then() -> None:
    assert kinds(ticket(solved_at="2026-11-01T17:00:00Z")) == []
    assert kinds(ticket(solved_at="2026-11-01T19:00:00Z")) == ["answer_late"]


def test_of_a_closed_ticket_that_does_not_say_when_it_was_solved_nothing_is_known() -> None:
    assert judged(ticket(solved_at=None)) == []
    assert judged(ticket(solved_at=None, status="somewhere")) == []
    assert [row["field"] for row in judged(ticket(solved_at=None, answered_at="2026-11-01T11:00:00Z"))] == [
        "answered_at"
    ]


def test_a_system_that_does_not_say_when_it_answers_is_not_judged_by_that() -> None:
    late = ticket(solved_at="2026-11-09T10:00:00Z")
    assert kinds(late, held=("solved_at",)) == ["solution_late"]
    assert kinds(late, held=()) == []


def test_a_channel_without_a_standard_is_measured_and_not_judged() -> None:
    rows = judged(ticket(channel="chat", solved_at="2026-11-09T10:00:00Z"))
    assert [(row["standard"], row["late"], row["took_s"]) for row in rows] == [(None, None, 8 * 86400)] * 2
    assert kinds(ticket(channel=None, solved_at="2026-11-09T10:00:00Z")) == []
    half = [standard(answer=None)]
    assert kinds(ticket(solved_at="2026-11-09T10:00:00Z"), standards=half) == ["solution_late"]


def test_the_standard_of_the_day_a_ticket_was_opened_counts() -> None:
    terms = [standard(answer="24", valid_from="2026-01-01"), standard(answer="4", valid_from="2026-11-02")]
    after_six = {"solved_at": None, "answered_at": "2026-11-01T16:00:00Z", "status": "open"}
    assert kinds(ticket(**after_six), standards=terms, now="2026-11-01T17:00:00Z") == []
    next_day = {"opened_at": "2026-11-02T10:00:00Z", "answered_at": "2026-11-02T16:00:00Z"}
    assert kinds(ticket(**next_day, solved_at="2026-11-02T17:00:00Z"), standards=terms) == ["answer_late"]
    before = ticket(opened_at="2025-12-31T10:00:00Z", solved_at="2026-01-09T10:00:00Z")
    assert kinds(before, standards=terms) == [], "none was in force yet"


def test_the_day_is_the_masters_own() -> None:
    terms = [standard(answer="24", valid_from="2026-01-01"), standard(answer="4", valid_from="2026-11-02")]
    times = {"opened_at": "2026-11-01T23:30:00Z", "solved_at": "2026-11-02T05:30:00Z"}  # half past midnight in Berlin
    assert kinds(ticket(**times), standards=terms) == ["answer_late"]
    assert kinds(ticket(**times), standards=terms, zone="UTC") == []


def test_a_standard_may_be_part_of_an_hour_and_its_channel_written_in_capitals() -> None:
    terms = [standard("Email", answer="0.5", solution="1.25")]
    assert kinds(ticket(solved_at="2026-11-01T10:30:00Z"), standards=terms) == []
    one, other = found(ticket(solved_at="2026-11-01T11:15:01Z"), standards=terms)
    assert (json.loads(one["detail"])["standard"], json.loads(other["detail"])["standard"]) == ("0.5", "1.25")


def test_a_time_or_a_figure_nobody_can_read_is_not_judged() -> None:
    assert judged(ticket(opened_at=None)) == judged(ticket(opened_at="yesterday")) == []
    assert kinds(ticket(solved_at="2026-11-09T10:00:00Z"), standards=[standard(answer="soon", solution="")]) == []


def test_between_two_looks_those_come_due_that_were_opened_a_limit_earlier() -> None:
    terms = pa.Table.from_pylist([standard(), standard("phone", answer="8", solution=None)], service.STANDARDS)
    spans = [*service.coming_due(terms, "2026-11-03T10:00:00Z", "2026-11-03T12:00:00Z")]
    assert spans == [
        ("2026-11-03T01:59:59Z", "2026-11-03T04:00:01Z"),
        ("2026-11-01T09:59:59Z", "2026-11-01T12:00:01Z"),
    ]


# -- against the truth of the sandbox ---------------------------------------------------------------------------------

WHEN = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize("seed", [3, 17, 2026])
def test_all_that_is_late_in_a_world_is_found_and_nothing_else(seed: int) -> None:
    world = World(2_000, seed, WHEN)
    tickets = list(world.trade.tickets())
    said = [ticket_of(x) for x in tickets]
    terms = [
        {"ref": f"pim/standards/{x.n}", "fields": json.dumps(x.fields)}
        for x in world.trade.service.master()
        if x.stream == "standards"
    ]
    planted = {(w.kind, f"desk/tickets/{x.n}") for x in tickets for w in x.wrong if w.kind in service.KINDS}
    rows = found(*said, standards=terms, now=WHEN.isoformat())
    assert {(row["kind"], row["ref"]) for row in rows} == planted
    late = Counter(kind for kind, _ in planted)
    assert all(0.03 < late[kind] / len(said) < 0.3 for kind in service.KINDS)
    measure = judged(*said, standards=terms, now=WHEN.isoformat())
    on_the_limit = [row for row in measure if row["standard"] and row["took_s"] == int(row["standard"]) * 3600]
    assert len(on_the_limit) > 20
    assert not any(row["late"] for row in on_the_limit)
    changed = world.trade.service.changed.isoformat()
    around = [row for row in measure if row["ref"] and row["took_s"] == 12 * 3600 and row["channel"] == "email"]
    at_midnight = {row["late"] for row in around if abs(_days(row["opened_at"], changed)) <= 1}
    assert at_midnight == {True, False}, "the standard changed between them"


def ticket_of(x: Held) -> dict[str, str]:
    told = {name: str(value) for name, value in x.fields.items()}
    return {"ref": f"desk/tickets/{x.n}", "system": "desk", "stream": "tickets", "fields": json.dumps(told)}


def _days(at: str, day: str) -> int:
    return (datetime.fromisoformat(at).date() - datetime.fromisoformat(day).date()).days

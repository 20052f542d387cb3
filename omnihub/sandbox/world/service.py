"""Service: who sees to each channel, what the master promises for it, and how soon tickets were answered and solved.

Chat is promised nothing: nobody can be late there. What was promised by e-mail and on the web changed on a day some
two hundred days ago, at midnight where the company is; some tickets by e-mail were opened just before and just after.
Of those that were answered or solved, some took exactly as long as was promised, some a minute or a second longer, and
every ninth much longer. Of those still worked on, none comes due within a day of `now`: what is late stays the same
while somebody looks. One that is not due yet may become late later, and the truth says so (`not_due_yet`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, HOME, HOUR, Clock, Held, Wrong

_TIMES, _FILED = 551, 552

NOT_DUE_YET = "not_due_yet"  # no kind of finding: it may become one while time goes by

OWNERS = {
    "crm": ("Sales office", "Sales"),
    "marketing": ("Campaigns", "Marketing"),
    "shop": ("Web shop", "E-commerce"),
    "ticketing": ("Service desk", "Customer service"),
    "iot": ("Machines in the field", "Field service"),
    "portal": ("Customer portal", "Online services"),
    "master": ("Product data", "Product management"),
}
"""role → what its channel is called, and who sees to it."""

CHANGED_AGO = 200 * DAY
FIRST_DAY = "2015-01-01"
MINUTE = 60
JUST_NOW = HOUR // 2  # nothing happened later than that
AHEAD = 26 * HOUR  # nothing comes due within that: a world may be of this morning


class Terms(NamedTuple):
    """What a channel is promised, in hours, from a day on."""

    channel: str
    answer: int
    solution: int
    from_: date


class Service:
    """Standards, and tickets held against them."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self.seed, self.clock = seed, clock
        self.changed = self._home_day(CHANGED_AGO)
        first = date.fromisoformat(FIRST_DAY)
        self.terms = (
            Terms("email", 24, 120, first),
            Terms("email", 8, 72, self.changed),
            Terms("web", 24, 120, first),
            Terms("web", 12, 96, self.changed),
            Terms("phone", 2, 48, first),
        )

    def _home_day(self, ago_s: int) -> date:
        return (self.clock.now - timedelta(seconds=ago_s)).replace(tzinfo=UTC).astimezone(HOME).date()

    def _changed_ago_s(self) -> int:
        """How long ago the day began on which the standards changed."""
        midnight = datetime(self.changed.year, self.changed.month, self.changed.day, tzinfo=HOME)
        return int((self.clock.now.replace(tzinfo=UTC) - midnight).total_seconds())

    # -- the master -------------------------------------------------------------------------------------------------

    def master(self) -> Iterator[Held]:
        """Channels, then standards."""
        for n, (role, (name, owner)) in enumerate(OWNERS.items(), 1):
            yield Held("master", "channels", n, {"name": name, "system": role, "owner": owner}, self._filed(n))
        for n, terms in enumerate(self.terms, 1):
            fields = {
                "channel": terms.channel,
                "first_answer_hours": str(terms.answer),
                "solution_hours": str(terms.solution),
                "valid_from": terms.from_.isoformat(),
            }
            yield Held("master", "standards", n, fields, self._filed(-n))

    def _filed(self, n: int) -> int:
        return DAY + Dice(self.seed, _FILED, n).below(300 * DAY)

    # -- tickets ----------------------------------------------------------------------------------------------------

    def promised(self, channel: str, ago_s: int) -> Terms | None:
        """What somebody who wrote so long ago was promised."""
        day = self._home_day(ago_s)
        return max((x for x in self.terms if x.channel == channel and x.from_ <= day), key=_begin, default=None)

    def opened(self, n: int, ago_s: int, channel: str) -> tuple[int, str]:
        """How long ago ticket n was opened, and in which channel: some just before or after the standards changed."""
        if n % 37 == 3:
            return self._changed_ago_s() + (HOUR if n % 2 else -HOUR), "email"
        return ago_s, channel

    def status(self, n: int, ago_s: int, channel: str, status: str) -> str:
        """Whether ticket n is still worked on: seldom when it is overdue, and never where it comes due about now."""
        terms = self.promised(channel, ago_s)
        if terms is None or status in ("solved", "closed"):
            return status
        done, _, _ = self.times(n, ago_s, channel, status)
        hours = {"answered_at": terms.answer, "solved_at": terms.solution}
        left = [within * HOUR - ago_s for name, within in hours.items() if name not in done]
        overdue = min(left) < 0 and not Dice(self.seed, _TIMES, -n).chance(0.3)
        return "solved" if overdue or any(-HOUR < s < AHEAD for s in left) else status

    def times(self, n: int, ago_s: int, channel: str, status: str) -> tuple[dict[str, Any], int, list[Wrong]]:
        """When ticket n was answered and solved, how long ago that last happened, and what is late of it."""
        terms = self.promised(channel, ago_s) or Terms(channel, 24, 120, self.changed)
        answer_s, solution_s = self._took(n, terms)
        done = status in ("solved", "closed")
        if n % 37 == 3:  # twelve hours: in time by the old standard, late by the new one
            answer_s, solution_s = 12 * HOUR, max(solution_s, 12 * HOUR)
        most = ago_s - JUST_NOW
        if done:
            solution_s = min(solution_s, most)
            answer_s = min(answer_s, solution_s // MINUTE * MINUTE)
        answered = done or (status != "new" and answer_s <= most)
        took = {"answered_at": answer_s if answered else None, "solved_at": solution_s if done else None}
        fields = {name: self.clock.time(ago_s - s) for name, s in took.items() if s is not None}
        last = min(ago_s - s for s in (*took.values(), 0) if s is not None)
        return fields, last, self.wrong(ago_s, channel, took)

    def _took(self, n: int, terms: Terms) -> tuple[int, int]:
        """Seconds to the answer, in whole minutes, and to the solution."""
        dice = Dice(self.seed, _TIMES, n)
        answer, solution = terms.answer * HOUR, terms.solution * HOUR
        answer_s = (1 + dice.below(terms.answer * 60)) * MINUTE
        solution_s = max(answer_s, dice.below(solution))
        if n % 9 == 4:
            answer_s = answer + (1 + dice.below(terms.answer * 180)) * MINUTE
        if n % 9 == 7:
            solution_s = solution + 1 + dice.below(2 * solution)
        if n % 23 == 5:
            answer_s = answer + (n % 2) * MINUTE
        if n % 23 == 11:
            solution_s = solution + n % 2
        return answer_s, max(answer_s, solution_s)

    def wrong(self, ago_s: int, channel: str, took: Mapping[str, int | None]) -> list[Wrong]:
        """What is late of a ticket, or not due yet. took: seconds to its answer and its solution, None for not yet."""
        terms = self.promised(channel, ago_s)
        if terms is None:
            return []
        found = []
        for field, kind, hours in (
            ("answered_at", "answer_late", terms.answer),
            ("solved_at", "solution_late", terms.solution),
        ):
            s = took[field]
            if (ago_s if s is None else s) > hours * HOUR:
                found.append(Wrong(field, kind, f"promised within {hours} h"))
            elif s is None:
                found.append(Wrong(field, NOT_DUE_YET, f"promised within {hours} h"))
        return found


def _begin(terms: Terms) -> date:
    return terms.from_

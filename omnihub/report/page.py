"""The report as one HTML file that needs nothing else: no script, no font, no picture from outside."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from omnihub.report import grouping
from omnihub.report.charts import drawn
from omnihub.report.facts import Facts, FieldScore, PhaseScore, RunFacts, Score, SystemFacts, Task
from omnihub.report.phases import PHASES
from omnihub.report.score import DEFINITION
from omnihub.report.sheets import cut, money
from omnihub.report.wording import PROMISES, count, in_words

MAX_SHOWN = 160  # characters of a value on the page; the CSV has more
MAX_REASON = 300  # of why a step broke off
WEAKEST = 12  # fields shown: those that agree least
PATHS = 12  # unmapped fields named per stream
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Signs nobody sees, and some that turn the text around them: no value may rearrange the page."""


def render(facts: Facts) -> str:
    """The page."""
    names = {s.name: s.title for s in facts.systems}
    page = environment().get_template("index.html")
    trend = drawn(facts.trend)
    return page.render(
        facts=facts,
        headline=headline(facts),
        sentence=sentence(facts),
        names=names,
        ranked=ranked(facts.systems),
        bars=[_Bar(s.title, _of(facts.scores, s.name)) for s in facts.systems if _of(facts.scores, s.name)],
        weakest=weakest(facts),
        paths=PATHS,
        trend=trend,
        sparks={line.name: line for line in trend.systems} if trend else {},
        phases=PHASES,
        promises=PROMISES,
        journey=_Journey(facts),
        definition=DEFINITION,
    )


def environment() -> Environment:
    """Templates that escape whatever they are given."""
    made = Environment(
        loader=PackageLoader("omnihub.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        f.__name__: f for f in (number, count, touched, percent, change, amount, hours, day, moment, value)
    } | {"words": in_words}
    return made


# -- sentences -----------------------------------------------------------------------------------------------------


def headline(facts: Facts) -> str:
    """What matters most, in one line."""
    if facts.run is None and not facts.records:
        return "Nothing has been read yet"
    if not facts.for_people:
        return "Nothing for anybody to fix today"
    urgent = f", {number(facts.urgent)} of them urgent" if facts.urgent else ""
    where = f" in {_title(facts, facts.only)}" if facts.only else ""
    return f"{count(facts.for_people, 'new thing' if facts.since else 'thing')} to fix{where}{urgent}"


def sentence(facts: Facts) -> str:
    """The run: when, how many systems were read, what was written, whether it balances."""
    run = facts.run
    if run is None:
        return "The hub has not run yet. The first sync reads all systems and fills this page."
    parts = [f"The run of {moment(run.started_at)} {_read(run)}, {_wrote(run)}"]
    failed = ", ".join(_title(facts, name) for name in run.systems_failed)
    if failed:
        parts.append(f"{failed} could not be read completely; what was known of it before still stands")
    parts += [f"It broke off at {step}: {_short(why)}" for step, why in run.stopped if not _by_guard(run, step)]
    parts.append(_balance(run))
    return ". ".join(parts) + "."


def _by_guard(run: RunFacts, step: str) -> bool:
    """A push that the guard has stopped: that is said once, and the limits stand with the plan."""
    return run.blocked and step.startswith("push")


def _short(why: str) -> str:
    return (cut(why, len(why), MAX_REASON) or "").rstrip(".")


def _read(run: RunFacts) -> str:
    total = len(run.systems_read) + len(run.systems_failed)
    if not total:
        return "read no system"
    which = count(total, "system") if not run.systems_failed else f"{len(run.systems_read)} of {count(total, 'system')}"
    return f"read {which} ({count(run.read, 'record')}, {number(run.new + run.changed)} of them new or changed)"


def _wrote(run: RunFacts) -> str:
    if run.blocked:
        return "and stopped before writing, because its plan passes a limit and waits for an approval"
    if run.would_write:
        return f"and wrote nothing, as a dry run; it would write {count(run.would_write, 'correction')}"
    if not run.planned:
        return "and had nothing to write"
    rest = [
        f"{number(n)} {word}"
        for n, word in (
            (run.refused, "refused"),
            (run.deferred, "put off"),
            (run.drifted, "changed meanwhile"),
            (run.left, "left"),
        )
        if n
    ]
    return f"and wrote {number(run.written)} of {count(run.planned, 'planned correction')}" + (
        f" ({', '.join(rest)})" if rest else ""
    )


def _balance(run: RunFacts) -> str:
    if run.balanced:
        return "The numbers balance: every record read and every change planned is accounted for"
    if run.left and run.planned == run.written + run.refused + run.deferred + run.drifted + run.left:
        return f"{count(run.left, 'planned correction')} not carried out yet: the next run goes on with what is left"
    return "The numbers do not balance: do not rely on this run, and tell whoever looks after the hub"


def _title(facts: Facts, name: str) -> str:
    return next((s.title for s in facts.systems if s.name == name), name)


# -- order ---------------------------------------------------------------------------------------------------------


def ranked(systems: Iterable[SystemFacts]) -> list[SystemFacts]:
    """Who has most to do comes first."""
    return sorted(systems, key=lambda s: (-s.urgent, -s.for_people, s.title))


def weakest(facts: Facts) -> list[FieldScore]:
    """The fields that agree least, of the systems that are no master."""
    masters = {s.name for s in facts.systems if s.master}
    differing = [f for f in facts.fields if f.system not in masters and f.equal < f.comparable]
    return sorted(
        differing, key=lambda f: (f.equal / f.comparable, f.equal - f.comparable, f.system, f.entity, f.field)
    )[:WEAKEST]


def _of(scores: Iterable[Score], system: str) -> list[Score]:
    return [s for s in scores if s.system == system and s.golden]


class _Journey:
    """The phases of each system, as a table has them: "" is all systems that are no master."""

    def __init__(self, facts: Facts) -> None:
        self._scores = {(p.system, p.phase): p for p in facts.phases}
        self.phases = [phase for phase in PHASES if any(p.phase == phase for p in facts.phases)]
        self.systems = list(dict.fromkeys(p.system for p in facts.phases))

    def of(self, system: str, phase: str) -> PhaseScore | None:
        """None where the system has no such cells."""
        return self._scores.get((system, phase))


class _Bar:
    """One system's cells as shares of a whole: equal, corrected, different, filled, empty."""

    def __init__(self, name: str, scores: list[Score]) -> None:
        self.title = name
        self.golden = sum(s.golden for s in scores)
        comparable, equal = sum(s.comparable for s in scores), sum(s.equal for s in scores)
        corrected, filled = sum(s.corrected for s in scores), sum(s.filled for s in scores)
        self.consistency = equal / comparable if comparable else None
        self.coverage = comparable / self.golden
        self.parts = (
            ("equal", "the same as the golden record", equal),
            ("corrected", "corrected, not read back yet", corrected + filled),
            ("differs", "different", comparable - equal - corrected),
            ("empty", "empty here", self.golden - comparable - filled),
        )


# -- words ---------------------------------------------------------------------------------------------------------


def number(n: int) -> str:
    """1,234"""
    return f"{n:,}"


def touched(task: Task) -> str:
    """How many customers a task is about."""
    return grouping.touched(task.customers, task.count)


def percent(share: float | None) -> str:
    """One digit after the point, cut and not rounded: 100 % is said only of what is whole."""
    if share is None:
        return "–"
    thousandths = int(share * 1000 + 1e-9)
    return "100 %" if share == 1 else f"{thousandths / 10:.1f} %"


def change(share: float | None) -> str:
    """In points of a percentage: +0.4, −1.2, ±0"""
    if share is None:
        return ""
    points = round(share * 100, 1)
    return f"+{points}" if points > 0 else f"−{-points}" if points < 0 else "±0"


def amount(cents: int, currency: str) -> str:
    """1,234.50 EUR"""
    return f"{money(cents):,} {currency}".strip()


def hours(seconds: int | None) -> str:
    """45 min, 3.5 h, 31 h"""
    if seconds is None:
        return "–"
    return f"{seconds // 60} min" if seconds < 3600 else f"{f'{seconds / 3600:.1f}'.removesuffix('.0')} h"


def moment(iso: str) -> str:
    """21 November 2026, 23:12 UTC"""
    at = _parsed(iso)
    return f"{at.day} {at:%B %Y, %H:%M} UTC" if at else iso


def day(iso: str) -> str:
    """21 Nov 2026"""
    at = _parsed(iso)
    return f"{at.day} {at:%b %Y}" if at else iso


def _parsed(iso: str) -> datetime | None:
    try:
        return datetime.fromisoformat(iso)
    except ValueError:
        return None


def value(text: str | None, length: int = 0) -> Markup:
    """A customer's value: cut where it is long, its invisible signs made visible, its direction kept to itself."""
    if text is None or text == "":
        return Markup('<span class="none">nothing</span>')
    shown = cut(text, max(length, len(text)), MAX_SHOWN) or ""
    return Markup("<bdi>{}</bdi>").format(escape(CONTROL.sub("�", shown)))

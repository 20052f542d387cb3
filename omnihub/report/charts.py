"""Charts as places on a canvas: the templates draw them as SVG, so a page needs no script and prints as it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omnihub.report.facts import Point

WIDE, HIGH = 620.0, 150.0  # of the plot, in units of its view box
SMALL_WIDE, SMALL_HIGH = 150.0, 34.0
FLOOR = 0.02  # of the scale at least: a thousandth of change is not drawn as a cliff


@dataclass(frozen=True)
class Line:
    """One share over runs. path: of an SVG; a run without a value is a gap. dots: each value's place, run and share."""

    name: str
    path: str
    dots: tuple[tuple[float, float, str, float], ...]
    first: float | None
    last: float | None

    @property
    def change(self) -> float | None:
        """From the first value to the last; None where there are not two."""
        return None if self.first is None or self.last is None or len(self.dots) < 2 else self.last - self.first


@dataclass(frozen=True)
class Trend:
    """Consistency and coverage over runs, on one scale each."""

    consistency: Line
    coverage: Line
    low: float  # the share at the bottom of the plot; the top is `high`
    high: float
    systems: tuple[Line, ...]
    phases: tuple[Line, ...]
    first_at: str
    last_at: str


def drawn(points: Sequence[Point]) -> Trend | None:
    """The picture of a trend; None where there are not two runs to compare."""
    if len(points) < 2:
        return None
    shares = [s for p in points for s in (p.consistency, p.coverage) if s is not None]
    low, high = _scale(shares)
    at = [p.at for p in points]

    def line(name: str, values: Sequence[float | None]) -> Line:
        return _line(name, values, at, low, high, WIDE, HIGH)

    return Trend(
        consistency=line("consistency", [p.consistency for p in points]),
        coverage=line("coverage", [p.coverage for p in points]),
        low=low,
        high=high,
        systems=_small([dict(p.systems) for p in points], at),
        phases=_small([dict(p.phases) for p in points], at),
        first_at=at[0],
        last_at=at[-1],
    )


def _small(values: Sequence[dict[str, float | None]], at: Sequence[str]) -> tuple[Line, ...]:
    """One line for each name, each on a scale of its own."""
    found = []
    for name in dict.fromkeys(name for one in values for name in one):
        mine = [one.get(name) for one in values]
        low, high = _scale([s for s in mine if s is not None])
        found.append(_line(name, mine, at, low, high, SMALL_WIDE, SMALL_HIGH))
    return tuple(found)


def _scale(shares: Sequence[float]) -> tuple[float, float]:
    """The least and the most, with a little room, within 0 … 1."""
    if not shares:
        return 0.0, 1.0
    room = max(FLOOR, (max(shares) - min(shares)) * 0.15)
    return max(0.0, min(shares) - room), min(1.0, max(shares) + room / 2)


def _line(
    name: str, values: Sequence[float | None], at: Sequence[str], low: float, high: float, wide: float, high_px: float
) -> Line:
    step = wide / max(1, len(values) - 1)
    dots, path, gap = [], [], True
    for n, value in enumerate(values):
        if value is None:
            gap = True
            continue
        x, y = round(n * step, 2), round(high_px * (high - value) / (high - low), 2)
        path.append(f"{'M' if gap else 'L'}{x} {y}")
        dots.append((x, y, at[n], value))
        gap = False
    known = [v for v in values if v is not None]
    return Line(name, " ".join(path), tuple(dots), known[0] if known else None, known[-1] if known else None)

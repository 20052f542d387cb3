"""How the scorecard went from run to run, and how it is drawn."""

from __future__ import annotations

from omnihub.report import FieldScore, Scored, Stake, trend
from omnihub.report.charts import HIGH, WIDE, drawn


def run(name: str, equal: int, *more: FieldScore, cents: int = 0) -> Scored:
    mine = FieldScore("shop", "product", "price", 20, 10, equal, 0, 0, "purchase")
    stakes = (Stake("shop", "product", "EUR", 1, cents),) if cents else ()
    return Scored(name, f"2026-05-0{name[-1]}T06:00:00Z", (mine, *more), stakes)


MASTER = FieldScore("erp", "product", "name", 100, 100, 100, 0, 0, "pre-purchase")
CRM = FieldScore("crm", "contact", "email", 10, 10, 10, 0, 0, "customer")


def test_a_point_is_the_sum_of_its_run_without_the_masters() -> None:
    [point] = trend([run("run-1", 8, MASTER, CRM, cents=1250)], {"erp"})
    assert (point.comparable, point.equal) == (20, 18)
    assert point.consistency == 18 / 20
    assert point.coverage == 20 / 30
    assert point.systems == (("crm", 1.0), ("shop", 8 / 10))
    assert point.phases == (("customer", 1.0), ("purchase", 8 / 10))
    assert point.at_risk == (("EUR", 1250),)


def test_one_run_is_no_trend() -> None:
    assert drawn(trend([run("run-1", 8)], set())) is None


def test_a_line_goes_from_the_first_run_to_the_last_and_rises_with_the_share() -> None:
    picture = drawn(trend([run("run-1", 5), run("run-2", 9)], set()))
    assert picture is not None
    (x0, y0, _, a), (x1, y1, _, b) = picture.consistency.dots
    assert (x0, x1, a, b) == (0, WIDE, 0.5, 0.9)
    assert HIGH >= y0 > y1 >= 0
    assert picture.consistency.change == 0.9 - 0.5
    assert picture.coverage.change == 0


def test_a_run_in_which_nothing_could_be_compared_is_a_gap() -> None:
    none = Scored("run-2", "2026-05-02T06:00:00Z", ())
    picture = drawn(trend([run("run-1", 5), none, run("run-3", 6)], set()))
    assert picture is not None
    assert picture.consistency.path.count("M") == 2
    assert len(picture.consistency.dots) == 2

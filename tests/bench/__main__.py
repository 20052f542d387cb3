"""`make bench`: how fast each step is, beside its floor; ratios taken in one run, on the machine it runs on.

    make bench                                     landing, and the whole loop with 2,000 customers
    make bench ARGS="--customers 20000 --write"    the big one, its table put into README.md
    make bench ARGS="--only reading"               or --only landing, --only writing, --only loop, --only matching
    make bench ARGS="--only clustering"            clusters of a million records, beside Splink's own
    make bench ARGS="--only identity"              a change among a million records; --folder F keeps the million in F
    make bench ARGS="--only rematch"               a million contacts matched anew, beside bare Splink
    make bench ARGS="--only prices"                a million order lines against the master's lists, and a change

    __main__   the table                     landing   land beside `requests` + envelope parse + batch insert
    measure    children, CPU, memory         writing   a stored plan applied, beside the limit and `requests` + threads
    pages      a server of prebuilt pages    loop      every step over the generated world
    matching   who is who on others' data, ours beside Splink's default
    clustering  ours beside Splink's, on the same pairs
    customers  a hub full of customers       identity  match, merge and compare of what changed, at two bases
    rematch    everybody anew, ours beside bare Splink with the same model
    prices     every price in its context, all at once and what changed

Whatever is measured runs in a process of its own, so that its memory is its own; whatever answers it, in another.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import clustering, identity, landing, loop, matching, pages, prices, reading, rematch, writing
from tests.bench.measure import Measured

README = Path(__file__).parents[2] / "README.md"
BETWEEN = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write down where asked to."""
    if arguments and arguments[0] in CHILDREN:
        CHILDREN[arguments[0]](*arguments[1:])
        return
    wish = _wish(arguments)
    parts = []
    with tempfile.TemporaryDirectory(prefix="omnihub-bench-", dir=wish.folder) as folder:
        if wish.only in (None, "reading"):
            parts.append(reading_table(reading.run(Path(folder), wish.records)))
        if wish.only in (None, "landing"):
            parts.append(landing_table(landing.run(Path(folder), wish.records)))
        if wish.only in (None, "writing"):
            parts.append(writing_table(writing.run(Path(folder), wish.changes)))
        if wish.only in (None, "loop"):
            parts.append(loop_table(loop.run(Path(folder), wish.customers, wish.seed), wish.customers))
        if wish.only == "matching" or (wish.only is None and matching.TRUTH.is_dir()):
            parts.append(matching_table(matching.run()))
        if wish.only == "clustering":
            parts.append(clustering_table(clustering.run(Path(folder), wish.base)))
        if wish.only == "identity":  # takes many minutes, and gigabytes
            parts.append(identity_table(identity.run(Path(wish.folder or folder), wish.base)))
        if wish.only == "rematch":
            parts.append(rematch_table(rematch.run(Path(folder), wish.base)))
        if wish.only == "prices":
            parts.append(prices_table(prices.run(Path(folder), wish.base)))
    found = "\n".join(parts)
    print(found)  # noqa: T201
    if wish.write:
        README.write_text(written_into(README.read_text(), found))


def _wish(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="How fast each step is, beside its floor.")
    parser.add_argument("--customers", type=int, default=2_000, help="the size of the generated world")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--records", type=int, default=50_000, help="landed beside the floor; memory also at four times this"
    )
    parser.add_argument("--changes", type=int, default=20_000, help="pushed beside the limit")
    parser.add_argument("--base", type=int, default=1_000_000, help="records in the hub of which a few change")
    parts = ("reading", "landing", "writing", "loop", "matching", "clustering", "identity", "rematch", "prices")
    parser.add_argument("--only", choices=parts)
    parser.add_argument("--folder", help="where the databases lie meanwhile")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    return parser.parse_args(arguments)


CHILDREN: dict[str, Callable[..., None]] = {
    "match": matching.child,
    "serve-pages": lambda count: pages.serve(int(count)),
    "floor": landing.floor,
    "land": landing.hub,
    "read-floor": reading.floor,
    "read-ours": reading.ours,
    "read-dlt": reading.peer,
    "serve-things": lambda count: writing.serve(int(count)),
    "push-floor": writing.floor,
    "push-ours": writing.ours,
    "push-otherwise": writing.otherwise,
    "push-bad-rows": writing.bad_rows,
    "serve-world": lambda home, customers, seed: loop.serve(Path(home), int(customers), int(seed)),
    "cluster-splink": clustering.splink,
    "cluster-ours": clustering.ours,
    "cluster-numbers": clustering.numbers,
    "rematch-fill": rematch.fill,
    "rematch-splink": rematch.splink,
    "rematch-ours": rematch.ours,
    "prices-fill": prices.fill,
    "prices-judge": prices.judge,
    "prices-base": prices.base,
    "prices-change": prices.change,
    "identity-fill": identity.fill,
    "identity-change": identity.change,
    "loop": lambda home, customers: loop.steps(Path(home), int(customers)),
}


# -- tables ----------------------------------------------------------------------------------------------------------


def reading_table(found: Sequence[Measured]) -> str:
    """Each way to pull, and how many times the floor's and our CPU it takes."""
    cpu_s = {m.name: m.cpu_s / m.records for m in found}
    rows = [
        (
            m.name,
            _number(m.records),
            _number(m.per_s),
            f"{cpu_s[m.name] * 100_000:.1f}",
            _times(cpu_s[m.name], cpu_s[reading.FLOOR]),
            _times(cpu_s[m.name], cpu_s[reading.OURS]),
            f"{m.peak_mb:.0f} MB",
        )
        for m in found
    ]
    head = ("reading", "records", "records/s", "CPU s per 100,000", "of the floor's CPU", "of ours", "peak memory")
    return table(head, rows) + reading.missing(found)


def landing_table(found: Sequence[Measured]) -> str:
    """Each way to land, and how many times the floor's CPU and time it takes."""
    floor = {m.records: m for m in found if m.name == landing.FLOOR}
    rows = [
        (
            m.name,
            _number(m.records),
            _number(m.per_s),
            f"{m.cpu_s / m.records * 100_000:.1f}",
            _times(m.cpu_s, floor[m.records].cpu_s),
            _times(m.seconds, floor[m.records].seconds),
            f"{m.peak_mb:.0f} MB",
        )
        for m in found
    ]
    head = ("landing", "records", "records/s", "CPU s per 100,000", "of the floor's CPU", "of its time", "peak memory")
    return table(head, rows)


def writing_table(found: Sequence[writing.Pushed]) -> str:
    """Each way to push, and how near it comes to the limit."""
    rows = [
        (
            p.cost.name,
            f"{p.batch} × {p.in_flight}",
            _number(p.cost.records),
            _number(p.calls),
            _number(p.cost.per_s),
            _number(p.limit_per_s),
            f"{p.cost.per_s / p.limit_per_s:.0%}",
            f"{p.cost.cpu_s / p.cost.records * 1e6:.0f}",
            f"{p.cost.peak_mb:.0f} MB",
        )
        for p in found
    ]
    calls = f"a call × in flight, {writing.LATENCY_S * 1000:.0f} ms"
    head = (
        "pushing",
        calls,
        "changes",
        "calls",
        "changes/s",
        "limit",
        "of the limit",
        "CPU µs a change",
        "peak memory",
    )
    return table(head, rows)


def matching_table(found: Sequence[tuple[matching.Set, matching.Facts, matching.Facts]]) -> str:
    """Each set, ours beside the peer's."""
    return table(matching.HEAD, matching.rows(found))


def loop_table(found: Sequence[Measured], customers: int) -> str:
    """Each step of the loop."""
    rows = [
        (m.name, _number(m.records), f"{m.seconds:.1f}", _number(m.per_s), f"{m.cpu_s:.1f}", f"{m.peak_mb:.0f} MB")
        for m in found
    ]
    whole = sum(m.seconds for m in found)
    cpu_s, peak_mb = sum(m.cpu_s for m in found), max(m.peak_mb for m in found)
    rows.append(("**whole**", "", f"{whole:.1f}", "", f"{cpu_s:.1f}", f"{peak_mb:.0f} MB"))
    head = (f"{_number(customers)} customers", "records", "seconds", "records/s", "CPU s", "peak memory")
    return table(head, rows)


def clustering_table(found: Sequence[clustering.Clustered]) -> str:
    """Each way to cluster: what it cost, and how true it is."""
    rows = [
        (
            c.cost.name,
            _number(c.cost.records),
            f"{c.cost.seconds:.1f}",
            f"{c.cost.cpu_s:.1f}",
            f"{c.cost.peak_mb:.0f} MB",
            f"{c.precision:.3f}",
            f"{c.recall:.3f}",
            f"{c.f1:.3f}",
            _number(c.largest),
            _number(c.queued),
        )
        for c in found
    ]
    head = ("clusters", "records", "seconds", "CPU s", "peak memory", "precision", "recall", "F1", "largest", "queued")
    return table(head, rows)


def identity_table(found: Sequence[Measured]) -> str:
    """Each step over what changed, at each base, and how many times the smallest base's time the others take."""
    told = {tuple(m.name.split(" · ")): m for m in found}
    bases = list(dict.fromkeys(base for _, _, base in told))
    rows = []
    for (step, what, base), m in told.items():
        smallest = told.get((step, what, bases[0]))
        ratio = _times(m.seconds, smallest.seconds) if smallest and base != bases[0] else ""
        rows.append((f"{step}, {what}", base, f"{m.seconds:.2f}", ratio, f"{m.cpu_s:.2f}", f"{m.peak_mb:.0f} MB"))
    return table(("identity", "records", "seconds", f"of those at {bases[0]}", "CPU s", "peak memory"), rows)


def rematch_table(found: Sequence[Measured]) -> str:
    """Both ways, and how many times the first one's time and CPU the other takes."""
    first = found[0]
    rows = [
        (
            m.name,
            _number(m.records),
            f"{m.seconds:.1f}",
            f"{m.cpu_s:.1f}",
            _times(m.seconds, first.seconds),
            _times(m.cpu_s, first.cpu_s),
            f"{m.peak_mb:.0f} MB",
        )
        for m in found
    ]
    head = ("all anew", "records", "seconds", "CPU s", "of Splink's time", "of its CPU", "peak memory")
    return table(head, rows)


def prices_table(found: Sequence[Measured]) -> str:
    """All prices, and those that changed."""
    rows = [
        (m.name, _number(m.records), f"{m.seconds:.1f}", _number(m.per_s), f"{m.cpu_s:.1f}", f"{m.peak_mb:.0f} MB")
        for m in found
    ]
    return table(("prices", "lines", "seconds", "lines/s", "CPU s", "peak memory"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown, aligned so that it also reads well on a screen."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(cells)} |\n"

    rule = [("-" * w if i == 0 else "-" * (w - 1) + ":") for i, w in enumerate(widths)]
    return line(head) + line(rule) + "".join(line(row) for row in rows)


def written_into(text: str, found: str) -> str:
    """The text with what is between the marks replaced."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    fresh = f"`make bench`, Python {sys.version_info.major}.{sys.version_info.minor}, {cores} cores, SQLite.\n\n{found}"
    if not BETWEEN.search(text):
        raise SystemExit("README.md: there is no <!-- bench --> … <!-- /bench --> to write between")
    return BETWEEN.sub(lambda m: f"{m[1]}{fresh}{m[2]}", text)


def _number(n: float) -> str:
    return f"{n:,.0f}"


def _times(this: float, floor: float) -> str:
    return f"{this / floor:.1f}×" if floor else "–"


if __name__ == "__main__":
    main(sys.argv[1:])

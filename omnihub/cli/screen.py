"""What a person sees: tables and words on stdout, bars and remarks on stderr, or one JSON document."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import typer
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

SAY_EVERY_S = 10.0  # without a terminal, progress is a plain line this often
MOST_BARS = 8  # the screen is not to fill with what is done
PIPE_WIDTH = 120  # columns where nobody can say how wide the reader's screen is

GOOD, DOUBTFUL, BAD = "[green]✓[/]", "[yellow]![/]", "[red]✗[/]"

Telling = Callable[[str, int, int | None], None]


def out() -> Console:
    """Where facts go."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def say(remark: str) -> None:
    """A remark beside the facts."""
    Console(stderr=True, highlight=False).print(Text(remark, style="dim"))


def tell(facts: Any, as_json: bool, draw: Callable[[Console], None]) -> None:
    """The facts, as one JSON document or drawn."""
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2, default=str))
    else:
        draw(out())


def heading(console: Console, title: str, beside: str = "") -> None:
    """A line to rest the eye on."""
    console.print()
    console.print(Text.assemble((title, "bold"), ("   " + beside if beside else "", "dim")))


def table(*columns: str, right: tuple[str, ...] = (), fold: tuple[str, ...] = ()) -> Table:
    """A table without walls. right: columns of numbers. fold: columns that may take several lines."""
    drawn = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        drawn.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name not in fold,
            overflow="fold" if name in fold else "ellipsis",
        )
    return drawn


def put(console: Console, drawn: Any) -> None:
    """Set a little in from the left."""
    console.print(Padding(drawn, (0, 0, 0, 2), expand=False))


def number(value: Any) -> str:
    """As people read it; nothing is drawn as a quiet dot."""
    if value in (None, 0):
        return "[dim]·[/]"
    return f"{value:,}" if isinstance(value, int) else str(value)


def seconds(value: float) -> str:
    """To a tenth while it is short."""
    return f"{value:.1f} s" if value < 60 else f"{int(value // 60)} min {int(value % 60):02} s"


def share(value: float) -> str:
    """As a share of one, to a tenth of a percent."""
    return f"{value:.4f}"


@contextmanager
def progress() -> Iterator[Telling]:
    """A function that shows how far some work is: bars in a terminal, now and then a line elsewhere."""
    with _screen() as screen:
        if not screen.isatty():
            yield _lines(screen)
            return
        name = TextColumn("{task.description:<28}")
        columns = (SpinnerColumn(finished_text="[green]✓[/]"), name, BarColumn(24), _Done(), TimeElapsedColumn())
        console = Console(file=screen, width=Console(stderr=True).width)
        with Progress(*columns, console=console, transient=True) as bars:
            yield _bars(bars)


@contextmanager
def _screen() -> Iterator[TextIO]:
    """Where stderr leads to now. Dagster turns it into a file while a step runs; the bars are to stay on the screen."""
    if not _has_fd():
        yield sys.stderr
        return
    with os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace") as same:
        yield same


def _has_fd() -> bool:
    """Whether stderr is the process's own (a test may have put something else in its place)."""
    try:
        return sys.stderr.fileno() == 2
    except (OSError, ValueError):
        return False


class _Done(ProgressColumn):
    """How many, of how many where that is known."""

    def render(self, task: Task) -> Text:
        of = f" of {int(task.total):,}" if task.total is not None else ""
        return Text(f"{int(task.completed):,}{of}".ljust(18), style="dim")


def _bars(bars: Progress) -> Telling:
    known: dict[str, TaskID] = {}  # the one that moved last stands last
    lock = threading.Lock()  # streams are read by several threads

    def told(what: str, done: int, total: int | None) -> None:
        with lock:
            task = known.pop(what) if what in known else bars.add_task(what, total=total)
            known[what] = task
            bars.update(task, completed=done, total=total)
            while len(known) > MOST_BARS:
                bars.remove_task(known.pop(next(iter(known))))

    return told


def _lines(screen: TextIO) -> Telling:
    last = time.monotonic()
    lock = threading.Lock()

    def told(what: str, done: int, total: int | None) -> None:
        nonlocal last
        with lock:
            if time.monotonic() - last < SAY_EVERY_S:
                return
            last = time.monotonic()
        screen.write(f"{what}{f': {done:,}' if done else ' …'}{f' of {total:,}' if total else ''}\n")
        screen.flush()

    return told

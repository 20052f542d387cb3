"""Reset: a new world behind the stand-ins, and its truth beside them.

<home>/sandbox/<system>.db   what each stand-in holds
<home>/sandbox/truth.db      who is who, what is right, what was planted
<home>/sandbox/world.json    which world it is; only there once everything of it is
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from omnihub.sandbox.copies import Guest
from omnihub.sandbox.derived import Derived
from omnihub.sandbox.kit import Standin
from omnihub.sandbox.serving import folder
from omnihub.sandbox.truth import Truth
from omnihub.sandbox.world import Error, Told, Trap, Who, World

SAY_EVERY = 200  # records between two words of progress

Progress = Callable[[str, int, int | None], None]


def reset(
    home: Path, standins: Mapping[str, Standin], customers: int, seed: int, now: datetime, progress: Progress
) -> dict[str, Any]:
    """Empty the stand-ins and fill them from a new world. Returns which world it is, and how many records each has.

    May be done while they are served, also by another process: they read their files anew on every call.
    """
    world = World(customers, seed, now, _guests(standins))
    _card(home).unlink(missing_ok=True)
    records = {}
    for system, standin in standins.items():
        standin.state.clear()
        records[system] = standin.seed(_counted(world.copies(standin.role), f"fill {system}", progress))
        progress(f"fill {system}", records[system], records[system])
    with closing(Truth(truth_file(home))) as truth:
        told = (one for one in world.truths() if _about(one, {standin.role for standin in standins.values()}))
        truth.write(_counted(told, "keep the truth", progress), _refs(standins))
    progress("keep the truth", 1, 1)
    card = {"customers": customers, "seed": seed, "now": now.isoformat(timespec="seconds"), "records": records}
    _card(home).write_text(json.dumps(card, indent=1))
    return card


def join(home: Path, standins: Mapping[str, Standin], progress: Progress) -> list[str]:
    """Let guests that came after the world was made have their part of it; what is there stays as people left it.

    Returns which they are. The others' edits since are news to them: they come with what was right on the first day.
    """
    card = which(home)
    late = [name for name in standins if card and name not in card["records"] and isinstance(standins[name], Derived)]
    if not card or not late:
        return []
    new = {name: standins[name] for name in late}
    world = World(card["customers"], card["seed"], datetime.fromisoformat(card["now"]), _guests(new))
    for name, standin in new.items():
        standin.state.clear()
        card["records"][name] = standin.seed(_counted(world.copies(standin.role), f"fill {name}", progress))
    roles = {standin.role for standin in new.values()}
    with closing(Truth(truth_file(home))) as truth:
        truth.add(_counted(world.truths(), "keep the truth", progress), _refs(new), roles)
    progress("keep the truth", 1, 1)
    _card(home).write_text(json.dumps(card, indent=1))
    return late


def _about(told: Told, roles: Collection[str]) -> bool:
    """Whether this can be said of records in these roles alone: a sandbox may have some systems only."""
    match told:
        case Trap(_, a, b, _):
            return a.role in roles and b.role in roles
        case Who() | Error():
            return told.at.role in roles
        case _:
            return True


def _guests(standins: Mapping[str, Standin]) -> list[Guest]:
    return [standin.guest for standin in standins.values() if isinstance(standin, Derived)]


def _refs(standins: Mapping[str, Standin]) -> Callable[[str, str, int], str]:
    roles = {standin.role: standin for standin in standins.values()}

    def ref(role: str, stream: str, n: int) -> str:
        return f"{roles[role].system}/{stream}/{roles[role].native_id(stream, n)}"

    return ref


def which(home: Path) -> dict[str, Any] | None:
    """Which world is behind the stand-ins; None before the first reset, or when one was broken off."""
    try:
        found: dict[str, Any] = json.loads(_card(home).read_text())
    except (OSError, ValueError):
        return None
    return found


def truth_file(home: Path) -> Path:
    """Where the truth is. Only scoring and `mutate` may open it."""
    return folder(home) / "truth.db"


def _card(home: Path) -> Path:
    return folder(home) / "world.json"


def _counted(things: Iterable[Any], what: str, progress: Progress) -> Iterator[Any]:
    for n, thing in enumerate(things, 1):
        if not n % SAY_EVERY:
            progress(what, n, None)
        yield thing

"""Drift: whether a system's records still have the shape they had, told by holding a sample of the new ones against it.

A field that was there and is in none of the new records any more was renamed or removed; one that nobody has seen
before was added; one whose values are of another JSON type was retyped. Nothing is dropped for it, but a field map
that reads a renamed field reads nothing, and somebody has to know that the same day.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

ENOUGH = 5  # so many new records should have had a field before its absence means something
DEEP = 6  # levels looked into; what lies deeper counts as one value

NAMED = 12  # fields named in one sentence

Shape = dict[str, dict[str, float]]
"""path → JSON type → share of the records that have it there."""


@dataclass(frozen=True)
class Drift:
    """path → since when (ISO UTC); for `retyped` from which type to which, and since when."""

    missing: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    retyped: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.missing or self.added or self.retyped)

    def words(self) -> list[tuple[str, str]]:
        """(what has changed and what to do, since when), one for each kind of change."""
        found = []
        if self.missing:
            names = _named(self.missing)
            found.append(
                (f"{names} in no new record any more: renamed or removed there? look at the field map", "missing")
            )
        if self.retyped:
            names = ", ".join(
                f"{path} ({old}, now {new})" for path, (old, new, _) in sorted(self.retyped.items())[:NAMED]
            )
            found.append((f"of another type: {names}", "retyped"))
        if self.added:
            found.append((f"new there: {_named(self.added)}", "added"))
        since = {"missing": self.missing, "added": self.added, "retyped": {p: t[2] for p, t in self.retyped.items()}}
        return [(says, min(since[kind].values())) for says, kind in found]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def _named(paths: Mapping[str, str]) -> str:
    names = sorted(paths)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def shape(bodies: Iterable[str]) -> tuple[Shape, int]:
    """What records look like, and how many there were. What is no JSON object is passed over.

    >>> shape(['{"id": 1, "a": {"b": "x"}}', '{"id": 2, "a": {}}'])
    ({'id': {'number': 1.0}, 'a.b': {'text': 0.5}}, 2)
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    count = 0
    for body in bodies:
        try:
            record = json.loads(body)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            count += 1
            for path, kind in set(_leaves(record, "", DEEP)):
                found[path][kind] += 1
    return {path: {kind: n / count for kind, n in kinds.items()} for path, kinds in found.items()}, count


def _leaves(value: Any, path: str, deep: int) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict) and deep and (value or not path):
        for name, below in value.items():
            yield from _leaves(below, f"{path}.{name}" if path else str(name), deep - 1)
    elif not (isinstance(value, dict) and not value):
        yield path, _kind(value)


def _kind(value: Any) -> str:
    kinds: dict[type, str] = {bool: "true/false", str: "text", list: "list", dict: "object", type(None): "null"}
    return kinds.get(type(value), "number")


def compared(known: Shape, here: Shape, count: int, before: Drift, at: str) -> Drift:
    """What has changed, `count` new records held against what was known; what was told before stays until it is mended.

    known: empty where the stream is seen for the first time. at: now, ISO UTC.
    """
    if not known:
        return Drift()
    lacking = {
        path
        for path, kinds in known.items()
        if path not in here and (path in before.missing or _usual(kinds) * count >= ENOUGH) and not _within(path, here)
    }
    missing = {path: before.missing.get(path, at) for path in known if path in lacking and path not in before.added}
    added = {path: since for path, since in before.added.items() if path not in lacking}  # come and gone again: no news
    added |= {path: at for path in here if path not in known and not _within(path, known)}
    retyped = dict(before.retyped)
    for path, kinds in here.items():
        old, new = _types(known.get(path, {})), _types(kinds)
        if old and new and not new & old:
            retyped.setdefault(path, (" or ".join(sorted(old)), " or ".join(sorted(new)), at))
        elif path in retyped and retyped[path][0] in new:
            del retyped[path]
    for path, kinds in known.items():
        if _types(kinds) and path not in here and any(p.startswith(f"{path}.") for p in here):
            retyped.setdefault(path, (" or ".join(sorted(_types(kinds))), "object", at))
    return Drift(missing, added, retyped)


def _types(kinds: Mapping[str, float]) -> set[str]:
    return set(kinds) - {"null"}


def _usual(kinds: Mapping[str, float]) -> float:
    return sum(kinds.values())


def _above(path: str, here: Shape) -> bool:
    """Whether the object this stands in is there without parts, as null: then nothing is known of them."""
    parts = path.split(".")
    return any(".".join(parts[:n]) in here for n in range(1, len(parts)))


def _within(path: str, known: Shape) -> bool:
    """Whether something at a place above or below was known: an object that used to be null is not a new field."""
    return _above(path, known) or any(k.startswith(f"{path}.") for k in known)


def learned(known: Shape, here: Shape, before: Drift, now: Drift) -> Shape:
    """What is known from now on. A field gone missing keeps its place, so that it is still missed tomorrow; one that
    was added and is gone again is forgotten."""
    return {path: kinds for path, kinds in (known | here).items() if path not in before.added or path in now.added}

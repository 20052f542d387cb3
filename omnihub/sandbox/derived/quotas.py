"""Quotas: declared limits as the system enforces them. What a call costs is its own affair, so each costs one point.

A limit on calls under way at once is never reached: a stand-in answers one call after the other.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as with_default

from omnihub.sandbox.kit import Quota as Enforced
from omnihub.sdk import Bucket, Limit, Penalty, Quota
from omnihub.sdk.limits import Rule


@dataclass
class Declared(Enforced):
    """A moving window for the calls a limit is about. What it is asked about is `METHOD /path`."""

    path: str = ""
    method: str = ""

    def concerns(self, call: str) -> bool:
        """Whether it counts this call."""
        method, _, path = call.partition(" ")
        return (not self.method or method == self.method) and (not self.path or bool(re.search(self.path, path)))

    def refusal_s(self, now: float, path: str) -> float | None:
        """As in `kit.Quota`."""
        return super().refusal_s(now, path) if self.concerns(path) else None


@dataclass
class Day(Declared):
    """So many calls until the day ends where the system is at home."""

    quota: Quota = with_default(default_factory=lambda: Quota(1))
    count: int = 0
    ends: float = 0.0

    def refusal_s(self, now: float, path: str) -> float | None:
        """As in `kit.Quota`."""
        if not self.concerns(path):
            return None
        clock = time.time()
        if clock >= self.ends:
            self.count, self.ends = 0, self.quota.ends(clock)
        if self.count >= self.quota.calls:
            return self.ends - clock
        self.count += 1
        return None

    def remaining(self) -> int:
        """Calls left today."""
        return self.quota.calls - self.count


@dataclass
class Points(Declared):
    """A bucket that fills up again."""

    holds: float = 0.0
    restores_per_s: float = 1.0
    level: float = 0.0
    seen: float = 0.0

    def refusal_s(self, now: float, path: str) -> float | None:
        """As in `kit.Quota`."""
        if not self.concerns(path):
            return None
        self.level = min(self.holds, self.level + (now - self.seen) * self.restores_per_s) if self.seen else self.holds
        self.seen = now
        if self.level < 1:
            return (1 - self.level) / self.restores_per_s
        self.level -= 1
        return None


def quotas(rules: Sequence[Rule]) -> tuple[Enforced, ...]:
    """What the system enforces of the declared limits."""
    penalty_s = max((rule.wait_s for rule in rules if isinstance(rule, Penalty)), default=0.0)
    found: list[Enforced] = []
    for rule in rules:
        match rule:
            case Limit():
                found.append(Declared(rule.calls, rule.per_s, penalty_s=penalty_s, path=rule.path, method=rule.method))
            case Quota():
                found.append(Day(rule.calls, 86_400, path=rule.path, method=rule.method, quota=rule))
            case Bucket():
                found.append(
                    Points(0, 1, path=rule.path, method=rule.method, holds=rule.points,
                           restores_per_s=rule.restores_per_s)
                )  # fmt: skip
            case _:
                pass
    return tuple(found)


def left(rules: Sequence[Rule], enforced: Sequence[Enforced]) -> dict[str, str]:
    """The headers that say how much is left, where a limit names them."""
    counted = [rule for rule in rules if isinstance(rule, Limit | Quota | Bucket)]
    headers: dict[str, str] = {}
    if len(counted) != len(enforced):
        return headers  # somebody enforces others
    for rule, quota in zip(counted, enforced, strict=True):
        if isinstance(rule, Limit | Quota) and isinstance(rule.left, str) and rule.left:
            headers[rule.left] = str(quota.remaining())
        if isinstance(rule, Limit) and rule.resets:
            first = quota.made[0] + quota.per_s - time.monotonic() if quota.made else 0.0
            headers[rule.resets] = str(max(0, math.ceil(first)))
    return headers

"""Chance that can be repeated: the same seed, kind and number throw the same dice on every machine and in any order.

`random.Random` costs 10 microseconds to seed, which is what a whole record may cost here; this costs one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = 0xFFFFFFFFFFFFFFFF


class Dice:
    """A 64-bit linear congruential generator, started from a splitmix64 hash of (seed, kind, n)."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, kind: int, n: int) -> None:
        z = (
            seed * 0x9E3779B97F4A7C15 + kind * 0xD1B54A32D192ED03 + n * 0x8CB92BA72F3D8DD7 + 0x632BE59BD9B4E019
        ) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        self._state = z ^ (z >> 31)

    def below(self, n: int) -> int:
        """0 … n-1."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return ((self._state >> 32) * n) >> 32

    def chance(self, share: float) -> bool:
        """True for this share of throws."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return (self._state >> 32) < share * 4294967296.0

    def pick(self, options: Sequence[T]) -> T:
        """Any one of them."""
        return options[self.below(len(options))]

    def skewed(self, n: int) -> int:
        """0 … n-1, the low ones far more often, as with surnames."""
        u = self.below(1 << 32) / 4294967296.0
        return int(u * u * n)

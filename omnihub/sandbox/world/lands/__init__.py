"""The countries of the world, one module of tables each. Word lists were drawn from the Faker project (MIT licence)."""

from __future__ import annotations

from omnihub.sandbox.world.lands import at, ch, de, es, fi, fr, gb, it, nl, pl, se, us
from omnihub.sandbox.world.lands.land import Address, Land, Town

LANDS: tuple[Land, ...] = tuple(
    m.LAND for m in (de, de, de, de, at, at, ch, ch, fi, fi, se, se, fr, fr, nl, pl, it, it, es, gb, us, us)
)
"""As often as customers sit there."""

__all__ = ["LANDS", "Address", "Land", "Town"]

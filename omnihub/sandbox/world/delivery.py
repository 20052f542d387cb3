"""What is said of orders on their way: the shelves of the stock points, the CRM's and the portal's copies of the shop's
orders, and what tickets tell of them.

The shop takes the orders and delivers them, so what it says is so. A copy is right when it was made after the order
moved on; a few have not heard yet of what has just happened, which is no error. What stands in one for days is wrong.
Every shelf of the main stock point has enough of everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from omnihub.sandbox.copies import HELD, TRANSPORT
from omnihub.sandbox.world.catalog import Catalog
from omnihub.sandbox.world.dice import Dice
from omnihub.sandbox.world.held import DAY, HOUR, Clock, Held, Wrong

if TYPE_CHECKING:
    from omnihub.sandbox.world.trade import Line

_SHELVES, _COURSES, _ASTRAY, _COPIES, _TOLD = range(421, 426)

STOCK_POINTS = ("Tampere", "Ulm", "Lyon", "Chicago", "Poznań")
MAIN = 1  # where there is enough of everything
BEFORE = {"shipped": ("open",), "delivered": ("open", "shipped"), "cancelled": ("open",)}
NEVER = {"open": ("shipped", "delivered"), "shipped": ("delivered", "cancelled"), "delivered": ("cancelled",),
         "cancelled": ("shipped", "delivered")}  # fmt: skip
"""state → those an order in it was in once, and those it never was in."""
SETTLED = 3 * DAY  # what is older than this was not missed by a day


class Course(NamedTuple):
    """How far an order has come, and how long ago it came there."""

    status: str
    moved_s: int


def course(seed: int, order: int, ago_s: int, dice: Dice) -> Course:
    """Of an order of so long ago."""
    status = ("open" if ago_s < 6 * DAY else "shipped") if ago_s < 20 * DAY else "delivered"
    if dice.chance(0.04):
        return Course("cancelled", ago_s)
    if status == "shipped":
        other = Dice(seed, _COURSES, order)
        return Course(status, HOUR + other.below(18 * HOUR) if other.chance(0.2) else ago_s * 2 // 3)
    return Course(status, ago_s)


class Delivery:
    """Shelves and copies. A shelf is that of a product at a stock point."""

    def __init__(self, seed: int, catalog: Catalog, clock: Clock) -> None:
        self.seed, self.catalog, self.clock = seed, catalog, clock

    # -- shelves ------------------------------------------------------------------------------------------------

    @cached_property
    def _sold(self) -> dict[str, int]:
        """SKU as the shop has it → its product."""
        first = zip(self.catalog.variants(), self.catalog.sold, strict=False)  # the second ones have no shelves
        return {str(x.fields["sku"]): i for x, i in first}

    def _holds(self, i: int, point: int) -> int | None:
        """Pieces of a product there; None where there is no shelf for it."""
        dice = Dice(self.seed, _SHELVES, i * 8 + point)
        if point == MAIN:
            return 2000 + dice.below(3000)
        u = dice.below(10)
        return None if u < 2 else dice.below(6) if u < 4 else 200 + dice.below(800)

    def shelves(self) -> Iterator[Held]:
        """What the shop has, and where."""
        n = 0
        for sku, i in self._sold.items():
            for point, name in enumerate(STOCK_POINTS):
                holds = self._holds(i, point)
                if holds is not None:
                    n += 1
                    fields = {"sku": sku, "stock_point": name, "quantity": str(holds)}
                    ago_s = HOUR + Dice(self.seed, _SHELVES, -n).below(90 * DAY)
                    yield Held("shop", "inventory_levels", n, fields, ago_s)

    def _lacking(self, lines: Iterable[Line], status: str, point: int) -> bool:
        """Whether something of an order is not there."""
        asked: Counter[int] = Counter()
        for line in lines:
            if line.sku in self._sold:
                asked[self._sold[line.sku]] += line.quantity
        found = {i: self._holds(i, point) for i in asked}
        if status == "open":
            return any((found[i] or 0) < n for i, n in asked.items())
        return status != "cancelled" and any(holds is None for holds in found.values())

    def point(self, wished: str, lines: Sequence[Line], status: str) -> str:
        """The wished stock point if all is there, else the main one."""
        return STOCK_POINTS[MAIN] if self._lacking(lines, status, STOCK_POINTS.index(wished)) else wished

    def astray(self, order: int, lines: Sequence[Line], status: str) -> str | None:
        """For a few orders: a stock point that lacks something of them."""
        dice = Dice(self.seed, _ASTRAY, order)
        lacking = [name for n, name in enumerate(STOCK_POINTS) if n != MAIN and self._lacking(lines, status, n)]
        return dice.pick(lacking) if lacking and dice.chance(0.06) else None

    # -- copies of orders ---------------------------------------------------------------------------------------

    def copy(
        self, role: str, n: int, order: int, ago_s: int, shop: Held, links: dict[str, int], elsewhere: str
    ) -> Held:
        """Another system's copy of the shop's order. elsewhere: an address that is not its own."""
        dice = Dice(self.seed, _COPIES, order * 8 + len(role))
        told, moved_s, number = dict(shop.fields), shop.updated_ago_s, shop.fields["number"]
        status = str(told["status"])
        x = Held(role, "orders", n, {**links, "number": dice.pick((number, number[1:]))}, self._after(moved_s, dice))
        for name in ("ordered_at", "status", "currency", "total", "stock_point", "delivery_point", "transport_mode",
                     "tracking", "delivered_at"):  # fmt: skip
            if name in told and name in HELD[role, "orders"]:
                x.fields[name] = told[name]
        what = dice.below(100)
        if moved_s < DAY and status in BEFORE and what < 50:  # has not heard of it yet
            self._back(x, dice.pick(BEFORE[status]), moved_s + 1 + dice.below(ago_s - moved_s))
        elif what >= 93 and ago_s > 5 * DAY:
            self._misstate(x, status, moved_s, ago_s, dice)
        elif what >= 86 and moved_s > SETTLED and status != "cancelled":
            self._misplace(x, elsewhere, moved_s, dice)
        self._respell(x, dice)
        return x

    @staticmethod
    def _after(moved_s: int, dice: Dice) -> int:
        """Within days after the order moved on."""
        return max(HOUR // 2, moved_s - 1 - dice.below(max(1, min(moved_s // 2, 5 * DAY))))

    @staticmethod
    def _back(x: Held, status: str, ago_s: int) -> None:
        """As it was before."""
        x.fields["status"], x.updated_ago_s = status, ago_s
        x.fields.pop("delivered_at", None)
        if status == "open":
            x.fields.pop("tracking", None)

    def _misstate(self, x: Held, status: str, moved_s: int, ago_s: int, dice: Dice) -> None:
        behind = BEFORE.get(status, ()) if moved_s > SETTLED else ()
        wrong = dice.pick((*behind, *NEVER[status]))
        if wrong in NEVER[status] and moved_s < SETTLED and wrong != "cancelled":
            return  # it might just be the first to know
        self._back(x, wrong, SETTLED + dice.below(ago_s - SETTLED))
        x.wrong.append(Wrong("status", "order_state_differs", f"{status} in the shop"))

    def _misplace(self, x: Held, elsewhere: str, moved_s: int, dice: Dice) -> None:
        f = x.fields
        at = str(f["stock_point"])
        ways: dict[str, Any] = {
            "stock_point": dice.pick([name for name in STOCK_POINTS if name != at]),
            "transport_mode": dice.pick([mode for mode in TRANSPORT if mode != f["transport_mode"]]),
        }
        if elsewhere and elsewhere != f["delivery_point"]:
            ways["delivery_point"] = elsewhere
        if "tracking" in f:
            ways["tracking"] = f"TRK{(int(str(f['tracking'])[3:]) + 10 ** dice.below(8)) % 10**8:08d}"
        if "delivered_at" in f:
            ways["delivered_at"] = self.clock.time(moved_s + 2 * DAY)
        name = dice.pick(sorted(ways))
        f[name] = ways[name]
        x.wrong.append(Wrong(name, "order_delivery_differs", "another one in the shop"))

    @staticmethod
    def _respell(x: Held, dice: Dice) -> None:
        """The same, written otherwise."""
        f, way = x.fields, dice.below(6)
        street, _, town = str(f["delivery_point"]).rpartition(", ")
        if way == 0:
            f["delivery_point"] = f"{town}; {street}"
        elif way == 1:
            f["delivery_point"] = str(f["delivery_point"]).upper()
        if way in (1, 2) and "tracking" in f:
            text = str(f["tracking"])
            f["tracking"] = f"{text[:3]} {text[3:7]}-{text[7:]}"
        if way == 3:
            f["stock_point"] = str(f["stock_point"]).upper()

    # -- what tickets tell --------------------------------------------------------------------------------------

    def tell(self, x: Held, opened_s: int, orders: Sequence[tuple[str, int, Course]]) -> None:
        """Half of those who had ordered something when they asked, asked about that. orders: number, how long ago, and
        how far it came."""
        dice = Dice(self.seed, _TOLD, x.n)
        before = [one for one in orders if one[1] > opened_s]
        if not before or not dice.chance(0.6):
            return
        number, _, (status, moved_s) = dice.pick(before)
        at_s = x.updated_ago_s
        was = status if at_s < moved_s else "open"
        x.fields["order"] = dice.pick((number, number[1:]))
        x.fields["order_status"] = was
        if dice.chance(0.1):
            wrong = self._untrue(status, moved_s, at_s)
            if wrong:
                x.fields["order_status"] = dice.pick(wrong)
                x.wrong.append(Wrong("order_status", "order_state_differs", f"{was} at the time"))

    @staticmethod
    def _untrue(status: str, moved_s: int, at_s: int) -> tuple[str, ...]:
        """What was not so by then, by days."""
        if moved_s - at_s > 2 * DAY:
            return (*BEFORE.get(status, ()), *(NEVER[status] if at_s > SETTLED else ()))
        if at_s - moved_s > 2 * DAY and status == "delivered":
            return ("delivered",)
        return ()

"""Push: carry the golden values back, safely: plan → guard → apply → receipt.

    differences ─▶ plan ─▶ guard ─▶ stored plan ─▶ apply ─▶ receipts, one outcome a change
    missing     ─┘ (plan)  (guard)                 (apply)   └─ dead letters for what was refused
    (by policy)                                    (create: records that are not there yet)

    receipts, present state ─▶ undo ─▶ the inverse plan, which goes the same way

What no plan may hold, whoever approves it, is stopped by `gates`: before the guard, and again before it is written.
Only a stored plan is applied. Each target is looked at again just before it is written; what somebody changed in the
meantime is *drifted* and left. What was written is known by its receipt, committed before the next batch goes out:
killed anywhere and run again, the same plan ends the same way.
"""

from omnihub.push.apply import Present, Receipt, Task, apply_stream
from omnihub.push.guard import Broken, Limits, guard
from omnihub.push.plan import Plan, make_plan
from omnihub.push.undo import Hold, Inverse, Left, Written, apart_from, invert

__all__ = [
    "Broken",
    "Hold",
    "Inverse",
    "Left",
    "Limits",
    "Plan",
    "Present",
    "Receipt",
    "Task",
    "Written",
    "apart_from",
    "apply_stream",
    "guard",
    "invert",
    "make_plan",
]

"""Merge: which member's value wins, per field or field group, with the lineage of every cell.

    (names of one text cut as others say)
    members' cells ─▶ echoes aside ─▶ rule of the field ─▶ winner + losers ─▶ golden fields and lineage (JSON)

The rules are data, and `omnihub.merge.rules` says what each does. Empty and unclean values never win; pins always do.
An address, a name, a consent are taken from one record whole. Our own word come back speaks only where nobody else
does. Nothing depends on the order of the members, on what else is merged with them, or on when it is done.
"""

from omnihub.merge.cuts import recut
from omnihub.merge.rules import HALF_LIFE_DAYS, WHY, Rules
from omnihub.merge.survive import LINKS, MEMBERS, PINS, survive

__all__ = ["HALF_LIFE_DAYS", "LINKS", "MEMBERS", "PINS", "WHY", "Rules", "recut", "survive"]

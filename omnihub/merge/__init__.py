"""Merge: which member's value wins, per field or field group, with the lineage of every cell.

    members' cells ─▶ echoes aside ─▶ rule of the field ─▶ winner + losers ─▶ golden fields and lineage (JSON)

Rules (`omnihub.merge.rules`): `trusted` weighs each value by the trust in the systems that hold it, less when older;
`strictest` for permissions; `master` for what one system is right about. Empty and unclean values never win; pins
always do. An address, a name, a consent are taken from one record whole.
"""

from omnihub.merge.rules import HALF_LIFE_DAYS, Rules
from omnihub.merge.survive import LINKS, MEMBERS, PINS, survive

__all__ = ["HALF_LIFE_DAYS", "LINKS", "MEMBERS", "PINS", "Rules", "survive"]

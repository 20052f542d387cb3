"""Compare: every system with the golden record, and every channel with the master.

    values    golden vs what each system holds       → differences (what a plan is made of) and findings
    catalog   SKUs and products vs the master         → findings
    assortment  what the master says a system sells   → findings where it does not
    customers which group a customer is of, by all that is said
    prices    prices vs the master's lists, in context → findings (part of `catalog`)
    promotions  offers vs the master's promotions     → findings
    corrections                                       → the price a channel gets instead of a wrong one
    service   answers and solutions vs the master's standards → findings, and what each channel's come to
    severity  how much a finding matters, what is its evidence, and which group it is of
    links     links that point to nothing             → findings; and what a change touches

Data in, data out: Arrow tables of what is held, of what is believed, and of the field maps' fields.
"""

from omnihub.compare import promotions
from omnihub.compare.assortment import OFFERED, SELLERS, missing
from omnihub.compare.catalog import PRODUCTS, PROMOTIONS, catalog, context
from omnihub.compare.links import KNOWN_BY, link_fields, named, news, sold_as, spoken_of
from omnihub.compare.prices import LINES, PRICES
from omnihub.compare.values import GOLDENS, HELD, MEMBERS, ROWS, broken_links, problems, values

__all__ = [
    "GOLDENS",
    "HELD",
    "KNOWN_BY",
    "LINES",
    "MEMBERS",
    "OFFERED",
    "PRICES",
    "PRODUCTS",
    "PROMOTIONS",
    "ROWS",
    "SELLERS",
    "broken_links",
    "catalog",
    "context",
    "link_fields",
    "missing",
    "named",
    "news",
    "problems",
    "promotions",
    "sold_as",
    "spoken_of",
    "values",
]

"""The kinds of disagreement the hub reports, each with its meaning, severity and owner."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from omnihub.model.entities import Entity


class Severity(StrEnum):
    """How much it matters. `high`: money or permission is at stake now."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class FindingState(StrEnum):
    """Where a finding is in its life."""

    OPEN = "open"
    ASSIGNED = "assigned"  # to somebody, who sees to it
    IGNORED = "ignored"  # until a day, or until its evidence changes
    RESOLVED = "resolved"  # its cause is gone


STANDING = (FindingState.OPEN.value, FindingState.ASSIGNED.value)
"""The states of what somebody is to see to: what reports show."""

ALIVE = (*STANDING, FindingState.IGNORED.value)
"""The states of what is still so, whatever was decided about it."""


@dataclass(frozen=True)
class FindingKind:
    """A kind of finding: its word, what it means to a business user, and how much it matters."""

    name: str
    means: str
    severity: Severity


FINDING_KINDS: dict[str, FindingKind] = {
    k.name: k
    for k in (
        FindingKind("value_differs", "This system holds another value than the golden record.", Severity.MEDIUM),
        FindingKind("value_invalid", "This value can't be right (junk, a placeholder, a broken format).", Severity.LOW),
        FindingKind("duplicate", "This system holds the same customer more than once.", Severity.MEDIUM),
        FindingKind("orphan_link", "This record points to a record that does not exist.", Severity.MEDIUM),
        FindingKind(
            "consent_conflict", "Marketing is allowed here, but the customer said no elsewhere.", Severity.HIGH
        ),
        FindingKind("sku_unknown", "This SKU is not in the product master.", Severity.HIGH),
        FindingKind(
            "sku_discontinued", "The master has discontinued this product, but it is on sale here.", Severity.HIGH
        ),
        FindingKind("product_differs", "This system describes the product otherwise than the master.", Severity.LOW),
        FindingKind("price_differs", "This price is not the master's price for this customer and day.", Severity.HIGH),
        FindingKind("price_expired", "This price comes from a price list that is no longer valid.", Severity.HIGH),
        FindingKind("price_early", "This price comes from a price list that is not valid yet.", Severity.HIGH),
        FindingKind("price_break", "This is the price for another quantity.", Severity.HIGH),
        FindingKind("price_group", "This is the price of another customer group.", Severity.HIGH),
        FindingKind("price_currency", "This figure is right in another currency.", Severity.HIGH),
        FindingKind("price_tax", "Tax is in this price where it should not be, or the reverse.", Severity.HIGH),
        FindingKind("price_unit", "This is the price of another unit, as of a set instead of a piece.", Severity.HIGH),
        FindingKind("price_overlap", "Two lists of the master say different prices for one day.", Severity.MEDIUM),
        FindingKind("sku_unreleased", "This is on sale here before the master has released it.", Severity.HIGH),
        FindingKind("sku_duplicate", "This system offers the same SKU more than once.", Severity.MEDIUM),
        FindingKind("product_missing", "The master says that this system sells it, and it does not.", Severity.MEDIUM),
        FindingKind("promotion_expired", "This offer is on outside the days the master gives it.", Severity.HIGH),
        FindingKind("promotion_group", "This offer is made to customers it is not meant for.", Severity.HIGH),
        FindingKind("promotion_product", "This offer holds for a product that is not in it.", Severity.HIGH),
        FindingKind("promotion_differs", "This offer gives another discount than the master's.", Severity.HIGH),
        FindingKind("promotion_unclear", "What this offer gives only an app there can work out.", Severity.LOW),
        FindingKind("promotion_unknown", "This offer is not among the master's.", Severity.MEDIUM),
        FindingKind("order_state_differs", "This order is in another state elsewhere.", Severity.HIGH),
        FindingKind("order_delivery_differs", "Where or how this order is delivered differs elsewhere.", Severity.HIGH),
        FindingKind("order_stock", "This order ships from a place that does not have the product.", Severity.HIGH),
        FindingKind("answer_late", "The first answer took longer than the standard of its channel.", Severity.MEDIUM),
        FindingKind("solution_late", "The solution took longer than the standard of its channel.", Severity.MEDIUM),
        FindingKind("target_cannot_hold", "This system refuses or cuts the right value.", Severity.LOW),
    )
}


@dataclass(frozen=True)
class Finding:
    """One disagreement. `id` is the same for the same cause on every run; `values` maps each system to what it says."""

    id: str
    kind: str
    severity: Severity
    entity: Entity
    ref: str
    field: str
    golden_id: str | None
    owner: str
    values: dict[str, str | None] = dataclasses.field(default_factory=dict)  # `field` is an attribute here
    expected: str | None = None
    why: str = ""

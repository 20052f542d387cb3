"""What is compared of two products."""

from __future__ import annotations

from omnihub.match.model import OTHERWISE, Comparison, Thresholds, bits, never
from omnihub.match.spec import Derived, Spec, key_of
from omnihub.model import Kind

DERIVED = (
    Derived("sku", "sku", key_of(Kind.SKU)),
    Derived("gtin", "gtin", key_of(Kind.GTIN)),
)

FEATURES = "SELECT * FROM derived"

KEYS = ("'s:' || sku", "'g:' || gtin")

HOLDERS = "SELECT NULL::VARCHAR AS value, NULL::VARCHAR AS holder FROM features WHERE false"

READY = "SELECT f.* FROM features AS f"

COMPARISONS: dict[str, Comparison] = {
    "sku": (bits("sku_l = sku_r", 14), never("sku_l <> sku_r"), OTHERWISE),
    "gtin": (bits("gtin_l = gtin_r", 12), bits("gtin_l <> gtin_r", -3), OTHERWISE),
}

SPEC = Spec(
    DERIVED,
    FEATURES,
    KEYS,
    (),
    HOLDERS,
    READY,
    COMPARISONS,
    (),
    Thresholds(same=9.0, unsure=5.0),
    ("l.sku = r.sku", "l.gtin = r.gtin"),
)

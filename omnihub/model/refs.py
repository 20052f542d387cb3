"""Where a record lives: `system/stream/id`, the address everything in the hub is filed under."""

from __future__ import annotations

from typing import NamedTuple


class Ref(NamedTuple):
    """The address of one record.

    >>> Ref.parse("shopify/customers/gid://shopify/Customer/7").id
    'gid://shopify/Customer/7'
    >>> str(Ref("salesforce", "accounts", "001A"))
    'salesforce/accounts/001A'
    """

    system: str
    stream: str
    id: str

    def __str__(self) -> str:
        return f"{self.system}/{self.stream}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read a ref as people write it. Ids may hold slashes, systems and streams may not."""
        parts = text.split("/", 2)
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{text!r} is no ref: write system/stream/id, as in salesforce/accounts/001A")
        return cls(*parts)

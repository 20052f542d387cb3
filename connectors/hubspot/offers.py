"""What campaigns offer: which product, for whom, how much off, at what price, and on which days.

HubSpot's own campaigns say when they run and whom they are for, and nothing of what is sold in them. An account that
keeps that has an object type of its own for it (as custom objects are), with one record for each product of a campaign;
its name or id is a setting, for it is another in each account. Without the setting nothing is read.

Properties the type has to have, what is not said being left empty: `code`, the campaign's as the master has it; `name`;
`sku`; `customer_group`; `discount_percent`, a number, 10 being ten percent; `price`, a number, of one piece with the
discount; `currency`; `valid_from` and `valid_to`, dates, the last one being a day of the campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connectors.hubspot.client import Client
from omnihub.errors import ConfigError, RejectedRecord
from omnihub.sdk import OneWay, Page, Path, Want

OFFERS_TYPE = "the object type of what campaigns offer, as in p_campaign_offers or 2-1234567; without it none are read"

OFFER: dict[str, str | Path] = {
    **{
        name: OneWay(f"properties.{name}")
        for name in ("code", "name", "sku", "customer_group", "price", "currency", "valid_from", "valid_to")
    },
    "discount": OneWay("properties.discount_percent"),
}


@dataclass(frozen=True)
class Offers:
    """`reading`: how objects of a type are pulled."""

    reading: Callable[[str], Callable[[Client, Want], Iterator[Page]]]

    def pull(self, client: Client, want: Want) -> Iterator[Page]:
        """Those of the account's own type; no page where it has none."""
        if not client.offers:
            return
        try:
            yield from self.reading(client.offers)(client, want)
        except RejectedRecord as no:
            if no.status in (400, 404) and b"object type" in no.body:
                raise ConfigError(
                    f"hubspot: the account has no object type {client.offers}; set OMNIHUB_HUBSPOT_CAMPAIGN_OFFERS to "
                    "the name or id of the one that holds what campaigns offer, or leave it out"
                ) from None
            raise

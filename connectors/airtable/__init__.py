"""Airtable: the product and price master. Read with the vendor's own SDK; as the master it is never written.

Only the hub's findings go there, into a table of their own, where the settings name one.

It holds products, prices, promotions, channels and service standards, and nobody's personal data: there is nothing in
it to erase. Who keeps persons in a table all the same has them erased by an owner of the base (`writing.BY_HAND`).

__init__   the connector: which column is which field
base       how a base is called, and how a table is read
writing    how a table is written that the hub may write: other bases
notices    the hub's findings, in the table that is there for them
formula, sandbox   the stand-in   (never imported here)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from connectors.airtable.notices import FINDINGS_TABLE, place
from connectors.airtable.reading import MODIFIED, Client, connect, newer_than, table
from omnihub.model import Entity
from omnihub.sdk import Bearer, Codes, Connector, Http, Limit, Path, Setting, Stream

__all__ = ["MODIFIED", "Client", "connector", "newer_than", "table"]


ATTACHED = ".0.filename"  # of the first of several files in a cell: their addresses are others every two hours


def _column(where: str | Path) -> str:
    path = where if isinstance(where, str) else where.path
    return path.removeprefix("fields.").removesuffix(ATTACHED)


_READ: set[str] = set()  # the master's own tables


def _connect(settings: Mapping[str, str], http: Http) -> Client:
    return replace(connect(settings, http), masters=frozenset(_READ))


def _stream(name: str, entity: Entity, columns: Mapping[str, str | Path], called: str = "") -> Stream:
    """called: what people call the table, where that is not the stream's name."""
    _READ.add(called or name)
    return Stream(
        name=name.lower(),
        entity=entity,
        pull=table(called or name, [*dict.fromkeys(_column(where) for where in columns.values())]),
        map=columns,
        updated=f"fields.{MODIFIED}",
        blind="deleted rows: Airtable does not report them, only a complete pass shows that they are gone",
        full_every=timedelta(days=1),
    )


_STATUS = {"Active": "active", "Discontinued": "discontinued", "Draft": "draft"}
_CHANNELS = {"E-mail": "email", "Web form": "web", "Phone": "phone", "Chat": "chat"}
_TAX = {"Standard": "standard", "Reduced": "reduced", "Exempt": "exempt"}
_TAXABLE = {"Exempt": "false"}
_GROUPS = {"Standard": "standard", "Dealer": "dealer", "Key account": "key"}

connector = Connector(
    name="airtable",
    title="Airtable",
    role="product and price master",
    master=True,
    settings=(
        Setting("url", "the address of the Airtable API", default="https://api.airtable.com"),
        Setting("base", "the id of the base with the master data, app…"),
        Setting("token", "a personal access token with the scope data.records:read", secret=True),
        Setting("findings_table", FINDINGS_TABLE, default=""),
    ),
    auth=Bearer("token"),
    limits=(Limit(5, per_s=1.02),),  # 5 a second are allowed, and one too many costs half a minute
    connect=_connect,
    place=place,
    streams=(
        _stream(
            "Products",
            Entity.PRODUCT,
            {
                "sku": "fields.SKU",
                "gtin": "fields.GTIN",
                "name": "fields.Name",
                "description": "fields.Description",
                "unit": "fields.Unit",
                "category": "fields.Category",
                "status": Codes("fields.Status", codes=_STATUS),
                "weight": Path("fields.Weight in kg", number=True),
                "image": f"fields.Image{ATTACHED}",
                "tax_class": Codes("fields.Tax class", codes=_TAX),
                "taxable": Codes("fields.Tax class", codes=_TAXABLE, otherwise="true"),
                "sold_in": "fields.Sold in",  # the channels, by the names people give them
            },
        ),
        _stream(
            "Prices",
            Entity.PRICE,
            {
                "sku": "fields.SKU",
                "price_list": "fields.Price list",
                "customer_group": Codes("fields.Customer group", codes=_GROUPS),
                "currency": "fields.Currency",
                "amount": Path("fields.Amount", number=True),
                "unit": "fields.Unit",
                "min_quantity": Path("fields.Min quantity", number=True),
                # Airtable leaves an unticked box out of the record: net prices read as no value, not as "false"
                "tax_included": Path("fields.Tax included", boolean=True),
                "tax_rate": Path("fields.Tax rate in percent", number=True),
                "tolerance": Path("fields.Tolerance", number=True),
                "rounding": Path("fields.Rounding", number=True),
                "valid_from": "fields.Valid from",
                "valid_to": "fields.Valid to",
            },
        ),
        _stream(
            "Promotions",
            Entity.PROMOTION,
            {
                "code": "fields.Code",
                "name": "fields.Name",
                "sku": "fields.SKU",
                "customer_group": Codes("fields.Customer group", codes=_GROUPS),
                "discount": Path("fields.Discount in percent", number=True),
                "discount_amount": Path("fields.Discount amount", number=True),
                "currency": "fields.Currency",
                "discount_on": Codes("fields.Discount on", codes={"Each piece": "piece", "Whole order": "order"}),
                "valid_from": "fields.Valid from",
                "valid_to": "fields.Valid to",
            },
        ),
        _stream(
            "Channels",
            Entity.CHANNEL,
            {"name": "fields.Name", "system": "fields.System", "owner": "fields.Owner"},
        ),
        _stream(
            "Standards",
            Entity.STANDARD,
            {
                "channel": Codes("fields.Channel", codes=_CHANNELS),
                "first_answer_hours": Path("fields.First answer in hours", number=True),
                "solution_hours": Path("fields.Solution in hours", number=True),
                "valid_from": "fields.Valid from",
            },
            called="Service Standards",
        ),
    ),
)

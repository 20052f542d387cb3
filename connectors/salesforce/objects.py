"""What the objects of the stand-in's org are made of: fields, their types, and what may be written to them.

Names, types and lengths are those of a fresh org; what ends in __c was added by the company.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

TEXTS = frozenset({"string", "textarea", "phone", "email", "url", "picklist"})
NUMBERS = frozenset({"currency", "double", "percent"})


class Refused(Exception):
    """Salesforce's no: error code, message, and the fields it is about. `whole`: it refuses the other rows too."""

    def __init__(self, code: str, message: str, fields: Iterable[str] = (), *, whole: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = list(fields)
        self.whole = whole


@dataclass(frozen=True)
class Column:
    """One field of an object. `values`: a restricted picklist's. `to`: the objects a reference may point to."""

    name: str
    type: str = "string"
    length: int = 0
    required: bool = False
    writable: bool = True
    unique: bool = False
    values: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    default: Any = None

    @property
    def custom(self) -> bool:
        """Whether the company added it."""
        return self.name.endswith("__c")

    def described(self) -> dict[str, Any]:
        """As `describe` tells it."""
        return {
            "name": self.name,
            "label": self.name.removesuffix("__c").replace("_", " "),
            "type": self.type,
            "length": self.length,
            "custom": self.custom,
            "calculated": False,
            "createable": self.writable,
            "updateable": self.writable,
            "nillable": not self.required and self.type != "boolean",
            "unique": self.unique,
            "externalId": self.unique,
            "idLookup": self.unique or self.type == "id",
            "filterable": not self.long,
            "sortable": not self.long,
            "restrictedPicklist": bool(self.values),
            "picklistValues": [
                {"value": v, "label": v, "active": True, "defaultValue": v == self.default} for v in self.values
            ],
            "referenceTo": list(self.to),
        }

    @property
    def long(self) -> bool:
        """Long text can't be filtered or sorted by."""
        return self.type == "address" or (self.type == "textarea" and self.length > 255)


@dataclass(frozen=True)
class Object:
    """A kind of object: its name, the three letters its ids begin with, the stream it is filed under, its fields."""

    name: str
    prefix: str
    stream: str
    columns: Mapping[str, Column]

    def column(self, name: str) -> Column | None:
        """The field of that name; Salesforce does not mind the case."""
        return self.columns.get(name) or next((c for n, c in self.columns.items() if n.lower() == name.lower()), None)


def _system(*, merges: bool) -> Iterator[Column]:
    yield Column("Id", "id", 18, writable=False)
    yield Column("IsDeleted", "boolean", writable=False)
    if merges:
        yield Column("MasterRecordId", "reference", 18, writable=False)


def _clocks() -> Iterator[Column]:
    yield Column("Hub_Id__c", length=64, unique=True)
    for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp", "LastViewedDate", "LastReferencedDate"):
        yield Column(name, "datetime", writable=False)


def _address(prefix: str) -> Iterator[Column]:
    yield Column(f"{prefix}Street", "textarea", 255)
    yield Column(f"{prefix}City", length=40)
    yield Column(f"{prefix}State", length=80)
    yield Column(f"{prefix}PostalCode", length=20)
    yield Column(f"{prefix}Country", length=80)
    yield Column(f"{prefix}Address", "address", writable=False)


def _object(name: str, prefix: str, stream: str, *columns: Column, merges: bool = False) -> Object:
    every = (*_system(merges=merges), *columns, *_clocks())
    return Object(name, prefix, stream, {c.name: c for c in every})


STAGES = (
    "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Id. Decision Makers",
    "Perception Analysis", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost",
)  # fmt: skip

OBJECTS: Mapping[str, Object] = {
    o.name: o
    for o in (
        _object(
            "Account", "001", "accounts",
            Column("Name", length=255, required=True),
            Column("Type", "picklist", 255),
            Column("ParentId", "reference", 18, to=("Account",)),
            *_address("Billing"),
            Column("Phone", "phone", 40),
            Column("Website", "url", 255),
            Column("Industry", "picklist", 255),
            Column("Description", "textarea", 32_000),
            Column("VAT_Number__c", length=40),
            Column("Customer_Group__c", "picklist", 255, values=("Standard", "Dealer", "Key Account")),
            merges=True,
        ),
        _object(
            "Contact", "003", "contacts",
            Column("AccountId", "reference", 18, to=("Account",)),
            Column("LastName", length=80, required=True),
            Column("FirstName", length=40),
            Column("Name", length=121, writable=False),
            Column("Title", length=128),
            Column("Birthdate", "date"),
            Column("Email", "email", 80),
            Column("Phone", "phone", 40),
            Column("MobilePhone", "phone", 40),
            *_address("Mailing"),
            Column("HasOptedOutOfEmail", "boolean"),
            Column("DoNotCall", "boolean"),
            Column("Description", "textarea", 32_000),
            Column("Preferred_Language__c", length=10),
            Column("Marketing_Consent__c", "picklist", 255, values=("Opted In", "Opted Out")),
            Column("Marketing_Consent_Date__c", "datetime"),
            merges=True,
        ),
        _object(
            "Opportunity", "006", "opportunities",
            Column("AccountId", "reference", 18, to=("Account",)),
            Column("ContactId", "reference", 18, to=("Contact",)),
            Column("Name", length=120, required=True),
            Column("StageName", "picklist", 255, required=True, values=STAGES),
            Column("Amount", "currency"),
            Column("CurrencyIsoCode", "picklist", 3, default="EUR"),
            Column("CloseDate", "date", required=True),
            Column("Description", "textarea", 32_000),
        ),
        _object(
            "OpportunityLineItem", "00k", "opportunity_lines",
            Column("OpportunityId", "reference", 18, required=True, to=("Opportunity",)),
            Column("Name", length=376, writable=False),
            Column("ProductCode", length=255, writable=False),  # of the product; both are only shown here
            Column("Quantity", "double", required=True),
            Column("UnitPrice", "currency"),
            Column("ListPrice", "currency", writable=False),
            Column("Discount", "percent"),
            Column("TotalPrice", "currency", writable=False),
            Column("CurrencyIsoCode", "picklist", 3, writable=False),
            Column("ServiceDate", "date"),
            Column("Description", length=255),
        ),
        _object(
            "Order", "801", "orders",
            Column("AccountId", "reference", 18, to=("Account",)),
            Column("OrderNumber", length=30, writable=False),
            Column("OrderReferenceNumber", length=80),
            Column("EffectiveDate", "date", required=True),
            Column("Status", "picklist", 255, required=True, default="Draft",
                   values=("Draft", "Activated", "Shipped", "Delivered", "Cancelled")),
            Column("TotalAmount", "currency", writable=False),
            Column("CurrencyIsoCode", "picklist", 3, default="EUR"),
            *_address("Shipping"),
            Column("Description", "textarea", 32_000),
            Column("Stock_Point__c", length=80),
            Column("Transport_Mode__c", "picklist", 255, values=("Road", "Air", "Sea", "Parcel")),
            Column("Tracking_Number__c", length=80),
        ),
        _object(
            "Task", "00T", "tasks",
            Column("WhoId", "reference", 18, to=("Contact",)),
            Column("WhatId", "reference", 18, to=("Account", "Opportunity", "Order")),
            Column("Subject", length=255),
            Column("Status", "picklist", 255, required=True, default="Not Started"),
            Column("Priority", "picklist", 255, required=True, default="Normal"),
            Column("ActivityDate", "date"),
            Column("Description", "textarea", 32_000),
            Column("IsClosed", "boolean", writable=False),
            Column("LastModifiedById", "reference", 18, writable=False, to=("User",)),
        ),
        _object("User", "005", "staff", Column("Name", length=121, writable=False)),
        _object(
            "Consistency_Finding__c", "a0H", "consistency_findings",
            Column("Title__c", length=255, required=True),
            Column("Text__c", "textarea", 32_000),
            Column("Severity__c", "picklist", 255, values=("high", "medium", "low")),
            Column("Status__c", "picklist", 255, values=("Open", "Closed", "Resolved"), default="Open"),
            Column("Account__c", "reference", 18, to=("Account",)),
            Column("Contact__c", "reference", 18, to=("Contact",)),
            Column("Opportunity__c", "reference", 18, to=("Opportunity",)),
            Column("Order__c", "reference", 18, to=("Order",)),
            Column("LastModifiedById", "reference", 18, writable=False, to=("User",)),
        ),
    )
}  # fmt: skip


# -- ids -----------------------------------------------------------------------------------------------------------

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_POD = "RM"  # which of Salesforce's data centres made the id


def id_of(prefix: str, n: int) -> str:
    """The n-th id with that prefix, 18 characters.

    >>> id_of("001", 1)
    '001RM0000000001YAA'
    """
    digits = ""
    while n:
        n, digit = divmod(n, 62)
        digits = _DIGITS[digit] + digits
    return long_id(f"{prefix}{_POD}{digits.rjust(10, '0')}")


def long_id(short: str) -> str:
    """15 characters that tell upper from lower case → 18 that need not: each of the last three is five bits of case.

    >>> long_id("001A0000006Vm9r")
    '001A0000006Vm9rIAC'
    """
    blocks = (short[0:5], short[5:10], short[10:15])
    return short + "".join(_CHECKS[sum(c.isupper() << i for i, c in enumerate(block))] for block in blocks)


def known_id(given: str) -> str | None:
    """An id as it is filed, from 15 or 18 characters; None where it is no id, or its check does not fit."""
    if not re.fullmatch(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?", given):
        return None
    whole = long_id(given[:15])
    return whole if given in (whole, given[:15]) else None


# -- what may be written -------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;.]+(\.[^@\s,;.]+)+")


def checked(of: Object, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values as Salesforce would keep them, or `Refused`. Blanks around a text go, an empty one is null."""
    return {column.name: _checked(column, value) for column, value in _writable(of, given)}


def lacking(of: Object, body: Mapping[str, Any]) -> list[str]:
    """The required fields a whole object does not have."""
    return [c.name for c in of.columns.values() if c.required and body.get(c.name) is None]


def _writable(of: Object, given: Mapping[str, Any]) -> Iterator[tuple[Column, Any]]:
    for name, value in given.items():
        column = of.columns.get(name)
        if column is None:
            raise Refused("INVALID_FIELD", f"No such column '{name}' on sobject of type {of.name}", [name])
        if not column.writable:
            raise Refused(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {name}. Please check the security settings of this field and verify "
                "that it is read/write for your profile or permission set.",
                [name],
            )
        yield column, value


def _checked(column: Column, value: Any) -> Any:
    if value is None:
        return False if column.type == "boolean" else None
    if column.type in TEXTS:
        return _checked_text(column, value)
    if column.type == "reference":
        found = known_id(str(value))
        if found is None:
            raise Refused("MALFORMED_ID", f"{column.name}: id value of incorrect type: {value}", [column.name])
        return found
    return _checked_number_or_time(column, value)


def _checked_text(column: Column, value: Any) -> str | None:
    if isinstance(value, dict | list):
        raise _unreadable(column, "START_OBJECT" if isinstance(value, dict) else "START_ARRAY", value)
    text = str(value).strip()
    if not text:
        return None
    if column.length and len(text) > column.length:
        raise Refused(
            "STRING_TOO_LONG",
            f"{column.name}: data value too large: {text} (max length={column.length})",
            [column.name],
        )
    if column.type == "email" and not _EMAIL.fullmatch(text):
        raise Refused("INVALID_EMAIL_ADDRESS", f"{column.name}: invalid email address: {text}", [column.name])
    if column.values and text not in column.values:
        raise Refused(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{column.name}: bad value for restricted picklist field: {text}",
            [column.name],
        )
    return text


def _checked_number_or_time(column: Column, value: Any) -> Any:
    """Values of the wrong JSON type are not refused by the object but by the parser: nothing of the call is done."""
    try:
        if column.type == "boolean" and isinstance(value, bool):
            return value
        if column.type in NUMBERS and not isinstance(value, bool):
            return float(value)
        if column.type == "date":
            return date.fromisoformat(value).isoformat()
        if column.type == "datetime":
            return stamp(datetime.fromisoformat(value).astimezone(UTC).isoformat())
    except (TypeError, ValueError):
        pass
    raise _unreadable(column, "VALUE_STRING" if isinstance(value, str) else "VALUE_NUMBER", value)


def _unreadable(column: Column, token: str, value: Any) -> Refused:
    return Refused(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {column.type} from {token} value {value} or request may be missing a required "
        "field",
        whole=True,
    )


def stamp(at: str) -> str:
    """A time as Salesforce writes it, to the second.

    >>> stamp("2026-11-21T22:18:46.123456Z")
    '2026-11-21T22:18:46.000+0000'
    """
    return f"{at[:19]}.000+0000"

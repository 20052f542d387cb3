"""The customer portal: plain REST both ways, declared. Copy this file to connect another system.

Its contract lies beside it (openapi.yaml). Lists come in the order of change with deletions and merges among the rest,
so a complete pass and an incremental one are the same call from another cursor. Records are changed in batches, each
over the version that was looked at, and made by `PUT` under an external id.

What no plan holds is called by whoever needs it: `say_consent` adds a statement, `statements` reads them all.
The hub's findings are left as consistency reports (notices.py).
"""

from __future__ import annotations

from typing import Any

from connectors.portal.notices import place
from omnihub import sdk
from omnihub.sdk import Entity, Limit, Link, Push, Setting, Stream

MAX_BATCH = 200  # the portal refuses more, in what is sent and in the ids asked for
MAX_PAGE = 500

ADDRESS = {name: f"address.{name}" for name in ("street", "postal_code", "city", "region", "country")}
COMPANY = {name: name for name in ("name", "vat_id", "domain", "phone", "email")} | ADDRESS
PERSON = {name: name for name in ("first_name", "last_name", "phone", "mobile", "job_title", "language")}
LONGEST = {"name": 200, "vat_id": 20, "street": 200, "postal_code": 20, "city": 100, "region": 100}
LONGEST_OF_PERSON = {"first_name": 100, "last_name": 100, "job_title": 100}
PROBLEM: dict[str, Any] = {"code": "type", "message": "detail"}  # where an answer says what was wrong
PROBLEM_OF_ITEM: dict[str, Any] = {"code": "problem.type", "message": "problem.detail"}


def changes(path: str) -> sdk.Pages:
    """All there is at `path` in the order of change. The cursor stays good after the last page."""
    following = sdk.Cursor("next_cursor", "cursor", more="has_more")
    marks: dict[str, Any] = {"updated": "updated_at", "deleted": "deleted_at", "merged_into": "merged_into_id"}
    start = {"cursor": "{since}"}
    return sdk.Pages(path, "items", following, {"limit": MAX_PAGE}, since=start, keep="next_cursor", **marks)


def writing(
    path: str,
    fields: dict[str, str],
    longest: dict[str, int],
    given: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    erase: sdk.Erase | None = None,
) -> Push:
    """Batches whose items carry the version they were made from: a newer one there is drift."""
    over: dict[str, Any] = {"version": "version", "drifted": (412,), "once": "Idempotency-Key"}
    return Push(
        tuple(fields),
        update=sdk.SendBatch("POST", f"{path}/batch", body="set", **over, **PROBLEM_OF_ITEM),
        create=sdk.Upsert1("PUT", f"{path}/by-external-id/{{key}}", **PROBLEM),
        delete=sdk.Delete1(f"{path}/{{id}}", etag="version", **PROBLEM),
        look=sdk.ByIdBatch(path, "items", size=MAX_BATCH, updated="updated_at"),
        find=sdk.ByIdBatch(path, "items", "external_ids", size=MAX_BATCH, updated="updated_at"),
        batch=MAX_BATCH,
        max_length=longest,
        given=given,
        required=required,
        known_by="external_id",
        erase=erase,
    )


forget = sdk.Erase1("/v1/users/{id}/erasure", "POST", **PROBLEM)  # a deleted user still shows; an erased one does not

CONSENT = sdk.FieldMap.of({
    "contact": Link("user_id", stream="users"),
    "purpose": "purpose",
    "state": sdk.Codes("state", codes={"granted": "yes", "denied": "no"}),
    "at": "at",
})  # fmt: skip
say_consent = sdk.Upsert1("POST", "/v1/consents", **PROBLEM)  # the same statement again is not added again
statements = changes("/v1/consents")


ACCOUNTS = {**COMPANY, "customer_group": "customer_group"}
USERS: dict[str, str | sdk.Path] = {
    **PERSON,
    "email": "email",  # the login name: only the user may change it
    "country": "country",
    "account": Link("account_id", stream="accounts"),
    "marketing_consent": sdk.Codes("marketing_consent.state", codes={"granted": "yes", "denied": "no"}),
    "consent_at": "marketing_consent.at",
}
LOGINS: dict[str, str | sdk.Path] = {
    "kind": sdk.Const("login"),
    "contact": Link("user_id", stream="users"),
    "at": "at",
    "channel": "channel",
}
OFFERS: dict[str, str | sdk.Path] = {
    **{name: name for name in ("code", "name", "sku", "customer_group", "price", "currency", "valid_from", "valid_to")},
    "account": Link("account_id", stream="accounts"),
    "discount": "discount_percent",
    "discount_amount": "discount_amount",
}

QUOTES: dict[str, str | sdk.Path] = {
    "name": sdk.OneWay("number"),
    "account": Link("account_id", stream="accounts"),
    "contact": Link("user_id", stream="users"),
    "amount": sdk.OneWay("total"),
    "currency": sdk.OneWay("currency"),
    "stage": sdk.Codes("status", codes={"open": "quoted", "accepted": "won", "expired": "lost"}),
    "closes_on": sdk.OneWay("valid_until"),
}
QUOTE_LINES: dict[str, str | sdk.Path] = {
    "of": Link("quote_id", stream="quotes"),
    **{name: sdk.OneWay(name) for name in ("sku", "name", "quantity", "unit_price", "currency")},
}

ORDERS: dict[str, str | sdk.Path] = {
    **{name: sdk.OneWay(name) for name in ("number", "ordered_at", "status", "currency", "total", "delivered_at")},
    "contact": Link("user_id", stream="users"),
    "stock_point": sdk.OneWay("ships_from"),
    "delivery_point": sdk.OneWay("ships_to"),
    "transport_mode": sdk.OneWay("carriage"),
    "tracking": sdk.OneWay("tracking_number"),
}

connector = sdk.Connector(
    name="portal",
    title="Customer portal",
    role="customer portal",
    settings=(
        Setting("url", "the portal's address, as in https://portal.example.com"),
        Setting("client_id", "the client registered for the hub"),
        Setting("client_secret", "its secret", secret=True),
    ),
    auth=sdk.ClientCredentials("/oauth/token"),
    # the portal allows 600
    limits=(Limit(580, per_s=60, left="RateLimit-Remaining", resets="RateLimit-Reset"),),
    place=place,
    streams=(
        Stream("accounts", Entity.ACCOUNT, ACCOUNTS, changes("/v1/accounts"), updated="updated_at",
               push=writing("/v1/accounts", COMPANY, LONGEST, required=("name",))),
        Stream("users", Entity.CONTACT, USERS, changes("/v1/users"), updated="updated_at",
               push=writing("/v1/users", PERSON, LONGEST_OF_PERSON, given=("email", "account"), required=("email",),
                            erase=forget)),
        Stream("logins", Entity.INTERACTION, LOGINS, changes("/v1/logins"), updated="updated_at"),
        Stream("orders", Entity.ORDER, ORDERS, changes("/v1/orders"), updated="updated_at"),
        Stream("offers", Entity.PROMOTION, OFFERS, changes("/v1/offers"), updated="updated_at"),
        Stream("quotes", Entity.DEAL, QUOTES, changes("/v1/quotes"), updated="updated_at"),
        Stream("quote_lines", Entity.LINE, QUOTE_LINES, changes("/v1/quote-lines"), updated="updated_at"),
    ),
)  # fmt: skip
